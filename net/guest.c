/* The container's network namespace, from outside.
 *
 * A socket made in it stays of it, and keeps it, when we are out again.  So
 * links can be taken from it once its init is dead. */
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <unistd.h>

#include "crun.h"
#include "lib/lib.h"
#include "net/kinds.h"
#include "net/link.h"
#include "net/netlink.h"

int
guest_open(struct run *r)
{
	int own, its, err = 0;

	if (r->net.guest >= 0)
		return 0;
	own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	its = openat(r->init.proc, "ns/net", O_RDONLY | O_CLOEXEC);
	if (own < 0 || its < 0 || setns(its, CLONE_NEWNET) < 0) {
		err = errno;
	} else {
		r->net.guest = nl_open();
		if (setns(own, CLONE_NEWNET) < 0)
			_exit(EXIT_SETUP);	/* we would undo in another */
	}
	shut(&own);
	shut(&its);
	errno = err;
	return err ? -1 : 0;
}

void
guest_find(struct run *r, int link, const char *name)
{
	struct facts f;

	if (guest_open(r) < 0)
		die("entering the container's network namespace:");
	if (link_get(r->net.guest, name, 0, &f) < 0)
		die("finding the container's link %s:", name);
	r->net.peer[link].inside = f.index;
}

void
guest_rename(struct run *r, int link)
{
	const char *name = r->conf->link[link].name;
	struct message m;
	struct ifinfomsg *i;

	nl_clear(&m);
	i = nl_begin(&m, RTM_NEWLINK, 0, sizeof(*i));
	i->ifi_family = AF_UNSPEC;
	i->ifi_index = r->net.peer[link].inside;
	nl_text(&m, IFLA_IFNAME, name);
	nl_end(&m);
	if (nl_send(r->net.guest, &m) < 0)
		die("naming the container's link %s:", name);
}

void
guest_delete(struct run *r, int link)
{
	struct peer *p = &r->net.peer[link];
	struct message m;
	struct ifinfomsg *i;

	if (!p->inside)
		return;
	nl_clear(&m);
	i = nl_begin(&m, RTM_DELLINK, 0, sizeof(*i));
	i->ifi_family = AF_UNSPEC;
	i->ifi_index = p->inside;
	nl_end(&m);
	if (nl_send(r->net.guest, &m) < 0 && errno != ENODEV)
		warn("removing the container's link %s:",
		    r->conf->link[link].name);
	p->inside = 0;
}
