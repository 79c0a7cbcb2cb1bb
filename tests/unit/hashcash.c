/*
 * Proof of work.
 *
 * The first token stands in a comment of the official SDK, the next three in
 * its unit tests.  Prefixes that begin with zeros are what counting up in
 * big-endian order finds, the others what clients find that count in
 * little-endian order.
 */
#include <string.h>

#include "err.h"
#include "hashcash.h"
#include "tap.h"

#define TIMEOUT_MS 600000

#define TOKEN_0 \
    "RUvIePV2PNO8ofg8xp1aT5ugBcKSEzwKoLBw9o4E6F_fmn44eC3oMpv388UtFl2K"
#define TOKEN_1 \
    "wFqIT_wY3tYKcrm5zqwaUoWym3ZCz32cCsrJOgYBgihtpaWUhGyWJ--EY-zfwI-i"
#define TOKEN_2 \
    "3NIjq_fgu6bTyepwHuKiaB8a1YRjISBhktWK1fjhRx86RhOqKZNAcOZht0wJvmhQ"
#define TOKEN_3 \
    "HGztcvhT0sngIveS6C4CY1nx64YFtXnbcqX_Dvj7NxmX0SCNRlCZ51_pMWQgpHdv"
#define TOKEN_4 \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct {
	const char *token;
	/* The first prefix at each easiness; and another one at 192. */
	const char *at255, *at200, *at192, *at180, *other;
} vector[] = {
	{ TOKEN_0, "AAAAAQ", "AAAAQQ", "AAAA4A", "AAAA4A", "nAEAAA" },
	{ TOKEN_1, "AAAAAg", "AAAADQ", "AAABJw", "AAABJw", "owAAAA" },
	{ TOKEN_2, "AAAAAA", "AAAAGw", "AAAAhA", "AAADDg", "AQAAAA" },
	{ TOKEN_3, "AAAABQ", "AAAAEg", "AAAAhg", "AAAAhg", "ZAEAAA" },
	{ TOKEN_4, "AAAAAA", "AAAAEA", "AAAAzg", "AAAAzg", "DwAAAA" },
};

#define NVECTORS (sizeof vector / sizeof *vector)

static struct hashcash
challenge(unsigned easiness, const char *token)
{
	struct hashcash h;
	char text[128];

	snprintf(text, sizeof text, "1:%u:1731410499:%s", easiness, token);
	if (hashcash_parse(&h, text) < 0)
		abort();
	return h;
}

static int
checks(unsigned easiness, const char *token, const char *prefix)
{
	struct hashcash h = challenge(easiness, token);
	char answer[128];

	snprintf(answer, sizeof answer, "1:%s:%s", token, prefix);
	return hashcash_check(&h, answer);
}

/* Solve on one thread, which finds the first prefix. */
static void
test_first(unsigned easiness, const char *token, const char *prefix)
{
	struct hashcash h = challenge(easiness, token);
	char answer[HASHCASH_ANSWER_SIZE], want[128];
	int r;

	snprintf(want, sizeof want, "1:%s:%s", token, prefix);
	r = hashcash_solve(&h, 1, TIMEOUT_MS, NULL, answer);
	ok(r == 0 && eq(answer, want), "%s: %.5s at %u", hashcash_path(),
	    token, easiness);
}

