#include <stdlib.h>
#include <string.h>

#include "aes.h"
#include "chunk.h"
#include "content.h"
#include "download.h"
#include "err.h"
#include "mem.h"
#include "secret.h"

#define MEMORY    24   /* chunks kept in memory */
#define RETRY_MS  1000 /* before a download that failed is begun anew */
#define TICK_MS   1000 /* how exactly time-outs are kept */

/* A chunk in memory. */
struct held {
	int64_t h;
	uint64_t i;
	uint64_t used;            /* when; 0: empty */
	uint8_t *p;
	size_t n, cap;
};

struct content {
	struct content *next;
	struct contents *cs;
	unsigned refs;
	struct api *api;
	char h[9];
	int64_t number, size;
	uint8_t key[KEY_FILE_SIZE];
	uint64_t chunks;
	uint8_t (*macs)[16];
	uint8_t *known;           /* whether macs[i] is set */
	uint64_t nknown;
	int verified;             /* macs are what the key says */
	int bad;                  /* they are not */
	uint64_t doubted;         /* this chunk, plus 1, did not authenticate
	                           * and is fetched once more */
	struct download d;
	int running;
	struct http_timer retry;
	struct content_read *reads;
};

struct contents {
	struct http *http;
	struct blocks *blocks;
	struct downloads *ds;
	int64_t timeout_ms;
	struct content *list;
	struct held held[MEMORY];
	uint64_t clock;
	struct content_read *ended; /* their done comes from the timer */
	struct http_timer end, tick;
};

struct contents *
contents_new(struct http *h, struct blocks *blocks,
    const struct contents_options *o)
{
	struct download_options d = { .connections = o->connections,
	    .limit_rate = o->limit_rate, .plain_http = o->plain_http };
	struct contents *cs = xcalloc(1, sizeof *cs);

	cs->http = h;
	cs->blocks = blocks;
	cs->timeout_ms = o->timeout_s * 1000;
	cs->ds = downloads_new(h, &d);
	return cs;
}

/* Turn the loop until what was closed has come to its end. */
static void
wait_for_ends(struct contents *cs)
{
	while (downloads_count(cs->ds) > 0)
		http_turn(cs->http, -1);
}

void
contents_free(struct contents *cs)
{
	if (cs == NULL)
		return;
	wait_for_ends(cs);
	http_timer_clear(cs->http, &cs->end);
	http_timer_clear(cs->http, &cs->tick);
	downloads_free(cs->ds);
	for (unsigned i = 0; i < MEMORY; i++)
		free(cs->held[i].p);
	free(cs);
}

/* Chunks in memory. */

static struct held *
find_held(struct contents *cs, int64_t h, uint64_t i)
{
	for (unsigned k = 0; k < MEMORY; k++) {
		struct held *m = &cs->held[k];

		if (m->used > 0 && m->h == h && m->i == i)
			return m;
	}
	return NULL;
}

static struct held *
longest_unused(struct contents *cs)
{
	struct held *m = &cs->held[0];

	for (unsigned k = 1; k < MEMORY; k++)
		if (cs->held[k].used < m->used)
			m = &cs->held[k];
	return m;
}

static void
hold(struct contents *cs, int64_t h, uint64_t i, const uint8_t *p, size_t n)
{
	struct held *m = find_held(cs, h, i);

	if (m == NULL)
		m = longest_unused(cs);
	if (m->cap < n) {
		free(m->p);
		m->p = xmalloc(n);
		m->cap = n;
	}
	memcpy(m->p, p, n);
	m->n = n;
	m->h = h;
	m->i = i;
	m->used = ++cs->clock;
}

static void
drop_all(struct contents *cs, int64_t h)
{
	for (unsigned k = 0; k < MEMORY; k++)
		if (cs->held[k].h == h)
			cs->held[k].used = 0;
	if (cs->blocks != NULL)
		blocks_drop_all(cs->blocks, h);
}

/* MACs. */

/* All chunks' MACs are known: are they the file's? */
static int
verify(struct content *c)
{
	struct filekey k;
	struct aes aes;
	const char *how;
	int r;

	key_unpack_file(&k, c->key);
	aes_init(&aes, k.key);
	r = chunk_verify(k.mac, &aes, k.nonce, (const uint8_t (*)[16])c->macs,
	    c->size, &how);
	aes_wipe(&aes);
	secret_zero(&k, sizeof k);
	return r < 0 ? r : 0;
}

