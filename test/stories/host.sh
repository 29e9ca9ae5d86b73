# host.sh - a host, or a rootfs, that is not as it should be.



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
story -k 'host: a start that fails has made nothing in the folder' \
	host_nothing_made

story 'host: a program that is not found' fails_conf 127 \
	'program nosuch: not found' '' -- nosuch
story 'host: a program that is not found by its path' fails_conf 127 \
	'program /bin/nosuch: not found' '' -- /bin/nosuch
story 'host: a program that is not executable' fails_conf 126 \
	'program /etc/passwd is not executable, chmod .x helps: Permission denied' '' -- /etc/passwd
# as execvp(3)
host_path() {
	own_root
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

story -c 'host: a controller that no kernel has' fails_conf 125 \
	'c.conf:3: cgroup.nosuch.max=1: the host has no nosuch controller' \
	cgroup.nosuch.max=1 -- true
story -c 'host: a file that no controller has' fails_conf 125 \
	'c.conf:3: cgroup.pids.nosuch=1: there is no file pids.nosuch' \
	cgroup.pids.nosuch=1 -- true
story -c 'host: a processor that is not there' fails_conf 125 \
	'c.conf:3: cpuset.*8000' cpuset=8000 -- true

host_rlimit() {
	conf rlimit.nofile=5000
	want 125 setpriv --bounding-set=-sys_resource \
		--inh-caps=-sys_resource sh -c \
		'ulimit -n 1000 && exec "$0" -c c.conf -- true' "$crun"
	says '^crun: c.conf:3: rlimit.nofile=5000.*hard limit'
	lines 1
}
story -c "host: a limit above crun's own" host_rlimit

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
story -k 'host: a read-only rootfs without /proc' host_readonly proc
story -k 'host: a read-only rootfs without /dev' host_readonly dev

host_made_folders() {
	own_root
	rmdir root/proc root/sys root/dev root/run
	conf
	inside 'ls -d /proc/1 /sys/kernel /dev/null /run/host'
	is 'their owner' '0 0 0 0' "$(cd root &&
		stat -c %u proc sys dev run | xargs)"
}
story -k 'host: a rootfs without folders to mount on gets them' \
	host_made_folders

host_link() {
	own_root
	rm -rf "root/${1:?}"
	ln -s "$2" "root/$1"
	conf
	fails 125 "/$1 .*must be a folder" -- true
}
story -k 'host: (wall 1) a rootfs whose /proc is a symbolic link' host_link proc /tmp
story -k 'host: (wall 1) a rootfs whose /sys is a symbolic link' host_link sys /tmp
story -k 'host: (wall 1) a rootfs whose /dev is a symbolic link' host_link dev tmp
story -k 'host: (wall 1) a rootfs whose /dev is a dangling link' host_link dev /nosuch

host_file() {
	own_root
	rm -rf "root/${1:?}"
	: >"root/$1"
	conf
	fails 125 "/$1 .*Not a directory" -- true
}
story -k 'host: a rootfs whose /proc is a file' host_file proc
story -k 'host: a rootfs whose /run is a file' host_file run

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
story -ks 'host: a rootfs that is full' host_full_rootfs

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
story -k 'host: a failed start takes back its folders' \
	host_takes_back_its_own ''
story -k 'host: a failed start takes back no other folder of that name' \
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
story -k 'host: a /run that is full' host_full_run

host_no_idmap() {
	mkdir upper work
	mounted overlay "lowerdir=$root,upperdir=upper,workdir=work" "$t/m"
	root=$t/m
	conf
	fails 125 'overlay.*userns=' -- true
}
story -k 'host: a file system that cannot be idmapped' host_no_idmap

host_overlay_none() {
	mkdir upper work
	mounted overlay "lowerdir=$root,upperdir=upper,workdir=work" "$t/m"
	root=$t/m
	conf userns=none
	inside 'echo x >/tmp/x && echo ok'
	prints ok
}
story -k 'host: what it advises for that, userns=none, works' \
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
story -k 'host: files of the rootfs after a failed start' host_files_back

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
	says '^crun: command line: cloning the program.*; the limit pids is too low'
	lines 1
	background pids=2 -- sleep 1000
	verb 125 exec "$name" true
	says "^crun: .*cloning the program.*; the limit pids is too low"
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
story -c 'host: limits too low for a start' host_low_limits

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
story -k 'host: more maps than the kernel takes' host_long_map
