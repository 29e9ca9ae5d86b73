# saved.sh - a saved configuration that is not understood.

# damage HOW [NAME]: what is saved of the container becomes as another version
# of crun, a hand or a full disk may leave it; $why is what is said of it then
damage() {
	saved=/run/crun-os/${2:-$name}/conf
	sed -i '1s/[0-9]*$/99/' "$saved"	# its generation
	case $1 in
	key)
		{ cat "$saved" && echo landlock=yes; } >"$saved.new"
		why="$saved:$(wc -l <"$saved.new"): unknown key landlock"
		;;
	value)
		sed 's/^memory=.*/memory=lots/' "$saved" >"$saved.new"
		why="$saved:[0-9]+: memory=lots: must be bytes"
		;;
	half)
		head -c "$(($(wc -c <"$saved") / 2))" "$saved" >"$saved.new"
		why="$saved: not whole"
		;;
	empty)
		: >"$saved.new"
		why="$saved: empty"
		;;
	missing)
		rm "$saved"
		why="$saved: No such file"
		return
		;;
	esac
	mv "$saved.new" "$saved"
}

# waited VERB: what the command and the supervisor say, once each
waited() {
	lines 1
	says "^crun: $why"
	cp up.err err
	cmd="$1, the supervisor"
	lines 1
	says "^crun: .*$why"
}

saved_list() {
	conf bridge="$br" ip="$net.2/24" memory=64M
	idle
	printf '%s\n' "name=$name-b" "rootfs=$root" >b.conf
	want 0 "$crun" -d -c b.conf -- sleep 1000
	damage "$1"
	of_it="$net.2/24 $root"
	of_stat="$root $net.2/24 $br"
	case $1 in half | empty | missing) of_it='- -' of_stat='' ;; esac
	verb 0 list
	is 'both, and what is known' "$name running $init $of_it $name-b $root" \
		"$(awk 'NR == 2 { print $1, $2, $3, $6, $7 }
			NR == 3 { print $1, $7 }' out | xargs)"
	lines 1
	says "^crun: $why"
	verb 0 list -q
	lines 0
	is names "$name $name-b" "$(xargs <out)"
	verb 0 stat "$name"
	lines 1
	says "^crun: $why"
	is 'what stat knows' "$of_stat" "$(sed -n \
		's/^\(rootfs\|ip\|bridge\)=//p' out | xargs)"
	is 'what the kernel counts' 67108864 "$(sed -n 's/^memory.max=//p' out)"
	verb 0 kill "$name-b"
	down
}

# Each file has faults of its own.
saved_two() {
	conf
	for n in a b; do
		run 0 -d name="$name-$n" memory=64M -- sleep 1000
	done
	damage value "$name-a"
	a=$why
	damage key "$name-b"
	verb 0 list
	lines 2
	says "^crun: $a"
	says "^crun: $why"
	is names "$name-a $name-b" "$(awk 'NR > 1 { print $1 }' out | xargs)"
	verb 0 stop "$name-a" "$name-b"
	lines 2
}

# An address of another kind, a hardware address and a host name.
saved_unknown_values() {
	conf bridge="$br" ip="$net.2/24"
	idle
	saved=/run/crun-os/$name/conf
	sed 's/^ip=.*/ip=auto/; s/^mac=.*/mac=02:03:auto/
		s/^#hostname=.*/hostname=?/' "$saved" >"$saved.new"
	mv "$saved.new" "$saved"
	verb 0 list
	lines 3
	is 'in the list' "$name - $root" \
		"$(awk 'NR > 1 { print $1, $6, $7 }' out)"
	verb 0 stat "$name"
	lines 3
	is 'in stat' "hostname= bridge=$br" \
		"$(grep -e ^hostname= -e ^ip= -e ^bridge= out | xargs)"
	down
}

saved_stop() {
	need_cgroups
	conf memory=64M
	idle
	damage "$1"
	verb 0 stop "$name"
	waited stop
	ends 143 "$sup"
}

saved_end() {
	need_cgroups
	conf bridge="$br" memory=64M
	idle
	damage "$1"
	kill -TERM "$sup"
	ends 143 "$sup"
	cp up.err err
	lines 1
	says "^crun: .*$why"
	is 'groups left' '' "$(folder_of .)"
	[ ! -e /run/crun-os ] || wrong 'no folder' "$(ls -RA /run/crun-os)"
}

