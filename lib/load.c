#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "err.h"
#include "keyring.h"
#include "mem.h"
#include "secret.h"
#include "shape.h"
#include "tree_impl.h"

#define ELEMENT_MAX (1 << 20) /* characters of one record */
#define MAIL_MAX    1024

/* Wrap a key of n bytes for the cache. */
static void
wrap(struct tree *t, uint8_t *to, const uint8_t *key, size_t n)
{
	aes_encrypt(&t->keys.master, to, key, n / AES_BLOCK_SIZE);
}

int
load_key(struct tree *t, int64_t h, const uint8_t key[KEY_SIZE])
{
	uint8_t wrapped[KEY_SIZE];

	if (!node_keys_add(&t->keys, h, key) && !t->loading)
		return 0;
	t->new_keys = 1;
	wrap(t, wrapped, key, KEY_SIZE);
	return cache_put_key(t->cache, h, wrapped);
}

/* The columns that depend on what could be decrypted. */
static void
fill_clear(struct tree *t, struct cache_node *row, struct node_clear *clear,
    char tmp[16])
{
	char h[9];

	row->keylen = clear->keylen;
	wrap(t, row->key, clear->key, clear->keylen);
	row->mtime = clear->mtime;
	row->clen = b64_decode(row->c, clear->c.p, clear->c.n);
	row->unnamed = clear->name.p == NULL;
	row->name = clear->name;
	if (row->type >= NODE_ROOT) {
		row->name = (struct slice){ "", 0 };
	} else if (row->unnamed) {
		snprintf(tmp, 16, "H:%s", node_handle(h, row->h));
		row->name = (struct slice){ tmp, 10 };
	}
}

/* Keep key string and attributes where the row does not say it all. */
static int
put_raw(struct tree *t, const struct node_wire *w, int64_t h,
    const struct node_clear *clear)
{
	struct cache_raw raw = { .h = h };
	int closed = clear->keylen == 0;

	if (w->t >= NODE_ROOT)
		return 0;
	if (closed)
		raw.k = (struct slice){ w->k.p != NULL ? w->k.p : "", w->k.n };
	if (closed || clear->name.p == NULL || clear->more)
		raw.a = w->a;
	t->closed |= closed;
	if (closed || raw.a.p != NULL)
		return cache_put_raw(t->cache, &raw);
	return t->loading ? 0 : cache_drop_raw(t->cache, h);
}

int64_t
load_owner(const struct tree *t, const char u[12])
{
	int64_t user = u[0] != '\0' ? node_user_number(u) : 0;

	return user == t->user ? 0 : user;
}

/* Where a record hangs. */
static int64_t
parent_of(struct tree *t, const struct node_wire *w)
{
	if (w->t >= NODE_ROOT)
		return CACHE_TOP;
	/* The first record of a folder link is the folder. */
	if (t->session == NULL && (t->link_root[0] == '\0' ||
	    strcmp(t->link_root, w->h) == 0))
		return CACHE_TOP;
	if (w->su[0] != '\0')
		return CACHE_SHARED;
	return w->p[0] != '\0' ? node_number(w->p) : CACHE_LOST;
}

/* A folder that somebody shares with us brings its key. */
static int
take_inshare(struct tree *t, const struct node_wire *w, int64_t h)
{
	uint8_t key[KEY_SIZE];
	int r = 0;

	if (w->sk.p != NULL && node_keys_unwrap(&t->keys, key, w->sk) == 0)
		r = load_key(t, h, key);
	secret_zero(key, sizeof key);
	t->moved_shares = 1;
	if (r < 0)
		return r;
	return cache_put_inshare(t->cache, h,
	    w->p[0] != '\0' ? node_number(w->p) : CACHE_SHARED,
	    node_user_number(w->su));
}

/* A record of a part.  Where a root comes, all is coming: that is better kept,
 * as the account's tree. */
static int
check_part(struct tree *t, const struct node_wire *w)
{
	if (w->t >= NODE_ROOT)
		return ERR_NOENT;
	t->covered |= node_is_shared(w);
	return 0;
}

