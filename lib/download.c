#include <stdlib.h>
#include <string.h>

#include "aes.h"
#include "b64.h"
#include "download.h"
#include "err.h"
#include "fingerprint.h"
#include "mem.h"
#include "pace.h"
#include "partial.h"
#include "parts.h"
#include "secret.h"
#include "shape.h"

#define SLOT_SIZE    CHUNK_MAX       /* of a chunk's buffer */
#define SLOT_SMALL   CHUNK_UNIT      /* of a small file's */
#define LARGE_USUAL  8               /* connections with large buffers */
#define LARGE_MOST   16              /* where the user wants more */
#define LANE_SLOTS   4               /* large buffers beside theirs */
#define RUN_MAX      16              /* chunks of one request */
#define SET_MIN      4               /* fewer chunks are slow to decrypt */
#define AHEAD        192             /* files begun at a time */
#define MANY         24              /* files: their requests may gather */
#define LINGER_MS    100
#define BURST_US     200000          /* of the limit's allowance is kept */
#define PROGRESS_MIN 4096            /* bytes of a request that failed */
#define FAILS_FRESH  4               /* after so many, a new URL */
#define PAUSE_URL_MS 250             /* while a new URL is asked for */
#define QUOTA_DEFAULT_S 3600         /* where a 509 does not say */

enum { ABSENT, WANTED, FETCHED };    /* state of a unit; by chunks, those
                                      * that nobody asks for are FETCHED */

/* A buffer for one unit while it arrives and until it is written. */
struct slot {
	struct slot *next;
	uint64_t unit;
	size_t have, want;
	int small;
	uint8_t *p;
};

/* A run of units on its way: by one connection, or several for the parts of
 * a file. */
struct pull {
	struct http_req req;
	struct parts *parts;         /* NULL: req */
	struct http_timer timer;
	struct fetch *f;             /* NULL: idle */
	uint64_t unit, end;          /* under way, and the run's end */
	struct slot *slot;           /* of unit; NULL between units */
	struct buf url;
	unsigned fails;              /* in a row */
	int64_t got;                 /* bytes by this request */
	unsigned busy;               /* connections that it uses */
	int due;                     /* it waits for some */
};

/* What a download needs while it is under way. */
struct fetch {
	struct download *d;
	struct downloads *ds;
	struct fetch *next;
	struct api_cmd cmd;
	struct filekey key;
	struct aes aes;
	char *url[RAID_PARTS];       /* the first alone, or all */
	int spare;                   /* of six parts, the worst so far */
	int asking;                  /* g is under way */
	int waiting;                 /* for quota, and then g again */
	int known;                   /* g has told size and attributes */
	struct http_timer timer;     /* set: g again, it is not available */
	unsigned refusals;           /* in a row, for that reason */
	int over;                    /* finished, but not yet told */
	int64_t from, to;            /* bytes to fetch, from on a block */
	uint64_t units, missing;     /* how many; how many not yet FETCHED */
	uint64_t next_unit;          /* none before it is ABSENT */
	uint64_t emitted;            /* in order: the next one to emit */
	uint8_t *state;
	uint8_t (*macs)[16];
	struct slot *ready;          /* whole, not yet decrypted */
	unsigned nready;
	struct slot *held;           /* decrypted, waiting for their turn */
	unsigned pulls;
	int again;                   /* the file is fetched a second time */
	int error;
	struct err_kept *kept;       /* error's text and what belongs to it */
};

struct downloads {
	struct http *http;
	struct download_options o;
	struct fetch *list, **tail;
	unsigned count;
	unsigned busy;               /* connections in use */
	struct pace pace;
	struct http_timer look;      /* set: the next look at it */
	struct pull pull[PACE_MAX];
	unsigned large;              /* connections with large buffers */
	struct slot *free[2];        /* large ones, small ones */
	unsigned slots, slots_max;   /* large ones made, and the most */
	int64_t due_us;              /* when the limit allows more */
	struct http_timer quota;     /* set: all wait for it */
	int64_t waited;              /* seconds, for it, so far */
	struct http_timer wanted;    /* set: give out work */
	struct http_timer finish;    /* finished ones are reported from it */
	struct fetch *finished;
};

static void schedule(struct downloads *ds);
static void ask(struct fetch *f);
static int flush(struct fetch *f);

struct downloads *
downloads_new(struct http *h, const struct download_options *o)
{
	struct downloads *ds = xcalloc(1, sizeof *ds);

	ds->http = h;
	ds->o = *o;
	ds->tail = &ds->list;
	pace_init(&ds->pace, o->connections, http_now_ms());
	ds->slots_max = LANE_SLOTS + (o->connections < LARGE_USUAL ?
	    LARGE_USUAL : o->connections > LARGE_MOST ? LARGE_MOST :
	    o->connections);
	for (unsigned i = 0; i < ds->pace.all_most; i++)
		buf_init(&ds->pull[i].url, 4096);
	return ds;
}

