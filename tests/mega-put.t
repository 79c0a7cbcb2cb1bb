# mega-put: what arrives is what was sent, under the name that was meant.

. tests/lib.sh

MEGA_TIMEOUT=5
export MEGA_TIMEOUT
serve -d "$T/state"
mega-anon || skip_all "no account"

# arrived NAME LOCAL REMOTE: the remote file is the same.
arrived()
{
	mega-cat "$3" >"$T/.cat" 2>"$T/.err"
	same "$1" "$2" "$T/.cat"
}

# Places.

gen 300000 1 >a.bin
gen 20 2 >b
touch -d @1500000000 a.bin
ok "a file into the root" mega-put a.bin /
is "its path comes out" "$(cat .out)" /a.bin
is "and nothing else" "$(cat .err)" ""
arrived "is there" a.bin /a.bin
is "with its time" "$(mega-ls -jd /a.bin | jq -r .mtime)" 2017-07-14T02:40:00Z
ok "to a new name" mega-put a.bin /new
is "to a new name: its path" "$(cat .out)" /new
ok "a path needs no slash in front" mega-put b rel
is "a path needs no slash in front: its path" "$(cat .out)" /rel
exits 3 "into a folder that is not there" mega-put a.bin /d/
exits 3 "below a folder that is not there" mega-put a.bin /d/x
exits 3 "below a file" mega-put a.bin /new/x
ok "-p makes folders" mega-put -p a.bin /d/e/
is "-p makes folders: its path" "$(cat .out)" /d/e/a.bin
ok "-p, where they are there" mega-put -p a.bin /d/e/other
is "made once" "$(mega-ls / | grep -c '^/d$')" 1
ok "-p, several into a new folder" mega-put -p a.bin b /p/q
is "-p, several: their paths" "$(tr '\n' ' ' <.out)" "/p/q/a.bin /p/q/b "
ok "into a folder that is there" mega-put b /d/e
is "into a folder that is there: its path" "$(cat .out)" /d/e/b
ok "several" mega-put a.bin b /d
is "several: their paths, in order" "$(tr '\n' ' ' <.out)" "/d/a.bin /d/b "
exits 3 "several to one name" mega-put a.bin b /one
exits 2 "several to one file" mega-put a.bin b /new
ok "-t" mega-put -t /d/e a.bin b
is "-t: their paths" "$(tr '\n' ' ' <.out)" "/d/e/a.bin /d/e/b "
h=$(mega-ls -jd /d/e | jq -r .handle)
gen 30 3 >c
mkdir sub
echo x >sub/x
ok "into a folder by handle" mega-put c "H:$h"
arrived "into a folder by handle: is there" c /d/e/c
exits 3 "a handle that there is not" mega-put c H:AAAAAAAA
ok "by handle, once more" mega-put c "H:$h"
is "the tree is at hand: it is the same" "$(mega-ls /d/e | grep -c /c)" 1
link=$(mega-link /d/e)
ok "it is there" sh -c 'echo other >c2 && mega-put c2 "H:'"$h"'"'
is "it can be read through the link" "$(mega-cat --session none \
    "$link:/c2")" other
mega-link -d /d/e

# Without a cache it makes no difference, but for the path that is told; and
# no more is loaded than it takes.
whole()
{
	settle
	jq -s "map(select(.commands == [\"f\"] and .bytes > $size)) | length" \
	    serve.log
}
size=$(echo '[{"a":"f","c":1,"r":1}]' | mega-api | wc -c)
size=$((size - 100))
n=$(whole)
ok "no tree at hand" env MEGA_CACHE= mega-put c "H:$h"
is "no tree at hand: what it was put into" "$(cat .out)" "H:$h/c"
is "no tree at hand: it is the same" "$(mega-ls --versions /d/e |
    grep -c '/c$')" 1
ok "no tree at hand: other data" env MEGA_CACHE= mega-put b "H:$h/c"
is "no tree at hand: a version" "$(mega-ls --versions /d/e |
    grep -c '/c#')" 1
