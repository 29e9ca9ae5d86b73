/* Attaching to the console of a container that runs.
 *
 * To look on, nobody need ask: the log has what was printed, and its reader
 * follows it.  To type, crun console connects to the socket NAME/console.
 * The supervisor gives whoever comes first the master end of the pty itself
 * (SCM_RIGHTS, unix(7)), so that what is typed and the terminal's size go
 * straight to the kernel and the supervisor has nothing to pass on; and it
 * counts the connection as the one that types, until that is closed.  The
 * others, and all while the supervisor's own input types, may only watch.
 * After a reboot there is another pty, and its master is sent as well.
 *
 * The folder is closed to all but root; the peer's user is looked at all the
 * same (SO_PEERCRED).
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crun.h"
#include "lib/lib.h"
#include "tty/tty.h"
#include "config.h"

/* ---- the supervisor ---- */

void
typing_host(struct run *r)
{
	r->tty.listener = pass_listen(r->conf->name, "console", SOCK_STREAM);
}

void
typing_undo(struct run *r)
{
	shut(&r->tty.typist);
	shut(&r->tty.listener);
}

/* One byte, and with it the master. */
static int
send_master(int to, int master)
{
	char what = TYPE;

	return pass_send(to, &what, 1, &master, 1, MSG_DONTWAIT) == 1;
}

static void
accept_one(struct run *r)
{
	int fd = accept4(r->tty.listener, NULL, NULL, SOCK_CLOEXEC |
	    SOCK_NONBLOCK);
	char what = r->tty.master < 0 ? NOTHING : WATCH;

	if (fd < 0)
		return;
	if (pass_trusted(fd)) {
		if (r->tty.typist < 0 && r->tty.master >= 0 &&
		    !console_typed(r) && send_master(fd, r->tty.master)) {
			r->tty.typist = fd;
			return;
		}
		send(fd, &what, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	close(fd);
}

void
typing_begin(struct run *r)
{
	if (r->tty.typist >= 0 && !send_master(r->tty.typist, r->tty.master))
		shut(&r->tty.typist);
}

void
typing_poll(const struct run *r, struct pollfd *fds)
{
	fds[0] = (struct pollfd){ r->tty.listener, POLLIN, 0 };
	fds[1] = (struct pollfd){ r->tty.typist, POLLIN, 0 };
}

void
typing_serve(struct run *r, const struct pollfd *fds)
{
	if (fds[1].revents)	/* it never sends: this is its end */
		shut(&r->tty.typist);
	if (fds[0].revents)
		accept_one(r);
}
