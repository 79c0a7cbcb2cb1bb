/* Sessions: begun, resumed, listed and ended. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "err.h"
#include "kdf.h"
#include "mem.h"
#include "rsa.h"
#include "secret.h"

#include "account.h"
#include "events.h"

#define WRONG_MAX  10   /* wrong passwords, then -6 … */
#define WRONG_LIFE 600  /* … for so many seconds */
#define AGENT_MAX  200  /* bytes of a User-Agent that are listed */
#define CSID_TOTAL 255  /* what the web client insists on */

struct us0_args {
	struct slice user;
};

static const struct shape us0_shape[] = {
	SHAPE(us0_args, user, "user", SHAPE_TEXT, SHAPE_REQUIRED, 1, 190),
	SHAPE_END
};

/* Unknown addresses get a salt as well, always the same. */
static int
us0(struct cs *c, const void *args)
{
	const struct us0_args *a = args;
	char *email = cs_email(a->user);
	uint8_t salt[KDF_SALT_SIZE];
	sqlite3_stmt *st;
	int v = 2;

	st = sql(c->db, "SELECT ver, crv FROM user WHERE email = ?", "t",
	    email);
	if (sql_row(st) != 1)
		kdf_v2_fake_salt(salt, email, c->db->secret,
		    STORE_SECRET_SIZE);
	else if ((v = sqlite3_column_int(st, 0)) == 2)
		kdf_v2_salt(salt, sqlite3_column_blob(st, 1));
	sql_end(st);
	json_open(&c->out, NULL, '{');
	json_put_int(&c->out, "v", v);
	if (v == 2)
		json_put_b64(&c->out, "s", salt, sizeof salt);
	json_close(&c->out, '}');
	free(email);
	return 0;
}

/* A row of user, as far as logging in needs it. */
struct login {
	int64_t id;
	int version;
	char handle[12];
	char k[B64_LEN(16) + 1];
	char ts[B64_LEN(32) + 1];
	char *privk, *pubk;   /* NULL: it has no key pair yet */
};

static void
login_free(struct login *l)
{
	free(l->privk);
	free(l->pubk);
}

static int
login_load(struct store *db, struct login *l, int64_t id)
{
	sqlite3_stmt *st;

	*l = (struct login){ .id = id };
	st = sql(db, "SELECT ver, h, k, ts, privk, pubk FROM user"
	    " WHERE id = ?", "i", id);
	if (sql_row(st) != 1)
		return ERR_NOENT;
	l->version = sqlite3_column_int(st, 0);
	snprintf(l->handle, sizeof l->handle, "%s", sql_text(st, 1));
	snprintf(l->k, sizeof l->k, "%s", sql_text(st, 2));
	snprintf(l->ts, sizeof l->ts, "%s", sql_text(st, 3));
	if (sqlite3_column_type(st, 4) != SQLITE_NULL) {
		l->privk = xstrdup(sql_text(st, 4));
		l->pubk = xstrdup(sql_text(st, 5));
	}
	sql_end(st);
	return 0;
}

static int
store_session(struct cs *c, int64_t user, const uint8_t sid[RSA_SID_SIZE],
    struct slice sek, struct slice si)
{
	char text[B64_LEN(RSA_SID_SIZE) + 1], h[12], ua[AGENT_MAX];
	const char *agent = web_header(c->q, "User-Agent");
	uint8_t id[8];
	int r;

	snprintf(ua, sizeof ua, "%s", agent == NULL ? "" : agent);
	secret_random(id, sizeof id);
	r = sql_do(c->db, "INSERT INTO session(sid, user, h, sek, ua, ip, si,"
	    " created, used) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)"
	    " ON CONFLICT(sid) DO UPDATE SET used = excluded.used",
	    "titsttsii", b64_encode(text, sid, RSA_SID_SIZE), user,
	    b64_encode(h, id, sizeof id), sek,
	    ua, c->q->ip, si, store_now(), store_now());
	return r < 0 ? r : 0;
}

