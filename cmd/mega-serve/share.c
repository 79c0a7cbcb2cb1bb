/* Public links and exported folders. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "err.h"
#include "secret.h"

#include "events.h"
#include "nodes.h"
#include "put.h"
#include "share.h"

#define AUTH_SIZE 16 /* of a writable link, bytes */
#define PACKET_MAX 65536
#define ASK_MAX    1000  /* keys, in packets; "f" asks for all */

int64_t
share_public(struct store *db, struct slice ph, int *why)
{
	sqlite3_stmt *st;
	int64_t h = 0;
	int r = ERR_NOENT;

	st = sql(db, "SELECT node, down, ets IS NOT NULL AND ets <= ?"
	    " FROM link WHERE ph = ?", "is", store_now(), ph);
	if (sql_row(st) == 1) {
		if (sqlite3_column_int(st, 1) != 0)
			r = ERR_BLOCKED;
		else if (sqlite3_column_int(st, 2) != 0)
			r = ERR_EXPIRED;
		else
			h = sqlite3_column_int64(st, 0);
		sql_end(st);
	}
	if (why != NULL)
		*why = r;
	return h;
}

int
share_exported(struct store *db, int64_t h)
{
	return sql_int(db, 0, "WITH RECURSIVE up(h) AS (VALUES(?1)"
	    " UNION ALL SELECT n.parent FROM up JOIN node n ON n.h = up.h"
	    " WHERE n.parent <> 0)"
	    " SELECT 1 FROM up JOIN link l ON l.node = up.h"
	    " JOIN node n ON n.h = up.h WHERE n.t <> 0 AND l.down = 0"
	    " AND (l.ets IS NULL OR l.ets > ?2) LIMIT 1", "ii", h,
	    store_now()) == 1;
}

int
share_enter(struct cs *c, const char *n)
{
	struct slice ph = { n, strlen(n) < 8 ? strlen(n) : 8 };
	int why;

	if (ph.n < 8 || !b64_valid(n, strlen(n)))
		return ERR_ARGS;
	c->home = share_public(c->db, ph, &why);
	if (c->home == 0) {
		if (why == ERR_BLOCKED)
			web_text(c->q, 200, "{\"err\":-16,\"u\":7,\"l\":2}");
		return why;
	}
	if (sql_int(c->db, 0, "SELECT t FROM node WHERE h = ?", "i",
	    c->home) == 0)
		return ERR_NOENT;
	c->writable = n[8] != '\0' && sql_int(c->db, 0,
	    "SELECT 1 FROM link WHERE node = ? AND w = ?", "it", c->home,
	    n + 8) == 1;
	return n[8] != '\0' && !c->writable ? ERR_ACCESS : 0;
}

/* A new public handle: letters and digits only, as programs that take
 * links out of text expect. */
static void
new_public(struct store *db, char ph[HANDLE_TEXT])
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789";
	uint8_t b[8];

	do {
		secret_random(b, sizeof b);
		for (int i = 0; i < 8; i++)
			ph[i] = set[b[i] % 62];
		ph[8] = '\0';
	} while (sql_int(db, 0, "SELECT 1 FROM link WHERE ph = ?", "t",
	    ph) == 1);
}

/* What a packet or reply says of a link. */
struct link_row {
	char ph[HANDLE_TEXT];
	char w[B64_LEN(AUTH_SIZE) + 1];
	int64_t ts, ets;
};

static int
link_row(struct store *db, struct link_row *l, int64_t h)
{
	sqlite3_stmt *st;

	*l = (struct link_row){ 0 };
	st = sql(db, "SELECT ph, ts, ets, w FROM link WHERE node = ?", "i",
	    h);
	if (sql_row(st) != 1)
		return ERR_NOENT;
	snprintf(l->ph, sizeof l->ph, "%s", sql_text(st, 0));
	l->ts = sqlite3_column_int64(st, 1);
	l->ets = sqlite3_column_int64(st, 2);
	snprintf(l->w, sizeof l->w, "%s", sql_text(st, 3));
	sql_end(st);
	return 0;
}

