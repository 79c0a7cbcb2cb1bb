/*
 * Vectors: mega-protocol(7), "Test vectors".  Contents A and B are two
 * byte patterns; the others are those of the official client's unit tests.
 */

#include <fcntl.h>
#include <unistd.h>

#include "b64.h"
#include "err.h"
#include "fingerprint.h"
#include "tap.h"

#define MTIME   1700000000
#define MEBI    1048576

typedef uint8_t pattern(int64_t i);

static uint8_t
pattern_a(int64_t i)
{
	return (uint8_t)(31 * i + (i >> 8));
}

static uint8_t
pattern_b(int64_t i)
{
	return (uint8_t)(167 * i + 13 * (i / 256) + 41);
}

static uint8_t
pattern_count(int64_t i)
{
	return (uint8_t)i;
}

/* An empty file without a name. */
static int
temp_file(void)
{
	char name[] = "/tmp/fingerprint-XXXXXX";
	int fd = mkstemp(name);

	if (fd < 0 || unlink(name) < 0)
		abort();
	return fd;
}

static void
put(int fd, const uint8_t *p, size_t n, int64_t at)
{
	if (pwrite(fd, p, n, (off_t)at) != (ssize_t)n)
		abort();
}

/* Write the file's bytes [at, at + n), n of at most 8193. */
static void
put_pattern(int fd, pattern *byte, size_t n, int64_t at)
{
	uint8_t buf[8193];

	for (size_t i = 0; i < n; i++)
		buf[i] = byte(at + (int64_t)i);
	put(fd, buf, n, at);
}

/* Where window i is, as the definition has it and as old clients had it. */
static int64_t
window_at(int64_t size, int64_t i, int legacy)
{
	int64_t at = (size - 64) * i;

	if (legacy)
		at %= (int64_t)1 << 32;
	at /= 127;
	return at < size - 64 ? at : size - 64;
}

/* A file whose windows hold the pattern, and holes between them. */
static int
sparse_file(pattern *byte, int64_t size)
{
	int fd = temp_file();

	if (ftruncate(fd, (off_t)size) < 0)
		abort();
	if (size <= 8193) {
		put_pattern(fd, byte, (size_t)size, 0);
		return fd;
	}
	for (int i = 0; i < 128; i++) {
		put_pattern(fd, byte, 64, window_at(size, i, 0));
		put_pattern(fd, byte, 64, window_at(size, i, 1));
	}
	return fd;
}

/* The CRC of contents that pass by in pieces of changing size. */
static void
stream(uint8_t crc[FINGERPRINT_CRC_SIZE], pattern *byte, int64_t size)
{
	static uint8_t buf[70000];
	struct fingerprint_stream s;
	unsigned seed = 1;
	int64_t at = 0;

	fingerprint_begin(&s, size);
	while (at < size) {
		size_t n;

		seed = seed * 1103515245 + 12345;
		n = seed >> 16 & 3 ? seed >> 20 & 127 : seed % sizeof buf;
		if ((int64_t)n > size - at)
			n = (size_t)(size - at);
		for (size_t i = 0; i < n; i++)
			buf[i] = byte(at + (int64_t)i);
		fingerprint_add(&s, buf, n);
		at += (int64_t)n;
	}
	fingerprint_end(&s, crc);
}

struct vector {
	int64_t size;
	const char *crc, *c, *legacy;
};

