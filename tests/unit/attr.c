/* Vectors: mega-protocol(7), "Test vectors"; read by megajs, mega.py and
 * go-mega as well. */

#include "aes.h"
#include "attr.h"
#include "b64.h"
#include "err.h"
#include "tap.h"

static uint8_t file_key[16], folder_key[16];

/* Encrypt n bytes, a multiple of 16, as somebody else would. */
static char *
seal_bytes(const void *plain, size_t n)
{
	uint8_t *p = malloc(n);
	char *text = malloc(B64_LEN(n) + 1);
	struct aes aes;

	if (p == NULL || text == NULL)
		abort();
	aes_init(&aes, file_key);
	aes_cbc_encrypt(&aes, p, plain, n);
	b64_encode(text, p, n);
	free(p);
	return text;
}

/* Encrypt a text with the least padding and pad bytes more. */
static char *
seal_text(const char *text, size_t pad)
{
	size_t len = strlen(text), n = (len + 15) / 16 * 16 + pad;
	char *plain = calloc(1, n), *r;

	if (plain == NULL)
		abort();
	memcpy(plain, text, len);
	r = seal_bytes(plain, n);
	free(plain);
	return r;
}

static int
open_text(struct attr *a, const char *text)
{
	char *b64 = seal_text(text, 0);
	int r = attr_open(a, b64, strlen(b64), file_key);

	free(b64);
	return r;
}

/* The plaintext that attributes seal to, to be freed. */
static char *
plain_of(const struct attr *a)
{
	struct buf out = BUF_MAX(2 * ATTR_MAX);
	struct aes aes;
	uint8_t *p;
	size_t n;

	if (attr_seal(a, &out, file_key) < 0) {
		buf_free(&out);
		return NULL;
	}
	p = calloc(1, B64_BYTES(out.len) + 1);
	if (p == NULL)
		abort();
	n = b64_decode(p, out.p, out.len);
	aes_init(&aes, file_key);
	aes_cbc_decrypt(&aes, p, p, n);
	buf_free(&out);
	return (char *)p;
}

static int
seals_to(const struct attr *a, const char *want)
{
	char *plain = plain_of(a);
	int r = eq(plain, want);

	free(plain);
	return r;
}

static int
has(const struct attr *a, const char *name, const char *want)
{
	size_t len = 0;
	const char *got = attr_get(a, name, &len);

	return eq(got, want) && len == strlen(want);
}

static void
test_vectors(void)
{
	static const struct {
		const char *b64, *n, *c, *plain;
		int folder;
	} t[] = {
		{ "bS0FxSw-SOhe2J38E0CulruUYo_i5rdtBxdZy-UQyX8",
		    "test.txt", NULL, "MEGA{\"n\":\"test.txt\"}", 0 },
		{ "6YKAyIGh4ZZfMvcJDBy7Xkjyzsh-uCtgyoog8Y_f9SDbzNGQIiFVgOoGNt"
		    "ujIkLVBfxbGY5dQljKWmWoe7AHSg",
		    "h\u00e9llo w\u00f6rld.txt",
		    "AAECAwQFBgcICQoLDA0ODwSAdPBQ",
		    "MEGA{\"n\":\"h\u00e9llo w\u00f6rld.txt\","
		    "\"c\":\"AAECAwQFBgcICQoLDA0ODwSAdPBQ\"}", 0 },
		{ "6YKAyIGh4ZZfMvcJDBy7XuOZwSFd6c2T_rMQjcDD2TU",
		    "h\u00e9llo", NULL, "MEGA{\"n\":\"h\u00e9llo\"}", 0 },
		{ "bPT4ZdcgYOJ9HzRI1_eOV94AL7hIr4O7Nm_XV6j_Tjo",
		    "test.txt", NULL, NULL, 0 },
		{ "OwN8OksnPInLT5SBSMxdkzZOkvVuf7ARfaCYGZT-gxs",
		    "h\u00e9llo", NULL, NULL, 0 },
		{ "GLNaGX5Wb5ig3ghBnQDNmwgdNvctUSVxKbxGdR-KlaY",
		    "My Folder", NULL, "MEGA{\"n\":\"My Folder\"}", 1 },
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		const uint8_t *key = t[i].folder ? folder_key : file_key;
		struct buf out = BUF_MAX(1000);
		struct attr a, b = { 0 };

		ok(attr_open(&a, t[i].b64, strlen(t[i].b64), key) == 0 &&
		    has(&a, "n", t[i].n), "read \"%s\"", t[i].n);
		ok(t[i].c == NULL ? attr_get(&a, "c", NULL) == NULL :
		    has(&a, "c", t[i].c), "its fingerprint");
		if (t[i].plain != NULL) {
			ok(attr_seal(&a, &out, key) == 0 &&
			    eq(buf_str(&out), t[i].b64), "written again");
			attr_set(&b, "n", t[i].n, strlen(t[i].n));
			if (t[i].c != NULL)
				attr_set(&b, "c", t[i].c, strlen(t[i].c));
			ok(seals_to(&b, t[i].plain), "written anew");
		}
		buf_free(&out);
		attr_free(&a);
		attr_free(&b);
	}
}

