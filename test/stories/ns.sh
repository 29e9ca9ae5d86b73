# ns.sh - namespaces, the child, the program.

ns_all() {
	conf
	idle
	for ns in cgroup ipc mnt net pid user uts; do
		[ "$(readlink "/proc/$init/ns/$ns")" != \
			"$(readlink "/proc/self/ns/$ns")" ] ||
			wrong "another $ns namespace" 'the same'
	done
	down
}
story -k 'ns: all seven namespaces are its own' ns_all

ns_cgroup() {
	conf
	inside 'cat /proc/self/cgroup'
	prints_like '^0::/$'
	bad=$(grep -v -e '^0::/$' -e '^[0-9]*:[a-z_,=]*:/' out || :)
	is 'groups above its own' '' "$bad"
	! grep -e payload -e "$name" out || wrong 'no path of the host' ''
}
story -c 'ns: its cgroup namespace begins at its own group' ns_cgroup

ns_hostname() {
	conf
	inside 'hostname'
	prints "$name"
	conf hostname=web.example
	inside 'hostname && cat /proc/sys/kernel/hostname'
	prints 'web.example
web.example'
}
story -k 'ns: the host name is the name, or hostname' ns_hostname

ns_environment() {
	conf env=A=1 env=HOME=/tmp 'env=SPACE=a b'
	want 0 env HOSTSECRET=1 TERM=vt52 "$crun" -c c.conf -- env
	prints 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
HOME=/tmp
container=lxc
A=1
SPACE=a b'
	conf container=docker
	run 0 -- env
	prints_like '^container=docker$'
}
story -k 'ns: (wall 13) the environment is what the configuration says' ns_environment

# the built-in PID 1 is a copy of crun, with crun's own environment
ns_pid_one() {
	conf
	want 0 env HOSTSECRET=1 "$crun" -c c.conf -- /bin/sh -c '
		for f in environ maps mem auxv; do
			cat /proc/1/$f 2>/dev/null | head -c 4096
		done
		for f in exe cwd root; do
			readlink /proc/1/$f
		done
		ls /proc/1/fd/ 2>/dev/null
		true'
	prints ''
}
story -k 'ns: PID 1 cannot be looked into by the program' ns_pid_one

ns_pid_one_args() {
	conf
	inside 'cat /proc/1/cmdline /proc/1/comm; ps -o args'
	! grep -a -e c.conf -e "$here" out || wrong "nothing of crun's" ''
}
story -k "ns: (wall 13) PID 1 does not show the host's command line" ns_pid_one_args

# from FOLDER COMMAND...: with 200 more files open, half of them folders; gone:
# in a folder that is removed
from() {
	folder=$1
	shift
	mkdir -p gone
	want 0 "$probe" open 200 sh -c 'cd "$1"
		[ "$1" != gone ] || rmdir ../gone
		shift
		exec "$@"' - "$folder" "$@"
}

ns_fds() {
	own_root
	printf '#!/bin/sh\nprobe cwd\nexec /bin/probe fds\n' >root/sbin/see
	chmod 755 root/sbin/see
	conf
	background -- sleep 1000
	printf '%s\n' "name=$name-b" "rootfs=$root" >b.conf
	{ cat b.conf && echo init=/sbin/see; } >os.conf
	for folder in gone "$t" "$root/tmp" /proc/self/fd; do
		from "$folder" "$crun" -c "$t/b.conf" -- see
		is "a program's, from $folder" '/ 0 1 2' "$(xargs <out)"
		from "$folder" "$crun" -c "$t/os.conf"
		is "an init's, from $folder" '/ 0 1 2' \
			"$(tr -d '\r' <out | xargs)"
		from "$folder" "$crun" exec "$name" see
		is "exec's, from $folder" '/ 0 1 2' "$(xargs <out)"
		want 0 "$probe" open 200 "$pty" -- "$crun" exec "$name" see
		is "exec's, on a terminal" '/ 0 1 2' \
			"$(tr -d '\r' <out | xargs)"
	done
	# a folder of the host as the folder inside: of the caller, or of crun
	mkdir "$root/home"
	i=0
	while [ "$i" -lt 40 ]; do
		ln -s "/proc/self/fd/$i" "$root/home/$i"
		for folder in "/proc/self/fd/$i" "/home/$i/." "/home/$i/.."; do
			cmd="exec -w $folder"
			rc=0
			"$probe" open 200 "$crun" exec -w "$folder" "$name" \
				see </dev/null >out 2>err || rc=$?
			is "status of $folder" 125 "$rc"
			prints ''
			says "the container's folder $folder: "
		done
		i=$((i + 1))
	done
	verb 0 kill "$name"
	gone
}
story -k 'ns: (wall 5) of 200 files and folders open outside, and the one it is called in, none is inside' \
	ns_fds

ns_closed() {
	conf
	cmd='crun <&- >&- 2>&-'
	rc=0
	timeout 10 "$crun" -c c.conf -- probe fds <&- >&- 2>&- || rc=$?
	[ "$rc" -ne 0 ] || rc=0
	is status 0 "$rc"
}
story 'ns: it starts with its own 0, 1 and 2 closed' ns_closed

ns_groups() {
	need setpriv
	conf
	want 0 setpriv --groups=4,5,6 "$crun" -c c.conf -- /bin/sh -c \
		'grep -e ^Groups -e ^Uid -e ^Gid /proc/self/status | xargs'
	prints 'Uid: 0 0 0 0 Gid: 0 0 0 0 Groups:'
}
story -k 'ns: it is root, with no supplementary groups' ns_groups

