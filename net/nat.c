/* net=nat: a veth pair in a bridge of crun's own, behind the host's addresses.
 *
 * The first container makes the bridge and the last removes it, shared.c.
 * Each has an address of the bridge's range: the same at every start, from its
 * name, unless another has that; a lock on a byte of the bridge's file says
 * whose it is.  What leaves by another link gets that link's address, table.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "net/filter.h"
#include "net/hosts.h"
#include "net/kinds.h"
#include "net/link.h"
#include "net/net.h"
#include "net/netlink.h"
#include "net/range.h"
#include "net/resolv.h"
#include "net/shared.h"
#include "net/table.h"
#include "sup/sup.h"
#include "config.h"

enum { HOSTS = (1 << (32 - NAT_PREFIX)) - 3 };	/* but network, bridge and */
						/* broadcast */

/* ---- the bridge ---- */

/* Its hardware address is its own: without one it would be the lowest of its
 * ports', and change under those that know it. */
static void
make_bridge(int fd, const char *name, void *arg)
{
	uint64_t h = hash(name);
	uint8_t mac[6] = { 2 };
	struct message m;
	struct ifinfomsg *i;
	struct facts f;
	struct ip ip;

	(void)arg;
	range_choose(fd, &ip);
	memcpy(mac + 1, &h, 5);
	nl_clear(&m);
	i = nl_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*i));
	i->ifi_family = AF_UNSPEC;
	nl_text(&m, IFLA_IFNAME, name);
	nl_attr(&m, IFLA_ADDRESS, mac, sizeof(mac));
	nl_nest(&m, IFLA_LINKINFO);
		nl_text(&m, IFLA_INFO_KIND, "bridge");
	nl_unnest(&m);
	nl_end(&m);
	if (nl_send(fd, &m) < 0)
		die("net=nat: making the bridge %s (CONFIG_BRIDGE):", name);
	link_begin(fd, name);
	if (link_get(fd, name, 0, &f) < 0 || address_add(fd, f.index, &ip) < 0)
		die("net=nat: giving %s its address:", name);
}

static void
find_bridge(struct run *r, int link, int fd)
{
	const char *where = conf_where_of(r->conf, KEY_NET, link);
	struct peer *p = &r->net.peer[link];
	struct facts f;

	shared_take(r, &p->lock, fd, NAT_BRIDGE, make_bridge, NULL);
	if (link_get(fd, NAT_BRIDGE, 0, &f) < 0)
		die("%sfinding " NAT_BRIDGE ":", where);
	if (strcmp(f.kind, "bridge") || !range_of(fd, f.index, p->gateway))
		die("%sthere is a link " NAT_BRIDGE ", but it is no bridge "
		    "with an address of " NAT_RANGE_TEXT "; it is in the way",
		    where);
	p->gateways = 1;
	p->parent = f.index;
	p->mtu = f.mtu;
}

/* ---- IPv6 ---- */

/* The router that guests hear of, and their next hop. */
static const struct ip link_local = { AF_INET6, 64, { 0xfe, 0x80, [15] = 1 } };

static void
add_to_bridge(int fd, uint32_t index, const struct ip *ip, const char *where)
{
	if (address_add(fd, index, ip) < 0 && errno != EEXIST)
		die("%sgiving " NAT_BRIDGE " an IPv6 address:", where);
}

/* By the first container that asks for it; it ends with the bridge.  The
 * container's address is the one that a guest makes for itself. */
static void
open_six(struct run *r, int link, int fd)
{
	static const char file[] = "/proc/sys/net/ipv6/conf/" NAT_BRIDGE
	    "/disable_ipv6", hears[] = "/proc/sys/net/ipv6/conf/" NAT_BRIDGE
	    "/accept_ra";
	const char *where = conf_where_of(r->conf, KEY_NAT6, link);
	struct peer *p = &r->net.peer[link];
	struct ip *ip = &p->gateway[p->gateways];

	/* a host whose accept_ra is 2 would hear guests that call themselves
	 * routers */
	if (write_at(AT_FDCWD, hears, "0") < 0 ||
	    write_at(AT_FDCWD, file, "0") < 0)
		die("%snat6 needs IPv6 on the host; writing %s%s:", where,
		    file, sysctl_hint());
	range_six(p->gateway, ip);
	if (range_six_taken(fd, p->parent, ip))
		die("%sa route of the host overlaps the IPv6 range of net=nat; "
		    "another NAT_RANGE6 in config.h is needed", where);
	table_host6(r, link);
	p->address6 = *ip;
	ip_end_of_mac(p->address6.addr + 8, r->conf->link[link].mac);
	ip->addr[15] = 1;
	add_to_bridge(fd, p->parent, ip, where);
	add_to_bridge(fd, p->parent, &link_local, where);
	p->gateways++;
}

