/* The tree: access, changes and removal. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "err.h"
#include "mem.h"

#include "events.h"
#include "nodes.h"
#include "put.h"
#include "share.h"

#define PACKET_MAX   131072
#define ATTR_B64_MAX 87382

void
node_put(struct json_out *o, sqlite3_stmt *st, const char *root,
    int64_t index)
{
	char text[HANDLE_TEXT];
	int64_t parent = sqlite3_column_int64(st, 1);
	int t = sqlite3_column_int(st, 2);
	const char *shared = sql_text(st, 9);

	json_open(o, NULL, '{');
	json_put(o, "h", handle_text(text, sqlite3_column_int64(st, 0)));
	json_put(o, "p", parent == 0 ? "" : handle_text(text, parent));
	json_put(o, "u", sql_text(st, 8));
	json_put_int(o, "t", t);
	json_put(o, "a", sql_text(st, 3));
	if (t > 1)
		json_put(o, "k", "");
	else if (root != NULL)
		json_put(o, "k", shared);
	else if (*shared == '\0' || *sql_text(st, 4) == '\0')
		buf_printf(o->b, ",\"k\":\"%s%s%s%s\"",
		    *sql_text(st, 4) != '\0' ? sql_text(st, 8) : "",
		    *sql_text(st, 4) != '\0' ? ":" : "", sql_text(st, 4),
		    shared);
	else
		buf_printf(o->b, ",\"k\":\"%s:%s/%s\"", sql_text(st, 8),
		    sql_text(st, 4), shared);
	if (t == 0)
		json_put_int(o, "s", sqlite3_column_int64(st, 5));
	if (sqlite3_column_type(st, 7) != SQLITE_NULL)
		json_put(o, "fa", sql_text(st, 7));
	json_put_int(o, "ts", sqlite3_column_int64(st, 6));
	if (index >= 0)
		json_put_int(o, "i", index);
	json_close(o, '}');
}

int
node_get(struct store *db, struct node *n, int64_t h)
{
	sqlite3_stmt *st;

	st = sql(db, "SELECT parent, user, s, blob, t, ver FROM node"
	    " WHERE h = ?", "i", h);
	if (sql_row(st) != 1)
		return ERR_NOENT;
	n->h = h;
	n->parent = sqlite3_column_int64(st, 0);
	n->user = sqlite3_column_int64(st, 1);
	n->size = sqlite3_column_int64(st, 2);
	n->blob = sqlite3_column_int64(st, 3);
	n->t = sqlite3_column_int(st, 4);
	n->ver = sqlite3_column_int(st, 5);
	sql_end(st);
	return 0;
}

int
node_below(struct store *db, int64_t h, int64_t top)
{
	return sql_int(db, 0, "WITH RECURSIVE up(h) AS (VALUES(?)"
	    " UNION ALL SELECT n.parent FROM up JOIN node n ON n.h = up.h"
	    " WHERE n.parent <> 0) SELECT 1 FROM up WHERE h = ?", "ii", h,
	    top) == 1;
}

int
node_find(struct cs *c, struct node *n, int64_t h)
{
	int r = node_get(c->db, n, h);

	if (r < 0)
		return r;
	if ((c->user != 0 && n->user == c->user) ||
	    (c->home != 0 && node_below(c->db, h, c->home)))
		return 0;
	return ERR_ACCESS;
}

int
node_find_writable(struct cs *c, struct node *n, int64_t h)
{
	int r = node_find(c, n, h);

	if (r == 0 && (c->user == 0 || n->user != c->user) && !c->writable)
		r = ERR_ACCESS;
	return r;
}

#define AROUND \
	"WITH RECURSIVE up(h) AS (VALUES(?) UNION ALL" \
	" SELECT n.parent FROM up JOIN node n ON n.h = up.h" \
	" WHERE n.parent <> 0) SELECT up.h FROM up "

/* What a query finds among a node and those around it. */
static size_t
find_around(struct store *db, const char *query, int64_t h,
    int64_t found[NODES_ROOTS_MAX])
{
	sqlite3_stmt *st = sql(db, query, "i", h);
	size_t n = 0;

	while (n < NODES_ROOTS_MAX && sql_row(st) == 1)
		found[n++] = sqlite3_column_int64(st, 0);
	sql_end(st);
	return n;
}

