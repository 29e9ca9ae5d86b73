# idmap.sh - ids.

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
story -k 'idmap: userns=auto is a range of 65536, the same each time' \
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
story -k 'idmap: two containers at once have ranges apart' idmap_two

idmap_none() {
	conf userns=none
	run 0 -- cat /proc/self/uid_map
	is 'the map' '0 0 4294967295' "$(xargs <out)"
	says '^crun: c.conf:3: userns=none: root in .* is root of the host'
	lines 1
	run 0 -q -- true
	lines 0
}
story -k 'idmap: userns=none maps nothing and warns' idmap_none

# idmap_map MAPS KEY...
idmap_map() {
	maps=$1
	shift
	conf "$@"
	run 0 -- cat /proc/self/uid_map /proc/self/gid_map
	is 'the maps' "$maps" "$(xargs <out)"
}
story -k 'idmap: userns=HOSTID' idmap_map \
	'0 300000 65536 0 300000 65536' userns=300000
story -k 'idmap: userns=HOSTID:COUNT' idmap_map \
	'0 300000 1000 0 300000 1000' userns=300000:1000
story -k 'idmap: uidmap and gidmap' idmap_map \
	'0 300000 10 10 500000 1 0 400000 100' \
	uidmap=0:300000:10 uidmap=10:500000:1 gidmap=0:400000:100

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
story -k 'idmap: files on disk stay 0-based' idmap_files
story -k 'idmap: files on disk stay 0-based, userns=HOSTID' idmap_files \
	userns=300000
story -k 'idmap: files on disk stay 0-based, uidmap and gidmap' idmap_files \
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
story -k 'idmap: a folder starts under any range' idmap_any_range

idmap_shifted() {
	own_root
	chown -hR 300000:300000 root
	conf userns=300000
	inside 'stat -c %u:%g / /bin/busybox; echo x >/file'
	is 'inside' '0:0 0:0' "$(xargs <out)"
	is 'on disk' 300000:300000 "$(stat -c %u:%g root/file)"
}
story -k 'idmap: a rootfs of the range already is taken as it is' \
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
story -k 'idmap: an owner outside the map is nobody, and out of reach' \
	idmap_unmapped

idmap_setuid() {
	own_root
	cp root/bin/busybox root/bin/suid
	chown 0:0 root/bin/suid
	conf
	inside 'cp /bin/busybox /tmp/suid; chmod 4755 /tmp/suid'
	is 'on disk' '4755 0' "$(stat -c '%a %u' root/tmp/suid)"
}
story -k 'idmap: (wall 7) a setuid file of the container is on disk as it is' \
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
story -k 'idmap: (wall 7) a rootfs that users of the host can enter' idmap_open

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
story -k 'idmap: twelve containers, twelve ranges' idmap_pool
