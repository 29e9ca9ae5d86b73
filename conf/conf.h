/* The configuration of one container: a file's keys and their values. */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum key_id {
	KEY_NAME, KEY_ROOTFS, KEY_ROOTFS_FOLLOW,
	KEY_INIT, KEY_HOSTNAME, KEY_ENV, KEY_CONTAINER,
	KEY_USERNS, KEY_UIDMAP, KEY_GIDMAP,
	KEY_NET, KEY_BRIDGE, KEY_MACVLAN, KEY_IPVLAN, KEY_PHYS, KEY_VLAN,
	KEY_IP, KEY_ROUTE, KEY_GATEWAY, KEY_MAC, KEY_MTU, KEY_HOST_LINK,
	KEY_ISOLATE, KEY_DHCP, KEY_NAT6, KEY_SPOOF,
	KEY_PORT, KEY_IFNAME, KEY_DNS, KEY_HOSTS,
	KEY_MEMORY, KEY_SWAP, KEY_CPUS, KEY_CPU_WEIGHT, KEY_CPUSET, KEY_PIDS,
	KEY_IO_WEIGHT, KEY_CGROUP, KEY_CGROUP_VIEW,
	KEY_BIND, KEY_TMPFS, KEY_READONLY,
	KEY_CAPS, KEY_SECCOMP, KEY_DEVICE, KEY_NESTING, KEY_RLIMIT, KEY_SYSCTL,
	KEY_STOP_SIGNAL, KEY_REBOOT_SIGNAL, KEY_STOP_TIMEOUT,
	KEY_CONSOLE_LOG,
	NKEYS
};

enum userns { USERNS_AUTO, USERNS_NONE, USERNS_RANGE, USERNS_MAPS };
enum view { VIEW_AUTO, VIEW_V2, VIEW_V1, VIEW_NONE };

struct idmap {			/* one line of uid_map, user_namespaces(7) */
	uint32_t inside, outside, count;
};

struct ip {			/* an address, with its prefix length */
	int family;		/* AF_INET or AF_INET6 */
	int prefix;		/* bits; -1 where none was given */
	uint8_t addr[16];	/* network byte order */
};

struct route {
	struct ip to;		/* prefix 0 is the default route */
	struct ip via;		/* family 0: to is on the link itself */
	int onlink;		/* via is on the link, whatever the subnets */
	int automatic;		/* via is the bridge's own address */
};

struct port {			/* a forward to the container */
	struct ip at;		/* an address of the host; family 0: all */
	uint16_t first, inside;	/* the first port of the host, and inside */
	uint32_t count;
	int udp;		/* else TCP */
};

struct bind {
	const char *source;	/* absolute, on the host */
	const char *target;	/* absolute, in the rootfs */
	uint64_t attr;		/* MOUNT_ATTR_* */
	int rec, optional, idmap, follow;
};

struct tmpfs {
	const char *target;
	char size[24];		/* bytes as text; "" is the kernel's default */
	char mode[8];		/* octal as text */
};

struct device {
	const char *node;	/* "/dev/NAME"; NULL: all devices, no policy */
	int access;		/* DEVICE_ bits */
	int follow;
};

struct rlimit_key {
	int resource;		/* RLIMIT_*, getrlimit(2) */
	uint64_t soft, hard;
};

/* Where a word KEY=VALUE stands that is no line of a file. */
#define COMMAND_LINE "command line: "

enum { LINKS = 16 };		/* at most */

enum network {
	NETWORK_BY_KEYS, NETWORK_NONE, NETWORK_BRIDGE, NETWORK_NAT,
	NETWORK_HOST,		/* no network namespace of its own */
	NETWORK_HOST_ROOT,	/* likewise, though root inside is root */
};

enum kind {			/* of network interfaces */
	LINK_NONE,		/* there is no such interface */
	LINK_BRIDGE,		/* a veth pair, its other end in a bridge */
	LINK_NAT,		/* likewise, in a bridge of crun's own */
	LINK_MACVLAN,
	LINK_IPVLAN,
	LINK_PHYS,		/* a link of the host, or a VLAN of it */
};

