/* New nodes: folders, uploads, copies and imports. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "err.h"
#include "mem.h"

#include "events.h"
#include "fattr.h"
#include "nodes.h"
#include "put.h"
#include "share.h"

#define NODES_MAX   10000  /* in one command; the official client: 2000 */
#define PACKET_MAX  ((size_t)96 << 20)
#define PACKET_NODES 1000
#define ATTR_B64_MAX 87382 /* 64 KiB */

struct put_args {
	struct slice t;
	int n, cr;
	int64_t sm, v, vb;
};

static const struct shape put_shape[] = {
	SHAPE(put_args, t, "t", SHAPE_TEXT, SHAPE_REQUIRED, 1, 190),
	SHAPE(put_args, n, "n", SHAPE_ARRAY, SHAPE_REQUIRED, 1, NODES_MAX),
	SHAPE(put_args, cr, "cr", SHAPE_ARRAY, 0, 0, 3),
	SHAPE(put_args, sm, "sm", SHAPE_INT, SHAPE_LAX, 0, 9),
	SHAPE(put_args, v, "v", SHAPE_INT, SHAPE_LAX, 0, 99),
	SHAPE(put_args, vb, "vb", SHAPE_INT, SHAPE_LAX, 0, 9),
	SHAPE_END
};

/* One member of "n". */
struct entry {
	struct slice h, ph, p, ov, a, k, fa;
	int64_t t;
};

static const struct shape entry_shape[] = {
	SHAPE(entry, h, "h", SHAPE_B64, SHAPE_EMPTY, 8, 64),
	SHAPE(entry, ph, "ph", SHAPE_B64, SHAPE_EMPTY, 8, 8),
	SHAPE(entry, p, "p", SHAPE_B64, SHAPE_EMPTY, 8, 64),
	SHAPE(entry, ov, "ov", SHAPE_B64, SHAPE_EMPTY, 8, 8),
	SHAPE(entry, t, "t", SHAPE_INT, SHAPE_REQUIRED, 0, 1),
	SHAPE(entry, a, "a", SHAPE_B64, SHAPE_REQUIRED, 22, ATTR_B64_MAX),
	SHAPE(entry, k, "k", SHAPE_B64, SHAPE_EMPTY, 22, 1400),
	SHAPE(entry, fa, "fa", SHAPE_STRING, SHAPE_EMPTY, 1, 65536),
	SHAPE_END
};

/* The command under way. */
struct put {
	struct cs *c;
	struct node target;
	int rsa;                /* keys are for another user's vault */
	int keep;               /* old versions stay */
	struct put_name *new;   /* a name and the handle of each entry */
	int *error;
	size_t n;
};

/* What a new file is made of. */
struct source {
	int64_t blob, size;
	char *fa;               /* NULL: none */
};

static int
source_node(struct put *p, struct source *s, int64_t h)
{
	sqlite3_stmt *st;

	if (h == 0)
		return ERR_NOENT;
	st = sql(p->c->db, "SELECT blob, s, fa FROM node WHERE h = ?"
	    " AND t = 0", "i", h);
	if (sql_row(st) != 1)
		return ERR_NOENT;
	s->blob = sqlite3_column_int64(st, 0);
	s->size = sqlite3_column_int64(st, 1);
	if (sqlite3_column_type(st, 2) != SQLITE_NULL)
		s->fa = xstrdup(sql_text(st, 2));
	sql_end(st);
	return 0;
}

/* An upload of this user that is complete. */
static int
source_upload(struct put *p, struct source *s, struct slice token)
{
	sqlite3_stmt *st;

	st = sql(p->c->db, "UPDATE blob SET kept = 1 WHERE h = ?"
	    " AND user = ? AND done = 1 RETURNING id, size", "si", token,
	    p->c->user);
	if (sql_row(st) != 1)
		return ERR_NOENT;
	s->blob = sqlite3_column_int64(st, 0);
	s->size = sqlite3_column_int64(st, 1);
	while (sql_row(st) == 1)
		;
	return 0;
}

/* A node of one's own, or one that a live folder link shows: to know the
 * handle is enough, since that is all that official clients send. */
