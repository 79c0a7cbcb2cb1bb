/* mega-elc: MegaDownloader's links and containers, and their server. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "elc.h"
#include "elcaccount.h"
#include "elcclient.h"
#include "elcserver.h"
#include "elcusers.h"
#include "err.h"
#include "http.h"
#include "mem.h"
#include "name.h"
#include "private.h"
#include "secret.h"
#include "tty.h"

#define SYNOPSIS "[-j0qv] [--allow-http] [FILE|LINK ...]\n" \
	"-e | -1 [-0q] [LINK ...]\n" \
	"-E [--account=ALIAS|--hidden] [--bare] [LINK ...]\n" \
	"--add=LINK [--yes] | --list [-j] | --remove=ALIAS | " \
	"--show-config=ALIAS\n" \
	"--cgi --db=FILE [--legacy-password-file=FILE] [--log=FILE] " \
	"[--rate=N]\n" \
	"--db=FILE --user-add=NAME | --user-revoke=NAME | --user-list\n" \
	"--db=FILE --user-config=NAME --url=URL [--alias=ALIAS] " \
	"[--key-file=FILE] [--html]"

#define ORIGIN_MAX 1024 /* characters of a link that -j repeats */
#define CONFIG_MAX 65536

/* What to do; each option that says so is a mode. */
enum {
	DECODE, ENCODE = 'e', CONTAIN = 'E',
	ADD = 256, LIST, REMOVE, SHOW_CONFIG, CGI, USER_ADD, USER_REVOKE,
	USER_LIST, USER_CONFIG,
	/* The others. */
	ENCODE_OLD = '1', ACCOUNT = 300, HIDDEN, BARE, YES, ALLOW_HTTP, DB,
	LEGACY, LOG, RATE, URL, ALIAS, KEY_FILE, HTML
};

static const struct cmd_opt options[] = {
	CMD_JSON, CMD_NULL, CMD_QUIET, CMD_VERBOSE,
	{ ENCODE, "encode", NULL, "write links as enc2 and fenc2" },
	{ ENCODE_OLD, "encode-old", NULL, "write links as enc and fenc" },
	{ CONTAIN, "container", NULL, "write one ELC container of links" },
	{ ACCOUNT, "account", "ALIAS", "the account for -E" },
	{ HIDDEN, "hidden", NULL, "a container that needs no account" },
	{ BARE, "bare", NULL, "without mega://elc? before it" },
	{ ALLOW_HTTP, "allow-http", NULL, "use servers without https, too" },
	{ ADD, "add", "LINK", "add the account of a configelc link (-: from "
	    "standard input)" },
	{ YES, "yes", NULL, "do not ask" },
	{ LIST, "list", NULL, "list the accounts" },
	{ REMOVE, "remove", "ALIAS", "forget an account" },
	{ SHOW_CONFIG, "show-config", "ALIAS", "print a configelc link" },
	{ CGI, "cgi", NULL, "answer one request as a CGI program" },
	{ DB, "db", "FILE", "the server's users" },
	{ LEGACY, "legacy-password-file", "FILE", "open tokens of the old "
	    "PHP page, too" },
	{ LOG, "log", "FILE", "where --cgi writes a line a request" },
	{ RATE, "rate", "N", "requests a minute that a user may make" },
	{ USER_ADD, "user-add", "NAME", "add a user and print an API key" },
	{ USER_REVOKE, "user-revoke", "NAME", "end a user and all keys" },
	{ USER_LIST, "user-list", NULL, "list the users" },
	{ USER_CONFIG, "user-config", "NAME", "print a configelc link with a "
	    "new API key" },
	{ URL, "url", "URL", "where the server page is" },
	{ ALIAS, "alias", "ALIAS", "what users will see it as" },
	{ KEY_FILE, "key-file", "FILE", "an API key to use (-: standard "
	    "input)" },
	{ HTML, "html", NULL, "print a page for the user" },
	CMD_END
};

static struct {
	int mode, old, hidden, bare, yes, html;
	char *arg;  /* of the mode's option */
	const char *account, *db, *url, *alias, *key_file;
	struct elcserver server;
} opt = { .server.rate = ELCSERVER_RATE };

