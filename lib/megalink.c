#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aescbc.h"
#include "b64.h"
#include "err.h"
#include "json.h"
#include "mem.h"
#include "megalink.h"
#include "secret.h"

#define BLOCK    AESCBC_BLOCK_SIZE
#define SEAL_MAX 1024 /* bytes of an enc link's plaintext */

static const uint8_t iv[BLOCK] = {
	0x79, 0xf1, 0x0a, 0x01, 0x84, 0x4a, 0x0b, 0x27,
	0xff, 0x5b, 0x2d, 0x4e, 0x0e, 0xd3, 0x16, 0x3e,
};

/* Of enc and fenc, then of enc2 and fenc2. */
static const uint8_t keys[2][32] = {
	{
		0x6b, 0x31, 0x6f, 0x36, 0x41, 0x6c, 0x2d, 0x31,
		0x6b, 0x7a, 0x3f, 0x21, 0x7a, 0x30, 0x35, 0x79,
		0x58, 0x58, 0x58, 0x58, 0x58, 0x58, 0x58, 0x58,
		0x58, 0x58, 0x58, 0x58, 0x58, 0x58, 0x58, 0x58,
	}, {
		0xed, 0x1f, 0x4c, 0x20, 0x0b, 0x35, 0x13, 0x98,
		0x06, 0xb2, 0x60, 0x56, 0x3b, 0x3d, 0x38, 0x76,
		0xf0, 0x11, 0xb4, 0x75, 0x0f, 0x3a, 0x1a, 0x4a,
		0x5e, 0xfd, 0x0b, 0xbe, 0x67, 0x55, 0x4b, 0x44,
	},
};

static const char *const kind_names[] = {
	[MEGALINK_PLAIN] = "plain", [MEGALINK_ENC] = "enc",
	[MEGALINK_ENC2] = "enc2", [MEGALINK_FENC] = "fenc",
	[MEGALINK_FENC2] = "fenc2", [MEGALINK_ELC] = "elc",
	[MEGALINK_CONFIG] = "configelc", [MEGALINK_SEARCH] = "mega-search",
	[MEGALINK_CRYPTER] = "MegaCrypter", [MEGALINK_UNKNOWN] = "unknown",
};

const char *
megalink_kind_name(enum megalink_kind kind)
{
	return kind_names[kind];
}

/* Text under way: what is left of it. */

static int
starts(struct slice s, const char *word)
{
	size_t n = strlen(word);

	return s.n >= n && strncasecmp(s.p, word, n) == 0;
}

static void
advance(struct slice *s, size_t n)
{
	s->p += n;
	s->n -= n;
}

/* Step over a word, whatever its case, if it is next. */
static int
take(struct slice *s, const char *word)
{
	if (!starts(*s, word))
		return 0;
	advance(s, strlen(word));
	return 1;
}

/* Characters that lead s and are of the set ok, as a slice of their own. */
static struct slice
run(struct slice *s, int (*is)(int))
{
	struct slice got = { s->p, 0 };

	while (got.n < s->n && is((unsigned char)s->p[got.n]))
		got.n++;
	advance(s, got.n);
	return got;
}

static int
is_base64url(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

static int
is_base64(int c)
{
	return is_base64url(c) || c == '+' || c == '/' || c == ',' ||
	    c == '=';
}

/* What may stand in a link of the kinds that are not base64. */
static int
is_link(int c)
{
	return c > ' ' && c != 0x7f && c != '"' && c != '<' && c != '>' &&
	    c != '`';
}

/* The slashes and the keyword that may follow "mega:".  1 with the kind, and
 * s before the argument; 0 if it is no link at all. */
static int
keyword(struct slice *s, enum megalink_kind *kind)
{
	static const enum megalink_kind words[] = {
		MEGALINK_ENC, MEGALINK_ENC2, MEGALINK_FENC, MEGALINK_FENC2,
		MEGALINK_ELC, MEGALINK_CONFIG, MEGALINK_SEARCH,
	};
	static const char *const plain[] = {
		"#", "!", "F!", "N!", "http://", "https://", "chrome://",
		"file/", "folder/",
	};
	int slashes = 0;

	while (slashes < 3 && take(s, "/"))
		slashes++;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		struct slice t = *s;

		/* Browsers put a slash before the question mark. */
		if (!take(&t, kind_names[words[i]]) ||
		    (!take(&t, "/?") && !take(&t, "?")))
			continue;
		*kind = words[i];
		*s = t;
		return 1;
	}
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (starts(*s, plain[i])) {
			*kind = MEGALINK_PLAIN;
			return 1;
		}
	*kind = MEGALINK_UNKNOWN;
	return slashes > 1 && s->n > 0 && is_link((unsigned char)*s->p);
}

