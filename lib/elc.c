#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "aescbc.h"
#include "b64.h"
#include "elc.h"
#include "err.h"
#include "json.h"
#include "mem.h"
#include "secret.h"

#define BLOCK AESCBC_BLOCK_SIZE
#define GZIP  0x70
#define RAW   0xb9
#define PIECE 16384 /* gunzipped at a time */

/* Added to zlib's window bits: a gzip header and trailer. */
#define ZLIB_GZIP (15 + 16)

static int
is_word(struct slice s, const char *word)
{
	return s.n == strlen(word) && memcmp(s.p, word, s.n) == 0;
}

/* Reading. */

static int
inflate_all(struct buf *out, z_stream *z)
{
	void *to;
	int r;

	do {
		size_t room = out->max - out->len;

		if (room > PIECE)
			room = PIECE;
		if (room == 0 || (to = buf_reserve(out, room)) == NULL)
			return err_set(ERR_TOOBIG, "unpacks to more than %zu "
			    "bytes", out->max);
		z->next_out = to;
		z->avail_out = (uInt)room;
		r = inflate(z, Z_NO_FLUSH);
		out->len += room - z->avail_out;
	} while (r == Z_OK);
	/* The end was reached only if CRC and length were right, too. */
	return r == Z_STREAM_END ? 0 :
	    err_set(ERR_PROTO, "its gzip data are damaged");
}

static int
gunzip(struct buf *out, const char *p, size_t n)
{
	z_stream z = { .next_in = (const Bytef *)p, .avail_in = (uInt)n };
	int r;

	if (inflateInit2(&z, ZLIB_GZIP) != Z_OK)
		return err_set(ERR_LOCAL, "zlib does not start");
	r = inflate_all(out, &z);
	inflateEnd(&z);
	return r;
}

/* The next field of a record, behind a length of size bytes. */
static int
field(struct slice *rest, struct slice *f, size_t size, uint32_t max)
{
	uint32_t n = 0;

	if (rest->n < size)
		return -1;
	for (size_t i = 0; i < size; i++)
		n |= (uint32_t)(uint8_t)rest->p[i] << 8 * i;
	rest->p += size;
	rest->n -= size;
	if (n > max || n > rest->n)
		return -1;
	*f = (struct slice){ rest->p, n };
	rest->p += n;
	rest->n -= n;
	return 0;
}

/* A token is any text that can travel in a form. */
static int
is_token(struct slice t)
{
	for (size_t i = 0; i < t.n; i++)
		if ((unsigned char)t.p[i] < ' ' || t.p[i] == 0x7f)
			return 0;
	return t.n > 0 && json_utf8(t.p, t.n);
}

/* Split the record.  What follows it is ignored, as everybody does. */
static int
split(struct elc *e)
{
	struct slice rest = { e->record.p, e->record.len };

	if (field(&rest, &e->block, 4, INT32_MAX) < 0 ||
	    field(&rest, &e->url, 2, ELC_FIELD_MAX) < 0 ||
	    field(&rest, &e->token, 2, ELC_FIELD_MAX) < 0)
		return err_set(ERR_PROTO, "incomplete, or no container");
	if (e->block.n % BLOCK != 0)
		return err_set(ERR_PROTO, "%zu bytes of links are not whole "
		    "blocks", e->block.n);
	if (!elc_is_serverless(e) && !megalink_server_url(e->url))
		return err_set(ERR_PROTO, "names no server");
	if (!is_token(e->token))
		return err_set(ERR_PROTO, "holds no token");
	return 0;
}

int
elc_read(struct elc *e, struct slice body)
{
	struct buf b = BUF_MAX(ELC_BYTES_MAX);
	int r;

	*e = (struct elc){ .record = BUF_MAX(ELC_RECORD_MAX) };
	if ((r = megalink_base64(&b, body)) < 0)
		goto out;
	if (b.len > 0 && (uint8_t)b.p[0] == GZIP)
		r = gunzip(&e->record, b.p + 1, b.len - 1);
	else if (b.len > 0 && (uint8_t)b.p[0] == RAW)
		r = buf_add(&e->record, b.p + 1, b.len - 1);
	else
		r = err_set(ERR_PROTO, "not a container");
	if (r == 0)
		r = split(e);
out:
	if (r < 0)
		elc_free(e);
	buf_wipe(&b);
	return r;
}

