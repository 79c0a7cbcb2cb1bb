#include <stdlib.h>

#include "cmd.h"
#include "elcclient.h"
#include "err.h"
#include "operand.h"
#include "secret.h"

struct each {
	int (*fn)(void *ctx, const char *operand);
	void *ctx;
	struct elcclient client;
};

/* One link of an encoded operand; its failure is told with its own text, and
 * does not stop the others. */
static int
decoded(void *ctx, const struct megalink *l)
{
	struct each *e = ctx;
	char text[MEGALINK_TEXT_SIZE];
	int r;

	err_clear();
	megalink_print(text, l);
	if ((r = e->fn(e->ctx, text)) < 0)
		cmd_fail(text, r);
	secret_zero(text, sizeof text);
	return 0;
}

static int
each(void *ctx, const char *operand)
{
	struct each *e = ctx;
	int r;

	if (!megalink_is(operand))
		return e->fn(e->ctx, operand);
	r = elcclient_open_text(&e->client, operand, decoded, e);
	/* What cannot be decoded is a wrong operand. */
	return r == ERR_PROTO ? ERR_USAGE : r;
}

void
operand_each(char **argv, int (*fn)(void *, const char *), void *ctx)
{
	struct each e = { .fn = fn, .ctx = ctx };

	cmd_each(argv, each, &e);
	elcclient_free(&e.client);
}