static const struct vector vectors_a[] = {
	{ 0, "00000000000000000000000000000000",
	    "AAAAAAAAAAAAAAAAAAAAAAQA8VNl", NULL },
	{ 1, "00000000000000000000000000000000",
	    "AAAAAAAAAAAAAAAAAAAAAAQA8VNl", NULL },
	{ 5, "001f3e5d7c0000000000000000000000",
	    "AB8-XXwAAAAAAAAAAAAAAAQA8VNl", NULL },
	{ 16, "001f3e5d7c9bbad9f81736557493b2d1",
	    "AB8-XXybutn4FzZVdJOy0QQA8VNl", NULL },
	{ 17, "62210d6510cebb6be9e260af86c1d364",
	    "YiENZRDOu2vp4mCvhsHTZAQA8VNl", NULL },
	{ 100, "6114e4dcfb64d799655faf39d432cc93",
	    "YRTk3Ptk15llX6851DLMkwQA8VNl", NULL },
	{ 8192, "19e01b9f1dfddf30bd24b1fc1656f241",
	    "GeAbnx393zC9JLH8FlbyQQQA8VNl", NULL },
	{ 8193, "19e01b9f1dfddf30bd24b1fc02cbfdb8",
	    "GeAbnx393zC9JLH8Asv9uAQA8VNl", NULL },
	{ 1000000, "7eb0688d2e2686fd8768da1f4dfade65",
	    "frBojS4mhv2HaNofTfreZQQA8VNl", NULL },
	{ 33818704, "5adf16d8214a1e69b7d763dea160c15a",
	    "Wt8W2CFKHmm312PeoWDBWgQA8VNl",
	    "5adf16d8214a1e69b7d763dea160c15a" },
	{ 33818705, "5adf16d8a2e451cee4b1fc1f2e4daa75",
	    "Wt8W2KLkUc7ksfwfLk2qdQQA8VNl",
	    "5adf16d8a2e451cee4b1fc1fc0e3cb89" },
	{ 40000000, "2de80266948ceb664d47671c425d706a",
	    "LegCZpSM62ZNR2ccQl1wagQA8VNl",
	    "2de80266948ceb664d47671c3ffcfa69" },
	{ 5000000000, "7a03bf908d40f72221f26abb9ddda50c",
	    "egO_kI1A9yIh8mq7nd2lDAQA8VNl",
	    "bd91af07fc206d47fe99d328498ecd46" },
};

static const struct vector vectors_b[] = {
	{ 0, "00000000000000000000000000000000",
	    "AAAAAAAAAAAAAAAAAAAAAAQA8VNl", NULL },
	{ 1, "29000000000000000000000000000000",
	    "KQAAAAAAAAAAAAAAAAAAAAQA8VNl", NULL },
	{ 5, "29d0771ec50000000000000000000000",
	    "KdB3HsUAAAAAAAAAAAAAAAQA8VNl", NULL },
	{ 15, "29d0771ec56c13ba6108af56fda44b00",
	    "KdB3HsVsE7phCK9W_aRLAAQA8VNl", NULL },
	{ 16, "29d0771ec56c13ba6108af56fda44bf2",
	    "KdB3HsVsE7phCK9W_aRL8gQA8VNl", NULL },
	{ 17, "eb86d8ca6b41e86c075a4a256719275d",
	    "64bYymtB6GwHWkolZxknXQQA8VNl", NULL },
	{ 100, "c6ca754ed5b5cc8d04829cbcd26688be",
	    "xsp1TtW1zI0Egpy80maIvgQA8VNl", NULL },
	{ 8191, "f525d2810bb90d953fcfd07e54868f5d",
	    "9SXSgQu5DZU_z9B-VIaPXQQA8VNl", NULL },
	{ 8192, "b02ad7807bb8d0b2721d5f4b4e8c7570",
	    "sCrXgHu40LJyHV9LTox1cAQA8VNl", NULL },
	{ 8193, "b02ad7807bb8d0b2721d5f4b4a371643",
	    "sCrXgHu40LJyHV9LSjcWQwQA8VNl", NULL },
	{ 131073, "287361962572f48fee630b4745c69047",
	    "KHNhliVy9I_uYwtHRcaQRwQA8VNl", NULL },
	{ 5242881, "4eff7ad81a6789630067f42b0235355c",
	    "Tv962BpniWMAZ_QrAjU1XAQA8VNl", NULL },
};

static void
test_vector(const struct vector *v, pattern *byte, char name)
{
	struct fingerprint f = { .size = v->size, .mtime = MTIME }, back;
	char text[FINGERPRINT_TEXT_MAX];
	uint8_t crc[FINGERPRINT_CRC_SIZE];
	long long size = (long long)v->size;
	int fd = sparse_file(byte, v->size);

	ok(fingerprint_fd(f.crc, fd, v->size, 0) == 0 &&
	    same(f.crc, sizeof f.crc, v->crc), "%c, %lld bytes", name, size);
	ok(eq(fingerprint_print(text, &f), v->c), "printed");
	ok(fingerprint_parse(&back, text, strlen(text)) == 0 &&
	    back.mtime == MTIME && memcmp(back.crc, f.crc, 16) == 0, "parsed");
	ok(fingerprint_fd(crc, fd, v->size, 1) == 0 && same(crc, sizeof crc,
	    v->legacy != NULL ? v->legacy : v->crc), "as old clients do");
	close(fd);
	if (v->size <= 6 * MEBI) {
		stream(crc, byte, v->size);
		ok(same(crc, sizeof crc, v->crc), "as a stream");
	}
}

