/* Messages and small helpers, which need no struct run. */
#ifndef LIB_LIB_H
#define LIB_LIB_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct pollfd;

#define LEN(a) (sizeof(a) / sizeof *(a))

enum { NAME_LEN = 64 };

enum {				/* exit statuses, crun(1) */
	EXIT_USAGE = 2,		/* bad usage or configuration */
	EXIT_SETUP = 125,	/* set-up failed, everything undone */
	EXIT_NOEXEC = 126,	/* the program could not be executed */
	EXIT_NOTFOUND = 127,	/* the program was not found */
	EXIT_SIGNAL = 128,	/* + n: killed by signal n */
};

/* ---- say.c ---- */

enum { QUIET = -1, NORMAL, VERBOSE };

extern int verbosity;
/* What die() does with its line: the supervisor unwinds and exits, the child
 * sends it to the supervisor.  Does not return. */
extern void (*on_die)(int status, const char *line);
/* Where -v's lines go; swapped at the fork like on_die. */
extern void (*on_step)(const char *line);
/* From here on no line waits for its reader: what is not taken is kept, and
 * gets a last half second at exit(3).  The supervisor, and whoever relays. */
void say_nonblock(void);
/* Before poll(2): fills an entry.  After it: writes what is kept, if it can. */
void say_poll(struct pollfd *);
void say_served(const struct pollfd *);
/* Ends that: what is still kept is given to to(), line by line, and our way to
 * standard error is closed. */
void say_elsewhere(void (*to)(const char *line));
/* One line on standard error, "crun: " before it; control characters are
 * escaped.  A fmt that ends in ':' gets the text of errno appended. */
void die(const char *fmt, ...)
    __attribute__((noreturn, format(printf, 1, 2)));
