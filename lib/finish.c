#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "err.h"
#include "finish.h"

#define TOGETHER_MIN 8   /* files; fewer are flushed one by one */
#define TOGETHER_MS  1000 /* a flush of all that takes longer is the last */

/* Whether two paths lead into one folder. */
static int
same_folder(const char *a, const char *b)
{
	const char *x = strrchr(a, '/'), *y = strrchr(b, '/');

	if (x == NULL || y == NULL)
		return x == y;
	return x - a == y - b && memcmp(a, b, (size_t)(x - a)) == 0;
}

/* Flush all of them by one flush of their file system: 1 if that is done.
 * Where others write so much that it takes long, not again. */
static int
flush_together(struct finish *f)
{
	int64_t begin = http_now_ms();
	struct stat st;
	dev_t dev = 0;

	if (f->n < TOGETHER_MIN || f->apart)
		return 0;
	for (size_t k = 0; k < f->n; k++) {
		int fd = f->item[k]->out->fd;

		if (fstat(fd, &st) == -1)
			return 0;
		if ((k == 0 || st.st_dev != dev) && compat_sync_all(fd) == -1)
			return 0;
		dev = st.st_dev;
	}
	f->apart = http_now_ms() - begin > TOGETHER_MS;
	return 1;
}

static void
note(struct finish_item *i, int result)
{
	i->result = result;
	i->error = result < 0 ? err_keep() : NULL;
}

static void
name_one(struct finish_item *i, int flushed)
{
	int r;

	if (i->result < 0)
		return;
	err_clear();
	r = flushed ? 0 : out_flush(i->out);
	note(i, r < 0 ? r : out_name(i->out, i->replace));
}

static void
tell(struct finish_item *i)
{
	struct err_kept *error = i->error;

	if (i->result < 0)
		err_again(i->result, error);
	i->done(i, i->result); /* i may be gone */
	free(error);
}

void
finish_all(struct finish *f)
{
	int flushed;

	http_timer_clear(f->http, &f->timer);
	flushed = flush_together(f);
	for (size_t k = 0; k < f->n; k++)
		name_one(f->item[k], flushed);
	for (size_t k = 0; k < f->n; k++)
		if (k == 0 || !same_folder(f->item[k - 1]->out->path,
		    f->item[k]->out->path))
			out_sync(f->item[k]->out->path);
	for (size_t k = 0; k < f->n; k++)
		tell(f->item[k]);
	f->n = 0;
}

static void
on_timer(struct http_timer *t)
{
	finish_all(t->ctx);
}

void
finish_add(struct finish *f, struct finish_item *i)
{
	err_clear();
	note(i, out_end(i->out, i->size, i->mtime));
	f->item[f->n++] = i;
	if (f->n == FINISH_MAX) {
		finish_all(f);
	} else if (f->n == 1) {
		f->timer.fire = on_timer;
		f->timer.ctx = f;
		http_timer_set(f->http, &f->timer, FINISH_MS);
	}
}
