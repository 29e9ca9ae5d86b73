/* The clone, the handshake with the child, and exec. */
#ifndef NS_NS_H
#define NS_NS_H

#include <stddef.h>
#include <sys/types.h>

struct run;

/* What the supervisor tells the child, in this order. */
enum ready {
	IDS_READY = 1,		/* its ids and its mounts */
	NETWORK_READY,		/* its link, and its limits */
	DEVICES_READY,		/* only some can be opened; exec comes next */
};

struct ns {			/* only of the supervisor and its child */
	int go[2], report[2];	/* the two pipes, see ns.c */
	void (*made)(struct run *, const char *line);
};

#define NS_NONE { .go = { -1, -1 }, .report = { -1, -1 } }

/* ---- ns.c ---- */

/* clone3; the child runs child(r) and does not return.  made() is called with
 * what ns_made_child() tells. */
void ns_spawn(struct run *, void (*child)(struct run *),
    void (*made)(struct run *, const char *line));
/* Tells the child what is ready. */
void ns_release(struct run *, enum ready);
/* Waits until the init has been exec'd; dies with the child's line if it
 * was not. */
void ns_report(struct run *);
/* Tells the supervisor what was made in the rootfs, a line.  The child. */
void ns_made_child(const char *line);
/* Why the child failed, and its exit status, if it has said so; else NULL. */
const char *ns_reason(struct run *, int *status);
/* Tells the supervisor why, and exits with that status.  The child. */
void ns_fail_child(int status, const char *line) __attribute__((noreturn));
void ns_undo(struct run *);
/* The child's side: waits until that is ready, and exits when the supervisor
 * is gone. */
void ns_wait_child(struct run *, enum ready);
/* Root of the user namespace, no groups, dies with the supervisor. */
void ns_identity_child(struct run *);
void ns_uts_child(struct run *);
/* Handlers and mask as a fresh process has them. */
void ns_signals_child(void);

/* ---- exec.c ---- */

/* The init's environment, with room for so many more. */
char **ns_environment(const struct run *, size_t more);
/* Adds NAME=VALUE, or puts it in the place of another value. */
void ns_put_env(char **env, const char *text);
/* A session of its own, with 0, 1, 2 as r->tty.std says; all other files are
 * closed but *keep, which closes at exec. */
void ns_session_child(struct run *, int *keep);
/* The pty, where there is one, becomes the controlling terminal. */
void ns_terminal_child(const struct run *);
/* execs conf->program, looked for in the PATH of env; dies when it cannot. */
void ns_exec_program(const struct run *, char **env) __attribute__((noreturn));
/* Dies: a clone(2) has failed, by errno. */
void ns_clone_failed(const char *where) __attribute__((noreturn));
/* execs the init, or becomes the built-in PID 1 of the program. */
void ns_exec_child(struct run *) __attribute__((noreturn));
/* The child's end of the pipe REPORT; -1 in every other process. */
extern int ns_said;

/* ---- stop.c ---- */

/* Asks for a power-off or a reboot.  1: done; 0: the init is not ready to
 * hear it, ask again. */
int stop_ask(const struct run *, int reboot);
/* Whether the init is of those that say READY=1, config.h. */
int stop_notifies(const struct run *);
/* Sends a signal to the init; 1: done. */
int stop_signal(const struct run *, int sig);

/* ---- enter.c ---- */

/* The supervisor: runs a program of the guest's inside, as exec_run() would,
 * with no files; neither waits for it nor says what becomes of it. */
void exec_guest(const struct run *, char **argv);

/* What crun exec is asked for. */
struct request {
	const char *user;	/* a number, or a name in the guest's passwd; */
				/* NULL: root, as the init */
	const char *dir;	/* NULL: /, or a login's home */
	char **env;		/* NAME=VALUE */
	int nenv;
	char **argv;		/* NULL: a login shell */
};

#endif
