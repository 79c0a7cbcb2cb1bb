#!/bin/sh
# mega-serve: the rules of the protocol by raw requests, and other people's
# clients.

. "${0%/*}/lib.sh"

command -v curl >/dev/null || skip_all "curl is not installed"
command -v node >/dev/null || skip_all "node is not installed"

echo 'correct horse' >"$T/pw"
A=user@example.org

# cs BODY [QUERY]: one command request; the reply is printed.
cs()
{
	curl -s -X POST -d "$1" "$MEGA_API_URL/cs?id=$$.$tap_n.$RANDOM_ID&$2"
	RANDOM_ID=$((RANDOM_ID + 1))
}
RANDOM_ID=1

# field NAME TEXT: the string member of that name in a reply.
field()
{
	printf '%s' "$2" | sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p'
}

# ephemeral: make an account without an address and begin a session; sets
# SID, USER_H, ROOT.
ephemeral()
{
	KEY=$(printf 'AAECAwQFBgcICQoLDA0ODw')
	USER_H=$(cs '[{"a":"up","k":"'$KEY'","ts":"oKGio6SlpqeoqaqrrK2ur88IaoLAt0WnSdqrsop6jbM"}]')
	USER_H=${USER_H#\[\"}
	USER_H=${USER_H%\"\]}
	SID=$(field tsid "$(cs '[{"a":"us","user":"'"$USER_H"'"}]')")
	ROOT=$(cs '[{"a":"f","c":1}]' "sid=$SID" |
	    sed 's/.*"h":"\([^"]*\)","p":"","u":"[^"]*","t":2.*/\1/')
}

# A node's attributes (one block, never decrypted here) and keys.
ATTR=bS0FxSw-SOhe2J38E0CulruUYo_i5rdtBxdZy-UQyX8
FKEY=m7X2AYhPzW9uKbI_gsynelvofi5bRHyUSyHJr3dWwNg
DKEY=A_LDvcqCa_CC18-wNc24wQ

# put_p TOKEN TYPE [MEMBERS]: make a node in $ROOT; the reply is printed.
put_p()
{
	key=$DKEY
	[ "$2" = 0 ] && key=$FKEY
	cs '[{"a":"p","t":"'"$ROOT"'","n":[{"h":"'"$1"'","t":'"$2"',"a":"'$ATTR'","k":"'$key'"'"$3"'}]}]' "sid=$SID"
}

# upload SIZE [V]: ask for an upload; prints its URL.
upload()
{
	field p "$(cs '[{"a":"u","s":'"$1"',"v":'"${2:-1}"'}]' "sid=$SID")"
}

# file SIZE: upload and put a file of that size (below 128 KiB); prints its
# handle.
file()
{
	url=$(upload "$1")
	token=$(gen "$1" | curl -s --data-binary @- "$url/0")
	put_p "$token" 0 | sed 's/.*"h":"\([^"]*\)".*/\1/'
}

status()
{
	curl -s -o "$T/.body" -w '%{http_code}' "$@"
}

# A wait that nothing ends but its time: its reply is looked at last.
serve
ephemeral
sn=$(field sn "$(cs '[{"a":"f","c":1}]' "sid=$SID")")
curl -s -D "$T/idle.head" -o "$T/idle" -d '' \
    "$MEGA_API_URL/wsc/w?sn=$sn&sid=$SID" &
idle=$!

# ---- the program

exits 0 "--help" mega-serve --help
exits 2 "an unknown option" mega-serve --no-such-option
exits 2 "no listening beyond this machine" mega-serve -l 0.0.0.0 -- true
says "and it says how" 'public'
exits 2 "a fault that is none" mega-serve --fault cs:nonsense -- true
exits 12 "a password file that is not there" \
    mega-serve --account $A:/nonexistent -- true
exits 7 "the status of a command" mega-serve -- sh -c 'exit 7'
exits 143 "the signal that ends a command" mega-serve -- sh -c 'kill $$'
exits 127 "a command that is not there" mega-serve -- /nonexistent
mkdir "$T/tmp"
is "a command gets the URL" \
    "$(TMPDIR=$T/tmp mega-serve -- sh -c 'echo "$MEGA_API_URL"' |
    sed 's/[0-9]*$//')" http://127.0.0.1:
is "and nothing stays" "$(ls "$T/tmp")" ""
mkdir "$T/held"
exits 12 "a folder serves one server" mega-serve -d "$T/held" -- \
    mega-serve -d "$T/held" -- true

# ---- requests and replies

serve -d "$T/state" --account $A:$T/pw --account one@example.org:$T/pw:v1
is "version 1" "$(cs '[{"a":"us0","user":"one@example.org"}]')" '[{"v":1}]'
is "version 2" "$(cs '[{"a":"us0","user":"USER@Example.org"}]' |
    sed 's/"s":".\{43\}"/"s":S/')" '[{"v":2,"s":S}]'
is "a stranger's salt is always the same" \
    "$(cs '[{"a":"us0","user":"nobody@example.org"}]')" \
    "$(cs '[{"a":"us0","user":"nobody@example.org"}]')"
is "no JSON" "$(cs 'nonsense')" -2
is "no array" "$(cs '{"a":"us0"}')" -2
is "a command unknown" "$(cs '[{"a":"nosuch"},{"a":"log"}]')" '[-2,0]'
is "a member of another type" "$(cs '[{"a":"us0","user":5}]')" '[-2]'
is "no session" "$(cs '[{"a":"f","c":1}]')" '[-15]'
is "a dead session" "$(cs '[{"a":"ug"}]' sid=nosuch)" -15
is "an empty field in the query" \
    "$(cs '[{"a":"us0","user":"one@example.org"}]' '&&lang=en')" \
    '[{"v":1}]'
is "an unknown folder link" "$(cs '[{"a":"f"}]' n=AAAAAAAA)" -9
is "a wrong password" \
    "$(cs '[{"a":"us","user":"one@example.org","uh":"AAAAAAAAAAA"}]')" '[-9]'
