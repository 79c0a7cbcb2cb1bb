/*
 * Node keys: how file keys are packed and how keys wrap each other.
 *
 * Source: mega-protocol(7), "File keys" and "Key strings"; meganz/sdk
 * src/crypto/cryptopp.cpp, SymmCipher::setkey.
 */
#ifndef KEY_H
#define KEY_H

#include <stddef.h>
#include <stdint.h>

#define KEY_SIZE      16
#define KEY_FILE_SIZE 32
#define KEY_META_SIZE 8
#define KEY_NONCE_SIZE 8

/* The parts of a file's key.  A secret: wipe it. */
struct filekey {
	uint8_t key[KEY_SIZE];
	uint8_t nonce[KEY_NONCE_SIZE];
	uint8_t mac[KEY_META_SIZE]; /* meta-MAC */
};

/*
 * key_unpack_file: split a packed file key into its parts.
 *
 * blob is the 32 bytes that a node's "k" field decrypts to, or that a link
 * carries.  Every 32 bytes are a valid key, so this cannot fail; a wrong one
 * shows later as ERR_MAC.
 */
void key_unpack_file(struct filekey *k, const uint8_t blob[KEY_FILE_SIZE]);
void key_pack_file(uint8_t blob[KEY_FILE_SIZE], const struct filekey *k);

/* A new key and nonce; the MAC is zero. */
void key_new_file(struct filekey *k);

/* The 16 bytes that encrypt the attributes of a node whose key is n bytes:
 * the key itself for a folder (16), folded for a file (32). */
void key_fold(uint8_t out[KEY_SIZE], const uint8_t *key, size_t n);

/* Whether a key is unusable: all zeros, or a file key whose AES part is. */
int key_is_zero(const uint8_t *key, size_t n);

/* Wrap and unwrap n bytes (16 or 32) under a master or share key: AES-ECB. */
void key_wrap(uint8_t *dst, const uint8_t *src, size_t n,
    const uint8_t by[KEY_SIZE]);
void key_unwrap(uint8_t *dst, const uint8_t *src, size_t n,
    const uint8_t by[KEY_SIZE]);

/* The share's authentication value "ha": the handle's 8 characters twice,
 * encrypted under the master key. */
void key_share_auth(uint8_t ha[KEY_SIZE], const char handle[8],
    const uint8_t master[KEY_SIZE]);

#endif
