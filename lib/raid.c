#include <string.h>

#include "raid.h"

int64_t
raid_part_size(int part, int64_t size)
{
	int64_t rest = size % RAID_LINE;

	if (part > 1)
		rest -= RAID_SECTOR * (part - 1);
	if (rest < 0)
		rest = 0;
	if (rest > RAID_SECTOR)
		rest = RAID_SECTOR;
	return size / RAID_LINE * RAID_SECTOR + rest;
}

static void
add(uint8_t *sum, const uint8_t *sector)
{
	for (int i = 0; i < RAID_SECTOR; i++)
		sum[i] ^= sector[i];
}

void
raid_split(uint8_t *sectors, int part, const uint8_t *lines, size_t n)
{
	for (; n > 0; n--, sectors += RAID_SECTOR, lines += RAID_LINE) {
		if (part > 0) {
			memcpy(sectors, lines + RAID_SECTOR * (part - 1),
			    RAID_SECTOR);
			continue;
		}
		memset(sectors, 0, RAID_SECTOR);
		for (int i = 0; i < RAID_LINE; i += RAID_SECTOR)
			add(sectors, lines + i);
	}
}

/* The sectors of the part that is not there: the sum of all others. */
static void
rebuild(uint8_t *lines, const uint8_t *const sectors[RAID_PARTS], size_t n,
    int missing)
{
	uint8_t *to = lines + RAID_SECTOR * (missing - 1);

	for (size_t i = 0; i < n; i++, to += RAID_LINE) {
		memset(to, 0, RAID_SECTOR);
		for (int part = 0; part < RAID_PARTS; part++)
			if (part != missing)
				add(to, sectors[part] + i * RAID_SECTOR);
	}
}

void
raid_join(uint8_t *lines, const uint8_t *const sectors[RAID_PARTS], size_t n)
{
	for (int part = 1; part < RAID_PARTS; part++) {
		uint8_t *to = lines + RAID_SECTOR * (part - 1);

		if (sectors[part] == NULL) {
			rebuild(lines, sectors, n, part);
			continue;
		}
		for (size_t i = 0; i < n; i++, to += RAID_LINE)
			memcpy(to, sectors[part] + i * RAID_SECTOR,
			    RAID_SECTOR);
	}
}
