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
 * Nothing here waits.  Each direction is a buffer that is written out when
 * the other side takes it.  What is printed is read when the buffer is empty;
 * what is typed as long as there is room, since Ctrl-] must be heard when a
 * frozen guest takes nothing.
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

enum { ESCAPE = 0x1d, ESCAPES = 3, ESCAPE_MS = 1000 };	/* Ctrl-] */
enum { TAIL = 1024 };

static char typed[PUMP_SIZE], printed[PIPE_BUF]; /* larger, and a write */
/* to a pipe would wait, pipe(7) */
static struct pump in = { -1, -1, 0, 0, typed, sizeof(typed) };
static struct pump out = { -1, -1, 0, 0, printed, sizeof(printed) };
static struct termios saved;
static int saved_valid, raw_later;
static int ways[3] = { -1, -1, -1 };	/* our own to 0, 1, 2, as needed */
static char tail[TAIL];		/* the last that was printed, a ring */
static size_t tail_end;
static int escapes;
static long long first_escape;

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

/* In the background, as a job of a shell or below timeout(1), the terminal is
 * another's. */
void
console_raw(void)
{
	pid_t front = tcgetpgrp(STDIN_FILENO);
	struct termios t;

	raw_later = front >= 0 && front != getpgrp();
	if (raw_later || !isatty(STDIN_FILENO) ||
	    tcgetattr(STDIN_FILENO, &saved) < 0)
		return;
	t = saved;
	cfmakeraw(&t);
	saved_valid = tcsetattr(STDIN_FILENO, TCSANOW, &t) == 0;
}

void
console_restore(void)
{
	if (saved_valid)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	saved_valid = 0;
}

/* Where the relay writes: write(2) to a terminal waits until all has gone,
 * whatever poll(2) said, and so does one to a pipe that another has filled
 * meanwhile. */
static int
way_to(int i)
{
	if (ways[i] < 0)
		ways[i] = open_nonblock(i);
	return ways[i];
}

int
console_output(void)
{
	return way_to(STDOUT_FILENO);
}

void
console_begin(struct run *r)
{
	if (r->tty.master < 0)	/* nor will there be one after a reboot */
		return;
	in.len = out.len = 0;
	in.from = out.from = in.to = out.to = -1;
	escapes = 0;
	tail_end = 0;
	out.from = r->tty.master;
	if (r->back.background)
		return;
	if (r->tty.ttys & 1) {
		in.from = STDIN_FILENO;
		in.to = r->tty.master;
		console_raw();
	}
	say_nonblock();
	out.to = way_to(r->tty.ttys & 2 ? STDOUT_FILENO : r->tty.ttys & 4 ?
	    STDERR_FILENO : STDIN_FILENO);
}

void
console_resize(struct run *r)
{
	if (r->tty.master >= 0)
		copy_size(isatty(0) ? 0 : isatty(1) ? 1 : 2, r->tty.master);
}

/* ---- relaying ---- */

void
pump_poll(const struct pump *p, struct pollfd *fds)
{
	int full = p->len == p->size;

	fds[0] = (struct pollfd){ full ? -1 : p->from, POLLIN, 0 };
	fds[1] = (struct pollfd){ p->len ? p->to : -1, POLLOUT, 0 };
}

void
console_poll(struct pollfd *fds)
{
	pump_poll(&in, fds);
	pump_poll(&out, fds + 2);
	if (out.len)
		fds[2].fd = -1;
}

static int
is_passing(int err)
{
	return err == EAGAIN || err == EINTR;
}

/* Reads behind what is there; the side is shut at its end. */
static void
fill(struct pump *p)
{
	ssize_t n;

	memmove(p->buf, p->buf + p->off, p->len);
	p->off = 0;
	n = read(p->from, p->buf + p->len, p->size - p->len);
	p->len += n > 0 ? n : 0;
	if (n == 0 || (n < 0 && !is_passing(errno)))
		p->from = -1;
}

/* What cannot be written is dropped: a guest must not hang because nobody
 * reads crun's output any more. */
