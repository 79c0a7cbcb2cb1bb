#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "elcclient.h"
#include "err.h"
#include "http.h"
#include "mem.h"
#include "secret.h"
#include "shape.h"

#define REPLY_MAX 65536
#define HOPS_MAX  3     /* redirects followed */
#define ANSWER_MS 90000

struct reply {
	struct slice e, d;
};

static const struct shape reply_shape[] = {
	SHAPE(reply, e, "e", SHAPE_TEXT, SHAPE_EMPTY, 0, REPLY_MAX),
	SHAPE(reply, d, "d", SHAPE_TEXT, SHAPE_EMPTY, 0, ELC_FIELD_MAX),
	SHAPE_END
};

/* One POST under way. */
struct post {
	struct http_req req;
	struct buf *answer;  /* borrowed */
	int result, done;
};

void
elcclient_free(struct elcclient *c)
{
	elcaccount_free(&c->accounts);
	http_free(c->http);
	*c = (struct elcclient){ 0 };
}

int
elcclient_load(struct elcclient *c)
{
	char *path;
	int r;

	if (c->loaded)
		return 0;
	if ((path = elcaccount_path()) == NULL)
		return ERR_LOCAL;
	if ((r = elcaccount_load(&c->accounts, path)) == 0)
		c->loaded = 1;
	free(path);
	return r;
}

static int
on_data(struct http_req *r, const char *p, size_t n)
{
	struct post *post = r->ctx;

	return buf_add(post->answer, p, n);
}

static void
on_done(struct http_req *r, int result)
{
	struct post *post = r->ctx;

	post->result = result;
	post->done = 1;
}

/* Where a 307 sends the request on: a path, or a URL of the same scheme,
 * host and port; the caller frees it.  NULL for any other place. */
static char *
redirected(const char *url, const char *location)
{
	struct slice to = { location, strlen(location) };
	char *from = elcaccount_normal(slice_str(url));
	char *next = NULL;
	size_t origin = elcaccount_origin(from);

	if (location[0] == '/' && location[1] != '/') {
		next = xasprintf("%.*s%s", (int)origin, from, location);
		to = slice_str(next);
		if (!megalink_server_url(to)) {
			free(next);
			next = NULL;
		}
	} else if (megalink_server_url(to)) {
		next = elcaccount_normal(to);
		if (elcaccount_origin(next) != origin ||
		    strncmp(next, from, origin) != 0) {
			free(next);
			next = NULL;
		}
	}
	free(from);
	return next;
}

/* One request; r->status and what came with it are set. */
static int
post_once(struct elcclient *c, struct post *p, const char *url)
{
	int64_t until = http_now_ms() + ANSWER_MS;

	p->req.url = url;
	p->done = 0;
	http_start(c->http, &p->req);
	while (!p->done) {
		/* It may also send a byte now and then for ever. */
		if (http_now_ms() > until) {
			http_cancel(&p->req);
			return err_set(ERR_NET, "it has not answered in time");
		}
		http_turn(c->http, -1);
	}
	return p->result;
}

/* POST a form to url; the body of the answer is added to answer. */
static int
post(struct elcclient *c, const char *url, const struct buf *form,
    struct buf *answer)
{
	struct post p = { .answer = answer, .req = { .post = 1,
	    .type = "Content-Type: application/x-www-form-urlencoded",
	    .body = form->p, .bodylen = form->len, .data = on_data,
	    .done = on_done } };
	char *at = xstrdup(url), *next;
	int r, hops = 0;

	p.req.ctx = &p;
	if (c->http == NULL)
		c->http = http_new();
	while ((r = post_once(c, &p, at)) == 0 && p.req.status == 307) {
		next = hops++ < HOPS_MAX ? redirected(at, p.req.location) :
		    NULL;
		if (next == NULL)
			break;
		free(at);
		at = next;
	}
	free(at);
	if (r < 0)
		return r;
	if (p.req.status >= 300 && p.req.status < 400)
		return err_set(ERR_REFUSED, "it sends us elsewhere (status "
		    "%d), where the API key does not follow", p.req.status);
	if (p.req.status != 200)
		return err_set(p.req.status >= 500 ? ERR_NET : ERR_REFUSED,
		    "it answers with status %d", p.req.status);
	return 0;
}

static void
add_field(struct buf *form, const char *name, struct slice value)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_.";

	if (form->len > 0)
		buf_addch(form, '&');
	buf_addstr(form, name);
	buf_addch(form, '=');
	for (size_t i = 0; i < value.n; i++) {
		char ch = value.p[i];

		if (memchr(plain, ch, sizeof plain - 1) != NULL)
			buf_addch(form, ch);
		else if (ch == ' ')
			buf_addch(form, '+');
		else
			buf_printf(form, "%%%02x", (unsigned char)ch);
	}
}

