#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "b64.h"
#include "err.h"
#include "mem.h"
#include "out.h"
#include "resume.h"
#include "secret.h"
#include "send.h"

#define AHEAD 256 /* items begun and not yet told */

struct sending {
	struct api *api;
	struct uploads *us;
	struct send_options o;
	uint8_t master[16];
	struct send_item *list, **tail; /* in the order of beginning */
	unsigned count;
	int telling;
};

struct sending *
send_new(struct api *api, const uint8_t master[16],
    const struct send_options *o)
{
	struct sending *s = xcalloc(1, sizeof *s);

	s->api = api;
	s->us = uploads_new(api_http(api), &o->up);
	s->o = *o;
	memcpy(s->master, master, sizeof s->master);
	s->tail = &s->list;
	return s;
}

void
send_free(struct sending *s)
{
	if (s == NULL)
		return;
	uploads_free(s->us);
	secret_zero(s, sizeof *s);
	free(s);
}

void
send_item_free(struct send_item *i)
{
	if (i == NULL)
		return;
	if (i->up.fd > STDIN_FILENO)
		close(i->up.fd);
	attr_free(&i->up.attr);
	node_free(&i->node);
	free(i->local);
	free(i->path);
	free(i->state);
	free(i->error);
	secret_zero(i, sizeof *i);
	free(i);
}

/* Size and time of an open source; a pipe of unknown length is spooled. */
static int
measure(struct send_item *i, int64_t size)
{
	struct stat st;
	int fd;

	if (fstat(i->up.fd, &st) == -1)
		return err_local("cannot look at it");
	if (S_ISDIR(st.st_mode))
		return err_set(ERR_USAGE, "is a folder");
	i->up.mtime = -1;
	if (S_ISREG(st.st_mode)) {
		off_t at = lseek(i->up.fd, 0, SEEK_CUR);

		i->up.size = st.st_size - (at > 0 ? at : 0);
		if (i->up.size < 0)
			i->up.size = 0;
		i->up.mtime = st.st_mtim.tv_sec;
		if (size >= 0 && size != i->up.size)
			return err_set(ERR_LOCAL, "has %lld bytes, not %lld",
			    (long long)i->up.size, (long long)size);
		return 0;
	}
	if (size >= 0) {
		i->up.size = size;
		return 0;
	}
	if ((fd = out_spool(i->up.fd, SEND_SPOOL_MAX, &i->up.size)) < 0)
		return fd;
	if (i->up.fd > STDIN_FILENO)
		close(i->up.fd);
	i->up.fd = fd;
	return 0;
}

int
send_open(struct send_item **out, const char *local, int64_t size)
{
	struct send_item *i = xcalloc(1, sizeof *i);
	int r;

	i->local = xstrdup(local);
	i->up.fd = strcmp(local, "-") == 0 ? STDIN_FILENO :
	    open(local, O_RDONLY | O_CLOEXEC);
	r = i->up.fd == -1 ? ERR_LOCAL : 0;
	if (r < 0)
		err_set(ERR_LOCAL, "%s", strerror(errno));
	else
		r = measure(i, size);
	if (r == 0 && i->up.size > UPLOAD_SIZE_MAX)
		r = err_set(ERR_TOOBIG, "%lld bytes are too many for a file",
		    (long long)i->up.size);
	if (r < 0) {
		send_item_free(i);
		i = NULL;
	}
	*out = i;
	return r;
}

void
send_name(struct send_item *i, const char *name, size_t n)
{
	attr_set(&i->up.attr, "n", name, n);
	free(i->node.name);
	i->node.name = xmalloc(n + 1);
	memcpy(i->node.name, name, n);
	i->node.name[n] = '\0';
	i->node.namelen = n;
}

int
send_replace(struct send_item *i, struct tree *t, const struct node *old)
{
	struct attr a = { 0 };
	int r;

	memcpy(i->replaces, old->h, sizeof i->replaces);
	if ((r = tree_attributes(t, old->h, &a)) == 0)
		attr_inherit(&i->up.attr, &a);
	attr_free(&a);
	/* What cannot be read cannot be kept. */
	if (r == ERR_KEY || r == ERR_PROTO) {
		err_clear();
		r = 0;
	}
	return r;
}

/* Tell the ends that nothing earlier holds up any more. */
static void
tell(struct sending *s)
{
	if (s->telling)
		return;
	s->telling = 1;
	while (s->list != NULL && s->list->over) {
		struct send_item *i = s->list;

		s->list = i->next;
		if (s->list == NULL)
			s->tail = &s->list;
		s->count--;
		err_clear();
		if (i->result < 0)
			err_again(i->result, i->error);
		s->o.ended(s->o.ctx, i, i->result);
		send_item_free(i);
	}
	s->telling = 0;
}

