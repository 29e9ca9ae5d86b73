/* Messages to people.
 *
 * All that crun says to a person goes through say(): one write(2) a line, so
 * lines of two processes never mix, with control characters escaped, so that
 * a name from a file cannot drive the terminal.
 *
 * A supervisor has more to do than to wait for the reader of its messages.
 * After say_nonblock() what the reader does not take now is kept, whole lines
 * in their order, until poll(2) says that there is room; what is too much to
 * be kept is counted, and the count is said where those lines would stand.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/lib.h"

enum { LINE = 2048 };
enum { KEPT = 8192, LAST_MS = 500 };

static void exit_with(int status, const char *line)
    __attribute__((noreturn));

int verbosity;
void (*on_die)(int, const char *) = exit_with;
void (*on_step)(const char *) = say;

static int way = -1;		/* of open_nonblock(); -1: say() waits */

/* What the reader of our messages has not taken yet. */
static struct {
	size_t len;
	unsigned long lost;	/* lines since the last that was kept */
	char text[KEPT];
} kept;

static void
exit_with(int status, const char *line)
{
	say(line);
	exit(status);
}

/* ---- writing without waiting ---- */

static void
append(const char *text, size_t n)
{
	memcpy(kept.text + kept.len, text, n);
	kept.len += n;
}

/* The number of lost lines stands where they would, before a line of so many
 * bytes; 0: there is no room for both. */
static int
append_lost(size_t line)
{
	char text[80];
	size_t n;

	if (!kept.lost)
		return line <= KEPT - kept.len;
	n = snprintf(text, sizeof(text), "crun: %lu line%s lost here, which "
	    "nobody has read\n", kept.lost, kept.lost == 1 ? " is" : "s are");
	if (n + line > KEPT - kept.len)
		return 0;
	append(text, n);
	kept.lost = 0;
	return 1;
}

/* Writes what has room now, a line at a time; a terminal may take a part of
 * one.  What can never be written is dropped. */
static void
write_kept(void)
{
	char *end;
	ssize_t n;

	while (kept.len) {
		end = memchr(kept.text, '\n', kept.len);
		n = write_nonblock(way, kept.text, end + 1 - kept.text);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			n = kept.len;
		kept.len -= n;
		memmove(kept.text, kept.text + n, kept.len);
		append_lost(LINE);
	}
}

static void
keep(const char *text, size_t n)
{
	if (append_lost(n))
		append(text, n);
	else
		kept.lost++;
	write_kept();
}

/* At exit(3): for whoever reads slowly, but not for nobody. */
static void
say_last(void)
{
	struct pollfd p = { way, POLLOUT, 0 };
	long long end = now_ms() + LAST_MS, left = LAST_MS;

	while (kept.len && left > 0 && poll(&p, 1, left) >= 0) {
		write_kept();
		left = end - now_ms();
	}
}

void
say_nonblock(void)
{
	if (way >= 0)
		return;
	way = open_nonblock(STDERR_FILENO);
	atexit(say_last);
}

void
say_poll(struct pollfd *p)
{
	*p = (struct pollfd){ kept.len ? way : -1, POLLOUT, 0 };
}

void
say_served(const struct pollfd *p)
{
	if (p->revents)
		write_kept();
}

void
say_elsewhere(void (*to)(const char *))
{
	char *line, *rest = kept.text;

	append_lost(0);
	kept.text[kept.len - !!kept.len] = '\0';
	while (kept.len && (line = next_part(&rest, "\n")))
		to(strncmp(line, "crun: ", 6) ? line : line + 6);
	kept.len = 0;
	if (way > STDERR_FILENO)
		close(way);
	way = -1;
}

void
say(const char *line)
{
	char out[LINE + 16] = "crun: ";
	size_t n = strlen(out), left = strlen(line), len;

	for (; left && n < sizeof(out) - 6; line += len, left -= len) {
		len = escape(out + n, line, left);
		n += strlen(out + n);
	}
	out[n++] = '\n';
	if (way >= 0) {
		keep(out, n);
		return;
	}
	while (write(STDERR_FILENO, out, n) < 0 && errno == EINTR)
		;
}

/* ---- messages ---- */

/* Formats a line; a format that ends in ':' gets the errno's text. */
static void
format(char *line, const char *fmt, va_list ap)
{
	int err = errno;
	size_t n;

	vsnprintf(line, LINE, fmt, ap);
	n = strlen(line);
	if (n && fmt[strlen(fmt) - 1] == ':')
		snprintf(line + n, LINE - n, " %s", strerror(err));
}

static void end(int status, const char *line) __attribute__((noreturn));

static void
end(int status, const char *line)
{
	on_die(status, line);
	abort();
}

static void
go_on(const char *fmt, va_list ap)
{
	char line[LINE];

	format(line, fmt, ap);
	on_step(line);
}

void
die(const char *fmt, ...)
{
	char line[LINE];
	va_list ap;

	va_start(ap, fmt);
	format(line, fmt, ap);
	va_end(ap);
	end(EXIT_SETUP, line);
}

void
fail(int status, const char *fmt, ...)
{
	char line[LINE];
	va_list ap;

	va_start(ap, fmt);
	format(line, fmt, ap);
	va_end(ap);
	end(status, line);
}

void
tell(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	go_on(fmt, ap);
	va_end(ap);
}

void
warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (verbosity > QUIET)
		go_on(fmt, ap);
	va_end(ap);
}

void
step(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (verbosity == VERBOSE)
		go_on(fmt, ap);
	va_end(ap);
}

void
flush_output(void)
{
	if (fflush(stdout) || ferror(stdout))
		die("writing to standard output:");
}
