/*
 * The session file: what one login leaves for every later command.
 *
 * Format: mega-session(5).  JSON, mode 0600, replaced atomically; members
 * that we do not know are kept.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdint.h>

#include "buf.h"

#define SESSION_SID_MAX 64   /* characters; the service's have 58 */
#define SESSION_FILE_MAX 65536

/* A secret.  Zeroed is valid: nobody is logged in. */
struct session {
	char *api;                      /* URL of the service */
	char sid[SESSION_SID_MAX + 1];  /* session id, "" if none */
	char user[12];                  /* user handle */
	char *email;                    /* NULL for an ephemeral account */
	uint8_t master[16];             /* master key */
	char *privk;                    /* RSA key under master, base64; or
	                                 * NULL */
	struct buf extra;               /* unknown members, as JSON text */
	char *path;                     /* where it was loaded from */
};

/* The URL of the real service. */
#define SESSION_API "https://g.api.mega.co.nz"

/* Where the file is: given (an option's operand), or MEGA_SESSION, or the
 * default below XDG_STATE_HOME.  The caller frees it; NULL with ERR_LOCAL's
 * text if there is no home either. */
char *session_path(const char *given);

/*
 * session_load: read the file.
 *
 * ERR_LOGIN if there is none; ERR_LOCAL if it cannot be read, or if others
 * than its owner may (unless it is on a read-only file system); ERR_PROTO if
 * it does not parse.  s is zeroed or set; session_free.
 */
int session_load(struct session *s, const char *path);

/* Write s to path (0600, folders 0700), beside it and then renamed. */
int session_save(const struct session *s, const char *path);

/* s takes the place of old in a file: the members that we do not know move
 * there. */
void session_inherit(struct session *s, struct session *old);

/* Overwrite and remove the file.  0 also if there was none. */
int session_remove(const char *path);

/* The name of something that goes with the session file: PATH.name, which the
 * caller frees.  NULL if the session is not from a file. */
char *session_beside(const struct session *s, const char *name);

/* The URL to talk to: MEGA_API_URL, or the session's, or the default.
 * Checked: NULL with ERR_USAGE's text if it may not be used. */
const char *session_url(const struct session *s);

void session_free(struct session *s);

#endif