static void
test_parse(void)
{
	static const char *const bad[] = {
		"", ":", "1", "1:::", "1:192:1731410499",
		"1:192:1731410499:",
		"2:192:1731410499:" TOKEN_0,
		"01:192:1731410499:" TOKEN_0,
		"1:256:1731410499:" TOKEN_0,
		"1:0192:1731410499:" TOKEN_0,
		"1:-1:1731410499:" TOKEN_0,
		"1:+1:1731410499:" TOKEN_0,
		"1: 1:1731410499:" TOKEN_0,
		"1:c0:1731410499:" TOKEN_0,
		"1::1731410499:" TOKEN_0,
		"1:192::" TOKEN_0,
		"1:192:-5:" TOKEN_0,
		"1:192:1234567890123456789:" TOKEN_0,
		"1:192:99999999999999999999999999999999:" TOKEN_0,
		"1:192:1731410499:" TOKEN_0 ":",
		"1:192:1731410499:" TOKEN_0 ":AAAAAA",
		"1:192:1731410499:" TOKEN_0 "A",
		"1:192:1731410499:" TOKEN_0 " ",
		" 1:192:1731410499:" TOKEN_0,
		"1:192:1731410499:+" TOKEN_0,
		"192:1:1731410499:" TOKEN_0,
		TOKEN_0,
	};
	struct hashcash h;
	char text[128];

	ok(hashcash_parse(&h, "1:192:1731410499:" TOKEN_0) == 0 &&
	    h.easiness == 192 && h.time == 1731410499 &&
	    same(h.token, 6, "454bc878f576"), "parse");
	ok(hashcash_parse(&h, "1:0:0:" TOKEN_0) == 0 && h.easiness == 0 &&
	    h.time == 0, "parse zeros");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(hashcash_parse(&h, bad[i]) == ERR_PROTO, "no challenge: "
		    "\"%.24s\"", bad[i]);
	snprintf(text, sizeof text, "1:192:1731410499:%s", TOKEN_0);
	text[30] = '+';
	ok(hashcash_parse(&h, text) == ERR_PROTO, "another alphabet");
	text[30] = '\xff';
	ok(hashcash_parse(&h, text) == ERR_PROTO, "no alphabet");
}

/* Every cut, and random changes of few characters. */
static void
test_parse_mutated(void)
{
	static const char good[] = "1:192:1731410499:" TOKEN_0;
	static const char palette[] = "1:0925-+_ Az\n\xff\x80";
	uint32_t x = 20250807;
	char text[sizeof good];
	struct hashcash h;
	int r, wrong = 0;

	for (size_t n = 0; n < sizeof good - 1; n++) {
		memcpy(text, good, n);
		text[n] = '\0';
		wrong += hashcash_parse(&h, text) != ERR_PROTO;
	}
	ok(wrong == 0, "challenge cut short");

	wrong = 0;
	for (int i = 0; i < 20000; i++) {
		memcpy(text, good, sizeof good);
		for (int j = 0; j < 3; j++) {
			x = x * 1664525 + 1013904223;
			/* Most of them before the token. */
			text[(x >> 24) % (j == 0 ? sizeof good - 1 : 17)] =
			    palette[(x >> 8) % (sizeof palette - 1)];
		}
		r = hashcash_parse(&h, text);
		wrong += r != ERR_PROTO && (r != 0 || h.easiness > 255 ||
		    strncmp(text, "1:", 2) != 0);
	}
	ok(wrong == 0, "challenge mutated");
}

static void
test_work(void)
{
	static const struct {
		unsigned easiness, threshold;
	} t[] = {
		{ 0, 0x8 }, { 1, 0x18 }, { 5, 0x58 }, { 63, 0x3f8 },
		{ 64, 0x400 }, { 100, 0x12400 }, { 127, 0x1fc00 },
		{ 128, 0x20000 }, { 180, 0xd20000 }, { 192, 0x1000000 },
		{ 200, 0x11000000 }, { 224, 0x41000000 },
		{ 240, 0x61000000 }, { 255, 0x7f000000 },
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct hashcash h = challenge(t[i].easiness, TOKEN_0);
		double work = hashcash_work(&h) * t[i].threshold / 4294967296.0;

		ok(work > 0.999999 && work < 1.000001, "work at %u",
		    t[i].easiness);
	}
}

