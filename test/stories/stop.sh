# stop.sh - ends and reboots.

stop_poweroff() {
	os_conf
	want 0 "$pty" "$prompt" 'send:poweroff\r' 'expect:busybox: down' -- \
		"$crun" -c c.conf
	lines 0
}
story -k 'stop: a power-off inside gives status 0' stop_poweroff

stop_halt() {
	os_conf
	want 0 "$pty" "$prompt" 'send:halt\r' -- "$crun" -c c.conf
}
story -k 'stop: a halt inside gives status 0' stop_halt

stop_poweroff_force() {
	os_conf
	want 0 "$pty" "$prompt" 'send:poweroff -f\r' -- "$crun" -c c.conf
}
story -k 'stop: poweroff -f, without the init, gives status 0' \
	stop_poweroff_force

stop_reboot() {
	os_conf bridge="$br" ip="$net.2/24"
	show='ip addr show eth0 | grep -e inet -e ether; cat /proc/uptime'
	want 0 "$pty" "$prompt" "send:$show\\r" 'expect:inet ' "$prompt" \
		'send:touch /run/first\r' "$prompt" 'send:reboot\r' \
		'expect:busybox: down' 'expect:BusyBox v' "$prompt" \
		'send:ls /run/first\r' 'expect:No such file' "$prompt" \
		"send:$show\\r" 'expect:inet ' "$prompt" \
		"send:ping -c 1 -W 2 $net.1\\r" 'expect: 0% packet loss' \
		"$prompt" 'send:poweroff\r' -- "$crun" -c c.conf
	is 'addresses, different ones' 2 "$(tr -d '\r' <out |
		grep -e 'inet 10' -e 'link/ether' | sort -u | wc -l)"
	is 'addresses' 4 "$(grep -c -e 'inet 10' -e 'link/ether' out)"
}
story -kw 'stop: a reboot inside starts it anew, with the same addresses' \
	stop_reboot

stop_reboot_many() {
	own_root
	printf '#!/bin/sh\nn=$(cat /n 2>/dev/null || echo 0)\necho $((n + 1)) >/n
		[ $n -lt 20 ] && reboot -f\npoweroff -f\n' >root/sbin/again
	chmod 755 root/sbin/again
	conf init=/sbin/again bridge="$br" ip="$net.2/24" memory=64M
	run 0
	is 'starts' 21 "$(cat root/n)"
}
story -k 'stop: twenty reboots' stop_reboot_many

stop_init_status() {
	own_root
	printf '#!/bin/sh\nsleep 1.1\n%s\n' "$2" >root/sbin/die
	chmod 755 root/sbin/die
	conf init=/sbin/die
	run "$1"
	lines 0
}
story -k "stop: an init's own status 0" stop_init_status 0 'exit 0'
story -k "stop: an init's own status 42" stop_init_status 42 'exit 42'

# os_up: a busybox OS in the background
os_up() {
	cmd="$crun -c c.conf"
	"$crun" -c c.conf >up.out 2>up.err </dev/null &
	sup=$!
	echo "$sup" >>kids
	# getty may flush what was printed before it
	soon grep -q '/ # ' up.out
	init=$(init_of "$name")
}

stop_term() {
	os_conf
	os_up
	kill "-$1" "$sup"
	ends 0 "$sup"
	grep -q 'busybox: down' up.out || wrong 'rcK was run' "$(cat up.out)"
	is 'standard error' '' "$(cat up.err)"
}
for sig in TERM INT HUP; do
	story -k "stop: $sig powers a busybox OS off in order" stop_term "$sig"
done

stop_link() {
	os_conf bridge="$br" ip="$net.2/24"
	os_up
	link=$(sed -n 's/^link //p' "/run/crun-os/$name/host")
	[ -e "/sys/class/net/$link" ] || wrong "a link $link" none
	kill "$sup"
	ends 0 "$sup"
	[ ! -e "/sys/class/net/$link" ] || wrong "no $link" 'still there'
}
story -k 'stop: an OS that has ended has left no link' stop_link

