# nat-filter.sh - net=nat, and other programs' filters of what is forwarded.

# closed: the policy of iptables-nft, as with docker or ufw
closed() {
	need iptables-nft nft
	world
	iptables-nft -P FORWARD DROP || skip 'no iptables-nft in this kernel'
	echo 'iptables-nft -P FORWARD ACCEPT; nft delete table ip filter' >>undo
}

passes() {
	run 0 -- ping -c 1 -W 2 203.0.113.9
}

filter_drop() {
	closed
	conf net=nat
	passes
	lines 0
	idle
	iptables-nft -S FORWARD >out 2>err
	is rules "-P FORWARD DROP
-A FORWARD -o crun0 -m comment --comment \"crun0 of crun\" -j ACCEPT
-A FORWARD -i crun0 -m comment --comment \"crun0 of crun\" -j ACCEPT" \
		"$(cat out)"
	lines 0
	down
	is rules '-P FORWARD DROP' "$(iptables-nft -S FORWARD)"
	nothing_left
}
story -k 'nat: the policy of iptables is to drop what is forwarded' filter_drop

filter_two() {
	closed
	conf net=nat
	idle
	first=$sup
	printf '%s\n' "name=$name-b" "rootfs=$root" net=nat >d.conf
	file=d.conf idle
	is rules 2 "$(iptables-nft -S FORWARD | grep -c crun0)"
	kill -TERM "$first"
	ends 143 "$first"
	is rules 2 "$(iptables-nft -S FORWARD | grep -c crun0)"
	# as their owner does when he begins anew
	iptables-nft -F FORWARD
	passes
	is rules 2 "$(iptables-nft -S FORWARD | grep -c crun0)"
	down
	is rules '-P FORWARD DROP' "$(iptables-nft -S FORWARD)"
}
story -k 'nat: two containers, one pair of rules in the chain of iptables' \
	filter_two

filter_killed() {
	closed
	conf net=nat
	idle
	kill -KILL "$sup"
	soon test ! -e "/proc/$sup/exe"
	soon test ! -e "/proc/$init/exe"
	verb 0 clean
	is rules '-P FORWARD DROP' "$(iptables-nft -S FORWARD)"
	nothing_left
}
story -k 'nat: rules in the chain of iptables, and kill -9' filter_killed

filter_admin() {
	closed
	iptables-nft -A FORWARD -i crun0 -j ACCEPT
	iptables-nft -A FORWARD -o crun0 -j ACCEPT
	conf net=nat
	passes
	idle
	is rules 2 "$(iptables-nft -S FORWARD | grep -c crun0)"
	down
	is rules 2 "$(iptables-nft -S FORWARD | grep -c crun0)"
}
story -k 'nat: a rule that lets the bridge through is there already' \
	filter_admin

filter_open_chain() {
	need nft
	world
	nft add table inet "$name"
	echo "nft delete table inet $name" >>undo
	nft add chain inet "$name" forward \
		'{ type filter hook forward priority 0; policy accept; }'
	nft list table inet "$name" >before
	conf net=nat
	idle
	nft list table inet "$name" >during
	cmp -s before during || wrong "$(cat before)" "$(cat during)"
	down
}
story -k 'nat: a chain that lets everything through is left alone' \
	filter_open_chain

# a bridge of the host's is not ours to let through: it is told how
filter_bridge() {
	closed
	conf bridge="$br" ip="$net.2/24" gateway=auto
	run 0 -- true
	says "^crun: c.conf:3: the chain FORWARD of the table filter stops what $br sends; nft insert rule ip filter FORWARD iifname $br accept, and likewise oifname, let it through\$"
	lines 1
	is rules '-P FORWARD DROP' "$(iptables-nft -S FORWARD)"
	# what it tells helps
	sh -c "$(sed 's/.*sends; \(.* accept\),.*/\1/' err)"
	sh -c "$(sed 's/.*sends; \(.* accept\),.*/\1/; s/iifname/oifname/' err)"
	run 0 port=8080:80 -- true
	lines 0
	iptables-nft -F FORWARD
	# where the host does not forward for it, it is nobody's business
	conf bridge="$br" ip="$net.2/24"
	[ "$(cat /proc/sys/net/bridge/bridge-nf-call-iptables 2>&1)" = 1 ] || {
		run 0 -- true
		lines 0
	}
}
story -k 'nat: the policy of iptables, and a bridge of the host' filter_bridge

# its table may be its socket's, as from firewalld 2.1 on
filter_owned() {
	need nft
	world
	mkfifo hold
	nft -i <hold >nft.out 2>&1 &
	echo "$!" >>kids
	exec 9>hold
	echo 'add table inet firewalld { flags owner; }' >&9
	echo 'add chain inet firewalld filter_FORWARD { type filter hook forward priority 10; policy accept; }' >&9
	echo 'add rule inet firewalld filter_FORWARD reject' >&9
	soon sh -c 'nft list table inet firewalld | grep -q reject'
	conf net=nat
	run 0 -- true
	says '^crun: c.conf:3: firewalld stops what crun0 sends; firewall-cmd --zone=trusted --add-interface=crun0 lets it through: Operation not permitted$'
	lines 1
	echo 'insert rule inet firewalld filter_FORWARD iifname crun0 accept' >&9
	soon sh -c 'nft list table inet firewalld | grep -q crun0'
	run 0 -- true
	lines 0
	exec 9>&-
}
story -k 'nat: the table of firewalld, which is its own' filter_owned

filter_legacy() {
	need iptables-legacy
	world
	iptables-legacy -P FORWARD DROP 2>/dev/null ||
		skip 'no iptables-legacy in this kernel'
	echo 'iptables-legacy -F; iptables-legacy -P FORWARD ACCEPT' >>undo
	conf net=nat
	run 1 -- ping -c 1 -W 1 203.0.113.9
	says '^crun: c.conf:3: iptables-legacy stops what crun0 sends; iptables-legacy -I FORWARD -i crun0 -j ACCEPT, and likewise -o, let it through$'
	lines 1
	iptables-legacy -I FORWARD -i crun0 -j ACCEPT
	iptables-legacy -I FORWARD -o crun0 -j ACCEPT
	passes
	lines 0
	iptables-legacy -F
	iptables-legacy -P FORWARD ACCEPT
	passes
	lines 0
}
story -k 'nat: the policy of iptables-legacy' filter_legacy
