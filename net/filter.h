/* Other programs' filters of what is forwarded. */
#ifndef NET_FILTER_H
#define NET_FILTER_H

/* Lets the bridge of net=nat through each that would drop what it sends; warns
 * where that cannot be done, and says how it can.  where is put before.
 * six: what drops IPv6 too. */
void filter_open(const char *where, int six);
/* Warns of each that drops what a bridge sends by IPv4, and says how it can be
 * let through. */
void filter_look(const char *where, const char *bridge);
/* Removes all that was put there. */
void filter_close(void);

#endif
