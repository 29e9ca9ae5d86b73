# exec-stalled.sh - exec: whom it must not hold up, and hostile guests.

# program_of PID: the host's pid of what that crun exec runs
program_of() {
	pgrep -P "$1" | while read -r it; do
		[ "$(readlink "/proc/$it/ns/pid")" = \
			"$(readlink "/proc/$1/ns/pid")" ] || echo "$it"
	done
}

is_stopped() {
	grep -q '^State:.[Tt]' "/proc/$1/status"
}

# ends_beside VERB STATUS: the container ends in time, whatever $p does,
# and then p, which is told to go on
ends_beside() {
	case $1 in
	stop) secs=4 verb 0 stop -t 2 "$name" ;;
	kill) secs=2 verb 0 kill "$name" ;;
	esac
	gone
	kill -CONT "$p"
	secs=5 ends "$2" "$p"
}

# A command that is stopped reaps nobody, and a pid namespace ends when all in
# it are reaped.
exec_held() {
	conf "$@"
	for does in stop kill; do
		background -- sleep 1000
		"$crun" exec "$name" sleep 1001 >out 2>err </dev/null &
		p=$!
		echo "$p" >>kids
		soon eval '[ "$(program_of "$p")" ]'
		kill -STOP "$p"
		soon is_stopped "$p"
		ends_beside "$does" 137
	done
}
story -c 'exec: a command that is stopped holds no container up' exec_held
story -c 'exec: a command that is stopped holds no container up, userns=none' \
	exec_held userns=none

# stopped at CALL, the n-th, before the program runs: the command alone, or
# with -f its child too
exec_held_early() {
	need strace
	conf
	while read -r call n follow; do
		background -- sleep 1000
		# shellcheck disable=SC2086 # a word or none
		strace -qq $follow -b execve -o trace \
			-e "inject=$call:signal=STOP:when=$n" \
			"$crun" exec "$name" sleep 1001 >out 2>err </dev/null &
		tracer=$!
		echo "$tracer" >>kids
		soon eval 'p=$(pgrep -P "$tracer" -x crun)'
		held=$p stops=1
		if [ "$follow" ]; then
			soon eval 'held=$(pgrep -o -P "$p")'
			kill -STOP "$p"
			stops=2
		fi
		cmd="crun exec stopped in number $n of $call"
		soon sh -c "[ \$(grep -c 'stopped by SIGSTOP' trace) = $stops ]"
		secs=2 verb 0 kill "$name"
		gone
		kill -CONT "$p"
		[ "$held" = "$p" ] || kill -CONT "$held" 2>/dev/null || :
		rc=0
		wait "$tracer" || rc=$?
		case $rc in
		137) ;;
		125) says '^crun: ' && lines 1 ;;
		*) wrong 'status 137, or 125 with a line' "$rc" ;;
		esac
	done <<-'END'
		socketpair 1
		clone3 1
		recvmsg 1
		recvmsg 2
		waitid 1
		signalfd4 2
		sendto 1
		recvmsg 3
		setns 1 -f
		setsid 1 -f
		sendmsg 1 -f
	END
}
story -k 'exec: a command that is stopped before its program runs' \
	exec_held_early

# As a job it is stopped by the first line that is typed.
exec_held_job() {
	conf
	background -- sleep 1000
	want 0 "$pty" 'expect:[#$] ' "send:$crun exec $name sh &\\r" \
		"run:until [ \"\$($crun stat $name | sed -n s/^pids=//p)\" = 3 ]; do :; done" \
		'send:sleep 1003\r' 'run:until pgrep -P $PID -x sleep; do :; done' \
		'send:x\r' \
		'run:until grep -q "^State:.T" /proc/$(pgrep -P $PID -x crun)/status; do :; done' \
		"run:timeout $((4 * slow)) $crun stop -t 2 $name; echo \$? >rc" \
		'send:\x03' 'expect:[#$] ' 'send:fg\r' 'expect:[#$] ' \
		'send:exit 0\r' wait -- sh -i
	is 'status of crun stop' 0 "$(cat rc)"
	gone
}
story -k 'exec: a job of a shell that a key has stopped' exec_held_job

# It prints to a terminal that nobody reads, and so waits for ever.
exec_held_terminal() {
	conf "$@"
	for does in 'stop -t 2' kill; do
		background -- sleep 1000
		want 137 "$pty" -t "$((20 * slow))" expect:y \
			"run:sleep 1; timeout $((4 * slow)) $crun $does $name; echo \$? >rc" \
			wait -- "$crun" exec "$name" yes
		is "status of crun $does" 0 "$(cat rc)"
		gone
	done
}
story -c 'exec: a terminal that takes no more holds no container up' \
	exec_held_terminal
