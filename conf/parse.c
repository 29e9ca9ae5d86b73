/* What values are made of: numbers, sizes, words, addresses. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/values.h"
#include "lib/lib.h"

/* ---- words and numbers ---- */

int
parse_number(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;

	if (!*s)
		return -1;
	for (; *s; s++) {
		if (!isdigit((unsigned char)*s) ||
		    n > (UINT64_MAX - (*s - '0')) / 10)
			return -1;
		n = n * 10 + (*s - '0');
	}
	if (n < min || n > max)
		return -1;
	*out = n;
	return 0;
}

int
parse_size(const char *s, uint64_t *out)
{
	static const char units[] = "KMGT";
	char digits[24];
	size_t len = strspn(s, "0123456789");
	const char *u;
	int shift = 0;

	if (!len || len >= sizeof(digits))
		return -1;
	memcpy(digits, s, len);
	digits[len] = '\0';
	if (s[len]) {
		u = strchr(units, toupper((unsigned char)s[len]));
		if (!u || s[len + 1])
			return -1;
		shift = 10 * (u - units + 1);
	}
	if (parse_number(digits, 0, INT64_MAX >> shift, out) < 0)
		return -1;
	*out <<= shift;
	return 0;
}

int
has_only(const char *s, const char *more)
{
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr(more, *s))
			return 0;
	return 1;
}

char *
cut_at(char *s, char sep)
{
	char *end = strchr(s, sep);

	if (end)
		*end++ = '\0';
	return end;
}

int
parse_ip(const char *text, struct ip *ip)
{
	char *copy = xprintf("%s", text), *rest = cut_at(copy, '/');
	uint64_t bits = 0;
	int ok;

	ip->prefix = -1;
	ip->family = strchr(copy, ':') ? AF_INET6 : AF_INET;
	ok = inet_pton(ip->family, copy, ip->addr) == 1;
	if (ok && rest) {
		ok = !parse_number(rest, 0, ip->family == AF_INET ? 32 : 128,
		    &bits);
		ip->prefix = bits;
	}
	free(copy);
	return ok ? 0 : -1;
}
