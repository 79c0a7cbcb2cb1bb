/* Generated trees. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attr.h"
#include "b64.h"
#include "chunk.h"
#include "err.h"
#include "fingerprint.h"
#include "key.h"
#include "mem.h"
#include "secret.h"

#include "populate.h"

#define GROUP    100            /* nodes: a folder and its files */
#define BATCH    100000         /* nodes in one transaction */
#define SIZE_MAX_MADE 200000
#define CHUNKS_MAX    2 /* of so many bytes */
#define EPOCH    1600000000     /* the oldest modification time */

/* Files are copies of these: one upload each, under one key, which is what
 * copying a file means to the service. */
static const int64_t sizes[] = { 0, 1, 100, 5000, 40000, SIZE_MAX_MADE };

#define TEMPLATES (sizeof sizes / sizeof *sizes)

struct template {
	int64_t blob, size;
	struct filekey key;
	uint8_t crc[FINGERPRINT_CRC_SIZE];
	uint8_t fold[KEY_SIZE];
	char k[B64_LEN(KEY_FILE_SIZE) + 1]; /* under the master key */
};

struct populate {
	struct store *db;
	const uint8_t *master;
	int64_t user, root;
	int64_t base;                 /* handle of the first node */
	struct template file[TEMPLATES];
	uint8_t folder_key[KEY_SIZE];
	char folder_k[B64_LEN(KEY_SIZE) + 1];
};

/* Text that compresses and can be told from any other file's. */
static void
fill(uint8_t *p, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(167 * i + 13 * (i / 256) + seed);
}

static void
encrypt(struct template *t, uint8_t *p)
{
	uint8_t macs[CHUNKS_MAX][16];
	struct aes a;

	aes_init(&a, t->key.key);
	for (uint64_t i = 0; i < chunk_count(t->size); i++) {
		int64_t start = chunk_start(i);
		struct chunk_job job = { .p = p + start, .start = start,
		    .n = (size_t)(chunk_end(start, t->size) - start) };

		chunk_crypt_jobs(&a, t->key.nonce, &job, 1, 1);
		memcpy(macs[i], job.mac, 16);
	}
	chunk_condense(t->key.mac, &a, (const uint8_t (*)[16])macs,
	    chunk_count(t->size));
	aes_wipe(&a);
}

static int
write_blob(struct store *db, const struct template *t, const uint8_t *p)
{
	int fd = store_blob_open(db, t->blob, 1);
	int r = 0;

	if (fd < 0)
		return fd;
	if (pwrite(fd, p, (size_t)t->size, 0) != (ssize_t)t->size)
		r = err_local("blob");
	close(fd);
	return r;
}

static int
make_template(struct populate *p, struct template *t, unsigned i)
{
	uint8_t *data = xmalloc(SIZE_MAX_MADE);
	uint8_t packed[KEY_FILE_SIZE], wrapped[KEY_FILE_SIZE], token[27];
	char h[B64_LEN(sizeof token) + 1];
	struct fingerprint_stream fp;
	int r;

	t->size = sizes[i];
	secret_random(&t->blob, sizeof t->blob);
	t->blob &= INT64_MAX;
	key_new_file(&t->key);
	fill(data, (size_t)t->size, i);
	fingerprint_begin(&fp, t->size);
	fingerprint_add(&fp, data, (size_t)t->size);
	fingerprint_end(&fp, t->crc);
	encrypt(t, data);
	key_pack_file(packed, &t->key);
	key_fold(t->fold, packed, sizeof packed);
	key_wrap(wrapped, packed, sizeof packed, p->master);
	b64_encode(t->k, wrapped, sizeof wrapped);
	secret_random(token, sizeof token);
	if ((r = write_blob(p->db, t, data)) == 0)
		r = sql_do(p->db, "INSERT INTO blob VALUES(?, ?, ?, 0, ?, 1,"
		    " 1, ?)", "iiiti", t->blob, p->user, t->size,
		    b64_encode(h, token, sizeof token), store_now());
	secret_zero(packed, sizeof packed);
	free(data);
	return r < 0 ? r : 0;
}

static int
seal(struct buf *out, const char *name, const char *c,
    const uint8_t key[KEY_SIZE])
{
	struct attr a = { 0 };
	int r;

	attr_set(&a, "n", name, strlen(name));
	if (c != NULL)
		attr_set(&a, "c", c, strlen(c));
	buf_reset(out);
	r = attr_seal(&a, out, key);
	attr_free(&a);
	return r;
}

