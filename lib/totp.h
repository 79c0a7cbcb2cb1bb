/* One-time codes of RFC 6238: SHA-1, 30 seconds, 6 digits. */
#ifndef TOTP_H
#define TOTP_H

#include <stdint.h>

/*
 * totp: the code for a time in Unix seconds, with leading zeros.
 *
 * seed is base32 (RFC 4648; case, blanks, dashes and padding do not
 * matter).  ERR_USAGE if it is not, or is empty.
 */
int totp(char code[7], const char *seed, int64_t now);

#endif
