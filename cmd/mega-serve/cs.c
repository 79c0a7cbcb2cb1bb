/* Batches of commands. */

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "err.h"
#include "hashcash.h"
#include "kdf.h"
#include "mem.h"
#include "secret.h"

#include "cs.h"
#include "list.h"
#include "share.h"

#define REPLY_LIFE   600   /* seconds that replies are kept for retries */
#define REPLIES_MAX  4096
#define REPLY_MAX    ((size_t)192 << 20)
#define COMMANDS_MAX 10000 /* the official client's most */
#define WORK_LIFE    300   /* seconds that a challenge may be answered */
#define SEEN_LIFE    60    /* how exact the last use of a session is */

static const struct cs_command *const tables[] = {
	account_commands, login_commands, signup_commands, attrs_commands,
	nodes_commands, put_commands, share_commands, list_commands,
	transfer_commands, fattr_commands, misc_commands,
};

static const struct cs_command *
find_command(struct slice name)
{
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		for (const struct cs_command *t = tables[i]; t->name != NULL;
		    t++) {
			if (strlen(t->name) == name.n &&
			    memcmp(t->name, name.p, name.n) == 0)
				return t;
		}
	}
	return NULL;
}

char *
cs_email(struct slice text)
{
	char *s = xstrndup(text.p == NULL ? "" : text.p, text.n);

	for (char *p = s; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return s;
}

int
cs_bytes(uint8_t *dst, size_t size, struct slice b64)
{
	if (b64.p == NULL || b64_decode_exact(dst, size, b64.p, b64.n) < 0)
		return ERR_ARGS;
	return 0;
}

static struct slice
command_name(const struct cs *c, int v)
{
	return json_raw(c->j, json_member(c->j, v, "a"));
}

static int
identify_user(struct cs *c, const char *sid)
{
	sqlite3_stmt *st;
	int blocked = 0, r;

	st = sql(c->db, "SELECT s.id, u.id, u.h, u.blocked, s.used"
	    " FROM session s JOIN user u ON u.id = s.user WHERE s.sid = ?",
	    "t", sid);
	if ((r = sql_row(st)) != 1)
		return r < 0 ? r : ERR_SID;
	c->session = sqlite3_column_int64(st, 0);
	c->user = sqlite3_column_int64(st, 1);
	snprintf(c->handle, sizeof c->handle, "%s", sql_text(st, 2));
	blocked = sqlite3_column_int(st, 3);
	r = sqlite3_column_int64(st, 4) < store_now() - SEEN_LIFE;
	sql_end(st);
	if (r)
		sql_do(c->db, "UPDATE session SET used = ? WHERE id = ?",
		    "ii", store_now(), c->session);
	return blocked != 0 ? ERR_BLOCKED : 0;
}

int
cs_identify(struct cs *c, struct request *q)
{
	const char *sid = web_arg(q, "sid");
	const char *n = web_arg(q, "n");
	int r = 0;

	c->q = q;
	c->srv = q->srv;
	c->db = &q->srv->store;
	if (sid != NULL && *sid != '\0') {
		q->sid = 1;
		r = identify_user(c, sid);
	}
	if (r == 0 && n != NULL && *n != '\0')
		r = share_enter(c, n);
	return r;
}

/* Whether a client of the new dialect would take what a command gives for a
 * tag: text, or an array that begins with some. */
static int
like_tag(const struct buf *val)
{
	return val->len > 1 && (val->p[0] == '"' ||
	    (val->p[0] == '[' && val->p[1] == '"'));
}

/* The result of one command in the dialect that the client asked for.  Who
 * is given a tag waits for a packet with it. */
static void
put_result(struct cs *c, struct buf *out, int r, const struct buf *val)
{
	int tagged = c->v >= 3 && c->told;

	if (r < 0)
		buf_printf(out, "%d", r > ERR_PROTO ? r :
		    r == ERR_PROTO ? ERR_ARGS : ERR_INTERNAL);
	else if (tagged && val->len == 0)
		buf_printf(out, "\"%s\"", c->st);
	else if (tagged)
		buf_printf(out, "[\"%s\",%.*s]", c->st, (int)val->len,
		    val->p);
	else if (val->len == 0)
		buf_addch(out, '0');
	else if (c->v >= 3 && like_tag(val))
		buf_printf(out, "[0,%.*s]", (int)val->len, val->p);
	else
		buf_add(out, val->p, val->len);
}

/* Read a command's members and run it. */
static int
run_command(struct cs *c, const struct cs_command *t)
{
	_Alignas(16) char args[CS_ARGS_MAX] = { 0 };
	const struct fault *f = &c->q->fault;
	int r;

	if (t == NULL)
		return ERR_ARGS;
	assert(t->size <= sizeof args);
	if (f->cmd_code != 0 && strcmp(f->cmd, t->name) == 0)
		return f->cmd_code;
	if ((t->flags & CS_SID) && c->user == 0)
		return ERR_SID;
	if ((t->flags & CS_ANY) && c->user == 0 && c->home == 0)
		return ERR_SID;
	if (t->shape != NULL && (r = shape_read(t->name, t->shape, c->j,
	    c->cmd, args)) < 0)
		return r;
	return t->run(c, args);
}

static int
one_command(struct cs *c, int v, struct buf *out)
{
	const struct cs_command *t = find_command(command_name(c, v));
	struct buf val = BUF_MAX(REPLY_MAX);
	struct list *before = c->list;
	int r;

	c->cmd = v;
	c->out = (struct json_out){ .b = &val };
	c->st[0] = '\0';
	c->told = 0;
	sql_do(c->db, "SAVEPOINT one", "");
	r = run_command(c, t);
	if (r == 0)
		r = buf_check(&val);
	if (r < 0 && (t == NULL || (t->flags & CS_KEEP) == 0))
		sql_do(c->db, "ROLLBACK TO one", "");
	sql_do(c->db, "RELEASE one", "");
	if (c->list != before)
		c->list_at = out->len;
	else
		put_result(c, out, r, &val);
	buf_free(&val);
	return r;
}

/* With bc=1 a batch is done as a whole or not at all. */
static int
atomic(const struct cs *c)
{
	const char *bc = web_arg(c->q, "bc");

	return bc != NULL && strcmp(bc, "1") == 0;
}

/* The reply of an atomic group whose failed-th member failed. */
static void
put_undone(struct buf *out, size_t n, size_t failed, int r)
{
	buf_reset(out);
	buf_addch(out, '[');
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s%d", i > 0 ? "," : "",
		    i == failed ? r : ERR_ROLLEDBACK);
	buf_addch(out, ']');
}