/* ---- the address ---- */

static uint32_t
address(const struct ip *ip)
{
	uint32_t addr;

	memcpy(&addr, ip->addr, 4);
	return ntohl(addr);
}

/* The subnet is that of the bridge, whose address is its first. */
static void
set_address_number(struct peer *p, int n)
{
	uint32_t addr = htonl(address(p->gateway) + 1 + n);

	p->address = *p->gateway;
	memcpy(p->address.addr, &addr, 4);
}

static void
claim_given(struct run *r, int link, const struct setting *s)
{
	struct peer *p = &r->net.peer[link];
	int n = address(&s->u.ip) - address(p->gateway) - 1;

	if (s->u.ip.family != AF_INET || s->u.ip.prefix != NAT_PREFIX ||
	    n < 0 || n >= HOSTS)
		die("%s%s is no address for a container on " NAT_BRIDGE ", "
		    "whose range is %d.%d.%d.0/%d", s->where, conf_text(s),
		    p->gateway->addr[0], p->gateway->addr[1],
		    p->gateway->addr[2], NAT_PREFIX);
	if (!shared_claim(p->lock, n))
		die("%s%s is the address of another container", s->where,
		    conf_text(s));
	set_address_number(p, n);
}

static void
claim_by_name(struct run *r, int link)
{
	struct peer *p = &r->net.peer[link];
	char text[NAME_LEN + IFNAMSIZ + 1];
	uint32_t first;
	int i;

	put(text, sizeof(text), link ? "%s/%s" : "%s", r->conf->name,
	    r->conf->link[link].name);
	first = hash(text) % HOSTS;
	for (i = 0; i < HOSTS; i++)
		if (shared_claim(p->lock, (first + i) % HOSTS)) {
			set_address_number(p, (first + i) % HOSTS);
			return;
		}
	die("%sall %d addresses of " NAT_BRIDGE " are taken by containers",
	    conf_where_of(r->conf, KEY_NET, link), HOSTS);
}

static void
record_address(struct run *r, int link, const struct ip *ip)
{
	char line[96], prefix[IFNAMSIZ + 1] = "", text[INET6_ADDRSTRLEN];

	if (link)
		put(prefix, sizeof(prefix), "%s.", r->conf->link[link].name);
	put(line, sizeof(line), "%sip %s/%d\n", prefix, inet_ntop(ip->family,
	    ip->addr, text, sizeof(text)), ip->prefix);
	state_record(r, line);
}

/* ---- the kind ---- */

void
nat_host(struct run *r, int link, int fd)
{
	const struct setting *ip = conf_next_of(r->conf, KEY_IP, link, NULL);

	table_host(r, link);
	find_bridge(r, link, fd);
	filter_open(conf_where_of(r->conf, KEY_NET, link),
	    r->conf->link[link].nat6);
	peer_host(r, link, fd);
	if (ip)
		claim_given(r, link, ip);
	else
		claim_by_name(r, link);
	record_address(r, link, &r->net.peer[link].address);
	if (r->conf->link[link].nat6) {
		open_six(r, link, fd);
		record_address(r, link, &r->net.peer[link].address6);
	}
	hosts_open(r, r->net.peer[link].lock);
	hosts_add(r, r->net.peer[link].lock);
	if (!conf_next(r->conf, KEY_DNS, NULL) && !r->net.resolved)
		resolv_host(r);
}

void
nat_attach(struct run *r, int link, int fd)
{
	veth_attach(r, link, fd);
	table_attach(r, link);
	spoof_attach(r, link);
}

void
nat_undo(struct run *r, int link)
{
	table_undo(r, link);
	veth_undo(r, link);
	hosts_leave(r, r->net.peer[link].lock);
	shared_leave(r, &r->net.peer[link].lock, NAT_BRIDGE);
}
