/* The child of crun exec: what cmd/exec.c, enter.c and users.c share. */
#ifndef NS_ENTER_H
#define NS_ENTER_H

#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

struct run;
struct request;

/* ---- enter.c ---- */

enum { USER_FILE = 1 << 20, MAXGROUPS = 1024 };

/* The child's records: which step comes; the pty; the process that execs, and
 * its pid; why it failed, and the status. */
enum word { STEP, PTY, BORN, FAILED };

struct user {
	uid_t uid;
	gid_t gid;
	const char *name, *home, *shell;	/* NULL: not known */
	gid_t groups[MAXGROUPS];
	size_t ngroups;
	struct rlimit limit[RLIM_NLIMITS];	/* the init's */
};

/* The kernel releases our children when they die, and nobody reaps them,
 * sigaction(2). */
int release_children(void);
/* A record STEP from the child to the command. */
void enter_step(const char *what);
struct entered {		/* the child; then the program */
	pid_t pid;
	int pidfd;
	int from;		/* where the records come from */
};

/* Clones the child, which enters the container and clones the program. */
void enter_spawn(struct run *r, const struct request *q, struct entered *e);

/* ---- users.c ---- */

/* A number is never looked up as a name; it need not be in passwd. */
void user_look_up(struct user *u, const char *word);

#endif
