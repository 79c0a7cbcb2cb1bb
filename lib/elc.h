/*
 * ELC containers: many links under one key, which an account server gives to
 * the members of a community.
 *
 * A container is base64 of a marker byte (0x70: gzip, 0xb9: raw) and a
 * record: encrypted links, the server's URL, and the token for which the
 * server hands out the key.  Nothing authenticates it, so each link that
 * comes out is checked on its own.
 *
 * Source: mega-protocol(7), "ELC containers"; carry0987/MegaDownloader.
 */
#ifndef ELC_H
#define ELC_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "megalink.h"

#define ELC_KEY_SIZE   24         /* AES-128 key, and 8 bytes of its IV */
#define ELC_KEY_TEXT   33         /* the same as base64, with a NUL */
#define ELC_BYTES_MAX  (1 << 20)  /* of a container, compressed or not */
#define ELC_RECORD_MAX (8 << 20)  /* of its record, gunzipped */
#define ELC_FIELD_MAX  32767      /* of URL and of token */

/* A container, read.  Zeroed is valid. */
struct elc {
	struct buf record;
	struct slice block;  /* the encrypted links */
	struct slice url;    /* of the server, or "HIDDEN" or "REVERSE" */
	struct slice token;
};

/*
 * elc_read: read what follows "elc?" in a link, or a bare container.
 *
 * Checks everything that can be without the key: ERR_PROTO, or ERR_TOOBIG.
 * e is zeroed or set; elc_free.
 */
int elc_read(struct elc *e, struct slice body);
void elc_free(struct elc *e);

/* Whether the container needs no server: elc_own_key tells its key. */
int elc_is_serverless(const struct elc *e);

/* The key that a serverless container carries.  ERR_PROTO if it does not. */
int elc_own_key(const struct elc *e, uint8_t key[ELC_KEY_SIZE]);

/* A key as a server tells it: base64 of at least 24 bytes, of which the
 * first 24 count.  ERR_PROTO. */
int elc_key_read(uint8_t key[ELC_KEY_SIZE], struct slice text);

/* The key in the standard alphabet, as servers and clients exchange it. */
char *elc_key_write(char out[ELC_KEY_TEXT], const uint8_t key[ELC_KEY_SIZE]);

/*
 * elc_links: decrypt, and call each for every link.
 *
 * ERR_MAC, before any call, if the key gives no link at all; what each
 * returned, if that is not 0; ERR_PROTO after all calls if some entries were
 * no links.
 */
int elc_links(const struct elc *e, const uint8_t key[ELC_KEY_SIZE],
    int (*each)(void *ctx, const struct megalink *l), void *ctx);

/*
 * A text with links in it, of any length, fed in pieces: link is called for
 * each in turn, and for a text that is one container without a prefix, as
 * MegaDownloader wants it in a file ".elc".
 */
struct elc_text {
	/* f is NULL for a word that is too long to be looked at. */
	void (*link)(void *ctx, const struct megalink_found *f);
	void *ctx;
	unsigned long line;         /* of the link, from 1 */
	unsigned long links;        /* so far */

	/* private */
	unsigned long words;
	struct buf word, first;
};

void elc_text_init(struct elc_text *t,
    void (*link)(void *ctx, const struct megalink_found *f), void *ctx);
void elc_text_feed(struct elc_text *t, const char *p, size_t n);
/* The end of the text; frees. */
void elc_text_end(struct elc_text *t);

/*
 * elc_add: add a link to the text that elc_write encrypts.  Start with an
 * empty buffer of at most ELC_BYTES_MAX.  ERR_USAGE as megalink_relative, or
 * ERR_TOOBIG; nothing is added then.
 */
int elc_add(struct buf *links, const struct megalink *l);

/*
 * elc_write: add a container to out, gzipped if that makes it shorter.
 *
 * url NULL makes one that needs no server (and hides nothing); token is
 * ignored then.  bare leaves "mega://elc?" out.  ERR_TOOBIG if URL, token or
 * the whole are too long.
 */
int elc_write(struct buf *out, const struct buf *links,
    const uint8_t key[ELC_KEY_SIZE], const char *url, const char *token,
    int bare);

#endif
