/* The command line: crun VERB, and crun exec. */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "sup/sup.h"

struct run;
struct request;

/* Does what the words after crun say when the first is a verb, and gives the
 * exit status; -1: it is none. */
int verb_main(int argc, char **argv);
/* Prints the table of verbs, one a line: for -h. */
void verb_help(void);
/* state_open(), which waits while the container starts or ends; dies unless it
 * is RUNNING, with what to do. */
void verb_find(struct run *, const char *name);
/* The container's facts: a line of crun list, and all of crun stat. */
void stat_line(struct run *, enum life, const char *name);
void stat_all(struct run *, const char *name);

/* Needs verb_find(), conf, cgroup_open_all() and signals_take(); gives the
 * program's exit status, or dies. */
int exec_run(struct run *, const struct request *);

/* crun console: until it is let go of or the container ends; the status. */
int console_attach(struct run *, const char *name);

#endif
