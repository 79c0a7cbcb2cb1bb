#include <string.h>

#include "b64.h"
#include "err.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#define XX 0xff

/* The value of each character, XX for foreign ones; '+' is '-', '/' is '_'. */
static const uint8_t value[256] = {
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, 62, XX, 62, XX, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, XX, XX, XX, XX, XX, XX,
	XX,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, XX, XX, XX, XX, 63,
	XX, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
};

char *
b64_encode(char *dst, const void *src, size_t n)
{
	const uint8_t *s = src;
	char *d = dst;

	for (; n >= 3; n -= 3, s += 3) {
		*d++ = alphabet[s[0] >> 2];
		*d++ = alphabet[(s[0] & 3) << 4 | s[1] >> 4];
		*d++ = alphabet[(s[1] & 15) << 2 | s[2] >> 6];
		*d++ = alphabet[s[2] & 63];
	}
	if (n > 0) {
		*d++ = alphabet[s[0] >> 2];
		if (n == 1) {
			*d++ = alphabet[(s[0] & 3) << 4];
		} else {
			*d++ = alphabet[(s[0] & 3) << 4 | s[1] >> 4];
			*d++ = alphabet[(s[1] & 15) << 2];
		}
	}
	*d = '\0';
	return dst;
}

/* Decode, and tell in *used how many characters were of the alphabet. */
static size_t
decode(uint8_t *dst, const char *src, size_t n, size_t *used)
{
	const uint8_t *s = (const uint8_t *)src;
	uint8_t *d = dst;
	uint32_t bits = 0;
	size_t i = 0;

	for (; n - i >= 4; i += 4) {
		uint32_t a = value[s[i]], b = value[s[i + 1]];
		uint32_t c = value[s[i + 2]], e = value[s[i + 3]];

		/* A foreign character among them: one by one. */
		if ((a | b | c | e) & 0x80)
			break;
		bits = a << 18 | b << 12 | c << 6 | e;
		*d++ = (uint8_t)(bits >> 16);
		*d++ = (uint8_t)(bits >> 8);
		*d++ = (uint8_t)bits;
	}
	for (; i < n && value[s[i]] != XX; i++)
		bits = bits << 6 | value[s[i]];
	if (i % 4 == 2) {
		*d++ = (uint8_t)(bits >> 4);
	} else if (i % 4 == 3) {
		*d++ = (uint8_t)(bits >> 10);
		*d++ = (uint8_t)(bits >> 2);
	}
	*used = i;
	return (size_t)(d - dst);
}

size_t
b64_decode(uint8_t *dst, const char *src, size_t n)
{
	size_t used;

	return decode(dst, src, n, &used);
}

int
b64_decode_exact(uint8_t *dst, size_t want, const char *src, size_t n)
{
	size_t used;

	if (n != B64_LEN(want))
		return ERR_PROTO;
	if (decode(dst, src, n, &used) != want || used != n)
		return ERR_PROTO;
	return 0;
}

int
b64_valid(const char *src, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (value[(uint8_t)src[i]] == XX ||
		    src[i] == '+' || src[i] == '/')
			return 0;
	return 1;
}

int
b64_hex(const char *p, size_t n)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	int v = 0;

	for (; n > 0; n--, p++) {
		const char *at = memchr(digits, *p, sizeof digits - 1);

		if (at == NULL)
			return -1;
		v = v << 4 | (int)((at - digits) & 15);
	}
	return v;
}
