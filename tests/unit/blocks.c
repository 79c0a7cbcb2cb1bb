/* blocks: a folder of chunks that forgets and never lies. */
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "blocks.h"
#include "tap.h"

#define MAX (64 * 4096)

static char dir[] = "/tmp/megapipe-blocks.XXXXXX";
static struct blocks *b;
static uint8_t data[CHUNK_MAX], got[CHUNK_MAX];
static const uint8_t mac[16] = "0123456789abcdef";

static void
put(int64_t h, uint64_t i, size_t n)
{
	memset(data, (int)(h + (int64_t)i), n);
	blocks_put(b, h, i, data, n, mac);
}

/* Whether a block is there and right. */
static int
has(int64_t h, uint64_t i, size_t n)
{
	uint8_t m[16];

	if (!blocks_get(b, h, i, n, 0, got, n, m))
		return 0;
	memset(data, (int)(h + (int64_t)i), n);
	return memcmp(got, data, n) == 0 && memcmp(m, mac, 16) == 0;
}

static void
reopen(int64_t max)
{
	blocks_close(b);
	blocks_open(&b, dir, max);
}

/* Change the byte at an offset of every file in the folder. */
static void
spoil(off_t at)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while ((e = readdir(d)) != NULL) {
		char path[512], c = 'X';
		int fd;

		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		if ((fd = open(path, O_WRONLY)) == -1)
			continue;
		if (pwrite(fd, &c, 1, at) != 1)
			abort();
		close(fd);
	}
	closedir(d);
}

static void
limits(void)
{
	int n = 0;

	for (uint64_t i = 0; i < 100; i++)
		put(7, i, 4000);
	ok(blocks_total(b) <= MAX, "never more than its size");
	ok(!blocks_has(b, 7, 0) && blocks_has(b, 7, 99),
	    "the oldest go first");
	for (uint64_t i = 0; i < 100; i++)
		n += has(7, i, 4000);
	ok(n > 50, "%d of 64 are there", n);
	ok(has(7, 60, 4000), "one that is used");
	for (uint64_t i = 200; i < 240; i++)
		put(7, i, 4000);
	ok(blocks_has(b, 7, 60) && !blocks_has(b, 7, 50),
	    "stays longer than others");
	reopen(10 * 4096);
	ok(blocks_total(b) <= 10 * 4096, "a smaller size is kept to");
	put(8, 1, 1000000);
	ok(!blocks_has(b, 8, 1), "what is larger than all is not kept");
}

int
main(void)
{
	uint8_t m[16];

	if (mkdtemp(dir) == NULL)
		return 99;
	ok(blocks_open(&b, dir, MAX) == 0, "open");
	ok(!has(1, 1, 100), "nothing is there");
	put(1, 1, 100);
	ok(blocks_has(b, 1, 1) && has(1, 1, 100), "a block");
	ok(!blocks_has(b, 1, 2) && !blocks_has(b, 2, 1), "and no other");
	memset(got, 0, 10);
	ok(blocks_get(b, 1, 1, 100, 90, got, 10, m) && got[9] == 2,
	    "a part of it");
	put(1, 1, 200);
	ok(has(1, 1, 200), "replaced");
	put(1, BLOCKS_MACS, 32);
	ok(has(1, BLOCKS_MACS, 32), "the MACs of a file");
	reopen(MAX);
	ok(has(1, 1, 200) && has(1, BLOCKS_MACS, 32), "all is there later");
	ok(!has(1, 1, 100), "another size is another block");
	ok(!blocks_has(b, 1, 1), "and removed");
	put(1, 1, 200);
	reopen(MAX);
	spoil(150);
	ok(!has(1, 1, 200), "a wrong byte is found");
	put(1, 1, 200);
	reopen(MAX);
	spoil(201);
	ok(!has(1, 1, 200), "also in the MAC");
	put(1, 1, 100);
	put(1, 2, 100);
	put(2, 1, 100);
	blocks_drop_all(b, 1);
	ok(!has(1, 1, 100) && !has(1, 2, 100) && has(2, 1, 100),
	    "all of a node dropped");
	blocks_drop(b, 2, 1);
	ok(!has(2, 1, 100) && blocks_total(b) == 0, "none is left");
	limits();
	blocks_close(b);
	blocks_open(&b, dir, 0);
	ok(rmdir(dir) == 0, "no size leaves nothing");
	blocks_close(b);
	return done();
}