static struct elcclient client;

/* The operands when there are none. */
static char dash[] = "-";
static char *standard_input[] = { dash, NULL };

/* Decoding. */

struct source {
	const char *name;      /* as messages call it */
	struct elc_text text;
};

/* A link in it, while what it stands for is printed. */
struct origin {
	const struct source *source;
	const struct megalink_found *found;
};

static char *
place(const struct source *s, enum megalink_kind kind)
{
	return xasprintf("%s:%lu: %s link", s->name, s->text.line,
	    megalink_kind_name(kind));
}

/* The members that say where a record comes from. */
static void
put_origin(struct json_out *o, const struct origin *from)
{
	struct slice t = from->found->text;

	json_put(o, "kind", megalink_kind_name(from->found->kind));
	json_put_n(o, "origin", t.p, t.n > ORIGIN_MAX ? ORIGIN_MAX : t.n);
	json_put(o, "file", from->source->name);
	json_put_int(o, "line", (int64_t)from->source->text.line);
}

static void
print_json(const struct origin *from, const struct megalink *l,
    const char *link)
{
	struct buf b = BUF_MAX(65536);
	struct json_out o = { &b, 0 };
	const char *doubt = megalink_doubt(l);

	json_open(&o, NULL, '{');
	json_put(&o, "link", link);
	json_put(&o, "type", l->type == MEGALINK_FOLDER ? "folder" : "file");
	if (l->type == MEGALINK_NODE) {
		char *folder = xasprintf("https://mega.nz/folder/%s", l->id);

		json_put(&o, "folder", folder);
		free(folder);
	}
	put_origin(&o, from);
	if (doubt != NULL)
		json_put(&o, "warning", doubt);
	json_close(&o, '}');
	cmd_record_json(&b);
	buf_wipe(&b);
}

static int
print_link(void *ctx, const struct megalink *l)
{
	const struct origin *from = ctx;
	const char *doubt = megalink_doubt(l);
	char link[MEGALINK_TEXT_SIZE];
	char *at;

	megalink_print(link, l);
	if (cmd.json) {
		print_json(from, l, link);
	} else {
		cmd_record(link, strlen(link));
		at = place(from->source, from->found->kind);
		if (doubt != NULL)
			cmd_note("%s: %s", at, doubt);
		if (l->type == MEGALINK_NODE)
			cmd_verbose("%s: a file of https://mega.nz/folder/%s, "
			    "whose key is not in the link", at, l->id);
		free(at);
	}
	secret_zero(link, sizeof link);
	return 0;
}

/* Say what account a configelc link would set up, but not its key. */
static int
tell_config(const struct origin *from)
{
	struct megalink_config c;
	struct buf b = BUF_MAX(65536);
	struct json_out o = { &b, 0 };
	int r;

	if ((r = megalink_config_read(&c, from->found->arg)) < 0)
		return r;
	if (cmd.json) {
		json_open(&o, NULL, '{');
		json_put(&o, "kind", "configelc");
		json_put(&o, "url", c.url);
		json_put(&o, "user", c.user);
		json_put(&o, "alias", c.alias);
		json_put(&o, "file", from->source->name);
		json_put_int(&o, "line", (int64_t)from->source->text.line);
		json_close(&o, '}');
		cmd_record_json(&b);
	} else {
		cmd_note("%s:%lu: a configelc link for user %s of %s; "
		    "mega-elc --add reads it", from->source->name,
		    from->source->text.line, c.user, c.url);
	}
	buf_free(&b);
	megalink_config_free(&c);
	return 0;
}

static void
decode_link(void *ctx, const struct megalink_found *f)
{
	struct source *s = ctx;
	struct origin from = { s, f };
	char *at;
	int r;

	err_clear();
	if (f == NULL) {
		err_set(ERR_TOOBIG, "line %lu: a word too long for any link",
		    s->text.line);
		cmd_fail(s->name, ERR_TOOBIG);
		return;
	}
	if (f->kind == MEGALINK_CONFIG)
		r = tell_config(&from);
	else
		r = elcclient_open(&client, f, print_link, &from);
	if (r < 0) {
		at = place(s, f->kind);
		cmd_fail(at, r);
		free(at);
	}
}