/* The packet "ph"; how is "n" (new), "u" (changed) or "d" (deleted). */
static int
tell_link(struct cs *c, int64_t owner, int64_t h, const struct link_row *l,
    const char *how)
{
	struct buf b = BUF_MAX(PACKET_MAX);
	struct json_out o;
	char text[HANDLE_TEXT];
	int r;

	event_begin(c, &o, &b, "ph");
	json_put(&o, "h", handle_text(text, h));
	json_put(&o, "ph", l->ph);
	json_put_int(&o, how, 1);
	json_put_int(&o, "ts", l->ts);
	if (l->ets > 0)
		json_put_int(&o, "ets", l->ets);
	if (l->w[0] != '\0' && *how != 'd')
		json_put(&o, "w", l->w);
	event_end(&o);
	r = event_send(c, owner, &b);
	buf_free(&b);
	return r;
}

static int
drop_link(struct cs *c, const struct node *n)
{
	struct link_row l;
	int r;

	if ((r = link_row(c->db, &l, n->h)) < 0)
		return r;
	if ((r = tell_link(c, n->user, n->h, &l, "d")) < 0)
		return r;
	r = sql_do(c->db, "DELETE FROM link WHERE node = ?", "i", n->h);
	return r < 0 ? r : 0;
}

struct l_args {
	char n[9];
	int64_t d, ets, w;
};

static const struct shape l_shape[] = {
	SHAPE(l_args, n, "n", SHAPE_HANDLE, SHAPE_REQUIRED, 8, 8),
	SHAPE(l_args, d, "d", SHAPE_INT, SHAPE_LAX, 0, 1),
	SHAPE(l_args, ets, "ets", SHAPE_INT, SHAPE_LAX, 0, INT64_MAX),
	SHAPE(l_args, w, "w", SHAPE_INT, SHAPE_LAX, 0, 1),
	SHAPE_END
};

/* Make the link of a node, or change its expiry or writability. */
static int
make_link(struct cs *c, const struct node *n, const struct l_args *a,
    int ets_given)
{
	struct link_row l;
	uint8_t auth[AUTH_SIZE];
	char text[B64_LEN(AUTH_SIZE) + 1];
	int new = link_row(c->db, &l, n->h) < 0;
	int r = 0;

	if (new) {
		new_public(c->db, l.ph);
		r = sql_do(c->db, "INSERT INTO link(node, ph, user, ts)"
		    " VALUES(?, ?, ?, ?)", "itii", n->h, l.ph, n->user,
		    store_now());
	}
	if (r >= 0 && ets_given)
		r = sql_do(c->db, "UPDATE link SET ets = nullif(?, 0)"
		    " WHERE node = ?", "ii", a->ets, n->h);
	if (r >= 0 && a->w && n->t != 0) {
		secret_random(auth, sizeof auth);
		r = sql_do(c->db, "UPDATE link SET w = coalesce(w, ?)"
		    " WHERE node = ?", "ti", b64_encode(text, auth,
		    sizeof auth), n->h);
	}
	if (r < 0 || (!new && !ets_given && !a->w))
		return r < 0 ? r : 0;
	if ((r = link_row(c->db, &l, n->h)) < 0)
		return r;
	return tell_link(c, n->user, n->h, &l, new ? "n" : "u");
}

static int
l_run(struct cs *c, const void *args)
{
	const struct l_args *a = args;
	struct link_row l;
	struct node n;
	int r;

	if ((r = node_get(c->db, &n, handle_read(a->n, 8))) < 0)
		return r;
	if (n.user != c->user || n.t > 2)
		return ERR_ACCESS;
	if (a->d)
		return drop_link(c, &n);
	if (n.t != 0 && sql_int(c->db, 0,
	    "SELECT 1 FROM share WHERE node = ?", "i", n.h) != 1)
		return ERR_ACCESS;
	r = make_link(c, &n, a, json_member(c->j, c->cmd, "ets") >= 0);
	if (r < 0 || (r = link_row(c->db, &l, n.h)) < 0)
		return r;
	if (!a->w || l.w[0] == '\0') {
		json_put(&c->out, NULL, l.ph);
		return 0;
	}
	json_open(&c->out, NULL, '{');
	json_put(&c->out, "ph", l.ph);
	json_put(&c->out, "w", l.w);
	json_close(&c->out, '}');
	return 0;
}

struct s2_args {
	char n[9];
	int s, cr;
	struct slice ok, ha;
};

static const struct shape s2_shape[] = {
	SHAPE(s2_args, n, "n", SHAPE_HANDLE, SHAPE_REQUIRED, 8, 8),
	SHAPE(s2_args, s, "s", SHAPE_ARRAY, SHAPE_REQUIRED, 1, 100),
	SHAPE(s2_args, cr, "cr", SHAPE_ARRAY, 0, 0, 3),
	SHAPE(s2_args, ok, "ok", SHAPE_B64, SHAPE_EMPTY, 22, 22),
	SHAPE(s2_args, ha, "ha", SHAPE_B64, SHAPE_EMPTY, 22, 22),
	SHAPE_END
};