size_t
node_roots(struct store *db, int64_t h, int64_t roots[NODES_ROOTS_MAX])
{
	return find_around(db, AROUND "JOIN link l ON l.node = up.h"
	    " JOIN node n ON n.h = up.h WHERE n.t <> 0", h, roots);
}

size_t
node_shares(struct store *db, int64_t h, int64_t shares[NODES_ROOTS_MAX])
{
	return find_around(db, AROUND "JOIN share s ON s.node = up.h", h,
	    shares);
}

/* Send one packet to the owner of a node and to the folder links that show
 * what is below top. */
static int
tell(struct cs *c, int64_t owner, int64_t top, const struct buf *b)
{
	int64_t roots[NODES_ROOTS_MAX];
	size_t n;
	int r;

	r = event_send(c, owner, b);
	n = node_roots(c->db, top, roots);
	for (size_t i = 0; i < n && r == 0; i++)
		r = event_send(c, -roots[i], b);
	return r;
}

/* The packet "d".  move: the node comes back elsewhere; ver: only this
 * version goes. */
static int
tell_gone(struct cs *c, const struct node *n, int move, int ver)
{
	struct buf b = BUF_MAX(PACKET_MAX);
	struct json_out o;
	char text[HANDLE_TEXT];
	int r;

	event_begin(c, &o, &b, "d");
	json_put(&o, "n", handle_text(text, n->h));
	if (move)
		json_put_int(&o, "m", 1);
	if (ver)
		json_put_int(&o, "v", 1);
	if (c->user != 0)
		json_put(&o, "ou", c->handle);
	event_end(&o);
	r = tell(c, n->user, n->h, &b);
	buf_free(&b);
	return r;
}

struct a_args {
	char n[9];
	struct slice at, attr, key;
};

static const struct shape a_shape[] = {
	SHAPE(a_args, n, "n", SHAPE_HANDLE, SHAPE_REQUIRED, 8, 8),
	SHAPE(a_args, at, "at", SHAPE_B64, 0, 22, ATTR_B64_MAX),
	SHAPE(a_args, attr, "attr", SHAPE_B64, 0, 22, ATTR_B64_MAX),
	SHAPE(a_args, key, "key", SHAPE_B64, SHAPE_EMPTY, 22, 43),
	SHAPE_END
};

static int
tell_attributes(struct cs *c, const struct node *n, struct slice at)
{
	struct buf b = BUF_MAX(PACKET_MAX);
	struct json_out o;
	sqlite3_stmt *st;
	char text[HANDLE_TEXT];
	int r;

	event_begin(c, &o, &b, "u");
	json_put(&o, "n", handle_text(text, n->h));
	st = sql(c->db, "SELECT u.h, n.ts FROM node n"
	    " JOIN user u ON u.id = n.user WHERE n.h = ?", "i", n->h);
	if (sql_row(st) == 1) {
		json_put(&o, "u", sql_text(st, 0));
		json_put_n(&o, "at", at.p, at.n);
		json_put_int(&o, "ts", sqlite3_column_int64(st, 1));
	}
	sql_end(st);
	event_end(&o);
	r = tell(c, n->user, n->h, &b);
	buf_free(&b);
	return r;
}

/* New attributes; old clients repeat the key, which never changes. */
static int
a_run(struct cs *c, const void *args)
{
	const struct a_args *a = args;
	struct slice at = a->at.p != NULL ? a->at : a->attr;
	struct node n;
	int r;

	if (at.p == NULL || B64_BYTES(at.n) % 16 != 0)
		return ERR_ARGS;
	if ((r = node_find_writable(c, &n, handle_read(a->n, 8))) < 0)
		return r;
	if (n.t > 1)
		return ERR_ACCESS;
	r = sql_do(c->db, "UPDATE node SET a = ? WHERE h = ?", "si", at,
	    n.h);
	return r < 0 ? r : tell_attributes(c, &n, at);
}

struct m_args {
	char n[9], t[9];
	int cr;
};

static const struct shape m_shape[] = {
	SHAPE(m_args, n, "n", SHAPE_HANDLE, SHAPE_REQUIRED, 8, 8),
	SHAPE(m_args, t, "t", SHAPE_HANDLE, SHAPE_REQUIRED, 8, 8),
	SHAPE(m_args, cr, "cr", SHAPE_ARRAY, 0, 0, 3),
	SHAPE_END
};

