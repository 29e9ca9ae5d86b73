/* The child of crun exec, which enters the container.  See cmd/exec.c. */
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

static int to_command = -1;		/* our socket to the command */
static int no_command;		/* no command waits for us */

/* ---- the child's messages ---- */

void
enter_step(const char *what)
{
	struct record rec;
	size_t size = record_make(&rec, STEP, 0, what);

	send(to_command, &rec, size, MSG_NOSIGNAL);
}

static void
send_failure(int status, const char *line)
{
	struct record rec;
	size_t size = record_make(&rec, FAILED, status, line);

	send(to_command, &rec, size, MSG_NOSIGNAL);
	_exit(status);
}

/* Two files, and a number as the text. */
static void
send_files(enum word what, const int *fds, long number)
{
	struct record rec;
	char text[24];
	size_t size;

	put(text, sizeof(text), "%ld", number);
	size = record_make(&rec, what, 0, text);
	if (pass_send(to_command, &rec, size, fds, 2, 0) < 0 && !no_command)
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

/* While we may.  Without CAP_SYS_RESOURCE none can be raised above our
 * caller's; the lower of the two holds then. */
static void
raise_limits(struct rlimit *limits)
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
take_limits(const struct rlimit *limits)
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

	cgroup_join(r);
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
	struct pollfd p = { to_command, 0, 0 };

	if (no_command)
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

	if (no_command)
		return;
	while ((n = recv(to_command, &go, 1, 0)) < 0 && errno == EINTR)
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
	take_limits(u->limit);
	wait_for_go();
	run_program(r, q, u, env);
}

/* A sibling of ours (CLONE_PARENT), which has what we have. */
static void
clone_program(struct run *r, const struct request *q, const struct user *u)
{
	int pidfd = -1, fds[2];
	struct clone_args a = { .flags = CLONE_PARENT | CLONE_PIDFD,
	    .pidfd = (uintptr_t)&pidfd };
	char **env = environment(r, q, u);
	long pid = syscall(SYS_clone3, &a, sizeof(a));

	if (pid < 0)
		ns_clone_failed("");
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
clone_orphan(struct run *r, const struct request *q, const struct user *u)
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
child(struct run *r, const struct request *q, struct user *u)
{
	ns_signals_child();
	raise_limits(u->limit);
	join(r);
	enter_step("entering it");
	become(u);		/* root, to look at its files */
	sec_keyring_child(r);
	if (q->user || !q->argv)
		user_look_up(u, q->user ? q->user : "0");
	if (r->tty.ttys)
		open_pty_child(r, u->uid);
	ns_session_child(r, &to_command);
	sec_bound_child(r);
	seccomp_child(r);
	become(u);
	sec_caps_child(r);	/* none, if it is not root any more */
	enter_folder(q, u);
	umask(022);
	if (no_command)
		clone_orphan(r, q, u);
	clone_program(r, q, u);
}

/* ---- the command ---- */

/* The init's, which it cannot have raised above what it was given.  Read by
 * the command, in whose pid namespace the init's number means it. */
static void
read_limits(const struct run *r, struct rlimit *limits)
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
	static struct user u;
	int pair[2], group = cgroup_open_init(r);
	struct clone_args a = {
		.flags = CLONE_PIDFD | CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = group,
	};
	int pidfd = -1;
	long pid;

	a.pidfd = (uintptr_t)&pidfd;
	device_caps(r);
	read_limits(r, u.limit);
	cgroup_open_tasks(r);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		die("socketpair:");
	pid = syscall(SYS_clone3, &a, sizeof(a));
	if (pid < 0)
		ns_clone_failed("");
	if (!pid) {
		close(pair[0]);
		to_command = pair[1];
		on_die = send_failure;
		child(r, q, &u);
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
	no_command = 1;
	state_child(&r);
	if (cgroup_open(&r))
		_exit(EXIT_SETUP);
	c.program = argv;
	r.conf = &c;
	console_nowhere(&r);
	enter_spawn(&r, &q, &e);
	_exit(0);
}
