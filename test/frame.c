/* frame - sends and hears frames of Ethernet as they are, packet(7).
 *
 *	frame send LINK HEX ...		each a frame
 *	frame hear LINK			says "up", then the byte after each
 *					c0ffee that comes in, to ff; 1 after 5 s
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 2048, WAIT_MS = 5000 };

static int
open_link(const char *link)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET,
	    .sll_protocol = htons(ETH_P_ALL),
	    .sll_ifindex = if_nametoindex(link) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		perror(link);
		exit(1);
	}
	return fd;
}

static void
send_hex(int fd, const char *hex)
{
	unsigned char frame[MOST];
	char byte[3] = "";
	size_t n = 0;

	for (; hex[0] && hex[1] && n < sizeof(frame); hex += 2) {
		memcpy(byte, hex, 2);
		frame[n++] = strtoul(byte, NULL, 16);
	}
	if (send(fd, frame, n, 0) != (ssize_t)n)
		perror(hex);
}

static int
hear(int fd)
{
	static const unsigned char mark[] = { 0xc0, 0xff, 0xee };
	struct pollfd p = { fd, POLLIN, 0 };
	unsigned char frame[MOST], *at;
	struct sockaddr_ll from;
	socklen_t size;
	ssize_t n;

	puts("up");
	fflush(stdout);
	while (poll(&p, 1, WAIT_MS) > 0) {
		size = sizeof(from);
		n = recvfrom(fd, frame, sizeof(frame), 0,
		    (struct sockaddr *)&from, &size);
		if (n < 0 || from.sll_pkttype == PACKET_OUTGOING)
			continue;
		at = memmem(frame, n, mark, sizeof(mark));
		if (!at || at + 3 >= frame + n)
			continue;
		printf("%02x\n", at[3]);
		fflush(stdout);
		if (at[3] == 0xff)
			return 0;
	}
	return 1;
}

int
main(int argc, char **argv)
{
	int i, fd;

	if (argc < 3)
		return 2;
	fd = open_link(argv[2]);
	if (!strcmp(argv[1], "hear"))
		return hear(fd);
	for (i = 3; i < argc; i++)
		send_hex(fd, argv[i]);
	return 0;
}
