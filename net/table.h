/* The container's table of nf_tables. */
#ifndef NET_TABLE_H
#define NET_TABLE_H

#include <net/if.h>

#include "lib/lib.h"

struct ip;
struct run;

enum { TABLE_NAME = NAME_LEN + IFNAMSIZ + 16 };

/* The host forwards packets, where that is needed; dies where it cannot. */
void table_host(struct run *, int link);
/* Likewise of IPv6. */
void table_host6(struct run *, int link);
/* The container's address of IPv4 that ports lead to. */
const struct ip *table_address(const struct run *, int link);
/* The name of an interface's tables. */
void table_name(char name[TABLE_NAME], const struct run *, int link);
/* Likewise, which from now on are ours to make by
 * p->nft and will be removed.  0, or -1 and errno. */
int table_open(struct run *, int link, char name[TABLE_NAME]);
/* Makes it for an interface, where that needs one; dies where it cannot. */
void table_attach(struct run *, int link);
/* Has it as r->conf says now.  0; or -1, errno, and in *bad a port that could
 * not be forwarded, or as it was. */
struct setting;
int table_change(struct run *, int link, const struct setting **bad);
void table_undo(struct run *, int link);
/* Holds the guest to its own addresses, where that is asked for or usual. */
void spoof_attach(struct run *, int link);

#endif
