/* crun exec: a program in a container that runs, held as the init is: its
 * cgroups, limits, capabilities and filter of system calls.
 *
 * The command clones a child into the init's own cgroup.  The child takes
 * the init's limits, joins the namespaces, becomes the container's root,
 * opens a pty of the container's devpts where the caller has a terminal,
 * looks the user up, closes its files, and drops what config.h and the saved
 * configuration do not leave.  Only then it clones the process that execs, as
 * a child of the command's, and ends.  That one is the first in the pid
 * namespace of the container: one that is there can be looked into and traced
 * by a root that has CAP_SYS_PTRACE over it, as with userns=none, and has
 * nothing left to take then.  The command stays outside: it relays the
 * terminal, passes signals on and ends with the program's status; if it is
 * killed, the kernel kills the program (PR_SET_PDEATHSIG).
 *
 * A pid namespace ends when all that were in it are reaped, and a command
 * may be stopped or blocked for ever.  So the command reaps nobody: the
 * kernel releases its children as they die (SA_NOCLDWAIT), and SIGCHLD brings
 * the status.  One SIGCHLD is pending at most, signal(7): so the program
 * waits for a GO, which the command says when it has taken the child's.  Who
 * is traced is dead for a pidfd before its tracer lets it go, and SIGCHLD
 * comes after that, ptrace(2): so it is the signal that is waited for.  Only
 * if the command is killed does it take the host's PID 1, or a subreaper, to
 * reap the program.
 *
 * They talk by one SEQPACKET socket: the child says which step comes,
 * hands over the pty and the process, or says why it failed; end of file is
 * the exec.  GO is a byte the other way.
 *
 * Nothing of the guest's configures this but /etc/passwd and /etc/group,
 * read inside and with suspicion, and only where a user was named or a login
 * shell is wanted.  A guest can make any of its files hang (a FIFO, FUSE): a
 * child that does not come on within ENTER_MS, and waits, is killed.  The
 * time counts anew when it has joined: in the cgroups many may wait for each
 * other, for the kernel's lock, and that is not the guest's doing. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crun.h"
#include "cmd/cmd.h"
#include "lib/lib.h"
#include "ns/enter.h"
#include "ns/ns.h"
#include "tty/tty.h"

enum { ENTER_MS = 1000, LAST_MS = 50 };

/* ---- the command ---- */

static pid_t helper;		/* the child, once it has cloned the program */
static int helper_ended;
static int ended = -1;		/* the program's status, once it has one */
static int ends = -1;		/* signalfd(2) of SIGCHLD */

/* The process that execs takes the place of the child, which ends now. */
static void
take_over(struct entered *e, int *fds, const char *number)
{
	helper = e->pid;
	shut(&e->pidfd);
	shut(&fds[1]);
	e->pidfd = fds[0];
	e->pid = strtol(number, NULL, 10);
}

/* Takes what has come of the ends of our children. */
static void
take_ends(const struct entered *e)
{
	struct signalfd_siginfo s;

	while (read(ends, &s, sizeof(s)) == sizeof(s)) {
		if ((pid_t)s.ssi_pid == helper)
			helper_ended = 1;
		if ((pid_t)s.ssi_pid == e->pid && s.ssi_code == CLD_EXITED)
			ended = s.ssi_status;
		else if ((pid_t)s.ssi_pid == e->pid)
			ended = EXIT_SIGNAL + s.ssi_status;
	}
}

static int
send_signal(const struct entered *e, int sig)
{
	return syscall(SYS_pidfd_send_signal, e->pidfd, sig, NULL, 0);
}

/* A child that a file system of the guest holds may take for ever to die. */
static void
give_up(struct run *r, const struct entered *e)
{
	struct pollfd p = { e->pidfd, POLLIN, 0 };

	send_signal(e, SIGKILL);
	poll(&p, 1, LAST_MS);
	console_undo(r);
}

/* The child has ended: the next signal is the program's. */
static void
say_go(struct run *r, const struct entered *e)
{
	helper = 0;
	if (send(e->from, "", 1, MSG_NOSIGNAL) == 1 || errno == EPIPE ||
	    errno == ECONNRESET)
		return;		/* or it has died, and end of file follows */
	give_up(r, e);
	die("%s: telling the program to go on:", r->conf->name);
}

/* A record, with the files that it brings.  0: end of file. */
static int
entered_record(struct run *r, struct entered *e, struct record *rec)
{
	int fds[2];
	ssize_t n;

	/* ECONNRESET: it died before it read GO, and what it said comes after
	 * that */
	do
		n = pass_receive(e->from, rec, sizeof(*rec), fds, 2);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0) {
		give_up(r, e);
		die("%s: hearing how far it is:", r->conf->name);
	}
	if (n == 0)
		return 0;
	rec->text[sizeof(rec->text) - 1] = '\0';
	if (fds[0] < 0)
		return 1;
	if (rec->what == PTY)
		console_take(r, fds[0], fds[1]);
	else
		take_over(e, fds, rec->text);
	return 1;
}

/* Whether the child waits for something, and not for a processor only, nor,
 * until it has joined, for the kernel; proc_pid_stat(5). */
static int
is_blocked(const struct entered *e, int joined)
{
	char path[32], text[512], *p;

	put(path, sizeof(path), "/proc/%ld/stat", (long)e->pid);
	read_at(AT_FDCWD, path, text, sizeof(text));
	p = strrchr(text, ')');
	return p && p[1] == ' ' && p[2] != 'R' && (joined || p[2] != 'D');
}

/* Until the program runs; dies with the child's reason, and by a signal.  Who
 * has seen the program run may signal us at once: poll(2) looks at the signals
 * first, so that it finds the end of file too where it finds such a one. */
