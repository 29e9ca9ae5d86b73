# machines.sh - virtual machines with kernels of their own.
#
# An OS takes minutes where it is emulated, so each is booted once with each
# kind of cgroups that matters to it.

# machine NAME OPTION... [STORY ...]: test/vm with them, and a log of that name;
# what failed or was skipped in it is shown
machine() {
	[ ! "${CRUN_IN_VM:-}" ] || skip 'this is the virtual machine'
	log=$1
	shift
	rc=0
	cmd="test/vm $*"
	outside env CRUN_VM="$log" sh "$here/test/vm" "$@" \
		>out.vm 2>err.vm || rc=$?
	[ "$rc" -ne 77 ] || skip "no such machine: $(tail -n 1 err.vm)"
	grep -v '^# [0-9]* skipped' out.vm |
		grep -e '^not ok' -e '# SKIP' -e '^#' -e ' passed, ' |
		sed 's/^/# /' || :
	if [ "$rc" -ne 0 ]; then
		tail -n 20 err.vm
		exit 1
	fi
	tail -n 1 out.vm | grep -q '^[1-9][0-9]* passed, 0 failed' ||
		wrong 'a sum without failures' "$(tail -n 1 out.vm)"
}

limit=1500
story 'vm: User Mode Linux with cgroup v2' machine uml -k uml -c v2 -t 1400 -- -c
limit=4500
story -l 'vm: Linux 6.12 with cgroup v2' machine 6.12-v2 \
	-k 6.12 -c v2 -t 3600 -- -k
limit=4500
story -l 'vm: Linux 6.1 with cgroup v1' machine 6.1-v1 \
	-k 6.1 -c v1 -t 3600 -- -k
limit=2700
story -l 'vm: Linux 6.12: packages and containers inside a guest' \
	machine 6.12-guests -k 6.12 -c v2 -t 2400 os:.nginx os:.podman
limit=2700
story -l 'vm: Linux 6.1: OSes and packages' machine 6.1-guests \
	-k 6.1 -c v1 -t 2400 os:.bookworm os:.busybox os:.nginx live:.busybox
limit=2700
story -l 'vm: Linux 6.12: OSes' machine 6.12-os -k 6.12 -c v2 -t 2400 \
	os:.busybox os:.bookworm os:.bullseye os:.a.folder \
	live:.twenty live:.bookworm live:.busybox live:.finit live:.sid \
	live:.sysvinit
limit=2700
story -l 'vm: Linux 6.12: OpenRC and runit' machine 6.12-others -k 6.12 -c v2 -t 2400 \
	live:.openrc live:.runit
limit=2700
story -l 'vm: Linux 6.1: sysvinit' machine 6.1-others \
	-k 6.1 -c v1 -t 2400 live:.sysvinit
limit=1800
story -l 'vm: Linux 5.10' machine 5.10 -k 5.10 -c hybrid -t 1500 '^old:' \
	', userns=none$'
limit=900
story -l 'vm: an initramfs' machine initramfs -k 6.12 -i -t 600
