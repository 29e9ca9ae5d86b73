/* Messages, and the small helpers that every other file uses.
 *
 * All that crun says to a person goes through say(): one write(2) a line, so
 * lines of two processes never mix, with control characters escaped, so that
 * a name from a file cannot drive the terminal.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "crun.h"

enum { LINE = 2048 };

static void exit_with(int status, const char *line)
    __attribute__((noreturn));

int verbosity;
void (*on_die)(int, const char *) = exit_with;
void (*on_step)(const char *) = say;
int say_ms = -1;

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

void
say(const char *line)
{
	struct pollfd p = { STDERR_FILENO, POLLOUT, 0 };
	char out[LINE + 16] = "crun: ";
	size_t n = strlen(out), left = strlen(line), len;

	for (; left && n < sizeof(out) - 6; line += len, left -= len) {
		len = escape(out + n, line, left);
		n += strlen(out + n);
	}
	out[n++] = '\n';
	if (poll(&p, 1, say_ms) == 0)
		return;
	while (write(STDERR_FILENO, out, n) < 0 && errno == EINTR)
		;
}

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
