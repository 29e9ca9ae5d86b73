# links.sh - kinds of network interfaces: macvlan, ipvlan, phys, VLANs.

# cable: a veth pair crt-p and crt-q, both up; 10.199.80.1/24 is on crt-q
cable() {
	ip link add crt-p type veth peer name crt-q
	echo 'ip link del crt-p' >undo
	ip link set crt-p up
	ip link set crt-q up
	ip addr add 10.199.80.1/24 dev crt-q
	# two ends of one cable on one host answer for each other
	echo 1 >/proc/sys/net/ipv4/conf/crt-q/arp_ignore
}

# can KIND [ARG ...]: skips where this kernel has no such link
can() {
	kind=$1
	shift
	ip link add crt-try link crt-p type "$kind" "$@" 2>/dev/null ||
		skip "no $kind in this kernel"
	ip link del crt-try
}

# detail NAME: what ip -d says of that link of the container
detail() {
	nsenter -t "$init" -n ip -d link show dev "$1"
}

links_macvlan() {
	cable
	can macvlan
	conf macvlan=crt-p ip=10.199.80.2/24 gateway=10.199.80.1
	run 0 -n
	mac=$(sed -n 's/^mac=//p' out)
	inside 'cat /sys/class/net/eth0/address; ip route
		ping -c 1 -W 2 10.199.80.1 >/dev/null && echo reached'
	prints_like "^$mac\$"
	prints_like '^default via 10.199.80.1 dev eth0'
	prints_like '^reached'
	# its hardware address is free again at once
	run 0 -- true
	run 0 -- true
}
story -k 'links: macvlan, with an address of its own' links_macvlan

links_same_name() {
	cable
	can macvlan
	ip link add eth0 type veth peer name crt-e 2>/dev/null || :
	[ "${CRUN_IN_VM:-}" ] || echo 'ip link del eth0; ip link del crt-p' >undo
	conf macvlan=crt-p ip=10.199.80.2/24
	inside 'ping -c 1 -W 2 10.199.80.1 >/dev/null && echo reached'
	prints reached
	conf phys=crt-p ip=10.199.80.2/24
	inside 'ping -c 1 -W 2 10.199.80.1 >/dev/null && echo reached'
	prints reached
}
story -k 'links: the host has a link eth0 too' links_same_name

# links_mode KIND MODE: and that is what the kernel says
links_mode() {
	cable
	can "$1" mode "$2"
	conf "$1=crt-p:$2" ip=10.199.80.2/24
	idle
	detail eth0 >out
	prints_like "$1 *mode $2"
	is stat crt-p "$(fact "$1")"
	down
}
for mode in bridge private vepa passthru; do
	story -k "links: macvlan, mode $mode" links_mode macvlan "$mode"
done
for mode in l2 l3 l3s; do
	story -ck "links: ipvlan, mode $mode" links_mode ipvlan "$mode"
done

links_default_mode() {
	cable
	can "$1"
	conf "$1=crt-p"
	idle
	detail eth0 >out
	prints_like "$1 *mode $2"
	down
}
story -k 'links: macvlan is in mode bridge' links_default_mode macvlan bridge
story -ck 'links: ipvlan is in mode l2' links_default_mode ipvlan l2

links_ipvlan() {
	cable
	can ipvlan
	conf ipvlan=crt-p ip=10.199.80.2/24
	inside 'cat /sys/class/net/eth0/address
		ping -c 1 -W 2 10.199.80.1 >/dev/null && echo reached'
	is out "$(cat /sys/class/net/crt-p/address) reached" "$(xargs <out)"
}
story -ck "links: ipvlan, with its link's address" links_ipvlan

links_two_kinds() {
	cable
	can macvlan
	can ipvlan
	conf macvlan=crt-p
	idle
	printf '%s\n' "name=$name-b" "rootfs=$root" ipvlan=crt-p >d.conf
	want 125 "$crun" -c d.conf -- true
	says 'd.conf:3: making eth0 on crt-p; it is a port of a bridge .* or has macvlans where an ipvlan is asked for'
	lines 1
	down
}
story -ck 'links: an ipvlan beside a macvlan is told' links_two_kinds

