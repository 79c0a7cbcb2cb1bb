#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "err.h"
#include "mem.h"
#include "secret.h"
#include "share.h"
#include "tree_impl.h"

#define WANTS_MAX  100000
#define ANSWER_MAX 1000   /* keys in one command */

static void
add(struct wants *w, int64_t share, int64_t node)
{
	if (share < 0 || node < 0 || w->n == WANTS_MAX)
		return;
	if (w->n == w->cap) {
		w->cap = w->cap == 0 ? 16 : 2 * w->cap;
		w->w = xreallocarray(w->w, w->cap, sizeof *w->w);
	}
	w->w[w->n++] = (struct want){ share, node };
}

/* A handle's number, -1 if it is none. */
static int64_t
handle(const struct json *j, int v)
{
	struct slice s = json_raw(j, v);

	return s.n == 8 && b64_valid(s.p, s.n) ? node_number(s.p) : -1;
}

static void
read_handles(struct handles *l, const struct json *j, int v)
{
	l->n = 0;
	l->h = xreallocarray(l->h, json_count(j, v) + 1, sizeof *l->h);
	for (v = json_first(j, v); v >= 0; v = json_next(j, v))
		l->h[l->n++] = handle(j, v);
}

static int64_t
pick(const struct handles *l, const struct json *j, int v)
{
	int64_t i;

	return json_int(j, v, 0, &i) == 0 && i >= 0 && (uint64_t)i < l->n ?
	    l->h[i] : -1;
}

/* Pairs of places in the lists ask, a key behind them gives. */
static int
read_matrix(struct tree *t, const struct json *j, int v)
{
	struct wants *w = &t->wants;
	int key, r = 0;

	for (v = json_first(j, v); v >= 0 && r == 0; v = json_next(j, v)) {
		int64_t share = pick(&w->lists[0], j, v), node;

		v = json_next(j, v);
		node = pick(&w->lists[1], j, v);
		key = json_next(j, v);
		if (json_type(j, key) != JSON_STRING) {
			add(w, share, node);
			continue;
		}
		v = key;
		if (share >= 0 && node >= 0)
			r = load_given(t, share, node, json_raw(j, v));
	}
	return r;
}

int
wants_part(struct tree *t, struct json *j, int v)
{
	struct wants *w = &t->wants;

	if (w->part < 2) {
		read_handles(&w->lists[w->part++], j, v);
		return 0;
	}
	w->part = 0;
	return read_matrix(t, j, v);
}

int
wants_packet(struct tree *t, struct json *j)
{
	int64_t share = handle(j, json_member(j, 0, "h"));
	int n = json_member(j, 0, "n"), r = 0;

	t->wants.part = 0;
	for (int v = json_first(j, json_member(j, 0, "cr")); v >= 0 && r == 0;
	    v = json_next(j, v))
		r = wants_part(t, j, v);
	/* One node, or some. */
	if (json_type(j, n) == JSON_STRING)
		add(&t->wants, share, handle(j, n));
	else
		for (int v = json_first(j, n); v >= 0; v = json_next(j, v))
			add(&t->wants, share, handle(j, v));
	return r;
}

void
wants_commit(struct wants *w)
{
	w->sure = w->n;
}

void
wants_rollback(struct wants *w)
{
	w->n = w->sure;
	w->part = 0;
}

/* Whether a share is the account's own, covers a node, and its key is known:
 * only then the node's key is given to those who have the share. */
static int
may_give(struct tree *t, const struct want *want, struct share *out)
{
	struct share s[SHARE_NESTED_MAX];
	char h[9];
	int found = 0, n;

	if (!cache_is_shared(t->cache, want->share))
		return 0;
	n = share_list(t, node_handle(h, want->node), s);
	node_handle(h, want->share);
	for (int i = 0; i < n && !found; i++) {
		if ((found = strcmp(s[i].h, h) == 0))
			*out = s[i];
	}
	secret_zero(s, sizeof s);
	return found;
}

/* Keys that go to one share. */
struct giving {
	struct share share;
	struct share_node nodes[ANSWER_MAX];
	uint8_t keys[ANSWER_MAX][KEY_FILE_SIZE];
	size_t n;
};

static void
give(struct tree *t, struct giving *g, const struct want *want)
{
	struct node n;
	char h[9];

	if (tree_get(t, node_handle(h, want->node), &n) == 0 &&
	    n.keylen > 0 && may_give(t, want, &g->share)) {
		memcpy(g->keys[g->n], n.key, n.keylen);
		memcpy(g->nodes[g->n].h, h, sizeof h);
		g->nodes[g->n].key = g->keys[g->n];
		g->nodes[g->n++].keylen = n.keylen;
	}
	node_free(&n);
}

/* Take those that go to one share out of the list: 0 if there are none. */
static int
take(struct tree *t, struct giving *g)
{
	struct wants *w = &t->wants;
	size_t left;

	g->n = 0;
	while (w->n > 0 && g->n == 0) {
		int64_t share = w->w[0].share;

		left = 0;
		for (size_t i = 0; i < w->n; i++) {
			if (w->w[i].share != share || g->n == ANSWER_MAX)
				w->w[left++] = w->w[i];
			else
				give(t, g, &w->w[i]);
		}
		w->n = w->sure = left;
	}
	return g->n > 0;
}

/* Begin the next command: 0 if there is none. */
static int
next_answer(struct tree *t, struct api_cmd *c, struct json_out *o)
{
	struct giving *g;
	int any;

	if (t->wants.n == 0)
		return 0;
	g = xmalloc(sizeof *g);
	if ((any = take(t, g))) {
		*o = api_begin(c, "k");
		share_put_cr(o, &g->share, 1, g->nodes, g->n);
	}
	secret_zero(g, sizeof *g);
	free(g);
	return any;
}

void
wants_answer(struct tree *t)
{
	struct json_out o;
	int r = 0;

	while (r == 0) {
		struct api_cmd c = { 0 };

		if (!next_answer(t, &c, &o))
			break;
		r = api_wait(t->api, &c, &o, NULL);
	}
	err_clear();
}

static void
on_given(struct api_cmd *c, struct json *j, int v, int err)
{
	(void)j;
	(void)v;
	(void)err;
	free(c);
}

void
wants_send(struct tree *t)
{
	struct json_out o;

	for (;;) {
		struct api_cmd *c = xcalloc(1, sizeof *c);

		if (!next_answer(t, c, &o)) {
			free(c);
			break;
		}
		c->done = on_given;
		api_send(t->api, c, &o);
	}
	err_clear();
}

void
wants_free(struct wants *w)
{
	free(w->w);
	free(w->lists[0].h);
	free(w->lists[1].h);
}
