/* JSON from a stranger: the reader, the splitter cut in two, and unescaping
 * must agree on what is well-formed enough, and never overrun. */

#include <stdint.h>

#include "err.h"
#include "json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int
enter(void *ctx, int depth, struct slice key, int open)
{
	(void)ctx;
	(void)open;
	return depth < 3 || key.n % 2;
}

static int
value(void *ctx, int depth, struct slice key, struct slice text)
{
	struct json *j = ctx;

	(void)depth;
	(void)key;
	if (json_parse(j, text.p, text.n) == 0)
		for (int v = json_first(j, 0); v >= 0; v = json_next(j, v))
			json_text(j, v);
	return 0;
}

static int
leave(void *ctx, int depth)
{
	(void)ctx;
	(void)depth;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct json j = { 0 };
	struct json_split s;
	size_t cut;

	if (n == 0)
		return 0;
	cut = data[0] % n;
	json_split_init(&s, &j, 4096);
	s.enter = enter;
	s.value = value;
	s.leave = leave;
	if (json_split_feed(&s, (const char *)data + 1, cut) == 0 &&
	    json_split_feed(&s, (const char *)data + 1 + cut, n - 1 - cut) == 0)
		json_split_end(&s);
	json_split_free(&s);
	json_free(&j);
	return 0;
}
