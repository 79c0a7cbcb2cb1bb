/* Uploads, downloads. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "b64.h"
#include "chunk.h"
#include "err.h"
#include "kdf.h"
#include "mem.h"
#include "raid.h"
#include "secret.h"

#include "cs.h"
#include "nodes.h"
#include "part.h"
#include "share.h"
#include "ticket.h"
#include "transfer.h"

#define SPANS_MAX  64         /* known before a POST is judged */
#define WINDOW_S   3600       /* of the transfer quota */
#define LEGACY_SIZE 27        /* bytes of the old completion token */
#define TOKEN_SIZE 36

/* A run of bytes: [a, b). */
struct span {
	int64_t a, b;
};

/* One POST to an upload URL. */
struct upload {
	int64_t blob, size;
	struct span range;     /* what it brings */
	int64_t pos;
	int fd;
	int old;               /* the upload began without "v" */
	struct chunk_sum sum;
	struct span have[SPANS_MAX]; /* stored already, inside range */
	size_t nhave;
	int superseded;        /* another one brings the same bytes */
	struct upload *next;
};

static struct upload *uploads; /* under way */

static void
plain_code(struct request *q, int code)
{
	web_code(q, code);
	q->answer.type = NULL;
}

/* The ticket in a path behind prefix; rest is what follows its slash. */
static int
read_path(struct request *q, const char *prefix, struct ticket *t,
    const char **rest)
{
	const char *p = q->path + strlen(prefix);
	const char *slash = strchr(p, '/');
	size_t n = slash == NULL ? strlen(p) : (size_t)(slash - p);
	int r;

	*rest = slash == NULL ? "" : slash + 1;
	r = ticket_read(&q->srv->store, t, p, n);
	if (r == 0 && (q->fault.expire || (q->srv->url_life > 0 &&
	    store_now() - t->time > q->srv->url_life)))
		r = ERR_EXPIRED;
	return r;
}

/* Pieces start and end where chunks do, or at the end of the file. */
static int
set_range(struct upload *u, int64_t a, int64_t n)
{
	int64_t b;

	if (a < 0 || a > u->size || n > u->size - a)
		return ERR_RANGE;
	b = a + n;
	if (u->size > 0 && (n == 0 || chunk_start(chunk_index(a)) != a ||
	    (b < u->size && chunk_start(chunk_index(b)) != b)))
		return ERR_RANGE;
	u->range = (struct span){ a, b };
	u->pos = a;
	return 0;
}

static int
load_upload(struct store *db, struct upload *u, int64_t blob)
{
	sqlite3_stmt *st;

	st = sql(db, "SELECT size, v FROM blob WHERE id = ?", "i", blob);
	if (sql_row(st) != 1)
		return ERR_EXPIRED;
	u->blob = blob;
	u->size = sqlite3_column_int64(st, 0);
	u->old = sqlite3_column_int(st, 1) < 2;
	sql_end(st);
	return 0;
}

/* What of the range is there already: it is not written again, since the
 * checksum that speaks for the new bytes comes after them. */
static void
load_spans(struct store *db, struct upload *u)
{
	sqlite3_stmt *st;

	if (sql_int(db, 0, "SELECT done FROM blob WHERE id = ?", "i",
	    u->blob) == 1) {
		u->have[u->nhave++] = (struct span){ 0, u->size };
		return;
	}
	st = sql(db, "SELECT a, b FROM span WHERE blob = ? AND a < ?"
	    " AND b > ? ORDER BY a", "iii", u->blob, u->range.b,
	    u->range.a);
	while (u->nhave < SPANS_MAX && sql_row(st) == 1) {
		u->have[u->nhave++] = (struct span){
			sqlite3_column_int64(st, 0),
			sqlite3_column_int64(st, 1),
		};
	}
	sql_end(st);
}

/* Of two that bring the same bytes the later one wins: the earlier is
 * likely a connection that its client gave up. */
static void
supersede(const struct upload *u)
{
	for (struct upload *o = uploads; o != NULL; o = o->next) {
		if (o->blob == u->blob && o->range.a < u->range.b &&
		    u->range.a < o->range.b)
			o->superseded = 1;
	}
}

