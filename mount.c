/* The file tree: the rootfs and everything that a container sees in it.
 *
 * The supervisor prepares what needs the host's rights, as detached mounts
 * that no path leads to: a clone of the rootfs and of each bind (idmapped
 * once the user namespace is there), /dev with its nodes, the container's own
 * devpts.  The child, in its own mount namespace, puts them together and
 * adds what belongs to its namespaces: proc, sysfs, mqueue, cgroup.
 *
 * The rootfs is hostile.  It is one file descriptor; every path in it is
 * looked up by open_beneath() and used by descriptor, so no symbolic link in
 * it ever meets the host's tree, whoever changes it meanwhile.  What is made
 * in it is made by the child, with the container's rights.
 *
 * On a host where / is the initial ramfs, or where /proc or /sys are not
 * mounted, the supervisor first moves into a mount namespace of its own and
 * makes there what is missing: leave_host().
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
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "crun.h"
#include "config.h"

enum { DETACH = 2 };		/* MNT_DETACH, umount2(2) */

/* ---- the calls, by descriptor ---- */

static int
open_how(int root, const char *path, int flags, mode_t mode, uint64_t more)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = mode,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | more,
	};
	int fd;

	/* EAGAIN: a rename elsewhere in the tree, openat2(2) */
	do
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
	while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	return fd;
}

int
open_beneath(int root, const char *path, int flags)
{
	return open_how(root, path, flags, 0, 0);
}

