/* The run-time folder: /run/crun-os, one folder a container.
 *
 *   NAME/lock   locked by the supervisor as long as it lives; that, and
 *               nothing else, is what "running" means.  Its text is the
 *               supervisor's pid and start time, and at the end how the
 *               container ended
 *   NAME/conf   the configuration, as crun -n prints it, below a comment with
 *               its generation: how often it was written
 *   NAME/pid    the init's pid and start time, and the supervisor's; missing
 *               while the container starts
 *   NAME/host   each object made outside the container, one a line, written
 *               down before it is made: "cgroup PATH", "link NAME", "ids N"
 *   NAME/console, NAME/log
 *               see attach.c and log.c
 *   .marker     says that the folder is ours: one that has things in it but
 *               no marker is somebody else's, and is left alone.  Byte 0
 *               guards the folder, and each other byte is a range of the
 *               pool of ids, locked by the supervisor that holds it; not 0
 *               until its container's things are removed, since an init can
 *               outlive its supervisor
 *
 * All locks are of the open file (fcntl(2), "Open file description locks"):
 * the kernel drops them when a supervisor dies, however it dies, a child that
 * has inherited the file keeps them only until its exec, and whoever looks
 * may ask whether one is held without taking it.  A folder with a free lock is
 * a leftover: the next start of that name, and crun clean, remove what its
 * host file names, then the folder.
 *
 * A folder or the marker may be removed between our opening it and our locking
 * it.  So after locking, the file must still be the one that the path names.
 * Whoever makes a folder or claims a range holds byte 0 shared meanwhile;
 * whoever removes the marker, with the run-time folder, holds it alone.
 *
 * The first part is the supervisor's.  The second is for everybody else, who
 * finds a container by its name: the lock says that there is a supervisor,
 * and a pid with its start time names one process for ever, so a pidfd that
 * was opened before the two were compared is of no other.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crun.h"
#include "config.h"

#define MARKER STATEDIR "/.marker"

#define NOT_OURS STATEDIR " is somebody else's: it has files in it, but not " \
	"crun's .marker; move it away, or set another STATEDIR in config.h"

enum { MADE_DIR = 1, MADE_PARENT = 2 };

static int
same_file(int fd, const char *path)
{
	struct stat a, b;

	return !fstat(fd, &a) && !stat(path, &b) && a.st_dev == b.st_dev &&
	    a.st_ino == b.st_ino;
}

static int
lock_byte(int fd, int cmd, short type, off_t byte, off_t len)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET,
	    .l_start = byte, .l_len = len };

	return fcntl(fd, cmd, &l);
}

/* Whether somebody else holds the lock. */
static int
is_locked(int fd)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return !fcntl(fd, F_OFD_GETLK, &l) && l.l_type != F_UNLCK;
}

/* What is in these folders is believed: which groups and links to remove, what
 * runs.  0: there is none.  Dies where another could have written in it. */
static int
trusted(const char *dir)
{
	struct stat st;

	if (lstat(dir, &st) < 0)
		return 0;
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    st.st_mode & (S_IWGRP | S_IWOTH))
		die("%s must be a folder of root's that nobody else can write "
		    "to; remove what is there", dir);
	return 1;
}

/* Makes STATEDIR, and the folder above it on a host that has none. */
static void
make_statedir(struct run *r)
{
	char parent[] = STATEDIR;
	int err;

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
	err = errno;
	if (trusted(STATEDIR) && !access(STATEDIR, W_OK))
		return;
	errno = err == EEXIST ? errno : err;
	die("making the run-time folder " STATEDIR ":");
}

/* ---- the marker ---- */

/* -1: it cannot be read. */
static int
is_empty(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int empty = 1;

	if (!d)
		return -1;
	while (empty && (e = readdir(d)))
		empty = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
	closedir(d);
	return empty;
}

/* Opens the marker, or makes it in a folder that has nothing in it yet.  -1
 * and errno: ENOTEMPTY where the folder is somebody else's, ENOENT where it
 * has vanished.  Whoever makes one of ours makes the marker first: so if there
 * is something now, the marker was there before it. */
static int
open_marker(int make)
{
	int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW, empty;
	int fd = open(MARKER, flags);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	empty = is_empty(STATEDIR);
	if (empty == 1 && make)
		return open(MARKER, flags | O_CREAT, 0600);
	fd = open(MARKER, flags);
	if (fd < 0 && errno == ENOENT && !empty)
		errno = ENOTEMPTY;
	return fd;
}

