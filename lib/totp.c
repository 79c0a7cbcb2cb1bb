#include <string.h>

#include <tomcrypt.h>

#include "err.h"
#include "secret.h"
#include "totp.h"

#define KEY_MAX 128 /* bytes; usual seeds have 20 or 32 */
#define STEP    30  /* seconds */

/* The value of a character of base32, or -1. */
static int
base32_value(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

/* Decode into key; the number of bytes, or 0 if the seed is none. */
static size_t
seed_decode(uint8_t key[KEY_MAX], const char *seed)
{
	unsigned acc = 0, bits = 0;
	size_t n = 0;
	int v;

	for (; *seed != '\0' && *seed != '='; seed++) {
		if (*seed == ' ' || *seed == '-')
			continue;
		if ((v = base32_value(*seed)) == -1)
			return 0;
		acc = (acc << 5 | (unsigned)v) & 0xfff;
		if ((bits += 5) < 8)
			continue;
		if (n == KEY_MAX)
			return 0;
		bits -= 8;
		key[n++] = (uint8_t)(acc >> bits);
	}
	return strspn(seed, "= ") == strlen(seed) ? n : 0;
}

/* RFC 4226: 31 bits from where the last nibble points to, six digits. */
static unsigned
truncated(const uint8_t mac[20])
{
	const uint8_t *p = mac + (mac[19] & 15);

	return (unsigned)((p[0] & 0x7f) << 24 | p[1] << 16 | p[2] << 8 | p[3])
	    % 1000000;
}

int
totp(char code[7], const char *seed, int64_t now)
{
	uint64_t step = (uint64_t)(now / STEP);
	uint8_t key[KEY_MAX], counter[8], mac[20];
	unsigned long len = sizeof mac;
	unsigned v;
	size_t n;
	int r = 0;

	if ((n = seed_decode(key, seed)) == 0) {
		r = err_set(ERR_USAGE, "the seed of one-time codes is no "
		    "base32 of 1 to %d bytes", KEY_MAX);
		goto out;
	}
	for (int i = 0; i < 8; i++)
		counter[i] = (uint8_t)(step >> (56 - 8 * i));
	if (hmac_memory(register_hash(&sha1_desc), key, n, counter,
	    sizeof counter, mac, &len) != CRYPT_OK) {
		r = err_set(ERR_LOCAL, "cannot compute a one-time code");
		goto out;
	}
	v = truncated(mac);
	for (int i = 5; i >= 0; i--, v /= 10)
		code[i] = (char)('0' + v % 10);
	code[6] = '\0';
out:
	secret_zero(key, sizeof key);
	secret_zero(mac, sizeof mac);
	return r;
}
