# nat-os.sh - net=nat and whole systems: their DHCP clients, their packages, and
# a server that others reach.

# mirror FOLDER: http://203.0.113.9/ has its packages, as Debian's would
mirror() {
	need busybox dpkg-deb
	mkdir mirror
	mv "$1"/*.deb mirror/
	for deb in mirror/*.deb; do
		dpkg-deb -f "$deb"
		echo "Filename: ./${deb#mirror/}"
		echo "Size: $(wc -c <"$deb")"
		echo "SHA256: $(sha256sum "$deb" | cut -d ' ' -f 1)"
		echo
	done >mirror/Packages
	nsenter -t "$world" -n busybox httpd -f -p 203.0.113.9:80 \
		-h "$t/mirror" &
	echo "$!" >>kids
	rm -rf "$root"/etc/apt/sources.list*
	echo 'deb [trusted=yes] http://203.0.113.9/ ./' \
		>"$root/etc/apt/sources.list"
}

# page COMMAND...: it gets nginx's first page from there
page() {
	cmd=$*
	"$@" >page 2>page.err || wrong 'a page' "$(cat page.err)"
	grep -q 'Welcome to nginx' page || wrong 'the first page' "$(cat page)"
}

leased() {
	[ "$("$crun" exec "$name" sh -c "$lease")" = "$address" ]
}

# nat_os TREE LEASE: LEASE prints the address that its client has been given
nat_os() {
	copy_tree "$1"
	world6
	mirror "$root/root/debs"
	conf net=nat nat6=yes port=8080:80 memory=1G pids=2000 \
		stop.timeout="$((60 * slow))"
	secs=$((100 * slow)) run 0 -q -d --ready="$((90 * slow))"
	sup=$(sed -n '2s/ .*//p' "/run/crun-os/$name/pid")
	echo "$sup" >>kids
	address=$(fact ip | sed -n 's,/24$,,p')
	lease=$2
	soon leased
	guest "nameserver 192.0.2.1" 'cat /etc/resolv.conf'
	guest reached 'ping -c 1 -W 5 203.0.113.9 >/dev/null && echo reached'
	guest reached 'ping -c 1 -W 5 2001:db8:9::9 >/dev/null && echo reached'
	secs=$((240 * slow)) verb 0 exec -e DEBIAN_FRONTEND=noninteractive \
		"$name" sh -c 'apt-get -q update && apt-get -q -y install nginx'
	guest active 'systemctl is-active nginx'
	get='busybox wget -q -O -'
	# shellcheck disable=SC2086 # words
	{
		page there $get http://198.51.100.2:8080/
		page there $get 'http://[2001:db8:1::2]:8080/'
		page $get http://198.51.100.2:8080/
		page $get http://127.0.0.1:8080/
		page $get 'http://[::1]:8080/'
	}
	printf '%s\n' "name=$name-b" "rootfs=$T/root" net=nat >d.conf
	page "$crun" -q -c d.conf -- wget -q -O - http://198.51.100.2:8080/
	page "$crun" -q -c d.conf -- wget -q -O - "http://$address/"
	is 'failed units' '' "$("$crun" exec "$name" systemctl --failed \
		--no-legend --plain)"
	secs=$((100 * slow)) verb 0 reboot "$name"
	soon leased
	secs=$((100 * slow)) verb 0 stop "$name"
	gone
	nothing_left
}
limit=600
story -l 'nat: trixie with networkd, apt-get and nginx through it' nat_os \
	networkd "sed -n s/^ADDRESS=//p /run/systemd/netif/leases/*"
limit=600
story -l 'nat: bookworm with ifupdown and dhclient, apt-get and nginx' nat_os \
	ifupdown "sed -n 's/.*fixed-address \(.*\);/\1/p' \
	/var/lib/dhcp/dhclient.eth0.leases | tail -n 1"

# without any program for the network
nat_minbase() {
	copy_tree trixie
	world
	conf net=nat
	secs=$((100 * slow)) run 0 -q -d --ready="$((90 * slow))"
	sup=$(sed -n '2s/ .*//p' "/run/crun-os/$name/pid")
	echo "$sup" >>kids
	guest reached 'ping -c 1 -W 5 203.0.113.9 >/dev/null && echo reached'
	secs=$((100 * slow)) verb 0 stop "$name"
	gone
	nothing_left
}
limit=240
story -l 'nat: trixie without any program for it' nat_minbase trixie

# with subnets of 30 bits: network, bridge, one container, broadcast
nat_full() {
	need make
	world
	mkdir -p src/build src/test
	# shellcheck disable=SC2046 # a list of files
	(cd "$here" && tar -c Makefile $(make -s sources)) | tar -C src -x
	cp "$here/test/libcap-ng" src/test/
	cp -a "$here/build/libcap-ng.a" "$here/build/include" src/build/ \
		2>/dev/null || :
	sed -i 's/NAT_PREFIX = 24/NAT_PREFIX = 30/' src/config.h
	secs=120 want 0 make -s -C src crun
	crun=$t/src/crun
	conf net=nat
	idle
	is address 10.88.0.2/30 "$(fact ip)"
	printf '%s\n' "name=$name-b" "rootfs=$root" net=nat >d.conf
	want 125 "$crun" -c d.conf -- true
	says '^crun: d.conf:3: all 1 addresses of crun0 are taken by containers$'
	lines 1
	down
	want 0 "$crun" -c d.conf -- true
	nothing_left
}
limit=240
story -l 'nat: all addresses are taken' nat_full
