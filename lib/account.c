#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "b64.h"
#include "err.h"
#include "key.h"
#include "mem.h"
#include "secret.h"
#include "shape.h"
#include "sid.h"

#define NAME_BYTES   4096 /* of names and addresses */
#define SESSIONS_MAX 10000

static int
open_channel(struct account *a)
{
	const char *url = session_url(&a->session);

	if (url == NULL)
		return ERR_USAGE;
	a->http = http_new();
	a->api = api_new(a->http, url, "");
	account_use(a);
	return 0;
}

void
account_use(struct account *a)
{
	char auth[SESSION_SID_MAX + 8] = "";

	if (a->session.sid[0] != '\0')
		snprintf(auth, sizeof auth, "sid=%s", a->session.sid);
	api_set_auth(a->api, auth);
	secret_zero(auth, sizeof auth);
}

static int
load_session(struct account *a, const char *path)
{
	char *file = session_path(path);
	int r;

	if (file == NULL)
		return ERR_LOCAL;
	r = session_load(&a->session, file);
	free(file);
	return r;
}

int
account_open(struct account *a, const char *path)
{
	int r;

	*a = (struct account){ 0 };
	if ((r = load_session(a, path)) < 0)
		return r;
	return open_channel(a);
}

int
account_open_any(struct account *a, const char *path)
{
	*a = (struct account){ 0 };
	if ((a->why_not = load_session(a, path)) < 0) {
		session_free(&a->session);
		a->why_not_text = xstrdup(err_text());
		err_clear();
	}
	return open_channel(a);
}

int
account_need_session(const struct account *a)
{
	return a->session.sid[0] != '\0' ? 0 :
	    err_set(a->why_not, "%s", a->why_not_text);
}

int
account_open_none(struct account *a)
{
	*a = (struct account){ 0 };
	return open_channel(a);
}

/* "up": make the account; its handle into user. */
static int
create(struct account *a, char user[12])
{
	struct api_cmd c = { 0 };
	struct json_out o = api_begin(&c, "up");
	struct json j = { 0 };
	struct slice h;
	uint8_t password[16], wrapped[16], challenge[32];
	int v;

	secret_random(password, sizeof password);
	key_wrap(wrapped, a->session.master, 16, password);
	sid_challenge(challenge, a->session.master);
	json_put_b64(&o, "k", wrapped, sizeof wrapped);
	json_put_b64(&o, "ts", challenge, sizeof challenge);
	secret_zero(password, sizeof password);
	if ((v = api_wait(a->api, &c, &o, &j)) < 0)
		goto out;
	h = json_raw(&j, v);
	if (json_type(&j, v) != JSON_STRING || h.n != 11 ||
	    !b64_valid(h.p, h.n)) {
		v = err_set(ERR_PROTO, "reply to \"up\": want a user handle");
		goto out;
	}
	memcpy(user, h.p, 11);
	user[11] = '\0';
out:
	json_free(&j);
	return v < 0 ? v : 0;
}

/* The reply to "us" for an ephemeral account. */
struct us {
	uint8_t tsid[SID_SIZE];
};

static const struct shape us_shape[] = {
	SHAPE(us, tsid, "tsid", SHAPE_BYTES, SHAPE_REQUIRED, 0, SID_SIZE),
	SHAPE_END
};

/* "us" by handle: the session id, which proves that it is for our key. */
static int
begin_session(struct account *a, const char user[12])
{
	struct api_cmd c = { 0 };
	struct json_out o = api_begin(&c, "us");
	struct json j = { 0 };
	struct us us = { 0 };
	int r;

	json_put(&o, "user", user);
	if ((r = api_wait(a->api, &c, &o, &j)) < 0 ||
	    (r = shape_read("reply to \"us\"", us_shape, &j, r, &us)) < 0)
		goto out;
	if (!sid_proves(us.tsid, a->session.master)) {
		r = err_set(ERR_MAC, "the service's session id does not "
		    "belong to the account just made");
		goto out;
	}
	b64_encode(a->session.sid, us.tsid, SID_SIZE);
	memcpy(a->session.user, user, 12);
out:
	secret_zero(&us, sizeof us);
	json_free(&j);
	return r < 0 ? r : 0;
}

int
account_ephemeral(struct account *a)
{
	char user[12];
	char *url;
	int r;

	url = xstrdup(session_url(&a->session));
	session_free(&a->session);
	a->session = (struct session){ .extra = BUF_MAX(SESSION_FILE_MAX) };
	a->session.api = url;
	account_use(a);
	secret_random(a->session.master, sizeof a->session.master);
	if ((r = create(a, user)) == 0 && (r = begin_session(a, user)) == 0)
		account_use(a);
	return r;
}

