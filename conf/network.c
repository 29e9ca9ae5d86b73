/* Setters of the network's keys.  See keys.c, and links.c for what must hold
 * between them. */
#include <ctype.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "crun.h"
#include "conf/conf.h"
#include "conf/values.h"
#include "lib/lib.h"
#include "config.h"

/* ---- links ---- */

const char *
ifname_error(const char *name)
{
	static const char *const taken[] = { "", ".", "..", "lo", "all",
	    "default" };
	int bad = strlen(name) >= IFNAMSIZ || !has_only(name, "_.-");
	size_t i;

	for (i = 0; i < LEN(taken); i++)
		bad |= !strcmp(name, taken[i]);
	return bad ? complain("is no interface's name: at most %d letters, "
	    "digits, _ . -, and not lo, all or default", IFNAMSIZ - 1) : NULL;
}

const char *
set_ifname(struct conf *c, struct setting *s)
{
	c->ifname = s->value;
	return ifname_error(s->value);
}

static const char *
set_kind(struct link *l, enum kind kind, enum key_id key, const char *parent)
{
	if (l->kind)
		return complain("%s is set already, and an interface has one "
		    "kind", keys[l->key].name);
	l->kind = kind;
	l->key = key;
	l->parent = parent;
	return NULL;
}

const char *
set_net(struct conf *c, struct setting *s)
{
	static const struct {
		const char *name;
		enum network net;
	} names[] = {
		{ "none", NETWORK_NONE }, { "bridge", NETWORK_BRIDGE },
		{ "nat", NETWORK_NAT }, { "host", NETWORK_HOST },
		{ "host:root", NETWORK_HOST_ROOT },
	};
	struct link *l = &c->link[s->link];
	size_t i;

	for (i = 0; i < LEN(names); i++)
		if (!strcmp(s->value, names[i].name))
			l->net = names[i].net;
	if (!l->net)
		return "must be none, nat, bridge, host or host:root";
	if (l->net >= NETWORK_HOST && s->link)
		return "is of the whole container: net=host, without IFNAME.";
	c->host_net |= l->net >= NETWORK_HOST;
	return l->net == NETWORK_NAT ? set_kind(l, LINK_NAT, KEY_NET,
	    NAT_BRIDGE) : NULL;
}

/* The first of each key is its default. */
static const struct {
	enum key_id key;
	const char *name;
	uint32_t mode;		/* of linux/if_link.h */
} modes[] = {
	{ KEY_MACVLAN, "bridge", MACVLAN_MODE_BRIDGE },
	{ KEY_MACVLAN, "private", MACVLAN_MODE_PRIVATE },
	{ KEY_MACVLAN, "vepa", MACVLAN_MODE_VEPA },
	{ KEY_MACVLAN, "passthru", MACVLAN_MODE_PASSTHRU },
	{ KEY_IPVLAN, "l2", IPVLAN_MODE_L2 },
	{ KEY_IPVLAN, "l3", IPVLAN_MODE_L3 },
	{ KEY_IPVLAN, "l3s", IPVLAN_MODE_L3S },
};

static const char *
find_mode(struct link *l, const char *name)
{
	size_t i;

	for (i = 0; i < LEN(modes); i++)
		if (modes[i].key == l->key &&
		    (!name || !strcmp(modes[i].name, name))) {
			l->mode = modes[i].mode;
			return NULL;
		}
	if (!name)
		return NULL;		/* it has none */
	return l->key == KEY_MACVLAN ? "the mode must be bridge, private, "
	    "vepa or passthru" : "the mode must be l2, l3 or l3s";
}

static enum kind
kind_of(enum key_id key)
{
	switch (key) {
	case KEY_MACVLAN:
		return LINK_MACVLAN;
	case KEY_IPVLAN:
		return LINK_IPVLAN;
	case KEY_PHYS:
		return LINK_PHYS;
	default:
		return LINK_BRIDGE;
	}
}

