/*
 * The accounts file: which user and API key belong to which account server
 * of ELC containers.
 *
 * JSON, 0600; an account belongs to one whole URL, since whoever writes a
 * container chooses the URL in it, and with that who gets the API key.
 */
#ifndef ELCACCOUNT_H
#define ELCACCOUNT_H

#include <stddef.h>

#include "buf.h"
#include "megalink.h"

#define ELCACCOUNT_MAX      1000    /* accounts */
#define ELCACCOUNT_FILE_MAX (8 << 20)

/* Secrets.  Zeroed is valid: no accounts. */
struct elcaccounts {
	struct megalink_config *account;
	size_t n;
};

/* Where the file is, below XDG_CONFIG_HOME or HOME.  The caller frees it;
 * NULL with ERR_LOCAL's text if there is no home. */
char *elcaccount_path(void);

/* elcaccount_load: read the file; none means no accounts.  ERR_LOCAL,
 * ERR_TOOBIG, or ERR_PROTO.  a is zeroed or set; elcaccount_free. */
int elcaccount_load(struct elcaccounts *a, const char *path);
int elcaccount_save(const struct elcaccounts *a, const char *path);
void elcaccount_free(struct elcaccounts *a);

/*
 * elcaccount_match: the account for a container's URL, borrowed, or NULL.
 *
 * URLs match as a whole; only the case of scheme and host, and a default
 * port, make no difference.
 */
const struct megalink_config *elcaccount_match(const struct elcaccounts *a,
    struct slice url);

/* The account of that alias, borrowed, or NULL. */
const struct megalink_config *elcaccount_named(const struct elcaccounts *a,
    const char *alias);

/* elcaccount_put: add an account, or replace that of the same URL.  Takes c
 * over and zeroes it.  ERR_TAKEN if the alias is another URL's, ERR_TOOBIG;
 * c is left alone then. */
int elcaccount_put(struct elcaccounts *a, struct megalink_config *c);

/* Remove the account of that alias: ERR_NOENT if there is none. */
int elcaccount_remove(struct elcaccounts *a, const char *alias);

/* A URL (that megalink_server_url accepts) as it is compared: scheme and host
 * in lower case, no default port, a path.  The caller frees it. */
char *elcaccount_normal(struct slice url);

/* The length of scheme, host and port in a URL that elcaccount_normal made. */
size_t elcaccount_origin(const char *normal);

#endif
