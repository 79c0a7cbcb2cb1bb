/*
 * Links from a stranger.
 *
 * Input: the text.  Whatever is read has to be a link that, printed in
 * either form, is read as the same again.
 */
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "link.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
check_same(const struct link *a, const char *text)
{
	struct link b;

	if (!link_is(text) || link_parse(&b, text) < 0)
		abort();
	if (a->kind != b.kind || a->keylen != b.keylen ||
	    memcmp(a->key, b.key, sizeof a->key) != 0 ||
	    strcmp(a->ph, b.ph) != 0 || strcmp(a->node, b.node) != 0 ||
	    a->node_is_file != b.node_is_file || strcmp(a->auth, b.auth) != 0 ||
	    strcmp(a->payload, b.payload) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *text = malloc(n + 1), out[LINK_TEXT_MAX];
	struct link l;
	int r;

	if (text == NULL)
		abort();
	if (n > 0)
		memcpy(text, p, n);
	text[n] = '\0';
	link_is(text);
	r = link_parse(&l, text);
	if (r < 0 && r != ERR_USAGE)
		abort();
	if (r == 0) {
		check_same(&l, link_print(out, &l, 0));
		check_same(&l, link_print(out, &l, 1));
		if (l.path.p != NULL && (l.path.p[0] != '/' ||
		    l.path.p + l.path.n != text + strlen(text)))
			abort();
	}
	free(text);
	return 0;
}
