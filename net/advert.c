/* Router advertisements, RFC 4861: the guest that asks hears of its router, its
 * prefix, the MTU and name servers; and all guests so often that they do not
 * forget.
 *
 * The router is the bridge, by its link-local address, where one of its
 * addresses is a gateway of the interface.  Another router on the link
 * advertises itself.  A guest is to make itself an address of the prefix only
 * where the one that it makes of its hardware address is the one that it has
 * anyway: else it keeps what is set.
 */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "net/advert.h"
#include "net/link.h"
#include "net/net.h"
#include "net/netlink.h"
#include "net/packet.h"
#include "net/serve.h"

enum { EACH_S = 400, LIFETIME_S = 3 * EACH_S + 600 };
enum { HOP_LIMIT = 255 };		/* shows that no router was between */
enum { RDNSS = 25 };			/* RFC 8106 */

struct advert {
	struct ethhdr eth;
	struct ip6_hdr ip;
	struct nd_router_advert ra;
	uint8_t options[512];
} __attribute__((packed));

/* IPv6, ICMPv6 without other headers, a router solicitation, and not our
 * own. */
static const struct sock_filter solicitations[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_PKTTYPE),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 7, 0),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 5),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 20),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 3),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 54),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_ROUTER_SOLICIT, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, 256),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

/* ---- the router ---- */

static int
same_six(const struct ip *a, const struct ip *b)
{
	return a->family == AF_INET6 && b->family == AF_INET6 &&
	    !memcmp(a->addr, b->addr, 16);
}

static int
is_gateway(const struct run *r, int link, const struct ip *ip)
{
	const struct peer *p = &r->net.peer[link];
	int i;

	for (i = 0; i < p->gateways; i++)
		if (same_six(&p->gateway[i], ip))
			return 1;
	for (each_of(r->conf, s, KEY_GATEWAY, link))
		if (same_six(&s->u.route.via, ip))
			return 1;
	return 0;
}

/* Whether the bridge is one; its link-local and hardware address. */
static int
find_router(struct run *r, int link)
{
	struct peer *p = &r->net.peer[link];
	int fd = nl_open(), n, i, is = 0;
	struct facts f = { 0 };
	struct ip *all;

	p->router.family = 0;
	n = link_addresses(fd, p->parent, &all);
	if (link_get(fd, NULL, p->parent, &f) < 0)
		n = 0;
	for (i = 0; i < n; i++) {
		is |= is_gateway(r, link, &all[i]);
		if (ip_is_link_local(&all[i]) && !p->router.family)
			p->router = all[i];
	}
	memcpy(p->router_mac, f.mac, 6);
	free(all);
	close(fd);
	return is && p->router.family;
}

/* ---- options ---- */

static uint8_t *
add_option(uint8_t *o, uint8_t type, const void *body, size_t size)
{
	o[0] = type;
	o[1] = (2 + size + 7) / 8;	/* in units of 8 bytes */
	memcpy(o + 2, body, size);
	return o + (size_t)o[1] * 8;
}

/* The subnet of an address of the guest's. */
static uint8_t *
add_prefix(uint8_t *o, const struct ip *ip, const uint8_t *mac)
{
	struct nd_opt_prefix_info p = { .nd_opt_pi_prefix_len = ip->prefix,
	    .nd_opt_pi_flags_reserved = ND_OPT_PI_FLAG_ONLINK,
	    .nd_opt_pi_valid_time = UINT32_MAX,
	    .nd_opt_pi_preferred_time = UINT32_MAX };
	uint8_t own[8];
	int i;

	ip_end_of_mac(own, mac);
	if (ip->prefix == 64 && !memcmp(ip->addr + 8, own, sizeof(own)))
		p.nd_opt_pi_flags_reserved |= ND_OPT_PI_FLAG_AUTO;
	for (i = 0; i < ip->prefix; i += 8)
		p.nd_opt_pi_prefix.s6_addr[i / 8] = ip->addr[i / 8] &
		    (ip->prefix - i < 8 ? 0xff << (8 - ip->prefix + i) : 0xff);
	return add_option(o, ND_OPT_PREFIX_INFORMATION,
	    (const uint8_t *)&p + 2, sizeof(p) - 2);
}

static uint8_t *
add_servers(uint8_t *o, const struct run *r)
{
	uint8_t body[6 + 4 * 16] = { 0, 0, 0xff, 0xff, 0xff, 0xff };
	char text[sizeof(r->net.resolv)], *word, *rest = text;
	size_t n = 6;

	for (each(r->conf, s, KEY_DNS))
		if (s->u.ip.family == AF_INET6 && n < sizeof(body)) {
			memcpy(body + n, s->u.ip.addr, 16);
			n += 16;
		}
	memcpy(text, r->net.resolv, sizeof(text));
	while ((word = next_part(&rest, " \n")))
		if (n < sizeof(body) && inet_pton(AF_INET6, word, body + n) == 1)
			n += 16;
	return n > 6 ? add_option(o, RDNSS, body, n) : o;
}

