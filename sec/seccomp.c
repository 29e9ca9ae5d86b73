/* The filter of system calls, seccomp(2): a program for the kernel's classic
 * BPF, put together here from config.h's two tables.
 *
 * It has a section for each architecture whose calls the kernel takes from
 * a process: the machine's own and the 32-bit one beside it.  x86-64 has a
 * third table of calls, x32, in the same architecture: refused whole.  Calls
 * of any other architecture kill the process, since nothing is known of them.
 *
 *	arch is the machine's own?	no: on to the next section
 *	nr >= the middle of the list?	a binary search: every call is decided
 *	...				after 6 or 7 comparisons at most
 *	one of these few?		its errno, or a look at its arguments
 *	allow
 *
 * What is allowed whatever its arguments are, the kernel (5.11 and newer)
 * finds out once, when the filter is loaded, and does not run it for these
 * again.  The binary search makes this finding out short.
 *
 * Of arguments only the low 32 bits are looked at, as the calls in
 * question do themselves.  What a pointer points to cannot be seen: the
 * 32-bit socketcall(2) stays open. */
#include <errno.h>
#include <link.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "sec/sec.h"
#include "config.h"

/* The 32-bit calls that a kernel of this machine may take as well. */
#if defined(__x86_64__)
#define COMPAT AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define COMPAT AUDIT_ARCH_ARM
#else
#define COMPAT 0
#endif

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
enum { LOW = 4, ENDIAN = 0 };	/* where an argument's low half lies */
#else
enum { LOW = 0, ENDIAN = __AUDIT_ARCH_LE };
#endif

enum { X32 = 0x40000000 };	/* __X32_SYSCALL_BIT of asm/unistd.h */
enum { SIZE = 512 };		/* instructions; far more than there are */
enum { LEAF = 4 };		/* as many calls are compared one by one */
enum { ALLOW, KILL = -3 };	/* beside an errno, and config.h's two */

struct call {
	uint32_t nr;
	int what;		/* an errno, or BY_ARGUMENTS */
	int native;		/* its number on this machine */
};

struct filter {
	struct sock_filter code[SIZE];
	size_t len;
};

/* ---- instructions ---- */

static size_t
emit(struct filter *f, uint16_t op, uint32_t k, uint8_t yes, uint8_t no)
{
	if (f->len == SIZE)
		die("the table of system calls is too long for a filter");
	f->code[f->len] = (struct sock_filter){ op, yes, no, k };
	return f->len++;
}

