/* mega-put: upload files and folders. */

#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "dir.h"
#include "err.h"
#include "folder.h"
#include "mem.h"
#include "mirror.h"
#include "name.h"
#include "path.h"
#include "progress.h"
#include "record.h"
#include "same.h"
#include "secret.h"
#include "send.h"
#include "set.h"

#define SYNOPSIS "[-rpj0nqv] [--if-exists=POLICY] [--link] [--size=N]\n" \
	"    [--limit-rate=N] [--connections=N] [--http] [--include=PATTERN]\n" \
	"    [--exclude=PATTERN] LOCAL ... REMOTE\n" \
	"-t REMOTE [OPTION ...] LOCAL ..."

enum { OPT_EXISTS = 256, OPT_LINK, OPT_SIZE, OPT_INCLUDE, OPT_EXCLUDE };

static const struct cmd_opt options[] = {
	{ 'r', "recursive", NULL, "folders with all that is in them" },
	{ 'p', "parents", NULL, "make the folders that are missing" },
	{ 't', "target", "REMOTE", "where to; all operands are local" },
	CMD_JSON, CMD_NULL, CMD_DRY, CMD_QUIET, CMD_VERBOSE, CMD_SESSION,
	CMD_PROGRESS,
	{ OPT_EXISTS, "if-exists", "POLICY",
	    "skip, replace, version, rename or fail" },
	{ OPT_INCLUDE, "include", "PATTERN", "of folders: do not leave out" },
	{ OPT_EXCLUDE, "exclude", "PATTERN", "of folders: leave out" },
	{ OPT_LINK, "link", NULL, "print public links, not paths" },
	{ OPT_SIZE, "size", "N", "so many bytes come: nothing is spooled" },
	CMD_RATE, CMD_CONNECTIONS, CMD_HTTP, CMD_END
};

enum policy { DEFAULT, SKIP, REPLACE, VERSION, RENAME, FAIL };

static struct {
	const char *target;
	int recursive, parents, link;
	enum policy exists;
	int64_t size;
	struct mirror_filter filter;
} opt = { .size = -1 };

static struct remote remote;
static struct sending *engine;
static struct api *channel;     /* the account's, or a writable link's */
static int by_link;             /* the latter */

/* Where files go: a folder, known by handle, and its path for records. */
struct dest {
	char h[9];
	struct tree *tree;   /* to look for names; NULL: it is new or not
	                      * known, and nothing can be in the way */
	char *path;          /* without a slash at its end */
	struct shares *shares; /* that cover it */
};

/* Lists of shares, which uploads borrow until all is done. */
struct shares {
	struct shares *next;
	struct share s[SHARE_NESTED_MAX];
	int n;
};

static struct shares *all_shares;

/* The shares that cover a folder that is there; in a writable link, the one
 * that it gives access to. */