void
downloads_free(struct downloads *ds)
{
	if (ds == NULL)
		return;
	http_timer_clear(ds->http, &ds->quota);
	http_timer_clear(ds->http, &ds->finish);
	http_timer_clear(ds->http, &ds->wanted);
	http_timer_clear(ds->http, &ds->look);
	for (unsigned i = 0; i < ds->pace.all_most; i++)
		buf_wipe(&ds->pull[i].url);
	for (int small = 0; small < 2; small++) {
		while (ds->free[small] != NULL) {
			struct slot *s = ds->free[small];

			ds->free[small] = s->next;
			free(s->p);
			free(s);
		}
	}
	free(ds);
}

unsigned
downloads_count(const struct downloads *ds)
{
	return ds->count;
}

int
downloads_want(const struct downloads *ds)
{
	return ds->count < AHEAD;
}

void
downloads_run(struct downloads *ds)
{
	while (ds->count > 0)
		http_turn(ds->http, -1);
}

/*
 * Units: what a slot holds.  A whole file's are its chunks; of a part of a
 * file, which has no MAC, they are blocks of SLOT_SIZE.
 */
static int
is_part(const struct fetch *f)
{
	return f->d->to > 0;
}

static int64_t
unit_start(const struct fetch *f, uint64_t i)
{
	return is_part(f) ? f->from + (int64_t)i * SLOT_SIZE : chunk_start(i);
}

static int64_t
unit_end(const struct fetch *f, uint64_t i)
{
	int64_t end = is_part(f) ? unit_start(f, i) + SLOT_SIZE :
	    chunk_start(i + 1);

	return end < f->to ? end : f->to;
}

static uint64_t
unit_count(const struct fetch *f)
{
	if (!is_part(f))
		return chunk_count(f->to);
	return (uint64_t)(f->to - f->from + SLOT_SIZE - 1) / SLOT_SIZE;
}

/* Whether the caller says which chunks it needs. */
static int
by_chunks(const struct fetch *f)
{
	return f->d->chunk != NULL;
}

/* Whether all of the file fits into a small buffer. */
static int
is_small(const struct fetch *f)
{
	return f->to - f->from <= SLOT_SMALL;
}

/* Whether it comes in parts. */
static int
in_parts(const struct fetch *f)
{
	return f->url[1] != NULL;
}

/* The connections that a run takes. */
static unsigned
need(const struct fetch *f)
{
	return in_parts(f) ? PARTS_CONNECTIONS : 1;
}

/* The ends of a download. */

static void
forget_urls(struct fetch *f)
{
	for (int i = 0; i < RAID_PARTS; i++) {
		free(f->url[i]);
		f->url[i] = NULL;
	}
}

static void
free_slot(struct downloads *ds, struct slot *s)
{
	s->next = ds->free[s->small];
	ds->free[s->small] = s;
}

static void
free_slots(struct downloads *ds, struct slot **list)
{
	while (*list != NULL) {
		struct slot *s = *list;

		*list = s->next;
		free_slot(ds, s);
	}
}

/* End the request, if one is under way. */
static void
request_stop(struct pull *p)
{
	http_cancel(&p->req);
	if (p->parts != NULL)
		p->f->spare = parts_spare(p->parts);
	parts_free(p->parts);
	p->parts = NULL;
	p->f->ds->busy -= p->busy;
	p->busy = 0;
}

static void
pull_stop(struct pull *p)
{
	request_stop(p);
	http_timer_clear(p->f->ds->http, &p->timer);
	if (p->slot != NULL)
		free_slot(p->f->ds, p->slot);
	p->slot = NULL;
	p->f->ds->large -= !is_small(p->f);
	p->due = 0;
	p->f->pulls--;
	p->f = NULL;
}

static void
fetch_free(struct fetch *f)
{
	aes_wipe(&f->aes);
	secret_zero(&f->key, sizeof f->key);
	forget_urls(f);
	free(f->state);
	free(f->macs);
	free(f->kept);
	free(f);
}

/* With a long list, requests of several files go together. */
static void
linger(const struct downloads *ds, const struct download *d)
{
	if (d->chunk == NULL)
		api_linger(d->api, ds->count >= MANY ? LINGER_MS : 0);
}

static void
on_finish(struct http_timer *t)
{
	struct downloads *ds = t->ctx;
	struct fetch **at = &ds->finished;

	while (*at != NULL) {
		struct fetch *f = *at;
		struct download *d = f->d;
		struct attr attr = d->attr;
		int r = f->error;

		if (f->asking) {
			at = &f->next; /* its answer comes first */
			continue;
		}
		*at = f->next;
		if (r < 0)
			err_again(r, f->kept);
		fetch_free(f);
		ds->count--;
		linger(ds, d);
		d->fetch = NULL;
		secret_zero(d->key, sizeof d->key);
		d->done(d, r); /* d may be gone */
		attr_free(&attr);
	}
	schedule(ds);
}

