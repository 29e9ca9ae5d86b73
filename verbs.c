/* crun VERB: what acts on containers that run.
 *
 * There is no daemon to talk to.  A container is found by its name in the
 * run-time folder (state_open()), which gives pidfds of its supervisor and its
 * init.  Then the verb reads files, or asks the supervisor by a signal, or
 * the kernel by the init's pidfd or the container's cgroups.
 *
 * One row of the table a verb: its options as getopt(3) takes them, how many
 * names it needs, the function, and its help.  stat.c has what list and stat
 * print.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crun.h"
#include "config.h"

enum { START_MS = 60000 };	/* how long we wait for one that starts */
enum { GRACE_MS = 15000 };	/* for a supervisor, past the time-out */
enum { KILL_MS = 450 };		/* for each that kill ends, at each step */

struct words {			/* what follows the verb */
	char **names;		/* NULL at the end */
	int n;
	const char *opt[128];	/* by letter: its last argument, or "" */
	char **env;		/* all of -e */
	int nenv;
};

/* ---- finding ---- */

static void
no_container(const char *name)
{
	struct near near = { .word = name };
	size_t n, i;
	char **names = state_names(&n);

	for (i = 0; i < n; i++)
		if (strcmp(names[i], name))
			near_try(&near, names[i]);
	if (*near.best)
		tell("no container %s runs; did you mean %s?", name,
		    near.best);
	else
		tell("no container %s runs; crun list shows those that do",
		    name);
}

static void gone(const char *name) __attribute__((noreturn));

static void
gone(const char *name)
{
	no_container(name);
	exit(EXIT_SETUP);
}

/* What is saved of it is not understood, and this verb needs all of it. */
static void refuse(const struct conf *, const char *name, const char *what)
    __attribute__((noreturn));

static void
refuse(const struct conf *c, const char *name, const char *what)
{
	const struct fault *f = c->faults;

	if (f->line)
		die("%s: %s: %s; the crun that started %s understands it",
		    name, what, f->text, name);
	die("%s: %s: %s; crun reboot %s writes it anew", name, what, f->text,
	    name);
}

/* The next change in the container's folder, the end of its supervisor, or the
 * time is up. */
static void
wait_for_change(int watch, int supervisor, long long end)
{
	struct pollfd p[] = { { watch, POLLIN, 0 }, { supervisor, POLLIN, 0 } };
	char buf[4096];
	long long left = end - now_ms();

	if (left > 0 && poll(p, LEN(p), left) > 0 && p[0].revents &&
	    read(watch, buf, sizeof(buf)) < 0)
		die("reading inotify events:");
}

/* Looks again whenever the folder changes, until it runs or has ended. */
static enum life
wait_started(struct run *r, const char *name)
{
	char *dir = xprintf(STATEDIR "/%s", name);
	long long end = now_ms() + START_MS;
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	enum life life;

	if (watch < 0)
		die("inotify_init1:");
	do {
		state_close(r);
		if (inotify_add_watch(watch, dir, IN_MODIFY | IN_DELETE |
		    IN_DELETE_SELF) < 0 && errno != ENOENT)
			die("watching %s (inotify):", dir);
		life = state_open(r, name);
		if (life == STARTING || life == ENDING)
			wait_for_change(watch, r->supervisor, end);
	} while ((life == STARTING || life == ENDING) && now_ms() < end);
	close(watch);
	free(dir);
	return life;
}

static void
not_running(const char *name, enum life life)
{
	if (life == NONE)
		no_container(name);
	else
		tell("%s does not run: its supervisor was killed; crun clean "
		    "removes what is left", name);
}

/* 0, or says why not and gives -1.  least: RUNNING, or ENDING for what needs no
 * init. */
