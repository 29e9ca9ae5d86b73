/* Sockets of packet(7) on the host's end of a pair. */
#ifndef NET_PACKET_H
#define NET_PACKET_H

#include <stddef.h>
#include <stdint.h>

struct sock_filter;

/* One that hears what the filter lets through.  -1 and errno: EAFNOSUPPORT
 * where the kernel has no packet(7). */
int packet_open(uint32_t index, const struct sock_filter *, size_t);
/* The ones' complement sum of RFC 1071 over the data, added to sum, and what
 * goes into a header of it. */
uint32_t packet_sum(uint32_t sum, const void *data, size_t size);
uint16_t packet_check(uint32_t sum);

#endif
