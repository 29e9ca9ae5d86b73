/* Datagrams to a port of the host, passed on to the container.
 *
 * Whoever sends has a session: a socket that is connected to the container,
 * by which its answers come.  One that nobody has used for a while ends. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "crun.h"
#include "lib/lib.h"
#include "net/forward.h"
#include "net/net.h"
#include "net/serve.h"

enum { MOST_SESSIONS = 1024, IDLE_MS = 60000, TICK = 20, DATAGRAMS = 64 };

struct session {
	int fd;			/* -1: it is free */
	uint32_t door;
	struct sockaddr_in6 from;
	socklen_t size;
	long long used;		/* when it was */
};

struct sessions {
	int timer;
	int n;
	struct session all[MOST_SESSIONS];
};

static void
end_session(struct session *s)
{
	shut(&s->fd);			/* epoll(7) forgets it */
}

static struct session *
find_session(struct sessions *all, uint32_t door,
    const struct sockaddr_in6 *from, socklen_t size)
{
	struct session *s;

	for (s = all->all; s < all->all + all->n; s++)
		if (s->fd >= 0 && s->door == door && s->size == size &&
		    !memcmp(&s->from, from, size))
			return s;
	return NULL;
}

/* One that is free, or else the one that was used least lately. */
static struct session *
place(struct sessions *all)
{
	struct session *s, *oldest = all->all;

	if (all->n < MOST_SESSIONS) {
		s = &all->all[all->n++];
		s->fd = -1;
		return s;
	}
	for (s = all->all; s < all->all + all->n; s++) {
		if (s->fd < 0)
			return s;
		if (s->used < oldest->used)
			oldest = s;
	}
	end_session(oldest);
	return oldest;
}

static struct session *
begin_session(struct run *r, struct door *d, uint32_t door,
    const struct sockaddr_in6 *from, socklen_t size)
{
	struct session *s = place(r->net.sessions);

	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return NULL;
	s->door = door;
	s->from = *from;
	s->size = size;
	if (connect(s->fd, (struct sockaddr *)&d->to, sizeof(d->to)) < 0 ||
	    serve_watch(r, s->fd, SERVE_SESSION, s - r->net.sessions->all,
	    EPOLLIN, 0) < 0) {
		end_session(s);
		return NULL;
	}
	return s;
}

static int
begin_all(struct run *r)
{
	struct itimerspec tick = { .it_interval.tv_sec = TICK,
	    .it_value.tv_sec = TICK };
	struct sessions *all = xrealloc(NULL, 1, sizeof(*all));

	all->n = 0;
	all->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC |
	    TFD_NONBLOCK);
	if (all->timer < 0 || timerfd_settime(all->timer, 0, &tick, NULL) < 0 ||
	    serve_watch(r, all->timer, SERVE_EXPIRE, 0, EPOLLIN, 0) < 0) {
		shut(&all->timer);
		free(all);
		return -1;
	}
	r->net.sessions = all;
	return 0;
}

void
udp_receive(struct run *r, struct door *d, uint32_t number)
{
	static char buf[65536];
	struct sockaddr_in6 from;
	struct session *s;
	socklen_t size;
	ssize_t n;
	int i;

	for (i = 0; i < DATAGRAMS; i++) {
		size = sizeof(from);
		memset(&from, 0, sizeof(from));
		n = recvfrom(d->fd, buf, sizeof(buf), 0,
		    (struct sockaddr *)&from, &size);
		if (n < 0)
			return;
		if (!r->net.sessions && begin_all(r) < 0)
			continue;
		s = find_session(r->net.sessions, number, &from, size);
		if (!s)
			s = begin_session(r, d, number, &from, size);
		if (!s)
			continue;	/* lost, as datagrams may be */
		s->used = now_ms();
		send(s->fd, buf, n, 0);
	}
}

void
udp_serve(struct run *r, uint32_t n)
{
	struct session *s = &r->net.sessions->all[n];
	static char buf[65536];
	ssize_t len;
	int i;

	for (i = 0; i < DATAGRAMS && s->fd >= 0; i++) {
		len = recv(s->fd, buf, sizeof(buf), 0);
		/* nobody is there: so is said of a datagram before */
		if (len < 0 && errno == ECONNREFUSED)
			continue;
		if (len < 0)
			return;
		s->used = now_ms();
		sendto(r->net.doors[s->door].fd, buf, len, 0,
		    (struct sockaddr *)&s->from, s->size);
	}
}

void
udp_close(struct run *r, uint32_t number)
{
	struct sessions *all = r->net.sessions;
	int i;

	for (i = 0; all && i < all->n; i++)
		if (all->all[i].fd >= 0 && all->all[i].door == number)
			end_session(&all->all[i]);
}

void
udp_expire(struct run *r)
{
	struct sessions *all = r->net.sessions;
	struct session *s;
	uint64_t ticks;

	if (read(all->timer, &ticks, sizeof(ticks)) < 0)
		return;
	for (s = all->all; s < all->all + all->n; s++)
		if (s->fd >= 0 && now_ms() - s->used > IDLE_MS)
			end_session(s);
}

void
udp_undo(struct run *r)
{
	struct sessions *all = r->net.sessions;
	int i;

	if (!all)
		return;
	for (i = 0; i < all->n; i++)
		end_session(&all->all[i]);
	shut(&all->timer);
	free(all);
	r->net.sessions = NULL;
}