story -c 'exec: a terminal that takes no more holds no container up, userns=none' \
	exec_held_terminal userns=none

# how a program ends, is told whatever else the command has missed meanwhile
exec_status() {
	own_root		# it gets files core
	conf rlimit.core=1000000:1000000
	background -- sleep 1000
	n=0
	while [ "$n" -lt $((100 / fewer)) ]; do
		n=$((n + 1))
		verb 0 exec "$name" true
		verb "$n" exec "$name" sh -c "exit $n"
	done
	for n in 1 2 6 9 11 15 34 64; do
		verb $((128 + n)) exec "$name" sh -c "kill -$n \$\$"
	done
	for n in 0 7; do
		"$crun" exec "$name" sh -c "trap 'exit $n' USR1; echo up
			while :; do sleep 0.1; done" >up.out 2>err </dev/null &
		p=$!
		echo "$p" >>kids
		soon grep -q up up.out
		program=$(program_of "$p")
		kill -STOP "$p"
		soon is_stopped "$p"
		kill -USR1 "$program"
		soon test ! -e "/proc/$program"
		kill -CONT "$p"
		ends "$n" "$p"
		rm up.out
	done
	verb 0 kill "$name"
	gone
}
limit=120
story 'exec: the status, by whatever a program ends' exec_status

# A shell that execs crun leaves it children of its own, which end too.
exec_children() {
	conf
	background -- sleep 1000
	for does in USR1 TERM; do
		rm -f up.out
		sh -c 'sleep 1002 & exec "$@"' - "$crun" exec "$name" sh -c \
			"trap 'exit 7' $does; echo up; while :; do sleep 0.1; done" \
			>up.out 2>err </dev/null &
		p=$!
		echo "$p" >>kids
		soon grep -q up up.out
		other=$(pgrep -P "$p" -x sleep)
		kill -STOP "$p"
		soon is_stopped "$p"
		kill "$other"
		soon eval 'grep -q "^State:.Z" "/proc/$other/status"'
		kill -"$does" "$p"
		kill -CONT "$p"
		ends 7 "$p"
	done
	# both end while it does nothing
	rm -f up.out
	sh -c 'sleep 1002 & exec "$@"' - "$crun" exec "$name" sh -c \
		"trap 'exit 8' USR1; echo up; while :; do sleep 0.1; done" \
		>up.out 2>err </dev/null &
	p=$!
	echo "$p" >>kids
	soon grep -q up up.out
	program=$(pgrep -f '^sh -c trap .exit 8' -n)
	other=$(pgrep -P "$p" -x sleep)
	all="$p $(pgrep -P "$p" -x crun || :)"
	# shellcheck disable=SC2086 # a list
	kill -STOP $all
	soon is_stopped "$p"
	kill "$other"
	soon eval '! test -e "/proc/$other/exe"'
	kill -USR1 "$program"
	soon eval '! test -e "/proc/$program/exe"'
	# shellcheck disable=SC2086
	kill -CONT $all
	ends 8 "$p"
	verb 0 kill "$name"
	gone
}
story 'exec: children that its caller has left it' exec_children

