/* What the supervisor does for the network while the container runs. */
#ifndef NET_SERVE_H
#define NET_SERVE_H

struct run;

/* Begins for an interface that has been made; dies where it cannot.  Ends. */
void serve_attach(struct run *, int link);
void serve_undo(struct run *, int link);

#endif
