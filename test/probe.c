/* probe - looks at what a container lets through; run inside and outside.
 *
 *	probe open N PROGRAM ...	run it with N more files open, every
 *					other one the folder /
 *	probe fds			the numbers of the open files
 *	probe cwd			what getcwd(2) itself says
 *	probe call NAME			do it, print ok or the errno's name
 *	probe key NAME PROGRAM ...	run it with that key in its session
 *	probe findkey NAME		ok, or the errno's name
 *	probe hold BYTES		touch so much memory and keep it
 *	probe listen NAME		on that abstract socket, print up, stay
 *	probe connect NAME		to that abstract socket
 *	probe told			print up, and the first signal that comes
 *	probe blocked PROGRAM ...	run it with TERM blocked, all else ignored
 *	probe unit FOLDER PROGRAM ...	run it in that cgroup, marked delegated
 *	probe notify[-stay] LINE ...	say so to $NOTIFY_SOCKET, sd_notify(3);
 *					-stay: and then do nothing
 *	probe mark FOLDER NAME		set that attribute of it, xattr(7), to 1
 *	probe lease FILE		make it and hold a lease of it, fcntl(2)
 *	probe lock FILE			lock it, fcntl(2), print ok, stay
 *	probe attach SOCKET		print typed, watched, nothing or closed
 *	probe euid			print the effective user id
 *	probe survive PROGRAM ...	run it without PR_SET_PDEATHSIG
 *	probe noreap PROGRAM ...	run it, and reap nobody else
 *	probe usr1			print up, then USR1 at each such signal
 *	probe cost			of two system calls, in nanoseconds: the
 *					least of 20 times 10,000
 *	probe watch SECONDS PID		wait until PID ends; after SECONDS end
 *					it and all below it, by TERM, then KILL
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static int
answer(long result)
{
	static const struct {
		int number;
		const char *name;
	} errors[] = {
		{ EPERM, "EPERM" }, { EACCES, "EACCES" }, { ENOSYS, "ENOSYS" },
		{ EINVAL, "EINVAL" }, { ENOENT, "ENOENT" },
		{ ENOKEY, "ENOKEY" }, { EBUSY, "EBUSY" },
		{ ECONNREFUSED, "ECONNREFUSED" },
	};
	size_t i;

	if (result >= 0)
		return puts("ok"), 0;
	for (i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (errors[i].number == errno)
			return puts(errors[i].name), 0;
	return printf("errno %d\n", errno), 0;
}

static int
open_files(int n, char **argv)
{
	while (n-- > 0)
		if (open(n % 2 ? "/" : "/dev/null", O_RDONLY) < 0)
			return perror("probe: open"), 1;
	execvp(argv[0], argv);
	return perror(argv[0]), 1;
}

static int
list_files(void)
{
	int fd, first = 1;

	for (fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0) {
			printf(first ? "%d" : " %d", fd);
			first = 0;
		}
	putchar('\n');
	return 0;
}

/* libc's hides what does not begin with a slash. */
static int
working_folder(void)
{
	char path[4096];

	if (syscall(SYS_getcwd, path, sizeof(path)) < 0)
		return answer(-1);
	return puts(path), 0;
}

static long
call_settimeofday(void)
{
	struct timeval t;

	gettimeofday(&t, NULL);
	return settimeofday(&t, NULL);
}

static long
call_clock_settime(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return clock_settime(CLOCK_REALTIME, &t);
}

static long
call_swapon(void)
{
	return swapon("/etc/passwd", 0);
}

static long
call_init_module(void)
{
	return syscall(SYS_init_module, "", 0, "");
}

static long
call_delete_module(void)
{
	return syscall(SYS_delete_module, "nothing", O_NONBLOCK);
}

static long
call_kexec_load(void)
{
	return syscall(SYS_kexec_load, 0, 0, NULL, 0);
}

static long
call_syslog(void)
{
	char buf[256];

	return klogctl(3, buf, sizeof(buf));
}

static long
call_mknod_block(void)
{
	return mknod("/tmp/probe.b", S_IFBLK | 0600, makedev(254, 0));
}

static long
call_mknod_mem(void)
{
	return mknod("/tmp/probe.c", S_IFCHR | 0600, makedev(1, 1));
}

static long
call_acct(void)
{
	return acct(NULL);
}

static long
call_open_by_handle_at(void)
{
	struct {
		struct file_handle h;
		unsigned char more[8];
	} f = {
		.h = { .handle_bytes = 8, .handle_type = 1 },
		.more = { 2 },
	};

	return syscall(SYS_open_by_handle_at, AT_FDCWD, &f, O_RDONLY);
}