ok "no tree at hand: a new name" env MEGA_CACHE= mega-put -r sub "H:$h"
arrived "no tree at hand: it is there" sub/x /d/e/sub/x
is "no tree is loaded for any of it" $(($(whole) - n)) 0
exits 3 "no tree at hand, and no such handle" env MEGA_CACHE= mega-put c \
    H:AAAAAAAA
c=$(mega-ls -jd /d/e/c | jq -r .handle)
ok "no tree at hand, and a file's handle" env MEGA_CACHE= mega-put c "H:$c"
is "replaces it" "$(cat .out)" /d/e/c
link=$(mega-link /d/e)
echo there >c3
ok "no tree at hand, and the folder has a link" env MEGA_CACHE= \
    mega-put c3 "H:$h"
is "it can be read through that" "$(mega-cat --session none \
    "$link:/c3")" there
h=$(mega-ls -jd /d/e/sub | jq -r .handle)
ok "no tree at hand, and a folder around it has" env MEGA_CACHE= \
    mega-put c3 "H:$h"
is "that can be read, too" "$(mega-cat --session none \
    "$link:/sub/c3")" there
mega-link -d /d/e
v=$(mega-ls -j --versions /d/e/c | sed -n 2p | jq -r .handle)
exits 11 "an older version cannot be replaced" mega-put b "H:$v"
ok "into the Rubbish Bin" mega-put c //bin
is "into the Rubbish Bin: its path" "$(cat .out)" //bin/c
link=$(mega-link /a.bin)
exits 2 "into a link" mega-put c "$link"
is "into a link: its key is not shown" "$(grep -ce "${link##*#}" .err)" 0

# Sizes, and many at once.

mkdir sizes
set --
for n in 0 1 15 16 17 131071 131072 131073 393216 393217 3670016 3670021 \
    6000000; do
	gen "$n" "$n" >"sizes/$n"
	set -- "$@" "sizes/$n"
done
ok "many sizes" mega-put "$@" -t /sizes/ -p
ok "many sizes come back" mega-get -r /sizes -o back/
ok "the same" diff -r sizes back/sizes
mkdir many
i=0
while [ $i -lt 150 ]; do
	i=$((i + 1))
	echo $i >many/$i
done
# Patterns, as mega-sync has them.
mkdir -p pat/logs/old pat/sub/logs pat/empty
for f in a.jpg a.txt logs/x.jpg logs/old/y sub/b.JPG sub/c.jpg sub/logs/z; do
	echo $f >pat/$f
done

# files OPTION...: what a put with them prints.
files()
{
	mega-put -r "$@" pat /pats/ | sort | tr '\n' ' '
}
mega-mkdir /pats
for how in -n ""; do
	is "all but some $how" \
	    "$(files $how --exclude='*.jpg' --exclude=logs/)" \
	    "/pats/pat/a.txt /pats/pat/sub/b.JPG "
done
is "folders that are left out are not made" \
    "$(mega-ls -R /pats | tr '\n' ' ')" \
    "/pats/pat /pats/pat/a.txt /pats/pat/empty /pats/pat/sub \
/pats/pat/sub/b.JPG "
is "only some" "$(files --include='*/' --include='*.jpg' --exclude='*')" \
    "/pats/pat/a.jpg /pats/pat/logs/x.jpg /pats/pat/sub/c.jpg "
is "a path, and nothing twice" \
    "$(files -n --exclude=/logs/old --exclude='sub/*.jpg')" \
    "/pats/pat/sub/logs/z "

ok "many small files" mega-put -r many /
is "many small files: each told" "$(wc -l <.out | tr -d ' ')" 150
ok "many small files come back" mega-get -r /many -o back/
ok "the same" diff -r many back/many

# A tree with all that can be in one.

mkdir -p t/sub/deep t/void
cp a.bin t/sub/deep/
: >t/empty
truncate -s 2000000 t/sparse
ln -s sub/deep/a.bin t/link
ln -s sub t/dirlink
ln -s nowhere t/broken
mkfifo t/fifo
for n in "$(printf 'new\nline')" "$(printf 'tab\there')" "two  words " \
    "'\"\`\$x" "$(printf '\360\237\220\247')" "$(printf 'latin\351')" \
    "-rf" "\\" "*" "$(printf 'e\314\201')" %2e; do
	printf %s "$n" >"t/$n"
done
exits 12 "a tree" mega-put -r t /
is "a tree: what cannot be sent" \
    "$(sed 's/^mega-put: \([^:]*\):.*/\1/' .err | sort | tr '\n' ' ')" \
    "t/broken t/dirlink t/fifo "
rm t/broken t/dirlink t/fifo
ok "again: nothing left to do" mega-put -r t /
ok "it comes back" mega-get -r /t -o back/
ok "the same, links followed" diff -r t back/t
is "a name that was escaped is told as it is" \
    "$(mega-ls /t | grep -c '^/t/[.]$')" 1
is "empty folders, too" "$(mega-ls /t | grep -c void)" 1
exits 2 "a folder without -r" mega-put t /
ok "a folder to a new name" mega-put -r t/sub /renamed
is "a folder to a new name: the paths" "$(cat .out)" /renamed/deep/a.bin
ok "a folder with a slash" mega-put -r t/sub/ /d
is "a folder with a slash: the paths" "$(cat .out)" /d/sub/deep/a.bin
ok "an empty folder" mega-put -r t/void /
is "an empty folder is there" "$(mega-ls / | grep -c void)" 1
exits 9 "a folder where a file is" mega-put -r t/sub /a.bin

# A name that is taken.

gen 300000 4 >other
n=$(asked u)
ok "there already: nothing is sent" mega-put a.bin /
is "but its path comes out" "$(cat .out)" /a.bin
is "no upload" "$(asked u)" "$n"
touch a.bin
ok "the same data at another time" mega-put a.bin /
is "no upload either" "$(asked u)" "$n"
touch -d @1500000000 a.bin
ok "other data: a new version" mega-put other /a.bin
arrived "the new one is found" other /a.bin
is "there is one of that name" "$(mega-ls / | grep -c '^/a.bin$')" 1
is "and its version before" "$(mega-ls --versions /a.bin | wc -l |
    tr -d ' ')" 2
