/* Registration by mail, and the second factor. */

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "err.h"
#include "mem.h"
#include "secret.h"
#include "totp.h"

#include "account.h"

#define EMAIL_MAX  190
#define NAME_MAX_B64 1024
#define CODE_MAX   4096
#define TOKEN_SIZE 15
#define HASH_SIZE  8
#define SEED_SIZE  20  /* bytes: 32 characters of base32 */

static const char magic[] = "ConfirmCodeV2";

struct uc_args {
	struct slice m, n, k, c;
	struct slice crv, hak;
};

static const struct shape uc_shape[] = {
	SHAPE(uc_args, m, "m", SHAPE_B64, SHAPE_REQUIRED, 4,
	    B64_LEN(EMAIL_MAX)),
	SHAPE(uc_args, n, "n", SHAPE_B64, SHAPE_REQUIRED, 0, NAME_MAX_B64),
	SHAPE(uc_args, k, "k", SHAPE_B64, 0, 22, 22),
	SHAPE(uc_args, c, "c", SHAPE_B64, 0, 43, 43),
	SHAPE(uc_args, crv, "crv", SHAPE_B64, 0, 22, 22),
	SHAPE(uc_args, hak, "hak", SHAPE_B64, 0, 22, 22),
	SHAPE_END
};

/* Text that came as base64; NUL-terminated, the caller frees it. */
static char *
plain(struct slice b64)
{
	char *s = xmalloc(B64_BYTES(b64.n) + 1);

	s[b64_decode((uint8_t *)s, b64.p, b64.n)] = '\0';
	return s;
}

/* What the mailed link holds: clients take address and name from it. */
static void
make_code(struct buf *code, const uint8_t *front, size_t n,
    const char *email, const char *name)
{
	uint8_t token[TOKEN_SIZE], hash[HASH_SIZE];
	struct buf b = BUF_MAX(CODE_MAX);
	char *text;

	secret_random(token, sizeof token);
	secret_random(hash, sizeof hash);
	buf_add(&b, front, n);
	buf_add(&b, token, sizeof token);
	buf_printf(&b, "%s\t%s", email, name);
	buf_add(&b, hash, sizeof hash);
	text = xmalloc(B64_LEN(b.len) + 1);
	buf_addstr(code, b64_encode(text, b.p, b.len));
	free(text);
	buf_free(&b);
}

/* A mail is a file in the folder that --mail names, if any. */
static int
send_mail(const struct server *s, const char *email, const char *code)
{
	uint8_t id[6];
	char text[B64_LEN(sizeof id) + 1];
	char *path;
	FILE *f;
	int r = 0;

	if (s->mail == NULL)
		return 0;
	if (mkdir(s->mail, 0700) < 0 && errno != EEXIST)
		return ERR_TEMPUNAVAIL;
	secret_random(id, sizeof id);
	path = xasprintf("%s/%s.eml", s->mail, b64_encode(text, id,
	    sizeof id));
	if ((f = fopen(path, "wxe")) != NULL) {
		fprintf(f, "To: %s\nSubject: Your account\n\n"
		    "https://mega.nz/#confirm%s\n", email, code);
		r = ferror(f) ? ERR_TEMPUNAVAIL : 0;
	}
	if (f == NULL || fclose(f) != 0)
		r = ERR_TEMPUNAVAIL;
	free(path);
	return r;
}

static int
taken(struct cs *c, const char *email)
{
	return sql_int(c->db, 0, "SELECT 1 FROM user WHERE email = ?", "t",
	    email) == 1;
}

/* Send the mail of a registration under way once more. */
static int
resend(struct cs *c, const char *email)
{
	sqlite3_stmt *st;
	char *code;
	int r;

	st = sql(c->db, "UPDATE signup SET email = ? WHERE user = ?"
	    " RETURNING code", "ti", email, c->user);
	if (sql_row(st) != 1)
		return ERR_NOENT;
	code = xstrdup(sql_text(st, 0));
	while (sql_row(st) == 1)
		;
	r = send_mail(c->srv, email, code);
	free(code);
	return r;
}

