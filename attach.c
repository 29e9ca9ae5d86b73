/* Attaching to the console of a container that runs.
 *
 * To look on, nobody need ask: the log has what was printed, and its reader
 * follows it.  To type, crun console connects to the socket NAME/console.
 * The supervisor gives whoever comes first the master end of the pty itself
 * (SCM_RIGHTS, unix(7)), so that what is typed and the terminal's size go
 * straight to the kernel and the supervisor has nothing to pass on; and it
 * counts the connection as the one that types, until that is closed.  The
 * others, and all while the supervisor's own input types, may only watch.
 * After a reboot there is another pty, and its master is sent as well.
 *
 * The folder is closed to all but root; the peer's user is looked at all the
 * same (SO_PEERCRED).
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "crun.h"
#include "config.h"

/* what the supervisor answers: type; you may watch; there is no console */
enum { TYPE = 't', WATCH = 'w', NOTHING = 'n' };
enum { ANSWER_MS = 5000 };

/* ---- the supervisor ---- */

static int
bind_at(int fd, const struct sockaddr_un *a)
{
	return bind(fd, (const struct sockaddr *)a, sizeof(*a));
}

void
attach_host(struct run *r)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	put(a.sun_path, sizeof(a.sun_path), STATEDIR "/%s/console",
	    r->conf->name);
	r->listener = socket(AF_UNIX,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* a killed supervisor has left its own */
	if (r->listener < 0 || (bind_at(r->listener, &a) < 0 &&
	    (errno != EADDRINUSE || unlink(a.sun_path) < 0 ||
	    bind_at(r->listener, &a) < 0)) || listen(r->listener, 8) < 0)
		die("making the socket %s:", a.sun_path);
}

void
attach_undo(struct run *r)
{
	shut(&r->typist);
	shut(&r->listener);
}

/* One byte, and with it the master. */
static int
send_master(int to, int master)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} c = { .head = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
	    .cmsg_len = CMSG_LEN(sizeof(int)) } };
	char what = TYPE;
	struct iovec v = { &what, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
	    .msg_control = &c, .msg_controllen = sizeof(c) };

	memcpy(CMSG_DATA(&c.head), &master, sizeof(master));
	return sendmsg(to, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

static int
may_attach(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) &&
	    (peer.uid == 0 || peer.uid == geteuid());
}

static void
accept_one(struct run *r)
{
	int fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	char what = r->master < 0 ? NOTHING : WATCH;

	if (fd < 0)
		return;
	if (may_attach(fd)) {
		if (r->typist < 0 && r->master >= 0 && !console_typed() &&
		    send_master(fd, r->master)) {
			r->typist = fd;
			return;
		}
		send(fd, &what, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	close(fd);
}

void
attach_begin(struct run *r)
{
	if (r->typist >= 0 && !send_master(r->typist, r->master))
		shut(&r->typist);
}

void
attach_poll(const struct run *r, struct pollfd *fds)
{
	fds[0] = (struct pollfd){ r->listener, POLLIN, 0 };
	fds[1] = (struct pollfd){ r->typist, POLLIN, 0 };
}

void
attach_serve(struct run *r, const struct pollfd *fds)
{
	if (fds[1].revents)	/* it never sends: this is its end */
		shut(&r->typist);
	if (fds[0].revents)
		accept_one(r);
}

/* ---- crun console ---- */

struct client {
	const char *name;
	struct run *r;
	struct reader log;
	int watch, signals, socket;
	struct pump typing;	/* to the master; -1: we only watch */
	struct pump shown;	/* from the log */
};

static int
dial(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);

	put(a.sun_path, sizeof(a.sun_path), STATEDIR "/%s/console", name);
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
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} u;
	char what = 0;
	struct iovec v = { &what, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
	    .msg_control = &u, .msg_controllen = sizeof(u) };
	ssize_t n = recvmsg(c->socket, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;

	if (n < 0 && errno == EINTR)
		return;
	shut(&c->typing.to);
	if (n > 0 && what == TYPE && h && h->cmsg_type == SCM_RIGHTS) {
		memcpy(&c->typing.to, CMSG_DATA(h), sizeof(c->typing.to));
		resize(c);
		return;
	}
	shut(&c->socket);
	if (n > 0 && what == NOTHING)
		die("%s has no console: its program has the files of the crun "
		    "that started it", c->name);
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
	int let_go = pump_typed(&c->typing, fds);

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
		p[END] = (struct pollfd){ ended ? -1 : c->r->supervisor,
		    POLLIN, 0 };
		if (poll(p, NFDS, -1) < 0 && errno != EINTR)
			die("poll:");
		if (p[LOG].revents)
			log_watched(c->watch);
		if (p[SOCKET].revents)
			receive(c);
		pump_typed(&c->shown, p + SHOWN);
		let_go = type(c, p + TYPING);
		if (p[SIGNALS].revents && (status = take_signal(c)))
			return status;
		ended |= p[END].revents;
	}
	return 0;
}

/* 0: let go of.  The container's end is no error either. */
int
attach_console(struct run *r, const char *name)
{
	static const int taken[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT,
	    SIGWINCH };
	static char typed[PUMP_SIZE], shown[LOG_CHUNK];
	struct client c = { .name = name, .r = r,
	    .typing = { STDIN_FILENO, -1, 0, 0, typed, sizeof(typed) },
	    .shown = { -1, STDOUT_FILENO, 0, 0, shown, sizeof(shown) },
	    .log = { .dir = r->state, .fd = -1 } };
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
	console_raw();
	say_nonblock();
	c.shown.to = console_output();
	status = attached(&c);
	console_restore();
	if (isatty(STDOUT_FILENO)) {
		/* what the guest printed has no end */
		write_nonblock(console_output(), "\n", 1);
		tell(status < 0 ? "%s has ended" : "%s: let go of; it runs on",
		    name);
	}
	return status < 0 ? 0 : status;
}
