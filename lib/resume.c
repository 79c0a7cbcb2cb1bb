#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kdf.h"
#include "mem.h"
#include "resume.h"
#include "secret.h"

/*
 * The file: magic (16 bytes), key (16), nonce (8), time of the URL (8, big
 * endian), the URL with NULs behind it, and from HEAD_SIZE on 16 bytes for
 * each chunk.
 */
#define MAGIC     "megapipe upload\n"
#define AT_KEY    16
#define AT_NONCE  32
#define AT_TIME   40
#define AT_URL    48
#define HEAD_SIZE 4096

char *
resume_name(const char *folder, const void *what, size_t n)
{
	uint8_t hash[32];

	kdf_sha256(hash, what, n);
	return xasprintf("%s/%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x",
	    folder, hash[0], hash[1], hash[2], hash[3], hash[4], hash[5],
	    hash[6], hash[7], hash[8], hash[9], hash[10], hash[11]);
}

/* Remove states that are older than some seconds. */
static void
sweep(const char *folder, time_t age)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	struct stat st;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (strlen(e->d_name) == 24 &&
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
		    0 && S_ISREG(st.st_mode) &&
		    st.st_mtim.tv_sec <= time(NULL) - age)
			unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}

void
resume_forget(const char *folder)
{
	sweep(folder, 0);
	rmdir(folder);
}

static int
load(struct resume *r, struct resume_head *head, uint8_t (*macs)[16])
{
	uint8_t h[HEAD_SIZE];
	uint64_t made = 0, now = (uint64_t)time(NULL);
	size_t n = (size_t)r->chunks * 16;
	int good;

	if (pread(r->fd, h, sizeof h, 0) != (ssize_t)sizeof h ||
	    memcmp(h, MAGIC, 16) != 0)
		return 0;
	for (int i = 0; i < 8; i++)
		made = made << 8 | h[AT_TIME + i];
	memcpy(head->key, h + AT_KEY, sizeof head->key);
	memcpy(head->nonce, h + AT_NONCE, sizeof head->nonce);
	memcpy(head->url, h + AT_URL, RESUME_URL_MAX);
	head->url[RESUME_URL_MAX] = '\0';
	good = made <= now && now - made < RESUME_AGE_S &&
	    head->url[0] != '\0' &&
	    pread(r->fd, macs, n, HEAD_SIZE) == (ssize_t)n;
	secret_zero(h, sizeof h);
	if (!good) {
		secret_zero(head, sizeof *head);
		memset(macs, 0, n);
	}
	return good;
}

int
resume_open(struct resume *r, const char *path, uint64_t chunks,
    struct resume_head *head, uint8_t (*macs)[16])
{
	char *folder = xstrdup(path), *slash = strrchr(folder, '/');
	struct stat st, now;

	*r = (struct resume){ .fd = -1 };
	*slash = '\0';
	if (mkdir(folder, 0700) == -1 && errno == EEXIST)
		sweep(folder, 2 * RESUME_AGE_S);
	free(folder);
	r->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r->fd == -1 || flock(r->fd, LOCK_EX | LOCK_NB) == -1 ||
	    fstat(r->fd, &st) == -1 || lstat(path, &now) == -1 ||
	    st.st_ino != now.st_ino) {
		if (r->fd != -1)
			close(r->fd);
		*r = (struct resume){ 0 };
		return 0;
	}
	r->path = xstrdup(path);
	r->chunks = chunks;
	return load(r, head, macs);
}

void
resume_begin(struct resume *r, const struct resume_head *head)
{
	uint8_t h[HEAD_SIZE] = { 0 };
	uint64_t now = (uint64_t)time(NULL);

	if (r->path == NULL)
		return;
	memcpy(h, MAGIC, 16);
	memcpy(h + AT_KEY, head->key, sizeof head->key);
	memcpy(h + AT_NONCE, head->nonce, sizeof head->nonce);
	for (int i = 0; i < 8; i++)
		h[AT_TIME + i] = (uint8_t)(now >> (56 - 8 * i));
	memcpy(h + AT_URL, head->url, strlen(head->url));
	/* A file that cannot be written, or not whole, is of no use. */
	if (ftruncate(r->fd, 0) == -1 ||
	    ftruncate(r->fd, HEAD_SIZE + (off_t)r->chunks * 16) == -1 ||
	    pwrite(r->fd, h, sizeof h, 0) != (ssize_t)sizeof h)
		resume_end(r);
	secret_zero(h, sizeof h);
}

void
resume_chunk(struct resume *r, uint64_t i, const uint8_t mac[16])
{
	if (r->path != NULL && pwrite(r->fd, mac, 16, HEAD_SIZE +
	    (off_t)i * 16) != 16)
		resume_end(r);
}

void
resume_end(struct resume *r)
{
	if (r->path != NULL)
		unlink(r->path);
	resume_keep(r);
}

void
resume_keep(struct resume *r)
{
	if (r->path == NULL)
		return;
	close(r->fd);
	free(r->path);
	*r = (struct resume){ 0 };
}
