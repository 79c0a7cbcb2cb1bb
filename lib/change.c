#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "err.h"
#include "mem.h"
#include "secret.h"
#include "share.h"

/* The first failure counts. */
static void
note(struct change *c, int err)
{
	if (err < 0 && c->result == 0) {
		c->result = err;
		c->error = err_keep();
	}
}

/* A command has ended. */
static void
end(struct change *c, int err)
{
	note(c, err);
	if (--c->left > 0)
		return;
	if (c->result < 0)
		err_again(c->result, c->error);
	if (c->done != NULL)
		c->done(c, c->result);
}

/*
 * Commands.
 */

static void
on_alter(struct api_cmd *cmd, struct json *j, int v, int err)
{
	struct change *c = cmd->ctx;

	(void)j;
	(void)v;
	if (err == 0) {
		c->attrs = c->later;
		c->later = NULL;
	} else if (c->rename && c->target[0] != '\0') {
		err_prefix(err, "moved, but not renamed: ");
	} else if (c->target[0] != '\0') {
		/* A move into the bin or out of it is not worth failing for
		 * what it has to note beside. */
		err = 0;
	}
	end(c, err);
}

static void
send_alter(struct change *c)
{
	struct json_out o;

	c->alter = (struct api_cmd){ .done = on_alter, .ctx = c };
	o = api_begin(&c->alter, "a");
	json_put(&o, "n", c->h);
	json_put(&o, "at", c->later);
	c->left++;
	api_send(c->api, &c->alter, &o);
}

static void
on_move(struct api_cmd *cmd, struct json *j, int v, int err)
{
	struct change *c = cmd->ctx;

	(void)j;
	(void)v;
	if (err == 0) {
		memcpy(c->to, c->target, sizeof c->to);
		if (c->rename)
			send_alter(c);
	}
	end(c, err);
}

static int
send_move(struct change *c, const struct node *n, const char to[9])
{
	struct json_out o;
	int r;

	memcpy(c->target, to, sizeof c->target);
	c->move = (struct api_cmd){ .done = on_move, .ctx = c };
	o = api_begin(&c->move, "m");
	json_put(&o, "n", c->h);
	json_put(&o, "t", to);
	if ((r = share_put_moved(&o, c->tree, n, to)) < 0) {
		buf_wipe(&c->move.json);
		return r;
	}
	c->left++;
	api_send(c->api, &c->move, &o);
	return 0;
}

static void
on_delete(struct api_cmd *cmd, struct json *j, int v, int err)
{
	struct change *c = cmd->ctx;

	(void)j;
	(void)v;
	if (err == 0)
		c->gone = c->only ? CHANGE_ONLY : CHANGE_NODE;
	end(c, err);
}

/* A link on its way out.  That it has gone already is fine. */
static void
on_unlink(struct api_cmd *cmd, struct json *j, int v, int err)
{
	struct change *c = cmd->ctx;

	(void)j;
	(void)v;
	free(cmd);
	if (err == ERR_NOENT)
		err = 0;
	if (err < 0)
		err_prefix(err, "thrown away, but it still has a link: ");
	end(c, err);
}

static struct api_cmd *
unlink_new(struct change *c)
{
	struct api_cmd *cmd = xcalloc(1, sizeof *cmd);

	cmd->done = on_unlink;
	cmd->ctx = c;
	c->left++;
	return cmd;
}

/* End the public link of a node, and the share that a folder's needs. */
static void
send_unlink(struct change *c, const struct node *n)
{
	struct api_cmd *cmd = unlink_new(c);
	struct json_out o = api_begin(cmd, "l");

	json_put(&o, "n", n->h);
	json_put_int(&o, "d", 1);
	api_send(c->api, cmd, &o);
	if (n->type == NODE_FILE)
		return;
	cmd = unlink_new(c);
	o = api_begin(cmd, "s2");
	json_put(&o, "n", n->h);
	json_open(&o, "s", '[');
	json_open(&o, NULL, '{');
	json_put(&o, "u", "EXP");
	json_close(&o, '}');
	json_close(&o, ']');
	api_send(c->api, cmd, &o);
}

/*
 * What is asked for.
 */

/* All attributes of a node whose key is known.  What is no list of
 * attributes cannot be kept. */
static int
get_attributes(struct change *c, const struct node *n, struct attr *a)
{
	int r = tree_attributes(c->tree, n->h, a);

	if (r == ERR_PROTO) {
		err_clear();
		r = 0;
	}
	return r;
}

/* Put attributes into the form in which they are sent, for later. */
static int
seal(struct change *c, const struct node *n, const struct attr *a)
{
	struct buf b = BUF_MAX(2 * ATTR_MAX);
	uint8_t key[KEY_SIZE];
	int r;

	if (n->keylen == 0)
		return err_set(ERR_KEY, "its key cannot be decrypted");
	key_fold(key, n->key, n->keylen);
	r = attr_seal(a, &b, key);
	secret_zero(key, sizeof key);
	free(c->later);
	c->later = r == 0 ? buf_steal(&b) : NULL;
	buf_free(&b);
	return r;
}

