/* wait, stop, reboot, kill. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crun.h"
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/words.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "sup/sup.h"
#include "tty/tty.h"
#include "config.h"

enum { GRACE_MS = 15000 };	/* for a supervisor, past the time-out */
enum { KILL_MS = 450 };		/* for each that kill ends, at each step */

/* ---- waiting for the end ---- */

static int
poll_one(int fd, int ms)
{
	struct pollfd p = { fd, POLLIN, 0 };
	int n;

	while ((n = poll(&p, 1, ms)) < 0 && errno == EINTR)
		;
	return n > 0;
}

static int
has_ended(const struct run *r, int ms)
{
	return poll_one(r->other.pidfd, ms);
}

/* The status that the supervisor wrote down, or, where it was killed, that
 * of SIGKILL. */
static int
end_of(struct run *r, const char *name, int *killed)
{
	int status = state_status(r, killed);

	if (status >= 0)
		return status;
	warn("%s: its supervisor was killed; crun clean removes what is left",
	    name);
	return EXIT_SIGNAL + SIGKILL;
}

int
do_wait(struct words *w)
{
	struct run r;
	int killed;

	verb_find_any(&r, w->names[0]);
	has_ended(&r, -1);
	return end_of(&r, w->names[0], &killed);
}

/* ---- stop, reboot, kill ---- */

static void
signal_supervisor(const struct run *r, int sig)
{
	syscall(SYS_pidfd_send_signal, r->other.pidfd, sig, NULL, 0);
}

/* CONT: somebody may have stopped it, as a shell stops a job. */
static void
ask(const struct run *r, int reboot, unsigned seconds)
{
	siginfo_t info = { .si_signo = ASK, .si_code = SI_QUEUE };

	info.si_pid = getpid();
	info.si_value.sival_int = seconds << 1 | reboot;
	if (syscall(SYS_pidfd_send_signal, r->other.pidfd, ASK, &info, 0) < 0 &&
	    errno != ESRCH)
		die("signalling the supervisor:");
	signal_supervisor(r, SIGCONT);
}

static unsigned
seconds_option(const struct words *w)
{
	const char *text = w->opt['t'];
	char *end;
	long n;

	if (!text)
		return 0;
	n = strtol(text, &end, 10);
	if (end == text || *end || n < 1 || n > 86400)
		fail(EXIT_USAGE, "-t %s: must be seconds, from 1 to 86400",
		    text);
	return n;
}

/* Milliseconds that the supervisor may take, since it kills by then.  Before
 * it is asked: the file goes with the container.  Where stop.timeout is not
 * known it is taken to be the default. */
static long long
patience(const struct run *r, const char *name, unsigned seconds)
{
	struct conf c = { 0 };

	if (!seconds) {
		conf_saved(&c, r->state.dir, name, NULL, 0);
		conf_warn(&c);
		seconds = c.stop_timeout;
	}
	return seconds * 1000LL + GRACE_MS;
}

static void
no_answer(const char *name)
{
	tell("%s: its supervisor does not answer; crun kill %s ends it", name,
	    name);
}

int
do_stop(struct words *w)
{
	unsigned seconds = seconds_option(w);
	int i, killed, status;
	struct run *r = verb_find_all(w, ENDING, &status);
	long long *end = xrealloc(NULL, w->n, sizeof(*end)), left;

	for (i = 0; i < w->n; i++) {
		end[i] = now_ms() + patience(&r[i], w->names[i], seconds);
		ask(&r[i], 0, seconds);
	}
	for (i = 0; i < w->n; i++) {
		left = end[i] - now_ms();
		killed = 0;
		if (!has_ended(&r[i], left > 0 ? left : 0)) {
			no_answer(w->names[i]);
			status = EXIT_SETUP;
		} else {
			end_of(&r[i], w->names[i], &killed);
		}
		if (killed) {
			tell("%s did not power off in time and was killed",
			    w->names[i]);
			status = EXIT_SIGNAL + SIGKILL;
		}
		state_close(&r[i]);
	}
	free(end);
	free(r);
	return status;
}

int
do_reboot(struct words *w)
{
	const char *name = w->names[0];
	unsigned seconds = seconds_option(w);
	struct run r, next;
	int killed = 0, status;
	long long wait;

	next = (struct run)RUN_NONE;
	verb_find(&r, name);
	wait = patience(&r, name, seconds);
	ask(&r, 1, seconds);
	if (!poll_one(r.init.pidfd, wait)) {
		no_answer(name);
		return EXIT_SETUP;
	}
	if (!has_ended(&r, 0) && verb_wait_started(&next, name) == RUNNING) {
		state_close(&next);
		return 0;
	}
	if (!has_ended(&r, GRACE_MS)) {
		no_answer(name);
		return EXIT_SETUP;
	}
	status = end_of(&r, name, &killed);
	if (killed)
		fail(EXIT_SIGNAL + SIGKILL, "%s did not end in time and was "
		    "killed (status %d)", name, status);
	if (*state_reason(&r))
		die("%s did not come up again: %s", name, state_reason(&r));
	die("%s did not come up again, and ended with status %d", name, status);
}