void
elc_free(struct elc *e)
{
	buf_wipe(&e->record);
	*e = (struct elc){ .record = BUF_MAX(ELC_RECORD_MAX) };
}

int
elc_is_serverless(const struct elc *e)
{
	return is_word(e->url, "HIDDEN") || is_word(e->url, "REVERSE");
}

int
elc_own_key(const struct elc *e, uint8_t key[ELC_KEY_SIZE])
{
	char text[ELC_KEY_TEXT - 1];
	size_t n = sizeof text;

	if (e->token.n != n)
		return err_set(ERR_PROTO, "no key in a container that should "
		    "hold its own");
	for (size_t i = 0; i < n; i++)
		text[i] = e->token.p[n - 1 - i];
	return elc_key_read(key, (struct slice){ text, n });
}

int
elc_key_read(uint8_t key[ELC_KEY_SIZE], struct slice text)
{
	struct buf b = BUF_MAX(4096);
	int r = -1;

	if (text.p != NULL && megalink_base64(&b, text) == 0 &&
	    b.len >= ELC_KEY_SIZE) {
		memcpy(key, b.p, ELC_KEY_SIZE);
		r = 0;
	}
	buf_wipe(&b);
	return r == 0 ? 0 : err_set(ERR_PROTO, "not a container's key");
}

char *
elc_key_write(char out[ELC_KEY_TEXT], const uint8_t key[ELC_KEY_SIZE])
{
	b64_encode(out, key, ELC_KEY_SIZE);
	for (char *p = out; *p != '\0'; p++)
		if (*p == '-')
			*p = '+';
		else if (*p == '_')
			*p = '/';
	return out;
}

/* The links. */

static void
block_iv(uint8_t iv[BLOCK], const uint8_t key[ELC_KEY_SIZE])
{
	memset(iv, 0, BLOCK);
	memcpy(iv, key + 16, ELC_KEY_SIZE - 16);
}

/* The next entry that is not blank: 1, or 0 at the end. */
static int
next_entry(struct slice *rest, struct slice *entry)
{
	static const char blanks[] = " \t\r\n";

	while (rest->n > 0) {
		const char *bar = memchr(rest->p, '|', rest->n);
		size_t n = bar != NULL ? (size_t)(bar - rest->p) : rest->n;

		*entry = (struct slice){ rest->p, n };
		n += bar != NULL;
		rest->p += n;
		rest->n -= n;
		while (entry->n > 0 &&
		    memchr(blanks, *entry->p, sizeof blanks - 1) != NULL) {
			entry->p++;
			entry->n--;
		}
		while (entry->n > 0 && memchr(blanks,
		    entry->p[entry->n - 1], sizeof blanks - 1) != NULL)
			entry->n--;
		if (entry->n > 0)
			return 1;
	}
	return 0;
}

/* How many entries are links; *all counts every entry. */
static size_t
count_links(struct slice text, size_t *all)
{
	struct slice entry;
	struct megalink l;
	size_t good = 0;

	*all = 0;
	while (next_entry(&text, &entry)) {
		good += megalink_parse(&l, entry.p, entry.n) == 0;
		++*all;
	}
	secret_zero(&l, sizeof l);
	return good;
}

static int
each_link(struct slice text, int (*each)(void *, const struct megalink *),
    void *ctx)
{
	struct slice entry;
	struct megalink l;
	int r = 0;

	while (r == 0 && next_entry(&text, &entry))
		if (megalink_parse(&l, entry.p, entry.n) == 0)
			r = each(ctx, &l);
	secret_zero(&l, sizeof l);
	return r;
}

