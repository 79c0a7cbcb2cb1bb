#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "err.h"
#include "hashcash.h"
#include "mem.h"
#include "secret.h"

#define BODY_MAX       (64u << 20)  /* all commands of one request */
#define BODY_ENOUGH    (1u << 20)   /* stop batching at this size */
#define CONNECT_MS     20000        /* give up when nobody answers at all */
#define BACKOFF_MIN_MS 250
#define BACKOFF_MAX_MS 30000
#define TRIES_MAX      8            /* of one command answered "busy" */
#define IDLE_S         120          /* the service may think so long */
#define IDLE_EVENTS_S  40           /* events come at once */
#define CUTS_MAX       20           /* replies that broke off, of a request */
#define PROOFS_MAX     20           /* of work, for a request */
#define MANY           64           /* commands that need not gather longer */
#define WORDS_MAX      256          /* characters of what is told */

void (*api_notice)(const char *words);
void (*api_remark)(const char *words);

struct api {
	struct http *http;         /* borrowed */
	char *url, *auth;
	uint64_t id;               /* of the next request */
	struct api_cmd *queue, **tail;
	unsigned queued;
	int64_t linger_ms, rest_until_ms;
	struct api_cmd *flying;    /* of the request under way, in order */
	struct http_req req;
	struct http_timer timer;   /* the next try, or the next batch */
	struct buf body, query;
	char answer[HASHCASH_ANSWER_SIZE + 16]; /* X-Hashcash: … */
	int64_t since_ms;          /* when this request last made progress, */
	int64_t awake_ms;          /* and what http_awake_ms was then */
	int64_t backoff_ms;
	unsigned requests, cuts, proofs;
	int busy;                  /* a request is under way */

	/* The reply as it arrives. */
	struct json_split split;
	struct json json;
	int bare;                  /* the whole reply: an error, or 0 */
	int is_bare;
	int ended;                 /* the reply's array has closed */
	int streaming;             /* inside a result with split */
	struct api_cmd *at;        /* whose result comes next */
	struct result *results, **rtail;

	/* A request that was refused since the account is blocked, and what
	 * finds out why. */
	struct api_cmd *refused, why;
};

/* A result that waits until the whole reply has been seen. */
struct result {
	struct result *next;
	struct api_cmd *cmd;
	size_t n;
	char text[];
};

static void send_batch(struct api *a);

/* Seconds that MEGA_TIMEOUT says, if it is set. */
static int64_t
timeout_or(int64_t otherwise)
{
	const char *env = getenv("MEGA_TIMEOUT");
	long n = env != NULL ? strtol(env, NULL, 10) : 0;

	return n > 0 && n < 1000000 ? n : otherwise;
}

int64_t
api_patience(void)
{
	return timeout_or(API_PATIENCE_S);
}

int64_t
api_pause_ms(unsigned fails)
{
	int64_t pause = BACKOFF_MIN_MS, all = pause;

	for (unsigned i = 1; i < fails && pause > 0; i++) {
		pause = 2 * pause < BACKOFF_MAX_MS ? 2 * pause : BACKOFF_MAX_MS;
		all += pause;
		if (all > api_patience() * 1000)
			pause = -1;
	}
	return pause;
}

COMPAT_PRINTF(2, 0) static void
say(void (*to)(const char *), const char *fmt, va_list ap)
{
	char words[WORDS_MAX];

	if (to == NULL)
		return;
	vsnprintf(words, sizeof words, fmt, ap);
	to(words);
}

void
api_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(api_notice, fmt, ap);
	va_end(ap);
}

void
api_say_more(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(api_remark, fmt, ap);
	va_end(ap);
}

struct api *
api_new(struct http *h, const char *url, const char *auth)
{
	struct api *a = xcalloc(1, sizeof *a);
	size_t n = strlen(url);
	uint32_t start;

	while (n > 0 && url[n - 1] == '/')
		n--;
	a->http = h;
	a->url = xstrndup(url, n);
	a->auth = xstrdup(auth);
	secret_random(&start, sizeof start);
	a->id = start;
	a->tail = &a->queue;
	a->rtail = &a->results;
	a->timer.ctx = a;
	buf_init(&a->body, BODY_MAX);
	buf_init(&a->query, 4096);
	return a;
}

void
api_set_auth(struct api *a, const char *auth)
{
	secret_zero(a->auth, strlen(a->auth));
	free(a->auth);
	a->auth = xstrdup(auth);
}

