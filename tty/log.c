/* The log: what the console printed, as far back as console.log bytes reach.
 *
 * NAME/log is a ring.  It begins with a head: how many bytes were ever
 * written, and how many the ring holds; byte n of the output stands at n
 * modulo that.  It is made when the console prints for the first time, lies
 * on the tmpfs of /run, and never grows beyond its size, so writing to it
 * does not wait; what cannot be written (/run is full) is lost.
 *
 * Readers need no help of the supervisor.  They read the head, then what they
 * have not yet seen, then the head again: what the writer may have reached
 * meanwhile is thrown away.  The writer writes at most LOG_CHUNK bytes between
 * two heads, so that much of the ring's oldest is never relied on.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "crun.h"
#include "lib/lib.h"
#include "tty/tty.h"
#include "config.h"

struct head {
	uint64_t total, size;
};

/* ---- the supervisor writes ---- */

static struct run *logged;	/* whose log log_say() writes to */

static uint64_t
ring_size(const struct run *r)
{
	return r->conf->console_log - sizeof(struct head);
}

static int
open_ring(struct run *r)
{
	struct head h = { 0, ring_size(r) };

	r->tty.log = openat(r->state.dir, "log", O_RDWR | O_CREAT | O_TRUNC |
	    O_CLOEXEC | O_NOFOLLOW, 0600);
	r->tty.logged = 0;
	if (r->tty.log < 0 || pwrite(r->tty.log, &h, sizeof(h), 0) != sizeof(h))
		shut(&r->tty.log);
	return r->tty.log >= 0;
}

static void
write_ring(struct run *r, const char *s, size_t n)
{
	uint64_t size = ring_size(r), at = r->tty.logged % size;
	size_t first = n < size - at ? n : size - at;
	off_t ring = sizeof(struct head);

	if (pwrite(r->tty.log, s, first, ring + at) < 0 ||
	    (first < n && pwrite(r->tty.log, s + first, n - first, ring) < 0))
		return;
	r->tty.logged += n;
	if (pwrite(r->tty.log, &r->tty.logged, sizeof(r->tty.logged), 0) < 0)
		r->tty.logged -= n;
}

void
log_write(struct run *r, const char *s, size_t n)
{
	size_t part;

	if (!n || (r->tty.log < 0 && !open_ring(r)))
		return;
	for (; n; s += part, n -= part) {
		part = n < LOG_CHUNK ? n : LOG_CHUNK;
		write_ring(r, s, part);
	}
}

static void
log_say(const char *line)
{
	log_write(logged, "crun: ", 6);
	log_write(logged, line, strlen(line));
	log_write(logged, "\r\n", 2);
}

void
log_messages(struct run *r)
{
	logged = r;
	on_step = log_say;
	say_elsewhere(log_say);
}

/* ---- anybody reads ---- */

static int
read_head(struct reader *l, struct head *h)
{
	return pread(l->fd, h, sizeof(*h), 0) == sizeof(*h) && h->size;
}

/* The first byte that the writer does not reach while we read it. */
static uint64_t
oldest(const struct head *h)
{
	return h->total + LOG_CHUNK > h->size ?
	    h->total + LOG_CHUNK - h->size : 0;
}

size_t
log_read(struct reader *l, char *buf, size_t size)
{
	struct head h, now;
	uint64_t at, n;
	ssize_t got;

	if (l->fd < 0)
		l->fd = openat(l->dir, "log", O_RDONLY | O_CLOEXEC |
		    O_NOFOLLOW);
	if (l->fd < 0 || !read_head(l, &h))
		return 0;
	if (!l->end)
		l->end = l->still ? h.total : UINT64_MAX;
	do {
		if (l->pos < oldest(&h))
			l->pos = oldest(&h);
		if (l->pos >= l->end)
			return 0;
		at = l->pos % h.size;
		n = (h.total < l->end ? h.total : l->end) - l->pos;
		n = n < size ? n : size;
		n = n < h.size - at ? n : h.size - at;
		got = pread(l->fd, buf, n, sizeof(h) + at);
		if (got <= 0 || !read_head(l, &now))
			return 0;
		h = now;
	} while (l->pos < oldest(&h));
	l->pos += got;
	return got;
}

void
log_last(struct reader *l, int lines)
{
	char buf[LOG_CHUNK];
	struct reader back = { .dir = l->dir, .fd = -1, .still = 1 };
	uint64_t start[128], most;
	size_t n, i, seen = 0;

	if (lines > (int)LEN(start))
		lines = LEN(start);
	start[0] = 0;
	while ((n = log_read(&back, buf, sizeof(buf))))
		for (i = 0; i < n; i++)
			if (buf[i] == '\n')
				start[++seen % LEN(start)] =
				    back.pos - n + i + 1;
	/* the last line is mostly a prompt, without an end */
	if (seen >= (size_t)lines)
		l->pos = start[(seen - lines + 1) % LEN(start)];
	most = (uint64_t)lines * LOG_LINE;
	if (back.pos > l->pos + most)
		l->pos = back.pos - most;
	shut(&back.fd);
}

int
log_watch(const struct run *r)
{
	char path[32];
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	put(path, sizeof(path), "/proc/self/fd/%d", r->state.dir);
	if (fd < 0 || inotify_add_watch(fd, path, IN_MODIFY | IN_CREATE) < 0)
		die("watching the log (inotify):");
	return fd;
}

void
log_watched(int watch)
{
	char events[4096];

	while (read(watch, events, sizeof(events)) > 0)
		;
}