static int
tell_share(struct cs *c, const struct node *n, const struct s2_args *a,
    int64_t r, int64_t ts)
{
	struct buf b = BUF_MAX(PACKET_MAX);
	struct json_out o;
	char text[HANDLE_TEXT];
	int e;

	event_begin(c, &o, &b, "s2");
	json_put(&o, "n", handle_text(text, n->h));
	json_put(&o, "o", c->handle);
	json_put(&o, "u", "EXP");
	json_put(&o, "ou", c->handle);
	if (r < 0)
		json_put_int(&o, "okd", 1);
	else
		json_put_int(&o, "r", r);
	json_put_int(&o, "ts", ts);
	if (r >= 0 && a->ok.p != NULL) {
		json_put_n(&o, "ok", a->ok.p, a->ok.n);
		if (a->ha.p != NULL)
			json_put_n(&o, "ha", a->ha.p, a->ha.n);
	}
	event_end(&o);
	e = event_send(c, n->user, &b);
	buf_free(&b);
	return e;
}

/* No share, no link: the keys that its visitors used go as well. */
static int
drop_share(struct cs *c, const struct node *n, const struct s2_args *a)
{
	char text[HANDLE_TEXT];
	int r;

	if (drop_link(c, n) == ERR_LOCAL)
		return ERR_LOCAL;
	if ((r = tell_share(c, n, a, -1, store_now())) < 0)
		return r;
	sql_do(c->db, "DELETE FROM nodekey WHERE share = ?", "t",
	    handle_text(text, n->h));
	r = sql_do(c->db, "DELETE FROM share WHERE node = ?", "i", n->h);
	return r < 0 ? r : 0;
}

static int
make_share(struct cs *c, const struct node *n, const struct s2_args *a,
    int64_t level)
{
	int r;

	r = sql_do(c->db, "INSERT INTO share(node, user, ok, ha, r, ts)"
	    " VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT(node)"
	    " DO UPDATE SET r = excluded.r", "iissii", n->h, n->user, a->ok,
	    a->ha, level, store_now());
	if (r < 0 || (r = put_cr(c, a->cr, NULL, 0)) < 0)
		return r;
	return tell_share(c, n, a, level, store_now());
}

/* One member of "s".  Sharing with people is not offered. */
static int
s2_one(struct cs *c, const struct node *n, const struct s2_args *a, int v)
{
	struct slice u = json_raw(c->j, json_member(c->j, v, "u"));
	int64_t level;

	if (u.n != 3 || memcmp(u.p, "EXP", 3) != 0)
		return ERR_ACCESS;
	/* Some clients write "r":"" to end a share, others leave it out. */
	if (json_int(c->j, json_member(c->j, v, "r"), 1, &level) < 0)
		return drop_share(c, n, a);
	return level < 0 || level > 2 ? ERR_ARGS :
	    make_share(c, n, a, level);
}

/* Another key than the one given first is told, and not taken. */
static void
put_other_key(struct cs *c, const struct node *n, const struct s2_args *a)
{
	sqlite3_stmt *st;

	st = sql(c->db, "SELECT ok FROM share WHERE node = ? AND ok <> ?",
	    "is", n->h, a->ok);
	if (a->ok.p != NULL && sql_row(st) == 1)
		json_put(&c->out, "ok", sql_text(st, 0));
	sql_end(st);
}

static int
s2_run(struct cs *c, const void *args)
{
	const struct s2_args *a = args;
	struct node n;
	int r;

	if ((r = node_get(c->db, &n, handle_read(a->n, 8))) < 0)
		return r;
	if (n.user != c->user)
		return ERR_ACCESS;
	if (n.t == 0)
		return ERR_ARGS;
	json_open(&c->out, NULL, '{');
	json_open(&c->out, "r", '[');
	for (int v = json_first(c->j, a->s); v >= 0; v = json_next(c->j, v)) {
		r = s2_one(c, &n, a, v);
		if (r < 0 && json_count(c->j, a->s) == 1)
			return r;
		json_put_int(&c->out, NULL, r > ERR_PROTO ? r : ERR_INTERNAL);
	}
	json_close(&c->out, ']');
	put_other_key(c, &n, a);
	json_close(&c->out, '}');
	return 0;
}

