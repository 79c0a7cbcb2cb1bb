/* The database and the blobs. */

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "b64.h"
#include "buf.h"
#include "err.h"
#include "mem.h"
#include "secret.h"

#include "store.h"

#define UPLOAD_LIFE (48 * 3600) /* seconds until an unused upload is gone */
#define SWEEP_EVERY 3600

struct store_stmt {
	const char *text;
	sqlite3_stmt *st;
};

static const char schema[] =
"CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value)"
" WITHOUT ROWID;"
"CREATE TABLE IF NOT EXISTS user("
" id INTEGER PRIMARY KEY, h TEXT NOT NULL UNIQUE, email TEXT UNIQUE,"
" name TEXT, ver INTEGER NOT NULL, k TEXT NOT NULL, auth BLOB, crv BLOB,"
" privk TEXT, pubk TEXT, ts TEXT, mfa TEXT, mfanew TEXT,"
" blocked INTEGER NOT NULL DEFAULT 0, since INTEGER NOT NULL,"
" root INTEGER, inbox INTEGER, bin INTEGER,"
" used INTEGER NOT NULL DEFAULT 0,"
" wrong INTEGER NOT NULL DEFAULT 0, wrongts INTEGER NOT NULL DEFAULT 0);"
"CREATE TABLE IF NOT EXISTS session("
" id INTEGER PRIMARY KEY, sid TEXT NOT NULL UNIQUE, user INTEGER NOT NULL,"
" h TEXT NOT NULL, sek TEXT, ua TEXT, ip TEXT, si TEXT,"
" created INTEGER NOT NULL, used INTEGER NOT NULL);"
"CREATE TABLE IF NOT EXISTS node("
" h INTEGER PRIMARY KEY, user INTEGER NOT NULL, parent INTEGER NOT NULL,"
" t INTEGER NOT NULL, ver INTEGER NOT NULL DEFAULT 0,"
" a TEXT NOT NULL, k TEXT NOT NULL, s INTEGER NOT NULL DEFAULT 0,"
" ts INTEGER NOT NULL, fa TEXT, blob INTEGER);"
"CREATE INDEX IF NOT EXISTS node_parent ON node(parent);"
"CREATE INDEX IF NOT EXISTS node_blob ON node(blob)"
" WHERE blob IS NOT NULL;"
"CREATE INDEX IF NOT EXISTS node_ver ON node(user) WHERE ver;"
"CREATE TABLE IF NOT EXISTS nodekey("
" share TEXT NOT NULL, node INTEGER NOT NULL, k TEXT NOT NULL,"
" PRIMARY KEY(share, node)) WITHOUT ROWID;"
"CREATE INDEX IF NOT EXISTS nodekey_node ON nodekey(node);"
"CREATE TABLE IF NOT EXISTS share("
" node INTEGER PRIMARY KEY, user INTEGER NOT NULL, ok TEXT, ha TEXT,"
" r INTEGER NOT NULL, ts INTEGER NOT NULL);"
"CREATE INDEX IF NOT EXISTS share_user ON share(user);"
"CREATE TABLE IF NOT EXISTS link("
" node INTEGER PRIMARY KEY, ph TEXT NOT NULL UNIQUE,"
" user INTEGER NOT NULL, ts INTEGER NOT NULL, ets INTEGER, w TEXT,"
" down INTEGER NOT NULL DEFAULT 0);"
"CREATE INDEX IF NOT EXISTS link_user ON link(user);"
"CREATE TABLE IF NOT EXISTS blob("
" id INTEGER PRIMARY KEY, user INTEGER NOT NULL, size INTEGER NOT NULL,"
" v INTEGER NOT NULL, h TEXT NOT NULL UNIQUE,"
" done INTEGER NOT NULL DEFAULT 0, kept INTEGER NOT NULL DEFAULT 0,"
" used INTEGER NOT NULL);"
"CREATE TABLE IF NOT EXISTS span("
" blob INTEGER NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL,"
" PRIMARY KEY(blob, a)) WITHOUT ROWID;"
"CREATE TABLE IF NOT EXISTS event("
" id INTEGER PRIMARY KEY AUTOINCREMENT, chan INTEGER NOT NULL,"
" body TEXT NOT NULL);"
"CREATE INDEX IF NOT EXISTS event_chan ON event(chan, id);"
"CREATE TABLE IF NOT EXISTS attr("
" user INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"
" version TEXT NOT NULL, PRIMARY KEY(user, name)) WITHOUT ROWID;"
"CREATE TABLE IF NOT EXISTS fattr("
" h INTEGER PRIMARY KEY, data BLOB NOT NULL);"
"CREATE TABLE IF NOT EXISTS signup("
" user INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE,"
" email TEXT NOT NULL, name TEXT NOT NULL, k TEXT NOT NULL, hak BLOB,"
" crv BLOB, v INTEGER NOT NULL);"
"CREATE TABLE IF NOT EXISTS reply("
" id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, ts INTEGER NOT NULL,"
" body BLOB NOT NULL, list INTEGER);"
"CREATE TRIGGER IF NOT EXISTS node_plus AFTER INSERT ON node"
" WHEN NEW.s > 0 BEGIN"
" UPDATE user SET used = used + NEW.s WHERE id = NEW.user; END;"
"CREATE TRIGGER IF NOT EXISTS node_minus AFTER DELETE ON node"
" BEGIN"
" UPDATE user SET used = used - OLD.s WHERE OLD.s > 0 AND id = OLD.user;"
" DELETE FROM nodekey WHERE node = OLD.h;"
" DELETE FROM link WHERE node = OLD.h;"
" DELETE FROM share WHERE node = OLD.h; END;"
"CREATE TEMP TABLE doomed(h INTEGER PRIMARY KEY, blob INTEGER);";

