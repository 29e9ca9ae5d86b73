/* The terminal: the pty of the init, and the relay to our own. */
#ifndef TTY_TTY_H
#define TTY_TTY_H

#include <stddef.h>
#include <stdint.h>
#include <termios.h>

struct run;
struct pollfd;

struct signals {
	int fd;			/* signalfd(2): all that the supervisor takes */
	int request;		/* the value of the last ASK */
};

#define SIGNALS_NONE { .fd = -1 }

enum { PUMP_SIZE = 1 << 16, TAIL = 1024 };

struct pump {			/* one direction */
	int from, to;		/* -1: shut */
	size_t off, len;	/* what of buf is still to be written */
	char *buf;
	size_t size;
};

#define PUMP_NONE { .from = -1, .to = -1 }

struct terminal {		/* the caller's, which is our own */
	struct termios was;	/* before it was made raw */
	int raw;
	int raw_later;		/* we are in the background */
	int way[3];		/* to 0, 1, 2, where no write waits; 0: not */
				/* opened yet */
	int escapes;		/* Ctrl-] typed so far */
	long long first_escape;	/* when, ms */
};

struct relay {			/* between the pty and the caller */
	struct pump in, out;
	char tail[TAIL];	/* the last that was printed, a ring */
	size_t tail_end;	/* bytes ever */
};

#define RELAY_NONE { .in = PUMP_NONE, .out = PUMP_NONE }

struct tty {
	int master, slave;	/* the pty; -1: none */
	int ttys;		/* bits: which of 0, 1, 2 are to be the pty */
	int std[3];		/* what the init gets as 0, 1, 2 */
	int log;		/* NAME/log; -1: nothing was printed yet */
	uint64_t logged;	/* bytes ever */
	int listener, typist;	/* NAME/console, and who types there */
	struct relay relay;
	struct terminal terminal;
};

#define TTY_NONE { .master = -1, .slave = -1, .log = -1, .listener = -1, \
	.typist = -1, .relay = RELAY_NONE }

/* ---- signals.c ---- */

/* crun stop and crun reboot ask a supervisor by this signal, a real-time one,
 * of which none is lost; sigqueue(3), its value: SECONDS << 1 | REBOOT, where
 * 0 seconds are stop.timeout's. */
enum { ASK = 50 };

/* From now on signals are taken by r->signals.fd. */
void signals_take(struct run *);
/* Takes a signal that asks the supervisor to end from r->signals.fd; 0: none.
 * After ASK its value is in r->signals.request. */
int signal_pending(struct run *);
/* As if ASK had come with that value. */
void signal_again(struct run *, int request);

/* ---- pty.c ---- */

/* Unlocks a pty and opens its other end, not by a path; -1 and errno. */
int pty_peer(int master);

/* ---- terminal.c ---- */

/* The terminal, where standard input is one: raw, and as it was.  In the
 * background it is left alone. */
void terminal_raw(struct terminal *);
void terminal_restore(struct terminal *);
/* Our own way to 0, 1 or 2, where no write waits. */
int terminal_way(struct terminal *, int fd);
/* Fills two entries for poll(2). */
void pump_poll(const struct pump *, struct pollfd *);
/* Reads behind what is there; the side is shut at its end. */
void pump_fill(struct pump *);
/* Writes.  What cannot be written is dropped: a guest must not hang because
 * nobody reads crun's output any more. */
void pump_drain(struct pump *);
/* Moves what was typed, as poll(2) said.  1: three Ctrl-] within a second,
 * which are passed on too. */
int terminal_typed(struct terminal *, struct pump *, const struct pollfd *);

/* ---- console.c ---- */

/* Which of our 0, 1, 2 are terminals, in whose place a pty comes; dies when
 * one is a folder. */
void console_files(struct run *);
/* The pty, made elsewhere; both are closed by console_undo(). */
void console_take(struct run *, int master, int slave);
/* No terminal: 0, 1, 2 are /dev/null. */
void console_nowhere(struct run *);
void console_host(struct run *);
void console_undo(struct run *);
/* The caller's terminal becomes raw, relaying begins.  Supervisor. */
void console_begin(struct run *);
/* Fills four entries for poll(2). */
void console_poll(const struct run *, struct pollfd *);
/* Moves what poll(2) said can be moved.  1: Ctrl-] was typed three times. */
int console_relay(struct run *, const struct pollfd *);
/* The init has ended: writes out what it printed last, and restores.
 * patient: for as long as the reader takes, or until a signal comes, which is
 * given, with its value in r->signals.request; else 0. */
int console_end(struct run *, int patient);
/* The last 400 characters that were printed, as one line. */
const char *console_tail(const struct run *);
/* Whether the last that was printed is a prompt, on a terminal that has a
 * session. */
int console_prompt(const struct run *);
/* Whether our own input types on the console. */
int console_typed(const struct run *);
void console_resize(struct run *);
/* ---- log.c ---- */

enum { LOG_CHUNK = 4096, LOG_LINE = 400 };

/* Never waits, and never fails: what cannot be written is lost.  The
 * supervisor. */
void log_write(struct run *, const char *, size_t);
/* From now on messages go to the log. */
void log_messages(struct run *);

struct reader {
	int dir;		/* the container's folder */
	int fd;			/* -1: not opened yet */
	uint64_t pos;		/* the next byte */
	int still;		/* to stop at what was there at first */
	uint64_t end;		/* that; log_read() sets it */
};

/* The next bytes, at most size; 0: there are no more now.  What was
 * overwritten before it was read is passed over. */
size_t log_read(struct reader *, char *, size_t size);
/* Goes to the beginning of the last so many lines, of LOG_LINE bytes each if
 * they are long. */
void log_last(struct reader *, int lines);
/* An inotify(7) descriptor that is readable when there may be more; and
 * takes what can be read from it. */
int log_watch(const struct run *);
void log_watched(int);

/* ---- attach.c ---- */

void typing_host(struct run *);
void typing_undo(struct run *);
/* A console has begun: the one that types gets it. */
void typing_begin(struct run *);
/* Fills two entries for poll(2). */
void typing_poll(const struct run *, struct pollfd *);
void typing_serve(struct run *, const struct pollfd *);

/* what the supervisor answers: type; you may watch; there is no console */
enum { TYPE = 't', WATCH = 'w', NOTHING = 'n' };

#endif
