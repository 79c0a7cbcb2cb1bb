# mega-mv: nodes go where they should, under the name that was meant, with
# all that they carry.

. tests/lib.sh

MEGA_TIMEOUT=5
export MEGA_TIMEOUT T
serve -d "$T/state"
exits 4 "nobody is logged in" mega-mv /a /b
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

# all: the whole tree on one line.
all()
{
	mega-ls -R / | tr '\n' ' '
}

gen 1000 1 >f
gen 1000 2 >g
mega-mkdir -p /d/e /x
for p in /a /b /d/1 /d/e/2; do
	mega-put f $p >/dev/null
done

# Names and places.

h=$(handle /a)
ok "a new name" mega-mv /a /A
is "nothing is printed" "$(cat .out .err)" ""
is "a new name: the same node" "$(handle /A)" "$h"
ok "another place" mega-mv /A /x
ok "another place, with a slash" mega-mv /b /x/
is "another place: there" "$(all)" "/d /d/1 /d/e /d/e/2 /x /x/A /x/b "
ok "both" mega-mv /x/A /d/e/a
is "both: the same node" "$(handle /d/e/a)" "$h"
ok "a folder's new name" mega-mv /d/e /d/E
ok "a folder into another" mega-mv /d /x
is "a folder: with all in it" "$(all)" \
    "/x /x/b /x/d /x/d/1 /x/d/E /x/d/E/2 /x/d/E/a "
ok "a folder to the root" mega-mv /x/d /
ok "several" mega-mv /d/E/a /x/b /
ok "by handles" mega-mv "H:$h" "H:$(handle /d)"
is "several, by handles" "$(all)" "/b /d /d/1 /d/E /d/E/2 /d/a /x "
ok "where it is already" mega-mv /b /
ok "its own name" mega-mv /b /b
name=$(printf 'a b\nc\t\360\237\220\247"\\')
ok "any name" mega-mv /b "/$name"
is "any name: it is that" "$(mega-ls -jd "/$name" | jq -r .name)" "$name"
ok "and back" mega-mv "/$name" /b
ok "into the bin" mega-mv /b //bin
ok "out of it under another name" mega-mv //bin/b /c
mega-cat /c >got
same "its data is the same" f got

# What it carries.

h=$(handle /c)
d=$(handle /d)
attributes set "$h" '{"n":"c","c":"AAAAAAAAAAAAAAAAAAAAAAQA8VNl","fav":1,"new":{"k":[1,2.50,"\u00e9"]}}'
attributes set "$d" '{"lbl":3,"n":"d","rr":"AAAAAAAA","z":null}'
ok "a file with more attributes" mega-mv /c /d/C
is "a file: they are kept as they are" "$(attributes get "$h")" \
    '{"n":"C","c":"AAAAAAAAAAAAAAAAAAAAAAQA8VNl","fav":1,"new":{"k":[1,2.50,"\u00e9"]}}'
ok "a folder with more attributes" mega-mv /d /x/D
is "a folder: they are kept" "$(attributes get "$d")" \
    '{"lbl":3,"n":"D","z":null}'
attributes set "$d" '{"n":"D","since":1}'
ok "changed by another client meanwhile" mega-mv /x/D /d
is "changed meanwhile: kept, too" "$(attributes get "$d")" \
    '{"n":"d","since":1}'
key=$(attributes key "$h")
mega-put g /d/C >/dev/null
n=$(handle /d/C)
ok "a file with an older version" mega-mv /d/C /c
is "an older version comes along" "$(mega-ls --versions /c | wc -l)" 2
exits 11 "but not by itself" mega-mv "$(mega-ls --versions /c | sed -n 2p)" /x
is "keys stay" "$(attributes key "$h")" "$key"
mega-rm --purge /c

# What is in the way.

