/*
 * Attribute blocks from a stranger.
 *
 * Input: a byte, odd for an encrypted block as base64 and even for what
 * stands behind "MEGA" in one, and the rest.  What can be read has to be
 * written and read again without a change.
 */
#include <stdlib.h>
#include <string.h>

#include "aes.h"
#include "attr.h"
#include "b64.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const uint8_t key[16] = { 1, 2, 3 };

/* Encrypt what follows "MEGA" as base64. */
static void
seal(struct buf *out, const uint8_t *p, size_t n)
{
	size_t len = (n + 4 + 15) / 16 * 16;
	uint8_t *block = calloc(1, len);
	struct aes aes;
	char *to;

	if (block == NULL)
		abort();
	memcpy(block, "MEGA", 4);
	if (n > 0)
		memcpy(block + 4, p, n);
	aes_init(&aes, key);
	aes_cbc_encrypt(&aes, block, block, len);
	if ((to = buf_reserve(out, B64_LEN(len) + 1)) == NULL)
		abort();
	b64_encode(to, block, len);
	out->len += B64_LEN(len);
	free(block);
}

static void
check_same(const struct attr *a, const struct attr *b, const char *name)
{
	size_t alen = 0, blen = 0;
	const char *at = attr_get(a, name, &alen);
	const char *bt = attr_get(b, name, &blen);

	if ((at == NULL) != (bt == NULL) || alen != blen)
		abort();
	if (at != NULL && (memcmp(at, bt, alen) != 0 || at[alen] != '\0'))
		abort();
}

static void
write_again(const struct attr *a)
{
	static const char *const names[] = { "", "n", "c", "t", "fav" };
	struct buf one = BUF_MAX(2 * ATTR_MAX), other = BUF_MAX(2 * ATTR_MAX);
	struct attr b;

	if (attr_seal(a, &one, key) < 0 ||
	    attr_open(&b, one.p, one.len, key) < 0 || a->n != b.n ||
	    attr_seal(&b, &other, key) < 0)
		abort();
	if (one.len != other.len || memcmp(one.p, other.p, one.len) != 0)
		abort();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		check_same(a, &b, names[i]);
	attr_free(&b);
	buf_free(&one);
	buf_free(&other);
}

/* A name goes in and comes out, whatever its bytes are. */
static void
set_name(struct attr *a, const uint8_t *p, size_t n)
{
	struct buf out = BUF_MAX(2 * ATTR_MAX);
	struct attr b;
	const char *got;
	size_t len;

	attr_set(a, "n", (const char *)p, n);
	if (attr_seal(a, &out, key) == 0) {
		if (attr_open(&b, out.p, out.len, key) < 0 ||
		    (got = attr_get(&b, "n", &len)) == NULL || len != n ||
		    memcmp(got, p, n) != 0)
			abort();
		attr_free(&b);
	}
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf text = BUF_MAX(4 * ATTR_MAX);
	struct attr a;

	if (n < 1 || n > ATTR_MAX)
		return 0;
	if (p[0] & 1)
		buf_add(&text, p + 1, n - 1);
	else
		seal(&text, p + 1, n - 1);
	if (attr_open(&a, buf_str(&text), text.len, key) == 0) {
		write_again(&a);
		set_name(&a, p, n);
		attr_strip(&a, p[0] & 2);
	}
	attr_free(&a);
	buf_free(&text);
	return 0;
}