const char *
set_parent(struct conf *c, struct setting *s)
{
	struct link *l = &c->link[s->link];
	char *name = xprintf("%s", s->value), *mode = NULL;
	const char *bad;

	if (s->id == KEY_MACVLAN || s->id == KEY_IPVLAN)
		mode = cut_at(name, ':');
	bad = set_kind(l, kind_of(s->id), s->id, name);
	if (!bad)
		bad = ifname_error(name);
	return bad ? bad : find_mode(l, mode);
}

/* ---- addresses ---- */

/* Not the unspecified address, nor one of multicast, loopback, the network
 * itself or its broadcast. */
static int
is_of_host(const struct ip *ip)
{
	const unsigned char *a = ip->addr;
	uint32_t host, v4 = (uint32_t)a[0] << 24 | a[1] << 16 | a[2] << 8 |
	    a[3];
	int i;

	if (ip->family == AF_INET) {
		host = ip->prefix < 31 ? UINT32_MAX >> ip->prefix : 0;
		return a[0] && a[0] != 127 && a[0] < 224 &&
		    (!host || ((v4 & host) && (v4 & host) != host));
	}
	for (i = 0; i < 15 && !a[i]; i++)
		;
	return a[0] != 0xff && (i < 15 || a[15] > 1);
}

/* Whether no bit is set after the prefix. */
static int
is_network(const struct ip *ip)
{
	int i, bits = ip->family == AF_INET ? 32 : 128;

	for (i = ip->prefix; i < bits; i++)
		if (ip->addr[i / 8] & 0x80 >> i % 8)
			return 0;
	return ip->prefix >= 0;
}

const char *
set_ip(struct conf *c, struct setting *s)
{
	(void)c;
	if (parse_ip(s->value, &s->u.ip) < 0)
		return "is no IPv4 or IPv6 address";
	if (s->u.ip.prefix < 0)
		return complain("has no prefix length: write %s/%d", s->value,
		    s->u.ip.family == AF_INET ? 24 : 64);
	return is_of_host(&s->u.ip) ? NULL : "is no address that a host can "
	    "have in that subnet";
}

const char *
set_address(struct conf *c, struct setting *s)
{
	(void)c;
	if (parse_ip(s->value, &s->u.ip) < 0 || s->u.ip.prefix >= 0)
		return "is no IPv4 or IPv6 address without a prefix";
	return NULL;
}

/* Of an IPv6 address, too, what follows the prefix length is behind the next
 * colon. */
const char *
set_route(struct conf *c, struct setting *s)
{
	char *to = xprintf("%s", s->value), *p = strchr(to, '/'), *via = NULL;
	struct route *r = &s->u.route;
	const char *bad = NULL;

	(void)c;
	if (p)
		p += 1 + strspn(p + 1, "0123456789");
	if (p && *p == ':') {
		*p = '\0';
		via = p + 1;
	}
	if (!p || parse_ip(to, &r->to) < 0)
		bad = "must be ADDRESS/PREFIX or ADDRESS/PREFIX:GATEWAY";
	else if (!is_network(&r->to))
		bad = "has bits after the prefix";
	else if (via && (parse_ip(via, &r->via) < 0 || r->via.prefix >= 0))
		bad = "the gateway is no IPv4 or IPv6 address";
	else if (via && r->via.family != r->to.family)
		bad = "the gateway must be of the same family";
	free(to);
	return bad;
}

const char *
set_gateway(struct conf *c, struct setting *s)
{
	static const char onlink[] = ":onlink";
	size_t len = strlen(s->value), end = strlen(onlink);
	struct route *r = &s->u.route;
	char *via;
	int bad;

	(void)c;
	r->automatic = !strcmp(s->value, "auto");
	if (r->automatic)
		return NULL;
	r->onlink = len > end && !strcmp(s->value + len - end, onlink);
	via = xprintf("%.*s", (int)(r->onlink ? len - end : len), s->value);
	bad = parse_ip(via, &r->via) < 0 || r->via.prefix >= 0;
	free(via);
	r->to.family = r->via.family;
	return bad ? "must be an IPv4 or IPv6 address without a prefix, such "
	    "an address and :onlink, or auto" : NULL;
}

