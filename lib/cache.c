#include <sys/stat.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "b64.h"
#include "cache_impl.h"
#include "err.h"
#include "mem.h"
#include "secret.h"

#define VERSION     2
#define BUSY_MS     120000  /* for another command's transaction */
#define LOCK_MS     600000  /* for another command's building */
#define HOST_MAX    100
#define BUILD_KIB   "-4000" /* page cache while a tree is built */
#define KEPT_MAX    (1 << 20)

/* Blocks of nodes or handles: the one that a key belongs into, and all from
 * that one on. */
#define FIND(table) "SELECT first, block FROM " table \
	" WHERE first <= ? ORDER BY first DESC LIMIT 1"
#define FROM(table) "SELECT first, block FROM " table " WHERE first >= " \
	"ifnull((SELECT max(first) FROM " table " WHERE first <= ?1), ?1) " \
	"ORDER BY first"

static const char *const sql[SQL_COUNT] = {
	[SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[SQL_BEGIN_READ] = "BEGIN",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_STATE_GET] = "SELECT version, sn, check_value FROM state",
	[SQL_STATE_PUT] = "REPLACE INTO state VALUES (0, ?, ?, ?)",
	[SQL_NODE_FIND] = FIND("node"),
	[SQL_NODE_FROM] = FROM("node"),
	[SQL_NODE_PUT] = "REPLACE INTO node VALUES (?, ?)",
	[SQL_NODE_DROP] = "DELETE FROM node WHERE first = ?",
	[SQL_HANDLE_FIND] = FIND("handle"),
	[SQL_HANDLE_FROM] = FROM("handle"),
	[SQL_HANDLE_PUT] = "REPLACE INTO handle VALUES (?, ?)",
	[SQL_HANDLE_DROP] = "DELETE FROM handle WHERE first = ?",
	[SQL_RAW_PUT] = "REPLACE INTO raw VALUES (?, ?, ?)",
	[SQL_RAW_DROP] = "DELETE FROM raw WHERE h = ?",
	[SQL_RAW_GET] = "SELECT h, k, a FROM raw WHERE h = ?",
	[SQL_RAW_NEXT] = "SELECT h, k, a FROM raw"
	    " WHERE h > ? AND k IS NOT NULL ORDER BY h LIMIT 1",
	[SQL_LINK_PUT] = "REPLACE INTO link VALUES (?, ?, ?)",
	[SQL_LINK_DROP] = "DELETE FROM link WHERE h = ?",
	[SQL_LINK_GET] = "SELECT ph, ends FROM link WHERE h = ?",
	[SQL_LINK_ANY] = "SELECT 1 FROM link LIMIT 1",
	[SQL_LINK_NEXT] = "SELECT h FROM link WHERE h > ? ORDER BY h LIMIT 1",
	[SQL_KEY_PUT] = "REPLACE INTO sharekey VALUES (?, ?)",
	[SQL_KEY_ALL] = "SELECT h, key FROM sharekey",
	[SQL_SHARE_PUT] = "REPLACE INTO share VALUES (?, ?)",
	[SQL_SHARE_DROP] = "DELETE FROM share WHERE h = ? AND peer = ?",
	[SQL_SHARE_ANY] = "SELECT 1 FROM share WHERE h = ? LIMIT 1",
	[SQL_SHARE_END] = "DELETE FROM share WHERE h = ?",
	[SQL_INSHARE_PUT] = "REPLACE INTO inshare VALUES (?, ?, ?)",
	[SQL_INSHARE_DROP] = "DELETE FROM inshare WHERE h = ?",
	[SQL_INSHARE_NEXT] = "SELECT h, parent FROM inshare WHERE h > ?"
	    " ORDER BY h LIMIT 1",
	[SQL_INSHARE_GET] = "SELECT user FROM inshare WHERE h = ?",
	[SQL_USER_PUT] = "REPLACE INTO user VALUES (?, ?)",
	[SQL_USER_GET] = "SELECT mail FROM user WHERE h = ?",
};

