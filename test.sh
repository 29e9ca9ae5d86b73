#!/bin/sh
# test.sh - every test of crun.
#
#	./test.sh [NAME ...]	run all stories, or those whose title matches
#				one of these expressions (grep -E)
#	./test.sh -l [NAME ...]	list them
#
# Read it as a list of stories: a line
#
#	story TITLE COMMAND [ARG ...]
#
# runs COMMAND, mostly the function over it, in a shell and a folder of its
# own ($t), with a time limit.  What it needs stands in the first part.  After
# each story the host is compared with what it was before (test/host): what a
# container leaves behind fails the story that made it.
#
# As root, and but for configuration all stories need root, the whole runs in
# mount, network and pid namespaces of its own: the bridge that it makes and
# all that might be left is not seen by the rest of the machine.  In a virtual
# machine of test/vm (CRUN_IN_VM) it is the host itself that is looked at.
#
# The last line is the sum; the exit status is 0 when nothing has failed.
#
# shellcheck disable=SC2016 # many words are for the shell inside
# shellcheck disable=SC2119,SC2120 # "idle" mostly needs no more
set -eu
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH
umask 022

here=$(cd "$(dirname "$0")" && pwd -P)
crun=$here/crun
pty=$here/build/test/pty
probe=$here/build/test/probe

# ---- running stories ----

number=0
needs_root=
limit=60		# seconds that a story may take
slow=1			# how many times that, and every other time limit
[ ! "${CRUN_IN_VM:-}" ] || slow=4
list=''
[ "${1:-}" != -l ] || { list=1 && shift; }
names=$*
patterns=$(printf '%s\n' "$@")

chosen() {
	[ ! "$names" ] || echo "$1" | grep -Eq -e "$patterns"
}

story() {
	title=$1
	shift
	number=$((number + 1))
	if ! chosen "$title"; then
		:
	elif [ "$list" ]; then
		echo "$title"
	else
		judge "$@"
	fi
	limit=60
}

# act COMMAND...: this shell is the story's
act() {
	t=$T/$number
	cd "$t"
	: >kids
	cmd='' sup=''
	trap end_of_story EXIT
	trap 'exit 143' TERM
	"$@" </dev/null
	exit 0
}

# What a story has left running or mounted is ended, and whatever else it has
# commands for in "undo".
end_of_story() {
	rc=$?
	trap - EXIT
	[ ! -e undo ] || sh undo >/dev/null 2>&1 || :
	while read -r p; do
		kill -TERM "$p" 2>/dev/null && sleep 0.3
		kill -KILL "$p" 2>/dev/null || :
	done <kids
	tac mounted 2>/dev/null | while read -r m; do
		umount -l "$m" || :
	done
	case $rc in
	0 | 1 | 77) ;;
	*) echo "status $rc of the story itself, after: $cmd" ;;
	esac
	exit "$rc"
}

# try COMMAND...: the story in a process of its own; its status is in rc
try() {
	rc=0
	(act "$@") >"$dir/log" 2>&1 </dev/null &
	job=$!
	"$probe" watch "$((limit * slow))" "$job" &
	watch=$!
	wait "$job" || rc=$?
	wait "$watch" || { rc=$? && echo "no end in $limit s, times $slow" >>"$dir/log"; }
	job=
	leaked=0
	if [ "$uid" -eq 0 ] && ! compare; then
		rc=1 leaked=1
	fi
}

# judge: tries the story and says how it went
judge() {
	dir=$T/$number
	rm -rf "$dir"
	mkdir "$dir"
	if [ "$needs_root" ] && [ "$uid" -ne 0 ]; then
		skipped 'only root can start a container'
		return
	fi
	try "$@"
	# a machine that is busy or emulated can be too slow for a story once:
	# a second try, and the first is told of; what is left behind is never
	# forgiven
	if [ "$rc" -ne 0 ] && [ "$rc" -ne 77 ] && [ "$leaked" -eq 0 ] &&
		[ "$limit" -le 300 ]; then
		sed 's/^# //; s/^/# # first try: /' "$dir/log" >"$T/first"
		rm -rf --one-file-system "$dir"
		mkdir "$dir"
		try "$@"
		cat "$T/first" >>"$dir/log"
		nretried=$((nretried + 1))
	fi
	case $rc in
	0) passed ;;
	77) skipped "$(grep -v '^# ' "$dir/log" | tail -n 1)" ;;
	*)
		failed
		[ "$uid" -ne 0 ] || sweep
		;;
	esac
	rm -rf --one-file-system "$dir"
}

passed() {
	npassed=$((npassed + 1))
	echo "ok $number - $title"
	sed -n 's/^# //p' "$dir/log" | sed 's/^/# /'
}

failed() {
	nfailed=$((nfailed + 1))
	echo "not ok $number - $title"
	awk '{ sub(/^# /, ""); print "# " $0 }' "$dir/log"
}

skipped() {
	nskipped=$((nskipped + 1))
	echo "ok $number - $title # SKIP $1"
	echo "$1" >>"$T/skips"
}

# compare: 0 when the host is as it was before the story
compare() {
	# after a program the kernel removes the veth in its own time; that it
	# is gone at once after an OS is a story of its own
	tries=0
	while [ "$tries" -lt 60 ] && ip -o link | grep -q ': cr[a-z2-7]*@'; do
		tries=$((tries + 1))
		sleep 0.05
	done
	sh "$here/test/host" "$name" >"$T/host.new"
	same=0
	if ! cmp -s "$T/host.old" "$T/host.new"; then
		echo 'the host is not as it was before:' >>"$dir/log"
		diff "$T/host.old" "$T/host.new" | grep '^[<>]' \
			>>"$dir/log" || :
		same=1
	fi
	mv "$T/host.old" "$T/host.before"
	mv "$T/host.new" "$T/host.old"
	return "$same"
}

# After a failed story: what it has left must not fail the next ones.
sweep() {
	diff "$T/host.before" "$T/host.old" | sed -n 's/^> process //p' |
		while read -r pid _; do
			kill -KILL "$pid" 2>/dev/null || :
		done
	sleep 0.3
	for n in "$name" "$name-b"; do
		timeout -k 1 10 "$crun" -q -c - >/dev/null 2>&1 <<-END || :
		name=$n
		rootfs=/nosuch
		END
	done
	sh "$here/test/host" "$name" >"$T/host.old"
}

# ---- before the first and after the last ----

# a helper's program, made anew when its source is newer
helper() {
	src=$here/test/$1.c
	out=$here/build/test/$1
	if [ ! -e "$out" ] || [ "$(find "$src" -newer "$out")" ]; then
		mkdir -p "$here/build/test"
		cc -O1 -static -o "$out.new" "$src"
		mv "$out.new" "$out"
	fi
}

# tree NAME: the folder of that tree, made if need be
tree() {
	sh "$here/test/tree" "$1"
}

# The trees of the stories to come; those of one suite share their packages'
# cache and are made after each other.  One that cannot be made is the reason
# of a skip.
make_trees() {
	tree busybox >/dev/null
	sh "$here/test.sh" -l "$@" | grep -q -e '^os:' -e '^vm:' -e '^wrap:' -e '^live:' || return 0
	for suites in 'trixie sid bullseye' \
		'host bookworm guest sysvinit openrc runit finit'; do
		for tree in $suites; do
			tree "$tree" >/dev/null || :
		done &
	done
	wait
}

# A network, mounts and processes of our own.  8 and 9 lead back out.
isolate() {
	exec 8</proc/self/ns/mnt 9</proc/self/ns/net
	CRUN_ISOLATED=1
	export CRUN_ISOLATED
	unshare -m -n -p --fork --kill-child --mount-proc \
		sh -c '"$@"; exit $?' - sh "$here/test.sh" "$@" || exit
	exit
}

# outside COMMAND...: in the machine's own network and mounts
outside() {
	if [ "${CRUN_ISOLATED:-}" ]; then
		nsenter --mount=/proc/self/fd/8 --net=/proc/self/fd/9 "$@"
	else
		"$@"
	fi
}

# /sys of our network; a /run that nobody else writes to; a copy of /etc, for
# a crun that fails to stay in its rootfs
own_host() {
	cp -a /etc "$T/etc"
	mount --bind "$T/etc" /etc
	groups=$T/groups
	mkdir "$groups"
	mount --rbind /sys/fs/cgroup "$groups"
	umount -l /sys
	mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
	mount --rbind "$groups" /sys/fs/cgroup
	umount -l "$groups"
	mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run
	ip link set lo up
}

add_bridge() {
	ip link add "$br" type bridge
	ip addr add "$net.1/24" dev "$br"
	ip -6 addr add "$net6::1/64" dev "$br" nodad 2>/dev/null || :
	ip link set "$br" up
}

set_up() {
	T=$(cd /var/tmp && mktemp -d "$(pwd -P)/crt.XXXXXX")
	trap clean_up EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	npassed=0 nfailed=0 nskipped=0 nretried=0 job=
	: >"$T/skips"
	name=crt-${T##*.}
	root=$T/root
	br=crt0 net=10.199.77 net6=fd00:c77
	export T name root br net net6
	helper pty
	helper probe
	helper tries
	helper racer
	helper thief
	[ "$uid" -eq 0 ] || return 0
	[ ! "${CRUN_ISOLATED:-}" ] || own_host
	cp -a "$(tree busybox)" "$root"
	cp "$probe" "$here/build/test/tries" "$root/bin/"
	add_bridge
	sh "$here/test/host" "$name" >"$T/host.old"
}

clean_up() {
	rc=$?
	trap - EXIT
	[ ! "$job" ] || kill "$job" 2>/dev/null || :
	[ "$uid" -ne 0 ] || ip link del "$br" 2>/dev/null || :
	rm -rf --one-file-system "$T"
	exit "$rc"
}

# the sum, after all skips once more
finish() {
	if [ -s "$T/skips" ]; then
		sort "$T/skips" | uniq -c | sed 's/^ *\([0-9]*\)/# \1 skipped:/'
	fi
	[ "$nretried" -eq 0 ] || echo "# $nretried tried twice"
	echo "$npassed passed, $nfailed failed, $nskipped skipped"
	[ $((npassed + nfailed + nskipped)) -gt 0 ] ||
		echo 'no story has such a name; -l lists them' >&2
	[ "$nfailed" -eq 0 ] && [ $((npassed + nskipped)) -gt 0 ]
}

uid=$(id -u)
if [ ! "$list" ]; then
	if [ "$uid" -eq 0 ] && [ ! "${CRUN_IN_VM:-}" ] &&
		[ ! "${CRUN_ISOLATED:-}" ]; then
		make_trees "$@"
		isolate "$@"
	fi
	set_up
fi

# ---- what stories are made of ----

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

# soon COMMAND...: must be true within 5 seconds
soon() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt "$((500 * slow))" ] ||
			wrong "soon: $*" "not within 5 s, times $slow"
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

# ---- configuration ----

# web.conf, with line 4 for the story, and what its keys need around it
web_conf() {
	printf '%s\n' '# a comment' 'rootfs=/r' 'bridge=br0' "$1" \
		'ip=10.0.0.2/24' >web.conf
	case $1 in
	rootfs=*) sed -i 2s/.*// web.conf ;;
	bridge=*) sed -i 3s/.*// web.conf ;;
	uidmap=*) echo 'gidmap=0:1:1' >>web.conf ;;
	gidmap=*) echo 'uidmap=0:1:1' >>web.conf ;;
	esac
}

good() {
	web_conf "$1"
	want 0 "$crun" -n -c web.conf
	lines 0
	grep -qxF -e "$1" out || wrong "on standard output: $1" "$(cat out)"
}

while IFS= read -r row; do
	story "config: $row is taken" good "$row"
done <<'END'
name=web-1_x.2
rootfs=/srv/web
rootfs.follow=yes
init=/sbin/init --verbose 3
hostname=web.example
env=LANG=C
env=EMPTY=
container=docker
userns=auto
userns=none
userns=100000
userns=100000:4096
uidmap=0:100000:65536
gidmap=0:100000:65536
bridge=br-lan.5
ip=10.1.2.3/8
ip=fd00::1/64
gateway=10.0.0.1
dns=9.9.9.9
dns=2620:fe::fe
ifname=net0
mac=02:00:00:00:00:01
mtu=1400
memory=512M
memory=1T
memory=1048576
swap=0
cpus=1.5
cpus=0.01
cpu.weight=10000
cpuset=0-1,3
pids=500
io.weight=1
cgroup.memory.high=400M
cgroup.cgroup.max.depth=3
cgroup.view=v1
bind=/a:/b
bind=/a:/b/c:ro,nosuid,nodev,noexec,rec,optional,idmap,follow
tmpfs=/t
tmpfs=/t:size=1M,mode=700
readonly=yes
caps=+net_raw -mknod
device=/dev/disk/by-id/a:rw,follow
device=/dev/sr0:follow
nesting=yes
rlimit.nofile=1024:4096
rlimit.core=unlimited
sysctl.net.ipv4.ip_forward=1
sysctl.net.ipv4.conf.eth0/1.rp_filter=1
stop.signal=RTMIN+4
stop.signal=SIGPWR
reboot.signal=15
stop.timeout=86400
console.log=64K
END

# bad KEY=VALUE WHY: one line with FILE:LINE, the key, and why
bad() {
	web_conf "$1"
	want 2 "$crun" -n -c web.conf
	prints ''
	says "^crun: web.conf:4: ${1%%=*}[ =].*$2"
	lines 1
}

long64=aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg
while IFS='|' read -r row why; do
	story "config: $row is refused" bad "$row" "$why"
done <<END
name=.web|the first neither
name=-web|the first neither
name=a/b|letters, digits
name=a b|letters, digits
name=${long64}x|longer than 64
rootfs=|no value
init=sbin/init|absolute
hostname=a b|letters
hostname=-web|letters
hostname=${long64}x|at most 64
env=LANG|NAME=VALUE
env==C|NAME=VALUE
env=1A=b|NAME=VALUE
env=A-B=c|NAME=VALUE
container=a b|letters
userns=yes|auto, none
userns=0|from 1 up
userns=-1|from 1 up
userns=100000:0|HOSTID:COUNT
userns=4294967295|auto, none
userns=1000:4294967000|auto, none
uidmap=0:1|INSIDE:OUTSIDE:COUNT
uidmap=0:1:0|INSIDE:OUTSIDE:COUNT
uidmap=0:1:2:3|INSIDE:OUTSIDE:COUNT
uidmap=0:root:1|INSIDE:OUTSIDE:COUNT
uidmap=0:4294967290:100|32 bits
uidmap=0:0:65536|maps the host.s root
gidmap=5:0:1|maps the host.s root
gidmap=0:-1:1|INSIDE:OUTSIDE:COUNT
gidmap=0:4294967296:1|32 bits
bridge=a/b|no interface's name
bridge=0123456789abcdef|at most 15
ip=0.0.0.0/0|no address that a host can have
ip=127.0.0.1/8|no address that a host can have
ip=224.0.0.1/24|no address that a host can have
ip=10.0.0.0/24|no address that a host can have
ip=10.0.0.255/24|no address that a host can have
ip=::1/64|no address that a host can have
ip=ff02::1/64|no address that a host can have
mac=00:00:00:00:00:00|not all of it may be zero
ifname=default|not lo, all or default
bind=/etc:/proc|what crun mounts itself
bind=/etc://sys/|what crun mounts itself
tmpfs=/dev|what crun mounts itself
ip=10.0.0.1|no prefix.*10.0.0.1/24
ip=fd00::1|no prefix.*fd00::1/64
ip=10.0.0.1/33|no IPv4 or IPv6
ip=10.0.0.256/24|no IPv4 or IPv6
ip=fd00::1/129|no IPv4 or IPv6
ip=10.0.0.1/|no IPv4 or IPv6
ip=web/24|no IPv4 or IPv6
gateway=10.0.0.1/24|without a prefix
gateway=router|no IPv4 or IPv6
gateway=10.9.0.1|subnet of no ip
gateway=fe80::1|needs an ip of its kind
dns=example.org|no IPv4 or IPv6
dns=9.9.9.9/32|without a prefix
ifname=lo|not lo
ifname=eth/0|no interface's name
ifname=..|no interface's name
ifname=0123456789abcdef|at most 15
mac=02:00:00:00:00|six bytes
mac=02-00-00-00-00-01|six bytes
mac=02:00:00:00:00:0g|six bytes
mac=03:00:00:00:00:01|multicast
mtu=67|from 68 to 65535
mtu=65536|from 68 to 65535
mtu=large|from 68 to 65535
memory=1023K|at least 1048576
seccomp=maybe|must be default or none
device=/etc/passwd|must be /dev/NAME
device=fuse|must be /dev/NAME
device=/dev/|must be /dev/NAME
device=/dev/../etc/passwd|must be /dev/NAME
device=/dev/fuse:|has no access
device=/dev/fuse:rx|x: access is one or more of r
device=/dev/fuse:rw,|has no access
device=/dev/fuse:r,optional|o: access is one or more of r
device=/dev/pts/3|is one that every container has of its own
device=/dev/console|is one that every container has of its own
device=all:r|must be /dev/NAME
console.log=1K|at least 16384
console.log=2G|at most 1073741824
memory=1.5G|digits, then
memory=512X|digits, then
memory=-1|digits, then
memory=512 M|digits, then
memory=99999999999999999999|digits, then
memory=8388608T|digits, then
swap=lots|digits, then
cpus=0|from 0.01
cpus=1.2345|from 0.01
cpus=1.|from 0.01
cpus=-1|from 0.01
cpus=8193|to 8192
cpu.weight=0|from 1 to 10000
cpu.weight=10001|from 1 to 10000
cpuset=3-1|list of processors
cpuset=0-|list of processors
cpuset=0,,1|list of processors
cpuset=all|list of processors
pids=0|from 1 to
pids=4194305|from 1 to
io.weight=0|from 1 to 10000
io.weight=many|from 1 to 10000
cgroup.memory=1|no file of a controller
cgroup.memory.=1|no file of a controller
cgroup.memory./../x=1|no file of a controller
cgroup.cgroup.procs=1|only the max
cgroup.view=v3|auto, v2, v1 or none
bind=/a|SOURCE:TARGET
bind=/a:b|absolute
bind=/a:/|absolute
bind=/a:/b/../c|must not contain
bind=/a:/b:rw|unknown option rw
bind=/a:/b:ro,|unknown option
tmpfs=t|absolute
tmpfs=/./t|must not contain
tmpfs=/t:size=0|bad option size=0
tmpfs=/t:size=x|bad option size=x
tmpfs=/t:mode=999|bad option mode=999
tmpfs=/t:uid=1|bad option uid=1
readonly=true|yes or no
rootfs.follow=1|yes or no
nesting=1|yes or no
caps=net_raw|must be
caps=+nothing|must be
caps=+|must be
rlimit.files=1|no such limit
rlimit.nofile=9:8|SOFT not above HARD
rlimit.nofile=few|SOFT or SOFT:HARD
rlimit.nofile=1:2:3|SOFT or SOFT:HARD
sysctl.kernel.panic=1|not namespaced
sysctl.vm.swappiness=1|not namespaced
sysctl.kernel.hostnamex=1|not namespaced
sysctl.net/../vm/swappiness=1|no name of a sysctl
stop.signal=FOO|must be a signal
stop.signal=0|must be a signal
stop.signal=65|must be a signal
stop.signal=RTMIN+31|must be a signal
reboot.signal=TERM+1|must be a signal
stop.timeout=0|from 1 to 86400
stop.timeout=86401|from 1 to 86400
stop.timeout=soon|from 1 to 86400
END

# conf_n LINE...: web.conf of these lines
lines_of() {
	printf '%s\n' "$@" >web.conf
}

# refused REGEX LINE...: that web.conf is refused with that one line
refused() {
	why=$1
	shift
	lines_of "$@"
	want 2 "$crun" -n -c web.conf
	prints ''
	says "^crun: $why"
	lines 1
}

while IFS='|' read -r title why conf; do
	# shellcheck disable=SC2086 # a word a line of the file
	story "config: $title" refused "$why" $conf
done <<'END'
an unknown key names the nearest|web.conf:2: .*memroy.*mean memory|rootfs=/r memroy=1M
a key's beginning names it|web.conf:2: .*mem; did you mean memory|rootfs=/r mem=1M
a key of a family that is misspelt|web.conf:2: .*rlimt.nofile; did you mean rlimit.nofile|rootfs=/r rlimt.nofile=5
a key with another alphabet's letter|web.conf:2: .*which has a character that no key has|rootfs=/r mеmory=1M
an ip twice is refused|web.conf:4: ip 10.0.0.2/16 is set twice|rootfs=/r bridge=b ip=10.0.0.2/24 ip=10.0.0.2/16
a gateway that is an ip is refused|web.conf:4: gateway 10.0.0.2 is the container's own|rootfs=/r bridge=b ip=10.0.0.2/24 gateway=10.0.0.2
an mtu too small for IPv6 is refused|web.conf:4: mtu must be 1280|rootfs=/r bridge=b ip=fd00::2/64 mtu=1000
a key like no other is named|web.conf:2: .*blah|rootfs=/r blahblahblah=1
a family needs a name after its dot|web.conf:2: rlimit. needs a name|rootfs=/r rlimit.=5
a line without = is refused|web.conf:2: no =|rootfs=/r memory
a line without a key is refused|web.conf:2: |rootfs=/r =5
a key without a value is refused|web.conf:2: memory has no value|rootfs=/r memory=
a key twice names the first line|web.conf:3: pids is set twice.*line 1|pids=1 rootfs=/r pids=2
a family's name twice is refused|web.conf:3: rlimit.nofile is set twice|rlimit.nofile=1 rootfs=/r rlimit.nofile=2
rootfs is needed|web.conf: rootfs is not set|memory=1M
an ip without a bridge is refused|web.conf:2: ip needs a bridge|rootfs=/r ip=10.0.0.1/24
a mac without a bridge is refused|web.conf:2: mac needs a bridge|rootfs=/r mac=02:00:00:00:00:01
a gateway without an ip is refused|web.conf:3: gateway 10.0.0.1 needs an ip|rootfs=/r bridge=b gateway=10.0.0.1
a gateway outside the subnets is refused|web.conf:4: gateway 10.0.1.1 is in the subnet|rootfs=/r bridge=b ip=10.0.0.2/24 gateway=10.0.1.1
uidmap without gidmap is refused|web.conf:2: .*gidmap is missing|rootfs=/r uidmap=0:1:1
gidmap without uidmap is refused|web.conf:2: .*uidmap is missing|rootfs=/r gidmap=0:1:1
userns beside uidmap is refused|web.conf:4: userns cannot|rootfs=/r uidmap=0:1:1 gidmap=0:1:1 userns=auto
maps that overlap inside are refused|web.conf:4: uidmap 5:100:10 overlaps|rootfs=/r uidmap=0:1:10 gidmap=0:1:1 uidmap=5:100:10
maps that overlap outside are refused|web.conf:4: gidmap 50:5:10 overlaps|rootfs=/r uidmap=0:1:10 gidmap=0:1:10 gidmap=50:5:10
maps without root are refused|web.conf.*: no gidmap maps|rootfs=/r uidmap=0:1:1 gidmap=1:1:1
END

# A byte order mark, as some editors put it; slashes as they are typed.
config_lenient() {
	printf '\357\273\277rootfs=//srv//web/\n' >web.conf
	want 0 "$crun" -n -c web.conf
	prints_like '^rootfs=/srv/web$'
}
story 'config: a byte order mark, and slashes too many' config_lenient

config_all_errors() {
	lines_of memory=lots 'rootfs=/r' nonsense=1 'pids=0' 'pids=1'
	want 2 "$crun" -n -c web.conf
	for line in 1 3 4 5; do
		says "^crun: web.conf:$line: "
	done
	lines 4
}
story 'config: all errors are shown at once' config_all_errors

# all that this kernel has, in both of sysctl(8)'s spellings
config_sysctls() {
	find /proc/sys -type f 2>/dev/null | sed 's,^/proc/sys/,,' |
		tr ./ /. | sort >all
	grep -e '^net\.' -e '^kernel\.hostname$' -e '^kernel\.domainname$' \
		-e '^kernel\.sem$' -e '^kernel\.msg' -e '^kernel\.shm' \
		-e '^fs\.mqueue\.' all >own
	grep -vxFf own all >hosts
	[ "$(wc -l <hosts)" -gt 100 ] || wrong 'a hundred' "$(wc -l <hosts)"
	{
		sed 's/.*/sysctl.&=1/' hosts
		tr ./ /. <hosts | sed 's/.*/sysctl.&=1/'
	} >web.conf
	cp web.conf lines
	echo rootfs=/r >>web.conf
	want 2 "$crun" -n -c web.conf
	prints ''
	sed -n 's/^crun: web.conf:\([0-9]*\): .*\(not namespaced\|no name\).*/\1/p' \
		err | sort -nu >seen
	seq "$(wc -l <lines)" >wanted
	cmp -s wanted seen || wrong 'all refused' \
		"$(diff wanted seen | sed -n 's/^< //p' | while read -r n; do
			sed -n "${n}p" lines
		done)"
	{ echo rootfs=/r && sed 's/.*/sysctl.&=1/' own; } >web.conf
	want 0 "$crun" -n -c web.conf
	lines 0
}
story 'config: (wall 14) no sysctl of the host is taken, of all that there are' \
	config_sysctls

# raw FORMAT: web.conf is printf's output
raw() {
	# shellcheck disable=SC2059 # that is what it is for
	printf "$1" >web.conf
}

config_control() {
	raw "$1"
	want 2 "$crun" -n -c web.conf
	says '^crun: web.conf:2: .*control character'
	lines 1
}
story 'config: (wall 9) a NUL is refused' config_control 'rootfs=/r\npids=1\0002\n'
story 'config: (wall 9) an escape is refused' config_control \
	'rootfs=/r\nenv=A=\033[31m\n'
story 'config: a lone carriage return is refused' config_control \
	'rootfs=/r\nenv=A=x\ry\n'

config_crlf() {
	raw 'rootfs=/r\r\n\r\n# x\r\npids=5\r\n'
	want 0 "$crun" -n -c web.conf
	prints_like '^pids=5$'
	prints_like '^rootfs=/r$'
}
story 'config: lines may end in CR LF' config_crlf

config_blanks() {
	raw '\n  \t\n  rootfs  =  /r a \t\n\t# x\n pids=7'
	want 0 "$crun" -n -c web.conf
	prints_like '^pids=7$'
	prints_like '^rootfs=/r a$'
}
story 'config: blanks around and a missing last newline are nothing' \
	config_blanks

config_escaped() {
	raw 'rootfs=/r\n'
	want 2 "$crun" -n -c web.conf "$(printf 'env=A=\033[31m')"
	says 'command line: '
	mkdir "$(printf 'x\033y')"
	want 2 "$crun" -n -c "$(printf 'x\033y/z')"
	says 'x\\x1by/z'
}
story 'config: (wall 9) control characters are never printed as they are' \
	config_escaped

config_long_line() {
	{ echo rootfs=/r && printf 'env=A=%04090d\n' 0; } >web.conf
	want 0 "$crun" -n -c web.conf
	{ echo rootfs=/r && printf 'env=A=%04091d\n' 0; } >web.conf
	want 2 "$crun" -n -c web.conf
	says '^crun: web.conf:2: .*4096'
	lines 1
}
story 'config: (wall 9) a line has at most 4096 bytes' config_long_line

config_long_word() {
	conf
	long=$(printf '%05000d' 7)
	run 2 -n "env=LONG=$long"
	says '^crun: command line: a line of more than 4096 bytes$'
	lines 1
	printf 'rootfs=/\nbind=%s:/mnt\n' "$(printf '%04080d' 7)" >d.conf
	want 2 "$crun" -n -c d.conf
	says '^crun: d.conf:2: a line of more than 4096 bytes$'
}
story 'config: (wall 9) and so have a word and a path' config_long_word

config_large() {
	{
		echo rootfs=/r
		head -c 1048566 /dev/zero | tr '\0' '\n'
	} >web.conf
	want 0 "$crun" -n -c web.conf
	echo >>web.conf
	want 2 "$crun" -n -c web.conf
	says '^crun: web.conf: larger than 1048576'
	want 2 "$crun" -n -c - <web.conf
	says 'larger than 1048576'
	lines 1
}
story 'config: (wall 9) a file has at most 1 MiB' config_large

config_writable() {
	raw 'rootfs=/r\n'
	chmod "$1" web.conf
	want 2 "$crun" -n -c web.conf
	says '^crun: web.conf: .*chmod'
	ln -s web.conf link.conf
	want 2 "$crun" -n -c link.conf
	says '^crun: link.conf: .*chmod'
	lines 1
}
story 'config: (wall 9) a file that its group can write is refused' \
	config_writable 664
story 'config: (wall 9) a file that others can write is refused' \
	config_writable 646

config_foreign() {
	[ "$uid" -eq 0 ] || skip 'only root can give a file away'
	raw 'rootfs=/r\n'
	chown 65534 web.conf
	want 2 "$crun" -n -c web.conf
	says '^crun: web.conf: belongs to user 65534.*chown'
	lines 1
}
story 'config: (wall 9) the file of another user is refused' config_foreign

config_kind() {
	"$1" web.conf
	want 2 "$crun" -n -c web.conf
	says "^crun: web.conf: $2"
	lines 1
}
story 'config: a FIFO is refused and not waited for' config_kind mkfifo \
	'not a regular file'
story 'config: a folder is passed over in the search' config_kind mkdir \
	'no such file here'
story 'config: a missing file is said' config_kind true 'no such file'

config_missing_path() {
	want 2 "$crun" -n -c ./web.conf
	says '^crun: ./web.conf: No such file'
	lines 1
}
story 'config: a path that is missing is said' config_missing_path

config_folder() {
	mkdir web.conf
	want 2 "$crun" -n -c ./web.conf
	says '^crun: ./web.conf: not a regular file'
	lines 1
}
story 'config: a path to a folder is refused' config_folder

config_long_path() {
	want 2 "$crun" -n -c "$(printf '%05000d' 0)"
	says '^crun: 0*'
	lines 1
}
story 'config: a FILE longer than a path can be is refused' config_long_path

config_no_folder() {
	mkdir here
	want 2 sh -c 'cd here && rmdir ../here && exec "$@"' - "$crun" -n -c - \
		rootfs=r bind=s:/t
	says '^crun: the working folder: No such file or directory$'
}
story 'config: a working folder that is gone is said' config_no_folder

