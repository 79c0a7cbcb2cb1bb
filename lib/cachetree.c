#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "cache_impl.h"
#include "err.h"
#include "mem.h"

/*
 * Two maps of records in blocks, so that a million nodes are some ten
 * thousand rows: nodes in the order in which they are listed, and from
 * handles to where their nodes are in the other.
 *
 * A node's record is its parent, moved up so that none is negative, in 7
 * bytes; its name, a NUL in it written as 0 1, and 0 0 behind it; its handle
 * in 6 bytes; all this is the key; then its data.  A handle's record is the
 * handle, which is the key; then the parent and the name as in the other.
 */
#define PARENT_SIZE 7
#define PARENT_BASE 16  /* CACHE_TOP and its like are above -16 */
#define HANDLE_SIZE 6
#define BLOCK_MAX   3900 /* bytes, so that it lies in a page of 16384 */
#define BLOCK_FILL  3150 /* when built: five fit into a page */

/*
 * A node's data: one value, since SQLite's work grows with the columns.
 * offset  length  meaning
 * 0       6       when it was made, big-endian
 * 6       1       type in the low 3 bits, and the flags below
 * 7       1       length of the key in 16 bytes, and its bytes
 *         1       length of the fingerprint, and its bytes
 *         8       modification time, if flagged
 *         8       owner, if flagged
 *         0 to 8  size, to the end
 */
#define TYPE_MASK  7
#define UNNAMED    8
#define HAS_MTIME  16
#define HAS_OWNER  32
#define TIME_SIZE  6
#define DATA_MAX   (TIME_SIZE + 2 + 32 + 1 + CACHE_C_MAX + 8 + 8 + 8)

static uint8_t *
put_number(uint8_t *p, int64_t v, size_t n)
{
	uint64_t u = (uint64_t)v;

	for (size_t i = n; i > 0; u >>= 8)
		p[--i] = (uint8_t)u;
	return p + n;
}

static int64_t
get_number(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return (int64_t)v;
}

/* The bytes that a number takes. */
static size_t
width(int64_t v)
{
	uint64_t u = (uint64_t)v;
	size_t n = 0;

	for (; u > 0; u >>= 8)
		n++;
	return n;
}

static size_t
pack(uint8_t data[DATA_MAX], const struct cache_node *n)
{
	uint8_t *p = data;
	int64_t created = n->created;

	if (width(created) > TIME_SIZE)
		created = ((int64_t)1 << (8 * TIME_SIZE)) - 1;
	p = put_number(p, created, TIME_SIZE);
	*p++ = (uint8_t)(n->type | (n->unnamed ? UNNAMED : 0) |
	    (n->mtime >= 0 ? HAS_MTIME : 0) | (n->owner != 0 ? HAS_OWNER : 0));
	*p++ = (uint8_t)(n->keylen / 16);
	memcpy(p, n->key, n->keylen);
	p += n->keylen;
	*p++ = (uint8_t)n->clen;
	memcpy(p, n->c, n->clen);
	p += n->clen;
	if (n->mtime >= 0)
		p = put_number(p, n->mtime, 8);
	if (n->owner != 0)
		p = put_number(p, n->owner, 8);
	p = put_number(p, n->size, width(n->size));
	return (size_t)(p - data);
}

/* The next n bytes of data, or NULL. */
static const uint8_t *
take(struct slice *data, size_t n)
{
	const char *at = data->p;

	if (data->n < n)
		return NULL;
	data->p += n;
	data->n -= n;
	return (const uint8_t *)at;
}

/* Take a number if a flag says that there is one. 0 or -1. */
static int
take_number(struct slice *data, int flagged, int64_t *out)
{
	const uint8_t *p;

	if (!flagged)
		return 0;
	if ((p = take(data, 8)) == NULL)
		return -1;
	*out = get_number(p, 8);
	return 0;
}

