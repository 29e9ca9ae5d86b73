/* The clone, the handshake, and the child from GO to exec.
 *
 * Two pipes.  GO: a byte each time the child may go on, which is three times:
 * when its ids and mounts are there, when its network and limits are, so that
 * it puts its tree together while the supervisor makes the veth, and when the
 * wall around devices stands, so that exec is the next thing.  End of file
 * means that the supervisor is gone, and the child exits.  The supervisor
 * holds its end until the init runs.  REPORT: the child sends records of at
 * most PIPE_BUF bytes, each in one write(2) and, as the pipe is O_DIRECT, in
 * one read(2): a line for -v (status 0), a path that it has made in the rootfs
 * (MADE), or why it failed (the exit status).  End of file means that exec
 * happened, as the pipe is close-on-exec.
 *
 * All namespaces but one are made by the one clone3(2).  The cgroup namespace
 * is not: it takes its root from the group of the process that calls (in
 * copy_cgroup_ns()), and for clone3 that is the supervisor, whatever
 * CLONE_INTO_CGROUP says.  The child makes it in cgroup_child(), when it is
 * in its group.
 *
 * Here too: the built-in PID 1 of "-- PROGRAM", which forwards signals to one
 * program and reaps what the program left.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crun.h"
#include "config.h"

enum { MADE = -1 };

struct record {
	int status;		/* 0: a line for -v; MADE: a path made in the */
				/* rootfs; else why it failed */
	char line[PIPE_BUF - sizeof(int)];
};

static int report = -1;		/* the child's end of REPORT */

/* ---- the child's messages ---- */

static void
send_record(int status, const char *line)
{
	struct record rec = { .status = status };
	size_t len = strlen(line);

	if (len >= sizeof(rec.line))
		len = sizeof(rec.line) - 1;
	memcpy(rec.line, line, len);
	len += offsetof(struct record, line) + 1;
	while (write(report, &rec, len) < 0 && errno == EINTR)
		;
}

static void
send_step(const char *line)
{
	send_record(0, line);
}

void
ns_made_child(const char *path, ino_t inode)
{
	char line[PATH_MAX + 24];

	put(line, sizeof(line), "%llu %s", (unsigned long long)inode, path);
	send_record(MADE, line);
}

static void
send_failure(int status, const char *line)
{
	rootfs_restore_child();
	send_record(status, line);
	_exit(status);
}

/* ---- the supervisor's side ---- */

/* The child's signals are as a fresh process has them: what our caller had
 * ignored (nohup) is not for the init.  By the kernel's own call, since the C
 * library keeps 32 to 34 for itself and refuses them, nptl(7); its struct
 * sigaction differs by machine, but SIG_DFL is all zeroes in each. */
void
ns_signals_child(void)
{
	static const unsigned long none_of[16];
	sigset_t none;
	int sig;

	for (sig = 1; sig < _NSIG; sig++)
		syscall(SYS_rt_sigaction, sig, none_of, NULL, _NSIG / 8);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void
ns_spawn(struct run *r, void (*child)(struct run *))
{
	struct clone_args a = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
		    CLONE_NEWUTS | CLONE_NEWIPC | CLONE_PIDFD,
		.pidfd = (uintptr_t)&r->pidfd,
		.exit_signal = SIGCHLD,
	};
	char proc[32];
	long pid;

	if (pipe2(r->go, O_CLOEXEC) < 0 ||
	    pipe2(r->report, O_CLOEXEC | O_DIRECT) < 0)
		die("pipe:");
	if (r->conf->userns != USERNS_NONE)
		a.flags |= CLONE_NEWUSER;
	if (r->nhier && !*r->hier[0].ctrl) {	/* v2 stands first */
		a.flags |= CLONE_INTO_CGROUP;
		a.cgroup = r->hier[0].payload;
	}
	pid = syscall(SYS_clone3, &a, sizeof(a));
	if (pid < 0)
		die("making the namespaces (clone3)%s:", errno == EPERM ?
		    ", which a chroot or a setting of this kernel forbids" :
		    errno == ENOSPC ? ", more than /proc/sys/user/max_*_"
		    "namespaces allow" : errno == EINVAL ? ", the kernel "
		    "lacks one (CONFIG_USER_NS, CONFIG_PID_NS, CONFIG_NET_NS, "
		    "CONFIG_IPC_NS); userns=none does without the first" : "");
	if (!pid) {
		report = r->report[1];
		on_die = send_failure;
		on_step = send_step;
		close(r->go[1]);
		close(r->report[0]);
		ns_signals_child();
		child(r);
		_exit(EXIT_SETUP);
	}
	r->pid = pid;
	shut(&r->go[0]);
	shut(&r->report[1]);
	put(proc, sizeof(proc), "/proc/%ld", pid);
	r->proc = open(proc, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->proc < 0)
		die("opening %s:", proc);
	step("ns: the init is pid %ld", pid);
}

