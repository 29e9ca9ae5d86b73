/* User and group ids: the maps of the user namespace, idmapped mounts. */
#ifndef IDMAP_IDMAP_H
#define IDMAP_IDMAP_H

#include <stdint.h>
#include <stddef.h>
#include <sys/types.h>

struct run;

struct ids {
	struct idmap *uid, *gid;
	size_t nuid, ngid;
	int own_ids;		/* the maps are of our own ids, one to one */
	uid_t tty_uid;		/* the owner of its terminals, on the host */
	gid_t tty_gid;
};

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

#endif
