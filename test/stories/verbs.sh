# verbs.sh - stop, kill, freeze, wait, reboot and clean by a name.

verb_stop() {
	os_conf bridge="$br" ip="$net.2/24"
	os_up
	verb 0 stop "$name"
	lines 0
	secs=2 ends 0 "$sup"
}
story -k 'verbs: stop powers off in order' verb_stop

verb_stop_many() {
	pids=''
	for n in 1 2 3 4; do
		printf '%s\n' "name=$name-$n" "rootfs=$root" >"$n.conf"
		"$crun" -c "$n.conf" -- sh -c \
			'trap "sleep 1; exit 0" TERM; echo up; sleep 1000 & wait' \
			>"$n.out" 2>"$n.err" </dev/null &
		pids="$pids $!"
		echo "$!" >>kids
		soon grep -q up "$n.out"
	done
	begun=$(date +%s%3N)
	verb 0 stop "$name-1" "$name-2" "$name-3" "$name-4"
	took=$(($(date +%s%3N) - begun))
	[ "$took" -lt "$((3000 * slow))" ] ||
		wrong 'side by side: about a second' "$took ms"
	for p in $pids; do
		ends 0 "$p"
	done
}
story 'verbs: stop of several at once, side by side' verb_stop_many

# what hears nothing is killed in time, and that is said
verb_stop_deaf() {
	conf
	up -- sh -c 'trap "" TERM; echo up; while :; do sleep 1000; done'
	begun=$(date +%s%3N)
	verb 137 stop -t 1 "$name"
	took=$(($(date +%s%3N) - begun))
	if [ "$took" -lt 1000 ] || [ "$took" -ge "$((1000 + 2000 * slow))" ]
	then
		wrong 'after 1 s, within 3 s' "$took ms"
	fi
	says "^crun: $name did not power off in time and was killed\$"
	lines 1
	ends 137 "$sup"
	grep -q "did not power off in 1 s; killed" up.err
}
story -k 'verbs: stop kills what does not end in time' verb_stop_deaf

# who asks later and with more patience does not make the first wait
verb_stop_twice() {
	conf
	up -- sh -c 'trap "" TERM; echo up; while :; do sleep 1000; done'
	begun=$(date +%s%3N)
	"$crun" stop -t 2 "$name" 2>/dev/null &
	first=$!
	sleep 0.5
	"$crun" stop -t 20 "$name" 2>/dev/null &
	second=$!
	ends 137 "$first"
	ends 137 "$second"
	took=$(($(date +%s%3N) - begun))
	[ "$took" -lt "$((2000 + 2000 * slow))" ] ||
		wrong 'within 4 s' "$took ms"
	ends 137 "$sup"
}
story -k 'verbs: stop, and once more with a longer time-out' verb_stop_twice

# an option behind the name does nothing
verb_option_late() {
	conf
	background -- sleep 1000
	for words in "kill $name -s HUP" "stop $name -t 5" "freeze $name -x" \
		"reboot $name -t5" "log $name -f" "console $name -h"; do
		# shellcheck disable=SC2086 # words
		verb 2 $words
		says "^crun: usage: crun ${words%% *} "
		is state running "$(fact state)"
	done
	verb 0 kill "$name"
	gone
}
story 'verbs: an option behind the name is refused' verb_option_late

verb_stop_frozen() {
	os_conf
	os_up
	verb 0 freeze "$name"
	is state frozen "$(fact state)"
	verb 0 list
	prints_like "^$name +frozen "
	verb 0 stop "$name"
	lines 0
	ends 0 "$sup"
}
story -c 'verbs: stop thaws what is frozen' verb_stop_frozen

verb_freeze() {
	conf
	up -- sh -c 'echo up; while :; do echo . ; usleep 10000; done'
	verb 0 freeze "$name"
	n=$(wc -l <up.out)
	sleep 0.3
	is 'lines while frozen' "$n" "$(wc -l <up.out)"
	verb 0 freeze "$name"
	verb 0 thaw "$name"
	is state running "$(fact state)"
	soon sh -c "[ \$(wc -l <up.out) -gt $n ]"
	verb 0 freeze "$name"
	verb 0 kill "$name"
	ends 137 "$sup"
}
story -c 'verbs: freeze, thaw, and kill of what is frozen' verb_freeze

