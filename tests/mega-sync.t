# mega-sync: after it, one side is what the other is, and no more has moved
# than had to.

. tests/lib.sh

MEGA_TIMEOUT=3
export MEGA_TIMEOUT
serve -d "$T/state"
mega-anon || skip_all "no account"

# equal NAME LOCAL REMOTE: the trees are, by fetching the remote one.
equal()
{
	rm -rf "$T/got"
	mega-get -qr "$3" -o "$T/got" 2>"$T/.err"
	diff -r "$2" "$T/got" >"$T/.diff" 2>&1
	tap_st=$?
	result $tap_st "$1"
	[ $tap_st -eq 0 ] || sed 's/^/# /' "$T/.diff" "$T/.err"
}

# sends NAME BYTES COMMAND...: the command succeeds and sends that much.
sends()
{
	before=$(moved up)
	sends_name=$1
	sends_want=$2
	shift 2
	ok "$sends_name" "$@"
	is "$sends_name: bytes" $(($(moved up) - before)) "$sends_want"
}

# Up.

mkdir -p src/sub/deep src/void
gen 300000 1 >src/a.bin
gen 20 2 >src/sub/b
gen 1100000 3 >src/sub/deep/c
: >src/empty
touch -d @1400000000 src/a.bin
echo x >'src/sub/a%2fb'
exits 12 "a source that is not there" mega-sync up nowhere /made
exits 3 "makes no folder" mega-ls /made
ok "the plan" mega-sync up -n src /one/two
is "the plan: what it says" "$(cat .out)" "mkdir /one/two
send a.bin
send empty
mkdir sub
mkdir void
send sub/a%2fb
send sub/b
mkdir sub/deep
send sub/deep/c"
exits 3 "the plan changes nothing" mega-ls /one
ok "up, and the folders above it" mega-sync up src /one/two
is "is silent" "$(cat .out .err)" ""
equal "is the same" src /one/two
mega-sync up src /other/one/two -v >out
is "-v says what it does" "$(sort out | tr '\n' ' ')" \
    "mkdir sub mkdir sub/deep mkdir void send a.bin send empty \
send sub/a%2fb send sub/b send sub/deep/c "
sends "again: nothing to send" 0 mega-sync up src /one/two
ok "again: an empty plan" mega-sync up -n --delete src /one/two
is "again: says nothing" "$(cat .out)" ""
printf X | dd of=src/a.bin bs=1 seek=150000 conv=notrunc 2>/dev/null
ok "an edit of the same size" mega-sync up -v src /one/two
is "is noticed" "$(cat .out)" "send a.bin"
equal "and sent" src /one/two
is "as a version" "$(mega-ls /one/two | grep -c a.bin)" 1
printf Y | dd of=src/sub/b bs=1 conv=notrunc 2>/dev/null
touch -d @"$(mega-ls -jd /one/two/sub/b | jq '.mtime | fromdate')" src/sub/b
ok "an edit of the same size and time" mega-sync up -v src /one/two
is "is noticed, too" "$(cat .out)" "send sub/b"
touch -d @1500000000 src/sub/deep/c
sends "the same with another time" 0 mega-sync up src /one/two
is "gives it the time" "$(mega-ls -jd /one/two/sub/deep/c | jq -r .mtime)" \
    2017-07-14T02:40:00Z
equal "and keeps its data" src /one/two

# What only the destination has.

mkdir -p more/x/y
echo 1 >more/x/y/z
echo 2 >more/w
ok "more of it" mega-sync up more /one/two
ok "without --delete it stays" mega-ls /one/two/x/y/z
rm -r src/sub/deep
ok "the plan of --delete" mega-sync up -n --delete src /one/two
is "says what would go" "$(cat .out)" "delete w
delete x
delete sub/deep"
ok "--delete" mega-sync up --delete src /one/two
equal "--delete: the trees are equal" src /one/two
ok "what is deleted is in the bin" mega-ls //bin/x/y/z
is "in one command each" "$(asked m)" 3
exits 9 "a file for a folder" sh -c 'rm -r src/void; echo f >src/void
    mega-sync up src /one/two'
says "a file for a folder: which" 'src/void: a folder .*in the way'
ok "with --delete it goes" mega-sync up --delete src /one/two
equal "with --delete: equal" src /one/two
rm src/void && mkdir src/void && echo 1 >src/void/in
exits 9 "a folder for a file" mega-sync up src /one/two
ok "a folder for a file with --delete" mega-sync up --delete src /one/two
equal "a folder for a file: equal" src /one/two

# Never because of an error.

if [ "$(id -u)" -ne 0 ]; then
	rm src/empty
	chmod 0 src/void
	exits 12 "a source that cannot be read" \
	    mega-sync up --delete src /one/two
	says "says that nothing is deleted" 'nothing is deleted'
	ok "deletes nothing" mega-ls /one/two/empty
	chmod 755 src/void
	mega-sync up --delete src /one/two