static void
test_texts(void)
{
	static const struct {
		const char *json, *name, *value;
	} t[] = {
		{ "{\"n\":\"\"}", "n", "" },
		{ "{\"n\":5}", "n", "5" },
		{ "{\"n\":-1.5e3}", "n", "-1.5e3" },
		{ "{\"n\":null}", "n", "null" },
		{ "{\"n\":true}", "n", "true" },
		{ "{\"n\":{\"a\":[1,\"x\"]},\"c\":\"C\"}", "n",
		    "{\"a\":[1,\"x\"]}" },
		{ "{\"n\":[],\"c\":\"C\"}", "c", "C" },
		{ "{\"x\":{\"n\":\"inner\"},\"n\":\"outer\"}", "n", "outer" },
		{ "{ \"n\" : \"a\" , \"c\":\"C\" } ", "n", "a" },
		{ "{\"n\":\"a\\\"b\\\\c\\/d\"}", "n", "a\"b\\c/d" },
		{ "{\"n\":\"\\b\\f\\n\\r\\t\"}", "n", "\b\f\n\r\t" },
		{ "{\"n\":\"\\u003ca\\u0026b\\u003e\"}", "n", "<a&b>" },
		{ "{\"n\":\"\\ud83d\\ude00\"}", "n", "\U0001f600" },
		{ "{\"n\":\"\\ud83d\"}", "n", "\ufffd" },
		{ "{\"n\":\"\\ude00x\"}", "n", "\ufffdx" },
		{ "{\"n\":\"\xff\xfe/\xe9\"}", "n", "\xff\xfe/\xe9" },
		{ "{\"\\u006e\":\"escaped\"}", "n", "escaped" },
		{ "{\"n\":\"one\",\"n\":\"two\"}", "n", "two" },
		{ "{\"n\":\"one\",\"\\u006e\":2}", "n", "2" },
		{ "{\"dev-id\":\"x\",\"n\":\"a\"}", "dev-id", "x" },
		{ "{\"\":\"x\"}", "", "x" },
		{ "{\"n\":\"a\nb\"}", "n", "a\nb" },
	};
	struct attr a;
	char text[200];

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		snprintf(text, sizeof text, "MEGA%s", t[i].json);
		ok(open_text(&a, text) == 0 && has(&a, t[i].name, t[i].value),
		    "read %zu", i);
		attr_free(&a);
	}
	ok(open_text(&a, "MEGA{}") == 0 && a.n == 0, "no members");
	ok(seals_to(&a, "MEGA{}"), "and none written");
	attr_free(&a);
	ok(open_text(&a, "MEGA{\"n\":\"a\\u0000b\"}") == 0, "a NUL");
	{
		size_t len = 0;
		const char *p = attr_get(&a, "n", &len);

		ok(p != NULL && len == 3 && memcmp(p, "a\0b", 4) == 0,
		    "counts in the length");
	}
	ok(attr_get(&a, "c", NULL) == NULL, "no such member");
	attr_free(&a);
}

