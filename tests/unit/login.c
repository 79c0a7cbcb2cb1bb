/*
 * Logging in without a server: replies to "us" with session ids in every
 * width and padding, session strings, confirmation links.
 *
 * The account and its strings were made for these tests; three other clients
 * read them alike.
 */
#include <string.h>

#include <tommath.h>

#include "b64.h"
#include "err.h"
#include "kdf.h"
#include "key.h"
#include "login.h"
#include "register.h"
#include "rsakey.h"
#include "tap.h"

#define USER  "AQIDBAUGBwg"
#define TSID  "oKGio6SlpqeoqaqrrK2ur0FRSURCQVVHQndnzwhqgsC3RadJ2quyinqNsw"
#define K_V1  "FrUFELc80ZdmjBfhwjaIMA" /* under the v1 key of "password" */
#define K_EPH "9Z18vwj8RzdVEebZ7stoBA" /* under 0f0e…00 */
#define MASTER "00112233445566778899aabbccddeeff"
#define STRING_V1 \
    "AeGKVWcB_pNKNLpMAms19sFBQkNERUZHSElKS0xNTk9QQVFJREJBVUdCd2dhYmNk" \
    "ZWZnaGlqa2xtbm9w"
#define STRING_V0 \
    "ABEiM0RVZneImaq7zN3u_0FCQ0RFRkdISUpLTE1OT1BBUUlEQkFVR0J3Z2FiY2Rl" \
    "ZmdoaWprbG1ub3A"
#define STRING_FOLDER \
    "AgGwnRHxoWcl8Fbk7AARIjNEVWZ3iJmqu8zd7v8AAAEAAAAAABkAUFBQUFBQUFBQ" \
    "UFBQUFBQUFBQUFBQUFBQUA"
#define STRING_WRITABLE \
    "AgGwnRHxoWcl8Fbk7AARIjNEVWZ3iJmqu8zd7v8BAAEAAAAAAAoAV3JpdGVBdXRo" \
    "Sw0AUFBQUFBQUFBQUFBQUA"
#define CODE \
    "Q29uZmlybUNvZGVWMgABAgMEBQYHCAkKCwwNDnVzZXJAZXhhbXBsZS5vcmcJQm9i" \
    "IEJyb3du8PHy8_T19vc"

static uint8_t pwkey[16];

/* Read a reply to "us" made of these members. */
static int
reply(struct session *s, const char *members, const uint8_t *key, int lax)
{
	struct buf text = BUF_MAX(1 << 16);
	struct json j = { 0 };
	int r;

	session_free(s);
	*s = (struct session){ 0 };
	if (key == NULL)
		unhex(s->master, MASTER);
	buf_printf(&text, "{%s}", members);
	r = json_parse(&j, buf_str(&text), text.len);
	if (r == 0)
		r = login_reply(s, &j, 0, key, lax);
	json_free(&j);
	buf_free(&text);
	return r;
}

static int
csid_reply(struct session *s, const char *csid, const char *user, int lax)
{
	struct buf b = BUF_MAX(1 << 16);
	int r;

	buf_printf(&b, "\"k\":\"%s\",\"privk\":\"%s\",\"csid\":\"%s\"%s%s%s",
	    K_V1, PRIVK, csid, user != NULL ? ",\"u\":\"" : "",
	    user != NULL ? user : "", user != NULL ? "\"" : "");
	r = reply(s, buf_str(&b), pwkey, lax);
	buf_free(&b);
	return r;
}

static void
test_vectors(void)
{
	struct session s = { 0 };
	char want[64];
	uint8_t sid[SID_SIZE];
	int r;

	r = csid_reply(&s, CSID, USER, 0);
	ok(r == 0 && eq(s.sid, SID), "csid of 255 bytes");
	ok(same(s.master, 16, MASTER), "master key");
	ok(eq(s.user, USER), "user");
	ok(eq(s.privk, PRIVK), "private key is kept as it came");
	b64_decode(sid, SID, strlen(SID));
	sid[0] = 0;
	r = csid_reply(&s, EDGE, USER, 0);
	ok(r == 0 && eq(s.sid, b64_encode(want, sid, sizeof sid)),
	    "csid of 254 bytes that begins with a zero");
	session_free(&s);
}

/* RSA of a block of 256 bytes, as base64 of an MPI whose header counts bits
 * (0: what the number has), with junk bytes behind it. */
