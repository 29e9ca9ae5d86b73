/* Control groups: the container's folder in every hierarchy that it needs.
 *
 *   BASE/crun-os/NAME           the limits; out of the guest's reach
 *   BASE/crun-os/NAME/payload   the processes; root of the cgroup namespace,
 *                               delegated to the container's root.  A v1
 *                               controller, which no guest is shown or, with
 *                               a user namespace, can mount, has its
 *                               processes in NAME itself
 *
 * run->hier[0] is always cgroup v2, which every kernel has and which is
 * mounted for ourselves (detached, seen by nobody) where the host does not.
 * After it come all the v1 hierarchies that the kernel has, whether a key needs
 * them or not: see add_every_v1().  Below a user namespace, which is inside
 * another container, it is those that a key needs, and name=systemd.
 *
 * BASE is the root of the hierarchy; where our own v2 group is delegated
 * (xattr trusted.delegate or user.delegate), it is our own group, and we move
 * into a leaf of it, since a group with processes cannot pass controllers on.
 *
 * The child is born in the v2 payload (CLONE_INTO_CGROUP).  It joins the v1
 * groups itself, by writing 0 to tasks files that the supervisor opened: a
 * thread that moves itself needs no global lock, and the wait for that lock
 * is longer than all the rest of a start.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "crun.h"
#include "config.h"

/* These stand for the path of a mount of our own: of v2, and with what
 * follows of a v1 controller or name=NAME. */
#define DETACHED "cgroup2:"
#define DETACHED1 "cgroup1:"
#define LEAF "crun.supervisor"
#define MARK "trusted." CGROUP_TOP

/* ---- the limits ---- */

static void
text_memory(const struct conf *c, int v1, char *buf, size_t size)
{
	(void)v1;
	put(buf, size, "%" PRIu64, c->memory);
}

/* v1 limits memory and swap together. */
static void
text_swap(const struct conf *c, int v1, char *buf, size_t size)
{
	if (v1 && c->memory == UINT64_MAX)
		die("%sswap: cgroup v1 limits memory and swap together: set "
		    "memory too", conf_where(c, KEY_SWAP));
	put(buf, size, "%" PRIu64, v1 ? c->memory + c->swap : c->swap);
}

static void
text_cpus(const struct conf *c, int v1, char *buf, size_t size)
{
	put(buf, size, v1 ? "%" PRIu64 : "%" PRIu64 " 100000", c->cpus * 100);
}

/* weight 100 is shares 1024, cgroup-v2.rst */
static void
text_cpu_weight(const struct conf *c, int v1, char *buf, size_t size)
{
	uint64_t shares = c->cpu_weight * 1024 / 100;

	if (shares < 2)
		shares = 2;
	put(buf, size, "%" PRIu64, v1 ? shares : c->cpu_weight);
}

static void
text_cpuset(const struct conf *c, int v1, char *buf, size_t size)
{
	(void)v1;
	put(buf, size, "%s", c->cpuset);
}

static void
text_pids(const struct conf *c, int v1, char *buf, size_t size)
{
	(void)v1;
	put(buf, size, "%" PRIu64, c->pids);
}

/* bfq on v1 knows weights to 1000 only */
static void
text_io_weight(const struct conf *c, int v1, char *buf, size_t size)
{
	uint64_t w = c->io_weight;

	put(buf, size, "%" PRIu64, v1 && w > 1000 ? 1000 : w);
}

const struct limit cgroup_limits[] = {
	{ KEY_MEMORY, "memory", "memory", "memory.max",
	    "memory.limit_in_bytes", text_memory, "max", "-1" },
	{ KEY_SWAP, "memory", "memory", "memory.swap.max",
	    "memory.memsw.limit_in_bytes", text_swap, "max", "-1" },
	{ KEY_CPUS, "cpu", "cpu", "cpu.max", "cpu.cfs_quota_us", text_cpus,
	    "max", "-1" },
	{ KEY_CPU_WEIGHT, "cpu", "cpu", "cpu.weight", "cpu.shares",
	    text_cpu_weight, "100", "1024" },
	{ KEY_CPUSET, "cpuset", "cpuset", "cpuset.cpus", "cpuset.cpus",
	    text_cpuset, "\n", NULL },
	{ KEY_PIDS, "pids", "pids", "pids.max", "pids.max", text_pids, "max",
	    "max" },
	{ KEY_IO_WEIGHT, "io", "blkio", "io.weight", "blkio.bfq.weight",
	    text_io_weight, "100", "100" },
	{ .file = NULL },
};

