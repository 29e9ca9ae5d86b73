# mount.sh - the file tree.

mount_shows() {
	conf
	inside "$1"
	is 'printed' "$2" "$(xargs <out)"
}
story -k 'mount: /dev/null and /dev/zero work' mount_shows \
	'echo x >/dev/null && head -c 3 /dev/zero | wc -c' 3
story -k 'mount: /dev/random and urandom work' mount_shows \
	'head -c 3 /dev/urandom | wc -c; head -c 3 /dev/random | wc -c' '3 3'
story -k 'mount: /dev/full is full' mount_shows \
	'echo x 2>/dev/null >/dev/full || echo full' full
story -k 'mount: /dev has nothing else' mount_shows 'ls /dev' \
	'fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero'
story -k 'mount: /dev nodes are owned by root and mode 666' mount_shows \
	'stat -c %u:%g:%a /dev/null /dev/tty' '0:0:666 0:0:666'
story -k 'mount: /dev/fd and stdin are links' mount_shows \
	'echo x | cat /dev/stdin /dev/fd/0' x
story -k 'mount: /dev takes no other device' mount_shows \
	'mknod /dev/x c 1 3 2>/dev/null || echo no' no
story -k 'mount: /proc is its own' mount_shows \
	'set -- /proc/[0-9]*; echo "$#" "$1" "$2"' '2 /proc/1 /proc/2'
story -k 'mount: shm, mqueue and run are there' mount_shows \
	'for d in /dev/shm /dev/mqueue /run; do
		touch $d/x && grep " $d " /proc/mounts | cut -d " " -f 3
	done' 'tmpfs mqueue tmpfs'
story -k 'mount: /run/host/container-manager says crun' mount_shows \
	'cat /run/host/container-manager' crun
story -k 'mount: /sys is read-only' mount_shows \
	'echo 1 2>/dev/null >/sys/kernel/uevent_seqnum || echo no
	mkdir /sys/x 2>/dev/null || echo no
	grep -c " /sys sysfs ro," /proc/mounts' 'no no 1'
story -k 'mount: /proc/sys is read-only' mount_shows \
	'for f in kernel/hostname kernel/shmmax fs/mqueue/msg_max; do
		cat /proc/sys/$f >/dev/null &&
		echo 5 2>/dev/null >/proc/sys/$f || echo no
	done' 'no no no'
story -k 'mount: /proc/sys/net is writable' mount_shows \
	'echo 1 >/proc/sys/net/ipv4/ip_forward &&
	cat /proc/sys/net/ipv4/ip_forward' 1
story -k 'mount: a mount of its own works inside' mount_shows \
	'mount -t tmpfs none /mnt && touch /mnt/x && umount /mnt && echo ok' ok
story -k 'mount: a bind of its own works inside' mount_shows \
	'mount --bind /etc /mnt && ls /mnt/passwd' /mnt/passwd
story -k 'mount: a mask taken off gives nothing that the host keeps' mount_shows \
	'umount -l /proc/sys; mount -o remount,bind,rw /sys
	for f in /proc/sys/vm/drop_caches /proc/sys/kernel/panic \
		/proc/sys/fs/file-max /sys/module/printk/parameters/time; do
		[ ! -e $f ] || echo 1 2>/dev/null >$f || echo no
	done
	mount -t proc none /mnt && cat /mnt/kallsyms 2>/dev/null |
		grep -qv "^00*0 " && echo symbols
	echo end' 'no no no no end'
story -k 'mount: a second /sys is not freer than the first' mount_shows \
	'mount -t sysfs none /mnt 2>/dev/null &&
		{ mkdir /mnt/fs/cgroup/x || mount -o remount,rw /mnt; } \
		2>/dev/null || echo no' no
story -k 'mount: (wall 13) no mount of the host is to be seen' mount_shows \
	'cut -d " " -f 5 /proc/self/mountinfo | grep -e crt -e /var
	true' ''
story -k 'mount: / is one mount and not on another' mount_shows \
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
story -k "mount: (wall 13) the host's root is gone" mount_old_root

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
	story -k "mount: $f is masked" mount_masked_file "$f"
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
	story -k "mount: $f is masked" mount_masked_folder "$f"
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
story -k 'mount: (wall 2) every path of the table is masked' mount_masked_all config_masked
story -k 'mount: (wall 2) and of the one for userns=none' mount_masked_all \
	config_masked_privileged userns=none

