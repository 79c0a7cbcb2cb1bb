/*
 * Session ids: how the service hands them over, and the session strings that
 * official clients exchange.
 *
 * Source: mega-protocol(7), "Sessions"; meganz/sdk src/commands.cpp,
 * CommandLogin, and src/megaclient.cpp, dumpsession and loadsession.
 */
#ifndef SID_H
#define SID_H

#include <stddef.h>
#include <stdint.h>

#include "link.h"
#include "rsa.h"

/* 16 random bytes, the user's handle as text, 16 random bytes. */
#define SID_SIZE   RSA_SID_SIZE
#define SID_HANDLE 16 /* where in it the handle is */

/*
 * sid_from_csid: the session id that an RSA message carries.
 *
 * box is n bytes: MPI(message), whatever is behind it.  The id is read where
 * official clients look, or else wherever in the message it stands around
 * the handle user, since servers pad in different ways.  An id without that
 * handle is ERR_KEY, unless lax; user may be NULL then.
 */
int sid_from_csid(uint8_t sid[SID_SIZE], const struct rsa_private *k,
    const uint8_t *box, size_t n, const char *user, int lax);

/* Whether a plain session id ("tsid") proves knowledge of the master key: its
 * last 16 bytes are the first 16, encrypted. */
int sid_proves(const uint8_t sid[SID_SIZE], const uint8_t master[16]);

/* Make what an account without a key pair proves that with ("ts"). */
void sid_challenge(uint8_t ts[32], const uint8_t master[16]);

/* A session string, in parts.  A secret. */
struct sid_string {
	int wrapped;            /* master is encrypted under the session key
	                         * that the service keeps */
	uint8_t master[16];
	uint8_t sid[SID_SIZE];
};

#define SID_STRING_MAX 80 /* characters of the wrapped form; the other: 79 */

/* sid_string_parse: ERR_USAGE if it is none, or that of a folder link. */
int sid_string_parse(struct sid_string *s, const char *text, size_t n);

/* Official clients have session strings of folder links, too, which are no
 * account's: 1 if that is one, and l is the link; 0 if not. */
int sid_string_folder(struct link *l, const char *text, size_t n);

/* The text of the wrapped form, with a NUL. */
void sid_string_print(char out[SID_STRING_MAX + 1],
    const struct sid_string *s);

#endif
