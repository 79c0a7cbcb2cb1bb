/* mega-ls: list nodes of the account, and what links lead to. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "err.h"
#include "operand.h"
#include "path.h"
#include "record.h"
#include "secret.h"
#include "share.h"

#define SYNOPSIS "[-dhj0lRqv] [--versions] [--full] [--cached] " \
	"[--session=FILE] [--password-file=F] [OPERAND ...]"

#define TEXT_MAX (4 << 20) /* of one record */

enum { OPT_VERSIONS = 256, OPT_FULL, OPT_CACHED };

static const struct cmd_opt options[] = {
	{ 'd', "directory", NULL, "the node itself, not what is in it" },
	{ 'h', "human", NULL, "sizes like 1.5M" },
	CMD_JSON, CMD_NULL,
	{ 'l', "long", NULL, "type, size, time, handle, path" },
	{ 'R', "recursive", NULL, "everything below" },
	CMD_QUIET, CMD_VERBOSE,
	{ OPT_VERSIONS, "versions", NULL, "older versions of files, too" },
	{ OPT_FULL, "full", NULL, "what is in links as LINK:/path" },
	{ OPT_CACHED, "cached", NULL, "what was known last; ask nobody" },
	CMD_SESSION, CMD_PASSWORD, CMD_END
};

static struct {
	int directory, human, longer, recursive, versions, full;
} opt;

static struct remote remote;

/* What is listed for one operand. */
struct listing {
	struct place place;
	struct buf link;  /* "https://…:" before paths in a folder link */
	struct buf path;  /* of the operand's node, then of the one shown */
	size_t base;      /* length of the former */
	struct buf text;  /* the record */
};

/* The columns before the path. */
static void
columns(struct buf *out, const struct node *n)
{
	static const char *const types[] = { "file", "folder", "root", "inbox",
	    "rubbish" };
	char when[CMD_TIME_MAX];
	int width = opt.human ? 8 : 15;

	buf_printf(out, "%-7s ", types[n->type]);
	if (n->type != NODE_FILE)
		buf_printf(out, "%*s", width, "-");
	else if (opt.human)
		cmd_human(out, n->size);
	else
		buf_printf(out, "%*lld", width, (long long)n->size);
	buf_printf(out, " %s ", cmd_time(when, n->mtime >= 0 ? n->mtime :
	    n->created));
	if (n->h[0] != '\0')
		buf_printf(out, "H:%s ", n->h);
	else
		buf_printf(out, "%-10s ", "-");
}

/* The link that names the node shown: its own, if it is the account's; in a
 * folder link by path, or by handle where JSON could not spell the path.
 * NULL if it has none. */
static const char *
link_text(struct listing *l, const struct node *n, struct buf *out)
{
	char text[LINK_TEXT_MAX];
	struct link link = l->place.link;

	if (l->link.len == 0) {
		if (share_link(&link, l->place.tree, n) == 0)
			buf_addstr(out, link_print(text, &link, 0));
		err_clear();
	} else if (l->place.kind == PLACE_LINK) {
		buf_add(out, l->link.p, l->link.len);
	} else if (json_utf8(l->path.p, l->path.len)) {
		buf_add(out, l->link.p, l->link.len);
		buf_add(out, l->path.p, l->path.len);
	} else {
		memcpy(link.node, n->h, sizeof link.node);
		link.node_is_file = n->type == NODE_FILE;
		buf_addstr(out, link_print(text, &link, 0));
	}
	secret_zero(&link, sizeof link);
	secret_zero(text, sizeof text);
	return out->len > 0 ? buf_str(out) : NULL;
}

static int
show_json(struct listing *l, const struct node *n)
{
	struct buf link = BUF_MAX(TEXT_MAX);
	struct json_out o = { &l->text, 0 };
	int r;

	json_open(&o, NULL, '{');
	record_node(&o, n, buf_str(&l->path), l->path.len,
	    link_text(l, n, &link));
	json_close(&o, '}');
	if ((r = buf_check(&l->text)) == 0)
		cmd_record_json(&l->text);
	buf_wipe(&link);
	return r;
}

/* One record: the node whose path is in l->path. */
static int
show(struct listing *l, const struct node *n)
{
	int r;

	buf_reset(&l->text);
	if (cmd.json)
		return show_json(l, n);
	if (opt.longer)
		columns(&l->text, n);
	if (opt.full)
		buf_add(&l->text, l->link.p, l->link.len);
	if (!opt.full || l->place.kind != PLACE_LINK)
		buf_add(&l->text, l->path.p, l->path.len);
	if ((r = buf_check(&l->text)) == 0)
		cmd_record(buf_str(&l->text), l->text.len);
	return r;
}