static int
call(const char *name)
{
	static const struct {
		const char *name;
		long (*f)(void);
	} calls[] = {
		{ "settimeofday", call_settimeofday },
		{ "clock_settime", call_clock_settime },
		{ "swapon", call_swapon },
		{ "init_module", call_init_module },
		{ "delete_module", call_delete_module },
		{ "kexec_load", call_kexec_load },
		{ "syslog", call_syslog },
		{ "mknod_block", call_mknod_block },
		{ "mknod_mem", call_mknod_mem },
		{ "acct", call_acct },
		{ "open_by_handle_at", call_open_by_handle_at },
	};
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (!strcmp(name, calls[i].name))
			return answer(calls[i].f());
	return fprintf(stderr, "probe: no call %s\n", name), 2;
}

static int
with_key(const char *name, char **argv)
{
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	if (syscall(SYS_add_key, "user", name, "secret", 6,
	    KEY_SPEC_SESSION_KEYRING) < 0)
		return perror("probe: add_key"), 1;
	execvp(argv[0], argv);
	return perror(argv[0]), 1;
}

static int
hold(size_t bytes)
{
	char *p = malloc(bytes), last;

	if (!p)
		return perror("probe: malloc"), 1;
	memset(p, 1, bytes);
	puts("held");
	fflush(stdout);
	pause();
	last = p[bytes / 2];
	free(p);
	return last;
}

static int
blocked(char **argv)
{
	static const unsigned long ignore[16] = { (unsigned long)SIG_IGN };
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* by the kernel's call: libc keeps 32 and 33 for itself */
	for (sig = 1; sig < _NSIG; sig++)
		syscall(SYS_rt_sigaction, sig, ignore, NULL, _NSIG / 8);
	execvp(argv[0], argv);
	return perror(argv[0]), 1;
}

static int
unit(const char *folder, char **argv)
{
	int fd;

	if (chdir(folder) < 0 ||
	    setxattr(".", "trusted.delegate", "1", 1, 0) < 0)
		return perror("probe: trusted.delegate"), 1;
	fd = open("cgroup.procs", O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1 || chdir("/") < 0)
		return perror("probe: cgroup.procs"), 1;
	close(fd);
	execvp(argv[0], argv);
	return perror(argv[0]), 1;
}

/* The parent of pid, or 0. */
static pid_t
parent_of(pid_t pid)
{
	char path[32], text[512], *p;
	int fd, parent = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	p = strrchr(text, ')');
	if (p)
		sscanf(p, ") %*c %d", &parent);
	return parent;
}

static void
kill_below(pid_t top, int sig)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	pid_t pid, p;

	while (d && (e = readdir(d))) {
		pid = atoi(e->d_name);
		for (p = pid; p > 1 && p != top; )
			p = parent_of(p);
		if (pid > 1 && p == top && pid != getpid())
			kill(pid, sig);
	}
	if (d)
		closedir(d);
}

/* What timeout(1) does, for a process that is not its child. */
static int
watch(int seconds, pid_t pid)
{
	static const int signals[] = { SIGTERM, SIGKILL };
	struct pollfd p = { .events = POLLIN };
	size_t i;

	p.fd = syscall(SYS_pidfd_open, pid, 0);
	if (p.fd < 0 || poll(&p, 1, seconds * 1000) == 1)
		return 0;
	for (i = 0; i < 2; i++) {
		kill_below(pid, signals[i]);
		if (poll(&p, 1, 10000) == 1)
			break;
	}
	return 124;
}

static int
notify(char **lines)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char text[1024] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s",
	    getenv("NOTIFY_SOCKET"));
	for (; *lines; lines++) {
		strcat(text, *lines);
		strcat(text, "\n");
	}
	return answer(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&a,
	    sizeof(a)));
}

/* connect(2) or bind(2) of a new socket to a name that is no file's, unix(7);
 * the socket, or -1. */
static int
abstract(const char *name, int (*f)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "%s", name);
	return f(fd, (struct sockaddr *)&a, offsetof(struct sockaddr_un,
	    sun_path) + 1 + strlen(name)) < 0 ? -1 : fd;
}

static int
listen_to(const char *name)
{
	int fd = abstract(name, bind);

	if (fd < 0 || listen(fd, 8) < 0)
		return perror("probe: listen"), 1;
	puts("up");
	fflush(stdout);
	return pause();
}

static volatile sig_atomic_t first;

static void
note(int sig)
{
	if (!first)
		first = sig;
}

static int
told(void)
{
	sigset_t all, none;
	int sig;

	sigfillset(&all);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (sig = 1; sig < _NSIG; sig++)
		signal(sig, note);
	puts("up");
	fflush(stdout);
	sigsuspend(&none);
	return printf("%d\n", (int)first), 0;
}

