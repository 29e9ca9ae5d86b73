/* What depends on two keys, and the defaults that depend on others. */
#include <string.h>
#include <sys/socket.h>

#include "conf/conf.h"
#include "conf/read.h"
#include "lib/lib.h"

/* ---- what depends on two keys ---- */

static int
same_subnet(const struct ip *a, const struct ip *b)
{
	int bits = b->prefix, i;

	if (a->family != b->family)
		return 0;
	for (i = 0; i < bits; i++)
		if ((a->addr[i / 8] ^ b->addr[i / 8]) & 0x80 >> i % 8)
			return 0;
	return 1;
}

static int
same_address(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && !memcmp(a->addr, b->addr,
	    a->family == AF_INET ? 4 : 16);
}

static void
check_addresses(struct conf *c)
{
	enum { SMALLEST = 1280 };	/* RFC 8200, section 5 */

	for (each(c, a, KEY_IP)) {
		for (each(c, b, KEY_IP))
			if (b > a && same_address(&a->u.ip, &b->u.ip))
				conf_error(c, b->where, "ip %s is set twice",
				    b->value);
		if (a->u.ip.family == AF_INET6 && c->mtu && c->mtu < SMALLEST)
			conf_error(c, conf_where(c, KEY_MTU),
			    "mtu must be %d at "
			    "least for the IPv6 address %s",
			    SMALLEST, a->value);
	}
}

static void
check_network(struct conf *c)
{
	static const enum key_id needs_bridge[] = { KEY_IP, KEY_GATEWAY,
	    KEY_MAC, KEY_MTU, KEY_IFNAME };
	size_t i;

	if (c->faulty[KEY_BRIDGE] || c->faulty[KEY_IP] ||
	    c->faulty[KEY_GATEWAY])
		return;
	for (i = 0; i < LEN(needs_bridge) && !c->bridge; i++)
		for (each(c, s, needs_bridge[i]))
			conf_error(c, s->where, "%s needs a bridge",
			    keys[s->id].name);
	check_addresses(c);
	for (each(c, g, KEY_GATEWAY)) {
		int in = 0, family = 0;

		for (each(c, s, KEY_IP)) {
			if (same_address(&g->u.ip, &s->u.ip))
				conf_error(c, g->where, "gateway %s is the "
				    "container's own ip", g->value);
			in |= same_subnet(&g->u.ip, &s->u.ip);
			family |= s->u.ip.family == g->u.ip.family;
		}
		if (!in && c->bridge)
			conf_error(c, g->where, family ? "gateway %s is in the "
			    "subnet of no ip" : "gateway %s needs an ip of its "
			    "kind", g->value);
	}
}

static void
check_map(struct conf *c, enum key_id id)
{
	int root = 0;

	for (each(c, a, id)) {
		root |= a->u.map.inside == 0;
		for (each(c, b, id)) {
			const struct idmap *x = &a->u.map, *y = &b->u.map;

			if (b > a && ((x->inside < y->inside + y->count &&
			    y->inside < x->inside + x->count) ||
			    (x->outside < y->outside + y->count &&
			    y->outside < x->outside + x->count)))
				conf_error(c, b->where, "%s %s overlaps %s",
				    keys[id].name, b->value, a->value);
		}
	}
	if (!root)
		conf_error(c, conf_where(c, KEY_UIDMAP), "no %s maps the "
		    "container's root (0)", keys[id].name);
}

static void
check_ids(struct conf *c)
{
	const struct setting *u = conf_next(c, KEY_UIDMAP, NULL);
	const struct setting *g = conf_next(c, KEY_GIDMAP, NULL);
	const struct setting *s = conf_next(c, KEY_USERNS, NULL);

	if ((!u && !g) || c->faulty[KEY_UIDMAP] || c->faulty[KEY_GIDMAP])
		return;
	if (!u || !g)
		conf_error(c, (u ? u : g)->where,
		    "uidmap and gidmap go together: "
		    "%s is missing",
		    u ? "gidmap" : "uidmap");
	else if (s)
		conf_error(c, s->where,
		    "userns cannot be set beside uidmap and "
		    "gidmap");
	else {
		check_map(c, KEY_UIDMAP);
		check_map(c, KEY_GIDMAP);
	}
}

void
conf_check(struct conf *c)
{
	if (!c->rootfs && !c->faulty[KEY_ROOTFS])
		conf_error(c, strcmp(c->file, "-") ? c->file : "standard input",
		    ": rootfs is not set: the folder to boot");
	if (c->init && c->program)
		conf_error(c, conf_where(c, KEY_INIT),
		    "init cannot be set beside "
		    "-- PROGRAM");
	check_network(c);
	check_ids(c);
}