int
elc_links(const struct elc *e, const uint8_t key[ELC_KEY_SIZE],
    int (*each)(void *, const struct megalink *), void *ctx)
{
	uint8_t iv[BLOCK], *plain = xmalloc(e->block.n);
	const uint8_t *end;
	struct slice text = { (const char *)plain, e->block.n };
	size_t good, all;
	int r;

	block_iv(iv, key);
	memcpy(plain, e->block.p, e->block.n);
	aescbc_decrypt(key, AESCBC_BLOCK_SIZE, iv, plain, plain, e->block.n);
	if ((end = memchr(plain, 0, e->block.n)) != NULL)
		text.n = (size_t)(end - plain);
	good = count_links(text, &all);
	if (good == 0 && e->block.n > 0) {
		r = err_set(ERR_MAC, "the key gives no link; it is another "
		    "container's");
		goto out;
	}
	r = each_link(text, each, ctx);
	if (r == 0 && good < all)
		r = err_set(ERR_PROTO, "%zu of %zu entries are no links to "
		    "files or folders", all - good, all);
out:
	secret_zero(iv, sizeof iv);
	secret_zero(plain, e->block.n);
	free(plain);
	return r;
}

/* Texts. */

/* Whether text looks like a container without "mega://elc?" before it. */
static int
is_bare(struct slice text)
{
	/* 0xb9 and any byte, or 0x70 and the head of a gzip member. */
	if (text.n < 12 || !(text.p[0] == 'u' ? (text.p[1] >= 'Q' &&
	    text.p[1] <= 'Z') || (text.p[1] >= 'a' && text.p[1] <= 'f') :
	    memcmp(text.p, "cB-LCA", 6) == 0 ||
	    memcmp(text.p, "cB+LCA", 6) == 0))
		return 0;
	for (size_t i = 0; i < text.n; i++)
		if (!b64_valid(text.p + i, 1) &&
		    memchr("+/,=", text.p[i], 4) == NULL)
			return 0;
	return 1;
}

void
elc_text_init(struct elc_text *t,
    void (*link)(void *, const struct megalink_found *), void *ctx)
{
	*t = (struct elc_text){ .link = link, .ctx = ctx, .line = 1,
	    .word = BUF_MAX(MEGALINK_WORD_MAX),
	    .first = BUF_MAX(MEGALINK_WORD_MAX) };
}

static void
text_word(struct elc_text *t)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct slice rest = { t->word.p, t->word.len };
	struct megalink_found f;

	if (t->words++ == 0) {
		if (rest.n >= 3 && memcmp(rest.p, bom, 3) == 0) {
			rest.p += 3;
			rest.n -= 3;
		}
		if (is_bare(rest))
			buf_add(&t->first, rest.p, rest.n);
	}
	while (megalink_find(&rest, &f)) {
		t->links++;
		t->link(t->ctx, &f);
	}
}

/* A blank has come. */
static void
text_break(struct elc_text *t)
{
	if (t->word.over)
		t->link(t->ctx, NULL);
	else if (t->word.len > 0)
		text_word(t);
	buf_reset(&t->word);
}

void
elc_text_feed(struct elc_text *t, const char *p, size_t n)
{
	const char *end = p + n, *from;

	while (p < end) {
		for (from = p; p < end && (unsigned char)*p > ' '; p++)
			continue;
		/* Of a word that is too long the rest is not kept. */
		if (!t->word.over)
			buf_add(&t->word, from, (size_t)(p - from));
		if (p == end)
			return;
		text_break(t);
		t->line += *p++ == '\n';
	}
}

void
elc_text_end(struct elc_text *t)
{
	struct slice all;

	text_break(t);
	all = (struct slice){ t->first.p, t->first.len };
	if (t->words == 1 && t->links == 0 && all.n > 0) {
		t->line = 1;
		t->links = 1;
		t->link(t->ctx, &(struct megalink_found){ MEGALINK_ELC, all,
		    all });
	}
	buf_wipe(&t->word);
	buf_wipe(&t->first);
}

/* Writing. */

int
elc_add(struct buf *links, const struct megalink *l)
{
	size_t was = links->len;
	int r;

	if (was > 0)
		buf_addch(links, '|');
	if ((r = megalink_relative(links, l)) < 0)
		links->len = was;
	return r;
}

