/* crun: boots a folder as an operating system.
 *
 *  supervisor                                child (PID 1 to be)
 *  main
 *   verb_main        crun VERB: something else, on what runs
 *   conf_load        all errors at once
 *   detach           -d: goes on in a child
 *   stages: _host    state, ids, mounts,
 *                    cgroup, console, net
 *   ns_spawn ----------- clone3 ----------->  joins its groups, waits (end
 *   stages: _attach  maps, idmapped mounts    of file: the supervisor died)
 *   ns_release ------ IDS_READY ----------->  identity, keyring, uts, mounts,
 *   stages: _attach  veth, limits             seccomp; waits
 *   ns_release ---- NETWORK_READY --------->  net; waits
 *   stages: _attach  devices
 *   ns_release ---- DEVICES_READY --------->  files, capabilities, exec
 *   ns_report <-- records, or end of file: exec'd
 *   supervise        console, log, signals, reaping; again after a reboot
 *   stages: _undo, in reverse
 *
 * NAME.c goes on in the folder NAME.  The folders without a NAME.c are
 *	cmd/	the command line: crun VERB, exec, list and stat
 *	sec/	capabilities, limits, system calls; crun's own program
 *	sup/	the run-time folder, the background, waiting for others
 *	tty/	the console, its log, typing on it from elsewhere; signals
 *	conf/	the file and its keys
 *	lib/	messages, text, files
 *
 * A room, which is such a folder with its NAME.c, may include headers of those
 * to its right, crun.h and config.h; make check looks at it:
 *	runc.c, cmd, mount, net, ns, sec, cgroup, idmap, sup, tty, conf, lib
 * Policy is in config.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crun.h"
#include "cgroup/cgroup.h"
#include "cmd/args.h"
#include "cmd/cmd.h"
#include "conf/conf.h"
#include "idmap/idmap.h"
#include "lib/lib.h"
#include "mount/mount.h"
#include "net/net.h"
#include "ns/ns.h"
#include "sec/sec.h"
#include "sup/sup.h"
#include "tty/tty.h"
#include "config.h"

enum { REBOOT = -1 };		/* what supervise() gives for a reboot */
enum { EARLY_MS = 1000 };	/* an init that fails sooner shows its output */
enum { RETRY_MS = 100 };	/* an init without handlers is asked again */

static void child(struct run *);
static void spawn(struct run *);

/* One row for each thing that is made, in the order of making.  A row counts as
 * begun before its _host is called, and every begun row is undone, the last
 * first.  A reboot keeps the rows that stay, which are the first, so that
 * nobody takes the name or the ids meanwhile.  Devices are the cgroup's, but
 * come last: loading the program takes longest, and the child has its network
 * to set up meanwhile. */
static const struct stage {
	void (*host)(struct run *);
	void (*attach)(struct run *);
	void (*undo)(struct run *);
	enum ready ready;	/* what the child is told after _attach */
	int stays;
} stages[] = {
	{ state_host, NULL, state_undo, .stays = 1 },
	{ typing_host, NULL, typing_undo, .stays = 1 },
	{ change_host, NULL, change_undo, .stays = 1 },
	{ idmap_host, idmap_attach, idmap_undo, .stays = 1 },
	{ private_host, NULL, private_undo, 0, 0 },
	{ mount_host, mount_attach, mount_undo, IDS_READY, 0 },
	{ cgroup_host, NULL, cgroup_undo, 0, 0 },
	{ console_host, NULL, console_undo, 0, 0 },
	{ notify_host, NULL, notify_undo, 0, 0 },
	{ net_host, net_attach, net_undo, 0, 0 },
	{ spawn, NULL, ns_undo, 0, 0 },
	{ NULL, sec_attach, NULL, NETWORK_READY, 0 },
	{ NULL, device_attach, NULL, DEVICES_READY, 0 },
};

/* What is found on the host of a container whose supervisor was killed. */
const struct object objects[] = {
	{ "cgroup", cgroup_remove, cgroup_thaw_left },
	{ "link", net_delete, NULL },
	{ "shared", shared_left, NULL },
	{ "phys", phys_left, NULL },
	{ "nft", table_delete, NULL },
	{ "ids", state_range_free, NULL },
	{ .kind = NULL },
};

