/* mega-sync: make a folder on one side what it is on the other. */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change.h"
#include "cmd.h"
#include "dir.h"
#include "download.h"
#include "err.h"
#include "fingerprint.h"
#include "finish.h"
#include "folder.h"
#include "mem.h"
#include "mirror.h"
#include "name.h"
#include "path.h"
#include "progress.h"
#include "same.h"
#include "secret.h"
#include "send.h"
#include "set.h"
#include "task.h"

#define SYNOPSIS "up [OPTION ...] LOCAL REMOTE\ndown [OPTION ...] REMOTE LOCAL"

enum { OPT_DELETE = 256, OPT_INCLUDE, OPT_EXCLUDE };

static const struct cmd_opt options[] = {
	{ OPT_DELETE, "delete", NULL, "remove what the source does not have" },
	{ OPT_INCLUDE, "include", "PATTERN", "do not leave these alone" },
	{ OPT_EXCLUDE, "exclude", "PATTERN", "leave these alone" },
	CMD_JSON, CMD_NULL, CMD_DRY, CMD_QUIET, CMD_VERBOSE, CMD_SESSION,
	CMD_PROGRESS,
	CMD_WAIT, CMD_RATE, CMD_CONNECTIONS, CMD_HTTP, CMD_END
};

#define FOLDERS_TOGETHER 500 /* made in one round */

static struct {
	int up, delete;
	const char *local, *remote;  /* the operands */
	struct mirror_filter filter;
} opt;

static struct remote remote;
static struct tree *tree;
static struct api *api;
static struct sending *sender;      /* up */
static struct downloads *engine;    /* down */
static struct finish finish;        /* down */

/* Something in the source could not be seen: what looks as if only the
 * destination had it may be in both. */
static int incomplete;

/* Parts of downloads that have failed: a later run goes on with them. */
static struct set parts;

/*
 * Messages.
 */

/* A path in the source or destination, for messages; the caller frees it. */
static char *
label(const char *path, int local)
{
	return dir_join(local ? opt.local : opt.remote, path);
}

static void
fail(const char *path, int local, int r)
{
	char *text = label(path, local);

	cmd_fail(text, r);
	free(text);
}

/* Say what has been done, or would be. */
static void
say(const char *action, const char *path)
{
	struct buf b = BUF_MAX(1 << 20);
	struct json_out o = { &b, 0 };
	size_t n = strlen(path);

	if (cmd.json) {
		json_open(&o, NULL, '{');
		json_put(&o, "action", action);
		json_put_n(&o, "relative", path, n);
		if (!json_utf8(path, n))
			json_put_b64(&o, "relative_b64", path, n);
		json_close(&o, '}');
		cmd_record_json(&b);
	} else if (cmd.verbose > 0 || cmd.dry) {
		buf_printf(&b, "%s %s", action, path);
		cmd_record(buf_str(&b), b.len);
	}
	buf_free(&b);
}

/*
 * Pairs of folders, level by level: those of the next level are found while
 * one is worked on.
 */

/* Shares that cover a folder; uploads borrow them until all is done. */
struct shares {
	struct shares *next;
	struct share s[SHARE_NESTED_MAX];
	int n;
};

struct pair {
	char *path;          /* from the top; "" is the top */
	char h[9];           /* the remote folder; up: "" until it is made */
	int local, remote;   /* it was there: list it */
	const struct shares *shares; /* up */
};

struct pairs {
	struct pair *v;
	size_t n, cap;
};

static struct shares *all_shares;

static struct pair *
pairs_add(struct pairs *all, const char *path)
{
	struct pair *p;

	if (all->n == all->cap) {
		all->cap = all->cap == 0 ? 16 : 2 * all->cap;
		all->v = xreallocarray(all->v, all->cap, sizeof *all->v);
	}
	p = &all->v[all->n++];
	*p = (struct pair){ .path = xstrdup(path) };
	return p;
}

