/* Links: what the kernel knows of one, by RTM_GETLINK of rtnetlink(7), and
 * what is done with those that stay on the host. */
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "net/link.h"
#include "net/netlink.h"

/* linux/if.h has it, but cannot stand beside net/if.h */
enum { ADDR_GEN_NONE = 1 };	/* IN6_ADDR_GEN_MODE_NONE */

static void
take_text(char *to, size_t size, const struct rtattr *a)
{
	snprintf(to, size, "%.*s", (int)RTA_PAYLOAD(a),
	    (const char *)RTA_DATA(a));
}

static void
take_mac(uint8_t *to, int *has, const struct rtattr *a)
{
	*has = RTA_PAYLOAD(a) == 6;
	if (*has)
		memcpy(to, RTA_DATA(a), 6);
}

static uint32_t
number(const struct rtattr *a)
{
	uint32_t n = 0;

	memcpy(&n, RTA_DATA(a), RTA_PAYLOAD(a) < 4 ? RTA_PAYLOAD(a) : 4);
	return n;
}

static void
take_altnames(struct facts *f, const struct rtattr *list)
{
	const struct rtattr *a = RTA_DATA(list);
	int left = RTA_PAYLOAD(list);
	size_t len;

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		len = strlen(f->altnames);
		snprintf(f->altnames + len, sizeof(f->altnames) - len,
		    "%s%.*s", len ? " " : "", (int)RTA_PAYLOAD(a),
		    (const char *)RTA_DATA(a));
	}
}

/* IFLA_INFO_DATA of a bridge, or of a VLAN. */
static void
take_data(struct facts *f, const struct rtattr *data)
{
	const struct rtattr *a = RTA_DATA(data);
	int left = RTA_PAYLOAD(data);

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (!strcmp(f->kind, "vlan") && a->rta_type == IFLA_VLAN_ID)
			f->vlan = number(a) & 0xffff;
		if (strcmp(f->kind, "bridge"))
			continue;
		if (a->rta_type == IFLA_BR_VLAN_FILTERING)
			f->vlan_filtering = number(a) & 0xff;
		if (a->rta_type == IFLA_BR_VLAN_DEFAULT_PVID)
			f->default_pvid = number(a) & 0xffff;
	}
}

/* The kind stands before its data. */
static void
take_info(struct facts *f, const struct rtattr *info)
{
	const struct rtattr *a = RTA_DATA(info);
	int left = RTA_PAYLOAD(info);

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == IFLA_INFO_KIND)
			take_text(f->kind, sizeof(f->kind), a);
		if (a->rta_type == IFLA_INFO_DATA)
			take_data(f, a);
	}
}

static void
take_traffic(struct facts *f, const struct rtattr *a)
{
	struct rtnl_link_stats64 s = { 0 };	/* older kernels have less */
	size_t size = RTA_PAYLOAD(a);

	memcpy(&s, RTA_DATA(a), size < sizeof(s) ? size : sizeof(s));
	f->received =
	    (struct traffic){ s.rx_bytes, s.rx_packets, s.rx_dropped };
	f->sent = (struct traffic){ s.tx_bytes, s.tx_packets, s.tx_dropped };
}

static void
take_attribute(struct facts *f, const struct rtattr *a)
{
	switch (a->rta_type & NLA_TYPE_MASK) {
	case IFLA_IFNAME:
		take_text(f->name, sizeof(f->name), a);
		break;
	case IFLA_ADDRESS:
		take_mac(f->mac, &f->has_mac, a);
		break;
	case IFLA_PERM_ADDRESS:
		take_mac(f->perm, &f->has_perm, a);
		break;
	case IFLA_MTU:
		f->mtu = number(a);
		break;
	case IFLA_LINK:
		f->lower = number(a);
		break;
	case IFLA_MASTER:
		f->master = number(a);
		break;
	case IFLA_LINKINFO:
		take_info(f, a);
		break;
	case IFLA_PROP_LIST:
		take_altnames(f, a);
		break;
	case IFLA_STATS64:
		take_traffic(f, a);
		break;
	}
}

static void
take_link(const struct nlmsghdr *h, void *arg)
{
	struct facts *f = arg;
	const struct ifinfomsg *i = NLMSG_DATA(h);
	const struct rtattr *a = IFLA_RTA(i);
	int left = IFLA_PAYLOAD(h);

	*f = (struct facts){ .index = i->ifi_index, .flags = i->ifi_flags };
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		take_attribute(f, a);
}

