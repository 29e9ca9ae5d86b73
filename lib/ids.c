/* The ids of our process, and who may look into it. */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/lib.h"

int
in_first_userns(void)
{
	static const ino_t first = 0xeffffffd;	/* USER_NS_INIT_INO, nsfs.h */
	struct stat st;

	return stat("/proc/self/ns/user", &st) < 0 || st.st_ino == first;
}

/* The kernel's own calls: those of libc tell every thread, of which there is
 * one, and bring 2 kB for it.  Some 32-bit machines have two of each, and the
 * older takes 16 bits. */
#ifdef SYS_setresuid32
#undef SYS_setresuid
#undef SYS_setresgid
#undef SYS_setgroups
#define SYS_setresuid SYS_setresuid32
#define SYS_setresgid SYS_setresgid32
#define SYS_setgroups SYS_setgroups32
#endif

int
take_groups(size_t n, const gid_t *groups)
{
	return syscall(SYS_setgroups, n, groups);
}

/* The kernel takes who changes ids for what fs.suid_dumpable says, proc(5). */
int
take_ids(uid_t uid, gid_t gid)
{
	return syscall(SYS_setresgid, gid, gid, gid) < 0 ||
	    syscall(SYS_setresuid, uid, uid, uid) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0) < 0 ? -1 : 0;
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
	if (!uid && syscall(SYS_setresuid, -1, 0, -1) < 0)
		return -1;
	return syscall(SYS_setresgid, -1, gid, -1) < 0 ||
	    (uid && syscall(SYS_setresuid, -1, uid, -1) < 0) ? -1 : 0;
}
