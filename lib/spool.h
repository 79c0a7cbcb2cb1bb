/*
 * A file that is being written: its new contents and what is to become of
 * them, on the local disk, until the service has it.
 *
 * Two files in a folder: ID.data, and ID.log, which says in lines of text
 * where the file belongs and which parts of it are new, so that another
 * process can finish what one that was killed has begun.  The process that
 * works on them holds a lock on the log.
 *
 * A spool may stand over a file of the service, its base: what has not been
 * written, below base_end, is the base's, and has to be filled in before it
 * is read or sent.
 *
 * Functions that give ERR_LOCAL leave errno as it was.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "ranges.h"

#define SPOOL_NAME_MAX 65536

extern const char spool_none[9]; /* no handle */

struct spool {
	int fd;               /* of the data, to read and write */
	int64_t size;
	int64_t base_end;     /* 0: there is no base, or all is here */
	struct ranges have;   /* what is not the base's, below base_end */
	char parent[9];       /* handles: of the folder it belongs into, */
	char replaces[9];     /* of the file that it replaces, or "", */
	char base[9];         /* and of the one underneath, or "" */
	char *name;           /* the service's, namelen bytes */
	size_t namelen;
	int64_t mtime;        /* for the fingerprint */
	int dirty;            /* the service does not have it as it is */

	char *path;           /* private: without its suffix */
	int log;
	int forgotten;
};

/* A new, empty one in a folder, which is made if need be.  ERR_LOCAL. */
int spool_new(struct spool **s, const char *dir);

/* Let it stand over a file of that size. */
int spool_over(struct spool *s, const char base[9], int64_t size);

/* The same contents are underneath, but as another node's. */
int spool_rebase(struct spool *s, const char base[9]);

/* Where it belongs.  n bytes of name, at most SPOOL_NAME_MAX; may be the
 * one that it has. */
int spool_place(struct spool *s, const char parent[9], const char *name,
    size_t n, const char replaces[9]);

/* Each makes it dirty, and all but the last set the time to now. */
int spool_write(struct spool *s, const void *p, size_t n, int64_t offset);
int spool_truncate(struct spool *s, int64_t size);
int spool_set_mtime(struct spool *s, int64_t mtime);

/* The first part of a range that has to be filled in from the base: 1 with
 * *gap set, or 0. */
int spool_gap(const struct spool *s, int64_t offset, int64_t n,
    struct range *gap);
/* The base's bytes there. */
int spool_fill(struct spool *s, const void *p, size_t n, int64_t offset);

/* Read from where there is no gap; the number of bytes, less only at the
 * end. */
int64_t spool_read(struct spool *s, void *p, size_t n, int64_t offset);

/* The service has it as it is, as that node.  ERR_LOCAL if that could not be
 * noted, so that a later run may find out anew. */
int spool_clean(struct spool *s, const char node[9]);

/* A descriptor of its own to read the data from the start, or ERR_LOCAL. */
int spool_open(const struct spool *s);

/* Nobody wants it any more: it is never dirty again, and no later run will
 * send it. */
int spool_forget(struct spool *s);

/* The end: remove it, or leave it for a later run. */
void spool_drop(struct spool *s);
void spool_keep(struct spool *s);

/*
 * spool_recover: what processes that died have left in a folder.
 *
 * Calls fn for each that is dirty; fn owns it.  The others are removed.
 * Those that a living process works on are left alone, if that is another
 * one: to be called before spool_new.
 */
int spool_recover(const char *dir, void (*fn)(void *ctx, struct spool *s),
    void *ctx);

#endif