/* "http://HOST/!DATA!MAC" and "mc://": 1, and s behind what tells. */
static int
crypter(struct slice *s)
{
	const char *host;

	if (take(s, "mc://"))
		return 1;
	if (!take(s, "http://") && !take(s, "https://"))
		return 0;
	host = s->p;
	while (s->n > 0 && is_link((unsigned char)*s->p) && *s->p != '/')
		advance(s, 1);
	return s->p > host && take(s, "/!");
}

/* The base64 that is next, up to another link that joins on. */
static struct slice
run_base64(struct slice *s)
{
	struct slice got = run(s, is_base64);

	if (s->n > 0 && *s->p == ':' && got.n >= 4 &&
	    strncasecmp(s->p - 4, "mega", 4) == 0) {
		got.n -= 4;
		s->p -= 4;
		s->n += 4;
	}
	return got;
}

/* A link that begins exactly at s, which is then behind it. */
static int
link_at(struct slice *s, struct megalink_found *f)
{
	struct slice all = *s, t = *s;

	if (!take(&t, "mega:") || !keyword(&t, &f->kind)) {
		t = all;
		if (!crypter(&t))
			return 0;
		f->kind = MEGALINK_CRYPTER;
	}
	if (f->kind >= MEGALINK_ENC && f->kind <= MEGALINK_ELC) {
		f->arg = run_base64(&t);
		/* MegaDownloader saves a whole link where it wants a bare
		 * container, and puts a second prefix before it on reading. */
		if (f->arg.n == 0 && starts(t, "mega:"))
			return 0;
	} else {
		f->arg = run(&t, is_link);
		while (f->kind != MEGALINK_CONFIG && f->arg.n > 0 &&
		    strchr(".,;:)]}'*", f->arg.p[f->arg.n - 1]) != NULL)
			f->arg.n--;
	}
	f->text = (struct slice){ all.p,
	    (size_t)(f->arg.p - all.p) + f->arg.n };
	if (f->kind == MEGALINK_PLAIN)
		f->arg = f->text;
	*s = t;
	return 1;
}

int
megalink_find(struct slice *text, struct megalink_found *f)
{
	int inside = 0; /* a word: "omega:!" is none of ours */

	while (text->n > 0) {
		if (!inside && link_at(text, f))
			return 1;
		inside = isalnum((unsigned char)*text->p) != 0;
		advance(text, 1);
	}
	return 0;
}

int
megalink_is(const char *text)
{
	struct slice s = { text, strlen(text) };
	struct megalink_found f;

	return link_at(&s, &f) && f.text.n == strlen(text);
}

/* Ordinary links. */

/* Copy the next run of base64url characters; commas were MEGA's filler and
 * mean nothing.  0, or -1 if it is too long for size. */
static int
take_text(struct slice *s, char *dst, size_t size)
{
	struct slice t = run(s, is_base64url);

	if (t.n >= size)
		return -1;
	memcpy(dst, t.p, t.n);
	dst[t.n] = '\0';
	return 0;
}

/* Undo the two escapes that browsers put into such links, drop fillers and
 * blanks around.  0, or -1 if it does not fit or is not plain ASCII. */
