/* Where cgroups are mounted, by mountinfo, proc(5). */
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "lib/lib.h"

/* Undoes the \ooo of mountinfo, proc(5). */
static void
unescape(char *s)
{
	char *out = s;

	for (; *s; s++)
		if (*s == '\\' && s[1] && s[2] && s[3]) {
			*out++ = (s[1] & 7) << 6 | (s[2] & 7) << 3 | (s[3] & 7);
			s += 3;
		} else {
			*out++ = *s;
		}
	*out = '\0';
}

/* One line of mountinfo; 0 unless it is a cgroup hierarchy. */
static int
parse_mount(char *line, struct mount *m)
{
	char *dash = strstr(line, " - cgroup"), *path = line, *opts;
	int i;

	if (!dash)
		return 0;
	for (i = 0; i < 4 && path; i++)
		path = strchr(path, ' '), path += !!path;
	opts = strrchr(dash, ' ');
	if (!path || !opts || strcspn(path, " ") >= sizeof(m->path))
		return 0;
	put(m->path, sizeof(m->path), "%.*s", (int)strcspn(path, " "), path);
	unescape(m->path);
	*m->ctrl = '\0';
	if (strncmp(dash, " - cgroup2 ", 11)) {
		opts += strcspn(opts, ",");	/* past rw or ro */
		opts[strcspn(opts, "\n")] = '\0';
		snprintf(m->ctrl, sizeof(m->ctrl), "%s", opts + !!*opts);
	}
	return 1;
}

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

static int
listed_mount(struct mount *m, const char *ctrl)
{
	char line[2048];
	int found = 0;
	FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f && !found && fgets(line, sizeof(line), f))
		found = parse_mount(line, m) &&
		    (*ctrl ? has_word(m->ctrl, ctrl) : !*m->ctrl);
	if (f)
		fclose(f);
	return found;
}

int
cgroup_find(struct mount *m, const char *ctrl)
{
	if (usual_mount(m, ctrl))
		return 1;
	/* on a pure v2 host there is no other */
	if (*ctrl && is_mount("/sys/fs/cgroup", CGROUP2_SUPER_MAGIC))
		return 0;
	return listed_mount(m, ctrl);
}

int
cgroup_mount(const char *ctrl, char *path, size_t size)
{
	struct mount m;

	if (!cgroup_find(&m, ctrl))
		return -1;
	snprintf(path, size, "%s", m.path);
	return 0;
}