/* ---- which hierarchies there are ---- */

struct mount {
	char path[256];
	char ctrl[64];		/* its super options that matter; "" is v2 */
};

/* Undoes the \ooo of mountinfo, proc(5). */
static void
unescape(char *s)
{
	char *out = s;

	for (; *s; s++)
		if (*s == '\\' && s[1] && s[2] && s[3]) {
			*out++ = (s[1] - '0') << 6 | (s[2] - '0') << 3 |
			    (s[3] - '0');
			s += 3;
		} else {
			*out++ = *s;
		}
	*out = '\0';
}

/* One line of mountinfo; 0 unless it is a cgroup hierarchy. */
static int
parse_mount(char *line, struct mount *m)
{
	char *dash = strstr(line, " - cgroup"), *path = line, *opts;
	int i;

	if (!dash)
		return 0;
	for (i = 0; i < 4 && path; i++)
		path = strchr(path, ' '), path += !!path;
	opts = strrchr(dash, ' ');
	if (!path || !opts || strcspn(path, " ") >= sizeof(m->path))
		return 0;
	put(m->path, sizeof(m->path), "%.*s", (int)strcspn(path, " "), path);
	unescape(m->path);
	*m->ctrl = '\0';
	if (strncmp(dash, " - cgroup2 ", 11)) {
		opts += strcspn(opts, ",");	/* past rw or ro */
		opts[strcspn(opts, "\n")] = '\0';
		snprintf(m->ctrl, sizeof(m->ctrl), "%s", opts + !!*opts);
	}
	return 1;
}

static int
is_mount(const char *path, long magic)
{
	struct statfs fs;

	return !statfs(path, &fs) && (long)fs.f_type == magic;
}

/* Where a hierarchy usually is: this spares the host's list of mounts. */
static int
usual_mount(struct mount *m, const char *ctrl)
{
	const char *name = strchr(ctrl, '=');

	put(m->ctrl, sizeof(m->ctrl), "%s", ctrl);
	if (!*ctrl) {
		put(m->path, sizeof(m->path), "/sys/fs/cgroup");
		if (is_mount(m->path, CGROUP2_SUPER_MAGIC))
			return 1;
	}
	put(m->path, sizeof(m->path), "/sys/fs/cgroup/%s",
	    name ? name + 1 : *ctrl ? ctrl : "unified");
	return is_mount(m->path, *ctrl ? CGROUP_SUPER_MAGIC :
	    CGROUP2_SUPER_MAGIC);
}

static int
listed_mount(struct mount *m, const char *ctrl)
{
	char line[2048];
	int found = 0;
	FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f && !found && fgets(line, sizeof(line), f))
		found = parse_mount(line, m) &&
		    (*ctrl ? has_word(m->ctrl, ctrl) : !*m->ctrl);
	if (f)
		fclose(f);
	return found;
}

/* The hierarchy of a v1 controller or name=NAME; "" is v2. */
static int
find_mount(struct mount *m, const char *ctrl)
{
	if (usual_mount(m, ctrl))
		return 1;
	/* on a pure v2 host there is no other */
	if (*ctrl && is_mount("/sys/fs/cgroup", CGROUP2_SUPER_MAGIC))
		return 0;
	return listed_mount(m, ctrl);
}

static struct hier *
add_hier(struct run *r, const char *ctrl, const char *path, int base)
{
	struct hier *h;
	struct stat st;

	if (r->nhier == MAXHIER)
		die("more than %d cgroup hierarchies", MAXHIER);
	h = &r->hier[r->nhier++];
	*h = (struct hier){ .base = base, .group = -1, .payload = -1,
	    .tasks = -1 };
	put(h->ctrl, sizeof(h->ctrl), "%s", ctrl);
	h->path = xprintf("%s", path);
	if (base < 0 || fstat(base, &st) < 0)
		die("opening %s:", path);
	h->dev = st.st_dev;
	return h;
}

