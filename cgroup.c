/* Control groups: the container's folder in every hierarchy that it needs.
 *
 *   BASE/crun-os/NAME           the limits; out of the guest's reach
 *   BASE/crun-os/NAME/payload   the processes; root of the cgroup namespace,
 *                               delegated to the container's root.  A v1
 *                               controller, which no guest is shown or, with
 *                               a user namespace, can mount, has its
 *                               processes in NAME itself
 *
 * run->cgroup.hier[0] is always cgroup v2, which every kernel has and which is
 * mounted for ourselves (detached, seen by nobody) where the host does not.
 * After it come all the v1 hierarchies that the kernel has, whether a key
 * needs them or not: see add_every_v1().  Below a user namespace, which is
 * inside another container, it is those that a key needs, and name=systemd.
 *
 * BASE is the root of the hierarchy; where our own v2 group is delegated
 * (xattr trusted.delegate or user.delegate), it is our own group, and we move
 * into a leaf of it, since a group with processes cannot pass controllers on.
 *
 * The child is born in the v2 payload (CLONE_INTO_CGROUP).  It joins the
 * v1 groups itself, by writing 0 to tasks files that the supervisor opened: a
 * thread that moves itself needs no global lock, and the wait for that lock
 * is longer than all the rest of a start. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "crun.h"
#include "cgroup/cgroup.h"
#include "cgroup/hier.h"
#include "conf/conf.h"
#include "idmap/idmap.h"
#include "lib/lib.h"
#include "sup/sup.h"
#include "config.h"

#define MARK "trusted." CGROUP_TOP

/* ---- the tree ---- */

static void
write_limit(const struct hier *h, const char *file, const char *text,
    const struct setting *s)
{
	if (!write_at(h->group, file, text)) {
		step("cgroup: %s=%s in %s", file, text, h->path);
		return;
	}
	if (errno == ENOENT)
		die("%s%s: there is no file %s in %s/" CGROUP_TOP "%s",
		    s->where, conf_text(s), file, h->path,
		    strstr(file, "swap") || strstr(file, "memsw") ?
		    "; the kernel counts no swap, boot with swapaccount=1" :
		    *h->ctrl ? "; the controller is on cgroup v1 here" : "");
	if (errno == ERANGE || errno == EINVAL)
		die("%s%s: not a value that %s of this host takes", s->where,
		    conf_text(s), file);
	die("%s%s%s, writing %s in %s:", s->where, conf_text(s),
	    errno == EBUSY ? ", less than is in use" : "", file, h->path);
}

/* The hierarchy of a controller: v2's where it is there, else v1's, which is
 * added.  Dies where there is none. */
static struct hier *
hier_of(struct run *r, const char *have, const char *ctrl,
    const char *ctrl1, const struct setting *s)
{
	struct mount m;

	if (has_word(have, ctrl) || !strcmp(ctrl, "cgroup"))
		return &r->cgroup.hier[0];
	if (!hierarchy_find(&m, ctrl1))
		die("%s%s: the host has no %s controller to offer: %s",
		    s->where, conf_text(s), ctrl,
		    hier_missing(ctrl1, *r->cgroup.delegated));
	return hier_v1(r, &m);
}

static const char *
controller_of(const struct setting *s, char *buf, size_t size)
{
	put(buf, size, "%.*s", (int)strcspn(s->sub, "."), s->sub);
	return buf;
}

/* Adds every hierarchy that a key needs, and gathers in need the controllers
 * that must be enabled on v2. */
static void
choose(struct run *r, const char *have, char *need, size_t size)
{
	char ctrl[64];
	const struct limit *l;
	size_t len = 0;
	struct hier *h;

	*need = '\0';
	for (l = cgroup_limits; l->file; l++)
		for (each(r->conf, s, l->id)) {
			h = hier_of(r, have, l->ctrl, l->ctrl1, s);
			if (!*h->ctrl)
				len += snprintf(need + len, size - len,
				    "+%s ", l->ctrl);
		}
	for (each(r->conf, s, KEY_CGROUP)) {
		controller_of(s, ctrl, sizeof(ctrl));
		h = hier_of(r, have, ctrl, ctrl, s);
		if (!*h->ctrl && strcmp(ctrl, "cgroup") && len < size)
			len += snprintf(need + len, size - len, "+%s ", ctrl);
	}
	if (len >= size)
		die("too many cgroup keys");
}

