/* Mounts: what the supervisor prepares for the child, which puts it together
 * in rootfs.c; and the calls of the mount API that both use.
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
 * the binds on a stage, a shared mount on the container's run-time folder.
 * What is attached there propagates, locked, to the child's copy of the
 * stage, and the child takes it from that.
 *
 * On a host where / is the initial ramfs, or where /proc or /sys are not
 * mounted, the supervisor makes what is missing in the same namespace, and
 * stays in it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "crun.h"
#include "config.h"

/* ---- the calls, by descriptor ---- */

static int
open_resolved(int root, const char *path, int flags, mode_t mode,
    uint64_t resolve)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = mode,
		.resolve = resolve,
	};
	int fd, tries = 1000;

	/* EAGAIN: a rename meanwhile, openat2(2), or a lease, fcntl(2); a
	 * guest can see to it that there is always one */
	do
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
	while (fd < 0 && (errno == EAGAIN || errno == EINTR) && --tries &&
	    !(resolve & RESOLVE_CACHED));
	return fd;
}

int
open_how(int root, const char *path, int flags, mode_t mode, uint64_t more)
{
	return open_resolved(root, path, flags, mode,
	    RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | more);
}

int
open_beneath(int root, const char *path, int flags)
{
	return open_how(root, path, flags, 0, 0);
}

