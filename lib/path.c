#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "b64.h"
#include "err.h"
#include "mem.h"
#include "password.h"
#include "path.h"
#include "secret.h"
#include "shape.h"

#define PARTS_MAX 4 /* beyond, the whole tree is cheaper */

/* A handle and what is below it. */
struct path_part {
	struct path_part *next;
	struct tree *tree;
};

/* An open folder link. */
struct path_link {
	struct path_link *next;
	char ph[9];
	uint8_t key[KEY_SIZE];
	struct api *api;
	struct tree *tree;      /* NULL: its key is not known */
};

int
remote_open(struct remote *r, const char *session_path)
{
	*r = (struct remote){ .password = BUF_MAX(PASSWORD_MAX) };
	return account_open_any(&r->account, session_path);
}

static void
link_close(struct path_link *l)
{
	tree_close(l->tree);
	api_free(l->api);
	secret_zero(l, sizeof *l);
	free(l);
}

void
remote_close(struct remote *r)
{
	while (r->links != NULL) {
		struct path_link *l = r->links;

		r->links = l->next;
		link_close(l);
	}
	while (r->parts != NULL) {
		struct path_part *p = r->parts;

		r->parts = p->next;
		tree_close(p->tree);
		free(p);
	}
	tree_close(r->tree);
	api_free(r->nobody);
	r->tree = NULL;
	r->nobody = NULL;
	buf_wipe(&r->password);
	account_close(&r->account);
}

int
remote_password(struct remote *r, const char *file)
{
	struct password_source from = { .file = file };

	return file == NULL ? 0 : password_get(&r->password, &from);
}

int
remote_tree(struct remote *r, struct tree **t)
{
	int e;

	if ((e = account_need_session(&r->account)) < 0)
		return e;
	if (r->tree == NULL && (e = tree_open(&r->tree, r->account.api,
	    &r->account.session, r->flags)) < 0)
		return e;
	*t = r->tree;
	return 0;
}

/* A folder link with its channel, but without its tree: ERR_USAGE for a URL
 * of the service that may not be used. */
static int
link_new(struct remote *r, const struct link *l, struct path_link **out)
{
	const char *url = session_url(&r->account.session);
	struct path_link *p;
	char auth[64];

	if (url == NULL)
		return ERR_USAGE;
	p = *out = xcalloc(1, sizeof *p);
	memcpy(p->ph, l->ph, sizeof p->ph);
	snprintf(auth, sizeof auth, "n=%s%s", l->ph, l->auth);
	p->api = api_new(r->account.http, url, auth);
	return 0;
}

static void
link_keep(struct remote *r, struct path_link *p)
{
	p->next = r->links;
	r->links = p;
}

/* A folder link's tree and channel; opened once. */
static int
open_link(struct remote *r, const struct link *l, struct path_link **out)
{
	struct path_link *p = r->links;
	int e;

	while (p != NULL && (p->tree == NULL || strcmp(p->ph, l->ph) != 0 ||
	    memcmp(p->key, l->key, sizeof p->key) != 0))
		p = p->next;
	if (p == NULL) {
		if ((e = link_new(r, l, &p)) < 0)
			return e;
		memcpy(p->key, l->key, sizeof p->key);
		if ((e = tree_open_link(&p->tree, p->api, l)) < 0) {
			link_close(p);
			return place_refused(e);
		}
		link_keep(r, p);
	}
	*out = p;
	return 0;
}

/* The channel alone. */
static int
open_channel(struct remote *r, const struct link *l, struct api **api)
{
	struct path_link *p = r->links;
	int e;

	while (p != NULL && (p->tree != NULL || strcmp(p->ph, l->ph) != 0))
		p = p->next;
	if (p == NULL) {
		if ((e = link_new(r, l, &p)) < 0)
			return e;
		link_keep(r, p);
	}
	*api = p->api;
	return 0;
}

/* The next component of a path, which *rest moves behind; n is 0 at the
 * end. */
static struct slice
next_component(const char **rest)
{
	struct slice c;

	*rest += strspn(*rest, "/");
	c.p = *rest;
	c.n = strcspn(*rest, "/");
	*rest += c.n;
	return c;
}

/* "NAME#1700000000": the older version of a file that was made then. */
static int
find_version(struct tree *t, const struct node *parent, struct slice c,
    struct node *out)
{
	const char *mark = memchr(c.p, '#', c.n), *next;
	struct node n = { 0 };
	size_t digits;
	long long when;
	int r;

