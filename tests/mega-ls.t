# mega-ls: what is there is listed, at once and right, whatever happened.

. tests/lib.sh

MEGA_TIMEOUT=5
export MEGA_TIMEOUT

# requests WORD: how many requests with that command the server has seen.
requests()
{
	jq -r '.kind, .commands[]' "$T/serve.log" | grep -c "^$1\$"
}

exits 2 "a wrong option" mega-ls --nonsense
exits 4 "no session" mega-ls
says "no session: said so" '^mega-ls: /: '
exits 4 "no session, JSON" mega-ls -j /
cp .err errors.json
conforms "failures are as documented" errors.json

serve -d "$T/state"
mega-anon || skip_all "no account"

ok "an empty account" mega-ls
is "an empty account is silent" "$(cat .out .err)" ""
ok "the root itself" mega-ls -d /
is "is a slash" "$(cat .out)" /
ok "the other roots" mega-ls -d //bin //in
is "are what they are called" "$(cat .out)" "//bin
//in"

# A tree.

mkdir -p src/b/c/d src/empty
gen 100 >src/a
gen 2000 >src/b/x
gen 3000000 >src/b/c/y
: >src/b/c/d/z
touch -d @1500000000 src/a
mega-put -rq src/a src/b src/empty / >/dev/null

ok "a folder" mega-ls /
is "a folder: sorted, one a line" "$(cat .out)" "/a
/b
/empty"
is "without an operand it is the root" "$(mega-ls)" "$(cat .out)"
is "a path without a slash" "$(mega-ls b)" "/b/c
/b/x"
is "slashes" "$(mega-ls ///b//c/)" "/b/c/d
/b/c/y"
is "a file" "$(mega-ls /b/x)" /b/x
is "a folder itself" "$(mega-ls -d /b/c)" /b/c
is "an empty folder" "$(mega-ls /empty)" ""
is "everything" "$(mega-ls -R /)" "/a
/b
/b/c
/b/c/d
/b/c/d/z
/b/c/y
/b/x
/empty"
is "everything in a folder" "$(mega-ls -R /b/c)" "/b/c/d
/b/c/d/z
/b/c/y"
is "long" "$(mega-ls -ld /a | tr -s ' ' | cut -d' ' -f1-3,5-)" \
    "file 100 2017-07-14T02:40:00Z /a"
is "long, a folder" "$(mega-ls -ld /b | awk '{ print $1, $2, $5 }')" \
    "folder - /b"
is "human" "$(mega-ls -lhd /b/c/y /b/x /a | awk '{ print $2 }')" "2.9M
2.0K
100"
h=$(mega-ls -ld /b | awk '{ print $4 }')
is "by handle" "$(mega-ls "$h")" "/b/c
/b/x"
is "below a handle" "$(mega-ls "$h/c/y")" /b/c/y
is "NUL" "$(mega-ls -0 /b | tr '\0' '|')" "/b/c|/b/x|"

exits 3 "a path that is not there" mega-ls /nope
says "a path that is not there: said so" '^mega-ls: /nope: not found$'
exits 3 "nor below a file" mega-ls /a/x
exits 3 "a file with a slash" mega-ls /a/
exits 3 "a handle that is not there" mega-ls H:xxxxxxxx
exits 3 "bad ones among good ones" mega-ls -d /a /nope /b /nope2
is "do not stop these" "$(cat .out)" "/a
/b"
exits 12 "a full device" sh -c 'exec mega-ls -R / >/dev/full'
is "operands from standard input" "$(printf '/a\n\n{"path":"/b/x"}\n' |
    mega-ls -d -)" "/a
/b/x"

mega-ls -jR / >all.json
conforms "JSON is as documented" all.json
is "JSON: paths" "$(jq -r .path all.json)" "$(mega-ls -R /)"
is "JSON: a file" "$(jq -c 'select(.name == "a") |
    [.type, .size, .mtime, (.fingerprint | length), has("link")]' all.json)" \
    '["file",100,"2017-07-14T02:40:00Z",28,false]'
is "JSON: parents are handles" "$(jq -r 'select(.path == "/b/x").parent' \
    all.json)" "$(jq -r 'select(.path == "/b").handle' all.json)"
is "JSON leads back" "$(mega-ls -d - <all.json)" "$(mega-ls -R /)"
mega-ls -jd / //bin //in >roots.json
conforms "JSON of roots" roots.json
is "JSON: roots" "$(jq -r .type roots.json | tr '\n' ' ')" \
    "root rubbish inbox "

# Versions.

