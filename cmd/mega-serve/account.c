/* Accounts and sessions. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aes.h"
#include "b64.h"
#include "err.h"
#include "kdf.h"
#include "key.h"
#include "mem.h"
#include "rsa.h"
#include "secret.h"
#include "totp.h"

#include "account.h"
#include "attrs.h"

#define WRONG_MAX  10   /* wrong passwords, then -6 … */
#define WRONG_LIFE 600  /* … for so many seconds */
#define CSID_TOTAL 255  /* what the web client insists on */

static int64_t
new_root(struct store *db, int64_t user, int t)
{
	int64_t h = handle_new(db);

	sql_do(db, "INSERT INTO node(h, user, parent, t, a, k, ts)"
	    " VALUES(?, ?, 0, ?, '', '', ?)", "iidi", h, user, t,
	    store_now());
	return h;
}

int64_t
account_new(struct store *db, const char *k, const char *ts, char handle[12])
{
	uint8_t b[8];
	int64_t id, root, inbox, bin;

	secret_random(b, sizeof b);
	b64_encode(handle, b, sizeof b);
	if (sql_do(db, "INSERT INTO user(h, ver, k, ts, since)"
	    " VALUES(?, 0, ?, ?, ?)", "ttti", handle, k, ts,
	    store_now()) < 0)
		return ERR_LOCAL;
	id = sqlite3_last_insert_rowid(db->db);
	root = new_root(db, id, 2);
	inbox = new_root(db, id, 3);
	bin = new_root(db, id, 4);
	if (sql_do(db, "UPDATE user SET root = ?, inbox = ?, bin = ?"
	    " WHERE id = ?", "iiii", root, inbox, bin, id) < 0)
		return ERR_LOCAL;
	return id;
}

/*
 * The RSA pair that accounts made here share: all that it protects is the
 * session id, on its way to a client of this machine, and one takes a
 * second to make.
 */
static int
rsa_pair(struct store *db, struct buf *priv, struct buf *pub)
{
	struct rsa_private *k = NULL;
	struct rsa_public *p = NULL;
	uint8_t out[RSA_BLOB_MAX];
	sqlite3_stmt *st;
	int r;

	st = sql(db, "SELECT (SELECT value FROM meta WHERE name = 'rsa'),"
	    " (SELECT value FROM meta WHERE name = 'rsapub')", "");
	if (sql_row(st) == 1 && sqlite3_column_bytes(st, 0) > 0) {
		buf_add(priv, sqlite3_column_blob(st, 0),
		    (size_t)sqlite3_column_bytes(st, 0));
		buf_add(pub, sqlite3_column_blob(st, 1),
		    (size_t)sqlite3_column_bytes(st, 1));
		sql_end(st);
		return 0;
	}
	sql_end(st);
	if ((r = rsa_generate(&k, &p, 2048)) < 0)
		return r;
	buf_add(priv, out, rsa_private_pack(k, out));
	buf_add(pub, out, rsa_public_pack(p, out));
	sql_do(db, "INSERT INTO meta VALUES('rsa', ?), ('rsapub', ?)", "bb",
	    priv->p, priv->len, pub->p, pub->len);
	secret_zero(out, sizeof out);
	rsa_private_free(k);
	rsa_public_free(p);
	return 0;
}

/* How an account proves itself and opens its master key. */
struct credentials {
	int version;
	uint8_t auth[16];   /* user hash (8 bytes) or hashed key */
	size_t authlen;
	uint8_t crv[16];
	uint8_t pwkey[16];
};

static void
derive(struct credentials *c, const char *email, const char *password,
    int version, const uint8_t *crv)
{
	uint8_t salt[KDF_SALT_SIZE], uh[16];

	c->version = version;
	c->authlen = version == 1 ? KDF_UH1_SIZE : 16;
	if (version == 1) {
		kdf_v1(c->pwkey, c->auth, password, email);
		return;
	}
	if (crv == NULL)
		secret_random(c->crv, sizeof c->crv);
	else
		memcpy(c->crv, crv, sizeof c->crv);
	kdf_v2_salt(salt, c->crv);
	kdf_v2(c->pwkey, uh, password, salt);
	kdf_v2_hak(c->auth, uh);
	secret_zero(uh, sizeof uh);
}

static char *
wrapped(char out[B64_LEN(RSA_BLOB_MAX) + 1], const uint8_t *p, size_t n,
    const uint8_t by[16])
{
	uint8_t w[RSA_BLOB_MAX];
	struct aes a;

	aes_init(&a, by);
	aes_encrypt(&a, w, p, n / 16);
	aes_wipe(&a);
	return b64_encode(out, w, n);
}

