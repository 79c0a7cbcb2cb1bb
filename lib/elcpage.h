/*
 * What an account server of ELC containers reads and writes: forms, tokens,
 * replies, and the page that tells a user how to set up an account.
 *
 * Source: mega-protocol(7), "ELC account servers"; the requests as
 * MegaDownloader and MegaBasterd send them.
 */
#ifndef ELCPAGE_H
#define ELCPAGE_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "elc.h"
#include "megalink.h"

#define ELCPAGE_BODY_MAX    65536
#define ELCPAGE_SECRET_SIZE 32
#define ELCPAGE_TOKEN_TEXT  72   /* characters, with a NUL */

/* A request; zeroed is valid.  A secret. */
struct elcpage_form {
	struct buf operation, data, user, apikey;
};

/*
 * elcpage_form_read: take the four fields out of a form's body.
 *
 * Escapes are undone, '+' is a blank, what is no escape stays as it is (one
 * client escapes nothing).  Of a field that comes twice the first counts;
 * others are ignored.  f is set; elcpage_form_free.
 */
void elcpage_form_read(struct elcpage_form *f, struct slice body);
void elcpage_form_free(struct elcpage_form *f);

/*
 * elcpage_key_read: a container's key as a client sends it: standard base64
 * of exactly 24 bytes.
 *
 * Blanks count as '+', for the client that escapes nothing.  ERR_PROTO.
 */
int elcpage_key_read(uint8_t key[ELC_KEY_SIZE], struct slice text);

/* A token that only the holder of secret can open, of letters, digits, '-'
 * and '_' alone, since one client sends it unescaped. */
char *elcpage_token(char out[ELCPAGE_TOKEN_TEXT],
    const uint8_t secret[ELCPAGE_SECRET_SIZE],
    const uint8_t key[ELC_KEY_SIZE]);

/* The key in a token: ERR_MAC if it is none of ours. */
int elcpage_token_open(uint8_t key[ELC_KEY_SIZE],
    const uint8_t secret[ELCPAGE_SECRET_SIZE], struct slice token);

/*
 * elcpage_token_open_legacy: the key in a token that the blog's example page
 * made with its password.
 *
 * Such tokens authenticate nothing; only those that decrypt to a key's
 * base64 are believed.  ERR_MAC.
 */
int elcpage_token_open_legacy(uint8_t key[ELC_KEY_SIZE], const char *password,
    struct slice token);

/* The hash by which the server knows an API key again. */
void elcpage_apikey_hash(uint8_t hash[32],
    const uint8_t secret[ELCPAGE_SECRET_SIZE], struct slice user,
    struct slice apikey);

/* The reply: one of e and d is empty. */
int elcpage_reply(struct buf *out, const char *e, const char *d);

/* A page of HTML with URL, user, key and the link that sets them up. */
int elcpage_html(struct buf *out, const struct megalink_config *c);

#endif
