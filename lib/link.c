#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "b64.h"
#include "err.h"
#include "kdf.h"
#include "key.h"
#include "link.h"
#include "secret.h"

#define AUTH_MIN     8    /* characters of a write authorisation */
#define SPELLED_MAX  1024 /* a link as typed, without its path */
#define HANDLE_CHARS 8
#define FILE_CHARS   B64_LEN(KEY_FILE_SIZE)
#define FOLDER_CHARS B64_LEN(KEY_SIZE)

/* What stands around a link in running text. */
#define BEFORE "<([{\"'`"
#define AFTER  ">)]}\"'`*.,:;!?/"
#define BLANKS " \t\r\n"

/* The payload of a password link; the key is 16 or 32 bytes long, and the
 * MAC over everything before it follows. */
enum {
	AT_VERSION = 0,
	AT_TYPE = 1,         /* 0 folder, otherwise file */
	AT_PH = 2,
	AT_SALT = 8,
	AT_KEY = AT_SALT + KDF_SALT_SIZE,
	MAC_SIZE = 32,
	PAYLOAD_SIZE = AT_KEY + KEY_FILE_SIZE + MAC_SIZE
};
#define PAYLOAD_VERSION 2
#define PAYLOAD_ROUNDS  100000

enum form {
	FORM_NONE,
	FORM_BARE,           /* a handle at once; the key tells the kind */
	FORM_FILE,
	FORM_EMBED,
	FORM_FOLDER,
	FORM_INNER,          /* a file in a folder, named first */
	FORM_PASSWORD,
	FORM_SET,
	FORM_CHAT,
	FORM_NODE,
	FORM_ENCODED
};

struct marker {
	const char *text;
	enum form form;
};

/* Behind a "#", or without one at the beginning. */
static const struct marker old_markers[] = {
	{ "!N?", FORM_NODE },
	{ "!", FORM_FILE },
	{ "F!", FORM_FOLDER },
	{ "F*", FORM_INNER },
	{ "E!", FORM_EMBED },
	{ "P!", FORM_PASSWORD },
	{ "C!", FORM_CHAT },
	{ "N!", FORM_NODE },
	{ NULL, FORM_NONE }
};

static const struct marker new_markers[] = {
	{ "file/", FORM_FILE },
	{ "embed/", FORM_EMBED },
	{ "folder/", FORM_FOLDER },
	{ "collection/", FORM_SET },
	{ "chat/", FORM_CHAT },
	{ NULL, FORM_NONE }
};

/* Behind "mega:" alone. */
static const struct marker encoded_markers[] = {
	{ "enc", FORM_ENCODED },
	{ "fenc", FORM_ENCODED },
	{ "elc", FORM_ENCODED },
	{ "configelc", FORM_ENCODED },
	{ NULL, FORM_NONE }
};

static const char *const hosts[] = { "mega.nz", "mega.co.nz", "mega.app" };

/* What was in front of the grammar proper. */
struct front {
	int mega;            /* "mega:" */
	int http;            /* "http://" or "https://" */
	int host;            /* a host of the service */
};

/* The path behind a link: from the first ":/" that no "/" follows, which
 * would be a scheme's.  NULL if there is none. */
static const char *
find_path(const char *text)
{
	const char *p = text;

	while ((p = strstr(p, ":/")) != NULL && p[2] == '/')
		p += 2;
	return p != NULL ? p + 1 : NULL;
}

/*
 * Copy a link as typed, without path, percent-escapes, blanks, and brackets
 * or punctuation around it.  0, or -1 if it is too long; s is then its
 * beginning.
 */
static int
clean(char s[SPELLED_MAX], const char *text, const char *path)
{
	const char *end = path != NULL ? path - 1 : text + strlen(text);
	size_t n = 0;

	while (text < end && n < SPELLED_MAX - 1) {
		char c = *text++;
		int v;

		if (c == '%' && end - text >= 2 &&
		    (v = b64_hex(text, 2)) >= 0) {
			c = (char)v;
			text += 2;
		}
		if (c == '\0') /* would end the text, and be in no link */
			c = '%';
		if (strchr(BLANKS, c) == NULL &&
		    (n > 0 || strchr(BEFORE, c) == NULL))
			s[n++] = c;
	}
	while (n > 0 && strchr(AFTER, s[n - 1]) != NULL)
		n--;
	s[n] = '\0';
	return text < end ? -1 : 0;
}