/* Give a new user its password, keys and address. */
static int
equip(struct store *db, int64_t id, const char *email,
    const struct credentials *cr, const uint8_t master[16], const char *seed)
{
	struct buf priv = BUF_MAX(RSA_BLOB_MAX), pub = BUF_MAX(RSA_BLOB_MAX);
	char privk[B64_LEN(RSA_BLOB_MAX) + 1], pubk[B64_LEN(RSA_BLOB_MAX) + 1];
	int r;

	if ((r = rsa_pair(db, &priv, &pub)) < 0)
		goto out;
	wrapped(privk, (uint8_t *)priv.p, priv.len, master);
	b64_encode(pubk, pub.p, pub.len);
	r = sql_do(db, "UPDATE user SET email = ?, name = ?, ver = ?,"
	    " auth = ?, crv = ?, privk = ?, pubk = ?, mfa = ?"
	    " WHERE id = ?", "ttdbbttti", email, email, cr->version,
	    cr->auth, cr->authlen, cr->crv, sizeof cr->crv, privk, pubk,
	    seed, id);
out:
	buf_wipe(&priv);
	buf_free(&pub);
	return r < 0 ? r : 0;
}

int
account_create(struct store *db, const char *address, const char *password,
    int version, const char *seed)
{
	char *email = cs_email((struct slice){ address, strlen(address) });
	struct credentials cr = { 0 };
	uint8_t master[16], ssc[32], w[16];
	char k[B64_LEN(16) + 1], ts[B64_LEN(32) + 1], handle[12];
	int64_t id;
	int r = 0;

	if (sql_int(db, 0, "SELECT id FROM user WHERE email = ?", "t",
	    email) > 0)
		goto out;
	secret_random(master, sizeof master);
	secret_random(ssc, 16);
	key_wrap(ssc + 16, ssc, 16, master);
	derive(&cr, email, password, version, NULL);
	key_wrap(w, master, 16, cr.pwkey);
	b64_encode(k, w, sizeof w);
	b64_encode(ts, ssc, sizeof ssc);
	sql_do(db, "BEGIN IMMEDIATE", "");
	id = account_new(db, k, ts, handle);
	r = id < 0 ? (int)id : equip(db, id, email, &cr, master, seed);
	if (sql_do(db, r < 0 ? "ROLLBACK" : "COMMIT", "") < 0)
		r = ERR_LOCAL;
out:
	secret_zero(master, sizeof master);
	secret_zero(&cr, sizeof cr);
	free(email);
	return r;
}

int
account_master(struct store *db, uint8_t master[16], const char *address,
    const char *password)
{
	char *email = cs_email((struct slice){ address, strlen(address) });
	struct credentials cr = { 0 };
	uint8_t w[16];
	sqlite3_stmt *st;
	int r = ERR_NOENT;

	st = sql(db, "SELECT ver, crv, k FROM user WHERE email = ?", "t",
	    email);
	if (sql_row(st) == 1 && b64_decode_exact(w, 16, sql_text(st, 2),
	    strlen(sql_text(st, 2))) == 0) {
		derive(&cr, email, password, sqlite3_column_int(st, 0),
		    sqlite3_column_blob(st, 1));
		key_unwrap(master, w, 16, cr.pwkey);
		r = 0;
	}
	sql_end(st);
	secret_zero(&cr, sizeof cr);
	free(email);
	return r;
}

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
	char text[B64_LEN(RSA_SID_SIZE) + 1], h[12];
	uint8_t id[8];
	int r;

	secret_random(id, sizeof id);
	r = sql_do(c->db, "INSERT INTO session(sid, user, h, sek, ua, ip, si,"
	    " created, used) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)"
	    " ON CONFLICT(sid) DO UPDATE SET used = excluded.used",
	    "titsttsii", b64_encode(text, sid, RSA_SID_SIZE), user,
	    b64_encode(h, id, sizeof id), sek,
	    web_header(c->q, "User-Agent"), c->q->ip, si, store_now(),
	    store_now());
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
	struct slice user, uh, mfa, sek, si;
	int64_t c;
};

static const struct shape us_shape[] = {
	SHAPE(us_args, user, "user", SHAPE_TEXT, SHAPE_EMPTY, 1, 190),
	SHAPE(us_args, uh, "uh", SHAPE_B64, SHAPE_EMPTY, 11, 43),
	SHAPE(us_args, mfa, "mfa", SHAPE_TEXT, SHAPE_EMPTY, 1, 16),
	SHAPE(us_args, sek, "sek", SHAPE_B64, SHAPE_EMPTY, 22, 22),
	SHAPE(us_args, si, "si", SHAPE_B64, SHAPE_EMPTY, 1, 64),
	SHAPE(us_args, c, "c", SHAPE_INT, SHAPE_LAX, 0, 1),
	SHAPE_END
};

