#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "err.h"
#include "keyring.h"
#include "secret.h"
#include "shape.h"
#include "tree_impl.h"

#define PACKET_MAX (4 << 20) /* characters of one, without its nodes */
#define ROUNDS_MAX 100000    /* answers in one catching up */

/* How the reading of an answer is ended early. */
#define OVERTAKEN ERR_ROLLEDBACK /* another process was quicker */
#define TOO_OLD   ERR_TOOMANY    /* as the service says it: load anew */

/* An answer of the event channel, as it streams in. */
struct events {
	struct api_cmd cmd;
	struct tree *t;
	struct json json;
	struct buf packet;     /* of a packet: its members without its nodes,
	                        * as a JSON object */
	int list;              /* inside "a" */
	int (*element)(struct tree *t, struct json *j, int v); /* of a list of
	                        * nodes or users */
	int writing;           /* a transaction is open */
	int current;           /* "w" came: nothing more happened, */
	int more;              /* unless there is "ir" */
	int news;              /* it led further */
	char wait[EVENT_URL_MAX + 1]; /* its value */
	char sn[CACHE_SN_MAX]; /* where the answer leads to, or "" */
	int64_t moving;        /* taken away as the first half of a move, or
	                        * -1 */
	enum journal_kind otherwise; /* what the packet is for the journal, if
	                        * it changes nothing that shows */
};

static int
is(struct slice s, const char *text)
{
	return s.p != NULL && s.n == strlen(text) &&
	    memcmp(s.p, text, s.n) == 0;
}

/*
 * Packets.
 */

struct removal {
	char n[9];
	int64_t m, v;
};

static const struct shape removal_shape[] = {
	SHAPE(removal, n, "n", SHAPE_HANDLE, SHAPE_REQUIRED, 0, 8),
	SHAPE(removal, m, "m", SHAPE_INT, SHAPE_LAX, 0, 1),
	SHAPE(removal, v, "v", SHAPE_INT, SHAPE_LAX, 0, 1),
	SHAPE_END
};

/* The second half of a move has not come: then it led out of our sight. */
static int
end_move(struct events *e)
{
	struct journal_mark mark;
	int64_t h = e->moving;
	char text[9];
	int r;

	e->moving = -1;
	if (h < 0)
		return 0;
	node_handle(text, h);
	if ((r = journal_before(e->t, (struct slice){ text, 8 },
	    &mark)) == 0 && (r = tree_drop_row(e->t, h, 0)) == 0)
		r = journal_after(e->t, &mark, JOURNAL_NONE);
	journal_done(&mark);
	return r;
}

static int
on_removal(struct events *e)
{
	struct removal d = { 0 };

	if (shape_read("packet", removal_shape, &e->json, 0, &d) < 0)
		return 0;
	if (d.m != 0) {
		e->moving = node_number(d.n);
		return 0;
	}
	return tree_drop_row(e->t, node_number(d.n), d.v != 0);
}

struct update {
	char n[9], u[12];
	struct slice at;
	int64_t ts;
};

static const struct shape update_shape[] = {
	SHAPE(update, n, "n", SHAPE_HANDLE, SHAPE_REQUIRED, 0, 8),
	SHAPE(update, u, "u", SHAPE_HANDLE, SHAPE_EMPTY, 0, 11),
	SHAPE(update, at, "at", SHAPE_STRING, SHAPE_EMPTY, 1, PACKET_MAX),
	SHAPE(update, ts, "ts", SHAPE_INT, SHAPE_LAX, 0, INT64_MAX),
	SHAPE_END
};

/* Whether two lists of attributes say the same, beside where the node was
 * before it was thrown away. */
static int
is_same(struct attr *a, struct attr *b)
{
	attr_strip(a, 0);
	attr_strip(b, 0);
	return attr_same(a, b);
}

/* Take in attributes; what is only noted for the bin is no change that
 * anybody wants to hear of. */