is "an old hash for a new account" \
    "$(cs '[{"a":"us","user":"'$A'","uh":"AAAAAAAAAAA"}]')" '[-8]'
for i in 1 2 3 4 5 6 7 8 9 10; do
	cs '[{"a":"us","user":"one@example.org","uh":"AAAAAAAAAAA"}]'
done >/dev/null
is "too many wrong passwords" \
    "$(cs '[{"a":"us","user":"one@example.org","uh":"AAAAAAAAAAA"}]')" '[-6]'

ephemeral
is "an ephemeral account" "${#USER_H} ${#SID} ${#ROOT}" "11 58 8"
is "its three roots" "$(cs '[{"a":"f","c":1}]' "sid=$SID" |
    grep -o '"t":[0-9]' | tr -d '\n')" '"t":2"t":3"t":4'
curl -s -D "$T/head" -o /dev/null -d '[{"a":"ug"}]' \
    "$MEGA_API_URL/cs?sid=$SID"
ok "JSON says that it is" grep -q '^Content-Type: application/json' "$T/head"
ok "the case of header names" grep -q '^Content-Length: ' "$T/head"
is "a browser may ask" "$(status -X OPTIONS "$MEGA_API_URL/cs")" 204
is "a path unknown" "$(status -X POST "$MEGA_API_URL/cs/rs")" 404
curl -s -0 -D "$T/head" -o /dev/null -d '[{"a":"ug"}]' \
    "$MEGA_API_URL/cs?sid=$SID"
ok "HTTP/1.0 ends with the connection" grep -qi '^Connection: close' "$T/head"

# ---- nodes

dir=$(put_p xxxxxxxx 1 | sed 's/.*"h":"\([^"]*\)".*/\1/')
is "a folder" "${#dir}" 8
is "a key of zeros" "$(DKEY=AAAAAAAAAAAAAAAAAAAAAA put_p xxxxxxxx 1)" '[-14]'
is "a file key that folds to zero" \
    "$(FKEY=A_LDvcqCa_CC18-wNc24wQPyw73KgmvwgtfPsDXNuME put_p "$dir" 0)" \
    '[-14]'
is "attributes of a wrong length" "$(ATTR=bS0FxSw-SOhe2J38E0CulruU \
    put_p xxxxxxxx 1)" '[-2]'
