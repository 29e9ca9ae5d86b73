/* DHCP for the guest of an interface. */
#ifndef NET_DHCP_H
#define NET_DHCP_H

#include <stdint.h>

struct run;

/* A socket on the host's end of a pair, which hears the guest's requests.  -1
 * and errno: EAFNOSUPPORT where the kernel has no packet(7). */
int dhcp_open(uint32_t index);
/* Answers what has come, by dhcp_ of the interface's peer. */
void dhcp_serve(const struct run *, int link);

#endif
