# One session for long: thousands of commands on it, and sixteen processes on
# its file.

SESSION_COMMANDS=5000 SESSION_SECONDS=${SOAK_SECONDS:-600}
export SESSION_COMMANDS SESSION_SECONDS
exec sh tests/session.t
