/* Links of the host that containers share: made by the first that needs one,
 * removed by the last.
 *
 * For each there is a file in the run-time folder.  Whoever uses the link
 * holds a read lock on the file's second byte, until its end or its death, and
 * whoever makes or removes the link holds the first byte meanwhile.  At its end
 * each tries for the second byte alone: who gets it was the last.  "made" in
 * the file says that crun made the link; any other is left alone.
 *
 * A part of a link, such as an address, is claimed by a lock on a further byte.
 *
 * Names of links are those of a network namespace, and so are the files.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crun.h"
#include "lib/lib.h"
#include "net/filter.h"
#include "net/hosts.h"
#include "net/link.h"
#include "net/net.h"
#include "net/netlink.h"
#include "net/shared.h"
#include "sup/folder.h"
#include "sup/sup.h"
#include "config.h"

enum { GATE, USERS, PARTS };	/* the bytes; the last is the first of many */

static const char made[] = "made";

void
shared_path(char *path, size_t size, const char *kind, const char *link)
{
	struct stat st = { 0 };

	stat("/proc/self/ns/net", &st);
	put(path, size, STATEDIR "/.%s-%s-%llu", kind, link,
	    (unsigned long long)st.st_ino);
}

static void
put_path(char *path, size_t size, const char *link)
{
	shared_path(path, size, "link", link);
}

/* Opens the file and locks its gate.  -1 and errno; ENOENT without create. */
static int
open_gate(struct run *r, const char *path, int create)
{
	int fd;

	for (;;) {
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW |
		    (create ? O_CREAT : 0), 0600);
		if (fd < 0)
			return -1;
		if (wait_lock(r, fd, F_WRLCK) < 0) {
			tell("%s is locked: %s", path, wait_holder(fd));
			close(fd);
			errno = ETIMEDOUT;
			return -1;
		}
		if (same_file(fd, path))
			return fd;
		close(fd);	/* the last user has removed it meanwhile */
	}
}

/* It is written that the link is crun's before it is. */
static void
make(int file, int fd, const char *link, shared_maker *maker, void *arg)
{
	struct facts f;

	if (!link_get(fd, link, 0, &f))
		return;
	if (ftruncate(file, 0) < 0 ||
	    pwrite(file, made, sizeof(made), 0) != (ssize_t)sizeof(made))
		die("writing that %s is made:", link);
	maker(fd, link, arg);
}

void
shared_take(struct run *r, int *file, int fd, const char *link,
    shared_maker *maker, void *arg)
{
	char path[STATE_PATH], line[32];

	put(line, sizeof(line), "shared %s\n", link);
	state_record(r, line);
	put_path(path, sizeof(path), link);
	*file = open_gate(r, path, 1);
	if (*file < 0)
		die("opening %s:", path);
	make(*file, fd, link, maker, arg);
	if (lock_byte(*file, F_OFD_SETLK, F_RDLCK, USERS, 1) < 0)
		die("locking %s:", path);
	lock_byte(*file, F_OFD_SETLK, F_UNLCK, GATE, 1);
}

int
shared_claim(int file, int n)
{
	return !lock_byte(file, F_OFD_SETLK, F_WRLCK, PARTS + n, 1);
}

int
shared_lock(struct run *r, int file)
{
	if (!wait_lock(r, file, F_WRLCK))
		return 0;
	tell("what is known of a link is locked: %s", wait_holder(file));
	return -1;
}

void
shared_unlock(int file)
{
	lock_byte(file, F_OFD_SETLK, F_UNLCK, GATE, 1);
}

/* With the gate locked: removes the link, if nobody else uses it.  -1: it
 * cannot be removed, which is told. */
static int
remove_unused(int file, const char *path, const char *link)
{
	char text[8] = "";

	lock_byte(file, F_OFD_SETLK, F_UNLCK, USERS, 1);
	if (lock_byte(file, F_OFD_SETLK, F_WRLCK, USERS, 1) < 0)
		return 0;
	pread(file, text, sizeof(text) - 1, 0);
	if (!strcmp(link, NAT_BRIDGE)) {
		filter_close();
		hosts_close();
	}
	if (!strcmp(text, made) && link_delete(link) < 0) {
		warn("removing the link %s:", link);
		return -1;
	}
	unlink(path);
	return 0;
}

void
shared_leave(struct run *r, int *file, const char *link)
{
	char path[STATE_PATH];

	if (*file < 0)
		return;
	put_path(path, sizeof(path), link);
	if (wait_lock(r, *file, F_WRLCK) < 0) {
		tell("%s is locked: %s; %s is left to crun clean", path,
		    wait_holder(*file), link);
		state_keep(r);
	} else if (remove_unused(*file, path, link) < 0) {
		state_keep(r);
	}
	/* the child may have the file too, and its locks, until it is gone */
	lock_byte(*file, F_OFD_SETLK, F_UNLCK, GATE, 0);
	shut(file);
}

const char *
shared_left(struct run *r, const char *link)
{
	char path[STATE_PATH];
	int file, left;

	put_path(path, sizeof(path), link);
	file = open_gate(r, path, 0);
	if (file < 0 && errno == ENOENT)
		return NULL;
	if (file < 0)
		return "a link that others use cannot be looked at";
	left = remove_unused(file, path, link);
	if (!strcmp(link, NAT_BRIDGE))
		hosts_left(r);
	close(file);
	return left ? "a link of the host is there still" : NULL;
}