static void
drain(struct pump *p)
{
	ssize_t n = p->to < 0 ? (ssize_t)p->len :
	    write_nonblock(p->to, p->buf + p->off, p->len);

	if (n < 0 && is_passing(errno))
		return;
	if (n < 0) {
		p->to = -1;
		n = p->len;
	}
	p->off += n;
	p->len -= n;
}

static void
remember(const char *s, size_t n)
{
	for (; n; s++, n--)
		tail[tail_end++ % TAIL] = *s;
}

/* Three Ctrl-] within a second, counted over calls. */
static int
escaped_in(const char *s, size_t n)
{
	for (; n; s++, n--) {
		if (*s != ESCAPE) {
			escapes = 0;
			continue;
		}
		if (!escapes || now_ms() - first_escape > ESCAPE_MS) {
			escapes = 0;
			first_escape = now_ms();
		}
		if (++escapes == ESCAPES) {
			escapes = 0;
			return 1;
		}
	}
	return 0;
}

/* What is typed while we are in the background is not for us: it stops us, as
 * read(2) would, but for that this would wait for more when we go on.  And if
 * we have come to the foreground just now, the shell may have read it. */
static int
may_type(struct pump *p)
{
	if (!raw_later)
		return 1;
	console_raw();
	if (raw_later) {
		kill(0, SIGTTIN);
		console_raw();
	}
	if (raw_later)		/* no shell stops us */
		p->from = -1;
	return 0;
}

int
pump_typed(struct pump *p, const struct pollfd *fds)
{
	size_t had = p->len;
	int escaped = 0;

	if (fds[0].revents && may_type(p)) {
		fill(p);
		escaped = escaped_in(p->buf + had, p->len - had);
	}
	if (fds[1].revents || p->to < 0)
		drain(p);
	return escaped;
}

static int
fill_out(struct run *r)
{
	fill(&out);
	remember(out.buf, out.len);
	if (r->tty.listener >= 0)	/* not of crun exec */
		log_write(r, out.buf, out.len);
	return out.len > 0;
}

int
console_relay(struct run *r, const struct pollfd *fds)
{
	int asked = pump_typed(&in, fds) && saved_valid;

	if (fds[2].revents && !out.len)
		fill_out(r);
	if (fds[3].revents || out.to < 0)
		drain(&out);
	return asked;
}

/* 0: the output does not take it now, or a signal, which is put in *sig, asks
 * us to give up. */
static int
wait_for_reader(struct run *r, int patient, int *sig)
{
	struct pollfd p[] = { { out.to, POLLOUT, 0 },
	    { r->signals.fd, POLLIN, 0 }, { 0 } };

	if (out.to < 0)		/* nobody reads but the log */
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
	int sig = 0;

	while (r->tty.master >= 0) {
		while (out.len && wait_for_reader(r, patient, &sig))
			drain(&out);
		if (out.len)	/* the same holds for all the rest */
			patient = 0;
		out.len = 0;
		if (!fill_out(r))
			break;
	}
	console_restore();
	return sig;
}

int
console_typed(void)
{
	return in.from >= 0;
}

/* Whether the printed text ends so, without the escape sequences in it: a
 * shell asks the terminal for the cursor after its prompt. */
static int
ends_with(const char *end)
{
	char text[64];
	size_t from = tail_end > sizeof(text) ? tail_end - sizeof(text) : 0;
	size_t i, len = 0, n = strlen(end);
	int escape = 0;

	for (i = from; i < tail_end; i++) {
		char c = tail[i % TAIL];

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
		if (ends_with(config_prompts[i]))
			return 1;
	return 0;
}

const char *
console_tail(void)
{
	static char text[TAIL + 1];
	size_t n = tail_end < TAIL ? tail_end : TAIL, i, len = 0;
	char c;

	for (i = 0; i < n; i++) {
		c = tail[(tail_end - n + i) % TAIL];
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
	console_restore();
	shut(&r->tty.master);
	shut(&r->tty.slave);
}
