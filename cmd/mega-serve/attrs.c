/* User attributes. */

#include <stdio.h>
#include <string.h>

#include "b64.h"
#include "err.h"
#include "secret.h"

#include "attrs.h"
#include "events.h"

#define VALUE_MAX     65536        /* characters, but … */
#define VALUE_BIG_MAX (16 << 20)   /* … of those without history */
#define NAME_MAX_LEN  64

/* Members of the commands, and of ug's reply, that are no attributes. */
static int
is_attribute(struct slice name)
{
	static const char *const not[] = {
		"a", "i", "v", "c", "p", "mfa", "st", "mk", "u", "s", "k",
		"ts", "email", "privk", "pubk", "since", "aav", "flags",
	};

	if (name.n == 0 || name.n > NAME_MAX_LEN)
		return 0;
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] <= ' ' || name.p[i] > '~' ||
		    name.p[i] == '"' || name.p[i] == '\\')
			return 0;
	}
	for (size_t i = 0; i < sizeof not / sizeof *not; i++) {
		if (strlen(not[i]) == name.n &&
		    memcmp(not[i], name.p, name.n) == 0)
			return 0;
	}
	return 1;
}

/* The names whose second character says so have no history, but size. */
static size_t
value_max(struct slice name)
{
	return name.n > 1 && (name.p[1] == '!' || name.p[1] == '~') ?
	    VALUE_BIG_MAX : VALUE_MAX;
}

/* The value and the version that the client knows, of a member. */
static int
read_value(struct cs *c, int v, int versioned, struct slice *value,
    struct slice *known)
{
	int first;

	*known = (struct slice){ NULL, 0 };
	if (versioned) {
		if (json_type(c->j, v) != JSON_ARRAY ||
		    (first = json_first(c->j, v)) < 0)
			return ERR_ARGS;
		if (json_next(c->j, first) >= 0)
			*known = json_raw(c->j, json_next(c->j, first));
		v = first;
	}
	if (json_type(c->j, v) != JSON_STRING)
		return ERR_ARGS;
	*value = json_text(c->j, v);
	return 0;
}

static int
check_version(struct cs *c, struct slice name, struct slice known)
{
	sqlite3_stmt *st;
	int same;

	st = sql(c->db, "SELECT version FROM attr WHERE user = ?"
	    " AND name = ?", "is", c->user, name);
	if (sql_row(st) != 1)
		return 0;
	same = known.p != NULL && strlen(sql_text(st, 0)) == known.n &&
	    memcmp(sql_text(st, 0), known.p, known.n) == 0;
	sql_end(st);
	return same ? 0 : ERR_EXPIRED;
}

static int
put_attribute(struct cs *c, struct slice name, struct slice value,
    char version[12])
{
	uint8_t b[8];
	int r;

	if (value.n > value_max(name))
		return ERR_ARGS;
	secret_random(b, sizeof b);
	b64_encode(version, b, sizeof b);
	r = sql_do(c->db, "INSERT OR REPLACE INTO attr VALUES(?, ?, ?, ?)",
	    "isst", c->user, name, value, version);
	if (r >= 0 && name.n == 4 && memcmp(name.p, "name", 4) == 0)
		r = sql_do(c->db, "UPDATE user SET name = ? WHERE id = ?",
		    "si", value, c->user);
	return r < 0 ? r : 0;
}

/* The packet about attributes: their names, then their versions. */
static int
tell(struct cs *c, const struct buf *names, const struct buf *versions)
{
	struct buf b = BUF_MAX(1 << 20);
	struct json_out o;
	int r;

	event_begin(c, &o, &b, "ua");
	json_put(&o, "u", c->handle);
	json_open(&o, "ua", '[');
	buf_add(&b, names->p, names->len);
	json_close(&o, ']');
	json_open(&o, "v", '[');
	buf_add(&b, versions->p, versions->len);
	json_close(&o, ']');
	event_end(&o);
	r = event_send(c, c->user, &b);
	buf_free(&b);
	return r;
}

int
attrs_put_members(struct cs *c, int versioned)
{
	struct buf names = BUF_MAX(1 << 18), versions = BUF_MAX(1 << 18);
	struct json_out no = { .b = &names }, vo = { .b = &versions };
	struct slice name, value, known;
	char version[12];
	int r = 0;

	for (int k = json_first(c->j, c->cmd); k >= 0 && r == 0;
	    k = json_next(c->j, k)) {
		name = json_raw(c->j, k);
		if (!is_attribute(name))
			continue;
		r = read_value(c, json_value(c->j, k), versioned, &value,
		    &known);
		if (r == 0 && versioned)
			r = check_version(c, name, known);
		if (r == 0)
			r = put_attribute(c, name, value, version);
		json_put_n(&no, NULL, name.p, name.n);
		json_put(&vo, NULL, version);
	}
	if (r == 0 && names.len > 0)
		r = tell(c, &names, &versions);
	buf_free(&names);
	buf_free(&versions);
	return r;
}

