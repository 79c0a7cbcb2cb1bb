#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chunk.h"
#include "err.h"
#include "fingerprint.h"
#include "mem.h"
#include "same.h"
#include "secret.h"

#define BATCH 4 /* chunks read and computed together */

/* Read n bytes at an offset: 1, 0 if the file is shorter, or ERR_LOCAL. */
static int
read_at(int fd, uint8_t *p, size_t n, int64_t at)
{
	while (n > 0) {
		ssize_t got = pread(fd, p, n, (off_t)at);

		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return err_local("cannot read");
		if (got == 0)
			return 0;
		p += got;
		n -= (size_t)got;
		at += got;
	}
	return 1;
}

/* The MACs of a few chunks from chunk *i on: 1, 0 or ERR_LOCAL. */
static int
next_macs(int fd, const struct aes *aes, const struct filekey *k,
    int64_t size, uint64_t *i, uint8_t (*macs)[16], uint8_t *buf)
{
	struct chunk_job jobs[BATCH];
	unsigned n = 0;
	int r;

	for (; n < BATCH && chunk_start(*i + n) < size; n++) {
		int64_t start = chunk_start(*i + n);

		jobs[n] = (struct chunk_job){ .p = buf + n * (size_t)CHUNK_MAX,
		    .start = start,
		    .n = (size_t)(chunk_end(start, size) - start) };
		if ((r = read_at(fd, jobs[n].p, jobs[n].n, start)) <= 0)
			return r;
	}
	/* Encrypting gives the MAC; the ciphertext is not needed. */
	chunk_crypt_jobs(aes, k->nonce, jobs, n, 1);
	for (unsigned j = 0; j < n; j++)
		memcpy(macs[*i + j], jobs[j].mac, 16);
	*i += n;
	return 1;
}

static int
same_mac(int fd, const struct node *n)
{
	uint64_t count = chunk_count(n->size), i = 0;
	uint8_t (*macs)[16] = xcalloc((size_t)count, 16);
	uint8_t *buf = xmalloc(BATCH * (size_t)CHUNK_MAX);
	const char *how;
	struct filekey k;
	struct aes aes;
	int r = 1;

	key_unpack_file(&k, n->key);
	aes_init(&aes, k.key);
	while (r > 0 && i < count)
		r = next_macs(fd, &aes, &k, n->size, &i, macs, buf);
	if (r > 0)
		r = chunk_verify(k.mac, &aes, k.nonce,
		    (const uint8_t (*)[16])macs, n->size, &how) >= 0;
	aes_wipe(&aes);
	secret_zero(&k, sizeof k);
	secret_zero(buf, BATCH * (size_t)CHUNK_MAX);
	free(buf);
	free(macs);
	return r;
}

/* By fingerprint: 1 same, 0 not known, -1 different. */
static int
same_print(int fd, const struct stat *st, const struct node *n)
{
	struct fingerprint theirs = { .size = n->size }, ours;

	if (n->fingerprint[0] == '\0' || fingerprint_parse(&theirs,
	    n->fingerprint, strlen(n->fingerprint)) < 0 ||
	    !fingerprint_same_time(st->st_mtim.tv_sec, theirs.mtime))
		return 0;
	ours = (struct fingerprint){ .size = st->st_size };
	if (fingerprint_fd(ours.crc, fd, ours.size, 0) < 0)
		return 0;
	if (fingerprint_same(&ours, &theirs))
		return 1;
	/* Old clients computed it differently for large files. */
	if (fingerprint_fd(ours.crc, fd, ours.size, 1) < 0)
		return 0;
	return fingerprint_same(&ours, &theirs) ? 1 : -1;
}

int
same_fd(int fd, const struct node *n)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) == -1)
		return err_local("cannot look at it");
	if (!S_ISREG(st.st_mode) || st.st_size != n->size)
		return 0;
	if ((r = same_print(fd, &st, n)) != 0)
		return r > 0;
	return n->keylen == KEY_FILE_SIZE ? same_mac(fd, n) : 0;
}

int
same_file(const char *path, const struct node *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r;

	if (fd == -1) /* a link that leads nowhere is not the same */
		return errno == ENOENT ? 0 : err_local("%s", path);
	r = same_fd(fd, n);
	close(fd);
	return r;
}
