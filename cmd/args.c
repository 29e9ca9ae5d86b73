/* The command line of a start. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/args.h"
#include "cmd/cmd.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "config.h"

/* ---- the command line ---- */

static const char usage[] =
    "usage: crun [-dnqv] -c FILE [KEY=VALUE ...] [-- PROGRAM [ARG ...]]\n"
    "       crun VERB [OPTION ...] [NAME] [ARG ...]\n"
    "       crun -h | -V\n";

void
args_usage(void)
{
	fputs(usage, stderr);
	exit(EXIT_USAGE);
}

void
args_help(void)
{
	puts("crun boots a folder as an operating system.\n");
	puts(usage);
	puts("  -c FILE     the configuration: FILE, else " CONFDIR "/FILE, "
	    "else\n              " CONFDIR "/FILE.conf; - is standard "
	    "input\n"
	    "  KEY=VALUE   instead of what FILE says of KEY; an empty VALUE "
	    "unsets it\n"
	    "  -- PROGRAM  no OS: run this one program, exit with its "
	    "status\n"
	    "  -d          in the background: returns when the init runs\n"
	    "  --ready[=SECONDS]\n"
	    "              with -d: returns when the system is up, or after "
	    "SECONDS\n              [90] with status 125\n"
	    "  -n          print the configuration and touch nothing\n"
	    "  -q          print errors only\n"
	    "  -v          print every step\n"
	    "  -h, -V      print this help, the version\n\n"
	    "Verbs, for containers that run:\n");
	verb_help();
	puts("\nKeys of FILE, one KEY=VALUE a line, # begins a comment; "
	    "[default];\n* may stand more than once, + once for each network "
	    "interface,\nas IFNAME.KEY=VALUE:\n");
	conf_help();
	flush_output();
	exit(0);
}

/* c takes what follows it, or else the next word. */
static void
option(struct args *a, const char *letters, char ***argv)
{
	for (; *letters; letters++)
		switch (*letters) {
		case 'c':
			if (letters[1])
				a->file = letters + 1;
			else
				a->file = *++*argv;
			if (!a->file)
				args_usage();
			return;
		case 'd':
			a->background = 1;
			break;
		case 'n':
			a->print = 1;
			break;
		case 'q':
			verbosity = QUIET;
			break;
		case 'v':
			verbosity = VERBOSE;
			break;
		case 'h':
			args_help();
			break;
		case 'V':
			puts("crun " VERSION);
			flush_output();
			exit(0);
		default:
			fail(EXIT_USAGE, "unknown option -%c; crun -h lists "
			    "them", *letters);
		}
}

static void
long_option(struct args *a, const char *word)
{
	char *end = "";

	if (strncmp(word, "ready", 5) || (word[5] && word[5] != '='))
		fail(EXIT_USAGE, "unknown option --%s; crun -h lists them",
		    word);
	a->ready = word[5] ? strtol(word + 6, &end, 10) : READY_SECONDS;
	if (*end || a->ready < 1 || a->ready > 86400)
		fail(EXIT_USAGE, "--%s: must be seconds, from 1 to 86400",
		    word);
}

void
args_parse(struct args *a, char **argv)
{
	a->over = xrealloc(NULL, 1, sizeof(*a->over));
	for (argv++; *argv; argv++) {
		if (!strcmp(*argv, "--")) {
			a->program = argv + 1;
			if (!argv[1])
				fail(EXIT_USAGE, "-- needs a PROGRAM");
			break;
		}
		if (!strncmp(*argv, "--", 2)) {
			long_option(a, *argv + 2);
		} else if (**argv == '-' && (*argv)[1]) {
			option(a, *argv + 1, &argv);
		} else if (strchr(*argv, '=')) {
			a->over = xrealloc(a->over, a->nover + 1,
			    sizeof(*a->over));
			a->over[a->nover++] = *argv;
		} else {
			fail(EXIT_USAGE, "\"%s\" is neither an option nor "
			    "KEY=VALUE; a program goes after --", *argv);
		}
	}
	if (!a->file)
		args_usage();
	if (a->ready && !a->background)
		fail(EXIT_USAGE, "--ready is for -d");
}