/* Dies, or gives 0: there is no such folder, or no marker in an empty one. */
static int
is_ours(void)
{
	int fd;

	if (!trusted(STATEDIR))
		return 0;
	fd = open_marker(0);
	if (fd < 0 && errno == ENOTEMPTY)
		die(NOT_OURS);
	if (fd < 0 && errno != ENOENT)
		die("opening " MARKER ":");
	shut(&fd);
	return 1;
}

static void
marker_locked(struct run *r)
{
	char why[2048];

	if (errno != ETIMEDOUT)
		die("locking " MARKER ":");
	snprintf(why, sizeof(why), MARKER " is locked: %s",
	    wait_holder(r->marker));
	shut(&r->marker);	/* nothing of it is ours */
	wait_failed(r, why);
}

/* Until guard_free(), what we make in the folder keeps it there. */
static void
guard_folder(struct run *r)
{
	for (;;) {
		make_statedir(r);
		r->marker = open_marker(1);
		if (r->marker < 0 && errno == ENOENT)
			continue;
		if (r->marker < 0 && errno == ENOTEMPTY)
			die(NOT_OURS);
		if (r->marker < 0)
			die("opening " MARKER ":");
		if (wait_lock(r, r->marker, F_RDLCK) < 0)
			marker_locked(r);
		if (same_file(r->marker, MARKER))
			return;
		shut(&r->marker);
	}
}

static void
guard_free(struct run *r)
{
	lock_byte(r->marker, F_OFD_SETLK, F_UNLCK, 0, 1);
}

/* Whether no range is anybody's, and no other file is there. */
static int
is_unused(int marker)
{
	static char text[1 + POOL_RANGES];
	ssize_t n = pread(marker, text, sizeof(text), 0);
	struct dirent *e;
	int unused;
	DIR *d;

	while (n > 0 && !text[n - 1])
		n--;
	d = n ? NULL : opendir(STATEDIR);
	unused = d != NULL;
	while (unused && (e = readdir(d)))
		unused = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
		    !strcmp(e->d_name, strrchr(MARKER, '/') + 1);
	if (d)
		closedir(d);
	return unused;
}

/* The run-time folder, unless others use it. */
static void
remove_statedir(struct run *r)
{
	if (r->marker >= 0 && wait_lock(r, r->marker, F_WRLCK) < 0) {
		tell(MARKER " is locked: %s; left to crun clean",
		    wait_holder(r->marker));
	} else if (r->marker >= 0 && same_file(r->marker, MARKER) &&
	    is_unused(r->marker)) {
		unlink(MARKER);
		rmdir(STATEDIR);
	}
	if (r->marker < 0 && r->statedir_made & MADE_DIR)
		rmdir(STATEDIR);
	shut(&r->marker);
}

/* ---- leftovers ---- */