/* O_DIRECTORY has an automount mounted, which O_PATH alone has not. */
int
open_host(const char *path, int follow, uint64_t more)
{
	uint64_t resolve = more | (follow ? 0 :
	    RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	int fd = open_resolved(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0,
	    resolve);

	if (fd < 0 && errno == ENOTDIR)
		fd = open_resolved(AT_FDCWD, path, O_PATH, 0, resolve);
	return fd;
}

int
mount_at(int mount, int target)
{
	return syscall(SYS_move_mount, mount, "", target, "",
	    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int
clone_tree(int dir, const char *path, int flags)
{
	return syscall(SYS_open_tree, dir, path,
	    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
}

/* Whether a mount of our namespace has others below it, proc(5). */
static int
has_mounts(int mount)
{
	char file[32], line[1024], *rest;
	int found = 0;
	FILE *f;
	long id;

	put(file, sizeof(file), "/proc/self/fdinfo/%d", mount);
	read_at(AT_FDCWD, file, line, sizeof(line));
	rest = strstr(line, "mnt_id:");
	id = rest ? strtol(rest + strlen("mnt_id:"), NULL, 10) : -1;
	f = fopen("/proc/self/mountinfo", "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		strtol(line, &rest, 10);
		found = strtol(rest, NULL, 10) == id;
	}
	if (f)
		fclose(f);
	return found;
}

/* Before Linux 5.12: of one mount alone. */
static int
remount(int mount, uint64_t attr, int rec)
{
	char path[32];
	struct statfs fs;

	if (rec && has_mounts(mount)) {
		errno = ENOSYS;
		return -1;
	}
	put(path, sizeof(path), "/proc/self/fd/%d", mount);
	attr |= MS_REMOUNT | MS_BIND;
	return fstatfs(mount, &fs) < 0 || syscall(SYS_mount, NULL, path, NULL,
	    attr | (fs.f_flags & (MS_RDONLY | MS_NOSUID | MS_NODEV |
	    MS_NOEXEC)), NULL) < 0 || syscall(SYS_mount, NULL, path, NULL,
	    MS_PRIVATE, NULL) < 0 ? -1 : 0;
}

int
set_attr(int mount, uint64_t attr, int rec)
{
	struct mount_attr a = { .attr_set = attr, .propagation = MS_PRIVATE };
	int err = syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH |
	    (rec ? AT_RECURSIVE : 0), &a, sizeof(a));

	return err < 0 && errno == ENOSYS ? remount(mount, attr, rec) : err;
}

/* Linux before 5.12 changes only what is attached. */
static int
is_old(void)
{
	return syscall(SYS_mount_setattr, -1, "", 0, NULL, 0) < 0 &&
	    errno == ENOSYS;
}

static void
set_options(int fs, const char *options)
{
	char copy[256], *word, *value, *rest = copy;

	put(copy, sizeof(copy), "%s", options);
	while ((word = next_part(&rest, " "))) {
		value = strchr(word, '=');
		if (value)
			*value++ = '\0';
		if (syscall(SYS_fsconfig, fs, value ? FSCONFIG_SET_STRING :
		    FSCONFIG_SET_FLAG, word, value, 0) < 0)
			die("the mount option %s:", word);
	}
}

int
new_mount(const char *fstype, const char *options, uint64_t attr)
{
	int fs = syscall(SYS_fsopen, fstype, FSOPEN_CLOEXEC), m, err;

	if (fs < 0)
		return -1;
	/* only shown in /proc/mounts, where else it would be "none" */
	syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "source", fstype, 0);
	set_options(fs, options);
	m = syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (m >= 0)
		m = syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attr);
	err = errno;
	close(fs);
	errno = err;
	return m;
}

/* ---- paths of the host that the configuration names ----
 *
 * The folder of one container may lie below a bind of another, whose root can
 * then put a symbolic link in its place, or in the place of a folder on the
 * way there.  So each path is looked up once in a life, without following a
 * link unless the file says so, and what is mounted is the descriptor that was
 * looked at.  At a reboot the same must be there.  That is told by device and
 * inode: a descriptor kept so long would keep the host's mount busy.
 */

/* Opens path, links followed, or the longest beginning of it that is there;
 * *len is that one's length. */
static int
open_beginning(const char *path, size_t *len)
{
	char head[PATH_MAX];
	int fd;

	put(head, sizeof(head), "%s", path);
	while ((fd = open(head, O_PATH | O_CLOEXEC)) < 0 && errno == ENOENT &&
	    strrchr(head, '/') > head)
		*strrchr(head, '/') = '\0';
	*len = strlen(head);
	return fd;
}

static int
same_inode(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_dev == y.st_dev &&
	    x.st_ino == y.st_ino;
}

/* The path without links for one with.  NULL: there is none, as for a link
 * that dangles, or for a magic one into what has no name here. */
static const char *
leads_to(const char *path)
{
	char link[32], head[PATH_MAX], *target;
	size_t len;
	int fd = open_beginning(path, &len), found, ok;
	ssize_t n;

	put(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = fd < 0 ? -1 : readlink(link, head, sizeof(head));
	if (n == 1 && path[len])
		n = 0;		/* "/" before "/rest" */
	target = xprintf("%.*s%s", n < 0 ? 0 : (int)n, head, path + len);
	found = open_host(target, 0, 0);
	ok = path[len] ? found < 0 && errno == ENOENT : same_inode(fd, found);
	shut(&found);
	shut(&fd);
	return n >= 0 && ok ? target : NULL;
}

static void die_of_link(const struct setting *, const char *path)
    __attribute__((noreturn));

static void
die_of_link(const struct setting *s, const char *path)
{
	const char *key = keys[s->id].name, *target = leads_to(path);

	if (!target)
		die("%s%s: a link in %s leads nowhere; name what is meant",
		    s->where, key, path);
	die("%s%s: %s leads to %s; name that, or %s", s->where, key, path,
	    target, s->id == KEY_ROOTFS ? "set rootfs.follow=yes" :
	    "add the option follow");
}

static int
is_same(const struct seen *a, const struct seen *b)
{
	if ((a->mode ^ b->mode) & S_IFMT)
		return 0;
	if (S_ISCHR(a->mode) || S_ISBLK(a->mode))
		return a->rdev == b->rdev;
	return a->dev == b->dev && a->inode == b->inode;
}

int
open_named(struct run *r, const struct setting *s, const char *path,
    int follow, struct seen *seen)
{
	int fd = wait_open(r, path, follow);
	struct seen now;
	struct stat st;

	if (fd < 0 && errno == ELOOP && !follow)
		die_of_link(s, path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	now = (struct seen){ st.st_mode, st.st_dev, st.st_rdev, st.st_ino };
	if (seen->mode && !is_same(seen, &now))
		die("%s%s, %s is not what it was when %s started: somebody "
		    "has put another in its place; start it again to take "
		    "that", s->where, keys[s->id].name, path, r->conf->name);
	*seen = now;
	return fd;
}

/* As many as there are settings will do; a later life may have more. */
static void
make_seen(struct run *r)
{
	size_t n = r->conf->nset + 1, more;

	if (n <= r->nseen)
		return;
	more = n - r->nseen;
	r->seen = xrealloc(r->seen, n, sizeof(*r->seen));
	r->node = xrealloc(r->node, n, sizeof(*r->node));
	memset(r->seen + r->nseen, 0, more * sizeof(*r->seen));
	memset(r->node + r->nseen, 0, more * sizeof(*r->node));
	r->nseen = n;
}

/* ---- the supervisor, before the clone ---- */

/* Whether only root of the host gets to what is below. */
static int
is_closed(const struct stat *st)
{
	return !st->st_uid && !(st->st_mode & S_IXOTH) &&
	    (!(st->st_mode & S_IXGRP) || !st->st_gid);
}

/* A program of the container with the setuid bit is one for whoever on the host
 * can reach it by its path, unless a folder on the way there, or the file
 * system, is in between.  The folder itself is the container's root's, who can
 * open it. */
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
	int fd = open_named(r, s, path, r->conf->rootfs_follow, r->seen);
	struct stat st;

	if (fd < 0)
		die("%srootfs %s%s:", s->where, path, errno == ENOENT ?
		    ", where the system to boot should be" : "");
	if (!S_ISDIR(r->seen->mode))
		die("%srootfs %s is not a folder; unpack an archive, mount an "
		    "image first", s->where, path);
	r->tree = clone_tree(fd, "", AT_EMPTY_PATH | AT_RECURSIVE);
	if (r->tree < 0 || fstat(r->tree, &st) < 0)
		die("%srootfs %s:", s->where, path);
	warn_open(s->where, "rootfs", path, fd);
	close(fd);
	r->shifted = (r->conf->userns == USERNS_RANGE ||
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

static void
open_binds(struct run *r)
{
	size_t i = 0;

	for (each(r->conf, s, KEY_BIND)) {
		if (i == MAXBIND)
			die("%smore than %d binds", s->where, MAXBIND);
		r->bind[i] = open_bind(r, s, &r->seen[1 + i]);
		i++;
	}
}

/* /dev belongs to the container's root, but its file system to the host: so
 * the nodes work, and no other can be made. */
static void
make_dev(struct run *r)
{
	uid_t uid = idmap_uid(r, 0);
	gid_t gid = idmap_gid(r, 0);

	r->dev = new_mount("tmpfs", DEV_OPTIONS,
	    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (r->dev < 0)
		die("making /dev (CONFIG_TMPFS):");
	device_nodes(r);
	if (r->nuid && fchownat(r->dev, "", uid, gid, AT_EMPTY_PATH) < 0)
		die("the owner of /dev:");
}

static void
make_pts(struct run *r)
{
	char options[64];

	put(options, sizeof(options), "newinstance ptmxmode=0666 mode=0620 "
	    "gid=%u", (unsigned)idmap_gid(r, TTY_GID));
	r->pts = new_mount("devpts", options,
	    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (r->pts < 0)
		die("making /dev/pts (CONFIG_UNIX98_PTYS):");
	if (r->nuid && (fchownat(r->pts, "", idmap_uid(r, 0), idmap_gid(r, 0),
	    AT_EMPTY_PATH) < 0 || fchownat(r->pts, "ptmx", idmap_uid(r, 0),
	    idmap_gid(r, 0), 0) < 0))
		die("the owner of /dev/pts:");
}

/* ---- a host that lacks something ---- */

static int
is_fstype(const char *path, long type)
{
	struct statfs fs;

	return !statfs(path, &fs) && (long)fs.f_type == type;
}

/* The initial ramfs is the only mount that is its own parent. */
static int
root_is_initramfs(void)
{
	char line[1024], *parent;
	int found = 0;
	long id;
	FILE *f;

	if (!is_fstype("/", RAMFS_MAGIC) && !is_fstype("/", TMPFS_MAGIC))
		return 0;
	f = fopen("/proc/self/mountinfo", "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		id = strtol(line, &parent, 10);
		found = id == strtol(parent, NULL, 10);
	}
	if (f)
		fclose(f);
	return found;
}

static void
mount_missing(const char *path, const char *fstype)
{
	int m, target;

	m = new_mount(fstype, "", A_STRICT);
	if (mkdir(path, 0555) < 0 && errno != EEXIST)
		die("making %s, which this host does not have:", path);
	target = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (m < 0 || target < 0 || mount_at(m, target) < 0)
		die("mounting %s, which this host does not have:", path);
	step("mount: %s, for ourselves", path);
	close(target);
	close(m);
}

/* pivot_root(2) cannot leave the initial ramfs, so / is bound on itself, on
 * an empty file system that shuts the ramfs off.  Done before the user
 * namespace is made: its mounts are then locked together. */
static void
leave_initramfs(void)
{
	int tree, empty, root;

	tree = clone_tree(AT_FDCWD, "/", AT_RECURSIVE);
	empty = new_mount("tmpfs", "size=4k", MOUNT_ATTR_RDONLY | A_STRICT);
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (tree < 0 || empty < 0 || root < 0 ||
	    mount_at(empty, root) < 0 || mount_at(tree, empty) < 0 ||
	    fchdir(tree) < 0 || chroot(".") < 0 || chdir("/") < 0)
		die("leaving the initial ramfs:");
	close(root);
	close(empty);
	close(tree);
	step("mount: out of the initial ramfs");
}

void
private_host(struct run *r)
{
	int proc = is_fstype("/proc", PROC_SUPER_MAGIC);
	int sys = is_fstype("/sys", SYSFS_MAGIC);
	int complete = proc && sys && !root_is_initramfs();

	if (r->private || (complete && r->conf->userns == USERNS_NONE))
		return;
	if (complete) {
		r->hostns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
		r->hostroot = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (r->hostns < 0 || r->hostroot < 0)
			die("opening the host's mount namespace:");
	}
	if (unshare(CLONE_NEWNS) < 0 ||
	    syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		die("making a mount namespace for the supervisor:");
	r->private = 1;
	if (!proc)
		mount_missing("/proc", "proc");
	if (!sys)
		mount_missing("/sys", "sysfs");
	if (root_is_initramfs())
		leave_initramfs();
}

/* Back in the host's mount namespace, with the root that we had; nothing of
 * the host is then kept busy by us.  Where there is no way back, the stage
 * alone goes. */
void
private_undo(struct run *r)
{
	if (r->hostns >= 0) {
		if (r->private && (setns(r->hostns, CLONE_NEWNS) < 0 ||
		    fchdir(r->hostroot) < 0 || chroot(".") < 0))
			warn("returning to the host's mount namespace:");
		r->private = 0;
	} else if (r->stage >= 0) {
		syscall(SYS_umount2, r->stage_path, DETACH);
	}
	shut(&r->stage);
	shut(&r->hostns);
	shut(&r->hostroot);
}

/* ---- which cgroup version the guest can use ---- */

/* Calls each_name() with every name in a folder of the rootfs. */
static void
list_folder(int root, const char *path, int *version,
    void (*each_name)(int root, const char *name, int *version))
{
	int fd = open_beneath(root, path, O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		shut(&fd);
		return;
	}
	while ((e = readdir(d)))
		each_name(root, e->d_name, version);
	closedir(d);
}

static void
look_for_library(int root, const char *name, int *version)
{
	static const char lib[] = "libsystemd-shared-";

	(void)root;
	if (!strncmp(name, lib, strlen(lib)))
		*version = strtol(name + strlen(lib), NULL, 10);
	else if (!*version && !strcmp(name, "systemd"))
		*version = 1;
}

/* Debian has it in a folder of the machine's name. */
static void
look_in_multiarch(int root, const char *name, int *version)
{
	char path[PATH_MAX];

	if (!strstr(name, "-linux-"))
		return;
	put(path, sizeof(path), "/usr/lib/%s/systemd", name);
	list_folder(root, path, version, look_for_library);
}

/* The version of the rootfs's systemd, from the name of its library
 * libsystemd-shared-NNN[...].so; 0: it has none, 1: older than that name. */
static int
systemd_version(int root)
{
	int version = 0;

	list_folder(root, "/usr/lib/systemd", &version, look_for_library);
	if (!version)
		list_folder(root, "/lib/systemd", &version, look_for_library);
	if (version == 1)
		list_folder(root, "/usr/lib", &version, look_in_multiarch);
	return version;
}

static void
choose_view(struct run *r)
{
	int version;

	r->view = r->conf->view;
	if (r->view != VIEW_AUTO)
		return;
	version = r->conf->program ? 0 : systemd_version(r->tree);
	r->view = version && version < SYSTEMD_V2 ? VIEW_V1 : VIEW_V2;
}

/* ---- the stage ---- */

/* The place of mount number i on the stage: a folder, or a file for a file. */
static void
make_place(struct run *r, int i, int mount)
{
	struct stat st;
	char name[16];
	int fd;

	put(name, sizeof(name), "%d", i);
	if (fstat(mount, &st) < 0)
		die("looking at a mount:");
	fd = S_ISDIR(st.st_mode) ? mkdirat(r->stage, name, 0700) :
	    openat(r->stage, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		die("making the stage for the mounts:");
	if (!S_ISDIR(st.st_mode))
		close(fd);
}

static void
make_stage(struct run *r)
{
	int i, folder;

	if (!r->nuid)
		return;
	put(r->stage_path, sizeof(r->stage_path), STATEDIR "/%s",
	    r->conf->name);
	r->stage = new_mount("tmpfs", "mode=755 size=1m", A_STRICT);
	folder = open(r->stage_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->stage < 0 || folder < 0 || mount_at(r->stage, folder) < 0 ||
	    syscall(SYS_mount, NULL, r->stage_path, NULL, MS_SHARED, NULL) < 0)
		die("making the stage for the mounts:");
	close(folder);
	make_place(r, 0, r->tree);
	for (i = 0; i < MAXBIND; i++)
		if (r->bind[i] >= 0)
			make_place(r, i + 1, r->bind[i]);
}

static void
attach_place(struct run *r, int i, int mount)
{
	char name[16];
	int fd;

	put(name, sizeof(name), "%d", i);
	fd = openat(r->stage, name, O_PATH | O_CLOEXEC);
	if (fd < 0 || mount_at(mount, fd) < 0)
		die("attaching to the stage for the mounts:");
	close(fd);
}

/* Mounts are idmapped before they are attached anywhere, and so when the user
 * namespace is there.  With a kernel that cannot do either, what is on the
 * stage at the clone is locked as well. */
static void
put_on_stage(struct run *r, int i, int mount, const struct setting *bind)
{
	if (r->old)
		attach_place(r, i, mount);
	if (bind)
		mount_set_bind(r, bind, mount);
	else
		mount_set_rootfs(r);
	if (!r->old)
		attach_place(r, i, mount);
}

static void
fill_stage(struct run *r)
{
	size_t i = 0;

	put_on_stage(r, 0, r->tree, NULL);
	for (each(r->conf, s, KEY_BIND))
		if (r->bind[i++] >= 0)
			put_on_stage(r, i, r->bind[i - 1], s);
}

/* ---- attributes ---- */

void
mount_set_rootfs(const struct run *r)
{
	idmap_mount(r, r->tree, r->conf->rootfs, MOUNT_ATTR_NODEV |
	    (r->conf->readonly ? MOUNT_ATTR_RDONLY : 0), 1, !r->shifted,
	    conf_where(r->conf, KEY_ROOTFS));
}

void
mount_set_bind(const struct run *r, const struct setting *s, int fd)
{
	const struct bind *b = &s->u.bind;

	idmap_mount(r, fd, b->source, b->attr, b->rec, b->idmap, s->where);
}

/* ---- stages ---- */

void
mount_host(struct run *r)
{
	size_t i;

	for (i = 0; i < MAXBIND; i++)
		r->bind[i] = -1;
	r->old = is_old();
	make_seen(r);
	open_rootfs(r);
	choose_view(r);
	open_binds(r);
	make_stage(r);
	if (r->stage >= 0 && r->old)
		fill_stage(r);
	make_dev(r);
	make_pts(r);
}

void
mount_attach(struct run *r)
{
	if (r->stage >= 0 && !r->old)
		fill_stage(r);
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
	while (r->nmade) {
		remove_one(r->tree, &r->made[--r->nmade]);
		free(r->made[r->nmade].path);
	}
}

void
mount_undo(struct run *r)
{
	size_t i;

	if (!r->stuck)	/* its file system may not answer us either */
		remove_made(r);
	for (i = 0; i < MAXBIND; i++)
		shut(&r->bind[i]);
	shut(&r->tree);
	shut(&r->dev);
	shut(&r->pts);
	private_undo(r);	/* before the folder under the stage goes */
}

