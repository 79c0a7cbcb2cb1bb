/*
 * The server: what all its parts share.
 *
 * One thread does everything; nothing here locks.
 */
#ifndef SERVE_H
#define SERVE_H

#include <stdint.h>

#include "fault.h"
#include "store.h"

struct server {
	struct store store;
	struct faults faults;
	const char *scheme;   /* of the URLs we hand out: http or https */
	const char *mail;     /* folder for confirmation mails, or NULL */
	int journal;          /* descriptor of the log, or -1 */
	int raid;             /* hand out six URLs for downloads */
	int gzip;             /* compress for clients that take it */
	int64_t url_life;     /* seconds that data URLs work */
	int64_t storage;      /* bytes an account may store */
	int64_t transfer;     /* bytes a client may download, -1: any */
	int64_t sent;         /* bytes downloaded so far */
	int64_t window;       /* when the transfer quota starts anew, or 0 */
	int changed;          /* events were added: wake who waits */
};

#endif
