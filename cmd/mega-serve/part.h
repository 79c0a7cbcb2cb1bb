/* One of the six parts of a file (raid.h), as a stream. */
#ifndef PART_H
#define PART_H

#include <sys/types.h>

#include <stdint.h>

/* Bytes [at, end) of a part. */
struct part {
	int fd;           /* of the whole file; closed by part_free */
	int part;
	int64_t at, end;
};
ssize_t part_read(void *ctx, char *p, size_t n);
void part_free(void *ctx);

#endif