/* Put a record into the cache. */
static int
put_wire(struct tree *t, const struct node_wire *w)
{
	struct node_clear clear;
	struct cache_node row = { 0 };
	char tmp[16];
	int64_t from;
	int r;

	if (t->part[0] != '\0' && (r = check_part(t, w)) < 0)
		return r;
	row.h = node_number(w->h);
	row.parent = parent_of(t, w);
	if (t->session == NULL && t->link_root[0] == '\0')
		memcpy(t->link_root, w->h, sizeof w->h);
	if (row.parent == CACHE_SHARED && (r = take_inshare(t, w, row.h)) < 0)
		return r;
	row.type = (int)w->t;
	row.size = w->s;
	row.created = w->ts;
	row.owner = load_owner(t, w->u);
	if ((r = tree_parent(t, row.h, &from)) < 0)
		return r;
	node_open(&t->keys, w, &clear);
	fill_clear(t, &row, &clear, tmp);
	if ((r = tree_put_row(t, &row, from)) == 0)
		r = put_raw(t, w, row.h, &clear);
	secret_zero(clear.key, sizeof clear.key);
	return r;
}

/* One that does not say where it belongs. */
static int
skip(struct tree *t)
{
	t->skipped++;
	err_clear();
	return 0;
}

int
load_node(struct tree *t, struct json *j, int v)
{
	struct node_wire w;

	return node_read(&w, j, v) < 0 ? skip(t) : put_wire(t, &w);
}

/* Open a row anew, by a key string and attributes. */
static int
reopen(struct tree *t, int64_t h, struct slice k, struct slice a)
{
	struct node_wire w = { .k = k, .a = a };
	struct node_clear clear;
	struct cache_node row;
	char tmp[16];
	int r;

	if ((r = cache_get(t->cache, h, &row)) < 0)
		return r;
	w.t = row.type;
	node_open(&t->keys, &w, &clear);
	fill_clear(t, &row, &clear, tmp);
	if ((r = tree_put_row(t, &row, row.parent)) == 0)
		r = put_raw(t, &w, h, &clear);
	secret_zero(clear.key, sizeof clear.key);
	return r;
}

/* The key string of a row: as it was sent, where it could not be opened;
 * else its key under the master key alone. */
static int
key_string(struct tree *t, int64_t h, struct buf *k)
{
	struct cache_node row;
	struct cache_raw raw;
	char text[B64_LEN(KEY_FILE_SIZE) + 1];
	int r;

	if ((r = cache_get(t->cache, h, &row)) < 0)
		return r;
	if (row.keylen > 0)
		return buf_addstr(k, b64_encode(text, row.key, row.keylen));
	r = cache_get_raw(t->cache, h, &raw);
	if (r == 0 && raw.k.p != NULL)
		r = buf_add(k, raw.k.p, raw.k.n);
	return r == ERR_NOENT ? 0 : r;
}

int
load_attributes(struct tree *t, int64_t h, struct slice a)
{
	struct buf k = BUF_MAX(ELEMENT_MAX);
	int r;

	if ((r = key_string(t, h, &k)) == 0)
		r = reopen(t, h, (struct slice){ buf_str(&k), k.len }, a);
	buf_free(&k);
	return r == ERR_NOENT ? 0 : r;
}

/* Try a node that no key opened so far, perhaps with another part of its key
 * string. */
static int
try_closed(struct tree *t, const struct cache_raw *raw, struct slice part)
{
	struct buf k = BUF_MAX(ELEMENT_MAX), a = BUF_MAX(ELEMENT_MAX);
	int r;

	buf_add(&k, part.p, part.n);
	buf_add(&k, raw->k.p, raw->k.n);
	buf_add(&a, raw->a.p, raw->a.n);
	r = reopen(t, raw->h, (struct slice){ buf_str(&k), k.len },
	    (struct slice){ a.len > 0 ? buf_str(&a) : NULL, a.len });
	buf_free(&k);
	buf_free(&a);
	return r == ERR_NOENT ? 0 : r;
}

int
load_given(struct tree *t, int64_t share, int64_t h, struct slice key)
{
	char part[9 + B64_LEN(KEY_FILE_SIZE) + 2], handle[9];
	struct cache_raw raw;
	int n, r;

	if (t->loading || key.n > B64_LEN(KEY_FILE_SIZE))
		return 0;
	if ((r = cache_get_raw(t->cache, h, &raw)) < 0)
		return r == ERR_NOENT ? 0 : r;
	if (raw.k.p == NULL)
		return 0;
	n = snprintf(part, sizeof part, "%s:%.*s/",
	    node_handle(handle, share), (int)key.n, key.p);
	return try_closed(t, &raw, (struct slice){ part, (size_t)n });
}

