/* The range of addresses of crun's own bridge: a subnet of NAT_RANGE that the
 * host has no other route to. */
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "lib/lib.h"
#include "net/link.h"
#include "net/netlink.h"
#include "net/range.h"
#include "config.h"

enum { SUBNETS = 1 << (NAT_PREFIX - NAT_BITS) };

struct taken {
	char subnet[SUBNETS];	/* whether a route overlaps it */
};

static uint32_t
mask(int bits)
{
	return bits ? UINT32_MAX << (32 - bits) : 0;
}

static uint32_t
subnet(int i)
{
	return NAT_RANGE + ((uint32_t)i << (32 - NAT_PREFIX));
}

/* A default route is to everything that has no other, and overlaps nothing. */
static void
take_route(const struct nlmsghdr *h, void *arg)
{
	struct taken *t = arg;
	const struct rtmsg *r = NLMSG_DATA(h);
	const struct rtattr *a = RTM_RTA(r);
	int left = RTM_PAYLOAD(h), bits, i;
	uint32_t to = 0;

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == RTA_DST && RTA_PAYLOAD(a) == 4)
			memcpy(&to, RTA_DATA(a), 4);
	if (r->rtm_family != AF_INET || !r->rtm_dst_len)
		return;
	bits = r->rtm_dst_len < NAT_PREFIX ? r->rtm_dst_len : NAT_PREFIX;
	for (i = 0; i < SUBNETS; i++)
		if (!((ntohl(to) ^ subnet(i)) & mask(bits)))
			t->subnet[i] = 1;
}

void
range_choose(int fd, struct ip *ip)
{
	struct taken taken = { 0 };
	struct message m;
	struct rtmsg *r;
	uint32_t addr;
	int i;

	nl_clear(&m);
	r = nl_begin(&m, RTM_GETROUTE, NLM_F_DUMP, sizeof(*r));
	r->rtm_family = AF_INET;
	nl_end(&m);
	if (nl_ask(fd, &m, take_route, &taken) < 0)
		die("reading the routes of the host:");
	for (i = 0; i < SUBNETS && taken.subnet[i]; i++)
		;
	if (i == SUBNETS)
		die("net=nat: routes of the host overlap all of "
		    NAT_RANGE_TEXT "; another NAT_RANGE in config.h is "
		    "needed");
	*ip = (struct ip){ .family = AF_INET, .prefix = NAT_PREFIX };
	addr = htonl(subnet(i) + 1);
	memcpy(ip->addr, &addr, 4);
}

/* ---- IPv6 ---- */

void
range_six(const struct ip *four, struct ip *six)
{
	uint32_t addr, n;

	memcpy(&addr, four->addr, 4);
	n = (ntohl(addr) - NAT_RANGE) >> (32 - NAT_PREFIX);
	*six = (struct ip){ AF_INET6, 64, NAT_RANGE6 };
	six->addr[6] = n >> 8;
	six->addr[7] = n;
}

struct overlap {
	uint32_t index;
	const struct ip *six;
	int found;
};

static void
take_route6(const struct nlmsghdr *h, void *arg)
{
	struct overlap *o = arg;
	const struct rtmsg *r = NLMSG_DATA(h);
	const struct rtattr *a = RTM_RTA(r);
	int left = RTM_PAYLOAD(h);
	struct ip to = { .family = r->rtm_family }, narrow = *o->six;
	uint32_t by = 0;

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == RTA_DST && RTA_PAYLOAD(a) == 16)
			memcpy(to.addr, RTA_DATA(a), 16);
		if (a->rta_type == RTA_OIF && RTA_PAYLOAD(a) == 4)
			memcpy(&by, RTA_DATA(a), 4);
	}
	if (r->rtm_dst_len < narrow.prefix)
		narrow.prefix = r->rtm_dst_len;
	o->found |= r->rtm_dst_len && by != o->index &&
	    r->rtm_type == RTN_UNICAST && ip_in_subnet(&to, &narrow);
}

int
range_six_taken(int fd, uint32_t index, const struct ip *six)
{
	struct overlap o = { index, six, 0 };
	struct message m;
	struct rtmsg *r;

	nl_clear(&m);
	r = nl_begin(&m, RTM_GETROUTE, NLM_F_DUMP, sizeof(*r));
	r->rtm_family = AF_INET6;
	nl_end(&m);
	return nl_ask(fd, &m, take_route6, &o) < 0 || o.found;
}

/* ---- the bridge's own ---- */

int
range_of(int fd, uint32_t index, struct ip *ip)
{
	struct ip *all;
	uint32_t addr;
	int n = link_addresses(fd, index, &all), i, found = 0;

	if (n < 0)
		die("reading the addresses of " NAT_BRIDGE ":");
	for (i = 0; i < n && !found; i++) {
		memcpy(&addr, all[i].addr, 4);
		found = all[i].family == AF_INET &&
		    all[i].prefix == NAT_PREFIX &&
		    !((ntohl(addr) ^ NAT_RANGE) & mask(NAT_BITS));
		if (found)
			*ip = all[i];
	}
	free(all);
	return found;
}
