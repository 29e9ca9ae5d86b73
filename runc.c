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
 *   ns_release --------- GO --------------->  identity, keyring, uts, mounts,
 *   stages: _attach  veth, limits             seccomp; waits
 *   ns_release --------- GO --------------->  net; waits
 *   stages: _attach  devices
 *   ns_release --------- GO --------------->  files, capabilities, exec
 *   ns_report <-- records, or end of file: exec'd
 *   supervise        console, log, signals, reaping; again after a reboot
 *   stages: _undo, in reverse
 *
 * Read on in this order: crun.h (what the files share), conf.c (the file),
 * ns.c (clone and exec), idmap.c, mount.c, rootfs.c, net.c, cgroup.c,
 * ungroup.c and device.c, sec.c and seccomp.c (the last gate), wait.c (whom
 * we wait for), console.c, log.c, attach.c and stop.c (while it runs),
 * detach.c (in the background), state.c (what is left on the host meanwhile);
 * then verbs.c, stat.c, live.c and exec.c (what acts on a container from
 * outside).  Policy is in config.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crun.h"
#include "config.h"

enum { REBOOT = -1 };		/* what supervise() gives for a reboot */
enum { EARLY_MS = 1000 };	/* an init that fails sooner shows its output */
enum { RETRY_MS = 100 };	/* an init without handlers is asked again */
enum { SHRINK_MS = 200 };	/* one that lives so long will live on */

static void child(struct run *);
static void spawn(struct run *);

/* One row a thing that is made, in the order of making.  A row counts as
 * begun before its _host is called, and every begun row is undone.  A reboot
 * keeps the first rows, so that nobody takes the name or the ids meanwhile.
 * The wall around devices is the cgroup's, but comes last, as it takes longest
 * and the child has its network to set up meanwhile. */
enum { KEPT = 3 };
static const struct stage {
	void (*host)(struct run *);
	void (*attach)(struct run *);
	void (*undo)(struct run *);
	int go;			/* after its _attach, a GO */
} stages[] = {
	{ state_host, NULL, state_undo, 0 },
	{ attach_host, NULL, attach_undo, 0 },
	{ idmap_host, idmap_attach, idmap_undo, 0 },
	{ private_host, NULL, private_undo, 0 },
	{ mount_host, mount_attach, mount_undo, 1 },
	{ cgroup_host, NULL, cgroup_undo, 0 },
	{ console_host, NULL, console_undo, 0 },
	{ notify_host, NULL, notify_undo, 0 },
	{ net_host, net_attach, net_undo, 0 },
	{ spawn, sec_attach, ns_undo, 1 },
	{ NULL, device_attach, NULL, 1 },
};

static struct run run;

void
run_clear(struct run *r)
{
	*r = (struct run){ .signals = -1, .patience = PATIENCE_MS,
	    .pidfd = -1, .proc = -1, .supervisor = -1, .go = { -1, -1 },
	    .report = { -1, -1 }, .marker = -1, .tree = -1, .dev = -1, .pts = -1,
	    .procfs = -1, .sysfs = -1, .hostns = -1, .hostroot = -1,
	    .stage = -1, .master = -1, .slave = -1, .log = -1, .listener = -1,
	    .typist = -1, .waiter = -1, .notify = -1, .state = -1,
	    .lock = -1 };
}

/* ---- start and end ---- */

static void
spawn(struct run *r)
{
	ns_spawn(r, child);
}

/* What the child does between the clone and the init. */
static void
child(struct run *r)
{
	state_child(r);
	cgroup_child(r);
	stage_child(r);
	ns_wait_child(r);
	ns_identity_child(r);
	sec_keyring_child(r);
	ns_uts_child(r);
	rootfs_child(r);
	seccomp_child(r);
	ns_wait_child(r);
	net_child(r);
	sec_bound_child(r);
	ns_wait_child(r);
	rootfs_files_child(r);
	sec_caps_child(r);
	ns_exec_child(r);
}

