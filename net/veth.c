/* A veth pair, veth(4): one end in a bridge of the host, the other the
 * container's.
 *
 * It is made with one message: the host's end under a name made from the
 * container's (15 characters are too few for the name itself) and in the
 * bridge; the other end at once in the container's network namespace, under
 * its final name and address.  The host's end never gets an IPv6 address, nor
 * hears router advertisements.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "net/filter.h"
#include "net/kinds.h"
#include "net/link.h"
#include "net/net.h"
#include "net/netlink.h"
#include "net/table.h"
#include "sup/sup.h"

/* ---- the bridge ---- */

/* For each family that the interface has, the bridge's first address in the
 * subnet of its first ip. */
static void
find_gateways(struct run *r, int link, int fd, const struct setting *g)
{
	struct peer *p = &r->net.peer[link];
	const char *bridge = r->conf->link[link].parent;
	struct ip *all;
	int n = link_addresses(fd, p->parent, &all), done = 0, i;

	if (n < 0)
		die("%sreading the addresses of %s:", g->where, bridge);
	for (each_of(r->conf, s, KEY_IP, link)) {
		if (done & (s->u.ip.family == AF_INET ? 1 : 2))
			continue;
		done |= s->u.ip.family == AF_INET ? 1 : 2;
		for (i = 0; i < n && !ip_in_subnet(&all[i], &s->u.ip); i++)
			;
		if (i == n)
			die("%s%s has no address in the subnet of %s; set "
			    "gateway to an address", g->where, bridge,
			    conf_text(s));
		p->gateway[p->gateways++] = all[i];
	}
	free(all);
}

static void name_taken(const struct run *, int link)
    __attribute__((noreturn));

static void
name_taken(const struct run *r, int link)
{
	die("%sthere is a link %s already; another name is needed",
	    conf_where_of(r->conf, KEY_HOST_LINK, link),
	    r->conf->link[link].host);
}

void
peer_host(struct run *r, int link, int fd)
{
	const struct link *l = &r->conf->link[link];
	struct facts f;

	if (l->host && !link_get(fd, l->host, 0, &f))
		name_taken(r, link);
}

/* Whether the bridge hands its packets to the filters of IP. */
static int
is_filtered(void)
{
	char text[8];

	return read_at(AT_FDCWD, "/proc/sys/net/bridge/bridge-nf-call-iptables",
	    text, sizeof(text)) > 0 && *text == '1';
}

/* What the host forwards for the container passes the filters of others. */
static void
look_at_filters(const struct run *r, int link)
{
	const struct setting *port = conf_next_of(r->conf, KEY_PORT, link,
	    NULL);
	int forwards = port != NULL || is_filtered();

	for (each_of(r->conf, s, KEY_GATEWAY, link))
		forwards |= s->u.route.automatic;
	if (forwards)
		filter_look(port ? port->where : conf_where_of(r->conf,
		    KEY_BRIDGE, link), r->conf->link[link].parent);
}

void
bridge_host(struct run *r, int link, int fd)
{
	const struct link *l = &r->conf->link[link];
	const char *where = conf_where_of(r->conf, KEY_BRIDGE, link);
	const char *bridge = l->parent;
	struct peer *p = &r->net.peer[link];
	struct facts f;

	if (link_get(fd, bridge, 0, &f) < 0 && errno != ENODEV)
		die("%slooking at %s:", where, bridge);
	if (!f.index)
		die("%sthere is no bridge %s; make it: ip link add %s type "
		    "bridge && ip link set %s up", where, bridge, bridge,
		    bridge);
	if (strcmp(f.kind, "bridge"))
		die("%s%s is a link, but no bridge; ip link add NAME type "
		    "bridge makes one", where, bridge);
	if (l->vlan && !f.vlan_filtering)
		die("%sthe bridge %s does not tell VLANs apart; make it: ip "
		    "link set %s type bridge vlan_filtering 1",
		    conf_where_of(r->conf, KEY_VLAN, link), bridge, bridge);
	p->parent = f.index;
	p->mtu = f.mtu;
	p->default_vlan = f.default_pvid;
	peer_host(r, link, fd);
	table_host(r, link);
	look_at_filters(r, link);
	for (each_of(r->conf, s, KEY_GATEWAY, link))
		if (s->u.route.automatic)
			find_gateways(r, link, fd, s);
}