echo 1 >v
mega-put v / >/dev/null
sleep 1
echo 22 >v
mega-put v / >/dev/null
sleep 1
echo 333 >v
mega-put v / >/dev/null
is "one file" "$(mega-ls -l /v | awk '{ print $2, $5 }')" "4 /v"
ok "its versions" mega-ls -l --versions /v
is "newest first" "$(awk '{ print $2 }' .out | tr '\n' ' ')" "4 3 2 "
old=$(awk 'END { print $5 }' .out)
case $old in /v#[0-9]*) result 0 "an old one has a path";;
*) result 1 "an old one has a path"; echo "# $old";; esac
is "which leads to it" "$(mega-ls -l "$old" | awk '{ print $2 }')" 2
is "in folders, too" "$(mega-ls -R --versions / | grep -c '^/v')" 3
mega-ls -j --versions /v >versions.json
conforms "JSON of versions" versions.json

# Names with anything in them.

printf x >x
perl -e '
	my @n = ("new\nline", "tab\there", "quo\"te", "sl\\ash", "\xf0\x9f\x98\x80",
	    "\xff\xfe", "  blanks  ", "-R", "*", "\$(x)", "\x1b[31m", "..x",
	    "{\"path\":1}", "H:xxxxxxxx", "\xc2\x85");
	for (@n) { open F, ">", "odd/$_" or die; print F $_ }
' 2>/dev/null || { mkdir odd; perl -e '
	my @n = ("new\nline", "tab\there", "quo\"te", "sl\\ash", "\xf0\x9f\x98\x80",
	    "\xff\xfe", "  blanks  ", "-R", "*", "\$(x)", "\x1b[31m", "..x",
	    "{\"path\":1}", "H:xxxxxxxx", "\xc2\x85");
	for (@n) { open F, ">", "odd/$_" or die; print F $_ }
'; }
mega-put -rq odd / >/dev/null
n=$(find odd -type f -print0 | tr -cd "\0" | wc -c)
mega-ls -0R /odd >odd.txt
is "as many as there are" "$(tr -cd '\0' <odd.txt | wc -c)" "$n"
(cd odd && find . -type f -print0 | sed -z 's|^\.|/odd|' | LC_ALL=C sort -z) \
    >want.txt
same "their bytes are the same" want.txt odd.txt
ok "each leads back" xargs -0 mega-ls -d0 -- <odd.txt
same "to itself" odd.txt .out
ok "through standard input" mega-ls -d0 - <odd.txt
same "just so" odd.txt .out
mega-ls -j /odd >odd.json
conforms "JSON of odd names" odd.json
is "one line each" "$(wc -l <odd.json)" "$n"
ok "which lead back" sh -c 'jq -c . odd.json | mega-ls -d - >odd.out'
is "to as many" "$(wc -l <odd.out)" "$n"
is "bytes that JSON lacks" "$(jq -r 'select(has("name_b64")).name_b64' \
    odd.json)" "__4"
is "and has" "$(jq -rj 'select(.name | contains("\n")).name' odd.json)" \
    "new
line"
ok "lines" mega-ls /odd
is "a newline is escaped" "$(grep -c '^/odd/new\\nline$' .out)" 1
is "other bytes are raw in a pipe" "$(grep -ce "$(printf '\033')" .out)" 1
if script -qec true /dev/null >/dev/null 2>&1; then
	script -qec "mega-ls /odd" /dev/null >tty.txt 2>&1
	is "a terminal sees no escape" "$(grep -ce "$(printf '\033')" tty.txt)" 0
	is "nor C1, nor what is no UTF-8" \
	    "$(LC_ALL=C grep -ce "$(printf '[\205\377]')" tty.txt)" 0
	is "but what they stand for" "$(grep -c '\\x1b\[31m' tty.txt)" 1
else
	skip "a terminal" "script is not installed"
fi

# Links.

link=$(mega-link /b)
flink=$(mega-link /a)
cp "$XDG_STATE_HOME/megapipe/session.json" session.json
rm "$XDG_STATE_HOME/megapipe/session.json"
ok "a folder link, without a session" mega-ls "$link"
is "paths are from its root" "$(cat .out)" "/c
/x"
is "all of it" "$(mega-ls -R "$link")" "/c
/c/d
/c/d/z
/c/y
/x"
is "a path in it" "$(mega-ls "$link:/c")" "/c/d
/c/y"
is "a file in it" "$(mega-ls -l "$link:/c/y" | awk '{ print $1, $2, $5 }')" \
    "file 3000000 /c/y"
is "itself" "$(mega-ls -d "$link")" /
mega-ls -R --full "$link" >full.txt
is "--full" "$(sed -n 1p full.txt)" "$link:/c"
is "which leads back" "$(mega-ls -d --full - <full.txt)" "$(cat full.txt)"
mega-ls -jR "$link" >link.json
conforms "JSON of a link" link.json
is "JSON: link" "$(jq -r .link link.json)" "$(cat full.txt)"
is "JSON leads back" "$(mega-ls -d --full - <link.json)" "$(cat full.txt)"
sub=$(jq -r 'select(.path == "/c").handle' link.json)
is "a folder that the link selects" "$(mega-ls "$link/folder/$sub")" "/c/d
/c/y"
is "the old form" "$(mega-ls "$(echo "$link" |
    sed 's|/folder/\(.*\)#|/#F!\1!|')")" "/c
