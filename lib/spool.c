#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "b64.h"
#include "buf.h"
#include "err.h"
#include "json.h"
#include "mem.h"
#include "out.h"
#include "secret.h"
#include "shape.h"
#include "spool.h"

#define ID_SIZE   9
#define LOG_MAX   (256 << 20)
#define LINE_MAX_ (8 * SPOOL_NAME_MAX)
#define LOG       ".log"
#define DATA      ".data"

const char spool_none[9];

/*
 * The log, a line a record:
 *   p {…}        where it belongs (a JSON object)
 *   b SIZE H     it stands over that many bytes of that file
 *   w FROM TO    written; FROM = TO where there is no base
 *   t SIZE END   truncated; what counts of the base ends there
 *   m MTIME
 *   c            clean, and nothing is the base's any more
 *   x            to be forgotten
 * The last line of a process that was killed may be torn; it has no newline.
 */

static int
log_text(struct spool *s, const char *text, size_t n)
{
	return s->forgotten ? 0 : out_all(s->log, s->path, text, n);
}

static int
log_numbers(struct spool *s, char what, int64_t a, int64_t b)
{
	char line[64];
	int n = snprintf(line, sizeof line, "%c %lld %lld\n", what,
	    (long long)a, (long long)b);

	return log_text(s, line, (size_t)n);
}

static char *
with_suffix(const char *path, const char *suffix)
{
	return xasprintf("%s%s", path, suffix);
}

static int
open_suffix(const char *path, const char *suffix, int flags)
{
	char *full = with_suffix(path, suffix);
	int fd = open(full, O_RDWR | O_CLOEXEC | flags, 0600);

	if (fd == -1)
		err_local("%s", full);
	free(full);
	return fd;
}

static void
unlink_suffix(const char *path, const char *suffix)
{
	char *full = with_suffix(path, suffix);

	unlink(full);
	free(full);
}

/* Only one process works on it.  0, or -1 if another does. */
static int
lock(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_SETLK, &whole);
}

static struct spool *
alloc(char *path)
{
	struct spool *s = xcalloc(1, sizeof *s);

	s->path = path;
	s->fd = s->log = -1;
	return s;
}

static void
close_all(struct spool *s)
{
	if (s->fd != -1)
		close(s->fd);
	if (s->log != -1)
		close(s->log);
	ranges_free(&s->have);
	free(s->name);
	free(s->path);
	free(s);
}

void
spool_drop(struct spool *s)
{
	if (s == NULL)
		return;
	/* A log without data is one that was being removed, or made. */
	unlink_suffix(s->path, DATA);
	unlink_suffix(s->path, LOG);
	close_all(s);
}

void
spool_keep(struct spool *s)
{
	if (s != NULL)
		close_all(s);
}

int
spool_new(struct spool **out, const char *dir)
{
	uint8_t id[ID_SIZE];
	char text[B64_LEN(ID_SIZE) + 1];
	struct spool *s;

	*out = NULL;
	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		return err_local("%s", dir);
	secret_random(id, sizeof id);
	s = alloc(xasprintf("%s/%s", dir, b64_encode(text, id, sizeof id)));
	if ((s->log = open_suffix(s->path, LOG, O_CREAT | O_EXCL |
	    O_APPEND)) == -1 || lock(s->log) == -1 ||
	    (s->fd = open_suffix(s->path, DATA, O_CREAT | O_EXCL)) == -1) {
		int e = errno;

		err_local("%s", s->path);
		spool_drop(s);
		errno = e;
		return ERR_LOCAL;
	}
	*out = s;
	return 0;
}

static int
log_base(struct spool *s, const char base[9], int64_t end)
{
	char line[64];
	int n = snprintf(line, sizeof line, "b %lld %.8s\n", (long long)end,
	    base);

	memcpy(s->base, base, sizeof s->base);
	return log_text(s, line, (size_t)n);
}

int
spool_over(struct spool *s, const char base[9], int64_t size)
{
	if (ftruncate(s->fd, (off_t)size) == -1)
		return err_local("%s", s->path);
	s->size = s->base_end = size;
	return log_base(s, base, size);
}

int
spool_rebase(struct spool *s, const char base[9])
{
	return log_base(s, base, s->base_end);
}

static void
set_name(struct spool *s, const char *name, size_t n)
{
	char *copy = xmalloc(n + 1);

	memcpy(copy, name, n);
	copy[n] = '\0';
	free(s->name);
	s->name = copy;
	s->namelen = n;
}

