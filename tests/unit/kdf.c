/*
 * Keys from passwords and one-time codes.
 *
 * Vectors: FIPS 180-4, RFC 4231, RFC 5869, RFC 6238; the account ones were
 * computed independently and agree with other clients where they overlap.
 */
#include <string.h>

#include "err.h"
#include "kdf.h"
#include "tap.h"
#include "totp.h"

static void
test_hashes(void)
{
	uint8_t out[32], key[131];

	kdf_sha256(out, "abc", 3);
	ok(same(out, 32, "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad"), "SHA-256 of abc");
	kdf_sha256(out, NULL, 0);
	ok(same(out, 32, "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855"), "SHA-256 of nothing");

	kdf_hmac_sha256(out, "Jefe", 4, "what do ya want for nothing?", 28);
	ok(same(out, 32, "5bdcc146bf60754e6a042426089575c7"
	    "5a003f089d2739839dec58b964ec3843"), "HMAC, RFC 4231 case 2");
	memset(key, 0xaa, sizeof key);
	kdf_hmac_sha256(out, key, sizeof key,
	    "Test Using Larger Than Block-Size Key - Hash Key First", 54);
	ok(same(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f"
	    "8e0bc6213728c5140546040f0ee37f54"), "HMAC, RFC 4231 case 6");
	kdf_hmac_sha256(out, NULL, 0, NULL, 0);
	ok(same(out, 32, "b613679a0814d9ec772f95d778c35fc5"
	    "ff1697c493715653c6c712144292c5ad"), "HMAC of nothing");

	memset(key, 0x0b, 22);
	kdf_hkdf_sha256(out, 32, key, 22, NULL, 0);
	ok(same(out, 32, "8da4e775a563c18f715f802a063c5a31"
	    "b8a11f5c5ee1879ec3454e5f3c738d2d"), "HKDF, RFC 5869 case 3");
	kdf_hkdf_sha256(out, 16, key, 22, "mega", 4);
	ok(same(out, 16, "ccf4009a581a0d7c2803889a173295eb"),
	    "HKDF, 16 bytes, with info");
}

static void
test_pbkdf2(void)
{
	uint8_t out[64], key[129];

	kdf_pbkdf2_sha512(out, 64, "password", 8, "salt", 4, 1);
	ok(same(out, 64, "867f70cf1ade02cff3752599a3a53dc4"
	    "af34c7a669815ae5d513554e1c8cf252c02d470a285a0501bad999bfe943c08f"
	    "050235d7d68b1da55e63f73b60a57fce"), "PBKDF2, one round");
	kdf_pbkdf2_sha512(out, 64, "password", 8, "salt", 4, 2);
	ok(same(out, 64, "e1d9c16aa681708a45f5c7c4e215ceb6"
	    "6e011a2e9f0040713f18aefdb866d53cf76cab2868a39b9f7840edce4fef5a82"
	    "be67335c77a6068e04112754f27ccf4e"), "PBKDF2, two rounds");
	kdf_pbkdf2_sha512(out, 64, "", 0, "salt", 4, 2);
	ok(same(out, 64, "cc5eacbb057f2a5982fce67bf70f79fc"
	    "cf4adf285f5cbae1a5a1c5df012a630a5cd035da88803f2a8b7ad7d3118025e9"
	    "d848280b733c39c57a76d3fa895f244c"), "PBKDF2, no password");
	memset(key, 'p', sizeof key);
	kdf_pbkdf2_sha512(out, 20, key, 128, "NaCl", 4, 3);
	ok(same(out, 20, "a06d94fb1accaa9815110a74733196a3b5514e10"),
	    "PBKDF2, password of one block");
	kdf_pbkdf2_sha512(out, 20, key, 129, "NaCl", 4, 3);
	ok(same(out, 20, "3c324f7426a5b2e785c11605bcdb601efd3843dc"),
	    "PBKDF2, password longer than a block");
}

/* "\u0100" leads where a vector begins with a zero byte: its low byte is
 * that, and its high byte falls off the word. */
#define FROM_0_TO_7 "\xc4\x80\1\2\3\4\5\6\7"