static const char schema[] =
    "CREATE TABLE state (id INTEGER PRIMARY KEY, version, sn, check_value);"
    "CREATE TABLE node (first BLOB PRIMARY KEY, block BLOB NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE handle (first BLOB PRIMARY KEY, block BLOB NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE raw (h INTEGER PRIMARY KEY, k, a);"
    "CREATE TABLE link (h INTEGER PRIMARY KEY, ph, ends);"
    "CREATE TABLE sharekey (h INTEGER PRIMARY KEY, key);"
    "CREATE TABLE share (h INTEGER, peer, PRIMARY KEY (h, peer))"
    " WITHOUT ROWID;"
    "CREATE TABLE inshare (h INTEGER PRIMARY KEY, parent, user);"
    "CREATE TABLE user (h INTEGER PRIMARY KEY, mail);";

int
cache_fail(struct cache *c, int rc)
{
	const char *text = c->db != NULL ? sqlite3_errmsg(c->db) :
	    sqlite3_errstr(rc);

	switch (rc & 0xff) {
	case SQLITE_ERROR:  /* a table is not there */
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_MISMATCH:
		return err_set(CACHE_DAMAGED, "the cache is damaged: %s",
		    text);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(ERR_AGAIN, "another command is changing the "
		    "cache");
	default:
		return err_set(ERR_LOCAL, "the cache: %s", text);
	}
}

int
cache_damaged(void)
{
	return err_set(CACHE_DAMAGED, "the cache is damaged: a value that "
	    "cannot be");
}

sqlite3_stmt *
cache_prepare(struct cache *c, enum cache_sql which, int *r)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v3(c->db, sql[which], -1,
	    SQLITE_PREPARE_PERSISTENT, &s, NULL);

	*r = rc == SQLITE_OK ? 0 : cache_fail(c, rc);
	return s;
}

sqlite3_stmt *
cache_statement(struct cache *c, enum cache_sql which, int *r)
{
	*r = 0;
	if (c->stmt[which] == NULL)
		c->stmt[which] = cache_prepare(c, which, r);
	else
		sqlite3_reset(c->stmt[which]);
	return c->stmt[which];
}

int
cache_run(struct cache *c, sqlite3_stmt *s)
{
	int rc = sqlite3_step(s), r = 0;

	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		r = cache_fail(c, rc);
	sqlite3_reset(s);
	return r;
}

int
cache_row(struct cache *c, sqlite3_stmt *s)
{
	int rc = sqlite3_step(s);

	if (rc == SQLITE_ROW)
		return 0;
	sqlite3_reset(s);
	return rc == SQLITE_DONE ? ERR_NOENT : cache_fail(c, rc);
}

static int
run_plain(struct cache *c, enum cache_sql which)
{
	int r;
	sqlite3_stmt *s = cache_statement(c, which, &r);

	return s != NULL ? cache_run(c, s) : r;
}

int
cache_run_number(struct cache *c, enum cache_sql which, int64_t v)
{
	int r;
	sqlite3_stmt *s = cache_statement(c, which, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, v);
	return cache_run(c, s);
}

