/* The file tree, as the child puts it together in its own mount namespace:
 * the rootfs over /, what the supervisor has prepared (mount.c), what belongs
 * to the child's namespaces (proc, sysfs, mqueue, cgroup), masks, the files
 * that crun writes; then pivot_root.
 *
 * The rootfs is hostile.  It is one file descriptor; every path in it is
 * looked up by open_beneath() and used by descriptor, so no symbolic link in
 * it ever meets the host's tree, whoever changes it meanwhile.  What is made
 * in it is made with the container's rights.  What covers parts of /proc and
 * /sys goes by the descriptors of these mounts, so that nobody leads it
 * elsewhere by exchanging their folders; at the end they must be in their
 * places.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crun.h"
#include "config.h"

/* ---- what the supervisor has prepared ---- */

/* The child takes what has come to its copy of the stage. */
static void
take_place(int stage, int i, int *mount)
{
	char name[16];

	if (*mount < 0)
		return;
	close(*mount);
	put(name, sizeof(name), "%d", i);
	*mount = clone_tree(stage, name, AT_RECURSIVE);
	if (*mount < 0)
		die("taking a mount from the stage:");
}

/* Opens our copy of the stage; while we still have the supervisor's ids, as
 * the run-time folder is for root only. */
void
stage_child(struct run *r)
{
	if (r->stage < 0)
		return;
	r->stage = open(r->stage_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->stage < 0)
		die("opening the stage for the mounts:");
}

static void
take_stage(struct run *r)
{
	int i;

	if (r->stage < 0)
		return;
	take_place(r->stage, 0, &r->tree);
	for (i = 0; i < MAXBIND; i++)
		take_place(r->stage, i + 1, &r->bind[i]);
}

/* ---- making targets ---- */

/* What is made in the rootfs, and not on a mount over it, is told to the
 * supervisor, which takes it away again if the start fails. */
static void
tell_made(int root, int dir, const char *path)
{
	struct stat top, st;

	if (!fstat(root, &top) && !fstatat(dir, strrchr(path, '/') + 1, &st,
	    AT_SYMLINK_NOFOLLOW) && top.st_dev == st.st_dev)
		ns_made_child(path, st.st_ino);
}

int
open_parent(int root, const char *path, const char **last)
{
	char dir[PATH_MAX];

	*last = strrchr(path, '/') + 1;
	put(dir, sizeof(dir), "%.*s", (int)(*last - path), path);
	return open_beneath(root, dir, O_PATH | O_DIRECTORY);
}

/* Makes the missing folders of path, all but the last part. */
static void
make_parents(int root, const char *path, const char *where)
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
				die("%smaking %s in the rootfs:", where, dir);
			tell_made(root, fd, dir);
		}
		if (fd < 0)
			die("%s%s in the rootfs:", where, dir);
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
		make_parents(root, path, where);
		dir = open_parent(root, path, &last);
		if (dir < 0)
			die("%s%s in the rootfs:", where, path);
		fd = folder ? mkdirat(dir, last, 0755) :
		    openat(dir, last, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    0644);
		if (fd < 0)
			die("%smaking %s in the rootfs:", where, path);
		tell_made(root, dir, path);
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

/* ---- what is mounted ---- */

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
mount_table(struct run *r)
{
	const char *target;
	size_t i;
	int m;

	refuse_link(r->tree, "/proc");
	refuse_link(r->tree, "/sys");
	for (i = 0; i < LEN(config_mounts); i++) {
		target = config_mounts[i].target;
		m = mount_kernel(config_mounts[i].fstype,
		    config_mounts[i].options, config_mounts[i].attr);
		mount_on(r->tree, m, target, 1, "");
		if (!strcmp(target, "/proc"))
			r->procfs = m;
		else if (!strcmp(target, "/sys"))
			r->sysfs = m;
		else
			close(m);
		step("mount: %s", target);
	}
}

/* A path below /proc or /sys, in the mounts that we have put there; -1 where
 * this kernel does not have it. */
static int
open_kernel(const struct run *r, const char *path, int flags)
{
	int root = strncmp(path, "/proc/", 6) ? r->sysfs : r->procfs;
	int fd = open_how(root, strchr(path + 1, '/'), flags, 0,
	    RESOLVE_NO_SYMLINKS);

	if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
		die("opening %s:", path);
	return fd;
}