static void
load(struct filter *f, size_t offset)
{
	emit(f, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

/* Goes on with the next instruction where A is k, or skips so many. */
static size_t
unless_equal(struct filter *f, uint32_t k, uint8_t skip)
{
	return emit(f, BPF_JMP | BPF_JEQ | BPF_K, k, 0, skip);
}

static void
give(struct filter *f, int what)
{
	emit(f, BPF_RET | BPF_K, what == ALLOW ? SECCOMP_RET_ALLOW :
	    what == KILL ? SECCOMP_RET_KILL_PROCESS :
	    SECCOMP_RET_ERRNO | (what & SECCOMP_RET_DATA), 0, 0);
}

/* How far it is from behind a jump to the instruction that comes next. */
static uint8_t
distance(const struct filter *f, size_t jump)
{
	size_t n = f->len - jump - 1;

	if (n > UINT8_MAX)
		die("the table of system calls is too long for a jump");
	return n;
}

/* ---- what is refused ---- */

/* audit.h's name for the machine's own calls: what an ELF file for it says. */
static uint32_t
native_arch(void)
{
	extern const ElfW(Ehdr) __ehdr_start;	/* made by ld(1) */

	return __ehdr_start.e_machine | ENDIAN |
	    (sizeof(long) == 8 ? __AUDIT_ARCH_64BIT : 0);
}

static int
by_number(const void *a, const void *b)
{
	const struct call *x = a, *y = b;

	return x->nr < y->nr ? -1 : x->nr > y->nr;
}

/* The calls that are not simply allowed, sorted. */
static size_t
list_calls(struct call *calls, uint32_t arch, int privileged)
{
	size_t i, n = 0;
	int nr, what;

	for (i = 0; i < LEN(config_syscalls); i++) {
		nr = arch == AUDIT_ARCH_I386 ? config_syscalls[i].i386 :
		    arch == AUDIT_ARCH_ARM ? config_syscalls[i].arm :
		    config_syscalls[i].native;
		what = config_syscalls[i].what;
		if (what == IF_PRIVILEGED)
			what = privileged ? ENOSYS : ALLOW;
		if (nr >= 0 && what != ALLOW)
			calls[n++] = (struct call){ nr, what,
			    config_syscalls[i].native };
	}
	qsort(calls, n, sizeof(*calls), by_number);
	return n;
}

/* ---- the program ---- */

/* A call that is judged by its arguments. */
static void
put_arguments(struct filter *f, const struct call *c)
{
	size_t i, j, jump[2], n;

	for (i = 0; i < LEN(config_arguments); i++) {
		if (config_arguments[i].native != c->native)
			continue;
		n = 0;
		for (j = 0; j < 2 && config_arguments[i].test[j].mask; j++) {
			load(f, offsetof(struct seccomp_data, args) + LOW +
			    8UL * config_arguments[i].test[j].arg);
			emit(f, BPF_ALU | BPF_AND | BPF_K,
			    config_arguments[i].test[j].mask, 0, 0);
			jump[n++] = unless_equal(f,
			    config_arguments[i].test[j].value, 0);
		}
		give(f, config_arguments[i].what);
		while (n--)
			f->code[jump[n]].jf = distance(f, jump[n]);
	}
}

/* A few calls with one answer. */
static void
put_leaf(struct filter *f, const struct call *c, size_t n)
{
	size_t i, first = f->len;

	for (i = 0; i < n; i++)
		unless_equal(f, c[i].nr, 0);
	if (c->what == BY_ARGUMENTS) {
		put_arguments(f, c);
		f->code[first].jf = distance(f, first);
		give(f, ALLOW);
		return;
	}
	give(f, ALLOW);
	for (i = 0; i < n; i++) {
		f->code[first + i].jt = distance(f, first + i);
		f->code[first + i].jf = 0;
	}
	give(f, c->what);
}

static void
put_search(struct filter *f, const struct call *c, size_t n)
{
	size_t i, jump;

	for (i = 0; i < n && c[i].what == c->what; i++)
		;
	if (n == 1 || (i == n && n <= LEAF && c->what != BY_ARGUMENTS)) {
		put_leaf(f, c, n);
		return;
	}
	jump = emit(f, BPF_JMP | BPF_JGE | BPF_K, c[n / 2].nr, 0, 0);
	put_search(f, c, n / 2);
	f->code[jump].jt = distance(f, jump);
	put_search(f, c + n / 2, n - n / 2);
}

/* -1 is no call, but a tracer's word that none is to be made, ptrace(2). */
static void
put_x32(struct filter *f)
{
	emit(f, BPF_JMP | BPF_JGE | BPF_K, X32, 0, 3);
	unless_equal(f, UINT32_MAX, 1);
	give(f, ALLOW);
	give(f, ENOSYS);
}

static void
put_section(struct filter *f, uint32_t arch, int privileged)
{
	struct call calls[LEN(config_syscalls)];
	size_t n = list_calls(calls, arch, privileged), jump;

	emit(f, BPF_JMP | BPF_JEQ | BPF_K, arch, 1, 0);
	jump = emit(f, BPF_JMP | BPF_JA, 0, 0, 0);
	load(f, offsetof(struct seccomp_data, nr));
	if (arch == AUDIT_ARCH_X86_64)
		put_x32(f);
	put_search(f, calls, n);
	f->code[jump].k = f->len - jump - 1;
}

void
seccomp_child(struct run *r)
{
	int privileged = r->conf->userns == USERNS_NONE;
	struct filter filter, *f = &filter;
	struct sock_fprog program;

	if (!r->conf->seccomp)
		return;
	f->len = 0;
	load(f, offsetof(struct seccomp_data, arch));
	put_section(f, native_arch(), privileged);
	if (COMPAT)
		put_section(f, COMPAT, privileged);
	give(f, KILL);
	program = (struct sock_fprog){ f->len, f->code };
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) < 0)
		die("loading the filter of system calls%s (seccomp=none does "
		    "without):", errno == EINVAL || errno == ENOSYS ?
		    ", which needs CONFIG_SECCOMP_FILTER in the kernel" : "");
}