/* A file that is written whole and a stream, at every interesting size. */
static void
test_stream(int64_t size)
{
	uint8_t one[FINGERPRINT_CRC_SIZE], other[FINGERPRINT_CRC_SIZE];
	int fd = sparse_file(pattern_a, size);

	stream(other, pattern_a, size);
	ok(fingerprint_fd(one, fd, size, 0) == 0 &&
	    memcmp(one, other, sizeof one) == 0, "stream of %lld bytes",
	    (long long)size);
	close(fd);
}

/* The official client's own test values: four little-endian int32. */
static void
test_official(void)
{
	static const uint8_t few[] = { 3, 4, 5, 6 };
	static const struct {
		size_t size;
		int32_t word[4];
	} t[] = {
		{ 100, { 215253208, 661795201, 937191950, 562141813 } },
		{ 20000, { -1424885571, 1204627086, 1194313128, -177560448 } },
	};
	struct fingerprint_stream s;
	uint8_t crc[FINGERPRINT_CRC_SIZE];

	fingerprint_begin(&s, sizeof few);
	fingerprint_add(&s, few, sizeof few);
	fingerprint_end(&s, crc);
	ok(same(crc, sizeof crc, "03040506000000000000000000000000"),
	    "bytes 3 to 6");
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		int good = 1;

		stream(crc, pattern_count, (int64_t)t[i].size);
		for (size_t k = 0; k < 16; k++)
			good &= crc[k] ==
			    (uint8_t)((uint32_t)t[i].word[k / 4] >> k % 4 * 8);
		ok(good, "official value of %zu bytes", t[i].size);
	}
}

/* Noise of a xorshift32 generator, right and as 32-bit clients saw it. */
static void
test_noise(void)
{
	static const struct {
		int64_t size;
		const char *right, *legacy;
	} t[] = {
		{ 40 * MEBI, "6iqpUy7DdAKx5NIRg31i_g",
		    "6iqpUy7DdAKx5NIRGX1AAA" },
		{ 52 * MEBI, "7SMVr_-v9_H7MDsN9yuVGA",
		    "7SMVr_-v9_Gk00B4SWd30g" },
		{ 88 * MEBI, "3hhTVPVhwzudmjN1odbO6w",
		    "3hhTVIMatxXS_18ZkPyITg" },
	};
	const size_t all = 88 * MEBI;
	uint8_t *noise = malloc(all), crc[FINGERPRINT_CRC_SIZE];
	char text[B64_LEN(FINGERPRINT_CRC_SIZE) + 1];
	uint32_t x = 0xa5a5a5a5;

	if (noise == NULL)
		abort();
	for (size_t i = 0; i < all; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		noise[i] = (uint8_t)x;
	}
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		int fd = temp_file();

		for (int k = 0; k < 256; k++) {
			int64_t at = window_at(t[i].size, k / 2, k % 2);

			put(fd, noise + at, 64, at);
		}
		ok(fingerprint_fd(crc, fd, t[i].size, 0) == 0 &&
		    eq(b64_encode(text, crc, sizeof crc), t[i].right),
		    "noise of %d MiB", (int)(t[i].size / MEBI));
		ok(fingerprint_fd(crc, fd, t[i].size, 1) == 0 &&
		    eq(b64_encode(text, crc, sizeof crc), t[i].legacy),
		    "as old clients do");
		close(fd);
	}
	free(noise);
}

