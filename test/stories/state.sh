# state.sh - what stands in the run-time folder, and dead supervisors.

state_folder() {
	conf bridge="$br"
	idle
	is 'modes' '700 700' "$(stat -c %a /run/crun-os "/run/crun-os/$name" |
		xargs)"
	is pid "$init" "$(init_of "$name")"
	is 'start time' "$(awk '{ print $22 }' "/proc/$init/stat")" \
		"$(sed -n '1s/.* //p' "/run/crun-os/$name/pid")"
	grep -q "^cgroup .*/crun-os/$name\$" "/run/crun-os/$name/host"
	grep -q '^link cr' "/run/crun-os/$name/host"
	down
	[ ! -e /run/crun-os ] || wrong 'no /run/crun-os' "$(ls -RA /run/crun-os)"
}
story -k 'state: /run/crun-os/NAME while it runs, and nothing afterwards' \
	state_folder

state_kill() {
	conf bridge="$br" ip="$net.2/24" memory=64M
	idle
	kill -KILL "$sup"
	tries=0
	while [ -e "/proc/$init" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || wrong 'gone within 1 s' 'there'
		sleep 0.01
	done
	ends 137 "$sup"
	inside "ping -c 1 -W 3 $net.1 >/dev/null && echo ok"
	prints ok
	says "^crun: $name: removing what a killed supervisor left\$"
}
story -c 'state: a killed supervisor takes the container along' state_kill

state_kill_os() {
	os_conf bridge="$br" ip="$net.2/24"
	os_up
	kill -KILL "$sup"
	soon test ! -e "/proc/$init"
	ends 137 "$sup"
	os_up
	kill "$sup"
	ends 0 "$sup"
}
story -c 'state: an OS of a killed supervisor starts again' state_kill_os

# whoever waits hears how it ended, and not that it was killed
state_second_life() {
	os_conf init=/sbin/once
	printf '#!/bin/sh\necho up; read -r word\nrm /sbin/once; reboot -f\n' \
		>root/sbin/once
	chmod 755 root/sbin/once
	background
	"$crun" wait "$name" >wait.out 2>wait.err &
	waiter=$!
	waits "$waiter"
	want 0 "$pty" expect:up 'send:go\r' wait -- "$crun" console "$name"
	rc=0
	wait "$waiter" || rc=$?
	is 'status of crun wait' 127 "$rc"
	is 'what crun wait says' '' "$(cat wait.err)"
	gone
	printf '#!/bin/sh\nrm /sbin/once; reboot -f\n' >root/sbin/once
	chmod 755 root/sbin/once
	run 125 -d --ready
	says "$name ended with status 127 before it was ready"
}
story -k 'state: an OS that does not begin again' state_second_life

# An init that outlives its supervisor, and makes groups without end.
state_groups_made() {
	os_conf init=/sbin/groups
	cp "$probe" root/probe
	printf '%s\n' '#!/bin/sh' 'cd /sys/fs/cgroup && mkdir a b c && echo made' \
		'for i in a b c; do while :; do mkdir $i/1 $i/2 $i/3; done & done' \
		'while :; do sleep 1000; done' >root/sbin/groups.sh
	printf '#!/bin/sh\nexec /probe survive sh /sbin/groups.sh 2>/dev/null\n' \
		>root/sbin/groups
	chmod 755 root/sbin/groups
	background
	soon grep -q made "/run/crun-os/$name/log"
	kill -KILL "$sup"
	soon test ! -e "/proc/$sup/exe"
	[ -e "/proc/$init/exe" ] || wrong 'the init lives on' 'it ended'
	secs=$((8 * slow)) verb 0 clean
	soon test ! -e "/proc/$init/exe"
	says "$name"
}
story -c 'state: an init that outlives its supervisor, and makes groups' \
	state_groups_made

# range_at PID: where the range of that init is marked
range_at() {
	echo $(($(awk '{ print ($2 - 1879048192) / 65536 }' \
		"/proc/$1/uid_map") + 1))
}

# Its ids are nobody else's before it is gone.  That a second name would have
# had the same ones is made up.
state_ids_kept() {
	ids=/run/crun-os/.marker
	os_conf init=/sbin/stays
	cp "$probe" root/probe
	printf '#!/bin/sh\nexec /probe survive sleep 1000\n' >root/sbin/stays
	chmod 755 root/sbin/stays
	background
	soon grep -q sleep "/proc/$init/cmdline"
	at=$(range_at "$init")
	kill -KILL "$sup"
	soon test ! -e "/proc/$sup/exe"
	[ -e "/proc/$init/exe" ] || wrong 'the init lives on' 'it ended'
	orphan=$init
	is 'the mark of its ids' x "$(tail -c +$((at + 1)) $ids | head -c 1)"

	name=$name-b
	conf
	idle
	own=$(range_at "$init")
	down
	printf x | dd of=$ids bs=1 seek="$own" conv=notrunc 2>/dev/null
	idle
	[ "$(range_at "$init")" != "$own" ] || wrong 'other ids' "$own"
	down
	printf '\000' | dd of=$ids bs=1 seek="$own" conv=notrunc 2>/dev/null

	secs=$((8 * slow)) verb 0 clean
	soon test ! -e "/proc/$orphan/exe"
	[ ! -e $ids ] || wrong 'no file of ids' "$(tr -d '\000' <$ids)"
}
story -k 'state: the ids of an init that outlives its supervisor' state_ids_kept

# A range that becomes another's between the look at it and its lock.
state_ids_race() {
	need strace
	conf
	marker=/run/crun-os/.marker
	calls='-e trace=pread64,fcntl -e signal=none'
	# shellcheck disable=SC2086 # words
	want 0 strace -qq -o first $calls "$crun" -c c.conf -- cat \
		/proc/self/uid_map
	at=$(awk '{ print ($2 - 1879048192) / 65536 + 1 }' out)
	n=$(grep -n "F_WRLCK.*l_start=$at," first | head -n 1)
	before=$((${n%%:*} - 1))
	when=$(head -n "$((before + 1))" first | grep -c ^fcntl)
	# shellcheck disable=SC2086 # words
	strace -qq -o second $calls \
		-e inject=fcntl:delay_enter=3000000:when="$when" \
		"$crun" -c c.conf -- cat /proc/self/uid_map >out 2>err &
	pid=$!
	echo "$pid" >>kids
	soon sh -c "[ \$(wc -l <second) -ge $before ]"
	printf x | dd of=$marker bs=1 seek="$at" conv=notrunc 2>/dev/null
	ends 0 "$pid"
	is 'its range' "$((at + 1))" \
		"$(awk '{ print ($2 - 1879048192) / 65536 + 1 }' out)"
	printf '\000' | dd of=$marker bs=1 seek="$at" conv=notrunc 2>/dev/null
	verb 0 clean
	[ ! -e /run/crun-os ] || wrong 'no /run/crun-os' "$(ls -RA /run/crun-os)"
}
story -k 'state: a range of ids is looked at when it is locked' state_ids_race

# What a life after a reboot has is written down as in the first.
state_ids_reboot() {
	os_conf
	background --ready
	ids=$(fact ids)
	[ "$ids" ] || wrong 'a range' 'none'
	verb 0 reboot "$name"
	is ids "$ids" "$(fact ids)"
	grep -q "^ids $ids\$" "/run/crun-os/$name/host"
	init=$(fact pid)
	kill -KILL "$sup"
	soon test ! -e "/proc/$init"
	verb 0 clean
	[ ! -e /run/crun-os ] || wrong 'no /run/crun-os' "$(ls -RA /run/crun-os)"
}
story -k 'state: the range of ids is freed after a reboot too' state_ids_reboot

# A folder and a group of our names, with things in them, but without our mark.
state_foreign() {
	conf
	mkdir -m 700 /run/crun-os
	mkdir "/run/crun-os/$name"
	for f in pid host conf console lock log; do
		echo "link $br" >"/run/crun-os/$name/$f"
	done
	for v in '-c c.conf -- true' "stat $name" list clean "kill $name"; do
		# shellcheck disable=SC2086 # words
		want 125 "$crun" $v
		lines 1
		says "^crun: /run/crun-os is somebody else's: .*STATEDIR"
	done
	is files 'conf console host lock log pid' \
		"$(cd "/run/crun-os/$name" && echo * | xargs)"
	rm -r /run/crun-os
}
story -k 'state: a run-time folder without the marker is left alone' state_foreign

cgroup_foreign() {
	conf
	dir=
	for d in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/pids; do
		[ -e "$d/cgroup.procs" ] && [ ! -e "$d/crun-os" ] && dir=$d
	done
	[ "$dir" ] || skip 'no cgroup here, or another crun runs'
	mkdir "$dir/crun-os" "$dir/crun-os/$name"
	sleep 1000 &
	other=$!
	echo "$other" >>kids
	echo "$other" >"$dir/crun-os/$name/cgroup.procs"
	rc=0
	(
		run 125 -- true
		lines 1
		says "^crun: $dir/crun-os is somebody else's: .*CGROUP_TOP"
		# written down by a supervisor that was killed before it looked
		mkdir -p "/run/crun-os/$name"
		: >/run/crun-os/.marker
		: >"/run/crun-os/$name/lock"
		echo "cgroup $dir/crun-os/$name" >"/run/crun-os/$name/host"
		verb 0 clean
		[ -e "/proc/$other/exe" ] || wrong 'it lives' 'killed'
	) || rc=$?
	kill "$other"
	wait "$other" || :
	rmdir "$dir/crun-os/$name" "$dir/crun-os"
	exit "$rc"
}
story -cs 'state: a group without the mark is left alone' cgroup_foreign

# The other program of that name: neither sees the other's containers.
state_beside() {
	[ -x /usr/bin/crun ] || skip 'no /usr/bin/crun here'
	conf
	idle
	theirs=$(/usr/bin/crun list -q 2>/dev/null || :)
	is 'what the other lists' '' "$(echo "$theirs" | grep -x "$name" || :)"
	/usr/bin/crun delete -f "$name" >out 2>&1 || :
	[ -e "/run/crun-os/$name/lock" ] || wrong 'our folder' 'removed'
	verb 0 list -q
	prints "$name"
	mkdir -p /run/crun/other/deep
	echo 1 >/run/crun/other/pid
	verb 0 clean
	lines 0
	is 'theirs' 1 "$(cat /run/crun/other/pid)"
	rm -r /run/crun
	down
}
story -cs "state: beside Red Hat's crun" state_beside
# need_frozen_disk: $root is now a copy on a disk of its own, without folders to
# mount on, which nothing can write to until it is thawed
need_frozen_disk() {
	need mke2fs losetup fsfreeze
	truncate -s 64M image
	mke2fs -q -t ext4 image
	mkdir disk
	loop=$(losetup -f --show image)
	cat >undo <<-END
	fsfreeze -u "$t/disk" 2>/dev/null
	tries=0
	until umount "$t/disk" || [ "\$tries" -eq 100 ]; do
		tries=\$((tries + 1))
		sleep 0.02
	done
	losetup -d "$loop"
	END
	mount "$loop" disk
	cp -a "$root" disk/root
	root=$t/disk/root
	rm -rf "$t/disk/root/proc" "$t/disk/root/sys" "$t/disk/root/dev"
	fsfreeze -f disk
}

# in_state LETTER PID: of a child of that process
in_state() {
	child=$(pgrep -P "$2") && grep -q "^State:.$1" "/proc/$child/status"
}

state_frozen_disk() {
	need_frozen_disk
	conf
	"$crun" -c c.conf -- true 2>err &
	sup=$!
	echo "$sup" >>kids
	soon in_state D "$sup"
	begun=$(date +%s%3N)
	kill "$sup"
	secs=15 ends 143 "$sup"
	lasts_patience
	says "^crun: $name: stopped by signal 15 while starting\$"
	says "^crun: $name: .*/crun-os/$name: pid $child \(crun\) does not die: it is in uninterruptible sleep \(D\), until a file system or a device answers; left to crun clean\$"
	lines 2
	fsfreeze -u disk
	soon test ! -e "/proc/$child/exe"
	verb 0 clean
	says "^crun: $name: removed what a killed supervisor left\$"
	[ ! -e /run/crun-os ] || wrong 'no /run/crun-os' "$(ls -RA /run/crun-os)"
}
story -cs 'state: a start on a file system that does not answer' \
	state_frozen_disk

state_ids_locked() {
	ids=/run/crun-os/.marker
	conf
	mkdir -m 700 /run/crun-os
	: >$ids
	"$probe" lock $ids >held &
	holder=$!
	echo "$holder" >>kids
	soon grep -q ok held
	kill -STOP "$holder"
	why="/run/crun-os/.marker is locked: pid $holder \(probe\) does not let go of it: it is stopped \(T\); kill -CONT $holder lets it go on"

	"$crun" -c c.conf -- true 2>err &
	sup=$!
	echo "$sup" >>kids
	soon pgrep -P "$sup"
	kill "$sup"
	secs=2 ends 143 "$sup"
	says "^crun: $name: stopped by signal 15 while starting; $why\$"
	lines 1

	begun=$(date +%s%3N)
	run 125 -- true
	lasts_patience
	says "^crun: $name: $why\$"
	lines 1

	# and not who runs and has another byte of it
	printf 'name=%s-b\nrootfs=%s\n' "$name" "$root" >b.conf
	kill -KILL "$holder"
	file=b.conf up -- sh -c 'echo up; exec sleep 1000'
	other=$sup
	"$probe" lock $ids >held.2 &
	holder=$!
	echo "$holder" >>kids
	soon grep -q ok held.2
	kill -STOP "$holder"
	run 125 -- true
	says "^crun: $name: /run/crun-os/.marker is locked: pid $holder "
	kill "$other"
	kill -KILL "$holder"
	ends 143 "$other"
	[ -e /run/crun-os ] || mkdir -m 700 /run/crun-os
	: >>$ids
	"$probe" lock $ids >held.3 &
	holder=$!
	echo "$holder" >>kids
	soon grep -q ok held.3
	kill -STOP "$holder"

	# one that lets go of it is waited for
	"$crun" -c c.conf -- true 2>err &
	sup=$!
	echo "$sup" >>kids
	soon pgrep -P "$sup"
	kill -KILL "$holder"
	ends 0 "$sup"
	lines 0
	[ ! -e /run/crun-os ] || wrong 'no /run/crun-os' "$(ls -RA /run/crun-os)"
}
story -kw 'state: the lock of the ids is held by a stopped process' \
	state_ids_locked

# nothing is said, but that a dead supervisor's things were removed
quiet() {
	grep -v "^crun: $name: removing what a killed supervisor left\$" err \
		>said || return 0
	wrong 'nothing on standard error' "$(cat said)"
}

state_kill_moments() {
	conf bridge="$br" ip="$net.2/24" memory=64M pids=50 \
		bind=/etc:/mnt rlimit.core=0
	i=0
	while [ "$i" -lt 30 ]; do
		"$crun" -c c.conf -- sleep 1000 >up.out 2>up.err </dev/null &
		sup=$!
		sleep "$(printf '0.%04d' "$((i * 4))")"
		kill -KILL "$sup"
		wait "$sup" 2>/dev/null || :
		run 0 -- true
		quiet
		i=$((i + 1))
	done
}
story -k 'state: a supervisor killed at 30 moments of its start' \
	state_kill_moments

state_kill_calls() {
	need strace
	conf bridge="$br" ip="$net.2/24"
	for call in mkdirat openat clone3 sendto mount_setattr fsmount \
		fcntl write move_mount unlinkat rename; do
		for n in 1 2 3 5 8; do
			timeout 10 strace -qq -o /dev/null -e \
				"inject=$call:signal=KILL:when=$n" \
				"$crun" -c c.conf -- true >out 2>err || :
			run 0 -- true
			quiet
		done
	done
}
limit=120
story -k 'state: a supervisor killed in its system calls' state_kill_calls

# a call that fails: a line, nothing left, never a running init
state_failing_calls() {
	need strace
	conf bridge="$br" ip="$net.2/24" memory=64M
	for call in clone3 mkdirat openat2 open_tree mount_setattr fsopen \
		fsmount move_mount sendto pipe2 fchownat fcntl socket \
		close_range signalfd4 setgroups pivot_root \
		prctl sethostname; do
		for errno in ENOMEM EPERM; do
			rc=0
			timeout 10 strace -f -qq -o trace -e \
				"inject=$call:error=$errno:when=1" \
				"$crun" -c c.conf -- echo ran >out 2>err || rc=$?
			cmd="crun with $call failing by $errno"
			[ "$rc" -ne 124 ] || wrong 'an end' none
			case $rc in
			0) [ "$call" = prctl ] || grep -q INJECTED trace ||
				continue ;;
			2 | 125 | 126) lines 1 && prints '' ;;
			*) wrong 'status 125' "$rc" ;;
			esac
			run 0 -- true
			lines 0
		done
	done
}
limit=120
story -k 'state: a start whose system calls fail' state_failing_calls

