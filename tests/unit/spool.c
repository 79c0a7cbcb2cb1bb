/* spool: what is written, and what a later run finds of it. */
#include <sys/wait.h>

#include <dirent.h>
#include <unistd.h>

#include "err.h"
#include "spool.h"
#include "tap.h"

static char dir[] = "/tmp/megapipe-spool.XXXXXX";
static struct spool *found;
static int count;

static void
take(void *ctx, struct spool *s)
{
	(void)ctx;
	count++;
	found = s;
}

/* What was found before goes: locks are between processes. */
static int
recover(void)
{
	spool_drop(found);
	found = NULL;
	count = 0;
	return spool_recover(dir, take, NULL);
}

/* Do something in a process that then dies. */
static void
die_after(void (*fn)(struct spool *s))
{
	struct spool *s;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		if (spool_new(&s, dir) == 0)
			fn(s);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void
plain(struct spool *s)
{
	spool_place(s, "parentpp", "a\nname", 6, spool_none);
	spool_write(s, "hello", 5, 3);
	spool_set_mtime(s, 1234567890);
}

static void
patched(struct spool *s)
{
	spool_over(s, "basebase", 1000);
	spool_place(s, "parentpp", "b", 1, "basebase");
	spool_write(s, "xyz", 3, 100);
	spool_truncate(s, 500);
	spool_write(s, "xyz", 3, 600);
	spool_fill(s, "0123456789", 10, 0);
}

static void
unchanged(struct spool *s)
{
	spool_over(s, "basebase", 10);
	spool_place(s, "parentpp", "c", 1, "basebase");
}

static void
sent(struct spool *s)
{
	plain(s);
	spool_clean(s, "nodenode");
}

static void
sent_and_changed(struct spool *s)
{
	sent(s);
	spool_write(s, "more", 4, 0);
}

static void
forgotten(struct spool *s)
{
	plain(s);
	spool_forget(s);
	spool_write(s, "more", 4, 0);
}

static void
torn(struct spool *s)
{
	plain(s);
	dprintf(s->log, "t 1");
}

static void
wrong(struct spool *s)
{
	plain(s);
	dprintf(s->log, "? 1 1\n");
}

static void
gaps(void)
{
	struct range gap;

	die_after(patched);
	recover();
	ok(count == 1 && found->size == 603 && found->base_end == 500 &&
	    strcmp(found->base, "basebase") == 0, "over a base, cut");
	ok(spool_gap(found, 0, 603, &gap) && gap.from == 10 &&
	    gap.to == 100, "what is missing of it");
	ok(spool_gap(found, 101, 603, &gap) && gap.from == 103 &&
	    gap.to == 500, "behind what was written; beyond the cut is zero");
	ok(!spool_gap(found, 500, 103, &gap), "nothing is missing there");
}

static void
lives(void)
{
	struct spool *s;
	pid_t pid;
	int status;

	spool_new(&s, dir);
	plain(s);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		recover();
		_exit(count);
	}
	waitpid(pid, &status, 0);
	ok(WEXITSTATUS(status) == 0, "what somebody works on is left alone");
	spool_drop(s);
}

static void
remove_folder(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while ((e = readdir(d)) != NULL)
		unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	rmdir(dir);
}

int
main(void)
{
	char text[16];

	if (mkdtemp(dir) == NULL)
		return 99;
	ok(spool_recover("/tmp/megapipe-no-such", take, NULL) == 0,
	    "no folder, nothing to recover");
	die_after(plain);
	ok(recover() == 0 && count == 1, "a new file is found again");
	ok(found->size == 8 && found->mtime == 1234567890 &&
	    spool_read(found, text, 8, 0) == 8 &&
	    memcmp(text, "\0\0\0hello", 8) == 0, "with what is in it");
	ok(strcmp(found->parent, "parentpp") == 0 && found->namelen == 6 &&
	    memcmp(found->name, "a\nname", 6) == 0 &&
	    found->replaces[0] == '\0', "and where it belongs");
	recover();
	ok(count == 0, "once dropped, it is gone");
	gaps();
	die_after(unchanged);
	recover();
	ok(count == 0, "what was not changed is not kept");
	die_after(sent);
	recover();
	ok(count == 0, "what was sent is not kept");
	die_after(sent_and_changed);
	recover();
	ok(count == 1 && strcmp(found->replaces, "nodenode") == 0,
	    "what was changed after that is, as a newer version");
	die_after(forgotten);
	recover();
	ok(count == 0, "what was unlinked is not kept, whatever came later");
	die_after(torn);
	recover();
	ok(count == 1 && found->size == 8, "a torn line does no harm");
	die_after(wrong);
	recover();
	ok(count == 0, "what is not understood is left alone");
	lives();
	spool_drop(found);
	remove_folder();
	return done();
}
