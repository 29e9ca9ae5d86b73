/* The range of addresses of crun's own bridge. */
#ifndef NET_RANGE_H
#define NET_RANGE_H

#include <stdint.h>

struct ip;

/* The first address of the first subnet of NAT_RANGE, of NAT_PREFIX bits,
 * that no route of the host overlaps.  Dies where there is none. */
void range_choose(int fd, struct ip *);
/* The address of a link in NAT_RANGE; 0: it has none. */
int range_of(int fd, uint32_t index, struct ip *);

#endif
