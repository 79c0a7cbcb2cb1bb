#include <sys/resource.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api.h"
#include "cmd.h"
#include "err.h"
#include "link.h"
#include "mem.h"
#include "name.h"
#include "pace.h"
#include "secret.h"

#define OPTIONS_MAX 40
#define LINE_MAX_   (1 << 20) /* of an operand on standard input */
#define RANGE_END   ((int64_t)1 << 60)
#define WAIT_LONG   ((int64_t)366 * 86400)

struct cmd cmd;
void (*cmd_before_message)(void);

static const char *synopsis;
static const struct cmd_opt *options;
static char letters[3 * OPTIONS_MAX + 2];
static struct option longs[OPTIONS_MAX + 3];

/* For people who wait, and those who want to know all. */
static void
notice(const char *words)
{
	if (isatty(STDERR_FILENO))
		cmd_note("%s", words);
	else
		cmd_verbose("%s", words);
}

static void
remark(const char *words)
{
	cmd_verbose("%s", words);
}

/* A closed standard descriptor would be taken by the next file or socket that
 * is opened.  Reading or writing what is put in its place fails, too. */
static void
hold_standard(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) == -1)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY :
			    O_RDONLY);
}

int64_t
cmd_limit_rate(void)
{
	const char *env = getenv("MEGA_LIMIT_RATE");

	return env != NULL && *env != '\0' ?
	    cmd_number(env, "MEGA_LIMIT_RATE", 1) : 0;
}

static unsigned
parse_connections(const char *text)
{
	int64_t n = cmd_number(text, "--connections", 0);

	if (n < 1 || n > PACE_MAX)
		cmd_usage("--connections=%s: want 1 to %d", text, PACE_MAX);
	return (unsigned)n;
}

void
cmd_init(const char *name, const char *syn, const struct cmd_opt *opts)
{
	struct rlimit none = { 0, 0 };
	char *l = letters;
	size_t n = 0;

	setrlimit(RLIMIT_CORE, &none);
	/* A file that may not be so large is a failure like any other. */
	signal(SIGXFSZ, SIG_IGN);
	hold_standard();
	cmd.name = name;
	cmd.tty = isatty(STDOUT_FILENO);
	api_notice = notice;
	api_remark = remark;
	synopsis = syn;
	options = opts;
	for (const struct cmd_opt *o = opts; o->ch != 0 && n < OPTIONS_MAX;
	    o++) {
		int has = o->arg == NULL ? no_argument : o->arg[0] == '[' ?
		    optional_argument : required_argument;

		if (o->ch < 256) {
			*l++ = (char)o->ch;
			for (int i = 0; i < has; i++)
				*l++ = ':';
		}
		if (o->ch == 1006)
			cmd.limit_rate = cmd_limit_rate();
		if (o->name != NULL)
			longs[n++] = (struct option){ o->name, has, NULL,
			    o->ch };
	}
	longs[n++] = (struct option){ "help", no_argument, NULL, 1003 };
	longs[n++] = (struct option){ "version", no_argument, NULL, 1004 };
}

/* "usage: mega-x …" with a line for each form; those that begin with blanks
 * continue the one before. */
static void
print_synopsis(FILE *f)
{
	const char *p = synopsis, *end;

	for (int first = 1; *p != '\0'; first = 0) {
		end = p + strcspn(p, "\n");
		fprintf(f, "%s %s%s%.*s\n", first ? "usage:" : "      ",
		    *p != ' ' ? cmd.name : "", *p != ' ' ? " " : "",
		    (int)(end - p), p);
		p = end + (*end != '\0');
	}
}

/* "  -w, --wait[=MAX]" and what it does. */
static void
print_option(const struct cmd_opt *o)
{
	const char *equals = o->name == NULL ? " " : "=";

	if (o->ch < 256)
		printf("  -%c", o->ch);
	else
		printf("      ");
	if (o->name != NULL)
		printf("%s--%s", o->ch < 256 ? ", " : "", o->name);
	if (o->arg != NULL && o->arg[0] == '[')
		printf("[%s%s", equals, o->arg + 1);
	else if (o->arg != NULL)
		printf("%s%s", equals, o->arg);
	printf("\n\t\t%s\n", o->help);
}

static void
help(void)
{
	print_synopsis(stdout);
	for (const struct cmd_opt *o = options; o->ch != 0; o++)
		print_option(o);
	printf("      --help\n      --version\nThe manual: man %s, man mega\n",
	    cmd.name);
}

