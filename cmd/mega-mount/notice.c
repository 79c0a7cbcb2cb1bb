#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "mem.h"

#include "notice.h"

enum kind {
	ATTRIBUTES,
	LIST,
	NAME
};

struct notice {
	struct notice *next;
	fuse_ino_t ino;
	enum kind kind;
	char name[];
};

static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct notice *list, **tail;
	int running, stop;
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER,
    .more = PTHREAD_COND_INITIALIZER };

static struct notice *
next_notice(void)
{
	struct notice *n = NULL;

	pthread_mutex_lock(&queue.lock);
	while (queue.list == NULL && !queue.stop)
		pthread_cond_wait(&queue.more, &queue.lock);
	if (!queue.stop) {
		n = queue.list;
		queue.list = n->next;
		if (queue.list == NULL)
			queue.tail = &queue.list;
	}
	pthread_mutex_unlock(&queue.lock);
	return n;
}

static void *
tell(void *unused)
{
	struct notice *n;

	(void)unused;
	while ((n = next_notice()) != NULL) {
		if (n->kind == NAME)
			fuse_lowlevel_notify_inval_entry(mnt.se, n->ino,
			    n->name, strlen(n->name));
		else
			fuse_lowlevel_notify_inval_inode(mnt.se, n->ino,
			    n->kind == LIST ? 0 : -1, 0);
		free(n);
	}
	return NULL;
}

int
notice_start(void)
{
	sigset_t all, old;
	int e;

	queue.tail = &queue.list;
	/* Signals are for the loop. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	e = pthread_create(&queue.thread, NULL, tell, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (e != 0)
		return err_set(ERR_LOCAL, "no thread: %s", strerror(e));
	queue.running = 1;
	return 0;
}

void
notice_stop(void)
{
	if (!queue.running)
		return;
	pthread_mutex_lock(&queue.lock);
	queue.stop = 1;
	pthread_cond_signal(&queue.more);
	pthread_mutex_unlock(&queue.lock);
	pthread_join(queue.thread, NULL);
	while (queue.list != NULL) {
		struct notice *n = queue.list;

		queue.list = n->next;
		free(n);
	}
}

static void
add(const struct inode *i, enum kind kind, const char *name)
{
	size_t len = strlen(name) + 1;
	struct notice *n;

	/* Only what it has looked up can be in its caches. */
	if (!queue.running || (i->lookups == 0 && i != mnt.root))
		return;
	n = xmalloc(sizeof *n + len);
	n->next = NULL;
	n->ino = inode_number(i);
	n->kind = kind;
	memcpy(n->name, name, len);
	pthread_mutex_lock(&queue.lock);
	*queue.tail = n;
	queue.tail = &n->next;
	pthread_cond_signal(&queue.more);
	pthread_mutex_unlock(&queue.lock);
}

void
notice_attributes(const struct inode *i)
{
	add(i, ATTRIBUTES, "");
}

void
notice_list(const struct inode *folder)
{
	add(folder, LIST, "");
}

void
notice_name(const struct inode *folder, const char *name)
{
	add(folder, NAME, name);
}
