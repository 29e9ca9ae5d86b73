/* A guest is held to its own addresses: what it sends to the bridge from
 * another hardware or IP address is dropped, and so is what only a router or a
 * DHCP server may say.  By a table of nf_tables of the family bridge, which
 * belongs to the supervisor as that of table.c does.
 *
 * Each rule says what is wrong in a packet that has come in by the host's end
 * of the pair. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <netinet/icmp6.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "net/net.h"
#include "net/netlink.h"
#include "net/nft.h"
#include "net/table.h"

/* linux/netfilter_bridge.h cannot stand beside net/if.h: NF_BR_PRE_ROUTING and
 * NF_BR_PRI_FILTER_BRIDGED */
enum { PRE_ROUTING = 0, FILTER = -200 };
enum { DHCP_SERVER = 67, DHCP6_SERVER = 547 };
/* Where things stand: Ethernet, RFC 826, 791, 8200, 4861. */
enum { ETH_FROM = 6, ETH_KIND = 12 };
enum { ARP_MAC = 8, ARP_IP = 14 };
enum { SADDR4 = 12, SADDR6 = 8 };
enum { TARGET = 8 };
enum { MOST = 48 };		/* addresses; one rule names them all */

static int
is_held(const struct run *r, int link)
{
	const struct conf *c = r->conf;

	if (conf_next_of(c, KEY_SPOOF, link, NULL))
		return !c->link[link].spoof;
	return c->link[link].kind == LINK_NAT && c->userns != USERNS_NONE;
}

/* ---- rules ---- */

struct rules {
	struct message m;
	int fd;
	struct nft_table table;
	const char *link;
	const uint8_t *mac;
	int nat;		/* all addresses are crun's to give */
	const struct ip *ip[MOST];	/* all that are its own */
	size_t n;
};

static void
begin(struct rules *u)
{
	nft_rule(&u->m, &u->table, "in");
	nft_in_by(&u->m, u->link);
}

static void
end(struct rules *u)
{
	nft_drop(&u->m);
	nft_rule_end(&u->m);
}

static void
of_kind(struct rules *u, uint16_t kind)
{
	uint16_t n = htons(kind);

	nft_load(&u->m, NFT_LINK, ETH_KIND, sizeof(n));
	nft_equal(&u->m, &n, sizeof(n));
}

static void
other_mac(struct rules *u, enum nft_header header, size_t offset)
{
	nft_load(&u->m, header, offset, 6);
	nft_differs(&u->m, u->mac, 6);
}

/* Neither one of its own nor none, which is who asks for an address, or
 * whether another has it. */
static void
other_ip(struct rules *u, enum nft_header header, size_t offset, int family)
{
	static const uint8_t none[16];
	size_t size = family == AF_INET ? 4 : 16, i;

	nft_load(&u->m, header, offset, size);
	nft_differs(&u->m, none, size);
	for (i = 0; i < u->n; i++)
		if (u->ip[i]->family == family)
			nft_differs(&u->m, u->ip[i]->addr, size);
}

/* From another hardware address; of another kind than ARP and IP: what has a
 * tag is of a VLAN. */
static void
add_link(struct rules *u)
{
	static const uint16_t kinds[] = { ETH_P_ARP, ETH_P_IP, ETH_P_IPV6 };
	uint16_t n;
	size_t i;

	begin(u);
		other_mac(u, NFT_LINK, ETH_FROM);
	end(u);
	begin(u);
		nft_load(&u->m, NFT_LINK, ETH_KIND, sizeof(n));
		for (i = 0; i < LEN(kinds); i++) {
			n = htons(kinds[i]);
			nft_differs(&u->m, &n, sizeof(n));
		}
	end(u);
	begin(u);
		of_kind(u, ETH_P_ARP);
		other_mac(u, NFT_NETWORK, ARP_MAC);
	end(u);
}

/* Without an address of its own on a bridge it has one by DHCP or router
 * advertisements of another. */
static int
has_own(const struct rules *u, int family)
{
	size_t i;

	for (i = 0; i < u->n; i++)
		if (u->ip[i]->family == family &&
		    !ip_is_link_local(u->ip[i]))
			return 1;
	return u->nat;
}

