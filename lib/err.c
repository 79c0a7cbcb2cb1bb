#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "mem.h"

static struct {
	char text[1024];
	int api;
	int64_t retry_after;
} last = { .retry_after = -1 };

static const struct {
	int code;
	const char *words;
} words[] = {
	{ ERR_INTERNAL, "the service failed inside" },
	{ ERR_ARGS, "the service does not accept the request" },
	{ ERR_AGAIN, "the service is busy" },
	{ ERR_RATELIMIT, "too many requests" },
	{ ERR_FAILED, "the service failed for good" },
	{ ERR_TOOMANY, "too many of these for the service" },
	{ ERR_RANGE, "out of range" },
	{ ERR_EXPIRED, "expired" },
	{ ERR_NOENT, "not found" },
	{ ERR_CIRCULAR, "would make a folder its own descendant" },
	{ ERR_ACCESS, "permission denied" },
	{ ERR_EXIST, "exists already" },
	{ ERR_INCOMPLETE, "incomplete" },
	{ ERR_KEY, "the key does not fit" },
	{ ERR_SID, "the session has ended; log in again" },
	{ ERR_BLOCKED, "blocked or taken down" },
	{ ERR_OVERQUOTA, "over quota" },
	{ ERR_TEMPUNAVAIL, "temporarily not available" },
	{ ERR_TOOMANYCONN, "too many connections" },
	{ ERR_GOINGOVERQUOTA, "would go over quota" },
	{ ERR_ROLLEDBACK, "undone, since a part of the request failed" },
	{ ERR_MFAREQUIRED, "second factor needed" },
	{ ERR_MASTERONLY, "only for the master of a business account" },
	{ ERR_BUSINESSPASTDUE, "the business account is past due" },
	{ ERR_PAYWALL, "storage is over its limit, and the account locked" },
	{ ERR_SUBUSERKEY, "the sub-user's key is missing" },
};

static void
record(int code, const char *text)
{
	snprintf(last.text, sizeof last.text, "%s", text);
	if (code < 0 && code > ERR_PROTO)
		last.api = code;
}

int
err_set(int code, const char *fmt, ...)
{
	char text[sizeof last.text];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	record(code, text);
	return code;
}

int
err_local(const char *fmt, ...)
{
	char text[sizeof last.text];
	int e = errno;
	size_t n;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	n = strlen(text);
	snprintf(text + n, sizeof text - n, ": %s", strerror(e));
	record(ERR_LOCAL, text);
	errno = e;
	return ERR_LOCAL;
}

int
err_prefix(int code, const char *fmt, ...)
{
	char text[2 * sizeof last.text];
	size_t n;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof last.text, fmt, ap);
	va_end(ap);
	n = strlen(text);
	snprintf(text + n, sizeof text - n, "%s", last.text);
	record(code, text);
	return code;
}

struct err_kept {
	int api;
	int64_t retry_after;
	char text[];
};

struct err_kept *
err_keep(void)
{
	size_t n = strlen(last.text) + 1;
	struct err_kept *k = xmalloc(sizeof *k + n);

	k->api = last.api;
	k->retry_after = last.retry_after;
	memcpy(k->text, last.text, n);
	return k;
}

int
err_again(int code, const struct err_kept *k)
{
	last.api = k->api;
	last.retry_after = k->retry_after;
	record(code, k->text);
	return code;
}

const char *
err_words(int code)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (words[i].code == code)
			return words[i].words;
	return NULL;
}

int
err_service(int code)
{
	const char *w = err_words(code);

	if (w != NULL)
		return err_set(code, "%s", w);
	return err_set(code, "the service answered %d", code);
}

const char *
err_text(void)
{
	return last.text;
}

int
err_api(void)
{
	return last.api;
}

int64_t
err_retry_after(void)
{
	return last.retry_after;
}

void
err_set_retry_after(int64_t seconds)
{
	last.retry_after = seconds;
}

void
err_clear(void)
{
	last.text[0] = '\0';
	last.api = 0;
	last.retry_after = -1;
}
