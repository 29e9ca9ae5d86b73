# dhcp.sh - DHCP for the guest that asks.

# lease: udhcpc's script, which takes what it is given as a guest would
lease() {
	own_root
	cat >root/bin/lease <<-'END'
		#!/bin/sh
		case $1 in
		bound|renew)
			ip addr flush dev "$interface"
			ip addr add "$ip/$mask" dev "$interface"
			ip link set "$interface" mtu "$mtu"
			ip route add default via "$router"
			hostname "$hostname"
			echo "$1 $ip/$mask via $router dns $dns lease $lease"
			;;
		esac
	END
	chmod 755 root/bin/lease
	udhcpc='udhcpc -i eth0 -f -q -t 3 -T 1 -n -s /bin/lease -O mtu -O hostname'
}

dhcp_nat() {
	lease
	world
	conf net=nat dns=192.0.2.53 dns=192.0.2.54 dns=fd00::53 mtu=1400 \
		hostname=box
	inside "ip -o -4 addr show dev eth0 | cut -d' ' -f 7
		ip addr flush dev eth0; hostname other; $udhcpc 2>/dev/null
		hostname; cat /sys/class/net/eth0/mtu
		ping -c 1 -W 2 203.0.113.9 >/dev/null && echo reached"
	ip=$(head -n 1 out)
	prints_like "^bound $ip via 10.88.[0-9]+.1 dns 192.0.2.53 192.0.2.54 lease 86400\$"
	is 'name, mtu' 'box 1400 reached' "$(tail -n 3 out | xargs)"
	conf net=nat dhcp=no
	run 1 -- sh -c "$udhcpc"
}
story -kw 'dhcp: with net=nat, all that the file says' dhcp_nat

dhcp_bridge() {
	lease
	net_conf dhcp=yes dns=192.0.2.53
	inside "ip addr flush dev eth0; $udhcpc 2>/dev/null
		ping -c 1 -W 2 $net.1 >/dev/null && echo reached"
	prints_like "^bound $net.2/24 via $net.1 dns 192.0.2.53 lease 86400\$"
	prints_like '^reached'
	net_conf
	run 1 -- sh -c "$udhcpc"
}
story -kw 'dhcp: with a bridge, where it is asked for' dhcp_bridge

# A second guest on the bridge has nobody who answers it.
dhcp_others() {
	lease
	net_conf dhcp=yes
	idle
	printf '%s\n' "name=$name-b" "rootfs=$root" "bridge=$br" >d.conf
	want 1 "$crun" -c d.conf -- sh -c "ip link set eth0 up; $udhcpc"
	down
}
story -kw 'dhcp: nobody else on the bridge is answered' dhcp_others

# Two on one bridge, each with its own.
dhcp_two() {
	lease
	net_conf dhcp=yes
	idle
	printf '%s\n' "name=$name-b" "rootfs=$root" "bridge=$br" \
		"ip=$net.3/24" dhcp=yes "gateway=$net.1" >d.conf
	want 0 "$crun" -c d.conf -- dhcp discover
	prints_like "^offer $net.3 "
	verb 0 exec "$name" dhcp discover
	prints_like "^offer $net.2 "
	down
}
story -k 'dhcp: two containers on a bridge, each its own' dhcp_two

dhcp_messages() {
	net_conf dhcp=yes dns=192.0.2.53 hostname=box mtu=1400
	idle
	rest="server=$net.1 lease=86400 mask=255.255.255.0 router=$net.1 mtu=1400 dns=192.0.2.53 host=box"
	for row in "discover:offer $net.2 $rest" \
		"request $net.2:ack $net.2 $rest" \
		"request $net.9:nak 0.0.0.0 server=$net.1" \
		"other $net.2:nothing" 'release:nothing' 'decline:nothing' \
		"inform:ack 0.0.0.0 ${rest%% *} ${rest#* lease=86400 }" \
		'alien:nothing' 'short:nothing' 'long:nothing' 'loop:nothing'
	do
		# shellcheck disable=SC2086 # words
		verb 0 exec "$name" dhcp ${row%%:*}
		prints "${row#*:}"
	done
	verb 0 exec "$name" dhcp discover
	prints_like "^offer $net.2 "
	down
}
story -kw 'dhcp: each message, and what no client sends' dhcp_messages

# without a gateway, none is given
dhcp_no_gateway() {
	conf bridge="$br" ip="$net.2/24" dhcp=yes
	run 0 -- dhcp discover
	prints "offer $net.2 server=$net.1 lease=86400 mask=255.255.255.0 mtu=1500 host=$name"
}
story -k 'dhcp: without a gateway' dhcp_no_gateway

# the way back to the same lease: unicast, to the server
dhcp_renew() {
	lease
	net_conf dhcp=yes
	inside "udhcpc -i eth0 -f -s /bin/lease -O mtu -O hostname >/o 2>&1 &
		until grep -q ^bound /o; do :; done
		kill -USR1 \$!; until grep -q ^renew /o; do :; done; kill \$!
		grep -E '^(bound|renew)' /o"
	is leases 2 "$(grep -c "$net.2/24 via $net.1" out)"
}
story -k 'dhcp: a lease is renewed' dhcp_renew

# systemd-networkd asks, and goes on when it has an answer
dhcp_networkd() {
	copy_tree trixie
	printf '%s\n' '[Match]' 'Name=eth0' '[Network]' 'DHCP=ipv4' \
		>os/etc/systemd/network/eth0.network
	mkdir -p os/etc/systemd/system/multi-user.target.wants
	ln -sf /usr/lib/systemd/system/systemd-networkd.service \
		os/etc/systemd/system/multi-user.target.wants/
	world
	conf net=nat memory=1G pids=2000 hostname=guest
	background
	address=$(fact ip)
	soon sh -c "'$crun' exec '$name' networkctl status eth0 2>/dev/null |
		grep -q 'routable (configured)'"
	verb 0 exec "$name" networkctl status eth0
	prints_like "Address: ${address%/*} \\(DHCPv?4 via 10.88.[0-9]*.1\\)"
	verb 0 exec "$name" ip -4 route
	prints_like '^default via 10.88.[0-9]*.1 dev eth0 proto dhcp'
	verb 0 exec "$name" sh -c 'ip -4 addr show eth0 | grep -c inet'
	prints 1
	verb 0 stop "$name"
	nothing_left
}
limit=150
secs=60
story -l 'dhcp: systemd-networkd of trixie' dhcp_networkd
secs=
