# console.sh - the terminal.

# on_tty STATUS STEP...: crun with $args on a terminal, see test/pty.c
on_tty() {
	s=$1
	shift
	# shellcheck disable=SC2086 # words
	want "$s" "$pty" -t "$((${secs:-15} * slow))" "$@" -- "$crun" -c c.conf $args
}

console_tty() {
	conf
	args='-- tty'
	on_tty 0 'expect:^/dev/(console|pts/0)'
	want 0 "$pty" 'expect:yes yes yes' -- "$crun" -c c.conf -- \
		sh -c '[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo yes yes yes'
	want 0 "$pty" 'expect:24 80' -- "$crun" -c c.conf -- stty size
	want 0 "$pty" 'expect:0:5:620' -- "$crun" -c c.conf -- \
		stat -c %u:%g:%a /dev/console
}
story 'console: on a terminal the program has a terminal' console_tty

# what is no terminal outside stays what it is
console_mixed() {
	conf
	want 0 "$pty" 'expect:end' -- sh -c \
		'"$0" -c c.conf -- sh -c "[ -t 0 ] && [ ! -t 1 ] &&
			[ -t 2 ] && echo mixed" | tr m M; echo end' "$crun"
	prints_like Mixed
}
story 'console: only what is a terminal outside is one inside' \
	console_mixed

console_own_tty() {
	conf
	want 0 "$pty" -- "$crun" -c c.conf -- sh -c 'ls /dev/pts; cat \
		/proc/self/mountinfo | grep -c " /dev/pts "; ps -o tty'
	is 'terminals' '0 ptmx 1' "$(tr -d '\r' <out | head -n 2 | xargs)"
}
story "console: the terminal is the container's, not the caller's" \
	console_own_tty

console_input() {
	conf
	want 0 "$pty" 'expect:name\?' 'send:crun\r' 'expect:hello crun' -- \
		"$crun" -c c.conf -- sh -c \
		'echo "name?"; read name; echo "hello $name"'
}
story 'console: what is typed arrives' console_input

console_eof() {
	conf
	want 0 "$pty" 'expect:go' 'send:abc\r\x04' 'expect:end 4' -- \
		"$crun" -c c.conf -- sh -c 'echo go; echo end $(wc -c)'
}
story 'console: Ctrl-D is an end of file' console_eof

console_interrupt() {
	conf
	want 9 "$pty" 'expect:up' 'send:\x03' 'expect:got INT' -- \
		"$crun" -c c.conf -- sh -c \
		'trap "echo got INT; exit 9" INT; echo up
		while :; do sleep 0.02; done'
	want 130 "$pty" 'expect:up' 'send:\x03' -- \
		"$crun" -c c.conf -- sh -c 'echo up; exec sleep 1000'
}
story 'console: Ctrl-C interrupts the program' console_interrupt

console_winch() {
	conf
	want 143 "$pty" 'expect:^24 80' 'size:40x100' 'expect:^40 100' \
		'kill:15' -- "$crun" -c c.conf -- sh -c \
		'while :; do stty size; sleep 0.05; done'
}
story 'console: a new size of the terminal goes on' console_winch

# the terminal's settings are compared by pty itself
console_restores() {
	conf
	# after an end, a failed start, a signal, and a kill of the program
	want 0 "$pty" 'expect:up' raw 'send:\r' -- "$crun" -c c.conf -- \
		sh -c 'echo up; read x; stty -echo -icanon'
	want 125 "$pty" -- "$crun" -c c.conf rootfs=/nosuch -- true
	want 127 "$pty" -- "$crun" -c c.conf init=/nosuch
	want 143 "$pty" 'expect:up' raw 'kill:15' -- "$crun" -c c.conf -- \
		sh -c 'echo up; exec sleep 1000'
	want 137 "$pty" 'expect:up' raw 'send:\r' -- "$crun" -c c.conf -- \
		sh -c 'echo up; read x; kill -9 $$'
}
story 'console: it is raw meanwhile, and restored in the end' \
	console_restores

