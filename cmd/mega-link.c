/* mega-link: make, remove and look at public links. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attr.h"
#include "b64.h"
#include "cmd.h"
#include "err.h"
#include "link.h"
#include "mem.h"
#include "operand.h"
#include "path.h"
#include "record.h"
#include "secret.h"
#include "shape.h"
#include "share.h"
#include "task.h"

#define SYNOPSIS "[-j0qv] [--expire=T] [--password-file=F] [--writable] " \
	"[--old] PATH ...\n-d [-j0qv] PATH ...\n-l [-j0qv] [--old]\n" \
	"-i [-j0qv] [--password-file=F] LINK ..."

enum { OPT_OLD = 256, OPT_EXPIRE, OPT_WRITABLE };

static const struct cmd_opt options[] = {
	{ 'd', "delete", NULL, "remove the links" },
	{ 'i', "info", NULL, "tell what links are, without downloading" },
	{ 'l', "list", NULL, "all nodes that have links" },
	CMD_JSON, CMD_NULL, CMD_QUIET, CMD_VERBOSE, CMD_SESSION,
	{ OPT_EXPIRE, "expire", "T", "links die then: 12h, 7d, or a date" },
	CMD_PASSWORD,
	{ OPT_WRITABLE, "writable", NULL, "whoever has it may add files" },
	{ OPT_OLD, "old", NULL, "print links in their old form" },
	CMD_END
};

static struct {
	int remove, info, list, old, writable;
	int64_t expire;
} opt;

static struct remote remote;

/* One operand on its way. */
struct ask {
	struct task task;
	struct api_cmd cmd;
	char *path;
	struct node node;
	struct attr attr;
	struct link made;        /* the link, as far as it is known */
	char link[LINK_TEXT_MAX];
	int64_t size, files, folders; /* -i of a folder: all that is below */
	struct api_cmd share_cmd; /* of a folder's share */
	int pending;              /* commands without an answer */
	int result;
	struct err_kept *error;   /* of result, if that is a failure */
};

static void
drop(struct task *t)
{
	struct ask *a = (struct ask *)t;

	free(a->path);
	free(a->error);
	attr_free(&a->attr);
	node_free(&a->node);
	secret_zero(a, sizeof *a);
	free(a);
}

/* What "-i" prints: type, size, files, folders, and the name. */
static void
print_info(struct buf *b, const struct ask *a)
{
	int is_file = a->node.type == NODE_FILE;
	char tmp[16];
	size_t n;
	const char *name = node_name(&a->node, tmp, &n);

	buf_printf(b, "%s %lld %lld %lld ", is_file ? "file" : "folder",
	    (long long)(is_file ? a->node.size : a->size),
	    (long long)(is_file ? 1 : a->files), (long long)a->folders);
	buf_add(b, name, n);
}

/* What a folder has more in "-ij" than elsewhere. */
static void
put_counts(struct json_out *o, const struct ask *a)
{
	if (!opt.info || a->node.type == NODE_FILE)
		return;
	json_put_int(o, "size", a->size);
	json_put_int(o, "files", a->files);
	json_put_int(o, "folders", a->folders);
}

static void
tell(struct task *t)
{
	const struct ask *a = (struct ask *)t;
	struct buf b = BUF_MAX(1 << 20);
	struct json_out o = { &b, 0 };
	char when[CMD_TIME_MAX];

	if (cmd.json) {
		json_open(&o, NULL, '{');
		record_node(&o, &a->node, a->path, a->path != NULL ?
		    strlen(a->path) : 0, a->link[0] != '\0' ? a->link : NULL);
		put_counts(&o, a);
		json_close(&o, '}');
		cmd_record_json(&b);
	} else if (opt.info) {
		print_info(&b, a);
		cmd_record(buf_str(&b), b.len);
	} else if (opt.list) {
		buf_printf(&b, "%s %s", a->link, a->path);
		cmd_record(buf_str(&b), b.len);
	} else if (!opt.remove) {
		cmd_record(a->link, strlen(a->link));
	}
	if (!opt.remove && a->node.link_ends > 0)
		cmd_verbose("%s: ends %s", a->path, cmd_time(when,
		    a->node.link_ends));
	buf_wipe(&b);
}

static struct tasks tasks = { .tell = tell, .drop = drop };

/* Note how one of an operand's commands ended.  Where both failed, the
 * share's failure is the reason of the other. */
static void
note(struct ask *a, int result, int is_reason)
{
	if (result >= 0 || (a->result < 0 && !is_reason))
		return;
	free(a->error);
	a->result = result;
	a->error = err_keep();
}

static void
end(struct ask *a, int result)
{
	note(a, result, 0);
	if (a->result < 0)
		err_again(a->result, a->error);
	task_end(&tasks, &a->task, a->result);
}

