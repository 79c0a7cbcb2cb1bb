/*
 * Accounts: made from the command line or by clients, logged into, asked.
 *
 * Source: mega-protocol(7), "Password keys" and "Ephemeral accounts".
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include "cs.h"

/*
 * account_create: an account with that password, of version 1 or 2.
 *
 * seed is the base32 seed of its second factor, or NULL.  The master key is
 * made here and, but for what clients need, forgotten.  An account that is
 * there already is left as it is.  0 or ERR_*.
 */
int account_create(struct store *db, const char *email,
    const char *password, int version, const char *seed);

/* The master key of an account, for its password.  0 or ERR_NOENT. */
int account_master(struct store *db, uint8_t master[16], const char *email,
    const char *password);

/* account_new: a user without a way to log in, with its three root nodes.
 * Returns the id, or ERR_LOCAL. */
int64_t account_new(struct store *db, const char *k, const char *ts,
    char handle[12]);

/* Check a one-time code for a user: 0, ERR_MFAREQUIRED or ERR_FAILED. */
int account_mfa(struct store *db, int64_t user, struct slice code);

/* signup.c: confirm a registration of version 1 by its mailed code. */
int signup_confirm_v1(struct cs *c, struct slice code, struct slice uh);

#endif