static void
undo(struct run *r, int keep)
{
	r->starting = 0;
	r->patience = r->stuck ? 0 : PATIENCE_MS;
	r->heard = 0;
	while (r->begun > keep) {
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
	if (run.detached)
		detach_ended(&run, status, reason ? reason : line);
	if (run.lock >= 0)
		state_ended(&run, status, 0);
	undo(&run, 0);
	exit(status);
}

static void
start(struct run *r)
{
	void (*host)(struct run *);
	size_t i;

	r->starting = 1;
	r->patience = PATIENCE_MS;
	r->left = r->stuck = 0;
	while (r->begun < (int)LEN(stages)) {
		host = stages[r->begun++].host;
		if (host)
			host(r);
	}
	for (i = 0; i < LEN(stages); i++) {
		if (stages[i].attach)
			stages[i].attach(r);
		if (stages[i].go)
			ns_release(r);
	}
	state_saved(r);
	ns_report(r);
	state_started(r);
	r->starting = 0;
	while (r->nmade)	/* now these stay */
		free(r->made[--r->nmade].path);
	mount_undo(r);		/* the child has taken them all */
	cgroup_started(r);
	detach_started(r);
	step("%s: the init runs", r->conf->name);
}

/* ---- signals ---- */

static const int taken[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1,
    SIGUSR2, SIGWINCH, ASK };

/* SIGPIPE is blocked so that a closed output is an error of write(2), and
 * SIGXFSZ so that a log above our caller's limit of file sizes is one too.  A
 * caller that ignores SIGCHLD must not have the kernel reap the init for us,
 * wait(2): its status would be lost. */
void
signals_take(struct run *r)
{
	sigset_t set;
	size_t i;

	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&set);
	for (i = 0; i < LEN(taken); i++)
		sigaddset(&set, taken[i]);
	r->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	sigaddset(&set, SIGPIPE);
	sigaddset(&set, SIGXFSZ);
	sigaddset(&set, SIGTTOU);
	if (r->signals < 0 || sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		die("taking signals:");
}

int
signal_pending(struct run *r)
{
	struct signalfd_siginfo info;

	while (read(r->signals, &info, sizeof(info)) == sizeof(info)) {
		r->request = info.ssi_int;
		if (info.ssi_signo != SIGWINCH)
			return info.ssi_signo;
		console_resize(r);
	}
	return 0;
}

/* ---- while it runs ---- */

struct stop {
	int asked;		/* to end; 2: it has been told */
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
	/* nor is who asked for a stop to see it come up again */
	s->reboot = reboot && (!s->asked || s->reboot);
	/* who asked before is not to wait for longer */
	if (!s->deadline || end < s->deadline) {
		s->deadline = end;
		s->seconds = seconds;
	}
	step("%s: asking the init to %s", r->conf->name, s->reboot ? "reboot" :
	    "power off");
	cgroup_thaw_all(r);
	s->asked = 1 + stop_ask(r, s->reboot);
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
		ask_stop(r, s, r->request & 1, r->request >> 1);
	else if (ends && !(r->conf->program && !s->asked && sig != SIGTERM))
		signal_stop(r, s);
	else if (r->conf->program && stop_signal(r, sig) && ends)
		s->asked = 2;
}

/* A signal that came when the init had ended: it does not begin again, if that
 * is what is asked. */
static void
signal_late(struct run *r, struct stop *s, int sig)
{
	int reboot = sig == ASK && r->request & 1;

	if (sig != ASK && sig != SIGTERM && sig != SIGINT && sig != SIGHUP)
		return;
	s->reboot = reboot && (!s->asked || s->reboot);
	s->asked = 2;
}

/* How long poll(2) may wait, in milliseconds; kills at the deadline.  0: who
 * was killed does not die. */
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
	if (s->asked == 1 && stop_ask(r, s->reboot))
		s->asked = 2;
	return s->asked == 1 && left > RETRY_MS ? RETRY_MS : left;
}

/* Reaps the init.  reboot(2) in a pid namespace ends its PID 1 with SIGHUP
 * for a reboot and SIGINT for a power-off or halt.  An init that just exits
 * when it was asked to reboot (finit) means that. */
static int
reap(struct run *r, const struct stop *s)
{
	siginfo_t info = { 0 };

	if (waitid(P_PIDFD, r->pidfd, &info, WEXITED) < 0)
		die("waiting for the init:");
	shut(&r->pidfd);
	if (s->reboot && !s->killed && (r->conf->program ||
	    info.si_code == CLD_EXITED))
		return REBOOT;
	if (info.si_code == CLD_EXITED)
		return info.si_status;
	if (r->conf->program)
		return EXIT_SIGNAL + info.si_status;
	/* what reboots when it was asked to power off has ended too */
	if (info.si_status == SIGHUP)
		return s->asked && !s->reboot ? 0 : REBOOT;
	return info.si_status == SIGINT ? 0 : EXIT_SIGNAL + info.si_status;
}