static int
start_upload(struct request *q, struct upload *u)
{
	struct store *db = &q->srv->store;
	struct ticket t;
	const char *rest;
	int r;

	if ((r = read_path(q, "/ul/", &t, &rest)) < 0)
		return r;
	if (t.kind != TICKET_UPLOAD)
		return ERR_EXPIRED;
	if ((r = load_upload(db, u, t.id)) < 0)
		return r;
	r = set_range(u, strtoll(rest, NULL, 10), q->length);
	if (r < 0)
		return r;
	load_spans(db, u);
	if ((u->fd = store_blob_open(db, u->blob, 1)) < 0)
		return ERR_FAILED;
	supersede(u);
	u->next = uploads;
	uploads = u;
	return 0;
}

static void
begin_up(struct request *q)
{
	struct upload *u;
	int r;

	fault_pick(&q->srv->faults, &q->fault, FAULT_UP, NULL, 0);
	if (q->fault.http != 0)
		return;
	if (strcmp(q->method, "POST") != 0 || q->length < 0) {
		web_text(q, q->length < 0 ? 411 : 405, "");
		return;
	}
	if (q->fault.code != 0) {
		plain_code(q, q->fault.code);
		return;
	}
	q->upload = u = xcalloc(1, sizeof *u);
	u->fd = -1;
	r = start_upload(q, u);
	if (r == ERR_ACCESS)
		web_text(q, 404, "");
	else if (r < 0)
		plain_code(q, r);
}

/* Write n bytes at pos, but for what is stored. */
static int
write_gaps(const struct upload *u, const char *p, size_t n)
{
	int64_t pos = u->pos, end = u->pos + (int64_t)n;
	size_t i = 0;

	while (pos < end) {
		int64_t stop = end;

		while (i < u->nhave && u->have[i].b <= pos)
			i++;
		if (i < u->nhave && u->have[i].a <= pos) {
			pos = u->have[i].b;
			continue;
		}
		if (i < u->nhave && u->have[i].a < end)
			stop = u->have[i].a;
		while (pos < stop) {
			ssize_t w = pwrite(u->fd, p + (pos - u->pos),
			    (size_t)(stop - pos), (off_t)pos);

			if (w < 0 && errno != EINTR)
				return -1;
			if (w > 0)
				pos += w;
		}
	}
	return 0;
}

static int
body_up(struct request *q, const char *p, size_t n)
{
	struct upload *u = q->upload;

	if (u->superseded)
		return 0;
	if ((int64_t)n > u->range.b - u->pos)
		return -1;
	if (write_gaps(u, p, n) < 0) {
		fprintf(stderr, "mega-serve: blob: %s\n", strerror(errno));
		plain_code(q, ERR_FAILED);
		return 0;
	}
	chunk_sum_add(&u->sum, (const uint8_t *)p, n);
	u->pos += (int64_t)n;
	return 0;
}

/* Whether the checksum in the query, if any, is that of the body. */
static int
sum_ok(struct request *q, const struct upload *u)
{
	const char *want = web_arg(q, "d");
	char text[B64_LEN(CHUNK_SUM_SIZE) + 1];

	if (want == NULL)
		want = web_arg(q, "c");
	return want == NULL || strcmp(want, b64_encode(text, u->sum.sum,
	    CHUNK_SUM_SIZE)) == 0;
}

/* Note the range as stored, melted with what it touches. */
static int
store_range(struct store *db, const struct upload *u)
{
	struct span s = u->range;
	int r;

	s.a = sql_int(db, s.a, "SELECT a FROM span WHERE blob = ?1"
	    " AND a <= ?2 AND b >= ?2 ORDER BY a LIMIT 1", "ii", u->blob,
	    s.a);
	s.b = sql_int(db, s.b, "SELECT b FROM span WHERE blob = ?1"
	    " AND a <= ?2 AND b >= ?2 ORDER BY b DESC LIMIT 1", "ii",
	    u->blob, s.b);
	r = sql_do(db, "DELETE FROM span WHERE blob = ? AND a >= ?"
	    " AND b <= ?", "iii", u->blob, s.a, s.b);
	if (r >= 0)
		r = sql_do(db, "INSERT INTO span VALUES(?, ?, ?)", "iii",
		    u->blob, s.a, s.b);
	if (r >= 0)
		r = sql_do(db, "UPDATE blob SET used = ?, done = ?"
		    " WHERE id = ?", "idi", store_now(),
		    s.a == 0 && s.b == u->size, u->blob);
	return r;
}

