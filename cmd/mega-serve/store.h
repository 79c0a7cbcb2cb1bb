/*
 * What the server remembers: one SQLite database and a folder of blobs.
 *
 * Everything but the bytes of files is in the database, and changes only in
 * transactions; DIR/blobs/ID holds the bytes of one upload.  One process at
 * a time uses a folder.  Statements are kept prepared, by their text.
 *
 * What was committed survives the death of the process; with sync, that of
 * the machine as well.
 */
#ifndef STORE_H
#define STORE_H

#include <sqlite3.h>

#include <stddef.h>
#include <stdint.h>

#define STORE_SECRET_SIZE 32

struct store {
	sqlite3 *db;
	char *dir;
	int lock;                    /* descriptor of the lock file */
	int sync;                    /* wait for the disk */
	uint8_t secret[STORE_SECRET_SIZE]; /* of this server, for URLs */
	struct store_stmt *stmt;
	size_t nstmt, capstmt;
	int64_t *dead;               /* blobs to unlink after the commit */
	size_t ndead, capdead;
	int64_t swept;               /* when expired uploads were removed */
};

/*
 * store_open: open DIR, making what is missing, and forget uploads that
 * nobody finished.  ERR_LOCAL with a text; store_close in any case.
 */
int store_open(struct store *s, const char *dir, int sync);
void store_close(struct store *s);

/* Forget expired uploads, if that is due. */
void store_tidy(struct store *s);

/* Remove everything that a store made, and the folder. */
void store_remove(const char *dir);

/* A connection of its own, for reading one state while others write. */
int store_snapshot(const struct store *s, sqlite3 **db);

/* The path of a blob, which the caller frees. */
char *store_blob(const struct store *s, int64_t id);
/* Open it, made if it is missing: a descriptor or ERR_LOCAL. */
int store_blob_open(const struct store *s, int64_t id, int write);

/* With sync, wait until the bytes of an open blob are on the disk.  0 or
 * ERR_LOCAL. */
int store_blob_settle(const struct store *s, int fd);

/* A blob whose last row is gone, in the transaction under way; and, after
 * its end, the unlinking of those that really are. */
void store_drop(struct store *s, int64_t id);
void store_bury(struct store *s);

/*
 * sql: a statement with its parameters bound, ready for sql_row.
 *
 * text must be a literal (statements are found by its address).  types has
 * a letter for each argument: i int64_t, d int, t const char * (NULL is
 * null), s struct slice (p NULL is null), b const void * and size_t.  Text
 * and bytes are borrowed until sql_end.
 */
sqlite3_stmt *sql(struct store *s, const char *text, const char *types, ...);
/* The next row: 1, 0 at the end (the statement is reset), or ERR_LOCAL. */
int sql_row(sqlite3_stmt *st);
void sql_end(sqlite3_stmt *st);

/* Run a statement to its end: the number of rows changed, or ERR_LOCAL. */
int sql_do(struct store *s, const char *text, const char *types, ...);
/* The first column of the first row; absent if there is none. */
int64_t sql_int(struct store *s, int64_t absent, const char *text,
    const char *types, ...);

/* Column i as text, "" for null; borrowed until the next sql_row. */
const char *sql_text(sqlite3_stmt *st, int i);

/* Numbers in n bytes, at most 8, the highest first. */
void number_put(uint8_t *p, int64_t v, size_t n);
int64_t number_get(const uint8_t *p, size_t n);

/* Other ids are 64 bits, as text 11 characters of base64. */
#define ID_TEXT 12
char *id_text(char out[ID_TEXT], int64_t id);
/* The id in 11 characters, or -1 if they are none. */
int64_t id_read(const char *text, size_t n);

/* Node handles are 48 bits, as text 8 characters. */
#define HANDLE_TEXT 9
char *handle_text(char out[HANDLE_TEXT], int64_t h);
/* The handle in 8 characters, or 0 if they are none. */
int64_t handle_read(const char *text, size_t n);
/* A handle that no node has. */
int64_t handle_new(struct store *s);

int64_t store_now(void);

#endif
