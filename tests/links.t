# Links: every spelling, folders, locks, ends, and what other programs make
# of them.

. tests/lib.sh

MEGA_TIMEOUT=3
export MEGA_TIMEOUT
echo 'correct horse' >account
U=user@example.org
serve -d "$T/state" --account "$U:$T/account"
mega-login --password-file account $U || skip_all "no account"
gen 5000 1 >a
gen 300 2 >b
mkdir -p d/sub/deep
cp a d/one
cp b d/sub/two
cp b d/sub/deep/three
mega-put -qr a b d / >/dev/null
file=$(mega-link /a)
folder=$(mega-link /d)
session=$XDG_STATE_HOME/megapipe/session.json

# sees LINK: what is in a folder link, for anybody, in one line.
sees()
{
	mega-ls --session none -R "$1" | sort | tr '\n' ' '
}

# reads NAME LINK FILE: anybody can read what the link leads to.
reads()
{
	mega-cat --session none "$2" >got 2>got.err
	same "$1" got "$3"
}

# handle PATH
handle()
{
	mega-ls -jd "$1" | jq -r .handle
}

# wrong LINK: the same with another key.
wrong()
{
	case $1 in
	*#A*) echo "${1%#*}#B${1#*#?}";;
	*) echo "${1%#*}#A${1#*#?}";;
	esac
}

# ---- every spelling