# a signal to a PID 1 without a handler for it is lost
stop_not_ready() {
	own_root
	cat >root/sbin/slow <<-'END'
	#!/bin/sh
	echo up
	sleep 0.7
	trap 'echo told; exit 6' TERM
	while :; do sleep 0.02; done
	END
	chmod 755 root/sbin/slow
	conf init=/sbin/slow stop.signal=TERM stop.timeout=20
	up
	kill "$sup"
	secs=5 ends 6 "$sup"
}
story -k 'stop: an init that is not ready to hear it is asked again' \
	stop_not_ready

stop_term_early() {
	os_conf
	for wait in 0 0.001 0.002 0.005 0.01 0.02 0.05; do
		"$crun" -c c.conf >up.out 2>up.err </dev/null &
		sup=$!
		echo "$sup" >>kids
		# before it is crun, the signal would be for the shell's child
		until [ "$(readlink "/proc/$sup/exe")" = "$crun" ]; do :; done
		sleep "$wait"
		kill "$sup"
		tries=0
		while [ -e "/proc/$sup/exe" ] && [ "$tries" -lt 400 ]; do
			tries=$((tries + 1))
			sleep 0.02
		done
		[ ! -e "/proc/$sup/exe" ] || wrong 'an end within 8 s' \
			"none, TERM after $wait s"
		rc=0
		wait "$sup" || rc=$?
		case $rc in
		0 | 143) ;;
		*) wrong 'status 0 or 143' "$rc, TERM after $wait s" ;;
		esac
	done
}
story -k 'stop: TERM at any moment of the start ends it' stop_term_early

# an init that does not do as it is told
stubborn() {
	own_root
	cat >root/sbin/stubborn <<-'END'
	#!/bin/sh
	trap 'echo told' TERM USR2 INT
	echo up
	while :; do sleep 0.05; done
	END
	chmod 755 root/sbin/stubborn
	conf init=/sbin/stubborn stop.signal=TERM "$@"
	up
}

stop_second() {
	stubborn
	kill "$sup"
	soon grep -q told up.out
	kill "$sup"
	ends 137 "$sup"
	grep -q '^crun' up.err || :
}
story -c 'stop: a second TERM kills' stop_second

stop_timeout() {
	stubborn stop.timeout=1
	kill "$sup"
	ends 137 "$sup"
	is 'told' 1 "$(grep -c told up.out)"
	grep -q "^crun: $name: did not power off in 1 s; killed" up.err ||
		wrong 'said so' "$(cat up.err)"
}
story -c 'stop: after stop.timeout it is killed, and that is said' \
	stop_timeout

stop_signal_key() {
	own_root
	cat >root/sbin/picky <<-'END'
	#!/bin/sh
	for s in TERM INT USR1 USR2 PWR; do
		trap "echo got $s; exit 6" $s
	done
	echo up
	while :; do sleep 0.02; done
	END
	chmod 755 root/sbin/picky
	conf init=/sbin/picky stop.signal="$1"
	up
	kill "$sup"
	ends 6 "$sup"
	is 'it got' "up got ${1#SIG}" "$(tr -d '\r' <up.out | xargs)"
}
for sig in USR1 SIGPWR INT; do
	story "stop: stop.signal=$sig" stop_signal_key "$sig"
done

# stop_asked EXE POWEROFF REBOOT: the signals that an init of that name gets
stop_asked() {
	own_root
	rm -f "root/sbin/$1"
	cp "$probe" "root/sbin/$1"
	conf init="/sbin/$1 told"
	up
	verb 0 reboot "$name"
	verb 0 stop "$name"
	ends 0 "$sup"
	is 'it was told' "up $3 up $2" "$(tr -d '\r' <up.out | xargs)"
}
# "init": of sysvinit, from 3.10 on
while read -r exe poweroff reboot; do
	story "stop: signal $poweroff powers $exe off, $reboot reboots it" \
		stop_asked "$exe" "$poweroff" "$reboot"
