/* The network: the container's interfaces, and what leads to them.  All of it
 * by netlink(7) and sockets, with no other program.
 *
 * Each interface of the configuration is of a kind, which has a row in the
 * table below: what it needs on the host is found before the clone, the link
 * is made when the container's network namespace is there, and what of it is
 * left on the host is removed at the end.  The child, in that namespace, sets
 * addresses and routes.
 *
 *	net/veth.c	a veth pair, whose other end is in a bridge
 *	net/nat.c	the same, in a bridge of crun's own, behind the host
 *	net/table.c	NAT and forwards, by nf_tables
 *	net/spoof.c	a guest is held to its addresses, likewise
 *	net/range.c	its range of addresses
 *	net/resolv.c	the host's name servers
 *	net/hosts.c	names of containers
 *	net/nft.c	messages of nf_tables
 *	net/filter.c	others' filters of what is forwarded
 *	net/legacy.c	those of iptables-legacy
 *	net/serve.c	what is done while it runs
 *	net/dhcp.c	DHCP for the guest
 *	net/advert.c	router advertisements, likewise
 *	net/packet.c	sockets of both
 *	net/change.c	what crun set changes: ports, and interfaces, live.c
 *	net/forward.c	ports of the host, by localhost: tcp.c, udp.c
 *	net/taken.c	who has a port
 *	net/macvlan.c	macvlan, ipvlan, VLANs
 *	net/phys.c	a link of the host
 *	net/address.c	addresses and routes
 *	net/link.c	what the kernel knows of a link
 *	net/shared.c	links of the host that containers share
 *	net/guest.c	the container's network namespace, from outside
 *	net/netlink.c	messages of rtnetlink(7)
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "net/change.h"
#include "net/forward.h"
#include "net/kinds.h"
#include "net/link.h"
#include "net/net.h"
#include "net/netlink.h"
#include "net/resolv.h"
#include "net/serve.h"
#include "net/table.h"
#include "sup/sup.h"
#include "config.h"

static const struct {
	void (*host)(struct run *, int link, int fd);
	void (*attach)(struct run *, int link, int fd);
	void (*undo)(struct run *, int link);
} kinds[] = {
	[LINK_BRIDGE] = { bridge_host, veth_attach, veth_undo },
	[LINK_NAT] = { nat_host, nat_attach, nat_undo },
	[LINK_MACVLAN] = { parent_host, upper_attach, upper_undo },
	[LINK_IPVLAN] = { parent_host, upper_attach, upper_undo },
	[LINK_PHYS] = { phys_host, phys_attach, phys_undo },
};

static void
join_host(struct run *r)
{
	warn("%sthe container has the host's network, and reaches all that "
	    "listens on its loopback and abstract sockets",
	    conf_where(r->conf, KEY_NET));
	if (!conf_next(r->conf, KEY_DNS, NULL) && !r->net.resolved)
		resolv_host(r);
}

void
net_host(struct run *r)
{
	const struct link *l = r->conf->link;
	int i, fd = -1;

	if (r->conf->host_net)
		join_host(r);
	for (i = 0; i < LINKS; i++)
		r->net.peer[i] = (struct peer)PEER_NONE;
	for (i = 0; i < r->conf->nlinks; i++) {
		if (!l[i].kind)
			continue;
		if (fd < 0)
			fd = nl_open();
		kinds[l[i].kind].host(r, i, fd);
	}
	shut(&fd);
}

void
net_attach(struct run *r)
{
	const struct link *l = r->conf->link;
	int i, fd = -1;

	for (i = 0; i < r->conf->nlinks; i++) {
		if (!l[i].kind)
			continue;
		if (fd < 0)
			fd = nl_open();
		kinds[l[i].kind].attach(r, i, fd);
		serve_attach(r, i);
	}
	shut(&fd);
	forward_attach(r);
	change_attach(r);
}

void
net_undo(struct run *r)
{
	const struct link *l = r->conf->link;
	int i;

	forward_undo(r);
	for (i = r->conf->nlinks - 1; i >= 0; i--)
		if (l[i].kind) {
			serve_undo(r, i);
			kinds[l[i].kind].undo(r, i);
		}
	shut(&r->net.guest);
	shut(&r->net.events);
	shut(&r->net.spare);
	i = r->net.asks;		/* stays over a reboot */
	r->net = (struct net)NET_NONE;
	r->net.asks = i;
}

/* ---- while it runs ---- */

void
net_add(struct run *r, int link)
{
	enum kind kind = r->conf->link[link].kind;
	int fd = nl_open();

	kinds[kind].host(r, link, fd);
	kinds[kind].attach(r, link, fd);
	serve_attach(r, link);
	address_child(r, link, r->net.guest);
	close(fd);
}

/* Others read there which addresses the container has. */
static void
forget_addresses(struct run *r, int link)
{
	char line[IFNAMSIZ + 8];

	put(line, sizeof(line), link ? "%s.ip " : "ip ",
	    r->conf->link[link].name);
	while (state_unnote(r, line))
		;
}

/* A link that is shared stands there once for each that uses it. */
static void
forget(struct run *r, int link, const struct peer *p)
{
	const char *name = p->name;
	char line[TABLE_NAME + 8], table[TABLE_NAME];

	put(line, sizeof(line), "link %s\n", name);
	state_unnote(r, line);
	put(line, sizeof(line), "shared %s\n",
	    r->conf->link[link].kind == LINK_NAT ? NAT_BRIDGE : name);
	if (p->lock >= 0)
		state_unnote(r, line);
	put(line, sizeof(line), "phys %s ", p->was.name);
	state_unnote(r, line);
	table_name(table, r, link);
	put(line, sizeof(line), "nft %s\n", table);
	state_unnote(r, line);
}

/* What a VLAN of the host's link is, others may have too. */
static int
is_there(const struct run *r, int link, const struct peer *p)
{
	enum kind kind = r->conf->link[link].kind;
	int fd = nl_open(), there = 0;
	struct facts f;

	if (*p->name && (kind == LINK_BRIDGE || kind == LINK_NAT))
		there = link_get(fd, p->name, 0, &f) == 0;
	if (p->inside)
		there |= link_get(r->net.guest, NULL, p->inside, &f) == 0;
	close(fd);
	return there;
}

int
net_take(struct run *r, int link)
{
	const struct peer was = r->net.peer[link];
	int there;

	serve_undo(r, link);
	forget_addresses(r, link);
	kinds[r->conf->link[link].kind].undo(r, link);
	there = is_there(r, link, &was);
	if (there) {		/* the next who tries finds it by these */
		memcpy(r->net.peer[link].name, was.name, sizeof(was.name));
		r->net.peer[link].inside = was.inside;
		return -1;
	}
	forget(r, link, &was);
	r->net.peer[link] = (struct peer)PEER_NONE;
	return 0;
}

/* ---- what a killed supervisor has left ---- */

const char *
net_delete(struct run *r, const char *link)
{
	(void)r;
	if (link_delete(link) < 0)
		warn("removing the link %s:", link);
	return NULL;
}

void
net_child(struct run *r)
{
	const struct conf *c = r->conf;
	int i, fd;

	if (c->host_net)
		return;
	fd = nl_open();
	loopback_child(fd);
	for (i = 0; i < c->nlinks; i++)
		if (c->link[i].kind)
			address_child(r, i, fd);
	close(fd);
}
