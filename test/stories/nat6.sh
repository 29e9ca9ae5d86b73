# nat6.sh - net=nat with IPv6, router advertisements, and guests that are held
# to their own addresses.

# own_six: the address that a guest makes of its hardware address
own_six() {
	sed 's/:/ /g' | {
		read -r a b c d e f
		printf 'fd63:7275:6e00:%s:%x:%x:%x:%x\n' "$1" \
			$(((0x$a ^ 2) << 8 | 0x$b)) $((0x$c << 8 | 0xff)) \
			$((0xfe00 | 0x$d)) $((0x$e << 8 | 0x$f))
	}
}

nat6_out() {
	world6
	ip route add 2001:db8:77::/64 via 2001:db8:1::1 proto ra
	conf net=nat nat6=yes
	run 0 -- sh -c 'ping -6 -c 1 -W 3 2001:db8:9::9 >/dev/null && echo reached
		cat /sys/class/net/eth0/address
		ip -o -6 addr show dev eth0 scope global | cut -d" " -f 7
		ip -6 route'
	says '^crun: c.conf:4: net.ipv6.conf.all.forwarding is 1 from now on, and stays, as does accept_ra of 2, without which the host would lose its routes$'
	lines 1
	is 'accept_ra' '2 1 1' "$(cat "$six/crt-up/accept_ra" "$six/$br/accept_ra" \
		"$six/default/accept_ra" | xargs)"
	is address "$(sed -n 2p out | own_six 0)/64" "$(sed -n 3p out)"
	prints_like '^reached$'
	prints_like '^default via fd63:7275:6e00::1 dev eth0'
	run 0 -- true
	lines 0
	nothing_left
}
story -k 'nat6: the world is reached from the address of the host' nat6_out

# and to whom it has not been given, there is none
nat6_not() {
	world6
	conf net=nat
	idle
	verb 0 exec "$name" ip -6 addr show dev eth0 scope global
	prints ''
	is 'of the bridge' '' "$(ip -6 addr show dev crun0)"
	is forwarding 0 "$(cat "$six/all/forwarding")"
	want 0 "$crun" -c c.conf "name=$name-b" nat6=yes -- \
		ping -6 -c 1 -W 3 2001:db8:9::9
	down
	nothing_left
}
story -k 'nat6: none where it is not asked for' nat6_not

nat6_taken() {
	world6
	conf net=nat nat6=yes
	ip route add fd63:7275:6e00::/56 dev crt-up
	run 125 -- true
	says '^crun: c.conf:4: a route of the host overlaps the IPv6 range of net=nat; '
	lines 1
	nothing_left
}
story -k 'nat6: a route of the host to its range' nat6_taken

# ip6tables with the policy drop
nat6_filter() {
	need nft
	world6
	conf net=nat nat6=yes
	nft add table ip6 filter
	nft add chain ip6 filter FORWARD \
		'{ type filter hook forward priority 0; policy drop; }'
	echo 'nft delete table ip6 filter' >>undo
	inside 'ping -6 -c 1 -W 3 2001:db8:9::9'
	is 'rules that are left' 0 "$(nft list table ip6 filter | grep -c crun0)"
	conf net=nat
	idle
	is 'rules without nat6' 0 "$(nft list table ip6 filter | grep -c crun0)"
	down
	nft delete table ip6 filter
}
story -k 'nat6: the policy of ip6tables is to drop what is forwarded' nat6_filter

# ---- router advertisements ----

# advertised: the guest has lost all and been set up anew
advertised() {
	nsenter -t "$init" -n sh -c 'ip link set eth0 down
		ip -6 addr flush dev eth0; ip -6 route flush dev eth0
		ip link set eth0 up'
	soon sh -c "nsenter -t $init -n ip -6 route | grep -q '^default .*proto ra'"
	nsenter -t "$init" -n ip -6 route >routes
}