static int
mount_at(int mount, int target)
{
	return syscall(SYS_move_mount, mount, "", target, "",
	    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

static int
clone_tree(int dir, const char *path, int flags)
{
	return syscall(SYS_open_tree, dir, path,
	    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
}

static int
set_attr(int mount, uint64_t attr)
{
	struct mount_attr a = { .attr_set = attr };

	return syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &a,
	    sizeof(a));
}

static void
set_options(int fs, const char *options)
{
	char copy[256], *word, *value, *save = NULL;

	put(copy, sizeof(copy), "%s", options);
	for (word = strtok_r(copy, " ", &save); word;
	    word = strtok_r(NULL, " ", &save)) {
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

/* ---- the supervisor, before the clone ---- */

static void
open_rootfs(struct run *r)
{
	const char *where = conf_where(r->conf, KEY_ROOTFS);
	const char *path = r->conf->rootfs;
	struct stat st;

	if (stat(path, &st) < 0)
		die("%srootfs %s:", where, path);
	if (!S_ISDIR(st.st_mode))
		die("%srootfs %s is not a folder", where, path);
	r->tree = clone_tree(AT_FDCWD, path, AT_RECURSIVE);
	if (r->tree < 0)
		die("%srootfs %s:", where, path);
	r->shifted = (r->conf->userns == USERNS_RANGE ||
	    r->conf->userns == USERNS_MAPS) && st.st_uid == idmap_uid(r, 0);
}

static void
open_binds(struct run *r)
{
	size_t i = 0;

	for (each(r->conf, s, KEY_BIND)) {
		const struct bind *b = &s->u.bind;

		if (i == MAXBIND)
			die("%smore than %d binds", s->where, MAXBIND);
		r->bind[i] = clone_tree(AT_FDCWD, b->source,
		    b->rec ? AT_RECURSIVE : 0);
		if (r->bind[i] < 0 && !(b->optional && errno == ENOENT))
			die("%sbind, opening %s:", s->where, b->source);
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
	size_t i;

	r->dev = new_mount("tmpfs", DEV_OPTIONS,
	    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (r->dev < 0)
		die("making /dev (CONFIG_TMPFS):");
	for (i = 0; i < LEN(config_nodes); i++)
		if (mknodat(r->dev, config_nodes[i].name, S_IFCHR | 0666,
		    makedev(config_nodes[i].major, config_nodes[i].minor)) < 0
		    || (r->nuid && fchownat(r->dev, config_nodes[i].name, uid,
		    gid, 0) < 0))
			die("making /dev/%s:", config_nodes[i].name);
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
	char line[1024];
	int id, parent, found = 0;
	FILE *f;

	if (!is_fstype("/", RAMFS_MAGIC) && !is_fstype("/", TMPFS_MAGIC))
		return 0;
	f = fopen("/proc/self/mountinfo", "re");
	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%d %d", &id, &parent) == 2 &&
		    id == parent;
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

static void
leave_host(struct run *r)
{
	int proc = is_fstype("/proc", PROC_SUPER_MAGIC);
	int sys = is_fstype("/sys", SYSFS_MAGIC);
	int ramfs;

	if (r->private)
		return;
	ramfs = root_is_initramfs() || !proc;
	if (proc && sys && !ramfs)
		return;
	if (unshare(CLONE_NEWNS) < 0 ||
	    syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		die("making a mount namespace for the supervisor:");
	r->private = 1;
	if (!proc)
		mount_missing("/proc", "proc");
	if (!sys)
		mount_missing("/sys", "sysfs");
	if (root_is_initramfs())
		leave_initramfs();
}

/* ---- which cgroup version the guest can use ---- */

/* The version of the rootfs's systemd, from the name of its library
 * libsystemd-shared-NNN[...].so; 0: it has none, 1: older than that name. */
static int
systemd_version(int root)
{
	static const char *const dirs[] = { "/usr/lib/systemd",
	    "/lib/systemd", "/usr/lib/x86_64-linux-gnu/systemd" };
	static const char lib[] = "libsystemd-shared-";
	int version = 0, fd;
	struct dirent *e;
	size_t i;
	DIR *d;

	for (i = 0; i < LEN(dirs) && version < 2; i++) {
		fd = open_beneath(root, dirs[i], O_RDONLY | O_DIRECTORY);
		d = fd < 0 ? NULL : fdopendir(fd);
		if (!d)
			continue;
		while ((e = readdir(d)))
			if (!strncmp(e->d_name, lib, strlen(lib)))
				version = atoi(e->d_name + strlen(lib));
			else if (!version && !strcmp(e->d_name, "systemd"))
				version = 1;
		closedir(d);
	}
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

/* ---- stages ---- */

void
private_host(struct run *r)
{
	leave_host(r);
}

void
mount_host(struct run *r)
{
	size_t i;

	for (i = 0; i < MAXBIND; i++)
		r->bind[i] = -1;
	open_rootfs(r);
	choose_view(r);
	open_binds(r);
	make_dev(r);
	make_pts(r);
}

void
mount_attach(struct run *r)
{
	const struct conf *c = r->conf;
	size_t i = 0;

	idmap_mount(r, r->tree, c->rootfs, MOUNT_ATTR_NODEV, 1, !r->shifted,
	    conf_where(c, KEY_ROOTFS));
	for (each(c, s, KEY_BIND)) {
		if (r->bind[i] >= 0)
			idmap_mount(r, r->bind[i], s->u.bind.source,
			    s->u.bind.attr, s->u.bind.rec, s->u.bind.idmap,
			    s->where);
		i++;
	}
}

void
mount_undo(struct run *r)
{
	size_t i;

	for (i = 0; i < MAXBIND; i++)
		shut(&r->bind[i]);
	shut(&r->tree);
	shut(&r->dev);
	shut(&r->pts);
}

/* ---- the child: making targets ---- */

/* The folder that holds path's last part, which is put in *last. */
static int
open_parent(int root, const char *path, const char **last)
{
	char dir[PATH_MAX];

	*last = strrchr(path, '/') + 1;
	put(dir, sizeof(dir), "%.*s", (int)(*last - path), path);
	return open_beneath(root, dir, O_PATH | O_DIRECTORY);
}

/* Makes the missing folders of path, all but the last part. */
static void
make_parents(int root, const char *path)
{
	char dir[PATH_MAX];
	const char *p = path, *last;
	int fd;

	while ((p = strchr(p + 1, '/'))) {
		put(dir, sizeof(dir), "%.*s", (int)(p - path), path);
		fd = open_beneath(root, dir, O_PATH | O_DIRECTORY);
		if (fd < 0 && errno == ENOENT) {
			fd = open_parent(root, dir, &last);
			if (fd < 0 || mkdirat(fd, last, 0755) < 0)
				die("making %s in the rootfs:", dir);
		}
		if (fd < 0)
			die("%s in the rootfs:", dir);
		close(fd);
	}
}

/* The target of a mount, by descriptor; a missing one is made: a folder, or
 * an empty file. */
static int
open_target(int root, const char *path, int folder, const char *where)
{
	const char *last;
	int fd, dir;

	fd = open_beneath(root, path, O_PATH | (folder ? O_DIRECTORY : 0));
	if (fd < 0 && errno == ENOENT) {
		make_parents(root, path);
		dir = open_parent(root, path, &last);
		if (dir < 0)
			die("%s%s in the rootfs:", where, path);
		fd = folder ? mkdirat(dir, last, 0755) :
		    openat(dir, last, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    0644);
		if (fd < 0)
			die("%smaking %s in the rootfs:", where, path);
		if (!folder)
			close(fd);
		close(dir);
		fd = open_beneath(root, path, O_PATH |
		    (folder ? O_DIRECTORY : 0));
	}
	if (fd < 0)
		die("%s%s in the rootfs:", where, path);
	return fd;
}

static void
mount_on(int root, int mount, const char *path, int folder, const char *where)
{
	int target = open_target(root, path, folder, where);

	if (mount < 0 || mount_at(mount, target) < 0)
		die("%smounting on %s:", where, path);
	close(target);
}

/* ---- the child: what is mounted ---- */

/* Some other mount of the kind must be wholly visible for a user namespace to
 * mount proc or sysfs, mount_too_revealing() in the kernel; in a container in
 * a container it may be read-only, and then so must the new one. */
static int
mount_kernel(const char *fstype, const char *options, uint64_t attr)
{
	int m = new_mount(fstype, options, attr);

	if (m < 0 && errno == EPERM)
		m = new_mount(fstype, options, attr | MOUNT_ATTR_RDONLY);
	if (m < 0)
		die("mounting %s%s:", fstype, errno == EPERM ? ", as the "
		    "host's own is partly covered by other mounts" : "");
	return m;
}

/* A symbolic link in the place of /proc or /sys would be followed within the
 * rootfs only, but programs inside trust these two names. */
static void
refuse_link(int root, const char *path)
{
	int fd = open_how(root, path, O_PATH | O_DIRECTORY, 0,
	    RESOLVE_NO_SYMLINKS);

	if (fd < 0 && errno != ENOENT)
		die("%s of the rootfs must be a folder:", path);
	shut(&fd);
}

static void
mount_table(int root)
{
	size_t i;
	int m;

	refuse_link(root, "/proc");
	refuse_link(root, "/sys");
	for (i = 0; i < LEN(config_mounts); i++) {
		m = mount_kernel(config_mounts[i].fstype,
		    config_mounts[i].options, config_mounts[i].attr);
		mount_on(root, m, config_mounts[i].target, 1, "");
		close(m);
		step("mount: %s", config_mounts[i].target);
	}
}

static void
mount_dev(struct run *r)
{
	static const char *const folders[] = { "pts", "shm", "mqueue" };
	size_t i;
	int pts;

	refuse_link(r->tree, "/dev");
	mount_on(r->tree, r->dev, "/dev", 1, "");
	for (i = 0; i < LEN(folders); i++)
		if (mkdirat(r->dev, folders[i], 0755) < 0)
			die("making /dev/%s:", folders[i]);
	for (i = 0; i < LEN(config_links); i++)
		if (symlinkat(config_links[i].target, r->dev,
		    config_links[i].name) < 0)
			die("making /dev/%s:", config_links[i].name);
	pts = openat(r->dev, "pts", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (pts < 0 || mount_at(r->pts, pts) < 0)
		die("mounting on /dev/pts:");
	close(pts);
}

/* /dev/console is the pty that the supervisor reads: pts/0, the first. */
static void
mount_console(struct run *r)
{
	int fd, tty;

	if (r->slave < 0)
		return;
	fd = openat(r->dev, "console", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0620);
	tty = clone_tree(r->pts, "0", 0);
	if (fd < 0 || tty < 0 || mount_at(tty, fd) < 0)
		die("making /dev/console:");
	close(fd);
	close(tty);
}

static void
mount_cgroup(struct run *r)
{
	int m, dir;

	if (r->view == VIEW_NONE)
		return;
	if (r->view == VIEW_V2) {
		m = mount_kernel("cgroup2", "", A_STRICT);
		mount_on(r->tree, m, "/sys/fs/cgroup", 1, "");
		close(m);
		return;
	}
	m = mount_kernel("tmpfs", "mode=755", A_STRICT);
	mount_on(r->tree, m, "/sys/fs/cgroup", 1, "");
	if (mkdirat(m, "systemd", 0755) < 0)
		die("making /sys/fs/cgroup/systemd:");
	dir = openat(m, "systemd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	close(m);
	m = mount_kernel("cgroup", "none name=systemd", A_STRICT);
	if (mount_at(m, dir) < 0)
		die("mounting on /sys/fs/cgroup/systemd:");
	close(dir);
	close(m);
}

static void
mount_tmpfs_keys(struct run *r)
{
	char options[64];
	int m;

	for (each(r->conf, s, KEY_TMPFS)) {
		const struct tmpfs *t = &s->u.tmpfs;

		put(options, sizeof(options), "mode=%s%s%s", t->mode,
		    *t->size ? " size=" : "", t->size);
		m = new_mount("tmpfs", options,
		    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
		mount_on(r->tree, m, t->target, 1, s->where);
		close(m);
		step("mount: tmpfs on %s", t->target);
	}
}

static void
mount_binds(struct run *r)
{
	struct stat st;
	size_t i = 0;

	for (each(r->conf, s, KEY_BIND)) {
		int fd = r->bind[i++];

		if (fd < 0)
			continue;
		if (fstat(fd, &st) < 0)
			die("%sbind %s:", s->where, s->value);
		mount_on(r->tree, fd, s->u.bind.target, S_ISDIR(st.st_mode),
		    s->where);
		step("mount: %s on %s", s->u.bind.source, s->u.bind.target);
	}
}

/* ---- the child: masks ---- */

/* A clone of the path's own mount, to be put back over what covers it. */
static int
keep_writable(int root, const char *path)
{
	int fd = open_beneath(root, path, O_PATH | O_DIRECTORY), clone;

	if (fd < 0)
		return -1;
	clone = clone_tree(fd, "", AT_EMPTY_PATH);
	if (clone < 0)
		die("cloning %s:", path);
	close(fd);
	return clone;
}

static void
make_readonly(int root, const char *path)
{
	int fd = open_beneath(root, path, O_PATH), clone;

	if (fd < 0)
		return;			/* this kernel does not have it */
	clone = clone_tree(fd, "", AT_EMPTY_PATH);
	if (clone < 0 || set_attr(clone, MOUNT_ATTR_RDONLY) < 0 ||
	    mount_at(clone, fd) < 0)
		die("making %s read-only:", path);
	close(clone);
	close(fd);
}

/* What a path is masked with: a clone of the last mask of that kind, with its
 * attributes; the first one is made. */
static int
clone_mask(int dev, int folder, int *last)
{
	int m;

	if (*last >= 0)
		return clone_tree(*last, "", AT_EMPTY_PATH);
	if (folder)
		return new_mount("tmpfs", "mode=555 size=4k nr_inodes=1",
		    MOUNT_ATTR_RDONLY | A_STRICT);
	m = clone_tree(dev, "null", 0);
	if (m >= 0 && set_attr(m, MOUNT_ATTR_RDONLY | A_STRICT) < 0)
		shut(&m);
	return m;
}

/* A file is covered by /dev/null on a mount without devices: whatever opens
 * it gets EACCES.  A folder is covered by an empty one. */
static void
mask(struct run *r, const char *path, int last[2])
{
	int fd = open_beneath(r->tree, path, O_PATH), folder, m;
	struct stat st;

	if (fd < 0)
		return;			/* this kernel does not have it */
	if (fstat(fd, &st) < 0)
		die("%s:", path);
	folder = S_ISDIR(st.st_mode);
	m = clone_mask(r->dev, folder, &last[folder]);
	if (m < 0 || mount_at(m, fd) < 0)
		die("masking %s:", path);
	shut(&last[folder]);
	last[folder] = m;
	close(fd);
}

/* One folder a processor has files that tell of the host's heat. */
static void
mask_processors(struct run *r, int last[2])
{
	char path[80];
	int i, fd;

	for (i = 0; ; i++) {
		put(path, sizeof(path), CPU_FOLDER "%d", i);
		fd = open_beneath(r->tree, path, O_PATH);
		if (fd < 0)
			return;
		close(fd);
		put(path, sizeof(path), CPU_FOLDER "%d/thermal_throttle", i);
		mask(r, path, last);
	}
}

static void
mount_masks(struct run *r)
{
	int keep[LEN(config_writable)], last[] = { -1, -1 }, sys;
	size_t i;

	for (i = 0; i < LEN(keep) && !r->conf->nesting; i++)
		keep[i] = keep_writable(r->tree, config_writable[i]);
	sys = open_beneath(r->tree, "/sys", O_PATH | O_DIRECTORY);
	if (sys < 0 || set_attr(sys, MOUNT_ATTR_RDONLY) < 0)
		die("making /sys read-only:");
	close(sys);
	if (r->conf->nesting)
		return;
	for (i = 0; i < LEN(config_readonly); i++)
		make_readonly(r->tree, config_readonly[i]);
	for (i = 0; i < LEN(config_masked); i++)
		mask(r, config_masked[i], last);
	mask_processors(r, last);
	shut(&last[0]);
	shut(&last[1]);
	for (i = 0; i < LEN(keep); i++)
		if (keep[i] >= 0) {
			mount_on(r->tree, keep[i], config_writable[i], 1, "");
			close(keep[i]);
		}
}

/* ---- the child: files that crun writes ---- */

/* Writes a file of the rootfs with the container's rights, and only if it
 * differs.  A symbolic link to something missing is filled in where it
 * points, within the rootfs. */
static void
write_file(int root, const char *path, const char *text, const char *where)
{
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY, fd;
	char old[4096], link[PATH_MAX];
	struct stat st;
	ssize_t n;

	fd = open_beneath(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	n = fd < 0 ? -1 : read(fd, old, sizeof(old));
	shut(&fd);
	if (n == (ssize_t)strlen(text) && !memcmp(old, text, n))
		return;
	fd = open_how(root, path, flags, 0644, 0);
	if (fd < 0 && errno == ENOENT &&
	    (n = readlinkat(root, path + 1, link, sizeof(link) - 1)) > 0) {
		link[n] = '\0';
		if (*link == '/')
			make_parents(root, link);
		fd = open_how(root, path, flags, 0644, 0);
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		die("%swriting %s in the rootfs:", where, path);
	if (!S_ISREG(st.st_mode))
		die("%s%s of the rootfs is not a regular file", where, path);
	n = write(fd, text, strlen(text));
	if (n != (ssize_t)strlen(text))
		die("%swriting %s in the rootfs:", where, path);
	close(fd);
}

static void
write_files(struct run *r)
{
	const struct conf *c = r->conf;
	const struct setting *dns = conf_next(c, KEY_DNS, NULL);
	const struct setting *host = conf_next(c, KEY_HOSTNAME, NULL);
	char text[2048];
	size_t len = 0;
	int run = open_target(r->tree, "/run/host", 1, "");

	if (create_at(run, "container-manager", "crun\n", 0444) < 0)
		die("writing /run/host/container-manager:");
	close(run);
	for (each(c, s, KEY_DNS))
		if (len < sizeof(text))
			len += snprintf(text + len, sizeof(text) - len,
			    "nameserver %s\n", s->value);
	if (len >= sizeof(text))
		die("%stoo many dns keys", dns->where);
	if (dns)
		write_file(r->tree, "/etc/resolv.conf", text, dns->where);
	put(text, sizeof(text), "%s\n", c->hostname);
	if (host)
		write_file(r->tree, "/etc/hostname", text, host->where);
}

/* ---- the child: pivot ---- */

/* The rootfs is attached over /, which is still the host's for this process,
 * so that paths by descriptor beneath it belong to our namespace. */
static void
attach_rootfs(struct run *r)
{
	int root;

	if (syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		die("making the mounts private:");
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || mount_at(r->tree, root) < 0)
		die("attaching the rootfs:");
	close(root);
}

/* pivot_root(".", "."): the old root comes to lie on the new, and off it. */
static void
pivot(struct run *r)
{
	if (fchdir(r->tree) < 0 ||
	    syscall(SYS_pivot_root, ".", ".") < 0)
		die("pivot_root into %s:", r->conf->rootfs);
	if (syscall(SYS_umount2, ".", DETACH) < 0)
		die("leaving the host's root:");
	if (chdir("/") < 0)
		die("entering the new root:");
	/* systemd expects it, and a guest may share what is its own */
	if (syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0)
		die("sharing the mounts:");
}

void
mount_child(struct run *r)
{
	attach_rootfs(r);
	mount_dev(r);
	mount_table(r->tree);
	mount_console(r);
	mount_masks(r);
	mount_cgroup(r);
	mount_tmpfs_keys(r);
	mount_binds(r);
	write_files(r);
	if (r->conf->readonly && set_attr(r->tree, MOUNT_ATTR_RDONLY) < 0)
		die("making the rootfs read-only:");
	pivot(r);
}
