# What the server acknowledged is there after its sudden death.  DURABLE is
# how often it dies.

. tests/lib.sh

command -v node >/dev/null || skip_all "node is not installed"

# dies TIMES OPTION...: a server with those.
dies()
{
	node "$SRC/tests/durable.js" "$T/state" "$@" >told 2>why
	result $? "the client ends well"
	while read -r st name; do
		result "$st" "$name"
	done <told
	sed 's/^/# /' why
	rm -rf "$T/state"
}

times=20
is_asan && times=6 # slow to start
dies "${DURABLE:-$times}"
dies 3 --sync

done_testing
