/* Setters of keys with a single value.  See keys.c. */
#include <ctype.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "crun.h"
#include "conf/conf.h"
#include "conf/values.h"
#include "lib/lib.h"
#include "config.h"

static void *
at(struct conf *c, const struct setting *s)
{
	const struct key *k = &keys[s->id];

	return (char *)(k->flags & LINK ? (void *)&c->link[s->link] : c) +
	    k->field;
}

const char *
set_name(struct conf *c, struct setting *s)
{
	if (strlen(s->value) > NAME_LEN)
		return complain("longer than %d characters", NAME_LEN);
	if (!has_only(s->value, "_.-") || strchr(".-", *s->value))
		return "letters, digits and _ . - are allowed, "
		    "the first neither . nor -";
	*(const char **)at(c, s) = s->value;
	return NULL;
}

const char *
set_path(struct conf *c, struct setting *s)
{
	char *copy = xprintf("%s", s->value), *out = copy;
	const char *p;

	for (p = copy; *p; p++)
		if (*p != '/' || (p[1] != '/' && (p[1] || out == copy)))
			*out++ = *p;
	*out = '\0';
	s->value = copy;
	*(const char **)at(c, s) = copy;
	return NULL;
}

const char *
set_init(struct conf *c, struct setting *s)
{
	char *rest = xprintf("%s", s->value), *word;
	size_t n = 0;

	if (*rest != '/')
		return "the program must be an absolute path, "
		    "as seen in the container";
	c->init = NULL;
	while ((word = next_part(&rest, " \t"))) {
		c->init = xrealloc(c->init, n + 2, sizeof(*c->init));
		c->init[n++] = word;
		c->init[n] = NULL;
	}
	return NULL;
}

const char *
set_hostname(struct conf *c, struct setting *s)
{
	if (strlen(s->value) > 64 || !has_only(s->value, "-._") ||
	    strchr("-.", *s->value))
		return "at most 64 letters, digits, - . and _ are allowed";
	c->hostname = s->value;
	return NULL;
}

