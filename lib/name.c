#include <stdio.h>
#include <string.h>

#include "json.h"
#include "name.h"

/* Longest extension that a cut name keeps, with its dot. */
#define EXT_MAX 16

static int
is_dots(const char *p, size_t n)
{
	return (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' &&
	    p[1] == '.');
}

/* The extension of a name ("" if it has none worth keeping). */
static const char *
extension(const char *name, size_t n)
{
	for (size_t i = 1; i <= EXT_MAX && i < n; i++)
		if (name[n - i] == '.')
			return name + n - i;
	return name + n;
}

/* Cut a mapped name (n bytes) to 255 bytes. */
static void
cut(char out[NAME_LOCAL_MAX], const char *name, size_t n, const char *handle)
{
	const char *ext = extension(name, n);
	int extlen = (int)(name + n - ext);
	size_t keep = (size_t)(NAME_LOCAL_MAX - 1 - extlen) - 1 -
	    strlen(handle);

	while (keep > 0 && ((unsigned char)name[keep] & 0xc0) == 0x80)
		keep--;
	snprintf(out, NAME_LOCAL_MAX, "%.*s~%s%.*s", (int)keep, name, handle,
	    extlen, ext);
}

char *
name_local(char out[NAME_LOCAL_MAX], const char *name, size_t n,
    const char *handle)
{
	struct buf b = BUF_MAX(4 * 65536);

	if (n > 65536)
		n = 65536;
	for (size_t i = 0; i < n; i++) {
		if (name[i] == '/')
			buf_addstr(&b, "%2f");
		else if (name[i] == '\0')
			buf_addstr(&b, "%00");
		else if (is_dots(name, n))
			buf_addstr(&b, "%2e");
		else
			buf_addch(&b, name[i]);
	}
	if (n == 0)
		snprintf(out, NAME_LOCAL_MAX, "H:%s", handle);
	else if (b.len >= NAME_LOCAL_MAX)
		cut(out, buf_str(&b), b.len, handle);
	else
		memcpy(out, buf_str(&b), b.len + 1);
	buf_free(&b);
	return out;
}

void
name_remote(struct buf *out, const char *local)
{
	if (strcmp(local, "%2e") == 0 || strcmp(local, "%2e%2e") == 0) {
		buf_addstr(out, local[3] == '\0' ? "." : "..");
		return;
	}
	while (*local != '\0') {
		if (strncmp(local, "%2f", 3) == 0) {
			buf_addch(out, '/');
			local += 3;
		} else if (strncmp(local, "%00", 3) == 0) {
			buf_addch(out, '\0');
			local += 3;
		} else {
			buf_addch(out, *local++);
		}
	}
}

/* The bytes of the well-formed, printable UTF-8 character at p, or 0. */
static size_t
printable(const char *p, size_t n)
{
	unsigned char c = (unsigned char)*p;
	size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (c < 0x20 || c == 0x7f || len > n || !json_utf8(p, len))
		return 0;
	if (c == 0xc2 && (unsigned char)p[1] < 0xa0) /* C1 */
		return 0;
	return len;
}

void
name_escape(struct buf *out, const char *p, size_t n)
{
	while (n > 0) {
		size_t len = printable(p, n);

		if (*p == '\\')
			buf_addstr(out, "\\\\");
		else if (len > 0)
			buf_add(out, p, len);
		else if (*p == '\n')
			buf_addstr(out, "\\n");
		else if (*p == '\t')
			buf_addstr(out, "\\t");
		else
			buf_printf(out, "\\x%02x", (unsigned char)*p);
		if (len == 0)
			len = 1;
		p += len;
		n -= len;
	}
}
