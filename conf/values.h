/* What the setters of keys share, and the setters themselves, for the table. */
#ifndef CONF_VALUES_H
#define CONF_VALUES_H

#include <stdint.h>

struct conf;
struct setting;

/* A decimal number from min to max.  0, or -1: it is none. */
int parse_number(const char *s, uint64_t min, uint64_t max, uint64_t *out);
/* 512, 64K, 1G: with K M G T as powers of 1024 */
int parse_size(const char *s, uint64_t *out);
/* ADDRESS or ADDRESS/PREFIX, of either family.  0, or -1. */
int parse_ip(const char *text, struct ip *ip);
/* Ends s at sep and gives what follows it; NULL where there is no sep. */
char *cut_at(char *s, char sep);
/* Whether all of s is letters, digits, or among more. */
int has_only(const char *s, const char *more);
/* NULL; or what is wrong with it as the name of a network interface. */
const char *ifname_error(const char *name);
/* Each judges s->value and keeps it, in c or in s->u.  NULL; or what is wrong
 * with it, which may be a text that the next complaint uses again. */
const char *set_userns(struct conf *c, struct setting *s);
const char *set_map(struct conf *c, struct setting *s);
const char *set_ip(struct conf *c, struct setting *s);
const char *set_address(struct conf *c, struct setting *s);
const char *set_route(struct conf *c, struct setting *s);
const char *set_gateway(struct conf *c, struct setting *s);
const char *set_port(struct conf *c, struct setting *s);
const char *set_host_link(struct conf *c, struct setting *s);
const char *set_mac(struct conf *c, struct setting *s);
const char *set_bind(struct conf *c, struct setting *s);
const char *set_tmpfs(struct conf *c, struct setting *s);
const char *set_caps(struct conf *c, struct setting *s);
const char *set_device(struct conf *c, struct setting *s);
const char *set_name(struct conf *c, struct setting *s);
/* As mountinfo(5) has it: no slash twice, none at the end. */
const char *set_path(struct conf *c, struct setting *s);
const char *set_init(struct conf *c, struct setting *s);
const char *set_hostname(struct conf *c, struct setting *s);
const char *set_env(struct conf *c, struct setting *s);
const char *set_word(struct conf *c, struct setting *s);
const char *set_ifname(struct conf *c, struct setting *s);
const char *set_net(struct conf *c, struct setting *s);
/* The kind of an interface, and the host's link that it needs. */
const char *set_parent(struct conf *c, struct setting *s);
const char *set_number(struct conf *c, struct setting *s);
const char *set_size(struct conf *c, struct setting *s);
const char *set_bool(struct conf *c, struct setting *s);
/* 1, 0.5, 1.25: at most three digits after the point */
const char *set_cpus(struct conf *c, struct setting *s);
const char *set_cpuset(struct conf *c, struct setting *s);
const char *set_cgroup(struct conf *c, struct setting *s);
const char *set_view(struct conf *c, struct setting *s);
const char *set_seccomp(struct conf *c, struct setting *s);
const char *set_rlimit(struct conf *c, struct setting *s);
const char *set_sysctl(struct conf *c, struct setting *s);
const char *set_signal(struct conf *c, struct setting *s);

#endif
