/* The network of a container. */
#ifndef NET_NET_H
#define NET_NET_H

#include <net/if.h>
#include <stdint.h>

struct run;

struct net {
	char link[IFNAMSIZ];	/* the host's end; "" before it is made */
	uint32_t bridge;	/* its index */
};

void net_host(struct run *);
void net_attach(struct run *);
void net_child(struct run *);
void net_undo(struct run *);
/* Deletes a link of that name; a missing one is no error.  NULL. */
const char *net_delete(struct run *, const char *link);

#endif