static int
find(struct run *r, const char *name, enum life least)
{
	enum life life = state_open(r, name);

	if (life < least && life >= STARTING)
		life = wait_started(r, name);
	if (life >= least)
		return 0;
	if (life == STARTING || life == ENDING)
		tell("%s has not %s within %d s; crun kill %s ends it", name,
		    life == STARTING ? "started" : "ended", START_MS / 1000,
		    name);
	else
		not_running(name, life);
	state_close(r);
	return -1;
}

void
verb_find(struct run *r, const char *name)
{
	if (find(r, name, RUNNING) < 0)
		exit(EXIT_SETUP);
}

/* Likewise, but one that is ending will do. */
static void
find_any(struct run *r, const char *name)
{
	if (find(r, name, ENDING) < 0)
		exit(EXIT_SETUP);
}

/* Those of the names that run, which then are w's.  *status: EXIT_SETUP where
 * one does not, so that one that has ended is no reason to leave the others. */
static struct run *
find_all(struct words *w, enum life least, int *status)
{
	struct run *r = xrealloc(NULL, w->n, sizeof(*r));
	int i, n = 0;

	*status = 0;
	for (i = 0; i < w->n; i++)
		if (find(&r[n], w->names[i], least) < 0)
			*status = EXIT_SETUP;
		else
			w->names[n++] = w->names[i];
	w->n = n;
	return r;
}

/* ---- waiting for the end ---- */

static int
poll_one(int fd, int ms)
{
	struct pollfd p = { fd, POLLIN, 0 };
	int n;

	while ((n = poll(&p, 1, ms)) < 0 && errno == EINTR)
		;
	return n > 0;
}

static int
has_ended(const struct run *r, int ms)
{
	return poll_one(r->supervisor, ms);
}

/* The status that the supervisor wrote down, or, where it was killed, that
 * of SIGKILL. */
static int
end_of(struct run *r, const char *name, int *killed)
{
	int status = state_status(r, killed);

	if (status >= 0)
		return status;
	warn("%s: its supervisor was killed; crun clean removes what is left",
	    name);
	return EXIT_SIGNAL + SIGKILL;
}

static int
do_wait(struct words *w)
{
	struct run r;
	int killed;

	find_any(&r, w->names[0]);
	has_ended(&r, -1);
	return end_of(&r, w->names[0], &killed);
}

/* ---- stop, reboot, kill ---- */

static void
signal_supervisor(const struct run *r, int sig)
{
	syscall(SYS_pidfd_send_signal, r->supervisor, sig, NULL, 0);
}

/* CONT: somebody may have stopped it, as a shell stops a job. */
static void
ask(const struct run *r, int reboot, unsigned seconds)
{
	siginfo_t info = { .si_signo = ASK, .si_code = SI_QUEUE };

	info.si_pid = getpid();
	info.si_value.sival_int = seconds << 1 | reboot;
	if (syscall(SYS_pidfd_send_signal, r->supervisor, ASK, &info, 0) < 0 &&
	    errno != ESRCH)
		die("signalling the supervisor:");
	signal_supervisor(r, SIGCONT);
}

static unsigned
seconds_option(const struct words *w)
{
	const char *text = w->opt['t'];
	char *end;
	long n;

	if (!text)
		return 0;
	n = strtol(text, &end, 10);
	if (end == text || *end || n < 1 || n > 86400)
		fail(EXIT_USAGE, "-t %s: must be seconds, from 1 to 86400",
		    text);
	return n;
}

/* Milliseconds that the supervisor may take, since it kills by then.  Before it
 * is asked: the file goes with the container.  Where stop.timeout is not known
 * it is taken to be the default. */
static long long
patience(const struct run *r, const char *name, unsigned seconds)
{
	struct conf c = { 0 };

	if (!seconds) {
		conf_saved(&c, r->state, name, NULL, 0);
		conf_warn(&c);
		seconds = c.stop_timeout;
	}
	return seconds * 1000LL + GRACE_MS;
}

