/* Mounts: what the supervisor prepares for the child, which puts it together
 * in mount/rootfs.c.
 *
 * Prepared is what needs the host's rights, as detached mounts that no path
 * leads to: a clone of the rootfs and of each bind (idmapped once the user
 * namespace is there), /dev with its nodes, the container's own devpts.
 *
 * A mount that is made or moved by the container's own user namespace can be
 * remounted by it: read-only bind mounts writable, nodev away.  The kernel
 * locks a mount's flags only when the mount passes from one mount namespace
 * to that of a lesser user namespace, mount_namespaces(7).  So the supervisor
 * leaves the host's mount namespace for a while, and attaches the rootfs and
 * the binds in a passage, a shared mount on the container's run-time folder.
 * What is attached there propagates, locked, to the child's copy of the
 * passage, and the child takes it from that.
 *
 * On a host where / is the initial ramfs, or where /proc or /sys are not
 * mounted, the supervisor makes what is missing in the same namespace, and
 * stays in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "idmap/idmap.h"
#include "lib/lib.h"
#include "mount/mount.h"
#include "mount/tree.h"
#include "config.h"

/* ---- the supervisor, before the clone ---- */

/* Whether only root of the host gets to what is below. */
static int
is_closed(const struct stat *st)
{
	return !st->st_uid && !(st->st_mode & S_IXOTH) &&
	    (!(st->st_mode & S_IXGRP) || !st->st_gid);
}

/* A program of the container with the setuid bit is one for whoever on the
 * host can reach it by its path, unless a folder on the way there, or the
 * file system, is in between.  The folder itself is the container's root's,
 * who can open it. */
static void
warn_open(const char *where, const char *what, const char *path, int folder)
{
	int fd = openat(folder, ".", O_PATH | O_DIRECTORY | O_CLOEXEC), up;
	struct stat st, last = { 0 };
	struct statfs fs;

	if (fd < 0 || (!fstatfs(fd, &fs) && fs.f_flags & ST_NOSUID) ||
	    fstat(fd, &last) < 0)
		shut(&fd);
	while ((up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC)) >= 0) {
		close(fd);
		fd = up;
		if (fstat(fd, &st) < 0 || is_closed(&st))
			break;
		if (st.st_ino == last.st_ino && st.st_dev == last.st_dev) {
			warn("%s%s %s: users of this host can run setuid "
			    "programs in it; keep it below a folder of root's "
			    "of mode 700", where, what, path);
			break;
		}
		last = st;
	}
	shut(&fd);
}

static void
open_rootfs(struct run *r)
{
	const struct setting *s = conf_next(r->conf, KEY_ROOTFS, NULL);
	const char *path = r->conf->rootfs;
	int fd = open_named(r, s, path, r->conf->rootfs_follow, r->mount.seen);
	struct stat st;

	if (fd < 0)
		die("%srootfs %s%s:", s->where, path, errno == ENOENT ?
		    ", where the system to boot should be" : "");
	if (!S_ISDIR(r->mount.seen->mode))
		die("%srootfs %s is not a folder; unpack an archive, mount an "
		    "image first", s->where, path);
	r->mount.tree = clone_tree(fd, "", AT_EMPTY_PATH | AT_RECURSIVE);
	if (r->mount.tree < 0 || fstat(r->mount.tree, &st) < 0)
		die("%srootfs %s:", s->where, path);
	warn_open(s->where, "rootfs", path, fd);
	close(fd);
	r->mount.shifted = (r->conf->userns == USERNS_RANGE ||
	    r->conf->userns == USERNS_MAPS) && st.st_uid == idmap_uid(r, 0);
}

static int
open_bind(struct run *r, const struct setting *s, struct seen *seen)
{
	const struct bind *b = &s->u.bind;
	int fd = open_named(r, s, b->source, b->follow, seen), tree;

	if (fd < 0 && b->optional && errno == ENOENT)
		return -1;
	if (fd < 0)
		die("%sbind, opening %s%s:", s->where, b->source,
		    errno == ENOENT ? ", which the option optional would pass "
		    "over" : "");
	tree = clone_tree(fd, "", AT_EMPTY_PATH | (b->rec ? AT_RECURSIVE : 0));
	if (tree < 0)
		die("%sbind, opening %s:", s->where, b->source);
	if (b->idmap && !(b->attr & MOUNT_ATTR_RDONLY))
		warn_open(s->where, "bind", b->source, fd);
	close(fd);
	return tree;
}

