/* The calls that floor makes often. */
#include "floor.h"

/* ---- mounts ---- */

void
option(int fs, const char *key, const char *value)
{
	syscall(SYS_fsconfig, fs, value ? FSCONFIG_SET_STRING :
	    FSCONFIG_SET_FLAG, key, value, 0);
}

int
begin_mount(const char *type)
{
	int fs = syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);

	option(fs, "source", type);
	return fs;
}

int
end_mount(int fs, unsigned attr)
{
	int m;

	syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	m = syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attr);
	close(fs);
	return m;
}

int
beneath(const char *path, int flags)
{
	struct open_how how = { .flags = flags | O_PATH | O_CLOEXEC,
	    .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

	return syscall(SYS_openat2, tree, path, &how, sizeof(how));
}

void
move(int m, int target)
{
	syscall(SYS_move_mount, m, "", target, "", EMPTY_BOTH);
}

void
move_to(int m, const char *path)
{
	int target = beneath(path, O_DIRECTORY);

	move(m, target);
	close(target);
	close(m);
}

int
clone_of(int mount)
{
	return syscall(SYS_open_tree, mount, "",
	    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
}

void
attributes(int m, unsigned attr)
{
	struct mount_attr a = { .attr_set = attr };

	syscall(SYS_mount_setattr, m, "", AT_EMPTY_PATH, &a, sizeof(a));
}

/* ---- files ---- */

void
write_file(int dir, const char *file, const char *text, int more)
{
	int fd = openat(dir, file, O_WRONLY | O_CLOEXEC | more, 0600);

	write(fd, text, strlen(text));
	close(fd);
}

void
record(const char *lines)
{
	write_file(state, "host", lines, O_CREAT | O_APPEND);
}

void
range_lock(int cmd, short type, off_t at, off_t len)
{
	struct flock l = { .l_type = type, .l_start = at, .l_len = len };

	fcntl(ids, cmd, &l);
}

/* ---- netlink ---- */

static char msg[1024] __attribute__((aligned(4)));
static size_t len, first;

void *
grow(size_t size)
{
	void *p = msg + len;

	len += NLMSG_ALIGN(size);
	return p;
}

void
attr(int type, const void *data, size_t size)
{
	struct rtattr *a = grow(RTA_LENGTH(size));

	a->rta_type = type;
	a->rta_len = RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(a), data, size);
}

size_t
nest(int type)
{
	size_t at = len;

	attr(type, NULL, 0);
	return at;
}

void
unnest(size_t at)
{
	((struct rtattr *)(msg + at))->rta_len = len - at;
}

void *
message(int type, int flags, size_t body)
{
	struct nlmsghdr *h;

	first = len;
	h = grow(NLMSG_HDRLEN);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	h->nlmsg_seq = 1;
	return grow(body);
}

void
end_message(void)
{
	((struct nlmsghdr *)(msg + first))->nlmsg_len = len - first;
}

void
ask(int fd, int answers)
{
	char answer[512];

	send(fd, msg, len, 0);
	while (answers--)
		recv(fd, answer, sizeof(answer), 0);
	memset(msg, 0, sizeof(msg));
	len = 0;
}

int
open_netlink(void)
{
	int fd, yes = 1;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &yes, sizeof(yes));
	return fd;
}

void
up(uint32_t index)
{
	struct ifinfomsg *i = message(RTM_NEWLINK, 0, sizeof(*i));

	i->ifi_index = index;
	i->ifi_flags = i->ifi_change = IFF_UP;
	end_message();
}
