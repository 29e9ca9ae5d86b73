# nat-others.sh - net=nat beside what others put into the host's tables: ufw,
# firewalld and docker, as Debian has them.

# others: a copy of the tree with them, in which this network is the host's
others() {
	copy_tree filters
	others=$root
	root=$T/root
	need nft
	world
	echo 'ip link del docker0; nft flush ruleset' >>undo
	for dir in proc sys dev; do
		mount --rbind "/$dir" "$others/$dir"
		echo "$others/$dir" >>mounted
	done
	mounted tmpfs mode=755 "$others/run"
	mkdir -p "$others/run/lock" "$others/run/dbus"
}

# shellcheck disable=SC2086 # words
# of_others COMMAND...
of_others() {
	chroot "$others" env -i $of_others "$@"
}
of_others='HOME=/root LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin'

# they_run PROGRAM...: until the story ends
they_run() {
	# shellcheck disable=SC2086 # words
	chroot "$others" env -i $of_others "$@" >"${1##*/}.log" 2>&1 \
		</dev/null &
	echo "$!" >>kids
}

# beside: the container is reached, and reaches others, and it is told of nothing
beside() {
	serves net=nat port=8080:80
	is 'what is said' '' "$(cat up.err)"
	verb 0 exec "$name" ping -c 1 -W 2 203.0.113.9
	asks 'tcp 80' there "$talk" ask tcp 198.51.100.2 8080
	asks 'tcp 80' "$talk" ask tcp 127.0.0.1 8080
}

# readable COMMAND...: what reads the tables can read them still
readable() {
	cmd=$*
	of_others "$@" >read.out 2>&1 || wrong 'status 0' "$(cat read.out)"
}

# rules: those in any table that name crun0
rules() {
	of_others nft list ruleset 2>nft.err | grep -c crun0 || :
}

others_ufw() {
	others
	of_others ufw --force enable >ufw.out 2>&1 ||
		wrong 'ufw' "$(cat ufw.out)"
	echo "chroot '$others' /usr/sbin/ufw --force disable" >>undo
	of_others iptables -S FORWARD | grep -q -- '-P FORWARD DROP' ||
		wrong 'ufw drops' "$(of_others iptables -S FORWARD)"
	beside
	readable ufw status verbose
	readable iptables -S
	readable ufw allow 22/tcp
	readable ufw reload
	verb 0 exec "$name" ping -c 1 -W 2 203.0.113.9
	down
	is 'rules left' 0 "$(rules)"
	readable ufw --force disable
}
limit=240
story -kl 'nat: with ufw' others_ufw filters

others_firewalld() {
	others
	they_run dbus-daemon --system --nofork --nopidfile
	soon test -S "$others/run/dbus/system_bus_socket"
	they_run firewalld --nofork --nopid
	soon of_others firewall-cmd --state
	beside
	readable firewall-cmd --list-all
	readable nft list ruleset
	# which makes its table anew
	readable firewall-cmd --reload
	readable firewall-cmd --zone=trusted --add-interface=crun0
	verb 0 exec "$name" ping -c 1 -W 2 203.0.113.9
	down
	is 'rules left' 0 "$(of_others nft list table inet firewalld |
		grep -c 'comment.*crun' || :)"
}
limit=240
story -kl 'nat: with firewalld' others_firewalld filters

others_docker() {
	others
	# it drops what is forwarded where it is the first that forwards
	echo 0 >/proc/sys/net/ipv4/ip_forward
	they_run dockerd --storage-driver=vfs
	secs=$((60 * slow))
	soon of_others docker version
	of_others iptables -S FORWARD | grep -q -- '-P FORWARD DROP' ||
		wrong 'docker drops' "$(of_others iptables -S FORWARD)"
	beside
	readable iptables -S
	readable docker network create crt-net
	readable docker network rm crt-net
	verb 0 exec "$name" ping -c 1 -W 2 203.0.113.9
	down
	is 'rules left' 0 "$(rules)"
	readable docker network ls
}
limit=240
story -kl 'nat: with docker' others_docker filters
