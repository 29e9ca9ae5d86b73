/* The device policy: only the devices in /dev can be opened.
 *
 * A node that the guest makes, mounts or brings in an archive is opened
 * only where a rule allows its number.  The rules are those of the nodes in
 * /dev, of the terminals, of the device keys, and of device files that are
 * bound.  They belong to the container's group, above the one that the guest
 * sees: as a program that the kernel asks about each open and mknod (cgroup
 * v2, "Device controller" in cgroup-v2.rst), or, where it takes no such
 * program, as the lists of a cgroup v1 hierarchy.  The lists must be there
 * before anybody is in the group; the program is loaded while the child puts
 * its tree together, since the kernel takes some time for it.
 *
 * In a user namespace below the first, no such program may be loaded, and
 * no node of a device be made, whoever asks, mknod(2).  There the policy of
 * the container that crun itself runs in holds, and the nodes are its nodes,
 * bound. */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "crun.h"
#include "cgroup/cgroup.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "config.h"

enum { ANY = -1 };
enum { ALL = DEVICE_MKNOD | DEVICE_READ | DEVICE_WRITE };

struct rule {
	int block;
	int major, minor;	/* ANY */
	int access;		/* DEVICE_ bits */
};

/* ---- the rules ---- */

static void
add_rule(struct rule *rules, size_t *n, mode_t mode, dev_t dev, int access)
{
	rules[(*n)++] = (struct rule){ S_ISBLK(mode), major(dev), minor(dev),
	    access };
}

