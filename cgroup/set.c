/* New limits for a container that runs: crun set.
 *
 * NAME/host names the groups.  A limit stands in the first hierarchy whose
 * group has its file; where none has, the controller is enabled (v2), or a
 * group is made in its v1 hierarchy and all processes are moved there; its
 * supervisor removes that in the end with the rest, by NAME/host.
 *
 * crun set changes all that was asked for or nothing.  The old values are read
 * first; a write that fails is tried again after the others, since v1 wants
 * memory below memory with swap at any time; what fails twice has the others
 * put back.  The saved configuration lies ready before the first write and is
 * renamed after the last.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crun.h"
#include "cgroup/cgroup.h"
#include "cgroup/hier.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "sup/sup.h"

enum { MAXCHANGES = 64 };

struct change {
	const struct setting *s;	/* that asks for it */
	const struct hier *h;
	const char *file;
	char text[256], old[1024];
	int done;
};

/* ---- setting limits ---- */

static int
write_text(int group, const char *file, const char *text)
{
	char copy[1024], *line, *rest = copy;
	int bad = 0;

	if (!strchr(text, '\n') || !text[1])
		return write_at(group, file, text);
	snprintf(copy, sizeof(copy), "%s", text);
	while ((line = next_part(&rest, "\n")))
		bad |= write_at(group, file, line) < 0;
	return bad ? -1 : 0;
}

/* A cpuset must be part of that of the group above.  On v1 payload, the group
 * of the processes, has one too: it is written before ours, which is right
 * where the new set is the smaller one, and again after ours, which is right
 * where it is the larger one.  Limits of disks stand in both groups as well.
 * On v2 a set that has processes cannot be made empty again (ENOSPC): it
 * becomes all that the group above has. */
static int
write_change(const struct hier *h, const char *file, const char *text)
{
	int cpuset = !strncmp(file, "cpuset.", 7);
	int both = *h->ctrl && (cpuset ||
	    !strncmp(file, BLKIO_ONE, strlen(BLKIO_ONE)));
	char path[64], all[1024];

	if (both)
		write_text(h->payload, file, text);
	if (write_text(h->group, file, text) < 0) {
		if (!cpuset || errno != ENOSPC || strcmp(text, "\n"))
			return -1;
		put(path, sizeof(path), "../%s.effective", file);
		read_at(h->group, path, all, sizeof(all));
		return write_text(h->group, file, all);
	}
	return both ? write_text(h->payload, file, text) : 0;
}

/* Moves what is in and below the v2 group to a v1 group, and once more what
 * was forked meanwhile, until all is there. */