# With the configuration that it had, which is then there again.
saved_reboot() {
	need_cgroups
	conf memory=64M
	idle
	tail -n +2 "/run/crun-os/$name/conf" >before
	damage "$1"
	verb 0 reboot "$name"
	waited reboot
	tail -n +2 "/run/crun-os/$name/conf" | cmp before
	is memory 67108864 "$(file_of memory.max memory.limit_in_bytes)"
	verb 0 exec "$name" true
	lines 0
	down
	is 'what the supervisor says' 1 "$(wc -l <up.err)"
}

# What crun set of another version has changed, beside its own keys.
saved_reboot_set() {
	need_cgroups
	conf memory=64M
	idle
	damage key
	sed 's/^memory=.*/memory=32M/' "$saved" >"$saved.new"
	mv "$saved.new" "$saved"
	verb 0 reboot "$name"
	waited reboot
	is memory 33554432 "$(file_of memory.max memory.limit_in_bytes)"
	down
}

# A value that is replaced needs not be understood.
saved_mended() {
	need_cgroups
	conf memory=64M
	idle
	damage value
	verb 0 set "$name" memory=32M
	lines 0
	is memory 33554432 "$(file_of memory.max memory.limit_in_bytes)"
	verb 0 exec "$name" true
	lines 0
	down
}

# Of another container's name: its folder is not ours to remove.
saved_name() {
	need_cgroups
	conf
	run 0 -d name="$name-b" -- sleep 1000
	idle
	saved=/run/crun-os/$name/conf
	sed "s/^name=.*/name=$name-b/" "$saved" >"$saved.new"
	mv "$saved.new" "$saved"
	verb 0 list
	says "$saved:2: name=$name-b: must be $name\$"
	verb 125 exec "$name" true
	kill -TERM "$sup"
	ends 143 "$sup"
	verb 0 list -q
	prints "$name-b"
	verb 0 kill "$name-b"
}

# Neither a program with less than the init's walls, nor a key that is lost.
saved_refused() {
	need_cgroups
	conf memory=64M pids=50
	idle
	damage "$1"
	cp "/run/crun-os/$name/conf" before 2>/dev/null || :
	verb 125 exec "$name" echo ran
	prints ''
	lines 1
	says "^crun: $name: no program is run with less protection than the init may have: $why.*; "
	verb 125 set "$name" pids=60
	lines 1
	says "^crun: $name: nothing is changed: $why.*; "
	case $1 in
	key | value) says "; the crun that started $name understands it\$" ;;
	*) says "; crun reboot $name writes it anew\$" ;;
	esac
	is pids 50 "$(file_of pids.max pids.max)"
	[ ! -e before ] || cmp before "/run/crun-os/$name/conf"
	[ -e before ] || [ ! -e "/run/crun-os/$name/conf" ]
	down
}

# Those that need nothing of it; and what a killed supervisor leaves.
saved_others() {
	need_cgroups
	conf memory=64M bridge="$br"
	background -- sh -c 'echo up; exec sleep 1000'
	damage "$1"
	for v in freeze thaw log; do
		verb 0 "$v" "$name"
		lines 0
	done
	want 0 "$pty" expect:up 'send:\x1d\x1d\x1d' wait -- \
		"$crun" console "$name"
	"$crun" wait "$name" >wait.out 2>wait.err &
	waiter=$!
	waits "$waiter"
	verb 0 kill -s TERM "$name"
	lines 0
	ends 143 "$waiter"
	is 'what crun wait says' '' "$(cat wait.err)"
	gone
	idle
	damage "$1"
	kill -KILL "$sup"
	soon test ! -e "/proc/$init"
	ends 137 "$sup"
	verb 0 list
	is state dead "$(awk 'NR > 1 { print $2 }' out)"
	verb 0 clean
	says "^crun: $name: removed what a killed supervisor left\$"
	lines 1
}

for how in key value half empty missing; do
	story "saved: list and stat, $how" saved_list "$how"
	story "saved: stop, $how" saved_stop "$how"
	story "saved: the end of the container, $how" saved_end "$how"
	story "saved: reboot, $how" saved_reboot "$how"
	story "saved: exec and set, $how" saved_refused "$how"
	story "saved: all other verbs, $how" saved_others "$how"
done
story 'saved: list and stop of two with faults of their own' saved_two
story 'saved: values that list and stat show' saved_unknown_values
story 'saved: a reboot takes what is understood' saved_reboot_set
story 'saved: set mends a value that it replaces' saved_mended
story 'saved: the name of another' saved_name

