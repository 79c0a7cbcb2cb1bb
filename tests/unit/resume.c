/* resume: the state of an interrupted upload, and what is not believed. */

#define _XOPEN_SOURCE 700

#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

#include "resume.h"
#include "tap.h"

#define CHUNKS 9

static char folder[] = "/tmp/megapipe.unit.XXXXXX";
static uint8_t macs[CHUNKS][16];
static struct resume_head head;

static int
reopen(struct resume *r, const char *path)
{
	memset(macs, 0, sizeof macs);
	memset(&head, 0, sizeof head);
	return resume_open(r, path, CHUNKS, &head, macs);
}

/* Overwrite a byte of the file. */
static void
spoil(const char *path, off_t at, int byte)
{
	uint8_t b = (uint8_t)byte;
	int fd = open(path, O_WRONLY);

	if (fd == -1 || pwrite(fd, &b, 1, at) != 1)
		abort();
	close(fd);
}

int
main(void)
{
	static const uint8_t mac[16] = "0123456789abcde";
	struct resume_head h = { .url = "http://127.0.0.1/ul/x",
	    .key = "key", .nonce = "nonce" };
	struct resume r, other;
	struct stat st;
	char *path, *dir;

	if (mkdtemp(folder) == NULL)
		abort();
	dir = malloc(200);
	snprintf(dir, 200, "%s/uploads", folder);
	path = resume_name(dir, "what", 4);
	ok(strncmp(path, dir, strlen(dir)) == 0 && strlen(path) ==
	    strlen(dir) + 25, "a name of its own");

	ok(reopen(&r, path) == 0 && r.path != NULL, "nothing is there yet");
	resume_begin(&r, &h);
	resume_chunk(&r, 3, mac);
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600,
	    "only its owner may read it");
	ok(reopen(&other, path) == 0 && other.path == NULL,
	    "nobody else gets it meanwhile");
	resume_keep(&r);

	ok(reopen(&r, path) == 1 && eq(head.url, h.url) &&
	    memcmp(head.key, h.key, 16) == 0 &&
	    memcmp(head.nonce, h.nonce, 8) == 0, "it is there later");
	ok(memcmp(macs[3], mac, 16) == 0 && macs[2][0] == 0, "with its MACs");
	resume_begin(&r, &h);
	resume_keep(&r);
	ok(reopen(&r, path) == 1 && macs[3][0] == 0, "begun anew: without");
	resume_keep(&r);

	spoil(path, 0, 'x');
	ok(reopen(&r, path) == 0 && r.path != NULL, "another kind of file");
	resume_begin(&r, &h);
	resume_keep(&r);
	spoil(path, 40, 0xff); /* the time: not yet */
	ok(reopen(&r, path) == 0, "a URL from the future");
	resume_begin(&r, &h);
	resume_keep(&r);
	if (truncate(path, 4100) == -1)
		abort();
	ok(reopen(&r, path) == 0 && head.url[0] == '\0' && macs[0][0] == 0,
	    "a file cut short");

	resume_end(&r);
	ok(access(path, F_OK) == -1, "removed at the end");
	resume_keep(&r);
	resume_end(&r);
	resume_chunk(&r, 0, mac);
	ok(1, "nothing to keep is kept");
	rmdir(dir);
	rmdir(folder);
	free(path);
	free(dir);
	return done();
}