# /etc/crun is covered by ours in a mount namespace
config_search() {
	[ "$uid" -eq 0 ] || skip 'only root can mount over /etc'
	mkdir etc
	echo rootfs=/1 >etc/web
	echo rootfs=/2 >etc/web.conf
	echo rootfs=/3 >etc/db.conf
	cat >script <<-'END'
	set -e
	mkdir -p upper work
	mount -t tmpfs none work
	mkdir work/etc work/etc/crun
	cp etc/* work/etc/crun/
	cp /etc/passwd work/etc/
	mount --bind work/etc /etc
	for f in web db web.conf; do
		"$1" -n -c "$f" | grep -e ^rootfs= -e ^name=
	done
	cd work
	! "$1" -n -c etc/db.conf
	echo rootfs=/4 >db
	"$1" -n -c db | grep ^rootfs=
	END
	want 0 unshare -m sh script "$crun"
	prints 'name=web
rootfs=/1
name=db
rootfs=/3
name=web
rootfs=/2
rootfs=/4'
	says '^crun: etc/db.conf: No such file'
}
story 'config: a name is looked for here, then in /etc/crun' config_search

config_stdin() {
	raw 'name=x\nrootfs=r\n'
	want 0 "$crun" -n -c - <web.conf
	prints_like "^rootfs=$t/r\$"
	raw 'name=x\npids=0\nrootfs=r\n'
	want 2 "$crun" -n -c - <web.conf
	says '^crun: .*:2: pids=0'
	raw 'rootfs=/r\n'
	want 2 "$crun" -n -c - <web.conf
	says 'name is not set'
	lines 1
}
story 'config: - is standard input, which needs a name' config_stdin

config_relative() {
	mkdir sub
	printf 'rootfs=r\nbind=../data:/d\n' >sub/web.conf
	want 0 "$crun" -n -c sub/web.conf
	prints_like "^rootfs=$t/sub/r\$"
	prints_like "^bind=$t/sub/../data:/d\$"
	want 0 "$crun" -n -c "$t/sub/web.conf" rootfs=here
	prints_like "^rootfs=$t/here\$"
}
story 'config: relative paths are relative to the file' config_relative

# FILE may be reached by a link, what it names may not
config_relative_link() {
	mkdir -p real/sub
	ln -s real/sub link
	printf 'rootfs=r\nbind=../data:/d\n' >real/sub/web.conf
	want 0 "$crun" -n -c link/web.conf
	prints_like "^rootfs=$t/real/sub/r\$"
	prints_like "^bind=$t/real/sub/../data:/d\$"
	want 0 "$crun" -n -c "$t/link/web.conf"
	prints_like "^rootfs=$t/real/sub/r\$"
	cd link
	want 0 "$crun" -n -c web.conf bind=x:/d
	prints_like "^rootfs=$t/real/sub/r\$"
	prints_like "^bind=$t/real/sub/x:/d\$"
	cd "$t"
	[ "$uid" -eq 0 ] || return 0
	mkdir "$t/root"
	cp "$crun" "$t/root/"
	cp -a "$t/real" "$t/link" "$t/root/"
	want 0 chroot "$t/root" /crun -n -c link/web.conf
	prints_like "^rootfs=/real/sub/r\$"
}
story 'config: relative paths of a file in a folder that is a link' \
	config_relative_link

config_override() {
	lines_of rootfs=/r pids=5 env=A=1 env=B=2 dns=9.9.9.9 \
		rlimit.core=1 rlimit.cpu=2
	want 0 "$crun" -n -c web.conf pids=6 env=C=3 env=D=4 rlimit.core=7
	prints_like '^pids=6$'
	is 'the env keys' 'env=C=3 env=D=4' "$(grep ^env= out | xargs)"
	prints_like '^rlimit.core=7$'
	prints_like '^rlimit.cpu=2$'
	prints_like '^dns=9.9.9.9$'
	want 2 "$crun" -n -c web.conf pids=0
	says '^crun: command line: pids=0'
	for second in 2 ''; do
		want 2 "$crun" -n -c web.conf pids=1 pids="$second"
		says '^crun: command line: pids is set twice'
		lines 1
	done
}
story 'config: KEY=VALUE replaces what the file says' config_override

config_override_bad() {
	lines_of rootfs=/r pids=none
	want 0 "$crun" -n -c web.conf pids=6
	prints_like '^pids=6$'
	want 2 "$crun" -n -c web.conf nosuch=6
	says '^crun: command line: .*nosuch'
}
story 'config: KEY=VALUE replaces a bad value too' config_override_bad

config_unset() {
	lines_of rootfs=/r pids=5 env=A=1 env=B=2 stop.timeout=7
	want 0 "$crun" -n -c web.conf pids= env= stop.timeout=
	prints_like '^#pids=$'
	prints_like '^#env=$'
	prints_like '^stop.timeout=30$'
}
story 'config: an empty KEY= unsets what the file says' config_unset

config_idempotent() {
	lines_of rootfs=r bridge=br0 ip=10.0.0.2/24 gateway=10.0.0.1 \
		'init=/bin/sh -c' bind=a:/b:ro bind=/c:/d env=A=1 \
		cgroup.memory.high=1M rlimit.core=0 sysctl.net.a=b \
		caps=-mknod mac=02:00:00:00:00:01 uidmap=0:1:5 gidmap=0:1:5
	want 0 "$crun" -n -c web.conf
	cp out first
	want 0 "$crun" -n -c - <first
	cmp -s first out || wrong "$(cat first)" "$(cat out)"
	lines_of rootfs=/r
	want 0 "$crun" -n -c web.conf
	cp out first
	want 0 "$crun" -n -c - <first
	cmp -s first out || wrong "$(cat first)" "$(cat out)"
}
story 'config: what -n prints is a file that says the same' \
	config_idempotent

config_names() {
	lines_of rootfs=/r
	want 0 "$crun" -n -c web.conf
	prints_like '^name=web$'
	cp web.conf .conf
	want 2 "$crun" -n -c .conf
	says '\.conf: no name'
	lines 1
	cp web.conf 'my web.conf'
	want 2 "$crun" -n -c 'my web.conf'
	says 'my web.conf: no name.*set name'
	lines 1
}
story "config: the name is the file's without .conf" config_names

config_init_program() {
	lines_of rootfs=/r init=/sbin/init
	want 2 "$crun" -n -c web.conf -- id
	says '^crun: web.conf:2: init cannot be set beside'
	lines 1
}
story 'config: init beside -- PROGRAM is refused' config_init_program

config_help() {
	want 0 "$crun" -h
	lines 0
	n=$(grep -c '^\[KEY_' "$here/keys.c")
	is 'keys in keys.c' "$n" "$(grep -c '^  [a-z.]*\(NAME\)*=' out)"
	sed -n 's/^\[KEY_.*= { "\([a-z.]*\)".*/\1/p' "$here/keys.c" |
		while read -r key; do
			grep -q "^  ${key}[N=]" out || wrong "$key in -h" ''
		done
	lines_of rootfs=/r
	want 0 "$crun" -n -c web.conf
	is 'keys in -n' "$n" "$(grep -c = out)"
}
story 'config: -h and -n list every key' config_help

# usage STATUS REGEX ARG...
usage() {
	s=$1 regex=$2
	shift 2
	lines_of rootfs=/r
	want "$s" "$crun" "$@"
	says "$regex"
}
config_version() {
	want 0 "$crun" -V
	prints_like '^crun [0-9.]+$'
	lines 0
}
story 'config: -V prints the version' config_version
story 'config: an unknown option is refused' usage 2 'unknown option -x' -x
story 'config: an unknown option among others is refused' usage 2 \
	'unknown option -z' -nz -c web.conf
story 'config: no -c is a usage error' usage 2 '^usage: crun' -n
story 'config: -c without FILE is a usage error' usage 2 '^usage: crun' -c
story 'config: a word that is no KEY=VALUE is refused' usage 2 \
	'"bash" is neither' -n -c web.conf bash
story 'config: -- without PROGRAM is refused' usage 2 '-- needs a PROGRAM' \
	-n -c web.conf --

config_touches_nothing() {
	need strace
	lines_of rootfs=r bridge=nosuch ip=10.0.0.2/24 bind=/nosuch:/x
	want 0 strace -f -o trace "$crun" -n -c web.conf
	# the calls and their flags; not the paths, which may hold such words
	bad=$(sed 's/"[^"]*"//g' trace | grep -E \
		'O_WRONLY|O_RDWR|O_CREAT|mkdir|mount|clone|fork|socket|unlink|chdir' \
		|| :)
	is 'system calls that change something' '' "$bad"
}
story 'config: -n touches nothing' config_touches_nothing

config_full_output() {
	lines_of rootfs=r
	[ -w /dev/full ] || skip 'no /dev/full here'
	rc=0
	cmd='crun -n >/dev/full'
	"$crun" -n -c web.conf >/dev/full 2>err || rc=$?
	is status 125 "$rc"
}
story 'config: -n into a full file fails' config_full_output

config_setuid() {
	[ "$uid" -eq 0 ] || skip 'only root can make a setuid file'
	need setpriv
	cp "$crun" crun
	chmod 4755 crun
	lines_of rootfs=/r
	chmod 755 .
	want 2 setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$t/crun" -n -c web.conf
	says 'refuses to run setuid'
	lines 1
	chmod 755 crun
	want 0 setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$t/crun" -n -c web.conf
}
story 'config: (wall 10) a setuid copy refuses to run' config_setuid

# ---- a host, or a rootfs, that is not as it should be ----

needs_root=1

# fails STATUS REGEX [ARG ...]: the start fails with one line that says so
fails() {
	s=$1 regex=$2
	shift 2
	run "$s" "$@"
	prints ''
	says "^crun: .*$regex"
	lines 1
}

# fails_conf STATUS REGEX KEY=VALUE [ARG ...]
fails_conf() {
	s=$1 regex=$2
	conf "$3"
	shift 3
	fails "$s" "$regex" "$@"
}

story 'host: a missing rootfs' fails_conf 125 \
	'rootfs /nosuch/x, where the system to boot should be: No such file' '' rootfs=/nosuch/x -- true
story 'host: a rootfs that is a file' fails_conf 125 \
	'rootfs /etc/passwd is not a folder' '' rootfs=/etc/passwd -- true

host_where() {
	printf 'name=%s\nrootfs=nosuch\n' "$name" >c.conf
	fails 125 'c.conf:2: rootfs .*/nosuch, where .*: No such file' -- true
}
story 'host: an error names FILE:LINE of the key' host_where

host_not_root() {
	need setpriv
	conf
	chmod 755 .
	want 125 setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$crun" -c c.conf -- true
	says '^crun: .*root'
	lines 1
}
story 'host: a user who is not root is told so' host_not_root

story 'host: a missing bridge, and how to make it' fails_conf 125 \
	'c.conf:3: .*no bridge crt9.*ip link add crt9 type bridge' \
	bridge=crt9 -- true

host_no_bridge_link() {
	ip link add crt9 type veth peer name crt9b
	conf bridge=crt9
	rc=0
	(fails 125 'c.conf:3: .*crt9 is .*no bridge' -- true) || rc=$?
	ip link del crt9
	exit "$rc"
}
story 'host: a link that is no bridge' host_no_bridge_link

story 'host: a bind whose source is missing' fails_conf 125 \
	'c.conf:3: bind.*/nosuch, which .*optional.*: No such file' bind=/nosuch:/mnt -- true

host_optional_bind() {
	conf bind=/nosuch:/mnt/x:optional
	inside 'test ! -e /mnt/x && echo ok'
	prints ok
	lines 0
}
story 'host: a bind that is optional may be missing' host_optional_bind

story 'host: a bind to below a file' fails_conf 125 \
	'c.conf:3: .*/etc/passwd.*Not a directory' bind=/etc:/etc/passwd/x \
	-- true
story 'host: a bind of a folder to a file' fails_conf 125 \
	'c.conf:3: .*/etc/passwd.*Not a directory' bind=/etc:/etc/passwd \
	-- true
story 'host: a bind of a file to a folder' fails_conf 125 \
	'c.conf:3: .*/etc' bind=/etc/passwd:/etc -- true

story 'host: an init that is missing' fails_conf 127 \
	'c.conf:3: init /sbin/nosuch: not found in' init=/sbin/nosuch
story 'host: an init that is not executable' fails_conf 126 \
	'c.conf:3: init /etc/passwd is not executable, chmod .x helps: Permission denied' init=/etc/passwd
story 'host: an init that is a folder' fails_conf 126 \
	'c.conf:3: init /etc is a folder: Permission denied' init=/etc

# bad_init TEXT REGEX: a file of that text (printf) as the init
bad_init() {
	own_root
	# shellcheck disable=SC2059 # that is what it is for
	printf "$1" >root/sbin/bad
	chmod 755 root/sbin/bad
	fails_conf 126 "c.conf:3: init /sbin/bad: $2" init=/sbin/bad
}
elf='\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\023\4\1\0\0\0'
story 'host: an init for another machine' bad_init "$elf$elf$elf$elf" \
	'no program for this machine'
story 'host: an init with neither ELF nor #!' bad_init 'echo hello\n' \
	'no program for this machine'
story 'host: an init without its interpreter' bad_init '#!/nosuch/sh\n' \
	'its interpreter'
story 'host: an empty init' bad_init '' 'no program for this machine'

host_no_init() {
	mkdir -p root/etc
	root=$t/root
	conf
	fails 127 'no init.*/sbin/init.*/bin/sh'
}
story 'host: a rootfs without any init' host_no_init

# a failed start, of whatever folder, leaves it as it was
host_nothing_made() {
	mkdir -p root/etc root/run/host
	echo here >root/file
	root=$t/root
	conf tmpfs=/deep/er/one bind=/etc/passwd:/a/file bind=/etc:/b/dir \
		dns=9.9.9.9
	find root | sort >before
	fails 127 'no init'
	rm -f root/etc/resolv.conf
	find root | sort >after
	is 'what is new in it' '' "$(diff before after || :)"
}
story 'host: a start that fails has made nothing in the folder' \
	host_nothing_made

story 'host: a program that is not found' fails_conf 127 \
	'program nosuch: not found' '' -- nosuch
story 'host: a program that is not found by its path' fails_conf 127 \
	'program /bin/nosuch: not found' '' -- /bin/nosuch
story 'host: a program that is not executable' fails_conf 126 \
	'program /etc/passwd is not executable, chmod .x helps: Permission denied' '' -- /etc/passwd
# as execvp(3)
host_path() {
	conf tmpfs=/a:mode=700 tmpfs=/b env=PATH=/a:/b:/bin:/usr/bin
	idle
	verb 0 exec "$name" sh -c ': >/b/id; : >/b/only; id >/a/id'
	verb 0 exec -u 7 "$name" id -u
	prints 7
	verb 126 exec -u 7 "$name" only
	says 'program /a/only: Permission denied|/b/only is not executable'
	verb 127 exec "$name" none
	down
}
story 'host: a program is looked for past what may not be run' host_path
story 'host: a program that is a folder' fails_conf 126 \
	'program /etc is a folder: Permission denied' '' -- /etc

story 'host: a controller that no kernel has' fails_conf 125 \
	'c.conf:3: cgroup.nosuch.max=1: the host has no nosuch controller' \
	cgroup.nosuch.max=1 -- true
story 'host: a file that no controller has' fails_conf 125 \
	'c.conf:3: cgroup.pids.nosuch=1: there is no file pids.nosuch' \
	cgroup.pids.nosuch=1 -- true
story 'host: a processor that is not there' fails_conf 125 \
	'c.conf:3: cpuset.*8000' cpuset=8000 -- true

host_rlimit() {
	conf rlimit.nofile=5000
	want 125 setpriv --bounding-set=-sys_resource \
		--inh-caps=-sys_resource sh -c \
		'ulimit -n 1000 && exec "$0" -c c.conf -- true' "$crun"
	says '^crun: c.conf:3: rlimit.nofile=5000.*hard limit'
	lines 1
}
story "host: a limit above crun's own" host_rlimit

story 'host: a sysctl that the kernel does not have' fails_conf 125 \
	'c.conf:3: sysctl.net.nosuch=1.*No such file' sysctl.net.nosuch=1 \
	-- true
story 'host: a sysctl with a bad value' fails_conf 125 \
	'c.conf:3: sysctl.net.ipv4.ip_forward=x.*Invalid' \
	sysctl.net.ipv4.ip_forward=x -- true

# on a mount that is read-only there, with one folder missing
host_readonly() {
	own_root
	rmdir "root/$1"
	mount --bind root root
	echo "$t/root" >mounted
	mount -o remount,bind,ro root
	conf
	fails 125 "/$1.*Read-only file system" -- true
}
story 'host: a read-only rootfs without /proc' host_readonly proc
story 'host: a read-only rootfs without /dev' host_readonly dev

host_made_folders() {
	own_root
	rmdir root/proc root/sys root/dev root/run
	conf
	inside 'ls -d /proc/1 /sys/kernel /dev/null /run/host'
	is 'their owner' '0 0 0 0' "$(cd root &&
		stat -c %u proc sys dev run | xargs)"
}
story 'host: a rootfs without folders to mount on gets them' \
	host_made_folders

host_link() {
	own_root
	rm -rf "root/${1:?}"
	ln -s "$2" "root/$1"
	conf
	fails 125 "/$1 .*must be a folder" -- true
}
story 'host: (wall 1) a rootfs whose /proc is a symbolic link' host_link proc /tmp
story 'host: (wall 1) a rootfs whose /sys is a symbolic link' host_link sys /tmp
story 'host: (wall 1) a rootfs whose /dev is a symbolic link' host_link dev tmp
story 'host: (wall 1) a rootfs whose /dev is a dangling link' host_link dev /nosuch

host_file() {
	own_root
	rm -rf "root/${1:?}"
	: >"root/$1"
	conf
	fails 125 "/$1 .*Not a directory" -- true
}
story 'host: a rootfs whose /proc is a file' host_file proc
story 'host: a rootfs whose /run is a file' host_file run

# a file system without room, that every kernel can idmap
host_full_rootfs() {
	need mke2fs
	truncate -s 8M image
	mke2fs -q -t ext4 -d "$root" image
	mkdir m
	mount -o loop image m
	echo "$t/m" >mounted
	root=$t/m
	rm -f m/etc/resolv.conf
	dd if=/dev/zero of=m/fill bs=64k 2>/dev/null || :
	dd if=/dev/zero of=m/fill2 bs=1k 2>/dev/null || :
	conf dns=9.9.9.9
	fails 125 'c.conf:3: .*/etc/resolv.conf.*No space left' -- true
}
story 'host: a rootfs that is full' host_full_rootfs

# While the start waits to fail, its folder becomes somebody else's.
host_takes_back_its_own() {
	need strace
	own_root
	conf bind=/etc:/mnt/new
	strace -f -qq -o trace \
		-e inject=pivot_root:error=EPERM:delay_enter=1000000 \
		"$crun" -c c.conf -- true >out 2>err &
	until [ -d root/mnt/new ]; do sleep 0.01; done
	if [ "$1" ]; then
		mv root/mnt/new root/mnt/moved
		mkdir root/mnt/new
	fi
	rc=0
	wait $! || rc=$?
	is status 125 "$rc"
	lines 1
	says '^crun: pivot_root into .*Operation not permitted$'
	is 'the folders' "$1" "$(cd root/mnt && echo * | sed 's/^\*$//')"
}
story 'host: a failed start takes back its folders' \
	host_takes_back_its_own ''
story 'host: a failed start takes back no other folder of that name' \
	host_takes_back_its_own 'moved new'

host_full_run() {
	mkdir /run/crun-os
	mounted tmpfs mode=700,size=4k,nr_inodes=3 /run/crun-os
	: >/run/crun-os/.marker
	: >/run/crun-os/b
	conf
	rc=0
	(fails 125 '/run/crun-os/.*No space left' -- true) || rc=$?
	umount /run/crun-os
	rmdir /run/crun-os
	: >mounted
	exit "$rc"
}
story 'host: a /run that is full' host_full_run

host_no_idmap() {
	mkdir upper work
	mounted overlay "lowerdir=$root,upperdir=upper,workdir=work" "$t/m"
	root=$t/m
	conf
	fails 125 'overlay.*userns=' -- true
}
story 'host: a file system that cannot be idmapped' host_no_idmap

host_overlay_none() {
	mkdir upper work
	mounted overlay "lowerdir=$root,upperdir=upper,workdir=work" "$t/m"
	root=$t/m
	conf userns=none
	inside 'echo x >/tmp/x && echo ok'
	prints ok
}
story 'host: what it advises for that, userns=none, works' \
	host_overlay_none

host_twice() {
	conf
	idle
	run 125 -- true
	says "^crun: $name is already running, its supervisor is pid $sup; crun stop $name ends it\$"
	lines 1
	[ -e "/proc/$init" ] || wrong 'the first still runs' ''
	down
}
story 'host: a second start of a running name' host_twice

# What crun changed in the folder before it failed is as it was.
host_files_back() {
	own_root
	echo mine >"$root/etc/hostname"
	chown 7:8 "$root/etc/hostname"
	rm -f "$root/etc/resolv.conf"
	conf hostname=new dns=9.9.9.9
	for what in '127 init=/nosuch' '126 init=/etc' '127 -- /nosuch' \
		'126 -- /etc/passwd'; do
		# shellcheck disable=SC2086 # words
		run $what
		is hostname mine "$(cat "$root/etc/hostname")"
		is owner 7:8 "$(stat -c %u:%g "$root/etc/hostname")"
		[ ! -e "$root/etc/resolv.conf" ] || wrong 'no resolv.conf' one
	done
	run 0 -- cat /etc/hostname /etc/resolv.conf
	prints "$(printf 'new\nnameserver 9.9.9.9')"
	# links stay, and what they lead to is as it was
	mkdir "$root/data"
	ln -sf ../data/resolv "$root/etc/resolv.conf"
	run 127 -- /nosuch
	is link ../data/resolv "$(readlink "$root/etc/resolv.conf")"
	is 'where it leads' '' "$(ls -A "$root/data")"
	echo old >"$root/data/resolv"
	run 127 -- /nosuch
	is link ../data/resolv "$(readlink "$root/etc/resolv.conf")"
	is 'where it leads' old "$(cat "$root/data/resolv")"
}
story 'host: files of the rootfs after a failed start' host_files_back

host_why_not() {
	own_root
	cp "$root/bin/busybox" "$t/true"
	mounted tmpfs noexec,mode=755 "$t/noexec"
	cp "$t/true" "$t/noexec/true"
	conf bind="$t/noexec:/mnt:noexec"
	run 126 -- /mnt/true
	says '^crun: program /mnt/true lies on a file system mounted noexec: '
	lines 1
	run 127 -- ''
	says "^crun: the program's name is empty\$"
	lines 1
	[ -e /sys/fs/cgroup/cgroup.controllers ] ||
		[ -d /sys/fs/cgroup/pids ] || skip 'no controller of pids'
	run 125 pids=1 -- true
	says '^crun: command line: cloning the program.*; pids is too few'
	lines 1
	background pids=2 -- sleep 1000
	verb 125 exec "$name" true
	says "^crun: .*cloning the program.*; pids is too few"
	lines 1
	verb 0 kill "$name"
	gone
	background -- sleep 1000
	verb 125 exec -u '' "$name" true
	says "^crun: $name: -u needs the name or the number of a user"
	lines 1
	verb 0 kill "$name"
	gone
}
story 'host: why a program cannot run' host_why_not

# limits that are too low for crun's own work hold for the program only
host_low_limits() {
	conf rlimit.nofile=4 rlimit.fsize=4 rlimit.nproc=1 dns=9.9.9.9 \
		tmpfs=/mnt bridge="$br" ip="$net.2/24"
	run 0 -- sh -c 'ulimit -n; ulimit -f'
	prints "$(printf '4\n0')"
	idle
	verb 0 exec "$name" sh -c 'ulimit -n; ulimit -f'
	prints "$(printf '4\n0')"
	down
}
story 'host: limits too low for a start' host_low_limits

host_old_kernel() {
	need setarch
	conf
	want 125 setarch --uname-2.6 "$crun" -c c.conf -- true
	says '^crun: Linux 2.6[^ ]* is too old: crun needs 5.10 or newer$'
	lines 1
}
story 'host: a kernel that is too old' host_old_kernel

host_long_map() {
	conf uidmap=0:100000:65536 gidmap=0:100000:65536
	i=0
	while [ "$i" -lt 400 ]; do
		echo "uidmap=$((70000 + i)):$((300000 + i)):1"
		i=$((i + 1))
	done >>c.conf
	fails 125 'c.conf:3: 401 maps are more than the kernel takes' -- true
}
story 'host: more maps than the kernel takes' host_long_map

# ---- ns.c: namespaces, the child, the program ----

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
story 'ns: all seven namespaces are its own' ns_all

ns_cgroup() {
	conf
	inside 'cat /proc/self/cgroup'
	prints_like '^0::/$'
	bad=$(grep -v -e '^0::/$' -e '^[0-9]*:[a-z_,=]*:/' out || :)
	is 'groups above its own' '' "$bad"
	! grep -e payload -e "$name" out || wrong 'no path of the host' ''
}
story 'ns: its cgroup namespace begins at its own group' ns_cgroup

ns_hostname() {
	conf
	inside 'hostname'
	prints "$name"
	conf hostname=web.example
	inside 'hostname && cat /proc/sys/kernel/hostname'
	prints 'web.example
web.example'
}
story 'ns: the host name is the name, or hostname' ns_hostname

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
story 'ns: (wall 13) the environment is what the configuration says' ns_environment

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
story 'ns: PID 1 cannot be looked into by the program' ns_pid_one

ns_pid_one_args() {
	conf
	inside 'cat /proc/1/cmdline /proc/1/comm; ps -o args'
	! grep -a -e c.conf -e "$here" out || wrong "nothing of crun's" ''
}
story "ns: (wall 13) PID 1 does not show the host's command line" ns_pid_one_args

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
story 'ns: (wall 5) of 200 files and folders open outside, and the one it is called in, none is inside' \
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
story 'ns: it is root, with no supplementary groups' ns_groups

ns_signals() {
	conf
	want 0 "$probe" blocked "$crun" -c c.conf -- grep -E \
		'^Sig(Blk|Ign)|^ShdPnd' /proc/self/status
	prints 'ShdPnd:	0000000000000000
SigBlk:	0000000000000000
SigIgn:	0000000000000000'
}
story 'ns: signals that crun was started without are back' ns_signals

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
story 'ns: a signal to its process group reaches the program once' \
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
story 'ns: the supervisor cannot be looked into' ns_dumpable

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
story 'ns: PID 1 reaps what the program leaves' ns_zombies

ns_ps() {
	conf
	run 0 -- ps
	is 'lines of ps' 3 "$(wc -l <out)"
	prints_like '^ +1 '
}
story 'ns: (wall 13) ps shows PID 1 and the program only' ns_ps

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
story 'ns: what the program leaves running is killed' ns_leftover

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

# ---- idmap.c: ids ----

idmap_auto() {
	conf
	inside 'cat /proc/self/uid_map /proc/self/gid_map'
	is 'the maps, the same for users and groups' "$(sed -n 1p out)" \
		"$(sed -n 2p out)"
	# shellcheck disable=SC2046 # words
	set -- $(sed -n 1p out)
	is inside 0 "$1"
	is count 65536 "$3"
	[ "$2" -ge 1879048192 ] || wrong 'a range of the pool' "$2"
	run 0 -v -- true
	says "0-65535 inside is $2-$(($2 + 65535)) outside"
}
story 'idmap: userns=auto is a range of 65536, the same each time' \
	idmap_auto

idmap_two() {
	conf
	idle
	a=$(awk '{ print $2 }' "/proc/$init/uid_map")
	printf '%s\n' "name=$name-b" "rootfs=$root" >d.conf
	want 0 "$crun" -c d.conf -- cat /proc/self/uid_map
	b=$(awk '{ print $2 }' out)
	gap=$((a - b))
	[ "${gap#-}" -ge 65536 ] || wrong "not $a" "$b"
	down
}
story 'idmap: two containers at once have ranges apart' idmap_two

idmap_none() {
	conf userns=none
	run 0 -- cat /proc/self/uid_map
	is 'the map' '0 0 4294967295' "$(xargs <out)"
	says '^crun: c.conf:3: userns=none: root in .* is root of the host'
	lines 1
	run 0 -q -- true
	lines 0
}
story 'idmap: userns=none maps nothing and warns' idmap_none

idmap_map() {
	conf "$@"
	run 0 -- cat /proc/self/uid_map /proc/self/gid_map
	is 'the maps' "$maps" "$(xargs <out)"
}
maps='0 300000 65536 0 300000 65536'
story 'idmap: userns=HOSTID' idmap_map userns=300000
maps='0 300000 1000 0 300000 1000'
story 'idmap: userns=HOSTID:COUNT' idmap_map userns=300000:1000
maps='0 300000 10 10 500000 1 0 400000 100'
story 'idmap: uidmap and gidmap' idmap_map uidmap=0:300000:10 \
	uidmap=10:500000:1 gidmap=0:400000:100

# files stay 0-based on disk, whatever range they ran with
idmap_files() {
	own_root
	mkdir root/data
	chown 7:8 root/data
	conf "$@"
	inside 'stat -c %u:%g /data
		echo x >/data/file
		mkdir /data/dir
		ln -s x /data/link
		mknod /data/fifo p
		chown 33:44 /data/dir
		chown 65534:1 /data/fifo
		stat -c %u:%g /data/file /data/dir'
	is 'inside' '7:8 0:0 33:44' "$(xargs <out)"
	is 'on disk' '7:8 0:0 33:44 0:0 65534:1' "$(cd root/data &&
		stat -c %u:%g . file dir link fifo | xargs)"
}
story 'idmap: files on disk stay 0-based' idmap_files
story 'idmap: files on disk stay 0-based, userns=HOSTID' idmap_files \
	userns=300000
story 'idmap: files on disk stay 0-based, uidmap and gidmap' idmap_files \
	uidmap=0:300000:65536 gidmap=0:400000:65536

idmap_any_range() {
	own_root
	for range in auto 300000 500000; do
		conf userns=$range
		inside "echo $range >>/file && chown 5:6 /file"
	done
	is 'written by all three' 'auto 300000 500000' \
		"$(xargs <root/file)"
	is owner 5:6 "$(stat -c %u:%g root/file)"
}
story 'idmap: a folder starts under any range' idmap_any_range

idmap_shifted() {
	own_root
	chown -hR 300000:300000 root
	conf userns=300000
	inside 'stat -c %u:%g / /bin/busybox; echo x >/file'
	is 'inside' '0:0 0:0' "$(xargs <out)"
	is 'on disk' 300000:300000 "$(stat -c %u:%g root/file)"
}
story 'idmap: a rootfs of the range already is taken as it is' \
	idmap_shifted

idmap_unmapped() {
	own_root
	: >root/file
	chown 70000:70000 root/file
	chmod 600 root/file
	conf
	inside 'stat -c %u:%g /file
		chown 0 /file 2>/dev/null || echo no
		cat /file 2>/dev/null || echo no'
	is 'seen' '65534:65534 no no' "$(xargs <out)"
}
story 'idmap: an owner outside the map is nobody, and out of reach' \
	idmap_unmapped

idmap_setuid() {
	own_root
	cp root/bin/busybox root/bin/suid
	chown 0:0 root/bin/suid
	conf
	inside 'cp /bin/busybox /tmp/suid; chmod 4755 /tmp/suid'
	is 'on disk' '4755 0' "$(stat -c '%a %u' root/tmp/suid)"
}
story 'idmap: (wall 7) a setuid file of the container is on disk as it is' \
	idmap_setuid

# what another user of the host gets from the setuid program /tmp/suid
run_suid() {
	# by a shell, since setpriv itself still has root's capabilities
	setpriv --reuid=1000 --regid=1000 --clear-groups \
		sh -c '"$0" -u' "$1/tmp/suid" 2>&1 || :
}

# Once below folders that anybody may enter, the same below T, and once more
# with a file system that takes the bit for nothing.
idmap_open() {
	need setpriv
	own_root
	cp "$(command -v id)" root/tmp/suid
	chmod 4755 root/tmp/suid
	open=/run/$name-open
	mkdir "$open"
	mount --bind root "$open"
	echo "$open" >>mounted
	conf
	sed -i "s|^rootfs=.*|rootfs=$open|" c.conf
	is 'who may enter' 0 "$(run_suid "$open")"
	run 0 -- true
	says "^crun: c.conf:2: rootfs $open: users of this host can run setuid"
	says "below a folder of root's of mode 700\$"
	lines 1
	run 0 -q -- true
	lines 0
	mount -o remount,bind,nosuid "$open"
	is 'nosuid' 1000 "$(run_suid "$open")"
	run 0 -- true
	lines 0
	mount -o remount,bind,suid "$open"
	# root inside can open the folder itself
	chmod 700 root
	run 0 -- true
	says 'users of this host can run setuid'
	chmod 755 root
	# a bind by which it can make such files, and one by which it cannot
	cp c.conf open.conf
	conf bind="$open:/mnt:idmap"
	run 0 -- true
	says "^crun: c.conf:3: bind $open: users of this host can run setuid"
	lines 1
	for with in ro,idmap nosuid; do
		conf bind="$open:/mnt:$with"
		run 0 -- true
		lines 0
	done
	cp open.conf c.conf
	umount "$open"
	# below a folder of somebody else's, or that a group may enter
	for who in 700:1000:0 750:0:1000; do
		chmod "${who%%:*}" "$open"
		chown "${who#*:}" "$open"
		mkdir "$open/os"
		mount --bind root "$open/os"
		conf
		sed -i "s|^rootfs=.*|rootfs=$open/os|" c.conf
		run 0 -- true
		umount "$open/os"
		rmdir "$open/os"
		says "^crun: c.conf:2: rootfs $open/os: users of this host can"
	done
	rmdir "$open"
	conf
	case $(run_suid "$root") in
	*'ermission denied') ;;
	*) wrong 'not entered' "$(run_suid "$root")" ;;
	esac
	run 0 -- true
	lines 0
}
story 'idmap: (wall 7) a rootfs that users of the host can enter' idmap_open

idmap_pool() {
	conf
	i=0
	: >pids
	while [ "$i" -lt 12 ]; do
		i=$((i + 1))
		printf '%s\n' "name=$name-$i" "rootfs=$root" >"$i.conf"
		file=$i.conf up -- /bin/sh -c 'echo up; exec sleep 1000'
		echo "$sup" >>pids
		init_of "$name-$i" >>inits
	done
	n=$(while read -r p; do
		awk '{ print $2 }' "/proc/$p/uid_map"
	done <inits | sort -u | wc -l)
	is 'different ranges' 12 "$n"
	while read -r p; do
		kill "$p"
		ends 143 "$p"
	done <pids
}
story 'idmap: twelve containers, twelve ranges' idmap_pool

# ---- mount.c: the file tree ----

mount_shows() {
	conf
	inside "$1"
	is 'printed' "$2" "$(xargs <out)"
}
story 'mount: /dev/null and /dev/zero work' mount_shows \
	'echo x >/dev/null && head -c 3 /dev/zero | wc -c' 3
