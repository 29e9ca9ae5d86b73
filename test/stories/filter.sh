# filter.sh - what root inside tries in vain: system calls.

# tries CONF GROUP...: what test/tries.c says, in out; it must not stop midway
tries() {
	with=$1
	shift
	# shellcheck disable=SC2086 # words
	conf $with
	run 0 -- tries "$@"
	[ -s out ] || wrong 'a line a try' none
}

# all_of GROUP REGEX 'ERRNO ...': the tries that match had one of these results
all_of() {
	awk -v group="$1" -v what="$2" -v wanted=" $3 " '
		$1 == group && $2 ~ what {
			n++
			if (!index(wanted, " " $3 " ")) { print; bad = 1 }
		}
		END { if (!n) print "no try of " group " " what; exit bad || !n }
	' out >seen || wrong "$1 $2: $3" "$(cat seen)"
}

# What each call gives where nothing refuses it: so the next stories see the
# filter, and not a capability that is missing.
all_caps() {
	printf '+%s,' audit_read block_suspend bpf \
		checkpoint_restore ipc_lock mac_admin mac_override perfmon \
		sys_module sys_pacct sys_rawio sys_time syslog wake_alarm
}

walls_none() {
	tries "userns=none seccomp=none caps=$(all_caps)" call argument
	all_of call . 'EFAULT EINVAL EBADF ENOSYS E2BIG ENOEXEC ENOENT ENOMEM'
	all_of argument 'ioctl|umount' 'EBADF EFAULT'
}
story -k 'walls: (wall 11) seccomp=none, all capabilities: no call is refused' walls_none

walls_calls() {
	for with in userns=auto nesting=yes "userns=none caps=$(all_caps)"; do
		tries "$with" call argument
		all_of call . EPERM
		all_of argument 'ioctl|umount' EPERM
		all_of argument socket EAFNOSUPPORT
	done
}
story -k 'walls: (wall 11) each refused system call' walls_calls

walls_i386() {
	[ "$(uname -m)" = x86_64 ] || skip 'this machine has no i386 calls'
	for with in userns=auto nesting=yes "userns=none caps=$(all_caps)"; do
		tries "$with" i386
		! grep -q '^i386 - none' out ||
			skip 'this kernel takes no 32-bit calls'
		all_of i386 socket EAFNOSUPPORT
		all_of i386 '^[^s]|^s[^o]' EPERM
	done
}
story -k 'walls: (wall 11) each refused 32-bit system call' walls_i386

# busybox for i386, from where test/tree put it: in a machine, its own /
walls_32_bit() {
	for dir in / "${CRUN_CACHE:-/var/cache/crun-test}/trees/host"; do
		[ ! -e "$dir/usr/lib/busybox.i386" ] ||
			program=$dir/usr/lib/busybox.i386
	done
	[ "${program:-}" ] || skip 'there is no busybox for i386'
	"$program" true 2>seen || skip 'this kernel runs no 32-bit programs'
	own_root
	rm "$root/bin/busybox"
	cp "$program" "$root/bin/busybox"
	conf bridge="$br" ip="$net.2/24"
	run 0 -- sh -c 'id -u; mount -t tmpfs none /mnt && echo mounted
		echo a | gzip | gunzip; ls -d /proc/1; kill -l 15
		ping -c 1 -W 5 '"$net.1"' | grep -o " 0% packet loss"
		cat </dev/null & wait $! && echo waited
		date -s 2030-01-01 2>&1 | grep -o "Operation not permitted"
		swapon /mnt 2>&1 | grep -o "Operation not permitted"
		unshare -m true && echo unshared; su -c "echo su"'
	prints "$(printf '%s\n' 0 mounted a /proc/1 TERM ' 0% packet loss' \
		waited 'Operation not permitted' 'Operation not permitted' \
		unshared su)"
	conf
	idle
	verb 0 exec "$name" sh -c 'echo in'
	prints in
	down
}
story -k 'walls: an OS of 32-bit programs' walls_32_bit

walls_x32() {
	[ "$(uname -m)" = x86_64 ] || skip 'this machine has no x32 calls'
	for with in userns=auto nesting=yes; do
		tries "$with" x32
		all_of x32 . ENOSYS
	done
}
story -k 'walls: (wall 11) no system call of x32' walls_x32

# plain: what a terminal has printed, in out, without its returns
plain() {
	tr -d '\r' <out >seen
	mv seen out
}

