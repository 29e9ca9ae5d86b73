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
#include <string.h>

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

enum { TABLE = NAME_LEN + IFNAMSIZ + 16 };
enum { DSTNAT = -100, SRCNAT = 100 };	/* priorities, nft(8) */

static int
is_needed(const struct run *r, int link)
{
	return r->conf->link[link].kind == LINK_NAT ||
	    conf_next_of(r->conf, KEY_PORT, link, NULL);
}

static void
put_table(char *buf, const struct run *r, int link)
{
	put(buf, TABLE, link ? "crun-%s-%s" : "crun-%s", r->conf->name,
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

/* The uplink must forward too, and uplinks come and go: for all.  It stays on,
 * since others may have come to rely on it. */
void
table_host(struct run *r, int link)
{
	static const char file[] = "/proc/sys/net/ipv4/ip_forward";
	const char *where = conf_where_of(r->conf, r->conf->link[link].key,
	    link);
	char text[8];

	if (!is_needed(r, link))
		return;
	if (read_at(AT_FDCWD, file, text, sizeof(text)) > 0 && *text == '1')
		return;
	if (write_at(AT_FDCWD, file, "1") < 0)
		die("%sNAT needs %s to be 1; writing it%s:", where, file,
		    sysctl_hint());
	warn("%snet.ipv4.ip_forward is 1 from now on, and stays", where);
}

/* ---- rules ---- */

/* What the container sends to others; and what others of its subnet send to it
 * by a port of the host: it would answer them directly, not by the host. */
static void
build_out(struct message *m, const struct run *r, int link, const char *table)
{
	const struct ip *ip = table_address(r, link);

	nft_nat_chain(m, table, "out", NF_INET_POST_ROUTING, SRCNAT);
	if (r->conf->link[link].kind == LINK_NAT) {
		nft_rule(m, table, "out");
			nft_from_ip4(m, ip->addr, 32);
			nft_not_out_by(m, NAT_BRIDGE);
			nft_masquerade(m);
		nft_rule_end(m);
	}
	if (!conf_next_of(r->conf, KEY_PORT, link, NULL))
		return;
	nft_rule(m, table, "out");
		nft_from_ip4(m, ip->addr, ip->prefix);
		nft_to_ip4(m, ip->addr, 32);
		nft_was_sent(m);
		nft_masquerade(m);
	nft_rule_end(m);
}

/* From outside and from other containers; from the host itself, whose loopback
 * addresses cannot be sent elsewhere. */
static void
build_port(struct message *m, const char *table, const char *chain, int local,
    const struct port *p, const struct ip *to, uint32_t n)
{
	uint32_t count = p->first == p->inside ? p->count : 1;

	nft_rule(m, table, chain);
		if (p->at.family)
			nft_to_ip4(m, p->at.addr, 32);
		else if (local)
			nft_not_to_loopback(m);
		nft_to_host(m);
		nft_to_ports(m, p->udp, p->first + n, count);
		nft_send_to(m, to->addr, p->first == p->inside ? 0 :
		    p->inside + n);
	nft_rule_end(m);
}

/* A port that has another number inside needs a rule of its own. */
static int
add_ports(const struct run *r, int link, int fd, const char *table,
    const struct port *p)
{
	uint32_t n, rules = p->first == p->inside ? 1 : p->count;
	const struct ip *to = table_address(r, link);
	struct message m;

	for (n = 0; n < rules; n++) {
		nft_begin(&m);
		build_port(&m, table, "in", 0, p, to, n);
		build_port(&m, table, "local", 1, p, to, n);
		if (nft_commit(fd, &m) < 0)
			return -1;
	}
	return 0;
}

static int
make_table(const struct run *r, int link, int fd, const char *table, int owned)
{
	struct message m;

	nft_begin(&m);
	nft_table(&m, table, owned);
	build_out(&m, r, link, table);
	if (conf_next_of(r->conf, KEY_PORT, link, NULL)) {
		nft_nat_chain(&m, table, "in", NF_INET_PRE_ROUTING, DSTNAT);
		nft_nat_chain(&m, table, "local", NF_INET_LOCAL_OUT, DSTNAT);
	}
	return nft_commit(fd, &m);
}

/* ---- the table ---- */

void
table_attach(struct run *r, int link)
{
	struct peer *p = &r->net.peer[link];
	const char *where = conf_where_of(r->conf, r->conf->link[link].key,
	    link);
	char table[TABLE], line[TABLE + 8];
	int err;

	if (!is_needed(r, link))
		return;
	put_table(table, r, link);
	put(line, sizeof(line), "nft %s\n", table);
	state_record(r, line);
	p->nft = nft_open();
	err = make_table(r, link, p->nft, table, 1);
	if (err < 0 && errno == EOPNOTSUPP)
		err = make_table(r, link, p->nft, table, 0);
	if (err < 0)
		die("%sthe table %s of nf_tables (CONFIG_NF_TABLES, _INET, "
		    "NFT_NAT, NFT_MASQ, NFT_FIB_INET):", where, table);
	p->has_table = 1;
	for (each_of(r->conf, s, KEY_PORT, link))
		if (add_ports(r, link, p->nft, table, &s->u.port) < 0)
			die("%sforwarding %s by nf_tables:", s->where,
			    s->value);
	step("net: NAT by nf_tables, table %s", table);
}

const char *
table_delete(struct run *r, const char *table)
{
	struct message m;
	int fd = nft_open();

	(void)r;
	nft_begin(&m);
	nft_table_delete(&m, table);
	if (nft_commit(fd, &m) < 0 && errno != ENOENT && errno != EOPNOTSUPP)
		warn("removing the table %s of nf_tables:", table);
	shut(&fd);
	return NULL;
}

void
table_undo(struct run *r, int link)
{
	struct peer *p = &r->net.peer[link];
	char table[TABLE];

	shut(&p->nft);
	if (!p->has_table)
		return;
	put_table(table, r, link);
	table_delete(r, table);
	p->has_table = 0;
}
