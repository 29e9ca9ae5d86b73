/* Counting, freezing and killing what is in the groups. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crun.h"
#include "cgroup/cgroup.h"
#include "cgroup/hier.h"
#include "lib/lib.h"

enum { FREEZE_MS = 5000 };

/* ---- counting and freezing ---- */

unsigned long
cgroup_walk(int dir, int to, int depth)
{
	int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC), below;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	unsigned long n = 0;
	struct dirent *e;
	char pid[24];
	int err = 0;
	DIR *d;

	for (; f && fgets(pid, sizeof(pid), f); n++)
		if (to >= 0 && write(to, pid, strlen(pid)) < 0 &&
		    errno != ESRCH)
			err = errno;
	if (f)
		fclose(f);
	errno = err;
	if (err)
		die("moving processes to a cgroup:");
	fd = openat(dir, ".", DIR_FLAGS);
	d = fd < 0 ? NULL : fdopendir(fd);
	while (d && depth < 64 && (e = readdir(d))) {
		if (e->d_type != DT_DIR || *e->d_name == '.')
			continue;
		below = openat(dir, e->d_name, DIR_FLAGS);
		if (below >= 0)
			n += cgroup_walk(below, to, depth + 1);
		shut(&below);
	}
	if (d)
		closedir(d);
	return n;
}

unsigned long
cgroup_count(const struct run *r)
{
	return r->cgroup.nhier ? cgroup_walk(r->cgroup.hier[0].group, -1, 0) :
				 0;
}

/* The group's own state, cgroup-v2.rst: freezing takes its time, and is done
 * when cgroup.events says so. */
int
cgroup_frozen(const struct run *r)
{
	int fd = r->cgroup.nhier ? openat(r->cgroup.hier[0].group,
				       "cgroup.events", O_RDONLY | O_CLOEXEC) :
				   -1;
	int frozen = events_have(fd, "frozen 1");

	shut(&fd);
	return frozen;
}

/* v1 has no cgroup.kill: there it is only thawed, as what is frozen does not
 * die, freezer-subsystem.rst, and the caller kills the init. */
void
cgroup_kill(const struct run *r)
{
	const struct hier *h;

	for (h = r->cgroup.hier; h < r->cgroup.hier + r->cgroup.nhier; h++) {
		cgroup_thaw(h->group);
		write_at(h->group, "cgroup.kill", "1");
		write_at(h->group, "cgroup.freeze", "0");
	}
}

/* Waits for what cgroup.events says, since freezing takes its time. */
static int
wait_frozen(int events, int frozen)
{
	const char *line = frozen ? "frozen 1" : "frozen 0";
	struct pollfd p = { events, POLLPRI, 0 };
	long long end = now_ms() + FREEZE_MS, left;

	while (!events_have(events, line)) {
		left = end - now_ms();
		if (left <= 0)
			errno = ETIMEDOUT;
		if (left <= 0 || (poll(&p, 1, left) < 0 && errno != EINTR))
			return -1;
	}
	return 0;
}

int
cgroup_freeze(const struct run *r, int frozen)
{
	int group = r->cgroup.nhier ? r->cgroup.hier[0].group : -1, fd, err,
	    bad;

	fd = openat(group, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	bad = write_at(group, "cgroup.freeze", frozen ? "1" : "0") < 0 ||
	    wait_frozen(fd, frozen) < 0;
	err = errno;
	close(fd);
	errno = err;
	return bad ? -1 : 0;
}
