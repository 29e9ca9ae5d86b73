/* Paths below a folder that is not trusted, by openat2(2). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/lib.h"
#include "config.h"

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
open_parent(int root, const char *path, const char **last)
{
	char dir[PATH_MAX];

	*last = strrchr(path, '/') + 1;
	put(dir, sizeof(dir), "%.*s", (int)(*last - path), path);
	return open_beneath(root, dir, O_PATH | O_DIRECTORY);
}

void
put_state_path(char *buf, size_t size, const char *name, const char *file)
{
	put(buf, size, STATEDIR "/%s%s%s", name, file ? "/" : "",
	    file ? file : "");
}
