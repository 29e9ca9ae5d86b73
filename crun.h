/* The types and prototypes that the .c files share.
 *
 * A prototype's comment says what it needs, what it gives, which process may
 * call it and how it fails.  "dies" means: die() below, so in the supervisor
 * everything begun is undone and crun exits with 125, and in the child the
 * line travels to the supervisor, which does the same.
 *
 * A suffix says which process runs a function and when:
 *   _host    the supervisor, before the clone
 *   _attach  the supervisor, the child exists and waits
 *   _child   the child, between GO and exec
 *   _undo    the supervisor, at the end or after a failure; may be called
 *            whatever has been done, and only warns
 */
#include <net/if.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define LEN(a) (sizeof(a) / sizeof *(a))

enum {				/* exit statuses, crun(1) */
	EXIT_USAGE = 2,		/* bad usage or configuration */
	EXIT_SETUP = 125,	/* set-up failed, everything undone */
	EXIT_NOEXEC = 126,	/* the program could not be executed */
	EXIT_NOTFOUND = 127,	/* the program was not found */
	EXIT_SIGNAL = 128,	/* + n: killed by signal n */
};

/* ---- keys.c, conf.c: one container's configuration ---- */

enum key_id {
	KEY_NAME, KEY_ROOTFS, KEY_ROOTFS_FOLLOW,
	KEY_INIT, KEY_HOSTNAME, KEY_ENV, KEY_CONTAINER,
	KEY_USERNS, KEY_UIDMAP, KEY_GIDMAP,
	KEY_BRIDGE, KEY_IP, KEY_GATEWAY, KEY_DNS, KEY_IFNAME, KEY_MAC, KEY_MTU,
	KEY_MEMORY, KEY_SWAP, KEY_CPUS, KEY_CPU_WEIGHT, KEY_CPUSET, KEY_PIDS,
	KEY_IO_WEIGHT, KEY_CGROUP, KEY_CGROUP_VIEW,
	KEY_BIND, KEY_TMPFS, KEY_READONLY,
	KEY_CAPS, KEY_SECCOMP, KEY_DEVICE, KEY_NESTING, KEY_RLIMIT, KEY_SYSCTL,
	KEY_STOP_SIGNAL, KEY_REBOOT_SIGNAL, KEY_STOP_TIMEOUT,
	KEY_CONSOLE_LOG,
	NKEYS
};

enum userns { USERNS_AUTO, USERNS_NONE, USERNS_RANGE, USERNS_MAPS };
enum view { VIEW_AUTO, VIEW_V2, VIEW_V1, VIEW_NONE };

struct idmap {			/* one line of uid_map, user_namespaces(7) */
	uint32_t inside, outside, count;
};

struct ip {			/* an address, with its prefix length */
	int family;		/* AF_INET or AF_INET6 */
	int prefix;		/* bits; -1 where none was given */
	uint8_t addr[16];	/* network byte order */
};

struct bind {
	const char *source;	/* absolute, on the host */
	const char *target;	/* absolute, in the rootfs */
	uint64_t attr;		/* MOUNT_ATTR_* */
	int rec, optional, idmap, follow;
};

struct tmpfs {
	const char *target;
	char size[24];		/* bytes as text; "" is the kernel's default */
	char mode[8];		/* octal as text */
};

enum {				/* bits, as BPF_DEVCG_ACC_ of linux/bpf.h */
	DEVICE_MKNOD = 1, DEVICE_READ = 2, DEVICE_WRITE = 4
};

struct device {
	const char *node;	/* "/dev/NAME"; NULL: all devices, no wall */
	int access;		/* DEVICE_ bits */
	int follow;
};

struct rlimit_key {
	int resource;		/* RLIMIT_*, getrlimit(2) */
	uint64_t soft, hard;
};

/* One key as it was set.  Settings stand in the order they were given. */
struct setting {
	enum key_id id;
	const char *sub;	/* what follows the dot of rlimit. and such */
	const char *value;	/* its text: paths absolute, blanks dropped */
	char *where;		/* "web.conf:3: ", put before an error */
	int line;		/* 0: given on the command line */
	int quiet;		/* replaced or unset by the command line */
	union {
		struct ip ip;
		struct bind bind;
		struct tmpfs tmpfs;
		struct idmap map;
		struct device device;
		struct rlimit_key rlimit;
	} u;
};

/* How well a configuration is understood; the worst is the last. */
enum conf_state {
	CONF_WHOLE,		/* all of it */
	CONF_MORE,		/* but for keys of another version of crun */
	CONF_WORDS,		/* but for words KEY=VALUE over it */
	CONF_BAD,		/* a value or a line is not, or not the file */
	CONF_GONE,		/* the container has ended, and the file too */
};