static int
read_stream(struct elc_text *t, int fd)
{
	char piece[16384];
	ssize_t n;

	/* read and not fread: what has come is shown before more comes. */
	while ((n = read(fd, piece, sizeof piece)) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return err_local("read");
		elc_text_feed(t, piece, (size_t)n);
	}
	return 0;
}

static int
decode_stream(int fd, const char *name)
{
	struct source s = { .name = name };
	size_t n = strlen(name);
	int r;

	elc_text_init(&s.text, decode_link, &s);
	r = read_stream(&s.text, fd);
	elc_text_end(&s.text);
	if (r == 0 && s.text.links == 0 && n > 4 &&
	    strcmp(name + n - 4, ".elc") == 0)
		r = err_set(ERR_PROTO, "no container in it");
	return r;
}

static int
decode_file(const char *path)
{
	int fd, r;

	if (strcmp(path, "-") == 0)
		return decode_stream(STDIN_FILENO, "-");
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return err_set(ERR_LOCAL, "%s", strerror(errno));
	r = decode_stream(fd, path);
	close(fd);
	return r;
}

static int
decode_operand(const char *text)
{
	struct source s = { .name = "operand" };

	elc_text_init(&s.text, decode_link, &s);
	elc_text_feed(&s.text, text, strlen(text));
	elc_text_end(&s.text);
	return 0;
}

static void
decode(char **argv)
{
	int r;

	for (argv = *argv != NULL ? argv : standard_input; *argv != NULL;
	    argv++) {
		err_clear();
		r = megalink_is(*argv) ? decode_operand(*argv) :
		    decode_file(*argv);
		if (r < 0)
			cmd_fail(*argv, r);
	}
}

/* Encoding. */

/* What becomes of the links. */
struct sink {
	struct buf *links; /* of a container; NULL: each is printed */
	char label[32];    /* of the operand: no key is to be repeated */
};

static int
print_encoded(const struct megalink *l)
{
	struct buf b = BUF_MAX(4096);
	int r;

	if ((r = megalink_seal(&b, l, opt.old)) == 0)
		cmd_record(buf_str(&b), b.len);
	buf_wipe(&b);
	return r;
}

static int
encode_link(void *ctx, const struct megalink *l)
{
	struct sink *sink = ctx;
	const char *doubt = megalink_doubt(l);

	if (doubt != NULL)
		cmd_note_on(sink->label, doubt);
	return sink->links != NULL ? elc_add(sink->links, l) :
	    print_encoded(l);
}

static int
encode_operand(struct sink *sink, const char *text)
{
	struct megalink l;
	int r;

	if (megalink_is(text))
		return elcclient_open_text(&client, text, encode_link, sink);
	if ((r = megalink_parse(&l, text, strlen(text))) == 0)
		r = encode_link(sink, &l);
	secret_zero(&l, sizeof l);
	return r;
}

/* Every link that the operands, or the lines of standard input, stand for is
 * printed, or added to links. */
static void
encode(char **argv, struct buf *links)
{
	struct sink sink = { .links = links };
	struct cmd_operands it;
	const char *text;
	unsigned long n = 0;
	int r;

	cmd_operands(&it, *argv != NULL ? argv : standard_input);
	while ((text = cmd_operand(&it)) != NULL) {
		err_clear();
		snprintf(sink.label, sizeof sink.label, "link %lu", ++n);
		if ((r = encode_operand(&sink, text)) < 0)
			cmd_fail(sink.label, r);
	}
	cmd_operands_free(&it);
}

/* The account that -E uses: the one named, or the only one. */
static int
choose_account(const struct megalink_config **account)
{
	int r;

	if ((r = elcclient_load(&client)) < 0)
		return r;
	if (opt.account != NULL)
		*account = elcaccount_named(&client.accounts, opt.account);
	else if (client.accounts.n == 1)
		*account = client.accounts.account;
	else if (client.accounts.n > 1)
		return err_set(ERR_USAGE, "which account? (--account)");
	return *account != NULL ? 0 : err_set(ERR_LOGIN, "no %saccount; "
	    "mega-elc --add makes one, --hidden needs none",
	    opt.account != NULL ? "such " : "");
}