/* The v1 hierarchy of a controller, added when it is first needed; two
 * controllers may share one, and have the same root then. */
static struct hier *
v1_hier(struct run *r, const struct mount *m)
{
	struct hier *h;
	struct stat st;
	size_t i;

	if (stat(m->path, &st) < 0)
		die("looking at %s:", m->path);
	for (i = 1; i < r->nhier; i++) {
		h = &r->hier[i];
		if (has_word(h->ctrl, m->ctrl))
			return h;
		if (h->dev == st.st_dev) {
			put(h->ctrl + strlen(h->ctrl),
			    sizeof(h->ctrl) - strlen(h->ctrl), ",%s", m->ctrl);
			return h;
		}
	}
	return add_hier(r, m->ctrl, m->path,
	    open(m->path, DIR_FLAGS & ~O_NOFOLLOW));
}

/* Our own v2 group, if it was delegated to us; "" else. */
static void
find_delegated(struct run *r, const char *mount)
{
	char text[4096], path[4096], flag;
	char *own;

	*r->delegated = '\0';
	if (read_at(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) < 0)
		return;
	own = strstr(text, "0::/");
	if (!own || (own != text && own[-1] != '\n'))
		return;
	own += strlen("0::");
	own[strcspn(own, "\n")] = '\0';
	if (!own[1] || strlen(own) >= sizeof(r->delegated))
		return;
	/* an earlier life of ours: we are in the leaf already */
	if (strlen(own) > strlen("/" LEAF) &&
	    !strcmp(own + strlen(own) - strlen("/" LEAF), "/" LEAF))
		own[strlen(own) - strlen("/" LEAF)] = '\0';
	snprintf(path, sizeof(path), "%s%s", mount, own);
	if ((getxattr(path, "trusted.delegate", &flag, 1) == 1 ||
	    getxattr(path, "user.delegate", &flag, 1) == 1) && flag == '1')
		put(r->delegated, sizeof(r->delegated), "%s", own);
}

static void
add_v2(struct run *r)
{
	struct mount m;
	char path[512];
	int fd;

	if (!find_mount(&m, "")) {
		fd = new_mount("cgroup2", "", 0);
		if (fd < 0)
			die("mounting cgroup2 (CONFIG_CGROUPS):");
		add_hier(r, "", DETACHED, fd);
		return;
	}
	find_delegated(r, m.path);
	put(path, sizeof(path), "%s%s", m.path, r->delegated);
	add_hier(r, "", path, open(path, DIR_FLAGS));
	if (!*r->delegated)
		return;
	if ((mkdirat(r->hier->base, LEAF, 0755) < 0 && errno != EEXIST) ||
	    write_at(r->hier->base, LEAF "/cgroup.procs", "0") < 0)
		die("moving into a leaf of the delegated group %s:", path);
}

int
cgroup_mount(const char *ctrl, char *path, size_t size)
{
	struct mount m;

	if (!find_mount(&m, ctrl))
		return -1;
	snprintf(path, size, "%s", m.path);
	return 0;
}

/* ---- what a missing controller is told ---- */

static const char *
why_missing(const char *ctrl, int delegated)
{
	char text[4096], *line;
	size_t len = strlen(ctrl);
	static char why[256];
	long number, enabled;
	char *end;

	read_at(AT_FDCWD, "/proc/cgroups", text, sizeof(text));
	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, ctrl, len) || line[len] != '\t')
			continue;
		number = strtol(line + len, &end, 10);
		strtol(end, &end, 10);		/* how many groups */
		enabled = strtol(end, NULL, 10);
		snprintf(why, sizeof(why), !enabled ?
		    "the kernel has switched it off; boot with "
		    "cgroup_enable=%s" : number ?
		    "it is bound to a v1 hierarchy that is not mounted; "
		    "mkdir -p /sys/fs/cgroup/%s && mount -t cgroup -o %s none "
		    "/sys/fs/cgroup/%s" : delegated ?
		    "it is not delegated to our group; Delegate=%s" :
		    "it is not in cgroup.controllers; the group above does "
		    "not pass %s on", ctrl, ctrl, ctrl);
		return why;
	}
	return "the kernel is built without it";
}

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
	die("%s%s%s, writing %s in %s:", s->where, conf_text(s), errno == EBUSY ?
	    ", less than is in use" : "", file, h->path);
}

