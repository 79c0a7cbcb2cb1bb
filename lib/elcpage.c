#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <tomcrypt.h>

#include "aescbc.h"
#include "b64.h"
#include "elcpage.h"
#include "err.h"
#include "json.h"
#include "kdf.h"
#include "secret.h"

/* A token: version, nonce, encrypted key, tag. */
#define VERSION    1
#define NONCE_SIZE 12
#define TAG_SIZE   16
#define AT_NONCE   1
#define AT_KEY     (AT_NONCE + NONCE_SIZE)
#define AT_TAG     (AT_KEY + ELC_KEY_SIZE)
#define TOKEN_SIZE (AT_TAG + TAG_SIZE)

static_assert(B64_LEN(TOKEN_SIZE) + 1 == ELCPAGE_TOKEN_TEXT,
    "ELCPAGE_TOKEN_TEXT is the size of a token");

/* A legacy token: IV, and the base64 text of the key, encrypted. */
#define KEY_CHARS     (ELC_KEY_TEXT - 1)
#define LEGACY_SIZE   (AESCBC_BLOCK_SIZE + KEY_CHARS)
#define LEGACY_CHARS  (LEGACY_SIZE / 3 * 4)
#define PASSWORD_MAX  32

static void
unescape(struct buf *out, struct slice s)
{
	int v;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '+') {
			buf_addch(out, ' ');
		} else if (s.p[i] == '%' && s.n - i > 2 &&
		    (v = b64_hex(s.p + i + 1, 2)) >= 0) {
			buf_addch(out, v);
			i += 2;
		} else {
			buf_addch(out, s.p[i]);
		}
	}
}

/* The part of s up to ch, which s is then behind. */
static struct slice
cut(struct slice *s, char ch)
{
	const char *end = s->n > 0 ? memchr(s->p, ch, s->n) : NULL;
	struct slice part = { s->p, end != NULL ? (size_t)(end - s->p) :
	    s->n };
	size_t n = part.n + (end != NULL);

	s->p += n;
	s->n -= n;
	return part;
}

void
elcpage_form_read(struct elcpage_form *f, struct slice body)
{
	struct {
		const char *name;
		struct buf *value;
		int seen;
	} fields[] = {
		{ "OPERATION_TYPE", &f->operation, 0 },
		{ "DATA", &f->data, 0 },
		{ "USER", &f->user, 0 },
		{ "APIKEY", &f->apikey, 0 },
	};
	struct slice pair, name;

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		buf_init(fields[i].value, ELCPAGE_BODY_MAX);
	while (body.n > 0) {
		pair = cut(&body, '&');
		name = cut(&pair, '=');
		for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
			if (!fields[i].seen && name.n ==
			    strlen(fields[i].name) &&
			    memcmp(name.p, fields[i].name, name.n) == 0) {
				fields[i].seen = 1;
				unescape(fields[i].value, pair);
			}
	}
}

void
elcpage_form_free(struct elcpage_form *f)
{
	buf_wipe(&f->operation);
	buf_wipe(&f->data);
	buf_wipe(&f->user);
	buf_wipe(&f->apikey);
}

/* Copy n characters of a base64 text, blanks as the '+' they were.  0, or -1
 * if there is another number or a foreign one. */
static int
restore(char *dst, struct slice text, size_t n)
{
	if (text.n != n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		dst[i] = text.p[i] == ' ' ? '+' : text.p[i];
		if (dst[i] == '-' || dst[i] == '_')
			return -1;
	}
	return 0;
}

int
elcpage_key_read(uint8_t key[ELC_KEY_SIZE], struct slice text)
{
	char s[KEY_CHARS];

	if (restore(s, text, sizeof s) < 0 ||
	    b64_decode_exact(key, ELC_KEY_SIZE, s, sizeof s) < 0)
		return err_set(ERR_PROTO, "not a container's key");
	return 0;
}

/* One key for each use, from the secret. */
static void
subkey(uint8_t out[32], const uint8_t secret[ELCPAGE_SECRET_SIZE],
    const char *use)
{
	kdf_hmac_sha256(out, secret, ELCPAGE_SECRET_SIZE, use, strlen(use));
}

/*
 * AES-256-GCM over the key in a token, its version authenticated, too.
 *
 * Reads key and writes the token's, or the reverse; tag is what the token's
 * should be.  gcm_memory is no help: in libtomcrypt 1.18 it does not check
 * the tag that it is given.
 */
static void
crypt_token(uint8_t token[TOKEN_SIZE], uint8_t key[ELC_KEY_SIZE],
    const uint8_t secret[ELCPAGE_SECRET_SIZE], int direction,
    uint8_t tag[TAG_SIZE])
{
	gcm_state g;
	uint8_t k[32];
	unsigned long n = TAG_SIZE;
	int aes = register_cipher(&aes_desc);
	int r;

	subkey(k, secret, "ELC token");
	r = gcm_init(&g, aes, k, sizeof k);
	if (r == CRYPT_OK)
		r = gcm_add_iv(&g, token + AT_NONCE, NONCE_SIZE);
	if (r == CRYPT_OK)
		r = gcm_add_aad(&g, token, AT_NONCE);
	if (r == CRYPT_OK)
		r = gcm_process(&g, key, ELC_KEY_SIZE, token + AT_KEY,
		    direction);
	if (r == CRYPT_OK)
		r = gcm_done(&g, tag, &n);
	/* Every argument is ours: only a broken library could refuse. */
	if (r != CRYPT_OK)
		abort();
	secret_zero(&g, sizeof g);
	secret_zero(k, sizeof k);
}