# the guest's own files as traps: one line, and at once
exec_hostile() {
	own_root
	conf "$@"
	background -- sleep 1000
	etc=$root/etc
	quick() {
		begun=$(date +%s%3N)
		verb 125 exec "$@"
		took=$(($(date +%s%3N) - begun))
		[ "$took" -lt "$((1000 * slow))" ] || wrong 'at once' "$took ms"
		lines 1
	}
	echo 'ann:x:1000:1000::/:/bin/sh' >"$etc/passwd"
	rm -f "$etc/group"
	mkfifo "$etc/group"
	quick -u ann "$name" true
	says "container's /etc/group is not a regular file"
	rm -f "$etc/group" "$etc/passwd"
	mkfifo "$etc/passwd"
	quick -u ann "$name" true
	says "container's /etc/passwd is not a regular file"
	rm "$etc/passwd"
	ln -s /dev/zero "$etc/passwd"
	quick -u ann "$name" true
	says "container's /etc/passwd is not a regular file"
	quick "$name"
	rm "$etc/passwd"
	truncate -s 1G "$etc/passwd"
	quick -u ann "$name" true
	says "container's /etc/passwd is larger than 1048576 bytes"
	truncate -s 0 "$etc/passwd"
	head -c 500000 /dev/urandom >"$etc/passwd"
	quick -u ann "$name" true
	says 'there is no user ann'
	printf '%s\n' 'ann:x:4294967296:0::/:/bin/sh' 'ann:x:-1:0::/:/bin/sh' \
		'ann:x:0x0:0::/:/bin/sh' 'ann:x: 0:0::/:/bin/sh' \
		'ann:x:4294967295:0::/:/bin/sh' 'ann:x::0::/:/bin/sh' \
		'ann:x:0' 'ann' ':::::::' 'ann:x:0:0::/' >"$etc/passwd"
	quick -u ann "$name" true
	says 'there is no user ann'
	# a folder of the host that crun has open, and from there its files
	i=3
	while [ "$i" -lt 12 ]; do
		for up in '' .. ../.. ../../..; do
			ln -sf "/proc/self/fd/$i/$up/etc/passwd" "$etc/passwd"
			quick -u games "$name" true
			says "reading the container's /etc/passwd: .*ymbolic link|there is no user"
			says_not 'Permission|Not a dir'
		done
		i=$((i + 1))
	done
	rm "$etc/passwd"
	ln -s loop "$etc/loop"
	ln -s loop "$etc/passwd"
	quick -u ann "$name" true
	says "reading the container's /etc/passwd: "
	verb 0 exec "$name" true
	verb 0 kill "$name"
	gone
}
story 'exec: a hostile passwd' exec_hostile
story 'exec: a hostile passwd, nesting=yes' exec_hostile nesting=yes

exec_devpts() {
	conf "$@"
	background -- sleep 1000
	verb 0 exec "$name" sh -c 'mkdir /tmp/pts; ln -s /dev/null /tmp/pts/ptmx
		mount -o bind /tmp/pts /dev/pts'
	want 125 "$pty" wait -- "$crun" exec "$name" true
	prints_like "opening the container's /dev/pts/ptmx: Symbolic link loop"
	verb 0 exec "$name" sh -c 'rm /tmp/pts/ptmx; mkfifo /tmp/pts/ptmx'
	want 125 "$pty" wait -- "$crun" exec "$name" true
	prints_like "the container's /dev/pts is no devpts"
	verb 0 exec "$name" sh -c 'rm /tmp/pts/ptmx; : >/tmp/pts/ptmx
		mount -o bind /dev/null /tmp/pts/ptmx'
	want 125 "$pty" wait -- "$crun" exec "$name" true
	prints_like "the container's /dev/pts is no devpts"
	verb 0 exec "$name" sh -c 'umount /tmp/pts/ptmx; rm /tmp/pts/ptmx'
	want 125 "$pty" wait -- "$crun" exec "$name" true
	prints_like "ptmx: No such file"
	verb 0 exec "$name" true </dev/null
	verb 0 kill "$name"
	gone
}
story -k 'exec: (wall 2) a devpts that is none' exec_devpts
story -k 'exec: (wall 2) a devpts that is none, nesting=yes' exec_devpts nesting=yes

# a guest that freezes its init's group, where the program would be born
exec_frozen_group() {
	os_conf
	background --ready
	verb 0 exec "$name" sh -c 'cd /sys/fs/cgroup && mkdir x y &&
		echo $$ >y/cgroup.procs && echo 1 >x/cgroup.procs &&
		echo 1 >x/cgroup.freeze'
	begun=$(date +%s%3N)
	verb 125 exec "$name" true
	took=$(($(date +%s%3N) - begun))
	says "^crun: $name does not answer: joining it takes longer than 1000 ms"
	[ "$took" -lt "$((2500 * slow))" ] || wrong 'in a second' "$took ms"
	begun=$(date +%s%3N)
	verb 137 stop -t 1 "$name"
	took=$(($(date +%s%3N) - begun))
	[ "$took" -lt "$((3000 * slow))" ] || wrong 'within 3 s' "$took ms"
	gone
}
story -c 'exec: a guest that has frozen its init' exec_frozen_group