static int
write_container(const struct buf *links)
{
	const struct megalink_config *account = NULL;
	struct buf token = BUF_MAX(ELC_FIELD_MAX);
	struct buf out = BUF_MAX(MEGALINK_WORD_MAX);
	uint8_t key[ELC_KEY_SIZE];
	int r = 0;

	secret_random(key, sizeof key);
	if (!opt.hidden && ((r = choose_account(&account)) < 0 ||
	    (r = elcclient_token(&client, account, key, &token)) < 0))
		goto out;
	r = elc_write(&out, links, key, account != NULL ? account->url : NULL,
	    buf_str(&token), opt.bare);
	if (r == 0)
		cmd_record(buf_str(&out), out.len);
out:
	secret_zero(key, sizeof key);
	buf_wipe(&token);
	buf_wipe(&out);
	return r;
}

/* A container that lacks some links looks like one that has them all. */
static void
contain(char **argv)
{
	struct buf links = BUF_MAX(ELC_BYTES_MAX);
	int r;

	encode(argv, &links);
	err_clear();
	if (cmd.status != 0) {
		cmd_note("no container made");
	} else if ((r = buf_check(&links)) < 0 ||
	    (r = write_container(&links)) < 0) {
		cmd_fail(NULL, r);
	}
	buf_wipe(&links);
}

/* Accounts. */

/* Fields of a record, with what a terminal should not see escaped. */
static void
print_fields(const char *const *field, size_t n)
{
	struct buf b = BUF_MAX(65536);

	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_addch(&b, '\t');
		name_escape(&b, field[i], strlen(field[i]));
	}
	buf_addch(&b, cmd.null ? '\0' : '\n');
	fwrite(buf_str(&b), 1, b.len, stdout);
	buf_free(&b);
}

static int
list_accounts(void)
{
	struct buf b = BUF_MAX(65536);
	int r = elcclient_load(&client);

	for (size_t i = 0; r == 0 && i < client.accounts.n; i++) {
		const struct megalink_config *c = &client.accounts.account[i];
		struct json_out o = { &b, 0 };

		if (!cmd.json) {
			print_fields((const char *[]){ c->alias, c->url,
			    c->user }, 3);
			continue;
		}
		json_open(&o, NULL, '{');
		json_put(&o, "alias", c->alias);
		json_put(&o, "url", c->url);
		json_put(&o, "user", c->user);
		json_close(&o, '}');
		cmd_record_json(&b);
	}
	buf_free(&b);
	return r;
}

static int
print_config(const struct megalink_config *c)
{
	struct buf b = BUF_MAX(CONFIG_MAX);
	int r;

	if ((r = megalink_config_write(&b, c)) == 0)
		cmd_record(buf_str(&b), b.len);
	buf_wipe(&b);
	return r;
}

static int
show_config(void)
{
	const struct megalink_config *c;
	int r;

	if ((r = elcclient_load(&client)) < 0)
		return r;
	if ((c = elcaccount_named(&client.accounts, opt.arg)) == NULL)
		return err_set(ERR_NOENT, "no such account");
	return print_config(c);
}

static int
save_accounts(void)
{
	char *path = elcaccount_path();
	int r = path == NULL ? ERR_LOCAL :
	    elcaccount_save(&client.accounts, path);

	free(path);
	return r;
}

static int
remove_account(void)
{
	int r;

	if ((r = elcclient_load(&client)) < 0 ||
	    (r = elcaccount_remove(&client.accounts, opt.arg)) < 0)
		return r;
	return save_accounts();
}

/* Read a stream to its end. */
static int
read_all(FILE *f, struct buf *b)
{
	int ch;

	while ((ch = getc(f)) != EOF && buf_addch(b, ch) == 0)
		continue;
	if (ferror(f))
		return err_local("standard input");
	return buf_check(b);
}