cp b same1
h=$(mega-put same1 / >/dev/null; mega-ls -jd /same1 | jq -r .handle)
T=$T "$SRC/tests/attributes" set "$h" \
    '{"n":"same1","c":"x","fav":1,"lbl":"2","des":"d","sen":"1","t":"a,b","rr":"AAAAAAAA"}'
ok "a new version of what people have said things of" mega-put c /same1
h=$(mega-ls -jd /same1 | jq -r .handle)
is "takes them over" "$(T=$T "$SRC/tests/attributes" get "$h" |
    jq -cS 'del(.c)')" \
    '{"des":"d","fav":1,"lbl":"2","n":"same1","sen":"1","t":"a,b"}'
mega-rm /same1
rm same1
ok "skip" mega-put --if-exists=skip a.bin /a.bin
is "skip: nothing comes out" "$(cat .out)" ""
arrived "skip: not touched" other /a.bin
exits 9 "fail" mega-put --if-exists=fail a.bin /
exits 9 "fail, even if it is the same" mega-put --if-exists=fail other /a.bin
ok "rename" mega-put --if-exists=rename a.bin /
is "rename: which name" "$(cat .out)" "/a (1).bin"
ok "rename again" mega-put --if-exists=rename a.bin /
is "rename again: the next" "$(cat .out)" "/a (2).bin"
ok "version, even if it is the same" mega-put --if-exists=version other /a.bin
is "three versions" "$(mega-ls --versions /a.bin | wc -l | tr -d ' ')" 3
ok "replace" mega-put --if-exists=replace b /rel
ok "replace by other data" mega-put --if-exists=replace c /rel
arrived "replace: the new one" c /rel
is "replace: no version" "$(mega-ls --versions /rel | wc -l | tr -d ' ')" 1
cp c e
exits 9 "a file where a folder is" mega-put --if-exists=replace e /d
exits 3 "a file that is no folder" mega-put c /d/e/b/
mkdir same1 same2
cp b same1/twin
cp c same2/twin
exits 9 "two operands of one name" mega-put same1/twin same2/twin /
is "two operands of one name: one of them" "$(mega-ls / | grep -c twin)" 1
arrived "two operands of one name: the first" b /twin
exits 2 "a policy that there is not" mega-put --if-exists=ask b /

