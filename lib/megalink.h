/*
 * MegaDownloader's "mega://" links: found in text, read and written.
 *
 * What an ELC container holds is elc.h's; here are the links that need no
 * account: plain, wrapped, enc and fenc with their fixed keys, and configelc.
 * The fixed keys are public, so enc links hide nothing from anybody.
 *
 * Source: mega-protocol(7), "MegaDownloader links"; carry0987/MegaDownloader
 * and tonikelope/megabasterd, whose output the vectors agree with.
 */
#ifndef MEGALINK_H
#define MEGALINK_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define MEGALINK_WORD_MAX (2 << 20) /* characters of one link */

enum megalink_kind {
	MEGALINK_PLAIN,   /* mega://#!ID!KEY, mega://https://mega.nz/... */
	MEGALINK_ENC,
	MEGALINK_ENC2,
	MEGALINK_FENC,
	MEGALINK_FENC2,
	MEGALINK_ELC,
	MEGALINK_CONFIG,  /* an account for ELC containers */
	MEGALINK_SEARCH,  /* redirects of a site that is gone */
	MEGALINK_CRYPTER, /* MegaCrypter: only its operator can open it */
	MEGALINK_UNKNOWN  /* mega://, and a word that we do not know */
};

/* The word for a kind: "enc2", "plain". */
const char *megalink_kind_name(enum megalink_kind kind);

/* A link in somebody's text; both slices borrow from it. */
struct megalink_found {
	enum megalink_kind kind;
	struct slice text; /* all of it */
	struct slice arg;  /* what follows "enc?"; of a plain link all of it */
};

/*
 * megalink_find: the next link in text, which is advanced behind it.
 *
 * 1 with f filled in, or 0 and text empty.  A link never crosses white
 * space, so a stream may be fed word by word.
 */
int megalink_find(struct slice *text, struct megalink_found *f);

/* Whether text is one link for this module and elc.h, and nothing else. */
int megalink_is(const char *text);

#define MEGALINK_ID_SIZE   33  /* characters, with a NUL */
#define MEGALINK_KEY_SIZE  65
#define MEGALINK_TEXT_SIZE 256

/*
 * What an opened link names, as text: decoding demands the alphabet of ids
 * and keys, but not their lengths.  A secret: it holds the key.
 */
struct megalink {
	enum megalink_type {
		MEGALINK_FILE,
		MEGALINK_FOLDER,
		MEGALINK_NODE   /* a file addressed through a public folder,
		                 * with its own key */
	} type;
	char id[MEGALINK_ID_SIZE];    /* public handle; of NODE the folder's */
	char key[MEGALINK_KEY_SIZE];  /* base64, "" if the link has none */
	char node[MEGALINK_ID_SIZE];  /* NODE: its handle; FOLDER: the node
	                               * selected in it, or "" */
	int node_is_file;             /* FOLDER: that node is a file */
};

/*
 * megalink_parse: read an ordinary link, a relative one ("#!ID!KEY",
 * "file/ID#KEY", "#N!..."), or one of either behind "mega://".
 *
 * ERR_PROTO, with a text that never holds the link, if it is none.
 */
int megalink_parse(struct megalink *l, const char *text, size_t n);

/* The ordinary link: in its new form, or the "#N!" form that a NODE has
 * alone.  NUL-terminated; returns out. */
char *megalink_print(char out[MEGALINK_TEXT_SIZE], const struct megalink *l);

/* The legacy relative form that containers hold.  ERR_USAGE for a node
 * selected in a folder, which has none. */
int megalink_relative(struct buf *out, const struct megalink *l);

/* What is odd about a link that the service might not accept ("a key of 28
 * characters, not 43"), or NULL. */
const char *megalink_doubt(const struct megalink *l);

/*
 * megalink_open: decrypt the argument of an enc, enc2, fenc or fenc2 link.
 *
 * Tries the key that kind names, then the other; believes neither before
 * padding and text are right.  ERR_PROTO if arg is no base64 of whole
 * blocks, ERR_MAC if neither key gives a link.
 */
int megalink_open(struct megalink *l, enum megalink_kind kind,
    struct slice arg);

/* megalink_seal: add the enc2 or fenc2 link (old: enc or fenc) for l to
 * out.  ERR_USAGE as megalink_relative. */
int megalink_seal(struct buf *out, const struct megalink *l, int old);

/*
 * megalink_base64: decode the dialect of these links: either alphabet,
 * commas anywhere, padding or none.
 *
 * Adds the bytes to out.  ERR_PROTO for a foreign character or an impossible
 * length, ERR_TOOBIG.
 */
int megalink_base64(struct buf *out, struct slice text);

/* Whether a URL can be an account server's: absolute, http or https, UTF-8,
 * without blanks, controls, user information or fragment. */
int megalink_server_url(struct slice url);

/* An account as a configelc link carries it.  A secret; zeroed is valid. */
struct megalink_config {
	char *url, *user, *key; /* UTF-8, never empty */
	char *alias;            /* the URL if the link names none */
};

/* megalink_config_read: read the argument of a configelc link.  ERR_PROTO.
 * c is zeroed or set; megalink_config_free. */
int megalink_config_read(struct megalink_config *c, struct slice arg);

/* Add the whole link to out.  alias may be NULL. */
int megalink_config_write(struct buf *out, const struct megalink_config *c);

void megalink_config_free(struct megalink_config *c);

#endif
