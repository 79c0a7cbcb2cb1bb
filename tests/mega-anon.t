# mega-anon: links come out, and what is behind them is what went in.

. tests/lib.sh

session=$XDG_STATE_HOME/megapipe/session.json
serve

# One file.

gen 100000 >one.bin
touch -d @1600000000 one.bin
ok "publishes a file" mega-anon one.bin
is "one line comes out" "$(wc -l <.out | tr -d ' ')" 1
is "which is a link" \
    "$(grep -cE '^https://mega\.nz/file/[A-Za-z0-9_-]{8}#[A-Za-z0-9_-]{43}$' \
    .out)" 1
is "and nothing on stderr" "$(cat .err)" ""
link=$(cat .out)
mkdir got
ok "which mega-get reads" mega-get -o got/ "$link"
same "the same data, under its name" one.bin got/one.bin
is "with its time" "$(date -r got/one.bin +%s)" 1600000000
ok "no session file is left" test ! -e "$session"

# Sizes around every boundary, in one run.

sizes="0 1 15 16 17 131071 131072 131073 393216 393217 1048576 3670021"
set --
for n in $sizes; do
	gen "$n" "$n" >"s$n"
	set -- "$@" "s$n"
done
ok "publishes files of many sizes" mega-anon "$@"
cp .out links
is "one link for each" "$(wc -l <links | tr -d ' ')" $#
for n in $sizes; do
	read -r link
	mega-cat "$link" >got/cat 2>/dev/null
	same "$n bytes, in the order of the operands" "s$n" got/cat
done <links

# Standard input.

name=$(printf 'a b\nc\t\360\237\220\247')
gen 300000 7 | mega-anon --name "$name" - >link
is "a pipe: status 0" $? 0
ok "its name" mega-link -ij "$(cat link)"
is "is what --name said" "$(jq -r .name .out)" "$name"
is "its size" "$(jq -r .size .out)" 300000
gen 300000 7 >want
mega-cat - <link >got/cat
same "its data" want got/cat
gen 300000 7 | mega-anon --size 300000 --name x - >link
is "a pipe of known length: status 0" $? 0
mega-cat - <link >got/cat
same "a pipe of known length: its data" want got/cat
ok "from a file on standard input" sh -c 'mega-anon --name x - <want >link'
mega-cat - <link >got/cat
same "from a file on standard input: its data" want got/cat
ok "nothing at all" sh -c 'mega-anon --name empty - </dev/null >link'
is "nothing at all: empty" "$(mega-cat - <link | wc -c | tr -d ' ')" 0

before=$(asked p)
gen 99 | mega-anon --size 100 --name x - >.out 2>.err
is "too short: status 12" $? 12
says "too short: what is wrong" 'ended after 99 of 100'
gen 101 | mega-anon --size 100 --name x - >.out 2>.err
is "too long: status 12" $? 12
is "too long: no link" "$(cat .out)" ""
says "too long: what is wrong" 'longer than 100'
is "neither made a node" "$(asked p)" "$before"
exits 1 "a size beyond all bounds" mega-anon --size 8000000t --name x -
says "a size beyond all bounds: said so" '^mega-anon: -: .* too many'

# Bad ones among good ones.

mkdir dir
exits 12 "one is missing" mega-anon one.bin nowhere s17
is "the others are published" "$(wc -l <.out | tr -d ' ')" 2
is "one line about it" "$(cat .err)" \
    "mega-anon: nowhere: No such file or directory"
exits 2 "a folder" mega-anon dir s17
exits 1 "two kinds of failure" mega-anon dir nowhere s17
exits 12 "with -j" mega-anon -j nowhere s17
conforms "with -j: as documented" .out
conforms "with -j: the failure" .err
is "the failure is an object" \
    "$(jq -c '.error | [.operand, .exit, .name]' .err)" \
    '["nowhere",12,"local"]'
is "the file is another" "$(jq -c '[.name, .path, .size, .type]' .out)" \
    '["s17","/s17",17,"file"]'
