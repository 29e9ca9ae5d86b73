/* The groups of a container that runs, as another crun finds them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

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
