/* A veth pair, veth(4): one end in a bridge of the host, the other the
 * container's.
 *
 * It is made with one message: the host's end under a name made from the
 * container's (15 characters are too few for the name itself) and in the
 * bridge; the other end at once in the container's network namespace, under
 * its final name and address.  The host's end never gets an IPv6 address, nor
 * hears router advertisements.
 */
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
#include "net/kinds.h"
#include "net/net.h"
#include "net/netlink.h"
#include "sup/sup.h"

/* linux/if.h has it, but cannot stand beside net/if.h */
enum { ADDR_GEN_NONE = 1 };	/* IN6_ADDR_GEN_MODE_NONE */

/* ---- the bridge ---- */

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

void
bridge_host(struct run *r, int link)
{
	const char *where = conf_where_of(r->conf, KEY_BRIDGE, link);
	const char *bridge = r->conf->link[link].parent;
	uint32_t index = if_nametoindex(bridge);

	if (!index)
		die("%sthere is no bridge %s; make it: ip link add %s type "
		    "bridge && ip link set %s up", where, bridge, bridge,
		    bridge);
	if (!is_bridge(bridge))
		die("%s%s is a link, but no bridge; ip link add NAME type "
		    "bridge makes one", where, bridge);
	r->net.peer[link].parent = index;
}

/* ---- the pair ---- */

/* For the first interface from the container's name, for others from both
 * names: a container's name has no slash. */
static void
name_peer(struct run *r, int link)
{
	char text[NAME_LEN + IFNAMSIZ + 1], *name = r->net.peer[link].name;
	uint64_t h;
	int i;

	put(text, sizeof(text), link ? "%s/%s" : "%s", r->conf->name,
	    r->conf->link[link].name);
	h = hash(text);
	put(name, IFNAMSIZ, "cr");
	for (i = 2; i < 13; i++, h /= 32)
		name[i] = "abcdefghijklmnopqrstuvwxyz234567"[h % 32];
	name[13] = '\0';
}

static void
build_pair(const struct run *r, int link, struct message *m, uint32_t mtu)
{
	const struct link *l = &r->conf->link[link];
	const struct peer *p = &r->net.peer[link];
	struct ifinfomsg *host, *peer;
	uint8_t mac[6];

	/* A bridge takes the lowest address of its ports: never ours.  And what
	 * is sent to a port's own address stays on the host. */
	memcpy(mac, l->mac, sizeof(mac));
	mac[0] = mac[0] == 0xfe ? 0xfa : 0xfe;
	host = nl_begin(m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
	    sizeof(*host));
	host->ifi_family = AF_UNSPEC;
	nl_text(m, IFLA_IFNAME, p->name);
	nl_attr(m, IFLA_ADDRESS, mac, sizeof(mac));
	nl_attr32(m, IFLA_MASTER, p->parent);
	nl_attr32(m, IFLA_MTU, mtu);
	nl_nest(m, IFLA_LINKINFO);
		nl_text(m, IFLA_INFO_KIND, "veth");
		nl_nest(m, IFLA_INFO_DATA);
			nl_nest(m, VETH_INFO_PEER);
				peer = nl_add(m, sizeof(*peer));
				peer->ifi_family = AF_UNSPEC;
				nl_text(m, IFLA_IFNAME, l->name);
				nl_attr(m, IFLA_ADDRESS, l->mac, 6);
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
bridge_mtu(const struct run *r, int link)
{
	const struct link *l = &r->conf->link[link];
	struct ifreq q = { 0 };
	int fd;

	if (l->mtu)
		return l->mtu;
	put(q.ifr_name, sizeof(q.ifr_name), "%s", l->parent);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCGIFMTU, &q) < 0)
		die("%sreading the mtu of %s:", conf_where_of(r->conf,
		    KEY_BRIDGE, link), l->parent);
	close(fd);
	return q.ifr_mtu;
}

static int
make_pair(struct run *r, int link, int fd, uint32_t mtu)
{
	struct message m;

	nl_clear(&m);
	build_pair(r, link, &m, mtu);
	return nl_send(fd, &m);
}

/* No router advertisements, and up. */
static void
begin_peer(const char *name, int fd)
{
	struct message m;
	char path[80];
	int ipv6;

	put(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6",
	    name);
	/* a kernel without IPv6 has no such file */
	ipv6 = !write_at(AT_FDCWD, path, "1");
	if (!ipv6 && errno != ENOENT)
		die("writing %s:", path);
	nl_clear(&m);
	build_up(&m, name, ipv6);
	if (nl_send(fd, &m) < 0)
		die("setting %s up:", name);
}

void
veth_attach(struct run *r, int link, int fd)
{
	const struct link *l = &r->conf->link[link];
	struct peer *p = &r->net.peer[link];
	uint32_t mtu = bridge_mtu(r, link);
	char line[32];
	int err;

	name_peer(r, link);
	put(line, sizeof(line), "link %s\n", p->name);
	state_record(r, line);
	err = make_pair(r, link, fd, mtu);
	if (err < 0 && errno == EEXIST) {
		/* the name is ours by our lock: it is a leftover that the
		 * kernel has not removed yet */
		net_delete(r, p->name);
		err = make_pair(r, link, fd, mtu);
	}
	if (err < 0)
		die("%smaking a veth pair %s on %s as %s (CONFIG_VETH):",
		    conf_where_of(r->conf, KEY_BRIDGE, link), p->name,
		    l->parent, l->name);
	begin_peer(p->name, fd);
	step("net: %s on %s is %s inside", p->name, l->parent, l->name);
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
 * be needed again before the kernel is done, veth_attach() deletes it. */
void
veth_undo(struct run *r, int link)
{
	char *name = r->net.peer[link].name;

	if (*name && r->conf->program)
		leave_bridge(name);
	else if (*name)
		net_delete(r, name);
	*name = '\0';
}
