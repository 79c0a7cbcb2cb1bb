/* The reply of "f". */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "mem.h"

#include "events.h"
#include "list.h"
#include "nodes.h"

#define ROWS        256      /* at a time */
#define MISSING_MAX 10000    /* keys asked for at a time */

#define NODES "SELECT " NODE_COLUMNS " FROM node n" \
	" JOIN user u ON u.id = n.user WHERE "

struct list {
	struct store *store;   /* borrowed */
	int64_t user, home;
	int64_t part;          /* only this node and what is below it */
	char handle[12], root[HANDLE_TEXT];
	sqlite3 *db;           /* a snapshot */
	int64_t sn;
	const struct stage *stage;
	sqlite3_stmt *st;      /* of the stage under way */
	sqlite3_stmt *below;   /* what is right below a folder */
	int64_t *todo;         /* folders to look into, the last one first */
	size_t ntodo, captodo;
	struct buf out;
	struct json_out o;
	size_t sent;           /* of out */
	char *tail;            /* what follows in the reply */
};

/* One array of the reply: its rows, each put by a function. */
struct stage {
	const char *name;
	const char *query;     /* ?1: link root or null, ?2: user or node */
	void (*put)(struct list *l);
	unsigned of;           /* which replies have it */
};

enum { ALL = 1, LINK = 2, PART = 4 };

static void
put_key(struct list *l)
{
	char text[HANDLE_TEXT];

	json_open(&l->o, NULL, '{');
	json_put(&l->o, "h", handle_text(text,
	    sqlite3_column_int64(l->st, 0)));
	json_put(&l->o, "ha", sql_text(l->st, 2));
	json_put(&l->o, "k", sql_text(l->st, 1));
	json_close(&l->o, '}');
}

static void
put_old(struct list *l)
{
	node_put(&l->o, l->st, l->home != 0 ? l->root : NULL, -1);
}

/* A node; the contents of a folder come later, so after their parent. */
static void
put_node(struct list *l)
{
	put_old(l);
	if (sqlite3_column_int(l->st, 2) == 0)
		return;
	if (l->ntodo == l->captodo) {
		l->captodo = l->captodo * 2 + 64;
		l->todo = xreallocarray(l->todo, l->captodo,
		    sizeof *l->todo);
	}
	l->todo[l->ntodo++] = sqlite3_column_int64(l->st, 0);
}

static void
put_share(struct list *l)
{
	char text[HANDLE_TEXT];

	json_open(&l->o, NULL, '{');
	json_put(&l->o, "h", handle_text(text,
	    sqlite3_column_int64(l->st, 0)));
	json_put(&l->o, "u", "EXP");
	json_put_int(&l->o, "r", sqlite3_column_int64(l->st, 1));
	json_put_int(&l->o, "ts", sqlite3_column_int64(l->st, 2));
	json_close(&l->o, '}');
}

static void
put_user(struct list *l)
{
	json_open(&l->o, NULL, '{');
	json_put(&l->o, "u", sql_text(l->st, 0));
	json_put_int(&l->o, "c", 2);
	json_put(&l->o, "m", sql_text(l->st, 1));
	json_put_int(&l->o, "ts", sqlite3_column_int64(l->st, 2));
	json_close(&l->o, '}');
}

static void
put_link(struct list *l)
{
	char text[HANDLE_TEXT];

	json_open(&l->o, NULL, '{');
	json_put(&l->o, "h", handle_text(text,
	    sqlite3_column_int64(l->st, 0)));
	json_put(&l->o, "ph", sql_text(l->st, 1));
	json_put_int(&l->o, "ts", sqlite3_column_int64(l->st, 2));
	if (sqlite3_column_type(l->st, 3) != SQLITE_NULL)
		json_put_int(&l->o, "ets", sqlite3_column_int64(l->st, 3));
	if (sqlite3_column_type(l->st, 4) != SQLITE_NULL)
		json_put(&l->o, "w", sql_text(l->st, 4));
	if (sqlite3_column_int(l->st, 5) != 0)
		json_put_int(&l->o, "down", 1);
	json_close(&l->o, '}');
}

static const char keys_query[] =
    "SELECT node, ok, ha FROM share WHERE user = ?2 AND ok IS NOT NULL"
    " AND ha IS NOT NULL ORDER BY node";