static struct run run;

/* ---- start and end ---- */

static void
spawn(struct run *r)
{
	ns_spawn(r, child, mount_made);
}

static void
fail_child(int status, const char *line)
{
	rootfs_restore_child();
	ns_fail_child(status, line);
}

/* What the child does between the clone and the init. */
static void
child(struct run *r)
{
	on_die = fail_child;
	state_child(r);
	cgroup_child(r);
	mount_passage_child(r);
	ns_wait_child(r, IDS_READY);
	ns_identity_child(r);
	sec_keyring_child(r);
	ns_uts_child(r);
	rootfs_child(r);
	seccomp_child(r);
	ns_wait_child(r, NETWORK_READY);
	net_child(r);
	sec_bound_child(r);
	ns_wait_child(r, DEVICES_READY);
	rootfs_files_child(r);
	sec_caps_child(r);
	ns_exec_child(r);
}

static void
undo(struct run *r, int reboot)
{
	wait_end(r);
	while (r->begun && !(reboot && stages[r->begun - 1].stays)) {
		r->begun--;
		if (stages[r->begun].undo)
			stages[r->begun].undo(r);
	}
}

/* die() from here on.  Should undoing die, the rest is still undone. */
static void
unwind(int status, const char *line)
{
	/* where the child has failed, what we met is only what follows */
	const char *reason = ns_reason(&run, &status);

	on_step(reason ? reason : line);
	if (run.back.detached)
		detach_ended(&run, status, reason ? reason : line);
	if (run.state.lock >= 0)
		state_ended(&run, status, 0, reason ? reason : line);
	undo(&run, 0);
	exit(status);
}

static void
start(struct run *r)
{
	void (*host)(struct run *);
	size_t i;

	wait_start(r);
	while (r->begun < (int)LEN(stages)) {
		host = stages[r->begun++].host;
		if (host)
			host(r);
	}
	for (i = 0; i < LEN(stages); i++) {
		if (stages[i].attach)
			stages[i].attach(r);
		if (stages[i].ready)
			ns_release(r, stages[i].ready);
	}
	state_saved(r);
	ns_report(r);
	state_started(r);
	wait_started(r);
	mount_started(r);
	cgroup_started(r);
	detach_started(r);
	step("%s: the init runs", r->conf->name);
}

/* ---- while it runs ---- */

enum asked {
	NOT_ASKED,
	ASKED,			/* to end; the init cannot hear it yet */
	TOLD,			/* the init has been told */
};

struct stop {
	enum asked asked;
	int reboot;		/* to begin again afterwards */
	int killed;		/* since it did not end in time */
	uint64_t seconds;	/* how long that may take */
	long long deadline;	/* then everything is killed; 0: none */
	int dying;		/* it is killed; at the deadline we give up */
};

static void
ask_stop(struct run *r, struct stop *s, int reboot, uint64_t seconds)
{
	long long end;

	if (s->dying)
		return;
	if (!seconds)
		seconds = r->conf->stop_timeout;
	end = now_ms() + seconds * 1000;
	/* a stop is not undone by a reboot that is asked for later */
	s->reboot = reboot && (!s->asked || s->reboot);
	/* who asked before is not to wait for longer */
	if (!s->deadline || end < s->deadline) {
		s->deadline = end;
		s->seconds = seconds;
	}
	step("%s: asking the init to %s", r->conf->name, s->reboot ? "reboot" :
	    "power off");
	cgroup_thaw_all(r);
	s->asked = stop_ask(r, s->reboot) ? TOLD : ASKED;
}

static void
kill_init(struct run *r, struct stop *s)
{
	cgroup_thaw_all(r);
	stop_signal(r, SIGKILL);
	if (!s->dying)
		s->deadline = now_ms() + PATIENCE_MS;
	s->dying = 1;
}

/* A signal sent by hand: the first asks, the second kills. */
static void
signal_stop(struct run *r, struct stop *s)
{
	if (!s->asked)
		ask_stop(r, s, 0, 0);
	else
		kill_init(r, s);
}

