/* The configuration: a flat file of key=value lines and the words after it on
 * the command line.
 *
 * The table in keys.c drives everything: parsing, defaults, what -n prints
 * and what -h and the documents say.  A value is kept twice: as the text it
 * was (struct setting, in the order given, with its FILE:LINE for later
 * errors) and as its setter parsed it.
 *
 * Setters judge one value; check() judges what depends on two.  All errors
 * are printed before the exit, none twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crun.h"
#include "config.h"

static struct {
	int line;		/* 0: of none */
	char *text;
} *errors;
static size_t nerrors;
static const char too_long[] = "a line of more than %d bytes";
static int faulty[NKEYS];	/* keys that an error names: said once */

/* Keeps an error line; all are printed in the order of the file.  where is
 * "FILE:LINE: " or another beginning, which sorts last. */
static void
error(const char *where, const char *fmt, ...)
{
	const char *number = strchr(where, ':');
	char text[1024];
	va_list ap;
	size_t i;
	int line;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	line = number ? strtol(number + 1, NULL, 10) : 0;
	errors = xrealloc(errors, nerrors + 1, sizeof(*errors));
	for (i = nerrors++; i && line && (!errors[i - 1].line ||
	    errors[i - 1].line > line); i--)
		errors[i] = errors[i - 1];
	errors[i].line = line;
	errors[i].text = xprintf("%s%s", where, text);
}

static void
print_errors(void)
{
	size_t i;

	for (i = 0; i < nerrors; i++)
		say(errors[i].text);
	if (nerrors)
		exit(EXIT_USAGE);
}

/* ---- from text to settings ---- */

/* The key of that name.  An exact name wins over a family, so cgroup.view is
 * no file of a controller. */
static int
find_key(const char *name)
{
	int i;

	for (i = 0; i < NKEYS; i++)
		if (!(keys[i].flags & FAMILY) && !strcmp(keys[i].name, name))
			return i;
	for (i = 0; i < NKEYS; i++)
		if (keys[i].flags & FAMILY && !strncmp(keys[i].name, name,
		    strlen(keys[i].name)) && name[strlen(keys[i].name)])
			return i;
	return -1;
}

int
conf_key(const char *word, const char **sub)
{
	char *name = xprintf("%.*s", (int)strcspn(word, "="), word);
	int id = find_key(name);

	free(name);
	*sub = id < 0 ? word : word + strlen(keys[id].name);
	return id;
}

static const struct setting *
same_setting(const struct conf *c, int id, const char *sub)
{
	for (each(c, s, id))
		if (!strcmp(s->sub, sub))
			return s;
	return NULL;
}

/* The command line replaces what the file said of that key. */
static void
override(struct conf *c, int id, const char *sub)
{
	size_t i;

	for (i = 0; i < c->nset; i++)
		if ((int)c->set[i].id == id && c->set[i].line &&
		    !strcmp(c->set[i].sub, sub))
			c->set[i].quiet = 1;
}

static char *
working_folder(void)
{
	char buf[PATH_MAX];

	if (!getcwd(buf, sizeof(buf)))
		fail(EXIT_USAGE, "the working folder:");
	return xprintf("%s", strcmp(buf, "/") ? buf : "");
}

/* The folder of FILE may be reached by links; what FILE names may not. */
static char *
without_links(const char *dir)
{
	char buf[PATH_MAX];

	if (!realpath(*dir ? dir : "/", buf))
		fail(EXIT_USAGE, "the folder %s:", dir);
	return xprintf("%s", strcmp(buf, "/") ? buf : "");
}

static void
add_setting(struct conf *c, int id, const char *name, const char *value,
    char *where, int line, const char *dir)
{
	const char *sub = name + strlen(keys[id].name);
	const struct setting *old;
	struct setting *s;

	if (!line)
		override(c, id, sub);
	old = same_setting(c, id, sub);
	if (old && (!(keys[id].flags & ADDS) || keys[id].flags & FAMILY)) {
		if (old->line)
			error(where, "%s is set twice, first on line %d", name,
			    old->line);
		else
			error(where, "%s is set twice", name);
		return;
	}
	if (!*value) {
		if (line) {
			error(where, "%s has no value; leave the line out",
			    name);
			faulty[id] = 1;
		}
		return;
	}
	if (keys[id].flags & PATH && *value != '/')
		value = xprintf("%s/%s", dir ? without_links(dir) :
		    working_folder(), value);
	if (strlen(name) + 1 + strlen(value) > CONF_LINE) {
		error(where, too_long, CONF_LINE);
		return;
	}
	c->set = xrealloc(c->set, c->nset + 1, sizeof(*c->set));
	s = &c->set[c->nset++];
	*s = (struct setting){ .id = id, .sub = sub, .value = value,
	    .where = where, .line = line };
}