links_two_passthru() {
	cable
	can macvlan
	conf macvlan=crt-p:passthru
	idle
	printf '%s\n' "name=$name-b" "rootfs=$root" macvlan=crt-p >d.conf
	want 125 "$crun" -c d.conf -- true
	says 'd.conf:3: making eth0 on crt-p; with mode passthru a link has one'
	lines 1
	down
}
story -k 'links: a macvlan beside one of mode passthru is told' \
	links_two_passthru

# links_parent WHAT SAYS: a link that is not as it must be
links_parent() {
	cable
	case $2 in
	*crt-no*) ;;
	*down*) ip link set crt-p down ;;
	*port*)
		ip link set crt-p master "$br"
		;;
	esac
	conf "${1:-phys=$br}"
	run 125 -- true
	says "$2"
	lines 1
}
story -k 'links: macvlan of no link' links_parent macvlan=crt-no \
	"c.conf:3: the host's link crt-no: No such device"
story -k 'links: ipvlan of no link' links_parent ipvlan=crt-no \
	"c.conf:3: the host's link crt-no: No such device"
story -k 'links: phys of no link' links_parent phys=crt-no \
	"c.conf:3: the host's link crt-no: No such device"
story -k 'links: macvlan of a link that is down' links_parent macvlan=crt-p \
	'c.conf:3: crt-p is down; ip link set crt-p up'
story -k 'links: phys of a port of a bridge' links_parent phys=crt-p \
	'c.conf:3: crt-p is a port of [^ ]*; ip link set crt-p nomaster frees'
story -k 'links: phys of what cannot be moved' links_parent '' \
	'c.conf:3: moving [^ ]* into the container; a bridge, a bond and the'

# ---- phys ----

# what of crt-p must be as it was; its number is another in another namespace
crt_p() {
	ip -d link show dev crt-p | sed 's/^[0-9]*: //; s/ qdisc .* qlen .*//
		s/ link-netns.*//'
	ip -o link show dev crt-p | grep -o 'altname [^ ]*' | sort
}

links_phys() {
	cable
	ip link property add dev crt-p altname crt-altname 2>/dev/null ||
		skip 'no altnames in this kernel'
	ip link property add dev crt-p altname crt-other
	ip link set crt-p mtu 1450
	crt_p >before
	conf phys=crt-p ip=10.199.80.2/24 mac=02:00:00:00:00:09 mtu=1400
	idle
	[ ! -e /sys/class/net/crt-p ] || [ "${CRUN_IN_VM:-}" ] ||
		! ip link show dev crt-p 2>/dev/null ||
		wrong 'no crt-p on the host' "$(ip link show dev crt-p)"
	verb 0 exec "$name" sh -c 'ping -c 1 -W 2 10.199.80.1 >/dev/null &&
		cat /sys/class/net/eth0/address /sys/class/net/eth0/mtu'
	is inside '02:00:00:00:00:09 1400' "$(xargs <out)"
	"$1"
	down
	crt_p >after
	cmp -s before after || wrong "$(cat before)" "$(cat after)"
}

# all that root of the guest can do to it; its iproute2 is the host's
links_spoilt() {
	nsenter -t "$init" -n sh -c "ip link set eth0 down
		ip link property del dev eth0 altname crt-other
		ip link property add dev eth0 altname crt-mine altname $br
		ip link set eth0 name $br
		ip link set $br address 02:00:00:00:00:0a mtu 1300"
}
story -k 'links: phys, and the link comes back as it was' links_phys true
story -k 'links: phys, and the guest has renamed and changed it' \
	links_phys links_spoilt