is "no such parent" "$(ROOT=AAAAAAAA put_p xxxxxxxx 1)" '[-9]'
is "no such upload" "$(put_p AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA 0)" '[-9]'
is "no such source" "$(put_p xxxxxxxx 0)" '[-9]'
mine=$SID myroot=$ROOT
ephemeral_2()
{
	USER_H=$(cs '[{"a":"up","k":"'$KEY'","ts":"sKGio6SlpqeoqaqrrK2ur88IaoLAt0WnSdqrsop6jbM"}]')
	USER_H=${USER_H#\[\"}
	USER_H=${USER_H%\"\]}
	SID=$(field tsid "$(cs '[{"a":"us","user":"'"$USER_H"'"}]')")
}
ephemeral_2
is "another's folder" "$(put_p xxxxxxxx 1)" '[-11]'
is "another's node" "$(cs '[{"a":"d","n":"'"$dir"'"}]' "sid=$SID")" '[-11]'
other=$SID SID=$mine ROOT=$myroot
is "several in one" "$(cs '[{"a":"a","n":"'"$dir"'","at":"'$ATTR'"},{"a":"a","n":"AAAAAAAA","at":"'$ATTR'"},{"a":"a","n":"'"$dir"'","at":"AAAA"}]' "sid=$SID")" '[0,-9,-2]'
sub=$(ROOT=$dir put_p xxxxxxxx 1 | sed 's/.*"h":"\([^"]*\)".*/\1/')
is "a folder into itself" \
    "$(cs '[{"a":"m","n":"'"$dir"'","t":"'"$sub"'"}]' "sid=$SID")" '[-10]'
is "a move" "$(cs '[{"a":"m","n":"'"$sub"'","t":"'"$ROOT"'"}]' "sid=$SID")" \
    '[0]'
is "a root stays" "$(cs '[{"a":"d","n":"'"$ROOT"'"}]' "sid=$SID")" '[-11]'
is "undone as a group" "$(cs '[{"a":"d","n":"'"$sub"'"},{"a":"d","n":"AAAAAAAA"}]' "sid=$SID&bc=1")" '[-25,-9]'
is "and the first was undone" "$(cs '[{"a":"d","n":"'"$sub"'"}]' "sid=$SID")" \
    '[0]'

# ---- a request repeated

body='[{"a":"p","t":"'$ROOT'","n":[{"h":"xxxxxxxx","t":1,"a":"'$ATTR'","k":"'$DKEY'"}]}]'
one=$(curl -s -d "$body" "$MEGA_API_URL/cs?id=same&sid=$SID")
is "the same id: the same reply" \
    "$(curl -s -d "$body" "$MEGA_API_URL/cs?id=same&sid=$SID")" "$one"
kill -9 "$SERVE_PID"
wait "$SERVE_PID" 2>/dev/null
serve -d "$T/state"
is "also after a sudden death" \
    "$(curl -s -d "$body" "$MEGA_API_URL/cs?id=same&sid=$SID")" "$one"
is "and it was done once" "$(cs '[{"a":"f","c":1}]' "sid=$SID" |
    grep -o '"t":1' | wc -l | tr -d ' ')" 2

# ---- uploads

is "a negative size" "$(cs '[{"a":"u","s":-1}]' "sid=$SID")" '[-2]'
gen 400000 >"$T/f"
dd if="$T/f" of="$T/p1" bs=131072 count=1 2>/dev/null
dd if="$T/f" of="$T/p2" bs=131072 skip=1 count=2 2>/dev/null
dd if="$T/f" of="$T/p3" bs=131072 skip=3 2>/dev/null
sum()
{
	node -e 'const s = Buffer.alloc(12)
		require("fs").readFileSync(process.argv[1])
		    .forEach((b, i) => s[i % 12] ^= b)
		console.log(s.toString("base64url"))' "$1"
}
url=$(upload 400000 2)
is "a wrong checksum" "$(curl -s --data-binary @"$T/p1" \
    "$url/0?c=AAAAAAAAAAAAAAAA")" -14
is "no boundary" "$(curl -s --data-binary @"$T/p1" "$url/5")" -7
is "an end that is none" "$(curl -s --data-binary @"$T/pw" "$url/0")" -7
is "beyond the end" "$(curl -s --data-binary @"$T/p2" "$url/393216")" -7
is "the last piece first" \
    "$(curl -s --data-binary @"$T/p3" "$url/393216?d=$(sum "$T/p3")")" 0
is "no body without a query" "$(curl -s --data-binary @"$T/p2" \
    "$url/131072" | wc -c | tr -d ' ')" 0
is "a range as others write it" "$(curl -s --data-binary @"$T/p2" \
    "$url/131072-393215")" ""
kill -9 "$SERVE_PID"
wait "$SERVE_PID" 2>/dev/null
port=${MEGA_API_URL##*:}
serve -d "$T/state" -l "127.0.0.1:$port"
curl -s --data-binary @"$T/p1" "$url/0?c=$(sum "$T/p1")" >"$T/token"
is "the piece that completes it, after a sudden death" \
    "$(wc -c <"$T/token" | tr -d ' ')" 36
is "the token ends with a 1" \
    "$(tail -c 1 "$T/token" | od -An -tx1 | tr -d ' ')" 01
curl -s --data-binary @"$T/p2" "$url/131072" >"$T/token2"
same "the token again for any piece" "$T/token" "$T/token2"
token=$(node -e 'console.log(require("fs").readFileSync(process.argv[1])
    .toString("base64url"))' "$T/token")
f=$(put_p "$token" 0 | sed 's/.*"h":"\([^"]*\)".*/\1/')
is "a file" "${#f}" 8
is "one upload, two nodes" "$(put_p "$token" 0 | grep -c '"s":400000')" 1
is "another's token" "$(SID=$other put_p "$token" 0)" '[-11]'
url=$(upload 5)
is "no length" "$(printf 12345 | curl -s -o /dev/null -w '%{http_code}' \
    -H 'Transfer-Encoding: chunked' -H 'Content-Length:' --data-binary @- \
    "$url/0")" 411
token=$(printf 12345 | curl -s --data-binary @- "$url/0")
is "the token of old clients is text" \
    "$(printf %s "$token" | tr -d 'A-Za-z0-9_-' | wc -c | tr -d ' ') ${#token}" \
    "0 36"
url=$(upload 0)
token=$(curl -s -d '' "$url/0")
is "an empty file" "${#token}" 36
is "is one" "$(put_p "$token" 0 | grep -c '"s":0')" 1
is "waiting for 100-continue" "$(printf 12345 | curl -s -H \
    'Expect: 100-continue' --data-binary @- "$(upload 5)/0" |
    wc -c | tr -d ' ')" 36
is "a URL made up" "$(status -d x "$MEGA_API_URL/ul/AAAA/0")" 404

# ---- downloads

url=$(field g "$(cs '[{"a":"g","g":1,"n":"'"$f"'"}]' "sid=$SID")")
is "a range in the path is 200" "$(status "$url/5-9")" 200
is "and those bytes" "$(od -An -tx1 <"$T/.body")" \
    "$(dd if="$T/f" bs=1 skip=5 count=5 2>/dev/null | od -An -tx1)"
is "a range in a header is 206" "$(status -r 5-9 "$url")" 206
is "by POST" "$(status -d '' "$url/0-399999")" 200
same "all of it" "$T/f" "$T/.body"
is "to the end" "$(curl -s "$url/399990-" | wc -c | tr -d ' ')" 10
is "any name behind it" "$(curl -s "$url/name.bin" | wc -c | tr -d ' ')" \
    400000
is "past the end" "$(status "$url/400000-")" 416
is "a URL made up" "$(status "$MEGA_API_URL/dl/AAAA")" 404

# ---- events

sn=$(field sn "$(cs '[{"a":"f","c":1}]' "sid=$SID")")
is "the length of sn" "${#sn}" 11
w=$(field w "$(curl -s -d '' "$MEGA_API_URL/sc?sn=$sn&sid=$SID")")
ok "the old channel says where to wait" test -n "$w"
curl -s "$w" >"$T/waited" &
waiter=$!
w2=$(field w "$(curl -s -d '' "$MEGA_API_URL/wsc?sn=$sn&sid=$SID")")
curl -s -d '' "$w2?sn=$sn&sid=$SID" >"$T/packets" &
poller=$!
st=$(cs '[{"a":"a","n":"'"$dir"'","at":"'$ATTR'"}]' "sid=$SID&v=3")
wait $waiter $poller
st=${st#\[\"}
st=${st%\"\]}
is "both waits end" "$(cat "$T/waited")" 0
ok "the packet has the tag of the reply" \
    grep -q '^{"a":\[{"a":"u","st":"'"$st"'","n":"'"$dir"'"' "$T/packets"
ok "sn comes last" grep -q ',"sn":"[^"]*"}$' "$T/packets"
is "the old channel gives the same" \
    "$(curl -s -d '' "$MEGA_API_URL/sc?sn=$sn&sid=$SID")" "$(cat "$T/packets")"
is "a number of the future" \
    "$(curl -s "$MEGA_API_URL/sc?sn=fwAAAAAAAAA&sid=$SID")" -6
is "a move tells the way" "$(cs '[{"a":"m","i":"abcdefghij","n":"'"$f"'","t":"'"$dir"'"}]' "sid=$SID&v=3" >/dev/null
    sn=$(field sn "$(cat "$T/packets")")
    curl -s "$MEGA_API_URL/sc?sn=$sn&sid=$SID" |
    grep -o '"a":"[dt]","i":"abcdefghij"' | tr '\n' ' ')" \
    '"a":"d","i":"abcdefghij" "a":"t","i":"abcdefghij" '
is "modern p: the nodes are in the packet" "$(cs '[{"a":"p","v":4,"sm":1,"t":"'"$ROOT"'","n":[{"h":"AAAAAAAA","t":1,"a":"'$ATTR'","k":"'$DKEY'"},{"h":"BBBBBBBB","p":"AAAAAAAA","t":1,"a":"'$ATTR'","k":"'$DKEY'"},{"h":"CCCCCCCC","p":"DDDDDDDD","t":1,"a":"'$ATTR'","k":"'$DKEY'"}]}]' "sid=$SID&v=3" |
    sed 's/"[^"]*",/"ST",/')" '[["ST",{"e":{"2":-9},"fh":[]}]]'
is "a string is wrapped for the new dialect" \
    "$(cs '[{"a":"up","k":"'$KEY'","ts":"cKGio6SlpqeoqaqrrK2ur88IaoLAt0WnSdqrsop6jbM"}]' v=3 |
    sed 's/".*"/H/')" '[[0,H]]'

