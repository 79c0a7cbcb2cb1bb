# mega-get: files appear whole, right and where they should, or not at all.

. tests/lib.sh

MEGA_TIMEOUT=3
export MEGA_TIMEOUT
serve -d "$T/state"
mega-anon || skip_all "no account"

# renamed HANDLE KEY JSON: give a node attributes that no client of ours
# would write.  KEY is the 43 characters of its link.
renamed()
{
	aeskey=$(perl -MMIME::Base64 -e '
		my $k = $ARGV[0]; $k =~ tr|-_|+/|;
		my $b = decode_base64("$k=");
		print unpack("H*", substr($b, 0, 16) ^ substr($b, 16))' -- "$2")
	at=$(perl -e 'my $s = "MEGA$ARGV[0]";
		print $s, "\0" x (-length($s) % 16)' -- "$3" |
	    openssl enc -aes-128-cbc -nopad -K "$aeskey" \
	    -iv 00000000000000000000000000000000 |
	    openssl base64 -A | tr '+/' '-_' | tr -d =)
	curl -sS "$MEGA_API_URL/cs?id=$$&sid=$(jq -r .sid \
	    "$XDG_STATE_HOME/megapipe/session.json")" \
	    -d "[{\"a\":\"a\",\"n\":\"$1\",\"at\":\"$at\"}]" | grep -q '^\[0\]$'
}

# Places.

mkdir src src/sub src/sub/deep src/void
gen 300000 1 >src/a.bin
gen 20 2 >src/sub/b
gen 1100000 3 >src/sub/deep/c
: >src/empty
touch -d @1500000000 src/a.bin
mega-put -rq src / >/dev/null
ok "a file into the current folder" mega-get /src/a.bin
is "is silent" "$(cat .out .err)" ""
same "is the same" src/a.bin a.bin
is "has its time" "$(date -r a.bin +%s)" 1500000000
ok "to a new name" mega-get -o copy /src/a.bin
same "is the same under a new name" src/a.bin copy
mkdir d
ok "into a folder that is there" mega-get -o d /src/a.bin
ok "is there" cmp src/a.bin d/a.bin
ok "into a folder that is not there" mega-get -o new/ /src/a.bin /src/sub/b
ok "both are there" cmp src/sub/b new/b
exits 2 "several to one name" mega-get -o one /src/a.bin /src/sub/b
ok "a folder, with all that is in it" mega-get -r /src -o tree/
ok "is the same" diff -r src tree/src
ok "a folder by another name" mega-get -r /src -o renamed
ok "is the same, too" diff -r src renamed
# Patterns, as mega-sync has them.
mkdir -p pat/logs/old pat/sub/logs pat/empty
for f in a.jpg a.txt logs/x.jpg logs/old/y sub/b.JPG sub/c.jpg sub/logs/z; do
	echo $f >pat/$f
done
mega-put -rq pat / >/dev/null

# files OPTION...: what a get with them brings.
files()
{
	rm -rf pats
	mega-get -r "$@" -o pats/ /pat && (cd pats/pat && find . -type f |
	    sort | tr '\n' ' ')
}
is "all but some" "$(files --exclude='*.jpg' --exclude=logs/)" \
    "./a.txt ./sub/b.JPG "
ok "a folder that is left out is not made" test ! -e pats/pat/logs
is "only some" "$(files --include='*/' --include='*.jpg' --exclude='*')" \
    "./a.jpg ./logs/x.jpg ./sub/c.jpg "
is "a path" "$(files --exclude=/logs/old --exclude='sub/*.jpg')" \
    "./a.jpg ./a.txt ./logs/x.jpg ./sub/b.JPG ./sub/logs/z "
rm -rf pats
is "and only say it" "$(mega-get -rn --exclude='*.jpg' --exclude=logs -o pats \
    /pat | sort | tr '\n' ' ')" "pats/a.txt pats/sub/b.JPG "
ok "with nothing made" test ! -e pats

exits 2 "a folder without -r" mega-get /src
says "a folder without -r: which option" '^mega-get: /src: .*-r'
exits 2 "a folder to standard output" mega-get -r -o - /src
h=$(mega-ls -jd /src/sub/b | jq -r .handle)
ok "by handle" mega-get -o d "H:$h"
ok "is there" cmp src/sub/b d/b
ok "the account's root" mega-get -r / -o all/
ok "is a folder" cmp src/a.bin "all/Cloud Drive/src/a.bin"
mega-get -o - /src/a.bin /src/sub/b >out
cat src/a.bin src/sub/b | cmp -s - out
is "several to standard output, in order" $? 0
ok "to a device" mega-get -o /dev/null /src/a.bin
exits 12 "into a folder that cannot be" mega-get -o a.bin/x /src/sub/b
exits 12 "a full device" mega-get -o /dev/full /src/a.bin
exits 12 "a full standard output" sh -c 'exec mega-get -o - /src/a.bin >/dev/full'
says "a full standard output: said so" 'standard output: No space'
exits 12 "a file that may not be so large" sh -c 'ulimit -f 1
    exec mega-get -o large /src/a.bin 2>err'
ok "that is said" grep -q 'File too large' err
rm -f .large.*
mkfifo fifo
timeout 20 cat fifo >piped &
reader=$!
ok "to a FIFO" timeout 20 mega-get -o fifo /src/a.bin
wait $reader
same "to a FIFO: the data" src/a.bin piped
nothing_left "nothing is left behind" .

# A name that is taken.

ok "there already: nothing to do" mega-get /src/a.bin
cp src/sub/b a.bin
exits 9 "there, but different" mega-get /src/a.bin
says "there, but different: said so" 'a\.bin.*exists'
same "is not touched" a.bin src/sub/b
cp src/a.bin other
printf X | dd of=other bs=1 seek=150000 conv=notrunc 2>/dev/null
exits 9 "same size, one other byte" mega-get -o other /src/a.bin
printf X | dd of=other bs=1 conv=notrunc 2>/dev/null
touch -d @1500000000 other
exits 9 "same size and time, other data" mega-get -o other /src/a.bin
cp src/a.bin other
ok "same data, other time" mega-get -o other /src/a.bin
ok "skip" mega-get --if-exists=skip /src/a.bin
same "skip: not touched" a.bin src/sub/b
exits 9 "fail, even if it is the same" \
    mega-get --if-exists=fail /src/a.bin -o other
ok "rename" mega-get --if-exists=rename /src/a.bin
same "rename: beside it" "a (1).bin" src/a.bin
ok "rename again" mega-get --if-exists=rename /src/a.bin
ok "rename again: the next number" test -f "a (2).bin"
ok "replace" mega-get --if-exists=replace /src/a.bin
same "replace: the new one" a.bin src/a.bin
mkdir -p taken/a.bin
exits 9 "a folder in the way" mega-get --if-exists=replace -o taken /src/a.bin
mkdir -p taken/src
: >taken/src/sub
exits 9 "a file where a folder should be" mega-get -r -o taken /src
ok "a file where a folder should be: the others are there" \
    cmp taken/src/a.bin src/a.bin
exits 2 "a policy that there is not" mega-get --if-exists=ask /src/a.bin
ln -s nowhere dangling
exits 9 "a dangling link in the way" mega-get -o dangling /src/a.bin
ok "a dangling link in the way: not followed" test ! -e nowhere

mega-put -q src/sub/b /b >/dev/null
mkdir two three
exits 9 "two operands of one name" mega-get -o two /b /src/sub/b
is "two operands of one name: one of them" "$(ls -A two)" b
ok "two operands of one name, rename" \
    mega-get --if-exists=rename -o three /b /src/sub/b
is "two operands of one name, rename: both" \
    "$(ls -A three | tr '\n' ' ')" "b b (1) "

ok "the same operand twice" mega-get -o two2/ /b /b
is "the same operand twice: once" "$(ls -A two2)" b

# Failures among successes.

mkdir part
exits 3 "one is missing" mega-get -o part /src/a.bin /nope /src/sub/b
is "one line about it" "$(cat .err)" "mega-get: /nope: not found"
is "the others are there" "$(ls -A part | tr '\n' ' ')" "a.bin b "
rm part/*
exits 1 "two kinds" mega-get -o part /nope /src /src/sub/b
ok "the others are there" test -f part/b
exits 3 "objects with -j" mega-get -j -o part /nope /src/sub/deep/c
conforms "objects with -j: as documented" .out
conforms "objects with -j: the failure" .err
is "the failure" "$(jq -c '.error | [.operand, .exit, .name, .api]' .err)" \
    '["/nope",3,"not-found",-9]'
is "the success" "$(jq -c '[.name, .size, .local, .result]' .out)" \
    '["c",1100000,"part/c","done"]'
printf '/src/a.bin\n\n/nope\n{"path":"/src/sub/b"}\n{"x":1}\n' >list
rm part/*
exits 1 "operands from standard input" mega-get -o part - <list
is "those that can be are there" "$(ls -A part | tr '\n' ' ')" "a.bin b "
mkdir json
mega-ls -jR /src | jq -c 'select(.type == "file")' >list
ok "mega-ls -j feeds it" mega-get -o json - <list
is "mega-ls -j feeds it: all are there" "$(ls -A json | tr '\n' ' ')" \
    "a.bin b c empty "
rm part/*
printf '/src/a.bin\000/src/sub/b' >list
ok "-0" mega-get -0 -o part - <list
is "-0: both are there" "$(ls -A part | tr '\n' ' ')" "a.bin b "
printf 'no operand at all\n{"path":5}\n[1]\n{"path"\n' >list
exits 1 "lines that make no sense" mega-get -o part - <list
exits 0 "an empty list" mega-get - </dev/null
ok "-n" mega-get -n -o dry/ /src/a.bin /src/sub/b
is "-n says where" "$(tr '\n' ' ' <.out)" "dry/a.bin dry/b "
ok "-n makes nothing" test ! -e dry
ok "-n with standard output" mega-get -n -o - /src/sub/b
is "-n with standard output: no data" "$(cat .out)" ""

# Links.

gen 262144 9 >l.bin
link=$(mega-anon l.bin)
key=${link##*#}
mkdir links
ok "a link, without an account" \
    mega-get --session none.json -o links/new "$link"
same "a link: the data" l.bin links/new
id=${link#*/file/}
ok "in its old form" mega-get -o links/old "https://mega.nz/#!${id%#*}!$key"
case $key in
A*) wrong=B${key#?};;
*) wrong=A${key#?};;
esac
exits 10 "a wrong key" mega-get -o links/wrong "${link%#*}#$wrong"
is "a wrong key: one line, without the key" \
    "$(grep -c . .err) $(grep -ce "$wrong" .err)" "1 0"
exits 2 "no key" mega-get -o links/wrong "${link%#*}"
exits 2 "half a key" mega-get -o links/wrong "${link%???}"
is "half a key is not shown either" \
    "$(grep -ce "$(printf %.20s "$key")" .err)" 0
exits 3 "no such link" mega-get -o links/wrong "https://mega.nz/file/abcdefgh#$key"
is "no such link: nor its key" "$(grep -ce "$key" .err)" 0
exits 3 "with -j" mega-get -j -o links/wrong "https://mega.nz/file/abcdefgh#$key"
is "with -j: nor its key" "$(grep -ce "$key" .err)" 0
is "only the good ones are there" "$(ls -A links | tr '\n' ' ')" "new old "

# Parts of files.

ok "a range" mega-get -o r1 --range 1000-1999 /src/a.bin
dd if=src/a.bin bs=1 skip=1000 count=1000 2>/dev/null | cmp -s - r1
is "a range: the data" $? 0
ok "to the end" sh -c 'mega-get -o - --range 299990- /src/a.bin >r2'
tail -c 10 src/a.bin >r3
same "to the end: the data" r2 r3
ok "one byte" sh -c 'mega-get -o - --range 17-17 /src/a.bin >r2'
dd if=src/a.bin bs=1 skip=17 count=1 2>/dev/null >r3
same "one byte: the data" r2 r3
ok "across megabytes" sh -c 'mega-get -o - --range 5-1099999 /src/sub/deep/c >r2'
tail -c +6 src/sub/deep/c >r3
same "across megabytes: the data" r2 r3
ok "beyond the end: what there is" \
    sh -c 'mega-get -o - --range 299995-999999 /src/a.bin >r2'
tail -c 5 src/a.bin >r3
same "beyond the end: the data" r2 r3
for r in 5 -5 9-2 a-b 1-2-3 ''; do
	exits 2 "--range '$r' is none" mega-get -o - "--range=$r" /src/a.bin
done

# However it comes.

for o in --connections=1 --connections=32 --http -c -q -v; do
	ok "$o" mega-get $o --if-exists=replace -o how /src/sub/deep/c
	same "$o: the data" how src/sub/deep/c
done
exits 2 "a limit in the environment that is none" \
    env MEGA_LIMIT_RATE=fast mega-get -o how /b
exits 0 "an empty one" env MEGA_LIMIT_RATE= mega-get -o how2 /b

# A limit is one for all connections together.

start=$(date +%s%N)
ok "--limit-rate" mega-get --limit-rate=500k -o slow /src/sub/deep/c
ms=$((($(date +%s%N) - start) / 1000000))
result $((ms < 1600 || ms > 6000)) "1.1 MB at 500 KiB a second: $ms ms"
same "--limit-rate: the data" slow src/sub/deep/c

# Names that strangers choose.

evil='../../../evil
..
.
/
/etc/passwd
a/../../b
-rf
~
'
mkdir names
cd names || exit 1
n=0
printf %s "$evil" >../evil
: >../evil.links
while IFS= read -r x; do
	n=$((n + 1))
	echo "$n" >../evil.src
	mega-anon --name "$x" ../evil.src >>../evil.links
done <../evil
long=$(printf '%0300d' 0).txt
for x in "$(printf 'new\nline')" "$(printf 'esc\033[31m\033]0;x\007')" \
    "$(printf 'latin\351')" "$long" "$(printf '%0254d\303\251' 0)"; do
	mega-anon --name "$x" ../evil.src >>../evil.links
done
ok "names from hell" mega-get - <../evil.links
ls -A | LC_ALL=C sort >../evil.got
cd ..
handle=$(tail -n 2 evil.links | head -n 1 | cut -c 22-29)
handle2=$(tail -n 1 evil.links | cut -c 22-29)
{
	printf '%%2e\n%%2e%%2e\n%%2e%%2e\n' | head -n 2
	printf '%%2f\n%%2fetc%%2fpasswd\n-rf\n..%%2f..%%2f..%%2fevil\n'
	printf '~\na%%2f..%%2f..%%2fb\nnew\nline\nlatin\351\n'
	printf 'esc\033[31m\033]0;x\007\n'
	printf '%0242d~%s.txt\n' 0 "$handle"
	printf '%0246d~%s\n' 0 "$handle2"
} | LC_ALL=C sort >evil.want
same "become what the manual says" evil.want evil.got
is "nothing is outside" "$(find . -name 'evil' -o -name 'passwd' -o -name b |
    grep -v '^\./\(evil\|src\|all\|tree\|renamed\|new\|d\|two\|three\|part\|json\)' |
    tr '\n' ' ')" ""
