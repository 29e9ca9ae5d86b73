/* Ports of the host, as the host itself reaches them. */
#ifndef NET_FORWARD_H
#define NET_FORWARD_H

#include <netinet/in.h>
#include <stdint.h>

struct run;

/* A socket on a port of the host, and where what comes to it goes. */
struct door {
	int fd;
	int udp;
	int paused;		/* no more can be taken at the moment */
	struct sockaddr_in to;
};

/* Opens a socket for each port of the interface; dies where one is taken,
 * with who has it.  Closes all. */
void forward_attach(struct run *, int link);
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
/* Some seconds are over: ends sessions that nobody uses. */
void udp_expire(struct run *);
void udp_undo(struct run *);

/* ---- taken.c ---- */

/* "pid 812 (nginx)" or "the container web", who has a port of the host; a
 * string that the next call uses again. */
const char *taken_by(uint16_t port, int udp);

#endif
