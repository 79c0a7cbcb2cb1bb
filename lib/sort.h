/*
 * Sorting of more byte strings than fit into memory: runs are sorted in a
 * block of memory, written to a file without a name, and merged from there.
 */
#ifndef SORT_H
#define SORT_H

#include <stddef.h>

#include "buf.h"

#define SORT_RECORD_MAX (1 << 18) /* bytes of one */

struct sort;

/*
 * sort_new: begin.
 *
 * memory is how many bytes of records are held at a time.  If there are
 * more, there is a file, whose path begins with prefix.
 */
struct sort *sort_new(const char *prefix, size_t memory);
void sort_free(struct sort *s);

/* Add a record of n bytes, at most SORT_RECORD_MAX.  0 or ERR_LOCAL. */
int sort_add(struct sort *s, const void *p, size_t n);

/*
 * sort_next: after everything was added, the records one by one, in the
 * order of memcmp, shorter ones first.
 *
 * 1 with r borrowed until the next call, 0 at the end, or ERR_LOCAL.
 */
int sort_next(struct sort *s, struct slice *r);

#endif
