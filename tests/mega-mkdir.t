# mega-mkdir: each folder once, with those above it where that is asked for.

. tests/lib.sh

MEGA_TIMEOUT=5
export MEGA_TIMEOUT T
serve -d "$T/state"
exits 4 "nobody is logged in" mega-mkdir /a
mega-anon || skip_all "no account"

# requests: how many with commands the server has answered.
requests()
{
	jq -s '[.[] | select(.kind == "cs")] | length' "$T/serve.log"
}

# One by one.

ok "a folder" mega-mkdir /a
is "nothing is printed" "$(cat .out .err)" ""
is "it is there" "$(mega-ls /)" /a
is "it is a folder" "$(mega-ls -jd /a | jq -r .type)" folder
exits 9 "one that exists" mega-mkdir /a
says "one that exists: said so" '^mega-mkdir: /a: exists$'
exits 3 "in one that does not" mega-mkdir /x/y
says "in one that does not: what would help" '\(-p makes it\)$'
ok "a path needs no slash in front, and may have one behind" mega-mkdir rel/
is "a path without a slash: it is there" "$(mega-ls -d /rel)" /rel
ok "in the one before" mega-mkdir /b /b/c /b/c/d
exits 3 "the wrong way round" mega-mkdir /e/f /e
is "the wrong way round: the second is made" "$(mega-ls -R /e; mega-ls -d /e)" \
    /e
exits 9 "twice at once" mega-mkdir /t /t
is "twice at once: made once" "$(mega-ls / | grep -c '^/t$')" 1
ok "by the handle of another" mega-mkdir \
    "H:$(mega-ls -jd /b | jq -r .handle)/by-handle"
is "by the handle of another: it is there" "$(mega-ls -d /b/by-handle)" \
    /b/by-handle
ok "in the bin" mega-mkdir //bin/x
name=$(printf 'a b\nc\t\360\237\220\247"\\')
ok "any name" mega-mkdir "/$name"
is "any name: it is that" "$(mega-ls -jd "/$name" | jq -r .name)" "$name"

# With those above.

ok "-p" mega-mkdir -p /p/q/r
is "-p: all are there" "$(mega-ls -R /p | tr '\n' ' ')" "/p/q /p/q/r "
ok "-p again" mega-mkdir -p /p/q/r /p
is "-p again: nothing new" "$(mega-ls -R /p | wc -l | tr -d ' ')" 2
ok "-p of the root" mega-mkdir -p /
ok "-p, branches" mega-mkdir -pv /z/1/a /z/1/b /z/2 /z/1/a
is "-p, branches: each once, and printed" "$(sort .out | tr '\n' ' ')" \
    "/z /z/1 /z/1/a /z/1/b /z/2 "
is "-p, branches: they are there" "$(mega-ls -R /z | tr '\n' ' ')" \
    "/z/1 /z/1/a /z/1/b /z/2 "
echo >f
mega-put f / >/dev/null
exits 9 "-p where a file is" mega-mkdir -p /f
exits 3 "-p below a file" mega-mkdir -p /f/g

# Output.

ok "-v" mega-mkdir -v /v /v/w
is "-v: what was made" "$(tr '\n' ' ' <.out)" "/v /v/w "
ok "-j" mega-mkdir -j /v/j
conforms "-j: as documented" .out
is "-j: an object" "$(jq -r '.path + " " + .name + " " + .type' .out)" \
    "/v/j j folder"
is "-j: the same as mega-ls" "$(jq -cS . .out)" "$(mega-ls -jd /v/j | jq -cS .)"
is "-j: with the handle" "$(jq -r .handle .out)" \
    "$(mega-ls -jd /v/j | jq -r .handle)"
is "-j: and the parent" "$(jq -r .parent .out)" \
    "$(mega-ls -jd /v | jq -r .handle)"
exits 9 "-j: a failure" mega-mkdir -j /v
is "-j: a failure is an object" "$(jq -r '.error.operand + " " + .error.name' \
    .err)" "/v exists"
printf '/n\n1\0/n\n2\0' | mega-mkdir -v0 - | tr '\0' '|' >.out
is "-0" "$(cat .out; echo .)" "$(printf '/n\n1|/n\n2|.')"
if [ -e /dev/full ]; then
	mega-mkdir -v /full >/dev/full 2>.err
	is "a full disk" $? 12
	is "a full disk: the folder is made all the same" "$(mega-ls -d /full)" \
	    /full
fi

# Bad ones.

exits 9 "bad ones among good ones" mega-mkdir /a /g1 /b /g2
is "bad ones among good ones: the good ones are made" \
    "$(mega-ls -d /g1 /g2 | tr '\n' ' ')" "/g1 /g2 "
is "bad ones among good ones: a line each" "$(wc -l <.err | tr -d ' ')" 2
exits 1 "two kinds of failure" mega-mkdir /a /x/y
exits 2 "no operand" mega-mkdir
exits 2 "an empty one" mega-mkdir ''
exits 2 "two dots" mega-mkdir -p /a/../b
is "two dots: nothing is made" "$(mega-ls /a)" ""
exits 11 "among the folders of others" mega-mkdir //from/x
h=$(mega-link /b)
exits 2 "in a link" mega-mkdir "$h:/x"
is "in a link: its key is not shown" "$(grep -ce "${h##*#}" .err)" 0

# Many.

before=$(requests)
for i in 1 2 3 4 5 6 7 8 9 10; do
	for j in $(seq 100); do
		echo "/many/$i/$j"
	done
done >list
ok "a thousand, with those above" mega-mkdir -p - <list
is "a thousand: they are there" "$(mega-ls -R /many | wc -l | tr -d ' ')" 1010
asked=$(($(requests) - before))
ok "a thousand: a handful of requests ($asked)" test $asked -le 12
ok "more than fit into one round" sh -c \
    'seq 2500 | sed s,^,/more/, | mega-mkdir -p -'
is "more than fit: they are there" "$(mega-ls /more | wc -l | tr -d ' ')" 2500

# Below a shared folder.

link=$(mega-link /b)
ok "below a folder that has a link" mega-mkdir -p /b/later/deep
is "below a folder that has a link: who has it reads the names" \
    "$(mega-ls -R "$link" | grep later | tr '\n' ' ')" "/later /later/deep "

# A service that is not in the mood.

restart --fault 'cs:p=-3x2' --fault cs:http=500@2
ok "a busy service" mega-mkdir /busy
is "a busy service: made once" "$(mega-ls / | grep -c '^/busy$')" 1
restart --fault cs:p=-11x1
exits 11 "refused" mega-mkdir -v /no
is "refused: nothing comes out" "$(cat .out)" ""
ok "the next one is not" mega-mkdir /yes
is "it is made, and only that" "$(mega-ls / | grep -E '^/(no|yes)$')" /yes

done_testing