void
ns_release(struct run *r)
{
	if (write(r->go[1], "", 1) != 1)
		die("the child died before it could be set up:");
}

static void
keep_made(struct run *r, const char *line)
{
	char *path;
	ino_t inode = strtoull(line, &path, 10);

	r->made = xrealloc(r->made, r->nmade + 1, sizeof(*r->made));
	r->made[r->nmade++] = (struct made){ xprintf("%s", path + 1), inode };
}

/* The child's next record; 0 at the end of file. */
static int
next_record(struct run *r, struct record *rec)
{
	ssize_t n;

	do
		n = read(r->report[0], rec, sizeof(*rec));
	while (n < 0 && errno == EINTR);
	rec->line[sizeof(rec->line) - 1] = '\0';
	if (n > 0 && rec->status == MADE)
		keep_made(r, rec->line);
	return n > 0;
}

static void stopped_by(const struct run *, int sig) __attribute__((noreturn));

static void
stopped_by(const struct run *r, int sig)
{
	fail(EXIT_SIGNAL + sig, "%s: stopped by signal %d while starting",
	    r->conf->name, sig);
}

void
ns_report(struct run *r)
{
	struct pollfd p[] = { { r->report[0], POLLIN, 0 },
	    { r->signals, POLLIN, 0 }, { 0 } };
	struct record rec;
	int sig, n, ms = PATIENCE_MS;

	if (r->heard)		/* before, in wait_for() */
		stopped_by(r, r->heard);
	for (;;) {
		say_poll(&p[2]);
		n = poll(p, LEN(p), ms);
		if (n < 0 && errno != EINTR)
			die("poll:");
		if (n == 0) {	/* a slow disk is no reason to give up */
			ms = -1;
			tell("%s: %s; a signal ends the start", r->conf->name,
			    wait_words(r->pid, "has not begun the init yet"));
		}
		say_served(&p[2]);
		sig = p[1].revents ? signal_pending(r) : 0;
		if (sig == ASK)		/* between two lives, by crun stop */
			wait_early(r);
		else if (sig)
			stopped_by(r, sig);
		if (!p[0].revents)
			continue;
		if (!next_record(r, &rec))
			break;
		if (rec.status > 0)
			fail(rec.status, "%s", rec.line);
		if (rec.status == 0)
			on_step(rec.line);
	}
	shut(&r->report[0]);
	shut(&r->go[1]);
}

const char *
ns_reason(struct run *r, int *status)
{
	static struct record rec;
	struct pollfd p = { r->report[0], POLLIN, 0 };

	while (p.fd >= 0 && poll(&p, 1, 0) == 1 && next_record(r, &rec))
		if (rec.status > 0) {
			*status = rec.status;
			return rec.line;
		}
	return NULL;
}

void
ns_undo(struct run *r)
{
	static struct record rec;
	siginfo_t info;

	if (r->pidfd >= 0) {
		cgroup_thaw_all(r);
		syscall(SYS_pidfd_send_signal, r->pidfd, SIGKILL, NULL, 0);
		/* cgroup_undo() tells who it is that does not die */
		r->stuck = !wait_for(r, r->pidfd, POLLIN);
	}
	if (r->pidfd >= 0 && !r->stuck) {
		waitid(P_PIDFD, r->pidfd, &info, WEXITED);
		/* all that held the other end are dead: up to its end */
		while (r->report[0] >= 0 && next_record(r, &rec))
			;
	}
	r->pid = 0;
	shut(&r->pidfd);
	shut(&r->proc);
	shut(&r->go[0]);
	shut(&r->go[1]);
	shut(&r->report[0]);
	shut(&r->report[1]);
}

/* ---- the child's side ---- */

void
ns_wait_child(struct run *r)
{
	char c;
	ssize_t n;

	while ((n = read(r->go[0], &c, 1)) < 0 && errno == EINTR)
		;
	if (n < 0)
		die("waiting for the supervisor:");
	if (n == 0)
		_exit(EXIT_SETUP);
}

