/*
 * The command channel: batches of commands, their dialects and sessions.
 *
 * Source: mega-protocol(7), "Requests" and "Replies".
 */
#ifndef CS_H
#define CS_H

#include <stddef.h>
#include <stdint.h>

#include "json.h"
#include "shape.h"

#include "serve.h"
#include "web.h"

struct list;

/* One batch while it runs.  Handlers see one command of it at a time. */
struct cs {
	struct server *srv;     /* borrowed */
	struct store *db;       /* borrowed: of srv */
	struct request *q;      /* borrowed */
	struct json *j;         /* borrowed: the batch */
	int v;                  /* dialect: 3, or any older */

	/* who asks */
	int64_t user;           /* 0: nobody logged in */
	int64_t session;
	char handle[12];        /* the user's */
	int64_t home;           /* root folder of a folder link, 0: none */
	int writable;           /* the link lets one write */

	/* the command */
	int cmd;                /* its object in j */
	struct json_out out;    /* takes one value, or nothing for success */
	char st[16];            /* tag of the packets it made, or "" */
	int told;               /* one of them went to who asks */
	struct list *list;      /* of an f: streamed in the reply at list_at */
	size_t list_at;
};

/*
 * A handler: 0, or an error, which undoes what it changed and is the
 * command's result.  args is what the command's shape was read into.
 */
typedef int cs_fn(struct cs *c, const void *args);

enum {
	CS_SID = 1,     /* needs a session */
	CS_ANY = 2,     /* needs a session or a folder link */
	CS_CHANGE = 4,  /* changes something: the reply is kept for retries */
	CS_BLOCKED = 8, /* a blocked account may ask */
	CS_KEEP = 16    /* what it changed stands even if it fails */
};

struct cs_command {
	const char *name;
	cs_fn *run;
	const struct shape *shape; /* NULL: no members of interest */
	size_t size;               /* of the struct that shape fills */
	unsigned flags;
};

/* The tables, one a module, each ended by a NULL name. */
extern const struct cs_command account_commands[];
extern const struct cs_command login_commands[];
extern const struct cs_command signup_commands[];
extern const struct cs_command attrs_commands[];
extern const struct cs_command nodes_commands[];
extern const struct cs_command put_commands[];
extern const struct cs_command fattr_commands[];
extern const struct cs_command misc_commands[];
extern const struct cs_command share_commands[];
extern const struct cs_command list_commands[];
extern const struct cs_command transfer_commands[];

extern const struct route cs_route;

#define CS_ARGS_MAX 512

/*
 * Who asks: from sid= and n= of the query.  0, ERR_SID, ERR_BLOCKED,
 * or what is wrong with the folder link.
 */
int cs_identify(struct cs *c, struct request *q);

/* Put what a base64 argument holds: 0, or ERR_ARGS if it is not size bytes.
 * For members that come in two sizes. */
int cs_bytes(uint8_t *dst, size_t size, struct slice b64);

/* The address that a command's "user" or "m" gives, lowercased. */
char *cs_email(struct slice text);

#endif
