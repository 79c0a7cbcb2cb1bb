#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "aes.h"
#include "b64.h"
#include "chunk.h"
#include "err.h"
#include "fingerprint.h"
#include "mem.h"
#include "pace.h"
#include "resume.h"
#include "secret.h"
#include "shape.h"
#include "upload.h"

#define TOKEN_SIZE   36
#define PIECE_MAX    (2 * CHUNK_MAX)  /* of one POST */
#define BATCH_CHUNKS 4                /* read and encrypted together */
#define MEMORY_MAX   (12 << 20)       /* of pieces not yet acknowledged */
#define AHEAD        192              /* files begun at a time */
#define MANY         24               /* files: their requests may gather */
#define LINGER_MS    100
#define DAMAGED_MAX  5                /* "-14" for one piece */
#define OLD_URL_FAILS 2               /* its host may be gone for good */
#define RESTARTS_MAX 4                /* of one file */
#define BUSY_MAX     3                /* "-3" for one piece */
#define TOKEN_MS     3000             /* until the last piece is repeated */
#define TOKEN_TRIES  3

/* Chunks that were read together; freed with its last piece. */
struct batch {
	uint8_t *p;
	size_t n;             /* bytes wanted */
	size_t have;          /* read so far */
	int64_t start;
	unsigned pieces;
};

/* What one POST carries. */
struct piece {
	struct piece *next;
	struct batch *batch;
	const uint8_t *p;
	size_t n;
	int64_t start;
	char sum[B64_LEN(CHUNK_SUM_SIZE) + 1];
};

/* One connection's work. */
struct post {
	struct http_req req;
	struct http_timer timer;
	struct push *f;       /* NULL: idle */
	struct piece *piece;
	struct buf url;
	char answer[64];      /* the body of the answer */
	size_t nanswer;
	unsigned fails, busy, damaged; /* of this piece */
	int under_way;        /* it uses a connection */
	int due;              /* it waits for one */
};

/* What an upload needs while it is under way. */
struct push {
	struct upload *u;
	struct uploads *us;
	struct push *next;
	struct api_cmd cmd;
	struct filekey key;
	struct aes aes;
	char *url;
	int old_url;                 /* an earlier run's, and silent so far */
	int is_file;                 /* can be read again from the start */
	struct stat before;
	int64_t pos;                 /* read so far */
	int whole;                   /* nothing is left to read */
	int64_t acked;               /* bytes that the service holds */
	struct batch *reading;
	struct http_watch watch;     /* of a source that can make us wait */
	struct piece *pieces, **tail; /* encrypted, not yet sent */
	struct piece *last;          /* sent last, kept until the token */
	unsigned posts;
	uint8_t (*macs)[16];
	uint8_t *held;               /* per chunk: the service has it */
	struct resume resume;
	struct fingerprint_stream print;
	struct http_timer timer;     /* waiting for a token */
	int asked_again;             /* times the last piece was repeated */
	int have_token;
	char token[B64_LEN(TOKEN_SIZE) + 1];
	int restarts;
	int error;
	struct err_kept *kept;       /* error's text and what belongs to it */
	struct json *reply;          /* of "p", valid inside on_node */
	int nodes;
};

struct uploads {
	struct http *http;
	struct upload_options o;
	struct push *list, **tail;
	unsigned count;
	unsigned sent;        /* of these, so many only wait for "p" */
	unsigned busy;        /* connections in use */
	struct pace pace;
	struct http_timer look; /* set: the next look at it */
	size_t memory;
	struct post post[PACE_MAX];
	struct http_timer finish;
	struct push *finished;
};

static void schedule(struct uploads *us);
static void ask(struct push *f);

struct uploads *
uploads_new(struct http *h, const struct upload_options *o)
{
	struct uploads *us = xcalloc(1, sizeof *us);

	us->http = h;
	us->o = *o;
	us->tail = &us->list;
	pace_init(&us->pace, o->connections, http_now_ms());
	for (unsigned i = 0; i < us->pace.all_most; i++)
		buf_init(&us->post[i].url, 4096);
	return us;
}

