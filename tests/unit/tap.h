/* TAP from C: a few macros, and done() as the last statement of main. */
#ifndef TAP_H
#define TAP_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_n, tap_bad;

/* ok(condition, "what %d", n) */
#define ok(cond, ...) do {                                              \
	int tap_good = (cond) != 0;                                     \
	printf("%sok %d - ", tap_good ? "" : "not ", ++tap_n);          \
	printf(__VA_ARGS__);                                            \
	printf("\n");                                                   \
	if (!tap_good) {                                                \
		tap_bad++;                                              \
		printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);     \
	}                                                               \
} while (0)

#define skip(...) do {                                                  \
	printf("ok %d # SKIP ", ++tap_n);                               \
	printf(__VA_ARGS__);                                            \
	printf("\n");                                                   \
} while (0)

/* Bytes from hexadecimal (blanks allowed) into p; returns how many. */
__attribute__((unused)) static size_t
unhex(uint8_t *p, const char *hex)
{
	size_t n = 0;
	unsigned v;

	while (*hex != '\0') {
		if (*hex == ' ') {
			hex++;
			continue;
		}
		if (sscanf(hex, "%2x", &v) != 1)
			abort();
		p[n++] = (uint8_t)v;
		hex += 2;
	}
	return n;
}

/* Whether n bytes equal those that hex spells. */
__attribute__((unused)) static int
same(const void *p, size_t n, const char *hex)
{
	uint8_t *want = malloc(strlen(hex) / 2 + 1);
	int r = want != NULL && unhex(want, hex) == n &&
	    memcmp(p, want, n) == 0;

	free(want);
	if (!r) {
		printf("# got ");
		for (size_t i = 0; i < n; i++)
			printf("%02x", ((const uint8_t *)p)[i]);
		printf("\n# not %s\n", hex);
	}
	return r;
}

/* Whether two strings are equal. */
__attribute__((unused)) static int
eq(const char *got, const char *want)
{
	int r = got != NULL && strcmp(got, want) == 0;

	if (!r)
		printf("# got \"%s\"\n# not \"%s\"\n",
		    got != NULL ? got : "(null)", want);
	return r;
}

static int
done(void)
{
	printf("1..%d\n", tap_n);
	return tap_bad != 0;
}

#endif
