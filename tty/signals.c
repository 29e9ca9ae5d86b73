/* The signals that the supervisor takes, and crun exec. */
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crun.h"
#include "lib/lib.h"
#include "tty/tty.h"

/* ---- signals ---- */

static const int taken[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1,
    SIGUSR2, SIGWINCH, ASK };

/* SIGPIPE is blocked so that a closed output is an error of write(2), and
 * SIGXFSZ so that a log above our caller's limit of file sizes is one too.  A
 * caller that ignores SIGCHLD must not have the kernel reap the init for us,
 * wait(2): its status would be lost. */
void
signals_take(struct run *r)
{
	sigset_t set;
	size_t i;

	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&set);
	for (i = 0; i < LEN(taken); i++)
		sigaddset(&set, taken[i]);
	r->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	sigaddset(&set, SIGPIPE);
	sigaddset(&set, SIGXFSZ);
	sigaddset(&set, SIGTTOU);
	if (r->signals.fd < 0 || sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		die("taking signals:");
}

void
signal_again(struct run *r, int request)
{
	r->signals.request = request;
}

int
signal_pending(struct run *r)
{
	struct signalfd_siginfo info;

	while (read(r->signals.fd, &info, sizeof(info)) == sizeof(info)) {
		r->signals.request = info.ssi_int;
		if (info.ssi_signo != SIGWINCH)
			return info.ssi_signo;
		console_resize(r);
	}
	return 0;
}
