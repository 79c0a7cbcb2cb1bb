#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "blocks.h"
#include "err.h"
#include "mem.h"

#define BUCKETS  16384
#define NAME_MAX_ 64
#define PAGE     4096    /* what a block takes at least */

/* The end of a file: MAC, length, CRC-32 of all before it, and a mark. */
#define END_SIZE 32
static const char mark[4] = { 'm', 'p', 'b', '1' };

/* One file of the folder. */
struct block {
	int64_t h;
	uint64_t i;
	size_t size;           /* of the data */
	int checked;           /* its checksum was right, in this process */
	struct block *next;    /* of the bucket */
	struct block *newer, *older;
};

struct blocks {
	char *dir;
	int64_t max, total;
	unsigned count;
	struct block *bucket[BUCKETS];
	struct block *newest, *oldest;
};

int64_t
blocks_total(const struct blocks *b)
{
	return b->total;
}

static char *
name_of(char out[NAME_MAX_], int64_t h, uint64_t i)
{
	snprintf(out, NAME_MAX_, "%012llx.%llu", (unsigned long long)h,
	    (unsigned long long)i);
	return out;
}

static char *
path_of(const struct blocks *b, int64_t h, uint64_t i)
{
	char name[NAME_MAX_];

	return xasprintf("%s/%s", b->dir, name_of(name, h, i));
}

/* What a block takes on the disk, about. */
static int64_t
cost(size_t size)
{
	return (int64_t)((size + END_SIZE + PAGE - 1) / PAGE * PAGE);
}

/* The table. */

static size_t
hash(int64_t h, uint64_t i)
{
	uint64_t x = ((uint64_t)h ^ i * 0x9e3779b97f4a7c15) *
	    0xbf58476d1ce4e5b9;

	return (size_t)(x >> 32) % BUCKETS;
}

static struct block *
find(const struct blocks *b, int64_t h, uint64_t i)
{
	struct block *e = b->bucket[hash(h, i)];

	while (e != NULL && (e->h != h || e->i != i))
		e = e->next;
	return e;
}

int
blocks_has(const struct blocks *b, int64_t h, uint64_t i)
{
	return find(b, h, i) != NULL;
}

static void
unlink_use(struct blocks *b, struct block *e)
{
	*(e->newer != NULL ? &e->newer->older : &b->newest) = e->older;
	*(e->older != NULL ? &e->older->newer : &b->oldest) = e->newer;
}

static void
link_use(struct blocks *b, struct block *e)
{
	e->newer = NULL;
	e->older = b->newest;
	*(b->newest != NULL ? &b->newest->newer : &b->oldest) = e;
	b->newest = e;
}

static struct block *
add(struct blocks *b, int64_t h, uint64_t i, size_t size)
{
	struct block *e = find(b, h, i), **at;

	if (e == NULL) {
		at = &b->bucket[hash(h, i)];
		e = xcalloc(1, sizeof *e);
		e->h = h;
		e->i = i;
		e->next = *at;
		*at = e;
		b->count++;
	} else {
		b->total -= cost(e->size);
		unlink_use(b, e);
	}
	e->size = size;
	e->checked = 0;
	b->total += cost(size);
	link_use(b, e);
	return e;
}

/* Forget a block. */
static void
forget(struct blocks *b, struct block *e)
{
	struct block **at = &b->bucket[hash(e->h, e->i)];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	unlink_use(b, e);
	b->total -= cost(e->size);
	b->count--;
	free(e);
}

static void
remove_block(struct blocks *b, struct block *e)
{
	char *path = path_of(b, e->h, e->i);

	unlink(path);
	free(path);
	forget(b, e);
}

static void
evict(struct blocks *b)
{
	while (b->oldest != NULL &&
	    (b->total > b->max || b->count > BLOCKS_COUNT_MAX))
		remove_block(b, b->oldest);
}

/* What earlier runs left. */
struct found {
	int64_t h;
	uint64_t i;
	size_t size;
	struct timespec when;
};

static int
by_age(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->when.tv_sec != y->when.tv_sec)
		return x->when.tv_sec < y->when.tv_sec ? -1 : 1;
	return x->when.tv_nsec < y->when.tv_nsec ? -1 :
	    x->when.tv_nsec > y->when.tv_nsec;
}

/* Whether a file of the folder is a block. */
static int
look_at(struct found *f, int dir, const char *name)
{
	unsigned long long h, i;
	char again[NAME_MAX_];
	struct stat st;

	if (sscanf(name, "%12llx.%llu", &h, &i) != 2 ||
	    strcmp(name, name_of(again, (int64_t)h, i)) != 0 ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(st.st_mode) || st.st_size <= END_SIZE ||
	    st.st_size > CHUNK_MAX + END_SIZE)
		return 0;
	*f = (struct found){ .h = (int64_t)h, .i = i,
	    .size = (size_t)st.st_size - END_SIZE, .when = st.st_mtim };
	return 1;
}

