/*
 * The users of an ELC account server: a SQLite file that any number of CGI
 * processes share.
 *
 * It holds the server's secret, from which every token is made: whoever can
 * read it can open every container of the community.  API keys are kept as
 * hashes.
 */
#ifndef ELCUSERS_H
#define ELCUSERS_H

#include <stdint.h>

#include "buf.h"
#include "elcpage.h"

#define ELCUSERS_NAME_MAX 64   /* characters of a user's name */
#define ELCUSERS_KEY_TEXT 44   /* an API key, with a NUL */
#define ELCUSERS_KEYS_MAX 8    /* of one user; a new one ends the oldest */

struct elcusers;

/*
 * elcusers_open: open the file; create makes it (0600) if there is none.
 *
 * ERR_LOCAL, also if others than owner and group may read it.  *u is NULL or
 * set; elcusers_close.
 */
int elcusers_open(struct elcusers **u, const char *path, int create);
void elcusers_close(struct elcusers *u);

const uint8_t *elcusers_secret(const struct elcusers *u);

/* Whether a name can be a user's: letters, digits, '.', '_', '-'.  One client
 * sends it unescaped. */
int elcusers_name_ok(struct slice name);

/* Each fails with ERR_LOCAL for what SQLite says, and: */

/* ERR_USAGE for a name that cannot be, ERR_TAKEN if there is such a user. */
int elcusers_add(struct elcusers *u, const char *name);

/* End a user and all keys: ERR_NOENT. */
int elcusers_revoke(struct elcusers *u, const char *name);

/* A new API key, which only the caller ever sees: ERR_NOENT. */
int elcusers_new_key(struct elcusers *u, const char *name,
    char key[ELCUSERS_KEY_TEXT]);

struct elcusers_user {
	const char *name;
	int64_t created;
	int64_t revoked; /* 0: not */
	int64_t keys;
};

/* Call each for every user by name; ends at what is not 0. */
int elcusers_list(struct elcusers *u,
    int (*each)(void *ctx, const struct elcusers_user *user), void *ctx);

/* Whether that user has that API key, in time that does not tell how much of
 * it was right: 1 or 0. */
int elcusers_check(struct elcusers *u, struct slice name,
    struct slice apikey);

/* Count one request of somebody (a user or an address) in the minute now:
 * 1, or 0 if that is more than limit. */
int elcusers_count(struct elcusers *u, const char *who, int64_t now,
    int64_t limit);

#endif
