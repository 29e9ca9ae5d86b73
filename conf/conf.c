/* The configuration: a flat file of key=value lines and the words after it on
 * the command line.
 *
 * The table in keys.c drives everything: parsing, defaults, what -n prints
 * and what -h and the documents say.  A value is kept twice: as the text it
 * was (struct setting, in the order given, with its FILE:LINE for later
 * errors) and as its setter parsed it.
 *
 * Setters judge one value; conf_check() judges what depends on two.  Nothing
 * here ends the process for what is wrong with a file or a word.  All faults are
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

#include "conf/conf.h"
#include "conf/read.h"
#include "lib/lib.h"
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
struct fault *
conf_error(struct conf *c, const char *where, const char *fmt, ...)
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

enum conf_state
conf_worst(const struct conf *c)
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
		conf_error(c, "", "the working folder: %s", strerror(errno));
	return xprintf("%s", strcmp(buf, "/") ? buf : "");
}

/* The folder of FILE may be reached by links; what FILE names may not. */
static char *
without_links(struct conf *c, const char *dir)
{
	char buf[PATH_MAX];

	if (!realpath(*dir ? dir : "/", buf)) {
		conf_error(c, "", "the folder %s: %s", dir, strerror(errno));
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
			conf_error(c, where,
			    "%s is set twice, first on line %d", name,
			    old->line);
		else
			conf_error(c, where, "%s is set twice", name);
		return;
	}
	if (!*value) {
		if (line) {
			conf_error(c, where,
			    "%s has no value; leave the line out", name);
			c->faulty[id] = 1;
		}
		return;
	}
	if (keys[id].flags & PATH && *value != '/')
		value = xprintf("%s/%s", dir ? without_links(c, dir) :
		    working_folder(c), value);
	if (strlen(name) + 1 + strlen(value) > CONF_LINE) {
		conf_error(c, where, too_long, CONF_LINE);
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
		conf_error(c, where,
		    "unknown key %.64s, which has a character that "
		    "no key has",
		    name);
	else if (begins && !strcmp(begins, name))
		conf_error(c, where, "%s needs a name after its dot", name);
	else if (begins || *near.best)
		conf_error(c, where, "unknown key %.64s; did you mean %s?",
		    name, begins ? begins : near.best);
	else if (*family.best && len > head)
		conf_error(c, where, "unknown key %.64s; did you mean %s%s?",
		    name, family.best, name + head);
	else
		conf_error(c, where,
		    "unknown key %.64s; crun -h lists the keys", name);
}

/* One KEY=VALUE; text stays, the settings point into it. */
static void
parse_setting(struct conf *c, char *text, char *where, int line,
    const char *dir)
{
	char *eq = strchr(text, '='), *name = trim(text);
	int id;

	if (!eq) {
		conf_error(c, where,
		    "no = in \"%.40s\": every line is key=value", name);
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
		conf_error(c, where, "unknown key %.64s, of another version of "
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
			conf_error(c, where, too_long, CONF_LINE);
		else if (bad)
			conf_error(c, where, "a NUL or control character");
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
		conf_error(c, file, ": %s", strerror(ENAMETOOLONG));
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
		conf_error(c, file, ": no such file here, nor "
		    CONFDIR "/%s or " CONFDIR "/%s.conf", file, file);
	else if (fd < 0)
		conf_error(c, file, ": %s", strerror(errno));
	return fd;
}

void
conf_check_file(struct conf *c, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		conf_error(c, c->file, ": %s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		conf_error(c, c->file, ": not a regular file");
	else if (st.st_uid && st.st_uid != getuid())
		conf_error(c, c->file, ": belongs to user %u, who could change "
		    "what runs as you; chown it", (unsigned)st.st_uid);
	else if (st.st_mode & 022)
		conf_error(c, c->file, ": others can write it; chmod go-w %s",
		    c->file);
}

char *
conf_read(struct conf *c, int fd, size_t *size)
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
		conf_error(c, c->file, ": larger than %d bytes", CONF_SIZE);
	else
		conf_error(c, c->file, ": %s", strerror(errno));
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
		conf_error(c, "standard input: ", "name is not set");
		return;
	}
	if (len > 5 && !strcmp(base + len - 5, ".conf"))
		len -= 5;
	s.value = xprintf("%.*s", (int)len, base);
	bad = keys[KEY_NAME].set(c, &s);
	if (bad)
		conf_error(c, c->file,
		    ": no name of a container (%s); set name", bad);
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

void
conf_defaults(struct conf *c)
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
		cap = conf_cap(config_caps[i], strlen(config_caps[i]));
		c->caps |= (uint64_t)1 << cap;
	}
}

void
conf_apply(struct conf *c)
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
		conf_error(c, s->where, "%s%s=%s: %s", keys[s->id].name, s->sub,
		    s->value, bad);
		s->quiet = c->saved;
	}
}

void
conf_derive(struct conf *c)
{
	if (!c->saved && !conf_next(c, KEY_NAME, NULL))
		default_name(c);
	if (!conf_next(c, KEY_MAC, NULL) && !c->faulty[KEY_MAC] && c->name)
		default_mac(c);
	if (!c->hostname && !c->faulty[KEY_HOSTNAME])
		c->hostname = c->name;
}

void
conf_parse(struct conf *c, char *text, size_t size, char **over, int nover)
{
	char *dir = folder_of(c);
	int i;

	parse_text(c, text, size, dir);
	free(dir);
	for (i = 0; i < nover; i++) {
		if (has_control(over[i], strlen(over[i])))
			conf_error(c, command_line, "a control character");
		else
			parse_setting(c, xprintf("%s", over[i]), command_line,
			    0, NULL);
	}
}

int
conf_load(struct conf *c, const char *file, int input, char **over, int nover,
    char **program)
{
	int piped = !strcmp(file, "-"), fd;
	char *text = NULL;
	size_t size;

	*c = (struct conf){ .file = file, .program = program };
	fd = piped ? input : open_file(c, file);
	if (fd >= 0 && !piped)
		conf_check_file(c, fd);
	if (fd >= 0 && !c->nfaults)
		text = conf_read(c, fd, &size);
	if (!piped)
		shut(&fd);
	if (!text)
		return -1;
	c->input = piped ? xprintf("%s", text) : NULL;
	conf_parse(c, text, size, over, nover);
	conf_defaults(c);
	conf_apply(c);
	conf_derive(c);
	conf_check(c);
	return c->nfaults ? -1 : 0;
}