	/* The last "#" counts. */
	while (mark != NULL && (next = memchr(mark + 1, '#',
	    (size_t)(c.p + c.n - mark - 1))) != NULL)
		mark = next;
	if (mark == NULL)
		return ERR_NOENT;
	digits = strspn(mark + 1, "0123456789");
	if (digits == 0 || digits > 18 || mark + 1 + digits != c.p + c.n)
		return ERR_NOENT;
	when = strtoll(mark + 1, NULL, 10);
	r = tree_child(t, parent->h, c.p, (size_t)(mark - c.p), &n);
	while (r == 0 && n.type == NODE_FILE) {
		char h[9];

		memcpy(h, n.h, sizeof h);
		node_free(&n);
		r = tree_version(t, h, &n);
		if (r == 0 && n.created == when) {
			*out = n;
			return 0;
		}
	}
	node_free(&n);
	return r < 0 ? r : ERR_NOENT;
}

/* A component that does not exist, where that is no failure. */
struct ahead {
	int far;        /* it need not be the last one */
	char *missing;  /* NULL: all exist */
	size_t left;    /* characters behind it */
};

/*
 * Go down from the node at, which is replaced, along path.  With ahead, a
 * component that does not exist is given there, at being its parent.
 */
static int
step_down(struct tree *t, struct node *at, const char *path,
    struct ahead *ahead)
{
	struct slice c;
	struct node n;
	int r, slash, last;

	for (;;) {
		c = next_component(&path);
		if (c.n == 0)
			return 0;
		slash = *path == '/';
		last = path[strspn(path, "/")] == '\0';
		if (at->type == NODE_FILE)
			return err_set(ERR_NOENT, "not a folder");
		r = tree_child(t, at->h, c.p, c.n, &n);
		if (r == ERR_NOENT && ahead != NULL && (last || ahead->far)) {
			ahead->missing = xstrndup(c.p, c.n);
			ahead->left = strlen(path);
			return 0;
		}
		if (r == ERR_NOENT && last)
			r = find_version(t, at, c, &n);
		if (r < 0)
			return r == ERR_NOENT ?
			    err_set(ERR_NOENT, "not found") : r;
		node_free(at);
		*at = n;
		if (slash && at->type == NODE_FILE)
			return err_set(ERR_NOENT, "not a folder");
	}
}

static int
descend(struct tree *t, struct node *at, const char *path,
    struct ahead *ahead)
{
	int r;

	if ((r = tree_snapshot(t)) == 0) {
		r = step_down(t, at, path, ahead);
		tree_release(t);
	}
	return r;
}

/* Whether a path begins with a root's name; *rest then stands behind it. */
static int
begins(const char *path, const char *root, const char **rest)
{
	size_t n = strlen(root);

	if (strncmp(path, root, n) != 0 || (path[n] != '\0' && path[n] != '/'))
		return 0;
	*rest = path + n;
	return 1;
}

static int
find_path(struct remote *r, const char *path, struct place *p,
    struct ahead *ahead)
{
	enum node_type root = NODE_ROOT;
	int e;

	if (*path == '\0')
		return err_set(ERR_USAGE, "an empty path");
	if ((e = remote_tree(r, &p->tree)) < 0)
		return e;
	p->api = r->account.api;
	if (begins(path, "//from", &path)) {
		p->node.type = NODE_FOLDER;
		p->node.mtime = -1;
		p->node.name = xstrdup("from");
		p->node.namelen = strlen("from");
		return descend(p->tree, &p->node, path, ahead);
	}
	if (begins(path, "//bin", &path))
		root = NODE_RUBBISH;
	else if (begins(path, "//in", &path))
		root = NODE_INBOX;
	if ((e = tree_root(p->tree, root, &p->node)) < 0)
		return e;
	return descend(p->tree, &p->node, path, ahead);
}

/* Whether an operand is "H:xxxxxxxx", perhaps with a path behind it. */
static int
is_handle(const char *s)
{
	return strncmp(s, "H:", 2) == 0 && strlen(s) >= 10 &&
	    b64_valid(s + 2, 8) && (s[10] == '\0' || s[10] == '/');
}

/* The account's tree, if it need not be loaded: ERR_NOENT if it has to. */
static int
tree_at_hand(struct remote *r)
{
	int e;

	if ((e = account_need_session(&r->account)) < 0)
		return e;
	return r->tree != NULL ? 0 : tree_open(&r->tree, r->account.api,
	    &r->account.session, r->flags | TREE_AT_HAND);
}

/* The part at a handle: one that is open has it, or it is opened. */
static int
find_part(struct remote *r, const char h[9], struct tree **t)
{
	struct path_part *p;
	struct node n;
	int e, count = 0;

	for (p = r->parts; p != NULL; p = p->next, count++) {
		if ((e = tree_get(p->tree, h, &n)) == ERR_NOENT)
			continue;
		node_free(&n);
		*t = p->tree;
		return e;
	}
	if (count == PARTS_MAX)
		return ERR_NOENT;
	if ((e = tree_open_part(t, r->account.api, &r->account.session, h,
	    r->handles == REMOTE_INTO)) < 0)
		return e;
	p = xcalloc(1, sizeof *p);
	p->tree = *t;
	p->next = r->parts;
	r->parts = p;
	return 0;
}

