/* Compressed answers. */

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <zlib.h>

#include "err.h"
#include "mem.h"

#include "pack.h"

#define LEVEL 1           /* who waits for a long list waits for this */
#define GZIP  (15 + 16)   /* zlib's word for the format of gzip */

struct pack {
	z_stream z;
	int fd;
	int64_t plain, size;
};

struct pack *
pack_new(const char *dir)
{
	struct pack *p = xcalloc(1, sizeof *p);
	char *path = xasprintf("%s/blobs/pack.XXXXXX", dir);

	p->fd = mkstemp(path);
	if (p->fd < 0) {
		err_local("%s", path);
	} else {
		unlink(path);
		if (deflateInit2(&p->z, LEVEL, Z_DEFLATED, GZIP, 8,
		    Z_DEFAULT_STRATEGY) != Z_OK)
			abort();
	}
	free(path);
	if (p->fd >= 0)
		return p;
	free(p);
	return NULL;
}

static int
write_all(struct pack *p, const unsigned char *data, size_t n)
{
	while (n > 0) {
		ssize_t w = write(p->fd, data, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return err_local("a compressed answer");
		data += w;
		n -= (size_t)w;
		p->size += w;
	}
	return 0;
}

static int
run(struct pack *p, int flush)
{
	unsigned char out[16384];
	int r, z;

	do {
		p->z.next_out = out;
		p->z.avail_out = sizeof out;
		z = deflate(&p->z, flush);
		if ((r = write_all(p, out, sizeof out - p->z.avail_out)) < 0)
			return r;
	} while (p->z.avail_out == 0 && z == Z_OK);
	return 0;
}

int
pack_add(struct pack *p, const char *data, size_t n)
{
	p->plain += (int64_t)n;
	p->z.next_in = (z_const Bytef *)(uintptr_t)data;
	p->z.avail_in = (uInt)n;
	return run(p, Z_NO_FLUSH);
}

int
pack_end(struct pack *p)
{
	return run(p, Z_FINISH);
}

int64_t
pack_plain(const struct pack *p)
{
	return p->plain;
}

int64_t
pack_size(const struct pack *p)
{
	return p->size;
}

int
pack_take(struct pack *p)
{
	int fd = p->fd;

	p->fd = -1;
	return fd;
}

void
pack_free(struct pack *p)
{
	if (p == NULL)
		return;
	deflateEnd(&p->z);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}