/* Try them all. */
static int
open_closed(struct tree *t)
{
	struct cache_raw raw = { .h = -1 };
	int r;

	while ((r = cache_next_raw(t->cache, raw.h, &raw)) == 1)
		if ((r = try_closed(t, &raw, (struct slice){ "", 0 })) < 0)
			break;
	return r;
}

int
load_settle(struct tree *t)
{
	int r = 0;

	if (t->new_keys) {
		t->closed = 0;
		r = open_closed(t);
	}
	t->new_keys = 0;
	if (r == 0 && t->moved_shares)
		r = cache_place_inshares(t->cache);
	t->moved_shares = 0;
	return r;
}

static int
take_manager_key(void *ctx, const uint8_t *h, const uint8_t *key)
{
	char text[9];

	b64_encode(text, h, 6);
	return load_key(ctx, node_number(text), key);
}

/* The attribute's value, in the answer to "uga": of new clients an object
 * with its version, of old ones just it. */
static int
take_keyring(struct tree *t, const struct json *j, int v)
{
	int r;

	if (json_type(j, v) == JSON_OBJECT)
		v = json_member(j, v, "av");
	if (!t->loading && (r = cache_begin(t->cache)) < 0)
		return r;
	r = keyring_open(json_raw(j, v), t->session->master, take_manager_key,
	    t);
	/* One that we cannot read is not ours to judge. */
	if (r == ERR_MAC || r == ERR_PROTO) {
		err_clear();
		r = 0;
	}
	if (r == 0)
		r = load_settle(t);
	if (r == 0 && !t->loading)
		r = cache_commit(t->cache);
	if (r < 0 && !t->loading)
		cache_rollback(t->cache);
	return r;
}

int
load_keyring(struct tree *t)
{
	struct api_cmd c = { 0 };
	struct json_out o;
	struct json j = { 0 };
	int r;

	t->closed = 0;
	if (t->session == NULL)
		return 0;
	o = api_begin(&c, "uga");
	json_put(&o, "u", t->session->user);
	json_put(&o, "ua", KEYRING_NAME);
	json_put_int(&o, "v", 1);
	if ((r = api_wait(t->api, &c, &o, &j)) >= 0)
		r = take_keyring(t, &j, r);
	json_free(&j);
	if (r == ERR_NOENT) {
		/* An account that never had a key manager. */
		err_clear();
		r = 0;
	}
	return r;
}

/* An own share's key. */
struct ok {
	char h[9];
	uint8_t key[KEY_SIZE], ha[KEY_SIZE];
};

static const struct shape ok_shape[] = {
	SHAPE(ok, h, "h", SHAPE_HANDLE, SHAPE_REQUIRED, 0, 8),
	SHAPE(ok, key, "k", SHAPE_BYTES, SHAPE_REQUIRED, 0, KEY_SIZE),
	SHAPE(ok, ha, "ha", SHAPE_BYTES, SHAPE_REQUIRED, 0, KEY_SIZE),
	SHAPE_END
};

/* The same in a packet about the share, under other names. */
static const struct shape packet_ok_shape[] = {
	SHAPE(ok, h, "n", SHAPE_HANDLE, SHAPE_REQUIRED, 0, 8),
	SHAPE(ok, key, "ok", SHAPE_BYTES, SHAPE_REQUIRED, 0, KEY_SIZE),
	SHAPE(ok, ha, "ha", SHAPE_BYTES, SHAPE_REQUIRED, 0, KEY_SIZE),
	SHAPE_END
};

static int
take_ok(struct tree *t, const struct shape *shape, struct json *j, int v)
{
	struct ok ok = { 0 };
	uint8_t ha[KEY_SIZE];
	int r = 0;

	if (shape_read("share key", shape, j, v, &ok) < 0) {
		err_clear();
		return 0;
	}
	/* Clients with a key manager send zeros for both; and a server must
	 * not be able to plant a key. */
	memcpy(ha, ok.h, 8);
	memcpy(ha + 8, ok.h, 8);
	wrap(t, ha, ha, KEY_SIZE);
	if (secret_equal(ha, ok.ha, KEY_SIZE)) {
		aes_decrypt(&t->keys.master, ok.key, ok.key, 1);
		r = load_key(t, node_number(ok.h), ok.key);
	}
	secret_zero(&ok, sizeof ok);
	return r;
}