/* Step over a word in any case: 1, or 0 if *p begins otherwise. */
static int
skip(const char **p, const char *word)
{
	size_t n = strlen(word);

	if (strncasecmp(*p, word, n) != 0)
		return 0;
	*p += n;
	return 1;
}

/* Whether n characters are a host, or one of its subdomains. */
static int
is_host(const char *p, size_t n, const char *host)
{
	size_t len = strlen(host);

	if (n < len || strncasecmp(p + n - len, host, len) != 0)
		return 0;
	return n == len || p[n - len - 1] == '.';
}

/* Step over a name of the service's, or with local of this machine's. */
static int
skip_name(const char **p, int local)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
	size_t n = strspn(*p, letters);

	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		if (is_host(*p, n, hosts[i])) {
			*p += n;
			return 1;
		}
	}
	if (!local)
		return 0;
	return skip(p, "localhost") || skip(p, "127.0.0.1") ||
	    skip(p, "[::1]");
}

/* Step over a host and its port: 1, or 0 if there is none of ours.  A local
 * server needs its scheme; "localhost/x" is a path. */
static int
skip_host(const char **p, int http)
{
	const char *s = *p;

	if (!skip_name(&s, http))
		return 0;
	if (*s == ':')
		s += 1 + strspn(s + 1, "0123456789");
	if (*s != '/' && *s != '#' && !(http && (*s == '?' || *s == '\0')))
		return 0;
	*p = s;
	return 1;
}

static struct front
skip_front(const char **p)
{
	struct front f = { 0 };

	f.mega = skip(p, "mega:");
	if (f.mega)
		*p += strspn(*p, "/");
	f.http = skip(p, "https://") || skip(p, "http://");
	f.host = skip_host(p, f.http);
	return f;
}

/* Step over the marker that *p begins with and tell what it announces. */
static enum form
skip_marker(const char **p, const struct marker *m)
{
	while (m->text != NULL && !skip(p, m->text))
		m++;
	return m->form;
}

/* Step to the first handle or the payload. */
static enum form
skip_grammar(const char **p, struct front f)
{
	const char *hash = strchr(*p, '#');
	enum form form;

	if (f.mega && !f.http && !f.host &&
	    skip_marker(p, encoded_markers) != FORM_NONE)
		return FORM_ENCODED;
	if (hash != NULL) {
		hash++;
		if ((form = skip_marker(&hash, old_markers)) != FORM_NONE) {
			*p = hash;
			return form;
		}
	}
	*p += strspn(*p, "/");
	if ((form = skip_marker(p, old_markers)) != FORM_NONE ||
	    (form = skip_marker(p, new_markers)) != FORM_NONE)
		return form;
	/* Behind a host, eight letters may be any page: "/register". */
	return f.host ? FORM_NONE : FORM_BARE;
}

/* How many characters of base64 follow. */
static size_t
run(const char *p)
{
	size_t n = 0;

	while (b64_valid(p + n, 1))
		n++;
	return n;
}

static int
take_handle(char out[HANDLE_CHARS + 1], const char **p)
{
	if (run(*p) != HANDLE_CHARS)
		return err_set(ERR_USAGE, "a link needs a handle of %d "
		    "characters", HANDLE_CHARS);
	memcpy(out, *p, HANDLE_CHARS);
	out[HANDLE_CHARS] = '\0';
	*p += HANDLE_CHARS;
	return 0;
}

/* The key at *p, n characters, n > 0. */
static int
take_key(struct link *l, const char **p, size_t n, enum form form)
{
	if (form == FORM_BARE)
		l->kind = n == FOLDER_CHARS ? LINK_FOLDER : LINK_FILE;
	l->keylen = l->kind == LINK_FOLDER ? KEY_SIZE : KEY_FILE_SIZE;
	if (b64_decode_exact(l->key, l->keylen, *p, n) < 0)
		return err_set(ERR_USAGE, "the key of a %s link has %zu "
		    "characters, not %zu",
		    l->kind == LINK_FOLDER ? "folder" : "file",
		    B64_LEN(l->keylen), n);
	if (key_is_zero(l->key, l->keylen))
		return err_set(ERR_USAGE, "the link's key is zero");
	*p += n;
	return 0;
}

/* The write authorisation of a folder: behind a colon, as MEGAcmd shows it
 * beside the key. */
static void
take_auth(struct link *l, const char **p)
{
	size_t n;

	if (**p != ':' || (n = run(*p + 1)) < AUTH_MIN || n >= sizeof l->auth)
		return;
	memcpy(l->auth, *p + 1, n);
	l->auth[n] = '\0';
	*p += 1 + n;
}