/* A session id: random, with the handle as text in the middle and no zero
 * at the front, where old clients would lose it. */
static void
make_sid(uint8_t sid[RSA_SID_SIZE], const char handle[12])
{
	do
		secret_random(sid, RSA_SID_SIZE);
	while (sid[0] == 0);
	memcpy(sid + 16, handle, 11);
}

/* Begin a session and put it into the reply, as csid or tsid. */
static int
begin_session(struct cs *c, const struct login *l, struct slice sek,
    struct slice si)
{
	uint8_t sid[RSA_SID_SIZE], pub[RSA_BLOB_MAX];
	uint8_t box[RSA_BYTES_MAX + 2], ts[32];
	struct rsa_public *k = NULL;
	int r;

	if (l->privk == NULL) {
		if (b64_decode_exact(ts, sizeof ts, l->ts,
		    strlen(l->ts)) < 0)
			return ERR_INTERNAL;
		memcpy(sid, ts, 16);
		memcpy(sid + 16, l->handle, 11);
		memcpy(sid + 27, ts + 16, 16);
		json_put_b64(&c->out, "tsid", sid, sizeof sid);
		return store_session(c, l->id, sid, sek, si);
	}
	make_sid(sid, l->handle);
	r = rsa_public_unpack(&k, pub, b64_decode(pub, l->pubk,
	    strlen(l->pubk)));
	if (r == 0)
		r = rsa_encrypt(k, box, sid, sizeof sid, CSID_TOTAL);
	rsa_public_free(k);
	if (r < 0)
		return r;
	json_put_b64(&c->out, "csid", box, (size_t)r);
	return store_session(c, l->id, sid, sek, si);
}

struct us_args {
	struct slice user, uh, mfa, sek, si, sn;
	int64_t c;
};

static const struct shape us_shape[] = {
	SHAPE(us_args, user, "user", SHAPE_TEXT, SHAPE_EMPTY, 1, 190),
	SHAPE(us_args, uh, "uh", SHAPE_B64, SHAPE_EMPTY, 11, 43),
	SHAPE(us_args, mfa, "mfa", SHAPE_TEXT, SHAPE_EMPTY, 1, 16),
	SHAPE(us_args, sek, "sek", SHAPE_B64, SHAPE_EMPTY, 22, 22),
	SHAPE(us_args, si, "si", SHAPE_B64, SHAPE_EMPTY, 1, 64),
	SHAPE(us_args, sn, "sn", SHAPE_B64, SHAPE_EMPTY, 11, 11),
	SHAPE(us_args, c, "c", SHAPE_INT, SHAPE_LAX, 0, 1),
	SHAPE_END
};

/* Count an attempt that failed: those of long ago are forgotten. */
static void
count_wrong(struct cs *c, int64_t id)
{
	int64_t now = store_now();

	sql_do(c->db, "UPDATE user SET wrong = iif(wrongts > ?2, wrong, 0)"
	    " + 1, wrongts = ?1 WHERE id = ?3", "iii", now,
	    now - WRONG_LIFE, id);
}

/* Whether the user hash is right: 0 or what us answers. */
static int
check_password(struct cs *c, int64_t id, struct slice uh64)
{
	uint8_t uh[16], got[16];
	sqlite3_stmt *st;
	int v, many, right;

	st = sql(c->db, "SELECT ver, auth, wrong >= ? AND wrongts > ?"
	    " FROM user WHERE id = ?", "dii", WRONG_MAX,
	    store_now() - WRONG_LIFE, id);
	if (sql_row(st) != 1)
		return ERR_NOENT;
	v = sqlite3_column_int(st, 0);
	many = sqlite3_column_int(st, 2);
	if (v == 1) {
		right = cs_bytes(got, 8, uh64) == 0 &&
		    secret_equal(got, sqlite3_column_blob(st, 1), 8);
	} else {
		right = cs_bytes(uh, 16, uh64) == 0;
		if (right)
			kdf_v2_hak(got, uh);
		right = right &&
		    secret_equal(got, sqlite3_column_blob(st, 1), 16);
	}
	sql_end(st);
	if (many)
		return ERR_TOOMANY;
	if (v == 2 && uh64.n == 11)
		return ERR_EXPIRED;
	return right ? 0 : ERR_NOENT;
}