/x"
exits 3 "what is not in it" mega-ls "$link:/nope"
key=$(mega-ls "$link:/nope" 2>&1 | grep -ce "${link#*#}")
is "a message does not hold the key" "$key" 0
exits 10 "a wrong key" mega-ls "${link%?????}AAAAA"
exits 2 "no key" mega-ls "${link%#*}"
exits 3 "a dead link" mega-ls "https://mega.nz/folder/xxxxxxxx#${link#*#}"
exits 2 "no link at all" mega-ls https://mega.nz/nonsense
ok "a file's link" mega-ls -l "$flink"
is "is told about" "$(awk '{ print $1, $2, $4, $5 }' .out)" "file 100 - /a"
is "--full is the link" "$(mega-ls --full "$flink")" "$flink"
mega-ls -j "$flink" >flink.json
conforms "JSON of a file's link" flink.json
is "JSON: its link" "$(jq -r .link flink.json)" "$flink"
exits 10 "a file's link with a wrong key" mega-ls "${flink%?????}AAAAA"
before=$(requests f)
mega-ls "$link:/c" "$link:/c/d" "$link" >/dev/null
is "a link is loaded once by a command" $(($(requests f) - before)) 1
cp session.json "$XDG_STATE_HOME/megapipe/session.json"
before=$(requests sc)
mega-ls "$link" "$flink" >/dev/null
is "links do not touch the account" $(($(requests sc) - before)) 0

# The cache.

cache=$XDG_CACHE_HOME/megapipe
is "its folder is closed" "$(stat -c %a "$cache")" 700
is "its files are" "$(stat -Lc %a "$cache"/*@* | sort -u)" 600
before=$(requests f)
mega-ls / >/dev/null
is "a second listing loads nothing" $(($(requests f) - before)) 0
mega-ls -R / >want.txt
settle
before=$(wc -l <serve.log)
ok "--cached" mega-ls --cached -R /
same "--cached: the same" want.txt .out
is "--cached asks nobody" $(($(wc -l <serve.log) - before)) 0
echo later >later
MEGA_CACHE=$T/other mega-put later / >/dev/null
is "--cached does not know what is new" "$(mega-ls --cached / |
    grep -c later)" 0
settle
before=$(wc -l <serve.log)
is "without it one does" "$(mega-ls / | grep -c later)" 1
settle
is "by one small request" "$(tail -n +$((before + 1)) serve.log |
    jq -c '[.kind, .bytes < 1000]')" '["sc",true]'
is "from then on --cached does" "$(mega-ls --cached / | grep -c later)" 1
ls -la "$cache" >before.txt
ok "nothing on disk" env MEGA_CACHE= TMPDIR="$T/nowhere" mega-ls -R /
mega-ls -R / >want.txt
same "nothing on disk: the same" want.txt .out
exits 12 "nothing is cached" env MEGA_CACHE= mega-ls --cached /
exits 12 "nothing is cached in a new folder" \
    env MEGA_CACHE="$T/fresh" mega-ls --cached /
touch file
ok "a cache that cannot be" env MEGA_CACHE="$T/file/x" mega-ls -R /
same "is done without" want.txt .out
rm -r "$cache"
ok "removed" mega-ls -R /
same "is built again" want.txt .out

db=$(echo "$cache"/*.db)
printf 'damage' | dd of="$db" bs=1 seek=20 conv=notrunc 2>/dev/null
ok "a damaged cache" mega-ls -vR /
same "is built again, too" want.txt .out
says "and said to be, with -v" 'damaged'
db=$(echo "$cache"/*.db)
head -c 30000 "$db" >cut && cat cut >"$db"
ok "one cut short" mega-ls -R /
same "as well" want.txt .out
is "silently without -v" "$(cat .err)" ""
jq '.master_key = "AAECAwQFBgcICQoLDA0ODw"' session.json >other.json
chmod 600 other.json
mega-ls --session other.json / >wrong.txt 2>&1
is "another key's cache is not used" "$(grep -c '^/a$' wrong.txt)" 0
ok "and does no harm" mega-ls -R /
same "to the right one" want.txt .out
serve_stop

serve -d "$T/state" --fault sc:-6@1
jq --arg u "$MEGA_API_URL" '.api = $u' session.json \
    >"$XDG_STATE_HOME/megapipe/session.json"
mega-ls -R / >/dev/null
ok "too old for events" mega-ls -vR /
same "is loaded anew" want.txt .out
serve_stop
serve -d "$T/state" --fault cs:f=-3x2 --fault sc:http=500@1
ok "a busy service" mega-ls -R /
same "is asked again" want.txt .out
mega-logout
exits 4 "after logging out" mega-ls
is "nothing is left of the cache" "$(find "$cache" -name '*.db' |
    grep -ce "${MEGA_API_URL##*:}")" 0
serve_stop

done_testing