static int
store_signup(struct cs *c, const struct uc_args *a, const char *email,
    const char *name, int v)
{
	struct buf code = BUF_MAX(CODE_MAX);
	uint8_t front[32], hak[16], crv[16];
	size_t n = v == 1 ? 32 : sizeof magic - 1;
	struct slice k = v == 1 ? (struct slice){ a->c.p, 43 } : a->k;
	int r = ERR_ARGS;

	if (v == 1) {
		if (cs_bytes(front, 32, a->c) < 0)
			goto out;
	} else {
		memcpy(front, magic, n);
		if (a->k.p == NULL || cs_bytes(hak, 16, a->hak) < 0 ||
		    cs_bytes(crv, 16, a->crv) < 0)
			goto out;
	}
	make_code(&code, front, n, email, name);
	r = sql_do(c->db, "INSERT OR REPLACE INTO signup(user, code, email,"
	    " name, k, hak, crv, v) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
	    "itttsbbd", c->user, buf_str(&code), email, name, k,
	    v == 1 ? NULL : hak, (size_t)16, v == 1 ? NULL : crv,
	    (size_t)16, v);
	if (r >= 0)
		r = send_mail(c->srv, email, buf_str(&code));
out:
	buf_free(&code);
	return r < 0 ? r : 0;
}

static int
register_as(struct cs *c, const struct uc_args *a, int v)
{
	char *typed = plain(a->m), *name = plain(a->n);
	char *email = cs_email((struct slice){ typed, strlen(typed) });
	int r;

	if (strchr(email, '@') == NULL || strpbrk(email, "\r\n\t ") != NULL)
		r = ERR_ARGS;
	else if (taken(c, email))
		r = ERR_EXIST;
	else if (a->k.p == NULL && a->c.p == NULL)
		r = resend(c, email);
	else
		r = store_signup(c, a, email, name, v);
	free(typed);
	free(name);
	free(email);
	return r;
}

static int
uc2_run(struct cs *c, const void *args)
{
	return register_as(c, args, 2);
}

static int
uc_run(struct cs *c, const void *args)
{
	return register_as(c, args, 1);
}

struct ud_args {
	struct slice c;
};

static const struct shape ud_shape[] = {
	SHAPE(ud_args, c, "c", SHAPE_B64, SHAPE_REQUIRED, 1, CODE_MAX),
	SHAPE_END
};

static void
put_b64_text(struct json_out *o, const char *text)
{
	json_put_b64(o, NULL, text, strlen(text));
}

/* Confirm: the account gets its address and its password. */
static int
ud2_run(struct cs *c, const void *args)
{
	const struct ud_args *a = args;
	sqlite3_stmt *st;
	int r;

	r = sql_do(c->db, "UPDATE user SET email = s.email, name = s.name,"
	    " ver = 2, k = s.k, auth = s.hak, crv = s.crv FROM signup s"
	    " WHERE user.id = s.user AND s.code = ? AND s.v = 2"
	    " AND NOT EXISTS (SELECT 1 FROM user x WHERE x.email = s.email)",
	    "s", a->c);
	if (r <= 0)
		return r < 0 ? r : ERR_NOENT;
	st = sql(c->db, "SELECT u.email, u.name, u.h FROM signup s"
	    " JOIN user u ON u.id = s.user WHERE s.code = ?", "s", a->c);
	if (sql_row(st) == 1) {
		json_open(&c->out, NULL, '[');
		put_b64_text(&c->out, sql_text(st, 0));
		put_b64_text(&c->out, sql_text(st, 1));
		json_put(&c->out, NULL, sql_text(st, 2));
		json_put_int(&c->out, NULL, 2);
		json_close(&c->out, ']');
	}
	sql_end(st);
	r = sql_do(c->db, "DELETE FROM signup WHERE code = ?", "s", a->c);
	return r < 0 ? r : 0;
}

/* Old accounts: look at the code; "up" with it confirms. */
static int
ud_run(struct cs *c, const void *args)
{
	const struct ud_args *a = args;
	uint8_t both[32];
	sqlite3_stmt *st;

	st = sql(c->db, "SELECT s.email, s.name, u.h, s.k FROM signup s"
	    " JOIN user u ON u.id = s.user WHERE s.code = ? AND s.v = 1",
	    "s", a->c);
	if (sql_row(st) != 1)
		return ERR_NOENT;
	b64_decode(both, sql_text(st, 3), 43);
	json_open(&c->out, NULL, '[');
	put_b64_text(&c->out, sql_text(st, 0));
	put_b64_text(&c->out, sql_text(st, 1));
	json_put(&c->out, NULL, sql_text(st, 2));
	json_put_b64(&c->out, NULL, both, 16);
	json_put_b64(&c->out, NULL, both + 16, 16);
	json_close(&c->out, ']');
	sql_end(st);
	return 0;
}