/* The kernel forgets PR_SET_PDEATHSIG when ids change, prctl(2); so it is set
 * after that, and then we look whether the supervisor has died already. */
void
ns_identity_child(struct run *r)
{
	struct pollfd p = { r->go[0], 0, 0 };

	if (take_groups(0, NULL) < 0)
		die("dropping the supplementary groups (CONFIG_MULTIUSER):");
	if (take_ids(0, 0) < 0)
		die("becoming root of the container (CONFIG_MULTIUSER):");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		die("asking for a signal at the supervisor's death:");
	if (poll(&p, 1, 0) == 1 && p.revents & (POLLHUP | POLLERR))
		_exit(EXIT_SETUP);
}

void
ns_uts_child(struct run *r)
{
	const char *name = r->conf->hostname;

	if (sethostname(name, strlen(name)) < 0)
		die("setting the host name to %s:", name);
}

/* ---- exec ---- */

void
ns_put_env(char **env, const char *text)
{
	size_t len = strcspn(text, "=") + 1, i;

	for (i = 0; env[i] && strncmp(env[i], text, len); i++)
		;
	env[i] = (char *)text;
}

char **
ns_environment(const struct run *r, size_t more)
{
	const struct conf *c = r->conf;
	const char *term = getenv("TERM");
	size_t room = LEN(config_env) + 4 + c->nset + more, i;
	char **env = xrealloc(NULL, room, sizeof(*env));

	memset(env, 0, room * sizeof(*env));
	for (i = 0; i < LEN(config_env); i++)
		ns_put_env(env, config_env[i]);
	ns_put_env(env, xprintf("container=%s", c->container));
	if (r->slave >= 0)
		ns_put_env(env, xprintf("TERM=%s", term && *term ? term :
		    "linux"));
	if (r->notify >= 0)
		ns_put_env(env, "NOTIFY_SOCKET=/run/host/notify");
	for (each(c, s, KEY_ENV))
		ns_put_env(env, s->value);
	return env;
}

static void exec_failed(const struct run *, const char *path)
    __attribute__((noreturn));

/* Why execve(2) gives EACCES. */
static const char *
why_denied(const char *path)
{
	struct statfs fs;
	struct stat st;

	if (stat(path, &st) < 0)
		return "";
	if (S_ISDIR(st.st_mode))
		return " is a folder";
	if (!(st.st_mode & 0111))
		return " is not executable, chmod +x helps";
	if (!statfs(path, &fs) && fs.f_flags & ST_NOEXEC)
		return " lies on a file system mounted noexec";
	return "";
}

static void
exec_failed(const struct run *r, const char *path)
{
	const char *where = conf_where(r->conf, KEY_INIT);
	const char *what = r->conf->program ? "program" : "init";
	int err = errno, missing = access(path, F_OK) < 0;
	const char *why = err == EACCES ? why_denied(path) : "";

	errno = err;
	if (err == ENOENT && missing)
		fail(EXIT_NOTFOUND, "%s%s %s: not found in %s", where, what,
		    path, r->conf->rootfs);
	if (err == ENOENT)
		fail(EXIT_NOEXEC, "%s%s %s: its interpreter or loader is not "
		    "in %s", where, what, path, r->conf->rootfs);
	if (err == ENOEXEC)
		fail(EXIT_NOEXEC, "%s%s %s: no program for this machine, and "
		    "no script with #!", where, what, path);
	fail(EXIT_NOEXEC, "%s%s %s%s:", where, what, path, why);
}

static int
is_shell(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t i;

	for (i = 0; i < LEN(config_shells); i++)
		if (!strcmp(slash ? slash + 1 : path, config_shells[i]))
			return 1;
	return 0;
}

void
ns_terminal_child(const struct run *r)
{
	int i = 0;

	if (!r->ttys)
		return;
	while (!(r->ttys >> i & 1))
		i++;
	if (ioctl(i, TIOCSCTTY, 0) < 0)
		die("making the console the controlling terminal:");
}