/* The handles of a node and all below it, parents first.  The caller frees
 * them. */
static int64_t *
subtree(struct store *db, int64_t h, size_t *n)
{
	int64_t *list = NULL;
	sqlite3_stmt *st;
	size_t cap = 0;

	*n = 0;
	st = sql(db, "WITH RECURSIVE t(h) AS (VALUES(?) UNION ALL"
	    " SELECT n.h FROM t JOIN node n ON n.parent = t.h)"
	    " SELECT h FROM t", "i", h);
	while (sql_row(st) == 1) {
		if (*n == cap) {
			cap = cap * 2 + 64;
			list = xreallocarray(list, cap, sizeof *list);
		}
		list[(*n)++] = sqlite3_column_int64(st, 0);
	}
	return list;
}

static int
tell_moved(struct cs *c, const struct node *n)
{
	int64_t roots[NODES_ROOTS_MAX], *list;
	char root[HANDLE_TEXT];
	size_t count, nroots;
	int r;

	list = subtree(c->db, n->h, &count);
	r = put_tell(c, n->user, NULL, list, count, 0);
	nroots = node_roots(c->db, n->h, roots);
	for (size_t i = 0; i < nroots && r == 0; i++)
		r = put_tell(c, -roots[i], handle_text(root, roots[i]), list,
		    count, 0);
	if (r == 0)
		r = share_ask_keys(c, n->user, n->h, list, count);
	free(list);
	return r;
}

static int
m_run(struct cs *c, const void *args)
{
	const struct m_args *a = args;
	struct node n, t;
	int r;

	if ((r = node_find_writable(c, &n, handle_read(a->n, 8))) < 0 ||
	    (r = node_find_writable(c, &t, handle_read(a->t, 8))) < 0)
		return r;
	if (n.t > 1 || n.ver || n.user != t.user)
		return ERR_ACCESS;
	if (t.t == 0)
		return ERR_ARGS;
	if (node_below(c->db, t.h, n.h))
		return ERR_CIRCULAR;
	if ((r = put_cr(c, a->cr, NULL, 0)) < 0 ||
	    (r = tell_gone(c, &n, 1, 0)) < 0)
		return r;
	r = sql_do(c->db, "UPDATE node SET parent = ? WHERE h = ?", "ii",
	    t.h, n.h);
	return r < 0 ? r : tell_moved(c, &n);
}

/* The blobs that no node needs any more. */
static int
drop_blobs(struct store *db)
{
	sqlite3_stmt *st;

	st = sql(db, "DELETE FROM blob WHERE kept AND id IN"
	    " (SELECT blob FROM doomed WHERE blob IS NOT NULL)"
	    " AND NOT EXISTS (SELECT 1 FROM node WHERE node.blob = blob.id)"
	    " RETURNING id", "");
	while (sql_row(st) == 1)
		store_drop(db, sqlite3_column_int64(st, 0));
	return 0;
}

/* Remove a node and all below it; ver as in tell_gone. */
static int
drop(struct cs *c, const struct node *n, int ver)
{
	int r;

	if ((r = tell_gone(c, n, 0, ver)) < 0)
		return r;
	sql_do(c->db, "DELETE FROM doomed", "");
	r = sql_do(c->db, "INSERT INTO doomed"
	    " WITH RECURSIVE t(h) AS (VALUES(?) UNION ALL"
	    " SELECT n.h FROM t JOIN node n ON n.parent = t.h)"
	    " SELECT n.h, n.blob FROM t JOIN node n ON n.h = t.h", "i",
	    n->h);
	if (r < 0 || (r = share_drop_doomed(c, n->user)) < 0)
		return r;
	r = sql_do(c->db, "DELETE FROM node WHERE h IN"
	    " (SELECT h FROM doomed)", "");
	return r < 0 ? r : drop_blobs(c->db);
}

int
node_remove(struct cs *c, const struct node *n)
{
	return drop(c, n, 0);
}