static void
test_padding(void)
{
	for (size_t pad = 0; pad <= 64; pad += 16) {
		char *b64 = seal_text("MEGA{\"n\":\"abcde\"}", pad);
		struct attr a;

		ok(attr_open(&a, b64, strlen(b64), file_key) == 0 &&
		    has(&a, "n", "abcde"), "%zu zeros too many", pad);
		attr_free(&a);
		free(b64);
	}
}

static void
test_nul(void)
{
	static const char behind[32] = "MEGA{\"n\":\"a\"}\0junk";
	static const char inside[32] = "MEGA{\"n\":\"a\0b\"}";
	char *one = seal_bytes(behind, 32), *other = seal_bytes(inside, 32);
	struct attr a;

	ok(attr_open(&a, one, strlen(one), file_key) == 0 && has(&a, "n", "a"),
	    "what follows a NUL is padding");
	attr_free(&a);
	ok(attr_open(&a, other, strlen(other), file_key) == ERR_PROTO,
	    "even inside a string");
	free(one);
	free(other);
}

static void
test_bad_texts(void)
{
	static const struct {
		const char *text;
		int r;
	} t[] = {
		{ "MEGA", ERR_KEY },
		{ "mega{\"n\":\"a\"}", ERR_KEY },
		{ "MEGA[\"n\"]", ERR_KEY },
		{ "MEGA {\"n\":\"a\"}", ERR_KEY },
		{ "XEGA{\"n\":\"a\"}", ERR_KEY },
		{ "MEGA{", ERR_PROTO },
		{ "MEGA{\"n", ERR_PROTO },
		{ "MEGA{\"n\":\"a long name that is cut", ERR_PROTO },
		{ "MEGA{\"n\":\"a\"", ERR_PROTO },
		{ "MEGA{\"n\"}", ERR_PROTO },
		{ "MEGA{\"n\":}", ERR_PROTO },
		{ "MEGA{\"n\" \"a\"}", ERR_PROTO },
		{ "MEGA{\"n\":\"a\" \"c\":\"b\"}", ERR_PROTO },
		{ "MEGA{n:\"a\"}", ERR_PROTO },
		{ "MEGA{1:\"a\"}", ERR_PROTO },
		{ "MEGA{\"n\":\"a\"}}", ERR_PROTO },
		{ "MEGA{\"n\":\"a\"}{}", ERR_PROTO },
		{ "MEGA{\"n\":\"a\"}junk", ERR_PROTO },
		{ "MEGA{\"n\":\"\\x\"}", ERR_PROTO },
		{ "MEGA{\"n\":\"\\u12g4\"}", ERR_PROTO },
	};
	struct attr a;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		ok(open_text(&a, t[i].text) == t[i].r, "refused: %s",
		    t[i].text);
		ok(a.n == 0 && a.m == NULL, "and nothing kept");
		attr_free(&a);
	}
}

