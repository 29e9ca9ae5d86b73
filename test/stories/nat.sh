# nat.sh - net=nat: a bridge of crun's own, addresses, NAT.

# world: a network namespace with 203.0.113.9, which knows the host's
# 198.51.100.2 and nothing behind it
world() {
	unshare -n sleep 1000 &
	world=$!
	echo "$world" >>kids
	soon sh -c "[ \$(readlink /proc/$world/ns/net) != \$(readlink /proc/self/ns/net) ]"
	ip link add crt-up type veth peer name crt-w netns "$world"
	cat >undo <<-END
		ip link del crt-up
		echo $(cat /proc/sys/net/ipv4/ip_forward) >/proc/sys/net/ipv4/ip_forward
	END
	ip addr add 198.51.100.2/24 dev crt-up
	ip link set crt-up up
	ip route add 203.0.113.0/24 via 198.51.100.1
	there ip addr add 198.51.100.1/24 dev crt-w
	there ip link set crt-w up
	there ip link set lo up
	there ip addr add 203.0.113.9/32 dev lo
	echo 'nameserver 192.0.2.1' >servers
	[ ! -e /etc/resolv.conf ] || {
		mount --bind servers /etc/resolv.conf
		echo /etc/resolv.conf >>mounted
	}
	can_nat
}

# world6: likewise of IPv6: 2001:db8:9::9 knows 2001:db8:1::2
world6() {
	[ -e /proc/sys/net/ipv6 ] || skip 'no IPv6 in this kernel'
	world
	six=/proc/sys/net/ipv6/conf
	for f in all/forwarding default/accept_ra; do
		echo "echo $(cat $six/$f) >$six/$f" >>undo
	done
	echo 0 >$six/all/forwarding
	echo 1 >$six/crt-up/accept_ra
	ip addr add 2001:db8:1::2/64 dev crt-up nodad
	ip route add 2001:db8:9::/64 via 2001:db8:1::1
	there ip addr add 2001:db8:1::1/64 dev crt-w nodad
	there ip addr add 2001:db8:9::9/128 dev lo
}

# there COMMAND...: in the world
there() {
	nsenter -t "$world" -n "$@"
}

can_nat() {
	conf net=nat
	rc=0
	"$crun" -c c.conf -- true >nat.out 2>&1 || rc=$?
	! grep -q 'the table .* of nf_tables' nat.out ||
		skip 'no NAT by nf_tables in this kernel'
	[ "$rc" -eq 0 ] || wrong 'a start with net=nat' "$(cat nat.out)"
}

# nothing_left: no bridge of crun's, no table of nf_tables, no container
nothing_left() {
	! ip link show dev crun0 2>/dev/null || wrong 'no crun0' "$(ip link)"
	is 'run-time folder' '' "$(ls -A /run/crun-os 2>/dev/null)"
	! command -v nft >/dev/null || ! nft list tables | grep -q crun- ||
		wrong 'no table' "$(nft list tables)"
}

nat_out() {
	world
	conf net=nat
	inside 'ip -o -4 addr show dev eth0 | cut -d" " -f 7; ip route
		ping -c 1 -W 2 203.0.113.9 >/dev/null && echo reached'
	prints_like '^10\.88\.[0-9]+\.[0-9]+/24$'
	prints_like '^default via 10\.88\.[0-9]+\.1 dev eth0'
	prints_like '^reached$'
	lines 0
	nothing_left
}
story -k 'nat: the world is reached from the address of the host' nat_out

nat_said() {
	world
	echo 0 >/proc/sys/net/ipv4/ip_forward
	conf net=nat
	run 0 -- true
	says '^crun: c.conf:3: net.ipv4.ip_forward is 1 from now on, and stays$'
	lines 1
	is ip_forward 1 "$(cat /proc/sys/net/ipv4/ip_forward)"
	run 0 -- true
	lines 0
	echo 0 >/proc/sys/net/ipv4/ip_forward
	want 125 unshare -m sh -c 'mount -t proc -o ro proc /proc && exec "$@"' - \
		"$crun" -c c.conf -- true
	says 'c.conf:3: NAT needs /proc/sys/net/ipv4/ip_forward to be 1; writing it, which is read-only here; mount -o remount,rw /proc '
	lines 1
	nothing_left
}
story -k 'nat: forwarding is set, said and left' nat_said

# address NAME: the one that it has in a life
nat_address() {
	want 0 "$crun" -c c.conf "name=$1" -- sh -c \
		'ip -o -4 addr show dev eth0 | cut -d" " -f 7'
	cat out
}

nat_same() {
	world
	# the first interface is the first in the list
	conf net=nat eth1.bridge="$br" eth1.ip="$net.3/24"
	a=$(nat_address "$name")
	b=$(nat_address "$name-b")
	[ "$a" != "$b" ] || wrong 'another address' "$b"
	idle
	is 'its address' "$a" "$(nat_address "$name-c" >/dev/null && fact ip)"
	"$crun" list >out
	prints_like "^$name .* $a "
	is 'again' "$b" "$(nat_address "$name-b")"
	want 0 "$crun" -c c.conf "name=$name-b" -- ping -c 1 -W 2 "${a%/*}"
	down
	nothing_left
}
story -k 'nat: the address is the same at every start' nat_same

