/* The end of a control group: what is still in it is killed, and it is
 * removed, with all the groups that the guest has made in it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crun.h"
#include "config.h"

enum { KILL_MS = 5000 };	/* how long killed processes may take to go */

/* The first folder in dir, "" for none.  A descriptor of its own, so that
 * every call reads from the beginning. */
static void
first_folder(int dir, char *name, size_t size)
{
	int fd = openat(dir, ".", DIR_FLAGS);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	*name = '\0';
	if (!d) {
		shut(&fd);
		return;
	}
	while ((e = readdir(d)))
		if (e->d_type == DT_DIR && strcmp(e->d_name, ".") &&
		    strcmp(e->d_name, "..")) {
			snprintf(name, size, "%s", e->d_name);
			break;
		}
	closedir(d);
}

/* Removes dir's folders, bottom up.  It walks by .. and not by recursion: the
 * guest may have nested them as deep as it liked.  0, or -1 and errno. */
static int
remove_below(int dir)
{
	char name[256], below[256];
	int at = openat(dir, ".", DIR_FLAGS), next, depth = 0, err;

	for (;;) {
		first_folder(at, name, sizeof(name));
		if (!*name && !depth)
			break;
		if (*name && !unlinkat(at, name, AT_REMOVEDIR))
			continue;
		err = errno;
		next = openat(at, *name ? name : "..", DIR_FLAGS);
		if (*name)
			first_folder(next, below, sizeof(below));
		if (next < 0 || (*name && !*below)) {
			shut(&next);
			shut(&at);
			errno = err;
			return -1;
		}
		depth += *name ? 1 : -1;
		shut(&at);
		at = next;
	}
	shut(&at);
	return 0;
}

static void
kill_and_wait(pid_t pid)
{
	struct pollfd p = { .events = POLLIN };

	p.fd = syscall(SYS_pidfd_open, pid, 0);
	if (p.fd < 0)
		return;
	syscall(SYS_pidfd_send_signal, p.fd, SIGKILL, NULL, 0);
	poll(&p, 1, KILL_MS);
	close(p.fd);
}

/* Kills the processes of one group, as often as it takes. */
static void
kill_procs(int group)
{
	char text[4096], *p, *end;
	int rounds;
	long pid;

	for (rounds = 0; rounds < 100; rounds++) {
		if (read_at(group, "cgroup.procs", text, sizeof(text)) <= 0)
			return;
		/* a last number may have been cut */
		if ((p = strrchr(text, '\n')))
			*p = '\0';
		for (p = text; (pid = strtol(p, &end, 10)) > 0; p = end)
			kill_and_wait(pid);
	}
}

int
cgroup_says(int events, const char *line)
{
	char text[256] = "";

	return pread(events, text, sizeof(text) - 1, 0) > 0 &&
	    strstr(text, line);
}

/* Kills all in and below a group and waits until it is empty.  cgroup.kill
 * is there from Linux 5.14 on, and only on v2. */
static void
kill_group(int group)
{
	struct pollfd p = { .events = POLLPRI };
	long long end = now_ms() + KILL_MS;
	int payload;

	if (!write_at(group, "cgroup.kill", "1")) {
		p.fd = openat(group, "cgroup.events", O_RDONLY | O_CLOEXEC);
		while (cgroup_says(p.fd, "populated 1") && now_ms() < end)
			poll(&p, 1, end - now_ms());
		shut(&p.fd);
		return;
	}
	write_at(group, "cgroup.freeze", "0");
	kill_procs(group);
	payload = openat(group, "payload", DIR_FLAGS);
	if (payload < 0)
		return;
	kill_procs(payload);	/* PID 1 is here, mostly: all others follow */
	close(payload);
}

void
ungroup(int top, const char *name)
{
	int group = openat(top, name, DIR_FLAGS);

	if (group < 0)
		return;
	unlinkat(group, "payload", AT_REMOVEDIR);	/* most often all */
	if (!unlinkat(top, name, AT_REMOVEDIR)) {
		close(group);
		return;
	}
	/* whoever is left could make groups for ever */
	kill_group(group);
	if (remove_below(group) < 0) {
		kill_group(group);
		if (remove_below(group) < 0)
			warn("removing the groups below " CGROUP_TOP "/%s:",
			    name);
	}
	close(group);
	if (unlinkat(top, name, AT_REMOVEDIR) < 0 && errno != ENOENT) {
		group = openat(top, name, DIR_FLAGS);
		if (group >= 0)
			kill_group(group);
		shut(&group);
		if (unlinkat(top, name, AT_REMOVEDIR) < 0)
			warn("removing the group " CGROUP_TOP "/%s:", name);
	}
}
