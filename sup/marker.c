/* The run-time folder itself: whose it is, and its marker. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crun.h"
#include "lib/lib.h"
#include "sup/folder.h"
#include "sup/sup.h"
#include "config.h"

int
statedir_trusted(const char *dir)
{
	struct stat st;

	if (lstat(dir, &st) < 0)
		return 0;
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    st.st_mode & (S_IWGRP | S_IWOTH))
		die("%s must be a folder of root's that nobody else can write "
		    "to; remove what is there", dir);
	return 1;
}

/* Makes STATEDIR, and the folder above it on a host that has none. */
static void
make_statedir(struct run *r)
{
	char parent[] = STATEDIR;
	int err;

	*strrchr(parent, '/') = '\0';
	if (!mkdir(STATEDIR, 0700)) {
		r->state.statedir_made |= MADE_DIR;
		return;
	}
	if (errno == ENOENT && !mkdir(parent, 0755)) {
		r->state.statedir_made |= MADE_PARENT;
		if (!mkdir(STATEDIR, 0700))
			r->state.statedir_made |= MADE_DIR;
	}
	err = errno;
	if (statedir_trusted(STATEDIR) && !access(STATEDIR, W_OK))
		return;
	/* there, and gone meanwhile: guard_folder() makes it again */
	if (err == EEXIST && errno == ENOENT)
		return;
	errno = err == EEXIST ? errno : err;
	die("making the run-time folder " STATEDIR ":");
}

/* ---- the marker ---- */

/* -1: it cannot be read. */
static int
is_empty(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int empty = 1;

	if (!d)
		return -1;
	while (empty && (e = readdir(d)))
		empty = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
	closedir(d);
	return empty;
}

/* Opens the marker, or makes it in a folder that has nothing in it yet.  -1
 * and errno: ENOTEMPTY where the folder is somebody else's, ENOENT where it
 * has vanished.  Whoever makes one of ours makes the marker first: so if there
 * is something now, the marker was there before it. */
static int
open_marker(int make)
{
	int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW, empty;
	int fd = open(MARKER, flags);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	empty = is_empty(STATEDIR);
	if (empty == 1 && make)
		return open(MARKER, flags | O_CREAT, 0600);
	fd = open(MARKER, flags);
	if (fd < 0 && errno == ENOENT && !empty)
		errno = ENOTEMPTY;
	return fd;
}

int
statedir_is_ours(void)
{
	int fd;

	if (!statedir_trusted(STATEDIR))
		return 0;
	fd = open_marker(0);
	if (fd < 0 && errno == ENOTEMPTY)
		die(NOT_OURS);
	if (fd < 0 && errno != ENOENT)
		die("opening " MARKER ":");
	shut(&fd);
	return 1;
}

static void
marker_locked(struct run *r)
{
	char why[2048];

	if (errno != ETIMEDOUT)
		die("locking " MARKER ":");
	snprintf(why, sizeof(why), MARKER " is locked: %s",
	    wait_holder(r->state.marker));
	shut(&r->state.marker);	/* nothing of it is ours */
	wait_failed(r, why);
}

void
guard_folder(struct run *r)
{
	for (;;) {
		make_statedir(r);
		r->state.marker = open_marker(1);
		if (r->state.marker < 0 && errno == ENOENT)
			continue;
		if (r->state.marker < 0 && errno == ENOTEMPTY)
			die(NOT_OURS);
		if (r->state.marker < 0)
			die("opening " MARKER ":");
		if (wait_lock(r, r->state.marker, F_RDLCK) < 0)
			marker_locked(r);
		if (same_file(r->state.marker, MARKER))
			return;
		shut(&r->state.marker);
	}
}

void
guard_free(struct run *r)
{
	lock_byte(r->state.marker, F_OFD_SETLK, F_UNLCK, 0, 1);
}

/* Whether no range is anybody's, and no other file is there. */
static int
is_unused(int marker)
{
	static char text[1 + POOL_RANGES];
	ssize_t n = pread(marker, text, sizeof(text), 0);
	struct dirent *e;
	int unused;
	DIR *d;

	while (n > 0 && !text[n - 1])
		n--;
	d = n ? NULL : opendir(STATEDIR);
	unused = d != NULL;
	while (unused && (e = readdir(d)))
		unused = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
		    !strcmp(e->d_name, strrchr(MARKER, '/') + 1);
	if (d)
		closedir(d);
	return unused;
}

void
statedir_remove(struct run *r)
{
	if (r->state.marker >= 0 &&
	    wait_lock(r, r->state.marker, F_WRLCK) < 0) {
		tell(MARKER " is locked: %s; left to crun clean",
		    wait_holder(r->state.marker));
	} else if (r->state.marker >= 0 && same_file(r->state.marker, MARKER) &&
	    is_unused(r->state.marker)) {
		unlink(MARKER);
		rmdir(STATEDIR);
	}
	if (r->state.marker < 0 && r->state.statedir_made & MADE_DIR)
		rmdir(STATEDIR);
	shut(&r->state.marker);
}
