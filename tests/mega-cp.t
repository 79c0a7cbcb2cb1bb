# mega-cp: copies and imports are the same data under other nodes, readable
# by whom they should be, and carry what they should.

. tests/lib.sh

MEGA_TIMEOUT=5
export MEGA_TIMEOUT T
serve -d "$T/state"
exits 4 "nobody is logged in" mega-cp /a /b
mega-anon || skip_all "no account"
first=$XDG_STATE_HOME

# requests: how many with commands the server has answered.
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

# all [FOLDER]: the whole tree on one line.
all()
{
	mega-ls -R "${1:-/}" | tr '\n' ' '
}

# reads NAME FILE OPERAND: the data there is that of the file.
reads()
{
	mega-cat "$3" >"$T/.cat" 2>"$T/.err"
	same "$1" "$2" "$T/.cat"
}

gen 300000 1 >f
gen 1000 2 >g
mega-mkdir -p /d/e/f /x
mega-put f /a >/dev/null
mega-put f /d/1 >/dev/null
mega-put g /d/e/2 >/dev/null
mega-put g /d/e/f/3 >/dev/null

# Files.

h=$(handle /a)
attributes set "$h" '{"n":"a","c":"AAAAAAAAAAAAAAAAAAAAAAQA8VNl","fav":1,"lbl":2,"rr":"AAAAAAAA","new":{"k":[1,2.50]}}'
ok "a file" mega-cp /a /b
is "nothing is printed" "$(cat .out .err)" ""
reads "it has the data" f /b
reads "the other has it, too" f /a
ok "it is another node" test "$(handle /b)" != "$h"
is "with the same key" "$(attributes key "$(handle /b)")" \
    "$(attributes key "$h")"
is "and the same attributes, except where it was before the bin" \
    "$(attributes get "$(handle /b)")" \
    '{"n":"b","c":"AAAAAAAAAAAAAAAAAAAAAAQA8VNl","fav":1,"lbl":2,"new":{"k":[1,2.50]}}'
moved_before=$(moved up)
ok "into a folder" mega-cp /b /x
ok "into a folder, with a slash" mega-cp /a /x/
ok "several" mega-cp /a /d/e/2 /d/e/f
is "they are there" "$(all /x)$(all /d)" \
    "/x/a /x/b /d/1 /d/e /d/e/2 /d/e/f /d/e/f/2 /d/e/f/3 /d/e/f/a "
is "no data has moved" "$(moved up) $(moved dl)" "$moved_before $(moved dl)"
ok "once more" mega-cp /a /x/a
ok "once more, itself" mega-cp /a /
is "there is one of each" "$(mega-ls / /x | tr '\n' ' ')" \
    "/a /b /d /x /x/a /x/b "
ok "by handles" mega-cp "H:$h" "H:$(handle /d/e)"
reads "by handles: it has the data" f /d/e/a
mega-rm /a
reads "the copy outlives it" f /b
ok "out of the bin" mega-cp //bin/a /a
name=$(printf 'a b\nc\t\360\237\220\247"\\')
ok "any name" mega-cp /a "/$name"
is "any name: it is that" "$(mega-ls -jd "/$name" | jq -r .name)" "$name"
mega-rm "/$name"
mega-put g /a >/dev/null
old=$(mega-ls --versions /a | sed -n 2p)
ok "an older version" mega-cp "$old" /old
reads "an older version: its data" f /old
is "an older version: it alone" "$(mega-ls --versions /a /old | wc -l)" 3
mega-rm /old

# Folders.

exits 2 "a folder" mega-cp /d /copy
says "a folder: what would help" '\(-r copies folders\)$'
h=$(handle /d/e)
attributes set "$h" '{"n":"e","lbl":"3","z":null}'
ok "-r" mega-cp -r /d /copy
is "-r: all of it" "$(all /copy | sed 's,/copy,/d,g')" "$(all /d)"
reads "-r: the data" g /copy/e/f/3
is "-r: attributes" "$(attributes get "$(handle /copy/e)")" \
    '{"n":"e","lbl":"3","z":null}'
ok "-r: folders have keys of their own" test \
    "$(attributes key "$(handle /copy/e)")" != "$(attributes key "$h")"