nat6_advert() {
	world6
	echo 'nameserver 2001:db8:5::5' >>servers
	conf net=nat nat6=yes
	idle
	verb 0 exec "$name" cat /etc/resolv.conf
	prints_like '^nameserver 2001:db8:5::5$'
	six=$(fact ip | grep fd63)
	advertised
	grep -qE '^default via fe80::1 dev eth0 proto ra .*expires 1[0-9]{3}sec' \
		routes || wrong 'a router by advertisement' "$(cat routes)"
	soon sh -c "nsenter -t $init -n ip -6 -o addr show dev eth0 -tentative |
		grep -q 'inet6 $six '"
	verb 0 exec "$name" ping -6 -c 1 -W 3 2001:db8:9::9
	down
	nothing_left
}
story -k 'nat6: a guest that asks gets its own address and router' nat6_advert

# the bridge has an address of its own to be sent to
advert_bridge() {
	[ -e /proc/sys/net/ipv6 ] || skip 'no IPv6 in this kernel'
	ip -6 addr add fe80::77/64 dev "$br" nodad
	echo "ip -6 addr del fe80::77/64 dev $br" >>undo
	net_conf dhcp=yes
	idle
	advertised
	grep -q '^default via fe80::[0-9a-f:]* dev eth0 proto ra' routes ||
		wrong 'a router by advertisement' "$(cat routes)"
	grep -q "^$net6::/64 dev eth0" routes ||
		wrong 'the prefix' "$(cat routes)"
	# its own address is no one that a guest makes for itself
	verb 0 exec "$name" ip -6 addr show dev eth0 scope global
	prints ''
	down
	net_conf
	idle
	is 'a router without dhcp=yes' '' \
		"$(nsenter -t "$init" -n ip -6 route | grep 'proto ra')"
	down
}
story -k 'nat6: router advertisements on a bridge' advert_bridge

# ---- spoof ----

