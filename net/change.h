/* What crun set changes of the network while the container runs. */
#ifndef NET_CHANGE_H
#define NET_CHANGE_H

struct conf;
struct run;

/* The socket NAME/set begins to be served, where there is one. */
void change_attach(struct run *);
/* Somebody asks for a change. */
void change_serve(struct run *);
/* r->conf becomes the new one, and the interfaces what it says.  NULL; or why
 * not, and then all is as it was. */
const char *live_change(struct run *, const struct conf *new);
/* r->conf becomes the old one again, and the interfaces what it says, as far as
 * they can.  Gives why, and which interface is lost. */
const char *live_back(struct run *, const struct conf *old, const char *why);

#endif
