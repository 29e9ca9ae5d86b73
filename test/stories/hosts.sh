# hosts.sh - the names of the containers on the bridge of net=nat.

# also NAME [KEY=VALUE ...]: one more container in the background
also() {
	also=$name-$1
	shift
	verb 0 -q -d -c c.conf "name=$also" "$@" -- sleep 1000
	sed -n '2s/ .*//p' "/run/crun-os/$also/pid" >>kids
}

# names: those in the /etc/hosts of the first container
names() {
	"$crun" exec "$name" sed -n 's/^[0-9a-f].*\t//p' /etc/hosts |
		grep -v localhost | sort -u | xargs
}

hosts_step() {
	world6
	own_root
	echo '192.0.2.1 own' >root/etc/hosts
	conf net=nat hosts=yes
	background -- sleep 1000
	is names "$name" "$(names)"
	also b nat6=yes
	also c hosts=no
	is names "$name $name-b $name-c" "$(names)"
	verb 0 exec "$name" ping -c 1 -W 2 "$name-b"
	verb 0 exec "$name-b" ping -c 1 -W 2 "$name"
	verb 0 exec "$name-b" cat /etc/hosts
	is 'addresses of b' 2 "$(grep -c "$name-b" out)"
	verb 0 exec "$name-c" cat /etc/hosts
	prints '192.0.2.1 own'
	verb 1 exec "$name-b" sh -c 'echo 192.0.2.9 evil >>/etc/hosts'
	says 'Read-only file system|Permission denied'
	verb 0 kill "$name-b"
	is names "$name $name-c" "$(names)"
	also b
	is 'names after a new start' "$name $name-b $name-c" "$(names)"
	kill -KILL "$(sed -n '2s/ .*//p' "/run/crun-os/$name-c/pid")"
	soon sh -c "'$crun' clean; ! '$crun' exec '$name' grep -q '$name-c' /etc/hosts"
	verb 0 kill "$name-b"
	verb 0 kill "$name"
	gone
	[ "$(cat root/etc/hosts)" = '192.0.2.1 own' ] ||
		wrong "the guest's own" "$(cat root/etc/hosts)"
	nothing_left
}
story -k 'hosts: each knows the others, as they come and go' hosts_step

# after a reboot, and in a rootfs without the file
hosts_reboot() {
	world
	os_conf net=nat hosts=yes
	rm -f root/etc/hosts
	background --ready
	also b init= rootfs="$T/root"
	verb 0 reboot "$name"
	is names "$name $name-b" "$(names)"
	verb 0 stop "$name"
	verb 0 kill "$name-b"
	gone
	nothing_left
}
story -kw 'hosts: after a reboot, without a file in the rootfs' hosts_reboot

hosts_many() {
	world
	conf net=nat hosts=yes
	background -- sleep 1000
	i=0
	: >pids
	while [ "$i" -lt 12 ]; do
		"$crun" -q -c c.conf "name=$name-$i" -- grep -c "$name-" \
			/etc/hosts >"out.$i" 2>>err &
		echo "$!" >>kids
		echo "$!" >>pids
		i=$((i + 1))
	done
	while read -r p; do
		ends 0 "$p"
	done <pids
	is names "$name" "$(names)"
	verb 0 kill "$name"
	gone
	nothing_left
}
story -k 'hosts: twelve start and end at once' hosts_many