static void
scan(struct blocks *b, DIR *d)
{
	struct found *list = NULL;
	size_t n = 0, cap = 0;
	struct dirent *e;

	while ((e = readdir(d)) != NULL) {
		if (n == cap) {
			cap = cap == 0 ? 256 : 2 * cap;
			list = xreallocarray(list, cap, sizeof *list);
		}
		if (look_at(&list[n], dirfd(d), e->d_name))
			n++;
		else if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	}
	if (n > 0)
		qsort(list, n, sizeof *list, by_age);
	for (size_t i = 0; i < n; i++)
		add(b, list[i].h, list[i].i, list[i].size);
	free(list);
	evict(b);
}

int
blocks_open(struct blocks **out, const char *dir, int64_t max)
{
	struct blocks *b;
	DIR *d;

	*out = NULL;
	if ((mkdir(dir, 0700) == -1 && errno != EEXIST) ||
	    (d = opendir(dir)) == NULL)
		return err_local("%s", dir);
	b = xcalloc(1, sizeof *b);
	b->dir = xstrdup(dir);
	b->max = max;
	scan(b, d);
	closedir(d);
	*out = b;
	return 0;
}

void
blocks_close(struct blocks *b)
{
	if (b == NULL)
		return;
	while (b->oldest != NULL)
		forget(b, b->oldest);
	free(b->dir);
	free(b);
}

/* The end of a block's file. */
static void
make_end(uint8_t end[END_SIZE], const void *p, size_t n,
    const uint8_t mac[16])
{
	uint64_t size = n;
	uLong sum;

	memcpy(end, mac, 16);
	for (int i = 0; i < 8; i++)
		end[16 + i] = (uint8_t)(size >> (56 - 8 * i));
	sum = adler32(1, p, (uInt)n);
	sum = adler32(sum, end, 24);
	for (int i = 0; i < 4; i++)
		end[24 + i] = (uint8_t)(sum >> (24 - 8 * i));
	memcpy(end + 28, mark, sizeof mark);
}

/* Write a new file of that name. 0 or -1. */
static int
write_file(const char *path, const void *p, size_t n,
    const uint8_t end[END_SIZE])
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r;

	if (fd == -1)
		return -1;
	r = write(fd, p, n) == (ssize_t)n &&
	    write(fd, end, END_SIZE) == END_SIZE ? 0 : -1;
	if (close(fd) == -1)
		r = -1;
	return r;
}

void
blocks_put(struct blocks *b, int64_t h, uint64_t i, const void *p, size_t n,
    const uint8_t mac[16])
{
	uint8_t end[END_SIZE];
	char *path, *temporary;

	if (n == 0 || n > CHUNK_MAX || cost(n) > b->max)
		return;
	path = path_of(b, h, i);
	temporary = xasprintf("%s/new.%ld", b->dir, (long)getpid());
	make_end(end, p, n, mac);
	if (write_file(temporary, p, n, end) == 0 &&
	    rename(temporary, path) == 0) {
		add(b, h, i, n)->checked = 1;
		evict(b);
	} else {
		unlink(temporary);
	}
	free(path);
	free(temporary);
}

/* Read n bytes at an offset. 0 or -1. */
static int
read_at(int fd, void *p, size_t n, size_t from)
{
	uint8_t *to = p;

	while (n > 0) {
		ssize_t got = pread(fd, to, n, (off_t)from);

		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		to += got;
		from += (size_t)got;
		n -= (size_t)got;
	}
	return 0;
}

/* Whether all of a file is as it was written. */
static int
is_intact(int fd, size_t size)
{
	uint8_t have[END_SIZE], want[END_SIZE], *p = xmalloc(size);
	int r;

	r = read_at(fd, p, size, 0) == 0 &&
	    read_at(fd, have, sizeof have, size) == 0;
	if (r) {
		make_end(want, p, size, have);
		r = memcmp(have, want, sizeof want) == 0;
	}
	free(p);
	return r;
}

/* The block's file, of the right size and intact, or -1. */
static int
open_block(struct blocks *b, int64_t h, uint64_t i, size_t size)
{
	struct block *e = find(b, h, i);
	char *path = path_of(b, h, i);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	free(path);
	if (fd == -1 || fstat(fd, &st) == -1 ||
	    st.st_size != (off_t)(size + END_SIZE) ||
	    ((e == NULL || !e->checked) && !is_intact(fd, size))) {
		if (fd != -1)
			close(fd);
		if (e != NULL)
			remove_block(b, e);
		return -1;
	}
	/* It may be another process's. */
	add(b, h, i, size)->checked = 1;
	return fd;
}

int
blocks_get(struct blocks *b, int64_t h, uint64_t i, size_t size, size_t from,
    void *p, size_t n, uint8_t mac[16])
{
	int fd = open_block(b, h, i, size), r;

	if (fd == -1)
		return 0;
	r = read_at(fd, p, n, from) == 0 && read_at(fd, mac, 16, size) == 0;
	close(fd);
	return r;
}

void
blocks_drop(struct blocks *b, int64_t h, uint64_t i)
{
	struct block *e = find(b, h, i);

	if (e != NULL)
		remove_block(b, e);
}

void
blocks_drop_all(struct blocks *b, int64_t h)
{
	struct block *e = b->newest, *older;

	for (; e != NULL; e = older) {
		older = e->older;
		if (e->h == h)
			remove_block(b, e);
	}
}
