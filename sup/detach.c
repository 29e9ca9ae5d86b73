/* In the background: crun -d, and waiting until the system is up.
 *
 * The command forks.  The child is the supervisor, in a session of its own;
 * the command waits at a pipe for records: that the init runs, that the
 * system is up, or how it ended.  End of file without a word is the death of
 * the supervisor.  Until the init runs the supervisor has the command's
 * standard error, and prints there why it cannot be started; from then on it
 * has no file of its caller's, and its messages go to the log.
 *
 * A system is up (--ready) when its init says READY=1 on NOTIFY_SOCKET,
 * sd_notify(3), a socket that is bound in the container and received from
 * here; or when the last that the console printed is a prompt.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crun.h"
#include "lib/lib.h"
#include "sup/sup.h"
#include "tty/tty.h"
#include "config.h"

/* The supervisor's records; ENDED brings the status. */
enum word { STARTED, READY, ENDED };

/* ---- the supervisor's side ---- */

static void
send_record(struct run *r, enum word word, int status, const char *text)
{
	/* a command that was killed does not hear it */
	if (r->back.waiter >= 0 &&
	    record_write(r->back.waiter, word, status, text) < 0)
		shut(&r->back.waiter);
}

/* The init runs: nothing of the caller's is kept. */
void
detach_started(struct run *r)
{
	int fd;

	if (!r->back.background || r->back.detached)
		return;
	r->back.detached = 1;
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		close(fd);
	}
	log_messages(r);
	send_record(r, STARTED, 0, "");
	if (!r->back.ready)
		shut(&r->back.waiter);
}

void
detach_ready(struct run *r)
{
	send_record(r, READY, 0, "");
	shut(&r->back.waiter);
	shut(&r->back.notify);
	r->back.ready = 0;
}

void
detach_ended(struct run *r, int status, const char *last)
{
	send_record(r, ENDED, status, last);
	shut(&r->back.waiter);
}

/* ---- the command that waits ---- */

enum heard { RECORD, TIME_IS_UP, DIED };

/* Waits for the supervisor's next record; ms: -1 for ever. */
static enum heard
supervisor_record(struct run *r, int from, struct record *rec, int ms)
{
	struct pollfd p[] = { { from, POLLIN, 0 },
	    { r->signals.fd, POLLIN, 0 } };
	long long end = now_ms() + ms;
	int sig, n, left;

	for (;;) {
		left = end > now_ms() ? end - now_ms() : 0;
		n = poll(p, LEN(p), ms < 0 ? -1 : left);
		if (n < 0 && errno != EINTR)
			die("poll:");
		if (n == 0)
			return TIME_IS_UP;
		if (n > 0 && p[1].revents && (sig = signal_pending(r))) {
			if (ms < 0)	/* it has not started yet */
				kill(r->back.supervisor, sig);
			else
				exit(EXIT_SIGNAL + sig);
		}
		if (n > 0 && p[0].revents)
			return record_read(from, rec) ? RECORD : DIED;
	}
}

/* The last lines of the console, each on a line of ours. */
static void
show_last(const char *name)
{
	char *text = xrealloc(NULL, LOG_CHUNK + 1, 1), *line, *rest = text;
	struct run r;
	struct reader l;
	size_t n = 0, got;

	if (state_open(&r, name) == NONE)
		return;
	l = (struct reader){ .dir = r.state.dir, .fd = -1, .still = 1 };
	log_last(&l, READY_LINES);
	while ((got = log_read(&l, text + n, LOG_CHUNK - n)))
		n += got;
	text[n] = '\0';
	while (n--)
		if (!text[n])
			text[n] = ' ';
	while ((line = next_part(&rest, "\r\n")))
		tell("%s: | %s", name, line);
}

static void await(struct run *, int from) __attribute__((noreturn));

static void
await(struct run *r, int from)
{
	const char *name = r->conf->name;
	struct record rec = { 0 };
	enum heard got = supervisor_record(r, from, &rec, -1);
	pid_t pid = r->back.supervisor;
	int status;

	if (got == DIED || rec.what != STARTED) {
		if (waitpid(pid, &status, 0) == pid && WIFEXITED(status))
			exit(WEXITSTATUS(status));
		fail(EXIT_SETUP, "%s: its supervisor was killed", name);
	}
	if (!r->back.ready)
		exit(0);
	got = supervisor_record(r, from, &rec, r->back.ready * 1000);
	if (got == RECORD && rec.what == READY)
		exit(0);
	if (got == RECORD)
		fail(EXIT_SETUP, "%s ended with status %d before it was ready"
		    "%s%s", name, rec.status, *rec.text ? "; it printed last: "
		    : " and printed nothing", rec.text);
	if (got == DIED)
		fail(EXIT_SETUP, "%s: its supervisor was killed", name);
	tell("%s is not ready after %d s, and is left running; its console "
	    "said last", name, r->back.ready);
	show_last(name);
	exit(EXIT_SETUP);
}

void
detach(struct run *r, int ready)
{
	int p[2], fd;

	r->back.background = 1;
	r->back.ready = ready;
	if (pipe2(p, O_CLOEXEC | O_DIRECT) < 0)
		die("pipe:");
	r->back.supervisor = _Fork();
	if (r->back.supervisor < 0)
		die("fork:");
	if (r->back.supervisor) {
		close(p[1]);
		await(r, p[0]);
	}
	close(p[0]);
	/* whoever waits may be stopped, and is not waited for */
	if (fcntl(p[1], F_SETFL, O_DIRECT | O_NONBLOCK) < 0)
		die("the pipe to who waits:");
	r->back.waiter = p[1];
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (setsid() < 0 || fd < 0 || dup2(fd, STDIN_FILENO) < 0 ||
	    dup2(fd, STDOUT_FILENO) < 0)
		die("leaving the terminal:");
	close(fd);
}
