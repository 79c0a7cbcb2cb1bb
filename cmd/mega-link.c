/* mega-link: make, remove and look at public links. */

#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "b64.h"
#include "cmd.h"
#include "err.h"
#include "fingerprint.h"
#include "link.h"
#include "mem.h"
#include "path.h"
#include "record.h"
#include "secret.h"
#include "shape.h"

#define SYNOPSIS "[-dj0qv] [--old] PATH ...\n-i [-j0qv] LINK ..."

enum { OPT_OLD = 256 };

static const struct cmd_opt options[] = {
	{ 'd', "delete", NULL, "remove the links" },
	{ 'i', "info", NULL, "tell what links are, without downloading" },
	CMD_JSON, CMD_NULL, CMD_QUIET, CMD_VERBOSE, CMD_SESSION,
	{ OPT_OLD, "old", NULL, "print links in their old form" },
	CMD_END
};

#define AHEAD 1000 /* operands whose answers are waited for */

static struct {
	int remove, info, old;
} opt;

static struct remote remote;

/* One operand on its way; told in the order of the operands. */
struct ask {
	struct api_cmd cmd;
	char *operand, *path;
	struct node node;
	struct attr attr;
	char link[LINK_TEXT_MAX];
	int over, result;
	char *error;
	struct ask *next;
};

static struct ask *list, **tail = &list;
static unsigned count;

static void
ask_free(struct ask *a)
{
	free(a->operand);
	free(a->path);
	free(a->error);
	attr_free(&a->attr);
	node_free(&a->node);
	secret_zero(a, sizeof *a);
	free(a);
}

/* What "-i" prints: a few words and the name, or JSON. */
static void
print_info(struct buf *b, const struct ask *a)
{
	char tmp[16];
	size_t n;
	const char *name = node_name(&a->node, tmp, &n);

	buf_printf(b, "%s %lld ", a->node.type == NODE_FILE ? "file" :
	    "folder", (long long)a->node.size);
	buf_add(b, name, n);
}

static void
print(const struct ask *a)
{
	struct buf b = BUF_MAX(1 << 20);
	struct json_out o = { &b, 0 };

	if (cmd.json) {
		json_open(&o, NULL, '{');
		record_node(&o, &a->node, a->path, a->path != NULL ?
		    strlen(a->path) : 0, opt.remove ? NULL : a->link);
		json_close(&o, '}');
		cmd_record_json(&b);
	} else if (opt.info) {
		print_info(&b, a);
		cmd_record(buf_str(&b), b.len);
	} else if (!opt.remove) {
		cmd_record(a->link, strlen(a->link));
	}
	buf_wipe(&b);
}

/* Tell those whose turn it is. */
static void
tell(void)
{
	while (list != NULL && list->over) {
		struct ask *a = list;

		list = a->next;
		if (list == NULL)
			tail = &list;
		count--;
		err_clear();
		if (a->result < 0) {
			err_set(a->result, "%s", a->error);
			cmd_fail(a->operand, a->result);
		} else {
			print(a);
		}
		ask_free(a);
	}
}

static void
end(struct ask *a, int result)
{
	a->over = 1;
	a->result = result;
	if (result < 0)
		a->error = xstrdup(err_text());
	tell();
}

static struct ask *
begin(const char *operand)
{
	struct ask *a = xcalloc(1, sizeof *a);

	while (count >= AHEAD)
		http_turn(remote.account.http, -1);
	a->operand = xstrdup(operand);
	a->cmd.ctx = a;
	*tail = a;
	tail = &a->next;
	count++;
	return a;
}

/* The public handle of a link, or the word that it is gone. */
static void
on_link(struct api_cmd *c, struct json *j, int v, int err)
{
	struct ask *a = c->ctx;
	struct link l = { .kind = LINK_FILE, .keylen = KEY_FILE_SIZE };
	struct slice ph;

	if (err < 0 || opt.remove) {
		end(a, err);
		return;
	}
	ph = json_raw(j, v);
	if (json_type(j, v) != JSON_STRING || ph.n != 8 ||
	    !b64_valid(ph.p, ph.n)) {
		end(a, err_set(ERR_PROTO, "reply to \"l\": want a handle"));
		return;
	}
	memcpy(l.ph, ph.p, 8);
	memcpy(l.key, a->node.key, KEY_FILE_SIZE);
	link_print(a->link, &l, opt.old);
	secret_zero(&l, sizeof l);
	end(a, 0);
}

