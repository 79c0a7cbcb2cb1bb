/* Text with links in it: all of them are found, wherever the text is cut,
 * opened, and written again. */

#include <stdlib.h>
#include <string.h>

#include "elc.h"
#include "megalink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int cond)
{
	if (!cond)
		abort();
}

/* What was read once reads the same from what we print. */
static void
reprint(const struct megalink *l)
{
	char first[MEGALINK_TEXT_SIZE], again[MEGALINK_TEXT_SIZE];
	struct buf b = BUF_MAX(4096);
	struct slice s;
	struct megalink_found f;
	struct megalink m;

	megalink_print(first, l);
	must(megalink_parse(&m, first, strlen(first)) == 0);
	must(strcmp(megalink_print(again, &m), first) == 0);
	megalink_doubt(l);
	if (megalink_seal(&b, l, l->id[0] & 1) == 0) {
		s = (struct slice){ buf_str(&b), b.len };
		must(megalink_find(&s, &f) && s.n == 0);
		must(megalink_open(&m, f.kind, f.arg) == 0);
		must(strcmp(megalink_print(again, &m), first) == 0);
	}
	buf_free(&b);
}

static void
reconfigure(struct slice arg)
{
	struct megalink_config c, d;
	struct buf b = BUF_MAX(1 << 20);
	struct slice s;
	struct megalink_found f;

	if (megalink_config_read(&c, arg) < 0)
		return;
	must(megalink_config_write(&b, &c) == 0);
	s = (struct slice){ buf_str(&b), b.len };
	must(megalink_find(&s, &f) && f.kind == MEGALINK_CONFIG && s.n == 0);
	must(megalink_config_read(&d, f.arg) == 0);
	must(strcmp(c.url, d.url) == 0 && strcmp(c.user, d.user) == 0 &&
	    strcmp(c.key, d.key) == 0 && strcmp(c.alias, d.alias) == 0);
	megalink_config_free(&c);
	megalink_config_free(&d);
	buf_free(&b);
}

static void
count(void *ctx, const struct megalink_found *f)
{
	size_t *sum = ctx;

	*sum = *sum * 31 + (f != NULL ? f->arg.n + f->kind : 0);
}

static size_t
cut_at(const char *text, size_t n, size_t at)
{
	struct elc_text t;
	size_t sum = 0;

	elc_text_init(&t, count, &sum);
	elc_text_feed(&t, text, at);
	elc_text_feed(&t, text + at, n - at);
	elc_text_end(&t);
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = { (const char *)data, size };
	struct megalink_found f;
	struct megalink l;

	must(cut_at(s.p, s.n, 0) ==
	    cut_at(s.p, s.n, size > 0 ? data[0] % size : 0));
	while (megalink_find(&s, &f)) {
		must(f.text.p >= (const char *)data &&
		    f.text.p + f.text.n <= (const char *)data + size);
		if (f.kind == MEGALINK_PLAIN &&
		    megalink_parse(&l, f.arg.p, f.arg.n) == 0)
			reprint(&l);
		else if (f.kind >= MEGALINK_ENC && f.kind <= MEGALINK_FENC2 &&
		    megalink_open(&l, f.kind, f.arg) == 0)
			reprint(&l);
		else if (f.kind == MEGALINK_CONFIG)
			reconfigure(f.arg);
	}
	return 0;
}