# frames: what a guest may not send, each with its number after c0ffee.  mine,
# other, my4, other4, my6, other6 and bridge6 are hexadecimal
frames() {
	all=ffffffffffff
	arp=0806000108000604000
	mark=c0ffee
	udp() {
		printf '%s000900100000%s%s00000000' "$1" "$mark" "$2"
	}
	four() {	# FROM PORT NUMBER; with the sum of its header
		sum=$((0x4500 + 0x24 + 0x4011 + 0x${1%????} + 0x${1#????} +
			2 * 0xffff))
		sum=$((0xffff ^ ((sum >> 16) + (sum & 0xffff))))
		printf '%s%s080045000024000000004011%04x%sffffffff%s' \
			"$all" "$mine" "$sum" "$1" "$(udp "$2" "$3")"
	}
	six() {		# FROM PROTOCOL PAYLOAD NUMBER
		printf '333300000001%s86dd60000000%04x%sff%s%s%s%s%s' "$mine" \
			$((${#3} / 2 + 4)) "$2" "$1" \
			ff020000000000000000000000000001 "$3" "$mark" "$4"
	}
	ask_arp() {	# MAC FROM NUMBER, of an Ethernet sender
		printf '%s%s%s1%s%s000000000000%s%s%s' "$all" "$4" "$arp" \
			"$1" "$2" "$other4" "$mark" "$3"
	}
	echo "$(ask_arp "$mine" "$my4" 01 "$mine")
		$(ask_arp "$mine" "$my4" 02 "$other")
		$(ask_arp "$other" "$my4" 03 "$mine")
		$(ask_arp "$mine" "$other4" 04 "$mine")
		$(ask_arp "$mine" 00000000 05 "$mine")
		$(four "$my4" 0050 06) $(four "$other4" 0050 07)
		$(four "$my4" 0043 08)
		$all${mine}8100000508004500${mark}09
		$all${mine}88cc${mark}0a
		$(six "$my6" 11 00500009000c0000 0b)
		$(six "$other6" 11 00500009000c0000 0c)
		$(six "$my6" 3a 8600000040000708 0d)
		$(six "$my6" 3a 8900000000000000 0e)
		$(six "$my6" 11 02230222000c0000 0f)
		$(six "$my6" 3a "8800000020000000$my6" 10)
		$(six "$my6" 3a "8800000020000000$other6" 11)
		$(ask_arp "$mine" "$my4" ff "$mine")"
}

hex4() {
	printf '%s\n' "${1%/*}" | tr . ' ' | { read -r a b c d
		printf '%02x%02x%02x%02x' "$a" "$b" "$c" "$d"; }
}

# sent: which of the frames another on the bridge hears
sent() {
	printf '%s\n' "name=$name-b" "rootfs=$root" "$@" >d.conf
	verb 0 -q -d -c d.conf -- sleep 1000
	sed -n '2s/ .*//p' "/run/crun-os/$name-b/pid" >>kids
	b=$(init_of "$name-b")
	mine=$(fact mac | tr -d :)
	other=020000000099
	my4=$(hex4 "$(fact address | grep '\.' | head -n 1)")
	other4=$(hex4 "$("$crun" stat "$name-b" | sed -n 's/^address=\(.*\..*\)/\1/p')")
	my6=fe80000000000000$(fact mac | own_six 0 | cut -d : -f 5- |
		tr : ' ' | { read -r w x y z
		printf '%04x%04x%04x%04x' "0x$w" "0x$x" "0x$y" "0x$z"; })
	other6=fe800000000000000000000000000001
	nsenter -t "$b" -n "$here/build/test/frame" hear eth0 >heard &
	ear=$!
	echo "$ear" >>kids
	soon grep -q up heard
	# shellcheck disable=SC2046 # words
	verb 0 exec "$name" frame send eth0 $(frames)
	ends 0 "$ear"
	verb 0 kill "$name-b"
	sed 1d heard | xargs
}

spoof_nat() {
	world
	conf net=nat caps=+net_raw
	background -- sleep 1000
	is 'what another hears' '01 05 06 0b 10 ff' "$(sent net=nat)"
	verb 0 kill "$name"
	gone
	conf net=nat caps=+net_raw spoof=yes
	background -- sleep 1000
	is 'what another hears, spoof=yes' \
		'01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 ff' \
		"$(sent net=nat)"
	verb 0 kill "$name"
	gone
	nothing_left
}
story -k 'spoof: a guest of net=nat has its own addresses only' spoof_nat

spoof_bridge() {
	world
	set -- "bridge=$br" "ip=$net.3/24"
	conf bridge="$br" ip="$net.2/24" ip="$net.4/24" ip="$net6::2/64" \
		caps=+net_raw spoof=no
	background -- sleep 1000
	is 'what another hears' '01 05 06 0b 10 ff' "$(sent "$@")"
	verb 0 exec "$name" ping -c 1 -W 2 -I "$net.4" "$net.1"
	verb 0 kill "$name"
	gone
	# one that has its IPv6 address by router advertisements
	conf bridge="$br" ip="$net.2/24" caps=+net_raw spoof=no
	background -- sleep 1000
	is 'what another hears, without an IPv6 address' \
		'01 05 06 0b 0c 10 11 ff' "$(sent "$@")"
	verb 0 kill "$name"
	gone
	conf bridge="$br" ip="$net.2/24" caps=+net_raw
	background -- sleep 1000
	is 'what another hears, without it' \
		'01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 ff' \
		"$(sent "$@")"
	verb 0 kill "$name"
	gone
}
story -k 'spoof: on a bridge, where it is asked for' spoof_bridge

# a router of its own, and with userns=none none is held
spoof_none() {
	need nft
	world
	conf net=nat userns=none
	idle
	is tables 1 "$(nft list tables | grep -c crun-)"
	down
	conf net=nat
	idle
	is tables 2 "$(nft list tables | grep -c crun-)"
	kill -KILL "$sup"
	soon test ! -e "/proc/$sup/exe"
	soon sh -c '! nft list tables | grep -q crun-'
	verb 0 clean
	nothing_left
}
story -k 'spoof: with userns=none, and after kill -9' spoof_none

# a container in a container, each behind the one above, and a port through both
nat_nested() {
	world
	nest 1 "$(printf 'net=nat\nport=81:80')"
	conf nesting=yes net=nat port=8080:81
	up -- crun -q -c /etc/in.conf -- sh -c 'ping -c 1 -W 2 203.0.113.9 &&
		talk serve tcp 80'
	asks 'tcp 80' there "$talk" ask tcp 198.51.100.2 8080
	down
	nothing_left
}
limit=120
story -k 'nat: in a container, behind that of the host' nat_nested
