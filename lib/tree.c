#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "b64.h"
#include "err.h"
#include "mem.h"
#include "secret.h"
#include "tree_impl.h"

#define PATH_BYTES_MAX (1 << 20)
#define DEPTH_MAX      (PATH_BYTES_MAX / 2)
#define VERSIONS_MAX   100000 /* of one file */
#define ROUNDS_MAX     4 /* of opening what others replace meanwhile */

static void
remark(const char *words)
{
	if (api_remark != NULL)
		api_remark(words);
}

/*
 * Opening.
 */

/* What only the right master key makes of a constant. */
static void
check_value(const struct tree *t, uint8_t check[16])
{
	aes_encrypt(&t->keys.master, check,
	    (const uint8_t *)"megapipe cache 1", 1);
}

static void
take_key(void *ctx, int64_t h, const uint8_t *wrapped)
{
	struct tree *t = ctx;
	uint8_t key[KEY_SIZE];

	aes_decrypt(&t->keys.master, key, wrapped, 1);
	node_keys_add(&t->keys, h, key);
	secret_zero(key, sizeof key);
}

int
tree_read_keys(struct tree *t)
{
	return cache_each_key(t->cache, take_key, t);
}

/* Open the cache that is there.  ERR_NOENT if none fits. */
static int
open_cache(struct tree *t)
{
	uint8_t check[16];
	int r;

	cache_close(t->cache);
	t->cache = NULL;
	if (t->place == NULL)
		return ERR_NOENT;
	if ((r = cache_open(&t->cache, t->place)) < 0 ||
	    (r = cache_get_state(t->cache, &t->state)) < 0)
		return r;
	check_value(t, check);
	if (!secret_equal(check, t->state.check, sizeof check))
		return ERR_NOENT;
	return tree_read_keys(t);
}

static int
load(struct tree *t, int fresh)
{
	char words[64];
	int r;

	check_value(t, t->state.check);
	if ((r = load_all(t, fresh)) < 0) {
		/* Half a tree is none. */
		cache_close(t->cache);
		t->cache = NULL;
		return r;
	}
	wants_commit(&t->wants);
	journal_reloaded(t);
	if (t->skipped > 0) {
		snprintf(words, sizeof words, "%u records without a place "
		    "were left out", t->skipped);
		remark(words);
	}
	return 0;
}

/* Load all, alone.  1 if another process has done so meanwhile. */
static int
build(struct tree *t, int fresh)
{
	int lock, r;

	if (t->place == NULL)
		return load(t, fresh);
	if ((lock = cache_lock(t->place)) < 0)
		return lock;
	if ((t->cache == NULL || cache_replaced(t->cache)) &&
	    open_cache(t) == 0)
		r = 1;
	else
		r = load(t, fresh);
	close(lock);
	return r;
}

/* Open the cache and make it current: 0, ERR_*, or 1 with *fresh set when
 * all must be loaded. */
static int
try_cache(struct tree *t, int *fresh)
{
	/* What is nobody else's is as it was left. */
	int r = t->place == NULL && t->cache != NULL ? 0 : open_cache(t);

	*fresh = 0;
	if (r == ERR_NOENT)
		return 1;
	if (r == 0 && !(t->flags & TREE_CACHED))
		r = event_catch_up(t);
	if (r == 0 && t->closed)
		r = load_keyring(t);
	if (r == EVENT_RELOAD) {
		remark("the cache is too old; loading the account anew");
		*fresh = 1;
	} else if (r == CACHE_DAMAGED) {
		remark("the cache is damaged; loading the account anew");
	} else {
		return r;
	}
	return 1;
}

/* Open the tree from its place, or load it. */
static int
bring_up(struct tree *t)
{
	int fresh, r = 1;

	for (int i = 0; i < ROUNDS_MAX && r == 1; i++) {
		if ((r = try_cache(t, &fresh)) != 1)
			break;
		if (t->flags & TREE_CACHED)
			return err_set(ERR_LOCAL, "there is no cache that "
			    "could be used");
		if (t->flags & TREE_AT_HAND)
			return err_set(ERR_NOENT, "nothing is cached");
		err_clear();
		r = build(t, fresh);
	}
	if (r == 1)
		r = err_set(ERR_AGAIN, "other commands keep loading the "
		    "account");
	if (r == 0)
		wants_answer(t);
	return r;
}