story 'mount: /dev/random and urandom work' mount_shows \
	'head -c 3 /dev/urandom | wc -c; head -c 3 /dev/random | wc -c' '3 3'
story 'mount: /dev/full is full' mount_shows \
	'echo x 2>/dev/null >/dev/full || echo full' full
story 'mount: /dev has nothing else' mount_shows 'ls /dev' \
	'fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero'
story 'mount: /dev nodes are owned by root and mode 666' mount_shows \
	'stat -c %u:%g:%a /dev/null /dev/tty' '0:0:666 0:0:666'
story 'mount: /dev/fd and stdin are links' mount_shows \
	'echo x | cat /dev/stdin /dev/fd/0' x
story 'mount: /dev takes no other device' mount_shows \
	'mknod /dev/x c 1 3 2>/dev/null || echo no' no
story 'mount: /proc is its own' mount_shows \
	'set -- /proc/[0-9]*; echo "$#" "$1" "$2"' '2 /proc/1 /proc/2'
story 'mount: shm, mqueue and run are there' mount_shows \
	'for d in /dev/shm /dev/mqueue /run; do
		touch $d/x && grep " $d " /proc/mounts | cut -d " " -f 3
	done' 'tmpfs mqueue tmpfs'
story 'mount: /run/host/container-manager says crun' mount_shows \
	'cat /run/host/container-manager' crun
story 'mount: /sys is read-only' mount_shows \
	'echo 1 2>/dev/null >/sys/kernel/uevent_seqnum || echo no
	mkdir /sys/x 2>/dev/null || echo no
	grep -c " /sys sysfs ro," /proc/mounts' 'no no 1'
story 'mount: /proc/sys is read-only' mount_shows \
	'for f in kernel/hostname kernel/shmmax fs/mqueue/msg_max; do
		cat /proc/sys/$f >/dev/null &&
		echo 5 2>/dev/null >/proc/sys/$f || echo no
	done' 'no no no'
story 'mount: /proc/sys/net is writable' mount_shows \
	'echo 1 >/proc/sys/net/ipv4/ip_forward &&
	cat /proc/sys/net/ipv4/ip_forward' 1
story 'mount: a mount of its own works inside' mount_shows \
	'mount -t tmpfs none /mnt && touch /mnt/x && umount /mnt && echo ok' ok
story 'mount: a bind of its own works inside' mount_shows \
	'mount --bind /etc /mnt && ls /mnt/passwd' /mnt/passwd
story 'mount: a mask taken off gives nothing that the host keeps' mount_shows \
	'umount -l /proc/sys; mount -o remount,bind,rw /sys
	for f in /proc/sys/vm/drop_caches /proc/sys/kernel/panic \
		/proc/sys/fs/file-max /sys/kernel/rcu_expedited; do
		[ ! -e $f ] || echo 1 2>/dev/null >$f || echo no
	done
	mount -t proc none /mnt && cat /mnt/kallsyms 2>/dev/null |
		grep -qv "^00*0 " && echo symbols
	echo end' 'no no no no end'
story 'mount: a second /sys is not freer than the first' mount_shows \
	'mount -t sysfs none /mnt 2>/dev/null &&
		{ mkdir /mnt/fs/cgroup/x || mount -o remount,rw /mnt; } \
		2>/dev/null || echo no' no
story 'mount: (wall 13) no mount of the host is to be seen' mount_shows \
	'cut -d " " -f 5 /proc/self/mountinfo | grep -e crt -e /var
	true' ''
story 'mount: / is one mount and not on another' mount_shows \
	'grep -c " / / " /proc/self/mountinfo; cd /; cd ..; pwd' '0 /'

mount_old_root() {
	conf
	idle
	is 'root of the init' / "$(readlink "/proc/$init/root")"
	! ls -d "/proc/$init/root$T" 2>err ||
		wrong "no $T inside" 'it is there'
	n=$(wc -l <"/proc/$init/mountinfo")
	[ "$n" -lt 50 ] || wrong 'less than 50 mounts' "$n"
	down
}
story "mount: (wall 13) the host's root is gone" mount_old_root

masked='/proc/kallsyms /proc/kcore /proc/keys /proc/timer_list
/proc/interrupts /proc/sysrq-trigger'
mount_masked_file() {
	[ -e "$1" ] || skip "this kernel has no $1"
	conf
	run 1 -- cat "$1"
	prints ''
	says 'Permission denied'
	run 1 -- /bin/sh -c "echo h >$1"
}
for f in $masked; do
	story "mount: $f is masked" mount_masked_file "$f"
done

mount_masked_folder() {
	[ -d "$1" ] || skip "this kernel has no $1"
	conf
	run 0 -- ls -A "$1"
	prints ''
	run 1 -- touch "$1/x"
	says 'Read-only'
}
for f in /proc/acpi /proc/scsi /sys/firmware /sys/kernel/debug \
	/sys/kernel/security /sys/fs/bpf /sys/fs/pstore; do
	story "mount: $f is masked" mount_masked_folder "$f"
done

# mount_masked_all TABLE KEY...
mount_masked_all() {
	table=$1
	shift
	conf "$@"
	paths=$(sed -n "/ $table\[\]/,/^}/p" "$here/config.h" |
		grep -o '"/[^"]*"' | tr -d '"')
	[ "$paths" ] || wrong 'a table of paths' ''
	for f in $paths; do
		[ -e "$f" ] || continue
		run 0 -- stat -c '%F %s' "$f"
		prints_like '^(character special file 0|directory [0-9]+)$'
		inside "find $f -mindepth 1 | head"
		prints ''
	done
}
story 'mount: (wall 2) every path of the table is masked' mount_masked_all config_masked
story 'mount: (wall 2) and of the one for userns=none' mount_masked_all \
	config_masked_privileged userns=none

mount_nesting() {
	conf nesting=yes
	inside 'mount -t proc none /mnt && ls -d /mnt/self &&
		grep -c -e /kcore -e /proc/sys /proc/self/mountinfo
		head -c 1 /proc/interrupts >/dev/null && echo ok'
	is 'printed' '/mnt/self 0 ok' "$(xargs <out)"
}
story 'mount: nesting=yes lifts the masks' mount_nesting

# what a bind lets through, seen from inside
mount_bind() {
	mkdir d
	echo hello >d/f
	cp "$here/build/test/probe" d/p
	conf "bind=d:$1"
	inside "$2"
	is 'printed' "$3" "$(xargs <out)"
}
story 'mount: bind of a folder' mount_bind /mnt:idmap \
	'cat /mnt/f; echo x >/mnt/new && cat /mnt/new' 'hello x'
story 'mount: bind to a target that is made' mount_bind /made/by/crun \
	'cat /made/by/crun/f; stat -c %a:%u /made /made/by' 'hello 755:0 755:0'
story 'mount: bind without idmap is nobody' mount_bind /mnt \
	'stat -c %u /mnt/f; echo x 2>/dev/null >/mnt/new || echo no' \
	'65534 no'
story 'mount: bind with idmap is root' mount_bind /mnt:idmap \
	'stat -c %u /mnt/f' 0
story 'mount: bind ro' mount_bind /mnt:ro,idmap \
	'echo x 2>/dev/null >/mnt/new || echo no' no
story 'mount: bind noexec' mount_bind /mnt:noexec,idmap \
	'/mnt/p fds 2>/dev/null || echo no' no
story 'mount: bind without noexec' mount_bind /mnt:idmap \
	'/mnt/p fds' '0 1 2'
story 'mount: bind nosuid nodev' mount_bind /mnt:nosuid,nodev \
	'grep " /mnt " /proc/mounts | grep -o rw,nosuid,nodev' \
	'rw,nosuid,nodev'
story 'mount: bind ro cannot be remounted' mount_bind /mnt:ro,idmap \
	'mount -o remount,bind,rw /mnt 2>/dev/null
	echo x 2>/dev/null >/mnt/new || echo no' no
story 'mount: bind noexec cannot be remounted' mount_bind \
	/mnt:noexec,idmap 'mount -o remount,bind,exec /mnt 2>/dev/null
	/mnt/p fds 2>/dev/null || echo no' no

mount_bind_file() {
	echo hello >f
	conf bind=f:/etc/made:idmap bind=f:/etc/hosts:ro
	own_root
	sed -i "s|^rootfs=.*|rootfs=$root|" c.conf
	inside 'cat /etc/made /etc/hosts; echo bye >/etc/made
		echo x 2>/dev/null >/etc/hosts || echo no'
	is 'printed' 'hello hello no' "$(xargs <out)"
	is 'the source' bye "$(cat f)"
	is 'the file under it' '' "$(cat root/etc/made)"
}
story 'mount: bind of a file, to one that is made or is there' \
	mount_bind_file

mount_bind_rec() {
	mkdir -p d/sub
	mounted tmpfs size=1m "$t/d/sub"
	: >d/sub/f
	conf bind=d:/mnt
	inside 'ls /mnt/sub | wc -l'
	is 'files' 0 "$(cat out)"
	conf bind=d:/mnt:rec
	inside 'ls /mnt/sub'
	prints f
	conf bind=d:/mnt:rec,ro
	inside 'touch /mnt/sub/x 2>/dev/null || echo no'
	prints no
}
story 'mount: bind rec takes what is mounted below' mount_bind_rec

mount_bind_link() {
	own_root
	mkdir canary
	echo safe >canary/f
	ln -s "$t/canary" root/out
	ln -s ../../../../../../../../../.. root/up
	conf bind=/etc:/out/x
	run 125 -- true
	says '^crun: c.conf:3: .*/out'
	conf bind="/etc:/up$t/canary/y"
	run 0 -- true
	is 'the canary' 'canary canary/f' "$(find canary | sort | xargs)"
}
story 'mount: (wall 1) bind through a link stays in the rootfs' mount_bind_link

mount_tmpfs() {
	conf tmpfs=/mnt:size=1M,mode=750 tmpfs=/made/x
	inside 'stat -c %a:%u /mnt /made/x
		df -k /mnt | awk "NR == 2 { print \$2 }"
		dd if=/dev/zero of=/mnt/f bs=64k 2>/dev/null || echo full
		touch /made/x/f'
	is 'printed' '750:0 1777:0 1024 full' "$(xargs <out)"
}
story 'mount: tmpfs with size and mode' mount_tmpfs

mount_readonly() {
	conf readonly=yes tmpfs=/tmp
	inside 'for f in /x /etc/x; do touch $f 2>/dev/null || echo no; done
		touch /tmp/x /run/x /dev/shm/x && echo ok
		mount -o remount,bind,rw / 2>/dev/null
		touch /x 2>/dev/null || echo no'
	is 'printed' 'no no ok no' "$(xargs <out)"
	conf
	inside 'touch /x && rm /x && echo ok'
	prints ok
}
story 'mount: readonly=yes' mount_readonly

mount_resolv() {
	own_root
	conf dns=9.9.9.9 dns=2620:fe::fe
	inside 'cat /etc/resolv.conf'
	prints 'nameserver 9.9.9.9
nameserver 2620:fe::fe'
	is 'on disk' '0:0:644' "$(stat -c %u:%g:%a root/etc/resolv.conf)"
	touch -d '2001-01-01 00:00' root/etc/resolv.conf
	run 0 -- true
	is 'mtime' 2001 "$(stat -c %y root/etc/resolv.conf | cut -c 1-4)"
	conf dns=1.1.1.1
	inside 'cat /etc/resolv.conf'
	prints 'nameserver 1.1.1.1'
}
story 'mount: dns writes resolv.conf, and only when it differs' \
	mount_resolv

mount_resolv_link() {
	own_root
	ln -sf "$1" root/etc/resolv.conf
	conf dns=9.9.9.9
	inside 'cat /etc/resolv.conf'
	prints 'nameserver 9.9.9.9'
	is 'the link' "$1" "$(readlink root/etc/resolv.conf)"
}
story 'mount: (wall 1) dns through a dangling link into /run' mount_resolv_link \
	/run/systemd/resolve/stub-resolv.conf
story 'mount: (wall 1) dns through a relative dangling link into /run' \
	mount_resolv_link ../run/systemd/resolve/stub-resolv.conf

mount_resolv_odd() {
	own_root
	rm -f root/etc/resolv.conf
	"$@" root/etc/resolv.conf
	conf dns=9.9.9.9
	run 125 -- true
	says '^crun: c.conf:3: .*/etc/resolv.conf'
	lines 1
}
story 'mount: dns into a FIFO is refused and not waited for' \
	mount_resolv_odd mkfifo
story 'mount: dns into a folder is refused' mount_resolv_odd mkdir

mount_hostname() {
	own_root
	echo old >root/etc/hostname
	conf
	inside 'cat /etc/hostname'
	prints old
	conf hostname=new
	inside 'cat /etc/hostname'
	prints new
}
story 'mount: /etc/hostname is written for the hostname key only' \
	mount_hostname

# Links of a hostile rootfs.  What they point at on the host must stay as it
# is, whether the start works or is refused, though everybody may write there.
mount_canary() {
	own_root
	mkdir -p "$hall/canary/sub"
	for f in f resolv.conf hostname sub/f; do
		echo safe >"$hall/canary/$f"
	done
	chmod -R a+w "$hall/canary"
	find "$hall/canary" -printf '%p %m %u %g %s %T@\n' | sort >before
	ln -s "$hall/canary" root/chain
	for link in $1; do
		rm -rf "root/$link"
		mkdir -p "root/${link%/*}"
		[ "$link" != "${link%/*}" ] || rmdir "root/$link"
		ln -s "$2" "root/$link"
	done
	conf "$3" dns=9.9.9.9 hostname=new bind=/etc:/tmp/crt-b \
		tmpfs=/mnt/crt-t
	rc=0
	cmd='crun'
	(cd "$hall" && timeout 20 "$crun" -c "$t/c.conf" -- true) \
		>out 2>err || rc=$?
	case $rc in
	0) ;;
	125) says '^crun: ' && [ "$(wc -l <err)" -le 2 ] ;;
	*) wrong 'status 0 or 125' "$rc" ;;
	esac
	find "$hall/canary" -printf '%p %m %u %g %s %T@\n' | sort >after
	cmp -s before after || wrong "$(cat before)" "$(cat after)"
	grep -q safe "$hall/canary/f" "$hall/canary/resolv.conf"
}
canaries() {
	hall=/run/crt-hall	# $T is closed to others
	up='../../../../../../../../../..'
	for to in "$hall/canary" "$up$hall/canary" \
		"/proc/1/root$hall/canary" "/proc/self/cwd/canary" /chain; do
		rm -rf root "$hall"
		root=$T/root
		mount_canary "$1" "$to" "${2:-}"
	done
	rm -rf "$hall"
}
for where in etc run tmp mnt root 'etc/resolv.conf etc/hostname' \
	'proc' 'sys' 'dev' 'dev/pts' 'tmp mnt etc' 'run/host' 'tmp/crt-b'; do
	story "mount: (wall 1) a rootfs whose $where points at the host" canaries \
		"$where"
	story "mount: (wall 1) a rootfs whose $where points at the host, userns=none" \
		canaries "$where" userns=none
	story "mount: (wall 1) a rootfs whose $where points at the host, nesting=yes" \
		canaries "$where" nesting=yes
done

mount_fake_nodes() {
	own_root
	echo safe >canary
	rm -rf root/dev root/etc/resolv.conf
	mkdir root/dev root/dev/pts
	for f in null console ptmx pts/0 tty; do
		echo fake >"root/dev/$f"
	done
	ls -lnR root/dev >before
	conf
	run 0 -- stat -c %F /dev/null
	prints 'character special file'
	mount_masked_all config_masked
	ls -lnR root/dev >after
	cmp -s before after || wrong "$(cat before)" "$(cat after)"
}
story 'mount: (wall 2) nodes that a rootfs brings along are covered, unchanged' \
	mount_fake_nodes

mount_view() {
	expected=$1
	shift
	conf "$@"
	inside 'grep " /sys/fs/cgroup" /proc/mounts | cut -d " " -f 2-3'
	is 'mounts' "$expected" "$(xargs <out)"
}
story 'mount: cgroup.view=auto is v2 for a program' mount_view \
	'/sys/fs/cgroup cgroup2'
story 'mount: cgroup.view=v2' mount_view '/sys/fs/cgroup cgroup2' \
	cgroup.view=v2
story 'mount: cgroup.view=v1' mount_view \
	'/sys/fs/cgroup tmpfs /sys/fs/cgroup/systemd cgroup' cgroup.view=v1
story 'mount: cgroup.view=v1, userns=none' mount_view \
	'/sys/fs/cgroup tmpfs /sys/fs/cgroup/systemd cgroup' cgroup.view=v1 \
	userns=none
story 'mount: cgroup.view=none' mount_view '' cgroup.view=none

# an OS whose systemd is of that version, as its library says
mount_view_systemd() {
	own_root
	mkdir -p root/usr/lib/systemd
	: >"root/usr/lib/systemd/libsystemd-shared-$1.so"
	printf '#!/bin/sh\ngrep " /sys/fs/cgroup" /proc/mounts\n' \
		>root/sbin/see
	chmod 755 root/sbin/see
	conf init=/sbin/see
	run 0
	is 'mounts' "$2" "$(tr -d '\r' <out | cut -d ' ' -f 2-3 | xargs)"
}
v1_view='/sys/fs/cgroup tmpfs /sys/fs/cgroup/systemd cgroup'
story 'mount: cgroup.view=auto is v1 for systemd 232' \
	mount_view_systemd 232 "$v1_view"
story 'mount: cgroup.view=auto is v2 for systemd 247' \
	mount_view_systemd 247 '/sys/fs/cgroup cgroup2'
story "mount: cgroup.view=auto reads Ubuntu's name of systemd" \
	mount_view_systemd 229-4ubuntu21 "$v1_view"

mount_disk() {
	truncate -s 8M image
	mke2fs -q -t ext4 image
	loop=$(losetup -f --show image)
	num=$(cat "/sys/block/${loop#/dev/}/dev")
	conf
	rc=0
	(
		inside "mknod /tmp/d b ${num%:*} ${num#*:} 2>/dev/null || echo no
			mount -t ext4 /tmp/d /mnt 2>/dev/null || echo no"
		is printed 'no no' "$(xargs <out)"
		conf bind="$loop:/dev/disk"
		inside 'mount -t ext4 /dev/disk /mnt 2>/dev/null || echo no
			head -c 1 /dev/disk 2>/dev/null || echo no'
		is printed 'no no' "$(xargs <out)"
	) || rc=$?
	losetup -d "$loop"
	exit "$rc"
}
story 'mount: a disk of the host cannot be mounted' mount_disk

# an archive that was unpacked by root brings its device nodes along
mount_device_node() {
	own_root
	echo secret >image
	truncate -s 1M image
	loop=$(losetup -f --show image)
	num=$(cat "/sys/block/${loop#/dev/}/dev")
	mknod -m 666 root/disk b "${num%:*}" "${num#*:}"
	mknod -m 666 root/null c 1 3
	conf "$@"
	rc=0
	(inside 'head -c 6 /disk 2>/dev/null || echo no
		cat /null 2>/dev/null || echo no
		mount -o remount,bind,dev / 2>/dev/null
		head -c 6 /disk 2>/dev/null || echo no' &&
		is printed 'no no no' "$(xargs <out)") || rc=$?
	losetup -d "$loop"
	exit "$rc"
}
story 'mount: a device node of the rootfs cannot be opened' \
	mount_device_node

# ---- net.c: the network ----

net_conf() {
	conf bridge="$br" ip="$net.2/24" ip="$net6::2/64" \
		gateway="$net.1" gateway="$net6::1" "$@"
}

net_loopback() {
	conf
	inside 'ls /sys/class/net; cat /sys/class/net/lo/operstate
		ip addr show dev lo | awk "\$1 ~ /^inet/ { print \$1, \$2 }"
		ping -c 1 -W 1 127.0.0.1 >/dev/null && echo ok'
	is printed 'lo unknown inet 127.0.0.1/8 inet6 ::1/128 ok' \
		"$(xargs <out)"
}
story 'net: without a bridge there is lo, and it is up' net_loopback

net_addresses() {
	net_conf
	inside 'ip addr show dev eth0 | grep -v "inet6 fe80:"'
	is addresses "inet $net.2/24 brd $net.255 inet6 $net6::2/64" \
		"$(sed -n 's/^ *\(inet [^ ]* brd [^ ]*\) .*/\1/p
		s/^ *\(inet6 [^ ]*\) .*/\1/p' out | xargs)"
}
story 'net: addresses of IPv4 and IPv6' net_addresses

net_routes() {
	net_conf
	inside 'ip route; ip -6 route | grep default'
	prints_like "^default via $net.1 dev eth0"
	prints_like "^$net.0/24 dev eth0"
	prints_like "^default via $net6::1 dev eth0"
}
story 'net: default routes of IPv4 and IPv6' net_routes

net_ping_out() {
	net_conf
	inside "ping -c 1 -W 2 $net.1 && ping -6 -c 1 -W 2 $net6::1"
}
story 'net: the container reaches the host, by IPv4 and IPv6' net_ping_out

net_ping_in() {
	net_conf
	idle
	want 0 busybox ping -c 1 -W 2 "$net.2"
	want 0 busybox ping -6 -c 1 -W 2 "$net6::2"
	down
}
story 'net: the host reaches the container, by IPv4 and IPv6' net_ping_in

net_two() {
	net_conf
	idle
	printf '%s\n' "name=$name-b" "rootfs=$root" "bridge=$br" \
		"ip=$net.3/24" "ip=$net6::3/64" "$@" >d.conf
	want 0 "$crun" -c d.conf -- /bin/sh -c \
		"ping -c 1 -W 2 $net.2 && ping -6 -c 1 -W 2 $net6::2"
	down
}
story 'net: two containers reach each other' net_two
# fe: is what the ends on the host begin with
story 'net: two containers reach each other, one of them mac=fe:...' \
	net_two mac=fe:00:00:00:00:07

# they are of the network namespace, unix(7)
net_abstract() {
	"$probe" listen crt >listen.out 2>&1 &
	echo "$!" >>kids
	soon grep -q '^up' listen.out
	want 0 "$probe" connect crt
	prints ok
	"$1"
	run 0 -- probe connect crt
	prints ECONNREFUSED
	idle
	verb 0 exec "$name" probe connect crt
	prints ECONNREFUSED
	down
}
story 'net: no abstract socket of the host is reached' net_abstract conf
story 'net: no abstract socket of the host is reached, with a bridge' \
	net_abstract net_conf

# /sys is of the namespace that it was mounted in
net_other_sys() {
	conf bridge=crt-other ip=10.199.78.2/24
	want 0 unshare -n sh -c 'ip link add crt-other type bridge &&
		ip addr add 10.199.78.1/24 dev crt-other &&
		ip link set crt-other up && exec "$@"' - \
		"$crun" -c "$t/c.conf" -- ping -c 1 -W 3 10.199.78.1
	lines 0
}
story 'net: a bridge that /sys does not show' net_other_sys

net_mac() {
	net_conf
	run 0 -- cat /sys/class/net/eth0/address
	mac=$(cat out)
	case $mac in
	?[26ae]:*) ;;
	*) wrong 'made locally, no multicast' "$mac" ;;
	esac
	run 0 -- cat /sys/class/net/eth0/address
	prints "$mac"
	run 0 -n
	prints_like "^mac=$mac\$"
	sed "s/^name=.*/name=$name-b/" c.conf >d.conf
	want 0 "$crun" -c d.conf -- cat /sys/class/net/eth0/address
	[ "$(cat out)" != "$mac" ] || wrong 'another for another name' "$mac"
}
story "net: the hardware address comes from the name" net_mac

net_keys() {
	net_conf mac=02:00:00:00:00:07 mtu=1400 ifname=web0
	inside 'cat /sys/class/net/web0/address /sys/class/net/web0/mtu
		ls /sys/class/net'
	is printed '02:00:00:00:00:07 1400 lo web0' "$(xargs <out)"
}
story 'net: mac, mtu and ifname' net_keys

net_mtu() {
	net_conf
	ip link set "$br" mtu 1300
	run 0 -- cat /sys/class/net/eth0/mtu
	ip link set "$br" mtu 1500
	prints 1300
}
story "net: the bridge's mtu" net_mtu

# the host's end, and what the container cannot do to it
net_host_end() {
	net_conf
	idle
	link=$(sed -n 's/^link //p' "/run/crun-os/$name/host")
	is 'length of its name, at most 15' ok \
		"$([ "${#link}" -le 15 ] && echo ok)"
	ip -d link show dev "$link" >out
	grep -q "master $br" out || wrong "in $br" "$(cat out)"
	grep -q 'UP' out || wrong up "$(cat out)"
	is 'its addresses' '' "$(ip -o addr show dev "$link")"
	down
}
story "net: the host's end is up, in the bridge, without an address" \
	net_host_end

# the kernel takes its time with a dead namespace's links
net_restart() {
	net_conf
	for i in 1 2 3 4 5; do
		idle
		link=$(sed -n 's/^link //p' "/run/crun-os/$name/host")
		want 0 busybox ping -c 1 -W 1 "$net.2"
		down
		! ip -o link show master "$br" | grep "$link" ||
			wrong "$link out of $br once crun has ended" 'in it'
	done
}
story 'net: a container is reached again at once after a restart' \
	net_restart

net_os_end() {
	own_root
	printf '#!/bin/sh\npoweroff -f\n' >root/sbin/end
	chmod 755 root/sbin/end
	net_conf init=/sbin/end
	run 0
	! ip -o link | grep ': cr[a-z2-7]*@' >out ||
		wrong 'no link of it once crun has ended' "$(cat out)"
}
story "net: an OS's link is gone when crun has ended" net_os_end

net_prefix() {
	conf bridge="$br" ip="$net.2/32" ip="$net.3/31"
	inside 'ip -o addr show dev eth0 | grep -o "inet [^ ]*" | sort'
	is addresses "inet $net.2/32 inet $net.3/31" "$(xargs <out)"
	lines 0
}
story 'net: prefixes of 31 and 32 bits' net_prefix

net_many() {
	conf bridge="$br"
	i=2
	while [ "$i" -lt 202 ]; do
		echo "ip=$net.$i/24"
		i=$((i + 1))
	done >>c.conf
	inside 'ip -o addr show dev eth0 | grep -c "inet "'
	prints 200
}
story 'net: 200 addresses' net_many

net_sysctl() {
	net_conf sysctl.net.ipv4.ip_forward=1 sysctl.kernel.shmmax=123456 \
		sysctl.net.ipv4.conf.eth0.rp_filter=2 \
		sysctl.fs.mqueue.msg_max=11 sysctl.kernel.domainname=dom
	before=$(cat /proc/sys/kernel/shmmax /proc/sys/net/ipv4/ip_forward \
		/proc/sys/fs/mqueue/msg_max /proc/sys/kernel/domainname)
	inside 'cd /proc/sys; cat net/ipv4/ip_forward kernel/shmmax \
		net/ipv4/conf/eth0/rp_filter fs/mqueue/msg_max \
		kernel/domainname'
	is inside '1 123456 2 11 dom' "$(xargs <out)"
	is 'the host' "$before" "$(cat /proc/sys/kernel/shmmax \
		/proc/sys/net/ipv4/ip_forward /proc/sys/fs/mqueue/msg_max \
		/proc/sys/kernel/domainname)"
}
story 'net: sysctls are set inside and not outside' net_sysctl

# ---- cgroup.c: control groups ----

# folder_of FILE: the container's folder that has it, on whatever hierarchy
folder_of() {
	awk '$9 ~ /^cgroup/ || / - cgroup/ { print $5 }' \
		/proc/self/mountinfo | while read -r dir; do
		[ ! -e "$dir/crun-os/$name/$1" ] || echo "$dir/crun-os/$name"
	done | head -n 1
}

# lacks FILE...: no hierarchy of this host has such a file in its groups
lacks() {
	for f; do
		case $f in
		cgroup.*) return 1 ;;
		esac
		groups=$(awk '/ - cgroup/ { print $5 }' /proc/self/mountinfo)
		for dir in $groups; do
			mkdir "$dir/crt-look" 2>/dev/null || continue
			echo "+${f%%.*}" 2>/dev/null \
				>"$dir/cgroup.subtree_control" || :
			have=
			[ ! -e "$dir/crt-look/$f" ] || have=1
			rmdir "$dir/crt-look"
			[ ! "$have" ] || return 1
		done
	done
}

# limit_is V2FILE V2TEXT [V1FILE V1TEXT]: what the container's group has
limit_is() {
	while [ "$#" -gt 1 ]; do
		dir=$(folder_of "$1")
		if [ "$dir" ]; then
			is "$1" "$2" "$(cat "$dir/$1")"
			return
		fi
		shift 2
	done
	wrong 'the file in a group' 'in none'
}

# limit_story KEY=VALUE V2FILE V2TEXT [V1FILE V1TEXT]
limit_story() {
	# shellcheck disable=SC2086 # words
	conf $1
	shift
	rc=0
	timeout 5 "$crun" -c c.conf -- true >out 2>err || rc=$?
	if [ "$rc" -eq 125 ] && lacks "$1" "${3:-none}"; then
		grep -q -e 'has no .* controller' -e 'there is no file' err ||
			wrong 'why it cannot be had' "$(cat err)"
		skip "this host has neither $1 nor ${3:-a file of v1}"
	fi
	idle
	limit_is "$@"
	down
}
story 'cgroup: memory' limit_story memory=64M memory.max 67108864 \
	memory.limit_in_bytes 67108864
story 'cgroup: cpus' limit_story cpus=1.5 cpu.max '150000 100000' \
	cpu.cfs_quota_us 150000
story 'cgroup: cpu.weight' limit_story cpu.weight=50 cpu.weight 50 \
	cpu.shares 512
story 'cgroup: cpuset' limit_story cpuset=0 cpuset.cpus 0
story 'cgroup: pids' limit_story pids=50 pids.max 50
story 'cgroup: io.weight' limit_story io.weight=50 io.weight 'default 50' \
	blkio.bfq.weight 50
story 'cgroup: cgroup.FILE' limit_story cgroup.pids.max=49 pids.max 49
story 'cgroup: cgroup.memory.FILE' limit_story \
	cgroup.memory.high=33554432 memory.high 33554432
limit_v2() {
	need_v2
	limit_story "$@"
}
story 'cgroup: cgroup.cgroup.max.depth' limit_v2 \
	cgroup.cgroup.max.depth=3 cgroup.max.depth 3
story 'cgroup: swap' limit_story 'memory=64M swap=16M' memory.swap.max \
	16777216 memory.memsw.limit_in_bytes 83886080

cgroup_in_group() {
	conf memory=64M pids=50
	idle
	grep -e ":/.*crun-os/$name/payload" "/proc/$init/cgroup" >out ||
		wrong 'in its payload' "$(cat "/proc/$init/cgroup")"
	for ctrl in memory pids; do
		grep -q -e "[:,]${ctrl}[:,].*crun-os/$name/payload" \
			-e '^0::.*payload' out || wrong "$ctrl" "$(cat out)"
	done
	! grep -q "crun-os/$name" "/proc/$sup/cgroup" ||
		wrong 'the supervisor outside' "$(cat "/proc/$sup/cgroup")"
	down
}
story 'cgroup: the container is in its group, the supervisor is not' \
	cgroup_in_group

cgroup_delegated() {
	conf memory=64M pids=50
	inside 'cd /sys/fs/cgroup
		for f in *; do
			[ ! -f $f ] || ! (: >>$f) 2>/dev/null || echo $f
		done
		mkdir sub && echo 0 >sub/cgroup.procs && echo moved
		cat /proc/self/cgroup | grep ^0
		mkdir sub/deep sub/deep/er && echo ok'
	is 'printed' "cgroup.procs cgroup.subtree_control cgroup.threads moved \
0::/sub ok" "$(xargs <out)"
}
story 'cgroup: what the container may write in its own group' \
	cgroup_delegated

# as below a unit of systemd's with Delegate=yes
cgroup_unit() {
	need_v2
	v2=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	unit=$v2/$name-unit
	mkdir "$unit"
	conf
	"$probe" unit "$unit" "$crun" -c "$t/c.conf" -- \
		sh -c 'echo up; exec sleep 1000' >up.out 2>up.err </dev/null &
	sup=$!
	echo "$sup" >>kids
	soon grep -q '^up' up.out
	is 'cgroup of the supervisor' "0::/$name-unit/crun.supervisor" \
		"$(grep ^0 "/proc/$sup/cgroup")"
	[ -d "$unit/crun-os/$name/payload" ] ||
		wrong "$unit/crun-os/$name/payload" "$(find "$unit" -type d)"
	[ ! -e "$v2/crun-os/$name" ] || wrong 'none at the root' "$v2/crun-os/$name"
	want 0 "$probe" unit "$unit" "$crun" -c "$t/c.conf" name="$name-b" \
		-- cat /proc/self/cgroup
	prints_like '^0::/$'
	down
	is 'folders left' "$unit" "$(find "$unit" -type d)"
	rmdir "$unit"
}
story 'cgroup: in a delegated unit its tree begins at the own group' \
	cgroup_unit