/* The hierarchy of a controller: v2's where it is there, else v1's, which is
 * added.  Dies where there is none. */
static struct hier *
hier_of(struct run *r, const char *have, const char *ctrl,
    const char *ctrl1, const struct setting *s)
{
	struct mount m;

	if (has_word(have, ctrl) || !strcmp(ctrl, "cgroup"))
		return &r->hier[0];
	if (!find_mount(&m, ctrl1))
		die("%s%s: the host has no %s controller to offer: %s",
		    s->where, conf_text(s), ctrl,
		    why_missing(ctrl1, *r->delegated));
	return v1_hier(r, &m);
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

static int
make_folder(int dir, const char *name)
{
	if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
		return -1;
	return openat(dir, name, DIR_FLAGS);
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

	for (; i < r->nhier; i++, end += strlen(end))
		put(end, lines + sizeof(lines) - end, "cgroup %s/" CGROUP_TOP
		    "/%s\n", r->hier[i].path, r->conf->name);
	state_record(r, lines);
}

/* Whether a folder crun-os is one of ours: who makes it marks it, by an
 * attribute that only root of the host can set, xattr(7).  In a container
 * nobody can, and what is there is the container's own. */
static int
is_ours(int top)
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

	if (is_ours(top))
		return;
	if (fstat(top, &st) < 0)
		die("looking at %s/" CGROUP_TOP ":", h->path);
	if (st.st_nlink > 2 && !is_ours(top))	/* . and .. */
		die("%s/" CGROUP_TOP " is somebody else's: it has groups in "
		    "it, but not crun's mark (" MARK "); remove it, or set "
		    "another CGROUP_TOP in config.h", h->path);
	if (fsetxattr(top, MARK, "1", 1, 0) < 0)
		die("marking %s/" CGROUP_TOP " as crun's:", h->path);
}

/* BASE/crun-os/NAME.  The name is ours by our lock, so a group that is there is
 * a leftover.  crun-os itself may go away meanwhile, with the last of them. */
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
			why = ungroup(r, top, what);
		else if (errno != ENOENT)
			die("making %s:", what);
		close(top);
		if (why) {
			r->left = 1;
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
	if (seen && r->nuid)
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
having(const struct run *r, const char *have, const char *ctrl,
    const char *ctrl1)
{
	size_t i;

	if (has_word(have, ctrl) || !strcmp(ctrl, "cgroup"))
		return &r->hier[0];
	for (i = 1; i < r->nhier; i++)
		if (has_word(r->hier[i].ctrl, ctrl1))
			return &r->hier[i];
	return &r->hier[0];
}

static void
write_limits(struct run *r, const char *have)
{
	const struct limit *l;
	const struct hier *h;
	char text[256];

	for (l = cgroup_limits; l->file; l++)
		for (each(r->conf, s, l->id)) {
			h = having(r, have, l->ctrl, l->ctrl1);
			l->text(r->conf, *h->ctrl, text, sizeof(text));
			write_limit(h, *h->ctrl ? l->file1 : l->file, text, s);
		}
	for (each(r->conf, s, KEY_CGROUP)) {
		char ctrl[64];

		controller_of(s, ctrl, sizeof(ctrl));
		h = having(r, have, ctrl, ctrl);
		write_limit(h, s->sub, s->value, s);
	}
}

struct hier *
cgroup_v1(struct run *r, const char *ctrl)
{
	const struct hier *h = having(r, "", ctrl, ctrl);
	struct mount m;

	if (*h->ctrl)
		return &r->hier[h - r->hier];
	return find_mount(&m, ctrl) ? v1_hier(r, &m) : NULL;
}

/* A detached mount of a v1 hierarchy; -1 and errno. */
static int
mount_v1(const char *ctrl)
{
	char options[80];

	put(options, sizeof(options), "%s%s", strchr(ctrl, '=') ? "none " : "",
	    ctrl);
	return new_mount("cgroup", options, 0);
}

static void
add_detached(struct run *r, const char *ctrl, const char *why)
{
	char path[80];
	int fd = mount_v1(ctrl);

	if (fd < 0)
		die("%smounting the cgroup v1 hierarchy of %s%s:",
		    conf_where(r->conf, KEY_CGROUP_VIEW), ctrl, why);
	put(path, sizeof(path), DETACHED1 "%s", ctrl);
	add_hier(r, ctrl, path, fd);
}

/* name=systemd: the host's, or one of our own where the guest must see v1. */
static void
add_systemd(struct run *r)
{
	if (!cgroup_v1(r, "name=systemd") && r->view == VIEW_V1)
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
		put(first, sizeof(first), "%.*s", (int)strcspn(ctrl, ","), ctrl);
		if (*ctrl && !cgroup_v1(r, first))
			add_detached(r, ctrl, " to shut it off");
	}
}

