/* The event log, and who waits for it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "err.h"
#include "secret.h"

#include "events.h"

#define HOLD_MS    25000  /* official clients give up after 40 s */
#define EVENTS_MAX 50000  /* kept; older than that is "too old" */
#define PRUNE_EVERY 1024
#define REPLY_MAX  ((size_t)2 << 20) /* more packets come with the next */

/* Sequence tags are ordered by length, then bytewise: a number in base 64
 * with digits in ASCII order and without leading zeros is just that. */
static void
tag_text(char out[16], int64_t n)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz";
	char rev[16];
	int len = 0, i;

	for (; n > 0; n /= 62)
		rev[len++] = digits[n % 62];
	for (i = 0; i < len; i++)
		out[i] = rev[len - 1 - i];
	out[len] = '\0';
}

static int64_t
last_event(struct store *db)
{
	return sql_int(db, 0, "SELECT seq FROM sqlite_sequence"
	    " WHERE name = 'event'", "");
}

/* Whether all events after a number are still there. */
static int
known(int64_t after, int64_t last)
{
	return after >= 0 && after <= last && after >= last - EVENTS_MAX;
}

int
events_since(struct store *db, struct slice sn)
{
	return known(id_read(sn.p, sn.n), last_event(db));
}

void
event_begin(struct cs *c, struct json_out *o, struct buf *b,
    const char *kind)
{
	struct slice i = json_raw(c->j, json_member(c->j, c->cmd, "i"));

	/* The tag of a command is the number of its first event. */
	if (c->st[0] == '\0')
		tag_text(c->st, last_event(c->db) + 1);
	buf_reset(b);
	*o = (struct json_out){ .b = b };
	json_open(o, NULL, '{');
	json_put(o, "a", kind);
	if (i.p != NULL && i.n > 0 && i.n <= 64 && b64_valid(i.p, i.n))
		json_put_n(o, "i", i.p, i.n);
	json_put(o, "st", c->st);
}

void
event_end(struct json_out *o)
{
	json_close(o, '}');
}

/* Now and then, forget what nobody should still need. */
static int
prune(struct store *db, int64_t last)
{
	if (last <= EVENTS_MAX || last % PRUNE_EVERY != 0)
		return 0;
	return sql_do(db, "DELETE FROM event WHERE id <= ?", "i",
	    last - EVENTS_MAX);
}

int
event_send(struct cs *c, int64_t channel, const struct buf *b)
{
	struct slice body = { b->p, b->len };
	int r;

	if ((r = buf_check(b)) < 0)
		return r;
	c->srv->changed = 1;
	if (channel == (c->user != 0 ? c->user : -c->home))
		c->told = 1;
	r = sql_do(c->db, "INSERT INTO event(chan, body) VALUES(?, ?)", "is",
	    channel, body);
	if (r >= 0)
		r = prune(c->db, sqlite3_last_insert_rowid(c->db->db));
	return r < 0 ? r : 0;
}

/* The channel of a request: its folder link's, else its user's. */
static int
find_channel(struct cs *c, struct request *q, int64_t *channel)
{
	int r = cs_identify(c, q);

	if (r < 0)
		return r;
	if (c->user == 0 && c->home == 0)
		return ERR_SID;
	*channel = c->home != 0 ? -c->home : c->user;
	return 0;
}

static int
pending(struct store *db, int64_t channel, int64_t after)
{
	return sql_int(db, 0, "SELECT 1 FROM event WHERE chan = ? AND id > ?"
	    " LIMIT 1", "ii", channel, after) == 1;
}

/* Put the packets after a number, and the number to ask with next; the
 * latter has to come last. */
static void
put_packets(struct store *db, struct json_out *o, int64_t channel,
    int64_t after)
{
	sqlite3_stmt *st;
	char sn[ID_TEXT];
	size_t size = 0;
	int more = 0;

	json_open(o, "a", '[');
	st = sql(db, "SELECT id, body FROM event WHERE chan = ? AND id > ?"
	    " ORDER BY id", "ii", channel, after);
	while (sql_row(st) == 1) {
		size_t n = (size_t)sqlite3_column_bytes(st, 1);

		if (size > 0 && size + n > REPLY_MAX) {
			more = 1;
			break;
		}
		size += n;
		after = sqlite3_column_int64(st, 0);
		json_put_raw(o, NULL, sql_text(st, 1), n);
	}
	sql_end(st);
	json_close(o, ']');
	if (more)
		json_put_int(o, "ir", 1);
	json_put(o, "sn", id_text(sn, after));
}

