/*
 * The share keys that official clients keep in the account's private
 * attribute "^!keys".
 *
 * Source: mega-protocol(7), "Key manager"; meganz/sdk src/megaclient.cpp,
 * KeyManager.
 */
#ifndef KEYRING_H
#define KEYRING_H

#include <stdint.h>

#include "buf.h"

#define KEYRING_NAME "^!keys"
#define KEYRING_MAX  (1 << 20) /* bytes of one */

/*
 * keyring_open: decrypt an attribute, and call fn for each share's key.
 *
 * text is its base64, master the account's key.  h is 6 bytes, key 16, both
 * borrowed for the call; what fn returns below 0 ends it.  ERR_MAC if it does
 * not authenticate (nothing was called then), ERR_PROTO if it is none.
 */
int keyring_open(struct slice text, const uint8_t master[16],
    int (*fn)(void *ctx, const uint8_t h[6], const uint8_t key[16]),
    void *ctx);

#endif
