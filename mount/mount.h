/* The file tree: what the supervisor prepares, what the child puts together. */
#ifndef MOUNT_MOUNT_H
#define MOUNT_MOUNT_H

struct run;
struct setting;

enum { DETACH = 2 };			/* MNT_DETACH, umount2(2) */

/* ---- private.c ---- */

/* Moves the supervisor into a mount namespace of its own, and makes there
 * what the host lacks. */
void private_host(struct run *);
void private_undo(struct run *);

/* ---- mount.c ---- */

void mount_host(struct run *);
void mount_attach(struct run *);
void mount_undo(struct run *);
/* The attributes of the rootfs, and of a bind, as configured.  Called where
 * there is a stage by the supervisor, else by the child once it is attached. */
void mount_set_rootfs(const struct run *);
void mount_set_bind(const struct run *, const struct setting *, int fd);

/* ---- path.c ---- */

/* wait_open() of a path that the configuration names, and writes down in *seen
 * what it is.  Dies where it would follow a link, with what that leads to, and
 * where *seen is of an earlier life and another. */
int open_named(struct run *, const struct setting *, const char *path,
    int follow, struct seen *);

/* ---- rootfs.c ---- */

void stage_child(struct run *);		/* before GO, with the caller's ids */
void rootfs_child(struct run *);

/* ---- files.c ---- */

void rootfs_files_child(struct run *);	/* resolv.conf, hostname; the last */
void rootfs_restore_child(void);	/* those again, where a start fails */

/* ---- dev.c ---- */

/* Makes the nodes of config.h and of the device keys in r->dev.  Dies where
 * the host has no such device. */
void device_nodes(struct run *);
/* In a container: our own nodes over the files in the child's /dev. */
void device_child(struct run *);

#endif
