# mega-link: links that work until they are removed.

. tests/lib.sh

MEGA_TIMEOUT=3
export MEGA_TIMEOUT
serve -d "$T/state"
mega-anon || skip_all "no account"
gen 5000 1 >a
gen 100 2 >b
mkdir -p d/sub
cp b d/sub/x
: >d/empty
touch -d @1500000000 a
mega-put -qr a b d / >/dev/null

# Files.

ok "a link" mega-link /a
is "looks like one" \
    "$(grep -cE '^https://mega\.nz/file/[A-Za-z0-9_-]{8}#[A-Za-z0-9_-]{43}$' \
    .out)" 1
link=$(cat .out)
mega-cat --session none "$link" >got
same "works for anybody" a got
is "the same again" "$(mega-link /a)" "$link"
is "by handle" "$(mega-link "H:$(mega-ls -jd /a | jq -r .handle)")" "$link"
is "in its old form" "$(mega-link --old /a)" \
    "https://mega.nz/#!$(echo "${link#*/file/}" | tr '#' '!')"
is "-0" "$(mega-link -0 /a /b | tr -dc '\000' | wc -c | tr -d ' ')" 2

n=$(jq -c .commands serve.log | wc -l)
ok "many" mega-link /a /b /a /d/sub/x /d/empty
is "many: in order" "$(sed -n '1p;3p' .out | uniq)" "$link"
is "many: one request or two" \
    "$(($(jq -c .commands serve.log | wc -l) - n < 4))" 1

exits 3 "one is missing" mega-link /a /nope /b
is "the others are there" "$(wc -l <.out | tr -d ' ')" 2
is "one line about it" "$(cat .err)" "mega-link: /nope: not found"
exits 3 "with -j" mega-link -j /nope /a
is "the failure" "$(jq -c '.error | [.operand, .exit, .name]' .err)" \
    '["/nope",3,"not-found"]'
is "the success" "$(jq -c '[.path, .name, .size, .link]' .out)" \
    "[\"/a\",\"a\",5000,\"$link\"]"
exits 2 "a link" mega-link "$link"
exits 2 "the root" mega-link /
ok "operands from standard input" sh -c 'mega-ls -j / |
    jq -c "select(.type == \"file\")" | mega-link -'
is "all of them" "$(wc -l <.out | tr -d ' ')" 2
folder=$(mega-link /d)
is "mega-ls -j has them" "$(mega-ls -jd /a /b /d/sub /d | jq -r .link)" "$link
$(mega-link /b)
null
$folder"
is "such an object is still the node" "$(mega-ls -jd /a /d | mega-ls -d -)" \
    "/a
/d"
is "and what is in a link is that" "$(mega-ls -j "$folder" |
    mega-ls -d --full -)" "$(mega-ls --full "$folder")"
mega-link -d /d
exits 12 "nowhere to print to" sh -c 'exec mega-link /a >/dev/full'

# What is it?

ok "-i, without an account" mega-link -i --session none "$link"
is "-i: type, size, files, folders, name" "$(cat .out)" "file 5000 1 0 a"
ok "-ij" mega-link -ij "$link"
conforms "-ij: as documented" .out
is "-ij: all that there is" "$(jq -c '[.name, .type, .size, .mtime, .link]' \
    .out)" "[\"a\",\"file\",5000,\"2017-07-14T02:40:00Z\",\"$link\"]"
