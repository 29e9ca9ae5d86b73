/* Connections to a port of the host, passed on to the container by splice(2).
 *
 * A connection is a flow with two sides: 0 is who has come, 1 is the
 * container.  What one side sends goes through a pipe to the other; a flow has
 * a pipe only while something is in it.  Nothing is waited for: epoll(7) says
 * when a side can be read or written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crun.h"
#include "lib/lib.h"
#include "net/forward.h"
#include "net/net.h"
#include "net/serve.h"

enum { MOST_FLOWS = 32768, SPARE_PIPES = 32 };
enum { CHUNK = 1 << 20, PIPE_SIZE = 1 << 18, ROUNDS = 16, ACCEPTS = 64 };

struct side {
	int fd;			/* -1: the flow is free */
	int pipe[2];		/* of what this side has sent; -1 */
	uint32_t held;		/* bytes in it */
	uint32_t watched;	/* what epoll(7) waits for */
	char eof, done;		/* it sends no more; the other knows */
};

struct flow {
	struct side side[2];
	int connecting;
	int next;		/* the next that is free */
};

struct flows {
	struct flow *all;
	int n, first_free;
	int spare[SPARE_PIPES][2];
	int spares;
};

/* ---- pipes ---- */

static int
get_pipe(struct flows *f, int *p)
{
	if (f->spares) {
		memcpy(p, f->spare[--f->spares], sizeof(f->spare[0]));
		return 0;
	}
	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0) {
		p[0] = p[1] = -1;
		return -1;
	}
	fcntl(p[0], F_SETPIPE_SZ, PIPE_SIZE);
	return 0;
}

static void
put_pipe(struct flows *f, int *p, int empty)
{
	if (p[0] >= 0 && empty && f->spares < SPARE_PIPES) {
		memcpy(f->spare[f->spares++], p, sizeof(f->spare[0]));
		p[0] = p[1] = -1;
	}
	shut(&p[0]);
	shut(&p[1]);
}

/* ---- flows ---- */

static const struct flow no_flow = {
	.side = { { .fd = -1, .pipe = { -1, -1 } },
	    { .fd = -1, .pipe = { -1, -1 } } },
};

/* -1: there are too many. */
static int
new_flow(struct flows *f)
{
	int i = f->first_free;

	if (i >= 0) {
		f->first_free = f->all[i].next;
	} else {
		if (f->n == MOST_FLOWS)
			return -1;
		i = f->n++;
		f->all = xrealloc(f->all, f->n, sizeof(*f->all));
	}
	f->all[i] = no_flow;
	return i;
}

/* Who waited since there were too many is taken now. */
static void
resume(struct run *r)
{
	uint32_t i;

	for (i = 0; i < r->net.ndoors; i++)
		if (r->net.doors[i].paused && serve_watch(r,
		    r->net.doors[i].fd, SERVE_DOOR, i, EPOLLIN, 0) >= 0)
			r->net.doors[i].paused = 0;
}

static void
end_flow(struct run *r, int i)
{
	struct flows *f = r->net.flows;
	struct side *s;

	for (s = f->all[i].side; s < f->all[i].side + 2; s++) {
		shut(&s->fd);		/* epoll(7) forgets it */
		put_pipe(f, s->pipe, !s->held);
	}
	f->all[i].next = f->first_free;
	f->first_free = i;
	resume(r);
}

/* Waits for what can go on: a side is read when its pipe is empty, and written
 * when the other's is not.  One that waits for nothing is taken out, as its
 * hang-up would be told again and again.  -1 and errno. */
static int
watch_flow(struct run *r, int i)
{
	struct flow *w = &r->net.flows->all[i];
	int k;

	for (k = 0; k < 2; k++) {
		struct side *s = &w->side[k], *other = &w->side[!k];
		uint32_t e = 0;

		if (!w->connecting && !s->eof && !s->held)
			e |= EPOLLIN;
		if (other->held || (w->connecting && k == 1))
			e |= EPOLLOUT;
		if (e != s->watched && serve_watch(r, s->fd, SERVE_FLOW,
		    i * 2 + k, e, s->watched) < 0)
			return -1;
		s->watched = e;
	}
	return 0;
}

