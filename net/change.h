/* What crun set changes of the network while the container runs. */
#ifndef NET_CHANGE_H
#define NET_CHANGE_H

struct run;

/* The socket NAME/set begins to be served, where there is one. */
void change_attach(struct run *);
/* Somebody asks for a change. */
void change_serve(struct run *);

#endif