int
account_mfa(struct store *db, int64_t user, struct slice code)
{
	sqlite3_stmt *st;
	char want[7];
	int64_t now = store_now();
	int r = 0;

	st = sql(db, "SELECT mfa FROM user WHERE id = ? AND mfa IS NOT NULL",
	    "i", user);
	if (sql_row(st) == 1) {
		r = code.p == NULL ? ERR_MFAREQUIRED : ERR_FAILED;
		/* A clock may be off by one step. */
		for (int64_t t = now - 30; t <= now + 30; t += 30) {
			if (code.n == 6 && totp(want, sql_text(st, 0), t) == 0
			    && memcmp(want, code.p, 6) == 0)
				r = 0;
		}
	}
	sql_end(st);
	return r;
}

static int
wrong_password(struct cs *c, int64_t id)
{
	sql_do(c->db, "UPDATE user SET wrong = wrong + 1, wrongts = ?"
	    " WHERE id = ?", "ii", store_now(), id);
	return ERR_NOENT;
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
	if (!right)
		return wrong_password(c, id);
	return 0;
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
	r = id > 0 ? check_password(c, id, a->uh) : ERR_NOENT;
	if (id == 0 && sql_int(c->db, 0,
	    "SELECT 1 FROM signup WHERE email = ?", "t", user) == 1)
		r = ERR_INCOMPLETE;
	free(user);
	if (r == 0)
		r = account_mfa(c->db, id, a->mfa);
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
	json_put_int(&c->out, "sn", 1);
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

struct up_args {
	struct slice k, ts, uh, crv, privk, pubk, mfa, c;
};

static const struct shape up_shape[] = {
	SHAPE(up_args, k, "k", SHAPE_B64, 0, 22, 22),
	SHAPE(up_args, ts, "ts", SHAPE_B64, 0, 43, 43),
	SHAPE(up_args, uh, "uh", SHAPE_B64, 0, 11, 22),
	SHAPE(up_args, crv, "crv", SHAPE_B64, 0, 22, 22),
	SHAPE(up_args, privk, "privk", SHAPE_B64, 0, 256, 4000),
	SHAPE(up_args, pubk, "pubk", SHAPE_B64, 0, 256, 4000),
	SHAPE(up_args, c, "c", SHAPE_B64, 0, 1, 4096),
	SHAPE(up_args, mfa, "mfa", SHAPE_TEXT, SHAPE_EMPTY, 1, 16),
	SHAPE_END
};

static int
up_new(struct cs *c, const struct up_args *a)
{
	char k[23], ts[44], handle[12];
	int64_t id;

	if (a->k.p == NULL || a->ts.p == NULL)
		return ERR_ARGS;
	snprintf(k, sizeof k, "%.*s", (int)a->k.n, a->k.p);
	snprintf(ts, sizeof ts, "%.*s", (int)a->ts.n, a->ts.p);
	if ((id = account_new(c->db, k, ts, handle)) < 0)
		return (int)id;
	json_put(&c->out, NULL, handle);
	return 0;
}

/* Keys are set once; nobody may slip a user other ones. */
static int
up_keys(struct cs *c, const struct up_args *a)
{
	struct rsa_public *k = NULL;
	uint8_t pub[RSA_BLOB_MAX];
	int r;

	if (a->pubk.p == NULL || B64_BYTES(a->pubk.n) > sizeof pub)
		return ERR_ARGS;
	if (rsa_public_unpack(&k, pub, b64_decode(pub, a->pubk.p,
	    a->pubk.n)) < 0)
		return ERR_ARGS;
	rsa_public_free(k);
	r = sql_do(c->db, "UPDATE user SET privk = ?, pubk = ?"
	    " WHERE id = ? AND privk IS NULL", "ssi", a->privk, a->pubk,
	    c->user);
	return r < 0 ? r : r == 0 ? ERR_ARGS : 0;
}

static int
up_password(struct cs *c, const struct up_args *a)
{
	uint8_t auth[16], crv[16];
	int v = a->crv.p != NULL ? 2 : 1, r;

	if (a->k.p == NULL || cs_bytes(auth, v == 1 ? 8 : 16, a->uh) < 0 ||
	    (v == 2 && cs_bytes(crv, 16, a->crv) < 0))
		return ERR_ARGS;
	if ((r = account_mfa(c->db, c->user, a->mfa)) < 0)
		return r;
	r = sql_do(c->db, "UPDATE user SET ver = ?, k = ?, auth = ?, crv = ?"
	    " WHERE id = ?", "dsbbi", v, a->k, auth,
	    (size_t)(v == 1 ? 8 : 16), v == 2 ? crv : NULL, (size_t)16,
	    c->user);
	return r < 0 ? r : 0;
}

static int
up(struct cs *c, const void *args)
{
	const struct up_args *a = args;
	int r = 0;

	if (c->user == 0)
		return up_new(c, a);
	if (a->c.p != NULL && a->uh.p != NULL)
		r = signup_confirm_v1(c, a->c, a->uh);
	else if (a->uh.p != NULL)
		r = up_password(c, a);
	else if (a->privk.p == NULL)
		r = attrs_put_members(c, 0);
	if (r == 0 && a->privk.p != NULL)
		r = up_keys(c, a);
	if (r == 0)
		json_put(&c->out, NULL, c->handle);
	return r;
}

struct avu_args {
	struct slice emk;
	uint8_t hak[16], crv[16];
};

static const struct shape avu_shape[] = {
	SHAPE(avu_args, emk, "emk", SHAPE_B64, SHAPE_REQUIRED, 22, 22),
	SHAPE(avu_args, hak, "hak", SHAPE_BYTES, SHAPE_REQUIRED, 16, 16),
	SHAPE(avu_args, crv, "crv", SHAPE_BYTES, SHAPE_REQUIRED, 16, 16),
	SHAPE_END
};

/* From version 1 to 2: the official client does so at login. */
static int
avu(struct cs *c, const void *args)
{
	const struct avu_args *a = args;
	int r = sql_do(c->db, "UPDATE user SET ver = 2, k = ?, auth = ?,"
	    " crv = ? WHERE id = ? AND ver = 1", "sbbi", a->emk, a->hak,
	    sizeof a->hak, a->crv, sizeof a->crv, c->user);

	return r < 0 ? r : r == 0 ? ERR_EXIST : 0;
}

struct v_args {
	int64_t v;
};

static const struct shape v_shape[] = {
	SHAPE(v_args, v, "v", SHAPE_INT, SHAPE_LAX, 0, 9),
	SHAPE_END
};

static void
put_optional(struct json_out *o, const char *key, sqlite3_stmt *st, int i)
{
	if (sqlite3_column_type(st, i) != SQLITE_NULL)
		json_put(o, key, sql_text(st, i));
}

static int
ug(struct cs *c, const void *args)
{
	const struct v_args *a = args;
	sqlite3_stmt *st;
	int confirmed;

	st = sql(c->db, "SELECT h, email, name, k, privk, pubk, ts, since,"
	    " mfa IS NOT NULL, email IS NOT NULL, ver FROM user"
	    " WHERE id = ?", "i", c->user);
	if (sql_row(st) != 1)
		return ERR_NOENT;
	confirmed = sqlite3_column_int(st, 9);
	json_open(&c->out, NULL, '{');
	json_put(&c->out, "u", sql_text(st, 0));
	json_put_int(&c->out, "s", 0);
	put_optional(&c->out, "email", st, 1);
	put_optional(&c->out, "name", st, 2);
	json_put(&c->out, "k", sql_text(st, 3));
	put_optional(&c->out, "privk", st, 4);
	put_optional(&c->out, "pubk", st, 5);
	json_put_int(&c->out, "c", confirmed);
	put_optional(&c->out, "ts", st, 6);
	json_put_int(&c->out, "since", sqlite3_column_int64(st, 7));
	json_put_int(&c->out, "aav", sqlite3_column_int(st, 10));
	json_open(&c->out, "flags", '{');
	json_put_int(&c->out, "ach", 0);
	json_put_int(&c->out, "mfae", 1);
	json_put_int(&c->out, "nlfe", 1);
	json_close(&c->out, '}');
	sql_end(st);
	attrs_put_all(c, &c->out, (int)a->v);
	json_close(&c->out, '}');
	return 0;
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

const struct cs_command account_commands[] = {
	{ "us0", us0, us0_shape, sizeof(struct us0_args), CS_BLOCKED },
	{ "us", us, us_shape, sizeof(struct us_args),
	    CS_CHANGE | CS_KEEP | CS_BLOCKED },
	{ "up", up, up_shape, sizeof(struct up_args), CS_CHANGE },
	{ "avu", avu, avu_shape, sizeof(struct avu_args),
	    CS_SID | CS_CHANGE },
	{ "ug", ug, v_shape, sizeof(struct v_args), CS_SID },
	{ "sml", sml, NULL, 0, CS_SID | CS_CHANGE | CS_BLOCKED },
	{ "usl", usl, usl_shape, sizeof(struct usl_args), CS_SID },
	{ "usr", usr, usr_shape, sizeof(struct usr_args),
	    CS_SID | CS_CHANGE },
	{ NULL, NULL, NULL, 0, 0 }
};
