/* Sockets of unix(7), and descriptors that go to another process by one, beside
 * the bytes of a message: SCM_RIGHTS. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/lib.h"

union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(PASS_MAX * sizeof(int))];
};

ssize_t
pass_send(int to, const void *data, size_t size, const int *fds, size_t n,
    int flags)
{
	union control c = { .head = { .cmsg_level = SOL_SOCKET,
	    .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(n * sizeof(*fds)) } };
	struct iovec v = { (void *)data, size };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c,
	    .msg_controllen = CMSG_SPACE(n * sizeof(*fds)) };

	memcpy(CMSG_DATA(&c.head), fds, n * sizeof(*fds));
	return sendmsg(to, &m, flags | MSG_NOSIGNAL);
}

ssize_t
pass_receive(int from, void *data, size_t size, int *fds, size_t n)
{
	union control c = { .head = { 0 } };
	struct iovec v = { data, size };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c,
	    .msg_controllen = CMSG_SPACE(n * sizeof(*fds)) };
	ssize_t got = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *h = got > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	size_t i;

	for (i = 0; i < n; i++)
		fds[i] = -1;
	if (h && h->cmsg_type == SCM_RIGHTS &&
	    h->cmsg_len == CMSG_LEN(n * sizeof(*fds)))
		memcpy(fds, CMSG_DATA(h), n * sizeof(*fds));
	return got;
}

int
pass_trusted(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) &&
	    (peer.uid == 0 || peer.uid == geteuid());
}

static int
bind_at(int fd, const struct sockaddr_un *a)
{
	return bind(fd, (const struct sockaddr *)a, sizeof(*a));
}

int
pass_listen(const char *name, const char *file, int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	put_state_path(a.sun_path, sizeof(a.sun_path), name, file);
	/* a killed supervisor has left its own */
	if (fd < 0 || (bind_at(fd, &a) < 0 &&
	    (errno != EADDRINUSE || unlink(a.sun_path) < 0 ||
	    bind_at(fd, &a) < 0)) || listen(fd, 8) < 0)
		die("making the socket %s:", a.sun_path);
	return fd;
}
