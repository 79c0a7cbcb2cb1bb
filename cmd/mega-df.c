/* mega-df: how much of the quotas is used. */

#include <stdlib.h>
#include <unistd.h>

#include "account.h"
#include "cmd.h"

#define SYNOPSIS "[-hjqv] [--session=FILE]"

static const struct cmd_opt options[] = {
	{ 'h', "human", NULL, "sizes like 1.5M" },
	CMD_JSON, CMD_QUIET, CMD_VERBOSE, CMD_SESSION, CMD_END
};

static int human;

static void
column(struct buf *b, int64_t size)
{
	buf_addch(b, ' ');
	if (size < 0)
		buf_printf(b, "%*s", human ? 8 : 15, "-");
	else if (human)
		cmd_human(b, size);
	else
		buf_printf(b, "%15lld", (long long)size);
}

/* One quota: what it is of, used, total and free bytes. */
static void
line(const char *name, int64_t used, int64_t total)
{
	struct buf b = BUF_MAX(256);
	int64_t left = total < 0 ? -1 : used < total ? total - used : 0;

	buf_printf(&b, "%-8s", name);
	column(&b, used);
	column(&b, total);
	column(&b, left);
	cmd_record(buf_str(&b), b.len);
	buf_free(&b);
}

static void
object(struct json_out *o, const char *name, int64_t used, int64_t total)
{
	json_open(o, name, '{');
	if (used >= 0)
		json_put_int(o, "used", used);
	if (total >= 0)
		json_put_int(o, "total", total);
	json_close(o, '}');
}

static void
print_json(const struct account_quota *q)
{
	struct buf b = BUF_MAX(1024);
	struct json_out o = { &b, 0 };
	char time[CMD_TIME_MAX];

	json_open(&o, NULL, '{');
	object(&o, "storage", q->used, q->total);
	object(&o, "transfer", q->sent, q->allowed);
	json_put(&o, "state", q->state);
	json_put(&o, "plan", q->plan);
	if (q->until >= 0)
		json_put(&o, "until", cmd_time(time, q->until));
	json_close(&o, '}');
	cmd_record_json(&b);
	buf_free(&b);
}

static int
run(void)
{
	struct account a = { 0 };
	struct account_quota q;
	int r;

	if ((r = account_open(&a, cmd.session)) < 0 ||
	    (r = account_quota(&a, &q)) < 0)
		goto out;
	if (cmd.json) {
		print_json(&q);
	} else {
		line("storage", q.used, q.total);
		line("transfer", q.sent, q.allowed);
	}
out:
	account_close(&a);
	return r;
}

int
main(int argc, char *argv[])
{
	int r;

	cmd_init("mega-df", SYNOPSIS, options);
	while (cmd_option(argc, argv) != -1)
		human = 1;
	if (optind < argc)
		cmd_usage("no operands are taken");
	if ((r = run()) < 0)
		cmd_fail(NULL, r);
	return cmd_finish();
}
