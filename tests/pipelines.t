# The programs with each other and with those that everybody has.

. tests/lib.sh

MEGA_TIMEOUT=5
export MEGA_TIMEOUT
serve -d "$T/state"
mkdir dist dist/sub
gen 200000 1 >dist/a
gen 300 2 >"dist/two words"
gen 30 3 >"dist/sub/$(printf 'new\nline')"
gen 3 4 >dist/sub/c

# Without an account: publish, look, fetch.

tar cf - dist | mega-anon --name dist.tar - >link
is "tar into a link: status 0" $? 0
mkdir back
mega-cat - <link | tar xf - -C back
ok "a link into tar: the same" diff -r dist back/dist
is "nothing but the link" "$(wc -l <link | tr -d ' ')" 1
mega-link -ij - <link | jq -r .name >name
is "what is it?" "$(cat name)" dist.tar
mkdir got
mega-anon dist/a dist/sub/c | mega-get -o got/ -
is "links into mega-get: status 0" $? 0
ok "a link for each file" cmp dist/sub/c got/c
mega-anon -j dist/a dist/sub/c | jq -c 'select(.size < 10)' |
    mega-cat - | cmp -s - dist/sub/c
is "objects, chosen by jq" $? 0
mega-anon -0 dist/a dist/sub/c | xargs -0 -n 1 mega-cat |
    cat >both
cat dist/a dist/sub/c | cmp -s - both
is "xargs -0" $? 0
mega-cat - <link >one.tar
mega-cat - <link | mega-anon --name again - >link2
mega-cat - <link2 | cmp -s - one.tar
is "from link to link, without a disk" $? 0

# With one.

mega-anon
mega-put -rq dist / | mega-link - >links 2>err
is "what put prints is what link reads" \
    "$(grep -c '^https://' links)" "$(find dist -type f ! -name '*
*' | wc -l | tr -d ' ')"
is "a name with a newline is escaped, and so another" \
    "$(grep -c 'new.*line: not found' err)" 1
mega-put -0 -r dist / | mega-link -0 - | tr '\000' '\n' >links
is "with -0 also the name with a newline" "$(grep -c '^https://' links)" 4
mega-ls -R0 /dist | mega-cat -0 - 2>err >all
is "ls into cat: folders are no data" $? 2
is "ls into cat: one line about the one folder" "$(cat err)" \
    "mega-cat: /dist/sub: is a folder"
is "ls into cat: all of the data" "$(wc -c <all | tr -d ' ')" 200333
mega-ls -jR /dist | jq -c 'select(.type == "file")' | mega-cat - >all
is "the same by jq: status 0" $? 0
is "the same by jq: all of the data" "$(wc -c <all | tr -d ' ')" 200333
mega-ls -jR /dist | jq -r 'select(.size > 1000).path' >big
is "what is big?" "$(cat big)" /dist/a
mega-ls -R /dist | grep words | mega-get -o got/ -
is "names with blanks" "$(cmp "got/two words" "dist/two words" && echo same)" \
    same
mega-ls /dist | while read -r x; do
	mega-link -i "$x" || echo failed
done >info
is "in a loop: no program eats its input" "$(wc -l <info | tr -d ' ')" 3
mega-cat /dist/a | mega-put - /copies/a -pq >out
is "from remote to remote" "$(cat out)" /copies/a
is "the same" "$(mega-cat /copies/a | cmp - dist/a && echo same)" same
mega-link /dist >link
mega-ls -R --session none --full "$(cat link)" |
    grep '/c$' | mega-cat --session none - | cmp -s - dist/sub/c
is "paths in a folder link" $? 0
mega-ls -jR --session none "$(cat link)" |
    jq -c 'select(.name == "a")' | mega-get --session none -o fl/ -
ok "objects of a folder link" cmp fl/a dist/a
mega-ls -0R /copies | mega-rm -0 -
is "ls into rm: status 0" $? 0
is "ls into rm: gone" "$(mega-ls -R /copies)" ""
mega-put -0r dist/sub /many | mega-rm -0 -
is "put into rm: gone" "$(mega-ls /many)" ""
mega-put -qr dist/sub / >/dev/null
mega-ls -j /sub | jq -c . | mega-rm -
is "objects into rm: gone" "$(mega-ls /sub)" ""

