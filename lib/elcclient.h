/*
 * What "mega://" links stand for, asking account servers where need be.
 *
 * Source: mega-protocol(7), "ELC account servers".
 */
#ifndef ELCCLIENT_H
#define ELCCLIENT_H

#include <stdint.h>

#include "elc.h"
#include "elcaccount.h"
#include "megalink.h"

/* Zeroed is valid: the accounts file is read, and the network touched, when
 * a container first needs it. */
struct elcclient {
	int allow_http;     /* also to servers on other machines */
	struct elcaccounts accounts;
	int loaded;         /* private */
	struct http *http;  /* private */
};

void elcclient_free(struct elcclient *c);

/* elcclient_load: read the accounts file, once.  0 or as elcaccount_load. */
int elcclient_load(struct elcclient *c);

/*
 * elcclient_open: call each for every link that one found link stands for:
 * itself, or those in the container that it is.
 *
 * ERR_LOGIN if there is no account for the container's server; ERR_REFUSED
 * with the server's words; ERR_NET; ERR_USAGE for a server that may not be
 * talked to and for a configelc link; ERR_PROTO for links that nobody can
 * open; as megalink_open and elc_links, and what each returned.
 */
int elcclient_open(struct elcclient *c, const struct megalink_found *f,
    int (*each)(void *ctx, const struct megalink *l), void *ctx);

/* The same for an operand: text is one link (megalink_is). */
int elcclient_open_text(struct elcclient *c, const char *text,
    int (*each)(void *ctx, const struct megalink *l), void *ctx);

/*
 * elcclient_token: a server's token for a new key, for elc_write.
 *
 * Added to token.  Fails as elcclient_open.
 */
int elcclient_token(struct elcclient *c, const struct megalink_config *account,
    const uint8_t key[ELC_KEY_SIZE], struct buf *token);

#endif
