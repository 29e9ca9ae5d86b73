/* The container's table of nf_tables, crun-NAME: what leaves from the address
 * of net=nat gets that of the host, and what comes to a port of the host goes
 * to the container.
 *
 * It belongs to the supervisor's socket, so that the kernel removes it with
 * the supervisor, whatever ends that.  Before Linux 5.12 there is no such
 * thing: then it is deleted at the end, or by crun clean.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "net/link.h"
#include "net/net.h"
#include "net/netlink.h"
#include "net/nft.h"
#include "net/table.h"
#include "sup/sup.h"
#include "config.h"

enum { DSTNAT = -100, SRCNAT = 100 };	/* priorities, nft(8) */

static const char forward4[] = "/proc/sys/net/ipv4/ip_forward";
static const char forward6[] = "/proc/sys/net/ipv6/conf/all/forwarding";

static int
is_needed(const struct run *r, int link)
{
	return r->conf->link[link].kind == LINK_NAT ||
	    conf_next_of(r->conf, KEY_PORT, link, NULL);
}

void
table_name(char buf[TABLE_NAME], const struct run *r, int link)
{
	put(buf, TABLE_NAME, link ? "crun-%s/%s" : "crun-%s", r->conf->name,
	    r->conf->link[link].name);
}

const struct ip *
table_address(const struct run *r, int link)
{
	for (each_of(r->conf, s, KEY_IP, link))
		if (s->u.ip.family == AF_INET)
			return &s->u.ip;
	return &r->net.peer[link].address;
}

/* ---- the host ---- */

static int
is_one(const char *file)
{
	char text[8];

	return read_at(AT_FDCWD, file, text, sizeof(text)) > 0 && *text == '1';
}

static void
take_advertised(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *t = NLMSG_DATA(h);
	const struct rtattr *a = RTM_RTA(t);
	int left = RTM_PAYLOAD(h), *kept = arg;
	char link[IFNAMSIZ], file[96];
	uint32_t index;

	if (t->rtm_protocol != RTPROT_RA)
		return;
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type != RTA_OIF || RTA_PAYLOAD(a) != sizeof(index))
			continue;
		memcpy(&index, RTA_DATA(a), sizeof(index));
		if (!if_indextoname(index, link))
			continue;
		put(file, sizeof(file), "/proc/sys/net/ipv6/conf/%s/accept_ra",
		    link);
		*kept |= is_one(file) && !write_at(AT_FDCWD, file, "2");
	}
}

/* A host that forwards takes no more router advertisements, and drops the
 * routes that it has from them, unless accept_ra of their link is 2,
 * ip-sysctl.rst.  Gives whether there are such. */
static int
keep_routes(void)
{
	int fd = nl_open(), kept = 0;
	struct message m;
	struct rtmsg *t;

	nl_clear(&m);
	t = nl_begin(&m, RTM_GETROUTE, NLM_F_DUMP, sizeof(*t));
	t->rtm_family = AF_INET6;
	nl_end(&m);
	nl_ask(fd, &m, take_advertised, &kept);
	close(fd);
	return kept;
}

/* The uplink must forward too, and uplinks come and go: for all.  It stays on,
 * since others may have come to rely on it. */
static int
forward(const char *where, const char *file, const char *name)
{
	int kept = 0, fd;

	if (is_one(file))
		return 0;
	fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0)		/* before anything is changed */
		return -1;
	close(fd);
	if (file == forward6)
		kept = keep_routes();
	if (write_at(AT_FDCWD, file, "1") < 0)
		return -1;
	warn("%s%s is 1 from now on, and stays%s", where, name, kept ?
	    ", as does accept_ra of 2, without which the host would lose its "
	    "routes" : "");
	return 0;
}

static void cannot_forward(const char *where, const char *file)
    __attribute__((noreturn));

static void
cannot_forward(const char *where, const char *file)
{
	die("%sNAT needs %s to be 1%s; writing it%s:", where, file,
	    errno == ENOENT ? ", which this kernel does not have" : "",
	    sysctl_hint());
}

void
table_host(struct run *r, int link)
{
	const char *where = conf_where_of(r->conf, r->conf->link[link].key,
	    link);

	if (is_needed(r, link) &&
	    forward(where, forward4, "net.ipv4.ip_forward") < 0)
		cannot_forward(where, forward4);
}

void
table_host6(struct run *r, int link)
{
	const char *where = conf_where_of(r->conf, KEY_NAT6, link);

	if (forward(where, forward6, "net.ipv6.conf.all.forwarding") < 0)
		cannot_forward(where, forward6);
}

/* ---- rules ---- */

static void
build_masquerade(struct message *m, const struct nft_table *t,
    const struct ip *ip)
{
	nft_rule(m, t, "out");
		/* of IPv6 all that the guest may make of the prefix */
		nft_from(m, ip, ip->family == AF_INET ? 32 : 64);
		nft_not_out_by(m, NAT_BRIDGE);
		nft_masquerade(m);
	nft_rule_end(m);
}

/* What the container sends to others; and what others of its subnet send to it
 * by a port of the host: it would answer them directly, not by the host. */
static void
build_out(struct message *m, const struct run *r, int link,
    const struct nft_table *t)
{
	const struct ip *ip = table_address(r, link);
	const struct ip *ip6 = &r->net.peer[link].address6;

	nft_chain(m, t, "out", "nat", NF_INET_POST_ROUTING, SRCNAT);
	if (r->conf->link[link].kind == LINK_NAT)
		build_masquerade(m, t, ip);
	if (ip6->family)
		build_masquerade(m, t, ip6);
	if (!conf_next_of(r->conf, KEY_PORT, link, NULL))
		return;
	nft_rule(m, t, "out");
		nft_from(m, ip, ip->prefix);
		nft_to(m, ip, 32);
		nft_was_sent(m);
		nft_masquerade(m);
	nft_rule_end(m);
}