/* Both factors, each of which can be guessed at only so often. */
static int
check_factors(struct cs *c, int64_t id, const struct us_args *a)
{
	int r = check_password(c, id, a->uh);

	if (r == 0)
		r = account_mfa(c->db, id, a->mfa);
	if (r == ERR_NOENT || r == ERR_FAILED)
		count_wrong(c, id);
	return r;
}

/* Find and check who logs in.  The id, or what us answers. */
static int64_t
authenticate(struct cs *c, const struct us_args *a)
{
	char *user;
	int64_t id;
	int r;

	if (memchr(a->user.p, '@', a->user.n) == NULL) {
		/* An ephemeral account: its handle is all there is. */
		id = sql_int(c->db, 0, "SELECT id FROM user WHERE h = ?"
		    " AND email IS NULL", "s", a->user);
		return id > 0 ? id : ERR_NOENT;
	}
	user = cs_email(a->user);
	id = sql_int(c->db, 0, "SELECT id FROM user WHERE email = ?", "t",
	    user);
	r = id > 0 ? check_factors(c, id, a) : ERR_NOENT;
	if (id == 0 && sql_int(c->db, 0,
	    "SELECT 1 FROM signup WHERE email = ?", "t", user) == 1)
		r = ERR_INCOMPLETE;
	free(user);
	return r < 0 ? r : id;
}

static int
us_login(struct cs *c, const struct us_args *a)
{
	struct login l = { 0 };
	int64_t id = authenticate(c, a);
	int r;

	if (id < 0)
		return (int)id;
	sql_do(c->db, "UPDATE user SET wrong = 0 WHERE id = ?", "i", id);
	if ((r = login_load(c->db, &l, id)) < 0)
		return r;
	json_open(&c->out, NULL, '{');
	r = begin_session(c, &l, a->sek, a->si);
	json_put(&c->out, "u", l.handle);
	json_put(&c->out, "k", l.k);
	if (l.privk != NULL)
		json_put(&c->out, "privk", l.privk);
	json_put_int(&c->out, "ach", 0);
	if (a->sek.p != NULL)
		json_put_n(&c->out, "sek", a->sek.p, a->sek.n);
	json_close(&c->out, '}');
	login_free(&l);
	return r;
}

/* A second session for the same user, for the web site. */
static int
us_copy(struct cs *c)
{
	struct slice none = { NULL, 0 };
	struct login l = { 0 };
	int r;

	if ((r = login_load(c->db, &l, c->user)) < 0)
		return r;
	if (l.privk == NULL) {
		r = ERR_ACCESS;
	} else {
		json_open(&c->out, NULL, '{');
		r = begin_session(c, &l, none, none);
		json_close(&c->out, '}');
	}
	login_free(&l);
	return r;
}

/* A session goes on: its key is the one that it began with. */
static int
us_resume(struct cs *c, const struct us_args *a)
{
	struct login l = { 0 };
	sqlite3_stmt *st;
	int r;

	if (a->sek.p != NULL)
		sql_do(c->db, "UPDATE session SET sek = coalesce(sek, ?)"
		    " WHERE id = ?", "si", a->sek, c->session);
	if ((r = login_load(c->db, &l, c->user)) < 0)
		return r;
	json_open(&c->out, NULL, '{');
	json_put(&c->out, "u", l.handle);
	st = sql(c->db, "SELECT sek FROM session WHERE id = ?"
	    " AND sek IS NOT NULL", "i", c->session);
	if (sql_row(st) == 1)
		json_put(&c->out, "sek", sql_text(st, 0));
	sql_end(st);
	if (l.privk != NULL)
		json_put(&c->out, "privk", l.privk);
	json_put_int(&c->out, "ach", 0);
	/* Whether a cached tree can be brought up to date. */
	if (a->sn.p != NULL)
		json_put_int(&c->out, "sn", events_since(c->db, a->sn));
	json_close(&c->out, '}');
	login_free(&l);
	return 0;
}

