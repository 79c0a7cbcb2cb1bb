/* Vectors: mega-protocol(7), "ELC containers"; made with python, and read
 * and written alike by MegaDownloader's own code, read by MegaBasterd's. */

#include <zlib.h>

#include "b64.h"
#include "elc.h"
#include "err.h"
#include "mem.h"
#include "tap.h"

#define FILE_LINK   "https://mega.nz/file/AbCdEfGh#" \
	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n"
#define FOLDER_LINK "https://mega.nz/folder/FoLdEr01#AAECAwQFBgcICQoLDA0ODw\n"
#define NODE_LINK   "https://mega.nz/#N!NoDeHnd1!" \
	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=###n=FoLdEr01\n"
#define URL_1       "http://test.com/elc?a=1&b=2"
#define URL_2       "http://127.0.0.1:8099/elc.php"
#define TOKEN       "AAECAwQFBgcICQoLDA0ODy19GdK/usQBeOe90aiHnR6YNa0d5hHfyEoo" \
	"AQlh27/s"
#define KEY_TEXT    "EBESExQVFhcYGRobHB0eHyAhIiMkJSYn"

static const uint8_t key[ELC_KEY_SIZE] = {
	0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
	0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
	0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27,
};

static const char raw_1[] =
    "uWAAAADUbmPh_yKAJT0K-zRSq37DJw1stcyDwTRoA70CZPu5gg7T7cfvbBafxoWZBOclx0CY"
    "qX6-J4pw3UWyHoRxDGZ0dj-icls6aRQ-PXRGAo1NNzqh9aoOdmDo2zvHmBw0K_wbAGh0dHA6"
    "Ly90ZXN0LmNvbS9lbGM_YT0xJmI9MkAAQUFFQ0F3UUZCZ2NJQ1FvTERBME9EeTE5R2RLL3Vz"
    "UUJlT2U5MGFpSG5SNllOYTBkNWhIZnlFb29BUWxoMjcvcw";

static const char gzip_1[] =
    "cB-LCAAAAAAABAABwwA8_2AAAADUbmPh_yKAJT0K-zRSq37DJw1stcyDwTRoA70CZPu5gg7T"
    "7cfvbBafxoWZBOclx0CYqX6-J4pw3UWyHoRxDGZ0dj-icls6aRQ-PXRGAo1NNzqh9aoOdmDo"
    "2zvHmBw0K_wbAGh0dHA6Ly90ZXN0LmNvbS9lbGM_YT0xJmI9MkAAQUFFQ0F3UUZCZ2NJQ1Fv"
    "TERBME9EeTE5R2RLL3VzUUJlT2U5MGFpSG5SNllOYTBkNWhIZnlFb29BUWxoMjcvc4ka85HD"
    "AAAA";

static const char raw_2[] =
    "uWAAAADUbmPh_yKAJT0K-zRSq37DJw1stcyDwTRoA70CZPu5gg7T7cfvbBafxoWZBOclx0CY"
    "qX6-J4pw3UWyHoRxDGZ0dj-icls6aRQ-PXRGAo1NNzqh9aoOdmDo2zvHmBw0K_wdAGh0dHA6"
    "Ly8xMjcuMC4wLjE6ODA5OS9lbGMucGhwQABBQUVDQXdRRkJnY0lDUW9MREEwT0R5MTlHZEsv"
    "dXNRQmVPZTkwYWlIblI2WU5hMGQ1aEhmeUVvb0FRbGgyNy9z";

static const char gzip_2[] =
    "cB-LCAAAAAAABAABxQA6_2AAAADUbmPh_yKAJT0K-zRSq37DJw1stcyDwTRoA70CZPu5gg7T"
    "7cfvbBafxoWZBOclx0CYqX6-J4pw3UWyHoRxDGZ0dj-icls6aRQ-PXRGAo1NNzqh9aoOdmDo"
    "2zvHmBw0K_wdAGh0dHA6Ly8xMjcuMC4wLjE6ODA5OS9lbGMucGhwQABBQUVDQXdRRkJnY0lD"
    "UW9MREEwT0R5MTlHZEsvdXNRQmVPZTkwYWlIblI2WU5hMGQ1aEhmeUVvb0FRbGgyNy9zjgU0"
    "S8UAAAA";

