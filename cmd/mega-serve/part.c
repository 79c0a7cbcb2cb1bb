/* One part of a file that is stored as a whole. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "part.h"
#include "raid.h"

#define LINES 512 /* at a time */

ssize_t
part_read(void *ctx, char *p, size_t n)
{
	struct part *r = ctx;
	uint8_t lines[LINES * RAID_LINE], sectors[LINES * RAID_SECTOR];
	int64_t first = r->at / RAID_SECTOR, skip = r->at % RAID_SECTOR;

	/* What is not in the file counts as zeros. */
	memset(lines, 0, sizeof lines);
	if (pread(r->fd, lines, sizeof lines, (off_t)(first * RAID_LINE)) < 0)
		return -1;
	raid_split(sectors, r->part, lines, LINES);
	if (n > sizeof sectors - (size_t)skip)
		n = sizeof sectors - (size_t)skip;
	if ((int64_t)n > r->end - r->at)
		n = (size_t)(r->end - r->at);
	memcpy(p, sectors + skip, n);
	r->at += (int64_t)n;
	return (ssize_t)n;
}

void
part_free(void *ctx)
{
	struct part *r = ctx;

	close(r->fd);
	free(r);
}