/* What bind and tmpfs ask for, in the order of the file. */
static void
list_mounts(struct run *r)
{
	const struct conf *c = r->conf;
	const struct setting *s;
	const char *target;

	r->mount.nlist = 0;
	r->mount.list = xrealloc(r->mount.list, c->nset + 1,
	    sizeof(*r->mount.list));
	for (s = c->set; s < c->set + c->nset; s++) {
		if (s->quiet || (s->id != KEY_BIND && s->id != KEY_TMPFS))
			continue;
		target = s->id == KEY_BIND ? s->u.bind.target :
		    s->u.tmpfs.target;
		r->mount.list[r->mount.nlist++] =
		    (struct entry){ s, target, -1 };
	}
}

static void
open_binds(struct run *r)
{
	struct entry *e = r->mount.list, *end = e + r->mount.nlist;
	struct seen *seen = r->mount.seen + 1;

	for (; e < end; e++)
		if (e->s->id == KEY_BIND)
			e->mount = open_bind(r, e->s, seen++);
}

/* /dev belongs to the container's root, but its file system to the host: so
 * the nodes work, and no other can be made. */
static void
make_dev(struct run *r)
{
	uid_t uid = idmap_uid(r, 0);
	gid_t gid = idmap_gid(r, 0);

	r->mount.dev = new_mount("tmpfs", DEV_OPTIONS,
	    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (r->mount.dev < 0)
		die("making /dev (CONFIG_TMPFS):");
	dev_nodes(r);
	if (r->ids.nuid &&
	    fchownat(r->mount.dev, "", uid, gid, AT_EMPTY_PATH) < 0)
		die("the owner of /dev:");
}

static void
make_pts(struct run *r)
{
	char options[64];

	put(options, sizeof(options), "newinstance ptmxmode=0666 mode=0620 "
	    "gid=%u", (unsigned)idmap_gid(r, TTY_GID));
	r->mount.pts = new_mount("devpts", options,
	    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (r->mount.pts < 0)
		die("making /dev/pts (CONFIG_UNIX98_PTYS):");
	if (r->ids.nuid &&
	    (fchownat(r->mount.pts, "", idmap_uid(r, 0), idmap_gid(r, 0),
		 AT_EMPTY_PATH) < 0 ||
		fchownat(r->mount.pts, "ptmx", idmap_uid(r, 0), idmap_gid(r, 0),
		    0) < 0))
		die("the owner of /dev/pts:");
}

/* sysfs shows a network namespace, and only who owns that may mount it: the
 * child does not own the host's. */
static void
make_sys(struct run *r)
{
	r->mount.sysfs = new_mount("sysfs", "", A_STRICT);
	if (r->mount.sysfs < 0)
		die("making /sys:");
}

/* ---- the passage ---- */

/* The place of mount number i in the passage: a folder, or a file. */
static void
passage_place(struct run *r, size_t i, int mount)
{
	struct stat st;
	char name[16];
	int fd;

	put(name, sizeof(name), "%zu", i);
	if (fstat(mount, &st) < 0)
		die("looking at a mount:");
	fd = S_ISDIR(st.st_mode) ? mkdirat(r->mount.passage, name, 0700) :
	    openat(r->mount.passage, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		die("making the passage for the mounts:");
	if (!S_ISDIR(st.st_mode))
		close(fd);
}

static void
make_passage(struct run *r)
{
	size_t i;
	int folder;

	if (!r->ids.nuid)
		return;
	put_state_path(r->mount.passage_path, sizeof(r->mount.passage_path),
	    r->conf->name, NULL);
	r->mount.passage = new_mount("tmpfs", "mode=755 size=1m", A_STRICT);
	folder = open(r->mount.passage_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->mount.passage < 0 || folder < 0 ||
	    mount_at(r->mount.passage, folder) < 0 ||
	    syscall(SYS_mount, NULL, r->mount.passage_path, NULL, MS_SHARED,
		NULL) < 0)
		die("making the passage for the mounts:");
	close(folder);
	passage_place(r, 0, r->mount.tree);
	for (i = 0; i < r->mount.nlist; i++)
		if (r->mount.list[i].mount >= 0)
			passage_place(r, i + 1, r->mount.list[i].mount);
}

static void
attach_place(struct run *r, size_t i, int mount)
{
	char name[16];
	int fd;

	put(name, sizeof(name), "%zu", i);
	fd = openat(r->mount.passage, name, O_PATH | O_CLOEXEC);
	if (fd < 0 || mount_at(mount, fd) < 0)
		die("attaching to the passage for the mounts:");
	close(fd);
}

/* Mounts are idmapped before they are attached anywhere, and so when the user
 * namespace is there.  With a kernel that cannot do either, what is on the
 * passage at the clone is locked as well. */
static void
put_in_passage(struct run *r, size_t i, int mount, const struct entry *bind)
{
	if (r->mount.old)
		attach_place(r, i, mount);
	if (bind)
		mount_set_bind(r, bind);
	else
		mount_set_rootfs(r);
	if (!r->mount.old)
		attach_place(r, i, mount);
}

static void
fill_passage(struct run *r)
{
	const struct entry *e = r->mount.list;
	size_t i;

	put_in_passage(r, 0, r->mount.tree, NULL);
	for (i = 0; i < r->mount.nlist; i++, e++)
		if (e->mount >= 0)
			put_in_passage(r, i + 1, e->mount, e);
}

/* ---- attributes ---- */

void
mount_set_rootfs(const struct run *r)
{
	idmap_mount(r, r->mount.tree, r->conf->rootfs, MOUNT_ATTR_NODEV |
	    (r->conf->readonly ? MOUNT_ATTR_RDONLY : 0), 1, !r->mount.shifted,
	    conf_where(r->conf, KEY_ROOTFS));
}

void
mount_set_bind(const struct run *r, const struct entry *e)
{
	const struct bind *b = &e->s->u.bind;

	idmap_mount(r, e->mount, b->source, b->attr, b->rec, b->idmap,
	    e->s->where);
}

/* ---- as runc.c calls it ---- */

void
mount_host(struct run *r)
{
	r->mount.old = fs_is_old();
	path_make_seen(r);
	list_mounts(r);
	open_rootfs(r);
	view_host(r);
	open_binds(r);
	make_passage(r);
	if (r->mount.passage >= 0 && r->mount.old)
		fill_passage(r);
	make_dev(r);
	make_pts(r);
	if (r->conf->host_net)
		make_sys(r);
}

void
mount_attach(struct run *r)
{
	if (r->mount.passage >= 0 && !r->mount.old)
		fill_passage(r);
}

static void
remove_one(int root, const struct made *m)
{
	const char *last;
	int dir = open_parent(root, m->path, &last);
	struct stat st;

	if (dir >= 0 && !fstatat(dir, last, &st, AT_SYMLINK_NOFOLLOW) &&
	    st.st_ino == m->inode && (S_ISDIR(st.st_mode) || !st.st_size))
		unlinkat(dir, last, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0);
	shut(&dir);
}

/* The last first; what is not empty any more stays, and what somebody has put
 * in its place. */
static void
remove_made(struct run *r)
{
	while (r->mount.nmade) {
		remove_one(r->mount.tree, &r->mount.made[--r->mount.nmade]);
		free(r->mount.made[r->mount.nmade].path);
	}
}

static void
let_go(struct run *r)
{
	size_t i;

	for (i = 0; i < r->mount.nlist; i++)
		shut(&r->mount.list[i].mount);
	shut(&r->mount.tree);
	shut(&r->mount.dev);
	shut(&r->mount.pts);
	shut(&r->mount.sysfs);
	private_undo(r);	/* before the folder under the passage goes */
}

/* "INODE PATH", of tell_made(). */
void
mount_made(struct run *r, const char *line)
{
	char *path;
	ino_t inode = strtoull(line, &path, 10);

	r->mount.made = xrealloc(r->mount.made, r->mount.nmade + 1,
	    sizeof(*r->mount.made));
	r->mount.made[r->mount.nmade++] =
	    (struct made){ xprintf("%s", path + 1), inode };
}

void
mount_started(struct run *r)
{
	while (r->mount.nmade)
		free(r->mount.made[--r->mount.nmade].path);
	let_go(r);
}

void
mount_undo(struct run *r)
{
	if (!r->wait.stuck)	/* its file system may not answer us either */
		remove_made(r);
	let_go(r);
}