static uint8_t *
add_options(uint8_t *o, const struct run *r, int link)
{
	enum { MOST = 4 };		/* prefixes */
	const struct peer *p = &r->net.peer[link];
	const uint8_t *mac = r->conf->link[link].mac;
	uint8_t mtu[6] = { 0, 0, 0, 0, p->mtu >> 8, p->mtu };
	int n = 0;

	o = add_option(o, ND_OPT_SOURCE_LINKADDR, p->router_mac, 6);
	o = add_option(o, ND_OPT_MTU, mtu, sizeof(mtu));
	if (p->address6.family)
		o = add_prefix(o, &p->address6, mac);
	for (each_of(r->conf, s, KEY_IP, link))
		if (s->u.ip.family == AF_INET6 && n++ < MOST)
			o = add_prefix(o, &s->u.ip, mac);
	return add_servers(o, r);
}

/* ---- the message ---- */

/* Over the addresses, the length and the protocol too, RFC 8200, section
 * 8.1. */
static uint16_t
check(const struct advert *a, size_t size)
{
	uint32_t sum = packet_sum(IPPROTO_ICMPV6 + size, &a->ip.ip6_src, 32);

	return packet_check(packet_sum(sum, &a->ra, size));
}

static void
send_advert(const struct run *r, int link)
{
	static const uint8_t all[] = { 0x33, 0x33, 0, 0, 0, 1 };
	const struct peer *p = &r->net.peer[link];
	struct advert a = { .eth.h_proto = htons(ETH_P_IPV6),
	    .ip.ip6_nxt = IPPROTO_ICMPV6,
	    .ip.ip6_hlim = HOP_LIMIT, .ra.nd_ra_type = ND_ROUTER_ADVERT,
	    .ra.nd_ra_router_lifetime = htons(LIFETIME_S) };
	uint8_t *end = add_options(a.options, r, link);
	size_t size = end - (uint8_t *)&a.ra;

	memcpy(a.eth.h_source, p->router_mac, 6);
	memcpy(a.eth.h_dest, all, sizeof(all));
	a.ip.ip6_vfc = 6 << 4;		/* the version */
	a.ip.ip6_plen = htons(size);
	memcpy(&a.ip.ip6_src, p->router.addr, 16);
	a.ip.ip6_dst = (struct in6_addr){ { { 0xff, 2, [15] = 1 } } };
	a.ra.nd_ra_curhoplimit = 64;
	a.ra.nd_ra_cksum = check(&a, size);
	/* a guest that takes nothing loses it, and hears the next */
	send(p->solicited, &a, end - (uint8_t *)&a, MSG_DONTWAIT);
}

void
advert_asked(struct run *r, int link)
{
	enum { MOST = 8 };		/* a guest that floods us waits */
	char asked[256];
	int i;

	for (i = 0; i < MOST; i++)
		if (recv(r->net.peer[link].solicited, asked, sizeof(asked),
		    0) <= 0)
			break;
	if (i)
		send_advert(r, link);
}

void
advert_due(struct run *r, int link)
{
	uint64_t times;

	if (read(r->net.peer[link].due, &times, sizeof(times)) > 0)
		send_advert(r, link);
}

/* ---- the life ---- */

void
advert_attach(struct run *r, int link)
{
	struct peer *p = &r->net.peer[link];
	struct itimerspec each = { { EACH_S, 0 }, { EACH_S, 0 } };

	if (!find_router(r, link))
		return;
	p->solicited = packet_open(if_nametoindex(p->name), solicitations,
	    LEN(solicitations));
	p->due = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (p->solicited < 0 || p->due < 0 ||
	    timerfd_settime(p->due, 0, &each, NULL) < 0)
		die("%sadvertising %s as a router (CONFIG_PACKET); dhcp=no "
		    "does without:", conf_where_of(r->conf, KEY_DHCP, link),
		    r->conf->link[link].parent);
	if (serve_watch(r, p->solicited, SERVE_SOLICITED, link, EPOLLIN, 0) < 0 ||
	    serve_watch(r, p->due, SERVE_ADVERT, link, EPOLLIN, 0) < 0)
		die("watching the network (epoll):");
}

void
advert_undo(struct run *r, int link)
{
	shut(&r->net.peer[link].solicited);
	shut(&r->net.peer[link].due);
}
