/* dhcp - one DHCP message of a guest, and the answer, in a line.
 *
 *	dhcp discover|inform|release|decline
 *	dhcp request ADDRESS	as after a reboot: without a server
 *	dhcp other ADDRESS	a request to another server
 *	dhcp alien		a discover for another hardware address
 *	dhcp short|long|loop	what no client sends
 *
 * Prints the kind of the answer and its options as KEY=VALUE, or "nothing".
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct bootp {
	uint8_t op, htype, hlen, hops;
	uint32_t xid;
	uint16_t secs, flags;
	uint32_t ciaddr, yiaddr, siaddr, giaddr;
	uint8_t chaddr[16], sname[64], file[128], cookie[4], options[512];
};

static const char *const kinds[] = { "", "discover", "offer", "request",
    "decline", "ack", "nak", "release", "inform" };

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static int
open_socket(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
	    .sin_port = htons(68) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), yes = 1;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes)) ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "eth0", 5) ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)))
		fail("socket");
	return fd;
}

static uint8_t *
option(uint8_t *o, int code, const void *value, int length)
{
	*o++ = code;
	*o++ = length;
	memcpy(o, value, length);
	return o + length;
}

static size_t
make(struct bootp *b, int fd, const char *word, const char *address)
{
	struct ifreq q = { .ifr_name = "eth0" };
	uint8_t type = 1, *o = b->options;
	uint32_t addr = address ? inet_addr(address) : 0;
	size_t i;

	if (ioctl(fd, SIOCGIFHWADDR, &q))
		fail("eth0");
	*b = (struct bootp){ .op = 1, .htype = 1, .hlen = 6, .xid = 42,
	    .cookie = { 99, 130, 83, 99 } };
	memcpy(b->chaddr, q.ifr_hwaddr.sa_data, 6);
	for (i = 1; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i], word))
			type = i;
	if (!strcmp(word, "other"))
		type = 3;
	if (!strcmp(word, "alien"))
		b->chaddr[5]++;
	if (!strcmp(word, "loop"))
		b->op = 2;
	o = option(o, 53, &type, 1);
	if (type == 3)
		o = option(o, 50, &addr, 4);
	if (!strcmp(word, "other"))
		o = option(o, 54, &addr, 4);
	if (!strcmp(word, "long")) {
		memset(o, 255, sizeof(b->options) - (o - b->options));
		b->options[0] = 12;	/* says more than there is */
		b->options[1] = 255;
		return offsetof(struct bootp, options) + 40;
	}
	if (!strcmp(word, "short"))
		return offsetof(struct bootp, cookie) + 2;
	*o++ = 255;
	return (char *)o - (char *)b;
}

static void
print_addresses(const char *name, const uint8_t *v, int length)
{
	printf(" %s=", name);
	for (; length >= 4; length -= 4, v += 4)
		printf("%d.%d.%d.%d%s", v[0], v[1], v[2], v[3],
		    length > 4 ? "," : "");
}

static void
print(const struct bootp *b, size_t size)
{
	const uint8_t *o = b->options, *end = (const uint8_t *)b + size;
	struct in_addr yours = { b->yiaddr };

	for (; o + 2 <= end && *o != 255; o += 2 + o[1])
		switch (*o) {
		case 1: print_addresses("mask", o + 2, o[1]); break;
		case 3: print_addresses("router", o + 2, o[1]); break;
		case 6: print_addresses("dns", o + 2, o[1]); break;
		case 12: printf(" host=%.*s", o[1], (char *)o + 2); break;
		case 26: printf(" mtu=%d", o[2] << 8 | o[3]); break;
		case 51: printf(" lease=%d", o[3] << 16 | o[4] << 8 | o[5]);
			break;
		case 53: printf("%s %s", kinds[o[2]], inet_ntoa(yours)); break;
		case 54: print_addresses("server", o + 2, o[1]); break;
		}
	putchar('\n');
}

int
main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
	    .sin_port = htons(67), .sin_addr.s_addr = INADDR_BROADCAST };
	struct bootp b = { 0 };
	struct pollfd p;
	ssize_t n;

	if (argc < 2)
		return 2;
	p = (struct pollfd){ open_socket(), POLLIN, 0 };
	n = make(&b, p.fd, argv[1], argv[2]);
	if (sendto(p.fd, &b, n, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		fail("sendto");
	if (poll(&p, 1, 3000) <= 0) {
		puts("nothing");
		return 0;
	}
	n = recv(p.fd, &b, sizeof(b), 0);
	print(&b, n);
	return 0;
}
