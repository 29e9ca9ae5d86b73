/* From text to settings: lines and words KEY=VALUE, each with the key that it
 * names and where it stands.  Values are judged later, by the keys' setters. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/read.h"
#include "lib/lib.h"
#include "config.h"

static const char too_long[] = "a line of more than %d bytes";

/* ---- which key ---- */

/* The key of that name, or -1.  An exact name wins over a family, so
 * cgroup.view is no file of a controller; and both over an interface's name
 * before it, whose length with the dot is in *prefix. */
static int
find_key(const char *name, size_t *prefix)
{
	const char *dot;
	int i;

	*prefix = 0;
	for (i = 0; i < NKEYS; i++)
		if (!(keys[i].flags & FAMILY) && !strcmp(keys[i].name, name))
			return i;
	for (i = 0; i < NKEYS; i++)
		if (keys[i].flags & FAMILY && !strncmp(keys[i].name, name,
		    strlen(keys[i].name)) && name[strlen(keys[i].name)])
			return i;
	for (dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.'))
		for (i = 0; i < NKEYS; i++)
			if (keys[i].flags & LINK &&
			    !strcmp(keys[i].name, dot + 1)) {
				*prefix = dot + 1 - name;
				return i;
			}
	return -1;
}

int
conf_key(const char *word, const char **sub)
{
	char *name = xprintf("%.*s", (int)strcspn(word, "="), word);
	size_t prefix;
	int id = find_key(name, &prefix);

	free(name);
	*sub = id < 0 ? word : word + prefix + strlen(keys[id].name);
	return id;
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

/* value may be empty on the command line, see settle(). */
static void
add_setting(struct conf *c, int id, const char *name, size_t prefix,
    const char *value, char *where, int line, const char *dir)
{
	if (!*value && line) {
		conf_error(c, where, "%s has no value; leave the line out",
		    name);
		c->faulty[id] = 1;
		return;
	}
	if (keys[id].flags & PATH && *value && *value != '/')
		value = xprintf("%s/%s", dir ? without_links(c, dir) :
		    working_folder(c), value);
	if (strlen(name) + 1 + strlen(value) > CONF_LINE) {
		conf_error(c, where, too_long, CONF_LINE);
		return;
	}
	c->set = xrealloc(c->set, c->nset + 1, sizeof(*c->set));
	c->set[c->nset++] = (struct setting){ .id = id,
	    .prefix = xprintf("%.*s", (int)prefix, name),
	    .sub = name + prefix + strlen(keys[id].name), .value = value,
	    .where = where, .line = line };
}

static int
same_key(const struct setting *a, const struct setting *b)
{
	return a->id == b->id && a->link == b->link && !strcmp(a->sub, b->sub);
}

/* b is set again. */
static void
set_again(struct conf *c, struct setting *a, struct setting *b)
{
	int adds = keys[b->id].flags & ADDS && !(keys[b->id].flags & FAMILY);

	if (a->line && !b->line) {
		a->quiet = 1;		/* the command line replaces it */
		return;
	}
	if (adds)
		return;
	b->quiet = 1;
	if (a->line)
		conf_error(c, b->where, "%s%s%s is set twice, first on line "
		    "%d", b->prefix, keys[b->id].name, b->sub, a->line);
	else
		conf_error(c, b->where, "%s%s%s is set twice", b->prefix,
		    keys[b->id].name, b->sub);
}

/* A key that does not add is set once.  A word of the command line replaces
 * what the file said of its key; an empty one only takes that away. */
static void
settle(struct conf *c)
{
	struct setting *a, *b, *end = c->set + c->nset;

	for (b = c->set; b < end; b++) {
		if (b->line && keys[b->id].flags & ADDS &&
		    !(keys[b->id].flags & FAMILY))
			continue;
		for (a = c->set; a < b && !b->quiet; a++)
			if (!a->quiet && same_key(a, b))
				set_again(c, a, b);
		if (!*b->value)
			b->quiet = 1;
	}
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

/* What begins with it, or else is near; of a family, up to the dot; of an
 * interface, after the dot. */
static void
unknown_key(struct conf *c, const char *name, const char *where)
{
	size_t len = strlen(name), head = strcspn(name, ".") + 1, prefix;
	struct near near = { .word = name }, family = { .word = name };
	struct near link = { .word = len > head ? name + head : "" };
	const char *begins = NULL;
	int i;

	if (len >= head)
		family.word = xprintf("%.*s", (int)head, name);
	for (i = 0; i < NKEYS; i++) {
		near_try(&near, keys[i].name);
		if (keys[i].flags & FAMILY)
			near_try(&family, keys[i].name);
		if (keys[i].flags & LINK)
			near_try(&link, keys[i].name);
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
	else if (len > head && find_key(name + head, &prefix) >= 0)
		conf_error(c, where, "unknown key %.64s: %s is no key of an "
		    "interface, and stands without %.*s", name, name + head,
		    (int)head, name);
	else if (*link.best)
		conf_error(c, where, "unknown key %.64s; did you mean "
		    "%.*s%s?", name, (int)head, name, link.best);
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
	size_t prefix;
	int id;

	if (!eq) {
		conf_error(c, where,
		    "no = in \"%.40s\": every line is key=value", name);
		return;
	}
	*eq = '\0';
	name = trim(text);
	id = find_key(name, &prefix);
	if (id >= 0) {
		add_setting(c, id, name, prefix, trim(eq + 1), where, line,
		    dir);
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

void
conf_parse(struct conf *c, char *text, size_t size, char **over, int nover)
{
	char *dir = folder_of(c), *where;
	int i;

	parse_text(c, text, size, dir);
	free(dir);
	for (i = 0; i < nover; i++) {
		where = xprintf(COMMAND_LINE);
		if (has_control(over[i], strlen(over[i])))
			conf_error(c, where, "a control character");
		else
			parse_setting(c, xprintf("%s", over[i]), where, 0,
			    NULL);
	}
	conf_links(c);
	settle(c);
	conf_links_settle(c);
}
