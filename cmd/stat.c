/* What crun list and crun stat print.
 *
 * All of it is read anew each time: from the saved configuration, from /proc
 * and from the container's cgroups.  What this kernel or this container does
 * not count, or what the saved configuration does not tell this version of
 * crun, is an empty value, and "-" in the list; a container may end meanwhile,
 * and what is gone then is empty too.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

#include "crun.h"
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "net/link.h"
#include "net/net.h"
#include "net/netlink.h"
#include "sup/sup.h"

/* ---- numbers ---- */

/* Seconds since the init began; -1: not known. */
static long long
uptime(const struct run *r)
{
	unsigned long long start = state_start_time(r->init.proc, "stat");
	struct timespec now;

	if (!start || clock_gettime(CLOCK_BOOTTIME, &now) < 0)
		return -1;
	return now.tv_sec - (long long)(start / getauxval(AT_CLKTCK));
}

/* The number after "WORD " in a flat keyed file, cgroup-v2.rst; without a
 * word, the file's first.  -1: none. */
static int
number_in(const char *text, const char *word, uint64_t *n)
{
	size_t len = word ? strlen(word) : 0;

	while (len && *text && (strncmp(text, word, len) ||
	    text[len] != ' ')) {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	text += len + (len > 0);
	return numbers(text, n, 1) == 1 ? 0 : -1;
}

/* Where each count stands, on v2 and on v1; payload/: in the group of the
 * processes, where that is another, as with userns=none. */
static const struct count {
	const char *key;
	const char *file, *word;
	const char *file1, *word1;
	uint64_t divide1;	/* v1's unit to v2's */
} counts[] = {
	{ "cpu.usec", "cpu.stat", "usage_usec", "cpuacct.usage", NULL, 1000 },
	{ "memory", "memory.current", NULL, "memory.usage_in_bytes", NULL, 1 },
	{ "memory.peak", "memory.peak", NULL, "memory.max_usage_in_bytes",
	    NULL, 1 },
	{ "memory.max", "memory.max", NULL, "memory.limit_in_bytes", NULL, 1 },
	{ "memory.oom_kills", "memory.events", "oom_kill",
	    "payload/memory.oom_control", "oom_kill", 1 },
	{ "pids.max", "pids.max", NULL, NULL, NULL, 1 },
};

/* -1 where nobody counts it, or the limit is none. */
static int
count(const struct run *r, const struct count *c, uint64_t *n)
{
	const char *own = c->file1 ? strchr(c->file1, '/') : NULL;
	char text[4096];

	if (cgroup_read(r, c->file, text, sizeof(text)) > 0 &&
	    !number_in(text, c->word, n))
		return 0;
	if (!c->file1 || (cgroup_read(r, c->file1, text, sizeof(text)) <= 0 &&
	    (!own || cgroup_read(r, own + 1, text, sizeof(text)) <= 0)) ||
	    number_in(text, c->word1, n) < 0)
		return -1;
	*n /= c->divide1;
	return *n > INT64_MAX / 2 ? -1 : 0;	/* v1's "no limit" */
}

/* ---- text ---- */

/* A value that the guest may have made. */
static void
print_escaped(const char *s)
{
	char shown[ESCAPED];

	while (*s) {
		s += escape(shown, s, strlen(s));
		fputs(strcmp(shown, "\\") ? shown : "\\x5c", stdout);
	}
}

static void
print_link(const char *key, int dir, const char *file)
{
	char path[4096];
	ssize_t n = readlinkat(dir, file, path, sizeof(path) - 1);

	path[n > 0 ? n : 0] = '\0';
	printf("%s=", key);
	print_escaped(path);
	putchar('\n');
}

static const char *
state_name(const struct run *r, enum life life)
{
	static const char *const names[] = { "none", "dead", "starting",
	    "ending", "running" };

	return life == RUNNING && cgroup_frozen(r) ? "frozen" : names[life];
}

/* ---- crun list ---- */

/* An address that the start has chosen, in NAME/host: "ip ADDRESS", or
 * "IFNAME.ip ADDRESS"; NULL. */
static const char *
chosen_address(char *text, const struct conf *c, int i)
{
	char key[IFNAMSIZ + 8], *line;

	put(key, sizeof(key), "%s%sip ", i ? c->link[i].name : "",
	    i ? "." : "");
	while ((line = next_part(&text, "\n")))
		if (!strncmp(line, key, strlen(key)))
			return line + strlen(key);
	return NULL;
}

/* The first address of the first interface that has one. */
static void
put_address(const struct run *r, const struct conf *c, char *buf, size_t size)
{
	const struct setting *s;
	const char *ip = NULL;
	char text[16384];
	int i;

	for (i = 0; i < c->nlinks && !ip; i++) {
		s = conf_next_of(c, KEY_IP, i, NULL);
		read_at(r->state.dir, "host", text, sizeof(text));
		ip = s ? s->value : chosen_address(text, c, i);
	}
	put(buf, size, "%s", ip ? ip : "-");
}

#define LINE "%-15s %-8s %7s %11s %7s %-18s "

static void
put_uptime(char *buf, size_t size, long long s)
{
	if (s < 0)
		put(buf, size, "-");
	else if (s < 86400)
		put(buf, size, "%02d:%02d:%02d", (int)(s / 3600),
		    (int)(s / 60 % 60), (int)(s % 60));
	else
		put(buf, size, "%lld-%02d:%02d:%02d", s / 86400,
		    (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60));
}

static void
put_size(char *buf, size_t size, uint64_t n)
{
	static const char units[] = "KMGT";
	int i;

	for (i = 0, n /= 1024; n >= 10000 && units[i + 1]; i++)
		n /= 1024;
	put(buf, size, "%" PRIu64 "%c", n, units[i]);
}

void
stat_line(struct run *r, enum life life, const char *name)
{
	char pid[24] = "-", up[32] = "-", memory[24] = "-", ip[64];
	struct conf c = { 0 };
	uint64_t n;

	if (!r) {
		printf(LINE "%s\n", "NAME", "STATE", "PID", "UPTIME", "MEMORY",
		    "IP", "ROOTFS");
		return;
	}
	conf_saved(&c, r->state.dir, name, NULL, 0);
	conf_warn(&c);
	put_address(r, &c, ip, sizeof(ip));
	cgroup_open(r);
	if (life == RUNNING) {
		put(pid, sizeof(pid), "%ld", (long)r->init.pid);
		put_uptime(up, sizeof(up), uptime(r));
		if (!count(r, &counts[1], &n))
			put_size(memory, sizeof(memory), n);
	}
	printf(LINE, name, state_name(r, life), pid, up, memory,
	    ip);
	puts(c.rootfs ? c.rootfs : "-");
	cgroup_close(r);
}

/* ---- crun stat ---- */

static void
print_mac(const char *prefix, const uint8_t *m)
{
	printf("%smac=", prefix);
	if (m)
		printf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3],
		    m[4], m[5]);
	putchar('\n');
}