# It waits in the kernel for a file system of the guest's own.
verb_freeze_refused() {
	[ -c /dev/fuse ] || skip 'this kernel has no /dev/fuse'
	conf device=/dev/fuse
	background -- sleep 1000
	verb 0 exec "$name" sh -c 'mkdir /tmp/f; exec 3<>/dev/fuse; sleep 1000 &
		mount -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 \
			none /tmp/f
		ls /tmp/f/x 3<&- >/dev/null 2>&1 &'
	secs=10 verb 125 freeze "$name"
	says "^crun: freezing $name: a process in it does not let itself be stopped"
	is state running "$(fact state)"
	verb 0 kill "$name"
}
story -c 'verbs: freeze of what does not let itself be stopped' \
	verb_freeze_refused

# by a cgroup2 that is mounted for the moment
verb_freeze_hidden() {
	[ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ] ||
		skip 'a mount of it anew changes the flags of this host'"'"'s, mount(2)'
	conf
	want 0 unshare -m sh -c 'while read -r _ dir type _; do
			[ "$type" != cgroup2 ] || umount -l "$dir"
		done </proc/mounts
		! grep " cgroup2 " /proc/mounts && "$@"' - "$crun" -c c.conf \
		-d -- sh -c 'while :; do echo . ; usleep 10000; done'
	sup=$(sed -n '2s/ .*//p' "/run/crun-os/$name/pid")
	echo "$sup" >>kids
	is 'its v2 group' "cgroup2:/crun-os/$name" "$(fact cgroup | grep cgroup2)"
	log=/run/crun-os/$name/log
	verb 0 freeze "$name"
	is state frozen "$(fact state)"
	n=$(head -c 8 "$log" | od -t u8)
	sleep 0.3
	is 'printed while frozen' "$n" "$(head -c 8 "$log" | od -t u8)"
	verb 0 thaw "$name"
	is state running "$(fact state)"
	soon sh -c "[ \"\$(head -c 8 $log | od -t u8)\" != \"$n\" ]"
	verb 0 freeze "$name"
	verb 0 kill "$name"
	gone
}
story -c 'verbs: freeze, thaw and kill where no cgroup v2 is mounted' \
	verb_freeze_hidden

verb_kill() {
	conf
	up -- sh -c 'trap "echo hup" HUP; echo up; while :; do sleep 0.1; done'
	verb 0 kill -s HUP "$name"
	soon grep -q hup up.out
	verb 2 kill -s NONE "$name"
	says 'must be a signal'
	verb 0 kill "$name"
	lines 0
	secs=2 ends 137 "$sup"
	verb 125 kill "$name"
	says "no container $name runs"
}
story -c 'verbs: kill' verb_kill

# What ends an OS, a program and one whose init is frozen, while nobody
# continues the supervisor.
verb_kill_stopped() {
	if [ "${1:-}" = os ]; then
		os_conf
		background --ready
	else
		conf
		idle
	fi
	[ "${1:-}" != frozen ] || verb 0 freeze "$name"
	kill -STOP "$sup"
	soon grep -q '^State:.T' "/proc/$sup/status"
	in_time 2000 0 kill "$name"
	lines 0
	[ "${1:-}" = os ] || ends 137 "$sup"
	gone
}
story -c 'verbs: kill, and the supervisor is stopped' verb_kill_stopped
story -c 'verbs: kill, and the supervisor of an OS is stopped' \
	verb_kill_stopped os
story -c 'verbs: kill what is frozen, and the supervisor is stopped' \
	verb_kill_stopped frozen

# One that is frozen does not hear CONT or TERM, and is killed.
verb_kill_stuck() {
	need_v2
	group=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)/$name
	conf bridge="$br" ip="$net.2/24" memory=64M
	idle
	mkdir "$group"
	echo "$sup" >"$group/cgroup.procs"
	echo 1 >"$group/cgroup.freeze"
	soon grep -q 'frozen 1' "$group/cgroup.events"
	in_time 2000 0 kill "$name"
	says "^crun: $name: its supervisor did not end by itself, and was killed"
	lines 1
	ends 137 "$sup"
	gone
	rmdir "$group"
}
story -c 'verbs: kill, and the supervisor does not go on' verb_kill_stuck

