/* rtnetlink(7) messages. */
#ifndef NET_NETLINK_H
#define NET_NETLINK_H

#include <stddef.h>
#include <stdint.h>

enum { BATCH = 64 };		/* messages that surely fit in one datagram */

struct message {
	size_t len;
	size_t nest[8];		/* where the open attributes begin */
	int depth, overflow;
	size_t last;		/* where the last message begins */
	unsigned count;		/* of messages */
	unsigned failed;	/* the number of the first that failed */
	char buf[16384];		/* stands last, and is not cleared */
};

/* Room for size bytes at the end.  What does not fit is remembered for
 * nl_send(), and a place to write to is given all the same. */
void *nl_add(struct message *m, size_t size);
/* 0, or -1 and errno: the first error of any of the messages. */
int nl_send(int fd, struct message *m);
struct nlmsghdr;
/* Sends what was built, one question, and gives each message of the answer to
 * take.  0, or -1 and errno. */
int nl_ask(int fd, struct message *m,
    void (*take)(const struct nlmsghdr *, void *), void *arg);
/* An attribute, in the innermost that is open. */
void nl_attr(struct message *m, int type, const void *data, size_t size);
/* A message of that type, NLM_F_ flags and a zeroed body of that size, which
 * is given. */
void *nl_begin(struct message *m, int type, int flags, size_t body);
/* No message yet.  Before anything else. */
void nl_clear(struct message *m);
/* Likewise one that gets no answer, and has the number 0. */
void *nl_begin_silent(struct message *m, int type, size_t body);
/* The message is whole. */
void nl_end(struct message *m);
/* Opens an attribute that holds others, until nl_unnest(). */
void nl_nest(struct message *m, int type);
void nl_attr16(struct message *m, int type, uint16_t n);
void nl_attr32(struct message *m, int type, uint32_t n);
void nl_text(struct message *m, int type, const char *text);
/* A socket of rtnetlink(7); and one that hears of changes, RTMGRP_.  They die
 * where there is none. */
int nl_open(void);
/* -1 and errno. */
int nl_try_open(void);
int nl_watch(uint32_t groups);
void nl_unnest(struct message *m);

#endif
