# device.sh - what root inside tries in vain: devices and groups.

# the filter, and not no_new_privs with it
walls_exec() {
	conf "$@"
	idle
	for pid in 1 self; do
		verb 0 exec "$name" grep -E '^(Seccomp|NoNewPrivs)' \
			"/proc/$pid/status"
		is "of $pid" 'NoNewPrivs: 0 Seccomp: 2 Seccomp_filters: 1' \
			"$(xargs <out)"
	done
	verb 0 exec "$name" tries call argument
	all_of call . EPERM
	all_of argument 'ioctl|umount' EPERM
	down
}
story -k 'walls: (wall 11) crun exec has the same filter' walls_exec
story -k 'walls: (wall 11) crun exec has the same filter, nesting=yes' walls_exec \
	nesting=yes

# Where root inside is root outside, and what is above the container's own
# groups would be the host's.  The own group's cgroup.kill is its own.
walls_privileged() {
	for with in userns=none 'userns=none nesting=yes'; do
		tries "$with" device cgroup
		! grep ' done$' out | grep -v '/sys/fs/cgroup/cgroup.kill done' \
			>seen || wrong "nothing with $with" "$(cat seen)"
		all_of device . EPERM
	done
}
story -c 'walls: (wall 8) devices and groups of the host, with userns=none' walls_privileged