state_stale() {
	conf
	mkdir -p "/run/crun-os/$name"
	: >/run/crun-os/.marker
	sleep 1000 &
	other=$!
	echo "$other" >>kids
	echo "$other 1" >"/run/crun-os/$name/pid"
	: >"/run/crun-os/$name/lock"
	echo 'link crnosuch' >"/run/crun-os/$name/host"
	run 0 -- true
	[ -e "/proc/$other/exe" ] || wrong 'it lives' 'killed'
	kill "$other"
	ends 143 "$other"
	[ ! -e /run/crun-os ] || wrong 'no /run/crun-os' "$(ls -RA /run/crun-os)"
}
story -k 'state: a stale folder with the pid of another process' state_stale

# the one that wins waits in its program until the other has ended
state_two_starts() {
	conf
	mkfifo go over
	exec 3<>go 4<>over
	i=0
	while [ "$i" -lt "$races" ]; do
		for n in a b; do
			{
				rc=0
				timeout 20 "$crun" -c c.conf -- \
					sh -c 'echo ran; read -r x' <&3 \
					>"$n.out" 2>"$n.err" || rc=$?
				echo "$rc" >&4
			} &
		done
		read -r first <&4
		echo go >&3
		read -r second <&4
		wait
		cat a.out b.out >out
		cat a.err b.err >err
		is "of pair $i" '125, then 0' "$first, then $second"
		prints ran
		says "^crun: $name is already running"
		lines 1
		i=$((i + 1))
	done
}
limit=$((120 + races / 4))
story -k 'state: of two starts of a name at once, one wins' state_two_starts

