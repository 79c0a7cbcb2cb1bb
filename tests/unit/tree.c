/* The tree on disk: sorting, blocks, and the cache made of them. */

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "b64.h"
#include "block.h"
#include "cache.h"
#include "err.h"
#include "mem.h"
#include "sort.h"
#include "tap.h"

static char dir[] = "/tmp/unit-tree.XXXXXX";

/* Numbers that look random and are the same each time. */
static uint32_t
next(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Sort n records of a key and some text; whether they come back in order,
 * all of them. */
static int
sorts(uint32_t n, size_t memory)
{
	struct sort *s = sort_new(dir, memory);
	uint32_t state = n, count = 0;
	uint64_t sum = 0, got = 0;
	char last[64] = "", text[64];
	struct slice r;
	int good = 1, e;

	for (uint32_t i = 0; i < n && good; i++) {
		uint32_t v = next(&state);
		size_t len = (size_t)snprintf(text, sizeof text, "%07u%.*s", v,
		    (int)(v % 40), "abcdefghijklmnopqrstuvwxyzabcdefghijklmn");

		sum += v;
		good = sort_add(s, text, len) == 0;
	}
	while (good && (e = sort_next(s, &r)) == 1) {
		memcpy(text, r.p, r.n);
		text[r.n] = '\0';
		good = strcmp(last, text) <= 0;
		memcpy(last, text, sizeof last);
		got += strtoul(text, NULL, 10) / (strlen(text) > 99 ? 2 : 1);
		count++;
	}
	sort_free(s);
	return good && count == n && got == sum;
}

static void
test_sort(void)
{
	struct sort *s = sort_new(dir, SORT_RECORD_MAX);
	struct slice r;

	ok(sort_next(s, &r) == 0, "nothing to sort");
	sort_free(s);
	sort_free(NULL);
	ok(sorts(1, SORT_RECORD_MAX), "one record");
	ok(sorts(1000, SORT_RECORD_MAX), "in memory");
	ok(sorts(100000, SORT_RECORD_MAX), "in runs");

	s = sort_new(dir, SORT_RECORD_MAX);
	for (int i = 0; i < 5; i++) {
		char *big = xcalloc(SORT_RECORD_MAX, 1);

		big[0] = (char)(5 - i);
		sort_add(s, big, SORT_RECORD_MAX);
		free(big);
	}
	for (int i = 1; i <= 5; i++)
		ok(sort_next(s, &r) == 1 && r.n == SORT_RECORD_MAX &&
		    r.p[0] == i, "record %d as large as memory", i);
	ok(sort_next(s, &r) == 0, "and no more");
	sort_free(s);
	s = sort_new("/nonexistent/", SORT_RECORD_MAX);
	for (int i = 0; i < 2; i++) {
		char *big = xcalloc(SORT_RECORD_MAX, 1);

		ok(sort_add(s, big, SORT_RECORD_MAX) == (i == 0 ? 0 :
		    ERR_LOCAL), "no place for a file, record %d", i);
		free(big);
	}
	sort_free(s);
}

static struct slice
str(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

/* The records of a block with blanks between them. */
static const char *
spell(struct buf *b)
{
	static char out[256];
	struct slice rest = { buf_str(b), b->len }, r;
	size_t n = 0;

	while (block_next(&rest, &r) == 1)
		n += (size_t)snprintf(out + n, sizeof out - n, "%s%.*s",
		    n > 0 ? " " : "", (int)r.n, r.p);
	out[n] = '\0';
	return out;
}

static void
test_block(void)
{
	struct buf a = BUF_MAX(1000), b = BUF_MAX(1000);
	struct slice none = { NULL, 0 }, rest, r;

	ok(block_change(&a, none, str("b"), str("b1")) == 0 &&
	    eq(spell(&a), "b1"), "into nothing");
	ok(block_change(&b, (struct slice){ a.p, a.len }, str("a"),
	    str("a1")) == 0 && eq(spell(&b), "a1 b1"), "before it");
	buf_reset(&a);
	ok(block_change(&a, (struct slice){ b.p, b.len }, str("c"),
	    str("c1")) == 0 && eq(spell(&a), "a1 b1 c1"), "behind it");
	buf_reset(&b);
	ok(block_change(&b, (struct slice){ a.p, a.len }, str("b"),
	    str("b2")) == 1 && eq(spell(&b), "a1 b2 c1"), "in its place");
	buf_reset(&a);
	ok(block_change(&a, (struct slice){ b.p, b.len }, str("a"), none) == 1
	    && eq(spell(&a), "b2 c1"), "taken out");
	buf_reset(&b);
	ok(block_change(&b, (struct slice){ a.p, a.len }, str("x"), none) == 0
	    && eq(spell(&b), "b2 c1"), "what is not there");
	ok(block_compare(str("a"), str("ab")) < 0 &&
	    block_compare(str("b"), str("ab")) > 0 &&
	    block_compare(str("ab"), str("ab")) == 0, "order");

	rest = (struct slice){ "\0\0\1", 3 };
	ok(block_next(&rest, &r) == -1, "a record cut off");
	rest = (struct slice){ "\0\0", 2 };
	ok(block_next(&rest, &r) == -1, "its length cut off");
	rest = (struct slice){ "\377\377\377x", 4 };
	ok(block_next(&rest, &r) == -1, "a length that cannot be");
	buf_reset(&a);
	ok(block_change(&a, (struct slice){ "\0\0\5x", 4 }, str("x"),
	    none) == -1, "nothing is changed in a damaged block");
	buf_free(&a);
	buf_free(&b);
}

static int
put(struct cache *c, int64_t h, int64_t parent, const char *name, int type)
{
	struct cache_node n = { .h = h, .parent = parent, .type = type,
	    .name = str(name), .mtime = -1, .created = 1000 + h };

	return cache_put(c, &n);
}

/* The names of children, in order, with blanks between them. */
static const char *
list(struct cache *c, int64_t parent)
{
	static char out[4096];
	struct cache_cursor cur = { 0 };
	struct cache_node n;
	size_t len = 0;
	int r;

	r = cache_children(c, &cur, parent, NULL, 0, 0);
	while (r == 0 && (r = cache_next(&cur, &n)) == 1 &&
	    len < sizeof out - 300) {
		len += (size_t)snprintf(out + len, sizeof out - len,
		    "%s%.*s", len > 0 ? " " : "", (int)n.name.n, n.name.p);
		r = 0;
	}
	cache_done(&cur);
	out[len] = '\0';
	return r < 0 ? "error" : out;
}

static void
test_values(struct cache *c)
{
	struct cache_node n = { .h = 77, .parent = 5, .type = 3, .unnamed = 1,
	    .size = ((int64_t)1 << 50) - 1, .created = ((int64_t)1 << 48) - 1,
	    .mtime = INT64_MAX, .owner = -2, .name = { "a\0b\0\0\1c", 7 },
	    .keylen = 32, .clen = 21 }, got;

	memset(n.key, 0xa5, sizeof n.key);
	memset(n.c, 0x5a, n.clen);
	ok(cache_put(c, &n) == 0 && cache_get(c, 77, &got) == 0,
	    "all there is of a node");
	ok(got.h == n.h && got.parent == n.parent && got.type == n.type &&
	    got.unnamed == 1 && got.size == n.size && got.created ==
	    n.created && got.mtime == n.mtime && got.owner == n.owner,
	    "its numbers");
	ok(got.name.n == 7 && memcmp(got.name.p, "a\0b\0\0\1c", 7) == 0,
	    "a name with NULs");
	ok(got.keylen == 32 && memcmp(got.key, n.key, 32) == 0 &&
	    got.clen == 21 && memcmp(got.c, n.c, 21) == 0 && got.ph == -1,
	    "its key and fingerprint");
	ok(cache_child(c, 5, "a\0b\0\0\1c", 7, &got) == 0 && got.h == 77,
	    "found by that name");
	n = (struct cache_node){ .h = 77, .parent = 6, .name = { "", 0 },
	    .mtime = -1 };
	ok(cache_put(c, &n) == 0 && cache_get(c, 77, &got) == 0 &&
	    got.parent == 6 && got.size == 0 && got.keylen == 0 &&
	    got.mtime == -1 && got.owner == 0 && got.name.n == 0,
	    "and as little as there can be");
	ok(cache_child(c, 5, "a\0b\0\0\1c", 7, &got) == ERR_NOENT,
	    "it is not where it was");
	ok(cache_delete(c, 77, 0) == 0 && cache_get(c, 77, &got) == ERR_NOENT,
	    "gone");
}

static void
test_tree(struct cache *c)
{
	struct cache_cursor cur = { 0 };
	struct cache_node n;

	put(c, 1, CACHE_TOP, "", 2);
	put(c, 2, 1, "b", 1);
	put(c, 3, 1, "a", 1);
	put(c, 4, 1, "a", 0);
	put(c, 5, 2, "x", 0);
	put(c, 6, 2, "y", 1);
	put(c, 7, 6, "deep", 0);
	ok(eq(list(c, 1), "a a b"), "children by name");
	ok(eq(list(c, 2), "x y") && eq(list(c, 6), "deep"), "further down");
	ok(eq(list(c, 99), ""), "nothing");
	ok(cache_child(c, 1, "a", 1, &n) == 0 && n.h == 4 &&
	    n.name.n == 1 && *n.name.p == 'a', "the newest of two");
	ok(cache_child(c, 1, "", 0, &n) == ERR_NOENT &&
	    cache_child(c, 1, "aa", 2, &n) == ERR_NOENT, "no such name");
	ok(cache_get(c, 7, &n) == 0 && n.parent == 6 && n.created == 1007,
	    "by handle");
	ok(cache_children(c, &cur, 1, "a", 1, 3) == 0 &&
	    cache_next(&cur, &n) == 1 && n.h == 4 &&
	    cache_next(&cur, &n) == 1 && n.h == 2 &&
	    cache_next(&cur, &n) == 0, "behind one of them");
	cache_done(&cur);

	put(c, 6, 1, "z", 1);
	ok(eq(list(c, 1), "a a b z") && eq(list(c, 2), "x") &&
	    eq(list(c, 6), "deep"), "moved and renamed");
	ok(cache_put_link(c, 7, 123, 5) == 0 && cache_get(c, 7, &n) == 0 &&
	    n.ph == 123 && n.link_ends == 5, "a public link");
	ok(cache_children(c, &cur, 6, NULL, 0, 0) == 0 &&
	    cache_next(&cur, &n) == 1 && n.ph == 123, "listed with it");
	cache_done(&cur);
	ok(cache_put_link(c, 7, -1, 0) == 0 && cache_get(c, 7, &n) == 0 &&
	    n.ph == -1 && n.link_ends == 0, "without");

	ok(cache_delete(c, 2, 0) == 0 && eq(list(c, 1), "a a z") &&
	    cache_get(c, 5, &n) == ERR_NOENT, "a folder with what is in it");
	ok(cache_delete(c, 2, 0) == 0, "again");

	/* 10 is the newest version, 11 and 12 the older ones. */
	put(c, 10, 6, "v", 0);
	put(c, 11, 10, "v", 0);
	put(c, 12, 11, "v", 0);
	ok(cache_delete(c, 11, 1) == 0 && eq(list(c, 10), "v") &&
	    cache_get(c, 12, &n) == 0 && n.parent == 10, "one version");
	ok(cache_delete(c, 10, 1) == 0 && eq(list(c, 6), "deep v") &&
	    cache_get(c, 12, &n) == 0 && n.parent == 6, "the newest one");

	put(c, 20, 21, "p", 1);
	put(c, 21, 20, "q", 1);
	ok(cache_delete(c, 20, 0) == 0 &&
	    cache_get(c, 21, &n) == ERR_NOENT, "a cycle");
	ok(cache_delete(c, 1, 0) == 0 &&
	    cache_get(c, 7, &n) == ERR_NOENT, "everything");
}

static void
test_small_tables(struct cache *c)
{
	static const uint8_t key[16] = "0123456789abcdef";
	struct cache_raw raw = { .h = 5, .k = str("k"), .a = str("attr") };
	struct cache_state s = { .sn = "AAAAAAAAAAE" }, got;
	struct buf b = BUF_MAX(100);
	struct cache_node n;
	int64_t user;

	memcpy(s.check, key, sizeof key);
	ok(cache_put_state(c, &s) == 0 && cache_get_state(c, &got) == 0 &&
	    eq(got.sn, s.sn) && memcmp(got.check, key, 16) == 0, "state");

	ok(cache_put_raw(c, &raw) == 0, "a record as it was sent");
	raw = (struct cache_raw){ .h = 6, .a = str("attr") };
	cache_put_raw(c, &raw);
	ok(cache_get_raw(c, 5, &raw) == 0 && raw.k.n == 1 && raw.a.n == 4 &&
	    memcmp(raw.a.p, "attr", 4) == 0, "read");
	ok(cache_next_raw(c, -1, &raw) == 1 && raw.h == 5 &&
	    cache_next_raw(c, 5, &raw) == 0, "those with a key string");
	ok(cache_get_raw(c, 6, &raw) == 0 && raw.k.p == NULL, "and without");
	ok(cache_drop_raw(c, 5) == 0 &&
	    cache_get_raw(c, 5, &raw) == ERR_NOENT, "dropped");

	ok(cache_is_shared(c, 9) == 0 && cache_put_share(c, 9, "EXP", 3) == 0
	    && cache_put_share(c, 9, "AAECAwQFBgc", 11) == 0 &&
	    cache_is_shared(c, 9) == 1, "shared with two");
	ok(cache_drop_share(c, 9, "EXP", 3) == 0 &&
	    cache_is_shared(c, 9) == 1 &&
	    cache_drop_share(c, 9, "AAECAwQFBgc", 11) == 0 &&
	    cache_is_shared(c, 9) == 0, "with none");

	put(c, 30, CACHE_SHARED, "s", 1);
	put(c, 31, CACHE_SHARED, "t", 1);
	put(c, 32, 1, "mine", 1);
	cache_put_inshare(c, 30, 32, 7);
	cache_put_inshare(c, 31, 4711, 8);
	ok(cache_place_inshares(c) == 0 && eq(list(c, 32), "s") &&
	    eq(list(c, CACHE_SHARED), "t"), "folders of others");
	ok(cache_get_inshare(c, 31, &user) == 0 && user == 8 &&
	    cache_get_inshare(c, 32, &user) == ERR_NOENT, "whose");
	cache_delete(c, 32, 0);
	ok(cache_get(c, 30, &n) == ERR_NOENT &&
	    cache_get_inshare(c, 30, &user) == ERR_NOENT, "gone with it");
	ok(cache_put_user(c, 8, "a@b.c", 5) == 0 &&
	    cache_get_user(c, 8, &b) == 0 && eq(buf_str(&b), "a@b.c") &&
	    cache_get_user(c, 9, &b) == ERR_NOENT, "a user's address");
	buf_free(&b);
}

/* Fill a cache with a thousand folders of so many files. */
static int
fill(struct cache *c, int files)
{
	char name[300];
	int r = put(c, 1, CACHE_TOP, "", 2);

	for (int i = 0; i < 1000 && r == 0; i++) {
		snprintf(name, sizeof name, "folder %03d", i);
		r = put(c, 1000 + i, 1, name, 1);
		for (int k = 0; k < files && r == 0; k++) {
			snprintf(name, sizeof name, "file %d%.*s", 7919 * k %
			    1000, k % 200, "........................................"
			    "..............................................."
			    "..............................................."
			    "...............................................");
			r = put(c, 100000 + i * 100 + k, 1000 + i, name, 0);
		}
	}
	return r;
}

static int
count(struct cache *c, int64_t parent)
{
	struct cache_cursor cur = { 0 };
	struct cache_node n;
	char last[512] = "";
	int total = 0, r;

	r = cache_children(c, &cur, parent, NULL, 0, 0);
	while (r == 0 && (r = cache_next(&cur, &n)) == 1) {
		/* A cursor within a cursor. */
		if (n.type == 1) {
			int below = count(c, n.h);

			total += below < 0 ? -1000000 : below;
		}
		if (n.name.n >= sizeof last || memcmp(last, n.name.p,
		    n.name.n < strlen(last) ? n.name.n : strlen(last)) > 0)
			total = -1000000;
		memcpy(last, n.name.p, n.name.n);
		last[n.name.n] = '\0';
		total++;
		r = 0;
	}
	cache_done(&cur);
	return r < 0 ? -1 : total;
}

static void
test_large(struct cache *c, const char *what)
{
	struct cache_node n;
	int missing = 0;

	ok(fill(c, 30) == 0, "%s: filled", what);
	ok(cache_sort(c) == 0, "%s: sorted", what);
	ok(count(c, 1) == 31000, "%s: all there, in order", what);
	for (int i = 0; i < 1000; i++)
		for (int k = 0; k < 30; k++)
			missing += cache_get(c, 100000 + i * 100 + k, &n) < 0;
	ok(missing == 0, "%s: all found by handle", what);
	ok(cache_delete(c, 1500, 0) == 0 && count(c, 1) == 30969,
	    "%s: a folder removed", what);
	ok(put(c, 130001, 1001, "a name before all others there are", 0) == 0
	    && put(c, 999999, 1, "zzz", 1) == 0 && count(c, 1) == 30970,
	    "%s: one moved, one added", what);
}

/* Records that are the same, or of the same handle. */
static void
test_duplicates(void)
{
	struct cache *c;
	struct cache_node n;

	cache_new(&c, NULL, 0);
	put(c, 1, CACHE_TOP, "", 2);
	put(c, 2, 1, "a", 1);
	put(c, 2, 1, "a", 1);
	put(c, 2, 1, "b", 1);
	put(c, 2, 3, "a", 1);
	ok(cache_sort(c) == 0 && cache_get(c, 2, &n) == 0 && n.h == 2,
	    "a handle that came four times");
	ok(strlen(list(c, 1)) + strlen(list(c, 3)) == 1, "is one node");
	cache_close(c);
}

/* The files in the cache's folder whose names hold a text, or end with it. */
static int
files(const char *text, int end)
{
	DIR *d = opendir(getenv("MEGA_CACHE"));
	struct dirent *e;
	int n = 0;

	while (d != NULL && (e = readdir(d)) != NULL) {
		const char *at = strstr(e->d_name, text);

		n += at != NULL && (!end || at[strlen(text)] == '\0');
	}
	if (d != NULL)
		closedir(d);
	return n;
}

/* Build a cache for a place and publish it. */
static int
publish(const char *place, const char *sn)
{
	struct cache_state s = { .sn = "" };
	struct cache *c;
	int r;

	snprintf(s.sn, sizeof s.sn, "%s", sn);
	if ((r = cache_new(&c, place, 0)) < 0)
		return r;
	put(c, 1, CACHE_TOP, "", 2);
	put(c, 2, 1, "secret", 1);
	if ((r = cache_sort(c)) == 0 && (r = cache_put_state(c, &s)) == 0)
		r = cache_publish(c);
	cache_close(c);
	return r;
}

static void
test_place(void)
{
	struct cache *a, *b;
	struct cache_state s;
	struct stat st;
	char *place, *file;
	int lock;

	setenv("MEGA_CACHE", "", 1);
	ok(cache_place("AAECAwQFBgc", "https://x") == NULL &&
	    cache_forbidden(), "no cache wanted");
	file = xasprintf("%s/a/b", dir);
	setenv("MEGA_CACHE", file, 1);
	place = cache_place("AAECAwQFBgc", "http://127.0.0.1:8080/x");
	ok(strcmp(strrchr(place, '/'), "/AAECAwQFBgc@127.0.0.1_8080") == 0,
	    "its name");
	ok(stat(file, &st) == 0 && (st.st_mode & 0777) == 0700,
	    "its folder is nobody else's");
	free(file);

	ok(cache_open(&a, place) == ERR_NOENT && a == NULL, "none yet");
	ok(publish(place, "AAAAAAAAAAE") == 0 && cache_open(&a, place) == 0,
	    "published");
	ok(stat(place, &st) == 0 && (st.st_mode & 0777) == 0600,
	    "nor is the file");
	ok(cache_begin(a) == 0 && put(a, 3, 1, "more", 0) == 0 &&
	    cache_commit(a) == 0, "changed");
	ok(cache_open(&b, place) == 0 && eq(list(b, 1), "more secret"),
	    "seen by another");
	ok(cache_begin(a) == 0 && put(a, 4, 1, "yet", 0) == 0 &&
	    eq(list(b, 1), "more secret"), "not before it is done");
	cache_rollback(a);
	ok(eq(list(a, 1), "more secret"), "rolled back");
	ok(!cache_replaced(a) && publish(place, "AAAAAAAAAAI") == 0 &&
	    cache_replaced(a), "replaced");
	ok(eq(list(a, 1), "more secret"), "who has the old one reads on");
	cache_close(b);
	cache_close(a);
	ok(files(".db", 1) == 1, "one file stays");
	ok(cache_open(&a, place) == 0 && cache_get_state(a, &s) == 0 &&
	    eq(s.sn, "AAAAAAAAAAI") && eq(list(a, 1), "secret"), "the new one");
	cache_close(a);

	ok(cache_new(&a, place, 0) == 0 && files(".db", 1) == 2, "one begun");
	cache_close(a);
	ok(files(".db", 1) == 1, "and given up");
	ok((lock = cache_lock(place)) >= 0, "locked");
	close(lock);
	ok(cache_remove(place) == 0 && files("AAE", 0) == 0, "removed");
	ok(cache_remove(place) == 0, "again");
	file = xasprintf("%s.example", place);
	publish(place, "AAAAAAAAAAE");
	publish(file, "AAAAAAAAAAE");
	ok(cache_remove(place) == 0 && cache_open(&a, file) == 0,
	    "one whose name is longer stays");
	cache_close(a);
	cache_remove(file);
	free(file);
	free(place);
}

/* Write over part of the cache of a place. */
static void
damage(const char *place, off_t from, size_t n)
{
	int fd = open(place, O_WRONLY);

	for (size_t i = 0; i < n; i++)
		if (pwrite(fd, "x", 1, from + (off_t)i) != 1)
			abort();
	close(fd);
}

static void
test_damage(void)
{
	char *place = cache_place("AAECAwQFBgc", "https://x");
	struct cache *c = NULL;
	struct cache_node n;
	struct stat st;
	int r;

	publish(place, "AAAAAAAAAAE");
	damage(place, 0, 16);
	ok(cache_open(&c, place) == CACHE_DAMAGED && c == NULL, "no database");
	publish(place, "AAAAAAAAAAE");
	stat(place, &st);
	for (off_t at = 16384; at < st.st_size; at += 16384) {
		publish(place, "AAAAAAAAAAE");
		damage(place, at, 16384);
		r = cache_open(&c, place);
		if (r == 0)
			r = cache_get(c, 2, &n);
		ok(r == 0 || r == CACHE_DAMAGED, "page %d: %d",
		    (int)(at / 16384), r);
		cache_close(c);
	}
	publish(place, "AAAAAAAAAAE");
	if (truncate(place, 20000) == -1)
		abort();
	r = cache_open(&c, place);
	if (r == 0)
		r = cache_get(c, 2, &n);
	ok(r == CACHE_DAMAGED, "cut short");
	cache_close(c);
	publish(place, "AAAAAAAAAAE");
	if (truncate(place, 0) == -1)
		abort();
	ok(cache_open(&c, place) == CACHE_DAMAGED, "empty");
	cache_remove(place);
	free(place);
}

static void
remove_folders(void)
{
	static const char *const below[] = { "/a/b", "/a", "" };

	for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
		char *path = xasprintf("%s%s", dir, below[i]);

		ok(rmdir(path) == 0, "nothing is left in %s",
		    *below[i] != '\0' ? below[i] : "/");
		free(path);
	}
}

int
main(void)
{
	struct cache *c;

	if (mkdtemp(dir) == NULL)
		return 99;
	test_sort();
	test_block();
	cache_new(&c, NULL, 1);
	test_values(c);
	test_tree(c);
	test_small_tables(c);
	test_large(c, "memory");
	cache_close(c);
	cache_new(&c, NULL, 0);
	test_large(c, "file");
	cache_close(c);
	test_duplicates();
	test_place();
	test_damage();
	remove_folders();
	return done();
}
