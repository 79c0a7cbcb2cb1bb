/* json and shape: the reader, the splitter at every cut, the writer. */

#include "err.h"
#include "json.h"
#include "shape.h"
#include "tap.h"

static struct json j;

static int
parses(const char *text)
{
	return json_parse(&j, text, strlen(text)) == 0;
}

static void
reader(void)
{
	int64_t n;
	int v;

	ok(parses("{\"a\":[1,{\"b\":2},\"x\"],\"c\":{\"d\":-5},\"e\":\"\"}"),
	    "an object parses");
	v = json_member(&j, 0, "a");
	ok(json_count(&j, v) == 3, "three elements");
	v = json_first(&j, v);
	ok(json_int(&j, v, 0, &n) == 0 && n == 1, "the first is 1");
	v = json_next(&j, v);
	ok(json_type(&j, v) == JSON_OBJECT, "the second an object");
	v = json_next(&j, v);
	ok(json_type(&j, v) == JSON_STRING, "the third a string");
	ok(json_next(&j, v) == -1, "and no fourth");
	v = json_member(&j, json_member(&j, 0, "c"), "d");
	ok(json_int(&j, v, 0, &n) == 0 && n == -5, "a member's member");
	ok(json_member(&j, 0, "b") == -1, "members of members do not show");
	ok(json_type(&j, json_member(&j, -1, "x")) == JSON_NONE,
	    "nothing of nothing");
	ok(parses("\"a\\u00e9\\ud83d\\ude00\\n\\\"\\ud800x\""), "escapes");
	ok(eq(json_text(&j, 0).p,
	    "a\xc3\xa9\xf0\x9f\x98\x80\n\"\xef\xbf\xbdx"), "are undone");
	ok(parses("-3") && json_int(&j, 0, 0, &n) == 0 && n == -3,
	    "a bare number");
	ok(parses("\"12\"") && json_int(&j, 0, 0, &n) < 0 &&
	    json_int(&j, 0, 1, &n) == 0 && n == 12, "a lax number");
	ok(parses("99999999999999999999") && json_int(&j, 0, 0, &n) < 0,
	    "a number too large");
	ok(!parses(""), "nothing is refused");
	ok(!parses("{\"a\":"), "a truncated object is refused");
	ok(!parses("[1] [2]"), "two values are refused");
	ok(!parses("[1\",2]"), "a quote in a number is refused");
	ok(!parses("{]"), "crossed brackets are refused");
}

static void
deep(void)
{
	const size_t n = 500000;
	char *text = malloc(2 * n);
	int r;

	if (text == NULL)
		abort();
	memset(text, '[', n);
	memset(text + n, ']', n);
	r = json_parse(&j, text, 2 * n);
	ok(r == ERR_PROTO, "half a million levels are refused, and at once");
	free(text);
}

/* The splitter writes what it sees into a log. */
static char log_[4096];

static int
enter(void *ctx, int depth, struct slice key, int open)
{
	const char *want = ctx;
	size_t n = strlen(log_);

	if (depth >= (int)strlen(want) || want[depth] != '>')
		return 0;
	snprintf(log_ + n, sizeof log_ - n, "%.*s%c", (int)key.n,
	    key.p != NULL ? key.p : "", open);
	return 1;
}

static int
value(void *ctx, int depth, struct slice key, struct slice text)
{
	size_t n = strlen(log_);

	(void)ctx;
	(void)depth;
	snprintf(log_ + n, sizeof log_ - n, "%.*s=%.*s;", (int)key.n,
	    key.p != NULL ? key.p : "", (int)text.n, text.p);
	return 0;
}

static int
leave(void *ctx, int depth)
{
	(void)ctx;
	snprintf(log_ + strlen(log_), sizeof log_ - strlen(log_), ".%d",
	    depth);
	return 0;
}

/* Split text in two at cut; what came is in log_. */
static int
split(const char *text, size_t cut, const char *how, size_t max)
{
	struct json_split s;
	size_t n = strlen(text);
	char ctx[8];
	int r;

	snprintf(ctx, sizeof ctx, "%s", how);
	log_[0] = '\0';
	json_split_init(&s, ctx, max);
	s.enter = enter;
	s.value = value;
	s.leave = leave;
	if (cut > n)
		cut = n;
	r = json_split_feed(&s, text, cut);
	if (r == 0)
		r = json_split_feed(&s, text + cut, n - cut);
	if (r == 0)
		r = json_split_end(&s);
	json_split_free(&s);
	return r;
}

