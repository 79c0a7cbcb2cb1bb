/* Parts of a file.  A line is five sectors of 16 bytes, one for each data
 * part, and their sum for the parity part. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "raid.h"

#define SECTOR 16
#define PARTS  5
#define LINE   (SECTOR * PARTS)
#define LINES  512 /* at a time */

int64_t
raid_size(int part, int64_t size)
{
	int64_t rest = size % LINE - SECTOR * (part > 0 ? part - 1 : 0);

	if (rest < 0)
		rest = 0;
	if (rest > SECTOR)
		rest = SECTOR;
	return size / LINE * SECTOR + rest;
}

/* One sector of the part from a line of the file. */
static void
take_sector(const struct raid *r, uint8_t *out, const uint8_t *line)
{
	if (r->part > 0) {
		memcpy(out, line + SECTOR * (r->part - 1), SECTOR);
		return;
	}
	memset(out, 0, SECTOR);
	for (int i = 0; i < LINE; i++)
		out[i % SECTOR] ^= line[i];
}

ssize_t
raid_read(void *ctx, char *p, size_t n)
{
	struct raid *r = ctx;
	uint8_t lines[LINES * LINE], part[LINES * SECTOR];
	int64_t first = r->at / SECTOR, skip = r->at % SECTOR;
	ssize_t got;

	/* What is not in the file counts as zeros. */
	memset(lines, 0, sizeof lines);
	got = pread(r->fd, lines, sizeof lines, (off_t)(first * LINE));
	if (got < 0)
		return -1;
	for (size_t i = 0; i < LINES; i++)
		take_sector(r, part + i * SECTOR, lines + i * LINE);
	if (n > sizeof part - (size_t)skip)
		n = sizeof part - (size_t)skip;
	if ((int64_t)n > r->end - r->at)
		n = (size_t)(r->end - r->at);
	memcpy(p, part + skip, n);
	r->at += (int64_t)n;
	return (ssize_t)n;
}

void
raid_free(void *ctx)
{
	struct raid *r = ctx;

	close(r->fd);
	free(r);
}