static void
finish_soon(struct downloads *ds)
{
	ds->finish.fire = on_finish;
	ds->finish.ctx = ds;
	http_timer_set(ds->http, &ds->finish, 0);
}

/* Take a download out; its done is called from the loop, never from inside
 * one of its own callbacks. */
static void
finish(struct fetch *f, int result)
{
	struct downloads *ds = f->ds;
	struct fetch **at = &ds->list;

	f->over = 1;
	http_timer_clear(ds->http, &f->timer);
	f->error = result;
	free(f->kept);
	f->kept = err_keep();
	for (unsigned i = 0; i < ds->pace.all_most; i++)
		if (ds->pull[i].f == f)
			pull_stop(&ds->pull[i]);
	/* A later run need not fetch what has come whole. */
	if (f->d->out != NULL && f->nready > 0)
		flush(f);
	free_slots(ds, &f->ready);
	free_slots(ds, &f->held);
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	if (ds->tail == &f->next)
		ds->tail = at;
	f->next = ds->finished;
	ds->finished = f;
	finish_soon(ds);
}

/* The record of what is there, for a later run. */
static struct partial
partial(struct fetch *f)
{
	return (struct partial){ .out = f->d->out, .key = &f->key,
	    .aes = &f->aes, .size = f->to, .macs = f->macs };
}

/* Take over what an earlier run left. */
static int
resume(struct fetch *f)
{
	struct partial p = partial(f);
	int r;

	if ((r = partial_resume(&p)) < 0)
		return r;
	for (uint64_t i = 0; i < f->units; i++) {
		if (!partial_has(f->macs[i]))
			continue;
		f->state[i] = FETCHED;
		f->missing--;
		f->d->resumed += unit_end(f, i) - unit_start(f, i);
	}
	if (f->d->resumed > 0)
		api_say_more("%lld of %lld bytes are here already",
		    (long long)f->d->resumed, (long long)f->to);
	if (f->ds->o.moved != NULL)
		f->ds->o.moved(f->ds->o.ctx, f->d->resumed);
	return 0;
}

/* The same for a file that is fetched once more from its start. */
static int
begin_again(struct fetch *f)
{
	struct partial p = partial(f);

	f->again = 1;
	f->missing = f->units;
	f->next_unit = 0;
	memset(f->state, ABSENT, (size_t)f->units);
	memset(f->macs, 0, (size_t)f->units * 16);
	return partial_begin(&p);
}

/* Data: slots that are whole are decrypted together, then written. */

/* Remember what has gone wrong; schedule ends the download. */
static int
fail(struct fetch *f, int r)
{
	if (f->error == 0) {
		f->error = r;
		f->kept = err_keep();
	}
	return r;
}

/* Pass one unit on.  A part starts on a block: what is before its first
 * byte is left out. */
static int
emit(struct fetch *f, const struct slot *s)
{
	size_t skip = is_part(f) && s->unit == 0 ?
	    (size_t)(f->d->from - f->from) : 0;

	return f->d->emit(f->d, s->p + skip, s->want - skip);
}

/* Pass on, in order, what has been waiting for its turn. */
static int
emit_held(struct fetch *f)
{
	struct slot **at = &f->held, *s;
	int r;

	while ((s = *at) != NULL) {
		if (s->unit != f->emitted) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		r = emit(f, s);
		free_slot(f->ds, s);
		if (r < 0)
			return r;
		f->emitted++;
		at = &f->held;
	}
	return 0;
}

/* A unit is decrypted: where does it go? */
static int
pass_on(struct fetch *f, struct slot *s, const struct chunk_job *job)
{
	struct download *d = f->d;
	struct partial p;
	int r;

	if (by_chunks(f)) {
		r = d->chunk(d, s->unit, s->p, s->want, job->mac);
		free_slot(f->ds, s);
		return r;
	}
	if (!is_part(f))
		memcpy(f->macs[s->unit], job->mac, 16);
	if (d->out == NULL) {
		s->next = f->held;
		f->held = s;
		return 0;
	}
	p = partial(f);
	if ((r = out_write(d->out, s->p, s->want, job->start)) == 0)
		r = partial_add(&p, s->unit);
	free_slot(f->ds, s);
	return r;
}

/* Decrypt the ready slots of a file and pass them on.  From a failure on the
 * file is not to be trusted, whatever its MACs say. */