static void
add_length(struct buf *b, size_t n, int size)
{
	for (int i = 0; i < size; i++, n >>= 8)
		buf_addch(b, (int)(n & 0xff));
}

static int
add_field(struct buf *b, const char *text)
{
	size_t n = strlen(text);

	if (n > ELC_FIELD_MAX)
		return err_set(ERR_TOOBIG, "URL or token of over %d bytes",
		    ELC_FIELD_MAX);
	add_length(b, n, 2);
	return buf_add(b, text, n);
}

static int
add_block(struct buf *b, const struct buf *links,
    const uint8_t key[ELC_KEY_SIZE])
{
	size_t n = (links->len + BLOCK - 1) / BLOCK * BLOCK;
	uint8_t iv[BLOCK], *to;

	add_length(b, n, 4);
	if ((to = buf_reserve(b, n)) == NULL)
		return ERR_TOOBIG;
	if (n == 0)
		return 0;
	memset(to, 0, n);
	memcpy(to, links->p, links->len);
	block_iv(iv, key);
	aescbc_encrypt(key, AESCBC_BLOCK_SIZE, iv, to, to, n);
	b->len += n;
	return 0;
}

/* The token of a serverless container: its key's base64 backwards. */
static void
own_token(char out[ELC_KEY_TEXT], const uint8_t key[ELC_KEY_SIZE])
{
	char text[ELC_KEY_TEXT];
	size_t n = sizeof text - 1;

	elc_key_write(text, key);
	for (size_t i = 0; i < n; i++)
		out[i] = text[n - 1 - i];
	out[n] = '\0';
	secret_zero(text, sizeof text);
}

/* Add the gzipped record to out if that is shorter: 1, or 0 if it is not. */
static int
gzip(struct buf *out, const struct buf *record)
{
	z_stream z = { .next_in = (const Bytef *)record->p,
	    .avail_in = (uInt)record->len };
	uint8_t *to;
	int r;

	if (record->len < 2 ||
	    (to = buf_reserve(out, record->len - 1)) == NULL ||
	    deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, ZLIB_GZIP, 9,
	    Z_DEFAULT_STRATEGY) != Z_OK)
		return 0;
	z.next_out = to;
	z.avail_out = (uInt)record->len - 1;
	r = deflate(&z, Z_FINISH);
	deflateEnd(&z);
	if (r != Z_STREAM_END)
		return 0;
	out->len += record->len - 1 - z.avail_out;
	return 1;
}

static int
write_text(struct buf *out, const struct buf *bytes, int bare)
{
	size_t n = B64_LEN(bytes->len);
	char *to;

	if (!bare)
		buf_addstr(out, "mega://elc?");
	/* b64_encode adds a NUL, for which a buffer always has room. */
	if ((to = buf_reserve(out, n)) == NULL)
		return ERR_TOOBIG;
	b64_encode(to, bytes->p, bytes->len);
	out->len += n;
	return 0;
}

int
elc_write(struct buf *out, const struct buf *links,
    const uint8_t key[ELC_KEY_SIZE], const char *url, const char *token,
    int bare)
{
	struct buf record = BUF_MAX(ELC_BYTES_MAX - 1);
	struct buf bytes = BUF_MAX(ELC_BYTES_MAX);
	char own[ELC_KEY_TEXT];
	int r;

	own_token(own, key);
	if ((r = add_block(&record, links, key)) < 0 ||
	    (r = add_field(&record, url != NULL ? url : "HIDDEN")) < 0 ||
	    (r = add_field(&record, url != NULL ? token : own)) < 0)
		goto out;
	buf_addch(&bytes, GZIP);
	if (!gzip(&bytes, &record)) {
		buf_reset(&bytes);
		buf_addch(&bytes, RAW);
		buf_add(&bytes, record.p, record.len);
	}
	if ((r = buf_check(&bytes)) == 0)
		r = write_text(out, &bytes, bare);
out:
	secret_zero(own, sizeof own);
	buf_wipe(&record);
	buf_wipe(&bytes);
	return r;
}