static const char huffman[] =
    "cB-LCAAAAAAABABzYGBguJKX_PC_UoOqLddvk6DVdYfVeXO2nmk-aJLBvJcp5ffOJr7Lb4-_"
    "zxGbf6x1Jstz1eMOq1O9jFVW_ZC8ukQ6x9pq9YcMhoySkgIrff2S1OISveT8XP3UnGSqYvtE"
    "W0O1JFsjRgZDAK0kQ4GxAAAA";

static const char hidden_2[] =
    "uWAAAADUbmPh_yKAJT0K-zRSq37DJw1stcyDwTRoA70CZPu5gg7T7cfvbBafxoWZBOclx0CY"
    "qX6-J4pw3UWyHoRxDGZ0dj-icls6aRQ-PXRGAo1NNzqh9aoOdmDo2zvHmBw0K_wGAEhJRERF"
    "TiAAbllTSmtNaUloQXlIZTBCSGJvUkdZY2hGVlF4RVNFQkU";

static const char hidden_node[] =
    "uVAAAACXw1ai7vRikkGcBRAps3HyV6Qj81F4b-qRvHYGWivfGgiQ7-u64exuj_GAqELFsH9g"
    "AIM1GRGANcaZigIM15gGtAx6mASr-KtyP9zwqvyuswYASElEREVOIABuWVNKa01pSWhBeUhl"
    "MEJIYm9SR1ljaEZWUXhFU0VCRQ";

static const char hidden_32[] =
    "uSAAAADsAjt6hgrM2jMij1Apjkz_cFzoBPsZ0y47RFAcw39hpwYASElEREVOIABuWVNKa01p"
    "SWhBeUhlMEJIYm9SR1ljaEZWUXhFU0VCRQ";

static const char hidden_0[] =
    "uQAAAAAGAEhJRERFTiAAbllTSmtNaUloQXlIZTBCSGJvUkdZY2hGVlF4RVNFQkU";

static const struct {
	const char *what, *body;
} bad[] = {
	{ "marker 0x71",
	    "cUAAAADUbmPh_yKAJT0K-zRSq37DJw1stcyDwTRoA70CZPu5gg7T7cfvbBaf"
	    "xoWZBOclx0CrZUozJKr4GdWkG2w7OqvwEwBodHRwOi8vdGVzdC5jb20vZWxj"
	    "AQAx" },
	{ "link block too long",
	    "uUAQAADUbmPh_yKAJT0K-zRSq37DJw1stcyDwTRoA70CZPu5gg7T7cfvbBaf"
	    "xoWZBOclx0CrZUozJKr4GdWkG2w7OqvwEwBodHRwOi8vdGVzdC5jb20vZWxj"
	    "AQAx" },
	{ "negative URL length",
	    "uUAAAADUbmPh_yKAJT0K-zRSq37DJw1stcyDwTRoA70CZPu5gg7T7cfvbBaf"
	    "xoWZBOclx0CrZUozJKr4GdWkG2w7Oqvw__9odHRw" },
	{ "token cut off",
	    "uUAAAADUbmPh_yKAJT0K-zRSq37DJw1stcyDwTRoA70CZPu5gg7T7cfvbBaf"
	    "xoWZBOclx0CrZUozJKr4GdWkG2w7OqvwEwBodHRwOi8vdGVzdC5jb20vZWxj"
	    "AQA" },
	{ "wrong CRC",
	    "cB-LCAAAAAAABAABXACj_0AAAADUbmPh_yKAJT0K-zRSq37DJw1stcyDwTRo"
	    "A70CZPu5gg7T7cfvbBafxoWZBOclx0CrZUozJKr4GdWkG2w7OqvwEwBodHRw"
	    "Oi8vdGVzdC5jb20vZWxjAQAxL6yBaVwAAAA" },
	{ "half a block",
	    "uQ8AAADUbmPh_yKAJT0K-zRSq34TAGh0dHA6Ly90ZXN0LmNvbS9lbGMBADE" },
};

