# change-links.sh - interfaces that crun set adds, changes and removes while the
# container runs.

# second: a bridge crt1 with 10.199.79.1/24
second() {
	ip link add crt1 type bridge
	echo 'ip link del crt1' >>undo
	ip addr add 10.199.79.1/24 dev crt1
	ip link set crt1 up
}

# reaches ADDRESS, has_no LINK: the container
reaches() {
	verb 0 exec "$name" ping -c 1 -W 2 "$1"
}

has_no() {
	verb 1 exec "$name" test -e "/sys/class/net/$1"
}

# journal: what stands written down of the network
journal() {
	grep -v '^cgroup\|^ids' "/run/crun-os/$name/host" | sort -u
}

# links: those of the host and the container, without their numbers
links() {
	{ ip -o link && nsenter -t "$init" -n ip -o link; } |
		sed 's/^[0-9]*: //; s/@[^:]*//; s/ .*//' | sort
}

# once: what the supervisor keeps for changes it has from the first on
once() {
	verb 0 set "$name" lan.bridge="$br"
	verb 0 set "$name" lan.bridge=
}

# files: what the supervisor has open
files() {
	find "/proc/$sup/fd" -mindepth 1 -printf '%l\n' | sed 's/:\[.*//' |
		sort | uniq -c
}

# taken_from JOURNAL LINKS: all is as it was
taken_from() {
	is 'what is written down' "$1" "$(journal)"
	is 'links' "$2" "$(links)"
}

iface_bridge() {
	second
	conf bridge="$br" ip="$net.2/24"
	idle
	was=$(journal) had=$(links)
	verb 0 set "$name" eth1.bridge=crt1 eth1.ip=10.199.79.2/24 \
		eth1.gateway=10.199.79.1 eth1.mtu=1400
	lines 0
	reaches 10.199.79.1
	reaches "$net.1"
	verb 0 exec "$name" sh -c 'ip -o link show eth1; ip route'
	prints_like 'mtu 1400'
	prints_like 'default via 10.199.79.1 dev eth1'
	is stat 'crt1 10.199.79.2/24' \
		"$(fact eth1.bridge) $(fact eth1.address | grep -v :)"
	[ "$(fact eth1.host.link)" ] || wrong "the host's end" none
	verb 0 set "$name" eth1.bridge=
	has_no eth1
	reaches "$net.1"
	is stat '' "$(fact eth1.bridge)"
	taken_from "$was" "$had"
	verb 0 set "$name" eth1.bridge=crt1 eth1.ip=10.199.79.2/24
	reaches 10.199.79.1
	down
}
story -k 'change: a second interface comes and goes' iface_bridge

# another bridge, another address; its connections end, those of eth0 do not
iface_changed() {
	second
	conf bridge="$br" ip="$net.2/24" eth1.bridge="$br" eth1.ip="$net.3/24"
	idle
	verb 0 exec "$name" cat /sys/class/net/eth0/ifindex
	before=$(cat out)
	mac=$(fact eth1.mac)
	verb 0 set "$name" eth1.mtu=1400
	verb 0 exec "$name" cat /sys/class/net/eth1/mtu
	prints 1400
	verb 0 set "$name" eth1.bridge=crt1 eth1.ip=10.199.79.3/24
	reaches 10.199.79.1
	verb 0 exec "$name" cat /sys/class/net/eth0/ifindex
	prints "$before"
	is mac "$mac" "$(fact eth1.mac)"
	verb 0 set "$name" ip="$net.4/24"
	printf '%s\n' "name=$name-b" "rootfs=$root" bridge="$br" \
		ip="$net.9/24" >d.conf
	want 0 "$crun" -q -c d.conf -- ping -c 1 -W 2 "$net.4"
	is addresses "$net.4/24 10.199.79.3/24" \
		"$(fact address | grep -v : | xargs) $(fact eth1.address |
			grep -v : | xargs)"
	down
}
story -k 'change: another bridge, and another address' iface_changed

# each kind, to a container that has had no network
iface_kind() {
	asked=$1
	cable
	shift
	[ "${asked%%=*}" = phys ] || can "${asked%%=*}"
	was_mac=$(cat /sys/class/net/crt-p/address)
	conf
	idle
	was=$(journal) had=$(links)
	verb 0 set "$name" "$asked" "$@" ip=10.199.80.2/24
	lines 0
	reaches 10.199.80.1
	is stat "${asked#*=}" "$(fact "${asked%%=*}" | head -n 1)"
	verb 0 set "$name" "${asked%%=*}="
	has_no eth0
	is 'the MAC of crt-p' "$was_mac" "$(cat /sys/class/net/crt-p/address)"
	taken_from "$was" "$had"
	verb 0 set "$name" eth5."$asked" eth5.ip=10.199.80.2/24
	reaches 10.199.80.1
	down
	is 'the MAC of crt-p' "$was_mac" "$(cat /sys/class/net/crt-p/address)"
}
story -k 'change: a macvlan' iface_kind macvlan=crt-p
story -k 'change: an ipvlan' iface_kind ipvlan=crt-p
story -k 'change: a link of the host, which comes back' iface_kind phys=crt-p \
	mtu=1400