static const struct {
	const char *password, *key;
} v1_keys[] = {
	{ "", "93c467e37db0c7a4d1be3f810152cb56" },
	{ "a", "6dd9f7ecb24689c435a14f7c51da434d" },
	{ "mock", "148ed5027fa78a9e97a444159a54c621" },
	{ "password", "640339725e6ebd13a25f0052129f7cb1" },
	{ "correct horse battery staple",
	    "57d978ef82e99ea50ab00045e8614d7b" },
	{ "0123456789abcdef", "0a58d8880e8fb043895cc14e7ff803bc" },
	{ "0123456789abcdef0", "2fe56c4b515573864a0580a6424ee49c" },
	{ FROM_0_TO_7, "c4589a459956887caf0b408635c3c03b" },
	{ FROM_0_TO_7 "\10\11", "59930b1c55d783ac77df4c4ff261b0f1" },
	{ FROM_0_TO_7 "\10\11\12\13\14\15\16\17\20\21\22\23\24\25\26\27"
	    "\30\31\32\33\34\35\36\37 !\"#$%&'()*+,-./0123456789:;<=>?",
	    "83bd84689f057f9ed9834b3ecb81d80e" },
	{ "p\xc3\xa4ssw\xc3\xb6rd", "f38493e354193dd028c8ed07d52c7a25" },
	{ "\xe2\x82\xacuro", "93a88415239b2ded1e9152e82dd6c3b8" },
	{ "p\xe2\x82\xacx", "0ede654552279aa650913ee5d1b2e285" },
	{ "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x83\x91\xe3\x82\xb9"
	    "\xe3\x83\xaf\xe3\x83\xbc\xe3\x83\x89",
	    "0a5b3ab650939d2d92fe8085be213dc1" },
	{ "x\xf0\x9f\x98\x80y", "db5bfafd662ba3132e264fa1dcf0fde8" },
};

/* Passwords that are no UTF-8, and the ones whose characters are those
 * bytes. */
static const struct {
	const char *what, *bytes, *utf8;
} v1_alike[] = {
	{ "Latin-1", "p\xe4ssw\xf6rd", "p\xc3\xa4ssw\xc3\xb6rd" },
	{ "a cut sequence", "x\xe2\x82", "x\xc3\xa2\xc2\x82" },
	{ "an overlong sequence", "\xc1\x81", "\xc3\x81\xc2\x81" },
	{ "a surrogate", "\xed\xa0\x80", "\xc3\xad\xc2\xa0\xc2\x80" },
	{ "a number above Unicode", "\xf4\x90\x80\x80",
	    "\xc3\xb4\xc2\x90\xc2\x80\xc2\x80" },
};

static void
test_v1(void)
{
	static const uint8_t digits[32] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
		17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
	};
	uint8_t key[16], other[16], uh[8];

	for (size_t i = 0; i < sizeof v1_keys / sizeof *v1_keys; i++) {
		kdf_v1_key(key, v1_keys[i].password);
		ok(same(key, 16, v1_keys[i].key), "v1 key %zu", i);
	}
	for (size_t i = 0; i < sizeof v1_alike / sizeof *v1_alike; i++) {
		kdf_v1_key(key, v1_alike[i].bytes);
		kdf_v1_key(other, v1_alike[i].utf8);
		ok(memcmp(key, other, 16) == 0, "v1 key of %s",
		    v1_alike[i].what);
	}

	kdf_v1(key, uh, "mock", "mock@test");
	ok(same(uh, 8, "8c27f63dcd292c25"), "v1 hash of mock");
	ok(same(key, 16, v1_keys[2].key), "v1 key beside it");
	kdf_v1(key, uh, "password", "user@example.org");
	ok(same(uh, 8, "919095bab816ab4b"), "v1 hash of password");
	kdf_v1(key, uh, "correct horse battery staple",
	    "Very.Long.Address+tag@subdomain.example.org");
	ok(same(uh, 8, "daf7a43448da7921"), "v1 hash, capitals in the address");

	kdf_v1_key(key, FROM_0_TO_7);
	kdf_v1_uh(uh, key, digits, 10);
	ok(same(uh, 8, "9e791646c66840b5"), "v1 hash of 10 bytes");
	kdf_v1_uh(uh, key, digits, 16);
	ok(same(uh, 8, "6ba07aca224e84a4"), "v1 hash of one block");
	kdf_v1_uh(uh, key, digits, 32);
	ok(same(uh, 8, "6a1e6c5539c0ed48"), "v1 hash of two blocks");
}

