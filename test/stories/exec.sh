# exec.sh - a program in a container that runs.

exec_plain() {
	os_conf bridge="$br" ip="$net.2/24"
	background --ready
	verb 0 exec "$name" true
	lines 0
	verb 7 exec "$name" sh -c 'exit 7'
	verb 137 exec "$name" sh -c 'kill -9 $$'
	verb 0 exec "$name" sh -c 'hostname; pwd; id -u; echo $HOME'
	prints "$name
/
0
/root"
	verb 0 exec "$name" ping -c 1 -W 3 "$net.1"
	verb 0 exec -w /bin -e A=b -e 'C=d e' "$name" sh -c 'pwd; echo $A $C'
	prints '/bin
b d e'
	verb 0 exec "$name" ps
	prints_like ' 1 .*init'
	verb 0 stop "$name"
	gone
}
story 'exec: a program, its status, its folder, its environment' exec_plain

exec_wrong() {
	conf
	background -- sleep 1000
	verb 127 exec "$name" nosuch
	says "$name: program nosuch: not found in the PATH"
	verb 127 exec "$name" /nosuch
	says '/nosuch: not found'
	verb 126 exec "$name" /etc
	says '/etc is a folder: Permission denied'
	verb 125 exec -w /nosuch "$name" true
	says "container's folder /nosuch: No such file"
	verb 125 exec -u nosuch "$name" true
	says "there is no user nosuch in the container's /etc/passwd"
	verb 125 exec -u 99999 "$name" true
	says 'becoming user 99999 of the container, who is not in its range'
	verb 125 exec -u 4294967295 "$name" true
	says 'there is no user 4294967295'
	verb 2 exec -e A "$name" true
	says 'must be NAME=VALUE'
	verb 2 exec -u
	says 'usage: crun exec'
	cmd='exec with a folder as input'
	rc=0
	"$crun" exec "$name" ls -l /proc/self/fd/ </etc >out 2>err || rc=$?
	is status 125 "$rc"
	says 'standard input is a folder of the host'
	lines 1
	rc=0
	"$crun" -c c.conf name="$name-b" -- ls </etc >out 2>err || rc=$?
	is status 125 "$rc"
	says 'standard input is a folder of the host'
	verb 0 freeze "$name"
	verb 125 exec "$name" true
	says "$name is frozen; crun thaw $name"
	verb 0 kill "$name"
	gone
}
story 'exec: what cannot be run is said' exec_wrong

# what a process has, for comparing
walls() {
	cat <<-'END'
		cd /proc/self
		grep -E "^(Cap|NoNewPrivs|Seccomp|Groups|Uid|Gid|Umask)" status
		cat cgroup uid_map
		cat limits
		for n in cgroup ipc mnt net pid user uts; do readlink ns/$n; done
	END
}

exec_walls() {
	for caps in '+net_raw' '-mknod -sys_admin -setuid'; do
		own=$caps
		conf memory=64M rlimit.nofile=100:200 rlimit.core=0 caps="$own"
		background -- sh -c "$(walls); exec sleep 1000"
		soon grep -q 'uts:' "/run/crun-os/$name/log"
		verb 0 log "$name"
		tr -d '\r' <out >init.walls
		# with other limits of the caller, but none that is lower: to
		# raise a hard one CAP_SYS_RESOURCE is needed
		prlimit --nofile=50:1000 --core=7:7 "$crun" exec "$name" \
			sh -c "$(walls)" >exec.walls 2>err </dev/null
		diff init.walls exec.walls >differs || wrong 'no difference' \
			"$(cat differs)"
		grep -q '^CapInh:.*0000$' exec.walls
		verb 0 kill "$name"
	done
}
story -k 'exec: (wall 6) the walls are those of the init' exec_walls

exec_same() {
	conf "$@"
	run 0 -d -- sh -c "$(walls); exec sleep 1000"
	soon grep -q 'uts:' "/run/crun-os/$name/log"
	verb 0 log "$name"
	tr -d '\r' <out >init.walls
	verb 0 exec "$name" sh -c "$(walls)"
	diff init.walls out >differs || wrong 'no difference' \
		"$(cat differs)"
	verb 0 kill "$name"
}
story -k 'exec: (wall 6) the walls are those of the init, userns=none' exec_same \
	userns=none
story -k 'exec: (wall 6) the walls are those of the init, nesting=yes' exec_same \
	nesting=yes

# The caller is in groups of its own, in every hierarchy.
exec_elsewhere() {
	conf "$@"
	idle
	verb 0 exec "$name" cat /proc/1/cgroup
	mv out init.cgroup
	awk -v n="$name" '$3 ~ /^cgroup/ { print $2 "/" n "-caller" }' \
		/proc/mounts >groups
	while read -r group; do
		mkdir "$group"
		for f in cpuset.cpus cpuset.mems; do
			[ ! -e "${group%/*}/$f" ] ||
				cat "${group%/*}/$f" >"$group/$f"
		done
	done <groups
	rc=0
	sh -c 'while read -r group; do
			echo $$ >"$group/cgroup.procs" || exit 3
		done
		exec "$@"' - "$crun" exec "$name" cat /proc/self/cgroup \
		<groups >out 2>err || rc=$?
	xargs rmdir <groups
	is status 0 "$rc"
	cmp init.cgroup out || wrong "$(cat init.cgroup)" "$(cat out)"
	down
}
story -c 'exec: (wall 6) from other groups into those of the init' exec_elsewhere
story -c 'exec: (wall 6) from other groups into those of the init, userns=none' \
	exec_elsewhere userns=none