# Failures among successes.

exits 12 "one is missing" mega-put a.bin nowhere c /part/ -p
is "one line about it" "$(cat .err)" \
    "mega-put: nowhere: No such file or directory"
is "the others are there" "$(mega-ls /part | tr '\n' ' ')" \
    "/part/a.bin /part/c "
exits 1 "two kinds" mega-put -t /part/ nowhere t b
exits 12 "objects with -j" mega-put -j -t /part/ nowhere b other
is "the failure" "$(jq -c '.error | [.operand, .exit, .name]' .err)" \
    '["nowhere",12,"local"]'
is "the successes" "$(jq -c '[.path, .size, .result]' .out | tr '\n' ' ')" \
    '["/part/b",20,"unchanged"] ["/part/other",300000,"done"] '
printf 'a.bin\n\nnowhere\nc\n' >list
exits 12 "operands from standard input" mega-put -p -t /list/ - <list
is "their paths" "$(tr '\n' ' ' <.out)" "/list/a.bin /list/c "
printf 'a.bin\000b' >list
ok "-0" mega-put -0 -p -t /nul/ - <list
is "-0: NUL behind each path" "$(tr '\000' ' ' <.out)" "/nul/a.bin /nul/b "
printf '{"path":"c"}\n' >list
ok "JSON" mega-put -t /nul - <list
is "JSON: its path" "$(cat .out)" /nul/c
exits 12 "nowhere to print to" sh -c 'exec mega-put b /full >/dev/full'
if [ "$(id -u)" -ne 0 ]; then
	cp b secret
	chmod 0 secret
	exits 12 "a file that may not be read" mega-put secret /
	mkdir closed
	chmod 0 closed
	exits 12 "a folder that may not be read" mega-put -r closed /
	chmod 700 closed
else
	skip "a file that may not be read" "root may read everything"
fi
ok "-n" mega-put -n b other /part
is "-n says what would be sent" "$(cat .out)" ""
gen 9 9 >nine
ok "-n again" mega-put -n b nine /part
is "-n again: what would be sent" "$(cat .out)" /part/nine
ok "-n -p" mega-put -n -p b nine /dry/er/
is "-n -p: what would be sent" "$(tr '\n' ' ' <.out)" \
    "/dry/er/b /dry/er/nine "
ok "-n -r" mega-put -nr t/sub many /dry/ -p
is "-n -r: what would be sent" "$(wc -l <.out | tr -d ' ')" 151
is "-n makes nothing" "$(mega-ls -R / | grep -c 'dry\|nine')" 0

# Links.

ok "--link" mega-put --link a.bin b /links/ -p
is "--link: links come out" "$(grep -c '^https://mega\.nz/file/' .out)" 2
mega-cat "$(head -n 1 .out)" >got
same "--link: which lead there" a.bin got
ok "--link, where nothing is sent" mega-put --link a.bin /links/
is "--link, where nothing is sent: a link" "$(grep -c '^https://' .out)" 1
ok "--link -j" mega-put -j --link b /links/
conforms "--link -j: as documented" .out
is "--link -j: both" "$(jq -r '.path, .link[:21]' .out | tr '\n' ' ')" \
    "/links/b https://mega.nz/file/ "

# Standard input, devices, files that change.

gen 700000 8 >pipe
ok "a pipe" sh -c 'cat pipe | mega-put - /piped'
arrived "a pipe: the data" pipe /piped
ok "a pipe of known length" sh -c 'cat pipe | mega-put --size 700000 - /piped2'
arrived "a pipe of known length: the data" pipe /piped2
ok "a size with a unit" sh -c 'head -c 2048 pipe | mega-put --size 2k - /piped3'
ok "in dribs and drabs" sh -c '(cat a.bin; sleep 0.2; cat a.bin; sleep 0.2
    cat c) | mega-put --size 600030 - /dribs'