static void
end(struct send_item *i, int result)
{
	i->over = 1;
	i->result = result;
	if (result < 0)
		i->error = err_keep();
	tell(i->s);
}

/* The public handle of a new link. */
static void
on_link(struct api_cmd *c, struct json *j, int v, int err)
{
	struct send_item *i = c->ctx;
	struct link l = { .kind = LINK_FILE, .keylen = KEY_FILE_SIZE };
	struct slice ph;

	if (err < 0) {
		end(i, err_prefix(err, "uploaded, but no link: "));
		return;
	}
	ph = json_raw(j, v);
	if (json_type(j, v) != JSON_STRING || ph.n != 8 ||
	    !b64_valid(ph.p, ph.n)) {
		end(i, err_set(ERR_PROTO, "reply to \"l\": want a handle"));
		return;
	}
	memcpy(l.ph, ph.p, 8);
	memcpy(i->node.ph, l.ph, sizeof l.ph);
	memcpy(l.key, i->node.key, KEY_FILE_SIZE);
	link_print(i->link, &l, 0);
	secret_zero(&l, sizeof l);
	end(i, 0);
}

/* The node is there; go on to its link if one is wanted. */
static void
made(struct send_item *i)
{
	struct json_out o;

	if (!i->s->o.link) {
		end(i, 0);
		return;
	}
	i->cmd = (struct api_cmd){ .done = on_link, .ctx = i };
	o = api_begin(&i->cmd, "l");
	json_put(&o, "n", i->node.h);
	api_send(i->s->api, &i->cmd, &o);
}

static void
on_uploaded(struct upload *u, int result, struct json *j, int v)
{
	struct send_item *i = u->ctx;
	const char *c;

	(void)j;
	(void)v;
	if (result < 0) {
		end(i, result);
		return;
	}
	memcpy(i->node.h, u->handle, sizeof u->handle);
	memcpy(i->node.p, u->parent, sizeof u->parent);
	memcpy(i->node.key, u->key, sizeof u->key);
	i->node.keylen = KEY_FILE_SIZE;
	i->node.type = NODE_FILE;
	i->node.size = u->size;
	i->node.created = (int64_t)time(NULL);
	i->node.mtime = u->mtime >= 0 ? u->mtime : i->node.created;
	if ((c = attr_get(&u->attr, "c", NULL)) != NULL &&
	    strlen(c) < sizeof i->node.fingerprint)
		memcpy(i->node.fingerprint, c, strlen(c) + 1);
	made(i);
}

static void
enlist(struct sending *s, struct send_item *i)
{
	while (s->count >= AHEAD)
		http_turn(api_http(s->api), -1);
	i->s = s;
	i->next = NULL;
	*s->tail = i;
	s->tail = &i->next;
	s->count++;
}

/* The name of the state file: another file, version, place or account is
 * another upload. */
static void
name_state(struct sending *s, struct send_item *i)
{
	struct buf b = BUF_MAX(1 << 18);
	struct stat st;

	if (s->o.states == NULL || fstat(i->up.fd, &st) == -1 ||
	    !S_ISREG(st.st_mode) || st.st_nlink == 0)
		return;
	buf_printf(&b, "%llu %llu %lld %lld.%09ld %s ",
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
	    (long long)st.st_size, (long long)st.st_mtim.tv_sec,
	    st.st_mtim.tv_nsec, i->parent);
	buf_add(&b, s->master, sizeof s->master);
	buf_add(&b, i->node.name, i->node.namelen);
	i->state = resume_name(s->o.states, b.p, b.len);
	i->up.state = i->state;
	buf_wipe(&b);
}

void
send_add(struct sending *s, struct send_item *i)
{
	enlist(s, i);
	name_state(s, i);
	i->up.api = s->api;
	memcpy(i->up.master, s->master, sizeof s->master);
	memcpy(i->up.parent, i->parent, sizeof i->parent);
	memcpy(i->up.replaces, i->replaces, sizeof i->replaces);
	i->up.done = on_uploaded;
	i->up.ctx = i;
	uploads_add(s->us, &i->up);
}

void
send_add_unchanged(struct sending *s, struct send_item *i)
{
	enlist(s, i);
	i->unchanged = 1;
	made(i);
}

void
send_run(struct sending *s)
{
	while (s->count > 0)
		http_turn(api_http(s->api), -1);
}