static void
mount_on_kernel(const struct run *r, int mount, const char *path)
{
	int target = open_kernel(r, path, O_PATH | O_DIRECTORY);

	if (mount < 0 || target < 0 || mount_at(mount, target) < 0)
		die("mounting on %s:", path);
	close(target);
}

/* Whoever may change the rootfs may have moved them meanwhile. */
static void
check_place(const struct run *r, int mount, const char *path)
{
	int fd = open_how(r->tree, path, O_PATH | O_DIRECTORY, 0,
	    RESOLVE_NO_SYMLINKS);
	struct stat a, b;

	if (fd < 0 || fstat(fd, &a) < 0 || fstat(mount, &b) < 0)
		die("%s of the rootfs:", path);
	if (a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		die("%s of the rootfs: somebody has moved it meanwhile", path);
	close(fd);
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
	device_child(r);
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
		mount_on_kernel(r, m, "/sys/fs/cgroup");
		close(m);
		return;
	}
	m = mount_kernel("tmpfs", "mode=755", A_STRICT);
	mount_on_kernel(r, m, "/sys/fs/cgroup");
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
		if (r->stage < 0)
			mount_set_bind(r, s, fd);
		step("mount: %s on %s", s->u.bind.source, s->u.bind.target);
	}
}

/* ---- masks ---- */

/* A clone of the path's own mount, to be put back over what covers it. */
static int
keep_writable(const struct run *r, const char *path)
{
	int fd = open_kernel(r, path, O_PATH | O_DIRECTORY), clone;

	if (fd < 0)
		return -1;
	clone = clone_tree(fd, "", AT_EMPTY_PATH);
	if (clone < 0)
		die("cloning %s:", path);
	close(fd);
	return clone;
}

static void
make_readonly(const struct run *r, const char *path)
{
	int fd = open_kernel(r, path, O_PATH), clone;

	if (fd < 0)
		return;
	clone = clone_tree(fd, "", AT_EMPTY_PATH);
	if (clone < 0 || mount_at(clone, fd) < 0 ||
	    set_attr(clone, MOUNT_ATTR_RDONLY, 0) < 0)
		die("making %s read-only (nesting=yes leaves it):", path);
	close(clone);
	close(fd);
}

/* What a path is masked with: a clone of the last mask of that kind, with its
 * attributes; the first one is made, and a file's gets them in its place. */
static int
clone_mask(int dev, int folder, int *last)
{
	if (*last >= 0)
		return clone_tree(*last, "", AT_EMPTY_PATH);
	if (folder)
		return new_mount("tmpfs", "mode=555 size=4k nr_inodes=1",
		    MOUNT_ATTR_RDONLY | A_STRICT);
	return clone_tree(dev, "null", 0);
}

/* A file is covered by /dev/null on a mount without devices: whatever opens
 * it gets EACCES.  A folder is covered by an empty one. */
static void
mask(struct run *r, const char *path, int last[2])
{
	int fd = open_kernel(r, path, O_PATH), folder, m;
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) < 0)
		die("%s:", path);
	folder = S_ISDIR(st.st_mode);
	m = clone_mask(r->dev, folder, &last[folder]);
	if (m < 0 || mount_at(m, fd) < 0 || (!folder && last[0] < 0 &&
	    set_attr(m, MOUNT_ATTR_RDONLY | A_STRICT, 0) < 0))
		die("masking %s (nesting=yes leaves it):", path);
	shut(&last[folder]);
	last[folder] = m;
	close(fd);
}

/* The number of the last processor, of a list as "0-3,8-11"; -1: there is no
 * such list. */
static int
last_processor(const struct run *r)
{
	int fd = open_kernel(r, CPU_FOLDER "present", O_RDONLY);
	char list[512] = "-1";
	ssize_t n = fd < 0 ? 0 : read(fd, list, sizeof(list) - 1);

	shut(&fd);
	if (n < 0)
		die("reading " CPU_FOLDER "present:");
	while (n > 1 && strchr("0123456789\n", list[n - 2]))
		n--;
	return strtol(list + (n ? n - 1 : 0), NULL, 10);
}