state_parallel() {
	i=0
	while [ "$i" -lt 16 ]; do
		i=$((i + 1))
		printf '%s\n' "name=$name-$i" "rootfs=$root" "bridge=$br" \
			"ip=$net.$((i + 10))/24" pids=50 >"$i.conf"
	done
	round=0
	while [ "$round" -lt 5 ]; do
		round=$((round + 1))
		pids=
		i=0
		while [ "$i" -lt 16 ]; do
			i=$((i + 1))
			timeout 20 "$crun" -c "$i.conf" -- true \
				>/dev/null 2>"$i.err" &
			pids="$pids $!"
		done
		for p in $pids; do
			wait "$p" || wrong 'status 0' "$(cat ./*.err)"
		done
	done
}
story -k 'state: sixteen containers start and end at once' state_parallel

state_many() {
	conf bridge="$br" ip="$net.2/24" memory=64M pids=50
	i=0
	while [ "$i" -lt 50 ]; do
		run 0 -- true
		lines 0
		i=$((i + 1))
	done
}
story -k 'state: fifty starts and ends leave nothing' state_many

# of the program itself the kernel maps 64 KiB at a time, and where those begin
# is chance
is_small() {
	kb=$(awk '/^Private_(Clean|Dirty)/ { n += $2 } END { print n }' \
		"/proc/$1/smaps_rollup")
	[ "$kb" -lt 400 ]
}

