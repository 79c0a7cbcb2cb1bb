#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "listen.h"
#include "mem.h"
#include "tree_impl.h"

#define IDLE_S       40    /* as official clients; the service holds a
                            * request for less */
#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 60000
#define QUICK_MS     500   /* waits that end sooner, for nothing, are
                            * followed by a pause */

struct listener {
	struct tree *t;
	struct api *api;
	void (*round)(void *ctx, int result);
	void *ctx;
	struct api_cmd cmd;
	struct http_req req;
	struct http_timer timer;
	unsigned long asked;     /* times */
	int asking;
	int stopped;             /* until listener_resume */
	int dead;                /* the session has ended */
	int closed;              /* to be freed with the answer */
	int quick;               /* the last wait was short, */
	int vain;                /* and nothing had happened */
	int64_t pause_ms;        /* after the next failure */
	int64_t waiting_since_ms;
	char query[EVENT_QUERY_MAX];
	char url[EVENT_URL_MAX + 1];
	struct listener_wait *waiters;
};

static void ask(struct listener *l);

static void
on_timer(struct http_timer *t)
{
	ask(t->ctx);
}

static void
ask_later(struct listener *l, int64_t ms)
{
	l->timer.fire = on_timer;
	l->timer.ctx = l;
	http_timer_set(api_http(l->api), &l->timer, ms);
}

/* Tell those who have waited for this answer. */
static void
tell(struct listener *l, int result)
{
	struct listener_wait **at = &l->waiters, *w;

	while ((w = *at) != NULL) {
		if (w->need > l->asked) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		w->done(w, result);
	}
}

static void
failed(struct listener *l, int r)
{
	l->round(l->ctx, r);
	tell(l, r);
	if (r == ERR_SID) {
		l->dead = 1;
		return;
	}
	ask_later(l, l->pause_ms);
	l->pause_ms *= 2;
	if (l->pause_ms > PAUSE_MAX_MS)
		l->pause_ms = PAUSE_MAX_MS;
}

/* The wait is over: something has happened, or it took too long. */
static void
on_waited(struct http_req *req, int result)
{
	struct listener *l = req->ctx;

	l->quick = http_now_ms() - l->waiting_since_ms < QUICK_MS;
	if (l->quick && (result < 0 || req->status != 200 || l->vain))
		ask_later(l, PAUSE_MIN_MS);
	else
		ask(l);
}

static void
wait_there(struct listener *l)
{
	/* Without a place to wait at, it is asked now and then. */
	if (l->url[0] == '\0' || http_check_url(l->url) < 0) {
		err_clear();
		ask_later(l, PAUSE_MIN_MS);
		return;
	}
	l->waiting_since_ms = http_now_ms();
	l->req = (struct http_req){ .url = l->url, .post = 1,
	    .idle_s = IDLE_S, .done = on_waited, .ctx = l };
	http_start(api_http(l->api), &l->req);
}

static void
reload(struct listener *l)
{
	l->stopped = 1;
	l->round(l->ctx, LISTEN_RELOAD);
}

/* Take an answer in, and note whether it says anything. */
static int
apply(struct listener *l, struct slice answer)
{
	char sn[CACHE_SN_MAX];
	int r;

	memcpy(sn, l->t->state.sn, sizeof sn);
	r = event_apply(l->t, answer, l->url);
	l->vain = l->quick && strcmp(sn, l->t->state.sn) == 0;
	l->quick = 0;
	return r;
}

static void
on_answer(struct api_cmd *c, struct json *j, int v, int err)
{
	struct listener *l = c->ctx;
	int r = err;

	l->asking = 0;
	if (l->closed) {
		free(l);
		return;
	}
	if (r == 0)
		r = apply(l, json_raw(j, v));
	switch (r) {
	case EVENT_RELOAD:
	case ERR_TOOMANY:
	case ERR_TOOBIG:    /* much has happened: the tree is opened by an */
	case ERR_PROTO:     /* answer of any length */
	case CACHE_DAMAGED:
		reload(l);
		break;
	case EVENT_CURRENT:
	case 0:
		l->pause_ms = PAUSE_MIN_MS;
		l->round(l->ctx, 0);
		if (r == EVENT_CURRENT)
			tell(l, 0);
		if (r == 0 || l->waiters != NULL)
			ask(l);
		else
			wait_there(l);
		break;
	default:
		failed(l, r);
	}
}

static void
ask(struct listener *l)
{
	int r;

	if (l->asking || l->stopped || l->dead)
		return;
	l->asked++;
	if ((r = event_query(l->t, l->query)) < 0) {
		failed(l, r);
		return;
	}
	l->asking = 1;
	l->cmd = (struct api_cmd){ .done = on_answer, .ctx = l };
	api_ask_later(l->api, &l->cmd, l->query);
}

struct listener *
listener_new(struct tree *t, struct api *api,
    void (*round)(void *ctx, int result), void *ctx)
{
	struct listener *l = xcalloc(1, sizeof *l);

	l->t = t;
	l->api = api;
	l->round = round;
	l->ctx = ctx;
	l->pause_ms = PAUSE_MIN_MS;
	ask_later(l, 0);
	return l;
}

void
listener_free(struct listener *l)
{
	if (l == NULL)
		return;
	http_cancel(&l->req);
	http_timer_clear(api_http(l->api), &l->timer);
	if (l->asking)
		l->closed = 1;
	else
		free(l);
}

void
listener_resume(struct listener *l, struct tree *t)
{
	l->t = t;
	l->stopped = 0;
	ask_later(l, 0);
}

void
listener_sync(struct listener *l, struct listener_wait *w)
{
	if (l->dead) {
		w->done(w, err_service(ERR_SID));
		return;
	}
	w->need = l->asked + 1;
	w->next = l->waiters;
	l->waiters = w;
	http_cancel(&l->req);
	if (!l->asking)
		ask_later(l, 0);
}