nat_collision() {
	world
	conf net=nat
	b=$(nat_address "$name-b")
	idle "ip=$b"
	c=$(nat_address "$name-b")
	[ "$c" != "$b" ] || wrong 'another address' "$c"
	want 125 "$crun" -c c.conf "name=$name-c" "ip=$b" -- true
	says "^crun: command line: ip=$b is the address of another container"
	lines 1
	is 'its address' "$b" "$(fact ip)"
	down
	want 125 "$crun" -c c.conf "ip=${b%/*}/16" -- true
	says "^crun: command line: ip=${b%/*}/16 is no address for a container on crun0, whose range is 10.88"
	want 125 "$crun" -c c.conf ip=10.99.0.5/24 -- true
	says '^crun: command line: ip=10.99.0.5/24 is no address for a container on crun0, whose range is 10.88'
	lines 1
	nothing_left
}
story -k 'nat: an address that another has' nat_collision

nat_second() {
	world
	conf net=nat eth1.net=nat
	inside 'ip -o -4 addr | cut -d" " -f 2,7 | sort'
	is interfaces 'eth0 eth1 lo' "$(cut -d' ' -f 1 out | xargs)"
	is addresses 3 "$(cut -d' ' -f 2 out | sort -u | wc -l)"
	nothing_left
}
story -k 'nat: two interfaces' nat_second

nat_last() {
	world
	conf net=nat
	idle
	first=$sup
	printf '%s\n' "name=$name-b" "rootfs=$root" net=nat >d.conf
	file=d.conf idle
	kill -TERM "$first"
	ends 143 "$first"
	ip link show dev crun0 >/dev/null || wrong crun0 'no such link'
	verb 0 exec "$name-b" ping -c 1 -W 2 203.0.113.9
	down
	nothing_left
}
story -k 'nat: the last container removes the bridge' nat_last

nat_range() {
	world
	ip route add 10.88.0.0/24 dev crt-up
	ip route add 10.88.1.128/25 dev crt-up
	conf net=nat
	inside 'ip route'
	prints_like '^default via 10.88.2.1 dev eth0'
	ip route add 10.64.0.0/10 dev crt-up
	run 125 -- true
	says '^crun: net=nat: routes of the host overlap all of 10.88.0.0/16; '
	lines 1
	nothing_left
}
story -k 'nat: a range that no route of the host overlaps' nat_range

# what is there already is used if it will do, and stays
nat_own_bridge() {
	world
	conf net=nat
	ip link add crun0 type bridge
	echo 'ip link del crun0' >>undo
	ip link set crun0 up
	run 125 -- true
	says '^crun: c.conf:3: there is a link crun0, but it is no bridge with an address of 10.88.0.0/16'
	lines 1
	ip addr add 10.88.77.1/24 dev crun0
	inside 'ping -c 1 -W 2 203.0.113.9 >/dev/null && ip route'
	prints_like '^default via 10.88.77.1 dev eth0'
	ip link show dev crun0 >/dev/null || wrong crun0 'no such link'
	ip link del crun0
	nothing_left
}
story -k 'nat: a bridge of that name that is there already' nat_own_bridge

nat_killed() {
	world
	conf net=nat
	idle
	kill -KILL "$sup"
	soon test ! -e "/proc/$sup/exe"
	soon test ! -e "/proc/$init/exe"
	verb 0 clean
	nothing_left
	# it has its lock until its table of nf_tables has gone
	for n in 1 2 3 4 5; do
		idle
		kill -KILL "$sup"
		soon test ! -e "/proc/$sup/exe"
		run 0 -- true
		nothing_left
	done
}
story -k 'nat: kill -9 of the supervisor' nat_killed

# each_message CALL INJECT JUDGE: a start with all that net=nat has, in which
# that befalls one call of that kind, for each of them
each_message() {
	need strace
	world6
	conf net=nat nat6=yes port=8080:80
	n=1 refused=0
	while :; do
		rc=0
		strace -o trace -e "trace=$1" -e "inject=$1:$2:when=$n" \
			"$crun" -q -c c.conf -- true >out 2>err || rc=$?
		grep -qE 'killed by SIGKILL|INJECTED' trace || break
		cmd="crun, with $2 at number $n of $1: $(grep -a INJECTED trace |
			cut -c 1-90)"
		"$3"
		nothing_left
		n=$((n + 1))
	done
	[ "$n" -gt 10 ] || wrong 'more than 10' "$n: $(cat err)"
	[ "$3" != message_failed ] || [ "$refused" -gt 3 ] ||
		wrong 'more than 3 refused' "$refused of $n"
	echo "# $((n - 1)) of $1, $refused refused"
}

message_killed() {
	verb 0 clean
}
limit=240
story -k 'nat: kill -9 at each netlink message' each_message sendto \
	signal=KILL message_killed

