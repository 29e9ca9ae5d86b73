/* Names of capabilities and of limits. */
#include <cap-ng.h>
#include <string.h>
#include <sys/resource.h>

#include "conf/conf.h"
#include "lib/lib.h"

/* ---- names ---- */

int
conf_cap(const char *text, size_t len)
{
	char name[32];

	if (len >= 4 && !strncmp(text, "cap_", 4)) {
		text += 4;
		len -= 4;
	}
	if (!len || len >= sizeof(name))
		return -1;
	memcpy(name, text, len);
	name[len] = '\0';
	return capng_name_to_capability(name);
}

int
conf_rlimit(const char *name)
{
	static const struct {
		const char *name;
		int resource;
	} limits[] = {
		{ "as", RLIMIT_AS }, { "core", RLIMIT_CORE },
		{ "cpu", RLIMIT_CPU }, { "data", RLIMIT_DATA },
		{ "fsize", RLIMIT_FSIZE }, { "locks", RLIMIT_LOCKS },
		{ "memlock", RLIMIT_MEMLOCK },
		{ "msgqueue", RLIMIT_MSGQUEUE }, { "nice", RLIMIT_NICE },
		{ "nofile", RLIMIT_NOFILE }, { "nproc", RLIMIT_NPROC },
		{ "rss", RLIMIT_RSS }, { "rtprio", RLIMIT_RTPRIO },
		{ "rttime", RLIMIT_RTTIME },
		{ "sigpending", RLIMIT_SIGPENDING },
		{ "stack", RLIMIT_STACK },
	};
	size_t i;

	for (i = 0; i < LEN(limits); i++)
		if (!strcmp(limits[i].name, name))
			return limits[i].resource;
	return -1;
}