static int
take_attributes(struct events *e, const char h[9], struct slice at)
{
	struct attr before = { 0 }, after = { 0 };
	int known, r;

	if (e->t->journal == NULL)
		return load_attributes(e->t, node_number(h), at);
	known = tree_attributes(e->t, h, &before) == 0;
	r = load_attributes(e->t, node_number(h), at);
	if (r == 0 && known && tree_attributes(e->t, h, &after) == 0 &&
	    is_same(&before, &after))
		e->otherwise = JOURNAL_NONE;
	attr_free(&before);
	attr_free(&after);
	err_clear();
	return r;
}

static int
on_update(struct events *e)
{
	struct update u = { .ts = -1 };
	struct cache_node row;
	int r;

	if (shape_read("packet", update_shape, &e->json, 0, &u) < 0)
		return 0;
	if (u.at.p != NULL && (r = take_attributes(e, u.n, u.at)) < 0)
		return r;
	if (u.u[0] == '\0' && u.ts < 0)
		return 0;
	if ((r = cache_get(e->t->cache, node_number(u.n), &row)) < 0)
		return r == ERR_NOENT ? 0 : r;
	if (u.ts >= 0)
		row.created = u.ts;
	if (u.u[0] != '\0')
		row.owner = load_owner(e->t, u.u);
	return tree_put_row(e->t, &row, row.parent);
}

struct sharing {
	char n[9], o[12];
	struct slice u, p, k;
	int r;
};

static const struct shape sharing_shape[] = {
	SHAPE(sharing, n, "n", SHAPE_HANDLE, SHAPE_REQUIRED, 0, 8),
	SHAPE(sharing, o, "o", SHAPE_HANDLE, SHAPE_EMPTY, 0, 11),
	SHAPE(sharing, u, "u", SHAPE_STRING, SHAPE_EMPTY, 1, 11),
	SHAPE(sharing, p, "p", SHAPE_STRING, SHAPE_EMPTY, 1, 11),
	SHAPE(sharing, k, "k", SHAPE_STRING, SHAPE_EMPTY, 1, PACKET_MAX),
	SHAPE(sharing, r, "r", SHAPE_ANY, SHAPE_EMPTY, 0, 0),
	SHAPE_END
};

/* A share of ours began or ended (then it says no rights). */
static int
on_own_share(struct events *e, const struct sharing *s)
{
	struct slice peer = s->u.p != NULL ? s->u : s->p;
	int64_t h = node_number(s->n);

	if (peer.p == NULL)
		return 0;
	/* By link: the link comes by itself. */
	if (!is(peer, "EXP"))
		e->otherwise = s->r >= 0 ? JOURNAL_SHARED : JOURNAL_UNSHARED;
	return s->r >= 0 ? cache_put_share(e->t->cache, h, peer.p, peer.n) :
	    cache_drop_share(e->t->cache, h, peer.p, peer.n);
}

/* Somebody shares with us, or no longer does.  The nodes come apart. */
static int
on_inshare(struct events *e, const struct sharing *s)
{
	int64_t h = node_number(s->n);
	uint8_t key[KEY_SIZE];
	int r = 0;

	if (s->r < 0 && s->k.p == NULL)
		return tree_drop_row(e->t, h, 0);
	if (s->k.p != NULL && node_keys_unwrap(&e->t->keys, key, s->k) == 0)
		r = load_key(e->t, h, key);
	secret_zero(key, sizeof key);
	return r;
}

static int
on_sharing(struct events *e)
{
	struct sharing s = { 0 };
	int r;

	if (shape_read("packet", sharing_shape, &e->json, 0, &s) < 0)
		return 0;
	if (s.o[0] != '\0' && load_owner(e->t, s.o) != 0)
		return on_inshare(e, &s);
	if ((r = load_packet_ok(e->t, &e->json, 0)) < 0)
		return r;
	return on_own_share(e, &s);
}

static int
on_link(struct events *e)
{
	return load_link(e->t, &e->json, 0);
}