/* ---- the pair ---- */

static void
build_pair(const struct run *r, int link, struct message *m, uint32_t mtu)
{
	const struct link *l = &r->conf->link[link];
	const struct peer *p = &r->net.peer[link];
	struct ifinfomsg *host, *peer;

	host = nl_begin(m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
	    sizeof(*host));
	host->ifi_family = AF_UNSPEC;
	nl_text(m, IFLA_IFNAME, p->name);
	nl_attr(m, IFLA_ADDRESS, p->mac, sizeof(p->mac));
	nl_attr32(m, IFLA_MASTER, p->parent);
	nl_attr32(m, IFLA_MTU, mtu);
	nl_nest(m, IFLA_LINKINFO);
		nl_text(m, IFLA_INFO_KIND, "veth");
		nl_nest(m, IFLA_INFO_DATA);
			nl_nest(m, VETH_INFO_PEER);
				peer = nl_add(m, sizeof(*peer));
				peer->ifi_family = AF_UNSPEC;
				nl_text(m, IFLA_IFNAME, l->name);
				nl_attr(m, IFLA_ADDRESS, l->mac, 6);
				nl_attr32(m, IFLA_MTU, mtu);
				nl_attr32(m, IFLA_NET_NS_PID, r->init.pid);
			nl_unnest(m);
		nl_unnest(m);
	nl_unnest(m);
	nl_end(m);
}

/* The port is of one VLAN, whose packets have no tag there, bridge(8). */
static void
build_vlan(struct message *m, int type, uint32_t port, uint16_t flags,
    uint16_t vlan)
{
	struct bridge_vlan_info info = { flags, vlan };
	struct ifinfomsg *i;

	i = nl_begin(m, type, 0, sizeof(*i));
	i->ifi_family = AF_BRIDGE;
	i->ifi_index = port;
	nl_nest(m, IFLA_AF_SPEC);
		nl_attr(m, IFLA_BRIDGE_VLAN_INFO, &info, sizeof(info));
	nl_unnest(m);
	nl_end(m);
}

static void
set_vlan(const struct run *r, int link, int fd)
{
	const struct peer *p = &r->net.peer[link];
	uint16_t vlan = r->conf->link[link].vlan;
	uint32_t port = if_nametoindex(p->name);
	struct message m;

	nl_clear(&m);
	if (p->default_vlan && p->default_vlan != vlan)
		build_vlan(&m, RTM_DELLINK, port, 0, p->default_vlan);
	build_vlan(&m, RTM_SETLINK, port, BRIDGE_VLAN_INFO_PVID |
	    BRIDGE_VLAN_INFO_UNTAGGED, vlan);
	if (nl_send(fd, &m) < 0)
		die("%sputting %s in VLAN %d (CONFIG_BRIDGE_VLAN_FILTERING):",
		    conf_where_of(r->conf, KEY_VLAN, link), p->name, vlan);
}

/* One that a guest sends to itself by a port of the host is turned round in the
 * bridge then, and would leave by the port that it came from. */
static int
needs_hairpin(const struct run *r, int link)
{
	return conf_next_of(r->conf, KEY_PORT, link, NULL) && is_filtered();
}

/* Flags of the bridge's port, bridge(8). */
int
veth_set_flags(const struct run *r, int link, int fd)
{
	uint32_t port = if_nametoindex(r->net.peer[link].name);
	int isolate = r->conf->link[link].isolate;
	int hairpin = needs_hairpin(r, link);
	uint8_t yes = 1;
	struct message m;
	struct ifinfomsg *i;

	/* the guest may have deleted it */
	if (!port || (!isolate && !hairpin))
		return 0;
	nl_clear(&m);
	i = nl_begin(&m, RTM_SETLINK, 0, sizeof(*i));
	i->ifi_family = AF_BRIDGE;
	i->ifi_index = port;
	nl_nest(&m, IFLA_PROTINFO | NLA_F_NESTED);
		if (isolate)
			nl_attr(&m, IFLA_BRPORT_ISOLATED, &yes, 1);
		if (hairpin)
			nl_attr(&m, IFLA_BRPORT_MODE, &yes, 1);
	nl_unnest(&m);
	nl_end(&m);
	return nl_send(fd, &m);
}

