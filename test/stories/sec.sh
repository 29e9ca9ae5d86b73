# sec.sh - capabilities and limits.

# the names of linux/capability.h in their order
all_caps='chown dac_override dac_read_search fowner fsetid kill setgid
setuid setpcap linux_immutable net_bind_service net_broadcast net_admin
net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace
sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config
mknod lease audit_write audit_control setfcap mac_override mac_admin syslog
wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore'

# cap_bits NAME...: their mask, as in /proc/PID/status
cap_bits() {
	bits=0 bit=0
	for cap in $all_caps; do
		for kept; do
			[ "$cap" != "$kept" ] || bits=$((bits | 1 << bit))
		done
		bit=$((bit + 1))
	done
	printf '%016x\n' "$bits"
}

kept_caps() {
	sed -n '/config_caps\[\]/,/};/p' "$here/config.h" |
		grep -o '"[a-z_]*"' | tr -d '"'
}

sec_caps() {
	conf "$@"
	run 0 -q -- grep ^Cap /proc/self/status
	none=0000000000000000
	is sets "CapInh: $none CapPrm: $bits CapEff: $bits CapBnd: $bits \
CapAmb: $none" "$(xargs <out)"
}
sec_caps_table() {
	# shellcheck disable=SC2046 # names
	bits=$(cap_bits $(kept_caps))
	sec_caps "$@"
}
story -k "sec: (wall 12) the capabilities are those of config.h" sec_caps_table

# without a user namespace there are no more than the caller has
sec_caps_none() {
	own=$(sed -n 's/^CapBnd:.//p' /proc/self/status)
	# shellcheck disable=SC2046 # names
	bits=$(cap_bits $(kept_caps))
	bits=$(printf '%016x' "$((0x$bits & 0x$own))")
	sec_caps userns=none
}
story -k "sec: (wall 12) the capabilities are those of config.h, userns=none" \
	sec_caps_none

sec_caps_key() {
	# shellcheck disable=SC2046 # names
	bits=$(cap_bits $(kept_caps | grep -v -x -e mknod -e net_raw) syslog)
	sec_caps 'caps=-mknod -net_raw +syslog'
}
story -k 'sec: (wall 12) the caps key takes some away and adds some' sec_caps_key

sec_caps_init() {
	own_root
	printf '#!/bin/sh\ngrep -e ^CapEff -e ^NoNew /proc/1/status\n' \
		>root/sbin/caps
	chmod 755 root/sbin/caps
	conf init=/sbin/caps
	run 0
	# shellcheck disable=SC2046 # names
	is printed "CapEff: $(cap_bits $(kept_caps)) NoNewPrivs: 0" \
		"$(tr -d '\r' <out | xargs)"
}
story -k 'sec: (wall 12) an init has the same' sec_caps_init

sec_inherited() {
	need setpriv
	conf
	# shellcheck disable=SC2046 # names
	bits=$(cap_bits $(kept_caps))
	none=0000000000000000
	for userns in auto none; do
		want 0 setpriv --inh-caps=+chown,+kill \
			--ambient-caps=+chown,+kill "$crun" -q -c c.conf \
			userns=$userns -- grep ^Cap /proc/self/status
		# with userns=none there are fewer
		[ "$userns" = auto ] || bits=$(sed -n 's/^CapBnd:	//p' out)
		is "sets, userns=$userns" "CapInh: $none CapPrm: $bits \
CapEff: $bits CapBnd: $bits CapAmb: $none" "$(xargs <out)"
	done
}
story -k 'sec: (wall 12) inheritable and ambient capabilities of the caller are gone' \
	sec_inherited

sec_setuid_inside() {
	own_root
	cp root/bin/probe root/bin/setuid
	chmod 4755 root/bin/setuid
	conf
	idle
	verb 0 exec -u 1000 "$name" grep NoNewPrivs /proc/self/status
	prints 'NoNewPrivs:	0'
	verb 0 exec -u 1000 "$name" probe euid
	prints 1000
	verb 0 exec -u 1000 "$name" setuid euid
	prints 0
	down
}
story -k 'sec: no_new_privs is off, setuid programs work' sec_setuid_inside

# sec_call CALL ERRNO...: one of these, by the capabilities alone
sec_call() {
	conf seccomp=none
	run 0 -- probe call "$1"
	call=$1
	shift
	echo " $* " | grep -q " $(cat out) " || wrong "$call: $*" "$(cat out)"
}
for call in settimeofday clock_settime swapon acct open_by_handle_at \
	mknod_block mknod_mem syslog; do
	story -k "sec: $call gives EPERM" sec_call "$call" EPERM
done
# a kernel may be built without these
for call in init_module delete_module kexec_load; do
	story -k "sec: $call gives EPERM or ENOSYS" sec_call "$call" EPERM ENOSYS
done

# keyless COMMAND...: what it runs finds no key of the caller's
keyless() {
	want 0 "$probe" key crt "$probe" findkey crt
	prints ok
	want 0 "$probe" key crt "$@" probe findkey crt
	case $(cat out) in
	ENOKEY | ENOSYS | EPERM) ;;
	*) wrong ENOKEY "$(cat out)" ;;
	esac
}

sec_keyring() {
	conf "$@"
	keyless "$crun" -c c.conf --
}
story -k "sec: the caller's keys are out of reach" sec_keyring
story -k "sec: the caller's keys are out of reach, without a filter of calls" \
	sec_keyring userns=none seccomp=none

sec_rlimit() {
	conf rlimit.nofile=100:200 rlimit.core=0 rlimit.cpu=unlimited \
		rlimit.stack=4M
	inside 'ulimit -S -n; ulimit -H -n; ulimit -c; ulimit -t; ulimit -s'
	is limits '100 200 0 unlimited 4096' "$(xargs <out)"
	run 0 -- grep -e 'Max open files' -e 'Max core' /proc/1/limits
	prints_like 'open files +100 +200'
}
story -k 'sec: rlimits' sec_rlimit

sec_host_settings() {
	conf
	before=$(cat /proc/sys/kernel/hostname /proc/sys/kernel/panic \
		/proc/sys/vm/swappiness)
	inside 'for f in kernel/panic vm/swappiness kernel/core_pattern \
		kernel/modprobe fs/file-max kernel/printk; do
			echo 7 2>/dev/null >/proc/sys/$f && echo "set $f"
		done
		echo b 2>/dev/null >/proc/sysrq-trigger && echo sysrq
		hostname changed && hostname'
	prints changed
	is 'the host' "$before" "$(cat /proc/sys/kernel/hostname \
		/proc/sys/kernel/panic /proc/sys/vm/swappiness)"
}
story -k 'sec: (wall 14) no setting of the host can be changed' sec_host_settings

sec_kill_outside() {
	conf
	sleep 1000 &
	other=$!
	echo "$other" >>kids
	inside "kill -9 $other 2>/dev/null; kill -9 -1; echo ok"
	prints ok
	[ -e "/proc/$other/exe" ] || wrong 'it lives' 'killed'
	kill "$other"
	ends 143 "$other"
}
story -k 'sec: (wall 13) no process of the host can be reached' sec_kill_outside
