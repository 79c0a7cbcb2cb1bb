/* A main for a fuzz target: runs it over files and folders of files, and
 * over each of those cut short and with a byte changed. */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define FILE_MAX (1 << 20)

static uint8_t data[FILE_MAX], copy[FILE_MAX];

static void
run(const uint8_t *p, size_t n)
{
	/* Of exact size, so that a sanitizer sees each byte too far. */
	uint8_t *exact = malloc(n > 0 ? n : 1);

	if (exact == NULL)
		exit(1);
	memcpy(exact, p, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
}

static int
replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t n, step;

	if (f == NULL) {
		perror(path);
		return 1;
	}
	n = fread(data, 1, sizeof data, f);
	fclose(f);
	run(data, n);
	step = n / 64 + 1;
	for (size_t i = 0; i < n; i += step) {
		run(data, i);
		memcpy(copy, data, n);
		copy[i] = (uint8_t)(copy[i] ^ 0x41);
		run(copy, n);
	}
	return 0;
}

static int
replay_all(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	char name[4096];
	int bad = 0, any = 0;

	if (d == NULL)
		return replay(path);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "%s/%s", path, e->d_name);
		bad |= replay(name);
		any = 1;
	}
	closedir(d);
	return bad || !any;
}

int
main(int argc, char *argv[])
{
	int bad = argc < 2;

	for (int i = 1; i < argc; i++)
		bad |= replay_all(argv[i]);
	return bad;
}
