/* What the kernel knows of a link. */
#ifndef NET_LINK_H
#define NET_LINK_H

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct ip;
struct run;

struct facts {
	uint32_t index, flags, mtu;
	uint32_t lower, master;	/* the link that it is on, its bridge; 0 */
	char name[IFNAMSIZ];
	char kind[16];		/* "bridge", "vlan", ...; "" of hardware */
	int has_mac, has_perm;
	uint8_t mac[6], perm[6];	/* perm: as it was made */
	char altnames[512];	/* with blanks between */
	int vlan;		/* of a VLAN its number */
	int vlan_filtering;	/* of a bridge whether it knows VLANs, */
	int default_pvid;	/* and the one of a new port; 0: none */
	struct traffic {
		uint64_t bytes, packets, dropped;
	} received, sent;
};

/* By its name, or where that is NULL by its index.  0, or -1 and errno: ENODEV
 * where there is none. */
int link_get(int fd, const char *name, uint32_t index, struct facts *);
/* Deletes it; a missing one is no error.  0, or -1 and errno. */
int link_delete(const char *name);
/* All of them, in memory to be freed; gives how many. */
size_t link_all(int fd, struct facts **);
/* Its addresses, likewise; -1 and errno. */
int link_addresses(int fd, uint32_t index, struct ip **all);
/* Whether it is a Wi-Fi adapter. */
int link_is_wireless(const char *name);
/* IFNAMSIZ bytes: a name for something on the host that belongs to interface
 * link.  The container's lock makes it ours. */
void link_name(const struct conf *, int link, char *name);
/* What can be done, where a file of /proc/sys could not be written; keeps
 * errno. */
const char *sysctl_hint(void);
/* Up, and without IPv6: no address, no router advertisements.  Dies. */
void link_begin(int fd, const char *name);

#endif
