/* User and group ids: the maps of the user namespace, the range they come
 * from, and idmapped mounts.
 *
 * The files of a rootfs stay as they are on disk, 0-based.  The container's
 * ids are shifted into its range by an idmapped mount (mount_setattr(2)): id
 * u on disk is seen by the kernel as the host id that u is mapped to, and so
 * as u inside.  So a folder can be copied and started under any range and is
 * never chowned.
 *
 * The one exception: with a range or maps that were given (not auto), a
 * rootfs whose top folder belongs on disk to the host id of the container's
 * root is taken as shifted already, and mounted as it is.
 *
 * In a container there are no further ids to give, and file systems cannot be
 * idmapped: userns=auto is a user namespace with the ids that we have, each
 * mapped to itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "idmap/idmap.h"
#include "lib/lib.h"
#include "sup/sup.h"
#include "config.h"

static struct idmap *
one_map(uint32_t outside, uint32_t count)
{
	struct idmap *m = xrealloc(NULL, 1, sizeof(*m));

	*m = (struct idmap){ 0, outside, count };
	return m;
}

static size_t
collect(const struct conf *c, enum key_id id, struct idmap **maps)
{
	size_t n = 0;

	for (each(c, s, id)) {
		*maps = xrealloc(*maps, n + 1, sizeof(**maps));
		(*maps)[n++] = s->u.map;
	}
	return n;
}

static void
range(struct run *r, uint32_t first, uint32_t count)
{
	free(r->ids.uid);
	free(r->ids.gid);
	r->ids.uid = one_map(first, count);
	r->ids.gid = one_map(first, count);
	r->ids.nuid = r->ids.ngid = 1;
	step("idmap: 0-%u inside is %u-%u outside", count - 1, first,
	    first + count - 1);
}

/* The ids of our own user namespace, each mapped to itself, unless the pool is
 * among them; 0: it is. */
static size_t
own_map(const char *file, struct idmap **maps)
{
	char text[4096], *line, *rest = text;
	uint64_t m[3];
	size_t n = 0;

	if (read_at(AT_FDCWD, file, text, sizeof(text)) <= 0)
		return 0;
	while ((line = next_part(&rest, "\n"))) {
		if (numbers(line, m, 3) != 3 || m[0] + m[2] > POOL_FIRST)
			return 0;
		*maps = xrealloc(*maps, n + 1, sizeof(**maps));
		(*maps)[n++] = (struct idmap){ m[0], m[0], m[2] };
	}
	return n;
}

static void
take_range(struct run *r)
{
	uint32_t n;

	r->ids.nuid = own_map("/proc/self/uid_map", &r->ids.uid);
	r->ids.ngid = own_map("/proc/self/gid_map", &r->ids.gid);
	r->ids.own_ids = r->ids.nuid && r->ids.ngid;
	if (r->ids.own_ids) {
		step("idmap: the ids that we have, as in a container");
		return;
	}
	n = state_range(r, hash(r->conf->name) % POOL_RANGES, POOL_RANGES);
	range(r, POOL_FIRST + n * RANGE, RANGE);
}

void
idmap_host(struct run *r)
{
	const struct conf *c = r->conf;

	switch (c->userns) {
	case USERNS_NONE:
		warn("%suserns=none: root in %s is root of the host; only "
		    "capabilities, masks and filters hold it",
		    conf_where(c, KEY_USERNS), c->name);
		break;
	case USERNS_AUTO:
		take_range(r);
		break;
	case USERNS_RANGE:
		range(r, c->userns_first, c->userns_count);
		break;
	case USERNS_MAPS:
		r->ids.nuid = collect(c, KEY_UIDMAP, &r->ids.uid);
		r->ids.ngid = collect(c, KEY_GIDMAP, &r->ids.gid);
		break;
	}
	r->ids.tty_uid = idmap_uid(r, 0);
	r->ids.tty_gid = idmap_gid(r, TTY_GID);
}

static uint32_t
outside(const struct idmap *map, size_t n, uint32_t id)
{
	uint32_t root = 0;
	size_t i;

	if (!n)
		return id;
	for (i = 0; i < n; i++) {
		if (id - map[i].inside < map[i].count)
			return map[i].outside + (id - map[i].inside);
		if (map[i].inside == 0)
			root = map[i].outside;
	}
	return root;
}