/* Folder f of the tree is in folder (f - 1) / 10; the first in the root. */
static int64_t
folder_handle(const struct populate *p, int64_t f)
{
	return f < 0 ? p->root : p->base + f * GROUP;
}

static int
insert(struct populate *p, int64_t i, int64_t parent, const char *k,
    const struct template *t, struct buf *a)
{
	int r = sql_do(p->db, "INSERT INTO node(h, user, parent, t, a, k, s,"
	    " ts, blob) VALUES(?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 0))",
	    "iiidttiii", p->base + i, p->user, parent, t == NULL,
	    buf_str(a), k, t == NULL ? (int64_t)0 : t->size,
	    (int64_t)EPOCH + i, t == NULL ? (int64_t)0 : t->blob);

	return r < 0 ? r : 0;
}

static int
make_node(struct populate *p, int64_t i, struct buf *a)
{
	const struct template *t = &p->file[i % (int64_t)TEMPLATES];
	struct fingerprint fp = { .size = t->size, .mtime = EPOCH + i };
	char name[64], c[FINGERPRINT_TEXT_MAX];
	int64_t f = i / GROUP;
	int r;

	if (i % GROUP == 0) {
		snprintf(name, sizeof name, "folder %lld", (long long)f);
		if ((r = seal(a, name, NULL, p->folder_key)) < 0)
			return r;
		return insert(p, i, folder_handle(p, f == 0 ? -1 :
		    (f - 1) / 10), p->folder_k, NULL, a);
	}
	memcpy(fp.crc, t->crc, sizeof fp.crc);
	snprintf(name, sizeof name, "file %lld.bin", (long long)i);
	if ((r = seal(a, name, fingerprint_print(c, &fp), t->fold)) < 0)
		return r;
	return insert(p, i, folder_handle(p, f), t->k, t, a);
}

static int
make_all(struct populate *p, int64_t n)
{
	struct buf a = BUF_MAX(4096);
	int r = 0;

	for (int64_t i = 0; i < n && r == 0; i++) {
		r = make_node(p, i, &a);
		if (i % BATCH == BATCH - 1 && r == 0) {
			sql_do(p->db, "COMMIT", "");
			r = sql_do(p->db, "BEGIN IMMEDIATE", "") < 0 ?
			    ERR_LOCAL : 0;
		}
	}
	buf_free(&a);
	return r;
}

/* Handles in a row make a million inserts quick. */
static int
find_base(struct populate *p, int64_t n)
{
	do
		p->base = handle_new(p->db) >> 1;
	while (sql_int(p->db, 0, "SELECT 1 FROM node WHERE h >= ?"
	    " AND h < ? LIMIT 1", "ii", p->base, p->base + n) == 1);
	return 0;
}

static int
find_user(struct populate *p, const char *email)
{
	sqlite3_stmt *st;

	st = sql(p->db, "SELECT id, root FROM user WHERE email = lower(?)",
	    "t", email);
	if (sql_row(st) != 1)
		return err_set(ERR_USAGE, "%s: no such account", email);
	p->user = sqlite3_column_int64(st, 0);
	p->root = sqlite3_column_int64(st, 1);
	sql_end(st);
	return 0;
}

int
populate(struct store *db, const char *email, const uint8_t master[16],
    int64_t n)
{
	struct populate p = { .db = db, .master = master };
	uint8_t wrapped[KEY_SIZE];
	int r;

	if ((r = find_user(&p, email)) < 0)
		return r;
	if (sql_int(db, 0, "SELECT 1 FROM node WHERE parent = ? LIMIT 1",
	    "i", p.root) == 1)
		return 0;
	find_base(&p, n);
	sql_do(db, "BEGIN IMMEDIATE", "");
	secret_random(p.folder_key, sizeof p.folder_key);
	key_wrap(wrapped, p.folder_key, sizeof wrapped, master);
	b64_encode(p.folder_k, wrapped, sizeof wrapped);
	for (unsigned i = 0; i < TEMPLATES && r == 0; i++)
		r = make_template(&p, &p.file[i], i);
	if (r == 0)
		r = make_all(&p, n);
	if (sql_do(db, r < 0 ? "ROLLBACK" : "COMMIT", "") < 0)
		r = ERR_LOCAL;
	secret_zero(&p, sizeof p);
	return r;
}