/* Whether the MACs are worth keeping and fit into a block. */
static int
keeps_macs(const struct content *c)
{
	return c->cs->blocks != NULL && c->chunks > 1 &&
	    c->chunks <= CHUNK_MAX / 16;
}

/* Take over the MACs that an earlier run found right. */
static void
load_macs(struct content *c)
{
	size_t n = (size_t)c->chunks * 16;
	uint8_t none[16];

	if (!keeps_macs(c) || !blocks_get(c->cs->blocks, c->number,
	    BLOCKS_MACS, n, 0, c->macs, n, none))
		return;
	if (verify(c) < 0) {
		blocks_drop(c->cs->blocks, c->number, BLOCKS_MACS);
		return;
	}
	memset(c->known, 1, (size_t)c->chunks);
	c->nknown = c->chunks;
	c->verified = 1;
}

static void
save_macs(struct content *c)
{
	static const uint8_t none[16];

	if (keeps_macs(c))
		blocks_put(c->cs->blocks, c->number, BLOCKS_MACS, c->macs,
		    (size_t)c->chunks * 16, none);
}

/* A chunk has been seen, with that MAC.  ERR_MAC if it is wrong, or with it
 * the whole file turns out to be. */
static int
take_mac(struct content *c, uint64_t i, const uint8_t mac[16])
{
	if (c->verified)
		return secret_equal(c->macs[i], mac, 16) ? 0 : ERR_MAC;
	c->nknown += !c->known[i];
	c->known[i] = 1;
	memcpy(c->macs[i], mac, 16);
	if (c->nknown < c->chunks)
		return 0;
	if (verify(c) < 0) {
		c->bad = 1;
		c->nknown = 0;
		memset(c->known, 0, (size_t)c->chunks);
		drop_all(c->cs, c->number);
		return ERR_MAC;
	}
	c->verified = 1;
	save_macs(c);
	return 0;
}

/* Reads. */

static void
on_end(struct http_timer *t)
{
	struct contents *cs = t->ctx;

	while (cs->ended != NULL) {
		struct content_read *r = cs->ended;
		struct err_kept *error = r->error;

		cs->ended = r->next;
		r->error = NULL;
		r->c = NULL;
		if (error != NULL)
			err_again(r->result, error);
		free(error);
		r->done(r, r->result);
	}
}

/* A read is over: it leaves its list, and done comes soon. */
static void
end(struct content_read *r, int result)
{
	struct contents *cs = r->c->cs;
	struct content_read **at = &r->c->reads;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	r->result = result;
	r->error = result < 0 ? err_keep() : NULL;
	for (at = &cs->ended; *at != NULL; at = &(*at)->next)
		continue;
	*at = r;
	r->next = NULL;
	cs->end.fire = on_end;
	cs->end.ctx = cs;
	http_timer_set(cs->http, &cs->end, 0);
}

static void
end_all(struct content *c, int result)
{
	while (c->reads != NULL)
		end(c->reads, result);
}

static int
mac_error(void)
{
	return err_set(ERR_MAC, "MAC mismatch: the data is not what was "
	    "uploaded");
}

/* The part of chunk i that a read wants: its place in the chunk and in the
 * read's buffer; the length. */
static size_t
overlap(const struct content_read *r, uint64_t i, size_t *in_chunk,
    size_t *in_read)
{
	int64_t start = chunk_start(i), end = chunk_end(start, r->c->size);
	int64_t from = r->offset > start ? r->offset : start;
	int64_t to = r->offset + (int64_t)r->n < end ?
	    r->offset + (int64_t)r->n : end;

	*in_chunk = (size_t)(from - start);
	*in_read = (size_t)(from - r->offset);
	return to > from ? (size_t)(to - from) : 0;
}

static size_t
chunk_length(const struct content *c, uint64_t i)
{
	int64_t start = chunk_start(i);

	return (size_t)(chunk_end(start, c->size) - start);
}

