/* The network of a container. */
#ifndef NET_NET_H
#define NET_NET_H

#include <net/if.h>
#include <stdint.h>
#include <sys/resource.h>

#include "conf/conf.h"
#include "net/link.h"

struct pollfd;
struct run;

struct peer {			/* what of an interface is on the host */
	char name[IFNAMSIZ];	/* the other end, or the VLAN; "" before */
				/* it is made */
	uint32_t parent;	/* the index of the link that it hangs on */
	uint32_t mtu;		/* and its mtu */
	int default_vlan;	/* of a bridge that knows VLANs; 0: none */
	struct ip gateway[2];	/* addresses of the bridge, for net=nat and */
				/* gateway=auto */
	int gateways;		/* how many */
	struct ip address;	/* of net=nat; family 0: none */
	struct ip address6;	/* likewise with nat6 */
	uint8_t mac[6];		/* of the other end */
	int dhcp;		/* a socket there; -1 */
	struct ip dhcp_address;	/* what is given, */
	uint32_t dhcp_router;	/* in network byte order; 0: none */
	uint32_t dhcp_server;	/* likewise */
	int solicited, due;	/* likewise, and timerfd(2), of router */
				/* advertisements; -1 */
	struct ip router;	/* link-local, of the bridge, */
	uint8_t router_mac[6];	/* and its other */
	int nft;		/* who owns its table of nf_tables; -1 */
	int has_table;
	int lock;		/* of a link that others use too; -1 */
	uint32_t inside;	/* its index inside; 0: not needed */
	struct facts was;	/* of a link of the host that is moved */
};

struct net {
	char resolv[512];	/* of nat and host without dns: */
				/* resolv.conf(5) */
	int resolved;		/* that was looked for */
	int hosts;		/* a mount for /etc/hosts; -1 */
	int guest;		/* rtnetlink of the container; -1 */
	int asks;		/* NAME/set; -1 */
	int spare;		/* a descriptor to refuse by; -1 */
	int events;		/* epoll(7) of what is served; -1 */
	struct door *doors;	/* ports of the host */
	uint32_t ndoors;
	struct flows *flows;	/* connections to them, and */
	struct sessions *sessions;	/* who sends datagrams; or NULL */
	struct rlimit limit;	/* of files, before it was raised; 0 */
	struct peer peer[LINKS];	/* by the interface's number */
};

#define PEER_NONE { .lock = -1, .nft = -1, .dhcp = -1, .solicited = -1, \
	.due = -1 }

#define NET_NONE { .hosts = -1, .guest = -1, .asks = -1, \
	.spare = -1, .events = -1 }

void net_host(struct run *);
void net_attach(struct run *);
void net_child(struct run *);
void net_undo(struct run *);
/* What may change while it runs is asked for at NAME/set. */
void change_host(struct run *);
void change_undo(struct run *);
/* The command: has the supervisor take what the configuration beside the old
 * one says of the network.  NULL, or why nothing was changed. */
const char *net_change(struct run *);
/* One interface by r->conf, in a container that runs: dies where it cannot be
 * made, and what was begun is for net_take() to remove.  That gives -1, and
 * tells why, where it is there still. */
void net_add(struct run *, int link);
int net_take(struct run *, int link);
/* Before poll(2): fills an entry.  After it: serves what has come. */
void net_poll(const struct run *, struct pollfd *);
void net_serve(struct run *, const struct pollfd *);
/* r->net.guest becomes a socket in the network namespace of the init.  0, or -1
 * and errno. */
int guest_open(struct run *);
/* Deletes a link of that name; a missing one is no error.  NULL. */
const char *net_delete(struct run *, const char *link);
/* Likewise a table of nf_tables. */
const char *table_delete(struct run *, const char *table);
/* Of a killed supervisor: leaves a link that containers share; puts right a
 * link of the host that has come back.  NULL, or why not. */
const char *shared_left(struct run *, const char *link);
const char *phys_left(struct run *, const char *what);

#endif