/* The node selected in a folder; of several, as browsing leaves them, the
 * last. */
static int
take_nodes(struct link *l, const char **p)
{
	int r;

	while (**p != '\0') {
		if (skip(p, "/file/") || skip(p, "?"))
			l->node_is_file = 1;
		else if (skip(p, "/folder/") || skip(p, "!"))
			l->node_is_file = 0;
		else
			return 0;
		if ((r = take_handle(l->node, p)) < 0)
			return r;
	}
	return 0;
}

/* "NODE!KEY=###n=FOLDER"; some programs leave out the "=". */
static int
parse_node(struct link *l, const char *p)
{
	size_t n;
	int r;

	l->kind = LINK_NODE;
	if ((r = take_handle(l->node, &p)) < 0)
		return r;
	if (skip(&p, "!") && (n = run(p)) > 0 &&
	    (r = take_key(l, &p, n, FORM_NODE)) < 0)
		return r;
	skip(&p, "=");
	if (!skip(&p, "###n="))
		return err_set(ERR_USAGE, "the link does not say in which "
		    "folder its file is");
	if ((r = take_handle(l->ph, &p)) < 0)
		return r;
	if (*p != '\0')
		return err_set(ERR_USAGE, "something follows the link");
	return 0;
}

static int
parse_ids(struct link *l, const char *p, enum form form)
{
	size_t n;
	int r;

	l->kind = form == FORM_FOLDER ? LINK_FOLDER : LINK_FILE;
	if ((r = take_handle(l->ph, &p)) < 0 ||
	    (form == FORM_FOLDER && skip(&p, "@") &&
	    (r = take_handle(l->node, &p)) < 0))
		return r;
	if (*p == '?') /* what trackers insert */
		p += strcspn(p, "#");
	if (*p == '#' || *p == '!')
		p++;
	else if (*p != '\0')
		return err_set(ERR_USAGE, "no key where the link should have "
		    "one");
	if ((n = run(p)) > 0 && (r = take_key(l, &p, n, form)) < 0)
		return r;
	if (n == 0 && form == FORM_BARE)
		return err_set(ERR_USAGE, "not a link");
	if (n == 0 && l->node[0] != '\0')
		return err_set(ERR_USAGE, "the link has no key");
	if (n > 0 && l->kind == LINK_FOLDER) {
		take_auth(l, &p);
		if ((r = take_nodes(l, &p)) < 0)
			return r;
	}
	if (form == FORM_EMBED && *p == '!') /* options of the player */
		p += 1 + run(p + 1);
	if (*p != '\0')
		return err_set(ERR_USAGE, "something follows the link");
	return 0;
}

/* "FILE!FOLDER!KEY", and above "FOLDER@NODE!KEY": what MegaBasterd makes of
 * new links to nodes in folders. */
static int
parse_inner(struct link *l, const char *p)
{
	int r;

	if ((r = take_handle(l->node, &p)) < 0)
		return r;
	l->node_is_file = 1;
	if (!skip(&p, "!"))
		return err_set(ERR_USAGE, "the link does not say in which "
		    "folder its file is");
	return parse_ids(l, p, FORM_FOLDER);
}

/* Decode a payload; the length of its key, or ERR_USAGE. */
static int
payload_decode(uint8_t raw[PAYLOAD_SIZE], const char *text)
{
	uint8_t buf[B64_BYTES(LINK_PAYLOAD_MAX)] = { 0 };
	size_t len = b64_decode(buf, text, strlen(text)), keylen;

	keylen = buf[AT_TYPE] == 0 ? KEY_SIZE : KEY_FILE_SIZE;
	if (len < AT_KEY + keylen + MAC_SIZE)
		return err_set(ERR_USAGE, "the password link is cut short");
	if (buf[AT_VERSION] != 1 && buf[AT_VERSION] != PAYLOAD_VERSION)
		return err_set(ERR_USAGE, "password link of version %d, which "
		    "is not known", buf[AT_VERSION]);
	memcpy(raw, buf, AT_KEY + keylen + MAC_SIZE);
	return (int)keylen;
}

static int
parse_payload(struct link *l, const char *p)
{
	uint8_t raw[PAYLOAD_SIZE];
	size_t n = run(p);
	int r;

	if (p[n] != '\0' || n >= sizeof l->payload)
		return err_set(ERR_USAGE, "something follows the password "
		    "link");
	if ((r = payload_decode(raw, p)) < 0)
		return r;
	l->kind = LINK_PASSWORD;
	memcpy(l->payload, p, n);
	b64_encode(l->ph, raw + AT_PH, AT_SALT - AT_PH);
	return 0;
}

