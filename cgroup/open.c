/* The groups of a container that runs, as another crun finds them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crun.h"
#include "cgroup/cgroup.h"
#include "lib/lib.h"
#include "config.h"

/* ---- finding them ---- */

/* Fills group, payload and dev of h, of which ctrl is set.  0, or -1 and
 * errno. */
static int
open_folders(struct hier *h, const char *what)
{
	struct stat st;
	int top = cgroup_top(what), err;

	h->group = top < 0 ? -1 : openat(top, strrchr(what, '/') + 1,
	    DIR_FLAGS);
	err = errno;
	shut(&top);
	errno = err;
	if (h->group < 0)
		return -1;
	h->payload = openat(h->group, "payload", DIR_FLAGS);
	if (h->payload < 0 && errno == ENOENT && *h->ctrl)
		h->payload = h->group;
	if (h->payload >= 0 && !fstat(h->group, &st)) {
		h->dev = st.st_dev;
		return 0;
	}
	err = errno;
	if (h->payload != h->group)
		shut(&h->payload);
	shut(&h->group);
	errno = err;
	return -1;
}

static int
open_group(struct run *r, const char *what, const char *ctrl)
{
	struct hier h = { .base = -1, .tasks = -1 };

	put(h.ctrl, sizeof(h.ctrl), "%s", ctrl);
	errno = EMFILE;
	if (r->cgroup.nhier == MAXHIER || open_folders(&h, what) < 0)
		return -1;
	h.path = xprintf("%s", what);
	r->cgroup.hier[r->cgroup.nhier++] = h;
	return 0;
}

static int
is_open(const struct run *r, const char *what)
{
	size_t len, i;

	for (i = 0; i < r->cgroup.nhier; i++) {
		len = strlen(r->cgroup.hier[i].path);
		if (!strncmp(r->cgroup.hier[i].path, what, len) &&
		    (!what[len] || !strncmp(what + len, "/" CGROUP_TOP "/",
		    strlen("/" CGROUP_TOP "/"))))
			return 1;
	}
	return 0;
}

const char *
cgroup_open(struct run *r)
{
	static char text[16384];
	char *line, *rest = text;
	const char *missing = NULL, *ctrl = "";
	int err = 0;

	if (read_at(r->state.dir, "host", text, sizeof(text)) < 0)
		return "the list of its cgroups";
	while ((line = next_part(&rest, "\n"))) {
		if (strncmp(line, "cgroup ", 7))
			continue;
		if (!is_open(r, line + 7) &&
		    open_group(r, line + 7, ctrl) < 0 && !missing) {
			missing = line;
			err = errno;
		}
		ctrl = "v1";	/* v2 is recorded first */
	}
	errno = err;
	return missing;
}

int
cgroup_open_all(struct run *r, const char *name)
{
	const char *missing = cgroup_open(r);

	if (missing)
		tell("%s: opening %s%s:", name, missing, errno == ENOENT ?
		    ", which must be mounted where crun is called" : "");
	else if (!r->cgroup.nhier)
		tell("%s has no cgroup any more", name);
	return missing || !r->cgroup.nhier ? -1 : 0;
}

ssize_t
cgroup_read(const struct run *r, const char *file, char *buf, size_t size)
{
	const struct hier *h;
	ssize_t n = -1;

	*buf = '\0';
	for (h = r->cgroup.hier; n < 0 && h < r->cgroup.hier + r->cgroup.nhier;
	     h++)
		n = read_at(h->group, file, buf, size);
	return n;
}

/* ---- entering them ---- */

/* The guest may have moved its init to a group below payload, since one that
 * passes controllers on takes no processes. */
int
cgroup_open_init(const struct run *r)
{
	char text[8192], *path, *below;
	char *mark = xprintf("/" CGROUP_TOP "/%s/payload", r->conf->name);
	int fd = -1, err = ENOENT;

	if (read_at(r->init.proc, "cgroup", text, sizeof(text)) < 0)
		die("reading the groups of the init of %s:", r->conf->name);
	path = strstr(text, "0::");
	if (path) {
		path[strcspn(path, "\n")] = '\0';
		below = strstr(path, mark);
		if (below && *(below += strlen(mark)) == '/') {
			fd = openat(r->cgroup.hier->payload, below + 1,
			    DIR_FLAGS);
			err = errno;
		}
	}
	free(mark);
	errno = err;
	if (fd < 0 && err == ENOENT)	/* the guest may have removed it */
		fd = openat(r->cgroup.hier->payload, ".", DIR_FLAGS);
	if (fd < 0)
		die("opening the group of the init of %s:", r->conf->name);
	return fd;
}

/* v2 stands first. */
void
cgroup_open_tasks(struct run *r)
{
	struct hier *h;

	for (h = r->cgroup.hier + 1; h < r->cgroup.hier + r->cgroup.nhier;
	     h++) {
		if (h->tasks < 0)
			h->tasks = openat(h->payload, "tasks",
			    O_WRONLY | O_CLOEXEC);
		if (h->tasks < 0)
			die("opening the tasks of %s:", h->path);
	}
}

void
cgroup_join(const struct run *r)
{
	size_t i;

	for (i = 1; i < r->cgroup.nhier; i++)
		if (write(r->cgroup.hier[i].tasks, "0", 1) != 1)
			die("joining the group of %s in %s:", r->conf->name,
			    r->cgroup.hier[i].path);
}