static char *
trim(char *s)
{
	char *end;

	s += strspn(s, " \t");
	end = s + strlen(s);
	while (end > s && strchr(" \t", end[-1]))
		end--;
	*end = '\0';
	return s;
}

/* What begins with it, or else is near; of a family, up to the dot. */
static void
unknown_key(const char *name, const char *where)
{
	size_t len = strlen(name), head = strcspn(name, ".") + 1;
	struct near near = { .word = name }, family = { .word = name };
	const char *begins = NULL;
	int i;

	if (len >= head)
		family.word = xprintf("%.*s", (int)head, name);
	for (i = 0; i < NKEYS; i++) {
		near_try(&near, keys[i].name);
		if (keys[i].flags & FAMILY)
			near_try(&family, keys[i].name);
		if (len > 1 && !begins && !strncmp(keys[i].name, name, len))
			begins = keys[i].name;
	}
	for (i = 0; name[i] && !(name[i] & 0x80); i++)
		;
	if (name[i])
		error(where, "unknown key %.64s, which has a character that "
		    "no key has", name);
	else if (begins && !strcmp(begins, name))
		error(where, "%s needs a name after its dot", name);
	else if (begins || *near.best)
		error(where, "unknown key %.64s; did you mean %s?", name,
		    begins ? begins : near.best);
	else if (*family.best && len > head)
		error(where, "unknown key %.64s; did you mean %s%s?", name,
		    family.best, name + head);
	else
		error(where, "unknown key %.64s; crun -h lists the keys", name);
}

/* One KEY=VALUE; text stays, the settings point into it. */
static void
parse_setting(struct conf *c, char *text, char *where, int line,
    const char *dir)
{
	char *eq = strchr(text, '='), *name = trim(text);
	int id;

	if (!eq) {
		error(where, "no = in \"%.40s\": every line is key=value",
		    name);
		return;
	}
	*eq = '\0';
	name = trim(text);
	id = find_key(name);
	if (id >= 0) {
		add_setting(c, id, name, trim(eq + 1), where, line, dir);
		return;
	}
	unknown_key(name, where);
}

static int
has_control(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;

	for (; len; s++, len--)
		if ((*s < ' ' && *s != '\t') || *s == 0x7f ||
		    (*s == 0xc2 && len > 1 && s[1] >= 0x80 && s[1] < 0xa0))
			return 1;
	return 0;
}

static void
parse_text(struct conf *c, char *text, size_t size, const char *dir)
{
	static const char mark[] = "\xef\xbb\xbf";	/* of some editors */
	char *p = text, *end = text + size, *nl, *where;
	int line, bad;
	size_t len;

	if (size >= strlen(mark) && !memcmp(text, mark, strlen(mark)))
		p += strlen(mark);

	for (line = 1; p < end; line++, p = nl + 1) {
		nl = memchr(p, '\n', end - p);
		if (!nl)
			nl = end;
		len = nl - p;
		if (len && p[len - 1] == '\r')
			len--;
		p[len] = '\0';
		bad = len > CONF_LINE || has_control(p, len);
		p += strspn(p, " \t");
		if (!bad && (!*p || *p == '#'))
			continue;
		where = xprintf("%s:%d: ", c->file, line);
		if (len > CONF_LINE)
			error(where, too_long, CONF_LINE);
		else if (bad)
			error(where, "a NUL or control character");
		else
			parse_setting(c, p, where, line, dir);
	}
}

/* ---- finding and reading the file ---- */