void
uploads_free(struct uploads *us)
{
	if (us == NULL)
		return;
	http_timer_clear(us->http, &us->finish);
	http_timer_clear(us->http, &us->look);
	for (unsigned i = 0; i < us->pace.all_most; i++)
		buf_wipe(&us->post[i].url);
	free(us);
}

unsigned
uploads_count(const struct uploads *us)
{
	return us->count;
}

int
uploads_want(const struct uploads *us)
{
	return us->count < AHEAD;
}

void
uploads_run(struct uploads *us)
{
	while (us->count > 0)
		http_turn(us->http, -1);
}

/* Memory of pieces. */

static void
batch_free(struct uploads *us, struct batch *b)
{
	us->memory -= b->n;
	free(b->p);
	free(b);
}

static void
piece_free(struct uploads *us, struct piece *p)
{
	if (p == NULL)
		return;
	if (--p->batch->pieces == 0)
		batch_free(us, p->batch);
	free(p);
}

/* The request has ended, or shall. */
static void
request_stop(struct post *p)
{
	http_cancel(&p->req);
	p->f->us->busy -= (unsigned)p->under_way;
	p->under_way = 0;
}

static void
post_stop(struct post *p)
{
	request_stop(p);
	http_timer_clear(p->f->us->http, &p->timer);
	piece_free(p->f->us, p->piece);
	p->piece = NULL;
	p->due = 0;
	p->f->posts--;
	p->f = NULL;
}

/* Drop all that is on its way or waiting to go. */
static void
drop_pieces(struct push *f)
{
	struct uploads *us = f->us;

	for (unsigned i = 0; i < us->pace.all_most; i++)
		if (us->post[i].f == f)
			post_stop(&us->post[i]);
	while (f->pieces != NULL) {
		struct piece *p = f->pieces;

		f->pieces = p->next;
		piece_free(us, p);
	}
	f->tail = &f->pieces;
	piece_free(us, f->last);
	f->last = NULL;
	if (f->reading != NULL)
		batch_free(us, f->reading);
	f->reading = NULL;
	http_watch_clear(us->http, &f->watch);
	http_timer_clear(us->http, &f->timer);
}

/* The ends of an upload. */

static void
push_free(struct push *f)
{
	aes_wipe(&f->aes);
	secret_zero(&f->key, sizeof f->key);
	resume_keep(&f->resume);
	free(f->url);
	free(f->macs);
	free(f->held);
	free(f->kept);
	free(f);
}

/* With many files to send, requests of several go together. */
static void
linger(const struct uploads *us, struct api *api)
{
	api_linger(api, us->count - us->sent >= MANY ? LINGER_MS : 0);
}

/* Tell the caller.  The nodes of the reply are there only when it is told
 * from inside the reply's callback. */
static void
report(struct push *f)
{
	struct upload *u = f->u;
	int r = f->error;

	if (r < 0)
		err_again(r, f->kept);
	f->us->count--;
	f->us->sent -= (unsigned)f->have_token;
	linger(f->us, u->api);
	u->push = NULL;
	u->done(u, r, f->reply, f->nodes); /* u may be gone */
	push_free(f);
}

static void
on_finish(struct http_timer *t)
{
	struct uploads *us = t->ctx;

	while (us->finished != NULL) {
		struct push *f = us->finished;

		us->finished = f->next;
		report(f);
	}
	schedule(us);
}

/* Take an upload out of the engine. */
static void
take_out(struct push *f, int result)
{
	struct push **at = &f->us->list;

	f->error = result;
	f->kept = err_keep();
	/* A file that has changed is another upload the next time. */
	if (result == ERR_LOCAL)
		resume_end(&f->resume);
	drop_pieces(f);
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	if (f->us->tail == &f->next)
		f->us->tail = at;
}

/* The end of one that does not come from "p": told from the loop. */
static void
finish(struct push *f, int result)
{
	struct uploads *us = f->us;

	take_out(f, result);
	f->next = us->finished;
	us->finished = f;
	us->finish.fire = on_finish;
	us->finish.ctx = us;
	http_timer_set(us->http, &us->finish, 0);
}

