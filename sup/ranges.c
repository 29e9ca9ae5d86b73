/* The pool of ids: which range is whose. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crun.h"
#include "lib/lib.h"
#include "sup/folder.h"
#include "sup/sup.h"
#include "config.h"

/* ---- ranges of ids ----
 *
 * Byte 1 + n of the marker is range n.  One that nobody has locked but that is
 * not 0 belongs to a killed supervisor, and processes may have these ids still.
 */

static int
claim(struct run *r, off_t byte)
{
	char used = 0;

	/* read only once it is locked: until then another may take it */
	if (lock_byte(r->state.marker, F_OFD_SETLK, F_WRLCK, byte, 1))
		return 0;
	if (pread(r->state.marker, &used, 1, byte) >= 0 && !used)
		return 1;
	lock_byte(r->state.marker, F_OFD_SETLK, F_UNLCK, byte, 1);
	return 0;
}

uint32_t
state_range(struct run *r, uint32_t first, uint32_t count)
{
	uint32_t i, n;
	char line[16];

	for (i = 0; i < count; i++) {
		n = (first + i) % count;
		if (!claim(r, 1 + n))
			continue;
		put(line, sizeof(line), "ids %u\n", (unsigned)n);
		state_record(r, line);
		r->state.kept = r->state.recorded;
		if (pwrite(r->state.marker, "x", 1, 1 + n) != 1)
			die("writing " MARKER ":");
		r->state.range = 1 + n;
		return n;
	}
	die("all %u ranges of ids are taken by containers; crun clean frees "
	    "those of killed supervisors; else set userns=HOSTID, or a larger "
	    "pool in config.h", (unsigned)count);
}

/* Unless somebody else has taken it by now. */
const char *
state_range_free(struct run *r, const char *what)
{
	off_t n = strtoul(what, NULL, 10);
	int fd = open(MARKER, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	(void)r;
	if (!lock_byte(fd, F_OFD_SETLK, F_WRLCK, 1 + n, 1))
		pwrite(fd, "", 1, 1 + n);
	shut(&fd);
	return NULL;
}

void
state_range_undo(struct run *r)
{
	if (!r->state.range)
		return;
	/* what is left has these ids still */
	if (!r->state.left)
		pwrite(r->state.marker, "", 1, r->state.range);
	lock_byte(r->state.marker, F_OFD_SETLK, F_UNLCK, r->state.range, 1);
	r->state.range = 0;
}