struct link {			/* one network interface */
	const char *name;	/* inside */
	enum network net;
	enum kind kind;
	enum key_id key;	/* that the kind comes from */
	const char *parent;	/* the host's link that it hangs on, or is */
	uint32_t mode;		/* MACVLAN_MODE_ or IPVLAN_MODE_ */
	uint64_t vlan;		/* 1 to 4094; 0: none */
	int own_mac;		/* mac holds; else the parent's */
	uint8_t mac[6];
	uint64_t mtu;		/* bytes; 0: the parent's */
	const char *host;	/* the name of a veth's other end; NULL */
	uint64_t isolate;	/* from other ports of the bridge */
	uint64_t dhcp;		/* answered, as was asked */
	uint64_t nat6;		/* IPv6 by NAT too */
	uint64_t spoof;		/* addresses of others, as was asked */
};

/* One key as it was set.  Settings stand in the order they were given. */
struct setting {
	enum key_id id;
	const char *prefix;	/* "eth1.", of an interface; "" of the first */
	int link;		/* its number, where the key is of one */
	const char *sub;	/* what follows the dot of rlimit. and such */
	const char *value;	/* its text: paths absolute, blanks dropped */
	char *where;		/* "web.conf:3: ", put before an error */
	int line;		/* 0: given on the command line */
	int quiet;		/* replaced or unset by the command line */
	union {
		struct ip ip;
		struct route route;
		struct port port;
		struct bind bind;
		struct tmpfs tmpfs;
		struct idmap map;
		struct device device;
		struct rlimit_key rlimit;
	} u;
};

/* How well a configuration is understood; the worst is the last. */
enum conf_state {
	CONF_WHOLE,		/* all of it */
	CONF_MORE,		/* but for keys of another version of crun */
	CONF_WORDS,		/* but for words KEY=VALUE over it */
	CONF_BAD,		/* a value or a line is not, or not the file */
	CONF_GONE,		/* the container has ended, and the file too */
};

struct fault {			/* one thing that is not understood */
	enum conf_state kind;
	int line;		/* of the file; 0: of none */
	char *text;		/* "web.conf:3: ", and why */
};

/* Nothing in here changes once it is loaded, but for program, which crun exec
 * sets. */
struct conf {
	const char *file;	/* as it was found; "-" is standard input */
	int saved;		/* it is of a container that runs */
	struct fault *faults;	/* in the order of the file */
	size_t nfaults;
	char faulty[NKEYS];	/* whether a fault names that key */
	const char *name, *rootfs, *hostname, *container;
	const char *input;	/* the text that was standard input; or NULL */
	char **init;		/* program and arguments; NULL: look for one */
	char **program;		/* after --, NULL: boot an OS */
	enum userns userns;
	uint32_t userns_first, userns_count;
	const char *ifname;	/* of the first interface */
	struct link link[LINKS];	/* the first is that of keys without */
	int nlinks;		/* a prefix, and always there */
	int host_net;		/* instead of all these, the host's network */
	uint64_t memory, swap;	/* bytes; UINT64_MAX: no limit set */
	uint64_t cpus;		/* thousandths of a processor; 0: no limit */
	uint64_t cpu_weight;	/* 1 to 10000; 0: not set */
	const char *cpuset;	/* a list as in cpuset(7); NULL: all */
	uint64_t pids, io_weight;	/* 0: not set */
	enum view view;
	uint64_t rootfs_follow, readonly, nesting, hosts;
	uint64_t caps;		/* a bit a capability, 1 << CAP_* */
	int seccomp;		/* whether system calls are refused */
	uint64_t stop_signal, reboot_signal;	/* 0: by the init */
	uint64_t stop_timeout;	/* seconds */
	uint64_t console_log;	/* bytes */
	struct setting *set;
	size_t nset;
};

enum { ADDS = 1, FAMILY = 2, PATH = 4, LIVE = 8, ORDER = 16, LINK = 32 };