/* getppid(2) is always allowed; of ioctl(2) an argument is looked at. */
static int
cost(void)
{
	static const long calls[] = { SYS_getppid, SYS_ioctl };
	long long least[2] = { 1LL << 62, 1LL << 62 }, ns;
	struct timespec a, b;
	int i, j, k;

	for (i = 0; i < 20; i++)
		for (j = 0; j < 2; j++) {
			clock_gettime(CLOCK_MONOTONIC, &a);
			for (k = 0; k < 10000; k++)
				syscall(calls[j], -1, 0, 0);
			clock_gettime(CLOCK_MONOTONIC, &b);
			ns = (b.tv_sec - a.tv_sec) * 1000000000LL +
			    b.tv_nsec - a.tv_nsec;
			if (ns < least[j])
				least[j] = ns;
		}
	printf("getppid %lld, ioctl %lld\n", least[0] / 10000,
	    least[1] / 10000);
	return 0;
}

static void
print_usr1(int sig)
{
	(void)sig;
	if (write(STDOUT_FILENO, "USR1\n", 5) != 5)
		_exit(1);
}

static int
noreap(char **argv)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return perror("probe: noreap"), 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int
lease(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	signal(SIGIO, SIG_IGN);
	if (fd < 0 || fcntl(fd, F_SETLEASE, F_WRLCK) < 0)
		return answer(-1);
	answer(0);
	fflush(stdout);
	for (;;)
		pause();
}

/* The first byte, as state.c does. */
static int
lock(const char *path)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 || fcntl(fd, F_SETLK, &l) < 0)
		return answer(-1);
	answer(0);
	fflush(stdout);
	for (;;)
		pause();
}

/* What attach.c answers. */
static int
attach(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct pollfd p = { socket(AF_UNIX, SOCK_STREAM, 0), POLLIN, 0 };
	char c = 0;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (connect(p.fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return perror("probe: attach"), 1;
	if (poll(&p, 1, 5000) != 1)
		return puts("silent"), 0;
	if (read(p.fd, &c, 1) != 1)
		return puts("closed"), 0;
	puts(c == 't' ? "typed" : c == 'w' ? "watched" : "nothing");
	return 0;
}

static int
survive(char **argv)
{
	prctl(PR_SET_PDEATHSIG, 0);
	execvp(argv[0], argv);
	return answer(-1);
}

static void __attribute__((noreturn))
say_usr1(void)
{
	signal(SIGUSR1, print_usr1);
	puts("up");
	fflush(stdout);
	for (;;)
		pause();
}

/* Verbs with one argument. */
static int
with_one(const char *verb, char *arg)
{
	static const struct {
		const char *verb;
		int (*act)(const char *);
	} verbs[] = {
		{ "attach", attach }, { "lease", lease }, { "lock", lock },
	};
	size_t i;

	for (i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (!strcmp(verb, verbs[i].verb))
			return verbs[i].act(arg);
	return -1;
}

int
main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	int status = argc == 3 ? with_one(verb, argv[2]) : -1;

	if (status >= 0)
		return status;
	if (!strcmp(verb, "open") && argc > 3)
		return open_files(atoi(argv[2]), argv + 3);
	if (!strcmp(verb, "fds"))
		return list_files();
	if (!strcmp(verb, "euid"))
		return printf("%d\n", (int)geteuid()) < 0;
	if (!strcmp(verb, "cwd"))
		return working_folder();
	if (!strcmp(verb, "call") && argc == 3)
		return call(argv[2]);
	if (!strcmp(verb, "key") && argc > 3)
		return with_key(argv[2], argv + 3);
	if (!strcmp(verb, "findkey") && argc == 3)
		return answer(syscall(SYS_keyctl, KEYCTL_SEARCH,
		    KEY_SPEC_SESSION_KEYRING, "user", argv[2], 0));
	if (!strcmp(verb, "survive") && argc > 2)
		return survive(argv + 2);
	if (!strcmp(verb, "noreap") && argc > 2)
		return noreap(argv + 2);
	if (!strcmp(verb, "usr1"))
		say_usr1();
	if (!strcmp(verb, "hold") && argc == 3)
		return hold(strtoul(argv[2], NULL, 10));
	if (!strcmp(verb, "listen") && argc == 3)
		return listen_to(argv[2]);
	if (!strcmp(verb, "connect") && argc == 3)
		return answer(abstract(argv[2], connect));
	if (!strcmp(verb, "told"))
		return told();
	if (!strcmp(verb, "blocked") && argc > 2)
		return blocked(argv + 2);
	if (!strcmp(verb, "notify"))
		return notify(argv + 2);
	if (!strcmp(verb, "notify-stay")) {
		notify(argv + 2);
		for (;;)
			pause();
	}
	if (!strcmp(verb, "mark") && argc == 4)
		return setxattr(argv[2], argv[3], "1", 1, 0) < 0 ?
		    perror("probe: setxattr"), 1 : 0;
	if (!strcmp(verb, "unit") && argc > 3)
		return unit(argv[2], argv + 3);
	if (!strcmp(verb, "cost"))
		return cost();
	if (!strcmp(verb, "watch") && argc == 4)
		return watch(atoi(argv[2]), atoi(argv[3]));
	return fputs("probe: see the head of test/probe.c\n", stderr), 2;
}
