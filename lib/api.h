/*
 * The service's command channel: one round trip at a time, with everything
 * that was asked for meanwhile riding in the next.
 *
 * api alone retries, sleeps, solves proofs of work and reads error numbers;
 * where an account is blocked it asks why, and says so in the error's text.
 * A retry repeats the same body under the same id, so that the service never
 * runs a command twice.  Source: mega-protocol(7), "Requests".
 */
#ifndef API_H
#define API_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "compat.h"
#include "http.h"
#include "json.h"

#define API_BATCH_MAX   200          /* commands in one request */
#define API_REPLY_MAX   (16 << 20)   /* one command's result, bytes */
#define API_PATIENCE_S  180          /* for one request with its retries */
#define API_WORK_S      240          /* for its proofs of work */

struct api;

/* One command.  The caller owns it, until done is called. */
struct api_cmd {
	/* The command, as a JSON object; taken over. */
	struct buf json;

	/*
	 * The result: v is the value in j, borrowed for the call; err is 0,
	 * or ERR_* with a text (then v is -1 and nothing is in j).  A
	 * negative number in the reply comes as err.  It may send commands,
	 * but not wait for them.
	 */
	void (*done)(struct api_cmd *c, struct json *j, int v, int err);

	/*
	 * For a result too long to hold: its parts go to these instead
	 * (json_split's, with depth 0 for the result itself), and done tells
	 * the end.  Such a command travels alone.  NULL otherwise.
	 */
	const struct json_split *split;
	/* With split: forget what came so far, the request is repeated. */
	void (*again)(struct api_cmd *c);

	void *ctx;            /* the caller's */
	const char *name;     /* for messages: "g" */

	const char *query;    /* private: api_ask's */

	struct api_cmd *next; /* private */
	int tries;            /* private */
};

/*
 * api_new: a channel.
 *
 * url is the service's, checked by session_url.  auth is what goes behind
 * the request id in the query: "sid=…", "n=…" or "".
 */
struct api *api_new(struct http *h, const char *url, const char *auth);
void api_set_auth(struct api *a, const char *auth);
void api_free(struct api *a);
struct http *api_http(struct api *a);

/* What its requests are signed with: "sid=…" or "n=…", or "".  Borrowed. */
const char *api_auth(const struct api *a);

/* Commands whose json is begun here: {"a":"name", and the writer stands
 * ready for the next member; api_end closes and queues it. */
struct json_out api_begin(struct api_cmd *c, const char *name);
void api_send(struct api *a, struct api_cmd *c, struct json_out *o);

/*
 * api_wait: send one command and run the loop until its result is there.
 *
 * The result's value number, >= 0, valid in *j (which the caller zeroed, and
 * frees); or ERR_*.  With j NULL, 0 stands for any result.
 */
int api_wait(struct api *a, struct api_cmd *c, struct json_out *o,
    struct json *j);

/* The same for a command with split: 0 or ERR_*. */
int api_wait_split(struct api *a, struct api_cmd *c, struct json_out *o);

/*
 * api_ask: the service's event channel: an empty request to a path with a
 * query ("wsc?sn=…"), to which the channel's authority is added.
 *
 * The answer is an object, whose members go to c->split (depth 0 for the
 * object).  Retries and errors are those of commands.
 */
int api_ask(struct api *a, struct api_cmd *c, const char *query);

/*
 * api_linger: let commands gather for so long before they go out together,
 * unless there are many of them.  0, as at first: they go at once.  For
 * callers with a long list of things to do, who lose no time by it.
 */
void api_linger(struct api *a, int64_t ms);

/* The same without waiting: c->done gets the answer, which has to fit into
 * API_REPLY_MAX (c->split is NULL). */
void api_ask_later(struct api *a, struct api_cmd *c, const char *query);

/* The requests sent so far (for tests and --verbose). */
unsigned api_requests(const struct api *a);

/* How long to go on trying, in seconds: API_PATIENCE_S, or what the
 * environment's MEGA_TIMEOUT says (of which proofs of work take no more,
 * either). */
int64_t api_patience(void);

/* How long to pause after so many failures in a row of a transfer, in
 * milliseconds: longer each time.  -1 once the pauses come to more than
 * api_patience. */
int64_t api_pause_ms(unsigned fails);

/* Called with words when something takes long: proof of work, waiting for a
 * busy service.  May be NULL. */
extern void (*api_notice)(const char *words);

/* Called with words on what happened beside, for those who want to know
 * (--verbose).  May be NULL. */
extern void (*api_remark)(const char *words);

/* Call these two, if they are set, with words made to a format. */
void api_say(const char *fmt, ...) COMPAT_PRINTF(1, 2);
void api_say_more(const char *fmt, ...) COMPAT_PRINTF(1, 2);

#endif
