#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attr.h"
#include "err.h"
#include "folder.h"
#include "mem.h"
#include "secret.h"

static int
read_reply(struct folder_job *f, struct json *j, int v)
{
	int nodes = json_member(j, v, "f"), r;

	if ((r = node_made(f->node.h, j, nodes)) < 0)
		return r;
	return f->tree != NULL ? tree_take(f->tree, j, nodes) : 0;
}

static void
on_made(struct api_cmd *c, struct json *j, int v, int err)
{
	struct folder_job *f = c->ctx;

	f->result = err < 0 ? err : read_reply(f, j, v);
	if (f->result < 0) {
		f->error = err_keep();
		node_free(&f->node);
	}
	f->done(f);
}

/* A node with a new key, as far as it is known beforehand. */
static void
describe(struct folder_job *f)
{
	struct node *n = &f->node;

	*n = (struct node){ .type = NODE_FOLDER, .keylen = KEY_SIZE,
	    .mtime = -1, .created = (int64_t)time(NULL), .namelen = f->n };
	secret_random(n->key, KEY_SIZE);
	memcpy(n->p, f->parent, sizeof n->p);
	n->name = xmalloc(f->n + 1);
	memcpy(n->name, f->name, f->n);
	n->name[f->n] = '\0';
}

static void
send_job(struct folder_job *f, struct api *api, const uint8_t master[16])
{
	struct buf attrs = BUF_MAX(2 * ATTR_MAX);
	struct share_node node = { .h = "", .key = f->node.key,
	    .keylen = KEY_SIZE };
	uint8_t wrapped[KEY_SIZE];
	struct attr a = { 0 };
	struct json_out o;

	describe(f);
	if (master != NULL)
		key_wrap(wrapped, f->node.key, KEY_SIZE, master);
	attr_set(&a, "n", f->name, f->n);
	if ((f->result = attr_seal(&a, &attrs, f->node.key)) < 0) {
		f->error = err_keep();
		node_free(&f->node);
		f->done(f);
		goto out;
	}
	f->cmd = (struct api_cmd){ .done = on_made, .ctx = f };
	o = api_begin(&f->cmd, "p");
	json_put(&o, "t", f->parent);
	json_open(&o, "n", '[');
	json_open(&o, NULL, '{');
	json_put(&o, "h", "xxxxxxxx");
	json_put_int(&o, "t", NODE_FOLDER);
	json_put_n(&o, "a", attrs.p, attrs.len);
	if (master != NULL)
		json_put_b64(&o, "k", wrapped, KEY_SIZE);
	json_close(&o, '}');
	json_close(&o, ']');
	share_put_cr(&o, f->shares, f->nshares, &node, 1);
	api_send(api, &f->cmd, &o);
out:
	attr_free(&a);
	buf_free(&attrs);
}

void
folder_begin(struct folder_job *f, struct api *api,
    const uint8_t master[16], struct tree *tree)
{
	f->tree = tree;
	send_job(f, api, master);
}

static void
on_one(struct folder_job *f)
{
	size_t *left = f->ctx;

	--*left;
}

/* One turn.  A turn in which replies come does not wait. */
static int
turn(struct api *api, struct tree *tree)
{
	if (tree == NULL) {
		http_turn(api_http(api), -1);
		return 0;
	}
	tree_gather(tree);
	http_turn(api_http(api), -1);
	return tree_settle(tree);
}

void
folder_make_all(struct folder_job *jobs, size_t n, struct api *api,
    const uint8_t master[16], struct tree *tree)
{
	size_t left = n;
	int r, lost = 0, known = TREE_BEHIND;

	for (size_t i = 0; i < n; i++) {
		jobs[i].done = on_one;
		jobs[i].ctx = &left;
		folder_begin(&jobs[i], api, master, tree);
	}
	while (left > 0)
		if ((r = turn(api, tree)) < 0)
			lost = r;
	for (size_t i = 0; i < n; i++) {
		if (jobs[i].result != TREE_BEHIND &&
		    (jobs[i].result < 0 || lost == 0))
			continue;
		if (known == TREE_BEHIND)
			known = tree_refresh(tree);
		if ((jobs[i].result = known) < 0)
			jobs[i].error = err_keep();
	}
}

int
folder_make(struct node *out, struct api *api, const uint8_t master[16],
    const char parent[9], const char *name, size_t n, struct tree *tree)
{
	struct folder_job f = { .name = name, .n = n };
	struct share shares[SHARE_NESTED_MAX];

	memcpy(f.parent, parent, sizeof f.parent);
	if (tree != NULL) {
		f.nshares = share_list(tree, parent, shares);
		f.shares = shares;
	}
	if (f.nshares < 0)
		return f.nshares;
	folder_make_all(&f, 1, api, master, tree);
	if (f.result < 0)
		err_again(f.result, f.error);
	free(f.error);
	secret_zero(shares, sizeof shares);
	*out = f.node;
	return f.result;
}