static int
unpack(struct slice data, struct cache_node *n)
{
	const uint8_t *p;
	int kind;

	if ((p = take(&data, TIME_SIZE + 2)) == NULL)
		return cache_damaged();
	kind = p[TIME_SIZE];
	n->created = get_number(p, TIME_SIZE);
	n->type = kind & TYPE_MASK;
	n->unnamed = (kind & UNNAMED) != 0;
	n->keylen = 16 * (size_t)p[TIME_SIZE + 1];
	n->mtime = -1;
	n->owner = 0;
	if (n->type > 4 || n->keylen > sizeof n->key ||
	    (p = take(&data, n->keylen)) == NULL)
		return cache_damaged();
	memcpy(n->key, p, n->keylen);
	if ((p = take(&data, 1)) == NULL || (n->clen = *p) > sizeof n->c ||
	    (p = take(&data, n->clen)) == NULL)
		return cache_damaged();
	memcpy(n->c, p, n->clen);
	if (take_number(&data, kind & HAS_MTIME, &n->mtime) < 0 ||
	    take_number(&data, kind & HAS_OWNER, &n->owner) < 0 ||
	    data.n > 8)
		return cache_damaged();
	n->size = get_number((const uint8_t *)data.p, data.n);
	return 0;
}

/*
 * Keys.
 */

static void
add_number(struct buf *b, int64_t v, size_t n)
{
	uint8_t bytes[8];

	put_number(bytes, v, n);
	buf_add(b, bytes, n);
}

static void
add_parent(struct buf *b, int64_t parent)
{
	add_number(b, parent + PARENT_BASE, PARENT_SIZE);
}

/* Add a name so that the order of bytes is that of names. */
static void
add_name(struct buf *b, struct slice name)
{
	const char *nul;

	while ((nul = memchr(name.p, '\0', name.n)) != NULL) {
		size_t plain = (size_t)(nul - name.p);

		buf_add(b, name.p, plain);
		buf_add(b, "\0\1", 2);
		name.p += plain + 1;
		name.n -= plain + 1;
	}
	buf_add(b, name.p, name.n);
	buf_add(b, "\0\0", 2);
}

/* The bytes of an escaped name at the front of s, without its end; or -1. */
static ssize_t
name_length(struct slice s, int *escaped)
{
	const char *p = s.p, *end = s.p + s.n, *nul;

	*escaped = 0;
	for (;;) {
		nul = memchr(p, '\0', (size_t)(end - p));
		if (nul == NULL || nul + 1 == end)
			return -1;
		if (nul[1] == '\0')
			return nul - s.p;
		*escaped = 1;
		p = nul + 2;
	}
}

static void
unescape(struct buf *b, struct slice name)
{
	for (size_t i = 0; i < name.n; i++) {
		buf_addch(b, name.p[i]);
		if (name.p[i] == '\0')
			i++;
	}
}

/* The length of a node record's key; 0 if it is damaged. */
static size_t
node_key_length(struct slice record)
{
	struct slice rest = record;
	ssize_t n;
	int escaped;

	if (take(&rest, PARENT_SIZE) == NULL)
		return 0;
	n = name_length(rest, &escaped);
	if (n < 0 || rest.n - (size_t)n - 2 < HANDLE_SIZE)
		return 0;
	return PARENT_SIZE + (size_t)n + 2 + HANDLE_SIZE;
}

static size_t
handle_key_length(struct slice record)
{
	return record.n >= HANDLE_SIZE ? HANDLE_SIZE : 0;
}

/* A node from its record.  Its name borrows from that, or from kept. */
static int
read_node(struct cache *c, struct slice record, struct cache_node *n)
{
	const uint8_t *p = take(&record, PARENT_SIZE);
	ssize_t len;
	int escaped;

	if (p == NULL || (len = name_length(record, &escaped)) < 0)
		return cache_damaged();
	n->parent = get_number(p, PARENT_SIZE) - PARENT_BASE;
	n->name = (struct slice){ record.p, (size_t)len };
	if (escaped) {
		buf_reset(&c->kept);
		unescape(&c->kept, n->name);
		n->name = (struct slice){ c->kept.p, c->kept.len };
	}
	take(&record, (size_t)len + 2);
	if ((p = take(&record, HANDLE_SIZE)) == NULL)
		return cache_damaged();
	n->h = get_number(p, HANDLE_SIZE);
	n->ph = -1;
	n->link_ends = 0;
	return unpack(record, n);
}