# A file system of the guest that nobody serves: a passwd(5), or a program, that
# nothing but a signal ends the reading of.
exec_unserved() {
	[ -c /dev/fuse ] || skip 'this kernel has no /dev/fuse'
	conf device=/dev/fuse
	background -- sleep 1000
	verb 0 exec "$name" sh -c 'mkdir /tmp/f; for dir in /tmp/f /etc; do
		exec 3<>/dev/fuse; sleep 1000 &
		mount -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 \
			none $dir
		done'
	for n in 15 2 1; do
		"$crun" exec "$name" /tmp/f/program >out 2>err &
		pid=$!
		soon eval 'pgrep -P "$pid" >/dev/null && sleep 0.3'
		kill -0 "$pid" || wrong 'it waits' "$(cat err)"
		kill -"$n" "$pid"
		rc=0
		wait "$pid" || rc=$?
		is status "$((128 + n))" "$rc"
		says "^crun: $name: signal $n before the program ran"
		lines 1
		soon nobody_execs
	done
	begun=$(date +%s%3N)
	verb 125 exec -u ann "$name" true
	took=$(($(date +%s%3N) - begun))
	says "^crun: $name does not answer: .* takes longer than 1000 ms"
	[ "$took" -lt "$((2000 * slow))" ] || wrong 'in a second' "$took ms"
	verb 0 kill "$name"
	gone
}
nobody_execs() {
	! pgrep -f "exec $name /tmp/f/program" >/dev/null
}
story -k 'exec: a program on a file system that does not answer' exec_unserved

# a name that looks like the fields that follow it in /proc/PID/stat
exec_renamed() {
	os_conf init=/strange
	printf '%s\n' '#!/bin/sh' 'trap "exit 0" TERM' \
		'printf "x) R 1 1 1" >/proc/self/comm' 'echo up' \
		'while :; do sleep 0.1; done' >"$root/strange"
	chmod 755 "$root/strange"
	background
	soon grep -q up "/run/crun-os/$name/log"
	grep -q 'x) R 1 1 1' "/proc/$init/comm" ||
		wrong 'the name' "$(cat "/proc/$init/comm")"
	verb 0 exec "$name" true
	is pid "$init" "$(fact pid)"
	verb 0 stop -t 5 "$name"
	gone
}
story -k 'exec: a PID 1 that renames itself' exec_renamed

# many at once, each with its own output and status
exec_many() {
	conf
	background -- sleep 1000
	head -c "$((10 << 20))" /dev/urandom >"$root/big"
	total=$((races * 2)) batch=20
	i=0
	while [ "$i" -lt "$total" ]; do
		pids='' b=0
		while [ "$b" -lt "$batch" ]; do
			{
				rc=0
				"$crun" exec "$name" sh -c "cat /big
					exit $(((i + b) % 200))" \
					2>err.$b </dev/null || rc=$?
				echo "$rc" >rc.$b
			} | cmp - "$root/big" >cmp.$b 2>&1 &
			b=$((b + 1))
			pids="$pids $!"
		done
		b=0
		for p in $pids; do
			wait "$p" || wrong 'the same bytes' \
				"$(cat cmp.$b err.$b)"
			is "status of number $((i + b))" $(((i + b) % 200)) \
				"$(cat rc.$b)"
			b=$((b + 1))
		done
		i=$((i + batch))
	done
	rm "$root/big"
	# and a hundred side by side
	pids='' b=0
	while [ "$b" -lt 100 ]; do
		"$crun" exec "$name" sh -c "exit $((b + 10))" </dev/null &
		pids="$pids $!"
		b=$((b + 1))
	done
	b=0
	for p in $pids; do
		rc=0
		wait "$p" || rc=$?
		is "status of number $b" "$((b + 10))" "$rc"
		b=$((b + 1))
	done
	is 'processes left' 2 "$(fact pids)"
	[ "$(find "/proc/$sup/fd" -mindepth 1 | wc -l)" -lt 40 ] ||
		wrong 'no file of the supervisor left' "$(ls -l "/proc/$sup/fd")"
	verb 0 kill "$name"
	gone
}
limit=280
story 'exec: hundreds, 10 MiB of output each' exec_many

# What the program's process says is heard although it has died with a word of
# the command's unread, which the socket tells first (ECONNRESET).
exec_failed_late() {
	need strace
	conf
	background -- sleep 1000
	want 125 strace -f -qq -o trace -e trace=recvfrom,recvmsg \
		-e inject=recvfrom:error=ENOMEM:delay_enter=300000:when=1 \
		-e inject=recvmsg:delay_enter=100000 \
		"$crun" exec "$name" true
	says "^crun: $name: waiting for the command: "
	lines 1
	verb 0 kill "$name"
	gone
}
story 'exec: a program that fails when it is to go on' exec_failed_late
