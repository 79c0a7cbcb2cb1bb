/* mega-get: download files and folders. */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chunk.h"
#include "cmd.h"
#include "download.h"
#include "err.h"
#include "finish.h"
#include "mem.h"
#include "mirror.h"
#include "name.h"
#include "operand.h"
#include "path.h"
#include "progress.h"
#include "record.h"
#include "same.h"
#include "secret.h"

#define SYNOPSIS "[-rcfj0nqv] [-o DEST] [--if-exists=POLICY] [--wait[=MAX]]\n" \
	"    [--limit-rate=N] [--connections=N] [--http] [--password-file=F]\n" \
	"    [--include=PATTERN] [--exclude=PATTERN] OPERAND ...\n" \
	"[--range=A-B] [-o FILE] OPERAND"

enum { OPT_EXISTS = 256, OPT_RANGE, OPT_INCLUDE, OPT_EXCLUDE };

static const struct cmd_opt options[] = {
	{ 'r', "recursive", NULL, "folders with all that is in them" },
	{ 'c', "continue", NULL, "accepted for other tools' habits; always on" },
	{ 'o', "output", "DEST", "a file, a folder (DEST/), or - for stdout" },
	{ 'f', "force", NULL, "write data even to a terminal" },
	CMD_JSON, CMD_NULL, CMD_DRY, CMD_QUIET, CMD_VERBOSE, CMD_SESSION,
	CMD_PASSWORD, CMD_PROGRESS,
	{ OPT_EXISTS, "if-exists", "POLICY", "skip, replace, rename or fail" },
	{ OPT_INCLUDE, "include", "PATTERN", "of folders: do not leave out" },
	{ OPT_EXCLUDE, "exclude", "PATTERN", "of folders: leave out" },
	{ OPT_RANGE, "range", "A-B", "only these bytes; not verified" },
	CMD_WAIT, CMD_RATE, CMD_CONNECTIONS, CMD_HTTP, CMD_END
};

enum policy { DEFAULT, SKIP, REPLACE, RENAME, FAIL };

static struct {
	const char *dest;
	int recursive, force, to_stdout;
	enum policy exists;
	struct cmd_range range;
	struct mirror_filter filter;
} opt = { .dest = "." };

static struct remote remote;
static struct downloads *engine;
static struct finish finish;

/* One file on its way. */
struct get {
	struct download d;
	struct out out;
	struct finish_item finish;
	char *operand;       /* for messages */
	char *dir;           /* where it goes, or NULL: path is given */
	char *path;          /* its local path, once known */
	struct node node;    /* for -j; without its key */
	char *remote_path;
	int skipped;
	int created;         /* path is written in place: not to stay half */
	struct get *next;    /* of those whose path is settled */
};

/* Paths that are settled and not there yet: nobody else may take them. */
static struct get *settled;

static void
settle(struct get *g)
{
	g->next = settled;
	settled = g;
}

static const struct get *
find_settled(const char *path)
{
	const struct get *g = settled;

	while (g != NULL && strcmp(g->path, path) != 0)
		g = g->next;
	return g;
}

static void
unsettle(const struct get *g)
{
	struct get **at = &settled;

	while (*at != NULL && *at != g)
		at = &(*at)->next;
	if (*at != NULL)
		*at = g->next;
}

static void
get_free(struct get *g)
{
	unsettle(g);
	free(g->operand);
	free(g->dir);
	free(g->path);
	free(g->remote_path);
	node_free(&g->node);
	secret_zero(g, sizeof *g);
	free(g);
}

/* Change the path to "name (1).txt": the first that is free. */
static void
choose_name(struct get *g)
{
	const char *path = g->path;
	const char *base = strrchr(path, '/');
	const char *dot = strrchr(base != NULL ? base + 1 : path, '.');
	struct stat st;
	char *s = NULL;

	if (dot == NULL || dot == path || dot[-1] == '/')
		dot = path + strlen(path);
	for (int i = 1; i < 100000; i++) {
		free(s);
		s = xasprintf("%.*s (%d)%s", (int)(dot - path), path, i, dot);
		if (lstat(s, &st) == -1 && errno == ENOENT &&
		    find_settled(s) == NULL)
			break;
	}
	free(g->path);
	g->path = s;
}

