/* What the container may not do: capabilities, limits, system calls; and
 * crun's own program, out of its reach. */
#ifndef SEC_SEC_H
#define SEC_SEC_H

struct run;
struct conf;

/* ---- self.c ---- */

void self_begin(char **argv);		/* main()'s */
/* What others see of our command line and environment is name from here on,
 * and so are all pointers into them void. */
void self_forget(const char *name);
/* Where a configuration comes from that is standard input. */
int self_input(void);
/* Whether root of such a container could write to our program's file. */
int self_exposed(const struct conf *);
/* Begins anew with the same arguments in a sealed copy of crun, unless that
 * is where we are; input is what standard input has given already, or NULL.
 * Before anything is made.  Dies where the kernel refuses. */
void self_seal(const char *input);

/* ---- caps.c ---- */

void sec_attach(struct run *);		/* rlimits, sysctls */
void sec_keyring_child(struct run *);
void sec_bound_child(struct run *);	/* the bounding set, no ambient */
void sec_caps_child(struct run *);	/* the other sets */
void sec_limits_child(const struct run *);	/* just before exec */
/* Closes everything above standard error but the fd keep, which gets the
 * number 3. */
int sec_close_child(int keep);

/* ---- seccomp.c ---- */

/* Loads the filter of system calls, for which the process needs
 * CAP_SYS_ADMIN still; dies where the kernel has none. */
void seccomp_child(struct run *);

#endif
