# nested.sh - containers in containers.

# nest LEVELS: $root and so many levels below it have crun and a folder in
# /srv, with the configuration /etc/in.conf for it
nest() {
	own_root
	at=root level=0
	while [ "$level" -lt "$1" ]; do
		level=$((level + 1))
		cp "$crun" "$at/bin/crun"
		mkdir -p "$at/srv"
		cp -a "$T/root" "$at/srv/box"
		printf '%s\n' name=in rootfs=/srv/box nesting=yes "$2" \
			>"$at/etc/in.conf"
		at=$at/srv/box
	done
	conf nesting=yes
}

walls_nest() {
	nest 2 ''
	see='cat /proc/self/uid_map; echo hi >/dev/null; grep Bnd /proc/self/status
		head -c 3 /dev/zero | wc -c; hostname'
	run 0 -q -- crun -q -c /etc/in.conf -- crun -q -c /etc/in.conf -- \
		sh -c "$see"
	# shellcheck disable=SC2046 # names
	bits=$(cap_bits $(kept_caps | grep -v -x mknod))
	is 'seen in the third' "0 0 65536 CapBnd: $bits 3 in" "$(xargs <out)"
	run 7 -q -- crun -q -c /etc/in.conf -- crun -q -c /etc/in.conf -- \
		sh -c 'exit 7'
	want 0 "$pty" -t "$((20 * slow))" "$prompt" 'send:poweroff\r' \
		'expect:busybox: down' -- "$crun" -q -c c.conf -- \
		crun -q -c /etc/in.conf -- crun -q -c /etc/in.conf
}
limit=120
story -k 'walls: a container in a container in a container' walls_nest

# What the container that we are in has at /dev/null and zero is given on only
# where it is that.
walls_nest_null() {
	nest 1 ''
	run 0 -q -- sh -c '
		for fake in /dev/zero /etc/passwd; do
			mount --bind $fake /dev/null
			crun -q -c /etc/in.conf -- echo ran
			echo $?
			umount /dev/null
		done'
	prints "$(printf '125\n125')"
	[ "$(grep -c '^crun: /dev/null of the container that we are in is not that device$' err)" -eq 2 ] ||
		wrong 'two refusals' "$(cat err)"
}
story -k 'walls: (wall 2) a false /dev/null in a container' walls_nest_null

# the nodes are the outer one's, and so are their mode and owner
walls_nest_nodes() {
	nest 1 ''
	run 0 -q -- sh -c 'crun -q -c /etc/in.conf -- sh -c "
		chmod 600 /dev/null; chown 5 /dev/zero
		echo >/dev/null && head -c 1 /dev/zero | wc -c"
		stat -c "%a %u" /dev/null /dev/zero'
	is 'mode and owner' '1 666 0 666 0' "$(xargs <out)"
	is refused 2 "$(grep -c 'Read-only file system' err)"
}
story -c 'walls: (wall 8) the device nodes of a container that one is in' \
	walls_nest_nodes

# crun exec, -d, a bridge and limits, as on any host
walls_nest_host() {
	nest 1 memory=20M
	cat >root/bin/try <<-'END'
	#!/bin/sh -e
	ip link add br0 type bridge
	ip addr add 10.1.1.1/24 dev br0
	ip link set br0 up
	mkdir /sys/fs/cgroup/own
	for pid in $(cat /sys/fs/cgroup/cgroup.procs); do
		echo $pid >/sys/fs/cgroup/own/cgroup.procs 2>/dev/null || :
	done
	crun -d -c /etc/in.conf bridge=br0 ip=10.1.1.2/24 memory= \
		-- sleep 1000
	ping -q -c 1 10.1.1.2 >/dev/null
	crun exec in sh -c 'echo exec; exit 3' || echo "status $?"
	crun list -q
	crun kill in
	crun list -q
	ls /run/crun-os 2>/dev/null || :
	echo end
	END
	chmod 755 root/bin/try
	run 0 -q -- try
	is printed 'exec status 3 in end' "$(xargs <out)"
}
story -k 'walls: crun with all its verbs in a container' walls_nest_host