static int
on_users(struct events *e)
{
	int list = json_member(&e->json, 0, "u"), r = 0;

	for (int v = json_first(&e->json, list); v >= 0 && r == 0;
	    v = json_next(&e->json, v))
		r = load_user(e->t, &e->json, v);
	return r;
}

/* Attributes of users: of our own, the key manager matters. */
static int
on_attributes(struct events *e)
{
	int list = json_member(&e->json, 0, "ua");

	for (int v = json_first(&e->json, list); v >= 0;
	    v = json_next(&e->json, v))
		if (is(json_raw(&e->json, v), KEYRING_NAME))
			e->t->closed = 1;
	return 0;
}

static int
on_keys(struct events *e)
{
	return wants_packet(e->t, &e->json);
}

static int
on_cleared(struct events *e)
{
	(void)e;
	return TOO_OLD;
}

/* Thumbnails and the like, which the tree does not keep. */
static int
on_file_attributes(struct events *e)
{
	(void)e;
	return 0;
}

/* Packets by name; node is the member with the handle of the one node that
 * the packet is about. */
static const struct {
	const char *name;
	int (*apply)(struct events *e);
	const char *node;
	enum journal_kind otherwise;
} kinds[] = {
	{ "d", on_removal, "n", JOURNAL_NONE },
	{ "u", on_update, "n", JOURNAL_CHANGED },
	{ "fa", on_file_attributes, "n", JOURNAL_CHANGED },
	{ "s", on_sharing, "n", JOURNAL_NONE },
	{ "s2", on_sharing, "n", JOURNAL_NONE },
	{ "ph", on_link, "h", JOURNAL_NONE },
	{ "k", on_keys, NULL, JOURNAL_NONE },
	{ "c", on_users, NULL, JOURNAL_NONE },
	{ "ua", on_attributes, NULL, JOURNAL_NONE },
	{ "usc", on_cleared, NULL, JOURNAL_NONE },
};

/* Apply a packet of the kind i, and note what it does. */
static int
apply(struct events *e, size_t i)
{
	struct slice h = { NULL, 0 };
	struct journal_mark mark;
	int r;

	e->otherwise = kinds[i].otherwise;
	if (kinds[i].node != NULL)
		h = json_raw(&e->json, json_member(&e->json, 0,
		    kinds[i].node));
	if ((r = journal_before(e->t, h, &mark)) == 0 &&
	    (r = kinds[i].apply(e)) == 0)
		r = journal_after(e->t, &mark, e->otherwise);
	journal_done(&mark);
	return r;
}

/* A packet is whole: apply it. */
static int
end_packet(struct events *e)
{
	struct slice kind;
	int r = 0;

	buf_addch(&e->packet, '}');
	if (buf_check(&e->packet) < 0)
		return TOO_OLD;
	if (json_parse(&e->json, buf_str(&e->packet), e->packet.len) < 0)
		return 0;
	kind = json_raw(&e->json, json_member(&e->json, 0, "a"));
	if (e->moving >= 0)
		r = end_move(e);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds && r == 0; i++)
		if (is(kind, kinds[i].name))
			return apply(e, i);
	return r;
}

/*
 * The answer's parts.
 */

/* Write from here on, if nobody else has since we asked. */
static int
begin_writing(struct events *e)
{
	struct cache_state now;
	int r;

	if (e->writing)
		return 0;
	if ((r = cache_begin(e->t->cache)) < 0)
		return r;
	e->writing = 1;
	if ((r = cache_get_state(e->t->cache, &now)) < 0)
		return r;
	return strcmp(now.sn, e->t->state.sn) == 0 ? 0 : OVERTAKEN;
}

static int
begin_packet(struct events *e)
{
	buf_reset(&e->packet);
	buf_addch(&e->packet, '{');
	return begin_writing(e);
}