cat a.bin a.bin c >want
arrived "in dribs and drabs: the data" want /dribs
n=$(asked p)
gen 99 | mega-put --size 100 - /short >.out 2>.err
is "too short: status 12" $? 12
says "too short: what is wrong" 'ended after 99 of 100'
gen 101 | mega-put --size 100 - /long >.out 2>.err
is "too long: status 12" $? 12
gen 5000000 | mega-put --size 3000000 - /long >.out 2>.err
is "much too long: status 12" $? 12
exits 12 "--size is not that of the file" mega-put --size 5 b /
is "none made a node" "$(asked p)" "$n"
exits 2 "a pipe into a folder" sh -c 'echo x | mega-put - /d/'
exits 2 "--size for several" mega-put --size 5 b c /
mkfifo fifo
timeout 20 cat pipe >fifo &
ok "a FIFO" timeout 20 mega-put fifo /fifo
arrived "a FIFO: the data" pipe /fifo
ok "a device" mega-put /dev/null /null
is "a device: is empty" "$(mega-ls -j /null | jq .size)" 0
exits 12 "a closed standard input" sh -c 'exec mega-put - /closed <&-'
is "a closed standard input: no node" "$(mega-ls / | grep -c closed)" 0
exits 2 "a folder as standard input" sh -c 'mega-put - /notread <.'

# A file that grows or shrinks while it is read makes no node: the second
# "u" is answered late, so that the file can be changed before it is read.
restart --fault cs:u=delay=500ms
gen 4000000 1 >changing
for how in grow shrink touch; do
	: >serve.log
	mega-put changing /changing >.out 2>.err &
	pid=$!
	await grep -qs '"u"' serve.log
	case $how in
	grow) echo more >>changing;;
	shrink) truncate -s 3000000 changing;;
	touch) printf X | dd of=changing bs=1 conv=notrunc 2>/dev/null;;
	esac
	wait $pid
	st=$?
	# Not every change comes early enough: then all was read before.
	if [ $st -eq 12 ]; then
		says "$how while it is read: 12" 'changed while it was read'
	else
		is "$how before it is read: nothing wrong" $st 0
	fi
done
restart

# An interrupted upload goes on where it was.

gen 9000000 11 >large
restart --fault up:slow=1500k
mega-put large /large >.out 2>.err &
pid=$!
await sh -c 'test "$(grep -c "\"up\"" serve.log)" -ge 6'
kill -9 $pid
wait $pid 2>/dev/null
serve_stop
restart -l "${MEGA_API_URL#http://}"
is "killed: no node" "$(mega-ls / | grep -c large)" 0
ok "again" mega-put large /large
result $(($(moved up) > 8000000)) "again: not all is sent again"
arrived "again: the data" large /large
ok "again: no state is left" sh -c '! find "$1" -path "*uploads/*" |
    grep .' sh "$XDG_STATE_HOME"

# What a terminal sees.

if script -qec true /dev/null >/dev/null 2>&1 && pty true; then
	x=$(printf 'esc\033]0;x\007')
	cp a.bin "$x"
	pty "mega-put '$x' /"
	is "no escape sequence on the terminal" \
	    "$(tr '\033' '!' <.out | grep -c '!\]')" 0
	is "but the name, escaped" "$(grep -c '^/esc.x1b.0;x.x07' .out)" 1
else
	skip "terminals" "no script(1)"
fi

# Wrong usage, and nobody there.

exits 2 "no operand" mega-put
exits 2 "no destination" mega-put b
exits 2 "an empty destination" mega-put b ''
exits 2 "-t and nothing to put" mega-put -t /
exits 2 "no connections" mega-put --connections=0 b /
exits 2 "an unknown option" mega-put --slow b /
exits 4 "without a session" mega-put --session none.json b /
exits 12 "an empty name" mega-put '' /
cp c -- -dash
ok "a name that begins with a dash" mega-put -- -dash /
restart --storage 100000
exits 7 "storage is full" mega-put pipe /full
says "storage is full: said so" 'storage is full'
serve_stop
MEGA_TIMEOUT=1
exits 5 "nobody there" mega-put b /

nothing_left "nothing is left behind" .
done_testing
