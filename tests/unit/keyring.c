/* The vectors are mega-protocol(7)'s, "Test vectors": made with python from
 * the official client's description. */

#include "b64.h"
#include "err.h"
#include "keyring.h"
#include "tap.h"

static const char vector[] =
    "FAAAAQIDBAUGBwgJCgvEZZGdvICaSg39AG7qEThTjn0Bhgd4lemID-DUmUBIcK0DJN15"
    "Iz8_I51vulBYxFXkBGrMx7JR6MDfMQJB3N4NYc0C9wV6_GJIqxj0";

/* A new account's: version, user and generation, and no share. */
static const char empty[] =
    "FAAAAQIDBAUGBwgJCgtUH7Y24437MQSCOGn__Dajpc_Q3D1y4KKnByf5K3UrtZksIND5vLoZ"
    "RA";

static int calls;
static uint8_t last[22];

static int
take(void *ctx, const uint8_t *h, const uint8_t *key)
{
	memcpy(last, h, 6);
	memcpy(last + 6, key, 16);
	calls++;
	return *(int *)ctx;
}

static int
open_under(const char *key, const char *text, size_t n, int answer)
{
	uint8_t master[16];

	unhex(master, key);
	calls = 0;
	return keyring_open((struct slice){ text, n }, master, take, &answer);
}

static int
open_text(const char *text, size_t n, int answer)
{
	return open_under("000102030405060708090a0b0c0d0e0f", text, n, answer);
}

int
main(void)
{
	char text[sizeof vector];

	ok(open_text(vector, strlen(vector), 0) == 0 && calls == 1,
	    "one share key");
	ok(same(last, sizeof last, "0e245d22b0e2"
	    "404142434445464748494a4b4c4d4e4f"), "of DiRdIrDi");
	ok(open_text(vector, strlen(vector), ERR_LOCAL) == ERR_LOCAL,
	    "the caller ends it");
	ok(open_under("00112233445566778899aabbccddeeff", empty,
	    strlen(empty), 0) == 0 && calls == 0, "no share keys");
	ok(open_text(empty, strlen(empty), 0) < 0, "another master key");
	for (size_t i = 0; i < strlen(vector); i += 11) {
		memcpy(text, vector, sizeof text);
		text[i] = text[i] == 'A' ? 'Q' : 'A';
		ok(open_text(text, strlen(text), 0) < 0 && calls == 0,
		    "character %zu changed", i);
	}
	for (size_t n = 0; n < strlen(vector); n += 7)
		ok(open_text(vector, n, 0) < 0 && calls == 0,
		    "cut at %zu", n);
	return done();
}
