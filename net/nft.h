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

/* A table of the family inet, made anew.  owned: it ends with the socket,
 * Linux 5.12; what was left of that name goes first. */
void nft_table(struct message *m, const char *table, int owned);
void nft_table_delete(struct message *m, const char *table);
/* A chain of type nat. */
void nft_nat_chain(struct message *m, const char *table, const char *chain,
    int hook, int priority);

void nft_rule(struct message *m, const char *table, const char *chain);
void nft_rule_end(struct message *m);
/* The packet is IPv4, from that address; goes out by another link. */
void nft_from_ip4(struct message *m, const uint8_t *addr);
void nft_not_out_by(struct message *m, const char *link);
void nft_masquerade(struct message *m);

#endif