int
load_ok(struct tree *t, struct json *j, int v)
{
	return take_ok(t, ok_shape, j, v);
}

int
load_packet_ok(struct tree *t, struct json *j, int v)
{
	return take_ok(t, packet_ok_shape, j, v);
}

struct share {
	char h[9];
	struct slice u, p;
};

static const struct shape share_shape[] = {
	SHAPE(share, h, "h", SHAPE_HANDLE, SHAPE_REQUIRED, 0, 8),
	SHAPE(share, u, "u", SHAPE_STRING, SHAPE_EMPTY, 1, 11),
	SHAPE(share, p, "p", SHAPE_STRING, SHAPE_EMPTY, 1, 11),
	SHAPE_END
};

int
load_share(struct tree *t, struct json *j, int v)
{
	struct share s = { 0 };

	if (shape_read("share", share_shape, j, v, &s) < 0) {
		err_clear();
		return 0;
	}
	if (s.u.p == NULL)
		s.u = s.p;
	if (s.u.p == NULL)
		return 0;
	return cache_put_share(t->cache, node_number(s.h), s.u.p, s.u.n);
}

struct user {
	char u[12];
	struct slice m;
};

static const struct shape user_shape[] = {
	SHAPE(user, u, "u", SHAPE_HANDLE, SHAPE_REQUIRED, 0, 11),
	SHAPE(user, m, "m", SHAPE_TEXT, SHAPE_REQUIRED, 1, MAIL_MAX),
	SHAPE_END
};

int
load_user(struct tree *t, struct json *j, int v)
{
	struct user u = { 0 };

	if (shape_read("user", user_shape, j, v, &u) < 0) {
		err_clear();
		return 0;
	}
	return cache_put_user(t->cache, node_user_number(u.u), u.m.p, u.m.n);
}

struct ph {
	char h[9], ph[9];
	int64_t d, ets;
};

static const struct shape ph_shape[] = {
	SHAPE(ph, h, "h", SHAPE_HANDLE, SHAPE_REQUIRED, 0, 8),
	SHAPE(ph, ph, "ph", SHAPE_HANDLE, SHAPE_EMPTY, 0, 8),
	SHAPE(ph, d, "d", SHAPE_INT, SHAPE_LAX, 0, 1),
	SHAPE(ph, ets, "ets", SHAPE_INT, SHAPE_LAX, 0, INT64_MAX),
	SHAPE_END
};

int
load_link(struct tree *t, struct json *j, int v)
{
	struct ph p = { 0 };

	if (shape_read("link", ph_shape, j, v, &p) < 0) {
		err_clear();
		return 0;
	}
	if (p.d == 0 && p.ph[0] == '\0')
		return 0;
	return cache_put_link(t->cache, node_number(p.h),
	    p.d != 0 ? -1 : node_number(p.ph), p.ets);
}

/*
 * The reply to "f", as it streams in.
 */
struct all {
	struct api_cmd cmd;
	struct tree *t;
	struct json json;
	int (*element)(struct tree *t, struct json *j, int v); /* of the list
	                      * under way; NULL: not wanted */
	struct node_scan scan; /* of a node, which is taken apart further */
	int64_t error;       /* the reply is an error */
	int nodes;           /* "f" was there */
	int failed;          /* there is no cache to load into */
};

static const struct {
	const char *name;
	int (*element)(struct tree *t, struct json *j, int v);
} lists[] = {
	{ "f", load_node }, { "f2", load_node }, { "ok", load_ok },
	{ "ok0", load_ok }, { "u", load_user }, { "ph", load_link },
	{ "s", load_share }, { "ps", load_share }, { "cr", wants_part },
};

static int
is_key(struct slice key, const char *name)
{
	return key.p != NULL && key.n == strlen(name) &&
	    memcmp(key.p, name, key.n) == 0;
}