static void
drop_results(struct api *a)
{
	while (a->results != NULL) {
		struct result *r = a->results;

		a->results = r->next;
		secret_zero(r->text, r->n);
		free(r);
	}
	a->rtail = &a->results;
}

void
api_free(struct api *a)
{
	if (a == NULL)
		return;
	http_cancel(&a->req);
	http_timer_clear(a->http, &a->timer);
	drop_results(a);
	json_split_free(&a->split);
	json_free(&a->json);
	secret_zero(a->auth, strlen(a->auth));
	free(a->auth);
	free(a->url);
	buf_wipe(&a->body);
	buf_wipe(&a->query);
	buf_wipe(&a->why.json);
	free(a);
}

const char *
api_auth(const struct api *a)
{
	return a->auth;
}

struct http *
api_http(struct api *a)
{
	return a->http;
}

unsigned
api_requests(const struct api *a)
{
	return a->requests;
}

/* A command got its end. */
static void
settle(struct api_cmd *c, struct json *j, int v, int err)
{
	buf_wipe(&c->json);
	c->done(c, j, v, err);
}

/* Every command of a list gets err, with the text that is recorded. */
static void
fail_list(struct api_cmd *c, int err)
{
	char *text = xstrdup(err_text());

	while (c != NULL) {
		struct api_cmd *next = c->next;

		err_set(err, "%s", text);
		settle(c, NULL, -1, err);
		c = next;
	}
	free(text);
}

/* The request is over; every command still flying gets err. */
static void
fail_all(struct api *a, int err)
{
	struct api_cmd *list = a->flying;

	a->flying = NULL;
	drop_results(a);
	fail_list(list, err);
	a->busy = 0;
	send_batch(a);
}

static void
queue_add(struct api *a, struct api_cmd *c)
{
	c->next = NULL;
	*a->tail = c;
	a->tail = &c->next;
	a->queued++;
}

/* The number after -, if text is a negative integer or an error object. */
static int
error_number(struct json *j, int v, int *code)
{
	int64_t n;

	if (json_type(j, v) == JSON_OBJECT)
		v = json_member(j, v, "err");
	if (v < 0 || json_int(j, v, 0, &n) < 0 || n >= 0 || n < -999)
		return 0;
	*code = (int)n;
	return 1;
}

/* One element of the reply's array, held back until the reply is whole. */
static int
take_result(struct api *a, struct slice text)
{
	struct result *r;

	if (a->at == NULL)
		return err_set(ERR_PROTO, "more results than commands");
	r = xmalloc(sizeof *r + text.n);
	r->next = NULL;
	r->cmd = a->at;
	r->n = text.n;
	memcpy(r->text, text.p, text.n);
	*a->rtail = r;
	a->rtail = &r->next;
	a->at = a->at->next;
	return 0;
}

static int
on_enter(void *ctx, int depth, struct slice key, int open)
{
	struct api *a = ctx;
	const struct json_split *s;

	if (a->flying->query != NULL) {
		if ((s = a->flying->split) == NULL)
			return 0;
		a->streaming = 1;
		return depth == 0 ? open == '{' :
		    s->enter(s->ctx, depth, key, open);
	}
	if (depth == 0)
		return open == '[';
	s = a->at != NULL ? a->at->split : NULL;
	if (s == NULL || (depth == 1 && open != '{'))
		return 0;
	a->streaming = 1;
	return depth == 1 ? 1 : s->enter(s->ctx, depth - 1, key, open);
}

static int
on_value(void *ctx, int depth, struct slice key, struct slice text)
{
	struct api *a = ctx;
	int r;

	if (depth == 0 && a->flying->query != NULL && *text.p == '{')
		return take_result(a, text);
	if (depth == 0) {
		if ((r = json_parse(&a->json, text.p, text.n)) < 0)
			return r;
		if (!error_number(&a->json, 0, &a->bare))
			return err_set(ERR_PROTO, "reply is no array");
		a->is_bare = 1;
		return 0;
	}
	if (a->flying->query != NULL)
		return a->flying->split->value(a->flying->split->ctx, depth,
		    key, text);
	if (depth == 1)
		return take_result(a, text);
	return a->at->split->value(a->at->split->ctx, depth - 1, key, text);
}