# What crun says where a wall cannot be built, all that it may say and, by the
# letters of those modes (a auto, n userns=none, x nesting=yes) in which each
# must come up: the wall's name; the kernel's option, where one leaves it out;
# the key, where one does without the wall.
wall_lines() {
	cat <<-'END'
	anx loading the filter of system calls .*\(seccomp=none does without\)
	anx the device policy(:| needs CONFIG_CGROUP_BPF,) .*\(device=all does without\)
	anx setting the capabilities \(CONFIG_MULTIUSER\)
	anx dropping capability [0-9]+ \(caps=\+NAME keeps one\)
	anx clearing the ambient capabilities
	anx dropping the supplementary groups \(CONFIG_MULTIUSER\)
	anx becoming root of the container \(CONFIG_MULTIUSER\)
	anx hiding our memory and files
	anx asking for a signal at the supervisor's death
	anx a session of its own
	anx making the namespaces \(clone3\)
	-n- making the cgroup namespace \(CONFIG_CGROUPS\)
	a-x making a mount namespace for the supervisor
	anx making a session keyring \(CONFIG_KEYS\)
	anx closing files \(close_range\), Linux 5\.9
	an- masking /(proc|sys)/.* \(nesting=yes leaves it\)
	an- making /proc/.* read-only \(nesting=yes leaves it\)
	anx making /sys read-only
	an- (opening|cloning|mounting on) /(proc|sys)/
	anx (opening )?/(proc|sys|dev|run|dev/mqueue|dev/shm|run/host) (in|of) the rootfs
	anx mounting (on /(dev|proc|sys|run)|tmpfs|proc|sysfs|mqueue|cgroup2)
	anx making /dev(/pts)? \(CONFIG_(TMPFS|UNIX98_PTYS)\)
	anx c\.conf:[12]: (rootfs|idmapping|setting attributes of the mount of) /
	anx (making|sharing|attaching to) the (mounts|passage for the mounts)
	-n- attaching the rootfs
	anx pivot_root into /
	anx leaving the host's root
	anx the root folder
	-n- a sealed copy of crun, which these ids need \(CONFIG_MEMFD_CREATE
	-n- a sealed copy of crun, which these ids need; running it
	--- the mount option [a-z_]+
	END
}

# Each call that builds a wall is made to fail, one after the other: either
# there is no start, with a line that says why, or all walls stand.
walls_failing() {
	need strace
	mode=$1
	shift
	conf "$@"
	see='echo ran; grep -E "^(Cap|Seccomp|Groups|Uid|NoNew)" \
		/proc/self/status
		cut -d " " -f 4-6 /proc/self/mountinfo | sort
		for f in 0 1 2 3 4 5 6 7 8 9; do [ ! -e /proc/self/fd/$f ] ||
		echo $f; done; ls /dev; pwd'
	run 0 -q -- sh -c "$see"
	cp out all
	wall_lines | sed 's/^\(...\) /\1|^crun: /' >lines
	cut -d '|' -f 2- lines >known
	: >said
	for call in seccomp bpf capset prctl setgroups setresuid setresgid mount \
		mount_setattr open_tree move_mount openat2 fsmount pivot_root \
		umount2 unshare close_range keyctl setsid fchdir chdir \
		memfd_create execveat setns clone3 prctl=EINVAL; do
		n=0 errno=ENOMEM
		[ "${call#*=}" = "$call" ] || errno=${call#*=}
		call=${call%=*}
		while n=$((n + 1)) && [ "$n" -le "$((80 / fewer / fewer))" ]; do
			rc=0
			timeout "$((10 * slow))" strace -f -qq -o trace \
				-e "trace=$call" -e \
				"inject=$call:error=$errno:when=$n" \
				"$crun" -q -c c.conf -- sh -c "$see" \
				>out 2>err </dev/null || rc=$?
			grep -q INJECTED trace || break
			cmd="crun with call $n of $call failing by $errno"
			if grep -q ran out; then
				cmp -s out all ||
					wrong "$(cat all)" "$(cat out)"
				continue
			fi
			is status 125 "$rc"
			lines 1
			grep -qEf known err ||
				wrong 'a line of the table' "$(cat err)"
			cat err >>said
		done
	done
	echo "# $(wc -l <said) refused" >&2
	# a slow machine has not come to all
	[ "$fewer" -gt 1 ] || while IFS='|' read -r modes text; do
		case $modes in
		*"$mode"*) grep -qE -e "$text" said ||
			wrong "$text" 'none of all lines' ;;
		esac
	done <lines
	[ "$(wc -l <said)" -gt $((50 / fewer / fewer)) ] ||
		wrong "more than $((50 / fewer / fewer))" "$(cat said)"
}
limit=240
story -k 'walls: (wall 17) each call that builds a wall fails' walls_failing a
limit=240
story -k 'walls: (wall 17) each call that builds a wall fails, nesting=yes' walls_failing x \
	nesting=yes
limit=240
story -k 'walls: (wall 17) each call that builds a wall fails, userns=none' walls_failing n \
	userns=none

# A guest that overwrites the programs of those who come in.  These are of
# another file than the supervisor, as after an update: what nobody runs any
# more can be written to.
thief_up() {
	own_root
	cp "$crun" stolen
	sha256sum stolen >before
	cp "$here/build/test/thief" root/bin/
	conf "$@"
	background -- sh -c 'exec thief >/thief.out'
}

thief_down() {
	soon grep -q ^met root/thief.out
	sleep 0.1
	! grep wrote root/thief.out || wrong 'nothing written' wrote
	verb 0 kill "$name"
	gone
	sha256sum -c --quiet before || wrong 'the same program' changed
}

walls_thief() {
	thief_up "$@"
	n=0
	while [ "$n" -lt "$races" ]; do
		n=$((n + 1))
		./stolen exec "$name" true 2>err ||
			wrong 'status 0' "$n: $(cat err)"
	done
	thief_down
}
limit=$((120 + races / 10))
story -k 'walls: (wall 4) a guest that overwrites who comes in' walls_thief
limit=$((120 + races / 10))
story -k 'walls: (wall 4) a guest that overwrites who comes in, nesting=yes' \
	walls_thief nesting=yes
limit=$((120 + races / 10))
story -kw 'walls: (wall 4) a guest that overwrites who comes in, userns=none' \
	walls_thief userns=none

# what the thief's words let it see of whoever comes in: nothing
# walls_seen WORDS KEY=VALUE...
walls_seen() {
	own_root
	cp "$here/build/test/thief" root/bin/
	echo host >canary
	chmod 600 canary
	words=$1
	shift
	conf "$@"
	# who changes ids is then looked at as any other, proc_sys_fs(5)
	[ ! "${CRUN_IN_VM:-}" ] || echo 1 >/proc/sys/fs/suid_dumpable
	background -- sh -c "exec thief $words >/thief.out"
	n=0
	while [ "$n" -lt "$races" ]; do
		n=$((n + 1))
		SECRET=1 "$crun" exec "$name" true 2>err ||
			wrong 'status 0' "$n: $(cat err)"
	done
	soon grep -q ^met root/thief.out
	[ ! "${CRUN_IN_VM:-}" ] || echo 0 >/proc/sys/fs/suid_dumpable
	! grep ^saw root/thief.out || wrong 'nothing seen' "$(sort root/thief.out |
		uniq -c)"
	verb 0 kill "$name"
	gone
}