# typing COMMAND...: it is tries on a terminal, of which no more than its words
# are seen, and nothing is typed; then it is with a pipe as input
typing() {
	want 0 "$pty" -- sh -c '"$@"
		timeout --foreground 0.2 head -n 1 | sed "s/^/arrived: /"' - "$@"
	plain
	all_of argument 'input,TIOC' EPERM
	all_of argument 'input,typed' ENOENT
	is 'printed besides' '' "$(grep -v -e '^argument ' -e '^crun: ' out)"
	want 0 sh -c ': | "$@"' - "$@"
	all_of argument 'input,TIOC' EPERM
	! grep typed out || wrong 'no terminal' "$(cat out)"
}

walls_typing() {
	for with in userns=auto nesting=yes userns=none; do
		conf "$with"
		typing "$crun" -c c.conf -- tries argument
		idle
		typing "$crun" exec "$name" tries argument
		down
		conf "$with" init='/bin/tries argument'
		want 0 "$pty" -- "$crun" -c c.conf
		plain
		all_of argument 'input,TIOC' EPERM
		all_of argument 'input,typed' ENOENT
	done
	# so it is the filter; EIO says dev.tty.legacy_tiocsti
	conf userns=none seccomp=none caps="$(all_caps)"
	want 0 "$pty" -- "$crun" -c c.conf -- tries argument
	plain
	all_of argument 'input,TIOCSTI' 'done EIO'
	all_of argument 'input,TIOCLINUX' ENOTTY
	! grep -q 'TIOCSTI done' out || all_of argument 'input,typed' 'done'
}
story -k 'walls: (wall 3) nothing is typed on a terminal or a pipe, at a start and by exec' \
	walls_typing

# With a user namespace, which holds also where the filter is left out.
walls_host() {
	for with in userns=auto 'userns=auto nesting=yes' \
		'userns=auto seccomp=none'; do
		tries "$with" write device cgroup host
		! grep ' done$' out >seen || wrong "nothing with $with" \
			"$(cat seen)"
		all_of device 'mem|kmsg|tty1|tun|fuse|loop0|sda|vda' EPERM
	done
}
story -c 'walls: (wall 8) files, devices, groups and processes of the host' walls_host

walls_keys() {
	for with in userns=none 'userns=none nesting=yes'; do
		tries "$with" key
		all_of key . ENOSYS
	done
	tries userns=auto key
	all_of key . 'EFAULT EINVAL EOPNOTSUPP ENOSYS'
}
story -k 'walls: the keys of the kernel, with userns=none' walls_keys

# Each row of config.h is one that test/tries.c tries, with the numbers on i386
# and arm that libseccomp has.
walls_table() {
	need scmp_sys_resolver
	sed -n 's/^	{ __NR_\([a-z0-9_]*\), \([-0-9]*\), \([-0-9]*\), .*/\1 \2 \3/p' \
		"$here/config.h" >table
	[ "$(wc -l <table)" -gt 35 ] || wrong 'a table' "$(cat table)"
	while read -r call i386 arm; do
		for arch in "x86 $i386" "arm $arm"; do
			real=$(scmp_sys_resolver -a "${arch% *}" "$call")
			# libseccomp's own name for what socketcall does
			[ "$call ${arch% *}" != 'socket x86' ] || real=359
			[ "$real" -ge 0 ] || real=-1
			is "$call on ${arch% *}" "$real" "${arch#* }"
		done
		grep -q "\"$call\"" "$here/test/tries.c" || grep -q \
			"__NR_$call\\>" "$here/test/tries.c" ||
			wrong "a try of $call" none
	done <table
}
story -k "walls: (wall 11) the numbers in config.h's table of calls" walls_table

# What security.md has: a call, and what it gives for these arguments, with
# userns=auto and none.  Those that a machine has not, libseccomp numbers below
# 0.
refusals() {
	for call in kexec_load kexec_file_load init_module finit_module \
		delete_module create_module query_module get_kernel_syms \
		open_by_handle_at swapon swapoff quotactl quotactl_fd acct \
		iopl ioperm lookup_dcookie nfsservctl uselib ustat sysfs \
		_sysctl vm86 vm86old bpf perf_event_open userfaultfd \
		io_uring_setup io_uring_enter io_uring_register \
		clock_settime clock_settime64 settimeofday stime \
		syslog; do
		echo "$call 1 1"
	done
	for call in add_key request_key keyctl; do
		echo "$call allow 38"
	done
	cat <<-'END'
	ioctl 1 1 0 0x5412
	ioctl 1 1 0 0xffffffff00005412
	ioctl 1 1 0 0x541c
	ioctl 1 1 0 0x10000541c
	ioctl allow allow 0 0x5413
	socket 97 97 38
	socket 97 97 40 1
	socket 97 97 16 3 9
	socket 97 97 0x100000010 3 0x100000009
	socket allow allow 16 3 15
	socket allow allow 2 3 9
	umount2 1 1 0 1
	umount2 1 1 0 3
	umount2 allow allow 0 2
	END
}

