/* crun exec: a program in a container that runs, with the init's walls.
 *
 * The command clones a child into the init's own cgroup.  The child takes the
 * init's limits, joins the namespaces, becomes the container's root, opens a
 * pty of the container's devpts where the caller has a terminal, looks the
 * user up, closes its files, and drops what config.h and the saved
 * configuration do not leave.  Only then it clones the process that execs, as
 * a child of the command's, and ends.  That one is the first in the pid
 * namespace of the container: one that is there can be looked into and traced
 * by a root that has CAP_SYS_PTRACE over it, as with userns=none, and has
 * nothing left to take then.  The command stays outside: it relays the
 * terminal, passes signals on and ends with the program's status; if it is
 * killed, the kernel kills the program (PR_SET_PDEATHSIG).
 *
 * A pid namespace ends when all that were in it are reaped, and a command may
 * be stopped or blocked for ever.  So the command reaps nobody: the kernel
 * releases its children as they die (SA_NOCLDWAIT), and SIGCHLD brings the
 * status.  One SIGCHLD is pending at most, signal(7): so the program waits for
 * a GO, which the command says when it has taken the child's.  Who is traced is
 * dead for a pidfd before its tracer lets it go, and SIGCHLD comes after that,
 * ptrace(2): so it is the signal that is waited for.  Only if the
 * command is killed does it take the host's PID 1, or a subreaper, to reap the
 * program.
 *
 * They talk by one SEQPACKET socket: the child says which step comes, hands
 * over the pty and the process, or says why it failed; end of file is the exec.
 * GO is a byte the other way.
 *
 * Nothing of the guest's configures this but /etc/passwd and /etc/group, read
 * inside and with suspicion, and only where a user was named or a login shell
 * is wanted.  A guest can make any of its files hang (a FIFO, FUSE): a child
 * that does not come on within ENTER_MS, and waits, is killed.  The time counts
 * anew when it has joined: in the cgroups many may wait for each other, for the
 * kernel's lock, and that is not the guest's doing.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crun.h"
#include "config.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)	/* ioctl_tty(2), Linux 4.13 */
#endif

enum { ENTER_MS = 1000, LAST_MS = 50 };
enum { USER_FILE = 1 << 20, MAXGROUPS = 1024 };

enum word { STEP, PTY, BORN };	/* above: a status, and why it failed */

struct record {
	int word;
	char text[PIPE_BUF - sizeof(int)];
};

struct user {
	uid_t uid;
	gid_t gid;
	const char *name, *home, *shell;	/* NULL: not known */
	gid_t groups[MAXGROUPS];
	size_t ngroups;
};

static int talk = -1;		/* the child's end */
static int alone;		/* nobody is at the other */

/* ---- the child's messages ---- */

static void
send_record(int word, const char *text)
{
	struct record rec = { .word = word };

	snprintf(rec.text, sizeof(rec.text), "%s", text);
	send(talk, &rec, offsetof(struct record, text) + strlen(rec.text) + 1,
	    MSG_NOSIGNAL);
}

static void
send_failure(int status, const char *line)
{
	send_record(status, line);
	_exit(status);
}

/* Two files; the text is a number. */
static void
send_files(int word, const int *fds, long number)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} c = { .head = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
	    .cmsg_len = CMSG_LEN(2 * sizeof(int)) } };
	struct record rec = { .word = word };
	struct iovec v = { &rec, offsetof(struct record, text) + 24 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
	    .msg_control = &c, .msg_controllen = sizeof(c) };

	snprintf(rec.text, sizeof(rec.text), "%ld", number);
	memcpy(CMSG_DATA(&c.head), fds, 2 * sizeof(int));
	if (sendmsg(talk, &m, MSG_NOSIGNAL) < 0 && !alone)
		die("handing files over:");
}

/* ---- the pty ---- */

/* What the guest has put in the place of its devpts is no pty: the device's
 * number and the file system's kind are looked at, on the open file. */
