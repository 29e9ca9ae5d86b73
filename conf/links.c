/* The network interfaces of a configuration.
 *
 * Keys of the network stand once for each interface: those of the first
 * without a prefix, those of any other as IFNAME.key.  Each setting gets the
 * number of its interface, in the order of the file, before it is judged. */
#include <linux/if_link.h>
#include <string.h>
#include <sys/socket.h>

#include "conf/conf.h"
#include "conf/read.h"
#include "conf/values.h"
#include "lib/lib.h"
#include "config.h"

/* ---- which interface ---- */

/* The first interface's name, as it will be: the last that is set counts. */
static const char *
first_name(const struct conf *c)
{
	const char *name = DEF_IFNAME;

	for (each(c, s, KEY_IFNAME))
		name = *s->value ? s->value : DEF_IFNAME;
	return name;
}

static int
is_name(const char *prefix, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(prefix, name, len) && !strcmp(prefix + len, ".");
}

/* Names that there are before are of a configuration that this one follows on:
 * the number of one that it does not have is free for another. */
static void
drop_names(struct conf *c)
{
	const struct setting *s, *end = c->set + c->nset;
	int i;

	for (i = 1; i < c->nlinks; i++) {
		for (s = c->set; s < end; s++)
			if (is_name(s->prefix, c->link[i].name))
				break;
		if (s == end)
			c->link[i].name = "";
	}
}

/* The first number that no interface has; LINKS: there is none. */
static int
free_number(const struct conf *c)
{
	int i = 1;

	while (i < c->nlinks && *c->link[i].name)
		i++;
	return i;
}

/* -1: there are too many, or it is no name. */
static int
link_number(struct conf *c, const struct setting *s)
{
	struct setting name = { .id = KEY_IFNAME };
	const char *bad;
	int i;

	for (i = 1; i < c->nlinks; i++)
		if (is_name(s->prefix, c->link[i].name))
			return i;
	i = free_number(c);
	name.value = xprintf("%.*s", (int)strlen(s->prefix) - 1, s->prefix);
	bad = ifname_error(name.value);
	if (bad)
		conf_error(c, s->where, "%s%s: \"%s\" %s", s->prefix,
		    keys[s->id].name, name.value, bad);
	else if (i == LINKS)
		conf_error(c, s->where, "%s is one interface too many: there "
		    "may be %d", name.value, LINKS);
	if (bad || i == LINKS)
		return -1;
	c->link[i].name = name.value;
	if (i == c->nlinks)
		c->nlinks++;
	return i;
}

void
conf_links(struct conf *c)
{
	const char *first = first_name(c);
	struct setting *s;

	if (!c->nlinks)
		c->nlinks = 1;
	drop_names(c);
	for (s = c->set; s < c->set + c->nset; s++) {
		if (is_name(s->prefix, first))
			s->prefix = "";		/* written out */
		if (!*s->prefix)
			continue;
		s->link = link_number(c, s);
		if (s->link < 0)
			s->quiet = 1;
	}
}

const struct setting *
conf_next_of(const struct conf *c, enum key_id id, int link,
    const struct setting *s)
{
	do
		s = conf_next(c, id, s);
	while (s && s->link != link);
	return s;
}

const char *
conf_where_of(const struct conf *c, enum key_id id, int link)
{
	const struct setting *s = conf_next_of(c, id, link, NULL);

	return s ? s->where : "";
}

/* ---- interfaces that are taken away ---- */

static int
gives_kind(const struct setting *s)
{
	return s->id == KEY_BRIDGE || s->id == KEY_MACVLAN ||
	    s->id == KEY_IPVLAN || s->id == KEY_PHYS ||
	    (s->id == KEY_NET && (!*s->value || !strcmp(s->value, "nat")));
}

/* A word without a value that takes its kind away, if no other gives it one;
 * or NULL. */
static const struct setting *
taken_away(const struct conf *c, int link)
{
	const struct setting *s, *word = NULL;

	for (s = c->set; s < c->set + c->nset; s++) {
		if (s->link != link || !gives_kind(s))
			continue;
		if (!s->quiet)
			return NULL;
		if (!*s->value)
			word = s;
	}
	return word;
}

