/* crun console: the log, and the master of the pty to type on; see attach.c. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "crun.h"
#include "cmd/cmd.h"
#include "lib/lib.h"
#include "tty/tty.h"
#include "config.h"

enum { ANSWER_MS = 5000 };

/* ---- crun console ---- */

struct client {
	const char *name;
	struct run *r;
	struct reader log;
	int watch, signals, socket;
	struct pump typing;	/* to the master; -1: we only watch */
	struct pump shown;	/* from the log */
	struct terminal terminal;
};

static int
dial(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);

	put_state_path(a.sun_path, sizeof(a.sun_path), name, "console");
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("connecting to %s:", a.sun_path);
	return fd;
}

static void
resize(const struct client *c)
{
	struct winsize w;

	if (c->typing.to >= 0 && !ioctl(STDIN_FILENO, TIOCGWINSZ, &w))
		ioctl(c->typing.to, TIOCSWINSZ, &w);
}

/* A master, now or after a reboot; the word that we only watch; or the end of
 * the supervisor. */
static void
receive(struct client *c)
{
	char what = 0;
	int master;
	ssize_t n = pass_receive(c->socket, &what, 1, &master, 1);

	if (n < 0 && errno == EINTR)
		return;
	shut(&c->typing.to);
	if (n > 0 && what == TYPE && master >= 0) {
		c->typing.to = master;
		resize(c);
		return;
	}
	shut(&c->socket);
	if (n > 0 && what == NOTHING)
		die("%s has no console: its program uses the input and output "
		    "of the crun that started it", c->name);
	if (n > 0 && what == WATCH)
		warn("%s: another types on this console; you may watch",
		    c->name);
}

/* The first answer: a supervisor that was stopped gives none. */
static void
receive_first(struct client *c)
{
	struct pollfd p = { c->socket, POLLIN, 0 };

	if (poll(&p, 1, ANSWER_MS) == 0)
		die("%s: its supervisor does not answer; crun kill %s ends it",
		    c->name, c->name);
	receive(c);
}

/* The next of the log, when what came before has been shown: a guest that
 * floods it must not keep us from poll(2). */
static void
fill_shown(struct client *c)
{
	if (c->shown.len)
		return;
	c->shown.off = 0;
	c->shown.len = log_read(&c->log, c->shown.buf, c->shown.size);
}

/* Whose input has ended makes room for another who types.  1: Ctrl-] was typed
 * three times. */
static int
type(struct client *c, const struct pollfd *fds)
{
	int let_go = terminal_typed(&c->terminal, &c->typing, fds);

	if (c->typing.from < 0 && !c->typing.len) {
		shut(&c->typing.to);
		shut(&c->socket);
	}
	return let_go;
}

/* 0: go on. */
static int
take_signal(struct client *c)
{
	struct signalfd_siginfo info;

	if (read(c->signals, &info, sizeof(info)) != sizeof(info))
		return 0;
	if (info.ssi_signo != SIGWINCH)
		return EXIT_SIGNAL + info.ssi_signo;
	resize(c);
	return 0;
}

static int
attached(struct client *c)
{
	enum { TYPING, SHOWN = TYPING + 2, SOCKET = SHOWN + 2, LOG, SIGNALS,
	    END, NFDS };
	struct pollfd p[NFDS];
	int status, let_go = 0, ended = 0;

	while (!let_go) {
		fill_shown(c);
		if (c->shown.to < 0)
			return EXIT_SIGNAL + SIGPIPE;
		if (ended && !c->shown.len)
			return -1;
		pump_poll(&c->typing, p + TYPING);
		pump_poll(&c->shown, p + SHOWN);
		p[SOCKET] = (struct pollfd){ c->socket, POLLIN, 0 };
		p[LOG] = (struct pollfd){ c->watch, POLLIN, 0 };
		p[SIGNALS] = (struct pollfd){ c->signals, POLLIN, 0 };
		p[END] = (struct pollfd){ ended ? -1 : c->r->other.pidfd,
		    POLLIN, 0 };
		if (poll(p, NFDS, -1) < 0 && errno != EINTR)
			die("poll:");
		if (p[LOG].revents)
			log_watched(c->watch);
		if (p[SOCKET].revents)
			receive(c);
		if (p[SHOWN + 1].revents)
			pump_drain(&c->shown);
		let_go = type(c, p + TYPING);
		if (p[SIGNALS].revents && (status = take_signal(c)))
			return status;
		ended |= p[END].revents;
	}
	return 0;
}

/* 0: let go of.  The container's end is no error either. */
int
console_attach(struct run *r, const char *name)
{
	static const int taken[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT,
	    SIGWINCH };
	static char typed[PUMP_SIZE], shown[LOG_CHUNK];
	struct client c = { .name = name, .r = r,
	    .typing = { STDIN_FILENO, -1, 0, 0, typed, sizeof(typed) },
	    .shown = { -1, STDOUT_FILENO, 0, 0, shown, sizeof(shown) },
	    .log = { .dir = r->state.dir, .fd = -1 } };
	struct winsize w = { .ws_row = 24 };
	sigset_t set;
	size_t i;
	int status;

	sigemptyset(&set);
	for (i = 0; i < LEN(taken); i++)
		sigaddset(&set, taken[i]);
	c.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	sigaddset(&set, SIGPIPE);	/* the terminal is to be put back */
	if (c.signals < 0 || sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		die("taking signals:");
	c.watch = log_watch(r);
	c.socket = dial(name);
	receive_first(&c);
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &w);
	log_last(&c.log, w.ws_row ? w.ws_row : 24);
	terminal_raw(&c.terminal);
	say_nonblock();
	c.shown.to = terminal_way(&c.terminal, STDOUT_FILENO);
	status = attached(&c);
	terminal_restore(&c.terminal);
	if (isatty(STDOUT_FILENO)) {
		/* what the guest printed has no end */
		write_nonblock(c.shown.to, "\n", 1);
		tell(status < 0 ? "%s has ended" : "%s: let go of; it runs on",
		    name);
	}
	return status < 0 ? 0 : status;
}
