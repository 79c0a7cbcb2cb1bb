#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "mem.h"
#include "secret.h"
#include "share.h"
#include "tree_impl.h"

struct listing {
	struct tree *t;
	struct share *s;
	int n;
};

static int
list_one(void *ctx, const struct node *n)
{
	struct listing *l = ctx;
	int64_t h = node_number(n->h), user;
	struct share *s = &l->s[l->n];

	if (!cache_is_shared(l->t->cache, h) &&
	    cache_get_inshare(l->t->cache, h, &user) < 0)
		return 0;
	if (!node_keys_find(&l->t->keys, h, s->key))
		return 0;
	memcpy(s->h, n->h, sizeof s->h);
	return ++l->n == SHARE_NESTED_MAX;
}

int
share_list(struct tree *t, const char h[9], struct share s[SHARE_NESTED_MAX])
{
	struct listing l = { .t = t, .s = s };
	int r = tree_above(t, h, list_one, &l);

	return r < 0 ? r : l.n;
}

int
share_find(uint8_t key[KEY_SIZE], struct tree *t, const char h[9])
{
	struct share s[SHARE_NESTED_MAX];
	int n = share_list(t, h, s), own = n > 0 && strcmp(s[0].h, h) == 0;

	if (own)
		memcpy(key, s[0].key, KEY_SIZE);
	secret_zero(s, sizeof s);
	return n < 0 ? n : own;
}

int
share_link(struct link *l, struct tree *t, const struct node *n)
{
	int r = 0;

	*l = (struct link){ .kind = LINK_FILE };
	if (n->ph[0] == '\0')
		return ERR_NOENT;
	memcpy(l->ph, n->ph, sizeof n->ph);
	if (n->type == NODE_FILE) {
		memcpy(l->key, n->key, n->keylen);
		l->keylen = n->keylen;
	} else {
		l->kind = LINK_FOLDER;
		if ((r = share_find(l->key, t, n->h)) > 0)
			l->keylen = KEY_SIZE;
	}
	if (r >= 0 && l->keylen == 0)
		r = err_set(ERR_KEY, "its key cannot be decrypted");
	return r < 0 ? r : 0;
}

void
share_put_cr(struct json_out *o, const struct share *s, int ns,
    const struct share_node *nodes, size_t n)
{
	uint8_t wrapped[KEY_FILE_SIZE];

	if (ns == 0 || n == 0)
		return;
	json_open(o, "cr", '[');
	json_open(o, NULL, '[');
	for (int i = 0; i < ns; i++)
		json_put(o, NULL, s[i].h);
	json_close(o, ']');
	/* New nodes are counted, others named. */
	json_open(o, NULL, '[');
	for (size_t k = 0; k < n && nodes[k].h[0] != '\0'; k++)
		json_put(o, NULL, nodes[k].h);
	json_close(o, ']');
	json_open(o, NULL, '[');
	for (int i = 0; i < ns; i++) {
		for (size_t k = 0; k < n; k++) {
			key_wrap(wrapped, nodes[k].key, nodes[k].keylen,
			    s[i].key);
			json_put_int(o, NULL, i);
			json_put_int(o, NULL, (int64_t)k);
			json_put_b64(o, NULL, wrapped, nodes[k].keylen);
		}
	}
	json_close(o, ']');
	json_close(o, ']');
}

/* All nodes from a folder on, with copies of their keys. */
struct gather {
	struct tree *tree;
	struct share_node *nodes;
	uint8_t (*keys)[KEY_FILE_SIZE];
	size_t n, cap;
};

/* Room for more; what held keys is wiped. */
static void
gather_grow(struct gather *g)
{
	size_t cap = g->cap == 0 ? 64 : 2 * g->cap;
	uint8_t (*keys)[KEY_FILE_SIZE] = xcalloc(cap, sizeof *keys);

	if (g->n > 0) {
		memcpy(keys, g->keys, g->n * sizeof *keys);
		secret_zero(g->keys, g->n * sizeof *keys);
	}
	free(g->keys);
	g->keys = keys;
	g->nodes = xreallocarray(g->nodes, cap, sizeof *g->nodes);
	g->cap = cap;
}

static void
gather_add(struct gather *g, const struct node *n)
{
	if (n->keylen == 0)
		return; /* nobody can give what we cannot read */
	if (g->n == g->cap)
		gather_grow(g);
	memcpy(g->nodes[g->n].h, n->h, sizeof n->h);
	g->nodes[g->n].keylen = n->keylen;
	memcpy(g->keys[g->n++], n->key, n->keylen);
}

static int
gather_one(void *ctx, const struct node *n, const char *path, size_t len)
{
	struct gather *g = ctx;
	struct node old = { 0 };
	char h[9];
	int r = 0;

	(void)path;
	(void)len;
	gather_add(g, n);
	memcpy(h, n->h, sizeof h);
	/* Older versions, too. */
	while (n->type == NODE_FILE &&
	    (r = tree_version(g->tree, h, &old)) == 0) {
		gather_add(g, &old);
		memcpy(h, old.h, sizeof h);
		node_free(&old);
	}
	return r == ERR_NOENT ? 0 : r;
}

/* A node and all below it. */
static int
gather_all(struct gather *g, const struct node *top)
{
	int r;

	if ((r = gather_one(g, top, "", 0)) < 0)
		return r;
	if (top->type != NODE_FILE &&
	    (r = tree_walk(g->tree, top->h, gather_one, g)) < 0)
		return r;
	for (size_t i = 0; i < g->n; i++)
		g->nodes[i].key = g->keys[i];
	return 0;
}

static void
gather_free(struct gather *g)
{
	if (g->keys != NULL)
		secret_zero(g->keys, g->cap * sizeof *g->keys);
	free(g->keys);
	free(g->nodes);
}

int
share_put_moved(struct json_out *o, struct tree *t, const struct node *n,
    const char to[9])
{
	struct share s[SHARE_NESTED_MAX];
	struct gather g = { .tree = t };
	int ns, r;

	if ((ns = r = share_list(t, to, s)) > 0 && (r = gather_all(&g, n)) == 0)
		share_put_cr(o, s, ns, g.nodes, g.n);
	gather_free(&g);
	secret_zero(s, sizeof s);
	return r;
}

int
share_put_export(struct json_out *o, struct tree *t,
    const struct node *folder, const struct share *s,
    const uint8_t master[KEY_SIZE])
{
	struct gather g = { .tree = t };
	uint8_t ok[KEY_SIZE], ha[KEY_SIZE];
	int r;

	if ((r = gather_all(&g, folder)) < 0)
		goto out;
	key_wrap(ok, s->key, KEY_SIZE, master);
	key_share_auth(ha, folder->h, master);
	json_put(o, "n", folder->h);
	json_open(o, "s", '[');
	json_open(o, NULL, '{');
	json_put(o, "u", "EXP");
	json_put_int(o, "r", 0);
	json_close(o, '}');
	json_close(o, ']');
	json_put_b64(o, "ok", ok, sizeof ok);
	json_put_b64(o, "ha", ha, sizeof ha);
	share_put_cr(o, s, 1, g.nodes, g.n);
out:
	gather_free(&g);
	return r;
}