/* Take the accounts out of a text and say what each is. */
static int
take_accounts(struct slice text)
{
	struct megalink_config c;
	struct megalink_found f;
	int r, n = 0;

	while (megalink_find(&text, &f)) {
		if (f.kind != MEGALINK_CONFIG)
			continue;
		if ((r = megalink_config_read(&c, f.arg)) < 0)
			return r;
		cmd_note("%s: user %s of %s%s", elcaccount_match(
		    &client.accounts, slice_str(c.url)) != NULL ? "replace" :
		    "add", c.user, c.url, http_check_url(c.url) < 0 ?
		    ", without https: anybody on the way can read what is "
		    "sent" : "");
		if ((r = elcaccount_put(&client.accounts, &c)) < 0) {
			megalink_config_free(&c);
			return r;
		}
		n++;
	}
	return n > 0 ? 0 : err_set(ERR_USAGE, "no configelc link in it");
}

static int
confirmed(void)
{
	struct buf line = BUF_MAX(256);
	int r;

	if (opt.yes)
		return 0;
	if ((r = tty_ask(&line, "Is that wanted? [y/N] ", 0)) == 0 &&
	    buf_str(&line)[0] != 'y' && buf_str(&line)[0] != 'Y')
		r = err_set(ERR_REFUSED, "nothing was changed");
	buf_free(&line);
	return r;
}

static int
add_accounts(void)
{
	struct buf text = BUF_MAX(CONFIG_MAX);
	int r;

	if (strcmp(opt.arg, "-") == 0) {
		r = read_all(stdin, &text);
	} else {
		r = buf_addstr(&text, opt.arg);
		/* It holds an API key, and ps(1) shows arguments. */
		secret_zero(opt.arg, strlen(opt.arg));
	}
	if (r == 0 && (r = elcclient_load(&client)) == 0 &&
	    (r = take_accounts((struct slice){ buf_str(&text), text.len }))
	    == 0 && (r = confirmed()) == 0)
		r = save_accounts();
	buf_wipe(&text);
	return r;
}

/* The server's users. */

static int
user_add(struct elcusers *u)
{
	char key[ELCUSERS_KEY_TEXT];
	int r;

	if ((r = elcusers_add(u, opt.arg)) < 0 ||
	    (r = elcusers_new_key(u, opt.arg, key)) < 0)
		return r;
	cmd_record(key, strlen(key));
	secret_zero(key, sizeof key);
	return 0;
}

static int
print_user(void *ctx, const struct elcusers_user *user)
{
	struct buf b = BUF_MAX(4096);
	struct json_out o = { &b, 0 };
	char created[CMD_TIME_MAX], revoked[CMD_TIME_MAX], keys[24];

	(void)ctx;
	cmd_time(created, user->created);
	cmd_time(revoked, user->revoked);
	if (!cmd.json) {
		snprintf(keys, sizeof keys, "%lld", (long long)user->keys);
		print_fields((const char *[]){ user->name, created, keys,
		    user->revoked != 0 ? "revoked" : "active" }, 4);
		return 0;
	}
	json_open(&o, NULL, '{');
	json_put(&o, "user", user->name);
	json_put(&o, "created", created);
	json_put_int(&o, "keys", user->keys);
	if (user->revoked != 0)
		json_put(&o, "revoked", revoked);
	json_close(&o, '}');
	cmd_record_json(&b);
	buf_free(&b);
	return 0;
}

/* The API key for a user's link: the one given, if it is theirs, or a new
 * one. */
static int
user_key(struct elcusers *u, struct buf *key)
{
	char new[ELCUSERS_KEY_TEXT];
	int r;

	if (opt.key_file == NULL) {
		if ((r = elcusers_new_key(u, opt.arg, new)) == 0)
			r = buf_addstr(key, new);
		secret_zero(new, sizeof new);
		return r;
	}
	if (strcmp(opt.key_file, "-") == 0)
		r = read_all(stdin, key);
	else if ((r = private_read(key, opt.key_file)) > 0)
		r = err_set(ERR_LOCAL, "%s: no such file", opt.key_file);
	if (r < 0)
		return r;
	key->len = strcspn(buf_str(key), "\r\n");
	r = elcusers_check(u, slice_str(opt.arg),
	    (struct slice){ buf_str(key), key->len });
	return r == 0 ? err_set(ERR_LOGIN, "not an API key of that user") :
	    r < 0 ? r : 0;
}

