/* The end of a start: the environment, the controlling terminal, exec; and the
 * built-in PID 1 of "-- PROGRAM". */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "ns/ns.h"
#include "sec/sec.h"
#include "config.h"

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
	if (r->tty.slave >= 0)
		ns_put_env(env, xprintf("TERM=%s", term && *term ? term :
		    "linux"));
	if (r->back.notify >= 0)
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

	if (!r->tty.ttys)
		return;
	while (!(r->tty.ttys >> i & 1))
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
		if (r->tty.std[i] != i && dup2(r->tty.std[i], i) < 0)
			die("standard input and output:");
	*keep = sec_close_child(*keep);
}

void
ns_clone_failed(const char *where)
{
	die("%scloning the program's process%s:", where, errno == EAGAIN ?
	    "; the limit pids is too low" : "");
}

/* The program's process, which waits for the end of file: then PID 1 holds
 * nothing of ours, and the program's exec is what the supervisor hears. */
static void
program_child(struct run *r, char **env, const sigset_t *mask, const int *held)
{
	char c;

	close(held[1]);
	while (read(held[0], &c, 1) < 0 && errno == EINTR)
		;
	ns_session_child(r, &ns_said);
	ns_terminal_child(r);
	sigprocmask(SIG_SETMASK, mask, NULL);
	sec_limits_child(r);
	ns_exec_program(r, env);
}

void
ns_exec_child(struct run *r)
{
	char **env = ns_environment(r, 0);
	struct clone_args a = { .exit_signal = SIGCHLD };
	sigset_t all, old;
	int held[2];
	pid_t pid;

	umask(022);		/* as the kernel starts an init */
	if (!r->conf->program) {
		ns_session_child(r, &ns_said);
		sec_limits_child(r);
		exec_init(r, env);
	}
	setsid();	/* what is sent to our caller's group is not for us */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	if (pipe2(held, O_CLOEXEC) < 0)
		die("pipe:");
	/* not fork(3), for which libcap-ng has handlers */
	pid = syscall(SYS_clone3, &a, sizeof(a));
	if (pid < 0)
		ns_clone_failed(conf_where(r->conf, KEY_PIDS));
	if (!pid)
		program_child(r, env, &old, held);
	sec_limits_child(r);	/* crun exec takes PID 1's */
	syscall(SYS_close_range, 0, ~0U, 0);
	self_forget("init");
	prctl(PR_SET_NAME, "init");
	pid_one(pid);
}
