/* The container's table of nf_tables. */
#ifndef NET_TABLE_H
#define NET_TABLE_H

struct ip;
struct run;

/* The host forwards packets, where that is needed; dies where it cannot. */
void table_host(struct run *, int link);
/* The container's address of IPv4 that ports lead to. */
const struct ip *table_address(const struct run *, int link);
/* Makes it for an interface, where that needs one; dies where it cannot. */
void table_attach(struct run *, int link);
void table_undo(struct run *, int link);

#endif
