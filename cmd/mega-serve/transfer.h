/*
 * The bytes of files: uploads, downloads and file attributes.
 *
 * Source: mega-protocol(7), "Transfers".
 */
#ifndef TRANSFER_H
#define TRANSFER_H

#include "web.h"

extern const struct route transfer_up_route, transfer_down_route;

#endif
