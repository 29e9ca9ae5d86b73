# net.sh - the network.

net_conf() {
	conf bridge="$br" ip="$net.2/24" ip="$net6::2/64" \
		gateway="$net.1" gateway="$net6::1" "$@"
}

net_loopback() {
	conf
	inside 'ls /sys/class/net; cat /sys/class/net/lo/operstate
		ip addr show dev lo | awk "\$1 ~ /^inet/ { print \$1, \$2 }"
		ping -c 1 -W 1 127.0.0.1 >/dev/null && echo ok'
	is printed 'lo unknown inet 127.0.0.1/8 inet6 ::1/128 ok' \
		"$(xargs <out)"
}
story -k 'net: without a bridge there is lo, and it is up' net_loopback

net_addresses() {
	net_conf
	inside 'ip addr show dev eth0 | grep -v "inet6 fe80:"'
	is addresses "inet $net.2/24 brd $net.255 inet6 $net6::2/64" \
		"$(sed -n 's/^ *\(inet [^ ]* brd [^ ]*\) .*/\1/p
		s/^ *\(inet6 [^ ]*\) .*/\1/p' out | xargs)"
}
story -k 'net: addresses of IPv4 and IPv6' net_addresses

net_routes() {
	net_conf
	inside 'ip route; ip -6 route | grep default'
	prints_like "^default via $net.1 dev eth0"
	prints_like "^$net.0/24 dev eth0"
	prints_like "^default via $net6::1 dev eth0"
}
story -k 'net: default routes of IPv4 and IPv6' net_routes

net_ping_out() {
	net_conf
	inside "ping -c 1 -W 2 $net.1 && ping -6 -c 1 -W 2 $net6::1"
}
story -k 'net: the container reaches the host, by IPv4 and IPv6' net_ping_out

net_ping_in() {
	net_conf
	idle
	want 0 busybox ping -c 1 -W 2 "$net.2"
	want 0 busybox ping -6 -c 1 -W 2 "$net6::2"
	down
}
story -k 'net: the host reaches the container, by IPv4 and IPv6' net_ping_in

net_two() {
	net_conf
	idle
	printf '%s\n' "name=$name-b" "rootfs=$root" "bridge=$br" \
		"ip=$net.3/24" "ip=$net6::3/64" "$@" >d.conf
	want 0 "$crun" -c d.conf -- /bin/sh -c \
		"ping -c 1 -W 2 $net.2 && ping -6 -c 1 -W 2 $net6::2"
	down
}
story -k 'net: two containers reach each other' net_two
# fe: is what the ends on the host begin with
story -k 'net: two containers reach each other, one of them mac=fe:...' \
	net_two mac=fe:00:00:00:00:07

# they are of the network namespace, unix(7)
net_abstract() {
	"$probe" listen crt >listen.out 2>&1 &
	echo "$!" >>kids
	soon grep -q '^up' listen.out
	want 0 "$probe" connect crt
	prints ok
	"$1"
	run 0 -- probe connect crt
	prints ECONNREFUSED
	idle
	verb 0 exec "$name" probe connect crt
	prints ECONNREFUSED
	down
}
story -k 'net: no abstract socket of the host is reached' net_abstract conf
story -k 'net: no abstract socket of the host is reached, with a bridge' \
	net_abstract net_conf

# /sys is of the namespace that it was mounted in
net_other_sys() {
	conf bridge=crt-other ip=10.199.78.2/24
	want 0 unshare -n sh -c 'ip link add crt-other type bridge &&
		ip addr add 10.199.78.1/24 dev crt-other &&
		ip link set crt-other up && exec "$@"' - \
		"$crun" -c "$t/c.conf" -- ping -c 1 -W 3 10.199.78.1
	lines 0
}
story -k 'net: a bridge that /sys does not show' net_other_sys

net_mac() {
	net_conf
	run 0 -- cat /sys/class/net/eth0/address
	mac=$(cat out)
	case $mac in
	?[26ae]:*) ;;
	*) wrong 'made locally, no multicast' "$mac" ;;
	esac
	run 0 -- cat /sys/class/net/eth0/address
	prints "$mac"
	run 0 -n
	prints_like "^mac=$mac\$"
	sed "s/^name=.*/name=$name-b/" c.conf >d.conf
	want 0 "$crun" -c d.conf -- cat /sys/class/net/eth0/address
	[ "$(cat out)" != "$mac" ] || wrong 'another for another name' "$mac"
}
story -k "net: the hardware address comes from the name" net_mac

net_keys() {
	net_conf mac=02:00:00:00:00:07 mtu=1400 ifname=web0
	inside 'cat /sys/class/net/web0/address /sys/class/net/web0/mtu
		ls /sys/class/net'
	is printed '02:00:00:00:00:07 1400 lo web0' "$(xargs <out)"
}
story -k 'net: mac, mtu and ifname' net_keys