const char *
set_env(struct conf *c, struct setting *s)
{
	size_t n = strcspn(s->value, "=");

	(void)c;
	if (!n || !s->value[n] || isdigit((unsigned char)*s->value) ||
	    strspn(s->value, "abcdefghijklmnopqrstuvwxyz_0123456789"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ") < n)
		return "must be NAME=VALUE, with letters, digits and _ in "
		    "NAME";
	return NULL;
}

const char *
set_word(struct conf *c, struct setting *s)
{
	if (!has_only(s->value, "_.-"))
		return "letters, digits and _ . - are allowed";
	*(const char **)at(c, s) = s->value;
	return NULL;
}

const char *
set_number(struct conf *c, struct setting *s)
{
	const struct key *k = &keys[s->id];

	if (parse_number(s->value, k->min, k->max, at(c, s)) < 0)
		return complain("must be a number from %" PRIu64
		    " to %" PRIu64, k->min, k->max);
	return NULL;
}

const char *
set_size(struct conf *c, struct setting *s)
{
	uint64_t *n = at(c, s);

	if (parse_size(s->value, n) < 0)
		return "must be bytes: digits, then K, M, G, T or nothing";
	if (*n < keys[s->id].min)
		return complain("must be at least %" PRIu64 " bytes",
		    keys[s->id].min);
	if (keys[s->id].max && *n > keys[s->id].max)
		return complain("must be at most %" PRIu64 " bytes",
		    keys[s->id].max);
	return NULL;
}

const char *
set_bool(struct conf *c, struct setting *s)
{
	uint64_t *yes = at(c, s);

	*yes = !strcmp(s->value, "yes");
	return *yes || !strcmp(s->value, "no") ? NULL : "must be yes or no";
}

const char *
set_cpus(struct conf *c, struct setting *s)
{
	char *copy = xprintf("%s", s->value), *rest = cut_at(copy, '.');
	char frac[8] = "000";
	uint64_t n = 0, m = 0;
	int bad = parse_number(copy, 0, 8192, &n) < 0;

	if (rest && (!*rest || strlen(rest) > 3))
		bad = 1;
	else if (rest)
		memcpy(frac, rest, strlen(rest));
	bad = bad || parse_number(frac, 0, 999, &m) < 0;
	free(copy);
	c->cpus = n * 1000 + m;
	if (bad || c->cpus < 10)
		return "must be processors, from 0.01 to 8192, such as 1.5";
	return NULL;
}

const char *
set_cpuset(struct conf *c, struct setting *s)
{
	char *copy = xprintf("%s", s->value), *rest, *part, *last;
	uint64_t a = 0, b = 0;
	int bad = 0;

	for (part = copy; part; part = rest) {
		rest = cut_at(part, ',');
		last = cut_at(part, '-');
		bad |= parse_number(part, 0, 8191, &a) < 0;
		bad |= last && (parse_number(last, 0, 8191, &b) < 0 || b < a);
	}
	free(copy);
	c->cpuset = s->value;
	return bad ? "must be a list of processors such as 0-2,5" : NULL;
}

const char *
set_cgroup(struct conf *c, struct setting *s)
{
	const char *dot = strchr(s->sub, '.');

	(void)c;
	if (!dot || dot == s->sub || !dot[1] || !has_only(s->sub, "._-") ||
	    strlen(s->sub) > 64)
		return "the key names no file of a controller, "
		    "such as cgroup.memory.high, and is not cgroup.view";
	if (!strncmp(s->sub, "cgroup.", 7) && strncmp(s->sub, "cgroup.max.",
	    11))
		return "of cgroup.cgroup.* only the max. files may be set";
	return NULL;
}

const char *
set_view(struct conf *c, struct setting *s)
{
	static const char *const names[] = { "auto", "v2", "v1", "none" };
	size_t i;

	for (i = 0; i < LEN(names); i++)
		if (!strcmp(s->value, names[i])) {
			c->view = i;
			return NULL;
		}
	return "must be auto, v2, v1 or none";
}

const char *
set_seccomp(struct conf *c, struct setting *s)
{
	c->seccomp = !strcmp(s->value, "default");
	return c->seccomp || !strcmp(s->value, "none") ? NULL :
	    "must be default or none";
}

static int
parse_limit(const char *text, uint64_t *n)
{
	if (!strcmp(text, "unlimited") || !strcmp(text, "infinity")) {
		*n = UINT64_MAX;
		return 0;
	}
	return parse_size(text, n);
}

const char *
set_rlimit(struct conf *c, struct setting *s)
{
	char *copy = xprintf("%s", s->value), *rest = cut_at(copy, ':');
	struct rlimit_key *r = &s->u.rlimit;
	int bad;

	(void)c;
	r->resource = conf_rlimit(s->sub);
	bad = parse_limit(copy, &r->soft) < 0;
	r->hard = r->soft;
	bad |= rest && parse_limit(rest, &r->hard) < 0;
	free(copy);
	if (r->resource < 0)
		return "no such limit: as, core, cpu, data, fsize, locks, "
		    "memlock, msgqueue, nice, nofile, nproc, rss, rtprio, "
		    "rttime, sigpending and stack are known";
	if (bad || r->soft > r->hard)
		return "must be SOFT or SOFT:HARD, numbers or unlimited, "
		    "SOFT not above HARD";
	return NULL;
}

const char *
set_sysctl(struct conf *c, struct setting *s)
{
	const char *p;
	size_t i, n;

	(void)c;
	if (!has_only(s->sub, "_.-/") || strstr(s->sub, "..") ||
	    strstr(s->sub, "/."))
		return "is no name of a sysctl";
	for (i = 0; i < LEN(config_sysctls); i++) {
		p = config_sysctls[i];
		n = strcspn(p, "*");
		if (!strncmp(s->sub, p, n) && (p[n] || !s->sub[n]))
			return NULL;
	}
	return "is not namespaced: setting it would change the host";
}

int
conf_signal(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {
		{ "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT },
		{ "KILL", SIGKILL }, { "USR1", SIGUSR1 }, { "USR2", SIGUSR2 },
		{ "TERM", SIGTERM }, { "CONT", SIGCONT }, { "STOP", SIGSTOP },
		{ "WINCH", SIGWINCH }, { "PWR", SIGPWR }, { "RTMIN", 34 },
	};
	uint64_t number, more = 0;
	size_t i, n;

	if (!parse_number(name, 1, 64, &number))
		return number;
	if (!strncmp(name, "SIG", 3))
		name += 3;
	n = strcspn(name, "+");
	for (i = 0; i < LEN(names); i++)
		if (strlen(names[i].name) == n &&
		    !strncmp(name, names[i].name, n) &&
		    (!name[n] || (names[i].number == 34 &&
		    !parse_number(name + n + 1, 1, 30, &more))))
			return names[i].number + more;
	return 0;
}

const char *
set_signal(struct conf *c, struct setting *s)
{
	uint64_t *sig = at(c, s);

	*sig = conf_signal(s->value);
	return *sig ? NULL : "must be a signal: a number from 1 to 64, or a "
	    "name such as TERM or RTMIN+4";
}
