/* nf_tables by nfnetlink: linux/netfilter/nf_tables.h.  Numbers are in network
 * byte order. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "conf/conf.h"
#include "net/netlink.h"
#include "net/nft.h"

enum { OWNER = 2 };		/* NFT_TABLE_F_OWNER */

/* ---- batches ---- */

int
nft_open(void)
{
	int fd, yes = 1;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (fd >= 0)
		setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &yes,
		    sizeof(yes));
	return fd;
}

static void
message_of(struct message *m, int family, int type, int flags)
{
	struct nfgenmsg *g;

	g = nl_begin(m, NFNL_SUBSYS_NFTABLES << 8 | type, flags, sizeof(*g));
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
}

/* They are not answered, but where the whole batch is refused. */
static void
bracket(struct message *m, int type)
{
	struct nfgenmsg *g = nl_begin_silent(m, type, sizeof(*g));

	g->nfgen_family = AF_UNSPEC;
	g->version = NFNETLINK_V0;
	g->res_id = htons(NFNL_SUBSYS_NFTABLES);
	nl_end(m);
}

void
nft_begin(struct message *m)
{
	nl_clear(m);
	bracket(m, NFNL_MSG_BATCH_BEGIN);
}

int
nft_commit(int fd, struct message *m)
{
	bracket(m, NFNL_MSG_BATCH_END);
	return nl_send(fd, m);
}

static void
number(struct message *m, int type, uint32_t n)
{
	nl_attr32(m, type, htonl(n));
}

/* ---- tables and chains ---- */

static void
table(struct message *m, int type, const struct nft_table *t, uint32_t flags)
{
	message_of(m, t->family, type, type == NFT_MSG_NEWTABLE ?
	    NLM_F_CREATE : 0);
	nl_text(m, NFTA_TABLE_NAME, t->name);
	if (flags)
		number(m, NFTA_TABLE_FLAGS, flags);
	nl_end(m);
}

void
nft_table_make(struct message *m, const struct nft_table *t, int owned)
{
	table(m, NFT_MSG_NEWTABLE, t, 0);	/* so that it can be deleted */
	table(m, NFT_MSG_DELTABLE, t, 0);
	table(m, NFT_MSG_NEWTABLE, t, owned ? OWNER : 0);
}

void
nft_table_delete(struct message *m, const struct nft_table *t)
{
	table(m, NFT_MSG_DELTABLE, t, 0);
}

