/* The console: a pty that the init has as its terminal, and the relay between
 * it and crun's own standard input and output.
 *
 * The pty is of the container's own devpts, opened by the supervisor before
 * anything of the guest runs; its other end comes by TIOCGPTPEER, not by a
 * path.  The supervisor keeps that end open too, so that a console which no
 * process holds for a moment (a getty between two logins) is no end of file.
 *
 * An OS has the pty as 0, 1 and 2.  A program has crun's own three, but a
 * terminal among them is never passed in: the pty stands in its place.
 *
 * Nothing here waits.  What is printed is read when what came before has been
 * written.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "crun.h"
#include "lib/lib.h"
#include "tty/tty.h"
#include "config.h"

/* of the one relay of this process; a larger write to a pipe would wait,
 * pipe(7) */
static char typed[PUMP_SIZE], printed[PIPE_BUF];

/* ---- making it ---- */

static void
copy_size(int from, int to)
{
	struct winsize w;

	if (!ioctl(from, TIOCGWINSZ, &w))
		ioctl(to, TIOCSWINSZ, &w);
}

static void
open_pty(struct run *r)
{
	r->tty.master = openat(r->mount.pts, "ptmx", O_RDWR | O_NOCTTY |
	    O_NONBLOCK | O_CLOEXEC);
	if (r->tty.master < 0)
		die("making the console:");
	r->tty.slave = pty_peer(r->tty.master);
	if (r->tty.slave < 0)
		die("opening the console:");
	if (r->ids.nuid &&
	    fchown(r->tty.slave, r->ids.tty_uid, r->ids.tty_gid) < 0)
		die("the owner of the console:");
}

/* The init's, or the program's, 0, 1 and 2. */
static void
choose_files(struct run *r)
{
	int i;

	for (i = 0; i < 3; i++)
		r->tty.std[i] = r->tty.ttys >> i & 1 ? r->tty.slave : i;
}

void
console_take(struct run *r, int master, int slave)
{
	r->tty.master = master;
	r->tty.slave = slave;
	choose_files(r);
}

void
console_nowhere(struct run *r)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	r->tty.ttys = 0;
	r->tty.std[0] = r->tty.std[1] = r->tty.std[2] = fd;
}

void
console_files(struct run *r)
{
	static const char *const names[] = { "input", "output", "error" };
	struct stat st;
	int i;

	r->tty.ttys = 0;
	for (i = 0; i < 3; i++) {
		r->tty.ttys |= isatty(i) << i;
		if (!fstat(i, &st) && S_ISDIR(st.st_mode))
			die("standard %s is a folder of the host, which would "
			    "be a way out of %s, fchdir(2)", names[i],
			    r->conf->name);
	}
	choose_files(r);
}

void
console_host(struct run *r)
{
	if (r->conf->program && !r->back.background)
		console_files(r);
	else
		r->tty.ttys = 7;
	if (r->tty.ttys)
		open_pty(r);
	choose_files(r);
	console_resize(r);
}

/* ---- the caller's terminal ---- */

void
console_begin(struct run *r)
{
	struct relay *y = &r->tty.relay;
	int ttys = r->tty.ttys;

	if (r->tty.master < 0)	/* nor will there be one after a reboot */
		return;
	*y = (struct relay)RELAY_NONE;
	y->in.buf = typed;
	y->in.size = sizeof(typed);
	y->out.buf = printed;
	y->out.size = sizeof(printed);
	y->out.from = r->tty.master;
	r->tty.terminal.escapes = 0;
	if (r->back.background)
		return;
	if (ttys & 1) {
		y->in.from = STDIN_FILENO;
		y->in.to = r->tty.master;
		terminal_raw(&r->tty.terminal);
	}
	say_nonblock();
	y->out.to = terminal_way(&r->tty.terminal, ttys & 2 ? STDOUT_FILENO :
	    ttys & 4 ? STDERR_FILENO : STDIN_FILENO);
}

void
console_resize(struct run *r)
{
	if (r->tty.master >= 0)
		copy_size(isatty(0) ? 0 : isatty(1) ? 1 : 2, r->tty.master);
}

/* ---- relaying ---- */

