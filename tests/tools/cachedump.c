/*
 * cachedump PLACE: all nodes of a cache that hang on its roots, one a line,
 * in no order: handle, parent, type, size, time of creation, of modification,
 * name (base64), wrapped key, fingerprint, public handle, wrapped share key
 * if it is shared, attributes if they are kept apart; "-" for what is not.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "cache.h"
#include "mem.h"
#include "node.h"

struct key {
	int64_t h;
	uint8_t key[16];
};

static struct key *keys;
static size_t nkeys;

/* Handles of which the children are still to come. */
static int64_t *todo;
static size_t ntodo;

static void
take_key(void *ctx, int64_t h, const uint8_t *key)
{
	(void)ctx;
	keys = xreallocarray(keys, nkeys + 1, sizeof *keys);
	keys[nkeys].h = h;
	memcpy(keys[nkeys++].key, key, sizeof keys->key);
}

static const uint8_t *
share_key(struct cache *c, int64_t h)
{
	if (cache_is_shared(c, h) == 1)
		for (size_t i = 0; i < nkeys; i++)
			if (keys[i].h == h)
				return keys[i].key;
	return NULL;
}

static void
print(const void *p, size_t n)
{
	char *text = xmalloc(B64_LEN(n) + 1);

	printf(" %s", p == NULL || n == 0 ? "-" : b64_encode(text, p, n));
	free(text);
}

static void
print_node(struct cache *c, const struct cache_node *n)
{
	struct cache_raw raw = { 0 };
	char h[9];

	printf("%s", node_handle(h, n->h));
	printf(" %s %d %" PRId64 " %" PRId64 " %" PRId64,
	    n->parent < 0 ? "-" : node_handle(h, n->parent), n->type, n->size,
	    n->created, n->mtime);
	print(n->name.p, n->name.n);
	print(n->key, n->keylen);
	print(n->c, n->clen);
	printf(" %s", n->ph < 0 ? "-" : node_handle(h, n->ph));
	print(share_key(c, n->h), 16);
	if (cache_get_raw(c, n->h, &raw) == 0 && raw.a.p != NULL)
		printf(" %.*s\n", (int)raw.a.n, raw.a.p);
	else
		printf(" -\n");
}

static int
print_children(struct cache *c, int64_t h)
{
	struct cache_cursor cur = { 0 };
	struct cache_node n;
	int r = cache_children(c, &cur, h, NULL, 0, 0);

	while (r == 0 && (r = cache_next(&cur, &n)) == 1) {
		print_node(c, &n);
		todo = xreallocarray(todo, ntodo + 1, sizeof *todo);
		todo[ntodo++] = n.h;
		r = 0;
	}
	cache_done(&cur);
	return r;
}

int
main(int argc, char *argv[])
{
	struct cache *c;
	int r;

	if (argc != 2 || cache_open(&c, argv[1]) < 0)
		return 2;
	cache_each_key(c, take_key, NULL);
	r = print_children(c, CACHE_TOP);
	while (r == 0 && ntodo > 0)
		r = print_children(c, todo[--ntodo]);
	cache_close(c);
	free(todo);
	free(keys);
	return r < 0;
}