/* The versions of what a command just stored: what up2 and upv answer. */
static int
put_and_answer(struct cs *c, int versioned)
{
	sqlite3_stmt *st;
	struct slice name;
	int r = attrs_put_members(c, versioned);

	if (r < 0)
		return r;
	json_open(&c->out, NULL, '{');
	for (int k = json_first(c->j, c->cmd); k >= 0;
	    k = json_next(c->j, k)) {
		name = json_raw(c->j, k);
		if (!is_attribute(name))
			continue;
		st = sql(c->db, "SELECT name, version FROM attr"
		    " WHERE user = ? AND name = ?", "is", c->user, name);
		if (sql_row(st) == 1)
			json_put(&c->out, sql_text(st, 0), sql_text(st, 1));
		sql_end(st);
	}
	json_close(&c->out, '}');
	return 0;
}

static int
up2(struct cs *c, const void *args)
{
	(void)args;
	return put_and_answer(c, 0);
}

static int
upv(struct cs *c, const void *args)
{
	(void)args;
	return put_and_answer(c, 1);
}

void
attrs_put_all(struct cs *c, struct json_out *o, int v)
{
	sqlite3_stmt *st;

	st = sql(c->db, "SELECT name, value, version FROM attr"
	    " WHERE user = ? AND name NOT IN ('name', 'email')", "i",
	    c->user);
	while (sql_row(st) == 1) {
		if (v == 0) {
			json_put(o, sql_text(st, 0), sql_text(st, 1));
			continue;
		}
		json_open(o, sql_text(st, 0), '{');
		json_put(o, "av", sql_text(st, 1));
		json_put(o, "v", sql_text(st, 2));
		json_close(o, '}');
	}
}

struct uga_args {
	struct slice u, ua;
	int64_t v;
};

static const struct shape uga_shape[] = {
	SHAPE(uga_args, u, "u", SHAPE_TEXT, SHAPE_EMPTY, 1, 190),
	SHAPE(uga_args, ua, "ua", SHAPE_TEXT, SHAPE_REQUIRED, 1,
	    NAME_MAX_LEN),
	SHAPE(uga_args, v, "v", SHAPE_INT, SHAPE_LAX, 0, 9),
	SHAPE_END
};

static int64_t
find_user(struct cs *c, struct slice u)
{
	if (u.p == NULL)
		return c->user;
	return sql_int(c->db, 0, "SELECT id FROM user WHERE h = ?1"
	    " OR email = lower(?1)", "s", u);
}

/* What one user may read of another. */
static int
is_public(struct slice name)
{
	return name.p[0] == '+' ||
	    (name.n == 9 && memcmp(name.p, "firstname", 9) == 0) ||
	    (name.n == 8 && memcmp(name.p, "lastname", 8) == 0);
}

static int
uga(struct cs *c, const void *args)
{
	const struct uga_args *a = args;
	int64_t user = find_user(c, a->u);
	sqlite3_stmt *st;

	if (user == 0 || (user != c->user && !is_public(a->ua)))
		return ERR_NOENT;
	st = sql(c->db, "SELECT value, version FROM attr WHERE user = ?"
	    " AND name = ?", "is", user, a->ua);
	if (sql_row(st) != 1)
		return ERR_NOENT;
	if (a->v == 0) {
		json_put(&c->out, NULL, sql_text(st, 0));
	} else {
		json_open(&c->out, NULL, '{');
		json_put(&c->out, "av", sql_text(st, 0));
		json_put(&c->out, "v", sql_text(st, 1));
		json_close(&c->out, '}');
	}
	sql_end(st);
	return 0;
}

static int
upr(struct cs *c, const void *args)
{
	const struct uga_args *a = args;
	struct buf name = BUF_MAX(256), version = BUF_MAX(256);
	struct json_out no = { .b = &name }, vo = { .b = &version };
	int r;

	r = sql_do(c->db, "DELETE FROM attr WHERE user = ? AND name = ?",
	    "is", c->user, a->ua);
	if (r <= 0)
		return r < 0 ? r : ERR_NOENT;
	json_put_n(&no, NULL, a->ua.p, a->ua.n);
	json_put(&vo, NULL, "");
	r = tell(c, &name, &version);
	buf_free(&name);
	buf_free(&version);
	return r;
}

struct uk_args {
	struct slice u;
};

static const struct shape uk_shape[] = {
	SHAPE(uk_args, u, "u", SHAPE_TEXT, SHAPE_REQUIRED, 1, 190),
	SHAPE_END
};

/* A user's public key. */
static int
uk(struct cs *c, const void *args)
{
	const struct uk_args *a = args;
	sqlite3_stmt *st;

	st = sql(c->db, "SELECT h, pubk FROM user WHERE id = ?", "i",
	    find_user(c, a->u));
	if (sql_row(st) != 1)
		return ERR_NOENT;
	json_open(&c->out, NULL, '{');
	json_put(&c->out, "u", sql_text(st, 0));
	if (sqlite3_column_type(st, 1) != SQLITE_NULL)
		json_put(&c->out, "pubk", sql_text(st, 1));
	json_close(&c->out, '}');
	sql_end(st);
	return 0;
}

const struct cs_command attrs_commands[] = {
	{ "up2", up2, NULL, 0, CS_SID | CS_CHANGE },
	{ "upv", upv, NULL, 0, CS_SID | CS_CHANGE },
	{ "upr", upr, uga_shape, sizeof(struct uga_args),
	    CS_SID | CS_CHANGE },
	{ "uga", uga, uga_shape, sizeof(struct uga_args), 0 },
	{ "uk", uk, uk_shape, sizeof(struct uk_args), CS_SID },
	{ NULL, NULL, NULL, 0, 0 }
};