static int
tidy(char out[MEGALINK_TEXT_SIZE], struct slice *s)
{
	struct slice in = *s;
	size_t n = 0;

	while (in.n > 0) {
		char c = *in.p;

		if (take(&in, "%20") || take(&in, ","))
			continue;
		if (take(&in, "%21"))
			c = '!';
		else
			advance(&in, 1);
		if (isspace((unsigned char)c) && (n == 0 || in.n == 0))
			continue;
		if (c <= ' ' || c == 0x7f || n == MEGALINK_TEXT_SIZE - 1)
			return -1;
		out[n++] = c;
	}
	out[n] = '\0';
	*s = (struct slice){ out, n };
	return 0;
}

/* Step over "mega://" and an absolute URL's scheme and host.  0, or -1 for a
 * host that is not the service's. */
static int
skip_host(struct slice *s)
{
	static const char *const hosts[] = {
		"mega.nz/", "mega.co.nz/", "www.mega.nz/", "www.mega.co.nz/",
		"mega.app/", "mega.io/",
	};

	if (take(s, "mega:"))
		while (take(s, "/"))
			continue;
	if (take(s, "chrome://"))
		return take(s, "mega/content/secure.html") ? 0 : -1;
	if (!take(s, "https://") && !take(s, "http://"))
		return 0;
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
		if (take(s, hosts[i]))
			return 0;
	return -1;
}

/* The node that a folder link selects. */
static int
take_selected(struct megalink *l, struct slice *s, const char *folder,
    const char *file)
{
	if (take(s, file))
		l->node_is_file = 1;
	else if (!take(s, folder))
		return 0;
	if (take_text(s, l->node, sizeof l->node) < 0 || l->node[0] == '\0')
		return -1;
	return 0;
}

/* "file/ID#KEY", "folder/ID#KEY", "folder/ID#KEY/file/ID". */
static int
parse_new(struct megalink *l, struct slice *s)
{
	if (take_text(s, l->id, sizeof l->id) < 0)
		return -1;
	if (take(s, "#") && take_text(s, l->key, sizeof l->key) < 0)
		return -1;
	if (l->type == MEGALINK_FOLDER)
		return take_selected(l, s, "/folder/", "/file/");
	return 0;
}

/* Behind "#!", "#F!" or "#N!": ID, key, and in the N forms the folder.
 * Programs before 0.90 wrote "megafolder?FOLDER?ID". */
static int
parse_old(struct megalink *l, struct slice *s)
{
	char folder[MEGALINK_ID_SIZE] = "";

	take(s, "N?");
	if (take(s, "megafolder?") &&
	    (take_text(s, folder, sizeof folder) < 0 || !take(s, "?")))
		return -1;
	if (take_text(s, l->id, sizeof l->id) < 0)
		return -1;
	if (take(s, "!") && take_text(s, l->key, sizeof l->key) < 0)
		return -1;
	if (l->type == MEGALINK_FOLDER &&
	    take_selected(l, s, "!", "?") < 0)
		return -1;
	while (take(s, "="))
		continue;
	if (take(s, "###n=") && take_text(s, folder, sizeof folder) < 0)
		return -1;
	if (folder[0] != '\0') {
		l->type = MEGALINK_NODE;
		memcpy(l->node, l->id, sizeof l->node);
		memcpy(l->id, folder, sizeof l->id);
	}
	return l->type == MEGALINK_NODE && folder[0] == '\0' ? -1 : 0;
}

static int
parse(struct megalink *l, struct slice *s)
{
	if (skip_host(s) < 0)
		return -1;
	l->type = MEGALINK_FILE;
	if (take(s, "file/"))
		return parse_new(l, s);
	if (take(s, "folder/")) {
		l->type = MEGALINK_FOLDER;
		return parse_new(l, s);
	}
	take(s, "#");
	if (take(s, "F!"))
		l->type = MEGALINK_FOLDER;
	else if (take(s, "N!"))
		l->type = MEGALINK_NODE;
	else if (!take(s, "!"))
		return -1;
	return parse_old(l, s);
}

