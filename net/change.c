/* What crun set changes of the network while the container runs: its ports, and
 * by live.c its interfaces.
 *
 * Sockets, tables of nf_tables and links are the supervisor's.  So crun set
 * writes the new configuration beside the old one, connects to the socket
 * NAME/set, and waits for a record.  Its status is 0: the supervisor has put
 * the new configuration in its place; or its text says why nothing was
 * changed. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "net/change.h"
#include "net/forward.h"
#include "net/kinds.h"
#include "net/net.h"
#include "net/netlink.h"
#include "net/serve.h"
#include "net/table.h"
#include "config.h"

static const char name[] = "set";	/* of the socket */

static int
can_have_ports(const struct link *l)
{
	return l->kind == LINK_BRIDGE || l->kind == LINK_NAT;
}

/* ---- the supervisor ---- */

/* All interfaces by r->conf.  -1 and errno; *bad is a port that is to blame, if
 * there is one. */
static int
set_ports(struct run *r, const struct setting **bad)
{
	const struct conf *c = r->conf;
	int i, fd = nl_try_open(), err = fd < 0 ? errno : 0;

	*bad = NULL;
	for (i = 0; i < c->nlinks && !err; i++)
		if (can_have_ports(&c->link[i]) &&
		    (veth_set_flags(r, i, fd) < 0 ||
		    table_change(r, i, bad) < 0))
			err = errno;
	shut(&fd);
	errno = err;
	return err ? -1 : 0;
}

/* By r->conf, whose interfaces are there.  NULL, or why not. */
static const char *
change_ports(struct run *r)
{
	const char *why = forward_prepare(r, r->conf);
	const struct setting *bad;

	if (why)
		return why;
	if (set_ports(r, &bad) < 0)
		why = complain("%s%s, by nf_tables: %s", bad ? bad->where : "",
		    bad ? conf_text(bad) : "ports", strerror(errno));
	else if (state_conf_take(r) < 0)
		why = complain("the new configuration: %s", strerror(errno));
	forward_settle(r, !why);
	return why;
}

/* NULL, or why nothing was changed. */
static const char *
change_all(struct run *r, const struct conf *new)
{
	const struct conf *old = r->conf;
	const struct setting *bad;
	const char *why;

	if (old->host_net || new->host_net)
		return "net=host holds for a whole life; change its file and "
		    "start it anew";
	wait_change(r);
	why = live_change(r, new);
	if (why)
		return why;
	why = change_ports(r);
	if (!why)
		return NULL;
	why = live_back(r, old, why);
	if (set_ports(r, &bad) < 0)
		warn("%s: the ports that it had:", old->name);
	return why;
}

/* What follows needs some descriptors, and must not die of it. */
static int
has_descriptors(void)
{
	int fd[16], n, i;

	for (n = 0; n < (int)LEN(fd); n++)
		if ((fd[n] = dup(STDERR_FILENO)) < 0)
			break;
	for (i = 0; i < n; i++)
		close(fd[i]);
	return n == LEN(fd);
}

/* The old configuration stays: other rooms have its settings. */
static const char *
change(struct run *r)
{
	struct conf *c;
	size_t i;

	if (!has_descriptors())
		return "its supervisor has too many connections, EMFILE";
	c = xrealloc(NULL, 1, sizeof(*c));
	if (conf_saved_next(c, r->state.dir, ".conf", r->conf) != CONF_WHOLE)
		return c->faults->text;
	for (i = 0; i < c->nset; i++)	/* who asks knows no such file */
		if (keys[c->set[i].id].flags & LINK)
			c->set[i].where = COMMAND_LINE;
	return change_all(r, c);
}

/* Whoever has given up meanwhile has taken his configuration away too. */
static int
still_waits(int fd)
{
	struct pollfd p = { fd, 0, 0 };

	return poll(&p, 1, 0) == 0;
}

/* Where there are no descriptors left the one that is kept for this lets us
 * refuse. */
static int
accept_one(struct run *r)
{
	int fd = accept4(r->net.asks, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0 || (errno != EMFILE && errno != ENFILE))
		return fd;
	shut(&r->net.spare);
	fd = accept4(r->net.asks, NULL, NULL, SOCK_CLOEXEC);
	shut(&fd);
	r->net.spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return -1;
}

void
change_serve(struct run *r)
{
	int fd = accept_one(r);
	const char *why;

	if (fd < 0)
		return;
	if (pass_trusted(fd) && still_waits(fd)) {
		why = change(r);
		record_write(fd, 0, why != NULL, why ? why : "");
	}
	close(fd);
}

/* ---- the life of the socket ---- */

/* Before the run-time folder is covered for the supervisor, mount.c. */
void
change_host(struct run *r)
{
	r->net.asks = pass_listen(r->conf->name, name, SOCK_SEQPACKET);
}

void
change_attach(struct run *r)
{
	if (r->net.asks >= 0)
		r->net.spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (r->net.asks >= 0 && serve_watch(r, r->net.asks, SERVE_CHANGE, 0,
	    EPOLLIN, 0) < 0)
		die("watching the network (epoll):");
}

void
change_undo(struct run *r)
{
	if (r->net.asks >= 0)
		unlinkat(r->state.dir, name, 0);
	shut(&r->net.asks);
}

/* ---- the command ---- */

const char *
net_change(struct run *r)
{
	const char *container = r->conf->name, *why = NULL;
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct pollfd p = { .events = POLLIN };
	struct record rec;

	put_state_path(a.sun_path, sizeof(a.sun_path), container, name);
	p.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (p.fd < 0 || connect(p.fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		why = errno == ENOENT ? complain("%s: its supervisor is of "
		    "another version of crun; its network changes when %s "
		    "is started anew", container, container) :
		    complain("%s: asking its supervisor at %s: %s",
		    container, a.sun_path, strerror(errno));
	else if (poll(&p, 1, PATIENCE_MS) <= 0)
		why = complain("%s: its supervisor does not answer; crun kill "
		    "%s ends it", container, container);
	else if (!record_read(p.fd, &rec))
		why = complain("%s: its supervisor has refused", container);
	else if (rec.status)
		why = complain("%s", rec.text);
	shut(&p.fd);
	return why;
}