static void
exec_init(const struct run *r, char **env)
{
	static char *argv[2];
	size_t i;

	if (r->conf->init) {
		if (is_shell(r->conf->init[0]))
			ns_terminal_child(r);
		execve(r->conf->init[0], r->conf->init, env);
		exec_failed(r, r->conf->init[0]);
	}
	for (i = 0; i < LEN(config_inits); i++) {
		argv[0] = (char *)config_inits[i];
		if (is_shell(argv[0]))
			ns_terminal_child(r);
		execve(argv[0], argv, env);
		if (access(argv[0], F_OK) == 0)
			exec_failed(r, argv[0]);
	}
	fail(EXIT_NOTFOUND, "%s has no init: none of /sbin/init, "
	    "/usr/lib/systemd/systemd, /etc/init, /bin/init, /bin/sh is there; "
	    "set init, or give -- PROGRAM", r->conf->rootfs);
}

/* A name without a slash is looked for in the container's PATH, as execvp(3)
 * does: on past what may not be run, which is said when there is no other. */
void
ns_exec_program(const struct run *r, char **env)
{
	char **argv = r->conf->program, path[PATH_MAX], denied[PATH_MAX] = "";
	const char *dir = NULL;
	size_t i, n;

	if (!*argv[0])
		fail(EXIT_NOTFOUND, "the program's name is empty");
	if (strchr(argv[0], '/')) {
		execve(argv[0], argv, env);
		exec_failed(r, argv[0]);
	}
	for (i = 0; env[i]; i++)
		if (!strncmp(env[i], "PATH=", 5))
			dir = env[i] + 5;
	for (; dir && *dir; dir += n + !!dir[n]) {
		n = strcspn(dir, ":");
		put(path, sizeof(path), "%.*s/%s", (int)n, dir, argv[0]);
		execve(path, argv, env);
		if (errno == EACCES && !*denied)
			put(denied, sizeof(denied), "%s", path);
		else if (errno != EACCES && errno != ENOENT && errno != ENOTDIR)
			exec_failed(r, path);
	}
	errno = EACCES;
	if (*denied)
		exec_failed(r, denied);
	fail(EXIT_NOTFOUND, "program %s: not found in the PATH of %s", argv[0],
	    r->conf->rootfs);
}

/* ---- the built-in PID 1 ---- */

static void pid_one(pid_t program) __attribute__((noreturn));

/* Every signal is blocked, and so is taken by sigwaitinfo(2) although a PID 1
 * without handlers would not see it.  Ends with the program's status; the
 * kernel then kills what it left. */
static void
pid_one(pid_t program)
{
	sigset_t all;
	siginfo_t info;
	pid_t pid;
	int sig, status;

	sigfillset(&all);
	for (;;) {
		sig = sigwaitinfo(&all, &info);
		if (sig > 0 && sig != SIGCHLD)
			kill(program, sig);
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			if (pid == program)
				_exit(WIFSIGNALED(status) ?
				    EXIT_SIGNAL + WTERMSIG(status) :
				    WEXITSTATUS(status));
	}
}

void
ns_session_child(struct run *r, int *keep)
{
	int i;

	if (setsid() < 0)
		die("a session of its own (setsid):");
	for (i = 0; i < 3; i++)
		if (r->std[i] != i && dup2(r->std[i], i) < 0)
			die("standard input and output:");
	*keep = sec_close_child(*keep);
}

void
ns_no_process(const char *where)
{
	die("%scloning the program's process%s:", where, errno == EAGAIN ?
	    "; pids is too few for it" : "");
}

void
ns_exec_child(struct run *r)
{
	char **env = ns_environment(r, 0);
	struct clone_args a = { .exit_signal = SIGCHLD };
	sigset_t all, old;
	pid_t pid;

	umask(022);		/* as the kernel starts an init */
	if (!r->conf->program) {
		ns_session_child(r, &report);
		sec_limits_child(r);
		exec_init(r, env);
	}
	setsid();	/* what is sent to our caller's group is not for us */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	/* not fork(3), for which libcap-ng has handlers */
	pid = syscall(SYS_clone3, &a, sizeof(a));
	if (pid < 0)
		ns_no_process(conf_where(r->conf, KEY_PIDS));
	if (!pid) {
		ns_session_child(r, &report);
		ns_terminal_child(r);
		sigprocmask(SIG_SETMASK, &old, NULL);
		sec_limits_child(r);
		ns_exec_program(r, env);
	}
	sec_limits_child(r);	/* crun exec takes PID 1's */
	syscall(SYS_close_range, 0, ~0U, 0);
	self_forget("init");
	prctl(PR_SET_NAME, "init");
	pid_one(pid);
}