int
megalink_parse(struct megalink *l, const char *text, size_t n)
{
	struct slice s = { text, n };
	char tidied[MEGALINK_TEXT_SIZE];
	int r;

	*l = (struct megalink){ 0 };
	r = tidy(tidied, &s);
	if (r == 0)
		r = parse(l, &s);
	secret_zero(tidied, sizeof tidied);
	if (r < 0 || s.n > 0 || l->id[0] == '\0')
		return err_set(ERR_PROTO, "not a link to a file or folder");
	return 0;
}

char *
megalink_print(char out[MEGALINK_TEXT_SIZE], const struct megalink *l)
{
	const char *hash = l->key[0] != '\0' ? "#" : "";

	if (l->type == MEGALINK_NODE)
		snprintf(out, MEGALINK_TEXT_SIZE,
		    "https://mega.nz/#N!%s!%s=###n=%s", l->node, l->key,
		    l->id);
	else if (l->type == MEGALINK_FILE)
		snprintf(out, MEGALINK_TEXT_SIZE, "https://mega.nz/file/%s%s%s",
		    l->id, hash, l->key);
	else
		snprintf(out, MEGALINK_TEXT_SIZE,
		    "https://mega.nz/folder/%s%s%s%s%s", l->id, hash, l->key,
		    l->node[0] == '\0' ? "" : l->node_is_file ? "/file/" :
		    "/folder/", l->node);
	return out;
}

/* What follows "#" or "#F" in a container: "!ID!KEY". */
static int
payload(struct buf *out, const struct megalink *l)
{
	if (l->type == MEGALINK_NODE)
		return buf_printf(out, "!N?%s!%s=###n=%s", l->node, l->key,
		    l->id);
	if (l->node[0] != '\0')
		return err_set(ERR_USAGE, "a node selected in a folder cannot "
		    "be written this way; link to the folder");
	return buf_printf(out, "!%s!%s", l->id, l->key);
}

int
megalink_relative(struct buf *out, const struct megalink *l)
{
	size_t was = out->len;
	int r;

	buf_addstr(out, l->type == MEGALINK_FOLDER ? "#F" : "#");
	if ((r = payload(out, l)) < 0)
		out->len = was;
	return r;
}

const char *
megalink_doubt(const struct megalink *l)
{
	static char words[80];
	size_t want = l->type == MEGALINK_FOLDER ? 22 : 43;
	size_t keylen = strlen(l->key);

	if (keylen == 0)
		return "no key";
	if (keylen != want) {
		snprintf(words, sizeof words,
		    "a key of %zu characters, not %zu", keylen, want);
		return words;
	}
	if (strlen(l->id) != 8 || (l->node[0] != '\0' &&
	    strlen(l->node) != 8))
		return "an id that is not 8 characters long";
	return NULL;
}

/* enc and fenc. */

int
megalink_base64(struct buf *out, struct slice text)
{
	char *c = xmalloc(text.n);
	size_t n = 0;
	void *to;
	int r;

	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != ',')
			c[n++] = text.p[i];
	while (n > 0 && c[n - 1] == '=')
		n--;
	if (n % 4 == 1) {
		r = err_set(ERR_PROTO, "incomplete: a character of the "
		    "base64 is missing");
		goto out;
	}
	if ((to = buf_reserve(out, B64_BYTES(n))) == NULL) {
		r = ERR_TOOBIG;
		goto out;
	}
	r = b64_decode(to, c, n) == B64_BYTES(n) ? 0 :
	    err_set(ERR_PROTO, "not base64");
	if (r == 0)
		out->len += B64_BYTES(n);
out:
	secret_zero(c, text.n);
	free(c);
	return r;
}

/* The length without PKCS#7 padding, or 0 if that is wrong. */
static size_t
unpad(const uint8_t *p, size_t n)
{
	size_t pad = p[n - 1];

	if (pad == 0 || pad > BLOCK)
		return 0;
	for (size_t i = n - pad; i < n; i++)
		if (p[i] != pad)
			return 0;
	return n - pad;
}

/* The length without zeros behind the text: how scripts pad that never saw
 * MegaDownloader's own output. */