/* Find channel and number of a request; 0 if it is answered already. */
static int
start(struct request *q, struct cs *c, int64_t *channel, int64_t *after)
{
	const char *sn = web_arg(q, "sn");
	int64_t last;
	int r;

	if (q->fault.code != 0) {
		web_code(q, q->fault.code);
		return 0;
	}
	if ((r = find_channel(c, q, channel)) < 0) {
		if (q->answer.body.len == 0)
			web_code(q, r);
		q->answer.status = 200;
		return 0;
	}
	last = last_event(c->db);
	*after = sn == NULL || *sn == '\0' ? last : id_read(sn, strlen(sn));
	if (!known(*after, last)) {
		web_code(q, ERR_TOOMANY);
		return 0;
	}
	return 1;
}

static void
begin(struct request *q)
{
	fault_pick(&q->srv->faults, &q->fault, FAULT_SC, NULL, 0);
}

/* The list of things to notify a user of: there never are any. */
static void
answer_alerts(struct request *q)
{
	web_text(q, 200, "{\"c\":[],\"lsn\":\"AAAAAAAAAAA\","
	    "\"fsn\":\"AAAAAAAAAAA\",\"ltd\":0}");
}

/* The old channel: packets, or where to wait for them. */
static void
finish_sc(struct request *q)
{
	struct cs c = { 0 };
	struct json_out o = { .b = &q->answer.body };
	struct buf url = BUF_MAX(1024);
	char sn[ID_TEXT];
	int64_t channel, after;

	if (!start(q, &c, &channel, &after))
		return;
	if (web_arg(q, "c") != NULL) {
		answer_alerts(q);
		return;
	}
	web_text(q, 200, "");
	json_open(&o, NULL, '{');
	if (pending(c.db, channel, after)) {
		put_packets(c.db, &o, channel, after);
	} else {
		buf_printf(&url, "%s/sc/w/%s/%lld", q->base,
		    id_text(sn, after), (long long)channel);
		json_put(&o, "w", buf_str(&url));
	}
	json_close(&o, '}');
	buf_free(&url);
}

/* Wait for the old channel: what the answer says is of no interest, and it
 * tells nothing but that something changed. */
static void
finish_old_wait(struct request *q)
{
	const char *p = q->path + strlen("/sc/w/");
	const char *slash = strchr(p, '/');
	int64_t channel, after;

	if (slash == NULL || slash - p != ID_TEXT - 1) {
		web_text(q, 404, "");
		return;
	}
	after = id_read(p, ID_TEXT - 1);
	channel = strtoll(slash + 1, NULL, 10);
	if (pending(&q->srv->store, channel, after) ||
	    web_now_ms() >= q->since_ms + HOLD_MS)
		web_text(q, 200, "0");
	else
		q->wait_ms = q->since_ms + HOLD_MS;
}

/* The new channel's first hop: never makes one wait, always says where to. */
static void
finish_wsc(struct request *q)
{
	struct cs c = { 0 };
	struct json_out o = { .b = &q->answer.body };
	struct buf url = BUF_MAX(1024);
	char sn[ID_TEXT];
	int64_t channel, after;

	if (!start(q, &c, &channel, &after))
		return;
	web_text(q, 200, "");
	buf_printf(&url, "%s/wsc/w", q->base);
	json_open(&o, NULL, '{');
	json_put(&o, "w", buf_str(&url));
	if (pending(c.db, channel, after))
		put_packets(c.db, &o, channel, after);
	else
		json_put(&o, "sn", id_text(sn, after));
	json_close(&o, '}');
	buf_free(&url);
}

/* The new channel's long poll. */
static void
finish_wait(struct request *q)
{
	struct cs c = { 0 };
	struct json_out o = { .b = &q->answer.body };
	int64_t channel, after;

	if (!start(q, &c, &channel, &after))
		return;
	if (pending(c.db, channel, after)) {
		web_text(q, 200, "");
		json_open(&o, NULL, '{');
		put_packets(c.db, &o, channel, after);
		json_close(&o, '}');
	} else if (web_now_ms() >= q->since_ms + HOLD_MS) {
		web_text(q, 200, "0");
	} else {
		q->wait_ms = q->since_ms + HOLD_MS;
	}
}

const struct route events_sc_route = {
	.prefix = "/sc", .kind = "sc", .where = FAULT_SC,
	.begin = begin, .finish = finish_sc,
};
const struct route events_catchup_route = {
	.prefix = "/sc/wsc", .kind = "sc", .where = FAULT_SC,
	.begin = begin, .finish = finish_wsc,
};
const struct route events_wsc_route = {
	.prefix = "/wsc", .kind = "sc", .where = FAULT_SC,
	.begin = begin, .finish = finish_wsc,
};
const struct route events_wait_route = {
	.prefix = "/wsc/w", .kind = "sc", .where = FAULT_SC,
	.begin = begin, .finish = finish_wait,
};
const struct route events_old_wait_route = {
	.prefix = "/sc/w/", .kind = "sc", .where = FAULT_SC,
	.begin = begin, .finish = finish_old_wait,
};
