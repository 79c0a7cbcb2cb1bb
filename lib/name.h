/*
 * Names that strangers chose, made fit for a disk and for a terminal.
 *
 * Source of the mapping: mega-operands(7), "Names on disk"; it is that of
 * official clients on Unix file systems.
 */
#ifndef NAME_H
#define NAME_H

#include <stddef.h>

#include "buf.h"

#define NAME_LOCAL_MAX 256 /* with NUL */

/*
 * name_local: the file name for a remote name of n bytes.
 *
 * "." and ".." become %2e and %2e%2e, a slash %2f, a NUL %00; everything
 * else stays, byte for byte.  A name of over 255 bytes is cut, at the border
 * of a UTF-8 character, and gets ~handle before its extension.  An empty
 * name becomes H:handle.  The result is never empty, ".", "..", and holds no
 * slash.
 */
char *name_local(char out[NAME_LOCAL_MAX], const char *name, size_t n,
    const char *handle);

/* Undo it for an upload: %2f, %00, and %2e where it stands for a name of
 * dots. */
void name_remote(struct buf *out, const char *local);

/*
 * Add text to out with control characters (C0, DEL, C1) and bytes that are
 * no UTF-8 as \n, \t, \\ or \xHH: what a terminal may see.
 */
void name_escape(struct buf *out, const char *p, size_t n);

#endif