static void
add_four(struct rules *u)
{
	if (has_own(u, AF_INET)) {
		begin(u);
			of_kind(u, ETH_P_ARP);
			other_ip(u, NFT_NETWORK, ARP_IP, AF_INET);
		end(u);
		begin(u);
			of_kind(u, ETH_P_IP);
			other_ip(u, NFT_NETWORK, SADDR4, AF_INET);
		end(u);
	}
	begin(u);
		of_kind(u, ETH_P_IP);
		nft_from_udp(&u->m, DHCP_SERVER);
	end(u);
}

static void
add_six(struct rules *u)
{
	static const uint8_t routers[] = { ND_ROUTER_ADVERT, ND_REDIRECT };
	size_t i;

	for (i = 0; i < LEN(routers); i++) {
		begin(u);
			of_kind(u, ETH_P_IPV6);
			nft_icmp6(&u->m, routers[i]);
		end(u);
	}
	begin(u);
		of_kind(u, ETH_P_IPV6);
		nft_from_udp(&u->m, DHCP6_SERVER);
	end(u);
	if (!has_own(u, AF_INET6))
		return;
	begin(u);
		of_kind(u, ETH_P_IPV6);
		other_ip(u, NFT_NETWORK, SADDR6, AF_INET6);
	end(u);
	begin(u);
		of_kind(u, ETH_P_IPV6);
		nft_icmp6(&u->m, ND_NEIGHBOR_ADVERT);
		other_ip(u, NFT_TRANSPORT, TARGET, AF_INET6);
	end(u);
}

/* ---- the table ---- */

static void
add_own(struct rules *u, const struct ip *ip, const char *where)
{
	if (!ip->family)
		return;
	if (u->n == MOST)
		die("%smore than %d addresses of a container cannot be held "
		    "to; spoof=yes does without", where, MOST - 1);
	u->ip[u->n++] = ip;
}

/* Those of its other interfaces too: an answer may leave by another than that
 * which was asked. */
static void
add_all_own(struct rules *u, const struct run *r, const char *where)
{
	int i;

	for (i = 0; i < r->conf->nlinks; i++) {
		add_own(u, &r->net.peer[i].address, where);
		add_own(u, &r->net.peer[i].address6, where);
	}
	for (each(r->conf, s, KEY_IP))
		add_own(u, &s->u.ip, where);
}

/* 0, or -1 and errno. */
static int
make_table(struct rules *u, int owned)
{
	nft_begin(&u->m);
	nft_table_make(&u->m, &u->table, owned);
	nft_chain(&u->m, &u->table, "in", "filter", PRE_ROUTING, FILTER);
	add_link(u);
	add_four(u);
	add_six(u);
	return nft_commit(u->fd, &u->m);
}

static void
cannot_hold(const struct run *r, int link, const char *table)
{
	const struct setting *asked = conf_next_of(r->conf, KEY_SPOOF, link,
	    NULL);

	if (asked || (errno != EOPNOTSUPP && errno != EAFNOSUPPORT &&
	    errno != ENOENT))
		die("%sspoof=no, the table %s of nf_tables (CONFIG_NF_TABLES, "
		    "_BRIDGE); spoof=yes does without:", asked ?
		    asked->where : "", table);
	warn("net=nat: %s is not held to its own addresses, for which the "
	    "kernel needs CONFIG_NF_TABLES_BRIDGE; spoof=yes says nothing of "
	    "it:", r->conf->name);
}

void
spoof_attach(struct run *r, int link)
{
	struct peer *p = &r->net.peer[link];
	const char *where = conf_where_of(r->conf, KEY_SPOOF, link);
	struct ip local = { AF_INET6, 64, { 0xfe, 0x80 } };
	char name[TABLE_NAME];
	struct rules u = { .table = { NFPROTO_BRIDGE, name }, .link = p->name,
	    .mac = r->conf->link[link].mac,
	    .nat = r->conf->link[link].kind == LINK_NAT };

	if (!is_held(r, link))
		return;
	ip_end_of_mac(local.addr + 8, u.mac);
	add_own(&u, &local, where);
	add_all_own(&u, r, where);
	if (table_open(r, link, name) < 0)
		die("writing down the table %s:", name);
	u.fd = p->nft;
	if (make_table(&u, 1) < 0 && (errno != EOPNOTSUPP ||
	    make_table(&u, 0) < 0))
		cannot_hold(r, link, name);
	else
		step("net: %s is held to its own addresses", p->name);
}
