/* The file tree: what the supervisor prepares, what the child puts together. */
#ifndef MOUNT_MOUNT_H
#define MOUNT_MOUNT_H

#include "conf/conf.h"
#include "lib/lib.h"

struct run;
struct setting;

struct seen {			/* what a path of the host led to */
	mode_t mode;		/* 0: it was not there */
	dev_t dev, rdev;
	ino_t inode;
};

struct made {			/* a folder or an empty file in the rootfs */
	char *path;
	ino_t inode;		/* who it is, wherever path leads later */
};

/* One mount that the configuration asks for. */
struct entry {
	const struct setting *s;	/* of bind or tmpfs */
	const char *target;
	int mount;		/* a bind's, detached; -1: passed over, or the */
				/* child makes it */
};

struct mounts {
	struct seen *seen;	/* what the rootfs and each bind was at the */
	struct seen *node;	/* start, and each device: so it must be at */
	size_t nseen;		/* a reboot; as many of each */
	int tree, dev, pts;	/* detached mounts: rootfs, /dev, devpts */
	int shifted;		/* the rootfs has its ids in the range already */
	enum view view;		/* of cgroups, as cgroup.view or auto found it */
	struct entry *list;	/* in the order of the file */
	size_t nlist;
	int bind_nodes;		/* in /dev are files, for binds of our nodes */
	int procfs, sysfs;	/* the child's mounts on /proc and /sys */
	int private;		/* we left the host's mount namespace */
	int hostns, hostroot;	/* the way back to it, or -1 */
	struct made *made;	/* what the child made in the rootfs to */
	size_t nmade;		/* mount on; goes again if the start fails */
	int passage;		/* where mounts are locked on their way */
	int old;		/* a kernel without mount_setattr(2) */
	char passage_path[STATE_PATH];
};

#define MOUNTS_NONE { .tree = -1, .dev = -1, .pts = -1, .procfs = -1, \
	.sysfs = -1, .hostns = -1, .hostroot = -1, .passage = -1 }

enum { DETACH = 2 };			/* MNT_DETACH, umount2(2) */

/* ---- private.c ---- */

/* Moves the supervisor into a mount namespace of its own, and makes there
 * what the host lacks. */
void private_host(struct run *);
void private_undo(struct run *);

/* ---- mount.c ---- */

void mount_host(struct run *);
void mount_attach(struct run *);
/* Takes a line of ns_made_child(): what the child has made in the rootfs. */
void mount_made(struct run *, const char *line);
/* The child has taken all mounts, and what it made in the rootfs stays. */
void mount_started(struct run *);
void mount_undo(struct run *);
/* The attributes of the rootfs, and of a bind, as configured.  Called where
 * there is a passage by the supervisor, else by the child once it is
 * attached. */
void mount_set_rootfs(const struct run *);
void mount_set_bind(const struct run *, const struct entry *);

/* ---- path.c ---- */

/* wait_open() of a path that the configuration names, and writes down in *seen
 * what it is.  Dies where it would follow a link, with what that leads to, and
 * where *seen is of an earlier life and another. */
int open_named(struct run *, const struct setting *, const char *path,
    int follow, struct seen *);

/* ---- rootfs.c ---- */

/* Opens it: before IDS_READY, with the caller's ids. */
void mount_passage_child(struct run *);
void rootfs_child(struct run *);

/* ---- files.c ---- */

void rootfs_files_child(struct run *);	/* resolv.conf, hostname; the last */
void rootfs_restore_child(void);	/* those again, where a start fails */

/* ---- dev.c ---- */

/* Makes the nodes of config.h and of the device keys in r->mount.dev.  Dies
 * where the host has no such device. */
void dev_nodes(struct run *);
/* In a container: our own nodes over the files in the child's /dev. */
void dev_child(struct run *);

#endif