static void
pairs_free(struct pairs *all)
{
	for (size_t i = 0; i < all->n; i++)
		free(all->v[i].path);
	free(all->v);
	*all = (struct pairs){ NULL, 0, 0 };
}

/* The shares that cover a folder: most often the same as those of the folder
 * above it. */
static int
find_shares(const char h[9], const struct shares **out)
{
	const struct shares *above = *out;
	struct shares *s = xcalloc(1, sizeof *s);

	if ((s->n = share_list(tree, h, s->s)) < 0) {
		int r = s->n;

		free(s);
		return r;
	}
	if (above != NULL && s->n == above->n && (s->n == 0 ||
	    strcmp(s->s[0].h, above->s[0].h) == 0)) {
		secret_zero(s, sizeof *s);
		free(s);
		return 0;
	}
	s->next = all_shares;
	*out = all_shares = s;
	return 0;
}

static void
free_shares(void)
{
	while (all_shares != NULL) {
		struct shares *s = all_shares;

		all_shares = s->next;
		secret_zero(s, sizeof *s);
		free(s);
	}
}

/*
 * Changes to nodes.
 */

struct job {
	struct task task;
	struct change change;
	const char *action;  /* NULL: not worth a word */
	char *path;
};

static void
tell_job(struct task *t)
{
	const struct job *j = (struct job *)t;

	if (j->action != NULL)
		say(j->action, j->path);
}

static void
drop_job(struct task *t)
{
	struct job *j = (struct job *)t;

	change_free(&j->change);
	free(j->path);
	free(j);
}

static struct tasks tasks = { .tell = tell_job, .drop = drop_job };

static void
on_changed(struct change *c, int err)
{
	struct job *j = c->ctx;

	task_end(&tasks, &j->task, err);
}

static struct job *
job_begin(const char *action, const char *path)
{
	struct job *j = xcalloc(1, sizeof *j);
	char *text = label(path, 0);

	j->action = action;
	j->path = xstrdup(path);
	j->change = (struct change){ .api = api, .tree = tree,
	    .done = on_changed, .ctx = j };
	task_begin(&tasks, remote.account.http, &j->task, text);
	free(text);
	return j;
}

static void
trash(const char *path, const char h[9])
{
	struct job *j = job_begin("delete", path);
	struct node n = { 0 };
	int r;

	if ((r = tree_get(tree, h, &n)) < 0 ||
	    (r = change_trash(&j->change, &n)) < 0)
		task_end(&tasks, &j->task, r);
	node_free(&n);
}

/* The node has the local file's contents, but not its time: give it a
 * fingerprint that the next run can go by. */
static void
set_node_time(const char *path, const char *local, const struct stat *st,
    const struct node *n)
{
	struct fingerprint f = { .size = st->st_size,
	    .mtime = st->st_mtim.tv_sec };
	char text[FINGERPRINT_TEXT_MAX];
	struct attr a = { 0 };
	struct job *j = job_begin(NULL, path);
	int fd = open(local, O_RDONLY | O_CLOEXEC), r;

	r = fd == -1 ? err_local("%s", local) :
	    fingerprint_fd(f.crc, fd, f.size, 0);
	if (r == 0 && (r = tree_attributes(tree, n->h, &a)) == 0) {
		fingerprint_print(text, &f);
		attr_set(&a, "c", text, strlen(text));
		r = change_alter(&j->change, n, &a);
	}
	if (r < 0)
		task_end(&tasks, &j->task, r);
	if (fd != -1)
		close(fd);
	attr_free(&a);
}

/*
 * What only the destination has.  It goes last, when everything else is
 * there, and if nothing could be overlooked.
 */

struct extra {
	char *path;
	char h[9];           /* up */
};

static struct extra *extras;
static size_t nextras;

