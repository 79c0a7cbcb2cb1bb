/*
 * A file in six parts, any five of which give its contents.
 *
 * A line of 80 bytes is five sectors of 16, which are in the parts 1 to 5;
 * part 0 has their sum.  The last line is filled up with zeros, of which no
 * part has any.  What is cut up is the encrypted file.
 *
 * Source: mega-protocol(7), "CloudRAID"; meganz/sdk src/raid.cpp.
 */
#ifndef RAID_H
#define RAID_H

#include <stddef.h>
#include <stdint.h>

#define RAID_PARTS  6
#define RAID_SECTOR 16
#define RAID_LINE   (RAID_SECTOR * (RAID_PARTS - 1))

/* The length of a part (0: of sums) of a file of size bytes. */
int64_t raid_part_size(int part, int64_t size);

/* The sectors of one part from n lines. */
void raid_split(uint8_t *sectors, int part, const uint8_t *lines, size_t n);

/* n lines from the sectors of at least five parts; that which is not there
 * is NULL. */
void raid_join(uint8_t *lines, const uint8_t *const sectors[RAID_PARTS],
    size_t n);

#endif
