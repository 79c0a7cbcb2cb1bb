/*
 * What a server answers at login, and what users bring along: session
 * strings and confirmation links.
 *
 * Input: any of these, as text.  The password key is that of "password" in
 * an account of version 1.
 */
#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "kdf.h"
#include "login.h"
#include "register.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
try_reply(const char *text, size_t n, int lax)
{
	static uint8_t key[16];
	static int have_key;
	struct session s = { 0 };
	struct json j = { 0 };

	if (!have_key)
		kdf_v1_key(key, "password");
	have_key = 1;
	if (json_parse(&j, text, n) == 0 &&
	    login_reply(&s, &j, 0, key, lax) == 0 &&
	    strlen(s.sid) != B64_LEN(SID_SIZE))
		abort();
	json_free(&j);
	session_free(&s);
}

static void
try_string(const char *text, size_t n)
{
	char again[SID_STRING_MAX + 1];
	struct sid_string s;

	if (sid_string_parse(&s, text, n) < 0 || !s.wrapped)
		return;
	sid_string_print(again, &s);
	if (n < SID_STRING_MAX || strncmp(again, text, SID_STRING_MAX) != 0)
		abort();
}

static void
try_link(const char *text, size_t n)
{
	struct register_link l;

	if (register_parse(&l, text, n) == 0 && (*l.email == '\0' ||
	    !b64_valid(l.code, strlen(l.code)) || l.name == NULL))
		abort();
	register_link_free(&l);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const char *text = (const char *)p;

	try_reply(text, n, 0);
	try_reply(text, n, 1);
	try_string(text, n);
	try_link(text, n);
	return 0;
}