console_escape() {
	conf
	want 143 "$pty" 'expect:up' 'send:\x1d\x1d\x1d' -- \
		"$crun" -c c.conf -- sh -c 'echo up; exec sleep 1000'
	want 0 "$pty" 'expect:up' 'send:\x1d\x1d' 'run:sleep 1.2' \
		'send:\x1d' 'run:sleep 0.2' 'send:\rend\r' 'expect:got' -- \
		"$crun" -c c.conf -- sh -c \
		'echo up; read a; read b; echo got $b'
}
story 'console: three Ctrl-] within a second end it, two do not' \
	console_escape

# a busybox OS, its own copy
os_conf() {
	own_root
	conf "$@"
}
# What an init prints before its getty begins is lost where nobody has read it
# by then: getty(8) flushes its terminal.  The banner of its shell is not.
prompt='expect:/ # '

console_os_escape() {
	os_conf
	want 0 "$pty" "$prompt" 'send:\x1d\x1d\x1d' 'expect:busybox: down' -- \
		"$crun" -c c.conf
}
story 'console: three Ctrl-] power an OS off' console_os_escape

console_os_size() {
	os_conf
	want 0 "$pty" "$prompt" 'send:stty size\r' 'expect:^24 80' \
		"$prompt" 'size:50x120' 'send:stty size\r' 'expect:^50 120' \
		"$prompt" 'send:tty\r' 'expect:^/dev/console' "$prompt" \
		'send:poweroff\r' -- "$crun" -c c.conf
}
story 'console: an OS has it as /dev/console, with its size' \
	console_os_size

console_os_job_control() {
	os_conf
	want 0 "$pty" "$prompt" 'send:sleep 100\r' 'run:sleep 0.3' \
		'send:\x03' "$prompt" 'send:echo $?\r' 'expect:^130' \
		"$prompt" 'send:poweroff\r' -- "$crun" -c c.conf
}
story 'console: Ctrl-C reaches what runs in the foreground of an OS' \
	console_os_job_control

console_flood() {
	conf
	want 0 "$pty" -t "$((18 * slow))" 'expect:end of the flood' -- "$crun" -c c.conf -- \
		sh -c 'seq 1 200000; echo end of the flood'
	is 'lines' 200001 "$(tr -d '\r' <out | wc -l)"
	is 'the last' 200000 "$(tr -d '\r' <out | tail -n 2 | head -n 1)"
}
story 'console: no line of a flood is lost' console_flood

console_last_words() {
	conf
	i=0
	while [ "$i" -lt 10 ]; do
		want 0 "$pty" -- "$crun" -c c.conf -- sh -c \
			'seq 1 2000; echo last words'
		prints_like 'last words'
		i=$((i + 1))
	done
}
story 'console: what is printed last is never lost' console_last_words

console_closed() {
	own_root
	printf '#!/bin/sh\ntrap "exit 4" TERM\nwhile :; do echo y; done\n' \
		>root/sbin/yes
	chmod 755 root/sbin/yes
	conf init=/sbin/yes stop.signal=TERM
	cmd='crun | head -n 1'
	{
		"$crun" -c c.conf 2>err &
		sup=$!
		echo "$sup" >>kids
		sleep 0.5
		kill "$sup"
		ends 4 "$sup"
		echo "$rc" >rc
	} | head -n 1 >out
	is printed y "$(tr -d '\r' <out)"
	is status 4 "$(cat rc)"
}
story 'console: an init is not held up by a closed output' console_closed

# deaf: a pipe, full of zeroes, that nobody reads but who asks for it
deaf() {
	mkfifo fifo
	exec 3<>fifo
	fill
}

fill() {
	dd if=/dev/zero of=fifo bs=4096 oflag=nonblock 2>/dev/null || :
}

# stalled: crun, as $sup, has something to write to such a pipe
stalled() {
	deaf
	"$crun" -c c.conf >fifo 2>err 3<&- &
	sup=$!
	echo "$sup" >>kids
	soon eval '[ -e "/run/crun-os/$name/log" ] && [ "$(printed)" -gt 0 ]'
}

console_stalled() {
	own_root
	printf '#!/bin/sh\ntrap "exit 4" TERM\nwhile :; do echo y; done\n' \
		>root/sbin/yes
	chmod 755 root/sbin/yes
	conf init=/sbin/yes stop.signal=TERM stop.timeout=2
	stalled
	kill "$sup"
	rc=0
	tries=0
	while [ -e "/proc/$sup/exe" ] && [ "$tries" -lt 400 ]; do
		tries=$((tries + 1))
		sleep 0.02
	done
	[ ! -e "/proc/$sup/exe" ] || wrong 'an end within 8 s' 'none'
}
story 'console: TERM ends it though nobody reads its output' \
	console_stalled