struct key {
	const char *name;	/* "rlimit." is a family: any name follows */
	const char *arg;	/* the value's form, for -h */
	const char *def;	/* the default's text; NULL: none */
	/* gives NULL, or what is wrong with the value */
	const char *(*set)(struct conf *, struct setting *);
	size_t field;		/* of struct conf, or with LINK of struct */
				/* link, for the plain setters */
	uint64_t min, max;	/* of numbers */
	int flags;		/* it adds, is a family, begins with a path, */
				/* can be set while the container runs, its */
				/* order among others with ORDER counts, it */
				/* is of an interface, IFNAME.key */
	const char *help;
};

extern const struct key keys[NKEYS];	/* keys.c */

/* Reads file ("-": the open file input; else looked for as crun(1) says) and
 * the nover words KEY=VALUE over it.  Supervisor.  -1: there are faults, all
 * of which are listed, and nothing else of it may be used. */
int conf_load(struct conf *, const char *file, int input, char **over,
    int nover, char **program);
/* Prints all faults, a line each; warns of them, but of CONF_GONE. */
void conf_tell(const struct conf *);
void conf_warn(const struct conf *);
/* Prints the whole configuration as a file that conf_load() reads. */
void conf_print(const struct conf *, FILE *);
/* Reads a running container's configuration, as conf_print() made it, from
 * its folder, and the words KEY=VALUE over it.  What is not understood is a
 * fault, and as if it were not there: its default holds, and nothing is known
 * of a file that is not whole.  Only after CONF_WHOLE that is all of what the
 * container runs with. */
enum conf_state conf_saved(struct conf *, int dir, const char *name,
    char **over, int nover);
/* Likewise, from that file of the folder, what follows on the configuration
 * that there is now: interfaces that stay keep their numbers. */
enum conf_state conf_saved_next(struct conf *, int dir, const char *file,
    const struct conf *now);
/* The key of KEY=VALUE or KEY, without an interface's name before it, and what
 * follows a family's dot in *sub; -1. */
int conf_key(const char *word, const char **sub);
/* The number of a signal by its name or number; 0: none. */
int conf_signal(const char *);
/* Prints the table of keys, one a line: for -h, and the documents' source. */
void conf_help(void);
/* The next setting of that key after s (NULL: the first), or NULL. */
const struct setting *conf_next(const struct conf *, enum key_id,
    const struct setting *s);
/* The text of the setting, "key=value", in a buffer that the next call uses
 * again. */
const char *conf_text(const struct setting *);
/* "FILE:LINE: " of the key, or "" where its default holds.  Never NULL. */
const char *conf_where(const struct conf *, enum key_id);
/* Both, for the keys of one interface, by its number. */
const struct setting *conf_next_of(const struct conf *, enum key_id, int link,
    const struct setting *s);
const char *conf_where_of(const struct conf *, enum key_id, int link);
#define each(c, s, id) \
	const struct setting *s = conf_next(c, id, NULL); s; \
	s = conf_next(c, id, s)
#define each_of(c, s, id, link) \
	const struct setting *s = conf_next_of(c, id, link, NULL); s; \
	s = conf_next_of(c, id, link, s)

/* Gives -1 unless text is a capability's name, with or without cap_. */
int conf_cap(const char *text, size_t len);

/* Whether a is in the subnet of b, by b's prefix. */
int ip_in_subnet(const struct ip *a, const struct ip *b);
/* Whether it is of one link alone, RFC 4291. */
int ip_is_link_local(const struct ip *);
/* The last 8 bytes of the address that a guest makes itself of a subnet of 64
 * bits and its hardware address, RFC 4291, appendix A. */
void ip_end_of_mac(uint8_t *end, const uint8_t *mac);

/* Six bytes XX:XX:XX:XX:XX:XX.  0, or -1. */
int conf_mac(const char *text, uint8_t *mac);

int conf_rlimit(const char *name);	/* RLIMIT_*, or -1 */

#endif