static struct ask *
begin(const char *operand)
{
	struct ask *a = xcalloc(1, sizeof *a);

	a->cmd.ctx = a;
	task_begin(&tasks, remote.account.http, &a->task, operand);
	return a;
}

/* What "l" answers for a writable folder. */
struct writable {
	char ph[9];
	struct slice auth;
};

static const struct shape writable_shape[] = {
	SHAPE(writable, ph, "ph", SHAPE_HANDLE, SHAPE_REQUIRED, 0, 8),
	SHAPE(writable, auth, "w", SHAPE_B64, SHAPE_REQUIRED, 1, 32),
	SHAPE_END
};

/* The link of a node is known up to its locks: print it into a->link. */
static void
finish_link(struct ask *a)
{
	if (remote.password.len > 0)
		link_lock(&a->made, buf_str(&remote.password), NULL);
	link_print(a->link, &a->made, opt.old);
	secret_zero(&a->made, sizeof a->made);
	if (opt.expire > 0)
		a->node.link_ends = opt.expire;
}

/* The public handle of a link, or the word that it is gone. */
static int
read_link(struct ask *a, struct json *j, int v)
{
	struct slice ph = json_raw(j, v);
	struct writable w = { .ph = "" };
	int r;

	if (json_type(j, v) == JSON_OBJECT) {
		if ((r = shape_read("reply to \"l\"", writable_shape, j, v,
		    &w)) < 0)
			return r;
		memcpy(a->made.ph, w.ph, sizeof w.ph);
		memcpy(a->made.auth, w.auth.p, w.auth.n);
		return 0;
	}
	if (json_type(j, v) != JSON_STRING || ph.n != 8 ||
	    !b64_valid(ph.p, ph.n))
		return err_set(ERR_PROTO, "reply to \"l\": want a handle");
	memcpy(a->made.ph, ph.p, 8);
	return 0;
}

/* One of an operand's commands has its answer. */
static void
answered(struct ask *a)
{
	if (--a->pending == 0)
		end(a, 0);
}

static void
on_link(struct api_cmd *c, struct json *j, int v, int err)
{
	struct ask *a = c->ctx;

	if (err == 0 && !opt.remove && (err = read_link(a, j, v)) == 0)
		finish_link(a);
	note(a, err, 0);
	answered(a);
}

/* The share that a folder's link needs. */
static void
on_share(struct api_cmd *c, struct json *j, int v, int err)
{
	struct ask *a = c->ctx;

	(void)j;
	(void)v;
	note(a, err, 1);
	answered(a);
}

/* Send one of an operand's commands. */
static void
send_cmd(struct ask *a, struct api *api, struct api_cmd *c,
    struct json_out *o)
{
	a->pending++;
	api_send(api, c, o);
}

/* Make a folder readable by link: its share, with the keys of all in it. */
static int
export_folder(struct ask *a, struct place *p)
{
	struct share own;
	struct json_out o;
	int r = share_find(own.key, p->tree, p->node.h);

	if (r < 0)
		return r;
	if (r == 0)
		secret_random(own.key, KEY_SIZE);
	memcpy(own.h, p->node.h, sizeof own.h);
	memcpy(a->made.key, own.key, KEY_SIZE);
	a->made.keylen = KEY_SIZE;
	a->made.kind = LINK_FOLDER;
	r = 0;
	/* A folder that has a link has its share already. */
	if (p->node.ph[0] == '\0') {
		o = api_begin(&a->share_cmd, "s2");
		r = share_put_export(&o, p->tree, &p->node, &own,
		    remote.account.session.master);
		if (r == 0)
			send_cmd(a, p->api, &a->share_cmd, &o);
		else
			buf_wipe(&a->share_cmd.json);
	}
	secret_zero(&own, sizeof own);
	return r;
}

/* And no longer. */
static void
unexport_folder(struct ask *a, struct place *p)
{
	struct json_out o = api_begin(&a->share_cmd, "s2");

	json_put(&o, "n", p->node.h);
	json_open(&o, "s", '[');
	json_open(&o, NULL, '{');
	json_put(&o, "u", "EXP");
	json_close(&o, '}');
	json_close(&o, ']');
	send_cmd(a, p->api, &a->share_cmd, &o);
}

static void
send_link(struct ask *a, struct place *p)
{
	struct json_out o;

	a->cmd.done = on_link;
	o = api_begin(&a->cmd, "l");
	json_put(&o, "n", a->node.h);
	if (opt.remove) {
		json_put_int(&o, "d", 1);
		a->node.link_ends = 0;
	}
	if (opt.expire > 0)
		json_put_int(&o, "ets", opt.expire);
	if (opt.writable)
		json_put(&o, "w", "1");
	send_cmd(a, p->api, &a->cmd, &o);
}

