/* Messages, and the small helpers that every other file uses.
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
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "crun.h"

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

/* The second byte tells what is too long, a surrogate, or above U+10FFFF, and
 * after C2 the controls of ISO 6429, which are the bytes 80 to 9F; utf-8(7). */
static int
second_fits(unsigned char first, unsigned char second)
{
	unsigned char low = first == 0xc2 || first == 0xe0 ? 0xa0 :
	    first == 0xf0 ? 0x90 : 0x80;
	unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f :
	    0xbf;

	return second >= low && second <= high;
}

size_t
printable(const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t len, i;

	if (*s < 0x80)
		return *s >= ' ' && *s != 0x7f;
	len = *s >= 0xf0 ? 4 : *s >= 0xe0 ? 3 : 2;
	if (*s < 0xc2 || *s > 0xf4 || n < len || !second_fits(s[0], s[1]))
		return 0;
	for (i = 2; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

size_t
escape(char *out, const char *text, size_t n)
{
	size_t len = printable(text, n);

	memcpy(out, text, len);
	out[len] = '\0';
	if (!len)
		snprintf(out, ESCAPED, "\\x%02x", (unsigned char)*text);
	return len ? len : 1;
}

/* ---- writing without waiting ---- */

/* Others have the caller's descriptor open too, the init among them: so it is
 * not made nonblocking, but the same file is opened once more.  A regular file
 * has an offset that is not to be lost, and never makes us wait. */
int
open_nonblock(int i)
{
	char path[32];
	struct stat st;
	int fd;

	if (fstat(i, &st) < 0 || (!S_ISFIFO(st.st_mode) && !isatty(i)))
		return i;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", i);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? i : fd;
}

/* A socket is asked by a flag.  A pipe that could not be opened once more, as
 * where there is no /proc, holds us up only if another writes to it between
 * poll(2) and write(2): up to PIPE_BUF bytes have room then, pipe(7). */
ssize_t
write_nonblock(int fd, const char *text, size_t n)
{
	struct pollfd p = { fd, POLLOUT, 0 };
	ssize_t sent = send(fd, text, n, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent >= 0 || errno != ENOTSOCK)
		return sent;
	if (poll(&p, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, text, n < PIPE_BUF ? n : PIPE_BUF);
}

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

void
die(const char *fmt, ...)
{
	char line[LINE];
	va_list ap;

	va_start(ap, fmt);
	format(line, fmt, ap);
	va_end(ap);
	on_die(EXIT_SETUP, line);
	abort();
}

void
fail(int status, const char *fmt, ...)
{
	char line[LINE];
	va_list ap;

	va_start(ap, fmt);
	format(line, fmt, ap);
	va_end(ap);
	on_die(status, line);
	abort();
}

void
warn(const char *fmt, ...)
{
	char line[LINE];
	va_list ap;

	if (verbosity == QUIET)
		return;
	va_start(ap, fmt);
	format(line, fmt, ap);
	va_end(ap);
	on_step(line);
}

void
tell(const char *fmt, ...)
{
	char line[LINE];
	va_list ap;

	va_start(ap, fmt);
	format(line, fmt, ap);
	va_end(ap);
	on_step(line);
}

void
step(const char *fmt, ...)
{
	char line[LINE];
	va_list ap;

	if (verbosity < VERBOSE)
		return;
	va_start(ap, fmt);
	format(line, fmt, ap);
	va_end(ap);
	on_step(line);
}

void
flush_output(void)
{
	if (fflush(stdout) || ferror(stdout))
		die("writing to standard output:");
}

void *
xrealloc(void *p, size_t count, size_t size)
{
	p = reallocarray(p, count, size);
	if (!p)
		die("allocating %zu bytes:", count * size);
	return p;
}

char *
xprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	s = xrealloc(NULL, n + 1, 1);
	va_start(ap, fmt);
	vsnprintf(s, n + 1, fmt, ap);
	va_end(ap);
	return s;
}

void
put(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	if (n >= size)
		die("%s...: longer than %zu characters", buf, size - 1);
}

/* FNV-1a, with a last mix so that short names differ in every bit. */
uint64_t
hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3;
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15;
	return h ^ h >> 29;
}

void
shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

ssize_t
read_at(int dir, const char *path, char *buf, size_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY), err;
	ssize_t n, got = 0;

	buf[0] = '\0';
	if (fd < 0)
		return -1;
	while ((n = read(fd, buf + got, size - 1 - got)) > 0)
		got += n;
	err = errno;
	close(fd);
	errno = err;
	buf[got] = '\0';
	return n < 0 ? -1 : got;
}

