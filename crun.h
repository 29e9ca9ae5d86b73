/* What all files share: struct run, the life of one container.
 *
 * Each room has a header of its own with its contracts.  A prototype's comment
 * says what it needs, what it gives, which process may call it and how it
 * fails.  "Dies" means die() of lib.h: in the supervisor everything begun is
 * undone and crun exits with 125; in the child the line travels to the
 * supervisor, which does the same.
 *
 * A suffix says which process runs a function and when:
 *   _host    the supervisor, before the clone
 *   _attach  the supervisor, the child exists and waits
 *   _child   the child, between GO and exec
 *   _undo    the supervisor, at the end or after a failure; may be called
 *            whatever has been done, and only warns
 */
#include <net/if.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf/conf.h"
#include "lib/lib.h"

enum { MAXHIER = 24, MAXBIND = 256 };

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
	/* sup/wait.c */
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
	uid_t tty_uid;		/* the owner of its terminals, on the host */
	gid_t tty_gid;
	/* mount/path.c and dev.c, once; they stay over a reboot */
	struct seen *seen;	/* the rootfs, then the binds */
	struct seen *node;	/* the devices */
	size_t nseen;		/* of each */
	/* cgroup.c */
	struct hier hier[MAXHIER];
	size_t nhier;
	char delegated[256];	/* our own group, where it is delegated */
	enum view view;		/* resolved */
	/* cgroup/device.c */
	struct hier *device;	/* v1, with the lists; NULL: by a program */
	int bind_nodes;		/* in /dev are files, for binds of our nodes */
	uint64_t caps;		/* conf->caps, or less; sec/caps.c */
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
	/* tty/console.c */
	int master, slave;	/* the pty; -1: none */
	int ttys;		/* bits: which of 0, 1, 2 are to be the pty */
	int std[3];		/* what the init gets as 0, 1, 2 */
	/* tty/log.c, tty/attach.c */
	int log;		/* NAME/log; -1: nothing was printed yet */
	uint64_t logged;	/* bytes ever */
	int listener, typist;	/* NAME/console, and who types there */
	/* sup/detach.c */
	int background;		/* -d */
	int detached;		/* nothing of the caller's is left */
	int ready;		/* seconds that somebody waits; 0: nobody */
	int waiter;		/* the pipe to who waits */
	int notify;		/* NOTIFY_SOCKET's other end */
	/* sup/state.c */
	int state, lock;	/* the folder /run/crun-os/NAME, its lock */
	int marker;		/* /run/crun-os/.marker, with our range locked */
	off_t recorded;		/* bytes of NAME/host that we wrote */
	off_t kept;		/* of these, what stays over a reboot */
	uint64_t generation;	/* of NAME/conf as we wrote it */
	int statedir_made;	/* bits: 1 /run/crun-os, 2 its parent */
};

void run_clear(struct run *);	/* runc.c: nothing open, nothing made */