static size_t
unpad_zeros(const uint8_t *p, size_t n)
{
	while (n > 0 && p[n - 1] == 0)
		n--;
	return n;
}

static int
decrypt(struct megalink *l, int folder, const uint8_t key[32],
    size_t (*unpadded)(const uint8_t *, size_t), const struct buf *b)
{
	static const char own[] = "mega:";
	uint8_t plain[SEAL_MAX + 2];
	uint8_t *text = plain + 2;
	size_t n;
	int r = -1;

	plain[0] = '#';
	plain[1] = 'F';
	aescbc_decrypt(key, sizeof keys[0], iv, text,
	    (const uint8_t *)b->p, b->len);
	n = unpadded(text, b->len);
	/* "!ID!KEY", or a whole link, which stands for itself. */
	if (n >= sizeof own && memcmp(text, own, sizeof own - 1) == 0) {
		r = megalink_parse(l, (char *)text, n);
	} else if (n > 0 && text[0] == '!') {
		if (!folder)
			*--text = '#';
		r = megalink_parse(l, folder ? (char *)plain : (char *)text,
		    n + 1 + (size_t)folder);
	}
	secret_zero(plain, sizeof plain);
	return r;
}

int
megalink_open(struct megalink *l, enum megalink_kind kind, struct slice arg)
{
	struct buf b = BUF_MAX(SEAL_MAX);
	int folder = kind == MEGALINK_FENC || kind == MEGALINK_FENC2;
	int named = kind == MEGALINK_ENC2 || kind == MEGALINK_FENC2;
	int r;

	if ((r = megalink_base64(&b, arg)) < 0)
		goto out;
	if (b.len == 0 || b.len % BLOCK != 0) {
		r = err_set(ERR_PROTO, "incomplete: %zu bytes are not whole "
		    "blocks", b.len);
		goto out;
	}
	/* MegaDownloader wrote key 1 under "enc2?" at times. */
	if (decrypt(l, folder, keys[named], unpad, &b) < 0 &&
	    decrypt(l, folder, keys[!named], unpad, &b) < 0 &&
	    ((decrypt(l, folder, keys[named], unpad_zeros, &b) < 0 &&
	    decrypt(l, folder, keys[!named], unpad_zeros, &b) < 0) ||
	    megalink_doubt(l) != NULL))
		r = err_set(ERR_MAC, "neither key decrypts it to a link");
out:
	buf_free(&b);
	return r;
}

int
megalink_seal(struct buf *out, const struct megalink *l, int old)
{
	struct buf b = BUF_MAX(SEAL_MAX);
	char text[B64_LEN(SEAL_MAX) + 1];
	int r, pad;

	if ((r = payload(&b, l)) < 0)
		return r;
	for (pad = BLOCK - (int)(b.len % BLOCK), r = 0; r < pad; r++)
		buf_addch(&b, pad);
	if ((r = buf_check(&b)) < 0)
		goto out;
	aescbc_encrypt(keys[!old], sizeof keys[0], iv, (uint8_t *)b.p,
	    (const uint8_t *)b.p, b.len);
	b64_encode(text, b.p, b.len);
	r = buf_printf(out, "mega://%senc%s?%s",
	    l->type == MEGALINK_FOLDER ? "f" : "", old ? "" : "2", text);
out:
	buf_wipe(&b);
	return r;
}

/* configelc. */

int
megalink_server_url(struct slice url)
{
	struct slice s = url;
	size_t host;

	if (!json_utf8(url.p, url.n))
		return 0;
	for (size_t i = 0; i < url.n; i++)
		if ((unsigned char)url.p[i] <= ' ' || url.p[i] == 0x7f ||
		    url.p[i] == '#' || url.p[i] == '\\')
			return 0;
	if (!take(&s, "https://") && !take(&s, "http://"))
		return 0;
	for (host = 0; host < s.n && strchr("/?", s.p[host]) == NULL; host++)
		if (s.p[host] == '@')
			return 0;
	return host > 0 && s.p[0] != ':';
}