else
	skip "a source that cannot be read" "root reads everything"
fi
ln -s nowhere src/w
mkfifo src/fifo
mega-put -q more/w /one/two/ >/dev/null
exits 12 "links that lead nowhere, and FIFOs" \
    timeout 20 mega-sync up --delete src /one/two
ok "do not end what has their name" mega-ls /one/two/w
rm src/w src/fifo
ln -s ../more/w src/w
ok "a link to a file is that file" mega-sync up --delete src /one/two
is "sent as such" "$(mega-cat /one/two/w)" 2
rm src/w
ok "the link has gone" mega-sync up --delete src /one/two

# Filters.

mkdir -p pat/keep pat/obj/sub
for f in a.c a.o keep/b.c keep/b.o obj/c.c obj/sub/d.o; do
	echo $f >pat/$f
done
ok "exclude by last component" mega-sync up --exclude='*.o' pat /pat
exits 3 "exclude: not sent" mega-ls /pat/a.o
exits 3 "exclude: not sent further below" mega-ls /pat/keep/b.o
ok "exclude: others are" mega-ls /pat/obj/c.c
ok "the first match wins" mega-sync up -n --include=keep/b.o \
    --exclude='*.o' pat /pat
is "the first match wins: plan" "$(cat .out)" "send keep/b.o"
ok "a folder" mega-sync up -n --exclude=obj/ pat /new
grep -q obj .out
is "is not entered" $? 1
ok "a path has to fit as a whole" \
    mega-sync up -n --exclude='*/*.c' --exclude='*.o' pat /new
is "a path has to fit as a whole: plan" "$(grep send .out)" "send a.c"
mega-sync up pat /pat
rm -r pat/obj pat/a.o pat/a.c
ok "what is excluded is not deleted" \
    mega-sync up --delete --exclude='*.o' pat /pat
ok "not at the top" mega-ls /pat/a.o
ok "nor in a folder that has gone" mega-ls /pat/obj/sub/d.o
exits 3 "what is beside it is" mega-ls /pat/obj/c.c
exits 3 "and at the top" mega-ls /pat/a.c
mega-sync down /pat back
rm back/a.o
mega-rm -qr /pat/obj
ok "down, excluded" mega-sync down --delete --exclude='*.o' /pat back
ok "keeps what is" test -e back/obj/sub/d.o
ok "down, nothing is" mega-sync down --delete /pat back
ok "nothing is kept" test ! -e back/obj

# Down.

ok "the plan down" mega-sync down -n /one/two dst
is "makes nothing" "$(ls -d dst 2>/dev/null)" ""
ok "down" mega-sync down /one/two dst
is "down is silent" "$(cat .out .err)" ""
ok "down: the trees are equal" diff -r src dst
before=$(moved dl)
ok "down again" mega-sync down --delete -v /one/two dst
is "does nothing" "$(cat .out)" ""
is "nor fetches anything" $(($(moved dl) - before)) 0
touch -d @1400000000 src/a.bin
mega-sync up src /one/two
printf Z | dd of=dst/a.bin bs=1 seek=150000 conv=notrunc 2>/dev/null
ok "an edit" mega-sync down -v /one/two dst
is "is undone" "$(cat .out)" "send a.bin"
ok "the trees are equal again" diff -r src dst
touch -d @1500000000 dst/a.bin
before=$(moved dl)
ok "another time" mega-sync down /one/two dst
is "is set" "$(date -r dst/a.bin +%s)" "$(date -r src/a.bin +%s)"
is "without fetching" $(($(moved dl) - before)) 0

mkdir -p outside/in dst/gone/deep
echo 1 >outside/in/f
ln -s ../outside dst/link
ln -s ../../outside dst/gone/deep/link
echo 2 >dst/gone/deep/f
ok "without --delete, down" mega-sync down /one/two dst
ok "all stays" test -e dst/gone/deep/f -a -L dst/link
ok "with --delete, down" mega-sync down --delete /one/two dst
ok "the trees are equal, down" diff -r src dst
ok "links are not followed" test -e outside/in/f
rm -r dst/sub && ln -s ../outside dst/sub
exits 9 "a link in a folder's place" mega-sync down /one/two dst
ok "is not written through" test ! -e outside/b
ok "is removed with --delete" mega-sync down --delete /one/two dst
ok "and replaced" diff -r src dst
ok "outside is as it was" test "$(ls outside)" = in
rm dst/a.bin && ln -s ../outside/in/f dst/a.bin
ok "a link in a file's place" mega-sync down /one/two dst
ok "is replaced" test ! -L dst/a.bin
is "not its target" "$(cat outside/in/f)" 1
rm dst/a.bin && mkdir dst/a.bin
exits 9 "a folder in a file's place" mega-sync down /one/two dst
ok "is removed with --delete, too" mega-sync down --delete /one/two dst
ok "and replaced, too" diff -r src dst
exits 2 "a file" mega-sync down /one/two/a.bin x
exits 3 "nothing" mega-sync down /nothing x
ok "leaves nothing" test ! -e x
l=$(mega-link /one/two)
ok "from a folder's link" mega-sync down "$l" bylink
ok "is the same, by link" diff -r src bylink
exits 2 "into a link" mega-sync up src "$l"
exits 2 "no direction" mega-sync src /one
exits 2 "one operand" mega-sync up src
ok "-j" mega-sync up -j src /json
conforms "-j: as documented" .out
is "-j: objects" "$(jq -rs 'map(.action + " " + .relative) | sort[0]' .out)" \
    "mkdir sub"

