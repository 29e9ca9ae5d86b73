/* What the child of floor does. */
#include "floor.h"

/* ---- the child ---- */

static void
child_dev(void)
{
	int fd, target = beneath("/dev", O_DIRECTORY);

	move(dev, target);
	close(target);
	mkdirat(dev, "pts", 0755);
	mkdirat(dev, "shm", 0755);
	mkdirat(dev, "mqueue", 0755);
	symlinkat("/proc/self/fd", dev, "fd");
	symlinkat("/proc/self/fd/0", dev, "stdin");
	symlinkat("/proc/self/fd/1", dev, "stdout");
	symlinkat("/proc/self/fd/2", dev, "stderr");
	symlinkat("pts/ptmx", dev, "ptmx");
	fd = openat(dev, "pts", O_PATH | O_DIRECTORY | O_CLOEXEC);
	move(pts, fd);
	close(fd);
}

static void
child_table(void)
{
	int fs;

	move_to(end_mount(begin_mount("proc"), STRICT), "/proc");
	move_to(end_mount(begin_mount("sysfs"), STRICT), "/sys");
	fs = begin_mount("tmpfs");
	option(fs, "mode", "1777");
	move_to(end_mount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV),
	    "/dev/shm");
	move_to(end_mount(begin_mount("mqueue"), STRICT), "/dev/mqueue");
	fs = begin_mount("tmpfs");
	option(fs, "mode", "755");
	move_to(end_mount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV), "/run");
}

static void
read_only(const char *path)
{
	int fd = beneath(path, 0), m;

	if (fd < 0)
		return;
	m = clone_of(fd);
	attributes(m, MOUNT_ATTR_RDONLY);
	move(m, fd);
	close(m);
	close(fd);
}

static void
mask(int with, const char *path)
{
	int fd = beneath(path, 0), m;

	if (fd < 0)
		return;
	m = clone_of(with);
	move(m, fd);
	close(m);
	close(fd);
}

static void
mask_cpus(int with)
{
	char path[64];
	int i, fd;

	for (i = 0; ; i++) {
		sprintf(path, "/sys/devices/system/cpu/cpu%d", i);
		fd = beneath(path, 0);
		if (fd < 0)
			return;
		close(fd);
		strcat(path, "/thermal_throttle");
		mask(with, path);
	}
}

static int
keep(const char *path)
{
	int fd = beneath(path, O_DIRECTORY), m = clone_of(fd);

	close(fd);
	return m;
}

static void
child_masks(void)
{
	int net = keep("/proc/sys/net"), links, fs, folder, file;

	links = keep("/sys/devices/virtual/net");
	fs = beneath("/sys", O_DIRECTORY);
	attributes(fs, MOUNT_ATTR_RDONLY);
	close(fs);
	read_only("/proc/apm");
	read_only("/proc/bus");
	read_only("/proc/fs");
	read_only("/proc/irq");
	read_only("/proc/sys");
	fs = begin_mount("tmpfs");
	option(fs, "mode", "555");
	option(fs, "size", "4k");
	option(fs, "nr_inodes", "1");
	folder = end_mount(fs, MOUNT_ATTR_RDONLY | STRICT);
	file = syscall(SYS_open_tree, dev, "null",
	    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	attributes(file, MOUNT_ATTR_RDONLY | STRICT);
	mask(folder, "/proc/acpi");
	mask(folder, "/proc/asound");
	mask(folder, "/proc/scsi");
	mask(file, "/proc/interrupts");
	mask(file, "/proc/kallsyms");
	mask(file, "/proc/kcore");
	mask(file, "/proc/keys");
	mask(file, "/proc/latency_stats");
	mask(file, "/proc/sched_debug");
	mask(file, "/proc/timer_list");
	mask(file, "/proc/timer_stats");
	mask(file, "/proc/sysrq-trigger");
	mask(folder, "/sys/firmware");
	mask(folder, "/sys/kernel/debug");
	mask(folder, "/sys/kernel/tracing");
	mask(folder, "/sys/kernel/security");
	mask(folder, "/sys/fs/bpf");
	mask(folder, "/sys/fs/pstore");
	mask(folder, "/sys/devices/virtual/powercap");
	mask_cpus(folder);
	close(folder);
	close(file);
	move_to(net, "/proc/sys/net");
	move_to(links, "/sys/devices/virtual/net");
}

static void
child_mounts(void)
{
	int fd;

	syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	move(tree, fd);
	close(fd);
	child_dev();
	child_table();
	child_masks();
	move_to(end_mount(begin_mount("cgroup2"), STRICT), "/sys/fs/cgroup");
	fd = beneath("/run", O_DIRECTORY);
	mkdirat(fd, "host", 0755);
	write_file(fd, "host/container-manager", "crun\n", O_CREAT);
	close(fd);
	fchdir(tree);
	syscall(SYS_pivot_root, ".", ".");
	syscall(SYS_umount2, ".", 2);		/* MNT_DETACH */
	chdir("/");
	syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_SHARED, NULL);
}