/* Gives how much the file said of it. */
static int
take_away(struct conf *c, int link)
{
	struct setting *s;
	int n = 0;

	for (s = c->set; s < c->set + c->nset; s++)
		if (s->link == link && s->line && (keys[s->id].flags & LINK ||
		    (!link && s->id == KEY_IFNAME))) {
			s->quiet = 1;
			n++;
		}
	return n;
}

void
conf_links_settle(struct conf *c)
{
	const struct setting *word;
	int i;

	for (i = 0; i < c->nlinks; i++) {
		word = taken_away(c, i);
		if (word && !take_away(c, i) && i)
			conf_error(c, word->where, "%s: there is no interface "
			    "%s", conf_text(word), c->link[i].name);
	}
}

/* ---- what follows from others ---- */

/* From the names of container and interface, so that it is the same at each
 * start.  A container's name has no slash. */
static void
default_mac(const struct conf *c, struct link *l)
{
	char text[NAME_LEN + 32];
	uint64_t h;
	int i;

	put(text, sizeof(text), l == c->link ? "%s" : "%s/%s", c->name,
	    l->name);
	h = hash(text);
	for (i = 0; i < 6; i++)
		l->mac[i] = h >> 8 * i;
	l->mac[0] = (l->mac[0] & ~1) | 2;	/* unicast, made locally */
}

static int
is_passthru(const struct link *l)
{
	return l->kind == LINK_MACVLAN && l->mode == MACVLAN_MODE_PASSTHRU;
}

void
conf_links_derive(struct conf *c)
{
	struct link *l;

	c->link[0].name = c->ifname;
	for (l = c->link; l < c->link + c->nlinks; l++) {
		l->own_mac = conf_next_of(c, KEY_MAC, l - c->link, NULL) ||
		    c->faulty[KEY_MAC];
		if (l->own_mac || !c->name || l->kind == LINK_IPVLAN ||
		    l->kind == LINK_PHYS || is_passthru(l))
			continue;
		default_mac(c, l);
		l->own_mac = 1;
	}
}

/* ---- what must hold ---- */

int
ip_in_subnet(const struct ip *a, const struct ip *b)
{
	int bits = b->prefix, i;

	if (a->family != b->family)
		return 0;
	for (i = 0; i < bits; i++)
		if ((a->addr[i / 8] ^ b->addr[i / 8]) & 0x80 >> i % 8)
			return 0;
	return 1;
}

void
ip_end_of_mac(uint8_t *end, const uint8_t *mac)
{
	memcpy(end, mac, 3);
	end[0] ^= 2;
	end[3] = 0xff;
	end[4] = 0xfe;
	memcpy(end + 5, mac + 3, 3);
}

static int
same_address(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && !memcmp(a->addr, b->addr,
	    a->family == AF_INET ? 4 : 16);
}

static void
check_addresses(struct conf *c, int link)
{
	enum { SMALLEST = 1280 };	/* RFC 8200, section 5 */
	uint64_t mtu = c->link[link].mtu;

	for (each_of(c, a, KEY_IP, link)) {
		for (each_of(c, b, KEY_IP, link))
			if (b > a && same_address(&a->u.ip, &b->u.ip))
				conf_error(c, b->where, "%sip %s is set twice",
				    b->prefix, b->value);
		if (a->u.ip.family == AF_INET6 && mtu && mtu < SMALLEST)
			conf_error(c, conf_where_of(c, KEY_MTU, link),
			    "%smtu must be %d at least for the IPv6 address "
			    "%s", a->prefix, SMALLEST, a->value);
	}
}

/* fe80::/10, which every link has. */
int
ip_is_link_local(const struct ip *ip)
{
	return ip->family == AF_INET6 && ip->addr[0] == 0xfe &&
	    (ip->addr[1] & 0xc0) == 0x80;
}

/* Whether the container can reach it without a gateway. */
static int
is_on_link(const struct conf *c, const struct ip *via, int link)
{
	for (each_of(c, s, KEY_IP, link))
		if (ip_in_subnet(via, &s->u.ip))
			return 1;
	for (each_of(c, s, KEY_ROUTE, link))
		if (!s->u.route.via.family && ip_in_subnet(via, &s->u.route.to))
			return 1;
	return ip_is_link_local(via);
}

