/* How an init is asked to power off or to reboot.
 *
 * There is no common way: what powers one init off reboots the next.  So the
 * init is told apart by what runs (/proc/PID/exe; links to busybox or systemd
 * do not deceive it), and the table in config.h says what it understands.
 *
 * A signal that PID 1 has no handler for is lost, pid_namespaces(7).  So it
 * is only sent once /proc/PID/status says that it is caught or blocked; until
 * then stop_ask() gives 0 and is called again.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crun.h"
#include "lib/lib.h"
#include "ns/ns.h"
#include "config.h"

static const struct inittype other = { "", BY_GUEST, STOP_OTHER,
    REBOOT_OTHER, 0, 0, "" };

static int
is_called(const struct run *r, const char *names)
{
	char comm[32];

	read_at(r->init.proc, "comm", comm, sizeof(comm));
	comm[strcspn(comm, "\n")] = '\0';
	return has_word(names, comm);
}

static const struct inittype *
init_type(const struct run *r)
{
	char exe[4096], *base;
	ssize_t n = readlinkat(r->init.proc, "exe", exe, sizeof(exe) - 1);
	size_t i;

	if (n < 0)
		return &other;
	exe[n] = '\0';
	base = strrchr(exe, '/');
	base = base ? base + 1 : exe;
	for (i = 0; i < LEN(config_inittypes); i++) {
		const struct inittype *t = &config_inittypes[i];

		if (!strcmp(base, t->exe) &&
		    (!*t->comms || is_called(r, t->comms)))
			return t;
	}
	return &other;
}

/* Whether PID 1 handles or waits for the signal, proc_pid_status(5). */
static int
takes(const struct run *r, int sig)
{
	static const char *const fields[] = { "\nSigBlk:", "\nSigCgt:" };
	char text[4096], *p;
	uint64_t set = 0;
	size_t i;

	if (read_at(r->init.proc, "status", text, sizeof(text)) < 0)
		return 0;
	for (i = 0; i < LEN(fields); i++)
		if ((p = strstr(text, fields[i])))
			set |= strtoull(p + strlen(fields[i]), NULL, 16);
	return set >> (sig - 1) & 1;
}

int
stop_signal(const struct run *r, int sig)
{
	return !syscall(SYS_pidfd_send_signal, r->init.pidfd, sig, NULL, 0);
}

static int
by_signal(const struct run *r, int sig, int ready)
{
	return takes(r, ready ? ready : sig) && stop_signal(r, sig);
}

/* A sysvinit before 3.10 powers off by a request for runlevel 0, written to a
 * FIFO; initreq.h of sysvinit. */
static int
by_initctl(const struct run *r, int runlevel)
{
	static const char *const paths[] = { "/run/initctl", "/dev/initctl" };
	struct {
		int magic, cmd, runlevel, sleeptime;
		char data[368];
	} request = { 0x03091969, 1, runlevel, 5, "" };
	struct stat st;
	int root, fd = -1, done = 0;
	size_t i;

	root = openat(r->init.proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (i = 0; i < LEN(paths) && !done; i++) {
		fd = open_beneath(root, paths[i], O_WRONLY | O_NONBLOCK |
		    O_NOCTTY | O_NOFOLLOW);
		if (fd >= 0 && !fstat(fd, &st) && S_ISFIFO(st.st_mode))
			done = write(fd, &request, sizeof(request)) ==
			    sizeof(request);
		shut(&fd);
	}
	shut(&root);
	return done;
}

/* What is there is not opened: it is the guest's, and may be a device. */
static int
set_mode(const char *path, int create, mode_t mode)
{
	int fd;

	if (!chmod(path, mode))
		return 0;
	if (!create || errno != ENOENT)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
	    0);
	shut(&fd);
	return chmod(path, mode);
}

/* runit looks at the modes of two files when it gets CONT, runit(8).  They
 * are set by a process that has become the container's root, so that nothing
 * in the tree is touched with the host's rights; and that nobody waits for,
 * since the guest can make it hang. */
static void
runit_files(const struct run *r, int reboot)
{
	size_t i, last = LEN(config_runit) - 1;
	int none, done = 0;

	if (setns(r->init.pidfd, CLONE_NEWUSER | CLONE_NEWNS) < 0 &&
	    setns(r->init.pidfd, CLONE_NEWNS) < 0)
		_exit(1);
	if (take_ids(0, 0) < 0)
		_exit(1);
	for (i = 0; i <= last && !done; i++) {
		none = i == last;
		set_mode(config_runit[i].reboot, none, reboot ? 0100 : 0);
		done = !set_mode(config_runit[i].stopit, none, 0100);
	}
	stop_signal(r, SIGCONT);
	_exit(0);
}

static int
by_runit(const struct run *r, int reboot)
{
	pid_t pid;

	if (!takes(r, SIGCONT))
		return 0;
	pid = _Fork();
	if (!pid && !_Fork())
		runit_files(r, reboot);
	if (!pid)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return pid > 0;
}

/* Nobody knows this init.  If it takes TERM it gets that; else, and for a
 * reboot, as any shell takes INT, the guest's own program is run.  That knows
 * how to talk to its init. */
static int
by_guest(const struct run *r, int sig, int reboot)
{
	char *argv[] = { reboot ? "/sbin/reboot" : "/sbin/poweroff", NULL };
	int root, fd;

	if (!reboot && by_signal(r, sig, 0))
		return 1;
	root = openat(r->init.proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = open_beneath(root, argv[0], O_PATH);
	shut(&root);
	if (fd < 0)
		return by_signal(r, sig, 0);
	shut(&fd);
	exec_guest(r, argv);
	return 1;
}

int
stop_notifies(const struct run *r)
{
	return !r->conf->program && init_type(r)->notifies;
}

int
stop_ask(const struct run *r, int reboot)
{
	const struct inittype *t = init_type(r);
	int sig = reboot ? t->reboot : t->poweroff;
	int set = reboot ? r->conf->reboot_signal : r->conf->stop_signal;

	if (r->conf->program)
		return stop_signal(r, set ? set : SIGTERM);
	if (set)
		return by_signal(r, set, t->ready);
	switch (t->how) {
	case BY_SIGNAL:
		return by_signal(r, sig, t->ready);
	case BY_INITCTL:
		return by_signal(r, sig, t->ready) ||
		    by_initctl(r, reboot ? '6' : '0');
	case BY_RUNIT:
		return by_runit(r, reboot);
	case BY_GUEST:
		return by_guest(r, sig, reboot);
	}
	return 0;
}