static int
on_leave(void *ctx, int depth)
{
	struct api *a = ctx;

	if (depth == 0)
		a->ended = 1;
	if (a->flying->query != NULL && depth > 0)
		return a->flying->split->leave(a->flying->split->ctx, depth);
	if (depth > 1)
		return a->at->split->leave(a->at->split->ctx, depth - 1);
	if (depth == 1 || a->flying->query != NULL) {
		/* A streamed result is over; 0 stands for it. */
		return take_result(a, (struct slice){ "0", 1 });
	}
	return 0;
}

static void
progress(struct api *a)
{
	a->since_ms = http_now_ms();
	a->awake_ms = http_awake_ms(a->http);
}

static int
on_data(struct http_req *req, const char *p, size_t n)
{
	struct api *a = req->ctx;

	progress(a);
	return json_split_feed(&a->split, p, n);
}

static void on_done(struct http_req *req, int result);

static void
start(struct api *a)
{
	if (a->streaming && a->flying->again != NULL)
		a->flying->again(a->flying);
	drop_results(a);
	json_split_free(&a->split);
	json_split_init(&a->split, a, API_REPLY_MAX);
	a->split.enter = on_enter;
	a->split.value = on_value;
	a->split.leave = on_leave;
	a->is_bare = a->ended = a->streaming = 0;
	a->at = a->flying;
	a->req = (struct http_req){
		.url = buf_str(&a->query),
		.post = 1,
		.body = a->body.p,
		.bodylen = a->body.len,
		.header = { a->answer[0] != '\0' ? a->answer : NULL },
		.idle_s = a->flying->query != NULL ? IDLE_EVENTS_S : IDLE_S,
		.compressed = 1,
		.data = on_data,
		.done = on_done,
		.ctx = a,
	};
	a->requests++;
	http_start(a->http, &a->req);
}

static void
on_timer(struct http_timer *t)
{
	struct api *a = t->ctx;

	start(a);
}

/* Try the same request again later, or give up. */
static void
try_again(struct api *a, int err)
{
	int64_t spent = http_awake_ms(a->http) - a->awake_ms;
	int64_t limit = api_patience() * 1000;
	uint16_t jitter;

	if (a->req.refused && limit > CONNECT_MS)
		limit = CONNECT_MS;
	if (a->req.untrusted || spent + a->backoff_ms > limit ||
	    ++a->cuts > CUTS_MAX) {
		fail_all(a, err);
		return;
	}
	if (a->backoff_ms >= 4000)
		api_say("%s", err == ERR_AGAIN || err == ERR_RATELIMIT ?
		    "the service is busy; waiting" :
		    "no answer from the service; trying again");
	secret_random(&jitter, sizeof jitter);
	a->timer.fire = on_timer;
	http_timer_set(a->http, &a->timer, a->backoff_ms +
	    a->backoff_ms * jitter / 131072);
	a->backoff_ms *= err == ERR_RATELIMIT ? 4 : 2;
	if (a->backoff_ms > BACKOFF_MAX_MS)
		a->backoff_ms = BACKOFF_MAX_MS;
}

/* 402: the same request must come again with a proof of work. */
static void
prove(struct api *a)
{
	struct hashcash h;
	char answer[HASHCASH_ANSWER_SIZE];
	int64_t left = timeout_or(API_WORK_S) * 1000 -
	    (http_now_ms() - a->since_ms);
	int r = 0;

	if (hashcash_parse(&h, a->req.hashcash) < 0) {
		/* A challenge that we cannot read: perhaps the next one. */
		err_set(ERR_SLOW, "the service wants a proof of work but "
		    "sent no challenge");
		try_again(a, ERR_SLOW);
		return;
	}
	api_say("the service wants a proof of work; computing");
	if (left <= 0 || ++a->proofs > PROOFS_MAX)
		r = err_set(ERR_SLOW, "no proof of work was good enough");
	if (r == 0)
		r = hashcash_solve(&h, 0, left, NULL, answer);
	if (r < 0) {
		fail_all(a, r);
		return;
	}
	snprintf(a->answer, sizeof a->answer, "X-Hashcash: %s", answer);
	start(a);
}

/* Gather what is asked for in this turn of the loop, then send. */
static void
on_gather(struct http_timer *t)
{
	send_batch(t->ctx);
}

/* Have what is queued sent: now, or when more may have come, but not while
 * a busy service is given a rest. */
static void
gather_more(struct api *a)
{
	int64_t rest = a->rest_until_ms - http_now_ms();
	int64_t ms = a->queued >= MANY ? 0 : a->linger_ms;

	if (a->busy || a->queue == NULL || (a->timer.set && a->queued != MANY))
		return;
	a->timer.fire = on_gather;
	http_timer_set(a->http, &a->timer, rest > ms ? rest : ms);
}