static int
parse_clean(struct link *l, const char *p)
{
	struct front f = skip_front(&p);
	enum form form;

	if (f.http && !f.host)
		return err_set(ERR_USAGE, "a link to some other service");
	switch (form = skip_grammar(&p, f)) {
	case FORM_NONE:
		return err_set(ERR_USAGE, "not a link to a file or folder");
	case FORM_SET:
		return err_set(ERR_USAGE, "a collection, which is not a file "
		    "or folder");
	case FORM_CHAT:
		return err_set(ERR_USAGE, "a chat, which is not a file or "
		    "folder");
	case FORM_NODE:
		return parse_node(l, p);
	case FORM_INNER:
		return parse_inner(l, p);
	case FORM_ENCODED:
		return err_set(ERR_USAGE, "an encoded mega:// link, which "
		    "mega-elc decodes");
	case FORM_PASSWORD:
		return parse_payload(l, p);
	default:
		return parse_ids(l, p, form);
	}
}

/* Only folders have something that a path could name. */
static int
check_path(const struct link *l)
{
	if (l->path.p != NULL && (l->kind == LINK_FILE ||
	    l->kind == LINK_NODE || l->node_is_file))
		return err_set(ERR_USAGE, "a path behind a link to a file");
	return 0;
}

int
link_parse(struct link *l, const char *text)
{
	const char *path = find_path(text);
	char s[SPELLED_MAX];
	int r;

	*l = (struct link){ 0 };
	if (path != NULL)
		l->path = slice_str(path);
	if (clean(s, text, path) < 0)
		r = err_set(ERR_USAGE, "longer than any link");
	else if ((r = parse_clean(l, s)) == 0)
		r = check_path(l);
	if (r < 0)
		secret_zero(l, sizeof *l);
	secret_zero(s, sizeof s);
	return r;
}

/* Whether it is a handle and a key of the right lengths. */
static int
is_bare(const char *p)
{
	size_t n;

	skip(&p, "!");
	if (run(p) != HANDLE_CHARS)
		return 0;
	p += HANDLE_CHARS;
	if (*p != '#' && *p != '!')
		return 0;
	n = run(p + 1);
	return n == FILE_CHARS || n == FOLDER_CHARS;
}

int
link_is(const char *text)
{
	char s[SPELLED_MAX];
	const char *p = s;
	struct front f;
	int r;

	clean(s, text, find_path(text));
	f = skip_front(&p);
	r = f.mega || f.http || f.host || is_bare(p);
	if (!r && *p++ == '#')
		r = skip_marker(&p, old_markers) != FORM_NONE;
	secret_zero(s, sizeof s);
	return r;
}

/* The letters between which a form puts its handles and its key. */
struct spelling {
	const char *file, *folder, *key, *to_file, *to_folder;
};

char *
link_print(char out[LINK_TEXT_MAX], const struct link *l, int old)
{
	static const struct spelling spellings[] = {
		{ "file/", "folder/", "#", "/file/", "/folder/" },
		{ "#!", "#F!", "!", "?", "!" },
	};
	const struct spelling *s = &spellings[old != 0];
	char key[FILE_CHARS + 1] = "";

	if (l->kind == LINK_PASSWORD) {
		snprintf(out, LINK_TEXT_MAX, "https://mega.nz/#P!%s",
		    l->payload);
		return out;
	}
	b64_encode(key, l->key, l->keylen);
	if (l->kind == LINK_NODE)
		snprintf(out, LINK_TEXT_MAX, "https://mega.nz/#N!%s!%s=###n=%s",
		    l->node, key, l->ph);
	else
		snprintf(out, LINK_TEXT_MAX, "https://mega.nz/%s%s%s%s%s%s%s%s",
		    l->kind == LINK_FOLDER ? s->folder : s->file, l->ph,
		    l->keylen > 0 ? s->key : "", key,
		    l->auth[0] != '\0' ? ":" : "", l->auth,
		    l->node[0] == '\0' ? "" :
		    l->node_is_file ? s->to_file : s->to_folder, l->node);
	secret_zero(key, sizeof key);
	return out;
}

