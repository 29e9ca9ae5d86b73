/* The keys: what each takes, its default, and what -h and the documents say.
 *
 * The setters are in values.c, lists.c and network.c.  Each judges one value
 * and puts it in its place, in struct conf or in the setting itself.  It gives
 * NULL, or what is wrong with the value, which the reader in conf.c prints
 * after FILE:LINE and KEY=VALUE.  It does not look at the machine: whether a
 * bridge or a folder is there is for the file that uses it.
 */
#include "conf/conf.h"
#include "conf/values.h"
#include "config.h"

/* ---- the table ---- */

#define F(f) offsetof(struct conf, f)
#define L(f) offsetof(struct link, f)
const struct key keys[NKEYS] = {
[KEY_NAME] = { "name", "NAME", NULL, set_name, F(name), 0, 0, 0,
    "the container's name; without it, FILE's name without .conf" },
[KEY_ROOTFS] = { "rootfs", "FOLDER", NULL, set_path, F(rootfs), 0, 0, PATH,
    "the folder to boot; always needed" },
[KEY_ROOTFS_FOLLOW] = { "rootfs.follow", "yes|no", "no", set_bool,
    F(rootfs_follow), 0, 0, 0,
    "follow symbolic links in rootfs; whoever can change such a link, as root "
    "of a container that has it in a bind, chooses which folder is booted" },
[KEY_INIT] = { "init", "PROGRAM [ARG ...]", NULL, set_init, 0, 0, 0, 0,
    "the init; without it, the first there is of /sbin/init, "
    "/usr/lib/systemd/systemd, /etc/init, /bin/init, /bin/sh" },
[KEY_HOSTNAME] = { "hostname", "NAME", NULL, set_hostname, 0, 0, 0, 0,
    "the host name, also written to /etc/hostname; without it, the "
    "container's name, and /etc/hostname is left alone" },
[KEY_ENV] = { "env", "NAME=VALUE", NULL, set_env, 0, 0, 0, ADDS,
    "in the init's environment" },
[KEY_CONTAINER] = { "container", "WORD", DEF_CONTAINER, set_word,
    F(container), 0, 0, 0,
    "the value of $container, by which an init knows that it is in one" },
[KEY_USERNS] = { "userns", "auto|none|HOSTID[:COUNT]", "auto", set_userns,
    0, 0, 0, 0,
    "ids: a free range of 65536, none (root inside is root outside), or "
    "this range" },
[KEY_UIDMAP] = { "uidmap", "INSIDE:OUTSIDE:COUNT", NULL, set_map, 0, 0, 0,
    ADDS, "a map of user ids, OUTSIDE from 1 up, instead of userns; needs "
    "gidmap" },
[KEY_GIDMAP] = { "gidmap", "INSIDE:OUTSIDE:COUNT", NULL, set_map, 0, 0, 0,
    ADDS, "a map of group ids, OUTSIDE from 1 up, instead of userns; needs "
    "uidmap" },
[KEY_NET] = { "net", "none|nat|bridge|host", NULL, set_net, 0, 0, 0, LINK,
    "nat: behind the host's addresses, with an address and name servers by "
    "themselves; none: loopback only; bridge, which need not be set: what "
    "the key bridge says; host: the host's own network, with userns=none by "
    "host:root only" },
[KEY_BRIDGE] = { "bridge", "LINK", NULL, set_parent, 0, 0, 0, LINK,
    "a veth pair, whose other end is a port of that bridge of the host" },
[KEY_MACVLAN] = { "macvlan", "LINK[:bridge|private|vepa|passthru]", NULL,
    set_parent, 0, 0, 0, LINK,
    "a link on top of the host's LINK, with a hardware address of its own; "
    "the host itself is not reached by it" },
[KEY_IPVLAN] = { "ipvlan", "LINK[:l2|l3|l3s]", NULL, set_parent, 0, 0, 0, LINK,
    "likewise, with the hardware address of LINK" },
[KEY_PHYS] = { "phys", "LINK", NULL, set_parent, 0, 0, 0, LINK,
    "LINK itself; the host has it again when the container has ended" },
[KEY_VLAN] = { "vlan", "NUMBER", NULL, set_number, L(vlan), 1, 4094, LINK,
    "with bridge, the VLAN of the port; with the others, that VLAN of LINK in "
    "the place of LINK, which stays on the host" },
[KEY_IP] = { "ip", "ADDRESS/PREFIX", NULL, set_ip, 0, 0, 0, ADDS | LINK,
    "an IPv4 or IPv6 address" },
[KEY_ROUTE] = { "route", "ADDRESS/PREFIX[:GATEWAY]", NULL, set_route, 0, 0, 0,
    ADDS | LINK, "a route by GATEWAY, or to what is on the link itself" },
[KEY_GATEWAY] = { "gateway", "ADDRESS[:onlink]|auto", NULL, set_gateway, 0, 0,
    0, ADDS | LINK, "a default route; auto: by the bridge's own address; "
    "onlink: ADDRESS is on the link, though in no subnet of ip" },
[KEY_MAC] = { "mac", "XX:XX:XX:XX:XX:XX", NULL, set_mac, 0, 0, 0, LINK,
    "its hardware address; without it, one made from the name; with ipvlan and "
    "phys, that of LINK" },
[KEY_MTU] = { "mtu", "BYTES", NULL, set_number, L(mtu), 68, 65535, LINK,
    "its largest packet; without it, that of the bridge or LINK" },
[KEY_HOST_LINK] = { "host.link", "LINK", NULL, set_host_link, 0, 0, 0, LINK,
    "with bridge, the name of the other end on the host; without it, one "
    "made from the name" },
[KEY_ISOLATE] = { "isolate", "yes|no", "no", set_bool, L(isolate), 0, 0, LINK,
    "with bridge, not to reach other ports of it that are isolated too" },
[KEY_DHCP] = { "dhcp", "yes|no", NULL, set_bool, L(dhcp), 0, 0, LINK,
    "answer the guest's DHCP with its ip, gateway, dns, mtu and hostname; yes "
    "with net=nat, else no" },
[KEY_NAT6] = { "nat6", "yes|no", "no", set_bool, L(nat6), 0, 0, LINK,
    "with net=nat, an IPv6 address too, likewise behind the host's" },
[KEY_SPOOF] = { "spoof", "yes|no", NULL, set_bool, L(spoof), 0, 0, LINK,
    "no: drop what the guest sends from addresses that are not its own, or as "
    "a router or DHCP server; no with net=nat, unless userns=none, else yes" },
[KEY_PORT] = { "port", "[ADDRESS:]PORT:INSIDE[/udp]", NULL, set_port, 0, 0, 0,
    ADDS | LINK,
    "with net=nat or a bridge: what comes to that port of the host, or of its "
    "ADDRESS ([ADDRESS] of IPv6), goes to INSIDE; ranges: 8000-8010:80-90" },
[KEY_IFNAME] = { "ifname", "LINK", DEF_IFNAME, set_ifname, F(ifname), 0, 0, 0,
    "the name inside of the interface whose keys have no IFNAME. before "
    "them" },
[KEY_DNS] = { "dns", "ADDRESS", NULL, set_address, 0, 0, 0, ADDS,
    "a name server, written to /etc/resolv.conf" },
[KEY_HOSTS] = { "hosts", "yes|no", "no", set_bool, F(hosts), 0, 0, 0,
    "with net=nat, an /etc/hosts with the names of all containers of "
    "net=nat, in the place of the guest's own" },
[KEY_MEMORY] = { "memory", "SIZE", NULL, set_size, F(memory), 1 << 20, 0, LIVE,
    "limit of memory, page cache included" },
[KEY_SWAP] = { "swap", "SIZE", NULL, set_size, F(swap), 0, 0, LIVE,
    "limit of swap space" },
[KEY_CPUS] = { "cpus", "NUMBER", NULL, set_cpus, 0, 0, 0, LIVE,
    "limit of processor time, in processors, such as 1.5" },
[KEY_CPU_WEIGHT] = { "cpu.weight", "NUMBER", NULL, set_number,
    F(cpu_weight), 1, 10000, LIVE,
    "share of contended processors; 100 is usual" },
[KEY_CPUSET] = { "cpuset", "LIST", NULL, set_cpuset, 0, 0, 0, LIVE,
    "the processors it may run on, such as 0-2,5" },
[KEY_PIDS] = { "pids", "NUMBER", NULL, set_number, F(pids), 1, 4194304, LIVE,
    "limit of processes and threads" },
[KEY_IO_WEIGHT] = { "io.weight", "NUMBER", NULL, set_number, F(io_weight), 1,
    10000, LIVE, "share of contended disks; 100 is usual" },
[KEY_CGROUP] = { "cgroup.", "VALUE", NULL, set_cgroup, 0, 0, 0,
    ADDS | FAMILY | LIVE,
    "written as it is to that cgroup v2 file, such as "
    "cgroup.memory.high=400M" },
[KEY_CGROUP_VIEW] = { "cgroup.view", "auto|v2|v1|none", "auto", set_view, 0,
    0, 0, 0, "what is mounted on /sys/fs/cgroup inside; auto: v1 for a "
    "systemd older than 233, else v2" },
[KEY_BIND] = { "bind", "SOURCE:TARGET[:OPTION,...]", NULL, set_bind, 0, 0, 0,
    ADDS | PATH | ORDER,
    "show SOURCE of the host at TARGET; options: ro nosuid nodev "
    "noexec rec optional idmap follow; follow: symbolic links in SOURCE are "
    "followed; whoever can change such a link, as root of a container that has "
    "it in a bind, chooses what of the host is shown" },
[KEY_TMPFS] = { "tmpfs", "TARGET[:size=SIZE,mode=OCTAL]", NULL, set_tmpfs, 0,
    0, 0, ADDS | ORDER, "an empty file system in memory; it and the binds "
    "are mounted in the order of the file" },
[KEY_READONLY] = { "readonly", "yes|no", "no", set_bool, F(readonly), 0, 0, 0,
    "mount the rootfs read-only" },
[KEY_CAPS] = { "caps", "+CAP|-CAP ...", NULL, set_caps, 0, 0, 0, 0,
    "capabilities more or less than config.h's set, such as "
    "+net_raw -mknod" },
[KEY_SECCOMP] = { "seccomp", "default|none", "default", set_seccomp, 0, 0, 0,
    0, "refuse the system calls of config.h's table, or none" },
[KEY_DEVICE] = { "device", "/dev/NAME[:rwm,follow]|all", NULL, set_device, 0,
    0, 0, ADDS, "show that device of the host, for reading, writing, mknod; "
    "follow: symbolic links, as those of udev, are followed; all: no "
    "device policy" },
[KEY_NESTING] = { "nesting", "yes|no", "no", set_bool, F(nesting), 0, 0, 0,
    "leave out the masks over /proc and /sys, so that containers run "
    "inside" },
[KEY_RLIMIT] = { "rlimit.", "SOFT[:HARD]", NULL, set_rlimit, 0, 0, 0,
    ADDS | FAMILY, "a limit of setrlimit(2), such as rlimit.nofile=1024:4096"
    },
[KEY_SYSCTL] = { "sysctl.", "VALUE", NULL, set_sysctl, 0, 0, 0, ADDS | FAMILY,
    "a namespaced sysctl, such as sysctl.net.ipv4.ip_forward=1" },
[KEY_STOP_SIGNAL] = { "stop.signal", "SIGNAL", NULL, set_signal,
    F(stop_signal), 0, 0, 0,
    "asks the init to power off; without it, what this init understands" },
[KEY_REBOOT_SIGNAL] = { "reboot.signal", "SIGNAL", NULL, set_signal,
    F(reboot_signal), 0, 0, 0,
    "asks the init to reboot; without it, what this init understands" },
[KEY_STOP_TIMEOUT] = { "stop.timeout", "SECONDS", DEF_STOP_TIMEOUT,
    set_number, F(stop_timeout), 1, 86400, 0,
    "how long a power-off may take before everything is killed" },
[KEY_CONSOLE_LOG] = { "console.log", "SIZE", DEF_CONSOLE_LOG, set_size,
    F(console_log), 16 << 10, 1 << 30, 0,
    "how much is kept, at most, of what the console printed" },
};
