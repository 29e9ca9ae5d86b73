/* crun's own program, out of the guest's reach.
 *
 * A process of ours that is in the container, as crun exec is before it execs
 * and the built-in PID 1 all its life, has a /proc/PID/exe, and a guest's
 * "#!/proc/self/exe" runs what it shows.  Root of a user namespace can do no
 * more with that than read, unless the file is one of its ids': with
 * userns=none, or where a map has the file's owner, it could write to the file
 * as soon as nobody runs it (CVE-2019-5736).  Then, before anything else, crun
 * copies itself into a memfd, seals it against any change, memfd_create(2),
 * fcntl(2), and execs that.
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/conf.h"
#include "lib/lib.h"
#include "sec/sec.h"
#include "config.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U		/* Linux 6.3 */
#endif

enum { INPUT = 3 };		/* what standard input was, in the copy */
enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static char **args;
static size_t args_size;	/* of arguments and environment */

static int
is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & SEALS) == SEALS;
}

static int
is_mapped(const struct conf *c, enum key_id key, uint32_t id)
{
	if (c->userns == USERNS_AUTO)
		return id - POOL_FIRST < (uint32_t)POOL_RANGES * RANGE;
	if (c->userns == USERNS_RANGE)
		return id - c->userns_first < c->userns_count;
	for (each(c, s, key))
		if (id - s->u.map.outside < s->u.map.count)
			return 1;
	return 0;
}

/* In a container ours are the ids of those in it, too, idmap.c. */
int
self_exposed(const struct conf *c)
{
	struct stat st;

	if (c->userns == USERNS_NONE || !in_first_userns() ||
	    stat("/proc/self/exe", &st) < 0)
		return 1;
	return is_mapped(c, KEY_UIDMAP, st.st_uid) ||
	    is_mapped(c, KEY_GIDMAP, st.st_gid) || st.st_mode & S_IWOTH;
}

/* A host may have no /proc mounted. */
static int
open_self(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), proc;

	if (fd >= 0 || errno != ENOENT)
		return fd;
	proc = new_mount("proc", "", 0);
	fd = openat(proc, "self/exe", O_RDONLY | O_CLOEXEC);
	shut(&proc);
	return fd;
}

static int
is_copy(void)
{
	int fd = open_self(), copy = fd >= 0 && is_sealed(fd);

	shut(&fd);
	return copy;
}

/* They lie in one piece, proc_pid_cmdline(5). */
void
self_begin(char **argv)
{
	char **last = *environ ? environ : argv;

	while (last[1])
		last++;
	args = argv;
	args_size = *last + strlen(*last) - argv[0];
}

/* The kernel reads both from where they were at exec. */
void
self_forget(const char *name)
{
	memset(args[0], 0, args_size);
	snprintf(args[0], args_size, "%s", name);
}

int
self_input(void)
{
	return is_sealed(INPUT) && is_copy() ? INPUT : STDIN_FILENO;
}

static int
new_memfd(const char *name)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = syscall(SYS_memfd_create, name, flags | MFD_EXEC);

	return fd < 0 && errno == EINVAL ?
	    syscall(SYS_memfd_create, name, flags) : fd;
}

static void
keep_input(const char *text)
{
	size_t len = strlen(text);
	int fd = new_memfd("configuration");

	if (fd < 0 || write(fd, text, len) != (ssize_t)len ||
	    lseek(fd, 0, SEEK_SET) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0 ||
	    (fd == INPUT ? fcntl(fd, F_SETFD, 0) : dup2(fd, INPUT)) < 0)
		die("keeping the configuration for a sealed copy of crun:");
}

/* Up to where the program is loaded from: not its symbols. */
static off_t
loaded_size(void)
{
	extern const ElfW(Ehdr) __ehdr_start;	/* made by ld(1) */
	const ElfW(Phdr) *p = (const void *)((const char *)&__ehdr_start +
	    __ehdr_start.e_phoff);
	off_t size = 0;
	int i;

	for (i = 0; i < __ehdr_start.e_phnum; i++)
		if (p[i].p_type == PT_LOAD &&
		    (off_t)(p[i].p_offset + p[i].p_filesz) > size)
			size = p[i].p_offset + p[i].p_filesz;
	return size;
}

void
self_seal(const char *input)
{
	off_t left = loaded_size();
	int from, to;
	ssize_t n;

	if (is_copy()) {
		prctl(PR_SET_NAME, "crun");
		return;
	}
	if (input)
		keep_input(input);
	from = open_self();
	to = new_memfd("crun");
	if (from < 0 || to < 0)
		die("a sealed copy of crun, which these ids need "
		    "(CONFIG_MEMFD_CREATE, sysctl vm.memfd_noexec below 2); "
		    "making it:");
	while (left > 0 && (n = sendfile(to, from, NULL, left)) > 0)
		left -= n;
	if (left || fcntl(to, F_ADD_SEALS, SEALS) < 0)
		die("a sealed copy of crun, which these ids need; filling "
		    "and sealing it:");
	syscall(SYS_execveat, to, "", args, environ, AT_EMPTY_PATH);
	die("a sealed copy of crun, which these ids need; running it:");
}
