#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "password.h"
#include "secret.h"
#include "tty.h"

/*
 * Read up to the end of a line.  Byte by byte: what follows on standard input
 * belongs to somebody else, and stdio's buffer would keep a copy.
 */
static int
read_line(struct buf *out, int fd, const char *what)
{
	ssize_t n;
	char c;

	while ((n = read(fd, &c, 1)) != 0 && (n == 1 || errno == EINTR)) {
		if (n == -1)
			continue;
		if (c == '\n')
			break;
		if (buf_addch(out, c) < 0)
			return err_set(ERR_TOOBIG, "%s: over %zu bytes", what,
			    out->max);
	}
	if (n == -1)
		return err_local("%s", what);
	if (out->len > 0 && out->p[out->len - 1] == '\r')
		out->len--;
	return 0;
}

int
password_line(struct buf *out, const char *path, const char *what)
{
	int fd, r;

	buf_reset(out);
	if (strcmp(path, "-") == 0)
		return read_line(out, STDIN_FILENO, what);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return err_local("%s", path);
	r = read_line(out, fd, path);
	close(fd);
	return r;
}

/* Take in what a command still prints: it shall not die of SIGPIPE. */
static void
drain(int fd)
{
	char rest[512];

	while (read(fd, rest, sizeof rest) > 0)
		continue;
	secret_zero(rest, sizeof rest);
}

static int
from_command(struct buf *out, const char *command)
{
	FILE *f;
	int r, status;

	buf_reset(out);
	fflush(NULL);
	if ((f = popen(command, "r")) == NULL)
		return err_local("the password command");
	r = read_line(out, fileno(f), "the password command");
	drain(fileno(f));
	status = pclose(f);
	if (r == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		r = err_set(ERR_LOGIN, "the password command failed");
	return r;
}

/* 0, 1 if there is no such file, or ERR_*. */
static int
from_credentials(struct buf *out, const char *name)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char *path;
	int r = 1;

	if (dir == NULL || *dir == '\0')
		return 1;
	path = xasprintf("%s/%s", dir, name);
	if (access(path, F_OK) == 0)
		r = password_line(out, path, path);
	free(path);
	return r;
}

static int
from_terminal(struct buf *out, const struct password_source *from)
{
	struct buf again = BUF_MAX(PASSWORD_MAX);
	int r;

	if ((r = tty_ask(out, from->question, 1)) < 0 || !from->twice)
		return r;
	if ((r = tty_ask(&again, "Once more: ", 1)) == 0 &&
	    (again.len != out->len ||
	    memcmp(buf_str(&again), buf_str(out), out->len) != 0))
		r = err_set(ERR_LOGIN, "that was not the same twice");
	buf_wipe(&again);
	return r;
}

static int
from_first(struct buf *out, const struct password_source *from)
{
	const char *value;
	int r;

	if (from->file != NULL)
		return password_line(out, from->file, "standard input");
	if (from->command != NULL)
		return from_command(out, from->command);
	if (from->credential != NULL &&
	    (r = from_credentials(out, from->credential)) <= 0)
		return r;
	if (from->variable != NULL &&
	    (value = getenv(from->variable)) != NULL && *value != '\0') {
		buf_reset(out);
		return buf_addstr(out, value);
	}
	if (from->question == NULL)
		return err_set(ERR_LOGIN, "no password was given");
	return from_terminal(out, from);
}

int
password_get(struct buf *out, const struct password_source *from)
{
	int r = from_first(out, from);

	if (r == 0 && memchr(buf_str(out), '\0', out->len) != NULL)
		r = err_set(ERR_LOGIN, "a password holds no NUL");
	if (r == 0 && out->len == 0)
		r = err_set(ERR_LOGIN, "the password is empty");
	if (r < 0)
		buf_wipe(out);
	return r;
}