message_failed() {
	case $rc in
	0) ;;		# it was at the end
	125)
		lines 1
		says_not 'Bad file descriptor'
		refused=$((refused + 1))
		;;
	*) wrong 'status 0 or 125' "$rc: $(cat err)" ;;
	esac
	"$crun" clean 2>/dev/null
}
limit=240
story -k 'nat: each netlink message fails' each_message sendto \
	error=ENOBUFS message_failed

# Each socket of netfilter; after EPROTONOSUPPORT musl asks once more.
nat_no_netfilter() {
	need strace
	world
	conf net=nat port=8080:80
	strace -o plain -e trace=socket "$crun" -q -c c.conf -- true
	refused=0
	numbers=$(grep '^socket' plain | grep -n NETLINK_NETFILTER |
		cut -d : -f 1)
	for n in $numbers; do
		rc=0
		strace -o trace -e trace=socket \
			-e "inject=socket:error=EAFNOSUPPORT:when=$n" \
			"$crun" -q -c c.conf -- true >out 2>err || rc=$?
		message_failed
		nothing_left
	done
	[ "$refused" -gt 0 ] || wrong 'one that is refused' "$(cat plain)"
	echo "# $refused refused"
}
story -k 'nat: a kernel without the sockets for it' nat_no_netfilter

# a chain that nft flush ruleset would empty is the kernel's to keep
nat_flush() {
	need nft
	world
	conf net=nat
	idle
	nft list table inet "crun-$name" | grep -q 'flags owner' || skip 'no owner of tables before Linux 5.12'
	nft flush ruleset
	verb 0 exec "$name" ping -c 1 -W 2 203.0.113.9
	down
	nothing_left
}
story -k 'nat: nft flush ruleset leaves it alone' nat_flush

nat_names() {
	own_root
	mkdir resolve
	printf '%s\n' 'nameserver 127.0.0.53' 'nameserver ::1' >resolv
	world
	mount --bind resolv /etc/resolv.conf
	echo /etc/resolv.conf >>mounted
	conf net=nat
	run 0 -- true
	says '^crun: net=nat: the host has no name server that a container reaches; set dns=ADDRESS$'
	printf '%s\n' 'nameserver 127.0.0.53' 'nameserver 192.0.2.53 # x' \
		'search example' 'nameserver	192.0.2.54' >resolv
	inside 'cat /etc/resolv.conf'
	is out 'nameserver 192.0.2.53 nameserver 192.0.2.54' "$(xargs <out)"
	lines 0
	inside 'true' dns=192.0.2.55
	run 0 dns=192.0.2.55 -- cat /etc/resolv.conf
	prints 'nameserver 192.0.2.55'
	[ -e /run/systemd/resolve ] || {
		mkdir -p /run/systemd/resolve
		echo 'rm -r /run/systemd/resolve; rmdir /run/systemd' >>undo
		echo 'nameserver 127.0.0.53' >resolv
		echo 'nameserver 192.0.2.56' >/run/systemd/resolve/resolv.conf
		run 0 -- cat /etc/resolv.conf
		prints 'nameserver 192.0.2.56'
		rm -r /run/systemd/resolve
		rmdir /run/systemd 2>/dev/null || :
	}
}
story 'nat: the name servers of the host' nat_names

# all at once, so that they make and remove the bridge beside each other
nat_many() {
	world
	conf net=nat
	i=0
	: >pids
	while [ "$i" -lt "$1" ]; do
		"$crun" -q -c c.conf "name=$name-$i" -- sh -c \
			'ip -o -4 addr show dev eth0 | cut -d" " -f 7
			ping -c 1 -W 5 203.0.113.9 >/dev/null' \
			>"out.$i" 2>"err.$i" &
		echo "$!" >>kids
		echo "$!" >>pids
		i=$((i + 1))
	done
	while read -r p; do
		wait "$p" || echo "$p: status $?" >>failed
	done <pids
	# said where a machine is slow
	grep -hv 'has not begun the init yet' err.* >err || :
	[ ! -e failed ] || wrong 'status 0 of each' "$(cat failed)"
	lines 0
	nothing_left
}
limit=120
story -k 'nat: twelve start and end at once' nat_many 12
limit=600
story -l 'nat: 200 start and end at once' nat_many 200

# addresses of those that run beside each other
nat_addresses() {
	world
	conf net=nat
	i=0
	while [ "$i" -lt 8 ]; do
		want 0 "$crun" -d -q -c c.conf "name=$name-$i" -- sleep 1000
		sed -n '2s/ .*//p' "/run/crun-os/$name-$i/pid" >>kids
		i=$((i + 1))
	done
	want 0 "$crun" list
	is addresses 8 "$(grep -o '10\.88\.[^ ]*' out | sort -u | wc -l)"
	i=0
	while [ "$i" -lt 8 ]; do
		verb 0 kill "$name-$i"
		i=$((i + 1))
	done
	nothing_left
}
story -k 'nat: no address is given twice' nat_addresses

nat_in_a_row() {
	world
	conf net=nat
	i=0
	while [ "$i" -lt "$1" ]; do
		run 0 -q -- true
		lines 0
		i=$((i + 1))
	done
	nothing_left
}
story -k 'nat: 30 starts in a row' nat_in_a_row 30
limit=600
story -l 'nat: 1000 starts in a row' nat_in_a_row 1000
