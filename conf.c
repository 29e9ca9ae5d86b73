/* The configuration: a flat file of key=value lines and the words after it on
 * the command line.
 *
 * The table in keys.c drives everything: parsing, defaults, what -n prints
 * and what -h and the documents say.  A value is kept twice: as the text it
 * was (struct setting, in the order given, with its FILE:LINE for later
 * errors) and as its setter parsed it.
 *
 * Setters judge one value; check() judges what depends on two.  Nothing here
 * ends the process for what is wrong with a file or a word.  All faults are
 * listed, none twice, in the configuration that they are of, and the caller
 * decides.
 *
 * What is read is either a file to start from (conf_load()) or what was saved
 * of a container that runs (conf_saved()), perhaps by another version of crun.
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

static const char too_long[] = "a line of more than %d bytes";
static char command_line[] = "command line: ";

static struct fault *
same_fault(const struct conf *c, int line, const char *text)
{
	size_t i;

	for (i = 0; i < c->nfaults; i++)
		if (c->faults[i].line == line &&
		    !strcmp(c->faults[i].text, text))
			return &c->faults[i];
	return NULL;
}

/* Puts a fault in the order of the file; one of no line comes last. */
static struct fault *
add_fault(struct conf *c, struct fault f)
{
	struct fault *same = same_fault(c, f.line, f.text);
	size_t i;

	if (same) {
		free(f.text);
		return same;
	}
	c->faults = xrealloc(c->faults, c->nfaults + 1, sizeof(f));
	for (i = c->nfaults++; i && f.line && (!c->faults[i - 1].line ||
	    c->faults[i - 1].line > f.line); i--)
		c->faults[i] = c->faults[i - 1];
	c->faults[i] = f;
	return &c->faults[i];
}

/* where is "FILE:LINE: " or another beginning. */
static struct fault *error(struct conf *, const char *where, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

static struct fault *
error(struct conf *c, const char *where, const char *fmt, ...)
{
	const char *number = strchr(where, ':');
	struct fault f = { .kind = CONF_BAD };
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!strcmp(where, command_line))
		f.kind = CONF_WORDS;
	f.line = number ? strtol(number + 1, NULL, 10) : 0;
	f.text = xprintf("%s%s", where, text);
	return add_fault(c, f);
}

static enum conf_state
worst_fault(const struct conf *c)
{
	enum conf_state worst = CONF_WHOLE;
	size_t i;

	for (i = 0; i < c->nfaults; i++)
		if (c->faults[i].kind > worst)
			worst = c->faults[i].kind;
	return worst;
}

void
conf_tell(const struct conf *c)
{
	size_t i;

	for (i = 0; i < c->nfaults; i++)
		tell("%s", c->faults[i].text);
}