static int
events_enter(void *ctx, int depth, struct slice key, int open)
{
	struct events *e = ctx;
	int r;

	if (depth == 1)
		e->list = open == '[' && is(key, "a");
	if (depth == 1 || !e->list)
		return 1;
	switch (depth) {
	case 2:
		r = begin_packet(e);
		return r < 0 ? r : 1;
	case 3:
		return open == '{' && is(key, "t");
	case 4:
		e->element = is(key, "f") || is(key, "f2") ? load_node :
		    is(key, "u") ? load_user : NULL;
		return 1;
	default:
		return e->element == NULL;
	}
}

static int
answer_member(struct events *e, struct slice key, struct slice text)
{
	struct slice s;

	e->current |= is(key, "w");
	e->more |= is(key, "ir");
	if ((!is(key, "sn") && !is(key, "w")) ||
	    json_parse(&e->json, text.p, text.n) < 0)
		return 0;
	s = json_text(&e->json, 0);
	if (is(key, "w") && s.n < sizeof e->wait) {
		memcpy(e->wait, s.p != NULL ? s.p : "", s.n);
		e->wait[s.n] = '\0';
	} else if (is(key, "sn") && s.n < sizeof e->sn &&
	    b64_valid(s.p, s.n)) {
		memcpy(e->sn, s.p, s.n);
		e->sn[s.n] = '\0';
	}
	return 0;
}

static void
packet_member(struct events *e, struct slice key, struct slice text)
{
	if (e->packet.len > 1)
		buf_addch(&e->packet, ',');
	buf_addch(&e->packet, '"');
	buf_add(&e->packet, key.p, key.n);
	buf_addstr(&e->packet, "\":");
	buf_add(&e->packet, text.p, text.n);
}

/* A node or user. */
static int
take_element(struct events *e, struct slice text)
{
	struct journal_mark mark;
	struct slice h;
	int r;

	if (json_parse(&e->json, text.p, text.n) < 0) {
		e->t->skipped++;
		return 0;
	}
	h = json_raw(&e->json, json_member(&e->json, 0, "h"));
	if (e->moving >= 0 && h.n == 8 && node_number(h.p) == e->moving)
		e->moving = -1;
	if ((r = journal_before(e->t, h, &mark)) == 0 &&
	    (r = e->element(e->t, &e->json, 0)) == 0)
		r = journal_after(e->t, &mark, JOURNAL_NONE);
	journal_done(&mark);
	return r;
}

static int
events_value(void *ctx, int depth, struct slice key, struct slice text)
{
	struct events *e = ctx;

	if (depth == 1)
		return answer_member(e, key, text);
	if (e->list && depth == 3)
		packet_member(e, key, text);
	if (e->list && depth == 5 && e->element != NULL)
		return take_element(e, text);
	return 0;
}

static int
events_leave(void *ctx, int depth)
{
	struct events *e = ctx;

	if (depth == 4)
		e->element = NULL;
	if (depth == 2 && e->list)
		return end_packet(e);
	if (depth == 1)
		e->list = 0;
	return 0;
}

static void
begin_answer(struct events *e)
{
	if (e->writing)
		cache_rollback(e->t->cache);
	journal_rollback(e->t);
	wants_rollback(&e->t->wants);
	e->writing = e->list = e->current = e->more = e->news = 0;
	e->element = NULL;
	e->sn[0] = e->wait[0] = '\0';
	e->moving = -1;
}

static void
events_again(struct api_cmd *c)
{
	begin_answer(c->split->ctx);
}

/* What the answer said becomes true, with its sequence number. */
static int
end_answer(struct events *e)
{
	struct cache_state s = e->t->state;
	int r;

	if (e->sn[0] == '\0' && e->writing)
		return err_set(ERR_PROTO, "events without a sequence number");
	if (e->sn[0] == '\0' || strcmp(e->sn, s.sn) == 0)
		return 0;
	memcpy(s.sn, e->sn, sizeof s.sn);
	if ((r = begin_writing(e)) < 0 || (r = end_move(e)) < 0 ||
	    (r = load_settle(e->t)) < 0 ||
	    (r = cache_put_state(e->t->cache, &s)) < 0 ||
	    (r = cache_commit(e->t->cache)) < 0)
		return r;
	e->writing = 0;
	e->news = 1;
	e->t->state = s;
	journal_commit(e->t);
	wants_commit(&e->t->wants);
	return 0;
}