/* v1's cpuset groups begin empty, and take no process then. */
static void
copy_cpuset(int from, int to)
{
	static const char *const files[] = { "cpuset.mems", "cpuset.cpus" };
	char text[1024], own[1024];
	size_t i;

	for (i = 0; i < LEN(files); i++)
		if (read_at(to, files[i], own, sizeof(own)) >= 0 &&
		    *own == '\n' &&
		    read_at(from, files[i], text, sizeof(text)) > 0)
			write_at(to, files[i], text);
}

/* Writes down the groups of the hierarchies from i on, in one go. */
static void
record_groups(struct run *r, size_t i)
{
	char lines[8192] = "", *end = lines;

	for (; i < r->cgroup.nhier; i++, end += strlen(end))
		put(end, lines + sizeof(lines) - end, "cgroup %s/" CGROUP_TOP
		    "/%s\n", r->cgroup.hier[i].path, r->conf->name);
	state_record(r, lines);
}

int
cgroup_is_ours(int top)
{
	char mark;

	return !in_first_userns() || fgetxattr(top, MARK, &mark, 1) == 1;
}

/* A new one is marked before anything is made in it, so one that has groups
 * but no mark is somebody else's, and what runs there is not ours to kill. */
static void
mark_top(const struct hier *h, int top)
{
	struct stat st;

	if (cgroup_is_ours(top))
		return;
	if (fstat(top, &st) < 0)
		die("looking at %s/" CGROUP_TOP ":", h->path);
	if (st.st_nlink > 2 && !cgroup_is_ours(top))	/* . and .. */
		die("%s/" CGROUP_TOP " is somebody else's: it has groups in "
		    "it, but not crun's mark (" MARK "); remove it, or set "
		    "another CGROUP_TOP in config.h", h->path);
	if (fsetxattr(top, MARK, "1", 1, 0) < 0)
		die("marking %s/" CGROUP_TOP " as crun's:", h->path);
}

/* BASE/crun-os/NAME.  The name is ours by our lock, so a group that is there
 * is a leftover.  crun-os itself may go away meanwhile, with the last of
 * them. */
static void
make_group(struct run *r, struct hier *h)
{
	const char *name = r->conf->name, *why = NULL;
	char what[512];
	int top;

	put(what, sizeof(what), "%s/" CGROUP_TOP "/%s", h->path, name);
	for (;;) {
		top = make_folder(h->base, CGROUP_TOP);
		if (top < 0)
			die("making %s/" CGROUP_TOP ":", h->path);
		mark_top(h, top);
		if (has_word(h->ctrl, "cpuset"))
			copy_cpuset(h->base, top);
		if (!mkdirat(top, name, 0755))
			break;
		if (errno == EEXIST)
			why = group_remove(r, top, what);
		else if (errno != ENOENT)
			die("making %s:", what);
		close(top);
		if (why) {
			state_keep(r);
			wait_failed(r, why);
		}
	}
	h->group = openat(top, name, DIR_FLAGS);
	if (h->group < 0)
		die("opening %s:", what);
	if (has_word(h->ctrl, "cpuset"))
		copy_cpuset(top, h->group);
	close(top);
	step("cgroup: %s", what);
}