static void
on_restart(struct http_timer *t)
{
	ask(t->ctx);
}

/* Begin again at byte 0 with a new URL, where the source can be read again
 * and it has not failed too often.  The key stays: the plaintext is the
 * same. */
static void
restart(struct push *f, int result)
{
	int64_t pause;

	if (!f->is_file || ++f->restarts > RESTARTS_MAX) {
		finish(f, result);
		return;
	}
	drop_pieces(f);
	api_say("%s; the upload begins anew", err_text());
	free(f->url);
	f->url = NULL;
	f->old_url = 0;
	f->pos = f->acked = f->u->resumed = 0;
	f->asked_again = 0;
	memset(f->held, 0, (size_t)chunk_count(f->u->size));
	f->us->sent -= (unsigned)f->have_token;
	f->whole = f->have_token = 0;
	fingerprint_begin(&f->print, f->u->size);
	/* The first time it may just be too old. */
	if (f->restarts == 1) {
		ask(f);
		return;
	}
	if ((pause = api_pause_ms((unsigned)f->restarts - 1)) < 0) {
		finish(f, result);
		return;
	}
	pace_tell(&f->us->pace, pause, http_now_ms());
	f->timer.fire = on_restart;
	f->timer.ctx = f;
	http_timer_set(f->us->http, &f->timer, pause);
}

/* Reading: the next few chunks, encrypted, as pieces. */

static void
add_piece(struct push *f, struct batch *b, size_t from, size_t n)
{
	struct piece *p = xcalloc(1, sizeof *p);
	struct chunk_sum sum = { 0 };

	p->batch = b;
	p->p = b->p + from;
	p->n = n;
	p->start = b->start + (int64_t)from;
	chunk_sum_add(&sum, p->p, n);
	b64_encode(p->sum, sum.sum, sizeof sum.sum);
	b->pieces++;
	*f->tail = p;
	f->tail = &p->next;
}

/* A batch is complete: encrypt its chunks together and cut it into pieces,
 * small ones at the file's start so that all connections have work. */
static void
seal(struct push *f)
{
	struct chunk_job jobs[BATCH_CHUNKS];
	struct batch *b = f->reading;
	uint64_t first = chunk_index(b->start);
	unsigned n = 0;
	size_t at = 0, from = 0;

	f->reading = NULL;
	fingerprint_add(&f->print, b->p, b->n);
	while (at < b->n) {
		int64_t start = b->start + (int64_t)at;
		size_t len = (size_t)(chunk_end(start, f->u->size) - start);

		jobs[n++] = (struct chunk_job){ .p = b->p + at, .n = len,
		    .start = start };
		at += len;
	}
	chunk_crypt_jobs(&f->aes, f->key.nonce, jobs, n, 1);
	b->pieces++; /* ours, until all are cut */
	for (unsigned i = 0; i < n; i++) {
		size_t end = (size_t)(jobs[i].start - b->start) + jobs[i].n;

		memcpy(f->macs[first + i], jobs[i].mac, 16);
		if (i + 1 == n || jobs[i].n < CHUNK_MAX ||
		    end - from + jobs[i + 1].n > PIECE_MAX) {
			add_piece(f, b, from, end - from);
			from = end;
		}
	}
	if (b->n == 0)
		add_piece(f, b, 0, 0); /* an empty file is one empty POST */
	b->pieces--;
}

/* A source that ends too late is as wrong as one that ends too early. */
static int
check_end(struct push *f)
{
	struct stat now;
	char c;

	if (f->is_file) {
		if (fstat(f->u->fd, &now) == -1)
			return err_local("cannot look at the file again");
		if (now.st_size != f->before.st_size ||
		    now.st_mtim.tv_sec != f->before.st_mtim.tv_sec ||
		    now.st_mtim.tv_nsec != f->before.st_mtim.tv_nsec)
			return err_set(ERR_LOCAL, "changed while it was read");
		return 0;
	}
	for (;;) {
		ssize_t n = read(f->u->fd, &c, 1);

		if (n == 0)
			return 0;
		if (n == 1)
			return err_set(ERR_LOCAL, "the input is longer than "
			    "%lld bytes", (long long)f->u->size);
		if (errno != EINTR)
			return err_local("cannot read");
	}
}