int
spool_place(struct spool *s, const char parent[9], const char *name,
    size_t n, const char replaces[9])
{
	struct buf b = BUF_MAX(LINE_MAX_);
	struct json_out o = { &b, 0 };
	int r;

	if (name != s->name)
		set_name(s, name, n);
	memcpy(s->parent, parent, sizeof s->parent);
	memcpy(s->replaces, replaces, sizeof s->replaces);
	buf_addstr(&b, "p ");
	json_open(&o, NULL, '{');
	json_put(&o, "parent", s->parent);
	json_put(&o, "replaces", s->replaces);
	json_put_n(&o, "name", name, n);
	json_close(&o, '}');
	buf_addch(&b, '\n');
	if ((r = buf_check(&b)) == 0)
		r = log_text(s, b.p, b.len);
	buf_free(&b);
	return r;
}

/* Data at an offset, all of it. */
static int
put_data(struct spool *s, const void *p, size_t n, int64_t offset)
{
	const char *from = p;

	while (n > 0) {
		ssize_t put = pwrite(s->fd, from, n, (off_t)offset);

		if (put == -1 && errno == EINTR)
			continue;
		if (put == -1)
			return err_local("%s", s->path);
		from += put;
		n -= (size_t)put;
		offset += put;
	}
	return 0;
}

/* Note that a range is here. */
static int
note(struct spool *s, int64_t from, int64_t to)
{
	int r = 0;

	if (from < s->base_end && ranges_add(&s->have, from,
	    to < s->base_end ? to : s->base_end))
		r = log_numbers(s, 'w', from, to);
	else if (!s->dirty)
		r = log_numbers(s, 'w', 0, 0);
	return r;
}

static void
changed(struct spool *s)
{
	s->mtime = (int64_t)time(NULL);
	s->dirty = !s->forgotten;
}

int
spool_write(struct spool *s, const void *p, size_t n, int64_t offset)
{
	int64_t end = offset + (int64_t)n;
	int r;

	if ((r = put_data(s, p, n, offset)) < 0 ||
	    (r = note(s, offset, end)) < 0)
		return r;
	if (end > s->size)
		s->size = end;
	changed(s);
	return 0;
}

int
spool_fill(struct spool *s, const void *p, size_t n, int64_t offset)
{
	int r;

	if ((r = put_data(s, p, n, offset)) == 0 &&
	    ranges_add(&s->have, offset, offset + (int64_t)n))
		r = log_numbers(s, 'w', offset, offset + (int64_t)n);
	return r;
}

int
spool_truncate(struct spool *s, int64_t size)
{
	int64_t end = size < s->base_end ? size : s->base_end;
	int r;

	/* Told first: what a longer log says of data that is not there yet
	 * is zeros, as it should be. */
	if ((r = log_numbers(s, 't', size, end)) < 0)
		return r;
	if (ftruncate(s->fd, (off_t)size) == -1)
		return err_local("%s", s->path);
	s->size = size;
	s->base_end = end;
	ranges_cut(&s->have, end);
	changed(s);
	return 0;
}

int
spool_set_mtime(struct spool *s, int64_t mtime)
{
	int r = log_numbers(s, 'm', mtime, 0);

	if (r < 0)
		return r;
	s->mtime = mtime;
	s->dirty = !s->forgotten;
	return 0;
}

int
spool_gap(const struct spool *s, int64_t offset, int64_t n,
    struct range *gap)
{
	int64_t end = offset + n < s->base_end ? offset + n : s->base_end;

	return ranges_gap(&s->have, offset, end, gap);
}

int64_t
spool_read(struct spool *s, void *p, size_t n, int64_t offset)
{
	char *to = p;
	int64_t total = 0;

	while (n > 0) {
		ssize_t got = pread(s->fd, to, n, (off_t)(offset + total));

		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return err_local("%s", s->path);
		if (got == 0)
			break;
		to += got;
		total += got;
		n -= (size_t)got;
	}
	return total;
}

int
spool_clean(struct spool *s, const char node[9])
{
	int r = spool_place(s, s->parent, s->name, s->namelen, node);

	if (r == 0)
		r = log_text(s, "c\n", 2);
	s->dirty = 0;
	s->base_end = 0;
	s->base[0] = '\0';
	ranges_free(&s->have);
	return r;
}

