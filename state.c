/* The run-time folder: /run/crun, one folder a container.
 *
 *   NAME/lock   flock(2)ed by the supervisor as long as it lives; that, and
 *               nothing else, is what "running" means
 *   NAME/host   each object made outside the container, one a line, written
 *               down before it is made: "cgroup PATH", "link NAME"
 *   NAME/pid    the init's pid and start time
 *   .ids        one byte a range of the pool, locked by the supervisor that
 *               holds it
 *
 * The kernel drops both kinds of lock when a supervisor dies, however it
 * dies.  A folder with a free lock is a leftover: the next start of that name
 * removes what its host file names, then the folder.
 *
 * A folder or .ids may be removed between our opening it and our locking it.
 * So after locking, the file must still be the one that the path names.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crun.h"
#include "config.h"

enum { MADE_DIR = 1, MADE_PARENT = 2 };

static int
same_file(int fd, const char *path)
{
	struct stat a, b;

	return !fstat(fd, &a) && !stat(path, &b) && a.st_dev == b.st_dev &&
	    a.st_ino == b.st_ino;
}

/* Makes STATEDIR, and the folder above it on a host that has none. */
static void
make_statedir(struct run *r)
{
	char parent[] = STATEDIR;

	*strrchr(parent, '/') = '\0';
	if (!mkdir(STATEDIR, 0700)) {
		r->statedir_made |= MADE_DIR;
		return;
	}
	if (errno == ENOENT && !mkdir(parent, 0755)) {
		r->statedir_made |= MADE_PARENT;
		if (!mkdir(STATEDIR, 0700))
			r->statedir_made |= MADE_DIR;
	}
	if (access(STATEDIR, W_OK) < 0)
		die("the run-time folder " STATEDIR ":");
}

/* Undoes one line of a dead supervisor's host file. */
static void
remove_object(char *line)
{
	char *what = strchr(line, ' ');

	if (!what)
		return;
	*what++ = '\0';
	step("removing what a dead supervisor left: %s %s", line, what);
	if (!strcmp(line, "cgroup"))
		cgroup_remove(what);
	else if (!strcmp(line, "link"))
		net_delete(what);
}

static void
clean_leftovers(int state)
{
	static char text[8192];
	char *line, *save = NULL;

	if (read_at(state, "host", text, sizeof(text)) < 0)
		return;
	/* a last line without its end was being written, and its object was
	 * not made yet; removing it all the same does no harm */
	for (line = strtok_r(text, "\n", &save); line;
	    line = strtok_r(NULL, "\n", &save))
		remove_object(line);
	unlinkat(state, "host", 0);
}