/* Read what a batch still lacks.  1: complete, 0: more will come. */
static int
fill(struct push *f)
{
	struct batch *b = f->reading;

	while (b->have < b->n) {
		ssize_t n = f->is_file ? pread(f->u->fd, b->p + b->have,
		    b->n - b->have, (off_t)(b->start + (int64_t)b->have)) :
		    read(f->u->fd, b->p + b->have, b->n - b->have);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return err_local("cannot read");
		if (n == 0)
			return err_set(ERR_LOCAL, f->is_file ?
			    "changed while it was read" :
			    "the input ended after %lld of %lld bytes",
			    (long long)(b->start + (int64_t)b->have),
			    (long long)f->u->size);
		b->have += (size_t)n;
		if (!f->is_file && b->have < b->n)
			return 0; /* the next read might block */
	}
	return 1;
}

static void
batch_ready(struct push *f)
{
	int r = fill(f);

	if (r == 0)
		return;
	http_watch_clear(f->us->http, &f->watch);
	if (r > 0) {
		f->pos += (int64_t)f->reading->n;
		f->whole = f->pos == f->u->size;
		r = f->whole ? check_end(f) : 0;
	}
	if (r < 0)
		finish(f, r);
	else
		seal(f);
}

static void
on_readable(struct http_watch *w)
{
	struct push *f = w->ctx;
	struct uploads *us = f->us;

	batch_ready(f);
	schedule(us);
}

/* Where a batch from f->pos on ends: a few chunks that the service has not.
 * Moves f->pos over those it has; the last chunk is never one of them. */
static int64_t
batch_end(struct push *f)
{
	int64_t end, size = f->u->size;

	while (f->pos < size && f->held[chunk_index(f->pos)])
		f->pos = chunk_end(f->pos, size);
	end = f->pos;
	for (int i = 0; i < BATCH_CHUNKS && end < size &&
	    !f->held[chunk_index(end)]; i++)
		end = chunk_end(end, size);
	return end;
}

/* Begin to read the next batch, if there is one and memory for it. */
static int
read_more(struct push *f)
{
	struct uploads *us = f->us;
	struct batch *b;
	int64_t end;

	if (f->reading != NULL || f->whole)
		return 0;
	end = batch_end(f);
	if (us->memory > 0 && us->memory + (size_t)(end - f->pos) > MEMORY_MAX)
		return 0;
	b = xcalloc(1, sizeof *b);
	b->start = f->pos;
	b->n = (size_t)(end - f->pos);
	b->p = xmalloc(b->n);
	us->memory += b->n;
	f->reading = b;
	if (f->is_file) {
		batch_ready(f);
		return 1;
	}
	f->watch.fd = f->u->fd;
	f->watch.ready = on_readable;
	f->watch.ctx = f;
	http_watch_set(us->http, &f->watch);
	return 0;
}

/* Sending. */

static int
on_answer(struct http_req *req, const char *data, size_t n)
{
	struct post *p = req->ctx;

	if (n > sizeof p->answer - p->nanswer)
		return err_set(ERR_NET, "a strange answer to a piece of an "
		    "upload");
	memcpy(p->answer + p->nanswer, data, n);
	p->nanswer += n;
	return 0;
}

static void on_posted(struct http_req *req, int result);

/* What one connection may have of the limit: few files do not use them all. */
static int64_t
share_of_rate(const struct uploads *us)
{
	unsigned n = us->count * us->pace.each;

	if (us->o.limit_rate == 0)
		return 0;
	return us->o.limit_rate / (n < us->pace.all_most ? n :
	    us->pace.all_most) + 1;
}