static struct tree *
alloc(struct api *api)
{
	struct tree *t = xcalloc(1, sizeof *t);

	t->api = api;
	return t;
}

static struct tree *
alloc_account(struct api *api, const struct session *s)
{
	struct tree *t = alloc(api);

	t->session = s;
	t->user = node_user_number(s->user);
	node_keys_init(&t->keys, s->master, s->user, s->privk);
	return t;
}

int
tree_open(struct tree **out, struct api *api, const struct session *s,
    int flags)
{
	struct tree *t = alloc_account(api, s);
	const char *url = session_url(s);
	int r = url != NULL ? 0 : ERR_USAGE;

	t->flags = flags;
	if (r == 0) {
		if (!(flags & TREE_PRIVATE))
			t->place = cache_place(s->user, url);
		t->memory = flags & TREE_PRIVATE ? cache_forbidden() :
		    t->place == NULL;
		r = bring_up(t);
	}
	if (r == ERR_LOCAL && t->place != NULL && !(flags & TREE_CACHED)) {
		remark(err_text());
		remark("going on without a cache");
		free(t->place);
		t->place = NULL;
		r = bring_up(t);
	}
	t->flags &= ~TREE_AT_HAND;
	if (r < 0) {
		tree_close(t);
		t = NULL;
	}
	*out = t;
	return r;
}

/* Whether a part is of use. */
static int
check_part(struct tree *t, int into)
{
	struct node n;
	int r, bad;

	if ((r = tree_get(t, t->part, &n)) < 0)
		return r;
	bad = into ? n.type == NODE_FILE || t->covered : n.keylen == 0;
	node_free(&n);
	return bad ? ERR_NOENT : 0;
}

int
tree_open_part(struct tree **out, struct api *api, const struct session *s,
    const char h[9], int into)
{
	struct tree *t = alloc_account(api, s);
	int r;

	memcpy(t->part, h, sizeof t->part);
	t->memory = cache_forbidden();
	if ((r = load(t, 0)) == 0)
		r = check_part(t, into);
	/* What no account is asked for in daily life may be answered by
	 * anything. */
	if (r == ERR_ARGS || r == ERR_ACCESS || r == ERR_PROTO)
		r = ERR_NOENT;
	if (r < 0) {
		tree_close(t);
		t = NULL;
	}
	*out = t;
	return r;
}

/* The root of a folder link has a name if the key is right. */
static int
check_link(struct tree *t)
{
	struct cache_node row;

	if (t->link_root[0] == '\0' ||
	    cache_get(t->cache, node_number(t->link_root), &row) < 0)
		return err_set(ERR_NOENT, "the link leads to nothing");
	if (row.unnamed)
		return err_set(ERR_KEY, "the link's key does not fit");
	return 0;
}

int
tree_open_link(struct tree **out, struct api *api, const struct link *l)
{
	struct tree *t = alloc(api);
	int r;

	node_keys_init(&t->keys, l->key, "", NULL);
	t->memory = cache_forbidden();
	if (l->kind != LINK_FOLDER || l->keylen != KEY_SIZE)
		r = err_set(ERR_KEY, "the link has no key");
	else if ((r = load(t, 0)) == 0)
		r = check_link(t);
	if (r < 0) {
		tree_close(t);
		t = NULL;
	}
	*out = t;
	return r;
}

void
tree_close(struct tree *t)
{
	if (t == NULL)
		return;
	cache_close(t->cache);
	node_keys_free(&t->keys);
	wants_free(&t->wants);
	free(t->place);
	free(t);
}

const char *
tree_link_root(const struct tree *t)
{
	return t->link_root;
}

/*
 * Looking up.
 */

/* The cache turned out to be damaged while it was read: it will be loaded
 * anew by the next command. */
static int
checked(struct tree *t, int r)
{
	if (r != CACHE_DAMAGED)
		return r;
	if (t->place != NULL)
		cache_remove(t->place);
	return ERR_LOCAL;
}

static int
not_found(int r)
{
	return r == ERR_NOENT ? err_set(r, "not found") : r;
}

