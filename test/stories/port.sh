# port.sh - ports of the host that lead to a container.

talk=$here/build/test/talk

# serves KEY=VALUE...: a container with these keys that answers on TCP ports 80
# to 82 and 7003, and on UDP port 90
serves() {
	conf "$@"
	up -- sh -c 'talk serve udp 90 >/tmp/udp &
		until grep -q up /tmp/udp; do sleep 0.01; done
		exec talk serve tcp 80 81 82 7003'
	init=$(init_of "$name")
}

# asks WANTED COMMAND...: what it says; '' where nobody answers
asks() {
	wanted=$1
	shift
	cmd=$*
	said=$("$@" </dev/null 2>&1) || :
	is "$*" "$wanted" "$said"
}

port_nat() {
	world
	serves net=nat port=8080:80 port=9000:90/udp
	asks 'tcp 80' there "$talk" ask tcp 198.51.100.2 8080
	asks 'tcp 80' "$talk" ask tcp 198.51.100.2 8080
	asks 'tcp 80' "$crun" exec "$name" talk ask tcp 198.51.100.2 8080
	asks 'udp 90' there "$talk" ask udp 198.51.100.2 9000
	asks 'udp 90' "$talk" ask udp 198.51.100.2 9000
	printf '%s\n' "name=$name-b" "rootfs=$root" net=nat >d.conf
	asks 'tcp 80' "$crun" -q -c d.conf -- talk ask tcp 198.51.100.2 8080
	is stat 8080:80 "$(fact port | head -n 1)"
	down
	nothing_left
	asks '' there "$talk" ask tcp 198.51.100.2 8080
}
story -k 'port: from outside, the host, itself and another container' port_nat

port_localhost() {
	world
	serves net=nat port=8080:80 port=9000:90/udp port=8001-8002:81-82
	for i in 1 2 3; do
		asks 'tcp 80' "$talk" ask tcp 127.0.0.1 8080
		asks 'tcp 80' "$talk" ask tcp ::1 8080
		asks 'udp 90' "$talk" ask udp 127.0.0.1 9000
		asks 'udp 90' "$talk" ask udp ::1 9000
		asks 'tcp 82' "$talk" ask tcp 127.0.0.1 8002
	done
	down
	asks '' "$talk" ask tcp 127.0.0.1 8080
	# the ports are free at once
	run 0 port=8080:80 -- true
	run 0 port=8080:80 -- true
	nothing_left
}
story -k 'port: by localhost and ::1, TCP and UDP' port_localhost

# of one address of IPv6, which no other answers
port_six() {
	world6
	serves net=nat 'port=[2001:db8:1::2]:8080:80' \
		'port=[2001:db8:1::2]:9000:90/udp' 'port=[2001:db8::7]:8081:81'
	asks 'tcp 80' there "$talk" ask tcp 2001:db8:1::2 8080
	asks 'udp 90' there "$talk" ask udp 2001:db8:1::2 9000
	asks 'tcp 80' "$talk" ask tcp 2001:db8:1::2 8080
	asks '' "$talk" ask tcp ::1 8080
	asks '' "$talk" ask tcp 127.0.0.1 8080
	asks '' there "$talk" ask tcp 198.51.100.2 8080
	# an address that comes later
	ip -6 addr add 2001:db8::7/128 dev lo
	asks 'tcp 81' "$talk" ask tcp 2001:db8::7 8081
	ip -6 addr del 2001:db8::7/128 dev lo
	verb 0 set "$name" 'port=[2001:db8:1::2]:8082:82' port=198.51.100.2:8082:81
	asks 'tcp 82' there "$talk" ask tcp 2001:db8:1::2 8082
	asks 'tcp 81' there "$talk" ask tcp 198.51.100.2 8082
	asks '' there "$talk" ask tcp 2001:db8:1::2 8080
	down
	nothing_left
}
story -k 'port: of an address of IPv6' port_six

# nobody listens inside; and the supervisor is still there
port_nobody() {
	world
	conf net=nat port=8080:80 port=9000:90/udp
	idle
	for i in 1 2 3; do
		asks '' "$talk" ask tcp 127.0.0.1 8080
		asks '' "$talk" ask udp 127.0.0.1 9000
	done
	pipes=$(find "/proc/$sup/fd" -lname 'pipe:*' | wc -l)
	[ "$pipes" -lt 5 ] || wrong 'no pipe of a connection' "$pipes pipes"
	down
}
story -kw 'port: where nobody listens inside' port_nobody

port_taken() {
	world
	"$talk" serve tcp 8080 >talk.out &
	other=$!
	echo "$other" >>kids
	soon grep -q up talk.out
	conf net=nat port=8080:80
	run 125 -- true
	says "^crun: c.conf:4: port 8080 of the host is taken by pid $other \(talk\)\$"
	lines 1
	nothing_left
	"$talk" serve udp 9000 >udp.out &
	other=$!
	echo "$other" >>kids
	soon grep -q up udp.out
	conf net=nat port=8999-9001:88-90/udp
	run 125 -- true
	says "^crun: c.conf:4: port 9000 of the host is taken by pid $other \(talk\)\$"
	lines 1
	conf net=nat port=7000:80
	idle
	want 125 "$crun" -q -c c.conf "name=$name-b" -- true
	says "^crun: c.conf:4: port 7000 of the host is taken by the container $name\$"
	lines 1
	down
	nothing_left
}
story -k 'port: one that is taken, and who has it' port_taken