/* kill: everything in the container, by ourselves, whatever its supervisor
 * does.  One that starts is only told to end, and undoes all that it has made;
 * the start that it waits for comes to nothing. */
static void
kill_all(struct run *r, enum life life)
{
	if (life == RUNNING || life == ENDING) {
		syscall(SYS_pidfd_send_signal, r->init.pidfd, SIGKILL, NULL, 0);
		cgroup_open(r);
		cgroup_kill(r);
		cgroup_close(r);
	} else {
		signal_supervisor(r, SIGTERM);
	}
	signal_supervisor(r, SIGCONT);
}

/* Why a process that was killed is there still, by its state in
 * proc_pid_stat(5). */
static const char *
why_alive(char state)
{
	if (state == 'D')
		return "it waits in the kernel, for a disk perhaps, or is "
		    "frozen by another's cgroup";
	if (state == 'Z' || state == 't')
		return "who traces it, or its parent, does not let it go";
	return "it waits for a process of its pid namespace, which has a "
	    "parent outside that does not reap it";
}

static int
tell_alive(const char *name, const char *who, pid_t pid)
{
	char path[32], text[512], *p;
	char state = '?';

	put(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	read_at(AT_FDCWD, path, text, sizeof(text));
	p = strrchr(text, ')');
	if (p && p[1])
		state = p[2];
	tell("%s: %s, pid %ld, was killed but has not ended: %s (state %c)",
	    name, who, (long)pid, why_alive(state), state);
	return EXIT_SETUP;
}

/* A supervisor leaves its folder where something could not be removed. */
static int
check_end(const char *name)
{
	struct run r;
	enum life life = state_open(&r, name);

	state_close(&r);
	if (life != DEAD)
		return 0;
	tell("%s: something in it could not be ended; crun clean tries again, "
	    "and says what", name);
	return EXIT_SETUP;
}

/* The init first: without its death nothing else can end.  Then the
 * supervisor: it may wait for a reader of what the init has printed, which
 * TERM ends.  What it leaves, if it has to be killed, we remove. */
static int
end_killed(struct run *r, const char *name)
{
	if (r->init.pidfd >= 0 && !poll_one(r->init.pidfd, KILL_MS))
		return tell_alive(name, "the init", r->init.pid);
	if (r->other.pidfd < 0) {
		tell("%s: a start has just begun, and has no pid yet; try "
		    "again", name);
		return EXIT_SETUP;
	}
	if (has_ended(r, KILL_MS))
		return check_end(name);
	signal_supervisor(r, SIGTERM);
	if (has_ended(r, KILL_MS))
		return check_end(name);
	signal_supervisor(r, SIGKILL);
	if (!has_ended(r, KILL_MS))
		return tell_alive(name, "its supervisor", r->other.pid);
	state_clean(name);
	state_clean_rest();
	if (check_end(name))
		return EXIT_SETUP;
	warn("%s: its supervisor did not end by itself, and was killed; what "
	    "it left was removed", name);
	return 0;
}

static int
kill_containers(struct words *w)
{
	struct run *r = xrealloc(NULL, w->n, sizeof(*r));
	enum life life;
	int i, n = 0, status = 0;

	for (i = 0; i < w->n; i++) {
		life = state_open(&r[n], w->names[i]);
		if (life == NONE || life == DEAD) {
			verb_not_running(w->names[i], life);
			status = EXIT_SETUP;
			state_close(&r[n]);
			continue;
		}
		kill_all(&r[n], life);
		w->names[n++] = w->names[i];
	}
	for (i = 0; i < n; i++) {
		if (end_killed(&r[i], w->names[i]))
			status = EXIT_SETUP;
		state_close(&r[i]);
	}
	free(r);
	return status;
}

static int
signal_inits(struct words *w, int sig)
{
	int i, status;
	struct run *r = verb_find_all(w, RUNNING, &status);

	for (i = 0; i < w->n; i++)
		if (syscall(SYS_pidfd_send_signal, r[i].init.pidfd, sig, NULL,
			0) < 0 &&
		    errno != ESRCH)
			die("signalling the init of %s:", w->names[i]);
	free(r);
	return status;
}

int
do_kill(struct words *w)
{
	const char *text = w->opt['s'];
	int sig = text ? conf_signal(text) : SIGKILL;

	if (!sig)
		fail(EXIT_USAGE, "-s %s: must be a signal: a number from 1 to "
		    "64, or a name such as TERM or RTMIN+4", text);
	return sig == SIGKILL ? kill_containers(w) : signal_inits(w, sig);
}
