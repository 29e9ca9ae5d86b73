/* What a dead supervisor has left: the objects that its NAME/host names. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crun.h"
#include "lib/lib.h"
#include "sup/folder.h"
#include "sup/sup.h"
#include "config.h"

/* ---- leftovers ---- */

/* The kind of a line of a host file; *what is put after its first blank. */
static const struct object *
object_of(char *line, char **what)
{
	const struct object *o;

	*what = strchr(line, ' ');
	if (!*what)
		return NULL;
	*(*what)++ = '\0';
	for (o = objects; o->kind; o++)
		if (!strcmp(o->kind, line))
			return o;
	return NULL;
}

/* Undoes one line; whatever is gone already is no error.  NULL, or why it is
 * there still. */
static const char *
remove_object(struct run *r, char *line)
{
	char *what;
	const struct object *o = object_of(line, &what);

	if (!o)
		return NULL;
	step("removing %s %s", line, what);
	return o->remove(r, what);
}

void
left_cut(struct run *r, off_t keep)
{
	int fd;

	if (!keep) {
		unlinkat(r->state.dir, "host", 0);
		return;
	}
	fd = openat(r->state.dir, "host", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || ftruncate(fd, keep) < 0)
		warn("writing " STATEDIR "/%s/host:", r->conf->name);
	shut(&fd);
}

/* All of them before any is removed: see cgroup_thaw_left(). */
static void
prepare_objects(const char *text)
{
	char line[512], *what;
	const struct object *o;
	size_t len;

	for (; *text; text += len + !!text[len]) {
		len = strcspn(text, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		o = object_of(line, &what);
		if (o && o->prepare)
			o->prepare(what);
	}
}

const char *
left_remove(struct run *r, off_t keep)
{
	static char text[16384], left[2048];
	char *line, *rest = text + keep, *ids = NULL;
	const char *why;

	r->state.left = 0;
	unlinkat(r->state.dir, "pid", 0);
	if (read_at(r->state.dir, "host", text, sizeof(text)) < keep)
		return NULL;
	prepare_objects(rest);
	/* a last line without its end was being written, and its object was
	 * not made yet; removing it all the same does no harm */
	*left = '\0';
	while ((line = next_part(&rest, "\n"))) {
		if (!strncmp(line, "ids ", 4)) {
			ids = line;	/* when nobody has them any more */
			continue;
		}
		why = remove_object(r, line);
		if (why && !*left)
			snprintf(left, sizeof(left), "%s", why);
	}
	r->state.left = *left != '\0';
	if (*left)
		return left;
	if (ids)
		remove_object(r, ids);
	left_cut(r, keep);
	return NULL;
}

off_t
left_size(struct run *r)
{
	struct stat st;

	return fstatat(r->state.dir, "host", &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 :
	    st.st_size;
}

/* Whether a process has died, or is about to: its flags in /proc/PID/stat,
 * proc(5), which its state, its name in brackets and five numbers precede. */
static int
is_dying(long pid)
{
	enum { FLAGS = 6, PF_EXITING = 4 };
	char path[32], text[512], *p;
	long n = 0;
	int i;

	put(path, sizeof(path), "/proc/%ld/stat", pid);
	if (read_at(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return errno == ENOENT || errno == ESRCH;
	p = strrchr(text, ')');
	if (!p)
		return 0;
	p += strlen(") S");
	for (i = 0; i < FLAGS; i++)
		n = strtol(p, &p, 10);
	return n & PF_EXITING;
}

/* A supervisor that was killed has left the lock to the child that it had just
 * cloned, until that comes to closing it, state_child().  And it has its locks
 * itself while the kernel takes apart what it had. */
static int
holder_died(int state)
{
	char text[32];

	return read_at(state, "lock", text, sizeof(text)) > 0 &&
	    is_dying(strtol(text, NULL, 10));
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

enum lock
left_try_lock(struct run *r, const char *dir)
{
	char path[STATE_PATH];
	int held;

	statedir_trusted(dir);
	r->state.dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW);
	if (r->state.dir < 0 && errno != ENOENT)
		die("%s:", dir);
	if (r->state.dir < 0)
		return VANISHED;
	r->state.lock = openat(r->state.dir, "lock",
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r->state.lock < 0 && errno != ENOENT)
		die("making %s/lock:", dir);
	held = r->state.lock >= 0 &&
	    lock_byte(r->state.lock, F_OFD_SETLK, F_WRLCK, 0, 0) < 0;
	if (held && errno == EAGAIN && holder_died(r->state.dir))
		held = !lock_soon(r->state.lock);
	if (held && errno != EAGAIN && errno != EACCES)
		die("locking %s/lock:", dir);
	put(path, sizeof(path), "%s/lock", dir);
	if (!held && r->state.lock >= 0 && same_file(r->state.lock, path))
		return OURS;
	shut(&r->state.lock);
	if (held)
		return ANOTHERS;
	shut(&r->state.dir);
	return VANISHED;
}
