/* floor - what a start costs at the very least; test/bench compares with it.
 *
 *	floor NAME LINK ROOTFS BRIDGE PROGRAM [ARG ...]
 *
 * Makes the system calls of
 *
 *	crun -c bench.conf name=NAME -- PROGRAM ARG ...
 *
 * in the same order and with the same two processes side by side, for the one
 * configuration that test/bench writes: the result is the same container.
 * But all of it is hard-coded, and nothing is checked.  Only what has an
 * effect is called: not the calls by which crun looks whether something is as
 * it must be, nor those by which it can say what is wrong.  So this is no
 * program to learn from; runc.c is.
 *
 * LINK is the name of the host's end of the veth pair.  Which of the two
 * cgroup layouts the host has is looked up once: all v2, or v1 hierarchies,
 * of which each gets a group, with v2 at unified.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_link.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATE "/run/crun-os"
#define IDS STATE "/.marker"
#define BYTE 4000			/* of the pool of ranges */
#define HOSTID (0x70000000u + BYTE * 65536u)
#define MAP "0 2141192192 65536\n"	/* 0 HOSTID 65536 */
#define OPTION_GID "2141192197"		/* HOSTID + 5 */
#define ADDRESS { 10, 98, 75, 2 }	/* /24 */
#define BROADCAST { 10, 98, 75, 255 }
#define GATEWAY { 10, 98, 75, 1 }

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
#define STRICT (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define EMPTY_BOTH (MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)

static const char *name, *veth, *rootfs, *bridge;
static char **program;
static int signals, state, lock, ids;		/* supervisor */
static int tree, dev, pts, stage, hostns, hostroot;	/* mounts */
static int nhier, pure;				/* cgroups; pure: all v2 */
static int base[20], top[20], group[20], payload[20], tasks[20];
static int go[2], report[2], pidfd, proc;
static pid_t pid;

/* ---- mounts ---- */

static void
option(int fs, const char *key, const char *value)
{
	syscall(SYS_fsconfig, fs, value ? FSCONFIG_SET_STRING :
	    FSCONFIG_SET_FLAG, key, value, 0);
}

static int
begin_mount(const char *type)
{
	int fs = syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);

	option(fs, "source", type);
	return fs;
}

static int
end_mount(int fs, unsigned attr)
{
	int m;

	syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	m = syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attr);
	close(fs);
	return m;
}

static int
beneath(const char *path, int flags)
{
	struct open_how how = { .flags = flags | O_PATH | O_CLOEXEC,
	    .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

	return syscall(SYS_openat2, tree, path, &how, sizeof(how));
}

static void
move(int m, int target)
{
	syscall(SYS_move_mount, m, "", target, "", EMPTY_BOTH);
}

static void
move_to(int m, const char *path)
{
	int target = beneath(path, O_DIRECTORY);

	move(m, target);
	close(target);
	close(m);
}

static int
clone_of(int mount)
{
	return syscall(SYS_open_tree, mount, "",
	    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
}

static void
attributes(int m, unsigned attr)
{
	struct mount_attr a = { .attr_set = attr };

	syscall(SYS_mount_setattr, m, "", AT_EMPTY_PATH, &a, sizeof(a));
}

/* ---- files ---- */

static void
write_file(int dir, const char *file, const char *text, int more)
{
	int fd = openat(dir, file, O_WRONLY | O_CLOEXEC | more, 0600);

	write(fd, text, strlen(text));
	close(fd);
}

static void
record(const char *lines)
{
	write_file(state, "host", lines, O_CREAT | O_APPEND);
}

static void
range_lock(int cmd, short type, off_t at, off_t len)
{
	struct flock l = { .l_type = type, .l_start = at, .l_len = len };

	fcntl(ids, cmd, &l);
}

/* ---- netlink ---- */

static char msg[1024] __attribute__((aligned(4)));
static size_t len, first;

static void *
grow(size_t size)
{
	void *p = msg + len;

	len += NLMSG_ALIGN(size);
	return p;
}

static void
attr(int type, const void *data, size_t size)
{
	struct rtattr *a = grow(RTA_LENGTH(size));

	a->rta_type = type;
	a->rta_len = RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(a), data, size);
}

static size_t
nest(int type)
{
	size_t at = len;

	attr(type, NULL, 0);
	return at;
}

static void
unnest(size_t at)
{
	((struct rtattr *)(msg + at))->rta_len = len - at;
}

static void *
message(int type, int flags, size_t body)
{
	struct nlmsghdr *h;

	first = len;
	h = grow(NLMSG_HDRLEN);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	h->nlmsg_seq = 1;
	return grow(body);
}

static void
end_message(void)
{
	((struct nlmsghdr *)(msg + first))->nlmsg_len = len - first;
}

static void
ask(int fd, int answers)
{
	char answer[512];

	send(fd, msg, len, 0);
	while (answers--)
		recv(fd, answer, sizeof(answer), 0);
	memset(msg, 0, sizeof(msg));
	len = 0;
}

static int
open_netlink(void)
{
	int fd, yes = 1;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &yes, sizeof(yes));
	return fd;
}

