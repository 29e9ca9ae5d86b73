/* racer - changes a rootfs while it is used, until it is killed.
 *
 *	racer PATH ...
 *
 * Takes one of the PATHs after the other, in no order, and exchanges it with
 * PATH.link and back, renameat2(2): what was a folder is a symbolic link for a
 * moment.  Folders are opened at first, so that it does not follow its own
 * links.  Now and then it waits for some microseconds, so that it does not
 * always meet the same moments.  A file that is missing is made anew: one that
 * crun has made, as it seems to crun, is removed by it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int
make(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_NOFOLLOW, 0644);

	return fd < 0 ? -1 : close(fd);
}

int
main(int argc, char **argv)
{
	static struct {
		int dir;
		char name[256], link[264];
	} part[64];
	char path[256], *slash;
	int i, j, n = 0;

	(void)argc;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	srandom(getpid());
	for (; n < 64 && argv[1 + n]; n++) {
		snprintf(path, sizeof(path), "./%s", argv[1 + n]);
		slash = strrchr(path, '/');
		snprintf(part[n].name, sizeof(part[n].name), "%s", slash + 1);
		snprintf(part[n].link, sizeof(part[n].link), "%s.link",
		    slash + 1);
		*slash = '\0';
		part[n].dir = open(path, O_PATH | O_DIRECTORY);
		if (part[n].dir < 0)
			return perror(path), 2;
	}
	if (!n)
		return fputs("racer: no paths\n", stderr), 2;
	for (;;) {
		i = random() % n;
		for (j = 0; j < 2; j++) {
			if (renameat2(part[i].dir, part[i].name, part[i].dir,
			    part[i].link, RENAME_EXCHANGE) < 0 &&
			    (errno != ENOENT || make(part[i].dir,
			    part[i].name) < 0))
				return perror(part[i].name), 1;
			if (random() % 16 == 0)
				usleep(random() % 100);
		}
	}
}
