/*
 * Tickets: the unguessable part of a data URL.
 *
 * A ticket says what it is for and when it was made, under a MAC, so that
 * handing one out needs no memory.
 */
#ifndef TICKET_H
#define TICKET_H

#include "store.h"

enum ticket_kind {
	TICKET_UPLOAD,
	TICKET_DOWNLOAD,
	TICKET_ATTR,       /* upload of a file attribute */
	TICKET_FETCH,      /* download of file attributes */
	TICKET_PART = 16   /* and 5 more: part of a file in six */
};

struct ticket {
	int kind;
	int64_t id;        /* of the blob */
	int64_t time;      /* when it was made */
};

#define TICKET_SIZE (8 + 5 + 1 + 16)
#define TICKET_TEXT (TICKET_SIZE / 3 * 4 + 1)

char *ticket_print(char out[TICKET_TEXT], const struct store *s,
    const struct ticket *t);
/* 0, or ERR_ACCESS if it is not one of this store. */
int ticket_read(const struct store *s, struct ticket *t, const char *text,
    size_t n);

#endif
