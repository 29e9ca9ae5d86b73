/* What a site may change; compiled in.  A container's own settings are in its
 * .conf file.  Each table is read by the file named over it. */
#include <errno.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "lib/numbers.h"

enum {				/* bits, as BPF_DEVCG_ACC_ of linux/bpf.h */
	DEVICE_MKNOD = 1, DEVICE_READ = 2, DEVICE_WRITE = 4
};

#define VERSION "0.1"

/* conf/conf.c: where a FILE without a slash is looked for, after this folder */
#define CONFDIR "/etc/crun"

/* conf/conf.c, conf/settings.c: refused above these */
enum { CONF_SIZE = 1 << 20, CONF_LINE = 4096 };

/* sup/marker.c: the run-time folder, mode 0700 */
#define STATEDIR "/run/crun-os"

/* sup/wait.c: how long a start, or the end of a life, waits for processes that
 * do not die and for locks that are held, in all */
enum { PATIENCE_MS = 10000 };

/* idmap.c: the pool that userns=auto takes its ranges from.  Above what
 * useradd(8), subuid(5) and systemd hand out, below 2^31. */
enum { POOL_FIRST = 0x70000000, POOL_RANGES = 4095, RANGE = 65536 };

/* idmap.c: the group of terminals, in the container's ids */
enum { TTY_GID = 5 };

/* cgroup.c: the folder that all groups are made in */
#define CGROUP_TOP "crun-os"
/* A systemd older than this cannot use cgroup v2: it is shown a v1 tree. */
enum { SYSTEMD_V2 = 233 };

/* net/nat.c: the bridge of net=nat, and the IPv4 addresses that it takes a
 * subnet of: NAT_RANGE of NAT_BITS, subnets of NAT_PREFIX bits */
#define NAT_BRIDGE "crun0"
#define NAT_RANGE_TEXT "10.88.0.0/16"
enum { NAT_RANGE = 10 << 24 | 88 << 16, NAT_BITS = 16, NAT_PREFIX = 24 };
/* With nat6: the first 48 bits of its IPv6 addresses, RFC 4193; the next 16 are
 * the number of the IPv4 subnet. */
#define NAT_RANGE6 { 0xfd, 0x63, 0x72, 0x75, 0x6e, 0x00 }

/* conf/conf.c: defaults of keys, as they would stand in a file */
#define DEF_CONTAINER "lxc"
#define DEF_IFNAME "eth0"
#define DEF_STOP_TIMEOUT "30"
#define DEF_CONSOLE_LOG "1M"

/* sup/detach.c: seconds that -d --ready waits; console lines shown when they
 * are over */
enum { READY_SECONDS = 90, READY_LINES = 10 };

/* tty/console.c: what is a prompt, at the very end of what a system that is up
 * has printed on its console */
static const char *const config_prompts[] = {
	"login: ", "login:", "# ", "$ ",
	"Please press Enter to activate this console.",
	"Please press Enter to activate this console. ",
};

/* ns/exec.c: what is tried, in this order, where init is not set */
static const char *const config_inits[] = {
	"/sbin/init", "/usr/lib/systemd/systemd", "/etc/init", "/bin/init",
	"/bin/sh",
};

/* ns/exec.c: an init of such a name has the console as its controlling
 * terminal, for job control.  Any other must not: a terminal has one session,
 * and the getty that the init starts could not take it over, ioctl_tty(2). */
static const char *const config_shells[] = {
	"sh", "ash", "bash", "dash", "ksh", "zsh",
};

/* ns/exec.c: the init's environment begins with these; then container, TERM
 * (where there is a terminal) and the env keys */
static const char *const config_env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME=/root",
};

/* sec/caps.c: capabilities kept, by name; every other is dropped from all
 * sets.  They hold in the container's user namespace only, unless userns=none.
 * net_admin is safe to keep since the network namespace is always its own. */
static const char *const config_caps[] = {
	"audit_control", "audit_write", "chown", "dac_override",
	"dac_read_search", "fowner", "fsetid", "ipc_owner", "kill", "lease",
	"linux_immutable", "mknod", "net_admin", "net_bind_service",
	"net_broadcast", "net_raw", "setfcap", "setgid", "setpcap", "setuid",
	"sys_admin", "sys_boot", "sys_chroot", "sys_nice", "sys_ptrace",
	"sys_resource", "sys_tty_config",
};

/* sec/seccomp.c: system calls that are refused, with their numbers on this
 * machine, on i386 and on arm (-1: there is none), and the errno that they
 * give.  The calls that this list leaves out are allowed. */