void
conf_warn(const struct conf *c)
{
	const struct fault *f;

	for (f = c->faults; f < c->faults + c->nfaults; f++)
		if (f->kind == CONF_MORE)
			warn("%s; passed over", f->text);
		else if (f->kind != CONF_GONE)
			warn("%s", f->text);
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
working_folder(struct conf *c)
{
	char buf[PATH_MAX] = "/";

	if (!getcwd(buf, sizeof(buf)))
		error(c, "", "the working folder: %s", strerror(errno));
	return xprintf("%s", strcmp(buf, "/") ? buf : "");
}

/* The folder of FILE may be reached by links; what FILE names may not. */
static char *
without_links(struct conf *c, const char *dir)
{
	char buf[PATH_MAX];

	if (!realpath(*dir ? dir : "/", buf)) {
		error(c, "", "the folder %s: %s", dir, strerror(errno));
		return xprintf("%s", dir);
	}
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
			error(c, where, "%s is set twice, first on line %d",
			    name, old->line);
		else
			error(c, where, "%s is set twice", name);
		return;
	}
	if (!*value) {
		if (line) {
			error(c, where, "%s has no value; leave the line out",
			    name);
			c->faulty[id] = 1;
		}
		return;
	}
	if (keys[id].flags & PATH && *value != '/')
		value = xprintf("%s/%s", dir ? without_links(c, dir) :
		    working_folder(c), value);
	if (strlen(name) + 1 + strlen(value) > CONF_LINE) {
		error(c, where, too_long, CONF_LINE);
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
unknown_key(struct conf *c, const char *name, const char *where)
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
		error(c, where, "unknown key %.64s, which has a character that "
		    "no key has", name);
	else if (begins && !strcmp(begins, name))
		error(c, where, "%s needs a name after its dot", name);
	else if (begins || *near.best)
		error(c, where, "unknown key %.64s; did you mean %s?", name,
		    begins ? begins : near.best);
	else if (*family.best && len > head)
		error(c, where, "unknown key %.64s; did you mean %s%s?", name,
		    family.best, name + head);
	else
		error(c, where, "unknown key %.64s; crun -h lists the keys",
		    name);
}

/* One KEY=VALUE; text stays, the settings point into it. */
static void
parse_setting(struct conf *c, char *text, char *where, int line,
    const char *dir)
{
	char *eq = strchr(text, '='), *name = trim(text);
	int id;

	if (!eq) {
		error(c, where, "no = in \"%.40s\": every line is key=value",
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
	if (c->saved && line)
		error(c, where, "unknown key %.64s, of another version of "
		    "crun", name)->kind = CONF_MORE;
	else
		unknown_key(c, name, where);
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
			error(c, where, too_long, CONF_LINE);
		else if (bad)
			error(c, where, "a NUL or control character");
		else
			parse_setting(c, p, where, line, dir);
	}
}

/* ---- finding and reading the file ---- */

/* Opens file as crun(1) says; c->file is then the path that was opened.  -1:
 * it cannot be. */
static int
open_file(struct conf *c, const char *file)
{
	static const char *const forms[] = { "%s", CONFDIR "/%s",
	    CONFDIR "/%s.conf" };
	char buf[PATH_MAX];
	size_t i, tries = strchr(file, '/') ? 1 : LEN(forms);
	struct stat st;
	int fd = -1;

	if (strlen(file) >= sizeof(buf) - strlen(CONFDIR "/.conf")) {
		error(c, file, ": %s", strerror(ENAMETOOLONG));
		return -1;
	}
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
	c->file = xprintf("%s", buf);
	if (fd < 0 && errno == ENOENT && tries > 1)
		error(c, file, ": no such file here, nor "
		    CONFDIR "/%s or " CONFDIR "/%s.conf", file, file);
	else if (fd < 0)
		error(c, file, ": %s", strerror(errno));
	return fd;
}

/* Somebody else than root and the caller must not have written it. */
static void
check_file(struct conf *c, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		error(c, c->file, ": %s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		error(c, c->file, ": not a regular file");
	else if (st.st_uid && st.st_uid != getuid())
		error(c, c->file, ": belongs to user %u, who could change "
		    "what runs as you; chown it", (unsigned)st.st_uid);
	else if (st.st_mode & 022)
		error(c, c->file, ": others can write it; chmod go-w %s",
		    c->file);
}

/* NULL: it cannot be read. */
static char *
read_all(struct conf *c, int fd, size_t *size)
{
	size_t got = 0, room = 4096;
	char *text = xrealloc(NULL, room, 1);
	ssize_t n = 0;

	while (got <= CONF_SIZE &&
	    (n = read(fd, text + got, room - 1 - got)) > 0) {
		got += n;
		if (room - got < 2048)
			text = xrealloc(text, room *= 2, 1);
	}
	text[got] = '\0';
	*size = got;
	if (got <= CONF_SIZE && !n)
		return text;
	if (got > CONF_SIZE)
		error(c, c->file, ": larger than %d bytes", CONF_SIZE);
	else
		error(c, c->file, ": %s", strerror(errno));
	free(text);
	return NULL;
}

/* The folder that a file's relative paths start from: its own, absolute. */
static char *
folder_of(struct conf *c)
{
	const char *path = c->file, *slash = strrchr(path, '/');
	char *dir;

	if (*path == '/')
		return xprintf("%.*s", (int)(slash - path), path);
	if (!slash)
		return working_folder(c);
	dir = working_folder(c);
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
		error(c, "standard input: ", "name is not set");
		return;
	}
	if (len > 5 && !strcmp(base + len - 5, ".conf"))
		len -= 5;
	s.value = xprintf("%.*s", (int)len, base);
	bad = keys[KEY_NAME].set(c, &s);
	if (bad)
		error(c, c->file, ": no name of a container (%s); set name",
		    bad);
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
check_addresses(struct conf *c)
{
	enum { SMALLEST = 1280 };	/* RFC 8200, section 5 */

	for (each(c, a, KEY_IP)) {
		for (each(c, b, KEY_IP))
			if (b > a && same_address(&a->u.ip, &b->u.ip))
				error(c, b->where, "ip %s is set twice",
				    b->value);
		if (a->u.ip.family == AF_INET6 && c->mtu && c->mtu < SMALLEST)
			error(c, conf_where(c, KEY_MTU), "mtu must be %d at "
			    "least for the IPv6 address %s", SMALLEST,
			    a->value);
	}
}

static void
check_network(struct conf *c)
{
	static const enum key_id needs_bridge[] = { KEY_IP, KEY_GATEWAY,
	    KEY_MAC, KEY_MTU, KEY_IFNAME };
	size_t i;

	if (c->faulty[KEY_BRIDGE] || c->faulty[KEY_IP] ||
	    c->faulty[KEY_GATEWAY])
		return;
	for (i = 0; i < LEN(needs_bridge) && !c->bridge; i++)
		for (each(c, s, needs_bridge[i]))
			error(c, s->where, "%s needs a bridge",
			    keys[s->id].name);
	check_addresses(c);
	for (each(c, g, KEY_GATEWAY)) {
		int in = 0, family = 0;

		for (each(c, s, KEY_IP)) {
			if (same_address(&g->u.ip, &s->u.ip))
				error(c, g->where, "gateway %s is the "
				    "container's own ip", g->value);
			in |= same_subnet(&g->u.ip, &s->u.ip);
			family |= s->u.ip.family == g->u.ip.family;
		}
		if (!in && c->bridge)
			error(c, g->where, family ? "gateway %s is in the "
			    "subnet of no ip" : "gateway %s needs an ip of its "
			    "kind", g->value);
	}
}

static void
check_map(struct conf *c, enum key_id id)
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
				error(c, b->where, "%s %s overlaps %s",
				    keys[id].name, b->value, a->value);
		}
	}
	if (!root)
		error(c, conf_where(c, KEY_UIDMAP), "no %s maps the "
		    "container's root (0)", keys[id].name);
}

