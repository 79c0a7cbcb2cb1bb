/* mega-login: begin a session, and look after the account's sessions. */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "account.h"
#include "cmd.h"
#include "err.h"
#include "login.h"
#include "mem.h"
#include "password.h"
#include "private.h"
#include "secret.h"
#include "totp.h"
#include "tty.h"

#define SYNOPSIS "[-jqv] [--password-file=F | --password-command=C] " \
	"[--otp=F | --otp-seed-file=F] [--upgrade] [--session=FILE] " \
	"[EMAIL]\n" \
	"--session-string[=F] [-jqv] [--session=FILE]\n" \
	"--check | --list-sessions [-jqv] [--session=FILE]\n" \
	"--end-session=ID|others [-jqv] [--session=FILE]"

#define CREDENTIAL "mega.password"

enum {
	OPT_PASSWORD_FILE = 256, OPT_PASSWORD_COMMAND, OPT_OTP, OPT_SEED,
	OPT_UPGRADE, OPT_STRING, OPT_CHECK, OPT_LIST, OPT_END
};

static const struct cmd_opt options[] = {
	{ OPT_PASSWORD_FILE, "password-file", "F",
	    "first line of F is the password; - is standard input" },
	{ OPT_PASSWORD_COMMAND, "password-command", "C",
	    "first line that C prints is the password" },
	{ OPT_OTP, "otp", "F", "first line of F is the second factor's code" },
	{ OPT_SEED, "otp-seed-file", "F",
	    "first line of F is the seed of such codes (base32)" },
	{ OPT_UPGRADE, "upgrade", NULL,
	    "convert an account of version 1 to version 2" },
	{ OPT_STRING, "session-string", "[F]",
	    "print the session's string, or with F log in with that one" },
	{ OPT_CHECK, "check", NULL, "does the session live? print the account" },
	{ OPT_LIST, "list-sessions", NULL, "print the account's sessions" },
	{ OPT_END, "end-session", "ID", "end that session, or all others" },
	CMD_JSON, CMD_QUIET, CMD_VERBOSE, CMD_SESSION, CMD_END
};

static struct {
	struct password_source password;
	const char *otp, *seed, *string, *end;
	const char *email;   /* operand, or NULL */
	int upgrade;
} opt = {
	.password = { .credential = CREDENTIAL },
};

/* What is at the session file's place before we log in. */
struct before {
	enum { NONE, DEAD, ALIVE } state;
	struct session session;
	char *email;         /* NULL: an ephemeral account */
};

static void
before_free(struct before *b)
{
	session_free(&b->session);
	free(b->email);
}

/* Look at the present session, and ask the service whether it lives. */
static int
look_before(struct before *b)
{
	struct account a = { 0 };
	struct account_info info = { 0 };
	int r;

	if ((r = account_open(&a, cmd.session)) < 0) {
		r = r == ERR_LOGIN ? 0 : r;
		goto out;
	}
	r = account_info(&a, &info);
	if (r < 0 && r != ERR_SID)
		goto out;
	b->state = r == 0 ? ALIVE : DEAD;
	r = 0;
	b->session = a.session;
	a.session = (struct session){ 0 };
	/* The address may have changed since. */
	if (info.email != NULL)
		b->email = xstrdup(info.email);
	else if (b->session.email != NULL)
		b->email = xstrdup(b->session.email);
out:
	account_info_free(&info);
	account_close(&a);
	if (r == 0)
		err_clear();
	return r;
}

static int
is_other(const char *path)
{
	return err_set(ERR_TAKEN, "%s: the session of another account is "
	    "there; mega-logout ends it, --session names another file", path);
}

/* The session that has begun takes the place of the one before. */
static int
save(struct account *a, struct before *b, const char *path)
{
	session_inherit(&a->session, &b->session);
	return session_save(&a->session, path);
}

/* The address that was named, or NULL. */
static const char *
named_email(void)
{
	const char *env = getenv("MEGA_USERNAME");

	if (opt.email != NULL)
		return opt.email;
	return env != NULL && *env != '\0' ? env : NULL;
}

/* The address in the form that goes to the service; asked for if NULL was
 * given.  The caller frees it. */
