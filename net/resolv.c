/* The host's name servers, for containers that have its network, or NAT.
 *
 * One on 127.x is the host's own, and reached with its network only; where
 * there is no other it is that of systemd-resolved, which keeps the real ones
 * in a file of its own. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "net/net.h"
#include "net/resolv.h"

static const char *const files[] = {
	"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf",
};

static int
has_six(const struct conf *c)
{
	int i;

	for (i = 0; i < c->nlinks; i++)
		if (c->link[i].nat6)
			return 1;
	return c->host_net;
}

/* By NAT, those of the addresses that the container has, and none that only
 * the host reaches.  A scope, "%eth0", is a link of the host. */
static int
is_reachable(const struct run *r, const char *server)
{
	static const uint8_t loopback[16] = { [15] = 1 };
	uint8_t addr[16];

	if (inet_pton(AF_INET, server, addr) == 1)
		return r->conf->host_net || (addr[0] != 127 && addr[0]);
	return inet_pton(AF_INET6, server, addr) == 1 &&
	    has_six(r->conf) && (r->conf->host_net || (addr[0] != 0xfe &&
	    memcmp(addr, loopback, 16)));
}

static void
add_servers(struct run *r, char *text)
{
	char *out = r->net.resolv, *line, *word;
	size_t size = sizeof(r->net.resolv), len;

	while ((line = next_part(&text, "\n"))) {
		word = next_part(&line, " \t");
		if (!word || strcmp(word, "nameserver"))
			continue;
		word = next_part(&line, " \t");
		len = strlen(out);
		if (word && is_reachable(r, word))
			snprintf(out + len, size - len, "nameserver %s\n",
			    word);
	}
}

void
resolv_host(struct run *r)
{
	char text[8192];
	size_t i;

	r->net.resolved = 1;
	for (i = 0; i < LEN(files) && !*r->net.resolv; i++)
		if (read_at(AT_FDCWD, files[i], text, sizeof(text)) > 0)
			add_servers(r, text);
	if (!*r->net.resolv)
		warn("net=%s: the host has no name server that a container "
		    "reaches; set dns=ADDRESS",
		    r->conf->host_net ? "host" : "nat");
}
