/* The child of crun exec, which enters the container.  See exec.c. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crun.h"
#include "cgroup/cgroup.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "ns/enter.h"
#include "ns/ns.h"
#include "sec/sec.h"
#include "sup/sup.h"
#include "tty/tty.h"
#include "config.h"

static int talk = -1;		/* the child's end */
static int alone;		/* nobody is at the other */

/* ---- the child's messages ---- */

void
enter_step(const char *what)
{
	struct record rec;

	send(talk, &rec, record_make(&rec, STEP, 0, what), MSG_NOSIGNAL);
}

static void
send_failure(int status, const char *line)
{
	struct record rec;

	send(talk, &rec, record_make(&rec, FAILED, status, line), MSG_NOSIGNAL);
	_exit(status);
}

/* Two files, and a number as the text. */
static void
send_files(enum word what, const int *fds, long number)
{
	struct record rec;
	char text[24];

	put(text, sizeof(text), "%ld", number);
	if (pass_send(talk, &rec, record_make(&rec, what, 0, text), fds, 2, 0)
	    < 0 && !alone)
		die("handing files over:");
}

/* ---- the pty ---- */

/* What the guest has put in the place of its devpts is no pty: the device's
 * number and the file system's kind are looked at, on the open file. */
static void
open_pty_child(struct run *r, uid_t owner)
{
	enum { MASTER, SLAVE };
	int fds[2];
	struct statfs fs;
	struct stat st;

	enter_step("opening /dev/pts/ptmx");
	fds[MASTER] = open_how(AT_FDCWD, "/dev/pts/ptmx", O_RDWR | O_NOCTTY |
	    O_NONBLOCK, 0, RESOLVE_NO_SYMLINKS);
	if (fds[MASTER] < 0)
		die("opening the container's /dev/pts/ptmx:");
	if (fstat(fds[MASTER], &st) < 0 || fstatfs(fds[MASTER], &fs) < 0 ||
	    !S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2) ||
	    fs.f_type != DEVPTS_SUPER_MAGIC)
		die("the container's /dev/pts is no devpts");
	fds[SLAVE] = pty_peer(fds[MASTER]);
	if (fds[SLAVE] < 0)
		die("opening a terminal:");
	if (fchown(fds[SLAVE], owner, TTY_GID) < 0 &&
	    fchown(fds[SLAVE], 0, TTY_GID) < 0 &&
	    fchown(fds[SLAVE], 0, 0) < 0)
		die("the owner of the terminal:");
	send_files(PTY, fds, 0);
	console_take(r, fds[MASTER], fds[SLAVE]);
}

/* ---- the child ---- */

static struct rlimit limits[RLIM_NLIMITS];

/* While we may.  Without CAP_SYS_RESOURCE none can be raised above our
 * caller's; the lower of the two holds then. */
static void
raise_limits(void)
{
	struct rlimit own, *l;

	for (l = limits; l < limits + RLIM_NLIMITS; l++) {
		if (prlimit(0, l - limits, NULL, &own) < 0)
			die("reading our limit %d:", (int)(l - limits));
		if (l->rlim_max <= own.rlim_max || !prlimit(0, l - limits,
		    &(struct rlimit){ own.rlim_cur, l->rlim_max }, NULL))
			continue;
		if (errno != EPERM)
			die("taking the init's limit %d:", (int)(l - limits));
		l->rlim_max = own.rlim_max;
		if (l->rlim_cur > own.rlim_max)
			l->rlim_cur = own.rlim_max;
	}
}

/* Lowered only when nothing is left to do that they could forbid. */
static void
take_limits(void)
{
	int i;

	for (i = 0; i < RLIM_NLIMITS; i++)
		if (prlimit(0, i, &limits[i], NULL) < 0)
			die("taking the init's limit %d:", i);
}

static void
join(struct run *r)
{
	int flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC |
	    CLONE_NEWCGROUP;
	size_t i;

	for (i = 1; i < r->cgroup.nhier; i++)	/* that of v2 it was born in */
		if (write(r->cgroup.hier[i].tasks, "0", 1) != 1)
			die("joining %s:", r->cgroup.hier[i].path);
	cgroup_close(r);
	if (r->conf->userns != USERNS_NONE)
		flags |= CLONE_NEWUSER;
	/* that of pids holds for our children */
	if (setns(r->init.pidfd, flags | CLONE_NEWPID) < 0)
		die("joining the container's namespaces:");
}

