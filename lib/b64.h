/*
 * Base64 as the service writes it: the URL alphabet, no padding.  And the
 * digits of escapes.
 *
 * Source: mega-protocol(7), "Base64"; meganz/sdk src/base64.cpp.
 */
#ifndef B64_H
#define B64_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

/* Characters for n bytes, without a NUL.  22 for a key, 43 for a file key. */
#define B64_LEN(n) (((n) * 4 + 2) / 3)

/* The most bytes that n characters hold. */
#define B64_BYTES(n) ((n) / 4 * 3 + (n) % 4 * 3 / 4)

/* Encode n bytes and a NUL into dst, which has B64_LEN(n) + 1 characters.
 * Returns dst. */
char *b64_encode(char *dst, const void *src, size_t n);

/*
 * b64_decode: decode until the text or its first foreign character ends.
 *
 * src is n characters.  dst has at least B64_BYTES(n) bytes; may be src.
 * Takes '+' and '/' for '-' and '_'; leftover bits and a single leftover
 * character are ignored.  Returns the number of bytes.
 */
size_t b64_decode(uint8_t *dst, const char *src, size_t n);

/*
 * b64_decode_exact: decode text that must hold exactly want bytes.
 *
 * Fails with ERR_PROTO, without a text, if the length is another or a
 * character foreign; dst is then undefined.
 */
int b64_decode_exact(uint8_t *dst, size_t want, const char *src, size_t n);

/* Whether all n characters belong to the URL alphabet. */
int b64_valid(const char *src, size_t n);

/* The value of n hexadecimal digits, n < 8, of either case; -1 if one of
 * them is none. */
int b64_hex(const char *p, size_t n);

#endif
