/* The tree: what the files of this room share. */
#ifndef MOUNT_TREE_H
#define MOUNT_TREE_H

struct run;

/* ---- files.c ---- */

/* Makes /run/host: who we are, and the notify socket.  Dies. */
void run_host_child(struct run *r);

/* ---- masks.c ---- */

/* Covers what of /proc and /sys is not for the guest.  Dies. */
void masks_child(struct run *r);

/* ---- path.c ---- */

/* As many as there are settings will do; a later life may have more. */
void path_make_seen(struct run *r);

/* ---- rootfs.c ---- */

/* Mounts over a path below /proc or /sys.  Dies, also where there is none. */
void kernel_mount(const struct run *r, int mount, const char *path);
/* A path below /proc or /sys, in the mounts that we have put there; -1 where
 * this kernel does not have it. */
int kernel_open(const struct run *r, const char *path, int flags);

/* ---- target.c ---- */

/* Makes the missing folders of path, all but the last part. */
void target_parents(int root, const char *path, const char *where);
/* Attaches a mount on target_open() of path.  Dies. */
void target_mount(int root, int mount, const char *path, int folder,
    const char *where);
/* The target of a mount, by descriptor; a missing one is made: a folder, or
 * an empty file. */
int target_open(int root, const char *path, int folder, const char *where);

/* ---- view.c ---- */

/* Resolves cgroup.view=auto, by the systemd that the rootfs has. */
void view_host(struct run *r);

#endif
