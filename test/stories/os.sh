# os.sh - operating systems.

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
for os in bookworm sysvinit openrc runit; do
	limit=150
	story "os: $os boots, reboots and powers off" boot_os "$os" login
done
for os in trixie sid bullseye finit; do
	limit=150
	story -l "os: $os boots, reboots and powers off" boot_os "$os" login
done
story -w 'os: busybox boots, reboots and powers off' boot_os busybox ''
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
	story -l "os: TERM powers $os off in order" os_term "$os"
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
limit=250
story -w 'live: bookworm in the background: list, exec, reboot, stop' \
	live_os bookworm login:
for os in trixie sid sysvinit openrc runit finit; do
	limit=250
	story -l "live: $os in the background: list, exec, reboot, stop" \
		live_os "$os" login:
done
limit=100
story -w 'live: busybox in the background: list, exec, reboot, stop' \
	live_os busybox '/ # '

# a person at a terminal: log in, a full-screen program, resize, let go, come
# back, log out
live_session() {
	copy_tree "$1"
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
	# top is still there: its last screen, then one that is drawn anew
	want 0 "$pty" -t "$((60 * slow))" size:30x100 'expect:load average' \
		'expect:load average' 'send:q' 'expect:# ' \
		'send:stty size\r' 'expect:30 100' \
		'send:logout\r' 'expect:login:' 'send:\x1d\x1d\x1d' wait -- \
		"$crun" console "$name"
	verb 0 stop "$name"
	secs=
	gone
}
limit=250
story -w 'live: a session at a terminal: log in, top, resize, let go, log out' \
	live_session bookworm

# The init of busybox waits in sigtimedwait(2), which hides what it takes.
live_signal() {
	copy_tree "$1"
	conf stop.signal=USR2 reboot.signal=TERM stop.timeout=20
	run 0 -q -d --ready
	sup=$(sed -n 2p "/run/crun-os/$name/pid" | cut -d ' ' -f 1)
	verb 0 reboot "$name"
	secs=60 verb 0 stop "$name"
	gone
}
secs=60
story -w 'live: stop.signal and reboot.signal for busybox' live_signal busybox
secs=

# Its getty, which is idle for 5 s at most, has printed the prompt by then.
live_ready() {
	copy_tree "$1"
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
story -w 'live: ready when systemd says so, not at its prompt' live_ready bookworm

live_many() {
	want 0 env SCALE_ROUNDS=1 sh "$here/test/scale" "$((20 / fewer))"
	sed 's/^/# /' out
}
secs=120 limit=200
story 'live: twenty started, listed, entered and stopped at once' live_many
secs=

# what a service of systemd asks for, in a container that is itself allowed to
os_sandboxes() {
	copy_tree "$1"
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
story -l 'os: bookworm runs services with sandboxes, nesting=yes' os_sandboxes bookworm

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
	guest '1 received' \
		"su - user -c 'ping -c 1 -W 5 $net.1' | grep -o '1 received'"
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
story -l 'os: nginx, postgresql and sshd are installed and run' os_packages guest

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
story -l 'os: podman, bwrap and unshare inside, nesting=yes' os_nested guest

os_archive() {
	copy_tree "$1"
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
story -l 'os: a folder that ran is archived, unpacked and runs elsewhere' \
	os_archive sysvinit
secs=
