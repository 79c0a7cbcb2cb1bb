/* File attributes: thumbnails and the like, stored apart from nodes. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "err.h"
#include "secret.h"

#include "cs.h"
#include "events.h"
#include "fattr.h"
#include "nodes.h"
#include "ticket.h"

#define HANDLE_SIZE 8
#define FA_MAX      65536
#define FETCH_MAX   10000  /* attributes at a time */
#define REPLY_MAX   ((size_t)64 << 20)

struct ufa_args {
	int64_t s;
	struct slice fah;
};

static const struct shape ufa_shape[] = {
	SHAPE(ufa_args, s, "s", SHAPE_INT, SHAPE_LAX, 0, WEB_BODY_MAX),
	SHAPE(ufa_args, fah, "fah", SHAPE_B64, SHAPE_EMPTY, 11, 11),
	SHAPE_END
};

/* Where to send an attribute, or to fetch some. */
static int
ufa_run(struct cs *c, const void *args)
{
	const struct ufa_args *a = args;
	struct ticket t = { .time = store_now() };
	char text[TICKET_TEXT], url[sizeof c->q->base + 8 + TICKET_TEXT];

	t.kind = a->fah.p != NULL ? TICKET_FETCH : TICKET_ATTR;
	if (t.kind == TICKET_ATTR && c->user == 0 && !c->writable)
		return ERR_ACCESS;
	snprintf(url, sizeof url, "%s/fa/%s", c->q->base,
	    ticket_print(text, c->db, &t));
	json_open(&c->out, NULL, '{');
	json_put(&c->out, "p", url);
	json_close(&c->out, '}');
	return 0;
}

char *
fattr_merge(const char *old, struct slice new)
{
	struct buf b = BUF_MAX(2 * FA_MAX);
	const char *p = new.p, *end = new.p + new.n;

	while (p < end) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		size_t n = (size_t)((slash == NULL ? end : slash) - p);

		if (b.len > 0)
			buf_addch(&b, '/');
		if (memchr(p, ':', n) == NULL)
			buf_addstr(&b, FATTR_CLUSTER ":");
		buf_add(&b, p, n);
		p += n + 1;
	}
	/* Of one type the newest counts: what was there comes after it. */
	if (*old != '\0')
		buf_printf(&b, "%s%s", b.len > 0 ? "/" : "", old);
	return buf_steal(&b);
}

/* Whether text is TYPE*HANDLE with slashes between. */
int
fattr_ok(struct slice fa)
{
	return fa.n <= FA_MAX && fa.n > 0 && strspn(fa.p, "0123456789:*/-_"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") >= fa.n;
}

struct pfa_args {
	char n[9];
	struct slice fa;
};

static const struct shape pfa_shape[] = {
	SHAPE(pfa_args, n, "n", SHAPE_HANDLE, SHAPE_REQUIRED, 8, 8),
	SHAPE(pfa_args, fa, "fa", SHAPE_STRING, SHAPE_REQUIRED, 3, FA_MAX),
	SHAPE_END
};

static int
tell(struct cs *c, const struct node *n, const char *fa)
{
	struct buf b = BUF_MAX(4 * FA_MAX);
	struct json_out o;
	char text[HANDLE_TEXT];
	int r;

	event_begin(c, &o, &b, "fa");
	json_put(&o, "n", handle_text(text, n->h));
	json_put(&o, "fa", fa);
	event_end(&o);
	r = event_send(c, n->user, &b);
	buf_free(&b);
	return r;
}

static int
pfa_run(struct cs *c, const void *args)
{
	const struct pfa_args *a = args;
	struct node n;
	sqlite3_stmt *st;
	char *fa;
	int r;

	if (!fattr_ok(a->fa))
		return ERR_ARGS;
	if ((r = node_find_writable(c, &n, handle_read(a->n, 8))) < 0)
		return r;
	if (n.t != 0)
		return ERR_ARGS;
	st = sql(c->db, "SELECT fa FROM node WHERE h = ?", "i", n.h);
	if (sql_row(st) != 1)
		return ERR_NOENT;
	fa = fattr_merge(sql_text(st, 0), a->fa);
	sql_end(st);
	r = sql_do(c->db, "UPDATE node SET fa = ? WHERE h = ?", "ti", fa,
	    n.h);
	if (r >= 0)
		r = tell(c, &n, fa);
	json_put(&c->out, NULL, fa);
	free(fa);
	return r;
}

const struct cs_command fattr_commands[] = {
	{ "ufa", ufa_run, ufa_shape, sizeof(struct ufa_args), 0 },
	{ "pfa", pfa_run, pfa_shape, sizeof(struct pfa_args),
	    CS_ANY | CS_CHANGE },
	{ NULL, NULL, NULL, 0, 0 }
};

static void
begin(struct request *q)
{
	fault_pick(&q->srv->faults, &q->fault, strcmp(q->method, "POST") ==
	    0 && q->length > 0 ? FAULT_UP : FAULT_DL, NULL, 0);
}

static int
take(struct request *q, const char *p, size_t n)
{
	return buf_add(&q->body, p, n);
}

static void
store(struct request *q)
{
	uint8_t b[HANDLE_SIZE];

	secret_random(b, sizeof b);
	if (q->body.len == 0 || sql_do(&q->srv->store,
	    "INSERT INTO fattr VALUES(?, ?)", "ib", number_get(b, sizeof b),
	    q->body.p, q->body.len) < 0) {
		web_text(q, 200, "-2");
		return;
	}
	web_text(q, 200, "");
	buf_add(&q->answer.body, b, sizeof b);
}

/* A frame for each handle of the body that is known: the handle, the
 * length (little-endian), the bytes. */
static void
fetch(struct request *q)
{
	struct buf out = BUF_MAX(REPLY_MAX);
	sqlite3_stmt *st;
	uint8_t n[4];

	if (q->body.len / HANDLE_SIZE > FETCH_MAX) {
		web_text(q, 413, "");
		return;
	}
	for (size_t i = 0; i + HANDLE_SIZE <= q->body.len;
	    i += HANDLE_SIZE) {
		const uint8_t *h = (const uint8_t *)q->body.p + i;

		st = sql(&q->srv->store, "SELECT data FROM fattr"
		    " WHERE h = ?", "i", number_get(h, HANDLE_SIZE));
		if (sql_row(st) != 1)
			continue;
		for (int k = 0; k < 4; k++)
			n[k] = (uint8_t)(sqlite3_column_bytes(st, 0) >>
			    8 * k);
		buf_add(&out, h, HANDLE_SIZE);
		buf_add(&out, n, sizeof n);
		buf_add(&out, sqlite3_column_blob(st, 0),
		    (size_t)sqlite3_column_bytes(st, 0));
		sql_end(st);
	}
	web_text(q, buf_check(&out) < 0 ? 413 : 200, "");
	buf_add(&q->answer.body, out.p, buf_check(&out) < 0 ? 0 : out.len);
	buf_free(&out);
}

static void
finish(struct request *q)
{
	const char *p = q->path + strlen("/fa/");
	struct ticket t;

	if (q->fault.code != 0)
		web_code(q, q->fault.code);
	else if (ticket_read(&q->srv->store, &t, p, strcspn(p, "/")) < 0)
		web_text(q, 404, "");
	else if (t.kind == TICKET_ATTR)
		store(q);
	else if (t.kind == TICKET_FETCH)
		fetch(q);
	else
		web_text(q, 404, "");
	q->answer.type = NULL;
}

const struct route fattr_route = {
	.prefix = "/fa/", .kind = "up", .where = FAULT_UP,
	.begin = begin, .body = take, .finish = finish,
};
