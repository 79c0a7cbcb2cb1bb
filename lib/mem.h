/*
 * Memory that is there or ends the process.
 *
 * Only for sizes that we chose ourselves or that passed a ceiling: nothing
 * that a server says may reach these unchecked.
 */
#ifndef MEM_H
#define MEM_H

#include "compat.h"

void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) COMPAT_PRINTF(1, 2);

#endif
