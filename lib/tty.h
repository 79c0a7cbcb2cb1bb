/* The terminal, for questions. */
#ifndef TTY_H
#define TTY_H

#include "buf.h"

/*
 * tty_ask: ask on the controlling terminal and read a line, without echo if
 * secret.
 *
 * The answer, without its newline, replaces what is in answer.  ERR_LOGIN if
 * there is no terminal (never waits then) or the input ends.  A signal that
 * ends the process while it waits restores the echo first.
 */
int tty_ask(struct buf *answer, const char *question, int secret);

#endif