static int
source_copy(struct put *p, struct source *s, struct slice text)
{
	int64_t h = handle_read(text.p, text.n);
	struct node n;
	int r;

	if (h == 0)
		return ERR_NOENT;
	r = node_find(p->c, &n, h);
	if (r < 0 && share_exported(p->c->db, h))
		r = 0;
	return r < 0 ? r : source_node(p, s, h);
}

static int
find_source(struct put *p, struct source *s, const struct entry *e)
{
	int64_t h;

	if (e->ph.p != NULL) {
		h = share_public(p->c->db, e->ph, NULL);
		return h > 0 ? source_node(p, s, h) :
		    source_copy(p, s, e->ph);
	}
	if (e->h.p == NULL)
		return ERR_ARGS;
	return e->h.n == 8 ? source_copy(p, s, e->h) :
	    source_upload(p, s, e->h);
}

/*
 * The key is encrypted, and yet some of it shows: text of all zeros, and
 * (by ECB) a file key whose halves are equal, which folds to zero.
 */
static int
check_key(const struct put *p, const struct entry *e)
{
	uint8_t k[32];
	size_t want = e->t == 0 ? 32 : 16;
	int zero = 1;

	if (e->k.p == NULL)
		return p->c->home != 0 ? 0 : ERR_KEY;
	if (p->rsa && e->k.n > 43)
		return 0;
	if (b64_decode_exact(k, want, e->k.p, e->k.n) < 0)
		return ERR_ARGS;
	for (size_t i = 0; i < want; i++)
		zero = zero && k[i] == 0;
	if (zero || (want == 32 && memcmp(k, k + 16, 16) == 0))
		return ERR_KEY;
	return 0;
}

static int
check_entry(const struct put *p, const struct entry *e)
{
	if (B64_BYTES(e->a.n) == 0 || B64_BYTES(e->a.n) % 16 != 0)
		return ERR_ARGS;
	if (e->fa.p != NULL && !fattr_ok(e->fa))
		return ERR_ARGS;
	return check_key(p, e);
}

/* Where an entry goes: the target, or an earlier entry of the command. */
static int64_t
find_parent(const struct put *p, const struct entry *e, size_t i)
{
	if (e->p.p == NULL)
		return p->target.h;
	while (i-- > 0) {
		if (p->new[i].name.n == e->p.n &&
		    memcmp(p->new[i].name.p, e->p.p, e->p.n) == 0)
			return p->new[i].h;
	}
	return 0;
}

static int
quota_left(const struct put *p, int64_t size)
{
	int64_t used = sql_int(p->c->db, 0, "SELECT used FROM user"
	    " WHERE id = ?", "i", p->target.user);

	return size <= p->c->srv->storage - used ? 0 : ERR_OVERQUOTA;
}

/* Put the node that e replaces below the new one, or away. */
static int
replace_old(struct put *p, const struct entry *e, int64_t new,
    int64_t *parent)
{
	struct node old;
	int r;

	r = node_find_writable(p->c, &old, handle_read(e->ov.p, e->ov.n));
	if (r < 0)
		return r;
	if (old.t != 0 || old.ver)
		return ERR_ARGS;
	*parent = old.parent;
	if (p->keep) {
		r = sql_do(p->c->db, "UPDATE node SET parent = ?, ver = 1"
		    " WHERE h = ?", "ii", new, old.h);
		return r < 0 ? r : 0;
	}
	return node_remove(p->c, &old);
}

static int
insert(struct put *p, const struct entry *e, const struct source *s,
    int64_t h, int64_t parent)
{
	struct slice none = { "", 0 };
	int r;

	r = sql_do(p->c->db, "INSERT INTO node(h, user, parent, t, a, k, s,"
	    " ts, fa, blob) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?,"
	    " nullif(?, 0))", "iiiissiiti", h, p->target.user, parent,
	    e->t, e->a, e->k.p != NULL ? e->k : none, s->size, store_now(),
	    s->fa, s->blob);
	return r < 0 ? r : 0;
}

