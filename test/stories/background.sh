# background.sh - in the background: the log, the console.

detach_plain() {
	os_conf bridge="$br" ip="$net.2/24" memory=64M
	background
	lines 0
	prints ''
	is 'its files 0 to 2' '/dev/null /dev/null /dev/null' \
		"$(readlink "/proc/$sup/fd/0" "/proc/$sup/fd/1" \
		"/proc/$sup/fd/2" | xargs)"
	is 'files of the caller' '' "$(find "/proc/$sup/fd" -lname '*/out' \
		-o -lname '*/err' -o -lname '*pipe*')"
	is 'working folder' / "$(readlink "/proc/$sup/cwd")"
	is 'session and terminal' "$sup 0" \
		"$(awk '{ print $6, $7 }' "/proc/$sup/stat")"
	soon grep -q '/ # ' "/run/crun-os/$name/log"
	soon is_small "$sup"
	verb 0 stop "$name"
	gone
}
story 'background: -d returns when the init runs' detach_plain

detach_fails() {
	conf bridge=nosuch
	run 125 -d
	says 'there is no bridge nosuch; make it'
	lines 1
	conf
	run 127 -d init=/nosuch
	says 'init /nosuch: not found'
	lines 1
	conf memory=lots
	run 2 -d
	lines 1
	conf
	background -- sleep 1000
	run 125 -d
	says "^crun: $name is already running, its supervisor is pid $sup; crun stop $name ends it\$"
	lines 1
	verb 0 kill "$name"
	gone
}
story 'background: -d says why it cannot start' detach_fails

# what nobody has read by the time that it lets go of its caller's files is in
# the log
detach_unread() {
	deaf
	conf
	want 0 sh -c '"$@" 2>fifo' - "$crun" -v -d -c c.conf -- sleep 1000
	sup=$(sed -n '2s/ .*//p' "/run/crun-os/$name/pid")
	echo "$sup" >>kids
	is 'files of the caller' '' "$(find "/proc/$sup/fd" -lname '*fifo')"
	tr -d '\r' <"/run/crun-os/$name/log" >err
	says "crun: state: /run/crun-os/$name\$"
	says "^crun: $name: the init runs\$"
	verb 0 kill "$name"
	gone
}
story 'background: a start whose errors nobody reads' detach_unread

# a command that is stopped before its supervisor begins, or at a time near to
# that; it sees the rest when it goes on
detach_stopped() {
	conf
	for ms in 0 1 2 3 5 8; do
		"$crun" -d --ready -c c.conf -- sleep 1000 >out 2>err &
		p=$!
		echo "$p" >>kids
		sleep "0.00$ms"
		kill -STOP "$p"
		# it had no supervisor yet
		pgrep -P "$p" >/dev/null || kill -CONT "$p"
		soon test -e "/run/crun-os/$name/pid"
		kill -STOP "$p"
		verb 0 kill "$name"
		soon test ! -e "/run/crun-os/$name"
		kill -CONT "$p"
		ends 125 "$p"
		cmd="crun -d --ready, stopped after $ms ms"
		says "^crun: $name ended with status 137 before it was ready"
	done
}
story 'background: a command that is stopped holds nothing up' detach_stopped

detach_words() {
	conf
	run 2 --ready
	says '^crun: --ready is for -d$'
	for n in x 0 86401 1x ''; do
		run 2 -d --ready="$n"
		says 'must be seconds'
	done
	run 2 -d --readyness
	says 'unknown option --readyness'
}
story 'background: options that are wrong' detach_words

detach_signal() {
	conf
	"$crun" -d --ready -c c.conf -- sleep 1000 >out 2>err &
	p=$!
	soon test -e "/run/crun-os/$name/pid"
	sup=$(sed -n '2s/ .*//p' "/run/crun-os/$name/pid")
	echo "$sup" >>kids
	sleep 0.3
	kill -TERM "$p"
	ends 143 "$p"
	is state running "$(fact state)"
	verb 0 kill "$name"
	gone
}
story 'background: who waits may be ended, the container runs on' \
	detach_signal

ready_prompt() {
	os_conf
	background --ready
	grep -q '/ # ' "/run/crun-os/$name/log" || wrong 'a prompt' \
		"$(cat "/run/crun-os/$name/log")"
	verb 0 reboot "$name"
	soon grep -q '/ # ' "/run/crun-os/$name/log"
	verb 0 stop "$name"
	gone
}
story -w 'background: --ready waits for a prompt' ready_prompt

