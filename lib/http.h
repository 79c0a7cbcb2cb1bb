/*
 * HTTP: any number of requests at once on one thread, and timers.
 *
 * libcurl's multi interface behind a small loop.  Certificates are always
 * checked; redirects are never followed; every request has deadlines.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct http; /* the loop and its connections */

#define HTTP_CONNECT_MS 15000
#define HTTP_IDLE_S     60     /* nothing moves: the request fails */
#define HTTP_DATA_MAX   (128 << 10) /* bytes that data gets at a time */

struct http *http_new(void);
void http_free(struct http *h);

/*
 * One request.  The caller zeroes it, fills in the first part and owns it;
 * it must stay in place until done is called or it is cancelled.
 */
struct http_req {
	const char *url;            /* borrowed until http_start returns */
	int post;                   /* POST body (also an empty one) */
	const void *body;           /* borrowed until done */
	size_t bodylen;
	const char *type;           /* its header line; NULL: octet-stream */
	const char *header[3];      /* more request headers, or NULL */
	int64_t idle_s;             /* 0: HTTP_IDLE_S */
	int64_t limit_rate;         /* bytes a second, 0: no limit */
	int compressed;             /* accept a compressed reply */
	int64_t want;               /* an answer that is said to be shorter, or
	                             * a web page, is none; 0: it may be both */

	/*
	 * A piece of the body of the answer.  Called only for status 200
	 * (or 206); 0, or an error that ends the request.  NULL: the body
	 * is dropped.
	 */
	int (*data)(struct http_req *r, const char *p, size_t n);

	/*
	 * The end: result is 0 with status set, or what data returned, or
	 * ERR_NET (with a text).  A request may be started anew from here.
	 */
	void (*done)(struct http_req *r, int result);
	void *ctx;                  /* the caller's */

	/* Of the answer. */
	int status;                 /* 0: none came */
	int64_t length;             /* Content-Length, -1: not said */
	int64_t sent;               /* bytes of the body that went out */
	int64_t time_left;          /* X-MEGA-Time-Left, -1: not said */
	char hashcash[160];         /* X-Hashcash, or "" */
	char location[2048];        /* Location, or "" */
	int html;                   /* Content-Type says it is a page */
	int refused;                /* no connection was made at all */
	int untrusted;              /* its certificate is not believed: the
	                             * next try would end like this one */

	/* private */
	struct http *loop;
	void *easy, *headers;
	int result;
	struct http_req *next, **prev;
};

/* Start a request.  Failures come through done, never from here. */
void http_start(struct http *h, struct http_req *r);

/* End a request without done.  Nothing happens if it is not under way. */
void http_cancel(struct http_req *r);

/* Stop and resume taking in the answer's body. */
void http_pause(struct http_req *r, int pause);

/* A timer, owned by the caller; zeroed is valid. */
struct http_timer {
	void (*fire)(struct http_timer *t);
	void *ctx;
	int64_t at_ms;              /* private */
	int set;                    /* private */
	struct http_timer *next;    /* private */
};

/* Fire once, ms from now; a timer that is set already is set anew. */
void http_timer_set(struct http *h, struct http_timer *t, int64_t ms);
void http_timer_clear(struct http *h, struct http_timer *t);

/* A descriptor to read from, watched by the loop; zeroed is valid. */
struct http_watch {
	int fd;
	void (*ready)(struct http_watch *w); /* it can be read, or has ended */
	void *ctx;
	int set;                    /* private */
	struct http_watch *next;    /* private */
};
void http_watch_set(struct http *h, struct http_watch *w);
void http_watch_clear(struct http *h, struct http_watch *w);

/* Turn the loop once: wait for something to happen (at most max_ms, -1: as
 * long as it takes) and call what is due.  0 when nothing is under way and
 * no timer set, 1 otherwise. */
int http_turn(struct http *h, int64_t max_ms);

/* Milliseconds of a clock that never jumps. */
int64_t http_now_ms(void);

/* Milliseconds that have been spent in this loop: not those in which the
 * machine slept, the process was stopped, or something else was done. */
int64_t http_awake_ms(const struct http *h);

/* Whether a URL may be talked to: https, or http to a loopback address.
 * 0, or ERR_USAGE with a text. */
int http_check_url(const char *url);

/* The same for data URLs: plain http may go anywhere, since what travels is
 * encrypted; other schemes may not. */
int http_check_data_url(const char *url, size_t n);

#endif