static int
flush(struct fetch *f)
{
	struct chunk_job jobs[AES_LANES_MAX];
	struct slot *slots[AES_LANES_MAX], *s;
	unsigned n = 0;
	int r = 0;

	for (s = f->ready; s != NULL; s = s->next) {
		slots[n] = s;
		jobs[n++] = (struct chunk_job){ .p = s->p, .n = s->want,
		    .start = unit_start(f, s->unit) };
	}
	f->ready = NULL;
	f->nready = 0;
	if (is_part(f))
		for (unsigned i = 0; i < n; i++)
			aes_ctr(&f->aes, jobs[i].p, jobs[i].p, jobs[i].n,
			    f->key.nonce, (uint64_t)jobs[i].start / 16);
	else
		chunk_crypt_jobs(&f->aes, f->key.nonce, jobs, n, 0);
	for (unsigned i = 0; i < n; i++) {
		f->state[slots[i]->unit] = FETCHED;
		f->missing--;
		if (r == 0)
			r = pass_on(f, slots[i], &jobs[i]);
		else
			free_slot(f->ds, slots[i]);
	}
	if (r == 0 && f->d->emit != NULL)
		r = emit_held(f);
	return r < 0 ? fail(f, r) : 0;
}

static struct slot *
new_slot(struct downloads *ds, int small)
{
	struct slot *s = ds->free[small];

	if (s != NULL) {
		ds->free[small] = s->next;
		return s;
	}
	ds->slots += !small;
	s = xcalloc(1, sizeof *s);
	s->small = small;
	s->p = xmalloc(small ? SLOT_SMALL : SLOT_SIZE);
	return s;
}

/* Decrypt and write what other files have ready, so that their buffers come
 * free.  A failure is theirs, and reported when the loop is out of libcurl. */
static void
flush_others(struct downloads *ds, const struct fetch *but)
{
	for (struct fetch *f = ds->list; f != NULL; f = f->next)
		if (f != but && f->nready > 0 && f->error == 0)
			flush(f);
}

/* Give a connection a buffer for its next unit. */
static int
give_slot(struct pull *p)
{
	struct downloads *ds = p->f->ds;
	struct slot *s;
	int r, small = is_small(p->f);

	if (!small && ds->free[0] == NULL && ds->slots >= ds->slots_max) {
		flush_others(ds, p->f);
		if (p->f->nready > 0 && (r = flush(p->f)) < 0)
			return r;
	}
	s = new_slot(ds, small);
	s->unit = p->unit;
	s->have = 0;
	s->want = (size_t)(unit_end(p->f, p->unit) - unit_start(p->f,
	    p->unit));
	p->slot = s;
	return 0;
}

/* How many units are worth waiting for: a full set of lanes, but no more than
 * connections bring in one go, since what waits is lost if we are killed. */
static unsigned
full_set(const struct fetch *f)
{
	unsigned n = f->pulls < SET_MIN ? SET_MIN : f->pulls;

	return n < aes_lanes() ? n : aes_lanes();
}

/* A unit has arrived whole.  Wait for a full set, unless the rest is here or
 * the output waits for just this one. */
static int
take_unit(struct pull *p)
{
	struct fetch *f = p->f;
	int next = by_chunks(f) ? p->unit == f->d->urgent :
	    f->d->out == NULL && p->unit == f->emitted;

	p->slot->next = f->ready;
	f->ready = p->slot;
	p->slot = NULL;
	p->unit++;
	if (++f->nready < full_set(f) && f->missing > f->nready && !next)
		return 0;
	return flush(f);
}

static void
request_pause(struct pull *p, int pause)
{
	if (p->parts != NULL)
		parts_pause(p->parts, pause);
	else
		http_pause(&p->req, pause);
}

static void
on_allowed(struct http_timer *t)
{
	request_pause(t->ctx, 0);
}

/* Keep to the limit of all connections together: whoever brings more than is
 * allowed by now has to pause.  (libcurl's own limit is for each connection,
 * and begins anew with each request.) */
static void
throttle(struct pull *p, size_t n)
{
	struct downloads *ds = p->f->ds;
	int64_t now = http_now_ms() * 1000;

	if (ds->o.limit_rate == 0)
		return;
	if (ds->due_us < now - BURST_US)
		ds->due_us = now - BURST_US;
	ds->due_us += (int64_t)n * 1000000 / ds->o.limit_rate;
	if (ds->due_us <= now)
		return;
	request_pause(p, 1);
	p->timer.fire = on_allowed;
	p->timer.ctx = p;
	http_timer_set(ds->http, &p->timer, (ds->due_us - now) / 1000 + 1);
}

/* What ends a request that has brought all it should. */
#define ENOUGH 1

