/* The container's table of nf_tables. */
#ifndef NET_TABLE_H
#define NET_TABLE_H

struct run;

/* The host forwards packets, where that is needed; dies where it cannot. */
void table_host(struct run *, int link);
/* Makes it for an interface, where that needs one; dies where it cannot. */
void table_attach(struct run *, int link);
void table_undo(struct run *, int link);

#endif
