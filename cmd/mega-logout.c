/* mega-logout: end the session, here and on the service. */

#include <stdlib.h>
#include <unistd.h>

#include "account.h"
#include "cmd.h"
#include "resume.h"
#include "tree.h"

#define SYNOPSIS "[-qv] [--session=FILE]"

static const struct cmd_opt options[] = {
	CMD_QUIET, CMD_VERBOSE, CMD_SESSION, CMD_END
};

/* What cannot be removed does not keep the rest. */
static void
forget(const struct session *s)
{
	char *states = session_beside(s, "uploads");
	int r;

	if ((r = session_remove(s->path)) < 0)
		cmd_fail(NULL, r);
	if ((r = tree_forget(s)) < 0)
		cmd_fail(NULL, r);
	resume_forget(states);
	free(states);
}

int
main(int argc, char *argv[])
{
	struct account a = { 0 };
	int r;

	cmd_init("mega-logout", SYNOPSIS, options);
	while (cmd_option(argc, argv) != -1)
		continue;
	if (optind < argc)
		cmd_usage("no operands are taken");
	if ((r = account_open(&a, cmd.session)) < 0 ||
	    (r = account_end(&a)) < 0)
		cmd_fail(NULL, r);
	else
		forget(&a.session);
	account_close(&a);
	return cmd_finish();
}