static int
read_email(char **email, const char *typed)
{
	struct buf answer = BUF_MAX(PASSWORD_MAX);
	int r = 0;

	if (typed == NULL && (r = tty_ask(&answer, "E-mail: ", 0)) < 0) {
		r = err_prefix(r, "no e-mail address was given: ");
		goto out;
	}
	*email = login_email(typed != NULL ? typed : buf_str(&answer));
	if (*email == NULL)
		r = ERR_USAGE;
out:
	buf_free(&answer);
	return r;
}

/* MEGA_PASSWORD is for MEGA_USERNAME, if that is set: trying it with another
 * account would only bring that closer to being locked. */
static const char *
password_variable(const char *email)
{
	const char *user = getenv("MEGA_USERNAME");

	return user == NULL || *user == '\0' ||
	    strcasecmp(user, email) == 0 ? "MEGA_PASSWORD" : NULL;
}

static int
code_from_seed(char code[LOGIN_CODE_MAX])
{
	struct buf seed = BUF_MAX(PASSWORD_MAX);
	char six[7];
	int r;

	if ((r = password_line(&seed, opt.seed, "the seed")) == 0 &&
	    (r = totp(six, buf_str(&seed), (int64_t)time(NULL))) == 0)
		memcpy(code, six, sizeof six);
	secret_zero(six, sizeof six);
	buf_wipe(&seed);
	return r;
}

/* The code of the second factor, when the service asks for it. */
static int
second_factor(void *ctx, char code[LOGIN_CODE_MAX])
{
	struct buf text = BUF_MAX(LOGIN_CODE_MAX);
	size_t n = 0;
	int r;

	(void)ctx;
	if (opt.seed != NULL)
		return code_from_seed(code);
	if (opt.otp != NULL)
		r = password_line(&text, opt.otp, "the code");
	else
		r = tty_ask(&text, "Code of the second factor: ", 0);
	if (r < 0)
		return err_prefix(r, "the account asks for a second factor: ");
	for (size_t i = 0; i < text.len && n < LOGIN_CODE_MAX - 1; i++)
		if (!isspace((unsigned char)text.p[i]))
			code[n++] = text.p[i];
	code[n] = '\0';
	buf_wipe(&text);
	return 0;
}

/* Begin a session in a, with a password. */
static int
authenticate(struct account *a, const char *email)
{
	struct buf password = BUF_MAX(PASSWORD_MAX);
	struct login l = { .email = email, .code = second_factor,
	    .upgrade = opt.upgrade };
	char *question = xasprintf("Password of %s: ", email);
	int r;

	opt.password.question = question;
	opt.password.variable = password_variable(email);
	if ((r = password_get(&password, &opt.password)) == 0) {
		l.password = buf_str(&password);
		r = login_password(a, &l);
	}
	free(question);
	buf_wipe(&password);
	return r;
}

/* A login that cannot be kept is not begun: too many of them are what
 * accounts are locked for. */
static int
begin(struct before *b, const char *email, const char *path)
{
	struct account a = { 0 };
	int r;

	if ((r = private_ready(path)) == 0 &&
	    (r = account_open_none(&a)) == 0 &&
	    (r = authenticate(&a, email)) == 0 && (r = save(&a, b, path)) < 0)
		account_abandon(&a, r);
	account_close(&a);
	return r;
}

static int
already(const struct before *b)
{
	cmd_note("already logged in%s%s", b->email != NULL ? " as " : "",
	    b->email != NULL ? b->email : "");
	return 0;
}

/* Upgrade the account of a session that lives, which takes a login; so only
 * if there is something to upgrade. */
static int
upgrade(const struct before *b)
{
	struct account a = { 0 };
	int r;

	if ((r = account_open_none(&a)) == 0 &&
	    (r = login_version(&a, b->email)) == 1) {
		if ((r = authenticate(&a, b->email)) == 0)
			r = account_end(&a);
	} else if (r > 0) {
		r = already(b);
	}
	account_close(&a);
	return r;
}

/*
 * A session is worth more than its file: it is not replaced while it lives,
 * and a dead one only by the same account's, since its file may hold the
 * last copy of a master key.
 */
