# list.sh - list, stat, and what all verbs have in common.

verb_list() {
	verb 0 list
	prints 'NAME            STATE        PID      UPTIME  MEMORY IP                 ROOTFS'
	verb 0 list -q
	prints ''
	conf bridge="$br" ip="$net.2/24" ip="$net6::2/64"
	idle
	verb 0 list -q
	prints "$name"
	verb 0 list
	is lines 2 "$(wc -l <out)"
	is 'the columns' "$name running $init 00:00:0x $net.2/24 $root" \
		"$(awk 'NR == 2 { sub(/.$/, "x", $4)
			print $1, $2, $3, $4, $6, $7 }' out)"
	down
	verb 0 list -q
	prints ''
}
story 'verbs: list' verb_list

# By the controller, which v2 passes down since somebody has wanted it.
verb_memory() {
	need_cgroups
	conf memory=64M
	run 0 -- true
	conf
	idle
	[ "$(fact memory)" -gt 4096 ] || wrong 'some memory' "$(fact memory)"
	"$crun" list | awk 'NR == 2 { exit $5 !~ /^[0-9.]+[KMG]?$/ }' ||
		wrong 'its memory in the list' "$("$crun" list)"
	down
}
story -c 'verbs: memory is counted without a limit of it' verb_memory

# What is said of one that is not there does not keep the others from it.
verb_several() {
	conf
	file=c.conf
	for verb in stop kill freeze thaw; do
		for n in a b; do
			run 0 -d name="$name-$n" stop.timeout=5 -- sleep 1000
		done
		verb 125 "$verb" "$name-a" "$name-none" "$name-b"
		says "no container $name-none runs"
		case $verb in
		freeze)
			is frozen 2 "$("$crun" list | grep -c ' frozen ')"
			;;
		thaw)
			is running 2 "$("$crun" list | grep -c ' running ')"
			;;
		esac
		"$crun" list -q | xargs -r "$crun" kill
		soon test ! -e /run/crun-os
	done
	verb 0 list -q
	prints ''
}
story 'verbs: several names, one of which is not there' verb_several

# The files of the container must not get the numbers of what was closed.
verb_closed() {
	conf
	idle
	cat "/run/crun-os/$name/lock" >before
	for v in "stat $name" list "log $name" "exec $name true"; do
		rc=0
		# shellcheck disable=SC2086 # words
		"$crun" $v <&- >&- 2>err || rc=$?
		is "status of $v" 0 "$rc"
		lines 0
	done
	cmp before "/run/crun-os/$name/lock" || wrong 'the same lock' changed
	for v in list "stat $name" -h -V "log $name"; do
		rc=0
		# shellcheck disable=SC2086 # words
		"$crun" $v >/dev/full 2>err || rc=$?
		# the log is empty
		[ "$v" = "log $name" ] ||
			is "status of $v >/dev/full" 125 "$rc"
		[ "$rc" -eq 0 ] ||
			says 'writing to standard output: No space left'
	done
	rc=0
	"$crun" -n -c c.conf >/dev/full 2>err || rc=$?
	is 'status of -n >/dev/full' 125 "$rc"
	lines 1
	down
}
story 'verbs: closed and full standard files' verb_closed

verb_help() {
	for v in stop exec list; do
		verb 0 "$v" -h
		prints_like "^  $v "
	done
	verb 2 stop
	says '^crun: usage: crun stop'
}
story 'verbs: each has its -h' verb_help

verb_help_alone() {
	want 0 "$crun" -h
	mv out wanted
	want 0 "$crun" help
	cmp -s wanted out || wrong 'what -h prints' "$(cat out)"
}
story 'verbs: help is -h' verb_help_alone

# ISO 6429 has controls from 0x80 on too, as bytes and as U+0080 to U+009F.
verb_c1() {
	own_root
	text='a\302\23331m \233b \303\244 \342\202\254 \355\240\200\n'
	printf '#!/bin/sh\nprintf "%s"\n[ ! "$1" ] || exec sleep 1000\nexit 3\n' \
		"$text" >"$root/sbin/says"
	chmod 755 "$root/sbin/says"
	shown='a\\xc2\\x9b31m \\x9bb ä € \\xed\\xa0\\x80'
	conf
	printf 'env=A=\302\233\n' >>c.conf
	run 2 init=/sbin/says
	says 'c.conf:3: a NUL or control character'
	conf
	run 3 init=/sbin/says
	says "printed last: $shown\$"
	run 0 -d init='/sbin/says stay' stop.timeout=1
	soon test -s "/run/crun-os/$name/log"
	want 0 "$pty" -t 20 wait -- "$crun" log "$name"
	prints_like "^$shown"
	verb 0 log "$name"
	# shellcheck disable=SC2059 # as printed
	is 'the same bytes' "$(printf "$text")" "$(tr -d '\r' <out)"
	verb 0 kill "$name"
}
story 'verbs: controls of ISO 6429 are escaped' verb_c1