is "with a link" "$(mega-cat "$(jq -r .link .out)" | wc -c | tr -d ' ')" 17
if [ "$(id -u)" -ne 0 ]; then
	cp s17 secret
	chmod 0 secret
	exits 12 "a file that may not be read" mega-anon secret
else
	skip "a file that may not be read" "root may read everything"
fi
exits 12 "nowhere to print to" sh -c 'exec mega-anon s17 >/dev/full'
is "-0 ends links with NUL" \
    "$(mega-anon -0 s1 s15 | tr -dc '\000' | wc -c | tr -d ' ')" 2

# Names.

for name in ../../x . .. 'a/b' "$(printf '\033]0;x\007')" \
    "$(printf 'no utf-8 \377\376')" "$(gen 2000 | base64 -w0 | head -c 900)"
do
	printf '%s' "$name" >want
	mega-anon --name "$name" s1 >link 2>.err
	mega-link -ij - <link |
	    jq -rj 'if .name_b64 then .name_b64 + "=" else .name end' >got/n
	case $(mega-link -ij - <link) in
	*name_b64*)
		tr '_-' '/+' <got/n | openssl base64 -d -A >got/n2
		mv got/n2 got/n;;
	esac
	same "--name keeps bytes: $(printf '%s' "$name" | head -c 20 |
	    od -An -c | tr -d '\n')" want got/n
done

# An account to keep.

exits 0 "without operands" mega-anon
is "is silent" "$(cat .out .err)" ""
is "the session file is its owner's alone" \
    "$(ls -l "$session" | cut -c1-10)" -rw-------
is "its folder, too" "$(ls -ld "${session%/*}" | cut -c1-10)" drwx------
ok "the account can be used" mega-put one.bin /
cp "$session" keep
exits 9 "never replaces a session" mega-anon
exits 9 "not with --keep either" mega-anon --keep one.bin
is "and publishes nothing then" "$(cat .out)" ""
same "the session is as it was" "$session" keep
ok "files go through another account" mega-anon one.bin
is "nothing in the one we have" "$(mega-ls /)" /one.bin
ok "--session makes another" mega-anon --session other.json
MEGA_SESSION=third.json
export MEGA_SESSION
ok "MEGA_SESSION, too, with --keep" mega-anon --keep one.bin s17
unset MEGA_SESSION
is "what was published is in it" \
    "$(mega-ls --session third.json / | tr '\n' ' ')" "/one.bin /s17 "
is "three different accounts" "$(jq -r .user "$session" other.json \
    third.json | sort -u | wc -l | tr -d ' ')" 3
is "no password is in there" "$(jq -c keys other.json)" \
    '["api","master_key","sid","user","version"]'
exits 12 "a session file that cannot be written" \
    mega-anon --session one.bin/session.json

# Wrong usage.

exits 2 "standard input without a name" mega-anon -
exits 2 "an empty name" mega-anon --name '' one.bin
exits 2 "one name for two" mega-anon --name x one.bin s1
exits 2 "one size for two" mega-anon --size 1 one.bin s1
exits 2 "a size that is no number" mega-anon --size 1x --name x -
exits 2 "a negative size" mega-anon --size=-1 --name x -
exits 2 "a rate that is no number" mega-anon --limit-rate=fast one.bin
exits 2 "an unknown option" mega-anon --fast one.bin
exits 0 "-- ends options" mega-anon -- one.bin
exits 2 "plain http to anywhere" \
    env MEGA_API_URL=http://g.api.mega.co.nz mega-anon one.bin
MEGA_TIMEOUT=1
export MEGA_TIMEOUT
exits 5 "nobody there" env MEGA_API_URL=http://127.0.0.1:1 mega-anon one.bin
is "nobody there: one line" "$(wc -l <.err | tr -d ' ')" 1

# Limits of the service.

serve_stop
serve --storage 200000
exits 7 "storage is full" mega-anon s131073 s393216 s17
is "storage is full: what fits is published" "$(wc -l <.out | tr -d ' ')" 2
says "storage is full: said so" 's393216: storage is full'

nothing_left "nothing is left in the folder" .
done_testing