static void
to_node(const struct tree *t, const struct cache_node *row, struct node *n)
{
	*n = (struct node){ .type = (enum node_type)row->type,
	    .size = row->size, .created = row->created, .mtime = row->mtime,
	    .keylen = row->keylen };
	node_handle(n->h, row->h);
	if (row->parent >= 0)
		node_handle(n->p, row->parent);
	if (row->owner != 0 || t->session != NULL)
		node_user_handle(n->owner, row->owner != 0 ? row->owner :
		    t->user);
	if (!row->unnamed) {
		n->name = xmalloc(row->name.n + 1);
		memcpy(n->name, row->name.p, row->name.n);
		n->name[row->name.n] = '\0';
		n->namelen = row->name.n;
	}
	aes_decrypt(&t->keys.master, n->key, row->key,
	    row->keylen / AES_BLOCK_SIZE);
	if (B64_LEN(row->clen) < sizeof n->fingerprint)
		b64_encode(n->fingerprint, row->c, row->clen);
	if (row->ph >= 0)
		node_handle(n->ph, row->ph);
	n->link_ends = row->link_ends;
}

/* A parent's number; "" stands for what others share with us. */
static int
to_number(const char h[9], int64_t *out)
{
	*out = CACHE_LOST;
	if (h[0] != '\0' && (strlen(h) != 8 || !b64_valid(h, 8)))
		return err_set(ERR_NOENT, "not found");
	*out = h[0] != '\0' ? node_number(h) : CACHE_SHARED;
	return 0;
}

int
tree_get(struct tree *t, const char h[9], struct node *n)
{
	struct cache_node row;
	int64_t number;
	int r;

	*n = (struct node){ 0 };
	if ((r = to_number(h, &number)) == 0)
		r = not_found(cache_get(t->cache, number, &row));
	if (r == 0)
		to_node(t, &row, n);
	return checked(t, r);
}

int
tree_root(struct tree *t, enum node_type type, struct node *n)
{
	struct cache_cursor cur = { 0 };
	struct cache_node row;
	int r;

	*n = (struct node){ 0 };
	if ((r = cache_children(t->cache, &cur, CACHE_TOP, NULL, 0, 0)) < 0)
		return checked(t, r);
	while ((r = cache_next(&cur, &row)) == 1 && row.type != (int)type)
		continue;
	if (r == 1)
		to_node(t, &row, n);
	cache_done(&cur);
	return r == 0 ? err_set(ERR_NOENT, "not found") : checked(t,
	    r < 0 ? r : 0);
}

/* Add the component that names a row below its parent.  What others share
 * is called MAIL:NAME. */
static int
add_component(struct tree *t, const struct cache_node *row,
    const struct node *n, struct buf *out)
{
	char tmp[16];
	size_t len;
	const char *name = node_component(n, tmp, &len);
	int64_t user;

	if (row->parent == CACHE_SHARED && name != tmp &&
	    cache_get_inshare(t->cache, row->h, &user) == 0 &&
	    cache_get_user(t->cache, user, out) == 0)
		buf_addch(out, ':');
	return buf_add(out, name, len);
}

/* The newest of the folders that others share with us under that name. */
static int
find_inshare(struct tree *t, const char *name, size_t len, int64_t *found)
{
	struct cache_cursor cur = { 0 };
	struct cache_node row;
	struct buf b = BUF_MAX(PATH_BYTES_MAX);
	struct node n;
	int64_t created = -1;
	int r;

	if ((r = cache_children(t->cache, &cur, CACHE_SHARED, NULL, 0, 0)) < 0)
		return r;
	while ((r = cache_next(&cur, &row)) == 1) {
		to_node(t, &row, &n);
		buf_reset(&b);
		add_component(t, &row, &n, &b);
		if (b.len == len && memcmp(buf_str(&b), name, len) == 0 &&
		    row.created > created) {
			created = row.created;
			*found = row.h;
		}
		node_free(&n);
	}
	cache_done(&cur);
	buf_free(&b);
	return r < 0 ? r : created < 0 ? ERR_NOENT : 0;
}

/* The number in a component "H:xxxxxxxx": 1, or 0. */
static int
by_handle(const char *name, size_t len, int64_t *h)
{
	if (len != 10 || memcmp(name, "H:", 2) != 0 || !b64_valid(name + 2, 8))
		return 0;
	*h = node_number(name + 2);
	return 1;
}

int
tree_child(struct tree *t, const char parent[9], const char *name, size_t len,
    struct node *n)
{
	struct cache_node row;
	int64_t p, h;
	int r;

