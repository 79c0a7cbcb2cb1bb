# Transfers on a machine that sleeps: the programs, or the service, stand
# still for a while, and connections and URLs may have died meanwhile.  NAP is
# how long, in seconds.

. tests/lib.sh

NAP=${NAP:-1}
size=9000000
piece=2097152
MEGA_TIMEOUT=$((NAP + 4)) # a night is longer than any patience
export MEGA_TIMEOUT

# awake OPTION...: the service anew at the same address; all connections are
# dead.
awake()
{
	serve_stop
	serve -l "${MEGA_API_URL#http://}" -d "$T/state" "$@"
}


# begin NAME OPTION...: a download, and an upload of that name.
begin()
{
	name=$1
	shift
	rm -rf got
	mkdir got
	awake "$@"
	: >serve.log
	mega-get -qo got/ /big 2>get.err &
	get=$!
	mega-put -v big "/$name" >/dev/null 2>put.err &
	put=$!
}

slow="--fault up:slow=2M --fault dl:slow=2M"
begin_slowly()
{
	# shellcheck disable=SC2086
	begin "$@" $slow
	ok "$name: both are under way" \
	    await sh -c "grep -q '\"dl\".*[0-9]\{6\}' '$T/serve.log' &&
	    grep -q '\"up\".*[0-9]\{6\}' '$T/serve.log'"
}

# asleep SECONDS; COMMAND...: what happens meanwhile.
asleep()
{
	kill -STOP $get $put
	sleep "$1"
	shift
	"$@"
	kill -CONT $get $put
}

both_end()
{
	wait $get
	is "$name: get" "$?$(cat get.err)" 0
	wait $put
	is "$name: put" $? 0
	same "$name: the data" big got/big
	nothing_left "$name: nothing is left behind" got
	settle
}

# little_more KIND: no more was moved again than what was under way.
little_more()
{
	more=$(($(moved "$1") - size))
	result $((more > 4 * piece)) "$name: $1: $more bytes are moved again"
}

serve -d "$T/state"
mega-anon
gen $size 1 >big
mega-put -q big / >/dev/null

begin_slowly alive
asleep "$NAP" true
both_end
is "alive: nothing is moved again" "$(moved dl) $(moved up)" "$size $size"

begin_slowly cut
# shellcheck disable=SC2086
asleep "$NAP" awake $slow
both_end
little_more dl
little_more up

begin_slowly old --url-life 1
: >serve.log
asleep $((NAP + 2)) awake --url-life 1
both_end
cp put.err .err
says "old: put begins anew" "the upload begins anew"
result $(($(asked g) == 0)) "old: get asks for new URLs"

# With a request under way; and it takes a moment until there is a network.
begin asking --fault cs:delay=1s
sleep 0.5
kill -STOP $get $put
serve_stop
sleep $((NAP + 4))
kill -CONT $get $put
sleep 0.3
awake
both_end

# The service sleeps.
begin_slowly still
kill -STOP "$SERVE_PID"
sleep "$NAP"
kill -CONT "$SERVE_PID"
both_end
is "still: nothing is moved again" "$(moved dl) $(moved up)" "$size $size"

awake
for name in alive cut old asking still; do
	mega-get -q -o copy "/$name"
	same "$name: what was put" big copy
	rm -f copy
done

done_testing
