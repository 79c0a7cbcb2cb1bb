#include <stdlib.h>
#include <string.h>

#include "aes.h"
#include "b64.h"
#include "err.h"
#include "login.h"
#include "mem.h"
#include "register.h"
#include "rsa.h"
#include "secret.h"
#include "shape.h"

#define CODE_MAX   8192
#define TOKEN_SIZE 15
#define HASH_SIZE  8
#define KEY_BITS   2048
#define TERMS      "Mq" /* the terms of service are accepted */

static const char magic[] = "ConfirmCodeV2";

/* What goes before the address in a code. */
#define FRONT_SIZE (sizeof magic - 1 + TOKEN_SIZE)

int
register_check_password(const char *password)
{
	size_t n = strlen(password), chars = 0;

	if (!json_utf8(password, n))
		return err_set(ERR_USAGE, "the password is no UTF-8");
	for (size_t i = 0; i < n; i++)
		chars += ((unsigned char)password[i] & 0xc0) != 0x80;
	if (chars < REGISTER_PASSWORD_MIN)
		return err_set(ERR_USAGE, "a password needs %d characters",
		    REGISTER_PASSWORD_MIN);
	/* The web site cuts them off where somebody logs in. */
	if (strchr(" \t", password[0]) != NULL ||
	    strchr(" \t", password[n - 1]) != NULL)
		return err_set(ERR_USAGE, "a password must not begin or end "
		    "with a blank");
	return 0;
}

/* "up": the name, which others will see: the last word is the last name. */
static int
send_name(struct account *a, const char *name)
{
	struct api_cmd c = { 0 };
	struct json_out o = api_begin(&c, "up");
	const char *last = strrchr(name, ' ');
	size_t first = last != NULL ? (size_t)(last - name) : strlen(name);

	last = last != NULL ? last + 1 : "";
	json_put(&o, "terms", TERMS);
	json_put_b64(&o, "firstname", name, first);
	json_put_b64(&o, "lastname", last, strlen(last));
	return api_wait(a->api, &c, &o, NULL);
}

/* "uc2", as far as first and later requests are alike. */
static struct json_out
begin_request(struct api_cmd *c, const struct register_form *f)
{
	struct json_out o = api_begin(c, "uc2");

	json_put_b64(&o, "n", f->name, strlen(f->name));
	json_put_b64(&o, "m", f->email, strlen(f->email));
	json_put_int(&o, "v", 2);
	return o;
}

static int
explain_request(int r)
{
	if (r == ERR_EXIST)
		return err_set(r, "the address belongs to an account already");
	if (r == ERR_NOENT)
		return err_set(r, "no registration is under way");
	return r;
}

int
register_request(struct account *a, const struct register_form *f)
{
	struct api_cmd c = { 0 };
	struct json_out o;
	int r;

	if ((r = send_name(a, f->name)) < 0)
		return r;
	o = begin_request(&c, f);
	login_put_password(&o, "k", f->password, a->session.master);
	return explain_request(api_wait(a->api, &c, &o, NULL));
}

int
register_again(struct account *a, const struct register_form *f)
{
	struct api_cmd c = { 0 };
	struct json_out o = begin_request(&c, f);

	return explain_request(api_wait(a->api, &c, &o, NULL));
}

/* The code in a text: behind "#confirm" or "/confirm", or all of it. */
static struct slice
find_code(const char *text, size_t n)
{
	static const char mark[] = "confirm";
	size_t at = 0;

	for (size_t i = 1; i + sizeof mark - 1 < n; i++) {
		if ((text[i - 1] == '#' || text[i - 1] == '/') &&
		    memcmp(text + i, mark, sizeof mark - 1) == 0) {
			at = i + sizeof mark - 1;
			break;
		}
	}
	while (at < n && strchr(" \t\r\n", text[at]) != NULL)
		at++;
	text += at;
	n -= at;
	for (at = 0; at < n && b64_valid(text + at, 1); at++)
		continue;
	return (struct slice){ text, at };
}

