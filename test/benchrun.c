/* benchrun - time commands in turn; test/bench uses it.
 *
 *	benchrun [-n RUNS] [-s MS] [-w FOLDER] FILE
 *
 * A line of FILE is a label and a command, blanks between the words, nothing
 * quoted.  In each word @ stands for a number that no other run has.  The
 * commands are run in turn, A B C A B C ..., RUNS times each (40), so that
 * whatever else the machine does meanwhile falls on all of them alike; the
 * first round is not counted.  Their standard input and output are /dev/null.
 *
 * What a container leaves to the kernel at its end, such as its network
 * namespace, is removed after the command has ended.  So that this is not
 * billed to the next command, the time between two runs is spent waiting
 * until FOLDER (/sys/class/net) has no more entries than it had at first, and
 * for MS milliseconds (30) more.
 *
 * Prints a table: label, runs, minimum, median and maximum in milliseconds,
 * the median divided by the median of the first line, and cpu: the median of
 * the processor time that the command and its waited-for children took, which
 * the load of others changes less.  A command that does not end with status 0
 * is named and run no more; then the exit status is 1.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COMMANDS = 32, WORDS = 256, LINE = 16384, WAIT_MS = 3000 };

static struct command {
	char *label, *words;
	double *ms, *cpu;
	int runs, failed;
} command[COMMANDS];
static int ncommand, runs = 40, settle = 30, serial;
static const char *folder;
static posix_spawn_file_actions_t files;

static void
die(const char *what)
{
	fprintf(stderr, "benchrun: %s: %s\n", what, strerror(errno));
	exit(2);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void
pause_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

/* ---- the commands ---- */

static void
read_commands(const char *path)
{
	static char line[LINE];
	FILE *f = fopen(path, "re");
	struct command *c;
	char *text;

	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f) && ncommand < COMMANDS) {
		line[strcspn(line, "\n")] = '\0';
		text = line + strcspn(line, " ");
		if (!*text)
			continue;
		*text++ = '\0';
		c = &command[ncommand++];
		c->label = strdup(line);
		c->words = strdup(text);
		c->ms = calloc(runs, sizeof(*c->ms));
		c->cpu = calloc(runs, sizeof(*c->cpu));
		if (!c->label || !c->words || !c->ms || !c->cpu)
			die("memory");
	}
	fclose(f);
}

/* Copies the words of a command into buf, every @ being the number. */
static void
split(const char *words, char *buf, size_t size, char **argv)
{
	size_t len = 0, n = 0;

	for (;;) {
		words += strspn(words, " ");
		if (!*words || n == WORDS - 1)
			break;
		argv[n++] = buf + len;
		for (; *words && *words != ' ' && len < size - 16; words++)
			if (*words == '@')
				len += sprintf(buf + len, "%d", serial);
			else
				buf[len++] = *words;
		buf[len++] = '\0';
	}
	argv[n] = NULL;
	serial++;
}

/* ---- between the runs ---- */

static int
entries(void)
{
	DIR *d = folder ? opendir(folder) : NULL;
	int n = 0;

	if (!d)
		return 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void
wait_for_host(int before)
{
	double end = now() + WAIT_MS;

	while (entries() > before && now() < end)
		pause_ms(1);
	pause_ms(settle);
}

/* ---- one run ---- */

static double
seconds_ms(const struct timeval *t)
{
	return t->tv_sec * 1e3 + t->tv_usec / 1e3;
}

static double
run(struct command *c, double *cpu)
{
	static char buf[2 * LINE];
	char *argv[WORDS];
	extern char **environ;
	struct rusage use;
	double begin;
	int status, err;
	pid_t pid;

	split(c->words, buf, sizeof(buf), argv);
	begin = now();
	err = posix_spawnp(&pid, argv[0], &files, NULL, argv, environ);
	if (err) {
		fprintf(stderr, "benchrun: %s: %s: %s\n", c->label, argv[0],
		    strerror(err));
		c->failed = 1;
		return 0;
	}
	if (wait4(pid, &status, 0, &use) < 0)
		die("wait4");
	begin = now() - begin;
	*cpu = seconds_ms(&use.ru_utime) + seconds_ms(&use.ru_stime);
	if (status) {
		fprintf(stderr, "benchrun: %s: %s %d\n", c->label,
		    WIFEXITED(status) ? "ended with status" :
		    "was killed by signal", WIFEXITED(status) ?
		    WEXITSTATUS(status) : WTERMSIG(status));
		c->failed = 1;
	}
	return begin;
}

static void
run_all(void)
{
	int round, i, before = entries();
	double ms, cpu;

	for (round = -1; round < runs; round++)
		for (i = 0; i < ncommand; i++) {
			struct command *c = &command[i];

			if (c->failed)
				continue;
			ms = run(c, &cpu);
			if (round >= 0 && !c->failed) {
				c->cpu[c->runs] = cpu;
				c->ms[c->runs++] = ms;
			}
			wait_for_host(before);
		}
}

/* ---- the table ---- */

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double
median(const double *sorted, int n)
{
	return n ? (sorted[(n - 1) / 2] + sorted[n / 2]) / 2 : 0;
}

static int
print_table(void)
{
	double floor = 0, middle;
	int i, failed = 0;

	printf("%-20s %4s %8s %8s %8s %7s %7s\n", "ms", "runs", "min",
	    "median", "max", "ratio", "cpu");
	for (i = 0; i < ncommand; i++) {
		struct command *c = &command[i];

		failed |= c->failed;
		if (c->failed || !c->runs) {
			printf("%-20s failed\n", c->label);
			continue;
		}
		qsort(c->ms, c->runs, sizeof(double), compare);
		qsort(c->cpu, c->runs, sizeof(double), compare);
		middle = median(c->ms, c->runs);
		if (i == 0)
			floor = middle;
		printf("%-20s %4d %8.2f %8.2f %8.2f %7.2f %7.2f\n", c->label,
		    c->runs, c->ms[0], middle, c->ms[c->runs - 1],
		    floor > 0 ? middle / floor : 0, median(c->cpu, c->runs));
	}
	return failed;
}

int
main(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "n:s:w:")) != -1)
		if (opt == 'n')
			runs = atoi(optarg);
		else if (opt == 's')
			settle = atoi(optarg);
		else if (opt == 'w')
			folder = optarg;
		else
			return 2;
	if (optind + 1 != argc || runs < 1) {
		fputs("usage: benchrun [-n RUNS] [-s MS] [-w FOLDER] FILE\n",
		    stderr);
		return 2;
	}
	read_commands(argv[optind]);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
	run_all();
	return print_table();
}