# ---- links

ph=$(cs '[{"a":"l","n":"'"$f"'"}]' "sid=$SID" | tr -d '[]"')
is "a file link" "${#ph}" 8
is "the same again" "$(cs '[{"a":"l","n":"'"$f"'"}]' "sid=$SID")" "[\"$ph\"]"
ok "what it is" test -n "$(cs '[{"a":"g","p":"'"$ph"'"}]' |
    grep '"s":400000,"at":"')"
is "import" "$(cs '[{"a":"p","t":"'"$ROOT"'","n":[{"ph":"'"$ph"'","t":0,"a":"'$ATTR'","k":"'$FKEY'"}]}]' "sid=$SID" | grep -c '"s":400000')" 1
is "a folder wants a share first" \
    "$(cs '[{"a":"l","n":"'"$dir"'"}]' "sid=$SID")" '[-11]'
is "share" "$(cs '[{"a":"s2","n":"'"$dir"'","s":[{"u":"EXP","r":0}],"ok":"'$DKEY'","ha":"'$DKEY'","cr":[["'"$dir"'"],["'"$f"'","'"$dir"'"],[0,0,"'$FKEY'",0,1,"'$DKEY'"]]}]' "sid=$SID")" '[{"r":[0]}]'
fph=$(cs '[{"a":"l","n":"'"$dir"'"}]' "sid=$SID" | tr -d '[]"')
cs '[{"a":"f","c":1,"r":1}]' "n=$fph" >"$T/link"
ok "the folder comes first, with its key" grep -q \
    '^\[{"f":\[{"h":"'"$dir"'",.*"k":"'"$dir:$DKEY"'",' "$T/link"
ok "the file in it" grep -q '"h":"'"$f"'".*"k":"'"$dir:$FKEY"'"' "$T/link"
is "reading it" "$(cs '[{"a":"g","g":1,"n":"'"$f"'"}]' "n=$fph" |
    grep -c '/dl/')" 1
is "but not what is elsewhere" \
    "$(cs '[{"a":"g","g":1,"n":"'"$ROOT"'"}]' "n=$fph")" '[-11]'
is "nor writing" "$(cs '[{"a":"d","n":"'"$f"'"}]' "n=$fph")" '[-11]'
cs '[{"a":"f"}]' "sid=$SID" >"$T/own"
ok "the owner's own key comes first" grep -q \
    '"h":"'"$dir"'",.*"k":"'"$USER_H_1"'[^"]*:'"$DKEY/$dir:$DKEY"'"' "$T/own"
ok "keys of shares" grep -q '"ok":\[{"h":"'"$dir" "$T/own"
ok "links of the account" grep -q '"ph":"'"$fph"'","ts":' "$T/own"
sn=$(field sn "$(cs '[{"a":"f"}]' "sid=$SID")")
d2=$(cs '[{"a":"p","t":"'"$dir"'","n":[{"h":"xxxxxxxx","t":1,"a":"'$ATTR'","k":"'$DKEY'"}]}]' \
    "sid=$SID" | sed 's/.*"h":"\([^"]*\)".*/\1/')
ok "what comes there without its key is asked for" \
    test -n "$(curl -s "$MEGA_API_URL/sc?sn=$sn&sid=$SID" |
    grep '{"a":"k","st":"[^"]*","h":"'"$dir"'","n":"'"$d2"'"}')"
ok "again with the tree" test -n "$(cs '[{"a":"f"}]' "sid=$SID" |
    grep '"cr":\[\["'"$dir"'"\],\["'"$d2"'"\],\[0,0\]\]')"
is "until it is given" "$(cs '[{"a":"k","cr":[["'"$dir"'"],["'"$d2"'"],[0,0,"'$DKEY'"]]}]' "sid=$SID")
$(cs '[{"a":"f"}]' "sid=$SID" | grep -c '"cr"')" '[0]
0'
ok "to who has the link" test -n "$(cs '[{"a":"f"}]' "n=$fph" |
    grep '"h":"'"$d2"'".*"k":"'"$dir:$DKEY"'"')"
sn=$(field sn "$(cs '[{"a":"f"}]' "sid=$SID")")
cs '[{"a":"m","n":"'"$d2"'","t":"'"$ROOT"'"},{"a":"m","n":"'"$d2"'","t":"'"$dir"'"},{"a":"d","n":"'"$d2"'"}]' \
    "sid=$SID" >/dev/null
is "one that is given is not asked for" \
    "$(curl -s "$MEGA_API_URL/sc?sn=$sn&sid=$SID" | grep -c '"a":"k"')" 0
