#define _GNU_SOURCE /* renameat2, syncfs, getrandom */

#include <sys/random.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "compat.h"

int
compat_rename_new(const char *from, const char *to)
{
#ifdef RENAME_NOREPLACE
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
#endif
	if (link(from, to) == -1)
		return -1;
	return unlink(from);
}

int
compat_sync_all(int fd)
{
#ifdef __linux__
	return syncfs(fd);
#else
	(void)fd;
	return -1;
#endif
}

void
compat_random(void *p, size_t n)
{
	unsigned char *at = p;

	while (n > 0) {
		size_t want = n < 256 ? n : 256;

		if (getentropy(at, want) == -1) {
			perror("getentropy");
			abort();
		}
		at += want;
		n -= want;
	}
}

int
compat_cpus(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > 1024 ? 1024 : (int)n;
}