/* Fill in chunk i's part from what is here.  1, 0 if it is not, ERR_MAC. */
static int
fill_from_here(struct content_read *r, uint64_t i)
{
	struct content *c = r->c;
	struct held *m = find_held(c->cs, c->number, i);
	size_t in_chunk, in_read, n = overlap(r, i, &in_chunk, &in_read);
	uint8_t mac[16];

	if (m != NULL) {
		memcpy(r->p + in_read, m->p + in_chunk, n);
		m->used = ++c->cs->clock;
		return 1;
	}
	if (c->cs->blocks == NULL || !blocks_get(c->cs->blocks, c->number, i,
	    chunk_length(c, i), in_chunk, r->p + in_read, n, mac))
		return 0;
	if (take_mac(c, i, mac) == 0)
		return 1;
	blocks_drop(c->cs->blocks, c->number, i);
	return c->bad ? ERR_MAC : 0;
}

static void start(struct content *c);

/* Ask for what a read misses. */
static void
want(struct content_read *r)
{
	struct download *d = &r->c->d;

	for (unsigned bit = 0; r->missing >> bit != 0; bit++)
		if (r->missing >> bit & 1)
			download_want(d, r->first + bit);
}

/* Time-outs. */
static void
on_tick(struct http_timer *t)
{
	struct contents *cs = t->ctx;
	int64_t now = http_now_ms();
	int more = 0;

	for (struct content *c = cs->list; c != NULL; c = c->next) {
		struct content_read *r = c->reads, *next;

		for (; r != NULL; r = next) {
			next = r->next;
			if (r->until_ms > now)
				continue;
			err_set(ERR_NET, "no data came for %lld seconds",
			    (long long)cs->timeout_ms / 1000);
			end(r, ERR_NET);
		}
		more |= c->reads != NULL;
	}
	if (more)
		http_timer_set(cs->http, t, TICK_MS);
}

static void
wait_for(struct content_read *r)
{
	struct content *c = r->c;
	struct contents *cs = c->cs;

	r->until_ms = http_now_ms() + cs->timeout_ms;
	r->next = c->reads;
	c->reads = r;
	if (!cs->tick.set) {
		cs->tick.fire = on_tick;
		cs->tick.ctx = cs;
		http_timer_set(cs->http, &cs->tick, TICK_MS);
	}
	for (unsigned bit = 0; r->missing >> bit != 0; bit++)
		if (r->missing >> bit & 1)
			c->d.urgent = r->first + bit;
	if (c->running && c->d.size > 0)
		want(r);
	else
		start(c);
}

void
content_read(struct content *c, struct content_read *r)
{
	uint64_t last = chunk_index(r->offset + (int64_t)r->n - 1);
	int e = 0;

	r->c = c;
	r->missing = 0;
	r->first = chunk_index(r->offset);
	for (uint64_t i = r->first; i <= last && e >= 0 && !c->bad; i++)
		if ((e = fill_from_here(r, i)) == 0)
			r->missing |= 1u << (i - r->first);
	if (c->bad) {
		r->c = NULL;
		r->done(r, mac_error());
	} else if (r->missing == 0) {
		r->c = NULL;
		r->done(r, 0);
	} else {
		wait_for(r);
	}
}

void
content_cancel(struct content_read *r)
{
	struct content_read **at;

	if (r->c == NULL)
		return;
	for (at = &r->c->reads; *at != NULL && *at != r; at = &(*at)->next)
		continue;
	if (*at == NULL)
		for (at = &r->c->cs->ended; *at != r; at = &(*at)->next)
			continue;
	*at = r->next;
	free(r->error);
	r->error = NULL;
	r->c = NULL;
}

void
content_ahead(struct content *c, int64_t offset, int64_t n)
{
	int64_t end = n < c->size - offset ? offset + n : c->size;

	if (c->bad || !c->running || c->d.size == 0)
		return;
	while (offset < end) {
		uint64_t i = chunk_index(offset);

		if (find_held(c->cs, c->number, i) == NULL &&
		    (c->cs->blocks == NULL ||
		    !blocks_has(c->cs->blocks, c->number, i)))
			download_want(&c->d, i);
		offset = chunk_end(offset, c->size);
	}
}

/* Downloading. */

/* Give a chunk to those who wait for it; all of those that are complete now
 * end. */
static void
hand_out(struct content *c, uint64_t i, const uint8_t *p, int result)
{
	struct content_read *r = c->reads, *next;

	for (; r != NULL; r = next) {
		uint64_t bit = i - r->first;
		size_t in_chunk, in_read, n;

		next = r->next;
		if (i < r->first || bit >= 32 || (r->missing >> bit & 1) == 0)
			continue;
		if (result < 0) {
			end(r, result);
			continue;
		}
		n = overlap(r, i, &in_chunk, &in_read);
		memcpy(r->p + in_read, p + in_chunk, n);
		r->missing &= ~(1u << bit);
		if (r->missing == 0)
			end(r, 0);
	}
}