static int
take_data(void *ctx, const uint8_t *data, size_t n)
{
	struct pull *p = ctx;
	struct fetch *f = p->f;
	int r;

	pace_moved(&f->ds->pace, (int64_t)n);
	if (f->ds->o.moved != NULL)
		f->ds->o.moved(f->ds->o.ctx, (int64_t)n);
	throttle(p, n);
	while (n > 0 && p->unit < p->end) {
		size_t take;

		if (p->slot == NULL && (r = give_slot(p)) < 0)
			return r;
		take = p->slot->want - p->slot->have;
		if (take > n)
			take = n;
		memcpy(p->slot->p + p->slot->have, data, take);
		p->slot->have += take;
		p->got += (int64_t)take;
		data += take;
		n -= take;
		if (p->slot->have == p->slot->want && (r = take_unit(p)) < 0)
			return r;
	}
	return n > 0 ? ENOUGH : 0;
}

static int
on_data(struct http_req *req, const char *data, size_t n)
{
	return take_data(req->ctx, (const uint8_t *)data, n);
}

/* Units that a connection will not bring are wanted from others again. */
static void
give_back(struct pull *p)
{
	struct fetch *f = p->f;

	for (uint64_t i = p->unit; i < p->end; i++)
		f->state[i] = ABSENT;
	if (p->unit < f->next_unit)
		f->next_unit = p->unit;
	pull_stop(p);
}

static void on_pulled(void *ctx, int result, const struct http_req *req);

static void
on_done(struct http_req *req, int result)
{
	on_pulled(req->ctx, result, req);
}

static void
pull_start(struct pull *p)
{
	struct fetch *f = p->f;
	int64_t from = unit_start(f, p->unit), to = unit_end(f, p->end - 1);

	if (p->slot != NULL)
		from += (int64_t)p->slot->have;
	p->got = 0;
	p->due = 0;
	p->busy = need(f);
	f->ds->busy += p->busy;
	if (in_parts(f)) {
		p->parts = parts_start(&(struct parts_job){
			.http = f->ds->http,
			.url = f->url,
			.size = f->d->size,
			.from = from,
			.to = to,
			.spare = f->spare,
			.data = take_data,
			.done = on_pulled,
			.ctx = p,
		});
		return;
	}
	buf_reset(&p->url);
	buf_printf(&p->url, "%s/%lld-%lld", f->url[0], (long long)from,
	    (long long)(to - 1));
	p->req = (struct http_req){
		.url = buf_str(&p->url),
		.want = to - from,
		.data = on_data,
		.done = on_done,
		.ctx = p,
	};
	http_start(f->ds->http, &p->req);
}

/* Whether there are connections for a run of this file. */
static int
has_room(const struct fetch *f)
{
	const struct downloads *ds = f->ds;

	return ds->busy == 0 || ds->busy + need(f) <= ds->pace.all;
}

static void
on_pull_timer(struct http_timer *t)
{
	struct pull *p = t->ctx;

	/* While a new URL is asked for, wait on. */
	if (p->f->url[0] == NULL)
		http_timer_set(p->f->ds->http, t, PAUSE_URL_MS);
	else if (!has_room(p->f))
		p->due = 1;
	else
		pull_start(p);
}

static void
pull_later(struct pull *p, int64_t ms)
{
	pace_tell(&p->f->ds->pace, ms, http_now_ms());
	p->timer.fire = on_pull_timer;
	p->timer.ctx = p;
	http_timer_set(p->f->ds->http, &p->timer, ms);
}

/* The service wants everybody to wait. */
static void
on_quota_over(struct http_timer *t)
{
	struct downloads *ds = t->ctx;

	for (struct fetch *f = ds->list; f != NULL; f = f->next) {
		if (f->waiting) {
			f->waiting = 0;
			ask(f);
		}
	}
	schedule(ds);
}

/* The transfer quota is used up: 0 if all wait for it now, or ERR_QUOTA if
 * that would be longer than we may. */
static int
wait_for_quota(struct downloads *ds, int64_t left)
{
	if (left <= 0)
		left = QUOTA_DEFAULT_S;
	if (ds->quota.set)
		return 0;
	if (left > ds->o.wait_max - ds->waited) {
		err_set(ERR_QUOTA, "transfer quota used up; %lld seconds left",
		    (long long)left);
		err_set_retry_after(left);
		return ERR_QUOTA;
	}
	ds->waited += left;
	api_say("transfer quota used up; waiting %lld seconds",
	    (long long)left);
	ds->quota.fire = on_quota_over;
	ds->quota.ctx = ds;
	http_timer_set(ds->http, &ds->quota, left * 1000);
	return 0;
}

static void
over_quota(struct pull *p, int64_t left)
{
	struct fetch *f = p->f;

	err_set(ERR_QUOTA, "transfer quota used up");
	pace_failed(&f->ds->pace, f->ds->busy + need(f), http_now_ms());
	if (wait_for_quota(f->ds, left) < 0)
		finish(f, ERR_QUOTA);
	else
		give_back(p);
}