/* A file's older versions, newest first. */
static int
show_versions(struct listing *l, const struct node *file)
{
	struct node n;
	size_t len = l->path.len;
	char h[9];
	int r = 0;

	memcpy(h, file->h, sizeof h);
	while (r == 0 && (r = tree_version(l->place.tree, h, &n)) == 0) {
		memcpy(h, n.h, sizeof h);
		buf_printf(&l->path, "#%lld", (long long)n.created);
		r = show(l, &n);
		l->path.len = len;
		node_free(&n);
	}
	return r == ERR_NOENT ? 0 : r;
}

static int
show_with_versions(struct listing *l, const struct node *n)
{
	int r = show(l, n);

	if (r == 0 && opt.versions && n->type == NODE_FILE &&
	    l->place.tree != NULL)
		r = show_versions(l, n);
	return r;
}

/* Put what is below the operand's node behind its path. */
static int
set_path(struct listing *l, const char *rest, size_t n)
{
	l->path.len = l->base;
	if (l->base == 0 || l->path.p[l->base - 1] != '/')
		buf_addch(&l->path, '/');
	return buf_add(&l->path, rest, n);
}

static int
show_below(void *ctx, const struct node *n, const char *path, size_t len)
{
	struct listing *l = ctx;
	int r = set_path(l, path, len);

	if (r == 0)
		r = show_with_versions(l, n);
	if (r < 0)
		return r;
	return !opt.recursive;
}

/* A public file: the service is asked for its name and size. */
static int
list_file(struct listing *l)
{
	struct node *n = &l->place.node;
	char tmp[16];
	const char *name;
	size_t len;
	int r;

	if ((r = place_ask(&l->place)) < 0)
		return r;
	if (l->place.is_public) /* which is not the node's handle */
		n->h[0] = '\0';
	name = node_component(n, tmp, &len);
	if ((r = set_path(l, name, len)) < 0)
		return r;
	return show(l, n);
}

static int
list_node(struct listing *l)
{
	struct place *p = &l->place;
	int r;

	if ((r = tree_path(p->tree, p->node.h, &l->path)) < 0)
		return r;
	l->base = l->path.len;
	if (opt.directory || p->node.type == NODE_FILE)
		return show_with_versions(l, &p->node);
	return tree_walk(p->tree, p->node.h, show_below, l);
}

static int
list_place(struct listing *l)
{
	int r;

	if (l->place.kind == PLACE_LINK)
		return list_file(l);
	if ((r = tree_snapshot(l->place.tree)) == 0) {
		r = list_node(l);
		tree_release(l->place.tree);
	}
	return r;
}

static int
list(void *ctx, const char *operand)
{
	struct listing l = { .link = BUF_MAX(LINK_TEXT_MAX),
	    .path = BUF_MAX(TEXT_MAX), .text = BUF_MAX(3 * TEXT_MAX) };
	int r;

	(void)ctx;
	if ((r = path_find(&remote, operand, &l.place)) < 0)
		return r;
	place_print_link(&l.place, &l.link);
	r = list_place(&l);
	place_free(&l.place);
	buf_wipe(&l.link);
	buf_free(&l.path);
	buf_wipe(&l.text);
	return r;
}

int
main(int argc, char *argv[])
{
	char slash[] = "/", *root[] = { slash, NULL };
	int ch, r, flags = 0;

	cmd_init("mega-ls", SYNOPSIS, options);
	while ((ch = cmd_option(argc, argv)) != -1) {
		switch (ch) {
		case 'd':
			opt.directory = 1;
			break;
		case 'h':
			opt.human = 1;
			break;
		case 'l':
			opt.longer = 1;
			break;
		case 'R':
			opt.recursive = 1;
			break;
		case OPT_VERSIONS:
			opt.versions = 1;
			break;
		case OPT_FULL:
			opt.full = 1;
			break;
		case OPT_CACHED:
			flags = TREE_CACHED;
			break;
		}
	}
	if ((r = remote_open(&remote, cmd.session)) < 0 ||
	    (r = remote_password(&remote, cmd.password_file)) < 0) {
		cmd_fail(NULL, r);
		return cmd_finish();
	}
	remote.flags = flags;
	operand_each(optind < argc ? argv + optind : root, list, NULL);
	remote_close(&remote);
	return cmd_finish();
}
