# mega-watch: every change is told, once, at once, by its path.

. tests/lib.sh

MEGA_TIMEOUT=5
export MEGA_TIMEOUT T
TMPDIR=$T/tmp
export TMPDIR
mkdir "$TMPDIR"
serve -d "$T/state"
port=${MEGA_API_URL##*:}
exits 4 "nobody is logged in" mega-watch --timeout 5
mega-anon || skip_all "no account"

# watch OPTION...: begin to watch; what it prints is in the file seen.
watch()
{
	: >seen >seen.err
	mega-watch -v "$@" >seen 2>seen.err &
	WATCH_PID=$!
	servers="$servers $WATCH_PID"
	await grep -q ' watching ' seen.err
}

unwatch()
{
	kill $WATCH_PID
	wait $WATCH_PID 2>/dev/null
	WATCH_STATUS=$?
}

# lines N: whether so many have been seen.
lines()
{
	[ "$(wc -l <seen)" -ge "$1" ]
}

# sees NAME LINE: that comes next.
sees()
{
	await lines $((told + 1))
	told=$((told + 1))
	is "$1" "$(sed -n ${told}p seen)" "$2"
}

# What there is to tell.

mega-mkdir -p /old/sub
gen 1000 1 >f
gen 1000 2 >g
mega-put f /old/f >/dev/null
told=0
watch
mega-mkdir -p /a/b
sees "a new folder" "added /a"
sees "one in it" "added /a/b"
mega-put f /a/f >/dev/null
sees "a new file" "added /a/f"
mega-put g /a/f >/dev/null
sees "a new version" "changed /a/f"
mega-mv /a/f /a/F
sees "a new name" "moved /a/F"
mega-mv /a /old
sees "a new place" "moved /old/a"
mega-cp -r /old/a /copy
sees "a copy" "added /copy"
sees "a copy: a file in it" "added /copy/F"
sees "a copy: a folder in it" "added /copy/b"
mega-link /copy/F >/dev/null
sees "a link" "linked /copy/F"
mega-link -d /copy/F
sees "a link's end" "unlinked /copy/F"
mega-link /copy >/dev/null
sees "a folder's link" "linked /copy"
h=$(mega-ls -jd /copy/b | jq -r .handle)
"$SRC/tests/attributes" set "$h" '{"n":"b","fav":1}'
sees "an attribute" "changed /copy/b"
mega-rm /copy/F
sees "into the bin" "moved //bin/F"
mega-mv //bin/F /F
sees "out of it" "moved /F"
mega-rm --purge -r /copy
sees "for good" "removed /copy"
mega-rm -r /old
sees "a folder into the bin" "moved //bin/old"
mega-rm --empty
sees "the bin is emptied" "removed //bin/old"
mega-put f /F >/dev/null
sees "another version" "changed /F"
mega-rm --purge "$(mega-ls --versions /F | sed -n 2p)"
await lines $((told + 1))
is "an older version for good" "$(tail -n 1 seen | sed 's/#[0-9]*//')" \
    "removed /F"
told=$((told + 1))
mega-put g /F >/dev/null
sees "one more version" "changed /F"
h=$(mega-ls -jd /F | jq -r .handle)
curl -sS "$MEGA_API_URL/cs?id=1&sid=$(jq -r .sid \
    "$XDG_STATE_HOME/megapipe/session.json")" \
    -d '[{"a":"d","n":"'$h'","v":1}]' >/dev/null
sees "the newest version for good: the one before is there" "changed /F"
mega-put f /G >/dev/null
sees "one more file" "added /G"
mega-put --if-exists=replace g /G >/dev/null
sees "replaced: the old one goes" "removed /G"
sees "replaced: the new one comes" "added /G"
is "nothing else was told" "$(wc -l <seen | tr -d ' ')" $told
unwatch
is "it ends by the signal that ends it" $WATCH_STATUS 143
is "it leaves nothing behind" "$(ls -A "$TMPDIR")" ""

# One folder.

mega-mkdir -p /w/in /x
told=0
watch /w/in
mega-mkdir /other /w/in/1 /w/beside
sees "below it" "added /w/in/1"
mega-mv /x /w/in/x
sees "into it" "moved /w/in/x"
mega-mv /w/in/x /x
sees "out of it" "moved /x"
mega-mv /w/in /w/out
sees "itself" "moved /w/out"
mega-mv /w /W
sees "what is around it" "moved /W"
mega-mkdir /W/out/2
sees "in its new place" "added /W/out/2"
mega-mkdir /w2 /W/out2
mega-rm --purge -r /W
sees "its end" "removed /W"
wait $WATCH_PID
is "there is nothing to watch any more" $? 3
is "one folder: nothing else was told" "$(wc -l <seen | tr -d ' ')" $told
told=0
watch /
mega-rm -r /other
sees "the root" "moved //bin/other"
mega-rm --empty
mega-mkdir /r
sees "the root, and not the bin" "added /r"
unwatch
told=0
watch /G
mega-put f /GG >/dev/null
mega-put f /G >/dev/null
sees "a file" "changed /G"
unwatch

# Forms.

told=0
watch -j
name=$(printf 'a b\nc\t\360\237\220\247"\\')
mega-mkdir "/$name"
await lines 1
is "-j: what happened" "$(jq -r .event seen)" added
is "-j: any name" "$(jq -r .name seen)" "$name"
is "-j: the node" "$(jq -cS 'del(.event)' seen)" \
    "$(mega-ls -jd "/$name" | jq -cS .)"
mega-mv "/$name" /plain
await lines 2
is "-j: where from" "$(sed -n 2p seen | jq -r '.event + .from + .path')" \
    "moved/$name/plain"
mega-rm --purge -r /plain
await lines 3
is "-j: what was removed" "$(sed -n 3p seen | jq -r '.event + .path')" \
    removed/plain
mega-put f /j >/dev/null
await lines 4
is "-j: is an operand" "$(sed -n 4p seen | mega-cat - | cksum)" \
    "$(cksum <f)"
link=$(mega-link /j)
await lines 5
is "-j: a link" "$(sed -n 5p seen | jq -r '.event + " " + .link')" \
    "linked $link"
unwatch
conforms "-j: as documented" seen
watch -0
mega-mkdir "/$name"
await test -s seen
is "-0" "$(tr '\0' '|' <seen)" "added /$name|"
unwatch
mega-rm -r "/$name"

# At once: three in a row within a second, on a machine that may be busy.

prompt=0
i=0
watch -j
while [ $prompt -lt 3 ] && [ $i -lt 20 ]; do
	i=$((i + 1))
	mega-mkdir /prompt$i
	start=$(date +%s%N)
	await lines $i
	prompt=$((prompt + 1))
	[ $(($(date +%s%N) - start)) -lt 1000000000 ] || prompt=0
done
is "told within a second" $prompt 3
unwatch

# Ends.

: >seen.err
mega-watch --once -v >seen 2>seen.err &
await grep -q watching seen.err
mega-mkdir /once /twice
wait $!
is "--once: status 0" $? 0
ok "--once: it has been told" grep -q '^added /once$' seen
exits 5 "--timeout" mega-watch --timeout 1
says "--timeout: nothing has changed" 'nothing has changed'
exits 5 "--timeout, --once" mega-watch --once --timeout 1
: >seen.err
mega-watch --timeout 3 -v >seen 2>seen.err &
await grep -q watching seen.err
mega-mkdir /in-time
wait $!
is "--timeout, and something has: status 0" $? 0
is "--timeout: it has been told" "$(cat seen)" "added /in-time"
: >seen.err
(mega-watch -v 2>seen.err; echo $? >status) | head -n 1 >seen &
await grep -q watching seen.err
mega-mkdir /pipe
await test -s status
is "nobody reads any more: it ends by SIGPIPE" "$(cat status)" 141
if [ -e /dev/full ]; then
	: >seen.err
	mega-watch -v >/dev/full 2>seen.err &
	await grep -q watching seen.err
	mega-mkdir /full
	wait $!
	is "a full disk" $? 12
fi

# Operands that make no sense.

exits 2 "two paths" mega-watch / /w2
exits 2 "no number" mega-watch --timeout x
exits 3 "no such path" mega-watch /nowhere
link=$(mega-link /G)
exits 2 "a link" mega-watch "$link"
is "a link: its key is not shown" "$(grep -ce "${link##*#}" .err)" 0

# A service that comes and goes.

told=0
watch
serve_stop
sleep 1
serve -d "$T/state" -l "127.0.0.1:$port"
await grep -q connected seen.err || :
mega-mkdir /after
sees "the server was started anew" "added /after"
serve_stop
sleep 6
ok "the server is away for long: it is still there" kill -0 $WATCH_PID
rm -f "$T/serve.log"
serve -d "$T/state" -l "127.0.0.1:$port"
mega-mkdir /late
await lines 2
sees "it is back: told in the end" "added /late"
mega-mkdir /later
sees "and at once again" "added /later"
unwatch
serve_stop
serve -d "$T/state" -l "127.0.0.1:$port" --fault 'sc:http=500@3x4' \
    --fault 'sc:-3@12x3'
told=0
watch
for i in 1 2 3 4 5 6 7 8 9; do
	mega-mkdir /fault$i
	sleep 0.2
done
ok "faults on the way" await sh -c '[ "$(mega-ls / | grep -c fault)" -eq 9 ]'
serve_stop
serve -d "$T/state" -l "127.0.0.1:$port" --fault 'sc:-6@1x2'
ok "the service has forgotten what happened: said so" \
    await grep -q reloaded seen
mega-mkdir /fine
ok "and it goes on" await grep -q '^added /fine$' seen
is "nothing was told twice" "$(sort seen | uniq -d)" ""
unwatch
serve_stop
serve -d "$T/state" -l "127.0.0.1:$port"
watch
mega-logout
wait $WATCH_PID
is "the session ends: so does it" $? 4

# Other people's clients.

MEGAJS=${MEGAJS:-$SRC/build/interop}
export MEGAJS
if command -v node >/dev/null && [ -d "$MEGAJS/node_modules/megajs" ]; then
	echo 'correct horse' >pw
	serve_stop
	serve --account "user@example.org:$T/pw"
	mega-login --password-file pw user@example.org
	MEGA_USERNAME=user@example.org MEGA_PASSWORD='correct horse'
	export MEGA_USERNAME MEGA_PASSWORD
	mj()
	{
		node "$SRC/tests/interop/megajs.js" "$@"
	}
	told=0
	watch
	mj mkdir /d
	sees "megajs makes" "added /d"
	mj put f /d/f
	sees "megajs uploads" "added /d/f"
	mj rename /d/f g
	sees "megajs renames" "moved /d/g"
	mj mv /d/g /
	sees "megajs moves" "moved /g"
	mj link /d >/dev/null
	sees "megajs makes a link" "linked /d"
	mj rm /g
	sees "megajs throws away" "moved //bin/g"
	mj rm /d forever
	sees "megajs removes" "removed /d"
	unwatch
else
	skip "megajs" "not installed"
fi

done_testing