static void
handle_signal(struct run *r, struct stop *s, int sig)
{
	int ends = sig == SIGTERM || sig == SIGINT || sig == SIGHUP;

	if (sig == ASK)
		ask_stop(r, s, r->signals.request & 1, r->signals.request >> 1);
	else if (ends && !(r->conf->program && !s->asked && sig != SIGTERM))
		signal_stop(r, s);
	else if (r->conf->program && stop_signal(r, sig) && ends)
		s->asked = TOLD;
}

/* A signal that came when the init had ended: it does not begin again, if that
 * is what is asked. */
static void
signal_late(struct run *r, struct stop *s, int sig)
{
	int reboot = sig == ASK && r->signals.request & 1;

	if (sig != ASK && sig != SIGTERM && sig != SIGINT && sig != SIGHUP)
		return;
	s->reboot = reboot && (!s->asked || s->reboot);
	s->asked = TOLD;
}

/* How long poll(2) may wait, in milliseconds; kills at the deadline.  0
 * after that: it has not died in time. */
static int
next_wait(struct run *r, struct stop *s)
{
	long long left;

	if (!s->deadline)
		return -1;
	left = s->deadline - now_ms();
	if (s->dying)
		return left > 0 ? left : 0;
	if (left <= 0) {
		kill_init(r, s);
		s->killed = 1;
		tell("%s: did not %s in %llu s; killed", r->conf->name,
		    s->reboot ? "reboot" : "power off",
		    (unsigned long long)s->seconds);
		return PATIENCE_MS;
	}
	if (s->asked == ASKED && stop_ask(r, s->reboot))
		s->asked = TOLD;
	return s->asked == ASKED && left > RETRY_MS ? RETRY_MS : left;
}

/* Reaps the init.  reboot(2) in a pid namespace ends its PID 1 with SIGHUP
 * for a reboot and SIGINT for a power-off or halt.  An init that just exits
 * when it was asked to reboot (finit) means that. */
static int
reap(struct run *r, const struct stop *s)
{
	siginfo_t info = { 0 };

	if (waitid(P_PIDFD, r->init.pidfd, &info, WEXITED) < 0)
		die("waiting for the init:");
	init_reaped(r);
	if (s->reboot && !s->killed && (r->conf->program ||
	    info.si_code == CLD_EXITED))
		return REBOOT;
	if (info.si_code == CLD_EXITED)
		return info.si_status;
	if (r->conf->program)
		return EXIT_SIGNAL + info.si_status;
	/* a reboot where a power-off was asked for is the end */
	if (info.si_status == SIGHUP)
		return s->asked && !s->reboot ? 0 : REBOOT;
	return info.si_status == SIGINT ? 0 : EXIT_SIGNAL + info.si_status;
}

/* One round of waiting; 0: the init has ended. */
static int
wait_once(struct run *r, struct stop *stop)
{
	enum { SIGNALS, INIT, NOTIFY, SAID, NET, ATTACH, CONSOLE = ATTACH + 2,
	    NFDS = CONSOLE + 4 };
	struct pollfd p[NFDS];
	int n = next_wait(r, stop), last, sig;

	p[SIGNALS] = (struct pollfd){ r->signals.fd, POLLIN, 0 };
	p[INIT] = (struct pollfd){ r->init.pidfd, POLLIN, 0 };
	p[NOTIFY] = (struct pollfd){ r->back.notify, POLLIN, 0 };
	say_poll(p + SAID);
	net_poll(r, p + NET);
	typing_poll(r, p + ATTACH);
	console_poll(r, p + CONSOLE);
	last = stop->dying && !n;
	if (poll(p, NFDS, n) < 0 && errno != EINTR)
		die("poll:");
	if (p[INIT].revents || last) {
		wait_died(r, p[INIT].revents != 0);
		return 0;
	}
	while (p[SIGNALS].revents && (sig = signal_pending(r)))
		handle_signal(r, stop, sig);
	say_served(p + SAID);
	net_serve(r, p + NET);
	typing_serve(r, p + ATTACH);
	if (console_relay(r, p + CONSOLE))
		signal_stop(r, stop);
	if (r->back.ready && ((p[NOTIFY].revents && notify_received(r)) ||
	    (p[CONSOLE + 2].revents && console_prompt(r) &&
	    !stop_notifies(r))))
		detach_ready(r);
	return 1;
}