static int
fail(sqlite3 *db, const char *what)
{
	return err_set(ERR_LOCAL, "%s: %s", what, sqlite3_errmsg(db));
}

int64_t
store_now(void)
{
	return (int64_t)time(NULL);
}

/* Only one server may write a folder; the lock goes with the process. */
static int
take_lock(struct store *s)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char *path = xasprintf("%s/lock", s->dir);
	int r = 0;

	s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock < 0)
		r = err_local("%s", path);
	else if (fcntl(s->lock, F_SETLK, &fl) < 0)
		r = err_set(ERR_LOCAL, "%s: in use by another server",
		    s->dir);
	free(path);
	return r;
}

static int
make_dirs(const char *dir)
{
	char *blobs = xasprintf("%s/blobs", dir);
	int r = 0;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		r = err_local("%s", dir);
	else if (mkdir(blobs, 0700) < 0 && errno != EEXIST)
		r = err_local("%s", blobs);
	free(blobs);
	return r;
}

static int
open_db(struct store *s)
{
	/* Without sync a commit need not reach the disk: what has been
	 * written survives the death of the process, and the database, if
	 * not its last commits, that of the machine. */
	static const char pragmas[] =
	    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
	    "PRAGMA temp_store=FILE; PRAGMA cache_size=-8192;"
	    "PRAGMA wal_autocheckpoint=1000;";
	const char *full = s->sync ? "PRAGMA synchronous=FULL" : "";
	char *path = xasprintf("%s/mega-serve.db", s->dir);
	int r = 0;

	/* SQLite would let the umask decide who may read it. */
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	if (sqlite3_open(path, &s->db) != SQLITE_OK ||
	    sqlite3_exec(s->db, pragmas, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(s->db, full, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(s->db, schema, NULL, NULL, NULL) != SQLITE_OK)
		r = fail(s->db, path);
	free(path);
	return r;
}

/* The secret of this store, made once. */
static int
load_secret(struct store *s)
{
	sqlite3_stmt *st;
	int r;

	st = sql(s, "SELECT value FROM meta WHERE name = 'secret'", "");
	r = sql_row(st);
	if (r == 1 && sqlite3_column_bytes(st, 0) == STORE_SECRET_SIZE)
		memcpy(s->secret, sqlite3_column_blob(st, 0),
		    STORE_SECRET_SIZE);
	sql_end(st);
	if (r != 0)
		return r < 0 ? r : 0;
	secret_random(s->secret, sizeof s->secret);
	r = sql_do(s, "INSERT INTO meta VALUES('secret', ?)", "b", s->secret,
	    sizeof s->secret);
	return r < 0 ? r : 0;
}

/* Uploads that nobody finished in time, and blobs that no row names: those
 * of such uploads, or left by a death between a commit and an unlink. */
static int
sweep(struct store *s)
{
	char *path = xasprintf("%s/blobs", s->dir);
	struct dirent *e;
	DIR *d;

	s->swept = store_now();
	sql_do(s, "DELETE FROM blob WHERE kept = 0 AND used < ?", "i",
	    store_now() - UPLOAD_LIFE);
	sql_do(s, "DELETE FROM span WHERE blob NOT IN (SELECT id FROM blob)",
	    "");
	if ((d = opendir(path)) == NULL) {
		int r = err_local("%s", path);
		free(path);
		return r;
	}
	while ((e = readdir(d)) != NULL) {
		int64_t id = (int64_t)strtoull(e->d_name, NULL, 16);

		if (e->d_name[0] == '.' || sql_int(s, 0,
		    "SELECT 1 FROM blob WHERE id = ?", "i", id) == 1)
			continue;
		unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
	free(path);
	return 0;
}

int
store_open(struct store *s, const char *dir, int sync)
{
	int r;

	*s = (struct store){ .lock = -1, .dir = xstrdup(dir), .sync = sync };
	if ((r = make_dirs(dir)) < 0 || (r = take_lock(s)) < 0 ||
	    (r = open_db(s)) < 0 || (r = load_secret(s)) < 0)
		return r;
	return sweep(s);
}

void
store_tidy(struct store *s)
{
	if (store_now() - s->swept > SWEEP_EVERY)
		sweep(s);
}

void
store_close(struct store *s)
{
	for (size_t i = 0; i < s->nstmt; i++)
		sqlite3_finalize(s->stmt[i].st);
	free(s->stmt);
	free(s->dead);
	sqlite3_close(s->db);
	free(s->dir);
	if (s->lock >= 0)
		close(s->lock);
	secret_zero(s, sizeof *s);
}

static void
remove_in(const char *dir)
{
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d != NULL && (e = readdir(d)) != NULL)
		unlinkat(dirfd(d), e->d_name, 0);
	if (d != NULL)
		closedir(d);
}

void
store_remove(const char *dir)
{
	static const char *const sub[] = { "blobs", "mail" };

	for (size_t i = 0; i < sizeof sub / sizeof *sub; i++) {
		char *path = xasprintf("%s/%s", dir, sub[i]);

		remove_in(path);
		rmdir(path);
		free(path);
	}
	remove_in(dir);
	rmdir(dir);
}

int
store_snapshot(const struct store *s, sqlite3 **db)
{
	char *path = xasprintf("%s/mega-serve.db", s->dir);
	int r = 0;

	if (sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY, NULL) !=
	    SQLITE_OK || sqlite3_exec(*db, "PRAGMA temp_store=FILE;"
	    "PRAGMA cache_size=-256; BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		r = fail(*db, path);
	free(path);
	return r;
}

char *
store_blob(const struct store *s, int64_t id)
{
	return xasprintf("%s/blobs/%016" PRIx64, s->dir, (uint64_t)id);
}

int
store_blob_open(const struct store *s, int64_t id, int write)
{
	char *path = store_blob(s, id);
	int fd;

	fd = open(path, (write ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC,
	    0600);
	if (fd < 0)
		fd = err_local("%s", path);
	free(path);
	return fd;
}

int
store_blob_settle(const struct store *s, int fd)
{
	char *path;
	int dir, r = 0;

	if (!s->sync)
		return 0;
	/* The name counts as much as the bytes. */
	path = xasprintf("%s/blobs", s->dir);
	dir = open(path, O_RDONLY | O_CLOEXEC);
	if (dir < 0 || fdatasync(fd) < 0 || fsync(dir) < 0)
		r = err_local("%s", path);
	if (dir >= 0)
		close(dir);
	free(path);
	return r;
}

void
store_drop(struct store *s, int64_t id)
{
	if (s->ndead == s->capdead) {
		s->capdead = s->capdead * 2 + 16;
		s->dead = xreallocarray(s->dead, s->capdead,
		    sizeof *s->dead);
	}
	s->dead[s->ndead++] = id;
}

void
store_bury(struct store *s)
{
	while (s->ndead > 0) {
		int64_t id = s->dead[--s->ndead];
		char *path;

		if (sql_int(s, 0, "SELECT 1 FROM blob WHERE id = ?", "i",
		    id) == 1)
			continue;
		path = store_blob(s, id);
		unlink(path);
		free(path);
	}
}

static sqlite3_stmt *
prepared(struct store *s, const char *text)
{
	struct store_stmt *p;

	for (size_t i = 0; i < s->nstmt; i++) {
		if (s->stmt[i].text == text)
			return s->stmt[i].st;
	}
	if (s->nstmt == s->capstmt) {
		s->capstmt = s->capstmt * 2 + 16;
		s->stmt = xreallocarray(s->stmt, s->capstmt,
		    sizeof *s->stmt);
	}
	p = &s->stmt[s->nstmt];
	if (sqlite3_prepare_v3(s->db, text, -1, SQLITE_PREPARE_PERSISTENT,
	    &p->st, NULL) != SQLITE_OK) {
		fprintf(stderr, "mega-serve: %s: %s\n", text,
		    sqlite3_errmsg(s->db));
		abort();
	}
	p->text = text;
	s->nstmt++;
	return p->st;
}

static void
bind_one(sqlite3_stmt *st, int i, int type, va_list *ap)
{
	struct slice sl;
	const void *p;

	switch (type) {
	case 'i':
		sqlite3_bind_int64(st, i, va_arg(*ap, int64_t));
		break;
	case 'd':
		sqlite3_bind_int(st, i, va_arg(*ap, int));
		break;
	case 't':
		sqlite3_bind_text(st, i, va_arg(*ap, const char *), -1,
		    SQLITE_STATIC);
		break;
	case 's':
		sl = va_arg(*ap, struct slice);
		sqlite3_bind_text64(st, i, sl.p, sl.n, SQLITE_STATIC,
		    SQLITE_UTF8);
		break;
	case 'b':
		p = va_arg(*ap, const void *);
		sqlite3_bind_blob64(st, i, p, va_arg(*ap, size_t),
		    SQLITE_STATIC);
		break;
	default:
		abort();
	}
}

static sqlite3_stmt *
bound(struct store *s, const char *text, const char *types, va_list *ap)
{
	sqlite3_stmt *st = prepared(s, text);

	sqlite3_reset(st);
	for (int i = 0; types[i] != '\0'; i++)
		bind_one(st, i + 1, types[i], ap);
	return st;
}

sqlite3_stmt *
sql(struct store *s, const char *text, const char *types, ...)
{
	sqlite3_stmt *st;
	va_list ap;

	va_start(ap, types);
	st = bound(s, text, types, &ap);
	va_end(ap);
	return st;
}

int
sql_row(sqlite3_stmt *st)
{
	int r = sqlite3_step(st);

	if (r == SQLITE_ROW)
		return 1;
	if (r != SQLITE_DONE)
		return fail(sqlite3_db_handle(st), "database");
	sqlite3_reset(st);
	return 0;
}

void
sql_end(sqlite3_stmt *st)
{
	sqlite3_reset(st);
}

int
sql_do(struct store *s, const char *text, const char *types, ...)
{
	sqlite3_stmt *st;
	va_list ap;
	int r;

	va_start(ap, types);
	st = bound(s, text, types, &ap);
	va_end(ap);
	while ((r = sql_row(st)) == 1)
		;
	sql_end(st);
	return r < 0 ? r : sqlite3_changes(s->db);
}

int64_t
sql_int(struct store *s, int64_t absent, const char *text, const char *types,
    ...)
{
	sqlite3_stmt *st;
	int64_t v = absent;
	va_list ap;

	va_start(ap, types);
	st = bound(s, text, types, &ap);
	va_end(ap);
	if (sql_row(st) == 1 && sqlite3_column_type(st, 0) != SQLITE_NULL)
		v = sqlite3_column_int64(st, 0);
	sql_end(st);
	return v;
}

const char *
sql_text(sqlite3_stmt *st, int i)
{
	const unsigned char *p = sqlite3_column_text(st, i);

	return p == NULL ? "" : (const char *)p;
}

void
number_put(uint8_t *p, int64_t v, size_t n)
{
	while (n-- > 0) {
		p[n] = (uint8_t)v;
		v >>= 8;
	}
}

int64_t
number_get(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

char *
id_text(char out[ID_TEXT], int64_t id)
{
	uint8_t b[8];

	number_put(b, id, sizeof b);
	return b64_encode(out, b, sizeof b);
}

int64_t
id_read(const char *text, size_t n)
{
	uint8_t b[8];

	if (b64_decode_exact(b, sizeof b, text, n) < 0 || b[0] > 0x7f)
		return -1;
	return number_get(b, sizeof b);
}

char *
handle_text(char out[HANDLE_TEXT], int64_t h)
{
	uint8_t b[6];

	number_put(b, h, sizeof b);
	return b64_encode(out, b, sizeof b);
}

int64_t
handle_read(const char *text, size_t n)
{
	uint8_t b[6];

	if (n != 8 || b64_decode_exact(b, sizeof b, text, n) < 0)
		return 0;
	return number_get(b, sizeof b);
}

int64_t
handle_new(struct store *s)
{
	uint8_t b[6];
	int64_t h;

	do {
		secret_random(b, sizeof b);
		h = number_get(b, sizeof b);
	} while (h == 0 || sql_int(s, 0, "SELECT 1 FROM node WHERE h = ?",
	    "i", h) == 1);
	return h;
}