# Interrupted.

mkdir big
gen 6000000 7 >big/big
gen 1000 8 >big/small
restart --fault up:cut=2000000@2
MEGA_TIMEOUT=1 mega-sync up big /big 2>/dev/null
restart
ok "after an interruption, up" mega-sync up big /big
equal "is complete" big /big
restart --fault dl:http=500
MEGA_TIMEOUT=1 mega-sync down --delete /big half 2>/dev/null
restart
ok "after an interruption, down" mega-sync down --delete /big half
ok "is complete, down" diff -r big half
nothing_left "no parts are left" half

# Many.

mkdir many
perl -e 'for my $d (0 .. 99) { mkdir "many/$d";
	for (1 .. $ARGV[0]) { open my $f, ">", "many/$d/$_"; } }' 20
ok "many" mega-sync up --delete many /many
restart
ok "many again" mega-sync up --delete many /many
is "many again: nothing is sent" "$(asked p) $(moved up)" "0 0"
ok "many folders are removed" sh -c 'rm -r many/*; echo >many/x
    mega-sync up --delete many /many'
few='[.[] | select(.commands | index("m"))] | length < 10'
is "in few requests" "$(jq -s "$few" serve.log)" true

# In 64 MiB of data: the most that is held at a time is one folder.

echo secret >pass
if is_asan; then
	skip "50,000 files in 64 MiB" "sanitizers need more"
else
	mkdir flat
	perl -e 'for (1 .. 50000) { open my $f, ">", "flat/$_"; }'
	ok "50,000 files of one folder" sh -c 'ulimit -d 65536 &&
	    mega-sync up -n flat /flat'
	is "50,000 files of one folder: all of them" \
	    "$(grep -c ^send .out)" 50000
	serve_stop
	rm -rf "$T/state" "$XDG_STATE_HOME" "$XDG_CACHE_HOME"
	serve --account me@example.org:pass --populate me@example.org:50000
	mega-login --password-file pass me@example.org
	ok "50,000 nodes" sh -c 'ulimit -d 65536 && mega-sync down -n / x'
	is "50,000 nodes: all of them" \
	    "$(grep -E '^(send|mkdir) ' .out | grep -vcx 'mkdir x')" 50000
fi

# megatools sees the same tree, and we see the one that it makes.

. "$SRC/tests/interop/megatools.sh"
why=$(megatools_why)
if [ -n "$why" ]; then
	skip "megatools" "$why"
	done_testing
fi
mkdir -p tree/a/b/c 'tree/with space/ü'
gen 300000 1 >tree/a/one
gen 5 2 >tree/a/b/two
gen 70000 3 >'tree/with space/ü/é'
gen 300000 5 >other
rm -rf "$XDG_STATE_HOME" "$XDG_CACHE_HOME"
MT_USER=me@example.org
MT_PASSWORD=secret
export MT_USER MT_PASSWORD
# shellcheck disable=SC2016
megatools_session '
	tell() { echo "$? $1" >>told; }
	copy() {
		rm -rf theirs && mkdir theirs &&
		    mt copy --reload --no-progress -d -l theirs -r /Root/ours
	}
	export MEGA_API_URL=https://g.api.mega.co.nz
	export SSL_CERT_FILE=$PWD/tls/bundle.pem
	mega-login --password-file pass "$MT_USER"
	mega-sync up tree /ours && copy && diff -r tree theirs
	tell "megatools: the same tree"
	rm -r tree/a/b && cp other tree/a/one && echo new >tree/a/new
	mega-sync up --delete tree /ours && copy && diff -r tree theirs
	tell "megatools: the same after changes"
	mt mkdir /Root/up && mt copy --no-progress -l tree -r /Root/up &&
	    mega-sync down /up ofup && diff -r tree ofup
	tell "down: what megatools sent"
	mega-sync up -n --delete tree /up >plan && ! grep . plan
	tell "up: nothing to do after megatools"
' --account "$MT_USER:$T/pass" >.out 2>.err
result $? "the server for megatools"
sed 's/^/# /' .err
while read -r st name; do
	result "$st" "$name"
done <told

done_testing
