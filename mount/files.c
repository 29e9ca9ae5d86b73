/* The files that crun writes into the rootfs: resolv.conf, hostname. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "mount/mount.h"
#include "mount/tree.h"
#include "sup/sup.h"

/* ---- files that crun writes ---- */

/* Makes the folders of what a dangling link points to, within the rootfs. */
static void
make_link_parents(int root, const char *path, const char *where)
{
	char link[PATH_MAX], target[2 * PATH_MAX];
	const char *last;
	int dir = open_parent(root, path, &last);
	ssize_t n;

	n = dir < 0 ? -1 : readlinkat(dir, last, link, sizeof(link) - 1);
	shut(&dir);
	if (n < 0)
		return;
	link[n] = '\0';
	put(target, sizeof(target), "%.*s%s",
	    *link == '/' ? 0 : (int)(strrchr(path, '/') + 1 - path), path,
	    link);
	target_parents(root, target, where);
}

/* What was written, and what was there before: a start that fails after that
 * puts it back, into the same file, wherever a link led to it. */
enum { NO_FILE = -1, UNKNOWN = -2 };	/* it is left as it is then */
static struct written {
	char path[PATH_MAX];	/* without links */
	ino_t inode;
	char *old;
	ssize_t size;
} written[2];
static size_t nwritten;

static void
read_old(struct written *w, int root, const char *path)
{
	enum { MOST = 1 << 20 };
	int fd = open_beneath(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	w->size = fd < 0 && errno == ENOENT ? NO_FILE : UNKNOWN;
	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) &&
	    st.st_size <= MOST) {
		w->old = xrealloc(NULL, st.st_size + 1, 1);
		if (read(fd, w->old, st.st_size) == st.st_size)
			w->size = st.st_size;
	}
	shut(&fd);
}

static void
keep_written(struct run *r, struct written *w, int fd, ino_t inode)
{
	char link[32];
	ssize_t n;

	put(link, sizeof(link), "self/fd/%d", fd);
	n = readlinkat(r->mount.procfs, link, w->path, sizeof(w->path) - 1);
	if (n < 0)
		w->size = UNKNOWN;
	else
		w->path[n] = '\0';
	w->inode = inode;
	nwritten++;
}

/* The tree is / by now; the process ends after this. */
void
rootfs_restore_child(void)
{
	struct written *w;
	struct stat st;
	int fd;

	for (w = written; w < written + nwritten; w++) {
		fd = w->size == UNKNOWN ? -1 : open_beneath(AT_FDCWD, w->path,
		    O_WRONLY | O_NONBLOCK | O_NOCTTY);
		if (fd < 0 || fstat(fd, &st) < 0 || st.st_ino != w->inode)
			continue;
		if (w->size == NO_FILE)
			unlink(w->path);
		else if (!ftruncate(fd, 0))
			write(fd, w->old, w->size);
	}
	nwritten = 0;
}

/* In a read-only tree, a file on /run is shown in the place of path. */
static void
cover_file(int root, const char *path, const char *text, const char *where)
{
	const char *name = strrchr(path, '/') + 1;
	int run = target_open(root, "/run/host", 1, ""), m;

	if (create_at(run, name, text, 0644) < 0)
		die("%swriting /run/host/%s:", where, name);
	m = clone_tree(run, name, 0);
	target_mount(root, m, path, 0, where);
	close(m);
	close(run);
}

/* Writes a file of the rootfs with the container's rights, and only if it
 * differs: a start need not wear flash out. */
static void
write_file(struct run *r, const char *path, const char *text,
    const char *where)
{
	int flags = O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY, fd;
	struct written *w = &written[nwritten];
	int root = r->mount.tree;
	struct stat st;

	read_old(w, root, path);
	if (w->old && w->size == (ssize_t)strlen(text) &&
	    !memcmp(w->old, text, w->size))
		return;
	fd = open_how(root, path, flags, 0644, 0);
	if (fd < 0 && errno == ENOENT) {
		make_link_parents(root, path, where);
		fd = open_how(root, path, flags, 0644, 0);
	}
	if (fd < 0 && errno == EROFS) {
		cover_file(root, path, text, where);
		return;
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		die("%swriting %s in the rootfs:", where, path);
	if (!S_ISREG(st.st_mode))
		die("%s%s of the rootfs is not a regular file", where, path);
	if (w->size == NO_FILE && st.st_size)
		w->size = UNKNOWN;	/* somebody was faster */
	keep_written(r, w, fd, st.st_ino);
	if (ftruncate(fd, 0) < 0 ||
	    write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die("%swriting %s in the rootfs:", where, path);
	close(fd);
}

void
run_host_child(struct run *r)
{
	int run = target_open(r->mount.tree, "/run/host", 1, "");

	if (create_at(run, "container-manager", "crun\n", 0444) < 0)
		die("writing /run/host/container-manager:");
	if (r->back.notify >= 0 && fchdir(run) < 0)
		die("entering /run/host:");
	notify_child(r);
	close(run);
}

void
rootfs_files_child(struct run *r)
{
	const struct conf *c = r->conf;
	const struct setting *dns = conf_next(c, KEY_DNS, NULL);
	const struct setting *host = conf_next(c, KEY_HOSTNAME, NULL);
	char text[2048];
	size_t len = 0;

	for (each(c, s, KEY_DNS))
		if (len < sizeof(text))
			len += snprintf(text + len, sizeof(text) - len,
			    "nameserver %s\n", s->value);
	if (len >= sizeof(text))
		die("%stoo many dns keys", dns->where);
	if (dns)
		write_file(r, "/etc/resolv.conf", text, dns->where);
	else if (*r->net.resolv)
		write_file(r, "/etc/resolv.conf", r->net.resolv, "net: ");
	put(text, sizeof(text), "%s\n", c->hostname);
	if (host)
		write_file(r, "/etc/hostname", text, host->where);
}
