/* The kinds of network interfaces, for the table in net.c.  link is the number
 * of the interface, fd a socket of rtnetlink(7) in the namespace of whoever
 * calls.
 *
 * _host: finds in the host what the kind needs; dies where it is not there.
 * _attach: makes the link, in the child's network namespace.  What is made on
 * the host is recorded before.  _undo: removes that. */
#ifndef NET_KINDS_H
#define NET_KINDS_H

#include <stdint.h>

struct ip;
struct run;

void bridge_host(struct run *, int link, int fd);
/* What a veth needs beside its bridge. */
void peer_host(struct run *, int link, int fd);
void veth_attach(struct run *, int link, int fd);
void veth_undo(struct run *, int link);
/* Flags of the bridge's port that the configuration asks for.  0, or -1 and
 * errno. */
int veth_set_flags(const struct run *, int link, int fd);

/* A link on top of another, and that other. */
void parent_host(struct run *, int link, int fd);
void upper_attach(struct run *, int link, int fd);
void upper_undo(struct run *, int link);

void phys_host(struct run *, int link, int fd);
void phys_attach(struct run *, int link, int fd);
void phys_undo(struct run *, int link);

void nat_host(struct run *, int link, int fd);
void nat_attach(struct run *, int link, int fd);
void nat_undo(struct run *, int link);

/* Finds an interface of the container by the name that it has; gives it its
 * own; deletes it.  All but the last die. */
void guest_find(struct run *, int link, const char *name);
void guest_rename(struct run *, int link);
void guest_delete(struct run *, int link);

/* lo is up. */
void loopback_child(int fd);
/* Adds an address to a link.  0, or -1 and errno. */
int address_add(int fd, uint32_t index, const struct ip *);
/* The interface is up and has its addresses and routes. */
void address_child(const struct run *, int link, int fd);

#endif
