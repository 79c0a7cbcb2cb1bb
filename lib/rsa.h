/*
 * The service's RSA: textbook exponentiation of messages with random bytes
 * at their end, and the blobs in which keys travel.
 *
 * Big numbers are libtommath's.  Source: mega-protocol(7), "RSA keys";
 * meganz/sdk src/crypto/cryptopp.cpp, AsymmCipher.
 */
#ifndef RSA_H
#define RSA_H

#include <stddef.h>
#include <stdint.h>

#define RSA_BYTES_MAX 512           /* modulus, bytes (4096 bits) */
#define RSA_BLOB_MAX  (5 * RSA_BYTES_MAX)
#define RSA_SID_SIZE  43            /* a session id */

struct rsa_private; /* p, q, d, u; wiped when freed */
struct rsa_public;  /* n, e */

/*
 * rsa_private_unpack: a private key from MPI(p) MPI(q) MPI(d) MPI(u),
 * followed by fewer than 16 bytes of padding.
 *
 * Demands what official clients demand against key-recovery attacks: p, q
 * and u over 1000 bits, d over 2000, u = 1/p mod q.  ERR_KEY otherwise:
 * which is how a wrong password shows.  *k is new; rsa_private_free.
 */
int rsa_private_unpack(struct rsa_private **k, const uint8_t *blob, size_t n);

/* The blob of a key (byte-rounded MPIs), padded with random bytes to a
 * multiple of 16; returns its length.  out has RSA_BLOB_MAX bytes. */
size_t rsa_private_pack(const struct rsa_private *k, uint8_t *out);
void rsa_private_free(struct rsa_private *k);

/* MPI(n) MPI(e).  ERR_PROTO if it does not parse, or could not be a key of
 * 1024 bits or more.  Packing needs RSA_BLOB_MAX bytes. */
int rsa_public_unpack(struct rsa_public **k, const uint8_t *blob, size_t n);
size_t rsa_public_pack(const struct rsa_public *k, uint8_t *out);
void rsa_public_free(struct rsa_public *k);

/* rsa_generate: a new pair of bits (2048) with e = 257. 0 or ERR_LOCAL. */
int rsa_generate(struct rsa_private **priv, struct rsa_public **pub,
    int bits);

/*
 * rsa_decrypt: the message of MPI(c), as official clients read it: a
 * fixed-length number of bytes(p) + bytes(q) - 2 bytes (254 for 2048 bits),
 * or more where the number is larger.
 *
 * mpi is n bytes, of which fewer than 16 may be padding.  *len is the
 * message's length; of that, the first max bytes are written.  ERR_PROTO if
 * mpi is no MPI or not below the modulus.
 */
int rsa_decrypt(const struct rsa_private *k, uint8_t *out, size_t max,
    size_t *len, const uint8_t *mpi, size_t n);

/*
 * rsa_encrypt: MPI of the message (n bytes at the top, random bytes after
 * it up to total bytes, which is at most the modulus's bytes - 1).
 *
 * total 0 means bytes(n) - 2.  out has RSA_BYTES_MAX + 2 bytes; returns the
 * length or ERR_ARGS (message too long).
 */
int rsa_encrypt(const struct rsa_public *k, uint8_t *out, const uint8_t *msg,
    size_t n, size_t total);

#endif