/*
 * Maps.
 */
struct map {
	enum cache_sql find, from, put, drop;
	size_t (*key_length)(struct slice record);
};

static const struct map nodes = { SQL_NODE_FIND, SQL_NODE_FROM, SQL_NODE_PUT,
    SQL_NODE_DROP, node_key_length };
static const struct map handles = { SQL_HANDLE_FIND, SQL_HANDLE_FROM,
    SQL_HANDLE_PUT, SQL_HANDLE_DROP, handle_key_length };

static struct slice
slice_of(struct buf *b)
{
	return (struct slice){ buf_str(b), b->len };
}

/* Copy the block of a row. */
static int
copy_block(struct cache *c, sqlite3_stmt *s)
{
	struct slice first = cache_column(s, 0), block = cache_column(s, 1);

	buf_reset(&c->first);
	buf_reset(&c->block);
	buf_add(&c->first, first.p, first.n);
	buf_add(&c->block, block.p, block.n);
	return c->first.over || c->block.over ? cache_damaged() : 0;
}

/*
 * Copy the block that a key belongs into to c->block, what it begins with to
 * c->first.  ERR_NOENT, and both empty, if there is no block.
 */
static int
load_block(struct cache *c, const struct map *m, struct slice key, int any)
{
	int r;
	sqlite3_stmt *s = cache_statement(c, m->find, &r);

	buf_reset(&c->first);
	buf_reset(&c->block);
	if (s == NULL)
		return r;
	cache_bind(s, 1, key);
	r = cache_row(c, s);
	if (r == ERR_NOENT && any) {
		/* It is less than all there are: the first one takes it. */
		if ((s = cache_statement(c, m->from, &r)) == NULL)
			return r;
		cache_bind(s, 1, key);
		r = cache_row(c, s);
	}
	if (r == 0)
		r = copy_block(c, s);
	sqlite3_reset(s);
	return r;
}

/* The record of a key, borrowed from c->block; ERR_NOENT without a text. */
static int
map_get(struct cache *c, const struct map *m, struct slice key,
    struct slice *record)
{
	struct slice rest;
	int r;

	if ((r = load_block(c, m, key, 0)) < 0)
		return r;
	rest = slice_of(&c->block);
	while ((r = block_next(&rest, record)) == 1)
		if (block_has_key(*record, key))
			return 0;
	return r < 0 ? cache_damaged() : ERR_NOENT;
}

static int
put_block(struct cache *c, const struct map *m, struct slice first,
    struct slice block)
{
	int r;
	sqlite3_stmt *s = cache_statement(c, m->put, &r);

	if (s == NULL)
		return r;
	cache_bind(s, 1, first);
	cache_bind(s, 2, block);
	return cache_run(c, s);
}

static int
drop_block(struct cache *c, const struct map *m, struct slice first)
{
	int r;
	sqlite3_stmt *s = cache_statement(c, m->drop, &r);

	if (s == NULL)
		return r;
	cache_bind(s, 1, first);
	return cache_run(c, s);
}

/* Write c->change, of two records or more, as several blocks; the first one
 * keeps its key. */
static int
split_block(struct cache *c, const struct map *m, struct slice first)
{
	struct slice rest = slice_of(&c->change), record, piece = rest, peek;
	size_t target = c->change.len / 2;
	int more, r;

	if (target > BLOCK_FILL)
		target = BLOCK_FILL;
	while ((more = block_next(&rest, &record)) == 1) {
		size_t len = (size_t)(rest.p - piece.p);

		if (len < target && rest.n > 0)
			continue;
		if ((r = put_block(c, m, first, (struct slice){ piece.p,
		    len })) < 0)
			return r;
		piece = peek = rest;
		if (block_next(&peek, &first) == 1)
			first.n = m->key_length(first);
	}
	return more < 0 ? cache_damaged() : 0;
}

/*
 * Put a record into the map (if its p is not NULL) and take out that which
 * had its key.
 */