/* Like die(), with another exit status than EXIT_SETUP. */
void fail(int status, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 2, 3)));
/* Likewise, and goes on: tell() always, warn() unless -q. */
void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A line for -v. */
void step(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Writes "crun: LINE\n" on standard error in one write(2), escaped. */
void say(const char *line);
/* What was printed on standard output is out, or die(). */
void flush_output(void);

/* ---- file.c ---- */

/* A way to our standard file i on which no write waits: a descriptor of our
 * own, or i where it needs none or none can be had. */
int open_nonblock(int i);
/* As write(2) on such a one, or on a socket: -1 and EAGAIN where it would
 * wait. */
ssize_t write_nonblock(int fd, const char *text, size_t n);
/* Closes *fd unless it is -1, and makes it -1. */
void shut(int *fd);
/* The file's text, cut at size - 1, NUL-terminated.  Gives its length, or
 * -1 and errno. */
ssize_t read_at(int dir, const char *path, char *buf, size_t size);
/* One write(2) of text into an existing file.  0, or -1 and errno. */
int write_at(int dir, const char *path, const char *text);
/* As write_at(), but makes a regular file of that mode or empties it. */
int create_at(int dir, const char *path, const char *text, mode_t mode);
/* Makes a folder, unless it is there, and opens it with DIR_FLAGS.  -1 and
 * errno. */
int make_folder(int dir, const char *name);
long long now_ms(void);		/* CLOCK_MONOTONIC, milliseconds */

/* ---- text.c ---- */

/* The length of the character that the n bytes begin with, ASCII or UTF-8.  0:
 * the first is no character, or one that drives a terminal, and is to be
 * escaped.  n is not 0. */
size_t printable(const char *text, size_t n);

/* The character that text begins with, or the \xNN of a byte, as a string of
 * ESCAPED bytes at most; gives how many bytes of text that was. */
enum { ESCAPED = 5 };

size_t escape(char *out, const char *text, size_t n);
/* realloc() and a new string that never give NULL: they die. */
void *xrealloc(void *, size_t count, size_t size)
    __attribute__((returns_nonnull));
char *xprintf(const char *fmt, ...)
    __attribute__((returns_nonnull, format(printf, 1, 2)));
/* What is wrong, in a text that the next complaint uses again. */
const char *complain(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
/* snprintf() for names that must fit; dies where they do not. */
void put(char *buf, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A stable hash of a name, for ids, links and addresses. */
uint64_t hash(const char *);
/* The next part of *rest that is not empty, up to one of ends, where the text
 * is cut; NULL: there is no more. */
char *next_part(char **rest, const char *ends);
int has_word(const char *words, const char *word);	/* blanks or commas */
/* Reads at most max decimal numbers with white space between; gives how many
 * there are at the beginning of the text. */
int numbers(const char *text, uint64_t *n, int max);

/* Of all candidates that are tried, best is the one most like word, "" where
 * none is. */
struct near {
	const char *word;
	char best[NAME_LEN + 1];
	int least;
};

void near_try(struct near *, const char *candidate);

/* ---- pass.c ---- */

enum { PASS_MAX = 2 };
/* Listens at a socket in the run-time folder of that container; dies. */
int pass_listen(const char *name, const char *file, int type);
/* Whether who has connected to a socket of unix(7) is root or our own user. */
int pass_trusted(int fd);
/* sendmsg(2) of data with n descriptors beside it; flags are further MSG_. */
ssize_t pass_send(int to, const void *data, size_t size, const int *fds,
    size_t n, int flags);
/* recvmsg(2) of such a message; each of fds is -1 where not n have come. */
ssize_t pass_receive(int from, void *data, size_t size, int *fds, size_t n);

/* ---- record.c ---- */

/* What one process of ours tells another.  One write(2) of at most PIPE_BUF
 * bytes is never mixed with another's; and never cut, where the pipe is
 * O_DIRECT, pipe(7). */
struct record {
	int what;		/* those who talk have an enum for it */
	int status;		/* the exit status, of one that is an end */
	char text[PIPE_BUF - 2 * sizeof(int)];
};

/* Fills one, and gives its size; a text that is too long is cut. */
size_t record_make(struct record *, int what, int status, const char *text);
/* Writes one; -1 and errno. */
int record_write(int fd, int what, int status, const char *text);
/* Reads the next; 0: end of file, or it cannot be read. */
int record_read(int fd, struct record *);

/* ---- ids.c ---- */

/* The real, effective and saved ids, or the supplementary groups; -1 and
 * errno, and some may be set then. */
int take_ids(uid_t uid, gid_t gid);
int take_groups(size_t n, const gid_t *groups);
/* The effective ids, by a process whose real ones are root's. */
int act_as(uid_t uid, gid_t gid);
/* Nobody but root of our user namespace can trace us, or look at what we have
 * open, from here to exec or to the next change of ids; or die(). */
void hide(void);
/* Whether our user namespace is the host's, not that of a container. */
int in_first_userns(void);

/* ---- path.c ---- */

/* openat2(2) below root: never leaves it, follows no magic link; more are
 * further RESOLVE_ flags.  -1 and errno where it cannot. */
int open_how(int root, const char *path, int flags, mode_t mode,
    uint64_t more);
int open_beneath(int root, const char *path, int flags);
/* An O_PATH descriptor of a path of the host.  Without follow no link in it is
 * followed; more are further RESOLVE_ flags.  -1 and errno where it cannot:
 * ELOOP for a link. */
int open_host(const char *path, int follow, uint64_t more);
/* The folder that holds path's last part, which is put in *last; below root,
 * as open_beneath() finds it.  -1 and errno where it cannot. */
int open_parent(int root, const char *path, const char **last);

/* The path of a container's run-time folder, and of a file in it unless that
 * is NULL.  STATE_PATH bytes are enough for the names that crun has there. */
enum { STATE_PATH = 128 };
void put_state_path(char *buf, size_t size, const char *name,
    const char *file);

/* ---- mountinfo.c ---- */

/* A mount of our mount namespace.  Zero before the first mountinfo_next(); the
 * strings are valid until the next. */
struct mountinfo {
	FILE *file;
	char *line;
	size_t size;
	long id, parent;	/* as mnt_id in /proc/PID/fdinfo */
	char *path;		/* where it is mounted */
	char *fstype;
	char *super;		/* options of the file system, with commas */
};

/* The next mount; 0: there is no more, or no /proc.  All is released then. */
int mountinfo_next(struct mountinfo *);
/* Releases it; needed where not all are looked at. */
void mountinfo_end(struct mountinfo *);

/* ---- hierarchy.c ---- */

/* Where a hierarchy is mounted. */
struct mount {
	char path[256];
	char ctrl[64];		/* its super options that matter; "" is v2 */
};

/* Where the hierarchy of a v1 controller is mounted; -1: nowhere. */
int hierarchy_path(const char *ctrl, char *path, size_t size);
/* The hierarchy of a v1 controller or name=NAME; "" is v2.  0: it is mounted
 * nowhere. */
int hierarchy_find(struct mount *m, const char *ctrl);

/* ---- fs.c ---- */

/* How a folder is opened whose files are opened by it. */
#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

/* A detached mount of a new file system; options are "NAME=VALUE NAME ...".
 * This and the next three: -1 and errno where they cannot. */
int new_mount(const char *fstype, const char *options, uint64_t attr);
/* Attaches a mount on a target, both open. */
int mount_at(int mount, int target);
/* A detached clone of a mount; flags: AT_RECURSIVE, AT_EMPTY_PATH. */
int clone_tree(int dir, const char *path, int flags);
/* Sets MOUNT_ATTR_* and private propagation, with rec of all mounts below
 * too.  Before Linux 5.12 the mount must be attached in our mount namespace,
 * and have none below with rec: ENOSYS. */
int set_attr(int mount, uint64_t attr, int rec);
/* Linux before 5.12 changes only what is attached. */
int fs_is_old(void);

#endif