/* Opens file as crun(1) says; gives the path that was opened in *path. */
static int
open_file(const char *file, char **path)
{
	static const char *const forms[] = { "%s", CONFDIR "/%s",
	    CONFDIR "/%s.conf" };
	char buf[PATH_MAX];
	size_t i, tries = strchr(file, '/') ? 1 : LEN(forms);
	struct stat st;
	int fd = -1;

	errno = ENOENT;
	for (i = 0; fd < 0 && errno == ENOENT && i < tries; i++) {
		put(buf, sizeof(buf), forms[i], file);
		fd = open(buf, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		/* the folder web beside /etc/crun/web.conf is not meant */
		if (tries > 1 && fd >= 0 && !fstat(fd, &st) &&
		    S_ISDIR(st.st_mode)) {
			shut(&fd);
			errno = ENOENT;
		}
	}
	*path = xprintf("%s", buf);
	if (fd < 0 && errno == ENOENT && tries > 1)
		fail(EXIT_USAGE, "%s: no such file here, nor "
		    CONFDIR "/%s or " CONFDIR "/%s.conf", file, file, file);
	if (fd < 0)
		fail(EXIT_USAGE, "%s:", file);
	return fd;
}

/* Somebody else than root and the caller must not have written it. */
static void
check_file(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		fail(EXIT_USAGE, "%s:", path);
	if (!S_ISREG(st.st_mode))
		fail(EXIT_USAGE, "%s: not a regular file", path);
	if (st.st_uid && st.st_uid != getuid())
		fail(EXIT_USAGE, "%s: belongs to user %u, who could change "
		    "what runs as you; chown it", path, (unsigned)st.st_uid);
	if (st.st_mode & 022)
		fail(EXIT_USAGE, "%s: others can write it; chmod go-w %s",
		    path, path);
	if (st.st_size > CONF_SIZE)
		fail(EXIT_USAGE, "%s: larger than %d bytes", path, CONF_SIZE);
}

static char *
read_all(int fd, const char *path, size_t *size)
{
	size_t got = 0, room = 4096;
	char *text = xrealloc(NULL, room, 1);
	ssize_t n;

	while ((n = read(fd, text + got, room - 1 - got)) > 0) {
		got += n;
		if (got > CONF_SIZE)
			fail(EXIT_USAGE, "%s: larger than %d bytes", path,
			    CONF_SIZE);
		if (room - got < 2048)
			text = xrealloc(text, room *= 2, 1);
	}
	if (n < 0)
		fail(EXIT_USAGE, "%s:", path);
	text[got] = '\0';
	*size = got;
	return text;
}

/* The folder that a file's relative paths start from: its own, absolute. */
static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir;

	if (*path == '/')
		return xprintf("%.*s", (int)(slash - path), path);
	if (!slash)
		return working_folder();
	dir = working_folder();
	return xprintf("%s/%.*s", dir, (int)(slash - path), path);
}

static void
default_name(struct conf *c)
{
	const char *slash = strrchr(c->file, '/');
	const char *base = slash ? slash + 1 : c->file;
	size_t len = strlen(base);
	struct setting s = { .id = KEY_NAME };
	const char *bad;

	if (!strcmp(c->file, "-")) {
		error("standard input: ", "name is not set");
		return;
	}
	if (len > 5 && !strcmp(base + len - 5, ".conf"))
		len -= 5;
	s.value = xprintf("%.*s", (int)len, base);
	bad = keys[KEY_NAME].set(c, &s);
	if (bad)
		error(c->file, ": no name of a container (%s); set name", bad);
}

/* ---- what depends on two keys ---- */

static int
same_subnet(const struct ip *a, const struct ip *b)
{
	int bits = b->prefix, i;

	if (a->family != b->family)
		return 0;
	for (i = 0; i < bits; i++)
		if ((a->addr[i / 8] ^ b->addr[i / 8]) & 0x80 >> i % 8)
			return 0;
	return 1;
}

static int
same_address(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && !memcmp(a->addr, b->addr,
	    a->family == AF_INET ? 4 : 16);
}

static void
check_addresses(const struct conf *c)
{
	enum { SMALLEST = 1280 };	/* RFC 8200, section 5 */

	for (each(c, a, KEY_IP)) {
		for (each(c, b, KEY_IP))
			if (b > a && same_address(&a->u.ip, &b->u.ip))
				error(b->where, "ip %s is set twice", b->value);
		if (a->u.ip.family == AF_INET6 && c->mtu && c->mtu < SMALLEST)
			error(conf_where(c, KEY_MTU), "mtu must be %d at least "
			    "for the IPv6 address %s", SMALLEST, a->value);
	}
}