/* Unless somebody else has taken it by now. */
static void
free_range(off_t n)
{
	int fd = open(MARKER, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (!lock_byte(fd, F_OFD_SETLK, F_WRLCK, 1 + n, 1))
		pwrite(fd, "", 1, 1 + n);
	shut(&fd);
}

/* Undoes one line of a host file; whatever is gone already is no error.  NULL,
 * or why it is there still. */
static const char *
remove_object(struct run *r, char *line)
{
	char *what = strchr(line, ' ');

	if (!what)
		return NULL;
	*what++ = '\0';
	step("removing %s %s", line, what);
	switch (*line) {
	case 'c':
		return cgroup_remove(r, what);
	case 'l':
		net_delete(what);
		break;
	case 'i':
		free_range(strtoul(what, NULL, 10));
	}
	return NULL;
}

/* NAME/host has its first bytes only; without any it goes. */
static void
cut_host(struct run *r, off_t keep)
{
	int fd;

	if (!keep) {
		unlinkat(r->state, "host", 0);
		return;
	}
	fd = openat(r->state, "host", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || ftruncate(fd, keep) < 0)
		warn("writing " STATEDIR "/%s/host:", r->conf->name);
	shut(&fd);
}

/* All of them before any is killed: see cgroup_thaw_left(). */
static void
thaw_objects(const char *text)
{
	char what[512];
	size_t len;

	for (; *text; text += len + !!text[len]) {
		len = strcspn(text, "\n");
		snprintf(what, sizeof(what), "%.*s", (int)len, text);
		if (!strncmp(what, "cgroup ", 7) && strchr(what, '/'))
			cgroup_thaw_left(what + 7);
	}
}

/* Removes all that NAME/host names after its first bytes, which are kept.
 * NULL; or why it could not all be removed, and then the file stays for the
 * next who tries. */
static const char *
remove_objects(struct run *r, off_t keep)
{
	static char text[16384], left[2048];
	char *line, *rest = text + keep, *ids = NULL;
	const char *why;

	r->left = 0;
	unlinkat(r->state, "pid", 0);
	if (read_at(r->state, "host", text, sizeof(text)) < keep)
		return NULL;
	thaw_objects(rest);
	/* a last line without its end was being written, and its object was
	 * not made yet; removing it all the same does no harm */
	while ((line = next_part(&rest, "\n")))
		if (*line == 'i')
			ids = line;	/* when nobody has them any more */
		else if ((why = remove_object(r, line)) && !r->left++)
			snprintf(left, sizeof(left), "%s", why);
	if (r->left)
		return left;
	if (ids)
		remove_object(r, ids);
	cut_host(r, keep);
	return NULL;
}

static off_t
host_size(struct run *r)
{
	struct stat st;

	return fstatat(r->state, "host", &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 :
	    st.st_size;
}

/* A supervisor that was killed has left the lock to the child that it had just
 * cloned, until that comes to closing it, state_child(). */
static int
holder_died(int state)
{
	char text[32];

	return read_at(state, "lock", text, sizeof(text)) > 0 &&
	    kill(strtol(text, NULL, 10), 0) < 0 && errno == ESRCH;
}

static int
lock_soon(int fd)
{
	enum { TRIES = 100, MS = 10 };
	int i;

	for (i = 0; i < TRIES; i++) {
		poll(NULL, 0, MS);
		if (!lock_byte(fd, F_OFD_SETLK, F_WRLCK, 0, 0))
			return 1;
	}
	errno = EAGAIN;
	return 0;
}

/* One try to open the folder and to take the lock in it.  1: it is ours; 0:
 * the folder vanished meanwhile; -1: another holds it.  Dies otherwise. */
static int
try_lock(struct run *r, const char *dir)
{
	char path[sizeof(STATEDIR) + NAME_LEN + 8];
	int held;

	trusted(dir);
	r->state = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (r->state < 0)
		return errno == ENOENT ? 0 : (die("%s:", dir), 0);
	r->lock = openat(r->state, "lock",
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r->lock < 0 && errno != ENOENT)
		die("making %s/lock:", dir);
	held = r->lock >= 0 &&
	    lock_byte(r->lock, F_OFD_SETLK, F_WRLCK, 0, 0) < 0;
	if (held && errno == EAGAIN && holder_died(r->state))
		held = !lock_soon(r->lock);
	if (held && errno != EAGAIN && errno != EACCES)
		die("locking %s/lock:", dir);
	put(path, sizeof(path), "%s/lock", dir);
	if (!held && r->lock >= 0 && same_file(r->lock, path))
		return 1;
	shut(&r->lock);
	if (held)
		return -1;
	shut(&r->state);
	return 0;
}

/* ---- the supervisor ---- */

static void
put_dir(char *dir, size_t size, const char *name)
{
	put(dir, size, STATEDIR "/%s", name);
}

/* The 22nd field, counted after the name's last ')'. */
unsigned long long
state_start_time(int dir, const char *stat)
{
	char text[1024], *p;
	int i;

	if (read_at(dir, stat, text, sizeof(text)) < 0)
		return 0;
	p = strrchr(text, ')');
	for (i = 2; p && i < 22; i++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p, NULL, 10) : 0;
}

/* Ours; 0 where there is no /proc yet. */
static unsigned long long
own_start_time(void)
{
	static unsigned long long start;

	if (!start)
		start = state_start_time(AT_FDCWD, "/proc/self/stat");
	return start;
}

void
state_host(struct run *r)
{
	char dir[sizeof(STATEDIR) + NAME_LEN + 2], pid[64] = "";
	const char *why;
	int got;

	put_dir(dir, sizeof(dir), r->conf->name);
	guard_folder(r);
	do {
		if (mkdir(dir, 0700) < 0 && errno != EEXIST)
			die("making %s:", dir);
		got = try_lock(r, dir);
	} while (!got);
	guard_free(r);
	if (got < 0) {
		read_at(r->state, "lock", pid, sizeof(pid));
		pid[strcspn(pid, " \n")] = '\0';
		shut(&r->state);
		die("%s is already running%s%s; crun stop %s ends it",
		    r->conf->name, *pid ? ", its supervisor is pid " : "",
		    pid, r->conf->name);
	}
	put(pid, sizeof(pid), "%ld %llu\n", (long)getpid(),
	    own_start_time());
	if (ftruncate(r->lock, 0) < 0 ||
	    pwrite(r->lock, pid, strlen(pid), 0) < 0)
		die("writing %s/lock:", dir);
	if (host_size(r)) {
		warn("%s: removing what a killed supervisor left",
		    r->conf->name);
		why = remove_objects(r, 0);
		if (why)
			wait_failed(r, why);
	}
	step("state: %s", dir);
}

void
state_record(struct run *r, const char *lines)
{
	ssize_t len = strlen(lines);
	int fd, bad;

	fd = openat(r->state, "host",
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	bad = fd < 0 || write(fd, lines, len) != len;
	if (bad)
		die("writing " STATEDIR "/%s/host:", r->conf->name);
	close(fd);
	r->recorded += len;
}

static void
forget(struct run *r, off_t keep)
{
	const char *why = NULL;

	/* what is left has been told of; the next start tries again */
	if (!r->left && host_size(r) != r->recorded)
		why = remove_objects(r, keep);
	else if (!r->left)
		cut_host(r, keep);
	unlinkat(r->state, "pid", 0);
	if (why)
		tell("%s: %s; left to crun clean", r->conf->name, why);
	r->recorded = keep;
}

void
state_reboot(struct run *r)
{
	forget(r, r->kept);
	unlinkat(r->state, "pid", 0);
}

/* The locks are the supervisor's alone: a child that outlives it for a moment
 * must not keep the name. */
void
state_child(struct run *r)
{
	shut(&r->lock);
	shut(&r->marker);
}

#define GENERATION "# generation "

/* How often NAME/conf was written, in *n; 0: never, or not by us.  -1 and
 * errno: it cannot be read. */
static int
generation(const struct run *r, uint64_t *n)
{
	char text[64];
	ssize_t got = read_at(r->state, "conf", text, sizeof(text));

	*n = 0;
	if (got < 0)
		return errno == ENOENT ? 0 : -1;
	if (!strncmp(text, GENERATION, strlen(GENERATION)))
		numbers(text + strlen(GENERATION), n, 1);
	return 0;
}

void
state_conf_new(struct run *r)
{
	int fd = openat(r->state, ".conf", O_WRONLY | O_CREAT | O_TRUNC |
	    O_CLOEXEC | O_NOFOLLOW, 0600), bad, err;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	uint64_t n = 0;

	if (f && generation(r, &n) < 0) {
		fclose(f);
		f = NULL;
	}
	if (f) {
		fprintf(f, GENERATION "%llu\n", (unsigned long long)n + 1);
		conf_print(r->conf, f);
	}
	bad = !f || ferror(f);
	bad |= f && fclose(f);
	if (!bad)
		return;
	err = errno;
	unlinkat(r->state, ".conf", 0);
	errno = err;
	die("writing " STATEDIR "/%s/conf:", r->conf->name);
}

/* Nobody reads a half of it. */
void
state_conf_commit(struct run *r)
{
	if (renameat(r->state, ".conf", r->state, "conf") < 0)
		die("renaming " STATEDIR "/%s/conf:", r->conf->name);
	generation(r, &r->generation);
}

int
state_conf_changed(struct run *r)
{
	uint64_t n;

	return generation(r, &n) < 0 || n != r->generation;
}

void
state_saved(struct run *r)
{
	state_conf_new(r);
	state_conf_commit(r);
}

/* As long as NAME/pid is not whole the container is starting, and nobody enters
 * it: until its exec the child may be in the host's file tree. */
void
state_started(struct run *r)
{
	char text[96];

	put(text, sizeof(text), "%ld %llu\n%ld %llu\n", (long)r->pid,
	    state_start_time(r->proc, "stat"), (long)getpid(),
	    own_start_time());
	if (create_at(r->state, "pid", text, 0600) < 0)
		die("writing " STATEDIR "/%s/pid:", r->conf->name);
}

void
state_ended(struct run *r, int status, int killed)
{
	char text[64];

	put(text, sizeof(text), "%ld %llu\n%d%s\n", (long)getpid(),
	    own_start_time(), status,
	    killed ? " killed" : "");
	if (pwrite(r->lock, text, strlen(text), 0) < 0)
		warn("writing " STATEDIR "/%s/lock:", r->conf->name);
}

static int
remove_folder(struct run *r, const char *name)
{
	static const char *const files[] = { "conf", "console", "lock" };
	static const char *const more[] = { "log", ".conf" };
	char dir[sizeof(STATEDIR) + NAME_LEN + 2];
	int left = 0;
	size_t i;

	put_dir(dir, sizeof(dir), name);
	for (i = 0; i < LEN(files) && r->lock >= 0; i++)
		unlinkat(r->state, files[i], 0);
	if (r->state >= 0 && rmdir(dir) < 0 && r->lock >= 0) {
		for (i = 0; i < LEN(more); i++)
			unlinkat(r->state, more[i], 0);
		left = rmdir(dir);
		if (left)
			warn("removing %s:", dir);
	}
	shut(&r->lock);
	shut(&r->state);
	return left;
}

void
state_undo(struct run *r)
{
	char parent[] = STATEDIR;

	if (r->lock >= 0)
		forget(r, 0);
	if (r->left) {
		shut(&r->lock);
		shut(&r->state);
		return;
	}
	remove_folder(r, r->conf->name);
	remove_statedir(r);
	if (r->statedir_made & MADE_PARENT) {
		*strrchr(parent, '/') = '\0';
		rmdir(parent);
	}
}

/* ---- whoever acts on a container ---- */

/* A pidfd of the process of that pid and start time; -1 where there is none.
 * The init's /proc folder goes to *proc, unless that is NULL. */
static int
open_pid(pid_t pid, uint64_t start, int *proc)
{
	char path[32];
	int fd = syscall(SYS_pidfd_open, pid, 0), dir;

	put(path, sizeof(path), "/proc/%ld", (long)pid);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || dir < 0 || state_start_time(dir, "stat") != start)
		shut(&fd);
	if (proc && fd >= 0)
		*proc = dir;
	else
		shut(&dir);
	return fd;
}

/* An init that nobody has reaped yet has its start time still. */
static int
has_exited(int pidfd)
{
	struct pollfd p = { pidfd, POLLIN, 0 };

	return poll(&p, 1, 0) != 0;
}

/* Takes the two lines of NAME/pid to pidfds.  STARTING: it is not there, or
 * speaks of an earlier supervisor. */
static enum life
open_pids(struct run *r)
{
	uint64_t n[4];		/* pid, start time, pid, start time */
	char text[128];

	if (read_at(r->state, "pid", text, sizeof(text)) < 0 ||
	    numbers(text, n, 4) != 4)
		return STARTING;
	r->pid = n[0];
	r->pidfd = open_pid(n[0], n[1], &r->proc);
	r->supervisor = open_pid(n[2], n[3], NULL);
	r->supervisor_pid = n[2];
	if (r->supervisor < 0)
		return STARTING;
	return r->pidfd >= 0 && !has_exited(r->pidfd) ? RUNNING : ENDING;
}

/* The supervisor of one that starts, by NAME/lock. */
static void
open_starting(struct run *r)
{
	uint64_t n[2] = { 0 };	/* pid, start time */
	char text[64];

	if (read_at(r->state, "lock", text, sizeof(text)) > 0 &&
	    numbers(text, n, 2) == 2)
		r->supervisor = open_pid(n[0], n[1], NULL);
	r->supervisor_pid = n[0];
}

/* A free lock: of a supervisor that was killed, or of one that has just
 * removed the file that we have open. */
static enum life
dead_or_gone(const struct run *r)
{
	struct stat st;

	return fstat(r->lock, &st) < 0 || !st.st_nlink ? NONE : DEAD;
}

enum life
state_open(struct run *r, const char *name)
{
	char dir[sizeof(STATEDIR) + NAME_LEN + 2];
	enum life life;

	run_clear(r);
	if (strlen(name) > NAME_LEN || strchr(name, '/') || *name == '.')
		return NONE;
	put_dir(dir, sizeof(dir), name);
	if (!is_ours() || !trusted(dir))
		return NONE;
	r->state = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (r->state < 0)
		return NONE;
	r->lock = openat(r->state, "lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (r->lock < 0)
		return errno == ENOENT ? NONE : DEAD;
	if (!is_locked(r->lock))
		return dead_or_gone(r);
	life = open_pids(r);
	if (life == RUNNING)
		return RUNNING;
	if (!is_locked(r->lock))
		return dead_or_gone(r);
	if (life == ENDING)
		return ENDING;
	open_starting(r);
	return STARTING;
}

/* ---- ranges of ids ----
 *
 * Byte 1 + n of the marker is range n.  One that is free but not 0 is a killed
 * supervisor's, and may have processes still.
 */

static int
claim(struct run *r, off_t byte)
{
	char used = 0;

	/* looked at before it is ours, another could take it, and be killed */
	if (lock_byte(r->marker, F_OFD_SETLK, F_WRLCK, byte, 1))
		return 0;
	if (pread(r->marker, &used, 1, byte) >= 0 && !used)
		return 1;
	lock_byte(r->marker, F_OFD_SETLK, F_UNLCK, byte, 1);
	return 0;
}

uint32_t
state_range(struct run *r, uint32_t first, uint32_t count)
{
	uint32_t i, n;
	char line[16];

	for (i = 0; i < count; i++) {
		n = (first + i) % count;
		if (!claim(r, 1 + n))
			continue;
		put(line, sizeof(line), "ids %u\n", (unsigned)n);
		state_record(r, line);
		r->kept = r->recorded;
		if (pwrite(r->marker, "x", 1, 1 + n) != 1)
			die("writing " MARKER ":");
		r->range = 1 + n;
		return n;
	}
	die("all %u ranges of ids are taken by containers; crun clean frees "
	    "those of killed supervisors; else set userns=HOSTID, or a larger "
	    "pool in config.h", (unsigned)count);
}

void
state_range_undo(struct run *r)
{
	if (!r->range)
		return;
	/* what is left has these ids still */
	if (!r->left)
		pwrite(r->marker, "", 1, r->range);
	lock_byte(r->marker, F_OFD_SETLK, F_UNLCK, r->range, 1);
	r->range = 0;
}

/* The second line of NAME/lock, once the supervisor has ended. */
int
state_status(const struct run *r, int *killed)
{
	char text[64];
	ssize_t got = pread(r->lock, text, sizeof(text) - 1, 0);
	uint64_t n[3];		/* pid, start time, the status */

	text[got > 0 ? got : 0] = '\0';
	if (numbers(text, n, 3) != 3)
		return -1;
	*killed = strstr(text, "killed") != NULL;
	return n[2];
}

void
state_close(struct run *r)
{
	shut(&r->state);
	shut(&r->lock);
	shut(&r->pidfd);
	shut(&r->proc);
	shut(&r->supervisor);
}

/* ---- every container ---- */

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **
state_names(size_t *n)
{
	char **names = xrealloc(NULL, 1, sizeof(*names));
	struct dirent *e;
	DIR *d = opendir(STATEDIR);

	*n = 0;
	if (!d && errno != ENOENT)
		die("reading " STATEDIR ":");
	is_ours();
	while (d && (e = readdir(d))) {
		if (*e->d_name == '.')
			continue;
		names = xrealloc(names, *n + 2, sizeof(*names));
		names[(*n)++] = xprintf("%s", e->d_name);
	}
	if (d)
		closedir(d);
	qsort(names, *n, sizeof(*names), by_name);
	return names;
}

int
state_clean(const char *name)
{
	char dir[sizeof(STATEDIR) + NAME_LEN + 2];
	const char *why;
	struct stat st;
	struct run r;

	run_clear(&r);
	if (strlen(name) > NAME_LEN)
		return 0;
	put_dir(dir, sizeof(dir), name);
	if (lstat(dir, &st) < 0 || !S_ISDIR(st.st_mode)) {
		tell("%s is no folder, and none of crun's; left alone", dir);
		return 0;
	}
	if (try_lock(&r, dir) <= 0) {
		shut(&r.state);
		return 0;
	}
	why = remove_objects(&r, 0);
	if (!why)
		return !remove_folder(&r, name);
	tell("%s: %s; not removed", name, why);
	state_close(&r);
	return 0;
}

void
state_clean_rest(void)
{
	struct run r;

	run_clear(&r);
	r.marker = open(MARKER, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	remove_statedir(&r);
	rmdir(STATEDIR);	/* of a start that was killed before its marker */
}