static int
on_chunk(struct download *d, uint64_t i, const uint8_t *p, size_t n,
    const uint8_t mac[16])
{
	struct content *c = d->ctx;

	if (c->bad)
		return 0;
	if (take_mac(c, i, mac) < 0) {
		mac_error();
		if (c->bad) {
			end_all(c, ERR_MAC);
		} else if (c->doubted != i + 1) {
			/* Something on the way may be to blame. */
			c->doubted = i + 1;
			download_want(d, i);
		} else {
			c->doubted = 0;
			hand_out(c, i, NULL, ERR_MAC);
		}
		return 0;
	}
	hold(c->cs, c->number, i, p, n);
	hand_out(c, i, p, 0);
	if (c->cs->blocks != NULL)
		blocks_put(c->cs->blocks, c->number, i, p, n, mac);
	return 0;
}

static int
on_begin(struct download *d)
{
	struct content *c = d->ctx;

	if (d->size != c->size)
		return err_set(ERR_PROTO, "the file has %lld bytes, not %lld",
		    (long long)d->size, (long long)c->size);
	for (struct content_read *r = c->reads; r != NULL; r = r->next)
		want(r);
	return 0;
}

static void
content_free(struct content *c)
{
	struct content **at = &c->cs->list;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	http_timer_clear(c->cs->http, &c->retry);
	free(c->macs);
	free(c->known);
	secret_zero(c, sizeof *c);
	free(c);
}

static void
on_retry(struct http_timer *t)
{
	struct content *c = t->ctx;

	if (c->reads != NULL)
		start(c);
}

/* Whether the same may work later. */
static int
is_temporary(int r)
{
	return r == ERR_NET || r == ERR_AGAIN || r == ERR_RATELIMIT ||
	    r == ERR_TEMPUNAVAIL || r == ERR_SLOW;
}

static void
on_done(struct download *d, int r)
{
	struct content *c = d->ctx;

	c->running = 0;
	if (c->refs == 0) {
		content_free(c);
	} else if (r == 0 || is_temporary(r)) {
		c->retry.fire = on_retry;
		c->retry.ctx = c;
		http_timer_set(c->cs->http, &c->retry, r == 0 ? 0 : RETRY_MS);
	} else {
		end_all(c, r);
	}
}

static void
start(struct content *c)
{
	uint64_t urgent = c->d.urgent;

	if (c->running || c->retry.set)
		return;
	c->running = 1;
	c->d = (struct download){ .api = c->api, .begin = on_begin,
	    .chunk = on_chunk, .done = on_done, .ctx = c, .urgent = urgent };
	memcpy(c->d.h, c->h, sizeof c->d.h);
	memcpy(c->d.key, c->key, sizeof c->d.key);
	downloads_add(c->cs->ds, &c->d);
}

/* Opening. */

static struct content *
new_content(struct contents *cs, struct api *api, const struct node *n)
{
	struct content *c = xcalloc(1, sizeof *c);

	c->cs = cs;
	c->api = api;
	memcpy(c->h, n->h, sizeof c->h);
	c->number = node_number(n->h);
	c->size = n->size;
	memcpy(c->key, n->key, sizeof c->key);
	c->chunks = chunk_count(n->size);
	c->macs = xcalloc((size_t)c->chunks, sizeof *c->macs);
	c->known = xcalloc((size_t)c->chunks, 1);
	c->next = cs->list;
	cs->list = c;
	load_macs(c);
	return c;
}

struct content *
content_open(struct contents *cs, struct api *api, const struct node *n)
{
	int64_t number = node_number(n->h);
	struct content *c = cs->list;

	while (c != NULL && c->number != number)
		c = c->next;
	if (c == NULL)
		c = new_content(cs, api, n);
	else if (c->refs == 0)
		c->bad = 0;
	c->refs++;
	return c;
}

void
content_hold(struct content *c)
{
	c->refs++;
}

void
content_close(struct content *c)
{
	if (--c->refs > 0)
		return;
	if (c->running)
		download_stop(&c->d);
	else
		content_free(c);
}
