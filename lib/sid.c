#include <string.h>

#include "aes.h"
#include "b64.h"
#include "err.h"
#include "secret.h"
#include "sid.h"

#define HANDLE_TEXT   11
#define PLAIN_SIZE    (16 + SID_SIZE)     /* master key, session id */
#define WRAPPED_SIZE  (1 + PLAIN_SIZE)    /* version before them */
#define TEXT_MAX      4096

/*
 * Of a folder link: version, handles of the link and of the folder, key, a
 * byte for each string that follows: write authorisation, session id of an
 * account, padding, five more.  A string's length comes first, little-endian.
 */
enum { AT_PH = 1, AT_KEY = 13, AT_FLAGS = 29, AT_STRINGS = 37 };
enum { VERSION_WRAPPED = 1, VERSION_FOLDER = 2 };

/* Where in a message the id stands, going by the handle in it; -1 if
 * nowhere. */
static long
find_handle(const uint8_t *m, size_t n, const char *user)
{
	for (size_t at = 0; at + SID_SIZE <= n; at++)
		if (memcmp(m + at + SID_HANDLE, user, HANDLE_TEXT) == 0)
			return (long)at;
	return -1;
}

int
sid_from_csid(uint8_t sid[SID_SIZE], const struct rsa_private *k,
    const uint8_t *box, size_t n, const char *user, int lax)
{
	/* A zero goes before the message: one that began with zeros may have
	 * been read one byte short. */
	uint8_t m[1 + RSA_BYTES_MAX] = { 0 };
	size_t mpi, len;
	long at = 1;
	int r;

	if (n < 2 || (mpi = 2 + (((size_t)box[0] << 8 | box[1]) + 7) / 8) > n)
		return err_set(ERR_PROTO, "the session id is cut short");
	if ((r = rsa_decrypt(k, m + 1, RSA_BYTES_MAX, &len, box, mpi)) < 0)
		return r;
	if (user != NULL && memcmp(m + 1 + SID_HANDLE, user, HANDLE_TEXT) != 0)
		at = find_handle(m, 1 + len, user);
	if (user == NULL || at < 0) {
		if (!lax)
			r = err_set(ERR_KEY, "the session id does not belong "
			    "to the account");
		at = 1;
	}
	if (r == 0)
		memcpy(sid, m + at, SID_SIZE);
	secret_zero(m, sizeof m);
	return r;
}

int
sid_proves(const uint8_t sid[SID_SIZE], const uint8_t master[16])
{
	struct aes a;
	uint8_t proof[16];

	aes_init(&a, master);
	aes_encrypt(&a, proof, sid, 1);
	aes_wipe(&a);
	return secret_equal(proof, sid + SID_SIZE - 16, 16);
}

void
sid_challenge(uint8_t ts[32], const uint8_t master[16])
{
	struct aes a;

	secret_random(ts, 16);
	aes_init(&a, master);
	aes_encrypt(&a, ts + 16, ts, 1);
	aes_wipe(&a);
}

int
sid_string_parse(struct sid_string *s, const char *text, size_t n)
{
	uint8_t b[B64_BYTES(TEXT_MAX)];
	size_t len;
	int r = 0;

	if (n > TEXT_MAX || !b64_valid(text, n))
		return err_set(ERR_USAGE, "that is no session string");
	len = b64_decode(b, text, n);
	s->wrapped = len == WRAPPED_SIZE;
	if ((len == WRAPPED_SIZE && b[0] == VERSION_WRAPPED) ||
	    len == PLAIN_SIZE) {
		memcpy(s->master, b + s->wrapped, 16);
		memcpy(s->sid, b + s->wrapped + 16, SID_SIZE);
	} else {
		r = err_set(ERR_USAGE, "that is no session string");
	}
	secret_zero(b, sizeof b);
	return r;
}

int
sid_string_folder(struct link *l, const char *text, size_t n)
{
	uint8_t b[B64_BYTES(TEXT_MAX)];
	size_t len, auth = 0;
	int r = 0;

	*l = (struct link){ .kind = LINK_FOLDER, .keylen = 16 };
	if (n > TEXT_MAX || !b64_valid(text, n))
		return 0;
	len = b64_decode(b, text, n);
	if (len < AT_STRINGS + 2 || b[0] != VERSION_FOLDER)
		goto out;
	if (b[AT_FLAGS] != 0)
		auth = b[AT_STRINGS] | (size_t)b[AT_STRINGS + 1] << 8;
	if (auth >= sizeof l->auth || AT_STRINGS + 2 + auth > len ||
	    !b64_valid((char *)b + AT_STRINGS + 2, auth))
		goto out;
	b64_encode(l->ph, b + AT_PH, 6);
	memcpy(l->key, b + AT_KEY, 16);
	memcpy(l->auth, b + AT_STRINGS + 2, auth);
	r = 1;
out:
	secret_zero(b, sizeof b);
	return r;
}

void
sid_string_print(char out[SID_STRING_MAX + 1], const struct sid_string *s)
{
	uint8_t b[WRAPPED_SIZE] = { VERSION_WRAPPED };

	memcpy(b + 1, s->master, 16);
	memcpy(b + 1 + 16, s->sid, SID_SIZE);
	b64_encode(out, b, sizeof b);
	secret_zero(b, sizeof b);
}
