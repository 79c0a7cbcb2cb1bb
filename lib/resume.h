/*
 * What an interrupted upload needs to go on: its URL, its key, and the MACs
 * of the chunks that the service has acknowledged.
 *
 * One small file an upload, which only its owner can read: it holds the key.
 * Source: mega-protocol(7), "Uploads": a URL lives for 48 hours, and the
 * client's record of what arrived is the only one.
 */
#ifndef RESUME_H
#define RESUME_H

#include <stddef.h>
#include <stdint.h>

#define RESUME_URL_MAX 2048
#define RESUME_AGE_S   (47 * 3600) /* older ones are not used */

/* A state file that is open.  Zeroed is valid: there is none, and every
 * function below does nothing with it. */
struct resume {
	char *path;
	int fd;
	uint64_t chunks;
};

/* What it holds beside the MACs.  A secret. */
struct resume_head {
	char url[RESUME_URL_MAX + 1];
	uint8_t key[16], nonce[8];
};

/*
 * resume_name: where the state of an upload is kept.
 *
 * Below folder, by a hash of the n bytes of what: whatever tells this upload
 * from all others.  The caller frees it.
 */
char *resume_name(const char *folder, const void *what, size_t n);

/*
 * resume_open: open or make the state file of an upload of that many chunks.
 *
 * 1: an earlier run left it; head and macs (zeros where a chunk has not been
 * acknowledged) are filled in.  0: it is new, or of no use.  Where it cannot
 * be made, or another process has it, r stays zeroed.
 */
int resume_open(struct resume *r, const char *path, uint64_t chunks,
    struct resume_head *head, uint8_t (*macs)[16]);

/* Begin anew with a URL: nothing has been acknowledged. */
void resume_begin(struct resume *r, const struct resume_head *head);

/* Chunk i has been acknowledged. */
void resume_chunk(struct resume *r, uint64_t i, const uint8_t mac[16]);

/* Remove all states in a folder, and the folder (logout). */
void resume_forget(const char *folder);

/* The upload is over: remove the file.  Or keep it for a later run. */
void resume_end(struct resume *r);
void resume_keep(struct resume *r);

#endif
