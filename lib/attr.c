#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "aes.h"
#include "attr.h"
#include "b64.h"
#include "err.h"
#include "json.h"
#include "mem.h"
#include "secret.h"

#define CANARY      "MEGA"
#define CANARY_SIZE 4

/* A member as it stands in the JSON text, and what it means.  All three lie
 * in one block, which raw begins, each with a NUL behind it. */
struct attr_member {
	char *raw, *name, *text;
	size_t rawlen, namelen, textlen;
};

/* Add a string as the official client writes one.  Names are bytes: those
 * that are no UTF-8 stay what they are. */
static void
quote(struct buf *b, const char *p, size_t n)
{
	static const char special[] = "\"\\\b\f\n\r\t";
	static const char letter[] = "\"\\bfnrt";

	buf_addch(b, '"');
	for (; n > 0; p++, n--) {
		const char *s = memchr(special, *p, sizeof special - 1);

		if (s != NULL)
			buf_printf(b, "\\%c", letter[s - special]);
		else if ((unsigned char)*p < 0x20)
			buf_printf(b, "\\u%04x", (unsigned)*p);
		else
			buf_addch(b, *p);
	}
	buf_addch(b, '"');
}

/* Make a member of a name (without its quotes) and a value, both JSON. */
static struct attr_member
member_new(struct slice name, struct slice value)
{
	struct attr_member m;
	struct buf b;
	size_t at_name, at_text;

	/* No text is longer than its JSON: one allocation will do. */
	buf_init(&b, 2 * (name.n + value.n) + 8);
	buf_reserve(&b, b.max);

	buf_addch(&b, '"');
	buf_add(&b, name.p, name.n);
	buf_addstr(&b, "\":");
	buf_add(&b, value.p, value.n);
	m.rawlen = b.len;
	buf_addch(&b, '\0');

	at_name = b.len;
	json_unescape(&b, name.p, name.n);
	m.namelen = b.len - at_name;
	buf_addch(&b, '\0');

	at_text = b.len;
	if (value.p[0] == '"')
		json_unescape(&b, value.p + 1, value.n - 2);
	else
		buf_add(&b, value.p, value.n);
	m.textlen = b.len - at_text;
	buf_addch(&b, '\0');
	assert(!b.over);

	m.raw = buf_steal(&b);
	m.name = m.raw + at_name;
	m.text = m.raw + at_text;
	return m;
}

/* Some attributes are passwords ("pwm"), so all are wiped. */
static void
member_free(struct attr_member *m)
{
	secret_zero(m->raw, (size_t)(m->text - m->raw) + m->textlen);
	free(m->raw);
}

/* The index of a member, or a->n. */
static size_t
find(const struct attr *a, const char *name, size_t n)
{
	size_t i = 0;

	while (i < a->n && (a->m[i].namelen != n ||
	    memcmp(a->m[i].name, name, n) != 0))
		i++;
	return i;
}

/* Add a member, or put it in the place of its namesake. */
static void
put(struct attr *a, struct attr_member m)
{
	size_t i = find(a, m.name, m.namelen);

	if (i < a->n) {
		member_free(&a->m[i]);
	} else {
		a->m = xreallocarray(a->m, a->n + 1, sizeof *a->m);
		a->n++;
	}
	a->m[i] = m;
}

static int
read_members(struct attr *a, struct json *j)
{
	if (json_count(j, 0) > ATTR_COUNT)
		return err_set(ERR_PROTO, "more than %d attributes",
		    ATTR_COUNT);
	for (int k = json_first(j, 0); k >= 0; k = json_next(j, k)) {
		int v = json_value(j, k);
		struct slice value = json_raw(j, v);

		if (v < 0)
			return err_set(ERR_PROTO, "an attribute without a "
			    "value");
		if (json_type(j, v) == JSON_STRING) {
			value.p--;
			value.n += 2;
		}
		/* Of namesakes the last one counts, as in the official
		 * client's map. */
		put(a, member_new(json_raw(j, k), value));
	}
	return 0;
}

static int
parse(struct attr *a, const char *text, size_t n)
{
	struct json j = { 0 };
	int r;

	if ((r = json_parse(&j, text, n)) < 0)
		r = err_prefix(ERR_PROTO, "attributes: ");
	else
		r = read_members(a, &j);
	if (r < 0)
		attr_free(a);
	json_free(&j);
	return r;
}

int
attr_open(struct attr *a, const char *b64, size_t n, const uint8_t key[16])
{
	struct aes aes;
	const char *text;
	uint8_t *plain;
	size_t max, len;
	int r;

	*a = (struct attr){ 0 };
	if (n > B64_LEN(ATTR_MAX))
		return err_set(ERR_PROTO, "attributes of %zu characters", n);
	max = B64_BYTES(n);
	plain = xmalloc(max + 1);
	len = b64_decode(plain, b64, n);
	if (len == 0 || len % AES_BLOCK_SIZE != 0) {
		r = err_set(ERR_PROTO, "attributes of %zu bytes", len);
		goto out;
	}
	aes_init(&aes, key);
	aes_cbc_decrypt(&aes, plain, plain, len);
	aes_wipe(&aes);
	if (memcmp(plain, CANARY "{", CANARY_SIZE + 1) != 0) {
		r = err_set(ERR_KEY, "attributes do not decrypt");
		goto out;
	}
	/* The padding begins with the first NUL, however long it is. */
	text = (const char *)plain + CANARY_SIZE;
	r = parse(a, text, strnlen(text, len - CANARY_SIZE));
out:
	secret_zero(plain, max);
	free(plain);
	return r;
}