done <<'END'
init 38 2
procd 12 15
s6-svscan 10 2
dinit 15 2
END

stop_frozen() {
	os_conf stop.timeout=1
	os_up
	verb 0 freeze "$name"
	kill "$sup"
	ends 137 "$sup"
}
story -c 'stop: a frozen container is killed after stop.timeout' stop_frozen

# by whom it is not crun's to know
stop_frozen_v1() {
	need_freezer
	conf stop.timeout=5
	idle
	freeze "$v1/crun-os/$name"
	kill "$sup"
	secs=3 ends 143 "$sup"
	conf stop.timeout=3
	up -- sh -c 'trap "echo told" TERM; echo up; while :; do sleep 0.05; done'
	kill "$sup"
	soon grep -q told up.out
	echo FROZEN >"$v1/crun-os/$name/freezer.state"
	secs=8 ends 137 "$sup"
}
story -c 'stop: its group of the v1 freezer is thawed' stop_frozen_v1

# several that cannot die, two of them below PID 1's program
stop_undying() {
	need_freezer
	conf stop.timeout=1
	up -- sh -c 'sleep 1000 & sleep 1000 & echo up; wait'
	init=$(init_of "$name")
	# shellcheck disable=SC2046 # pids are words
	freeze "$freezer" "$init" $(cat "$v2/crun-os/$name/payload/cgroup.procs")
	kill "$sup"
	soon grep -q 'did not power off in 1 s; killed' up.err
	begun=$(date +%s%3N)
	secs=15 ends 137 "$sup"
	lasts_patience
	cp up.err err
	says "^crun: $name: $v2/crun-os/$name: pid [0-9]+ \(.*\) does not die: it is frozen by another cgroup; echo THAWED >$freezer/freezer.state thaws it; left to crun clean\$"
	lines 2
	[ -e "/proc/$init/exe" ] || wrong 'it lives' 'it ended'
	verb 0 list
	prints_like "^$name +dead "
	thaw "$freezer"
	verb 0 clean
	says "^crun: $name: removed what a killed supervisor left\$"
	[ ! -e /run/crun-os ] || wrong 'no /run/crun-os' "$(ls -RA /run/crun-os)"
}
story -c 'stop: what cannot die is left, and told of' stop_undying

stop_stopped() {
	conf stop.timeout=1
	idle
	program=$(pgrep -P "$init")
	kill -STOP "$program"
	soon grep -q '^State:.T' "/proc/$program/status"
	kill "$sup"
	ends 137 "$sup"
}
story -k 'stop: a stopped program is killed after stop.timeout' stop_stopped

stop_fork_bomb() {
	conf pids=200 memory=200M
	up -- /bin/sh -c 'b() { b | b & }; echo up; b 2>/dev/null; sleep 1000'
	sleep 0.5
	kill -TERM "$sup"
	sleep 0.2
	kill -TERM "$sup" 2>/dev/null || :
	tries=0
	while [ -e "/proc/$sup/exe" ] && [ "$tries" -lt 500 ]; do
		tries=$((tries + 1))
		sleep 0.02
	done
	[ ! -e "/proc/$sup/exe" ] || wrong 'an end' none
	wait "$sup" || :
}

# where sysvinit has its FIFO: open(2) of it is put off for 45 s
stop_leased() {
	os_conf 'init=/sbin/init lease /run/initctl'
	cp --remove-destination "$probe" root/sbin/init
	background
	soon grep -q ok "/run/crun-os/$name/log"
	secs=$((5 * slow)) verb 137 stop -t 1 "$name"
	says "^crun: $name did not power off in time and was killed"
	gone
}
story -k 'stop: an init with a lease of what it is asked by' stop_leased

story -c 'stop: a fork bomb is stopped and leaves nothing' stop_fork_bomb