exec_keyring() {
	conf "$@"
	background -- sleep 1000
	keyless "$crun" exec "$name"
	verb 0 kill "$name"
	gone
}
story -k "exec: the caller's keys are out of reach" exec_keyring
story -k "exec: the caller's keys are out of reach, without a filter of calls" \
	exec_keyring userns=none seccomp=none

exec_user() {
	own_root
	mkdir -p "$root/home/ann"
	chown 1000:1000 "$root/home/ann"
	printf '%s\n' 'root:x:0:0::/root:/bin/sh' '' \
		'ann:x:1000:1000:Ann:/home/ann:/bin/ash' \
		'1234:x:55:55::/:/bin/sh' >"$root/etc/passwd"
	printf '%s\n' 'root:x:0:' 'ann:x:1000:' 'wheel:x:10:root,ann' \
		'other:x:11:annabel' 'adm:x:4:ann' >"$root/etc/group"
	conf
	background -- sleep 1000
	verb 0 exec -u ann "$name" sh -c 'id -u; id -g; id -G; echo $HOME $USER
		pwd; grep -E "^Cap(Inh|Prm|Eff|Amb)" /proc/self/status | sort -u -k 2'
	prints '1000
1000
1000 4 10
/home/ann ann
/
CapAmb:	0000000000000000'
	verb 0 exec -u 1000 "$name" -- id -G
	prints '1000 4 10'
	verb 0 exec -u 1234 "$name" id -u
	prints 1234
	verb 0 exec "$name" grep Groups: /proc/self/status
	is 'no groups of root' 'Groups:' "$(xargs <out)"
	echo 'echo $0; pwd; echo $SHELL; id -un; exit 4' >login
	rc=0
	"$crun" exec -u ann "$name" <login >out 2>err || rc=$?
	is status 4 "$rc"
	prints '-ash
/home/ann
/bin/ash
ann'
	verb 0 kill "$name"
}
story 'exec: -u, and a login shell' exec_user

exec_bytes() {
	conf
	background -- sleep 1000
	head -c 5000000 /dev/urandom >in
	"$crun" exec "$name" cat <in >copy 2>err
	cmp in copy || wrong 'byte for byte' 'another'
	"$crun" exec "$name" sh -c 'cat >&2' <in 2>copy >out
	cmp in copy || wrong 'byte for byte on standard error' 'another'
	head -c 100000000 /dev/zero | "$crun" exec "$name" head -c 10 |
		wc -c >n
	is 'a closed pipe ends both' 10 "$(cat n)"
	verb 0 kill "$name"
}
story 'exec: pipes, byte for byte' exec_bytes

exec_tty() {
	conf
	background -- sleep 1000
	want 6 "$pty" 'expect:[#$] ' 'send:tty; echo t=$?\r' 'expect:pts/[0-9]' \
		expect:t=0 size:33x99 'send:stty size\r' 'expect:33 99' raw \
		'send:sleep 100\r' 'run:sleep 0.3' 'send:\x03' 'expect:[#$] ' \
		'send:sleep 50 & jobs\r' 'expect:sleep 50' \
		'send:kill %1; exit 6\r' wait -- "$crun" exec "$name"
	# only the output is a terminal
	echo 'from a pipe' >in
	want 0 "$pty" 'expect:from a pipe' wait -- \
		sh -c "$crun exec $name sh -c 'cat; test -t 1; ! test -t 0' <in"
	verb 0 kill "$name"
	gone
}
story 'exec: a terminal, job control, its size' exec_tty

# The terminal is the user's, as login(1) would have it; only the input is one,
# and its echo goes nowhere else; in the background it is left alone.
exec_whose_tty() {
	own_root
	echo 'ann:x:1000:1000::/:/bin/sh' >"$root/etc/passwd"
	conf
	background -- sleep 1000
	want 0 "$pty" 'expect:1000 5 620' wait -- "$crun" exec -u ann "$name" \
		sh -c 'stat -c "%u %g %a" "$(tty)" && echo >"$(tty)"'
	want 0 "$pty" 'send:abc\r' expect:abc wait -- sh -c "$crun exec $name \
		sh -c 'read x; echo got \$x; echo problem >&2' >o.out 2>o.err"
	is output 'got abc' "$(cat o.out)"
	is error problem "$(cat o.err)"
	# below timeout(1) and as a job it is in the background
	want 0 "$pty" 'expect:[#$] ' \
		"send:$crun exec $name sh -c 'sleep 0.5; echo e\$((1 + 1))d' &\\r" \
		'run:sleep 0.3' 'send:stty -a\r' 'expect:[^-]icanon' \
		'send:fg\r' expect:e2d 'expect:[#$] ' \
		"send:timeout 5 $crun exec $name echo f\$((1 + 1))d\\r" \
		expect:f2d 'expect:[#$] ' 'send:exit 0\r' wait -- sh -i
	want 0 "$pty" 'expect:[#$] ' \
		"send:$crun exec $name sh -c 'echo r\$((0+1)); read x; echo r\$((1+1)); read x; echo r\$((1+2))' &\\r" \
		expect:r1 'send:fg\r' 'run:sleep 0.5' 'send:1\r' expect:r2 \
		raw 'send:2\r' expect:r3 'expect:[#$] ' 'send:exit 0\r' \
		wait -- sh -i
	verb 0 kill "$name"
	gone
}
story 'exec: whose the terminal is' exec_whose_tty

