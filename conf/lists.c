/* Setters of keys whose values have parts: maps, addresses, mounts, devices,
 * capabilities.  See keys.c. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/values.h"
#include "lib/lib.h"
#include "config.h"

const char *
set_userns(struct conf *c, struct setting *s)
{
	char *copy, *rest;
	uint64_t id = 0, count = RANGE;
	int bad;

	if (!strcmp(s->value, "auto") || !strcmp(s->value, "none")) {
		c->userns = *s->value == 'a' ? USERNS_AUTO : USERNS_NONE;
		return NULL;
	}
	copy = xprintf("%s", s->value);
	rest = cut_at(copy, ':');
	bad = parse_number(copy, 1, UINT32_MAX - 1, &id) < 0 ||
	    (rest && parse_number(rest, 1, UINT32_MAX - 1, &count) < 0) ||
	    id + count > UINT32_MAX;
	free(copy);
	c->userns = USERNS_RANGE;
	c->userns_first = id;
	c->userns_count = count;
	return bad ? "must be auto, none, HOSTID or HOSTID:COUNT, "
	    "with HOSTID from 1 up" : NULL;
}

const char *
set_map(struct conf *c, struct setting *s)
{
	char *copy = xprintf("%s", s->value), *part, *rest = copy;
	uint64_t n[3] = { 0 };
	int i, bad = 0;

	for (i = 0; i < 3; i++) {
		part = rest;
		rest = part ? cut_at(part, ':') : NULL;
		bad |= !part || parse_number(part, i == 2, UINT32_MAX - 1,
		    &n[i]) < 0;
	}
	bad |= rest != NULL;
	free(copy);
	if (bad || n[0] + n[2] > UINT32_MAX || n[1] + n[2] > UINT32_MAX)
		return "must be INSIDE:OUTSIDE:COUNT, each 32 bits";
	if (!n[1])
		return "maps the host's root into the container, which is no "
		    "boundary then; userns=none says so openly";
	s->u.map = (struct idmap){ n[0], n[1], n[2] };
	c->userns = USERNS_MAPS;
	return NULL;
}

/* A target in the rootfs: absolute, with no . or .. in it, so that what is
 * written is where it goes. */
static const char *
target_error(const char *path)
{
	const char *p = path;
	size_t n;

	if (*path != '/' || !path[1])
		return "the target must be an absolute path below /";
	while (*(p += strspn(p, "/"))) {
		n = strcspn(p, "/");
		if (p[0] == '.' && (n == 1 || (n == 2 && p[1] == '.')))
			return "the target must not contain . or ..";
		p += n;
	}
	return NULL;
}

/* A mount over these would hide crun's own. */
static const char *
mount_target_error(const char *path)
{
	static const char *const own[] = { "proc", "sys", "dev" };
	const char *bad = target_error(path), *name = path + strspn(path, "/");
	size_t n = strcspn(name, "/"), i;

	if (bad || name[n + strspn(name + n, "/")])
		return bad;
	for (i = 0; i < LEN(own); i++)
		if (strlen(own[i]) == n && !strncmp(name, own[i], n))
			return "is what crun mounts itself; a target may lie "
			    "below it";
	return NULL;
}

static const char *
bind_option(struct bind *b, const char *word)
{
	static const struct {
		const char *name;
		uint64_t attr;
	} attrs[] = {
		{ "ro", MOUNT_ATTR_RDONLY }, { "nosuid", MOUNT_ATTR_NOSUID },
		{ "nodev", MOUNT_ATTR_NODEV }, { "noexec", MOUNT_ATTR_NOEXEC },
	};
	size_t i;

	for (i = 0; i < LEN(attrs); i++)
		if (!strcmp(word, attrs[i].name)) {
			b->attr |= attrs[i].attr;
			return NULL;
		}
	if (!strcmp(word, "rec"))
		b->rec = 1;
	else if (!strcmp(word, "optional"))
		b->optional = 1;
	else if (!strcmp(word, "idmap"))
		b->idmap = 1;
	else if (!strcmp(word, "follow"))
		b->follow = 1;
	else
		return complain("unknown option %s: ro, nosuid, nodev, "
		    "noexec, rec, optional, idmap and follow are known", word);
	return NULL;
}

