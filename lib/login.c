#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aes.h"
#include "b64.h"
#include "err.h"
#include "kdf.h"
#include "key.h"
#include "login.h"
#include "mem.h"
#include "rsa.h"
#include "secret.h"
#include "shape.h"

#define EMAIL_MAX 190
#define TEXT_MAX  4096  /* characters of a key in a reply */
#define BLANKS    " \t\r\n"

/* What a password is good for: to open the master key, and to prove itself. */
struct proof {
	int64_t version;
	uint8_t key[16];
	uint8_t uh[16];      /* KDF_UH1_SIZE of them in version 1 */
};

char *
login_email(const char *typed)
{
	size_t n;
	char *s;

	typed += strspn(typed, BLANKS);
	n = strlen(typed);
	while (n > 0 && strchr(BLANKS, typed[n - 1]) != NULL)
		n--;
	if (n > EMAIL_MAX || memchr(typed, '@', n) == NULL ||
	    !json_utf8(typed, n)) {
		err_set(ERR_USAGE, "that is no e-mail address");
		return NULL;
	}
	s = xstrndup(typed, n);
	for (char *p = s; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return s;
}

/* Bytes of exactly some length.  0 or ERR_PROTO. */
static int
get_bytes(uint8_t *out, size_t want, struct slice text, const char *name)
{
	uint8_t b[B64_BYTES(TEXT_MAX)];
	int r = 0;

	if (b64_decode(b, text.p, text.n) == want)
		memcpy(out, b, want);
	else
		r = err_set(ERR_PROTO, "reply to \"us\": member \"%s\": want "
		    "%zu bytes", name, want);
	secret_zero(b, sizeof b);
	return r;
}

/* The reply to "us".  Servers put padding behind base64, so the text comes
 * as it is. */
struct us {
	struct slice k, privk, csid, tsid, sek;
	char user[12];
};

#define TEXT(f, name) SHAPE(us, f, name, SHAPE_TEXT, SHAPE_EMPTY, 1, TEXT_MAX)

static const struct shape us_shape[] = {
	TEXT(k, "k"), TEXT(privk, "privk"), TEXT(csid, "csid"),
	TEXT(tsid, "tsid"), TEXT(sek, "sek"),
	SHAPE(us, user, "u", SHAPE_HANDLE, SHAPE_EMPTY, 0, 11),
	SHAPE_END
};

/* Open the account's private key and keep it, as it came, in the session. */
static int
open_private(struct session *s, struct slice text, struct rsa_private **k)
{
	uint8_t sealed[B64_BYTES(TEXT_MAX)], blob[sizeof sealed];
	char b64[TEXT_MAX + 1];
	size_t n = b64_decode(sealed, text.p, text.n);
	struct aes a;
	int r;

	aes_init(&a, s->master);
	aes_decrypt(&a, blob, sealed, n / AES_BLOCK_SIZE);
	aes_wipe(&a);
	r = rsa_private_unpack(k, blob, n / AES_BLOCK_SIZE * AES_BLOCK_SIZE);
	if (r == 0) {
		free(s->privk);
		s->privk = xstrdup(b64_encode(b64, sealed, n));
	}
	secret_zero(blob, sizeof blob);
	return r;
}

/* The session id of an account with a key pair. */
static int
open_csid(struct session *s, const struct us *us, int lax)
{
	uint8_t box[B64_BYTES(TEXT_MAX)], sid[SID_SIZE];
	struct rsa_private *k = NULL;
	size_t n = b64_decode(box, us->csid.p, us->csid.n);
	int r;

	if (us->privk.p == NULL)
		return err_set(ERR_PROTO, "reply to \"us\": no member "
		    "\"privk\"");
	if ((r = open_private(s, us->privk, &k)) == 0)
		r = sid_from_csid(sid, k, box, n, us->user[0] != '\0' ?
		    us->user : NULL, lax);
	if (r == 0)
		b64_encode(s->sid, sid, sizeof sid);
	rsa_private_free(k);
	secret_zero(sid, sizeof sid);
	return r;
}

/* The session id of an account without. */
static int
open_tsid(struct session *s, const struct us *us)
{
	uint8_t sid[SID_SIZE];
	int r;

	if ((r = get_bytes(sid, sizeof sid, us->tsid, "tsid")) < 0)
		return r;
	if (sid_proves(sid, s->master))
		b64_encode(s->sid, sid, sizeof sid);
	else
		r = err_set(ERR_KEY, "the session id does not prove the "
		    "master key");
	secret_zero(sid, sizeof sid);
	return r;
}

int
login_reply(struct session *s, struct json *j, int v, const uint8_t key[16],
    int lax)
{
	struct us us = { 0 };
	uint8_t wrapped[16];
	int r;

	if ((r = shape_read("reply to \"us\"", us_shape, j, v, &us)) < 0)
		return r;
	if (key != NULL) {
		if (us.k.p == NULL)
			return err_set(ERR_PROTO, "reply to \"us\": no "
			    "member \"k\"");
		if ((r = get_bytes(wrapped, 16, us.k, "k")) < 0)
			return r;
		key_unwrap(s->master, wrapped, 16, key);
	}
	memcpy(s->user, us.user, sizeof s->user);
	if (us.tsid.p != NULL)
		return open_tsid(s, &us);
	if (us.csid.p != NULL)
		return open_csid(s, &us, lax);
	return err_set(ERR_PROTO, "reply to \"us\": no session id");
}

/* The reply to "us0". */
struct us0 {
	int64_t version;
	struct slice salt;
};

static const struct shape us0_shape[] = {
	SHAPE(us0, version, "v", SHAPE_INT, SHAPE_REQUIRED, 1, 255),
	SHAPE(us0, salt, "s", SHAPE_TEXT, SHAPE_EMPTY, 1, 128),
	SHAPE_END
};

/* Compute the proof for an account of the version that "us0" told. */
static int
prove(struct proof *p, const struct login *l, const struct us0 *us0)
{
	uint8_t salt[B64_BYTES(128)];

	if (us0->version > 2)
		return err_set(ERR_PROTO, "accounts of version %d are newer "
		    "than this program", (int)us0->version);
	p->version = us0->version;
	if (p->version == 1) {
		kdf_v1(p->key, p->uh, l->password, l->email);
		return 0;
	}
	if (b64_decode(salt, us0->salt.p != NULL ? us0->salt.p : "",
	    us0->salt.n) != KDF_SALT_SIZE)
		return err_set(ERR_PROTO, "reply to \"us0\": no salt");
	kdf_v2(p->key, p->uh, l->password, salt);
	return 0;
}

/* Ask how the password has to be used.  The version may change at any time,
 * so this is asked at every login. */
static int
ask_version(struct account *a, const char *email, struct json *j,
    struct us0 *us0)
{
	struct api_cmd c = { 0 };
	struct json_out o = api_begin(&c, "us0");
	int r;

	json_put(&o, "user", email);
	if ((r = api_wait(a->api, &c, &o, j)) < 0)
		return r;
	return shape_read("reply to \"us0\"", us0_shape, j, r, us0);
}

int
login_version(struct account *a, const char *email)
{
	struct json j = { 0 };
	struct us0 us0 = { 0 };
	int r = ask_version(a, email, &j, &us0);

	json_free(&j);
	return r < 0 ? r : (int)us0.version;
}

static int
prelogin(struct account *a, const struct login *l, struct proof *p)
{
	struct json j = { 0 };
	struct us0 us0 = { 0 };
	int r = ask_version(a, l->email, &j, &us0);

	if (r == 0)
		r = prove(p, l, &us0);
	json_free(&j);
	return r;
}

/* "us", with a code or NULL.  What api_wait gives. */
static int
ask_session(struct account *a, const struct login *l, const struct proof *p,
    const char *code, struct json *j)
{
	struct api_cmd c = { 0 };
	struct json_out o = api_begin(&c, "us");
	uint8_t sek[16];

	/* The session key, which the service keeps for session strings. */
	secret_random(sek, sizeof sek);
	json_put(&o, "user", l->email);
	json_put_b64(&o, "uh", p->uh, p->version == 1 ? KDF_UH1_SIZE :
	    sizeof p->uh);
	json_put_b64(&o, "sek", sek, sizeof sek);
	if (code != NULL)
		json_put(&o, "mfa", code);
	secret_zero(sek, sizeof sek);
	return api_wait(a->api, &c, &o, j);
}

/* What the service's errors mean at login. */
static int
explain(int r)
{
	switch (r) {
	case ERR_NOENT:
		return err_set(ERR_LOGIN, "wrong e-mail or password");
	case ERR_FAILED:
		return err_set(ERR_LOGIN, "wrong code of the second factor");
	case ERR_MFAREQUIRED:
		return err_set(ERR_LOGIN, "the account asks for a second "
		    "factor");
	case ERR_INCOMPLETE:
		return err_set(r, "the account is not confirmed yet: open the "
		    "link in the mail, or give it to mega-reg --confirm");
	case ERR_TOOMANY:
		return err_set(r, "too many attempts to log in; the service "
		    "wants an hour without any");
	case ERR_EXPIRED:
		return err_set(ERR_AGAIN, "the account was converted this "
		    "moment; log in again");
	case ERR_BLOCKED:
		return err_set(r, "the account is blocked; the web site says "
		    "why");
	default:
		return r;
	}
}

/* Ask for a session, and again with the second factor if there is one. */
static int
authenticate(struct account *a, const struct login *l, const struct proof *p,
    struct json *j)
{
	char code[LOGIN_CODE_MAX];
	int r = ask_session(a, l, p, NULL, j);

	if (r == ERR_MFAREQUIRED) {
		if ((r = l->code(l->ctx, code)) < 0)
			return r;
		r = ask_session(a, l, p, code, j);
		secret_zero(code, sizeof code);
	}
	return r < 0 ? explain(r) : r;
}

/* Whether we talk to an emulator on this machine: whatever else may be
 * talked to is https. */
static int
is_local(const struct account *a)
{
	return strncmp(a->session.api, "http://", 7) == 0;
}

/* A new session, with nothing in it but where the service is. */
static void
reset(struct account *a)
{
	char *url = xstrdup(session_url(NULL));

	session_free(&a->session);
	a->session = (struct session){ .api = url,
	    .extra = BUF_MAX(SESSION_FILE_MAX) };
}

/* See whether the session works, and whose it is. */
static int
verify(struct account *a)
{
	struct account_info info;
	int r;

	account_use(a);
	if ((r = account_info(a, &info)) < 0)
		return r;
	if (a->session.user[0] != '\0' &&
	    strcmp(a->session.user, info.user) != 0) {
		r = err_set(ERR_PROTO, "the session belongs to another user "
		    "than the service said");
	} else {
		memcpy(a->session.user, info.user, sizeof a->session.user);
		free(a->session.email);
		a->session.email = info.email;
		info.email = NULL;
	}
	account_info_free(&info);
	return r;
}

void
login_put_password(struct json_out *o, const char *key, const char *password,
    const uint8_t master[16])
{
	uint8_t crv[KDF_CRV_SIZE], salt[KDF_SALT_SIZE];
	uint8_t pwkey[16], uh[16], hak[16], wrapped[16];

	secret_random(crv, sizeof crv);
	kdf_v2_salt(salt, crv);
	kdf_v2(pwkey, uh, password, salt);
	kdf_v2_hak(hak, uh);
	key_wrap(wrapped, master, 16, pwkey);
	json_put_b64(o, "crv", crv, sizeof crv);
	json_put_b64(o, key, wrapped, sizeof wrapped);
	json_put_b64(o, "hak", hak, sizeof hak);
	secret_zero(pwkey, sizeof pwkey);
	secret_zero(uh, sizeof uh);
}

/* "avu": from version 1 to 2.  The master key stays, and so do sessions. */
static int
upgrade(struct account *a, const struct login *l)
{
	struct api_cmd c = { 0 };
	struct json_out o;
	int r;

	/* Version 1 takes any bytes; nobody could type these elsewhere. */
	if (!json_utf8(l->password, strlen(l->password)))
		return err_set(ERR_USAGE, "the password is no UTF-8, which "
		    "version 2 needs");
	o = api_begin(&c, "avu");
	login_put_password(&o, "emk", l->password, a->session.master);
	r = api_wait(a->api, &c, &o, NULL);
	/* Another client was faster. */
	if (r == ERR_EXIST)
		return 0;
	return r < 0 ? err_prefix(r, "upgrade: ") : 0;
}

int
login_password(struct account *a, const struct login *l)
{
	struct proof p = { 0 };
	struct json j = { 0 };
	int r;

	reset(a);
	if ((r = prelogin(a, l, &p)) < 0 ||
	    (r = authenticate(a, l, &p, &j)) < 0 ||
	    (r = login_reply(&a->session, &j, r, p.key, is_local(a))) < 0)
		goto out;
	if ((r = verify(a)) == 0 && l->upgrade && p.version == 1)
		r = upgrade(a, l);
	if (r < 0)
		account_abandon(a, r);
out:
	secret_zero(&p, sizeof p);
	json_free(&j);
	return r;
}

/* "us" under a session that goes on: its keys, and the session key. */
static int
resume(struct account *a, struct json *j, struct us *us)
{
	struct api_cmd c = { 0 };
	struct json_out o = api_begin(&c, "us");
	uint8_t sek[16];
	int r;

	/* One is sent for sessions that began without; the service never
	 * replaces one that it has. */
	secret_random(sek, sizeof sek);
	json_put_b64(&o, "sek", sek, sizeof sek);
	secret_zero(sek, sizeof sek);
	if ((r = api_wait(a->api, &c, &o, j)) < 0)
		return r;
	return shape_read("reply to \"us\"", us_shape, j, r, us);
}

/* The session key that the service keeps. */
static int
session_key(uint8_t key[16], const struct us *us)
{
	if (us->sek.p == NULL)
		return err_set(ERR_PROTO, "the service keeps no key for this "
		    "session");
	return get_bytes(key, 16, us->sek, "sek");
}

/* Put the master key of a string into the session, and prove it. */
static int
open_master(struct session *s, const struct sid_string *string,
    const struct us *us)
{
	struct rsa_private *k = NULL;
	uint8_t key[16];
	int r = 0;

	if (string->wrapped) {
		if ((r = session_key(key, us)) < 0)
			return r;
		key_unwrap(s->master, string->master, 16, key);
		secret_zero(key, sizeof key);
	} else {
		memcpy(s->master, string->master, 16);
	}
	if (us->privk.p != NULL) {
		r = open_private(s, us->privk, &k);
		rsa_private_free(k);
	} else if (!sid_proves(string->sid, s->master)) {
		r = ERR_KEY;
	}
	return r < 0 ? err_set(r, "the session string's key is not that of "
	    "the account") : 0;
}

int
login_string(struct account *a, const char *text, size_t n)
{
	struct sid_string s = { 0 };
	struct json j = { 0 };
	struct us us = { 0 };
	int r;

	reset(a);
	if ((r = sid_string_parse(&s, text, n)) < 0)
		goto out;
	b64_encode(a->session.sid, s.sid, sizeof s.sid);
	account_use(a);
	if ((r = resume(a, &j, &us)) < 0 ||
	    (r = open_master(&a->session, &s, &us)) < 0)
		goto out;
	memcpy(a->session.user, us.user, sizeof a->session.user);
	r = verify(a);
out:
	secret_zero(&s, sizeof s);
	json_free(&j);
	return r;
}

int
login_export(struct account *a, char out[SID_STRING_MAX + 1])
{
	struct sid_string s = { .wrapped = 1 };
	struct json j = { 0 };
	struct us us = { 0 };
	uint8_t key[16];
	int r;

	if ((r = resume(a, &j, &us)) < 0 || (r = session_key(key, &us)) < 0)
		goto out;
	if (b64_decode_exact(s.sid, sizeof s.sid, a->session.sid,
	    strlen(a->session.sid)) < 0) {
		r = err_set(ERR_PROTO, "the session id is of no official "
		    "form, and fits no session string");
		goto out;
	}
	key_wrap(s.master, a->session.master, 16, key);
	sid_string_print(out, &s);
out:
	secret_zero(key, sizeof key);
	secret_zero(&s, sizeof s);
	json_free(&j);
	return r;
}