# Every v1 hierarchy that the kernel has shows the container's own group as its
# root: in the hierarchy's there are crun, our folder, and release_agent.
walls_hierarchies() {
	sed -n 's/.*:\(.*\):.*/\1/p' /proc/self/cgroup | grep . >hierarchies ||
		skip 'this kernel has no v1 hierarchy'
	conf "$@"
	run 0 -- sh -c 'mkdir -p /tmp/m; while read ctrl; do
		case $ctrl in *=*) ctrl=none,$ctrl ;; esac
		mount -t cgroup -o $ctrl none /tmp/m || exit 3
		for f in /tmp/m/*/ /tmp/m/release_agent; do
			[ ! -e "$f" ] || echo "$ctrl has $f"
		done
		grep -qx $$ /tmp/m/cgroup.procs || echo "we are not in $ctrl"
		[ ! "$1" ] || ! mount -o remount,$ctrl,release_agent=/x \
			/tmp/m 2>/dev/null || echo "an agent of $ctrl"
		umount /tmp/m
		done
		! grep -v ":/$" /proc/self/cgroup' sh "${CRUN_IN_VM:-}" <hierarchies
	prints ''
}
for with in '' userns=none nesting=yes 'userns=none nesting=yes'; do
	# shellcheck disable=SC2086 # no word, or several
	story -c "walls: (wall 8) a v1 hierarchy is the container's own group${with:+, $with}" \
		walls_hierarchies $with
done

walls_device() {
	conf
	[ -c /dev/fuse ] || skip 'this kernel has no /dev/fuse'
	[ -c /dev/net/tun ] || skip 'this kernel has no /dev/net/tun'
	for with in userns=auto nesting=yes userns=none; do
		run 0 "$with" device=/dev/fuse:r device=/dev/net/tun \
			device=/dev/null -- sh -c '
			stat -c "%u %t:%T" /dev/fuse /dev/net/tun
			true </dev/fuse && echo read
			true >/dev/fuse
			true <>/dev/net/tun && echo both'
		prints "$(printf '0 a:e5\n0 a:c8\nread\nboth')"
		says "can't create /dev/fuse: Operation not permitted"
	done
	run 0 userns=none device=/dev/fuse:r device=/dev/net/tun:m -- sh -c '
		mknod /tmp/tun c 10 200 && echo made
		mknod /tmp/fuse c 10 229 2>/dev/null || echo refused
		true </dev/net/tun || echo closed'
	prints "$(printf 'made\nrefused\nclosed')"
	run 0 userns=none bind=/dev/fuse:/dev/bound -- sh -c \
		'true <>/dev/bound && echo bound'
	prints bound
	run 0 -- ls /dev
	! grep -q -e fuse -e net out || wrong 'neither' "$(cat out)"
}
story -c 'walls: the key device' walls_device

# A device is its type, both its numbers and what is done with it: each of
# these other than in a rule, by mknod(2), which is asked about as open(2) is.
walls_device_parts() {
	conf
	run 0 userns=none device=/dev/null:rw device=/dev/zero:m -- sh -c '
		for node in "c 1 3" "c 5 2" "c 1 4" "c 1 259" "c 17 3" \
			"c 0 3" "c 257 3" "b 1 3" "b 5 2" "c 136 0" \
			"b 136 0" "p"; do
			if mknod /tmp/node $node 2>/dev/null; then
				echo "$node made"
				rm /tmp/node
			else
				echo "$node refused"
			fi
		done'
	prints 'c 1 3 made
c 5 2 made
c 1 4 refused
c 1 259 refused
c 17 3 refused
c 0 3 refused
c 257 3 refused
b 1 3 refused
b 5 2 refused
c 136 0 refused
b 136 0 refused
p made'
}
story -c 'walls: a device of another type or number' walls_device_parts

walls_device_wrong() {
	conf device=/dev/nope/none
	run 125 -- true
	says '^crun: c.conf:3: device=/dev/nope/none: the host has no such '
	conf
	for node in folder folder/file; do
		want 125 unshare -m sh -c 'mount -t tmpfs none /dev &&
			mkdir /dev/folder && >/dev/folder/file && "$@"' - \
			"$crun" -c c.conf "device=/dev/$node" -- true
		lines 1
		says "command line: device=/dev/$node: is no device on the host"
	done
}
story -c 'walls: the key device, and what is none' walls_device_wrong

# A node that came with the rootfs, which root of the host makes openable.
walls_device_all() {
	own_root
	conf userns=none
	mknod -m 666 "$root/node" c 10 229
	open='mount -o remount,bind,dev / && true <>/node && echo open'
	run 0 -- sh -c "$open || true"
	says 'Operation not permitted'
	run 0 device=all -- sh -c "$open"
	prints open
	# shellcheck disable=SC2046 # words
	bits=$(cap_bits $(kept_caps | grep -v -x mknod))
	sec_caps device=all
	idle
	verb 0 exec "$name" sed -n 's/CapBnd:.//p' /proc/self/status
	prints "$bits"
	down
}
story -c 'walls: device=all' walls_device_all

# Without bpf(2), by the hierarchy of v1, of which root of the host can mount
# its own part.
walls_device_v1() {
	need strace
	[ -e /sys/fs/cgroup/devices/devices.allow ] ||
		skip 'this host has no v1 hierarchy of devices'
	[ -c /dev/fuse ] || skip 'this kernel has no /dev/fuse'
	conf userns=none device=/dev/fuse:r
	rc=0
	strace -f -qq -o trace -e inject=bpf:error=EPERM "$crun" -c c.conf -- \
		sh -c 'true </dev/fuse && echo read; true >/dev/fuse
		mount -t cgroup -o devices none /mnt
		echo a >/mnt/devices.allow; true >/dev/fuse
		tries device' >out 2>err || rc=$?
	is status 0 "$rc"
	[ "$(grep -c 'Operation not permitted' err)" -eq 3 ] ||
		wrong 'three refusals' "$(cat err)"
	grep -v '^device' out >seen
	is 'besides the tries' read "$(cat seen)"
	sed -i '/fuse/d' out
	all_of device . EPERM
}
story -c 'walls: devices by cgroup v1' walls_device_v1

# a signal that comes while the kernel looks at the program, as one that stops us
walls_device_again() {
	need strace
	conf
	strace -f -qq -o trace -e trace=bpf "$crun" -c c.conf -- true
	n=$(grep -n BPF_PROG_LOAD trace | cut -d : -f 1) ||
		skip 'no such programs in this kernel'
	want 0 strace -f -qq -o trace -e trace=bpf \
		-e "inject=bpf:error=EAGAIN:when=$n..$((n + 4))" \
		"$crun" -c c.conf -- true
	lines 0
	is 'signals that came' 5 "$(grep -c INJECTED trace)"
	want 125 strace -f -qq -o trace -e trace=bpf \
		-e "inject=bpf:error=EAGAIN:when=$n+" "$crun" -c c.conf -- true
	says 'the device policy: loading its program .*: Resource temporarily'
	lines 1
}
story -c 'walls: a signal while the device policy is loaded' walls_device_again

# no_bpf ERRNO WHICH PROGRAM...: in a mount namespace that shows no v1 hierarchy
# of devices, with that call of bpf(2) failing
no_bpf() {
	what=inject=bpf:error=$1:when=$2
	shift 2
	rc=0
	unshare -m sh -c '! mountpoint -q /sys/fs/cgroup/devices ||
		umount -l /sys/fs/cgroup/devices; "$@"' - strace -f -qq \
		-o trace -e "$what" "$crun" -c c.conf -- "$@" >out 2>err || rc=$?
}

walls_no_device() {
	need strace
	for errno in EPERM EINVAL ENOSYS ENOMEM; do
		for which in 1 2 3; do
			conf
			if [ "$which" -eq 1 ] &&
				grep -q '[:,]devices[:,]' /proc/self/cgroup; then
				# it is there, though not mounted
				no_bpf "$errno" 1 sh -c 'mkdir -p /tmp/m &&
					mount -t cgroup -o devices none /tmp/m &&
					cat /tmp/m/devices.list'
				is "status of $errno" 0 "$rc"
				grep -q '^c 1:3 rwm' out
				! grep '^a' out || wrong 'a list' 'all devices'
				continue
			fi
			no_bpf "$errno" "$which" echo ran
			is "status of $errno" 125 "$rc"
			prints ''
			lines 1
			says '^crun: the device policy'
			says device=all
			case $which$errno in
			1EPERM) says 'bpf\(2\) is refused to us' ;;
			1*) says CONFIG_CGROUP_BPF ;;
			esac
			! grep -q 'execve("/bin/echo' trace ||
				wrong 'no exec' "$(cat trace)"
		done
	done
}
story -c 'walls: no wall around devices, no start' walls_no_device

# A folder of the host's whose every name, owner, mode and byte is compared.
make_canary() {
	mkdir -p canary
	(
		cd canary
		mkdir sub pts shm host crt-b crt-t sys fs net mqueue
		for f in f resolv.conf hostname console null tty passwd \
			container-manager keys host/container-manager; do
			echo safe >"$f"
		done
	)
	see_canary >canary.before
}

see_canary() {
	find canary -printf '%p %y %m %u %g %s %T@ %C@ %n\n' | sort
	find canary -type f -exec cat {} + | sort | uniq -c
}

canary_is_safe() {
	see_canary >canary.after
	cmp -s canary.before canary.after ||
		wrong 'a canary that nobody touched' \
		"$(diff canary.before canary.after)"
}

# Somebody who can write to the rootfs exchanges its folders for links to the
# canary and back, about 100,000 times a second, while containers start and
# end in it.  CRUN_RACES=10000 for more.
walls_race() {
	own_root
	make_canary
	up='../../../../../../../../../..'
	parts='proc sys dev etc run tmp mnt sbin dev/pts run/host
		etc/resolv.conf etc/hostname tmp/crt-b mnt/crt-t usr/x'
	mkdir -p root/dev/pts root/run/host root/tmp/crt-b root/mnt/crt-t \
		root/usr/x/y
	touch root/etc/resolv.conf root/etc/hostname
	n=0
	for part in $parts; do
		n=$((n + 1))
		case $((n % 4)) in
		0) to=$t/canary ;;
		1) to=$up$t/canary ;;
		2) to=/proc/1/root$t/canary ;;
		3) to=/proc/self/cwd/canary ;;
		esac
		case $part in
		*.conf | */hostname) to=$to/${part#etc/} ;;
		esac
		ln -s "$to" "root/$part.link"
	done
	mkdir shared
	conf "$@" dns=9.9.9.9 hostname=new bind="$t/shared:/tmp/crt-b" \
		tmpfs=/mnt/crt-t bind=/usr:/usr/x/y/z:ro
	# shellcheck disable=SC2086 # words
	(cd root && exec "$here/build/test/racer" $parts) &
	racer=$!
	echo "$racer" >>kids
	n=0 started=0
	while [ "$n" -lt "$races" ]; do
		n=$((n + 1)) rc=0
		cmd="crun, start $n"
		timeout 20 "$crun" -q -c c.conf -- true >out 2>err || rc=$?
		case $rc in
		0) started=$((started + 1)) ;;
		125 | 127) says '^crun: ' && lines 1 ;;
		*) wrong 'status 0, 125 or 127' "$rc" ;;
		esac
		[ $((n % 50)) -ne 0 ] || canary_is_safe
	done
	canary_is_safe
	kill "$racer" 2>/dev/null || wrong 'a racer to the end' none
	wait "$racer" || :
	echo "# $started of $n starts went through" >&2
	if [ "$started" -eq 0 ] || [ "$started" -eq "$n" ]; then
		wrong 'starts of both kinds' "$started of $n"
	fi
}
