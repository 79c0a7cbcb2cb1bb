#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "b64.h"
#include "err.h"
#include "mem.h"
#include "node.h"
#include "secret.h"
#include "shape.h"

#define CANARY      "MEGA{"
#define CANARY_SIZE 5
#define K_MAX       65536   /* characters of a key string */
#define PARTS_MAX   256     /* of those, how many parts are tried */
#define SHARES_MAX  1000000 /* keys that one account may bring */

/* A share key. */
struct node_share {
	int64_t h;
	uint8_t key[KEY_SIZE];
};

void
node_free(struct node *n)
{
	free(n->name);
	secret_zero(n, sizeof *n);
}

void
node_copy(struct node *to, const struct node *from)
{
	*to = *from;
	if (from->name == NULL)
		return;
	to->name = xmalloc(from->namelen + 1);
	memcpy(to->name, from->name, from->namelen + 1);
}

static const char *
by_handle(const struct node *n, char tmp[16], size_t *len)
{
	*len = (size_t)snprintf(tmp, 16, "H:%s", n->h);
	return tmp;
}

const char *
node_name(const struct node *n, char tmp[16], size_t *len)
{
	static const char *const roots[] = {
		[NODE_ROOT] = "Cloud Drive", [NODE_INBOX] = "Inbox",
		[NODE_RUBBISH] = "Rubbish Bin",
	};

	if (n->type >= NODE_ROOT) {
		*len = strlen(roots[n->type]);
		return roots[n->type];
	}
	if (n->name == NULL)
		return by_handle(n, tmp, len);
	*len = n->namelen;
	return n->name;
}

const char *
node_component(const struct node *n, char tmp[16], size_t *len)
{
	const char *name = node_name(n, tmp, len);

	if (*len == 0 || memchr(name, '/', *len) != NULL ||
	    memchr(name, '\0', *len) != NULL)
		return by_handle(n, tmp, len);
	return name;
}

static uint64_t
number(const char *text, size_t n)
{
	uint8_t b[8];
	size_t len = b64_decode(b, text, n);
	uint64_t v = 0;

	for (size_t i = 0; i < len; i++)
		v = v << 8 | b[i];
	return v;
}

static char *
handle(char *out, uint64_t v, size_t bytes)
{
	uint8_t b[8];

	for (size_t i = bytes; i > 0; v >>= 8)
		b[--i] = (uint8_t)v;
	return b64_encode(out, b, bytes);
}

int64_t
node_number(const char h[8])
{
	return (int64_t)number(h, 8);
}

char *
node_handle(char h[9], int64_t v)
{
	return handle(h, (uint64_t)v, 6);
}

int64_t
node_user_number(const char u[11])
{
	return (int64_t)number(u, 11);
}

char *
node_user_handle(char u[12], int64_t v)
{
	return handle(u, (uint64_t)v, 8);
}

static const struct shape wire_shape[] = {
	SHAPE(node_wire, h, "h", SHAPE_HANDLE, SHAPE_REQUIRED, 0, 8),
	SHAPE(node_wire, p, "p", SHAPE_HANDLE, SHAPE_EMPTY, 0, 8),
	SHAPE(node_wire, u, "u", SHAPE_HANDLE, SHAPE_EMPTY, 0, 11),
	SHAPE(node_wire, t, "t", SHAPE_INT, SHAPE_REQUIRED, NODE_FILE,
	    NODE_RUBBISH),
	SHAPE(node_wire, a, "a", SHAPE_STRING, SHAPE_EMPTY, 0,
	    B64_LEN(ATTR_MAX)),
	SHAPE(node_wire, k, "k", SHAPE_STRING, SHAPE_EMPTY, 0, K_MAX),
	SHAPE(node_wire, s, "s", SHAPE_INT, SHAPE_LAX, 0, SHAPE_SIZE_MAX),
	SHAPE(node_wire, ts, "ts", SHAPE_INT, SHAPE_LAX, 0, INT64_MAX),
	SHAPE(node_wire, su, "su", SHAPE_HANDLE, SHAPE_EMPTY, 0, 11),
	SHAPE(node_wire, r, "r", SHAPE_INT, SHAPE_LAX, 0, 3),
	SHAPE(node_wire, sk, "sk", SHAPE_STRING, SHAPE_EMPTY, 0, K_MAX),
	SHAPE_END
};

