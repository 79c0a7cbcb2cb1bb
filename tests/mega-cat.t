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
