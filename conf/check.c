/* What depends on two keys.  See links.c for those of the network. */
#include <string.h>

#include "conf/conf.h"
#include "conf/read.h"
#include "lib/lib.h"

/* ---- what depends on two keys ---- */

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
	conf_links_check(c);
	check_ids(c);
}