static void
run_batch(struct cs *c, struct buf *out)
{
	size_t n = 0, count = json_count(c->j, 0);
	int all = atomic(c), r;

	buf_addch(out, '[');
	sql_do(c->db, "SAVEPOINT batch", "");
	for (int v = json_first(c->j, 0); v >= 0; v = json_next(c->j, v)) {
		if (n > 0)
			buf_addch(out, ',');
		r = one_command(c, v, out);
		if (r < 0 && all) {
			sql_do(c->db, "ROLLBACK TO batch", "");
			list_free(c->list);
			c->list = NULL;
			put_undone(out, count, n, r);
			break;
		}
		n++;
	}
	sql_do(c->db, "RELEASE batch", "");
	if (n == count)
		buf_addch(out, ']');
}

static int
listed(const struct slice *names, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++) {
		if (names[i].n == name.n &&
		    memcmp(names[i].p, name.p, name.n) == 0)
			return 1;
	}
	return 0;
}

/* Names for the log, and each once for the faults. */
static size_t
collect_names(struct cs *c, struct slice *names, size_t max, unsigned *flags)
{
	struct request *q = c->q;
	size_t n = 0;

	for (int v = json_first(c->j, 0); v >= 0; v = json_next(c->j, v)) {
		struct slice name = command_name(c, v);
		const struct cs_command *t;

		if (name.p == NULL)
			name = (struct slice){ "", 0 };
		t = find_command(name);
		*flags |= t == NULL ? 0 : t->flags;
		/* Only names that we know: the rest is a stranger's text. */
		buf_printf(&q->commands, "%s\"%s\"", q->commands.len > 0 ?
		    "," : "", t != NULL ? t->name : "?");
		if (n < max && !listed(names, n, name))
			names[n++] = name;
	}
	return n;
}

