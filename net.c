/* The network: a veth pair between the host's bridge and the container, its
 * addresses and routes, by rtnetlink(7) and nothing else.
 *
 * The supervisor makes the pair with one message: the host's end under a name
 * made from the container's (15 characters are too few for the name itself)
 * and in the bridge; the other end at once in the container's network
 * namespace, under its final name and address.  The child, in that namespace,
 * does the rest.  The host's end never gets an IPv6 address, nor hears router
 * advertisements.
 *
 * The messages are built and sent by net/netlink.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "net/net.h"
#include "net/netlink.h"
#include "sup/sup.h"

/* linux/if.h has it, but cannot stand beside net/if.h */
enum { ADDR_GEN_NONE = 1 };	/* IN6_ADDR_GEN_MODE_NONE */

/* ---- the host's side ---- */

/* Asked of the link itself: /sys may be missing, or show the links of another
 * network namespace. */
static int
is_bridge(const char *link)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq q = { .ifr_data = (char *)&info };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), bad;

	put(q.ifr_name, sizeof(q.ifr_name), "%s", link);
	bad = fd < 0 || ioctl(fd, SIOCETHTOOL, &q) < 0;
	shut(&fd);
	return !bad && !strcmp(info.driver, "bridge");
}

static void
name_link(struct run *r)
{
	uint64_t h = hash(r->conf->name);
	int i;

	put(r->net.link, sizeof(r->net.link), "cr");
	for (i = 2; i < 13; i++, h /= 32)
		r->net.link[i] = "abcdefghijklmnopqrstuvwxyz234567"[h % 32];
	r->net.link[13] = '\0';
}

void
net_host(struct run *r)
{
	const char *where = conf_where(r->conf, KEY_BRIDGE);
	const char *bridge = r->conf->bridge;

	if (!bridge)
		return;
	r->net.bridge = if_nametoindex(bridge);
	if (!r->net.bridge)
		die("%sthere is no bridge %s; make it: ip link add %s type "
		    "bridge && ip link set %s up", where, bridge, bridge,
		    bridge);
	if (!is_bridge(bridge))
		die("%s%s is a link, but no bridge; ip link add NAME type "
		    "bridge makes one", where, bridge);
}

static void
build_pair(const struct run *r, struct message *m, uint32_t mtu)
{
	struct ifinfomsg *host, *peer;
	uint8_t mac[6];

	/* A bridge takes the lowest address of its ports: never ours.  And what
	 * is sent to a port's own address stays on the host. */
	memcpy(mac, r->conf->mac, sizeof(mac));
	mac[0] = mac[0] == 0xfe ? 0xfa : 0xfe;
	host = nl_begin(m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
	    sizeof(*host));
	host->ifi_family = AF_UNSPEC;
	nl_text(m, IFLA_IFNAME, r->net.link);
	nl_attr(m, IFLA_ADDRESS, mac, sizeof(mac));
	nl_attr32(m, IFLA_MASTER, r->net.bridge);
	nl_attr32(m, IFLA_MTU, mtu);
	nl_nest(m, IFLA_LINKINFO);
		nl_text(m, IFLA_INFO_KIND, "veth");
		nl_nest(m, IFLA_INFO_DATA);
			nl_nest(m, VETH_INFO_PEER);
				peer = nl_add(m, sizeof(*peer));
				peer->ifi_family = AF_UNSPEC;
				nl_text(m, IFLA_IFNAME, r->conf->ifname);
				nl_attr(m, IFLA_ADDRESS, r->conf->mac, 6);
				nl_attr32(m, IFLA_MTU, mtu);
				nl_attr32(m, IFLA_NET_NS_PID, r->init.pid);
			nl_unnest(m);
		nl_unnest(m);
	nl_unnest(m);
	nl_end(m);
}

