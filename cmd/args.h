/* The command line of a start. */
#ifndef CMD_ARGS_H
#define CMD_ARGS_H

struct args {
	const char *file;
	char **over, **program;
	int nover, print, background, ready;
};

/* Takes the words after crun; exits with EXIT_USAGE where they make no sense
 * together. */
void args_parse(struct args *a, char **argv);
/* crun -h, and exits. */
void args_help(void)
    __attribute__((noreturn));
/* Prints how crun is called, and exits with EXIT_USAGE. */
void args_usage(void)
    __attribute__((noreturn));

#endif