static int
is_named(const struct node *node, const char *name, size_t n)
{
	return node->name != NULL && node->namelen == n &&
	    memcmp(node->name, name, n) == 0;
}

/* Begin a move; attributes that were sealed for it follow. */
static int
begin_move(struct change *c, const struct node *node, const char to[9])
{
	int r;

	if ((r = send_move(c, node, to)) < 0)
		return r;
	/* A new name waits until the node has moved: where that fails,
	 * nothing should have changed. */
	if (c->later != NULL && !c->rename)
		send_alter(c);
	return 0;
}

int
change_move(struct change *c, const struct node *node, const char *to,
    const char *name, size_t n)
{
	struct attr a = { 0 };
	int restore, r;

	memcpy(c->h, node->h, sizeof c->h);
	c->rename = name != NULL && !is_named(node, name, n);
	if (to != NULL && strcmp(to, node->p) == 0)
		to = NULL;
	if (to == NULL && !c->rename)
		return CHANGE_NOTHING;
	if ((r = get_attributes(c, node, &a)) < 0 && c->rename)
		return r;
	restore = to != NULL && attr_get(&a, "rr", NULL) != NULL;
	if (restore)
		attr_set(&a, "rr", NULL, 0);
	if (c->rename)
		attr_set(&a, "n", name, n);
	r = c->rename || restore ? seal(c, node, &a) : 0;
	attr_free(&a);
	if (r < 0)
		return r;
	if (to != NULL)
		return begin_move(c, node, to);
	send_alter(c);
	return 0;
}

static int
find_any(void *ctx, const struct node *n)
{
	(void)n;
	*(int *)ctx = 1;
	return ERR_EXIST;
}

static int
unlink_one(void *ctx, const struct node *n, const char *path, size_t len)
{
	(void)path;
	(void)len;
	if (n->ph[0] != '\0')
		send_unlink(ctx, n);
	return 0;
}

/* End the links to a node and to what is below it. */
static int
unlink_all(struct change *c, const struct node *node)
{
	int any = 0, r;

	unlink_one(c, node, "", 0);
	if (node->type == NODE_FILE)
		return 0;
	/* Most accounts have none, and then need not be looked through. */
	r = tree_exported(c->tree, find_any, &any);
	if (any)
		r = tree_walk(c->tree, node->h, unlink_one, c);
	return r;
}

int
change_trash(struct change *c, const struct node *node)
{
	struct attr a = { 0 };
	struct node bin;
	int r;

	memcpy(c->h, node->h, sizeof c->h);
	if ((r = tree_root(c->tree, NODE_RUBBISH, &bin)) < 0)
		return r;
	if (get_attributes(c, node, &a) == 0) {
		attr_set(&a, "rr", node->p, strlen(node->p));
		seal(c, node, &a);
	}
	attr_free(&a);
	/* Where that cannot be noted, it has to do without. */
	err_clear();
	if ((r = begin_move(c, node, bin.h)) == 0)
		note(c, unlink_all(c, node));
	node_free(&bin);
	return r;
}

int
change_alter(struct change *c, const struct node *node, const struct attr *a)
{
	int r;

	memcpy(c->h, node->h, sizeof c->h);
	if ((r = seal(c, node, a)) == 0)
		send_alter(c);
	return r;
}

void
change_delete(struct change *c, const struct node *node, int only)
{
	struct json_out o;

	memcpy(c->h, node->h, sizeof c->h);
	c->only = only;
	c->move = (struct api_cmd){ .done = on_delete, .ctx = c };
	o = api_begin(&c->move, "d");
	json_put(&o, "n", c->h);
	if (only)
		json_put_int(&o, "v", 1);
	c->left++;
	api_send(c->api, &c->move, &o);
}

int
change_wait(struct change *c)
{
	while (c->left > 0)
		http_turn(api_http(c->api), -1);
	return c->result < 0 ? err_again(c->result, c->error) : 0;
}

int
change_tell(struct change *c)
{
	int r = 0;

	if (c->gone != CHANGE_NONE)
		return tree_remove(c->tree, c->h, c->gone == CHANGE_ONLY);
	if (c->to[0] != '\0')
		r = tree_move(c->tree, c->h, c->to);
	if (r == 0 && c->attrs != NULL)
		r = tree_alter(c->tree, c->h, c->attrs, strlen(c->attrs));
	return r;
}

void
change_free(struct change *c)
{
	free(c->attrs);
	free(c->later);
	free(c->error);
	c->attrs = c->later = NULL;
	c->error = NULL;
}
