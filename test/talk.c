/* talk - one end of a conversation over TCP or UDP, of IPv4 or IPv6.
 *
 *	talk serve tcp|udp PORT ...	says "up", and answers whoever comes with
 *					"tcp PORT" and the port's number
 *	talk keep tcp PORT ...		likewise, and leaves connections open
 *	talk ask tcp|udp HOST PORT	prints the answer; 1 where none comes
 *	talk hold N HOST PORT		N connections at once; says "held N", and
 *					keeps them until its input ends
 *
 * Of TCP the end of what was sent is waited for.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORTS = 64, WAIT_MS = 3000 };

static int keep;		/* connections that were answered */

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static int
kind_of(const char *word)
{
	return strcmp(word, "udp") ? SOCK_STREAM : SOCK_DGRAM;
}

/* Of both families, or of IPv4 where there is no IPv6. */
static int
listen_on(int kind, int port)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6,
	    .sin6_port = htons(port) };
	struct sockaddr_in a4 = { .sin_family = AF_INET,
	    .sin_port = htons(port) };
	int fd = socket(AF_INET6, kind, 0), yes = 1, six = fd >= 0;

	if (!six)
		fd = socket(AF_INET, kind, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, six ? (void *)&a6 : (void *)&a4,
	    six ? sizeof(a6) : sizeof(a4)) < 0)
		fail("bind");
	if (kind == SOCK_STREAM && listen(fd, 4096) < 0)
		fail("listen");
	return fd;
}

static void
answer(int fd, int kind, const char *text)
{
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);
	char buf[2048];
	int c;

	if (kind == SOCK_DGRAM) {
		if (recvfrom(fd, buf, sizeof(buf), 0, (void *)&from,
		    &size) >= 0)
			sendto(fd, text, strlen(text), 0, (void *)&from, size);
		return;
	}
	c = accept(fd, NULL, NULL);
	if (c < 0)
		return;
	send(c, text, strlen(text), MSG_NOSIGNAL);
	if (keep)
		return;
	shutdown(c, SHUT_WR);
	while (read(c, buf, sizeof(buf)) > 0)
		;
	close(c);
}

static void
serve(int kind, char **ports, int n)
{
	struct pollfd p[PORTS];
	char text[PORTS][32];
	int i;

	for (i = 0; i < n && i < PORTS; i++) {
		p[i] = (struct pollfd){ listen_on(kind, atoi(ports[i])),
		    POLLIN, 0 };
		snprintf(text[i], sizeof(text[i]), "%s %s\n",
		    kind == SOCK_DGRAM ? "udp" : "tcp", ports[i]);
	}
	puts("up");
	fflush(stdout);
	for (;;) {
		if (poll(p, n, -1) < 0 && errno != EINTR)
			fail("poll");
		for (i = 0; i < n; i++)
			if (p[i].revents)
				answer(p[i].fd, kind, text[i]);
	}
}

static int
ask(int kind, const char *host, const char *port)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6,
	    .sin6_port = htons(atoi(port)) };
	struct sockaddr_in a4 = { .sin_family = AF_INET,
	    .sin_port = htons(atoi(port)) };
	int six = inet_pton(AF_INET6, host, &a6.sin6_addr) == 1;
	struct timeval wait = { WAIT_MS / 1000, 0 };
	char buf[2048];
	ssize_t n, got = 0;
	int fd;

	if (!six && inet_pton(AF_INET, host, &a4.sin_addr) != 1)
		return 2;
	fd = socket(six ? AF_INET6 : AF_INET, kind, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (fd < 0 || connect(fd, six ? (void *)&a6 : (void *)&a4,
	    six ? sizeof(a6) : sizeof(a4)) < 0)
		return 1;
	if (kind == SOCK_DGRAM)
		send(fd, "x", 1, 0);
	else
		shutdown(fd, SHUT_WR);
	do {
		n = recv(fd, buf + got, sizeof(buf) - got, 0);
		got += n > 0 ? n : 0;
	} while (n > 0 && kind == SOCK_STREAM);
	fwrite(buf, 1, got, stdout);
	return n < 0 || !got;
}

static int
hold(int n, const char *host, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
	    .sin_port = htons(atoi(port)) };
	struct rlimit l = { n + 100, n + 100 };
	char c;
	int i, fd;

	inet_pton(AF_INET, host, &a.sin_addr);
	setrlimit(RLIMIT_NOFILE, &l);
	for (i = 0; i < n; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (fd < 0 || connect(fd, (void *)&a, sizeof(a)) < 0)
			fail("connect");
		/* the answer has come through */
		if (read(fd, &c, 1) != 1)
			fail("read");
	}
	printf("held %d\n", n);
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return 0;
}

int
main(int argc, char **argv)
{
	keep = argc > 3 && !strcmp(argv[1], "keep");
	if (keep || (argc > 3 && !strcmp(argv[1], "serve")))
		serve(kind_of(argv[2]), argv + 3, argc - 3);
	if (argc == 5 && !strcmp(argv[1], "hold"))
		return hold(atoi(argv[2]), argv[3], argv[4]);
	if (argc == 5 && !strcmp(argv[1], "ask"))
		return ask(kind_of(argv[2]), argv[3], argv[4]);
	return 2;
}
