/* What of /proc and /sys is covered or read-only. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "mount/tree.h"
#include "config.h"

/* ---- masks ---- */

/* A clone of the path's own mount, to be put back over what covers it. */
static int
keep_writable(const struct run *r, const char *path)
{
	int fd = kernel_open(r, path, O_PATH | O_DIRECTORY), clone;

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
	int fd = kernel_open(r, path, O_PATH), clone;

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
	int fd = kernel_open(r, path, O_PATH), folder, m;
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) < 0)
		die("%s:", path);
	folder = S_ISDIR(st.st_mode);
	m = clone_mask(r->mount.dev, folder, &last[folder]);
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
	int fd = kernel_open(r, CPU_FOLDER "present", O_RDONLY);
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

void
masks_child(struct run *r)
{
	int keep[LEN(config_writable)], last[] = { -1, -1 };
	size_t i;

	/* with the host's network they are the host's */
	for (i = 0; i < LEN(keep) && !r->conf->nesting; i++)
		keep[i] = r->conf->host_net ? -1 :
		    keep_writable(r, config_writable[i]);
	if (set_attr(r->mount.sysfs, MOUNT_ATTR_RDONLY, 0) < 0)
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
			kernel_mount(r, keep[i], config_writable[i]);
			close(keep[i]);
		}
}