# with no handler, it hears nothing; the guest's own programs end it
stop_guest() {
	os_conf init=/strange stop.timeout=5
	printf '%s\n' '#!/bin/sh' 'echo up' 'while :; do sleep 1000; done' \
		>"$root/strange"
	for w in poweroff reboot; do
		rm -f "$root/sbin/$w"
		printf '#!/bin/sh\n[ ! -t 0 ] && exec busybox %s -f\n' "$w" \
			>"$root/sbin/$w"
	done
	chmod 755 "$root/strange" "$root/sbin/poweroff" "$root/sbin/reboot"
	background
	soon grep -q up "/run/crun-os/$name/log"
	verb 0 reboot "$name"
	lines 0
	verb 0 stop "$name"
	lines 0
	gone
	# a program that hangs is no reason to hang
	printf '#!/bin/sh\nsleep 1000\n' >"$root/sbin/poweroff"
	background
	verb 137 stop -t 1 "$name"
	gone
}
story 'stop: an init that nobody knows, by its own poweroff' stop_guest

# The guest's own program ends with the container, whoever is PID 1 outside.
stop_guest_unreaped() {
	os_conf init=/strange stop.timeout=5
	printf '%s\n' '#!/bin/sh' 'echo up' 'while :; do sleep 1000; done' \
		>"$root/strange"
	for w in poweroff reboot; do
		rm -f "$root/sbin/$w"
		printf '#!/bin/sh\nexec busybox %s -f\n' "$w" >"$root/sbin/$w"
	done
	chmod 755 "$root/strange" "$root/sbin/poweroff" "$root/sbin/reboot"
	want 0 unshare -p --fork --mount-proc "$probe" noreap sh -ec '
		"$1" -d -q -c c.conf
		until grep -qs up "/run/crun-os/$2/log"; do :; done
		"$1" reboot "$2"
		until "$1" log "$2" | grep -c up | grep -q 2; do :; done
		exec "$1" stop "$2"' - "$crun" "$name"
	lines 0
}
story -k 'stop: its own poweroff, where PID 1 of the host reaps nobody' \
	stop_guest_unreaped

# told by its name, it would be another; TERM makes it reboot, and that ends it
stop_renamed() {
	os_conf init='/bin/busybox init'
	mv "$root/bin/busybox" "$root/bin/other"
	ln -s other "$root/bin/busybox"
	background --ready
	is init /bin/other "$(fact init)"
	verb 0 stop "$name"
	lines 0
	gone
}
story 'stop: a busybox by another name' stop_renamed

stop_disk_full() {
	os_conf
	mkdir small
	mounted tmpfs size=8m small
	cp -a "$root/." small
	chown -hR 500000:500000 small	# no idmapping before Linux 6.3
	root=$t/small
	conf userns=500000
	background --ready
	"$crun" exec "$name" sh -c 'cat /dev/zero >/fill' 2>err || :
	grep -q 'No space' err || wrong 'a full disk' "$(cat err)"
	verb 0 stop "$name"
	lines 0
	gone
}
story -k 'stop: a guest that has filled its disk' stop_disk_full

# The guest has rebooted, and nobody reads what it printed last: who asks for
# the end then does not see it come up again.
stop_late() {
	os_conf init=/sbin/once
	printf '%s\n' '#!/bin/sh' 'echo last' 'exec reboot -f' >root/sbin/once
	chmod 755 root/sbin/once
	mkfifo fifo
	exec 7<>fifo
	dd if=/dev/zero of=fifo bs=64k oflag=nonblock 2>dd.err || :
	grep -q 'Resource temporarily' dd.err || wrong 'a full fifo' "$(cat dd.err)"
	"$crun" -c c.conf >fifo 2>err </dev/null &
	sup=$!
	echo "$sup" >>kids
	soon grep -qs . "/run/crun-os/$name/pid"
	soon eval '"$crun" list | grep -q "^$name *ending"'
	kill "$sup"
	secs=5 ends 0 "$sup"
	exec 7<&-
}
story -k 'stop: TERM when the guest has rebooted and nobody reads' stop_late
