/*
 * Node records from a stranger: text of JSON, as a service would send it to
 * one user who has a share key.
 */
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "node.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
check(const struct node_wire *w, const struct node_clear *c)
{
	char h[9];

	if (strcmp(node_handle(h, node_number(w->h)), w->h) != 0)
		abort();
	if (c->keylen != 0 && c->keylen != (w->t == NODE_FILE ? 32u : 16u))
		abort();
	if (c->keylen == 0 && (c->name.p != NULL || c->c.p != NULL))
		abort();
	if (c->c.n >= FINGERPRINT_TEXT_MAX || c->mtime < -1)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const uint8_t master[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	    11, 12, 13, 14, 15 };
	static const uint8_t share[16] = "@ABCDEFGHIJKLMNO";
	struct node_keys keys;
	struct node_clear c;
	struct node_wire w;
	struct json j = { 0 };
	uint8_t key[KEY_SIZE];

	node_keys_init(&keys, master, "AAECAwQFBgc", NULL);
	node_keys_add(&keys, node_number("DiRdIrDi"), share);
	if (json_parse(&j, (const char *)p, n) == 0 &&
	    node_read(&w, &j, 0) == 0) {
		node_open(&keys, &w, &c);
		check(&w, &c);
		if (w.sk.p != NULL)
			node_keys_unwrap(&keys, key, w.sk);
	}
	err_clear();
	json_free(&j);
	node_keys_free(&keys);
	return 0;
}
