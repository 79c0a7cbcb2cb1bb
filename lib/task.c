#include <stdlib.h>

#include "cmd.h"
#include "err.h"
#include "mem.h"
#include "task.h"

void
task_begin(struct tasks *all, struct http *h, struct task *t,
    const char *operand)
{
	while (all->count >= TASK_MAX)
		http_turn(h, -1);
	t->operand = xstrdup(operand);
	if (all->list == NULL)
		all->tail = &all->list;
	*all->tail = t;
	all->tail = &t->next;
	all->count++;
}

static void
tell(struct tasks *all, struct task *t)
{
	err_clear();
	if (t->result < 0)
		cmd_fail(t->operand, err_again(t->result, t->error));
	else
		all->tell(t);
	free(t->operand);
	free(t->error);
	all->drop(t);
}

void
task_end(struct tasks *all, struct task *t, int result)
{
	t->over = 1;
	t->result = result;
	if (result < 0)
		t->error = err_keep();
	while (all->list != NULL && all->list->over) {
		t = all->list;
		all->list = t->next;
		all->count--;
		tell(all, t);
	}
}

void
task_wait(struct tasks *all, struct http *h)
{
	while (all->count > 0)
		http_turn(h, -1);
}