/* One folder a processor has files that tell of the host's heat. */
static void
mask_processors(struct run *r, int last[2])
{
	char path[80];
	int i, end = last_processor(r);

	for (i = 0; i <= end; i++) {
		put(path, sizeof(path), CPU_FOLDER "cpu%d/thermal_throttle", i);
		mask(r, path, last);
	}
}

static void
mount_masks(struct run *r)
{
	int keep[LEN(config_writable)], last[] = { -1, -1 };
	size_t i;

	for (i = 0; i < LEN(keep) && !r->conf->nesting; i++)
		keep[i] = keep_writable(r, config_writable[i]);
	if (set_attr(r->sysfs, MOUNT_ATTR_RDONLY, 0) < 0)
		die("making /sys read-only:");
	if (r->conf->nesting)
		return;
	for (i = 0; i < LEN(config_readonly); i++)
		make_readonly(r, config_readonly[i]);
	for (i = 0; i < LEN(config_masked); i++)
		mask(r, config_masked[i], last);
	for (i = 0; i < LEN(config_masked_privileged) &&
	    r->conf->userns == USERNS_NONE; i++)
		mask(r, config_masked_privileged[i], last);
	mask_processors(r, last);
	shut(&last[0]);
	shut(&last[1]);
	for (i = 0; i < LEN(keep); i++)
		if (keep[i] >= 0) {
			mount_on_kernel(r, keep[i], config_writable[i]);
			close(keep[i]);
		}
}

/* ---- files that crun writes ---- */

/* Makes the folders of what a dangling link points to, within the rootfs. */
static void
make_link_parents(int root, const char *path, const char *where)
{
	char link[PATH_MAX], target[2 * PATH_MAX];
	const char *last;
	int dir = open_parent(root, path, &last);
	ssize_t n;

	n = dir < 0 ? -1 : readlinkat(dir, last, link, sizeof(link) - 1);
	shut(&dir);
	if (n < 0)
		return;
	link[n] = '\0';
	put(target, sizeof(target), "%.*s%s",
	    *link == '/' ? 0 : (int)(strrchr(path, '/') + 1 - path), path,
	    link);
	make_parents(root, target, where);
}

/* What was written, and what was there before: a start that fails after that
 * puts it back, into the same file, wherever a link led to it. */
enum { NO_FILE = -1, UNKNOWN = -2 };	/* it is left as it is then */
static struct written {
	char path[PATH_MAX];	/* without links */
	ino_t inode;
	char *old;
	ssize_t size;
} written[2];
static size_t nwritten;

static void
read_old(struct written *w, int root, const char *path)
{
	enum { MOST = 1 << 20 };
	int fd = open_beneath(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	w->size = fd < 0 && errno == ENOENT ? NO_FILE : UNKNOWN;
	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) &&
	    st.st_size <= MOST) {
		w->old = xrealloc(NULL, st.st_size + 1, 1);
		if (read(fd, w->old, st.st_size) == st.st_size)
			w->size = st.st_size;
	}
	shut(&fd);
}

static void
keep_written(struct run *r, struct written *w, int fd, ino_t inode)
{
	char link[32];
	ssize_t n;

	put(link, sizeof(link), "self/fd/%d", fd);
	n = readlinkat(r->procfs, link, w->path, sizeof(w->path) - 1);
	if (n < 0)
		w->size = UNKNOWN;
	else
		w->path[n] = '\0';
	w->inode = inode;
	nwritten++;
}

/* The tree is / by now; the process ends after this. */
void
rootfs_restore_child(void)
{
	struct written *w;
	struct stat st;
	int fd;

	for (w = written; w < written + nwritten; w++) {
		fd = w->size == UNKNOWN ? -1 : open_beneath(AT_FDCWD, w->path,
		    O_WRONLY | O_NONBLOCK | O_NOCTTY);
		if (fd < 0 || fstat(fd, &st) < 0 || st.st_ino != w->inode)
			continue;
		if (w->size == NO_FILE)
			unlink(w->path);
		else if (!ftruncate(fd, 0))
			write(fd, w->old, w->size);
	}
	nwritten = 0;
}