static void
check_network(const struct conf *c)
{
	static const enum key_id needs_bridge[] = { KEY_IP, KEY_GATEWAY,
	    KEY_MAC, KEY_MTU, KEY_IFNAME };
	size_t i;

	if (faulty[KEY_BRIDGE] || faulty[KEY_IP] || faulty[KEY_GATEWAY])
		return;
	for (i = 0; i < LEN(needs_bridge) && !c->bridge; i++)
		for (each(c, s, needs_bridge[i]))
			error(s->where, "%s needs a bridge",
			    keys[s->id].name);
	check_addresses(c);
	for (each(c, g, KEY_GATEWAY)) {
		int in = 0, family = 0;

		for (each(c, s, KEY_IP)) {
			if (same_address(&g->u.ip, &s->u.ip))
				error(g->where, "gateway %s is the container's "
				    "own ip", g->value);
			in |= same_subnet(&g->u.ip, &s->u.ip);
			family |= s->u.ip.family == g->u.ip.family;
		}
		if (!in && c->bridge)
			error(g->where, family ? "gateway %s is in the subnet "
			    "of no ip" : "gateway %s needs an ip of its kind",
			    g->value);
	}
}

static void
check_map(const struct conf *c, enum key_id id)
{
	int root = 0;

	for (each(c, a, id)) {
		root |= a->u.map.inside == 0;
		for (each(c, b, id)) {
			const struct idmap *x = &a->u.map, *y = &b->u.map;

			if (b > a && ((x->inside < y->inside + y->count &&
			    y->inside < x->inside + x->count) ||
			    (x->outside < y->outside + y->count &&
			    y->outside < x->outside + x->count)))
				error(b->where, "%s %s overlaps %s",
				    keys[id].name, b->value, a->value);
		}
	}
	if (!root)
		error(conf_where(c, KEY_UIDMAP), "no %s maps the container's "
		    "root (0)", keys[id].name);
}

static void
check_ids(const struct conf *c)
{
	const struct setting *u = conf_next(c, KEY_UIDMAP, NULL);
	const struct setting *g = conf_next(c, KEY_GIDMAP, NULL);
	const struct setting *s = conf_next(c, KEY_USERNS, NULL);

	if ((!u && !g) || faulty[KEY_UIDMAP] || faulty[KEY_GIDMAP])
		return;
	if (!u || !g)
		error((u ? u : g)->where, "uidmap and gidmap go together: %s "
		    "is missing", u ? "gidmap" : "uidmap");
	else if (s)
		error(s->where, "userns cannot be set beside uidmap and "
		    "gidmap");
	else {
		check_map(c, KEY_UIDMAP);
		check_map(c, KEY_GIDMAP);
	}
}

static void
check(const struct conf *c)
{
	if (!c->rootfs && !faulty[KEY_ROOTFS])
		error(strcmp(c->file, "-") ? c->file : "standard input",
		    ": rootfs is not set: the folder to boot");
	if (c->init && c->program)
		error(conf_where(c, KEY_INIT), "init cannot be set beside -- "
		    "PROGRAM");
	check_network(c);
	check_ids(c);
}

/* ---- loading ---- */

static void
default_mac(struct conf *c)
{
	uint64_t h = hash(c->name);
	int i;

	for (i = 0; i < 6; i++)
		c->mac[i] = h >> 8 * i;
	c->mac[0] = (c->mac[0] & ~1) | 2;	/* unicast, made locally */
}

/* Applies defaults, then every setting that the command line left. */
static void
apply(struct conf *c)
{
	const char *bad;
	size_t i;
	int cap;

	for (i = 0; i < NKEYS; i++) {
		struct setting s = { .id = i, .sub = "",
		    .value = keys[i].def };

		if (s.value)
			keys[i].set(c, &s);
	}
	for (i = 0; i < LEN(config_caps); i++) {
		cap = sec_cap(config_caps[i], strlen(config_caps[i]));
		c->caps |= (uint64_t)1 << cap;
	}
	for (i = 0; i < c->nset; i++) {
		struct setting *s = &c->set[i];

		if (s->quiet)
			continue;
		bad = keys[s->id].set(c, s);
		if (bad) {
			error(s->where, "%s%s=%s: %s", keys[s->id].name,
			    s->sub, s->value, bad);
			faulty[s->id] = 1;
		}
	}
}

