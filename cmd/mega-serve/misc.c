/* Quota, and what official clients ask along the way. */

#include <stdio.h>
#include <string.h>

#include "err.h"
#include "secret.h"

#include "cs.h"
#include "nodes.h"

struct uq_args {
	int64_t strg, xfer, pro;
};

static const struct shape uq_shape[] = {
	SHAPE(uq_args, strg, "strg", SHAPE_INT, SHAPE_LAX, 0, 9),
	SHAPE(uq_args, xfer, "xfer", SHAPE_INT, SHAPE_LAX, 0, 9),
	SHAPE(uq_args, pro, "pro", SHAPE_INT, SHAPE_LAX, 0, 9),
	SHAPE_END
};

/* Bytes, files, folders, and bytes and files of old versions below a root. */
static void
put_root(struct cs *c, int64_t root)
{
	sqlite3_stmt *st;
	char text[HANDLE_TEXT];

	st = sql(c->db, "WITH RECURSIVE t(h) AS (VALUES(?1) UNION ALL"
	    " SELECT n.h FROM t JOIN node n ON n.parent = t.h)"
	    " SELECT total(n.s), sum(n.t = 0 AND NOT n.ver), sum(n.t = 1),"
	    " total(iif(n.ver, n.s, 0)), sum(n.ver)"
	    " FROM t CROSS JOIN node n ON n.h = t.h", "i", root);
	if (sql_row(st) == 1) {
		json_open(&c->out, handle_text(text, root), '[');
		for (int i = 0; i < 5; i++)
			json_put_int(&c->out, NULL,
			    sqlite3_column_int64(st, i));
		json_close(&c->out, ']');
	}
	sql_end(st);
}

static void
put_storage(struct cs *c, int64_t used)
{
	static const char *const roots[] = {
		"SELECT root FROM user WHERE id = ?",
		"SELECT inbox FROM user WHERE id = ?",
		"SELECT bin FROM user WHERE id = ?",
	};
	int64_t all = c->srv->storage;

	json_put_int(&c->out, "cstrg", used);
	json_open(&c->out, "cstrgn", '{');
	for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
		put_root(c, sql_int(c->db, 0, roots[i], "i", c->user));
	json_close(&c->out, '}');
	json_put_int(&c->out, "uslw", 9000);
	json_put_int(&c->out, "usl", used >= all ? 2 :
	    used >= all / 10 * 9 ? 1 : 0);
}

static void
put_transfer(struct cs *c)
{
	const struct server *s = c->srv;
	int64_t now = store_now();

	json_put_int(&c->out, "caxfer", s->sent);
	json_put_int(&c->out, "csxfer", 0);
	if (s->transfer >= 0)
		json_put_int(&c->out, "mxfer", s->transfer);
	json_open(&c->out, "tah", '[');
	for (int i = 0; i < 6; i++)
		json_put_int(&c->out, NULL, i == 5 ? s->sent : 0);
	json_close(&c->out, ']');
	json_put_int(&c->out, "bt", s->window == 0 ? 0 : now - s->window);
	json_put_int(&c->out, "tar", 0);
	json_put_int(&c->out, "rua", 0);
	json_put_int(&c->out, "ruo", 0);
}

static int
uq_run(struct cs *c, const void *args)
{
	const struct uq_args *a = args;
	int64_t used = sql_int(c->db, 0, "SELECT used FROM user"
	    " WHERE id = ?", "i", c->user);

	json_open(&c->out, NULL, '{');
	json_put_int(&c->out, "mstrg", c->srv->storage);
	if (a->strg)
		put_storage(c, used);
	if (a->xfer)
		put_transfer(c);
	json_put_int(&c->out, "utype", 0);
	if (a->pro) {
		json_open(&c->out, "balance", '[');
		json_open(&c->out, NULL, '[');
		json_put(&c->out, NULL, "0.00");
		json_put(&c->out, NULL, "EUR");
		json_close(&c->out, ']');
		json_close(&c->out, ']');
	}
	json_close(&c->out, '}');
	return 0;
}