static void
post_start(struct post *p)
{
	struct push *f = p->f;

	buf_reset(&p->url);
	buf_printf(&p->url, "%s/%lld?d=%s", f->url, (long long)p->piece->start,
	    p->piece->sum);
	p->nanswer = 0;
	p->due = 0;
	p->under_way = 1;
	f->us->busy++;
	p->req = (struct http_req){
		.url = buf_str(&p->url),
		.post = 1,
		.body = p->piece->p,
		.bodylen = p->piece->n,
		.data = on_answer,
		.done = on_posted,
		.limit_rate = share_of_rate(f->us),
		.ctx = p,
	};
	http_start(f->us->http, &p->req);
}

static int
has_room(const struct uploads *us)
{
	return us->busy < us->pace.all;
}

static void
on_post_timer(struct http_timer *t)
{
	struct post *p = t->ctx;

	if (has_room(p->f->us))
		post_start(p);
	else
		p->due = 1;
}

static void
post_again(struct post *p, int64_t ms)
{
	p->timer.fire = on_post_timer;
	p->timer.ctx = p;
	http_timer_set(p->f->us->http, &p->timer, ms);
}

static void
post_begin(struct post *p, struct push *f, struct piece *piece)
{
	p->f = f;
	p->piece = piece;
	p->fails = p->busy = p->damaged = 0;
	f->posts++;
	post_start(p);
}

/* No token although everything was sent: the last piece once more. */
static void
on_token_timer(struct http_timer *t)
{
	struct push *f = t->ctx;
	struct uploads *us = f->us;

	if (f->last == NULL || f->asked_again == TOKEN_TRIES) {
		err_set(ERR_NET, "the service gave no token for a complete "
		    "upload");
		restart(f, ERR_NET);
		return;
	}
	for (unsigned i = 0; i < us->pace.all_most; i++) {
		if (us->post[i].f == NULL) {
			struct piece *piece = f->last;

			f->last = NULL;
			f->asked_again++;
			post_begin(&us->post[i], f, piece);
			return;
		}
	}
	http_timer_set(us->http, t, TOKEN_MS);
}

static void put_node(struct push *f);

/* Remember, also for a later run, that the service has these chunks. */
static void
hold(struct push *f, const struct piece *p)
{
	int64_t at = p->start, end = p->start + (int64_t)p->n;

	for (; at < end; at = chunk_end(at, f->u->size)) {
		uint64_t i = chunk_index(at);

		f->held[i] = 1;
		resume_chunk(&f->resume, i, f->macs[i]);
	}
}

/* A piece is with the service. */
static void
acknowledged(struct post *p)
{
	struct push *f = p->f;
	struct uploads *us = f->us;

	if (f->asked_again == 0) {
		f->acked += (int64_t)p->piece->n;
		hold(f, p->piece);
		pace_moved(&us->pace, (int64_t)p->piece->n);
		if (us->o.moved != NULL)
			us->o.moved(us->o.ctx, (int64_t)p->piece->n);
	}
	if (f->acked >= f->u->size && !f->have_token) {
		f->last = p->piece;
		p->piece = NULL;
		f->timer.fire = on_token_timer;
		f->timer.ctx = f;
		http_timer_set(us->http, &f->timer, TOKEN_MS);
	}
	post_stop(p);
}

static void
take_token(struct post *p)
{
	struct push *f = p->f;

	if (!f->whole || f->pieces != NULL) {
		finish(f, err_set(ERR_PROTO, "the service called the upload "
		    "complete before it was"));
		return;
	}
	b64_encode(f->token, p->answer, TOKEN_SIZE);
	f->have_token = 1;
	f->us->sent++;
	linger(f->us, f->u->api);
	acknowledged(p);
	/* Other connections may still be busy with pieces that the service
	 * has got after all. */
	drop_pieces(f);
	put_node(f);
}

/* The service, or the way to it, has trouble: later, and with fewer
 * connections. */
static void
post_pause(struct post *p, int64_t ms)
{
	struct uploads *us = p->f->us;

	pace_failed(&us->pace, us->busy + 1, http_now_ms());
	pace_tell(&us->pace, ms, http_now_ms());
	post_again(p, ms);
}

