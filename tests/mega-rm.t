# mega-rm: into the bin, or away for good, and nothing else with it.

. tests/lib.sh

MEGA_TIMEOUT=5
export MEGA_TIMEOUT T
serve -d "$T/state"
exits 4 "nobody is logged in" mega-rm /a
exits 4 "nor has a bin to empty" mega-rm --empty
mega-anon || skip_all "no account"

requests()
{
	jq -s '[.[] | select(.kind == "cs")] | length' "$T/serve.log"
}

handle()
{
	mega-ls -jd "$1" | jq -r .handle
}

attributes()
{
	"$SRC/tests/attributes" "$@"
}

mega-mkdir -p /d/e/f /empty /keep
gen 1000 >f
for p in /a /b /c /d/1 /d/e/2 /d/e/f/3 /keep/k; do
	mega-put f $p >/dev/null
done

# Into the bin.

h=$(handle /a)
root=$(mega-ls -jd / | jq -r .handle)
attributes set "$h" '{"n":"a","c":"AAAAAAAAAAAAAAAAAAAAAAQA8VNl","x":[1]}'
ok "a file" mega-rm /a
is "nothing is printed" "$(cat .out .err)" ""
exits 3 "it is gone" mega-ls /a
is "it is in the bin" "$(mega-ls //bin)" //bin/a
is "as it was, and where it was is noted" "$(attributes get "$h")" \
    "{\"n\":\"a\",\"c\":\"AAAAAAAAAAAAAAAAAAAAAAQA8VNl\",\"x\":[1],\"rr\":\"$root\"}"
exits 3 "what does not exist" mega-rm /a
says "what does not exist: said so" '^mega-rm: /a: not found$'
ok "-f: what does not exist is no failure" mega-rm -f /a /x/y
exits 2 "a folder" mega-rm /d
says "a folder: what would help" '\(-r removes folders\)$'
exits 2 "a folder, if it is empty, too" mega-rm /empty
ok "-r" mega-rm -r /d /empty
is "-r: all of it is in the bin" "$(mega-ls -R //bin/d | tr '\n' ' ')" \
    "//bin/d/1 //bin/d/e //bin/d/e/2 //bin/d/e/f //bin/d/e/f/3 "
exits 2 "what is in the bin" mega-rm //bin/a
says "what is in the bin: what would help" '--purge'
ok "by handle" mega-rm "H:$(handle /b)"
is "the others are left" "$(mega-ls -R / | tr '\n' ' ')" "/c /keep /keep/k "
ok "out of the bin again" mega-mv //bin/b /b
is "out of the bin: no note any more" "$(attributes get "$(handle /b)" |
    jq -c 'has("rr")')" false

# For good.

ok "--purge" mega-rm --purge //bin/a
is "--purge: it is in no bin" "$(mega-ls //bin | tr '\n' ' ')" \
    "//bin/d //bin/empty "
exits 2 "--purge, a folder" mega-rm --purge //bin/d
ok "--purge -r" mega-rm --purge -r //bin/d
ok "-n --empty" mega-rm -n --empty
is "-n --empty: what would go" "$(cat .out)" //bin/empty
ok "--empty" mega-rm --empty
is "--empty: it is" "$(mega-ls //bin)" ""
ok "--empty, empty" mega-rm --empty
is "--empty: nothing else is" "$(mega-ls -R / | tr '\n' ' ')" \
    "/b /c /keep /keep/k "
exits 2 "--empty and an operand" mega-rm --empty /b

# Versions.

gen 2000 >g
mega-put g /c >/dev/null
old=$(mega-ls --versions /c | sed -n 2p)
exits 2 "an older version" mega-rm "$old"
ok "an older version, for good" mega-rm --purge "$old"
is "an older version: the file is left" "$(mega-ls --versions /c)" /c
mega-cat /c >got
same "an older version: and is what it was" g got

# Output.

