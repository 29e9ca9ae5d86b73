/* Tables of xtables, iptables-legacy(8). */
#ifndef NET_LEGACY_H
#define NET_LEGACY_H

/* Whether the table filter of IPv4 drops what is forwarded and no rule of it
 * names that link. */
int legacy_drops(const char *link);

#endif
