/* hosts=yes: the names of all containers on the bridge of net=nat, in the
 * /etc/hosts of each that asks for it.
 *
 * It is one file in the run-time folder, of which each such container has a
 * read-only mount: what is written there is seen at once by all of them.  The
 * first that asks makes it; then each that starts or ends writes it anew, from
 * what all have written down of themselves, under the gate of shared.c.  It
 * goes with the bridge.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "net/hosts.h"
#include "net/shared.h"
#include "sup/sup.h"
#include "config.h"

static const char first[] =
    "# of crun: the containers on " NAT_BRIDGE "\n"
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n";

struct text {
	char *s;
	size_t len;
};

static void
add(struct text *t, const char *s)
{
	size_t n = strlen(s);

	t->s = xrealloc(t->s, t->len + n + 1, 1);
	memcpy(t->s + t->len, s, n + 1);
	t->len += n;
}

/* What a container has written down: "ip ADDRESS/PREFIX", or "eth1.ip ...", of
 * each of its addresses on the bridge. */
static void
add_addresses(struct text *t, int dir, const char *name)
{
	char all[16384], line[NAME_LEN + 64], *object, *ip, *rest = all;

	if (read_at(dir, "host", all, sizeof(all)) <= 0)
		return;
	while ((object = next_part(&rest, "\n"))) {
		ip = strstr(object, "ip ");
		if (!ip || (ip != object && ip[-1] != '.'))
			continue;
		ip += strlen("ip ");
		put(line, sizeof(line), "%.*s\t%s\n", (int)strcspn(ip, "/"),
		    ip, name);
		add(t, line);
	}
}

static void
add_container(struct text *t, const char *name)
{
	struct run other;
	enum life life = state_open(&other, name);

	/* who ends has left already, or will */
	if (life == STARTING || life == RUNNING)
		add_addresses(t, other.state.dir, name);
	state_close(&other);
}

/* Longer at once, and shorter afterwards: who reads meanwhile finds lines. */
static void
write_names(const struct run *r, int fd, int leaving)
{
	struct text t = { 0 };
	char **names;
	size_t n, i;

	add(&t, first);
	names = state_names(&n);
	for (i = 0; i < n; i++) {
		/* our own folder may be covered for us, mount.c */
		if (strcmp(names[i], r->conf->name))
			add_container(&t, names[i]);
		else if (!leaving)
			add_addresses(&t, r->state.dir, names[i]);
		free(names[i]);
	}
	free(names);
	if (pwrite(fd, t.s, t.len, 0) != (ssize_t)t.len ||
	    ftruncate(fd, t.len) < 0)
		warn("writing the names of the containers:");
	free(t.s);
}

static int
open_file(int flags)
{
	char path[STATE_PATH];

	shared_path(path, sizeof(path), "hosts", NAT_BRIDGE);
	return open(path, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0644);
}

static void
update(struct run *r, int file, int leaving)
{
	int fd = file < 0 ? -1 : open_file(0);

	if (fd < 0)
		return;
	if (shared_lock(r, file) < 0) {
		warn("the names of the containers are as they were:");
	} else {
		write_names(r, fd, leaving);
		shared_unlock(file);
	}
	close(fd);
}

void
hosts_add(struct run *r, int file)
{
	update(r, file, 0);
}

void
hosts_leave(struct run *r, int file)
{
	int ends = r->init.pidfd < 0;

	if (ends)
		shut(&r->net.hosts);
	update(r, file, ends);
}

void
hosts_left(struct run *r)
{
	int fd = open_file(0);

	if (fd >= 0)
		write_names(r, fd, 1);
	shut(&fd);
}

void
hosts_open(struct run *r, int file)
{
	const char *where = conf_where(r->conf, KEY_HOSTS);
	char path[STATE_PATH];
	int fd;

	if (!r->conf->hosts || r->net.hosts >= 0)
		return;
	if (shared_lock(r, file) < 0)
		die("%shosts=yes:", where);
	fd = open_file(O_CREAT);
	shared_unlock(file);
	shared_path(path, sizeof(path), "hosts", NAT_BRIDGE);
	r->net.hosts = clone_tree(AT_FDCWD, path, 0);
	if (fd < 0 || fchmod(fd, 0644) < 0 || r->net.hosts < 0 ||
	    set_attr(r->net.hosts, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
	    MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 0) < 0)
		die("%shosts=yes, making %s:", where, path);
	close(fd);
}

void
hosts_close(void)
{
	char path[STATE_PATH];

	shared_path(path, sizeof(path), "hosts", NAT_BRIDGE);
	unlink(path);
}
