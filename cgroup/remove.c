/* The end of a control group: what is still in it is killed, and it is
 * removed, with all the groups that the guest has made in it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "crun.h"
#include "cgroup/cgroup.h"
#include "cgroup/hier.h"
#include "lib/lib.h"
#include "sup/sup.h"
#include "config.h"

enum { AT_ONCE = 64, ROUNDS = 1000 };	/* of processes that are killed */
enum { DEPTH = 64 };		/* of frozen groups that a guest has nested */

/* The first folder in dir, "" for none.  A descriptor of its own, so that
 * every call reads from the beginning. */
static void
first_folder(int dir, char *name, size_t size)
{
	int fd = openat(dir, ".", DIR_FLAGS);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	*name = '\0';
	if (!d) {
		shut(&fd);
		return;
	}
	while ((e = readdir(d)))
		if (e->d_type == DT_DIR && strcmp(e->d_name, ".") &&
		    strcmp(e->d_name, "..")) {
			snprintf(name, size, "%s", e->d_name);
			break;
		}
	closedir(d);
}

/* Opens a folder that has folders in it; -1: it has none, or cannot be
 * opened. */
static int
open_if_not_empty(int dir, const char *name)
{
	int fd = openat(dir, name, DIR_FLAGS);
	char below[256];

	first_folder(fd, below, sizeof(below));
	if (!*below)
		shut(&fd);
	return fd;
}

/* Removes dir's folders, bottom up.  It walks by .. and not by recursion: the
 * guest may have nested them as deep as it liked.  0, or -1 and errno. */
static int
remove_below(int dir)
{
	char name[256];
	int at = openat(dir, ".", DIR_FLAGS), next, depth = 0, err;

	for (;;) {
		first_folder(at, name, sizeof(name));
		if (!*name && !depth)
			break;
		if (*name && !unlinkat(at, name, AT_REMOVEDIR))
			continue;
		err = errno;
		if (*name)
			next = open_if_not_empty(at, name);
		else
			next = openat(at, "..", DIR_FLAGS);
		depth += *name ? 1 : -1;
		shut(&at);
		if (next < 0) {
			errno = err;
			return -1;
		}
		at = next;
	}
	shut(&at);
	return 0;
}

/* Kills some processes of one group; gives their number, and pidfds. */
static int
kill_some(int group, int *fds)
{
	char text[4096], *p, *end;
	long pid;
	int n = 0;

	if (read_at(group, "cgroup.procs", text, sizeof(text)) <= 0)
		return 0;
	/* a last number may have been cut */
	if ((p = strrchr(text, '\n')))
		*p = '\0';
	for (p = text; n < AT_ONCE && (pid = strtol(p, &end, 10)) > 0;
	     p = end) {
		fds[n] = syscall(SYS_pidfd_open, pid, 0);
		if (fds[n] < 0)
			continue;
		syscall(SYS_pidfd_send_signal, fds[n], SIGKILL, NULL, 0);
		n++;
	}
	return n;
}

/* Kills the processes of one group, as often as it takes, and waits for each,
 * until there is one that does not die. */
static void
kill_procs(struct run *r, int group)
{
	int fds[AT_ONCE], rounds = ROUNDS, n, died = 1;

	while (died && rounds-- && (n = kill_some(group, fds)))
		while (n--) {
			if (died)
				died = wait_for(r, fds[n], POLLIN);
			close(fds[n]);
		}
}

int
events_have(int events, const char *line)
{
	char text[256] = "";

	return pread(events, text, sizeof(text) - 1, 0) > 0 &&
	    strstr(text, line);
}

/* Kills all in and below a group and waits until it is empty.  cgroup.kill
 * is there from Linux 5.14 on, and only on v2. */
static void
kill_group(struct run *r, int group)
{
	int events, payload;

	if (!write_at(group, "cgroup.kill", "1")) {
		events = openat(group, "cgroup.events", O_RDONLY | O_CLOEXEC);
		while (events_have(events, "populated 1") &&
		    wait_for(r, events, POLLPRI))
			;
		shut(&events);
		return;
	}
	write_at(group, "cgroup.freeze", "0");
	kill_procs(r, group);
	payload = openat(group, "payload", DIR_FLAGS);
	if (payload < 0)
		return;
	kill_procs(r, payload);	/* PID 1 is here, mostly: all others follow */
	close(payload);
}