/* The gateway of a default route, or of another. */
static void
check_via(struct conf *c, const struct setting *g)
{
	const struct ip *via = &g->u.route.via;
	const char *name = keys[g->id].name;
	int family = 0;

	if (!via->family)
		return;
	for (each_of(c, s, KEY_IP, g->link)) {
		if (same_address(via, &s->u.ip))
			conf_error(c, g->where, "%s%s %s is the container's "
			    "own ip", g->prefix, name, g->value);
		family |= s->u.ip.family == via->family;
	}
	if (is_on_link(c, via, g->link) || (family && g->u.route.onlink))
		return;
	if (!family)
		conf_error(c, g->where, "%s%s %s needs an ip of its kind",
		    g->prefix, name, g->value);
	else
		conf_error(c, g->where, "%s%s %s is in the subnet of no ip; "
		    "if it is on the link all the same, %s", g->prefix, name,
		    g->value, g->id == KEY_GATEWAY ? "add :onlink" :
		    "add a route to it before");
}

static int
has_peer(const struct link *l)
{
	return l->kind == LINK_BRIDGE || l->kind == LINK_NAT;
}

static int
has_ip4(const struct conf *c, int link)
{
	for (each_of(c, s, KEY_IP, link))
		if (s->u.ip.family == AF_INET)
			return 1;
	return 0;
}

static void
check_automatic(struct conf *c, const struct setting *g)
{
	for (each_of(c, other, KEY_GATEWAY, g->link))
		if (other < g && other->u.route.automatic)
			conf_error(c, g->where, "%sgateway=auto is set twice",
			    g->prefix);
	if (!has_peer(&c->link[g->link]))
		conf_error(c, g->where, "%sgateway=auto needs a bridge",
		    g->prefix);
	else if (c->link[g->link].kind == LINK_BRIDGE &&
	    !conf_next_of(c, KEY_IP, g->link, NULL))
		conf_error(c, g->where, "%sgateway=auto needs an ip",
		    g->prefix);
}

static void
check_routes(struct conf *c, int link)
{
	if (!c->link[link].kind)
		return;
	for (each_of(c, r, KEY_ROUTE, link))
		check_via(c, r);
	for (each_of(c, g, KEY_GATEWAY, link))
		if (g->u.route.automatic)
			check_automatic(c, g);
		else
			check_via(c, g);
}

static int
same_ports(const struct port *a, const struct port *b)
{
	return a->udp == b->udp && a->first < b->first + b->count &&
	    b->first < a->first + a->count && (!a->at.family ||
	    !b->at.family || same_address(&a->at, &b->at));
}

/* No two forwards of any interfaces from one port. */
static void
check_ports(struct conf *c)
{
	for (each(c, a, KEY_PORT)) {
		const struct link *l = &c->link[a->link];

		if (!has_peer(l))
			conf_error(c, a->where, "%sport needs net=nat or a "
			    "bridge", a->prefix);
		else if (l->kind == LINK_BRIDGE && !has_ip4(c, a->link))
			conf_error(c, a->where, "%sport needs an IPv4 ip",
			    a->prefix);
		for (each(c, b, KEY_PORT))
			if (b > a && same_ports(&a->u.port, &b->u.port))
				conf_error(c, b->where, "%sport %s is "
				    "forwarded already, by %s", b->prefix,
				    b->value, a->value);
	}
}