struct fault {			/* one thing that is not understood */
	enum conf_state kind;
	int line;		/* of the file; 0: of none */
	char *text;		/* "web.conf:3: ", and why */
};

/* Nothing in here changes once it is loaded. */
struct conf {
	const char *file;	/* as it was found; "-" is standard input */
	int saved;		/* it is of a container that runs */
	struct fault *faults;	/* in the order of the file */
	size_t nfaults;
	char faulty[NKEYS];	/* whether a fault names that key */
	const char *name, *rootfs, *hostname, *container;
	const char *input;	/* the text that was standard input; or NULL */
	char **init;		/* program and arguments; NULL: look for one */
	char **program;		/* after --, NULL: boot an OS */
	enum userns userns;
	uint32_t userns_first, userns_count;
	const char *bridge, *ifname;
	uint8_t mac[6];
	uint64_t mtu;		/* bytes; 0: the bridge's */
	uint64_t memory, swap;	/* bytes; UINT64_MAX: no limit set */
	uint64_t cpus;		/* thousandths of a processor; 0: no limit */
	uint64_t cpu_weight;	/* 1 to 10000; 0: not set */
	const char *cpuset;	/* a list as in cpuset(7); NULL: all */
	uint64_t pids, io_weight;	/* 0: not set */
	enum view view;
	uint64_t rootfs_follow, readonly, nesting;
	uint64_t caps;		/* a bit a capability, 1 << CAP_* */
	int seccomp;		/* whether system calls are refused */
	uint64_t stop_signal, reboot_signal;	/* 0: by the init */
	uint64_t stop_timeout;	/* seconds */
	uint64_t console_log;	/* bytes */
	struct setting *set;
	size_t nset;
};

enum { ADDS = 1, FAMILY = 2, PATH = 4, LIVE = 8 };	/* struct key's flags */

struct key {
	const char *name;	/* "rlimit." is a family: any name follows */
	const char *arg;	/* the value's form, for -h */
	const char *def;	/* the default's text; NULL: none */
	/* gives NULL, or what is wrong with the value */
	const char *(*set)(struct conf *, struct setting *);
	size_t field;		/* of struct conf, for the plain setters */
	uint64_t min, max;	/* of numbers */
	int flags;		/* it adds, is a family, begins with a path, */
				/* can be set while the container runs */
	const char *help;
};

extern const struct key keys[NKEYS];	/* keys.c */

/* Reads file ("-": standard input; else looked for as crun(1) says) and the
 * nover words KEY=VALUE over it.  Supervisor.  -1: there are faults, all of
 * which are listed, and nothing else of it may be used. */
int conf_load(struct conf *, const char *file, char **over, int nover,
    char **program);
/* Prints all faults, a line each; warns of them, but of CONF_GONE. */
void conf_tell(const struct conf *);
void conf_warn(const struct conf *);
/* Prints the whole configuration as a file that conf_load() reads. */
void conf_print(const struct conf *, FILE *);
/* Reads a running container's configuration, as conf_print() made it, from
 * its folder, and the words KEY=VALUE over it.  What is not understood is a
 * fault, and as if it were not there: its default holds, and nothing is known
 * of a file that is not whole.  Only after CONF_WHOLE that is all of what the
 * container runs with. */
enum conf_state conf_saved(struct conf *, int dir, const char *name,
    char **over, int nover);
/* The key of KEY=VALUE or KEY, and what follows a family's dot in *sub; -1. */
int conf_key(const char *word, const char **sub);
/* The number of a signal by its name or number; 0: none. */
int conf_signal(const char *);
/* Prints the table of keys, one a line: for -h, and the documents' source. */
void conf_help(void);
/* The next setting of that key after s (NULL: the first), or NULL. */
const struct setting *conf_next(const struct conf *, enum key_id,
    const struct setting *s);
/* The text of the setting, "key=value", in a buffer that the next call uses
 * again. */
const char *conf_text(const struct setting *);
/* "FILE:LINE: " of the key, or "" where its default holds.  Never NULL. */
const char *conf_where(const struct conf *, enum key_id);
#define each(c, s, id) \
	const struct setting *s = conf_next(c, id, NULL); s; \
	s = conf_next(c, id, s)

/* ---- the life of one container: everything that changes ---- */

enum { MAXHIER = 24, MAXBIND = 256, NAME_LEN = 64 };