static const struct {
	const char *password, *salt, *key, *uh;
} v2[] = {
	{ "correct horse battery staple",
	    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	    "88aa99bab648e0a15a6dcfd127cb7d9f",
	    "17d1a3fa0caa6ca9cc97e2a09600bbc0" },
	{ "mock",
	    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	    "ef0e135ce76612e4f78c4b0b68961e97",
	    "d8b4f1bcafe4665af5f860263d1e6f48" },
	{ "p\xc3\xa4ssw\xc3\xb6rd",
	    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	    "2062fadb2b8948ac0cad44d9905c1b24",
	    "dd9bb0851e2d053998deced692a7098d" },
	{ "correct horse battery staple",
	    "efc68bf1440fb0ad7f9a39fe07670fd9b7320e10e337fb3e628c5bb297b7f277",
	    "96d0958e5723b376ddc725eaf6400549",
	    "1bf0a342015316e5ce02b5ad71f8437d" },
};

static void
test_v2(void)
{
	uint8_t crv[16], salt[32], key[16], uh[16], hak[16];
	char longer[222];

	for (size_t i = 0; i < sizeof v2 / sizeof *v2; i++) {
		unhex(salt, v2[i].salt);
		kdf_v2(key, uh, v2[i].password, salt);
		ok(same(key, 16, v2[i].key), "v2 key %zu", i);
		ok(same(uh, 16, v2[i].uh), "v2 hash %zu", i);
	}
	kdf_v2_hak(hak, uh);
	ok(same(hak, 16, "21a9c79e650052f0a49df5427c9802b9"),
	    "v2 hashed authentication key");

	for (int i = 0; i < 16; i++)
		crv[i] = (uint8_t)i;
	kdf_v2_salt(salt, crv);
	ok(same(salt, 32, v2[3].salt), "v2 salt");
	kdf_v2_fake_salt(salt, "nobody@example.org", crv, sizeof crv);
	ok(same(salt, 32, "524db394c8f029ce46609337bac010a9"
	    "48f55179ac1c5981c717154b6532ea65"), "fake salt");
	kdf_v2_fake_salt(salt, "Nobody@Example.ORG", crv, sizeof crv);
	ok(same(salt, 32, "524db394c8f029ce46609337bac010a9"
	    "48f55179ac1c5981c717154b6532ea65"), "fake salt, other case");
	memset(longer, 'a', 210);
	memcpy(longer + 210, "@example.or", 12);
	kdf_v2_fake_salt(salt, longer, crv, sizeof crv);
	ok(same(salt, 32, "f590e9f230a8e84367733d195e96e2c7"
	    "b11861d0d3a24f2d98241e7c9c1b5d83"),
	    "fake salt of an address longer than the label's width");
}

#define SEED "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

static void
test_totp(void)
{
	static const struct {
		int64_t now;
		const char *code;
	} at[] = {
		{ 59, "287082" },
		{ 1111111109, "081804" },
		{ 1111111111, "050471" },
		{ 1234567890, "005924" },
		{ 2000000000, "279037" },
		{ 20000000000, "353130" },
	};
	static const char *const alike[] = {
		"gezdgnbvgy3tqojqgezdgnbvgy3tqojq",
		"GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ",
		" gezd-gnbv-gy3t-qojq-gezd-gnbv-gy3t-qojq ",
		SEED "====",
		SEED "== ==",
	};
	static const char *const bad[] = {
		"", " - ", "====", "A", "GEZDGNB1", "GEZD=GNBV", "GEZDGN\xc3V",
		SEED SEED SEED SEED SEED SEED SEED SEED,
	};
	char code[7];

	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		int r = totp(code, SEED, at[i].now);

		ok(r == 0 && eq(code, at[i].code), "TOTP at %lld",
		    (long long)at[i].now);
	}
	for (size_t i = 0; i < sizeof alike / sizeof *alike; i++)
		ok(totp(code, alike[i], 59) == 0 && eq(code, "287082"),
		    "seed \"%s\"", alike[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(totp(code, bad[i], 59) == ERR_USAGE, "bad seed %zu", i);
}

int
main(void)
{
	test_hashes();
	test_pbkdf2();
	test_v1();
	test_v2();
	test_totp();
	return done();
}
