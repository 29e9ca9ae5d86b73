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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "crun.h"
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/words.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "net/net.h"
#include "ns/ns.h"
#include "sec/sec.h"
#include "sup/sup.h"
#include "tty/tty.h"
#include "config.h"

/* ---- freeze, thaw ---- */

static int
set_frozen(struct words *w, int frozen)
{
	int i, status, err;
	struct run *r = verb_find_all(w, RUNNING, &status);

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
	saved = conf_saved(&c, r.state.dir, name, NULL, 0);
	if (saved == CONF_GONE)
		verb_gone(name);
	/* even a key more: it may ask for a protection that we do not know */
	if (saved != CONF_WHOLE)
		verb_refuse(&c, name,
		    "no program is run with less protection than "
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
	return console_attach(&r, w->names[0]);
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
		verb_find_any(&r, w->names[0]);
	}
	l = (struct reader){ .dir = r.state.dir, .fd = -1,
	    .still = !w->opt['f'] };
	watch = log_watch(&r);
	print_log(&l, raw);
	while (w->opt['f'] && r.other.pidfd >= 0) {
		p[0] = (struct pollfd){ watch, POLLIN, 0 };
		p[1] = (struct pollfd){ r.other.pidfd, POLLIN, 0 };
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
		if (id >= 0 && !(keys[id].flags & (LIVE | LINK)))
			fail(EXIT_USAGE, "%s cannot be changed while it runs; "
			    "change its file and start it anew",
			    keys[id].name);
		asked[i] = (struct setting){ .id = id, .prefix = "",
		    .value = value + 1, .where = COMMAND_LINE,
		    .sub = xprintf("%.*s", id < 0 ? 0 : (int)(value - sub),
		    sub) };
	}
	return asked;
}

static void
be_woken(int sig)
{
	(void)sig;
}

/* One set at a time: flock(2) has no end of its own. */
static void
lock_settings(const struct run *r, const char *name)
{
	struct sigaction a = { .sa_handler = be_woken };

	sigaction(SIGALRM, &a, NULL);
	alarm(PATIENCE_MS / 1000);
	if (flock(r->state.dir, LOCK_EX) < 0) {
		if (errno == EINTR)
			die("%s: another crun set is at work: %s", name,
			    wait_holder(r->state.dir));
		die("locking " STATEDIR "/%s:", name);
	}
	alarm(0);
}

static int
no_more(struct run *r)
{
	(void)r;
	return 0;
}

static int
change_network(struct run *r)
{
	const char *why = net_change(r);

	if (!why)
		return 1;
	unlinkat(r->state.dir, ".conf", 0);
	die("%s", why);
}

/* Leaves the limits in the list.  Gives whether there were keys of the network
 * too: those the supervisor changes, by the whole new configuration. */
static int
split_changes(struct setting *asked, size_t *n)
{
	size_t i, limits = 0;

	for (i = 0; i < *n; i++)
		if ((int)asked[i].id < 0 ||	/* no key, which is told later */
		    !(keys[asked[i].id].flags & LINK))
			asked[limits++] = asked[i];
	i = *n != limits;
	*n = limits;
	return i;
}

static int
do_set(struct words *w)
{
	const char *name = w->names[0];
	struct setting *asked = parse_changes(w->names + 1, w->n - 1);
	size_t n = w->n - 1;
	int network = split_changes(asked, &n);
	struct conf c = { 0 };
	enum conf_state saved;
	struct run r;

	verb_find(&r, name);
	lock_settings(&r, name);
	saved = conf_saved(&c, r.state.dir, name, w->names + 1, w->n - 1);
	if (saved == CONF_GONE)
		verb_gone(name);
	if (saved == CONF_WORDS) {
		conf_tell(&c);
		exit(EXIT_USAGE);
	}
	/* a key more would be lost when it is written anew */
	if (saved != CONF_WHOLE)
		verb_refuse(&c, name, "nothing is changed");
	r.conf = &c;
	if (cgroup_open_all(&r, name) < 0)
		return EXIT_SETUP;
	cgroup_set(&r, asked, n, network ? change_network : no_more);
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
	    "lifts one; and the network, each key with all its values: "
	    "port=80:80, eth1.bridge=LINK, or eth1.bridge= to remove it" },
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