/* A request ended early or not at all well: go on from where it was. */
static void
retry(struct pull *p, int status)
{
	struct fetch *f = p->f;
	int64_t pause;

	pace_failed(&f->ds->pace, f->ds->busy + need(f), http_now_ms());
	p->fails = p->got >= PROGRESS_MIN ? 1 : p->fails + 1;
	if ((pause = api_pause_ms(p->fails)) < 0) {
		finish(f, ERR_NET);
		return;
	}
	if (status == 403 || status == 404 || p->fails % FAILS_FRESH == 0) {
		forget_urls(f);
		ask(f);
	}
	pull_later(p, pause);
}

static void
on_pulled(void *ctx, int result, const struct http_req *req)
{
	struct pull *p = ctx;
	struct fetch *f = p->f;
	struct downloads *ds = f->ds;
	int status = req->status;
	int64_t left = req->time_left;

	request_stop(p); /* and req may be gone */
	if (result < 0 && result != ERR_NET)
		fail(f, result);
	if (p->unit == p->end || f->error < 0) {
		pull_stop(p);
		schedule(ds);
		return;
	}
	if (result == 0 && status == 509) {
		over_quota(p, left);
		return;
	}
	if (result == 0)
		err_set(ERR_NET, status == 200 || status == 206 ?
		    "the data ends too early" : "HTTP status %d for the data",
		    status);
	retry(p, status);
	schedule(ds);
}

/* All units are there: is it the right file? */
static void
verify(struct fetch *f)
{
	int r;

	if (is_part(f)) {
		finish(f, 0);
		return;
	}
	r = chunk_verify(f->key.mac, &f->aes, f->key.nonce,
	    (const uint8_t (*)[16])f->macs, f->to, &f->d->historic);
	if (r >= 0) {
		finish(f, 0);
		return;
	}
	/* Over plain http something on the way may be to blame: once more. */
	if (f->d->out != NULL && !f->again && f->url[0] != NULL &&
	    strncmp(f->url[0], "http://", 7) == 0) {
		if ((r = begin_again(f)) < 0)
			finish(f, r);
		return;
	}
	finish(f, err_set(ERR_MAC, "MAC mismatch: the data is not what was "
	    "uploaded"));
}

/* One of which every chunk may be wanted, and none is so far. */
static int
begin_chunks(struct fetch *f)
{
	f->units = f->next_unit = unit_count(f);
	f->state = xmalloc((size_t)f->units + 1);
	memset(f->state, FETCHED, (size_t)f->units);
	return f->d->begin(f->d);
}

/* Its turn has come: where does the data go, and what of it is there?  1 if
 * nothing is wanted. */
static int
begin(struct fetch *f)
{
	struct download *d = f->d;
	int r;

	if ((r = d->begin(d)) != 0)
		return r;
	f->from = d->from / 16 * 16;
	f->to = d->to > 0 && d->to < d->size ? d->to : d->size;
	if (d->to > 0 && d->from >= f->to)
		return 1;
	f->units = f->missing = unit_count(f);
	f->state = xcalloc((size_t)f->units, 1);
	if (!is_part(f))
		f->macs = xcalloc((size_t)f->units, 16);
	return d->out != NULL ? resume(f) : 0;
}

/* Begin it, unless that is done.  Whether it goes on. */
static int
begun(struct fetch *f)
{
	int r;

	if (f->state != NULL)
		return 1;
	if ((r = begin(f)) != 0)
		finish(f, r < 0 ? r : 0);
	else if (f->missing == 0)
		verify(f);
	return !f->over;
}

/* Work for idle connections. */

/* How long the next run may be.  Of parts, which come in order, one run has
 * all; otherwise those that go out in order are short, so that connections
 * stay together. */
static uint64_t
run_max(const struct fetch *f)
{
	uint64_t n;

	if (in_parts(f) && !by_chunks(f))
		return f->missing;
	if (f->d->out == NULL)
		return 1;
	n = f->missing / f->ds->pace.each / 2 + 1;
	return n < RUN_MAX ? n : RUN_MAX;
}

/* The next run of units that nobody has: 0 if none. */
static uint64_t
find_run(struct fetch *f, uint64_t *from)
{
	uint64_t i, n, max;

	while (f->next_unit < f->units && f->state[f->next_unit] != ABSENT)
		f->next_unit++;
	i = f->next_unit;
	if (i == f->units)
		return 0;
	max = run_max(f);
	if (f->d->emit != NULL && i >= f->emitted + f->ds->slots_max)
		return 0;
	for (n = 1; n < max && i + n < f->units && f->state[i + n] == ABSENT;
	    n++)
		continue;
	*from = i;
	return n;
}

/* Let others have their turn: who asks for chunks may do so for ever. */
static void
to_the_end(struct downloads *ds, struct fetch *f)
{
	struct fetch **at = &ds->list;

	if (f->next == NULL)
		return;
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	f->next = NULL;
	*ds->tail = f;
	ds->tail = &f->next;
}