/* One try to take the name's lock.  0: the folder vanished meanwhile. */
static int
try_lock(struct run *r, const char *dir)
{
	char path[sizeof(STATEDIR) + NAME_LEN + 8], pid[32] = "";

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return errno == ENOENT ? 0 : (die("making %s:", dir), 0);
	r->state = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (r->state < 0)
		return errno == ENOENT ? 0 : (die("%s:", dir), 0);
	r->lock = openat(r->state, "lock",
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r->lock < 0 && errno != ENOENT)
		die("making %s/lock:", dir);
	if (r->lock >= 0 && flock(r->lock, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			die("locking %s/lock:", dir);
		read_at(r->state, "pid", pid, sizeof(pid));
		pid[strcspn(pid, " \n")] = '\0';
		shut(&r->lock);
		shut(&r->state);
		die("%s is already running%s%s", r->conf->name,
		    *pid ? " with pid " : "", pid);
	}
	put(path, sizeof(path), "%s/lock", dir);
	if (r->lock >= 0 && same_file(r->lock, path))
		return 1;
	shut(&r->lock);
	shut(&r->state);
	return 0;
}

void
state_host(struct run *r)
{
	char dir[sizeof(STATEDIR) + NAME_LEN + 2];

	put(dir, sizeof(dir), STATEDIR "/%s", r->conf->name);
	do
		make_statedir(r);
	while (!try_lock(r, dir));
	clean_leftovers(r->state);
	step("state: %s", dir);
}

void
state_record(struct run *r, const char *kind, const char *what)
{
	char line[512];
	int fd, bad;

	put(line, sizeof(line), "%s %s\n", kind, what);
	fd = openat(r->state, "host",
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	bad = fd < 0 || write(fd, line, strlen(line)) != (ssize_t)strlen(line);
	if (bad)
		die("writing " STATEDIR "/%s/host:", r->conf->name);
	close(fd);
}

/* The locks are the supervisor's alone: a child that outlives it for a moment
 * must not keep the name. */
void
state_child(struct run *r)
{
	shut(&r->lock);
	shut(&r->ids);
}

void
state_forget(struct run *r)
{
	unlinkat(r->state, "host", 0);
}

/* The 22nd field of /proc/PID/stat, counted after the name's last ')'. */
static unsigned long long
start_time(int proc)
{
	char text[1024], *p;
	int i;

	if (read_at(proc, "stat", text, sizeof(text)) < 0)
		return 0;
	p = strrchr(text, ')');
	for (i = 2; p && i < 22; i++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p, NULL, 10) : 0;
}

void
state_started(struct run *r)
{
	char text[64];

	put(text, sizeof(text), "%ld %llu\n", (long)r->pid,
	    start_time(r->proc));
	if (create_at(r->state, "pid", text, 0600) < 0)
		die("writing " STATEDIR "/%s/pid:", r->conf->name);
}

void
state_undo(struct run *r)
{
	static const char *const files[] = { "pid", "host", "lock" };
	char dir[sizeof(STATEDIR) + NAME_LEN + 2], parent[] = STATEDIR;
	size_t i;

	put(dir, sizeof(dir), STATEDIR "/%s", r->conf->name);
	for (i = 0; i < LEN(files) && r->lock >= 0; i++)
		unlinkat(r->state, files[i], 0);
	if (r->state >= 0 && rmdir(dir) < 0 && r->lock >= 0)
		warn("removing %s:", dir);
	shut(&r->lock);
	shut(&r->state);
	/* the last one out; with others running they are not empty */
	rmdir(STATEDIR);
	if (r->statedir_made & MADE_PARENT) {
		*strrchr(parent, '/') = '\0';
		rmdir(parent);
	}
}

/* ---- ranges of ids ----
 *
 * Byte 0 of .ids guards the file itself: shared while one claims a range,
 * exclusive while one removes it.  Byte 1 + n is range n.  The locks are of
 * the open file (fcntl(2), "Open file description locks"), so a child that
 * has inherited the file keeps them only until its exec.
 */

static int
lock_byte(int fd, int cmd, short type, off_t byte, off_t len)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET,
	    .l_start = byte, .l_len = len };

	return fcntl(fd, cmd, &l);
}

static void
open_ids(struct run *r)
{
	const char *path = STATEDIR "/.ids";

	for (;;) {
		r->ids = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    0600);
		if (r->ids < 0)
			die("opening %s:", path);
		if (lock_byte(r->ids, F_OFD_SETLKW, F_RDLCK, 0, 1) < 0)
			die("locking %s:", path);
		if (same_file(r->ids, path))
			return;
		shut(&r->ids);
	}
}

uint32_t
state_range(struct run *r, uint32_t first, uint32_t count)
{
	uint32_t i, n;

	open_ids(r);
	for (i = 0; i < count; i++) {
		n = (first + i) % count;
		if (!lock_byte(r->ids, F_OFD_SETLK, F_WRLCK, 1 + n, 1)) {
			lock_byte(r->ids, F_OFD_SETLK, F_UNLCK, 0, 1);
			return n;
		}
	}
	die("all %u ranges of ids are taken by running containers; set "
	    "userns=HOSTID, or a larger pool in config.h", (unsigned)count);
}

void
state_range_undo(struct run *r)
{
	if (r->ids < 0)
		return;
	if (!lock_byte(r->ids, F_OFD_SETLKW, F_WRLCK, 0, 1) &&
	    !lock_byte(r->ids, F_OFD_SETLK, F_WRLCK, 1, 0))
		unlink(STATEDIR "/.ids");
	shut(&r->ids);
}
