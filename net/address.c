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

static void
build_route(struct message *m, const struct ip *gateway, uint32_t index)
{
	struct rtmsg *t;

	t = nl_begin(m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, sizeof(*t));
	t->rtm_family = gateway->family;
	t->rtm_table = RT_TABLE_MAIN;
	t->rtm_protocol = RTPROT_STATIC;
	t->rtm_scope = RT_SCOPE_UNIVERSE;
	t->rtm_type = RTN_UNICAST;
	nl_attr(m, RTA_GATEWAY, gateway->addr, ip_size(gateway));
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

void
address_child(const struct conf *c, int link, int fd)
{
	static const enum key_id ids[] = { KEY_IP, KEY_GATEWAY };
	const char *name = c->link[link].name;
	const struct setting *made[BATCH];
	uint32_t index = find_link(fd, name);
	struct message buf, *m = &buf;
	size_t i;

	nl_clear(m);
	made[0] = conf_next_of(c, c->link[link].key, link, NULL);
	build_flags_up(m, index);
	for (i = 0; i < LEN(ids); i++)
		for (each_of(c, s, ids[i], link)) {
			if (m->count == BATCH)
				send_made(fd, m, made, name);
			made[m->count] = s;
			if (s->id == KEY_IP)
				build_address(m, &s->u.ip, index);
			else
				build_route(m, &s->u.ip, index);
		}
	send_made(fd, m, made, name);
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
