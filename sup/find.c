/* A container by its name, as everybody but its supervisor finds it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crun.h"
#include "lib/lib.h"
#include "sup/folder.h"
#include "sup/sup.h"
#include "config.h"

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

	if (read_at(r->state.dir, "pid", text, sizeof(text)) < 0 ||
	    numbers(text, n, 4) != 4)
		return STARTING;
	r->init.pid = n[0];
	r->init.pidfd = open_pid(n[0], n[1], &r->init.proc);
	r->other.pidfd = open_pid(n[2], n[3], NULL);
	r->other.pid = n[2];
	if (r->other.pidfd < 0)
		return STARTING;
	return r->init.pidfd >= 0 && !has_exited(r->init.pidfd) ? RUNNING : ENDING;
}

/* The supervisor of one that starts, by NAME/lock. */
static void
open_starting(struct run *r)
{
	uint64_t n[2] = { 0 };	/* pid, start time */
	char text[64];

	if (read_at(r->state.dir, "lock", text, sizeof(text)) > 0 &&
	    numbers(text, n, 2) == 2)
		r->other.pidfd = open_pid(n[0], n[1], NULL);
	r->other.pid = n[0];
}

/* A free lock: of a supervisor that was killed, or of one that has just
 * removed the file that we have open. */
static enum life
dead_or_gone(const struct run *r)
{
	struct stat st;

	return fstat(r->state.lock, &st) < 0 || !st.st_nlink ? NONE : DEAD;
}

enum life
state_open(struct run *r, const char *name)
{
	char dir[STATE_PATH];
	enum life life;

	*r = (struct run)RUN_NONE;
	if (strlen(name) > NAME_LEN || strchr(name, '/') || *name == '.')
		return NONE;
	put_state_path(dir, sizeof(dir), name, NULL);
	if (!statedir_is_ours() || !statedir_trusted(dir))
		return NONE;
	r->state.dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW);
	if (r->state.dir < 0)
		return NONE;
	r->state.lock = openat(r->state.dir, "lock", O_RDWR | O_CLOEXEC |
	    O_NOFOLLOW);
	if (r->state.lock < 0)
		return errno == ENOENT ? NONE : DEAD;
	if (!is_locked(r->state.lock))
		return dead_or_gone(r);
	life = open_pids(r);
	if (life == RUNNING)
		return RUNNING;
	if (!is_locked(r->state.lock))
		return dead_or_gone(r);
	if (life == ENDING)
		return ENDING;
	open_starting(r);
	return STARTING;
}

/* The line n of NAME/lock, from 0 on; "": it has none.  The supervisor adds to
 * its first when it ends. */
static char *
end_line(const struct run *r, int n)
{
	static char text[END_TEXT];
	ssize_t got = pread(r->state.lock, text, sizeof(text) - 1, 0);
	char *line = text;

	text[got > 0 ? got : 0] = '\0';
	for (; n && *line; n--) {
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	line[strcspn(line, "\n")] = '\0';
	return line;
}

int
state_status(const struct run *r, int *killed)
{
	uint64_t status;
	char *line = end_line(r, 1);

	if (numbers(line, &status, 1) != 1)
		return -1;
	*killed = strstr(line, "killed") != NULL;
	return status;
}

const char *
state_reason(const struct run *r)
{
	return end_line(r, 2);
}

void
init_take(struct run *r, pid_t pid, int pidfd)
{
	char path[32];

	r->init = (struct init){ pid, pidfd, -1 };
	put(path, sizeof(path), "/proc/%ld", (long)pid);
	r->init.proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->init.proc < 0)
		die("opening %s:", path);
}

void
init_reaped(struct run *r)
{
	shut(&r->init.pidfd);
}

void
init_close(struct run *r)
{
	r->init.pid = 0;
	shut(&r->init.pidfd);
	shut(&r->init.proc);
}

void
state_close(struct run *r)
{
	shut(&r->state.dir);
	shut(&r->state.lock);
	init_close(r);
	shut(&r->other.pidfd);
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
	statedir_is_ours();
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