is "preview" "$(cs '[{"a":"pli","ph":"'"$fph"'"}]' | grep -c '"s":\[400000,1,1,0,0\]')" 1
is "a link that is over" "$(cs '[{"a":"l","n":"'"$f"'","ets":1}]' "sid=$SID")
$(cs '[{"a":"g","p":"'"$ph"'"}]')" "[\"$ph\"]
[-8]"
kill "$SERVE_PID"
wait "$SERVE_PID" 2>/dev/null
serve -d "$T/state" --take-down "$fph"
is "a link taken down" "$(cs '[{"a":"f"}]' "n=$fph")" '{"err":-16,"u":7,"l":2}'
is "no share, no link" "$(cs '[{"a":"s2","n":"'"$dir"'","s":[{"u":"EXP","r":""}]}]' "sid=$SID")
$(cs '[{"a":"f"}]' "n=$fph")" '[{"r":[0]}]
-9'

# ---- versions

new=$(put_p "$f" 0 ',"ov":"'"$f"'"' | sed 's/.*"h":"\([^"]*\)".*/\1/')
ok "the old one is below the new" test -n "$(cs '[{"a":"f"}]' "sid=$SID" |
    grep '"f2":\[{"h":"'"$f"'","p":"'"$new"'"')"
is "without versions it goes" "$(cs '[{"a":"p","vb":0,"t":"'"$ROOT"'","n":[{"h":"'"$new"'","t":0,"a":"'$ATTR'","k":"'$FKEY'","ov":"'"$new"'"}]}]' "sid=$SID" |
    grep -c '"s":400000')" 1
is "all of it" "$(cs '[{"a":"f"}]' "sid=$SID" | grep -c '"f2":\[\]')" 1

# ---- attributes of the user

v=$(cs '[{"a":"up2","^!keys":"AAAA"}]' "sid=$SID")
is "read back" "$(cs '[{"a":"uga","u":"","ua":"^!keys","v":1}]' "sid=$SID")" \
    "[{\"av\":\"AAAA\",\"v\":\"$(field '^!keys' "$v")\"}]"
is "an old version is refused" \
    "$(cs '[{"a":"upv","^!keys":["BBBB","AAAAAAAAAAA"]}]' "sid=$SID")" '[-8]'
is "none there" "$(cs '[{"a":"uga","u":"","ua":"nosuch"}]' "sid=$SID")" '[-9]'

# ---- sessions, quota

is "one session" "$(cs '[{"a":"usl","x":1}]' "sid=$SID" |
    grep -o '"XX",1,"' | wc -l | tr -d ' ')" 1
used=$(cs '[{"a":"uq","strg":1}]' "sid=$SID" |
    sed 's/.*"cstrg":\([0-9]*\).*/\1/')
is "what is stored" "$used" "$((400000 * 3))"
is "logout" "$(cs '[{"a":"sml"}]' "sid=$SID")" '[0]'
is "is final" "$(cs '[{"a":"ug"}]' "sid=$SID")" -15
kill "$SERVE_PID"
wait "$SERVE_PID" 2>/dev/null
serve -d "$T/state" --block $A:300 --storage 1000 --transfer 100
SID=$(field tsid "$(cs '[{"a":"us","user":"'"$USER_H"'"}]')")
ephemeral
is "over the storage quota" "$(cs '[{"a":"u","s":1001}]' "sid=$SID")" '[-17]'
f=$(file 100)
url=$(field g "$(cs '[{"a":"g","g":1,"n":"'"$f"'"}]' "sid=$SID")")
is "within the transfer quota" "$(status "$url/0-98")" 200
curl -s -D "$T/head" -o /dev/null "$url/0-9"
is "over it" "$(head -n 1 "$T/head" | cut -c 1-12)" "HTTP/1.1 509"
ok "and for how long" grep -q '^X-MEGA-Time-Left: [1-9]' "$T/head"

# ---- keys, old versions, the bin, other people

serve_stop
serve
ephemeral
dir=$(put_p xxxxxxxx 1 | sed 's/.*"h":"\([^"]*\)".*/\1/')
is "another key for a node" \
    "$(cs '[{"a":"k","nk":["'"$dir"'","'$KEY'"]}]' "sid=$SID")" '[0]'
ok "is its key" test -n "$(cs '[{"a":"f"}]' "sid=$SID" |
    grep '"h":"'"$dir"'".*"k":"'"$USER_H:$KEY"'"')"
is "one that is none" \
    "$(cs '[{"a":"k","nk":["'"$dir"'","AAAA"]}]' "sid=$SID")" '[-2]'
f=$(file 7)
f=$(put_p "$f" 0 ',"ov":"'"$f"'"' | sed 's/.*"h":"\([^"]*\)".*/\1/')
f=$(put_p "$f" 0 ',"ov":"'"$f"'"' | sed 's/.*"h":"\([^"]*\)".*/\1/')
is "two old versions" "$(cs '[{"a":"f"}]' "sid=$SID" | grep -o '"s":7' |
    wc -l | tr -d ' ')" 3
is "all removed" "$(cs '[{"a":"dv"}]' "sid=$SID")" '[0]'
is "but the new one" "$(cs '[{"a":"f"}]' "sid=$SID" | grep -o '"s":7' |
    wc -l | tr -d ' ')" 1
bin=$(cs '[{"a":"f"}]' "sid=$SID" |
    sed 's/.*"h":"\([^"]*\)","p":"","u":"[^"]*","t":4.*/\1/')
cs '[{"a":"m","n":"'"$dir"'","t":"'"$bin"'"},{"a":"m","n":"'"$f"'","t":"'"$bin"'"}]' \
    "sid=$SID" >/dev/null
is "the bin emptied" "$(cs '[{"a":"dr"}]' "sid=$SID")" '[0]'
is "is empty" "$(cs '[{"a":"f"}]' "sid=$SID" | grep -o '"t":[01]')" ""
is "and takes no room" "$(cs '[{"a":"uq","strg":1}]' "sid=$SID" |
    grep -c '"cstrg":0,')" 1
mine=$SID
ephemeral_2
is "a packet that another gets: no tag to wait for" \
    "$(cs '[{"a":"p","v":4,"sm":1,"t":"'"$USER_H"'","n":[{"h":"xxxxxxxx","t":1,"a":"'$ATTR'","k":"'$DKEY$DKEY$DKEY'"}]}]' "sid=$mine&v=3")" \
    '[{"e":[],"fh":[]}]'
is "who finds it" "$(cs '[{"a":"f"}]' "sid=$SID" |
    grep -c '"t":1,"a":"'$ATTR'"')" 1