ready_notify() {
	conf
	run 0 -d --ready=10 -- sh -c 'echo "$NOTIFY_SOCKET"; sleep 0.5
		probe notify READY=1; exec sleep 1000'
	verb 0 log "$name"
	is 'the socket' /run/host/notify "$(head -n 1 out | tr -d '\r')"
	verb 0 kill "$name"
	# an OS: only its PID 1 is heard, not a service that has inherited it
	os_conf init='/bin/sh /notify' stop.timeout=1
	printf '%s\n' 'trap "exit 0" TERM' 'probe notify READY=1; sleep 1' \
		'echo from PID 1; exec probe notify-stay STATUS=x READY=1' \
		>"$root/notify"
	begun=$(date +%s%3N)
	run 0 -d --ready=10
	[ "$(($(date +%s%3N) - begun))" -ge 1000 ] ||
		wrong 'after a second' 'at once'
	verb 0 log "$name"
	prints_like 'from PID 1'
	verb 0 kill "$name"
}
story 'background: --ready waits for READY=1 of the init' ready_notify

ready_late() {
	conf
	begun=$(date +%s%3N)
	run 125 -d --ready=1 -- sh -c 'echo one; printf "\033[2Jtwo\n"
		exec sleep 1000'
	took=$(($(date +%s%3N) - begun))
	[ "$took" -ge 1000 ] || wrong 'after a second' "$took ms"
	says "^crun: $name is not ready after 1 s, and is left running"
	says "^crun: $name: . one\$"
	says "^crun: $name: . .x1b\\[2Jtwo\$"
	is state running "$(fact state)"
	verb 0 kill "$name"
	run 125 -d --ready=10 -- sh -c 'echo the reason; exit 3'
	says "^crun: $name ended with status 3 before it was ready; it printed last: the reason\$"
	[ ! -e "/run/crun-os/$name" ] || soon test ! -e "/run/crun-os/$name"
}
story 'background: --ready that is not, and why' ready_late

# the last of it, whatever came before
background_ready_last() {
	conf
	run 125 -d --ready="$slow" -- sh -c 'head -c 20000 /dev/zero | tr "\0" x
		echo; printf "on\0e\nTHE-REASON\n"; exec sleep 1000'
	says "^crun: $name: \| THE-REASON\$"
	says "^crun: $name: \| on e\$"
	sup=$(sed -n '2s/ .*//p' "/run/crun-os/$name/pid")
	verb 0 kill "$name"
	gone
	run 125 -d --ready=5 -- sh -c 'printf "on\0e\nTHE-REASON\n"; exit 3'
	says 'printed last: one THE-REASON'
}
story 'background: --ready shows the last lines, long ones and NULs too' \
	background_ready_last

log_story() {
	conf
	background -- sh -c 'i=0; while [ $i -lt 100 ]; do echo line $i
		i=$((i + 1)); done; printf "a\033[1mb\tc\n"
		until [ -e /run/go ]; do sleep 0.02; done; echo last'
	soon grep -q 'a.*b' "/run/crun-os/$name/log"
	verb 0 log "$name"
	is lines 101 "$(wc -l <out)"
	is 'as it was printed' "$(printf 'a\033[1mb\tc\r')" "$(tail -n 1 out)"
	want 0 "$pty" wait -- "$crun" log "$name"
	is 'escaped on a terminal' "$(printf 'a\\x1b[1mb\tc')" \
		"$(tail -n 1 out | tr -d '\r')"
	want 0 "$pty" wait -- "$crun" log -r "$name"
	is 'raw with -r' "$(printf 'a\033[1mb')" \
		"$(tail -n 1 out | tr -d '\r' | cut -c1-6)"
	"$crun" log -f "$name" >out 2>err &
	follower=$!
	soon eval '[ "$(wc -l <out)" = 101 ]'
	"$crun" exec "$name" touch /run/go
	ends 0 "$follower"
	is 'followed to the end' last "$(tail -n 1 out | tr -d '\r')"
	is lines 102 "$(wc -l <out)"
	soon test ! -e "/run/crun-os/$name"
	verb 125 log "$name"
	says "no container $name runs"
}
story 'background: log, and log -f to the end' log_story

# numbered lines, so that what is kept can be judged
log_ring() {
	conf console.log=64K
	background -- sh -c 'i=0; while [ $i -lt 30000 ]; do echo line $i
		i=$((i + 1)); done; echo end; exec sleep 1000'
	soon sh -c "$crun log $name | tail -n 1 | grep -q end"
	verb 0 log "$name"
	size=$(stat -c %s "/run/crun-os/$name/log")
	[ "$size" -le 65536 ] || wrong 'under its cap' "$size"
	kept=$(wc -c <out)
	[ "$kept" -ge 61000 ] || wrong '61000 bytes kept' "$kept"
	tr -d '\r' <out | sed '1d;$d' | awk 'NR > 1 && $2 != n + 1 {
		print "after", n, "comes", $2 } { n = $2 }' >gaps
	is 'gaps' '' "$(cat gaps)"
	verb 0 kill "$name"
	gone
}
story 'background: the log keeps the last console.log bytes' log_ring