struct qbq_args {
	int64_t s;
};

static const struct shape qbq_shape[] = {
	SHAPE(qbq_args, s, "s", SHAPE_INT, SHAPE_LAX | SHAPE_REQUIRED, 0,
	    INT64_MAX),
	SHAPE_END
};

/* Would a download of that size go over quota? */
static int
qbq_run(struct cs *c, const void *args)
{
	const struct qbq_args *a = args;

	if (c->srv->transfer >= 0 &&
	    a->s > c->srv->transfer - c->srv->sent)
		json_put_int(&c->out, NULL, 1);
	return 0;
}

/* Why the account is blocked: a number, 0 if it is not. */
static int
why_run(struct cs *c, const void *args)
{
	(void)args;
	json_put_int(&c->out, NULL, sql_int(c->db, 0,
	    "SELECT blocked FROM user WHERE id = ?", "i", c->user));
	return 0;
}

static int
flags_run(struct cs *c, const void *args)
{
	(void)args;
	json_open(&c->out, NULL, '{');
	json_put_int(&c->out, "ach", 0);
	json_put_int(&c->out, "mfae", 1);
	json_close(&c->out, '}');
	return 0;
}

/* Statistics: thank you. */
static int
done_run(struct cs *c, const void *args)
{
	(void)c;
	(void)args;
	return 0;
}

static int
empty_run(struct cs *c, const void *args)
{
	(void)args;
	json_open(&c->out, NULL, '[');
	json_close(&c->out, ']');
	return 0;
}

static int
none_run(struct cs *c, const void *args)
{
	(void)c;
	(void)args;
	return ERR_NOENT;
}

/* A folder sync or a backup announces itself and gets an id. */
static int
sp_run(struct cs *c, const void *args)
{
	uint8_t id[8];

	(void)args;
	secret_random(id, sizeof id);
	json_put_b64(&c->out, NULL, id, sizeof id);
	return 0;
}

struct uge_args {
	struct slice u;
};

static const struct shape uge_shape[] = {
	SHAPE(uge_args, u, "u", SHAPE_B64, SHAPE_REQUIRED, 11, 11),
	SHAPE_END
};

/* A user's address. */
static int
uge_run(struct cs *c, const void *args)
{
	const struct uge_args *a = args;
	sqlite3_stmt *st;

	st = sql(c->db, "SELECT email FROM user WHERE h = ?"
	    " AND email IS NOT NULL", "s", a->u);
	if (sql_row(st) != 1)
		return ERR_NOENT;
	json_put(&c->out, NULL, sql_text(st, 0));
	sql_end(st);
	return 0;
}

const struct cs_command misc_commands[] = {
	{ "uq", uq_run, uq_shape, sizeof(struct uq_args), CS_SID },
	{ "qbq", qbq_run, qbq_shape, sizeof(struct qbq_args), 0 },
	{ "whyamiblocked", why_run, NULL, 0, CS_SID | CS_BLOCKED },
	{ "gmf", flags_run, NULL, 0, CS_BLOCKED },
	{ "log", done_run, NULL, 0, 0 },
	{ "clog", done_run, NULL, 0, 0 },
	{ "uge", uge_run, uge_shape, sizeof(struct uge_args), CS_SID },
	{ "sp", sp_run, NULL, 0, CS_SID },
	{ "sphb", done_run, NULL, 0, CS_SID },
	{ "sr", done_run, NULL, 0, CS_SID },
	{ "sf", empty_run, NULL, 0, CS_SID },
	{ "utt", empty_run, NULL, 0, CS_SID },
	{ "utp", empty_run, NULL, 0, CS_SID },
	{ "stp", none_run, NULL, 0, CS_SID },
	{ "pk", none_run, NULL, 0, CS_SID },
	{ "gpsa", none_run, NULL, 0, CS_SID },
	{ "ftz", none_run, NULL, 0, CS_SID },
	{ NULL, NULL, NULL, 0, 0 }
};