static void
print_traffic(const char *prefix, const char *way, const struct traffic *t)
{
	if (t)
		printf("%s%s=%" PRIu64 "\n%s%s.packets=%" PRIu64 "\n%s%s"
		    ".dropped=%" PRIu64 "\n", prefix, way, t->bytes, prefix,
		    way, t->packets, prefix, way, t->dropped);
	else
		printf("%s%s=\n%s%s.packets=\n%s%s.dropped=\n", prefix, way,
		    prefix, way, prefix, way);
}

static void
print_addresses(const char *prefix, int fd, uint32_t index)
{
	char text[INET6_ADDRSTRLEN];
	struct ip *all;
	int i, n = link_addresses(fd, index, &all);

	for (i = 0; i < n; i++)
		printf("%saddress=%s/%d\n", prefix, inet_ntop(all[i].family,
		    all[i].addr, text, sizeof(text)), all[i].prefix);
	free(all);
}

/* What the kernel says of it, inside; the guest may have given it another
 * name, or another address. */
static void
print_facts(struct run *r, const struct conf *c, int i, const char *prefix)
{
	const struct link *l = &c->link[i];
	struct facts f, other;
	int fd, has = guest_open(r) == 0 &&
	    link_get(r->net.guest, l->name, 0, &f) == 0;

	if (has)
		print_mac(prefix, f.has_mac ? f.mac : NULL);
	else
		print_mac(prefix, l->own_mac && !c->faulty[KEY_MAC] ? l->mac :
		    NULL);
	if (has && (l->kind == LINK_BRIDGE || l->kind == LINK_NAT)) {
		char name[IFNAMSIZ];

		if (l->host)
			put(name, sizeof(name), "%s", l->host);
		else
			link_name(c, i, name);
		/* the guest may have another link of that name now */
		fd = nl_open();
		if (link_get(fd, name, 0, &other) == 0 &&
		    !strcmp(other.kind, "veth") && other.lower == f.index)
			printf("%shost.link=%s\n", prefix, name);
		close(fd);
	}
	if (has)
		print_addresses(prefix, r->net.guest, f.index);
	print_traffic(prefix, "received", has ? &f.received : NULL);
	print_traffic(prefix, "sent", has ? &f.sent : NULL);
}

