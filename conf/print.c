/* Printing a configuration, so that it can be read again, and the table of
 * keys. */
#include <net/if.h>
#include <stdio.h>

#include "conf/conf.h"
#include "lib/lib.h"

const struct setting *
conf_next(const struct conf *c, enum key_id id, const struct setting *s)
{
	const struct setting *end = c->set + c->nset;

	for (s = s ? s + 1 : c->set; s && s < end; s++)
		if (s->id == id && !s->quiet)
			return s;
	return NULL;
}

const char *
conf_where(const struct conf *c, enum key_id id)
{
	const struct setting *s = conf_next(c, id, NULL);

	return s ? s->where : "";
}

const char *
conf_text(const struct setting *s)
{
	static char text[512];

	snprintf(text, sizeof(text), "%s%s%s=%s", s->prefix, keys[s->id].name,
	    s->sub, s->value);
	return text;
}

/* ---- printing ---- */

static void
print_mac(const char *prefix, const struct link *l, FILE *f)
{
	const uint8_t *m = l->mac;

	if (l->own_mac)
		fprintf(f, "%s%smac=%02x:%02x:%02x:%02x:%02x:%02x\n",
		    l->kind ? "" : "#", prefix, m[0], m[1], m[2], m[3], m[4],
		    m[5]);
	else
		fprintf(f, "#%smac=\n", prefix);
}

static void
print_default(const struct conf *c, const struct key *k, FILE *f)
{
	switch (k - keys) {
	case KEY_NAME:
		fprintf(f, "name=%s\n", c->name);
		break;
	case KEY_HOSTNAME:
		/* one that is set is written to /etc/hostname */
		fprintf(f, "#hostname=%s\n", c->hostname);
		break;
	case KEY_MAC:
		print_mac("", &c->link[0], f);
		break;
	case KEY_IFNAME:
		fprintf(f, "%sifname=%s\n", c->link[0].kind ? "" : "#",
		    c->ifname);
		break;
	case KEY_USERNS:
		fprintf(f, "%suserns=%s\n", c->userns == USERNS_MAPS ? "#" : "",
		    k->def);
		break;
	default:
		if (k->def)
			fprintf(f, "%s=%s\n", k->name, k->def);
		else
			fprintf(f, "#%s=\n", k->name);
	}
}

static void
print_setting(const struct setting *s, FILE *f)
{
	fprintf(f, "%s%s%s=%s\n", s->prefix, keys[s->id].name, s->sub,
	    s->value);
}

/* All keys whose order among each other counts, as they were given. */
static void
print_ordered(const struct conf *c, FILE *f)
{
	const struct setting *s;

	for (s = c->set; s < c->set + c->nset; s++)
		if (keys[s->id].flags & ORDER && !s->quiet)
			print_setting(s, f);
}

/* The interfaces after the first, whose keys stand among the others. */
static void
print_links(const struct conf *c, FILE *f)
{
	char prefix[IFNAMSIZ + 1];
	const struct setting *s;
	int i;

	for (i = 1; i < c->nlinks; i++) {
		for (s = c->set; s < c->set + c->nset; s++)
			if (s->link == i && !s->quiet)
				print_setting(s, f);
		put(prefix, sizeof(prefix), "%s.", c->link[i].name);
		if (*c->link[i].name && !conf_next_of(c, KEY_MAC, i, NULL))
			print_mac(prefix, &c->link[i], f);
	}
}

void
conf_print(const struct conf *c, FILE *f)
{
	int i, ordered = 0;

	for (i = 0; i < NKEYS; i++) {
		if (i == KEY_IFNAME)
			print_links(c, f);
		if (!conf_next_of(c, i, 0, NULL)) {
			print_default(c, &keys[i], f);
		} else if (!(keys[i].flags & ORDER)) {
			for (each_of(c, s, i, 0))
				print_setting(s, f);
		} else if (!ordered++) {
			print_ordered(c, f);
		}
	}
}

/* The form that test/doc turns into the README's and the manual's tables:
 * NAME=ARG, the default in brackets, a * where it may stand many times, a +
 * where an interface's name may stand before it. */
void
conf_help(void)
{
	int i;

	for (i = 0; i < NKEYS; i++)
		printf("  %s%s=%s%s%s%s%s%s\n        %s\n", keys[i].name,
		    keys[i].flags & FAMILY ? "NAME" : "", keys[i].arg,
		    keys[i].def ? " [" : "", keys[i].def ? keys[i].def : "",
		    keys[i].def ? "]" : "",
		    keys[i].flags & ADDS ? " *" : "",
		    keys[i].flags & LINK ? " +" : "", keys[i].help);
}
