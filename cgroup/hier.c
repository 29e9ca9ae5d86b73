/* Which hierarchies there are, and why one is missing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "crun.h"
#include "cgroup/hier.h"
#include "lib/lib.h"

struct hier *
hier_add(struct run *r, const char *ctrl, const char *path, int base)
{
	struct hier *h;
	struct stat st;

	if (r->cgroup.nhier == MAXHIER)
		die("more than %d cgroup hierarchies", MAXHIER);
	h = &r->cgroup.hier[r->cgroup.nhier++];
	*h = (struct hier){ .base = base, .group = -1, .payload = -1,
	    .tasks = -1 };
	put(h->ctrl, sizeof(h->ctrl), "%s", ctrl);
	h->path = xprintf("%s", path);
	if (base < 0 || fstat(base, &st) < 0)
		die("opening %s:", path);
	h->dev = st.st_dev;
	return h;
}

struct hier *
hier_v1(struct run *r, const struct mount *m)
{
	struct hier *h;
	struct stat st;
	size_t i;

	if (stat(m->path, &st) < 0)
		die("looking at %s:", m->path);
	for (i = 1; i < r->cgroup.nhier; i++) {
		h = &r->cgroup.hier[i];
		if (has_word(h->ctrl, m->ctrl))
			return h;
		if (h->dev == st.st_dev) {
			put(h->ctrl + strlen(h->ctrl),
			    sizeof(h->ctrl) - strlen(h->ctrl), ",%s", m->ctrl);
			return h;
		}
	}
	return hier_add(r, m->ctrl, m->path,
	    open(m->path, DIR_FLAGS & ~O_NOFOLLOW));
}

/* Our own v2 group, if it was delegated to us; "" else. */
static void
find_delegated(struct run *r, const char *mount)
{
	char text[4096], path[4096], flag;
	char *own;

	*r->cgroup.delegated = '\0';
	if (read_at(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) < 0)
		return;
	own = strstr(text, "0::/");
	if (!own || (own != text && own[-1] != '\n'))
		return;
	own += strlen("0::");
	own[strcspn(own, "\n")] = '\0';
	if (!own[1] || strlen(own) >= sizeof(r->cgroup.delegated))
		return;
	/* an earlier life of ours: we are in the leaf already */
	if (strlen(own) > strlen("/" LEAF) &&
	    !strcmp(own + strlen(own) - strlen("/" LEAF), "/" LEAF))
		own[strlen(own) - strlen("/" LEAF)] = '\0';
	snprintf(path, sizeof(path), "%s%s", mount, own);
	if ((getxattr(path, "trusted.delegate", &flag, 1) == 1 ||
	    getxattr(path, "user.delegate", &flag, 1) == 1) && flag == '1')
		put(r->cgroup.delegated, sizeof(r->cgroup.delegated), "%s",
		    own);
}

void
hier_add_v2(struct run *r)
{
	struct mount m;
	char path[512];
	int fd;

	if (!hierarchy_find(&m, "")) {
		fd = new_mount("cgroup2", "", 0);
		if (fd < 0)
			die("mounting cgroup2 (CONFIG_CGROUPS):");
		hier_add(r, "", DETACHED, fd);
		return;
	}
	find_delegated(r, m.path);
	put(path, sizeof(path), "%s%s", m.path, r->cgroup.delegated);
	hier_add(r, "", path, open(path, DIR_FLAGS));
	if (!*r->cgroup.delegated)
		return;
	if ((mkdirat(r->cgroup.hier->base, LEAF, 0755) < 0 &&
		errno != EEXIST) ||
	    write_at(r->cgroup.hier->base, LEAF "/cgroup.procs", "0") < 0)
		die("moving into a leaf of the delegated group %s:", path);
}

/* ---- why a controller is missing ---- */

/* number: of the v1 hierarchy that has the controller; 0: none. */
static void
say_missing(char *why, size_t size, const char *ctrl, int enabled, int number,
    int delegated)
{
	if (!enabled)
		snprintf(why, size, "the kernel has switched it off; boot "
		    "with cgroup_enable=%s", ctrl);
	else if (number)
		snprintf(why, size, "it is bound to a v1 hierarchy that is "
		    "not mounted; mkdir -p /sys/fs/cgroup/%s && mount -t "
		    "cgroup -o %s none /sys/fs/cgroup/%s", ctrl, ctrl, ctrl);
	else if (delegated)
		snprintf(why, size, "it is not delegated to our group; "
		    "Delegate=%s", ctrl);
	else
		snprintf(why, size, "it is not in cgroup.controllers; the "
		    "group above does not pass %s on", ctrl);
}

const char *
hier_missing(const char *ctrl, int delegated)
{
	char text[4096], *line;
	size_t len = strlen(ctrl);
	static char why[256];
	long number, enabled;
	char *end;

	read_at(AT_FDCWD, "/proc/cgroups", text, sizeof(text));
	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, ctrl, len) || line[len] != '\t')
			continue;
		number = strtol(line + len, &end, 10);
		strtol(end, &end, 10);		/* how many groups */
		enabled = strtol(end, NULL, 10);
		say_missing(why, sizeof(why), ctrl, enabled, number,
		    delegated);
		return why;
	}
	return "the kernel is built without it";
}