/* PORT or PORT-PORT; gives how many, or 0. */
static uint32_t
parse_ports(char *text, uint16_t *first)
{
	char *last = cut_at(text, '-');
	uint64_t a = 0, b = 0;

	if (parse_number(text, 1, 65535, &a) < 0)
		return 0;
	b = a;
	if (last && (parse_number(last, 1, 65535, &b) < 0 || b < a))
		return 0;
	*first = a;
	return b - a + 1;
}

enum { MOST_PORTS = 1024 };

/* ADDRESS, or [ADDRESS] of IPv6.  NULL, or what is wrong with it. */
static const char *
parse_port_address(char *text, struct ip *ip)
{
	size_t len = strlen(text);
	int six = *text == '[' && text[len - 1] == ']';

	if (six) {
		text[len - 1] = '\0';
		text++;
	}
	if (parse_ip(text, ip) < 0 || ip->prefix >= 0 ||
	    (ip->family == AF_INET6) != six)
		return "the address before the ports is one of IPv4, or of "
		    "IPv6 between [ and ]";
	return ip_is_link_local(ip) ? "the address before the ports is of one "
	    "link alone" : NULL;
}

/* From the end: an IPv6 address has colons too. */
static const char *
parse_port(char *text, struct port *p)
{
	char *slash = cut_at(text, '/'), *inside, *outside;
	uint32_t count;

	p->udp = slash && !strcmp(slash, "udp");
	if (slash && !p->udp && strcmp(slash, "tcp"))
		return "what follows / must be tcp or udp";
	inside = strrchr(text, ':');
	if (!inside)
		return "must be PORT:INSIDE, ADDRESS:PORT:INSIDE or "
		    "[ADDRESS]:PORT:INSIDE";
	*inside++ = '\0';
	outside = strrchr(text, ':');
	if (outside)
		*outside++ = '\0';
	count = parse_ports(inside, &p->inside);
	p->count = parse_ports(outside ? outside : text, &p->first);
	if (!count || !p->count)
		return "ports are numbers from 1 to 65535, or FIRST-LAST";
	if (count != p->count)
		return "the two ranges must be of one length";
	if (count > MOST_PORTS)
		return complain("a range has at most %d ports", MOST_PORTS);
	return outside ? parse_port_address(text, &p->at) : NULL;
}

const char *
set_port(struct conf *c, struct setting *s)
{
	char *copy = xprintf("%s", s->value);
	const char *bad = parse_port(copy, &s->u.port);

	(void)c;
	free(copy);
	return bad;
}

const char *
set_host_link(struct conf *c, struct setting *s)
{
	c->link[s->link].host = s->value;
	return ifname_error(s->value);
}

int
conf_mac(const char *text, uint8_t *mac)
{
	const char *p = text;
	int i;

	for (i = 0; i < 6; i++, p += 3) {
		if (!isxdigit((unsigned char)p[0]) ||
		    !isxdigit((unsigned char)p[1]) ||
		    p[2] != (i < 5 ? ':' : '\0'))
			return -1;
		mac[i] = strtoul(p, NULL, 16);
	}
	return 0;
}

const char *
set_mac(struct conf *c, struct setting *s)
{
	static const unsigned char none[6];
	uint8_t *mac = c->link[s->link].mac;

	if (conf_mac(s->value, mac) < 0)
		return "must be six bytes such as 02:00:00:00:00:01";
	if (mac[0] & 1)
		return "is a multicast address: the first byte must be even";
	return memcmp(mac, none, 6) ? NULL : "is no address: not all of it "
	    "may be zero";
}