static void
up(uint32_t index)
{
	struct ifinfomsg *i = message(RTM_NEWLINK, 0, sizeof(*i));

	i->ifi_index = index;
	i->ifi_flags = i->ifi_change = IFF_UP;
	end_message();
}

/* ---- the supervisor, before the clone ---- */

static void
make_state(void)
{
	char path[128] = STATE "/";

	strcat(path, name);
	mkdir(STATE, 0700);
	mkdir(path, 0700);
	state = open(path, DIR_FLAGS);
	lock = openat(state, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	flock(lock, LOCK_EX | LOCK_NB);
	ids = open(IDS, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	range_lock(F_OFD_SETLKW, F_RDLCK, 0, 1);
	range_lock(F_OFD_SETLK, F_WRLCK, 1 + BYTE, 1);
	record("ids 4000\n");
	pwrite(ids, "x", 1, 1 + BYTE);
	range_lock(F_OFD_SETLK, F_UNLCK, 0, 1);
}

static void
make_node(const char *node, unsigned minor, unsigned major)
{
	mknodat(dev, node, S_IFCHR | 0666, makedev(major, minor));
	fchownat(dev, node, HOSTID, HOSTID, 0);
}

static void
leave_host(void)
{
	hostns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	hostroot = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	unshare(CLONE_NEWNS);
	syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
}

static void
make_stage(void)
{
	struct mount_attr shared = { .propagation = MS_SHARED };
	int fs = begin_mount("tmpfs");

	option(fs, "mode", "755");
	option(fs, "size", "1m");
	stage = end_mount(fs, STRICT);
	move(stage, state);
	syscall(SYS_mount_setattr, stage, "", AT_EMPTY_PATH, &shared,
	    sizeof(shared));
	mkdirat(stage, "0", 0700);
}

static void
make_mounts(void)
{
	int fs;

	tree = syscall(SYS_open_tree, AT_FDCWD, rootfs,
	    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	make_stage();
	fs = begin_mount("tmpfs");
	option(fs, "mode", "755");
	option(fs, "size", "4m");
	option(fs, "nr_inodes", "16k");
	dev = end_mount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	make_node("null", 3, 1);
	make_node("zero", 5, 1);
	make_node("full", 7, 1);
	make_node("random", 8, 1);
	make_node("urandom", 9, 1);
	make_node("tty", 0, 5);
	fchownat(dev, "", HOSTID, HOSTID, AT_EMPTY_PATH);
	fs = begin_mount("devpts");
	option(fs, "newinstance", NULL);
	option(fs, "ptmxmode", "0666");
	option(fs, "mode", "0620");
	option(fs, "gid", OPTION_GID);
	pts = end_mount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	fchownat(pts, "", HOSTID, HOSTID, AT_EMPTY_PATH);
	fchownat(pts, "ptmx", HOSTID, HOSTID, 0);
}

/* Those in /sys/fs/cgroup, of which the first are sure to be there. */
static void
open_hierarchies(const char *const *names, int sure)
{
	char lines[2048] = "", path[80] = "/sys/fs/cgroup/";

	for (; *names; names++) {
		strcpy(path + strlen("/sys/fs/cgroup/"), *names);
		base[nhier] = open(path, nhier < sure ? DIR_FLAGS &
		    ~O_NOFOLLOW : DIR_FLAGS);
		if (base[nhier] < 0)
			continue;
		nhier++;
		strcat(strcat(strcat(lines, "cgroup "), path), "/crun-os/");
		strcat(strcat(lines, name), "\n");
	}
	record(lines);
}

static void
copy_cpus(int from, int to)
{
	static const char *const files[] = { "cpuset.mems", "cpuset.cpus" };
	char text[256];
	int i, fd;

	for (i = 0; i < 2; i++) {
		fd = openat(from, files[i], O_RDONLY | O_CLOEXEC);
		text[read(fd, text, sizeof(text) - 1)] = '\0';
		close(fd);
		write_file(to, files[i], text, 0);
	}
}

static void
make_group(int i, int cpus)
{
	mkdirat(base[i], "crun", 0755);
	top[i] = openat(base[i], "crun", DIR_FLAGS);
	if (cpus)
		copy_cpus(base[i], top[i]);
	mkdirat(top[i], name, 0755);
	group[i] = openat(top[i], name, DIR_FLAGS);
	if (cpus)
		copy_cpus(top[i], group[i]);
}

static void
make_payload(int i, const char *second)
{
	mkdirat(group[i], "payload", 0755);
	payload[i] = openat(group[i], "payload", DIR_FLAGS);
	fchownat(payload[i], "", HOSTID, HOSTID, AT_EMPTY_PATH);
	fchownat(payload[i], "cgroup.procs", HOSTID, HOSTID, 0);
	fchownat(payload[i], second, HOSTID, HOSTID, 0);
	if (!i)
		fchownat(payload[i], "cgroup.threads", HOSTID, HOSTID, 0);
	else
		tasks[i] = openat(payload[i], "tasks", O_WRONLY | O_CLOEXEC);
}

static void
make_pure(void)
{
	static const char all[] = "+memory +cpu +pids";
	static const char *const names[] = { "", NULL };

	open_hierarchies(names, 1);
	make_group(0, 0);
	write_file(base[0], "cgroup.subtree_control", all, 0);
	write_file(top[0], "cgroup.subtree_control", all, 0);
	write_file(group[0], "memory.max", "268435456", 0);
	write_file(group[0], "cpu.max", "150000 100000", 0);
	write_file(group[0], "pids.max", "200", 0);
	make_payload(0, "cgroup.subtree_control");
}

static void
make_hybrid(void)
{
	static const char *const names[] = { "unified", "memory", "cpu",
	    "pids", "systemd", "cpuset", "cpuacct", "blkio", "devices",
	    "freezer", "hugetlb", "net_cls", "net_cls,net_prio", "net_prio",
	    "perf_event", "rdma", "misc", NULL };
	struct stat st;
	int i;

	open_hierarchies(names, 5);
	for (i = 0; i < nhier; i++)
		make_group(i, i > 4 &&
		    !fstatat(base[i], "cpuset.cpus", &st, 0));
	write_file(group[1], "memory.limit_in_bytes", "268435456", 0);
	write_file(group[2], "cpu.cfs_quota_us", "150000", 0);
	write_file(group[3], "pids.max", "200", 0);
	make_payload(0, "cgroup.subtree_control");
	for (i = 1; i < nhier; i++)
		if (i != 4)
			tasks[i] = openat(group[i], "tasks",
			    O_WRONLY | O_CLOEXEC);
	make_payload(4, "tasks");
}

static void
make_groups(void)
{
	struct statfs fs;

	statfs("/sys/fs/cgroup", &fs);
	pure = fs.f_type == CGROUP2_SUPER_MAGIC;
	if (pure)
		make_pure();
	else
		make_hybrid();
}

/* ---- the supervisor, the child waits or works ---- */

static void
attach_ids(void)
{
	struct mount_attr a = { .attr_set = MOUNT_ATTR_NODEV |
	    MOUNT_ATTR_IDMAP, .propagation = MS_PRIVATE };
	int fd;

	write_file(proc, "uid_map", MAP, 0);
	write_file(proc, "gid_map", MAP, 0);
	a.userns_fd = openat(proc, "ns/user", O_RDONLY | O_CLOEXEC);
	syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &a,
	    sizeof(a));
	close(a.userns_fd);
	fd = openat(stage, "0", O_PATH | O_CLOEXEC);
	move(tree, fd);
	close(fd);
}

static void
make_pair(uint32_t master, uint32_t mtu)
{
	static const uint8_t host[] = { 0xfe, 0, 0, 0, 0, 1 };
	static const uint8_t peer[] = { 0x02, 0, 0, 0, 0, 1 };
	size_t info, data, end;

	message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
	    sizeof(struct ifinfomsg));
	attr(IFLA_IFNAME, veth, strlen(veth) + 1);
	attr(IFLA_ADDRESS, host, sizeof(host));
	attr(IFLA_MASTER, &master, 4);
	attr(IFLA_MTU, &mtu, 4);
	info = nest(IFLA_LINKINFO);
	attr(IFLA_INFO_KIND, "veth", 5);
	data = nest(IFLA_INFO_DATA);
	end = nest(VETH_INFO_PEER);
	grow(sizeof(struct ifinfomsg));
	attr(IFLA_IFNAME, "eth0", 5);
	attr(IFLA_ADDRESS, peer, sizeof(peer));
	attr(IFLA_MTU, &mtu, 4);
	attr(IFLA_NET_NS_PID, &pid, 4);
	unnest(end);
	unnest(data);
	unnest(info);
	end_message();
}

static void
host_up(void)
{
	struct ifinfomsg *i = message(RTM_NEWLINK, 0, sizeof(*i));
	uint8_t none = 1;		/* IN6_ADDR_GEN_MODE_NONE */
	size_t spec, inet6;

	i->ifi_flags = i->ifi_change = IFF_UP;
	attr(IFLA_IFNAME, veth, strlen(veth) + 1);
	spec = nest(IFLA_AF_SPEC);
	inet6 = nest(AF_INET6);
	attr(IFLA_INET6_ADDR_GEN_MODE, &none, 1);
	unnest(inet6);
	unnest(spec);
	end_message();
}

static void
attach_net(uint32_t master)
{
	char path[80], line[32];
	struct ifreq q = { 0 };
	int fd;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	strcpy(q.ifr_name, bridge);
	ioctl(fd, SIOCGIFMTU, &q);
	close(fd);
	strcat(strcat(strcpy(line, "link "), veth), "\n");
	record(line);
	fd = open_netlink();
	make_pair(master, q.ifr_mtu);
	ask(fd, 1);
	strcat(strcat(strcpy(path, "/proc/sys/net/ipv6/conf/"), veth),
	    "/disable_ipv6");
	write_file(AT_FDCWD, path, "1", 0);
	host_up();
	ask(fd, 1);
	close(fd);
}

static void
write_pid(void)
{
	char text[1024], *p;
	int fd, i;

	fd = openat(proc, "stat", O_RDONLY | O_CLOEXEC);
	text[read(fd, text, sizeof(text) - 1)] = '\0';
	close(fd);
	p = strrchr(text, ')');
	for (i = 2; i < 22; i++)
		p = strchr(p + 1, ' ');
	p[strcspn(p + 1, " ") + 1] = '\0';
	snprintf(text, 64, "%d%s\n", pid, p);
	write_file(state, "pid", text, O_CREAT | O_TRUNC);
}

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

static void
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

/* ---- the order ---- */

static void
prepare(void)
{
	sigset_t set;

	syscall(SYS_close_range, 3, ~0U, 0);
	umask(0);
	chdir("/");
	prctl(PR_SET_DUMPABLE, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static uint32_t
bridge_index(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq q = { 0 };

	strcpy(q.ifr_name, bridge);
	ioctl(fd, SIOCGIFINDEX, &q);
	close(fd);
	return q.ifr_ifindex;
}

static void
spawn(void)
{
	struct clone_args a = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
		    CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
		    CLONE_PIDFD | CLONE_INTO_CGROUP,
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = payload[0],
	};
	char path[32];

	pipe2(go, O_CLOEXEC);
	pipe2(report, O_CLOEXEC | O_DIRECT);
	pid = syscall(SYS_clone3, &a, sizeof(a));
	if (!pid)
		child();
	close(go[0]);
	close(report[1]);
	snprintf(path, sizeof(path), "/proc/%d", pid);
	proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int
wait_for_end(void)
{
	struct pollfd p[] = { { report[0], POLLIN, 0 },
	    { signals, POLLIN, 0 } };
	siginfo_t info = { 0 };
	char c;

	poll(p, 2, -1);
	read(report[0], &c, 1);
	close(report[0]);
	close(go[1]);
	setns(hostns, CLONE_NEWNS);
	fchdir(hostroot);
	chroot(".");
	close(stage);
	close(hostns);
	close(hostroot);
	p[0].fd = pidfd;
	poll(p, 2, -1);
	waitid(P_PIDFD, pidfd, &info, WEXITED);
	close(pidfd);
	close(proc);
	return info.si_code == CLD_EXITED ? info.si_status : 125;
}

static void
undo(void)
{
	char path[128] = STATE "/";
	int i;

	for (i = 0; i < nhier; i++) {
		if (i == 0 || i == 4)
			unlinkat(group[i], "payload", AT_REMOVEDIR);
		unlinkat(top[i], name, AT_REMOVEDIR);
		unlinkat(base[i], "crun", AT_REMOVEDIR);
		if (i)
			close(tasks[i]);
		if (payload[i])
			close(payload[i]);
		close(group[i]);
		close(top[i]);
		close(base[i]);
	}
	close(tree);
	close(dev);
	close(pts);
	pwrite(ids, "", 1, 1 + BYTE);
	range_lock(F_OFD_SETLKW, F_WRLCK, 0, 1);
	range_lock(F_OFD_SETLK, F_WRLCK, 1, 0);
	unlink(IDS);
	close(ids);
	unlinkat(state, "pid", 0);
	unlinkat(state, "host", 0);
	unlinkat(state, "lock", 0);
	strcat(path, name);
	rmdir(path);
	close(lock);
	close(state);
	rmdir(STATE);
}

int
main(int argc, char **argv)
{
	uint32_t master;
	int status;

	if (argc < 6) {
		fputs("usage: floor NAME LINK ROOTFS BRIDGE PROGRAM "
		    "[ARG ...]\n", stderr);
		return 2;
	}
	name = argv[1];
	veth = argv[2];
	rootfs = argv[3];
	bridge = argv[4];
	program = argv + 5;
	prepare();
	leave_host();
	make_state();
	make_mounts();
	make_groups();
	master = bridge_index();
	spawn();
	attach_ids();
	write(go[1], "", 1);
	attach_net(master);
	write(go[1], "", 1);
	write_pid();
	status = wait_for_end();
	undo();
	return status;
}
