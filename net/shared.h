/* Links of the host that containers share. */
#ifndef NET_SHARED_H
#define NET_SHARED_H

#include <stddef.h>

struct run;

/* Makes the link, which is not there; dies where it cannot. */
typedef void shared_maker(int fd, const char *link, void *arg);

/* Uses a link, and makes it first where there is none of that name.  file is
 * for shared_leave(), also where this dies. */
void shared_take(struct run *, int *file, int fd, const char *link,
    shared_maker *maker, void *arg);
/* Claims part n of the link until shared_leave().  0: another has it. */
int shared_claim(int file, int n);
/* Locks what is written about the link, until shared_unlock(); 0, or -1, which
 * is told. */
int shared_lock(struct run *, int file);
void shared_unlock(int file);
/* The path of its file of that kind. */
void shared_path(char *path, size_t size, const char *kind, const char *link);
/* Uses it no more; the last removes it, if crun made it. */
void shared_leave(struct run *, int *file, const char *link);

#endif