/* Files are begun one by one, as connections come free for them: to open
 * many together would keep all connections waiting. */
static int
give_work(struct downloads *ds, struct pull *p)
{
	struct fetch *f, *next;

	for (f = ds->list; f != NULL; f = next) {
		uint64_t from, n;

		next = f->next;
		if (f->url[0] == NULL || f->asking || !has_room(f) ||
		    f->pulls >= (in_parts(f) ? 1 : ds->pace.each) ||
		    (!is_small(f) && ds->large >= ds->slots_max -
		    LANE_SLOTS) || !begun(f) ||
		    (n = find_run(f, &from)) == 0)
			continue;
		memset(f->state + from, WANTED, (size_t)n);
		p->f = f;
		p->unit = from;
		p->end = from + n;
		p->slot = NULL;
		p->fails = 0;
		ds->large += !is_small(f);
		f->pulls++;
		pull_start(p);
		if (by_chunks(f))
			to_the_end(ds, f);
		return 1;
	}
	return 0;
}

static void
on_look(struct http_timer *t)
{
	struct downloads *ds = t->ctx;

	pace_look(&ds->pace, ds->busy, http_now_ms());
	schedule(ds);
}

static void
schedule(struct downloads *ds)
{
	struct fetch *f, *next;

	for (f = ds->list; f != NULL; f = next) {
		next = f->next;
		if (f->error < 0) {
			err_again(f->error, f->kept);
			finish(f, f->error);
		} else if (f->state != NULL && f->missing == 0 &&
		    !by_chunks(f)) {
			verify(f);
		}
	}
	if (ds->quota.set)
		return;
	for (unsigned i = 0; i < ds->pace.all_most; i++)
		if (ds->pull[i].due && has_room(ds->pull[i].f))
			pull_start(&ds->pull[i]);
	for (unsigned i = 0; i < ds->pace.all_most; i++)
		if (ds->pull[i].f == NULL && !give_work(ds, &ds->pull[i]))
			break;
	if (ds->busy > 0 && !ds->look.set) {
		ds->look.fire = on_look;
		ds->look.ctx = ds;
		http_timer_set(ds->http, &ds->look, PACE_MS);
	}
}

/* Chunks were asked for.  What wants them may be inside any callback. */
static void
on_wanted(struct http_timer *t)
{
	schedule(t->ctx);
}

/* "g": size, attributes and where the data is. */

struct g {
	int64_t size, e, tl, down;
	struct slice at;
	int url;                     /* a text, or an array of them */
};

static const struct shape g_shape[] = {
	SHAPE(g, size, "s", SHAPE_INT, 0, 0, SHAPE_SIZE_MAX),
	SHAPE(g, e, "e", SHAPE_INT, 0, -1000, 0),
	SHAPE(g, tl, "tl", SHAPE_INT, 0, 0, INT32_MAX),
	SHAPE(g, down, "d", SHAPE_INT, 0, 0, INT32_MAX),
	SHAPE(g, at, "at", SHAPE_B64, SHAPE_EMPTY, 1, 2 * ATTR_MAX),
	SHAPE(g, url, "g", SHAPE_ANY, SHAPE_EMPTY, 0, 0),
	SHAPE_END
};

static void
on_ask_timer(struct http_timer *t)
{
	ask(t->ctx);
}

/* The file is temporarily not available: 1 if it is asked for again. */
static int
ask_later(struct fetch *f)
{
	int64_t pause = api_pause_ms(++f->refusals);

	if (pause < 0)
		return 0;
	pace_tell(&f->ds->pace, pause, http_now_ms());
	f->timer.fire = on_ask_timer;
	f->timer.ctx = f;
	http_timer_set(f->ds->http, &f->timer, pause);
	return 1;
}

/* What the service says against a download, in our words. */
static int
refuse(struct fetch *f, int code, int64_t left)
{
	switch (code) {
	case ERR_OVERQUOTA:
		err_set(ERR_OVERQUOTA, "over quota");
		f->waiting = wait_for_quota(f->ds, left) == 0;
		return f->waiting ? 0 : ERR_QUOTA;
	case ERR_TEMPUNAVAIL:
		err_service(code);
		return ask_later(f) ? 0 : code;
	case ERR_TOOMANY:
	case ERR_BLOCKED:
		err_service(code);
		return err_set(ERR_REFUSED, "taken down by the service");
	default:
		return code > ERR_PROTO ? err_service(code) : code;
	}
}