struct hier {			/* one mounted cgroup hierarchy */
	char ctrl[64];		/* "cpu,cpuacct", "name=systemd"; "" is v2 */
	char *path;		/* its mount point, for messages; allocated */
	dev_t dev;		/* its file system */
	int base;		/* the folder of crun, for who starts; else -1 */
	int group;		/* crun-os/NAME, which has the limits */
	int payload;		/* crun-os/NAME/payload, or group once more */
	int tasks;		/* v1: payload/tasks, the child joins by it */
};

struct seen {			/* what a path of the host led to */
	mode_t mode;		/* 0: it was not there */
	dev_t dev, rdev;
	ino_t inode;
};

struct made {			/* a folder or an empty file in the rootfs */
	char *path;
	ino_t inode;		/* who it is, wherever path leads later */
};

struct run {
	const struct conf *conf;
	int begun;		/* stages whose _host has been called */
	int signals;		/* signalfd(2): all that the supervisor takes */
	int request;		/* the value of the last ASK */
	/* wait.c */
	int patience;		/* ms that we wait for others still, in all */
	int starting;		/* a signal ends that */
	int heard;		/* the one that did; 0: none */
	int stuck;		/* the init was killed and does not die */
	int left;		/* groups that NAME/host has to name still */
	int early, early_request;	/* one came before the init ran */
	/* ns.c */
	pid_t pid;		/* the init, as the supervisor sees it */
	int pidfd, proc;	/* proc: /proc/PID of the init, O_PATH */
	int supervisor;		/* pidfd; of whoever is not the supervisor */
	pid_t supervisor_pid;	/* likewise */
	int go[2], report[2];
	/* idmap.c */
	struct idmap *uid, *gid;
	size_t nuid, ngid;
	off_t range;		/* its byte in the marker; 0: none */
	int shifted;		/* files on disk are of the range already */
	int own_ids;		/* the maps are of our own ids, one to one */
	/* by mount.c and device.c, once; they stay over a reboot */
	struct seen *seen;	/* the rootfs, then the binds */
	struct seen *node;	/* the devices */
	size_t nseen;		/* of each */
	/* cgroup.c */
	struct hier hier[MAXHIER];
	size_t nhier;
	char delegated[256];	/* our own group, where it is delegated */
	enum view view;		/* resolved */
	/* device.c */
	struct hier *device;	/* v1, with the lists; NULL: by a program */
	int bind_nodes;		/* in /dev are files, for binds of our nodes */
	uint64_t caps;		/* conf->caps, or less; sec.c */
	/* mount.c */
	int tree, dev, pts;	/* detached mounts: rootfs, /dev, devpts */
	int bind[MAXBIND];	/* detached, in the order of the bind keys */
	int procfs, sysfs;	/* the child's mounts on /proc and /sys */
	int private;		/* we left the host's mount namespace */
	int hostns, hostroot;	/* the way back to it, or -1 */
	struct made *made;	/* what the child made in the rootfs to */
	size_t nmade;		/* mount on; goes again if the start fails */
	int stage;		/* where mounts are locked on their way */
	int old;		/* a kernel without mount_setattr(2) */
	char stage_path[128];
	/* net.c */
	char link[IFNAMSIZ];	/* the host's end; "" before it is made */
	uint32_t bridge;	/* its index */
	/* console.c */
	int master, slave;	/* the pty; -1: none */
	int ttys;		/* bits: which of 0, 1, 2 are to be the pty */
	int std[3];		/* what the init gets as 0, 1, 2 */
	/* log.c, attach.c */
	int log;		/* NAME/log; -1: nothing was printed yet */
	uint64_t logged;	/* bytes ever */
	int listener, typist;	/* NAME/console, and who types there */
	/* detach.c */
	int background;		/* -d */
	int detached;		/* nothing of the caller's is left */
	int ready;		/* seconds that somebody waits; 0: nobody */
	int waiter;		/* the pipe to who waits */
	int notify;		/* NOTIFY_SOCKET's other end */
	/* state.c */
	int state, lock;	/* the folder /run/crun-os/NAME, its lock */
	int marker;		/* /run/crun-os/.marker, with our range locked */
	off_t recorded;		/* bytes of NAME/host that we wrote */
	off_t kept;		/* of these, what stays over a reboot */
	uint64_t generation;	/* of NAME/conf as we wrote it */
	int statedir_made;	/* bits: 1 /run/crun-os, 2 its parent */
};

void run_clear(struct run *);	/* runc.c: nothing open, nothing made */

/* ---- util.c: messages, small helpers ---- */