static int
map_change(struct cache *c, const struct map *m, struct slice key,
    struct slice record)
{
	struct slice first;
	int gone, r;

	r = load_block(c, m, key, record.p != NULL);
	if (r < 0 && r != ERR_NOENT)
		return r;
	buf_reset(&c->change);
	gone = block_change(&c->change, slice_of(&c->block), key, record);
	if (gone < 0 || c->change.over)
		return cache_damaged();
	if (gone == 0 && record.p == NULL)
		return 0;
	first = slice_of(&c->first);
	if (r == ERR_NOENT || block_compare(key, first) < 0) {
		if (r == 0 && (r = drop_block(c, m, first)) < 0)
			return r;
		first = key;
	}
	if (c->change.len == 0)
		return drop_block(c, m, first);
	if (c->change.len > BLOCK_MAX)
		return split_block(c, m, first);
	return put_block(c, m, first, slice_of(&c->change));
}

static const struct slice nothing = { NULL, 0 };

/* Where the node of a handle is: the key of its record, in c->key. */
static int
find_place(struct cache *c, int64_t h)
{
	struct slice record;
	uint8_t key[HANDLE_SIZE];
	int r;

	put_number(key, h, HANDLE_SIZE);
	if ((r = map_get(c, &handles, (struct slice){ (const char *)key,
	    sizeof key }, &record)) < 0)
		return r;
	take(&record, HANDLE_SIZE);
	buf_reset(&c->key);
	buf_add(&c->key, record.p, record.n);
	buf_add(&c->key, key, sizeof key);
	return 0;
}

/*
 * Building.  What is put is sorted before it is written, so that blocks are
 * written once, in order.
 */

struct builder {
	struct cache *c;
	const struct map *m;
	struct buf block, last; /* last: the record that came last */
};

static int
builder_flush(struct builder *b)
{
	struct slice rest = slice_of(&b->block), first;
	int r = 0;

	if (block_next(&rest, &first) == 1) {
		first.n = b->m->key_length(first);
		r = put_block(b->c, b->m, first, slice_of(&b->block));
	}
	buf_reset(&b->block);
	return r;
}

/* Add a record, which comes in order.  1 if its key has been there. */
static int
builder_add(struct builder *b, struct slice record)
{
	struct slice key = { record.p, b->m->key_length(record) };
	int r;

	if (b->last.len > 0 && block_has_key(slice_of(&b->last), key))
		return 1;
	buf_reset(&b->last);
	buf_add(&b->last, record.p, record.n);
	if (b->block.len + BLOCK_HEAD + record.n > BLOCK_FILL &&
	    (r = builder_flush(b)) < 0)
		return r;
	return block_add(&b->block, record);
}

/* What a handle's record holds, made from the node's. */
static void
handle_record(struct buf *out, struct slice node)
{
	size_t n = node_key_length(node) - HANDLE_SIZE;

	buf_reset(out);
	buf_add(out, node.p + n, HANDLE_SIZE);
	buf_add(out, node.p, n);
}

static int
build_nodes(struct builder *b, struct sort *by_handle)
{
	struct buf *h = &b->c->record;
	struct slice r;
	int e;

	while ((e = sort_next(b->c->nodes, &r)) == 1) {
		if ((e = builder_add(b, r)) < 0)
			return e;
		if (e == 1)
			continue;
		handle_record(h, r);
		if ((e = sort_add(by_handle, h->p, h->len)) < 0)
			return e;
	}
	return e < 0 ? e : builder_flush(b);
}

/* The same handle once more, at another place: that one goes. */
static int
drop_duplicate(struct cache *c, struct slice record)
{
	const uint8_t *h = take(&record, HANDLE_SIZE);

	buf_reset(&c->key);
	buf_add(&c->key, record.p, record.n);
	buf_add(&c->key, h, HANDLE_SIZE);
	return map_change(c, &nodes, slice_of(&c->key), nothing);
}