static char *
seal(const uint8_t block[256], unsigned bits, size_t junk)
{
	uint8_t pub[300], box[400];
	char *text = malloc(B64_LEN(sizeof box) + 1);
	mp_int n, e, x;
	size_t len, bytes;

	b64_decode(pub, PUBK, strlen(PUBK));
	if (text == NULL || mp_init_multi(&n, &e, &x, NULL) != MP_OKAY ||
	    mp_from_ubin(&n, pub + 2, 256) != MP_OKAY ||
	    mp_from_ubin(&e, pub + 260, 2) != MP_OKAY ||
	    mp_from_ubin(&x, block, 256) != MP_OKAY ||
	    mp_cmp(&x, &n) != MP_LT ||
	    mp_exptmod(&x, &e, &n, &x) != MP_OKAY)
		abort();
	if (bits == 0)
		bits = (unsigned)mp_count_bits(&x);
	bytes = (bits + 7) / 8;
	len = mp_ubin_size(&x);
	memset(box, 0, sizeof box);
	box[0] = (uint8_t)(bits >> 8);
	box[1] = (uint8_t)bits;
	if (mp_to_ubin(&x, box + 2 + bytes - len, len, NULL) != MP_OKAY)
		abort();
	memset(box + 2 + bytes, 0xa5, junk);
	mp_clear_multi(&n, &e, &x, NULL);
	return b64_encode(text, box, 2 + bytes + junk);
}

/* A session id at an offset of the block, other bytes set to fill. */
static void
lay_out(uint8_t block[256], size_t at, uint8_t first, uint8_t fill)
{
	memset(block, 0, 256);
	b64_decode(block + at, SID, strlen(SID));
	block[at] = first;
	memset(block + at + SID_SIZE, fill, 256 - at - SID_SIZE);
}

/* Whether a block's session id is read right. */
static int
reads(const uint8_t block[256], uint8_t first, unsigned bits, size_t junk,
    int lax)
{
	struct session s = { 0 };
	char *text = seal(block, bits, junk), want[64];
	uint8_t sid[SID_SIZE];
	int r;

	b64_decode(sid, SID, strlen(SID));
	sid[0] = first;
	r = csid_reply(&s, text, USER, lax) == 0 &&
	    eq(s.sid, b64_encode(want, sid, sizeof sid));
	session_free(&s);
	free(text);
	return r;
}

static void
test_layouts(void)
{
	static const uint8_t firsts[] = { 0x41, 0x01, 0x7f, 0xff, 0x00 };
	uint8_t block[256];

	for (size_t at = 0; at <= 3; at++) {
		for (size_t i = 0; i < sizeof firsts; i++) {
			/* The block must stay below the modulus. */
			if (at == 0 && firsts[i] > 0xb7)
				continue;
			lay_out(block, at, firsts[i], 0x5a);
			ok(reads(block, firsts[i], 0, 0, 0),
			    "%zu bytes, first is %02x", 256 - at, firsts[i]);
		}
	}
	lay_out(block, 2, 0x41, 0);
	ok(reads(block, 0x41, 0, 0, 0), "zeros behind the id");
	memset(block, 0, 256);
	b64_decode(block + 256 - SID_SIZE, SID, strlen(SID));
	ok(reads(block, 0x41, 0, 0, 0), "no padding at all");
	lay_out(block, 40, 0x41, 0x5a);
	memset(block + 1, 0x33, 39);
	ok(reads(block, 0x41, 0, 0, 0), "padding before the id");
	lay_out(block, 1, 0x41, 0x5a);
	ok(reads(block, 0x41, 2048, 0, 0), "bits rounded up to bytes");
	ok(reads(block, 0x41, 2064, 0, 0), "zeros before the number");
	ok(reads(block, 0x41, 0, 1, 0), "a byte behind the number");
	ok(reads(block, 0x41, 0, 15, 0), "15 bytes behind the number");
	ok(reads(block, 0x41, 0, 100, 0), "100 bytes behind the number");
}

