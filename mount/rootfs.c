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
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "mount/mount.h"
#include "mount/tree.h"
#include "config.h"

/* ---- what the supervisor has prepared ---- */

/* The child takes what has come to its copy of the passage. */
static void
take_place(int passage, size_t i, int *mount)
{
	char name[16];

	if (*mount < 0)
		return;
	close(*mount);
	put(name, sizeof(name), "%zu", i);
	*mount = clone_tree(passage, name, AT_RECURSIVE);
	if (*mount < 0)
		die("taking a mount from the passage:");
}

/* Opens our copy of the passage; while we still have the supervisor's ids, as
 * the run-time folder is for root only. */
void
mount_passage_child(struct run *r)
{
	if (r->mount.passage < 0)
		return;
	r->mount.passage = open(r->mount.passage_path, O_PATH | O_DIRECTORY |
	    O_CLOEXEC);
	if (r->mount.passage < 0)
		die("opening the passage for the mounts:");
}

static void
take_passage(struct run *r)
{
	size_t i;

	if (r->mount.passage < 0)
		return;
	take_place(r->mount.passage, 0, &r->mount.tree);
	for (i = 0; i < r->mount.nlist; i++)
		take_place(r->mount.passage, i + 1, &r->mount.list[i].mount);
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

	refuse_link(r->mount.tree, "/proc");
	refuse_link(r->mount.tree, "/sys");
	for (i = 0; i < LEN(config_mounts); i++) {
		target = config_mounts[i].target;
		m = !strcmp(target, "/sys") && r->mount.sysfs >= 0 ?
		    r->mount.sysfs : mount_kernel(config_mounts[i].fstype,
		    config_mounts[i].options, config_mounts[i].attr);
		target_mount(r->mount.tree, m, target, 1, "");
		if (!strcmp(target, "/proc"))
			r->mount.procfs = m;
		else if (!strcmp(target, "/sys"))
			r->mount.sysfs = m;
		else
			close(m);
		step("mount: %s", target);
	}
}

int
kernel_open(const struct run *r, const char *path, int flags)
{
	int root = strncmp(path, "/proc/", 6) ? r->mount.sysfs :
						r->mount.procfs;
	int fd = open_how(root, strchr(path + 1, '/'), flags, 0,
	    RESOLVE_NO_SYMLINKS);

	if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
		die("opening %s:", path);
	return fd;
}

void
kernel_mount(const struct run *r, int mount, const char *path)
{
	int target = kernel_open(r, path, O_PATH | O_DIRECTORY);

	if (mount < 0 || target < 0 || mount_at(mount, target) < 0)
		die("mounting on %s:", path);
	close(target);
}

/* Whoever may change the rootfs may have moved them meanwhile. */
static void
check_place(const struct run *r, int mount, const char *path)
{
	int fd = open_how(r->mount.tree, path, O_PATH | O_DIRECTORY, 0,
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

	refuse_link(r->mount.tree, "/dev");
	target_mount(r->mount.tree, r->mount.dev, "/dev", 1, "");
	for (i = 0; i < LEN(folders); i++)
		if (mkdirat(r->mount.dev, folders[i], 0755) < 0)
			die("making /dev/%s:", folders[i]);
	for (i = 0; i < LEN(config_links); i++)
		if (symlinkat(config_links[i].target, r->mount.dev,
		    config_links[i].name) < 0)
			die("making /dev/%s:", config_links[i].name);
	dev_child(r);
	pts = openat(r->mount.dev, "pts", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (pts < 0 || mount_at(r->mount.pts, pts) < 0)
		die("mounting on /dev/pts:");
	close(pts);
}

/* /dev/console is the pty that the supervisor reads: pts/0, the first. */
static void
mount_console(struct run *r)
{
	int fd, tty;

	if (r->tty.slave < 0)
		return;
	fd = openat(r->mount.dev, "console",
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0620);
	tty = clone_tree(r->mount.pts, "0", 0);
	if (fd < 0 || tty < 0 || mount_at(tty, fd) < 0)
		die("making /dev/console:");
	close(fd);
	close(tty);
}

static void
mount_cgroup(struct run *r)
{
	int m, dir;

	if (r->mount.view == VIEW_NONE)
		return;
	if (r->mount.view == VIEW_V2) {
		m = mount_kernel("cgroup2", "", A_STRICT);
		kernel_mount(r, m, "/sys/fs/cgroup");
		close(m);
		return;
	}
	m = mount_kernel("tmpfs", "mode=755", A_STRICT);
	kernel_mount(r, m, "/sys/fs/cgroup");
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
mount_tmpfs(const struct run *r, const struct entry *e)
{
	const struct tmpfs *t = &e->s->u.tmpfs;
	char options[64];
	int m;

	put(options, sizeof(options), "mode=%s%s%s", t->mode,
	    *t->size ? " size=" : "", t->size);
	m = new_mount("tmpfs", options,
	    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	target_mount(r->mount.tree, m, e->target, 1, e->s->where);
	close(m);
	step("mount: tmpfs on %s", e->target);
}

static void
mount_bind(const struct run *r, const struct entry *e)
{
	struct stat st;

	if (e->mount < 0)
		return;
	if (fstat(e->mount, &st) < 0)
		die("%sbind %s:", e->s->where, e->s->value);
	target_mount(r->mount.tree, e->mount, e->target, S_ISDIR(st.st_mode),
	    e->s->where);
	if (r->mount.passage < 0)
		mount_set_bind(r, e);
	step("mount: %s on %s", e->s->u.bind.source, e->target);
}

/* What comes later in the file lies over what came before. */
static void
mount_list(const struct run *r)
{
	const struct entry *e = r->mount.list, *end = e + r->mount.nlist;

	for (; e < end; e++)
		if (e->s->id == KEY_BIND)
			mount_bind(r, e);
		else
			mount_tmpfs(r, e);
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
	if (root < 0 || mount_at(r->mount.tree, root) < 0)
		die("attaching the rootfs:");
	close(root);
	if (r->mount.passage < 0)
		mount_set_rootfs(r);
}

/* pivot_root(".", ".") stacks the old root on the new one, pivot_root(2); the
 * umount takes it off. */
static void
pivot(struct run *r)
{
	if (fchdir(r->mount.tree) < 0 ||
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
	take_passage(r);
	attach_rootfs(r);
	mount_dev(r);
	mount_table(r);
	mount_console(r);
	masks_child(r);
	mount_cgroup(r);
	mount_list(r);
	if (r->net.hosts >= 0)
		target_mount(r->mount.tree, r->net.hosts, "/etc/hosts", 0,
		    conf_where(r->conf, KEY_HOSTS));
	run_host_child(r);
	check_place(r, r->mount.procfs, "/proc");
	check_place(r, r->mount.sysfs, "/sys");
	pivot(r);
}