static void
extra_add(const char *path, const struct mirror_item *i)
{
	struct extra *x;

	if ((nextras & (nextras - 1)) == 0)
		extras = xreallocarray(extras, nextras == 0 ? 1 : 2 * nextras,
		    sizeof *extras);
	x = &extras[nextras++];
	x->path = xstrdup(path);
	memcpy(x->h, i->node.h, sizeof x->h);
}

/* Whether some of what is in a folder of the destination is excluded. */
static int
is_protected(const char *path, const struct mirror_item *d)
{
	if (d->kind != MIRROR_FOLDER)
		return 0;
	return opt.up ? mirror_holds_excluded_remote(&opt.filter, tree,
	    d->node.h, path) : mirror_holds_excluded_local(&opt.filter,
	    opt.local, path);
}

static int
remove_local(const char *path)
{
	char *local = label(path, 1);
	int r = 0;

	if (!set_has(&parts, local) && (r = dir_remove(local)) == 0)
		say("delete", path);
	free(local);
	return r;
}

/* Remove it now: something else needs its name. */
static int
make_way(const char *path, const struct mirror_item *d)
{
	int r;

	if (!opt.delete)
		return err_set(ERR_TAKEN, "%s of that name is in the way "
		    "(--delete removes it)", d->kind == MIRROR_FOLDER ?
		    "a folder" : "what is no folder");
	if ((r = is_protected(path, d)) < 0)
		return r;
	if (r > 0)
		return err_set(ERR_TAKEN, "a folder of that name is in the "
		    "way, and some of it is excluded");
	if (cmd.dry)
		say("delete", path);
	else if (opt.up)
		trash(path, d->node.h);
	else
		r = remove_local(path);
	return r;
}

/* Only the destination has it. */
static int
visit_extra(struct pairs *next, const char *path, const struct mirror_item *d)
{
	struct pair *p;
	int r;

	if (!opt.delete)
		return 0;
	if ((r = is_protected(path, d)) < 0)
		return r;
	if (r == 0) {
		extra_add(path, d);
		return 0;
	}
	p = pairs_add(next, path);
	p->local = !opt.up;
	p->remote = opt.up;
	memcpy(p->h, d->node.h, sizeof p->h);
	return 0;
}

static void
remove_extras(void)
{
	int r;

	if (incomplete && nextras > 0)
		cmd_note("nothing is deleted, since not all of the source "
		    "could be seen");
	for (size_t i = 0; i < nextras && !incomplete; i++) {
		const struct extra *x = &extras[i];

		err_clear();
		if (cmd.dry)
			say("delete", x->path);
		else if (opt.up)
			trash(x->path, x->h);
		else if ((r = remove_local(x->path)) < 0)
			fail(x->path, 1, r);
	}
	task_wait(&tasks, remote.account.http);
	for (size_t i = 0; i < nextras; i++)
		free(extras[i].path);
	free(extras);
}

/*
 * Files up.
 */

static void
on_sent(void *ctx, struct send_item *i, int result)
{
	(void)ctx;
	progress_ended();
	if (result < 0)
		cmd_fail(i->local, result);
	else
		say("send", i->path);
}

static int
send_file(const struct pair *p, const char *path, const char *local,
    const struct mirror_item *l, const struct mirror_item *old)
{
	struct buf name = BUF_MAX(1 << 16);
	struct send_item *i;
	int r;

	if (cmd.dry) {
		say("send", path);
		return 0;
	}
	if ((r = send_open(&i, local, -1)) < 0)
		return r;
	name_remote(&name, l->name);
	send_name(i, buf_str(&name), name.len);
	buf_free(&name);
	i->path = xstrdup(path);
	memcpy(i->parent, p->h, sizeof i->parent);
	if (old != NULL && (r = send_replace(i, tree, &old->node)) < 0) {
		send_item_free(i);
		return r;
	}
	i->up.shares = p->shares->s;
	i->up.nshares = p->shares->n;
	progress_file(i->local, i->up.size);
	send_add(sender, i);
	return 0;
}

/*
 * Files down.
 */