static int
all_enter(void *ctx, int depth, struct slice key, int open)
{
	struct all *a = ctx;

	/* What is not wanted is taken apart as well: so none of it is ever
	 * collected.  Nodes are since there are many. */
	if (depth == 2 && open == '{' && a->element == load_node)
		node_begin(&a->scan);
	if (depth > 1)
		return a->element == NULL || (a->element == load_node &&
		    (depth > 2 || open == '{'));
	a->element = NULL;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (open == '[' && is_key(key, lists[i].name))
			a->element = lists[i].element;
	a->nodes |= a->element == load_node;
	return 1;
}

/* A member of the reply itself. */
static int
all_member(struct all *a, struct slice key, struct slice text)
{
	struct cache_state *s = &a->t->state;
	struct slice sn;

	if (!is_key(key, "sn") && !is_key(key, "err"))
		return 0;
	if (json_parse(&a->json, text.p, text.n) < 0)
		return 0;
	if (is_key(key, "err")) {
		json_int(&a->json, 0, 0, &a->error);
		return 0;
	}
	sn = json_raw(&a->json, 0);
	if (sn.n < sizeof s->sn && b64_valid(sn.p, sn.n)) {
		memcpy(s->sn, sn.p, sn.n);
		s->sn[sn.n] = '\0';
	}
	return 0;
}

static int
all_value(void *ctx, int depth, struct slice key, struct slice text)
{
	struct all *a = ctx;

	if (a->failed < 0)
		return a->failed;
	if (depth == 1)
		return all_member(a, key, text);
	if (depth == 3 && a->element == load_node)
		node_member(&a->scan, key, text);
	if (depth != 2 || a->element == NULL)
		return 0;
	if (text.n > ELEMENT_MAX || json_parse(&a->json, text.p, text.n) < 0)
		return skip(a->t);
	return a->element(a->t, &a->json, 0);
}

static int
all_leave(void *ctx, int depth)
{
	struct all *a = ctx;
	struct node_wire w;

	if (a->failed < 0)
		return a->failed;
	if (depth == 2 && a->element == load_node)
		return node_end(&a->scan, &w) < 0 ? skip(a->t) :
		    put_wire(a->t, &w);
	if (depth == 1)
		a->element = NULL;
	return 0;
}

/* An empty cache to load into; one that was begun is dropped. */
static int
begin(struct tree *t)
{
	cache_close(t->cache);
	t->cache = NULL;
	t->state.sn[0] = t->link_root[0] = '\0';
	t->new_keys = t->closed = t->moved_shares = 0;
	t->skipped = 0;
	wants_rollback(&t->wants);
	return cache_new(&t->cache, t->place, t->memory);
}

/* The reply broke off and comes again. */
static void
all_again(struct api_cmd *c)
{
	struct all *a = c->split->ctx;

	a->element = NULL;
	a->nodes = 0;
	a->failed = begin(a->t);
}

static int
ask(struct all *a, int fresh)
{
	struct json_split split = { .enter = all_enter, .value = all_value,
	    .leave = all_leave, .ctx = a };
	struct json_out o = api_begin(&a->cmd, "f");
	int r;

	json_put_int(&o, "c", 1);
	json_put_int(&o, "r", 1);
	if (!fresh)
		json_put_int(&o, "ca", 1);
	if (a->t->part[0] != '\0') {
		json_put(&o, "n", a->t->part);
		json_put_int(&o, "part", 1);
	}
	a->cmd.split = &split;
	a->cmd.again = all_again;
	if ((r = api_wait_split(a->t->api, &a->cmd, &o)) < 0)
		return r;
	if (a->error < 0 && a->error > -1000)
		return err_service((int)a->error);
	if (!a->nodes)
		return err_set(ERR_PROTO, "reply to \"f\": no member \"f\"");
	return 0;
}

int
load_all(struct tree *t, int fresh)
{
	struct all a = { .t = t };
	int r;

	t->loading = 1;
	if ((r = begin(t)) == 0 && (r = ask(&a, fresh)) == 0 &&
	    (r = cache_sort(t->cache)) == 0 && (r = load_settle(t)) == 0 &&
	    (!t->closed || (r = load_keyring(t)) == 0) &&
	    (r = cache_put_state(t->cache, &t->state)) == 0)
		r = cache_publish(t->cache);
	t->loading = 0;
	json_free(&a.json);
	node_scan_free(&a.scan);
	return r;
}