static int
exec(struct cache *c, const char *text)
{
	int rc = sqlite3_exec(c->db, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : cache_fail(c, rc);
}

/* Make a folder and those above it, for nobody else. */
static int
make_folder(char *path)
{
	char *p = path;

	do {
		p = strchr(p + 1, '/');
		if (p != NULL)
			*p = '\0';
		if (mkdir(path, 0700) == -1 && errno != EEXIST)
			return -1;
		if (p != NULL)
			*p = '/';
	} while (p != NULL);
	return 0;
}

int
cache_forbidden(void)
{
	const char *env = getenv("MEGA_CACHE");

	return env != NULL && *env == '\0';
}

static char *
cache_folder(void)
{
	const char *env = getenv("MEGA_CACHE");

	if (env != NULL && *env != '\0')
		return xstrdup(env);
	if ((env = getenv("XDG_CACHE_HOME")) != NULL && *env == '/')
		return xasprintf("%s/megapipe", env);
	if ((env = getenv("HOME")) != NULL && *env != '\0')
		return xasprintf("%s/.cache/megapipe", env);
	return NULL;
}

char *
cache_place(const char *user, const char *url)
{
	char host[HOST_MAX + 1], *dir, *place;
	const char *p = strstr(url, "://");
	size_t n = 0;

	if (cache_forbidden() || (dir = cache_folder()) == NULL)
		return NULL;
	if (make_folder(dir) == -1) {
		free(dir);
		return NULL;
	}
	for (p = p != NULL ? p + 3 : url; *p != '\0' && *p != '/' &&
	    n < HOST_MAX; p++)
		host[n++] = (char)(isalnum((unsigned char)*p) ||
		    *p == '.' || *p == '-' ? *p : '_');
	host[n] = '\0';
	place = xasprintf("%s/%s@%s", dir, user, host);
	free(dir);
	return place;
}

/* The name of the file that a place links to. 0 or -1. */
static int
read_target(const char *place, char target[CACHE_FILE_MAX])
{
	ssize_t n = readlink(place, target, CACHE_FILE_MAX);

	if (n <= 0 || n == CACHE_FILE_MAX)
		return -1;
	target[n] = '\0';
	return strchr(target, '/') == NULL ? 0 : -1;
}

/* The path of a file in the place's folder. */
static char *
beside(const char *place, const char *name)
{
	return xasprintf("%.*s/%s", (int)(strrchr(place, '/') - place), place,
	    name);
}

/* Open the SQLite file of that name. */
static int
open_db(struct cache *c, const char *path)
{
	int on = 1, rc = sqlite3_open_v2(path, &c->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE * (c->place == NULL) | SQLITE_OPEN_NOMUTEX,
	    NULL);

	if (rc != SQLITE_OK)
		return cache_fail(c, rc);
	sqlite3_busy_timeout(c->db, BUSY_MS);
	/* To make its log and to remove it again is a tenth of what a short
	 * command takes. */
	sqlite3_file_control(c->db, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
	return 0;
}

static struct cache *
alloc(const char *place)
{
	struct cache *c = xcalloc(1, sizeof *c);

	/* Locks around allocations, for statistics that nobody reads, would
	 * cost as much as the allocations. */
	sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);

	buf_init(&c->kept, KEPT_MAX);
	buf_init(&c->record, SORT_RECORD_MAX);
	buf_init(&c->key, SORT_RECORD_MAX);
	buf_init(&c->first, SORT_RECORD_MAX);
	buf_init(&c->block, CACHE_BLOCK_MAX);
	buf_init(&c->change, CACHE_BLOCK_MAX);
	if (place != NULL)
		c->place = xstrdup(place);
	return c;
}

/* Open what the place links to now.  ERR_NOENT if nothing is there. */
static int
open_target(struct cache *c)
{
	char *path;
	int r = ERR_NOENT;

	if (read_target(c->place, c->target) == -1)
		return r;
	path = beside(c->place, c->target);
	if (access(path, F_OK) == 0)
		r = open_db(c, path);
	free(path);
	return r;
}

int
cache_open(struct cache **out, const char *place)
{
	struct cache *c = alloc(place);
	struct cache_state s;
	int r;

	/* It may be replaced between our looking and opening. */
	for (int tries = 0; tries < 3; tries++) {
		r = open_target(c);
		if (r == 0 || !cache_replaced(c))
			break;
		sqlite3_close(c->db);
		c->db = NULL;
	}
	if (r == 0)
		r = exec(c, "PRAGMA synchronous=NORMAL;"
		    "PRAGMA journal_size_limit=0");
	if (r == 0)
		r = cache_get_state(c, &s);
	if (r < 0) {
		cache_close(c);
		c = NULL;
	}
	*out = c;
	return r;
}

int
cache_replaced(const struct cache *c)
{
	char now[CACHE_FILE_MAX];

	return c->place != NULL && read_target(c->place, now) == 0 &&
	    strcmp(now, c->target) != 0;
}

/* Make an empty file that nobody else can open, and name it in target. */
static int
make_file(struct cache *c)
{
	uint8_t random[9];
	char tag[B64_LEN(sizeof random) + 1], *path;
	int fd, r = 0;

	secret_random(random, sizeof random);
	b64_encode(tag, random, sizeof random);
	snprintf(c->target, sizeof c->target, "%s+%s.db",
	    strrchr(c->place, '/') + 1, tag);
	path = beside(c->place, c->target);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1) {
		r = err_local("%s", path);
	} else {
		close(fd);
		c->building = 1;
		r = open_db(c, path);
	}
	free(path);
	return r;
}

/* What paths of temporary files begin with.  They hold names, so they are
 * beside the cache. */
static char *
temporary_prefix(const char *place)
{
	const char *env = getenv("TMPDIR");

	if (place != NULL)
		return xasprintf("%s+", place);
	return xasprintf("%s/megapipe.", env != NULL && *env != '\0' ? env :
	    "/tmp");
}

