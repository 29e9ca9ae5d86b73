/* The names of the containers on the bridge of net=nat. */
#ifndef NET_HOSTS_H
#define NET_HOSTS_H

struct run;

/* With hosts=yes: r->net.hosts becomes a mount of the file.  Dies.  file is
 * that of shared_take(). */
void hosts_open(struct run *, int file);
/* Writes it anew, if there is one: with this container; without it, where it
 * has ended. */
void hosts_add(struct run *, int file);
void hosts_leave(struct run *, int file);
/* Likewise of one whose supervisor was killed; the gate is locked. */
void hosts_left(struct run *);
/* The bridge has gone. */
void hosts_close(void);

#endif