/* The size and name have come the first time. */
static int
learn(struct fetch *f, const struct g *g)
{
	struct download *d = f->d;
	struct fingerprint fp;
	const char *c;
	size_t n;
	int r;

	if (g->size < 0)
		return err_set(ERR_PROTO, "reply to \"g\": no member \"s\"");
	if (g->size > DOWNLOAD_SIZE_MAX)
		return err_set(ERR_TOOBIG, "a file of %lld bytes",
		    (long long)g->size);
	if (g->at.p == NULL)
		return err_set(ERR_PROTO, "reply to \"g\": no member \"at\"");
	if ((r = attr_open(&d->attr, g->at.p, g->at.n, f->key.key)) < 0)
		return r == ERR_KEY ? err_set(r, "the key does not fit") : r;
	d->size = f->to = g->size;
	d->modified = -1;
	if ((c = attr_get(&d->attr, "c", &n)) != NULL &&
	    fingerprint_parse(&fp, c, n) == 0)
		d->modified = fp.mtime;
	f->known = 1;
	return by_chunks(f) ? begin_chunks(f) : 0;
}

/* Keep the URLs: one, or one for each part. */
static int
take_urls(struct fetch *f, struct json *j, int v)
{
	struct slice url[RAID_PARTS];
	int r, n = 0;

	if (json_type(j, v) != JSON_ARRAY) {
		url[n++] = json_text(j, v);
	} else if (json_count(j, v) == RAID_PARTS) {
		for (v = json_first(j, v); v >= 0; v = json_next(j, v))
			url[n++] = json_text(j, v);
	} else {
		return err_set(ERR_PROTO, "reply to \"g\": a file in %zu "
		    "parts", json_count(j, v));
	}
	for (int i = 0; i < n; i++)
		if ((r = http_check_data_url(url[i].p, url[i].n)) < 0)
			return r;
	for (int i = 0; i < n; i++)
		f->url[i] = xstrndup(url[i].p, url[i].n);
	f->refusals = 0;
	return 0;
}

static int
on_reply(struct fetch *f, struct json *j, int v)
{
	struct g g = { .size = -1 };
	int r;

	if ((r = shape_read("reply to \"g\"", g_shape, j, v, &g)) < 0)
		return r;
	if (g.down != 0)
		return err_set(ERR_REFUSED, "taken down by the service");
	if (g.e != 0 && g.url < 0)
		return refuse(f, (int)g.e, g.tl);
	if (g.url < 0)
		return err_set(ERR_PROTO, "reply to \"g\": no member \"g\"");
	if ((r = take_urls(f, j, g.url)) < 0)
		return r;
	if (f->known) {
		if (g.size != f->d->size)
			return err_set(ERR_PROTO, "the file's size has "
			    "changed from %lld to %lld",
			    (long long)f->d->size, (long long)g.size);
		return 0;
	}
	return learn(f, &g);
}

static void
on_answer(struct api_cmd *c, struct json *j, int v, int err)
{
	struct fetch *f = c->ctx;
	struct downloads *ds = f->ds;
	int r;

	f->asking = 0;
	if (f->over) {
		finish_soon(ds);
		return;
	}
	r = err < 0 ? refuse(f, err, -1) : on_reply(f, j, v);
	if (r != 0)
		finish(f, r < 0 ? r : 0);
	schedule(ds);
}

static void
ask(struct fetch *f)
{
	struct json_out o;

	if (f->asking || f->timer.set)
		return;
	f->asking = 1;
	f->cmd = (struct api_cmd){ .done = on_answer, .ctx = f };
	o = api_begin(&f->cmd, "g");
	json_put_int(&o, "g", 1);
	json_put_int(&o, "ssl", f->ds->o.plain_http ? 0 : 2);
	if (f->ds->pace.all_most >= PARTS_CONNECTIONS)
		json_put_int(&o, "v", 2);
	json_put(&o, f->d->is_public ? "p" : "n", f->d->h);
	api_send(f->d->api, &f->cmd, &o);
}

void
downloads_add(struct downloads *ds, struct download *d)
{
	struct fetch *f = xcalloc(1, sizeof *f);

	f->d = d;
	f->ds = ds;
	key_unpack_file(&f->key, d->key);
	aes_init(&f->aes, f->key.key);
	d->fetch = f;
	*ds->tail = f;
	ds->tail = &f->next;
	ds->count++;
	linger(ds, d);
	ask(f);
}

void
download_want(struct download *d, uint64_t chunk)
{
	struct fetch *f = d->fetch;

	if (f->state[chunk] != FETCHED)
		return;
	f->state[chunk] = ABSENT;
	f->missing++;
	if (chunk < f->next_unit)
		f->next_unit = chunk;
	f->ds->wanted.fire = on_wanted;
	f->ds->wanted.ctx = f->ds;
	http_timer_set(f->ds->http, &f->ds->wanted, 0);
}

void
download_stop(struct download *d)
{
	if (!d->fetch->over)
		finish(d->fetch, 0);
}