static int
find_shares(struct dest *d, const struct link *l)
{
	struct shares *s = xcalloc(1, sizeof *s);

	s->next = all_shares;
	all_shares = d->shares = s;
	if (by_link) {
		memcpy(s->s[0].h, tree_link_root(d->tree), sizeof s->s[0].h);
		memcpy(s->s[0].key, l->key, KEY_SIZE);
		s->n = 1;
		return 0;
	}
	if (d->tree == NULL)
		return 0;
	s->n = share_list(d->tree, d->h, s->s);
	return s->n < 0 ? s->n : 0;
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

/* Names given by the operands of this run: two of one name would become
 * twins. */
static struct set given;

static int
note_given(const char *path)
{
	return set_add(&given, path) ? 0 : err_set(ERR_TAKEN, "%s is the name "
	    "of an earlier operand, too", path);
}

/* "name (1).txt": the first that is free in the folder. */
static int
free_name(const struct dest *d, struct buf *name)
{
	char *old = buf_steal(name);
	const char *dot = strrchr(old, '.');
	struct node n;
	int r = 0;

	if (dot == NULL || dot == old)
		dot = old + strlen(old);
	for (int i = 1; r == 0; i++) {
		buf_reset(name);
		buf_printf(name, "%.*s (%d)%s", (int)(dot - old), old, i, dot);
		r = tree_child(d->tree, d->h, buf_str(name), name->len, &n);
		if (r == 0)
			node_free(&n);
	}
	free(old);
	return r == ERR_NOENT ? 0 : r;
}

/* The name exists in the folder: what does the policy say?  0: go on, 1:
 * leave it, 2: it is there already. */
static int
taken(const struct dest *d, struct send_item *i, struct buf *name,
    const struct node *old)
{
	int same;

	if (old->type != NODE_FILE)
		return err_set(ERR_TAKEN, "%s/%s is a folder", d->path,
		    buf_str(name));
	switch (opt.exists) {
	case SKIP:
		return 1;
	case FAIL:
		return err_set(ERR_TAKEN, "%s/%s exists", d->path,
		    buf_str(name));
	case RENAME:
		return free_name(d, name);
	case DEFAULT:
		if ((same = same_fd(i->up.fd, old)) != 0)
			return same < 0 ? same : 2;
		break;
	case REPLACE:
		i->up.drop_old = 1;
		break;
	case VERSION:
		break;
	}
	return send_replace(i, d->tree, old);
}

/* Look at what is in the folder under that name, and act on it. */
static int
check_name(const struct dest *d, struct send_item *i, struct buf *name)
{
	struct node old;
	int r;

	if (d->tree == NULL)
		return 0;
	r = tree_child(d->tree, d->h, buf_str(name), name->len, &old);
	if (r == ERR_NOENT) {
		err_clear();
		return 0;
	}
	if (r < 0)
		return r;
	r = taken(d, i, name, &old);
	if (r == 2) {
		node_free(&i->node);
		node_copy(&i->node, &old);
	}
	node_free(&old);
	return r;
}

/* Send one local file into a folder under a name. */
static int
put_file(const struct dest *d, const char *local, const char *given_name,
    size_t len)
{
	struct buf name = BUF_MAX(1 << 17);
	struct send_item *i = NULL;
	int r;

	buf_add(&name, given_name, len);
	if ((r = send_open(&i, local, opt.size)) < 0 ||
	    (r = check_name(d, i, &name)) < 0)
		goto out;
	if (r == 1 || (cmd.dry && r == 2)) {
		r = 0;
		goto out;
	}
	i->path = xasprintf("%s/%s", d->path, buf_str(&name));
	memcpy(i->parent, d->h, sizeof i->parent);
	if (cmd.dry) {
		cmd_record(i->path, strlen(i->path));
		r = 0;
		goto out;
	}
	if (r == 2) {
		send_add_unchanged(engine, i);
	} else {
		send_name(i, buf_str(&name), name.len);
		i->up.shares = d->shares->s;
		i->up.nshares = d->shares->n;
		i->up.by_share = by_link;
		progress_file(i->local, i->up.size);
		send_add(engine, i);
	}
	i = NULL;
	r = 0;
out:
	send_item_free(i);
	buf_free(&name);
	return r;
}

/*
 * Folders.  A local folder's own folders are made level by level, each level
 * in few requests; then the files of all of them are sent.
 */

/* A local folder on its way. */
struct sub {
	char *local;
	char *name;          /* remote, len bytes */
	size_t len, parent;  /* index of the folder above it; 0 is the start */
	struct dest dest;    /* h is "" if it could not be had */
};

struct subs {
	struct sub *s;
	size_t n, cap;
};

static void
subs_add(struct subs *all, const char *local, const char *name, size_t parent)
{
	struct buf remote_name = BUF_MAX(1 << 16);
	struct sub *s;

	if (all->n == all->cap) {
		all->cap = all->cap == 0 ? 16 : 2 * all->cap;
		all->s = xreallocarray(all->s, all->cap, sizeof *all->s);
	}
	s = &all->s[all->n++];
	*s = (struct sub){ .local = xstrdup(local), .parent = parent };
	name_remote(&remote_name, name);
	s->len = remote_name.len;
	s->name = buf_steal(&remote_name);
}

static void
subs_free(struct subs *all)
{
	for (size_t i = 0; i < all->n; i++) {
		free(all->s[i].local);
		free(all->s[i].name);
		free(all->s[i].dest.path);
	}
	free(all->s);
}

/* Call fn for each entry of a local folder, with its path and name; tell
 * what fails. */
static void
each_entry(const char *local, int (*fn)(void *ctx, const char *path,
    const char *name), void *ctx)
{
	struct dir d;
	int r;

	if ((r = dir_list(&d, local)) < 0)
		cmd_fail(local, r);
	for (size_t i = 0; i < d.n; i++) {
		char *path = xasprintf("%s/%s", local, d.name[i]);

		err_clear();
		if ((r = fn(ctx, path, d.name[i])) < 0)
			cmd_fail(path, r);
		free(path);
	}
	dir_free(&d);
}

/* Where in all we are. */
struct finding {
	struct subs *all;
	size_t at;
};

static int
is_excluded(const struct finding *f, const char *path, int folder)
{
	return mirror_excluded(&opt.filter, path +
	    strlen(f->all->s[0].local) + 1, folder);
}

/* Links to folders are not followed: they may lead in a circle. */
static int
find_sub(void *ctx, const char *path, const char *name)
{
	struct finding *f = ctx;
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
	    !is_excluded(f, path, 1))
		subs_add(f->all, path, name, f->at);
	return 0;
}