/* Address and name, as far as they are there. */
static int
read_code(struct register_link *l, const uint8_t *b, size_t n)
{
	const char *text, *tab;

	if (n < FRONT_SIZE + HASH_SIZE ||
	    memcmp(b, magic, sizeof magic - 1) != 0)
		return -1;
	text = (const char *)b + FRONT_SIZE;
	n -= FRONT_SIZE + HASH_SIZE;
	if ((tab = memchr(text, '\t', n)) == NULL || tab == text ||
	    memchr(text, '\0', n) != NULL)
		return -1;
	l->email = xstrndup(text, (size_t)(tab - text));
	l->name = xstrndup(tab + 1, n - (size_t)(tab + 1 - text));
	return 0;
}

int
register_parse(struct register_link *l, const char *text, size_t n)
{
	struct slice code = find_code(text, n);
	uint8_t b[B64_BYTES(CODE_MAX)];

	*l = (struct register_link){ 0 };
	if (code.n > CODE_MAX ||
	    read_code(l, b, b64_decode(b, code.p, code.n)) < 0)
		return err_set(ERR_USAGE, "no confirmation link was found");
	l->code = xstrndup(code.p, code.n);
	return 0;
}

void
register_link_free(struct register_link *l)
{
	free(l->code);
	free(l->email);
	free(l->name);
	*l = (struct register_link){ 0 };
}

/* The reply is [address, name, handle, version]. */
static int
read_confirmed(struct register_link *l, char user[12], const struct json *j,
    int v)
{
	struct slice h, email;
	uint8_t b[B64_BYTES(CODE_MAX)];

	v = json_first(j, v);
	email = json_raw(j, v);
	if (json_type(j, v) == JSON_STRING && email.n <= CODE_MAX) {
		free(l->email);
		l->email = xstrndup((char *)b, b64_decode(b, email.p,
		    email.n));
	}
	v = json_next(j, json_next(j, v));
	h = json_raw(j, v);
	if (json_type(j, v) != JSON_STRING || h.n != 11 ||
	    !b64_valid(h.p, h.n))
		return err_set(ERR_PROTO, "reply to \"ud2\": want a user "
		    "handle");
	memcpy(user, h.p, 11);
	user[11] = '\0';
	return 0;
}

int
register_confirm(struct account *a, struct register_link *l, char user[12])
{
	struct api_cmd c = { 0 };
	struct json_out o = api_begin(&c, "ud2");
	struct json j = { 0 };
	int r;

	json_put(&o, "c", l->code);
	if ((r = api_wait(a->api, &c, &o, &j)) >= 0)
		r = read_confirmed(l, user, &j, r);
	else if (r == ERR_NOENT || r == ERR_EXPIRED)
		r = err_set(ERR_NOENT, "the link is not valid, or has been "
		    "used already");
	json_free(&j);
	return r;
}

/* "up": store the pair, sealed, with the service and in the session. */
static int
store_keys(struct account *a, const struct rsa_private *k,
    const struct rsa_public *p)
{
	struct api_cmd c = { 0 };
	struct json_out o = api_begin(&c, "up");
	uint8_t blob[RSA_BLOB_MAX], pub[RSA_BLOB_MAX];
	char privk[B64_LEN(RSA_BLOB_MAX) + 1];
	size_t n = rsa_private_pack(k, blob);
	struct aes aes;
	int r;

	aes_init(&aes, a->session.master);
	aes_encrypt(&aes, blob, blob, n / AES_BLOCK_SIZE);
	aes_wipe(&aes);
	b64_encode(privk, blob, n);
	json_put(&o, "privk", privk);
	json_put_b64(&o, "pubk", pub, rsa_public_pack(p, pub));
	if ((r = api_wait(a->api, &c, &o, NULL)) == 0) {
		free(a->session.privk);
		a->session.privk = xstrdup(privk);
	}
	return r;
}

int
register_keys(struct account *a)
{
	struct account_info info;
	struct rsa_private *k = NULL;
	struct rsa_public *p = NULL;
	int r;

	if ((r = account_info(a, &info)) < 0)
		return r;
	if (info.has_keys)
		r = err_set(ERR_EXIST, "the account has its keys");
	else if (info.email == NULL)
		r = err_set(ERR_INCOMPLETE, "the account is not confirmed "
		    "yet");
	if (r == 0 && (r = rsa_generate(&k, &p, KEY_BITS)) == 0)
		r = store_keys(a, k, p);
	rsa_private_free(k);
	rsa_public_free(p);
	account_info_free(&info);
	return r;
}