/* The packet "k" that asks for one node's key under a share. */
static int
ask_key(struct cs *c, int64_t owner, int64_t share, int64_t h)
{
	struct buf b = BUF_MAX(PACKET_MAX);
	struct json_out o;
	char text[HANDLE_TEXT];
	int r;

	event_begin(c, &o, &b, "k");
	json_put(&o, "h", handle_text(text, share));
	json_put(&o, "n", handle_text(text, h));
	event_end(&o);
	r = event_send(c, owner, &b);
	buf_free(&b);
	return r;
}

int
share_ask_keys(struct cs *c, int64_t owner, int64_t folder, const int64_t *h,
    size_t n)
{
	int64_t shares[NODES_ROOTS_MAX];
	char text[HANDLE_TEXT];
	size_t count = node_shares(c->db, folder, shares);
	int r = 0;

	for (size_t i = 0; i < count; i++) {
		handle_text(text, shares[i]);
		for (size_t k = 0; k < n && k < ASK_MAX && r == 0; k++)
			if (h[k] != 0 && sql_int(c->db, 0, "SELECT 1"
			    " FROM nodekey WHERE share = ? AND node = ?", "ti",
			    text, h[k]) != 1)
				r = ask_key(c, owner, shares[i], h[k]);
	}
	return r;
}

struct pli_args {
	char ph[9];
};

static const struct shape pli_shape[] = {
	SHAPE(pli_args, ph, "ph", SHAPE_HANDLE, SHAPE_REQUIRED, 8, 8),
	SHAPE_END
};

/* What a folder link is, for a preview. */
static int
pli(struct cs *c, const void *args)
{
	const struct pli_args *a = args;
	char root[HANDLE_TEXT];
	sqlite3_stmt *st;
	int64_t h;
	int why;

	h = share_public(c->db, (struct slice){ a->ph, 8 }, &why);
	if (h == 0)
		return why;
	st = sql(c->db, "WITH RECURSIVE t(h) AS (VALUES(?1) UNION ALL"
	    " SELECT n.h FROM t JOIN node n ON n.parent = t.h)"
	    " SELECT sum(iif(n.ver, 0, n.s)), sum(n.t = 0 AND NOT n.ver),"
	    " sum(n.t <> 0), sum(iif(n.ver, n.s, 0)), sum(n.ver),"
	    " (SELECT a FROM node WHERE h = ?1),"
	    " (SELECT u.h FROM node m JOIN user u ON u.id = m.user"
	    " WHERE m.h = ?1), (SELECT k FROM nodekey WHERE node = ?1"
	    " AND share = ?2) FROM t JOIN node n ON n.h = t.h", "it", h,
	    handle_text(root, h));
	if (sql_row(st) != 1)
		return ERR_NOENT;
	json_open(&c->out, NULL, '{');
	json_put(&c->out, "attrs", sql_text(st, 5));
	json_put(&c->out, "ph", a->ph);
	json_put(&c->out, "u", sql_text(st, 6));
	json_open(&c->out, "s", '[');
	for (int i = 0; i < 5; i++)
		json_put_int(&c->out, NULL, sqlite3_column_int64(st, i));
	json_close(&c->out, ']');
	buf_printf(c->out.b, ",\"k\":\"%s:%s\"", root, sql_text(st, 7));
	json_close(&c->out, '}');
	sql_end(st);
	return 0;
}

int
share_drop_doomed(struct cs *c, int64_t owner)
{
	struct s2_args none = { 0 };
	struct node n;
	int64_t h;
	int r = 0;

	while (r == 0 && (h = sql_int(c->db, 0, "SELECT l.node FROM doomed d"
	    " JOIN link l ON l.node = d.h LIMIT 1", "")) != 0) {
		n = (struct node){ .h = h, .user = owner };
		r = drop_link(c, &n);
	}
	while (r == 0 && (h = sql_int(c->db, 0, "SELECT s.node FROM doomed d"
	    " JOIN share s ON s.node = d.h LIMIT 1", "")) != 0) {
		n = (struct node){ .h = h, .user = owner };
		r = drop_share(c, &n, &none);
	}
	return r;
}

const struct cs_command share_commands[] = {
	{ "l", l_run, l_shape, sizeof(struct l_args), CS_SID | CS_CHANGE },
	{ "s2", s2_run, s2_shape, sizeof(struct s2_args),
	    CS_SID | CS_CHANGE },
	{ "pli", pli, pli_shape, sizeof(struct pli_args), 0 },
	{ NULL, NULL, NULL, 0, 0 }
};
