/* A generated tree, for tests and rehearsals at scale. */
#ifndef POPULATE_H
#define POPULATE_H

#include "store.h"

/*
 * populate: add n nodes to an account whose tree is empty.
 *
 * Every hundredth is a folder, at most ten to a folder and 99 files in each.
 * All decrypt and have fingerprints, and files have contents; the same
 * master key and number give the same names and sizes.  An account that
 * has nodes is left as it is.  0 or ERR_*.
 */
int populate(struct store *db, const char *email, const uint8_t master[16],
    int64_t n);

#endif
