/* What the supervisor does for the network while the container runs.
 *
 * All its descriptors are in one of epoll(7), which the supervisor's poll(2)
 * watches: there is none where nothing is to be served. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "crun.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "net/advert.h"
#include "net/change.h"
#include "net/dhcp.h"
#include "net/forward.h"
#include "net/net.h"
#include "net/serve.h"

int
serve_watch(struct run *r, int fd, enum served what, uint32_t number,
    uint32_t events, uint32_t before)
{
	struct epoll_event e = { .events = events,
	    .data.u64 = (uint64_t)what << 32 | number };

	if (r->net.events < 0)
		r->net.events = epoll_create1(EPOLL_CLOEXEC);
	if (r->net.events < 0)
		return -1;
	return epoll_ctl(r->net.events, !before ? EPOLL_CTL_ADD : events ?
	    EPOLL_CTL_MOD : EPOLL_CTL_DEL, fd, &e);
}

/* ---- DHCP ---- */

static int
wants_dhcp(const struct conf *c, int link)
{
	return c->link[link].dhcp || (c->link[link].kind == LINK_NAT &&
	    !conf_next_of(c, KEY_DHCP, link, NULL));
}

static uint32_t
number_of(const struct ip *ip)
{
	uint32_t n;

	memcpy(&n, ip->addr, 4);
	return n;
}

/* The default route's; 0: there is none. */
static uint32_t
find_router(const struct run *r, int link)
{
	const struct peer *p = &r->net.peer[link];
	int i, automatic = r->conf->link[link].kind == LINK_NAT &&
	    !conf_next_of(r->conf, KEY_GATEWAY, link, NULL);

	for (each_of(r->conf, s, KEY_GATEWAY, link)) {
		automatic |= s->u.route.automatic;
		if (s->u.route.via.family == AF_INET)
			return number_of(&s->u.route.via);
	}
	for (i = 0; automatic && i < p->gateways; i++)
		if (p->gateway[i].family == AF_INET)
			return number_of(&p->gateway[i]);
	return 0;
}

/* What is given to the guest.  A server has an address: the router's, or
 * where there is none the first of the subnet, which need not be anybody. */
static void
set_lease(struct run *r, int link)
{
	struct peer *p = &r->net.peer[link];
	uint32_t mask;

	p->dhcp_address = p->address;
	for (each_of(r->conf, s, KEY_IP, link))
		if (s->u.ip.family == AF_INET && p->dhcp_address.family == 0)
			p->dhcp_address = s->u.ip;
	mask = p->dhcp_address.prefix ?
	    htonl(UINT32_MAX << (32 - p->dhcp_address.prefix)) : 0;
	p->dhcp_router = find_router(r, link);
	p->dhcp_server = p->dhcp_router ? p->dhcp_router :
	    (number_of(&p->dhcp_address) & mask) | htonl(1);
}

static void
attach_dhcp(struct run *r, int link)
{
	struct peer *p = &r->net.peer[link];

	set_lease(r, link);
	p->dhcp = dhcp_open(if_nametoindex(p->name));
	if (p->dhcp < 0)
		die("%sanswering DHCP on %s (CONFIG_PACKET); dhcp=no does "
		    "without:", conf_where_of(r->conf, KEY_DHCP, link),
		    p->name);
	if (serve_watch(r, p->dhcp, SERVE_DHCP, link, EPOLLIN, 0) < 0)
		die("watching the network (epoll):");
}

void
serve_attach(struct run *r, int link)
{
	if (wants_dhcp(r->conf, link)) {
		attach_dhcp(r, link);
		advert_attach(r, link);
	}
}

void
serve_undo(struct run *r, int link)
{
	shut(&r->net.peer[link].dhcp);
	advert_undo(r, link);
}

/* ---- the supervisor's loop ---- */

void
net_poll(const struct run *r, struct pollfd *p)
{
	*p = (struct pollfd){ r->net.events, POLLIN, 0 };
}

void
net_serve(struct run *r, const struct pollfd *p)
{
	enum { MOST = 64 };
	struct epoll_event e[MOST];
	uint32_t number;
	int i, n;

	if (!p->revents)
		return;
	n = epoll_wait(r->net.events, e, MOST, 0);
	for (i = 0; i < n; i++) {
		number = e[i].data.u64;
		switch ((enum served)(e[i].data.u64 >> 32)) {
		case SERVE_DHCP:
			dhcp_serve(r, number);
			break;
		case SERVE_SOLICITED:
			advert_asked(r, number);
			break;
		case SERVE_ADVERT:
			advert_due(r, number);
			break;
		case SERVE_DOOR:
			forward_serve(r, number);
			break;
		case SERVE_FLOW:
			tcp_serve(r, number);
			break;
		case SERVE_SESSION:
			udp_serve(r, number);
			break;
		case SERVE_EXPIRE:
			udp_expire(r);
			break;
		case SERVE_CHANGE:
			change_serve(r);
			break;
		}
	}
}