/* What was needed to start is not needed to wait: the program's own pages are
 * dropped, and come back from the file when they are touched; so is the stack
 * below us.  Not at once: for what ends at once, the way back costs more than
 * all of the wait.  The headers, which say where the pages are, are among
 * them, and so are read before. */
static void
shrink(void)
{
	enum { STACK = 1 << 20, MAX = 8 };

	extern const ElfW(Ehdr) __ehdr_start;	/* made by ld(1) */
	const char *base = (const char *)&__ehdr_start;
	const ElfW(Phdr) *p = (const void *)(base + __ehdr_start.e_phoff);
	size_t i, n = 0, page = getauxval(AT_PAGESZ), start;
	uintptr_t here = ((uintptr_t)&i & ~(page - 1)) - page;
	struct iovec part[MAX];

	for (i = 0; i < __ehdr_start.e_phnum && n < MAX; i++) {
		start = p[i].p_vaddr & ~(page - 1);
		if (p[i].p_type == PT_LOAD && !(p[i].p_flags & PF_W))
			part[n++] = (struct iovec){ (void *)(base + start),
			    p[i].p_vaddr + p[i].p_memsz - start };
	}
	madvise((void *)(here - STACK), STACK, MADV_DONTNEED);
	while (n--)
		madvise(part[n].iov_base, part[n].iov_len, MADV_DONTNEED);
}

/* One round of waiting; 0: the init has ended. */
static int
wait_once(struct run *r, struct stop *stop, int *shrunk)
{
	enum { SIGNALS, INIT, NOTIFY, SAID, ATTACH, CONSOLE = ATTACH + 2,
	    NFDS = CONSOLE + 4 };
	struct pollfd p[NFDS];
	int n = next_wait(r, stop), sig;

	p[SIGNALS] = (struct pollfd){ r->signals, POLLIN, 0 };
	p[INIT] = (struct pollfd){ r->pidfd, POLLIN, 0 };
	p[NOTIFY] = (struct pollfd){ r->notify, POLLIN, 0 };
	say_poll(p + SAID);
	attach_poll(r, p + ATTACH);
	console_poll(p + CONSOLE);
	r->stuck = stop->dying && !n;
	n = poll(p, NFDS, n < 0 && !*shrunk ? SHRINK_MS : n);
	if (n < 0 && errno != EINTR)
		die("poll:");
	if (n == 0 && !(*shrunk)++)
		shrink();
	if (p[INIT].revents)
		r->stuck = 0;
	if (p[INIT].revents || r->stuck)
		return 0;
	while (p[SIGNALS].revents && (sig = signal_pending(r)))
		handle_signal(r, stop, sig);
	say_served(p + SAID);
	attach_serve(r, p + ATTACH);
	if (console_relay(r, p + CONSOLE))
		signal_stop(r, stop);
	if (r->ready && ((p[NOTIFY].revents && notify_received(r)) ||
	    (p[CONSOLE + 2].revents && console_prompt(r) &&
	    !stop_notifies(r))))
		detach_ready(r);
	return 1;
}

static int
supervise(struct run *r, struct stop *stop)
{
	int shrunk = 0;

	console_begin(r);
	attach_begin(r);
	if (r->early) {
		r->early = 0;
		r->request = r->early_request;
		handle_signal(r, stop, ASK);
	}
	while (wait_once(r, stop, &shrunk))
		;
	signal_late(r, stop, console_end(r, !stop->asked));
	/* cgroup_undo() tells who it is */
	return r->stuck ? EXIT_SIGNAL + SIGKILL : reap(r, stop);
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
	tail = console_tail();
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
	struct conf c = { .program = r->conf->program };
	const char *name = r->conf->name;

	if (!state_conf_changed(r))
		return;
	if (conf_saved(&c, r->state, name, NULL, 0) <= CONF_MORE) {
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
			detach_ended(r, status, console_tail());
			state_ended(r, status, stop.killed);
		}
		undo(r, status == REBOOT ? KEPT : 0);
		if (status != REBOOT)
			return status;
		step("%s: reboot", r->conf->name);
		state_reboot(r);
	}
}

/* ---- the command line ---- */

static void usage(void) __attribute__((noreturn));

