/* The host's name servers. */
#ifndef NET_RESOLV_H
#define NET_RESOLV_H

struct run;

/* Puts those that a container can reach in r->net.resolv, as lines of
 * resolv.conf(5); warns where there are none. */
void resolv_host(struct run *);

#endif
