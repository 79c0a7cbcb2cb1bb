/*
 * A file in six parts: five of data and one of parity.
 *
 * Source: mega-protocol(7), "CloudRAID".
 */
#ifndef RAID_H
#define RAID_H

#include <sys/types.h>

#include <stdint.h>

/* The length of a part (0: parity) of a file of size bytes. */
int64_t raid_size(int part, int64_t size);

/* Bytes [at, end) of a part, as a stream. */
struct raid {
	int fd;           /* of the whole file; closed by raid_free */
	int part;
	int64_t at, end;
};
ssize_t raid_read(void *ctx, char *p, size_t n);
void raid_free(void *ctx);

#endif
