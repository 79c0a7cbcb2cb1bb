/*
 * One node of an account or of a folder link, as the service describes it:
 * read, its key unwrapped, its attributes decrypted.
 *
 * Source: mega-protocol(7), "Nodes" and "Key strings"; meganz/sdk
 * src/node.cpp.
 */
#ifndef NODE_H
#define NODE_H

#include <stddef.h>
#include <stdint.h>

#include "aes.h"
#include "fingerprint.h"
#include "json.h"
#include "key.h"
#include "rsa.h"

enum node_type {
	NODE_FILE,
	NODE_FOLDER,
	NODE_ROOT,     /* Cloud Drive */
	NODE_INBOX,
	NODE_RUBBISH
};

/* A secret: it holds the key.  Owns its name; node_free. */
struct node {
	char h[9];              /* handle */
	char p[9];              /* parent's handle, or "" */
	char owner[12];         /* user handle */
	enum node_type type;
	int64_t size;           /* of a file, else 0 */
	int64_t created;        /* Unix seconds */
	int64_t mtime;          /* from the fingerprint, -1 if none */
	char *name;             /* bytes, NUL-terminated; NULL if it cannot be
	                         * decrypted */
	size_t namelen;         /* a NUL may be inside */
	uint8_t key[KEY_FILE_SIZE];
	size_t keylen;          /* 32 file, 16 folder, 0: no usable key */
	char fingerprint[FINGERPRINT_TEXT_MAX]; /* attribute "c", or "" */
	char ph[9];             /* public handle if exported, or "" */
};

void node_free(struct node *n);
void node_copy(struct node *to, const struct node *from);

/* The name to show: its own, "Cloud Drive" and so on for the three roots, or
 * "H:xxxxxxxx" where it cannot be decrypted (into tmp, 16 bytes). */
const char *node_name(const struct node *n, char tmp[16], size_t *len);

#endif