iface_nat() {
	world
	conf
	idle
	was=$(journal) had=$(links)
	verb 0 set "$name" net=nat port=8080:80
	reaches 203.0.113.9
	verb 0 exec "$name" sh -c 'talk serve tcp 80 >/run/up &
		until grep -q up /run/up; do :; done'
	open 8080
	# and one more on the same bridge
	verb 0 set "$name" eth1.net=nat
	[ "$(fact eth1.host.link)" ] || wrong "the host's end" none
	is 'addresses of it' 2 "$(journal | grep -c 'ip 10\.88\.')"
	verb 0 set "$name" eth1.net=
	is 'addresses of it' 1 "$(journal | grep -c 'ip 10\.88\.')"
	open 8080
	verb 0 set "$name" net=
	shut 8080
	has_no eth0
	nothing_but
	taken_from "$was" "$had"
	down
	nothing_left
}

nothing_but() {
	! ip link show dev crun0 2>/dev/null || wrong 'no crun0' "$(ip link)"
	is files ".marker
$name" "$(ls -A /run/crun-os)"
}
story -k 'change: net=nat with a port, and a second one beside it' iface_nat

# the names of hosts=yes follow
iface_hosts() {
	world
	conf net=nat hosts=yes
	idle
	verb 0 set "$name" eth1.net=nat
	verb 0 exec "$name" grep -c "$name" /etc/hosts
	prints 2
	verb 0 set "$name" eth1.net=
	verb 0 exec "$name" grep -c "$name" /etc/hosts
	prints 1
	down
	nothing_left
}
story -k 'change: names of containers' iface_hosts

# a guest that is held to its addresses may use those of a new interface
iface_spoof() {
	second
	conf bridge="$br" ip="$net.2/24" spoof=no
	can_hold
	idle
	verb 0 set "$name" eth1.bridge=crt1 eth1.ip=10.199.79.2/24
	from='ping -c 1 -W 2 -I 10.199.79.2'
	ip route add 10.199.79.2/32 dev "$br"
	verb 0 exec "$name" sh -c "$from $net.1"
	ip route del 10.199.79.2/32 dev "$br"
	verb 0 set "$name" eth1.bridge=
	ip route add 10.199.79.2/32 dev "$br"
	verb 0 exec "$name" ip addr add 10.199.79.2/32 dev eth0
	verb 1 exec "$name" sh -c "$from $net.1"
	ip route del 10.199.79.2/32 dev "$br"
	down
}

can_hold() {
	rc=0
	"$crun" -c c.conf -- true >hold.out 2>&1 || rc=$?
	! grep -q 'CONFIG_NF_TABLES' hold.out ||
		skip 'no nf_tables of bridges in this kernel'
	[ "$rc" -eq 0 ] || wrong 'a start with spoof=no' "$(cat hold.out)"
}
story -k 'change: spoof=no follows' iface_spoof

# what cannot be had changes nothing
iface_none() {
	second
	conf bridge="$br" ip="$net.2/24" memory=64M
	idle
	once
	was=$(journal) had=$(links)
	files >before
	verb 125 set "$name" eth1.bridge=nosuch eth1.ip=10.199.79.2/24 memory=128M
	says '^crun: command line: there is no bridge nosuch; make it: '
	lines 1
	verb 125 set "$name" bridge=nosuch
	says 'there is no bridge nosuch'
	lines 1
	reaches "$net.1"
	verb 125 set "$name" eth1.bridge=crt1 eth1.ip=10.199.79.2/24 \
		eth2.phys=nosuch eth2.ip=10.199.78.2/24
	says 'nosuch'
	lines 1
	taken_from "$was" "$had"
	is memory 67108864 "$(fact memory.max)"
	is bridge "$br" "$(fact bridge)"
	is descriptors "$(cat before)" "$(files)"
	verb 2 set "$name" eth1.ip=10.199.79.2/24
	says 'eth1.ip needs a kind of link'
	verb 2 set "$name" eth1.bridge=
	says 'eth1.bridge=: there is no interface eth1'
	verb 2 set "$name" ifname=lan
	says 'ifname cannot be changed while it runs'
	verb 125 set "$name" net=host bridge=
	says 'net=host holds for a whole life'
	reaches "$net.1"
	down
}
story -k 'change: all interfaces or none' iface_none

