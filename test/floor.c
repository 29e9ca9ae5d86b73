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
#include "floor.d/floor.h"

const char *name, *veth, *rootfs, *bridge;
char **program;
int signals, state, lock, ids;		/* supervisor */
int tree, dev, pts, stage, hostns, hostroot;	/* mounts */
int nhier, pure;				/* cgroups; pure: all v2 */
int base[20], top[20], group[20], payload[20], tasks[20];
int go[2], report[2], pidfd, proc;
pid_t pid;

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
