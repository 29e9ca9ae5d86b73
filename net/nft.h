/* Messages of nf_tables: a batch, which the kernel takes whole or not at all.
 *
 * A rule is a list of expressions, nft(8): each nft_ function below adds the
 * one of its name, with what it needs to put into register 1. */
#ifndef NET_NFT_H
#define NET_NFT_H

#include <stdint.h>

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

/* A table of the family inet, made anew.  owned: it ends with the socket,
 * Linux 5.12; what was left of that name goes first. */
void nft_table(struct message *m, const char *table, int owned);
void nft_table_delete(struct message *m, const char *table);
/* A chain of type nat. */
void nft_nat_chain(struct message *m, const char *table, const char *chain,
    int hook, int priority);

void nft_rule(struct message *m, const char *table, const char *chain);
void nft_rule_end(struct message *m);
/* The packet is IPv4, from or to that address, or one of its subnet. */
void nft_from_ip4(struct message *m, const uint8_t *addr, int prefix);
void nft_to_ip4(struct message *m, const uint8_t *addr, int prefix);
/* It is not to 127.0.0.0/8; it is to an address of the host. */
void nft_not_to_loopback(struct message *m);
void nft_to_host(struct message *m);
/* It is TCP or UDP, to one of these ports. */
void nft_to_ports(struct message *m, int udp, uint16_t first, uint32_t count);
/* It was sent elsewhere by nft_send_to(). */
void nft_was_sent(struct message *m);
/* To that address instead, and to that port, unless it is 0. */
void nft_send_to(struct message *m, const uint8_t *addr, uint16_t port);
/* It goes out by another link. */
void nft_not_out_by(struct message *m, const char *link);
void nft_masquerade(struct message *m);

#endif
