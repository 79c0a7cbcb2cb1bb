/*
 * A node's attribute block: "MEGA" and a JSON object, zero-padded, AES-CBC
 * under the node's key.
 *
 * Source: mega-protocol(7), "Attributes"; meganz/sdk src/attrmap.cpp.
 */
#ifndef ATTR_H
#define ATTR_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define ATTR_MAX   65536 /* encrypted block, bytes */
#define ATTR_COUNT 256   /* members */

/*
 * Attributes in the order they came.  Members that we do not know are kept
 * verbatim, since writing attributes replaces the whole block.
 */
struct attr {
	struct attr_member *m;
	size_t n;
};

/*
 * attr_open: decrypt and parse.
 *
 * b64 is the "a" or "at" member, n characters.  key is the folded node key.
 * ERR_PROTO for a length that cannot be, ERR_KEY when the block does not
 * decrypt to "MEGA{" (a wrong key) and ERR_PROTO when what follows is no
 * JSON object.  a is zeroed or set; attr_free.
 */
int attr_open(struct attr *a, const char *b64, size_t n,
    const uint8_t key[16]);

/* attr_seal: the encrypted block as base64, added to out. 0 or ERR_TOOBIG. */
int attr_seal(const struct attr *a, struct buf *out, const uint8_t key[16]);

/* The text of a member, JSON escapes undone, NUL-terminated, borrowed; or
 * NULL.  A number comes as its text.  len, if not NULL, is the length, which
 * counts NULs inside. */
const char *attr_get(const struct attr *a, const char *name, size_t *len);

/* Set a member to a string (n bytes, any), or remove it (value NULL). */
void attr_set(struct attr *a, const char *name, const char *value, size_t n);

/* Drop what must not travel when another account imports the node, or
 * (import 0) when it is copied. */
void attr_strip(struct attr *a, int import);

/* Take over what people have said of a file, for its new version: favourite,
 * label, description, tags, and that it is sensitive.  What describes the data
 * does not go on. */
void attr_inherit(struct attr *a, const struct attr *from);

/* Whether two lists have the same members in the same order. */
int attr_same(const struct attr *a, const struct attr *b);

void attr_free(struct attr *a);

#endif