static int
record(struct store *db, const struct upload *u)
{
	int r;

	if (sql_int(db, 0, "SELECT done FROM blob WHERE id = ?", "i",
	    u->blob) == 1)
		return 0;
	if (store_blob_settle(db, u->fd) < 0 ||
	    sql_do(db, "BEGIN IMMEDIATE", "") < 0)
		return ERR_FAILED;
	r = store_range(db, u);
	if (sql_do(db, r < 0 ? "ROLLBACK" : "COMMIT", "") < 0 || r < 0)
		return ERR_FAILED;
	return 0;
}

/* The token if all is there; nothing, or with "d" the number 0, if not. */
static void
answer_stored(struct request *q, const struct upload *u)
{
	struct store *db = &q->srv->store;
	uint8_t raw[TOKEN_SIZE];
	sqlite3_stmt *st;

	web_text(q, 200, "");
	q->answer.type = NULL;
	st = sql(db, "SELECT h FROM blob WHERE id = ? AND done = 1", "i",
	    u->blob);
	if (sql_row(st) == 1) {
		const char *h = sql_text(st, 0);

		if (u->old)
			buf_addstr(&q->answer.body, h);
		else
			buf_add(&q->answer.body, raw, b64_decode(raw, h,
			    strlen(h)));
	} else if (web_arg(q, "d") != NULL) {
		buf_addch(&q->answer.body, '0');
	}
	sql_end(st);
}

static void
finish_up(struct request *q)
{
	struct upload *u = q->upload;
	int r;

	if (u->superseded)
		web_text(q, 503, "");
	else if (u->pos != u->range.b)
		plain_code(q, ERR_RANGE);
	else if (!sum_ok(q, u))
		plain_code(q, ERR_KEY);
	else if ((r = record(&q->srv->store, u)) < 0)
		plain_code(q, r);
	else
		answer_stored(q, u);
}

static void
end_up(struct request *q)
{
	struct upload *u = q->upload;

	if (u == NULL)
		return;
	for (struct upload **p = &uploads; *p != NULL; p = &(*p)->next) {
		if (*p == u) {
			*p = u->next;
			break;
		}
	}
	if (u->fd >= 0)
		close(u->fd);
	free(u);
}

const struct route transfer_up_route = {
	.prefix = "/ul/", .kind = "up", .where = FAULT_UP,
	.begin = begin_up, .body = body_up, .finish = finish_up,
	.end = end_up,
};

struct u_args {
	int64_t s, v;
};

static const struct shape u_shape[] = {
	SHAPE(u_args, s, "s", SHAPE_INT, SHAPE_REQUIRED | SHAPE_LAX, 0,
	    SHAPE_SIZE_MAX),
	SHAPE(u_args, v, "v", SHAPE_INT, SHAPE_LAX, 0, 9),
	SHAPE_END
};

static void
put_url(struct cs *c, const char *key, const char *dir,
    const struct ticket *t)
{
	char text[TICKET_TEXT];
	char url[sizeof c->q->base + 8 + TICKET_TEXT];

	ticket_print(text, &c->srv->store, t);
	snprintf(url, sizeof url, "%s/%s/%s", c->q->base, dir, text);
	json_put(&c->out, key, url);
}

/* A new upload.  Its token is chosen now; bytes 27 and on of the new form
 * end with a 1, by which the forms are told apart. */