/* Make one node.  Its handle, or why there is none. */
static int64_t
make(struct put *p, const struct entry *e, size_t i)
{
	struct source s = { 0 };
	int64_t h = 0, parent = find_parent(p, e, i);
	int r;

	if (parent == 0)
		return ERR_NOENT;
	if ((r = check_entry(p, e)) < 0)
		goto out;
	if (e->t == 0 && (r = find_source(p, &s, e)) < 0)
		goto out;
	if (e->fa.p != NULL) {
		free(s.fa);
		s.fa = fattr_merge("", e->fa);
	}
	if ((r = quota_left(p, s.size)) < 0)
		goto out;
	h = handle_new(p->c->db);
	if (e->ov.p != NULL && (r = replace_old(p, e, h, &parent)) < 0)
		goto out;
	r = insert(p, e, &s, h, parent);
out:
	free(s.fa);
	return r < 0 ? r : h;
}

static int
make_all(struct put *p, int list)
{
	struct entry e;
	size_t i = 0;
	int made = 0, r;
	int64_t h;

	for (int v = json_first(p->c->j, list); v >= 0;
	    v = json_next(p->c->j, v), i++) {
		e = (struct entry){ 0 };
		sql_do(p->c->db, "SAVEPOINT node", "");
		if ((r = shape_read("p", entry_shape, p->c->j, v, &e)) < 0)
			h = ERR_ARGS;
		else
			h = make(p, &e, i);
		if (h < 0)
			sql_do(p->c->db, "ROLLBACK TO node", "");
		sql_do(p->c->db, "RELEASE node", "");
		p->new[i].name = e.ph.p != NULL ? e.ph : e.h;
		p->new[i].h = h < 0 ? 0 : h;
		p->error[i] = h < 0 ? (int)h : 0;
		made += h > 0;
	}
	return made;
}

static int
put_nodes(struct cs *c, struct json_out *o, const char *root,
    const int64_t *h, size_t n, int64_t index, int version)
{
	sqlite3_stmt *st;

	for (size_t i = 0; i < n; i++) {
		st = sql(c->db, "SELECT " NODE_COLUMNS " FROM node n"
		    " JOIN user u ON u.id = n.user WHERE n.h = ?2"
		    " AND n.ver = ?3", "tid", root, h[i], version);
		if (sql_row(st) == 1)
			node_put(o, st, root, index < 0 ? -1 :
			    index + (int64_t)i);
		sql_end(st);
	}
	return buf_check(o->b);
}

/* The old versions right below nodes, for clients that drop the replaced
 * node when its place is taken. */
static void
put_versions(struct cs *c, struct json_out *o, const char *root,
    const int64_t *h, size_t n)
{
	sqlite3_stmt *st;

	for (size_t i = 0; i < n; i++) {
		st = sql(c->db, "SELECT " NODE_COLUMNS " FROM node n"
		    " JOIN user u ON u.id = n.user WHERE n.parent = ?2"
		    " AND n.ver = 1", "ti", root, h[i]);
		while (sql_row(st) == 1)
			node_put(o, st, root, -1);
	}
}

static int
tell_slice(struct cs *c, int64_t channel, const char *root, const int64_t *h,
    size_t n, int64_t index)
{
	struct buf b = BUF_MAX(PACKET_MAX);
	struct json_out o;
	int r;

	event_begin(c, &o, &b, "t");
	json_open(&o, "t", '{');
	json_open(&o, "f", '[');
	put_nodes(c, &o, root, h, n, index, 0);
	json_close(&o, ']');
	json_open(&o, "f2", '[');
	put_nodes(c, &o, root, h, n, -1, 1);
	if (index >= 0)
		put_versions(c, &o, root, h, n);
	json_close(&o, ']');
	json_close(&o, '}');
	if (c->user != 0)
		json_put(&o, "ou", c->handle);
	event_end(&o);
	r = event_send(c, channel, &b);
	buf_free(&b);
	return r;
}

int
put_tell(struct cs *c, int64_t channel, const char *root, const int64_t *h,
    size_t n, int with_index)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i += PACKET_NODES) {
		size_t m = n - i < PACKET_NODES ? n - i : PACKET_NODES;

		r = tell_slice(c, channel, root, h + i, m,
		    with_index ? (int64_t)i : -1);
	}
	return r;
}