/* Up only after IPv6 is off: an address is made at the moment of going up. */
static void
build_up(struct message *m, const char *link, int ipv6)
{
	uint8_t mode = ADDR_GEN_NONE;
	struct ifinfomsg *i;

	i = nl_begin(m, RTM_NEWLINK, 0, sizeof(*i));
	i->ifi_family = AF_UNSPEC;
	i->ifi_flags = i->ifi_change = IFF_UP;
	nl_text(m, IFLA_IFNAME, link);
	if (ipv6) {
		nl_nest(m, IFLA_AF_SPEC);
			nl_nest(m, AF_INET6);
				nl_attr(m, IFLA_INET6_ADDR_GEN_MODE, &mode, 1);
			nl_unnest(m);
		nl_unnest(m);
	}
	nl_end(m);
}

static uint32_t
bridge_mtu(const struct run *r)
{
	struct ifreq q = { 0 };
	int fd;

	if (r->conf->mtu)
		return r->conf->mtu;
	put(q.ifr_name, sizeof(q.ifr_name), "%s", r->conf->bridge);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCGIFMTU, &q) < 0)
		die("%sreading the mtu of %s:", conf_where(r->conf,
		    KEY_BRIDGE), r->conf->bridge);
	close(fd);
	return q.ifr_mtu;
}

static int
make_pair(struct run *r, int fd, uint32_t mtu)
{
	struct message m;

	nl_clear(&m);
	build_pair(r, &m, mtu);
	return nl_send(fd, &m);
}

void
net_attach(struct run *r)
{
	struct message m;
	uint32_t mtu;
	char path[80], line[32];
	int fd, err, ipv6;

	nl_clear(&m);
	if (!r->net.bridge)
		return;
	mtu = bridge_mtu(r);
	name_link(r);
	put(line, sizeof(line), "link %s\n", r->net.link);
	state_record(r, line);
	fd = nl_open();
	err = make_pair(r, fd, mtu);
	if (err < 0 && errno == EEXIST) {
		/* the name is ours by our lock: it is a leftover that the
		 * kernel has not removed yet */
		net_delete(r, r->net.link);
		err = make_pair(r, fd, mtu);
	}
	if (err < 0)
		die("%smaking a veth pair %s on %s as %s (CONFIG_VETH):",
		    conf_where(r->conf, KEY_BRIDGE), r->net.link,
		    r->conf->bridge, r->conf->ifname);
	/* no router advertisements; a kernel without IPv6 has no such file */
	put(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6",
	    r->net.link);
	ipv6 = !write_at(AT_FDCWD, path, "1");
	if (!ipv6 && errno != ENOENT)
		die("writing %s:", path);
	build_up(&m, r->net.link, ipv6);
	if (nl_send(fd, &m) < 0)
		die("setting %s up:", r->net.link);
	close(fd);
	step("net: %s on %s is %s inside", r->net.link, r->conf->bridge,
	    r->conf->ifname);
}

const char *
net_delete(struct run *r, const char *link)
{
	struct message m;
	struct ifinfomsg *i;
	int fd = nl_open();

	(void)r;
	nl_clear(&m);
	i = nl_begin(&m, RTM_DELLINK, 0, sizeof(*i));
	i->ifi_family = AF_UNSPEC;
	nl_text(&m, IFLA_IFNAME, link);
	nl_end(&m);
	if (nl_send(fd, &m) < 0 && errno != ENODEV)
		warn("removing the link %s:", link);
	close(fd);
	return NULL;
}

static void
leave_bridge(const char *link)
{
	struct message m;
	struct ifinfomsg *i;
	int fd = nl_open();

	nl_clear(&m);
	i = nl_begin(&m, RTM_NEWLINK, 0, sizeof(*i));
	i->ifi_family = AF_UNSPEC;
	nl_text(&m, IFLA_IFNAME, link);
	nl_attr32(&m, IFLA_MASTER, 0);
	nl_end(&m);
	if (nl_send(fd, &m) < 0 && errno != ENODEV)
		warn("taking %s off its bridge:", link);
	close(fd);
}

/* The init is dead, so the kernel will remove its network namespace and with
 * it both ends of the pair, some milliseconds from now.  After an OS we have
 * it done at once.  After a program, which may be one of thousands in a loop,
 * that would take longer than all the rest of its life: the bridge lets go of
 * the port, so that no two ports answer to one address, and should the name
 * be needed again before the kernel is done, net_attach() deletes it. */