char *
elcpage_token(char out[ELCPAGE_TOKEN_TEXT],
    const uint8_t secret[ELCPAGE_SECRET_SIZE],
    const uint8_t key[ELC_KEY_SIZE])
{
	uint8_t token[TOKEN_SIZE] = { VERSION }, k[ELC_KEY_SIZE];

	memcpy(k, key, sizeof k);
	secret_random(token + AT_NONCE, NONCE_SIZE);
	crypt_token(token, k, secret, GCM_ENCRYPT, token + AT_TAG);
	secret_zero(k, sizeof k);
	return b64_encode(out, token, sizeof token);
}

int
elcpage_token_open(uint8_t key[ELC_KEY_SIZE],
    const uint8_t secret[ELCPAGE_SECRET_SIZE], struct slice text)
{
	uint8_t token[TOKEN_SIZE], tag[TAG_SIZE];

	if (b64_decode_exact(token, sizeof token, text.p, text.n) == 0 &&
	    token[0] == VERSION) {
		crypt_token(token, key, secret, GCM_DECRYPT, tag);
		if (secret_equal(tag, token + AT_TAG, sizeof tag))
			return 0;
		secret_zero(key, ELC_KEY_SIZE);
	}
	return err_set(ERR_MAC, "not a token of this server");
}

int
elcpage_token_open_legacy(uint8_t key[ELC_KEY_SIZE], const char *password,
    struct slice text)
{
	char s[LEGACY_CHARS];
	uint8_t token[LEGACY_SIZE], *cipher = token + AESCBC_BLOCK_SIZE;
	uint8_t k[PASSWORD_MAX] = { 0 };
	size_t n = strlen(password);
	int r = -1;

	if (n > sizeof k)
		n = sizeof k;
	memcpy(k, password, n);
	if (restore(s, text, sizeof s) == 0 &&
	    b64_decode_exact(token, sizeof token, s, sizeof s) == 0) {
		/* mcrypt fills the password up with zeros to the next size
		 * of key that AES has. */
		aescbc_decrypt(k, n <= 16 ? 16 : n <= 24 ? 24 : 32, token,
		    cipher, cipher, KEY_CHARS);
		r = elcpage_key_read(key, (struct slice){ (char *)cipher,
		    KEY_CHARS });
	}
	secret_zero(k, sizeof k);
	secret_zero(token, sizeof token);
	return r < 0 ? err_set(ERR_MAC, "not a token of the old page") : 0;
}

void
elcpage_apikey_hash(uint8_t hash[32],
    const uint8_t secret[ELCPAGE_SECRET_SIZE], struct slice user,
    struct slice apikey)
{
	struct buf b = BUF_MAX(2 * ELCPAGE_BODY_MAX + 1);
	uint8_t k[32];

	subkey(k, secret, "ELC API key");
	buf_add(&b, user.p, user.n);
	buf_addch(&b, '\0');
	buf_add(&b, apikey.p, apikey.n);
	kdf_hmac_sha256(hash, k, sizeof k, buf_str(&b), b.len);
	secret_zero(k, sizeof k);
	buf_wipe(&b);
}

int
elcpage_reply(struct buf *out, const char *e, const char *d)
{
	struct json_out o = { out, 0 };

	json_open(&o, NULL, '{');
	json_put(&o, "e", e);
	json_put(&o, "d", d);
	json_close(&o, '}');
	return buf_check(out);
}

static void
add_html(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++)
		if (strchr("&<>\"'", *text) != NULL)
			buf_printf(out, "&#%d;", *text);
		else
			buf_addch(out, *text);
}

static void
add_row(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "<dt>%s</dt>\n<dd><code>", name);
	add_html(out, value);
	buf_addstr(out, "</code></dd>\n");
}

int
elcpage_html(struct buf *out, const struct megalink_config *c)
{
	struct buf link = BUF_MAX(65536);
	int r;

	if ((r = megalink_config_write(&link, c)) < 0)
		goto out;
	buf_addstr(out, "<!DOCTYPE html>\n<html lang=\"en\">\n"
	    "<meta charset=\"utf-8\">\n"
	    "<meta name=\"referrer\" content=\"no-referrer\">\n"
	    "<title>Your ELC account</title>\n<h1>Your ELC account</h1>\n"
	    "<p>These settings open the community's ELC containers. The "
	    "API key is yours alone, and is shown this once.</p>\n<dl>\n");
	add_row(out, "URL", c->url);
	add_row(out, "User", c->user);
	add_row(out, "API key", c->key);
	buf_addstr(out, "</dl>\n<p><a href=\"");
	add_html(out, buf_str(&link));
	buf_addstr(out, "\">Set it up with one click</a></p>\n"
	    "<p>Without MegaDownloader, give the same link to "
	    "<code>mega-elc --add -</code>:</p>\n<pre>");
	add_html(out, buf_str(&link));
	buf_addstr(out, "</pre>\n</html>\n");
	r = buf_check(out);
out:
	buf_wipe(&link);
	return r;
}
