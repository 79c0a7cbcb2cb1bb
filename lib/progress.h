/*
 * How far transfers are, on standard error: a line that is redrawn on a
 * terminal; one line every half minute, or JSON, where asked for.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdint.h>

/* Begin, by cmd.progress and cmd.quiet.  verb: "get". */
void progress_begin(const char *verb);

/* A file of that many bytes is under way: added to the total. */
void progress_file(const char *name, int64_t size);

/* A file has ended. */
void progress_ended(void);

/* n more bytes have moved: fits download_options and upload_options. */
void progress_moved(void *ctx, int64_t n);

/* Everything has moved; only the service's word is missing. */
void progress_end(void);

#endif