int
spool_open(const struct spool *s)
{
	char *full = with_suffix(s->path, DATA);
	int fd = open(full, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		err_local("%s", full);
	free(full);
	return fd == -1 ? ERR_LOCAL : fd;
}

int
spool_forget(struct spool *s)
{
	int r = log_text(s, "x\n", 2);

	s->dirty = 0;
	s->forgotten = 1;
	return r;
}

/*
 * Reading a log.
 */

struct belongs {
	char parent[9], replaces[9];
	struct slice name;
};

static const struct shape belongs_shape[] = {
	SHAPE(belongs, parent, "parent", SHAPE_HANDLE, SHAPE_REQUIRED, 0, 8),
	SHAPE(belongs, replaces, "replaces", SHAPE_HANDLE, SHAPE_EMPTY, 0, 8),
	SHAPE(belongs, name, "name", SHAPE_TEXT, SHAPE_REQUIRED, 0,
	    SPOOL_NAME_MAX),
	SHAPE_END
};

static int
read_place(struct spool *s, const char *text)
{
	struct belongs b = { .name = { NULL, 0 } };
	struct json j = { 0 };
	int r;

	if ((r = json_parse(&j, text, strlen(text))) == 0 &&
	    (r = shape_read("spool", belongs_shape, &j, 0, &b)) == 0) {
		memcpy(s->parent, b.parent, sizeof s->parent);
		memcpy(s->replaces, b.replaces, sizeof s->replaces);
		set_name(s, b.name.p, b.name.n);
	}
	json_free(&j);
	return r;
}

/* One line, without its newline. 0, or ERR_PROTO. */
static int
read_line(struct spool *s, const char *line)
{
	long long a, b;
	char h[9];

	if (strcmp(line, "c") == 0 || strcmp(line, "x") == 0) {
		s->forgotten = line[0] == 'x';
		s->dirty = 0;
		s->base_end = 0;
		ranges_free(&s->have);
		return 0;
	}
	if (strncmp(line, "p {", 3) == 0)
		return read_place(s, line + 2);
	if (sscanf(line, "b %lld %8s", &a, h) == 2 && a >= 0 &&
	    strlen(h) == 8) {
		s->base_end = a;
		memcpy(s->base, h, sizeof s->base);
		return 0;
	}
	if (sscanf(line + 1, " %lld %lld", &a, &b) != 2 || a < 0 || b < 0)
		return ERR_PROTO;
	s->dirty = 1;
	s->mtime = -1;
	if (line[0] == 'w') {
		ranges_add(&s->have, a, b < s->base_end ? b : s->base_end);
	} else if (line[0] == 't') {
		s->base_end = b < s->base_end ? b : s->base_end;
		ranges_cut(&s->have, s->base_end);
	} else if (line[0] == 'm') {
		s->mtime = a;
	} else {
		return ERR_PROTO;
	}
	return 0;
}

/* Read the whole log of a spool whose files are open. */
static int
read_log(struct spool *s)
{
	struct stat st;
	char *text, *line, *end;
	int r = 0;

	if (fstat(s->log, &st) == -1 || st.st_size > LOG_MAX)
		return err_local("%s", s->path);
	text = xmalloc((size_t)st.st_size + 1);
	if (pread(s->log, text, (size_t)st.st_size, 0) != st.st_size)
		r = err_local("%s", s->path);
	text[r == 0 ? st.st_size : 0] = '\0';
	for (line = text; r == 0 && (end = strchr(line, '\n')) != NULL;
	    line = end + 1) {
		*end = '\0';
		r = read_line(s, line);
	}
	free(text);
	if (fstat(s->fd, &st) == -1)
		return err_local("%s", s->path);
	s->size = st.st_size;
	if (s->mtime < 0)
		s->mtime = st.st_mtim.tv_sec;
	return r;
}

/* Take over one that is left, if nobody works on it. */
static struct spool *
take_over(char *path)
{
	struct spool *s = alloc(path);

	if ((s->log = open_suffix(path, LOG, O_APPEND)) == -1 ||
	    lock(s->log) == -1) {
		spool_keep(s);
		return NULL;
	}
	if ((s->fd = open_suffix(path, DATA, 0)) != -1 && read_log(s) < 0) {
		spool_keep(s); /* not understood: better left alone */
		return NULL;
	}
	if (!s->dirty || s->name == NULL) {
		spool_drop(s);
		return NULL;
	}
	return s;
}

int
spool_recover(const char *dir, void (*fn)(void *ctx, struct spool *s),
    void *ctx)
{
	const size_t k = strlen(LOG);
	DIR *d = opendir(dir);
	struct dirent *e;

	if (d == NULL)
		return errno == ENOENT ? 0 : err_local("%s", dir);
	while ((e = readdir(d)) != NULL) {
		size_t n = strlen(e->d_name);
		struct spool *s;

		if (n <= k || strcmp(e->d_name + n - k, LOG) != 0)
			continue;
		s = take_over(xasprintf("%s/%.*s", dir, (int)(n - k),
		    e->d_name));
		if (s != NULL)
			fn(ctx, s);
	}
	closedir(d);
	err_clear();
	return 0;
}