void
nft_chain(struct message *m, const struct nft_table *t, const char *chain,
    const char *type, int hook, int priority)
{
	message_of(m, t->family, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	nl_text(m, NFTA_CHAIN_TABLE, t->name);
	nl_text(m, NFTA_CHAIN_NAME, chain);
	nl_text(m, NFTA_CHAIN_TYPE, type);
	nl_nest(m, NFTA_CHAIN_HOOK | NLA_F_NESTED);
		number(m, NFTA_HOOK_HOOKNUM, hook);
		number(m, NFTA_HOOK_PRIORITY, priority);
	nl_unnest(m);
	nl_end(m);
}

/* ---- rules ---- */

void
nft_rule(struct message *m, const struct nft_table *t, const char *chain)
{
	message_of(m, t->family, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	nl_text(m, NFTA_RULE_TABLE, t->name);
	nl_text(m, NFTA_RULE_CHAIN, chain);
	nl_nest(m, NFTA_RULE_EXPRESSIONS | NLA_F_NESTED);
}

void
nft_rule_end(struct message *m)
{
	nl_unnest(m);
	nl_end(m);
}

static void
expression(struct message *m, const char *name)
{
	nl_nest(m, NFTA_LIST_ELEM | NLA_F_NESTED);
		nl_text(m, NFTA_EXPR_NAME, name);
		nl_nest(m, NFTA_EXPR_DATA | NLA_F_NESTED);
}

static void
expression_end(struct message *m)
{
		nl_unnest(m);
	nl_unnest(m);
}

static void
meta(struct message *m, uint32_t key)
{
	expression(m, "meta");
		number(m, NFTA_META_KEY, key);
		number(m, NFTA_META_DREG, NFT_REG_1);
	expression_end(m);
}

static void
compare(struct message *m, uint32_t how, const void *value, size_t size)
{
	expression(m, "cmp");
		number(m, NFTA_CMP_SREG, NFT_REG_1);
		number(m, NFTA_CMP_OP, how);
		nl_nest(m, NFTA_CMP_DATA | NLA_F_NESTED);
			nl_attr(m, NFTA_DATA_VALUE, value, size);
		nl_unnest(m);
	expression_end(m);
}

void
nft_load(struct message *m, enum nft_header header, size_t offset, size_t size)
{
	static const uint32_t bases[] = {
		[NFT_LINK] = NFT_PAYLOAD_LL_HEADER,
		[NFT_NETWORK] = NFT_PAYLOAD_NETWORK_HEADER,
		[NFT_TRANSPORT] = NFT_PAYLOAD_TRANSPORT_HEADER,
	};

	expression(m, "payload");
		number(m, NFTA_PAYLOAD_DREG, NFT_REG_1);
		number(m, NFTA_PAYLOAD_BASE, bases[header]);
		number(m, NFTA_PAYLOAD_OFFSET, offset);
		number(m, NFTA_PAYLOAD_LEN, size);
	expression_end(m);
}

/* A mask of so many bits over the register. */
static void
mask(struct message *m, const void *bits, const void *zero, size_t size)
{
	expression(m, "bitwise");
		number(m, NFTA_BITWISE_SREG, NFT_REG_1);
		number(m, NFTA_BITWISE_DREG, NFT_REG_1);
		number(m, NFTA_BITWISE_LEN, size);
		nl_nest(m, NFTA_BITWISE_MASK | NLA_F_NESTED);
			nl_attr(m, NFTA_DATA_VALUE, bits, size);
		nl_unnest(m);
		nl_nest(m, NFTA_BITWISE_XOR | NLA_F_NESTED);
			nl_attr(m, NFTA_DATA_VALUE, zero, size);
		nl_unnest(m);
	expression_end(m);
}

/* The address at that offset of its header. */
static void
compare_ip(struct message *m, uint32_t offset, uint32_t how,
    const struct ip *ip, int prefix)
{
	uint8_t bits[16] = { 0 }, net[16], none[16] = { 0 };
	uint8_t family = ip->family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;
	size_t size = ip->family == AF_INET ? 4 : 16, i;

	for (i = 0; i < size; i++) {
		bits[i] = prefix >= 8 * (int)i + 8 ? 0xff :
		    prefix <= 8 * (int)i ? 0 : 0xff << (8 * i + 8 - prefix);
		net[i] = ip->addr[i] & bits[i];
	}
	meta(m, NFT_META_NFPROTO);
	compare(m, NFT_CMP_EQ, &family, sizeof(family));
	nft_load(m, NFT_NETWORK, offset, size);
	if (prefix < 8 * (int)size)
		mask(m, bits, none, size);
	compare(m, how, net, size);
}

/* RFC 791 and 8200. */
enum { SADDR4 = 12, DADDR4 = 16, SADDR6 = 8, DADDR6 = 24 };

void
nft_from(struct message *m, const struct ip *ip, int prefix)
{
	compare_ip(m, ip->family == AF_INET ? SADDR4 : SADDR6, NFT_CMP_EQ, ip,
	    prefix);
}

void
nft_to(struct message *m, const struct ip *ip, int prefix)
{
	compare_ip(m, ip->family == AF_INET ? DADDR4 : DADDR6, NFT_CMP_EQ, ip,
	    prefix);
}

void
nft_not_to_loopback(struct message *m)
{
	static const struct ip loopback = { AF_INET, 8, { 127 } };

	compare_ip(m, DADDR4, NFT_CMP_NEQ, &loopback, loopback.prefix);
}

void
nft_equal(struct message *m, const void *bytes, size_t size)
{
	compare(m, NFT_CMP_EQ, bytes, size);
}

void
nft_differs(struct message *m, const void *bytes, size_t size)
{
	compare(m, NFT_CMP_NEQ, bytes, size);
}

void
nft_to_host(struct message *m)
{
	uint32_t local = RTN_LOCAL;

	expression(m, "fib");
		number(m, NFTA_FIB_DREG, NFT_REG_1);
		number(m, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
		number(m, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
	expression_end(m);
	compare(m, NFT_CMP_EQ, &local, sizeof(local));
}

static void
protocol(struct message *m, uint8_t which)
{
	meta(m, NFT_META_L4PROTO);
	compare(m, NFT_CMP_EQ, &which, sizeof(which));
}

void
nft_to_ports(struct message *m, int udp, uint16_t first, uint32_t count)
{
	enum { DPORT = 2 };	/* in the header, RFC 9293 and 768 */
	uint16_t low = htons(first), high = htons(first + count - 1);

	protocol(m, udp ? IPPROTO_UDP : IPPROTO_TCP);
	nft_load(m, NFT_TRANSPORT, DPORT, sizeof(low));
	if (count == 1) {
		compare(m, NFT_CMP_EQ, &low, sizeof(low));
		return;
	}
	compare(m, NFT_CMP_GTE, &low, sizeof(low));
	compare(m, NFT_CMP_LTE, &high, sizeof(high));
}

void
nft_from_udp(struct message *m, uint16_t port)
{
	uint16_t n = htons(port);

	protocol(m, IPPROTO_UDP);
	nft_load(m, NFT_TRANSPORT, 0, sizeof(n));
	compare(m, NFT_CMP_EQ, &n, sizeof(n));
}

void
nft_icmp6(struct message *m, uint8_t type)
{
	protocol(m, IPPROTO_ICMPV6);
	nft_load(m, NFT_TRANSPORT, 0, sizeof(type));
	compare(m, NFT_CMP_EQ, &type, sizeof(type));
}

void
nft_was_sent(struct message *m)
{
	uint32_t bit = IPS_DST_NAT, zero = 0;

	expression(m, "ct");
		number(m, NFTA_CT_KEY, NFT_CT_STATUS);
		number(m, NFTA_CT_DREG, NFT_REG_1);
	expression_end(m);
	mask(m, &bit, &zero, sizeof(bit));
	compare(m, NFT_CMP_NEQ, &zero, sizeof(zero));
}

static void
immediate(struct message *m, uint32_t reg, const void *value, size_t size)
{
	expression(m, "immediate");
		number(m, NFTA_IMMEDIATE_DREG, reg);
		nl_nest(m, NFTA_IMMEDIATE_DATA | NLA_F_NESTED);
			nl_attr(m, NFTA_DATA_VALUE, value, size);
		nl_unnest(m);
	expression_end(m);
}

void
nft_send_to(struct message *m, const struct ip *ip, uint16_t port)
{
	uint16_t p = htons(port);

	immediate(m, NFT_REG_1, ip->addr, 4);
	if (port)
		immediate(m, NFT_REG_2, &p, sizeof(p));
	expression(m, "nat");
		number(m, NFTA_NAT_TYPE, NFT_NAT_DNAT);
		number(m, NFTA_NAT_FAMILY, NFPROTO_IPV4);
		number(m, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
		if (port)
			number(m, NFTA_NAT_REG_PROTO_MIN, NFT_REG_2);
	expression_end(m);
}

static void
compare_link(struct message *m, uint32_t key, uint32_t how, const char *link)
{
	char name[IFNAMSIZ] = "";

	snprintf(name, sizeof(name), "%s", link);
	meta(m, key);
	compare(m, how, name, sizeof(name));
}

void
nft_not_out_by(struct message *m, const char *link)
{
	compare_link(m, NFT_META_OIFNAME, NFT_CMP_NEQ, link);
}

void
nft_in_by(struct message *m, const char *link)
{
	compare_link(m, NFT_META_IIFNAME, NFT_CMP_EQ, link);
}

void
nft_masquerade(struct message *m)
{
	expression(m, "masq");
	expression_end(m);
}

static void
verdict(struct message *m, uint32_t code)
{
	expression(m, "immediate");
		number(m, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
		nl_nest(m, NFTA_IMMEDIATE_DATA | NLA_F_NESTED);
			nl_nest(m, NFTA_DATA_VERDICT | NLA_F_NESTED);
				number(m, NFTA_VERDICT_CODE, code);
			nl_unnest(m);
		nl_unnest(m);
	expression_end(m);
}

void
nft_drop(struct message *m)
{
	verdict(m, NF_DROP);
}

/* ---- in the chains of others ---- */

void
nft_dump_chains(struct message *m)
{
	message_of(m, NFPROTO_UNSPEC, NFT_MSG_GETCHAIN, NLM_F_DUMP);
	nl_end(m);
}

static void
place(struct message *m, const struct nft_place *p)
{
	nl_text(m, NFTA_RULE_TABLE, p->table);
	nl_text(m, NFTA_RULE_CHAIN, p->chain);
}

void
nft_dump_rules(struct message *m, const struct nft_place *p)
{
	message_of(m, p->family, NFT_MSG_GETRULE, NLM_F_DUMP);
	place(m, p);
	nl_end(m);
}

void
nft_accept_link(struct message *m, const struct nft_place *p,
    const char *link, int out, const char *comment)
{
	char data[64];
	size_t len = strlen(comment) + 1;

	message_of(m, p->family, NFT_MSG_NEWRULE, NLM_F_CREATE);
	place(m, p);
	nl_nest(m, NFTA_RULE_EXPRESSIONS | NLA_F_NESTED);
		compare_link(m, out ? NFT_META_OIFNAME : NFT_META_IIFNAME,
		    NFT_CMP_EQ, link);
		verdict(m, NF_ACCEPT);
	nl_unnest(m);
	/* as nft(8) keeps comments: kind 0, the length, the string */
	data[0] = 0;
	data[1] = len;
	snprintf(data + 2, sizeof(data) - 2, "%s", comment);
	nl_attr(m, NFTA_RULE_USERDATA, data, 2 + len);
	nl_end(m);
}

void
nft_delete_rule(struct message *m, const struct nft_place *p, uint64_t handle)
{
	message_of(m, p->family, NFT_MSG_DELRULE, 0);
	place(m, p);
	nl_attr(m, NFTA_RULE_HANDLE, &handle, sizeof(handle));
	nl_end(m);
}
