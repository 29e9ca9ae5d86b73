# old.sh - a kernel without mount_setattr(2), before Linux 5.12.

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
