/* The keys: what each takes, its default, and what -h and the documents say.
 *
 * A setter judges one value and puts it in its place, in struct conf or in the
 * setting itself.  It gives NULL, or what is wrong with the value, which the
 * reader in conf.c prints after FILE:LINE and KEY=VALUE.  It does not look at
 * the machine: whether a bridge or a folder is there is for the file that
 * uses it.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crun.h"
#include "config.h"

/* A setter's complaint with a number or a word in it. */
static const char *
complain(const char *fmt, ...)
{
	static char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return text;
}

/* ---- words and numbers ---- */

static int
parse_number(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;

	if (!*s)
		return -1;
	for (; *s; s++) {
		if (!isdigit((unsigned char)*s) ||
		    n > (UINT64_MAX - (*s - '0')) / 10)
			return -1;
		n = n * 10 + (*s - '0');
	}
	if (n < min || n > max)
		return -1;
	*out = n;
	return 0;
}

/* 512, 64K, 1G: with K M G T as powers of 1024 */
static int
parse_size(const char *s, uint64_t *out)
{
	static const char units[] = "KMGT";
	char digits[24];
	size_t len = strspn(s, "0123456789");
	const char *u;
	int shift = 0;

	if (!len || len >= sizeof(digits))
		return -1;
	memcpy(digits, s, len);
	digits[len] = '\0';
	if (s[len]) {
		u = strchr(units, toupper((unsigned char)s[len]));
		if (!u || s[len + 1])
			return -1;
		shift = 10 * (u - units + 1);
	}
	if (parse_number(digits, 0, INT64_MAX >> shift, out) < 0)
		return -1;
	*out <<= shift;
	return 0;
}

static int
only(const char *s, const char *more)
{
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr(more, *s))
			return 0;
	return 1;
}

/* Ends s at sep and gives what follows it; NULL where there is no sep. */
static char *
cut(char *s, char sep)
{
	char *end = strchr(s, sep);

	if (end)
		*end++ = '\0';
	return end;
}

static int
parse_ip(const char *text, struct ip *ip)
{
	char *copy = xprintf("%s", text), *rest = cut(copy, '/');
	uint64_t bits = 0;
	int ok;

	ip->prefix = -1;
	ip->family = strchr(copy, ':') ? AF_INET6 : AF_INET;
	ok = inet_pton(ip->family, copy, ip->addr) == 1;
	if (ok && rest) {
		ok = !parse_number(rest, 0, ip->family == AF_INET ? 32 : 128,
		    &bits);
		ip->prefix = bits;
	}
	free(copy);
	return ok ? 0 : -1;
}

/* ---- setters ---- */

static void *
at(struct conf *c, const struct setting *s)
{
	return (char *)c + keys[s->id].field;
}

static const char *
set_name(struct conf *c, struct setting *s)
{
	if (strlen(s->value) > NAME_LEN)
		return complain("longer than %d characters", NAME_LEN);
	if (!only(s->value, "_.-") || strchr(".-", *s->value))
		return "letters, digits and _ . - are allowed, "
		    "the first neither . nor -";
	*(const char **)at(c, s) = s->value;
	return NULL;
}

/* As mountinfo(5) has it: no slash twice, none at the end. */
static const char *
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

static const char *
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

static const char *
set_hostname(struct conf *c, struct setting *s)
{
	if (strlen(s->value) > 64 || !only(s->value, "-._") ||
	    strchr("-.", *s->value))
		return "at most 64 letters, digits, - . and _ are allowed";
	c->hostname = s->value;
	return NULL;
}

static const char *
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

static const char *
set_word(struct conf *c, struct setting *s)
{
	if (!only(s->value, "_.-"))
		return "letters, digits and _ . - are allowed";
	*(const char **)at(c, s) = s->value;
	return NULL;
}

static const char *
set_ifname(struct conf *c, struct setting *s)
{
	if (strlen(s->value) >= IFNAMSIZ || !only(s->value, "_.-") ||
	    !strcmp(s->value, ".") || !strcmp(s->value, "..") ||
	    !strcmp(s->value, "lo") || !strcmp(s->value, "all") ||
	    !strcmp(s->value, "default"))
		return complain("is no interface's name: at most %d letters, "
		    "digits, _ . -, and not lo, all or default",
		    IFNAMSIZ - 1);
	*(const char **)at(c, s) = s->value;
	return NULL;
}