int
account_end(struct account *a)
{
	struct api_cmd c = { 0 };
	struct json_out o = api_begin(&c, "sml");
	int r = api_wait(a->api, &c, &o, NULL);

	return r == ERR_SID ? 0 : r;
}

int
account_abandon(struct account *a, int r)
{
	char *text = xstrdup(err_text());
	int api = err_api();

	if (a->session.sid[0] != '\0')
		account_end(a);
	err_clear();
	err_set(api, "%s", text);
	free(text);
	return r;
}

/* The reply to "ug". */
struct ug {
	struct slice email, name;
	char user[12];
	int privk, pubk, keys, keyring;
};

static const struct shape ug_shape[] = {
	SHAPE(ug, user, "u", SHAPE_HANDLE, SHAPE_REQUIRED, 0, 11),
	SHAPE(ug, email, "email", SHAPE_TEXT, SHAPE_EMPTY, 1, NAME_BYTES),
	SHAPE(ug, name, "name", SHAPE_TEXT, SHAPE_EMPTY, 1, NAME_BYTES),
	SHAPE(ug, privk, "privk", SHAPE_ANY, SHAPE_EMPTY, 0, 0),
	SHAPE(ug, pubk, "pubk", SHAPE_ANY, SHAPE_EMPTY, 0, 0),
	SHAPE(ug, keys, "^!keys", SHAPE_ANY, SHAPE_EMPTY, 0, 0),
	SHAPE(ug, keyring, "*keyring", SHAPE_ANY, SHAPE_EMPTY, 0, 0),
	SHAPE_END
};

static char *
dup_slice(struct slice s)
{
	return s.p != NULL ? xstrndup(s.p, s.n) : NULL;
}

int
account_info(struct account *a, struct account_info *info)
{
	struct api_cmd c = { 0 };
	struct json_out o = api_begin(&c, "ug");
	struct json j = { 0 };
	struct ug ug = { 0 };
	int r;

	*info = (struct account_info){ 0 };
	if ((r = api_wait(a->api, &c, &o, &j)) < 0 ||
	    (r = shape_read("reply to \"ug\"", ug_shape, &j, r, &ug)) < 0)
		goto out;
	memcpy(info->user, ug.user, sizeof info->user);
	info->email = dup_slice(ug.email);
	info->name = dup_slice(ug.name);
	info->has_keys = ug.privk >= 0 || ug.pubk >= 0 || ug.keys >= 0 ||
	    ug.keyring >= 0;
out:
	json_free(&j);
	return r;
}

void
account_info_free(struct account_info *info)
{
	free(info->email);
	free(info->name);
	*info = (struct account_info){ 0 };
}

/* The reply to "uq". */
struct uq {
	int64_t mstrg, cstrg, mxfer, caxfer, csxfer, tar, tal;
	int64_t type, until, state;
	int hours;
};

#define BYTES(f, name) \
	SHAPE(uq, f, name, SHAPE_INT, SHAPE_LAX, INT64_MIN, INT64_MAX)

static const struct shape uq_shape[] = {
	BYTES(mstrg, "mstrg"), BYTES(cstrg, "cstrg"),
	BYTES(mxfer, "mxfer"), BYTES(caxfer, "caxfer"),
	BYTES(csxfer, "csxfer"), BYTES(tar, "tar"), BYTES(tal, "tal"),
	SHAPE(uq, hours, "tah", SHAPE_ARRAY, 0, 0, 64),
	SHAPE(uq, type, "utype", SHAPE_INT, SHAPE_LAX, 0, INT32_MAX),
	SHAPE(uq, until, "suntil", SHAPE_INT, SHAPE_LAX, INT64_MIN, INT64_MAX),
	SHAPE(uq, state, "usl", SHAPE_INT, SHAPE_LAX, 0, INT32_MAX),
	SHAPE_END
};

static const char *
plan_word(int64_t type)
{
	static const struct {
		int type;
		const char *word;
	} plans[] = {
		{ 0, "free" }, { 1, "pro-1" }, { 2, "pro-2" },
		{ 3, "pro-3" }, { 4, "lite" }, { 11, "starter" },
		{ 12, "basic" }, { 13, "essential" }, { 100, "business" },
		{ 101, "pro-flexi" }, { 99999, "feature" },
	};

	for (size_t i = 0; i < sizeof plans / sizeof *plans; i++)
		if (plans[i].type == type)
			return plans[i].word;
	return "other";
}

static const char *
state_word(int64_t state)
{
	switch (state) {
	case 0:
		return "ok";
	case 1:
		return "nearly-full";
	case 2:
		return "full";
	default:
		return "locked";
	}
}

/* A sum of counts from outside, each at least 0. */
static int64_t
add(int64_t a, int64_t b)
{
	if (b < 0)
		b = 0;
	return a > INT64_MAX - b ? INT64_MAX : a + b;
}