static int
build_handles(struct builder *b, struct sort *by_handle)
{
	struct slice r;
	int e;

	while ((e = sort_next(by_handle, &r)) == 1) {
		e = builder_add(b, r);
		if (e == 1)
			e = drop_duplicate(b->c, r);
		if (e < 0)
			return e;
	}
	return e < 0 ? e : builder_flush(b);
}

static int
build(struct cache *c, const struct map *m, struct sort *by_handle,
    int (*fn)(struct builder *b, struct sort *by_handle))
{
	struct builder b = { .c = c, .m = m, .block = BUF_MAX(CACHE_BLOCK_MAX),
	    .last = BUF_MAX(BLOCK_RECORD_MAX) };
	int r = fn(&b, by_handle);

	buf_free(&b.block);
	buf_free(&b.last);
	return r;
}

int
cache_sort(struct cache *c)
{
	struct sort *by_handle;
	int r;

	if (c->nodes == NULL)
		return 0;
	by_handle = sort_new(c->prefix, CACHE_SORT_MEMORY);
	r = build(c, &nodes, by_handle, build_nodes);
	sort_free(c->nodes);
	c->nodes = NULL;
	if (r == 0)
		r = build(c, &handles, by_handle, build_handles);
	sort_free(by_handle);
	return r;
}

/* A node's record in c->record; the length of its key. */
static size_t
node_record(struct cache *c, const struct cache_node *n)
{
	uint8_t data[DATA_MAX];
	size_t len = pack(data, n), key;

	buf_reset(&c->record);
	add_parent(&c->record, n->parent);
	add_name(&c->record, n->name);
	add_number(&c->record, n->h, HANDLE_SIZE);
	key = c->record.len;
	buf_add(&c->record, data, len);
	return key;
}

/* Replace what there is of a node by c->record. */
static int
replace_node(struct cache *c, size_t keylen, int64_t h)
{
	struct slice record = slice_of(&c->record), key = { record.p, keylen };
	int r;

	r = find_place(c, h);
	if (r < 0 && r != ERR_NOENT)
		return r;
	if (r == 0 && (c->key.len != keylen ||
	    memcmp(c->key.p, key.p, keylen) != 0)) {
		if ((r = map_change(c, &nodes, slice_of(&c->key),
		    nothing)) < 0)
			return r;
		r = ERR_NOENT;
	}
	/* The handle's record first: the node's is in c->record. */
	if (r == ERR_NOENT) {
		struct slice at;

		handle_record(&c->key, record);
		at = slice_of(&c->key);
		if ((r = map_change(c, &handles, (struct slice){ at.p,
		    HANDLE_SIZE }, at)) < 0)
			return r;
	}
	return map_change(c, &nodes, key, record);
}

int
cache_put(struct cache *c, const struct cache_node *n)
{
	size_t keylen = node_record(c, n);

	if (buf_check(&c->record) < 0)
		return ERR_TOOBIG;
	if (c->nodes != NULL)
		return sort_add(c->nodes, c->record.p, c->record.len);
	return replace_node(c, keylen, n->h);
}

/*
 * Reading.
 */

static int
add_link(struct cache *c, struct cache_node *n)
{
	int r;
	sqlite3_stmt *s = cache_statement(c, SQL_LINK_GET, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, n->h);
	r = cache_row(c, s);
	if (r == 0) {
		n->ph = sqlite3_column_int64(s, 0);
		n->link_ends = sqlite3_column_int64(s, 1);
	}
	sqlite3_reset(s);
	return r == ERR_NOENT ? 0 : r;
}

int
cache_get(struct cache *c, int64_t h, struct cache_node *n)
{
	struct slice record;
	int r;

	if ((r = find_place(c, h)) < 0 ||
	    (r = map_get(c, &nodes, slice_of(&c->key), &record)) < 0 ||
	    (r = read_node(c, record, n)) < 0)
		return r;
	return add_link(c, n);
}

