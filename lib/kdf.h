/*
 * Keys from passwords, and the hashes around them.
 *
 * Source: mega-protocol(7), "Password keys"; meganz/sdk
 * src/crypto/cryptopp.cpp and src/megaclient.cpp.
 */
#ifndef KDF_H
#define KDF_H

#include <stddef.h>
#include <stdint.h>

#define KDF_KEY_SIZE  16
#define KDF_UH1_SIZE  8
#define KDF_SALT_SIZE 32
#define KDF_CRV_SIZE  16

void kdf_sha256(uint8_t out[32], const void *p, size_t n);
void kdf_hmac_sha256(uint8_t out[32], const void *key, size_t keylen,
    const void *p, size_t n);
/* HKDF-SHA-256 without salt, at most 32 bytes out. */
void kdf_hkdf_sha256(uint8_t *out, size_t outlen, const void *ikm,
    size_t ikmlen, const void *info, size_t infolen);

/*
 * kdf_v1: key and user hash of an account of version 1.
 *
 * password is UTF-8; its UTF-16 code units fill the key slots.  Bytes that
 * are no UTF-8 fill one slot each.  email is lowercased (ASCII) here.
 */
void kdf_v1(uint8_t key[KDF_KEY_SIZE], uint8_t uh[KDF_UH1_SIZE],
    const char *password, const char *email);
/* The two halves of it, for tests and other callers. */
void kdf_v1_key(uint8_t key[KDF_KEY_SIZE], const char *password);
void kdf_v1_uh(uint8_t uh[KDF_UH1_SIZE], const uint8_t key[KDF_KEY_SIZE],
    const void *text, size_t n);

/*
 * kdf_pbkdf2_sha512: PBKDF2-HMAC-SHA-512, any outlen up to 64.  The two
 * HMAC states are computed once and copied each round.
 */
void kdf_pbkdf2_sha512(uint8_t *out, size_t outlen, const void *password,
    size_t passlen, const void *salt, size_t saltlen, unsigned rounds);

/* kdf_v2: 32 bytes from the password (UTF-8, as typed): the first 16 decrypt
 * the master key, the last 16 are sent as user hash. */
void kdf_v2(uint8_t key[16], uint8_t uh[16], const char *password,
    const uint8_t salt[KDF_SALT_SIZE]);

/* The salt that the server derives from the client random value. */
void kdf_v2_salt(uint8_t salt[KDF_SALT_SIZE],
    const uint8_t crv[KDF_CRV_SIZE]);

/* What a server answers for an address that it does not know: stable, and
 * like any salt to one without the secret. */
void kdf_v2_fake_salt(uint8_t salt[KDF_SALT_SIZE], const char *email,
    const uint8_t *secret, size_t secretlen);

/* The hashed authentication key, which the server stores: the first 16
 * bytes of SHA-256(uh). */
void kdf_v2_hak(uint8_t hak[16], const uint8_t uh[16]);

#endif
