/*
 * Answers compressed with gzip, by way of a file that has no name: clients
 * have to be told the plain size before the first byte.
 */
#ifndef PACK_H
#define PACK_H

#include <stddef.h>
#include <stdint.h>

struct pack;

/* Begin one below the folder of the store, which sweeps what a sudden death
 * leaves there.  NULL with a text if no file can be made. */
struct pack *pack_new(const char *dir);
/* Add n bytes; pack_end writes what is left.  0 or ERR_LOCAL. */
int pack_add(struct pack *p, const char *data, size_t n);
int pack_end(struct pack *p);

/* What it came to: the size before, the size now, and the file, which is the
 * caller's from then on. */
int64_t pack_plain(const struct pack *p);
int64_t pack_size(const struct pack *p);
int pack_take(struct pack *p);

void pack_free(struct pack *p); /* NULL is fine */

#endif
