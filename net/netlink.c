/* rtnetlink(7): messages are built in one fixed buffer with a stack of open
 * attributes; an overflow is remembered and checked once, when they are
 * sent.  All that was built goes out in one datagram, and an answer to each
 * message is read. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "lib/lib.h"
#include "net/netlink.h"
#include "config.h"

/* ---- building ---- */

void
nl_clear(struct message *m)
{
	memset(m, 0, offsetof(struct message, buf));
}

void *
nl_add(struct message *m, size_t size)
{
	size_t at = m->len, room = NLMSG_ALIGN(size);

	if (room > sizeof(m->buf) - at) {
		m->overflow = 1;
		return m->buf;		/* scribbled on, and never sent */
	}
	m->len = at + room;
	memset(m->buf + at, 0, room);
	return m->buf + at;
}

void *
nl_begin(struct message *m, int type, int flags, size_t body)
{
	struct nlmsghdr *h;

	m->last = m->len;
	h = nl_add(m, NLMSG_HDRLEN);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	h->nlmsg_seq = ++m->count;
	return nl_add(m, body);
}

void *
nl_begin_silent(struct message *m, int type, size_t body)
{
	struct nlmsghdr *h;

	m->last = m->len;
	h = nl_add(m, NLMSG_HDRLEN);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST;
	return nl_add(m, body);
}

void
nl_end(struct message *m)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(m->buf + m->last);

	if (!m->overflow)
		h->nlmsg_len = m->len - m->last;
}

void
nl_attr(struct message *m, int type, const void *data, size_t size)
{
	struct rtattr *a = nl_add(m, RTA_LENGTH(size));

	if (m->overflow)
		return;
	a->rta_type = type;
	a->rta_len = RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(a), data, size);
}

void
nl_attr16(struct message *m, int type, uint16_t n)
{
	nl_attr(m, type, &n, sizeof(n));
}

void
nl_attr32(struct message *m, int type, uint32_t n)
{
	nl_attr(m, type, &n, sizeof(n));
}

void
nl_text(struct message *m, int type, const char *text)
{
	nl_attr(m, type, text, strlen(text) + 1);
}

void
nl_nest(struct message *m, int type)
{
	m->nest[m->depth++] = m->len;
	nl_attr(m, type, NULL, 0);
}

void
nl_unnest(struct message *m)
{
	struct rtattr *a;

	a = (struct rtattr *)(m->buf + m->nest[--m->depth]);
	if (!m->overflow)
		a->rta_len = m->buf + m->len - (char *)a;
}

/* ---- sending ---- */

int
nl_try_open(void)
{
	int fd, yes = 1;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	/* answers without a copy of what was asked */
	if (fd >= 0)
		setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &yes,
		    sizeof(yes));
	return fd;
}

int
nl_open(void)
{
	int fd = nl_try_open();

	if (fd < 0)
		die("opening rtnetlink (CONFIG_NET):");
	return fd;
}

int
nl_watch(uint32_t groups)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = groups };
	int fd = nl_open();

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("watching links:");
	return fd;
}

static void
no_take(const struct nlmsghdr *h, void *arg)
{
	(void)h;
	(void)arg;
}

/* One datagram of the answer; gives how many of our messages it has ended, or
 * -1 and errno.  An error of number 0 is that of a whole batch. */
static int
receive(int fd, struct message *m, int *err,
    void (*take)(const struct nlmsghdr *, void *), void *arg)
{
	/* the most that the kernel puts into one, netlink(7) */
	char buf[32768] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *h;
	struct nlmsgerr *e;
	ssize_t n = recv(fd, buf, sizeof(buf), 0);
	size_t left = n;
	int ended = 0;

	if (n < 0)
		return -1;
	for (h = (struct nlmsghdr *)buf; NLMSG_OK(h, left);
	    h = NLMSG_NEXT(h, left)) {
		if (h->nlmsg_type == NLMSG_DONE) {
			ended++;
			continue;
		}
		if (h->nlmsg_type != NLMSG_ERROR) {
			take(h, arg);
			continue;
		}
		e = NLMSG_DATA(h);
		if (e->error && !*err) {
			*err = -e->error;
			m->failed = h->nlmsg_seq;
		}
		ended += h->nlmsg_seq || !e->error ? 1 : (int)m->count;
	}
	return ended;
}

int
nl_ask(int fd, struct message *m,
    void (*take)(const struct nlmsghdr *, void *), void *arg)
{
	int waiting = m->count, err = 0, n;

	if (m->overflow) {
		errno = EMSGSIZE;
		return -1;
	}
	if (send(fd, m->buf, m->len, 0) < 0)
		return -1;
	while (waiting > 0) {
		n = receive(fd, m, &err, take, arg);
		if (n < 0)
			return -1;
		waiting -= n;
	}
	m->len = m->count = 0;
	errno = err;
	return err ? -1 : 0;
}

int
nl_send(int fd, struct message *m)
{
	return nl_ask(fd, m, no_take, NULL);
}