# The limit of files is the host's for the init, whatever the supervisor takes.
port_limit() {
	world
	conf net=nat port=8080:80
	want 0 sh -c 'ulimit -S -n 100; exec "$@"' - "$crun" -c c.conf -- \
		sh -c 'ulimit -S -n'
	prints 100
}
story 'port: the limit of files inside is not raised' port_limit

# Half of a connection, a reader that does not read, what is large
port_streams() {
	world
	conf net=nat port=8080:80
	up -- sh -c 'nc -ll -p 80 -e sh -c "cat | md5sum" & echo up; exec sleep 1000'
	init=$(init_of "$name")
	dd if=/dev/urandom of=data bs=1M count=20 2>/dev/null
	want 0 sh -c 'busybox nc 127.0.0.1 8080 <data'
	is sum "$(md5sum <data)" "$(cat out)"
	down
	# the guest sends, nobody reads
	up -- sh -c 'nc -ll -p 80 -e cat /dev/zero & echo up; exec sleep 1000'
	init=$(init_of "$name")
	mkfifo never
	busybox nc 127.0.0.1 8080 >never &
	echo "$!" >>kids
	exec 8<>never
	sleep 0.5
	asks '' timeout 1 "$talk" ask tcp 127.0.0.1 8081
	before=$(cut -d' ' -f 14,15 "/proc/$sup/stat")
	sleep 0.5
	is 'its processor time' "$before" "$(cut -d' ' -f 14,15 "/proc/$sup/stat")"
	in_time 3000 0 kill "$name"
	ends 137 "$sup"
	exec 8>&-
	nothing_left
}
story -k 'port: large streams, and a reader that does not read' port_streams

# port_many N: connections at once, with a limit of files for both sides that a
# supervisor without more would reach
port_many() {
	prlimit --nofile="$(($1 * 2 + 100))" true 2>/dev/null ||
		skip "no $(($1 * 2 + 100)) files may be open here"
	world
	conf net=nat port=8080:80 "rlimit.nofile=$(($1 + 100))"
	cmd="$crun -c c.conf"
	sh -c 'ulimit -S -n 200; exec "$@"' - "$crun" -c c.conf -- \
		talk keep tcp 80 >up.out 2>up.err </dev/null &
	sup=$!
	echo "$sup" >>kids
	soon grep -q '^up' up.out
	mkfifo stay
	"$talk" hold "$1" 127.0.0.1 8080 <stay >held 2>&1 &
	echo "$!" >>kids
	exec 8>stay
	tries=0
	until grep -q . held; do
		tries=$((tries + 1))
		[ "$tries" -lt 3000 ] || wrong "$1 connections" 'not within 30 s'
		sleep 0.01
	done
	is held "held $1" "$(cat held)"
	memory=$(awk '/^Private/ { n += $2 } END { print n }' \
		"/proc/$sup/smaps_rollup")
	[ "$memory" -lt 8192 ] || wrong 'less than 8 MiB' "$memory KiB"
	files=$(find "/proc/$sup/fd" | wc -l)
	echo "# the supervisor has $memory KiB, and $files files open"
	exec 8>&-
	kill -TERM "$sup"
	ends 143 "$sup"
	nothing_left
}
story -k 'port: 300 connections at once' port_many 300
limit=120
story -l 'port: 9900 connections at once' port_many 9900
limit=120
story -l 'port: 20000 connections at once' port_many 20000

port_bridge() {
	need nft
	world
	serves bridge="$br" ip="$net.2/24" gateway="$net.1" port=8080:80
	asks 'tcp 80' there "$talk" ask tcp 198.51.100.2 8080
	asks 'tcp 80' "$talk" ask tcp 198.51.100.2 8080
	asks 'tcp 80' "$crun" exec "$name" talk ask tcp 198.51.100.2 8080
	down
	! nft list tables | grep -q crun- || wrong 'no table' "$(nft list tables)"
}
story -k 'port: of a container on a bridge' port_bridge

port_ranges() {
	world
	serves net=nat port=8000-8002:80-82 port=7000-7005:7000-7005
	for i in 0 1 2; do
		asks "tcp 8$i" there "$talk" ask tcp 198.51.100.2 "800$i"
	done
	asks 'tcp 7003' there "$talk" ask tcp 198.51.100.2 7003
	down
}
story -k 'port: ranges' port_ranges

port_address() {
	world
	ip addr add 198.51.100.3/24 dev crt-up
	serves net=nat port=198.51.100.3:8080:80
	asks 'tcp 80' there "$talk" ask tcp 198.51.100.3 8080
	asks '' there "$talk" ask tcp 198.51.100.2 8080
	asks 'tcp 80' "$talk" ask tcp 198.51.100.3 8080
	asks '' "$talk" ask tcp 198.51.100.2 8080
	down
}
story -k 'port: of one address of the host' port_address

port_two() {
	need nft
	world
	serves net=nat port=8080:80 eth1.net=nat eth1.port=8081:81
	asks 'tcp 80' there "$talk" ask tcp 198.51.100.2 8080
	is tables 2 "$(nft list tables | grep -c "inet crun-")"
	down
	nothing_left
}
story -k 'port: of two interfaces' port_two

port_killed() {
	world
	serves net=nat port=8080:80
	kill -KILL "$sup"
	soon test ! -e "/proc/$sup/exe"
	soon test ! -e "/proc/$init/exe"
	asks '' there "$talk" ask tcp 198.51.100.2 8080
	verb 0 clean
	nothing_left
}
story -k 'port: kill -9 of the supervisor' port_killed
