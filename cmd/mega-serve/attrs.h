/*
 * User attributes: names with a value and a version.
 *
 * Source: mega-protocol(7), "User attributes".
 */
#ifndef ATTRS_H
#define ATTRS_H

#include "cs.h"

/*
 * attrs_put_members: store every member of the command that is an
 * attribute, and tell so.
 *
 * The value is a string; with versioned it is [value, known version], and
 * ERR_EXPIRED if the stored one is another.
 */
int attrs_put_members(struct cs *c, int versioned);

/* Add all attributes of the user that asks to an object. */
void attrs_put_all(struct cs *c, struct json_out *o, int v);

#endif
