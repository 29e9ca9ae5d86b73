/* Interfaces that come and go while the container runs.
 *
 * One that is another in the new configuration than in the old is removed and
 * made anew.  What cannot be made leaves things as they were: what was made so
 * far is removed, and what was removed is made again. */
#include <dirent.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "net/change.h"
#include "net/kinds.h"
#include "net/net.h"
#include "net/table.h"

/* ---- which ---- */

static int
same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* The values of a key, in their order. */
static int
same_values(const struct conf *a, const struct conf *b, enum key_id id,
    int link)
{
	const struct setting *s = NULL, *t = NULL;

	do {
		s = conf_next_of(a, id, link, s);
		t = conf_next_of(b, id, link, t);
	} while (s && t && !strcmp(s->value, t->value));
	return !s && !t;
}

/* But for its ports. */
static int
is_same(const struct conf *a, const struct conf *b, int link)
{
	static const enum key_id lists[] = { KEY_IP, KEY_ROUTE, KEY_GATEWAY,
	    KEY_DHCP, KEY_SPOOF };
	const struct link *l = &a->link[link], *m = &b->link[link];
	size_t i;

	if (!l->kind && !m->kind)
		return 1;
	for (i = 0; i < LEN(lists); i++)
		if (!same_values(a, b, lists[i], link))
			return 0;
	return l->kind == m->kind && same_text(l->parent, m->parent) &&
	    same_text(l->name, m->name) && same_text(l->host, m->host) &&
	    l->mode == m->mode && l->vlan == m->vlan && l->mtu == m->mtu &&
	    l->own_mac == m->own_mac && !memcmp(l->mac, m->mac, 6) &&
	    l->isolate == m->isolate && l->nat6 == m->nat6;
}

/* ---- descriptors ---- */

struct files {
	int *fd;
	size_t n;
};

static struct files
open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct files f = { 0 };
	struct dirent *e;
	int fd;

	while (d && (e = readdir(d))) {
		fd = strtol(e->d_name, NULL, 10);
		if (fd == dirfd(d))
			continue;
		f.fd = xrealloc(f.fd, f.n + 1, sizeof(*f.fd));
		f.fd[f.n++] = fd;
	}
	if (d)
		closedir(d);
	return f;
}

static int
has_file(const struct files *f, int fd)
{
	size_t i;

	for (i = 0; i < f->n && f->fd[i] != fd; i++)
		;
	return i < f->n;
}

/* Who has died in the middle has closed nothing. */
static void
close_since(const struct files *before)
{
	struct files now = open_files();
	size_t i;

	for (i = 0; i < now.n; i++)
		if (!has_file(before, now.fd[i]))
			close(now.fd[i]);
	free(now.fd);
}

/* ---- making and removing ---- */

static jmp_buf refused;		/* of die() in net_add() */
static char reason[2048];

static void
refuse(int status, const char *line)
{
	(void)status;
	snprintf(reason, sizeof(reason), "%s", line);
	longjmp(refused, 1);
}

/* NULL, or why it has died. */
static const char *
attempt(struct run *r, void (*what)(struct run *, int), int link)
{
	void (*const dies)(int, const char *) = on_die;
	int failed = setjmp(refused);

	on_die = refuse;
	if (!failed)
		what(r, link);
	on_die = dies;
	return failed ? reason : NULL;
}

/* NULL, or why not; nothing is then left of it. */
static const char *
add(struct run *r, int link)
{
	struct files before = open_files();
	const char *why = attempt(r, net_add, link);

	if (why) {
		net_take(r, link);
		close_since(&before);
	}
	free(before.fd);
	return why;
}

/* Each that is held to the container's addresses is held to those of all
 * others too. */
static const char *
hold(struct run *r)
{
	const struct link *l = r->conf->link;
	const char *why = NULL;
	int i;

	for (i = 0; i < LINKS && !why; i++)
		if (l[i].kind == LINK_BRIDGE || l[i].kind == LINK_NAT)
			why = attempt(r, spoof_attach, i);
	return why;
}

/* NULL, or which is there still. */
static const char *
take(struct run *r, uint32_t which)
{
	const char *why = NULL;
	int i;

	for (i = LINKS - 1; i >= 0; i--)
		if (which & 1u << i && r->conf->link[i].kind &&
		    net_take(r, i) < 0)
			why = complain("%s cannot be removed; the supervisor "
			    "has said why", r->conf->link[i].name);
	return why;
}

/* Those that were removed, as they were.  NULL, or which is lost. */
static const char *
add_again(struct run *r, uint32_t which)
{
	const char *name, *why, *lost = NULL;
	int i;

	for (i = 0; i < LINKS; i++) {
		name = r->conf->link[i].name;
		if (!(which & 1u << i) || !r->conf->link[i].kind)
			continue;
		why = add(r, i);
		if (!why)
			continue;
		warn("%s: %s is lost until the next start: %s", r->conf->name,
		    name, why);
		lost = name;
	}
	why = hold(r);
	if (why)
		warn("%s: %s", r->conf->name, why);
	return lost;
}

static uint32_t
differing(const struct conf *a, const struct conf *b)
{
	uint32_t which = 0;
	int i;

	for (i = 0; i < LINKS; i++)
		which |= (uint32_t)!is_same(a, b, i) << i;
	return which;
}

const char *
live_back(struct run *r, const struct conf *old, const char *why)
{
	uint32_t which = differing(r->conf, old);
	const char *lost;

	why = xprintf("%s", why);	/* others are made meanwhile */
	take(r, which);
	r->conf = old;
	lost = which ? add_again(r, which) : NULL;
	return lost ? xprintf("%s; and %s is lost until the next start", why,
	    lost) : why;
}

const char *
live_change(struct run *r, const struct conf *new)
{
	const struct conf *old = r->conf;
	uint32_t which = differing(old, new);
	const char *why;
	int i;

	if (which && guest_open(r) < 0)
		return "the container's network namespace cannot be entered";
	why = take(r, which);
	r->conf = new;
	for (i = 0; i < LINKS && !why; i++)
		if (which & 1u << i && new->link[i].kind)
			why = add(r, i);
	if (!why && which)
		why = hold(r);
	return why ? live_back(r, old, why) : NULL;
}