static const char *
set_number(struct conf *c, struct setting *s)
{
	const struct key *k = &keys[s->id];

	if (parse_number(s->value, k->min, k->max, at(c, s)) < 0)
		return complain("must be a number from %" PRIu64
		    " to %" PRIu64, k->min, k->max);
	return NULL;
}

static const char *
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

static const char *
set_bool(struct conf *c, struct setting *s)
{
	uint64_t *yes = at(c, s);

	*yes = !strcmp(s->value, "yes");
	return *yes || !strcmp(s->value, "no") ? NULL : "must be yes or no";
}

/* 1, 0.5, 1.25: at most three digits after the point */
static const char *
set_cpus(struct conf *c, struct setting *s)
{
	char *copy = xprintf("%s", s->value), *rest = cut(copy, '.');
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

static const char *
set_cpuset(struct conf *c, struct setting *s)
{
	char *copy = xprintf("%s", s->value), *rest, *part, *last;
	uint64_t a = 0, b = 0;
	int bad = 0;

	for (part = copy; part; part = rest) {
		rest = cut(part, ',');
		last = cut(part, '-');
		bad |= parse_number(part, 0, 8191, &a) < 0;
		bad |= last && (parse_number(last, 0, 8191, &b) < 0 || b < a);
	}
	free(copy);
	c->cpuset = s->value;
	return bad ? "must be a list of processors such as 0-2,5" : NULL;
}

static const char *
set_userns(struct conf *c, struct setting *s)
{
	char *copy, *rest;
	uint64_t id = 0, count = RANGE;
	int bad;

	if (!strcmp(s->value, "auto") || !strcmp(s->value, "none")) {
		c->userns = *s->value == 'a' ? USERNS_AUTO : USERNS_NONE;
		return NULL;
	}
	copy = xprintf("%s", s->value);
	rest = cut(copy, ':');
	bad = parse_number(copy, 1, UINT32_MAX - 1, &id) < 0 ||
	    (rest && parse_number(rest, 1, UINT32_MAX - 1, &count) < 0) ||
	    id + count > UINT32_MAX;
	free(copy);
	c->userns = USERNS_RANGE;
	c->userns_first = id;
	c->userns_count = count;
	return bad ? "must be auto, none, HOSTID or HOSTID:COUNT, "
	    "with HOSTID from 1 up" : NULL;
}

static const char *
set_map(struct conf *c, struct setting *s)
{
	char *copy = xprintf("%s", s->value), *part, *rest = copy;
	uint64_t n[3] = { 0 };
	int i, bad = 0;

	for (i = 0; i < 3; i++) {
		part = rest;
		rest = part ? cut(part, ':') : NULL;
		bad |= !part || parse_number(part, i == 2, UINT32_MAX - 1,
		    &n[i]) < 0;
	}
	bad |= rest != NULL;
	free(copy);
	if (bad || n[0] + n[2] > UINT32_MAX || n[1] + n[2] > UINT32_MAX)
		return "must be INSIDE:OUTSIDE:COUNT, each 32 bits";
	if (!n[1])
		return "maps the host's root into the container, which is no "
		    "boundary then; userns=none says so openly";
	s->u.map = (struct idmap){ n[0], n[1], n[2] };
	c->userns = USERNS_MAPS;
	return NULL;
}

/* Not one of nobody's, of many, of oneself, or of the subnet as a whole. */
static int
is_of_host(const struct ip *ip)
{
	const unsigned char *a = ip->addr;
	uint32_t host, v4 = (uint32_t)a[0] << 24 | a[1] << 16 | a[2] << 8 |
	    a[3];
	int i;

	if (ip->family == AF_INET) {
		host = ip->prefix < 31 ? UINT32_MAX >> ip->prefix : 0;
		return a[0] && a[0] != 127 && a[0] < 224 &&
		    (!host || ((v4 & host) && (v4 & host) != host));
	}
	for (i = 0; i < 15 && !a[i]; i++)
		;
	return a[0] != 0xff && (i < 15 || a[15] > 1);
}

static const char *
set_ip(struct conf *c, struct setting *s)
{
	(void)c;
	if (parse_ip(s->value, &s->u.ip) < 0)
		return "is no IPv4 or IPv6 address";
	if (s->u.ip.prefix < 0)
		return complain("has no prefix length: write %s/%d", s->value,
		    s->u.ip.family == AF_INET ? 24 : 64);
	return is_of_host(&s->u.ip) ? NULL : "is no address that a host can "
	    "have in that subnet";
}

static const char *
set_address(struct conf *c, struct setting *s)
{
	(void)c;
	if (parse_ip(s->value, &s->u.ip) < 0 || s->u.ip.prefix >= 0)
		return "is no IPv4 or IPv6 address without a prefix";
	return NULL;
}

static const char *
set_mac(struct conf *c, struct setting *s)
{
	static const unsigned char none[6];
	const char *p = s->value;
	int i;

	for (i = 0; i < 6; i++, p += 3) {
		if (!isxdigit((unsigned char)p[0]) ||
		    !isxdigit((unsigned char)p[1]) ||
		    p[2] != (i < 5 ? ':' : '\0'))
			return "must be six bytes such as 02:00:00:00:00:01";
		c->mac[i] = strtoul(p, NULL, 16);
	}
	if (c->mac[0] & 1)
		return "is a multicast address: the first byte must be even";
	return memcmp(c->mac, none, 6) ? NULL : "is no address: not all of it "
	    "may be zero";
}

static const char *
set_cgroup(struct conf *c, struct setting *s)
{
	const char *dot = strchr(s->sub, '.');

	(void)c;
	if (!dot || dot == s->sub || !dot[1] || !only(s->sub, "._-") ||
	    strlen(s->sub) > 64)
		return "the key names no file of a controller, "
		    "such as cgroup.memory.high, and is not cgroup.view";
	if (!strncmp(s->sub, "cgroup.", 7) && strncmp(s->sub, "cgroup.max.",
	    11))
		return "of cgroup.cgroup.* only the max. files may be set";
	return NULL;
}

static const char *
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

/* A target in the rootfs: absolute, with no . or .. in it, so that what is
 * written is where it goes. */
static const char *
target_error(const char *path)
{
	const char *p = path;
	size_t n;

	if (*path != '/' || !path[1])
		return "the target must be an absolute path below /";
	while (*(p += strspn(p, "/"))) {
		n = strcspn(p, "/");
		if (p[0] == '.' && (n == 1 || (n == 2 && p[1] == '.')))
			return "the target must not contain . or ..";
		p += n;
	}
	return NULL;
}

/* Of what is mounted over these, crun's own would be gone. */
static const char *
mount_target_error(const char *path)
{
	static const char *const own[] = { "proc", "sys", "dev" };
	const char *bad = target_error(path), *name = path + strspn(path, "/");
	size_t n = strcspn(name, "/"), i;

	if (bad || name[n + strspn(name + n, "/")])
		return bad;
	for (i = 0; i < LEN(own); i++)
		if (strlen(own[i]) == n && !strncmp(name, own[i], n))
			return "is what crun mounts itself; a target may lie "
			    "below it";
	return NULL;
}

static const char *
bind_option(struct bind *b, const char *word)
{
	static const struct {
		const char *name;
		uint64_t attr;
	} attrs[] = {
		{ "ro", MOUNT_ATTR_RDONLY }, { "nosuid", MOUNT_ATTR_NOSUID },
		{ "nodev", MOUNT_ATTR_NODEV }, { "noexec", MOUNT_ATTR_NOEXEC },
	};
	size_t i;

	for (i = 0; i < LEN(attrs); i++)
		if (!strcmp(word, attrs[i].name)) {
			b->attr |= attrs[i].attr;
			return NULL;
		}
	if (!strcmp(word, "rec"))
		b->rec = 1;
	else if (!strcmp(word, "optional"))
		b->optional = 1;
	else if (!strcmp(word, "idmap"))
		b->idmap = 1;
	else if (!strcmp(word, "follow"))
		b->follow = 1;
	else
		return complain("unknown option %s: ro, nosuid, nodev, "
		    "noexec, rec, optional, idmap and follow are known", word);
	return NULL;
}

static const char *
set_bind(struct conf *c, struct setting *s)
{
	char *copy = xprintf("%s", s->value), *word, *rest;
	char *target = cut(copy, ':');
	struct bind *b = &s->u.bind;
	const char *bad;

	(void)c;
	if (!target)
		return "must be SOURCE:TARGET[:OPTION,...]";
	b->source = copy;
	b->target = target;
	word = cut(target, ':');
	bad = mount_target_error(target);
	for (; word && !bad; word = rest) {
		rest = cut(word, ',');
		bad = bind_option(b, word);
	}
	return bad;
}

static const char *
tmpfs_option(struct tmpfs *t, const char *word)
{
	uint64_t size;
	long mode;
	char *end;

	if (!strncmp(word, "size=", 5) && !parse_size(word + 5, &size) &&
	    size) {
		put(t->size, sizeof(t->size), "%" PRIu64, size);
		return NULL;
	}
	if (!strncmp(word, "mode=", 5)) {
		mode = strtol(word + 5, &end, 8);
		if (end != word + 5 && !*end && mode >= 0 && mode <= 07777) {
			put(t->mode, sizeof(t->mode), "%lo", mode);
			return NULL;
		}
	}
	return complain("bad option %s: size=BYTES and mode=OCTAL are known",
	    word);
}

static const char *
set_tmpfs(struct conf *c, struct setting *s)
{
	char *copy = xprintf("%s", s->value), *word = cut(copy, ':'), *rest;
	const char *bad = mount_target_error(copy);
	struct tmpfs *t = &s->u.tmpfs;

	(void)c;
	t->target = copy;
	strcpy(t->mode, "1777");
	for (; word && !bad; word = rest) {
		rest = cut(word, ',');
		bad = tmpfs_option(t, word);
	}
	return bad;
}

static const char *
set_caps(struct conf *c, struct setting *s)
{
	char *copy = xprintf("%s", s->value), *rest = copy, *word;
	const char *bad = NULL;
	int cap;

	while (!bad && (word = next_part(&rest, " \t,"))) {
		cap = sec_cap(word + 1, strlen(word + 1));
		if (!strchr("+-", *word) || cap < 0)
			bad = complain("%s: must be + or - and the name of a "
			    "capability, such as -net_raw", word);
		else if (*word == '+')
			c->caps |= (uint64_t)1 << cap;
		else
			c->caps &= ~((uint64_t)1 << cap);
	}
	free(copy);
	return bad;
}

static const char *
set_seccomp(struct conf *c, struct setting *s)
{
	c->seccomp = !strcmp(s->value, "default");
	return c->seccomp || !strcmp(s->value, "none") ? NULL :
	    "must be default or none";
}

/* Names in /dev that are no nodes of devices, or other ones in a container. */
static int
is_own(const char *name)
{
	static const char own[] = "console fd mqueue ptmx pts shm stderr "
	    "stdin stdout";
	char first[NAME_LEN + 1];
	size_t n = strcspn(name, "/");

	if (n > NAME_LEN)
		return 0;
	memcpy(first, name, n);
	first[n] = '\0';
	return has_word(own, first);
}

static const char *
device_option(struct device *d, const char *word)
{
	if (!strcmp(word, "follow")) {
		d->follow = 1;
		return NULL;
	}
	if (!*word)
		return "has no access: one or more of r, w and m";
	for (; *word; word++) {
		if (!strchr("rwm", *word))
			return complain("%c: access is one or more of r (read), "
			    "w (write) and m (mknod)", *word);
		d->access |= *word == 'r' ? DEVICE_READ : *word == 'w' ?
		    DEVICE_WRITE : DEVICE_MKNOD;
	}
	return NULL;
}

static const char *
set_device(struct conf *c, struct setting *s)
{
	char *copy = xprintf("%s", s->value), *word = cut(copy, ':'), *rest;
	struct device *d = &s->u.device;
	const char *bad = NULL;

	(void)c;
	if (!strcmp(s->value, "all"))
		return NULL;
	if (strncmp(copy, "/dev/", 5) || !copy[5] || target_error(copy))
		return "must be /dev/NAME, /dev/NAME:rwm with one or more of "
		    "r, w and m, and perhaps ,follow, or all";
	if (is_own(copy + 5))
		return "is one that every container has of its own";
	d->node = copy;
	for (; word && !bad; word = rest) {
		rest = cut(word, ',');
		bad = device_option(d, word);
	}
	if (!d->access)
		d->access = DEVICE_READ | DEVICE_WRITE | DEVICE_MKNOD;
	return bad;
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

static const char *
set_rlimit(struct conf *c, struct setting *s)
{
	char *copy = xprintf("%s", s->value), *rest = cut(copy, ':');
	struct rlimit_key *r = &s->u.rlimit;
	int bad;

	(void)c;
	r->resource = sec_rlimit(s->sub);
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

static const char *
set_sysctl(struct conf *c, struct setting *s)
{
	const char *p;
	size_t i, n;

	(void)c;
	if (!only(s->sub, "_.-/") || strstr(s->sub, "..") ||
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

static const char *
set_signal(struct conf *c, struct setting *s)
{
	uint64_t *sig = at(c, s);

	*sig = conf_signal(s->value);
	return *sig ? NULL : "must be a signal: a number from 1 to 64, or a "
	    "name such as TERM or RTMIN+4";
}

/* ---- the table ---- */

#define F(f) offsetof(struct conf, f)
const struct key keys[NKEYS] = {
[KEY_NAME] = { "name", "NAME", NULL, set_name, F(name), 0, 0, 0,
    "the container's name; without it, FILE's name without .conf" },
[KEY_ROOTFS] = { "rootfs", "FOLDER", NULL, set_path, F(rootfs), 0, 0, PATH,
    "the folder to boot; always needed" },
[KEY_ROOTFS_FOLLOW] = { "rootfs.follow", "yes|no", "no", set_bool,
    F(rootfs_follow), 0, 0, 0,
    "follow symbolic links in rootfs; whoever can change one, root of a "
    "container whose bind it lies in too, chooses which folder is booted" },
[KEY_INIT] = { "init", "PROGRAM [ARG ...]", NULL, set_init, 0, 0, 0, 0,
    "the init; without it, the first there is of /sbin/init, "
    "/usr/lib/systemd/systemd, /etc/init, /bin/init, /bin/sh" },
[KEY_HOSTNAME] = { "hostname", "NAME", NULL, set_hostname, 0, 0, 0, 0,
    "the host name, also written to /etc/hostname; without it, the "
    "container's name, and /etc/hostname is left alone" },
[KEY_ENV] = { "env", "NAME=VALUE", NULL, set_env, 0, 0, 0, ADDS,
    "in the init's environment" },
[KEY_CONTAINER] = { "container", "WORD", DEF_CONTAINER, set_word,
    F(container), 0, 0, 0,
    "the value of $container, by which an init knows that it is in one" },
[KEY_USERNS] = { "userns", "auto|none|HOSTID[:COUNT]", "auto", set_userns,
    0, 0, 0, 0,
    "ids: a free range of 65536, none (root inside is root outside), or "
    "this range" },
[KEY_UIDMAP] = { "uidmap", "INSIDE:OUTSIDE:COUNT", NULL, set_map, 0, 0, 0,
    ADDS, "a map of user ids, OUTSIDE from 1 up, instead of userns; needs "
    "gidmap" },
[KEY_GIDMAP] = { "gidmap", "INSIDE:OUTSIDE:COUNT", NULL, set_map, 0, 0, 0,
    ADDS, "a map of group ids, OUTSIDE from 1 up, instead of userns; needs "
    "uidmap" },
[KEY_BRIDGE] = { "bridge", "LINK", NULL, set_ifname, F(bridge), 0, 0, 0,
    "the host's bridge to hang on; without it, loopback only" },
[KEY_IP] = { "ip", "ADDRESS/PREFIX", NULL, set_ip, 0, 0, 0, ADDS,
    "an IPv4 or IPv6 address" },
[KEY_GATEWAY] = { "gateway", "ADDRESS", NULL, set_address, 0, 0, 0, ADDS,
    "a default route, inside one of the ip subnets" },
[KEY_DNS] = { "dns", "ADDRESS", NULL, set_address, 0, 0, 0, ADDS,
    "a name server, written to /etc/resolv.conf" },
[KEY_IFNAME] = { "ifname", "LINK", DEF_IFNAME, set_ifname, F(ifname), 0, 0, 0,
    "the interface's name inside" },
[KEY_MAC] = { "mac", "XX:XX:XX:XX:XX:XX", NULL, set_mac, 0, 0, 0, 0,
    "its hardware address; without it, one made from the name" },
[KEY_MTU] = { "mtu", "BYTES", NULL, set_number, F(mtu), 68, 65535, 0,
    "its largest packet; without it, the bridge's" },
[KEY_MEMORY] = { "memory", "SIZE", NULL, set_size, F(memory), 1 << 20, 0, LIVE,
    "limit of memory, page cache included" },
[KEY_SWAP] = { "swap", "SIZE", NULL, set_size, F(swap), 0, 0, LIVE,
    "limit of swap space" },
[KEY_CPUS] = { "cpus", "NUMBER", NULL, set_cpus, 0, 0, 0, LIVE,
    "limit of processor time, in processors, such as 1.5" },
[KEY_CPU_WEIGHT] = { "cpu.weight", "NUMBER", NULL, set_number,
    F(cpu_weight), 1, 10000, LIVE,
    "share of contended processors; 100 is usual" },
[KEY_CPUSET] = { "cpuset", "LIST", NULL, set_cpuset, 0, 0, 0, LIVE,
    "the processors it may run on, such as 0-2,5" },
[KEY_PIDS] = { "pids", "NUMBER", NULL, set_number, F(pids), 1, 4194304, LIVE,
    "limit of processes and threads" },
[KEY_IO_WEIGHT] = { "io.weight", "NUMBER", NULL, set_number, F(io_weight), 1,
    10000, LIVE, "share of contended disks; 100 is usual" },
[KEY_CGROUP] = { "cgroup.", "VALUE", NULL, set_cgroup, 0, 0, 0,
    ADDS | FAMILY | LIVE,
    "written as it is to that cgroup v2 file, such as "
    "cgroup.memory.high=400M" },
[KEY_CGROUP_VIEW] = { "cgroup.view", "auto|v2|v1|none", "auto", set_view, 0,
    0, 0, 0, "what is mounted on /sys/fs/cgroup inside; auto: v1 for a "
    "systemd older than 233, else v2" },
[KEY_BIND] = { "bind", "SOURCE:TARGET[:OPTION,...]", NULL, set_bind, 0, 0, 0,
    ADDS | PATH, "show SOURCE of the host at TARGET; options: ro nosuid nodev "
    "noexec rec optional idmap follow; follow: symbolic links in SOURCE are "
    "followed; whoever can change one, root of a container whose bind it lies "
    "in too, chooses what of the host is shown" },
[KEY_TMPFS] = { "tmpfs", "TARGET[:size=SIZE,mode=OCTAL]", NULL, set_tmpfs, 0,
    0, 0, ADDS, "an empty file system in memory" },
[KEY_READONLY] = { "readonly", "yes|no", "no", set_bool, F(readonly), 0, 0, 0,
    "mount the rootfs read-only" },
[KEY_CAPS] = { "caps", "+CAP|-CAP ...", NULL, set_caps, 0, 0, 0, 0,
    "capabilities more or less than config.h's set, such as "
    "+net_raw -mknod" },
[KEY_SECCOMP] = { "seccomp", "default|none", "default", set_seccomp, 0, 0, 0,
    0, "refuse the system calls of config.h's table, or none" },
[KEY_DEVICE] = { "device", "/dev/NAME[:rwm,follow]|all", NULL, set_device, 0,
    0, 0, ADDS, "show that device of the host, for reading, writing, mknod; "
    "follow: symbolic links, as those of udev, are followed; all: no wall "
    "around devices" },
[KEY_NESTING] = { "nesting", "yes|no", "no", set_bool, F(nesting), 0, 0, 0,
    "leave out the masks over /proc and /sys, so that containers run "
    "inside" },
[KEY_RLIMIT] = { "rlimit.", "SOFT[:HARD]", NULL, set_rlimit, 0, 0, 0,
    ADDS | FAMILY, "a limit of setrlimit(2), such as rlimit.nofile=1024:4096"
    },
[KEY_SYSCTL] = { "sysctl.", "VALUE", NULL, set_sysctl, 0, 0, 0, ADDS | FAMILY,
    "a namespaced sysctl, such as sysctl.net.ipv4.ip_forward=1" },
[KEY_STOP_SIGNAL] = { "stop.signal", "SIGNAL", NULL, set_signal,
    F(stop_signal), 0, 0, 0,
    "asks the init to power off; without it, what this init understands" },
[KEY_REBOOT_SIGNAL] = { "reboot.signal", "SIGNAL", NULL, set_signal,
    F(reboot_signal), 0, 0, 0,
    "asks the init to reboot; without it, what this init understands" },
[KEY_STOP_TIMEOUT] = { "stop.timeout", "SECONDS", DEF_STOP_TIMEOUT,
    set_number, F(stop_timeout), 1, 86400, 0,
    "how long a power-off may take before everything is killed" },
[KEY_CONSOLE_LOG] = { "console.log", "SIZE", DEF_CONSOLE_LOG, set_size,
    F(console_log), 16 << 10, 1 << 30, 0,
    "how much is kept, at most, of what the console printed" },
};
