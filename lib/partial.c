#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chunk.h"
#include "mem.h"
#include "partial.h"
#include "secret.h"

#define PAGE   4096
#define HEADER 64

static int64_t
header_at(const struct partial *p)
{
	return (p->size + PAGE - 1) / PAGE * PAGE;
}

static int64_t
mac_at(const struct partial *p, uint64_t chunk)
{
	return header_at(p) + HEADER + (int64_t)chunk * 16;
}

/* The header names the file by what nobody else can have: a block under its
 * own key. */
static void
make_header(const struct partial *p, uint8_t h[HEADER])
{
	memset(h, 0, HEADER);
	memcpy(h, "megapipe part 1\n", 16);
	for (int i = 0; i < 8; i++)
		h[16 + i] = (uint8_t)((uint64_t)p->size >> (56 - 8 * i));
	memcpy(h + 24, p->key->nonce, 8);
	aes_encrypt(p->aes, h + 32, h, 1);
	memcpy(h + 48, p->key->mac, 8);
}

/* Of a single chunk there is nothing to go on with. */
static int
has_record(const struct partial *p)
{
	return chunk_count(p->size) > 1;
}

int
partial_begin(const struct partial *p)
{
	static const uint8_t zeros[65536];
	uint8_t h[HEADER];
	int64_t at = mac_at(p, 0), end = mac_at(p, chunk_count(p->size));
	int r;

	if (!has_record(p))
		return 0;
	while (at < end) {
		size_t n = end - at < (int64_t)sizeof zeros ?
		    (size_t)(end - at) : sizeof zeros;

		if ((r = out_write(p->out, zeros, n, at)) < 0)
			return r;
		at += (int64_t)n;
	}
	make_header(p, h);
	return out_write(p->out, h, sizeof h, header_at(p));
}

int
partial_add(const struct partial *p, uint64_t chunk)
{
	if (!has_record(p))
		return 0;
	return out_write(p->out, p->macs[chunk], 16, mac_at(p, chunk));
}

static int
read_all(int fd, void *p, size_t n, int64_t at)
{
	uint8_t *to = p;

	while (n > 0) {
		ssize_t got = pread(fd, to, n, (off_t)at);

		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		to += got;
		n -= (size_t)got;
		at += got;
	}
	return 0;
}

/* Read the MACs: 0, or -1 if this is no record of the file. */
static int
read_record(const struct partial *p)
{
	uint8_t want[HEADER], have[HEADER];
	int fd = p->out->fd;

	make_header(p, want);
	if (p->out->old < mac_at(p, 0) ||
	    read_all(fd, have, sizeof have, header_at(p)) < 0 ||
	    !secret_equal(want, have, sizeof want))
		return -1;
	return read_all(fd, p->macs, (size_t)chunk_count(p->size) * 16,
	    mac_at(p, 0));
}

/* Whether the data on the disk still has the MAC in the record.  Encrypting
 * gives the MAC; the ciphertext is thrown away. */
static int
is_intact(const struct partial *p, uint64_t chunk, uint8_t *tmp)
{
	int64_t start = chunk_start(chunk);
	struct chunk_job job = { .p = tmp, .start = start,
	    .n = (size_t)(chunk_end(start, p->size) - start) };

	if (read_all(p->out->fd, tmp, job.n, start) < 0)
		return 0;
	chunk_crypt_jobs(p->aes, p->key->nonce, &job, 1, 1);
	return secret_equal(job.mac, p->macs[chunk], 16);
}

int
partial_has(const uint8_t mac[16])
{
	static const uint8_t none[16];

	return memcmp(mac, none, 16) != 0;
}

int
partial_resume(const struct partial *p)
{
	uint64_t n = chunk_count(p->size);
	uint8_t *tmp;

	if (!has_record(p) || read_record(p) < 0) {
		memset(p->macs, 0, (size_t)n * 16);
		return partial_begin(p);
	}
	tmp = xmalloc(CHUNK_MAX);
	for (uint64_t i = 0; i < n; i++)
		if (partial_has(p->macs[i]) && !is_intact(p, i, tmp))
			memset(p->macs[i], 0, 16);
	secret_zero(tmp, CHUNK_MAX);
	free(tmp);
	return 0;
}
