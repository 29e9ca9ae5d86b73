/* Ports of the host, as the host itself reaches them. */
#ifndef NET_FORWARD_H
#define NET_FORWARD_H

#include <netinet/in.h>
#include <stdint.h>

#include "conf/conf.h"

struct run;

/* A socket on a port of the host, and where what comes to it goes. */
struct door {
	int fd;			/* -1: it is free */
	int udp;
	struct ip at;		/* family 0: all addresses */
	uint16_t port;
	int paused;		/* no more can be taken at the moment */
	struct sockaddr_in to;
	int wanted, fresh;	/* between forward_prepare() and _settle() */
	struct sockaddr_in next;	/* where it goes after that */
};

/* A socket for each port of that configuration; those that are there already
 * stay.  NULL; or why not, with who has a port that is taken: then all is as
 * it was. */
const char *forward_prepare(struct run *, const struct conf *);
/* Ends it: what is not wanted any more goes; or, undone, what is new. */
void forward_settle(struct run *, int done);
/* Likewise at a start; dies.  Closes all. */
void forward_attach(struct run *);
void forward_undo(struct run *);
/* Something has come to door number n. */
void forward_serve(struct run *, uint32_t n);

/* ---- tcp.c ---- */

/* Takes who has come.  Goes on with a connection: n is twice the flow's number,
 * and its side. */
void tcp_accept(struct run *, struct door *);
void tcp_serve(struct run *, uint32_t n);
void tcp_undo(struct run *);

/* ---- udp.c ---- */

void udp_receive(struct run *, struct door *, uint32_t number);
void udp_serve(struct run *, uint32_t n);
/* The door is closed. */
void udp_close(struct run *, uint32_t number);
/* Some seconds are over: ends sessions that nobody uses. */
void udp_expire(struct run *);
void udp_undo(struct run *);

/* ---- taken.c ---- */

/* "pid 812 (nginx)" or "the container web", who has a port of the host; a
 * string that the next call uses again. */
const char *taken_by(uint16_t port, int udp);

#endif