static int
u_run(struct cs *c, const void *args)
{
	const struct u_args *a = args;
	struct ticket t = { .kind = TICKET_UPLOAD, .time = store_now() };
	uint8_t raw[TOKEN_SIZE];
	char h[B64_LEN(TOKEN_SIZE) + 1];
	int64_t used;
	int r;

	if (c->user == 0 && !c->writable)
		return ERR_ACCESS;
	used = sql_int(c->db, 0, "SELECT used FROM user WHERE id = ?", "i",
	    c->user);
	if (a->s > c->srv->storage - used)
		return ERR_OVERQUOTA;
	secret_random(raw, sizeof raw);
	secret_random(&t.id, sizeof t.id);
	t.id &= INT64_MAX;
	raw[TOKEN_SIZE - 1] = 1;
	b64_encode(h, raw, a->v < 2 ? LEGACY_SIZE : TOKEN_SIZE);
	r = sql_do(c->db, "INSERT INTO blob(id, user, size, v, h, used)"
	    " VALUES(?, ?, ?, ?, ?, ?)", "iiiiti", t.id, c->user, a->s,
	    a->v, h, t.time);
	if (r < 0)
		return r;
	json_open(&c->out, NULL, '{');
	put_url(c, "p", "ul", &t);
	json_close(&c->out, '}');
	return 0;
}

struct g_args {
	struct slice n, p;
	int64_t g, v;
};

static const struct shape g_shape[] = {
	SHAPE(g_args, n, "n", SHAPE_B64, SHAPE_EMPTY, 8, 8),
	SHAPE(g_args, p, "p", SHAPE_B64, SHAPE_EMPTY, 8, 8),
	SHAPE(g_args, g, "g", SHAPE_INT, SHAPE_LAX, 0, 9),
	SHAPE(g_args, v, "v", SHAPE_INT, SHAPE_LAX, 0, 9),
	SHAPE_END
};

static int
find_file(struct cs *c, struct node *n, const struct g_args *a)
{
	int64_t h;
	int r, why;

	if (a->n.p == NULL && a->p.p == NULL)
		return ERR_ARGS;
	if (a->n.p != NULL) {
		r = node_find(c, n, handle_read(a->n.p, a->n.n));
	} else {
		h = share_public(c->db, a->p, &why);
		r = h == 0 ? why : node_get(c->db, n, h);
	}
	if (r == 0 && n->t != 0)
		r = ERR_NOENT;
	return r;
}

static void
put_urls(struct cs *c, const struct node *n, const struct g_args *a)
{
	struct ticket t = { .kind = TICKET_DOWNLOAD, .id = n->blob,
	    .time = store_now() };

	if (!c->srv->raid || a->v < 2) {
		put_url(c, "g", "dl", &t);
		return;
	}
	json_open(&c->out, "g", '[');
	for (int i = 0; i < 6; i++) {
		t.kind = TICKET_PART + i;
		put_url(c, NULL, "dl", &t);
	}
	json_close(&c->out, ']');
}

static int
g_run(struct cs *c, const void *args)
{
	const struct g_args *a = args;
	struct node n;
	char fh[ID_TEXT];
	sqlite3_stmt *st;
	int r;

	if ((r = find_file(c, &n, a)) < 0)
		return r;
	json_open(&c->out, NULL, '{');
	json_put_int(&c->out, "s", n.size);
	st = sql(c->db, "SELECT a, fa FROM node WHERE h = ?", "i", n.h);
	if (sql_row(st) == 1) {
		json_put(&c->out, "at", sql_text(st, 0));
		if (sqlite3_column_type(st, 1) != SQLITE_NULL)
			json_put(&c->out, "fa", sql_text(st, 1));
	}
	sql_end(st);
	json_put_int(&c->out, "msd", 1);
	json_put_int(&c->out, "tl", 0);
	json_put(&c->out, "fh", id_text(fh, n.blob));
	if (a->g)
		put_urls(c, &n, a);
	json_close(&c->out, '}');
	return 0;
}

const struct cs_command transfer_commands[] = {
	{ "u", u_run, u_shape, sizeof(struct u_args), CS_ANY | CS_CHANGE },
	{ "g", g_run, g_shape, sizeof(struct g_args), 0 },
	{ NULL, NULL, NULL, 0, 0 }
};