verb_stop_stopped() {
	conf
	for v in stop reboot; do
		up -- sh -c 'trap "exit 5" TERM; echo up
			while :; do sleep 0.1; done'
		kill -STOP "$sup"
		soon grep -q '^State:.T' "/proc/$sup/status"
		in_time 3000 0 $v -t 2 "$name"
		[ $v = stop ] || in_time 3000 0 stop -t 2 "$name"
		ends 5 "$sup"
	done
}
story -k 'verbs: stop and reboot continue a supervisor that is stopped' \
	verb_stop_stopped

# A start that hangs, as its child is stopped before the init: by TERM it is
# undone, and where it does not hear that it is killed.
verb_kill_starting() {
	need strace
	conf bridge="$br" ip="$net.2/24" memory=64M
	for state in running stopped; do
		strace -f -qq -o "trace.$state" -e trace=sethostname,execve \
			-e inject=sethostname:signal=STOP \
			"$crun" -c c.conf -- true >up.out 2>up.err &
		tracer=$!
		echo "$tracer" >>kids
		soon grep -q SIGSTOP "trace.$state"
		sup=$(sed 's/ .*//;q' "/run/crun-os/$name/lock")
		[ "$state" = running ] || kill -STOP "$sup"
		in_time 2000 0 kill "$name"
		wait "$tracer" || :
		[ ! -e "/proc/$sup/exe" ] || wrong 'it has ended' 'it lives'
		[ ! -e /run/crun-os ] || wrong 'no folder' "$(ls -RA /run/crun-os)"
	done
}
story -c 'verbs: kill ends a start that hangs' verb_kill_starting

verb_console_stopped() {
	os_conf
	background --ready
	kill -STOP "$sup"
	secs=10 verb 125 console "$name"
	says "^crun: $name: its supervisor does not answer; crun kill $name"
	verb 0 kill "$name"
	gone
}
story -k 'verbs: console of a supervisor that is stopped' verb_console_stopped

verb_wait() {
	for how in 0 7 137; do
		conf
		up -- sh -c 'echo up; sleep 1000; exit 7'
		"$crun" wait "$name" 2>w.err &
		waiter=$!
		waits "$waiter"
		case $how in
		0) verb 0 kill -s TERM "$name" && st=143 ;;
		7) "$crun" kill -s KILL "$name" && st=137 ;;
		137) kill -KILL "$sup" && st=137 ;;
		esac
		ends "$st" "$waiter"
		rc=0
		wait "$sup" || rc=$?
	done
	grep -q 'its supervisor was killed; crun clean' w.err
	verb 0 list
	prints_like "^$name +dead "
	verb 125 stop "$name"
	says "$name does not run: its supervisor was killed; crun clean"
	verb 0 clean
	says "^crun: $name: removed what a killed supervisor left\$"
	lines 1
	[ ! -e /run/crun-os ] || wrong 'no /run/crun-os' "$(ls -RA /run/crun-os)"
	# killed after its folder was gone
	mkdir -m 700 /run/crun-os
	: >/run/crun-os/.marker
	verb 0 clean
	lines 0
	[ ! -e /run/crun-os ] || wrong 'no /run/crun-os' "$(ls -RA /run/crun-os)"
	verb 0 clean
	lines 0
}
story -c 'verbs: wait gives the status, clean removes what is left' verb_wait

verb_reboot() {
	os_conf bridge="$br" ip="$net.2/24"
	os_up
	before=$(for f in ip mac link userns name rootfs; do fact "$f"; done)
	pid=$(fact pid)
	verb 0 reboot "$name"
	lines 0
	[ "$(fact pid)" != "$pid" ] || wrong 'another init' "$pid"
	is 'the same facts' "$before" \
		"$(for f in ip mac link userns name rootfs; do fact "$f"; done)"
	[ -e "/proc/$sup/exe" ] || wrong 'the same supervisor' 'another'
	verb 0 reboot "$name"
	verb 0 stop "$name"
	ends 0 "$sup"
}
story -k 'verbs: reboot, twice, and the same facts afterwards' verb_reboot