cgroup_no_way_up() {
	conf memory=64M pids=50 "$@"
	inside 'mount -t cgroup2 none /mnt && ls /mnt | grep -e crun
		cd /mnt && cat /mnt/../mnt/cgroup.procs >/dev/null
		for f in memory.max pids.max cpu.max cgroup.max.depth; do
			[ ! -e $f ] || echo max 2>/dev/null >$f || echo no
		done | sort -u
		cd /
		umount -l /mnt 2>/dev/null
		for c in memory pids cpu devices; do
			mkdir -p /tmp/$c
			mount -t cgroup -o $c none /tmp/$c 2>/dev/null
			[ $c = cpu ] || [ $c = devices ] || ls -d /tmp/$c/crun-os
			for f in $(find /tmp/$c -name "memory.limit_in_bytes" \
				-o -name pids.max -o -name release_agent \
				-o -name devices.allow -o -name tasks); do
				! (: >>$f) 2>/dev/null || echo "writable: $f"
			done
			umount /tmp/$c 2>/dev/null
		done 2>/dev/null
		true'
	is printed no "$(xargs <out)"
}
story 'cgroup: there is no way up to its limits' cgroup_no_way_up
story 'cgroup: there is no way up to its limits, nesting=yes' cgroup_no_way_up \
	nesting=yes

cgroup_memory_kill() {
	conf memory=20M
	run 137 -- dd if=/dev/zero of=/dev/null bs=100M count=1
	says "^crun: c.conf:3: $name: out of memory, 1 process killed at memory=20M\$"
	lines 1
	run 0 -- dd if=/dev/zero of=/dev/null bs=4M count=1
	says_not 'out of memory'
}
story 'cgroup: a process that takes more than memory is killed' \
	cgroup_memory_kill

cgroup_memory_child() {
	conf memory=20M
	run 5 -- /bin/sh -c \
		'dd if=/dev/zero of=/dev/null bs=100M count=1; exit 5'
	says 'c.conf:3: .*out of memory, 1 process killed at memory=20M'
}
story 'cgroup: a kill that the program survives is said too' \
	cgroup_memory_child

cgroup_pids_limit() {
	conf pids=8
	run 2 -- /bin/sh -c 'i=0
		while [ $i -lt 20 ]; do
			sleep 5 &
			i=$((i + 1))
			echo $i
		done'
	says "can't fork"
	is 'processes' 6 "$(tail -n 1 out)"
}
story 'cgroup: no more processes than pids' cgroup_pids_limit

cgroup_cpuset() {
	[ "$(nproc)" -gt 1 ] || skip 'one processor only'
	conf cpuset=1
	run 0 -- grep Cpus_allowed_list /proc/self/status
	prints 'Cpus_allowed_list:	1'
}
story 'cgroup: only the processors of cpuset' cgroup_cpuset

# throttled KEY=VALUE: how often its group was held back in half a second
throttled() {
	conf "$1"
	up -- /bin/sh -c 'echo up; while :; do :; done'
	sleep 0.5
	dir=$(folder_of cpu.stat | tail -n 1)
	n=$(awk '$1 == "nr_throttled" { print $2 }' "$dir/cpu.stat")
	kill -KILL "$(pgrep -P "$(init_of "$name")")"
	ends 137 "$sup"
}

cgroup_cpus() {
	throttled cpus=0.2
	[ "${n:-0}" -gt 0 ] || wrong 'held back' 'never'
	throttled cpus=8000
	is 'held back with more than there is' 0 "$n"
}
story 'cgroup: cpus=0.2 holds a busy program back' cgroup_cpus

# nested deep, full of processes that were forked meanwhile
cgroup_deep() {
	conf
	inside 'd=/sys/fs/cgroup i=0
		while [ $i -lt 30 ]; do
			d=$d/d
			mkdir $d || break
			sleep 100 &
			echo $! >$d/cgroup.procs
			i=$((i + 1))
		done
		echo $i'
	prints 30
}
story 'cgroup: groups that the container made are removed' cgroup_deep

cgroup_leftover() {
	conf memory=64M pids=50
	idle
	ls -d /sys/fs/cgroup/*/crun-os/"$name" /sys/fs/cgroup/crun-os/"$name" \
		>before 2>/dev/null || :
	kill -KILL "$sup"
	ends 137 "$sup"
	soon test ! -e "/proc/$init"
	left=$(xargs ls -d <before 2>/dev/null | wc -l)
	[ ! -s before ] || [ "$left" -gt 0 ] || wrong 'leftovers' none
	run 0 -v -- true
	says "removing cgroup .*crun-os/$name"
}
story 'cgroup: leftovers of a dead supervisor are removed by the next' \
	cgroup_leftover

cgroup_foreign_process() {
	conf
	idle
	dir=$(folder_of cgroup.events)
	[ "$dir" ] || skip 'no cgroup v2 is mounted here'
	sleep 1000 &
	other=$!
	echo "$other" >>kids
	echo "$other" >"$dir/payload/cgroup.procs"
	down
	soon test ! -e "/proc/$other/exe"
}
story 'cgroup: a process that was put into the group ends with it' \
	cgroup_foreign_process

# mount_of TYPE WORD: where that hierarchy is mounted
mount_of() {
	awk -v type="$1" -v word="$2" '{
		n = index($0, " - ")
		split(substr($0, n + 3), f, " ")
		if (f[1] == type && index("," f[3] ",", "," word ","))
			{ print $5; exit }
	}' /proc/self/mountinfo
}

# need_freezer: $freezer is a group of the story's own of the v1 freezer, $v1 is
# where that is, and $v2 where cgroup v2 is
need_freezer() {
	v1=$(mount_of cgroup freezer)
	v2=$(mount_of cgroup2 rw)
	if [ ! "$v1" ] || [ ! "$v2" ]; then
		skip 'no v1 freezer and v2 are mounted here'
	fi
	freezer=$v1/$name
	mkdir "$freezer"
	cat >undo <<-END
	find "$freezer" "$v1/crun-os/$name" -name freezer.state | sort |
		while read -r f; do
			xargs kill -KILL <"\${f%/*}/cgroup.procs"
			echo THAWED >"\$f"
		done
	tries=0
	until rmdir "$freezer" || [ "\$tries" -eq 100 ]; do
		tries=\$((tries + 1))
		sleep 0.02
	done
	END
}

# freeze GROUP PID...: in that group of the v1 freezer
freeze() {
	group=$1
	shift
	for p; do
		echo "$p" >"$group/cgroup.procs"
	done
	echo FROZEN >"$group/freezer.state"
	soon grep -q FROZEN "$group/freezer.state"
}

thaw() {
	echo THAWED >"$1/freezer.state"
}

# left_in GROUP...: a process that a container of this name has left in these
left_in() {
	sleep 1000 &
	other=$!
	echo "$other" >>kids
	for group; do
		mkdir -p "$group"
		"$probe" mark "${group%%/crun-os/*}/crun-os" trusted.crun-os
		echo "$other" >"$group/cgroup.procs"
	done
}

# killed PID: it has been, although it is frozen
killed() {
	grep -q '^SigPnd:.*[13579bdf]..$' "/proc/$1/status"
}

# lasts MS: since $begun, from 10 s to a little more
lasts_patience() {
	took=$(($(date +%s%3N) - begun))
	if [ "$took" -lt 10000 ] || [ "$took" -ge "$((10000 + 3000 * slow))" ]
	then
		wrong '10 to 13 s' "$took ms"
	fi
}

cgroup_frozen_elsewhere() {
	need_freezer
	conf
	left_in "$v2/crun-os/$name"
	freeze "$freezer" "$other"
	"$crun" -c c.conf -- true 2>err &
	sup=$!
	echo "$sup" >>kids
	soon killed "$other"
	kill "$sup"
	secs=2 ends 143 "$sup"
	why="$v2/crun-os/$name: pid $other \(sleep\) does not die: it is frozen by another cgroup; echo THAWED >$freezer/freezer.state thaws it"
	says "^crun: $name: stopped by signal 15 while starting; $why\$"
	lines 1

	# crun kill ends a start that waits so, and says that not all has ended
	"$crun" -c c.conf -- true 2>err &
	sup=$!
	echo "$sup" >>kids
	soon grep -q "^$sup " "/run/crun-os/$name/lock"
	in_time 2000 125 kill "$name"
	says "^crun: $name: something in it could not be ended; crun clean"
	ends 143 "$sup"

	begun=$(date +%s%3N)
	run 125 -- true
	lasts_patience
	says "^crun: $name: $why\$"
	grep -q "^cgroup $v2/crun-os/$name\$" "/run/crun-os/$name/host" ||
		wrong 'it is written down' "$(cat "/run/crun-os/$name/host")"
	verb 0 list
	prints_like "^$name +dead "

	thaw "$freezer"
	run 0 -- true
	says "^crun: $name: removing what a killed supervisor left\$"
	lines 1
	[ ! -e /run/crun-os ] || wrong 'no /run/crun-os' "$(ls -RA /run/crun-os)"
}
story 'cgroup: a leftover that another has frozen ends a start' \
	cgroup_frozen_elsewhere

# killed by one hierarchy, and frozen by another; in it, and in one below
cgroup_frozen_own() {
	need_freezer
	conf
	for group in "$v1/crun-os/$name" "$v1/crun-os/$name/a/b"; do
		left_in "$v2/crun-os/$name" "$group"
		freeze "$group"
		run 0 -- true
		lines 0
		soon test ! -e "/proc/$other/exe"
	done
}
story 'cgroup: a leftover in its own frozen group is thawed and killed' \
	cgroup_frozen_own

# ---- sec.c: the last gate ----

# the names of linux/capability.h in their order
all_caps='chown dac_override dac_read_search fowner fsetid kill setgid
setuid setpcap linux_immutable net_bind_service net_broadcast net_admin
net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace
sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config
mknod lease audit_write audit_control setfcap mac_override mac_admin syslog
wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore'

# cap_bits NAME...: their mask, as in /proc/PID/status
cap_bits() {
	bits=0 bit=0
	for cap in $all_caps; do
		for kept; do
			[ "$cap" != "$kept" ] || bits=$((bits | 1 << bit))
		done
		bit=$((bit + 1))
	done
	printf '%016x\n' "$bits"
}

kept_caps() {
	sed -n '/config_caps\[\]/,/};/p' "$here/config.h" |
		grep -o '"[a-z_]*"' | tr -d '"'
}

sec_caps() {
	conf "$@"
	run 0 -q -- grep ^Cap /proc/self/status
	none=0000000000000000
	is sets "CapInh: $none CapPrm: $bits CapEff: $bits CapBnd: $bits \
CapAmb: $none" "$(xargs <out)"
}
sec_caps_table() {
	# shellcheck disable=SC2046 # names
	bits=$(cap_bits $(kept_caps))
	sec_caps "$@"
}
story "sec: (wall 12) the capabilities are those of config.h" sec_caps_table

# without a user namespace there are no more than the caller has
sec_caps_none() {
	own=$(sed -n 's/^CapBnd:.//p' /proc/self/status)
	# shellcheck disable=SC2046 # names
	bits=$(cap_bits $(kept_caps))
	bits=$(printf '%016x' "$((0x$bits & 0x$own))")
	sec_caps userns=none
}
story "sec: (wall 12) the capabilities are those of config.h, userns=none" \
	sec_caps_none

sec_caps_key() {
	# shellcheck disable=SC2046 # names
	bits=$(cap_bits $(kept_caps | grep -v -x -e mknod -e net_raw) syslog)
	sec_caps 'caps=-mknod -net_raw +syslog'
}
story 'sec: (wall 12) the caps key takes some away and adds some' sec_caps_key

sec_caps_init() {
	own_root
	printf '#!/bin/sh\ngrep -e ^CapEff -e ^NoNew /proc/1/status\n' \
		>root/sbin/caps
	chmod 755 root/sbin/caps
	conf init=/sbin/caps
	run 0
	# shellcheck disable=SC2046 # names
	is printed "CapEff: $(cap_bits $(kept_caps)) NoNewPrivs: 0" \
		"$(tr -d '\r' <out | xargs)"
}
story 'sec: (wall 12) an init has the same' sec_caps_init

sec_inherited() {
	need setpriv
	conf
	# shellcheck disable=SC2046 # names
	bits=$(cap_bits $(kept_caps))
	want 0 setpriv --inh-caps=+chown,+kill --ambient-caps=+chown,+kill \
		"$crun" -c c.conf -- grep ^Cap /proc/self/status
	none=0000000000000000
	is sets "CapInh: $none CapPrm: $bits CapEff: $bits CapBnd: $bits \
CapAmb: $none" "$(xargs <out)"
}
story 'sec: (wall 12) inheritable and ambient capabilities of the caller are gone' \
	sec_inherited

sec_setuid_inside() {
	own_root
	cp root/bin/busybox root/bin/su2
	chmod 4755 root/bin/su2
	ln -s su2 root/bin/id2
	conf
	inside 'grep NoNewPrivs /proc/self/status
		cp /bin/busybox /tmp/id && chmod 4755 /tmp/id
		busybox su nobody -s /bin/sh -c "/tmp/id -u" 2>/dev/null ||
		setuidgid nobody /tmp/id -u 2>/dev/null || true'
	prints_like '^NoNewPrivs:	0$'
}
story 'sec: no_new_privs is off, setuid programs work' sec_setuid_inside

# sec_call CALL ERRNO...: one of these, by the capabilities alone
sec_call() {
	conf seccomp=none
	run 0 -- probe call "$1"
	call=$1
	shift
	echo " $* " | grep -q " $(cat out) " || wrong "$call: $*" "$(cat out)"
}
for call in settimeofday clock_settime swapon acct open_by_handle_at \
	mknod_block mknod_mem syslog; do
	story "sec: $call gives EPERM" sec_call "$call" EPERM
done
# a kernel may be built without these
for call in init_module delete_module kexec_load; do
	story "sec: $call gives EPERM or ENOSYS" sec_call "$call" EPERM ENOSYS
done

# keyless COMMAND...: what it runs finds no key of the caller's
keyless() {
	want 0 "$probe" key crt "$probe" findkey crt
	prints ok
	want 0 "$probe" key crt "$@" probe findkey crt
	case $(cat out) in
	ENOKEY | ENOSYS | EPERM) ;;
	*) wrong ENOKEY "$(cat out)" ;;
	esac
}

sec_keyring() {
	conf "$@"
	keyless "$crun" -c c.conf --
}
story "sec: the caller's keys are out of reach" sec_keyring
story "sec: the caller's keys are out of reach, without a filter of calls" \
	sec_keyring userns=none seccomp=none

sec_rlimit() {
	conf rlimit.nofile=100:200 rlimit.core=0 rlimit.cpu=unlimited \
		rlimit.stack=4M
	inside 'ulimit -S -n; ulimit -H -n; ulimit -c; ulimit -t; ulimit -s'
	is limits '100 200 0 unlimited 4096' "$(xargs <out)"
	run 0 -- grep -e 'Max open files' -e 'Max core' /proc/1/limits
	prints_like 'open files +100 +200'
}
story 'sec: rlimits' sec_rlimit

sec_host_settings() {
	conf
	before=$(cat /proc/sys/kernel/hostname /proc/sys/kernel/panic \
		/proc/sys/vm/swappiness)
	inside 'for f in kernel/panic vm/swappiness kernel/core_pattern \
		kernel/modprobe fs/file-max kernel/printk; do
			echo 7 2>/dev/null >/proc/sys/$f && echo "set $f"
		done
		echo b 2>/dev/null >/proc/sysrq-trigger && echo sysrq
		hostname changed && hostname'
	prints changed
	is 'the host' "$before" "$(cat /proc/sys/kernel/hostname \
		/proc/sys/kernel/panic /proc/sys/vm/swappiness)"
}
story 'sec: (wall 14) no setting of the host can be changed' sec_host_settings

sec_kill_outside() {
	conf
	sleep 1000 &
	other=$!
	echo "$other" >>kids
	inside "kill -9 $other 2>/dev/null; kill -9 -1; echo ok"
	prints ok
	[ -e "/proc/$other/exe" ] || wrong 'it lives' 'killed'
	kill "$other"
	ends 143 "$other"
}
story 'sec: (wall 13) no process of the host can be reached' sec_kill_outside

# ---- the walls: what root inside tries in vain ----

# tries CONF GROUP...: what test/tries.c says, in out; it must not stop midway
tries() {
	with=$1
	shift
	# shellcheck disable=SC2086 # words
	conf $with
	run 0 -- tries "$@"
	[ -s out ] || wrong 'a line a try' none
}

# all_of GROUP REGEX 'ERRNO ...': the tries that match had one of these results
all_of() {
	awk -v group="$1" -v what="$2" -v wanted=" $3 " '
		$1 == group && $2 ~ what {
			n++
			if (!index(wanted, " " $3 " ")) { print; bad = 1 }
		}
		END { if (!n) print "no try of " group " " what; exit bad || !n }
	' out >seen || wrong "$1 $2: $3" "$(cat seen)"
}

# What each call gives where nothing refuses it: so the next stories see the
# filter, and not a capability that is missing.
all_caps() {
	printf '+%s,' audit_read block_suspend bpf \
		checkpoint_restore ipc_lock mac_admin mac_override perfmon \
		sys_module sys_pacct sys_rawio sys_time syslog wake_alarm
}

walls_none() {
	tries "userns=none seccomp=none caps=$(all_caps)" call argument
	all_of call . 'EFAULT EINVAL EBADF ENOSYS E2BIG ENOEXEC ENOENT ENOMEM'
	all_of argument 'ioctl|umount' 'EBADF EFAULT'
}
story 'walls: (wall 11) seccomp=none, all capabilities: no call is refused' walls_none

walls_calls() {
	for with in userns=auto nesting=yes "userns=none caps=$(all_caps)"; do
		tries "$with" call argument
		all_of call . EPERM
		all_of argument 'ioctl|umount' EPERM
		all_of argument socket EAFNOSUPPORT
	done
}
story 'walls: (wall 11) each refused system call' walls_calls

walls_i386() {
	[ "$(uname -m)" = x86_64 ] || skip 'this machine has no i386 calls'
	for with in userns=auto nesting=yes "userns=none caps=$(all_caps)"; do
		tries "$with" i386
		! grep -q '^i386 - none' out ||
			skip 'this kernel takes no 32-bit calls'
		all_of i386 socket EAFNOSUPPORT
		all_of i386 '^[^s]|^s[^o]' EPERM
	done
}
story 'walls: (wall 11) each refused 32-bit system call' walls_i386

# busybox for i386, from where test/tree put it: in a machine, its own /
walls_32_bit() {
	for dir in / "${CRUN_CACHE:-/var/cache/crun-test}/trees/host"; do
		[ ! -e "$dir/usr/lib/busybox.i386" ] ||
			program=$dir/usr/lib/busybox.i386
	done
	[ "${program:-}" ] || skip 'there is no busybox for i386'
	"$program" true 2>seen || skip 'this kernel runs no 32-bit programs'
	own_root
	rm "$root/bin/busybox"
	cp "$program" "$root/bin/busybox"
	conf bridge="$br" ip="$net.2/24"
	run 0 -- sh -c 'id -u; mount -t tmpfs none /mnt && echo mounted
		echo a | gzip | gunzip; ls -d /proc/1; kill -l 15
		ping -c 1 -W 5 '"$net.1"' | grep -o " 0% packet loss"
		cat </dev/null & wait $! && echo waited
		date -s 2030-01-01 2>&1 | grep -o "Operation not permitted"
		swapon /mnt 2>&1 | grep -o "Operation not permitted"
		unshare -m true && echo unshared; su -c "echo su"'
	prints "$(printf '%s\n' 0 mounted a /proc/1 TERM ' 0% packet loss' \
		waited 'Operation not permitted' 'Operation not permitted' \
		unshared su)"
	conf
	idle
	verb 0 exec "$name" sh -c 'echo in'
	prints in
	down
}
story 'walls: an OS of 32-bit programs' walls_32_bit

walls_x32() {
	[ "$(uname -m)" = x86_64 ] || skip 'this machine has no x32 calls'
	for with in userns=auto nesting=yes; do
		tries "$with" x32
		all_of x32 . ENOSYS
	done
}
story 'walls: (wall 11) no system call of x32' walls_x32

# plain: what a terminal has printed, in out, without its returns
plain() {
	tr -d '\r' <out >seen
	mv seen out
}

# typing COMMAND...: it is tries on a terminal, of which no more than its words
# are seen, and nothing is typed; then it is with a pipe as input
typing() {
	want 0 "$pty" -- sh -c '"$@"
		timeout --foreground 0.2 head -n 1 | sed "s/^/arrived: /"' - "$@"
	plain
	all_of argument 'input,TIOC' EPERM
	all_of argument 'input,typed' ENOENT
	is 'printed besides' '' "$(grep -v -e '^argument ' -e '^crun: ' out)"
	want 0 sh -c ': | "$@"' - "$@"
	all_of argument 'input,TIOC' EPERM
	! grep typed out || wrong 'no terminal' "$(cat out)"
}

walls_typing() {
	for with in userns=auto nesting=yes userns=none; do
		conf "$with"
		typing "$crun" -c c.conf -- tries argument
		idle
		typing "$crun" exec "$name" tries argument
		down
		conf "$with" init='/bin/tries argument'
		want 0 "$pty" -- "$crun" -c c.conf
		plain
		all_of argument 'input,TIOC' EPERM
		all_of argument 'input,typed' ENOENT
	done
	# so it is the filter; EIO says dev.tty.legacy_tiocsti
	conf userns=none seccomp=none caps="$(all_caps)"
	want 0 "$pty" -- "$crun" -c c.conf -- tries argument
	plain
	all_of argument 'input,TIOCSTI' 'done EIO'
	all_of argument 'input,TIOCLINUX' ENOTTY
	! grep -q 'TIOCSTI done' out || all_of argument 'input,typed' 'done'
}
story 'walls: (wall 3) nothing is typed on a terminal or a pipe, at a start and by exec' \
	walls_typing

# With a user namespace, which holds also where the filter is left out.
walls_host() {
	for with in userns=auto 'userns=auto nesting=yes' \
		'userns=auto seccomp=none'; do
		tries "$with" write device cgroup host
		! grep ' done$' out >seen || wrong "nothing with $with" \
			"$(cat seen)"
		all_of device 'mem|kmsg|tty1|tun|fuse|loop0|sda|vda' EPERM
	done
}
story 'walls: (wall 8) files, devices, groups and processes of the host' walls_host

walls_keys() {
	for with in userns=none 'userns=none nesting=yes'; do
		tries "$with" key
		all_of key . ENOSYS
	done
	tries userns=auto key
	all_of key . 'EFAULT EINVAL EOPNOTSUPP ENOSYS'
}
story 'walls: the keys of the kernel, with userns=none' walls_keys

# Each row of config.h is one that test/tries.c tries, with the numbers on i386
# and arm that libseccomp has.
walls_table() {
	need scmp_sys_resolver
	sed -n 's/^	{ CALL(\([a-z0-9_]*\)), \([-0-9]*\), \([-0-9]*\), .*/\1 \2 \3/p' \
		"$here/config.h" >table
	[ "$(wc -l <table)" -gt 35 ] || wrong 'a table' "$(cat table)"
	while read -r call i386 arm; do
		for arch in "x86 $i386" "arm $arm"; do
			real=$(scmp_sys_resolver -a "${arch% *}" "$call")
			# libseccomp's own name for what socketcall does
			[ "$call ${arch% *}" != 'socket x86' ] || real=359
			[ "$real" -ge 0 ] || real=-1
			is "$call on ${arch% *}" "$real" "${arch#* }"
		done
		grep -q "\"$call\"" "$here/test/tries.c" || grep -q \
			"__NR_$call\\>" "$here/test/tries.c" ||
			wrong "a try of $call" none
	done <table
}
story "walls: (wall 11) the numbers in config.h's table of calls" walls_table

# What security.md has: a call, and what it gives for these arguments, with
# userns=auto and none.  Those that a machine has not, libseccomp numbers below
# 0.
refusals() {
	for call in kexec_load kexec_file_load init_module finit_module \
		delete_module create_module query_module get_kernel_syms \
		open_by_handle_at swapon swapoff quotactl quotactl_fd acct \
		iopl ioperm lookup_dcookie nfsservctl uselib ustat sysfs \
		_sysctl vm86 vm86old bpf perf_event_open userfaultfd \
		io_uring_setup io_uring_enter io_uring_register \
		clock_settime clock_settime64 settimeofday stime \
		syslog; do
		echo "$call 1 1"
	done
	for call in add_key request_key keyctl; do
		echo "$call allow 38"
	done
	cat <<-'END'
	ioctl 1 1 0 0x5412
	ioctl 1 1 0 0xffffffff00005412
	ioctl 1 1 0 0x541c
	ioctl 1 1 0 0x10000541c
	ioctl allow allow 0 0x5413
	socket 97 97 38
	socket 97 97 40 1
	socket 97 97 16 3 9
	socket 97 97 0x100000010 3 0x100000009
	socket allow allow 16 3 15
	socket allow allow 2 3 9
	umount2 1 1 0 1
	umount2 1 1 0 3
	umount2 allow allow 0 2
	END
}

# filter_of ARCH NUMBER RUNNER: all calls of an architecture, libseccomp's name
# and audit.h's number, in the program that ./filter makes
filter_of() {
	: >calls
	: >auto.want
	: >none.want
	: >refused
	refusals | while read -r call auto none rest; do
		nr=$(scmp_sys_resolver -a "$1" "$call")
		# libseccomp's own name for what socketcall does
		[ "$call $1" != 'socket x86' ] || nr=359
		[ "$nr" -ge 0 ] || continue
		echo "$2 $nr $rest" >>calls
		echo "$call $nr $rest:$auto" >>auto.want
		echo "$call $nr $rest:$none" >>none.want
		echo "$nr" >>refused
	done
	[ "$(wc -l <refused)" -ge 38 ] || wrong "refusals on $1" "$(cat refused)"
	for mode in auto none; do
		$3 ./filter "$mode" <calls >answers
		cut -d: -f1 "$mode.want" | paste -d: - answers >seen
		cmp -s "$mode.want" seen ||
			wrong "$1, userns=$mode" "$(diff "$mode.want" seen)"
	done
	seq 0 1100 | grep -vxf refused | sed "s/^/$2 /" >calls
	is "other calls of $1" allow "$($3 ./filter none <calls | sort -u)"
}

# The program for a machine that we have not, followed call by call.
walls_filter_for() {
	need "$2"
	need "$3"
	need scmp_sys_resolver
	"$2" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -O1 \
		-static -o filter "$here/test/filter.c"
	is native "$4" "$(echo native | $3 ./filter auto)"
	filter_of "$1" "$4" "$3"
	[ ! "$5" ] || filter_of "$5" "$6" "$3"
	is 'calls of other machines' kill "$(printf '%s\n' '40000028 1' \
		'c00000b7 1' 'c00000f3 1' 'c000003e 1' '40000003 1' '0 1' |
		grep -v -e "^$4" -e "^${6:--}" | $3 ./filter auto | sort -u)"
	size=$(echo size | $3 ./filter none)
	[ "$size" -lt 300 ] || wrong 'below 300 instructions' "$size"
	[ "$1" != x86_64 ] || is 'calls of x32' '38 38 38 allow' "$(printf \
		"$4 %s\n" 0x40000000 0x40000027 0xfffffffe 0xffffffff |
		./filter auto | xargs)"
}
story 'walls: (wall 11) the filter on aarch64, with arm' walls_filter_for \
	aarch64 aarch64-linux-gnu-gcc qemu-aarch64 c00000b7 arm 40000028
story 'walls: (wall 11) the filter on riscv64' walls_filter_for \
	riscv64 riscv64-linux-gnu-gcc qemu-riscv64 c00000f3 '' ''
story 'walls: (wall 11) the filter on x86-64, with i386' walls_filter_for \
	x86_64 x86_64-linux-gnu-gcc env c000003e x86 40000003

walls_no_seccomp() {
	need strace
	conf
	for errno in EINVAL ENOSYS EACCES EPERM ENOMEM; do
		rc=0
		strace -f -qq -o trace -e "inject=seccomp:error=$errno" \
			"$crun" -c c.conf -- echo ran >out 2>err || rc=$?
		is "status of $errno" 125 "$rc"
		prints ''
		lines 1
		says '^crun: loading the filter of system calls.*seccomp=none'
		case $errno in
		EINVAL | ENOSYS) says CONFIG_SECCOMP_FILTER ;;
		esac
		! grep -q 'execve("/bin/echo' trace || wrong 'no exec' "$(cat trace)"
	done
	run 0 seccomp=none -- grep 'Seccomp:' /proc/self/status
	prints 'Seccomp:	0'
}
story 'walls: no filter of system calls, no start' walls_no_seccomp

# Where the host lets everybody read its messages.
walls_dmesg() {
	conf "$@"
	restrict=$(cat /proc/sys/kernel/dmesg_restrict)
	echo 0 >/proc/sys/kernel/dmesg_restrict
	dmesg >host
	rc=0
	"$crun" -q -c c.conf -- dmesg >out 2>err || rc=$?
	echo "$restrict" >/proc/sys/kernel/dmesg_restrict
	is status 1 "$rc"
	[ -s host ] || wrong 'messages of the host' none
	prints ''
	says 'Operation not permitted'
}
if [ "${CRUN_IN_VM:-}" ]; then
	story 'walls: (wall 13) messages of the kernel' walls_dmesg
	story 'walls: (wall 13) messages of the kernel, userns=none' \
		walls_dmesg userns=none
fi

# the filter, and not no_new_privs with it
walls_exec() {
	conf "$@"
	idle
	for pid in 1 self; do
		verb 0 exec "$name" grep -E '^(Seccomp|NoNewPrivs)' \
			"/proc/$pid/status"
		is "of $pid" 'NoNewPrivs: 0 Seccomp: 2 Seccomp_filters: 1' \
			"$(xargs <out)"
	done
	verb 0 exec "$name" tries call argument
	all_of call . EPERM
	all_of argument 'ioctl|umount' EPERM
	down
}
story 'walls: (wall 11) crun exec has the same filter' walls_exec
story 'walls: (wall 11) crun exec has the same filter, nesting=yes' walls_exec \
	nesting=yes

# Where root inside is root outside, and what is above the container's own
# groups would be the host's.  The own group's cgroup.kill is its own.
walls_privileged() {
	for with in userns=none 'userns=none nesting=yes'; do
		tries "$with" device cgroup
		! grep ' done$' out | grep -v '/sys/fs/cgroup/cgroup.kill done' \
			>seen || wrong "nothing with $with" "$(cat seen)"
		all_of device . EPERM
	done
}
story 'walls: (wall 8) devices and groups of the host, with userns=none' walls_privileged

