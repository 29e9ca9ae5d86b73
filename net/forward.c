/* Ports of the host, as the host itself reaches them: by localhost and ::1,
 * which the kernel's NAT cannot send elsewhere, and by any address of IPv6.
 *
 * For each there is a socket of the supervisor's, which passes on what comes,
 * tcp.c and udp.c.  It also shows that the port is free, and keeps it so for
 * as long as the container runs.  What comes from outside by IPv4 never
 * reaches it, since the table of nf_tables sends it on before, table.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "net/forward.h"
#include "net/net.h"
#include "net/serve.h"
#include "net/table.h"

enum { FILES = 1 << 17 };	/* two for each flow of tcp.c, and more */

/* ---- sockets ---- */

/* An address may come later than we. */
static int
open_socket(const struct port *p, int family)
{
	int fd = socket(family, (p->udp ? SOCK_DGRAM : SOCK_STREAM) |
	    SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int yes = 1, only_six = p->at.family == AF_INET6;

	if (fd < 0)
		return -1;
	/* connections that have ended keep the port for a minute; of UDP it
	 * would let two have one port */
	if (!p->udp)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_six,
		    sizeof(only_six));
	if (only_six)
		setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &yes, sizeof(yes));
	else if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &yes, sizeof(yes));
	return fd;
}

/* Of an address; or of both families, of IPv4 alone where there is no IPv6. */
static int
bind_port(const struct port *p, uint16_t port)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6,
	    .sin6_port = htons(port) };
	struct sockaddr_in a4 = { .sin_family = AF_INET,
	    .sin_port = htons(port) };
	int fd = p->at.family == AF_INET ? -1 : open_socket(p, AF_INET6);
	int six = fd >= 0, err;

	if (p->at.family == AF_INET6)
		memcpy(&a6.sin6_addr, p->at.addr, 16);
	else
		memcpy(&a4.sin_addr, p->at.addr, 4);
	if (!six && p->at.family != AF_INET6)
		fd = open_socket(p, AF_INET);
	if (fd < 0)
		return -1;
	if (!bind(fd, six ? (struct sockaddr *)&a6 : (struct sockaddr *)&a4,
	    six ? sizeof(a6) : sizeof(a4)) &&
	    (p->udp || !listen(fd, SOMAXCONN)))
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

static struct door *
find_door(struct net *net, int udp, const struct ip *at, uint16_t port)
{
	uint32_t i;

	for (i = 0; i < net->ndoors; i++)
		if (net->doors[i].fd >= 0 && net->doors[i].udp == udp &&
		    net->doors[i].port == port &&
		    !memcmp(&net->doors[i].at, at, sizeof(*at)))
			return &net->doors[i];
	return NULL;
}

static int
has_port(const struct net *net, int udp, uint16_t port)
{
	uint32_t i;

	for (i = 0; i < net->ndoors; i++)
		if (net->doors[i].fd >= 0 && net->doors[i].udp == udp &&
		    net->doors[i].port == port)
			return 1;
	return 0;
}

static struct door *
free_door(struct net *net)
{
	uint32_t i;

	for (i = 0; i < net->ndoors; i++)
		if (net->doors[i].fd < 0)
			return &net->doors[i];
	net->doors = xrealloc(net->doors, net->ndoors + 1,
	    sizeof(*net->doors));
	return &net->doors[net->ndoors++];
}

/* NULL, or why not. */
static const char *
open_door(struct run *r, const struct setting *s, uint32_t n)
{
	const struct port *p = &s->u.port;
	uint16_t port = p->first + n;
	int fd = bind_port(p, port);
	struct door *d;

	if (fd < 0 && errno == EADDRINUSE && has_port(&r->net, p->udp, port))
		return complain("%sport %d is the container's own already, "
		    "of another address; take that away first", s->where,
		    port);
	if (fd < 0 && errno == EADDRINUSE)
		return complain("%sport %d of the host is taken by %s",
		    s->where, port, taken_by(port, p->udp));
	if (fd < 0)
		return complain("%sport %d of the host: %s", s->where, port,
		    strerror(errno));
	d = free_door(&r->net);
	*d = (struct door){ .fd = fd, .udp = p->udp, .at = p->at,
	    .port = port, .fresh = 1 };
	if (serve_watch(r, fd, SERVE_DOOR, d - r->net.doors, EPOLLIN, 0) < 0) {
		shut(&d->fd);
		return complain("%swatching port %d: %s", s->where, port,
		    strerror(errno));
	}
	return NULL;
}

static const char *
want_door(struct run *r, const struct setting *s, uint32_t n)
{
	const struct port *p = &s->u.port;
	const char *why;
	struct door *d;

	if (!find_door(&r->net, p->udp, &p->at, p->first + n) &&
	    (why = open_door(r, s, n)))
		return why;
	d = find_door(&r->net, p->udp, &p->at, p->first + n);
	d->wanted = 1;
	d->next = (struct sockaddr_in){ .sin_family = AF_INET,
	    .sin_port = htons(p->inside + n) };
	memcpy(&d->next.sin_addr, table_address(r, s->link)->addr, 4);
	return NULL;
}

static void
close_door(struct run *r, struct door *d)
{
	if (d->udp)
		udp_close(r, d - r->net.doors);
	shut(&d->fd);			/* epoll(7) forgets it */
}

/* A connection takes two descriptors.  The init's limit is not ours: it is put
 * back before the next life. */
static void
raise_limit(struct run *r)
{
	struct rlimit l = { FILES, FILES };

	if (r->net.limit.rlim_cur ||
	    getrlimit(RLIMIT_NOFILE, &r->net.limit) < 0 ||
	    r->net.limit.rlim_cur >= FILES)
		return;
	if (l.rlim_max < r->net.limit.rlim_max)
		l.rlim_max = r->net.limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l) < 0) {	/* above fs.nr_open, proc(5) */
		l = r->net.limit;
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

const char *
forward_prepare(struct run *r, const struct conf *c)
{
	const char *why = NULL;
	uint32_t i, n;

	for (i = 0; i < r->net.ndoors; i++)
		r->net.doors[i].wanted = r->net.doors[i].fresh = 0;
	for (each(c, s, KEY_PORT)) {
		raise_limit(r);
		for (n = 0; n < s->u.port.count && !why; n++)
			why = want_door(r, s, n);
	}
	if (why)
		forward_settle(r, 0);
	return why;
}

void
forward_settle(struct run *r, int done)
{
	struct door *d = r->net.doors, *end = d + r->net.ndoors;

	for (; d < end; d++)
		if (d->fd >= 0 && (done ? !d->wanted : d->fresh))
			close_door(r, d);
		else if (done)
			d->to = d->next;
}

void
forward_attach(struct run *r)
{
	const char *why = forward_prepare(r, r->conf);

	if (why)
		die("%s", why);
	forward_settle(r, 1);
}

void
forward_undo(struct run *r)
{
	uint32_t i;

	for (i = 0; i < r->net.ndoors; i++)
		shut(&r->net.doors[i].fd);
	free(r->net.doors);
	r->net.doors = NULL;
	r->net.ndoors = 0;
	tcp_undo(r);
	udp_undo(r);
	if (r->net.limit.rlim_cur)
		setrlimit(RLIMIT_NOFILE, &r->net.limit);
	r->net.limit = (struct rlimit){ 0 };
}

void
forward_serve(struct run *r, uint32_t n)
{
	if (n >= r->net.ndoors || r->net.doors[n].fd < 0)
		return;
	if (r->net.doors[n].udp)
		udp_receive(r, &r->net.doors[n], n);
	else
		tcp_accept(r, &r->net.doors[n]);
}
