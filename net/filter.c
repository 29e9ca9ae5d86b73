/* Other programs' filters of what is forwarded, which net=nat must pass: an
 * accept in a table of our own does not help against a drop in another's.  Of a
 * bridge that is not crun's they are told, and left alone.
 *
 * Such are a base chain at the hook forward whose policy is drop, as docker's
 * and ufw's, and firewalld's table, which ends in a reject.  Each gets two
 * plain rules before its others, that its own tools show like any other: in by
 * the bridge, and out by it.  They have a comment, by which they are found
 * again.  A chain in which a rule names the bridge already is left alone.
 *
 * Tables of xtables (iptables-legacy) are only looked at: a rule of them
 * cannot be added without writing all of them anew.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lib.h"
#include "net/filter.h"
#include "net/legacy.h"
#include "net/netlink.h"
#include "net/nft.h"
#include "config.h"

static const char comment[] = NAT_BRIDGE " of crun";

struct chains {
	struct nft_place *all;
	size_t n;
};

/* ---- finding ---- */

/* A string of nf_tables, as it is. */
static const char *
text_of(const struct rtattr *a)
{
	return RTA_DATA(a);
}

static uint32_t
number_of(const struct rtattr *a)
{
	uint32_t n = 0;

	memcpy(&n, RTA_DATA(a), sizeof(n));
	return ntohl(n);
}

static int
is_forward(const struct rtattr *hook)
{
	const struct rtattr *a = RTA_DATA(hook);
	int left = RTA_PAYLOAD(hook);

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) == NFTA_HOOK_HOOKNUM)
			return number_of(a) == NF_INET_FORWARD;
	return 0;
}

static void
take_chain(const struct nlmsghdr *h, void *arg)
{
	struct chains *c = arg;
	const struct nfgenmsg *g = NLMSG_DATA(h);
	const struct rtattr *a = (const struct rtattr *)(g + 1);
	int left = NLMSG_PAYLOAD(h, sizeof(*g)), forward = 0, drop = 0;
	struct nft_place p = { .family = g->nfgen_family };

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		switch (a->rta_type & NLA_TYPE_MASK) {
		case NFTA_CHAIN_TABLE:
			snprintf(p.table, sizeof(p.table), "%s", text_of(a));
			break;
		case NFTA_CHAIN_NAME:
			snprintf(p.chain, sizeof(p.chain), "%s", text_of(a));
			break;
		case NFTA_CHAIN_HOOK:
			forward = is_forward(a);
			break;
		case NFTA_CHAIN_POLICY:
			drop = number_of(a) == NF_DROP;
			break;
		}
	if (!forward || (p.family != NFPROTO_IPV4 && p.family != NFPROTO_INET &&
	    p.family != NFPROTO_IPV6))
		return;
	p.drops = drop || !strcmp(p.table, "firewalld");
	c->all = xrealloc(c->all, c->n + 1, sizeof(p));
	c->all[c->n++] = p;
}

static struct chains
find_chains(int fd)
{
	struct chains c = { 0 };
	struct message m;

	nl_clear(&m);
	nft_dump_chains(&m);
	if (nl_ask(fd, &m, take_chain, &c) < 0)
		c.n = 0;
	return c;
}

struct rules {
	const char *bridge;
	int named;		/* whether one names it */
	uint64_t ours[64];	/* handles, as they are */
	int n;
};

static int
holds(const struct rtattr *a, const void *what, size_t size)
{
	return memmem(RTA_DATA(a), RTA_PAYLOAD(a), what, size) != NULL;
}

static void
take_rule(const struct nlmsghdr *h, void *arg)
{
	struct rules *r = arg;
	const struct nfgenmsg *g = NLMSG_DATA(h);
	const struct rtattr *a = (const struct rtattr *)(g + 1);
	int left = NLMSG_PAYLOAD(h, sizeof(*g)), ours = 0;
	uint64_t handle = 0;

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		switch (a->rta_type & NLA_TYPE_MASK) {
		case NFTA_RULE_HANDLE:
			memcpy(&handle, RTA_DATA(a), sizeof(handle));
			break;
		case NFTA_RULE_EXPRESSIONS:
			r->named |= holds(a, r->bridge,
			    strlen(r->bridge) + 1);
			break;
		case NFTA_RULE_USERDATA:
			ours = holds(a, comment, sizeof(comment));
			break;
		}
	if (ours && r->n < (int)LEN(r->ours))
		r->ours[r->n++] = handle;
}