# Statuses come through, and words go where they belong.

{ mega-cat /nope; echo $? >status; } 2>err | cat >out
is "a failure in a pipe" "$(cat status) $(cat out)" "3 "
is "is told on stderr" "$(cat err)" "mega-cat: /nope: not found"
mega-get -v -o got2/ /dist/a >out 2>err
is "no data, no words on stdout" "$(cat out)" ""
is "no progress where no terminal is" "$(tr -d -c '\033\r' <err)" ""
mega-get --progress=json -o got3/ /dist/a 2>err
is "progress as objects" "$(jq -s 'last.progress.done' err)" 1
sh -c 'set -e; mega-get -o got4/ /dist/a; mega-get /nope; echo not here' \
    >out 2>err
is "set -e stops" "$? $(cat out)" "3 "

# A reader that has enough.

gen 20000000 9 | mega-anon --name large - >link
: >serve.log
start=$(date +%s)
{ mega-get -o - - <link; echo $? >status; } 2>err | head -c 1 >one
is "head: one byte is enough" "$(od -An -tx1 one)" \
    "$(gen 1 9 | od -An -tx1)"
is "head: ends by SIGPIPE" "$(cat status)" 141
is "head: in silence" "$(cat err)" ""
result $(($(date +%s) - start > 5)) "head: at once"
{ mega-cat - <link; echo $? >status; } 2>err | head -c 1 >one
is "cat: the same" "$(cat status err)" 141
{ mega-ls -R /; echo $? >status; } 2>err | true
is "ls: in silence, too" "$(cat err)" ""
gen 20000000 9 | cksum >want
mega-cat - <link | cksum | cmp -s - want
is "who reads on gets all" $? 0

# Several at a time, one account, one cache.

pids=
for i in 1 2 3 4 5 6; do
	echo "$i" | mega-put -q - "/par$i" >/dev/null &
	pids="$pids $!"
	mega-ls -R / >"ls$i" &
	pids="$pids $!"
done
bad=0
for pid in $pids; do
	wait "$pid" || bad=$((bad + 1))
done
is "several at a time: none fails" $bad 0
is "several at a time: all is there" "$(mega-ls / | grep -c par)" 6
for i in 1 2 3; do
	mega-get -o "par/" /par1 /par2 /par3 --if-exists=skip 2>>par.err &
	pids="$pids $!"
done
for pid in $pids; do
	wait "$pid" 2>/dev/null
done
is "several to one place: whole files" "$(cat par/par1 par/par2 par/par3 |
    tr '\n' ' ')" "1 2 3 "

# A session that cannot be written; a cache that may not be kept.

s=$XDG_STATE_HOME/megapipe
chmod 500 "$s"
chmod 400 "$s/session.json"
ok "a session that is only there to be read" mega-ls /
ok "for put, too" mega-put dist/sub/c /readonly
chmod 700 "$s"
chmod 644 "$s/session.json"
mega-ls / >out 2>err
is "a session that others may read is not used" "$? $(cat out)" "12 "
is "it is said which, and what to do" "$(grep -c 'session.json.*chmod' err)" 1
chmod 600 "$s/session.json"
rm -rf "$XDG_CACHE_HOME"
MEGA_CACHE='' mega-ls / >out
is "no cache: status 0" $? 0
ok "no cache: none is made" test ! -e "$XDG_CACHE_HOME"
mkdir "$T/cache"
MEGA_CACHE=$T/cache mega-ls / >out
is "a cache elsewhere" "$(find "$T/cache" -type f | wc -l | tr -d ' ' |
    sed 's/[1-9].*/some/')" some
mkdir -p "$XDG_CACHE_HOME/megapipe"
chmod 500 "$XDG_CACHE_HOME/megapipe"
ok "a cache that cannot be written" mega-ls /
chmod 700 "$XDG_CACHE_HOME/megapipe"

# A server just for one pipeline.

is "mega-serve -- COMMAND" "$(mega-serve -- sh -c '
	echo hello | mega-anon --name x - | mega-cat -')" hello
mega-serve -- sh -c 'mega-cat https://mega.nz/file/abcdefgh#'"$(
    cut -d'#' -f2 <link)" 2>err
is "ends with its status" $? 3

nothing_left "nothing is left behind" .
done_testing