/* An error number instead of an answer. */
static void
refused(struct post *p)
{
	struct push *f = p->f;
	char text[sizeof p->answer + 1];
	long code;

	memcpy(text, p->answer, p->nanswer);
	text[p->nanswer] = '\0';
	code = strtol(text, NULL, 10);
	err_set(ERR_NET, "the service answered %ld to a piece of the upload",
	    code);
	if (code == ERR_KEY && ++p->damaged <= DAMAGED_MAX) {
		post_again(p, 0); /* damaged on the way */
	} else if (code == ERR_AGAIN && ++p->busy <= BUSY_MAX) {
		post_pause(p, 500 << p->busy);
	} else if (code == ERR_INTERNAL || code == ERR_NOENT ||
	    code == ERR_ACCESS || code == ERR_BLOCKED) {
		finish(f, err_service((int)code));
	} else {
		restart(f, ERR_NET);
	}
}

static void
failed(struct post *p)
{
	int64_t pause = api_pause_ms(++p->fails);

	if (pause < 0) {
		finish(p->f, ERR_NET);
		return;
	}
	if (p->req.status == 403 || p->req.status == 404 ||
	    (p->f->old_url && p->fails == OLD_URL_FAILS)) {
		restart(p->f, ERR_NET);
		return;
	}
	post_pause(p, pause);
}

static void
on_posted(struct http_req *req, int result)
{
	struct post *p = req->ctx;
	struct push *f = p->f;
	struct uploads *us = f->us;

	request_stop(p);
	if (result == 0 && req->status != 200)
		result = err_set(ERR_NET, "HTTP status %d for a piece of the "
		    "upload", req->status);
	if (result == 0)
		f->old_url = 0;
	if (result < 0)
		failed(p);
	else if (p->nanswer == TOKEN_SIZE)
		take_token(p);
	else if (p->nanswer == 0 || (p->nanswer == 1 && p->answer[0] == '0'))
		acknowledged(p);
	else
		refused(p);
	schedule(us);
}

static int
give_work(struct uploads *us, struct post *p)
{
	for (struct push *f = us->list; f != NULL; f = f->next) {
		struct piece *piece = f->pieces;

		if (f->url == NULL || piece == NULL ||
		    f->posts >= us->pace.each)
			continue;
		f->pieces = piece->next;
		if (f->pieces == NULL)
			f->tail = &f->pieces;
		piece->next = NULL;
		post_begin(p, f, piece);
		return 1;
	}
	return 0;
}

static void
give_all(struct uploads *us)
{
	for (unsigned i = 0; i < us->pace.all_most; i++)
		if (us->post[i].due && has_room(us))
			post_start(&us->post[i]);
	for (unsigned i = 0; i < us->pace.all_most && has_room(us); i++)
		if (us->post[i].f == NULL && !give_work(us, &us->post[i]))
			break;
}

static void
on_look(struct http_timer *t)
{
	struct uploads *us = t->ctx;

	pace_look(&us->pace, us->busy, http_now_ms());
	schedule(us);
}

/* Read for the files at the front, as far as memory goes, then send. */
static void
schedule(struct uploads *us)
{
	struct push *f, *next;

	give_all(us);
	for (f = us->list; f != NULL; f = next) {
		next = f->next;
		if (f->url == NULL || f->have_token)
			continue;
		/* One batch ahead of the connections is enough. */
		while (f->pieces == NULL && read_more(f) && f->error == 0)
			give_all(us);
	}
	if (us->busy > 0 && !us->look.set) {
		us->look.fire = on_look;
		us->look.ctx = us;
		http_timer_set(us->http, &us->look, PACE_MS);
	}
}

/* The state for a later run: begun with the URL. */
static void
begin_state(struct push *f)
{
	struct resume_head head = { .url = "" };

	if (strlen(f->url) > RESUME_URL_MAX)
		return;
	memcpy(head.url, f->url, strlen(f->url) + 1);
	memcpy(head.key, f->key.key, sizeof head.key);
	memcpy(head.nonce, f->key.nonce, sizeof head.nonce);
	resume_begin(&f->resume, &head);
	secret_zero(&head, sizeof head);
}