	*n = (struct node){ 0 };
	if ((r = to_number(parent, &p)) < 0)
		return r;
	if (p != CACHE_SHARED)
		r = cache_child(t->cache, p, name, len, &row);
	else if ((r = find_inshare(t, name, len, &h)) == 0)
		r = cache_get(t->cache, h, &row);
	if (r == ERR_NOENT && by_handle(name, len, &h)) {
		r = cache_get(t->cache, h, &row);
		if (r == 0 && row.parent != p)
			r = ERR_NOENT;
	}
	if (r == 0)
		to_node(t, &row, n);
	return checked(t, not_found(r));
}

int
tree_children(struct tree *t, const char parent[9],
    int (*fn)(void *ctx, const struct node *n), void *ctx)
{
	struct cache_cursor cur = { 0 };
	struct cache_node row;
	struct node n;
	int64_t p;
	int r;

	if ((r = to_number(parent, &p)) < 0)
		return r;
	r = cache_children(t->cache, &cur, p, NULL, 0, 0);
	while (r == 0 && (r = cache_next(&cur, &row)) == 1) {
		to_node(t, &row, &n);
		r = fn(ctx, &n);
		node_free(&n);
		if (r > 0)
			r = 0;
	}
	cache_done(&cur);
	return checked(t, r);
}

int
tree_exported(struct tree *t, int (*fn)(void *ctx, const struct node *n),
    void *ctx)
{
	int64_t at = -1;
	struct node n;
	char h[9];
	int r;

	while ((r = cache_next_link(t->cache, at, &at)) == 1) {
		r = tree_get(t, node_handle(h, at), &n);
		if (r == ERR_NOENT)
			continue; /* the node's end has come, the link's not */
		if (r == 0)
			r = fn(ctx, &n);
		node_free(&n);
		if (r < 0)
			return r;
	}
	return checked(t, r);
}

int
tree_version(struct tree *t, const char h[9], struct node *n)
{
	struct cache_cursor cur = { 0 };
	struct cache_node row;
	int64_t file;
	int r;

	*n = (struct node){ 0 };
	if ((r = to_number(h, &file)) < 0)
		return r;
	if ((r = cache_children(t->cache, &cur, file, NULL, 0, 0)) == 0)
		r = cache_next(&cur, &row);
	if (r == 1)
		to_node(t, &row, n);
	cache_done(&cur);
	return r == 1 ? 0 : checked(t, r < 0 ? r :
	    err_set(ERR_NOENT, "not found"));
}

/*
 * Walking.  One cursor runs over one folder at a time; of the folders above
 * it only their handles are kept, and the cursor is put behind each when
 * what is below it is done.  So a walk takes little memory however large the
 * folders are.
 */
struct level {
	int64_t h;
	size_t len; /* of its path */
};

struct walk {
	struct tree *t;
	int (*fn)(void *ctx, const struct node *n, const char *path,
	    size_t len);
	void *ctx;
	struct cache_cursor cur;
	struct level *levels;
	size_t depth, cap;
	struct buf path;
};

static int
walk_into(struct walk *w, int64_t h)
{
	if (w->depth == DEPTH_MAX)
		return err_set(ERR_TOOBIG, "folders nested too deeply");
	if (w->depth == w->cap) {
		w->cap = w->cap == 0 ? 64 : 2 * w->cap;
		w->levels = xreallocarray(w->levels, w->cap,
		    sizeof *w->levels);
	}
	w->levels[w->depth++] = (struct level){ h, w->path.len };
	return cache_children(w->t->cache, &w->cur, h, NULL, 0, 0);
}

/* The folder under the cursor is done: go on behind it, in that above. */
static int
walk_out(struct walk *w)
{
	struct cache_node row;
	int64_t done = w->levels[--w->depth].h;
	int r;

	if (w->depth == 0)
		return 0;
	w->path.len = w->levels[w->depth - 1].len;
	if ((r = cache_get(w->t->cache, done, &row)) < 0)
		return r;
	return cache_children(w->t->cache, &w->cur, row.parent, row.name.p,
	    row.name.n, row.h);
}

