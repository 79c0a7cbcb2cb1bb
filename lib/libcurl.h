/*
 * libcurl, loaded when the first request is made.
 *
 * With the three dozen libraries behind it, libcurl takes longer to load
 * than a command that asks nobody takes for all else.  So no program is
 * linked with it: libcurl.c has functions of its names that pass the call
 * on, and others write against <curl/curl.h> as everywhere.
 */
#ifndef LIBCURL_H
#define LIBCURL_H

/* Load it, once; to be called before any of its functions.  0, or ERR_NET
 * with a text that says what is missing. */
int libcurl_load(void);

#endif