/*
 * Proof of work.  The challenge is bound to the request's id and body by a
 * MAC, so that nothing needs to be kept.
 */
static void
work_token(uint8_t token[HASHCASH_TOKEN_SIZE], const struct cs *c,
    const uint8_t digest[32], int64_t t)
{
	struct buf b = BUF_MAX(8192);
	const char *id = web_arg(c->q, "id");
	uint8_t second[32];

	buf_printf(&b, "work %lld %s ", (long long)t, id == NULL ? "" : id);
	buf_add(&b, digest, 32);
	kdf_hmac_sha256(token, c->db->secret, STORE_SECRET_SIZE, b.p, b.len);
	kdf_sha256(second, token, 32);
	memcpy(token + 32, second, HASHCASH_TOKEN_SIZE - 32);
	buf_free(&b);
}

static int
work_done(const struct cs *c, const uint8_t digest[32], int easiness,
    const char *answer)
{
	struct hashcash h = { .easiness = (unsigned)easiness };
	int64_t now = store_now();
	char text[65];

	if (strncmp(answer, "1:", 2) != 0 || strlen(answer) < 67)
		return 0;
	for (int64_t t = now; t > now - WORK_LIFE; t--) {
		h.time = t;
		work_token(h.token, c, digest, t);
		b64_encode(text, h.token, sizeof h.token);
		if (memcmp(text, answer + 2, 64) == 0)
			return hashcash_check(&h, answer);
	}
	return 0;
}

/* Whether the request has to prove work first; if so the answer says so. */
static int
want_work(struct cs *c)
{
	const char *ua = web_header(c->q, "User-Agent");
	const char *answer = web_header(c->q, "X-Hashcash");
	int easiness = c->q->fault.easiness;
	uint8_t token[HASHCASH_TOKEN_SIZE], digest[32];
	char text[65];
	int64_t now = store_now();

	/* The official staging host does so for this agent. */
	if (easiness < 0 && ua != NULL && strcmp(ua, "HashcashDemo") == 0)
		easiness = 240;
	if (easiness < 0)
		return 0;
	kdf_sha256(digest, c->q->body.p, c->q->body.len);
	if (answer != NULL && work_done(c, digest, easiness, answer))
		return 0;
	work_token(token, c, digest, now);
	snprintf(c->q->answer.hashcash, sizeof c->q->answer.hashcash,
	    "1:%d:%lld:%s", easiness, (long long)now,
	    b64_encode(text, token, sizeof token));
	web_text(c->q, 402, "");
	return 1;
}

/* What makes a repeated request the same: who, its id and its body. */
static int
reply_key(const struct cs *c, uint8_t key[32])
{
	static const char *const who[] = { "id", "sid", "n", "v", "bc" };
	struct buf b = BUF_MAX(8192);
	const char *id = web_arg(c->q, "id");
	int r;

	if (id == NULL || *id == '\0')
		return -1;
	kdf_sha256(key, c->q->body.p, c->q->body.len);
	buf_add(&b, key, 32);
	for (size_t i = 0; i < sizeof who / sizeof *who; i++) {
		const char *p = web_arg(c->q, who[i]);

		buf_addstr(&b, p == NULL ? "" : p);
		buf_addch(&b, '\n');
	}
	if ((r = buf_check(&b)) == 0)
		kdf_sha256(key, b.p, b.len);
	buf_free(&b);
	return r;
}

static void
stream_list(struct cs *c)
{
	struct answer *a = &c->q->answer;

	a->ctx = list_splice(c->list, &a->body, c->list_at);
	a->read = list_read;
	a->release = list_free;
}

/* Answer a repeated request as the first time.  1 if it was one. */
static int
replay(struct cs *c, const uint8_t key[32])
{
	struct buf *out = &c->q->answer.body;
	sqlite3_stmt *st;
	int64_t at = -1;

	st = sql(c->db, "SELECT body, list FROM reply WHERE key = ?"
	    " AND ts > ?", "bi", key, (size_t)32, store_now() - REPLY_LIFE);
	if (sql_row(st) != 1)
		return 0;
	web_text(c->q, 200, "");
	buf_add(out, sqlite3_column_blob(st, 0),
	    (size_t)sqlite3_column_bytes(st, 0));
	if (sqlite3_column_type(st, 1) != SQLITE_NULL)
		at = sqlite3_column_int64(st, 1);
	sql_end(st);
	c->list_at = (size_t)at;
	if (at >= 0 && cs_identify(c, c->q) == 0 && list_open(c, 0) == 0)
		stream_list(c);
	return 1;
}

