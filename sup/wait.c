/* Waiting for somebody else: with an end, and with a word about whom.
 *
 * A killed process may be long in dying, or not die at all: one in a frozen
 * group of cgroup v1 takes no signal, nor does one that the kernel holds.  A
 * lock may be held by a process that is stopped.  So a start, and the end of
 * a life, wait PATIENCE_MS for others, in all: run->wait.patience is what is
 * left.  When it is used up, each that follows gets a glance.
 *
 * During a start a signal ends all of that at once.  At an end it does not:
 * what is half removed is of no use to anybody, and the wait is short.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crun.h"
#include "lib/lib.h"
#include "sup/sup.h"
#include "tty/tty.h"
#include "config.h"

enum { GLANCE_MS = 100, DEPTH = 64 };

/* ---- for an event ---- */

void
wait_start(struct run *r)
{
	r->wait.starting = 1;
	r->wait.patience = PATIENCE_MS;
	r->wait.stuck = 0;
}

void
wait_started(struct run *r)
{
	r->wait.starting = 0;
}

/* An init that does not die has used up the time already. */
void
wait_end(struct run *r)
{
	r->wait.starting = 0;
	r->wait.patience = r->wait.stuck ? 0 : PATIENCE_MS;
	r->wait.heard = 0;
}

void
wait_change(struct run *r)
{
	r->wait.patience = PATIENCE_MS / 2;
}

int
wait_died(struct run *r, int died)
{
	r->wait.stuck = !died;
	return died;
}

void
wait_early(struct run *r)
{
	if (!r->wait.early || r->wait.early_request & 1)
		r->wait.early_request = r->signals.request;
	r->wait.early = 1;
}

int
wait_take_early(struct run *r)
{
	int early = r->wait.early;

	if (early)
		signal_again(r, r->wait.early_request);
	r->wait.early = 0;
	return early;
}

/* What asks the supervisor to end is kept for wait_failed(). */
static void
hear(struct run *r)
{
	int sig = signal_pending(r);

	if (sig == ASK) {	/* between two lives, by crun stop */
		wait_early(r);
	} else if (sig) {
		r->wait.heard = sig;
		r->wait.patience = 0;
	}
}

int
wait_for(struct run *r, int fd, short events)
{
	enum { EVENT, SAID, SIGNALS, NFDS };
	struct pollfd p[NFDS] = { { fd, events, 0 } };
	long long begun = now_ms(), left = r->wait.patience;

	if (left < GLANCE_MS)
		left = GLANCE_MS;
	p[SIGNALS] =
	    (struct pollfd){ r->wait.starting ? r->signals.fd : -1, POLLIN, 0 };
	while (left > 0 && !r->wait.heard) {
		say_poll(&p[SAID]);
		if (poll(p, NFDS, left) < 0 && errno != EINTR)
			die("poll:");
		if (p[EVENT].revents)
			break;
		say_served(&p[SAID]);
		if (p[SIGNALS].revents)
			hear(r);
		left = begun + r->wait.patience - now_ms();
	}
	r->wait.patience -= now_ms() - begun;
	if (r->wait.patience < 0)
		r->wait.patience = 0;
	return p[EVENT].revents != 0;
}

void
wait_failed(struct run *r, const char *why)
{
	if (r->wait.heard)
		fail(EXIT_SIGNAL + r->wait.heard,
		    "%s: stopped by signal %d while "
		    "starting; %s",
		    r->conf->name, r->wait.heard, why);
	die("%s: %s", r->conf->name, why);
}

/* ---- whom we wait for ---- */

