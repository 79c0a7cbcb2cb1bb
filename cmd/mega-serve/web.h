/*
 * HTTP: requests come in, answers go out.  The only part that knows
 * libmicrohttpd.
 *
 * A route looks at a request when its headers are there, takes its body
 * piece by piece and in the end fills in the answer.
 */
#ifndef WEB_H
#define WEB_H

#include <sys/types.h>

#include <stdint.h>

#include "buf.h"

#include "serve.h"

#define WEB_BODY_MAX (16 << 20) /* bytes of one command request */

/* What goes back.  One source: body, or a file (fd >= 0), or a stream. */
struct answer {
	int status;          /* of HTTP; 0: none yet, see wait_ms */
	struct buf body;     /* text */
	int fd;              /* file, closed afterwards; -1: none */
	int64_t offset, size; /* the part of it to send */
	ssize_t (*read)(void *ctx, char *p, size_t n); /* stream: 0 at the
	                      * end, negative to cut the connection; its
	                      * length is size, or not known (-1) */
	void (*release)(void *ctx);
	void *ctx;
	int64_t plain;       /* Original-Content-Length of what is compressed,
	                      * if >= 0 */
	int64_t time_left;   /* X-MEGA-Time-Left, if >= 0 */
	char hashcash[128];  /* X-Hashcash, if not empty */
	char range[80];      /* Content-Range, if not empty */
	const char *type;    /* Content-Type; NULL: application/octet-stream */
};

/* One request. */
struct request {
	struct server *srv;  /* borrowed */
	void *conn;          /* libmicrohttpd's */
	const struct route *route;
	const char *method;  /* borrowed */
	char *path;          /* percent-escapes undone, no query */
	char base[280];      /* scheme://host of the request */
	char ip[48];
	struct fault fault;  /* what shall go wrong with it */
	int64_t length;      /* Content-Length, or -1 */
	int64_t got;         /* bytes of the body so far */
	struct buf body;     /* as far as the route keeps it */
	struct answer answer;
	void *upload;        /* transfer's */

	int64_t wait_ms;     /* with answer.status 0: call finish again at
	                      * that time, or when an event has come */
	int64_t since_ms;    /* when it came */
	struct buf commands; /* for the log: JSON strings and commas */
	int sid;             /* for the log: it was made in a session */

	/* private to web.c */
	struct request *prev, *next;
	int64_t resume_ms, sent, slow_ms;
	int begun, suspended;
	struct pack *pack;   /* the answer being compressed */
	size_t body_at;
};

struct route {
	const char *prefix;   /* of the path */
	const char *kind;     /* for the log; NULL: not logged */
	enum fault_where where;
	/* The headers are there. */
	void (*begin)(struct request *q);
	/* More of the body: 0, or negative to cut the connection. */
	int (*body)(struct request *q, const char *p, size_t n);
	/* All of it is there: fill in the answer. */
	void (*finish)(struct request *q);
	/* The request is over, answered or not. */
	void (*end)(struct request *q);
};

struct web_options {
	const char *addr;     /* numeric; NULL: 127.0.0.1 */
	uint16_t port;        /* 0: a free one */
	char *cert, *key;     /* PEM text, or NULL */
	int strangers;        /* other machines can reach it */
};

/* Start listening.  0 or ERR_LOCAL. */
int web_start(struct server *s, const struct web_options *o);
/* The server's own URL, without a slash at the end; borrowed. */
const char *web_url(void);
/* Wait for something to do and do it; signals in unblocked (a sigset_t) are
 * let in only while waiting, and end it. */
void web_turn(const void *unblocked);
void web_stop(void);

/* A parameter of the query, or NULL; a header, or NULL.  Borrowed. */
const char *web_arg(const struct request *q, const char *name);
const char *web_header(const struct request *q, const char *name);

/* Answer with text; with a number, which stands for the whole request. */
void web_text(struct request *q, int status, const char *text);
void web_code(struct request *q, int code);

int64_t web_now_ms(void);

#endif
