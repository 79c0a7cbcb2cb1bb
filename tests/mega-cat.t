# mega-cat: data on standard output, in order, and nothing else.

. tests/lib.sh

MEGA_TIMEOUT=3
export MEGA_TIMEOUT
serve -d "$T/state"
mega-anon || skip_all "no account"
gen 3000000 1 >a
gen 100 2 >b
: >empty
mkdir d
mega-put -qr a b empty d / >/dev/null
link=$(mega-link /b)

cat a b empty a b >want
exits 0 "several, also twice" mega-cat /a /b /empty /a "$link"
same "in the order of the operands" .out want
is "nothing else is said" "$(cat .err)" ""
exits 3 "one is missing" mega-cat /b /nope /b
cat b b >want
same "the others are there" .out want
is "one line about it" "$(cat .err)" "mega-cat: /nope: not found"
exits 2 "a folder" mega-cat /b /d
exits 1 "two kinds" mega-cat /nope /d
printf '/b\n{"path":"/b"}\n%s\n' "$link" >list
cat b b b >want
ok "operands from standard input" mega-cat - <list
same "all of them" .out want
printf '/b\000/b' | mega-cat -0 - >.out
cat b b >want
same "-0" .out want
ok "one that begins with a dash" mega-cat -- "$link"
ok "a link without a session" mega-cat --session none "$link"
same "is the same" .out b
exits 4 "a path without one" mega-cat --session none /b
exits 10 "a wrong key" mega-cat "${link%???}AAA"
is "a wrong key: no data" "$(cat .out)" ""
is "a wrong key: it is not shown" "$(grep -c AAA .err)" 0

ok "a range" mega-cat --range 500000-2499999 /a
tail -c +500001 a | head -c 2000000 >want
same "a range: the data" .out want
ok "a range of two" mega-cat --range 10-19 /a /b
{ tail -c +11 a | head -c 10; tail -c +11 b | head -c 10; } >want
same "a range of two: the data" .out want
ok "a range with units" mega-cat --range 1k-2k /a
tail -c +1025 a | head -c 1025 >want
same "a range with units: the data" .out want
ok "beyond the end" mega-cat --range 1000- /b
is "beyond the end: nothing" "$(cat .out)" ""
exits 2 "no range" mega-cat --range x /b

# Handles without a cache: only what is asked for is loaded, as long as there
# are few.

gen 100 3 >b2
mega-put b2 /b >/dev/null
h=$(mega-ls -jd /b | jq -r .handle)
v=$(mega-ls -j --versions /b | tail -n 1 | jq -r .handle)
d=$(mega-ls -jd /d | jq -r .handle)
mega-put b empty -t /d >/dev/null
e=$(mega-ls -jd /d/empty | jq -r .handle)
MEGA_CACHE=
export MEGA_CACHE
size=$(echo '[{"a":"f","c":1,"r":1}]' | mega-api | wc -c)
# loads COMMAND...: how many it asks for, and how many of them are whole.
loads()
{
	settle
	: >serve.log
	"$@" >.out 2>.err
	settle
	jq -rs "map(select(.commands == [\"f\"])) |
	    \"\(length) \(map(select(.bytes > $size - 100)) | length)\"" \
	    serve.log
}
is "a handle" "$(loads mega-cat "H:$h")" "1 0"
same "a handle: the data" .out b2
is "an older version" "$(loads mega-cat "H:$v")" "1 0"
same "an older version: the data" .out b
is "a path from a handle, and what it leads to" \
    "$(loads mega-cat "H:$d/b" "H:$e")" "1 0"
same "a path from a handle: the data" .out b
is "a folder's, for mega-get" "$(loads mega-get -r "H:$d" -o got)" "1 0"
is "a folder's: the files" "$(ls got | tr '\n' ' ')" "b empty "
mega-link /d >/dev/null
is "what has a link" "$(loads mega-cat "H:$d/b")" "1 0"
same "what has a link: the data" .out b
is "a handle that there is not" "$(loads mega-cat H:AAAAAAAA)" "2 1"
is "which is said" "$(cat .err)" "mega-cat: H:AAAAAAAA: not found"
is "a path needs the tree, and a handle then nothing more" \
    "$(loads mega-cat /b "H:$h")" "1 1"
mega-cp -r /d /d2
mega-ls -j /d /d2 / | jq -r 'select(.type == "file").handle' |
    sed 's/^/H:/' >list
is "many" "$(loads mega-cat - <list)" "5 1"
mega-ls /d /d2 / | grep -v "/d2*\$" | mega-cat - >want
same "many: the data" .out want
restart --fault cs:f=-2x1
is "a service that knows no parts" "$(loads mega-cat "H:$h")" "2 1"
restart
unset MEGA_CACHE

# Nobody reads any more.

printf '%s\n' 'mega-cat "$1" 2>err; echo $? >status' >cat.sh
sh cat.sh /a | head -c 1 >one
is "a pipe that closes early: what it took" \
    "$(od -An -tx1 one)" "$(head -c 1 a | od -An -tx1)"
is "ends by SIGPIPE" "$(cat status)" 141
is "in silence" "$(cat err)" ""
exits 12 "a full disk" sh -c 'exec mega-cat /a >/dev/full'
exits 12 "a full disk, little data" sh -c 'exec mega-cat /b >/dev/full'
says "a full disk: said so" '^mega-cat: /b: standard output: No space'
ok "a closed standard output is an error" \
    sh -c '! mega-cat /b >&-'

if script -qec true /dev/null >/dev/null 2>&1 && pty true; then
	pty "mega-cat /b"
	is "not to a terminal" $? 2
	pty "mega-cat -f /empty"
	is "unless -f says so" $? 0
else
	skip "terminals" "no script(1)"
fi

exits 2 "no operand" mega-cat
exits 2 "an unknown option" mega-cat --all /b
exits 5 "nobody there" env MEGA_API_URL=http://127.0.0.1:1 mega-cat "$link"
is "nobody there: one line" "$(wc -l <.err | tr -d ' ')" 1

done_testing