static int
make_pair(struct run *r, int link, int fd, uint32_t mtu)
{
	struct message m;

	nl_clear(&m);
	build_pair(r, link, &m, mtu);
	return nl_send(fd, &m);
}

void
veth_attach(struct run *r, int link, int fd)
{
	const struct link *l = &r->conf->link[link];
	struct peer *p = &r->net.peer[link];
	uint32_t mtu = p->mtu = l->mtu ? l->mtu : p->mtu;
	struct facts f;
	char line[32];
	int err;

	/* A bridge takes the lowest address of its ports: never ours.  And what
	 * is sent to a port's own address stays on the host. */
	memcpy(p->mac, l->mac, sizeof(p->mac));
	p->mac[0] = p->mac[0] == 0xfe ? 0xfa : 0xfe;
	if (l->host)
		put(p->name, sizeof(p->name), "%s", l->host);
	else
		link_name(r->conf, link, p->name);
	put(line, sizeof(line), "link %s\n", p->name);
	state_record(r, line);
	err = make_pair(r, link, fd, mtu);
	if (err < 0 && errno == EEXIST && l->host) {
		p->name[0] = '\0';	/* not ours to remove */
		state_unnote(r, line);
		if (!link_get(fd, l->host, 0, &f))
			name_taken(r, link);
		errno = EEXIST;
	}
	if (err < 0 && errno == EEXIST && !l->host) {
		/* the name is ours by our lock: it is a leftover that the
		 * kernel has not removed yet */
		net_delete(r, p->name);
		err = make_pair(r, link, fd, mtu);
	}
	if (err < 0)
		die("%smaking a veth pair %s on %s as %s%s:",
		    conf_where_of(r->conf, l->key, link), p->name, l->parent,
		    l->name, errno == EEXIST ? ", of which name the container "
		    "has one already" : " (CONFIG_VETH)");
	if (l->vlan)
		set_vlan(r, link, fd);
	if (veth_set_flags(r, link, fd) < 0)
		die("%ssetting flags of the bridge's port %s:",
		    conf_where_of(r->conf, l->isolate ? KEY_ISOLATE : KEY_PORT,
		    link), p->name);
	link_begin(fd, p->name);
	if (l->kind == LINK_BRIDGE) {
		table_attach(r, link);
		spoof_attach(r, link);
	}
	step("net: %s on %s is %s inside", p->name, l->parent, l->name);
}

static void
leave_bridge(const char *link)
{
	struct message m;
	struct ifinfomsg *i;
	int fd = nl_open();

	nl_clear(&m);
	i = nl_begin(&m, RTM_NEWLINK, 0, sizeof(*i));
	i->ifi_family = AF_UNSPEC;
	nl_text(&m, IFLA_IFNAME, link);
	nl_attr32(&m, IFLA_MASTER, 0);
	nl_end(&m);
	if (nl_send(fd, &m) < 0 && errno != ENODEV)
		warn("taking %s off its bridge:", link);
	close(fd);
}

/* The init is dead, so the kernel will remove its network namespace and with
 * it both ends of the pair, some milliseconds from now.  After an OS we have
 * it done at once.  After a program, which may be one of thousands in a loop,
 * that would take longer than all the rest of its life: the bridge lets go of
 * the port, so that no two ports answer to one address, and should the name
 * be needed again before the kernel is done, veth_attach() deletes it. */
void
veth_undo(struct run *r, int link)
{
	char *name = r->net.peer[link].name;

	if (r->conf->link[link].kind == LINK_BRIDGE)
		table_undo(r, link);
	/* A name that was asked for must be free again.  And connections of
	 * the guest that have not ended keep its namespace for minutes. */
	if (*name && r->conf->program && r->init.pidfd < 0 &&
	    !r->conf->link[link].host && !conf_next_of(r->conf, KEY_PORT, link, NULL))
		leave_bridge(name);
	else if (*name)
		net_delete(r, name);
	*name = '\0';
}