/* Faults may be about one part. */
static void
begin_down(struct request *q)
{
	char name[] = "part0";
	struct slice part = { name, 0 };
	struct ticket t;
	const char *rest;

	if (read_path(q, "/dl/", &t, &rest) == 0 && t.kind >= TICKET_PART) {
		name[4] = (char)('0' + t.kind - TICKET_PART);
		part.n = sizeof name - 1;
	}
	fault_pick(&q->srv->faults, &q->fault, FAULT_DL, &part, 1);
}

/*
 * The range that a request is after: in the path, else in a header.  Sets
 * the answer's offset, size and status; 0 or ERR_RANGE.
 */
static int
read_range(struct request *q, const char *rest, int64_t size)
{
	struct answer *a = &q->answer;
	const char *header = web_header(q, "Range");
	int64_t last = size - 1;
	char *end;

	a->status = 200;
	if (rest[0] >= '0' && rest[0] <= '9') {
		header = NULL;
	} else if (header != NULL && strncmp(header, "bytes=", 6) == 0 &&
	    header[6] >= '0' && header[6] <= '9') {
		rest = header + 6;
		a->status = 206;
	} else {
		rest = "0";
	}
	a->offset = strtoll(rest, &end, 10);
	if (*end == '-' && end[1] >= '0' && end[1] <= '9') {
		int64_t to = strtoll(end + 1, &end, 10);

		if (to < last)
			last = to;
	}
	if (a->offset < 0 || (a->offset > last && !(size == 0 &&
	    a->offset == 0)))
		return ERR_RANGE;
	a->size = last - a->offset + 1;
	if (a->status == 206)
		snprintf(a->range, sizeof a->range, "bytes %lld-%lld/%lld",
		    (long long)a->offset, (long long)last, (long long)size);
	return 0;
}

/* Take n bytes from the transfer quota, which starts anew every hour. */
static int
over_quota(struct request *q, int64_t n)
{
	struct server *s = q->srv;
	int64_t now = store_now();

	if (s->window == 0 || now - s->window >= WINDOW_S) {
		s->window = now;
		s->sent = 0;
	}
	if (s->transfer >= 0 && n > s->transfer - s->sent) {
		q->answer.time_left = s->window + WINDOW_S - now;
		return 1;
	}
	s->sent += n;
	return 0;
}

/* Serve the range from a part of the file instead. */
static void
stream_part(struct answer *a, int part)
{
	struct part *r = xmalloc(sizeof *r);

	*r = (struct part){ .fd = a->fd, .part = part, .at = a->offset,
	    .end = a->offset + a->size };
	a->fd = -1;
	a->ctx = r;
	a->read = part_read;
	a->release = part_free;
}

static void
finish_down(struct request *q)
{
	struct store *db = &q->srv->store;
	struct answer *a = &q->answer;
	struct ticket t;
	const char *rest;
	int64_t whole, size;

	if (q->fault.code != 0) {
		plain_code(q, q->fault.code);
		return;
	}
	if (read_path(q, "/dl/", &t, &rest) < 0 ||
	    !(t.kind == TICKET_DOWNLOAD || (t.kind >= TICKET_PART &&
	    t.kind < TICKET_PART + 6)) || (whole = sql_int(db, -1,
	    "SELECT size FROM blob WHERE id = ?", "i", t.id)) < 0) {
		web_text(q, 404, "");
		return;
	}
	size = whole;
	if (t.kind >= TICKET_PART)
		size = raid_part_size(t.kind - TICKET_PART, whole);
	if (read_range(q, rest, size) < 0) {
		web_text(q, 416, "");
		return;
	}
	if (over_quota(q, a->size)) {
		web_text(q, 509, "Bandwidth Limit Exceeded");
		a->range[0] = '\0';
		return;
	}
	if (a->size > 0 && (a->fd = store_blob_open(db, t.id, 0)) < 0)
		web_text(q, 503, "");
	else if (a->size > 0 && t.kind >= TICKET_PART)
		stream_part(a, t.kind - TICKET_PART);
}

const struct route transfer_down_route = {
	.prefix = "/dl/", .kind = "dl", .where = FAULT_DL,
	.begin = begin_down, .finish = finish_down,
};