/* A few hashes that every path can afford. */
static void
test_path(const char *name)
{
	if (hashcash_select(name) == -1) {
		skip("this machine has no %s", name);
		return;
	}
	ok(eq(hashcash_path(), name), "path %s", name);
	for (size_t i = 0; i < NVECTORS; i++)
		test_first(255, vector[i].token, vector[i].at255);
	ok(checks(192, TOKEN_0, "nAEAAA") == 1, "00d53511 passes at 192");
	ok(checks(180, TOKEN_0, "nAEAAA") == 0, "and not at 180");
	ok(checks(180, TOKEN_0, "NwIAAA") == 1, "007d713d passes there");
}

static void
test_vectors(void)
{
	int bad = 0;

	for (size_t i = 0; i < NVECTORS; i++) {
		bad += checks(192, vector[i].token, vector[i].at192) != 1;
		bad += checks(180, vector[i].token, vector[i].at180) != 1;
		bad += checks(192, vector[i].token, vector[i].other) != 1;
	}
	ok(bad == 0, "harder answers check");
	if (strcmp(hashcash_path(), "portable") == 0) {
		skip("searching longer takes too long on the portable path");
		return;
	}
	for (size_t i = 0; i < NVECTORS; i++)
		test_first(200, vector[i].token, vector[i].at200);
	test_first(192, TOKEN_2, vector[2].at192);
}

static void
test_threads(void)
{
	static const unsigned threads[] = { 0, 2, 3, 100000 };
	struct hashcash h = challenge(255, TOKEN_1);
	char answer[HASHCASH_ANSWER_SIZE];

	for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
		int r = hashcash_solve(&h, threads[i], TIMEOUT_MS, NULL,
		    answer);

		ok(r == 0 && hashcash_check(&h, answer) == 1,
		    "an answer on %u threads", threads[i]);
	}
}

static int calls;

static int
stop_third(void)
{
	return ++calls >= 3;
}

static void
test_bounds(void)
{
	struct hashcash h = challenge(0, TOKEN_0);
	char answer[HASHCASH_ANSWER_SIZE];

	ok(hashcash_solve(&h, 1, 0, NULL, answer) == ERR_SLOW, "no time");
	ok(hashcash_solve(&h, 1, 1, NULL, answer) == ERR_SLOW, "little time");
	ok(hashcash_solve(&h, 2, 1, NULL, answer) == ERR_SLOW,
	    "little time for two");
	ok(hashcash_solve(&h, 1, TIMEOUT_MS, stop_third, answer) == ERR_SLOW &&
	    calls == 3, "stopped");
	calls = 0;
	ok(hashcash_solve(&h, 2, TIMEOUT_MS, stop_third, answer) == ERR_SLOW &&
	    calls == 3, "two stopped");
}

static void
test_check(void)
{
	static const char *const bad[] = {
		"", "1", "1:", "1:" TOKEN_1 ":AAAAAg", "1:" TOKEN_0 ":AAAAA",
		"1:" TOKEN_0 ":AAAAAQA", "2:" TOKEN_0 ":AAAAAQ",
		"1:" TOKEN_0 "AAAAAAQ", "1:" TOKEN_0 ":AAA AQ",
		"1:255:" TOKEN_0 ":AAAAAQ",
	};
	struct hashcash h = challenge(255, TOKEN_0);

	ok(hashcash_check(&h, "1:" TOKEN_0 ":AAAAAQ") == 1, "an answer");
	ok(hashcash_check(&h, "1:" TOKEN_0 ":AAAAAA") == 0, "a wrong one");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(hashcash_check(&h, bad[i]) == 0, "no answer: \"%s\"",
		    bad[i]);
}

int
main(void)
{
	const char *usual = hashcash_path();

	ok(hashcash_select("abacus") == -1 && eq(hashcash_path(), usual),
	    "no path of that name");
	test_parse();
	test_parse_mutated();
	test_work();
	test_path("portable");
	test_path("shani");
	hashcash_select(usual);
	test_vectors();
	test_threads();
	test_bounds();
	test_check();
	return done();
}
