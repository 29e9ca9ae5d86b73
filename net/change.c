/* What crun set changes of the network while the container runs: its ports.
 *
 * The sockets and the table of nf_tables are the supervisor's.  So crun set
 * writes the new configuration beside the old one, connects to the socket
 * NAME/set, and waits for a record: its status is 0, or its text says why
 * nothing was changed.  Then crun set puts the configuration in its place. */
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

/* All interfaces by r->conf; on failure *s is a port of the one that could
 * not.  -1 and errno. */
static int
set_ports(struct run *r, const struct setting **s)
{
	const struct conf *c = r->conf;
	int i, fd = nl_open(), err = 0;

	for (i = 0; i < c->nlinks && !err; i++) {
		*s = conf_next_of(c, KEY_PORT, i, NULL);
		if (can_have_ports(&c->link[i]))
			err = veth_set_flags(r, i, fd) < 0 ||
			    table_change(r, i) < 0 ? errno : 0;
	}
	close(fd);
	errno = err;
	return err ? -1 : 0;
}

/* NULL, or why nothing was changed. */
static const char *
change_ports(struct run *r, const struct conf *new)
{
	const struct conf *old = r->conf;
	const char *why = forward_prepare(r, new);
	const struct setting *s;

	if (why)
		return why;
	r->conf = new;
	if (set_ports(r, &s) < 0) {
		why = complain("%sforwarding %s by nf_tables: %s",
		    s ? s->where : "", s ? s->value : "no ports",
		    strerror(errno));
		r->conf = old;
		if (set_ports(r, &s) < 0)
			warn("%s: the ports that it had:", old->name);
	}
	forward_settle(r, !why);
	return why;
}

/* The old configuration stays: other rooms have its settings. */
static const char *
change(struct run *r)
{
	struct conf *c = xrealloc(NULL, 1, sizeof(*c));
	size_t i;

	*c = (struct conf){ .program = r->conf->program };
	if (conf_saved_new(c, r->state.dir, r->conf->name) != CONF_WHOLE)
		return c->faults->text;
	for (i = 0; i < c->nset; i++)	/* who asks knows no such file */
		c->set[i].where = COMMAND_LINE;
	return change_ports(r, c);
}

void
change_serve(struct run *r)
{
	int fd = accept4(r->net.asks, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	const char *why;

	if (fd < 0)
		return;
	if (pass_trusted(fd)) {
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
	const struct conf *c = r->conf;
	int i;

	for (i = 0; i < c->nlinks && !can_have_ports(&c->link[i]); i++)
		;
	if (i < c->nlinks)
		r->net.asks = pass_listen(c->name, name, SOCK_SEQPACKET);
}

void
change_attach(struct run *r)
{
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
		why = complain("%s: asking its supervisor at %s: %s",
		    container, a.sun_path, strerror(errno));
	else if (poll(&p, 1, PATIENCE_MS) <= 0)
		why = complain("%s: its supervisor does not answer; crun kill "
		    "%s ends it", container, container);
	else if (!record_read(p.fd, &rec))
		why = complain("%s: its supervisor has ended", container);
	else if (rec.status)
		why = complain("%s", rec.text);
	shut(&p.fd);
	return why;
}
