/* Control groups: the limits of a container, of one that runs too. */
#ifndef CGROUP_CGROUP_H
#define CGROUP_CGROUP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf/conf.h"

struct run;
struct hier;

enum { MAXHIER = 24 };

struct hier {			/* one mounted cgroup hierarchy */
	char ctrl[64];		/* "cpu,cpuacct", "name=systemd"; "" is v2 */
	char *path;		/* its mount point, for messages; allocated */
	dev_t dev;		/* its file system */
	int base;		/* the folder that crun-os is made in; -1 */
				/* where the groups were there already */
	int group;		/* crun-os/NAME, which has the limits */
	int payload;		/* crun-os/NAME/payload, or group once more */
	int tasks;		/* v1: payload/tasks, the child joins by it */
};

struct cgroup {
	struct hier hier[MAXHIER];	/* the first is v2 */
	size_t nhier;
	char delegated[256];	/* our own group, where it is delegated */
	struct hier *device;	/* v1, with the lists; NULL: by a program */
	uint64_t caps;		/* what the init keeps of conf->caps */
};

/* ---- cgroup.c ---- */

void cgroup_host(struct run *);
void cgroup_child(struct run *);	/* before GO: joins, cgroup namespace */
void cgroup_started(struct run *);	/* closes what only the start needed */
void cgroup_undo(struct run *);
/* Tells of out-of-memory kills since the start, with the limit. */
void cgroup_oom(struct run *);

struct limit {			/* a key that is a file of a controller */
	enum key_id id;
	const char *ctrl, *ctrl1;	/* the controller, its name on v1 */
	const char *file, *file1;
	void (*text)(const struct conf *, int v1, char *, size_t);
	const char *unset, *unset1;	/* the text for no limit; NULL: what */
				/* the group above has */
};

extern const struct limit cgroup_limits[];	/* ends with a NULL file */
/* The v1 hierarchy of a controller or name=NAME, added where the host has
 * mounted it; else NULL.  Before the groups are made. */
struct hier *cgroup_v1(struct run *, const char *ctrl);
/* For a container that runs: enables a controller that it had no use for, or
 * makes a group in its v1 hierarchy, and records it.  Dies, saying why, where
 * the host has none. */
struct hier *cgroup_add(struct run *, const char *ctrl, const char *ctrl1,
    const struct setting *);
void cgroup_close(struct run *);

/* ---- remove.c ---- */

/* Kills and removes a group that a dead supervisor left; what is as
 * state_record() got it.  As group_remove(). */
const char *cgroup_remove(struct run *, const char *what);
/* A process that a v1 freezer holds does not die: so all groups of a container
 * are thawed before anything in them is killed, by whatever hierarchy.  That
 * of one that is left, and those of a run. */
void cgroup_thaw_left(const char *what);
void cgroup_thaw_all(const struct run *);
/* The folder that such a group is in; -1 and errno. */
int cgroup_top(const char *what);
/* Kills what is in a group and removes it, and all below it.  what is its
 * path, for messages, and ends in its name in the folder top.  NULL: it is
 * gone; else a line with the process that does not die, or why else it
 * stays. */
const char *group_remove(struct run *, int top, const char *what);
/* Thaws a group of the v1 freezer, and those below it. */
void cgroup_thaw(int group);
/* Whether a cgroup.events that is open as events has that line now, "populated
 * 1", say; poll(2) then waits for a change of it, cgroup-v2.rst. */
int events_have(int events, const char *line);

/* ---- open.c ---- */

#define BLKIO_ONE "blkio.throttle." /* files of v1 that hold for one group */

/* Opens the groups that NAME/host names and that are not open yet; those that
 * cannot be opened are left out, and the first of them is given, and errno.
 * NULL: all are open. */
const char *cgroup_open(struct run *);
/* Likewise, for what would do harm if one was left out.  -1: one is, or there
 * is none, and that has been told. */
int cgroup_open_all(struct run *, const char *name);
/* The v2 group that the init is in: payload, or one below it.  Dies. */
int cgroup_open_init(const struct run *);
/* Opens the files by which a process joins the v1 groups.  Dies. */
void cgroup_open_tasks(struct run *);
/* The calling process joins all v1 groups, whose tasks are open; in that of v2
 * it was born.  Dies. */
void cgroup_join(const struct run *);
/* Reads a file of the first hierarchy that has it; its length, or -1. */
ssize_t cgroup_read(const struct run *, const char *file, char *buf,
    size_t size);

/* ---- freeze.c ---- */

/* The processes in and below the groups; of cgroups nested deeper than 64 the
 * rest is not counted. */
unsigned long cgroup_count(const struct run *);
/* 0: as asked, and the kernel says so.  -1 and errno: ETIMEDOUT where a
 * process does not let itself be frozen. */
int cgroup_freeze(const struct run *, int frozen);
int cgroup_frozen(const struct run *);
/* Kills all that is in the v2 group, and thaws what is frozen in any. */
void cgroup_kill(const struct run *);

/* ---- set.c ---- */

/* Changes limits, all or none, then what more() does, and the saved
 * configuration with them, unless more() has done so and gives 1.  conf is the
 * new one; asked are the changed settings, an empty value unsets.  Dies with
 * the first that cannot be, or where more() does: then nothing is changed. */
void cgroup_set(struct run *, const struct setting *asked, size_t n,
    int (*more)(struct run *));

/* ---- device.c ---- */

/* Whether devices are to be walled off: not with device=all, and not in a
 * user namespace below the first. */
int device_policy(const struct conf *);
/* Says in r->cgroup.caps what is kept of conf->caps: mknod only under a device
 * policy. */
void device_caps(struct run *);
/* For cgroup_host(), before the groups are made: by a program, or by a v1
 * hierarchy, which it adds.  Dies where the host offers neither way. */
void device_choose(struct run *);
/* Likewise, when they are, and are empty still. */
void device_lists(struct run *);
void device_attach(struct run *);

#endif
