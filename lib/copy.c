#include <stdlib.h>
#include <string.h>

#include "copy.h"
#include "err.h"
#include "mem.h"
#include "secret.h"
#include "shape.h"
#include "share.h"

#define NODES_MAX  1000      /* in one command; the service takes 2000 */
#define TEXT_MAX   (1u << 20) /* of one command, about */
#define FLYING_MAX 100       /* commands of one copy */

/*
 * A command makes items that follow each other: some in one folder that is
 * there, and what is below these.
 */
struct part {
	struct api_cmd cmd;
	struct copy *copy;
	size_t first, last;      /* of the items; those that are not new are
	                          * not in it */
	char target[9];

	/* While it is written. */
	struct json_out o;
	struct share shares[SHARE_NESTED_MAX]; /* that cover the target */
	int nshares;
	struct share_node *nodes; /* what they have to know */
	uint8_t (*keys)[KEY_FILE_SIZE];
	size_t n;
};

size_t
copy_add(struct copy *c, const struct node *n, size_t parent)
{
	struct copy_item *i;

	if (c->n == c->cap) {
		c->cap = c->cap == 0 ? 1 : 2 * c->cap;
		c->items = xreallocarray(c->items, c->cap, sizeof *c->items);
	}
	i = &c->items[c->n];
	*i = (struct copy_item){ .parent = parent,
	    .is_folder = n->type != NODE_FILE };
	memcpy(i->from, n->h, sizeof i->from);
	return c->n++;
}

/* The folder that an item goes into; "" if it is not there yet. */
static const char *
target_of(const struct copy *c, const struct copy_item *i)
{
	return i->parent == COPY_TOP ? c->folder : c->items[i->parent].to;
}

/*
 * Writing commands.
 */

/* The key and the attributes of an item, as the copy has them. */
static int
describe(const struct copy *c, const struct copy_item *i, struct node *n,
    struct attr *a)
{
	int r;

	*n = (struct node){ 0 };
	*a = (struct attr){ 0 };
	if ((r = tree_get(c->source, i->from, n)) < 0 ||
	    (r = tree_attributes(c->source, i->from, a)) < 0)
		return r;
	if (n->keylen == 0)
		return err_set(ERR_KEY, "its key cannot be decrypted");
	if (i->is_folder)
		secret_random(n->key, KEY_SIZE);
	return 0;
}

/* Remember a key for the shares. */
static void
keep_key(struct part *p, const struct node *n)
{
	if (p->nodes == NULL)
		return;
	memcpy(p->keys[p->n], n->key, n->keylen);
	p->nodes[p->n] = (struct share_node){ .h = "",
	    .key = p->keys[p->n], .keylen = n->keylen };
}

/* Write one item; inside: what is around it is in the same command. */
static int
write_node(struct part *p, const struct copy_item *i, int inside,
    const struct node *n, struct attr *a)
{
	struct copy *c = p->copy;
	struct buf text = BUF_MAX(2 * ATTR_MAX);
	uint8_t key[KEY_FILE_SIZE];
	int r;

	attr_strip(a, c->import);
	if (i == c->items && c->name != NULL)
		attr_set(a, "n", c->name, c->namelen);
	key_fold(key, n->key, n->keylen);
	if ((r = attr_seal(a, &text, key)) < 0)
		goto out;
	key_wrap(key, n->key, n->keylen, c->master);
	json_open(&p->o, NULL, '{');
	json_put(&p->o, c->import ? "ph" : "h", i->from);
	json_put_int(&p->o, "t", i->is_folder);
	if (inside)
		json_put(&p->o, "p", c->items[i->parent].from);
	json_put_n(&p->o, "a", text.p, text.len);
	json_put_b64(&p->o, "k", key, n->keylen);
	json_close(&p->o, '}');
	keep_key(p, n);
	p->n++;
out:
	secret_zero(key, sizeof key);
	buf_free(&text);
	return r;
}

static int
write_item(struct part *p, const struct copy_item *i, int inside)
{
	struct copy *c = p->copy;
	struct node n;
	struct attr a;
	int r;

	if (c->source == NULL)
		return write_node(p, i, inside, &c->file, &c->attr);
	if ((r = describe(c, i, &n, &a)) == 0)
		r = write_node(p, i, inside, &n, &a);
	attr_free(&a);
	node_free(&n);
	return r;
}

/* The first failure counts. */
static void
fail(struct copy *c, int err)
{
	if (c->result == 0) {
		c->result = err;
		c->error = err_keep();
	}
}

/* Whether an item is one of those that a command being written makes. */
static int
is_in(const struct part *p, size_t i)
{
	return i != COPY_TOP && i >= p->first &&
	    p->copy->items[i].state == COPY_NEW;
}

/* Write as many items as go together, from the first on. */
static void
write_items(struct part *p)
{
	struct copy *c = p->copy;
	size_t i;
	int r;

	for (i = p->first; i < c->n && p->n < NODES_MAX &&
	    p->o.b->len < TEXT_MAX; i++) {
		struct copy_item *item = &c->items[i];
		int inside = is_in(p, item->parent);

		if (item->parent != COPY_TOP &&
		    c->items[item->parent].state == COPY_FAILED)
			item->state = COPY_FAILED;
		if (item->state != COPY_NEW)
			continue;
		if (!inside && strcmp(target_of(c, item), p->target) != 0)
			break;
		if ((r = write_item(p, item, inside)) < 0) {
			fail(c, r);
			item->state = COPY_FAILED;
		}
	}
	p->last = i;
}