static void
test_bad_blocks(void)
{
	static const char good[] =
	    "bS0FxSw-SOhe2J38E0CulruUYo_i5rdtBxdZy-UQyX8";
	size_t n = B64_LEN(ATTR_MAX + 16);
	char *big = malloc(n + 1);
	struct attr a;

	if (big == NULL)
		abort();
	memset(big, 'A', n);
	big[n] = '\0';
	ok(attr_open(&a, good, 0, file_key) == ERR_PROTO, "empty");
	ok(attr_open(&a, good, 20, file_key) == ERR_PROTO, "15 bytes");
	ok(attr_open(&a, good, 42, file_key) == ERR_PROTO, "31 bytes");
	ok(attr_open(&a, good, 22, file_key) == ERR_PROTO, "half of it");
	ok(attr_open(&a, good, 43, folder_key) == ERR_KEY, "another key");
	ok(attr_open(&a, "!", 1, file_key) == ERR_PROTO, "no base64");
	ok(attr_open(&a, big, n, file_key) == ERR_PROTO, "too long");
	ok(attr_open(&a, big, B64_LEN(ATTR_MAX), file_key) == ERR_KEY,
	    "as long as may be");
	free(big);
}

/* A block with n members a0, a1 … */
static int
open_many(struct attr *a, unsigned n)
{
	struct buf b = BUF_MAX(ATTR_MAX);
	int r;

	buf_addstr(&b, "MEGA{");
	for (unsigned i = 0; i < n; i++)
		buf_printf(&b, "%s\"a%u\":%u", i > 0 ? "," : "", i, i);
	buf_addch(&b, '}');
	r = open_text(a, buf_str(&b));
	buf_free(&b);
	return r;
}

static void
test_limits(void)
{
	struct buf out = BUF_MAX(2 * ATTR_MAX);
	static char name[ATTR_MAX];
	const size_t most = ATTR_MAX - strlen("MEGA{\"n\":\"\"}");
	struct attr a, b = { 0 };

	ok(open_many(&a, ATTR_COUNT) == 0 && has(&a, "a255", "255"),
	    "%d members", ATTR_COUNT);
	attr_set(&a, "more", "x", 1);
	ok(attr_seal(&a, &out, file_key) == ERR_TOOBIG, "one too many");
	attr_free(&a);
	ok(open_many(&a, ATTR_COUNT + 1) == ERR_PROTO, "to read as well");
	attr_free(&a);

	memset(name, 'x', sizeof name);
	attr_set(&b, "n", name, most + 1);
	ok(attr_seal(&b, &out, file_key) == ERR_TOOBIG, "a name too long");
	attr_set(&b, "n", name, most);
	ok(attr_seal(&b, &out, file_key) == 0 &&
	    out.len == B64_LEN(ATTR_MAX), "the longest name");
	ok(attr_open(&a, out.p, out.len, file_key) == 0, "is read");
	ok(attr_seal(&a, &out, file_key) == ERR_TOOBIG &&
	    out.len == B64_LEN(ATTR_MAX), "no room behind it");
	attr_free(&a);
	attr_free(&b);
	buf_free(&out);
}

static void
test_set(void)
{
	struct attr a = { 0 };

	attr_set(&a, "n", "one", 3);
	attr_set(&a, "c", "two", 3);
	attr_set(&a, "lbl", "3", 1);
	attr_set(&a, "n", "longer than before", 18);
	ok(seals_to(&a, "MEGA{\"n\":\"longer than before\",\"c\":\"two\","
	    "\"lbl\":\"3\"}"), "a change keeps the order");
	attr_set(&a, "c", NULL, 0);
	attr_set(&a, "none", NULL, 0);
	ok(seals_to(&a, "MEGA{\"n\":\"longer than before\",\"lbl\":\"3\"}"),
	    "removed");
	attr_set(&a, "n", "", 0);
	ok(has(&a, "n", ""), "empty is not removed");
	attr_set(&a, "n", NULL, 0);
	attr_set(&a, "lbl", NULL, 0);
	ok(seals_to(&a, "MEGA{}"), "all removed");
	attr_set(&a, "n", "\"\\\b\f\n\r\t\x01\x1f\x7f/\0<", 13);
	ok(seals_to(&a, "MEGA{\"n\":\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f"
	    "\x7f/\\u0000<\"}"), "escapes");
	attr_set(&a, "n", "\xff\xfe\xe9 \xc3\xa9", 6);
	ok(seals_to(&a, "MEGA{\"n\":\"\xff\xfe\xe9 \xc3\xa9\"}"),
	    "bytes that are no UTF-8 stay");
	ok(has(&a, "n", "\xff\xfe\xe9 \xc3\xa9"), "and are what was set");
	attr_free(&a);
	attr_free(&a);
}

