# cgroup.sh - control groups.

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
			mkdir "$dir/$name-look" 2>/dev/null || continue
			echo "+${f%%.*}" 2>/dev/null \
				>"$dir/cgroup.subtree_control" || :
			have=
			[ ! -e "$dir/$name-look/$f" ] || have=1
			rmdir "$dir/$name-look"
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
story -c 'cgroup: memory' limit_story memory=64M memory.max 67108864 \
	memory.limit_in_bytes 67108864
story -c 'cgroup: cpus' limit_story cpus=1.5 cpu.max '150000 100000' \
	cpu.cfs_quota_us 150000
story -c 'cgroup: cpu.weight' limit_story cpu.weight=50 cpu.weight 50 \
	cpu.shares 512
story -c 'cgroup: cpuset' limit_story cpuset=0 cpuset.cpus 0
story -c 'cgroup: pids' limit_story pids=50 pids.max 50
story -c 'cgroup: io.weight' limit_story io.weight=50 io.weight 'default 50' \
	blkio.bfq.weight 50
story -c 'cgroup: cgroup.FILE' limit_story cgroup.pids.max=49 pids.max 49
story -c 'cgroup: cgroup.memory.FILE' limit_story \
	cgroup.memory.high=33554432 memory.high 33554432
limit_v2() {
	need_v2
	limit_story "$@"
}
story -c 'cgroup: cgroup.cgroup.max.depth' limit_v2 \
	cgroup.cgroup.max.depth=3 cgroup.max.depth 3
story -c 'cgroup: swap' limit_story 'memory=64M swap=16M' memory.swap.max \
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
story -c 'cgroup: the container is in its group, the supervisor is not' \
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
story -c 'cgroup: what the container may write in its own group' \
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
story -c 'cgroup: in a delegated unit its tree begins at the own group' \
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
story -c 'cgroup: there is no way up to its limits' cgroup_no_way_up
story -c 'cgroup: there is no way up to its limits, nesting=yes' cgroup_no_way_up \
	nesting=yes

cgroup_memory_kill() {
	conf memory=20M
	run 137 -- dd if=/dev/zero of=/dev/null bs=100M count=1
	says "^crun: c.conf:3: $name: out of memory, 1 process killed at memory=20M\$"
	lines 1
	run 0 -- dd if=/dev/zero of=/dev/null bs=4M count=1
	says_not 'out of memory'
}
story -c 'cgroup: a process that takes more than memory is killed' \
	cgroup_memory_kill

cgroup_memory_child() {
	conf memory=20M
	run 5 -- /bin/sh -c \
		'dd if=/dev/zero of=/dev/null bs=100M count=1; exit 5'
	says 'c.conf:3: .*out of memory, 1 process killed at memory=20M'
}
story -c 'cgroup: a kill that the program survives is said too' \
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
story -c 'cgroup: no more processes than pids' cgroup_pids_limit

cgroup_cpuset() {
	[ "$(nproc)" -gt 1 ] || skip 'one processor only'
	conf cpuset=1
	run 0 -- grep Cpus_allowed_list /proc/self/status
	prints 'Cpus_allowed_list:	1'
}
story -c 'cgroup: only the processors of cpuset' cgroup_cpuset

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
story -c 'cgroup: cpus=0.2 holds a busy program back' cgroup_cpus

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
story -c 'cgroup: groups that the container made are removed' cgroup_deep

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
story -c 'cgroup: leftovers of a dead supervisor are removed by the next' \
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
story -c 'cgroup: a process that was put into the group ends with it' \
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
		top=${group%%/crun-os/*}/crun-os
		# marked while it is empty; another line may remove it again
		until [ -d "$top/$name" ]; do
			mkdir "$top" 2>/dev/null || :
			if "$probe" mark "$top" trusted.crun-os 2>/dev/null
			then
				mkdir "$top/$name" 2>/dev/null || :
			fi
		done
		mkdir -p "$group"
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
story -cw 'cgroup: a leftover that another has frozen ends a start' \
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
story -c 'cgroup: a leftover in its own frozen group is thawed and killed' \
	cgroup_frozen_own

is_listed() {
	grep -q "name=$name:" /proc/self/cgroup
}

# One whose groups are not quite gone when it is unmounted stays until it is
# mounted once more, and every process of the machine is in it.
hierarchy_goes() {
	for i in 1 2 3 4 5; do
		tries=0
		while is_listed && [ "$tries" -lt 100 ]; do
			tries=$((tries + 1))
			sleep 0.01
		done
		is_listed || return 0
		mount -t cgroup -o "none,name=$name" none v1 && umount v1
	done
	wrong 'the hierarchy is gone' "$(cat /proc/self/cgroup)"
}

# A v1 hierarchy that others mount and unmount all the while is listed in
# /proc/self/cgroup, and may be taken apart when crun comes to it.
cgroup_dying() {
	need_cgroups
	mkdir v1
	mount -t cgroup -o "none,name=$name" none v1 2>/dev/null ||
		skip 'no v1 hierarchy can be mounted here'
	umount v1
	unshare -m sh -c 'while :; do
			! mount -t cgroup -o "none,name=$1" none v1 ||
				umount v1
		done' - "$name" 2>/dev/null &
	echo "$!" >>kids
	conf
	i=0
	while [ "$i" -lt $((60 / fewer)) ]; do
		run 0 -q -- true
		lines 0
		i=$((i + 1))
	done
	kill "$!"
	hierarchy_goes
}
story -cs 'cgroup: a v1 hierarchy that comes and goes' cgroup_dying
