/* mega-mkdir: make folders. */

#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "err.h"
#include "folder.h"
#include "mem.h"
#include "path.h"
#include "record.h"
#include "secret.h"
#include "set.h"

#define SYNOPSIS "[-pj0qv] PATH ..."

static const struct cmd_opt options[] = {
	{ 'p', "parents", NULL, "make the folders above it, too; one that "
	    "exists is no failure" },
	CMD_JSON, CMD_NULL, CMD_QUIET, CMD_VERBOSE, CMD_SESSION,
	CMD_END
};

#define TOGETHER 1000 /* operands in one round */

static int parents;
static struct remote remote;

/*
 * Operands are worked on together, in rounds.  In each, every operand says
 * which folder it needs next; these are made in few requests.  A folder is
 * needed once however many ask for it.
 */

/* An operand that is not done. */
struct want {
	char *operand;      /* NULL: it is done */
	size_t left;        /* characters of it that did not exist */
	size_t job;         /* the folder that is made for it */
	int is_last;        /* which is the operand itself */
};

/* The shares that cover a folder. */
struct cover {
	struct cover *next;
	char h[9];
	struct share s[SHARE_NESTED_MAX];
	int n;
};

struct round {
	struct folder_job jobs[TOGETHER];
	char *names[TOGETHER], *paths[TOGETHER];
	size_t n;
	struct set made;    /* PARENT/NAME of each */
	struct cover *covers;
};

static void
round_free(struct round *r)
{
	for (size_t i = 0; i < r->n; i++) {
		node_free(&r->jobs[i].node);
		free(r->jobs[i].error);
		free(r->names[i]);
		free(r->paths[i]);
	}
	while (r->covers != NULL) {
		struct cover *c = r->covers;

		r->covers = c->next;
		secret_zero(c, sizeof *c);
		free(c);
	}
	set_free(&r->made);
	r->n = 0;
}

static int
find_cover(struct round *r, struct tree *t, const char h[9],
    struct cover **out)
{
	struct cover *c = r->covers;
	int n;

	while (c != NULL && strcmp(c->h, h) != 0)
		c = c->next;
	if (c == NULL) {
		c = xcalloc(1, sizeof *c);
		memcpy(c->h, h, sizeof c->h);
		c->next = r->covers;
		r->covers = c;
		if ((n = share_list(t, h, c->s)) < 0)
			return n;
		c->n = n;
	}
	*out = c;
	return 0;
}

/* The folder of a name in another among those to be made; r->n if it is new
 * among them. */
static size_t
find_job(struct round *r, const char parent[9], const char *name)
{
	char *both = xasprintf("%s/%s", parent, name);
	size_t i = set_add(&r->made, both) ? r->n : 0;

	free(both);
	while (i < r->n && (strcmp(r->jobs[i].parent, parent) != 0 ||
	    strcmp(r->names[i], name) != 0))
		i++;
	return i;
}

static int
add_job(struct round *r, struct place *p)
{
	struct buf path = BUF_MAX(1 << 20);
	struct folder_job *f = &r->jobs[r->n];
	struct cover *c;
	int e;

	if ((e = find_cover(r, p->tree, p->node.h, &c)) < 0 ||
	    (e = place_print(p, &path)) < 0) {
		buf_free(&path);
		return e;
	}
	r->paths[r->n] = buf_steal(&path);
	r->names[r->n] = p->missing;
	p->missing = NULL;
	*f = (struct folder_job){ .name = r->names[r->n],
	    .n = strlen(r->names[r->n]), .shares = c->s, .nshares = c->n };
	memcpy(f->parent, p->node.h, sizeof f->parent);
	r->n++;
	return 0;
}

/* All of an operand exists. */
static int
exists(const struct place *p)
{
	if (p->kind != PLACE_NODE)
		return err_set(ERR_USAGE, "nothing can be made in a link");
	if (p->node.type == NODE_FILE)
		return err_set(ERR_TAKEN, "exists, and is a file");
	return parents ? 0 : err_set(ERR_TAKEN, "exists");
}

static int
check_missing(const struct place *p)
{
	if (p->kind != PLACE_NODE)
		return err_set(ERR_USAGE, "nothing can be made in a link");
	if (p->node.h[0] == '\0')
		return err_set(ERR_REFUSED, "only others can share their "
		    "folders with the account");
	if (strcmp(p->missing, ".") == 0 || strcmp(p->missing, "..") == 0)
		return err_set(ERR_USAGE, "no folder should be called \"%s\"",
		    p->missing);
	return 0;
}