/* Begin a cursor at the key that it has. */
static int
cursor_open(struct cache_cursor *cur)
{
	struct cache *c = cur->cache;
	sqlite3_stmt *s = cur->stmt;
	int r;

	if (s == NULL) {
		s = c->cursor_busy ? cache_prepare(c, SQL_NODE_FROM, &r) :
		    cache_statement(c, SQL_NODE_FROM, &r);
		if (s == NULL)
			return r;
		c->cursor_busy |= s == c->stmt[SQL_NODE_FROM];
		cur->stmt = s;
	}
	sqlite3_reset(s);
	cache_bind(s, 1, slice_of(&cur->key));
	cur->rest = nothing;
	return 0;
}

/* Whether any node has a public link. */
static int
links_exist(struct cache *c)
{
	int r;
	sqlite3_stmt *s = cache_statement(c, SQL_LINK_ANY, &r);

	if (s == NULL)
		return r;
	r = cache_row(c, s);
	sqlite3_reset(s);
	return r == ERR_NOENT ? 0 : r < 0 ? r : 1;
}

int
cache_children(struct cache *c, struct cache_cursor *cur, int64_t parent,
    const char *name, size_t n, int64_t h)
{
	cur->cache = c;
	if (cur->key.max == 0)
		buf_init(&cur->key, BLOCK_RECORD_MAX);
	buf_reset(&cur->key);
	add_parent(&cur->key, parent);
	cur->behind = name != NULL;
	if (name != NULL) {
		add_name(&cur->key, (struct slice){ name, n });
		add_number(&cur->key, h, HANDLE_SIZE);
	}
	if ((cur->links = links_exist(c)) < 0)
		return cur->links;
	return cursor_open(cur);
}

/* The next record, of any parent: 1, or 0 at the end. */
static int
next_record(struct cache_cursor *cur, struct slice *record)
{
	int r;

	while ((r = block_next(&cur->rest, record)) == 0) {
		r = cache_row(cur->cache, cur->stmt);
		if (r < 0)
			return r == ERR_NOENT ? 0 : r;
		cur->rest = cache_column(cur->stmt, 1);
	}
	return r < 0 ? cache_damaged() : 1;
}

/* The next record that begins as the cursor's key does in n bytes, behind
 * the key: 1, or 0 at the end. */
static int
next_below(struct cache_cursor *cur, size_t n, struct slice *record)
{
	struct slice key = slice_of(&cur->key), prefix = { key.p, n };
	int r;

	do {
		if ((r = next_record(cur, record)) <= 0)
			return r;
	} while (block_compare(*record, key) < 0 ||
	    (cur->behind && block_has_key(*record, key)));
	return block_has_key(*record, prefix);
}

int
cache_next(struct cache_cursor *cur, struct cache_node *n)
{
	struct slice record;
	int r;

	if ((r = next_below(cur, PARENT_SIZE, &record)) <= 0)
		return r;
	if ((r = read_node(cur->cache, record, n)) == 0 && cur->links)
		r = add_link(cur->cache, n);
	return r < 0 ? r : 1;
}

void
cache_done(struct cache_cursor *cur)
{
	buf_free(&cur->key);
	if (cur->stmt == NULL)
		return;
	if (cur->stmt == cur->cache->stmt[SQL_NODE_FROM]) {
		sqlite3_reset(cur->stmt);
		cur->cache->cursor_busy = 0;
	} else {
		sqlite3_finalize(cur->stmt);
	}
	cur->stmt = NULL;
}

int
cache_child(struct cache *c, int64_t parent, const char *name, size_t len,
    struct cache_node *n)
{
	struct cache_cursor cur = { .cache = c,
	    .key = BUF_MAX(BLOCK_RECORD_MAX) };
	struct cache_node one;
	struct slice record;
	int found = 0, r;

	add_parent(&cur.key, parent);
	add_name(&cur.key, (struct slice){ name, len });
	if ((r = buf_check(&cur.key)) == 0)
		r = cursor_open(&cur);
	while (r == 0 &&
	    (r = next_below(&cur, cur.key.len, &record)) == 1) {
		r = read_node(c, record, &one);
		if (r == 0 && (!found || one.created >= n->created)) {
			/* Those of one time come by handle. */
			*n = one;
			found = 1;
		}
	}
	cache_done(&cur);
	if (r < 0)
		return r;
	if (!found)
		return ERR_NOENT;
	/* The name outlives the cursor. */
	buf_reset(&c->kept);
	buf_add(&c->kept, name, len);
	n->name = slice_of(&c->kept);
	return add_link(c, n);
}

