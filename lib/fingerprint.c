#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "b64.h"
#include "err.h"
#include "fingerprint.h"

#define LANES         4
#define LANE_WINDOWS  32
#define WINDOWS       (LANES * LANE_WINDOWS)
#define WINDOW_SIZE   64
#define STEPS         (WINDOWS - 1) /* from the first window to the last */

#define TINY_MAX      FINGERPRINT_CRC_SIZE /* the contents are the CRC */
#define WHOLE_MAX     8192 /* every byte counts; beyond, windows do */
#define SAMPLE_MAX    (WHOLE_MAX / LANES)

#define MTIME_MAX     8    /* bytes of a serialized time */
#define BLOB_MAX      (FINGERPRINT_CRC_SIZE + 1 + MTIME_MAX)

/* A run of bytes that goes into the CRC of one lane. */
struct sample {
	int64_t at;
	size_t len;
	unsigned lane;
};

char *
fingerprint_print(char out[FINGERPRINT_TEXT_MAX], const struct fingerprint *f)
{
	uint8_t blob[BLOB_MAX];
	uint64_t t = (uint64_t)f->mtime;
	size_t n = FINGERPRINT_CRC_SIZE + 1;

	memcpy(blob, f->crc, FINGERPRINT_CRC_SIZE);
	for (; t != 0; t >>= 8)
		blob[n++] = (uint8_t)t;
	blob[FINGERPRINT_CRC_SIZE] = (uint8_t)(n - FINGERPRINT_CRC_SIZE - 1);
	return b64_encode(out, blob, n);
}

int
fingerprint_parse(struct fingerprint *f, const char *text, size_t n)
{
	uint8_t blob[B64_BYTES(FINGERPRINT_TEXT_MAX)];
	uint64_t t = 0;
	size_t len, bytes;

	/* What follows the time is left for inventions to come. */
	if (n > FINGERPRINT_TEXT_MAX)
		n = FINGERPRINT_TEXT_MAX;
	len = b64_decode(blob, text, n);
	if (len <= FINGERPRINT_CRC_SIZE)
		return err_set(ERR_PROTO, "fingerprint of %zu bytes", len);
	bytes = blob[FINGERPRINT_CRC_SIZE];
	if (bytes > MTIME_MAX || len < FINGERPRINT_CRC_SIZE + 1 + bytes)
		return err_set(ERR_PROTO, "fingerprint with a time of %zu "
		    "bytes", bytes);
	while (bytes > 0)
		t = t << 8 | blob[FINGERPRINT_CRC_SIZE + bytes--];
	f->mtime = (int64_t)t;
	memcpy(f->crc, blob, FINGERPRINT_CRC_SIZE);
	return 0;
}

int
fingerprint_same(const struct fingerprint *a, const struct fingerprint *b)
{
	return a->size == b->size &&
	    memcmp(a->crc, b->crc, FINGERPRINT_CRC_SIZE) == 0;
}

int
fingerprint_same_time(int64_t a, int64_t b)
{
	uint64_t diff = a > b ? (uint64_t)a - (uint64_t)b :
	    (uint64_t)b - (uint64_t)a;

	return diff <= 2;
}

/*
 * Sample i of a file of the given size; 0 if there is none.  They come in
 * order and do not overlap, except with legacy: those clients multiplied in
 * 32 bits.
 */
static int
sample(struct sample *w, int64_t size, unsigned i, int legacy)
{
	uint64_t span, at;

	if (size <= WHOLE_MAX) {
		if (i >= LANES)
			return 0;
		w->at = size * i / LANES;
		w->len = (size_t)(size * (i + 1) / LANES - w->at);
		w->lane = i;
		return 1;
	}
	if (i >= WINDOWS)
		return 0;
	span = (uint64_t)size - WINDOW_SIZE;
	if (legacy)
		at = (span * i & UINT32_MAX) / STEPS;
	else /* span * i / STEPS, but without overflow at any size */
		at = span / STEPS * i + span % STEPS * i / STEPS;
	w->at = (int64_t)(at < span ? at : span);
	w->len = WINDOW_SIZE;
	w->lane = i / LANE_WINDOWS;
	return 1;
}

static void
add_crc(uint32_t *lane, const uint8_t *p, size_t n)
{
	*lane = (uint32_t)crc32(*lane, p, (uInt)n);
}

static void
put_lanes(uint8_t crc[FINGERPRINT_CRC_SIZE], const uint32_t lane[LANES])
{
	for (size_t i = 0; i < LANES; i++) {
		*crc++ = (uint8_t)(lane[i] >> 24);
		*crc++ = (uint8_t)(lane[i] >> 16);
		*crc++ = (uint8_t)(lane[i] >> 8);
		*crc++ = (uint8_t)lane[i];
	}
}

static int
read_at(int fd, uint8_t *p, size_t n, int64_t at)
{
	ssize_t r;

	while (n > 0) {
		r = pread(fd, p, n, (off_t)at);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_local("cannot read");
		if (r == 0)
			return err_set(ERR_LOCAL, "shorter than it was");
		p += r;
		n -= (size_t)r;
		at += r;
	}
	return 0;
}

int
fingerprint_fd(uint8_t crc[FINGERPRINT_CRC_SIZE], int fd, int64_t size,
    int legacy)
{
	uint8_t buf[SAMPLE_MAX];
	uint32_t lane[LANES] = { 0 };
	struct sample w;
	int r;

	if (size <= TINY_MAX) {
		memset(crc, 0, FINGERPRINT_CRC_SIZE);
		return read_at(fd, crc, (size_t)size, 0);
	}
	for (unsigned i = 0; sample(&w, size, i, legacy); i++) {
		if ((r = read_at(fd, buf, w.len, w.at)) < 0)
			return r;
		add_crc(&lane[w.lane], buf, w.len);
	}
	put_lanes(crc, lane);
	return 0;
}

void
fingerprint_begin(struct fingerprint_stream *s, int64_t size)
{
	*s = (struct fingerprint_stream){ .size = size };
}

/* Tiny files.  As in larger ones, bytes beyond the size do not count. */
static void
add_head(struct fingerprint_stream *s, const uint8_t *p, size_t n)
{
	size_t room = (size_t)(s->size - s->pos);

	if (n > room)
		n = room;
	memcpy(s->head + s->pos, p, n);
	s->pos += (int64_t)n;
}

void
fingerprint_add(struct fingerprint_stream *s, const void *data, size_t n)
{
	const uint8_t *p = data;
	int64_t end = s->pos + (int64_t)n;
	struct sample w;

	if (s->size <= TINY_MAX) {
		add_head(s, p, n);
		return;
	}
	while (sample(&w, s->size, s->window, 0) && w.at < end) {
		int64_t from = w.at > s->pos ? w.at : s->pos;
		int64_t stop = w.at + (int64_t)w.len;
		int64_t to = stop < end ? stop : end;

		add_crc(&s->lane[w.lane], p + (from - s->pos),
		    (size_t)(to - from));
		if (to < stop)
			break;
		s->window++;
	}
	s->pos = end;
}

void
fingerprint_end(struct fingerprint_stream *s,
    uint8_t crc[FINGERPRINT_CRC_SIZE])
{
	if (s->size <= TINY_MAX)
		memcpy(crc, s->head, FINGERPRINT_CRC_SIZE);
	else
		put_lanes(crc, s->lane);
}