/* Go on from the state that an earlier run left, if it did. */
static void
load_state(struct push *f)
{
	static const uint8_t none[16];
	uint64_t n = chunk_count(f->u->size);
	struct resume_head head;
	int r;

	if (f->u->state == NULL || !f->is_file || n <= BATCH_CHUNKS)
		return;
	r = resume_open(&f->resume, f->u->state, n, &head, f->macs);
	if (r == 1 && http_check_data_url(head.url, strlen(head.url)) == 0) {
		f->url = xstrdup(head.url);
		f->old_url = 1;
		memcpy(f->key.key, head.key, sizeof head.key);
		memcpy(f->key.nonce, head.nonce, sizeof head.nonce);
		for (uint64_t i = 0; i + 1 < n; i++) {
			f->held[i] = memcmp(f->macs[i], none, 16) != 0;
			if (f->held[i])
				f->u->resumed += chunk_start(i + 1) -
				    chunk_start(i);
		}
		f->acked = f->u->resumed;
		api_say_more("%lld of %lld bytes have been sent already",
		    (long long)f->acked, (long long)f->u->size);
		if (f->us->o.moved != NULL)
			f->us->o.moved(f->us->o.ctx, f->acked);
	}
	secret_zero(&head, sizeof head);
}

/* "u": where to send it. */

struct u {
	struct slice url;
};

static const struct shape u_shape[] = {
	SHAPE(u, url, "p", SHAPE_TEXT, SHAPE_REQUIRED, 1, 2048),
	SHAPE_END
};

/* What the service says against an upload, in our words. */
static int
refuse(int code)
{
	if (code == ERR_OVERQUOTA || code == ERR_GOINGOVERQUOTA) {
		err_service(code);
		return err_set(ERR_STORAGE, "storage is full");
	}
	if (code == ERR_NOENT)
		return err_set(code, "the folder to put it into does not "
		    "exist");
	return err_service(code);
}

static void
on_url(struct api_cmd *c, struct json *j, int v, int err)
{
	struct push *f = c->ctx;
	struct uploads *us = f->us;
	struct u u = { { NULL, 0 } };
	int r = err;

	if (r < 0 && r > ERR_PROTO)
		r = refuse(r);
	if (r == 0)
		r = shape_read("reply to \"u\"", u_shape, j, v, &u);
	if (r == 0)
		r = http_check_data_url(u.url.p, u.url.n);
	if (r == 0) {
		f->url = xstrndup(u.url.p, u.url.n);
		begin_state(f);
	} else {
		finish(f, r);
	}
	schedule(us);
}

static void
ask(struct push *f)
{
	struct json_out o;

	f->cmd = (struct api_cmd){ .done = on_url, .ctx = f };
	o = api_begin(&f->cmd, "u");
	json_put_int(&o, "s", f->u->size);
	json_put_int(&o, "ssl", f->us->o.plain_http ? 0 : 2);
	json_put_int(&o, "v", 2);
	json_put_int(&o, "ms", 0);
	json_put_int(&o, "r", f->restarts);
	json_put_int(&o, "e", 0);
	api_send(f->u->api, &f->cmd, &o);
}

/* "p": make the node. */

struct p_reply {
	int f;
};

static const struct shape p_shape[] = {
	SHAPE(p_reply, f, "f", SHAPE_ARRAY, SHAPE_REQUIRED, 1, 16),
	SHAPE_END
};

struct p_node {
	char h[9];
};

static const struct shape node_shape[] = {
	SHAPE(p_node, h, "h", SHAPE_HANDLE, SHAPE_REQUIRED, 0, 8),
	SHAPE_END
};