static int
write_to(int fd, const char *text)
{
	size_t len = strlen(text);
	ssize_t n;
	int err;

	if (fd < 0)
		return -1;
	n = write(fd, text, len);
	err = n < 0 ? errno : ENOSPC;
	close(fd);
	errno = err;
	return n == (ssize_t)len ? 0 : -1;
}

int
write_at(int dir, const char *path, const char *text)
{
	return write_to(openat(dir, path, O_WRONLY | O_CLOEXEC | O_NOCTTY),
	    text);
}

int
create_at(int dir, const char *path, const char *text, mode_t mode)
{
	return write_to(openat(dir, path,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
	    mode), text);
}

long long
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

int
numbers(const char *text, uint64_t *n, int max)
{
	char *end;
	int i;

	for (i = 0; i < max; i++, text = end) {
		text += strspn(text, " \t\n");
		if (*text < '0' || *text > '9')
			break;
		n[i] = strtoull(text, &end, 10);
	}
	return i;
}

int
has_word(const char *words, const char *word)
{
	size_t len = strlen(word), n;

	for (; *words; words += n + !!words[n]) {
		n = strcspn(words, " ,\n");
		if (n == len && !memcmp(words, word, n))
			return 1;
	}
	return 0;
}

char *
next_part(char **rest, const char *ends)
{
	char *part;

	do
		part = strsep(rest, ends);
	while (part && !*part);
	return part;
}

/* The edit distance of two words, of which b is shorter than NAME_LEN. */
static int
distance(const char *a, const char *b)
{
	int row[NAME_LEN + 1], i, j, diag, up;
	int n = strlen(b);

	for (j = 0; j <= n; j++)
		row[j] = j;
	for (i = 1; a[i - 1]; i++) {
		diag = row[0];
		row[0] = i;
		for (j = 1; j <= n; j++) {
			up = row[j];
			row[j] = diag + (a[i - 1] != b[j - 1]);
			if (up + 1 < row[j])
				row[j] = up + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			diag = up;
		}
	}
	return row[n];
}

void
near_try(struct near *n, const char *candidate)
{
	int d;

	if (strlen(candidate) >= NAME_LEN || strlen(n->word) >= NAME_LEN)
		return;
	d = distance(n->word, candidate);
	if (d < (*n->best ? n->least : 4) && d < (int)strlen(n->word)) {
		n->least = d;
		snprintf(n->best, sizeof(n->best), "%s", candidate);
	}
}

int
in_first_userns(void)
{
	static const ino_t first = 0xeffffffd;	/* USER_NS_INIT_INO, nsfs.h */
	struct stat st;

	return stat("/proc/self/ns/user", &st) < 0 || st.st_ino == first;
}

/* The kernel's own calls: those of libc tell every thread, of which there is
 * one, and bring 2 kB for it.  Some 32-bit machines have two of each, and the
 * older takes 16 bits. */
#ifdef SYS_setresuid32
#undef SYS_setresuid
#undef SYS_setresgid
#undef SYS_setgroups
#define SYS_setresuid SYS_setresuid32
#define SYS_setresgid SYS_setresgid32
#define SYS_setgroups SYS_setgroups32
#endif

int
take_groups(size_t n, const gid_t *groups)
{
	return syscall(SYS_setgroups, n, groups);
}

/* The kernel takes who changes ids for what fs.suid_dumpable says, proc(5). */
int
take_ids(uid_t uid, gid_t gid)
{
	return syscall(SYS_setresgid, gid, gid, gid) < 0 ||
	    syscall(SYS_setresuid, uid, uid, uid) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0) < 0 ? -1 : 0;
}

void
hide(void)
{
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		die("hiding our memory and files (PR_SET_DUMPABLE):");
}

/* As root the group goes first, and comes back last. */
int
act_as(uid_t uid, gid_t gid)
{
	if (!uid && syscall(SYS_setresuid, -1, 0, -1) < 0)
		return -1;
	return syscall(SYS_setresgid, -1, gid, -1) < 0 ||
	    (uid && syscall(SYS_setresuid, -1, uid, -1) < 0) ? -1 : 0;
}
