/* Sockets of packet(7).
 *
 * One on the host's end of a container's pair hears that container alone, and
 * what it says goes there alone: nobody else on the bridge is answered.  It
 * must see every kind of packet, ETH_P_ALL, since the bridge takes those of IP
 * before a socket for them would; a filter leaves out all but those that are
 * meant before they wake us. */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include "lib/lib.h"
#include "net/packet.h"

int
packet_open(uint32_t index, const struct sock_filter *filter, size_t n)
{
	struct sock_fprog program = { n, (struct sock_filter *)filter };
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
	    .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index };
	int fd;

	/* it hears nothing before it is bound */
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
	    sizeof(program)) < 0 ||
	    bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0))
		shut(&fd);
	return fd;
}

uint32_t
packet_sum(uint32_t sum, const void *data, size_t size)
{
	const uint8_t *b = data;
	size_t i;

	for (i = 0; i < size; i++)
		sum += i % 2 ? b[i] : b[i] << 8;
	return sum;
}

uint16_t
packet_check(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}