struct get {
	struct download d;
	struct out out;
	struct finish_item finish;
	char *path, *local;
};

static int
on_begin(struct download *d)
{
	struct get *g = d->ctx;
	int r;

	if ((r = out_open(&g->out, g->local, d->h)) < 0)
		return r;
	d->out = &g->out;
	progress_file(g->path, d->size);
	return 0;
}

static void
on_end(struct get *g, int r)
{
	progress_ended();
	/* What does not authenticate is of no use to a later run. */
	if (r == ERR_MAC)
		out_discard(&g->out);
	if (r < 0 && g->out.part != NULL)
		set_add(&parts, g->out.part);
	out_keep(&g->out);
	if (r < 0)
		fail(g->path, 0, r);
	else
		say("send", g->path);
	free(g->path);
	free(g->local);
	free(g);
}

static void
on_named(struct finish_item *i, int r)
{
	on_end(i->ctx, r);
}

static void
on_got(struct download *d, int r)
{
	struct get *g = d->ctx;

	if (r < 0) {
		on_end(g, r);
		return;
	}
	if (d->historic != NULL)
		cmd_note_on(g->path, d->historic);
	g->finish = (struct finish_item){ .out = &g->out, .size = d->size,
	    .mtime = d->modified, .replace = 1, .done = on_named, .ctx = g };
	finish_add(&finish, &g->finish);
}

static int
get_file(const char *path, const char *local, const struct node *n)
{
	struct get *g;

	if (n->keylen != KEY_FILE_SIZE)
		return err_set(ERR_KEY, "its key cannot be decrypted");
	if (cmd.dry) {
		say("send", path);
		return 0;
	}
	while (!downloads_want(engine))
		http_turn(remote.account.http, -1);
	g = xcalloc(1, sizeof *g);
	g->out.fd = -1;
	g->path = xstrdup(path);
	g->local = xstrdup(local);
	g->d = (struct download){ .api = api, .begin = on_begin,
	    .done = on_got, .ctx = g };
	memcpy(g->d.h, n->h, sizeof n->h);
	memcpy(g->d.key, n->key, KEY_FILE_SIZE);
	downloads_add(engine, &g->d);
	return 0;
}

static int
set_file_time(const char *local, const struct node *n)
{
	const struct timespec t[2] = { { .tv_nsec = UTIME_OMIT },
	    { .tv_sec = (time_t)n->mtime } };

	return utimensat(AT_FDCWD, local, t, AT_SYMLINK_NOFOLLOW) == -1 ?
	    err_local("cannot set its time") : 0;
}

/*
 * Both have the file: 1 if its contents are the same.
 *
 * A fingerprint only samples a large file, so it counts where the times are
 * equal to the second; otherwise all is compared.  The next run has less to
 * read if the times are equal by then.
 */
static int
is_same(const char *path, const char *local, const struct mirror_item *l,
    const struct node *n)
{
	struct node bare = *n;
	struct stat st;
	int r;

	if (stat(local, &st) == -1)
		return err_set(ERR_LOCAL, "%s", strerror(errno));
	if (st.st_mtim.tv_sec == n->mtime)
		return same_file(local, n);
	bare.fingerprint[0] = '\0';
	r = same_file(local, &bare);
	secret_zero(&bare, sizeof bare);
	if (r != 1 || cmd.dry)
		return r;
	if (opt.up)
		set_node_time(path, local, &st, n);
	else if (l->kind == MIRROR_FILE && n->mtime >= 0)
		r = set_file_time(local, n);
	return r < 0 ? r : 1;
}