net_mtu() {
	net_conf
	ip link set "$br" mtu 1300
	run 0 -- cat /sys/class/net/eth0/mtu
	ip link set "$br" mtu 1500
	prints 1300
}
story -k "net: the bridge's mtu" net_mtu

# two bridges are one network here: IPv6 tells who has answered
net_second() {
	conf bridge="$br" ip="$net.2/24" lan.ip="$net.130/25" \
		lan.mac=02:00:00:00:00:09 lan.bridge="$br" lan.mtu=1400 \
		eth0.gateway="$net.1"
	inside 'ip -o -4 addr show | cut -d" " -f 2,7; ip route
		cat /sys/class/net/lan/address /sys/class/net/lan/mtu'
	is addresses "lo 127.0.0.1/8 eth0 $net.2/24 lan $net.130/25" \
		"$(head -n 3 out | xargs)"
	prints_like "^default via $net.1 dev eth0"
	prints_like "^$net.128/25 dev lan"
	is 'mac, mtu' '02:00:00:00:00:09 1400' "$(tail -n 2 out | xargs)"
	idle
	want 0 busybox ping -c 1 -W 2 "$net.130"
	is links 2 "$(grep -c '^link ' "/run/crun-os/$name/host")"
	is stat "$net.2/24 lan $net.130/25" "$(fact ip) lan $(fact lan.ip)"
	down
}
story -k 'net: two interfaces, each with its own keys' net_second

net_sixteen() {
	conf bridge="$br" ip="$net.2/24"
	for i in 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1; do
		echo "x$i.bridge=$br"
	done >>c.conf
	inside 'ip -o link | cut -d: -f 2 | cut -d@ -f 1 | xargs'
	prints 'lo eth0 x15 x14 x13 x12 x11 x10 x9 x8 x7 x6 x5 x4 x3 x2 x1'
	echo "x16.bridge=$br" >>c.conf
	run 2
	says 'c.conf:20: x16 is one interface too many: there may be 16'
}
story -k 'net: sixteen interfaces, in the order of the file' net_sixteen

# a crun of another life reads it
net_printed() {
	conf eth1.ip="$net.3/24" bridge="$br" eth1.bridge="$br" \
		eth0.ip="$net.2/24"
	run 0 -n
	cp out first
	prints_like "^ip=$net.2/24\$"
	prints_like "^eth1.ip=$net.3/24\$"
	prints_like '^eth1.mac=[0-9a-f:]*$'
	is 'MAC addresses' 2 "$(sed -n 's/^.*mac=//p' out | sort -u | wc -l)"
	cp out d.conf
	want 0 "$crun" -n -c d.conf
	cmp -s out first || wrong "$(cat first)" "$(cat out)"
	want 0 "$crun" -n -c d.conf "eth0.bridge=other" eth1.ip=10.1.1.1/8
	prints_like '^bridge=other$'
	prints_like '^eth1.ip=10.1.1.1/8$'
	is 'its ip' 1 "$(grep -c '^eth1.ip=' out)"
}
story 'net: -n prints each interface, and reads it again' net_printed

# the addresses of a hoster: a gateway in no subnet of ip
net_onlink() {
	conf bridge="$br" ip="$net.130/32" gateway="$net.1:onlink" \
		ip="$net6::9/128" gateway="$net6::1:onlink"
	ip route add "$net.130/32" dev "$br" 2>/dev/null || :
	inside "ip route; ip -6 route; ping -c 1 -W 2 $net.1 >/dev/null &&
		ping -6 -c 1 -W 2 $net6::1 >/dev/null && echo reached"
	ip route del "$net.130/32" dev "$br" 2>/dev/null || :
	prints_like "^default via $net.1 dev eth0"
	prints_like "^default via $net6::1 dev eth0"
	prints_like '^reached'
}
story -k 'net: a gateway outside the subnets, on the link' net_onlink

net_routes_own() {
	net_conf route="10.199.90.0/24:$net.9" route=10.199.91.0/24 \
		route="fd00:90::/64:$net6::9" route="fd00:91::/64" \
		route=10.199.92.0/24:10.199.91.7
	inside 'ip route; ip -6 route'
	prints_like "^10.199.90.0/24 via $net.9 dev eth0"
	prints_like '^10.199.91.0/24 dev eth0 scope link'
	prints_like '^10.199.92.0/24 via 10.199.91.7 dev eth0'
	prints_like "^fd00:90::/64 via $net6::9 dev eth0"
	prints_like '^fd00:91::/64 dev eth0'
}
story -k 'net: routes by a gateway and on the link' net_routes_own

