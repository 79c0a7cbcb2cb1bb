/* Accounts: how they are made, and what they know of themselves. */

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

const struct cs_command account_commands[] = {
	{ "up", up, up_shape, sizeof(struct up_args), CS_CHANGE },
	{ "avu", avu, avu_shape, sizeof(struct avu_args),
	    CS_SID | CS_CHANGE },
	{ "ug", ug, v_shape, sizeof(struct v_args), CS_SID },
	{ NULL, NULL, NULL, 0, 0 }
};
