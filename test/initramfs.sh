#!/bin/sh
# initramfs.sh - the stories of a host that has next to nothing: / is the
# initial ramfs, no cgroup is mounted, and the only tool is busybox.
# test/vm -i runs it; what it prints is as of test.sh.
set -u

here=$(cd "$(dirname "$0")/.." && pwd)
crun=$here/crun
tree=/disk${CRUN_CACHE:-/var/cache/crun-test}/trees/busybox
root=/disk/stories/busybox
T=/tmp/initramfs
number=0 npassed=0 nfailed=0

# busybox' timeout lives on for a second
host() {
	"$here/build/test/host" >"$T/host.all"
	grep -v '^process .* timeout$' "$T/host.all"
}

story() {
	title=$1
	shift
	number=$((number + 1))
	: >"$T/log"
	rc=0
	("$@") >"$T/log" 2>&1 </dev/null || rc=$?
	host >"$T/host.new"
	if ! cmp -s "$T/host.old" "$T/host.new"; then
		echo 'the host is not as it was before:' >>"$T/log"
		diff "$T/host.old" "$T/host.new" >>"$T/log"
		rc=1
	fi
	cp "$T/host.new" "$T/host.old"
	if [ "$rc" -eq 0 ]; then
		npassed=$((npassed + 1))
		echo "ok $number - $title"
	else
		nfailed=$((nfailed + 1))
		echo "not ok $number - $title"
		sed 's/^/# /' "$T/log"
	fi
}

wrong() {
	echo "expected: $1"
	echo "seen: $2"
	head -n 20 out err
	exit 1
}

# want STATUS COMMAND...
want() {
	status=$1
	shift
	rc=0
	timeout 60 "$@" >out 2>err || rc=$?
	[ "$rc" -eq "$status" ] || wrong "status $status of $*" "$rc"
}

is() {
	[ "$2" = "$3" ] || wrong "$1: $2" "$3"
}

conf() {
	printf '%s\n' name=small "rootfs=$root" "$@" >small.conf
}

program() {
	conf
	want 0 "$crun" -c small.conf -- sh -c 'id -u; cat /proc/1/status |
		grep -c ^Pid:; cat /proc/self/uid_map'
	is uid 0 "$(sed -n 1p out)"
	is 'size of its map' 65536 "$(awk 'NR == 3 { print $3 }' out)"
	is 'standard error' '' "$(cat err)"
}

statuses() {
	conf
	want 7 "$crun" -c small.conf -- sh -c 'exit 7'
	want 137 "$crun" -c small.conf -- sh -c 'kill -9 $$'
	want 127 "$crun" -c small.conf -- nosuch
	want 125 "$crun" -c small.conf rootfs=/nosuch -- true
	want 2 "$crun" -c small.conf pids=none
}

memory() {
	conf memory=20M pids=50 cpus=0.5
	want 137 "$crun" -c small.conf -- dd if=/dev/zero of=/dev/null \
		bs=100M count=1
	grep -q '^crun: small.conf:3: .*out of memory.*memory=20M' err ||
		wrong 'the limit' "$(cat err)"
	want 0 "$crun" -c small.conf -- dd if=/dev/zero of=/dev/null bs=4M \
		count=1
}

walls() {
	conf
	want 0 "$crun" -c small.conf -- sh -c 'ls -d /disk /vm /crun /init \
		2>/dev/null; cat /proc/kallsyms 2>/dev/null | head -n 1
		grep -c -e initramfs -e rootfs /proc/mounts
		cd /; cd ../..; ls -d disk 2>/dev/null; ls /dev/null'
	is 'what is seen' '0 /dev/null' "$(xargs <out)"
}

files() {
	conf dns=9.9.9.9 hostname=guest
	want 0 "$crun" -c small.conf -- sh -c 'hostname; cat /etc/resolv.conf
		echo x >/tmp/made && ls -ln /tmp/made'
	is 'printed' 'guest nameserver 9.9.9.9' "$(head -n 2 out | xargs)"
	is 'owner on disk' 0 "$(stat -c %u "$root/tmp/made")"
}

network() {
	conf bridge=crt0 ip=10.199.77.2/24
	want 0 "$crun" -c small.conf -- ping -c 1 -W 3 10.199.77.1
	sleep 0.5
}

second_prompt() {
	awk '/BusyBox v/ { boots++ }
		boots == 2 && /\/ # / { seen = 1 }
		END { exit !seen }' out
}

os() {
	conf
	mkfifo fifo
	"$crun" -c small.conf <fifo >out 2>err &
	sup=$!
	exec 3>fifo
	n=0
	until grep -q '/ #' out; do
		n=$((n + 1))
		[ "$n" -lt 200 ] || wrong 'a prompt' ''
		sleep 0.1
	done
	printf '%s\r' "$1" >&3
	n=0
	until [ "$2" -eq 1 ] || second_prompt; do
		n=$((n + 1))
		[ "$n" -lt 200 ] || wrong 'a second boot' ''
		sleep 0.1
	done
	[ "$2" -eq 1 ] || { sleep 1; printf 'poweroff\r' >&3; }
	rc=0
	wait "$sup" || rc=$?
	exec 3>&-
	rm -f fifo
	is status 0 "$rc"
	is 'standard error' '' "$(cat err)"
}

stop() {
	conf
	"$crun" -c small.conf >out 2>err </dev/null &
	sup=$!
	n=0
	until grep -q '/ # ' out; do
		n=$((n + 1))
		[ "$n" -lt 200 ] || wrong 'it is up' ''
		sleep 0.1
	done
	kill "$sup"
	rc=0
	wait "$sup" || rc=$?
	is status 0 "$rc"
}

killed() {
	conf memory=64M
	"$crun" -c small.conf -- sleep 1000 >out 2>err </dev/null &
	sup=$!
	sleep 0.5
	kill -KILL "$sup"
	wait "$sup"
	sleep 0.5
	want 0 "$crun" -c small.conf -- true
	is 'standard error' 'crun: small: removing what a killed supervisor left' \
		"$(cat err)"
	want 0 "$crun" -c small.conf -- true
	is 'standard error' '' "$(cat err)"
}

many() {
	conf memory=64M
	n=0
	while [ "$n" -lt 20 ]; do
		want 0 "$crun" -c small.conf -- true
		n=$((n + 1))
	done
}

mkdir -p "$T"
cd "$T" || exit 1
mkdir -m 700 "${root%/*}"
cp -a "$tree" "$root"
ip link add crt0 type bridge
ip addr add 10.199.77.1/24 dev crt0
ip link set crt0 up
sleep 1
host >"$T/host.old"

story 'initramfs: / is the initial ramfs and no cgroup is mounted' \
	sh -c 'grep "^rootfs / " /proc/mounts && ! grep cgroup /proc/mounts'
story 'initramfs: a program runs' program
story 'initramfs: exit statuses' statuses
story 'initramfs: a limit of memory' memory
story 'initramfs: nothing of the host is seen' walls
story 'initramfs: files are written, owners stay' files
story 'initramfs: the network' network
story 'initramfs: an OS boots and powers off' os poweroff 1
story 'initramfs: an OS reboots' os reboot 2
story 'initramfs: TERM powers an OS off' stop
story 'initramfs: a killed supervisor, and the next start' killed
story 'initramfs: twenty starts and ends' many

echo "$npassed passed, $nfailed failed, 0 skipped"
[ "$nfailed" -eq 0 ]