ok "-r, into a folder" mega-cp -r /d /x
is "-r, into a folder: all of it" "$(all /x/d | sed 's,/x,,g')" "$(all /d)"
before=$(requests)
ok "-r, once more" mega-cp -r /d /x
is "-r, once more: nothing to do" "$(all /x/d | sed 's,/x,,g')" "$(all /d)"
mega-rm -r /x/d/e/2 /x/d/e/f
mega-mkdir -p /x/d/own
ok "-r, where some is there" mega-cp -r /d /x
is "-r, where some is there: the rest comes" \
    "$(all /x/d | sed 's,/x/d/own ,,; s,/x,,g')" "$(all /d)"
mega-put f /x/d/e/2 >/dev/null
mega-rm /x/d/1
exits 9 "-r, where another file is" mega-cp -r /d /x
says "-r, where another file is: which" \
    '^mega-cp: /d/e/2: /x/d/e/2 exists \(-f replaces it\)$'
reads "-r, where another file is: it is left" f /x/d/e/2
reads "-r, where another file is: the rest comes" f /x/d/1
ok "-rf" mega-cp -rf /d /x
reads "-rf: it is replaced" g /x/d/e/2
is "-rf: by one" "$(mega-ls /x/d/e | grep -c /2)" 1
mega-rm --empty
mega-rm -r /x/d
mega-put g /x/d >/dev/null
exits 9 "a folder over a file" mega-cp -rf /d /x
mega-put g /x/e >/dev/null
exits 9 "a file over a folder, in a folder" mega-cp -f /x/e /d
ok "an empty one" sh -c 'mega-mkdir /void && mega-cp -r /void /x/void'
is "an empty one: it is" "$(mega-ls /x/void)" ""
exits 11 "into itself" mega-cp -r /d /d
exits 11 "below itself" mega-cp -r /d /d/e/x
exits 11 "the root" mega-cp -r / /x
mega-rm -r /x /copy /void
mega-mkdir /x

# What is in the way.

mega-put f /f >/dev/null
mega-put g /x/f >/dev/null
exits 9 "a file in the way" mega-cp /f /x
says "a file in the way: what would help" '^mega-cp: /f: /x/f exists \(-f'
reads "a file in the way: it is left" g /x/f
ok "-f" mega-cp -f /f /x
reads "-f: the new one" f /x/f
is "-f: one of the name" "$(mega-ls /x)" /x/f
is "-f: the other is in the bin" "$(mega-ls //bin | grep -c /f)" 1
exits 9 "two of one name" mega-cp /d/e/2 /d/e/f/2 /x

# Operands that make no sense.