/*
 * Transfer: a plan has its own allowance, which counts what was downloaded
 * and what others were served.  Without one the address counts, over the
 * last hours, and the service rarely says how much it may have.
 */
static void
set_transfer(struct account_quota *q, const struct uq *uq,
    const struct json *j)
{
	int64_t n;

	if (uq->mxfer > 0) {
		q->sent = add(add(0, uq->caxfer), uq->csxfer);
		q->allowed = uq->mxfer;
		return;
	}
	q->sent = add(0, uq->tar);
	for (int v = json_first(j, uq->hours); v >= 0; v = json_next(j, v))
		if (json_int(j, v, 1, &n) == 0)
			q->sent = add(q->sent, n);
	q->allowed = uq->tal > 0 ? uq->tal : -1;
}

int
account_quota(struct account *a, struct account_quota *q)
{
	struct api_cmd c = { 0 };
	struct json_out o = api_begin(&c, "uq");
	struct json j = { 0 };
	struct uq uq = { .mstrg = -1, .cstrg = -1 };
	int r;

	json_put_int(&o, "strg", 1);
	json_put_int(&o, "xfer", 1);
	json_put_int(&o, "pro", 1);
	if ((r = api_wait(a->api, &c, &o, &j)) < 0 ||
	    (r = shape_read("reply to \"uq\"", uq_shape, &j, r, &uq)) < 0)
		goto out;
	*q = (struct account_quota){
		.plan = plan_word(uq.type),
		.state = state_word(uq.state),
		.until = uq.until > 0 ? uq.until : -1,
		.used = uq.cstrg,
		.total = uq.mstrg,
	};
	set_transfer(q, &uq, &j);
out:
	json_free(&j);
	return r;
}

/* The elements of a session's record, by their place. */
enum { CREATED, USED, AGENT, IP, COUNTRY, CURRENT, ID, ALIVE, FIELDS };

/* 1 if it is a living session, 0 if it is none. */
static int
read_session(struct account_session *s, struct json *j, int v)
{
	int64_t current, alive;
	struct slice id;
	int at[FIELDS], n = 0;

	for (v = json_first(j, v); v >= 0 && n < FIELDS; v = json_next(j, v))
		at[n++] = v;
	if (n < FIELDS || json_int(j, at[CREATED], 0, &s->created) < 0 ||
	    json_int(j, at[USED], 0, &s->used) < 0 ||
	    json_int(j, at[CURRENT], 0, &current) < 0 ||
	    json_int(j, at[ALIVE], 0, &alive) < 0 || alive == 0)
		return 0;
	id = json_raw(j, at[ID]);
	if (json_type(j, at[ID]) != JSON_STRING || id.n >= sizeof s->id ||
	    !b64_valid(id.p, id.n))
		return 0;
	memcpy(s->id, id.p, id.n);
	s->id[id.n] = '\0';
	s->agent = json_text(j, at[AGENT]);
	s->ip = json_text(j, at[IP]);
	s->country = json_text(j, at[COUNTRY]);
	s->current = current != 0;
	return 1;
}

int
account_sessions(struct account *a,
    void (*fn)(void *ctx, const struct account_session *s), void *ctx)
{
	struct api_cmd c = { 0 };
	struct json_out o = api_begin(&c, "usl");
	struct json j = { 0 };
	struct account_session s;
	int r;

	json_put_int(&o, "x", 1);
	if ((r = api_wait(a->api, &c, &o, &j)) < 0)
		goto out;
	if (json_type(&j, r) != JSON_ARRAY ||
	    json_count(&j, r) > SESSIONS_MAX) {
		r = err_set(ERR_PROTO, "reply to \"usl\": want an array");
		goto out;
	}
	for (int v = json_first(&j, r); v >= 0; v = json_next(&j, v))
		if (read_session(&s, &j, v))
			fn(ctx, &s);
out:
	json_free(&j);
	return r < 0 ? r : 0;
}

int
account_end_session(struct account *a, const char *id)
{
	struct api_cmd c = { 0 };
	struct json_out o = api_begin(&c, "usr");
	int r;

	if (id == NULL) {
		json_put_int(&o, "ko", 1);
	} else {
		json_open(&o, "s", '[');
		json_put(&o, NULL, id);
		json_close(&o, ']');
	}
	if ((r = api_wait(a->api, &c, &o, NULL)) == ERR_NOENT)
		r = err_set(r, "no such session");
	return r;
}

void
account_close(struct account *a)
{
	api_free(a->api);
	http_free(a->http);
	free(a->why_not_text);
	a->why_not_text = NULL;
	session_free(&a->session);
	a->api = NULL;
	a->http = NULL;
}