/* A UTF-16 unit as UTF-8; a surrogate comes out as what is no UTF-8. */
static void
add_unit(struct buf *b, int v)
{
	if (v < 0x80) {
		buf_addch(b, v);
	} else if (v < 0x800) {
		buf_addch(b, 0xc0 | v >> 6);
		buf_addch(b, 0x80 | (v & 0x3f));
	} else {
		buf_addch(b, 0xe0 | v >> 12);
		buf_addch(b, 0x80 | (v >> 6 & 0x3f));
		buf_addch(b, 0x80 | (v & 0x3f));
	}
}

/* The next field, up to a colon, as .NET's UrlDecode reads it: "+" is a
 * blank, "%uXXXX" a unit of UTF-16, and what is no escape stays.  Before
 * that "\:" is a colon. */
static void
config_field(struct buf *b, struct slice *s)
{
	int v;

	while (s->n > 0 && *s->p != ':') {
		char c = *s->p;

		advance(s, 1);
		if (c == '\\' && take(s, ":")) {
			buf_addch(b, ':');
		} else if (c == '+') {
			buf_addch(b, ' ');
		} else if (c == '%' && s->n >= 2 &&
		    (v = b64_hex(s->p, 2)) >= 0) {
			buf_addch(b, v);
			advance(s, 2);
		} else if (c == '%' && s->n > 4 && *s->p == 'u' &&
		    (v = b64_hex(s->p + 1, 4)) >= 0) {
			add_unit(b, v);
			advance(s, 5);
		} else {
			buf_addch(b, c);
		}
	}
}

/* Whether a field may be kept and shown. */
static int
is_field(const struct buf *b)
{
	for (size_t i = 0; i < b->len; i++)
		if ((unsigned char)b->p[i] < ' ' || b->p[i] == 0x7f)
			return 0;
	return b->len > 0 && json_utf8(b->p, b->len);
}

int
megalink_config_read(struct megalink_config *c, struct slice arg)
{
	char **const fields[] = { &c->url, &c->user, &c->key, &c->alias };
	struct buf b = BUF_MAX(4096);
	size_t i = 0;
	int r = 0;

	*c = (struct megalink_config){ 0 };
	do {
		buf_reset(&b);
		config_field(&b, &arg);
		/* An empty alias is one that is not there. */
		if (i < 3 ? !is_field(&b) : b.len > 0 && !is_field(&b))
			r = -1;
		else if (i < 4 && b.len > 0)
			*fields[i] = xstrdup(buf_str(&b));
		if (buf_check(&b) < 0)
			r = -1;
		i++;
	} while (r == 0 && take(&arg, ":") && i <= 4);
	if (r < 0 || i < 3 || i > 4 ||
	    !megalink_server_url(slice_str(c->url))) {
		megalink_config_free(c);
		r = err_set(ERR_PROTO, "not URL:USER:KEY or URL:USER:KEY:ALIAS "
		    "with a URL of http or https");
	} else if (c->alias == NULL) {
		c->alias = xstrdup(c->url);
	}
	buf_wipe(&b);
	return r;
}

static void
config_escape(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (is_base64url(c) || strchr(".!~*'()", c) != NULL)
			buf_addch(out, c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

int
megalink_config_write(struct buf *out, const struct megalink_config *c)
{
	buf_addstr(out, "mega://configelc?");
	config_escape(out, c->url);
	buf_addch(out, ':');
	config_escape(out, c->user);
	buf_addch(out, ':');
	config_escape(out, c->key);
	if (c->alias != NULL && strcmp(c->alias, c->url) != 0) {
		buf_addch(out, ':');
		config_escape(out, c->alias);
	}
	return buf_check(out);
}

void
megalink_config_free(struct megalink_config *c)
{
	char *const fields[] = { c->url, c->user, c->key, c->alias };

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (fields[i] != NULL)
			secret_zero(fields[i], strlen(fields[i]));
		free(fields[i]);
	}
	*c = (struct megalink_config){ 0 };
}
