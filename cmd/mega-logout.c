/* mega-logout: end the session, here and on the service. */

#include <stdlib.h>
#include <unistd.h>

#include "account.h"
#include "cmd.h"
#include "err.h"
#include "resume.h"
#include "tree.h"

#define SYNOPSIS "[-qv] [--session=FILE]"

static const struct cmd_opt options[] = {
	CMD_QUIET, CMD_VERBOSE, CMD_SESSION, CMD_END
};

int
main(int argc, char *argv[])
{
	struct account a = { 0 };
	char *states = NULL;
	int r;

	cmd_init("mega-logout", SYNOPSIS, options);
	while (cmd_option(argc, argv) != -1)
		continue;
	if (optind < argc)
		cmd_usage("no operands are taken");
	if ((r = account_open(&a, cmd.session)) < 0 ||
	    (r = account_logout(&a)) < 0 ||
	    (r = tree_forget(&a.session)) < 0)
		cmd_fail(NULL, r);
	else if ((states = session_beside(&a.session, "uploads")) != NULL)
		resume_forget(states);
	free(states);
	account_close(&a);
	return cmd_finish();
}
