/* The run-time folder: /run/crun-os, one folder a container.
 *
 *   NAME/lock   locked by the supervisor as long as it lives; that, and
 *               nothing else, is what "running" means.  Its text is the
 *               supervisor's pid and start time; at the end a line with the
 *               exit status, and one with why it could not go on
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
 * This file is the supervisor's; find.c is for everybody else, who finds a
 * container by its name: the lock says that there is a supervisor,
 * and a pid with its start time names one process for ever, so a pidfd that
 * was opened before the two were compared is of no other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "sup/folder.h"
#include "sup/sup.h"
#include "config.h"

int
same_file(int fd, const char *path)
{
	struct stat a, b;

	return !fstat(fd, &a) && !stat(path, &b) && a.st_dev == b.st_dev &&
	    a.st_ino == b.st_ino;
}

int
lock_byte(int fd, int cmd, short type, off_t byte, off_t len)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET,
	    .l_start = byte, .l_len = len };

	return fcntl(fd, cmd, &l);
}

int
is_locked(int fd)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return !fcntl(fd, F_OFD_GETLK, &l) && l.l_type != F_UNLCK;
}

/* ---- the supervisor ---- */

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
	char dir[STATE_PATH], pid[64] = "";
	const char *why;
	enum lock got;

	put_state_path(dir, sizeof(dir), r->conf->name, NULL);
	guard_folder(r);
	do {
		if (mkdir(dir, 0700) < 0 && errno != EEXIST)
			die("making %s:", dir);
		got = left_try_lock(r, dir);
	} while (got == VANISHED);
	guard_free(r);
	if (got == ANOTHERS) {
		read_at(r->state.dir, "lock", pid, sizeof(pid));
		pid[strcspn(pid, " \n")] = '\0';
		shut(&r->state.dir);
		die("%s is already running%s%s; crun stop %s ends it",
		    r->conf->name, *pid ? ", its supervisor is pid " : "",
		    pid, r->conf->name);
	}
	put(pid, sizeof(pid), "%ld %llu\n", (long)getpid(),
	    own_start_time());
	if (ftruncate(r->state.lock, 0) < 0 ||
	    pwrite(r->state.lock, pid, strlen(pid), 0) < 0)
		die("writing %s/lock:", dir);
	if (left_size(r)) {
		warn("%s: removing what a killed supervisor left",
		    r->conf->name);
		why = left_remove(r, 0);
		if (why)
			wait_failed(r, why);
	}
	step("state: %s", dir);
}