/* The pad for the key and behind it the key of the MAC, 32 bytes each. */
static void
payload_derive(uint8_t d[64], const uint8_t raw[PAYLOAD_SIZE],
    const char *password)
{
	kdf_pbkdf2_sha512(d, 64, password, strlen(password), raw + AT_SALT,
	    KDF_SALT_SIZE, PAYLOAD_ROUNDS);
}

/* Version 1 gave key and message to the MAC the wrong way round. */
static void
payload_mac(uint8_t mac[MAC_SIZE], const uint8_t raw[PAYLOAD_SIZE],
    size_t keylen, const uint8_t d[64])
{
	if (raw[AT_VERSION] == 1)
		kdf_hmac_sha256(mac, raw, AT_KEY + keylen, d + 32, 32);
	else
		kdf_hmac_sha256(mac, d + 32, 32, raw, AT_KEY + keylen);
}

static void
xor_key(uint8_t *dst, const uint8_t *src, const uint8_t *pad, size_t n)
{
	while (n-- > 0)
		*dst++ = *src++ ^ *pad++;
}

int
link_unlock(struct link *l, const char *password)
{
	uint8_t raw[PAYLOAD_SIZE], d[64], mac[MAC_SIZE];
	struct link plain = { .path = l->path };
	int r;

	if ((r = payload_decode(raw, l->payload)) < 0)
		return r;
	plain.keylen = (size_t)r;
	plain.kind = raw[AT_TYPE] == 0 ? LINK_FOLDER : LINK_FILE;
	b64_encode(plain.ph, raw + AT_PH, AT_SALT - AT_PH);
	if ((r = check_path(&plain)) < 0)
		return r;
	payload_derive(d, raw, password);
	payload_mac(mac, raw, plain.keylen, d);
	if (!secret_equal(mac, raw + AT_KEY + plain.keylen, MAC_SIZE)) {
		r = err_set(ERR_MAC, "wrong password");
		goto out;
	}
	xor_key(plain.key, raw + AT_KEY, d, plain.keylen);
	if (key_is_zero(plain.key, plain.keylen)) {
		r = err_set(ERR_USAGE, "the link's key is zero");
		goto out;
	}
	*l = plain;
out:
	secret_zero(d, sizeof d);
	secret_zero(&plain, sizeof plain);
	return r;
}

int
link_lock(struct link *l, const char *password, const uint8_t *salt)
{
	uint8_t raw[PAYLOAD_SIZE], d[64];

	if (l->keylen == 0)
		return err_set(ERR_USAGE, "a link without a key cannot get a "
		    "password");
	if (l->node[0] != '\0')
		return err_set(ERR_USAGE, "a link to a node in a folder "
		    "cannot get a password");
	raw[AT_VERSION] = PAYLOAD_VERSION;
	raw[AT_TYPE] = l->keylen == KEY_FILE_SIZE;
	if (b64_decode_exact(raw + AT_PH, AT_SALT - AT_PH, l->ph,
	    strlen(l->ph)) < 0)
		return err_set(ERR_USAGE, "a link needs a handle of %d "
		    "characters", HANDLE_CHARS);
	if (salt != NULL)
		memcpy(raw + AT_SALT, salt, KDF_SALT_SIZE);
	else
		secret_random(raw + AT_SALT, KDF_SALT_SIZE);
	payload_derive(d, raw, password);
	xor_key(raw + AT_KEY, l->key, d, l->keylen);
	payload_mac(raw + AT_KEY + l->keylen, raw, l->keylen, d);
	b64_encode(l->payload, raw, AT_KEY + l->keylen + MAC_SIZE);
	secret_zero(l->key, sizeof l->key);
	l->keylen = 0;
	l->kind = LINK_PASSWORD;
	secret_zero(d, sizeof d);
	return 0;
}

/* Long enough to be a key, longer than a handle or a host's name part. */
#define KEY_RUN 20

void
link_redact(struct buf *out, const char *text)
{
	/* Only where there is a link: a long word in a path is no key. */
	if (!link_is(text)) {
		buf_addstr(out, text);
		return;
	}
	while (*text != '\0') {
		size_t n = 0;

		/* What follows ":/" is a path. */
		if (text[0] == ':' && text[1] == '/' && text[2] != '/') {
			buf_addstr(out, text);
			return;
		}
		while (text[n] != '\0' && b64_valid(text + n, 1))
			n++;
		if (n >= KEY_RUN)
			buf_addstr(out, "...");
		else
			buf_add(out, text, n > 0 ? n : 1);
		text += n > 0 ? n : 1;
	}
}