ns_signals() {
	conf
	want 0 "$probe" blocked "$crun" -c c.conf -- grep -E \
		'^Sig(Blk|Ign)|^ShdPnd' /proc/self/status
	prints 'ShdPnd:	0000000000000000
SigBlk:	0000000000000000
SigIgn:	0000000000000000'
}
story -k 'ns: signals that crun was started without are back' ns_signals

# A terminal's Ctrl-C, or kill(1) of a job, goes to a whole process group: ours,
# and the program has it from us.
ns_signal_once() {
	conf bind="$probe:/tmp/probe:ro"
	busybox setsid "$crun" -c c.conf -- /tmp/probe usr1 >out 2>err \
		</dev/null &
	sup=$!
	echo "$sup" >>kids
	soon grep -q up out
	for n in 1 2 3 4 5 6 7 8 9 10; do
		kill -s USR1 -- "-$sup"
		soon eval "[ \$(grep -c USR1 out) -ge $n ]"
		sleep 0.1
	done
	is 'signals' 10 "$(grep -c USR1 out)"
	kill -TERM "$sup"
	ends 143 "$sup"
}
story -k 'ns: a signal to its process group reaches the program once' \
	ns_signal_once

ns_cwd() {
	conf
	inside 'readlink /proc/self/cwd; pwd'
	prints '/
/'
	own_root
	printf '#!/bin/sh\nreadlink /proc/1/cwd\n' >root/sbin/cwd
	chmod 755 root/sbin/cwd
	conf init=/sbin/cwd
	run 0
	is 'of an init' / "$(tr -d '\r' <out)"
}
story 'ns: the working folder is /' ns_cwd

# what cannot be dumped belongs to root's group in /proc, proc(5)
ns_dumpable() {
	need setpriv
	conf
	setpriv --regid=1234 --clear-groups sleep 1000 &
	plain=$!
	echo "$plain" >>kids
	soon grep -q sleep "/proc/$plain/comm"
	is 'group of another' 1234 "$(stat -c %g "/proc/$plain/environ")"
	kill "$plain"
	ends 143 "$plain"
	setpriv --regid=1234 --clear-groups "$crun" -c c.conf -- \
		/bin/sh -c 'echo up; exec sleep 1000' >up.out 2>up.err &
	sup=$!
	echo "$sup" >>kids
	soon grep -q up up.out
	is "the supervisor's" 0 "$(stat -c %g "/proc/$sup/environ")"
	is "its working folder" / "$(readlink "/proc/$sup/cwd")"
	down
}
story -k 'ns: the supervisor cannot be looked into' ns_dumpable

ns_zombies() {
	conf
	inside 'i=0
		while [ $i -lt 20 ]; do
			(sleep 0.05 &)
			i=$((i + 1))
		done
		i=0
		while [ "$(ls -d /proc/[0-9]* | wc -l)" -gt 5 ] &&
			[ $i -lt 50 ]; do
			i=$((i + 1))
			sleep 0.1
		done
		cat /proc/[0-9]*/stat | grep -c " Z "
		[ $i -lt 50 ] && echo few'
	is 'zombies, processes' '0 few' "$(xargs <out)"
}
story -k 'ns: PID 1 reaps what the program leaves' ns_zombies

ns_ps() {
	conf
	run 0 -- ps
	is 'lines of ps' 3 "$(wc -l <out)"
	prints_like '^ +1 '
}
story -k 'ns: (wall 13) ps shows PID 1 and the program only' ns_ps

ns_status() {
	conf
	want "$1" "$crun" -c c.conf -- /bin/sh -c "$2"
	lines 0
}
story 'ns: status 0 of the program' ns_status 0 'exit 0'
story 'ns: status 7 of the program' ns_status 7 'exit 7'
story 'ns: status 255 of the program' ns_status 255 'exit 255'
story 'ns: a program killed by KILL gives 137' ns_status 137 'kill -9 $$'
story 'ns: a program killed by TERM gives 143' ns_status 143 'kill -15 $$'
story 'ns: a program killed by SEGV gives 139' ns_status 139 'kill -11 $$'

ns_leftover() {
	conf
	want 3 "$crun" -c c.conf -- /bin/sh -c 'sleep 1000 & exit 3'
}
story -k 'ns: what the program leaves running is killed' ns_leftover

# forwarded SIGNAL: the program gets it, and its status comes out
forwarded() {
	conf
	up -- /bin/sh -c "trap 'echo got $1; exit 5' $1; echo up
		while :; do sleep 0.02; done"
	kill "-$1" "$sup"
	ends 5 "$sup"
	is 'what the program says' "up got $1" "$(xargs <up.out)"
}
for sig in TERM INT HUP USR1 USR2 QUIT; do
	story "ns: $sig goes on to the program" forwarded "$sig"
done

ns_pipe() {
	conf
	head -c 10485760 /dev/urandom >data
	cmd='cat data | crun -- cat | cat'
	# shellcheck disable=SC2002 # pipes are what it is about
	cat data | timeout 30 "$crun" -c c.conf -- cat | cat >back
	cmp data back || wrong 'the same 10 MiB' 'others'
}
story 'ns: 10 MiB go through pipes byte for byte' ns_pipe

ns_stderr() {
	conf
	inside 'echo out; echo err >&2'
	prints out
	is 'standard error' err "$(cat err)"
}
story 'ns: standard error stays apart' ns_stderr

ns_broken_pipe() {
	conf
	cmd='crun -- yes | head -n 1'
	{
		rc=0
		timeout 10 "$crun" -c c.conf -- yes || rc=$?
		echo "$rc" >rc
	} 2>err | head -n 1 >out
	prints y
	is status 141 "$(cat rc)"
}
story 'ns: a program whose output is closed ends' ns_broken_pipe
