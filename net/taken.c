/* Who has a port of the host: proc_net(5) has the socket's inode, and
 * /proc/PID/fd whose that is. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crun.h"
#include "lib/lib.h"
#include "net/forward.h"
#include "sup/sup.h"

/* The inode of a socket on that port, which of TCP listens; 0: none. */
static unsigned long
find_inode(const char *file, uint16_t port, int udp)
{
	enum { LOCAL = 1, STATE = 3, INODE = 9, WORDS };
	FILE *f = fopen(file, "re");
	char line[512], *word[WORDS], *rest;
	unsigned long inode = 0;
	int i;

	while (f && !inode && fgets(line, sizeof(line), f)) {
		rest = line;
		for (i = 0; i < WORDS; i++) {
			word[i] = next_part(&rest, " \n");
			if (!word[i])
				break;
		}
		if (i < WORDS || !strrchr(word[LOCAL], ':') ||
		    strtoul(strrchr(word[LOCAL], ':') + 1, NULL, 16) != port)
			continue;
		if (udp || !strcmp(word[STATE], "0A"))
			inode = strtoul(word[INODE], NULL, 10);
	}
	if (f)
		fclose(f);
	return inode;
}

static int
has_socket(const char *pid, const char *socket)
{
	char path[64], link[64];
	struct dirent *e;
	ssize_t n;
	int found = 0;
	DIR *d;

	put(path, sizeof(path), "/proc/%.20s/fd", pid);
	d = opendir(path);
	while (d && !found && (e = readdir(d))) {
		n = readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		found = !strcmp(link, socket);
	}
	if (d)
		closedir(d);
	return found;
}

/* 0: none is seen, as of another user, or of another pid namespace. */
static long
find_owner(unsigned long inode)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	char socket[32];
	long pid = 0;

	put(socket, sizeof(socket), "socket:[%lu]", inode);
	while (d && !pid && (e = readdir(d)))
		if (*e->d_name >= '1' && *e->d_name <= '9' &&
		    has_socket(e->d_name, socket))
			pid = strtol(e->d_name, NULL, 10);
	if (d)
		closedir(d);
	return pid;
}

/* The container whose supervisor that is; NULL: none. */
static const char *
find_container(long pid)
{
	char path[STATE_PATH], text[128], *line, *rest;
	size_t n, i;
	char **names = state_names(&n);

	for (i = 0; i < n; i++) {
		put_state_path(path, sizeof(path), names[i], "pid");
		rest = text;
		if (read_at(AT_FDCWD, path, text, sizeof(text)) <= 0)
			continue;
		next_part(&rest, "\n");
		line = next_part(&rest, "\n");
		if (line && strtol(line, NULL, 10) == pid)
			return names[i];
	}
	return NULL;
}

const char *
taken_by(uint16_t port, int udp)
{
	static char text[128];
	unsigned long inode = find_inode(udp ? "/proc/net/udp" :
	    "/proc/net/tcp", port, udp);
	char path[32], comm[32];
	const char *name;
	long pid;

	if (!inode)
		inode = find_inode(udp ? "/proc/net/udp6" : "/proc/net/tcp6",
		    port, udp);
	pid = inode ? find_owner(inode) : 0;
	if (!pid)
		return "a process that is not seen from here";
	name = find_container(pid);
	if (name) {
		snprintf(text, sizeof(text), "the container %s", name);
		return text;
	}
	put(path, sizeof(path), "/proc/%ld/comm", pid);
	read_at(AT_FDCWD, path, comm, sizeof(comm));
	snprintf(text, sizeof(text), "pid %ld (%.*s)", pid,
	    (int)strcspn(comm, "\n"), comm);
	return text;
}
