/* host - what a container could leave behind on this host.
 *
 *	host [NAME]		print it, a line each
 *	host NAME FILE		compare it with FILE, print what differs as
 *				"> new" and "< gone", and write it to FILE
 *
 * That is: processes, the open files of the caller, owners of device nodes,
 * files of /etc, mounts, cgroup folders, the run-time folder, links, and loop
 * devices over files of the tests.
 *
 * With NAME only what crun can have made for containers whose names begin so
 * is looked at, as other tests run beside: of the cgroups those below crun's
 * own folder, of the loop devices those whose file lies below $T.  The exit
 * status is 1 where something differs, 2 where something cannot be read.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <glob.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MS = 3000 };	/* a veth is removed in the kernel's own time */

struct lines {
	char **line;
	size_t n;
};

static struct lines now;
static const char *name = "";
static int has_cgroup2;

static void
fail(const char *what)
{
	fprintf(stderr, "host: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void
add(struct lines *l, char *line)
{
	l->line = realloc(l->line, (l->n + 1) * sizeof(*l->line));
	if (!l->line || !line)
		fail("memory");
	l->line[l->n++] = line;
}

static void __attribute__((format(printf, 1, 2)))
seen(const char *fmt, ...)
{
	char *line;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) < 0)
		fail("memory");
	va_end(ap);
	add(&now, line);
}

/* The first line of a file, or NULL. */
static char *
first_line(const char *path)
{
	static char line[4096];
	FILE *f = fopen(path, "r");
	char *got = f ? fgets(line, sizeof(line), f) : NULL;

	if (f)
		fclose(f);
	if (got)
		line[strcspn(line, "\n")] = '\0';
	return got;
}

/* A kernel's thread has no exe, nor has a zombie. */
static void
process(const char *dir)
{
	char path[300], *comm;
	pid_t pid = atoi(dir + strlen("/proc/"));

	snprintf(path, sizeof(path), "%s/exe", dir);
	if (pid == getpid() || access(path, F_OK) < 0)
		return;
	snprintf(path, sizeof(path), "%s/comm", dir);
	comm = first_line(path);
	if (comm)
		seen("process %d %s", pid, comm);
}

/* Those above 9 are the shell's own. */
static void
open_file(const char *path)
{
	seen("open file of the test: %s", strrchr(path, '/') + 1);
}

static void
node(const char *path)
{
	struct stat st;

	if (!lstat(path, &st))
		seen("node %s %u:%u %o", path, st.st_uid, st.st_gid, st.st_mode);
}

/* What a crun that does not stay in the rootfs would change.  The tests have
 * an /etc of their own. */
static void
file(const char *path)
{
	struct stat st;

	if (!lstat(path, &st))
		seen("file %s %u:%u %o %lld.%09ld", path, st.st_uid, st.st_gid,
		    st.st_mode, (long long)st.st_ctim.tv_sec,
		    st.st_ctim.tv_nsec);
}

static int
group(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)at;
	if (type == FTW_D)
		seen("cgroup %s", path);
	return 0;
}

static void
each(const char *pattern, void (*look)(const char *))
{
	glob_t g;
	size_t i;

	if (glob(pattern, GLOB_NOSORT, NULL, &g))
		return;
	for (i = 0; i < g.gl_pathc; i++)
		look(g.gl_pathv[i]);
	globfree(&g);
}

static void
group_of_test(const char *path)
{
	nftw(path, group, 16, FTW_PHYS);
}

/* of the cgroups mounted there */
static void
groups_below(const char *target)
{
	char pattern[4200];

	snprintf(pattern, sizeof(pattern), "%s/crun-os%s%s%s", target,
	    *name ? "/" : "", name, *name ? "*" : "");
	each(pattern, group_of_test);
}

static void
mounts(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "r");
	char *line = NULL, target[4097];
	size_t size = 0;
	int skip;

	if (!f)
		fail("/proc/self/mountinfo");
	while (getline(&line, &size, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%*s %*s %n%*s %*s %4096s", &skip, target) != 1)
			continue;
		seen("mount %s", line + skip);
		if (strstr(line, " - cgroup"))
			groups_below(target);
		if (strstr(line, " - cgroup2 "))
			has_cgroup2 = 1;
	}
	free(line);
	fclose(f);
}

/* Where no cgroup2 is mounted, crun mounts it for itself. */
static void
hidden_groups(void)
{
	char dir[] = "/tmp/host.XXXXXX";

	if (has_cgroup2 || getuid() || !mkdtemp(dir))
		return;
	if (!mount("none", dir, "cgroup2", 0, NULL)) {
		groups_below(dir);
		umount(dir);
	}
	rmdir(dir);
}

