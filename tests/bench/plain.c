/*
 * The transfer programs with their cipher off, to know what it costs.  They
 * are linked with --wrap, so that these are called in the place of lib's.
 */
#include "chunk.h"

void __wrap_chunk_crypt_jobs(const struct aes *aes, const uint8_t nonce[8],
    struct chunk_job *jobs, unsigned njobs, int encrypt);
int __wrap_chunk_verify(const uint8_t meta[KEY_META_SIZE],
    const struct aes *aes, const uint8_t nonce[8], const uint8_t (*macs)[16],
    int64_t size, const char **how);

void
__wrap_chunk_crypt_jobs(const struct aes *aes, const uint8_t nonce[8],
    struct chunk_job *jobs, unsigned njobs, int encrypt)
{
	(void)aes;
	(void)nonce;
	(void)encrypt;
	for (unsigned i = 0; i < njobs; i++)
		jobs[i].mac[0] = 1; /* zeros would mean that there is none */
}

int
__wrap_chunk_verify(const uint8_t meta[KEY_META_SIZE], const struct aes *aes,
    const uint8_t nonce[8], const uint8_t (*macs)[16], int64_t size,
    const char **how)
{
	(void)meta;
	(void)aes;
	(void)nonce;
	(void)macs;
	(void)size;
	(void)how;
	return 0;
}
