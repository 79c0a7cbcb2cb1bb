/* mega-reg: register an account, and confirm it. */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "cmd.h"
#include "err.h"
#include "login.h"
#include "mem.h"
#include "password.h"
#include "private.h"
#include "register.h"

#define SYNOPSIS "[-jqv] [--name=NAME] [--password-file=F | " \
	"--password-command=C] [--session=FILE] EMAIL\n" \
	"--resend [-jqv] [--name=NAME] [--session=FILE] EMAIL\n" \
	"--confirm [-jqv] [--password-file=F | --password-command=C] " \
	"[--session=FILE] [FILE]\n" \
	"--keys [-jqv] [--session=FILE]"

#define MAIL_MAX (1 << 20) /* bytes of a mail with a link */

enum {
	OPT_NAME = 256, OPT_PASSWORD_FILE, OPT_PASSWORD_COMMAND, OPT_RESEND,
	OPT_CONFIRM, OPT_KEYS
};

static const struct cmd_opt options[] = {
	{ OPT_NAME, "name", "NAME", "full name, which others will see" },
	{ OPT_PASSWORD_FILE, "password-file", "F",
	    "first line of F is the password; - is standard input" },
	{ OPT_PASSWORD_COMMAND, "password-command", "C",
	    "first line that C prints is the password" },
	{ OPT_RESEND, "resend", NULL, "have the mail sent once more" },
	{ OPT_CONFIRM, "confirm", NULL,
	    "confirm with the link in FILE or on standard input" },
	{ OPT_KEYS, "keys", NULL, "make the keys that an account lacks" },
	CMD_JSON, CMD_QUIET, CMD_VERBOSE, CMD_SESSION, CMD_END
};

static struct {
	struct password_source password;
	const char *name;
	const char *path;    /* of the session file */
} opt = {
	.password = { .credential = "mega.password",
	    .variable = "MEGA_PASSWORD" },
};

/* The name that others see: given, or what is before the @. */
static char *
full_name(const char *email)
{
	if (opt.name != NULL)
		return xstrdup(opt.name);
	return xstrndup(email, strcspn(email, "@"));
}

static int
is_full(const char *path)
{
	return err_set(ERR_TAKEN, "%s: the session of a registered account "
	    "is there; --session names another file", path);
}

/* The ephemeral account to register: that of the session, or a new one. */
static int
open_ephemeral(struct account *a, int *is_new)
{
	int r = account_open(a, cmd.session);

	*is_new = r == ERR_LOGIN;
	if (*is_new) {
		account_close(a);
		err_clear();
		return account_open_none(a);
	}
	if (r == 0 && a->session.email != NULL)
		r = is_full(opt.path);
	return r;
}

static int
new_password(struct buf *password)
{
	int r;

	opt.password.question = "New password: ";
	opt.password.twice = 1;
	if ((r = password_get(password, &opt.password)) < 0)
		return r;
	return register_check_password(buf_str(password));
}

/* Make the account if it is new, and ask for its address. */
static int
request(struct account *a, const struct register_form *f, int is_new)
{
	int r;

	if (is_new && (r = account_ephemeral(a)) < 0)
		return r;
	if ((r = register_request(a, f)) == 0 && is_new)
		r = session_save(&a->session, opt.path);
	return r < 0 && is_new ? account_abandon(a, r) : r;
}

static void
say_next(const char *email)
{
	cmd_note("a mail with a link goes to %s; mega-reg --confirm takes it",
	    email);
}

static int
begin(const char *operand)
{
	struct buf password = BUF_MAX(PASSWORD_MAX);
	struct account a = { 0 };
	struct register_form f = { 0 };
	char *email = login_email(operand), *name = NULL;
	int r = ERR_USAGE, is_new;

	if (email == NULL || (r = open_ephemeral(&a, &is_new)) < 0 ||
	    (r = new_password(&password)) < 0)
		goto out;
	name = full_name(email);
	f = (struct register_form){ email, name, buf_str(&password) };
	if ((r = request(&a, &f, is_new)) == 0)
		say_next(email);
out:
	free(name);
	free(email);
	buf_wipe(&password);
	account_close(&a);
	return r;
}

static int
resend(const char *operand)
{
	struct account a = { 0 };
	struct register_form f = { 0 };
	char *email = login_email(operand), *name = NULL;
	int r = ERR_USAGE;

	if (email == NULL || (r = account_open(&a, cmd.session)) < 0)
		goto out;
	name = full_name(email);
	f = (struct register_form){ email, name, NULL };
	if ((r = register_again(&a, &f)) == 0)
		say_next(email);
out:
	free(name);
	free(email);
	account_close(&a);
	return r;
}

static int
read_all(struct buf *b, int fd, const char *what)
{
	ssize_t n;
	char *p;

	while ((p = buf_reserve(b, 4096)) != NULL &&
	    (n = read(fd, p, 4096)) != 0) {
		if (n == -1)
			return err_local("%s", what);
		b->len += (size_t)n;
	}
	return p != NULL ? 0 : err_set(ERR_TOOBIG, "%s: too large for a mail",
	    what);
}