state_memory() {
	os_conf bridge="$br" ip="$net.2/24" memory=64M
	os_up
	soon is_small "$sup"
	is 'threads' 1 "$(find "/proc/$sup/task" -mindepth 1 -maxdepth 1 |
		wc -l)"
	kill "$sup"
	ends 0 "$sup"
}
story -k 'state: the supervisor has less than 400 KiB of its own' state_memory

state_fds() {
	conf
	idle
	ls -l "/proc/$sup/fd" >fds
	n=$(grep -c -e '->' fds)
	[ "$n" -lt 40 ] || wrong 'fewer than 40 files' "$(cat fds)"
	down
}
story -k 'state: the supervisor has few files open' state_fds

state_idle() {
	os_conf
	os_up
	sleep 0.5
	before=$(awk '/^(non)?voluntary/ { n += $2 } END { print n }' \
		"/proc/$sup/status")
	sleep 1
	after=$(awk '/^(non)?voluntary/ { n += $2 } END { print n }' \
		"/proc/$sup/status")
	[ "$((after - before))" -le 2 ] ||
		wrong 'no wake-ups' "$((after - before)) in a second"
	kill "$sup"
	ends 0 "$sup"
}
story -kw 'state: the supervisor sleeps while nothing happens' state_idle

# Nothing is forgotten that is only out of sight.
state_unseen() {
	need_cgroups
	conf memory=64M
	idle
	kill -KILL "$sup"
	soon test ! -e "/proc/$init"
	ends 137 "$sup"
	dir=$(sed -n 's/^cgroup \(\/.*\)\/crun-os\/.*/\1/p' \
		"/run/crun-os/$name/host" | tail -n 1)
	[ "$dir" ] || skip 'no group of the host'
	want 0 unshare -m sh -c 'umount -l "$1"; exec "$2" clean' - "$dir" "$crun"
	says "^crun: $name: the cgroup $dir/crun-os/$name cannot be removed, as its hierarchy is not mounted here; not removed\$"
	[ -e "/run/crun-os/$name/host" ] || wrong 'the record' none
	verb 0 clean
	says "^crun: $name: removed what a killed supervisor left\$"
}
story -c 'state: clean, where a hierarchy is not mounted' state_unseen