/* Look for a folder; 1 if it has to be made. */
static int
look_for(struct sub *s, const struct dest *d)
{
	struct node n = { 0 };
	int r = ERR_NOENT;

	s->dest.tree = d->tree;
	s->dest.path = xasprintf("%s/%s", d->path, s->name);
	if (d->tree != NULL)
		r = tree_child(d->tree, d->h, s->name, s->len, &n);
	if (r == 0 && n.type == NODE_FILE)
		r = err_set(ERR_TAKEN, "%s is a file", s->dest.path);
	if (r == 0) {
		memcpy(s->dest.h, n.h, sizeof n.h);
		s->dest.shares = d->shares;
		r = by_link ? 0 : find_shares(&s->dest, NULL);
	} else if (r == ERR_NOENT) {
		err_clear();
		/* A new one: nothing is in it, and it is shared as its folder
		 * is. */
		s->dest.tree = NULL;
		s->dest.shares = d->shares;
		r = 1;
	}
	node_free(&n);
	return r;
}

/* Make the folders first to last, whose parents are there. */
static void
make_level(struct subs *all, size_t first, size_t last, const struct dest *d)
{
	struct folder_job *jobs = xcalloc(last - first, sizeof *jobs);
	size_t *which = xcalloc(last - first, sizeof *which), n = 0;

	for (size_t i = first; i < last; i++) {
		struct sub *s = &all->s[i];
		const struct dest *up = i == 0 ? d : &all->s[s->parent].dest;
		int r;

		if (up->h[0] == '\0')
			continue;
		err_clear();
		if ((r = look_for(s, up)) < 0)
			cmd_fail(s->local, r);
		if (r == 1 && cmd.dry)
			memcpy(s->dest.h, "xxxxxxxx", sizeof s->dest.h);
		if (r != 1 || cmd.dry)
			continue;
		jobs[n] = (struct folder_job){ .name = s->name, .n = s->len,
		    .shares = up->shares->s, .nshares = up->shares->n };
		memcpy(jobs[n].parent, up->h, sizeof up->h);
		which[n++] = i;
	}
	folder_make_all(jobs, n, channel, by_link ? NULL :
	    remote.account.session.master, NULL);
	for (size_t k = 0; k < n; k++) {
		struct sub *s = &all->s[which[k]];

		if (jobs[k].result < 0) {
			err_again(jobs[k].result, jobs[k].error);
			cmd_fail(s->local, jobs[k].result);
		} else {
			memcpy(s->dest.h, jobs[k].node.h, sizeof s->dest.h);
		}
		free(jobs[k].error);
		node_free(&jobs[k].node);
	}
	free(jobs);
	free(which);
}

