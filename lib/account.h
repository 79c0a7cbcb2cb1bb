/*
 * An account in use: its session, and the channel to the service.
 *
 * Source: mega-protocol(7), "Login" and "Ephemeral accounts"; meganz/sdk
 * src/commands.cpp, CommandLogin and CommandCreateEphemeralSession.
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include "api.h"
#include "session.h"

struct account {
	struct http *http;
	struct session session; /* zeroed: nobody is logged in */
	struct api *api;        /* under the session, or without one */
	int why_not;            /* account_open_any: ERR_* if there is no
	                         * session, and its text */
	char *why_not_text;
};

/*
 * account_open: load the session file and open the channel.
 *
 * path is --session's operand or NULL.  ERR_LOGIN if there is no session.
 * Asks the service nothing.  account_close in any case.
 */
int account_open(struct account *a, const char *path);

/*
 * account_open_any: the same, but without a session where there is none or
 * it cannot be read: enough for public links.
 */
int account_open_any(struct account *a, const char *path);

/* Whether there is a session: 0, or why not, with its text. */
int account_need_session(const struct account *a);

/* account_open_none: a channel to MEGA_API_URL or the real service, without
 * looking for a session. */
int account_open_none(struct account *a);

/* From now on the channel is under the session in a->session. */
void account_use(struct account *a);

/*
 * account_ephemeral: make an account without a name or password, and a
 * session on it, in memory.
 *
 * a was opened by account_open_any.  The key that could log in again is not
 * kept: the account lives as long as its session.
 */
int account_ephemeral(struct account *a);

/* End the session on the service; one that has ended already is no error. */
int account_end(struct account *a);

/* End a session that has come to nothing, without losing the failure: r, with
 * its text.  Returns r. */
int account_abandon(struct account *a, int r);

/* What the service says of the account ("ug").  Zeroed is valid. */
struct account_info {
	char user[12];       /* handle */
	char *email;         /* NULL: ephemeral */
	char *name;          /* NULL: none */
	int has_keys;        /* a key pair, or a store for one */
};

/*
 * account_info: ask for it.  account_info_free.
 *
 * ERR_SID if the session has ended.
 */
int account_info(struct account *a, struct account_info *info);
void account_info_free(struct account_info *info);

/* Plan and quotas ("uq"): bytes, -1 where the service does not say. */
struct account_quota {
	const char *plan;    /* a word: "free", "pro-1" …; static */
	const char *state;   /* of the storage: "ok", "nearly-full", "full" or
	                      * "locked"; static */
	int64_t until;       /* the plan's end, Unix time, or -1 */
	int64_t used, total; /* storage */
	int64_t sent, allowed; /* transfer in the present window */
};
int account_quota(struct account *a, struct account_quota *q);

/* A session of the account ("usl"). */
struct account_session {
	char id[12];
	int64_t created, used;       /* Unix times */
	struct slice agent, ip, country; /* the service's text; borrowed for
	                                  * the call */
	int current;                 /* it is ours */
};

/* Call fn for each living session. */
int account_sessions(struct account *a,
    void (*fn)(void *ctx, const struct account_session *s), void *ctx);

/* End another session by its id, or with NULL all but ours ("usr"). */
int account_end_session(struct account *a, const char *id);

void account_close(struct account *a);

#endif
