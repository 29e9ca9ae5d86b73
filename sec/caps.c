/* The last gate before exec: limits, sysctls, the keyring, capabilities, and
 * the closing of files.
 *
 * rlimits and sysctls are set by the supervisor while the child waits: raising
 * a hard limit needs CAP_SYS_RESOURCE of the host, and before Linux 6.11 the
 * files of the ipc namespace belong to the host's root.  Which namespace a
 * file of /proc/sys speaks of is decided by the writer's own, so the
 * supervisor visits the child's for the write.
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "idmap/idmap.h"
#include "lib/lib.h"
#include "sec/sec.h"
#include "config.h"

/* ---- the supervisor's part ---- */

/* Only what the child may not do itself: to raise a hard limit.  What it
 * lowers is for the init, and not for the child's own work. */
static void
raise_rlimits(struct run *r)
{
	for (each(r->conf, s, KEY_RLIMIT)) {
		struct rlimit l;

		if (!prlimit(r->init.pid, s->u.rlimit.resource, NULL, &l) &&
		    s->u.rlimit.hard <= l.rlim_max)
			continue;
		l.rlim_max = s->u.rlimit.hard;
		if (prlimit(r->init.pid, s->u.rlimit.resource, &l, NULL) < 0)
			die("%srlimit.%s=%s%s:", s->where, s->sub, s->value,
			    errno == EPERM ? ", above crun's own hard limit" :
			    "");
	}
}

/* net.ipv4.conf.eth0/1.rp_filter: as sysctl(8) reads it, where a slash comes
 * first the names are paths already. */
static void
sysctl_path(char *buf, size_t size, const char *name)
{
	int paths = strcspn(name, "/") < strcspn(name, ".");
	char *p;

	put(buf, size, "/proc/sys/%s", name);
	for (p = buf + strlen("/proc/sys/"); *p && !paths; p++)
		*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
}

static void
visit(int fd, int type, const char *what)
{
	if (setns(fd, type) < 0)
		die("entering %s:", what);
}

/* As the host's root, or as the container's: whose the file is differs with
 * the kernel, and no capability counts for it (sysctl_perm()). */
static int
write_sysctl(const struct run *r, const char *path, const char *value)
{
	int bad, err;

	if (!write_at(AT_FDCWD, path, value))
		return 0;
	if ((errno != EACCES && errno != EPERM) || !r->ids.nuid)
		return -1;
	bad = act_as(idmap_uid(r, 0), idmap_gid(r, 0)) < 0 ||
	    write_at(AT_FDCWD, path, value) < 0;
	err = errno;
	if (act_as(0, 0) < 0)
		die("becoming root again:");
	errno = err;
	return bad ? -1 : 0;
}

static void
set_sysctls(struct run *r)
{
	static const int types = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	static const char *const names[] = { "net", "ipc", "uts" };
	char path[256], file[32];
	int own[LEN(names)], err;
	const struct setting *s = conf_next(r->conf, KEY_SYSCTL, NULL);
	size_t i;

	if (!s)
		return;
	for (i = 0; i < LEN(names); i++) {
		put(file, sizeof(file), "/proc/self/ns/%s", names[i]);
		own[i] = open(file, O_RDONLY | O_CLOEXEC);
		if (own[i] < 0)
			die("opening %s:", file);
	}
	visit(r->init.pidfd, types, "the container's namespaces");
	for (; s; s = conf_next(r->conf, KEY_SYSCTL, s)) {
		sysctl_path(path, sizeof(path), s->sub);
		if (write_sysctl(r, path, s->value) < 0)
			break;
		step("sec: %s=%s", path, s->value);
	}
	err = errno;
	for (i = 0; i < LEN(names); i++) {
		visit(own[i], 0, "our own namespaces again");
		close(own[i]);
	}
	errno = err;
	if (s)
		die("%ssysctl.%s=%s%s, writing %s:", s->where, s->sub,
		    s->value, errno == ENOENT ? ", which this kernel does not "
		    "have" : "", path);
}

void
sec_attach(struct run *r)
{
	raise_rlimits(r);
	set_sysctls(r);
}

/* ---- the child's part ---- */

/* A session keyring of its own, or the caller's keys would be reachable;
 * keyrings(7).  A kernel without keys has nothing to keep apart. */
void
sec_keyring_child(struct run *r)
{
	(void)r;
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 &&
	    errno != ENOSYS)
		die("making a session keyring (CONFIG_KEYS)%s:",
		    errno == EDQUOT ? ", see /proc/sys/kernel/keys/maxkeys" :
				      "");
}

void
sec_limits_child(const struct run *r)
{
	for (each(r->conf, s, KEY_RLIMIT)) {
		struct rlimit l = { s->u.rlimit.soft, s->u.rlimit.hard };

		if (prlimit(0, s->u.rlimit.resource, &l, NULL) < 0)
			die("%srlimit.%s=%s:", s->where, s->sub, s->value);
		step("sec: rlimit.%s=%s", s->sub, s->value);
	}
}

/* What the process has: below another container it may be less than
 * config.h's set. */
static uint64_t
permitted_caps(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d) < 0)
		die("reading our capabilities:");
	return (uint64_t)d[1].permitted << 32 | d[0].permitted;
}

/* Numbers that crun does not know are dropped too, up to the first that the
 * kernel does not know (EINVAL). */
void
sec_bound_child(struct run *r)
{
	uint64_t keep = r->cgroup.caps;
	int cap;

	for (cap = 0; cap < 64; cap++) {
		if (keep >> cap & 1 || !prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			continue;
		if (errno == EINVAL && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) < 0)
			break;
		die("dropping capability %d (caps=+NAME keeps one):", cap);
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		die("clearing the ambient capabilities:");
}

/* By libcap-ng; not the bounding set, for which it reads /proc/PID/status
 * twice. */
void
sec_caps_child(struct run *r)
{
	uint64_t keep = r->cgroup.caps & permitted_caps();
	int cap;

	capng_clear(CAPNG_SELECT_BOTH);
	for (cap = 0; cap < 64; cap++)
		if (keep >> cap & 1)
			capng_update(CAPNG_ADD,
			    CAPNG_EFFECTIVE | CAPNG_PERMITTED, cap);
	if (capng_apply(CAPNG_SELECT_CAPS) < 0)
		die("setting the capabilities (CONFIG_MULTIUSER):");
}

int
sec_close_child(int keep)
{
	int fd = dup3(keep, 3, O_CLOEXEC);

	if (keep != 3 && fd < 0)
		die("moving the report pipe:");
	if (syscall(SYS_close_range, 4, ~0U, 0) < 0)
		die("closing files (close_range):");
	return 3;
}