/* Keys come first, so that who reads on the fly can decrypt. */
static const struct stage stages[] = {
	{ "ok", keys_query, put_key, ALL },
	{ "ok0", keys_query, put_key, ALL },
	{ "f", NODES "n.user = ?2 AND n.h IN (u.root, u.inbox, u.bin)"
	    " ORDER BY n.t", put_node, ALL },
	{ "f", NODES "n.h = ?2 AND NOT n.ver", put_node, LINK | PART },
	{ "f2", NODES "n.user = ?2 AND n.ver ORDER BY n.ts DESC, n.h",
	    put_old, ALL },
	{ "f2", "WITH RECURSIVE t(h) AS (VALUES(?2) UNION ALL"
	    " SELECT n.h FROM t JOIN node n ON n.parent = t.h) "
	    NODES "n.ver AND n.h IN (SELECT h FROM t)", put_old, PART },
	{ "s", "SELECT node, r, ts FROM share WHERE user = ?2"
	    " ORDER BY node", put_share, ALL },
	{ "u", "SELECT h, coalesce(email, ''), since FROM user"
	    " WHERE id = ?2", put_user, ALL },
	{ "ph", "SELECT node, ph, ts, ets, w, down FROM link"
	    " WHERE user = ?2 ORDER BY node", put_link, ALL },
	{ NULL, NULL, NULL, 0 }
};

int
list_open(struct cs *c, int64_t part)
{
	struct list *l;

	if (c->list != NULL)
		return ERR_TOOMANY;
	c->list = l = xcalloc(1, sizeof *l);
	l->store = c->db;
	l->user = c->user;
	l->home = c->home;
	memcpy(l->handle, c->handle, sizeof l->handle);
	if (l->home != 0)
		handle_text(l->root, l->home);
	l->part = l->home == 0 ? part : 0;
	l->stage = stages;
	buf_init(&l->out, (size_t)32 << 20);
	l->o = (struct json_out){ .b = &l->out };
	return 0;
}

