#include <string.h>

#include "compat.h"
#include "secret.h"

/* Called through a pointer that the compiler must read anew each time. */
static void *(*const volatile wipe)(void *, int, size_t) = memset;

void
secret_zero(void *p, size_t n)
{
	if (n > 0)
		wipe(p, 0, n);
}

int
secret_equal(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;
	unsigned diff = 0;

	for (size_t i = 0; i < n; i++)
		diff |= (unsigned)(x[i] ^ y[i]);
	return diff == 0;
}

void
secret_random(void *p, size_t n)
{
	compat_random(p, n);
}