int
link_get(int fd, const char *name, uint32_t index, struct facts *f)
{
	struct message m;
	struct ifinfomsg *i;

	nl_clear(&m);
	i = nl_begin(&m, RTM_GETLINK, 0, sizeof(*i));
	i->ifi_family = AF_UNSPEC;
	i->ifi_index = index;
	if (name)
		nl_text(&m, IFLA_IFNAME, name);
	/* no tables of virtual functions, which may be long */
	nl_attr32(&m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	nl_end(&m);
	f->index = 0;
	return nl_ask(fd, &m, take_link, f);
}

int
link_delete(const char *name)
{
	struct message m;
	struct ifinfomsg *i;
	int fd = nl_open(), err;

	nl_clear(&m);
	i = nl_begin(&m, RTM_DELLINK, 0, sizeof(*i));
	i->ifi_family = AF_UNSPEC;
	nl_text(&m, IFLA_IFNAME, name);
	nl_end(&m);
	err = nl_send(fd, &m) < 0 && errno != ENODEV ? -1 : 0;
	close(fd);
	return err;
}

struct list {
	struct facts *all;
	size_t n;
};

static void
add_link(const struct nlmsghdr *h, void *arg)
{
	struct list *l = arg;

	l->all = xrealloc(l->all, l->n + 1, sizeof(*l->all));
	take_link(h, &l->all[l->n++]);
}

size_t
link_all(int fd, struct facts **all)
{
	struct list list = { 0 };
	struct message m;
	struct ifinfomsg *i;

	nl_clear(&m);
	i = nl_begin(&m, RTM_GETLINK, NLM_F_DUMP, sizeof(*i));
	i->ifi_family = AF_UNSPEC;
	nl_attr32(&m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	nl_end(&m);
	if (nl_ask(fd, &m, add_link, &list) < 0)
		warn("reading the links of the host:");
	*all = list.all;
	return list.n;
}

struct addresses {
	uint32_t index;
	struct ip *all;
	size_t n;
};

/* IPv6 has the other end's in IFA_ADDRESS only where there is IFA_LOCAL. */
static void
add_address(const struct nlmsghdr *h, void *arg)
{
	struct addresses *l = arg;
	const struct ifaddrmsg *i = NLMSG_DATA(h);
	const struct rtattr *a = IFA_RTA(i);
	int left = IFA_PAYLOAD(h), local = 0;
	struct ip ip = { .family = i->ifa_family, .prefix = i->ifa_prefixlen };

	if (i->ifa_index != l->index)
		return;
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (RTA_PAYLOAD(a) > sizeof(ip.addr) ||
		    (a->rta_type != IFA_LOCAL &&
		    (a->rta_type != IFA_ADDRESS || local)))
			continue;
		memcpy(ip.addr, RTA_DATA(a), RTA_PAYLOAD(a));
		local = a->rta_type == IFA_LOCAL;
	}
	l->all = xrealloc(l->all, l->n + 1, sizeof(*l->all));
	l->all[l->n++] = ip;
}

int
link_addresses(int fd, uint32_t index, struct ip **all)
{
	struct addresses list = { .index = index };
	struct message m;
	struct ifaddrmsg *a;
	int err;

	nl_clear(&m);
	a = nl_begin(&m, RTM_GETADDR, NLM_F_DUMP, sizeof(*a));
	a->ifa_family = AF_UNSPEC;
	nl_end(&m);
	err = nl_ask(fd, &m, add_address, &list);
	*all = list.all;
	return err < 0 ? -1 : (int)list.n;
}

int
link_is_wireless(const char *name)
{
	enum { GET_NAME = 0x8b01 };	/* SIOCGIWNAME; linux/wireless.h cannot
					 * stand beside net/if.h */
	struct ifreq q = { 0 };
	char path[64];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), is;

	put(q.ifr_name, sizeof(q.ifr_name), "%s", name);
	is = fd >= 0 && ioctl(fd, GET_NAME, &q) == 0;
	shut(&fd);
	/* a kernel without the old calls */
	put(path, sizeof(path), "/sys/class/net/%s/phy80211", name);
	return is || access(path, F_OK) == 0;
}

/* ---- ends on the host ---- */

/* For the first interface from the container's name, for others from both
 * names: a container's name has no slash. */
void
link_name(const struct conf *c, int link, char *name)
{
	char text[NAME_LEN + IFNAMSIZ + 1];
	uint64_t h;
	int i;

	put(text, sizeof(text), link ? "%s/%s" : "%s", c->name,
	    c->link[link].name);
	h = hash(text);
	put(name, IFNAMSIZ, "cr");
	for (i = 2; i < 13; i++, h /= 32)
		name[i] = "abcdefghijklmnopqrstuvwxyz234567"[h % 32];
	name[13] = '\0';
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

const char *
sysctl_hint(void)
{
	return errno == EROFS ? ", which is read-only here; mount -o "
	    "remount,rw /proc makes it writable" : "";
}

void
link_begin(int fd, const char *name)
{
	struct message m;
	char path[80];
	int ipv6;

	put(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6",
	    name);
	/* a kernel without IPv6 has no such file */
	ipv6 = !write_at(AT_FDCWD, path, "1");
	if (!ipv6 && errno != ENOENT)
		die("writing %s%s:", path, sysctl_hint());
	nl_clear(&m);
	build_up(&m, name, ipv6);
	if (nl_send(fd, &m) < 0)
		die("setting %s up:", name);
}