# flooded: what the supervisor had at most, and the log
flooded() {
	kb=$(awk '/^VmHWM/ { print $2 }' "/proc/$sup/status")
	[ "$kb" -lt 8192 ] || wrong 'less than 8 MiB' "$kb KiB"
	size=$(stat -c %s "/run/crun-os/$name/log")
	[ "$size" -le 65536 ] || wrong 'under its cap' "$size"
}

# a guest that prints without end: small, capped, still to be spoken to and
# stopped, after 2 s or, so that it may be longer, CRUN_FLOOD bytes (10G)
log_flood() {
	flood=$(($(echo "${CRUN_FLOOD:-1M}" |
		sed 's/K$/ << 10/; s/M$/ << 20/; s/G$/ << 30/')))
	conf console.log=64K
	background -- sh -c 'exec yes "$(printf %01000d 7)"'
	"$crun" log -f "$name" >/dev/null 2>follow.err &
	echo "$!" >>kids
	follower=$!
	total=0
	while [ "$total" -lt "$flood" ]; do
		sleep 2
		flooded
		total=$(printed)
	done
	want 0 "$pty" -t "$((10 * slow))" 'expect:7777|0000' \
		'send:\x1d\x1d\x1d' wait -- "$crun" console "$name"
	flooded
	echo "# $((total >> 20)) MiB of the console, the supervisor $kb KiB"
	verb 0 stop -t 5 "$name"
	lines 0
	secs=5 ends 0 "$follower"
	gone
}
[ ! "${CRUN_FLOOD:-}" ] || limit=7200
story -w 'background: a flood of the console' log_flood

# what was printed last is taken into the log, whoever it was that ended it
log_end() {
	conf
	for end in '' 'kill -9 1;' 'sleep 1000'; do
		background -- sh -c "yes | head -c 300000; echo end; $end"
		[ "$end" != 'sleep 1000' ] || verb 0 kill "$name"
		gone
	done
}
story 'background: it ends although much is printed last' log_end

log_full() {
	mount -t tmpfs -o size=64k tmpfs /run
	echo /run >>mounted
	conf
	background -- sh -c 'i=0; while [ $i -lt 3000 ]; do
		echo a line of the log; i=$((i + 1)); done; echo here >/tmp/done
		exec sleep 1000'
	soon test -e "/proc/$init/root/tmp/done"
	is state running "$(fact state)"
	verb 0 stop -t 5 "$name"
	gone
}
story 'background: a /run that is full takes no more log, and that is all' \
	log_full

console_attach() {
	os_conf
	background --ready
	want 0 "$pty" "$prompt" 'send:echo a$((20 + 3))\r' expect:a23 raw \
		size:33x99 'send:stty size\r' 'expect:33 99' \
		'send:\x1d\x1d\x1d' 'expect:it runs on' wait \
		-- "$crun" console "$name"
	# what was on the screen is shown to who comes next
	want 0 "$pty" expect:a23 'send:tty\r' 'expect:/dev/' \
		'send:\x1d\x1d\x1d' wait -- "$crun" console "$name"
	is state running "$(fact state)"
	verb 0 stop "$name"
	gone
}
story -w 'background: console: type, resize, let go, and again' console_attach

console_frozen() {
	os_conf
	background --ready
	x=$(printf '%02000d' 0)
	i=0
	set --
	while [ "$i" -lt 15 ]; do
		set -- "$@" "send:$x"
		i=$((i + 1))
	done
	want 0 "$pty" "$prompt" "run:$crun freeze $name" "$@" \
		'send:\x1d\x1d\x1d' 'expect:it runs on' wait \
		-- "$crun" console "$name"
	verb 0 stop "$name"	# which thaws it
	gone
}
story -w 'background: console of a frozen one, and 30 KB typed: let go of' \
	console_frozen

console_two() {
	os_conf
	background --ready
	"$pty" -t 20 "$prompt" 'run:until [ -e second ]; do sleep 0.1; done' \
		'send:echo from $((1 + 0)) typed\r' 'expect:from 1 typed' \
		'run:until [ -e seen ]; do sleep 0.1; done' \
		'send:\x1d\x1d\x1d' wait -- "$crun" console "$name" \
		>one.out 2>one.err &
	one=$!
	echo "$one" >>kids
	soon grep -q '/ # ' one.out
	want 0 "$pty" 'expect:another types' 'send:echo no$((1 + 1))\r' \
		'run:: >second' 'expect:from 1 typed' 'run:: >seen' \
		'send:\x1d\x1d\x1d' wait -- "$crun" console "$name"
	ends 0 "$one"
	verb 0 log "$name"
	! grep -q no2 out || wrong 'one types' "$(cat out)"
	# it is free again
	want 0 "$pty" expect:typed 'send:echo yes$((1 + 1))\r' expect:yes2 \
		'send:\x1d\x1d\x1d' wait -- "$crun" console "$name"
	verb 0 stop "$name"
	gone
}
story 'background: console: several watch, one types' console_two