/* Passes on what side k sends.  -1: the connection is broken. */
static int
pump(struct flows *f, struct flow *w, int k)
{
	struct side *s = &w->side[k];
	int to = w->side[!k].fd, i;
	ssize_t n;

	for (i = 0; i < ROUNDS && !s->done; i++) {
		if (!s->held && !s->eof) {
			if (s->pipe[0] < 0 && get_pipe(f, s->pipe) < 0)
				return -1;
			n = splice(s->fd, NULL, s->pipe[1], NULL, CHUNK,
			    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
			if (n < 0 && errno != EAGAIN)
				return -1;
			if (n < 0)
				break;
			s->held = n;
			s->eof = !n;
		}
		if (s->held) {
			n = splice(s->pipe[0], NULL, to, NULL, s->held,
			    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
			if (n < 0 && errno != EAGAIN)
				return -1;
			if (n < 0)
				break;
			s->held -= n;
		}
		if (s->eof && !s->held) {
			shutdown(to, SHUT_WR);
			s->done = 1;
		}
	}
	if (!s->held)
		put_pipe(f, s->pipe, 1);
	return 0;
}

/* ---- beginning ---- */

static int
connect_to(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)to,
	    sizeof(*to)) < 0 && errno != EINPROGRESS)
		shut(&fd);
	return fd;
}

static void
begin(struct run *r, struct door *d, int from)
{
	struct flows *f = r->net.flows;
	int i = new_flow(f), yes = 1;
	struct flow *w;

	if (i < 0) {
		close(from);
		return;
	}
	w = &f->all[i];
	w->connecting = 1;
	w->side[0].fd = from;
	w->side[1].fd = connect_to(&d->to);
	setsockopt(from, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
	if (w->side[1].fd < 0 || watch_flow(r, i) < 0)
		end_flow(r, i);
}

void
tcp_accept(struct run *r, struct door *d)
{
	int i, fd;

	if (!r->net.flows) {
		r->net.flows = xrealloc(NULL, 1, sizeof(*r->net.flows));
		*r->net.flows = (struct flows){ .first_free = -1 };
	}
	for (i = 0; i < ACCEPTS; i++) {
		fd = accept4(d->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			break;
		begin(r, d, fd);
	}
	/* out of descriptors: until a connection ends, the others wait */
	if (i < ACCEPTS && (errno == EMFILE || errno == ENFILE)) {
		serve_watch(r, d->fd, SERVE_DOOR, d - r->net.doors, 0,
		    EPOLLIN);
		d->paused = 1;
	}
}

void
tcp_serve(struct run *r, uint32_t n)
{
	struct flows *f = r->net.flows;
	struct flow *w = &f->all[n / 2];
	int err = 0;
	socklen_t size = sizeof(err);

	if (w->side[n % 2].fd < 0)
		return;			/* it has ended in this round */
	if (w->connecting) {
		getsockopt(w->side[1].fd, SOL_SOCKET, SO_ERROR, &err, &size);
		w->connecting = 0;
	}
	if (err || pump(f, w, 0) < 0 || pump(f, w, 1) < 0 ||
	    (w->side[0].done && w->side[1].done) || watch_flow(r, n / 2) < 0)
		end_flow(r, n / 2);
}

void
tcp_undo(struct run *r)
{
	struct flows *f = r->net.flows;
	int i;

	if (!f)
		return;
	for (i = 0; i < f->n; i++)
		if (f->all[i].side[0].fd >= 0)
			end_flow(r, i);
	while (f->spares--) {
		close(f->spare[f->spares][0]);
		close(f->spare[f->spares][1]);
	}
	free(f->all);
	free(f);
	r->net.flows = NULL;
}