/* What knows of a handle. */
static int
tree_of_handle(struct remote *r, const char h[9], struct tree **t)
{
	int e = ERR_NOENT;

	if (r->handles != REMOTE_ALL && (e = tree_at_hand(r)) == ERR_NOENT)
		e = find_part(r, h, t);
	else if (e == 0)
		*t = r->tree;
	if (e != ERR_NOENT)
		return e;
	err_clear();
	return remote_tree(r, t);
}

static int
find_handle(struct remote *r, const char *s, struct place *p,
    struct ahead *ahead)
{
	char h[9] = "";
	int e;

	memcpy(h, s + 2, 8);
	if ((e = tree_of_handle(r, h, &p->tree)) < 0 ||
	    (e = tree_get(p->tree, h, &p->node)) < 0)
		return e;
	p->api = r->account.api;
	return descend(p->tree, &p->node, s + 10, ahead);
}

/* A folder, or what a link selects in it. */
static int
find_in_folder(struct remote *r, struct place *p, struct ahead *ahead)
{
	const struct link *l = &p->link;
	struct path_link *open = NULL;
	char *path;
	int e;

	if ((e = open_link(r, l, &open)) < 0)
		return e;
	p->kind = PLACE_IN_LINK;
	p->tree = open->tree;
	p->api = open->api;
	if ((e = tree_get(p->tree, l->node[0] != '\0' ? l->node :
	    tree_link_root(p->tree), &p->node)) < 0)
		return e;
	if (l->path.p == NULL)
		return 0;
	path = xstrndup(l->path.p, l->path.n);
	e = descend(p->tree, &p->node, path, ahead);
	free(path);
	return e;
}

/* All that a link says itself.  It is asked for without the session, which
 * may have ended and has nothing to do with it. */
static int
find_public(struct remote *r, struct place *p)
{
	const struct link *l = &p->link;
	const char *url = session_url(&r->account.session);

	if (url == NULL)
		return ERR_USAGE;
	if (r->nobody == NULL)
		r->nobody = api_new(r->account.http, url, "");
	p->api = r->nobody;
	p->is_public = 1;
	memcpy(p->node.h, l->ph, sizeof p->node.h);
	return 0;
}

static int
find_said(struct remote *r, struct place *p)
{
	const struct link *l = &p->link;
	int e;

	p->kind = PLACE_LINK;
	p->node.type = l->kind == LINK_FOLDER ? NODE_FOLDER : NODE_FILE;
	p->node.mtime = -1;
	memcpy(p->node.key, l->key, l->keylen);
	p->node.keylen = l->keylen;
	if (l->kind != LINK_NODE)
		return find_public(r, p);
	if ((e = open_channel(r, l, &p->api)) < 0)
		return e;
	memcpy(p->node.h, l->node, sizeof p->node.h);
	return 0;
}

/* Open a locked link; the first one asks for the password. */
static int
unlock(struct remote *r, struct link *l)
{
	struct password_source from = { .question = "Password of the link: " };
	int e;

	if (r->password.len == 0 &&
	    (e = password_get(&r->password, &from)) < 0)
		return err_prefix(e, "the link is locked with a password");
	return link_unlock(l, buf_str(&r->password));
}

static int
find_link(struct remote *r, const char *text, struct place *p,
    struct ahead *ahead)
{
	int e;

	if ((e = link_parse(&p->link, text)) < 0)
		return e;
	if (p->link.kind == LINK_PASSWORD && (e = unlock(r, &p->link)) < 0)
		return e;
	if (p->link.keylen == 0)
		return err_set(ERR_USAGE, "the link has no key");
	if (p->link.kind != LINK_FOLDER || (r->shallow &&
	    p->link.node[0] == '\0' && p->link.path.p == NULL))
		return find_said(r, p);
	return find_in_folder(r, p, ahead);
}

static int
find(struct remote *r, const char *operand, struct place *p,
    struct ahead *ahead)
{
	int e;

	*p = (struct place){ 0 };
	if (link_is(operand))
		e = find_link(r, operand, p, ahead);
	else if (is_handle(operand))
		e = find_handle(r, operand, p, ahead);
	else
		e = find_path(r, operand, p, ahead);
	if (e < 0)
		place_free(p);
	return e;
}

int
path_find(struct remote *r, const char *operand, struct place *p)
{
	return find(r, operand, p, NULL);
}

