# What real services do to their clients: nothing wrong gets a name, nothing
# is lost silently, and the status says what happened.  A fault at a single
# request is for tests/everywhere.t.

. tests/lib.sh

# How long to go on trying, where it has to end well and where it cannot.
long=20
short=1
MEGA_TIMEOUT=$long
export MEGA_TIMEOUT
serve -d "$T/state"
mega-anon || skip_all "no account"
gen 5000000 5 >big
gen 1000 6 >small
mega-put -q big small / >/dev/null
link=$(mega-link /big)
mkdir got

# gets FAULT WHAT: fetch, in spite of it.
gets()
{
	restart --fault "$1"
	rm -rf got/*
	exits 0 "get: $1 $2" mega-get -o got/ "$link"
	same "get: $1: the data" big got/big
}

# get_fails FAULT STATUS WORDS: a get ends like that, with nothing under the name.
get_fails()
{
	restart --fault "$1"
	rm -rf got/* got/.big*
	MEGA_TIMEOUT=$short
	exits "$2" "get: $1: status $2" mega-get -o got/ "$link"
	says "get: $1: says so" "$3"
	is "get: $1: one line" "$(wc -l <.err | tr -d ' ')" 1
	ok "get: $1: no file of that name" test ! -e got/big
	MEGA_TIMEOUT=$long
}

# The channel for commands.

gets cs:http=500x2 "twice"
gets cs:-3x2 "busy, the whole request"
gets cs:g=-3x2 "busy, one command"
gets cs:g=-18x2 "not available for a while"
restart --fault cs:g=-18x2 --fault dl:http=503x2
rm -rf got/*
ok "get -v" mega-get -v -o got/ "$link"
says "get -v: what is tried again" '^mega-get: temporarily not available; try'
says "get -v: with fewer connections" '[12] connections instead of [1-4]: HTTP'
get_fails cs:http=500 5 'HTTP status 500'
get_fails cs:-3 5 'busy'
get_fails cs:-4 8 'too many requests'
get_fails cs:drop 5 '.'
get_fails cs:g=-9 3 'not found'
get_fails cs:g=-11 11 'permission denied'
get_fails cs:g=-16 11 'taken down'
get_fails cs:g=-17 6 'quota'
get_fails cs:g=-18 5 'not available'
get_fails cs:g=-6 11 'taken down'
get_fails cs:-15 4 'session'

# Data on its way here.

gets dl:cut=300000 "every connection breaks off"
gets dl:cut=50%x5 "some break off half way"
gets dl:http=500x3 "a few errors"
get_fails dl:flip 10 'MAC mismatch'
get_fails dl:http=509:left=30 6 '30 seconds'
is "get: quota: for scripts" "$(mega-get -j -o got/ "$link" 2>&1 |
    jq -c '.error | [.exit, .name, .retry_after]')" '[6,"transfer-quota",30]'
is "get: quota: not mixed up with another failure" \
    "$(mega-get -j -o got/ /nope "$link" /nope2 2>&1 |
    jq -c '.error | [.exit, .api, .retry_after]' | sort | uniq | tr '\n' ' ')" \
    '[3,-9,null] [6,null,30] '
get_fails dl:http=500 5 'HTTP status 500'
get_fails dl:drop 5 '.'
get_fails dl:-9 5 '.'

restart --fault dl:http=509:left=1x1
rm -rf got/* got/.big*
exits 0 "get: --wait waits" mega-get --wait=5 -o got/ "$link"
same "get: --wait waits: the data" big got/big
restart --fault dl:http=509:left=60
rm -rf got/* got/.big*
exits 6 "get: not longer than that" mega-get --wait=5 -o got/ "$link"

# What was fetched before a fault is not fetched again.
restart --fault dl:http=500@9 --fault dl:http=500@10 --fault dl:http=500@11 \
    --fault dl:cut=200000
rm -rf got/* got/.big*
exits 0 "get: many different ones" mega-get -o got/ "$link"
same "get: many different ones: the data" big got/big
result $(($(moved dl) > 5100000)) "get: nothing is fetched twice"

# To standard output: 10 takes back what was written.
restart --fault dl:flip@2
exits 10 "cat: one wrong bit" sh -c 'mega-cat "$1" >got/cat' sh "$link"
restart --fault dl:cut=300000
exits 0 "cat: every connection breaks off" \
    sh -c 'mega-cat "$1" >got/cat' sh "$link"
same "cat: every connection breaks off: the data" big got/cat

# Data on its way there.

# puts FAULT WHAT: send, in spite of it, and read it back.
puts()
{
	restart --fault "$1"
	exits 0 "put: $1 $2" mega-put big /there
	is "put: $1: the path" "$(cat .out)" /there
	mega-cat /there >got/there
	same "put: $1: the data" big got/there
	is "put: $1: one node" "$(mega-ls / | grep -c there)" 1
	unmake /there
}

# put_fails FAULT STATUS WORDS: a put ends like that, without a node.
put_fails()
{
	restart --fault "$1"
	MEGA_TIMEOUT=$short
	exits "$2" "put: $1: status $2" mega-put big /there
	says "put: $1: says so" "$3"
	is "put: $1: one line" "$(wc -l <.err | tr -d ' ')" 1
	is "put: $1: nothing printed" "$(cat .out)" ""
	MEGA_TIMEOUT=$long
	restart
	is "put: $1: no node" "$(mega-ls / | grep -c there)" 0
}

# Removing is for another program: here the request for it is enough.
unmake()
{
	curl -sS "$MEGA_API_URL/cs?id=$$&sid=$(jq -r .sid \
	    "$XDG_STATE_HOME/megapipe/session.json")" -d "[{\"a\":\"d\",
	    \"n\":\"$(mega-ls -dj "$1" | jq -r .handle)\"}]" >/dev/null
}

puts cs:http=500x2 "twice"
puts cs:-3x2 "busy"
puts cs:u=-3x2 "busy, one command"
puts cs:p=-3x2 "busy, one command"
puts up:cut=50%x2 "connections break off"
puts up:http=503x3 "errors"
puts up:lost@6 "stored, but a late answer is lost"
puts up:reply=-14x2 "damaged on the way"
put_fails up:reply=-4 5 'answered -4'
put_fails up:reply=-14 5 'answered -14'
put_fails up:reply=-16 11 '.'
put_fails up:http=503 5 'HTTP status 503'
put_fails up:drop 5 '.'
put_fails cs:u=-17 7 'storage is full'
put_fails cs:u=-24 7 'storage is full'
put_fails cs:p=-11 11 'permission denied'
put_fails cs:p=-9 3 'does not exist'
put_fails cs:p=-3 5 'busy'
put_fails cs:p=-5 1 'failed'

restart --fault up:http=503x2 --fault up:reply=-4@3
gen 5000000 78 >big3
ok "put -v" mega-put -v big3 /there
says "put -v: what is tried again" 'HTTP status 503 for .*; trying again'
says "put -v: with fewer connections" '[12] connections instead of [1-4]: HTTP'
says "put -v: from the start" 'answered -4 .*; the upload begins anew'
unmake /there

restart --fault cs:u=-17
mega-put -j nowhere big /quota/ -p 2>.err
is "put: the service's own number" \
    "$(jq -c '.error | [.exit, .api]' .err | tr '\n' ' ')" '[12,null] [7,-17] '

restart --fault up:reply=-4x1
exits 5 "put: a pipe cannot begin again" \
    sh -c 'cat big | mega-put --size 5000000 - /there'
exits 0 "put: a spooled pipe can" sh -c 'cat big | mega-put - /there'
mega-cat /there >got/there
same "put: a spooled pipe: the data" big got/there

# All at once, several times.

for seed in 1 2 3; do
	restart --fault "rand:$seed:0.15"
	rm -rf got/*
	exits 0 "put: random faults, seed $seed" mega-put -t / big small
	exits 0 "get: random faults, seed $seed" mega-get -o got/ /big /small
	same "random faults: the data" big got/big
done

# Nobody there any more.

MEGA_TIMEOUT=$short
restart --fault dl:slow=300k
rm -rf got/* got/.big*
mega-get -o got/ "$link" >.out 2>.err &
pid=$!
await sh -c 'ls got/.big.*.part >/dev/null 2>&1'
serve_stop
wait $pid
is "get: the server goes away: status 5" $? 5
is "get: one line" "$(wc -l <.err | tr -d ' ')" 1
ok "get: no file of that name" test ! -e got/big
restart
ok "get: later it goes on" mega-get -o got/ "$link"
same "get: later it goes on: the data" big got/big
nothing_left "get: and leaves nothing behind" got

restart --fault up:slow=300k
gen 5000000 77 >big2
mega-put big2 /gone >.out 2>.err &
pid=$!
await sh -c 'grep -q "\"u\"" serve.log'
serve_stop
wait $pid
is "put: the server goes away: status 5" $? 5
is "put: one line" "$(wc -l <.err | tr -d ' ')" 1
is "put: nothing printed" "$(cat .out)" ""
restart
is "put: no node" "$(mega-ls / | grep -c gone)" 0
ok "put: later it works" mega-put big2 /gone

nothing_left "nothing is left behind" .
done_testing