enum { BY_ARGUMENTS = -1, IF_PRIVILEGED = -2 };	/* ENOSYS with userns=none */
static const struct {
	int native, i386, arm, what;
} config_syscalls[] = {
	{ __NR_kexec_load, 283, 347, EPERM },
	{ __NR_kexec_file_load, -1, 401, EPERM },
	{ __NR_init_module, 128, 128, EPERM },
	{ __NR_finit_module, 350, 379, EPERM },
	{ __NR_delete_module, 129, 129, EPERM },
	{ __NR_create_module, 127, -1, EPERM },
	{ __NR_query_module, 167, -1, EPERM },
	{ __NR_get_kernel_syms, 130, -1, EPERM },
	{ __NR_open_by_handle_at, 342, 371, EPERM },
	{ __NR_swapon, 87, 87, EPERM },
	{ __NR_swapoff, 115, 115, EPERM },
	{ __NR_quotactl, 131, 131, EPERM },
	{ __NR_quotactl_fd, 443, 443, EPERM },
	{ __NR_acct, 51, 51, EPERM },
	{ __NR_iopl, 110, -1, EPERM },
	{ __NR_ioperm, 101, -1, EPERM },
	{ __NR_lookup_dcookie, 253, 249, EPERM },
	{ __NR_nfsservctl, 169, 169, EPERM },
	{ __NR_uselib, 86, 86, EPERM },
	{ __NR_ustat, 62, 62, EPERM },
	{ __NR_sysfs, 135, 135, EPERM },
	{ __NR__sysctl, 149, 149, EPERM },
	{ __NR_vm86, 166, -1, EPERM },
	{ __NR_vm86old, 113, -1, EPERM },
	{ __NR_bpf, 357, 386, EPERM },
	{ __NR_perf_event_open, 336, 364, EPERM },
	{ __NR_userfaultfd, 374, 388, EPERM },
	{ __NR_io_uring_setup, 425, 425, EPERM },
	{ __NR_io_uring_enter, 426, 426, EPERM },
	{ __NR_io_uring_register, 427, 427, EPERM },
	{ __NR_clock_settime, 264, 262, EPERM },
	{ __NR_clock_settime64, 404, 404, EPERM },
	{ __NR_settimeofday, 79, 79, EPERM },
	{ __NR_stime, 25, -1, EPERM },
	{ __NR_syslog, 103, 103, EPERM },
	{ __NR_add_key, 286, 309, IF_PRIVILEGED },
	{ __NR_request_key, 287, 310, IF_PRIVILEGED },
	{ __NR_keyctl, 288, 311, IF_PRIVILEGED },
	{ __NR_ioctl, 54, 54, BY_ARGUMENTS },
	{ __NR_socket, 359, 281, BY_ARGUMENTS },
	{ __NR_umount2, 52, 52, BY_ARGUMENTS },
};

/* sec/seccomp.c: arguments that are refused.  A call is when all its tests say
 * so: the argument, counted from 0, its low 32 bits and the mask are the
 * value. */
static const struct {
	int native;
	struct {
		int arg;
		uint32_t mask, value;
	} test[2];
	int what;
} config_arguments[] = {
	/* typing for another, ioctl_tty(2) and ioctl_console(2) */
	{ __NR_ioctl, { { 1, ~0U, TIOCSTI } }, EPERM },
	{ __NR_ioctl, { { 1, ~0U, TIOCLINUX } }, EPERM },
	/* kernel code that a guest has no use for, or that is the host's */
	{ __NR_socket, { { 0, ~0U, AF_ALG } }, EAFNOSUPPORT },
	{ __NR_socket, { { 0, ~0U, AF_VSOCK } }, EAFNOSUPPORT },
	{ __NR_socket, { { 0, ~0U, AF_NETLINK }, { 2, ~0U, NETLINK_AUDIT } },
	    EAFNOSUPPORT },
	/* MNT_FORCE, umount(2): the end of others' requests too */
	{ __NR_umount2, { { 1, 1, 1 } }, EPERM },
};

/* sec/caps.c: the sysctl keys that are namespaced, and so may be set; a * at
 * the end stands for anything */
static const char *const config_sysctls[] = {
	"net.*", "kernel.hostname", "kernel.domainname", "kernel.sem",
	"kernel.msg*", "kernel.shm*", "fs.mqueue.*",
};

/* mount.c: /dev is this small */
#define DEV_OPTIONS "mode=755 size=4m nr_inodes=16k"