static void
test_strange(void)
{
	struct session s = { 0 };
	struct buf b = BUF_MAX(4096);
	char *p;

	buf_addstr(&b, CSID "=");
	ok(csid_reply(&s, buf_str(&b), USER, 0) == 0 && eq(s.sid, SID),
	    "csid with base64 padding");
	for (p = b.p; *p != '\0'; p++)
		*p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
	ok(csid_reply(&s, buf_str(&b), USER, 0) == 0 && eq(s.sid, SID),
	    "csid in the other alphabet");
	buf_free(&b);

	ok(csid_reply(&s, CSID, "AQIDBAUGBwk", 0) == ERR_KEY,
	    "another user's csid is refused");
	ok(csid_reply(&s, CSID, NULL, 0) == ERR_KEY,
	    "so is one without a user");
	ok(csid_reply(&s, CSID, "AQIDBAUGBwk", 1) == 0 && eq(s.sid, SID),
	    "unless it comes from an emulator");
	ok(csid_reply(&s, CSID, NULL, 1) == 0 && eq(s.sid, SID),
	    "also without a user");
	ok(csid_reply(&s, "CA", USER, 0) == ERR_PROTO, "a cut csid");
	ok(csid_reply(&s, "CACrNtR5", USER, 0) == ERR_PROTO,
	    "a csid of a few bytes");
	ok(reply(&s, "\"k\":\"" K_V1 "\",\"csid\":\"" CSID "\"", pwkey, 0) ==
	    ERR_PROTO, "a csid without privk");
	ok(reply(&s, "\"k\":\"" K_EPH "\",\"csid\":\"" CSID "\",\"privk\":\""
	    PRIVK "\"", pwkey, 0) == ERR_KEY, "another master key");
	ok(reply(&s, "\"k\":\"" K_V1 "\"", pwkey, 0) == ERR_PROTO,
	    "no session id");
	ok(reply(&s, "\"tsid\":\"" TSID "\"", pwkey, 0) == ERR_PROTO,
	    "no master key");
	session_free(&s);
}

static void
test_tsid(void)
{
	struct session s = { 0 };
	uint8_t password[16], master[16], sid[SID_SIZE], ts[32];

	for (int i = 0; i < 16; i++)
		password[i] = (uint8_t)(15 - i);
	ok(reply(&s, "\"k\":\"" K_EPH "\",\"tsid\":\"" TSID "\",\"u\":\"" USER
	    "\"", password, 0) == 0 && eq(s.sid, TSID), "tsid");
	ok(same(s.master, 16, MASTER), "its master key");
	ok(s.privk == NULL, "no private key");
	ok(reply(&s, "\"k\":\"" K_V1 "\",\"tsid\":\"" TSID "\"", password, 0)
	    == ERR_KEY, "a tsid that another key made");
	session_free(&s);

	unhex(master, MASTER);
	sid_challenge(ts, master);
	memcpy(sid, ts, 16);
	memcpy(sid + SID_HANDLE, USER, 11);
	memcpy(sid + 27, ts + 16, 16);
	ok(sid_proves(sid, master), "our own challenge");
	sid[3] ^= 1;
	ok(!sid_proves(sid, master), "one that was changed");
	b64_decode(sid, TSID, strlen(TSID));
	memcpy(ts, sid, 16);
	memcpy(ts + 16, sid + 27, 16);
	ok(same(ts, 32, "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
	    "cf086a82c0b745a749daabb28a7a8db3"), "ts");
}

static void
test_strings(void)
{
	static const char *const bad[] = {
		"", "A", STRING_V1 "AAAA", "BeGKVWcB", STRING_V1 "!",
		SID, STRING_FOLDER, STRING_WRITABLE,
	};
	struct sid_string s;
	char text[SID_STRING_MAX + 1], sid[64];
	uint8_t sek[16], master[16];

	for (int i = 0; i < 16; i++)
		sek[i] = (uint8_t)(16 + i);
	ok(sid_string_parse(&s, STRING_V1, strlen(STRING_V1)) == 0 &&
	    s.wrapped, "session string");
	key_unwrap(master, s.master, 16, sek);
	ok(same(master, 16, MASTER), "its master key");
	ok(eq(b64_encode(sid, s.sid, sizeof s.sid), SID), "its session id");
	sid_string_print(text, &s);
	ok(eq(text, STRING_V1), "printed again");
	ok(sid_string_parse(&s, STRING_V0, strlen(STRING_V0)) == 0 &&
	    !s.wrapped, "session string of the old form");
	ok(same(s.master, 16, MASTER), "its master key");
	ok(eq(b64_encode(sid, s.sid, sizeof s.sid), SID), "its session id");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(sid_string_parse(&s, bad[i], strlen(bad[i])) == ERR_USAGE,
		    "no session string %zu", i);
}

