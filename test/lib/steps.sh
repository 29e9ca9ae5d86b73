# steps.sh - what stories are made of.

# wrong EXPECTED SEEN: fails the story
wrong() {
	echo "command: $cmd"
	echo "expected: $1"
	echo "seen: $2"
	for f in out err up.out up.err; do
		[ ! -s "$f" ] || { echo "$f:" && head -n 15 "$f"; }
	done
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

need() {
	for tool; do
		command -v "$tool" >/dev/null || skip "no $tool here"
	done
}

need_cgroups() {
	grep -q ' cgroup2\? ' /proc/mounts || skip 'no cgroup is mounted here'
}

need_v2() {
	grep -q ' cgroup2 ' /proc/mounts ||
		skip 'no cgroup v2 is mounted here'
}

# want STATUS COMMAND...: its exit status; what it prints is in out and err
want() {
	status=$1
	shift
	cmd=$*
	rc=0
	timeout -k 5 "$((${secs:-20} * slow))" "$@" >out 2>err || rc=$?
	[ "$rc" -eq "$status" ] || wrong "status $status" "status $rc"
}

is() {
	[ "$2" = "$3" ] || wrong "$1: $2" "$3"
}

says() {
	grep -Eq -e "$1" err || wrong "on standard error: $1" "$(cat err)"
}

says_not() {
	! grep -Eq -e "$1" err || wrong "not on standard error: $1" \
		"$(cat err)"
}

prints() {
	[ "$(cat out)" = "$1" ] || wrong "on standard output: $1" "$(cat out)"
}

prints_like() {
	grep -Eq -e "$1" out || wrong "on standard output: $1" "$(cat out)"
}

lines() {
	[ "$(wc -l <err)" -eq "$1" ] || wrong "$1 lines on standard error" \
		"$(cat err)"
}

# soon COMMAND...: must be true within 20 seconds; a busy machine takes its time
soon() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt "$((2000 * slow))" ] ||
			wrong "soon: $*" "not within 20 s, times $slow"
		sleep 0.01
	done
}

# conf KEY=VALUE...: c.conf, with the keys from line 3 on
conf() {
	printf '%s\n' "name=$name" "rootfs=$root" "$@" >c.conf
}

# run STATUS [ARG ...]: crun with c.conf
run() {
	s=$1
	shift
	want "$s" "$crun" -c c.conf "$@"
}

# inside SCRIPT: what it prints in the container of c.conf, in out
inside() {
	run 0 -- /bin/sh -c "$1"
}

# up ARG...: the container of c.conf in the background, until it says "up"
up() {
	cmd="$crun -c ${file:-c.conf} $*"
	rm -f up.out
	"$crun" -c "${file:-c.conf}" "$@" >up.out 2>up.err </dev/null &
	sup=$!
	echo "$sup" >>kids
	soon grep -q '^up' up.out
}

# init_of NAME: the pid of its init, on the host
init_of() {
	sed -n '1s/ .*//p' "/run/crun-os/$1/pid"
}

# idle: a container that does nothing until it is told to end
idle() {
	up "$@" -- /bin/sh -c 'echo up; exec sleep 1000'
	init=$(init_of "$name")
}

# ends STATUS PID: that child of ours ends within $secs, with that status
ends() {
	tries=0
	while [ -e "/proc/$2/exe" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt "$((${secs:-20} * 50 * slow))" ] ||
			wrong "$2 ends" "not within ${secs:-20} s"
		sleep 0.02
	done
	rc=0
	wait "$2" || rc=$?
	[ "$rc" -eq "$1" ] || wrong "status $1" "status $rc"
}

# down: ends what idle() began
down() {
	kill -TERM "$sup"
	ends 143 "$sup"
}

# verb STATUS WORD...: crun with these words
verb() {
	s=$1
	shift
	want "$s" "$crun" "$@"
}

# in_time MS STATUS WORD...: crun with these words ends within so long
in_time() {
	most=$1
	shift
	begun=$(date +%s%N)
	verb "$@"
	took=$((($(date +%s%N) - begun) / 1000000))
	[ "$took" -lt "$((most * slow))" ] || wrong "within $most ms" "$took ms"
}

# fact KEY: what crun stat says of it
fact() {
	"$crun" stat "$name" | sed -n "s/^$1=//p"
}

# background ARG...: crun -d of c.conf; its supervisor and init are noted
background() {
	run 0 -d "$@"
	sup=$(sed -n '2s/ .*//p' "/run/crun-os/$name/pid")
	init=$(init_of "$name")
	echo "$sup" >>kids
}

# waiting PID: that process has found the container, and has a pidfd of it
waiting() {
	grep -qs '^Pid:' "/proc/$1/fdinfo"/*
}

waits() {
	soon waiting "$1"
}

# gone: the container has ended, its supervisor too
gone() {
	soon test ! -e "/proc/$sup/exe"
	[ ! -e "/run/crun-os/$name" ] || wrong 'no folder' "$(ls -RA /run/crun-os)"
}

# printed: how many bytes the console has, by the log
printed() {
	od -An -t u8 -N 8 "/run/crun-os/$name/log" | tr -d ' '
}

# own_root: $root is now a copy that may be spoilt
own_root() {
	cp -a "$root" "$t/root"
	root=$t/root
}

# mounted TYPE OPTIONS TARGET: until the story ends
mounted() {
	mkdir -p "$3"
	mount -t "$1" -o "$2" none "$3" || skip "no $1 here"
	echo "$3" >>mounted
}
