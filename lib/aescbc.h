/*
 * AES-CBC with keys of every size and any IV, for formats that are not the
 * service's own.  Always libtomcrypt: only short texts pass here.
 *
 * Source: FIPS 197, SP 800-38A.
 */
#ifndef AESCBC_H
#define AESCBC_H

#include <stddef.h>
#include <stdint.h>

#define AESCBC_BLOCK_SIZE 16

/* Whole blocks: n is a multiple of 16, keylen 16, 24 or 32.  dst may be
 * src. */
void aescbc_encrypt(const uint8_t *key, size_t keylen,
    const uint8_t iv[AESCBC_BLOCK_SIZE], uint8_t *dst, const uint8_t *src,
    size_t n);
void aescbc_decrypt(const uint8_t *key, size_t keylen,
    const uint8_t iv[AESCBC_BLOCK_SIZE], uint8_t *dst, const uint8_t *src,
    size_t n);

#endif
