#include <assert.h>
#include <string.h>

#include "b64.h"
#include "err.h"
#include "shape.h"

#define SHAPE_ENTRIES_MAX 64 /* of one table */

/* What a table entry wants, in words. */
static const char *
wants(const struct shape *s)
{
	switch (s->kind) {
	case SHAPE_INT:
		return s->max == SHAPE_SIZE_MAX ? "a size" : "a number";
	case SHAPE_STRING:
	case SHAPE_TEXT:
		return "a string";
	case SHAPE_B64:
		return "base64";
	case SHAPE_BYTES:
		return "a key or token";
	case SHAPE_HANDLE:
		return "a handle";
	case SHAPE_OBJECT:
		return "an object";
	case SHAPE_ARRAY:
		return "an array";
	case SHAPE_ANY:
		break;
	}
	return "a value";
}

static const char *
got(enum json_type t)
{
	static const char *const names[] = {
		[JSON_NONE] = "nothing", [JSON_OBJECT] = "an object",
		[JSON_ARRAY] = "an array", [JSON_STRING] = "a string",
		[JSON_NUMBER] = "a number", [JSON_TRUE] = "true",
		[JSON_FALSE] = "false", [JSON_NULL] = "null",
	};

	return names[t];
}

static int
refuse(const char *what, const struct shape *s, const char *have)
{
	return err_set(ERR_PROTO, "%s: member \"%s\": want %s, got %s", what,
	    s->name, wants(s), have);
}

static int
read_int(const char *what, const struct shape *s, const struct json *j, int v,
    int64_t *out)
{
	int64_t n;

	if (json_int(j, v, (s->flags & SHAPE_LAX) != 0, &n) < 0)
		return refuse(what, s, got(json_type(j, v)));
	if (n < s->min || n > s->max)
		return refuse(what, s, "one out of bounds");
	*out = n;
	return 0;
}

static int
read_string(const char *what, const struct shape *s, struct json *j, int v,
    void *at)
{
	struct slice raw = json_raw(j, v);

	if (json_type(j, v) != JSON_STRING)
		return refuse(what, s, got(json_type(j, v)));
	switch (s->kind) {
	case SHAPE_BYTES:
		if (b64_decode_exact(at, (size_t)s->max, raw.p, raw.n) < 0)
			return refuse(what, s, "something else");
		return 0;
	case SHAPE_HANDLE:
		if (raw.n != (size_t)s->max || !b64_valid(raw.p, raw.n))
			return refuse(what, s, "something else");
		memcpy(at, raw.p, raw.n);
		((char *)at)[raw.n] = '\0';
		return 0;
	case SHAPE_TEXT:
		raw = json_text(j, v);
		break;
	case SHAPE_B64:
		if (!b64_valid(raw.p, raw.n))
			return refuse(what, s, "something else");
		break;
	default:
		break;
	}
	if ((int64_t)raw.n < s->min || (int64_t)raw.n > s->max)
		return refuse(what, s, "one of a wrong length");
	*(struct slice *)at = raw;
	return 0;
}

static int
read_container(const char *what, const struct shape *s, const struct json *j,
    int v, int *out)
{
	enum json_type t = json_type(j, v);

	if ((s->kind == SHAPE_OBJECT && t != JSON_OBJECT) ||
	    (s->kind == SHAPE_ARRAY && t != JSON_ARRAY))
		return refuse(what, s, got(t));
	if (s->kind == SHAPE_ARRAY && s->max > 0 &&
	    json_count(j, v) > (size_t)s->max)
		return refuse(what, s, "too long a one");
	*out = v;
	return 0;
}

static int
is_absent(const struct shape *s, const struct json *j, int v)
{
	enum json_type t = json_type(j, v);

	if (t == JSON_NONE)
		return 1;
	if (!(s->flags & SHAPE_EMPTY))
		return 0;
	return t == JSON_NULL || (t == JSON_STRING && json_raw(j, v).n == 0);
}

static int
read_member(const char *what, const struct shape *s, struct json *j, int v,
    void *out)
{
	void *at = (char *)out + s->offset;

	switch (s->kind) {
	case SHAPE_INT:
		return read_int(what, s, j, v, at);
	case SHAPE_OBJECT:
	case SHAPE_ARRAY:
	case SHAPE_ANY:
		return read_container(what, s, j, v, at);
	default:
		return read_string(what, s, j, v, at);
	}
}

/* The index of a member in the table, or SHAPE_ENTRIES_MAX. */
static unsigned
find(const struct shape *table, struct slice name)
{
	for (unsigned i = 0; table[i].name != NULL; i++) {
		const char *t = table[i].name;

		if (name.n > 0 && *t == *name.p &&
		    strncmp(t, name.p, name.n) == 0 && t[name.n] == '\0')
			return i;
	}
	return SHAPE_ENTRIES_MAX;
}

/* What the entries that no member was read for mean. */
static int
read_absent(const char *what, const struct shape *table, uint64_t present,
    void *out)
{
	for (unsigned i = 0; table[i].name != NULL; i++) {
		const struct shape *s = &table[i];

		assert(i < SHAPE_ENTRIES_MAX);
		if (present & (uint64_t)1 << i)
			continue;
		if (s->flags & SHAPE_REQUIRED)
			return err_set(ERR_PROTO, "%s: no member \"%s\"", what,
			    s->name);
		if (s->kind == SHAPE_OBJECT || s->kind == SHAPE_ARRAY ||
		    s->kind == SHAPE_ANY)
			*(int *)(void *)((char *)out + s->offset) = -1;
	}
	return 0;
}

int
shape_read(const char *what, const struct shape *table, struct json *j, int v,
    void *out)
{
	uint64_t seen = 0, present = 0;
	int r;

	if (json_type(j, v) != JSON_OBJECT)
		return err_set(ERR_PROTO, "%s: want an object, got %s", what,
		    got(json_type(j, v)));
	for (int k = json_first(j, v); k >= 0; k = json_next(j, k)) {
		unsigned i = find(table, json_raw(j, k));
		uint64_t bit = (uint64_t)1 << (i % 64);
		int m = json_value(j, k);

		/* Of members of one name, the first counts. */
		if (i == SHAPE_ENTRIES_MAX || (seen & bit) != 0)
			continue;
		seen |= bit;
		if (is_absent(&table[i], j, m))
			continue;
		present |= bit;
		if ((r = read_member(what, &table[i], j, m, out)) < 0)
			return r;
	}
	return read_absent(what, table, present, out);
}