static int
log_in(struct before *b, const char *path)
{
	const char *typed = named_email();
	char *email = NULL;
	int r;

	if (typed == NULL && b->state == ALIVE && !opt.upgrade)
		return already(b);
	if (typed == NULL)
		typed = b->email;
	if (b->state != NONE && b->email == NULL)
		return is_other(path);
	if ((r = read_email(&email, typed)) < 0)
		return r;
	if (b->state != NONE && strcasecmp(b->email, email) != 0)
		r = is_other(path);
	else if (b->state != ALIVE)
		r = begin(b, email, path);
	else
		r = opt.upgrade ? upgrade(b) : already(b);
	free(email);
	return r;
}

/* Go on with another client's session. */
static int
import_string(struct before *b, struct slice text, const char *path)
{
	struct account a = { 0 };
	int r;

	if ((r = account_open_none(&a)) < 0 ||
	    (r = login_string(&a, text.p, text.n)) < 0)
		goto out;
	if (b->state == NONE || strcmp(b->session.sid, a.session.sid) == 0 ||
	    (b->state == DEAD && strcmp(b->session.user, a.session.user) == 0))
		r = save(&a, b, path);
	else
		r = is_other(path);
out:
	account_close(&a);
	return r;
}

/* Log in, by password or, if there is one, by a session string. */
static int
enter(struct slice string)
{
	struct before b = { .state = NONE };
	char *path = session_path(cmd.session);
	int r;

	if (path == NULL)
		return ERR_LOCAL;
	if ((r = look_before(&b)) == 0)
		r = string.p != NULL ? import_string(&b, string, path) :
		    log_in(&b, path);
	before_free(&b);
	free(path);
	return r;
}

/* A folder link needs no session: as an operand it works at once. */
static void
print_link(const struct link *l)
{
	struct buf b = BUF_MAX(1 << 10);
	struct json_out o = { &b, 0 };
	char text[LINK_TEXT_MAX];

	cmd_note("that is the session string of a folder link; links need no "
	    "login, and this one is an operand");
	link_print(text, l, 0);
	if (cmd.json) {
		json_open(&o, NULL, '{');
		json_put(&o, "link", text);
		json_close(&o, '}');
		cmd_record_json(&b);
	} else {
		cmd_record(text, strlen(text));
	}
	secret_zero(text, sizeof text);
	buf_wipe(&b);
}

static int
enter_by_string(void)
{
	struct buf b = BUF_MAX(PASSWORD_MAX);
	struct slice text;
	struct link l = { 0 };
	int r = password_line(&b, opt.string, "the session string");

	text = (struct slice){ buf_str(&b), b.len };
	if (r == 0 && sid_string_folder(&l, text.p, text.n))
		print_link(&l);
	else if (r == 0)
		r = enter(text);
	secret_zero(&l, sizeof l);
	buf_wipe(&b);
	return r;
}

static int
print_string(struct account *a)
{
	char text[SID_STRING_MAX + 1];
	int r = login_export(a, text);

	if (r == 0)
		cmd_record(text, strlen(text));
	secret_zero(text, sizeof text);
	return r;
}

static void
add_bytes(struct buf *b, int64_t n)
{
	if (n < 0)
		buf_addstr(b, " -");
	else
		buf_printf(b, " %lld", (long long)n);
}

static void
print_account(const struct account_info *i, const struct account_quota *q)
{
	struct buf b = BUF_MAX(1 << 16);
	struct json_out o = { &b, 0 };

	if (!cmd.json) {
		buf_printf(&b, "%s %s %s", i->email != NULL ? i->email : "-",
		    i->user, q->plan);
		add_bytes(&b, q->used);
		add_bytes(&b, q->total);
		cmd_record(buf_str(&b), b.len);
		buf_free(&b);
		return;
	}
	json_open(&o, NULL, '{');
	if (i->email != NULL)
		json_put(&o, "email", i->email);
	json_put(&o, "user", i->user);
	if (i->name != NULL)
		json_put(&o, "name", i->name);
	json_put(&o, "plan", q->plan);
	json_put(&o, "state", q->state);
	if (q->used >= 0)
		json_put_int(&o, "used", q->used);
	if (q->total >= 0)
		json_put_int(&o, "total", q->total);
	json_close(&o, '}');
	cmd_record_json(&b);
	buf_free(&b);
}

