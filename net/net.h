/* The network of a container. */
#ifndef NET_NET_H
#define NET_NET_H

#include <net/if.h>
#include <stdint.h>

#include "conf/conf.h"

struct run;

struct peer {			/* what of an interface is on the host */
	char name[IFNAMSIZ];	/* the other end; "" before it is made */
	uint32_t parent;	/* the index of the link that it hangs on */
};

struct net {
	struct peer peer[LINKS];	/* by the interface's number */
};

void net_host(struct run *);
void net_attach(struct run *);
void net_child(struct run *);
void net_undo(struct run *);
/* Deletes a link of that name; a missing one is no error.  NULL. */
const char *net_delete(struct run *, const char *link);

#endif
