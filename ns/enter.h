/* The child of crun exec: what exec.c, enter.c and users.c share. */
#ifndef NS_ENTER_H
#define NS_ENTER_H

#include <stddef.h>
#include <sys/types.h>

#include <limits.h>

struct run;
struct request;

/* ---- enter.c ---- */

enum { USER_FILE = 1 << 20, MAXGROUPS = 1024 };

enum word { STEP, PTY, BORN };	/* above: a status, and why it failed */

struct enter_record {
	int word;
	char text[PIPE_BUF - sizeof(int)];
};

struct user {
	uid_t uid;
	gid_t gid;
	const char *name, *home, *shell;	/* NULL: not known */
	gid_t groups[MAXGROUPS];
	size_t ngroups;
};

/* The kernel releases our children when they die, and nobody reaps them,
 * sigaction(2). */
int release_children(void);
/* A record from the child to the command. */
void enter_say(int word, const char *text);
/* Clones the child, which enters the container and clones the program; *from
 * is where its records come from. */
void enter_spawn(struct run *r, const struct request *q, int *from);

/* ---- users.c ---- */

/* A number is never looked up as a name; it need not be in passwd. */
void user_look_up(struct user *u, const char *word);

#endif