mount_nesting() {
	conf nesting=yes
	inside 'mount -t proc none /mnt && ls -d /mnt/self &&
		grep -c -e /kcore -e /proc/sys /proc/self/mountinfo
		head -c 1 /proc/interrupts >/dev/null && echo ok'
	is 'printed' '/mnt/self 0 ok' "$(xargs <out)"
}
story -k 'mount: nesting=yes lifts the masks' mount_nesting

# what a bind lets through, seen from inside
mount_bind() {
	own_root
	mkdir d
	echo hello >d/f
	cp "$here/build/test/probe" d/p
	conf "bind=d:$1"
	inside "$2"
	is 'printed' "$3" "$(xargs <out)"
}
story -k 'mount: bind of a folder' mount_bind /mnt:idmap \
	'cat /mnt/f; echo x >/mnt/new && cat /mnt/new' 'hello x'
story -k 'mount: bind to a target that is made' mount_bind /made/by/crun \
	'cat /made/by/crun/f; stat -c %a:%u /made /made/by' 'hello 755:0 755:0'
story -k 'mount: bind without idmap is nobody' mount_bind /mnt \
	'stat -c %u /mnt/f; echo x 2>/dev/null >/mnt/new || echo no' \
	'65534 no'
story -k 'mount: bind with idmap is root' mount_bind /mnt:idmap \
	'stat -c %u /mnt/f' 0
story -k 'mount: bind ro' mount_bind /mnt:ro,idmap \
	'echo x 2>/dev/null >/mnt/new || echo no' no
story -k 'mount: bind noexec' mount_bind /mnt:noexec,idmap \
	'/mnt/p fds 2>/dev/null || echo no' no
story -k 'mount: bind without noexec' mount_bind /mnt:idmap \
	'/mnt/p fds' '0 1 2'
story -k 'mount: bind nosuid nodev' mount_bind /mnt:nosuid,nodev \
	'grep " /mnt " /proc/mounts | grep -o rw,nosuid,nodev' \
	'rw,nosuid,nodev'
story -k 'mount: bind ro cannot be remounted' mount_bind /mnt:ro,idmap \
	'mount -o remount,bind,rw /mnt 2>/dev/null
	echo x 2>/dev/null >/mnt/new || echo no' no
story -k 'mount: bind noexec cannot be remounted' mount_bind \
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
story -k 'mount: bind of a file, to one that is made or is there' \
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
story -k 'mount: bind rec takes what is mounted below' mount_bind_rec

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
story -k 'mount: (wall 1) bind through a link stays in the rootfs' mount_bind_link

mount_tmpfs() {
	own_root
	conf tmpfs=/mnt:size=1M,mode=750 tmpfs=/made/x
	inside 'stat -c %a:%u /mnt /made/x
		df -k /mnt | awk "NR == 2 { print \$2 }"
		dd if=/dev/zero of=/mnt/f bs=64k 2>/dev/null || echo full
		touch /made/x/f'
	is 'printed' '750:0 1777:0 1024 full' "$(xargs <out)"
}
story -k 'mount: tmpfs with size and mode' mount_tmpfs

# What stands later in the file lies over what came before, of both kinds; and
# so it is when crun set has written the configuration anew.
mount_order() {
	own_root
	mkdir -p below/sub
	echo below >below/sub/file
	conf "bind=$t/below:/mnt" tmpfs=/mnt/sub:mode=711 \
		tmpfs=/media:mode=711 "bind=$t/below:/media/sub"
	seen='for d in /mnt/sub /media; do stat -c "%a $(echo $d/*)" $d; done
		cat /media/sub/sub/file'
	expected='711 /mnt/sub/* 711 /media/sub below'
	inside "$seen"
	is 'in the order of the file' "$expected" "$(xargs <out)"
	run 0 -n
	grep -E '^(bind|tmpfs)=' out >printed
	tail -n 4 c.conf >asked
	cmp -s asked printed || wrong "$(cat asked)" "$(cat printed)"
	background -- sleep 1000
	want 0 "$crun" set "$name" pids=100
	want 0 "$crun" reboot "$name"
	want 0 "$crun" exec "$name" sh -c "$seen"
	is 'after a reboot' "$expected" "$(xargs <out)"
	want 0 "$crun" kill "$name"
}
story -k 'mount: bind and tmpfs, in the order of the file' mount_order