static int
check(struct account *a)
{
	struct account_info info;
	struct account_quota q;
	int r;

	if ((r = account_info(a, &info)) < 0)
		return r;
	if ((r = account_quota(a, &q)) == 0)
		print_account(&info, &q);
	account_info_free(&info);
	return r;
}

static void
put_slice(struct json_out *o, const char *key, struct slice s)
{
	if (s.p != NULL)
		json_put_n(o, key, s.p, s.n);
}

static void
print_session(void *ctx, const struct account_session *s)
{
	struct buf b = BUF_MAX(1 << 16);
	struct json_out o = { &b, 0 };
	char created[CMD_TIME_MAX], used[CMD_TIME_MAX];

	(void)ctx;
	cmd_time(created, s->created);
	cmd_time(used, s->used);
	if (!cmd.json) {
		buf_printf(&b, "%s %s %s %s %.*s %.*s %.*s", s->id, used,
		    created, s->current ? "*" : "-", (int)s->ip.n, s->ip.p,
		    (int)s->country.n, s->country.p, (int)s->agent.n,
		    s->agent.p);
		cmd_record(buf_str(&b), b.len);
		buf_free(&b);
		return;
	}
	json_open(&o, NULL, '{');
	json_put(&o, "id", s->id);
	json_put(&o, "used", used);
	json_put(&o, "created", created);
	json_put_raw(&o, "current", s->current ? "true" : "false",
	    s->current ? 4 : 5);
	put_slice(&o, "ip", s->ip);
	put_slice(&o, "country", s->country);
	put_slice(&o, "agent", s->agent);
	json_close(&o, '}');
	cmd_record_json(&b);
	buf_free(&b);
}

static int
list(struct account *a)
{
	return account_sessions(a, print_session, NULL);
}

static int
end(struct account *a)
{
	return account_end_session(a, strcmp(opt.end, "others") == 0 ? NULL :
	    opt.end);
}

/* Something to do under the present session. */
typedef int action(struct account *a);

static int
with_session(action *fn)
{
	struct account a = { 0 };
	int r = account_open(&a, cmd.session);

	if (r == 0)
		r = fn(&a);
	account_close(&a);
	return r;
}

/* Options; what to do, or NULL to log in. */
static action *
read_options(int argc, char *argv[])
{
	action *fn = NULL;
	int ch, modes = 0;

	while ((ch = cmd_option(argc, argv)) != -1) {
		modes += ch >= OPT_STRING;
		switch (ch) {
		case OPT_PASSWORD_FILE:
			opt.password.file = optarg;
			break;
		case OPT_PASSWORD_COMMAND:
			opt.password.command = optarg;
			break;
		case OPT_OTP:
			opt.otp = optarg;
			break;
		case OPT_SEED:
			opt.seed = optarg;
			break;
		case OPT_UPGRADE:
			opt.upgrade = 1;
			break;
		case OPT_STRING:
			opt.string = optarg;
			fn = optarg == NULL ? print_string : NULL;
			break;
		case OPT_CHECK:
			fn = check;
			break;
		case OPT_LIST:
			fn = list;
			break;
		case OPT_END:
			opt.end = optarg;
			fn = end;
			break;
		}
	}
	if (modes > 1)
		cmd_usage("--session-string, --check, --list-sessions and "
		    "--end-session exclude each other");
	if (modes > 0 && (optind < argc || opt.upgrade))
		cmd_usage("neither operand nor --upgrade is taken with that "
		    "option");
	return fn;
}

int
main(int argc, char *argv[])
{
	action *fn;
	int r;

	cmd_init("mega-login", SYNOPSIS, options);
	fn = read_options(argc, argv);
	if (argc - optind > 1)
		cmd_usage("one operand, an e-mail address: passwords and "
		    "codes are not taken from the command line, where "
		    "everybody can read them");
	if (opt.otp != NULL && opt.seed != NULL)
		cmd_usage("--otp and --otp-seed-file exclude each other");
	if (opt.password.file != NULL && opt.password.command != NULL)
		cmd_usage("--password-file and --password-command exclude "
		    "each other");
	opt.email = argv[optind];
	if (fn != NULL)
		r = with_session(fn);
	else
		r = opt.string != NULL ? enter_by_string() :
		    enter((struct slice){ 0 });
	if (r < 0)
		cmd_fail(NULL, r);
	return cmd_finish();
}