/* The name is taken: what does the policy say?  0: go on, 1: leave it. */
static int
taken(struct get *g)
{
	struct node n = g->node;
	int same;

	switch (opt.exists) {
	case SKIP:
		return 1;
	case REPLACE:
		return 0;
	case RENAME:
		choose_name(g);
		return 0;
	case DEFAULT:
		memcpy(n.key, g->d.key, KEY_FILE_SIZE);
		n.keylen = KEY_FILE_SIZE;
		same = same_file(g->path, &n);
		secret_zero(&n, sizeof n);
		if (same != 0)
			return same;
		return err_set(ERR_TAKEN, "%s exists, and differs", g->path);
	case FAIL:
		break;
	}
	return err_set(ERR_TAKEN, "%s exists", g->path);
}

/* An earlier operand will have the name: the same question. */
static int
claimed(struct get *g, const struct get *earlier)
{
	if (opt.exists == SKIP || (opt.exists == DEFAULT &&
	    strcmp(g->d.h, earlier->d.h) == 0))
		return 1;
	if (opt.exists != RENAME)
		return err_set(ERR_TAKEN, "%s is the name of an earlier "
		    "operand, too", g->path);
	choose_name(g);
	return 0;
}

/* Data of no regular file's: as it comes, in order. */
static int
to_stdout(struct download *d, const uint8_t *p, size_t n)
{
	(void)d;
	return out_all(STDOUT_FILENO, "standard output", p, n);
}

static int
to_device(struct download *d, const uint8_t *p, size_t n)
{
	struct get *g = d->ctx;

	return out_all(g->out.fd, g->path, p, n);
}

/* What the service has now told of the node, for the record. */
static void
describe(struct get *g)
{
	struct node *n = &g->node;
	const char *s;
	size_t len;

	n->size = g->d.size;
	n->mtime = g->d.modified;
	if ((s = attr_get(&g->d.attr, "n", &len)) != NULL && n->name == NULL) {
		n->name = xmalloc(len + 1);
		memcpy(n->name, s, len + 1);
		n->namelen = len;
	}
	if ((s = attr_get(&g->d.attr, "c", &len)) != NULL &&
	    len < sizeof n->fingerprint)
		memcpy(n->fingerprint, s, len + 1);
}

/* Write to what is not a file that can be renamed, or to a part of one. */
static int
begin_device(struct get *g, int flags)
{
	g->out.fd = open(g->path, O_WRONLY | O_CLOEXEC | flags, 0666);
	if (g->out.fd == -1)
		return err_local("%s", g->path);
	g->d.emit = to_device;
	return 0;
}

static char *
join(const char *dir, const char *name)
{
	size_t n = strlen(dir);

	if (strcmp(dir, ".") == 0)
		return xstrdup(name);
	return xasprintf("%s%s%s", dir, n > 0 && dir[n - 1] == '/' ? "" : "/",
	    name);
}

