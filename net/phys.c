/* A link of the host that the container has for its life.
 *
 * It is moved to the container's network namespace, and back at the end: with
 * that namespace it would go to the first one of the machine, whatever it came
 * from, under the name and with the address that the guest gave it; a link
 * that is no hardware would be deleted.  What the guest can change is written
 * down before: after kill -9 of the supervisor crun clean puts it right.
 *
 * On both ways it has a name for a moment that nobody else has.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "net/kinds.h"
#include "net/link.h"
#include "net/net.h"
#include "net/netlink.h"
#include "sup/sup.h"

/* ---- finding ---- */

enum { BACK_MS = 2000 };

static void
check_free(int fd, const char *where, const struct facts *f)
{
	struct facts master;

	if (link_is_wireless(f->name))
		die("%s%s is a Wi-Fi adapter, which cannot be moved by itself",
		    where, f->name);
	if (!f->master)
		return;
	if (link_get(fd, NULL, f->master, &master) < 0)
		master.name[0] = '\0';
	die("%s%s is a port of %s; ip link set %s nomaster frees it", where,
	    f->name, master.name, f->name);
}

void
phys_host(struct run *r, int link, int fd)
{
	const struct link *l = &r->conf->link[link];
	const char *where = conf_where_of(r->conf, KEY_PHYS, link);
	struct facts f;

	if (l->vlan) {
		parent_host(r, link, fd);
		return;
	}
	if (link_get(fd, l->parent, 0, &f) < 0)
		die("%sthe host's link %s:", where, l->parent);
	check_free(fd, where, &f);
	r->net.peer[link].parent = f.index;
}

/* ---- there ---- */

static void
put_mac(char *buf, size_t size, int has, const uint8_t *m)
{
	if (has)
		put(buf, size, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1],
		    m[2], m[3], m[4], m[5]);
	else
		put(buf, size, "-");
}

/* phys NAME MTU UP MAC PERMANENT [ALTNAME ...] */
static void
record(struct run *r, const struct facts *f)
{
	char line[768], mac[20], perm[20];

	put_mac(mac, sizeof(mac), f->has_mac, f->mac);
	put_mac(perm, sizeof(perm), f->has_perm, f->perm);
	put(line, sizeof(line), "phys %s %u %d %s %s %s\n", f->name,
	    (unsigned)f->mtu, (f->flags & IFF_UP) != 0, mac, perm,
	    f->altnames);
	state_record(r, line);
}

static struct ifinfomsg *
begin(struct message *m, uint32_t index)
{
	struct ifinfomsg *i = nl_begin(m, RTM_NEWLINK, 0, sizeof(*i));

	i->ifi_family = AF_UNSPEC;
	i->ifi_index = index;
	return i;
}

static void
set_inside(struct run *r, int link)
{
	const struct link *l = &r->conf->link[link];
	struct message m;

	if (!l->own_mac && !l->mtu)
		return;
	nl_clear(&m);
	begin(&m, r->net.peer[link].inside);
	if (l->own_mac)
		nl_attr(&m, IFLA_ADDRESS, l->mac, sizeof(l->mac));
	if (l->mtu)
		nl_attr32(&m, IFLA_MTU, l->mtu);
	nl_end(&m);
	if (nl_send(r->net.guest, &m) < 0)
		die("%smac or mtu of %s:", conf_where_of(r->conf, KEY_PHYS,
		    link), l->parent);
}

void
phys_attach(struct run *r, int link, int fd)
{
	const struct link *l = &r->conf->link[link];
	struct peer *p = &r->net.peer[link];
	struct message m;
	struct facts f;

	if (l->vlan) {
		upper_attach(r, link, fd);
		return;
	}
	if (link_get(fd, NULL, p->parent, &f) < 0)
		die("%sthe host's link %s:", conf_where_of(r->conf, KEY_PHYS,
		    link), l->parent);
	guest_open(r);
	record(r, &f);
	p->was = f;
	nl_clear(&m);
	begin(&m, p->parent);
	nl_attr32(&m, IFLA_NET_NS_PID, r->init.pid);
	nl_text(&m, IFLA_IFNAME, l->name);
	nl_end(&m);
	if (nl_send(fd, &m) < 0)
		die("%smoving %s into the container%s:", conf_where_of(r->conf,
		    KEY_PHYS, link), l->parent, errno == EINVAL ?
		    "; a bridge, a bond and the like cannot be moved" : "");
	guest_find(r, link, l->name);
	set_inside(r, link);
	step("net: %s is %s inside", l->parent, l->name);
}

/* ---- and back ---- */

static void
build_altnames(struct message *m, int type, uint32_t index, char *names)
{
	struct ifinfomsg *i;
	char *name;

	while ((name = next_part(&names, " "))) {
		i = nl_begin(m, type, 0, sizeof(*i));
		i->ifi_family = AF_UNSPEC;
		i->ifi_index = index;
		nl_nest(m, IFLA_PROP_LIST | NLA_F_NESTED);
			nl_text(m, IFLA_ALT_IFNAME, name);
		nl_unnest(m);
		nl_end(m);
	}
}

/* Out of the container, under a name that cannot be taken here.  What the
 * guest has called it beside that could be. */