const char *
set_bind(struct conf *c, struct setting *s)
{
	char *copy = xprintf("%s", s->value), *word, *rest;
	char *target = cut_at(copy, ':');
	struct bind *b = &s->u.bind;
	const char *bad;

	(void)c;
	if (!target)
		return "must be SOURCE:TARGET[:OPTION,...]";
	b->source = copy;
	b->target = target;
	word = cut_at(target, ':');
	bad = mount_target_error(target);
	for (; word && !bad; word = rest) {
		rest = cut_at(word, ',');
		bad = bind_option(b, word);
	}
	return bad;
}

static const char *
tmpfs_option(struct tmpfs *t, const char *word)
{
	uint64_t size;
	long mode;
	char *end;

	if (!strncmp(word, "size=", 5) && !parse_size(word + 5, &size) &&
	    size) {
		put(t->size, sizeof(t->size), "%" PRIu64, size);
		return NULL;
	}
	if (!strncmp(word, "mode=", 5)) {
		mode = strtol(word + 5, &end, 8);
		if (end != word + 5 && !*end && mode >= 0 && mode <= 07777) {
			put(t->mode, sizeof(t->mode), "%lo", mode);
			return NULL;
		}
	}
	return complain("bad option %s: size=BYTES and mode=OCTAL are known",
	    word);
}

const char *
set_tmpfs(struct conf *c, struct setting *s)
{
	char *copy = xprintf("%s", s->value), *word = cut_at(copy, ':'), *rest;
	const char *bad = mount_target_error(copy);
	struct tmpfs *t = &s->u.tmpfs;

	(void)c;
	t->target = copy;
	strcpy(t->mode, "1777");
	for (; word && !bad; word = rest) {
		rest = cut_at(word, ',');
		bad = tmpfs_option(t, word);
	}
	return bad;
}

const char *
set_caps(struct conf *c, struct setting *s)
{
	char *copy = xprintf("%s", s->value), *rest = copy, *word;
	const char *bad = NULL;
	int cap;

	while (!bad && (word = next_part(&rest, " \t,"))) {
		cap = conf_cap(word + 1, strlen(word + 1));
		if (!strchr("+-", *word) || cap < 0)
			bad = complain("%s: must be + or - and the name of a "
			    "capability, such as -net_raw", word);
		else if (*word == '+')
			c->caps |= (uint64_t)1 << cap;
		else
			c->caps &= ~((uint64_t)1 << cap);
	}
	free(copy);
	return bad;
}

/* Names in /dev that are no nodes of devices, or other ones in a container. */
static int
is_own(const char *name)
{
	static const char own[] = "console fd mqueue ptmx pts shm stderr "
	    "stdin stdout";
	char first[NAME_LEN + 1];
	size_t n = strcspn(name, "/");

	if (n > NAME_LEN)
		return 0;
	memcpy(first, name, n);
	first[n] = '\0';
	return has_word(own, first);
}

static const char *
device_option(struct device *d, const char *word)
{
	if (!strcmp(word, "follow")) {
		d->follow = 1;
		return NULL;
	}
	if (!*word)
		return "has no access: one or more of r, w and m";
	for (; *word; word++) {
		if (!strchr("rwm", *word))
			return complain("%c: access is one or more of r "
					"(read), "
					"w (write) and m (mknod)",
			    *word);
		d->access |= *word == 'r' ? DEVICE_READ : *word == 'w' ?
		    DEVICE_WRITE : DEVICE_MKNOD;
	}
	return NULL;
}

const char *
set_device(struct conf *c, struct setting *s)
{
	char *copy = xprintf("%s", s->value), *word = cut_at(copy, ':'), *rest;
	struct device *d = &s->u.device;
	const char *bad = NULL;

	(void)c;
	if (!strcmp(s->value, "all"))
		return NULL;
	if (strncmp(copy, "/dev/", 5) || !copy[5] || target_error(copy))
		return "must be /dev/NAME, /dev/NAME:rwm with one or more of "
		    "r, w and m, and perhaps ,follow, or all";
	if (is_own(copy + 5))
		return "is one that every container has of its own";
	d->node = copy;
	for (; word && !bad; word = rest) {
		rest = cut_at(word, ',');
		bad = device_option(d, word);
	}
	if (!d->access)
		d->access = DEVICE_READ | DEVICE_WRITE | DEVICE_MKNOD;
	return bad;
}