/* Take one version out of its chain: what is older moves up. */
static int
remove_version(struct cs *c, const struct node *n)
{
	int64_t older = sql_int(c->db, 0, "SELECT h FROM node"
	    " WHERE parent = ? AND ver", "i", n->h);
	int r;

	if (older != 0) {
		r = sql_do(c->db, "UPDATE node SET parent = ?, ver = ?"
		    " WHERE h = ?", "idi", n->parent, n->ver, older);
		if (r < 0)
			return r;
	}
	r = drop(c, n, 1);
	if (r == 0 && older != 0)
		r = put_tell(c, n->user, NULL, &older, 1, 0);
	return r;
}

struct d_args {
	char n[9];
	int64_t v;
};

static const struct shape d_shape[] = {
	SHAPE(d_args, n, "n", SHAPE_HANDLE, SHAPE_REQUIRED, 8, 8),
	SHAPE(d_args, v, "v", SHAPE_INT, SHAPE_LAX, 0, 1),
	SHAPE_END
};

static int
d_run(struct cs *c, const void *args)
{
	const struct d_args *a = args;
	struct node n;
	int r;

	if ((r = node_find_writable(c, &n, handle_read(a->n, 8))) < 0)
		return r;
	if (n.t > 1 || n.h == c->home)
		return ERR_ACCESS;
	return a->v ? remove_version(c, &n) : node_remove(c, &n);
}

/* Remove node after node of a query that gives one at a time. */
static int
remove_all(struct cs *c, int64_t (*next)(struct cs *c))
{
	struct node n;
	int64_t h;
	int r = 0;

	while (r == 0 && (h = next(c)) != 0) {
		if ((r = node_get(c->db, &n, h)) == 0)
			r = node_remove(c, &n);
	}
	return r;
}

static int64_t
next_version(struct cs *c)
{
	return sql_int(c->db, 0, "SELECT h FROM node WHERE user = ? AND ver"
	    " LIMIT 1", "i", c->user);
}

static int64_t
next_binned(struct cs *c)
{
	return sql_int(c->db, 0, "SELECT h FROM node WHERE parent ="
	    " (SELECT bin FROM user WHERE id = ?) LIMIT 1", "i", c->user);
}

/* All old versions of the account. */
static int
dv_run(struct cs *c, const void *args)
{
	(void)args;
	return remove_all(c, next_version);
}

/* All that is in the bin. */
static int
dr_run(struct cs *c, const void *args)
{
	(void)args;
	return remove_all(c, next_binned);
}

struct k_args {
	int nk, cr;
};

static const struct shape k_shape[] = {
	SHAPE(k_args, nk, "nk", SHAPE_ARRAY, 0, 0, 20000),
	SHAPE(k_args, cr, "cr", SHAPE_ARRAY, 0, 0, 3),
	SHAPE_END
};

/* Keys under one's own master key, in place of how they came. */
static int
k_run(struct cs *c, const void *args)
{
	const struct k_args *a = args;
	struct slice h, k;
	int r = 0;

	for (int v = json_first(c->j, a->nk); v >= 0 && r >= 0;
	    v = json_next(c->j, v)) {
		h = json_raw(c->j, v);
		v = json_next(c->j, v);
		k = json_raw(c->j, v);
		if ((k.n != 22 && k.n != 43) || !b64_valid(k.p, k.n))
			return ERR_ARGS;
		r = sql_do(c->db, "UPDATE node SET k = ? WHERE h = ?"
		    " AND user = ?", "sii", k, handle_read(h.p, h.n),
		    c->user);
	}
	return r < 0 ? r : put_cr(c, a->cr, NULL, 0);
}

const struct cs_command nodes_commands[] = {
	{ "a", a_run, a_shape, sizeof(struct a_args), CS_ANY | CS_CHANGE },
	{ "m", m_run, m_shape, sizeof(struct m_args), CS_ANY | CS_CHANGE },
	{ "d", d_run, d_shape, sizeof(struct d_args), CS_ANY | CS_CHANGE },
	{ "dv", dv_run, NULL, 0, CS_SID | CS_CHANGE },
	{ "dr", dr_run, NULL, 0, CS_SID | CS_CHANGE },
	{ "k", k_run, k_shape, sizeof(struct k_args), CS_SID | CS_CHANGE },
	{ NULL, NULL, NULL, 0, 0 }
};