net_automatic() {
	conf bridge="$br" ip="$net.2/24" ip="$net6::2/64" gateway=auto
	inside 'ip route; ip -6 route'
	prints_like "^default via $net.1 dev eth0"
	prints_like "^default via $net6::1 dev eth0"
	conf bridge="$br" gateway=auto ip=10.199.99.2/24
	run 125 -- true
	says "c.conf:4: $br has no address in the subnet of ip=10.199.99.2/24"
	lines 1
}
story -k "net: the gateway is the bridge's own address" net_automatic

net_host_link() {
	net_conf host.link=crt-web
	idle
	ip -o link show dev crt-web | grep -q "master $br" ||
		wrong "crt-web in $br" "$(ip link)"
	down
	# free again at once, also after a program
	run 0 -- true
	run 0 -- true
	ip link add crt-web type veth peer name crt-peer
	echo 'ip link del crt-web' >undo
	run 125 -- true
	says 'c.conf:8: there is a link crt-web already'
	lines 1
	ip link show dev crt-web >/dev/null ||
		wrong "the other's link stays" "$(ip link)"
}
story -k "net: the host's end has the name that is asked for" net_host_link

net_isolate() {
	net_conf isolate=yes
	idle
	printf '%s\n' "name=$name-b" "rootfs=$root" "bridge=$br" \
		"ip=$net.3/24" isolate=yes >d.conf
	want 1 "$crun" -c d.conf -- ping -c 1 -W 1 "$net.2"
	want 0 "$crun" -c d.conf -- ping -c 1 -W 2 "$net.1"
	want 0 "$crun" -c d.conf isolate=no -- ping -c 1 -W 2 "$net.2"
	down
}
story -k 'net: isolated containers do not reach each other' net_isolate

# the host's end, and what the container cannot do to it
net_host_end() {
	net_conf
	idle
	link=$(sed -n 's/^link //p' "/run/crun-os/$name/host")
	is 'length of its name, at most 15' ok \
		"$([ "${#link}" -le 15 ] && echo ok)"
	ip -d link show dev "$link" >out
	grep -q "master $br" out || wrong "in $br" "$(cat out)"
	grep -q 'UP' out || wrong up "$(cat out)"
	is 'its addresses' '' "$(ip -o addr show dev "$link")"
	down
}
story -k "net: the host's end is up, in the bridge, without an address" \
	net_host_end

# the kernel takes its time with a dead namespace's links
net_restart() {
	net_conf
	for i in 1 2 3 4 5; do
		idle
		link=$(sed -n 's/^link //p' "/run/crun-os/$name/host")
		want 0 busybox ping -c 1 -W 1 "$net.2"
		down
		! ip -o link show master "$br" | grep "$link" ||
			wrong "$link out of $br once crun has ended" 'in it'
	done
}
story -k 'net: a container is reached again at once after a restart' \
	net_restart

net_os_end() {
	own_root
	printf '#!/bin/sh\npoweroff -f\n' >root/sbin/end
	chmod 755 root/sbin/end
	net_conf init=/sbin/end
	run 0
	! ip -o link | grep ': cr[a-z2-7]*@' >out ||
		wrong 'no link of it once crun has ended' "$(cat out)"
}
story -k "net: an OS's link is gone when crun has ended" net_os_end

net_prefix() {
	conf bridge="$br" ip="$net.2/32" ip="$net.3/31"
	inside 'ip -o addr show dev eth0 | grep -o "inet [^ ]*" | sort'
	is addresses "inet $net.2/32 inet $net.3/31" "$(xargs <out)"
	lines 0
}
story -k 'net: prefixes of 31 and 32 bits' net_prefix

net_many() {
	conf bridge="$br"
	i=2
	while [ "$i" -lt 202 ]; do
		echo "ip=$net.$i/24"
		i=$((i + 1))
	done >>c.conf
	inside 'ip -o addr show dev eth0 | grep -c "inet "'
	prints 200
}
story -k 'net: 200 addresses' net_many

net_sysctl() {
	net_conf sysctl.net.ipv4.ip_forward=1 sysctl.kernel.shmmax=123456 \
		sysctl.net.ipv4.conf.eth0.rp_filter=2 \
		sysctl.fs.mqueue.msg_max=11 sysctl.kernel.domainname=dom
	before=$(cat /proc/sys/kernel/shmmax /proc/sys/net/ipv4/ip_forward \
		/proc/sys/fs/mqueue/msg_max /proc/sys/kernel/domainname)
	inside 'cd /proc/sys; cat net/ipv4/ip_forward kernel/shmmax \
		net/ipv4/conf/eth0/rp_filter fs/mqueue/msg_max \
		kernel/domainname'
	is inside '1 123456 2 11 dom' "$(xargs <out)"
	is 'the host' "$before" "$(cat /proc/sys/kernel/shmmax \
		/proc/sys/net/ipv4/ip_forward /proc/sys/fs/mqueue/msg_max \
		/proc/sys/kernel/domainname)"
}
story -k 'net: sysctls are set inside and not outside' net_sysctl

# what crun stat says of interfaces is what is inside now
net_stat() {
	net_conf eth1.bridge="$br" eth1.ip="$net.3/24"
	background -- sleep 1000
	verb 0 exec "$name" sh -c "ping -c 3 -W 2 $net.1 && ip addr add 10.9.9.9/32 dev eth0
		ip link set eth1 down; ip link set eth1 name other"
	link=$(fact host.link)
	is addresses "$net.2/24 10.9.9.9/32 $net6::2/64" \
		"$(fact address | grep -v '^fe80' | xargs)"
	verb 0 exec "$name" cat /sys/class/net/eth0/address
	is mac "$(cat out)" "$(fact mac)"
	cd "/sys/class/net/$link/statistics"
	while :; do	# until nothing has come between two looks
		all=$(cat rx_bytes rx_packets rx_dropped tx_bytes tx_packets)
		seen=$(fact 'sent'; fact sent.packets; fact sent.dropped
			fact received; fact received.packets)
		[ "$all" != "$(cat rx_bytes rx_packets rx_dropped tx_bytes \
			tx_packets)" ] || break
	done
	cd "$t"
	is 'what the other end counts' "$(echo "$all" | xargs)" \
		"$(echo "$seen" | xargs)"
	[ "$(fact sent.packets)" -ge 3 ] || wrong '3 packets' "$seen"
	is 'of a renamed one' ' ' "$(fact eth1.sent) $(fact eth1.address)"
	[ "$(fact eth1.mac)" ] || wrong 'its mac all the same' none
	verb 0 kill "$name"
	gone
}
story -k 'net: stat tells what the interfaces are and have passed on' net_stat

# ---- net=host ----

# host_resolv LINE...: those of the host's resolv.conf
host_resolv() {
	printf '%s\n' "$@" >resolv
	mount --bind resolv /etc/resolv.conf
	echo /etc/resolv.conf >>mounted
}

net_host() {
	host_resolv 'search here' 'nameserver 127.0.0.53' 'nameserver fd00::53'
	own_root
	conf net=host "$@"
	inside "readlink /proc/self/ns/net; ls -d /sys/class/net/$br
		cat /etc/resolv.conf
		for f in /proc/sys/net/ipv4/ip_forward /sys/class/net/$br/mtu
		do echo 1 >\$f; done; true"
	[ "$(head -n 1 out)" = "$(readlink /proc/self/ns/net)" ] ||
		wrong "the host's namespace" "$(cat out)"
	is 'what it sees' "/sys/class/net/$br nameserver 127.0.0.53 nameserver fd00::53" \
		"$(sed 1d out | xargs)"
	says "^crun: c.conf:3: the container has the host's network, and reaches "
	# nesting=yes leaves it to the kernel
	says "ip_forward: $(if [ $# -eq 0 ]; then echo Read-only; else
		echo Permission; fi)"
	says 'mtu: Read-only file system'
}
story -k "net: host, the host's own network" net_host
story -k "net: host, the host's own network, nesting=yes" net_host nesting=yes