/* The letter of its state and its name, proc_pid_stat(5); '\0': it is gone. */
static char
proc_state(pid_t pid, char *name, size_t size)
{
	char path[32], text[512], *begin, *end;

	put(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	read_at(AT_FDCWD, path, text, sizeof(text));
	begin = strchr(text, '(');
	end = strrchr(text, ')');
	if (!begin || !end || end < begin || !end[1])
		return '\0';
	*end = '\0';
	snprintf(name, size, "%s", begin + 1);
	return end[2];
}

static int
is_one(const char *group, const char *file)
{
	char path[1024], text[16];

	snprintf(path, sizeof(path), "%s/%s", group, file);
	return read_at(AT_FDCWD, path, text, sizeof(text)) > 0 && *text == '1';
}

/* The group of the v1 freezer that holds it: its own, or one above,
 * freezer-subsystem.rst.  0: none does. */
static int
find_freezer(pid_t pid, char *group, size_t size)
{
	char file[32], text[4096], mount[256], *line, *ctrl, *path = NULL;
	char *rest = text;

	put(file, sizeof(file), "/proc/%ld/cgroup", (long)pid);
	if (hierarchy_path("freezer", mount, sizeof(mount)) < 0 ||
	    read_at(AT_FDCWD, file, text, sizeof(text)) <= 0)
		return 0;
	while ((line = next_part(&rest, "\n"))) {
		strsep(&line, ":");
		ctrl = strsep(&line, ":");
		path = line;
		if (ctrl && path && has_word(ctrl, "freezer"))
			break;
		path = NULL;
	}
	if (!path)
		return 0;
	snprintf(group, size, "%s%s", mount, path);
	while (strlen(group) > strlen(mount)) {
		if (is_one(group, "freezer.self_freezing"))
			return 1;
		*strrchr(group, '/') = '\0';
	}
	return 0;
}

const char *
wait_words(pid_t pid, const char *what)
{
	static char text[1400];
	char name[64] = "", group[512], why[1200];
	char state = proc_state(pid, name, sizeof(name));

	if (find_freezer(pid, group, sizeof(group)))
		snprintf(why, sizeof(why), "it is frozen by another cgroup; "
		    "echo THAWED >%s/freezer.state thaws it", group);
	else if (state == 'D')
		snprintf(why, sizeof(why), "it is in uninterruptible sleep "
		    "(D), until a file system or a device answers");
	else if (state == 'T' || state == 't')
		snprintf(why, sizeof(why), "it is stopped (%c); kill -CONT "
		    "%ld lets it go on", state, (long)pid);
	else
		snprintf(why, sizeof(why), "its state is %c, ps(1)",
		    state ? state : 'X');
	snprintf(text, sizeof(text), "pid %ld (%s) %s: %s", (long)pid, name,
	    what, why);
	return text;
}

/* Of what is in and below a group the one that holds up the others; an init
 * that is killed waits for all in its pid namespace. */
static pid_t
find_stuck(int group, int depth, pid_t found)
{
	char text[4096], name[64], *p = text, *end;
	int fd = openat(group, ".", DIR_FLAGS), below;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	pid_t pid;

	read_at(group, "cgroup.procs", text, sizeof(text));
	while ((pid = strtol(p, &end, 10)) > 0 && *end) {
		if (!found || proc_state(pid, name, sizeof(name)) == 'D')
			found = pid;
		p = end;
	}
	while (d && depth < DEPTH && (e = readdir(d))) {
		if (e->d_type != DT_DIR || *e->d_name == '.')
			continue;
		below = openat(group, e->d_name, DIR_FLAGS);
		found = find_stuck(below, depth + 1, found);
		shut(&below);
	}
	if (d)
		closedir(d);
	return found;
}

const char *
wait_in(int group, const char *what)
{
	pid_t pid = find_stuck(group, 0, 0);

	return pid ? wait_words(pid, what) : NULL;
}

/* ---- for a call that has no end of its own ---- */

/* A child that shares our table of files, so that what it opens, or locks, is
 * ours.  0 in the child; it must end by _exit(2), with an errno. */
static pid_t
new_child(void)
{
	pid_t parent = getpid(), pid;

	pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (!pid && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    getppid() != parent))
		_exit(EPERM);
	return pid;
}

/* 0: its call has succeeded; else -1 and errno, which is ETIMEDOUT where it
 * had to be killed, and *why is who that was and what it did. */