/* Take the data out of a reply, or the server's error. */
static int
read_reply(struct buf *answer, struct buf *data)
{
	struct reply reply = { 0 };
	struct json j = { 0 };
	int r;

	if ((r = json_parse(&j, buf_str(answer), answer->len)) < 0) {
		r = err_set(ERR_PROTO, "its reply is no JSON");
		goto out;
	}
	if ((r = shape_read("reply", reply_shape, &j, 0, &reply)) < 0)
		goto out;
	if (reply.e.n > 0)
		r = err_set(ERR_REFUSED, "it says: %s", reply.e.p);
	else if (reply.d.n == 0)
		r = err_set(ERR_PROTO, "its reply is empty");
	else
		r = buf_add(data, reply.d.p, reply.d.n);
out:
	json_free(&j);
	return r;
}

/* Operation "E" or "D" at an account's server. */
static int
ask(struct elcclient *c, const struct megalink_config *account,
    const char *operation, struct slice data, struct buf *out)
{
	struct buf form = BUF_MAX(4 * ELC_FIELD_MAX);
	struct buf answer = BUF_MAX(REPLY_MAX);
	int r;

	if (!c->allow_http && http_check_url(account->url) < 0)
		return err_set(ERR_USAGE, "server %s: it has no https "
		    "(mega-elc --allow-http asks it all the same)",
		    account->url);
	add_field(&form, "OPERATION_TYPE", slice_str(operation));
	add_field(&form, "DATA", data);
	add_field(&form, "USER", slice_str(account->user));
	add_field(&form, "APIKEY", slice_str(account->key));
	if ((r = buf_check(&form)) == 0 &&
	    ((r = post(c, account->url, &form, &answer)) < 0 ||
	    (r = read_reply(&answer, out)) < 0))
		r = err_prefix(r, "server %s: ", account->url);
	buf_wipe(&form);
	buf_wipe(&answer);
	return r;
}

/* The key of a container, from itself or from its server. */
static int
container_key(struct elcclient *c, const struct elc *e,
    uint8_t key[ELC_KEY_SIZE])
{
	const struct megalink_config *account;
	struct buf text = BUF_MAX(ELC_FIELD_MAX);
	int r;

	if (elc_is_serverless(e))
		return elc_own_key(e, key);
	if ((r = elcclient_load(c)) < 0)
		return r;
	if ((account = elcaccount_match(&c->accounts, e->url)) == NULL)
		return err_set(ERR_LOGIN, "no account for the server %.*s",
		    (int)(e->url.n > 300 ? 300 : e->url.n), e->url.p);
	if ((r = ask(c, account, "D", e->token, &text)) == 0)
		r = elc_key_read(key, (struct slice){ text.p, text.len });
	buf_wipe(&text);
	return r;
}

static int
open_container(struct elcclient *c, struct slice body,
    int (*each)(void *, const struct megalink *), void *ctx)
{
	uint8_t key[ELC_KEY_SIZE];
	struct elc e;
	int r;

	if ((r = elc_read(&e, body)) < 0)
		return r;
	if ((r = container_key(c, &e, key)) == 0)
		r = elc_links(&e, key, each, ctx);
	secret_zero(key, sizeof key);
	elc_free(&e);
	return r;
}

int
elcclient_open(struct elcclient *c, const struct megalink_found *f,
    int (*each)(void *, const struct megalink *), void *ctx)
{
	struct megalink l;
	int r;

	switch (f->kind) {
	case MEGALINK_ELC:
		return open_container(c, f->arg, each, ctx);
	case MEGALINK_CONFIG:
		return err_set(ERR_USAGE, "sets up an account; mega-elc --add "
		    "reads it");
	case MEGALINK_SEARCH:
		return err_set(ERR_PROTO, "leads to a search site that is "
		    "gone");
	case MEGALINK_CRYPTER:
		return err_set(ERR_PROTO, "only the server of its operator "
		    "could open it");
	case MEGALINK_UNKNOWN:
		return err_set(ERR_PROTO, "a mega:// link of a kind that "
		    "nobody has described");
	case MEGALINK_PLAIN:
		r = megalink_parse(&l, f->arg.p, f->arg.n);
		break;
	default:
		r = megalink_open(&l, f->kind, f->arg);
		break;
	}
	if (r == 0)
		r = each(ctx, &l);
	secret_zero(&l, sizeof l);
	return r;
}

int
elcclient_open_text(struct elcclient *c, const char *text,
    int (*each)(void *, const struct megalink *), void *ctx)
{
	struct slice s = slice_str(text);
	struct megalink_found f;

	if (!megalink_find(&s, &f) || f.text.n != strlen(text))
		return err_set(ERR_USAGE, "not one mega:// link");
	return elcclient_open(c, &f, each, ctx);
}

int
elcclient_token(struct elcclient *c, const struct megalink_config *account,
    const uint8_t key[ELC_KEY_SIZE], struct buf *token)
{
	char text[ELC_KEY_TEXT];
	int r = ask(c, account, "E", slice_str(elc_key_write(text, key)),
	    token);

	secret_zero(text, sizeof text);
	return r;
}
