/* Paths of the host that the configuration names: followed or not, and the
 * same over a reboot. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "mount/mount.h"
#include "mount/tree.h"
#include "sup/sup.h"

/* ---- paths of the host that the configuration names ----
 *
 * The folder of one container may lie below a bind of another, whose root can
 * then put a symbolic link in its place, or in the place of a folder on the
 * way there.  So each path is looked up once in a life, without following a
 * link unless the file says so, and what is mounted is the descriptor that was
 * looked at.  At a reboot the same must be there.  That is told by device and
 * inode: a descriptor kept so long would keep the host's mount busy.
 */

/* Opens path, links followed, or the longest beginning of it that is there;
 * *len is that one's length. */
static int
open_beginning(const char *path, size_t *len)
{
	char head[PATH_MAX];
	int fd;

	put(head, sizeof(head), "%s", path);
	while ((fd = open(head, O_PATH | O_CLOEXEC)) < 0 && errno == ENOENT &&
	    strrchr(head, '/') > head)
		*strrchr(head, '/') = '\0';
	*len = strlen(head);
	return fd;
}

static int
same_inode(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_dev == y.st_dev &&
	    x.st_ino == y.st_ino;
}

/* The path without links for one with.  NULL: there is none, as for a link
 * that dangles, or for a magic one into what has no name here. */
static const char *
leads_to(const char *path)
{
	char link[32], head[PATH_MAX], *target;
	size_t len;
	int fd = open_beginning(path, &len), found, ok;
	ssize_t n;

	put(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = fd < 0 ? -1 : readlink(link, head, sizeof(head));
	if (n == 1 && path[len])
		n = 0;		/* "/" before "/rest" */
	target = xprintf("%.*s%s", n < 0 ? 0 : (int)n, head, path + len);
	found = open_host(target, 0, 0);
	ok = path[len] ? found < 0 && errno == ENOENT : same_inode(fd, found);
	shut(&found);
	shut(&fd);
	return n >= 0 && ok ? target : NULL;
}

static void die_of_link(const struct setting *, const char *path)
    __attribute__((noreturn));

static void
die_of_link(const struct setting *s, const char *path)
{
	const char *key = keys[s->id].name, *target = leads_to(path);

	if (!target)
		die("%s%s: a link in %s leads nowhere; name what is meant",
		    s->where, key, path);
	die("%s%s: %s leads to %s; name that, or %s", s->where, key, path,
	    target, s->id == KEY_ROOTFS ? "set rootfs.follow=yes" :
	    "add the option follow");
}

static int
is_same(const struct seen *a, const struct seen *b)
{
	if ((a->mode ^ b->mode) & S_IFMT)
		return 0;
	if (S_ISCHR(a->mode) || S_ISBLK(a->mode))
		return a->rdev == b->rdev;
	return a->dev == b->dev && a->inode == b->inode;
}

int
open_named(struct run *r, const struct setting *s, const char *path,
    int follow, struct seen *seen)
{
	int fd = wait_open(r, path, follow);
	struct seen now;
	struct stat st;

	if (fd < 0 && errno == ELOOP && !follow)
		die_of_link(s, path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	now = (struct seen){ st.st_mode, st.st_dev, st.st_rdev, st.st_ino };
	if (seen->mode && !is_same(seen, &now))
		die("%s%s, %s is not what it was when %s started: somebody "
		    "has put another in its place; start it again to take "
		    "that", s->where, keys[s->id].name, path, r->conf->name);
	*seen = now;
	return fd;
}

void
path_make_seen(struct run *r)
{
	size_t n = r->conf->nset + 1, more;

	if (n <= r->mount.nseen)
		return;
	more = n - r->mount.nseen;
	r->mount.seen = xrealloc(r->mount.seen, n, sizeof(*r->mount.seen));
	r->mount.node = xrealloc(r->mount.node, n, sizeof(*r->mount.node));
	memset(r->mount.seen + r->mount.nseen, 0,
	    more * sizeof(*r->mount.seen));
	memset(r->mount.node + r->mount.nseen, 0,
	    more * sizeof(*r->mount.node));
	r->mount.nseen = n;
}