ph=${file#*/file/}
key=${ph#*#}
ph=${ph%#*}
fh=${folder#*/folder/}
fkey=${fh#*#}
fh=${fh%#*}
one=$(handle /d/one)
sub=$(handle /d/sub)

cat >files <<E
https://mega.nz/file/$ph#$key
https://mega.co.nz/file/$ph#$key
http://www.mega.nz/file/$ph#$key
https://mega.app/file/$ph#$key
mega.nz/file/$ph#$key
https://mega.nz/#!$ph!$key
https://mega.co.nz/#!$ph!$key
https://mega.nz/embed/$ph#$key
https://mega.nz/embed#!$ph!$key
https://mega.nz/#%21$ph%21$key
https%3A%2F%2Fmega.nz%2Ffile%2F$ph%23$key
<https://mega.nz/file/$ph#$key>
"https://mega.nz/file/$ph#$key"
(https://mega.nz/file/$ph#$key)
[https://mega.nz/file/$ph#$key]
 https://mega.nz/file/$ph#$key 
#!$ph!$key
$ph#$key
$ph!$key
E
while IFS= read -r l; do
	reads "as an operand: $(echo "$l" | sed "s/$key/KEY/")" "$l" a
done <files
mega-link -i --session none - <files >got 2>got.err
is "all of them on standard input" "$(sort got | uniq -c | tr -s ' ')" \
    " $(wc -l <files | tr -d ' ') file 5000 1 0 a"
is "none of them fails" "$(cat got.err)" ""

is "a folder, new" "$(sees "https://mega.nz/folder/$fh#$fkey")" \
    "/one /sub /sub/deep /sub/deep/three /sub/two "
is "a folder, old" "$(sees "https://mega.nz/#F!$fh!$fkey")" \
    "/one /sub /sub/deep /sub/deep/three /sub/two "
is "a folder, bare" "$(sees "$fh#$fkey")" \
    "/one /sub /sub/deep /sub/deep/three /sub/two "
for l in "$folder/folder/$sub" "https://mega.nz/#F!$fh!$fkey!$sub" \
    "$folder:/sub"; do
	is "a folder in it: $(echo "$l" | sed "s/$fkey/KEY/")" "$(sees "$l")" \
	    "/sub/deep /sub/deep/three /sub/two "
done
for l in "$folder/file/$one" "https://mega.nz/#F!$fh!$fkey?$one" \
    "$folder:/one" "$folder/folder/$sub:/../one"; do
	case $l in
	*..*) exits 3 "two dots lead nowhere" mega-cat --session none "$l";;
	*) reads "a file in it: $(echo "$l" | sed "s/$fkey/KEY/")" "$l" a;;
	esac
done
reads "a path from the folder that is selected" \
    "$folder/folder/$sub:/deep/three" b
exits 3 "which is where paths begin" \
    mega-cat --session none "$folder/folder/$sub:/sub/two"
exits 3 "no such node in it" mega-ls --session none "$folder/folder/abcdefgh"
exits 2 "a path behind a file" mega-cat --session none "$file:/x"
exits 2 "a file without its key" mega-cat --session none "${file%#*}"
exits 2 "a folder without its key" mega-ls --session none "${folder%#*}"
exits 2 "a key of the wrong length" mega-cat --session none "${file}A"
exits 2 "a collection" mega-cat --session none \
    "https://mega.nz/collection/$fh#$fkey"
is "--old" "$(mega-link --old /d)" "https://mega.nz/#F!$fh!$fkey"

# ---- without an account, and beside one

ok "a folder by its link" mega-get --session none -r -o out "$folder"
ok "all of it" diff -r d out
rm -rf out
ok "a folder in it" mega-get --session none -r -o out "$folder:/sub"
ok "that" diff -r d/sub out
mkdir in
ok "a file in it" mega-get --session none -o in "$folder/file/$one"
same "under its name" in/one a

cp "$session" before
rm serve.log
restart
mega-ls -R "$folder" >/dev/null
mega-get -qr -o out2 "$folder"
mega-cat "$folder:/sub/two" "$file" >/dev/null
mega-link -i "$folder" "$file" "$folder:/sub" >/dev/null
same "links leave the session's file alone" before "$session"
is "and do not use the session" "$(jq -s 'map(select(.sid)) | length' \
    serve.log)" 0
echo "$folder" | mega-link -i --session none -j - >got
conforms "-ij of a folder: as documented" got
is "-ij of a folder" "$(jq -c '[.name,.type,.size,.files,.folders,.link]' \
    got)" "[\"d\",\"folder\",5600,3,2,\"$folder\"]"
is "-i of a folder" "$(mega-link -i --session none "$folder")" \
    "folder 5600 3 2 d"
is "-i of a folder in it" "$(mega-link -i --session none "$folder:/sub")" \
    "folder 600 2 1 sub"
is "-i of a file in it" "$(mega-link -i --session none "$folder/file/$one")" \
    "file 5000 1 0 one"
mega-link -ij --session none "$folder:/sub/two" "$folder:/sub" "$file" >got
is "-ij: paths begin in the link" "$(jq -r .path got | tr '\n' ' ')" \
    "/sub/two /sub /a "
is "-ij: the link of that, and not of what is around it" \
    "$(jq -r .link got | tr '\n' ' ')" \
    "$folder/file/$(handle /d/sub/two) $folder/folder/$sub $file "
is "-i of a folder of ours" "$(mega-link -i /d/sub)" "folder 600 2 1 sub"
is "-i of the root" "$(mega-link -i / | cut -d' ' -f1-4)" "folder 10900 5 3"
is "-i -0" "$(mega-link -i0 --session none "$file" "$folder" | tr '\0' '|')" \
    "file 5000 1 0 a|folder 5600 3 2 d|"
restart
mega-link -i --session none "$folder" "$file" >/dev/null
is "nothing has been downloaded by it" "$(moved dl)" 0
is "and no list of the folder" "$(asked f)" 0

# ---- what is wrong with a link

for c in "mega-ls -R" "mega-get -r -o x" "mega-cat" "mega-link -i"; do
	case $c in
	mega-cat) l=$folder:/one;;
	*) l=$folder;;
	esac
	exits 10 "$c: a wrong key of a folder" \
	    $c --session none "$(echo "$l" | sed "s/#$fkey/#$key/
	    s/#\(.\{22\}\)[^:]*/#\1/")"
	says "$c: says so" 'key'
	exits 3 "$c: a dead folder" \
	    $c --session none "$(echo "$l" | sed "s/$fh/abcdefgh/")"
	is "$c: shows no key" "$(grep -ce "$fkey" .err)" 0
done
for c in mega-ls "mega-get -o x" mega-cat "mega-link -i"; do
	exits 10 "$c: a wrong key of a file" \
	    $c --session none "$(wrong "$file")"
	exits 3 "$c: a dead file" \
	    $c --session none "https://mega.nz/file/abcdefgh#$key"
done
ls x >/dev/null 2>&1
is "nothing is written" $? 2
restart --take-down "$ph" --take-down "$fh"
for c in mega-ls "mega-get -o x" mega-cat "mega-link -i"; do
	exits 11 "$c: a file that was taken down" $c --session none "$file"
	says "$c: says so" 'taken down'
done
for c in mega-ls "mega-get -r -o x" "mega-link -i" "mega-put b"; do
	exits 11 "$c: a folder that was taken down" \
	    $c --session none "$folder"
done
exits 11 "mega-cat: a folder that was taken down" \
    mega-cat --session none "$folder:/one"
is "-j: the name for it" "$(mega-link -ij --session none "$file" 2>&1 |
    jq -r .error.name)" refused
exits 11 "mega-cp: a file that was taken down" mega-cp "$file" /taken
exits 11 "mega-cp: a folder that was taken down" mega-cp -r "$folder" /taken

# Links answer -6 for the same.
restart --fault cs:g=-6 --fault cs:f=-6 --fault cs:pli=-6
for c in mega-ls "mega-get -o x" mega-cat "mega-link -i"; do
	exits 11 "$c: a file with -6" $c --session none "$file"
	says "$c: says so" 'taken down'
done
for c in mega-ls "mega-get -r -o x" "mega-link -i"; do
	exits 11 "$c: a folder with -6" $c --session none "$folder"
done
restart --fault cs:g=-6
exits 11 "mega-cp: a file with -6" mega-cp "$file" /taken
restart

# ---- what comes later

# fill FOLDER: put something into it in every way that there is.
cat >fill.sh <<'E'
fill()
{
	mega-put -q a b "$1/" >/dev/null
	mega-put -q a "$1/b" >/dev/null
	mega-put -qr d "$1/" >/dev/null
	echo data | mega-put -q - "$1/stdin" >/dev/null
	mega-mkdir -p "$1/made/in"
	mega-mkdir /from
	mega-put -qr d /from/ >/dev/null
	mega-put -q b /from/file >/dev/null
	mega-mv /from/d "$1/moved"
	mega-cp /from/file "$1/made/copied"
	mega-cp -r "$1/d" "$1/made/in"
	mega-cp "$(mega-link /from/file)" "$1/imported"
	mega-cp -r "$(mega-link "$1/moved"):/sub" "$1/imported.d"
	mega-sync -q up d "$1/synced" >/dev/null
	mega-mv /from/file "$1/made/renamed"
	mega-mv "$1/made/renamed" "$1/renamed"
}
E
. ./fill.sh

mega-mkdir /e /e/in /f /f/tree
mega-put -q a /f/tree/ >/dev/null
mega-put -q b /f/file >/dev/null
folder=$(mega-link /e)
mega-put -q a /e/in/put >/dev/null
reads "mega-put" "$folder:/in/put" a
mega-put -q b /e/in/put >/dev/null
reads "mega-put: a new version" "$folder:/in/put" b
: >nothing
mega-put -q nothing /e/ >/dev/null
reads "mega-put: an empty file" "$folder:/nothing" nothing
mega-put -qr d /e/ >/dev/null
reads "mega-put -r" "$folder:/d/sub/deep/three" b
mega-put -qp a /e/p/q/ >/dev/null
reads "mega-put -p" "$folder:/p/q/a" a
echo data | mega-put -q - /e/stdin >/dev/null
reads "mega-put -" "$folder:/stdin" - <<E
data
E
mega-put -q --link b /e/linked >linked
reads "mega-put --link" "$folder:/linked" b
reads "mega-put --link: its own link" "$(cat linked)" b
mega-mkdir -p /e/m/n
is "mega-mkdir" "$(sees "$folder:/m")" "/m/n "
mega-mv /f/tree /e/
reads "mega-mv: a folder" "$folder:/tree/a" a
mega-mv /f/file /e/in/moved
reads "mega-mv: a file, renamed" "$folder:/in/moved" b
mega-mv /e/in/moved /e/in/renamed
reads "mega-mv: a name alone" "$folder:/in/renamed" b
inner=$(mega-link /e/in)
result "$([ "$inner" != "$folder" ]; echo $?)" "a folder within has its own"
mega-put -q a /e/in/both >/dev/null
reads "what comes is in one" "$inner:/both" a
reads "and in the other" "$folder:/in/both" a
mega-mv /e/in /f/
exits 3 "what goes is gone from one" mega-ls --session none "$folder:/in"
reads "and there in the other" "$inner:/both" a
is "no name is missing" "$(mega-ls --session none -R "$folder" |
    grep -c H:)" 0
mega-link -d /e
exits 3 "an end" mega-ls --session none "$folder"
again=$(mega-link /e)
result "$([ "$again" != "$folder" ]; echo $?)" "another beginning"
reads "with all that is there" "$again:/d/sub/two" b
mega-put -q b /e/after >/dev/null
reads "and what comes" "$again:/after" b

# ---- writable

drop=$(mega-link --writable /e)
is "has one part more" "$(echo "$drop" |
    grep -cE '#[A-Za-z0-9_-]{22}:[A-Za-z0-9_-]{22}$')" 1
is "the same again" "$(mega-link --writable /e)" "$drop"
is "the plain one has not changed" "$(mega-link /e)" "$again"
ok "anybody puts a file" mega-put --session none a "$drop:/given"
is "its name is told, and can be read" \
    "$(mega-cat --session none "$(cat .out)" | cmp - a && echo same)" same
ok "anybody puts a folder" mega-put -qr --session none d "$drop:/m"
reads "which all see" "$again:/m/d/sub/two" b
mega-cat /e/m/d/one /e/given >got
cat a a >want
same "the owner, too" got want
ok "many at a time" mega-put -q --session none a b d/one "$drop:/m/n"
is "are there" "$(mega-ls /e/m/n | wc -l | tr -d ' ')" 3
ok "it can be read like any other" mega-ls --session none "$drop"
exits 11 "the other does not allow it" \
    mega-put --session none a "$again:/never"
exits 11 "nor a wrong authorisation" \
    mega-put --session none a "${drop%:*}:AAAAAAAAAAAAAAAAAAAAAA:/never"
exits 2 "nor a file's link" mega-put --session none a "$file"
exits 2 "a file cannot be writable" mega-link --writable /a
exits 2 "a locked link cannot, either" \
    mega-link --writable --password-file account /e
exits 2 "nothing in it gets a link of its own" \
    mega-put --session none --link a "$drop:/nolink"
exits 3 "and is not put there" mega-cat --session none "$drop:/nolink"

# ---- locked

echo 'open sesame' >pw
echo 'close sesame' >pw2
locked=$(mega-link --password-file pw /b)
flocked=$(mega-link --password-file pw /e)
is "a file" "$(expr "$locked" : 'https://mega.nz/#P![A-Za-z0-9_-]*$')" 158
is "a folder" "$(expr "$flocked" : 'https://mega.nz/#P![A-Za-z0-9_-]*$')" 137
is "never twice the same" \
    "$([ "$(mega-link --password-file pw /b)" = "$locked" ]; echo $?)" 1
is "its key is not in it" "$(echo "$flocked" | grep -ce "${again#*#}")" 0
ok "mega-cat" mega-cat --session none --password-file pw "$locked"
same "mega-cat: what it is" .out b
ok "mega-get" mega-get --session none --password-file pw -o got2 "$locked"
same "mega-get: what it is" got2 b
ok "mega-ls" mega-ls --session none --password-file pw "$flocked"
is "mega-ls: what is in it" "$(grep -c '^/after$' .out)" 1
ok "a path behind it" mega-cat --session none --password-file pw \
    "$flocked:/after"
same "a path behind it: what it is" .out b
ok "the password on standard input, then links" sh -c \
    "(cat pw; echo '$locked') | mega-cat --session none --password-file - -"
same "both are read" .out b
for c in mega-ls "mega-get -o x" mega-cat "mega-link -i"; do
	exits 10 "$c: a wrong password" $c --password-file pw2 "$locked"
	says "$c: says so" 'wrong password'
	exits 4 "$c: none" setsid -w $c --session none "$locked"
	is "$c: the link is not shown" "$(grep -ce "${locked#*!}" .err)" 0
	exits 12 "$c: a file that is not there" $c --password-file no "$locked"
done
exits 2 "one that has been cut" mega-cat --password-file pw "${locked%????????}"

# Version 1, which had key and message the other way round.
perl -MMIME::Base64=encode_base64url,decode_base64url \
    -MDigest::SHA=hmac_sha256,hmac_sha512 -e '
	my ($password, $link) = @ARGV;
	my $raw = decode_base64url($link =~ s/.*!//r);
	my $u = my $d = hmac_sha512(substr($raw, 8, 32) . pack("N", 1),
	    $password);
	$d ^= $u = hmac_sha512($u, $password) for 2 .. 100000;
	my $body = chr(1) . substr($raw, 1, -32);
	print "https://mega.nz/#P!", encode_base64url($body .
	    hmac_sha256(substr($d, 32), $body)), "\n"' \
    'open sesame' "$locked" >v1
is "version 1" "$(mega-link -i --session none --password-file pw - <v1)" \
    "file 300 1 0 b"
exits 10 "version 1: a wrong password" \
    mega-link -i --password-file pw2 "$(cat v1)"

# ---- for a time

later=$(($(date +%s) + 86400))
mega-link -qj --expire 1d /d/sub >got
for c in "mega-link -j /d/sub" "mega-link -lj" "mega-link -ij /d/sub" \
    "mega-ls -jd /d/sub"; do
	$c >>got
done
is "-j: when it will end" "$(jq -r 'select(.path == "/d/sub").expires |
    fromdate - '$later' | . >= 0 and . < 60' got | uniq -c | tr -s ' ')" \
    " 5 true"
is "others do not end" "$(jq -r 'select(.path != "/d/sub").expires' got |
    uniq)" null
mega-link -lv >got 2>got.err
is "-v: when it will end" "$(sed 's/T.*Z$//' got.err)" \
    "mega-link: /d/sub: ends $(date -ud @$later +%Y-%m-%d)"
short=$(mega-link --expire 2s /d/sub)
reads "still there" "$short:/two" b
await sh -c "! mega-ls --session none '$short' >/dev/null 2>&1"
exits 3 "gone" mega-ls --session none "$short"
exits 3 "gone for -i" mega-link -i --session none "$short"
exits 2 "a date that is over" mega-link --expire 2001-01-01 /b
exits 2 "a date that there is not" mega-link --expire 2030-13-41 /b
exits 2 "a date with something behind it" mega-link --expire 2030-12-31x /b
exits 2 "none" mega-link --expire '' /b
restart --fault cs:l=-11x1
exits 11 "an account that may not" mega-link -j --expire 7d /b
is "-j: what the service said" "$(jq -c '.error | [.name, .api]' .err)" \
    '["refused",-11]'

# ---- very many

mkdir many
i=0
while [ $i -lt 1000 ]; do
	: >many/$i
	i=$((i + 1))
done
mega-put -qr many / >/dev/null
restart
ok "1,000 links from standard input" sh -c 'mega-ls /many | mega-link -'
is "as many" "$(sort -u .out | wc -l | tr -d ' ')" 1000
cp .out links
n=$(jq -s 'map(select(.kind == "cs" or .kind == "sc")) | length' serve.log)
result "$([ "$n" -lt 10 ]; echo $?)" "in under 10 requests"
echo "# $n requests"
mega-ls /many >names
mega-link -i --session none - <links >got
cut -d' ' -f5- got | sed 's|^|/many/|' >got.names
same "in the order of the operands" got.names names
n=$(jq -s 'map(select(.kind == "cs")) | length' serve.log)
result "$([ "$n" -lt 20 ]; echo $?)" "-i: as few"
ok "removed as they are" mega-link -d - <names
n=$(jq -s 'map(select(.kind == "cs")) | length' serve.log)
result "$([ "$n" -lt 30 ]; echo $?)" "-d: as few"
is "-l knows" "$(mega-link -l | grep -c /many)" 0

# ---- other people's clients

MEGAJS=${MEGAJS:-$SRC/build/interop}
export MEGAJS
mj()
{
	MEGA_USERNAME=$U MEGA_PASSWORD=$(cat "$T/account") \
	    node "$SRC/tests/interop/megajs.js" "$@"
}
if command -v node >/dev/null && [ -d "$MEGAJS/node_modules/megajs" ]; then
	restart
	mega-mkdir /theirs /ours
	mega-put -q b /theirs/before >/dev/null
	mega-put -q b /ours/before >/dev/null
	mega-mkdir /full
	theirs=$(mj link /theirs)
	ours=$(mega-link /ours)
	mj put a /theirs/js
	mj mkdir /theirs/sub
	mega-put -q a /theirs/sub/put >/dev/null
	mega-mkdir /theirs/made
	is "a folder that megajs has linked" "$(sees "$theirs")" \
	    "/before /js /made /sub /sub/put "
	reads "what it puts there" "$theirs:/js" a
	reads "what we put there" "$theirs:/sub/put" a
	is "megajs sees the same" "$(mj folder-link "$theirs" | sort |
	    tr '\n' ' ')" "/before 300 /js 5000 /made/ /sub/ /sub/put 5000 "
	mj put a /ours/js
	mj mkdir /ours/sub
	mega-put -q a /ours/sub/put >/dev/null
	mega-put -qr d /ours/ >/dev/null
	is "megajs sees what we have linked, and what came later" \
	    "$(mj folder-link "$ours" | sort | tr '\n' ' ')" \
	    "/before 300 /d/ /d/one 5000 /d/sub/ /d/sub/deep/ /d/sub/deep/three 300 /d/sub/two 300 /js 5000 /sub/ /sub/put 5000 "
	mj folder-get "$ours" /d/sub/two got
	same "megajs reads it" got b
	mj folder-get "$ours" /sub/put got
	same "megajs reads it in its own folder" got a
	reads "we read what megajs puts there" "$ours:/js" a
	mega-mv /ours/d /theirs/
	mj folder-get "$theirs" /d/one got
	same "megajs reads what has been moved there" got a
	mj dl "$(mega-link --old /b)" got
	same "megajs reads an old link of ours" got b
	full=$(mega-link /full)
	fill /full
	mega-get -qr -o full /full
	(cd full && find . -mindepth 1 \( -type d -printf '/%P/\n' -o \
	    -printf '/%P %s\n' \)) | sort >want
	mj folder-link "$full" | sort >got
	same "megajs sees what any program has put into a folder" got want
	(cd full && find . -type f -printf '/%P\n') >files
	while read -r f; do
		mj folder-get "$full" "$f" got && cmp got "full$f" || break
		echo "$f"
	done <files >read
	same "megajs reads all of it" read files
	mega-link --writable /ours >drop
	mega-put -q --session none a "$(cat drop):/dropped" >/dev/null
	mj folder-get "$ours" /dropped got
	same "megajs reads what a writable link has brought" got a
	mj get /ours/dropped got
	same "so does its owner by megajs" got a
	mega-link -d /ours
	exits 1 "megajs: an end" mj folder-link "$ours"
	mj unlink /theirs
	exits 3 "an end by megajs" mega-ls --session none "$theirs"
	is "and no link is left" "$(mega-link -l | grep -c ' /theirs$')" 0
else
	skip "megajs" "not installed below $MEGAJS"
fi
serve_stop

. "$SRC/tests/interop/megatools.sh"
why=$(megatools_why)
if [ -n "$why" ]; then
	skip "megatools" "$why"
	done_testing
fi
MT_USER=$U
MT_PASSWORD=$(cat account)
export MT_USER MT_PASSWORD
mega-logout 2>/dev/null
# Each line of "told" is a status and what it is about.  megatools reads
# only new links of folders, and adds no keys of shares.
# shellcheck disable=SC2016
megatools_session '
	tell() { echo "$? $1" >>told; }
	export MEGA_API_URL=https://g.api.mega.co.nz
	export SSL_CERT_FILE=$PWD/tls/bundle.pem
	mega-login --password-file account "$MT_USER"
	mega-mkdir /ours && mega-put -q b /ours/before >/dev/null
	mega-link /ours >link
	mega-put -q a /ours/later >/dev/null && mega-put -qr d /ours/ >/dev/null
	mkdir mtf && mtp dl --no-progress --path mtf "$(cat link)" >/dev/null
	tell "megatools: a folder link"
	cmp mtf/before b && cmp mtf/later a && diff -r mtf/d d
	tell "megatools: with what came later"
	mega-mkdir /full && mega-link /full >link
	. ./fill.sh && fill /full && mega-get -qr -o full.ours /full
	mkdir full.mt &&
	    mtp dl --no-progress --path full.mt "$(cat link)" >/dev/null
	diff -r full.ours full.mt && test -s full.mt/synced/sub/two
	tell "megatools: with what any program has put into a folder"
	mega-link /ours/later >link
	rm -f got
	mtp dl --no-progress --path got "$(cat link)" && cmp got a
	tell "megatools: a file link"
	mega-link --old /ours/later >link
	rm -f got
	mtp dl --no-progress --path got "$(cat link)" && cmp got a
	tell "megatools: an old one"
	mt export /Root/ours/before >link
	mega-cat --session none "$(cat link)" | cmp - b
	tell "its link of a file"
	mega-link -i --session none - <link | grep -qx "file 300 1 0 before"
	tell "what it is"
	mt put --no-progress --path /Root/ours/mt b
	mega-link /ours >link
	mega-ls --session none "$(cat link)" >seen && grep -qx /later seen
	tell "what it puts into a folder spoils no link"
' --account "$U:$T/account" >.out 2>.err
result $? "the server for megatools"
sed 's/^/# /' .err
while read -r st name; do
	result "$st" "$name"
done <told

done_testing