static struct slice
text_of(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

static int
collect(void *ctx, const struct megalink *l)
{
	char text[MEGALINK_TEXT_SIZE];

	megalink_print(text, l);
	return buf_printf(ctx, "%s\n", text);
}

/* The links in a container, one a line, or words for why not. */
static const char *
links_of(const char *body, const uint8_t by[ELC_KEY_SIZE])
{
	static struct buf b = BUF_MAX(1 << 20);
	uint8_t own[ELC_KEY_SIZE];
	struct elc e;
	int r;

	buf_reset(&b);
	if ((r = elc_read(&e, text_of(body))) < 0)
		return err_text();
	if (by == NULL && (r = elc_own_key(&e, own)) == 0)
		by = own;
	if (r == 0)
		r = elc_links(&e, by, collect, &b);
	elc_free(&e);
	return r < 0 ? err_text() : buf_str(&b);
}

static int
names(const char *body, const char *url, const char *token)
{
	struct elc e;
	int r = elc_read(&e, text_of(body)) == 0 &&
	    e.url.n == strlen(url) && memcmp(e.url.p, url, e.url.n) == 0 &&
	    e.token.n == strlen(token) &&
	    memcmp(e.token.p, token, e.token.n) == 0;

	elc_free(&e);
	return r;
}

static void
test_read(void)
{
	uint8_t other[ELC_KEY_SIZE] = { 0 };
	struct elc e;

	ok(names(raw_1, URL_1, TOKEN), "raw: URL and token");
	ok(eq(links_of(raw_1, key), FILE_LINK FOLDER_LINK), "raw: links");
	ok(names(gzip_1, URL_1, TOKEN), "gzip: URL and token");
	ok(eq(links_of(gzip_1, key), FILE_LINK FOLDER_LINK), "gzip: links");
	ok(names(raw_2, URL_2, TOKEN) && names(gzip_2, URL_2, TOKEN),
	    "the second pair: URL and token");
	ok(eq(links_of(raw_2, key), FILE_LINK FOLDER_LINK) &&
	    eq(links_of(gzip_2, key), FILE_LINK FOLDER_LINK), "links");
	ok(eq(links_of(huffman, key), FILE_LINK), "compressed in earnest");
	ok(eq(links_of(hidden_2, NULL), FILE_LINK FOLDER_LINK), "HIDDEN");
	ok(eq(links_of(hidden_node, NULL), NODE_LINK), "HIDDEN, a node");
	ok(eq(links_of(hidden_32, NULL),
	    "https://mega.nz/file/A#BBBBBBBBBBBBBBBBBBBBBBBBBBBB\n"),
	    "no block for padding alone");
	ok(eq(links_of(hidden_0, NULL), ""), "no links");
	ok(strstr(links_of(raw_1, other), "no link") != NULL, "a wrong key");
	ok(elc_read(&e, text_of(raw_1)) == 0 &&
	    elc_links(&e, other, collect, NULL) == ERR_MAC, "is ERR_MAC");
	elc_free(&e);
	ok(strstr(links_of(raw_1, NULL), "its own") != NULL,
	    "a server's container has no key of its own");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(elc_read(&e, text_of(bad[i].body)) == ERR_PROTO,
		    "refused: %s", bad[i].what);
	ok(elc_read(&e, text_of("")) == ERR_PROTO &&
	    elc_read(&e, text_of("u")) == ERR_PROTO &&
	    elc_read(&e, text_of("uQ")) == ERR_PROTO, "refused: hardly any");
}

/* Whether the container of these links has that very spelling. */
static int
writes(const char *body, const char *const *links, const char *url)
{
	struct buf text = BUF_MAX(ELC_BYTES_MAX), out = BUF_MAX(1 << 20);
	struct megalink l;
	int r = 0;

	for (; *links != NULL && r == 0; links++)
		if ((r = megalink_parse(&l, *links, strlen(*links))) == 0)
			r = elc_add(&text, &l);
	if (r == 0)
		r = elc_write(&out, &text, key, url, TOKEN, 1);
	r = r == 0 && eq(buf_str(&out), body);
	buf_free(&text);
	buf_free(&out);
	return r;
}

static void
test_write(void)
{
	static const char *const two[] = { "#!AbCdEfGh!AAECAwQFBgcICQoLDA0O"
	    "DxAREhMUFRYXGBkaGxwdHh8", "#F!FoLdEr01!AAECAwQFBgcICQoLDA0ODw",
	    NULL };
	static const char *const node[] = { "#!N?NoDeHnd1!AAECAwQFBgcICQoLDA"
	    "0ODxAREhMUFRYXGBkaGxwdHh8=###n=FoLdEr01", NULL };
	static const char *const odd[] = { "#!A!BBBBBBBBBBBBBBBBBBBBBBBBBBBB",
	    NULL };
	struct buf b = BUF_MAX(ELC_BYTES_MAX), out = BUF_MAX(1 << 20);
	struct megalink l;
	char url[400] = "http://test.com/", text[ELC_KEY_TEXT];
	static char token[ELC_FIELD_MAX + 2];
	uint8_t back[ELC_KEY_SIZE];

	ok(writes(raw_1, two, URL_1), "raw written");
	ok(writes(raw_2, two, URL_2), "the second written");
	ok(writes(hidden_2, two, NULL), "HIDDEN written");
	ok(writes(hidden_node, node, NULL), "a node in HIDDEN written");
	ok(writes(hidden_32, odd, NULL), "32 bytes need no padding");
	ok(writes(hidden_0, &odd[1], NULL), "no links written");

	for (int i = 0; i < 20; i++)
		strcat(url, "elc/");
	strcat(url, "?a=1&b=2");
	megalink_parse(&l, two[0], strlen(two[0]));
	ok(elc_add(&b, &l) == 0 &&
	    elc_write(&out, &b, key, url, "1", 0) == 0 &&
	    strncmp(buf_str(&out), "mega://elc?cB-LCA", 17) == 0 &&
	    out.len <= 11 + 168, "gzip where it is shorter (%zu)", out.len);
	ok(eq(links_of(buf_str(&out) + 11, key), FILE_LINK) &&
	    names(buf_str(&out) + 11, url, "1"), "and it reads back");

	memset(token, 'x', sizeof token - 1);
	ok(elc_write(&out, &b, key, URL_1, token, 0) == ERR_TOOBIG,
	    "a token of 32768 is refused");
	buf_free(&b);
	buf_free(&out);

	ok(eq(elc_key_write(text, key), KEY_TEXT), "a key as text");
	ok(elc_key_read(back, text_of(KEY_TEXT)) == 0 &&
	    memcmp(back, key, sizeof key) == 0, "and back");
	ok(elc_key_read(back, text_of("AAAA")) == ERR_PROTO, "a short one");
}

struct found {
	struct elc_text text;
	struct buf seen;    /* kind and line of each link */
};

static void
note_link(void *ctx, const struct megalink_found *f)
{
	struct found *found = ctx;

	buf_printf(&found->seen, "%s:%lu ",
	    f != NULL ? megalink_kind_name(f->kind) : "long",
	    found->text.line);
}

/* What is found in a text that comes in two pieces. */
static const char *
found_in(const char *text, size_t n, size_t at)
{
	static struct found f = { .seen = BUF_MAX(4096) };

	buf_reset(&f.seen);
	elc_text_init(&f.text, note_link, &f);
	elc_text_feed(&f.text, text, at);
	elc_text_feed(&f.text, text + at, n - at);
	elc_text_end(&f.text);
	return buf_str(&f.seen);
}

static void
test_texts(void)
{
	static const char mixed[] = "mega://enc?AA,mega://#!a!b\n\nx "
	    "<mega://configelc?a:b:c>\r\nmega://elc?uQ";
	size_t n = strlen(mixed);
	char *big = xcalloc(1, MEGALINK_WORD_MAX + 20);
	int bad_ones = 0;

	for (size_t at = 0; at <= n; at++)
		bad_ones += strcmp(found_in(mixed, n, at),
		    "enc:1 plain:1 configelc:3 elc:4 ") != 0;
	ok(bad_ones == 0, "links are found, wherever a text is cut");
	ok(eq(found_in(raw_1, strlen(raw_1), 5), "elc:1 ") &&
	    eq(found_in(gzip_1, strlen(gzip_1), 5), "elc:1 "),
	    "a bare container");
	ok(eq(found_in("\xef\xbb\xbfuQAAAAAGAEhJRERFTiAA\r\n", 25, 2),
	    "elc:1 "), "behind a mark of UTF-8");
	ok(eq(found_in("understanding", 13, 1), "") &&
	    eq(found_in("uWAAAADUbmPh_y and", 18, 1), "") &&
	    eq(found_in("uWAAAA", 6, 1), ""), "words are none");
	memset(big, 'a', MEGALINK_WORD_MAX + 1);
	strcat(big, " mega://#!a");
	ok(eq(found_in(big, strlen(big), 1000), "long:1 plain:1 "),
	    "a word too long is told");
	free(big);
}

/* A container of n zeros, gzipped; the caller frees it. */
static char *
bomb(size_t n)
{
	uint8_t *zeros = xcalloc(1, n), *bytes = xmalloc(n);
	z_stream z = { .next_in = zeros, .avail_in = (uInt)n,
	    .next_out = bytes + 1, .avail_out = (uInt)n - 1 };
	char *text;

	bytes[0] = 0x70;
	deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
	deflate(&z, Z_FINISH);
	text = xmalloc(B64_LEN(z.total_out + 1) + 1);
	b64_encode(text, bytes, z.total_out + 1);
	deflateEnd(&z);
	free(bytes);
	free(zeros);
	return text;
}

static void
test_bounds(void)
{
	struct elc e;
	char *text = bomb(16 << 20);

	ok(elc_read(&e, text_of(text)) == ERR_TOOBIG && e.record.cap == 0,
	    "16 MiB of zeros in %zu characters are refused", strlen(text));
	free(text);
	text = xmalloc(2 << 20);
	memset(text, 'A', 2 << 20);
	text[(2 << 20) - 1] = '\0';
	text[0] = 'u';
	text[1] = 'Q';
	ok(elc_read(&e, text_of(text)) == ERR_TOOBIG, "2 MiB of base64, too");
	free(text);
}

static uint32_t
any(uint32_t below)
{
	static uint32_t x = 2463534242u;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x % below;
}

static void
any_text(char *p, size_t n)
{
	static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn"
	    "opqrstuvwxyz0123456789-_";

	while (n-- > 0)
		*p++ = abc[any(64)];
}

static struct megalink
any_link(void)
{
	struct megalink l = { .type = any(3) };

	any_text(l.id, 8);
	any_text(l.key, l.type == MEGALINK_FOLDER ? 22 : 43);
	if (l.type == MEGALINK_NODE)
		any_text(l.node, 8);
	return l;
}

/* One list there and back: with a server or without, short or long enough
 * to compress. */
static int
round_trip(int i)
{
	struct buf links = BUF_MAX(ELC_BYTES_MAX), out = BUF_MAX(2 << 20);
	struct buf want = BUF_MAX(1 << 20);
	char url[600] = "https://example.org/", token[200] = "";
	uint8_t k[ELC_KEY_SIZE];
	int hidden = i % 3 == 0, r = 0;

	for (size_t n = any(60); n > 0; n--) {
		struct megalink l = any_link();

		collect(&want, &l);
		r |= elc_add(&links, &l);
	}
	for (size_t n = 0; n < sizeof k; n++)
		k[n] = (uint8_t)any(256);
	any_text(token, 1 + any(sizeof token - 2));
	if (any(2))
		memset(url + strlen(url), 'a' + i % 26, any(500));
	r |= elc_write(&out, &links, k, hidden ? NULL : url, token, 1);
	r = r == 0 && strcmp(links_of(buf_str(&out), hidden ? NULL : k),
	    buf_str(&want)) == 0 &&
	    (hidden || names(buf_str(&out), url, token)) &&
	    strcmp(found_in(buf_str(&out), out.len, 0), "elc:1 ") == 0;
	buf_free(&links);
	buf_free(&out);
	buf_free(&want);
	return r;
}

static void
test_random(void)
{
	int bad_ones = 0;

	for (int i = 0; i < 1000; i++)
		bad_ones += !round_trip(i);
	ok(bad_ones == 0, "1000 random lists come back (%d do not)",
	    bad_ones);
}

int
main(void)
{
	test_read();
	test_write();
	test_texts();
	test_bounds();
	test_random();
	return done();
}
