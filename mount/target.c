/* Places in the rootfs to mount on: found or made, below a tree that is
 * hostile. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/lib.h"
#include "mount/tree.h"
#include "ns/ns.h"

/* What is made in the rootfs, and not on a mount over it, is told to the
 * supervisor, which takes it away again if the start fails. */
static void
tell_made(int root, int dir, const char *path)
{
	char line[PATH_MAX + 24];
	struct stat top, st;

	if (fstat(root, &top) < 0 || fstatat(dir, strrchr(path, '/') + 1, &st,
	    AT_SYMLINK_NOFOLLOW) < 0 || top.st_dev != st.st_dev)
		return;
	put(line, sizeof(line), "%llu %s", (unsigned long long)st.st_ino,
	    path);
	ns_made_child(line);
}

void
target_parents(int root, const char *path, const char *where)
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

int
target_open(int root, const char *path, int folder, const char *where)
{
	const char *last;
	int fd, dir;

	fd = open_beneath(root, path, O_PATH | (folder ? O_DIRECTORY : 0));
	if (fd < 0 && errno == ENOENT) {
		target_parents(root, path, where);
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

void
target_mount(int root, int mount, const char *path, int folder,
    const char *where)
{
	int target = target_open(root, path, folder, where);

	if (mount < 0 || mount_at(mount, target) < 0)
		die("%smounting on %s:", where, path);
	close(target);
}