static void
on_node(struct api_cmd *c, struct json *j, int v, int err)
{
	struct push *f = c->ctx;
	struct uploads *us = f->us;
	struct p_reply p = { -1 };
	struct p_node n = { "" };
	int r = err;

	if (r == ERR_NOENT && f->is_file && f->restarts == 0) {
		/* Either the token is not known or the folder is not. */
		refuse(r);
		restart(f, r);
		return;
	}
	if (r < 0 && r > ERR_PROTO)
		r = refuse(r);
	if (r == 0)
		r = shape_read("reply to \"p\"", p_shape, j, v, &p);
	if (r == 0)
		r = shape_read("reply to \"p\": node", node_shape, j,
		    json_first(j, p.f), &n);
	if (r == 0) {
		memcpy(f->u->handle, n.h, sizeof n.h);
		f->reply = j;
		f->nodes = p.f;
		resume_end(&f->resume);
	}
	take_out(f, r);
	report(f);
	schedule(us);
}

static int
set_fingerprint(struct push *f)
{
	struct fingerprint fp = { .size = f->u->size, .mtime = f->u->mtime };
	char text[FINGERPRINT_TEXT_MAX];
	int r;

	if (fp.mtime < 0)
		fp.mtime = (int64_t)time(NULL);
	/* Of a resumed file not all has passed by. */
	if (f->u->resumed == 0)
		fingerprint_end(&f->print, fp.crc);
	else if ((r = fingerprint_fd(fp.crc, f->u->fd, fp.size, 0)) < 0)
		return r;
	fingerprint_print(text, &fp);
	attr_set(&f->u->attr, "c", text, strlen(text));
	return 0;
}

static void
put_node(struct push *f)
{
	struct upload *u = f->u;
	struct buf a = BUF_MAX(2 * ATTR_MAX);
	struct json_out o;
	uint8_t wrapped[KEY_FILE_SIZE];
	struct share_node node = { .h = "", .key = u->key,
	    .keylen = KEY_FILE_SIZE };
	int r;

	chunk_condense(f->key.mac, &f->aes, (const uint8_t (*)[16])f->macs,
	    chunk_count(u->size));
	key_pack_file(u->key, &f->key);
	key_wrap(wrapped, u->key, sizeof wrapped, u->master);
	if ((r = set_fingerprint(f)) < 0 ||
	    (r = attr_seal(&u->attr, &a, f->key.key)) < 0) {
		finish(f, r);
		goto out;
	}
	f->cmd = (struct api_cmd){ .done = on_node, .ctx = f };
	o = api_begin(&f->cmd, "p");
	json_put(&o, "t", u->parent);
	if (u->replaces[0] != '\0')
		json_put_int(&o, "vb", !u->drop_old);
	json_open(&o, "n", '[');
	json_open(&o, NULL, '{');
	json_put(&o, "h", f->token);
	json_put_int(&o, "t", 0);
	json_put_n(&o, "a", a.p, a.len);
	if (!u->by_share)
		json_put_b64(&o, "k", wrapped, sizeof wrapped);
	if (u->replaces[0] != '\0')
		json_put(&o, "ov", u->replaces);
	json_close(&o, '}');
	json_close(&o, ']');
	share_put_cr(&o, u->shares, u->nshares, &node, 1);
	api_send(u->api, &f->cmd, &o);
out:
	buf_free(&a);
}

void
uploads_add(struct uploads *us, struct upload *u)
{
	struct push *f = xcalloc(1, sizeof *f);

	f->u = u;
	f->us = us;
	f->tail = &f->pieces;
	f->nodes = -1;
	f->is_file = fstat(u->fd, &f->before) == 0 &&
	    S_ISREG(f->before.st_mode) && f->before.st_size == u->size &&
	    lseek(u->fd, 0, SEEK_CUR) == 0;
	key_new_file(&f->key);
	f->macs = xcalloc((size_t)chunk_count(u->size), 16);
	f->held = xcalloc((size_t)chunk_count(u->size), 1);
	fingerprint_begin(&f->print, u->size);
	u->push = f;
	*us->tail = f;
	us->tail = &f->next;
	us->count++;
	linger(us, u->api);
	load_state(f);
	aes_init(&f->aes, f->key.key);
	if (f->url != NULL)
		schedule(us);
	else
		ask(f);
}