is "an attribute removed" "$(cs '[{"a":"up2","*x":"AAAA"}]' "sid=$SID" >/dev/null
    cs '[{"a":"upr","ua":"*x"},{"a":"uga","ua":"*x"}]' "sid=$SID")" '[0,-9]'
is "none with the name of a key" \
    "$(cs '[{"a":"up2","privk":"AAAA"}]' "sid=$SID")" '[{}]'
is "the agent that is always asked for work" \
    "$(status -A HashcashDemo -d '[{"a":"log"}]' "$MEGA_API_URL/cs?id=1")" 402

echo JBSWY3DPEHPK3PXP >"$T/seed"
echo 000000 >"$T/guess"
serve_stop
serve --account "two@example.org:$T/pw:v2:$T/seed"
for i in 1 2 3 4 5 6 7 8 9 10; do
	mega-login --password-file "$T/pw" --otp "$T/guess" \
	    two@example.org
done >/dev/null 2>&1
exits 8 "the second factor cannot be guessed at for ever" \
    mega-login --password-file "$T/pw" --otp-seed-file "$T/seed" \
    two@example.org

# ---- thumbnails, parts, writable links

serve_stop
serve --raid
ephemeral
f=$(file 5)
gen 100 >"$T/thumb"
url=$(field p "$(cs '[{"a":"ufa","s":100,"ssl":0}]' "sid=$SID")")
curl -s --data-binary @"$T/thumb" "$url" >"$T/fah"
is "a thumbnail gets 8 bytes" "$(wc -c <"$T/fah" | tr -d ' ')" 8
fah=$(node -e 'console.log(require("fs").readFileSync(process.argv[1])
    .toString("base64url"))' "$T/fah")
is "it is attached" "$(cs '[{"a":"pfa","n":"'"$f"'","fa":"0*'"$fah"'"}]' "sid=$SID")" \
    "[\"924:0*$fah\"]"
is "to the node" "$(cs '[{"a":"f"}]' "sid=$SID" | grep -c '"fa":"924:0\*'"$fah")" 1
url=$(field p "$(cs '[{"a":"ufa","fah":"'"$fah"'","r":1}]' "sid=$SID")")
curl -s --data-binary @"$T/fah" "$url/0" >"$T/frame"
is "a frame of it" "$(dd if="$T/frame" bs=1 skip=8 count=4 2>/dev/null |
    od -An -tx1 | tr -d ' ') $(wc -c <"$T/frame" | tr -d ' ')" "64000000 112"
tail -c 100 "$T/frame" >"$T/got"
same "with its bytes" "$T/thumb" "$T/got"

# Bytes and parts of mega-protocol(7), "CloudRAID".
node -e 'process.stdout.write(Buffer.from(Array.from({ length: 187 }, (_, i) =>
    (167 * i + 13 * (i >> 8) + 41) & 255)))' >"$T/f"
token=$(curl -s --data-binary @"$T/f" "$(upload 187)/0")
f=$(put_p "$token" 0 | sed 's/.*"h":"\([^"]*\)".*/\1/')
is "old clients get one URL" "$(cs '[{"a":"g","g":1,"n":"'"$f"'"}]' "sid=$SID" |
    grep -c '"g":"http')" 1
cs '[{"a":"g","g":1,"v":2,"n":"'"$f"'"}]' "sid=$SID" |
    grep -o 'http[^"]*' >"$T/parts"
is "others six" "$(wc -l <"$T/parts" | tr -d ' ')" 6
is "the lengths of parts" "$(for u in $(cat "$T/parts"); do
	curl -s "$u" | wc -c; done | tr -d ' ' | tr '\n' ' ')" "48 48 43 32 32 32 "
is "parity" "$(curl -s "$(head -n 1 "$T/parts")" | od -An -v -tx1 |
    tr -d ' \n')" \
    299037dec56cd37a6108af16bda44bb21900a74eb55c43ea51f89f862d943b2270909090b0f09090f0b070b65d04ab52
is "a range of a part" "$(curl -s "$(sed -n 3p "$T/parts")/17-20" |
    od -An -v -tx1 | tr -d ' \n')" 7017be65

dir=$(put_p xxxxxxxx 1 | sed 's/.*"h":"\([^"]*\)".*/\1/')
cs '[{"a":"s2","n":"'"$dir"'","s":[{"u":"EXP","r":0}],"ok":"'$DKEY'","ha":"'$DKEY'","cr":[["'"$dir"'"],["'"$dir"'"],[0,0,"'$DKEY'"]]}]' "sid=$SID" >/dev/null
reply=$(cs '[{"a":"l","n":"'"$dir"'","w":1}]' "sid=$SID")
fph=$(field ph "$reply")
auth=$(field w "$reply")
is "a writable link" "${#fph} ${#auth}" "8 22"
body='[{"a":"p","t":"'$dir'","n":[{"h":"xxxxxxxx","t":1,"a":"'$ATTR'"}],"cr":[["'$dir'"],[],[0,0,"'$DKEY'"]]}]'
is "not writable without its key" "$(cs "$body" "n=$fph")" '[-11]'
is "nor with a wrong one" "$(cs "$body" "n=${fph}AAAA")" -11
is "a folder through it" "$(cs "$body" "n=$fph$auth" |
    grep -c '"k":"'"$dir:$DKEY"'"')" 1
is "its owner reads it by the share's key" "$(cs '[{"a":"f"}]' "sid=$SID" |
    grep -c '"p":"'"$dir"'",[^}]*"k":"'"$dir:$DKEY"'"')" 1

# ---- faults

serve_stop
serve --fault cs:ug=-3x2 --fault cs:uq=-9@2 --fault cs:http=500@1 \
    --fault dl:cut=50@2 --fault dl:http=509:left=30@4 --fault dl:flip@1 \
    --fault up:http=503@1 --fault up:reply=-4@2 --fault sc:-6@1 \
    --fault cs:utt=lost@1
