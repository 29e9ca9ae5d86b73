/* The clone, the two pipes between supervisor and child, and what the child
 * does first.
 *
 * Two pipes.  GO: a byte each time something is ready for the child, enum
 * ready in ns.h: its ids and mounts; then its network and limits, so that it
 * puts its tree together while the supervisor makes the veth; then its
 * devices, so that exec is the next thing.  End of file means that the
 * supervisor is gone, and the child exits.  The supervisor holds its end
 * until the init runs.  REPORT: the child sends records, enum what below.  End
 * of file means that exec happened, as the pipe is close-on-exec.
 *
 * All namespaces but one are made by the one clone3(2).  The cgroup
 * namespace is not: it takes its root from the group of the process that
 * calls (in copy_cgroup_ns()), and for clone3 that is the supervisor,
 * whatever CLONE_INTO_CGROUP says.  The child makes it in cgroup_child(),
 * when it is in its group.
 *
 * exec, and the built-in PID 1 of "-- PROGRAM", are in ns/exec.c. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crun.h"
#include "cgroup/cgroup.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "ns/ns.h"
#include "sup/sup.h"
#include "tty/tty.h"
#include "config.h"

enum what {			/* the child's records */
	STEP,			/* a line for -v */
	MADE,			/* what it has made in the rootfs */
	FAILED,			/* why, and the exit status */
};

int ns_said = -1;		/* the child's end of REPORT */

/* ---- the child's messages ---- */

static void
send_step(const char *line)
{
	record_write(ns_said, STEP, 0, line);
}

void
ns_made_child(const char *line)
{
	record_write(ns_said, MADE, 0, line);
}

void
ns_fail_child(int status, const char *line)
{
	record_write(ns_said, FAILED, status, line);
	_exit(status);
}

/* ---- the supervisor's side ---- */

/* The child's signals are as a fresh process has them: what our caller had
 * ignored (nohup) is not for the init.  By the kernel's own call, since the C
 * library keeps 32 to 34 for itself and refuses them, nptl(7); its struct
 * sigaction differs by machine, but SIG_DFL is all zeroes in each. */