mega-rm -r /x /d
mega-mkdir -p /d/sub /e
mega-put f /d/f >/dev/null
mega-put g /g >/dev/null
mega-put g /e/f >/dev/null
exits 9 "a file in the way" mega-mv /g /d/f
says "a file in the way: what would help" '^mega-mv: /g: /d/f exists \(-f'
exits 9 "a file in the way, in a folder" mega-mv /e/f /d
is "nothing has changed" "$(all)" "/d /d/f /d/sub /e /e/f /g "
exits 9 "a folder over a file" mega-mv -f /e /d/f
exits 9 "a folder over a folder" sh -c \
    'mega-mkdir /sub && mega-mv -f /sub /d'
ok "-f" mega-mv -f /g /d/f
is "-f: one file of the name" "$(mega-ls /d | tr '\n' ' ')" "/d/f /d/sub "
mega-cat /d/f >got
same "-f: the new one" g got
is "-f: the other is in the bin" "$(mega-ls //bin | grep -c f)" 1
exits 9 "two of one name" mega-mv /d/f /e/f /
is "two of one name: the first has it" "$(all)" "/d /d/sub /e /e/f /f /sub "
exits 9 "two of one name, with -f" sh -c \
    'mega-mkdir /t && mega-mv -f /f /e/f /t'
mega-mv /t/f /f
ok "what moves away makes room, another time" sh -c \
    'mega-mv /f /e/f2 && mega-mv /e/f /f'

# Operands that make no sense.

exits 2 "no target" mega-mv /f
exits 2 "no operand" mega-mv
exits 2 "an empty target" mega-mv /f ''
exits 3 "no such source" mega-mv /nowhere /e
exits 3 "no such folder" mega-mv /f /no/where
exits 3 "no such folder, with a slash" mega-mv /f /no/
exits 3 "several into what is not there" mega-mv /f /sub /no
exits 2 "several into a file" mega-mv /d /e /f
exits 11 "into itself" mega-mv /d /d
exits 11 "below itself" mega-mv /d /d/sub/x
exits 11 "the root" mega-mv / /d
exits 11 "the bin" mega-mv //bin /d
exits 11 "to the folders of others" mega-mv /f //from/x
exits 2 "to a name that leads elsewhere" mega-mv /f /d/..
link=$(mega-link /f)
exits 2 "a link" mega-mv "$link" /d
is "a link: its key is not shown" "$(grep -ce "${link##*#}" .err)" 0
exits 2 "into a link" mega-mv /f "$(mega-link /d)"
is "nothing has changed, again" "$(all)" \
    "/d /d/sub /e /e/f2 /f /sub /t "
exits 3 "a bad one among good ones" mega-mv /f /nowhere /e/f2 /d
is "a bad one among good ones: these have moved" "$(mega-ls /d | tr '\n' ' ')" \
    "/d/f /d/f2 /d/sub "
exits 1 "two kinds of failure" mega-mv /nowhere /d /d
mega-ls -R /d >list
ok "a folder and what is in it" sh -c '(echo /d; cat list) | mega-mv - /e'
is "a folder and what is in it: it stays together" "$(mega-ls -R /e |
    tr '\n' ' ')" "/e/d /e/d/f /e/d/f2 /e/d/sub "

# Output.

ok "-n" mega-mv -n /e/d/f /e/d/f2 /t
is "-n: where they would be" "$(tr '\n' ' ' <.out)" "/t/f /t/f2 "
is "-n: they are not" "$(mega-ls /t)" ""
ok "-v" mega-mv -v /e/d/f /t/F
is "-v: where it is" "$(cat .out)" /t/F
ok "-j" mega-mv -j /t/F /f
conforms "-j: as documented" .out
is "-j: an object" "$(jq -r '.path + " " + .name + " " + .type' .out)" \
    "/f f file"
is "-j: as it is now" "$(jq -c '[.handle, .parent, .size]' .out)" \
    "$(mega-ls -jd /f | jq -c '[.handle, .parent, .size]')"