uid_t
idmap_uid(const struct run *r, uid_t inside)
{
	return outside(r->ids.uid, r->ids.nuid, inside);
}

gid_t
idmap_gid(const struct run *r, gid_t inside)
{
	return outside(r->ids.gid, r->ids.ngid, inside);
}

/* One write for the whole map, user_namespaces(7). */
static void
write_map(struct run *r, const char *file, const struct idmap *m, size_t n)
{
	enum key_id id = r->conf->userns != USERNS_MAPS ? KEY_USERNS :
	    m == r->ids.uid ? KEY_UIDMAP : KEY_GIDMAP;
	const char *where = conf_where(r->conf, id);
	char text[4096];
	size_t len = 0, i;

	for (i = 0; i < n && len < sizeof(text); i++)
		len += snprintf(text + len, sizeof(text) - len, "%u %u %u\n",
		    m[i].inside, m[i].outside, m[i].count);
	if (len >= sizeof(text))
		die("%s%zu maps are more than the kernel takes", where, n);
	if (write_at(r->init.proc, file, text) < 0)
		die("%swriting /proc/%ld/%s:", where, (long)r->init.pid, file);
}

void
idmap_attach(struct run *r)
{
	if (!r->ids.nuid)
		return;
	write_map(r, "uid_map", r->ids.uid, r->ids.nuid);
	write_map(r, "gid_map", r->ids.gid, r->ids.ngid);
}

void
idmap_undo(struct run *r)
{
	state_range_undo(r);
	free(r->ids.uid);
	free(r->ids.gid);
	r->ids.uid = r->ids.gid = NULL;
	r->ids.nuid = r->ids.ngid = 0;
	r->ids.own_ids = 0;
}

/* Whether a path is that of a folder, or below it. */
static int
is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return !strcmp(folder, "/") || (!strncmp(path, folder, len) &&
	    (!path[len] || path[len] == '/'));
}

/* The type of the file system that path is on, and the first mount below it,
 * "" where there is none. */
static void
look_up_mounts(const char *path, char *type, char *below, size_t size)
{
	struct mountinfo m = { .file = NULL };
	size_t best = 0;

	snprintf(type, size, "this");
	*below = '\0';
	while (mountinfo_next(&m)) {
		if (is_below(path, m.path) && strlen(m.path) >= best) {
			best = strlen(m.path);
			snprintf(type, size, "%s", m.fstype);
		} else if (is_below(m.path, path) && !*below) {
			snprintf(below, size, "%s (%s)", m.path, m.fstype);
		}
	}
}

static void
cannot_idmap(const char *path, const char *where)
{
	char type[1200], below[1200];
	int err = errno;

	look_up_mounts(path, type, below, sizeof(type));
	if (*below)
		die("%sidmapping %s with all below it: perhaps %s cannot be; "
		    "umount it: %s", where, path, below, strerror(err));
	die("%sidmapping %s: a file system of type %s cannot be (%s); "
	    "put the folder on another, or set userns=HOSTID with files owned "
	    "by that range, or userns=none", where, path, type,
	    strerror(err));
}

void
idmap_mount(const struct run *r, int fd, const char *path, uint64_t attr,
    int rec, int map, const char *where)
{
	struct mount_attr a = { .attr_set = attr | MOUNT_ATTR_IDMAP,
	    .propagation = MS_PRIVATE };
	int flags = AT_EMPTY_PATH | (rec ? AT_RECURSIVE : 0);

	if (!map || !r->ids.nuid || r->ids.own_ids) {
		if (set_attr(fd, attr, rec) < 0)
			die("%ssetting attributes of the mount of %s%s:", where,
			    path, errno == ENOSYS ? ", as there are mounts "
			    "below it, which takes Linux 5.12" : "");
		return;
	}
	if (r->mount.old)
		die("%sidmapping %s takes Linux 5.12; set userns=HOSTID with "
		    "files owned by that range, or userns=none", where, path);
	a.userns_fd = openat(r->init.proc, "ns/user", O_RDONLY | O_CLOEXEC);
	if ((int)a.userns_fd < 0)
		die("opening the user namespace of %s:", r->conf->name);
	if (syscall(SYS_mount_setattr, fd, "", flags, &a, sizeof(a)) < 0)
		cannot_idmap(path, where);
	close(a.userns_fd);
}
