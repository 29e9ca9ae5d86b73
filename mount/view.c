/* Which version of cgroups the guest can use: cgroup.view. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "mount/tree.h"
#include "config.h"

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

void
view_host(struct run *r)
{
	int version;

	r->mount.view = r->conf->view;
	if (r->mount.view != VIEW_AUTO)
		return;
	version = r->conf->program ? 0 : systemd_version(r->mount.tree);
	r->mount.view = version && version < SYSTEMD_V2 ? VIEW_V1 : VIEW_V2;
}
