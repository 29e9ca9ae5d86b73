/* The nodes in the container's /dev. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "idmap/idmap.h"
#include "lib/lib.h"
#include "mount/mount.h"
#include "config.h"

/* ---- the nodes ---- */

static void
give_to_root(struct run *r, const char *name)
{
	if (r->ids.nuid &&
	    fchownat(r->mount.dev, name, idmap_uid(r, 0), idmap_gid(r, 0),
		AT_SYMLINK_NOFOLLOW) < 0)
		die("the owner of /dev/%s:", name);
}

/* A file in the place of the node, which the child binds over it. */
static void
make_placeholder(struct run *r, const char *name, const char *where)
{
	int fd = openat(r->mount.dev, name, O_WRONLY | O_CREAT | O_CLOEXEC,
	    0600);

	if (fd < 0)
		die("%smaking /dev/%s:", where, name);
	close(fd);
	r->mount.bind_nodes = 1;
}

/* Two keys may name one device. */
static void
make_node(struct run *r, const char *name, mode_t mode, dev_t dev,
    const char *where)
{
	struct stat st;

	if (r->mount.bind_nodes) {
		make_placeholder(r, name, where);
	} else if (mknodat(r->mount.dev, name, mode, dev) < 0 &&
	    (errno != EEXIST ||
		fstatat(r->mount.dev, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		st.st_rdev != dev ||
		(st.st_mode & S_IFMT) != (mode & S_IFMT))) {
		if (errno != EPERM || in_first_userns())
			die("%smaking /dev/%s:", where, name);
		make_placeholder(r, name, where);
	}
	give_to_root(r, name);
}

/* The folders of /dev/NAME, below r->mount.dev. */
static void
make_folders(struct run *r, const char *name, const char *where)
{
	const char *p = name;
	char *folder;

	while ((p = strchr(p, '/'))) {
		folder = xprintf("%.*s", (int)(p++ - name), name);
		if (mkdirat(r->mount.dev, folder, 0755) < 0 && errno != EEXIST)
			die("%smaking /dev/%s:", where, folder);
		give_to_root(r, folder);
		free(folder);
	}
}

/* The host's node, once in a life. */
static void
look_at(struct run *r, const struct setting *s, struct seen *node)
{
	const struct device *d = &s->u.device;
	int fd = open_named(r, s, d->node, d->follow, node);

	if (fd < 0 && errno == ENOENT)
		die("%sdevice=%s: the host has no such device; is its driver "
		    "loaded?", s->where, d->node);
	if (fd < 0)
		die("%sdevice=%s:", s->where, d->node);
	close(fd);
	if (!S_ISCHR(node->mode) && !S_ISBLK(node->mode))
		die("%sdevice=%s: is no device on the host", s->where,
		    d->node);
}

void
dev_nodes(struct run *r)
{
	struct seen *node = r->mount.node;
	size_t i;

	r->mount.bind_nodes = 0;
	for (i = 0; i < LEN(config_nodes); i++)
		make_node(r, config_nodes[i].name, S_IFCHR | 0666,
		    makedev(config_nodes[i].major, config_nodes[i].minor), "");
	for (each(r->conf, s, KEY_DEVICE)) {
		const char *name = s->u.device.node;

		if (!name)
			continue;
		look_at(r, s, node);
		name += strlen("/dev/");
		make_folders(r, name, s->where);
		make_node(r, name, node->mode, node->rdev, s->where);
		node++;
		step("device: /dev/%s", name);
	}
}

/* Puts the node that is open as fd in its place.  Read-only: that is of its
 * mode and owner, which stay those that we have. */
static void
bind_node(struct run *r, int fd, const char *path, const char *where)
{
	int node = fd < 0 ? -1 : clone_tree(fd, "", AT_EMPTY_PATH), place;

	place = openat(r->mount.dev, path + strlen("/dev/"), O_PATH |
	    O_CLOEXEC);
	if (node < 0 || place < 0 || mount_at(node, place) < 0 ||
	    set_attr(node, MOUNT_ATTR_RDONLY, 0) < 0)
		die("%sbinding %s of the container that we are in:", where,
		    path);
	close(fd);
	close(node);
	close(place);
}

static void
bind_config_node(struct run *r, const char *name, dev_t dev)
{
	char path[32];
	struct stat st;
	int fd;

	put(path, sizeof(path), "/dev/%s", name);
	fd = open_host(path, 0, 0);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) ||
	    st.st_rdev != dev))
		die("%s of the container that we are in is not that device",
		    path);
	bind_node(r, fd, path, "");
}

/* Absolute paths still are our own root's: the rootfs lies over it. */
void
dev_child(struct run *r)
{
	struct seen *node = r->mount.node;
	size_t i;

	if (!r->mount.bind_nodes)
		return;
	for (i = 0; i < LEN(config_nodes); i++)
		bind_config_node(r, config_nodes[i].name,
		    makedev(config_nodes[i].major, config_nodes[i].minor));
	for (each(r->conf, s, KEY_DEVICE)) {
		const struct device *d = &s->u.device;

		if (d->node)
			bind_node(r, open_named(r, s, d->node, d->follow,
			    node++), d->node, s->where);
	}
}