static void
no_answer(const char *name)
{
	tell("%s: its supervisor does not answer; crun kill %s ends it", name,
	    name);
}

/* Asks all, then waits for each, so that they stop side by side. */
static int
do_stop(struct words *w)
{
	unsigned seconds = seconds_option(w);
	int i, killed, status;
	struct run *r = find_all(w, ENDING, &status);
	long long *end = xrealloc(NULL, w->n, sizeof(*end)), left;

	for (i = 0; i < w->n; i++) {
		end[i] = now_ms() + patience(&r[i], w->names[i], seconds);
		ask(&r[i], 0, seconds);
	}
	for (i = 0; i < w->n; i++) {
		left = end[i] - now_ms();
		killed = 0;
		if (!has_ended(&r[i], left > 0 ? left : 0)) {
			no_answer(w->names[i]);
			status = EXIT_SETUP;
		} else {
			end_of(&r[i], w->names[i], &killed);
		}
		if (killed) {
			tell("%s did not power off in time and was killed",
			    w->names[i]);
			status = EXIT_SIGNAL + SIGKILL;
		}
		state_close(&r[i]);
	}
	free(end);
	free(r);
	return status;
}

/* Until there is another init, under the same supervisor. */
static int
do_reboot(struct words *w)
{
	const char *name = w->names[0];
	unsigned seconds = seconds_option(w);
	struct run r, next;
	int killed = 0, status;
	long long wait;

	run_clear(&next);
	verb_find(&r, name);
	wait = patience(&r, name, seconds);
	ask(&r, 1, seconds);
	if (!poll_one(r.pidfd, wait)) {
		no_answer(name);
		return EXIT_SETUP;
	}
	if (!has_ended(&r, 0) && wait_started(&next, name) == RUNNING) {
		state_close(&next);
		return 0;
	}
	if (!has_ended(&r, GRACE_MS)) {
		no_answer(name);
		return EXIT_SETUP;
	}
	status = end_of(&r, name, &killed);
	fail(killed ? EXIT_SIGNAL + SIGKILL : EXIT_SETUP, killed ?
	    "%s did not end in time and was killed (status %d)" :
	    "%s did not come up again, and ended with status %d", name,
	    status);
}

/* kill: everything in the container, by ourselves, whatever its supervisor
 * does.  One that starts is only told to end, and undoes all that it has made;
 * the start that it waits for comes to nothing. */
static void
kill_all(struct run *r, enum life life)
{
	if (life == RUNNING || life == ENDING) {
		syscall(SYS_pidfd_send_signal, r->pidfd, SIGKILL, NULL, 0);
		cgroup_open(r);
		cgroup_kill(r);
		cgroup_close(r);
	} else {
		signal_supervisor(r, SIGTERM);
	}
	signal_supervisor(r, SIGCONT);
}

/* Why a process that was killed is there still, by its state in
 * proc_pid_stat(5). */
static const char *
why_alive(char state)
{
	if (state == 'D')
		return "it waits in the kernel, for a disk perhaps, or is "
		    "frozen by another's cgroup";
	if (state == 'Z' || state == 't')
		return "who traces it, or its parent, does not let it go";
	return "it waits for a process of its pid namespace, which has a "
	    "parent outside that does not reap it";
}