static void
thaw(int group, int depth)
{
	int fd, below;
	struct dirent *e;
	DIR *d;

	if (depth == DEPTH || write_at(group, "freezer.state", "THAWED") < 0)
		return;
	fd = openat(group, ".", DIR_FLAGS);
	d = fd < 0 ? NULL : fdopendir(fd);
	while (d && (e = readdir(d))) {
		if (e->d_type != DT_DIR || *e->d_name == '.')
			continue;
		below = openat(group, e->d_name, DIR_FLAGS);
		thaw(below, depth + 1);
		shut(&below);
	}
	if (d)
		closedir(d);
}

void
cgroup_thaw(int group)
{
	thaw(group, 0);
}

/* 0: it is gone; else errno. */
static int
rmdir_group(int top, const char *name)
{
	if (!unlinkat(top, name, AT_REMOVEDIR) || errno == ENOENT)
		return 0;
	return errno;
}

const char *
group_remove(struct run *r, int top, const char *what)
{
	static char line[2048];
	const char *name = strrchr(what, '/') + 1, *who = NULL;
	int group = openat(top, name, DIR_FLAGS), tries = 3, err;

	unlinkat(group, "payload", AT_REMOVEDIR);	/* most often all */
	err = rmdir_group(top, name);
	if (err)
		cgroup_thaw_all(r);
	while (err && tries--) {
		/* whoever is left could make groups for ever */
		kill_group(r, group);
		remove_below(group);
		err = rmdir_group(top, name);
		if (!r->wait.patience)
			tries = 0;
	}
	if (err)
		who = wait_in(group, "does not die");
	shut(&group);
	snprintf(line, sizeof(line), "%s: %s", what, who ? who :
	    strerror(err));
	return err ? line : NULL;
}

/* BASE/crun-os of BASE/crun-os/NAME, which may be on a mount of our own. */
int
cgroup_top(const char *what)
{
	char path[512], *name;
	int root, top;

	put(path, sizeof(path), "%s", what);
	name = strrchr(path, '/');
	if (!name)
		return -1;
	*name = '\0';
	if (*path == '/')
		return open(path, DIR_FLAGS);
	path[strcspn(path, "/")] = '\0';
	root = strncmp(path, DETACHED1, strlen(DETACHED1)) ?
	    new_mount("cgroup2", "", 0) :
	    hier_mount_v1(path + strlen(DETACHED1));
	top = openat(root, CGROUP_TOP, DIR_FLAGS);
	shut(&root);
	return top;
}

/* Why there is no such folder.  NULL: it is gone, as the nearest folder above
 * it is one of cgroups still. */
static const char *
why_no_top(const char *what)
{
	char path[512];
	struct statfs fs;
	int fd;

	put(path, sizeof(path), "%s", what);
	if (*path != '/')
		return NULL;
	while ((fd = open(path, DIR_FLAGS)) < 0 && errno == ENOENT &&
	    strrchr(path, '/') > path)
		*strrchr(path, '/') = '\0';
	if (fd >= 0 && !fstatfs(fd, &fs) && (fs.f_type == CGROUP2_SUPER_MAGIC ||
	    fs.f_type == CGROUP_SUPER_MAGIC)) {
		close(fd);
		return NULL;
	}
	shut(&fd);
	return xprintf("the cgroup %s cannot be removed, as its hierarchy is "
	    "not mounted here", what);
}

const char *
cgroup_remove(struct run *r, const char *what)
{
	int top = cgroup_top(what);
	const char *why;

	if (top < 0)
		return why_no_top(what);
	if (!cgroup_is_ours(top)) {
		close(top);
		return NULL;
	}
	why = group_remove(r, top, what);
	unlinkat(top, "../" CGROUP_TOP, AT_REMOVEDIR);
	close(top);
	return why;
}

void
cgroup_thaw_left(const char *what)
{
	int top = cgroup_top(what), group;

	if (top < 0 || !cgroup_is_ours(top)) {
		shut(&top);
		return;
	}
	group = openat(top, strrchr(what, '/') + 1, DIR_FLAGS);
	cgroup_thaw(group);
	shut(&group);
	shut(&top);
}

/* Where a group is not open it may be a leftover still. */
void
cgroup_thaw_all(const struct run *r)
{
	const struct hier *h;
	char path[sizeof(CGROUP_TOP) + NAME_LEN + 2];
	int group;

	for (h = r->cgroup.hier; h < r->cgroup.hier + r->cgroup.nhier; h++) {
		put(path, sizeof(path), CGROUP_TOP "/%s", r->conf->name);
		group = h->group >= 0 ? openat(h->group, ".", DIR_FLAGS) :
		    openat(h->base, path, DIR_FLAGS);
		write_at(group, "cgroup.freeze", "0");
		cgroup_thaw(group);
		shut(&group);
	}
}
