/*
 * Secrets: made, compared and wiped.
 *
 * Wiping reaches the bytes that it is given.  It cannot reach copies that
 * the compiler left in registers or on the stack, that the kernel wrote to
 * swap, or that a library keeps.
 */
#ifndef SECRET_H
#define SECRET_H

#include <stddef.h>

/* Overwrite n bytes, also where the compiler thinks nobody looks. */
void secret_zero(void *p, size_t n);

/* Whether two runs of n bytes are equal, in time that depends on n alone. */
int secret_equal(const void *a, const void *b, size_t n);

/* n random bytes of the system, fit for keys. */
void secret_random(void *p, size_t n);

#endif
