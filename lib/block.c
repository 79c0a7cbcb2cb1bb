#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "block.h"

int
block_add(struct buf *b, struct slice record)
{
	uint8_t head[BLOCK_HEAD];

	assert(record.n <= BLOCK_RECORD_MAX);
	for (size_t i = 0; i < BLOCK_HEAD; i++)
		head[i] = (uint8_t)(record.n >> (8 * (BLOCK_HEAD - 1 - i)));
	buf_add(b, head, sizeof head);
	return buf_add(b, record.p, record.n);
}

int
block_next(struct slice *rest, struct slice *record)
{
	size_t n = 0;

	if (rest->n == 0)
		return 0;
	if (rest->n < BLOCK_HEAD)
		return -1;
	for (size_t i = 0; i < BLOCK_HEAD; i++)
		n = n << 8 | (uint8_t)rest->p[i];
	if (n > rest->n - BLOCK_HEAD || n > BLOCK_RECORD_MAX)
		return -1;
	*record = (struct slice){ rest->p + BLOCK_HEAD, n };
	rest->p += BLOCK_HEAD + n;
	rest->n -= BLOCK_HEAD + n;
	return 1;
}

int
block_compare(struct slice a, struct slice b)
{
	int r = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return r != 0 ? r : (a.n > b.n) - (a.n < b.n);
}

int
block_has_key(struct slice record, struct slice key)
{
	return record.n >= key.n && memcmp(record.p, key.p, key.n) == 0;
}

int
block_change(struct buf *out, struct slice block, struct slice key,
    struct slice record)
{
	struct slice r;
	int more, gone = 0;

	while ((more = block_next(&block, &r)) == 1) {
		if (record.p != NULL && block_compare(record, r) <= 0) {
			block_add(out, record);
			record.p = NULL;
		}
		if (block_has_key(r, key))
			gone++;
		else
			block_add(out, r);
	}
	if (record.p != NULL)
		block_add(out, record);
	return more < 0 ? more : gone;
}
