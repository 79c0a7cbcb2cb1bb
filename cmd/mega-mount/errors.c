/* What goes wrong, for the kernel and for the log. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

#include "cmd.h"
#include "err.h"

#include "mount.h"

int
errno_of(int code)
{
	switch (code) {
	case ERR_NOENT:
	case ERR_EXPIRED:
		return ENOENT;
	case ERR_EXIST:
	case ERR_TAKEN:
		return EEXIST;
	case ERR_ACCESS:
	case ERR_KEY:
	case ERR_SID:
	case ERR_LOGIN:
	case ERR_BLOCKED:
	case ERR_REFUSED:
	case ERR_MASTERONLY:
	case ERR_BUSINESSPASTDUE:
	case ERR_SUBUSERKEY:
		return EACCES;
	case ERR_CIRCULAR:
	case ERR_ARGS:
		return EINVAL;
	case ERR_STORAGE:
	case ERR_OVERQUOTA:
	case ERR_GOINGOVERQUOTA:
		return EDQUOT;
	case ERR_TOOBIG:
		return EFBIG;
	case ERR_LOCAL:
		return errno == ENOSPC ? ENOSPC : EIO;
	default:
		return EIO;
	}
}

void
log_line(const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (mnt.foreground)
		fprintf(stderr, "%s: %s\n", cmd.name, text);
	else
		syslog(LOG_NOTICE, "%s", text);
}