exec_tty_su() {
	own_root
	rm root/bin/su		# busybox's sh runs a su without a path itself
	cp root/bin/busybox root/bin/su
	chmod 4755 root/bin/su
	echo 'ann:x:1000:1000::/:/bin/sh' >>root/etc/passwd
	conf
	background -- sleep 1000
	for user in root ann; do
		for does in tty "/bin/su -c 'tty; id -u'"; do
			want 0 "$pty" 'expect:^/dev/pts/[0-9]+' wait -- \
				"$crun" exec -u "$user" "$name" sh -c "$does"
		done
		is 'root by su' 0 "$(tr -d '\r' <out | sed -n 2p)"
	done
	verb 0 kill "$name"
	gone
}
story 'exec: tty(1) and su(1) on its terminal' exec_tty_su

exec_signals() {
	conf
	background -- sleep 1000
	for s in TERM INT HUP USR1 USR2 QUIT; do
		rm -f up.out
		"$crun" exec "$name" sh -c \
			"trap 'echo got $s; exit 9' $s; echo up; while :; do sleep 0.1; done" \
			>up.out 2>err </dev/null &
		p=$!
		echo "$p" >>kids
		soon grep -q up up.out
		kill -s "$s" "$p"
		ends 9 "$p"
		grep -q "got $s" up.out
	done
	verb 0 kill "$name"
}
story 'exec: signals are passed on' exec_signals

exec_stopped() {
	conf
	background -- sleep 1000
	for s in 15 1; do
		"$crun" exec "$name" sh -c 'kill -STOP $$' </dev/null \
			>out 2>err &
		p=$!
		echo "$p" >>kids
		soon "$crun" exec "$name" sh -c \
			'grep -q "^State:.T" /proc/[0-9]*/status'
		kill "-$s" "$p"
		ends $((128 + s)) "$p"
	done
	verb 0 kill "$name"
}
story -k 'exec: a program that the guest has stopped hears TERM and HUP' \
	exec_stopped

exec_killed() {
	conf
	background -- sleep 1000
	i=0
	while [ "$i" -lt 50 ]; do
		"$crun" exec "$name" sleep 777 >out 2>err </dev/null &
		p=$!
		sleep "$(printf '0.%04d' "$((i * 4))")"
		kill -KILL "$p"
		wait "$p" 2>/dev/null || :
		i=$((i + 1))
	done
	soon sh -c "! pgrep -f '[s]leep 777'"
	verb 0 exec "$name" ps
	! grep 'sleep 777' out || wrong 'none left' "$(cat out)"
	is 'processes' 2 "$(fact pids)"
	verb 0 kill "$name"
	gone
}
story -c 'exec: killed 50 times, it takes its program along' exec_killed

exec_dies() {
	conf
	background -- sleep 1000
	"$crun" exec "$name" sleep 1000 >out 2>err </dev/null &
	p=$!
	soon sh -c "[ \$($crun stat $name | sed -n s/^pids=//p) -eq 3 ]"
	verb 0 kill "$name"
	ends 137 "$p"
	gone
}
story -k 'exec: the end of the container ends it' exec_dies

# Until its exec the child may be in the host's file tree, and root there.
exec_early() {
	need strace
	conf "$@"
	strace -f -qq -o trace -e trace=sethostname \
		-e inject=sethostname:signal=STOP "$crun" -q -c c.conf -- \
		sleep 1000 2>err &
	sup=$!
	echo "$sup" >>kids
	soon grep -q 'stopped by SIGSTOP' trace
	child=$(awk '/stopped by SIGSTOP/ { print $1; exit }' trace)
	verb 0 list
	prints_like "^$name +starting "
	"$crun" exec "$name" sh -c 'stat -c %d:%i /; hostname' >exec.out \
		2>exec.err &
	pid=$!
	soon eval 'grep -qs ^inotify /proc/$pid/fdinfo/*'
	kill -CONT "$child"
	ends 0 "$pid"
	is 'in the container' "$name" "$(tail -n 1 exec.out)"
	[ "$(head -n 1 exec.out)" != "$(stat -c %d:%i /)" ] ||
		wrong 'another root' "$(cat exec.out)"
	verb 0 kill "$name"
	rc=0
	wait "$sup" || rc=$?
}
story -k 'exec: nobody enters before the init runs' exec_early
story -k 'exec: nobody enters before the init runs, userns=none' exec_early \
	userns=none