void
cgroup_host(struct run *r)
{
	char have[256], need[512];
	size_t i;

	r->nhier = 0;
	add_v2(r);
	read_at(r->hier->base, "cgroup.controllers", have, sizeof(have));
	choose(r, have, need, sizeof(need));
	add_systemd(r);
	add_every_v1(r);
	device_choose(r);
	record_groups(r, 0);
	for (i = 0; i < r->nhier; i++)
		make_group(r, &r->hier[i]);
	enable(r, &r->hier[0], need);
	write_limits(r, have);
	device_lists(r);
	for (i = 0; i < r->nhier; i++)
		make_payload(r, &r->hier[i]);
}

void
cgroup_child(struct run *r)
{
	size_t i;

	for (i = 0; i < r->nhier; i++)
		if (r->hier[i].tasks >= 0 &&
		    write(r->hier[i].tasks, "0", 1) != 1)
			die("joining %s/" CGROUP_TOP "/%s/payload:",
			    r->hier[i].path, r->conf->name);
	if (unshare(CLONE_NEWCGROUP) < 0)
		die("making the cgroup namespace (CONFIG_CGROUPS):");
}

void
cgroup_started(struct run *r)
{
	size_t i;

	for (i = 1; i < r->nhier; i++) {
		shut(&r->hier[i].tasks);
		shut(&r->hier[i].base);
	}
}

/* For a container that runs: the hierarchy of a controller that it had no use
 * for before, with its group, into which nobody has moved yet. */
struct hier *
cgroup_add(struct run *r, const char *ctrl, const char *ctrl1,
    const struct setting *s)
{
	struct hier *h = &r->hier[0];
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
		record_groups(r, h - r->hier);
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

	for (i = 0; i < r->nhier; i++) {
		if (!*r->hier[i].ctrl)
			kills += oom_kills(r->hier[i].group, "memory.events");
		else
			kills += oom_kills(r->hier[i].payload,
			    "memory.oom_control");
	}
	if (!kills)
		return;
	tell("%s%s: out of memory, %" PRIu64 " process%s killed at %s",
	    s ? s->where : "", r->conf->name, kills, kills == 1 ? "" : "es",
	    s ? conf_text(s) : "a limit above the container's");
}

/* ---- removal ---- */

/* BASE/crun-os of BASE/crun-os/NAME, which may be on a mount of our own. */
int
cgroup_top(const char *what)
{
	char path[512], *name;
	int root, top;

	put(path, sizeof(path), "%s", what);
	name = strrchr(path, '/');
	if (!name)
		return -1;
	*name = '\0';
	if (*path == '/')
		return open(path, DIR_FLAGS);
	path[strcspn(path, "/")] = '\0';
	root = strncmp(path, DETACHED1, strlen(DETACHED1)) ?
	    new_mount("cgroup2", "", 0) :
	    mount_v1(path + strlen(DETACHED1));
	top = openat(root, CGROUP_TOP, DIR_FLAGS);
	shut(&root);
	return top;
}

/* Why there is no such folder.  NULL: it is gone, as the nearest folder above
 * it is one of cgroups still. */