static int
wait_child(struct run *r, pid_t pid, const char *what, const char **why)
{
	siginfo_t info = { 0 };
	int child = syscall(SYS_pidfd_open, pid, 0), ended;

	ended = wait_for(r, child, POLLIN);
	shut(&child);
	if (!ended)
		*why = wait_words(pid, what);
	kill(pid, SIGKILL);
	/* one that the kernel holds is left to who reaps orphans */
	waitid(P_PID, pid, &info, ended ? WEXITED : WEXITED | WNOHANG);
	errno = ended && info.si_code == CLD_EXITED ? info.si_status :
	    ETIMEDOUT;
	return errno ? -1 : 0;
}

/* fcntl(2) has no end to F_OFD_SETLKW. */
int
wait_lock(struct run *r, int fd, short type)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_len = 1 };
	const char *why;
	pid_t pid;

	if (!fcntl(fd, F_OFD_SETLK, &l))
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return -1;
	pid = new_child();
	if (!pid)
		_exit(fcntl(fd, F_OFD_SETLKW, &l) < 0 ? errno : 0);
	return pid < 0 ? -1 : wait_child(r, pid, "waits for it", &why);
}

/* Opens it as the descriptor place. */
static int
open_in_place(const char *path, int follow, int place)
{
	int fd = open_host(path, follow, 0);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || dup3(fd, place, O_CLOEXEC) < 0)
		return errno;
	close(fd);
	return 0;
}

int
wait_open(struct run *r, const char *path, int follow)
{
	const char *why = NULL;
	int fd = open_host(path, follow, RESOLVE_CACHED);
	pid_t pid;

	if (fd >= 0 || (errno != EAGAIN && errno != EINVAL))
		return fd;
	fd = open("/", O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -1;
	pid = new_child();
	if (!pid)
		_exit(open_in_place(path, follow, fd));
	if (pid >= 0 && !wait_child(r, pid, "does not come back with it",
	    &why))
		return fd;
	if (why)
		wait_failed(r, xprintf("opening %s: %s", path, why));
	close(fd);
	return -1;
}

/* Whether one of the lines "lock: ... START END" is of a lock of the first
 * byte, which is the one that wait_lock() waits for. */
static int
locks_first(const char *fdinfo)
{
	const char *line = fdinfo, *p;

	while ((line = strstr(line, "\nlock:"))) {
		line++;
		p = line + strcspn(line, "\n");
		while (p > line && p[-1] != ' ')	/* END */
			p--;
		while (p > line && p[-1] == ' ')
			p--;
		while (p > line && p[-1] != ' ')	/* START */
			p--;
		if (!strtoull(p, NULL, 10))
			return 1;
	}
	return 0;
}

/* Whether that open file of a process holds such a lock of the file st,
 * proc_pid_fdinfo(5). */
static int
holds(const char *pid, const char *number, const struct stat *st)
{
	char path[544], text[1024];
	struct stat file;

	snprintf(path, sizeof(path), "/proc/%s/fd/%s", pid, number);
	if (stat(path, &file) < 0 || file.st_ino != st->st_ino ||
	    file.st_dev != st->st_dev)
		return 0;
	snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", pid, number);
	return read_at(AT_FDCWD, path, text, sizeof(text)) > 0 &&
	    locks_first(text);
}

static int
has_locked(const char *pid, const struct stat *st)
{
	char path[288];
	struct dirent *e;
	int found = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	d = opendir(path);
	while (d && !found && (e = readdir(d)))
		found = holds(pid, e->d_name, st);
	if (d)
		closedir(d);
	return found;
}

const char *
wait_holder(int fd)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	struct stat st;
	pid_t pid = 0;

	if (fstat(fd, &st) < 0)
		st = (struct stat){ 0 };
	while (d && !pid && (e = readdir(d)))
		if (strtol(e->d_name, NULL, 10) != getpid() &&
		    has_locked(e->d_name, &st))
			pid = strtol(e->d_name, NULL, 10);
	if (d)
		closedir(d);
	return pid > 0 ? wait_words(pid, "does not let go of it") :
	    "its holder cannot be seen from here";
}