# poll(2) says of a terminal that it takes something, not how much
console_stalled_terminal() {
	os_conf init=/sbin/yes stop.signal=TERM stop.timeout=2
	printf '#!/bin/sh\nexec yes %01000d\n' 7 >root/sbin/yes
	chmod 755 root/sbin/yes
	want 137 "$pty" -t "$((12 * slow))" expect:00 \
		"run:sleep 1; timeout $((8 * slow)) $crun stop $name; echo \$? >rc" \
		wait -- "$crun" -q -c c.conf
	is 'status of crun stop' 137 "$(cat rc)"
}
story -w 'console: and though a terminal takes no more' console_stalled_terminal

# one signal is enough for all that is left to be printed
console_stalled_killed() {
	os_conf init=/sbin/yes
	printf '#!/bin/sh\nyes | head -c 100000\nexec sleep 1000\n' >root/sbin/yes
	chmod 755 root/sbin/yes
	stalled
	init=$(init_of "$name")
	"$crun" kill "$name" &
	echo "$!" >>kids
	soon test ! -e "/proc/$init/exe"
	sleep 0.2
	[ -e "/proc/$sup/exe" ] || wrong 'it waits for its reader' 'an end'
	kill -TERM "$sup"
	secs=2 ends 137 "$sup"
}
story 'console: and one signal ends what the killed had printed' \
	console_stalled_killed

is_full() {
	! dd if=/dev/zero of=fifo bs=4096 count=1 oflag=nonblock 2>/dev/null
}

# what is said into the pipe, up to a line like that, is in heard
heard() {
	timeout "$((10 * slow))" sed -u "/$1/q" <&3 | tr -d '\000' >>heard
	grep -q "$1" heard || wrong "up to $1" "$(tail heard)"
}

# the same but for pids; the words of the child come as they come
same_said() {
	sed 's/pid [0-9]*/pid N/' "$1" | cmp -s - \
		"$2" || wrong "$(cat "$2")" "$(cat "$1")"
}

# many_steps N LENGTH: c.conf, and what -v says of so many lines more, in all
many_steps() {
	long=$(printf "%0$2d" 0)
	i=0
	conf
	while [ "$i" -lt "$1" ]; do
		i=$((i + 1))
		echo "tmpfs=/tmp/$i$long:size=4k" >>c.conf
	done
	run 0 -v -- true
	sed -n 's/pid [0-9]*/pid N/
		p
		/the init runs/q' err >all
}

said_full() {
	conf stop.timeout=2
	mkfifo fifo
	exec 3<>fifo
	"$crun" -c c.conf -- sh -c 'trap "" TERM; echo up; yes >&2' \
		>up.out 2>fifo </dev/null &
	sup=$!
	echo "$sup" >>kids
	soon grep -q up up.out
	soon is_full
	begun=$(date +%s%3N)
	kill "$sup"
	secs=5 ends 137 "$sup"
	took=$(($(date +%s%3N) - begun))
	[ "$took" -lt "$((4000 * slow))" ] || wrong 'within 4 s' "$took ms"
}
story 'console: TERM ends it though nobody reads its errors' said_full

said_full_start() {
	deaf
	conf
	"$crun" -v -c c.conf -- sh -c 'echo up; exec sleep 1000' >up.out \
		2>fifo </dev/null &
	sup=$!
	echo "$sup" >>kids
	soon grep -q up up.out
	down
	begun=$(date +%s%3N)
	want 127 sh -c '"$@" 2>fifo' - "$crun" -v -c c.conf -- nosuch
	took=$(($(date +%s%3N) - begun))
	[ "$took" -lt "$((2000 * slow))" ] || wrong 'within 2 s' "$took ms"
	[ ! -e /run/crun-os ] || wrong 'all undone' "$(ls -R /run/crun-os)"
}
story 'console: a start whose errors nobody reads' said_full_start

