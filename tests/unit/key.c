/* Vectors: mega-protocol(7), "Test vectors"; computed with python and
 * agreed on by megajs, go-mega and mega.py. */

#include "b64.h"
#include "key.h"
#include "tap.h"

static const char file_key[] = "101112131415161718191a1b1c1d1e1f";
static const char packed_key[] =
    "30303030303030303030303030303030202122232425262728292a2b2c2d2e2f";
static const char master_key[] = "000102030405060708090a0b0c0d0e0f";
static const char share_key[] = "404142434445464748494a4b4c4d4e4f";
static const char folder_key[] = "303132333435363738393a3b3c3d3e3f";

static int
is_b64(const uint8_t *p, size_t n, const char *want)
{
	char text[B64_LEN(KEY_FILE_SIZE) + 1];

	return eq(b64_encode(text, p, n), want);
}

static void
test_pack(void)
{
	uint8_t blob[KEY_FILE_SIZE], fold[KEY_SIZE];
	struct filekey k;

	unhex(blob, packed_key);
	key_unpack_file(&k, blob);
	ok(same(k.key, sizeof k.key, file_key), "AES key");
	ok(same(k.nonce, sizeof k.nonce, "2021222324252627"), "nonce");
	ok(same(k.mac, sizeof k.mac, "28292a2b2c2d2e2f"), "meta-MAC");
	key_fold(fold, blob, sizeof blob);
	ok(same(fold, sizeof fold, file_key), "a file key folds to it");
	memset(blob, 0, sizeof blob);
	key_pack_file(blob, &k);
	ok(is_b64(blob, sizeof blob,
	    "MDAwMDAwMDAwMDAwMDAwMCAhIiMkJSYnKCkqKywtLi8"), "packed again");
	key_fold(fold, k.key, KEY_SIZE);
	ok(same(fold, sizeof fold, file_key), "a folder key is not changed");
}

/* Packed keys of uploads under one key and nonce, and their meta-MACs. */
static void
test_packed(void)
{
	static const struct {
		const char *mac, *b64;
	} t[] = {
		{ "0000000000000000",
		    "25_H1ZwLRCGr9xWICc9PPPDh0sO0pZaHAAAAAAAAAAA" },
		{ "e96d8d8fad09d82b",
		    "25_H1ZwLRCFCmpgHpMaXF_Dh0sO0pZaH6W2Nj60J2Cs" },
		{ "126e74b6d62a7efe",
		    "25_H1ZwLRCG5mWE-3-UxwvDh0sO0pZaHEm50ttYqfv4" },
		{ "3b4e3626eb1158a1",
		    "25_H1ZwLRCGQuSOu4t4XnfDh0sO0pZaHO042JusRWKE" },
		{ "1158e66044bcc316",
		    "25_H1ZwLRCG6r_PoTXOMKvDh0sO0pZaHEVjmYES8wxY" },
		{ "87d8f1e6cddc43f6",
		    "25_H1ZwLRCEsL-RuxBMMyvDh0sO0pZaHh9jx5s3cQ_Y" },
		{ "b9a25fe8cfacfb33",
		    "25_H1ZwLRCESVUpgxmO0D_Dh0sO0pZaHuaJf6M-s-zM" },
		{ "2f112d2f7c2ec472",
		    "25_H1ZwLRCGE5jindeGLTvDh0sO0pZaHLxEtL3wuxHI" },
		{ "35d66d82cd4a5c07",
		    "25_H1ZwLRCGeIXgKxIUTO_Dh0sO0pZaHNdZtgs1KXAc" },
		{ "0efe02c938d386e0",
		    "25_H1ZwLRCGlCRdBMRzJ3PDh0sO0pZaHDv4CyTjThuA" },
		{ "e5301434123ee121",
		    "25_H1ZwLRCFOxwG8G_GuHfDh0sO0pZaH5TAUNBI-4SE" },
		{ "b4e08dd0e2582ad4",
		    "25_H1ZwLRCEfF5hY65dl6PDh0sO0pZaHtOCN0OJYKtQ" },
		{ "de2fdee19dcaf6ae",
		    "25_H1ZwLRCF12MtplAW5kvDh0sO0pZaH3i_e4Z3K9q4" },
		{ "fafc66350f420b90",
		    "25_H1ZwLRCFRC3O9Bo1ErPDh0sO0pZaH-vxmNQ9CC5A" },
		{ "d99aa696108091a7",
		    "25_H1ZwLRCFybbMeGU_em_Dh0sO0pZaH2ZqmlhCAkac" },
	};
	uint8_t blob[KEY_FILE_SIZE];
	struct filekey k, back;

	unhex(k.key, "2b7e151628aed2a6abf7158809cf4f3c");
	unhex(k.nonce, "f0e1d2c3b4a59687");
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		unhex(k.mac, t[i].mac);
		key_pack_file(blob, &k);
		ok(is_b64(blob, sizeof blob, t[i].b64), "pack %s", t[i].mac);
		key_unpack_file(&back, blob);
		ok(memcmp(&back, &k, sizeof k) == 0, "and unpack");
	}
}