static void
wait_entered(struct run *r, struct entered *e)
{
	enum { SIGNALS, ENDS, RECORD, NFDS };
	struct pollfd p[NFDS] = { { r->signals.fd, POLLIN, 0 },
	    { ends, POLLIN, 0 }, { e->from, POLLIN, 0 } };
	struct record rec;
	char step[sizeof(rec.text)] = "joining it";
	long long end = now_ms() + ENTER_MS, left;
	int joined = 0, born = 0, n, sig;

	for (;;) {
		/* for all steps together; a last look at each after that */
		left = end - now_ms();
		n = poll(p, NFDS, born ? -1 : left > LAST_MS ? left : LAST_MS);
		if (n == 0 && is_blocked(e, joined)) {
			give_up(r, e);
			die("%s does not answer: %s takes longer than %d ms",
			    r->conf->name, step, ENTER_MS);
		}
		/* the child says that it has cloned before it ends */
		if (n > 0 && p[ENDS].revents && !p[RECORD].revents) {
			take_ends(e);
			if (helper && helper_ended)
				say_go(r, e);
		}
		if (n > 0 && p[SIGNALS].revents && !p[RECORD].revents &&
		    (sig = signal_pending(r))) {
			give_up(r, e);
			fail(EXIT_SIGNAL + sig, "%s: signal %d before the "
			    "program ran", r->conf->name, sig);
		}
		if (n <= 0 || !p[RECORD].revents)
			continue;
		if (!entered_record(r, e, &rec))
			return;
		if (rec.what == STEP)
			memcpy(step, rec.text, sizeof(step));
		if (!joined++)
			end = now_ms() + ENTER_MS;
		if (rec.what == BORN)
			born = 1;	/* the rest is up to the disk */
		if (rec.what == FAILED) {
			console_undo(r);
			fail(rec.status, "%s: %s", r->conf->name, rec.text);
		}
	}
}

/* The kernel has released it; its signal was sent before. */
static int
is_gone(const struct entered *e)
{
	return send_signal(e, 0) < 0 && errno == ESRCH;
}

static void
pass_signals(struct run *r, const struct entered *e)
{
	int sig;

	while ((sig = signal_pending(r))) {
		send_signal(e, sig);
		/* the guest may have stopped it */
		if (sig == SIGTERM || sig == SIGHUP)
			send_signal(e, SIGCONT);
	}
}

static int
relay(struct run *r, const struct entered *e)
{
	enum { SIGNALS, ENDS, CHILD, CONSOLE, NFDS = CONSOLE + 4 };
	struct pollfd p[NFDS];
	int gone = 0, dead = 0;

	console_begin(r);
	take_ends(e);
	while (ended < 0 && !gone) {
		p[SIGNALS] = (struct pollfd){ r->signals.fd, POLLIN, 0 };
		p[ENDS] = (struct pollfd){ ends, POLLIN, 0 };
		p[CHILD] =
		    (struct pollfd){ dead ? -1 : e->pidfd, POLLIN, 0 };
		console_poll(r, p + CONSOLE);
		if (poll(p, NFDS, -1) < 0 && errno != EINTR)
			die("poll:");
		if (p[SIGNALS].revents)
			pass_signals(r, e);
		console_relay(r, p + CONSOLE);
		dead |= p[CHILD].revents;
		gone = p[CHILD].revents && is_gone(e);
		take_ends(e);
	}
	console_end(r, 1);
	if (ended < 0)
		die("%s: the program has ended, and its status is lost: "
		    "another SIGCHLD was pending", r->conf->name);
	return ended;
}

/* Passes on what signals come, but for those of a terminal, which the process
 * gets itself; ends as it does. */
static void
follow(struct run *r, pid_t pid)
{
	enum { SIGNALS, CHILD, NFDS };
	struct pollfd p[NFDS] = { { r->signals.fd, POLLIN, 0 },
	    { syscall(SYS_pidfd_open, pid, 0), POLLIN, 0 } };
	struct signalfd_siginfo s;
	siginfo_t info = { 0 };

	while (!p[CHILD].revents) {
		if (poll(p, NFDS, -1) < 0 && errno != EINTR)
			die("poll:");
		while (read(r->signals.fd, &s, sizeof(s)) == sizeof(s))
			if (s.ssi_code <= 0)
				kill(pid, s.ssi_signo);
	}
	waitid(P_PID, pid, &info, WEXITED);
	exit(info.si_code == CLD_EXITED ? info.si_status :
	    EXIT_SIGNAL + info.si_status);
}

/* exec(2) has left us children of the caller's, as a shell's process
 * substitution is one: their ends are SIGCHLDs too.  So a child of our own
 * goes on, which has none. */
static void
leave_children(struct run *r)
{
	siginfo_t info;
	pid_t pid, self = getpid();

	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0)
		return;
	pid = _Fork();
	if (pid < 0)
		die("fork:");
	if (pid)
		follow(r, pid);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		die("asking for a signal at the caller's death:");
	if (getppid() != self)
		_exit(EXIT_SETUP);
}

/* SIGCHLD is blocked, or it would be ignored and never be pending. */
static void
take_children(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	ends = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (ends < 0 || release_children() < 0 ||
	    sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		die("leaving our children to the kernel:");
}

int
exec_run(struct run *r, const struct request *q)
{
	struct entered e;
	int status;

	console_files(r);
	hide();
	leave_children(r);
	take_children();
	enter_spawn(r, q, &e);
	wait_entered(r, &e);
	close(e.from);
	console_resize(r);
	status = relay(r, &e);
	console_undo(r);
	return status;
}