int
release_children(void)
{
	struct sigaction a = { .sa_flags = SA_NOCLDWAIT | SA_NOCLDSTOP };

	a.sa_handler = SIG_DFL;
	return sigaction(SIGCHLD, &a, NULL);
}

static void
die_with_parent(void)
{
	struct pollfd p = { talk, 0, 0 };

	if (alone)
		return;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		die("asking for a signal at the command's death:");
	if (poll(&p, 1, 0) == 1 && p.revents & (POLLHUP | POLLERR))
		_exit(EXIT_SETUP);
}

static void
become(const struct user *u)
{
	if (take_groups(u->ngroups, u->groups) < 0)
		die("setting the groups of the user:");
	if (take_ids(u->uid, u->gid) < 0)
		die("becoming user %u of the container%s:", (unsigned)u->uid,
		    errno == EINVAL ? ", who is not in its range of ids" : "");
	die_with_parent();
}

/* The init's environment, then the user's, then what -e says.  Neither it nor
 * the program's arguments are ours any more: others in the container shall not
 * see how we were called. */
static char **
environment(const struct run *r, const struct request *q,
    const struct user *u)
{
	char **env = ns_environment(r, q->nenv + 4);
	int i;

	if (u->name) {
		ns_put_env(env, xprintf("HOME=%s", u->home));
		ns_put_env(env, xprintf("USER=%s", u->name));
		ns_put_env(env, xprintf("LOGNAME=%s", u->name));
		ns_put_env(env, xprintf("SHELL=%s", u->shell));
	}
	for (i = 0; i < q->nenv; i++)
		ns_put_env(env, xprintf("%s", q->env[i]));
	for (i = 0; q->argv && q->argv[i]; i++)
		q->argv[i] = xprintf("%s", q->argv[i]);
	self_forget("");
	return env;
}

static void
enter_folder(const struct request *q, const struct user *u)
{
	if (q->dir && chdir(q->dir) < 0)
		die("the container's folder %s:", q->dir);
	/* as login(1): a home that is missing is no reason to stay out */
	if (!q->dir && !q->argv && u->home && chdir(u->home) < 0)
		warn("the home folder %s:", u->home);
}

static void
run_program(struct run *r, const struct request *q, const struct user *u,
    char **env)
{
	const char *shell = u->shell ? u->shell : "/bin/sh";
	char *argv[2] = { NULL, NULL };

	if (q->argv)
		ns_exec_program(r, env);
	argv[0] = xprintf("-%s", strrchr(shell, '/') + 1);
	execve(shell, argv, env);
	fail(errno == ENOENT ? EXIT_NOTFOUND : EXIT_NOEXEC,
	    "the login shell %s:", shell);
}

/* End of file: the command is gone. */
static void
wait_for_go(void)
{
	char go;
	ssize_t n;

	if (alone)
		return;
	while ((n = recv(talk, &go, 1, 0)) < 0 && errno == EINTR)
		;
	if (n < 0)
		die("waiting for the command:");
	if (n == 0)
		_exit(EXIT_SETUP);
}

/* The process that execs. */
static void
program(struct run *r, const struct request *q, const struct user *u,
    char **env)
{
	die_with_parent();
	if (setsid() < 0)
		die("a session of its own (setsid):");
	ns_terminal_child(r);
	take_limits();
	wait_for_go();
	run_program(r, q, u, env);
}

/* It is a child of our parent's, with what we have. */
static void
bear(struct run *r, const struct request *q, const struct user *u)
{
	int pidfd = -1, fds[2];
	struct clone_args a = { .flags = CLONE_PARENT | CLONE_PIDFD,
	    .pidfd = (uintptr_t)&pidfd };
	char **env = environment(r, q, u);
	long pid = syscall(SYS_clone3, &a, sizeof(a));

	if (pid < 0)
		ns_no_process("");
	if (!pid)
		program(r, q, u, env);
	fds[0] = fds[1] = pidfd;
	send_files(BORN, fds, pid);
	_exit(0);
}

/* Where nobody waits for its end, it is the container's init that has to: it
 * gets what a process of its pid namespace leaves, pid_namespaces(7).  The
 * kernel releases that process, but only while its parent lives. */
