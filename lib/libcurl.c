#include <dlfcn.h>
#include <stdarg.h>
#include <string.h>

#define CURL_DISABLE_TYPECHECK /* in this file its macros are in the way */
#include <curl/curl.h>

#include "err.h"
#include "libcurl.h"

/* What others call; each has its function below. */
#define FUNCTIONS(X) \
	X(curl_easy_cleanup) \
	X(curl_easy_getinfo) \
	X(curl_easy_init) \
	X(curl_easy_pause) \
	X(curl_easy_reset) \
	X(curl_easy_setopt) \
	X(curl_easy_strerror) \
	X(curl_global_cleanup) \
	X(curl_global_init) \
	X(curl_multi_add_handle) \
	X(curl_multi_cleanup) \
	X(curl_multi_info_read) \
	X(curl_multi_init) \
	X(curl_multi_perform) \
	X(curl_multi_poll) \
	X(curl_multi_remove_handle) \
	X(curl_multi_setopt) \
	X(curl_slist_append) \
	X(curl_slist_free_all)

static struct {
#define POINTER(name) __typeof__(name) *name;
	FUNCTIONS(POINTER)
} real;

static const char *const files[] = {
	"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.4.dylib", "libcurl.so",
};

static void *
open_library(void)
{
	void *lib = NULL;

	for (size_t i = 0; lib == NULL && i < sizeof files / sizeof *files; i++)
		lib = dlopen(files[i], RTLD_LAZY | RTLD_LOCAL);
	return lib;
}

/* ISO C knows no cast from a pointer to one of a function. */
static int
look_up(void *lib, const char *name, void *to)
{
	void *f = dlsym(lib, name);

	memcpy(to, &f, sizeof f);
	return f != NULL;
}

int
libcurl_load(void)
{
	static void *lib;

	if (lib != NULL)
		return 0;
	if ((lib = open_library()) == NULL)
		return err_set(ERR_NET, "libcurl is not to be found: %s",
		    dlerror());
#define LOOK_UP(name) \
	if (!look_up(lib, #name, &real.name)) \
		return err_set(ERR_NET, "libcurl is too old: no " #name);
	FUNCTIONS(LOOK_UP)
	return 0;
}

/* The compiler holds these against curl.h.  Some names are macros there:
 * the brackets keep them off. */
#define PASS(type, name, types, names) \
	type (name) types { return real.name names; }
#define PASS_VOID(name, types, names) \
	void (name) types { real.name names; }

PASS_VOID(curl_easy_cleanup, (CURL *c), (c))
PASS(CURL *, curl_easy_init, (void), ())
PASS(CURLcode, curl_easy_pause, (CURL *c, int mask), (c, mask))
PASS_VOID(curl_easy_reset, (CURL *c), (c))
PASS(const char *, curl_easy_strerror, (CURLcode code), (code))
PASS_VOID(curl_global_cleanup, (void), ())
PASS(CURLcode, curl_global_init, (long flags), (flags))
PASS(CURLMcode, curl_multi_add_handle, (CURLM *m, CURL *c), (m, c))
PASS(CURLMcode, curl_multi_cleanup, (CURLM *m), (m))
PASS(CURLMsg *, curl_multi_info_read, (CURLM *m, int *left), (m, left))
PASS(CURLM *, curl_multi_init, (void), ())
PASS(CURLMcode, curl_multi_perform, (CURLM *m, int *running), (m, running))
PASS(CURLMcode, curl_multi_poll, (CURLM *m, struct curl_waitfd fds[],
    unsigned n, int ms, int *ready), (m, fds, n, ms, ready))
PASS(CURLMcode, curl_multi_remove_handle, (CURLM *m, CURL *c), (m, c))
PASS(struct curl_slist *, curl_slist_append, (struct curl_slist *list,
    const char *s), (list, s))
PASS_VOID(curl_slist_free_all, (struct curl_slist *list), (list))

/* An option's number says what its value is. */
#define PASS_OPTION(result, set, ctx, option, number) do { \
	va_list ap; \
	va_start(ap, option); \
	if ((number) >= CURLOPTTYPE_OFF_T && (number) < CURLOPTTYPE_BLOB) \
		result = set(ctx, option, va_arg(ap, curl_off_t)); \
	else if ((number) < CURLOPTTYPE_OBJECTPOINT) \
		result = set(ctx, option, va_arg(ap, long)); \
	else \
		result = set(ctx, option, va_arg(ap, void *)); \
	va_end(ap); \
} while (0)

CURLcode
(curl_easy_setopt)(CURL *c, CURLoption option, ...)
{
	CURLcode code;

	PASS_OPTION(code, real.curl_easy_setopt, c, option, (int)option);
	return code;
}

CURLMcode
(curl_multi_setopt)(CURLM *m, CURLMoption option, ...)
{
	CURLMcode code;

	PASS_OPTION(code, real.curl_multi_setopt, m, option, (int)option);
	return code;
}

CURLcode
(curl_easy_getinfo)(CURL *c, CURLINFO info, ...)
{
	CURLcode code;
	va_list ap;

	va_start(ap, info);
	code = real.curl_easy_getinfo(c, info, va_arg(ap, void *));
	va_end(ap);
	return code;
}