static void
move_all(const struct run *r, const struct hier *h)
{
	int to = openat(h->group, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	int rounds, all = 0;

	for (rounds = 0; !all && rounds < 100; rounds++) {
		cgroup_walk(r->cgroup.hier[0].group, to, 0);
		all = cgroup_walk(h->group, -1, 0) >= cgroup_count(r);
	}
	shut(&to);
	if (!all)
		die("%s forks faster than it can be moved to %s",
		    r->conf->name, h->path);
}

static const struct hier *
having(const struct run *r, const char *file)
{
	struct stat st;
	size_t i;

	for (i = 0; i < r->cgroup.nhier; i++)
		if (!fstatat(r->cgroup.hier[i].group, file, &st, 0))
			return &r->cgroup.hier[i];
	return NULL;
}

/* The hierarchy for a file of v2 or, where that is NULL, of v1, made if need
 * be. */
static const struct hier *
place(struct run *r, const char *ctrl, const char *ctrl1, const char *file,
    const char *file1, const struct setting *s)
{
	const struct hier *h = having(r, file);
	size_t n = r->cgroup.nhier;

	if (!h && file1)
		h = having(r, file1);
	if (h)
		return h;
	h = cgroup_add(r, ctrl, ctrl1, s);
	if (r->cgroup.nhier > n)
		move_all(r, h);
	return h;
}

static struct change *
add_change(struct change *c, size_t *n, const struct hier *h,
    const char *file, const struct setting *s)
{
	c = &c[(*n)++];
	*c = (struct change){ .s = s, .h = h, .file = file };
	if (read_at(h->group, file, c->old, sizeof(c->old)) < 0)
		die("%s%s: there is no file %s in %s", s->where, conf_text(s),
		    file, h->path);
	return c;
}

/* v1's cpuset cannot be empty: it becomes what it is above. */
static void
put_unset(struct change *c, const struct limit *l)
{
	const char *text = *c->h->ctrl ? l->unset1 : l->unset;
	char above[64];

	put(above, sizeof(above), "../%s", c->file);
	if (text)
		put(c->text, sizeof(c->text), "%s", text);
	else if (read_at(c->h->group, above, c->text, sizeof(c->text)) < 0)
		die("reading %s above %s:", c->file, c->h->path);
}

static size_t
gather_limit(struct run *r, struct change *c, size_t n,
    const struct setting *asked)
{
	const struct setting *s = conf_next(r->conf, asked->id, NULL);
	const struct limit *l = cgroup_limits;
	const struct hier *h;
	struct change *new;

	while (l->id != asked->id)	/* each LIVE key is in the table */
		l++;
	h = place(r, l->ctrl, l->ctrl1, l->file, l->file1, asked);
	new = add_change(c, &n, h, *h->ctrl ? l->file1 : l->file, asked);
	if (s)
		l->text(r->conf, *h->ctrl, new->text, sizeof(new->text));
	else
		put_unset(new, l);
	return n;
}

static size_t
gather_raw(struct run *r, struct change *c, size_t n,
    const struct setting *asked)
{
	char ctrl[64];
	struct change *new;

	if (!*asked->value)
		fail(EXIT_USAGE, "%s%s: cannot be unset while it runs, since "
		    "crun does not know its default: give a value",
		    asked->where, conf_text(asked));
	put(ctrl, sizeof(ctrl), "%.*s", (int)strcspn(asked->sub, "."),
	    asked->sub);
	new = add_change(c, &n, place(r, ctrl, ctrl, asked->sub, NULL, asked),
	    asked->sub, asked);
	put(new->text, sizeof(new->text), "%s", asked->value);
	return n;
}

/* On v1 swap is counted with memory, and so follows it. */
static size_t
gather_swap(struct run *r, struct change *c, size_t n)
{
	const struct setting *s = conf_next(r->conf, KEY_SWAP, NULL);
	size_t i;

	for (i = 0; i < n; i++)
		if (c[i].s->id == KEY_MEMORY && *c[i].h->ctrl && s)
			return gather_limit(r, c, n, s);
	return n;
}

static int
is_as_before(const struct change *c)
{
	char now[sizeof(c->old)];

	return read_at(c->h->group, c->file, now, sizeof(now)) >= 0 &&
	    !strcmp(now, c->old);
}

/* A file of limits for each device, "MAJOR:MINOR LIMIT", takes a line away by
 * a word that differs. */
static int
take_back(const struct change *c)
{
	static const char none[][40] = { "0", "default", "target=0",
	    "rbps=max wbps=max riops=max wiops=max" };
	char line[sizeof(c->text) + sizeof(none[0])];
	int bad = write_change(c->h, c->file, *c->old ? c->old : "\n");
	size_t i;

	if (!strchr(c->text, ' '))
		return bad;
	for (i = 0; i < LEN(none) && !is_as_before(c); i++) {
		snprintf(line, sizeof(line), "%.*s %s",
		    (int)strcspn(c->text, " "), c->text, none[i]);
		write_change(c->h, c->file, line);
	}
	return is_as_before(c) ? 0 : -1;
}

/* Gives the file that could not be, or NULL. */
static const char *
put_back(struct change *c, size_t n)
{
	const char *left = NULL;
	int round;
	size_t i;

	for (round = 0; round < 2; round++)
		for (left = NULL, i = n; i-- > 0; ) {
			if (c[i].done && !take_back(&c[i]))
				c[i].done = 0;
			if (c[i].done)
				left = c[i].file;
		}
	return left;
}

static void
apply(const struct run *r, struct change *c, size_t n)
{
	size_t i, failed = n;
	const char *left;
	int round, err = 0;

	for (round = 0; round < 2; round++)
		for (failed = n, i = 0; i < n; i++) {
			if (!c[i].done && !write_change(c[i].h, c[i].file,
			    c[i].text))
				c[i].done = 1;
			if (!c[i].done) {
				failed = i;
				err = errno;
			}
		}
	if (failed == n)
		return;
	left = put_back(c, n);
	unlinkat(r->state.dir, ".conf", 0);
	c = &c[failed];
	if (err == ERANGE || err == EINVAL)
		die("%s%s: not a value that %s of this host takes; %s%s",
		    c->s->where, conf_text(c->s), c->file, left ? left :
		    "nothing", left ? " stays changed" : " was changed");
	errno = err;
	die("%s%s%s, writing %s in %s; %s%s:", c->s->where, conf_text(c->s),
	    errno == EBUSY ? ", less than is in use" : "", c->file, c->h->path,
	    left ? left : "nothing", left ? " stays changed" : " was changed");
}

static struct change *made;	/* what cgroup_set() has changed so far */
static size_t nmade;
static void (*die_then)(int, const char *);

/* die() until the new configuration is in its place. */
static void
take_all_back(int status, const char *line)
{
	on_die = die_then;
	put_back(made, nmade);
	die_then(status, line);
}

void
cgroup_set(struct run *r, const struct setting *asked, size_t n,
    int (*more)(struct run *))
{
	struct change *c = xrealloc(NULL, MAXCHANGES + 1, sizeof(*c));
	size_t i, k = 0;

	if (n > MAXCHANGES)
		fail(EXIT_USAGE, "more than %d changes at once", MAXCHANGES);
	for (i = 0; i < n; i++)
		k = asked[i].id == KEY_CGROUP ?
		    gather_raw(r, c, k, &asked[i]) :
		    gather_limit(r, c, k, &asked[i]);
	k = gather_swap(r, c, k);
	state_conf_new(r);
	apply(r, c, k);
	made = c;
	nmade = k;
	die_then = on_die;
	on_die = take_all_back;
	if (!more(r))
		state_conf_commit(r);
	on_die = die_then;
	free(c);
}