exits 9 "-j: a failure" mega-mv -j /e/d/f2 /f
is "-j: a failure is an object" "$(jq -r '.error.operand + " " + .error.name' \
    .err)" "/e/d/f2 exists"
if [ -e /dev/full ]; then
	mega-mv -v /f /F >/dev/full 2>.err
	is "a full disk" $? 12
	ok "a full disk: it has moved all the same" mega-mv /F /f
fi

# Into a shared folder.

mega-mkdir -p /out /deep/er
link=$(mega-link /out)
mega-put f /deep/er/1 >/dev/null
mega-put g /deep/er/1 >/dev/null
mega-put g /2 >/dev/null
ok "into a folder that has a link" mega-mv /deep /2 /out
is "who has the link reads the names" "$(mega-ls -R "$link" | tr '\n' ' ')" \
    "/2 /deep /deep/er /deep/er/1 "
ok "and the data" mega-get -o shared "$link:/deep/er/1"
same "as it was" g shared
ok "a new name in there" mega-mv /out/2 /out/two
is "who has the link sees it" "$(mega-ls "$link:/two")" /two

# Many.

mkdir many
for i in $(seq 1000); do
	echo "$i" >many/$i
done
mega-put -r many / >/dev/null
mega-ls /many >list
mega-mkdir /there
before=$(requests)
ok "a thousand" mega-mv - /there <list
asked=$(($(requests) - before))
is "a thousand: there" "$(mega-ls /there | wc -l | tr -d ' ')" 1000
ok "a thousand: a handful of requests ($asked)" test $asked -le 8

# A service that is not in the mood.

restart --fault 'cs:m=-3x2' --fault 'cs:a=-3x2' --fault cs:http=500@2
ok "a busy service" mega-mv /f /t/busy
mega-cat /t/busy >got
same "a busy service: it has moved" g got
restart --fault cs:m=-11x1
exits 11 "refused" mega-mv -v /t/busy /other
is "refused: nothing comes out" "$(cat .out)" ""
ok "refused: nothing has changed" mega-ls /t/busy
restart --fault cs:a=-11x1
exits 11 "half refused" mega-mv /t/busy /other
says "half refused: said so" 'moved, but not renamed'
ok "half refused: the rest can be done" mega-mv /busy /other

# Other people's clients.

MEGAJS=${MEGAJS:-$SRC/build/interop}
export MEGAJS
if command -v node >/dev/null && [ -d "$MEGAJS/node_modules/megajs" ]; then
	echo 'correct horse' >pw
	mega-logout
	serve_stop
	serve --account "user@example.org:$T/pw"
	mega-login --password-file pw user@example.org
	MEGA_USERNAME=user@example.org MEGA_PASSWORD='correct horse'
	export MEGA_USERNAME MEGA_PASSWORD
	mj()
	{
		node "$SRC/tests/interop/megajs.js" "$@"
	}
	mega-mkdir -p /ours/in
	mega-put f /ours/in/f >/dev/null
	mega-mv /ours/in /moved
	mega-mv /moved/f /moved/F
	mega-mkdir /gone
	mega-rm -r /gone
	is "megajs sees what we did" "$(mj ls / | sort | tr '\n' ' ')" \
	    "/moved/ /moved/F 1000 /ours/ "
	ok "megajs makes" mj mkdir /theirs
	ok "megajs renames" mj rename /moved/F G
	ok "megajs moves" mj mv /moved/G /theirs
	ok "megajs throws away" mj rm /ours
	is "we see what it did" "$(mega-ls -R / //bin | tr '\n' ' ')" \
	    "/moved /theirs /theirs/G //bin/gone //bin/ours "
	link=$(mj link /theirs)
	mega-mv /moved /theirs
	is "what we move into its link is seen through it" \
	    "$(mj folder-link "$link" | sort | tr '\n' ' ')" \
	    "/G 1000 /moved/ "
else
	skip "megajs" "not installed"
fi

done_testing
