# races.sh - what happens between two steps of crun: each stopped by strace(1).

# A start has opened the lock of a folder that its container's end removes
# before it locks.
races_removed() {
	need strace
	conf
	idle
	old=$sup
	strace -f -qq -o trace -P "/run/crun-os/$name/lock" -e trace=fcntl \
		-e inject=fcntl:delay_enter=1500000:when=1 \
		"$crun" -q -c c.conf -- sh -c 'echo up; exec sleep 1000' \
		>second.out 2>second.err &
	second=$!
	echo "$second" >>kids
	soon grep -q fcntl trace
	kill "$old"
	ends 143 "$old"
	soon grep -q up second.out
	verb 0 list
	prints_like "^$name +running "
	verb 0 kill "$name"
	ends 137 "$second"
}
story 'state: a start whose folder goes before it is locked' races_removed

# And where a third has made another folder of that name meanwhile.  The tracer
# lets its process go on when it is ended.
races_replaced() {
	need strace
	conf
	idle
	old=$sup
	strace -D -I 2 -f -qq -o trace -P "/run/crun-os/$name/lock" \
		-e trace=fcntl -e inject=fcntl:delay_enter=60000000:when=1 \
		"$crun" -q -c c.conf -- true >second.out 2>second.err &
	second=$!
	echo "$second" >>kids
	soon grep -q fcntl trace
	kill "$old"
	ends 143 "$old"
	idle
	kill "$(sed -n 's/^TracerPid:[[:blank:]]*//p' "/proc/$second/status")"
	ends 125 "$second"
	grep -q "^crun: $name is already running" second.err ||
		wrong 'already running' "$(cat second.err)"
	down
}
story -w 'state: a start whose folder is exchanged before it is locked' \
	races_replaced

# The run-time folder was there for mkdir(2), and another's end has removed it.
races_folder() {
	need strace
	conf
	want 0 strace -f -qq -o trace -P /run/crun-os -e trace=mkdir,mkdirat \
		-e inject=mkdir,mkdirat:error=EEXIST:when=1 \
		"$crun" -q -c c.conf -- true
	grep -q INJECTED trace || wrong 'a call that fails' "$(cat trace)"
	[ ! -e /run/crun-os ] || wrong 'no /run/crun-os' "$(ls -RA /run/crun-os)"
}
story 'state: a start whose run-time folder goes meanwhile' races_folder

# The child of a killed supervisor has its lock still, for a moment.
races_inherited() {
	need strace
	conf
	strace -f -qq -o trace -e trace=close,clone3 \
		-e inject=close:delay_enter=700000:when=1 \
		"$crun" -q -c c.conf -- true 2>/dev/null &
	tracer=$!
	echo "$tracer" >>kids
	soon grep -q 'clone3.* = [0-9]' trace
	kill -KILL "$(sed -n 's/ .*//p' "/run/crun-os/$name/lock")"
	run 0 -q -- true
	lines 0
	rc=0
	wait "$tracer" || rc=$?
}
story 'state: a start while the child of a killed one has its lock' \
	races_inherited

# A process that is in a group of cgroup v1 only.
races_v1_only() {
	groups=$(awk '$3 == "cgroup" && $4 ~ /pids/ { print $2 }' /proc/mounts)
	[ "$groups" ] || skip 'no controller pids of v1 here'
	conf pids=50
	idle
	sleep 1000 &
	pid=$!
	echo "$pid" >>kids
	echo "$pid" >"$groups/crun-os/$name/tasks"
	kill -KILL "$sup"
	ends 137 "$sup"
	verb 0 clean
	says "^crun: $name: removed what a killed supervisor left\$"
	ends 137 "$pid"
}
story -c 'state: what is left in a group of cgroup v1 only is killed' \
	races_v1_only

# Who asks for the end between two lives, whose supervisor must not forget it.
races_asked() {
	need strace
	os_conf
	strace -f -qq -o trace -e trace=clone3 \
		-e inject=clone3:delay_enter=2000000:when=2 \
		"$crun" -q -c c.conf </dev/null >out.os 2>err &
	tracer=$!
	echo "$tracer" >>kids
	soon grep -q '/ #' out.os
	sup=$(sed -n 's/ .*//p' "/run/crun-os/$name/lock")
	echo "$sup" >>kids
	"$crun" exec "$name" reboot -f >/dev/null 2>&1 || :
	soon test ! -e "/run/crun-os/$name/pid"
	kill -50 "$sup"
	secs=20 ends 0 "$tracer"
}
story 'stop: asked for between two lives, it is not forgotten' races_asked

# What is read of the log may be overwritten between its head and its text.
races_log() {
	need strace
	conf console.log=64K
	background -- sh -c 'i=1000000; while :; do
		printf "%d %d\n" $i $i $((i + 1)) $((i + 1)) $((i + 2)) $((i + 2))
		i=$((i + 3)); done'
	soon eval '[ "$(printed)" -gt 100000 ]'
	timeout 3 strace -qq -o trace -e trace=pread64 \
		-e inject=pread64:delay_enter=400000:when=2 \
		"$crun" log -f "$name" >out || :
	# a line that has lost its middle has two numbers
	tr -d '\r' <out | awk 'NF == 2 && $1 == $2 { print $1 }' >numbers
	sort -n -c -u numbers || wrong 'one after the other' "$(head -n 5 numbers)"
	[ "$(wc -l <numbers)" -gt 1000 ] || wrong 'numbers' "$(head out)"
	verb 0 kill "$name"
	gone
}
story 'background: no line of the log is of another time' races_log

# The caller's limit of the size of files must not end the supervisor.
races_file_size() {
	own_root
	conf
	want 0 prlimit --fsize=20000 "$crun" -d -c c.conf -- sh -c \
		'head -c 200000 /dev/zero | tr "\0" x; echo >/done; exec sleep 1000'
	sup=$(sed -n '2s/ .*//p' "/run/crun-os/$name/pid")
	echo "$sup" >>kids
	soon "$crun" exec "$name" test -e /done
	verb 0 stop "$name"
	gone
}
story 'background: a log above the limit of file sizes' races_file_size

# Another user who gets to the socket of the console gets nothing from it.
races_peer() {
	os_conf
	background --ready
	chmod 711 /run/crun-os "/run/crun-os/$name"
	chmod 777 "/run/crun-os/$name/console"
	want 0 "$probe" attach "/run/crun-os/$name/console"
	prints typed
	want 0 setpriv --reuid=1000 --clear-groups "$probe" attach \
		"/run/crun-os/$name/console"
	prints closed
	chmod 700 /run/crun-os "/run/crun-os/$name"
	verb 0 stop "$name"
	gone
}
story 'background: the socket of the console, and another user' races_peer