/* Tell the owner and the folder links that show the target. */
static int
tell_all(struct put *p, const int64_t *h)
{
	int64_t roots[NODES_ROOTS_MAX];
	char root[HANDLE_TEXT];
	size_t n;
	int r;

	r = put_tell(p->c, p->target.user, NULL, h, p->n, 1);
	n = node_roots(p->c->db, p->target.h, roots);
	for (size_t i = 0; i < n && r == 0; i++)
		r = put_tell(p->c, -roots[i], handle_text(root, roots[i]), h,
		    p->n, 1);
	return r < 0 ? r : share_ask_keys(p->c, p->target.user, p->target.h,
	    h, p->n);
}

/* Errors by entry: an array if they are the first ones, else an object. */
static void
put_errors(struct put *p, struct json_out *o)
{
	size_t last = 0, bad = 0;
	char key[24];

	for (size_t i = 0; i < p->n; i++) {
		if (p->error[i] < 0) {
			last = i + 1;
			bad++;
		}
	}
	json_open(o, "e", bad == last ? '[' : '{');
	for (size_t i = 0; i < last; i++) {
		int e = p->error[i] > ERR_PROTO ? p->error[i] : ERR_INTERNAL;

		snprintf(key, sizeof key, "%zu", i);
		if (bad == last || e < 0)
			json_put_int(o, bad == last ? NULL : key, e);
	}
	json_close(o, bad == last ? ']' : '}');
}

static void
put_file_handles(struct put *p, struct json_out *o)
{
	char text[HANDLE_TEXT + ID_TEXT], fh[ID_TEXT];

	json_open(o, "fh", '[');
	for (size_t i = 0; i < p->n; i++) {
		int64_t blob = sql_int(p->c->db, 0, "SELECT blob FROM node"
		    " WHERE h = ?", "i", p->new[i].h);

		if (blob == 0)
			continue;
		handle_text(text, p->new[i].h);
		snprintf(text + 8, sizeof text - 8, ":%s", id_text(fh, blob));
		json_put(o, NULL, text);
	}
	json_close(o, ']');
}

/* The old dialect gives the nodes in the reply and knows no partial
 * success. */
static int
reply(struct put *p, const struct put_args *a, const int64_t *h)
{
	struct json_out *o = &p->c->out;
	char home[HANDLE_TEXT];
	int modern = a->sm == 1;

	for (size_t i = 0; i < p->n && !modern; i++) {
		if (p->error[i] < 0)
			return p->error[i];
	}
	json_open(o, NULL, '{');
	if (modern) {
		put_errors(p, o);
		put_file_handles(p, o);
	} else {
		json_open(o, "f", '[');
		put_nodes(p->c, o, p->c->user == p->target.user ? NULL :
		    handle_text(home, p->c->home), h, p->n, -1, 0);
		json_close(o, ']');
	}
	json_close(o, '}');
	return 0;
}

/* The target: a folder one may write to, or a user (their vault). */
static int
find_target(struct put *p, struct slice t)
{
	int64_t h = handle_read(t.p, t.n);
	int r;

	if (h == 0) {
		h = sql_int(p->c->db, 0, "SELECT inbox FROM user"
		    " WHERE h = ?1 OR email = lower(?1)", "s", t);
		p->rsa = 1;
		return h == 0 || p->c->user == 0 ? ERR_NOENT :
		    node_get(p->c->db, &p->target, h);
	}
	if ((r = node_find_writable(p->c, &p->target, h)) < 0)
		return r;
	return p->target.t == 0 ? ERR_ARGS : 0;
}

static int
put_run(struct cs *c, const void *args)
{
	const struct put_args *a = args;
	struct put p = { .c = c, .keep = a->vb != 0 };
	int64_t *h;
	int r;

	/* Without "vb" the account's setting counts, which is to keep. */
	if (json_member(c->j, c->cmd, "vb") < 0)
		p.keep = 1;
	if ((r = find_target(&p, a->t)) < 0)
		return r;
	p.n = json_count(c->j, a->n);
	p.new = xcalloc(p.n, sizeof *p.new);
	p.error = xcalloc(p.n, sizeof *p.error);
	h = xcalloc(p.n, sizeof *h);
	if (make_all(&p, a->n) > 0) {
		for (size_t i = 0; i < p.n; i++)
			h[i] = p.new[i].h;
		r = put_cr(c, a->cr, p.new, p.n);
		if (r == 0)
			r = tell_all(&p, h);
	}
	if (r == 0)
		r = reply(&p, a, h);
	free(h);
	free(p.error);
	free(p.new);
	return r;
}

