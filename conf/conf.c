/* The configuration: a flat file of key=value lines and the words after it on
 * the command line.
 *
 * The table in keys.c drives everything: parsing, defaults, what -n prints
 * and what -h and the documents say.  A value is kept twice: as the text it
 * was (struct setting, in the order given, with its FILE:LINE for later
 * errors) and as its setter parsed it.
 *
 * Setters judge one value; conf_check() judges what depends on two.  Nothing
 * here ends the process for what is wrong with a file or a word.  All faults
 * are listed, none twice, in the configuration that they are of, and the
 * caller decides.
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
	if (!strcmp(where, COMMAND_LINE))
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

void
conf_defaults(struct conf *c)
{
	size_t i;
	int cap;

	c->memory = c->swap = UINT64_MAX;
	for (i = 0; i < NKEYS; i++) {
		struct setting s = { .id = i, .prefix = "", .sub = "",
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
		conf_error(c, s->where, "%s%s%s=%s: %s", s->prefix,
		    keys[s->id].name, s->sub, s->value, bad);
		s->quiet = c->saved;
	}
}

void
conf_derive(struct conf *c)
{
	if (!c->saved && !conf_next(c, KEY_NAME, NULL))
		default_name(c);
	if (!c->hostname && !c->faulty[KEY_HOSTNAME])
		c->hostname = c->name;
	conf_links_derive(c);
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
