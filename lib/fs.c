/* The calls of the mount API, by descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/lib.h"

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

/* Whether a mount of our namespace has others below it. */
static int
has_mounts(int mount)
{
	struct mountinfo m = { .file = NULL };
	char file[32], text[1024], *rest;
	int found = 0;
	long id;

	put(file, sizeof(file), "/proc/self/fdinfo/%d", mount);
	read_at(AT_FDCWD, file, text, sizeof(text));
	rest = strstr(text, "mnt_id:");
	id = rest ? strtol(rest + strlen("mnt_id:"), NULL, 10) : -1;
	while (!found && mountinfo_next(&m))
		found = m.parent == id;
	mountinfo_end(&m);
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

int
fs_is_old(void)
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
