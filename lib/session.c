#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "b64.h"
#include "err.h"
#include "http.h"
#include "mem.h"
#include "private.h"
#include "secret.h"
#include "session.h"
#include "shape.h"

struct members {
	int64_t version;
	struct slice api, sid, email, privk;
	char user[12];
	uint8_t master[16];
};

static const struct shape session_shape[] = {
	SHAPE(members, version, "version", SHAPE_INT, SHAPE_REQUIRED, 1, 1),
	SHAPE(members, api, "api", SHAPE_TEXT, SHAPE_REQUIRED, 1, 1024),
	SHAPE(members, sid, "sid", SHAPE_B64, SHAPE_REQUIRED, 1,
	    SESSION_SID_MAX),
	SHAPE(members, user, "user", SHAPE_HANDLE, SHAPE_REQUIRED, 0, 11),
	SHAPE(members, email, "email", SHAPE_TEXT, SHAPE_EMPTY, 1, 1024),
	SHAPE(members, master, "master_key", SHAPE_BYTES, SHAPE_REQUIRED, 0,
	    16),
	SHAPE(members, privk, "rsa_key", SHAPE_B64, SHAPE_EMPTY, 1, 4096),
	SHAPE_END
};

char *
session_path(const char *given)
{
	const char *env;

	if (given == NULL)
		given = getenv("MEGA_SESSION");
	if (given != NULL && *given != '\0')
		return xstrdup(given);
	if ((env = getenv("XDG_STATE_HOME")) != NULL && *env == '/')
		return xasprintf("%s/megapipe/session.json", env);
	if ((env = getenv("HOME")) != NULL && *env != '\0')
		return xasprintf("%s/.local/state/megapipe/session.json", env);
	err_set(ERR_LOCAL, "neither MEGA_SESSION nor HOME says where the "
	    "session file is");
	return NULL;
}

static int
read_file(struct buf *b, const char *path)
{
	int r = private_read(b, path);

	if (r == 1)
		return err_set(ERR_LOGIN, "not logged in (no session file %s)",
		    path);
	if (r == ERR_TOOBIG)
		return err_set(ERR_PROTO, "%s: too large for a session file",
		    path);
	return r;
}

/* Members of the file that the table does not name, for the next save. */
static void
keep_unknown(struct session *s, const struct json *j)
{
	struct json_out o = { &s->extra, s->extra.len > 0 };

	for (int k = json_first(j, 0); k >= 0; k = json_next(j, k)) {
		const struct shape *e = session_shape;
		struct slice name = json_raw(j, k);
		struct slice v = json_raw(j, json_value(j, k));
		int quoted = json_type(j, json_value(j, k)) == JSON_STRING;

		while (e->name != NULL && (strlen(e->name) != name.n ||
		    memcmp(e->name, name.p, name.n) != 0))
			e++;
		if (e->name != NULL)
			continue;
		if (o.comma)
			buf_addch(&s->extra, ',');
		buf_printf(&s->extra, "\"%.*s\":", (int)name.n, name.p);
		o.comma = 0;
		json_put_raw(&o, NULL, v.p - quoted, v.n + 2 * (size_t)quoted);
	}
}

static char *
dup_slice(struct slice v)
{
	return v.p != NULL ? xstrndup(v.p, v.n) : NULL;
}

int
session_load(struct session *s, const char *path)
{
	struct buf text = BUF_MAX(SESSION_FILE_MAX);
	struct members m = { 0 };
	struct json j = { 0 };
	int r;

	*s = (struct session){ .extra = BUF_MAX(SESSION_FILE_MAX) };
	if ((r = read_file(&text, path)) < 0)
		goto out;
	if ((r = json_parse(&j, buf_str(&text), text.len)) < 0 ||
	    (r = shape_read("session file", session_shape, &j, 0, &m)) < 0) {
		r = err_prefix(r, "%s: ", path);
		goto out;
	}
	s->api = dup_slice(m.api);
	memcpy(s->sid, m.sid.p, m.sid.n);
	memcpy(s->user, m.user, sizeof s->user);
	memcpy(s->master, m.master, sizeof s->master);
	s->email = dup_slice(m.email);
	s->privk = dup_slice(m.privk);
	s->path = xstrdup(path);
	keep_unknown(s, &j);
out:
	secret_zero(&m, sizeof m);
	json_free(&j);
	buf_wipe(&text);
	return r;
}

int
session_save(const struct session *s, const char *path)
{
	struct buf b = BUF_MAX(2 * SESSION_FILE_MAX);
	struct json_out o = { &b, 0 };
	int r;

	json_open(&o, NULL, '{');
	json_put_int(&o, "version", 1);
	json_put(&o, "api", s->api != NULL ? s->api : SESSION_API);
	json_put(&o, "sid", s->sid);
	json_put(&o, "user", s->user);
	if (s->email != NULL)
		json_put(&o, "email", s->email);
	json_put_b64(&o, "master_key", s->master, sizeof s->master);
	if (s->privk != NULL)
		json_put(&o, "rsa_key", s->privk);
	if (s->extra.len > 0)
		json_put_raw(&o, NULL, s->extra.p, s->extra.len);
	json_close(&o, '}');
	buf_addch(&b, '\n');
	if ((r = buf_check(&b)) == 0)
		r = private_write(path, b.p, b.len);
	buf_wipe(&b);
	return r;
}

void
session_inherit(struct session *s, struct session *old)
{
	buf_wipe(&s->extra);
	s->extra = old->extra;
	buf_init(&old->extra, 0);
}

int
session_remove(const char *path)
{
	static const char zeros[4096];
	struct stat st;
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	int r = 0;

	/* The name goes first: nobody shall find half a file there. */
	if (unlink(path) == -1 && errno != ENOENT)
		r = err_local("%s", path);
	/* The old blocks may live on below a file system that never
	 * overwrites in place; the server has ended the session anyway. */
	if (fd != -1) {
		if (r == 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
			for (off_t left = st.st_size; left > 0;
			    left -= (off_t)sizeof zeros)
				if (write(fd, zeros, left < (off_t)sizeof zeros
				    ? (size_t)left : sizeof zeros) == -1)
					break;
		fsync(fd);
		close(fd);
	}
	return r;
}

char *
session_beside(const struct session *s, const char *name)
{
	return s->path != NULL ? xasprintf("%s.%s", s->path, name) : NULL;
}

const char *
session_url(const struct session *s)
{
	const char *url = getenv("MEGA_API_URL");

	if (url == NULL || *url == '\0')
		url = s != NULL && s->api != NULL ? s->api : SESSION_API;
	return http_check_url(url) == 0 ? url : NULL;
}

void
session_free(struct session *s)
{
	free(s->api);
	free(s->email);
	free(s->privk);
	free(s->path);
	buf_wipe(&s->extra);
	secret_zero(s, sizeof *s);
}