# For as long as the supervisor, which knows its own.
saved_slow() {
	conf stop.timeout=30
	up -- sh -c 'trap "sleep 16; exit 5" TERM; echo up
		while :; do sleep 0.1; done'
	damage missing
	secs=40
	verb 0 stop "$name"
	ends 5 "$sup"
}
story -w 'saved: stop waits for the default of stop.timeout' saved_slow
# Where a group of the container is not to be seen, nothing is run, set or
# frozen; what is there is shown, and the end needs none of it.
exec_unseen() {
	conf memory=64M
	background -- sleep 1000
	group=$(sed -n 's/^cgroup \(\/.*\)/\1/p' "/run/crun-os/$name/host" |
		grep -e memory -e unified -e '/crun-os' | sort | grep -m 1 . ||
		skip 'no group of the host')
	dir=${group%/crun-os/*}
	unseen() {
		s=$1
		shift
		want "$s" unshare -m sh -c 'umount -l "$1"; shift; exec "$@"' - \
			"$dir" "$crun" "$@"
	}
	for words in "exec $name echo ran" "set $name memory=32M" \
		"freeze $name" "thaw $name"; do
		# shellcheck disable=SC2086 # words
		unseen 125 $words
		prints ''
		says "^crun: $name: opening cgroup $group, which must be mounted where crun is called: No such file"
		lines 1
	done
	is memory 67108864 "$(file_of memory.max memory.limit_in_bytes)"
	is state running "$(fact state)"
	unseen 0 list
	prints_like "^$name "
	unseen 0 stat "$name"
	prints_like '^state=running'
	unseen 0 stop -t 5 "$name"
	gone
}
story -k 'exec: (wall 6) a group that is not mounted where it is called' exec_unseen

# failing 'CALL:LAST[:STEP[:ERRNO]] ...' COMMAND: calls COMMAND with $what, what
# strace is told, for each of these calls, from the first to the LAST or
# FIRST-LAST, every STEP-th
failing() {
	[ ! "${CRUN_IN_VM:-}" ] || skip 'each call fails on the machine itself'
	for row in $1; do
		call=${row%%:*}
		rest=${row#*:}:::
		last=${rest%%:*}
		rest=${rest#*:}
		each=${rest%%:*}
		rest=${rest#*:}
		errno=${rest%%:*}
		n=1
		[ "$last" = "${last#*-}" ] || n=${last%-*}
		while [ "$n" -le "${last#*-}" ]; do
			what="$call:error=${errno:-ENOMEM}:when=$n"
			"$2"
			n=$((n + ${each:-1}))
		done
	done
}

# hindered VERB ARG...: crun with $what; its status is in rc.  It must end, and say
# no more than a line, for which the first write(2) of the command is needed
hindered() {
	cmd="crun $* with $what"
	rc=0
	timeout "$((12 * slow))" strace -f -b execve -qq -o trace \
		-e "trace=${what%%:*}" -e "inject=$what" "$crun" "$@" >out 2>err </dev/null || rc=$?
	[ "$rc" -ne 124 ] || wrong 'an end' none
	case $rc in
	0) ;;
	2 | 12[567] | 137) says '^crun: ' && lines 1 ;;
	*) wrong 'status 0 or 125' "$rc" ;;
	esac
}

exec_fails() {
	hindered exec "$name" sh -c "$see"
	tried=$((tried + 1))
	if [ -s out ]; then
		cmp -s out all || wrong 'all walls' "$(diff all out)"
	else
		[ "$rc" -ne 0 ] || wrong 'it ran, or said why not' "$rc"
		refused=$((refused + 1))
	fi
}

# Each call of crun exec is made to fail, one after the other: either nothing
# is run, with a line that says why, or all walls stand.
exec_failing() {
	need strace
	conf memory=64M rlimit.nofile=100:200 "$@"
	background -- sleep 1000
	see='cd /proc/self; cat cgroup uid_map limits; stat -c %N ns/*
		grep -E "^(Cap|NoNewPrivs|Seccomp|Groups|Uid|Gid|Umask)" status'
	verb 0 exec "$name" sh -c "$see"
	cp out all
	tried=0 refused=0
	failing 'openat:44 open:16 read:20:2 write:2-12 fcntl:20:4
		fstat:16:3 stat:3 lstat:2 prlimit64:16:3 setns:1 clone3:1
		socketpair:1 setgroups:2 setresuid:2 setresgid:2 keyctl:1
		setsid:2 dup3:1 close_range:1 prctl:30:2 seccomp:1 capget:2
		capset:1 sendto:2 recvmsg:2 sendmsg:1 recvfrom:1 poll:3
		pidfd_open:2 waitid:3 rt_sigprocmask:3
		rt_sigaction:3 signalfd4:1 mmap:6 brk:3 ioctl:3 pread64:1' \
		exec_fails
	echo "# $refused of $tried refused" >&2
	[ "$refused" -gt $((tried / 3)) ] || wrong 'more that are refused' \
		"$refused of $tried"
	verb 0 exec "$name" true
	lines 0
	is 'processes left' 2 "$(fact pids)"
	verb 0 kill "$name"
	gone
}
limit=240
story -k 'exec: (wall 17) each of its calls fails' exec_failing

# in_force: the limits that hold, and the saved configuration
in_force() {
	file_of memory.max memory.limit_in_bytes
	file_of pids.max pids.max
	grep -v '^# generation' "/run/crun-os/$name/conf"
}

set_fails() {
	hindered set "$name" pids=60 memory=96M
	in_force >now
	if [ "$rc" -ne 0 ]; then
		cmp -s before now || wrong 'nothing is changed' \
			"$(diff before now)"
	else
		cmp -s after now || wrong 'all is changed' "$(diff after now)"
		verb 0 set "$name" pids=50 memory=64M
	fi
}

# Each call of crun set is made to fail, one after the other.
set_failing() {
	need strace
	need_cgroups
	conf memory=64M pids=50
	background -- sleep 1000
	verb 0 set "$name" pids=60 memory=96M
	in_force >after
	verb 0 set "$name" pids=50 memory=64M
	in_force >before
	failing 'openat:40 open:16:2 read:20:2 write:2-6 writev:2 renameat:1 fcntl:8:2
		newfstatat:8 fstat:12:4 flock:1 mmap:6 brk:2
		pidfd_open:2' set_fails
	verb 0 kill "$name"
	gone
}
limit=240
story -c 'set: all or nothing, where a call fails' set_failing

freeze_fails() {
	hindered "$does" "$name"
	[ "$rc" -ne 0 ] || is 'state by its status' "$now" "$(fact state)"
	"$crun" "$undoes" "$name" 2>err || wrong 'status 0' "$(cat err)"
}

# Likewise crun freeze and crun thaw: what succeeds is so.
freeze_failing() {
	need strace
	need_cgroups
	conf
	background -- sleep 1000
	calls='openat:36:2 open:16:4 read:10:2 write:1 pread64:2 poll:2 fcntl:6:2
		pidfd_open:2 mmap:4'
	does=freeze undoes=thaw now=frozen
	failing "$calls" freeze_fails
	verb 0 freeze "$name"
	does=thaw undoes=freeze now=running
	failing "$calls" freeze_fails
	verb 0 kill "$name"
	gone
}
limit=240
story -c 'verbs: freeze and thaw, where a call fails' freeze_failing

# what a verb has left is gone after the next one
next_ends() {
	"$crun" kill "$name" >out 2>err || says "no container $name runs"
	gone
	want 0 "$crun" clean
	[ ! -e /run/crun-os ] || wrong 'no /run/crun-os' "$(ls -RA /run/crun-os)"
}

end_fails() {
	background -- sleep 1000
	# shellcheck disable=SC2086 # words
	hindered $does "$name"
	next_ends
}

verbs_failing() {
	need strace
	conf
	calls='open:4 openat:4 read:7:2 fcntl:5:2 poll:2 pidfd_open:2
		pidfd_send_signal:1 mmap:4:2 lstat:2'
	does='stop -t 2'
	failing "$calls" end_fails
	does='reboot -t 2'
	failing "$calls inotify_init1:1" end_fails
}
limit=240
story -k 'verbs: stop and reboot, where a call fails' verbs_failing

clean_fails() {
	background -- sleep 1000
	kill -KILL "$sup"
	soon test ! -e "/proc/$sup/exe"
	hindered clean
	want 0 "$crun" clean
	gone
}

clean_failing() {
	need strace
	conf memory=64M bridge="$br"
	failing 'openat:40:3 open:20:4 read:8:3 write:3 unlinkat:20:4 rmdir:2
		fcntl:6:2 sendto:1 socket:1 lstat:2 poll:1 getdents64:3 mmap:3' \
		clean_fails
}
limit=240
story -k 'verbs: clean, where a call fails' clean_failing
