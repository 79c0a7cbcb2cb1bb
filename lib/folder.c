#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attr.h"
#include "err.h"
#include "folder.h"
#include "mem.h"
#include "secret.h"
#include "shape.h"

struct made {
	char h[9];
};

static const struct shape made_shape[] = {
	SHAPE(made, h, "h", SHAPE_HANDLE, SHAPE_REQUIRED, 0, 8),
	SHAPE_END
};

/* "p" with one new folder; its handle into h. */
static int
put(char h[9], struct api *api, const char parent[9], const struct buf *attrs,
    const uint8_t wrapped[KEY_SIZE], struct tree *tree)
{
	struct api_cmd c = { 0 };
	struct json_out o = api_begin(&c, "p");
	struct json j = { 0 };
	struct made m = { "" };
	int r, nodes;

	json_put(&o, "t", parent);
	json_open(&o, "n", '[');
	json_open(&o, NULL, '{');
	json_put(&o, "h", "xxxxxxxx");
	json_put_int(&o, "t", NODE_FOLDER);
	json_put_n(&o, "a", attrs->p, attrs->len);
	json_put_b64(&o, "k", wrapped, KEY_SIZE);
	json_close(&o, '}');
	json_close(&o, ']');
	if ((r = api_wait(api, &c, &o, &j)) < 0)
		goto out;
	nodes = json_member(&j, r, "f");
	if ((r = shape_read("reply to \"p\"", made_shape, &j,
	    json_first(&j, nodes), &m)) < 0)
		goto out;
	memcpy(h, m.h, sizeof m.h);
	if (tree != NULL)
		r = tree_take(tree, &j, nodes);
out:
	json_free(&j);
	return r;
}

int
folder_make(struct node *out, struct api *api, const uint8_t master[16],
    const char parent[9], const char *name, size_t n, struct tree *tree)
{
	struct buf attrs = BUF_MAX(2 * ATTR_MAX);
	struct attr a = { 0 };
	uint8_t wrapped[KEY_SIZE];
	int r;

	*out = (struct node){ .type = NODE_FOLDER, .keylen = KEY_SIZE,
	    .mtime = -1, .created = (int64_t)time(NULL) };
	secret_random(out->key, KEY_SIZE);
	key_wrap(wrapped, out->key, KEY_SIZE, master);
	attr_set(&a, "n", name, n);
	if ((r = attr_seal(&a, &attrs, out->key)) < 0 ||
	    (r = put(out->h, api, parent, &attrs, wrapped, tree)) < 0)
		goto out;
	memcpy(out->p, parent, sizeof out->p);
	out->name = xmalloc(n + 1);
	memcpy(out->name, name, n);
	out->name[n] = '\0';
	out->namelen = n;
out:
	attr_free(&a);
	buf_free(&attrs);
	if (r < 0)
		node_free(out);
	return r;
}