static void
open_pty_child(struct run *r, uid_t owner)
{
	int fds[2], unlock = 0;
	struct statfs fs;
	struct stat st;

	send_record(STEP, "opening /dev/pts/ptmx");
	r->master = open_how(AT_FDCWD, "/dev/pts/ptmx", O_RDWR | O_NOCTTY |
	    O_NONBLOCK, 0, RESOLVE_NO_SYMLINKS);
	if (r->master < 0)
		die("opening the container's /dev/pts/ptmx:");
	if (fstat(r->master, &st) < 0 || fstatfs(r->master, &fs) < 0 ||
	    !S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2) ||
	    fs.f_type != DEVPTS_SUPER_MAGIC)
		die("the container's /dev/pts is no devpts");
	if (ioctl(r->master, TIOCSPTLCK, &unlock) < 0)
		die("unlocking a terminal:");
	r->slave = ioctl(r->master, TIOCGPTPEER,
	    O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (r->slave < 0)
		die("opening a terminal:");
	if (fchown(r->slave, owner, TTY_GID) < 0 &&
	    fchown(r->slave, 0, TTY_GID) < 0 && fchown(r->slave, 0, 0) < 0)
		die("the owner of the terminal:");
	fds[0] = r->master;
	fds[1] = r->slave;
	send_files(PTY, fds, 0);
}

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

	send_record(STEP, path);
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

/* A number is never looked up as a name; it need not be in passwd. */
static void
look_up(struct user *u, const char *word)
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

	for (i = 1; i < r->nhier; i++)	/* that of v2 it was born in */
		if (write(r->hier[i].tasks, "0", 1) != 1)
			die("joining %s:", r->hier[i].path);
	cgroup_close(r);
	if (r->conf->userns != USERNS_NONE)
		flags |= CLONE_NEWUSER;
	/* that of pids holds for our children */
	if (setns(r->pidfd, flags | CLONE_NEWPID) < 0)
		die("joining the container's namespaces:");
}

/* The kernel releases our children when they die, and nobody reaps them,
 * sigaction(2). */
static int
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
	int i;

	ns_signals_child();
	raise_limits();
	join(r);
	send_record(STEP, "entering it");
	become(&u);		/* root, to look at its files */
	sec_keyring_child(r);
	if (q->user || !q->argv)
		look_up(&u, q->user ? q->user : "0");
	if (r->ttys)
		open_pty_child(r, u.uid);
	for (i = 0; i < 3 && !alone; i++)
		r->std[i] = r->ttys >> i & 1 ? r->slave : i;
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

	if (read_at(r->proc, "cgroup", text, sizeof(text)) < 0)
		die("reading the groups of the init of %s:", r->conf->name);
	path = strstr(text, "0::");
	if (path) {
		path[strcspn(path, "\n")] = '\0';
		below = strstr(path, mark);
		if (below && *(below += strlen(mark)) == '/') {
			fd = openat(r->hier->payload, below + 1, DIR_FLAGS);
			err = errno;
		}
	}
	free(mark);
	errno = err;
	if (fd < 0 && err == ENOENT)	/* the guest may have removed it */
		fd = openat(r->hier->payload, ".", DIR_FLAGS);
	if (fd < 0)
		die("opening the group of the init of %s:", r->conf->name);
	return fd;
}

/* The files by which the child joins the v1 groups; v2 stands first. */
static void
open_tasks(struct run *r)
{
	struct hier *h;

	for (h = r->hier + 1; h < r->hier + r->nhier; h++) {
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
		if (prlimit(r->pid, i, NULL, &limits[i]) < 0)
			die("reading the limits of the init of %s:",
			    r->conf->name);
}

static void
spawn(struct run *r, const struct request *q, int *from)
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
	*from = pair[0];
	shut(&r->pidfd);
	r->pid = pid;
	r->pidfd = pidfd;
}

static pid_t helper;		/* the child, once it has borne the program */
static int helper_ended;
static int ended = -1;		/* the program's status, once it has one */
static int ends = -1;		/* signalfd(2) of SIGCHLD */

/* The process that execs takes the place of the child, which ends now. */
static void
take_over(struct run *r, int *fds, const char *number)
{
	helper = r->pid;
	shut(&r->pidfd);
	shut(&fds[1]);
	r->pidfd = fds[0];
	r->pid = strtol(number, NULL, 10);
}