static int
user_config(struct elcusers *u)
{
	struct buf key = BUF_MAX(4096), page = BUF_MAX(CONFIG_MAX);
	struct megalink_config c = { 0 };
	int r;

	if ((r = user_key(u, &key)) < 0)
		goto out;
	c.url = xstrdup(opt.url);
	c.user = xstrdup(opt.arg);
	c.key = xstrdup(buf_str(&key));
	c.alias = opt.alias != NULL ? xstrdup(opt.alias) : NULL;
	if (!opt.html)
		r = print_config(&c);
	else if ((r = elcpage_html(&page, &c)) == 0)
		fwrite(page.p, 1, page.len, stdout);
out:
	megalink_config_free(&c);
	buf_wipe(&key);
	buf_wipe(&page);
	return r;
}

static int
manage_users(void)
{
	struct elcusers *u = NULL;
	int r;

	if (opt.db == NULL)
		cmd_usage("--db is needed");
	if (opt.mode == USER_CONFIG && opt.url == NULL)
		cmd_usage("--user-config needs --url");
	if ((r = elcusers_open(&u, opt.db, opt.mode == USER_ADD)) < 0)
		return r;
	switch (opt.mode) {
	case USER_ADD:
		r = user_add(u);
		break;
	case USER_REVOKE:
		r = elcusers_revoke(u, opt.arg);
		break;
	case USER_LIST:
		r = elcusers_list(u, print_user, NULL);
		break;
	case USER_CONFIG:
		r = user_config(u);
		break;
	}
	elcusers_close(u);
	return r;
}

static int
cgi(void)
{
	if (opt.db == NULL)
		cmd_usage("--db is needed");
	opt.server.db = opt.db;
	return elcserver_cgi(&opt.server);
}

/* Options. */

static void
set_mode(int mode)
{
	if (opt.mode != DECODE && opt.mode != mode)
		cmd_usage("only one thing at a time");
	opt.mode = mode;
	opt.arg = optarg;
}

static void
set_option(int ch)
{
	switch (ch) {
	case ENCODE_OLD:
		opt.old = 1;
		set_mode(ENCODE);
		break;
	case ACCOUNT:
		opt.account = optarg;
		break;
	case HIDDEN:
		opt.hidden = 1;
		break;
	case BARE:
		opt.bare = 1;
		break;
	case YES:
		opt.yes = 1;
		break;
	case ALLOW_HTTP:
		client.allow_http = 1;
		break;
	case DB:
		opt.db = optarg;
		break;
	case LEGACY:
		opt.server.password_file = optarg;
		break;
	case LOG:
		opt.server.log = optarg;
		break;
	case RATE:
		opt.server.rate = cmd_number(optarg, "--rate", 0);
		if (opt.server.rate == 0)
			cmd_usage("--rate: nobody could use the server");
		break;
	case URL:
		opt.url = optarg;
		if (!megalink_server_url(slice_str(optarg)))
			cmd_usage("--url=%s: not a URL of http or https",
			    optarg);
		break;
	case ALIAS:
		opt.alias = optarg;
		break;
	case KEY_FILE:
		opt.key_file = optarg;
		break;
	case HTML:
		opt.html = 1;
		break;
	default:
		set_mode(ch);
	}
}

/* The mode's work, for those that take no operands. */
static int
run(void)
{
	switch (opt.mode) {
	case ADD:
		return add_accounts();
	case LIST:
		return list_accounts();
	case REMOVE:
		return remove_account();
	case SHOW_CONFIG:
		return show_config();
	case CGI:
		return cgi();
	default:
		return manage_users();
	}
}

int
main(int argc, char *argv[])
{
	int ch, r;

	cmd_init("mega-elc", SYNOPSIS, options);
	while ((ch = cmd_option(argc, argv)) != -1)
		set_option(ch);
	argv += optind;
	switch (opt.mode) {
	case DECODE:
		decode(argv);
		break;
	case ENCODE:
		encode(argv, NULL);
		break;
	case CONTAIN:
		contain(argv);
		break;
	default:
		if (*argv != NULL)
			cmd_usage("no operands are taken");
		/* What was to be added holds an API key. */
		if ((r = run()) < 0)
			cmd_fail(opt.mode == ADD ? NULL : opt.arg, r);
	}
	elcclient_free(&client);
	return cmd_finish();
}