# Neither can be idmapped.  The path of the one has a blank, which mountinfo(5)
# has as \040; the other's line there is longer than 2,048 bytes.
mount_not_idmapped() {
	mounted ramfs mode=755 "$t/a b"
	lower=''
	for i in 1 2 3 4 5 6 7 8; do
		dir=$t/lower/$(printf '%0200d' "$i")
		mkdir -p "$dir"
		lower=$lower${lower:+:}$dir
	done
	mounted overlay "lowerdir=$lower" "$t/overlay"
	conf "bind=$t/a b:/mnt:idmap"
	run 125 -- true
	says "idmapping $t/a b: a file system of type ramfs cannot be"
	conf "bind=$t/overlay:/mnt:idmap"
	run 125 -- true
	says "idmapping $t/overlay: a file system of type overlay cannot be"
}
story -k 'mount: a bind that cannot be idmapped, and its file system' \
	mount_not_idmapped

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
story -k 'mount: readonly=yes' mount_readonly

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
story -k 'mount: dns writes resolv.conf, and only when it differs' \
	mount_resolv

mount_resolv_link() {
	own_root
	ln -sf "$1" root/etc/resolv.conf
	conf dns=9.9.9.9
	inside 'cat /etc/resolv.conf'
	prints 'nameserver 9.9.9.9'
	is 'the link' "$1" "$(readlink root/etc/resolv.conf)"
}
story -k 'mount: (wall 1) dns through a dangling link into /run' mount_resolv_link \
	/run/systemd/resolve/stub-resolv.conf
story -k 'mount: (wall 1) dns through a relative dangling link into /run' \
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
story -k 'mount: dns into a FIFO is refused and not waited for' \
	mount_resolv_odd mkfifo
story -k 'mount: dns into a folder is refused' mount_resolv_odd mkdir

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
story -k 'mount: /etc/hostname is written for the hostname key only' \
	mount_hostname

# Links of a hostile rootfs.  What they point at on the host must stay as it
# is, whether the start works or is refused, though everybody may write there.
mount_canary() {
	mkdir -p "$hall/canary/sub"
	for f in f resolv.conf hostname sub/f; do
		echo safe >"$hall/canary/$f"
	done
	chmod -R a+w "$hall/canary"
	find "$hall/canary" -printf '%p %m %u %g %s %T@\n' | sort >before
	ln -sfn "$hall/canary" root/chain
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
	own_root
	for to in "$hall/canary" "$up$hall/canary" \
		"/proc/1/root$hall/canary" "/proc/self/cwd/canary" /chain; do
		rm -rf "$hall"
		mount_canary "$1" "$to" "${2:-}"
	done
	rm -rf "$hall"
}
for where in etc run tmp mnt root 'etc/resolv.conf etc/hostname' \
	'proc' 'sys' 'dev' 'dev/pts' 'tmp mnt etc' 'run/host' 'tmp/crt-b'; do
	story -k "mount: (wall 1) a rootfs whose $where points at the host" canaries \
		"$where"
	story -k "mount: (wall 1) a rootfs whose $where points at the host, userns=none" \
		canaries "$where" userns=none
	story -k "mount: (wall 1) a rootfs whose $where points at the host, nesting=yes" \
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
story -k 'mount: (wall 2) nodes that a rootfs brings along are covered, unchanged' \
	mount_fake_nodes

mount_view() {
	expected=$1
	shift
	conf "$@"
	inside 'grep " /sys/fs/cgroup" /proc/mounts | cut -d " " -f 2-3'
	is 'mounts' "$expected" "$(xargs <out)"
}
story -c 'mount: cgroup.view=auto is v2 for a program' mount_view \
	'/sys/fs/cgroup cgroup2'
story -c 'mount: cgroup.view=v2' mount_view '/sys/fs/cgroup cgroup2' \
	cgroup.view=v2
story -c 'mount: cgroup.view=v1' mount_view \
	'/sys/fs/cgroup tmpfs /sys/fs/cgroup/systemd cgroup' cgroup.view=v1
story -c 'mount: cgroup.view=v1, userns=none' mount_view \
	'/sys/fs/cgroup tmpfs /sys/fs/cgroup/systemd cgroup' cgroup.view=v1 \
	userns=none
story -c 'mount: cgroup.view=none' mount_view '' cgroup.view=none

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
story -c 'mount: cgroup.view=auto is v1 for systemd 232' \
	mount_view_systemd 232 "$v1_view"
story -c 'mount: cgroup.view=auto is v2 for systemd 247' \
	mount_view_systemd 247 '/sys/fs/cgroup cgroup2'
story -c "mount: cgroup.view=auto reads Ubuntu's name of systemd" \
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
story -ks 'mount: a disk of the host cannot be mounted' mount_disk

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
story -ks 'mount: a device node of the rootfs cannot be opened' \
	mount_device_node