mega-put f /v1 >/dev/null
mega-put f /v2 >/dev/null
ok "-n" mega-rm -nr /v1 /keep
is "-n: what would go" "$(tr '\n' ' ' <.out)" "/v1 /keep "
ok "-n: it is still there" mega-ls /v1 /keep
ok "-v" mega-rm -v /v1
is "-v: what went" "$(cat .out)" /v1
ok "-j" mega-rm -j /v2
conforms "-j: as documented" .out
is "-j: an object" "$(jq -r '.path + " " + .type' .out)" "/v2 file"
exits 3 "-j: a failure" mega-rm -j /v2
is "-j: a failure is an object" "$(jq -r '.error.operand + " " + .error.name' \
    .err)" "/v2 not-found"
if [ -e /dev/full ]; then
	mega-put f /v3 >/dev/null
	mega-rm -v /v3 >/dev/full 2>.err
	is "a full disk" $? 12
fi

# Operands.

exits 2 "no operand" mega-rm
exits 11 "the root" mega-rm -r /
exits 11 "the bin" mega-rm -r //bin
exits 11 "the inbox" mega-rm -r //in
link=$(mega-link /b)
exits 2 "a link" mega-rm "$link"
is "a link: its key is not shown" "$(grep -ce "${link##*#}" .err)" 0
mega-mkdir -p /n/m
mega-put f /n/1 >/dev/null
mega-put f /n/m/2 >/dev/null
mega-rm --empty
mega-ls -R /n >list
ok "a folder and what is in it" sh -c '(echo /n; cat list) | mega-rm -r -'
is "a folder and what is in it: it stays together" \
    "$(mega-ls -R //bin | tr '\n' ' ')" \
    "//bin/n //bin/n/1 //bin/n/m //bin/n/m/2 "
mega-put f /t1 >/dev/null
mega-put f /t2 >/dev/null
ok "one twice" mega-rm /t1 /t1
mega-put f /t1 >/dev/null
exits 3 "a bad one among good ones" mega-rm /t1 /nowhere /t2
is "a bad one among good ones: they are gone" "$(mega-ls / | grep -c '^/t')" 0
exits 1 "two kinds of failure" mega-rm /nowhere /keep
ok "lines of JSON" sh -c 'mega-mkdir -j /json | mega-rm -r -'
is "lines of JSON: it is gone" "$(mega-ls / | grep -c json)" 0

# Links end with what they lead to.

mega-mkdir -p /pub/in
mega-put f /pub/1 >/dev/null
mega-put f /pub/in/2 >/dev/null
one=$(mega-link /pub/1)
two=$(mega-link /pub/in)
ok "a link before" mega-ls "$one"
ok "what has links" mega-rm -r /pub
exits 3 "the file's is dead" mega-ls "$one"
exits 3 "the folder's is dead" mega-ls "$two"
is "no other is" "$(mega-link -l)" "$link /b"

# Many.

mkdir many
for i in $(seq 1000); do
	echo "$i" >many/$i
done
mega-put -r many / >/dev/null
mega-ls /many >list
before=$(requests)
ok "a thousand" mega-rm - <list
asked=$(($(requests) - before))
is "a thousand: they are gone" "$(mega-ls /many)" ""
ok "a thousand: a handful of requests ($asked)" test $asked -le 12
before=$(requests)
ok "all of the bin" mega-rm --empty
asked=$(($(requests) - before))
ok "all of the bin: in one request" test $asked -eq 1

# A service that is not in the mood.

mega-put f /r1 >/dev/null
mega-put f /r2 >/dev/null
restart --fault 'cs:m=-3x2' --fault cs:http=500@2
ok "a busy service" mega-rm /r1
is "a busy service: it is gone" "$(mega-ls / | grep -c '^/r1$')" 0
restart --fault cs:m=-11x1
exits 11 "refused" mega-rm -v /r2
is "refused: nothing comes out" "$(cat .out)" ""
ok "refused: it is there" mega-ls /r2
restart --fault cs:a=-11
ok "a note that cannot be made" mega-rm /r2
is "a note that cannot be made: it is gone all the same" \
    "$(mega-ls / | grep -c '^/r2$')" 0

done_testing