console_reboot() {
	os_conf
	background --ready
	want 0 "$pty" -t "$((20 * slow))" "$prompt" 'send:reboot\r' \
		'expect:BusyBox v' "$prompt" 'send:echo b$((40 + 2))\r' \
		expect:b42 'send:poweroff\r' 'expect:has ended' wait \
		-- "$crun" console "$name"
	gone
}
story -w 'background: console: through a reboot, to the end' console_reboot

console_foreground() {
	os_conf
	"$pty" -t 20 "$prompt" 'run:until [ -e seen ]; do sleep 0.1; done' \
		'send:poweroff\r' wait -- "$crun" -c c.conf >one.out 2>&1 &
	one=$!
	echo "$one" >>kids
	soon test -e "/run/crun-os/$name/log"
	want 0 "$pty" 'expect:another types' 'run:: >seen' wait \
		-- "$crun" console "$name"
	ends 0 "$one"
}
story 'background: console of one in the foreground: to watch only' \
	console_foreground

console_none() {
	conf
	idle
	verb 125 console "$name"
	says "$name has no console: its program uses the input and output of"
	down
}
story 'background: console of a program that has none' console_none

attach_closed() {
	os_conf
	background --ready
	want 0 "$pty" 'run:sleep 0.5' 'send:echo x\r' wait -- sh -c \
		"$crun console $name | head -c 1; stty -a | grep -q ' icanon'"
	verb 0 stop "$name"
	gone
}
story 'background: a console whose output is closed restores the terminal' \
	attach_closed

console_pipe() {
	os_conf
	background --ready
	{ echo 'echo p$((7 * 6)); sleep 0.3; poweroff'; } |
		timeout 20 "$crun" console "$name" >out 2>err
	prints_like p42
	gone
}
story 'background: console: typed by a pipe' console_pipe

# A terminal that takes less than the guest prints: what is typed, and signals,
# are heard all the same.
console_flooded() {
	conf
	background -- sh -c 'exec yes "$(printf %01000d 7)"'
	soon test -e "/run/crun-os/$name/log"
	dead="grep -q State:.Z /proc/\$PID/status"
	want 0 "$pty" -t "$((12 * slow))" expect:00 'send:\x1d\x1d\x1d' \
		"run:sleep $((2 * slow)); $dead" wait -- "$crun" console "$name"
	want 143 "$pty" -t "$((12 * slow))" expect:00 \
		"run:kill -TERM \$PID; sleep $((2 * slow)); $dead" wait -- \
		"$crun" console "$name"
	# no end of the log is waited for, and no more than there can be is given
	verb 0 log "$name"
	between 4096 $((1048576 - 4096)) "$(wc -c <out)"
	verb 0 kill "$name"
	gone
}
story -w 'background: console and log of a flood end' console_flooded

console_screen() {
	conf
	background -- sh -c \
		'head -c 900000 /dev/zero | tr "\\0" "\\r"; echo up; exec sleep 1000'
	soon grep -q up "/run/crun-os/$name/log"
	want 0 "$pty" expect:up 'send:\x1d\x1d\x1d' wait -- \
		"$crun" console "$name"
	cmd='what console shows first'
	between 100 20000 "$(wc -c <out)"
	verb 0 kill "$name"
	gone
}
story 'background: console shows no more than a screen, without ends of lines' \
	console_screen

# whose input has ended does not keep others from typing
console_eof_typist() {
	os_conf
	background --ready
	"$crun" console "$name" </dev/null >one.out 2>&1 &
	one=$!
	echo "$one" >>kids
	soon grep -q '/ # ' one.out
	want 0 "$pty" "$prompt" 'send:echo d$((1 + 1))\r' expect:d2 \
		'send:\x1d\x1d\x1d' wait -- "$crun" console "$name"
	says_not 'another types'
	soon grep -q d2 one.out
	verb 0 stop "$name"
	ends 0 "$one"
	gone
}
story 'background: console: an input that has ended types no more' \
	console_eof_typist

console_killed() {
	os_conf
	background --ready
	"$pty" -t 20 "$prompt" wait -- "$crun" console "$name" \
		>one.out 2>&1 &
	one=$!
	echo "$one" >>kids
	soon grep -q '/ # ' one.out
	kill -KILL "$(pgrep -P "$one")"
	ends 122 "$one"
	want 0 "$pty" "$prompt" 'send:echo c$((1 + 1))\r' expect:c2 \
		'send:\x1d\x1d\x1d' wait -- "$crun" console "$name"
	verb 0 stop "$name"
	gone
}
story 'background: a killed console lets go of the typing' console_killed