# filter_of ARCH NUMBER RUNNER: all calls of an architecture, libseccomp's name
# and audit.h's number, in the program that ./filter makes
filter_of() {
	: >calls
	: >auto.want
	: >none.want
	: >refused
	refusals | while read -r call auto none rest; do
		nr=$(scmp_sys_resolver -a "$1" "$call")
		# libseccomp's own name for what socketcall does
		[ "$call $1" != 'socket x86' ] || nr=359
		[ "$nr" -ge 0 ] || continue
		echo "$2 $nr $rest" >>calls
		echo "$call $nr $rest:$auto" >>auto.want
		echo "$call $nr $rest:$none" >>none.want
		echo "$nr" >>refused
	done
	[ "$(wc -l <refused)" -ge 38 ] || wrong "refusals on $1" "$(cat refused)"
	for mode in auto none; do
		$3 ./filter "$mode" <calls >answers
		cut -d: -f1 "$mode.want" | paste -d: - answers >seen
		cmp -s "$mode.want" seen ||
			wrong "$1, userns=$mode" "$(diff "$mode.want" seen)"
	done
	seq 0 1100 | grep -vxf refused | sed "s/^/$2 /" >calls
	is "other calls of $1" allow "$($3 ./filter none <calls | sort -u)"
}

# The program for a machine that we have not, followed call by call.
walls_filter_for() {
	need "$2"
	need "$3"
	need scmp_sys_resolver
	"$2" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -O1 \
		-I"$here" -static -o filter "$here/test/filter.c"
	is native "$4" "$(echo native | $3 ./filter auto)"
	filter_of "$1" "$4" "$3"
	[ ! "$5" ] || filter_of "$5" "$6" "$3"
	is 'calls of other machines' kill "$(printf '%s\n' '40000028 1' \
		'c00000b7 1' 'c00000f3 1' 'c000003e 1' '40000003 1' '0 1' |
		grep -v -e "^$4" -e "^${6:--}" | $3 ./filter auto | sort -u)"
	size=$(echo size | $3 ./filter none)
	[ "$size" -lt 300 ] || wrong 'below 300 instructions' "$size"
	[ "$1" != x86_64 ] || is 'calls of x32' '38 38 38 allow' "$(printf \
		"$4 %s\n" 0x40000000 0x40000027 0xfffffffe 0xffffffff |
		./filter auto | xargs)"
}
story -k 'walls: (wall 11) the filter on aarch64, with arm' walls_filter_for \
	aarch64 aarch64-linux-gnu-gcc qemu-aarch64 c00000b7 arm 40000028
story -k 'walls: (wall 11) the filter on riscv64' walls_filter_for \
	riscv64 riscv64-linux-gnu-gcc qemu-riscv64 c00000f3 '' ''
story -k 'walls: (wall 11) the filter on x86-64, with i386' walls_filter_for \
	x86_64 x86_64-linux-gnu-gcc env c000003e x86 40000003

walls_no_seccomp() {
	need strace
	conf
	for errno in EINVAL ENOSYS EACCES EPERM ENOMEM; do
		rc=0
		strace -f -qq -o trace -e "inject=seccomp:error=$errno" \
			"$crun" -c c.conf -- echo ran >out 2>err || rc=$?
		is "status of $errno" 125 "$rc"
		prints ''
		lines 1
		says '^crun: loading the filter of system calls.*seccomp=none'
		case $errno in
		EINVAL | ENOSYS) says CONFIG_SECCOMP_FILTER ;;
		esac
		! grep -q 'execve("/bin/echo' trace || wrong 'no exec' "$(cat trace)"
	done
	run 0 seccomp=none -- grep 'Seccomp:' /proc/self/status
	prints 'Seccomp:	0'
}
story -k 'walls: no filter of system calls, no start' walls_no_seccomp

# Where the host lets everybody read its messages.
walls_dmesg() {
	conf "$@"
	restrict=$(cat /proc/sys/kernel/dmesg_restrict)
	echo 0 >/proc/sys/kernel/dmesg_restrict
	dmesg >host
	rc=0
	"$crun" -q -c c.conf -- dmesg >out 2>err || rc=$?
	echo "$restrict" >/proc/sys/kernel/dmesg_restrict
	is status 1 "$rc"
	[ -s host ] || wrong 'messages of the host' none
	prints ''
	says 'Operation not permitted'
}
if [ "${CRUN_IN_VM:-}" ]; then
	story -k 'walls: (wall 13) messages of the kernel' walls_dmesg
	story -k 'walls: (wall 13) messages of the kernel, userns=none' \
		walls_dmesg userns=none
fi
