/*
 * Fingerprints: size, modification time and a sampled checksum, by which
 * official clients recognise an unchanged file.
 *
 * Source: mega-protocol(7), "Fingerprints"; meganz/sdk src/filefingerprint.cpp.
 */
#ifndef FINGERPRINT_H
#define FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>

#define FINGERPRINT_CRC_SIZE 16
#define FINGERPRINT_TEXT_MAX 36 /* with NUL */

struct fingerprint {
	int64_t size;
	int64_t mtime;  /* Unix seconds */
	uint8_t crc[FINGERPRINT_CRC_SIZE];
};

/* Write the node attribute "c": base64 of CRC and mtime, NUL-terminated. */
char *fingerprint_print(char out[FINGERPRINT_TEXT_MAX],
    const struct fingerprint *f);

/* Read one; size is left alone.  ERR_PROTO if it is none. */
int fingerprint_parse(struct fingerprint *f, const char *text, size_t n);

/*
 * Whether two are of equal contents as far as they tell: sizes equal and
 * CRCs equal.  mtimes: fingerprint_same_time (within 2 seconds).
 */
int fingerprint_same(const struct fingerprint *a, const struct fingerprint *b);
int fingerprint_same_time(int64_t a, int64_t b);

/*
 * fingerprint_fd: compute the CRC of an open, seekable file of the given
 * size, by pread.  legacy: as old 32-bit clients did for large files.
 * ERR_LOCAL on a read error or a file shorter than size.
 */
int fingerprint_fd(uint8_t crc[FINGERPRINT_CRC_SIZE], int fd, int64_t size,
    int legacy);

/*
 * The same for contents that pass by once, in order.  size must be known
 * beforehand.
 */
struct fingerprint_stream {
	int64_t size, pos;
	uint32_t lane[4];
	unsigned window;     /* the sample at pos or behind it, 0 to 128 */
	uint8_t head[FINGERPRINT_CRC_SIZE]; /* contents of tiny files */
};
void fingerprint_begin(struct fingerprint_stream *s, int64_t size);
void fingerprint_add(struct fingerprint_stream *s, const void *p, size_t n);
void fingerprint_end(struct fingerprint_stream *s,
    uint8_t crc[FINGERPRINT_CRC_SIZE]);

#endif
