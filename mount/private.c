/* A mount namespace of the supervisor's own, and in it what the host lacks: a
 * root that is not the initial ramfs, /proc and /sys. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "mount/mount.h"
#include "config.h"

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
	struct mountinfo m = { .file = NULL };
	int found = 0;

	if (!is_fstype("/", RAMFS_MAGIC) && !is_fstype("/", TMPFS_MAGIC))
		return 0;
	while (!found && mountinfo_next(&m))
		found = m.id == m.parent;
	mountinfo_end(&m);
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

	if (r->mount.private || (complete && r->conf->userns == USERNS_NONE))
		return;
	if (complete) {
		r->mount.hostns = open("/proc/self/ns/mnt", O_RDONLY |
		    O_CLOEXEC);
		r->mount.hostroot = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (r->mount.hostns < 0 || r->mount.hostroot < 0)
			die("opening the host's mount namespace:");
	}
	if (unshare(CLONE_NEWNS) < 0 ||
	    syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		die("making a mount namespace for the supervisor:");
	r->mount.private = 1;
	if (!proc)
		mount_missing("/proc", "proc");
	if (!sys)
		mount_missing("/sys", "sysfs");
	if (root_is_initramfs())
		leave_initramfs();
}

/* Back in the host's mount namespace, with the root that we had; nothing of
 * the host is then kept busy by us.  Where there is no way back, the passage
 * alone goes. */
void
private_undo(struct run *r)
{
	if (r->mount.hostns >= 0) {
		if (r->mount.private &&
		    (setns(r->mount.hostns, CLONE_NEWNS) < 0 ||
			fchdir(r->mount.hostroot) < 0 || chroot(".") < 0))
			warn("returning to the host's mount namespace:");
		r->mount.private = 0;
	} else if (r->mount.passage >= 0) {
		syscall(SYS_umount2, r->mount.passage_path, DETACH);
	}
	shut(&r->mount.passage);
	shut(&r->mount.hostns);
	shut(&r->mount.hostroot);
}