ok "nothing above" test ! -e ../evil

# A name that is empty, one with a NUL, one that is missing, one too many.
link=$(mega-link /src/sub/b)
key=${link##*#}
mkdir odd
for x in '{"n":""}' '{"n":"nul\u0000l"}' '{}' \
    '{"n":"x","c":"not a fingerprint","n2":[1,{"a":2}]}'; do
	renamed "$h" "$key" "$x" || echo "# the server refuses $x"
	exits 0 "attributes $x" mega-get --if-exists=replace -o odd/ "$link"
done
ph=${link#*/file/}
ph=${ph%#*}
is "odd names become what the manual says" "$(ls -A odd | tr '\n' ' ')" \
    "H:$ph nul%00l x "
for x in 'nonsense' '{"n":5}' '{"n":"a"' ''; do
	renamed "$h" "$key" "$x" || echo "# the server refuses $x"
	mega-get --if-exists=replace -o odd/ "$link" >.out 2>.err
	st=$?
	case $st in
	0|1|10) result 0 "attributes '$x': status $st";;
	*) result 1 "attributes '$x': status $st";;
	esac
done
is "nothing else came of it" "$(ls -A odd | grep -v '^H:' | tr '\n' ' ')" \
    "5 nul%00l x "

# What a terminal sees.

if script -qec true /dev/null >/dev/null 2>&1 && pty true; then
	x=$(sed -n 12p evil.links)
	pty "mega-get -o tty/ --progress=always '$x' /nope\$(printf '\\033]0;y\\007')"
	is "no escape sequence of a stranger's on the terminal" \
	    "$(tr '\033' '!' <.out | grep -c '![]]\|![[]3')" 0
	is "but what there is to say" "$(grep -c 'x1b.0;y.x07: not found' .out)" 1
	pty "mega-get -o - '$x'"
	is "no data on a terminal" "$?" 2
	pty "mega-get -f -o - /src/a.bin --range 0-3"
	is "unless -f says so" $? 0
else
	skip "terminals" "no script(1)"
fi

# Closed descriptors are not taken for files or sockets of ours.

exits 12 "a closed standard input" sh -c 'exec mega-get - <&-'
exits 12 "a closed standard output" sh -c 'exec mega-get -o - /b >&-'
ok "all closed" sh -c 'exec mega-get -o all.closed /b <&- >&- 2>&-'
same "all closed: the data" all.closed src/sub/b

# Wrong usage, and nobody there.

exits 2 "no operand" mega-get
exits 2 "no connections" mega-get --connections=0 /src/a.bin
exits 2 "too many connections" mega-get --connections=1000 /src/a.bin
exits 2 "-j and -o -" mega-get -j -o - /src/a.bin
exits 2 "a range of several" mega-get --range=1-2 /src/a.bin /src/sub/b
exits 2 "an unknown option" mega-get --slow /src/a.bin
exits 4 "without a session" mega-get --session none.json /src/a.bin
exits 3 "an operand that begins with a dash" mega-get -- -x
exits 5 "nobody there" env MEGA_API_URL=http://127.0.0.1:1 mega-get \
    --session none.json "$link"

nothing_left "nothing is left behind after all that" .

done_testing
