# set.sh - limits of a container that runs.

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
		sleep 1000 >/dev/null 2>&1 & i=$((i + 1))
		done 2>&1 | grep -c fork'
	verb 0 set "$name" pids= memory=128M
	is pids max "$(file_of pids.max pids.max)"
	is memory 134217728 "$(file_of memory.max memory.limit_in_bytes)"
	is 'the saved ones' 'memory=128M cpus=0.5 ' "$(sed -n \
		's/^\(memory\|pids\|cpus\)=/\1=/p' "/run/crun-os/$name/conf" |
		tr '\n' ' ')"
	verb 0 kill "$name"
	gone
}
story -c 'set: limits of what runs without any' set_limits

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
story -c 'set: memory' set_key memory=64M memory.max 67108864 \
	memory.limit_in_bytes 67108864
story -c 'set: swap' set_key 'memory=64M swap=16M' memory.swap.max 16777216 \
	memory.memsw.limit_in_bytes 83886080
story -c 'set: cpus' set_key cpus=1.5 cpu.max '150000 100000' \
	cpu.cfs_quota_us 150000
story -c 'set: cpu.weight' set_key cpu.weight=50 cpu.weight 50 cpu.shares 512
story -c 'set: cpuset' set_key cpuset=0 cpuset.cpus 0
story -c 'set: pids' set_key pids=50 pids.max 50
story -c 'set: io.weight' set_key io.weight=50 io.weight 'default 50' \
	blkio.bfq.weight 50
story -c 'set: cgroup.FILE' set_key cgroup.pids.max=49 pids.max 49
story -c 'set: cgroup.memory.FILE' set_key cgroup.memory.high=33554432 \
	memory.high 33554432
set_v2() {
	need_v2
	set_key "$@"
}
story -c 'set: cgroup.cgroup.max.depth' set_v2 cgroup.cgroup.max.depth=3 \
	cgroup.max.depth 3

# whom it concerns: the processes that are there, down to one and back
set_cpuset() {
	need_cgroups
	! lacks cpuset.cpus || skip 'this kernel has no cpuset'
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
story -c 'set: cpuset, of what runs' set_cpuset
story -c 'set: cpuset, of what runs, userns=none' set_cpuset userns=none

# what crun takes and the kernel does not
bad_limit() {
	if lacks cpuset.cpus; then
		echo cgroup.cpu.weight=10001
	else
		echo cpuset=999
	fi
}

set_all_or_none() {
	need_cgroups
	conf memory=64M pids=50
	background -- sleep 1000
	cp "/run/crun-os/$name/conf" before
	bad=$(bad_limit)
	verb 125 set "$name" pids=60 memory=96M "$bad"
	says "$bad: not a value that cpu[a-z.]* of this host takes; nothing was changed"
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
story -c 'set: all or nothing' set_all_or_none

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
	bad=$(bad_limit)
	verb 125 set "$name" "cgroup.$file=$limit" "$bad"
	says "$bad: .*; nothing was changed"
	is "$file" '' "$(file_of "$file" "$file")"
	cmp before "/run/crun-os/$name/conf"
	verb 0 kill "$name"
	gone
}
story -c 'set: all or nothing, of a limit for one disk' set_device_or_none

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
story -cw 'set: what was set holds after a reboot' set_reboot

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
story -cs 'set: what was set twice holds after a reboot, with /run on a disk' \
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
story -c 'set: memory and swap, up and down' set_swap

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
story -c 'set: killed in the middle, the next one works' set_killed

# Another crun set that does not come on.
set_locked() {
	conf
	background -- sleep 1000
	flock "/run/crun-os/$name" sh -c 'echo held; exec sleep 1000' >held &
	flock=$!
	soon grep -q held held
	holder=$(pgrep -P "$flock")
	echo "$holder" >>kids
	begun=$(date +%s%3N)
	verb 125 set "$name" pids=50
	lasts_patience
	says "^crun: $name: another crun set is at work: pid [0-9]+ \\((flock|sleep)\\) does not let go of it: "
	lines 1
	kill "$holder"
	verb 0 set "$name" pids=50
	verb 0 kill "$name"
	gone
}
story -w 'set: another crun set that does not come on' set_locked
