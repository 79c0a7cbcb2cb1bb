# mega-mount: files as programs expect them, and all of it on the service.

. tests/mount/lib.sh

TZ=UTC
export TZ
serve -d "$T/state"
mega-anon || skip_all "no account"
mount_or_skip
ok "unmounted again" unmount

handle() { mega-ls -jd "$1" | jq -r .handle; }
attribute() { getfattr --only-values -n "user.mega.$1" "$2" 2>/dev/null; }
api() { echo "[$1]" | mega-api -q; }

# The session of the article: names that collide, links, sizes, times.

mkdir art
root=$(handle /)
put() # SIZE TIME NAME: made elsewhere, since mega-put minds what has the name
{
	gen "$1" >"art/$3"
	touch -d "2013-$2" "art/$3"
	mega-put -q "art/$3" /other/ >/dev/null
	move "/other/$3"
}
move() # PATH: to the Cloud Drive, as it is
{
	api "{\"a\":\"m\",\"n\":\"$(handle "$1")\",\"t\":\"$root\"}" >/dev/null
}
mega-mkdir -p /lol/sub /other
put 18599 "01-28 02:49" epicwin.png
put 5951970 "01-21 12:48" "Call Me Maybe vs She Wolf (YaYa Mashup).mp3"
put 39315 "01-24 21:58" lulz.png
sleep 1.1
put 18599 "01-29 14:09" epicwin.png
put 270695 "01-25 15:27" WHOOOHOOOOOO.PNG
mega-mkdir /other/lol
move /other/lol
sleep 1.1
put 18599 "01-29 14:08" epicwin.png
mega-rm -r --purge /other