/* The keys of an interface that is none, or that its kind cannot have. */
static void
check_kind(struct conf *c, int link)
{
	static const enum key_id all[] = { KEY_VLAN, KEY_IP, KEY_ROUTE,
	    KEY_GATEWAY, KEY_MAC, KEY_MTU, KEY_HOST_LINK };
	const struct link *l = &c->link[link];
	const struct setting *s;
	size_t i;

	for (i = 0; i < LEN(all) && !l->kind; i++)
		for (each_of(c, a, all[i], link))
			conf_error(c, a->where, "%s%s needs a kind of link: "
			    "net=nat, bridge, macvlan, ipvlan or phys", a->prefix,
			    keys[a->id].name);
	s = conf_next_of(c, KEY_NET, link, NULL);
	if (l->net == NETWORK_BRIDGE && l->kind != LINK_BRIDGE)
		conf_error(c, s->where, "%snet=bridge needs %sbridge=LINK",
		    s->prefix, s->prefix);
	if (l->net == NETWORK_NONE && l->kind)
		conf_error(c, s->where, "%snet=none, but %s%s is set",
		    s->prefix, s->prefix, keys[l->key].name);
	if (l->kind && !has_peer(l) && l->host)
		conf_error(c, conf_where_of(c, KEY_HOST_LINK, link),
		    "host.link needs a bridge: a %s has no other end",
		    keys[l->key].name);
	if (!has_peer(l) && l->isolate)
		conf_error(c, conf_where_of(c, KEY_ISOLATE, link),
		    "isolate needs a bridge");
	if (l->dhcp && !has_peer(l))
		conf_error(c, conf_where_of(c, KEY_DHCP, link), "dhcp needs "
		    "net=nat or a bridge");
	else if (l->dhcp && l->kind == LINK_BRIDGE && !has_ip4(c, link))
		conf_error(c, conf_where_of(c, KEY_DHCP, link), "dhcp has no "
		    "IPv4 ip to give");
	s = conf_next_of(c, KEY_SPOOF, link, NULL);
	if (s && !l->spoof && !has_peer(l))
		conf_error(c, s->where, "%sspoof=no needs net=nat or a bridge",
		    s->prefix);
	if (l->kind != LINK_NAT && l->nat6)
		conf_error(c, conf_where_of(c, KEY_NAT6, link),
		    "nat6 needs net=nat");
	if (l->kind == LINK_NAT && l->vlan)
		conf_error(c, conf_where_of(c, KEY_VLAN, link),
		    "vlan cannot be set with net=nat");
	s = conf_next_of(c, KEY_IP, link, NULL);
	if (l->kind == LINK_NAT && s && conf_next_of(c, KEY_IP, link, s))
		conf_error(c, conf_next_of(c, KEY_IP, link, s)->where,
		    "with net=nat there may be one ip");
	s = conf_next_of(c, KEY_MAC, link, NULL);
	if (s && l->kind == LINK_IPVLAN)
		conf_error(c, s->where, "%smac cannot be set with ipvlan, "
		    "which has that of its link", s->prefix);
	if (s && is_passthru(l))
		conf_error(c, s->where, "%smac cannot be set with mode "
		    "passthru, which has that of its link", s->prefix);
}

/* A written-out configuration has all defaults. */
static int
is_default(const struct setting *s)
{
	const char *def = keys[s->id].def;

	return def && !strcmp(s->value, def);
}

/* All that is of the network is the host's then. */
static void
check_host_net(struct conf *c)
{
	const struct setting *net = conf_next(c, KEY_NET, NULL), *s;

	for (s = c->set; s < c->set + c->nset; s++)
		if (s->quiet || s == net || is_default(s))
			continue;
		else if (keys[s->id].flags & LINK || s->id == KEY_IFNAME)
			conf_error(c, s->where, "%s%s cannot be set with "
			    "net=host, which leaves the container no interface "
			    "of its own", s->prefix, keys[s->id].name);
		else if (s->id == KEY_SYSCTL && !strncmp(s->sub, "net", 3))
			conf_error(c, s->where, "sysctl.%s cannot be set with "
			    "net=host: it is the host's", s->sub);
	if (c->userns == USERNS_NONE && c->link[0].net == NETWORK_HOST)
		conf_error(c, net->where, "net=host with userns=none lets root "
		    "of the container change the host's network; if that is "
		    "wanted, net=host:root");
	if (c->userns != USERNS_NONE && c->link[0].net == NETWORK_HOST_ROOT)
		conf_error(c, net->where, "net=host:root is for userns=none "
		    "only; without it, write net=host");
}

void
conf_links_check(struct conf *c)
{
	const struct setting *s = conf_next(c, KEY_IFNAME, NULL);
	int i;

	for (i = KEY_NET; i <= KEY_PORT; i++)
		if (c->faulty[i])
			return;
	if (c->host_net && c->hosts)
		conf_error(c, conf_where(c, KEY_HOSTS), "hosts needs net=nat");
	if (c->host_net) {
		check_host_net(c);
		return;
	}
	if (s && !c->link[0].kind)
		conf_error(c, s->where, "ifname is of no link: "
		    "net=nat, bridge, macvlan, ipvlan or phys");
	for (i = 0; i < c->nlinks; i++) {
		check_kind(c, i);
		check_addresses(c, i);
		check_routes(c, i);
	}
	check_ports(c);
	for (i = 0; i < c->nlinks && c->link[i].kind != LINK_NAT; i++)
		;
	if (c->hosts && i == c->nlinks)
		conf_error(c, conf_where(c, KEY_HOSTS), "hosts needs net=nat");
}