/* The plaintext of the block, padded. */
static int
write_members(struct buf *b, const struct attr *a)
{
	buf_addstr(b, CANARY "{");
	for (size_t i = 0; i < a->n; i++) {
		if (i > 0)
			buf_addch(b, ',');
		buf_add(b, a->m[i].raw, a->m[i].rawlen);
	}
	buf_addch(b, '}');
	while (!b->over && b->len % AES_BLOCK_SIZE != 0)
		buf_addch(b, '\0');
	return buf_check(b);
}

int
attr_seal(const struct attr *a, struct buf *out, const uint8_t key[16])
{
	struct buf plain = BUF_MAX(ATTR_MAX);
	struct aes aes;
	uint8_t *p;
	char *to;
	int r;

	if (a->n > ATTR_COUNT)
		return err_set(ERR_TOOBIG, "more than %d attributes",
		    ATTR_COUNT);
	if ((r = write_members(&plain, a)) < 0) {
		r = err_prefix(r, "attributes: ");
		goto out;
	}
	p = (uint8_t *)plain.p;
	aes_init(&aes, key);
	aes_cbc_encrypt(&aes, p, p, plain.len);
	aes_wipe(&aes);
	if ((to = buf_reserve(out, B64_LEN(plain.len) + 1)) == NULL) {
		r = ERR_TOOBIG;
		goto out;
	}
	b64_encode(to, p, plain.len);
	out->len += B64_LEN(plain.len);
out:
	buf_wipe(&plain);
	return r;
}

const char *
attr_get(const struct attr *a, const char *name, size_t *len)
{
	size_t i = find(a, name, strlen(name));

	if (i == a->n)
		return NULL;
	if (len != NULL)
		*len = a->m[i].textlen;
	return a->m[i].text;
}

static struct attr_member
member_copy(const struct attr_member *m)
{
	size_t n = m->rawlen + m->namelen + m->textlen + 3;
	struct attr_member copy = *m;

	copy.raw = xmalloc(n);
	memcpy(copy.raw, m->raw, n);
	copy.name = copy.raw + (m->name - m->raw);
	copy.text = copy.raw + (m->text - m->raw);
	return copy;
}

static void
remove_member(struct attr *a, const char *name)
{
	size_t i = find(a, name, strlen(name));

	if (i == a->n)
		return;
	member_free(&a->m[i]);
	a->n--;
	memmove(a->m + i, a->m + i + 1, (a->n - i) * sizeof *a->m);
}

void
attr_set(struct attr *a, const char *name, const char *value, size_t n)
{
	struct buf b;
	size_t at_value;

	if (value == NULL) {
		remove_member(a, name);
		return;
	}
	/* Room for every byte written as \u00XX. */
	buf_init(&b, 6 * (strlen(name) + n) + 4);
	quote(&b, name, strlen(name));
	at_value = b.len;
	quote(&b, value, n);
	put(a, member_new((struct slice){ b.p + 1, at_value - 2 },
	    (struct slice){ b.p + at_value, b.len - at_value }));
	buf_wipe(&b);
}

void
attr_strip(struct attr *a, int import)
{
	/* Where it came from before it was thrown away means nothing to a
	 * copy; the rest is one owner's view of it. */
	remove_member(a, "rr");
	if (!import)
		return;
	remove_member(a, "sen");
	remove_member(a, "s4");
	remove_member(a, "lbl");
	remove_member(a, "fav");
}

void
attr_inherit(struct attr *a, const struct attr *from)
{
	static const char *const said[] = { "fav", "lbl", "des", "sen", "t" };

	for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
		size_t at = find(from, said[i], strlen(said[i]));
		const struct attr_member *m = &from->m[at];

		/* "t" was a modification time once; tags are a string. */
		if (at < from->n && (strcmp(said[i], "t") != 0 ||
		    m->raw[m->rawlen - 1] == '"'))
			put(a, member_copy(m));
	}
}

int
attr_same(const struct attr *a, const struct attr *b)
{
	size_t i = 0;

	while (i < a->n && i < b->n && a->m[i].rawlen == b->m[i].rawlen &&
	    memcmp(a->m[i].raw, b->m[i].raw, a->m[i].rawlen) == 0)
		i++;
	return i == a->n && i == b->n;
}

void
attr_free(struct attr *a)
{
	for (size_t i = 0; i < a->n; i++)
		member_free(&a->m[i]);
	free(a->m);
	*a = (struct attr){ 0 };
}