static void
test_folder_strings(void)
{
	static const char link[] =
	    "https://mega.nz/folder/AbCdEfGh#ABEiM0RVZneImaq7zN3u_w";
	static const char *const bad[] = {
		"", "Ag", STRING_V1, STRING_V0,
		/* An authorisation of 255 letters, one of 10 that is cut,
		 * and one of signs that are no base64. */
		"AgGwnRHxoWcl8Fbk7AARIjNEVWZ3iJmqu8zd7v8BAAEAAAAAAP8AV3JpdGVB",
		"AgGwnRHxoWcl8Fbk7AARIjNEVWZ3iJmqu8zd7v8BAAEAAAAAAAoAV3JpdGVB",
		"AgGwnRHxoWcl8Fbk7AARIjNEVWZ3iJmqu8zd7v8BAAEAAAAAAAQAIyMjIw",
	};
	char text[LINK_TEXT_MAX], want[LINK_TEXT_MAX];
	struct link l;

	ok(sid_string_folder(&l, STRING_FOLDER, strlen(STRING_FOLDER)) &&
	    eq(link_print(text, &l, 0), link), "a folder link's");
	snprintf(want, sizeof want, "%s:WriteAuthK", link);
	ok(sid_string_folder(&l, STRING_WRITABLE, strlen(STRING_WRITABLE)) &&
	    eq(link_print(text, &l, 0), want), "a writable folder link's");
	ok(link_parse(&l, text) == 0 && eq(l.auth, "WriteAuthK"),
	    "is a link that we read");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(!sid_string_folder(&l, bad[i], strlen(bad[i])),
		    "none of a folder link %zu", i);
}

static void
test_email(void)
{
	static const char *const bad[] = { "", "   ", "nobody", "\xff@x" };
	char *e = login_email(" \tVery.Long+Tag@Sub.Example.ORG\r\n");

	ok(eq(e, "very.long+tag@sub.example.org"), "address");
	free(e);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(login_email(bad[i]) == NULL, "no address %zu", i);
}

static void
test_link(void)
{
	static const char *const good[] = {
		CODE, CODE "\n", "https://mega.nz/#confirm" CODE,
		"https://mega.nz/confirm" CODE "\r\n",
		"To: confirm@example.org\nPlease confirm:\n\n"
		    "<https://mega.app/#confirm" CODE ">\n\nThank you\n",
	};
	static const char *const bad[] = {
		"", "https://mega.nz/#confirm", "Q29uZmlybUNvZGVWMg", SID,
		"https://mega.nz/#confirm" SID,
		"please confirm " CODE,
	};
	struct register_link l;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		ok(register_parse(&l, good[i], strlen(good[i])) == 0 &&
		    eq(l.code, CODE), "confirmation link %zu", i);
		ok(eq(l.email, "user@example.org") && eq(l.name, "Bob Brown"),
		    "and what it says");
		register_link_free(&l);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ok(register_parse(&l, bad[i], strlen(bad[i])) == ERR_USAGE,
		    "no confirmation link %zu", i);
		register_link_free(&l);
	}
}

static void
test_password(void)
{
	static const char *const bad[] = {
		"", "short", " correct horse", "correct horse ",
		"p\xc3\xa4ssw\xc3\xb6r", "\xff\xff\xff\xff\xff\xff\xff\xff",
	};

	ok(register_check_password("12345678") == 0, "8 characters");
	ok(register_check_password("p\xc3\xa4ssw\xc3\xb6rd") == 0,
	    "8 characters of more bytes");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(register_check_password(bad[i]) == ERR_USAGE,
		    "no good password %zu", i);
}

/* What registration and the server make of the master key. */
static void
test_wrapped(void)
{
	uint8_t master[16], w[16], crv[16], salt[32], key[16], uh[16], ch[16];
	char text[32];

	unhex(master, MASTER);
	for (int i = 0; i < 16; i++)
		crv[i] = (uint8_t)i;
	kdf_v2_salt(salt, crv);
	kdf_v2(key, uh, "correct horse battery staple", salt);
	key_wrap(w, master, 16, key);
	ok(eq(b64_encode(text, w, 16), "2QMxv-0V6byJixRjawh1Hw"), "v2 k");
	ok(eq(b64_encode(text, uh, 16), "G_CjQgFTFuXOArWtcfhDfQ"), "v2 uh");
	key_wrap(w, master, 16, pwkey);
	ok(eq(b64_encode(text, w, 16), K_V1), "v1 k");
	unhex(ch, "de000001 00000000 00000000 be000002");
	key_wrap(w, ch, 16, pwkey);
	ok(same(w, 16, "bfc56b4584969ca99621dac0f70c2a6b"), "v1 challenge");
	kdf_hkdf_sha256(key, 16, master, 16, "\1", 1);
	ok(same(key, 16, "e81c931f4b422fb4aedba0f5c3f576fe"),
	    "key of the key store");
}

int
main(void)
{
	kdf_v1_key(pwkey, "password");
	test_vectors();
	test_layouts();
	test_strange();
	test_tsid();
	test_strings();
	test_folder_strings();
	test_email();
	test_link();
	test_password();
	test_wrapped();
	return done();
}