int
cache_new(struct cache **out, const char *place, int memory)
{
	struct cache *c = alloc(place);
	int r;

	r = place != NULL ? make_file(c) : open_db(c, memory ? ":memory:" : "");
	if (r == 0)
		r = exec(c, "PRAGMA page_size=16384;"
		    "PRAGMA journal_mode=OFF; PRAGMA synchronous=NORMAL;"
		    "PRAGMA locking_mode=EXCLUSIVE;"
		    "PRAGMA cache_size=" BUILD_KIB);
	if (r == 0 && memory)
		r = exec(c, "PRAGMA temp_store=MEMORY");
	/* All in one transaction: it is written through to the disk at its
	 * end, once. */
	if (r == 0)
		r = exec(c, "BEGIN");
	if (r == 0)
		r = exec(c, schema);
	if (r < 0) {
		cache_close(c);
		c = NULL;
	} else if (!memory) {
		c->prefix = temporary_prefix(place);
		c->nodes = sort_new(c->prefix, CACHE_SORT_MEMORY);
	}
	*out = c;
	return r;
}

/* Remove the files of a place that nobody needs: all but those of keep.  What
 * belongs to a place has its name and a '+', which no name has. */
static void
sweep(const char *place, const char *keep)
{
	char *dir = beside(place, ".");
	const char *base = strrchr(place, '/') + 1;
	size_t n = strlen(base), k = strlen(keep);
	DIR *d = opendir(dir);
	struct dirent *e;

	free(dir);
	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		char *path;

		if (strncmp(e->d_name, base, n) != 0 || e->d_name[n] != '+' ||
		    strcmp(e->d_name + n, "+lock") == 0 ||
		    (k > 0 && strncmp(e->d_name, keep, k) == 0))
			continue;
		path = beside(place, e->d_name);
		unlink(path);
		free(path);
	}
	closedir(d);
}

/* Let the place link to this cache's file. */
static int
link_place(struct cache *c)
{
	char *temporary = xasprintf("%s+new", c->place);
	int r = 0;

	unlink(temporary);
	if (symlink(c->target, temporary) == -1 ||
	    rename(temporary, c->place) == -1)
		r = err_local("%s", c->place);
	free(temporary);
	return r;
}

int
cache_publish(struct cache *c)
{
	int r;

	if ((r = exec(c, "COMMIT")) < 0)
		return r;
	if (c->place == NULL)
		return exec(c, "PRAGMA journal_mode=MEMORY");
	/* From here on several processes use it; WAL lets them read while
	 * one of them writes. */
	if ((r = exec(c, "PRAGMA locking_mode=NORMAL;"
	    "PRAGMA journal_mode=WAL; PRAGMA cache_size=-2000")) < 0 ||
	    (r = link_place(c)) < 0)
		return r;
	c->building = 0;
	sweep(c->place, c->target);
	return 0;
}

void
cache_close(struct cache *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(c->stmt[i]);
	sqlite3_close(c->db);
	if (c->building) {
		char *path = beside(c->place, c->target);

		unlink(path);
		free(path);
	}
	buf_free(&c->kept);
	buf_free(&c->record);
	buf_free(&c->key);
	buf_free(&c->first);
	buf_free(&c->block);
	buf_free(&c->change);
	sort_free(c->nodes);
	free(c->prefix);
	free(c->place);
	free(c);
}

int
cache_lock(const char *place)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct timespec pause = { 0, 50 * 1000 * 1000 };
	char *path = xasprintf("%s+lock", place);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int r = fd, waited;

	if (fd == -1)
		r = err_local("%s", path);
	for (waited = 0; r >= 0 && fcntl(fd, F_SETLK, &whole) == -1;
	    waited += 50) {
		if (errno != EACCES && errno != EAGAIN && errno != EINTR)
			r = err_local("%s", path);
		else if (waited >= LOCK_MS)
			r = err_set(ERR_AGAIN, "another command has been "
			    "loading the account for too long");
		else
			nanosleep(&pause, NULL);
	}
	if (r < 0 && fd != -1)
		close(fd);
	free(path);
	return r;
}

int
cache_remove(const char *place)
{
	char *lock = xasprintf("%s+lock", place);
	int r = 0;

	if (unlink(place) == -1 && errno != ENOENT)
		r = err_local("%s", place);
	sweep(place, "");
	unlink(lock);
	free(lock);
	return r;
}

int
cache_begin(struct cache *c)
{
	return run_plain(c, SQL_BEGIN_WRITE);
}

int
cache_commit(struct cache *c)
{
	return run_plain(c, SQL_COMMIT);
}