static void
set_progress(const char *when)
{
	static const char *const modes[] = { "auto", "always", "never",
	    "json" };

	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		if (strcmp(when, modes[i]) == 0) {
			cmd.progress = (unsigned)i;
			return;
		}
	cmd_usage("--progress=%s: want auto, always, never or json", when);
}

int
cmd_option(int argc, char *argv[])
{
	int ch;

	opterr = 0;
	while ((ch = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		switch (ch) {
		case 'j':
			cmd.json = 1;
			break;
		case '0':
			cmd.null = 1;
			break;
		case 'q':
			cmd.quiet = 1;
			break;
		case 'v':
			cmd.verbose++;
			break;
		case 'n':
			cmd.dry = 1;
			break;
		case 1001:
			cmd.session = optarg;
			break;
		case 1002:
			set_progress(optarg);
			break;
		case 1005:
			cmd.password_file = optarg;
			break;
		case 1006:
			cmd.limit_rate = cmd_number(optarg, "--limit-rate", 1);
			break;
		case 1007:
			cmd.connections = parse_connections(optarg);
			break;
		case 1008:
			cmd.http = 1;
			break;
		case 1009:
			cmd.wait = optarg == NULL ? WAIT_LONG :
			    cmd_number(optarg, "--wait", 0);
			break;
		case 1003:
			help();
			exit(cmd_finish());
		case 1004:
			printf("%s (megapipe) %s\n", cmd.name,
			    MEGAPIPE_VERSION);
			exit(cmd_finish());
		case '?':
			if (optopt > 0 && optopt < 256 && isprint(optopt))
				cmd_usage("-%c: unknown, or lacks its argument",
				    optopt);
			/* What is behind '=' may be a secret, which belongs
			 * elsewhere all the more. */
			cmd_usage("%.*s: unknown, or wrong with its argument",
			    (int)strcspn(argv[optind - 1], "="),
			    argv[optind - 1]);
		default:
			return ch;
		}
	}
	return -1;
}

/* Begin a message: nothing of a progress line may stay before it. */
static void
begin_message(void)
{
	if (cmd_before_message != NULL)
		cmd_before_message();
}

void
cmd_usage(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	begin_message();
	fprintf(stderr, "%s: %s; try %s --help\n", cmd.name, text, cmd.name);
	exit(EXIT_USAGE);
}

int64_t
cmd_number(const char *text, const char *what, int bytes)
{
	static const char units[] = "kmgt";
	char *end;
	const char *unit;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (bytes && end != text && *end != '\0' &&
	    (unit = strchr(units, tolower((unsigned char)*end))) != NULL) {
		int shift = 10 * (int)(unit - units + 1);

		end++;
		if (n > INT64_MAX >> shift)
			errno = ERANGE;
		else
			n <<= shift;
	}
	if (errno != 0 || end == text || *end != '\0' || n < 0)
		cmd_usage("%s: not a number%s: %s", what, bytes ? " of bytes" :
		    "", text);
	return n;
}

struct cmd_range
cmd_parse_range(const char *text)
{
	const char *dash = strchr(text, '-');
	struct cmd_range r;
	char *from;

	if (dash == NULL || dash == text)
		cmd_usage("--range=%s: want FROM-TO or FROM-", text);
	from = xstrndup(text, (size_t)(dash - text));
	r.from = cmd_number(from, "--range", 1);
	r.to = dash[1] == '\0' ? RANGE_END :
	    cmd_number(dash + 1, "--range", 1);
	if (r.to < r.from)
		cmd_usage("--range=%s: ends before it begins", text);
	if (r.to < RANGE_END)
		r.to++;
	free(from);
	return r;
}

int
cmd_status(int code)
{
	switch (code) {
	case ERR_USAGE:
		return EXIT_USAGE;
	case ERR_NOENT:
	case ERR_EXPIRED:
		return EXIT_NOTFOUND;
	case ERR_SID:
	case ERR_LOGIN:
	case ERR_MFAREQUIRED:
	case ERR_INCOMPLETE:
		return EXIT_LOGIN;
	case ERR_AGAIN:
	case ERR_NET:
	case ERR_TEMPUNAVAIL:
		return EXIT_TEMPORARY;
	case ERR_QUOTA:
		return EXIT_QUOTA;
	case ERR_STORAGE:
	case ERR_OVERQUOTA:
	case ERR_GOINGOVERQUOTA:
	case ERR_PAYWALL:
		return EXIT_STORAGE;
	case ERR_RATELIMIT:
	case ERR_TOOMANY:
	case ERR_TOOMANYCONN:
	case ERR_SLOW:
		return EXIT_SLOWED;
	case ERR_EXIST:
	case ERR_TAKEN:
		return EXIT_EXISTS;
	case ERR_MAC:
	case ERR_KEY:
		return EXIT_INTEGRITY;
	case ERR_ACCESS:
	case ERR_BLOCKED:
	case ERR_REFUSED:
	case ERR_MASTERONLY:
	case ERR_BUSINESSPASTDUE:
	case ERR_SUBUSERKEY:
		return EXIT_REFUSED;
	case ERR_LOCAL:
		return EXIT_LOCAL;
	default:
		return EXIT_MIXED;
	}
}

const char *
cmd_status_name(int status)
{
	static const char *const names[] = {
		"done", "failed", "usage", "not-found", "login", "temporary",
		"transfer-quota", "storage-full", "slowed-down", "exists",
		"integrity", "refused", "local",
	};

	return names[status];
}

static void
fail_json(const char *operand, int code)
{
	struct buf b = BUF_MAX(1 << 20);
	struct json_out o = { &b, 0 };
	int status = cmd_status(code);

	json_open(&o, NULL, '{');
	json_open(&o, "error", '{');
	if (operand != NULL)
		json_put(&o, "operand", operand);
	json_put_int(&o, "exit", status);
	json_put(&o, "name", cmd_status_name(status));
	if (err_api() != 0)
		json_put_int(&o, "api", err_api());
	if (err_retry_after() >= 0)
		json_put_int(&o, "retry_after", err_retry_after());
	json_put(&o, "message", err_text());
	json_close(&o, '}');
	json_close(&o, '}');
	fprintf(stderr, "%s\n", buf_str(&b));
	buf_free(&b);
}

int
cmd_fail(const char *operand, int code)
{
	struct buf b = BUF_MAX(1 << 20), label = BUF_MAX(1 << 20);
	int status = cmd_status(code);

	if (code == ERR_PIPE)
		cmd_pipe();
	if (cmd.status == 0)
		cmd.status = status;
	else if (cmd.status != status)
		cmd.status = EXIT_MIXED;
	if (code == ERR_MANY)
		return code;
	begin_message();
	fflush(stdout);
	/* A link is a secret; messages end up in logs. */
	if (operand != NULL)
		link_redact(&label, operand);
	if (cmd.json) {
		fail_json(operand != NULL ? buf_str(&label) : NULL, code);
		goto out;
	}
	if (operand != NULL) {
		name_escape(&b, buf_str(&label), label.len);
		buf_addstr(&b, ": ");
	}
	name_escape(&b, err_text(), strlen(err_text()));
	fprintf(stderr, "%s: %s\n", cmd.name, buf_str(&b));
out:
	err_clear(); /* it is told: no part of it belongs to the next */
	buf_free(&b);
	buf_free(&label);
	return code;
}

COMPAT_PRINTF(1, 0) static void
say(const char *fmt, va_list ap)
{
	char text[1024];
	struct buf b = BUF_MAX(8192);

	vsnprintf(text, sizeof text, fmt, ap);
	name_escape(&b, text, strlen(text));
	begin_message();
	fprintf(stderr, "%s: %s\n", cmd.name, buf_str(&b));
	buf_free(&b);
}

void
cmd_note(const char *fmt, ...)
{
	va_list ap;

	if (cmd.quiet)
		return;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void
cmd_note_on(const char *operand, const char *words)
{
	struct buf b = BUF_MAX(1 << 20);

	link_redact(&b, operand);
	cmd_note("%s: %s", buf_str(&b), words);
	buf_free(&b);
}

void
cmd_verbose(const char *fmt, ...)
{
	va_list ap;

	if (cmd.verbose == 0)
		return;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

int
cmd_finish(void)
{
	begin_message();
	if (fflush(stdout) == EOF || ferror(stdout)) {
		if (errno == EPIPE)
			cmd_pipe();
		err_local("standard output");
		cmd_fail(NULL, ERR_LOCAL);
	}
	return cmd.status;
}

void
cmd_pipe(void)
{
	signal(SIGPIPE, SIG_DFL);
	raise(SIGPIPE);
	/* It was blocked or ignored on purpose: the nearest we can do. */
	_exit(128 + SIGPIPE);
}

void
cmd_operands(struct cmd_operands *it, char **argv)
{
	*it = (struct cmd_operands){ .argv = argv,
	    .line = BUF_MAX(LINE_MAX_) };
}

void
cmd_operands_free(struct cmd_operands *it)
{
	buf_wipe(&it->line);
}

/* Whether a link leads to something in a folder link: the only name that this
 * has, while what a whole link leads to may be a node of the account. */
static int
leads_inside(const char *link)
{
	const char *key = strchr(link, '#');
	size_t marks = 0;

	if (key == NULL)
		return 0;
	for (const char *p = key; *p != '\0'; p++)
		marks += *p == '!';
	return marks > 2 || strncmp(key, "#N!", 3) == 0 ||
	    strpbrk(key, "/?") != NULL;
}

/* The operand that a JSON record stands for; NULL if it has none. */
static const char *
from_json(struct buf *line)
{
	struct json j = { 0 };
	const char *link, *handle, *path;
	char *found = NULL;

	if (json_parse(&j, buf_str(line), line->len) < 0)
		goto out;
	link = json_text(&j, json_member(&j, 0, "link")).p;
	handle = json_text(&j, json_member(&j, 0, "handle")).p;
	path = json_text(&j, json_member(&j, 0, "path")).p;
	if (link != NULL && (handle == NULL || leads_inside(link)))
		found = xstrdup(link);
	else if (handle != NULL)
		found = xasprintf("H:%s", handle);
	else if (path != NULL)
		found = xstrdup(path);
	if (found != NULL) {
		buf_reset(line);
		buf_addstr(line, found);
		secret_zero(found, strlen(found));
	}
out:
	json_free(&j);
	if (found == NULL)
		return NULL;
	free(found);
	return buf_str(line);
}

/* One record of standard input: 1, or 0 at its end. */
static int
read_record(struct buf *line)
{
	int end = cmd.null ? '\0' : '\n', ch, any = 0;

	buf_reset(line);
	while ((ch = getchar()) != EOF && ch != end) {
		any = 1;
		if (buf_addch(line, ch) < 0) {
			cmd_fail("-", ERR_TOOBIG);
			return 0;
		}
	}
	return any || ch != EOF;
}

const char *
cmd_operand(struct cmd_operands *it)
{
	const char *s;

	for (;;) {
		if (!it->reading) {
			s = *it->argv;
			if (s == NULL)
				return NULL;
			it->argv++;
			if (strcmp(s, "-") != 0)
				return s;
			it->reading = 1;
		}
		if (!read_record(&it->line)) {
			it->reading = 0;
			if (ferror(stdin)) {
				err_local("standard input");
				cmd_fail(NULL, ERR_LOCAL);
			}
			continue;
		}
		if (it->line.len == 0)
			continue;
		if (it->line.p[0] != '{')
			return buf_str(&it->line);
		if ((s = from_json(&it->line)) != NULL)
			return s;
		err_set(ERR_USAGE, "JSON without link, handle or path");
		cmd_fail("-", ERR_USAGE);
	}
}

void
cmd_each(char **argv, int (*fn)(void *, const char *), void *ctx)
{
	struct cmd_operands it;
	const char *s;
	int r;

	cmd_operands(&it, argv);
	while ((s = cmd_operand(&it)) != NULL) {
		err_clear();
		if ((r = fn(ctx, s)) < 0)
			cmd_fail(s, r);
	}
	cmd_operands_free(&it);
}

void
cmd_record(const char *text, size_t n)
{
	if (cmd.tty)
		begin_message();
	if (!cmd.null && (cmd.tty || memchr(text, '\n', n) != NULL)) {
		struct buf b = BUF_MAX(SIZE_MAX / 2);

		name_escape(&b, text, n);
		fwrite(buf_str(&b), 1, b.len, stdout);
		buf_free(&b);
	} else {
		fwrite(text, 1, n, stdout);
	}
	putchar(cmd.null ? '\0' : '\n');
}

void
cmd_record_json(struct buf *b)
{
	if (cmd.tty)
		begin_message();
	fwrite(buf_str(b), 1, b->len, stdout);
	putchar('\n');
	buf_reset(b);
}

void
cmd_human(struct buf *out, int64_t size)
{
	static const char units[] = "KMGTPE";
	int64_t tenths = size / 1024 * 10 + (size % 1024 * 10 + 1023) / 1024;
	size_t u = 0;

	if (size < 1024) {
		buf_printf(out, "%8lld", (long long)size);
		return;
	}
	for (; tenths >= 10240; u++)
		tenths = (tenths + 1023) / 1024;
	if (tenths < 100)
		buf_printf(out, "%5lld.%lld%c", (long long)tenths / 10,
		    (long long)tenths % 10, units[u]);
	else
		buf_printf(out, "%7lld%c", (long long)(tenths + 9) / 10,
		    units[u]);
}

char *
cmd_time(char out[CMD_TIME_MAX], int64_t t)
{
	struct tm tm;
	time_t tt = (time_t)t;

	if (gmtime_r(&tt, &tm) == NULL ||
	    strftime(out, CMD_TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(out, CMD_TIME_MAX, "?");
	return out;
}