/* cgroups(7), "Cgroups delegation": these belong to whom it is delegated. */
static void
delegate(const struct run *r, const struct hier *h)
{
	static const char *const files[] = { "", "cgroup.procs",
	    "cgroup.subtree_control", "cgroup.threads", "tasks" };
	uid_t uid = idmap_uid(r, 0);
	gid_t gid = idmap_gid(r, 0);
	size_t i;

	for (i = 0; i < LEN(files); i++)
		if (fchownat(h->payload, files[i], uid, gid,
		    AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0 &&
		    errno != ENOENT)
			die("delegating %s/%s:", h->path, files[i]);
}

/* v1's throttling of disks holds for one group only, blkio-controller.rst. */
static void
throttle(const struct run *r, const struct hier *h)
{
	for (each(r->conf, s, KEY_CGROUP))
		if (!strncmp(s->sub, BLKIO_ONE, strlen(BLKIO_ONE)) &&
		    write_at(h->payload, s->sub, s->value) < 0)
			die("%s%s, writing it:", s->where, conf_text(s));
}

static void
make_payload(struct run *r, struct hier *h)
{
	int seen = !*h->ctrl || has_word(h->ctrl, "name=systemd") ||
	    r->conf->userns == USERNS_NONE;

	/* before Linux 5.11 a limit held for what is below only if told so */
	if (seen && has_word(h->ctrl, "memory") &&
	    write_at(h->group, "memory.use_hierarchy", "1") < 0 &&
	    errno != ENOENT)
		die("memory.use_hierarchy in %s:", h->path);
	if (seen && mkdirat(h->group, "payload", 0755) < 0)
		die("making the payload group in %s:", h->path);
	h->payload = seen ? openat(h->group, "payload", DIR_FLAGS) : h->group;
	if (h->payload < 0)
		die("opening the payload group in %s:", h->path);
	if (seen && has_word(h->ctrl, "cpuset"))
		copy_cpuset(h->group, h->payload);
	if (seen && has_word(h->ctrl, "blkio"))
		throttle(r, h);
	if (seen && r->ids.nuid)
		delegate(r, h);
	if (!*h->ctrl)
		return;
	h->tasks = openat(h->payload, "tasks", O_WRONLY | O_CLOEXEC);
	if (h->tasks < 0)
		die("opening the tasks of %s:", h->path);
}

/* Turns a list of controllers into what subtree_control takes: "+a +b". */
static void
plus_list(const char *list, char *out, size_t size)
{
	size_t n, len = 0;

	*out = '\0';
	for (; *list; list += n + strspn(list + n, " \n")) {
		n = strcspn(list, " \n");
		if (n && len < size)
			len += snprintf(out + len, size - len, "+%.*s ",
			    (int)n, list);
	}
}

/* Passes controllers down: what the keys need, and, to an OS that may use
 * them itself, what the host passes to its own groups. */
static void
enable(struct run *r, struct hier *h, const char *need)
{
	static const char file[] = "cgroup.subtree_control";
	char passed[256], all[256];

	if (*need && write_at(h->base, file, need) < 0)
		die("enabling %sin %s/%s%s:", need, h->path, file,
		    errno == EBUSY ? ", it has processes of its own" : "");
	read_at(h->base, file, passed, sizeof(passed));
	plus_list(passed, all, sizeof(all));
	if (*all && write_at(h->group, "../cgroup.subtree_control", all) < 0)
		die("enabling %sin %s/" CGROUP_TOP "/%s:", all, h->path, file);
	if (!r->conf->program && *all && write_at(h->group, file, all) < 0)
		die("enabling %sin %s/" CGROUP_TOP "/%s/%s:", all, h->path,
		    r->conf->name, file);
}

static const struct hier *
hier_with_file(const struct run *r, const char *have, const char *ctrl,
    const char *ctrl1)
{
	size_t i;

	if (has_word(have, ctrl) || !strcmp(ctrl, "cgroup"))
		return &r->cgroup.hier[0];
	for (i = 1; i < r->cgroup.nhier; i++)
		if (has_word(r->cgroup.hier[i].ctrl, ctrl1))
			return &r->cgroup.hier[i];
	return &r->cgroup.hier[0];
}

static void
write_limits(struct run *r, const char *have)
{
	const struct limit *l;
	const struct hier *h;
	char text[256];

	for (l = cgroup_limits; l->file; l++)
		for (each(r->conf, s, l->id)) {
			h = hier_with_file(r, have, l->ctrl, l->ctrl1);
			l->text(r->conf, *h->ctrl, text, sizeof(text));
			write_limit(h, *h->ctrl ? l->file1 : l->file, text, s);
		}
	for (each(r->conf, s, KEY_CGROUP)) {
		char ctrl[64];

		controller_of(s, ctrl, sizeof(ctrl));
		h = hier_with_file(r, have, ctrl, ctrl);
		write_limit(h, s->sub, s->value, s);
	}
}

struct hier *
cgroup_v1(struct run *r, const char *ctrl)
{
	const struct hier *h = hier_with_file(r, "", ctrl, ctrl);
	struct mount m;

	if (*h->ctrl)
		return &r->cgroup.hier[h - r->cgroup.hier];
	return hierarchy_find(&m, ctrl) ? hier_v1(r, &m) : NULL;
}

int
hier_mount_v1(const char *ctrl)
{
	enum { TRIES = 100 };
	char options[80];
	int i, fd;

	put(options, sizeof(options), "%s%s", strchr(ctrl, '=') ? "none " : "",
	    ctrl);
	/* Of one that is being taken apart the kernel waits 10 ms and begins
	 * the call again, which fsconfig(2) then refuses. */
	for (i = 0; i < TRIES; i++) {
		fd = new_mount("cgroup", options, 0);
		if (fd >= 0 || errno != EBUSY)
			break;
	}
	return fd;
}

static void
add_detached(struct run *r, const char *ctrl, const char *why)
{
	char path[80];
	int fd = hier_mount_v1(ctrl);

	if (fd < 0)
		die("%smounting the cgroup v1 hierarchy of %s%s:",
		    conf_where(r->conf, KEY_CGROUP_VIEW), ctrl, why);
	put(path, sizeof(path), DETACHED1 "%s", ctrl);
	hier_add(r, ctrl, path, fd);
}

/* name=systemd: the host's, or one of our own where the guest must see v1. */
static void
add_systemd(struct run *r)
{
	if (!cgroup_v1(r, "name=systemd") && r->mount.view == VIEW_V1)
		add_detached(r, "name=systemd", " for cgroup.view=v1");
}

/* Whoever owns a cgroup namespace can mount every v1 hierarchy that the kernel
 * has, and gets there what the namespace began with.  So it begins in a group
 * of our own in each: no other's can be read there, and release_agent, which
 * runs a program on the host, is in the root of a hierarchy only, cgroups(7).
 * proc(5) lists them.  In another container we may make no groups, and what
 * it has been given is all that there is. */
static void
add_every_v1(struct run *r)
{
	char text[4096], first[64], *line, *ctrl, *rest = text;

	if (r->conf->userns != USERNS_NONE && !in_first_userns())
		return;
	if (read_at(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) < 0 ||
	    strlen(text) == sizeof(text) - 1)
		die("reading /proc/self/cgroup:");
	while ((line = next_part(&rest, "\n"))) {
		ctrl = line + strcspn(line, ":");
		ctrl += *ctrl == ':';
		ctrl[strcspn(ctrl, ":")] = '\0';
		put(first, sizeof(first), "%.*s", (int)strcspn(ctrl, ","),
		    ctrl);
		if (*ctrl && !cgroup_v1(r, first))
			add_detached(r, ctrl, " to shut it off");
	}
}

void
cgroup_host(struct run *r)
{
	char have[256], need[512];
	size_t i;

	r->cgroup.nhier = 0;
	hier_add_v2(r);
	read_at(r->cgroup.hier->base, "cgroup.controllers", have, sizeof(have));
	choose(r, have, need, sizeof(need));
	add_systemd(r);
	add_every_v1(r);
	device_choose(r);
	record_groups(r, 0);
	for (i = 0; i < r->cgroup.nhier; i++)
		make_group(r, &r->cgroup.hier[i]);
	enable(r, &r->cgroup.hier[0], need);
	write_limits(r, have);
	device_lists(r);
	for (i = 0; i < r->cgroup.nhier; i++)
		make_payload(r, &r->cgroup.hier[i]);
}

void
cgroup_child(struct run *r)
{
	cgroup_join(r);
	if (unshare(CLONE_NEWCGROUP) < 0)
		die("making the cgroup namespace (CONFIG_CGROUPS):");
}

void
cgroup_started(struct run *r)
{
	size_t i;

	for (i = 1; i < r->cgroup.nhier; i++) {
		shut(&r->cgroup.hier[i].tasks);
		shut(&r->cgroup.hier[i].base);
	}
}

/* For a container that runs: the hierarchy of a controller that it had no use
 * for before, with its group, into which nobody has moved yet. */
struct hier *
cgroup_add(struct run *r, const char *ctrl, const char *ctrl1,
    const struct setting *s)
{
	struct hier *h = &r->cgroup.hier[0];
	char have[256], plus[72];

	read_at(h->group, "../../cgroup.controllers", have, sizeof(have));
	if (has_word(have, ctrl)) {
		put(plus, sizeof(plus), "+%s", ctrl);
		if (write_at(h->group, "../../cgroup.subtree_control",
		    plus) < 0 ||
		    write_at(h->group, "../cgroup.subtree_control", plus) < 0)
			die("%senabling %s in %s and above:", s->where, ctrl,
			    h->path);
		return h;
	}
	h = hier_of(r, have, ctrl, ctrl1, s);
	if (h->group < 0) {
		record_groups(r, h - r->cgroup.hier);
		make_group(r, h);
		make_payload(r, h);
	}
	return h;
}

/* ---- out of memory ---- */

static uint64_t
oom_kills(int group, const char *file)
{
	char text[1024], *p;

	if (read_at(group, file, text, sizeof(text)) < 0)
		return 0;
	p = strstr(text, "oom_kill ");
	return p ? strtoull(p + strlen("oom_kill "), NULL, 10) : 0;
}

void
cgroup_oom(struct run *r)
{
	const struct setting *s = conf_next(r->conf, KEY_MEMORY, NULL);
	uint64_t kills = 0;
	size_t i;

	for (i = 0; i < r->cgroup.nhier; i++) {
		if (!*r->cgroup.hier[i].ctrl)
			kills += oom_kills(r->cgroup.hier[i].group,
			    "memory.events");
		else
			kills += oom_kills(r->cgroup.hier[i].payload,
			    "memory.oom_control");
	}
	if (!kills)
		return;
	tell("%s%s: out of memory, %" PRIu64 " process%s killed at %s",
	    s ? s->where : "", r->conf->name, kills, kills == 1 ? "" : "es",
	    s ? conf_text(s) : "a limit above the container's");
}

/* ---- removal ---- */

/* Back out of the leaf, so that our group is as it was. */
static void
leave_leaf(struct run *r)
{
	char text[256], minus[256], *p;
	int base = r->cgroup.hier[0].base;

	read_at(base, "cgroup.subtree_control", text, sizeof(text));
	plus_list(text, minus, sizeof(minus));
	for (p = minus; (p = strchr(p, '+')); )
		*p = '-';
	if (*minus)
		write_at(base, "cgroup.subtree_control", minus);
	/* with another crun in this unit, it stays as it is */
	if (!write_at(base, "cgroup.procs", "0"))
		unlinkat(base, LEAF, AT_REMOVEDIR);
	*r->cgroup.delegated = '\0';
}

void
cgroup_close(struct run *r)
{
	struct hier *h;

	for (h = r->cgroup.hier; h < r->cgroup.hier + r->cgroup.nhier; h++) {
		shut(&h->tasks);
		if (h->payload != h->group)
			shut(&h->payload);
		shut(&h->group);
		shut(&h->base);
		free(h->path);
	}
	r->cgroup.nhier = 0;
}

/* One process that does not die is in all of the groups, and told of once. */
static void
undo_group(struct run *r, struct hier *h)
{
	int top = h->group < 0 ? openat(h->base, CGROUP_TOP, DIR_FLAGS) :
	    openat(h->group, "..", DIR_FLAGS);
	const char *why = NULL;
	char what[512];

	if (strstr(h->path, "/" CGROUP_TOP "/")) /* crun set has made it */
		put(what, sizeof(what), "%s", h->path);
	else
		put(what, sizeof(what), "%s/" CGROUP_TOP "/%s", h->path,
		    r->conf->name);
	if (h->group >= 0)
		why = group_remove(r, top, what);
	unlinkat(top, "../" CGROUP_TOP, AT_REMOVEDIR);
	shut(&top);
	if (why && !r->state.left)
		tell("%s: %s; left to crun clean", r->conf->name, why);
	if (why)
		state_keep(r);
}

void
cgroup_undo(struct run *r)
{
	struct hier *h;

	for (h = r->cgroup.hier; h < r->cgroup.hier + r->cgroup.nhier; h++)
		undo_group(r, h);
	if (*r->cgroup.delegated)
		leave_leaf(r);
	cgroup_close(r);
}
