#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "finish.h"

/* Whether two paths lead into one folder. */
static int
same_folder(const char *a, const char *b)
{
	const char *x = strrchr(a, '/'), *y = strrchr(b, '/');

	if (x == NULL || y == NULL)
		return x == y;
	return x - a == y - b && memcmp(a, b, (size_t)(x - a)) == 0;
}

static int
name_one(const struct finish_item *i)
{
	int r = out_flush(i->out, i->size, i->mtime);

	return r < 0 ? r : out_name(i->out, i->replace);
}

void
finish_all(struct finish *f)
{
	struct err_kept *errors[FINISH_MAX];
	int r[FINISH_MAX];

	http_timer_clear(f->http, &f->timer);
	for (size_t k = 0; k < f->n; k++) {
		err_clear();
		r[k] = name_one(f->item[k]);
		errors[k] = r[k] < 0 ? err_keep() : NULL;
	}
	for (size_t k = 0; k < f->n; k++)
		if (k == 0 || !same_folder(f->item[k - 1]->out->path,
		    f->item[k]->out->path))
			out_sync(f->item[k]->out->path);
	for (size_t k = 0; k < f->n; k++) {
		if (r[k] < 0)
			err_again(r[k], errors[k]);
		free(errors[k]);
		f->item[k]->done(f->item[k], r[k]);
	}
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
	f->item[f->n++] = i;
	if (f->n == FINISH_MAX) {
		finish_all(f);
	} else if (f->n == 1) {
		f->timer.fire = on_timer;
		f->timer.ctx = f;
		http_timer_set(f->http, &f->timer, FINISH_MS);
	}
}