/* The local name is known: make sure that it may be used. */
static int
begin_file(struct get *g)
{
	const struct get *earlier;
	struct stat st;
	int r = 0;

	if (stat(g->path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return err_set(ERR_TAKEN, "%s is a folder", g->path);
		if (!S_ISREG(st.st_mode))
			return begin_device(g, 0);
	}
	if (lstat(g->path, &st) == 0)
		r = taken(g);
	else if ((earlier = find_settled(g->path)) != NULL)
		r = claimed(g, earlier);
	if (r != 0)
		return r;
	settle(g);
	if (cmd.dry) {
		cmd_record(g->path, strlen(g->path));
		return 1;
	}
	if (opt.range.to > 0) {
		r = begin_device(g, O_CREAT | (opt.exists == REPLACE ?
		    O_TRUNC : O_EXCL));
		g->created = r == 0;
		return r;
	}
	if ((r = out_open(&g->out, g->path, g->d.h)) < 0)
		return r;
	g->d.out = &g->out;
	return 0;
}

/* The name and size have come: where does the data go? */
static int
begin(struct download *d)
{
	struct get *g = d->ctx;
	char local[NAME_LOCAL_MAX];
	int r = 0;

	describe(g);
	name_local(local, g->node.name != NULL ? g->node.name : "",
	    g->node.namelen, d->h);
	if (g->path == NULL && !opt.to_stdout)
		g->path = join(g->dir, local);
	if (opt.to_stdout && cmd.dry)
		return 1;
	if (opt.to_stdout)
		d->emit = to_stdout;
	else if ((r = begin_file(g)) != 0)
		g->skipped = 1;
	if (r == 0)
		progress_file(local, d->size);
	return r;
}

static void
report(struct get *g)
{
	struct buf b = BUF_MAX(1 << 20);
	struct json_out o = { &b, 0 };

	if (!cmd.json || opt.to_stdout || cmd.dry)
		return;
	json_open(&o, NULL, '{');
	record_node(&o, &g->node, g->remote_path, g->remote_path != NULL ?
	    strlen(g->remote_path) : 0, NULL);
	json_put(&o, "local", g->path);
	json_put(&o, "result", g->skipped ? "skipped" : "done");
	json_close(&o, '}');
	cmd_record_json(&b);
	buf_free(&b);
}

/* The end of one file: tell it. */
static void
end(struct get *g, int r)
{
	progress_ended();
	/* What does not authenticate, or has lost its name to another when
	 * it was complete, is of no use to a later run. */
	if (r == ERR_MAC || r == ERR_TAKEN)
		out_discard(&g->out);
	else
		out_keep(&g->out);
	if (r < 0)
		cmd_fail(g->operand, r);
	else
		report(g);
	get_free(g);
}

static void
named(struct finish_item *i, int r)
{
	end(i->ctx, r);
}

static void
done(struct download *d, int r)
{
	struct get *g = d->ctx;

	if (r == 0 && d->historic != NULL)
		cmd_note_on(g->operand, d->historic);
	if (r == 0 && d->out != NULL) {
		g->finish = (struct finish_item){ .out = &g->out,
		    .size = d->size, .mtime = d->modified,
		    .replace = opt.exists == REPLACE, .done = named,
		    .ctx = g };
		finish_add(&finish, &g->finish);
		return;
	}
	if (d->emit == to_device && g->out.fd >= 0 &&
	    close(g->out.fd) == -1 && r == 0)
		r = err_local("%s", g->path);
	if (r < 0 && g->created)
		unlink(g->path);
	end(g, r);
}

/* Begin to get one file.  The place's key is used and wiped. */
static int
get_file(const char *operand, const struct place *p, const struct node *n,
    const char *dir, const char *path)
{
	struct get *g;

	if (n->keylen != KEY_FILE_SIZE)
		return err_set(ERR_KEY, p->kind == PLACE_LINK ?
		    "the link has no key" : "its key cannot be decrypted");
	while (!downloads_want(engine))
		http_turn(remote.account.http, -1);
	g = xcalloc(1, sizeof *g);
	g->out.fd = -1;
	g->operand = xstrdup(operand);
	g->dir = dir != NULL ? xstrdup(dir) : NULL;
	g->path = path != NULL ? xstrdup(path) : NULL;
	node_copy(&g->node, n);
	secret_zero(g->node.key, sizeof g->node.key);
	g->d.api = p->api;
	g->d.is_public = p->is_public;
	memcpy(g->d.h, n->h, sizeof n->h);
	memcpy(g->d.key, n->key, KEY_FILE_SIZE);
	g->d.from = opt.range.from;
	g->d.to = opt.range.to;
	g->d.begin = begin;
	g->d.done = done;
	g->d.ctx = g;
	downloads_add(engine, &g->d);
	return 0;
}

/* Folders. */

struct tree_ctx {
	const char *operand;
	const struct place *place;
	struct buf path;     /* local path of the node */
	struct buf label;
};

static int
make_folder(const char *path)
{
	struct stat st;

	if (cmd.dry || mkdir(path, 0777) == 0)
		return 0;
	if (errno != EEXIST)
		return err_local("%s", path);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return err_set(ERR_TAKEN, "%s exists, and is no folder", path);
}

/* A node's local name, behind its folder's path. */
static void
add_name(struct tree_ctx *t, const struct node *n)
{
	char name[NAME_LOCAL_MAX], tmp[16];
	const char *shown;
	size_t len;

	shown = node_name(n, tmp, &len);
	name_local(name, shown, len, n->h);
	buf_addch(&t->path, '/');
	buf_addstr(&t->path, name);
}

/* Folders on the way down to the node under way, to come back to. */
struct level {
	char h[9];
	size_t len;          /* of the local path */
};

static struct level *levels;
static size_t nlevels, maxlevels;

/* Go to the folder that is the node's parent. */
static void
climb(struct tree_ctx *t, const struct node *n)
{
	while (nlevels > 1 &&
	    strcmp(levels[nlevels - 1].h, n->p) != 0)
		nlevels--;
	t->path.len = levels[nlevels - 1].len;
}

static void
descend(struct tree_ctx *t, const char *h)
{
	if (nlevels == maxlevels) {
		maxlevels = maxlevels == 0 ? 64 : 2 * maxlevels;
		levels = xreallocarray(levels, maxlevels, sizeof *levels);
	}
	memcpy(levels[nlevels].h, h, 9);
	levels[nlevels++].len = t->path.len;
}

static int
visit(void *ctx, const struct node *n, const char *path, size_t len)
{
	struct tree_ctx *t = ctx;
	int r;

	climb(t, n);
	add_name(t, n);
	if (mirror_excluded(&opt.filter, buf_str(&t->path) + levels[0].len + 1,
	    n->type != NODE_FILE))
		return 1;
	buf_reset(&t->label);
	buf_printf(&t->label, "%s/%.*s", t->operand, (int)len, path);
	err_clear();
	if (n->type == NODE_FILE) {
		r = get_file(buf_str(&t->label), t->place, n, NULL,
		    buf_str(&t->path));
	} else if ((r = make_folder(buf_str(&t->path))) == 0) {
		descend(t, n->h);
		return 0;
	}
	if (r < 0)
		cmd_fail(buf_str(&t->label), r);
	return r < 0 ? 1 : 0;
}

static int
get_folder(const char *operand, const struct place *p, const char *path)
{
	struct tree_ctx t = { .operand = operand, .place = p,
	    .path = BUF_MAX(1 << 20), .label = BUF_MAX(1 << 20) };
	int r;

	if (!opt.recursive)
		return err_set(ERR_USAGE, "is a folder (-r gets folders)");
	if (opt.to_stdout)
		return err_set(ERR_USAGE, "a folder does not fit into "
		    "standard output");
	if ((r = make_folder(path)) < 0)
		return r;
	buf_addstr(&t.path, path);
	nlevels = 0;
	descend(&t, p->node.h);
	r = tree_walk(p->tree, p->node.h, visit, &t);
	buf_free(&t.path);
	buf_free(&t.label);
	return r;
}

/* Operands. */

/* Whether the destination is a folder to put things into. */
static int
is_folder(const char *dest)
{
	struct stat st;
	size_t n = strlen(dest);

	if (n > 0 && dest[n - 1] == '/')
		return 1;
	return stat(dest, &st) == 0 && S_ISDIR(st.st_mode);
}

static int
get_place(const char *operand, struct place *p)
{
	char local[NAME_LOCAL_MAX], tmp[16];
	const char *name;
	char *path;
	size_t n;
	int r, into = !opt.to_stdout && is_folder(opt.dest);

	if (into && (r = make_folder(opt.dest)) < 0)
		return r;
	if (p->kind == PLACE_LINK || p->node.type == NODE_FILE)
		return get_file(operand, p, &p->node, into ? opt.dest : NULL,
		    into ? NULL : opt.dest);
	name = node_name(&p->node, tmp, &n);
	name_local(local, name, n, p->node.h);
	path = into ? join(opt.dest, local) : xstrdup(opt.dest);
	r = get_folder(operand, p, path);
	free(path);
	return r;
}

static int
get(void *ctx, const char *operand)
{
	struct place p;
	int r;

	(void)ctx;
	if ((r = path_find(&remote, operand, &p)) == 0)
		r = get_place(operand, &p);
	/* Data on standard output comes in the order of the operands. */
	if (opt.to_stdout)
		downloads_run(engine);
	place_free(&p);
	return r;
}

static enum policy
parse_policy(const char *s)
{
	static const char *const names[] = { "", "skip", "replace", "rename",
	    "fail" };

	for (unsigned i = 1; i < sizeof names / sizeof *names; i++)
		if (strcmp(s, names[i]) == 0)
			return (enum policy)i;
	cmd_usage("--if-exists=%s: want skip, replace, rename or fail", s);
}

static void
parse(int argc, char *argv[])
{
	int ch;

	while ((ch = cmd_option(argc, argv)) != -1) {
		switch (ch) {
		case 'r':
			opt.recursive = 1;
			break;
		case 'o':
			opt.dest = optarg;
			break;
		case 'f':
			opt.force = 1;
			break;
		case OPT_EXISTS:
			opt.exists = parse_policy(optarg);
			break;
		case OPT_RANGE:
			opt.range = cmd_parse_range(optarg);
			break;
		case OPT_INCLUDE:
		case OPT_EXCLUDE:
			mirror_filter_add(&opt.filter, optarg,
			    ch == OPT_INCLUDE);
			break;
		}
	}
	argc -= optind;
	if (argc == 0)
		cmd_usage("no operand given");
	opt.to_stdout = strcmp(opt.dest, "-") == 0;
	if (opt.to_stdout && cmd.tty && !opt.force)
		cmd_usage("data does not go to a terminal; -f makes it");
	if (opt.to_stdout && cmd.json)
		cmd_usage("-j and -o - do not go together");
	if (opt.range.to > 0 && (argc > 1 || opt.recursive))
		cmd_usage("--range is for one file");
	if (argc > 1 && !opt.to_stdout && !is_folder(opt.dest))
		cmd_usage("-o %s: several operands go into a folder; is it "
		    "%s/?", opt.dest, opt.dest);
}

int
main(int argc, char *argv[])
{
	struct download_options o = { .moved = progress_moved };
	int r;

	cmd_init("mega-get", SYNOPSIS, options);
	parse(argc, argv);
	o.limit_rate = cmd.limit_rate;
	o.wait_max = cmd.wait;
	o.plain_http = cmd.http;
	o.connections = cmd.connections;
	if ((r = remote_open(&remote, cmd.session)) < 0 ||
	    (r = remote_password(&remote, cmd.password_file)) < 0) {
		cmd_fail(NULL, r);
		return cmd_finish();
	}
	remote.handles = REMOTE_BELOW;
	progress_begin("get");
	engine = downloads_new(remote.account.http, &o);
	finish.http = remote.account.http;
	operand_each(argv + optind, get, NULL);
	downloads_run(engine);
	finish_all(&finish);
	progress_end();
	downloads_free(engine);
	remote_close(&remote);
	mirror_filter_free(&opt.filter);
	free(levels);
	return cmd_finish();
}