static int
walk_one(struct walk *w, const struct cache_node *row)
{
	size_t len = w->path.len;
	struct node n;
	int r;

	to_node(w->t, row, &n);
	if (len > 0)
		buf_addch(&w->path, '/');
	if ((r = add_component(w->t, row, &n, &w->path)) == 0)
		r = w->fn(w->ctx, &n, buf_str(&w->path), w->path.len);
	/* In a cycle that a stranger made, the start comes again. */
	if (r == 0 && n.type != NODE_FILE && row->h != w->levels[0].h)
		r = walk_into(w, row->h);
	else
		w->path.len = len;
	node_free(&n);
	return r < 0 ? r : 0;
}

int
tree_walk(struct tree *t, const char start[9],
    int (*fn)(void *ctx, const struct node *n, const char *path, size_t len),
    void *ctx)
{
	struct walk w = { .t = t, .fn = fn, .ctx = ctx,
	    .path = BUF_MAX(PATH_BYTES_MAX) };
	struct cache_node row;
	int64_t h;
	int r;

	if ((r = to_number(start, &h)) < 0)
		return r;
	if ((r = cache_snapshot(t->cache)) < 0)
		return checked(t, r);
	r = walk_into(&w, h);
	while (r == 0 && w.depth > 0) {
		r = cache_next(&w.cur, &row);
		if (r == 1)
			r = walk_one(&w, &row);
		else if (r == 0)
			r = walk_out(&w);
	}
	cache_done(&w.cur);
	cache_release(t->cache);
	free(w.levels);
	buf_free(&w.path);
	return checked(t, r);
}

/*
 * Paths, from the node upwards.
 */

/* The components of a path, last first. */
struct climb {
	struct buf text;
	size_t *ends, n, cap;
};

static int
climb_add(struct tree *t, struct climb *c, const struct cache_node *row)
{
	struct node n;
	int r;

	if (c->n == c->cap) {
		c->cap = c->cap == 0 ? 16 : 2 * c->cap;
		c->ends = xreallocarray(c->ends, c->cap, sizeof *c->ends);
	}
	to_node(t, row, &n);
	r = add_component(t, row, &n, &c->text);
	node_free(&n);
	c->ends[c->n++] = c->text.len;
	return r;
}

static void
climb_print(struct climb *c, struct buf *out)
{
	while (c->n > 0) {
		size_t start = --c->n > 0 ? c->ends[c->n - 1] : 0;

		buf_addch(out, '/');
		buf_add(out, c->text.p + start, c->ends[c->n] - start);
	}
}

/* From an older version of a file to its newest, which lends it the path. */
static int
newest_version(struct tree *t, struct cache_node *row, int *older)
{
	struct cache_node above;
	int r;

	*older = 0;
	for (int i = 0; i < VERSIONS_MAX && row->type == NODE_FILE &&
	    row->parent >= 0; i++) {
		r = cache_get(t->cache, row->parent, &above);
		if (r == ERR_NOENT || (r == 0 && above.type != NODE_FILE))
			break;
		if (r < 0)
			return r;
		*older = 1;
		*row = above;
	}
	return cache_get(t->cache, row->h, row);
}

/* What stands before the first component, by where the climb ended. */
static void
add_top(const struct cache_node *top, const struct climb *c, struct buf *out)
{
	char h[9];

	if (top->type == NODE_INBOX)
		buf_addstr(out, "//in");
	else if (top->type == NODE_RUBBISH)
		buf_addstr(out, "//bin");
	else if (top->parent == CACHE_SHARED)
		buf_addstr(out, "//from");
	else if (top->type != NODE_ROOT && top->parent != CACHE_TOP)
		buf_printf(out, "H:%s", node_handle(h, top->h));
	else if (c->n == 0)
		buf_addch(out, '/');
}

/* Whether a climb has come to a cycle: it meets the node again at which it
 * was after 1, 2, 4 … steps. */
struct cycle {
	int64_t mark;
	unsigned steps, limit;
};

static int
goes_round(struct cycle *c, int64_t h)
{
	if (c->limit > 0 && c->mark == h)
		return 1;
	if (c->steps++ == c->limit) {
		c->mark = h;
		c->limit = 2 * c->limit + 1;
		c->steps = 0;
	}
	return 0;
}

/* Keep n components: the climb ends at the node h. */
static int
climb_back(struct tree *t, struct climb *c, size_t n, int64_t h,
    struct cache_node *row)
{
	c->n = n;
	c->text.len = n > 0 ? c->ends[n - 1] : 0;
	return cache_get(t->cache, h, row);
}