is "500" "$(status -d '[{"a":"log"}]' "$MEGA_API_URL/cs")" 500
ephemeral
is "busy" "$(cs '[{"a":"ug"}]' "sid=$SID")" -3
is "busy again" "$(cs '[{"a":"log"},{"a":"ug"}]' "sid=$SID")" -3
is "not any more" "$(cs '[{"a":"ug"}]' "sid=$SID" | cut -c 1-6)" '[{"u":'
is "a command's error, the second time" \
    "$(cs '[{"a":"uq"}]' "sid=$SID" | cut -c 1-3)$(cs '[{"a":"uq"}]' "sid=$SID")" \
    '[{"[-9]'
is "an answer lost" "$(cs '[{"a":"utt"}]' "sid=$SID")" ""
is "reload" "$(curl -s "$MEGA_API_URL/sc?sn=AAAAAAAAAAA&sid=$SID")" -6
url=$(upload 100)
is "503 for a piece" "$(gen 100 | status --data-binary @- "$url/0")" 503
is "a number for a piece" "$(gen 100 | curl -s --data-binary @- "$url/0")" -4
f=$(file 100)
url=$(field g "$(cs '[{"a":"g","g":1,"n":"'"$f"'"}]' "sid=$SID")")
gen 100 >"$T/f"
curl -s -o "$T/got" "$url"
is "a bit flipped" "$(cmp -l "$T/f" "$T/got" | wc -l | tr -d ' ')" 1
curl -s -o "$T/got" "$url"
is "a connection cut" "$(wc -c <"$T/got" | tr -d ' ')" 50
is "all is well" "$(status "$url")" 200
curl -s -D "$T/head" -o /dev/null "$url"
ok "quota, on purpose" grep -q '^X-MEGA-Time-Left: 30' "$T/head"
serve_stop

# Rates are of a connection: two at once take no longer than one.
serve --fault dl:slow=100k --fault up:slow=100k
ephemeral
url=$(upload 51200)
gen 51200 >"$T/f"
start=$(date +%s%N)
token=$(curl -s --data-binary @"$T/f" "$url/0")
result $((($(date +%s%N) - start) / 1000000 < 490)) "a slow upload"
f=$(put_p "$token" 0 | sed 's/.*"h":"\([^"]*\)".*/\1/')
url=$(field g "$(cs '[{"a":"g","g":1,"n":"'"$f"'"}]' "sid=$SID")")
start=$(date +%s%N)
curl -s -o "$T/got" "$url"
result $((($(date +%s%N) - start) / 1000000 < 490)) "a slow download"
same "of the right bytes" "$T/f" "$T/got"
serve_stop

serve --fault cs:us0=hashcash=255
curl -s -D "$T/head" -o "$T/.body" -d '[{"a":"us0","user":"x@y"}]' \
    "$MEGA_API_URL/cs?id=1"
is "work is asked for" "$(head -n 1 "$T/head" | cut -c 1-12)" "HTTP/1.1 402"
ok "as clients read it" \
    grep -Eq '^X-Hashcash: 1:255:[0-9]+:[A-Za-z0-9_-]{64}' "$T/head"
serve_stop

# ---- registration

# The user hash is bytes 0 to 15; what the server keeps is their digest.
hak=vkXLJgW_Nr695oSEGijw_Q
serve -d "$T/reg" --mail "$T/mail"
ephemeral
is "register" "$(cs '[{"a":"uc2","n":"Qm9i","m":"Ym9iQGV4YW1wbGUub3Jn","crv":"'$DKEY'","k":"'$DKEY'","hak":"'$hak'","v":2}]' "sid=$SID")" '[0]'
is "not yet" \
    "$(cs '[{"a":"us","user":"bob@example.org","uh":"'$KEY'"}]')" '[-13]'