mount_here
long() { ls -la --time-style='+%b. %d %H:%M' "$1" | sed "s/ $(id -un) / root /;
    s/ $(id -gn) / root /; /\.\.$/d; /^total/d"; }
long "$M" | sed 's/[A-Z][a-z][a-z]\. [0-9][0-9] [0-9:]* //' >got
cat >want <<'EOF'
drwxr-xr-x 5 root root 4096 .
drwxr-xr-x 4 root root 4096 Cloud Drive
drwxr-xr-x 2 root root 4096 Inbox
drwxr-xr-x 2 root root 4096 Rubbish Bin
EOF
same "the article: the top" got want
LC_ALL=en_US.UTF-8 long "$D" | sed '/^d/s/[A-Z][a-z][a-z]\. [0-9][0-9] [0-9:]* //
    s/  */ /g' | sort -k 9 >got
sort -k 9 >want <<'EOF'
drwxr-xr-x 4 root root 4096 .
-rw-rw-rw- 1 root root 5951970 Jan. 21 12:48 Call Me Maybe vs She Wolf (YaYa Mashup).mp3
-rw-rw-rw- 1 root root 18599 Jan. 29 14:09 epicwin (1).png
-rw-rw-rw- 1 root root 18599 Jan. 29 14:08 epicwin (2).png
-rw-rw-rw- 1 root root 18599 Jan. 28 02:49 epicwin.png
drwxr-xr-x 3 root root 4096 lol
drwxr-xr-x 2 root root 4096 lol (1)
-rw-rw-rw- 1 root root 39315 Jan. 24 21:58 lulz.png
-rw-rw-rw- 1 root root 270695 Jan. 25 15:27 WHOOOHOOOOOO.PNG
EOF
same "the article: the Cloud Drive" got want
ok "the article: a file" cmp "art/Call Me Maybe vs She Wolf (YaYa Mashup).mp3" \
    "$D/Call Me Maybe vs She Wolf (YaYa Mashup).mp3"

# Attributes.

h=$(handle /lulz.png)
is "user.mega.handle" "$(attribute handle "$D/lulz.png")" "$h"
is "of the Cloud Drive, too" "$(attribute handle "$D")" "$root"
n=$(perl -MMIME::Base64 -e '$_ = shift; tr|-_|+/|;
    print hex(unpack("H*", decode_base64($_)))' -- "$h")
is "the inode is the handle's number" "$(stat -c %i "$D/lulz.png")" "$n"
is "no link, no user.mega.link" "$(attribute link "$D/lulz.png")" ""
link=$(mega-link /lulz.png)
ok "user.mega.link appears" await sh -c \
    "[ \"\$(getfattr --only-values -n user.mega.link '$D/lulz.png' \
    2>/dev/null)\" = '$link' ]"
flink=$(mega-link /lol)
ok "user.mega.link of a folder" await sh -c \
    "[ \"\$(getfattr --only-values -n user.mega.link '$D/lol (1)' \
    2>/dev/null)\" = '$flink' ]"
exits 1 "no ACLs" getfattr -n system.posix_acl_access "$D/lulz.png"
says "programs need not ask again" 'not supported'
ok "df" sh -c "df --output=size,used '$M' | awk 'NR == 2 && \
    \$1 > 1000000000 && \$2 > 5000 { ok = 1 } END { exit !ok }'"
ok "names that are not there" sh -c "! stat '$D/none' 2>/dev/null"

# Names that no disk can hold, and what cannot be decrypted.

gen 100 9 >plain
ok "into a folder that has a link" sh -c "mkdir '$D/lol (1)/made' &&
    cp plain '$D/lol (1)/made/in' && mv '$D/lol (1)/made' '$D/lol (1)/new'"
ok "is read through it" sh -c "mega-cat --session none '$flink:/new/in' |
    cmp - plain"
MEGAJS=${MEGAJS:-$SRC/build/interop}
if command -v node >/dev/null && [ -d "$MEGAJS/node_modules/megajs" ]; then
	ok "megajs reads it, too" env MEGAJS="$MEGAJS" node \
	    "$SRC/tests/interop/megajs.js" folder-get "$flink" /new/in got
	same "and the same" got plain
else
	skip "megajs" "not installed below $MEGAJS"
fi
for name in 'a%2fb' '%2e%2e' '%2e'; do
	mega-put -q plain "H:$root" >/dev/null 2>&1
	cp plain "$name"
	mega-put -q "./$name" / >/dev/null
done
mega-put -q plain /broken >/dev/null
broken=$(handle /broken)
api "{\"a\":\"a\",\"n\":\"$broken\",\"at\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}" >/dev/null
ok "a slash" await cmp -s plain "$D/a%2fb"
ok "dots" sh -c "cmp plain '$D/%2e' && cmp plain '$D/%2e%2e'"
ok "no key: shown by handle" await test -e "$D/H:$broken"
rm -f "$D/plain" "$D"/plain*

# What programs do.

src=$T/src
mkdir -p "$src/sub/deep" "$src/empty"
gen 3000000 1 >"$src/big"
gen 131072 2 >"$src/sub/chunk"
gen 131073 3 >"$src/sub/chunk1"
: >"$src/sub/none"
echo needle >"$src/sub/deep/ü ñ"
i=0
while [ $i -lt 20 ]; do
	gen $((i * 997)) $i >"$src/sub/deep/f$i"
	i=$((i + 1))
done
touch -d '2001-02-03 04:05:06' "$src/big" "$src/sub/chunk" "$src/empty"

ok "cp -a" cp -a "$src" "$D/cp"
ok "is the same" diff -r "$src" "$D/cp"
is "with times" "$(stat -c %Y "$D/cp/big" "$D/cp/empty")" \
    "$(stat -c %Y "$src/big" "$src/empty")"
same_tree "cp -a" "$src" /cp
ok "and once more, over it" cp -a "$src/." "$D/cp/"
ok "is the same still" diff -r "$src" "$D/cp"
ok "grep -r" grep -rq needle "$D/cp"
ok "tar c" tar c -C "$D" -f "$T/cp.tar" cp
mkdir "$T/untar" "$D/untar"
ok "is the same" sh -c "tar x -C '$T/untar' -f '$T/cp.tar' &&
    diff -r '$src' '$T/untar/cp'"
ok "tar x" tar x -C "$D/untar" -f "$T/cp.tar"
same_tree "tar x" "$src" /untar/cp
ok "mv of a folder" mv "$D/untar/cp" "$D/moved"
ok "mv to another name elsewhere" mv "$D/moved/big" "$D/untar/large"
ok "and back" mv "$D/untar/large" "$D/moved/big"
same_tree "mv" "$src" /moved
ok "touch -d" touch -d '2002-03-04 05:06:07' "$D/moved/sub/chunk1"
is "is seen here" "$(stat -c %Y "$D/moved/sub/chunk1")" 1015218367
is "and there" "$(mega-ls -jd /moved/sub/chunk1 | jq -r .mtime)" \
    2002-03-04T05:06:07Z
ok "dd with seeks" sh -c "for i in 7 3 0 11; do
	dd if='$src/big' of='$D/dd' bs=100000 count=1 skip=\$i seek=\$i \
	    conv=notrunc status=none || exit 1
	dd if='$src/big' of='$T/dd' bs=100000 count=1 skip=\$i seek=\$i \
	    conv=notrunc status=none || exit 1
done"
ok "is the same" cmp "$T/dd" "$D/dd"
ok "dd that reads with seeks" sh -c "for i in 20 3 29 0; do
	dd if='$D/cp/big' bs=100000 count=1 skip=\$i status=none >x &&
	dd if='$src/big' bs=100000 count=1 skip=\$i status=none | cmp - x ||
	exit 1
done"
ok "a part of a file that is there" sh -c "printf XYZ |
    dd of='$D/moved/big' bs=1 seek=2000000 conv=notrunc status=none &&
    printf XYZ | dd of='$src/big' bs=1 seek=2000000 conv=notrunc status=none"
ok "appended to" sh -c "echo end >>'$D/moved/big' && echo end >>'$src/big'"
ok "cut" sh -c "truncate -s 70000 '$D/moved/sub/chunk' &&
    truncate -s 70000 '$src/sub/chunk'"
ok "made longer" sh -c "truncate -s 140000 '$D/moved/sub/chunk' &&
    truncate -s 140000 '$src/sub/chunk'"
same_tree "changed in place" "$src" /moved
is "each time that it is closed makes a version" \
    "$(mega-ls --versions -R /moved | grep -c '/big#')" 2
echo old >"$D/over"
echo new >"$D/tmp"
mv "$D/tmp" "$D/over"
is "what is renamed over another" "$(cat "$D/over")" new
is "is its newest version" "$(mega-ls --versions / | grep -c '^/over')" 2
is "and the other name is gone" "$(mega-ls / | grep -c '^/tmp')" 0
ok "rm -r" rm -r "$D/untar" "$D/moved"
ok "is in the rubbish bin" test -e "$M/Rubbish Bin/f19"
ok "rm there" rm "$M/Rubbish Bin/f19"
is "is for good" "$(mega-ls //bin | grep -c f19)" 0
exits 1 "rmdir of what is not empty" rmdir "$D/cp"
says "says so" 'not empty'
ok "a new name with a slash of its own" sh -c "echo s >'$D/x%2fy'"
ok "has it on the service" sh -c "mega-ls -j / | jq -r .name | grep -qx x/y"

if command -v rsync >/dev/null; then
	ok "rsync -a" rsync -a "$src/" "$D/rsync/"
	same_tree "rsync -a" "$src" /rsync
	is "rsync -a again has nothing to send" \
	    "$(rsync -ain "$src/" "$D/rsync/" | grep '^>f')" ""
else
	skip "rsync -a" "rsync is not installed"
fi
if command -v git >/dev/null; then
	git init -q repo
	cp -r "$src" repo/
	git -C repo -c user.name=x -c user.email=x@y add .
	git -C repo -c user.name=x -c user.email=x@y commit -qm one
	ok "git clone" git clone -q repo "$D/clone"
	ok "git fsck" git -C "$D/clone" fsck --no-progress
	ok "git commit" sh -c "cd '$D/clone' && echo x >new && git add new &&
	    git -c user.name=x -c user.email=x@y commit -qm two"
	is "git status" "$(git -C "$D/clone" status --short)" ""
	ok "git clone of the clone" git clone -q "$D/clone" again
	rm -rf "$T/back"
	mega-get -rq /clone -o "$T/back/"
	ok "what is on the service is a repository" \
	    git -C "$T/back/clone" fsck --no-progress
else
	skip "git clone" "git is not installed"
fi
if command -v sqlite3 >/dev/null; then
	sqlite3 local.db 'create table t (a, b); with recursive n(i) as
	    (values(1) union all select i + 1 from n where i < 20000)
	    insert into t select i, hex(randomblob(20)) from n;
	    create index i on t(b)'
	cp local.db "$D/remote.db"
	is "sqlite3 reads" "$(sqlite3 "$D/remote.db" \
	    'select count(*), sum(a) from t; pragma integrity_check')" \
	    "20000|200010000
ok"
	ok "sqlite3 writes" sqlite3 "$D/remote.db" \
	    'update t set a = a + 1 where a % 100 = 0'
	mega-get -q /remote.db -o back.db
	is "it is on the service" "$(sqlite3 back.db 'select sum(a) from t;
	    pragma integrity_check')" "200010200
ok"
else
	skip "sqlite3" "sqlite3 is not installed"
fi

# Several readers of one file, more than the cache may hold, other users.

ok "unmounted" unmount
gen 9000000 7 >nine
mega-put -q nine / >/dev/null
mount_here -o cache=2m,allow_other
for i in 0 1 2 3; do
	{ tail -c +$((i * 2000000 + 1)) "$D/nine"; cat "$D/nine"; } >r$i &
	readers="$readers $!"
done
# shellcheck disable=SC2086
wait $readers
for i in 0 1 2 3; do
	{ tail -c +$((i * 2000000 + 1)) nine; cat nine; } >want
	same "reader $i" want r$i
done
rm -f want r?
ok "the cache is as large as it may be" test "$(du -sk \
    "$XDG_CACHE_HOME"/megapipe/blocks* | cut -f 1)" -le 2100
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	other() { setpriv --reuid 65534 --clear-groups "$@"; }
	chmod 755 "$T"
	ok "allow_other" other cat "$D/lulz.png"
	exits 2 "who is let in by allow_other cannot write" \
	    other sh -c 'echo x >"$1"' - "$D/lulz.png"
	unmount
	mount_here
	exits 1 "without it" other cat "$D/lulz.png"
	says "others see nothing" 'Permission denied'
	chmod 700 "$T"
else
	skip "allow_other" "not root, or no setpriv"
fi

# What happens elsewhere.

mega-put -q "$src/sub/chunk1" /elsewhere >/dev/null
ok "a new file appears" await cmp -s "$src/sub/chunk1" "$D/elsewhere"
mega-put -q plain /elsewhere >/dev/null
ok "another content appears" await cmp -s plain "$D/elsewhere"
exec 7<"$D/elsewhere"
mega-put -q "$src/sub/chunk1" /elsewhere >/dev/null
ok "another one" await cmp -s "$src/sub/chunk1" "$D/elsewhere"
ok "while who had it open reads on" sh -c 'cat <&7 | cmp - plain'
exec 7<&-
mega-mv /elsewhere /renamed
ok "another name appears" await test -e "$D/renamed"
ok "the old one goes" await sh -c "! test -e '$D/elsewhere'"
mega-mkdir /there
mega-mv /renamed /there/
ok "another place" await test -e "$D/there/renamed"
mega-rm -r /there
ok "a folder goes" await sh -c "! test -e '$D/there'"
ok "and is in the bin" await test -e "$M/Rubbish Bin/there/renamed"
# What was listed stays with the kernel, also while it is being listed anew.
names() { ls -A "$D/list" | tr '\n' ' '; }
mega-mkdir -p /list/a
ok "a folder is listed" await test -d "$D/list"
is "twice" "$(names) $(names)" "a  a "
mega-mkdir /list/b
ok "one more" await eval '[ "$(names)" = "a b " ]'
mega-mv /list/a /list/c
ok "another name" await eval '[ "$(names)" = "b c " ]'
mega-rm -r /list/b
ok "one less" await eval '[ "$(names)" = "c " ]'
cp plain "$D/list/d"
is "one of our own" "$(names)" "c d "
is "its number" "$(ls -i "$D/list" | sed -n 's/^ *\(.*\) d$/\1/p')" \
    "$(stat -c %i "$D/list/d")"
rm "$D/list/d"
is "not any more" "$(names)" "c "
while [ -d "$D/list" ]; do ls -l "$D/list" >/dev/null 2>&1; done &
lister=$!
for i in 1 2 3 4 5 6; do
	seq $((i * 20)) | sed 's,^,/list/n,' | mega-mkdir -p -
	seq $((i * 15)) | sed 's,^,/list/n,' | mega-rm -r -
done
mega-ls /list | sed 's,.*/,,' | sort >want
ok "many, while they are listed" await eval 'ls "$D/list" | sort | cmp -s - want'
mega-rm -r /list
wait $lister
mkdir two
exec 8>"$D/twice"
echo once >&8 # which closes a descriptor of it
exits 0 "mounted twice" mega-mount "$T/two"
ok "a file shows there, too" await test -s "$T/two/Cloud Drive/twice"
echo more >&8
exec 8>&-
ok "with its new contents, under its name" await cmp -s "$D/twice" \
    "$T/two/Cloud Drive/twice"
is "and no other" "$(ls "$T/two/Cloud Drive" | grep -c twice)" 1
fusermount3 -u "$T/two"
mega-mkdir -p /unseen/a
ok "a folder comes" await test -d "$D/unseen"
is "with folders in it" "$(stat -c %h "$D/unseen")" 3
mega-mkdir /unseen/b
ok "one more, though nobody has looked into it" await sh -c \
    "[ \$(stat -c %h '$D/unseen') = 4 ]"

# What is left to others.

ok "unmounted" unmount
exits 0 "in the background" mega-mount "$M"
ok "it is mounted when that ends" test -e "$D/lulz.png"
pid=$(pgrep -n -f "mega-mount $M")
ok "SIGTERM" kill "$pid"
ok "ends it" await sh -c "! mountpoint -q '$M'"
exits 0 "a folder" mega-mount -o ro "/cp" "$M"
ok "is the same" diff -rq "$M/sub/deep" "$src/sub/deep"
exits 1 "read-only" touch "$M/x"
says "says so" 'Read-only'
fusermount3 -u "$M"
mega-put -rq "$src" /lol >/dev/null
exits 0 "a folder link, without an account" env MEGA_SESSION=/none \
    mega-mount "$flink" "$M"
ok "is the same" diff -r "$src" "$M/src"
exits 1 "is read-only" touch "$M/x"
key=${flink#*#}
ok "its key is not shown" sh -c "! grep -q -- '$key' /proc/mounts"
mega-put -q plain /lol/late >/dev/null
ok "and goes with the times, too" await cmp -s plain "$M/late"
fusermount3 -u "$M"

exits 2 "no mount point" mega-mount
exits 2 "a file cannot be mounted" mega-mount /lulz.png "$M"
exits 3 "nor what is not there" mega-mount /no/such "$M"
exits 4 "nor without a session" env MEGA_SESSION=/none mega-mount "$M"
exits 12 "nor where nothing is" mega-mount "$T/none"
exits 2 "an option that nobody knows" mega-mount -o nosuchoption "$M"
exits 2 "an option with a wrong value" mega-mount -o timeout=x "$M"
ok "nothing is mounted" sh -c "! mountpoint -q '$M'"
if [ "$(id -u)" -eq 0 ] && command -v mount.fuse3 >/dev/null; then
	ok "as mount(8) calls it" env PATH="$PATH" mount.fuse3 "mega-mount#" \
	    "$M" -o "rw,dev,suid,session=$XDG_STATE_HOME/megapipe/session.json"
	ok "is mounted" test -e "$D/lulz.png"
	umount "$M"
	await sh -c "! mountpoint -q '$M'"
	ok "as fstab(5) has it" mount.fuse3 none "$M" -t fuse.mega-mount \
	    -o "ro,session=$XDG_STATE_HOME/megapipe/session.json"
	ok "is mounted" test -e "$D/lulz.png"
	umount "$M"
else
	skip "mount.fuse3" "not root, or not installed"
fi

# Nothing is lost.

mount_here
exec 8>"$D/unfinished"
echo half >&8
kill "$MOUNT_PID"
died
exec 8>&-
is "SIGTERM sends what is open" "$(mega-cat /unfinished)" half
mount_here
perl -e 'open(my $f, ">", $ARGV[1]); syswrite($f, "half\n");
    open(my $g, ">>", $ARGV[2]); syswrite($g, "tail\n");
    kill(9, $ARGV[0]); sleep(1)' "$MOUNT_PID" "$D/killed" "$D/lulz.png" 2>/dev/null
died
is "kill -9 does not" "$(mega-ls / | grep -c killed)" 0
mount_here
is "what was there then is there again" "$(cat "$D/killed")" half
ok "and sent" await sh -c 'mega-cat /killed 2>/dev/null | grep -qx half'
ok "also where it was a part" await sh -c \
    'mega-cat /lulz.png | tail -c 5 | grep -qx tail'
ok "on the rest of it" sh -c "mega-cat /lulz.png | head -c 39315 |
    cmp - art/lulz.png"
ok "unmounted" unmount
is "the spool is empty" "$(ls "$XDG_STATE_HOME"/megapipe/spool-*)" ""

# A service that fails.

gen 5000000 5 >five
mega-put -q five / >/dev/null
mount_here -o timeout=3,cache=0
ok "what is read" cmp five "$D/five"
serve_stop
start=$(date +%s)
exits 1 "without a service" dd if="$D/killed" of=/dev/null status=none
says "is an error" 'Input/output error'
end=$(date +%s)
ok "within the time-out" test $((end - start)) -le 15
exits 1 "nothing can be made" cp plain "$D/later"
ok "but it is kept" cmp plain "$D/later"
url=$MEGA_API_URL
serve -d "$T/state" -l "127.0.0.1:${url##*:}"
ok "when it is back, so is all" await cmp -s five "$D/five"
ok "and what was kept is sent" sh -c 'for i in 1 2 3 4 5 6 7 8; do
	mega-cat /later 2>/dev/null | cmp -s - plain && exit
	sleep 5
done; exit 1'
ok "unmounted" unmount
restart_here() { serve_stop; serve -d "$T/state" -l "127.0.0.1:${url##*:}" "$@"; }
restart_here --fault dl:http=503@1x3 --fault dl:cut=100000@5
mount_here -o cache=0
ok "data that breaks off" cmp five "$D/five"
ok "unmounted" unmount
restart_here --fault dl:flip
mount_here -o cache=0
exits 1 "a chunk that does not authenticate" cat "$D/killed"
says "is an error" 'Input/output error'
exits 1 "also where only the whole file can tell" cat "$D/five"
says "is an error" 'Input/output error'
ok "unmounted" unmount
restart_here
mount_here
ok "all chunks are known" cmp five "$D/five"
ok "unmounted" unmount
rm -f "$XDG_CACHE_HOME"/megapipe/blocks*/*.[0-9]
restart_here --fault dl:flip
mount_here
exits 1 "then each alone can tell" dd if="$D/five" bs=4096 skip=600 count=1 \
    of=/dev/null status=none
ok "unmounted" unmount
restart_here --storage 7000000
mount_here
exits 1 "no more room" cp five "$D/six"
says "says so" 'quota|space'
ok "the rest goes on" cmp five "$D/five"
rm "$D/six"
ok "unmounted" unmount
restart_here

# Many kinds of things at once, for a short time; make soak has more of it.

mount_here
model 4
for tool in fio stress dbench; do
	load $tool 3
done
ok "unmounted" unmount

done_testing