static void
print_interface(struct run *r, const struct conf *c, int i)
{
	char prefix[IFNAMSIZ + 1] = "";

	if (i)
		put(prefix, sizeof(prefix), "%s.", c->link[i].name);
	/* that of net=nat is among the objects of the host */
	for (each_of(c, s, KEY_IP, i))
		if (c->link[i].kind != LINK_NAT)
			printf("%sip=%s\n", prefix, s->value);
	if (c->link[i].kind == LINK_NONE)
		return;
	for (each_of(c, s, KEY_PORT, i))
		printf("%sport=%s\n", prefix, s->value);
	printf("%s%s=%s\n", prefix, keys[c->link[i].key].name,
	    c->link[i].kind == LINK_NAT ? "nat" : c->link[i].parent);
	print_facts(r, c, i, prefix);
}

static void
print_conf(struct run *r, const struct conf *c)
{
	int i;

	printf("rootfs=%s\nhostname=%s\n", c->rootfs ? c->rootfs : "",
	    c->hostname ? c->hostname : "");
	for (i = 0; i < c->nlinks; i++)
		print_interface(r, c, i);
}

/* The host's ids of the container's, as FIRST:COUNT of the map that has its
 * root. */
static void
print_ids(const struct run *r)
{
	char text[4096];
	uint64_t n[3];		/* inside, outside, how many */

	read_at(r->init.proc, "uid_map", text, sizeof(text));
	if (numbers(text, n, 3) == 3 && n[1])
		printf("userns=%" PRIu64 ":%" PRIu64 "\n", n[1], n[2]);
	else
		puts("userns=none");
}

/* The objects on the host, as NAME/host has them. */
static void
print_objects(const struct run *r)
{
	char text[16384], *line, *what, *rest = text;

	read_at(r->state.dir, "host", text, sizeof(text));
	while ((line = next_part(&rest, "\n")))
		if ((what = strchr(line, ' '))) {
			*what++ = '\0';
			printf("%s=%s\n", line, what);
		}
}

static void
print_counts(const struct run *r)
{
	uint64_t n;
	size_t i;

	for (i = 0; i < LEN(counts); i++)
		if (count(r, &counts[i], &n) < 0)
			printf("%s=\n", counts[i].key);
		else
			printf("%s=%" PRIu64 "\n", counts[i].key, n);
	printf("pids=%lu\n", cgroup_count(r));
}

/* The sums over all disks: of v2's io.stat "rbytes=N", of v1's lines
 * "MAJOR:MINOR Read N". */
static void
print_io(const struct run *r)
{
	static const struct {
		const char *key, *v2, *v1;
	} io[] = {
		{ "io.read", "rbytes=", " Read " },
		{ "io.written", "wbytes=", " Write " },
	};
	char text[8192], *p;
	uint64_t sum;
	size_t i;
	int v2, any;

	v2 = cgroup_read(r, "io.stat", text, sizeof(text)) >= 0;
	any = v2 || cgroup_read(r, "blkio.throttle.io_service_bytes_recursive",
	    text, sizeof(text)) >= 0;
	for (i = 0; i < LEN(io); i++) {
		const char *word = v2 ? io[i].v2 : io[i].v1;

		sum = 0;
		for (p = text; (p = strstr(p, word)); )
			sum += strtoull(p += strlen(word), NULL, 10);
		if (any)
			printf("%s=%" PRIu64 "\n", io[i].key, sum);
		else
			printf("%s=\n", io[i].key);
	}
}

/* Pressure stall information, psi.rst: the lines some and full. */
static void
print_pressure(const struct run *r)
{
	static const char *const kinds[] = { "cpu", "memory", "io" };
	char file[32], text[512], *line, *rest;
	size_t i;

	for (i = 0; i < LEN(kinds); i++) {
		put(file, sizeof(file), "%s.pressure", kinds[i]);
		if (cgroup_read(r, file, text, sizeof(text)) <= 0)
			continue;
		rest = text;
		while ((line = next_part(&rest, "\n")))
			printf("pressure.%s=%s\n", kinds[i], line);
	}
}

void
stat_all(struct run *r, const char *name)
{
	struct conf c = { 0 };

	conf_saved(&c, r->state.dir, name, NULL, 0);
	conf_warn(&c);
	printf("name=%s\nstate=%s\npid=%ld\n", name, state_name(r, RUNNING),
	    (long)r->init.pid);
	print_link("init", r->init.proc, "exe");
	printf("uptime=%lld\n", uptime(r));
	print_conf(r, &c);
	print_ids(r);
	print_objects(r);
	print_counts(r);
	print_io(r);
	print_pressure(r);
}