/* The source has a file. */
static int
visit_file(const struct pair *p, const char *path,
    const struct mirror_item *l, const struct mirror_item *r)
{
	const struct mirror_item *s = opt.up ? l : r, *d = opt.up ? r : l;
	char *local = label(path, 1);
	int e = 0;

	if (s->kind == MIRROR_OTHER)
		e = err_set(ERR_LOCAL, "neither a file nor a folder of its "
		    "own; left out");
	else if (d != NULL && (d->kind == MIRROR_FOLDER ||
	    d->kind == MIRROR_OTHER)) {
		e = make_way(path, d);
		d = NULL;
	} else if (d != NULL) {
		e = is_same(path, local, l, &r->node);
	}
	if (e == 0)
		e = opt.up ? send_file(p, path, local, l, d) :
		    get_file(path, local, &r->node);
	free(local);
	return e < 0 ? e : 0;
}

/*
 * Folders.
 */

static int
make_local(const char *path)
{
	char *local;
	int r = 0;

	if (!cmd.dry) {
		local = label(path, 1);
		if (mkdir(local, 0777) == -1)
			r = err_set(ERR_LOCAL, "%s", strerror(errno));
		free(local);
	}
	if (r == 0)
		say("mkdir", path);
	return r;
}

/* The source has a folder. */
static int
visit_folder(struct pairs *next, const struct pair *above, const char *path,
    const struct mirror_item *l, const struct mirror_item *r)
{
	const struct mirror_item *d = opt.up ? r : l;
	const struct shares *shares = above->shares;
	struct pair *p;
	int e;

	if (d != NULL && d->kind != MIRROR_FOLDER) {
		if ((e = make_way(path, d)) < 0)
			return e;
		d = NULL;
	}
	if (!opt.up && d == NULL && (e = make_local(path)) < 0)
		return e;
	if (opt.up && d != NULL && (e = find_shares(r->node.h, &shares)) < 0)
		return e;
	p = pairs_add(next, path);
	p->local = opt.up || d != NULL;
	p->remote = !opt.up || d != NULL;
	p->shares = shares;
	/* Until a new one is made, this is the folder above it. */
	memcpy(p->h, p->remote ? r->node.h : above->h, sizeof p->h);
	return 0;
}

/* Make some remote folders.  Those that fail have no handle. */
static void
make_some(struct pair **v, size_t n)
{
	struct folder_job *jobs = xcalloc(n, sizeof *jobs);
	struct buf *names = xcalloc(n, sizeof *names);

	for (size_t i = 0; i < n; i++) {
		const char *slash = strrchr(v[i]->path, '/');

		buf_init(&names[i], 1 << 16);
		name_remote(&names[i], slash != NULL ? slash + 1 :
		    v[i]->path);
		jobs[i] = (struct folder_job){ .name = buf_str(&names[i]),
		    .n = names[i].len, .shares = v[i]->shares->s,
		    .nshares = v[i]->shares->n };
		memcpy(jobs[i].parent, v[i]->h, sizeof jobs[i].parent);
	}
	folder_make_all(jobs, n, api, remote.account.session.master, NULL);
	for (size_t i = 0; i < n; i++) {
		struct folder_job *f = &jobs[i];

		if (f->result < 0) {
			v[i]->h[0] = '\0';
			err_again(f->result, f->error);
			fail(v[i]->path, 1, f->result);
		} else {
			memcpy(v[i]->h, f->node.h, sizeof v[i]->h);
			say("mkdir", v[i]->path);
		}
		node_free(&f->node);
		free(f->error);
		buf_free(&names[i]);
	}
	free(names);
	free(jobs);
}

/* Make the remote folders of a level that are missing. */
static void
make_missing(struct pairs *all)
{
	struct pair *some[FOLDERS_TOGETHER];
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++) {
		if (all->v[i].remote)
			continue;
		if (cmd.dry)
			say("mkdir", all->v[i].path);
		else
			some[n++] = &all->v[i];
		if (n == FOLDERS_TOGETHER) {
			make_some(some, n);
			n = 0;
		}
	}
	if (n > 0)
		make_some(some, n);
}

struct visit {
	const struct pair *pair;
	struct pairs *next;
};