# Not root's, open to others, or not there but a link to elsewhere: what it
# says is not believed, and nothing in it is touched.
state_trusted() {
	conf
	mkdir -m 777 other
	for how in 'chmod 777 /run/crun-os' 'chown 65534 /run/crun-os' \
		'rm -r /run/crun-os && ln -s "$t/other" /run/crun-os' \
		"mkdir -m 777 /run/crun-os/$name" \
		"mkdir /run/crun-os/$name && chown 65534 /run/crun-os/$name"; do
		mkdir -m 700 /run/crun-os
		: >/run/crun-os/.marker
		eval "$how"
		for v in '-c c.conf -- true' "stat $name" clean; do
			# shellcheck disable=SC2086 # words
			want 125 "$crun" $v
			lines 1
			says '^crun: /run/crun-os[^ ]* must be a folder of root'
		done
		[ -L /run/crun-os ] || rmdir "/run/crun-os/$name" 2>/dev/null || :
		rm -r /run/crun-os
	done
	is 'made elsewhere' '' "$(ls -A other)"
	mkdir -m 700 /run/crun-os
	touch /run/crun-os/.marker /run/crun-os/file
	verb 0 clean
	says '/run/crun-os/file is no folder'
	rm -r /run/crun-os
}
story -k 'state: a run-time folder that is not root'"'"'s alone' state_trusted