# what listens on the host's loopback, and the other way round
net_host_loopback() {
	conf net=host
	"$probe" listen crt-host >listens &
	echo "$!" >>kids
	soon grep -q up listens
	inside 'probe connect crt-host'
	prints ok
	idle
	verb 0 exec "$name" readlink /proc/self/ns/net
	prints "$(readlink /proc/self/ns/net)"
	down
}
story -k 'net: host, from one to the other' net_host_loopback

# root of the container is not root of that network
net_host_harmless() {
	conf net=host caps=+net_admin
	inside "ip link set $br down; ip link add crt-x type dummy
		ip addr add 10.1.2.3/32 dev lo; true"
	is refused 3 "$(grep -c 'Operation not permitted' err)"
}
story -k 'net: host, nothing of it can be changed' net_host_harmless

net_host_root() {
	conf net=host userns=none
	run 2
	says '^crun: c.conf:3: net=host with userns=none lets root .*, net=host:root$'
	conf net=host:root userns=none
	inside "ip addr add 10.1.2.3/32 dev $br; ip addr del 10.1.2.3/32 dev $br
		echo 1 >/proc/sys/net/ipv4/ip_forward; true"
	says 'ip_forward: Read-only file system'
	says_not 'not permitted'
	conf net=host:root
	run 2
	says '^crun: c.conf:3: net=host:root is for userns=none only'
}
story -k 'net: host, with userns=none asked for twice' net_host_root

net_host_reboot() {
	os_conf net=host
	background --ready
	verb 0 reboot "$name"
	verb 0 exec "$name" readlink /proc/1/ns/net
	prints "$(readlink /proc/self/ns/net)"
	verb 0 stop "$name"
	gone
}
story -kw 'net: host, through a reboot' net_host_reboot
