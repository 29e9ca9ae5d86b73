/* What the supervisor does for the network while the container runs. */
#ifndef NET_SERVE_H
#define NET_SERVE_H

#include <stdint.h>

struct run;

/* What a descriptor in r->net.events is; the upper half of its data, the lower
 * is a number. */
enum served {
	SERVE_DHCP, SERVE_SOLICITED, SERVE_ADVERT,	/* of an interface */
	SERVE_DOOR, SERVE_FLOW,		/* of tcp.c */
	SERVE_SESSION, SERVE_EXPIRE,	/* of udp.c */
	SERVE_CHANGE,
};

/* Adds one, or changes what is waited for: EPOLL bits; 0 takes it out.  0, or
 * -1 and errno. */
int serve_watch(struct run *, int fd, enum served, uint32_t number,
    uint32_t events, uint32_t before);

/* Begins for an interface that has been made; dies where it cannot.  Ends. */
void serve_attach(struct run *, int link);
void serve_undo(struct run *, int link);

#endif