/* What places a record, for those of which the rest is damaged. */
static const struct shape place_shape[] = {
	SHAPE(node_wire, h, "h", SHAPE_HANDLE, SHAPE_REQUIRED, 0, 8),
	SHAPE(node_wire, p, "p", SHAPE_HANDLE, SHAPE_EMPTY, 0, 8),
	SHAPE(node_wire, t, "t", SHAPE_INT, SHAPE_REQUIRED, NODE_FILE,
	    NODE_RUBBISH),
	SHAPE_END
};

/* What is true of every record. */
static int
settle(struct node_wire *w)
{
	/* Without rights it is no share (the official client's rule). */
	if (w->t != NODE_FOLDER || w->r < 0)
		w->su[0] = '\0';
	if (w->t != NODE_FILE)
		w->s = 0;
	return 0;
}

int
node_read(struct node_wire *w, struct json *j, int v)
{
	int r;

	*w = (struct node_wire){ .r = -1 };
	if (shape_read("node", wire_shape, j, v, w) < 0) {
		*w = (struct node_wire){ .r = -1 };
		if ((r = shape_read("node", place_shape, j, v, w)) < 0)
			return r;
		err_clear();
	}
	return settle(w);
}

void
node_begin(struct node_scan *s)
{
	if (s->a.max == 0) {
		buf_init(&s->a, B64_LEN(ATTR_MAX));
		buf_init(&s->k, K_MAX);
		buf_init(&s->sk, K_MAX);
	}
	s->wire = (struct node_wire){ .r = -1 };
	s->damaged = 0;
	shape_begin(&s->reader, "node", wire_shape, &s->wire);
}

/* Copy what was just read, if it was this member. */
static void
keep(struct buf *b, struct slice *s)
{
	if (s->p == NULL || s->p == b->p)
		return;
	buf_reset(b);
	buf_add(b, s->p, s->n);
	s->p = b->p;
}

void
node_member(struct node_scan *s, struct slice key, struct slice text)
{
	if (shape_member(&s->reader, key, text) < 0) {
		s->damaged = 1;
		return;
	}
	keep(&s->a, &s->wire.a);
	keep(&s->k, &s->wire.k);
	keep(&s->sk, &s->wire.sk);
}

int
node_end(struct node_scan *s, struct node_wire *w)
{
	const struct node_wire *all = &s->wire;
	int r;

	if ((r = shape_end(&s->reader)) < 0)
		return r;
	*w = *all;
	if (s->damaged) {
		*w = (struct node_wire){ .t = all->t, .r = -1 };
		memcpy(w->h, all->h, sizeof w->h);
		memcpy(w->p, all->p, sizeof w->p);
		err_clear();
	}
	return settle(w);
}

void
node_scan_free(struct node_scan *s)
{
	buf_free(&s->a);
	buf_free(&s->k);
	buf_free(&s->sk);
}

void
node_keys_init(struct node_keys *k, const uint8_t master[KEY_SIZE],
    const char *user, const char *privk)
{
	*k = (struct node_keys){ .privk = privk, .plain = BUF_MAX(ATTR_MAX) };
	aes_init(&k->master, master);
	snprintf(k->user, sizeof k->user, "%s", user);
}

void
node_keys_free(struct node_keys *k)
{
	rsa_private_free(k->rsa);
	if (k->shares != NULL)
		secret_zero(k->shares, k->capshares * sizeof *k->shares);
	free(k->shares);
	json_free(&k->json);
	buf_wipe(&k->plain);
	secret_zero(k, sizeof *k);
}