/* The link in a file, or on standard input. */
static int
read_link(struct register_link *l, const char *path)
{
	struct buf text = BUF_MAX(MAIL_MAX);
	int fd = STDIN_FILENO, r;

	if (path != NULL && strcmp(path, "-") != 0 &&
	    (fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return err_local("%s", path);
	if ((r = read_all(&text, fd, path != NULL ? path :
	    "standard input")) == 0)
		r = register_parse(l, buf_str(&text), text.len);
	if (fd != STDIN_FILENO)
		close(fd);
	buf_wipe(&text);
	return r;
}

/*
 * Whether the present session may give way to that of the account just
 * confirmed: there is none, or it is the same account's.
 */
static int
may_replace(struct session *old, const char *user)
{
	int r = session_load(old, opt.path);

	if (r == ERR_LOGIN)
		r = 0;
	else if (r == 0 && strcmp(old->user, user) != 0)
		r = err_set(ERR_TAKEN, "%s: the session of another account "
		    "is there; the account is confirmed, and waits for "
		    "mega-login and mega-reg --keys", opt.path);
	return r;
}

/* A second factor cannot have been set up before the first login. */
static int
no_code(void *ctx, char code[LOGIN_CODE_MAX])
{
	(void)ctx;
	code[0] = '\0';
	return err_set(ERR_LOGIN, "the account asks for a second factor");
}

/* Log in for the first time, and make the key pair.  The session takes the
 * place of the old one. */
static int
begin_life(struct account *a, struct session *old, const char *email)
{
	struct buf password = BUF_MAX(PASSWORD_MAX);
	struct login l = { .email = email, .code = no_code };
	char *question = xasprintf("Password of %s: ", email);
	int r;

	opt.password.question = question;
	if ((r = password_get(&password, &opt.password)) < 0)
		goto out;
	l.password = buf_str(&password);
	if ((r = login_password(a, &l)) < 0)
		goto out;
	session_inherit(&a->session, old);
	if ((r = session_save(&a->session, opt.path)) < 0)
		account_abandon(a, r);
	else if ((r = register_keys(a)) == 0)
		r = session_save(&a->session, opt.path);
out:
	free(question);
	buf_wipe(&password);
	return r;
}

static int
confirm(const char *path)
{
	struct account a = { 0 };
	struct register_link l = { 0 };
	struct session old = { 0 };
	char user[12], *email = NULL;
	int r;

	if ((r = read_link(&l, path)) < 0 ||
	    (r = account_open_none(&a)) < 0 ||
	    (r = register_confirm(&a, &l, user)) < 0 ||
	    (r = may_replace(&old, user)) < 0)
		goto out;
	if ((email = login_email(l.email)) == NULL)
		r = ERR_PROTO;
	else
		r = begin_life(&a, &old, email);
out:
	free(email);
	register_link_free(&l);
	session_free(&old);
	account_close(&a);
	return r;
}

static int
keys(void)
{
	struct account a = { 0 };
	int r;

	if ((r = account_open(&a, cmd.session)) == 0 &&
	    (r = register_keys(&a)) == 0)
		r = session_save(&a.session, opt.path);
	account_close(&a);
	return r;
}

/* What the options ask for: OPT_RESEND, OPT_CONFIRM, OPT_KEYS or 0. */
static int
read_options(int argc, char *argv[])
{
	int ch, mode = 0, modes = 0;

	while ((ch = cmd_option(argc, argv)) != -1) {
		switch (ch) {
		case OPT_NAME:
			opt.name = optarg;
			break;
		case OPT_PASSWORD_FILE:
			opt.password.file = optarg;
			break;
		case OPT_PASSWORD_COMMAND:
			opt.password.command = optarg;
			break;
		default:
			mode = ch;
			modes++;
		}
	}
	if (modes > 1)
		cmd_usage("--resend, --confirm and --keys exclude each other");
	return mode;
}

static int
act(int mode, const char *operand)
{
	switch (mode) {
	case OPT_CONFIRM:
		return confirm(operand);
	case OPT_KEYS:
		return keys();
	case OPT_RESEND:
		return resend(operand);
	default:
		return begin(operand);
	}
}

/* A link works once; so what comes of it has to find a place. */
static int
run(int mode, const char *operand)
{
	char *path = session_path(cmd.session);
	int r;

	if (path == NULL)
		return ERR_LOCAL;
	opt.path = path;
	if ((r = private_ready(path)) == 0)
		r = act(mode, operand);
	free(path);
	return r;
}

int
main(int argc, char *argv[])
{
	const char *file;
	int mode, n, r;

	cmd_init("mega-reg", SYNOPSIS, options);
	mode = read_options(argc, argv);
	n = argc - optind;
	argv += optind;
	if ((mode == 0 || mode == OPT_RESEND) && n != 1)
		cmd_usage("one operand, an e-mail address: passwords are not "
		    "taken from the command line, where everybody can read "
		    "them");
	if (mode == OPT_CONFIRM && n > 1)
		cmd_usage("one operand at most, a file with the link");
	if (mode == OPT_KEYS && n > 0)
		cmd_usage("no operand is taken with --keys");
	file = opt.password.file;
	if (mode == OPT_CONFIRM && (n == 0 || strcmp(*argv, "-") == 0) &&
	    file != NULL && strcmp(file, "-") == 0)
		cmd_usage("link and password cannot both come from standard "
		    "input");
	if ((r = run(mode, *argv)) < 0)
		cmd_fail(NULL, r);
	return cmd_finish();
}