/* From outside and from other containers; from the host itself, whose loopback
 * addresses cannot be sent elsewhere. */
static void
build_port(struct message *m, const struct nft_table *t, const char *chain,
    int local, const struct port *p, const struct ip *to, uint32_t n)
{
	uint32_t count = p->first == p->inside ? p->count : 1;

	nft_rule(m, t, chain);
		if (p->at.family)
			nft_to(m, &p->at, 32);
		else if (local)
			nft_not_to_loopback(m);
		nft_to_host(m);
		nft_to_ports(m, p->udp, p->first + n, count);
		nft_send_to(m, to, p->first == p->inside ? 0 :
		    p->inside + n);
	nft_rule_end(m);
}

/* A port that has another number inside needs a rule of its own.  What comes to
 * an address of IPv6 is passed on by forward.c. */
static int
add_ports(const struct run *r, int link, int fd, const struct nft_table *t,
    const struct port *p)
{
	uint32_t n, rules = p->first == p->inside ? 1 : p->count;
	const struct ip *to = table_address(r, link);
	struct message m;

	if (p->at.family == AF_INET6)
		return 0;
	for (n = 0; n < rules; n++) {
		nft_begin(&m);
		build_port(&m, t, "in", 0, p, to, n);
		build_port(&m, t, "local", 1, p, to, n);
		if (nft_commit(fd, &m) < 0)
			return -1;
	}
	return 0;
}

static int
make_table(const struct run *r, int link, int fd, const struct nft_table *t,
    int owned)
{
	struct message m;

	nft_begin(&m);
	nft_table_make(&m, t, owned);
	build_out(&m, r, link, t);
	if (conf_next_of(r->conf, KEY_PORT, link, NULL)) {
		nft_chain(&m, t, "in", "nat", NF_INET_PRE_ROUTING, DSTNAT);
		nft_chain(&m, t, "local", "nat", NF_INET_LOCAL_OUT, DSTNAT);
	}
	return nft_commit(fd, &m);
}

/* ---- the table ---- */

int
table_open(struct run *r, int link, char name[TABLE_NAME])
{
	struct peer *p = &r->net.peer[link];
	char line[TABLE_NAME + 8];

	table_name(name, r, link);
	if (p->has_table)
		return 0;
	put(line, sizeof(line), "nft %s\n", name);
	if (state_note(r, line) < 0)
		return -1;
	p->nft = nft_open();
	p->has_table = p->nft >= 0;
	return p->nft < 0 ? -1 : 0;
}

/* The table, with all its ports; *bad is one that could not be forwarded.  -1
 * and errno. */
static int
fill_table(struct run *r, int link, char *name, const struct setting **bad)
{
	struct nft_table t = { NFPROTO_INET, name };
	int fd, err;

	if (table_open(r, link, name) < 0)
		return -1;
	fd = r->net.peer[link].nft;
	err = make_table(r, link, fd, &t, 1);
	if (err < 0 && errno == EOPNOTSUPP)
		err = make_table(r, link, fd, &t, 0);
	for (each_of(r->conf, s, KEY_PORT, link))
		if (!err && (err = add_ports(r, link, fd, &t, &s->u.port)) < 0)
			*bad = s;
	return err;
}

void
table_attach(struct run *r, int link)
{
	const char *where = conf_where_of(r->conf, r->conf->link[link].key,
	    link);
	const struct setting *bad = NULL;
	char name[TABLE_NAME];

	if (!is_needed(r, link))
		return;
	if (!fill_table(r, link, name, &bad)) {
		step("net: NAT by nf_tables, table %s", name);
		return;
	}
	if (bad)
		die("%sforwarding %s by nf_tables:", bad->where, bad->value);
	die("%sthe table %s of nf_tables (CONFIG_NF_TABLES, _INET, "
	    "NFT_NAT, NFT_MASQ, NFT_FIB_INET):", where, name);
}

/* On a bridge, without ports. */
static int
drop_table(struct run *r, int link)
{
	char name[TABLE_NAME];
	struct message m;

	table_name(name, r, link);
	nft_begin(&m);
	nft_table_delete(&m, &(struct nft_table){ NFPROTO_INET, name });
	return nft_commit(r->net.peer[link].nft, &m) < 0 && errno != ENOENT ?
	    -1 : 0;
}

int
table_change(struct run *r, int link, const struct setting **bad)
{
	char name[TABLE_NAME];

	if (!is_needed(r, link))	/* any more */
		return r->net.peer[link].has_table ? drop_table(r, link) : 0;
	if (forward("", forward4, "net.ipv4.ip_forward") < 0)
		return -1;
	return fill_table(r, link, name, bad);
}

const char *
table_delete(struct run *r, const char *table)
{
	static const uint8_t families[] = { NFPROTO_INET, NFPROTO_BRIDGE };
	struct message m;
	int fd = nft_open();
	size_t i;

	(void)r;
	for (i = 0; i < LEN(families); i++) {
		nft_begin(&m);
		nft_table_delete(&m,
		    &(struct nft_table){ families[i], table });
		if (nft_commit(fd, &m) < 0 && errno != ENOENT &&
		    errno != EOPNOTSUPP)
			warn("removing the table %s of nf_tables:", table);
	}
	shut(&fd);
	return NULL;
}

void
table_undo(struct run *r, int link)
{
	struct peer *p = &r->net.peer[link];
	char table[TABLE_NAME];

	shut(&p->nft);
	if (!p->has_table)
		return;
	table_name(table, r, link);
	table_delete(r, table);
	p->has_table = 0;
}
