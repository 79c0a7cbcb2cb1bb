#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "b64.h"
#include "elcusers.h"
#include "err.h"
#include "mem.h"
#include "secret.h"

#define HASH_SIZE  32
#define BUSY_MS    5000
#define FILE_ID    0x4d454c43 /* "MELC" */

struct elcusers {
	sqlite3 *db;
	uint8_t secret[ELCPAGE_SECRET_SIZE];
};

static const char schema[] =
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE user (name TEXT PRIMARY KEY, created INTEGER NOT NULL,"
    " revoked INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE apikey (id INTEGER PRIMARY KEY, user TEXT NOT NULL,"
    " hash BLOB NOT NULL);"
    "CREATE INDEX apikey_user ON apikey (user, id);"
    "CREATE TABLE hits (who TEXT PRIMARY KEY, minute INTEGER NOT NULL,"
    " n INTEGER NOT NULL) WITHOUT ROWID;"
    "PRAGMA application_id = 0x4d454c43;" /* FILE_ID */
    "PRAGMA user_version = 1;";

static int
fail(const struct elcusers *u)
{
	return err_set(ERR_LOCAL, "user database: %s",
	    sqlite3_errmsg(u->db));
}

/* A statement, and how many of its arguments have been bound. */
struct query {
	sqlite3_stmt *s;
	int n;
};

static int
prepare(struct elcusers *u, struct query *q, const char *sql)
{
	q->n = 0;
	return sqlite3_prepare_v2(u->db, sql, -1, &q->s, NULL) == SQLITE_OK ?
	    0 : fail(u);
}

static void
bind_text(struct query *q, const char *p, size_t n)
{
	sqlite3_bind_text(q->s, ++q->n, p, (int)n, SQLITE_TRANSIENT);
}

static void
bind_int(struct query *q, int64_t v)
{
	sqlite3_bind_int64(q->s, ++q->n, v);
}

static void
bind_bytes(struct query *q, const uint8_t *p, size_t n)
{
	sqlite3_bind_blob(q->s, ++q->n, p, (int)n, SQLITE_TRANSIENT);
}

/* Run a statement that gives no rows and finish it. */
static int
run(struct elcusers *u, struct query *q)
{
	int r = sqlite3_step(q->s) == SQLITE_DONE ? 0 : fail(u);

	sqlite3_finalize(q->s);
	return r;
}

static int
exec(struct elcusers *u, const char *sql)
{
	return sqlite3_exec(u->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 :
	    fail(u);
}

/* Begin a change that must not be lost, unlike counts of requests. */
static int
begin(struct elcusers *u)
{
	return exec(u, "PRAGMA synchronous = FULL; BEGIN IMMEDIATE");
}

/* End a transaction: keep it if r is 0. */
static int
settle(struct elcusers *u, int r)
{
	if (r == 0)
		return exec(u, "COMMIT");
	sqlite3_exec(u->db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

static int
check_file(const char *path, int create)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0),
	    0600);
	int r = 0;

	if (fd == -1)
		return err_local("%s", path);
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		r = err_set(ERR_LOCAL, "%s: not a regular file", path);
	else if ((st.st_mode & 07) != 0)
		r = err_set(ERR_LOCAL, "%s: everybody may read it; chmod 600 "
		    "it", path);
	close(fd);
	return r;
}

static int
read_secret(struct elcusers *u)
{
	struct query q;
	int r;

	if ((r = prepare(u, &q, "SELECT value FROM meta "
	    "WHERE name = 'secret'")) < 0)
		return r;
	if (sqlite3_step(q.s) == SQLITE_ROW &&
	    sqlite3_column_bytes(q.s, 0) == sizeof u->secret)
		memcpy(u->secret, sqlite3_column_blob(q.s, 0),
		    sizeof u->secret);
	else
		r = err_set(ERR_LOCAL, "user database: no secret in it");
	sqlite3_finalize(q.s);
	return r;
}

/* One number that a query without arguments gives. */
static int
get_int(struct elcusers *u, const char *sql, int *v)
{
	struct query q;
	int r;

	if ((r = prepare(u, &q, sql)) < 0)
		return r;
	if (sqlite3_step(q.s) == SQLITE_ROW)
		*v = sqlite3_column_int(q.s, 0);
	else
		r = fail(u);
	sqlite3_finalize(q.s);
	return r;
}

static int
make_tables(struct elcusers *u)
{
	uint8_t secret[ELCPAGE_SECRET_SIZE];
	struct query q;
	int tables, r;

	if ((r = get_int(u, "SELECT count(*) FROM sqlite_master",
	    &tables)) < 0)
		return r;
	if (tables > 0) /* another process was faster */
		return 0;
	if ((r = exec(u, schema)) < 0 ||
	    (r = prepare(u, &q, "INSERT INTO meta VALUES ('secret', ?1)")) < 0)
		return r;
	secret_random(secret, sizeof secret);
	bind_bytes(&q, secret, sizeof secret);
	secret_zero(secret, sizeof secret);
	return run(u, &q);
}

/* Make the tables if the file is new, and see that it is one of ours. */
static int
check_tables(struct elcusers *u, int create)
{
	int tables, id, r;

	if ((r = get_int(u, "SELECT count(*) FROM sqlite_master",
	    &tables)) < 0)
		return r;
	/* With a write-ahead log, readers and the writer do not wait for
	 * each other; the file remembers. */
	if (tables == 0 && create && ((r = begin(u)) < 0 ||
	    (r = settle(u, make_tables(u))) < 0 ||
	    (r = exec(u, "PRAGMA journal_mode = WAL")) < 0))
		return r;
	if ((r = get_int(u, "PRAGMA application_id", &id)) == 0 &&
	    id != FILE_ID)
		r = err_set(ERR_LOCAL, "not a user database");
	return r;
}

int
elcusers_open(struct elcusers **out, const char *path, int create)
{
	struct elcusers *u = xcalloc(1, sizeof *u);
	int r;

	*out = NULL;
	if ((r = check_file(path, create)) < 0)
		goto out;
	if (sqlite3_open_v2(path, &u->db, SQLITE_OPEN_READWRITE, NULL) !=
	    SQLITE_OK) {
		r = fail(u);
		goto out;
	}
	sqlite3_busy_timeout(u->db, BUSY_MS);
	if ((r = check_tables(u, create)) < 0 ||
	    (r = exec(u, "PRAGMA secure_delete = ON; "
	    "PRAGMA synchronous = NORMAL")) < 0 || (r = read_secret(u)) < 0)
		goto out;
	*out = u;
	u = NULL;
out:
	elcusers_close(u);
	return r;
}

void
elcusers_close(struct elcusers *u)
{
	if (u == NULL)
		return;
	sqlite3_close(u->db);
	secret_zero(u, sizeof *u);
	free(u);
}

const uint8_t *
elcusers_secret(const struct elcusers *u)
{
	return u->secret;
}

int
elcusers_name_ok(struct slice name)
{
	static const char ok[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789._-";

	for (size_t i = 0; i < name.n; i++)
		if (memchr(ok, name.p[i], sizeof ok - 1) == NULL)
			return 0;
	return name.n > 0 && name.n <= ELCUSERS_NAME_MAX;
}

static int
add(struct elcusers *u, const char *name)
{
	struct query q;
	int r;

	/* A user that was revoked may come back, with new keys. */
	if ((r = prepare(u, &q, "INSERT INTO user VALUES (?1, ?2, 0) "
	    "ON CONFLICT (name) DO UPDATE SET created = ?2, revoked = 0 "
	    "WHERE revoked != 0")) < 0)
		return r;
	bind_text(&q, name, strlen(name));
	bind_int(&q, time(NULL));
	if ((r = run(u, &q)) == 0 && sqlite3_changes(u->db) == 0)
		r = err_set(ERR_TAKEN, "there is such a user");
	return r;
}

int
elcusers_add(struct elcusers *u, const char *name)
{
	int r;

	if (!elcusers_name_ok(slice_str(name)))
		return err_set(ERR_USAGE, "a name is 1 to %d of A-Z a-z 0-9 "
		    ". _ -", ELCUSERS_NAME_MAX);
	if ((r = begin(u)) == 0)
		r = settle(u, add(u, name));
	return r;
}

static int
revoke(struct elcusers *u, const char *name)
{
	struct query q;
	int r;

	if ((r = prepare(u, &q, "DELETE FROM apikey WHERE user = ?1")) < 0)
		return r;
	bind_text(&q, name, strlen(name));
	if ((r = run(u, &q)) < 0 || (r = prepare(u, &q, "UPDATE user "
	    "SET revoked = ?2 WHERE name = ?1 AND revoked = 0")) < 0)
		return r;
	bind_text(&q, name, strlen(name));
	bind_int(&q, time(NULL));
	if ((r = run(u, &q)) == 0 && sqlite3_changes(u->db) == 0)
		r = err_set(ERR_NOENT, "no such user");
	return r;
}

int
elcusers_revoke(struct elcusers *u, const char *name)
{
	int r = begin(u);

	return r < 0 ? r : settle(u, revoke(u, name));
}

/* Keep a key's hash if the user exists, and the newest keys alone. */
static int
add_hash(struct elcusers *u, const char *name, const uint8_t hash[HASH_SIZE])
{
	struct query q;
	int r;

	if ((r = prepare(u, &q, "INSERT INTO apikey (user, hash) "
	    "SELECT name, ?2 FROM user WHERE name = ?1 AND revoked = 0")) < 0)
		return r;
	bind_text(&q, name, strlen(name));
	bind_bytes(&q, hash, HASH_SIZE);
	if ((r = run(u, &q)) < 0)
		return r;
	if (sqlite3_changes(u->db) == 0)
		return err_set(ERR_NOENT, "no such user");
	if ((r = prepare(u, &q, "DELETE FROM apikey WHERE user = ?1 AND id "
	    "NOT IN (SELECT id FROM apikey WHERE user = ?1 "
	    "ORDER BY id DESC LIMIT ?2)")) < 0)
		return r;
	bind_text(&q, name, strlen(name));
	bind_int(&q, ELCUSERS_KEYS_MAX);
	return run(u, &q);
}

int
elcusers_new_key(struct elcusers *u, const char *name,
    char key[ELCUSERS_KEY_TEXT])
{
	uint8_t bytes[32], hash[HASH_SIZE];
	int r;

	do {
		secret_random(bytes, sizeof bytes);
		b64_encode(key, bytes, sizeof bytes);
	} while (key[0] == '-'); /* which looks like an option */
	elcpage_apikey_hash(hash, u->secret, slice_str(name),
	    slice_str(key));
	if ((r = begin(u)) == 0)
		r = settle(u, add_hash(u, name, hash));
	if (r < 0)
		secret_zero(key, ELCUSERS_KEY_TEXT);
	secret_zero(bytes, sizeof bytes);
	return r;
}

int
elcusers_list(struct elcusers *u,
    int (*each)(void *, const struct elcusers_user *), void *ctx)
{
	struct query q;
	int r, step = SQLITE_DONE;

	if ((r = prepare(u, &q, "SELECT name, created, revoked, "
	    "(SELECT count(*) FROM apikey WHERE user = name) "
	    "FROM user ORDER BY name")) < 0)
		return r;
	while (r == 0 && (step = sqlite3_step(q.s)) == SQLITE_ROW)
		r = each(ctx, &(struct elcusers_user){
		    (const char *)sqlite3_column_text(q.s, 0),
		    sqlite3_column_int64(q.s, 1),
		    sqlite3_column_int64(q.s, 2),
		    sqlite3_column_int64(q.s, 3) });
	if (r == 0 && step != SQLITE_DONE)
		r = fail(u);
	sqlite3_finalize(q.s);
	return r;
}

int
elcusers_check(struct elcusers *u, struct slice name, struct slice apikey)
{
	uint8_t hash[HASH_SIZE];
	struct query q;
	int found = 0, r, step;

	/* Work as hard for a name that cannot be. */
	elcpage_apikey_hash(hash, u->secret, name, apikey);
	if (!elcusers_name_ok(name))
		return 0;
	if ((r = prepare(u, &q, "SELECT hash FROM apikey WHERE user = ?1 "
	    "AND length(hash) = 32")) < 0)
		return r;
	bind_text(&q, name.p, name.n);
	while ((step = sqlite3_step(q.s)) == SQLITE_ROW)
		found |= secret_equal(sqlite3_column_blob(q.s, 0), hash,
		    sizeof hash);
	if (step != SQLITE_DONE)
		found = fail(u);
	sqlite3_finalize(q.s);
	return found;
}

static int
count(struct elcusers *u, const char *who, int64_t minute, int64_t *n)
{
	struct query q;
	int r;

	if ((r = prepare(u, &q, "DELETE FROM hits WHERE minute != ?1")) < 0)
		return r;
	bind_int(&q, minute);
	if ((r = run(u, &q)) < 0 || (r = prepare(u, &q, "INSERT INTO hits "
	    "VALUES (?1, ?2, 1) ON CONFLICT (who) DO UPDATE SET n = n + 1 "
	    "RETURNING n")) < 0)
		return r;
	bind_text(&q, who, strlen(who));
	bind_int(&q, minute);
	if (sqlite3_step(q.s) != SQLITE_ROW)
		r = fail(u);
	else
		*n = sqlite3_column_int64(q.s, 0);
	sqlite3_finalize(q.s);
	return r;
}

int
elcusers_count(struct elcusers *u, const char *who, int64_t now,
    int64_t limit)
{
	int64_t n = 0;
	int r;

	if ((r = exec(u, "BEGIN IMMEDIATE")) < 0 ||
	    (r = settle(u, count(u, who, now / 60, &n))) < 0)
		return r;
	return n <= limit;
}
