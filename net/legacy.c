/* Tables of xtables, iptables-legacy(8): linux/netfilter_ipv4/ip_tables.h.
 * Asking for the table would load the module, so /proc says first whether it
 * is there. */
#include <fcntl.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/lib.h"
#include "net/legacy.h"

static int
is_there(void)
{
	char text[1024];

	return read_at(AT_FDCWD, "/proc/net/ip_tables_names", text,
	    sizeof(text)) > 0 && strstr(text, "filter\n");
}

/* The policy is the last rule of the chain, a verdict. */
static int
policy_is_drop(const struct ipt_get_entries *e, uint32_t at)
{
	const struct ipt_entry *rule;
	const struct xt_standard_target *t;

	if (at + sizeof(*rule) + sizeof(*t) > e->size)
		return 0;
	rule = (const void *)((const char *)e->entrytable + at);
	t = (const void *)((const char *)rule + rule->target_offset);
	return at + rule->target_offset + sizeof(*t) <= e->size &&
	    t->verdict == -NF_DROP - 1;
}

int
legacy_drops(const char *link)
{
	struct ipt_getinfo info = { .name = "filter" };
	struct ipt_get_entries *e = NULL;
	socklen_t size = sizeof(info);
	int fd, drops = 0;

	if (!is_there())
		return 0;
	fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd >= 0 && !getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &info,
	    &size)) {
		size = sizeof(*e) + info.size;
		e = xrealloc(NULL, size, 1);
		memset(e, 0, sizeof(*e));
		memcpy(e->name, info.name, sizeof(e->name));
		e->size = info.size;
		drops = !getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, e,
		    &size) &&
		    policy_is_drop(e, info.underflow[NF_INET_FORWARD]) &&
		    !memmem(e->entrytable, e->size, link, strlen(link) + 1);
	}
	free(e);
	shut(&fd);
	return drops;
}