/* Find out what an operand needs next: 1 with w->job set, 0 if nothing, or
 * ERR_*. */
static int
look(struct round *r, struct want *w)
{
	const char *rest;
	struct place p;
	size_t left;
	int e;

	if ((e = path_reach(&remote, w->operand, &p, &rest)) < 0)
		return e;
	if (p.missing == NULL) {
		e = exists(&p);
		goto out;
	}
	if ((e = check_missing(&p)) < 0)
		goto out;
	left = strlen(p.missing) + strlen(rest);
	if (w->left != 0 && left >= w->left) {
		e = err_set(ERR_PROTO, "what was made does not appear");
		goto out;
	}
	w->left = left;
	w->job = find_job(r, p.node.h, p.missing);
	w->is_last = w->job == r->n && *rest == '\0';
	if (w->job == r->n && *rest != '\0' && !parents)
		e = err_set(ERR_NOENT, "the folder above it does not exist "
		    "(-p makes it)");
	else if (w->job == r->n)
		e = add_job(r, &p);
	if (e == 0)
		e = 1;
out:
	place_free(&p);
	return e;
}

static void
done(struct want *w, int result)
{
	if (result < 0)
		cmd_fail(w->operand, result);
	free(w->operand);
	w->operand = NULL;
}

/* The folder that an operand needed was made, or not. */
static void
settle(struct want *w, const struct folder_job *f)
{
	err_clear();
	if (f->result < 0) {
		err_again(f->result, f->error);
		done(w, f->result);
	} else if (w->is_last) {
		done(w, 0);
	}
}

static void
look_at_all(struct round *r, struct want *w, size_t n)
{
	int e;

	for (size_t i = 0; i < n; i++) {
		if (w[i].operand == NULL)
			continue;
		err_clear();
		if ((e = look(r, &w[i])) <= 0)
			done(&w[i], e);
	}
}

/* A folder was made: the tree knows what the service says of it. */
static void
tell(const struct folder_job *f, const char *path)
{
	struct node n;

	if (tree_get(remote.tree, f->node.h, &n) < 0)
		node_copy(&n, &f->node);
	record_change(&n, path, NULL);
	node_free(&n);
}

/* One round: whether there is need for another. */
static int
run(struct round *r, struct want *w, size_t n)
{
	struct tree *t = remote.tree;
	int e;

	if (t != NULL && tree_snapshot(t) < 0)
		t = NULL;
	look_at_all(r, w, n);
	if (t != NULL)
		tree_release(t);
	folder_make_all(r->jobs, r->n, remote.account.api,
	    remote.account.session.master, remote.tree);
	for (size_t i = 0; i < r->n; i++)
		if (r->jobs[i].result == 0)
			tell(&r->jobs[i], r->paths[i]);
	for (size_t i = 0; i < n; i++)
		if (w[i].operand != NULL)
			settle(&w[i], &r->jobs[w[i].job]);
	e = r->n > 0;
	round_free(r);
	return e;
}

static void
make_all(char **argv)
{
	struct round *r = xcalloc(1, sizeof *r);
	struct want *w = xcalloc(TOGETHER, sizeof *w);
	struct cmd_operands it;
	const char *s;
	size_t n;

	cmd_operands(&it, argv);
	do {
		n = 0;
		while (n < TOGETHER && (s = cmd_operand(&it)) != NULL)
			w[n++] = (struct want){ .operand = xstrdup(s) };
		while (run(r, w, n))
			;
	} while (n == TOGETHER);
	cmd_operands_free(&it);
	free(w);
	free(r);
}

int
main(int argc, char *argv[])
{
	int ch, r;

	cmd_init("mega-mkdir", SYNOPSIS, options);
	while ((ch = cmd_option(argc, argv)) != -1)
		if (ch == 'p')
			parents = 1;
	if (optind == argc)
		cmd_usage("no folder given");
	if ((r = remote_open(&remote, cmd.session)) < 0)
		cmd_fail(NULL, r);
	else
		make_all(argv + optind);
	remote_close(&remote);
	return cmd_finish();
}