int
signup_confirm_v1(struct cs *c, struct slice code, struct slice uh)
{
	uint8_t both[32], auth[8];
	char k[B64_LEN(16) + 1];
	sqlite3_stmt *st;
	int64_t user;
	int r;

	if (cs_bytes(auth, sizeof auth, uh) < 0)
		return ERR_ARGS;
	st = sql(c->db, "SELECT user, k FROM signup WHERE code = ?"
	    " AND v = 1", "s", code);
	if (sql_row(st) != 1)
		return ERR_NOENT;
	user = sqlite3_column_int64(st, 0);
	b64_decode(both, sql_text(st, 1), 43);
	sql_end(st);
	r = sql_do(c->db, "UPDATE user SET email = s.email, ver = 1, k = ?,"
	    " name = s.name, auth = ? FROM signup s WHERE user.id = s.user"
	    " AND s.user = ? AND NOT EXISTS"
	    " (SELECT 1 FROM user x WHERE x.email = s.email)", "tbi",
	    b64_encode(k, both, 16), auth, sizeof auth, user);
	if (r <= 0)
		return r < 0 ? r : ERR_EXIST;
	r = sql_do(c->db, "DELETE FROM signup WHERE user = ?", "i", user);
	return r < 0 ? r : 0;
}

struct mfa_args {
	struct slice e, mfa;
};

static const struct shape mfa_shape[] = {
	SHAPE(mfa_args, e, "e", SHAPE_TEXT, SHAPE_EMPTY, 1, EMAIL_MAX),
	SHAPE(mfa_args, mfa, "mfa", SHAPE_TEXT, SHAPE_EMPTY, 1, 16),
	SHAPE_END
};

/* Has the account a second factor? */
static int
mfag_run(struct cs *c, const void *args)
{
	const struct mfa_args *a = args;
	char *email = cs_email(a->e);
	int64_t is = sql_int(c->db, -1, "SELECT mfa IS NOT NULL FROM user"
	    " WHERE email = ?", "t", email);

	free(email);
	if (is < 0)
		return ERR_NOENT;
	json_put_int(&c->out, NULL, is);
	return 0;
}

static void
base32(char out[SEED_SIZE * 8 / 5 + 1], const uint8_t seed[SEED_SIZE])
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	unsigned bits = 0, have = 0;
	size_t n = 0;

	for (size_t i = 0; i < SEED_SIZE; i++) {
		bits = bits << 8 | seed[i];
		for (have += 8; have >= 5; have -= 5)
			out[n++] = set[bits >> (have - 5) & 31];
	}
	out[n] = '\0';
}

/* Begin to set a second factor up: the seed. */
static int
mfa_begin(struct cs *c)
{
	uint8_t seed[SEED_SIZE];
	char text[SEED_SIZE * 8 / 5 + 1];
	int r;

	secret_random(seed, sizeof seed);
	base32(text, seed);
	r = sql_do(c->db, "UPDATE user SET mfanew = ? WHERE id = ?"
	    " AND mfa IS NULL", "ti", text, c->user);
	if (r > 0)
		json_put(&c->out, NULL, text);
	return r < 0 ? r : r == 0 ? ERR_EXIST : 0;
}

/* With a code of the new seed it counts from now on. */
static int
mfas_run(struct cs *c, const void *args)
{
	const struct mfa_args *a = args;
	int r;

	if (a->mfa.p == NULL)
		return mfa_begin(c);
	r = sql_do(c->db, "UPDATE user SET mfa = mfanew, mfanew = NULL"
	    " WHERE id = ? AND mfanew IS NOT NULL", "i", c->user);
	if (r <= 0)
		return r < 0 ? r : ERR_NOENT;
	return account_mfa(c->db, c->user, a->mfa);
}

static int
mfad_run(struct cs *c, const void *args)
{
	const struct mfa_args *a = args;
	int r = account_mfa(c->db, c->user, a->mfa);

	if (r == 0)
		r = sql_do(c->db, "UPDATE user SET mfa = NULL WHERE id = ?",
		    "i", c->user);
	return r < 0 ? r : 0;
}

const struct cs_command signup_commands[] = {
	{ "uc", uc_run, uc_shape, sizeof(struct uc_args),
	    CS_SID | CS_CHANGE },
	{ "uc2", uc2_run, uc_shape, sizeof(struct uc_args),
	    CS_SID | CS_CHANGE },
	{ "ud", ud_run, ud_shape, sizeof(struct ud_args), 0 },
	{ "ud2", ud2_run, ud_shape, sizeof(struct ud_args), CS_CHANGE },
	{ "mfag", mfag_run, mfa_shape, sizeof(struct mfa_args), 0 },
	{ "mfas", mfas_run, mfa_shape, sizeof(struct mfa_args),
	    CS_SID | CS_CHANGE },
	{ "mfad", mfad_run, mfa_shape, sizeof(struct mfa_args),
	    CS_SID | CS_CHANGE },
	{ NULL, NULL, NULL, 0, 0 }
};