exits 2 "no target" mega-cp /f
exits 2 "no operand" mega-cp
exits 3 "no such source" mega-cp /nowhere /x
exits 3 "no such folder" mega-cp /f /no/where
exits 3 "several into what is not there" mega-cp /f /a /no
exits 2 "several into a file" mega-cp /a /b /f
exits 2 "to a name that leads elsewhere" mega-cp /f /x/..
link=$(mega-link /x)
exits 2 "into a link" mega-cp /f "$link"
is "into a link: its key is not shown" "$(grep -ce "${link##*#}" .err)" 0
exits 3 "a bad one among good ones" mega-cp /a /nowhere /b /x
is "a bad one among good ones: these are copied" "$(all /x)" \
    "/x/2 /x/a /x/b /x/f "

# Output.

ok "-n" mega-cp -nr /d /f /x
is "-n: where they would be" "$(tr '\n' ' ' <.out)" "/x/d /x/f "
is "-n: they are not" "$(all /x)" "/x/2 /x/a /x/b /x/f "
ok "-v" mega-cp -v /f /x/F
is "-v: where it is" "$(cat .out)" /x/F
ok "-j" mega-cp -rj /d /x
conforms "-j: as documented" .out
is "-j: an object" "$(jq -r '.path + " " + .type + " " + .result' .out)" \
    "/x/d folder done"
is "-j: as it is now" "$(jq -c '[.handle, .parent, .owner]' .out)" \
    "$(mega-ls -jd /x/d | jq -c '[.handle, .parent, .owner]')"
ok "-j, once more" mega-cp -j /f /x/F
is "-j, once more: said so" "$(jq -r .result .out)" unchanged
exits 9 "-j: a failure" mega-cp -j /d/e/2 /x/F
is "-j: a failure is an object" "$(jq -r '.error.operand + " " + .error.name' \
    .err)" "/d/e/2 exists"
if [ -e /dev/full ]; then
	mega-cp -v /f /x/full >/dev/full 2>.err
	is "a full disk" $? 12
fi

# Into a shared folder.

mega-mkdir /out
link=$(mega-link /out)
ok "into a folder that has a link" mega-cp -r /d /f /out
is "who has the link reads the names" "$(all "$link")" \
    "/d /d/1 /d/e /d/e/2 /d/e/a /d/e/f /d/e/f/2 /d/e/f/3 /d/e/f/a /f "
reads "and the data" g "$link:/d/e/f/3"

# Imports.

file=$(mega-link /d/1)
folder=$(mega-link /d)
inside=$folder/file/$(handle /d/e/2)
attributes set "$(handle /d/1)" '{"n":"1","fav":1,"lbl":"2","sen":"1","s4":"x","rr":"AAAAAAAA","des":"text","new":1}'
attributes set "$(handle /d/e)" '{"n":"e","lbl":"3","z":null}'
mega-put g /d/e/a >/dev/null

XDG_STATE_HOME=$T/second
export XDG_STATE_HOME
mega-anon
ok "a file by its link" mega-cp "$file" /
reads "its data" f /1
is "attributes that are one owner's view do not travel" \
    "$(attributes get "$(handle /1)")" '{"n":"1","des":"text","new":1}'
ok "under another name" mega-cp "$file" /one
is "under another name: it has that" "$(attributes get "$(handle /one)")" \
    '{"n":"one","des":"text","new":1}'
ok "once more" mega-cp "$file" /one
exits 2 "a folder" mega-cp "$folder" /
is "a folder: the link's key is not shown" "$(grep -ce "${folder##*#}" .err)" 0
ok "a folder, with -r" mega-cp -r "$folder" /
is "a folder: all of it, without older versions" "$(mega-ls -R --versions \
    /d | tr '\n' ' ')" \
    "/d/1 /d/e /d/e/2 /d/e/a /d/e/f /d/e/f/2 /d/e/f/3 /d/e/f/a "
reads "a folder: the data" g /d/e/f/3
is "a folder: attributes" "$(attributes get "$(handle /d/e)")" \
    '{"n":"e","z":null}'
ok "once more, with nothing to do" mega-cp -r "$folder" /
mega-rm -r /d/e/f
ok "once more, with some to do" mega-cp -r "$folder" /
reads "with some to do: it is done" g /d/e/f/3
ok "a folder under another name" mega-cp -r "$folder" /D
is "a folder under another name: it has that" "$(mega-ls -d /D)" /D
ok "a file in a folder link" mega-cp "$inside" /inside
reads "a file in a folder link: its data" g /inside
ok "a path in a folder link" mega-cp -r "$folder:/e" "$folder:/1" /D/e
is "a path in a folder link: what it names" "$(mega-ls -d /D/e/e/f/3 /D/e/1 |
    tr '\n' ' ')" "/D/e/e/f/3 /D/e/1 "
mega-mkdir /pub
own=$(mega-link /pub)
ok "from a link into a folder that has one" mega-cp -r "$folder" "$file" /pub
reads "who has that reads it" g "$own:/d/e/f/3"
echo hunter2 >pw
locked=$(XDG_STATE_HOME=$first mega-link --password-file pw /d/1)
ok "a locked link" mega-cp --password-file pw "$locked" /unlocked
reads "a locked link: its data" f /unlocked
exits 4 "a locked link, without the password" sh -c \
    'mega-cp "$1" /x </dev/null' sh "$locked"
ok "links on standard input" sh -c 'printf "%s\n%s\n" "$1" "$2" |
    mega-cp - /D' sh "$file" "$inside"
exits 10 "a wrong key" mega-cp "$(printf %s "$file" | sed 's/#.../#AAA/')" /bad
exits 9 "a file in the way" mega-cp "$file" /inside
reads "a file in the way: it is left" g /inside
exits 3 "a dead link" mega-cp https://mega.nz/file/AAAAAAAA#"${file##*#}" /
XDG_STATE_HOME=$T/nobody exits 4 "without an account" mega-cp "$file" /

# Many.

XDG_STATE_HOME=$first
mega-rm -r /d /x
mega-rm --empty
XDG_STATE_HOME=$T/second
reads "what was imported outlives what it was imported from" f /1
XDG_STATE_HOME=$first
mkdir many
for i in $(seq 1000); do
	echo "$i" >many/$i
done
mega-put -r many / >/dev/null
mega-ls /many >list
mega-mkdir /there
before=$(requests)
ok "a thousand files" mega-cp - /there <list
asked=$(($(requests) - before))
is "a thousand files: there" "$(mega-ls /there | wc -l | tr -d ' ')" 1000
ok "a thousand files: a handful of requests ($asked)" test $asked -le 8
mega-mkdir -p /tree/a/b
mega-mv /many /there /tree/a/b
mega-mkdir -p /tree/z/y
mega-cp -r /tree/a /tree/z/y/
before=$(requests)
ok "four thousand nodes" mega-cp -r /tree /again
asked=$(($(requests) - before))
is "four thousand nodes: there" "$(mega-ls -R /again | sed 's,^/again,,' |
    cksum)" "$(mega-ls -R /tree | sed 's,^/tree,,' | cksum)"