/* One of the two lists at the front of "cr", as slices of the request. */
static struct slice *
load_list(struct cs *c, int v, size_t *n)
{
	struct slice *s;
	size_t i = 0;

	*n = json_count(c->j, v);
	s = xcalloc(*n + 1, sizeof *s);
	for (v = json_first(c->j, v); v >= 0; v = json_next(c->j, v))
		s[i++] = json_raw(c->j, v);
	return s;
}

/* The nodes that "cr" speaks of: new ones, by place or by name, and others,
 * by handle. */
struct cr_nodes {
	const struct put_name *new;
	struct put_name *sorted;  /* the same by name */
	size_t n;
	struct slice *names;
	size_t nnames;
};

static int
by_name(const void *a, const void *b)
{
	const struct slice *x = &((const struct put_name *)a)->name;
	const struct slice *y = &((const struct put_name *)b)->name;
	size_t n = x->n < y->n ? x->n : y->n;
	int r = n == 0 ? 0 : memcmp(x->p, y->p, n);

	return r != 0 ? r : (x->n > y->n) - (x->n < y->n);
}

static void
cr_sort(struct cr_nodes *c)
{
	c->sorted = xcalloc(c->n + 1, sizeof *c->sorted);
	if (c->n == 0)
		return;
	memcpy(c->sorted, c->new, c->n * sizeof *c->sorted);
	qsort(c->sorted, c->n, sizeof *c->sorted, by_name);
}

static int64_t
cr_node(const struct cr_nodes *c, int64_t i)
{
	struct put_name want;
	const struct put_name *found;

	if (c->nnames == 0)
		return (uint64_t)i < c->n ? c->new[i].h : 0;
	if ((uint64_t)i >= c->nnames)
		return 0;
	want.name = c->names[i];
	/* Names may repeat ("xxxxxxxx"): then the place decides. */
	if ((uint64_t)i < c->n && by_name(&c->new[i], &want) == 0)
		return c->new[i].h;
	found = bsearch(&want, c->sorted, c->n, sizeof want, by_name);
	return found != NULL ? found->h :
	    handle_read(want.name.p, want.name.n);
}

static int
store_key(struct cs *c, struct slice share, int64_t node, struct slice key)
{
	struct node n;
	int r;

	if (node == 0 || (key.n != 22 && key.n != 43) ||
	    !b64_valid(key.p, key.n) || handle_read(share.p, share.n) == 0)
		return 0;
	if (node_find_writable(c, &n, node) < 0)
		return 0;
	r = sql_do(c->db, "INSERT OR REPLACE INTO nodekey(share, node, k)"
	    " VALUES(?, ?, ?)", "sis", share, node, key);
	return r < 0 ? r : 0;
}

int
put_cr(struct cs *c, int cr, const struct put_name *new, size_t n)
{
	struct cr_nodes nodes = { .new = new, .n = n };
	struct slice *shares;
	size_t nshares;
	int64_t si, ni;
	int list = json_first(c->j, cr), v, r = 0;

	if (list < 0)
		return 0;
	shares = load_list(c, list, &nshares);
	list = json_next(c->j, list);
	nodes.names = load_list(c, list, &nodes.nnames);
	list = json_next(c->j, list);
	cr_sort(&nodes);
	for (v = json_first(c->j, list); v >= 0 && r == 0;
	    v = json_next(c->j, v)) {
		if (json_int(c->j, v, 1, &si) < 0 ||
		    json_int(c->j, v = json_next(c->j, v), 1, &ni) < 0 ||
		    (v = json_next(c->j, v)) < 0 ||
		    si < 0 || (uint64_t)si >= nshares || ni < 0)
			r = ERR_ARGS;
		else
			r = store_key(c, shares[si], cr_node(&nodes, ni),
			    json_raw(c->j, v));
	}
	free(nodes.sorted);
	free(nodes.names);
	free(shares);
	return r;
}

const struct cs_command put_commands[] = {
	{ "p", put_run, put_shape, sizeof(struct put_args),
	    CS_ANY | CS_CHANGE },
	{ NULL, NULL, NULL, 0, 0 }
};
