/* Addresses and routes of the container's interfaces, set from inside by the
 * child. */
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/ioctl.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "net/kinds.h"
#include "net/netlink.h"

static void
build_flags_up(struct message *m, uint32_t index)
{
	struct ifinfomsg *i;

	i = nl_begin(m, RTM_NEWLINK, 0, sizeof(*i));
	i->ifi_family = AF_UNSPEC;
	i->ifi_index = index;
	i->ifi_flags = i->ifi_change = IFF_UP;
	nl_end(m);
}

static size_t
ip_size(const struct ip *ip)
{
	return ip->family == AF_INET ? 4 : 16;
}

static void
build_address(struct message *m, const struct ip *ip, uint32_t index)
{
	struct ifaddrmsg *a;
	uint32_t broadcast;

	a = nl_begin(m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*a));
	a->ifa_family = ip->family;
	a->ifa_prefixlen = ip->prefix;
	a->ifa_index = index;
	/* no duplicate address detection: usable at once */
	a->ifa_flags = ip->family == AF_INET6 ? IFA_F_NODAD : 0;
	nl_attr(m, IFA_LOCAL, ip->addr, ip_size(ip));
	nl_attr(m, IFA_ADDRESS, ip->addr, ip_size(ip));
	if (ip->family == AF_INET && ip->prefix < 31) {
		memcpy(&broadcast, ip->addr, 4);
		broadcast |= htonl(0xffffffffu >> ip->prefix);
		nl_attr(m, IFA_BROADCAST, &broadcast, 4);
	}
	nl_end(m);
}

int
address_add(int fd, uint32_t index, const struct ip *ip)
{
	struct message m;

	nl_clear(&m);
	build_address(&m, ip, index);
	return nl_send(fd, &m);
}

static void
build_route(struct message *m, const struct route *r, uint32_t index)
{
	struct rtmsg *t;

	t = nl_begin(m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, sizeof(*t));
	t->rtm_family = r->to.family;
	t->rtm_dst_len = r->to.prefix;
	t->rtm_table = RT_TABLE_MAIN;
	t->rtm_protocol = RTPROT_STATIC;
	t->rtm_scope = r->via.family || r->to.family == AF_INET6 ?
	    RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	t->rtm_type = RTN_UNICAST;
	t->rtm_flags = r->onlink ? RTNH_F_ONLINK : 0;
	if (r->to.prefix)
		nl_attr(m, RTA_DST, r->to.addr, ip_size(&r->to));
	if (r->via.family)
		nl_attr(m, RTA_GATEWAY, r->via.addr, ip_size(&r->via));
	nl_attr32(m, RTA_OIF, index);
	nl_end(m);
}

/* Any socket does for this ioctl, netdevice(7). */
static uint32_t
find_link(int fd, const char *name)
{
	struct ifreq q = { 0 };

	put(q.ifr_name, sizeof(q.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFINDEX, &q) < 0)
		die("finding the container's link %s:", name);
	return q.ifr_ifindex;
}

/* Sends what was built; made[i] is the setting that message i is from. */
static void
send_made(int fd, struct message *m, const struct setting **made,
    const char *link)
{
	const struct setting *s;

	if (!m->count || nl_send(fd, m) == 0)
		return;
	s = made[m->failed ? m->failed - 1 : 0];
	die("%s%s on the container's %s:", s->where, conf_text(s), link);
}

/* What is built for one interface. */
struct batch {
	const char *link;	/* its name, */
	uint32_t index;		/* and number */
	int fd;
	struct message m;
	const struct setting *made[BATCH];	/* what each message is from */
};

/* Room for the next message, which is from s. */
static struct message *
next_message(struct batch *b, const struct setting *s)
{
	if (b->m.count == BATCH)
		send_made(b->fd, &b->m, b->made, b->link);
	b->made[b->m.count] = s;
	return &b->m;
}

/* By the bridge's own addresses, which the supervisor has found. */
static void
add_automatic(struct batch *b, const struct setting *s, const struct peer *p)
{
	int i;

	for (i = 0; i < p->gateways; i++) {
		struct route r = { .via = p->gateway[i],
		    .to.family = p->gateway[i].family };

		build_route(next_message(b, s), &r, b->index);
	}
}

void
address_child(const struct run *r, int link, int fd)
{
	const struct conf *c = r->conf;
	const char *name = c->link[link].name;
	const struct peer *p = &r->net.peer[link];
	const struct setting *by = conf_next_of(c, c->link[link].key, link,
	    NULL);
	struct batch b = { .link = name, .index = find_link(fd, name),
	    .fd = fd };

	nl_clear(&b.m);
	build_flags_up(next_message(&b, by), b.index);
	for (each_of(c, s, KEY_IP, link))
		build_address(next_message(&b, s), &s->u.ip, b.index);
	if (p->address.family && !conf_next_of(c, KEY_IP, link, NULL))
		build_address(next_message(&b, by), &p->address, b.index);
	if (p->address6.family)
		build_address(next_message(&b, by), &p->address6, b.index);
	for (each_of(c, s, KEY_ROUTE, link))
		build_route(next_message(&b, s), &s->u.route, b.index);
	for (each_of(c, s, KEY_GATEWAY, link))
		if (s->u.route.automatic)
			add_automatic(&b, s, p);
		else
			build_route(next_message(&b, s), &s->u.route, b.index);
	if (p->address.family && !conf_next_of(c, KEY_GATEWAY, link, NULL))
		add_automatic(&b, by, p);
	send_made(fd, &b.m, b.made, name);
}

void
loopback_child(int fd)
{
	struct message m;

	nl_clear(&m);
	build_flags_up(&m, 1);		/* lo is always the first */
	if (nl_send(fd, &m) < 0)
		die("setting lo up:");
}
