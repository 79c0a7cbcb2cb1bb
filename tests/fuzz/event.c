/*
 * Answers of the event channel from a stranger, taken in by a small tree,
 * which is then walked.
 */
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "tree_impl.h"

#define SEEN_MAX 1000

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const char start[] =
    "{\"sn\":\"AAAAAAAAAAI\",\"a\":[{\"a\":\"t\",\"t\":{\"f\":["
    "{\"h\":\"RoOtRoOt\",\"t\":2},"
    "{\"h\":\"DiRdIrDi\",\"p\":\"RoOtRoOt\",\"t\":1,"
    "\"a\":\"GLNaGX5Wb5ig3ghBnQDNmwgdNvctUSVxKbxGdR-KlaY\","
    "\"k\":\"AAECAwQFBgc:A_LDvcqCa_CC18-wNc24wQ\"},"
    "{\"h\":\"FiLeFiLe\",\"p\":\"DiRdIrDi\",\"t\":0,\"s\":5,"
    "\"a\":\"bS0FxSw-SOhe2J38E0CulruUYo_i5rdtBxdZy-UQyX8\","
    "\"k\":\"DiRdIrDi:XvsHeXmKIp8N_8sDrmlrAYyqf1iaoM62NQpF5wpuQ1s\"}"
    "]}}]}";

struct seen {
	struct tree *t;
	unsigned n;
};

static int
see(void *ctx, const struct node *n, const char *path, size_t len)
{
	struct seen *s = ctx;
	struct buf b = BUF_MAX(1 << 21);
	struct node again;

	if (strlen(path) != len || tree_path(s->t, n->h, &b) < 0 ||
	    tree_get(s->t, n->h, &again) < 0)
		abort();
	if (strcmp(again.p, n->p) != 0 || again.namelen != n->namelen)
		abort();
	node_free(&again);
	buf_free(&b);
	return ++s->n > SEEN_MAX ? ERR_TOOBIG : 0;
}

static void
walk_all(struct tree *t)
{
	static const char *const from[] = { "RoOtRoOt", "DiRdIrDi", "FiLeFiLe",
	    "" };

	for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
		struct seen s = { t, 0 };
		int r = tree_walk(t, from[i], see, &s);

		if (r < 0 && r != ERR_TOOBIG)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static char sid[] = "x", wait[EVENT_URL_MAX + 1];
	static struct api *api; /* what is asked for by it is never sent */
	struct session s = { .api = sid, .user = "AAECAwQFBgc" };
	struct tree t = { .session = &s, .memory = 1 };
	int r;

	if (api == NULL)
		api = api_new(http_new(), "http://127.0.0.1", "sid=x");
	t.api = api;
	for (size_t i = 0; i < sizeof s.master; i++)
		s.master[i] = (uint8_t)i;
	t.user = node_user_number(s.user);
	node_keys_init(&t.keys, s.master, s.user, NULL);
	if (cache_new(&t.cache, NULL, 1) < 0 ||
	    cache_put_state(t.cache, &t.state) < 0 ||
	    cache_publish(t.cache) < 0 ||
	    event_apply(&t, (struct slice){ start, strlen(start) }, wait) < 0)
		abort();
	r = event_apply(&t, (struct slice){ (const char *)p, n }, wait);
	if (r == CACHE_DAMAGED || r == ERR_LOCAL)
		abort();
	err_clear();
	walk_all(&t);
	cache_close(t.cache);
	node_keys_free(&t.keys);
	return 0;
}
