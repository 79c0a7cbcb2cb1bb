#include <stddef.h>

#include "api.h"
#include "err.h"
#include "pace.h"

#define PAYS_PERCENT 105   /* of the rate before */
#define REST_MS      30000 /* after a trial that did not pay */
#define TELL_MS      10000

void
pace_init(struct pace *p, unsigned connections, int64_t now_ms)
{
	unsigned n = connections < PACE_MAX ? connections : PACE_MAX;

	*p = (struct pace){ .all = n, .each = n, .all_most = n,
	    .each_most = n, .since_ms = now_ms,
	    .failed_ms = now_ms - PACE_MS, .told_ms = now_ms - TELL_MS };
	if (connections == 0) {
		p->all = p->all_most = PACE_ALL;
		p->each = PACE_FIRST;
		p->each_most = PACE_EACH;
	}
}

void
pace_moved(struct pace *p, int64_t n)
{
	p->moved += n;
}

static void
begin_look(struct pace *p, int64_t now_ms)
{
	p->moved = 0;
	p->since_ms = now_ms;
}

void
pace_failed(struct pace *p, unsigned busy, int64_t now_ms)
{
	p->raised = NULL;
	begin_look(p, now_ms);
	if (now_ms - p->failed_ms < PACE_MS)
		return;
	p->failed_ms = now_ms;
	if (busy > p->all)
		busy = p->all;
	if (busy < 2)
		return;
	p->all = busy / 2;
	api_say_more("%u connections instead of %u: %s", p->all, busy,
	    err_text());
}

/* Whether what is on trial has paid; if not, it is taken back. */
static void
judge(struct pace *p, int64_t rate, int64_t now_ms)
{
	if (p->raised == NULL)
		return;
	if (rate * 100 < p->before * PAYS_PERCENT) {
		*p->raised -= p->by;
		p->rest_ms = now_ms + REST_MS;
	}
	p->raised = NULL;
}

static int
raise(struct pace *p, unsigned *what, unsigned most)
{
	p->by = 1 + *what / 4;
	if (p->by > most - *what)
		p->by = most - *what;
	p->raised = what;
	*what += p->by;
	api_say_more("up to %u connections%s", *what, what == &p->each ?
	    " for a file" : "");
	return 1;
}

int
pace_look(struct pace *p, unsigned busy, int64_t now_ms)
{
	int64_t rate, ms = now_ms - p->since_ms;

	if (ms < PACE_MS)
		return 0;
	rate = p->moved * 1000 / ms;
	judge(p, rate, now_ms);
	begin_look(p, now_ms);
	if (rate == 0 || now_ms < p->rest_ms)
		return 0;
	p->before = rate;
	if (busy >= p->all && p->all < p->all_most)
		return raise(p, &p->all, p->all_most);
	if (busy < p->all && p->each < p->each_most)
		return raise(p, &p->each, p->each_most);
	return 0;
}

void
pace_tell(struct pace *p, int64_t pause_ms, int64_t now_ms)
{
	const long long s = (long long)pause_ms / 1000;

	if (s < 2) {
		api_say_more("%s; trying again", err_text());
	} else if (now_ms - p->told_ms < TELL_MS) {
		api_say_more("%s; trying again in %lld seconds", err_text(),
		    s);
	} else {
		p->told_ms = now_ms;
		api_say("%s; trying again in %lld seconds", err_text(), s);
	}
}