static void
child_net(void)
{
	static const uint8_t address[] = ADDRESS, gateway[] = GATEWAY;
	static const uint8_t broadcast[] = BROADCAST;
	struct ifreq q = { .ifr_name = "eth0" };
	struct ifaddrmsg *a;
	struct rtmsg *t;
	int fd = open_netlink();
	uint32_t index;

	up(1);
	ask(fd, 1);
	ioctl(fd, SIOCGIFINDEX, &q);
	index = q.ifr_ifindex;
	up(index);
	a = message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*a));
	a->ifa_family = AF_INET;
	a->ifa_prefixlen = 24;
	a->ifa_index = index;
	attr(IFA_LOCAL, address, 4);
	attr(IFA_ADDRESS, address, 4);
	attr(IFA_BROADCAST, broadcast, 4);
	end_message();
	t = message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, sizeof(*t));
	t->rtm_family = AF_INET;
	t->rtm_table = RT_TABLE_MAIN;
	t->rtm_protocol = RTPROT_STATIC;
	t->rtm_type = RTN_UNICAST;
	attr(RTA_GATEWAY, gateway, 4);
	attr(RTA_OIF, &index, 4);
	end_message();
	ask(fd, 3);
	close(fd);
}

/* The set of config.h. */
#define BIT(cap) (1ull << CAP_##cap)
static const uint64_t caps = BIT(AUDIT_CONTROL) | BIT(AUDIT_WRITE) |
    BIT(CHOWN) | BIT(DAC_OVERRIDE) | BIT(DAC_READ_SEARCH) | BIT(FOWNER) |
    BIT(FSETID) | BIT(IPC_OWNER) | BIT(KILL) | BIT(LEASE) |
    BIT(LINUX_IMMUTABLE) | BIT(MKNOD) | BIT(NET_ADMIN) |
    BIT(NET_BIND_SERVICE) | BIT(NET_BROADCAST) | BIT(NET_RAW) |
    BIT(SETFCAP) | BIT(SETGID) | BIT(SETPCAP) | BIT(SETUID) |
    BIT(SYS_ADMIN) | BIT(SYS_BOOT) | BIT(SYS_CHROOT) | BIT(SYS_NICE) |
    BIT(SYS_PTRACE) | BIT(SYS_RESOURCE) | BIT(SYS_TTY_CONFIG);

static void
child_caps(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = {
		{ caps, caps, 0 }, { caps >> 32, caps >> 32, 0 },
	};
	int cap;

	for (cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (!(caps >> cap & 1))
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	syscall(SYS_capset, &h, d);
}

static void
child_exec(void)
{
	static char *env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:"
	    "/usr/bin:/sbin:/bin", "HOME=/root", "container=lxc", NULL };
	sigset_t all, none;
	siginfo_t info;
	int status;

	sigfillset(&all);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (!fork()) {
		setsid();
		dup3(report[1], 3, O_CLOEXEC);
		syscall(SYS_close_range, 4, ~0U, 0);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execve(program[0], program, env);
		_exit(127);
	}
	syscall(SYS_close_range, 0, ~0U, 0);
	prctl(PR_SET_NAME, "init");
	sigwaitinfo(&all, &info);
	waitpid(-1, &status, 0);
	_exit(WEXITSTATUS(status));
}

void
child(void)
{
	char c, path[128] = STATE "/";
	sigset_t none;
	int i;

	close(go[1]);
	close(report[0]);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (i = 1; i < nhier; i++)
		write(tasks[i], "0", 1);
	unshare(CLONE_NEWCGROUP);
	stage = open(strcat(path, name), O_PATH | O_DIRECTORY | O_CLOEXEC);
	read(go[0], &c, 1);
	syscall(SYS_setgroups, 0, NULL);
	syscall(SYS_setresgid, 0, 0, 0);
	syscall(SYS_setresuid, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	sethostname(name, strlen(name));
	close(tree);
	tree = syscall(SYS_open_tree, stage, "0",
	    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	child_mounts();
	read(go[0], &c, 1);
	child_net();
	child_caps();
	child_exec();
}