static struct rules
find_rules(int fd, const struct nft_place *p, const char *bridge)
{
	struct rules r = { .bridge = bridge };
	struct message m;

	nl_clear(&m);
	nft_dump_rules(&m, p);
	nl_ask(fd, &m, take_rule, &r);
	return r;
}

/* ---- opening and closing ---- */

static int
add_rules(int fd, const struct nft_place *p)
{
	struct message m;

	nft_begin(&m);
	nft_accept_link(&m, p, NAT_BRIDGE, 0, comment);
	nft_accept_link(&m, p, NAT_BRIDGE, 1, comment);
	return nft_commit(fd, &m);
}

static void
tell_closed(const char *where, const struct nft_place *p, const char *bridge,
    const char *why)
{
	if (!strcmp(p->table, "firewalld"))
		warn("%sfirewalld stops what %s sends; firewall-cmd "
		    "--zone=trusted --add-interface=%s lets it through%s",
		    where, bridge, bridge, why);
	else
		warn("%sthe chain %s of the table %s stops what %s sends; nft "
		    "insert rule %s %s %s iifname %s accept, and likewise "
		    "oifname, let it through%s", where, p->chain, p->table,
		    bridge, p->family == NFPROTO_INET ? "inet" : p->family ==
		    NFPROTO_IPV6 ? "ip6" : "ip", p->table, p->chain, bridge,
		    why);
}

static void
tell_legacy(const char *where, const char *bridge)
{
	if (legacy_drops(bridge))
		warn("%siptables-legacy stops what %s sends; iptables-legacy "
		    "-I FORWARD -i %s -j ACCEPT, and likewise -o, let it "
		    "through", where, bridge, bridge);
}

void
filter_look(const char *where, const char *bridge)
{
	int fd = nft_open();
	struct chains c = find_chains(fd);
	size_t i;

	for (i = 0; i < c.n; i++)
		if (c.all[i].drops && c.all[i].family != NFPROTO_IPV6 &&
		    !find_rules(fd, &c.all[i], bridge).named)
			tell_closed(where, &c.all[i], bridge, "");
	free(c.all);
	shut(&fd);
	tell_legacy(where, bridge);
}

void
filter_open(const char *where, int six)
{
	int fd = nft_open();
	struct chains c = find_chains(fd);
	size_t i;

	for (i = 0; i < c.n; i++) {
		if (c.all[i].family == NFPROTO_IPV6 && !six)
			continue;
		if (!c.all[i].drops || find_rules(fd, &c.all[i],
		    NAT_BRIDGE).named)
			continue;
		if (add_rules(fd, &c.all[i]) < 0)
			tell_closed(where, &c.all[i], NAT_BRIDGE,
			    complain(": %s", strerror(errno)));
		else
			step("net: " NAT_BRIDGE " is let through %s of %s",
			    c.all[i].chain, c.all[i].table);
	}
	free(c.all);
	shut(&fd);
	tell_legacy(where, NAT_BRIDGE);
}

void
filter_close(void)
{
	int fd = nft_open(), j;
	struct chains c = find_chains(fd);
	struct message m;
	struct rules r;
	size_t i;

	for (i = 0; i < c.n; i++) {
		r = find_rules(fd, &c.all[i], NAT_BRIDGE);
		nft_begin(&m);
		for (j = 0; j < r.n; j++)
			nft_delete_rule(&m, &c.all[i], r.ours[j]);
		if (r.n && nft_commit(fd, &m) < 0 && errno != ENOENT)
			warn("removing the rules of crun from %s of %s:",
			    c.all[i].chain, c.all[i].table);
	}
	free(c.all);
	shut(&fd);
}