enum { QUIET = -1, NORMAL, VERBOSE };
extern int verbosity;
/* What die() does with its line: the supervisor unwinds and exits, the child
 * sends it to the supervisor.  Does not return. */
extern void (*on_die)(int status, const char *line);
/* Where -v's lines go; swapped at the fork like on_die. */
extern void (*on_step)(const char *line);
struct pollfd;
/* From here on no line waits for its reader: what is not taken is kept, and
 * gets a last half second at exit(3).  The supervisor, and whoever relays. */
void say_nonblock(void);
/* Fills an entry for poll(2); and writes what that says can be. */
void say_poll(struct pollfd *);
void say_served(const struct pollfd *);
/* Ends that: what is kept still is said by to(), and standard error is let go
 * of. */
void say_elsewhere(void (*to)(const char *line));
/* A way to our standard file i on which no write waits: a descriptor of our
 * own, or i where it needs none or none can be had. */
int open_nonblock(int i);
/* As write(2) on such a one, or on a socket: -1 and EAGAIN where it would
 * wait. */
ssize_t write_nonblock(int fd, const char *text, size_t n);

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
/* The length of the character that the n bytes begin with, ASCII or UTF-8.  0:
 * the first is no character, or one that drives a terminal, and is to be
 * escaped.  n is not 0. */
size_t printable(const char *text, size_t n);
/* That character, or the \xNN of a byte, as a string of ESCAPED bytes at most;
 * gives how many bytes of text that was. */
enum { ESCAPED = 5 };
size_t escape(char *out, const char *text, size_t n);
/* The real, effective and saved ids, or the supplementary groups; -1 and errno,
 * and some may be set then. */
int take_ids(uid_t uid, gid_t gid);
int take_groups(size_t n, const gid_t *groups);
/* The effective ids, by a process whose real ones are root's. */
int act_as(uid_t uid, gid_t gid);
/* Nobody but root of our user namespace can trace us, or look at what we have
 * open, from here to exec or to the next change of ids; or die(). */
void hide(void);
/* Whether our user namespace is the host's, not that of a container. */
int in_first_userns(void);
/* What was printed on standard output is out, or die(). */
void flush_output(void);

/* realloc() and a new string that never give NULL: they die. */
void *xrealloc(void *, size_t count, size_t size)
    __attribute__((returns_nonnull));
char *xprintf(const char *fmt, ...)
    __attribute__((returns_nonnull, format(printf, 1, 2)));