code=$(sed -n 's/.*#confirm//p' "$T"/mail/*.eml)
is "confirm: an array that begins with text is no tag" \
    "$(cs '[{"a":"ud2","c":"'"$code"'"}]' v=3)" \
    '[[0,["Ym9iQGV4YW1wbGUub3Jn","Qm9i","'"$USER_H"'",2]]]'
is "only once" "$(cs '[{"a":"ud2","c":"'"$code"'"}]')" '[-9]'
is "the address is taken" "$(cs '[{"a":"uc2","n":"Qm9i","m":"Ym9iQGV4YW1wbGUub3Jn","crv":"'$DKEY'","k":"'$DKEY'","hak":"'$DKEY'"}]' "sid=$SID")" '[-12]'

reply=$(cs '[{"a":"us","user":"Bob@example.org","uh":"'$KEY'"}]')
is "log in, still without a key pair" "$(field tsid "$reply")" "$SID"
v=$(cs '[{"a":"mfas"}]' "sid=$SID" | tr -d '[]"')
is "a second factor" "${#v}" 32
is "a wrong code" "$(cs '[{"a":"mfas","mfa":"abcdef"}]' "sid=$SID")" '[-5]'
is "does not begin it" "$(cs '[{"a":"mfag","e":"bob@example.org"}]')" '[0]'
kill "$SERVE_PID"
wait "$SERVE_PID" 2>/dev/null
serve -d "$T/reg" --block bob@example.org:300 --url-life 1
is "blocked" "$(cs '[{"a":"ug"}]' "sid=$SID")" -16
is "and why" "$(cs '[{"a":"whyamiblocked"}]' "sid=$SID")" '[300]'
ephemeral_2
url=$(upload 0)
is "a URL that lasts a second" "$(sleep 2.1; curl -s -d '' "$url/0")" -8
serve_stop

# ---- memory

serve
ephemeral
rss()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$SERVE_PID/status"
}
size=$((300 * 1024 * 1024))
url=$(upload $size 2)
truncate -s $size "$T/big"
is "300 MiB in one piece" "$(curl -s -H Expect: -T "$T/big" -X POST \
    "$url/0" | wc -c | tr -d ' ')" 36
ok "in little memory" test "$(rss)" -lt 40000
rm "$T/big"
i=0
while [ $i -lt 100 ]; do
	curl -s -d '' "$MEGA_API_URL/wsc/w?sid=$SID" >/dev/null &
	i=$((i + 1))
done
sleep 0.3
is "100 who wait keep nobody else" \
    "$(status -m 5 -d '[{"a":"ug"}]' "$MEGA_API_URL/cs?sid=$SID")" 200
ok "and need little" test "$(rss)" -lt 60000
put_p xxxxxxxx 1 >/dev/null
serve_stop

# ---- the log

ok "one object a line" node -e 'for (const l of require("fs")
    .readFileSync(process.argv[1], "utf8").trim().split("\n")) {
	const o = JSON.parse(l)
	if (!["cs", "sc", "up", "dl"].includes(o.kind)) throw o.kind
    }' "$T/serve.log"
ok "no secrets" sh -c '! grep -qe "$1" "$2"' sh "$SID" "$T/serve.log"

# ---- other people's clients

export MEGA_USERNAME=$A MEGA_PASSWORD='correct horse'
MEGAJS=${MEGAJS:-$SRC/build/interop}
export MEGAJS
mj()
{
	node "$SRC/tests/interop/megajs.js" "$@"
}
if [ -d "$MEGAJS/node_modules/megajs" ]; then
	echo GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ >"$T/seed"
	serve --account $A:$T/pw --account one@example.org:$T/pw:v1 \
	    --account two@example.org:$T/pw:v2:$T/seed \
	    --populate one@example.org:250 --raid
	ok "megajs: log in" mj login
	MEGA_USERNAME=two@example.org exits 1 "megajs: no second factor" mj login
	says "the service says so" 'EMFAREQUIRED|-26'
	MEGA_USERNAME=two@example.org MEGA_OTP_SEED=$(cat "$T/seed") \
	    ok "megajs: second factor" mj login
	is "megajs: a generated tree, version 1" \
	    "$(MEGA_USERNAME=one@example.org mj ls / | wc -l | tr -d ' ')" 250
	is "megajs: a generated file" "$(MEGA_USERNAME=one@example.org \
	    mj get '/folder 0/file 5.bin' - | wc -c | tr -d ' ')" 200000
	ok "megajs: mkdir" mj mkdir /d
	for n in 0 1 15 16 17 131072 131073 3670021; do
		gen $n >"$T/f"
		mj put "$T/f" /d/$n && mj get /d/$n "$T/g"
		same "megajs: $n bytes there and back" "$T/f" "$T/g"
	done
	link=$(mj link /d/17)
	flink=$(mj link /d)
	is "megajs: a file link" "$(mj dl "$link" - | wc -c | tr -d ' ')" 17
	is "megajs: a folder link" "$(mj folder-link "$flink" | wc -l |
	    tr -d ' ')" 8
	is "megajs: a file of it" "$(mj folder-get "$flink" /131073 - |
	    wc -c | tr -d ' ')" 131073
	ok "megajs: import" mj import "$link"
	ok "megajs: rename" mj rename /d/1 one
	ok "megajs: move" mj mv /d/one /
	ok "megajs: to the bin" mj rm /d/15
	ok "megajs: for good" mj rm /d/16 forever
	is "megajs: what is left" "$(mj ls / | sort | tr '\n' ' ')" \
	    "/17 17 /d/ /d/0 0 /d/131072 131072 /d/131073 131073 /d/17 17 /d/3670021 3670021 /one 1 "
	ok "megajs: end of the folder link" mj unlink /d
	exits 1 "megajs: it is dead" mj folder-link "$flink"
	serve_stop
	serve --account $A:$T/pw --fault cs:us=hashcash=255
	ok "megajs: proof of work" mj login
	is "megajs: it was asked for" \
	    "$(grep -c '"commands":\["us"\],"status":402' "$T/serve.log")" 1
	serve_stop
else
	skip "megajs" "not installed below $MEGAJS"
fi

. "$SRC/tests/interop/megatools.sh"
why=$(megatools_why)
if [ -z "$why" ]; then
	export MT_USER=$A MT_PASSWORD='correct horse'
	for n in 1 17 131073 3670021; do
		gen $n >"$T/mt.$n"
	done
	megatools_session '
		cd "$HOME/.." && mt mkdir /Root/d || exit
		for n in 1 17 131073 3670021; do
			mt put --no-progress --path /Root/d/$n mt.$n &&
			mt get --no-progress --path mt.got /Root/d/$n &&
			cmp mt.$n mt.got && rm mt.got || exit
		done
		link=$(mt export /Root/d/17) && mtp dl --no-progress \
		    --path mt.got "$link" && cmp mt.17 mt.got || exit
		mt df --free >/dev/null && mt rm /Root/d/1 &&
		mt ls /Root/d >mt.ls' --account $A:$T/pw \
	    >"$T/.out" 2>"$T/.err"
	result $? "megatools: mkdir put get export dl df rm"
	sed 's/^/# /' "$T/.err"
	is "megatools: what is left" "$(sort "$T/mt.ls" | tr '\n' ' ')" \
	    "/Root/d /Root/d/131073 /Root/d/17 /Root/d/3670021 "
	megatools_session '
		cd "$HOME/.." && mtp reg --ignore-config-file --register \
		    --email=new@example.org --name=New --password=hunter22 \
		    >mt.reg || exit
		state=$(sed -n "s/.*--verify \([^ ]*\).*/\1/p" mt.reg)
		link=$(sed -n /confirm/p mt.mail/*) &&
		mtp reg --ignore-config-file --verify "$state" "$link" &&
		MT_USER=new@example.org MT_PASSWORD=hunter22 &&
		mt mkdir /Root/x && mt ls /Root' --mail "$T/mt.mail" \
	    >"$T/.out" 2>"$T/.err"
	result $? "megatools: reg, version 1"
	sed 's/^/# /' "$T/.err"
else
	skip "megatools" "$why"
fi

wait $idle
is "who waits is told to wait on" "$(cat "$T/idle")" 0
ok "in one byte, and in these words" grep -q '^Content-Length: 1' "$T/idle.head"

done_testing
