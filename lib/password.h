/*
 * Passwords, codes and other secrets of one line: where they may come from.
 * The command line is no such place: everybody can read it.
 */
#ifndef PASSWORD_H
#define PASSWORD_H

#include "buf.h"

#define PASSWORD_MAX 4096 /* bytes */

/* Sources, in the order in which they are looked at; NULL: not this one. */
struct password_source {
	const char *file;       /* its first line; "-" is standard input */
	const char *command;    /* the first line that this prints (sh -c) */
	const char *credential; /* a file in CREDENTIALS_DIRECTORY, if it is
	                         * there */
	const char *variable;   /* of the environment, if it is set */
	const char *question;   /* for the terminal */
	int twice;              /* ask there again, to be sure */
};

/*
 * password_get: a secret from the first source that there is.
 *
 * It replaces what is in out (buf_wipe it), without its line's end.
 * ERR_LOGIN if no source has it, or it is empty; ERR_LOCAL if a source that
 * was named cannot be read.  Never waits where nobody could answer.
 */
int password_get(struct buf *out, const struct password_source *from);

/* The first line of a file, or the next one of standard input for "-": 0,
 * ERR_LOCAL, or ERR_TOOBIG.  what names it in messages. */
int password_line(struct buf *out, const char *path, const char *what);

#endif