int
path_target(struct remote *r, const char *operand, struct place *p)
{
	struct ahead ahead = { 0 };
	int e;

	if ((e = find(r, operand, p, &ahead)) < 0)
		return e;
	p->missing = ahead.missing;
	if (p->kind == PLACE_LINK)
		e = err_set(ERR_USAGE, "a link to a file cannot be written "
		    "to");
	else if (ahead.missing != NULL && ahead.left > 0)
		e = err_set(ERR_NOENT, "not found");
	if (e < 0)
		place_free(p);
	return e;
}

int
path_reach(struct remote *r, const char *operand, struct place *p,
    const char **rest)
{
	struct ahead ahead = { .far = 1 };
	int e;

	if ((e = find(r, operand, p, &ahead)) < 0)
		return e;
	p->missing = ahead.missing;
	*rest = operand + strlen(operand) - ahead.left;
	*rest += strspn(*rest, "/");
	return 0;
}

void
place_free(struct place *p)
{
	node_free(&p->node);
	free(p->missing);
	secret_zero(p, sizeof *p);
}

/* What the service says about a public file. */
struct public {
	int64_t size;
	struct slice at;
};

static const struct shape public_shape[] = {
	SHAPE(public, size, "s", SHAPE_INT, SHAPE_REQUIRED, 0,
	    SHAPE_SIZE_MAX),
	SHAPE(public, at, "at", SHAPE_STRING, SHAPE_REQUIRED, 0,
	    B64_LEN(ATTR_MAX)),
	SHAPE_END
};

/* Fill in what a public file's attributes say. */
static void
take_attributes(struct node *n, const struct attr *a)
{
	struct fingerprint f;
	const char *text;
	size_t len;

	if ((text = attr_get(a, "n", &len)) != NULL) {
		n->name = xmalloc(len + 1);
		memcpy(n->name, text, len + 1);
		n->namelen = len;
	}
	text = attr_get(a, "c", &len);
	if (text != NULL && len < sizeof n->fingerprint &&
	    fingerprint_parse(&f, text, len) == 0) {
		memcpy(n->fingerprint, text, len + 1);
		n->mtime = f.mtime >= 0 ? f.mtime : -1;
	}
}

int
place_attributes(struct node *n, struct attr *a, struct slice at,
    const uint8_t key[KEY_SIZE])
{
	int r = attr_open(a, at.p, at.n, key);

	if (r == ERR_KEY)
		return err_set(r, "the link's key does not fit");
	if (r == 0)
		take_attributes(n, a);
	return r;
}

int
place_refused(int err)
{
	if (err != ERR_BLOCKED && err != ERR_TOOMANY)
		return err;
	return err_set(ERR_REFUSED, "taken down by the service");
}

struct json_out
place_question(const struct place *p, struct api_cmd *c)
{
	struct json_out o = api_begin(c, "g");

	json_put(&o, p->is_public ? "p" : "n", p->node.h);
	return o;
}

int
place_reply(struct node *n, struct attr *a, struct json *j, int v, int err)
{
	uint8_t folded[KEY_SIZE];
	struct public reply = { 0 };
	int r;

	*a = (struct attr){ 0 };
	if (err < 0)
		return place_refused(err);
	if ((r = shape_read("reply to \"g\"", public_shape, j, v,
	    &reply)) < 0)
		return r;
	n->size = reply.size;
	key_fold(folded, n->key, n->keylen);
	r = place_attributes(n, a, reply.at, folded);
	secret_zero(folded, sizeof folded);
	return r;
}

int
place_ask(struct place *p)
{
	struct api_cmd c = { 0 };
	struct json_out o = place_question(p, &c);
	struct attr a = { 0 };
	struct json j = { 0 };
	int r = api_wait(p->api, &c, &o, &j);

	r = place_reply(&p->node, &a, &j, r, r < 0 ? r : 0);
	attr_free(&a);
	json_free(&j);
	return r;
}

int
place_print_link(const struct place *p, struct buf *out)
{
	char text[LINK_TEXT_MAX];
	struct link l = p->link;
	int r = 0;

	if (p->kind == PLACE_IN_LINK)
		l.node[0] = '\0';
	if (p->kind != PLACE_NODE)
		r = buf_addstr(out, link_print(text, &l, 0));
	if (p->kind == PLACE_IN_LINK)
		r = buf_addch(out, ':');
	secret_zero(text, sizeof text);
	secret_zero(&l, sizeof l);
	return r;
}

int
place_print(const struct place *p, struct buf *out)
{
	int r = place_print_link(p, out);

	if (p->tree != NULL)
		r = tree_path(p->tree, p->node.h, out);
	if (r == 0 && p->missing != NULL) {
		if (out->len > 0 && out->p[out->len - 1] != '/')
			buf_addch(out, '/');
		r = buf_addstr(out, p->missing);
	}
	return r;
}