static void
test_times(void)
{
	static const struct {
		int64_t mtime;
		const char *hex;
	} t[] = {
		{ 0, "00" }, { 1, "0101" }, { 255, "01ff" }, { 256, "020001" },
		{ 1356998400, "040027e250" }, { 4294967295, "04ffffffff" },
		{ 4294967296, "050000000001" },
		{ 1099511627781, "06050000000001" },
		{ MTIME, "0400f15365" },
		{ INT64_MAX, "08ffffffffffffff7f" },
		{ INT64_MIN, "080000000000000080" },
		{ -1, "08ffffffffffffffff" },
	};
	struct fingerprint f = { 0 }, back;
	char text[FINGERPRINT_TEXT_MAX];
	uint8_t blob[32];

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		size_t n;

		f.mtime = t[i].mtime;
		fingerprint_print(text, &f);
		n = b64_decode(blob, text, strlen(text));
		ok(n > 16 && same(blob + 16, n - 16, t[i].hex), "time %lld",
		    (long long)f.mtime);
		back = (struct fingerprint){ .size = 77 };
		ok(fingerprint_parse(&back, text, strlen(text)) == 0 &&
		    back.mtime == f.mtime && back.size == 77, "read back");
	}
	f.mtime = 0;
	ok(eq(fingerprint_print(text, &f), "AAAAAAAAAAAAAAAAAAAAAAA"),
	    "empty and of no time");
}

static void
test_parse(void)
{
	static const struct {
		const char *text;
		int r;
	} t[] = {
		{ "", ERR_PROTO },
		{ "AAAAAAAAAAAAAAAAAAAAAA", ERR_PROTO },
		{ "AAAAAAAAAAAAAAAAAAAAAAQA8VN", ERR_PROTO },
		{ "AAAAAAAAAAAAAAAAAAAAAAkAAAAAAAAAAAAA", ERR_PROTO },
		{ "AAAAAAAAAAAAAAAAAAAAAP8", ERR_PROTO },
		{ "AAAAAAAAAAA AAAAAAAAAAQA8VNl", ERR_PROTO },
		{ "AAAAAAAAAAAAAAAAAAAAAAQA8VNlAAAAAAAAAAAAAAAAAAAAAAAA", 0 },
		{ "AAAAAAAAAAAAAAAAAAAAAAQA8VNl=", 0 },
	};
	struct fingerprint f;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		ok(fingerprint_parse(&f, t[i].text, strlen(t[i].text)) ==
		    t[i].r, "\"%s\": %d", t[i].text, t[i].r);
}

static void
test_same(void)
{
	struct fingerprint a = { .size = 5, .mtime = 10 }, b = a;

	b.mtime = 99;
	ok(fingerprint_same(&a, &b), "times do not matter");
	b.crc[15] = 1;
	ok(!fingerprint_same(&a, &b), "the CRC does");
	b = a;
	b.size = 6;
	ok(!fingerprint_same(&a, &b), "and the size");
	ok(fingerprint_same_time(10, 12) && fingerprint_same_time(12, 10),
	    "two seconds are the same time");
	ok(!fingerprint_same_time(10, 13) && !fingerprint_same_time(13, 10),
	    "three are not");
	ok(!fingerprint_same_time(INT64_MIN, INT64_MAX) &&
	    !fingerprint_same_time(INT64_MAX, INT64_MIN), "nor are the ends");
}

static void
test_errors(void)
{
	uint8_t crc[FINGERPRINT_CRC_SIZE];
	int fd = sparse_file(pattern_a, 9000);

	ok(fingerprint_fd(crc, fd, 9001, 0) == ERR_LOCAL, "a file cut short");
	close(fd);
	fd = sparse_file(pattern_a, 3);
	ok(fingerprint_fd(crc, fd, 4, 0) == ERR_LOCAL, "a tiny one");
	close(fd);
	ok(fingerprint_fd(crc, -1, 4, 0) == ERR_LOCAL, "no file");
	ok(strstr(err_text(), "cannot read: ") != NULL, "says why");
}

int
main(void)
{
	for (size_t i = 0; i < sizeof vectors_a / sizeof *vectors_a; i++)
		test_vector(&vectors_a[i], pattern_a, 'A');
	for (size_t i = 0; i < sizeof vectors_b / sizeof *vectors_b; i++)
		test_vector(&vectors_b[i], pattern_b, 'B');
	for (int64_t size = 0; size < 40; size++)
		test_stream(size);
	for (int64_t size = 8188; size < 8260; size++)
		test_stream(size);
	test_official();
	test_noise();
	test_times();
	test_parse();
	test_same();
	test_errors();
	return done();
}
