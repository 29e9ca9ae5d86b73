/* The ids of our process, and who may look into it. */
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/lib.h"

int
in_first_userns(void)
{
	static const ino_t first = 0xeffffffd;	/* USER_NS_INIT_INO, nsfs.h */
	struct stat st;

	return stat("/proc/self/ns/user", &st) < 0 || st.st_ino == first;
}

int
take_groups(size_t n, const gid_t *groups)
{
	return setgroups(n, groups);
}

/* A change of ids makes us as dumpable as fs.suid_dumpable says, proc(5). */
int
take_ids(uid_t uid, gid_t gid)
{
	if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -1;
	return prctl(PR_SET_DUMPABLE, 0);
}

void
hide(void)
{
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		die("hiding our memory and files (PR_SET_DUMPABLE):");
}

/* As root the group goes first, and comes back last. */
int
act_as(uid_t uid, gid_t gid)
{
	if (!uid && seteuid(0) < 0)
		return -1;
	if (setegid(gid) < 0)
		return -1;
	return uid ? seteuid(uid) : 0;
}