void
net_undo(struct run *r)
{
	if (*r->net.link && r->conf->program)
		leave_bridge(r->net.link);
	else if (*r->net.link)
		net_delete(r, r->net.link);
	*r->net.link = '\0';
	r->net.bridge = 0;
}

/* ---- the container's side ---- */

static void
build_flags_up(struct message *m, uint32_t index)
{
	struct ifinfomsg *i;

	i = nl_begin(m, RTM_NEWLINK, 0, sizeof(*i));
	i->ifi_family = AF_UNSPEC;
	i->ifi_index = index;
	i->ifi_flags = i->ifi_change = IFF_UP;
	nl_end(m);
}

static size_t
ip_size(const struct ip *ip)
{
	return ip->family == AF_INET ? 4 : 16;
}

static void
build_address(struct message *m, const struct ip *ip, uint32_t index)
{
	struct ifaddrmsg *a;
	uint32_t broadcast;

	a = nl_begin(m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*a));
	a->ifa_family = ip->family;
	a->ifa_prefixlen = ip->prefix;
	a->ifa_index = index;
	/* no duplicate address detection: usable at once */
	a->ifa_flags = ip->family == AF_INET6 ? IFA_F_NODAD : 0;
	nl_attr(m, IFA_LOCAL, ip->addr, ip_size(ip));
	nl_attr(m, IFA_ADDRESS, ip->addr, ip_size(ip));
	if (ip->family == AF_INET && ip->prefix < 31) {
		memcpy(&broadcast, ip->addr, 4);
		broadcast |= htonl(0xffffffffu >> ip->prefix);
		nl_attr(m, IFA_BROADCAST, &broadcast, 4);
	}
	nl_end(m);
}

static void
build_route(struct message *m, const struct ip *gateway, uint32_t index)
{
	struct rtmsg *t;

	t = nl_begin(m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, sizeof(*t));
	t->rtm_family = gateway->family;
	t->rtm_table = RT_TABLE_MAIN;
	t->rtm_protocol = RTPROT_STATIC;
	t->rtm_scope = RT_SCOPE_UNIVERSE;
	t->rtm_type = RTN_UNICAST;
	nl_attr(m, RTA_GATEWAY, gateway->addr, ip_size(gateway));
	nl_attr32(m, RTA_OIF, index);
	nl_end(m);
}

/* Any socket does for this ioctl, netdevice(7). */
static uint32_t
find_link(int fd, const char *name)
{
	struct ifreq q = { 0 };

	put(q.ifr_name, sizeof(q.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFINDEX, &q) < 0)
		die("finding the container's link %s:", name);
	return q.ifr_ifindex;
}

/* Sends what was built; made[i] is the setting that message i is from. */
static void
send_made(int fd, struct message *m, const struct setting **made,
    const char *link)
{
	const struct setting *s;

	if (!m->count || nl_send(fd, m) == 0)
		return;
	s = made[m->failed ? m->failed - 1 : 0];
	die("%s%s on the container's %s:", s->where, conf_text(s), link);
}

static void
set_addresses(const struct conf *c, int fd, struct message *m)
{
	static const enum key_id ids[] = { KEY_IP, KEY_GATEWAY };
	const struct setting *made[BATCH];
	uint32_t index = find_link(fd, c->ifname);
	size_t i;

	made[0] = conf_next(c, KEY_BRIDGE, NULL);
	build_flags_up(m, index);
	for (i = 0; i < LEN(ids); i++)
		for (each(c, s, ids[i])) {
			if (m->count == BATCH)
				send_made(fd, m, made, c->ifname);
			made[m->count] = s;
			if (s->id == KEY_IP)
				build_address(m, &s->u.ip, index);
			else
				build_route(m, &s->u.ip, index);
		}
	send_made(fd, m, made, c->ifname);
}

void
net_child(struct run *r)
{
	struct message m;
	int fd = nl_open();

	nl_clear(&m);
	build_flags_up(&m, 1);		/* lo is always the first */
	if (nl_send(fd, &m) < 0)
		die("setting lo up:");
	if (r->conf->bridge)
		set_addresses(r->conf, fd, &m);
	close(fd);
}