/* In a read-only tree, a file on /run is shown in the place of path. */
static void
cover_file(int root, const char *path, const char *text, const char *where)
{
	const char *name = strrchr(path, '/') + 1;
	int run = open_target(root, "/run/host", 1, ""), m;

	if (create_at(run, name, text, 0644) < 0)
		die("%swriting /run/host/%s:", where, name);
	m = clone_tree(run, name, 0);
	mount_on(root, m, path, 0, where);
	close(m);
	close(run);
}

/* Writes a file of the rootfs with the container's rights, and only if it
 * differs: a start need not wear flash out. */
static void
write_file(struct run *r, const char *path, const char *text,
    const char *where)
{
	int flags = O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY, fd;
	struct written *w = &written[nwritten];
	int root = r->tree;
	struct stat st;

	read_old(w, root, path);
	if (w->old && w->size == (ssize_t)strlen(text) &&
	    !memcmp(w->old, text, w->size))
		return;
	fd = open_how(root, path, flags, 0644, 0);
	if (fd < 0 && errno == ENOENT) {
		make_link_parents(root, path, where);
		fd = open_how(root, path, flags, 0644, 0);
	}
	if (fd < 0 && errno == EROFS) {
		cover_file(root, path, text, where);
		return;
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		die("%swriting %s in the rootfs:", where, path);
	if (!S_ISREG(st.st_mode))
		die("%s%s of the rootfs is not a regular file", where, path);
	if (w->size == NO_FILE && st.st_size)
		w->size = UNKNOWN;	/* somebody was faster */
	keep_written(r, w, fd, st.st_ino);
	if (ftruncate(fd, 0) < 0 ||
	    write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die("%swriting %s in the rootfs:", where, path);
	close(fd);
}

static void
write_run_files(struct run *r)
{
	int run = open_target(r->tree, "/run/host", 1, "");

	if (create_at(run, "container-manager", "crun\n", 0444) < 0)
		die("writing /run/host/container-manager:");
	if (r->notify >= 0 && fchdir(run) < 0)
		die("entering /run/host:");
	notify_child(r);
	close(run);
}

void
rootfs_files_child(struct run *r)
{
	const struct conf *c = r->conf;
	const struct setting *dns = conf_next(c, KEY_DNS, NULL);
	const struct setting *host = conf_next(c, KEY_HOSTNAME, NULL);
	char text[2048];
	size_t len = 0;

	for (each(c, s, KEY_DNS))
		if (len < sizeof(text))
			len += snprintf(text + len, sizeof(text) - len,
			    "nameserver %s\n", s->value);
	if (len >= sizeof(text))
		die("%stoo many dns keys", dns->where);
	if (dns)
		write_file(r, "/etc/resolv.conf", text, dns->where);
	put(text, sizeof(text), "%s\n", c->hostname);
	if (host)
		write_file(r, "/etc/hostname", text, host->where);
}

/* ---- pivot ---- */

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
	if (r->stage < 0)
		mount_set_rootfs(r);
}

/* pivot_root(".", "."): the old root comes to lie on the new, and off it. */
static void
pivot(struct run *r)
{
	if (fchdir(r->tree) < 0 ||
	    syscall(SYS_pivot_root, ".", ".") < 0)
		die("pivot_root into %s%s:", r->conf->rootfs,
		    errno == EINVAL ? ", as our own / is no mount point: "
		    "in a chroot, bind it on itself before" : "");
	if (syscall(SYS_umount2, ".", DETACH) < 0)
		die("leaving the host's root:");
	if (chdir("/") < 0)
		die("entering the new root:");
	/* systemd expects it, and a guest may share what is its own */
	if (syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0)
		die("sharing the mounts:");
}

void
rootfs_child(struct run *r)
{
	take_stage(r);
	attach_rootfs(r);
	mount_dev(r);
	mount_table(r);
	mount_console(r);
	mount_masks(r);
	mount_cgroup(r);
	mount_tmpfs_keys(r);
	mount_binds(r);
	write_run_files(r);
	check_place(r, r->procfs, "/proc");
	check_place(r, r->sysfs, "/sys");
	pivot(r);
}