int
state_note(struct run *r, const char *lines)
{
	ssize_t len = strlen(lines);
	int fd, bad;

	fd = openat(r->state.dir, "host",
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	bad = fd < 0 || write(fd, lines, len) != len;
	if (!bad)
		r->state.recorded += len;
	shut(&fd);
	return bad ? -1 : 0;
}

int
state_unnote(struct run *r, const char *begin)
{
	char text[16384], *line = text, *end;
	int fd;

	if (read_at(r->state.dir, "host", text, sizeof(text)) <= 0)
		return 0;
	while (strncmp(line, begin, strlen(begin))) {
		line = strchr(line, '\n');
		if (!line)
			return 0;
		line++;
	}
	end = strchr(line, '\n');
	if (!end)
		return 0;
	r->state.recorded -= end + 1 - line;
	memmove(line, end + 1, strlen(end + 1) + 1);
	fd = openat(r->state.dir, "host", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	/* longer at first: what is there twice does no harm */
	if (fd < 0 || pwrite(fd, text, strlen(text), 0) < 0 ||
	    ftruncate(fd, strlen(text)) < 0)
		warn("writing " STATEDIR "/%s/host:", r->conf->name);
	shut(&fd);
	return 1;
}

void
state_record(struct run *r, const char *lines)
{
	if (state_note(r, lines) < 0)
		die("writing " STATEDIR "/%s/host:", r->conf->name);
}

static void
forget(struct run *r, off_t keep)
{
	const char *why = NULL;

	/* what is left has been told of; the next start tries again */
	if (!r->state.left && left_size(r) != r->state.recorded)
		why = left_remove(r, keep);
	else if (!r->state.left)
		left_cut(r, keep);
	unlinkat(r->state.dir, "pid", 0);
	if (why)
		tell("%s: %s; left to crun clean", r->conf->name, why);
	r->state.recorded = keep;
}

void
state_keep(struct run *r)
{
	r->state.left = 1;
}

void
state_reboot(struct run *r)
{
	forget(r, r->state.kept);
	r->state.left = 0;
}

/* The locks are the supervisor's alone: a child that outlives it for a moment
 * must not keep the name. */
void
state_child(struct run *r)
{
	shut(&r->state.lock);
	shut(&r->state.marker);
}

#define GENERATION "# generation "

/* How often NAME/conf was written, in *n; 0: never, or not by us.  -1 and
 * errno: it cannot be read. */
static int
generation(const struct run *r, uint64_t *n)
{
	char text[64];
	ssize_t got = read_at(r->state.dir, "conf", text, sizeof(text));

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
	int fd = openat(r->state.dir, ".conf", O_WRONLY | O_CREAT | O_TRUNC |
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
	unlinkat(r->state.dir, ".conf", 0);
	errno = err;
	die("writing " STATEDIR "/%s/conf:", r->conf->name);
}

/* Nobody reads a half of it. */
int
state_conf_take(struct run *r)
{
	return renameat(r->state.dir, ".conf", r->state.dir, "conf");
}

void
state_conf_commit(struct run *r)
{
	if (state_conf_take(r) < 0)
		die("renaming " STATEDIR "/%s/conf:", r->conf->name);
	generation(r, &r->state.generation);
}

int
state_conf_changed(struct run *r)
{
	uint64_t n;

	return generation(r, &n) < 0 || n != r->state.generation;
}

void
state_saved(struct run *r)
{
	state_conf_new(r);
	state_conf_commit(r);
}

/* As long as NAME/pid is not whole the container is starting, and nobody
 * enters it: until its exec the child may be in the host's file tree. */
void
state_started(struct run *r)
{
	char text[96];

	put(text, sizeof(text), "%ld %llu\n%ld %llu\n", (long)r->init.pid,
	    state_start_time(r->init.proc, "stat"), (long)getpid(),
	    own_start_time());
	if (create_at(r->state.dir, "pid", text, 0600) < 0)
		die("writing " STATEDIR "/%s/pid:", r->conf->name);
}

void
state_ended(struct run *r, int status, int killed, const char *reason)
{
	char text[END_TEXT];

	snprintf(text, sizeof(text), "%ld %llu\n%d%s\n%s", (long)getpid(),
	    own_start_time(), status, killed ? " killed" : "", reason);
	if (pwrite(r->state.lock, text, strlen(text), 0) < 0)
		warn("writing " STATEDIR "/%s/lock:", r->conf->name);
}

static int
remove_folder(struct run *r, const char *name)
{
	static const char *const files[] = { "conf", "console", "lock" };
	static const char *const more[] = { "log", ".conf", "set" };
	char dir[STATE_PATH];
	int left = 0;
	size_t i;

	put_state_path(dir, sizeof(dir), name, NULL);
	for (i = 0; i < LEN(files) && r->state.lock >= 0; i++)
		unlinkat(r->state.dir, files[i], 0);
	if (r->state.dir >= 0 && rmdir(dir) < 0 && r->state.lock >= 0) {
		for (i = 0; i < LEN(more); i++)
			unlinkat(r->state.dir, more[i], 0);
		left = rmdir(dir);
		if (left)
			warn("removing %s:", dir);
	}
	shut(&r->state.lock);
	shut(&r->state.dir);
	return left;
}

void
state_undo(struct run *r)
{
	char parent[] = STATEDIR;

	if (r->state.lock >= 0)
		forget(r, 0);
	if (r->state.left) {
		shut(&r->state.lock);
		shut(&r->state.dir);
		return;
	}
	remove_folder(r, r->conf->name);
	statedir_remove(r);
	if (r->state.statedir_made & MADE_PARENT) {
		*strrchr(parent, '/') = '\0';
		rmdir(parent);
	}
}

int
state_clean(const char *name)
{
	char dir[STATE_PATH];
	const char *why;
	struct conf c = { .name = name };
	struct stat st;
	struct run r;

	r = (struct run)RUN_NONE;
	r.conf = &c;
	if (strlen(name) > NAME_LEN)
		return 0;
	put_state_path(dir, sizeof(dir), name, NULL);
	if (lstat(dir, &st) < 0 || !S_ISDIR(st.st_mode)) {
		tell("%s is no folder, and none of crun's; left alone", dir);
		return 0;
	}
	if (left_try_lock(&r, dir) != OURS) {
		shut(&r.state.dir);
		return 0;
	}
	why = left_remove(&r, 0);
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

	r = (struct run)RUN_NONE;
	r.state.marker = open(MARKER, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	statedir_remove(&r);
	rmdir(STATEDIR); /* of a start that was killed before its marker */
}