static void
test_verbatim(void)
{
	static const char text[] = "MEGA{\"zz\":{\"a\" : [1, 2,{}]},"
	    "\"n\":\"h\\u00e9\",\"fav\":1,\"\\u0078\":\"\\/\","
	    "\"y\":null,\"t\":1.50}";
	struct attr a;

	ok(open_text(&a, text) == 0, "members of all types");
	ok(seals_to(&a, text), "are written as they came");
	attr_set(&a, "n", "new", 3);
	ok(seals_to(&a, "MEGA{\"zz\":{\"a\" : [1, 2,{}]},\"n\":\"new\","
	    "\"fav\":1,\"\\u0078\":\"\\/\",\"y\":null,\"t\":1.50}"),
	    "around one that changes");
	attr_free(&a);
}

static void
test_strip(void)
{
	static const char text[] = "MEGA{\"rr\":\"a\",\"n\":\"b\",\"sen\":1,"
	    "\"s4\":\"c\",\"lbl\":2,\"des\":\"d\",\"fav\":1,\"c\":\"e\"}";
	struct attr a;

	ok(open_text(&a, text) == 0, "attributes of one owner");
	attr_strip(&a, 0);
	ok(seals_to(&a, "MEGA{\"n\":\"b\",\"sen\":1,\"s4\":\"c\",\"lbl\":2,"
	    "\"des\":\"d\",\"fav\":1,\"c\":\"e\"}"), "copied");
	attr_strip(&a, 1);
	ok(seals_to(&a, "MEGA{\"n\":\"b\",\"des\":\"d\",\"c\":\"e\"}"),
	    "imported");
	attr_free(&a);
	ok(open_text(&a, text) == 0, "again");
	attr_strip(&a, 1);
	ok(seals_to(&a, "MEGA{\"n\":\"b\",\"des\":\"d\",\"c\":\"e\"}"),
	    "imported at once");
	attr_free(&a);
}

static void
test_inherit(void)
{
	struct attr old, a = { 0 };

	ok(open_text(&old, "MEGA{\"n\":\"old\",\"c\":\"x\",\"rr\":\"a\","
	    "\"t\":\"a,b\",\"fav\":1,\"lbl\":\"2\",\"new\":[1],"
	    "\"\\u0064es\":\"d\\n\",\"sen\":\"1\"}") == 0, "a version");
	attr_set(&a, "n", "new", 3);
	attr_inherit(&a, &old);
	attr_free(&old);
	ok(seals_to(&a, "MEGA{\"n\":\"new\",\"fav\":1,\"lbl\":\"2\","
	    "\"\\u0064es\":\"d\\n\",\"sen\":\"1\",\"t\":\"a,b\"}"),
	    "what its successor takes over");
	ok(open_text(&old, "MEGA{\"n\":\"old\",\"t\":1700000000,\"fav\":0}") ==
	    0, "another");
	attr_inherit(&a, &old);
	ok(strcmp(attr_get(&a, "t", NULL), "a,b") == 0 &&
	    strcmp(attr_get(&a, "fav", NULL), "0") == 0,
	    "a time is no list of tags");
	attr_free(&old);
	attr_free(&a);
}

int
main(void)
{
	unhex(file_key, "101112131415161718191a1b1c1d1e1f");
	unhex(folder_key, "303132333435363738393a3b3c3d3e3f");
	test_vectors();
	test_texts();
	test_padding();
	test_nul();
	test_bad_texts();
	test_bad_blocks();
	test_limits();
	test_set();
	test_verbatim();
	test_strip();
	test_inherit();
	return done();
}