static void
bear_orphan(struct run *r, const struct request *q, const struct user *u)
{
	struct clone_args a = { .exit_signal = SIGCHLD };
	char **env = environment(r, q, u);
	long pid;

	if (release_children() < 0)
		die("leaving our children to the kernel:");
	pid = syscall(SYS_clone3, &a, sizeof(a));
	if (!pid) {
		if (syscall(SYS_clone3, &a, sizeof(a)) == 0)
			program(r, q, u, env);
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
	_exit(0);
}

static void
child(struct run *r, const struct request *q)
{
	static struct user u;

	ns_signals_child();
	raise_limits();
	join(r);
	enter_step("entering it");
	become(&u);		/* root, to look at its files */
	sec_keyring_child(r);
	if (q->user || !q->argv)
		user_look_up(&u, q->user ? q->user : "0");
	if (r->tty.ttys)
		open_pty_child(r, u.uid);
	ns_session_child(r, &talk);
	sec_bound_child(r);
	seccomp_child(r);
	become(&u);
	sec_caps_child(r);	/* none, if it is not root any more */
	enter_folder(q, &u);
	umask(022);
	if (alone)
		bear_orphan(r, q, &u);
	bear(r, q, &u);
}

/* ---- the command ---- */

/* The init's own group: payload, or a group that the guest has made below
 * it and moved its init to, since one that passes controllers on takes no
 * processes. */
static int
open_init_group(const struct run *r)
{
	char text[8192], *path, *below;
	char *mark = xprintf("/" CGROUP_TOP "/%s/payload", r->conf->name);
	int fd = -1, err = ENOENT;

	if (read_at(r->init.proc, "cgroup", text, sizeof(text)) < 0)
		die("reading the groups of the init of %s:", r->conf->name);
	path = strstr(text, "0::");
	if (path) {
		path[strcspn(path, "\n")] = '\0';
		below = strstr(path, mark);
		if (below && *(below += strlen(mark)) == '/') {
			fd = openat(r->cgroup.hier->payload, below + 1,
			    DIR_FLAGS);
			err = errno;
		}
	}
	free(mark);
	errno = err;
	if (fd < 0 && err == ENOENT)	/* the guest may have removed it */
		fd = openat(r->cgroup.hier->payload, ".", DIR_FLAGS);
	if (fd < 0)
		die("opening the group of the init of %s:", r->conf->name);
	return fd;
}

/* The files by which the child joins the v1 groups; v2 stands first. */
static void
open_tasks(struct run *r)
{
	struct hier *h;

	for (h = r->cgroup.hier + 1; h < r->cgroup.hier + r->cgroup.nhier;
	     h++) {
		if (h->tasks < 0)
			h->tasks = openat(h->payload, "tasks",
			    O_WRONLY | O_CLOEXEC);
		if (h->tasks < 0)
			die("opening the tasks of %s:", h->path);
	}
}

/* The init's, which it cannot have raised above what it was given.  Read by
 * the command, in whose pid namespace the init's number means it. */
static void
read_limits(const struct run *r)
{
	int i;

	for (i = 0; i < RLIM_NLIMITS; i++)
		if (prlimit(r->init.pid, i, NULL, &limits[i]) < 0)
			die("reading the limits of the init of %s:",
			    r->conf->name);
}

void
enter_spawn(struct run *r, const struct request *q, struct entered *e)
{
	int pair[2], group = open_init_group(r);
	struct clone_args a = {
		.flags = CLONE_PIDFD | CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = group,
	};
	int pidfd = -1;
	long pid;

	a.pidfd = (uintptr_t)&pidfd;
	r->caps = device_caps(r->conf);
	read_limits(r);
	open_tasks(r);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		die("socketpair:");
	pid = syscall(SYS_clone3, &a, sizeof(a));
	if (pid < 0)
		ns_no_process("");
	if (!pid) {
		close(pair[0]);
		talk = pair[1];
		on_die = send_failure;
		child(r, q);
		_exit(EXIT_SETUP);
	}
	close(pair[1]);
	close(group);
	*e = (struct entered){ pid, pidfd, pair[0] };
}

static void
exit_quietly(int status, const char *line)
{
	(void)line;
	_exit(status);
}

/* By a helper that ends when it has cloned the program, which nobody of ours
 * waits for: it may hang as long as the container lives. */
void
exec_guest(const struct run *supervisor, char **argv)
{
	const struct request q = { .argv = argv };
	struct conf c = *supervisor->conf;
	struct run r = *supervisor;
	pid_t pid = _Fork();
	struct entered e;

	if (pid > 0)
		waitpid(pid, NULL, 0);
	if (pid)
		return;
	on_die = exit_quietly;
	alone = 1;
	state_child(&r);
	if (cgroup_open(&r))
		_exit(EXIT_SETUP);
	c.program = argv;
	r.conf = &c;
	console_nowhere(&r);
	enter_spawn(&r, &q, &e);
	_exit(0);
}