/* What to ask: from the sequence number of the cache.  If that is not what
 * we left it at, another process has taken in what nobody told us. */
int
event_query(struct tree *t, char query[EVENT_QUERY_MAX])
{
	struct cache_state now;
	int r;

	if ((r = cache_get_state(t->cache, &now)) < 0)
		return r;
	if (strcmp(now.sn, t->state.sn) != 0) {
		if (t->watcher != NULL)
			t->watcher(t->watch_ctx, TREE_NOWHERE, TREE_NOWHERE,
			    TREE_NOWHERE);
		if ((r = tree_read_keys(t)) < 0)
			return r;
	}
	t->state = now;
	snprintf(query, EVENT_QUERY_MAX, "wsc?sn=%s", now.sn);
	return 0;
}

/* Where to wait from here on, or "". */
static void
wait_url(const struct events *e, char url[EVENT_URL_MAX + 1])
{
	int n = snprintf(url, EVENT_URL_MAX + 1, "%s%csn=%s&%s", e->wait,
	    strchr(e->wait, '?') != NULL ? '&' : '?', e->t->state.sn,
	    api_auth(e->t->api));

	if (e->wait[0] == '\0' || n > EVENT_URL_MAX)
		url[0] = '\0';
}

/* Whether an answer says that nothing more happened. */
static int
is_current(const struct events *e)
{
	return !e->more && (e->current || !e->news);
}

int
event_apply(struct tree *t, struct slice answer, char wait[EVENT_URL_MAX + 1])
{
	struct events e = { .t = t, .packet = BUF_MAX(PACKET_MAX) };
	struct json_split split;
	int r;

	json_split_init(&split, &e, answer.n);
	split.enter = events_enter;
	split.value = events_value;
	split.leave = events_leave;
	begin_answer(&e);
	if ((r = json_split_feed(&split, answer.p, answer.n)) == 0 &&
	    (r = json_split_end(&split)) == 0)
		r = end_answer(&e);
	if (e.writing)
		cache_rollback(t->cache);
	journal_rollback(t);
	json_split_free(&split);
	json_free(&e.json);
	buf_wipe(&e.packet);
	if (r == TOO_OLD) {
		err_clear();
		return EVENT_RELOAD;
	}
	if (r < 0)
		return r == OVERTAKEN ? 0 : r;
	wants_send(t);
	wait_url(&e, wait);
	return is_current(&e) ? EVENT_CURRENT : 0;
}

/* Ask once, and take in the answer as it streams in. */
static int
round_trip(struct events *e)
{
	struct json_split split = { .enter = events_enter,
	    .value = events_value, .leave = events_leave, .ctx = e };
	char query[EVENT_QUERY_MAX];
	int r;

	begin_answer(e);
	if ((r = event_query(e->t, query)) < 0)
		return r;
	e->cmd = (struct api_cmd){ .split = &split, .again = events_again };
	if ((r = api_ask(e->t->api, &e->cmd, query)) == 0)
		r = end_answer(e);
	if (e->writing)
		cache_rollback(e->t->cache);
	journal_rollback(e->t);
	e->writing = 0;
	return r;
}

int
event_catch_up(struct tree *t)
{
	struct events e = { .t = t, .packet = BUF_MAX(PACKET_MAX) };
	int r;

	for (int i = 0; i < ROUNDS_MAX; i++) {
		r = round_trip(&e);
		if (r != OVERTAKEN && (r < 0 || is_current(&e)))
			break;
	}
	json_free(&e.json);
	buf_wipe(&e.packet);
	if (r == TOO_OLD) {
		err_clear();
		return EVENT_RELOAD;
	}
	return r;
}
