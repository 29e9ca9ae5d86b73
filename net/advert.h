/* Router advertisements for the guest of an interface. */
#ifndef NET_ADVERT_H
#define NET_ADVERT_H

struct run;

/* Begins where DHCP is answered, and the bridge is a router of IPv6 by one of
 * the gateways; dies where it cannot.  Ends. */
void advert_attach(struct run *, int link);
void advert_undo(struct run *, int link);
/* The guest has asked; it is time for the next. */
void advert_asked(struct run *, int link);
void advert_due(struct run *, int link);

#endif