/* Takes what has come of the ends of our children. */
static void
take_ends(const struct run *r)
{
	struct signalfd_siginfo s;

	while (read(ends, &s, sizeof(s)) == sizeof(s)) {
		if ((pid_t)s.ssi_pid == helper)
			helper_ended = 1;
		if ((pid_t)s.ssi_pid == r->pid && s.ssi_code == CLD_EXITED)
			ended = s.ssi_status;
		else if ((pid_t)s.ssi_pid == r->pid)
			ended = EXIT_SIGNAL + s.ssi_status;
	}
}

/* A child that a file system of the guest holds may take for ever to die. */
static void
give_up(struct run *r)
{
	struct pollfd p = { r->pidfd, POLLIN, 0 };

	stop_signal(r, SIGKILL);
	poll(&p, 1, LAST_MS);
	console_undo(r);
}

/* The child has ended: the next signal is the program's. */
static void
say_go(struct run *r, int from)
{
	helper = 0;
	if (send(from, "", 1, MSG_NOSIGNAL) == 1 || errno == EPIPE ||
	    errno == ECONNRESET)
		return;		/* or it has died, and end of file follows */
	give_up(r);
	die("%s: telling the program to go on:", r->conf->name);
}

/* A record, with the files that it brings.  0: end of file. */
static int
next_record(struct run *r, int from, struct record *rec)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} c;
	struct iovec v = { rec, sizeof(*rec) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
	    .msg_control = &c, .msg_controllen = sizeof(c) };
	struct cmsghdr *h;
	int fds[2];
	ssize_t n;

	while ((n = recvmsg(from, &m, MSG_CMSG_CLOEXEC)) < 0 &&
	    errno == EINTR)
		;
	if (n < 0 && errno != ECONNRESET) {	/* it died before it read GO */
		give_up(r);
		die("%s: hearing how far it is:", r->conf->name);
	}
	if (n <= 0)
		return 0;
	rec->text[sizeof(rec->text) - 1] = '\0';
	h = CMSG_FIRSTHDR(&m);
	if (!h || h->cmsg_len != CMSG_LEN(sizeof(fds)))
		return 1;
	memcpy(fds, CMSG_DATA(h), sizeof(fds));
	if (rec->word == PTY) {
		r->master = fds[0];
		r->slave = fds[1];
	} else {
		take_over(r, fds, rec->text);
	}
	return 1;
}

/* Whether the child waits for something, and not for a processor only, nor,
 * until it has joined, for the kernel; proc_pid_stat(5). */
static int
is_blocked(const struct run *r, int joined)
{
	char path[32], text[512], *p;

	put(path, sizeof(path), "/proc/%ld/stat", (long)r->pid);
	read_at(AT_FDCWD, path, text, sizeof(text));
	p = strrchr(text, ')');
	return p && p[1] == ' ' && p[2] != 'R' && (joined || p[2] != 'D');
}

/* Until the program runs; dies with the child's reason, and by a signal.  Who
 * has seen the program run may signal us at once: poll(2) looks at the signals
 * first, so that it finds the end of file too where it finds such a one. */
static void
wait_entered(struct run *r, int from)
{
	enum { SIGNALS, ENDS, RECORD, NFDS };
	struct pollfd p[NFDS] = { { r->signals, POLLIN, 0 },
	    { ends, POLLIN, 0 }, { from, POLLIN, 0 } };
	struct record rec;
	char step[sizeof(rec.text)] = "joining it";
	long long end = now_ms() + ENTER_MS, left;
	int joined = 0, born = 0, n, sig;

	for (;;) {
		/* for all steps together; a last look at each after that */
		left = end - now_ms();
		n = poll(p, NFDS, born ? -1 : left > LAST_MS ? left : LAST_MS);
		if (n == 0 && is_blocked(r, joined)) {
			give_up(r);
			die("%s does not answer: %s takes longer than %d ms",
			    r->conf->name, step, ENTER_MS);
		}
		/* the child says that it has borne before it ends */
		if (n > 0 && p[ENDS].revents && !p[RECORD].revents) {
			take_ends(r);
			if (helper && helper_ended)
				say_go(r, from);
		}
		if (n > 0 && p[SIGNALS].revents && !p[RECORD].revents &&
		    (sig = signal_pending(r))) {
			give_up(r);
			fail(EXIT_SIGNAL + sig, "%s: signal %d before the "
			    "program ran", r->conf->name, sig);
		}
		if (n <= 0 || !p[RECORD].revents)
			continue;
		if (!next_record(r, from, &rec))
			return;
		if (rec.word == STEP)
			memcpy(step, rec.text, sizeof(step));
		if (!joined++)
			end = now_ms() + ENTER_MS;
		if (rec.word == BORN)
			born = 1;	/* the rest is up to the disk */
		if (rec.word > BORN) {
			console_undo(r);
			fail(rec.word, "%s: %s", r->conf->name, rec.text);
		}
	}
}

