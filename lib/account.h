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
};

/*
 * account_open: load the session file and open the channel.
 *
 * path is --session's operand or NULL.  ERR_LOGIN if there is no session.
 * Asks the service nothing.  account_close in any case.
 */
int account_open(struct account *a, const char *path);

/*
 * account_open_any: the same, but without a session where there is none:
 * enough for public links.
 */
int account_open_any(struct account *a, const char *path);

/*
 * account_ephemeral: make an account without a name or password, and a
 * session on it, in memory.
 *
 * a was opened by account_open_any.  The key that could log in again is not
 * kept: the account lives as long as its session.
 */
int account_ephemeral(struct account *a);

/* End the session on the service and remove its file (a->session.path).  A
 * session that has ended already is no error. */
int account_logout(struct account *a);

void account_close(struct account *a);

#endif