static int
visit_item(struct visit *v, const char *path, const struct mirror_item *l,
    const struct mirror_item *r)
{
	const struct mirror_item *s = opt.up ? l : r, *d = opt.up ? r : l;

	if (mirror_excluded(&opt.filter, path, (s != NULL ? s : d)->kind ==
	    MIRROR_FOLDER))
		return 0;
	if (s == NULL)
		return visit_extra(v->next, path, d);
	if (s->twin)
		return err_set(ERR_TAKEN, "another of that name is newer; "
		    "left out");
	if (s->kind == MIRROR_FOLDER)
		return visit_folder(v->next, v->pair, path, l, r);
	return visit_file(v->pair, path, l, r);
}

static void
visit(void *ctx, const struct mirror_item *l, const struct mirror_item *r)
{
	struct visit *v = ctx;
	char *path = dir_join(v->pair->path, l != NULL ? l->name : r->name);
	int e;

	err_clear();
	if ((e = visit_item(v, path, l, r)) < 0)
		fail(path, opt.up, e);
	free(path);
}

/* Make one folder what it is in the source, but for its folders. */
static void
sync_pair(const struct pair *p, struct pairs *next)
{
	struct mirror_side local = { .v = NULL }, node = { .v = NULL };
	char *path = label(p->path, 1);
	struct visit v = { p, next };
	int l = 0, r = 0;

	err_clear();
	if (p->local && (l = mirror_local(&local, path)) < 0)
		fail(p->path, 1, l);
	if (p->remote && (r = mirror_remote(&node, tree, p->h)) < 0)
		fail(p->path, 0, r);
	if ((opt.up ? l : r) < 0)
		incomplete = 1;
	if (!opt.up && node.unnamed > 0) {
		incomplete = 1;
		fail(p->path, 0, err_set(ERR_KEY, "holds %zu of whose names "
		    "cannot be decrypted; left out", node.unnamed));
	}
	if (l == 0 && r == 0)
		mirror_join(&local, &node, visit, &v);
	mirror_side_free(&local);
	mirror_side_free(&node);
	free(path);
}

static void
sync_all(const struct pair *top)
{
	struct pairs now = { NULL, 0, 0 };
	struct pair *first = pairs_add(&now, "");
	char *path = first->path;

	*first = *top;
	first->path = path;
	while (now.n > 0) {
		struct pairs next = { NULL, 0, 0 };

		for (size_t i = 0; i < now.n; i++)
			if (now.v[i].h[0] != '\0')
				sync_pair(&now.v[i], &next);
		if (opt.up)
			make_missing(&next);
		pairs_free(&now);
		now = next;
	}
}

/*
 * The operands.
 */

static int
check_place(const struct place *p)
{
	if (p->kind == PLACE_LINK || (p->missing == NULL &&
	    p->node.type == NODE_FILE))
		return err_set(ERR_USAGE, "is a file, not a folder");
	if (opt.up && p->kind != PLACE_NODE)
		return err_set(ERR_USAGE, "is a link; folders go up into the "
		    "account");
	if (opt.up && p->node.h[0] == '\0')
		return err_set(ERR_REFUSED, "only others can share their "
		    "folders with the account");
	return 0;
}

/* Make the remote folder and those above it that are missing. */
static int
make_remote(struct place *p)
{
	struct node made;
	const char *rest;
	int r;

	while ((r = path_reach(&remote, opt.remote, p, &rest)) == 0 &&
	    p->missing != NULL && !cmd.dry) {
		if ((r = check_place(p)) < 0 || (r = folder_make(&made,
		    p->api, remote.account.session.master, p->node.h,
		    p->missing, strlen(p->missing), p->tree)) < 0)
			return r;
		node_free(&made);
		place_free(p);
	}
	return r;
}