/* From the open file to a checked configuration. */
static void
load(struct conf *c, int fd, const char *file, char **over, int nover)
{
	size_t size;
	char *text, *dir;
	int i;

	*c = (struct conf){ .file = file, .memory = UINT64_MAX,
	    .swap = UINT64_MAX, .program = c->program };
	text = read_all(fd, c->file, &size);
	c->input = strcmp(file, "-") ? NULL : xprintf("%s", text);
	dir = folder_of(c->file);
	parse_text(c, text, size, dir);
	for (i = 0; i < nover; i++) {
		if (has_control(over[i], strlen(over[i])))
			error("command line: ", "a control character");
		else
			parse_setting(c, xprintf("%s", over[i]),
			    xprintf("command line: "), 0, NULL);
	}
	free(dir);
	apply(c);
	if (!conf_next(c, KEY_NAME, NULL))
		default_name(c);
	if (!conf_next(c, KEY_MAC, NULL) && c->name)
		default_mac(c);
	if (!c->hostname)
		c->hostname = c->name;
	check(c);
	print_errors();
}

void
conf_load(struct conf *c, const char *file, char **over, int nover,
    char **program)
{
	char *path = (char *)file;
	int fd = -1;

	if (strcmp(file, "-")) {
		fd = open_file(file, &path);
		check_file(fd, path);
	}
	c->program = program;
	load(c, fd < 0 ? self_input() : fd, path, over, nover);
	shut(&fd);
}

int
conf_saved(struct conf *c, int dir, const char *name, char **over, int nover)
{
	int fd = openat(dir, "conf", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -1;
	load(c, fd, xprintf(STATEDIR "/%s/conf", name), over, nover);
	close(fd);
	return 0;
}

const struct setting *
conf_next(const struct conf *c, enum key_id id, const struct setting *s)
{
	const struct setting *end = c->set + c->nset;

	for (s = s ? s + 1 : c->set; s && s < end; s++)
		if (s->id == id && !s->quiet)
			return s;
	return NULL;
}

const char *
conf_where(const struct conf *c, enum key_id id)
{
	const struct setting *s = conf_next(c, id, NULL);

	return s ? s->where : "";
}

const char *
conf_text(const struct setting *s)
{
	static char text[512];

	snprintf(text, sizeof(text), "%s%s=%s", keys[s->id].name, s->sub,
	    s->value);
	return text;
}

/* ---- printing ---- */

static void
print_default(const struct conf *c, const struct key *k, FILE *f)
{
	const uint8_t *m = c->mac;

	switch (k - keys) {
	case KEY_NAME:
		fprintf(f, "name=%s\n", c->name);
		break;
	case KEY_HOSTNAME:
		/* said, it would be written to /etc/hostname */
		fprintf(f, "#hostname=%s\n", c->hostname);
		break;
	case KEY_MAC:
		fprintf(f, "%smac=%02x:%02x:%02x:%02x:%02x:%02x\n",
		    c->bridge ? "" : "#", m[0], m[1], m[2], m[3], m[4], m[5]);
		break;
	case KEY_IFNAME:
		fprintf(f, "%sifname=%s\n", c->bridge ? "" : "#", c->ifname);
		break;
	case KEY_USERNS:
		fprintf(f, "%suserns=%s\n", c->userns == USERNS_MAPS ? "#" : "",
		    k->def);
		break;
	default:
		if (k->def)
			fprintf(f, "%s=%s\n", k->name, k->def);
		else
			fprintf(f, "#%s=\n", k->name);
	}
}

void
conf_print(const struct conf *c, FILE *f)
{
	int i, any;

	for (i = 0; i < NKEYS; i++) {
		any = 0;
		for (each(c, s, i)) {
			fprintf(f, "%s%s=%s\n", keys[i].name, s->sub, s->value);
			any = 1;
		}
		if (!any)
			print_default(c, &keys[i], f);
	}
}

/* The form that test/doc turns into the README's and the manual's tables:
 * NAME=ARG, the default in brackets, a * where it may stand many times. */
void
conf_help(void)
{
	int i;

	for (i = 0; i < NKEYS; i++)
		printf("  %s%s=%s%s%s%s%s\n        %s\n", keys[i].name,
		    keys[i].flags & FAMILY ? "NAME" : "", keys[i].arg,
		    keys[i].def ? " [" : "", keys[i].def ? keys[i].def : "",
		    keys[i].def ? "]" : "",
		    keys[i].flags & ADDS ? " *" : "", keys[i].help);
}
