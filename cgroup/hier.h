/* Hierarchies: what the files of this room share. */
#ifndef CGROUP_HIER_H
#define CGROUP_HIER_H

struct run;
struct hier;

/* ---- cgroup.c ---- */

/* These stand for the path of a mount of our own: of v2, and with what
 * follows of a v1 controller or name=NAME. */
#define DETACHED "cgroup2:"
#define DETACHED1 "cgroup1:"
#define LEAF "crun.supervisor"
/* Whether a folder crun-os is one of ours: who makes it marks it, by an
 * attribute that only root of the host can set, xattr(7).  In a container
 * nobody can, and what is there is the container's own. */
int cgroup_is_ours(int top);
/* A detached mount of a v1 hierarchy; -1 and errno. */
int hier_mount_v1(const char *ctrl);

/* ---- freeze.c ---- */

/* The processes in dir and below, counted, and, where to is a group's
 * cgroup.procs, moved there; one that has ended meanwhile is no error. */
unsigned long cgroup_walk(int dir, int to, int depth);

/* ---- hier.c ---- */

/* A hierarchy that is mounted at path, or DETACHED; base is its folder.  Dies
 * when there are too many. */
struct hier *hier_add(struct run *r, const char *ctrl, const char *path,
    int base);
/* That of v2, as the first; mounted for ourselves where the host has none. */
void hier_add_v2(struct run *r);
/* The v1 hierarchy of a controller, added when it is first needed; two
 * controllers may share one, and have the same root then. */
struct hier *hier_v1(struct run *r, const struct mount *m);
/* Why there is no such controller, for a message. */
const char *hier_missing(const char *ctrl, int delegated);

#endif
