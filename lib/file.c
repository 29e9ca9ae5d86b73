/* Files: whole texts of small ones, and writing without waiting. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/lib.h"

/* Others have the caller's descriptor open too, the init among them: so it is
 * not made nonblocking, but the same file is opened once more.  A regular file
 * has an offset that is not to be lost, and never makes us wait. */
int
open_nonblock(int i)
{
	char path[32];
	struct stat st;
	int fd;

	if (fstat(i, &st) < 0 || (!S_ISFIFO(st.st_mode) && !isatty(i)))
		return i;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", i);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? i : fd;
}

/* A socket is asked by a flag.  A pipe that could not be opened once more, as
 * where there is no /proc, holds us up only if another writes to it between
 * poll(2) and write(2): up to PIPE_BUF bytes have room then, pipe(7). */
ssize_t
write_nonblock(int fd, const char *text, size_t n)
{
	struct pollfd p = { fd, POLLOUT, 0 };
	ssize_t sent = send(fd, text, n, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent >= 0 || errno != ENOTSOCK)
		return sent;
	if (poll(&p, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, text, n < PIPE_BUF ? n : PIPE_BUF);
}

void
shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

ssize_t
read_at(int dir, const char *path, char *buf, size_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY), err;
	ssize_t n, got = 0;

	buf[0] = '\0';
	if (fd < 0)
		return -1;
	while ((n = read(fd, buf + got, size - 1 - got)) > 0)
		got += n;
	err = errno;
	close(fd);
	errno = err;
	buf[got] = '\0';
	return n < 0 ? -1 : got;
}

static int
write_to(int fd, const char *text)
{
	size_t len = strlen(text);
	ssize_t n;
	int err;

	if (fd < 0)
		return -1;
	n = write(fd, text, len);
	err = n < 0 ? errno : ENOSPC;
	close(fd);
	errno = err;
	return n == (ssize_t)len ? 0 : -1;
}

int
write_at(int dir, const char *path, const char *text)
{
	return write_to(openat(dir, path, O_WRONLY | O_CLOEXEC | O_NOCTTY),
	    text);
}

int
create_at(int dir, const char *path, const char *text, mode_t mode)
{
	return write_to(openat(dir, path,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
	    mode), text);
}

int
make_folder(int dir, const char *name)
{
	int fd;

	do {
		if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
			return -1;
		fd = openat(dir, name, DIR_FLAGS);
	} while (fd < 0 && errno == ENOENT);	/* another has removed it */
	return fd;
}

long long
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}