static int
climb(struct tree *t, struct cache_node *row, struct climb *c)
{
	struct cycle cycle = { 0 };
	int64_t start = row->h;
	int r;

	while (row->type < NODE_ROOT && row->parent != CACHE_TOP &&
	    row->parent != CACHE_LOST) {
		int64_t h = row->h;

		if (goes_round(&cycle, h))
			return climb_back(t, c, 0, start, row);
		if ((r = climb_add(t, c, row)) < 0)
			return r;
		if (row->parent == CACHE_SHARED)
			return 0;
		r = cache_get(t->cache, row->parent, row);
		/* Its parent may not be ours to see. */
		if (r == ERR_NOENT)
			return climb_back(t, c, c->n - 1, h, row);
		if (r < 0)
			return r;
	}
	return 0;
}

int
tree_path(struct tree *t, const char h[9], struct buf *out)
{
	struct climb c = { .text = BUF_MAX(PATH_BYTES_MAX) };
	struct cache_node row;
	int64_t number, created;
	int older, r;

	if (h[0] == '\0')
		return buf_addstr(out, "//from");
	if ((r = to_number(h, &number)) < 0 ||
	    (r = not_found(cache_get(t->cache, number, &row))) < 0)
		return checked(t, r);
	created = row.created;
	if ((r = newest_version(t, &row, &older)) < 0 ||
	    (r = climb(t, &row, &c)) < 0)
		goto out;
	add_top(&row, &c, out);
	climb_print(&c, out);
	if (older)
		buf_printf(out, "#%lld", (long long)created);
	r = buf_check(out);
out:
	free(c.ends);
	buf_free(&c.text);
	return checked(t, r);
}

int
tree_above(struct tree *t, const char h[9],
    int (*fn)(void *ctx, const struct node *n), void *ctx)
{
	struct cycle cycle = { 0 };
	struct node n;
	char at[9];
	int r = 0;

	memcpy(at, h, sizeof at);
	while (at[0] != '\0' && r == 0 &&
	    !goes_round(&cycle, node_number(at))) {
		if ((r = tree_get(t, at, &n)) < 0)
			break;
		r = fn(ctx, &n);
		memcpy(at, n.p, sizeof at);
		node_free(&n);
	}
	return r == ERR_NOENT ? 0 : r;
}

int
tree_snapshot(struct tree *t)
{
	return checked(t, cache_snapshot(t->cache));
}

void
tree_release(struct tree *t)
{
	cache_release(t->cache);
}

int
tree_folders(struct tree *t, const char h[9], int64_t *n)
{
	struct cache_cursor cur = { 0 };
	struct cache_node row;
	int64_t number;
	int r;

	*n = 0;
	if ((r = to_number(h, &number)) < 0)
		return r;
	r = cache_children(t->cache, &cur, number, NULL, 0, 0);
	while (r == 0 && (r = cache_next(&cur, &row)) == 1) {
		*n += row.type == NODE_FOLDER;
		r = 0;
	}
	cache_done(&cur);
	return checked(t, r);
}

/* Attributes as they were sent, where the row does not say it all. */
static int
raw_attributes(struct tree *t, const struct node *n, struct attr *a)
{
	struct cache_raw raw;
	uint8_t key[KEY_SIZE];
	int r;

	if ((r = cache_get_raw(t->cache, node_number(n->h), &raw)) < 0)
		return r;
	if (raw.a.p == NULL || n->keylen == 0)
		return err_set(ERR_KEY, "its attributes cannot be decrypted");
	key_fold(key, n->key, n->keylen);
	r = attr_open(a, raw.a.p, raw.a.n, key);
	secret_zero(key, sizeof key);
	return r;
}

int
tree_attributes(struct tree *t, const char h[9], struct attr *a)
{
	struct node n;
	int r;

	*a = (struct attr){ 0 };
	if ((r = tree_get(t, h, &n)) < 0)
		return r;
	r = raw_attributes(t, &n, a);
	if (r == ERR_NOENT && n.name == NULL) {
		r = err_set(ERR_KEY, "its attributes cannot be decrypted");
	} else if (r == ERR_NOENT) {
		attr_set(a, "n", n.name, n.namelen);
		if (n.fingerprint[0] != '\0')
			attr_set(a, "c", n.fingerprint,
			    strlen(n.fingerprint));
		r = 0;
	}
	node_free(&n);
	return checked(t, r);
}

