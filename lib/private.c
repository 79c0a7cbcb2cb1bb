#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "out.h"
#include "private.h"

#define PIECE 4096

static int
check_mode(int fd, const char *path)
{
	struct stat st;
	struct statvfs fs;

	if (fstat(fd, &st) == -1)
		return err_local("%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(ERR_LOCAL, "%s: not a regular file", path);
	if ((st.st_mode & 077) == 0)
		return 0;
	if (fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0)
		return 0;
	return err_set(ERR_LOCAL, "%s: others may read it; chmod 600 it",
	    path);
}

int
private_read(struct buf *b, const char *path)
{
	/* Of a pipe, nobody shall wait for the other end. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r;
	size_t room;
	ssize_t n;
	char *p;

	if (fd == -1)
		return errno == ENOENT ? 1 : err_local("%s", path);
	if ((r = check_mode(fd, path)) < 0)
		goto out;
	for (;;) {
		room = b->max - b->len < PIECE ? b->max - b->len : PIECE;
		if (room == 0 || (p = buf_reserve(b, room)) == NULL) {
			r = err_set(ERR_TOOBIG, "%s: over %zu bytes", path,
			    b->max);
			break;
		}
		n = read(fd, p, room);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			r = err_local("%s", path);
		if (n <= 0)
			break;
		b->len += (size_t)n;
	}
out:
	close(fd);
	return r;
}

static int
make_folders(const char *path)
{
	char *dir = xstrdup(path), *p;
	int r = 0;

	for (p = strchr(dir + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(dir, 0700) == -1 && errno != EEXIST) {
			r = err_local("%s", dir);
			break;
		}
		*p = '/';
	}
	free(dir);
	return r;
}

int
private_write(const char *path, const void *p, size_t n)
{
	int r = make_folders(path);

	return r < 0 ? r : out_replace(path, p, n, 0600);
}

int
private_ready(const char *path)
{
	static const char zeros[PIECE];
	char *probe = xasprintf("%s.%ld.new", path, (long)getpid());
	int fd, r = make_folders(path);

	if (r < 0)
		goto out;
	fd = open(probe, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1) {
		r = err_local("%s", path);
		goto out;
	}
	r = out_all(fd, path, zeros, sizeof zeros);
	close(fd);
	unlink(probe);
out:
	free(probe);
	return r;
}
