/* The ground floor, base64, names: what everything stands on. */

#include "b64.h"
#include "buf.h"
#include "err.h"
#include "mem.h"
#include "name.h"
#include "secret.h"
#include "tap.h"

static void
errors(void)
{
	err_clear();
	ok(err_set(ERR_NOENT, "no %s", "x") == ERR_NOENT &&
	    eq(err_text(), "no x"), "a text is recorded");
	ok(err_set(ERR_LOGIN, "who?") == ERR_LOGIN && err_api() == ERR_NOENT,
	    "a translation keeps the service's code");
	ok(err_prefix(ERR_LOGIN, "f: ") == ERR_LOGIN &&
	    eq(err_text(), "f: who?"), "a context goes before it");
	ok(err_service(-9) == -9 && eq(err_text(), "not found"), "words");
	ok(err_service(-77) == -77 && eq(err_text(), "the service answered -77"),
	    "and none");
	err_set_retry_after(5);
	err_clear();
	ok(err_api() == 0 && err_retry_after() == -1 && eq(err_text(), ""),
	    "cleared");
}

static void
buffers(void)
{
	struct buf b = BUF_MAX(10);
	char *s;

	ok(eq(buf_str(&b), ""), "an empty buffer is an empty string");
	ok(buf_addstr(&b, "12345") == 0 && buf_printf(&b, "%d", 678) == 0,
	    "additions");
	ok(buf_addstr(&b, "901") == ERR_TOOBIG && eq(buf_str(&b), "12345678"),
	    "one too many is refused whole");
	ok(buf_addch(&b, '9') == ERR_TOOBIG && buf_check(&b) == ERR_TOOBIG,
	    "and so is what follows");
	buf_reset(&b);
	ok(buf_check(&b) == 0 && buf_addstr(&b, "1234567890") == 0 &&
	    eq(buf_str(&b), "1234567890"), "up to the ceiling");
	buf_drop(&b, 4);
	ok(eq(buf_str(&b), "567890"), "dropped from the front");
	s = buf_steal(&b);
	ok(eq(s, "567890") && b.len == 0, "stolen");
	free(s);
	buf_free(&b);
}

static void
secrets(void)
{
	char a[] = "secret", b[] = "secreT";
	uint8_t r1[32], r2[32];

	ok(secret_equal(a, a, 6) && !secret_equal(a, b, 6) &&
	    secret_equal(a, b, 0), "comparison");
	secret_zero(a, sizeof a);
	ok(memcmp(a, "\0\0\0\0\0\0", 7) == 0, "wiped");
	secret_random(r1, sizeof r1);
	secret_random(r2, sizeof r2);
	ok(memcmp(r1, r2, sizeof r1) != 0, "random");
}

/* Vectors: mega-protocol(7), "Base64". */
static void
base64(void)
{
	static const struct {
		const char *hex, *text;
	} both[] = {
		{ "", "" }, { "00", "AA" }, { "ff", "_w" }, { "0001", "AAE" },
		{ "fbff", "-_8" }, { "fbffbf", "-_-_" },
		{ "0102030405060708", "AQIDBAUGBwg" },
	}, in[] = {
		{ "", "A" }, { "00", "AB" }, { "00", "AP" }, { "0010", "ABC" },
		{ "fb", "-_" }, { "fb", "+/" }, { "0102", "AQI=" },
		{ "0102", "AQI,junk" }, { "001083", "ABCD" },
	};
	uint8_t bytes[64];
	char text[64];

	for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
		size_t n = unhex(bytes, both[i].hex);

		ok(eq(b64_encode(text, bytes, n), both[i].text) &&
		    strlen(text) == B64_LEN(n), "encode %s", both[i].hex);
		ok(b64_decode_exact(bytes, n, text, strlen(text)) == 0 &&
		    same(bytes, n, both[i].hex), "decode %s", both[i].text);
	}
	for (size_t i = 0; i < sizeof in / sizeof *in; i++) {
		size_t n = b64_decode(bytes, in[i].text, strlen(in[i].text));

		ok(same(bytes, n, in[i].hex), "decode %s", in[i].text);
	}
	ok(b64_decode_exact(bytes, 3, "AQI", 3) < 0, "too short");
	ok(b64_decode_exact(bytes, 3, "AQI=", 4) < 0, "foreign character");
	ok(b64_valid("aZ-_09", 6) && !b64_valid("a+", 2) && !b64_valid("a/", 2),
	    "the URL alphabet");
	ok(b64_hex("c3A9", 4) == 0xc3a9 && b64_hex("0", 1) == 0 &&
	    b64_hex("g0", 2) == -1 && b64_hex("1", 2) == -1 &&
	    b64_hex("@`", 2) == -1, "hexadecimal digits");
	ok(B64_LEN(16) == 22 && B64_LEN(32) == 43 && B64_LEN(43) == 58 &&
	    B64_BYTES(43) == 32 && B64_BYTES(22) == 16, "lengths");
}

static int
local_is(const char *name, size_t n, const char *want)
{
	char out[NAME_LOCAL_MAX];

	return eq(name_local(out, name, n, "AbCdEfGh"), want);
}

static void
names(void)
{
	struct buf b = BUF_MAX(1000);
	char longest[300], out[NAME_LOCAL_MAX];

	ok(local_is("a.txt", 5, "a.txt"), "an ordinary name stays");
	ok(local_is("../../x", 7, "..%2f..%2fx"), "no way up");
	ok(local_is("/", 1, "%2f") && local_is("/etc/passwd", 11,
	    "%2fetc%2fpasswd"), "no absolute path");
	ok(local_is(".", 1, "%2e") && local_is("..", 2, "%2e%2e"), "dots");
	ok(local_is("", 0, "H:AbCdEfGh"), "an empty name is the handle");
	ok(local_is("a\0b", 3, "a%00b"), "NUL");
	ok(local_is("a\nb\033[31m", 8, "a\nb\033[31m"), "controls stay");
	ok(local_is("\xff\xfe", 2, "\xff\xfe"), "bytes stay");
	memset(longest, 'x', sizeof longest);
	memcpy(longest + 296, ".txt", 4);
	name_local(out, longest, 300, "AbCdEfGh");
	ok(strlen(out) == 255 && strcmp(out + 242, "~AbCdEfGh.txt") == 0,
	    "a long name is cut before its extension");
	for (int i = 0; i < 150; i++)
		memcpy(longest + 2 * i, "\xc3\xa9", 2);
	name_local(out, longest, 300, "AbCdEfGh");
	ok(strlen(out) <= 255 && (strlen(out) - 9) % 2 == 0,
	    "at the border of a character");
	memset(longest, '/', 200);
	ok(strlen(name_local(out, longest, 200, "AbCdEfGh")) == 255,
	    "also when only its mapping is too long");

	name_remote(&b, "a%2fb%00c%41");
	ok(b.len == 8 && memcmp(b.p, "a/b\0c%41", 8) == 0, "and back");
	buf_reset(&b);
	name_remote(&b, "%2e%2e");
	ok(eq(buf_str(&b), ".."), "dots, too");
	buf_reset(&b);
	name_escape(&b, "a\n\t\\\033[1m\xc3\xa9\xff\xc2\x9b\x7f", 14);
	ok(eq(buf_str(&b), "a\\n\\t\\\\\\x1b[1m\xc3\xa9\\xff\\xc2\\x9b\\x7f"),
	    "nothing raw for a terminal");
	buf_free(&b);
}

int
main(void)
{
	errors();
	buffers();
	secrets();
	base64();
	names();
	return done();
}
