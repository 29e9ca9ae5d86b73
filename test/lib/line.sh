# line.sh - where stories run: lines side by side, each with a host of its own.

# ---- the whole run ----

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

# The trees that the chosen stories name.  Those of one suite share their
# packages' cache and are made after each other.  One that cannot be made is
# the reason of a skip.
make_trees() {
	tree busybox >/dev/null
	while read -r _ n _; do
		eval "echo \"\$command_$n\""
	done <"$run/chosen" >"$run/commands"
	for suites in 'trixie networkd sid bullseye' \
		'host bookworm guest ifupdown filters sysvinit openrc runit finit'; do
		for tree in $suites; do
			! grep -qw "$tree" "$run/commands" ||
				tree "$tree" >/dev/null || :
		done &
	done
	wait
}

prepare() {
	mkdir "$run/taken"
	: >"$run/results"
	for program in host pty probe tries racer thief dhcp talk \
		frame; do
		helper "$program"
	done
	if [ "$uid" -eq 0 ]; then
		[ "${CRUN_IN_VM:-}" ] || make_trees
		tops >"$run/tops"
	fi
}

# tops: crun's own folders at the top of each hierarchy
tops() {
	while read -r _ _ _ _ target rest; do
		case $rest in
		*' - cgroup'*) [ ! -d "$target/crun-os" ] || echo "$target/crun-os" ;;
		esac
	done </proc/self/mountinfo | sort -u
}

# leftovers: of these, what was not there before and nobody has containers in
leftovers() {
	[ "$uid" -eq 0 ] || return 0
	tops | comm -13 "$run/tops" - | while read -r top; do
		find "$top" -mindepth 1 -type d | grep -q . || echo "$top"
	done
}

# begin_lines N KIND...: until all stories of these kinds have ended.  Of more
# than two lines one takes them the other way round.
begin_lines() {
	exec 8</proc/self/ns/mnt 9</proc/self/ns/net
	pids=''
	n=0
	most=$1
	shift
	while [ "$n" -lt "$most" ]; do
		n=$((n + 1))
		if [ "$n" -eq 3 ]; then
			begin_line "$n" "$2" "$1" &
		else
			begin_line "$n" "$@" &
		fi
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid" || :
	done
	pids=''
}

# begin_line N KIND...
begin_line() {
	n=$1
	shift
	set -- "$here/test.sh" -w "$n" -- "$run" "$@"
	if [ "$uid" -ne 0 ] || [ "${CRUN_IN_VM:-}" ]; then
		exec sh "$@"
	fi
	# PID 1 is a shell that does nothing but reap
	exec unshare -m -n -p --fork --kill-child --mount-proc \
		sh -c 'sh "$@"; exit $?' - "$@"
}

# end_lines: before their time; each ends its story
end_lines() {
	for pid in $pids; do
		inner=$(pgrep -P "$pid") || inner=''
		[ ! "$inner" ] || inner=$(pgrep -P "$inner") || inner=''
		kill -TERM "${inner:-$pid}" 2>/dev/null || :
	done
	for pid in $pids; do
		wait "$pid" || :
	done
}

end_run() {
	rc=$?
	trap - EXIT
	[ ! "${pids:-}" ] || end_lines
	rm -rf --one-file-system "$run"
	exit "$rc"
}

# outside COMMAND...: in the machine's own network and mounts
outside() {
	nsenter --mount=/proc/self/fd/8 --net=/proc/self/fd/9 "$@"
}

# ---- one line ----

# names_of_line N
names_of_line() {
	T=$run/$1
	name=crt-${run##*.}$1
	root=$T/root
	br=crt0 net=10.199.77 net6=fd00:c77
	export T name root br net net6
}

# run_line RUN KIND...: the stories of one kind, then those of the next
run_line() {
	run=$1 job=''
	shift
	names_of_line "$line"
	trap end_line EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	mkdir "$T"
	exec 3<"$run/chosen"
	[ "$uid" -ne 0 ] || set_up
	load_stories
	for each; do
		take_stories "$each"
	done
}

end_line() {
	rc=$?
	trap - EXIT
	[ ! "$job" ] || { kill "$job" 2>/dev/null && wait "$job"; } || :
	[ "$uid" -ne 0 ] || ip link del "$br" 2>/dev/null || :
	rm -rf --one-file-system "$T"
	exit "$rc"
}

set_up() {
	[ "${CRUN_IN_VM:-}" ] || own_host
	cp -a "$(tree busybox)" "$root"
	cp "$probe" "$here/build/test/tries" "$here/build/test/dhcp" \
		"$here/build/test/talk" "$here/build/test/frame" "$root/bin/"
	add_bridge
	"$here/build/test/host" "$name" "$T/host"
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

# compare: 0 when the host is as it was before the story
compare() {
	"$here/build/test/host" "$name" "$T/host" >"$T/differs" && return
	{ echo 'the host is not as it was before:' && cat "$T/differs"; } >>"$T/log"
	return 1
}

# After a failed story: what it has left must not fail the next ones.
sweep() {
	sed -n 's/^> process //p' "$T/differs" | while read -r pid _; do
		kill -KILL "$pid" 2>/dev/null || :
	done
	sleep 0.3
	for n in "$name" "$name-b"; do
		timeout -k 1 10 "$crun" -q -c - >/dev/null 2>&1 <<-END || :
		name=$n
		rootfs=/nosuch
		END
	done
	"$here/build/test/host" "$name" "$T/host" >/dev/null || :
}
