/* Reading a configuration: what conf.c, check.c and saved.c share. */
#ifndef CONF_READ_H
#define CONF_READ_H

#include <stddef.h>

struct conf;

/* The default of each key that has one, in c. */
void conf_defaults(struct conf *c);
/* Somebody else than root and the caller must not have written it. */
void conf_check_file(struct conf *c, int fd);
/* What follows from the file's name, and from the container's. */
void conf_derive(struct conf *c);
/* NULL: it cannot be read. */
char *conf_read(struct conf *c, int fd, size_t *size);
/* How well c is understood, by its faults. */
enum conf_state conf_worst(const struct conf *c);
/* Every setting that the command line left.  A value that is not understood
 * leaves what was there before. */
void conf_apply(struct conf *c);
/* Adds a fault, unless it is there already: where is put before its text. */
struct fault *conf_error(struct conf *c, const char *where, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));
/* The text of the file, and the words over it. */
void conf_parse(struct conf *c, char *text, size_t size, char **over,
    int nover);
/* Which interface each setting is of, in set[].link. */
void conf_links(struct conf *c);
/* An interface whose kind a word of the command line takes away goes with all
 * that the file says of it. */
void conf_links_settle(struct conf *c);
/* What the interfaces have where nothing is set: names, addresses. */
void conf_links_derive(struct conf *c);
/* What must hold between the keys of an interface. */
void conf_links_check(struct conf *c);
/* What depends on two keys: adds a fault for each that does not go together. */
void conf_check(struct conf *c);

#endif