static const char *
why_no_top(const char *what)
{
	char path[512];
	struct statfs fs;
	int fd;

	put(path, sizeof(path), "%s", what);
	if (*path != '/')
		return NULL;
	while ((fd = open(path, DIR_FLAGS)) < 0 && errno == ENOENT &&
	    strrchr(path, '/') > path)
		*strrchr(path, '/') = '\0';
	if (fd >= 0 && !fstatfs(fd, &fs) && (fs.f_type == CGROUP2_SUPER_MAGIC ||
	    fs.f_type == CGROUP_SUPER_MAGIC)) {
		close(fd);
		return NULL;
	}
	shut(&fd);
	return xprintf("the cgroup %s cannot be removed, as its hierarchy is "
	    "not mounted here", what);
}

const char *
cgroup_remove(struct run *r, const char *what)
{
	int top = cgroup_top(what);
	const char *why;

	if (top < 0)
		return why_no_top(what);
	if (!is_ours(top)) {
		close(top);
		return NULL;
	}
	why = ungroup(r, top, what);
	unlinkat(top, "../" CGROUP_TOP, AT_REMOVEDIR);
	close(top);
	return why;
}

void
cgroup_thaw_left(const char *what)
{
	int top = cgroup_top(what), group;

	if (top < 0 || !is_ours(top)) {
		shut(&top);
		return;
	}
	group = openat(top, strrchr(what, '/') + 1, DIR_FLAGS);
	cgroup_thaw(group);
	shut(&group);
	shut(&top);
}

/* Where a group is not open it may be a leftover still. */
void
cgroup_thaw_all(const struct run *r)
{
	const struct hier *h;
	char path[sizeof(CGROUP_TOP) + NAME_LEN + 2];
	int group;

	for (h = r->hier; h < r->hier + r->nhier; h++) {
		put(path, sizeof(path), CGROUP_TOP "/%s", r->conf->name);
		group = h->group >= 0 ? openat(h->group, ".", DIR_FLAGS) :
		    openat(h->base, path, DIR_FLAGS);
		write_at(group, "cgroup.freeze", "0");
		cgroup_thaw(group);
		shut(&group);
	}
}

/* Back out of the leaf, so that our group is as it was. */
static void
leave_leaf(struct run *r)
{
	char text[256], minus[256], *p;
	int base = r->hier[0].base;

	read_at(base, "cgroup.subtree_control", text, sizeof(text));
	plus_list(text, minus, sizeof(minus));
	for (p = minus; (p = strchr(p, '+')); )
		*p = '-';
	if (*minus)
		write_at(base, "cgroup.subtree_control", minus);
	/* with another crun in this unit, it stays as it is */
	if (!write_at(base, "cgroup.procs", "0"))
		unlinkat(base, LEAF, AT_REMOVEDIR);
	*r->delegated = '\0';
}

void
cgroup_close(struct run *r)
{
	struct hier *h;

	for (h = r->hier; h < r->hier + r->nhier; h++) {
		shut(&h->tasks);
		if (h->payload != h->group)
			shut(&h->payload);
		shut(&h->group);
		shut(&h->base);
		free(h->path);
	}
	r->nhier = 0;
}

/* One process that does not die is in all of the groups, and told of once. */
static void
undo_group(struct run *r, struct hier *h)
{
	int top = h->group < 0 ? openat(h->base, CGROUP_TOP, DIR_FLAGS) :
	    openat(h->group, "..", DIR_FLAGS);
	const char *why = NULL;
	char what[512];

	if (strstr(h->path, "/" CGROUP_TOP "/"))	/* crun set has made it */
		put(what, sizeof(what), "%s", h->path);
	else
		put(what, sizeof(what), "%s/" CGROUP_TOP "/%s", h->path,
		    r->conf->name);
	if (h->group >= 0)
		why = ungroup(r, top, what);
	unlinkat(top, "../" CGROUP_TOP, AT_REMOVEDIR);
	shut(&top);
	if (why && !r->left)
		tell("%s: %s; left to crun clean", r->conf->name, why);
	r->left |= why != NULL;
}

void
cgroup_undo(struct run *r)
{
	struct hier *h;

	for (h = r->hier; h < r->hier + r->nhier; h++)
		undo_group(r, h);
	if (*r->delegated)
		leave_leaf(r);
	cgroup_close(r);
}
