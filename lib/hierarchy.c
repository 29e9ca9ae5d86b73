/* Where the hierarchies of cgroups are mounted. */
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "lib/lib.h"

static int
is_mount(const char *path, long magic)
{
	struct statfs fs;

	return !statfs(path, &fs) && (long)fs.f_type == magic;
}

/* Where a hierarchy usually is: this spares the host's list of mounts. */
static int
usual_mount(struct mount *m, const char *ctrl)
{
	const char *name = strchr(ctrl, '=');

	put(m->ctrl, sizeof(m->ctrl), "%s", ctrl);
	if (!*ctrl) {
		put(m->path, sizeof(m->path), "/sys/fs/cgroup");
		if (is_mount(m->path, CGROUP2_SUPER_MAGIC))
			return 1;
	}
	put(m->path, sizeof(m->path), "/sys/fs/cgroup/%s",
	    name ? name + 1 : *ctrl ? ctrl : "unified");
	return is_mount(m->path, *ctrl ? CGROUP_SUPER_MAGIC :
	    CGROUP2_SUPER_MAGIC);
}

/* v1 has the controllers, or the name, among the options of the file system,
 * after rw or ro. */
static int
is_hierarchy(const struct mountinfo *i, const char *ctrl)
{
	if (!*ctrl)
		return !strcmp(i->fstype, "cgroup2");
	return !strcmp(i->fstype, "cgroup") && has_word(i->super, ctrl);
}

static int
listed_mount(struct mount *m, const char *ctrl)
{
	struct mountinfo i = { .file = NULL };
	const char *options;
	int found = 0;

	while (!found && mountinfo_next(&i)) {
		if (!is_hierarchy(&i, ctrl) || strlen(i.path) >=
		    sizeof(m->path))
			continue;
		found = 1;
		put(m->path, sizeof(m->path), "%s", i.path);
		options = strchr(i.super, ',');
		snprintf(m->ctrl, sizeof(m->ctrl), "%s",
		    *ctrl && options ? options + 1 : "");
	}
	mountinfo_end(&i);
	return found;
}

int
hierarchy_find(struct mount *m, const char *ctrl)
{
	if (usual_mount(m, ctrl))
		return 1;
	/* on a pure v2 host there is no other */
	if (*ctrl && is_mount("/sys/fs/cgroup", CGROUP2_SUPER_MAGIC))
		return 0;
	return listed_mount(m, ctrl);
}

int
hierarchy_path(const char *ctrl, char *path, size_t size)
{
	struct mount m;

	if (!hierarchy_find(&m, ctrl))
		return -1;
	snprintf(path, size, "%s", m.path);
	return 0;
}