/* snprintf() for names that must fit; dies where they do not. */
void put(char *buf, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A stable hash of a name, for ids, links and addresses. */
uint64_t hash(const char *);
/* Closes *fd unless it is -1, and makes it -1. */
void shut(int *fd);
/* The file's text, cut at size - 1, NUL-terminated.  Gives its length, or
 * -1 and errno. */
ssize_t read_at(int dir, const char *path, char *buf, size_t size);
/* One write(2) of text into an existing file.  0, or -1 and errno. */
int write_at(int dir, const char *path, const char *text);
/* As write_at(), but makes a regular file of that mode or empties it. */
int create_at(int dir, const char *path, const char *text, mode_t mode);
long long now_ms(void);		/* CLOCK_MONOTONIC, milliseconds */
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

/* ---- runc.c: the supervisor ---- */

/* crun stop and crun reboot ask a supervisor by this signal, a real-time one,
 * of which none is lost; sigqueue(3), its value: SECONDS << 1 | REBOOT, where
 * 0 seconds are stop.timeout's. */
enum { ASK = 50 };
/* From now on signals are taken by r->signals. */
void signals_take(struct run *);
/* Takes a signal that asks the supervisor to end from r->signals; 0: none.
 * After ASK its value is in r->request. */
int signal_pending(struct run *);

/* ---- wait.c: waiting for others ---- */

/* An ASK that came when there was no init: it is done in the next life.  A stop
 * is not undone by a reboot that is asked for after it. */
void wait_early(struct run *);
/* Waits for an event of poll(2) as long as there is patience, and at least
 * for a glance.  1: it is there; 0: not in time, or a signal came first.  Its
 * messages go out meanwhile. */
int wait_for(struct run *, int fd, short events);
/* Dies, since it was waited for in vain: with a line that ends in why, and
 * the status of the signal where that was the end. */
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

/* ---- state.c: /run/crun-os ---- */

/* Takes the name's lock; dies when it is running; cleans what a dead
 * supervisor of that name left. */
void state_host(struct run *);
void state_undo(struct run *);
/* Writes down what is about to be made on the host: lines "cgroup PATH",
 * "link NAME" or "ids N".  Dies when it cannot. */
void state_record(struct run *, const char *lines);
/* Between two lives: what was written down has been removed, or, where crun
 * set has made it, is removed now; but for what the stages keep. */
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
/* Whether somebody else has put one there since. */
int state_conf_changed(struct run *);
/* Writes how the container ended, for whoever waits: crun's exit status, and
 * whether it was killed since it did not power off. */
void state_ended(struct run *, int status, int killed);

enum life {
	NONE,			/* no such container */
	DEAD,			/* its supervisor was killed */
	STARTING,		/* or between two lives; no init yet */
	ENDING,			/* the init has ended, its supervisor has not */
	RUNNING,
};
/* For all but the supervisor: opens the folder, the lock, and pidfds, into a
 * run that holds nothing: of the supervisor where it is RUNNING, ENDING or, if
 * it can be found, STARTING; of the init where it is RUNNING.  Dies where the run-time
 * folder is somebody else's. */
enum life state_open(struct run *, const char *name);
void state_close(struct run *);
/* When a process began, in ticks since boot, from its /proc/PID/stat; 0 where
 * that cannot be read. */
unsigned long long state_start_time(int dir, const char *stat);
/* What state_ended() wrote; -1: nothing. */
int state_status(const struct run *, int *killed);
/* The names of all folders, sorted, and their number.  Dies when they cannot
 * be read. */
char **state_names(size_t *);
/* Removes what a dead supervisor of that name left; 0: there was none. */
int state_clean(const char *name);
/* Removes the run-time folder, unless a container or a range of ids is in
 * it. */
void state_clean_rest(void);
/* Takes a range of the pool that no other container holds and gives its
 * number, trying from first on; writes it down; dies when all are taken. */
uint32_t state_range(struct run *, uint32_t first, uint32_t count);
void state_range_undo(struct run *);

/* ---- verbs.c, stat.c: crun VERB ---- */

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

/* ---- idmap.c: uid and gid maps ---- */

void idmap_host(struct run *);
void idmap_attach(struct run *);
void idmap_undo(struct run *);
/* The host's id of a container's id; 0's where it has none. */
uid_t idmap_uid(const struct run *, uid_t inside);
gid_t idmap_gid(const struct run *, gid_t inside);
/* Sets attr and private propagation on the mount fd, and with map the
 * container's idmap, for which it must be detached; rec: all the mounts below
 * it too.  Dies with a line that names path and its file system when that
 * cannot be idmapped. */
void idmap_mount(const struct run *, int fd, const char *path,
    uint64_t attr, int rec, int map, const char *where);

/* ---- self.c: crun's own program ---- */

void self_begin(char **argv);		/* main()'s */
/* What others see of our command line and environment is name from here on, and
 * so are all pointers into them void. */
void self_forget(const char *name);
/* Where a configuration comes from that is standard input. */
int self_input(void);
/* Whether root of such a container could write to our program's file. */
int self_exposed(const struct conf *);
/* Begins anew with the same arguments in a sealed copy of crun, unless that
 * is where we are; input is what standard input has given already, or NULL.
 * Before anything is made.  Dies where the kernel refuses. */
void self_seal(const char *input);

/* ---- ns.c: the clone and the handshake ---- */

/* clone3; the child runs child(r) and does not return. */
void ns_spawn(struct run *, void (*child)(struct run *));
void ns_release(struct run *);
/* Waits until the init has been exec'd; dies with the child's line if it
 * was not. */
void ns_report(struct run *);
/* Tells the supervisor what was made in the rootfs.  The child. */
void ns_made_child(const char *path, ino_t);
/* Why the child failed, and its exit status, if it has said so; else NULL. */
const char *ns_reason(struct run *, int *status);
void ns_undo(struct run *);
/* The child's side: waits for GO, exits when the supervisor is gone. */
void ns_wait_child(struct run *);
/* Root of the user namespace, no groups, dies with the supervisor. */
void ns_identity_child(struct run *);
void ns_uts_child(struct run *);
/* Handlers and mask as a fresh process has them. */
void ns_signals_child(void);
/* The init's environment, with room for so many more. */
char **ns_environment(const struct run *, size_t more);
/* Adds NAME=VALUE, or puts it in the place of another value. */
void ns_put_env(char **env, const char *text);
/* A session of its own, with 0, 1, 2 as r->std says; all other files are
 * closed but *keep, which closes at exec. */
void ns_session_child(struct run *, int *keep);
/* The pty, where there is one, becomes the controlling terminal. */
void ns_terminal_child(const struct run *);
/* execs conf->program, looked for in the PATH of env; dies when it cannot. */
void ns_exec_program(const struct run *, char **env) __attribute__((noreturn));
/* execs the init, or becomes the built-in PID 1 of the program. */
/* Dies: a clone(2) has failed, by errno. */
void ns_no_process(const char *where) __attribute__((noreturn));
void ns_exec_child(struct run *) __attribute__((noreturn));

/* ---- mount.c ---- */

/* Moves the supervisor into a mount namespace of its own, and makes there
 * what the host lacks. */
void private_host(struct run *);
void private_undo(struct run *);
void mount_host(struct run *);
void mount_attach(struct run *);
void mount_undo(struct run *);
enum { DETACH = 2 };			/* MNT_DETACH, umount2(2) */

/* openat2(2) below root: never leaves it, follows no magic link; more are
 * further RESOLVE_ flags.  -1 and errno where it cannot. */
int open_how(int root, const char *path, int flags, mode_t mode,
    uint64_t more);
int open_beneath(int root, const char *path, int flags);
/* An O_PATH descriptor of a path of the host.  Without follow no link in it is
 * followed; more are further RESOLVE_ flags.  -1 and errno where it cannot:
 * ELOOP for a link. */
int open_host(const char *path, int follow, uint64_t more);
/* Likewise, of one that the configuration names, and writes down in *seen what
 * it is.  Dies where it would follow a link, with what that leads to, and
 * where *seen is of an earlier life and another. */
int open_named(struct run *, const struct setting *, const char *path,
    int follow, struct seen *);
/* A detached mount of a new file system; options are "NAME=VALUE NAME ...".
 * This and the next three: -1 and errno where they cannot. */
int new_mount(const char *fstype, const char *options, uint64_t attr);
/* Attaches a mount on a target, both open. */
int mount_at(int mount, int target);
/* A detached clone of a mount; flags: AT_RECURSIVE, AT_EMPTY_PATH. */
int clone_tree(int dir, const char *path, int flags);
/* Sets MOUNT_ATTR_* and private propagation, with rec of all mounts below too.
 * Before Linux 5.12 the mount must be attached in our mount namespace, and have
 * none below with rec: ENOSYS. */
int set_attr(int mount, uint64_t attr, int rec);
/* The attributes of the rootfs, and of a bind, as configured.  Called where
 * there is a stage by the supervisor, else by the child once it is attached. */
void mount_set_rootfs(const struct run *);
void mount_set_bind(const struct run *, const struct setting *, int fd);

/* ---- rootfs.c: the tree, put together by the child ---- */

/* The folder that holds path's last part, which is put in *last; below root,
 * as open_beneath() finds it.  -1 and errno where it cannot. */
int open_parent(int root, const char *path, const char **last);
void stage_child(struct run *);		/* before GO, with the caller's ids */
void rootfs_child(struct run *);
void rootfs_files_child(struct run *);	/* resolv.conf, hostname; the last */
void rootfs_restore_child(void);	/* those again, where a start fails */

/* ---- net.c ---- */

void net_host(struct run *);
void net_attach(struct run *);
void net_child(struct run *);
void net_undo(struct run *);
/* Deletes a link of that name; a missing one is no error. */
void net_delete(const char *link);

/* ---- cgroup.c ---- */

void cgroup_host(struct run *);
void cgroup_child(struct run *);	/* before GO: joins, cgroup namespace */
void cgroup_started(struct run *);	/* closes what only the start needed */
void cgroup_undo(struct run *);
/* Warns about out-of-memory kills since the start, with the limit. */
void cgroup_oom(struct run *);
/* Kills and removes a group that a dead supervisor left; what is as
 * state_record() got it.  As ungroup(). */
const char *cgroup_remove(struct run *, const char *what);
/* A process that a v1 freezer holds does not die: so all groups of a container
 * are thawed before anything in them is killed, by whatever hierarchy.  That
 * of one that is left, and those of a run. */
void cgroup_thaw_left(const char *what);
void cgroup_thaw_all(const struct run *);
/* Where the hierarchy of a v1 controller is mounted; -1: nowhere. */
int cgroup_mount(const char *ctrl, char *path, size_t size);
/* The folder that such a group is in; -1 and errno. */
int cgroup_top(const char *what);
/* How a group is opened. */
#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)


struct limit {			/* a key that is a file of a controller */
	enum key_id id;
	const char *ctrl, *ctrl1;	/* the controller, its name on v1 */
	const char *file, *file1;
	void (*text)(const struct conf *, int v1, char *, size_t);
	const char *unset, *unset1;	/* the text for no limit; NULL: what */
				/* the group above has */
};
extern const struct limit cgroup_limits[];	/* ends with a NULL file */
/* The v1 hierarchy of a controller or name=NAME, added where the host has
 * mounted it; else NULL.  Before the groups are made. */
struct hier *cgroup_v1(struct run *, const char *ctrl);
/* For a container that runs: enables a controller that it had no use for, or
 * makes a group in its v1 hierarchy, and records it.  Dies, saying why, where
 * the host has none. */
struct hier *cgroup_add(struct run *, const char *ctrl, const char *ctrl1,
    const struct setting *);

/* ---- ungroup.c ---- */

/* Kills what is in a group and removes it, and all below it.  what is its
 * path, for messages, and ends in its name in the folder top.  NULL: it is
 * gone; else a line with the process that does not die, or why else it
 * stays. */
const char *ungroup(struct run *, int top, const char *what);
/* Thaws a group of the v1 freezer, and those below it. */
void cgroup_thaw(int group);
/* Whether a cgroup.events that is open as events has that line now, "populated
 * 1", say; poll(2) then waits for a change of it, cgroup-v2.rst. */
int cgroup_says(int events, const char *line);
#define BLKIO_ONE "blkio.throttle."	/* files of v1 that hold for one group */

/* ---- device.c ---- */

/* Makes the nodes of config.h and of the device keys in r->dev.  Dies where
 * the host has no such device. */
void device_nodes(struct run *);
/* Whether devices are to be walled off: not with device=all, and not in a
 * user namespace below the first. */
int device_walled(const struct conf *);
/* What of conf->caps is kept: mknod only behind the wall. */
uint64_t device_caps(const struct conf *);
/* For cgroup_host(), before the groups are made: by a program, or by a v1
 * hierarchy, which it adds.  Dies where the host offers neither way. */
void device_choose(struct run *);
/* Likewise, when they are, and are empty still. */
void device_lists(struct run *);
void device_attach(struct run *);
/* In a container: our own nodes over the files in the child's /dev. */
void device_child(struct run *);

/* ---- live.c: the cgroups of what runs ---- */

/* Opens the groups that NAME/host names and that are not open yet; those that
 * cannot be opened are left out, and the first of them is given, and errno.
 * NULL: all are open. */
const char *cgroup_open(struct run *);
/* Likewise, for what would do harm if one was left out.  -1: one is, or there
 * is none, and that has been told. */
int cgroup_open_all(struct run *, const char *name);
void cgroup_close(struct run *);
/* Reads a file of the first hierarchy that has it; its length, or -1. */
ssize_t cgroup_read(const struct run *, const char *file, char *buf,
    size_t size);
/* The processes in and below the groups; of cgroups nested deeper than 64 the
 * rest is not counted. */
unsigned long cgroup_count(const struct run *);
/* 0: as asked, and the kernel says so.  -1 and errno: ETIMEDOUT where a
 * process does not let itself be frozen. */
int cgroup_freeze(const struct run *, int frozen);
int cgroup_frozen(const struct run *);
/* Kills all that is in the v2 group, and thaws what is frozen in any. */
void cgroup_kill(const struct run *);
/* Changes limits, all or none, and the saved configuration with them.  conf
 * is the new one; asked are the changed settings, an empty value unsets.  Dies
 * with the first that cannot be. */
void cgroup_set(struct run *, const struct setting *asked, size_t n);

/* ---- sec.c: the last gate before exec ---- */

void sec_attach(struct run *);		/* rlimits, sysctls */
void sec_keyring_child(struct run *);
void sec_bound_child(struct run *);	/* the bounding set, no ambient */
void sec_caps_child(struct run *);	/* the other sets */
void sec_limits_child(const struct run *);	/* just before exec */
/* Closes everything above standard error but the fd keep, which gets the
 * number 3. */
int sec_close_child(int keep);
/* Gives -1 unless text is a capability's name, with or without cap_. */
int sec_cap(const char *text, size_t len);
int sec_rlimit(const char *name);	/* RLIMIT_*, or -1 */

/* ---- seccomp.c ---- */

/* Loads the filter of system calls, for which the process needs
 * CAP_SYS_ADMIN still; dies where the kernel has none. */
void seccomp_child(struct run *);

/* ---- console.c ---- */

/* Which of our 0, 1, 2 are terminals; dies when one is a folder. */
void console_files(struct run *);
void console_host(struct run *);
void console_undo(struct run *);
/* The caller's terminal becomes raw, relaying begins.  Supervisor. */
void console_begin(struct run *);
/* Fills four entries for poll(2). */
void console_poll(struct pollfd *);
/* Moves what poll(2) said can be moved.  1: Ctrl-] was typed three times. */
int console_relay(struct run *, const struct pollfd *);
/* The init has ended: writes out what it printed last, and restores.  patient:
 * for as long as the reader takes, or until a signal comes, which is given, with
 * its value in r->request; else 0. */
int console_end(struct run *, int patient);
/* The last 400 characters that were printed, as one line. */
const char *console_tail(void);
/* Whether the last that was printed is a prompt, on a terminal that has a
 * session. */
int console_prompt(const struct run *);
/* Whether our own input types on the console. */
int console_typed(void);
void console_resize(struct run *);
/* The caller's terminal, where standard input is one: raw, and as it was.  In
 * the background it is left alone. */
void console_raw(void);
void console_restore(void);
/* Our own way to standard output, where no write waits. */
int console_output(void);

enum { PUMP_SIZE = 1 << 16 };
struct pump {			/* one direction */
	int from, to;		/* -1: shut */
	size_t off, len;	/* what of buf is still to be written */
	char *buf;
	size_t size;
};
/* Fills two entries for poll(2). */
void pump_poll(const struct pump *, struct pollfd *);
/* Moves what was typed.  1: three Ctrl-] within a second, which are passed on
 * too. */
int pump_typed(struct pump *, const struct pollfd *);

/* ---- log.c: what the console printed ---- */

enum { LOG_CHUNK = 4096, LOG_LINE = 400 };

/* Never waits, and never fails: what cannot be written is lost.  The
 * supervisor. */
void log_write(struct run *, const char *, size_t);
/* From now on messages go to the log. */
void log_messages(struct run *);

struct reader {
	int dir;		/* the container's folder */
	int fd;			/* -1: not opened yet */
	uint64_t pos;		/* the next byte */
	int still;		/* to go on to what is there at the first */
	uint64_t end;		/* read only */
};
/* The next bytes, at most size; 0: there are no more now.  What was
 * overwritten before it was read is passed over. */
size_t log_read(struct reader *, char *, size_t size);
/* Goes to the beginning of the last so many lines, of LOG_LINE bytes each if
 * they are long. */
void log_last(struct reader *, int lines);
/* An inotify(7) descriptor that is readable when there may be more; and
 * takes what can be read from it. */
int log_watch(const struct run *);
void log_watched(int);

/* ---- attach.c: typing on the console of what runs ---- */

void attach_host(struct run *);
void attach_undo(struct run *);
/* A console has begun: the one that types gets it. */
void attach_begin(struct run *);
/* Fills two entries for poll(2). */
void attach_poll(const struct run *, struct pollfd *);
void attach_serve(struct run *, const struct pollfd *);
/* crun console: until it is let go of or the container ends; the status. */
int attach_console(struct run *, const char *name);

/* ---- detach.c: in the background ---- */

/* Goes on in a child, which is the supervisor; the caller waits and exits. */
void detach(struct run *);
/* The init runs; the system is up; all has ended.  Each is told to who
 * waits. */
void detach_started(struct run *);
void detach_ready(struct run *);
void detach_ended(struct run *, int status, const char *last);
void notify_host(struct run *);
/* Binds the socket in the working folder.  The child. */
void notify_child(struct run *);
void notify_undo(struct run *);
/* 1: the init says that it is ready. */
int notify_received(struct run *);

/* ---- exec.c: a program in a container that runs ---- */

struct request {
	const char *user;	/* a number, or a name in the guest's passwd; */
				/* NULL: root, as the init */
	const char *dir;	/* NULL: /, or a login's home */
	char **env;		/* NAME=VALUE */
	int nenv;
	char **argv;		/* NULL: a login shell */
};
/* Needs verb_find(), conf, cgroup_open_all() and signals_take(); gives the
 * program's exit status, or dies. */
int exec_run(struct run *, const struct request *);
/* The supervisor: runs a program of the guest's inside, as exec_run() would,
 * with no files; neither waits for it nor says what becomes of it. */
void exec_guest(const struct run *, char **argv);

/* ---- stop.c: asking an init to end ---- */

/* Asks for a power-off or a reboot.  1: done; 0: the init is not ready to
 * hear it, ask again. */
int stop_ask(const struct run *, int reboot);
/* Whether the init is of those that say READY=1, config.h. */
int stop_notifies(const struct run *);
/* Sends a signal to the init; 1: done. */
int stop_signal(const struct run *, int sig);
