# change.sh - ports that crun set changes while the container runs.

# open PORT, shut PORT: from outside and by localhost
open() {
	asks "tcp 80" there "$talk" ask tcp 198.51.100.2 "$1"
	asks "tcp 80" "$talk" ask tcp 127.0.0.1 "$1"
}

shut() {
	asks '' there "$talk" ask tcp 198.51.100.2 "$1"
	asks '' "$talk" ask tcp 127.0.0.1 "$1"
}

change_ports() {
	world
	serves net=nat port=8080:80
	open 8080
	shut 8081
	verb 0 set "$name" port=8080:80 port=8081:80
	open 8080
	open 8081
	is ports '8080:80 8081:80' "$(fact port | xargs)"
	verb 0 set "$name" port=8081:80 memory=64M
	shut 8080
	open 8081
	is 'a limit beside it' 67108864 "$(fact memory.max)"
	verb 0 set "$name" port=
	shut 8081
	is ports '' "$(fact port)"
	verb 0 set "$name" port=8082:80
	open 8082
	down
	nothing_left
}
story -k 'change: ports come and go' change_ports

# who has a connection keeps it, also where the port goes
change_connected() {
	need ss
	world
	conf net=nat port=8080:80
	up -- talk keep tcp 80
	mkfifo in
	"$talk" hold 3 127.0.0.1 8080 <in >held &
	echo "$!" >>kids
	exec 5>in
	soon grep -q '^held 3' held
	verb 0 set "$name" port=8081:80
	is connections 3 "$(ss -tnH state established "( sport = :8080 )" | wc -l)"
	shut 8080
	exec 5>&-
	"$talk" hold 1 127.0.0.1 8081 </dev/null >held
	grep -q '^held 1' held || wrong 'a connection' "$(cat held)"
	down
	nothing_left
}
story -k 'change: connections outlive their port' change_connected

# on a bridge that had none, and that loses its last
change_bridge() {
	world
	ip route add 10.199.77.0/24 dev "$br" 2>/dev/null || :
	serves bridge="$br" ip="$net.2/24" gateway="$net.1"
	shut 8080
	verb 0 set "$name" port=8080:80 port=5353:90/udp
	asks 'tcp 80' there "$talk" ask tcp 198.51.100.2 8080
	asks 'udp 90' there "$talk" ask udp 198.51.100.2 5353
	verb 0 set "$name" port=
	asks '' there "$talk" ask tcp 198.51.100.2 8080
	asks '' there "$talk" ask udp 198.51.100.2 5353
	! nft list tables 2>/dev/null | grep -q "inet crun-" ||
		wrong 'no table' "$(nft list tables)"
	down
	nothing_left
}
story -k 'change: on a bridge that had no port' change_bridge

# nothing is changed where one cannot be had
change_none() {
	world
	serves net=nat port=8080:80 memory=64M
	"$talk" serve tcp 8090 >taker &
	echo "$!" >>kids
	soon grep -q up taker
	verb 125 set "$name" port=8085:80 port=8090:80 memory=128M
	says '^crun: command line: port 8090 of the host is taken by pid [0-9]* \(talk\)$'
	lines 1
	open 8080
	"$talk" serve tcp 8085 >free &	# nobody has that one
	echo "$!" >>kids
	soon grep -q up free
	is ports 8080:80 "$(fact port)"
	is memory 67108864 "$(fact memory.max)"
	[ ! -e "/run/crun-os/$name/.conf" ] || wrong 'no new configuration' 'one'
	verb 125 set "$name" port=127.0.0.1:8080:80
	says 'port 8080 is the container.s own already, of another address; take that away first$'
	open 8080
	verb 2 set "$name" port=8080
	says 'port=8080: must be PORT:INSIDE'
	verb 2 set "$name" port=8080:80 port=8080:81
	says 'port 8080:81 is forwarded already'
	open 8080
	down
	nothing_left
}
story -k 'change: all ports or none' change_none

# a file that is a mount point cannot be replaced, rename(2)
change_uncommitted() {
	world
	serves net=nat port=8080:80 memory=64M
	file=/run/crun-os/$name/conf
	mount --bind "$file" "$file"
	echo "umount $file" >>undo
	verb 125 set "$name" port=8085:80 eth1.bridge="$br"
	verb 1 exec "$name" test -e /sys/class/net/eth1
	verb 125 set "$name" port=8085:80 memory=128M
	says '^crun: the new configuration: Resource busy$'
	lines 1
	open 8080
	shut 8085
	is 'memory and ports' '67108864 8080:80' \
		"$(fact memory.max) $(fact port | xargs)"
	umount "$file"
	verb 0 set "$name" port=8085:80
	open 8085
	shut 8080
	down
	nothing_left
}
story -k 'change: a configuration that cannot be saved' change_uncommitted

# as at a start, after a reboot
change_reboot() {
	world
	os_conf net=nat
	background --ready
	verb 0 set "$name" port=8080:80
	verb 0 reboot "$name"
	is ports 8080:80 "$(fact port)"
	verb 0 exec "$name" sh -c 'talk serve tcp 80 >/run/up &
		until grep -q up /run/up; do :; done'
	open 8080
	verb 0 stop "$name"
	gone
	nothing_left
}
story -kw 'change: it holds after a reboot' change_reboot

change_other() {
	conf
	idle
	verb 2 set "$name" port=8080:80
	says 'port needs net=nat or a bridge'
	down
	world
	serves net=nat
	kill -STOP "$sup"
	secs=20 verb 125 set "$name" port=8080:80
	says "its supervisor does not answer; crun kill $name ends it"
	kill -CONT "$sup"
	verb 0 set "$name" port=8081:80
	shut 8080
	open 8081
	down
	nothing_left
}
story -kw 'change: no network, and a supervisor that is stopped' change_other
