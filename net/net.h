/* The network of a container. */
#ifndef NET_NET_H
#define NET_NET_H

struct run;

void net_host(struct run *);
void net_attach(struct run *);
void net_child(struct run *);
void net_undo(struct run *);
/* Deletes a link of that name; a missing one is no error.  NULL. */
const char *net_delete(struct run *, const char *link);

#endif
