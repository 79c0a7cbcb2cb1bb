#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "elc.h"
#include "elcaccount.h"
#include "err.h"
#include "mem.h"
#include "private.h"
#include "secret.h"
#include "shape.h"

struct members {
	int64_t version;
	int accounts;
};

static const struct shape file_shape[] = {
	SHAPE(members, version, "version", SHAPE_INT, SHAPE_REQUIRED, 1, 1),
	SHAPE(members, accounts, "accounts", SHAPE_ARRAY, SHAPE_REQUIRED, 0,
	    ELCACCOUNT_MAX),
	SHAPE_END
};

struct entry {
	struct slice alias, url, user, key;
};

static const struct shape entry_shape[] = {
	SHAPE(entry, alias, "alias", SHAPE_TEXT, SHAPE_REQUIRED, 1, 4096),
	SHAPE(entry, url, "url", SHAPE_TEXT, SHAPE_REQUIRED, 1, 4096),
	SHAPE(entry, user, "user", SHAPE_TEXT, SHAPE_REQUIRED, 1, 4096),
	SHAPE(entry, key, "key", SHAPE_TEXT, SHAPE_REQUIRED, 1, 4096),
	SHAPE_END
};

char *
elcaccount_path(void)
{
	const char *env;

	if ((env = getenv("XDG_CONFIG_HOME")) != NULL && *env == '/')
		return xasprintf("%s/megapipe/elc.json", env);
	if ((env = getenv("HOME")) != NULL && *env != '\0')
		return xasprintf("%s/.config/megapipe/elc.json", env);
	err_set(ERR_LOCAL, "neither XDG_CONFIG_HOME nor HOME says where the "
	    "accounts file is");
	return NULL;
}

static struct megalink_config *
append(struct elcaccounts *a)
{
	a->account = xreallocarray(a->account, a->n + 1, sizeof *a->account);
	a->account[a->n] = (struct megalink_config){ 0 };
	return &a->account[a->n++];
}

static int
load_entry(struct elcaccounts *a, struct json *j, int v)
{
	struct entry e = { 0 };
	struct megalink_config *c;
	int r;

	if ((r = shape_read("account", entry_shape, j, v, &e)) < 0)
		return r;
	if (!megalink_server_url(e.url))
		return err_set(ERR_PROTO, "account: not a URL of http or "
		    "https");
	c = append(a);
	c->alias = xstrndup(e.alias.p, e.alias.n);
	c->url = xstrndup(e.url.p, e.url.n);
	c->user = xstrndup(e.user.p, e.user.n);
	c->key = xstrndup(e.key.p, e.key.n);
	return 0;
}

int
elcaccount_load(struct elcaccounts *a, const char *path)
{
	struct buf text = BUF_MAX(ELCACCOUNT_FILE_MAX);
	struct members m = { 0 };
	struct json j = { 0 };
	int r;

	*a = (struct elcaccounts){ 0 };
	if ((r = private_read(&text, path)) != 0) {
		r = r < 0 ? r : 0;
		goto out;
	}
	if ((r = json_parse(&j, buf_str(&text), text.len)) == 0)
		r = shape_read("accounts file", file_shape, &j, 0, &m);
	for (int v = r == 0 ? json_first(&j, m.accounts) : -1;
	    r == 0 && v >= 0; v = json_next(&j, v))
		r = load_entry(a, &j, v);
	if (r < 0) {
		elcaccount_free(a);
		r = err_prefix(r, "%s: ", path);
	}
out:
	json_free(&j);
	buf_wipe(&text);
	return r;
}

