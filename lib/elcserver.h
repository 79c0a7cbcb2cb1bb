/*
 * The account server of ELC containers as a CGI/1.1 program: one request
 * from the environment and standard input, one answer to standard output.
 *
 * Source: mega-protocol(7), "ELC account servers"; RFC 3875.
 */
#ifndef ELCSERVER_H
#define ELCSERVER_H

#include <stdint.h>

#define ELCSERVER_RATE 60 /* requests a minute of one user */
#define ELCSERVER_SHARE 4 /* users behind one address, as far as the rate */

struct elcserver {
	const char *db;         /* the file of elcusers */
	const char *password_file; /* its first line made legacy tokens; or
	                            * NULL */
	const char *log;        /* file for one line a request; NULL: stderr */
	int64_t rate;
};

/*
 * elcserver_cgi: answer one request.
 *
 * Whatever is wrong, with the request or with us, becomes an answer that
 * clients can show; details go to the log.  ERR_PIPE or ERR_LOCAL if the
 * answer could not be written.
 */
int elcserver_cgi(const struct elcserver *s);

#endif
