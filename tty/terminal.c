/* The caller's terminal, and what is typed and shown there.
 *
 * Nothing here waits: each direction is a buffer that is written out when the
 * other side takes it.  As much is read as there is room for, since Ctrl-]
 * must be heard when a frozen guest takes nothing.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "crun.h"
#include "lib/lib.h"
#include "tty/tty.h"

enum { ESCAPE = 0x1d, ESCAPES = 3, ESCAPE_MS = 1000 };	/* Ctrl-] */

/* In the background, as a job of a shell or below timeout(1), the terminal is
 * another's. */
void
terminal_raw(struct terminal *t)
{
	pid_t front = tcgetpgrp(STDIN_FILENO);
	struct termios raw;

	t->raw_later = front >= 0 && front != getpgrp();
	if (t->raw_later || !isatty(STDIN_FILENO) ||
	    tcgetattr(STDIN_FILENO, &t->was) < 0)
		return;
	raw = t->was;
	cfmakeraw(&raw);
	t->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void
terminal_restore(struct terminal *t)
{
	if (t->raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &t->was);
	t->raw = 0;
}

/* write(2) to a terminal waits until all has gone, whatever poll(2) said, and
 * so does one to a pipe that another has filled meanwhile. */
int
terminal_way(struct terminal *t, int fd)
{
	if (!t->way[fd])
		t->way[fd] = open_nonblock(fd);
	return t->way[fd];
}

/* ---- one direction ---- */

void
pump_poll(const struct pump *p, struct pollfd *fds)
{
	int full = p->len == p->size;

	fds[0] = (struct pollfd){ full ? -1 : p->from, POLLIN, 0 };
	fds[1] = (struct pollfd){ p->len ? p->to : -1, POLLOUT, 0 };
}

static int
is_passing(int err)
{
	return err == EAGAIN || err == EINTR;
}

void
pump_fill(struct pump *p)
{
	ssize_t n;

	memmove(p->buf, p->buf + p->off, p->len);
	p->off = 0;
	n = read(p->from, p->buf + p->len, p->size - p->len);
	p->len += n > 0 ? n : 0;
	if (n == 0 || (n < 0 && !is_passing(errno)))
		p->from = -1;
}

void
pump_drain(struct pump *p)
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

/* ---- what is typed ---- */

/* Three Ctrl-] within a second, counted over calls. */
static int
escaped_in(struct terminal *t, const char *s, size_t n)
{
	for (; n; s++, n--) {
		if (*s != ESCAPE) {
			t->escapes = 0;
			continue;
		}
		if (!t->escapes || now_ms() - t->first_escape > ESCAPE_MS) {
			t->escapes = 0;
			t->first_escape = now_ms();
		}
		if (++t->escapes == ESCAPES) {
			t->escapes = 0;
			return 1;
		}
	}
	return 0;
}

/* What is typed while we are in the background is not for us: it stops us, as
 * read(2) would, but for that this would wait for more when we go on.  And if
 * we have come to the foreground just now, the shell may have read it. */
static int
may_type(struct terminal *t, struct pump *p)
{
	if (!t->raw_later)
		return 1;
	terminal_raw(t);
	if (t->raw_later) {
		kill(0, SIGTTIN);
		terminal_raw(t);
	}
	if (t->raw_later)	/* no shell stops us */
		p->from = -1;
	return 0;
}

int
terminal_typed(struct terminal *t, struct pump *p, const struct pollfd *fds)
{
	size_t had = p->len;
	int escaped = 0;

	if (fds[0].revents && may_type(t, p)) {
		pump_fill(p);
		escaped = escaped_in(t, p->buf + had, p->len - had);
	}
	if (fds[1].revents || p->to < 0)
		pump_drain(p);
	return escaped;
}
