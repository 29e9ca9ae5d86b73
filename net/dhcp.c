/* DHCP for the guest that asks, RFC 2131 and 2132.
 *
 * There is one lease, which never changes: the address that the configuration
 * or net=nat gives.  So nothing is remembered.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "net/dhcp.h"
#include "net/link.h"
#include "net/net.h"
#include "net/packet.h"

enum { SERVER = 67, CLIENT = 68 };	/* ports */
enum { LEASE = 86400 };			/* seconds */
enum { BROADCAST = 0x8000 };		/* flags */
enum { OPTIONS = 512 };			/* most bytes of them, with the end */

enum {					/* options, RFC 2132 */
	PAD = 0, MASK = 1, ROUTER = 3, DNS = 6, HOSTNAME = 12, MTU = 26,
	REQUESTED = 50, LEASE_TIME = 51, MESSAGE_TYPE = 53, SERVER_ID = 54, END = 255,
};

enum {					/* of MESSAGE_TYPE */
	DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM,
};

struct bootp {
	uint8_t op, htype, hlen, hops;
	uint32_t xid;
	uint16_t secs, flags;
	uint32_t ciaddr, yiaddr, siaddr, giaddr;
	uint8_t chaddr[16], sname[64], file[128];
	uint32_t cookie;
} __attribute__((packed));

struct packet {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	struct bootp bootp;
	uint8_t options[OPTIONS];
} __attribute__((packed));

/* ---- the socket ---- */

/* IPv4, UDP, no fragment, to port 67, and not our own. */
static const struct sock_filter requests[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_PKTTYPE),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 10, 0),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 8),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 4, 0),
	BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14),
	BPF_STMT(BPF_LD | BPF_H | BPF_IND, 16),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SERVER, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

int
dhcp_open(uint32_t index)
{
	return packet_open(index, requests, LEN(requests));
}

/* ---- options ---- */

/* The value of an option, of at least that length; NULL: it is not there. */
static const uint8_t *
find_option(const struct packet *p, size_t size, int option, size_t length)
{
	const uint8_t *o = p->options;
	const uint8_t *end = (const uint8_t *)p + size;

	while (o < end && *o != END) {
		if (*o == PAD) {
			o++;
			continue;
		}
		if (o + 2 > end || o + 2 + o[1] > end)
			return NULL;
		if (*o == option)
			return o[1] >= length ? o + 2 : NULL;
		o += 2 + o[1];
	}
	return NULL;
}

/* Where the next option goes; one that has no room is left out. */
static uint8_t *
add_option(const struct packet *p, uint8_t *o, int option, const void *value,
    size_t length)
{
	if (o + 2 + length >= p->options + OPTIONS || length > 255)
		return o;
	*o++ = option;
	*o++ = length;
	memcpy(o, value, length);
	return o + length;
}

static uint8_t *
add_dns(const struct run *r, const struct packet *p, uint8_t *o)
{
	uint8_t servers[16 * 4];
	char text[sizeof(r->net.resolv)], *word, *rest = text;
	size_t n = 0;

	for (each(r->conf, s, KEY_DNS))
		if (s->u.ip.family == AF_INET && n < sizeof(servers)) {
			memcpy(servers + n, s->u.ip.addr, 4);
			n += 4;
		}
	memcpy(text, r->net.resolv, sizeof(text));
	while ((word = next_part(&rest, " \n")))
		if (n < sizeof(servers) &&
		    inet_pton(AF_INET, word, servers + n) == 1)
			n += 4;
	return n ? add_option(p, o, DNS, servers, n) : o;
}

/* ---- the answer ---- */

/* Who does not have the address yet can only be reached by its hardware. */
static void
address_packet(struct packet *p, const struct packet *q, const struct peer *e,
    int type)
{
	int all = type == NAK || ntohs(q->bootp.flags) & BROADCAST;

	memcpy(p->eth.h_source, e->mac, 6);
	memset(p->eth.h_dest, 0xff, 6);
	if (!all)
		memcpy(p->eth.h_dest, q->bootp.chaddr, 6);
	p->eth.h_proto = htons(ETH_P_IP);
	p->ip.saddr = e->dhcp_server;
	p->ip.daddr = q->bootp.ciaddr && type != NAK ? q->bootp.ciaddr :
	    INADDR_BROADCAST;
}