# what the guest has of that name, and what it has deleted
iface_guest() {
	world
	second
	conf net=nat isolate=yes
	idle
	was=$(journal)
	nsenter -t "$init" -U -n ip link add eth1 type bridge
	verb 125 set "$name" eth1.bridge=crt1 eth1.host.link=crt-h
	says 'as eth1, of which name the container has one already: File exists$'
	lines 1
	verb 125 set "$name" eth1.bridge=crt1
	says 'as eth1, of which name the container has one already: File exists$'
	verb 125 set "$name" eth1.net=nat eth1.ip=10.1.2.3/24
	says 'is no address for a container on crun0'
	is 'what is written down' "$was" "$(journal)"
	nsenter -t "$init" -U -n ip link del eth0
	verb 0 set "$name" eth2.bridge=crt1
	down
	nothing_left
}
story -k 'change: what the guest has made and deleted' iface_guest

# 16 at most; what has gone makes room
iface_many() {
	conf
	idle
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		set -- "$@" "eth$i.bridge=$br"
	done
	verb 0 set "$name" "$@"
	verb 2 set "$name" lan.bridge="$br"
	says 'lan is one interface too many'
	verb 0 set "$name" eth7.bridge=
	verb 0 set "$name" lan.bridge="$br"
	verb 0 exec "$name" sh -c 'ls /sys/class/net | grep -c "eth\|lan"'
	prints 15
	verb 0 set "$name" lan.bridge= eth3.bridge=
	verb 0 exec "$name" sh -c 'ls /sys/class/net | grep -c "eth\|lan"'
	prints 13
	down
}
story -k 'change: sixteen interfaces' iface_many

iface_reboot() {
	second
	os_conf bridge="$br" ip="$net.2/24" eth1.bridge="$br" eth1.ip="$net.3/24"
	background --ready
	verb 0 set "$name" eth2.bridge=crt1 eth2.ip=10.199.79.2/24 eth1.bridge=
	verb 0 reboot "$name"
	reaches 10.199.79.1
	has_no eth1
	verb 0 set "$name" eth1.bridge="$br" eth1.ip="$net.3/24" memory=64M
	verb 0 reboot "$name"
	verb 0 exec "$name" ls /sys/class/net
	is interfaces 'eth0 eth1 eth2 lo' "$(xargs <out)"
	verb 0 stop "$name"
	gone
}
story -k 'change: it holds after a reboot' iface_reboot

iface_killed() {
	second
	conf
	idle
	verb 0 set "$name" bridge=crt1 ip=10.199.79.2/24 eth1.bridge="$br"
	verb 0 set "$name" bridge= eth2.bridge=crt1
	kill -KILL "$sup"
	ends 137 "$sup"
	verb 0 clean
	is ports '' "$(ls /sys/class/net/crt1/brif)"
}
story -k 'change: kill -9 afterwards' iface_killed

# iface_message WHAT: at each message the supervisor sends, until all is done
iface_message() {
	need strace
	second
	can_nat
	conf bridge="$br" ip="$net.2/24"
	idle
	once
	was=$(journal) had=$(links) n=0 refused=0
	files >before
	while n=$((n + 1)) && hindered_by "$1" "$n"; do
		if [ "$got" -eq 0 ]; then	# it was but a question
			reaches 10.199.79.1
			verb 0 set "$name" bridge="$br" ip="$net.2/24" eth1.net=
			continue
		fi
		refused=$((refused + 1))
		is status 125 "$got"
		lines 1
		taken_from "$was" "$had"
		is descriptors "$(cat before)" "$(files)"
		reaches "$net.1"
	done
	is 'the last status' 0 "$got"
	[ "$refused" -gt 15 ] || wrong 'more than 15 refused' "$refused of $n"
	echo "# $refused of $((n - 1)) refused"
	reaches 10.199.79.1
	down
	nothing_left
}

# hindered_by ERRNO N: crun set, whose status is in got; 1: there was no message N
hindered_by() {
	rm -f trace strace.err
	strace -p "$sup" -o trace -e trace=sendto \
		-e "inject=sendto:error=$1:when=$2" 2>strace.err &
	tracer=$!
	echo "$tracer" >>kids
	soon grep -q attached strace.err
	got=0
	cmd="crun set with message $2 failing"
	"$crun" set "$name" bridge=crt1 ip=10.199.79.2/24 \
		eth1.net=nat eth1.port=8080:80 >out 2>err || got=$?
	kill -INT "$tracer"
	wait "$tracer" || :
	grep -q INJECTED trace
}
limit=240
story -k 'change: each netlink message fails' iface_message ENOBUFS

# from the removal of eth0 on nothing works any more, for a while
iface_lost() {
	need strace
	second
	can_nat
	conf bridge="$br" ip="$net.2/24"
	idle
	once
	files >before
	hindered_by ENOBUFS 3+ || wrong 'messages that fail' "$(cat err)"
	is status 125 "$got"
	says ': No buffer space available; and eth0 is lost until the next start$'
	lines 1
	is descriptors "$(cat before)" "$(files)"
	is bridge "$br" "$(fact bridge)"
	verb 0 set "$name" bridge=crt1 ip=10.199.79.2/24
	reaches 10.199.79.1
	down
	nothing_left
}
story -k 'change: an interface that cannot be made again' iface_lost