walls_looks() {
	walls_seen look "$@"
}

# Root that has CAP_SYS_PTRACE over whoever is in its pid namespace.
walls_peeks() {
	walls_seen "peek $t/canary" "$@"
}
limit=$((120 + races / 10))
story -kw 'walls: a guest that looks at who comes in' walls_looks
limit=$((120 + races / 10))
story -kw 'walls: a guest that looks at who comes in, nesting=yes' walls_looks \
	nesting=yes
limit=$((120 + races / 10))
story -kw 'walls: nothing of the host leaks by who comes in' walls_peeks
limit=$((120 + races / 10))
story -kw 'walls: nothing of the host leaks by who comes in, nesting=yes' \
	walls_peeks nesting=yes
limit=$((120 + races / 10))
story -kw 'walls: nothing of the host leaks by who comes in, userns=none' \
	walls_peeks userns=none

# Whoever comes in can be ended by root of the container, but its memory is not
# written to a file, though its caller would have that.
walls_kills() {
	own_root
	cp "$here/build/test/thief" root/bin/
	conf rlimit.core=0 "$@"
	background -- sh -c 'exec thief kill'
	mkdir caller
	n=0 ended=0
	while [ "$n" -lt "$races" ]; do
		n=$((n + 1)) rc=0
		(cd caller && exec prlimit --core=unlimited "$crun" exec \
			"$name" true) 2>err || rc=$?
		case $rc in
		0) ;;
		131) ended=$((ended + 1)) ;;
		125) says '^crun: ' && lines 1 ;;
		*) wrong 'status 0, 125 or 131' "$rc" ;;
		esac
	done
	cmd="crun exec, $n times, $ended ended"
	[ "$ended" -gt 0 ] || wrong 'some that are ended' none
	find root caller -name 'core*' >seen
	[ ! -s seen ] || wrong 'no memory in a file' "$(cat seen)"
	verb 0 kill "$name"
	gone
}
limit=120
story -k 'walls: (wall 4) a guest that ends who comes in' walls_kills
limit=120
story -k 'walls: (wall 4) a guest that ends who comes in, userns=none' \
	walls_kills userns=none