static size_t
finish_packet(struct packet *p, const uint8_t *end)
{
	uint8_t *out = (uint8_t *)p;
	size_t size = end - out, ip = size - sizeof(p->eth);
	struct iphdr header;

	p->udp.source = htons(SERVER);
	p->udp.dest = htons(CLIENT);
	p->udp.len = htons(ip - sizeof(p->ip));
	header = (struct iphdr){ .version = 4, .ihl = sizeof(header) / 4,
	    .tot_len = htons(ip), .ttl = 64, .protocol = IPPROTO_UDP,
	    .saddr = p->ip.saddr, .daddr = p->ip.daddr };
	header.check = packet_check(packet_sum(0, &header, sizeof(header)));
	p->ip = header;
	return size;
}

static void
answer(const struct run *r, int link, const struct packet *q, int type,
    int inform)
{
	const struct peer *e = &r->net.peer[link];
	const struct ip *ip = &e->dhcp_address;
	struct packet p = { 0 };
	uint8_t *o = p.options, code = type;
	uint32_t lease = htonl(LEASE), addr;
	uint32_t mask = htonl(ip->prefix ? UINT32_MAX << (32 - ip->prefix) :
	    0);
	uint16_t mtu = htons(e->mtu);

	memcpy(&addr, ip->addr, 4);
	p.bootp = q->bootp;
	p.bootp.op = 2;
	p.bootp.hops = p.bootp.secs = 0;
	p.bootp.yiaddr = type == NAK || inform ? 0 : addr;
	p.bootp.siaddr = 0;
	memset(p.bootp.sname, 0, sizeof(p.bootp.sname));
	memset(p.bootp.file, 0, sizeof(p.bootp.file));
	o = add_option(&p, o, MESSAGE_TYPE, &code, 1);
	o = add_option(&p, o, SERVER_ID, &e->dhcp_server, 4);
	if (type != NAK) {
		if (!inform)
			o = add_option(&p, o, LEASE_TIME, &lease, 4);
		o = add_option(&p, o, MASK, &mask, 4);
		if (e->dhcp_router)
			o = add_option(&p, o, ROUTER, &e->dhcp_router, 4);
		o = add_option(&p, o, MTU, &mtu, 2);
		o = add_dns(r, &p, o);
		o = add_option(&p, o, HOSTNAME, r->conf->hostname,
		    strlen(r->conf->hostname));
	}
	*o++ = END;
	address_packet(&p, q, e, type);
	/* a guest that takes nothing loses it, and asks again */
	send(e->dhcp, &p, finish_packet(&p, o), MSG_DONTWAIT);
}

/* A request for what is not ours to give is refused; one to another server is
 * not for us. */
static void
handle_request(const struct run *r, int link, const struct packet *q,
    size_t size)
{
	const struct peer *e = &r->net.peer[link];
	const uint8_t *server = find_option(q, size, SERVER_ID, 4);
	const uint8_t *asked = find_option(q, size, REQUESTED, 4);

	if (server && memcmp(server, &e->dhcp_server, 4))
		return;
	if (!asked)
		asked = (const uint8_t *)&q->bootp.ciaddr;
	answer(r, link, q, memcmp(asked, e->dhcp_address.addr, 4) ? NAK : ACK,
	    0);
}

static void
handle(const struct run *r, int link, const struct packet *q, size_t size)
{
	const uint8_t *type = find_option(q, size, MESSAGE_TYPE, 1);

	switch (type ? *type : 0) {
	case DISCOVER:
		answer(r, link, q, OFFER, 0);
		break;
	case REQUEST:
		handle_request(r, link, q, size);
		break;
	case INFORM:
		answer(r, link, q, ACK, 1);
		break;
	}
}

/* Of IP headers with options nothing is known that sends such. */
static int
is_sound(const struct packet *q, size_t size, const uint8_t *mac)
{
	static const uint8_t cookie[4] = { 99, 130, 83, 99 };

	return size > offsetof(struct packet, options) && q->ip.ihl == 5 &&
	    q->bootp.op == 1 && q->bootp.htype == 1 && q->bootp.hlen == 6 &&
	    !q->bootp.giaddr && !memcmp(q->bootp.chaddr, mac, 6) &&
	    !memcmp(&q->bootp.cookie, cookie, sizeof(cookie));
}

void
dhcp_serve(const struct run *r, int link)
{
	enum { MOST = 8 };		/* a guest that floods us waits */
	struct packet q;
	ssize_t n;
	int i;

	for (i = 0; i < MOST; i++) {
		n = recv(r->net.peer[link].dhcp, &q, sizeof(q), 0);
		if (n < 0)
			return;
		if (is_sound(&q, n, r->conf->link[link].mac))
			handle(r, link, &q, n);
	}
}
