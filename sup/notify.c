/* The notify socket: what the init says of itself, sd_notify(3). */
#include <string.h>
#include <sys/un.h>

#include "crun.h"
#include "lib/lib.h"
#include "sup/sup.h"
#include "config.h"

/* ---- the notify socket ---- */

void
notify_host(struct run *r)
{
	int on = 1;

	if (!r->back.ready)
		return;
	r->back.notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (r->back.notify < 0 ||
	    setsockopt(r->back.notify, SOL_SOCKET, SO_PASSCRED, &on,
	    sizeof(on)) < 0)
		die("making the notify socket:");
}

/* In the folder where the working folder is: the socket's name is 108 bytes
 * at most, unix(7). */
void
notify_child(struct run *r)
{
	struct sockaddr_un a = { AF_UNIX, "notify" };

	if (r->back.notify >= 0 &&
	    bind(r->back.notify, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("binding the notify socket:");
}

void
notify_undo(struct run *r)
{
	shut(&r->back.notify);
}

/* READY=1 counts from the init: its services inherit NOTIFY_SOCKET where the
 * init does not take it out of the environment.  Below our own PID 1 it
 * counts from anybody.  Files that are sent along are closed by the kernel,
 * as there is no room for them. */
int
notify_received(struct run *r)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} u;
	char text[1024];
	struct iovec v = { text, sizeof(text) - 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
	    .msg_control = &u, .msg_controllen = sizeof(u) };
	ssize_t n = recvmsg(r->back.notify, &m, MSG_DONTWAIT);
	struct cmsghdr *h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	struct ucred from;

	if (!h || h->cmsg_type != SCM_CREDENTIALS)
		return 0;
	memcpy(&from, CMSG_DATA(h), sizeof(from));
	text[n] = '\0';
	return (from.pid == r->init.pid || r->conf->program) &&
	    (!strncmp(text, "READY=1", 7) || strstr(text, "\nREADY=1"));
}