verb_reboot_deaf() {
	conf
	up -- sh -c 'trap "" TERM; echo up; while :; do sleep 1000; done'
	verb 137 reboot -t 1 "$name"
	says "$name did not end in time and was killed"
	ends 137 "$sup"
}
story -k 'verbs: reboot of what does not end in time' verb_reboot_deaf

# killed while it waits: the stop goes on, and the next one works
verb_stop_killed() {
	conf
	i=0
	while [ "$i" -lt $((48 / fewer)) ]; do
		background -- sh -c \
			'trap "sleep 0.1; exit 0" TERM; sleep 1000 & wait'
		"$crun" stop "$name" >out 2>err &
		p=$!
		sleep "$(printf '0.%04d' "$((i * 20 * fewer))")"
		kill -KILL "$p" 2>/dev/null || :
		wait "$p" 2>/dev/null || :
		rc=0
		"$crun" stop "$name" >out 2>err || rc=$?
		case $rc in
		0) ;;
		125) says "no container $name runs" ;;
		*) wrong '0 or 125' "$rc" ;;
		esac
		gone
		i=$((i + 1))
	done
}
limit=120
story -kw 'verbs: a stop killed at 50 moments' verb_stop_killed

# the supervisor killed while it stops
verb_supervisor_killed() {
	i=0
	conf bridge="$br" ip="$net.2/24" memory=64M
	while [ "$i" -lt $((48 / fewer)) ]; do
		background -- sh -c \
			'trap "sleep 0.1; exit 0" TERM; sleep 1000 & wait'
		"$crun" stop "$name" >out 2>err &
		p=$!
		sleep "$(printf '0.%04d' "$((i * 30 * fewer))")"
		kill -KILL "$sup" 2>/dev/null || :
		rc=0
		wait "$p" || rc=$?
		case $rc in
		0 | 125) ;;
		*) wrong '0 or 125' "$rc: $(cat err)" ;;
		esac
		soon test ! -e "/proc/$init"
		if [ "$((i % 2))" -eq 0 ]; then
			verb 0 clean
			[ ! -e /run/crun-os ] ||
				wrong 'no /run/crun-os' "$(ls -RA /run/crun-os)"
		fi
		i=$((i + 1))
	done
	verb 0 clean
}
limit=120
story -c 'verbs: a supervisor killed at 50 moments of its end' \
	verb_supervisor_killed

verb_other_user() {
	need setpriv
	conf
	idle
	for v in list 'stat x' 'stop x' 'exec x true' clean; do
		# shellcheck disable=SC2086 # words
		want 125 setpriv --reuid 1000 --clear-groups "$crun" $v
		says 'crun must be started by root, as by sudo'
		lines 1
	done
	down
}
story "verbs: another user is told that it is root's" verb_other_user

verb_nobody() {
	conf
	idle
	for v in stat stop reboot kill freeze thaw wait exec console log; do
		verb 125 "$v" nosuch
		says '^crun: no container nosuch runs; crun list shows'
		lines 1
		verb 125 "$v" "${name}x"
		says "^crun: no container ${name}x runs; did you mean $name?"
		verb 125 "$v" ../crun
		says 'no container ../crun runs'
		verb 2 "$v"
		says "^crun: usage: crun $v .*NAME"
		verb 2 "$v" -Z "$name"
		says "^crun: usage: crun $v .*NAME"
	done
	verb 2 stop -t x "$name"
	says 'must be seconds'
	verb 2 lsit
	says '^crun: unknown verb lsit; did you mean list?'
	verb 2 frobnicate
	says '^crun: unknown verb frobnicate; crun -h lists them'
	down
}
story 'verbs: each says who is not there, and how it is used' verb_nobody