void
cache_rollback(struct cache *c)
{
	if (!sqlite3_get_autocommit(c->db))
		run_plain(c, SQL_ROLLBACK);
}

int
cache_snapshot(struct cache *c)
{
	int r = 0;

	if (c->depth == 0)
		r = run_plain(c, SQL_BEGIN_READ);
	if (r == 0)
		c->depth++;
	return r;
}

void
cache_release(struct cache *c)
{
	if (--c->depth == 0)
		run_plain(c, SQL_COMMIT);
}

struct slice
cache_column(sqlite3_stmt *s, int i)
{
	struct slice v = { sqlite3_column_blob(s, i), 0 };

	v.n = (size_t)sqlite3_column_bytes(s, i);
	if (v.p == NULL && sqlite3_column_type(s, i) != SQLITE_NULL)
		v.p = "";
	return v;
}

/* A column that must have n bytes, copied. 0 or -1. */
static int
column_exact(sqlite3_stmt *s, int i, void *to, size_t n)
{
	struct slice v = cache_column(s, i);

	if (v.n != n)
		return -1;
	memcpy(to, v.p, n);
	return 0;
}

void
cache_bind(sqlite3_stmt *s, int i, struct slice v)
{
	if (v.p != NULL)
		sqlite3_bind_blob64(s, i, v.p, v.n, SQLITE_STATIC);
	else
		sqlite3_bind_null(s, i);
}

int
cache_get_state(struct cache *c, struct cache_state *out)
{
	int r;
	sqlite3_stmt *s = cache_statement(c, SQL_STATE_GET, &r);
	struct slice sn;

	*out = (struct cache_state){ .sn = "" };
	if (s == NULL)
		return r;
	if ((r = cache_row(c, s)) < 0)
		return r;
	sn = cache_column(s, 1);
	if (sqlite3_column_int(s, 0) != VERSION)
		r = ERR_NOENT;
	else if (sn.n >= sizeof out->sn ||
	    column_exact(s, 2, out->check, sizeof out->check) < 0)
		r = cache_damaged();
	else
		memcpy(out->sn, sn.p, sn.n);
	sqlite3_reset(s);
	return r;
}

int
cache_put_state(struct cache *c, const struct cache_state *in)
{
	int r;
	sqlite3_stmt *s = cache_statement(c, SQL_STATE_PUT, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int(s, 1, VERSION);
	cache_bind(s, 2, slice_str(in->sn));
	cache_bind(s, 3, (struct slice){ (const char *)in->check,
	    sizeof in->check });
	return cache_run(c, s);
}

/* Copy what two slices borrow from a statement into kept. */
static int
keep(struct cache *c, struct slice *a, struct slice *b)
{
	buf_reset(&c->kept);
	buf_add(&c->kept, a->p, a->n);
	if (buf_add(&c->kept, b->p, b->n) < 0)
		return cache_damaged();
	if (a->p != NULL)
		a->p = buf_str(&c->kept);
	if (b->p != NULL)
		b->p = buf_str(&c->kept) + a->n;
	return 0;
}

int
cache_put_raw(struct cache *c, const struct cache_raw *raw)
{
	int r;
	sqlite3_stmt *s = cache_statement(c, SQL_RAW_PUT, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, raw->h);
	cache_bind(s, 2, raw->k);
	cache_bind(s, 3, raw->a);
	return cache_run(c, s);
}

int
cache_drop_raw(struct cache *c, int64_t h)
{
	return cache_run_number(c, SQL_RAW_DROP, h);
}

/* The row of raw that a statement with the number h gives. */
static int
read_raw(struct cache *c, enum cache_sql which, int64_t h,
    struct cache_raw *raw)
{
	int r;
	sqlite3_stmt *s = cache_statement(c, which, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, h);
	if ((r = cache_row(c, s)) < 0)
		return r;
	raw->h = sqlite3_column_int64(s, 0);
	raw->k = cache_column(s, 1);
	raw->a = cache_column(s, 2);
	r = keep(c, &raw->k, &raw->a);
	sqlite3_reset(s);
	return r;
}

int
cache_get_raw(struct cache *c, int64_t h, struct cache_raw *raw)
{
	return read_raw(c, SQL_RAW_GET, h, raw);
}

int
cache_next_raw(struct cache *c, int64_t h, struct cache_raw *raw)
{
	int r = read_raw(c, SQL_RAW_NEXT, h, raw);

	return r == ERR_NOENT ? 0 : r < 0 ? r : 1;
}

/* Run a statement with three numbers. */
static int
run_three(struct cache *c, enum cache_sql which, int64_t a, int64_t b,
    int64_t d)
{
	int r;
	sqlite3_stmt *s = cache_statement(c, which, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, a);
	sqlite3_bind_int64(s, 2, b);
	sqlite3_bind_int64(s, 3, d);
	return cache_run(c, s);
}

/* Run a statement with a number and bytes. */
static int
run_bytes(struct cache *c, enum cache_sql which, int64_t h, const void *p,
    size_t n)
{
	int r;
	sqlite3_stmt *s = cache_statement(c, which, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, h);
	cache_bind(s, 2, (struct slice){ p, n });
	return cache_run(c, s);
}

int
cache_put_link(struct cache *c, int64_t h, int64_t ph, int64_t ends)
{
	return ph >= 0 ? run_three(c, SQL_LINK_PUT, h, ph, ends) :
	    cache_run_number(c, SQL_LINK_DROP, h);
}

int
cache_next_link(struct cache *c, int64_t after, int64_t *h)
{
	int r;
	sqlite3_stmt *s = cache_statement(c, SQL_LINK_NEXT, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, after);
	if ((r = cache_row(c, s)) < 0)
		return r == ERR_NOENT ? 0 : r;
	*h = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return 1;
}

int
cache_put_key(struct cache *c, int64_t h, const uint8_t key[16])
{
	return run_bytes(c, SQL_KEY_PUT, h, key, 16);
}

int
cache_each_key(struct cache *c, void (*fn)(void *, int64_t, const uint8_t *),
    void *ctx)
{
	int r, rc;
	sqlite3_stmt *s = cache_statement(c, SQL_KEY_ALL, &r);
	uint8_t key[16];

	if (s == NULL)
		return r;
	r = 0;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW)
		if (column_exact(s, 1, key, sizeof key) == 0)
			fn(ctx, sqlite3_column_int64(s, 0), key);
	if (rc != SQLITE_DONE)
		r = cache_fail(c, rc);
	sqlite3_reset(s);
	return r;
}