void
ns_signals_child(void)
{
	static const unsigned long none_of[16];
	sigset_t none;
	int sig;

	for (sig = 1; sig < _NSIG; sig++)
		syscall(SYS_rt_sigaction, sig, none_of, NULL, _NSIG / 8);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void
ns_spawn(struct run *r, void (*child)(struct run *),
    void (*made)(struct run *, const char *))
{
	int pidfd = -1;
	struct clone_args a = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS |
		    CLONE_NEWIPC | CLONE_PIDFD,
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	long pid;

	r->ns.made = made;
	if (pipe2(r->ns.go, O_CLOEXEC) < 0 ||
	    pipe2(r->ns.report, O_CLOEXEC | O_DIRECT) < 0)
		die("pipe:");
	if (r->conf->userns != USERNS_NONE)
		a.flags |= CLONE_NEWUSER;
	if (!r->conf->host_net)
		a.flags |= CLONE_NEWNET;
	if (r->cgroup.nhier && !*r->cgroup.hier[0].ctrl) { /* v2 stands first */
		a.flags |= CLONE_INTO_CGROUP;
		a.cgroup = r->cgroup.hier[0].payload;
	}
	pid = syscall(SYS_clone3, &a, sizeof(a));
	if (pid < 0)
		die("making the namespaces (clone3)%s:", errno == EPERM ?
		    ", which a chroot or a setting of this kernel forbids" :
		    errno == ENOSPC ? ", more than /proc/sys/user/max_*_"
		    "namespaces allow" : errno == EINVAL ? ", the kernel "
		    "lacks one (CONFIG_USER_NS, CONFIG_PID_NS, CONFIG_NET_NS, "
		    "CONFIG_IPC_NS); userns=none does without the first" : "");
	if (!pid) {
		ns_said = r->ns.report[1];
		on_die = ns_fail_child;
		on_step = send_step;
		close(r->ns.go[1]);
		close(r->ns.report[0]);
		ns_signals_child();
		child(r);
		_exit(EXIT_SETUP);
	}
	shut(&r->ns.go[0]);
	shut(&r->ns.report[1]);
	init_take(r, pid, pidfd);
	step("ns: the init is pid %ld", pid);
}

void
ns_release(struct run *r, enum ready ready)
{
	char c = ready;

	if (write(r->ns.go[1], &c, 1) != 1)
		die("the child died before it could be set up:");
}

/* The child's next record; 0 at the end of file. */
static int
child_record(struct run *r, struct record *rec)
{
	int got = record_read(r->ns.report[0], rec);

	if (got && rec->what == MADE)
		r->ns.made(r, rec->text);
	return got;
}

static void stopped_by(const struct run *, int sig) __attribute__((noreturn));

static void
stopped_by(const struct run *r, int sig)
{
	fail(EXIT_SIGNAL + sig, "%s: stopped by signal %d while starting",
	    r->conf->name, sig);
}

/* Who has seen the program run may signal us at once: poll(2) looks at the
 * signals first, so that where it finds such a one it finds the end of file
 * too, and the signal is left to who supervises the program. */
void
ns_report(struct run *r)
{
	enum { SIGNALS, REPORT, SAID, NFDS };
	struct pollfd p[NFDS] = { { r->signals.fd, POLLIN, 0 },
	    { r->ns.report[0], POLLIN, 0 } };
	struct record rec;
	int sig, n, ms = PATIENCE_MS;

	if (r->wait.heard)		/* before, in wait_for() */
		stopped_by(r, r->wait.heard);
	for (;;) {
		say_poll(&p[SAID]);
		n = poll(p, NFDS, ms);
		if (n < 0 && errno != EINTR)
			die("poll:");
		if (n == 0) {	/* a slow disk is no reason to give up */
			ms = -1;
			tell("%s: %s; a signal ends the start", r->conf->name,
			    wait_words(r->init.pid,
			    "has not begun the init yet"));
		}
		say_served(&p[SAID]);
		sig = p[SIGNALS].revents && !p[REPORT].revents ?
		    signal_pending(r) : 0;
		if (sig == ASK)		/* between two lives, by crun stop */
			wait_early(r);
		else if (sig)
			stopped_by(r, sig);
		if (!p[REPORT].revents)
			continue;
		if (!child_record(r, &rec))
			break;
		if (rec.what == FAILED)
			fail(rec.status, "%s", rec.text);
		if (rec.what == STEP)
			on_step(rec.text);
	}
	shut(&r->ns.report[0]);
	shut(&r->ns.go[1]);
}

const char *
ns_reason(struct run *r, int *status)
{
	static struct record rec;
	struct pollfd p = { r->ns.report[0], POLLIN, 0 };

	while (p.fd >= 0 && poll(&p, 1, 0) == 1 && child_record(r, &rec))
		if (rec.what == FAILED) {
			*status = rec.status;
			return rec.text;
		}
	return NULL;
}

void
ns_undo(struct run *r)
{
	static struct record rec;
	siginfo_t info;
	int died = 0;

	if (r->init.pidfd >= 0) {
		cgroup_thaw_all(r);
		syscall(SYS_pidfd_send_signal, r->init.pidfd, SIGKILL, NULL, 0);
		/* cgroup_undo() tells who it is that does not die */
		died = wait_died(r, wait_for(r, r->init.pidfd, POLLIN));
	}
	if (died) {
		waitid(P_PIDFD, r->init.pidfd, &info, WEXITED);
		/* all that held the other end are dead: up to its end */
		while (r->ns.report[0] >= 0 && child_record(r, &rec))
			;
	}
	init_close(r);
	shut(&r->ns.go[0]);
	shut(&r->ns.go[1]);
	shut(&r->ns.report[0]);
	shut(&r->ns.report[1]);
}

/* ---- the child's side ---- */

void
ns_wait_child(struct run *r, enum ready ready)
{
	char c;
	ssize_t n;

	while ((n = read(r->ns.go[0], &c, 1)) < 0 && errno == EINTR)
		;
	if (n < 0)
		die("waiting for the supervisor:");
	if (n == 0)
		_exit(EXIT_SETUP);
	if (c != (char)ready)
		die("the supervisor said %d, and the child waits for %d", c,
		    ready);
}

/* The kernel forgets PR_SET_PDEATHSIG when ids change, prctl(2); so it is set
 * after that, and then we look whether the supervisor has died already. */
void
ns_identity_child(struct run *r)
{
	struct pollfd p = { r->ns.go[0], 0, 0 };

	if (take_groups(0, NULL) < 0)
		die("dropping the supplementary groups (CONFIG_MULTIUSER):");
	if (take_ids(0, 0) < 0)
		die("becoming root of the container (CONFIG_MULTIUSER):");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		die("asking for a signal at the supervisor's death:");
	if (poll(&p, 1, 0) == 1 && p.revents & (POLLHUP | POLLERR))
		_exit(EXIT_SETUP);
}

void
ns_uts_child(struct run *r)
{
	const char *name = r->conf->hostname;

	if (sethostname(name, strlen(name)) < 0)
		die("setting the host name to %s:", name);
}