/* cgroup/device.c: the nodes of /dev, all mode 0666 */
static const struct {
	char name[12];
	int major, minor;
} config_nodes[] = {
	{ "null", 1, 3 }, { "zero", 1, 5 }, { "full", 1, 7 },
	{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
};

/* cgroup/device.c: what may be opened besides these: ptmx, and the terminals
 * of the container's devpts (-1: any) */
static const struct {
	int major, minor, access;
} config_devices[] = {
	{ 5, 2, DEVICE_READ | DEVICE_WRITE | DEVICE_MKNOD },
	{ 136, -1, DEVICE_READ | DEVICE_WRITE },
};

static const struct {
	char name[8], target[20];
} config_links[] = {
	{ "fd", "/proc/self/fd" }, { "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
	{ "ptmx", "pts/ptmx" },
};

/* mount/rootfs.c: the file systems mounted in every container, in this order. 
 * A name beginning with / is made in the rootfs if it is missing. */
#define A_STRICT (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
static const struct {
	char target[16], fstype[8];
	uint64_t attr;
	char options[16];	/* NAME=VALUE, blanks between */
} config_mounts[] = {
	{ "/proc", "proc", A_STRICT, "" },
	{ "/sys", "sysfs", A_STRICT, "" },
	{ "/dev/shm", "tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
	    "mode=1777" },
	{ "/dev/mqueue", "mqueue", A_STRICT, "" },
	{ "/run", "tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, "mode=755" },
};

/* mount/rootfs.c: paths shut off, unless nesting=yes.  Below /proc and /sys;
 * those that the kernel does not have are passed over. */
static const char *const config_masked[] = {
	"/proc/acpi", "/proc/asound", "/proc/scsi", "/proc/interrupts",
	"/proc/kallsyms", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
	"/proc/sched_debug", "/proc/timer_list", "/proc/timer_stats",
	"/proc/sysrq-trigger", "/sys/firmware", "/sys/kernel/debug",
	"/sys/kernel/tracing", "/sys/kernel/security", "/sys/fs/bpf",
	"/sys/fs/pstore", "/sys/devices/virtual/powercap",
};

/* mount/rootfs.c: likewise, where root inside is root outside: what others
 * cannot open is the host's memory as it lies, and what it may be told */
static const char *const config_masked_privileged[] = {
	"/proc/iomem", "/proc/ioports", "/proc/kpagecgroup",
	"/proc/kpagecount", "/proc/kpageflags", "/proc/mtrr",
	"/proc/pagetypeinfo", "/proc/slabinfo", "/proc/vmallocinfo",
};

/* mount/rootfs.c: likewise, thermal_throttle in the folder of each processor,
 * cpuN */
#define CPU_FOLDER "/sys/devices/system/cpu/"

/* mount/rootfs.c: read-only, unless nesting=yes */
static const char *const config_readonly[] = {
	"/proc/apm", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
};

/* mount/rootfs.c: writable below a read-only path, since its namespace is the
 * container's own */
static const char *const config_writable[] = {
	"/proc/sys/net", "/sys/devices/virtual/net",
};

/* ns/stop.c: how an init is asked to power off and to reboot.  exe is the last
 * component of /proc/PID/exe.  Signals are numbers: SIGRTMIN+4 is 38 where
 * glibc counts, which every systemd and sysvinit reads as power-off. */
enum how {
	BY_SIGNAL,		/* the signal in arg */
	BY_INITCTL,		/* the signal, where it is caught; else the */
				/* runlevel request of sysvinit */
	BY_RUNIT,		/* /etc/runit/stopit and reboot, then CONT */
	BY_GUEST,		/* the signal, where it is caught or blocked; */
				/* else the guest's /sbin/poweroff or reboot */
};
static const struct inittype {
	char exe[12];
	enum how how;
	int poweroff, reboot;	/* signal numbers, signal(7) */
	int notifies; /* says READY=1 when it is up, sd_notify(3); of */
	/* others a prompt on the console counts too */
	int ready;		/* the signal whose being caught or blocked */
				/* shows that it listens; 0: the one sent */
	char comms[24];		/* what /proc/PID/comm must be, one of these: */
				/* the exe does other things too; "": any */
} config_inittypes[] = {
	{ "systemd", BY_SIGNAL, 38, 2, 1, 0, "" },
	{ "init", BY_INITCTL, 38, 2, 0, 0, "" },	/* sysvinit */
	{ "openrc-init", BY_SIGNAL, 15, 2, 0, 0, "" },
	/* waits in sigtimedwait(2), which hides the signals that it takes */
	{ "busybox", BY_SIGNAL, 12, 15, 0, 20, "init linuxrc busybox" },
	{ "procd", BY_SIGNAL, 12, 15, 0, 0, "" },
	{ "runit", BY_RUNIT, 18, 18, 0, 0, "" },
	{ "s6-svscan", BY_SIGNAL, 10, 2, 0, 0, "" },
	{ "dinit", BY_SIGNAL, 15, 2, 0, 0, "" },
	{ "finit", BY_SIGNAL, 12, 15, 0, 0, "" },
};
/* runit's files, runit(8): upstream's and Void's, and Debian's */
static const struct {
	char stopit[24], reboot[24];
} config_runit[] = {
	{ "/run/runit.stopit", "/run/runit.reboot" },
	{ "/etc/runit/stopit", "/etc/runit/reboot" },
};
/* Any other init: BY_GUEST, with what most take as the end. */
enum { STOP_OTHER = 15, REBOOT_OTHER = 2 };