static void
check_ids(struct conf *c)
{
	const struct setting *u = conf_next(c, KEY_UIDMAP, NULL);
	const struct setting *g = conf_next(c, KEY_GIDMAP, NULL);
	const struct setting *s = conf_next(c, KEY_USERNS, NULL);

	if ((!u && !g) || c->faulty[KEY_UIDMAP] || c->faulty[KEY_GIDMAP])
		return;
	if (!u || !g)
		error(c, (u ? u : g)->where, "uidmap and gidmap go together: "
		    "%s is missing", u ? "gidmap" : "uidmap");
	else if (s)
		error(c, s->where, "userns cannot be set beside uidmap and "
		    "gidmap");
	else {
		check_map(c, KEY_UIDMAP);
		check_map(c, KEY_GIDMAP);
	}
}

static void
check(struct conf *c)
{
	if (!c->rootfs && !c->faulty[KEY_ROOTFS])
		error(c, strcmp(c->file, "-") ? c->file : "standard input",
		    ": rootfs is not set: the folder to boot");
	if (c->init && c->program)
		error(c, conf_where(c, KEY_INIT), "init cannot be set beside "
		    "-- PROGRAM");
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

static void
apply_defaults(struct conf *c)
{
	size_t i;
	int cap;

	c->memory = c->swap = UINT64_MAX;
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
}

/* Every setting that the command line left.  A value that is not understood
 * leaves what was there before. */
static void
apply(struct conf *c)
{
	struct conf before;
	struct setting *s;
	const char *bad;

	for (s = c->set; s < c->set + c->nset; s++) {
		if (s->quiet)
			continue;
		before = *c;
		bad = keys[s->id].set(c, s);
		if (!bad)
			continue;
		*c = before;
		c->faulty[s->id] = 1;
		error(c, s->where, "%s%s=%s: %s", keys[s->id].name, s->sub,
		    s->value, bad);
		s->quiet = c->saved;
	}
}

/* What follows from the file's name, and from the container's. */
static void
derive(struct conf *c)
{
	if (!c->saved && !conf_next(c, KEY_NAME, NULL))
		default_name(c);
	if (!conf_next(c, KEY_MAC, NULL) && !c->faulty[KEY_MAC] && c->name)
		default_mac(c);
	if (!c->hostname && !c->faulty[KEY_HOSTNAME])
		c->hostname = c->name;
}

/* The text of the file, and the words over it. */
static void
parse(struct conf *c, char *text, size_t size, char **over, int nover)
{
	char *dir = folder_of(c);
	int i;

	parse_text(c, text, size, dir);
	free(dir);
	for (i = 0; i < nover; i++) {
		if (has_control(over[i], strlen(over[i])))
			error(c, command_line, "a control character");
		else
			parse_setting(c, xprintf("%s", over[i]), command_line,
			    0, NULL);
	}
}

int
conf_load(struct conf *c, const char *file, char **over, int nover,
    char **program)
{
	int input = !strcmp(file, "-"), fd;
	char *text = NULL;
	size_t size;

	*c = (struct conf){ .file = file, .program = program };
	fd = input ? self_input() : open_file(c, file);
	if (fd >= 0 && !input)
		check_file(c, fd);
	if (fd >= 0 && !c->nfaults)
		text = read_all(c, fd, &size);
	if (!input)
		shut(&fd);
	if (!text)
		return -1;
	c->input = input ? xprintf("%s", text) : NULL;
	parse(c, text, size, over, nover);
	apply_defaults(c);
	apply(c);
	derive(c);
	check(c);
	return c->nfaults ? -1 : 0;
}

/* ---- what was saved ---- */

/* conf_print() begins with the name, a comment of ours before it, and ends with
 * the log's size; neither is ever left out. */
static int
is_whole(const char *text, size_t size)
{
	int named = !strncmp(text, "name=", 5) || strstr(text, "\nname=");

	return named && text[size - 1] == '\n' &&
	    strstr(text, "\nconsole.log=");
}

/* Who ends removes the file after NAME/pid, and who starts writes it before. */
static void
cannot_open(struct conf *c, int dir)
{
	int err = errno, gone = err == ENOENT &&
	    faccessat(dir, "pid", F_OK, 0) < 0;
	struct fault *f = error(c, c->file, ": %s", strerror(err));

	if (gone)
		f->kind = CONF_GONE;
}

/* Of what is not whole nothing is taken: who knows what is missing. */
static void
load_saved(struct conf *c, int dir, char **over, int nover)
{
	int fd = openat(dir, "conf", O_RDONLY | O_NONBLOCK | O_CLOEXEC |
	    O_NOCTTY | O_NOFOLLOW);
	char *text = NULL;
	size_t size;

	if (fd < 0)
		cannot_open(c, dir);
	else
		check_file(c, fd);
	if (!c->nfaults)
		text = read_all(c, fd, &size);
	shut(&fd);
	if (!text)
		return;
	if (!is_whole(text, size)) {
		error(c, c->file, ": %s", size ? "not whole" : "empty");
		return;
	}
	parse(c, text, size, over, nover);
	apply(c);
	derive(c);
	check(c);
}

enum conf_state
conf_saved(struct conf *c, int dir, const char *name, char **over, int nover)
{
	*c = (struct conf){ .saved = 1, .program = c->program,
	    .file = xprintf(STATEDIR "/%s/conf", name) };
	apply_defaults(c);
	load_saved(c, dir, over, nover);
	if (c->name && strcmp(c->name, name))
		error(c, conf_where(c, KEY_NAME), "name=%s: must be %s",
		    c->name, name);
	c->name = name;
	return worst_fault(c);
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