int
cache_put_share(struct cache *c, int64_t h, const char *with, size_t n)
{
	return run_bytes(c, SQL_SHARE_PUT, h, with, n);
}

int
cache_drop_share(struct cache *c, int64_t h, const char *with, size_t n)
{
	return run_bytes(c, SQL_SHARE_DROP, h, with, n);
}

int
cache_is_shared(struct cache *c, int64_t h)
{
	int r;
	sqlite3_stmt *s = cache_statement(c, SQL_SHARE_ANY, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, h);
	r = cache_row(c, s);
	sqlite3_reset(s);
	return r == ERR_NOENT ? 0 : r < 0 ? r : 1;
}

int
cache_put_inshare(struct cache *c, int64_t h, int64_t parent, int64_t user)
{
	return run_three(c, SQL_INSHARE_PUT, h, parent, user);
}

int
cache_next_inshare(struct cache *c, int64_t *h, int64_t *parent)
{
	int r;
	sqlite3_stmt *s = cache_statement(c, SQL_INSHARE_NEXT, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, *h);
	if ((r = cache_row(c, s)) < 0)
		return r == ERR_NOENT ? 0 : r;
	*h = sqlite3_column_int64(s, 0);
	*parent = sqlite3_column_int64(s, 1);
	sqlite3_reset(s);
	return 1;
}

int
cache_get_inshare(struct cache *c, int64_t h, int64_t *user)
{
	int r;
	sqlite3_stmt *s = cache_statement(c, SQL_INSHARE_GET, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, h);
	if ((r = cache_row(c, s)) < 0)
		return r;
	*user = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return 0;
}

int
cache_put_user(struct cache *c, int64_t u, const char *mail, size_t n)
{
	return run_bytes(c, SQL_USER_PUT, u, mail, n);
}

int
cache_get_user(struct cache *c, int64_t u, struct buf *out)
{
	int r;
	sqlite3_stmt *s = cache_statement(c, SQL_USER_GET, &r);
	struct slice mail;

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, u);
	if ((r = cache_row(c, s)) < 0)
		return r;
	mail = cache_column(s, 0);
	buf_add(out, mail.p, mail.n);
	sqlite3_reset(s);
	return 0;
}