# Every v1 hierarchy that the kernel has shows the container's own group as its
# root: in the hierarchy's there are crun, our folder, and release_agent.
walls_hierarchies() {
	sed -n 's/.*:\(.*\):.*/\1/p' /proc/self/cgroup | grep . >hierarchies ||
		skip 'this kernel has no v1 hierarchy'
	conf "$@"
	run 0 -- sh -c 'mkdir -p /tmp/m; while read ctrl; do
		case $ctrl in *=*) ctrl=none,$ctrl ;; esac
		mount -t cgroup -o $ctrl none /tmp/m || exit 3
		for f in /tmp/m/*/ /tmp/m/release_agent; do
			[ ! -e "$f" ] || echo "$ctrl has $f"
		done
		grep -qx $$ /tmp/m/cgroup.procs || echo "we are not in $ctrl"
		[ ! "$1" ] || ! mount -o remount,$ctrl,release_agent=/x \
			/tmp/m 2>/dev/null || echo "an agent of $ctrl"
		umount /tmp/m
		done
		! grep -v ":/$" /proc/self/cgroup' sh "${CRUN_IN_VM:-}" <hierarchies
	prints ''
}
for with in '' userns=none nesting=yes 'userns=none nesting=yes'; do
	# shellcheck disable=SC2086 # no word, or several
	story "walls: (wall 8) a v1 hierarchy is the container's own group${with:+, $with}" \
		walls_hierarchies $with
done

walls_device() {
	conf
	[ -c /dev/fuse ] || skip 'this kernel has no /dev/fuse'
	[ -c /dev/net/tun ] || skip 'this kernel has no /dev/net/tun'
	for with in userns=auto nesting=yes userns=none; do
		run 0 "$with" device=/dev/fuse:r device=/dev/net/tun \
			device=/dev/null -- sh -c '
			stat -c "%u %t:%T" /dev/fuse /dev/net/tun
			true </dev/fuse && echo read
			true >/dev/fuse
			true <>/dev/net/tun && echo both'
		prints "$(printf '0 a:e5\n0 a:c8\nread\nboth')"
		says "can't create /dev/fuse: Operation not permitted"
	done
	run 0 userns=none device=/dev/fuse:r device=/dev/net/tun:m -- sh -c '
		mknod /tmp/tun c 10 200 && echo made
		mknod /tmp/fuse c 10 229 2>/dev/null || echo refused
		true </dev/net/tun || echo closed'
	prints "$(printf 'made\nrefused\nclosed')"
	run 0 userns=none bind=/dev/fuse:/dev/bound -- sh -c \
		'true <>/dev/bound && echo bound'
	prints bound
	run 0 -- ls /dev
	! grep -q -e fuse -e net out || wrong 'neither' "$(cat out)"
}
story 'walls: the key device' walls_device

# A device is its type, both its numbers and what is done with it: each of
# these other than in a rule, by mknod(2), which is asked about as open(2) is.
walls_device_parts() {
	conf
	run 0 userns=none device=/dev/null:rw device=/dev/zero:m -- sh -c '
		for node in "c 1 3" "c 5 2" "c 1 4" "c 1 259" "c 17 3" \
			"c 0 3" "c 257 3" "b 1 3" "b 5 2" "c 136 0" \
			"b 136 0" "p"; do
			if mknod /tmp/node $node 2>/dev/null; then
				echo "$node made"
				rm /tmp/node
			else
				echo "$node refused"
			fi
		done'
	prints 'c 1 3 made
c 5 2 made
c 1 4 refused
c 1 259 refused
c 17 3 refused
c 0 3 refused
c 257 3 refused
b 1 3 refused
b 5 2 refused
c 136 0 refused
b 136 0 refused
p made'
}
story 'walls: a device of another type or number' walls_device_parts

walls_device_wrong() {
	conf device=/dev/nope/none
	run 125 -- true
	says '^crun: c.conf:3: device=/dev/nope/none: the host has no such '
	conf
	for node in folder folder/file; do
		want 125 unshare -m sh -c 'mount -t tmpfs none /dev &&
			mkdir /dev/folder && >/dev/folder/file && "$@"' - \
			"$crun" -c c.conf "device=/dev/$node" -- true
		lines 1
		says "command line: device=/dev/$node: is no device on the host"
	done
}
story 'walls: the key device, and what is none' walls_device_wrong

# A node that came with the rootfs, which root of the host makes openable.
walls_device_all() {
	own_root
	conf userns=none
	mknod -m 666 "$root/node" c 10 229
	open='mount -o remount,bind,dev / && true <>/node && echo open'
	run 0 -- sh -c "$open || true"
	says 'Operation not permitted'
	run 0 device=all -- sh -c "$open"
	prints open
	# shellcheck disable=SC2046 # words
	bits=$(cap_bits $(kept_caps | grep -v -x mknod))
	sec_caps device=all
	idle
	verb 0 exec "$name" sed -n 's/CapBnd:.//p' /proc/self/status
	prints "$bits"
	down
}
story 'walls: device=all' walls_device_all

# Without bpf(2), by the hierarchy of v1, of which root of the host can mount
# its own part.
walls_device_v1() {
	need strace
	[ -e /sys/fs/cgroup/devices/devices.allow ] ||
		skip 'this host has no v1 hierarchy of devices'
	[ -c /dev/fuse ] || skip 'this kernel has no /dev/fuse'
	conf userns=none device=/dev/fuse:r
	rc=0
	strace -f -qq -o trace -e inject=bpf:error=EPERM "$crun" -c c.conf -- \
		sh -c 'true </dev/fuse && echo read; true >/dev/fuse
		mount -t cgroup -o devices none /mnt
		echo a >/mnt/devices.allow; true >/dev/fuse
		tries device' >out 2>err || rc=$?
	is status 0 "$rc"
	[ "$(grep -c 'Operation not permitted' err)" -eq 3 ] ||
		wrong 'three refusals' "$(cat err)"
	grep -v '^device' out >seen
	is 'besides the tries' read "$(cat seen)"
	sed -i '/fuse/d' out
	all_of device . EPERM
}
story 'walls: devices by cgroup v1' walls_device_v1

# no_bpf ERRNO WHICH PROGRAM...: in a mount namespace that shows no v1 hierarchy
# of devices, with that call of bpf(2) failing
no_bpf() {
	what=inject=bpf:error=$1:when=$2
	shift 2
	rc=0
	unshare -m sh -c '! mountpoint -q /sys/fs/cgroup/devices ||
		umount -l /sys/fs/cgroup/devices; "$@"' - strace -f -qq \
		-o trace -e "$what" "$crun" -c c.conf -- "$@" >out 2>err || rc=$?
}

walls_no_device() {
	need strace
	for errno in EPERM EINVAL ENOSYS ENOMEM; do
		for which in 1 2 3; do
			conf
			if [ "$which" -eq 1 ] &&
				grep -q '[:,]devices[:,]' /proc/self/cgroup; then
				# it is there, though not mounted
				no_bpf "$errno" 1 sh -c 'mkdir -p /tmp/m &&
					mount -t cgroup -o devices none /tmp/m &&
					cat /tmp/m/devices.list'
				is "status of $errno" 0 "$rc"
				grep -q '^c 1:3 rwm' out
				! grep '^a' out || wrong 'a list' 'all devices'
				continue
			fi
			no_bpf "$errno" "$which" echo ran
			is "status of $errno" 125 "$rc"
			prints ''
			lines 1
			says '^crun: the wall around devices'
			says device=all
			case $which$errno in
			1EPERM) says 'bpf\(2\) is refused to us' ;;
			1*) says CONFIG_CGROUP_BPF ;;
			esac
			! grep -q 'execve("/bin/echo' trace ||
				wrong 'no exec' "$(cat trace)"
		done
	done
}
story 'walls: no wall around devices, no start' walls_no_device

# A folder of the host's whose every name, owner, mode and byte is compared.
make_canary() {
	mkdir -p canary
	(
		cd canary
		mkdir sub pts shm host crt-b crt-t sys fs net mqueue
		for f in f resolv.conf hostname console null tty passwd \
			container-manager keys host/container-manager; do
			echo safe >"$f"
		done
	)
	see_canary >canary.before
}

see_canary() {
	find canary -printf '%p %y %m %u %g %s %T@ %C@ %n\n' | sort
	find canary -type f -exec cat {} + | sort | uniq -c
}

canary_is_safe() {
	see_canary >canary.after
	cmp -s canary.before canary.after ||
		wrong 'a canary that nobody touched' \
		"$(diff canary.before canary.after)"
}

# Somebody who can write to the rootfs exchanges its folders for links to the
# canary and back, about 100,000 times a second, while containers start and
# end in it.  CRUN_RACES=10000 for more.
walls_race() {
	own_root
	make_canary
	up='../../../../../../../../../..'
	parts='proc sys dev etc run tmp mnt sbin dev/pts run/host
		etc/resolv.conf etc/hostname tmp/crt-b mnt/crt-t usr/x'
	mkdir -p root/dev/pts root/run/host root/tmp/crt-b root/mnt/crt-t \
		root/usr/x/y
	touch root/etc/resolv.conf root/etc/hostname
	n=0
	for part in $parts; do
		n=$((n + 1))
		case $((n % 4)) in
		0) to=$t/canary ;;
		1) to=$up$t/canary ;;
		2) to=/proc/1/root$t/canary ;;
		3) to=/proc/self/cwd/canary ;;
		esac
		case $part in
		*.conf | */hostname) to=$to/${part#etc/} ;;
		esac
		ln -s "$to" "root/$part.link"
	done
	mkdir shared
	conf "$@" dns=9.9.9.9 hostname=new bind="$t/shared:/tmp/crt-b" \
		tmpfs=/mnt/crt-t bind=/usr:/usr/x/y/z:ro
	# shellcheck disable=SC2086 # words
	(cd root && exec "$here/build/test/racer" $parts) &
	racer=$!
	echo "$racer" >>kids
	n=0 started=0
	races=${CRUN_RACES:-$((200 / slow))}
	while [ "$n" -lt "$races" ]; do
		n=$((n + 1)) rc=0
		cmd="crun, start $n"
		timeout 20 "$crun" -q -c c.conf -- true >out 2>err || rc=$?
		case $rc in
		0) started=$((started + 1)) ;;
		125 | 127) says '^crun: ' && lines 1 ;;
		*) wrong 'status 0, 125 or 127' "$rc" ;;
		esac
		[ $((n % 50)) -ne 0 ] || canary_is_safe
	done
	canary_is_safe
	kill "$racer" 2>/dev/null || wrong 'a racer to the end' none
	wait "$racer" || :
	echo "# $started of $n starts went through" >&2
	if [ "$started" -eq 0 ] || [ "$started" -eq "$n" ]; then
		wrong 'starts of both kinds' "$started of $n"
	fi
}
# ---- containers in containers ----

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
	(sleep "$((2 * slow))"; echo poweroff) | "$crun" -q -c c.conf -- \
		crun -q -c /etc/in.conf -- crun -q -c /etc/in.conf >out 2>err ||
		wrong 'status 0' "$(cat out err)"
	prints_like 'busybox: up'
	prints_like 'busybox: down'
}
limit=120
story 'walls: a container in a container in a container' walls_nest

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
story 'walls: (wall 2) a false /dev/null in a container' walls_nest_null

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
story 'walls: (wall 8) the device nodes of a container that one is in' \
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
story 'walls: crun with all its verbs in a container' walls_nest_host

# What crun says where a wall cannot be built, all that it may say and, by the
# letters of those modes (a auto, n userns=none, x nesting=yes) in which each
# must come up: the wall's name; the kernel's option, where one leaves it out;
# the key, where one does without the wall.
wall_lines() {
	cat <<-'END'
	anx loading the filter of system calls .*\(seccomp=none does without\)
	anx the wall around devices(:| needs CONFIG_CGROUP_BPF,) .*\(device=all does without\)
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
	anx (making|sharing|attaching to) the (mounts|stage for the mounts)
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
		while n=$((n + 1)) && [ "$n" -le "$((80 / slow / slow))" ]; do
			rc=0
			timeout "$((10 * slow))" strace -f -qq -o trace -e \
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
	[ "$slow" -gt 1 ] || while IFS='|' read -r modes text; do
		case $modes in
		*"$mode"*) grep -qE -e "$text" said ||
			wrong "$text" 'none of all lines' ;;
		esac
	done <lines
	[ "$(wc -l <said)" -gt $((50 / slow / slow)) ] ||
		wrong "more than $((50 / slow / slow))" "$(cat said)"
}
limit=240
story 'walls: (wall 17) each call that builds a wall fails' walls_failing a
limit=240
story 'walls: (wall 17) each call that builds a wall fails, nesting=yes' walls_failing x \
	nesting=yes
limit=240
story 'walls: (wall 17) each call that builds a wall fails, userns=none' walls_failing n \
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
	while [ "$n" -lt "${CRUN_RACES:-$((500 / slow))}" ]; do
		n=$((n + 1))
		./stolen exec "$name" true 2>err ||
			wrong 'status 0' "$n: $(cat err)"
	done
	thief_down
}
limit=$((120 + ${CRUN_RACES:-0} / 10))
story 'walls: (wall 4) a guest that overwrites who comes in' walls_thief
limit=$((120 + ${CRUN_RACES:-0} / 10))
story 'walls: (wall 4) a guest that overwrites who comes in, nesting=yes' \
	walls_thief nesting=yes
limit=$((120 + ${CRUN_RACES:-0} / 10))
story 'walls: (wall 4) a guest that overwrites who comes in, userns=none' \
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
	while [ "$n" -lt "${CRUN_RACES:-$((300 / slow))}" ]; do
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
limit=$((120 + ${CRUN_RACES:-0} / 10))
story 'walls: a guest that looks at who comes in' walls_looks
limit=$((120 + ${CRUN_RACES:-0} / 10))
story 'walls: a guest that looks at who comes in, nesting=yes' walls_looks \
	nesting=yes
limit=$((120 + ${CRUN_RACES:-0} / 10))
story 'walls: nothing of the host leaks by who comes in' walls_peeks
limit=$((120 + ${CRUN_RACES:-0} / 10))
story 'walls: nothing of the host leaks by who comes in, nesting=yes' \
	walls_peeks nesting=yes
limit=$((120 + ${CRUN_RACES:-0} / 10))
story 'walls: nothing of the host leaks by who comes in, userns=none' \
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
	while [ "$n" -lt "$((400 / slow))" ]; do
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
story 'walls: (wall 4) a guest that ends who comes in' walls_kills
story 'walls: (wall 4) a guest that ends who comes in, userns=none' \
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
		while [ "$n" -lt "$((40 / slow))" ]; do
			n=$((n + 1))
			timeout 20 ./stolen exec "$name" /bin/trick >out 2>&1 ||
				:
		done
		timeout 20 ./stolen -c c.conf name=other init=/bin/trick \
			</dev/null >out 2>&1 || :
	done
	thief_down
}
story 'walls: (wall 4) crun as the interpreter of a script of the guest' \
	walls_interpreter
story 'walls: (wall 4) crun as the interpreter of a script of the guest, userns=none' \
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
	while [ "$n" -lt "${CRUN_RACES:-$((100 / slow))}" ]; do
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
limit=$((120 + ${CRUN_RACES:-0} / 4))
story 'walls: (wall 1) a /proc that is moved while it is masked' walls_race_masks

limit=$((120 + ${CRUN_RACES:-0} / 4))
story 'walls: (wall 1) a rootfs that changes while it is used' walls_race
limit=$((120 + ${CRUN_RACES:-0} / 4))
story 'walls: (wall 1) a rootfs that changes while it is used, nesting=yes' \
	walls_race nesting=yes
limit=$((120 + ${CRUN_RACES:-0} / 4))
story 'walls: (wall 1) a rootfs that changes while it is used, userns=none' \
	walls_race userns=none

# ---- paths of the host that the file names ----

# link_leads PATH TARGET: neither a rootfs nor a bind by PATH; where it leads
# is said, or that it leads nowhere
link_leads() {
	seen="$1 leads to $2; name that, or"
	[ "$2" ] || seen="a link in $1 leads nowhere; name what is meant"
	conf bind="$1:/mnt"
	run 125 -- cat /mnt/f
	prints ''
	lines 1
	says "^crun: c.conf:3: bind: $seen${2:+ add the option follow}\$"
	printf 'name=%s\nrootfs=%s\n' "$name" "$1" >c.conf
	run 125 -- /bin/true
	lines 1
	says "^crun: c.conf:2: rootfs: $seen${2:+ set rootfs.follow=yes}\$"
}

links_refused() {
	mkdir -p data/sub
	echo data >data/f
	echo sub >data/sub/f
	ln -s data last
	ln -s "$t" middle
	ln -s last/../middle/last chain
	ln -s /nosuch dangling
	ln -s loop loop
	(cd data && exec sleep 1000) &
	pid=$!
	echo "$pid" >>kids
	soon test "/proc/$pid/cwd" -ef data
	link_leads "$t/last" "$t/data"
	link_leads "$t/middle/data/sub" "$t/data/sub"
	link_leads "$t/chain/sub" "$t/data/sub"
	link_leads "$t/data/../last" "$t/data"
	link_leads "$t/last/nosuch/f" "$t/data/nosuch/f"
	link_leads "/proc/self/root$t/data" "$t/data"
	link_leads "/proc/$pid/cwd" "$t/data"
	link_leads "$t/dangling" ''
	link_leads "$t/dangling/sub" ''
	link_leads "$t/loop" ''
	kill "$pid"
	conf bind="$t/last/nosuch:/mnt:optional"
	run 125 -- true
	says "bind: $t/last/nosuch leads to $t/data/nosuch; "
	conf bind="$t//data/../data/./sub/:/mnt" bind="$t/nosuch:/x:optional"
	inside 'cat /mnt/f'
	prints sub
}
story 'walls: (wall 1) a rootfs or bind by a link, and where it leads' \
	links_refused

links_followed() {
	own_root
	mkdir -p data/sub
	echo seen >data/sub/f
	ln -s "$t" middle
	ln -s root last
	ln -s /nosuch dangling
	root=$t/middle/last
	conf rootfs.follow=yes bind="$t/middle/data/sub:/mnt:ro,follow" \
		bind="/proc/self/root$t/data:/srv:follow" \
		bind="$t/dangling/x:/x:follow,optional"
	inside 'cat /mnt/f /srv/sub/f; [ ! -e /x ] && echo none'
	is printed 'seen seen none' "$(xargs <out)"
	run 125 bind="$t/middle/data:/mnt" -- true
	says 'command line: bind: .*, or add the option follow'
	run 125 rootfs.follow= -- true
	says 'c.conf:2: rootfs: .*, or set rootfs.follow=yes'
	run 125 bind="$t/dangling:/mnt:follow" -- true
	says "bind, opening $t/dangling, which the option optional would"
}
story 'walls: rootfs.follow=yes, and the option follow' links_followed

# Root of a guest can change what lies in a bind of its, and so what the path
# of another bind means.
link_planted() {
	own_root
	make_canary
	mkdir canary/x
	echo safe >canary/x/f
	see_canary >canary.before
	mkdir -p data/sub/x
	conf bind="$t/data:/data:idmap" bind="$t/data/sub/x:/x:idmap"
	run 0 -- sh -c 'rm -r /data/sub; ln -s "$1" "/data/$2"' - "$1" "$2"
	[ -L "data/$2" ] || wrong 'a link' "$(ls -l data)"
	run 125 -- sh -c 'cat /x/f; echo x >/x/f; touch /x/new'
	prints ''
	lines 1
	says "^crun: c.conf:4: bind: $t/data/sub/x leads to $t/canary/x; "
	canary_is_safe
}
links_planted() {
	up='../../../../../../../../../..'
	for to in "$t/canary" "$up$t/canary" "/proc/1/root$t/canary" \
		"/proc/self/root$t/canary"; do
		rm -rf root data canary
		root=$T/root
		link_planted "$to" sub
	done
}
story 'walls: (wall 1) a guest puts a link where another bind begins' \
	links_planted

link_planted_reboot() {
	own_root
	make_canary
	mkdir -p data/sub
	cat >root/sbin/plant <<-END
	#!/bin/sh
	if [ -L /data/sub ]; then
		cat /sub/f
		echo x >/sub/f
		touch /sub/new
		poweroff -f
	fi
	rmdir /data/sub
	ln -s $t/canary /data/sub
	reboot -f
	END
	chmod 755 root/sbin/plant
	conf init=/sbin/plant bind="$t/data:/data:idmap" \
		bind="$t/data/sub:/sub:idmap"
	run 125
	prints ''
	lines 1
	says "^crun: c.conf:5: bind: $t/data/sub leads to $t/canary; name that, "
	canary_is_safe
}
story 'walls: (wall 1) a guest puts a link there and reboots' \
	link_planted_reboot

# The canary is a folder that would start.
link_planted_rootfs() {
	make_canary
	cp -a "$root/bin" canary/
	see_canary >canary.before
	mkdir -p data/os
	cp -a "$root" data/os/b
	conf bind="$t/data:/data:idmap"
	root=$t/data/os/b
	run 0 -- sh -c 'mv "/data/$1" /data/old && ln -s "$2" "/data/$1"' - \
		"$1" "$2"
	conf
	run 125 -- sh -c 'cat /f; echo x >/f'
	prints ''
	lines 1
	says "^crun: c.conf:2: rootfs: $t/data/os/b leads to $t/canary; name "
	canary_is_safe
}
links_planted_rootfs() {
	for to in "$t/canary" ../../canary; do
		rm -rf data canary
		root=$T/root
		link_planted_rootfs os/b "$to"
	done
}
story 'walls: (wall 1) a rootfs below a bind of another container' \
	links_planted_rootfs

# Somebody exchanges the folders for links and back, as walls_race() has it.
links_race() {
	make_canary
	cp -a "$root/bin" canary/
	see_canary >canary.before
	mkdir -p hall/sub/x
	cp -a "$root" hall/os
	echo mine >hall/sub/x/f
	ln -s "$t/canary" hall/os.link
	ln -s "$t" hall/sub.link
	mkdir x
	echo safe >x/f
	root=$t/hall/os
	conf bind="$t/hall/sub/x:/mnt:idmap"
	(cd hall && exec "$here/build/test/racer" os sub) &
	racer=$!
	echo "$racer" >>kids
	n=0 started=0
	races=${CRUN_RACES:-$((100 / slow))}
	while [ "$n" -lt "$races" ]; do
		n=$((n + 1)) rc=0
		cmd="crun, start $n"
		timeout 20 "$crun" -q -c c.conf -- sh -c \
			'cat /f /mnt/f; echo x >/mnt/new' >out 2>err || rc=$?
		! grep -q safe out || wrong 'nothing of the canary' "$(cat out)"
		case $rc in
		0) started=$((started + 1)) && prints mine ;;
		125) says '^crun: ' && lines 1 ;;
		*) wrong 'status 0 or 125' "$rc" ;;
		esac
	done
	kill "$racer" 2>/dev/null || wrong 'a racer to the end' none
	wait "$racer" || :
	canary_is_safe
	is 'the other folder' f "$(ls x)"
	echo "# $started of $n starts went through" >&2
	if [ "$started" -eq 0 ] || [ "$started" -eq "$n" ]; then
		wrong 'starts of both kinds' "$started of $n"
	fi
}
limit=$((120 + ${CRUN_RACES:-0} / 4))
story 'walls: (wall 1) a rootfs and a bind that become links and back' \
	links_race

# lives KEY=VALUE...: an OS that shows /mnt/f, says "up", and then reboots for
# the word "again" and powers off for any other; by $within, if that is set
lives() {
	own_root
	printf '%s\n' '#!/bin/sh' 'cat /mnt/f || echo none' 'echo up' \
		'read -r word' '[ "$word" != again ] || reboot -f' \
		'poweroff -f' >root/sbin/lives
	chmod 755 root/sbin/lives
	conf init=/sbin/lives "$@"
	mkfifo in
	life=1
	# shellcheck disable=SC2086 # words, or none
	${within:-} "$crun" -c c.conf <in >up.out 2>up.err &
	sup=$!
	echo "$sup" >>kids
	exec 7>in
	soon grep -q '^up' up.out
}

# again WORD: it reboots, and shows that then
again() {
	life=$((life + 1))
	echo again >&7
	cmd="life $life"
	soon lived "$life"
	is "life $life" "$1" "$(tr -d '\r' <up.out | grep -B 1 '^up' |
		tail -n 2 | head -n 1)"
}
lived() {
	[ "$(grep -c '^up' up.out)" -eq "$1" ]
}

# no_more SAYS: it does not come up again
no_more() {
	echo again >&7
	ends 125 "$sup"
	exec 7>&-
	is 'standard error' "crun: $1 is not what it was when $name started: somebody has put another in its place; start it again to take that" "$(cat up.err)"
	is lives "$life" "$(grep -c '^up' up.out)"
	rm in
}

lives_bind() {
	mkdir data
	echo 1 >data/f
	lives bind="$t/data:/mnt"
	echo 2 >data/f
	again 2
	mv data old
	cp -a old data
	no_more "c.conf:4: bind, $t/data"
	conf bind="$t/data:/mnt"
	inside 'cat /mnt/f'
	prints 2
	rm -r root
	root=$T/root
	lives bind="$t/data/f:/mnt/f"
	again 2
	echo 3 >data/new
	mv data/new data/f
	no_more "c.conf:4: bind, $t/data/f"
}
story 'walls: a bind that is another at a reboot' lives_bind

lives_rootfs() {
	lives
	again none
	mv root old
	cp -a old root
	no_more "c.conf:2: rootfs, $t/root"
	conf
	inside 'echo up'
	prints up
}
story 'walls: a rootfs that is another at a reboot' lives_rootfs

lives_follow() {
	mkdir data other
	echo data | tee data/f >other/f
	ln -s data link
	lives bind="$t/link:/mnt:follow"
	mv data real
	ln -sfn real link
	again data
	ln -sfn other link
	no_more "c.conf:4: bind, $t/link"
}
story 'walls: with follow, a link that leads elsewhere at a reboot' lives_follow

lives_optional() {
	mkdir other
	lives bind="$t/data:/mnt:optional"
	again none
	mkdir data
	echo data >data/f
	again data
	mv data old
	again none
	mv old data
	again data
	mv data old
	mv other data
	no_more "c.conf:4: bind, $t/data"
}
story 'walls: an optional bind comes and goes over reboots' lives_optional

lives_set() {
	need_cgroups
	mkdir a data
	echo data >data/f
	lives pids=200 bind="$t/a:/a" bind="$t/data:/mnt"
	verb 0 set "$name" pids=201
	again data
	verb 0 set "$name" pids=202
	again data
	mv data old
	cp -a old data
	where=$(grep -n "^bind=$t/data:" "/run/crun-os/$name/conf")
	no_more "/run/crun-os/$name/conf:${where%%:*}: bind, $t/data"
}
story 'walls: a bind that is another at a reboot, after crun set' lives_set

# of the host's mount, that is: a clone holds the file system itself
lives_busy() {
	mounted tmpfs size=1m "$t/data"
	echo data >data/f
	lives bind="$t/data:/mnt" "$1"
	umount data || wrong 'a mount that is not busy' busy
	: >mounted
	echo end >&7
	ends 0 "$sup"
	exec 7>&-
}
for with in userns=auto userns=none; do
	story "walls: a container keeps no mount of a bind busy, $with" \
		lives_busy "$with"
done

# own_dev: $within is how to run with a /dev of our own, $t/dev
own_dev() {
	mounted tmpfs mode=755 "$t/dev"
	mknod -m 666 dev/null c 1 3
	mknod dev/node c 1 11
	mknod dev/other c 1 2
	ln -s node dev/link
	ln -s /dev/node dev/named
	ln -s none dev/dangling
	printf '#!/bin/sh\nmount --bind "%s/dev" /dev && exec "$@"\n' "$t" \
		>with_dev
	within="unshare -m sh $t/with_dev"
}

# shellcheck disable=SC2086 # $within is words
links_device() {
	own_dev
	for link in link named; do
		conf "device=/dev/$link:r"
		want 125 $within "$crun" -c c.conf -- true
		lines 1
		says "^crun: c.conf:3: device: /dev/$link leads to /dev/node; name that, or add the option follow\$"
		conf userns=none "device=/dev/$link:m,follow"
		want 0 $within "$crun" -c c.conf -- sh -c '
			stat -c "%F %t:%T" "$1"
			mknod /tmp/node c 1 11 && echo made
			rm /tmp/node
			mknod /tmp/node c 1 2 2>/dev/null || echo refused' - \
			"/dev/$link"
		prints "$(printf '%s 1:b\nmade\nrefused' \
			'character special file')"
	done
	conf device=/dev/dangling
	want 125 $within "$crun" -c c.conf -- true
	lines 1
	says '^crun: c.conf:3: device: a link in /dev/dangling leads nowhere; '
	lives "device=/dev/node" "device=/dev/link:follow"
	again none
	ln -sfn other dev/link
	no_more 'c.conf:5: device, /dev/link'
	rm -r root
	root=$T/root
	lives "device=/dev/node" "device=/dev/other"
	rm dev/node
	mknod dev/node c 1 11
	again none
	mv dev/other dev/node
	no_more 'c.conf:4: device, /dev/node'
}
story 'walls: (wall 1) a device by a link, and one that is another at a reboot' \
	links_device

# in a container the nodes are bound
links_device_nest() {
	nest 1 "device=/dev/link:rw"
	run 0 -q -- sh -c '
		ln -s full /dev/link
		crun -q -c /etc/in.conf -- true
		echo $?
		crun -q -c /etc/in.conf device=/dev/link:rw,follow -- \
			stat -c %t:%T /dev/link'
	prints "$(printf '125\n1:7')"
	lines 1
	says '/etc/in.conf:4: device: /dev/link leads to /dev/full; name that, '
}
story 'walls: a device by a link, in a container' links_device_nest

# ---- console.c: the terminal ----

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

# stalled: crun, as $sup, writes to a pipe that $reader has open and never reads
stalled() {
	mkfifo fifo
	sh -c 'exec sleep 1000' <fifo &
	reader=$!
	echo "$reader" >>kids
	"$crun" -c c.conf >fifo 2>err &
	sup=$!
	echo "$sup" >>kids
}

console_stalled() {
	own_root
	printf '#!/bin/sh\ntrap "exit 4" TERM\nwhile :; do echo y; done\n' \
		>root/sbin/yes
	chmod 755 root/sbin/yes
	conf init=/sbin/yes stop.signal=TERM stop.timeout=2
	stalled
	sleep 0.5
	kill "$sup"
	rc=0
	tries=0
	while [ -e "/proc/$sup/exe" ] && [ "$tries" -lt 400 ]; do
		tries=$((tries + 1))
		sleep 0.02
	done
	[ ! -e "/proc/$sup/exe" ] || wrong 'an end within 8 s' 'none'
	kill "$reader"
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
story 'console: and though a terminal takes no more' console_stalled_terminal

# whoever prints is held up
console_full() {
	n=$(printed)
	[ "$n" -gt 4096 ] && sleep 1 && [ "$(printed)" -eq "$n" ]
}

# one signal is enough for all that is left to be printed
console_stalled_killed() {
	os_conf init=/sbin/yes
	printf '#!/bin/sh\nyes | head -c 100000\nexec sleep 1000\n' >root/sbin/yes
	chmod 755 root/sbin/yes
	stalled
	soon test -e "/run/crun-os/$name/pid"
	soon console_full
	init=$(init_of "$name")
	"$crun" kill "$name" &
	echo "$!" >>kids
	soon test ! -e "/proc/$init/exe"
	sleep 0.2
	[ -e "/proc/$sup/exe" ] || wrong 'it waits for its reader' 'an end'
	kill -TERM "$sup"
	secs=2 ends 137 "$sup"
	kill "$reader"
}
story 'console: and one signal ends what the killed had printed' \
	console_stalled_killed

# deaf: a pipe, full of zeroes, that nobody reads but who asks for it
deaf() {
	mkfifo fifo
	exec 3<>fifo
	fill
}

fill() {
	dd if=/dev/zero of=fifo bs=4096 oflag=nonblock 2>/dev/null || :
}

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
story 'console: and though another fills the pipe meanwhile' said_race

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

# ---- stop.c and runc.c: ends and reboots ----

stop_poweroff() {
	os_conf
	want 0 "$pty" "$prompt" 'send:poweroff\r' 'expect:busybox: down' -- \
		"$crun" -c c.conf
	lines 0
}
story 'stop: a power-off inside gives status 0' stop_poweroff

stop_halt() {
	os_conf
	want 0 "$pty" "$prompt" 'send:halt\r' -- "$crun" -c c.conf
}
story 'stop: a halt inside gives status 0' stop_halt

stop_poweroff_force() {
	os_conf
	want 0 "$pty" "$prompt" 'send:poweroff -f\r' -- "$crun" -c c.conf
}
story 'stop: poweroff -f, without the init, gives status 0' \
	stop_poweroff_force

stop_reboot() {
	os_conf bridge="$br" ip="$net.2/24"
	show='ip addr show eth0 | grep -e inet -e ether; cat /proc/uptime'
	want 0 "$pty" "$prompt" "send:$show\\r" 'expect:inet ' "$prompt" \
		'send:touch /run/first\r' "$prompt" 'send:reboot\r' \
		'expect:busybox: down' 'expect:busybox: up' "$prompt" \
		'send:ls /run/first\r' 'expect:No such file' "$prompt" \
		"send:$show\\r" 'expect:inet ' "$prompt" \
		"send:ping -c 1 -W 2 $net.1\\r" 'expect: 0% packet loss' \
		"$prompt" 'send:poweroff\r' -- "$crun" -c c.conf
	is 'addresses, different ones' 2 "$(tr -d '\r' <out |
		grep -e 'inet 10' -e 'link/ether' | sort -u | wc -l)"
	is 'addresses' 4 "$(grep -c -e 'inet 10' -e 'link/ether' out)"
}
story 'stop: a reboot inside starts it anew, with the same addresses' \
	stop_reboot

stop_reboot_many() {
	own_root
	printf '#!/bin/sh\nn=$(cat /n 2>/dev/null || echo 0)\necho $((n + 1)) >/n
		[ $n -lt 20 ] && reboot -f\npoweroff -f\n' >root/sbin/again
	chmod 755 root/sbin/again
	conf init=/sbin/again bridge="$br" ip="$net.2/24" memory=64M
	run 0
	is 'starts' 21 "$(cat root/n)"
}
story 'stop: twenty reboots' stop_reboot_many

stop_init_status() {
	own_root
	printf '#!/bin/sh\nsleep 1.1\n%s\n' "$2" >root/sbin/die
	chmod 755 root/sbin/die
	conf init=/sbin/die
	run "$1"
	lines 0
}
story "stop: an init's own status 0" stop_init_status 0 'exit 0'
story "stop: an init's own status 42" stop_init_status 42 'exit 42'

