#include "attr.h"
#include "err.h"
#include "key.h"
#include "secret.h"
#include "share.h"

#include "over.h"

static int
read_reply(struct over *o, struct json *j, int v)
{
	int nodes = json_member(j, v, "f"), r;

	if ((r = node_made(o->made, j, nodes)) < 0)
		return r;
	if ((r = tree_take(mnt.tree, j, nodes)) == 0)
		r = tree_move(mnt.tree, o->replaces, o->made);
	return r;
}

static void
on_reply(struct api_cmd *c, struct json *j, int v, int err)
{
	struct over *o = c->ctx;

	o->done(o, err < 0 ? err : read_reply(o, j, v));
}

static void
send_copy(struct over *o, const struct node *n, const struct buf *attrs,
    const struct share *shares, int nshares)
{
	uint8_t wrapped[KEY_FILE_SIZE];
	struct share_node key = { .h = "", .key = n->key,
	    .keylen = n->keylen };
	struct json_out out;

	key_wrap(wrapped, n->key, n->keylen,
	    mnt.remote.account.session.master);
	o->cmd = (struct api_cmd){ .done = on_reply, .ctx = o };
	out = api_begin(&o->cmd, "p");
	json_put(&out, "t", o->parent);
	json_open(&out, "n", '[');
	json_open(&out, NULL, '{');
	json_put(&out, "h", o->h);
	json_put_int(&out, "t", NODE_FILE);
	json_put_n(&out, "a", attrs->p, attrs->len);
	json_put_b64(&out, "k", wrapped, n->keylen);
	json_put(&out, "ov", o->replaces);
	json_close(&out, '}');
	json_close(&out, ']');
	share_put_cr(&out, shares, nshares, &key, 1);
	api_send(mnt.api, &o->cmd, &out);
}

int
over_begin(struct over *o)
{
	struct share shares[SHARE_NESTED_MAX];
	struct buf attrs = BUF_MAX(2 * ATTR_MAX);
	struct attr a = { 0 };
	uint8_t key[KEY_SIZE];
	struct node n;
	int r, ns = 0;

	if ((r = tree_get(mnt.tree, o->h, &n)) < 0 ||
	    (r = tree_attributes(mnt.tree, o->h, &a)) < 0 ||
	    (r = ns = share_list(mnt.tree, o->parent, shares)) < 0)
		goto out;
	attr_set(&a, "n", o->name, o->n);
	key_fold(key, n.key, n.keylen);
	if ((r = attr_seal(&a, &attrs, key)) == 0)
		send_copy(o, &n, &attrs, shares, ns);
	secret_zero(key, sizeof key);
out:
	secret_zero(shares, sizeof shares);
	attr_free(&a);
	buf_free(&attrs);
	node_free(&n);
	return r;
}