links_phys_failed() {
	cable
	crt_p >before
	conf phys=crt-p
	run 127 -- /nosuch
	crt_p >after
	cmp -s before after || wrong "$(cat before)" "$(cat after)"
	run 125 sysctl.net.ipv4.nosuch=1 -- true
	crt_p >after
	cmp -s before after || wrong "$(cat before)" "$(cat after)"
}
story -k 'links: phys comes back after a start that failed' links_phys_failed

links_phys_reboot() {
	own_root
	cable
	crt_p >before
	printf '#!/bin/sh\nip link show eth0 >/dev/null && echo has it
		[ -e /again ] && poweroff -f; >/again; reboot -f\n' \
		>root/sbin/again
	chmod 755 root/sbin/again
	conf phys=crt-p init=/sbin/again
	run 0
	is lives 2 "$(grep -c 'has it' out)"
	crt_p >after
	cmp -s before after || wrong "$(cat before)" "$(cat after)"
}
story -k 'links: phys, and a reboot from inside' links_phys_reboot

# with its namespace a link that is no hardware is deleted
links_phys_virtual_killed() {
	cable
	conf phys=crt-p
	idle
	kill -KILL "$sup"
	soon test ! -e "/proc/$sup/exe"
	soon test ! -e "/proc/$init/exe"
	verb 0 clean
	says 'crt-p was no hardware, and was deleted with the network namespace'
	is left '' "$(ls -A /run/crun-os 2>/dev/null)"
}
story -k 'links: phys of no hardware, and kill -9 of the supervisor' \
	links_phys_virtual_killed

# the adapter of a machine
links_phys_killed() {
	[ "${CRUN_IN_VM:-}" ] || skip 'this is no virtual machine'
	hardware=$(ip -o link show | sed -n 's/^[0-9]*: \(e[^:@]*\):.*/\1/p' |
		head -n 1)
	[ "$hardware" ] || skip 'no network adapter in this machine'
	shown() {
		ip link show dev "$hardware" |
			sed 's/^[0-9]*: //; s/ qdisc .*//'
	}
	shown >before
	conf "phys=$hardware"
	idle
	nsenter -t "$init" -n sh -c 'ip link set eth0 down
		ip link set eth0 name spoilt address 02:00:00:00:00:0a mtu 1300'
	kill -KILL "$sup"
	soon test ! -e "/proc/$sup/exe"
	verb 0 clean
	shown >after
	cmp -s before after || wrong "$(cat before)" "$(cat after)"
}
story -k 'links: phys of hardware, and kill -9 of the supervisor' \
	links_phys_killed

links_wifi() {
	[ "${CRUN_IN_VM:-}" ] || skip 'this is no virtual machine'
	modprobe mac80211_hwsim radios=1 2>/dev/null ||
		skip 'no mac80211_hwsim for this kernel'
	echo 'rmmod mac80211_hwsim' >undo
	soon test -e /sys/class/net/wlan0
	ip link set wlan0 up || :
	conf phys=wlan0
	run 125 -- true
	says 'c.conf:3: wlan0 is a Wi-Fi adapter, which cannot be moved'
	conf macvlan=wlan0
	run 125 -- true
	says 'c.conf:3: wlan0 is a Wi-Fi adapter, whose access point'
	rmmod mac80211_hwsim
}
story -k 'links: Wi-Fi is refused' links_wifi

# ---- VLANs ----

links_phys_vlan() {
	cable
	can vlan id 7
	ip link add crt-q.7 link crt-q type vlan id 7
	ip addr add 10.199.81.1/24 dev crt-q.7
	ip link set crt-q.7 up
	conf phys=crt-p vlan=7 ip=10.199.81.2/24
	inside 'ping -c 1 -W 2 10.199.81.1 >/dev/null && echo reached'
	prints reached
	run 0 -- true
	idle
	printf '%s\n' "name=$name-b" "rootfs=$root" phys=crt-p vlan=7 >d.conf
	want 125 "$crun" -c d.conf -- true
	says 'd.conf:3: making eth0 on crt-p; that VLAN is a link already'
	down
}
story -ck 'links: a VLAN of a link' links_phys_vlan

