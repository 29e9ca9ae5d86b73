/* The range of addresses of crun's own bridge. */
#ifndef NET_RANGE_H
#define NET_RANGE_H

#include <stdint.h>

struct ip;

/* The first address of the first subnet of NAT_RANGE, of NAT_PREFIX bits,
 * that no route of the host overlaps.  Dies where there is none. */
void range_choose(int fd, struct ip *);
/* Of the bridge's IPv4 address: the IPv6 subnet that goes with it, of 64 bits.
 * And whether a route of the host by another link than index is to it. */
void range_six(const struct ip *four, struct ip *six);
int range_six_taken(int fd, uint32_t index, const struct ip *six);
/* The address of a link in NAT_RANGE; 0: it has none. */
int range_of(int fd, uint32_t index, struct ip *);

#endif