static int
us(struct cs *c, const void *args)
{
	const struct us_args *a = args;

	if (a->user.p != NULL)
		return us_login(c, a);
	if (c->user == 0)
		return ERR_SID;
	return a->c == 1 ? us_copy(c) : us_resume(c, a);
}

/* The end of the session that asks. */
static int
sml(struct cs *c, const void *args)
{
	int r = sql_do(c->db, "DELETE FROM session WHERE id = ?", "i",
	    c->session);

	(void)args;
	return r < 0 ? r : 0;
}

struct usl_args {
	int64_t x, d;
};

static const struct shape usl_shape[] = {
	SHAPE(usl_args, x, "x", SHAPE_INT, SHAPE_LAX, 0, 9),
	SHAPE(usl_args, d, "d", SHAPE_INT, SHAPE_LAX, 0, 9),
	SHAPE_END
};

static int
usl(struct cs *c, const void *args)
{
	const struct usl_args *a = args;
	sqlite3_stmt *st;

	json_open(&c->out, NULL, '[');
	st = sql(c->db, "SELECT created, used, ua, ip, id = ?, h, si"
	    " FROM session WHERE user = ? ORDER BY used DESC", "ii",
	    c->session, c->user);
	while (sql_row(st) == 1) {
		json_open(&c->out, NULL, '[');
		json_put_int(&c->out, NULL, sqlite3_column_int64(st, 0));
		json_put_int(&c->out, NULL, sqlite3_column_int64(st, 1));
		json_put(&c->out, NULL, sql_text(st, 2));
		json_put(&c->out, NULL, sql_text(st, 3));
		json_put(&c->out, NULL, "XX");
		json_put_int(&c->out, NULL, sqlite3_column_int(st, 4));
		if (a->x != 0) {
			json_put(&c->out, NULL, sql_text(st, 5));
			json_put_int(&c->out, NULL, 1);
		}
		if (a->d != 0)
			json_put(&c->out, NULL, sql_text(st, 6));
		json_close(&c->out, ']');
	}
	json_close(&c->out, ']');
	return 0;
}

struct usr_args {
	int s;
	int64_t ko;
};

static const struct shape usr_shape[] = {
	SHAPE(usr_args, s, "s", SHAPE_ARRAY, 0, 0, 1000),
	SHAPE(usr_args, ko, "ko", SHAPE_INT, SHAPE_LAX, 0, 1),
	SHAPE_END
};

static int
usr(struct cs *c, const void *args)
{
	const struct usr_args *a = args;
	int r = 0;

	if (a->ko == 1)
		r = sql_do(c->db, "DELETE FROM session WHERE user = ?"
		    " AND id <> ?", "ii", c->user, c->session);
	for (int v = json_first(c->j, a->s); v >= 0 && r >= 0;
	    v = json_next(c->j, v)) {
		r = sql_do(c->db, "DELETE FROM session WHERE user = ?"
		    " AND h = ?", "is", c->user, json_raw(c->j, v));
		if (r == 0)
			r = ERR_NOENT;
	}
	return r < 0 ? r : 0;
}

const struct cs_command login_commands[] = {
	{ "us0", us0, us0_shape, sizeof(struct us0_args), CS_BLOCKED },
	{ "us", us, us_shape, sizeof(struct us_args),
	    CS_CHANGE | CS_KEEP | CS_BLOCKED },
	{ "sml", sml, NULL, 0, CS_SID | CS_CHANGE | CS_BLOCKED },
	{ "usl", usl, usl_shape, sizeof(struct usl_args), CS_SID },
	{ "usr", usr, usr_shape, sizeof(struct usr_args),
	    CS_SID | CS_CHANGE },
	{ NULL, NULL, NULL, 0, 0 }
};