/*
 * Removing.
 */

/* Handles of nodes that are to be removed. */
struct doomed {
	int64_t *h;
	size_t n, cap;
};

static void
doom(struct doomed *d, int64_t h)
{
	if (d->n == d->cap) {
		d->cap = d->cap == 0 ? 64 : 2 * d->cap;
		d->h = xreallocarray(d->h, d->cap, sizeof *d->h);
	}
	d->h[d->n++] = h;
}

static int
doom_children(struct cache *c, struct doomed *d, int64_t h)
{
	struct cache_cursor cur = { 0 };
	struct cache_node n;
	int r;

	if ((r = cache_children(c, &cur, h, NULL, 0, 0)) == 0)
		while ((r = cache_next(&cur, &n)) == 1)
			doom(d, n.h);
	cache_done(&cur);
	return r;
}

/* Remove the node whose key is in c->key, and what is known about it. */
static int
remove_one(struct cache *c, int64_t h)
{
	static const enum cache_sql others[] = { SQL_RAW_DROP, SQL_LINK_DROP,
	    SQL_SHARE_END, SQL_INSHARE_DROP };
	uint8_t key[HANDLE_SIZE];
	int r;

	put_number(key, h, HANDLE_SIZE);
	if ((r = map_change(c, &nodes, slice_of(&c->key), nothing)) < 0 ||
	    (r = map_change(c, &handles, (struct slice){ (const char *)key,
	    sizeof key }, nothing)) < 0)
		return r;
	for (size_t i = 0; i < sizeof others / sizeof *others && r == 0; i++)
		r = cache_run_number(c, others[i], h);
	return r;
}

/* A node in a cycle that a stranger made is gone when it is met again. */
static int
remove_all(struct cache *c, int64_t h)
{
	struct doomed d = { 0 };
	int r = 0;

	doom(&d, h);
	while (r == 0 && d.n > 0) {
		h = d.h[--d.n];
		r = find_place(c, h);
		if (r == 0 && (r = doom_children(c, &d, h)) == 0)
			r = remove_one(c, h);
		if (r == ERR_NOENT)
			r = 0;
	}
	free(d.h);
	return r;
}

/* Give what is below a node (a file has one older version) its parent. */
static int
relink(struct cache *c, int64_t h)
{
	struct doomed children = { 0 };
	struct cache_node n;
	int64_t above;
	int r;

	if ((r = cache_get(c, h, &n)) < 0)
		return r;
	above = n.parent;
	r = doom_children(c, &children, h);
	while (r == 0 && children.n > 0) {
		r = cache_get(c, children.h[--children.n], &n);
		n.parent = above;
		if (r == 0)
			r = cache_put(c, &n);
	}
	free(children.h);
	return r;
}

int
cache_delete(struct cache *c, int64_t h, int only)
{
	int r;

	if (only && (r = relink(c, h)) < 0)
		return r == ERR_NOENT ? 0 : r;
	return remove_all(c, h);
}

/* Put one shared folder where it belongs. */
static int
place_inshare(struct cache *c, int64_t h, int64_t parent)
{
	struct cache_node n;
	int r = parent != h && parent >= 0 ? cache_get(c, parent, &n) :
	    ERR_NOENT;

	if (r == ERR_NOENT)
		parent = CACHE_SHARED;
	else if (r < 0)
		return r;
	if ((r = cache_get(c, h, &n)) < 0)
		return r == ERR_NOENT ? 0 : r;
	if (n.parent == parent)
		return 0;
	n.parent = parent;
	return cache_put(c, &n);
}

int
cache_place_inshares(struct cache *c)
{
	int64_t h = -1, parent = -1;
	int r;

	while ((r = cache_next_inshare(c, &h, &parent)) == 1)
		if ((r = place_inshare(c, h, parent)) < 0)
			return r;
	return r;
}