/* Enter the snapshot: everything below is of this moment. */
static int
begin(struct list *l)
{
	sqlite3_stmt *st = NULL;
	int r;

	if ((r = store_snapshot(l->store, &l->db)) < 0)
		return r;
	if (sqlite3_prepare_v2(l->db, "SELECT seq FROM sqlite_sequence"
	    " WHERE name = 'event'", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		l->sn = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return 0;
}

void *
list_splice(struct list *l, struct buf *b, size_t at)
{
	l->tail = xstrndup(b->p + at, b->len - at);
	buf_add(&l->out, b->p, at);
	buf_reset(b);
	json_open(&l->o, NULL, '{');
	return l;
}

static int
prepare(struct list *l, const char *query, int64_t of)
{
	if (sqlite3_prepare_v2(l->db, query, -1, &l->st, NULL) != SQLITE_OK)
		return err_set(ERR_LOCAL, "%s", sqlite3_errmsg(l->db));
	if (l->home != 0)
		sqlite3_bind_text(l->st, 1, l->root, -1, SQLITE_STATIC);
	sqlite3_bind_int64(l->st, 2, of);
	return 0;
}

static int
stage_begin(struct list *l)
{
	json_open(&l->o, l->stage->name, '[');
	return prepare(l, l->stage->query, l->home != 0 ? l->home :
	    l->part != 0 ? l->part : l->user);
}

/* Go on with the next folder. */
static int
descend(struct list *l)
{
	static const char below[] = NODES "n.parent = ?2 AND NOT n.ver";
	int64_t h = l->todo[--l->ntodo];

	if (l->below == NULL) {
		sqlite3_finalize(l->st);
		if (prepare(l, below, h) < 0)
			return ERR_LOCAL;
		l->below = l->st;
		return 0;
	}
	sqlite3_reset(l->st);
	sqlite3_bind_int64(l->st, 2, h);
	return 0;
}

/* The rows of a query are through. */
static int
stage_end(struct list *l)
{
	if (l->ntodo > 0)
		return descend(l);
	sqlite3_finalize(l->st);
	l->st = l->below = NULL;
	json_close(&l->o, ']');
	l->stage++;
	return 0;
}

/* A node below a shared folder that came without its key for that. */
struct missing {
	char share[HANDLE_TEXT], node[HANDLE_TEXT];
};

/* Find those below one share: what is found so far, and n in all. */
static size_t
find_missing(struct list *l, int64_t share, struct missing *m, size_t n)
{
	static const char query[] = "WITH RECURSIVE t(h) AS (VALUES(?2)"
	    " UNION ALL SELECT n.h FROM t JOIN node n ON n.parent = t.h)"
	    " SELECT h FROM t WHERE NOT EXISTS (SELECT 1 FROM nodekey k"
	    " WHERE k.share = ?1 AND k.node = t.h)";
	sqlite3_stmt *st = NULL;
	char text[HANDLE_TEXT];

	if (sqlite3_prepare_v2(l->db, query, -1, &st, NULL) != SQLITE_OK)
		return n;
	sqlite3_bind_text(st, 1, handle_text(text, share), -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, share);
	for (; n < MISSING_MAX && sqlite3_step(st) == SQLITE_ROW; n++) {
		memcpy(m[n].share, text, sizeof text);
		handle_text(m[n].node, sqlite3_column_int64(st, 0));
	}
	sqlite3_finalize(st);
	return n;
}

/* "cr": for each, its share, its node, and that these two go together. */
static void
put_missing(struct list *l)
{
	struct missing *m = xcalloc(MISSING_MAX, sizeof *m);
	sqlite3_stmt *st = NULL;
	size_t n = 0;

	if (sqlite3_prepare_v2(l->db, "SELECT node FROM share WHERE user = ?",
	    -1, &st, NULL) == SQLITE_OK)
		sqlite3_bind_int64(st, 1, l->user);
	while (sqlite3_step(st) == SQLITE_ROW)
		n = find_missing(l, sqlite3_column_int64(st, 0), m, n);
	sqlite3_finalize(st);
	if (n == 0)
		goto out;
	json_open(&l->o, "cr", '[');
	json_open(&l->o, NULL, '[');
	for (size_t i = 0; i < n; i++)
		json_put(&l->o, NULL, m[i].share);
	json_close(&l->o, ']');
	json_open(&l->o, NULL, '[');
	for (size_t i = 0; i < n; i++)
		json_put(&l->o, NULL, m[i].node);
	json_close(&l->o, ']');
	json_open(&l->o, NULL, '[');
	for (size_t i = 0; i < 2 * n; i++)
		json_put_int(&l->o, NULL, (int64_t)i / 2);
	json_close(&l->o, ']');
	json_close(&l->o, ']');
out:
	free(m);
}

static void
finish(struct list *l)
{
	char sn[ID_TEXT];

	if (l->home == 0) {
		static const char *const empty[] = { "ps", "ipc", "opc" };

		if (l->part == 0)
			put_missing(l);
		for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
			json_open(&l->o, empty[i], '[');
			json_close(&l->o, ']');
		}
	} else {
		json_put_int(&l->o, "noc", 1);
	}
	json_put(&l->o, "sn", id_text(sn, l->sn));
	json_close(&l->o, '}');
	buf_addstr(&l->out, l->tail);
}

/* Write some rows more.  0, 1 when all is written, or ERR_LOCAL. */
static int
more(struct list *l)
{
	unsigned of = l->home != 0 ? LINK : l->part != 0 ? PART : ALL;
	int r;

	while (l->stage->name != NULL && (l->stage->of & of) == 0)
		l->stage++;
	if (l->stage->name == NULL) {
		finish(l);
		return 1;
	}
	if (l->st == NULL && (r = stage_begin(l)) < 0)
		return r;
	for (int i = 0; i < ROWS; i++) {
		r = sqlite3_step(l->st);
		if (r == SQLITE_ROW) {
			l->stage->put(l);
			continue;
		}
		return r == SQLITE_DONE ? stage_end(l) : ERR_LOCAL;
	}
	return buf_check(&l->out);
}

ssize_t
list_read(void *ctx, char *p, size_t n)
{
	struct list *l = ctx;
	int r;

	if (l->out.len - l->sent < n) {
		buf_drop(&l->out, l->sent);
		l->sent = 0;
	}
	while (l->tail != NULL && l->out.len - l->sent < n) {
		if (l->db == NULL && (r = begin(l)) < 0)
			return r;
		if ((r = more(l)) < 0)
			return r;
		if (r == 1) {
			free(l->tail);
			l->tail = NULL;
		}
	}
	if (n > l->out.len - l->sent)
		n = l->out.len - l->sent;
	if (n > 0)
		memcpy(p, l->out.p + l->sent, n);
	l->sent += n;
	return (ssize_t)n;
}

void
list_free(void *ctx)
{
	struct list *l = ctx;

	if (l == NULL)
		return;
	sqlite3_finalize(l->st);
	sqlite3_close(l->db);
	free(l->todo);
	free(l->tail);
	buf_free(&l->out);
	free(l);
}

struct f_args {
	char n[9];
	int64_t part;
};

static const struct shape f_shape[] = {
	SHAPE(f_args, n, "n", SHAPE_HANDLE, SHAPE_EMPTY, 8, 8),
	SHAPE(f_args, part, "part", SHAPE_INT, SHAPE_LAX, 0, 1),
	SHAPE_END
};

static int
f_run(struct cs *c, const void *args)
{
	const struct f_args *a = args;
	struct node n = { .h = 0 };
	int r;

	if (a->part && (r = node_find(c, &n, handle_read(a->n, 8))) < 0)
		return r;
	return list_open(c, n.h);
}

const struct cs_command list_commands[] = {
	{ "f", f_run, f_shape, sizeof(struct f_args), CS_ANY },
	{ NULL, NULL, NULL, 0, 0 }
};
