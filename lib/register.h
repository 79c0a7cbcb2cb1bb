/*
 * Registration: an ephemeral account gets an address and a password, and
 * later, by the link in a mail, becomes a full one.
 *
 * Source: mega-protocol(7), "Registration"; meganz/sdk src/commands.cpp,
 * CommandSendSignupLink2 and CommandConfirmSignupLink2.
 */
#ifndef REGISTER_H
#define REGISTER_H

#include "account.h"

#define REGISTER_PASSWORD_MIN 8 /* characters, as on the web site */

struct register_form {
	const char *email;    /* login_email's */
	const char *name;     /* full name, UTF-8 */
	const char *password; /* UTF-8 */
};

/* Whether a password may be used: long enough, no blanks around it, UTF-8.
 * 0 or ERR_USAGE. */
int register_check_password(const char *password);

/*
 * register_request: ask for the address, under an ephemeral account's
 * session; the service mails a link to it.
 *
 * The master key stays that of the ephemeral account, and so does all that
 * is in it.  ERR_EXIST if the address is taken.
 */
int register_request(struct account *a, const struct register_form *f);

/* The same once more, perhaps to another address, where it has been asked
 * for before; the password stays (and need not be set). */
int register_again(struct account *a, const struct register_form *f);

/* What a confirmation link holds. */
struct register_link {
	char *code;   /* goes to the service as it is */
	char *email, *name;
};

/*
 * register_parse: find the link in n bytes of text (a whole mail will do),
 * or take the text as its code alone.
 *
 * ERR_USAGE if there is none.  register_link_free in any case.
 */
int register_parse(struct register_link *l, const char *text, size_t n);
void register_link_free(struct register_link *l);

/*
 * register_confirm: the account of a link becomes a full one; its handle
 * into user.  Needs no session.
 *
 * l gets the address that the service has for it, which counts.  ERR_NOENT
 * if the link is unknown to the service, or was used already.
 */
int register_confirm(struct account *a, struct register_link *l,
    char user[12]);

/*
 * register_keys: make the account's RSA key pair and store it with the
 * service, sealed by the master key; and in a->session, which the caller
 * saves.
 *
 * ERR_EXIST if the account has keys, or an official client's key store, in
 * whose stead a new pair would break its shares and contacts.
 */
int register_keys(struct account *a);

#endif