/*
 * Changing.
 */

void
tree_watch(struct tree *t, tree_watcher *fn, void *ctx)
{
	t->watcher = fn;
	t->watch_ctx = ctx;
}

int
tree_parent(struct tree *t, int64_t h, int64_t *parent)
{
	struct cache_node row;
	int r;

	*parent = TREE_NOWHERE;
	if (t->watcher == NULL)
		return 0;
	if ((r = cache_get(t->cache, h, &row)) == 0)
		*parent = row.parent;
	return r == ERR_NOENT ? 0 : r;
}

int
tree_put_row(struct tree *t, const struct cache_node *row, int64_t from)
{
	int64_t h = row->h, to = row->parent;
	int r = cache_put(t->cache, row);

	if (r == 0 && t->watcher != NULL)
		t->watcher(t->watch_ctx, h, from, to);
	return r;
}

int
tree_drop_row(struct tree *t, int64_t h, int only)
{
	int64_t from;
	int r;

	if ((r = tree_parent(t, h, &from)) == 0 &&
	    (r = cache_delete(t->cache, h, only)) == 0 &&
	    from != TREE_NOWHERE)
		t->watcher(t->watch_ctx, h, from, TREE_NOWHERE);
	return r;
}

/* Begin a change of our own: 0, or TREE_BEHIND if somebody has changed the
 * cache since we saw it. */
static int
begin_own(struct tree *t)
{
	struct cache_state now;
	int r;

	if (t->gather == GATHER_BEGUN)
		return t->gathered;
	if ((r = cache_begin(t->cache)) < 0 ||
	    (r = cache_get_state(t->cache, &now)) < 0)
		return r;
	return strcmp(now.sn, t->state.sn) == 0 ? 0 : TREE_BEHIND;
}

/* A node that is not there changes nothing. */
static int
end_own(struct tree *t, int r)
{
	if (t->gather != GATHER_NO && r == 0)
		t->gather = GATHER_BEGUN;
	else if (r == 0)
		r = cache_commit(t->cache);
	else if (t->gather != GATHER_BEGUN)
		cache_rollback(t->cache);
	else if (r != ERR_NOENT)
		t->gathered = r;
	return checked(t, r);
}

void
tree_gather(struct tree *t)
{
	t->gather = GATHER_NEXT;
	t->gathered = 0;
}

int
tree_settle(struct tree *t)
{
	int r = t->gathered;

	if (t->gather == GATHER_BEGUN && r == 0)
		r = cache_commit(t->cache);
	else if (t->gather == GATHER_BEGUN)
		cache_rollback(t->cache);
	t->gather = GATHER_NO;
	return checked(t, r);
}

int
tree_take(struct tree *t, struct json *j, int v)
{
	int r = begin_own(t);

	for (v = json_first(j, v); v >= 0 && r == 0; v = json_next(j, v))
		r = load_node(t, j, v);
	if (r == 0)
		r = load_settle(t);
	return end_own(t, r);
}

int
tree_move(struct tree *t, const char h[9], const char parent[9])
{
	struct cache_node row;
	int64_t from;
	int r;

	if ((r = begin_own(t)) == 0 &&
	    (r = cache_get(t->cache, node_number(h), &row)) == 0) {
		from = row.parent;
		row.parent = node_number(parent);
		r = tree_put_row(t, &row, from);
	}
	return end_own(t, not_found(r));
}

int
tree_alter(struct tree *t, const char h[9], const char *attrs, size_t n)
{
	int r;

	if ((r = begin_own(t)) == 0)
		r = load_attributes(t, node_number(h),
		    (struct slice){ attrs, n });
	return end_own(t, r);
}

int
tree_remove(struct tree *t, const char h[9], int only)
{
	int r;

	if ((r = begin_own(t)) == 0)
		r = tree_drop_row(t, node_number(h), only);
	return end_own(t, r);
}

int
tree_refresh(struct tree *t)
{
	return bring_up(t);
}

int
tree_forget(const struct session *s)
{
	const char *url = session_url(s);
	char *place = url != NULL ? cache_place(s->user, url) : NULL;
	int r = place != NULL ? cache_remove(place) : 0;

	free(place);
	return r;
}
