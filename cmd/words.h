/* The words after a verb, and finding what they name. */
#ifndef CMD_WORDS_H
#define CMD_WORDS_H

#include "sup/sup.h"

struct run;
struct conf;

struct words {			/* what follows the verb */
	char **names;		/* NULL at the end */
	int n;
	const char *opt[128];	/* by letter: its last argument, or "" */
	char **env;		/* all of -e */
	int nenv;
};

/* The verbs; each gives the exit status. */
int do_kill(struct words *w);
/* Until there is another init, under the same supervisor. */
int do_reboot(struct words *w);
/* Asks all, then waits for each, so that they stop side by side. */
int do_stop(struct words *w);
int do_wait(struct words *w);
/* Opens those of the names that run, and leaves only these in w.  *status:
 * EXIT_SETUP where one does not, so that one that has ended is no reason to
 * leave the others. */
struct run *verb_find_all(struct words *w, enum life least, int *status);
/* Tells why: there is none of that name (NONE), or it is DEAD. */
void verb_not_running(const char *name, enum life life);
/* Looks again whenever the folder changes, until it runs or has ended. */
enum life verb_wait_started(struct run *r, const char *name);
/* Tells that there is none of that name, and exits. */
void verb_gone(const char *name)
    __attribute__((noreturn));
void verb_refuse(const struct conf *c, const char *name, const char *what)
    __attribute__((noreturn));
/* Likewise, but one that is ending will do. */
void verb_find_any(struct run *r, const char *name);

#endif
