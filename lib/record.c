#include <string.h>

#include "cmd.h"
#include "progress.h"
#include "record.h"

#define KEY_MAX 32

void
record_bytes(struct json_out *o, const char *key, const char *p, size_t n)
{
	char b64[KEY_MAX];

	json_put_n(o, key, p, n);
	if (json_utf8(p, n))
		return;
	snprintf(b64, sizeof b64, "%s_b64", key);
	json_put_b64(o, b64, p, n);
}

static void
put_time(struct json_out *o, const char *key, int64_t t)
{
	char text[CMD_TIME_MAX];

	if (t >= 0)
		json_put(o, key, cmd_time(text, t));
}

void
record_node(struct json_out *o, const struct node *n, const char *path,
    size_t pathlen, const char *link)
{
	static const char *const types[] = { "file", "folder", "root", "inbox",
	    "rubbish" };
	char tmp[16];
	const char *name;
	size_t len;

	if (path != NULL)
		record_bytes(o, "path", path, pathlen);
	name = node_name(n, tmp, &len);
	record_bytes(o, "name", name, len);
	if (n->h[0] != '\0')
		json_put(o, "handle", n->h);
	if (n->p[0] != '\0')
		json_put(o, "parent", n->p);
	json_put(o, "type", types[n->type]);
	if (n->type == NODE_FILE)
		json_put_int(o, "size", n->size);
	if (n->created > 0)
		put_time(o, "created", n->created);
	put_time(o, "mtime", n->mtime);
	if (n->owner[0] != '\0')
		json_put(o, "owner", n->owner);
	if (n->fingerprint[0] != '\0')
		json_put(o, "fingerprint", n->fingerprint);
	if (link != NULL)
		json_put(o, "link", link);
	if (n->link_ends > 0)
		put_time(o, "expires", n->link_ends);
}

void
record_change(const struct node *n, const char *path, const char *result)
{
	struct buf b = BUF_MAX(8 << 20);
	struct json_out o = { &b, 0 };

	if (cmd.json) {
		json_open(&o, NULL, '{');
		record_node(&o, n, path, strlen(path), NULL);
		if (result != NULL)
			json_put(&o, "result", result);
		json_close(&o, '}');
		cmd_record_json(&b);
	} else if (cmd.verbose > 0 || cmd.dry) {
		cmd_record(path, strlen(path));
	}
	buf_free(&b);
}

void
record_sent(void *ctx, struct send_item *i, int result)
{
	struct buf b = BUF_MAX(1 << 20);
	struct json_out o = { &b, 0 };
	int linked = i->link[0] != '\0';
	const char *text = linked ? i->link : i->path;

	(void)ctx;
	progress_ended();
	if (result < 0) {
		cmd_fail(i->local, result);
		return;
	}
	if (cmd.json) {
		json_open(&o, NULL, '{');
		record_node(&o, &i->node, i->path, strlen(i->path),
		    linked ? i->link : NULL);
		json_put(&o, "result", i->unchanged ? "unchanged" : "done");
		json_close(&o, '}');
		cmd_record_json(&b);
	} else {
		cmd_record(text, strlen(text));
	}
	fflush(stdout);
	buf_wipe(&b);
}
