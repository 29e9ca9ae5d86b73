/* pty - run a program on a terminal of its own and talk to it by a script.
 *
 *	pty [-t SECONDS] STEP ... -- PROGRAM [ARG ...]
 *
 * The steps, in order:
 *	expect:REGEX	wait for it in what is printed, after the last match
 *	send:TEXT	type it; \n \r \e \xHH and \\ are known
 *	size:ROWSxCOLS	change the terminal's size
 *	kill:NUMBER	signal the program
 *	raw		the terminal must be raw
 *	run:COMMAND	by sh, with the program's pid in $PID
 *	wait		until the program has ended
 *
 * What the program prints goes to standard output.  The terminal's settings
 * must be at the end what they were at the start.  The exit status is the
 * program's (128 + n by signal n); 124 after SECONDS (15), 123 for a step that
 * failed, 122 for a terminal that was left changed; all said on standard
 * error.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { FAILED = 123, LATE = 124, CHANGED = 122, SIZE = 1 << 16 };

static char text[SIZE];		/* the last that was printed, NULs as ? */
static size_t len, seen;	/* seen: to where it has been matched */
static int master, status = -1;
static pid_t child;
static long long deadline;

static long long
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void
quit(int code, const char *what, const char *step)
{
	fflush(stdout);
	fprintf(stderr, "pty: %s: %s\n", step, what);
	if (status < 0) {
		kill(child, SIGTERM);
		usleep(500000);
		kill(child, SIGKILL);
	}
	exit(code);
}

/* Takes what was printed, waiting for it at most ms.  0: there was nothing. */
static int
take(int ms)
{
	struct pollfd p = { master, POLLIN, 0 };
	ssize_t n, i;

	if (poll(&p, 1, ms) <= 0)
		return 0;
	if (len > SIZE / 2) {		/* the older half is forgotten */
		memmove(text, text + len / 2, len - len / 2);
		seen = seen > len / 2 ? seen - len / 2 : 0;
		len -= len / 2;
	}
	n = read(master, text + len, SIZE - 1 - len);
	if (n <= 0)
		return 0;
	fwrite(text + len, 1, n, stdout);
	fflush(stdout);
	for (i = 0; i < n; i++)
		if (!text[len + i])
			text[len + i] = '?';
	len += n;
	text[len] = '\0';
	return 1;
}

static int
ended(void)
{
	int s;

	if (status < 0 && waitpid(child, &s, WNOHANG) == child)
		status = WIFSIGNALED(s) ? 128 + WTERMSIG(s) : WEXITSTATUS(s);
	return status >= 0;
}

static void
expect(const char *step)
{
	regmatch_t m;
	regex_t re;
	int over;

	if (regcomp(&re, strchr(step, ':') + 1, REG_EXTENDED | REG_NEWLINE))
		quit(FAILED, "bad expression", step);
	for (;;) {
		over = ended();
		while (take(0))
			;
		if (!regexec(&re, text + seen, 1, &m, 0))
			break;
		if (over)
			quit(FAILED, "not seen before the end", step);
		if (now_ms() > deadline)
			quit(LATE, "not seen in time", step);
		take(50);
	}
	seen += m.rm_eo;
	regfree(&re);
}

static void
send_text(const char *s)
{
	char *end, hex[3] = "", c;

	for (; *s; s++) {
		c = *s;
		if (c == '\\' && s[1]) {
			c = *++s;
			if (c == 'n')
				c = '\n';
			else if (c == 'r')
				c = '\r';
			else if (c == 'e')
				c = '\033';
			else if (c == 'x' && s[1] && s[2]) {
				memcpy(hex, s + 1, 2);
				c = strtol(hex, &end, 16);
				s += 2;
			}
		}
		if (write(master, &c, 1) != 1)
			return;
	}
}

static void
set_size(const char *s)
{
	struct winsize w = { 0 };

	sscanf(s, "%hux%hu", &w.ws_row, &w.ws_col);
	ioctl(master, TIOCSWINSZ, &w);
}

static void
run(const char *step)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)child);
	setenv("PID", pid, 1);
	if (system(strchr(step, ':') + 1))
		quit(FAILED, "failed", step);
}

static int
is_raw(int tty)
{
	struct termios t;

	return !tcgetattr(tty, &t) && !(t.c_lflag & (ICANON | ECHO | ISIG));
}

static void
do_step(const char *s, int tty)
{
	if (!strncmp(s, "expect:", 7))
		expect(s);
	else if (!strncmp(s, "send:", 5))
		send_text(s + 5);
	else if (!strncmp(s, "size:", 5))
		set_size(s + 5);
	else if (!strncmp(s, "kill:", 5))
		kill(child, atoi(s + 5));
	else if (!strncmp(s, "run:", 4))
		run(s);
	else if (!strcmp(s, "raw")) {
		if (!is_raw(tty))
			quit(FAILED, "the terminal is not raw", s);
	} else if (!strcmp(s, "wait")) {
		while (!ended()) {
			take(20);
			if (now_ms() > deadline)
				quit(LATE, "no end in time", s);
		}
	} else
		quit(FAILED, "unknown step", s);
}

int
main(int argc, char **argv)
{
	struct termios before = { 0 }, after = { 0 };
	int tty, seconds = 15, i, last;

	setlinebuf(stderr);
	if (argc > 2 && !strcmp(argv[1], "-t")) {
		seconds = atoi(argv[2]);
		argv += 2;
	}
	for (last = 1; argv[last] && strcmp(argv[last], "--"); last++)
		;
	if (!argv[last] || !argv[last + 1])
		return fputs("usage: pty [-t SECONDS] STEP ... -- "
		    "PROGRAM [ARG ...]\n", stderr), 2;
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) || unlockpt(master))
		return perror("pty"), FAILED;
	tty = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	set_size("24x80");
	tcgetattr(tty, &before);
	deadline = now_ms() + seconds * 1000LL;
	child = fork();
	if (!child) {
		setsid();
		ioctl(tty, TIOCSCTTY, 0);
		for (i = 0; i < 3; i++)
			dup2(tty, i);
		execvp(argv[last + 1], argv + last + 1);
		perror(argv[last + 1]);
		_exit(127);
	}
	for (i = 1; i < last; i++)
		do_step(argv[i], tty);
	do_step("wait", tty);
	while (take(0))
		;
	tcgetattr(tty, &after);
	if (memcmp(&before, &after, sizeof(before)))
		quit(CHANGED, "it was left changed", "the terminal");
	return status;
}
