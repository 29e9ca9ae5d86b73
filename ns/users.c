/* Users of the guest: /etc/passwd and /etc/group, read with suspicion. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/lib.h"
#include "ns/enter.h"

/* ---- users ---- */

/* The text of a file of the guest's that lists users; NULL: it has none. */
static char *
read_users(const char *path)
{
	char *text;
	struct stat st;
	size_t got = 0;
	ssize_t n;
	int fd;

	enter_step(path);
	/* not by a link of /proc to a file of ours */
	fd = open_how(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, 0);
	if (fd < 0 && errno == ENOENT)
		return NULL;
	if (fd < 0 || fstat(fd, &st) < 0)
		die("reading the container's %s:", path);
	if (!S_ISREG(st.st_mode))
		die("the container's %s is not a regular file", path);
	if (st.st_size > USER_FILE)
		die("the container's %s is larger than %d bytes", path,
		    USER_FILE);
	text = xrealloc(NULL, USER_FILE + 2, 1);
	while (got <= USER_FILE && (n = read(fd, text + got, USER_FILE + 1 -
	    got)) > 0)
		got += n;
	close(fd);
	text[got <= USER_FILE ? got : 0] = '\0';
	return text;
}

/* Cuts a line of passwd(5) or group(5) into its fields. */
static int
fields(char *line, char **field, int max)
{
	int n = 0;

	while (n < max) {
		field[n++] = line;
		line = strchr(line, ':');
		if (!line)
			break;
		*line++ = '\0';
	}
	return n;
}

/* Strictly 32 bits of digits, and not the -1 that means "no change". */
static int
parse_id(const char *text, uint32_t *id)
{
	uint64_t n = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9' && n < UINT32_MAX; p++)
		n = n * 10 + (*p - '0');
	*id = n;
	return p > text && !*p && n < UINT32_MAX ? 0 : -1;
}

/* Fills u by its name, or where that is NULL by its uid.  0: no such line. */
static int
find_user(struct user *u, char *text)
{
	char *line, *f[7];
	uint32_t uid, gid;

	while ((line = next_part(&text, "\n"))) {
		if (fields(line, f, 7) != 7 || parse_id(f[2], &uid) < 0 ||
		    parse_id(f[3], &gid) < 0 ||
		    (u->name ? strcmp(u->name, f[0]) : u->uid != uid))
			continue;
		u->uid = uid;
		u->gid = gid;
		u->name = f[0];
		u->home = *f[5] == '/' ? f[5] : "/";
		u->shell = *f[6] == '/' ? f[6] : "/bin/sh";
		return 1;
	}
	return 0;
}

static void
find_groups(struct user *u, char *text)
{
	char *line, *f[4];
	uint32_t gid;

	while ((line = next_part(&text, "\n"))) {
		if (fields(line, f, 4) == 4 && !parse_id(f[2], &gid) &&
		    has_word(f[3], u->name) && u->ngroups < MAXGROUPS)
			u->groups[u->ngroups++] = gid;
	}
}

void
user_look_up(struct user *u, const char *word)
{
	int number = !parse_id(word, &u->uid);
	char *text;

	if (!*word)
		die("-u needs the name or the number of a user");
	if (!number)
		u->name = word;
	text = read_users("/etc/passwd");
	if (!text || !find_user(u, text)) {
		if (!number)
			die("there is no user %s in the container's "
			    "/etc/passwd", word);
		u->gid = u->uid;
	}
	if (u->name && (text = read_users("/etc/group")))
		find_groups(u, text);
}
