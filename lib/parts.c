#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "mem.h"
#include "parts.h"

#define RING      (256 << 10)  /* bytes of a part that wait for the others */
#define SECTORS   (RING / RAID_SECTOR)
#define LINES     512          /* put together at a time */
#define TICK_MS   1000         /* how often slow parts are looked for */

/* What has come of a part.  Byte x is at ring[x % RING]. */
struct lane {
	struct parts *all;
	struct http_req req;
	uint8_t *ring;
	int64_t first;         /* sector: nothing before it is there */
	int64_t pos, end;      /* the next byte to come, and the last */
	int running, failed;
	int full;              /* waits for room in the ring */
	int64_t since_ms, full_ms; /* so since then, and so long before */
};

struct parts {
	struct parts_job j;
	struct lane lane[RAID_PARTS];
	int spare;
	int64_t sector, last;  /* the next one to pass on, and the end */
	uint8_t lines[LINES * RAID_LINE];
	struct buf url;
	int error;             /* what data returned */
	int held;              /* parts_pause */
	int was_held;          /* since the last tick */
	int64_t tick_ms, swap_ms; /* the last tick; no swap before that */
	int64_t swap_pause_ms;
	struct http_timer wake, tick;
};

/* The first sector that is not there yet. */
static int64_t
lane_end(const struct lane *l)
{
	return l->pos >= l->end ? l->all->last : l->pos / RAID_SECTOR;
}

/* How many sectors from the next one on are there. */
static int64_t
ready(const struct lane *l)
{
	int64_t from = l->all->sector;

	if (l->first > from || lane_end(l) <= from)
		return 0;
	return lane_end(l) - from;
}

static int64_t
room(const struct lane *l)
{
	return RING - (l->pos - l->all->sector * RAID_SECTOR);
}

/* Parts that have no sector of the last line, or not all of it, have zeros
 * there. */
static void
fill_up(struct lane *l)
{
	for (int64_t at = l->pos; at < l->all->last * RAID_SECTOR; at++)
		l->ring[at % RING] = 0;
}

static void
store(struct lane *l, const char *data, size_t n)
{
	size_t at = (size_t)(l->pos % RING);
	size_t head = n < RING - at ? n : RING - at;

	memcpy(l->ring + at, data, head);
	memcpy(l->ring, data + head, n - head);
	l->pos += (int64_t)n;
	if (l->pos == l->end)
		fill_up(l);
}

/* Take as many lines as five parts have, and one run of the rings: 0 if that
 * is none. */
static size_t
take_lines(struct parts *p)
{
	const uint8_t *from[RAID_PARTS] = { NULL };
	int64_t at = p->sector % SECTORS, n = SECTORS - at;
	int parts = 0;

	/* The sums last: they are more work. */
	for (int i = RAID_PARTS - 1; i >= 0 && parts < RAID_PARTS - 1; i--) {
		const struct lane *l = &p->lane[i];

		if (ready(l) == 0)
			continue;
		from[i] = l->ring + at * RAID_SECTOR;
		if (ready(l) < n)
			n = ready(l);
		parts++;
	}
	if (parts < RAID_PARTS - 1)
		return 0;
	if (n > LINES)
		n = LINES;
	raid_join(p->lines, from, (size_t)n);
	return (size_t)n;
}

/* Parts for which there is room again go on, but from the loop: inside a
 * callback, libcurl would call the next. */
static void
wake(struct parts *p)
{
	for (int i = 0; i < RAID_PARTS; i++)
		if (p->lane[i].full && room(&p->lane[i]) >= HTTP_DATA_MAX)
			http_timer_set(p->j.http, &p->wake, 0);
}

/* Pass on all that is complete. */
static int
join(struct parts *p)
{
	size_t n;

	while (p->error == 0 && p->sector < p->last &&
	    (n = take_lines(p)) > 0) {
		int64_t at = p->sector * RAID_LINE;
		int64_t from = p->j.from > at ? p->j.from : at;
		int64_t to = at + (int64_t)n * RAID_LINE;

		if (to > p->j.to)
			to = p->j.to;
		p->sector += (int64_t)n;
		p->error = p->j.data(p->j.ctx, p->lines + (from - at),
		    (size_t)(to - from));
	}
	wake(p);
	return p->error;
}

/* Taking in what comes. */

static void
set_full(struct lane *l, int full)
{
	int64_t now = http_now_ms();

	if (l->full)
		l->full_ms += now - l->since_ms;
	l->since_ms = now;
	l->full = full;
	http_pause(&l->req, full || l->all->held);
}

static void
on_wake(struct http_timer *t)
{
	struct parts *p = t->ctx;

	for (int i = 0; i < RAID_PARTS; i++) {
		struct lane *l = &p->lane[i];

		if (l->running && l->full && room(l) >= HTTP_DATA_MAX)
			set_full(l, 0);
	}
}

/* What ends a request that has brought all it should. */
#define ENOUGH 1

static int
on_data(struct http_req *req, const char *data, size_t n)
{
	struct lane *l = req->ctx;
	struct parts *p = l->all;
	int64_t want = l->end - l->pos;
	size_t take = (int64_t)n < want ? n : (size_t)want;
	int r;

	if ((int64_t)take > room(l))
		return err_set(ERR_NET, "too much at a time");
	store(l, data, take);
	if ((r = join(p)) != 0)
		return r;
	if (l->pos < l->end && room(l) < HTTP_DATA_MAX)
		set_full(l, 1);
	return take < n ? ENOUGH : 0;
}