static int
check_linkable(const struct place *p)
{
	if (p->kind != PLACE_NODE)
		return err_set(ERR_USAGE, "is a link already");
	if (p->node.type != NODE_FILE && p->node.type != NODE_FOLDER)
		return err_set(ERR_USAGE, "is neither a file nor a folder");
	if (p->node.keylen == 0)
		return err_set(ERR_KEY, "its key cannot be decrypted");
	if (p->node.type == NODE_FILE && opt.writable)
		return err_set(ERR_USAGE, "is a file; only a folder's link "
		    "can be writable");
	return 0;
}

static int
make_link(void *ctx, const char *operand)
{
	struct buf path = BUF_MAX(1 << 20);
	struct place p;
	struct ask *a;
	int r;

	(void)ctx;
	if ((r = path_find(&remote, operand, &p)) < 0 ||
	    (r = check_linkable(&p)) < 0)
		goto out;
	a = begin(operand);
	a->share_cmd.done = on_share;
	a->share_cmd.ctx = a;
	node_copy(&a->node, &p.node);
	if (place_print(&p, &path) == 0)
		a->path = buf_steal(&path);
	memcpy(a->made.key, p.node.key, p.node.keylen);
	a->made.keylen = p.node.keylen;
	if (!opt.remove && p.node.type == NODE_FOLDER &&
	    (r = export_folder(a, &p)) < 0) {
		end(a, r);
		r = 0;
		goto out;
	}
	send_link(a, &p);
	if (opt.remove && p.node.type == NODE_FOLDER)
		unexport_folder(a, &p);
out:
	buf_free(&path);
	place_free(&p);
	return r;
}

/* -l: what has a link, as the tree knows it. */
static int
list_one(void *ctx, const struct node *n)
{
	struct buf path = BUF_MAX(1 << 20);
	struct ask *a;
	int r;

	tree_path(ctx, n->h, &path);
	a = begin(buf_str(&path));
	a->path = buf_steal(&path);
	node_copy(&a->node, n);
	if ((r = share_link(&a->made, ctx, n)) == 0)
		finish_link(a);
	end(a, r);
	return 0;
}

static int
list_links(void)
{
	struct tree *t;
	int r;

	if ((r = remote_tree(&remote, &t)) < 0)
		return r;
	return tree_exported(t, list_one, t);
}

/* "pli": what a public folder is. */
struct preview {
	struct slice attrs, k;
	int s;
};

static const struct shape preview_shape[] = {
	SHAPE(preview, attrs, "attrs", SHAPE_B64, SHAPE_REQUIRED, 1,
	    2 * ATTR_MAX),
	SHAPE(preview, k, "k", SHAPE_TEXT, SHAPE_REQUIRED, 9, 1024),
	SHAPE(preview, s, "s", SHAPE_ARRAY, SHAPE_REQUIRED, 3, 16),
	SHAPE_END
};

/* Bytes, files, and folders with the one at the top; then older versions. */
static int
read_counts(struct ask *a, struct json *j, int v)
{
	int64_t *const counts[] = { &a->size, &a->files, &a->folders };
	int e = json_first(j, v);

	for (size_t i = 0; i < 3; i++, e = json_next(j, e))
		if (json_int(j, e, 0, counts[i]) < 0 || *counts[i] < 0)
			return err_set(ERR_PROTO, "reply to \"pli\": want "
			    "counts");
	a->folders -= a->folders > 0;
	return 0;
}

static int
read_preview(struct ask *a, struct json *j, int v)
{
	struct preview p = { .s = -1 };
	uint8_t key[KEY_SIZE];
	const char *k;
	int r;

	if ((r = shape_read("reply to \"pli\"", preview_shape, j, v, &p)) < 0 ||
	    (r = read_counts(a, j, p.s)) < 0)
		return r;
	/* "handle:key", the key under the link's. */
	k = memchr(p.k.p, ':', p.k.n);
	if (k == NULL || b64_decode_exact(key, sizeof key, k + 1,
	    (size_t)(p.k.p + p.k.n - k - 1)) < 0)
		return err_set(ERR_PROTO, "reply to \"pli\": want a key");
	key_unwrap(key, key, sizeof key, a->node.key);
	r = place_attributes(&a->node, &a->attr, p.attrs, key);
	secret_zero(key, sizeof key);
	return r;
}

/* The path of what a link leads to at once, as mega-ls has it. */
static char *
path_in_link(const struct node *n)
{
	char tmp[16];
	size_t len;
	const char *name = node_component(n, tmp, &len);

	return n->type == NODE_FILE ? xasprintf("/%s", name) : xstrdup("/");
}

static void
on_info(struct api_cmd *c, struct json *j, int v, int err)
{
	struct ask *a = c->ctx;

	if (a->node.type == NODE_FILE)
		err = place_reply(&a->node, &a->attr, j, v, err);
	else
		err = err < 0 ? place_refused(err) : read_preview(a, j, v);
	if (err == 0)
		a->path = path_in_link(&a->node);
	end(a, err);
}

