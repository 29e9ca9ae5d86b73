/* The configuration of a container that runs, as conf_print() has saved it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/read.h"
#include "lib/lib.h"
#include "config.h"

/* ---- what was saved ---- */

/* conf_print() begins with the name, a comment of ours before it, and ends
 * with the log's size; neither is ever left out. */
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
	struct fault *f = conf_error(c, c->file, ": %s", strerror(err));

	if (gone)
		f->kind = CONF_GONE;
}

/* Of what is not whole nothing is taken: who knows what is missing. */
static void
load_saved(struct conf *c, int dir, const char *file, char **over, int nover)
{
	int fd = openat(dir, file, O_RDONLY | O_NONBLOCK | O_CLOEXEC |
	    O_NOCTTY | O_NOFOLLOW);
	char *text = NULL;
	size_t size;

	if (fd < 0)
		cannot_open(c, dir);
	else
		conf_check_file(c, fd);
	if (!c->nfaults)
		text = conf_read(c, fd, &size);
	shut(&fd);
	if (!text)
		return;
	if (!is_whole(text, size)) {
		conf_error(c, c->file, ": %s", size ? "not whole" : "empty");
		return;
	}
	conf_parse(c, text, size, over, nover);
	conf_apply(c);
	conf_derive(c);
	conf_check(c);
}

/* c has the program, and names of interfaces, which keep their numbers. */
static enum conf_state
load(struct conf *c, int dir, const char *name, const char *what, char **over,
    int nover)
{
	char file[STATE_PATH];

	put_state_path(file, sizeof(file), name, what);
	c->saved = 1;
	c->file = xprintf("%s", file);
	conf_defaults(c);
	load_saved(c, dir, what, over, nover);
	if (c->name && strcmp(c->name, name))
		conf_error(c, conf_where(c, KEY_NAME), "name=%s: must be %s",
		    c->name, name);
	c->name = name;
	return conf_worst(c);
}

enum conf_state
conf_saved(struct conf *c, int dir, const char *name, char **over, int nover)
{
	*c = (struct conf){ .program = c->program };
	return load(c, dir, name, "conf", over, nover);
}

enum conf_state
conf_saved_next(struct conf *c, int dir, const char *file,
    const struct conf *now)
{
	int i;

	*c = (struct conf){ .program = now->program, .nlinks = now->nlinks };
	for (i = 1; i < c->nlinks; i++)
		c->link[i].name = now->link[i].name;
	return load(c, dir, now->name, file, NULL, 0);
}
