/*
 * Logging in: with a password, or with the session string of another client.
 *
 * Source: mega-protocol(7), "Login"; meganz/sdk src/commands.cpp,
 * CommandPrelogin and CommandLogin, and src/megaclient.cpp.
 */
#ifndef LOGIN_H
#define LOGIN_H

#include "account.h"
#include "buf.h"
#include "json.h"
#include "session.h"
#include "sid.h"

#define LOGIN_CODE_MAX 16 /* of a second factor, with NUL; usually 6 digits */

struct login {
	const char *email;    /* login_email's */
	const char *password; /* UTF-8 */

	/*
	 * Get the code of the second factor; called when the service asks
	 * for it.  0, or an error that ends the login.
	 */
	int (*code)(void *ctx, char code[LOGIN_CODE_MAX]);
	void *ctx;

	/* Convert an account of version 1, whose hashes are weak, to 2. */
	int upgrade;
};

/* An address as it goes to the service: without blanks around it, and in
 * small letters (ASCII).  The caller frees it; NULL with ERR_USAGE's text if
 * it is none. */
char *login_email(const char *typed);

/* The version of the account with that address, as the service says (for an
 * address that it does not know, too); or ERR_*. */
int login_version(struct account *a, const char *email);

/*
 * login_password: begin a session.
 *
 * a was opened by account_open_none.  The service is asked once, and once
 * more where there is a second factor; nothing is tried again.  Afterwards
 * a->session is complete and known to work, and the channel is under it.
 * With l->upgrade an account of version 1 is one of version 2 then.
 *
 * ERR_LOGIN: wrong address, password or code; ERR_INCOMPLETE: not confirmed
 * yet; ERR_TOOMANY: the service wants a long pause; ERR_BLOCKED; ERR_KEY:
 * the account's keys do not fit together.  On failure the session, if one
 * had begun, has been ended.
 */
int login_password(struct account *a, const struct login *l);

/*
 * login_string: go on with the session of a session string.
 *
 * a was opened by account_open_none; as after login_password.  ERR_USAGE if
 * the text is no session string, ERR_KEY if its key is not the account's.
 */
int login_string(struct account *a, const char *text, size_t n);

/*
 * login_put_password: what makes password the account's, in version 2, as
 * members of a command: crv, hak, and the wrapped master key under the name
 * that the command has for it.
 */
void login_put_password(struct json_out *o, const char *key,
    const char *password, const uint8_t master[16]);

/* Write the session string of a's session, of which the service keeps a
 * part. */
int login_export(struct account *a, char out[SID_STRING_MAX + 1]);

/*
 * login_reply: fill in s from what "us" answered, v in j.
 *
 * key opens the master key; NULL: s->master is there already.  With lax, a
 * session id without the user's handle is taken: emulators send such.  For
 * login_password, and for tests.
 */
int login_reply(struct session *s, struct json *j, int v,
    const uint8_t key[16], int lax);

#endif
