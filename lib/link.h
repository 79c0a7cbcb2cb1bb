/*
 * Public links, in every spelling.
 *
 * Source: mega-protocol(7), "Links"; meganz/sdk src/megaclient.cpp,
 * parsepubliclink; qgustavor/mega lib/file.mjs.
 */
#ifndef LINK_H
#define LINK_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define LINK_PAYLOAD_MAX 256 /* characters after "#P!" */

enum link_kind {
	LINK_FILE,      /* a public file */
	LINK_FOLDER,    /* a public folder, or a node in it */
	LINK_NODE,      /* "#N!": a file in a public folder, with the file's
	                 * key and not the folder's */
	LINK_PASSWORD   /* "#P!": either, to be opened with a password */
};

/* A secret: it holds the key. */
struct link {
	enum link_kind kind;
	char ph[9];          /* public handle, NUL-terminated; of LINK_NODE
	                      * the folder's */
	uint8_t key[32];     /* 32 bytes of a file, 16 of a folder */
	size_t keylen;       /* 32, 16, or 0 if the link has no key */
	char node[9];        /* LINK_FOLDER: the node selected, or "";
	                      * LINK_NODE: the file's handle */
	int node_is_file;    /* that node is said to be a file */
	char auth[33];       /* writable folder: write authorisation, or "";
	                      * written ":AUTH" behind the key */
	char payload[LINK_PAYLOAD_MAX]; /* LINK_PASSWORD: base64 after #P!,
	                      * with NUL; key and keylen are unset */
	struct slice path;   /* ":/sub/path" behind a folder link, with its
	                      * slash, borrowed from the text; or NULL */
};

/* Whether text looks like a link rather than a path: what decides how an
 * operand is read.  Says nothing about its being right. */
int link_is(const char *text);

/*
 * link_parse: read one link.
 *
 * Takes the new and old forms of file and folder links, sub-nodes, embed
 * forms, the "#N!" forms of download managers, bare "handle#key" and
 * "handle!key", any host of the service, with percent-escapes and in brackets
 * or quotes.  A path behind it (":/…") is
 * taken to the end of the text, byte for byte.  ERR_USAGE, with a text that
 * never holds the key, if it is none; l is then wiped.
 */
int link_parse(struct link *l, const char *text);

/* The link in its new form (or old), NUL-terminated; LINK_NODE has one form
 * only. */
#define LINK_TEXT_MAX (LINK_PAYLOAD_MAX + 32)
char *link_print(char out[LINK_TEXT_MAX], const struct link *l, int old);

/*
 * link_unlock: turn a password link into the link it hides.
 *
 * ERR_MAC for a wrong password, ERR_USAGE for a payload that is none.  Takes
 * a good part of a second of computing, as it is meant to.
 */
int link_unlock(struct link *l, const char *password);

/* link_lock: the reverse; salt (32 bytes) is random if NULL.  ERR_USAGE for
 * a link without a key, or to a node in a folder. */
int link_lock(struct link *l, const char *password, const uint8_t *salt);

/*
 * link_redact: add text to out as messages may show it: every run of base64
 * that is long enough to be a key becomes "...".  For any operand, link or
 * not.
 */
void link_redact(struct buf *out, const char *text);

#endif
