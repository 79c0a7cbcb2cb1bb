#include <sys/stat.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "err.h"
#include "finish.h"
#include "mem.h"

#define TOGETHER_MIN 8    /* files; fewer are flushed one by one */
#define TOGETHER_MS  1000 /* a flush of all that takes longer is the last */

/* Files that are being flushed.  The thread has it to itself, except for the
 * items, until it has written to the pipe. */
struct finish_batch {
	struct finish *f;
	struct finish_item *item[FINISH_MAX];
	int fd[FINISH_MAX];
	int error[FINISH_MAX];       /* errno of its flush, or 0 */
	size_t n;
	int apart;
	int pipe[2];
	int threaded;
	pthread_t thread;
	struct http_watch watch;
};

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
flush_together(struct finish_batch *b)
{
	int64_t begin = http_now_ms();
	struct stat st;
	dev_t dev = 0;

	if (b->n < TOGETHER_MIN || b->apart)
		return 0;
	for (size_t k = 0; k < b->n; k++) {
		if (fstat(b->fd[k], &st) == -1)
			return 0;
		if ((k == 0 || st.st_dev != dev) &&
		    compat_sync_all(b->fd[k]) == -1)
			return 0;
		dev = st.st_dev;
	}
	b->apart = http_now_ms() - begin > TOGETHER_MS;
	return 1;
}

static void
flush(struct finish_batch *b)
{
	if (flush_together(b))
		return;
	for (size_t k = 0; k < b->n; k++)
		if (fsync(b->fd[k]) == -1)
			b->error[k] = errno;
}

static void *
run(void *ctx)
{
	struct finish_batch *b = ctx;

	flush(b);
	while (write(b->pipe[1], "", 1) == -1 && errno == EINTR)
		continue;
	return NULL;
}

static void
note(struct finish_item *i, int result)
{
	i->result = result;
	i->error = result < 0 ? err_keep() : NULL;
}

static void
name_one(struct finish_item *i, int error)
{
	if (i->result < 0)
		return;
	err_clear();
	errno = error;
	note(i, error != 0 ? err_local("%s", i->out->part) :
	    out_name(i->out, i->replace));
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

/* Wait for the flush, if it is not over, and give the files their names. */
static void
end(struct finish *f)
{
	struct finish_batch *b = f->batch;

	f->batch = NULL;
	if (b->threaded) {
		pthread_join(b->thread, NULL);
		http_watch_clear(f->http, &b->watch);
		close(b->pipe[0]);
		close(b->pipe[1]);
	}
	f->apart = b->apart;
	for (size_t k = 0; k < b->n; k++)
		name_one(b->item[k], b->error[k]);
	for (size_t k = 0; k < b->n; k++)
		if (k == 0 || !same_folder(b->item[k - 1]->out->path,
		    b->item[k]->out->path))
			out_sync(b->item[k]->out->path);
	for (size_t k = 0; k < b->n; k++)
		tell(b->item[k]);
	free(b);
}

static void
on_flushed(struct http_watch *w)
{
	end(w->ctx);
}

/* Have a thread flush the batch: 0, or -1 if there is none to be had. */
static int
start_thread(struct finish_batch *b)
{
	sigset_t all, before;
	int r;

	if (pipe(b->pipe) == -1)
		return -1;
	/* Signals are the first thread's: one here would interrupt a flush,
	 * and not wake what waits there. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&b->thread, NULL, run, b);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0) {
		close(b->pipe[0]);
		close(b->pipe[1]);
		return -1;
	}
	b->threaded = 1;
	b->watch.fd = b->pipe[0];
	b->watch.ready = on_flushed;
	b->watch.ctx = b->f;
	http_watch_set(b->f->http, &b->watch);
	return 0;
}

/* Take those that wait; one batch is flushed at a time. */
static void
start(struct finish *f)
{
	struct finish_batch *b;

	http_timer_clear(f->http, &f->timer);
	if (f->batch != NULL)
		end(f);
	b = f->batch = xcalloc(1, sizeof *b);
	b->f = f;
	b->n = f->n;
	b->apart = f->apart;
	for (size_t k = 0; k < f->n; k++) {
		b->item[k] = f->item[k];
		b->fd[k] = f->item[k]->out->fd;
	}
	f->n = 0;
	if (start_thread(b) == -1) {
		flush(b);
		end(f);
	}
}

void
finish_all(struct finish *f)
{
	if (f->n > 0)
		start(f);
	if (f->batch != NULL)
		end(f);
}

static void
on_timer(struct http_timer *t)
{
	struct finish *f = t->ctx;

	if (f->batch == NULL)
		start(f);
	else
		http_timer_set(f->http, t, FINISH_MS);
}

void
finish_add(struct finish *f, struct finish_item *i)
{
	err_clear();
	note(i, out_end(i->out, i->size, i->mtime));
	f->item[f->n++] = i;
	if (f->n == FINISH_MAX) {
		start(f);
	} else if (f->n == 1) {
		f->timer.fire = on_timer;
		f->timer.ctx = f;
		http_timer_set(f->http, &f->timer, FINISH_MS);
	}
}
