/* What the files of test/floor share. */
#ifndef FLOOR_H
#define FLOOR_H

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_link.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATE "/run/crun-os"
#define IDS STATE "/.marker"
#define BYTE 4000			/* of the pool of ranges */
#define HOSTID (0x70000000u + BYTE * 65536u)
#define MAP "0 2141192192 65536\n"	/* 0 HOSTID 65536 */
#define OPTION_GID "2141192197"		/* HOSTID + 5 */
#define ADDRESS { 10, 98, 75, 2 }	/* /24 */
#define BROADCAST { 10, 98, 75, 255 }
#define GATEWAY { 10, 98, 75, 1 }

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
#define STRICT (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define EMPTY_BOTH (MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)

extern const char *name, *veth, *rootfs, *bridge;
extern char **program;
extern int signals, state, lock, ids;		/* supervisor */
extern int tree, dev, pts, stage, hostns, hostroot;	/* mounts */
extern int nhier, pure;				/* cgroups; pure: all v2 */
extern int base[20], top[20], group[20], payload[20], tasks[20];
extern int go[2], report[2], pidfd, proc;
extern pid_t pid;

/* ---- calls.c ---- */

void option(int fs, const char *key, const char *value);
int begin_mount(const char *type);
int end_mount(int fs, unsigned attr);
int beneath(const char *path, int flags);
void move(int m, int target);
void move_to(int m, const char *path);
int clone_of(int mount);
void attributes(int m, unsigned attr);
void write_file(int dir, const char *file, const char *text, int more);
void record(const char *lines);
void range_lock(int cmd, short type, off_t at, off_t len);
void *grow(size_t size);
void attr(int type, const void *data, size_t size);
size_t nest(int type);
void unnest(size_t at);
void *message(int type, int flags, size_t body);
void end_message(void);
void ask(int fd, int answers);
int open_netlink(void);
void up(uint32_t index);

/* ---- child.c ---- */

void child(void);

#endif