void
api_linger(struct api *a, int64_t ms)
{
	int sooner = ms < a->linger_ms;

	a->linger_ms = ms;
	if (!sooner || a->busy)
		return;
	http_timer_clear(a->http, &a->timer);
	gather_more(a);
}

static const char *
blocked_words(int64_t why)
{
	switch (why) {
	case 200:
		return " for infringing copyright";
	case 300:
		return " for breaking the terms of service";
	case 400:
		return " by the administrator of its business account";
	case 401:
		return " since its business account has removed it";
	case 500:
		return " until a phone number is verified on the web site";
	case 700:
		return " until its e-mail address is verified: the service "
		    "has sent a mail, and the web site sends another";
	default:
		return "; the web site says why";
	}
}

/* The answer to "whyamiblocked" is what the refused request ends with. */
static void
on_why(struct api_cmd *c, struct json *j, int v, int err)
{
	struct api *a = c->ctx;
	struct api_cmd *list = a->refused;
	int64_t why;

	if (err < 0 || json_int(j, v, 0, &why) < 0)
		why = 0;
	a->refused = NULL;
	err_set(ERR_BLOCKED, "the account is blocked%s", blocked_words(why));
	fail_list(list, ERR_BLOCKED);
}

/* A request was refused as a whole because the account is blocked.  Of what a
 * blocked account may ask, why is one, in a request of its own. */
static void
ask_why(struct api *a)
{
	struct json_out o = api_begin(&a->why, "whyamiblocked");

	json_close(&o, '}');
	a->why.ctx = a;
	a->why.done = on_why;
	a->refused = a->flying;
	a->flying = NULL;
	drop_results(a);
	if ((a->why.next = a->queue) == NULL)
		a->tail = &a->why.next;
	a->queue = &a->why;
	a->queued++;
	a->busy = 0;
	send_batch(a);
}

/* Whether it is the account that a bare -16 is about, and not a link. */
static int
is_account_blocked(const struct api *a)
{
	return a->bare == ERR_BLOCKED && a->flying != &a->why &&
	    strncmp(a->auth, "sid=", 4) == 0;
}

/* Hand one command its result: 1, or 0 if it has to come again. */
static int
deliver_one(struct api *a, struct result *r)
{
	struct api_cmd *c = r->cmd;
	int code, e = json_parse(&a->json, r->text, r->n);

	if (e == 0 && error_number(&a->json, 0, &code)) {
		if (code == ERR_AGAIN && ++c->tries < TRIES_MAX)
			return 0;
		e = err_service(code);
	}
	settle(c, &a->json, e == 0 ? 0 : -1, e);
	return 1;
}

/* Hand each command its result.  Those told to come again are queued. */
static void
deliver(struct api *a)
{
	struct result *list = a->results;

	a->results = NULL;
	a->rtail = &a->results;
	a->flying = NULL;
	while (list != NULL) {
		struct result *r = list;

		list = r->next;
		if (!deliver_one(a, r)) {
			a->rest_until_ms = http_now_ms() +
			    ((int64_t)BACKOFF_MIN_MS << r->cmd->tries);
			queue_add(a, r->cmd);
		}
		secret_zero(r->text, r->n);
		free(r);
	}
	a->busy = 0;
	gather_more(a);
}

static void
on_done(struct http_req *req, int result)
{
	struct api *a = req->ctx;

	if (result == 0 && req->status == 402) {
		prove(a);
		return;
	}
	if (result == 0 && req->status != 200)
		result = err_set(ERR_NET, "the service answered with HTTP "
		    "status %d", req->status);
	else if (result == 0)
		result = json_split_end(&a->split);
	if (result == 0 && a->is_bare && is_account_blocked(a)) {
		ask_why(a);
		return;
	}
	if (result == 0 && a->is_bare) {
		result = err_service(a->bare);
		if (a->bare != ERR_AGAIN && a->bare != ERR_RATELIMIT) {
			fail_all(a, result);
			return;
		}
	} else if (result == 0 && a->at != NULL) {
		result = err_set(ERR_PROTO, "fewer results than commands");
	}
	/* What is not JSON may be a proxy's page or a cut reply. */
	if (result == ERR_NET || result == ERR_PROTO || result == ERR_AGAIN ||
	    result == ERR_RATELIMIT)
		try_again(a, result);
	else if (result < 0)
		fail_all(a, result);
	else
		deliver(a);
}

