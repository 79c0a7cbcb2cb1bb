/* elcaccount: which container's URL gets which account's API key, and the
 * file there and back. */

#include <sys/stat.h>

#include <unistd.h>

#include "elcaccount.h"
#include "err.h"
#include "mem.h"
#include "tap.h"

static struct slice
text_of(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

static int
put(struct elcaccounts *a, const char *alias, const char *url)
{
	struct megalink_config c = { xstrdup(url), xstrdup("ann"),
	    xstrdup("k\"\n"), xstrdup(alias) };
	int r = elcaccount_put(a, &c);

	megalink_config_free(&c);
	return r;
}

static int
matches(const char *account, const char *url)
{
	struct elcaccounts a = { 0 };
	int r;

	put(&a, "x", account);
	r = elcaccount_match(&a, text_of(url)) != NULL;
	elcaccount_free(&a);
	return r;
}

static void
test_match(void)
{
	static const struct {
		const char *account, *url;
		int same;
	} t[] = {
		{ "http://h/e?a=1", "http://h/e?a=1", 1 },
		{ "HTTP://Host.Example/E", "http://hOST.example/E", 1 },
		{ "http://h:80/e", "http://h/e", 1 },
		{ "https://h/", "https://h:443", 1 },
		{ "https://h?x", "https://h/?x", 1 },
		{ "http://[::1]:80/e", "http://[::1]/e", 1 },
		{ "http://h/e", "http://h/E", 0 },
		{ "http://h/e", "http://h/e/", 0 },
		{ "http://h/e", "http://h/e?", 0 },
		{ "http://h/e", "http://h/e?a=1", 0 },
		{ "http://h/e", "https://h/e", 0 },
		{ "http://h/e", "http://h:443/e", 0 },
		{ "https://h/e", "https://h:80/e", 0 },
		{ "http://h/e", "http://h:8080/e", 0 },
		{ "http://h/e", "http://h.evil.example/e", 0 },
		{ "http://h/e", "http://evil.example/http://h/e", 0 },
		{ "http://h/", "http://h", 1 },
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		ok(matches(t[i].account, t[i].url) == t[i].same,
		    "%s: %s%s", t[i].account, t[i].same ? "" : "not ",
		    t[i].url);
	ok(elcaccount_origin("http://h:81/a?b") == 11 &&
	    elcaccount_origin("https://h?b/c") == 9, "scheme, host and port");
}

static void
test_put(void)
{
	struct elcaccounts a = { 0 };

	ok(put(&a, "one", "http://one/") == 0 &&
	    put(&a, "two", "http://two/") == 0 && a.n == 2, "two accounts");
	ok(put(&a, "uno", "HTTP://ONE:80") == 0 && a.n == 2 &&
	    elcaccount_named(&a, "one") == NULL &&
	    elcaccount_named(&a, "uno") == a.account, "one is replaced");
	ok(put(&a, "two", "http://three/") == ERR_TAKEN && a.n == 2,
	    "an alias is one URL's");
	ok(elcaccount_remove(&a, "one") == ERR_NOENT &&
	    elcaccount_remove(&a, "uno") == 0 && a.n == 1 &&
	    elcaccount_named(&a, "two") == a.account, "removed");
	elcaccount_free(&a);
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fputs(text, f) == EOF || fclose(f) == EOF ||
	    chmod(path, mode) == -1)
		abort();
}

static void
test_file(void)
{
	char dir[] = "/tmp/megapipe.XXXXXX", path[64], deep[64];
	struct elcaccounts a = { 0 };
	struct stat st;

	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(path, sizeof path, "%s/elc.json", dir);
	snprintf(deep, sizeof deep, "%s/sub", dir);
	ok(elcaccount_load(&a, path) == 0 && a.n == 0, "no file, none");
	put(&a, "\xc3\xa9 \"", "http://h/e");
	ok(elcaccount_save(&a, path) == 0 && stat(path, &st) == 0 &&
	    (st.st_mode & 0777) == 0600, "saved for the owner alone");
	elcaccount_free(&a);
	ok(elcaccount_load(&a, path) == 0 && a.n == 1 &&
	    eq(a.account->alias, "\xc3\xa9 \"") &&
	    eq(a.account->key, "k\"\n"), "and read");
	elcaccount_free(&a);
	chmod(path, 0640);
	ok(elcaccount_load(&a, path) == ERR_LOCAL, "not if others may");
	write_file(path, "{\"version\":1,\"accounts\":[{\"alias\":\"a\","
	    "\"url\":\"ftp://h\",\"user\":\"u\",\"key\":\"k\"}]}", 0600);
	ok(elcaccount_load(&a, path) == ERR_PROTO && a.n == 0, "a bad URL");
	write_file(path, "{\"version\":2,\"accounts\":[]}", 0600);
	ok(elcaccount_load(&a, path) == ERR_PROTO, "another version");
	write_file(path, "", 0600);
	ok(elcaccount_load(&a, path) == ERR_PROTO, "an empty file");
	unlink(path);
	snprintf(path, sizeof path, "%s/sub/elc.json", dir);
	ok(elcaccount_save(&a, path) == 0 && stat(deep, &st) == 0 &&
	    (st.st_mode & 0777) == 0700, "a folder is made");
	unlink(path);
	rmdir(deep);
	rmdir(dir);
}

int
main(void)
{
	test_match();
	test_put();
	test_file();
	return done();
}