/* The index of a share, or where it belongs. */
static size_t
share_index(const struct node_keys *k, int64_t h)
{
	size_t low = 0, high = k->nshares;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (k->shares[mid].h < h)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static const struct node_share *
find_share(const struct node_keys *k, int64_t h)
{
	size_t i = share_index(k, h);

	return i < k->nshares && k->shares[i].h == h ? &k->shares[i] : NULL;
}

static void
grow_shares(struct node_keys *k)
{
	struct node_share *old = k->shares;
	size_t size = k->capshares * sizeof *old;

	k->capshares = k->capshares == 0 ? 16 : 2 * k->capshares;
	k->shares = xreallocarray(NULL, k->capshares, sizeof *old);
	if (old != NULL) {
		memcpy(k->shares, old, size);
		secret_zero(old, size);
	}
	free(old);
}

int
node_keys_add(struct node_keys *k, int64_t h, const uint8_t key[KEY_SIZE])
{
	size_t i = share_index(k, h);

	if (i < k->nshares && k->shares[i].h == h) {
		if (secret_equal(k->shares[i].key, key, KEY_SIZE))
			return 0;
	} else {
		if (k->nshares == SHARES_MAX)
			return 0;
		if (k->nshares == k->capshares)
			grow_shares(k);
		memmove(k->shares + i + 1, k->shares + i,
		    (k->nshares - i) * sizeof *k->shares);
		k->nshares++;
	}
	k->shares[i].h = h;
	memcpy(k->shares[i].key, key, KEY_SIZE);
	return 1;
}

int
node_keys_find(const struct node_keys *k, int64_t h, uint8_t key[KEY_SIZE])
{
	const struct node_share *s = find_share(k, h);

	if (s == NULL)
		return 0;
	memcpy(key, s->key, KEY_SIZE);
	return 1;
}

/* The account's RSA key, unpacked when it is first wanted; or NULL. */
static const struct rsa_private *
rsa_key(struct node_keys *k)
{
	uint8_t blob[RSA_BLOB_MAX];
	size_t n;

	if (k->rsa_tried || k->privk == NULL)
		return k->rsa;
	k->rsa_tried = 1;
	n = strlen(k->privk);
	if (B64_BYTES(n) > sizeof blob)
		return NULL;
	n = b64_decode(blob, k->privk, n);
	aes_decrypt(&k->master, blob, blob, n / AES_BLOCK_SIZE);
	if (rsa_private_unpack(&k->rsa, blob, n - n % AES_BLOCK_SIZE) < 0)
		k->rsa = NULL;
	secret_zero(blob, sizeof blob);
	return k->rsa;
}

/* A key of n bytes under RSA.  1 or 0. */
static int
unwrap_rsa(struct node_keys *k, uint8_t *key, size_t n, struct slice text)
{
	const struct rsa_private *rsa = rsa_key(k);
	uint8_t mpi[RSA_BYTES_MAX + 2 + AES_BLOCK_SIZE];
	size_t len;

	if (rsa == NULL || B64_BYTES(text.n) > sizeof mpi)
		return 0;
	len = b64_decode(mpi, text.p, text.n);
	return rsa_decrypt(rsa, key, n, &len, mpi, len) == 0 && len >= n;
}

/* A key of n bytes under a cipher; with rsa, perhaps under RSA.  1 or 0. */
static int
unwrap(struct node_keys *k, uint8_t *key, size_t n, struct slice text,
    const struct aes *by, int rsa)
{
	if (rsa && text.n > B64_LEN(KEY_FILE_SIZE))
		return unwrap_rsa(k, key, n, text);
	if (b64_decode_exact(key, n, text.p, text.n) < 0)
		return 0;
	aes_decrypt(by, key, key, n / AES_BLOCK_SIZE);
	return 1;
}

int
node_keys_unwrap(struct node_keys *k, uint8_t key[KEY_SIZE],
    struct slice text)
{
	return unwrap(k, key, KEY_SIZE, text, &k->master, 1) ? 0 : ERR_KEY;
}

/* Whether a key decrypts the attributes: their first block tells. */
static int
fits(const struct node_wire *w, const uint8_t *key, size_t keylen)
{
	uint8_t folded[KEY_SIZE], block[AES_BLOCK_SIZE];
	int r;

	if (w->a.n < B64_LEN(sizeof block))
		return 0;
	b64_decode(block, w->a.p, B64_LEN(sizeof block));
	key_fold(folded, key, keylen);
	key_unwrap(block, block, sizeof block, folded);
	r = memcmp(block, CANARY, CANARY_SIZE) == 0;
	secret_zero(folded, sizeof folded);
	secret_zero(block, sizeof block);
	return r;
}

/* One part of a key string. */
struct part {
	struct slice owner; /* n is 0 if there is none */
	struct slice key;
};

/* The part at *rest, which goes behind it.  1, or 0 at the end. */
static int
next_part(struct slice *rest, struct part *p)
{
	const char *slash, *colon;
	size_t n;

	if (rest->n == 0)
		return 0;
	slash = memchr(rest->p, '/', rest->n);
	n = slash != NULL ? (size_t)(slash - rest->p) : rest->n;
	colon = memchr(rest->p, ':', n);
	p->owner = (struct slice){ rest->p,
	    colon != NULL ? (size_t)(colon - rest->p) : 0 };
	p->key.p = colon != NULL ? colon + 1 : rest->p;
	p->key.n = (size_t)(rest->p + n - p->key.p);
	n += slash != NULL;
	rest->p += n;
	rest->n -= n;
	return 1;
}

int
node_is_shared(const struct node_wire *w)
{
	struct slice rest = w->k;
	struct part p;

	while (next_part(&rest, &p))
		if (p.owner.n == 8)
			return 1;
	return 0;
}

/* The key in a part, if it is for us: 1 or 0. */
static int
open_part(struct node_keys *k, const struct part *p, uint8_t *key, size_t n)
{
	const struct node_share *s;
	struct aes aes;
	int r;

	if (p->owner.n == 0 || (p->owner.n == 11 &&
	    memcmp(p->owner.p, k->user, 11) == 0))
		return unwrap(k, key, n, p->key, &k->master, 1);
	if (p->owner.n != 8 || !b64_valid(p->owner.p, 8))
		return 0;
	/* In a folder link there is one share, and its key is the link's. */
	if (k->user[0] == '\0')
		return unwrap(k, key, n, p->key, &k->master, 0);
	s = find_share(k, node_number(p->owner.p));
	if (s == NULL)
		return 0;
	aes_init(&aes, s->key);
	r = unwrap(k, key, n, p->key, &aes, 0);
	aes_wipe(&aes);
	return r;
}

/*
 * The record's key.  Of several parts that open, the one that the attributes
 * agree with; if none does, the first: the file itself may still be read.
 */
static void
find_key(struct node_keys *k, const struct node_wire *w,
    struct node_clear *out)
{
	size_t n = w->t == NODE_FILE ? KEY_FILE_SIZE : KEY_SIZE;
	struct slice rest = w->k;
	struct part p;
	uint8_t key[KEY_FILE_SIZE];

	for (int i = 0; i < PARTS_MAX && next_part(&rest, &p); i++) {
		int good;

		if (!open_part(k, &p, key, n) || key_is_zero(key, n))
			continue;
		/* The only one need not prove anything. */
		good = (rest.n == 0 && out->keylen == 0) || fits(w, key, n);
		if (good || out->keylen == 0) {
			memcpy(out->key, key, n);
			out->keylen = n;
		}
		if (good)
			break;
	}
	secret_zero(key, sizeof key);
}

/* A modification time as web clients wrote it before there were
 * fingerprints: attribute "t", a number.  (Tags share its name.) */
static int64_t
plain_mtime(const struct json *j, int v)
{
	int64_t t;

	return json_int(j, v, 0, &t) == 0 && t >= 0 ? t : -1;
}

static int
is_name(const struct json *j, int key, const char *name)
{
	struct slice s = json_raw(j, key);

	return s.n == 1 && *s.p == *name;
}

/* The name: a string, or the text of a number. */
static struct slice
name_text(struct json *j, int v)
{
	return json_type(j, v) == JSON_STRING ? json_text(j, v) :
	    json_raw(j, v);
}

static void
read_fingerprint(struct json *j, int v, struct node_clear *out)
{
	struct slice c = json_text(j, v);
	struct fingerprint f;

	/* The cache keeps what it decodes to: any other spelling is kept
	 * apart. */
	if (c.p == NULL || c.n >= FINGERPRINT_TEXT_MAX || c.n % 4 == 1 ||
	    !b64_valid(c.p, c.n) || fingerprint_parse(&f, c.p, c.n) < 0) {
		err_clear();
		out->more = 1;
		return;
	}
	out->c = c;
	out->mtime = f.mtime >= 0 ? f.mtime : -1;
}

static void
read_attributes(struct json *j, struct node_clear *out)
{
	for (int m = json_first(j, 0); m >= 0; m = json_next(j, m)) {
		int v = json_value(j, m);

		if (is_name(j, m, "n")) {
			out->name = name_text(j, v);
		} else if (is_name(j, m, "c")) {
			read_fingerprint(j, v, out);
		} else {
			out->more = 1;
			if (is_name(j, m, "t") && out->c.p == NULL)
				out->mtime = plain_mtime(j, v);
		}
	}
}

/* Decrypt the attributes into plain: their JSON, or NULL. */
static struct slice
decrypt(struct node_keys *k, const struct node_wire *w,
    const struct node_clear *out)
{
	struct slice none = { NULL, 0 };
	uint8_t folded[KEY_SIZE];
	struct aes aes;
	uint8_t *p;
	size_t n;

	buf_reset(&k->plain);
	if ((p = buf_reserve(&k->plain, B64_BYTES(w->a.n))) == NULL)
		return none;
	n = b64_decode(p, w->a.p, w->a.n);
	if (n == 0 || n % AES_BLOCK_SIZE != 0)
		return none;
	key_fold(folded, out->key, out->keylen);
	aes_init(&aes, folded);
	aes_cbc_decrypt(&aes, p, p, n);
	aes_wipe(&aes);
	secret_zero(folded, sizeof folded);
	if (memcmp(p, CANARY, CANARY_SIZE) != 0)
		return none;
	p += CANARY_SIZE - 1;
	n -= CANARY_SIZE - 1;
	return (struct slice){ (char *)p, strnlen((char *)p, n) };
}

void
node_open(struct node_keys *k, const struct node_wire *w,
    struct node_clear *out)
{
	struct slice text;

	*out = (struct node_clear){ .mtime = -1 };
	if (w->t >= NODE_ROOT)
		return;
	find_key(k, w, out);
	if (out->keylen == 0)
		return;
	text = decrypt(k, w, out);
	if (text.p == NULL || json_parse(&k->json, text.p, text.n) < 0) {
		err_clear();
		return;
	}
	read_attributes(&k->json, out);
}

struct made {
	char h[9];
};

static const struct shape made_shape[] = {
	SHAPE(made, h, "h", SHAPE_HANDLE, SHAPE_REQUIRED, 0, 8),
	SHAPE_END
};

int
node_made(char h[9], struct json *j, int v)
{
	struct made m = { "" };
	int r = shape_read("reply to \"p\"", made_shape, j,
	    json_first(j, v), &m);

	if (r == 0)
		memcpy(h, m.h, sizeof m.h);
	return r;
}