reads "four thousand nodes: the data" many/777 /again/z/y/a/b/there/777
ok "four thousand nodes: a handful of requests ($asked)" test $asked -le 8
mega-ls /tree/a/b/many | mega-link - >links
tree=$(mega-link /tree)
XDG_STATE_HOME=$T/second
mega-mkdir /links
before=$(requests)
ok "many links" mega-cp - /links <links
asked=$(($(requests) - before))
is "many links: there" "$(mega-ls /links | wc -l)" "$(wc -l <links)"
ok "many links: a handful of requests ($asked)" test $asked -le 14
before=$(requests)
ok "four thousand nodes by link" mega-cp -r "$tree" /
asked=$(($(requests) - before))
is "four thousand nodes by link: there" "$(mega-ls -R /tree | wc -l |
    tr -d ' ')" 4010
ok "four thousand nodes by link: a handful of requests ($asked)" \
    test $asked -le 8
XDG_STATE_HOME=$first

# A service that is not in the mood.

restart --fault 'cs:p=-3x2' --fault cs:http=500@2
ok "a busy service" mega-cp /f /busy
is "a busy service: one copy" "$(mega-ls / | grep -c '^/busy$')" 1
restart --fault cs:p=-17x1
exits 7 "no room" mega-cp -v /f /no
is "no room: nothing comes out" "$(cat .out)" ""
ok "room again" mega-cp /f /yes
is "room again: that one, and only that" "$(mega-ls / | grep -E '^/(no|yes)$')" \
    /yes

# Other people's clients.

MEGAJS=${MEGAJS:-$SRC/build/interop}
export MEGAJS
if command -v node >/dev/null && [ -d "$MEGAJS/node_modules/megajs" ]; then
	echo 'correct horse' >pw
	serve_stop
	mega-logout 2>/dev/null
	rm -f "$first/megapipe/session.json"
	serve --account "user@example.org:$T/pw"
	mega-login --password-file pw user@example.org
	MEGA_USERNAME=user@example.org MEGA_PASSWORD='correct horse'
	export MEGA_USERNAME MEGA_PASSWORD
	mj()
	{
		node "$SRC/tests/interop/megajs.js" "$@"
	}
	mj mkdir /theirs
	mj put f /theirs/f
	link=$(mj link /theirs)
	mega-cp -r /theirs /ours
	mega-cp "$(mj link /theirs/f)" "$link:/f" / 2>/dev/null
	is "megajs sees our copies" "$(mj ls / | sort | tr '\n' ' ')" \
	    "/f 300000 /ours/ /ours/f 300000 /theirs/ /theirs/f 300000 "
	ok "megajs reads one" mj get /ours/f got
	same "as it was" f got
	mega-cp /ours/f /theirs/g
	is "what we put into its link is seen through it" \
	    "$(mj folder-link "$link" | sort | tr '\n' ' ')" \
	    "/f 300000 /g 300000 "
else
	skip "megajs" "not installed"
fi

done_testing