/* Whether a command travels alone. */
static int
is_alone(const struct api *a, const struct api_cmd *c)
{
	return c->split != NULL || c->query != NULL || c == &a->why;
}

/* Move queued commands into the body of a request. */
static void
gather(struct api *a)
{
	struct api_cmd **end = &a->flying;
	size_t n = 0;

	buf_reset(&a->body);
	buf_addch(&a->body, '[');
	while (a->queue != NULL && n < API_BATCH_MAX &&
	    (n == 0 || a->body.len < BODY_ENOUGH)) {
		struct api_cmd *c = a->queue;

		if (n > 0 && is_alone(a, c))
			break;
		a->queue = c->next;
		a->queued--;
		if (n++ > 0)
			buf_addch(&a->body, ',');
		buf_add(&a->body, c->json.p, c->json.len);
		c->next = NULL;
		*end = c;
		end = &c->next;
		if (is_alone(a, c))
			break;
	}
	if (a->queue == NULL)
		a->tail = &a->queue;
	buf_addch(&a->body, ']');
}

/* Send what is queued, as far as it goes into one request. */
static void
send_batch(struct api *a)
{
	const char *and = a->auth[0] != '\0' ? "&" : "";

	if (a->busy || a->queue == NULL)
		return;
	gather(a);
	buf_reset(&a->query);
	if (a->flying->query != NULL) {
		buf_reset(&a->body);
		buf_printf(&a->query, "%s/%s%s%s", a->url, a->flying->query,
		    and, a->auth);
	} else {
		buf_printf(&a->query, "%s/cs?id=%llu%s%s", a->url,
		    (unsigned long long)a->id++, and, a->auth);
	}
	a->busy = 1;
	progress(a);
	a->backoff_ms = BACKOFF_MIN_MS;
	a->cuts = a->proofs = 0;
	a->answer[0] = '\0';
	a->streaming = 0;
	if (buf_check(&a->body) < 0) {
		fail_all(a, ERR_TOOBIG);
		return;
	}
	start(a);
}

struct json_out
api_begin(struct api_cmd *c, const char *name)
{
	struct json_out o;

	c->name = name;
	c->tries = 0;
	buf_init(&c->json, BODY_MAX);
	o = (struct json_out){ &c->json, 0 };
	json_open(&o, NULL, '{');
	json_put(&o, "a", name);
	return o;
}

/* Queue a command; it goes out with the others of this turn of the loop. */
static void
enqueue(struct api *a, struct api_cmd *c)
{
	queue_add(a, c);
	gather_more(a);
}

void
api_send(struct api *a, struct api_cmd *c, struct json_out *o)
{
	json_close(o, '}');
	enqueue(a, c);
}

/* What api_wait waits for. */
struct waiting {
	struct json *j;
	int result, over;
};

static void
waited(struct api_cmd *c, struct json *j, int v, int err)
{
	struct waiting *w = c->ctx;
	struct slice raw;

	w->over = 1;
	w->result = err;
	if (err < 0 || w->j == NULL)
		return;
	/* The caller's reader outlives the channel's. */
	raw = json_raw(j, v);
	if (json_type(j, v) == JSON_STRING) {
		raw.p--;
		raw.n += 2;
	}
	w->result = json_parse_copy(w->j, raw.p, raw.n);
}

/* Queue a command and run the loop until its result is there. */
static int
run(struct api *a, struct api_cmd *c, struct json *j)
{
	struct waiting w = { j, 0, 0 };

	c->ctx = &w;
	c->done = waited;
	enqueue(a, c);
	while (!w.over)
		http_turn(a->http, -1);
	return w.result;
}

int
api_wait(struct api *a, struct api_cmd *c, struct json_out *o, struct json *j)
{
	json_close(o, '}');
	return run(a, c, j);
}

int
api_wait_split(struct api *a, struct api_cmd *c, struct json_out *o)
{
	json_close(o, '}');
	return run(a, c, NULL);
}

static void
begin_ask(struct api_cmd *c, const char *query)
{
	c->name = "sc";
	c->query = query;
	c->tries = 0;
	buf_init(&c->json, 0);
}

int
api_ask(struct api *a, struct api_cmd *c, const char *query)
{
	begin_ask(c, query);
	return run(a, c, NULL);
}

void
api_ask_later(struct api *a, struct api_cmd *c, const char *query)
{
	begin_ask(c, query);
	enqueue(a, c);
}