# os_up: a busybox OS in the background
os_up() {
	cmd="$crun -c c.conf"
	"$crun" -c c.conf >up.out 2>up.err </dev/null &
	sup=$!
	echo "$sup" >>kids
	# getty may flush what was printed before it
	soon grep -q '/ # ' up.out
	init=$(init_of "$name")
}

stop_term() {
	os_conf
	os_up
	kill "-$1" "$sup"
	ends 0 "$sup"
	grep -q 'busybox: down' up.out || wrong 'rcK was run' "$(cat up.out)"
	is 'standard error' '' "$(cat up.err)"
}
for sig in TERM INT HUP; do
	story "stop: $sig powers a busybox OS off in order" stop_term "$sig"
done

stop_link() {
	os_conf bridge="$br" ip="$net.2/24"
	os_up
	link=$(sed -n 's/^link //p' "/run/crun-os/$name/host")
	[ -e "/sys/class/net/$link" ] || wrong "a link $link" none
	kill "$sup"
	ends 0 "$sup"
	[ ! -e "/sys/class/net/$link" ] || wrong "no $link" 'still there'
}
story 'stop: an OS that has ended has left no link' stop_link

# a signal to a PID 1 without a handler for it is lost
stop_not_ready() {
	own_root
	cat >root/sbin/slow <<-'END'
	#!/bin/sh
	echo up
	sleep 0.7
	trap 'echo told; exit 6' TERM
	while :; do sleep 0.02; done
	END
	chmod 755 root/sbin/slow
	conf init=/sbin/slow stop.signal=TERM stop.timeout=20
	up
	kill "$sup"
	secs=5 ends 6 "$sup"
}
story 'stop: an init that is not ready to hear it is asked again' \
	stop_not_ready

stop_term_early() {
	os_conf
	for wait in 0 0.001 0.002 0.005 0.01 0.02 0.05; do
		"$crun" -c c.conf >up.out 2>up.err </dev/null &
		sup=$!
		echo "$sup" >>kids
		# before it is crun, the signal would be for the shell's child
		until [ "$(readlink "/proc/$sup/exe")" = "$crun" ]; do :; done
		sleep "$wait"
		kill "$sup"
		tries=0
		while [ -e "/proc/$sup/exe" ] && [ "$tries" -lt 400 ]; do
			tries=$((tries + 1))
			sleep 0.02
		done
		[ ! -e "/proc/$sup/exe" ] || wrong 'an end within 8 s' \
			"none, TERM after $wait s"
		rc=0
		wait "$sup" || rc=$?
		case $rc in
		0 | 143) ;;
		*) wrong 'status 0 or 143' "$rc, TERM after $wait s" ;;
		esac
	done
}
story 'stop: TERM at any moment of the start ends it' stop_term_early

# an init that does not do as it is told
stubborn() {
	own_root
	cat >root/sbin/stubborn <<-'END'
	#!/bin/sh
	trap 'echo told' TERM USR2 INT
	echo up
	while :; do sleep 0.05; done
	END
	chmod 755 root/sbin/stubborn
	conf init=/sbin/stubborn stop.signal=TERM "$@"
	up
}

stop_second() {
	stubborn
	kill "$sup"
	soon grep -q told up.out
	kill "$sup"
	ends 137 "$sup"
	grep -q '^crun' up.err || :
}
story 'stop: a second TERM kills' stop_second

stop_timeout() {
	stubborn stop.timeout=1
	kill "$sup"
	ends 137 "$sup"
	is 'told' 1 "$(grep -c told up.out)"
	grep -q "^crun: $name: did not power off in 1 s; killed" up.err ||
		wrong 'said so' "$(cat up.err)"
}
story 'stop: after stop.timeout it is killed, and that is said' \
	stop_timeout

stop_signal_key() {
	own_root
	cat >root/sbin/picky <<-'END'
	#!/bin/sh
	for s in TERM INT USR1 USR2 PWR; do
		trap "echo got $s; exit 6" $s
	done
	echo up
	while :; do sleep 0.02; done
	END
	chmod 755 root/sbin/picky
	conf init=/sbin/picky stop.signal="$1"
	up
	kill "$sup"
	ends 6 "$sup"
	is 'it got' "up got ${1#SIG}" "$(tr -d '\r' <up.out | xargs)"
}
for sig in USR1 SIGPWR INT; do
	story "stop: stop.signal=$sig" stop_signal_key "$sig"
done

# stop_asked EXE POWEROFF REBOOT: the signals that an init of that name gets
stop_asked() {
	own_root
	rm -f "root/sbin/$1"
	cp "$probe" "root/sbin/$1"
	conf init="/sbin/$1 told"
	up
	verb 0 reboot "$name"
	verb 0 stop "$name"
	ends 0 "$sup"
	is 'it was told' "up $3 up $2" "$(tr -d '\r' <up.out | xargs)"
}
# "init": of sysvinit, from 3.10 on
while read -r exe poweroff reboot; do
	story "stop: signal $poweroff powers $exe off, $reboot reboots it" \
		stop_asked "$exe" "$poweroff" "$reboot"
done <<'END'
init 38 2
procd 12 15
s6-svscan 10 2
dinit 15 2
END

stop_frozen() {
	os_conf stop.timeout=1
	os_up
	verb 0 freeze "$name"
	kill "$sup"
	ends 137 "$sup"
}
story 'stop: a frozen container is killed after stop.timeout' stop_frozen

# by whom it is not crun's to know
stop_frozen_v1() {
	need_freezer
	conf stop.timeout=5
	idle
	freeze "$v1/crun-os/$name"
	kill "$sup"
	secs=3 ends 143 "$sup"
	conf stop.timeout=3
	up -- sh -c 'trap "echo told" TERM; echo up; while :; do sleep 0.05; done'
	kill "$sup"
	soon grep -q told up.out
	echo FROZEN >"$v1/crun-os/$name/freezer.state"
	secs=8 ends 137 "$sup"
}
story 'stop: its group of the v1 freezer is thawed' stop_frozen_v1

# several that cannot die, two of them below PID 1's program
stop_undying() {
	need_freezer
	conf stop.timeout=1
	up -- sh -c 'sleep 1000 & sleep 1000 & echo up; wait'
	init=$(init_of "$name")
	# shellcheck disable=SC2046 # pids are words
	freeze "$freezer" "$init" $(cat "$v2/crun-os/$name/payload/cgroup.procs")
	kill "$sup"
	soon grep -q 'did not power off in 1 s; killed' up.err
	begun=$(date +%s%3N)
	secs=15 ends 137 "$sup"
	lasts_patience
	cp up.err err
	says "^crun: $name: $v2/crun-os/$name: pid [0-9]+ \(.*\) does not die: it is frozen by another cgroup; echo THAWED >$freezer/freezer.state thaws it; left to crun clean\$"
	lines 2
	[ -e "/proc/$init/exe" ] || wrong 'it lives' 'it ended'
	verb 0 list
	prints_like "^$name +dead "
	thaw "$freezer"
	verb 0 clean
	says "^crun: $name: removed what a killed supervisor left\$"
	[ ! -e /run/crun-os ] || wrong 'no /run/crun-os' "$(ls -RA /run/crun-os)"
}
story 'stop: what cannot die is left, and told of' stop_undying

stop_stopped() {
	conf stop.timeout=1
	idle
	program=$(pgrep -P "$init")
	kill -STOP "$program"
	soon grep -q '^State:.T' "/proc/$program/status"
	kill "$sup"
	ends 137 "$sup"
}
story 'stop: a stopped program is killed after stop.timeout' stop_stopped

stop_fork_bomb() {
	conf pids=200 memory=200M
	up -- /bin/sh -c 'b() { b | b & }; echo up; b 2>/dev/null; sleep 1000'
	sleep 0.5
	kill -TERM "$sup"
	sleep 0.2
	kill -TERM "$sup" 2>/dev/null || :
	tries=0
	while [ -e "/proc/$sup/exe" ] && [ "$tries" -lt 500 ]; do
		tries=$((tries + 1))
		sleep 0.02
	done
	[ ! -e "/proc/$sup/exe" ] || wrong 'an end' none
	wait "$sup" || :
}

# where sysvinit has its FIFO: open(2) of it is put off for 45 s
stop_leased() {
	os_conf 'init=/sbin/init lease /run/initctl'
	cp --remove-destination "$probe" root/sbin/init
	background
	soon grep -q ok "/run/crun-os/$name/log"
	secs=$((5 * slow)) verb 137 stop -t 1 "$name"
	says "^crun: $name did not power off in time and was killed"
	gone
}
story 'stop: an init with a lease of what it is asked by' stop_leased

story 'stop: a fork bomb is stopped and leaves nothing' stop_fork_bomb

# with no handler, it hears nothing; the guest's own programs end it
stop_guest() {
	os_conf init=/strange stop.timeout=5
	printf '%s\n' '#!/bin/sh' 'echo up' 'while :; do sleep 1000; done' \
		>"$root/strange"
	for w in poweroff reboot; do
		rm -f "$root/sbin/$w"
		printf '#!/bin/sh\n[ ! -t 0 ] && exec busybox %s -f\n' "$w" \
			>"$root/sbin/$w"
	done
	chmod 755 "$root/strange" "$root/sbin/poweroff" "$root/sbin/reboot"
	background
	soon grep -q up "/run/crun-os/$name/log"
	verb 0 reboot "$name"
	lines 0
	verb 0 stop "$name"
	lines 0
	gone
	# a program that hangs is no reason to hang
	printf '#!/bin/sh\nsleep 1000\n' >"$root/sbin/poweroff"
	background
	verb 137 stop -t 1 "$name"
	gone
}
story 'stop: an init that nobody knows, by its own poweroff' stop_guest

# The guest's own program ends with the container, whoever is PID 1 outside.
stop_guest_unreaped() {
	os_conf init=/strange stop.timeout=5
	printf '%s\n' '#!/bin/sh' 'echo up' 'while :; do sleep 1000; done' \
		>"$root/strange"
	for w in poweroff reboot; do
		rm -f "$root/sbin/$w"
		printf '#!/bin/sh\nexec busybox %s -f\n' "$w" >"$root/sbin/$w"
	done
	chmod 755 "$root/strange" "$root/sbin/poweroff" "$root/sbin/reboot"
	want 0 unshare -p --fork --mount-proc "$probe" noreap sh -ec '
		"$1" -d -q -c c.conf
		until grep -q up "/run/crun-os/$2/log"; do :; done
		"$1" reboot "$2"
		until "$1" log "$2" | grep -c up | grep -q 2; do :; done
		exec "$1" stop "$2"' - "$crun" "$name"
	lines 0
}
story 'stop: its own poweroff, where PID 1 of the host reaps nobody' \
	stop_guest_unreaped

# told by its name, it would be another; TERM makes it reboot, and that ends it
stop_renamed() {
	os_conf init='/bin/busybox init'
	mv "$root/bin/busybox" "$root/bin/other"
	ln -s other "$root/bin/busybox"
	background --ready
	is init /bin/other "$(fact init)"
	verb 0 stop "$name"
	lines 0
	gone
}
story 'stop: a busybox by another name' stop_renamed

stop_disk_full() {
	os_conf
	mkdir small
	mounted tmpfs size=4m small
	cp -a "$root/." small
	chown -hR 500000:500000 small	# no idmapping before Linux 6.3
	root=$t/small
	conf userns=500000
	background --ready
	"$crun" exec "$name" sh -c 'cat /dev/zero >/fill' 2>err || :
	grep -q 'No space' err || wrong 'a full disk' "$(cat err)"
	verb 0 stop "$name"
	lines 0
	gone
}
story 'stop: a guest that has filled its disk' stop_disk_full

# ---- state.c: what stands in /run/crun-os, and dead supervisors ----

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
story 'state: /run/crun-os/NAME while it runs, and nothing afterwards' \
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
story 'state: a killed supervisor takes the container along' state_kill

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
story 'state: an OS of a killed supervisor starts again' state_kill_os

# whoever waits hears how it ended, and not that it was killed
state_second_life() {
	os_conf init=/sbin/once
	printf '#!/bin/sh\necho up; read -r word\nrm /sbin/once; reboot -f\n' \
		>root/sbin/once
	chmod 755 root/sbin/once
	background
	"$crun" wait "$name" >wait.out 2>wait.err &
	waiter=$!
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
story 'state: an OS that does not begin again' state_second_life

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
story 'state: an init that outlives its supervisor, and makes groups' \
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
story 'state: the ids of an init that outlives its supervisor' state_ids_kept

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
story 'state: a range of ids is looked at when it is locked' state_ids_race

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
story 'state: the range of ids is freed after a reboot too' state_ids_reboot

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
story 'state: a run-time folder without the marker is left alone' state_foreign

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
story 'state: a group without the mark is left alone' cgroup_foreign

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
story "state: beside Red Hat's crun" state_beside
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
story 'state: a start on a file system that does not answer' \
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
story 'state: the lock of the ids is held by a stopped process' \
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
story 'state: a supervisor killed at 30 moments of its start' \
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
story 'state: a supervisor killed in its system calls' state_kill_calls

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
story 'state: a start whose system calls fail' state_failing_calls

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
story 'state: a stale folder with the pid of another process' state_stale

# the one that wins waits in its program until the other has ended
state_two_starts() {
	conf
	mkfifo go over
	exec 3<>go 4<>over
	i=0
	while [ "$i" -lt "$((500 / slow))" ]; do
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
limit=120
story 'state: of two starts of a name at once, one wins' state_two_starts

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
story 'state: sixteen containers start and end at once' state_parallel

state_many() {
	conf bridge="$br" ip="$net.2/24" memory=64M pids=50
	i=0
	while [ "$i" -lt 50 ]; do
		run 0 -- true
		lines 0
		i=$((i + 1))
	done
}
story 'state: fifty starts and ends leave nothing' state_many

# of the program itself the kernel maps 64 KiB at a time, and where those begin
# is chance
is_small() {
	kb=$(awk '/^Private_(Clean|Dirty)/ { n += $2 } END { print n }' \
		"/proc/$1/smaps_rollup")
	[ "$kb" -lt 256 ]
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
story 'state: the supervisor has less than 256 KiB of its own' state_memory

state_fds() {
	conf
	idle
	ls -l "/proc/$sup/fd" >fds
	n=$(grep -c -e '->' fds)
	[ "$n" -lt 40 ] || wrong 'fewer than 40 files' "$(cat fds)"
	down
}
story 'state: the supervisor has few files open' state_fds

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
story 'state: the supervisor sleeps while nothing happens' state_idle

# ---- verbs.c, stat.c: what acts on a container by its name ----

verb_list() {
	verb 0 list
	prints 'NAME            STATE        PID      UPTIME  MEMORY IP                 ROOTFS'
	verb 0 list -q
	prints ''
	conf bridge="$br" ip="$net.2/24" ip="$net6::2/64"
	idle
	verb 0 list -q
	prints "$name"
	verb 0 list
	is lines 2 "$(wc -l <out)"
	is 'the columns' "$name running $init 00:00:0x $net.2/24 $root" \
		"$(awk 'NR == 2 { sub(/.$/, "x", $4)
			print $1, $2, $3, $4, $6, $7 }' out)"
	down
	verb 0 list -q
	prints ''
}
story 'verbs: list' verb_list

# By the controller, which v2 passes down since somebody has wanted it.
verb_memory() {
	need_cgroups
	conf memory=64M
	run 0 -- true
	conf
	idle
	[ "$(fact memory)" -gt 4096 ] || wrong 'some memory' "$(fact memory)"
	"$crun" list | awk 'NR == 2 { exit $5 !~ /^[0-9.]+[KMG]?$/ }' ||
		wrong 'its memory in the list' "$("$crun" list)"
	down
}
story 'verbs: memory is counted without a limit of it' verb_memory

# What is said of one that is not there does not keep the others from it.
verb_several() {
	conf
	file=c.conf
	for verb in stop kill freeze thaw; do
		for n in a b; do
			run 0 -d name="$name-$n" stop.timeout=5 -- sleep 1000
		done
		verb 125 "$verb" "$name-a" "$name-none" "$name-b"
		says "no container $name-none runs"
		case $verb in
		freeze)
			is frozen 2 "$("$crun" list | grep -c ' frozen ')"
			;;
		thaw)
			is running 2 "$("$crun" list | grep -c ' running ')"
			;;
		esac
		"$crun" list -q | xargs -r "$crun" kill
		soon test ! -e /run/crun-os
	done
	verb 0 list -q
	prints ''
}
story 'verbs: several names, one of which is not there' verb_several

# The files of the container must not get the numbers of what was closed.
verb_closed() {
	conf
	idle
	cat "/run/crun-os/$name/lock" >before
	for v in "stat $name" list "log $name" "exec $name true"; do
		rc=0
		# shellcheck disable=SC2086 # words
		"$crun" $v <&- >&- 2>err || rc=$?
		is "status of $v" 0 "$rc"
		lines 0
	done
	cmp before "/run/crun-os/$name/lock" || wrong 'the same lock' changed
	for v in list "stat $name" -h -V "log $name"; do
		rc=0
		# shellcheck disable=SC2086 # words
		"$crun" $v >/dev/full 2>err || rc=$?
		# the log is empty
		[ "$v" = "log $name" ] ||
			is "status of $v >/dev/full" 125 "$rc"
		[ "$rc" -eq 0 ] ||
			says 'writing to standard output: No space left'
	done
	rc=0
	"$crun" -n -c c.conf >/dev/full 2>err || rc=$?
	is 'status of -n >/dev/full' 125 "$rc"
	lines 1
	down
}
story 'verbs: closed and full standard files' verb_closed

verb_help() {
	for v in stop exec list; do
		verb 0 "$v" -h
		prints_like "^  $v "
	done
	verb 2 stop
	says '^crun: usage: crun stop'
}
story 'verbs: each has its -h' verb_help

verb_help_alone() {
	want 0 "$crun" -h
	mv out wanted
	want 0 "$crun" help
	cmp -s wanted out || wrong 'what -h prints' "$(cat out)"
}
story 'verbs: help is -h' verb_help_alone

# ISO 6429 has controls from 0x80 on too, as bytes and as U+0080 to U+009F.
verb_c1() {
	own_root
	text='a\302\23331m \233b \303\244 \342\202\254 \355\240\200\n'
	printf '#!/bin/sh\nprintf "%s"\n[ ! "$1" ] || exec sleep 1000\nexit 3\n' \
		"$text" >"$root/sbin/says"
	chmod 755 "$root/sbin/says"
	shown='a\\xc2\\x9b31m \\x9bb ä € \\xed\\xa0\\x80'
	conf
	printf 'env=A=\302\233\n' >>c.conf
	run 2 init=/sbin/says
	says 'c.conf:3: a NUL or control character'
	conf
	run 3 init=/sbin/says
	says "printed last: $shown\$"
	run 0 -d init='/sbin/says stay' stop.timeout=1
	soon test -s "/run/crun-os/$name/log"
	want 0 "$pty" -t 20 wait -- "$crun" log "$name"
	prints_like "^$shown"
	verb 0 log "$name"
	# shellcheck disable=SC2059 # as printed
	is 'the same bytes' "$(printf "$text")" "$(tr -d '\r' <out)"
	verb 0 kill "$name"
}
story 'verbs: controls of ISO 6429 are escaped' verb_c1

# Not root's, open to others, or not there but a link to elsewhere: what it
# says is not believed, and nothing in it is touched.
state_trusted() {
	conf
	mkdir -m 777 other
	for how in 'chmod 777 /run/crun-os' 'chown 65534 /run/crun-os' \
		'rm -r /run/crun-os && ln -s "$t/other" /run/crun-os' \
		"mkdir -m 777 /run/crun-os/$name" \
		"mkdir /run/crun-os/$name && chown 65534 /run/crun-os/$name"; do
		mkdir -m 700 /run/crun-os
		: >/run/crun-os/.marker
		eval "$how"
		for v in '-c c.conf -- true' "stat $name" clean; do
			# shellcheck disable=SC2086 # words
			want 125 "$crun" $v
			lines 1
			says '^crun: /run/crun-os[^ ]* must be a folder of root'
		done
		[ -L /run/crun-os ] || rmdir "/run/crun-os/$name" 2>/dev/null || :
		rm -r /run/crun-os
	done
	is 'made elsewhere' '' "$(ls -A other)"
	mkdir -m 700 /run/crun-os
	touch /run/crun-os/.marker /run/crun-os/file
	verb 0 clean
	says '/run/crun-os/file is no folder'
	rm -r /run/crun-os
}
story 'state: a run-time folder that is not root'"'"'s alone' state_trusted

verb_stat() {
	conf bridge="$br" ip="$net.2/24" ip="$net6::2/64" memory=64M pids=50 \
		hostname=guest mac=02:00:00:00:00:07 -- cpus=1
	sed -i '/^--/d' c.conf
	idle
	verb 0 stat "$name"
	lines 0
	is name "$name" "$(fact name)"
	is state running "$(fact state)"
	is pid "$init" "$(fact pid)"
	is init "$(readlink "/proc/$init/exe")" "$(fact init)"
	is rootfs "$root" "$(fact rootfs)"
	is hostname guest "$(fact hostname)"
	is ip "$net.2/24 $net6::2/64" "$(fact ip | xargs)"
	is mac 02:00:00:00:00:07 "$(fact mac)"
	is bridge "$br" "$(fact bridge)"
	is userns "$(awk '{ print $2 ":" $3 }' "/proc/$init/uid_map")" \
		"$(fact userns)"
	is memory.max 67108864 "$(fact memory.max)"
	is pids.max 50 "$(fact pids.max)"
	is pids 2 "$(fact pids)"
	is memory.oom_kills 0 "$(fact memory.oom_kills)"
	[ "$(fact uptime)" -lt "$((10 * slow))" ] ||
		wrong 'seconds since the start' "$(fact uptime)"
	[ "$(fact memory)" -gt 4096 ] || wrong 'some memory' "$(fact memory)"
	[ "$(fact memory)" -lt 67108864 ] ||
		wrong 'less than its limit' "$(fact memory)"
	ip link show "$(fact link)" >/dev/null
	for g in $(fact cgroup); do
		case $g in
		/*) [ -d "$g" ] || wrong "a folder $g" none ;;
		esac
	done
	is 'a line is KEY=VALUE' '' "$(grep -Ev '^[a-z_.]+=' out || :)"
	down
}
story 'verbs: stat says the facts' verb_stat

# between FROM TO N: fails the story where N is not
between() {
	if [ "${3:--1}" -lt "$1" ] || [ "${3:--1}" -gt "$2" ]; then
		wrong "from $1 to $2" "${3:-nothing}"
	fi
}

# against what proc_pid_stat(5) says of all that there is in it
verb_stat_cpu() {
	conf
	up -- sh -c 'echo up; while :; do :; done'
	init=$(init_of "$name")
	cmd='crun stat, cpu.usec'
	soon sh -c "[ \$('$crun' stat '$name' |
		sed -n 's/^cpu.usec=//p') -gt 200000 ]"
	verb 0 freeze "$name"
	used=$(cat "/proc/$init/stat" "/proc/$(pgrep -P "$init")/stat" |
		awk '{ n += $14 + $15 } END { print n * 10000 }')
	between "$((used - 20000))" "$((used + 200000))" "$(fact cpu.usec)"
	verb 0 kill "$name"
	ends 137 "$sup"
}
story 'verbs: stat counts processor time' verb_stat_cpu

verb_stat_peak() {
	need_cgroups
	conf memory=128M
	idle
	verb 0 exec "$name" dd if=/dev/zero of=/dev/null bs=32M count=1
	if lacks memory.peak memory.max_usage_in_bytes; then
		is memory.peak '' "$(fact memory.peak)"
		down
		skip 'this kernel keeps no peak of memory'
	fi
	cmd='crun stat, memory and memory.peak'
	between 33554432 134217728 "$(fact memory.peak)"
	between 4096 33554431 "$(fact memory)"
	down
}
story 'verbs: stat has the most memory that was in use' verb_stat_peak

# need_disk: $disk is what the story's folder is on, as MAJOR:MINOR
need_disk() {
	disk=/sys/dev/block/$(mountpoint -d "$(stat -c %m .)")
	[ -e "$disk" ] || skip "what $t is on is no disk"
	[ ! -e "$disk/partition" ] || disk=$disk/..
	disk=$(cat "$disk/dev")
}

# Where no key asks for the controller v2 does as the host.
verb_stat_io() {
	need_disk
	own_root
	conf memory=128M "$@"	# v2 knows by it whose pages are written
	idle
	if ! lacks io.max; then
		verb 0 set "$name" cgroup.io.max="$disk wbps=max"
	elif ! lacks blkio.throttle.write_bps_device; then
		# without a limit Linux 6.1 does not count
		for way in read write; do
			verb 0 set "$name" "cgroup.blkio.throttle.${way}_bps_device=$disk 1000000000000"
		done
	else
		down
		skip 'this kernel counts no input and output'
	fi
	verb 0 exec "$name" dd if=/dev/zero of=/f bs=1M count=4 conv=fsync
	cmd='crun stat, io.written'
	between 4194304 8388608 "$(fact io.written)"
	verb 0 exec "$name" dd if=/f of=/dev/null bs=1M iflag=direct
	cmd='crun stat, io.read'
	between 4194304 8388608 "$(fact io.read)"
	down
}
story 'verbs: stat counts what is read from a disk and written' verb_stat_io
story 'verbs: stat counts what is read and written, userns=none' \
	verb_stat_io userns=none

# 3 MiB at 1 MiB a second, then without a limit
verb_throttled() {
	lacks blkio.throttle.write_bps_device &&
		skip 'this host has no v1 hierarchy of blkio'
	need_disk
	own_root
	conf cgroup.blkio.throttle.write_bps_device="$disk 1048576" "$@"
	idle
	for least in 1500 0; do
		begun=$(date +%s%3N)
		verb 0 exec "$name" dd if=/dev/zero of=/f bs=1M count=3 \
			oflag=direct
		took=$(($(date +%s%3N) - begun))
		[ "$took" -ge "$least" ] || wrong "at least $least ms" "$took"
		[ "$least" -gt 0 ] || [ "$took" -lt "$((1500 * slow))" ] ||
			wrong 'no limit any more' "$took ms"
		verb 0 set "$name" \
			cgroup.blkio.throttle.write_bps_device="$disk 0"
	done
	down
}
story 'set: a limit of v1 for a disk holds, and is lifted' verb_throttled
story 'set: a limit of v1 for a disk holds, and is lifted, userns=none' \
	verb_throttled userns=none

verb_stat_kills() {
	need_cgroups
	conf memory=64M "$@"
	idle
	verb 137 exec "$name" tail /dev/zero
	is memory.oom_kills 1 "$(fact memory.oom_kills)"
	down
}
story 'verbs: stat counts kills' verb_stat_kills
story 'verbs: stat counts kills, userns=none' verb_stat_kills userns=none

# two on one processor: one waits
verb_stat_pressure() {
	need_v2
	conf
	idle
	dir=$(folder_of cpu.pressure)
	[ "$dir" ] || skip 'this kernel keeps no pressure'
	for kind in cpu memory io; do
		sed "s/^/pressure.$kind=/; s/=[0-9.]\+/=N/g" \
			"$dir/$kind.pressure"
	done >files
	"$crun" stat "$name" | grep ^pressure | sed 's/=[0-9.]\+/=N/g' >facts
	cmp files facts || wrong "$(cat files)" "$(cat facts)"
	verb 0 exec "$name" taskset 1 sh -c \
		'for i in 1 2; do timeout 0.4 sh -c "while :; do :; done" & done; wait'
	cmd='crun stat, pressure.cpu'
	soon sh -c "'$crun' stat '$name' | grep -q \
		'^pressure.cpu=some .* total=[1-9][0-9][0-9][0-9][0-9]'"
	down
}
story 'verbs: stat has the pressure that the kernel keeps' verb_stat_pressure

# a guest that names its init to drive a terminal
verb_escape() {
	esc=$(printf '\033')
	os_conf init='/bin/busybox init'
	mv "$root/bin/busybox" "$root/bin/a${esc}[2J"
	ln -s "a${esc}[2J" "$root/bin/busybox"
	os_up
	verb 0 stat "$name"
	prints_like '^init=/bin/a.x1b\[2J$'
	! grep -q "$esc" out || wrong 'no escape sequence' "$(cat -v out)"
	verb 0 kill "$name"
	ends 137 "$sup"
	verb 125 stat "x${esc}[2J"
	says 'no container x.x1b\[2J runs'
}
story 'verbs: what a guest has named is escaped' verb_escape

verb_stop() {
	os_conf bridge="$br" ip="$net.2/24"
	os_up
	verb 0 stop "$name"
	lines 0
	secs=2 ends 0 "$sup"
}
story 'verbs: stop powers off in order' verb_stop

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
story 'verbs: stop kills what does not end in time' verb_stop_deaf

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
story 'verbs: stop, and once more with a longer time-out' verb_stop_twice

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
story 'verbs: stop thaws what is frozen' verb_stop_frozen

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
story 'verbs: freeze, thaw, and kill of what is frozen' verb_freeze

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
story 'verbs: freeze, thaw and kill where no cgroup v2 is mounted' \
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
story 'verbs: kill' verb_kill

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
story 'verbs: kill, and the supervisor is stopped' verb_kill_stopped
story 'verbs: kill, and the supervisor of an OS is stopped' \
	verb_kill_stopped os
story 'verbs: kill what is frozen, and the supervisor is stopped' \
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
story 'verbs: kill, and the supervisor does not go on' verb_kill_stuck

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
story 'verbs: stop and reboot continue a supervisor that is stopped' \
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
story 'verbs: kill ends a start that hangs' verb_kill_starting

verb_console_stopped() {
	os_conf
	background --ready
	kill -STOP "$sup"
	secs=10 verb 125 console "$name"
	says "^crun: $name: its supervisor does not answer; crun kill $name"
	verb 0 kill "$name"
	gone
}
story 'verbs: console of a supervisor that is stopped' verb_console_stopped

verb_wait() {
	for how in 0 7 137; do
		conf
		up -- sh -c 'echo up; sleep 1000; exit 7'
		"$crun" wait "$name" 2>w.err &
		waiter=$!
		sleep 0.2
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
story 'verbs: wait gives the status, clean removes what is left' verb_wait

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
story 'verbs: reboot, twice, and the same facts afterwards' verb_reboot

verb_reboot_deaf() {
	conf
	up -- sh -c 'trap "" TERM; echo up; while :; do sleep 1000; done'
	verb 137 reboot -t 1 "$name"
	says "$name did not end in time and was killed"
	ends 137 "$sup"
}
story 'verbs: reboot of what does not end in time' verb_reboot_deaf

# killed while it waits: the stop goes on, and the next one works
verb_stop_killed() {
	conf
	i=0
	while [ "$i" -lt 50 ]; do
		background -- sh -c \
			'trap "sleep 0.1; exit 0" TERM; sleep 1000 & wait'
		"$crun" stop "$name" >out 2>err &
		p=$!
		sleep "$(printf '0.%04d' "$((i * 20))")"
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
story 'verbs: a stop killed at 50 moments' verb_stop_killed

# the supervisor killed while it stops
verb_supervisor_killed() {
	i=0
	conf bridge="$br" ip="$net.2/24" memory=64M
	while [ "$i" -lt 50 ]; do
		background -- sh -c \
			'trap "sleep 0.1; exit 0" TERM; sleep 1000 & wait'
		"$crun" stop "$name" >out 2>err &
		p=$!
		sleep "$(printf '0.%04d' "$((i * 30))")"
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
story 'verbs: a supervisor killed at 50 moments of its end' \
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
story 'verbs: stale folders and recycled pids are not acted on' verb_stale

# list and stat while containers come and go
verb_churn() {
	i=0
	while [ "$i" -lt 4 ]; do
		i=$((i + 1))
		(
			n=0
			while [ "$n" -lt "$((60 / slow))" ]; do
				n=$((n + 1))
				printf '%s\n' "name=$name-$i" "rootfs=$root" |
					"$crun" -c - -- true || exit 1
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
	[ "$n" -ge "$((20 / slow))" ] || wrong 'many looks' "$n"
}
story 'verbs: list and stat while containers come and go' verb_churn

# ---- detach.c, log.c, attach.c: in the background ----

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
story 'background: --ready waits for a prompt' ready_prompt

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
		sleep '"$((2 * slow))"'; echo last; sleep '"$slow"
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
	verb 0 log -f "$name"
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
story 'background: a flood of the console' log_flood

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
story 'background: console: type, resize, let go, and again' console_attach

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
story 'background: console of a frozen one, and 30 KB typed: let go of' \
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
		'expect:busybox: up' "$prompt" 'send:echo b$((40 + 2))\r' \
		expect:b42 'send:poweroff\r' 'expect:has ended' wait \
		-- "$crun" console "$name"
	gone
}
story 'background: console: through a reboot, to the end' console_reboot

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
	says "$name has no console: its program has the files of the crun that"
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
	between 900000 $((1048576 - 4096)) "$(wc -c <out)"
	verb 0 kill "$name"
	gone
}
story 'background: console and log of a flood end' console_flooded

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

# ---- exec.c: a program in a container that runs ----

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
story 'exec: (wall 6) the walls are those of the init' exec_walls

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
story 'exec: (wall 6) the walls are those of the init, userns=none' exec_same \
	userns=none
story 'exec: (wall 6) the walls are those of the init, nesting=yes' exec_same \
	nesting=yes

# The caller is in groups of its own, in every hierarchy.
exec_elsewhere() {
	conf "$@"
	idle
	verb 0 exec "$name" cat /proc/1/cgroup
	mv out init.cgroup
	awk '$3 ~ /^cgroup/ { print $2 "/crt-caller" }' /proc/mounts >groups
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
story 'exec: (wall 6) from other groups into those of the init' exec_elsewhere
story 'exec: (wall 6) from other groups into those of the init, userns=none' \
	exec_elsewhere userns=none

exec_keyring() {
	conf "$@"
	background -- sleep 1000
	keyless "$crun" exec "$name"
	verb 0 kill "$name"
	gone
}
story "exec: the caller's keys are out of reach" exec_keyring
story "exec: the caller's keys are out of reach, without a filter of calls" \
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
story 'exec: a program that the guest has stopped hears TERM and HUP' \
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
story 'exec: killed 50 times, it takes its program along' exec_killed

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
story 'exec: the end of the container ends it' exec_dies

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
story 'exec: a command that is stopped holds no container up' exec_held
story 'exec: a command that is stopped holds no container up, userns=none' \
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
story 'exec: a command that is stopped before its program runs' \
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
story 'exec: a job of a shell that a key has stopped' exec_held_job

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
story 'exec: a terminal that takes no more holds no container up' \
	exec_held_terminal
story 'exec: a terminal that takes no more holds no container up, userns=none' \
	exec_held_terminal userns=none

# how a program ends, is told whatever else the command has missed meanwhile
exec_status() {
	conf rlimit.core=1000000:1000000
	background -- sleep 1000
	n=0
	while [ "$n" -lt $((100 / slow)) ]; do
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
	while [ "$i" -lt 20 ]; do
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
story 'exec: (wall 2) a devpts that is none' exec_devpts
story 'exec: (wall 2) a devpts that is none, nesting=yes' exec_devpts nesting=yes

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
story 'exec: a guest that has frozen its init' exec_frozen_group

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
story 'exec: a program on a file system that does not answer' exec_unserved

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
story 'exec: a PID 1 that renames itself' exec_renamed

# many at once, each with its own output and status
exec_many() {
	conf
	background -- sleep 1000
	head -c "$((10 << 20))" /dev/urandom >"$root/big"
	total=$((1000 / slow / slow)) batch=20
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
story 'exec: a thousand, 10 MiB of output each' exec_many

# ---- live.c: limits while it runs ----

# file_of FILE FILE1: the text of the container's v2 or v1 file
file_of() {
	for g in $(fact cgroup); do
		cat "$g/$1" 2>/dev/null && return
	done
	for g in $(fact cgroup); do
		cat "$g/$2" 2>/dev/null && return
	done
	echo none
}

set_limits() {
	need_cgroups
	conf
	background -- sh -c 'sleep 1000 & sleep 1000 & wait'
	verb 0 set "$name" memory=64M pids=50 cpus=0.5
	lines 0
	is memory 67108864 "$(file_of memory.max memory.limit_in_bytes)"
	is pids 50 "$(file_of pids.max pids.max)"
	is cpus 50000 "$(file_of cpu.max cpu.cfs_quota_us | cut -d ' ' -f 1)"
	is 'in stat' '67108864 50' "$(fact memory.max) $(fact pids.max)"
	verb 137 exec "$name" tail /dev/zero
	verb 0 exec "$name" sh -c 'i=0; while [ $i -lt 70 ]; do
		sleep 1 & i=$((i + 1)); done 2>&1 | grep -c fork'
	verb 0 set "$name" pids= memory=128M
	is pids max "$(file_of pids.max pids.max)"
	is memory 134217728 "$(file_of memory.max memory.limit_in_bytes)"
	is 'the saved ones' 'memory=128M cpus=0.5 ' "$(sed -n \
		's/^\(memory\|pids\|cpus\)=/\1=/p' "/run/crun-os/$name/conf" |
		tr '\n' ' ')"
	verb 0 kill "$name"
	gone
}
story 'set: limits of what runs without any' set_limits

# set_key KEY=VALUE V2FILE V2TEXT [V1FILE V1TEXT]
set_key() {
	need_cgroups
	conf
	background -- sleep 1000
	cmd="crun set $1"
	rc=0
	# shellcheck disable=SC2086 # words
	"$crun" set "$name" $1 >out 2>err || rc=$?
	shift
	if [ "$rc" -eq 125 ] && lacks "$1" "${3:-none}"; then
		grep -q -e 'has no .* controller' -e 'there is no file' err ||
			wrong 'why it cannot be had' "$(cat err)"
		verb 0 kill "$name"
		gone
		skip "this host has neither $1 nor ${3:-a file of v1}"
	fi
	is status 0 "$rc"
	lines 0
	limit_is "$@"
	verb 0 kill "$name"
	gone
}
story 'set: memory' set_key memory=64M memory.max 67108864 \
	memory.limit_in_bytes 67108864
story 'set: swap' set_key 'memory=64M swap=16M' memory.swap.max 16777216 \
	memory.memsw.limit_in_bytes 83886080
story 'set: cpus' set_key cpus=1.5 cpu.max '150000 100000' \
	cpu.cfs_quota_us 150000
story 'set: cpu.weight' set_key cpu.weight=50 cpu.weight 50 cpu.shares 512
story 'set: cpuset' set_key cpuset=0 cpuset.cpus 0
story 'set: pids' set_key pids=50 pids.max 50
story 'set: io.weight' set_key io.weight=50 io.weight 'default 50' \
	blkio.bfq.weight 50
story 'set: cgroup.FILE' set_key cgroup.pids.max=49 pids.max 49
story 'set: cgroup.memory.FILE' set_key cgroup.memory.high=33554432 \
	memory.high 33554432
set_v2() {
	need_v2
	set_key "$@"
}
story 'set: cgroup.cgroup.max.depth' set_v2 cgroup.cgroup.max.depth=3 \
	cgroup.max.depth 3

# whom it concerns: the processes that are there, down to one and back
set_cpuset() {
	need_cgroups
	conf "$@"
	background -- sleep 1000
	may=$(sed -n 's/^Cpus_allowed_list:.//p' "/proc/$init/status")
	for cpus in 0 ''; do
		verb 0 set "$name" cpuset="$cpus"
		is 'it may run on' "${cpus:-$may}" "$(sed -n \
			's/^Cpus_allowed_list:.//p' "/proc/$init/status")"
	done
	verb 0 kill "$name"
	gone
}
story 'set: cpuset, of what runs' set_cpuset
story 'set: cpuset, of what runs, userns=none' set_cpuset userns=none

set_all_or_none() {
	need_cgroups
	conf memory=64M pids=50
	background -- sleep 1000
	cp "/run/crun-os/$name/conf" before
	verb 125 set "$name" pids=60 memory=96M cpuset=999
	says 'cpuset=999: not a value that cpuset.cpus of this host takes; nothing was changed'
	lines 1
	is memory 67108864 "$(file_of memory.max memory.limit_in_bytes)"
	is pids 50 "$(file_of pids.max pids.max)"
	cmp before "/run/crun-os/$name/conf"
	verb 2 set "$name" pids=60 memory=1K
	says 'memory=1K: must be at least'
	verb 2 set "$name" pids=60 hostname=x
	says 'hostname cannot be changed while it runs'
	verb 2 set "$name" pids=60 pids=
	says '^crun: command line: pids is set twice$'
	verb 2 set "$name" pids=60 nosuch=1
	says 'unknown key nosuch'
	verb 2 set "$name" pids=60 cgroup.pids.max=
	says 'cannot be unset while it runs'
	verb 2 set "$name" pids
	says 'is not KEY=VALUE'
	verb 2 set "$name"
	says 'usage: crun set'
	verb 125 set "$name" cgroup.pids.nosuch=1
	says 'there is no file pids.nosuch'
	is pids 50 "$(file_of pids.max pids.max)"
	cmp before "/run/crun-os/$name/conf"
	verb 0 kill "$name"
	gone
}
story 'set: all or nothing' set_all_or_none

# A limit for one device, of which the file has none before.
set_device_or_none() {
	need_disk
	conf pids=50
	background -- sleep 1000
	if ! lacks io.max; then
		file=io.max
		limit="$disk wbps=1048576"
	elif ! lacks blkio.throttle.write_bps_device; then
		file=blkio.throttle.write_bps_device
		limit="$disk 1048576"
	else
		verb 0 kill "$name"
		skip 'this kernel has no limits of disks'
	fi
	verb 0 set "$name" "cgroup.$file=$limit"
	is 'it can be set' "$limit" \
		"$(file_of "$file" "$file" | sed 's/ r[a-z]*=max//g; s/ wiops=max//')"
	verb 0 set "$name" "cgroup.$file=$(echo "$limit" |
		sed 's/ wbps=.*/ wbps=max/; s/ 1048576/ 0/')"
	is 'and lifted' '' "$(file_of "$file" "$file")"
	cp "/run/crun-os/$name/conf" before
	verb 125 set "$name" "cgroup.$file=$limit" cpuset=999
	says 'cpuset=999: .*; nothing was changed'
	is "$file" '' "$(file_of "$file" "$file")"
	cmp before "/run/crun-os/$name/conf"
	verb 0 kill "$name"
	gone
}
story 'set: all or nothing, of a limit for one disk' set_device_or_none