static void
loop(const char *path)
{
	const char *file = first_line(path), *ours = getenv("T");

	if (file && (!*name || !ours || !strncmp(file, ours, strlen(ours))))
		seen("loop %s", file);
}

static int
state(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	seen("file %s", path);
	return 0;
}

static void
link_of_net(const char *path)
{
	char master[300], to[300];
	ssize_t n;

	snprintf(master, sizeof(master), "%s/master", path);
	n = readlink(master, to, sizeof(to) - 1);
	if (n < 0)
		n = 0;
	to[n] = '\0';
	seen("link %s%s%s", strrchr(path, '/') + 1, n ? " in " : "",
	    n ? strrchr(to, '/') + 1 : "");
}

static int veths;

/* crun's veth pairs; the tests' bridge begins with the same letters */
static void
count_veth(const char *path)
{
	char bridge[300];

	snprintf(bridge, sizeof(bridge), "%s/bridge", path);
	veths += access(bridge, F_OK) < 0;
}

static int
has_veth(void)
{
	veths = 0;
	each("/sys/class/net/cr[a-z2-7]*", count_veth);
	return veths > 0;
}

/* The rootfs that the stories of a line share: who spoils it takes own_root. */
static void
shared_root(const char *path)
{
	seen("in the rootfs of all: %s", strrchr(path, '/') + 1);
}

/* After the end of a program the kernel removes its veth a little later; that
 * it is gone at once after an OS is a story of its own. */
static void
wait_for_links(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK,
	    .nl_groups = RTMGRP_LINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct pollfd p = { fd, POLLIN, 0 };
	char buf[8192];

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		fail("rtnetlink");
	while (has_veth() && poll(&p, 1, LINKS_MS) == 1)
		recv(fd, buf, sizeof(buf), 0);
	close(fd);
}

static int
order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
look(void)
{
	char fds[64], root[4200];

	wait_for_links();
	each("/proc/[0-9]*", process);
	snprintf(fds, sizeof(fds), "/proc/%d/fd/[0-9]", getppid());
	each(fds, open_file);
	each("/dev/null", node);
	each("/dev/zero", node);
	each("/dev/full", node);
	each("/dev/*random", node);
	each("/dev/tty", node);
	each("/", node);
	each("/mnt", node);
	each("/root", node);
	each("/etc", file);
	each("/etc/*", file);
	mounts();
	hidden_groups();
	each("/sys/block/loop*/loop/backing_file", loop);
	nftw("/run/crun-os", state, 16, FTW_PHYS);
	if (*name && getenv("T")) {
		snprintf(root, sizeof(root), "%s/root/*", getenv("T"));
		each(root, shared_root);
	}
	each("/sys/class/net/*", link_of_net);
	qsort(now.line, now.n, sizeof(*now.line), order);
}

static struct lines
load(const char *path)
{
	struct lines l = { NULL, 0 };
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		add(&l, strdup(line));
	}
	if (f)
		fclose(f);
	free(line);
	return l;
}

static void
save(const char *path)
{
	FILE *f = fopen(path, "w");
	size_t i;

	if (!f)
		fail(path);
	for (i = 0; i < now.n; i++)
		fprintf(f, "%s\n", now.line[i]);
	if (fclose(f))
		fail(path);
}

/* Both are sorted; a line that stands twice counts once. */
static int
compare(const struct lines *old)
{
	size_t i = 0, j = 0;
	int c, differs = 0;

	while (i < old->n || j < now.n) {
		if (i == old->n)
			c = 1;
		else if (j == now.n)
			c = -1;
		else
			c = strcmp(old->line[i], now.line[j]);
		if (c < 0 && !(i && !strcmp(old->line[i], old->line[i - 1]))) {
			printf("< %s\n", old->line[i]);
			differs = 1;
		}
		if (c > 0 && !(j && !strcmp(now.line[j], now.line[j - 1]))) {
			printf("> %s\n", now.line[j]);
			differs = 1;
		}
		i += c <= 0;
		j += c >= 0;
	}
	return differs;
}

int
main(int argc, char **argv)
{
	struct lines old;
	size_t i;
	int differs;

	if (argc > 1)
		name = argv[1];
	look();
	if (argc < 3) {
		for (i = 0; i < now.n; i++)
			puts(now.line[i]);
		return 0;
	}
	old = load(argv[2]);
	differs = old.n && compare(&old);
	save(argv[2]);
	return differs;
}