n=$(moved dl)
is "-i downloads nothing" "$(moved dl)" "$n"
case $link in
*#A*) wrong=${link%#*}#B${link#*#?};;
*) wrong=${link%#*}#A${link#*#?};;
esac
exits 10 "-i, a wrong key" mega-link -i "$wrong"
is "-i, a wrong key: is not shown" "$(grep -ce "${wrong#*#}" .err)" 0
exits 3 "-i, no such link" mega-link -i "https://mega.nz/file/abcdefgh#${link#*#}"
exits 2 "-i, no key" mega-link -i "${link%#*}"
exits 3 "-i, one good, one not" mega-link -i "$link" \
    "https://mega.nz/file/abcdefgh#${link#*#}"
is "-i, one good" "$(cat .out)" "file 5000 1 0 a"
ok "-i of a path" mega-link -i /b
is "-i of a path: the same words" "$(cat .out)" "file 100 1 0 b"

# Folders.

ok "a folder's link" mega-link /d
folder=$(cat .out)
is "looks like one" "$(echo "$folder" |
    grep -cE '^https://mega\.nz/folder/[A-Za-z0-9_-]{8}#[A-Za-z0-9_-]{22}$')" 1
is "the same again" "$(mega-link /d)" "$folder"
ok "anybody can list it" mega-ls --session none -R "$folder"
is "is all there" "$(sort .out | tr '\n' ' ')" "/empty /sub /sub/x "
ok "anybody can get it" mega-get --session none -r -o out "$folder"
ok "the same" diff -r d out
ok "or a file in it" mega-cat --session none "$folder:/sub/x"
same "a file in it" .out b
ok "-i of a folder" mega-link -i --session none "$folder"
is "-i of a folder: type and name" "$(grep -c '^folder .* d$' .out)" 1
ok "a file that comes later is in it" mega-put a /d/sub/
is "is found" "$(mega-cat --session none "$folder:/sub/a" | wc -c |
    tr -d ' ')" 5000
exits 3 "what is not in it" mega-cat --session none "$folder:/nope"

ok "a writable link" mega-link --writable /d
writable=$(cat .out)
ok "anybody can put into it" mega-put --session none b "$writable"
is "is there" "$(mega-ls /d | grep -c '^/d/b$')" 1
is "and can be read" "$(mega-cat /d/b | cmp - b && echo same)" same
exits 11 "not with the other" mega-put --session none a "$folder"

echo 'open sesame' >pw
echo 'close sesame' >pw2
ok "a locked link" mega-link --password-file pw /a
locked=$(cat .out)
is "looks like one" "$(grep -c '^https://mega\.nz/#P!' .out)" 1
exits 4 "does not open without the password" mega-cat "$locked" </dev/null
ok "mega-cat opens it" mega-cat --session none --password-file pw "$locked"
same "mega-cat opens it: the data" .out a
ok "mega-get, too" \
    mega-get --session none --password-file pw -o unlocked "$locked"
same "mega-get, too: the data" unlocked a
exits 10 "mega-get, with another password" \
    mega-get --session none --password-file pw2 -o locked "$locked"
ok "then there is no file" test ! -e locked
ok "a locked folder" mega-link --password-file pw /d
ok "a locked folder opens" \
    mega-get --session none --password-file pw -r -o unlocked.d "$(cat .out)"
ok "a locked folder: all of it" test -f unlocked.d/sub/x
ok "-i opens it with the password" mega-link -i --password-file pw "$locked"
is "-i: what it is" "$(cat .out)" "file 5000 1 0 a"
exits 10 "not with another" mega-link -i --password-file pw2 "$locked"

ok "-l: all links" mega-link -l
is "-l: which" "$(sed 's/.* //' .out | sort | tr '\n' ' ')" \
    "/a /b /d /d/empty /d/sub/x "
is "-lj" "$(mega-link -lj | jq -r 'select(.path == "/a").link')" "$link"

# Gone again.

ok "-d" mega-link -d /a
is "is silent" "$(cat .out .err)" ""
exits 3 "the link is dead" mega-cat --session none "$link"
exits 3 "for -i, too" mega-link -i "$link"
exits 3 "there is none any more" mega-link -d /a
ok "-d of a folder" mega-link -d /d
exits 3 "the folder's link is dead" mega-ls --session none "$folder"
ok "its files are still there" mega-cat /d/sub/x
ok "a new one" mega-link /a
result "$([ "$(cat .out)" != "$link" ]; echo $?)" "is another"
result "$([ "$(sed 's/.*#//' .out)" = "${link#*#}" ]; echo $?)" \
    "with the same key"

# Wrong usage.

exits 2 "no operand" mega-link
exits 2 "-d and -i" mega-link -d -i /a
exits 2 "an unknown option" mega-link --all /a
exits 4 "without a session" mega-link --session none /a
exits 2 "a time that is none" mega-link --expire soon /a
exits 12 "a password file that is not there" \
    mega-link --password-file nowhere /a
exits 5 "nobody there" env MEGA_API_URL=http://127.0.0.1:1 mega-link -i "$link"
is "nobody there: its key is not shown" "$(grep -ce "${link#*#}" .err)" 0

done_testing