/* The remote folder of the top. */
static int
open_remote(struct pair *top)
{
	struct place p = { 0 };
	int r;

	if ((r = opt.up ? make_remote(&p) : path_find(&remote, opt.remote,
	    &p)) < 0 || (r = check_place(&p)) < 0)
		goto out;
	tree = p.tree;
	api = p.api;
	memcpy(top->h, p.node.h, sizeof top->h);
	top->remote = p.missing == NULL;
	if (!top->remote)
		say("mkdir", opt.remote);
	if (opt.up)
		r = find_shares(top->h, &top->shares);
out:
	place_free(&p);
	return r;
}

/* The local folder of the top. */
static int
open_local(struct pair *top)
{
	struct stat st;

	top->local = 1;
	if (stat(opt.local, &st) == 0)
		return S_ISDIR(st.st_mode) ? 0 : err_set(ERR_TAKEN,
		    "is a file, not a folder");
	if (opt.up || errno != ENOENT)
		return err_set(ERR_LOCAL, "%s", strerror(errno));
	top->local = 0;
	if (cmd.dry)
		say("mkdir", opt.local);
	else if (mkdir(opt.local, 0777) == -1)
		return err_set(ERR_LOCAL, "%s", strerror(errno));
	return 0;
}

static void
run_up(const struct pair *top)
{
	struct send_options o = {
		.up = { .moved = progress_moved,
		    .limit_rate = cmd.limit_rate, .plain_http = cmd.http,
		    .connections = cmd.connections },
		.ended = on_sent,
	};
	char *states = session_beside(&remote.account.session, "uploads");

	o.states = states;
	sender = send_new(api, remote.account.session.master, &o);
	sync_all(top);
	send_run(sender);
	progress_end();
	send_free(sender);
	free(states);
}

static void
run_down(const struct pair *top)
{
	struct download_options o = { .moved = progress_moved,
		.limit_rate = cmd.limit_rate, .wait_max = cmd.wait,
		.plain_http = cmd.http, .connections = cmd.connections };

	finish.http = remote.account.http;
	engine = downloads_new(remote.account.http, &o);
	sync_all(top);
	downloads_run(engine);
	finish_all(&finish);
	progress_end();
	downloads_free(engine);
}

static void
run(void)
{
	struct pair top = { .path = NULL };
	int r;

	if ((r = remote_open(&remote, cmd.session)) < 0) {
		cmd_fail(NULL, r);
		return;
	}
	/* The source first: where there is none, nothing is to be made. */
	if (opt.up && (r = open_local(&top)) < 0)
		cmd_fail(opt.local, r);
	else if ((r = open_remote(&top)) < 0)
		cmd_fail(opt.remote, r);
	else if (!opt.up && (r = open_local(&top)) < 0)
		cmd_fail(opt.local, r);
	if (r == 0) {
		progress_begin("sync");
		(opt.up ? run_up : run_down)(&top);
		remove_extras();
	}
	remote_close(&remote);
}

static void
parse(int argc, char *argv[])
{
	int ch;

	while ((ch = cmd_option(argc, argv)) != -1) {
		switch (ch) {
		case OPT_DELETE:
			opt.delete = 1;
			break;
		case OPT_INCLUDE:
		case OPT_EXCLUDE:
			mirror_filter_add(&opt.filter, optarg,
			    ch == OPT_INCLUDE);
			break;
		}
	}
}

int
main(int argc, char *argv[])
{
	cmd_init("mega-sync", SYNOPSIS, options);
	parse(argc, argv);
	argv += optind;
	if (argc - optind != 3)
		cmd_usage("want up LOCAL REMOTE, or down REMOTE LOCAL");
	opt.up = strcmp(argv[0], "up") == 0;
	if (!opt.up && strcmp(argv[0], "down") != 0)
		cmd_usage("%s: want up or down", argv[0]);
	opt.local = argv[opt.up ? 1 : 2];
	opt.remote = argv[opt.up ? 2 : 1];
	if (*opt.local == '\0' || *opt.remote == '\0')
		cmd_usage("an empty path");
	run();
	free_shares();
	set_free(&parts);
	mirror_filter_free(&opt.filter);
	return cmd_finish();
}
