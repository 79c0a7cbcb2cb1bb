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

/* A member's value: in a reader, or (j is NULL) as text alone. */
struct value {
	enum json_type type;
	struct slice raw;
	struct json *j;
	int v;
};

static int
read_int(const char *what, const struct shape *s, const struct value *v,
    int64_t *out)
{
	int lax = (s->flags & SHAPE_LAX) != 0;
	int64_t n;

	if ((v->type != JSON_NUMBER && !(lax && v->type == JSON_STRING)) ||
	    json_integer(v->raw, &n) < 0)
		return refuse(what, s, got(v->type));
	if (n < s->min || n > s->max)
		return refuse(what, s, "one out of bounds");
	*out = n;
	return 0;
}

static int
read_string(const char *what, const struct shape *s, const struct value *v,
    void *at)
{
	struct slice raw = v->raw;

	if (v->type != JSON_STRING)
		return refuse(what, s, got(v->type));
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
		assert(v->j != NULL);
		raw = json_text(v->j, v->v);
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
read_container(const char *what, const struct shape *s, const struct value *v,
    int *out)
{
	assert(v->j != NULL);
	if ((s->kind == SHAPE_OBJECT && v->type != JSON_OBJECT) ||
	    (s->kind == SHAPE_ARRAY && v->type != JSON_ARRAY))
		return refuse(what, s, got(v->type));
	if (s->kind == SHAPE_ARRAY && s->max > 0 &&
	    json_count(v->j, v->v) > (size_t)s->max)
		return refuse(what, s, "too long a one");
	*out = v->v;
	return 0;
}

static int
is_absent(const struct shape *s, const struct value *v)
{
	if (v->type == JSON_NONE)
		return 1;
	if (!(s->flags & SHAPE_EMPTY))
		return 0;
	return v->type == JSON_NULL ||
	    (v->type == JSON_STRING && v->raw.n == 0);
}

static int
read_value(const char *what, const struct shape *s, const struct value *v,
    void *out)
{
	void *at = (char *)out + s->offset;

	switch (s->kind) {
	case SHAPE_INT:
		return read_int(what, s, v, at);
	case SHAPE_OBJECT:
	case SHAPE_ARRAY:
	case SHAPE_ANY:
		return read_container(what, s, v, at);
	default:
		return read_string(what, s, v, at);
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

void
shape_begin(struct shape_reader *r, const char *what,
    const struct shape *table, void *out)
{
	*r = (struct shape_reader){ what, table, out, 0, 0 };
}

static int
read_member(struct shape_reader *r, struct slice key, const struct value *v)
{
	unsigned i = find(r->table, key);
	uint64_t bit = (uint64_t)1 << (i % SHAPE_ENTRIES_MAX);
	int e;

	/* Of members of one name, the first counts. */
	if (i == SHAPE_ENTRIES_MAX || (r->seen & bit) != 0)
		return 0;
	r->seen |= bit;
	if (is_absent(&r->table[i], v))
		return 0;
	if ((e = read_value(r->what, &r->table[i], v, r->out)) == 0)
		r->present |= bit;
	return e;
}

int
shape_end(struct shape_reader *r)
{
	return read_absent(r->what, r->table, r->present, r->out);
}

int
shape_read(const char *what, const struct shape *table, struct json *j, int v,
    void *out)
{
	struct shape_reader r;
	int e;

	if (json_type(j, v) != JSON_OBJECT)
		return err_set(ERR_PROTO, "%s: want an object, got %s", what,
		    got(json_type(j, v)));
	shape_begin(&r, what, table, out);
	for (int k = json_first(j, v); k >= 0; k = json_next(j, k)) {
		struct value m = { .j = j, .v = json_value(j, k) };

		m.type = json_type(j, m.v);
		m.raw = json_raw(j, m.v);
		if ((e = read_member(&r, json_raw(j, k), &m)) < 0)
			return e;
	}
	return shape_end(&r);
}

/* The type of a value that stands alone, by its first character. */
static enum json_type
type_of(char c)
{
	switch (c) {
	case '"':
		return JSON_STRING;
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

int
shape_member(struct shape_reader *r, struct slice key, struct slice text)
{
	struct value v = { .raw = text, .v = -1 };

	v.type = text.n > 0 ? type_of(*text.p) : JSON_NONE;
	if (v.type == JSON_STRING && text.n >= 2) {
		v.raw.p++;
		v.raw.n -= 2;
	}
	return read_member(r, key, &v);
}