/* Gives them in *rules, and their number. */
static size_t
gather(struct run *r, struct rule **rules)
{
	struct rule *list = xrealloc(NULL, LEN(config_nodes) +
	    LEN(config_devices) + r->conf->nset, sizeof(*list));
	const struct seen *node = r->mount.node;
	size_t n = 0, i;
	struct stat st;

	for (i = 0; i < LEN(config_nodes); i++)
		list[n++] = (struct rule){ 0, config_nodes[i].major,
		    config_nodes[i].minor, ALL };
	for (i = 0; i < LEN(config_devices); i++)
		list[n++] = (struct rule){ 0, config_devices[i].major,
		    config_devices[i].minor, config_devices[i].access };
	for (each(r->conf, s, KEY_DEVICE)) {
		add_rule(list, &n, node->mode, node->rdev, s->u.device.access);
		node++;
	}
	for (i = 0; i < r->mount.nlist; i++) {
		const struct entry *e = &r->mount.list[i];

		if (e->mount >= 0 && !fstat(e->mount, &st) &&
		    !(e->s->u.bind.attr & MOUNT_ATTR_NODEV) &&
		    (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
			add_rule(list, &n, st.st_mode, st.st_rdev,
			    DEVICE_READ | DEVICE_WRITE);
	}
	*rules = list;
	return n;
}

/* ---- as a program ---- */

/* Registers: what is asked for and the type, as in the context; the device's
 * number; two to reckon in. */
enum { ASKED = BPF_REG_2, NUMBER, LEFT, OTHER };
enum { RULE_SIZE = 9, FRAME_SIZE = 8 };		/* instructions */
enum { ACCESS_BIT = 16, MINOR_BITS = 20 };	/* of ASKED, of NUMBER */

static void
emit(struct bpf_insn **p, int code, int dst, int src, int off, int imm)
{
	*(*p)++ = (struct bpf_insn){ code, dst, src, off, imm };
}

static void
emit_load(struct bpf_insn **p, int reg, int off)
{
	emit(p, BPF_LDX | BPF_MEM | BPF_W, reg, BPF_REG_1, off, 0);
}

static void
emit_copy(struct bpf_insn **p, int dst, int src)
{
	emit(p, BPF_ALU | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void
emit_math(struct bpf_insn **p, int op, int reg, uint32_t value)
{
	emit(p, BPF_ALU | op | BPF_K, reg, 0, 0, value);
}

/* LEFT is the device's number XOR the rule's, OTHER what is asked for without
 * what the rule allows: both are zero where it is allowed.  So there is one
 * branch a rule; branches cost the kernel's verifier more than all the rest. */
static void
emit_rule(struct bpf_insn **p, const struct rule *rule)
{
	int any = rule->minor == ANY;

	emit_copy(p, LEFT, NUMBER);
	emit_math(p, BPF_XOR, LEFT, (uint32_t)rule->major << MINOR_BITS |
	    (any ? 0 : rule->minor));
	if (any)
		emit_math(p, BPF_RSH, LEFT, MINOR_BITS);
	emit_copy(p, OTHER, ASKED);
	emit_math(p, BPF_XOR, OTHER, rule->block ? BPF_DEVCG_DEV_BLOCK :
	    BPF_DEVCG_DEV_CHAR);
	emit_math(p, BPF_AND, OTHER, ~((uint32_t)rule->access << ACCESS_BIT));
	emit(p, BPF_ALU | BPF_OR | BPF_X, LEFT, OTHER, 0, 0);
	emit(p, BPF_JMP | BPF_JNE | BPF_K, LEFT, 0, 1, 0);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* The kernel ends its look at a program with EAGAIN when a signal comes, also
 * one that stops us. */
static int
load_code(union bpf_attr *a)
{
	enum { TRIES = 100 };
	int fd = -1, i;

	for (i = 0; i < TRIES && fd < 0 && (!i || errno == EAGAIN); i++)
		fd = syscall(SYS_bpf, BPF_PROG_LOAD, a, sizeof(*a));
	return fd;
}

/* The context is struct bpf_cgroup_dev_ctx.  Gives the program's descriptor,
 * or -1 and errno. */
static int
load_program(const struct rule *rules, size_t n)
{
	struct bpf_insn *code = xrealloc(NULL, FRAME_SIZE + n * RULE_SIZE,
	    sizeof(*code)), *p = code;
	union bpf_attr a = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE };
	size_t i;
	int fd, err;

	emit_math(&p, BPF_MOV, BPF_REG_0, 1);
	emit_load(&p, ASKED, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit_load(&p, NUMBER, offsetof(struct bpf_cgroup_dev_ctx, major));
	emit_math(&p, BPF_LSH, NUMBER, MINOR_BITS);
	emit_load(&p, LEFT, offsetof(struct bpf_cgroup_dev_ctx, minor));
	emit(&p, BPF_ALU | BPF_OR | BPF_X, NUMBER, LEFT, 0, 0);
	for (i = 0; i < n; i++)
		emit_rule(&p, &rules[i]);
	emit_math(&p, BPF_MOV, BPF_REG_0, 0);
	emit(&p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	a.insns = (uintptr_t)code;
	a.insn_cnt = p - code;
	a.license = (uintptr_t)"ISC";
	strcpy(a.prog_name, "crun");
	fd = load_code(&a);
	err = errno;
	free(code);
	errno = err;
	return fd;
}

static void
attach_program(const struct hier *v2, int fd)
{
	union bpf_attr a = { .target_fd = v2->group, .attach_bpf_fd = fd,
	    .attach_type = BPF_CGROUP_DEVICE,
	    .attach_flags = BPF_F_ALLOW_MULTI };

	if (syscall(SYS_bpf, BPF_PROG_ATTACH, &a, sizeof(a)) < 0)
		die("the device policy: attaching its program to a "
		    "group in %s%s (device=all does without):", v2->path,
		    errno == EPERM ? ", where one above allows no other" : "");
}

/* Whether the kernel takes such programs: asking for those of a group costs
 * nothing. */
static int
takes_programs(const struct hier *v2)
{
	union bpf_attr a = { .query.target_fd = v2->base,
	    .query.attach_type = BPF_CGROUP_DEVICE };

	return !syscall(SYS_bpf, BPF_PROG_QUERY, &a, sizeof(a));
}

/* ---- as the lists of cgroup v1 ---- */

static void
write_rule(const struct hier *h, const struct rule *rule)
{
	char text[64], minor[16] = "*";

	if (rule->minor != ANY)
		put(minor, sizeof(minor), "%d", rule->minor);
	put(text, sizeof(text), "%c %d:%s %s%s%s", rule->block ? 'b' : 'c',
	    rule->major, minor, rule->access & DEVICE_READ ? "r" : "",
	    rule->access & DEVICE_WRITE ? "w" : "",
	    rule->access & DEVICE_MKNOD ? "m" : "");
	if (write_at(h->group, "devices.allow", text) < 0)
		die("the device policy: allowing %s in %s:", text,
		    h->path);
}

/* All is denied first, which a group with groups in it would refuse. */
static void
write_rules(const struct hier *h, const struct rule *rules, size_t n)
{
	size_t i;

	if (write_at(h->group, "devices.deny", "a") < 0)
		die("the device policy: writing devices.deny in %s:",
		    h->path);
	for (i = 0; i < n; i++)
		write_rule(h, &rules[i]);
}

/* ---- the policy ---- */

int
device_policy(const struct conf *c)
{
	for (each(c, s, KEY_DEVICE))
		if (!s->u.device.node)
			return 0;
	return in_first_userns();
}

void
device_caps(struct run *r)
{
	r->cgroup.caps = r->conf->caps;
	if (!device_policy(r->conf))
		r->cgroup.caps &= ~((uint64_t)1 << CAP_MKNOD);
}

void
device_choose(struct run *r)
{
	int err;

	device_caps(r);
	r->cgroup.device = NULL;
	if (!device_policy(r->conf) || takes_programs(&r->cgroup.hier[0]))
		return;
	err = errno;
	r->cgroup.device = cgroup_v1(r, "devices");
	errno = err;
	if (!r->cgroup.device && err == EPERM)
		die("the device policy: bpf(2) is refused to us, as it "
		    "is in a container (device=all does without):");
	if (!r->cgroup.device)
		die("the device policy needs CONFIG_CGROUP_BPF, or a "
		    "mounted cgroup v1 hierarchy of devices (device=all does "
		    "without)");
}

void
device_lists(struct run *r)
{
	struct rule *rules;
	size_t n;

	if (!r->cgroup.device)
		return;
	n = gather(r, &rules);
	write_rules(r->cgroup.device, rules, n);
	free(rules);
	step("device: none but those in /dev, by cgroup v1");
}

void
device_attach(struct run *r)
{
	struct rule *rules;
	size_t n;
	int fd;

	if (r->cgroup.device || !device_policy(r->conf))
		return;
	n = gather(r, &rules);
	fd = load_program(rules, n);
	if (fd < 0)
		die("the device policy: loading its program (device=all "
		    "does without):");
	attach_program(&r->cgroup.hier[0], fd);
	close(fd);
	free(rules);
	step("device: none but those in /dev");
}