static int
tell_alive(const char *name, const char *who, pid_t pid)
{
	char path[32], text[512], *p;
	char state = '?';

	put(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	read_at(AT_FDCWD, path, text, sizeof(text));
	p = strrchr(text, ')');
	if (p && p[1])
		state = p[2];
	tell("%s: %s, pid %ld, was killed but has not ended: %s (state %c)",
	    name, who, (long)pid, why_alive(state), state);
	return EXIT_SETUP;
}

/* A supervisor leaves its folder where something could not be removed. */
static int
check_end(const char *name)
{
	struct run r;
	enum life life = state_open(&r, name);

	state_close(&r);
	if (life != DEAD)
		return 0;
	tell("%s: something in it could not be ended; crun clean tries again, "
	    "and says what", name);
	return EXIT_SETUP;
}

/* The init first: without its death nothing else can end.  Then the
 * supervisor: it may wait for a reader of what the init has printed, which TERM
 * ends.  What it leaves, if it has to be killed, we remove. */
static int
end_killed(struct run *r, const char *name)
{
	if (r->pidfd >= 0 && !poll_one(r->pidfd, KILL_MS))
		return tell_alive(name, "the init", r->pid);
	if (r->supervisor < 0) {
		tell("%s: a start has just begun, and has no pid yet; try "
		    "again", name);
		return EXIT_SETUP;
	}
	if (has_ended(r, KILL_MS))
		return check_end(name);
	signal_supervisor(r, SIGTERM);
	if (has_ended(r, KILL_MS))
		return check_end(name);
	signal_supervisor(r, SIGKILL);
	if (!has_ended(r, KILL_MS))
		return tell_alive(name, "its supervisor", r->supervisor_pid);
	state_clean(name);
	state_clean_rest();
	if (check_end(name))
		return EXIT_SETUP;
	warn("%s: its supervisor did not end by itself, and was killed; what "
	    "it left was removed", name);
	return 0;
}

static int
kill_containers(struct words *w)
{
	struct run *r = xrealloc(NULL, w->n, sizeof(*r));
	enum life life;
	int i, n = 0, status = 0;

	for (i = 0; i < w->n; i++) {
		life = state_open(&r[n], w->names[i]);
		if (life == NONE || life == DEAD) {
			not_running(w->names[i], life);
			status = EXIT_SETUP;
			state_close(&r[n]);
			continue;
		}
		kill_all(&r[n], life);
		w->names[n++] = w->names[i];
	}
	for (i = 0; i < n; i++) {
		if (end_killed(&r[i], w->names[i]))
			status = EXIT_SETUP;
		state_close(&r[i]);
	}
	free(r);
	return status;
}

static int
signal_inits(struct words *w, int sig)
{
	int i, status;
	struct run *r = find_all(w, RUNNING, &status);

	for (i = 0; i < w->n; i++)
		if (syscall(SYS_pidfd_send_signal, r[i].pidfd, sig, NULL, 0) <
		    0 && errno != ESRCH)
			die("signalling the init of %s:", w->names[i]);
	free(r);
	return status;
}

static int
do_kill(struct words *w)
{
	const char *text = w->opt['s'];
	int sig = text ? conf_signal(text) : SIGKILL;

	if (!sig)
		fail(EXIT_USAGE, "-s %s: must be a signal: a number from 1 to "
		    "64, or a name such as TERM or RTMIN+4", text);
	return sig == SIGKILL ? kill_containers(w) : signal_inits(w, sig);
}

/* ---- freeze, thaw ---- */

static int
set_frozen(struct words *w, int frozen)
{
	int i, status, err;
	struct run *r = find_all(w, RUNNING, &status);

	for (i = 0; i < w->n; i++) {
		if (cgroup_open_all(&r[i], w->names[i]) < 0) {
			status = EXIT_SETUP;
		} else if (cgroup_freeze(&r[i], frozen) < 0) {
			err = errno;
			if (err == ETIMEDOUT && frozen)
				cgroup_freeze(&r[i], 0);
			errno = err;
			tell("%s %s%s:", frozen ? "freezing" : "thawing",
			    w->names[i], err == ETIMEDOUT ? ": a process in "
			    "it does not let itself be stopped" : "");
			status = EXIT_SETUP;
		}
		cgroup_close(&r[i]);
		state_close(&r[i]);
	}
	free(r);
	return status;
}

static int
do_freeze(struct words *w)
{
	return set_frozen(w, 1);
}

static int
do_thaw(struct words *w)
{
	return set_frozen(w, 0);
}

/* ---- exec, console, log ---- */

static int
do_exec(struct words *w)
{
	static struct conf c;
	static struct run r;
	struct request q = { .user = w->opt['u'], .dir = w->opt['w'],
	    .env = w->env, .nenv = w->nenv,
	    .argv = w->n > 1 ? w->names + 1 : NULL };
	const char *name = w->names[0];
	enum conf_state saved;

	if (q.argv && !strcmp(*q.argv, "--"))
		q.argv = w->n > 2 ? q.argv + 1 : NULL;
	verb_find(&r, name);
	saved = conf_saved(&c, r.state, name, NULL, 0);
	if (saved == CONF_GONE)
		gone(name);
	/* even a key more: it may be a wall that we cannot build */
	if (saved != CONF_WHOLE)
		refuse(&c, name, "no program is run with less protection than "
		    "the init may have");
	if (self_exposed(&c))
		self_seal(NULL);
	c.program = q.argv;
	r.conf = &c;
	if (cgroup_open_all(&r, name) < 0)
		return EXIT_SETUP;
	if (cgroup_frozen(&r))
		die("%s is frozen; crun thaw %s", name, name);
	signals_take(&r);
	return exec_run(&r, &q);
}

static int
do_console(struct words *w)
{
	struct run r;

	verb_find(&r, w->names[0]);
	return attach_console(&r, w->names[0]);
}

/* What would drive a terminal is shown as \xNN, but for the ends of lines.
 * Gives how much at the end may be the beginning of a character. */
static size_t
print_safely(const char *text, size_t n)
{
	enum { CHARACTER = 4 };
	char shown[ESCAPED];
	size_t len;

	for (; n; text += len, n -= len) {
		if (n < CHARACTER && (unsigned char)*text >= 0xc2 &&
		    !printable(text, n))
			return n;
		len = escape(shown, text, n);
		if (*text == '\n' || *text == '\t')
			putchar(*text);
		else if (*text != '\r')
			fputs(shown, stdout);
	}
	return 0;
}

static void
print_log(struct reader *l, int raw)
{
	static char buf[LOG_CHUNK];
	static size_t kept;
	size_t n;

	while ((n = log_read(l, buf + kept, sizeof(buf) - kept))) {
		if (raw) {
			fwrite(buf, 1, n, stdout);
			continue;
		}
		n += kept;
		kept = print_safely(buf, n);
		memmove(buf, buf + n - kept, kept);
	}
	flush_output();
}

static int
do_log(struct words *w)
{
	int raw = w->opt['r'] || !isatty(STDOUT_FILENO), watch;
	struct run r;
	struct reader l;
	struct pollfd p[2];

	/* of a killed one the log is left */
	if (state_open(&r, w->names[0]) != DEAD) {
		state_close(&r);
		find_any(&r, w->names[0]);
	}
	l = (struct reader){ .dir = r.state, .fd = -1,
	    .still = !w->opt['f'] };
	watch = log_watch(&r);
	print_log(&l, raw);
	while (w->opt['f'] && r.supervisor >= 0) {
		p[0] = (struct pollfd){ watch, POLLIN, 0 };
		p[1] = (struct pollfd){ r.supervisor, POLLIN, 0 };
		if (poll(p, LEN(p), -1) < 0 && errno != EINTR)
			die("poll:");
		log_watched(watch);
		print_log(&l, raw);
		if (p[1].revents)
			break;
	}
	return 0;
}

/* ---- set ---- */

/* The words KEY=VALUE as settings; of cgroup.FILE the part after the dot ends
 * before the =. */
static struct setting *
parse_changes(char **words, int n)
{
	struct setting *asked = xrealloc(NULL, n, sizeof(*asked));
	const char *sub, *value;
	int i, id;

	for (i = 0; i < n; i++) {
		value = strchr(words[i], '=');
		if (!value)
			fail(EXIT_USAGE, "\"%s\" is not KEY=VALUE", words[i]);
		id = conf_key(words[i], &sub);
		if (id >= 0 && !(keys[id].flags & LIVE))
			fail(EXIT_USAGE, "%s cannot be changed while it runs; "
			    "change its file and start it anew",
			    keys[id].name);
		asked[i] = (struct setting){ .id = id, .value = value + 1,
		    .sub = xprintf("%.*s", id < 0 ? 0 : (int)(value - sub),
		    sub), .where = "command line: " };
	}
	return asked;
}

static int
do_set(struct words *w)
{
	const char *name = w->names[0];
	struct setting *asked = parse_changes(w->names + 1, w->n - 1);
	struct conf c = { 0 };
	enum conf_state saved;
	struct run r;

	verb_find(&r, name);
	if (flock(r.state, LOCK_EX) < 0)	/* one set at a time */
		die("locking " STATEDIR "/%s:", name);
	saved = conf_saved(&c, r.state, name, w->names + 1, w->n - 1);
	if (saved == CONF_GONE)
		gone(name);
	if (saved == CONF_WORDS) {
		conf_tell(&c);
		exit(EXIT_USAGE);
	}
	/* a key more would be lost when it is written anew */
	if (saved != CONF_WHOLE)
		refuse(&c, name, "nothing is changed");
	r.conf = &c;
	if (cgroup_open_all(&r, name) < 0)
		return EXIT_SETUP;
	cgroup_set(&r, asked, w->n - 1);
	return 0;
}

/* ---- list, stat, clean ---- */

static int
do_list(struct words *w)
{
	struct run r;
	enum life life;
	size_t n, i;
	char **names = state_names(&n);

	if (!w->opt['q'])
		stat_line(NULL, NONE, NULL);
	for (i = 0; i < n; i++) {
		life = state_open(&r, names[i]);
		if (life != NONE && w->opt['q'])
			puts(names[i]);
		else if (life != NONE)
			stat_line(&r, life, names[i]);
		state_close(&r);
	}
	flush_output();
	return 0;
}

static int
do_stat(struct words *w)
{
	struct run r;

	verb_find(&r, w->names[0]);
	cgroup_open(&r);
	stat_all(&r, w->names[0]);
	flush_output();
	return 0;
}

static int
do_clean(struct words *w)
{
	size_t n, i;
	char **names = state_names(&n);

	(void)w;
	for (i = 0; i < n; i++)
		if (state_clean(names[i]))
			warn("%s: removed what a killed supervisor left",
			    names[i]);
	state_clean_rest();
	return 0;
}

/* ---- the table ---- */

static const struct verb {
	const char *name, *options;	/* as for getopt(3) */
	int min, max;			/* words after the options; -1: any */
	int (*run)(struct words *);
	const char *args, *help;
} verbs[] = {
	{ "list", "q", 0, 0, do_list, "[-q]",
	    "a line a container: NAME STATE PID UPTIME MEMORY IP ROOTFS; "
	    "-q: names only" },
	{ "stat", "", 1, 1, do_stat, "NAME",
	    "the facts of one, KEY=VALUE a line" },
	{ "exec", "u:w:e:", 1, -1, do_exec,
	    "[-u USER] [-w FOLDER] [-e NAME=VALUE] NAME [PROGRAM ...]",
	    "run PROGRAM in it, else a login shell; as root, else USER, a "
	    "number or a name of its passwd; in / or in FOLDER" },
	{ "console", "", 1, 1, do_console, "NAME",
	    "attach to the console; Ctrl-] three times within a second lets "
	    "go" },
	{ "log", "fr", 1, 1, do_log, "[-fr] NAME",
	    "what the console printed; -f: and what it prints until the end; "
	    "-r: escape nothing on a terminal" },
	{ "stop", "t:", 1, -1, do_stop, "[-t SECONDS] NAME ...",
	    "power off, in the way that the init understands; killed after "
	    "SECONDS, else stop.timeout" },
	{ "reboot", "t:", 1, 1, do_reboot, "[-t SECONDS] NAME",
	    "likewise, and up again under the same supervisor" },
	{ "kill", "s:", 1, -1, do_kill, "[-s SIGNAL] NAME ...",
	    "send the init SIGNAL; without -s, kill everything in it, and its "
	    "supervisor where that does not end then" },
	{ "freeze", "", 1, -1, do_freeze, "NAME ...",
	    "stop every process in it where it is" },
	{ "thaw", "", 1, -1, do_thaw, "NAME ...", "and let them go on" },
	{ "set", "", 2, -1, do_set, "NAME KEY=VALUE ...",
	    "change limits while it runs, all or none: memory swap cpus "
	    "cpu.weight cpuset pids io.weight cgroup.FILE; an empty VALUE "
	    "lifts one" },
	{ "wait", "", 1, 1, do_wait, "NAME",
	    "until it ends, with its exit status" },
	{ "clean", "", 0, 0, do_clean, "",
	    "remove what killed supervisors left" },
};

static void
print_help(const struct verb *v)
{
	printf("  %s%s%s\n        %s\n", v->name, *v->args ? " " : "",
	    v->args, v->help);
}

void
verb_help(void)
{
	const struct verb *v;

	for (v = verbs; v < verbs + LEN(verbs); v++)
		print_help(v);
}

static void help_of(const struct verb *) __attribute__((noreturn));

static void
help_of(const struct verb *v)
{
	print_help(v);
	flush_output();
	exit(0);
}

static void usage_of(const struct verb *) __attribute__((noreturn));

static void
usage_of(const struct verb *v)
{
	fail(EXIT_USAGE, "usage: crun %s%s%s", v->name, *v->args ? " " : "",
	    v->args);
}

static const struct verb *
find_verb(const char *word)
{
	struct near near = { .word = word };
	const struct verb *v;

	for (v = verbs; v < verbs + LEN(verbs); v++) {
		if (!strcmp(v->name, word))
			return v;
		near_try(&near, v->name);
	}
	if (strchr(word, '='))
		return NULL;
	if (*near.best)
		fail(EXIT_USAGE, "unknown verb %s; did you mean %s?", word,
		    near.best);
	fail(EXIT_USAGE, "unknown verb %s; crun -h lists them, and -c FILE "
	    "starts a container", word);
}

static void
add_env(struct words *w, char *text)
{
	if (!strchr(text, '=') || *text == '=')
		fail(EXIT_USAGE, "-e %s: must be NAME=VALUE", text);
	w->env = xrealloc(w->env, w->nenv + 1, sizeof(*w->env));
	w->env[w->nenv++] = text;
}

int
verb_main(int argc, char **argv)
{
	const struct verb *v;
	struct words w = { 0 };
	char options[16];
	int c, i;

	if (argc < 2 || *argv[1] == '-')
		return -1;
	v = find_verb(argv[1]);
	if (!v)
		return -1;
	put(options, sizeof(options), "+h%s", v->options);
	opterr = 0;
	while ((c = getopt(argc - 1, argv + 1, options)) != -1) {
		if (c == 'h')
			help_of(v);
		if (c == '?')
			usage_of(v);
		w.opt[c] = optarg ? optarg : "";
		if (c == 'e' && optarg)
			add_env(&w, optarg);
	}
	w.names = argv + 1 + optind;
	w.n = argc - 1 - optind;
	if (w.n < v->min || (v->max >= 0 && w.n > v->max))
		usage_of(v);
	/* no option, which is too late there; exec's program has its own */
	for (i = 0; i < (v->run == do_exec ? 1 : w.n); i++)
		if (*w.names[i] == '-')
			usage_of(v);
	if (geteuid() != 0)
		die("crun must be started by root, as by sudo(8)");
	return v->run(&w);
}