static void on_done(struct http_req *req, int result);

/* Ask for a part, from a sector on. */
static void
lane_start(struct parts *p, int part, int64_t sector)
{
	struct lane *l = &p->lane[part];

	if (l->ring == NULL)
		l->ring = xmalloc(RING);
	l->first = sector;
	l->pos = sector * RAID_SECTOR;
	l->end = raid_part_size(part, p->j.size);
	if (l->end > p->last * RAID_SECTOR)
		l->end = p->last * RAID_SECTOR;
	l->full = 0;
	l->full_ms = 0;
	if (l->pos >= l->end) {
		fill_up(l);
		return;
	}
	l->running = 1;
	buf_reset(&p->url);
	buf_printf(&p->url, "%s/%lld-%lld", p->j.url[part],
	    (long long)l->pos, (long long)(l->end - 1));
	l->req = (struct http_req){
		.url = buf_str(&p->url),
		.want = l->end - l->pos,
		.data = on_data,
		.done = on_done,
		.ctx = l,
	};
	http_start(p->j.http, &l->req);
}

static void
lane_stop(struct lane *l)
{
	http_cancel(&l->req);
	l->running = l->full = 0;
}

static void
stop(struct parts *p)
{
	for (int i = 0; i < RAID_PARTS; i++)
		lane_stop(&p->lane[i]);
	http_timer_clear(p->j.http, &p->wake);
	http_timer_clear(p->j.http, &p->tick);
}

/* Whether the spare part can take another's place: not if it has failed
 * itself, or if what it brought before is still needed. */
static int
can_swap(const struct parts *p)
{
	const struct lane *s = &p->lane[p->spare];

	return !s->failed && ready(s) == 0;
}

/* The spare part goes on where this one was; what that has brought counts. */
static void
swap(struct parts *p, int part)
{
	int spare = p->spare;

	lane_stop(&p->lane[part]);
	p->spare = part;
	lane_start(p, spare, lane_end(&p->lane[part]));
}

static void
on_done(struct http_req *req, int result)
{
	struct lane *l = req->ctx;
	struct parts *p = l->all;
	int running = 0;

	l->running = l->full = 0;
	if (p->error != 0) {
		stop(p);
		p->j.done(p->j.ctx, p->error, req);
		return;
	}
	if (l->pos < l->end) {
		l->failed = 1;
		if (req->status != 509 && can_swap(p)) {
			swap(p, (int)(l - p->lane));
			/* It may be complete already. */
			join(p);
		} else {
			stop(p);
			p->j.done(p->j.ctx, result, req);
			return;
		}
	}
	for (int i = 0; i < RAID_PARTS; i++)
		running += p->lane[i].running;
	if (running == 0) {
		stop(p);
		p->j.done(p->j.ctx, p->error, req);
	}
}

/*
 * A part is slow if it has never waited since the last look, while all others
 * had to wait for it half of the time.  Each change makes the next one wait
 * longer, for where all are slow nothing is won.
 */
static void
on_tick(struct http_timer *t)
{
	struct parts *p = t->ctx;
	int64_t now = http_now_ms(), window = now - p->tick_ms, waited = 0;
	int slow = -1, several = 0;

	for (int i = 0; i < RAID_PARTS; i++) {
		struct lane *l = &p->lane[i];
		int64_t ms = l->full_ms + (l->full ? now - l->since_ms : 0);

		if (i == p->spare)
			continue;
		if (l->running && ms == 0) {
			several = slow >= 0;
			slow = i;
		}
		waited += l->running ? ms : window;
		l->full_ms = 0;
		l->since_ms = now;
	}
	if (slow >= 0 && !several && !p->was_held && now >= p->swap_ms &&
	    2 * waited >= (PARTS_CONNECTIONS - 1) * window && can_swap(p)) {
		swap(p, slow);
		p->swap_pause_ms *= 2;
		p->swap_ms = now + p->swap_pause_ms;
	}
	p->was_held = p->held;
	p->tick_ms = now;
	http_timer_set(p->j.http, &p->tick, TICK_MS);
}

struct parts *
parts_start(const struct parts_job *j)
{
	struct parts *p = xcalloc(1, sizeof *p);

	p->j = *j;
	p->spare = j->spare;
	p->sector = j->from / RAID_LINE;
	p->last = (j->to + RAID_LINE - 1) / RAID_LINE;
	p->swap_pause_ms = TICK_MS;
	p->tick_ms = http_now_ms();
	buf_init(&p->url, 4096);
	p->wake.fire = on_wake;
	p->tick.fire = on_tick;
	p->wake.ctx = p->tick.ctx = p;
	http_timer_set(j->http, &p->tick, TICK_MS);
	for (int i = 0; i < RAID_PARTS; i++) {
		p->lane[i].all = p;
		p->lane[i].first = INT64_MAX;
		if (i != p->spare)
			lane_start(p, i, p->sector);
	}
	return p;
}

void
parts_free(struct parts *p)
{
	if (p == NULL)
		return;
	stop(p);
	for (int i = 0; i < RAID_PARTS; i++)
		free(p->lane[i].ring);
	buf_wipe(&p->url);
	free(p);
}

void
parts_pause(struct parts *p, int pause)
{
	p->held = pause;
	p->was_held |= pause;
	for (int i = 0; i < RAID_PARTS; i++)
		if (p->lane[i].running)
			http_pause(&p->lane[i].req, pause || p->lane[i].full);
}

int
parts_spare(const struct parts *p)
{
	return p->spare;
}
