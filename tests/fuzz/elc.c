/* A container, as base64 text and (where the first byte is even) as the bytes
 * that base64 would have given. */

#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "elc.h"
#include "mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
add(void *ctx, const struct megalink *l)
{
	/* A node selected in a folder can be read but not written. */
	elc_add(ctx, l);
	return 0;
}

/* What was read is the same once written and read again. */
static void
rewrite(const struct elc *e, const uint8_t key[ELC_KEY_SIZE])
{
	struct buf links = BUF_MAX(ELC_BYTES_MAX), again = BUF_MAX(ELC_BYTES_MAX);
	struct buf out = BUF_MAX(2 << 20);
	struct elc f;

	elc_links(e, key, add, &links);
	if (elc_write(&out, &links, key, "http://h/", "t", 1) == 0) {
		if (elc_read(&f, (struct slice){ out.p, out.len }) < 0 ||
		    elc_links(&f, key, add, &again) < 0 ||
		    links.len != again.len || (links.len > 0 &&
		    memcmp(links.p, again.p, links.len) != 0))
			abort();
		elc_free(&f);
	}
	buf_free(&links);
	buf_free(&again);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice body = { (const char *)data, size };
	uint8_t key[ELC_KEY_SIZE];
	struct elc e;
	char *text = NULL;

	if (size > 0 && data[0] % 2 == 0) {
		text = xmalloc(B64_LEN(size) + 1);
		b64_encode(text, data + 1, size - 1);
		body = (struct slice){ text, strlen(text) };
	}
	if (elc_read(&e, body) == 0) {
		for (size_t i = 0; i < sizeof key; i++)
			key[i] = (uint8_t)(0x10 + i);
		if (elc_is_serverless(&e))
			elc_own_key(&e, key);
		rewrite(&e, key);
		elc_free(&e);
	}
	free(text);
	return 0;
}
