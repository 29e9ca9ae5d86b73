/* The life of a container outside of it: the run-time folder, the background,
 * whom to wait for. */
#ifndef SUP_SUP_H
#define SUP_SUP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct run;

struct wait {			/* for others, wait.c */
	int patience;		/* ms left to wait, for all waits together */
	int starting;		/* a signal ends the wait */
	int heard;		/* that signal; 0: none */
	int stuck;		/* the init was killed and does not die */
	int early, early_request;	/* an ASK came before the init ran */
};

#define WAIT_NONE { .patience = PATIENCE_MS }

struct back {			/* the background, detach.c and notify.c */
	int background;		/* -d */
	pid_t supervisor;	/* of the command that waits; else 0 */
	int detached;		/* nothing of the caller's is left */
	int ready;		/* seconds that somebody waits; 0: nobody */
	int waiter;		/* the pipe to who waits */
	int notify;		/* NOTIFY_SOCKET's other end */
};

#define BACK_NONE { .waiter = -1, .notify = -1 }

struct init {			/* PID 1 of the container, find.c */
	pid_t pid;		/* in our own pid namespace */
	int pidfd;		/* -1: there is none */
	int proc;		/* its folder of /proc, O_PATH */
};

#define INIT_NONE { .pidfd = -1, .proc = -1 }

struct other {			/* the supervisor, of whoever is not it */
	int pidfd;
	pid_t pid;
};

#define OTHER_NONE { .pidfd = -1 }

struct state {			/* the run-time folder, state.c */
	int dir, lock;		/* the folder /run/crun-os/NAME, its lock */
	int marker;		/* /run/crun-os/.marker, our range locked */
	off_t recorded;		/* bytes of NAME/host that we wrote */
	off_t kept;		/* of these, what stays over a reboot */
	int left;		/* something that NAME/host names is there still */
	off_t range;		/* the byte of our ids in the marker; 0: none */
	uint64_t generation;	/* of NAME/conf as we wrote it */
	int statedir_made;	/* bits: 1 /run/crun-os, 2 its parent */
};

#define STATE_NONE { .dir = -1, .lock = -1, .marker = -1 }

/* ---- wait.c ---- */

/* A start begins: PATIENCE_MS from here, and a signal ends it.  The init runs.
 * The end of a life begins: PATIENCE_MS anew.  Something changes while it runs:
 * half of that, since who has asked waits for it. */
void wait_start(struct run *);
void wait_started(struct run *);
void wait_end(struct run *);
void wait_change(struct run *);
/* Notes whether the killed init has died, and gives that. */
int wait_died(struct run *, int died);
/* An ASK that came when there was no init: it is done in the next life.  A
 * stop is not undone by a reboot that is asked for after it. */
void wait_early(struct run *);
/* 1: there was one, and its value is in r->signals.request again. */
int wait_take_early(struct run *);
/* Waits for an event of poll(2) for what is left of PATIENCE_MS, and at least
 * GLANCE_MS.  1: it is there; 0: not in time, or a signal came first.  Its
 * messages go out meanwhile. */
int wait_for(struct run *, int fd, short events);
/* Dies, as the wait has failed: with a line that ends in why; with status
 * 128 + n where signal n ended it. */
void wait_failed(struct run *, const char *why) __attribute__((noreturn));
/* "pid 4711 (sleep) WHAT: " and what its state is.  This and the next two give
 * a string that the next call uses again. */
const char *wait_words(pid_t pid, const char *what);
/* That of the process in or below a group that keeps it from being empty;
 * NULL: none is to be seen. */
const char *wait_in(int group, const char *what);
/* And of the process that has a lock of the file. */
const char *wait_holder(int fd);
/* open_host(); the file system may be one that does not answer, a dead NFS or
 * FUSE: dies then. */
int wait_open(struct run *, const char *path, int follow);
/* Locks the first byte of a file, F_RDLCK or F_WRLCK; 0, or -1 and errno,
 * which is ETIMEDOUT where another has it for too long. */
int wait_lock(struct run *, int fd, short type);

/* ---- state.c ---- */

/* Takes the name's lock; dies when it is running; cleans what a dead
 * supervisor of that name left. */
void state_host(struct run *);
void state_undo(struct run *);

/* A kind of object on the host that a container can leave behind: the first
 * word of its lines in NAME/host; how it is removed, which gives NULL or why
 * it is there still; and what must be done with all before any is removed. */
