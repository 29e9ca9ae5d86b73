/* Messages of nf_tables: a batch, which the kernel takes whole or not at all.
 *
 * A rule is a list of expressions, nft(8): each nft_ function below adds the
 * one of its name, with what it needs to put into register 1. */
#ifndef NET_NFT_H
#define NET_NFT_H

#include <stddef.h>
#include <stdint.h>

struct ip;
struct message;

/* A socket of nfnetlink; -1 and errno. */
int nft_open(void);
void nft_begin(struct message *m);
/* Sends it.  0, or -1 and errno: EOPNOTSUPP where the kernel has no
 * nf_tables. */
int nft_commit(int fd, struct message *m);

/* Where rules stand: a chain of another's. */
struct nft_place {
	uint8_t family;		/* NFPROTO_ */
	int drops;		/* what no rule of it accepts */
	char table[64], chain[64];
};

/* Questions, for nl_ask(). */
void nft_dump_chains(struct message *m);
void nft_dump_rules(struct message *m, const struct nft_place *);
/* Before all other rules: accepts what comes in, or goes out, by that link. */
void nft_accept_link(struct message *m, const struct nft_place *,
    const char *link, int out, const char *comment);
/* The handle as the kernel gives it. */
void nft_delete_rule(struct message *m, const struct nft_place *,
    uint64_t handle);

/* A table of our own, of a family NFPROTO_. */
struct nft_table {
	uint8_t family;
	const char *name;
};

/* It is made anew.  owned: it ends with the socket, Linux 5.12; what was left
 * of that name goes first. */
void nft_table_make(struct message *m, const struct nft_table *, int owned);
void nft_table_delete(struct message *m, const struct nft_table *);
/* A chain of that type: "nat" or "filter". */
void nft_chain(struct message *m, const struct nft_table *, const char *chain,
    const char *type, int hook, int priority);

void nft_rule(struct message *m, const struct nft_table *, const char *chain);
void nft_rule_end(struct message *m);
/* The packet is from or to that address, or one of so many bits of it. */
void nft_from(struct message *m, const struct ip *, int prefix);
void nft_to(struct message *m, const struct ip *, int prefix);
/* It is not to 127.0.0.0/8; it is to an address of the host. */
void nft_not_to_loopback(struct message *m);
void nft_to_host(struct message *m);
/* It is TCP or UDP, to one of these ports; from UDP's. */
void nft_to_ports(struct message *m, int udp, uint16_t first, uint32_t count);
void nft_from_udp(struct message *m, uint16_t port);
/* It was sent elsewhere by nft_send_to(). */
void nft_was_sent(struct message *m);
/* To that IPv4 address instead, and to that port, unless it is 0. */
void nft_send_to(struct message *m, const struct ip *, uint16_t port);
/* It goes out by another link; it has come in by that one. */
void nft_not_out_by(struct message *m, const char *link);
void nft_in_by(struct message *m, const char *link);
void nft_masquerade(struct message *m);
void nft_drop(struct message *m);

/* Where bytes of a packet stand. */
enum nft_header { NFT_LINK, NFT_NETWORK, NFT_TRANSPORT };

/* Register 1 becomes so many bytes of it; they are, or are not, those. */
void nft_load(struct message *m, enum nft_header, size_t offset, size_t size);
void nft_equal(struct message *m, const void *bytes, size_t size);
void nft_differs(struct message *m, const void *bytes, size_t size);
/* It is of that kind of ICMPv6. */
void nft_icmp6(struct message *m, uint8_t type);

#endif