/* What has no handle of its own: the service is asked. */
static void
info_public(struct place *p, const char *operand)
{
	struct ask *a = begin(operand);
	struct json_out o;

	node_copy(&a->node, &p->node);
	if (p->is_public) /* which is not the node's handle */
		a->node.h[0] = '\0';
	link_print(a->link, &p->link, opt.old);
	a->cmd.done = on_info;
	if (p->node.type == NODE_FILE) {
		o = place_question(p, &a->cmd);
	} else {
		o = api_begin(&a->cmd, "pli");
		json_put(&o, "ph", p->link.ph);
	}
	api_send(p->api, &a->cmd, &o);
}

static int
count_one(void *ctx, const struct node *n, const char *path, size_t len)
{
	struct ask *a = ctx;

	(void)path;
	(void)len;
	if (n->type == NODE_FILE) {
		a->files++;
		a->size += n->size;
	} else {
		a->folders++;
	}
	return 0;
}

/* A node of the account or of a folder link: everything is known already. */
static void
info_node(struct place *p, const char *operand)
{
	struct ask *a = begin(operand);
	struct buf path = BUF_MAX(1 << 20);
	int r = 0;

	node_copy(&a->node, &p->node);
	if (tree_path(p->tree, p->node.h, &path) == 0)
		a->path = buf_steal(&path);
	if (p->kind == PLACE_IN_LINK) {
		memcpy(p->link.node, p->node.h, sizeof p->link.node);
		p->link.node_is_file = p->node.type == NODE_FILE;
		link_print(a->link, &p->link, opt.old);
	}
	buf_free(&path);
	if (p->node.type != NODE_FILE)
		r = tree_walk(p->tree, p->node.h, count_one, a);
	end(a, r);
}

static int
info(void *ctx, const char *operand)
{
	struct place p;
	int r;

	(void)ctx;
	if ((r = path_find(&remote, operand, &p)) < 0)
		return r;
	if (p.kind == PLACE_LINK)
		info_public(&p, operand);
	else
		info_node(&p, operand);
	place_free(&p);
	return 0;
}

/* When links expire: a number with h, d or w behind it, or a date. */
static int64_t
parse_expire(const char *text)
{
	static const char units[] = "smhdw";
	static const int64_t seconds[] = { 1, 60, 3600, 86400, 7 * 86400 };
	char *end;
	const char *unit;
	struct tm tm = { .tm_isdst = -1 }, want;
	long n = strtol(text, &end, 10);
	int len = 0;

	if (n > 0 && n < 100000 && *end != '\0' && end[1] == '\0' &&
	    (unit = strchr(units, *end)) != NULL)
		return (int64_t)time(NULL) + n * seconds[unit - units];
	if (sscanf(text, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon,
	    &tm.tm_mday, &len) == 3 && text[len] == '\0') {
		time_t t;

		tm.tm_year -= 1900;
		tm.tm_mon--;
		want = tm;
		t = mktime(&tm);
		/* mktime takes 30 February for a day in March. */
		if (tm.tm_mon == want.tm_mon && tm.tm_mday == want.tm_mday &&
		    t > time(NULL))
			return (int64_t)t;
	}
	cmd_usage("--expire=%s: want a time to come, such as 12h, 7d or "
	    "2030-12-31", text);
}

static void
run(char **argv)
{
	int r = 0;

	remote.shallow = opt.info;
	if (opt.list)
		r = list_links();
	else
		operand_each(argv, opt.info ? info : make_link, NULL);
	if (r < 0)
		cmd_fail(NULL, r);
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
		case 'l':
			opt.list = 1;
			break;
		case OPT_EXPIRE:
			opt.expire = parse_expire(optarg);
			break;
		case OPT_WRITABLE:
			opt.writable = 1;
			break;
		case OPT_OLD:
			opt.old = 1;
			break;
		}
	}
	if (opt.remove + opt.info + opt.list > 1)
		cmd_usage("-d, -i and -l do not go together");
	if (opt.writable && cmd.password_file != NULL)
		cmd_usage("--writable and --password-file do not go together: "
		    "a locked link has no room for it");
	if (opt.list && optind < argc)
		cmd_usage("-l takes no operands");
	if (optind == argc && !opt.list)
		cmd_usage(opt.info ? "no link given" : "no node given");
	if ((r = remote_open(&remote, cmd.session)) < 0 ||
	    (r = remote_password(&remote, cmd.password_file)) < 0) {
		cmd_fail(NULL, r);
		return cmd_finish();
	}
	run(argv + optind);
	task_wait(&tasks, remote.account.http);
	remote_close(&remote);
	return cmd_finish();
}