said_terminal() {
	conf
	cat >full.sh <<-END
	dd if=/dev/zero of=/dev/tty oflag=nonblock 2>/dev/null
	exec "$crun" -v -c c.conf -- sleep 1000
	END
	cat >end.sh <<-END
	until [ -e "/run/crun-os/$name/pid" ]; do sleep 0.01; done
	kill -TERM "\$PID"
	while [ -e "/proc/\$PID/exe" ]; do sleep 0.01; done
	END
	want 143 "$pty" -t "$((15 * slow))" \
		"run:timeout $((5 * slow)) sh end.sh" wait -- sh full.sh
}
story 'console: a start on a terminal that takes no more' said_terminal

# yes(1) fills what a reader has made room for before another can
said_race() {
	conf stop.timeout=1
	mkfifo fifo
	exec 3<>fifo
	for pages in 1 7 30 60 200; do
		rm -f up.out
		"$crun" -v -c c.conf -- sh -c \
			'trap "" TERM; echo up; yes >&2' >up.out 2>fifo &
		sup=$!
		echo "$sup" >>kids
		soon grep -q up up.out
		soon is_full
		dd bs=4096 count="$pages" <&3 >/dev/null 2>&1 &
		kill "$sup"
		secs=4 ends 137 "$sup"
		wait
	done
}
story -w 'console: and though another fills the pipe meanwhile' said_race

said_slowly() {
	many_steps 190 1
	[ "$(wc -l <all)" -ge 200 ] || wrong '200 lines' "$(wc -l <all)"
	deaf
	"$crun" -v -c c.conf -- sh -c 'echo up; exec sleep 1000' >up.out \
		2>fifo </dev/null &
	sup=$!
	echo "$sup" >>kids
	soon grep -q up up.out
	until grep -q 'the init runs' got 2>/dev/null; do
		dd bs=700 count=1 <&3 2>/dev/null | tr -d '\000' >>got
	done
	same_said got all
	down
}
story 'console: a slow reader gets every line, in order' said_slowly

said_late() {
	many_steps 160 90
	deaf
	"$crun" -v -c c.conf -- sh -c 'echo up; exec sleep 1000' >up.out \
		2>fifo </dev/null &
	sup=$!
	echo "$sup" >>kids
	soon grep -q up up.out
	heard 'lost here'
	kill "$sup"
	heard 'asking the init to power off'
	sed 's/pid [0-9]*/pid N/' heard | awk 'NR == FNR { all[++n] = $0; next }
		/ lost here, which nobody has read$/ { i += $2; lost += $2; next }
		/asking the init/ { exit !(i == n && lost > 10) }
		$0 != all[++i] { exit 1 }' all - ||
		wrong "these, and a count of those that are lost: $(cat all)" \
		"$(cat heard)"
	ends 143 "$sup"
}
story 'console: a reader who comes late hears how much is lost' said_late

said_failure() {
	conf
	{
		"$crun" -c c.conf -- nosuch 2>&1 || echo "$?" >rc
	} | cat >err
	is status 127 "$(cat rc)"
	says '^crun: program nosuch: not found'
	lines 1
}
story 'console: why a start has failed goes through a pipe' said_failure

console_early_death() {
	own_root
	printf '#!/bin/sh\necho boom; echo crash >&2\nexit 3\n' >root/sbin/die
	chmod 755 root/sbin/die
	conf init=/sbin/die
	run 3
	says "^crun: $name: the init ended after [0-9]+ ms with status 3; it printed last: boom crash"
	lines 1
	printf '#!/bin/sh\nexit 3\n' >root/sbin/die
	run 3
	says 'status 3 and printed nothing'
	printf '#!/bin/sh\nprintf "\\033[31mred\\007"\nexit 3\n' >root/sbin/die
	run 3
	says '\\x1b\[31mred\\x07'
}
story 'console: an init that dies at once gives its last lines' \
	console_early_death

console_quiet() {
	own_root
	conf userns=none
	run 0 -q -- true
	lines 0
	run 127 -q -- nosuch
	lines 1
	run 0 -v -- true
	says '^crun: .*userns=none'
	says "^crun: state: /run/crun-os/$name"
	says '^crun: cgroup: '
	says '^crun: mount: /proc$'
	says '^crun: mount: /dev/mqueue$'
	says "^crun: $name: the init runs"
	run 126 -v -- /etc
	says '^crun: program /etc is a folder: Permission denied'
}
story 'console: -q says errors only, -v every step' console_quiet