static int
leave_guest(struct run *r, uint32_t index, const char *name)
{
	int fd = r->net.guest;
	struct message m;
	struct ifinfomsg *i;
	struct facts f;

	if (link_get(fd, NULL, index, &f) < 0)
		return -1;
	nl_clear(&m);
	build_altnames(&m, RTM_DELLINKPROP, index, f.altnames);
	i = begin(&m, index);
	i->ifi_change = IFF_UP;		/* only what is down can be renamed */
	nl_end(&m);
	begin(&m, index);
	nl_text(&m, IFLA_IFNAME, name);
	nl_end(&m);
	begin(&m, index);
	nl_attr32(&m, IFLA_NET_NS_PID, getpid());
	nl_end(&m);
	return nl_send(fd, &m);
}

/* As it was.  What cannot be is told, and the rest is done all the same. */
static void
put_right(int fd, uint32_t index, struct facts *was)
{
	struct message m;
	struct ifinfomsg *i;

	nl_clear(&m);
	i = begin(&m, index);
	i->ifi_change = IFF_UP;
	nl_end(&m);
	begin(&m, index);
	nl_attr32(&m, IFLA_MTU, was->mtu);
	if (was->has_mac)
		nl_attr(&m, IFLA_ADDRESS, was->mac, sizeof(was->mac));
	nl_end(&m);
	begin(&m, index);
	nl_text(&m, IFLA_IFNAME, was->name);
	nl_end(&m);
	i = begin(&m, index);
	i->ifi_flags = was->flags & IFF_UP;
	i->ifi_change = IFF_UP;
	nl_end(&m);
	if (nl_send(fd, &m) < 0)
		warn("making %s what it was before the container had it:",
		    was->name);
	nl_clear(&m);
	build_altnames(&m, RTM_NEWLINKPROP, index, was->altnames);
	if (m.count && nl_send(fd, &m) < 0 && errno != EEXIST)
		warn("giving %s its other names again:", was->name);
}

void
phys_undo(struct run *r, int link)
{
	struct peer *p = &r->net.peer[link];
	char name[IFNAMSIZ];
	struct facts f;
	int fd;

	if (r->conf->link[link].vlan) {
		upper_undo(r, link);
		return;
	}
	if (!p->inside)
		return;
	fd = nl_open();
	link_name(r->conf, link, name);
	if (leave_guest(r, p->inside, name) < 0)
		warn("taking %s back from the container:", p->was.name);
	if (!link_get(fd, name, 0, &f)) {
		put_right(fd, f.index, &p->was);
	} else {
		warn("%s has not come back; crun clean looks for it again",
		    p->was.name);
		state_keep(r);
	}
	close(fd);
	p->inside = 0;
}

/* ---- after a killed supervisor ---- */

/* A line of record(), without its first word. */
static int
parse(const char *what, struct facts *f)
{
	enum { NAME, MTU, UP, MAC, PERM, WORDS };
	char text[768], *word[WORDS], *rest = text;
	int i;

	*f = (struct facts){ 0 };
	snprintf(text, sizeof(text), "%s", what);
	for (i = 0; i < WORDS; i++) {
		word[i] = next_part(&rest, " ");
		if (!word[i])
			return -1;
	}
	put(f->name, sizeof(f->name), "%.*s", IFNAMSIZ - 1, word[NAME]);
	f->mtu = strtoul(word[MTU], NULL, 10);
	f->flags = strtoul(word[UP], NULL, 10) ? IFF_UP : 0;
	f->has_mac = !conf_mac(word[MAC], f->mac);
	f->has_perm = !conf_mac(word[PERM], f->perm);
	snprintf(f->altnames, sizeof(f->altnames), "%s", rest ? rest : "");
	return 0;
}

/* The hardware with that permanent address; 0: it is not here. */
static uint32_t
find_hardware(int fd, const uint8_t *perm)
{
	struct facts *all = NULL;
	size_t n = link_all(fd, &all), i;
	uint32_t index = 0;

	for (i = 0; i < n && !index; i++)
		if (all[i].has_perm && !*all[i].kind &&
		    !memcmp(all[i].perm, perm, 6))
			index = all[i].index;
	free(all);
	return index;
}

/* The kernel brings it back when it takes the dead namespace apart, some
 * milliseconds after the last process in it. */
static uint32_t
await_hardware(struct run *r, int fd, const uint8_t *perm)
{
	int watch = nl_watch(RTMGRP_LINK);
	long long end = now_ms() + BACK_MS;
	char buf[8192];
	uint32_t index;

	while (!(index = find_hardware(fd, perm)) && now_ms() < end &&
	    wait_for(r, watch, POLLIN))
		recv(watch, buf, sizeof(buf), 0);
	close(watch);
	return index;
}

const char *
phys_left(struct run *r, const char *what)
{
	struct facts was, f;
	uint32_t index;
	int fd;

	if (parse(what, &was) < 0)
		return NULL;
	fd = nl_open();
	if (was.has_perm)
		index = await_hardware(r, fd, was.perm);
	else
		index = link_get(fd, was.name, 0, &f) < 0 ? 0 : f.index;
	if (index)
		put_right(fd, index, &was);
	else if (!was.has_perm)
		warn("%s was no hardware, and was deleted with the network "
		    "namespace of the container", was.name);
	close(fd);
	return index || !was.has_perm ? NULL : "a link of the host has not "
	    "come back; it may be in the first network namespace";
}