# A script whose interpreter is whoever runs it: crun, as a program of the
# guest and with the option that the script says.
walls_interpreter() {
	thief_up "$@"
	for option in '' -h -c -V; do
		printf '#!/proc/self/exe %s\nname=in\nrootfs=/\n' "$option" \
			>root/bin/trick
		chmod 755 root/bin/trick
		n=0
		while [ "$n" -lt "$((40 / fewer))" ]; do
			n=$((n + 1))
			timeout 20 ./stolen exec "$name" /bin/trick >out 2>&1 ||
				:
		done
		timeout 20 ./stolen -c c.conf name=other init=/bin/trick \
			</dev/null >out 2>&1 || :
	done
	thief_down
}
story -kw 'walls: (wall 4) crun as the interpreter of a script of the guest' \
	walls_interpreter
story -kw 'walls: (wall 4) crun as the interpreter of a script of the guest, userns=none' \
	walls_interpreter userns=none

# Likewise with folders that hold what is to be masked, in the place of /proc
# and /sys: wherever the real ones are, what is to be shut off in them is.
walls_race_masks() {
	own_root
	sed -n '/config_masked\[\]/,/^};/p
		/config_readonly\[\]/,/^};/p' "$here/config.h" |
		grep -o '"/[^"]*' | tr -d '"' | sed 's|^/[a-z]*|root&.link|' |
		xargs mkdir -p
	mkdir -p root/sys.link/fs/cgroup root/proc.link/sys/net \
		root/sys.link/devices/virtual/net
	conf userns=none
	(cd root && exec "$here/build/test/racer" proc sys) &
	racer=$!
	echo "$racer" >>kids
	n=0 real=0
	while [ "$n" -lt "$races" ]; do
		n=$((n + 1)) rc=0
		timeout 20 "$crun" -q -c c.conf -- sh -c '
			[ "$(stat -f -c %T /proc)" = proc ] || exit 7
			! (exec 9>>/proc/sys/kernel/panic) || echo open panic
			! head -c 1 /proc/kallsyms | grep . || echo open kallsyms
			! grep -q " /sys .* rw,.* - sysfs " \
			/proc/self/mountinfo || echo open sys' >out 2>err || rc=$?
		cmd="crun, start $n"
		case $rc in
		0) real=$((real + 1)) ;;
		7) ;;
		125) says '^crun: ' && lines 1 ;;
		*) wrong 'status 0, 7 or 125' "$rc" ;;
		esac
		prints ''
	done
	kill "$racer" 2>/dev/null || wrong 'a racer to the end' none
	wait "$racer" || :
	if [ "$real" -eq 0 ] || [ "$real" -eq "$n" ]; then
		wrong 'starts with a /proc and others' "$real of $n"
	fi
}
limit=$((120 + races / 4))
story -k 'walls: (wall 1) a /proc that is moved while it is masked' walls_race_masks

limit=$((120 + races / 4))
story -k 'walls: (wall 1) a rootfs that changes while it is used' walls_race
limit=$((120 + races / 4))
story -k 'walls: (wall 1) a rootfs that changes while it is used, nesting=yes' \
	walls_race nesting=yes
limit=$((120 + races / 4))
story -k 'walls: (wall 1) a rootfs that changes while it is used, userns=none' \
	walls_race userns=none
