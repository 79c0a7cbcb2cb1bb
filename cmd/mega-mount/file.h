/* Files that are open, or whose new contents the service does not have. */
#ifndef FILE_H
#define FILE_H

#include "mount.h"
#include "share.h"

/* Somebody who waits until a file's contents are with the service. */
struct sync_wait {
	/* 0 or an errno. */
	void (*done)(struct sync_wait *w, int error);
	struct sync_wait *next;
};

/* Something that has to wait while a file is being sent. */
struct job {
	void (*run)(struct job *j);
	struct job *next;
};

struct file {
	struct inode *inode;
	unsigned opens;           /* by the kernel */
	unsigned users;           /* operations of ours under way */
	struct content *content;  /* of the service's, once it was read, */
	int64_t content_id;       /* under that node's number, */
	int64_t content_size;     /* and with that size */
	struct spool *spool;      /* what was written, if anything was */
	int unlinked;
	struct file *next;        /* of all */

	int syncing;              /* on the way to the service … */
	int busy;                 /* … and may not be changed meanwhile */
	struct job *jobs;         /* wait until it may */
	struct sync_wait *waits;
	struct upload up;
	struct share shares[SHARE_NESTED_MAX];
	struct listener_wait current;
	int error;                /* of the last attempt */
	int64_t again_ms;         /* when the next one is due */
	char made[9];             /* version that an earlier attempt made
	                           * since the file was opened */
};

/* The file of an inode: made if need be, NULL if there is none. */
struct file *file_get(struct inode *i);
struct file *file_known(const struct inode *i);

/* The new contents of an inode's file, or NULL. */
struct spool *file_spool(const struct inode *i);

/* While somebody uses it, a file stays.  file_leave drops it when it is of no
 * use any more. */
void file_enter(struct file *f);
void file_leave(struct file *f);

/* Call fn for each; it may drop that one. */
void file_each(void (*fn)(struct file *f));

/*
 * file_content: its contents as the service has them.
 *
 * 0 or ERR_*.  *size is the file's.
 */
int file_content(struct file *f, int64_t *size);

/* Whether those of that node are no longer the ones to read: a file can
 * become another node while it is read. */
int file_content_moved(const struct file *f, int64_t id);

/*
 * file_write_to: make sure that there are new contents to write to, over the
 * old ones, or empty ones with none.  0 or ERR_*.
 */
int file_write_to(struct file *f, int empty);

/* Run a job now, or when the file may be changed. */
void file_do(struct file *f, struct job *j);

/* Fill in what a range lacks of the old contents; fn is told the result, at
 * once or later. */
struct filling {
	void (*done)(struct filling *g, int result);
	struct file *f;
	int64_t offset, n;
	void *ctx;

	struct content_read read; /* private, as what follows */
	struct content *content;
	int64_t id;               /* of its node */
	int inside, result;
};
void file_fill(struct filling *g);

/* Have the service take over what is new.  w->done comes at once or later. */
void file_sync(struct file *f, struct sync_wait *w);

/* Take a wait back: its done is not called. */
void file_sync_cancel(struct file *f, struct sync_wait *w);

/* Try what failed before, where it is due; called now and then.  file_try_now:
 * all of it, now that the service can be reached again. */
void file_try_again(void);
void file_try_now(void);

/* It was unlinked, or something was renamed over it. */
void file_unlink(struct inode *i);

/* Send all there is and wait for it, for the time-out at most. */
void file_finish_all(void);

/* At the end: what has not been sent stays for a later run. */
void file_free_all(void);

/* Take up what processes that died have left. */
void file_recover(void);

#endif