/* The kernel has released it; its signal was sent before. */
static int
is_gone(const struct run *r)
{
	return syscall(SYS_pidfd_send_signal, r->pidfd, 0, NULL, 0) < 0 &&
	    errno == ESRCH;
}

static void
pass_signals(struct run *r)
{
	int sig;

	while ((sig = signal_pending(r))) {
		stop_signal(r, sig);
		/* the guest may have stopped it */
		if (sig == SIGTERM || sig == SIGHUP)
			stop_signal(r, SIGCONT);
	}
}

static int
relay(struct run *r)
{
	enum { SIGNALS, ENDS, CHILD, CONSOLE, NFDS = CONSOLE + 4 };
	struct pollfd p[NFDS];
	int gone = 0, dead = 0;

	console_begin(r);
	for (take_ends(r); ended < 0 && !gone; take_ends(r)) {
		p[SIGNALS] = (struct pollfd){ r->signals, POLLIN, 0 };
		p[ENDS] = (struct pollfd){ ends, POLLIN, 0 };
		p[CHILD] = (struct pollfd){ dead ? -1 : r->pidfd, POLLIN, 0 };
		console_poll(p + CONSOLE);
		if (poll(p, NFDS, -1) < 0 && errno != EINTR)
			die("poll:");
		if (p[SIGNALS].revents)
			pass_signals(r);
		console_relay(r, p + CONSOLE);
		dead |= p[CHILD].revents;
		gone = p[CHILD].revents && is_gone(r);
	}
	console_end(r, 1);
	if (ended < 0)
		die("%s: the program has ended, and its status is lost: "
		    "another SIGCHLD was pending", r->conf->name);
	return ended;
}

/* Passes on what signals come, but for those of a terminal, which the process
 * gets itself; ends as it does. */
static void
follow(struct run *r, pid_t pid)
{
	enum { SIGNALS, CHILD, NFDS };
	struct pollfd p[NFDS] = { { r->signals, POLLIN, 0 },
	    { syscall(SYS_pidfd_open, pid, 0), POLLIN, 0 } };
	struct signalfd_siginfo s;
	siginfo_t info = { 0 };

	while (!p[CHILD].revents) {
		if (poll(p, NFDS, -1) < 0 && errno != EINTR)
			die("poll:");
		while (read(r->signals, &s, sizeof(s)) == sizeof(s))
			if (s.ssi_code <= 0)
				kill(pid, s.ssi_signo);
	}
	waitid(P_PID, pid, &info, WEXITED);
	exit(info.si_code == CLD_EXITED ? info.si_status :
	    EXIT_SIGNAL + info.si_status);
}

/* exec(2) has left us children of the caller's, as a shell's process
 * substitution is one: their ends are SIGCHLDs too.  So a child of our own goes
 * on, which has none. */
static void
leave_children(struct run *r)
{
	siginfo_t info;
	pid_t pid, self = getpid();

	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0)
		return;
	pid = _Fork();
	if (pid < 0)
		die("fork:");
	if (pid)
		follow(r, pid);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		die("asking for a signal at the caller's death:");
	if (getppid() != self)
		_exit(EXIT_SETUP);
}

/* SIGCHLD is blocked, or it would be ignored and never be pending. */
static void
take_children(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	ends = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (ends < 0 || release_children() < 0 ||
	    sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		die("leaving our children to the kernel:");
}

int
exec_run(struct run *r, const struct request *q)
{
	int from, status;

	console_files(r);
	hide();
	leave_children(r);
	take_children();
	spawn(r, q, &from);
	wait_entered(r, from);
	close(from);
	console_resize(r);
	status = relay(r);
	console_undo(r);
	return status;
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
	int from;

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
	r.ttys = 0;
	r.std[0] = r.std[1] = r.std[2] = open("/dev/null", O_RDWR | O_CLOEXEC);
	spawn(&r, &q, &from);
	_exit(0);
}
