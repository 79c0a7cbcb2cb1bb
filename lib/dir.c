#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dir.h"
#include "err.h"
#include "mem.h"

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
add(struct dir *d, const char *name)
{
	/* Full whenever the number is a power of two. */
	if ((d->n & (d->n - 1)) == 0)
		d->name = xreallocarray(d->name, d->n == 0 ? 1 : 2 * d->n,
		    sizeof *d->name);
	d->name[d->n++] = xstrdup(name);
}

int
dir_list(struct dir *d, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	int error;

	*d = (struct dir){ NULL, 0 };
	if (dir == NULL)
		return err_set(ERR_LOCAL, "%s", strerror(errno));
	while (errno = 0, (e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0)
			add(d, e->d_name);
	error = errno;
	closedir(dir);
	if (error != 0) {
		dir_free(d);
		return err_set(ERR_LOCAL, "%s", strerror(error));
	}
	if (d->n > 0)
		qsort(d->name, d->n, sizeof *d->name, by_name);
	return 0;
}

void
dir_free(struct dir *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->name[i]);
	free(d->name);
	*d = (struct dir){ NULL, 0 };
}

char *
dir_join(const char *path, const char *name)
{
	size_t n = strlen(path);

	if (n == 0 || *name == '\0')
		return xstrdup(n == 0 ? name : path);
	return xasprintf("%s%s%s", path, path[n - 1] == '/' ? "" : "/", name);
}

/* One folder of a walk, at from its start; folders in it are added to those
 * that follow. */
static int
walk_one(const char *start, const char *at, struct dir *todo,
    int (*fn)(void *ctx, const char *name, const struct stat *st), void *ctx)
{
	char *path = dir_join(start, at);
	struct dir here;
	struct stat st;
	int r = dir_list(&here, path);

	for (size_t i = 0; i < here.n && r == 0; i++) {
		char *name = dir_join(at, here.name[i]);
		char *full = dir_join(start, name);

		/* What has vanished meanwhile is not there. */
		if (lstat(full, &st) == 0) {
			if ((r = fn(ctx, name, &st)) == 0 &&
			    S_ISDIR(st.st_mode))
				add(todo, name);
		} else if (errno != ENOENT) {
			r = err_local("%s", full);
		}
		free(full);
		free(name);
	}
	dir_free(&here);
	free(path);
	return r;
}

int
dir_walk(const char *path, int (*fn)(void *ctx, const char *name,
    const struct stat *st), void *ctx)
{
	struct dir todo = { NULL, 0 };
	int r = walk_one(path, "", &todo, fn, ctx);

	for (size_t i = 0; i < todo.n && r == 0; i++)
		r = walk_one(path, todo.name[i], &todo, fn, ctx);
	dir_free(&todo);
	return r;
}

struct removal {
	const char *path;
	struct dir folders; /* each before those in it */
};

static int
remove_entry(void *ctx, const char *name, const struct stat *st)
{
	struct removal *m = ctx;
	char *path;
	int r = 0;

	if (S_ISDIR(st->st_mode)) {
		add(&m->folders, name);
		return 0;
	}
	path = dir_join(m->path, name);
	if (unlink(path) == -1 && errno != ENOENT)
		r = err_local("%s", path);
	free(path);
	return r;
}

static int
remove_folder(const char *path)
{
	return rmdir(path) == -1 && errno != ENOENT ?
	    err_local("%s", path) : 0;
}

int
dir_remove(const char *path)
{
	struct removal m = { .path = path };
	struct stat st;
	int r;

	if (lstat(path, &st) == -1)
		return errno == ENOENT ? 0 : err_local("%s", path);
	if (!S_ISDIR(st.st_mode))
		return unlink(path) == -1 && errno != ENOENT ?
		    err_local("%s", path) : 0;
	r = dir_walk(path, remove_entry, &m);
	for (size_t i = m.folders.n; i > 0 && r == 0; i--) {
		char *full = dir_join(path, m.folders.name[i - 1]);

		r = remove_folder(full);
		free(full);
	}
	dir_free(&m.folders);
	return r == 0 ? remove_folder(path) : r;
}
