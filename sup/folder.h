/* The run-time folder: what state.c, marker.c, left.c, find.c and ranges.c
 * share. */
#ifndef SUP_FOLDER_H
#define SUP_FOLDER_H

#include <stddef.h>
#include <sys/types.h>

struct run;

#define MARKER STATEDIR "/.marker"
#define NOT_OURS STATEDIR " is somebody else's: it has files in it, but not " \
	"crun's .marker; move it away, or set another STATEDIR in config.h"

enum { END_TEXT = 2048 };		/* of NAME/lock, with a reason in it */
enum { MADE_DIR = 1, MADE_PARENT = 2 };	/* bits of statedir_made */

/* ---- left.c ---- */

/* NAME/host has its first bytes only; without any it goes. */
void left_cut(struct run *r, off_t keep);
/* How many bytes NAME/host has; 0: there is none. */
off_t left_size(struct run *r);
/* Removes all that NAME/host names after its first bytes, which are kept.
 * NULL; or why it could not all be removed, and then the file stays for the
 * next who tries. */
const char *left_remove(struct run *r, off_t keep);
enum lock { OURS, ANOTHERS, VANISHED };	/* the last: the folder has */

/* One try to open the folder and to take the lock in it.  Dies where it is
 * none of these. */
enum lock left_try_lock(struct run *r, const char *dir);

/* ---- marker.c ---- */

/* Until guard_free(), what we make in the folder keeps it there. */
void guard_folder(struct run *r);
/* Ends guard_folder(). */
void guard_free(struct run *r);
/* Dies, or gives 0: there is no such folder, or no marker in an empty one. */
int statedir_is_ours(void);
/* The run-time folder, unless others use it. */
void statedir_remove(struct run *r);
/* crun trusts what is in these folders: which groups and links to remove, what
 * runs.  0: there is none.  Dies where another could have written in it. */
int statedir_trusted(const char *dir);

/* ---- state.c ---- */

/* Whether somebody else holds the lock. */
int is_locked(int fd);
/* fcntl(2) with a lock of len bytes (0: all that follow) from byte on. */
int lock_byte(int fd, int cmd, short type, off_t byte, off_t len);
/* Whether path still names the file that is open. */
int same_file(int fd, const char *path);

#endif