set_reboot() {
	need_cgroups
	os_conf
	background --ready
	verb 0 set "$name" memory=64M
	verb 0 reboot "$name"
	is memory 67108864 "$(file_of memory.max memory.limit_in_bytes)"
	verb 0 set "$name" pids=70
	verb 0 stop "$name"
	gone
}
story 'set: what was set holds after a reboot' set_reboot

# ext4 uses the number of an inode again at once
set_reboot_disk() {
	need_cgroups
	need mke2fs
	truncate -s 16M image
	mke2fs -q -t ext4 image
	mkdir disk
	mount -o loop image disk
	echo "$t/disk" >>mounted
	mkdir disk/run
	mount --bind disk/run /run
	echo /run >>mounted
	os_conf pids=100
	background --ready
	verb 0 set "$name" pids=50
	verb 0 set "$name" pids=60
	verb 0 reboot "$name"
	is pids.max 60 "$(file_of pids.max pids.max)"
	verb 0 stop "$name"
	gone
}
story 'set: what was set twice holds after a reboot, with /run on a disk' \
	set_reboot_disk

# more and less than before, where v1 wants one before the other
set_swap() {
	need_cgroups
	conf memory=64M swap=0
	"$crun" -d -c c.conf -- sleep 1000 2>err ||
		skip 'this kernel counts no swap'
	sup=$(sed -n '2s/ .*//p' "/run/crun-os/$name/pid")
	for m in 256 32 128; do
		verb 0 set "$name" memory="${m}M"
		is memory "$((m << 20))" \
			"$(file_of memory.max memory.limit_in_bytes)"
		case $(file_of memory.swap.max memory.memsw.limit_in_bytes) in
		0 | "$((m << 20))") ;;
		*) wrong 'no swap' "$(file_of memory.swap.max \
			memory.memsw.limit_in_bytes)" ;;
		esac
	done
	verb 0 kill "$name"
	gone
}
story 'set: memory and swap, up and down' set_swap

set_killed() {
	need strace
	need_cgroups
	conf
	for n in 1 2 3 4 5 6 8 10 12; do
		background -- sleep 1000
		timeout 10 strace -qq -o /dev/null -e \
			"inject=write:signal=KILL:when=$n" \
			"$crun" set "$name" memory=64M pids=50 >out 2>err || :
		verb 0 set "$name" pids=40
		is pids 40 "$(file_of pids.max pids.max)"
		verb 0 kill "$name"
		gone
	done
}
story 'set: killed in the middle, the next one works' set_killed

# ---- conf.c: what was saved, and is not understood ----

# damage HOW [NAME]: what is saved of the container becomes as another version
# of crun, a hand or a full disk may leave it; $why is what is said of it then
damage() {
	saved=/run/crun-os/${2:-$name}/conf
	sed -i '1s/[0-9]*$/99/' "$saved"	# its generation
	case $1 in
	key)
		{ cat "$saved" && echo landlock=yes; } >"$saved.new"
		why="$saved:$(wc -l <"$saved.new"): unknown key landlock"
		;;
	value)
		sed 's/^memory=.*/memory=lots/' "$saved" >"$saved.new"
		why="$saved:[0-9]+: memory=lots: must be bytes"
		;;
	half)
		head -c "$(($(wc -c <"$saved") / 2))" "$saved" >"$saved.new"
		why="$saved: not whole"
		;;
	empty)
		: >"$saved.new"
		why="$saved: empty"
		;;
	missing)
		rm "$saved"
		why="$saved: No such file"
		return
		;;
	esac
	mv "$saved.new" "$saved"
}

# waited VERB: what the command and the supervisor say, once each
waited() {
	lines 1
	says "^crun: $why"
	cp up.err err
	cmd="$1, the supervisor"
	lines 1
	says "^crun: .*$why"
}

saved_list() {
	conf bridge="$br" ip="$net.2/24" memory=64M
	idle
	printf '%s\n' "name=$name-b" "rootfs=$root" >b.conf
	want 0 "$crun" -d -c b.conf -- sleep 1000
	damage "$1"
	of_it="$net.2/24 $root"
	of_stat="$root $net.2/24 $br"
	case $1 in half | empty | missing) of_it='- -' of_stat='' ;; esac
	verb 0 list
	is 'both, and what is known' "$name running $init $of_it $name-b $root" \
		"$(awk 'NR == 2 { print $1, $2, $3, $6, $7 }
			NR == 3 { print $1, $7 }' out | xargs)"
	lines 1
	says "^crun: $why"
	verb 0 list -q
	lines 0
	is names "$name $name-b" "$(xargs <out)"
	verb 0 stat "$name"
	lines 1
	says "^crun: $why"
	is 'what stat knows' "$of_stat" "$(sed -n \
		's/^\(rootfs\|ip\|bridge\)=//p' out | xargs)"
	is 'what the kernel counts' 67108864 "$(sed -n 's/^memory.max=//p' out)"
	verb 0 kill "$name-b"
	down
}

# Each file has faults of its own.
saved_two() {
	conf
	for n in a b; do
		run 0 -d name="$name-$n" memory=64M -- sleep 1000
	done
	damage value "$name-a"
	a=$why
	damage key "$name-b"
	verb 0 list
	lines 2
	says "^crun: $a"
	says "^crun: $why"
	is names "$name-a $name-b" "$(awk 'NR > 1 { print $1 }' out | xargs)"
	verb 0 stop "$name-a" "$name-b"
	lines 2
}

# An address of another kind, a hardware address and a host name.
saved_unknown_values() {
	conf bridge="$br" ip="$net.2/24"
	idle
	saved=/run/crun-os/$name/conf
	sed 's/^ip=.*/ip=auto/; s/^mac=.*/mac=02:03:auto/
		s/^#hostname=.*/hostname=?/' "$saved" >"$saved.new"
	mv "$saved.new" "$saved"
	verb 0 list
	lines 3
	is 'in the list' "$name - $root" \
		"$(awk 'NR > 1 { print $1, $6, $7 }' out)"
	verb 0 stat "$name"
	lines 3
	is 'in stat' "hostname= bridge=$br mac=" \
		"$(grep -e ^hostname= -e ^ip= -e ^bridge= -e ^mac= out | xargs)"
	down
}

saved_stop() {
	need_cgroups
	conf memory=64M
	idle
	damage "$1"
	verb 0 stop "$name"
	waited stop
	ends 143 "$sup"
}

saved_end() {
	need_cgroups
	conf bridge="$br" memory=64M
	idle
	damage "$1"
	kill -TERM "$sup"
	ends 143 "$sup"
	cp up.err err
	lines 1
	says "^crun: .*$why"
	is 'groups left' '' "$(folder_of .)"
	[ ! -e /run/crun-os ] || wrong 'no folder' "$(ls -RA /run/crun-os)"
}

# With the configuration that it had, which is then there again.
saved_reboot() {
	need_cgroups
	conf memory=64M
	idle
	tail -n +2 "/run/crun-os/$name/conf" >before
	damage "$1"
	verb 0 reboot "$name"
	waited reboot
	tail -n +2 "/run/crun-os/$name/conf" | cmp before
	is memory 67108864 "$(file_of memory.max memory.limit_in_bytes)"
	verb 0 exec "$name" true
	lines 0
	down
	is 'what the supervisor says' 1 "$(wc -l <up.err)"
}

# What crun set of another version has changed, beside its own keys.
saved_reboot_set() {
	need_cgroups
	conf memory=64M
	idle
	damage key
	sed 's/^memory=.*/memory=32M/' "$saved" >"$saved.new"
	mv "$saved.new" "$saved"
	verb 0 reboot "$name"
	waited reboot
	is memory 33554432 "$(file_of memory.max memory.limit_in_bytes)"
	down
}

# A value that is replaced needs not be understood.
saved_mended() {
	need_cgroups
	conf memory=64M
	idle
	damage value
	verb 0 set "$name" memory=32M
	lines 0
	is memory 33554432 "$(file_of memory.max memory.limit_in_bytes)"
	verb 0 exec "$name" true
	lines 0
	down
}

# Of another container's name: its folder is not ours to remove.
saved_name() {
	need_cgroups
	conf
	run 0 -d name="$name-b" -- sleep 1000
	idle
	saved=/run/crun-os/$name/conf
	sed "s/^name=.*/name=$name-b/" "$saved" >"$saved.new"
	mv "$saved.new" "$saved"
	verb 0 list
	says "$saved:2: name=$name-b: must be $name\$"
	verb 125 exec "$name" true
	kill -TERM "$sup"
	ends 143 "$sup"
	verb 0 list -q
	prints "$name-b"
	verb 0 kill "$name-b"
}

# Neither a program with less than the init's walls, nor a key that is lost.
saved_refused() {
	need_cgroups
	conf memory=64M pids=50
	idle
	damage "$1"
	cp "/run/crun-os/$name/conf" before 2>/dev/null || :
	verb 125 exec "$name" echo ran
	prints ''
	lines 1
	says "^crun: $name: no program is run with less protection than the init may have: $why.*; "
	verb 125 set "$name" pids=60
	lines 1
	says "^crun: $name: nothing is changed: $why.*; "
	case $1 in
	key | value) says "; the crun that started $name understands it\$" ;;
	*) says "; crun reboot $name writes it anew\$" ;;
	esac
	is pids 50 "$(file_of pids.max pids.max)"
	[ ! -e before ] || cmp before "/run/crun-os/$name/conf"
	[ -e before ] || [ ! -e "/run/crun-os/$name/conf" ]
	down
}

# Those that need nothing of it; and what a killed supervisor leaves.
saved_others() {
	need_cgroups
	conf memory=64M bridge="$br"
	background -- sh -c 'echo up; exec sleep 1000'
	damage "$1"
	for v in freeze thaw log; do
		verb 0 "$v" "$name"
		lines 0
	done
	want 0 "$pty" expect:up 'send:\x1d\x1d\x1d' wait -- \
		"$crun" console "$name"
	"$crun" wait "$name" >wait.out 2>wait.err &
	waiter=$!
	verb 0 kill -s TERM "$name"
	lines 0
	ends 143 "$waiter"
	is 'what crun wait says' '' "$(cat wait.err)"
	gone
	idle
	damage "$1"
	kill -KILL "$sup"
	soon test ! -e "/proc/$init"
	ends 137 "$sup"
	verb 0 list
	is state dead "$(awk 'NR > 1 { print $2 }' out)"
	verb 0 clean
	says "^crun: $name: removed what a killed supervisor left\$"
	lines 1
}

for how in key value half empty missing; do
	story "saved: list and stat, $how" saved_list "$how"
	story "saved: stop, $how" saved_stop "$how"
	story "saved: the end of the container, $how" saved_end "$how"
	story "saved: reboot, $how" saved_reboot "$how"
	story "saved: exec and set, $how" saved_refused "$how"
	story "saved: all other verbs, $how" saved_others "$how"
done
story 'saved: list and stop of two with faults of their own' saved_two
story 'saved: values that list and stat show' saved_unknown_values
story 'saved: a reboot takes what is understood' saved_reboot_set
story 'saved: set mends a value that it replaces' saved_mended
story 'saved: the name of another' saved_name