struct object {
	const char *kind;
	const char *(*remove)(struct run *, const char *what);
	void (*prepare)(const char *what);
};

extern const struct object objects[];	/* runc.c; ends with a NULL kind */
/* Writes down what is about to be made on the host: lines "cgroup PATH",
 * "link NAME" or "ids N".  Dies when it cannot. */
void state_record(struct run *, const char *lines);
/* Likewise, and does not die: 0, or -1 and errno. */
int state_note(struct run *, const char *lines);
/* Takes back the first line that begins so, of what is there no more.  0: there
 * is none. */
int state_unnote(struct run *, const char *begin);
/* Something that was written down could not be removed: its line stays for
 * the next who tries. */
void state_keep(struct run *);
/* At a reboot: removes what NAME/host still lists, as crun set may have made
 * it, but for what is kept. */
void state_reboot(struct run *);
void state_child(struct run *);
/* Writes the configuration. */
void state_saved(struct run *);
/* The init runs: writes the pids and their start times.  From now on others
 * may enter the container. */
void state_started(struct run *);
/* A new configuration: written beside the old one; put in its place. */
void state_conf_new(struct run *);
void state_conf_commit(struct run *);
/* Likewise for crun set: state_conf_changed() sees it.  0, or -1 and errno. */
int state_conf_take(struct run *);
/* Whether somebody else has put one there since. */
int state_conf_changed(struct run *);
/* Writes how the container ended, for whoever waits: crun's exit status,
 * whether it was killed since it did not power off, and why it could not go on,
 * or "". */
void state_ended(struct run *, int status, int killed, const char *reason);
/* When a process began, in ticks since boot, from its /proc/PID/stat; 0 where
 * that cannot be read. */
unsigned long long state_start_time(int dir, const char *stat);
/* Removes what a dead supervisor of that name left.  1: done; 0: there was
 * none, or it runs, or not all could be removed, which is told. */
int state_clean(const char *name);
/* Removes the run-time folder, unless a container or a range of ids is in
 * it. */
void state_clean_rest(void);

/* ---- find.c ---- */

enum life {
	NONE,			/* no such container */
	DEAD,			/* its supervisor was killed */
	STARTING,		/* or between two lives; no init yet */
	ENDING,			/* the init has ended, its supervisor has not */
	RUNNING,
};

/* For all but the supervisor: opens the folder, the lock, and pidfds, into a
 * run that holds nothing: of the supervisor where it is RUNNING, ENDING or, if
 * it can be found, STARTING; of the init where it is RUNNING.  Dies where the
 * run-time folder is somebody else's. */
enum life state_open(struct run *, const char *name);
void state_close(struct run *);
/* The supervisor: takes its init, and opens its folder of /proc, or dies;
 * closes the pidfd once it has been reaped; or both. */
void init_take(struct run *, pid_t, int pidfd);
void init_reaped(struct run *);
void init_close(struct run *);
/* What state_ended() wrote; -1: nothing. */
int state_status(const struct run *, int *killed);
/* And the reason; "": there is none.  The next call uses the text again. */
const char *state_reason(const struct run *);
/* The names of all folders, sorted, and their number.  Dies when they cannot
 * be read. */
char **state_names(size_t *);

/* ---- ranges.c ---- */

/* Takes a range of the pool that no other container holds and gives its
 * number, trying from first on; writes it down; dies when all are taken. */
uint32_t state_range(struct run *, uint32_t first, uint32_t count);
void state_range_undo(struct run *);
/* Of a line "ids N": frees it, unless somebody else has taken it by now. */
const char *state_range_free(struct run *, const char *what);

/* ---- detach.c ---- */

/* Goes on in a child, which is the supervisor; the caller waits and exits.
 * ready: the seconds that it waits until the system is up; 0: it does not. */
void detach(struct run *, int ready);
/* The init runs; the system is up; all has ended.  Each is told to who
 * waits. */
void detach_started(struct run *);
void detach_ready(struct run *);
void detach_ended(struct run *, int status, const char *last);

/* ---- notify.c ---- */

void notify_host(struct run *);
/* Binds the socket in the working folder.  The child. */
void notify_child(struct run *);
void notify_undo(struct run *);
/* 1: the init says that it is ready. */
int notify_received(struct run *);

#endif
