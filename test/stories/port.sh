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

port_bridge() {
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
	world
	serves net=nat port=8080:80 eth1.net=nat eth1.port=8081:81
	asks 'tcp 80' there "$talk" ask tcp 198.51.100.2 8080
	is tables 2 "$(nft list tables | grep -c crun-)"
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