# For as long as the supervisor, which knows its own.
saved_slow() {
	conf stop.timeout=30
	up -- sh -c 'trap "sleep 16; exit 5" TERM; echo up
		while :; do sleep 0.1; done'
	damage missing
	secs=40
	verb 0 stop "$name"
	ends 5 "$sup"
}
story 'saved: stop waits for the default of stop.timeout' saved_slow
# Where a group of the container is not to be seen, nothing is run, set or
# frozen; what is there is shown, and the end needs none of it.
exec_unseen() {
	conf memory=64M
	background -- sleep 1000
	group=$(sed -n 's/^cgroup \(\/.*\)/\1/p' "/run/crun-os/$name/host" |
		grep -e memory -e unified -e '/crun-os' | sort | grep -m 1 . ||
		skip 'no group of the host')
	dir=${group%/crun-os/*}
	unseen() {
		s=$1
		shift
		want "$s" unshare -m sh -c 'umount -l "$1"; shift; exec "$@"' - \
			"$dir" "$crun" "$@"
	}
	for words in "exec $name echo ran" "set $name memory=32M" \
		"freeze $name" "thaw $name"; do
		# shellcheck disable=SC2086 # words
		unseen 125 $words
		prints ''
		says "^crun: $name: opening cgroup $group, which must be mounted where crun is called: No such file"
		lines 1
	done
	is memory 67108864 "$(file_of memory.max memory.limit_in_bytes)"
	is state running "$(fact state)"
	unseen 0 list
	prints_like "^$name "
	unseen 0 stat "$name"
	prints_like '^state=running'
	unseen 0 stop -t 5 "$name"
	gone
}
story 'exec: (wall 6) a group that is not mounted where it is called' exec_unseen

# failing 'CALL:LAST[:STEP[:ERRNO]] ...' COMMAND: calls COMMAND with $what, what
# strace is told, for each of these calls, from the first to the LAST or
# FIRST-LAST, every STEP-th
failing() {
	[ ! "${CRUN_IN_VM:-}" ] || skip 'each call fails on the machine itself'
	for row in $1; do
		call=${row%%:*}
		rest=${row#*:}:::
		last=${rest%%:*}
		rest=${rest#*:}
		each=${rest%%:*}
		rest=${rest#*:}
		errno=${rest%%:*}
		n=1
		[ "$last" = "${last#*-}" ] || n=${last%-*}
		while [ "$n" -le "${last#*-}" ]; do
			what="$call:error=${errno:-ENOMEM}:when=$n"
			"$2"
			n=$((n + ${each:-1}))
		done
	done
}

# hindered VERB ARG...: crun with $what; its status is in rc.  It must end, and say
# no more than a line, for which the first write(2) of the command is needed
hindered() {
	cmd="crun $* with $what"
	rc=0
	timeout "$((12 * slow))" strace -f -b execve -qq -o trace \
		-e "inject=$what" "$crun" "$@" >out 2>err </dev/null || rc=$?
	[ "$rc" -ne 124 ] || wrong 'an end' none
	case $rc in
	0) ;;
	2 | 12[567] | 137) says '^crun: ' && lines 1 ;;
	*) wrong 'status 0 or 125' "$rc" ;;
	esac
}

exec_fails() {
	hindered exec "$name" sh -c "$see"
	tried=$((tried + 1))
	if [ -s out ]; then
		cmp -s out all || wrong 'all walls' "$(diff all out)"
	else
		[ "$rc" -ne 0 ] || wrong 'it ran, or said why not' "$rc"
		refused=$((refused + 1))
	fi
}

# Each call of crun exec is made to fail, one after the other: either nothing
# is run, with a line that says why, or all walls stand.
exec_failing() {
	need strace
	conf memory=64M rlimit.nofile=100:200 "$@"
	background -- sleep 1000
	see='cd /proc/self; cat cgroup uid_map limits; stat -c %N ns/*
		grep -E "^(Cap|NoNewPrivs|Seccomp|Groups|Uid|Gid|Umask)" status'
	verb 0 exec "$name" sh -c "$see"
	cp out all
	tried=0 refused=0
	failing 'openat:44 open:16 read:20:2 write:2-12 fcntl:20:4
		fstat:16:3 stat:3 lstat:2 prlimit64:16:3 setns:1 clone3:1
		socketpair:1 setgroups:2 setresuid:2 setresgid:2 keyctl:1
		setsid:2 dup3:1 close_range:1 prctl:30:2 seccomp:1 capget:2
		capset:1 sendto:2 recvmsg:2 sendmsg:1 recvfrom:1 poll:3
		pidfd_open:2 waitid:3 rt_sigprocmask:3
		rt_sigaction:3 signalfd4:1 mmap:6 brk:3 ioctl:3 pread64:1' \
		exec_fails
	echo "# $refused of $tried refused" >&2
	[ "$refused" -gt $((tried / 3)) ] || wrong 'more that are refused' \
		"$refused of $tried"
	verb 0 exec "$name" true
	lines 0
	is 'processes left' 2 "$(fact pids)"
	verb 0 kill "$name"
	gone
}
limit=240
story 'exec: (wall 17) each of its calls fails' exec_failing

# in_force: the limits that hold, and the saved configuration
in_force() {
	file_of memory.max memory.limit_in_bytes
	file_of pids.max pids.max
	grep -v '^# generation' "/run/crun-os/$name/conf"
}

set_fails() {
	hindered set "$name" pids=60 memory=96M
	in_force >now
	if [ "$rc" -ne 0 ]; then
		cmp -s before now || wrong 'nothing is changed' \
			"$(diff before now)"
	else
		cmp -s after now || wrong 'all is changed' "$(diff after now)"
		verb 0 set "$name" pids=50 memory=64M
	fi
}

# Each call of crun set is made to fail, one after the other.
set_failing() {
	need strace
	need_cgroups
	conf memory=64M pids=50
	background -- sleep 1000
	verb 0 set "$name" pids=60 memory=96M
	in_force >after
	verb 0 set "$name" pids=50 memory=64M
	in_force >before
	failing 'openat:40 open:16:2 read:20:2 write:2-6 writev:2 renameat:1 fcntl:8:2
		newfstatat:8 fstat:12:4 flock:1 mmap:6 brk:2
		pidfd_open:2' set_fails
	verb 0 kill "$name"
	gone
}
limit=240
story 'set: all or nothing, where a call fails' set_failing

freeze_fails() {
	hindered "$does" "$name"
	[ "$rc" -ne 0 ] || is 'state by its status' "$now" "$(fact state)"
	"$crun" "$undoes" "$name" 2>err || wrong 'status 0' "$(cat err)"
}

# Likewise crun freeze and crun thaw: what succeeds is so.
freeze_failing() {
	need strace
	need_cgroups
	conf
	background -- sleep 1000
	calls='openat:36:2 open:16:4 read:10:2 write:1 pread64:2 poll:2 fcntl:6:2
		pidfd_open:2 mmap:4'
	does=freeze undoes=thaw now=frozen
	failing "$calls" freeze_fails
	verb 0 freeze "$name"
	does=thaw undoes=freeze now=running
	failing "$calls" freeze_fails
	verb 0 kill "$name"
	gone
}
limit=240
story 'verbs: freeze and thaw, where a call fails' freeze_failing

# what a verb has left is gone after the next one
next_ends() {
	"$crun" kill "$name" >out 2>err || says "no container $name runs"
	gone
	want 0 "$crun" clean
	[ ! -e /run/crun-os ] || wrong 'no /run/crun-os' "$(ls -RA /run/crun-os)"
}

end_fails() {
	background -- sleep 1000
	# shellcheck disable=SC2086 # words
	hindered $does "$name"
	next_ends
}

verbs_failing() {
	need strace
	conf
	calls='open:4 openat:4 read:7:2 fcntl:5:2 poll:2 pidfd_open:2
		pidfd_send_signal:1 mmap:4:2 lstat:2'
	does='stop -t 2'
	failing "$calls" end_fails
	does='reboot -t 2'
	failing "$calls inotify_init1:1" end_fails
}
limit=240
story 'verbs: stop and reboot, where a call fails' verbs_failing

clean_fails() {
	background -- sleep 1000
	kill -KILL "$sup"
	soon test ! -e "/proc/$sup/exe"
	hindered clean
	want 0 "$crun" clean
	gone
}

clean_failing() {
	need strace
	conf memory=64M bridge="$br"
	failing 'openat:40:3 open:20:4 read:8:3 write:3 unlinkat:20:4 rmdir:2
		fcntl:6:2 sendto:1 socket:1 lstat:2 poll:1 getdents64:3 mmap:3' \
		clean_fails
}
limit=240
story 'verbs: clean, where a call fails' clean_failing

# ---- operating systems ----

# os TREE LOGIN: boots a copy of the tree on a terminal, twice, and ends it
boot_os() {
	copy_tree "$1"
	conf bridge="$br" ip="$net.2/24" gateway="$net.1" hostname=guest \
		memory=1G pids=2000
	if [ "$2" ]; then
		login='expect:login:'
		user='send:root\r'
	else
		login='expect:/ #' user='send:\r'
	fi
	set -- "$login" "$user" 'expect:# ' \
		'send:stty cols 200; PS1="# "\r' 'expect:# ' "run:sleep 0.3" \
		"send:ping -c 1 -W 3 $net.1\\r" 'expect: 0% packet loss' \
		'send:ip addr show eth0 | grep inet; hostname\r' \
		"expect:inet $net.2/24" 'expect:^guest' \
		'send:cat /proc/1/comm; echo is PID $((0 + 1))\r' \
		'expect:is PID 1' \
		'send:ls -d /run/systemd/system && systemctl is-system-running --wait; systemctl --failed --no-legend --plain | sed s/^/FAIL""ED-/; echo checked $((1 + 1))\r' \
		'expect:checked 2' \
		'send:touch /first /run/first; reboot\r' \
		"$login" "$user" 'expect:# ' 'run:sleep 0.3' \
		'send:ls /first /run/first; ip addr show eth0 | grep inet\r' \
		"expect:inet $net.2/24" 'send:poweroff\r'
	want 0 "$pty" -t "$((100 * slow))" "$@" -- "$crun" -c c.conf
	is 'failed units' '' "$(grep -a -o 'FAILED-[^ ]*' out || :)"
	is 'files of the second boot' /first "$(tr -d '\r' <out |
		grep -a -o -e '^/first' -e '^/run/first' | xargs)"
	lines 0
}

copy_tree() {
	from=${CRUN_CACHE:-/var/cache/crun-test}/trees/$1
	[ -d "$from" ] || skip "the tree $1 could not be made"
	cp -a --reflink=auto "$from" os
	root=$t/os
}

secs=110
for os in bookworm trixie sid bullseye sysvinit openrc runit finit; do
	limit=150
	story "os: $os boots, reboots and powers off" boot_os "$os" login
done
story 'os: busybox boots, reboots and powers off' boot_os busybox ''
secs=

# as an operator would: TERM to the supervisor
os_term() {
	copy_tree "$1"
	conf stop.timeout="$((60 * slow))"
	"$crun" -c c.conf >up.out 2>up.err </dev/null &
	sup=$!
	cmd="$crun -c c.conf"
	echo "$sup" >>kids
	tries=0
	until grep -q 'login:' up.out; do
		tries=$((tries + 1))
		[ "$tries" -lt "$((600 * slow))" ] || wrong 'a login within 60 s' ''
		sleep 0.1
	done
	kill "$sup"
	secs=60 ends 0 "$sup"
	is 'standard error' '' "$(cat up.err)"
}
for os in trixie sysvinit openrc runit finit; do
	limit=150
	story "os: TERM powers $os off in order" os_term "$os"
done

# live_os TREE PROMPT: in the background, by verbs alone
live_os() {
	copy_tree "$1"
	prompt=$2
	conf bridge="$br" ip="$net.2/24" gateway="$net.1" hostname=guest \
		stop.timeout="$((60 * slow))"
	secs=100 run 0 -d --ready="$((90 * slow))"
	sup=$(sed -n '2s/ .*//p' "/run/crun-os/$name/pid")
	echo "$sup" >>kids
	up_times 1
	verb 0 list
	prints_like "^$name +running +[0-9]+ .* $net.2/24 +$root\$"
	verb 0 exec "$name" sh -c "hostname; ping -c 1 -W 3 $net.1"
	prints_like '^guest'
	prints_like ' 0% packet loss'
	want 0 "$pty" -t "$((20 * slow))" 'send:tty; stty size\r' \
		'expect:/dev/pts/[0-9]' 'expect:24 80' 'send:exit\r' wait -- \
		"$crun" exec "$name" sh
	lasting >before
	secs=100 verb 0 reboot "$name"
	lines 0
	up_times 2
	lasting | diff before - >differs || wrong 'the same facts' \
		"$(cat differs)"
	timeout "$((20 * slow))" "$crun" exec "$name" reboot >out 2>err || :
	up_times 3
	lasting | diff before - >differs || wrong 'the same facts' \
		"$(cat differs)"
	secs=100 verb 0 stop "$name"
	lines 0
	gone
}

# what a reboot leaves as it is
lasting() {
	"$crun" stat "$name" | grep -E '^(name|rootfs|hostname|ip|mac|bridge|userns|link|cgroup)='
}

# up_times N: the prompt has come so often on the console
up_times() {
	tries=0
	until [ "$("$crun" log "$name" 2>/dev/null |
		grep -a -c "$prompt")" -ge "$1" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt "$((900 * slow))" ] ||
			wrong "$prompt for the ${1}th time" \
				"$("$crun" log "$name" | tail -n 20)"
		sleep 0.1
	done
}
for os in bookworm trixie sid sysvinit openrc runit finit; do
	limit=250
	story "live: $os in the background: list, exec, reboot, stop" \
		live_os "$os" login:
done
limit=100
story 'live: busybox in the background: list, exec, reboot, stop' \
	live_os busybox '/ # '

# a person at a terminal: log in, a full-screen program, resize, let go, come
# back, log out
live_session() {
	copy_tree bookworm
	conf hostname=guest
	secs=100 run 0 -d --ready="$((90 * slow))"
	sup=$(sed -n '2s/ .*//p' "/run/crun-os/$name/pid")
	echo "$sup" >>kids
	secs=90
	want 0 "$pty" -t "$((60 * slow))" 'expect:login:' 'send:root\r' \
		'expect:# ' raw 'send:PS1="# "; stty size\r' 'expect:24 80' \
		'send:top\r' 'expect:load average' \
		'expect:PID USER' size:40x120 'run:sleep 1' 'send:q' 'expect:# ' \
		'send:stty size\r' 'expect:40 120' 'send:top\r' \
		'expect:load average' 'send:\x1d\x1d\x1d' 'expect:it runs on' \
		wait -- "$crun" console "$name"
	# top is still there; its next screen is drawn anew
	want 0 "$pty" -t "$((60 * slow))" size:30x100 'expect:load average' \
		'send:q' 'expect:# ' 'send:stty size\r' 'expect:30 100' \
		'send:logout\r' 'expect:login:' 'send:\x1d\x1d\x1d' wait -- \
		"$crun" console "$name"
	verb 0 stop "$name"
	secs=
	gone
}
limit=250
story 'live: a session at a terminal: log in, top, resize, let go, log out' \
	live_session

# The init of busybox waits in sigtimedwait(2), which hides what it takes.
live_signal() {
	copy_tree busybox
	conf stop.signal=USR2 reboot.signal=TERM stop.timeout=20
	run 0 -q -d --ready
	sup=$(sed -n 2p "/run/crun-os/$name/pid" | cut -d ' ' -f 1)
	verb 0 reboot "$name"
	secs=60 verb 0 stop "$name"
	gone
}
secs=60
story 'live: stop.signal and reboot.signal for busybox' live_signal
secs=

# Its getty, which is idle for 5 s at most, has printed the prompt by then.
live_ready() {
	copy_tree bookworm
	printf '%s\n' '[Service]' Type=oneshot 'ExecStart=/bin/sleep 8' \
		>os/etc/systemd/system/slow.service
	ln -s ../slow.service os/etc/systemd/system/multi-user.target.wants/
	conf
	secs=100 run 0 -q -d --ready="$((90 * slow))"
	sup=$(sed -n 2p "/run/crun-os/$name/pid" | cut -d ' ' -f 1)
	verb 0 exec "$name" systemctl is-system-running
	prints running
	secs=100 verb 0 stop "$name"
	gone
}
limit=250
story 'live: ready when systemd says so, not at its prompt' live_ready

live_many() {
	want 0 env SCALE_ROUNDS=1 sh "$here/test/scale" "$((20 / slow))"
	sed 's/^/# /' out
}
secs=120 limit=200
story 'live: twenty started, listed, entered and stopped at once' live_many
secs=

# what a service of systemd asks for, in a container that is itself allowed to
os_sandboxes() {
	copy_tree bookworm
	conf nesting=yes stop.timeout="$((60 * slow))"
	secs=100 run 0 -q -d --ready="$((90 * slow))"
	sup=$(sed -n 2p "/run/crun-os/$name/pid" | cut -d ' ' -f 1)
	for with in PrivateTmp=yes ProtectSystem=strict PrivateDevices=yes \
		DynamicUser=yes PrivateNetwork=yes ProtectHome=yes \
		ProtectKernelTunables=yes ProtectControlGroups=yes \
		PrivateUsers=yes NoNewPrivileges=yes MemoryDenyWriteExecute=yes \
		SystemCallFilter=@system-service; do
		verb 0 exec "$name" systemd-run -q --wait --pipe -p "$with" \
			sh -c 'echo ran'
		prints ran
	done
	verb 0 exec "$name" unshare -Urmpf --mount-proc sh -c \
		'mount -t tmpfs none /mnt && id -u && ls -d /proc/1'
	is 'in a namespace' '0 /proc/1' "$(xargs <out)"
	secs=100 verb 0 stop "$name"
	gone
}
limit=250
story 'os: bookworm runs services with sandboxes, nesting=yes' os_sandboxes

# guest WHAT SHELL-COMMAND: it ends with 0 in the container and prints WHAT
guest() {
	secs=$((60 * slow)) verb 0 exec "$name" sh -c "$2"
	grep -qxF -e "$1" out || wrong "from $2: $1" "$(cat out err)"
}

install_in_guest() {
	secs=$((240 * slow)) verb 0 exec -e DEBIAN_FRONTEND=noninteractive \
		"$name" sh -c "apt-get -q -y install $1/*.deb"
}

guest_begins() {
	copy_tree guest
	conf bridge="$br" ip="$net.2/24" gateway="$net.1" memory=2G pids=2000 \
		stop.timeout="$((60 * slow))" device=/dev/fuse "$@"
	[ -c /dev/fuse ] || skip 'this kernel has no /dev/fuse'
	secs=$((100 * slow)) run 0 -q -d --ready="$((90 * slow))"
	sup=$(sed -n 2p "/run/crun-os/$name/pid" | cut -d ' ' -f 1)
}

guest_ends() {
	is 'failed units' '' "$("$crun" exec "$name" systemctl --failed \
		--no-legend --plain)"
	secs=100 verb 0 stop "$name"
	gone
}

# What is done every day in an OS with the walls as they are by default.
os_packages() {
	guest_begins
	install_in_guest /root/debs
	for unit in nginx postgresql@15-main ssh; do
		guest active "systemctl is-active $unit"
	done
	busybox wget -q -O - "http://$net.2/" >page
	grep -q 'Welcome to nginx' page || wrong 'a page' "$(cat page)"
	guest 42 'su postgres -c "psql -tAc \"select 6 * 7\""'
	guest in 'mkdir -p -m 700 ~/.ssh; ssh-keygen -q -N "" -f ~/.ssh/id_rsa
		cp ~/.ssh/id_rsa.pub ~/.ssh/authorized_keys
		ssh -o StrictHostKeyChecking=no localhost echo in'
	guest 1000 'useradd -m -s /bin/sh user; su user -c "id -u"'
	guest 0 'echo "user ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/user
		su - user -c "sudo id -u"'
	guest '1 packets transmitted, 1 received, 0% packet loss, time 0ms' \
		"su - user -c 'ping -c 1 -W 5 $net.1'"
	guest '1 packet captured' "tcpdump -c 1 -i eth0 icmp 2>&1 &
		until ! ping -c 1 -W 1 $net.1 >/dev/null || ! kill -0 \$!
		do :; done; wait"
	guest 1 'su - user -c "strace -o t true; grep -c execve t"'
	su='su - user -c'
	guest 'exited normally' "$su 'gdb -batch -ex run /bin/true' |
		sed 's/.*exited/exited/; s/]//'"
	# udev's rule, which not every host has applied to its own
	guest guest "chmod 666 /dev/fuse
		$su 'mkdir m; bindfs --no-allow-other /etc m; cat m/hostname' &&
		$su 'fusermount3 -u m'"
	# the limits, and what stays the host's
	guest 0::/init.scope 'grep ^0:: /proc/self/cgroup'
	guest refused 'for f in /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max
		do ! test -e $f || ! echo max >$f || exit 9; done
		! mknod /tmp/disk b 8 0 || exit 9
		! mount -t ext4 /dev/vda /mnt || exit 9
		! echo h >/proc/sysrq-trigger || exit 9
		! date -s 2030-01-01 || exit 9
		touch /tmp/x.ko; ! insmod /tmp/x.ko || exit 9
		mount -t tmpfs none /mnt && umount /mnt && echo refused'
	guest 'killed 137' 'sh -c "tail /dev/zero"; echo killed $?'
	for with in PrivateTmp=yes ProtectSystem=strict PrivateDevices=yes \
		DynamicUser=yes PrivateNetwork=yes ProtectHome=yes \
		ProtectKernelTunables=yes NoNewPrivileges=yes \
		SystemCallFilter=@system-service; do
		guest ran "systemd-run -q --wait --pipe -p $with echo ran"
	done
	guest_ends
}
limit=600
story 'os: nginx, postgresql and sshd are installed and run' os_packages

# Containers of others inside.  podman wants the controller pids in cgroup v2,
# which a guest of a hybrid host does not have.
os_nested() {
	guest_begins nesting=yes
	cp "$(command -v busybox)" "$root/root/busybox"
	install_in_guest /root/nested
	guest 0 'bwrap --unshare-all --ro-bind / / --proc /proc --dev /dev id -u'
	guest '0 /proc/1' "unshare -Urmpf --mount-proc sh -c '
		mount -t tmpfs none /mnt && echo \$(id -u) \$(ls -d /proc/1)'"
	cgroups=disabled
	[ ! -e /sys/fs/cgroup/cgroup.controllers ] || cgroups=enabled
	guest 'PID 1' "mkdir -p ~/box/bin && cp ~/busybox ~/box/bin/sh &&
		podman run --rm --network=none --cgroups=$cgroups \
			--rootfs ~/box sh -c 'echo PID \$\$'"
	guest_ends
}
limit=600
story 'os: podman, bwrap and unshare inside, nesting=yes' os_nested

os_archive() {
	copy_tree sysvinit
	(cd os && find . -printf '%p %U:%G %m %l\n' | sort) >before
	conf bridge="$br" ip="$net.2/24"
	want 0 "$pty" -t "$((60 * slow))" 'expect:login:' 'send:root\r' 'expect:# ' \
		'send:poweroff\r' -- "$crun" -c c.conf
	tar --numeric-owner -cf os.tar -C os .
	mkdir moved
	tar --numeric-owner -xpf os.tar -C moved
	(cd moved && find . -printf '%p %U:%G %m %l\n' | sort) >after
	awk 'NR == FNR { was[$1] = $2; next }
		$1 in was && was[$1] != $2 { print $1, was[$1], $2 }' \
		before after >changed
	# what the boot itself has given to other users
	is 'owners that changed' '' "$(cat changed)"
	root=$t/moved
	conf bridge="$br" ip="$net.2/24" userns=500000
	want 0 "$pty" -t "$((60 * slow))" 'expect:login:' 'send:root\r' 'expect:# ' \
		"send:ping -c 1 -W 3 $net.1\\r" 'expect: 0% packet loss' \
		'send:poweroff\r' -- "$crun" -c c.conf
}
secs=90 limit=150
story 'os: a folder that ran is archived, unpacked and runs elsewhere' \
	os_archive
secs=

# ---- wrapping it: the recipes of README, the files of etc/ ----

# words WORD...: what bash, which cuts them at =, offers for the last of them
offers_bash() {
	bash -c '. "$0"; PATH=$1:$PATH; shift; COMP_LINE="crun $*"
		read -ra COMP_WORDS <<<"${COMP_LINE//=/ = }"
		[ "${@: -1}" ] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _crun
		printf "%s\n" "${COMPREPLY[@]}"' \
		"$here/etc/completion.bash" "$here" "$@" >out 2>err
	lines 0
	xargs <out
}

# the same of zsh, at the first use
offers_zsh() {
	cp "$here/etc/completion.zsh" _crun
	zsh -f -c 'compadd() { local w; shift $(( ${@[(i)--]} )); for w; do
			[[ $w != ${words[CURRENT]#*=}* && $w != $words[CURRENT]* ]] || print -r -- $w; done }
		compset() { : }; _files() { print -l -- $words[CURRENT]*(N) }
		fpath=($PWD); autoload -U _crun; path=($0 $path)
		words=(crun "$@") CURRENT=$(( $# + 1 )); _crun' \
		"$here" "$@" >out 2>err
	lines 0
	xargs <out
}

wrap_completion() {
	need "$1"
	shell=$1
	conf
	background -- sleep 1000
	: >c2.conf
	while IFS='|' read -r typed offered; do
		# shellcheck disable=SC2086 # words
		set -- $typed
		[ "${typed% }" = "$typed" ] || set -- "$@" ''
		is "$shell offers for \"$typed\"" "$offered" \
			"$("offers_$shell" "$@")"
	done <<-END
	st|stat stop
	stat |$name
	stop ${name%??}|$name
	stop $name |$name
	set $name me|memory=
	set $name cgr|cgroup.
	exec -|-u -w -e
	log -|-f -r
	exec -u |
	exec -u root |$name
	exec -e A=B |$name
	exec -e A= -w / |$name
	exec $name sh -c |
	reboot -t 5 |$name
	kill -s |HUP INT KILL QUIT TERM USR1 USR2 CONT STOP
	kill -s TERM |$name
	kill $name -s |$name
	exec -- |$name
	exec -- -|
	-c c2|c2.conf
	-c c2.conf readonly=|yes no
	-c c2.conf rea|readonly=
	-c c2.conf cgroup.view=v|v2 v1
	-c c2.conf --r|--ready
	-c c2.conf -- |
	-c c2.conf -- -|
	-c c2.conf -- sh -c c2|
	name=x -c c2|c2.conf
	END
	verb 0 kill "$name"
}
story 'wrap: completion for bash' wrap_completion bash
story 'wrap: completion for zsh' wrap_completion zsh

wrap_install() {
	need strip
	make -s -C "$here" install DESTDIR="$t/d" PREFIX=/usr INITDIR=/etc/init.d \
		>out 2>err || wrong 'status 0' "$(cat err)"
	is 'what is installed' '/etc/init.d/crun 755
/usr/bin/crun 755
/usr/lib/systemd/system/crun@.service 644
/usr/share/bash-completion/completions/crun 644
/usr/share/man/man1/crun.1 644
/usr/share/zsh/site-functions/_crun 644' \
		"$(cd d && find . -type f -printf '/%P %m\n' | sort)"
	! grep -r /usr/local d/etc d/usr/lib || wrong 'PREFIX' '/usr/local'
	want 0 d/usr/bin/crun -V
	make -s -C "$here" uninstall DESTDIR="$t/d" PREFIX=/usr \
		INITDIR=/etc/init.d
	is 'what is left' '' "$(find d -type f)"
}
story 'wrap: make install and uninstall' wrap_install

# host_os TREE: a copy of the tree boots as a host of its own: with crun and a
# folder in it, and as root of this host, so that it can start containers
host_os() {
	copy_tree "$1"
	make -s -C "$here" install DESTDIR="$root" INITDIR=/etc/init.d >out 2>&1
	mkdir -p "$root/etc/crun" "$root/srv"
	cp -a "$T/root" "$root/srv/box"
	echo rootfs=/srv/box >"$root/etc/crun/box.conf"
	conf userns=none nesting=yes seccomp=none \
		stop.timeout="$((60 * slow))"
}

# within STATUS WORD...: in that host
within() {
	s=$1
	shift
	secs=60 verb "$s" exec "$name" "$@"
}

wrap_systemd() {
	host_os bookworm
	secs=100 run 0 -q -d --ready="$((90 * slow))"
	sup=$(sed -n '2s/ .*//p' "/run/crun-os/$name/pid")
	within 0 systemctl start crun@box
	within 0 systemctl is-active crun@box
	prints active
	within 0 crun list
	prints_like '^box +running '
	within 0 crun exec box true
	within 0 sh -c 'cat /proc/$(crun stat box | sed -n s/^pid=//p)/cgroup'
	prints_like '0::.*/crun@box.service/crun-os/box/payload'
	within 0 systemctl stop crun@box
	within 0 crun list -q
	prints ''
	within 0 systemctl show -P Result crun@box
	prints success
	within 0 find /sys/fs/cgroup -name 'crun*'
	! grep service out || wrong 'no cgroup of it' "$(cat out)"
	# a start that fails has its reason in the journal
	within 0 sh -c 'systemctl start crun@none || :
		until systemctl is-failed crun@none; do sleep 0.1; done
		journalctl --sync; journalctl -o cat -u crun@none'
	prints_like '^crun: none'
	# it ends by itself, and with the host
	within 0 systemctl start crun@box
	within 0 crun stop box
	within 0 systemctl show -P Result crun@box
	prints success
	within 0 systemctl start crun@box
	secs=100 verb 0 stop "$name"
	gone
}
secs=110 limit=200
story 'wrap: crun@.service of systemd' wrap_systemd

wrap_openrc() {
	host_os openrc
	ln -s crun "$root/etc/init.d/crun.box"
	secs=100 run 0 -q -d --ready="$((90 * slow))"
	sup=$(sed -n '2s/ .*//p' "/run/crun-os/$name/pid")
	within 0 rc-service crun.box start
	within 0 rc-service crun.box status
	prints_like 'status: running'
	within 0 crun exec box true
	within 0 rc-service crun.box stop
	within 0 crun list -q
	prints ''
	within 3 rc-service crun.box status
	within 0 rc-update add crun.box default
	within 0 rc-service crun.box start
	secs=100 verb 0 stop "$name"
	gone
}
secs=110 limit=200
story 'wrap: the script for OpenRC' wrap_openrc

# recipe FIRST-WORDS: the line of README that begins so, without its indent
recipe() {
	line=$(sed -n "s,^    \($1.*\),\1,p" "$here/README" | head -n 1)
	[ "$line" ] || wrong "in README: $1" none
	echo "$line"
}

wrap_inittab() {
	host_os busybox
	line=$(recipe 'web:')
	is 'a line of inittab' 4 "$(echo "$line" | awk -F: '{ print NF }')"
	echo "$line" | sed 's/^web:2345:/::/; s/crun -c web/crun -c box/' \
		>>"$root/etc/inittab"
	run 0 -q -d --ready
	sup=$(sed -n '2s/ .*//p' "/run/crun-os/$name/pid")
	soon sh -c "$crun exec $name crun list -q | grep box"
	within 0 crun exec box true
	# powered off, it comes again; killed too
	pid=$("$crun" exec "$name" crun stat box | grep ^pid=)
	within 0 crun stop box
	soon sh -c "$crun exec $name crun stat box | grep ^pid= | grep -v $pid"
	verb 0 stop "$name"
	gone
}
story 'wrap: a line of inittab' wrap_inittab

wrap_loop() {
	host_os busybox
	for n in a b c; do
		cp "$root/etc/crun/box.conf" "$root/etc/crun/$n.conf"
		cp -a "$root/srv/box" "$root/srv/$n"
		echo "rootfs=/srv/$n" >"$root/etc/crun/$n.conf"
	done
	run 0 -q -d --ready
	sup=$(sed -n '2s/ .*//p' "/run/crun-os/$name/pid")
	within 0 sh -c "$(recipe 'for f in /etc/crun')"
	within 0 crun list -q
	prints 'a
b
box
c'
	within 0 sh -c "$(recipe 'crun list -q .')"
	within 0 crun list -q
	prints ''
	verb 0 stop "$name"
	gone
}
story 'wrap: every file of /etc/crun, in a loop' wrap_loop

wrap_wait() {
	own_root
	conf
	cp c.conf job.conf
	PATH=$here:$PATH
	export PATH
	recipe 'crun -d --ready -c web.conf ||' |
		sed 's/web.conf/job.conf/' >script
	echo "crun exec $name touch /tmp/done && crun stop $name" >>script
	recipe 'crun wait web' | sed "s/web/$name/" >waiter
	want 0 sh -e script
	[ -e "$root/tmp/done" ]
	background --ready
	sh waiter >out 2>err &
	w=$!
	sleep 0.3
	verb 0 stop "$name"
	ends 0 "$w"
	background --ready
	sh waiter >wout 2>err &
	w=$!
	sleep 0.3
	verb 0 kill "$name"
	ends 0 "$w"
	is 'what the script says' 'it ended with 137' "$(cat wout)"
	gone
}
story 'wrap: waiting in a script' wrap_wait

# ---- documents and the binary ----

doc_check() {
	want 0 sh "$here/test/doc" --check
}
story 'doc: README, crun.1 and -h say the same' doc_check

doc_walls() {
	sed -n '/^How it is shown/,/^Beside/s/^ *\([0-9][0-9]*\)  [A-Za-z].*/\1/p' \
		"$here/README" >told
	sh "$here/test.sh" -l '\(wall [0-9]+\)' |
		sed 's/.*(wall \([0-9]*\)).*/\1/' | sort -nu >shown
	is 'numbers of walls' "$(xargs <told)" "$(xargs <shown)"
	[ "$(wc -l <told)" -gt 15 ] || wrong 'more than 15' "$(cat told)"
}
story 'doc: each wall that README tells of has its stories' doc_walls

doc_mandoc() {
	need mandoc
	want 0 mandoc -T lint -W warning "$here/crun.1"
	prints ''
}
story 'doc: the manual page is well-formed' doc_mandoc

binary_hardened() {
	need readelf
	want 0 readelf -h -l -d -s -W "$crun"
	prints_like 'Type: +DYN'
	prints_like 'GNU_RELRO'
	prints_like 'GNU_STACK.* RW '
	prints_like '(BIND_NOW|FLAGS_1.*NOW)'
	prints_like '__stack_chk_fail'
	! grep -q -e INTERP -e NEEDED out ||
		wrong 'no interpreter, no library' "$(cat out)"
}
story 'doc: (wall 15) the binary is static-PIE, with RELRO, NX and canaries' \
	binary_hardened

binary_size() {
	need strip
	strip -o stripped "$crun"
	size=$(wc -c <stripped)
	[ "$size" -lt 262144 ] || wrong 'less than 256 KiB' "$size"
}
story 'doc: the binary is small' binary_size

binary_reproducible() {
	need make readelf
	for d in one a/longer/path; do
		mkdir -p "$d/build" "$d/test"
		cp "$here"/*.c "$here"/*.h "$here/Makefile" "$d/"
		cp "$here/test/libcap-ng" "$d/test/"
		cp -a "$here/build/libcap-ng.a" "$here/build/include" \
			"$d/build/" 2>/dev/null || :
		want 0 make -s -C "$d" crun
		sha256sum <"$d/crun" >>sums
	done
	is 'different binaries' 1 "$(sort -u sums | wc -l)"
}
secs=120 limit=300
story 'doc: two builds in two folders are the same' binary_reproducible

doc_other_machine() {
	need "$1-linux-gnu-gcc"
	mkdir include
	cp "$here/build/include/cap-ng.h" include/ 2>/dev/null ||
		cp /usr/include/cap-ng.h include/
	for f in "$here"/*.c; do
		"$1-linux-gnu-gcc" -std=c11 -D_GNU_SOURCE -Wall -Wextra \
			-Wpedantic -Werror -Os -fPIE -Iinclude -c \
			-o "$(basename "$f").o" "$f" >out 2>&1 ||
			wrong "$f compiles" "$(cat out)"
	done
}
story 'doc: the sources compile for aarch64' doc_other_machine aarch64
story 'doc: the sources compile for riscv64' doc_other_machine riscv64
secs=

# README's first command, in a copy
doc_make_run() {
	mkdir copy
	cp -a "$here"/* copy/
	echo poweroff | want 0 make -C copy run
	prints_like 'Requesting system poweroff'
}
limit=200
story 'doc: make run' doc_make_run

doc_no_library() {
	need ldd
	rc=0
	cmd="ldd $crun"
	ldd "$crun" >out 2>&1 || rc=$?
	prints_like '(statically linked|not a dynamic executable)'
}
story 'doc: the binary needs no library' doc_no_library

# alone in a folder, with no file of the system's
doc_alone() {
	mkdir -p alone/rootfs
	cp "$crun" alone/crun
	cp -a "$root/." alone/rootfs
	printf 'name=alone\nrootfs=/rootfs\n' >alone/c.conf
	conf bind="$t/alone:/mnt"
	want 0 chroot alone /crun -n -c /c.conf
	prints_like '^rootfs=/rootfs$'
}
story 'doc: it runs where there is nothing else' doc_alone

# ---- a kernel without mount_setattr(2), before Linux 5.12 ----

# run_old STATUS [ARG ...]: crun with c.conf; on a newer kernel the call fails
run_old() {
	s=$1
	shift
	if [ "${KERNEL:-}" = 5.10 ]; then
		want "$s" "$crun" -q -c c.conf "$@"
	else
		need strace
		want "$s" strace -f -qq -o trace \
			-e trace=mount_setattr -e inject=mount_setattr:error=ENOSYS \
			"$crun" -q -c c.conf "$@"
	fi
}

# shift_ids FOLDER FIRST: what the idmapped mount spares: on disk the owners are
# FIRST and what follows
shift_ids() {
	find "$1" -type f -perm /7000 -printf '%m %p\n' >modes
	find "$1" -printf '%U %G\n' | sort -u | while read -r u g; do
		find "$1" -uid "$u" -gid "$g" -exec \
			chown -h "$((u + $2)):$((g + $2))" {} +
	done
	while read -r mode path; do
		chmod "$mode" "$path"
	done <modes
}

# The same mounts with the same flags as with a newer kernel's call; and those
# that the supervisor has made are locked where there is a user namespace.
old_mounts() {
	own_root
	mkdir shared
	: >file
	: >root/file
	: >root/etc/resolv.conf
	see='cut -d " " -f 4-6 /proc/self/mountinfo | sort
		for f in / /mnt /file; do
			mount -o remount,bind,rw,dev,exec "$f" 2>/dev/null &&
			echo "freed $f"
		done
		true'
	shift_ids root "${2:-0}"
	conf "$1" bind="$t/shared:/mnt:ro,noexec" bind="$t/file:/file:ro" \
		readonly=yes dns=9.9.9.9
	run_old 0 -- sh -c "$see"
	cp out old
	for line in '/ / ro,nodev' ' /mnt ro,noexec' ' /file ro,' \
		' /sys ro,nosuid' ' /proc/sys ro,nosuid' \
		' /proc/kallsyms ro,nosuid,nodev,noexec'; do
		grep -q -e " ${line#* }" old || wrong "$line" "$(cat old)"
	done
	if [ "$1" = userns=none ]; then
		return
	fi
	! grep freed old || wrong 'locked flags' "$(cat old)"
	[ "${KERNEL:-}" != 5.10 ] || return 0
	run 0 -q -- sh -c "$see"
	diff out old >differs || wrong 'the same mounts' "$(cat differs)"
}
story 'old: the mounts, userns=none' old_mounts userns=none
story 'old: the mounts, with ids of its own on disk' old_mounts \
	userns=300000 300000

old_hierarchies() {
	own_root
	shift_ids root 300000
	walls_hierarchies userns=300000
}
story 'old: a v1 hierarchy is the own group, with ids of its own on disk' \
	old_hierarchies

old_refused() {
	own_root
	conf
	run_old 125 -- true
	lines 1
	says "^crun: c.conf:2: idmapping $root takes Linux 5.12; set userns=HOSTID"
	conf userns=300000 bind="$root:/mnt:idmap"
	shift_ids root 300000
	run_old 125 -- true
	lines 1
	says "^crun: c.conf:4: idmapping $root takes Linux 5.12"
	conf userns=none
	mounted tmpfs mode=755 "$t/root/mnt"
	run_old 125 -- true
	lines 1
	says "mounts below it, which takes Linux 5.12"
}
story 'old: what takes Linux 5.12 is said' old_refused

old_os() {
	copy_tree bookworm
	[ "$1" -eq 0 ] || shift_ids os "$1"
	conf userns="$2" bridge="$br" ip="$net.2/24" memory=512M pids=500 \
		stop.timeout="$((60 * slow))"
	secs=100 run 0 -q -d --ready="$((90 * slow))"
	sup=$(sed -n '2s/ .*//p' "/run/crun-os/$name/pid")
	echo "$sup" >>kids
	verb 0 exec "$name" sh -c "systemctl --failed --no-legend --plain
		ping -c 1 -W 3 $net.1 | grep -o ' 0% packet loss'"
	prints ' 0% packet loss'
	secs=100 verb 0 stop "$name"
	lines 0
	gone
}
if [ "${KERNEL:-}" = 5.10 ]; then
	limit=250
	story 'old: bookworm with ids of its own on disk' old_os 300000 300000
	limit=250
	story 'old: bookworm, userns=none' old_os 0 none
fi

# ---- virtual machines ----

# What a kernel can change; the configuration, and what goes through pipes and
# terminals, is the same on all.
of_kernel="^host: ^ns: ^idmap: ^mount: ^net: ^cgroup: ^sec: ^walls:\
 ^stop: ^state: ^verbs: ^exec: ^set:"

# machine NAME OPTION... [STORY ...]: the stories in a machine
machine() {
	vm=$1 begun=$(date +%s)
	shift
	rc=0
	outside env CRUN_VM="$vm" sh "$here/test/vm" "$@" >"$vm.out" 2>"$vm.err" || rc=$?
	echo "$rc" >"$vm.rc"
	echo "# vm-$vm: status $rc after $(($(date +%s) - begun)) s" >&2
}

# judge_machine NAME: what failed or was skipped in it is shown
judge_machine() {
	rc=$(cat "$1.rc")
	cmd="test/vm ($1)"
	[ "$rc" -ne 77 ] || skip "no kernel: $(tail -n 1 "$1.err")"
	grep -v '^# [0-9]* skipped' "$1.out" |
		grep -e '^not ok' -e '# SKIP' -e '^#' -e ' passed, ' |
		sed "s/^/# vm-$1: /" || :
	if [ "$rc" -ne 0 ]; then
		tail -n 20 "$1.err"
		exit 1
	fi
	tail -n 1 "$1.out" | grep -q '^[1-9][0-9]* passed, 0 failed' ||
		wrong 'a sum without failures' "$(tail -n 1 "$1.out")"
}

# The machines, a line each: its name, and how it is called.  An OS takes
# minutes where it is emulated, so each is booted once with each kind of
# cgroups that matters to it.  Those that take longest stand first.
machine_list() {
	cat <<-END
	6.12-v2 -k 6.12 -c v2 -t 3600 $of_kernel
	6.1-v1 -k 6.1 -c v1 -t 3600 $of_kernel
	6.12-guests -k 6.12 -c v2 -t 2400 os:.[np]
	6.1-guests -k 6.1 -c v1 -t 2400 os:.bo os:.bus os:.nginx live:.busybox
	5.10 -k 5.10 -c hybrid -t 1500 ^old:. ,.userns=none$
	6.12-os -k 6.12 -c v2 -t 2400 os:.[ab] live:.[btf] live:.s[iy]
	6.12-others -k 6.12 -c v2 -t 2400 live:.openrc live:.runit
	6.1-others -k 6.1 -c v1 -t 2400 live:.sysvinit
	initramfs -k 6.12 -i -t 600
	END
}

# next_machine: takes the first line that nobody has taken
next_machine() {
	flock taken sh -c 'n=$(($(cat taken) + 1))
		echo "$n" >taken
		sed -n "${n}p" machines' | grep .
}

# shellcheck disable=SC2086 # a list of words
take_machines() {
	while line=$(next_machine); do
		machine $line
	done
}

# Emulated, each takes a processor of ours: two at a time.
machines() {
	[ ! "${CRUN_IN_VM:-}" ] || skip 'this is the virtual machine'
	need qemu-system-x86_64
	set -f
	machine_list >machines
	echo 0 >taken
	take_machines &
	take_machines &
	wait
	while read -r vm _; do
		judge_machine "$vm"
	done <machines
}
limit=4500
story 'vm: Linux 6.12 with cgroup v2, 6.1 with v1, 5.10, and an initramfs' \
	machines

# ---- the sum ----

if [ ! "$list" ]; then
	finish
fi