static void
test_wrap(void)
{
	static const struct {
		const char *key, *by, *b64;
	} t[] = {
		{ packed_key, master_key,
		    "m7X2AYhPzW9uKbI_gsynelvofi5bRHyUSyHJr3dWwNg" },
		{ folder_key, master_key, "A_LDvcqCa_CC18-wNc24wQ" },
		{ share_key, master_key, "1TPlm0WhU-1-Xpxd_P1Kqg" },
		{ folder_key, share_key, "FEWtNEK-ikZRSMVmf2AixQ" },
		{ packed_key, share_key,
		    "XvsHeXmKIp8N_8sDrmlrAYyqf1iaoM62NQpF5wpuQ1s" },
	};
	uint8_t key[KEY_FILE_SIZE], by[KEY_SIZE], out[KEY_FILE_SIZE];

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		size_t n = unhex(key, t[i].key);

		unhex(by, t[i].by);
		key_wrap(out, key, n, by);
		ok(is_b64(out, n, t[i].b64), "wrap %s", t[i].b64);
		key_unwrap(out, out, n, by);
		ok(memcmp(out, key, n) == 0, "unwrap in place");
	}
}

static void
test_share_auth(void)
{
	uint8_t master[KEY_SIZE], ha[KEY_SIZE];

	unhex(master, master_key);
	key_share_auth(ha, "DiRdIrDi", master);
	ok(is_b64(ha, sizeof ha, "PHl7pWaFXaogoXgEt1IDbQ"), "ha");
	unhex(master, "00112233445566778899aabbccddeeff");
	key_share_auth(ha, "AbCdEfGh", master);
	ok(is_b64(ha, sizeof ha, "-G0_2bSllYVetKXiWk8r0Q"), "ha, other key");
}

static void
test_zero(void)
{
	uint8_t key[KEY_FILE_SIZE] = { 0 };

	ok(key_is_zero(key, KEY_SIZE), "a folder key of zeros");
	ok(key_is_zero(key, KEY_FILE_SIZE), "a file key of zeros");
	key[15] = 1;
	ok(!key_is_zero(key, KEY_SIZE), "one bit is enough");
	ok(!key_is_zero(key, KEY_FILE_SIZE), "in a file key too");
	key[31] = 1;
	ok(key_is_zero(key, KEY_FILE_SIZE), "equal halves hide a zero key");
}

static void
test_new(void)
{
	struct filekey a, b;

	key_new_file(&a);
	key_new_file(&b);
	ok(memcmp(a.key, b.key, KEY_SIZE) != 0, "keys differ");
	ok(memcmp(a.nonce, b.nonce, KEY_NONCE_SIZE) != 0, "nonces differ");
	ok(same(a.mac, sizeof a.mac, "0000000000000000"), "no MAC yet");
}

int
main(void)
{
	test_pack();
	test_packed();
	test_wrap();
	test_share_auth();
	test_zero();
	test_new();
	return done();
}