static void
splitter(void)
{
	static const char text[] =
	    "[{\"f\":[{\"h\":\"a\\\"}]\"},{\"h\":2}],\"s\":-1 ,\"n\":{}},-9]";
	static const char want[] =
	    "[{f[={\"h\":\"a\\\"}]\"};={\"h\":2};.2s=-1;n{.2.1=-9;.0";
	int good = 1;

	for (size_t cut = 0; cut <= sizeof text; cut++)
		good &= split(text, cut, ">>>", 100) == 0 && eq(log_, want);
	ok(good, "a stream cut anywhere gives the same values");
	ok(split("-3", 1, ">", 100) == 0 && eq(log_, "=-3;"), "a bare number");
	ok(split("[]", 1, ">", 100) == 0 && eq(log_, "[.0"), "empty array");
	ok(split("[{\"a\":1}]", 3, "", 100) == 0 &&
	    eq(log_, "=[{\"a\":1}];"), "a value whole");
	ok(split("[\"0123456789\"]", 5, ">", 8) == ERR_TOOBIG, "the ceiling");
	ok(split("[1,2", 2, ">", 100) == ERR_PROTO, "truncated");
	ok(split("[1 2]", 2, ">", 100) == ERR_PROTO, "no comma");
	ok(split("[1}", 2, ">", 100) == ERR_PROTO, "crossed");
	ok(split("{\"a\" 1}", 2, ">", 100) == ERR_PROTO, "no colon");
	ok(split("<html>", 2, ">", 100) == ERR_PROTO, "HTML");
	ok(split("[1]x", 2, ">", 100) == ERR_PROTO, "something behind");
	ok(split("", 0, ">", 100) == ERR_PROTO, "nothing");
}

static void
writer(void)
{
	struct buf b = BUF_MAX(1000);
	struct json_out o = { &b, 0 };

	json_open(&o, NULL, '[');
	json_open(&o, NULL, '{');
	json_put(&o, "a", "x\"\\\n\x01\xc3\xa9\xff\x7f\xc2\x9b"
	    "\xc2\xa0");
	json_put_int(&o, "n", -5);
	json_open(&o, "l", '[');
	json_put_int(&o, NULL, 0);
	json_put_int(&o, NULL, INT64_MAX);
	json_put_int(&o, NULL, INT64_MIN);
	json_put_b64(&o, NULL, "\xff", 1);
	json_close(&o, ']');
	json_open(&o, "e", '{');
	json_close(&o, '}');
	json_close(&o, '}');
	json_close(&o, ']');
	ok(eq(buf_str(&b), "[{\"a\":\"x\\\"\\\\\\n\\u0001\xc3\xa9\xef\xbf\xbd"
	    "\\u007f\\u009b\xc2\xa0\",\"n\":-5,\"l\":[0,9223372036854775807,"
	    "-9223372036854775808,\"_w\"],\"e\":{}}]"), "what is written");
	buf_free(&b);
	ok(json_utf8("a\xf0\x9f\x98\x80", 5), "UTF-8");
	ok(!json_utf8("\xc0\x80", 2) && !json_utf8("\xed\xa0\x80", 3) &&
	    !json_utf8("\xf4\x90\x80\x80", 4) && !json_utf8("\xe2\x82", 2),
	    "overlong, surrogate, too large, cut: no UTF-8");
}

struct g {
	int64_t size;
	struct slice at;
	char handle[9];
	uint8_t key[16];
	int list;
};

static const struct shape g_shape[] = {
	SHAPE(g, size, "s", SHAPE_INT, SHAPE_REQUIRED, 0, SHAPE_SIZE_MAX),
	SHAPE(g, at, "at", SHAPE_B64, SHAPE_EMPTY, 1, 100),
	SHAPE(g, handle, "h", SHAPE_HANDLE, 0, 0, 8),
	SHAPE(g, key, "k", SHAPE_BYTES, 0, 0, 16),
	SHAPE(g, list, "l", SHAPE_ARRAY, 0, 0, 2),
	SHAPE_END
};

static int
shaped(const char *text, struct g *g)
{
	*g = (struct g){ .size = -1 };
	if (!parses(text))
		abort();
	return shape_read("reply to \"g\"", g_shape, &j, 0, g);
}

static void
shapes(void)
{
	struct g g;

	ok(shaped("{\"s\":5,\"at\":\"\",\"h\":\"AbCdEfGh\","
	    "\"k\":\"AAECAwQFBgcICQoLDA0ODw\",\"l\":[1,2],\"x\":{}}", &g) == 0,
	    "a right reply");
	ok(g.size == 5 && g.at.p == NULL && eq(g.handle, "AbCdEfGh") &&
	    same(g.key, 16, "000102030405060708090a0b0c0d0e0f") &&
	    json_count(&j, g.list) == 2, "is read");
	ok(shaped("{\"s\":\"5\"}", &g) == ERR_PROTO && eq(err_text(),
	    "reply to \"g\": member \"s\": want a size, got a string"),
	    "a string for a size");
	ok(shaped("{}", &g) == ERR_PROTO &&
	    eq(err_text(), "reply to \"g\": no member \"s\""), "missing");
	ok(shaped("{\"s\":-1}", &g) == ERR_PROTO, "negative size");
	ok(shaped("{\"s\":1,\"h\":\"AbCdEf/h\"}", &g) == ERR_PROTO,
	    "a handle of foreign characters");
	ok(shaped("{\"s\":1,\"k\":\"AAEC\"}", &g) == ERR_PROTO, "short key");
	ok(shaped("{\"s\":1,\"l\":[1,2,3]}", &g) == ERR_PROTO, "long array");
	ok(shaped("[]", &g) == ERR_PROTO, "no object");
	ok(shaped("{\"s\":1}", &g) == 0 && g.list == -1, "absent array");
}

int
main(void)
{
	reader();
	deep();
	splitter();
	writer();
	shapes();
	json_free(&j);
	return done();
}