# the stale folder, the recycled pid, the half-written file: never acted on
verb_stale() {
	mkdir -p "/run/crun-os/$name"
	: >/run/crun-os/.marker
	verb 125 stop "$name"
	says "no container $name runs"
	: >"/run/crun-os/$name/lock"
	sleep 1000 &
	other=$!
	echo "$other" >>kids
	start=$(awk '{ print $22 }' "/proc/$other/stat")
	for text in "$other $start" "$other $start
$other $start" "$other" '' 'x'; do
		echo "$text" >"/run/crun-os/$name/pid"
		for v in stop kill reboot wait stat; do
			verb 125 "$v" "$name"
			says "$name does not run: its supervisor was killed"
		done
	done
	rm -r "/run/crun-os/$name"
	conf
	idle
	cp "/run/crun-os/$name/pid" pid
	for text in "$other 1
$sup 1" "$other" "$(head -n 1 pid)
$other 1"; do
		echo "$text" >"/run/crun-os/$name/pid"
		secs=3 rc=0
		timeout 1 "$crun" stop "$name" >out 2>err || rc=$?
		is 'status' 124 "$rc"
	done
	kill -0 "$other" || wrong 'it lives' 'it does not'
	cp pid "/run/crun-os/$name/pid"
	down
	kill "$other"
	ends 143 "$other"
}
story -k 'verbs: stale folders and recycled pids are not acted on' verb_stale

# list and stat while containers come and go
verb_churn() {
	i=0
	while [ "$i" -lt 4 ]; do
		i=$((i + 1))
		(
			n=0
			while [ "$n" -lt "$((60 / fewer))" ]; do
				n=$((n + 1))
				printf '%s\n' "name=$name-$i" "rootfs=$root" |
					"$crun" -c - -- true || break
			done
			: >"done.$i"
		) 2>"churn.$i" &
		echo "$!" >>kids
	done
	n=0
	until [ -e done.1 ] && [ -e done.2 ] && [ -e done.3 ] && [ -e done.4 ]; do
		n=$((n + 1))
		verb 0 list
		lines 0
		is 'half lines' '' "$(awk 'NR > 1 && NF < 7' out)"
		rc=0
		"$crun" stat "$name-1" >out 2>err || rc=$?
		case $rc in
		0) tail -n 1 out | grep -Eq '^(pressure|io)\.' || wrong 'whole' "$(cat out)" ;;
		125) says 'runs; |does not run' ;;
		*) wrong '0 or 125' "$rc" ;;
		esac
		[ "$n" -lt 5000 ] || wrong 'an end' "$(cat churn.*)"
	done
	is 'errors' '' "$(cat churn.*)"
	[ "$n" -ge "$((20 / fewer))" ] || wrong 'many looks' "$n"
}
story -k 'verbs: list and stat while containers come and go' verb_churn

# As where its terminal has stopped it.
verb_ending_stopped() {
	conf
	idle
	kill -STOP "$sup"
	kill -KILL "$init"
	soon eval '"$crun" list | grep -q "^$name *ending "'
	"$crun" wait "$name" 2>wait.err &
	waiter=$!
	waits "$waiter"
	in_time 2000 0 stop "$name"
	ends 137 "$waiter"
	rc=0
	wait "$sup" || rc=$?
	is status 137 "$rc"
}
story -k 'verbs: stop and wait, the init has ended, the supervisor is stopped' \
	verb_ending_stopped

# Why it did not come up again is said by who asked for the reboot.
verb_reboot_failed() {
	os_conf bind="$t/data:/mnt"
	mkdir data
	background --ready
	mv data other
	ln -s other data
	verb 125 reboot "$name"
	says "^crun: $name did not come up again: c.conf:3: bind: $t/data leads to $t/other; name that, "
	lines 1
	gone
}
story 'verbs: reboot says why it did not come up again' verb_reboot_failed

verb_stop_reboot() {
	os_conf stop.timeout=20
	printf '#!/bin/sh\nsleep 2\n' >root/etc/init.d/rcK
	background --ready
	"$crun" stop "$name" >stop.out 2>&1 &
	stop=$!
	waits "$stop"
	soon grep -qa 'down' "/run/crun-os/$name/log"
	verb 125 reboot "$name"
	ends 0 "$stop"
	gone
	conf stop.timeout=20
	background -- sh -c 'trap "echo told; sleep 2; exit 0" TERM; echo up
		while :; do sleep 0.1; done'
	soon grep -qa up "/run/crun-os/$name/log"
	"$crun" stop "$name" >stop.out 2>&1 &
	stop=$!
	soon grep -qa told "/run/crun-os/$name/log"
	verb 125 reboot "$name"
	ends 0 "$stop"
	gone
}
story 'verbs: a stop is not undone by a reboot' verb_stop_reboot
