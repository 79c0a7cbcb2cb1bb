#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "err.h"
#include "mem.h"
#include "name.h"
#include "out.h"

/* folder/.NAME.TAG.part, with a NAME that is short enough. */
static char *
part_name(const char *path, const char *tag)
{
	const char *base = strrchr(path, '/');
	int dir = base == NULL ? 0 : (int)(base + 1 - path);
	size_t room = NAME_LOCAL_MAX - 1 - strlen(tag) - strlen("..  .part");
	size_t n;

	base = path + dir;
	n = strlen(base);
	if (n > room)
		for (n = room; n > 0 &&
		    ((unsigned char)base[n] & 0xc0) == 0x80; n--)
			continue;
	return xasprintf("%.*s.%.*s.%s.part", dir, path, (int)n, base, tag);
}

int
out_open(struct out *o, const char *path, const char *tag)
{
	struct stat st, now;
	int r;

	*o = (struct out){ .fd = -1 };
	o->part = part_name(path, tag);
	o->path = xstrdup(path);
	for (;;) {
		o->fd = open(o->part, O_RDWR | O_CREAT | O_CLOEXEC |
		    O_NOFOLLOW, 0666);
		if (o->fd == -1) {
			r = err_local("%s", o->part);
			break;
		}
		if (flock(o->fd, LOCK_EX | LOCK_NB) == -1) {
			r = err_set(ERR_TAKEN, "%s: another process is "
			    "writing it", o->part);
			break;
		}
		if (fstat(o->fd, &st) == -1 || !S_ISREG(st.st_mode)) {
			r = err_set(ERR_LOCAL, "%s: not a regular file",
			    o->part);
			break;
		}
		/* It may have got its name between open and lock. */
		if (lstat(o->part, &now) == 0 && now.st_ino == st.st_ino &&
		    now.st_dev == st.st_dev) {
			o->old = st.st_size;
			return 0;
		}
		close(o->fd);
	}
	out_keep(o);
	return r;
}

int
out_write(struct out *o, const void *p, size_t n, int64_t offset)
{
	const char *at = p;

	while (n > 0) {
		ssize_t w = pwrite(o->fd, at, n, (off_t)offset);

		if (w == -1 && errno == EINTR)
			continue;
		if (w == -1)
			return err_local("%s", o->part);
		at += w;
		n -= (size_t)w;
		offset += w;
	}
	return 0;
}

void
out_sync(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL ? xstrdup(".") : slash == path ?
	    xstrdup("/") : xstrndup(path, (size_t)(slash - path));
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd != -1) {
		fsync(fd);
		close(fd);
	}
	free(dir);
}

int
out_end(struct out *o, int64_t size, int64_t mtime)
{
	struct timespec ts[2] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } };
	struct stat st;

	/* Some file systems take their time to cut off nothing. */
	if (fstat(o->fd, &st) == -1 || (st.st_size != (off_t)size &&
	    ftruncate(o->fd, (off_t)size) == -1))
		return err_local("%s", o->part);
	if (mtime >= 0) {
		ts[1] = (struct timespec){ (time_t)mtime, 0 };
		if (futimens(o->fd, ts) == -1)
			return err_local("%s", o->part);
	}
	return 0;
}

int
out_flush(struct out *o)
{
	return fsync(o->fd) == -1 ? err_local("%s", o->part) : 0;
}

int
out_name(struct out *o, int replace)
{
	if (replace ? rename(o->part, o->path) == -1 :
	    compat_rename_new(o->part, o->path) == -1) {
		if (!replace && errno == EEXIST)
			return err_set(ERR_TAKEN, "%s: exists already",
			    o->path);
		return err_local("%s", o->path);
	}
	free(o->part);
	o->part = NULL;
	return 0;
}

void
out_keep(struct out *o)
{
	if (o->path == NULL)
		return;
	if (o->fd != -1)
		close(o->fd);
	free(o->path);
	free(o->part);
	*o = (struct out){ .fd = -1 };
}

void
out_discard(struct out *o)
{
	if (o->part != NULL)
		unlink(o->part);
	out_keep(o);
}

int
out_all(int fd, const char *name, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t w = write(fd, at, n);

		if (w == -1 && errno == EINTR)
			continue;
		if (w == -1 && errno == EPIPE)
			return err_set(ERR_PIPE, "%s: nobody reads it", name);
		if (w == -1)
			return err_local("%s", name);
		at += w;
		n -= (size_t)w;
	}
	return 0;
}

int
out_replace(const char *path, const void *p, size_t n, mode_t mode)
{
	char *tmp = xasprintf("%s.%ld.new", path, (long)getpid());
	int fd, r;

	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    mode);
	if (fd == -1 && errno == EEXIST && unlink(tmp) == 0)
		fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
		    O_NOFOLLOW, mode);
	if (fd == -1) {
		r = err_local("%s", tmp);
		goto out;
	}
	r = out_all(fd, tmp, p, n);
	if (r == 0 && (fchmod(fd, mode) == -1 || fsync(fd) == -1))
		r = err_local("%s", tmp);
	if (close(fd) == -1 && r == 0)
		r = err_local("%s", tmp);
	if (r == 0 && rename(tmp, path) == -1)
		r = err_local("%s", path);
	if (r < 0)
		unlink(tmp);
	else
		out_sync(path);
out:
	free(tmp);
	return r;
}

/* A file in TMPDIR that nobody else can open. */
static int
unnamed(void)
{
	const char *dir = getenv("TMPDIR");
	char *name;
	int fd;

	name = xasprintf("%s/megapipe.XXXXXX",
	    dir != NULL && *dir != '\0' ? dir : "/tmp");
	if ((fd = mkstemp(name)) == -1)
		err_local("%s", name);
	else
		unlink(name);
	free(name);
	return fd == -1 ? ERR_LOCAL : fd;
}

int
out_spool(int from, int64_t max, int64_t *size)
{
	static char buf[65536];
	int fd, r = 0;
	ssize_t n;

	if ((fd = unnamed()) < 0)
		return fd;
	*size = 0;
	while (r == 0 && (n = read(from, buf, sizeof buf)) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			r = err_local("cannot read the input");
		else if ((*size += n) > max)
			r = err_set(ERR_LOCAL, "the input is longer than %lld "
			    "bytes", (long long)max);
		else
			r = out_all(fd, "the spool in TMPDIR", buf, (size_t)n);
	}
	if (r == 0 && lseek(fd, 0, SEEK_SET) == -1)
		r = err_local("the spool in TMPDIR");
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}
