/* Reading: from what was written, or from the service with reading ahead. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chunk.h"
#include "err.h"
#include "mem.h"

#include "open.h"

#define AHEAD_MIN ((int64_t)1 << 20)
#define AHEAD_MAX ((int64_t)8 << 20)
#define NEAR      ((int64_t)512 << 10) /* the kernel's own reads ahead
                                        * overtake each other */

/* A read that waits for data. */
struct reading {
	fuse_req_t req;
	struct file *f;
	struct content *content;
	int64_t id;            /* of its node */
	struct content_read r;
	struct filling fill;
	int64_t offset;
	size_t n;
	uint8_t p[];
};

static struct reading *
new_reading(fuse_req_t req, struct file *f, size_t n, off_t off)
{
	struct reading *r = xmalloc(sizeof *r + n);

	*r = (struct reading){ .req = req, .f = f, .n = n, .offset = off };
	file_enter(f);
	return r;
}

static void
end(struct reading *r, int error)
{
	if (error != 0)
		fuse_reply_err(r->req, error);
	else
		fuse_reply_buf(r->req, (const char *)r->p, r->n);
	if (r->content != NULL)
		content_close(r->content);
	file_leave(r->f);
	free(r);
}

static void
report(const struct reading *r, int e)
{
	if (e == ERR_MAC)
		log_line("node %lld, byte %lld: %s",
		    (long long)r->f->inode->id, (long long)r->offset,
		    err_text());
}

static int begin_read(struct reading *r);

static void
on_read(struct content_read *c, int e)
{
	struct reading *r = c->ctx;

	if (e < 0 && file_content_moved(r->f, r->id)) {
		content_close(r->content);
		r->content = NULL;
		if ((e = begin_read(r)) == 0)
			return;
	}
	fuse_req_interrupt_func(r->req, NULL, NULL);
	report(r, e);
	end(r, e < 0 ? errno_of(e) : 0);
}

/* Whoever waits has been killed. */
static void
on_interrupt(fuse_req_t req, void *data)
{
	struct reading *r = data;

	(void)req;
	content_cancel(&r->r);
	end(r, EINTR);
}

/* Read from the node that the file is now. */
static int
begin_read(struct reading *r)
{
	int64_t size;
	int e;

	if ((e = file_content(r->f, &size)) < 0)
		return e;
	r->content = r->f->content;
	r->id = r->f->content_id;
	content_hold(r->content);
	content_read(r->content, &r->r);
	return 0;
}

/* How far to read ahead from here. */
static int64_t
look_ahead(struct open *o, int64_t offset, int64_t n)
{
	if (offset < o->next - NEAR || offset > o->next + NEAR)
		o->ahead = 0;
	else if (o->ahead < AHEAD_MAX && offset >= o->next)
		o->ahead = o->ahead == 0 ? AHEAD_MIN : o->ahead + n;
	if (offset + n > o->next || o->ahead == 0)
		o->next = offset + n;
	return o->ahead;
}

static void
read_content(struct open *o, struct reading *r)
{
	int64_t ahead = look_ahead(o, r->offset, (int64_t)r->n);
	int e;

	r->r = (struct content_read){ .offset = r->offset, .n = r->n,
	    .p = r->p, .done = on_read, .ctx = r };
	if (ahead > 0)
		content_ahead(o->f->content, r->offset + (int64_t)r->n,
		    ahead);
	fuse_req_interrupt_func(r->req, on_interrupt, r);
	if ((e = begin_read(r)) < 0)
		end(r, errno_of(e));
}

/* The gaps are filled: read what is there now. */
static void
on_filled(struct filling *g, int e)
{
	struct reading *r = g->ctx;
	int64_t n;

	if (e == 0 && r->f->spool != NULL) {
		n = spool_read(r->f->spool, r->p, r->n, r->offset);
		r->n = n > 0 ? (size_t)n : 0;
		e = n < 0 ? (int)n : 0;
	}
	report(r, e);
	end(r, e < 0 ? errno_of(e) : 0);
}

static void
read_spool(fuse_req_t req, struct file *f, size_t n, off_t off)
{
	struct reading *r = new_reading(req, f, n, off);

	r->fill = (struct filling){ .f = f, .offset = off, .n = (int64_t)n,
	    .done = on_filled, .ctx = r };
	file_fill(&r->fill);
}

void
read_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	struct open *o = open_of(fi);
	int64_t total;
	int r;

	(void)ino;
	if (o->f->spool != NULL) {
		read_spool(req, o->f, size, off);
		return;
	}
	if ((r = file_content(o->f, &total)) < 0) {
		fuse_reply_err(req, errno_of(r));
		return;
	}
	if (off >= total) {
		fuse_reply_buf(req, NULL, 0);
		return;
	}
	if ((int64_t)size > total - off)
		size = (size_t)(total - off);
	if (size > CONTENT_READ_MAX)
		size = CONTENT_READ_MAX;
	read_content(o, new_reading(req, o->f, size, off));
}