static void
usage(void)
{
	fputs("usage: crun [-dnqv] -c FILE [KEY=VALUE ...] "
	    "[-- PROGRAM [ARG ...]]\n"
	    "       crun VERB [OPTION ...] [NAME] [ARG ...]\n"
	    "       crun -h | -V\n", stderr);
	exit(EXIT_USAGE);
}

static void
help(void)
{
	puts("crun boots a folder as an operating system.\n\n"
	    "usage: crun [-dnqv] -c FILE [KEY=VALUE ...] "
	    "[-- PROGRAM [ARG ...]]\n"
	    "       crun VERB [OPTION ...] [NAME] [ARG ...]\n"
	    "       crun -h | -V\n\n"
	    "  -c FILE     the configuration: FILE, else " CONFDIR "/FILE, "
	    "else\n              " CONFDIR "/FILE.conf; - is standard "
	    "input\n"
	    "  KEY=VALUE   instead of what FILE says of KEY; an empty VALUE "
	    "unsets it\n"
	    "  -- PROGRAM  no OS: run this one program, exit with its "
	    "status\n"
	    "  -d          in the background: returns when the init runs\n"
	    "  --ready[=SECONDS]\n"
	    "              with -d: returns when the system is up, or after "
	    "SECONDS\n              [90] with status 125\n"
	    "  -n          print the configuration and touch nothing\n"
	    "  -q          print errors only\n"
	    "  -v          print every step\n"
	    "  -h, -V      print this help, the version\n\n"
	    "Verbs, for containers that run:\n");
	verb_help();
	puts("\nKeys of FILE, one KEY=VALUE a line, # begins a comment; "
	    "[default];\n* may stand more than once:\n");
	conf_help();
	flush_output();
	exit(0);
}

struct args {
	const char *file;
	char **over, **program;
	int nover, print, background, ready;
};

static int
option(struct args *a, const char *letters, char ***argv)
{
	for (; *letters; letters++)
		switch (*letters) {
		case 'c':
			if (letters[1])
				a->file = letters + 1;
			else if (!(a->file = *++*argv))
				usage();
			return 0;
		case 'd':
			a->background = 1;
			break;
		case 'n':
			a->print = 1;
			break;
		case 'q':
			verbosity = QUIET;
			break;
		case 'v':
			verbosity = VERBOSE;
			break;
		case 'h':
			help();
			break;
		case 'V':
			puts("crun " VERSION);
			flush_output();
			exit(0);
		default:
			fail(EXIT_USAGE, "unknown option -%c; crun -h lists "
			    "them", *letters);
		}
	return 0;
}

static void
long_option(struct args *a, const char *word)
{
	char *end = "";

	if (strncmp(word, "ready", 5) || (word[5] && word[5] != '='))
		fail(EXIT_USAGE, "unknown option --%s; crun -h lists them",
		    word);
	a->ready = word[5] ? strtol(word + 6, &end, 10) : READY_SECONDS;
	if (*end || a->ready < 1 || a->ready > 86400)
		fail(EXIT_USAGE, "--%s: must be seconds, from 1 to 86400",
		    word);
}

static void
parse_args(struct args *a, char **argv)
{
	a->over = xrealloc(NULL, 1, sizeof(*a->over));
	for (argv++; *argv; argv++) {
		if (!strcmp(*argv, "--")) {
			a->program = argv + 1;
			if (!argv[1])
				fail(EXIT_USAGE, "-- needs a PROGRAM");
			break;
		}
		if (!strncmp(*argv, "--", 2)) {
			long_option(a, *argv + 2);
		} else if (**argv == '-' && (*argv)[1]) {
			option(a, *argv + 1, &argv);
		} else if (strchr(*argv, '=')) {
			a->over = xrealloc(a->over, a->nover + 1,
			    sizeof(*a->over));
			a->over[a->nover++] = *argv;
		} else {
			fail(EXIT_USAGE, "\"%s\" is neither an option nor "
			    "KEY=VALUE; a program goes after --", *argv);
		}
	}
	if (!a->file)
		usage();
	if (a->ready && !a->background)
		fail(EXIT_USAGE, "--ready is for -d");
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
		help();
	status = verb_main(argc, argv);
	if (status >= 0)
		return status;
	parse_args(&args, argv);
	if (conf_load(&conf, args.file, args.over, args.nover,
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
	run_clear(&run);
	run.conf = &conf;
	signals_take(&run);
	on_die = unwind;
	run.background = args.background;
	run.ready = args.ready;
	if (run.background)
		detach(&run);
	say_nonblock();
	status = live(&run);
	return status;
}
