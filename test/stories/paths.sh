# paths.sh - paths of the host that a file names.

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
story -k 'walls: (wall 1) a rootfs or bind by a link, and where it leads' \
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
story -k 'walls: rootfs.follow=yes, and the option follow' links_followed

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
story -k 'walls: (wall 1) a guest puts a link where another bind begins' \
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
story -k 'walls: (wall 1) a guest puts a link there and reboots' \
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
	own_root
	mine=$root
	for to in "$t/canary" ../../canary; do
		rm -rf data canary
		root=$mine
		link_planted_rootfs os/b "$to"
	done
}
story -k 'walls: (wall 1) a rootfs below a bind of another container' \
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
limit=$((120 + races / 4))
story -k 'walls: (wall 1) a rootfs and a bind that become links and back' \
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
story -k 'walls: a bind that is another at a reboot' lives_bind

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
story -k 'walls: a rootfs that is another at a reboot' lives_rootfs

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
story -k 'walls: with follow, a link that leads elsewhere at a reboot' lives_follow

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
story -k 'walls: an optional bind comes and goes over reboots' lives_optional

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
story -k 'walls: a bind that is another at a reboot, after crun set' lives_set

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
	story -k "walls: a container keeps no mount of a bind busy, $with" \
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
story -c 'walls: (wall 1) a device by a link, and one that is another at a reboot' \
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
story -c 'walls: a device by a link, in a container' links_device_nest

# A file system that nobody serves, as a dead NFS.
paths_unserved() {
	[ -c /dev/fuse ] || skip 'this kernel has no /dev/fuse'
	mkdir dead
	exec 7<>/dev/fuse
	mount -t fuse -o fd=7,rootmode=40000,user_id=0,group_id=0 none dead ||
		skip 'no FUSE here'
	echo "$t/dead" >>mounted
	conf bind="$t/dead/x:/mnt"
	"$crun" -c c.conf -- true 2>err &
	sup=$!
	echo "$sup" >>kids
	soon pgrep -P "$sup"
	kill "$sup"
	secs=2 ends 143 "$sup"
	says "^crun: $name: stopped by signal 15 while starting; opening $t/dead/x: pid [0-9]+ \(crun\) does not come back with it: "
	lines 1
	begun=$(date +%s%3N)
	run 125 -- true
	lasts_patience
	says "^crun: $name: opening $t/dead/x: pid [0-9]+ "
	lines 1
	exec 7<&-
}
story -kw 'paths: a file system that does not answer' paths_unserved