static int
supervise(struct run *r, struct stop *stop)
{
	console_begin(r);
	typing_begin(r);
	if (wait_take_early(r))
		handle_signal(r, stop, ASK);
	while (wait_once(r, stop))
		;
	/* waits for who reads our output, without end, but for a signal */
	signal_late(r, stop, console_end(r, !stop->asked));
	/* cgroup_undo() tells who it is */
	return r->wait.stuck ? EXIT_SIGNAL + SIGKILL : reap(r, stop);
}

/* An init that dies at once gives its reason on the console only. */
static void
explain(struct run *r, int status, long long began)
{
	const char *tail;
	long long ms;

	if (status <= 0 || r->conf->program)
		return;
	ms = now_ms() - began;
	if (ms >= EARLY_MS)
		return;
	tail = console_tail(r);
	tell("%s: the init ended after %lld ms with status %d%s%s",
	    r->conf->name, ms, status, *tail ? "; it printed last: " :
	    " and printed nothing", tail);
}

/* What crun set has changed holds for the next life, and for what is said of
 * this one; the groups that it has made are ours to remove.  It may have been
 * another version of crun. */
static void
take_changes(struct run *r)
{
	static struct conf changed;
	const char *name = r->conf->name;
	struct conf c;

	if (!state_conf_changed(r))
		return;
	if (conf_saved_next(&c, r->state.dir, "conf", r->conf) <= CONF_MORE) {
		conf_warn(&c);
		changed = c;
		r->conf = &changed;
	} else {
		warn("%s: keeps the configuration that it had: %s", name,
		    c.faults->text);
	}
	cgroup_open(r);
}

static int
live(struct run *r)
{
	struct stop stop;
	long long began;
	int status;

	for (;;) {
		start(r);
		began = r->conf->program ? 0 : now_ms();
		stop = (struct stop){ 0 };
		status = supervise(r, &stop);
		take_changes(r);
		cgroup_oom(r);
		explain(r, status, began);
		if (status != REBOOT) {
			detach_ended(r, status, console_tail(r));
			state_ended(r, status, stop.killed, "");
		}
		undo(r, status == REBOOT);
		if (status != REBOOT)
			return status;
		step("%s: reboot", r->conf->name);
		state_reboot(r);
	}
}

/* What must hold before anything is touched. */
static void
check_host(void)
{
	struct utsname u;
	char *end;
	long major, minor;

	if (geteuid() != 0)
		die("crun must be started by root, as by sudo(8)");
	if (uname(&u) < 0)
		die("uname:");
	major = strtol(u.release, &end, 10);
	minor = strtol(end + 1, NULL, 10);
	if (major < 5 || (major == 5 && minor < 10))
		die("Linux %s is too old: crun needs 5.10 or newer",
		    u.release);
}

/* Nothing of the caller's that could leak into the container, or be reached
 * from there: files, working folder, memory. */
static void
prepare(void)
{
	if (syscall(SYS_close_range, 3, ~0U, 0) < 0)
		die("closing files (close_range), Linux 5.9:");
	umask(0);
	if (chdir("/") < 0)
		die("the root folder:");
	hide();
}

/* What we open must not get the numbers of what the caller has closed. */
static void
open_standard(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", O_RDWR);
}

int
main(int argc, char **argv)
{
	static struct args args;
	static struct conf conf;
	int status;

	if (getauxval(AT_SECURE))
		fail(EXIT_USAGE, "refuses to run setuid or with capabilities "
		    "of its file");
	open_standard();
	self_begin(argv);
	if (argc > 1 && !strcmp(argv[1], "help"))
		args_help();
	status = verb_main(argc, argv);
	if (status >= 0)
		return status;
	args_parse(&args, argv);
	if (conf_load(&conf, args.file, self_input(), args.over, args.nover,
	    args.program) < 0) {
		conf_tell(&conf);
		return EXIT_USAGE;
	}
	if (args.print) {
		conf_print(&conf, stdout);
		flush_output();
		return 0;
	}
	check_host();
	if (self_exposed(&conf))
		self_seal(conf.input);
	prepare();
	run = (struct run)RUN_NONE;
	run.conf = &conf;
	signals_take(&run);
	on_die = unwind;
	if (args.background)
		detach(&run, args.ready);
	say_nonblock();
	status = live(&run);
	return status;
}
