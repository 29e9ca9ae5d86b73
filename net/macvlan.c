/* Links on top of a link of the host: macvlan, ipvlan and VLANs.
 *
 * Each is made by one message in the container's network namespace.  A
 * macvlan or ipvlan of a VLAN is on top of a link of the host for that VLAN,
 * LINK.ID, which containers share.  At the end the link is deleted, and not
 * left to the namespace's: until that is gone, the next life could not have
 * its hardware address, or its VLAN.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "net/kinds.h"
#include "net/link.h"
#include "net/net.h"
#include "net/netlink.h"
#include "net/shared.h"

/* ---- the link below ---- */

void
parent_host(struct run *r, int link, int fd)
{
	const struct link *l = &r->conf->link[link];
	const char *where = conf_where_of(r->conf, l->key, link);
	struct peer *p = &r->net.peer[link];
	struct facts f;

	if (link_get(fd, l->parent, 0, &f) < 0)
		die("%sthe host's link %s:", where, l->parent);
	if (l->kind == LINK_MACVLAN && link_is_wireless(l->parent))
		die("%s%s is a Wi-Fi adapter, whose access point takes no "
		    "second hardware address; ipvlan=%s has none", where,
		    l->parent, l->parent);
	if (!(f.flags & IFF_UP))
		die("%s%s is down; ip link set %s up", where, l->parent,
		    l->parent);
	p->parent = f.index;
	p->mtu = f.mtu;
}

/* ---- a VLAN ---- */

static void
build_vlan(struct message *m, uint32_t parent, uint16_t vlan)
{
	nl_attr32(m, IFLA_LINK, parent);
	nl_nest(m, IFLA_LINKINFO);
		nl_text(m, IFLA_INFO_KIND, "vlan");
		nl_nest(m, IFLA_INFO_DATA);
			nl_attr16(m, IFLA_VLAN_ID, vlan);
		nl_unnest(m);
	nl_unnest(m);
}

struct vlan {
	const char *where, *parent;
	uint32_t index;		/* of the parent */
	uint16_t number;
};

static void
make_vlan(int fd, const char *name, void *arg)
{
	const struct vlan *v = arg;
	struct message m;
	struct ifinfomsg *i;

	nl_clear(&m);
	i = nl_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*i));
	i->ifi_family = AF_UNSPEC;
	nl_text(&m, IFLA_IFNAME, name);
	build_vlan(&m, v->index, v->number);
	nl_end(&m);
	if (nl_send(fd, &m) < 0)
		die("%smaking %s for VLAN %d of %s%s (CONFIG_VLAN_8021Q):",
		    v->where, name, v->number, v->parent, errno == EEXIST ?
		    "; it is a link of another name already, or of another "
		    "network namespace" : "");
	link_begin(fd, name);
}

/* The link of the host for that VLAN is the parent from here on. */
static void
take_vlan(struct run *r, int link, int fd)
{
	const struct link *l = &r->conf->link[link];
	struct peer *p = &r->net.peer[link];
	struct vlan v = { conf_where_of(r->conf, KEY_VLAN, link), l->parent,
	    p->parent, l->vlan };
	struct facts f;

	if (snprintf(p->name, sizeof(p->name), "%s.%d", l->parent,
	    v.number) >= (int)sizeof(p->name))
		put(p->name, sizeof(p->name), "vlan%u.%d", p->parent,
		    v.number);
	shared_take(r, &p->lock, fd, p->name, make_vlan, &v);
	if (link_get(fd, p->name, 0, &f) < 0)
		die("%sfinding %s:", v.where, p->name);
	if (strcmp(f.kind, "vlan") || f.vlan != v.number ||
	    f.lower != p->parent)
		die("%sthere is a link %s, but it is not VLAN %d of %s",
		    v.where, p->name, v.number, l->parent);
	p->parent = f.index;
}

/* ---- macvlan, ipvlan ---- */

static void
build_kind(struct message *m, const struct link *l, uint32_t parent)
{
	int macvlan = l->kind == LINK_MACVLAN;

	nl_attr32(m, IFLA_LINK, parent);
	nl_nest(m, IFLA_LINKINFO);
		nl_text(m, IFLA_INFO_KIND, macvlan ? "macvlan" : "ipvlan");
		nl_nest(m, IFLA_INFO_DATA);
			if (macvlan)
				nl_attr32(m, IFLA_MACVLAN_MODE, l->mode);
			else
				nl_attr16(m, IFLA_IPVLAN_MODE, l->mode);
		nl_unnest(m);
	nl_unnest(m);
}

static const char *
why_not(const struct link *l, int err)
{
	if (err == EEXIST)
		return "; that VLAN is a link already, perhaps of another "
		    "container";
	if (err == EBUSY)
		return "; it is a port of a bridge or a bond, or has macvlans "
		    "where an ipvlan is asked for, or the reverse";
	if (err == EINVAL && l->kind == LINK_MACVLAN)
		return "; with mode passthru a link has one macvlan";
	return "";
}

void
upper_attach(struct run *r, int link, int fd)
{
	const struct link *l = &r->conf->link[link];
	struct peer *p = &r->net.peer[link];
	char name[IFNAMSIZ];
	struct message m;
	struct ifinfomsg *i;

	/* the kernel looks for a link of that name on the host first */
	link_name(r->conf, link, name);
	if (l->vlan && l->kind != LINK_PHYS)
		take_vlan(r, link, fd);
	nl_clear(&m);
	i = nl_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*i));
	i->ifi_family = AF_UNSPEC;
	nl_text(&m, IFLA_IFNAME, name);
	if (l->own_mac)
		nl_attr(&m, IFLA_ADDRESS, l->mac, sizeof(l->mac));
	if (l->mtu)
		nl_attr32(&m, IFLA_MTU, l->mtu);
	nl_attr32(&m, IFLA_NET_NS_PID, r->init.pid);
	if (l->kind == LINK_PHYS)
		build_vlan(&m, p->parent, l->vlan);
	else
		build_kind(&m, l, p->parent);
	nl_end(&m);
	if (nl_send(fd, &m) < 0)
		die("%smaking %s on %s%s:", conf_where_of(r->conf, l->key,
		    link), l->name, l->parent, why_not(l, errno));
	guest_find(r, link, name);
	guest_rename(r, link);
	step("net: %s on %s is %s inside", keys[l->key].name, l->parent,
	    l->name);
}

void
upper_undo(struct run *r, int link)
{
	struct peer *p = &r->net.peer[link];

	guest_delete(r, link);
	shared_leave(r, &p->lock, p->name);
}
