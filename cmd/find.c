/* Finding the container that a verb acts on. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "crun.h"
#include "cmd/cmd.h"
#include "cmd/words.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "sup/sup.h"
#include "config.h"

enum { START_MS = 60000 };	/* how long we wait for one that starts */

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

void
verb_gone(const char *name)
{
	no_container(name);
	exit(EXIT_SETUP);
}

/* What is saved of it is not understood, and this verb needs all of it. */
void
verb_refuse(const struct conf *c, const char *name, const char *what)
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

enum life
verb_wait_started(struct run *r, const char *name)
{
	char dir[STATE_PATH];
	long long end = now_ms() + START_MS;
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	enum life life;

	if (watch < 0)
		die("inotify_init1:");
	put_state_path(dir, sizeof(dir), name, NULL);
	do {
		state_close(r);
		if (inotify_add_watch(watch, dir, IN_MODIFY | IN_DELETE |
		    IN_DELETE_SELF) < 0 && errno != ENOENT)
			die("watching %s (inotify):", dir);
		life = state_open(r, name);
		if (life == STARTING || life == ENDING)
			wait_for_change(watch, r->other.pidfd, end);
	} while ((life == STARTING || life == ENDING) && now_ms() < end);
	close(watch);
	return life;
}

void
verb_not_running(const char *name, enum life life)
{
	if (life == NONE)
		no_container(name);
	else
		tell("%s does not run: its supervisor was killed; crun clean "
		    "removes what is left", name);
}

/* 0, or says why not and gives -1.  least: RUNNING, or ENDING for what needs
 * no init. */
static int
find(struct run *r, const char *name, enum life least)
{
	enum life life = state_open(r, name);

	if (life < least && life >= STARTING)
		life = verb_wait_started(r, name);
	if (life >= least)
		return 0;
	if (life == STARTING || life == ENDING)
		tell("%s has not %s within %d s; crun kill %s ends it", name,
		    life == STARTING ? "started" : "ended", START_MS / 1000,
		    name);
	else
		verb_not_running(name, life);
	state_close(r);
	return -1;
}

void
verb_find(struct run *r, const char *name)
{
	if (find(r, name, RUNNING) < 0)
		exit(EXIT_SETUP);
}

void
verb_find_any(struct run *r, const char *name)
{
	if (find(r, name, ENDING) < 0)
		exit(EXIT_SETUP);
}

struct run *
verb_find_all(struct words *w, enum life least, int *status)
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