int
elcaccount_save(const struct elcaccounts *a, const char *path)
{
	struct buf b = BUF_MAX(ELCACCOUNT_FILE_MAX);
	struct json_out o = { &b, 0 };
	int r;

	json_open(&o, NULL, '{');
	json_put_int(&o, "version", 1);
	json_open(&o, "accounts", '[');
	for (size_t i = 0; i < a->n; i++) {
		json_open(&o, NULL, '{');
		json_put(&o, "alias", a->account[i].alias);
		json_put(&o, "url", a->account[i].url);
		json_put(&o, "user", a->account[i].user);
		json_put(&o, "key", a->account[i].key);
		json_close(&o, '}');
	}
	json_close(&o, ']');
	json_close(&o, '}');
	buf_addch(&b, '\n');
	if ((r = buf_check(&b)) == 0)
		r = private_write(path, b.p, b.len);
	buf_wipe(&b);
	return r;
}

void
elcaccount_free(struct elcaccounts *a)
{
	for (size_t i = 0; i < a->n; i++)
		megalink_config_free(&a->account[i]);
	free(a->account);
	*a = (struct elcaccounts){ 0 };
}

/* URLs. */

size_t
elcaccount_origin(const char *normal)
{
	size_t scheme = (size_t)(strstr(normal, "://") + 3 - normal);

	return scheme + strcspn(normal + scheme, "/?");
}

char *
elcaccount_normal(struct slice url)
{
	char *s = xmalloc(url.n + 2), *port;
	size_t n;

	memcpy(s, url.p, url.n);
	s[url.n] = '\0';
	n = elcaccount_origin(s);
	for (size_t i = 0; i < n; i++)
		s[i] = (char)tolower((unsigned char)s[i]);
	port = s[4] == 's' ? s + n - 4 : s + n - 3;
	if (n > 8 && strncmp(port, s[4] == 's' ? ":443" : ":80",
	    (size_t)(s + n - port)) == 0) {
		memmove(port, s + n, strlen(s + n) + 1);
		n = (size_t)(port - s);
	}
	if (s[n] != '/') {
		memmove(s + n + 1, s + n, strlen(s + n) + 1);
		s[n] = '/';
	}
	return s;
}

static size_t
index_of_url(const struct elcaccounts *a, struct slice url)
{
	char *want = elcaccount_normal(url), *have;
	size_t i;
	int same = 0;

	for (i = 0; i < a->n; i++) {
		have = elcaccount_normal(slice_str(a->account[i].url));
		same = strcmp(have, want) == 0;
		free(have);
		if (same)
			break;
	}
	free(want);
	return i;
}

static size_t
index_of_alias(const struct elcaccounts *a, const char *alias)
{
	size_t i = 0;

	while (i < a->n && strcmp(a->account[i].alias, alias) != 0)
		i++;
	return i;
}

const struct megalink_config *
elcaccount_match(const struct elcaccounts *a, struct slice url)
{
	size_t i = index_of_url(a, url);

	return i < a->n ? &a->account[i] : NULL;
}

const struct megalink_config *
elcaccount_named(const struct elcaccounts *a, const char *alias)
{
	size_t i = index_of_alias(a, alias);

	return i < a->n ? &a->account[i] : NULL;
}

int
elcaccount_put(struct elcaccounts *a, struct megalink_config *c)
{
	size_t at = index_of_url(a, slice_str(c->url));
	size_t taken = index_of_alias(a, c->alias);

	if (taken < a->n && taken != at)
		return err_set(ERR_TAKEN, "the alias is that of the account "
		    "for %s", a->account[taken].url);
	if (at == a->n) {
		if (a->n == ELCACCOUNT_MAX)
			return err_set(ERR_TOOBIG, "more than %d accounts",
			    ELCACCOUNT_MAX);
		append(a);
	}
	megalink_config_free(&a->account[at]);
	a->account[at] = *c;
	*c = (struct megalink_config){ 0 };
	return 0;
}

int
elcaccount_remove(struct elcaccounts *a, const char *alias)
{
	size_t i = index_of_alias(a, alias);

	if (i == a->n)
		return err_set(ERR_NOENT, "no such account");
	megalink_config_free(&a->account[i]);
	a->n--;
	memmove(&a->account[i], &a->account[i + 1],
	    (a->n - i) * sizeof *a->account);
	return 0;
}
