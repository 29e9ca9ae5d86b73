/* What all files share: struct run, the life of one container.
 *
 * Each room has a header of its own with its contracts.  A prototype's comment
 * says what it needs, what it gives, which process may call it and how it
 * fails.  "Dies" means die() of lib.h: in the supervisor everything begun is
 * undone and crun exits with 125; in the child the line travels to the
 * supervisor, which does the same.
 *
 * A suffix says which process runs a function and when:
 *   _host    the supervisor, up to the clone
 *   _attach  the supervisor, the child exists and waits
 *   _child   the child, between the clone and exec
 *   _undo    the supervisor, at the end or after a failure; may be called
 *            whatever has been done, and only warns
 */
#include <stdint.h>

#include "cgroup/cgroup.h"
#include "conf/conf.h"
#include "idmap/idmap.h"
#include "lib/lib.h"
#include "mount/mount.h"
#include "net/net.h"
#include "ns/ns.h"
#include "sup/sup.h"
#include "tty/tty.h"

/* The life of one container.  Each part is declared by a room's header, and
 * only that room writes it. */
struct run {
	const struct conf *conf;
	int begun;		/* stages whose _host has been called */
	struct signals signals;
	struct wait wait;
	struct state state;
	struct init init;
	struct other other;
	struct back back;
	struct ids ids;
	struct mounts mount;
	struct cgroup cgroup;
	struct tty tty;
	struct net net;
	struct ns ns;
};

/* Nothing open, nothing made. */
#define RUN_NONE { .signals = SIGNALS_NONE, .wait = WAIT_NONE, \
	.state = STATE_NONE, .init = INIT_NONE, .other = OTHER_NONE, \
	.back = BACK_NONE, .mount = MOUNTS_NONE, .tty = TTY_NONE, \
	.net = NET_NONE, .ns = NS_NONE }
