/* Records: what one process of ours tells another. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/lib.h"

size_t
record_make(struct record *rec, int what, int status, const char *text)
{
	*rec = (struct record){ .what = what, .status = status };
	snprintf(rec->text, sizeof(rec->text), "%s", text);
	return offsetof(struct record, text) + strlen(rec->text) + 1;
}

int
record_write(int fd, int what, int status, const char *text)
{
	struct record rec;
	size_t size = record_make(&rec, what, status, text);
	ssize_t n;

	while ((n = write(fd, &rec, size)) < 0 && errno == EINTR)
		;
	return n < 0 ? -1 : 0;
}

int
record_read(int fd, struct record *rec)
{
	ssize_t n;

	while ((n = read(fd, rec, sizeof(*rec))) < 0 && errno == EINTR)
		;
	rec->text[sizeof(rec->text) - 1] = '\0';
	return n > 0;
}