# both use crt-p.7, which the first makes and the last removes
links_shared_vlan() {
	cable
	can vlan id 7
	can macvlan
	conf macvlan=crt-p vlan=7 ip=10.199.81.2/24
	idle
	first=$sup
	printf '%s\n' "name=$name-b" "rootfs=$root" macvlan=crt-p vlan=7 \
		ip=10.199.81.3/24 >d.conf
	want 0 "$crun" -c d.conf -- ping -c 1 -W 2 10.199.81.2
	ip link show dev crt-p.7 >/dev/null || wrong crt-p.7 'no such link'
	file=d.conf idle
	kill -TERM "$first"
	ends 143 "$first"
	ip link show dev crt-p.7 >/dev/null || wrong crt-p.7 'no such link'
	down
	! ip link show dev crt-p.7 2>/dev/null || wrong 'no crt-p.7' "$(ip link)"
}
story -ck 'links: a macvlan of a VLAN, which two containers share' \
	links_shared_vlan

links_shared_killed() {
	cable
	can vlan id 7
	can macvlan
	conf macvlan=crt-p vlan=7
	idle
	kill -KILL "$sup"
	soon test ! -e "/proc/$sup/exe"
	soon test ! -e "/proc/$init/exe"
	verb 0 clean
	! ip link show dev crt-p.7 2>/dev/null || wrong 'no crt-p.7' "$(ip link)"
	is left '' "$(ls -A /run/crun-os 2>/dev/null)"
}
story -ck 'links: a macvlan of a VLAN, and kill -9 of the supervisor' \
	links_shared_killed

# what somebody else has made stays
links_own_vlan() {
	cable
	can vlan id 7
	can macvlan
	ip link add crt-p.7 link crt-p type vlan id 7
	conf macvlan=crt-p vlan=7
	run 0 -- true
	ip link show dev crt-p.7 >/dev/null || wrong crt-p.7 'no such link'
	ip link del crt-p.7
	ip link add crt-p.7 type bridge
	run 125 -- true
	says 'c.conf:4: there is a link crt-p.7, but it is not VLAN 7 of crt-p'
	ip link del crt-p.7
	ip link add crt-v link crt-p type vlan id 7
	run 125 -- true
	says 'c.conf:4: making crt-p.7 for VLAN 7 of crt-p; it is a link of'
	lines 1
	! ip link show dev crt-p.7 2>/dev/null || wrong 'no crt-p.7' "$(ip link)"
}
story -ck 'links: a VLAN that is there, and others in its place' links_own_vlan

links_bridge_vlan() {
	cable
	ip link add crt-br type bridge vlan_filtering 1 2>/dev/null ||
		skip 'no VLANs of bridges in this kernel'
	echo 'ip link del crt-br; ip link del crt-p' >undo
	ip link set crt-br up
	conf bridge=crt-br vlan=7 ip=10.199.81.2/24
	idle
	link=$(sed -n 's/^link //p' "/run/crun-os/$name/host")
	bridge vlan show dev "$link" | sed "1d; s/^$link//" | xargs >out
	prints '7 PVID Egress Untagged'
	printf '%s\n' "name=$name-b" "rootfs=$root" bridge=crt-br \
		ip=10.199.81.3/24 >d.conf
	want 1 "$crun" -c d.conf -- ping -c 1 -W 1 10.199.81.2
	want 0 "$crun" -c d.conf vlan=7 -- ping -c 1 -W 2 10.199.81.2
	down
	ip link set crt-br type bridge vlan_filtering 0
	run 125 -- true
	says 'c.conf:4: the bridge crt-br does not tell VLANs apart; make it: '
	lines 1
}
story -ck 'links: a VLAN of a bridge' links_bridge_vlan