static int
make_link(void *ctx, const char *operand)
{
	struct buf path = BUF_MAX(1 << 20);
	struct json_out o;
	struct place p;
	struct ask *a;
	int r;

	(void)ctx;
	if ((r = path_find(&remote, operand, &p)) < 0)
		goto out;
	if (p.kind != PLACE_NODE)
		r = err_set(ERR_USAGE, "is a link already");
	else if (p.node.type != NODE_FILE)
		r = err_set(ERR_USAGE, "is a folder; only files can be "
		    "given links");
	else if (p.node.keylen != KEY_FILE_SIZE)
		r = err_set(ERR_KEY, "its key cannot be decrypted");
	if (r < 0)
		goto out;
	a = begin(operand);
	node_copy(&a->node, &p.node);
	if (place_print(&p, &path) == 0)
		a->path = buf_steal(&path);
	a->cmd.done = on_link;
	o = api_begin(&a->cmd, "l");
	json_put(&o, "n", a->node.h);
	if (opt.remove)
		json_put_int(&o, "d", 1);
	api_send(p.api, &a->cmd, &o);
out:
	buf_free(&path);
	place_free(&p);
	return r;
}

/* "g" without "g:1": size and attributes of a public file. */
struct info {
	int64_t size, e;
	struct slice at;
};

static const struct shape info_shape[] = {
	SHAPE(info, size, "s", SHAPE_INT, SHAPE_REQUIRED, 0, SHAPE_SIZE_MAX),
	SHAPE(info, e, "e", SHAPE_INT, 0, -1000, 0),
	SHAPE(info, at, "at", SHAPE_B64, SHAPE_REQUIRED, 1, 2 * ATTR_MAX),
	SHAPE_END
};

static int
read_info(struct ask *a, struct json *j, int v)
{
	struct info i = { .size = -1 };
	struct fingerprint fp;
	uint8_t key[KEY_SIZE];
	const char *s;
	size_t n;
	int r;

	if ((r = shape_read("reply to \"g\"", info_shape, j, v, &i)) < 0)
		return r;
	a->node.size = i.size;
	if (a->node.keylen == 0)
		return 0;
	key_fold(key, a->node.key, a->node.keylen);
	r = attr_open(&a->attr, i.at.p, i.at.n, key);
	secret_zero(key, sizeof key);
	if (r < 0)
		return r;
	if ((s = attr_get(&a->attr, "n", &n)) != NULL) {
		a->node.name = xmalloc(n + 1);
		memcpy(a->node.name, s, n + 1);
		a->node.namelen = n;
	}
	if ((s = attr_get(&a->attr, "c", &n)) != NULL &&
	    n < sizeof a->node.fingerprint &&
	    fingerprint_parse(&fp, s, n) == 0) {
		memcpy(a->node.fingerprint, s, n + 1);
		a->node.mtime = fp.mtime;
	}
	return 0;
}

static void
on_info(struct api_cmd *c, struct json *j, int v, int err)
{
	struct ask *a = c->ctx;

	if (err == ERR_BLOCKED || err == ERR_TOOMANY)
		err = err_set(ERR_REFUSED, "taken down by the service");
	end(a, err < 0 ? err : read_info(a, j, v));
}

/* A node of the account or of a folder link: everything is known already. */
static void
info_node(struct place *p, const char *operand)
{
	struct ask *a = begin(operand);
	struct buf path = BUF_MAX(1 << 20);

	node_copy(&a->node, &p->node);
	if (place_print(p, &path) == 0)
		a->path = buf_steal(&path);
	if (p->kind == PLACE_IN_LINK)
		link_print(a->link, &p->link, opt.old);
	buf_free(&path);
	end(a, 0);
}

static int
info(void *ctx, const char *operand)
{
	struct json_out o;
	struct place p;
	struct ask *a;
	int r;

	(void)ctx;
	if ((r = path_find(&remote, operand, &p)) < 0)
		goto out;
	if (p.kind != PLACE_LINK) {
		info_node(&p, operand);
		goto out;
	}
	a = begin(operand);
	node_copy(&a->node, &p.node);
	a->node.mtime = -1;
	link_print(a->link, &p.link, opt.old);
	a->cmd.done = on_info;
	o = api_begin(&a->cmd, "g");
	json_put(&o, "p", p.node.h);
	api_send(p.api, &a->cmd, &o);
out:
	place_free(&p);
	return r;
}

int
main(int argc, char *argv[])
{
	int ch, r;

	cmd_init("mega-link", SYNOPSIS, options);
	while ((ch = cmd_option(argc, argv)) != -1) {
		switch (ch) {
		case 'd':
			opt.remove = 1;
			break;
		case 'i':
			opt.info = 1;
			break;
		case OPT_OLD:
			opt.old = 1;
			break;
		}
	}
	if (opt.remove && opt.info)
		cmd_usage("-d and -i do not go together");
	if (optind == argc)
		cmd_usage(opt.info ? "which link?" : "which node?");
	if ((r = remote_open(&remote, cmd.session)) < 0) {
		cmd_fail(NULL, r);
		return cmd_finish();
	}
	cmd_each(argv + optind, opt.info ? info : make_link, NULL);
	while (count > 0)
		http_turn(remote.account.http, -1);
	remote_close(&remote);
	return cmd_finish();
}
