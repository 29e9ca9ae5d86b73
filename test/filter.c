/* filter - what the filter of system calls says on a machine that we have not.
 *
 *	filter auto|none
 *
 * Built for a machine and run by qemu-user, whose kernel part knows no
 * filters, this has crun's own seccomp.c put the program for that machine
 * together, with userns=auto or none, and follows it here.
 *
 * Standard input: lines of an architecture, audit.h's number in hexadecimal,
 * the call's number and up to three arguments, C's way.  For each a line
 * comes out: allow, kill, or the number of an error.  "size" gives the number
 * of instructions, and "native" this machine's architecture.
 */
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static long loaded(long, ...);
#define syscall loaded
#include "../sec/seccomp.c"
#undef syscall

static struct sock_fprog program;

void
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	exit(1);
}

/* in place of seccomp(2) */
static long
loaded(long call, ...)
{
	va_list ap;

	if (call != SYS_seccomp)
		die("call %ld\n", call);
	va_start(ap, call);
	(void)va_arg(ap, int);
	(void)va_arg(ap, int);
	program = *va_arg(ap, struct sock_fprog *);
	va_end(ap);
	return 0;
}

/* The instructions that seccomp.c uses; Documentation/networking/filter.rst */
static uint32_t
follow(const struct seccomp_data *data)
{
	const struct sock_filter *i = program.filter;
	uint32_t a = 0;

	for (;; i++) {
		if (i >= program.filter + program.len)
			die("the program runs beyond its end\n");
		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (i->k % 4 || i->k + 4 > sizeof(*data))
				die("a load from %u\n", (unsigned)i->k);
			memcpy(&a, (const char *)data + i->k, 4);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			i += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			i += a == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			i += a >= i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			die("an instruction %#x\n", (unsigned)i->code);
		}
	}
}

static void
answer(uint32_t what)
{
	if (what == SECCOMP_RET_ALLOW)
		puts("allow");
	else if (what == SECCOMP_RET_KILL_PROCESS)
		puts("kill");
	else if ((what & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
		printf("%u\n", (unsigned)(what & SECCOMP_RET_DATA));
	else
		die("an answer %#x\n", (unsigned)what);
}

static struct seccomp_data
parse(char *line)
{
	struct seccomp_data data = { 0 };
	size_t i;

	data.arch = strtoul(line, &line, 16);
	data.nr = (int)strtoul(line, &line, 0);
	for (i = 0; i < 3; i++)
		data.args[i] = strtoull(line, &line, 0);
	return data;
}

int
main(int argc, char **argv)
{
	struct conf c = { .seccomp = 1 };
	struct run r = { .conf = &c };
	char line[256];

	if (argc != 2)
		die("usage: filter auto|none\n");
	c.userns = strcmp(argv[1], "none") ? USERNS_AUTO : USERNS_NONE;
	seccomp_child(&r);
	while (fgets(line, sizeof(line), stdin)) {
		struct seccomp_data data = parse(line);

		if (!strcmp(line, "size\n"))
			printf("%u\n", (unsigned)program.len);
		else if (!strcmp(line, "native\n"))
			printf("%x\n", (unsigned)native_arch());
		else
			answer(follow(&data));
	}
	return 0;
}