static void
keep_reply(struct cs *c, const uint8_t key[32])
{
	const struct buf *out = &c->q->answer.body;
	int64_t now = store_now();

	sql_do(c->db, "DELETE FROM reply WHERE ts < ? OR id <="
	    " (SELECT max(id) FROM reply) - ?", "id", now - REPLY_LIFE,
	    REPLIES_MAX);
	sql_do(c->db, "INSERT OR REPLACE INTO reply(key, ts, body, list)"
	    " VALUES(?, ?, ?, ?)", "bibt", key, (size_t)32, now, out->p,
	    out->len, NULL);
	if (c->list != NULL)
		sql_do(c->db, "UPDATE reply SET list = ? WHERE key = ?",
		    "ib", (int64_t)c->list_at, key, (size_t)32);
}

/* Run the batch in one transaction, which keeps the reply as well: a retry
 * after any accident gets it, and nothing is done twice. */
static void
execute(struct cs *c, unsigned flags, const uint8_t *key)
{
	struct answer *a = &c->q->answer;

	if (sql_do(c->db, flags & CS_CHANGE ? "BEGIN IMMEDIATE" : "BEGIN",
	    "") < 0) {
		web_code(c->q, ERR_AGAIN);
		return;
	}
	web_text(c->q, 200, "");
	run_batch(c, &a->body);
	if (key != NULL && (flags & CS_CHANGE) && buf_check(&a->body) == 0)
		keep_reply(c, key);
	if (sql_do(c->db, "COMMIT", "") < 0) {
		sql_do(c->db, "ROLLBACK", "");
		web_code(c->q, ERR_AGAIN);
		return;
	}
	if (buf_check(&a->body) < 0)
		web_code(c->q, ERR_TOOMANY);
	else if (c->list != NULL)
		stream_list(c);
	store_bury(c->db);
}

static void
run(struct cs *c)
{
	struct slice names[64];
	uint8_t key[32];
	unsigned flags = 0;
	size_t n;
	int keyed, r;

	n = collect_names(c, names, sizeof names / sizeof *names, &flags);
	fault_pick(&c->srv->faults, &c->q->fault, FAULT_CS, names, n);
	if (c->q->fault.http != 0 || c->q->fault.drop) {
		web_text(c->q, c->q->fault.http, "");
		return;
	}
	if (c->q->fault.code != 0) {
		web_code(c->q, c->q->fault.code);
		return;
	}
	if (want_work(c))
		return;
	keyed = (flags & CS_CHANGE) && reply_key(c, key) == 0;
	if (keyed && replay(c, key))
		return;
	r = cs_identify(c, c->q);
	if (r == ERR_BLOCKED && c->user != 0 && (flags & CS_BLOCKED) &&
	    json_count(c->j, 0) == 1)
		r = 0;
	if (r < 0) {
		if (c->q->answer.body.len == 0)
			web_code(c->q, r);
		c->q->answer.status = 200;
		return;
	}
	execute(c, flags, keyed ? key : NULL);
}

static int
take(struct request *q, const char *p, size_t n)
{
	return buf_add(&q->body, p, n);
}

static void
finish(struct request *q)
{
	const char *v = web_arg(q, "v");
	struct json j = { 0 };
	struct cs c = { .j = &j, .q = q, .srv = q->srv,
	    .db = &q->srv->store };

	c.v = v == NULL ? 1 : atoi(v);
	if (json_parse(&j, q->body.len > 0 ? q->body.p : "", q->body.len) < 0
	    || json_type(&j, 0) != JSON_ARRAY ||
	    json_count(&j, 0) > COMMANDS_MAX)
		web_code(q, ERR_ARGS);
	else
		run(&c);
	json_free(&j);
}

const struct route cs_route = {
	.prefix = "/cs", .kind = "cs", .where = FAULT_CS,
	.body = take, .finish = finish,
};