static void on_made(struct api_cmd *cmd, struct json *j, int v, int err);

/* The shares that cover the target: those of the nearest folder around it
 * that the tree knows. */
static int
find_shares(struct part *p)
{
	const struct copy *c = p->copy;
	size_t i = c->items[c->at].parent;

	while (i != COPY_TOP && c->items[i].state == COPY_DONE)
		i = c->items[i].parent;
	p->nshares = share_list(c->tree, i == COPY_TOP ? c->folder :
	    c->items[i].to, p->shares);
	if (p->nshares <= 0)
		return p->nshares;
	p->nodes = xcalloc(NODES_MAX, sizeof *p->nodes);
	p->keys = xcalloc(NODES_MAX, sizeof *p->keys);
	return 0;
}

static void
write_shares(struct part *p)
{
	if (p->nodes == NULL)
		return;
	share_put_cr(&p->o, p->shares, p->nshares, p->nodes, p->n);
	secret_zero(p->shares, sizeof p->shares);
	secret_zero(p->keys, NODES_MAX * sizeof *p->keys);
	free(p->keys);
	free(p->nodes);
}

/* Make and send the command for the items from c->at on. */
static void
send_part(struct copy *c)
{
	struct part *p = xcalloc(1, sizeof *p);
	int r;

	p->copy = c;
	p->first = c->at;
	memcpy(p->target, target_of(c, &c->items[c->at]), sizeof p->target);
	if ((r = find_shares(p)) < 0) {
		fail(c, r);
		c->items[c->at++].state = COPY_FAILED;
		free(p);
		return;
	}
	p->cmd = (struct api_cmd){ .done = on_made, .ctx = p };
	p->o = api_begin(&p->cmd, "p");
	json_put(&p->o, "t", p->target);
	json_open(&p->o, "n", '[');
	write_items(p);
	json_close(&p->o, ']');
	c->at = p->last;
	write_shares(p);
	if (p->n == 0) {
		buf_wipe(&p->cmd.json);
		free(p);
		return;
	}
	c->flying++;
	api_send(c->api, &p->cmd, &p->o);
}

/*
 * Answers.
 */

struct made {
	char h[9];
	int64_t ts;
};

static const struct shape made_shape[] = {
	SHAPE(made, h, "h", SHAPE_HANDLE, SHAPE_REQUIRED, 0, 8),
	SHAPE(made, ts, "ts", SHAPE_INT, SHAPE_LAX, 0, INT64_MAX),
	SHAPE_END
};

/* The nodes come in the order in which they were asked for. */
static int
read_made(struct part *p, struct json *j, int v)
{
	struct copy *c = p->copy;
	int nodes = json_member(j, v, "f"), r;

	if (json_count(j, nodes) != p->n)
		return err_set(ERR_PROTO, "reply to \"p\": %zu nodes for %zu",
		    json_count(j, nodes), p->n);
	v = json_first(j, nodes);
	for (size_t i = p->first; i < p->last; i++) {
		struct made m = { .ts = 0 };

		if (c->items[i].state != COPY_NEW)
			continue;
		if ((r = shape_read("reply to \"p\"", made_shape, j, v,
		    &m)) < 0)
			return r;
		memcpy(c->items[i].to, m.h, sizeof m.h);
		c->items[i].state = COPY_DONE;
		if (i == 0)
			c->created = m.ts;
		v = json_next(j, v);
	}
	return 0;
}

static void go_on(struct copy *c);

static void
on_made(struct api_cmd *cmd, struct json *j, int v, int err)
{
	struct part *p = cmd->ctx;
	struct copy *c = p->copy;

	if (err == 0)
		err = read_made(p, j, v);
	if (err < 0) {
		fail(c, err);
		for (size_t i = p->first; i < p->last; i++)
			if (c->items[i].state == COPY_NEW)
				c->items[i].state = COPY_FAILED;
	}
	free(p);
	c->flying--;
	go_on(c);
}

/* Send what can be sent by now: items whose folders are there. */
static void
go_on(struct copy *c)
{
	while (c->at < c->n && c->flying < FLYING_MAX) {
		struct copy_item *i = &c->items[c->at];
		int lost = i->parent != COPY_TOP &&
		    c->items[i->parent].state == COPY_FAILED;

		if (lost)
			i->state = COPY_FAILED;
		if (i->state != COPY_NEW)
			c->at++;
		else if (target_of(c, i)[0] != '\0')
			send_part(c);
		else
			break;
	}
	if (c->flying > 0)
		return;
	if (c->result < 0)
		err_again(c->result, c->error);
	c->done(c, c->result);
}

void
copy_start(struct copy *c)
{
	go_on(c);
}

void
copy_free(struct copy *c)
{
	node_free(&c->file);
	attr_free(&c->attr);
	free(c->name);
	free(c->items);
	free(c->error);
	c->name = NULL;
	c->error = NULL;
	c->items = NULL;
}