void
console_poll(const struct run *r, struct pollfd *fds)
{
	const struct relay *y = &r->tty.relay;

	pump_poll(&y->in, fds);
	pump_poll(&y->out, fds + 2);
	if (y->out.len)
		fds[2].fd = -1;
}

static void
remember(struct relay *y, const char *s, size_t n)
{
	for (; n; s++, n--)
		y->tail[y->tail_end++ % TAIL] = *s;
}

static int
fill_out(struct run *r)
{
	struct pump *out = &r->tty.relay.out;

	pump_fill(out);
	remember(&r->tty.relay, out->buf, out->len);
	if (r->tty.listener >= 0)	/* not of crun exec */
		log_write(r, out->buf, out->len);
	return out->len > 0;
}

int
console_relay(struct run *r, const struct pollfd *fds)
{
	struct terminal *t = &r->tty.terminal;
	struct pump *out = &r->tty.relay.out;
	int asked = terminal_typed(t, &r->tty.relay.in, fds) && t->raw;

	if (fds[2].revents && !out->len)
		fill_out(r);
	if (fds[3].revents || out->to < 0)
		pump_drain(out);
	return asked;
}

/* 0: the output does not take it now, or a signal, which is put in *sig, asks
 * us to give up. */
static int
wait_for_reader(struct run *r, int patient, int *sig)
{
	int to = r->tty.relay.out.to;
	struct pollfd p[] = { { to, POLLOUT, 0 },
	    { r->signals.fd, POLLIN, 0 }, { 0 } };

	if (to < 0)		/* nobody reads but the log */
		return 1;
	for (;;) {
		say_poll(&p[2]);
		if (poll(p, LEN(p), patient ? -1 : 0) <= 0)
			return 0;
		say_served(&p[2]);
		if (!*sig && p[1].revents && (*sig = signal_pending(r)))
			return 0;
		if (p[0].revents)
			return 1;
	}
}

int
console_end(struct run *r, int patient)
{
	struct pump *out = &r->tty.relay.out;
	int sig = 0;

	while (r->tty.master >= 0) {
		while (out->len && wait_for_reader(r, patient, &sig))
			pump_drain(out);
		if (out->len)	/* the same holds for all the rest */
			patient = 0;
		out->len = 0;
		if (!fill_out(r))
			break;
	}
	terminal_restore(&r->tty.terminal);
	return sig;
}

int
console_typed(const struct run *r)
{
	return r->tty.relay.in.from >= 0;
}

/* Whether the printed text ends so, without the escape sequences in it: a
 * shell asks the terminal for the cursor after its prompt. */
static int
ends_with(const struct relay *y, const char *end)
{
	char text[64];
	size_t last = y->tail_end;
	size_t from = last > sizeof(text) ? last - sizeof(text) : 0;
	size_t i, len = 0, n = strlen(end);
	int escape = 0;

	for (i = from; i < last; i++) {
		char c = y->tail[i % TAIL];

		if (escape)
			escape = c < '@' || c == '[';
		else if (c == '\033')
			escape = 1;
		else
			text[len++] = c;
	}
	return len >= n && !memcmp(text + len - n, end, n);
}

int
console_prompt(const struct run *r)
{
	size_t i;

	if (r->tty.master < 0 || tcgetsid(r->tty.master) <= 0)
		return 0;
	for (i = 0; i < LEN(config_prompts); i++)
		if (ends_with(&r->tty.relay, config_prompts[i]))
			return 1;
	return 0;
}

const char *
console_tail(const struct run *r)
{
	static char text[TAIL + 1];
	const struct relay *y = &r->tty.relay;
	size_t end = y->tail_end, n = end < TAIL ? end : TAIL, i, len = 0;
	char c;

	for (i = 0; i < n; i++) {
		c = y->tail[(end - n + i) % TAIL];
		if (c == '\n' || c == '\t')
			c = ' ';
		if (c && c != '\r' &&
		    !(c == ' ' && (!len || text[len - 1] == ' ')))
			text[len++] = c;
	}
	while (len && text[len - 1] == ' ')
		len--;
	text[len] = '\0';
	return len > 400 ? text + len - 400 : text;
}

void
console_undo(struct run *r)
{
	terminal_restore(&r->tty.terminal);
	shut(&r->tty.master);
	shut(&r->tty.slave);
}