/* One entry of a local folder that is no folder. */
static int
put_entry(void *ctx, const char *path, const char *base)
{
	const struct finding *f = ctx;
	struct buf name = BUF_MAX(1 << 16);
	struct stat st;
	int r;

	if ((lstat(path, &st) == 0 && S_ISDIR(st.st_mode)) ||
	    is_excluded(f, path, 0))
		return 0;
	if (stat(path, &st) == -1)
		return err_set(ERR_LOCAL, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(ERR_LOCAL, "neither a file nor a folder of its "
		    "own; left out");
	name_remote(&name, base);
	r = put_file(&f->all->s[f->at].dest, path, buf_str(&name), name.len);
	buf_free(&name);
	return r;
}

/* A local folder, into d under a name. */
static void
put_folder(const struct dest *d, const char *local, const char *name)
{
	struct subs all = { 0 };
	size_t first = 0;

	subs_add(&all, local, name, 0);
	while (first < all.n) {
		size_t last = all.n;

		make_level(&all, first, last, d);
		for (struct finding f = { &all, first }; f.at < last; f.at++)
			if (all.s[f.at].dest.h[0] != '\0')
				each_entry(all.s[f.at].local, find_sub, &f);
		first = last;
	}
	for (struct finding f = { &all, 0 }; f.at < all.n; f.at++)
		if (all.s[f.at].dest.h[0] != '\0')
			each_entry(all.s[f.at].local, put_entry, &f);
	subs_free(&all);
}

/* Operands. */

/* Make the folders of a path that are missing, from its root on; whole: the
 * path is one of a folder, with or without a slash at its end. */
static int
make_parents(const char *path, int whole)
{
	size_t n = strlen(path);
	int r = 0;

	for (size_t i = 1; i <= n && r == 0; i++) {
		char *prefix;
		struct place p;
		struct node made;

		if ((path[i] != '/' && !(whole && i == n)) ||
		    path[i - 1] == '/')
			continue;
		prefix = xstrndup(path, i);
		r = path_target(&remote, prefix, &p);
		if (r == 0 && p.missing != NULL &&
		    (r = folder_make(&made, p.api,
		    remote.account.session.master, p.node.h, p.missing,
		    strlen(p.missing), p.tree)) == 0)
			node_free(&made);
		place_free(&p);
		free(prefix);
	}
	return r;
}

/* The last component of a local path, as a remote name. */
static void
base_name(struct buf *out, const char *local)
{
	size_t n = strlen(local);
	char *copy, *base;

	while (n > 1 && local[n - 1] == '/')
		n--;
	copy = xstrndup(local, n);
	base = strrchr(copy, '/');
	name_remote(out, base != NULL ? base + 1 : copy);
	free(copy);
}

/* One operand; name is what it will be called, NULL: as it is here. */
static int
put(const struct dest *d, const char *local, const char *name)
{
	struct buf own = BUF_MAX(1 << 16);
	struct stat st;
	char *full;
	int r, is_dir;

	if (name != NULL)
		buf_addstr(&own, name);
	else if (strcmp(local, "-") == 0)
		return err_set(ERR_USAGE, "standard input needs a name: the "
		    "remote operand has to be a path that is no folder");
	else
		base_name(&own, local);
	full = xasprintf("%s/%s", d->path, buf_str(&own));
	is_dir = strcmp(local, "-") != 0 && stat(local, &st) == 0 &&
	    S_ISDIR(st.st_mode);
	if ((r = note_given(full)) < 0)
		goto out;
	if (!is_dir)
		r = put_file(d, local, buf_str(&own), own.len);
	else if (!opt.recursive)
		r = err_set(ERR_USAGE, "is a folder (-r sends folders)");
	else
		put_folder(d, local, buf_str(&own));
out:
	free(full);
	buf_free(&own);
	return r;
}

/* The path of a place, for records, without a slash at its end. */
static char *
place_path(const struct place *p)
{
	struct buf b = BUF_MAX(1 << 20);

	if (place_print(p, &b) < 0)
		buf_reset(&b);
	while (b.len > 0 && b.p[b.len - 1] == '/')
		b.len--;
	return buf_steal(&b);
}

/* With -n and -p: what a path would be if its folders had been made.  1, or 0
 * if it needs none. */
static int
imagine_target(const char *operand, int whole, struct dest *d, char **name)
{
	struct place p;
	const char *rest;
	char *path, *slash;
	size_t n;
	int r;

	if ((r = path_reach(&remote, operand, &p, &rest)) < 0)
		return r;
	if (p.missing == NULL || (*rest == '\0' && !whole))
		goto out;
	channel = p.api;
	memcpy(d->h, "xxxxxxxx", sizeof d->h);
	path = place_path(&p);
	d->path = xasprintf("%s/%s", path, rest);
	free(path);
	for (n = strlen(d->path); n > 0 && d->path[n - 1] == '/'; n--)
		d->path[n - 1] = '\0';
	if (!whole && (slash = strrchr(d->path, '/')) != NULL) {
		*name = xstrdup(slash + 1);
		*slash = '\0';
	}
	r = 1;
out:
	place_free(&p);
	return r;
}

/* The place that the remote operand names: the folder, and the new name if
 * it names one. */
static int
open_target(const char *operand, int several, struct dest *d, char **name)
{
	struct place p;
	int r, whole = several || operand[strlen(operand) - 1] == '/';

	*name = NULL;
	if (opt.parents && (r = cmd.dry ? imagine_target(operand, whole, d,
	    name) : make_parents(operand, whole)) != 0)
		return r < 0 ? r : 0;
	if ((r = path_target(&remote, operand, &p)) < 0)
		goto out;
	if (p.kind == PLACE_LINK ||
	    (p.kind == PLACE_IN_LINK && p.link.auth[0] == '\0')) {
		r = err_set(ERR_ACCESS, "nothing can be put into this link");
		goto out;
	}
	channel = p.api;
	by_link = p.kind == PLACE_IN_LINK;
	if (by_link && opt.link) {
		r = err_set(ERR_USAGE, "what is put into a link is read "
		    "through that; --link makes no other");
		goto out;
	}
	if (p.missing != NULL && whole) {
		r = err_set(ERR_NOENT, "no such folder (-p makes it)");
		goto out;
	}
	d->tree = p.tree;
	if (p.missing == NULL && p.node.type == NODE_FILE) {
		struct node parent;

		if (several) {
			r = err_set(ERR_USAGE, "is a file; several operands "
			    "go into a folder");
			goto out;
		}
		if ((r = tree_get(p.tree, p.node.p, &parent)) < 0)
			goto out;
		if (parent.type == NODE_FILE) {
			node_free(&parent);
			r = err_set(ERR_REFUSED, "is an older version, which "
			    "cannot be replaced");
			goto out;
		}
		*name = xstrdup(p.node.name != NULL ? p.node.name : "");
		node_free(&p.node);
		p.node = parent;
	} else if (p.missing != NULL) {
		*name = xstrdup(p.missing);
	}
	memcpy(d->h, p.node.h, sizeof d->h);
	free(p.missing);
	p.missing = NULL;
	d->path = place_path(&p);
	r = find_shares(d, &p.link);
out:
	place_free(&p);
	return r;
}

static int
put_all(char **argv, int n)
{
	struct send_options o = {
		.up = { .moved = progress_moved,
		    .limit_rate = cmd.limit_rate, .plain_http = cmd.http,
		    .connections = cmd.connections },
		.link = opt.link,
		.ended = record_sent,
	};
	char *states;
	struct dest d = { .path = NULL };
	struct cmd_operands it;
	const char *local;
	char *name = NULL;
	int r, e;

	/* With -t, "-" is a list of names; before REMOTE it is data. */
	int list = n > 0 && opt.target == argv[n] ? 0 : 1;

	if ((r = open_target(opt.target, n > 1 || (list && n == 1 &&
	    strcmp(argv[0], "-") == 0), &d, &name)) < 0) {
		cmd_fail(opt.target, r);
		return 0;
	}
	progress_begin("put");
	o.states = states = session_beside(&remote.account.session, "uploads");
	engine = send_new(channel, remote.account.session.master, &o);
	argv[n] = NULL;
	cmd_operands(&it, argv);
	while ((local = list ? cmd_operand(&it) : *argv) != NULL) {
		err_clear();
		if ((e = put(&d, local, name)) < 0)
			cmd_fail(local, e);
		argv += !list;
	}
	cmd_operands_free(&it);
	send_run(engine);
	progress_end();
	send_free(engine);
	free_shares();
	free(states);
	free(name);
	free(d.path);
	return 0;
}

static enum policy
parse_policy(const char *s)
{
	static const char *const names[] = { "", "skip", "replace", "version",
	    "rename", "fail" };

	for (unsigned i = 1; i < sizeof names / sizeof *names; i++)
		if (strcmp(s, names[i]) == 0)
			return (enum policy)i;
	cmd_usage("--if-exists=%s: want skip, replace, version, rename or "
	    "fail", s);
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
		case 'p':
			opt.parents = 1;
			break;
		case 't':
			opt.target = optarg;
			break;
		case OPT_EXISTS:
			opt.exists = parse_policy(optarg);
			break;
		case OPT_LINK:
			opt.link = 1;
			break;
		case OPT_SIZE:
			opt.size = cmd_number(optarg, "--size", 1);
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
	int n, r;

	cmd_init("mega-put", SYNOPSIS, options);
	parse(argc, argv);
	n = argc - optind;
	argv += optind;
	if (opt.target == NULL) {
		if (n < 2)
			cmd_usage("no %s given", n == 0 ? "source" :
			    "target");
		opt.target = argv[--n];
	} else if (n == 0) {
		cmd_usage("no source given");
	}
	if (*opt.target == '\0')
		cmd_usage("an empty remote path");
	if (opt.size >= 0 && n != 1)
		cmd_usage("--size is for one file");
	r = remote_open(&remote, cmd.session);
	remote.handles = REMOTE_INTO;
	if (r < 0)
		cmd_fail(NULL, r);
	else
		put_all(argv, n);
	remote_close(&remote);
	mirror_filter_free(&opt.filter);
	set_free(&given);
	return cmd_finish();
}
