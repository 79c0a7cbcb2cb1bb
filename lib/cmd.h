/*
 * What every command does alike: options, operands, messages, exit status,
 * and records on standard output.
 */
#ifndef CMD_H
#define CMD_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "buf.h"
#include "json.h"

/* Exit statuses: mega(7), "EXIT STATUS". */
enum {
	EXIT_MIXED = 1, EXIT_USAGE, EXIT_NOTFOUND, EXIT_LOGIN, EXIT_TEMPORARY,
	EXIT_QUOTA, EXIT_STORAGE, EXIT_SLOWED, EXIT_EXISTS, EXIT_INTEGRITY,
	EXIT_REFUSED, EXIT_LOCAL
};

/* An option.  Those with ch from 256 on have only the long name. */
struct cmd_opt {
	int ch;
	const char *name;   /* long name, or NULL */
	const char *arg;    /* its argument's name; "[X]" if optional */
	const char *help;
};

/* Options that are the same everywhere; a command lists those it has, and
 * cmd sets the field below. */
#define CMD_JSON    { 'j', "json", NULL, "one JSON object a line" }
#define CMD_NULL    { '0', "null", NULL, "records end in NUL" }
#define CMD_QUIET   { 'q', "quiet", NULL, "no notices" }
#define CMD_VERBOSE { 'v', "verbose", NULL, "say more" }
#define CMD_DRY     { 'n', "dry-run", NULL, "change nothing, say what would be" }
#define CMD_SESSION { 1001, "session", "FILE", "the session file" }
#define CMD_PROGRESS { 1002, "progress", "WHEN", \
	"auto, always, never or json" }
#define CMD_PASSWORD { 1005, "password-file", "FILE", \
	"its first line opens locked links" }
#define CMD_RATE { 1006, "limit-rate", "N", "bytes a second at most" }
#define CMD_CONNECTIONS { 1007, "connections", "N", "at a time, 1 to 32" }
#define CMD_HTTP { 1008, "http", NULL, \
	"transfer over http; data is encrypted" }
#define CMD_WAIT { 1009, "wait", "[MAX]", \
	"wait for transfer quota, MAX seconds" }
#define CMD_END     { 0, NULL, NULL, NULL }

extern struct cmd {
	const char *name;    /* "mega-get", for messages */
	int json, null, quiet, verbose, dry;
	enum { CMD_AUTO, CMD_ALWAYS, CMD_NEVER, CMD_AS_JSON } progress;
	const char *session; /* --session, or NULL */
	const char *password_file; /* --password-file, or NULL */
	int64_t limit_rate;  /* --limit-rate, or MEGA_LIMIT_RATE, or 0 */
	int64_t wait;        /* --wait: seconds, or 0 */
	unsigned connections; /* --connections, or 0 */
	int http;            /* --http */
	int tty;             /* standard output is a terminal */
	int status;          /* exit status so far */
} cmd;

/*
 * cmd_init: first call of every main.
 *
 * synopsis is what follows the name in the usage, one line a form.  Turns
 * core dumps off: keys live in this process.
 */
void cmd_init(const char *name, const char *synopsis,
    const struct cmd_opt *opts);

/* The next option (its ch; the argument in optarg), -1 at the end, like
 * getopt.  The common ones, --help and --version are dealt with inside; a
 * wrong one ends the process with status 2. */
int cmd_option(int argc, char *argv[]);

/* Wrong usage: one line with the cause, and where help is.  Ends the
 * process. */
COMPAT_NORETURN void cmd_usage(const char *fmt, ...) COMPAT_PRINTF(1, 2);

/* A number from an option's argument, with k, m, g, t (1024) behind it if
 * bytes; ends the process if it is none. */
int64_t cmd_number(const char *text, const char *what, int bytes);

/* "A-B" or "A-", inclusive as in HTTP, as from and to (exclusive); ends the
 * process if it is neither. */
struct cmd_range {
	int64_t from, to;   /* both 0: no range */
};
struct cmd_range cmd_parse_range(const char *text);

/* What MEGA_LIMIT_RATE says, or 0: for those without CMD_RATE. */
int64_t cmd_limit_rate(void);

/* Tell a failure (the recorded text) and remember its status.  operand may
 * be NULL.  Returns code. */
int cmd_fail(const char *operand, int code);

/* A notice on standard error, unless -q. */
void cmd_note(const char *fmt, ...) COMPAT_PRINTF(1, 2);
/* The same about an operand, which may be a link: its key is not shown. */
void cmd_note_on(const char *operand, const char *words);
/* A notice only with -v. */
void cmd_verbose(const char *fmt, ...) COMPAT_PRINTF(1, 2);

/* Last call of every main: flush standard output and return the status. */
int cmd_finish(void);

/* The exit status for a code, and its name in JSON ("not-found"). */
int cmd_status(int code);
const char *cmd_status_name(int status);

/*
 * Operands: those of the command line, with "-" standing for more on
 * standard input, one a line (-0: NUL).  A line that begins with '{' is a
 * JSON object as -j prints it: its link, handle or path is the operand.
 */
struct cmd_operands {
	char **argv;        /* borrowed */
	int reading;        /* inside standard input */
	struct buf line;
};
void cmd_operands(struct cmd_operands *it, char **argv);
/* The next one, borrowed until the next call; NULL at the end.  A line of
 * JSON without any of the three is told as a failure and left out. */
const char *cmd_operand(struct cmd_operands *it);
void cmd_operands_free(struct cmd_operands *it);

/* Call fn for each operand; tell its failures. */
void cmd_each(char **argv, int (*fn)(void *ctx, const char *operand),
    void *ctx);

/* A record on standard output: text (escaped where it has to be) and the
 * record's end. */
void cmd_record(const char *text, size_t n);
/* The same for a JSON object that a writer has closed; empties b. */
void cmd_record_json(struct buf *b);

/* A size as people write it, right-justified in 8 characters. */
void cmd_human(struct buf *out, int64_t size);

/* A time as RFC 3339, UTC. */
#define CMD_TIME_MAX 32
char *cmd_time(char out[CMD_TIME_MAX], int64_t t);

/* The reader of our output has gone: end as by SIGPIPE. */
COMPAT_NORETURN void cmd_pipe(void);

/* Called before anything is written to the terminal: clears a progress
 * line.  Set by progress. */
extern void (*cmd_before_message)(void);

#endif
