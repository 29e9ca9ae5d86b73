/* The mounts of our mount namespace, proc_pid_mountinfo(5):
 *
 *	36 35 98:0 /root /path rw,noatime master:1 - ext4 /dev/sda1 rw,discard
 *	ID PARENT DEVICE ROOT PATH OPTIONS TAG... - FSTYPE SOURCE SUPER-OPTIONS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lib.h"

/* Undoes the \ooo that stands for a blank, a tab, a line's end or a \. */
static void
unescape(char *s)
{
	char *out = s;

	for (; *s; s++)
		if (*s == '\\' && s[1] && s[2] && s[3]) {
			*out++ = (s[1] & 7) << 6 | (s[2] & 7) << 3 | (s[3] & 7);
			s += 3;
		} else {
			*out++ = *s;
		}
	*out = '\0';
}

/* The n-th field of a line, from 0 on; one may be empty.  NULL: it has
 * fewer. */
static char *
field(char *line, int n)
{
	while (line && n--) {
		line = strchr(line, ' ');
		line += line != NULL;
	}
	return line;
}

/* 0: it is no such line. */
static int
parse_line(struct mountinfo *m)
{
	char *tail = strstr(m->line, " - "), *end;

	if (!tail)
		return 0;
	*tail = '\0';
	tail += strlen(" - ");
	m->id = strtol(m->line, &end, 10);
	m->parent = strtol(end, NULL, 10);
	m->path = field(m->line, 4);
	m->fstype = tail;
	m->super = field(tail, 2);
	if (!m->path || !m->super)
		return 0;
	m->path[strcspn(m->path, " ")] = '\0';
	m->fstype[strcspn(m->fstype, " ")] = '\0';
	m->super[strcspn(m->super, "\n")] = '\0';
	unescape(m->path);
	return 1;
}

int
mountinfo_next(struct mountinfo *m)
{
	if (!m->file)
		m->file = fopen("/proc/self/mountinfo", "re");
	while (m->file && getline(&m->line, &m->size, m->file) > 0)
		if (parse_line(m))
			return 1;
	mountinfo_end(m);
	return 0;
}

void
mountinfo_end(struct mountinfo *m)
{
	if (m->file)
		fclose(m->file);
	free(m->line);
	*m = (struct mountinfo){ .file = NULL };
}