verb_stat() {
	conf bridge="$br" ip="$net.2/24" ip="$net6::2/64" memory=64M pids=50 \
		hostname=guest mac=02:00:00:00:00:07 -- cpus=1
	sed -i '/^--/d' c.conf
	idle
	verb 0 stat "$name"
	lines 0
	is name "$name" "$(fact name)"
	is state running "$(fact state)"
	is pid "$init" "$(fact pid)"
	is init "$(readlink "/proc/$init/exe")" "$(fact init)"
	is rootfs "$root" "$(fact rootfs)"
	is hostname guest "$(fact hostname)"
	is ip "$net.2/24 $net6::2/64" "$(fact ip | xargs)"
	is mac 02:00:00:00:00:07 "$(fact mac)"
	is bridge "$br" "$(fact bridge)"
	is userns "$(awk '{ print $2 ":" $3 }' "/proc/$init/uid_map")" \
		"$(fact userns)"
	is memory.max 67108864 "$(fact memory.max)"
	is pids.max 50 "$(fact pids.max)"
	is pids 2 "$(fact pids)"
	is memory.oom_kills 0 "$(fact memory.oom_kills)"
	[ "$(fact uptime)" -lt "$((10 * slow))" ] ||
		wrong 'seconds since the start' "$(fact uptime)"
	[ "$(fact memory)" -gt 4096 ] || wrong 'some memory' "$(fact memory)"
	[ "$(fact memory)" -lt 67108864 ] ||
		wrong 'less than its limit' "$(fact memory)"
	ip link show "$(fact link)" >/dev/null
	for g in $(fact cgroup); do
		case $g in
		/*) [ -d "$g" ] || wrong "a folder $g" none ;;
		esac
	done
	is 'a line is KEY=VALUE' '' "$(grep -Ev '^[a-z_.]+=' out || :)"
	down
}
story -k 'verbs: stat says the facts' verb_stat

# between FROM TO N: fails the story where N is not
between() {
	if [ "${3:--1}" -lt "$1" ] || [ "${3:--1}" -gt "$2" ]; then
		wrong "from $1 to $2" "${3:-nothing}"
	fi
}

# against what proc_pid_stat(5) says of all that there is in it
verb_stat_cpu() {
	conf
	up -- sh -c 'echo up; while :; do :; done'
	init=$(init_of "$name")
	cmd='crun stat, cpu.usec'
	soon sh -c "[ \$('$crun' stat '$name' |
		sed -n 's/^cpu.usec=//p') -gt 200000 ]"
	verb 0 freeze "$name"
	used=$(cat "/proc/$init/stat" "/proc/$(pgrep -P "$init")/stat" |
		awk '{ n += $14 + $15 } END { print n * 10000 }')
	between "$((used - 20000))" "$((used + 200000))" "$(fact cpu.usec)"
	verb 0 kill "$name"
	ends 137 "$sup"
}
story -c 'verbs: stat counts processor time' verb_stat_cpu

verb_stat_peak() {
	need_cgroups
	conf memory=128M
	idle
	verb 0 exec "$name" dd if=/dev/zero of=/dev/null bs=32M count=1
	if lacks memory.peak memory.max_usage_in_bytes; then
		is memory.peak '' "$(fact memory.peak)"
		down
		skip 'this kernel keeps no peak of memory'
	fi
	cmd='crun stat, memory and memory.peak'
	between 33554432 134217728 "$(fact memory.peak)"
	between 4096 33554431 "$(fact memory)"
	down
}
story -c 'verbs: stat has the most memory that was in use' verb_stat_peak

# need_disk: $disk is what the story's folder is on, as MAJOR:MINOR
need_disk() {
	disk=/sys/dev/block/$(mountpoint -d "$(stat -c %m .)")
	[ -e "$disk" ] || skip "what $t is on is no disk"
	[ ! -e "$disk/partition" ] || disk=$disk/..
	disk=$(cat "$disk/dev")
}

# Where no key asks for the controller v2 does as the host.
verb_stat_io() {
	need_disk
	own_root
	conf memory=128M "$@"	# v2 knows by it whose pages are written
	idle
	if ! lacks io.max; then
		verb 0 set "$name" cgroup.io.max="$disk wbps=max"
	elif ! lacks blkio.throttle.write_bps_device; then
		# without a limit Linux 6.1 does not count
		for way in read write; do
			verb 0 set "$name" "cgroup.blkio.throttle.${way}_bps_device=$disk 1000000000000"
		done
	else
		down
		skip 'this kernel counts no input and output'
	fi
	verb 0 exec "$name" dd if=/dev/zero of=/f bs=1M count=4 conv=fsync
	cmd='crun stat, io.written'
	between 4194304 8388608 "$(fact io.written)"
	verb 0 exec "$name" dd if=/f of=/dev/null bs=1M iflag=direct
	cmd='crun stat, io.read'
	between 4194304 8388608 "$(fact io.read)"
	down
}
story -c 'verbs: stat counts what is read from a disk and written' verb_stat_io
story -c 'verbs: stat counts what is read and written, userns=none' \
	verb_stat_io userns=none

# 3 MiB at 1 MiB a second, then without a limit
verb_throttled() {
	lacks blkio.throttle.write_bps_device &&
		skip 'this host has no v1 hierarchy of blkio'
	need_disk
	own_root
	conf cgroup.blkio.throttle.write_bps_device="$disk 1048576" "$@"
	idle
	for least in 1500 0; do
		begun=$(date +%s%3N)
		verb 0 exec "$name" dd if=/dev/zero of=/f bs=1M count=3 \
			oflag=direct
		took=$(($(date +%s%3N) - begun))
		[ "$took" -ge "$least" ] || wrong "at least $least ms" "$took"
		[ "$least" -gt 0 ] || [ "$took" -lt "$((1500 * slow))" ] ||
			wrong 'no limit any more' "$took ms"
		verb 0 set "$name" \
			cgroup.blkio.throttle.write_bps_device="$disk 0"
	done
	down
}
story -cw 'set: a limit of v1 for a disk holds, and is lifted' verb_throttled
story -cw 'set: a limit of v1 for a disk holds, and is lifted, userns=none' \
	verb_throttled userns=none

verb_stat_kills() {
	need_cgroups
	conf memory=64M "$@"
	idle
	verb 137 exec "$name" tail /dev/zero
	is memory.oom_kills 1 "$(fact memory.oom_kills)"
	down
}
story -c 'verbs: stat counts kills' verb_stat_kills
story -c 'verbs: stat counts kills, userns=none' verb_stat_kills userns=none

# two on one processor: one waits
verb_stat_pressure() {
	need_v2
	conf
	idle
	dir=$(folder_of cpu.pressure)
	[ "$dir" ] || skip 'this kernel keeps no pressure'
	for kind in cpu memory io; do
		sed "s/^/pressure.$kind=/; s/=[0-9.]\+/=N/g" \
			"$dir/$kind.pressure"
	done >files
	"$crun" stat "$name" | grep ^pressure | sed 's/=[0-9.]\+/=N/g' >facts
	cmp files facts || wrong "$(cat files)" "$(cat facts)"
	verb 0 exec "$name" taskset 1 sh -c \
		'for i in 1 2; do timeout 0.4 sh -c "while :; do :; done" & done; wait'
	cmd='crun stat, pressure.cpu'
	soon sh -c "'$crun' stat '$name' | grep -q \
		'^pressure.cpu=some .* total=[1-9][0-9][0-9][0-9][0-9]'"
	down
}
story -c 'verbs: stat has the pressure that the kernel keeps' verb_stat_pressure

# a guest that names its init to drive a terminal
verb_escape() {
	esc=$(printf '\033')
	os_conf init='/bin/busybox init'
	mv "$root/bin/busybox" "$root/bin/a${esc}[2J"
	ln -s "a${esc}[2J" "$root/bin/busybox"
	os_up
	verb 0 stat "$name"
	prints_like '^init=/bin/a.x1b\[2J$'
	! grep -q "$esc" out || wrong 'no escape sequence' "$(cat -v out)"
	verb 0 kill "$name"
	ends 137 "$sup"
	verb 125 stat "x${esc}[2J"
	says 'no container x.x1b\[2J runs'
}
story 'verbs: what a guest has named is escaped' verb_escape
