# What was interrupted goes on: by kill, by a full disk, by damage.

. tests/lib.sh

MEGA_TIMEOUT=3
export MEGA_TIMEOUT
serve -d "$T/state"
mega-anon || skip_all "no account"
size=9000000
gen $size 1 >big
mega-put -q big / >/dev/null
link=$(mega-link /big)
mkdir got small
for i in $(seq 20); do
	gen 2000 "$i" >"small/$i"
done
mega-put -qr small / >/dev/null
tree=$(mega-link /small)

# The bytes of the chunks whose MACs are in a part's record.
kept()
{
	perl -e '
		my ($file, $size) = @ARGV;
		my ($at, $i, $sum, $head, $mac) = (0, 0, 0);
		open my $f, "<", $file or die;
		seek $f, int(($size + 4095) / 4096) * 4096, 0;
		read $f, $head, 64;
		while ($at < $size) {
			my $n = ($i < 8 ? $i + 1 : 8) * 131072;
			$n = $size - $at if $n > $size - $at;
			die if read($f, $mac, 16) != 16;
			$sum += $n if $mac ne "\0" x 16;
			$at += $n;
			$i++;
		}
		print $sum' "$1" $size
}

# begun: some chunks have been written.
begun()
{
	part=$(echo got/.big.*.part)
	[ -s "$part" ] && [ "$(kept "$part" 2>/dev/null || echo 0)" -gt \
	    "${1:-1000000}" ]
}

restart --fault dl:slow=2M
mega-get -o got/ "$link" &
pid=$!
await begun
kill -9 $pid
wait $pid 2>/dev/null
part=$(echo got/.big.*.part)
n=$(kept "$part")
cp "$part" saved
result $((n < 1000000 || n >= size)) "killed: some is there"
ok "no file of that name" test ! -e got/big
restart
ok "again" mega-get -v -o got/ "$link"
says "again: from where" "$n of $size bytes are here already"
same "again: the data" big got/big
is "again: only what was missing is fetched" "$(moved dl)" $((size - n))
nothing_left "nothing is left behind" got

# One wrong bit in a chunk that was there: it alone is fetched again.
chunk=$(perl -e '
	my ($file, $size) = @ARGV;
	my ($at, $i) = (0, 0);
	open my $f, "+<", $file or die;
	for (;;) {
		my $n = ($i < 8 ? $i + 1 : 8) * 131072;
		seek $f, int(($size + 4095) / 4096) * 4096 + 64 + 16 * $i, 0;
		read $f, my $mac, 16;
		if ($mac ne "\0" x 16) {
			seek $f, $at + 777, 0;
			read $f, my $c, 1;
			seek $f, $at + 777, 0;
			print $f $c ^ "\1";
			print $n;
			last;
		}
		$at += $n;
		$i++;
	}' saved $size)
rm -f got/big
cp saved "$part"
: >serve.log
ok "one wrong bit" mega-get -o got/ "$link"
same "one wrong bit: the data" big got/big
is "one wrong bit: one more chunk is fetched" "$(moved dl)" \
    $((size - n + chunk))

# A part that is of no use is not trusted.
for what in short zeros noise other; do
	rm -f got/big
	case $what in
	short) head -c 5000000 saved >"$part";;
	zeros) truncate -s 0 "$part"; truncate -s 9100000 "$part";;
	noise) gen 9100000 3 >"$part";;
	other)
		cp saved "$part"
		printf XXXX | dd of="$part" bs=1 seek=9003050 conv=notrunc \
		    2>/dev/null;;
	esac
	: >serve.log
	ok "a part that is $what" mega-get -o got/ "$link"
	same "a part that is $what: the data" big got/big
	is "a part that is $what: all is fetched" "$(moved dl)" $size
done
rm -f got/big
mkdir "$part"
exits 12 "a folder where the part should be" mega-get -o got/ "$link"
rmdir "$part"
echo precious >target
ln -s ../target "$part"
mega-get -o got/ "$link" 2>.err
is "a link where the part should be: not followed" "$(cat target)" precious
rm -f "$part" got/big

# Two at the same time do not spoil each other's work.
restart --fault dl:slow=3M
mega-get -o got/ "$link" &
pid=$!
await test -e "$part"
exits 9 "two at a time" mega-get -o got/ "$link"
says "two at a time: said so" 'another process'
wait $pid
is "two at a time: the first is not disturbed" $? 0
same "two at a time: the data" big got/big
rm -f got/big

# SIGINT and SIGTERM end it as such, and leave what there is.
for sig in INT TERM; do
	rm -f "$part"
	restart --fault dl:slow=2M
	# A shell's background jobs ignore SIGINT; perl gives it back.
	perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' \
	    mega-get -o got/ "$link" &
	pid=$!
	await begun
	kill -s $sig $pid
	wait $pid
	is "SIG$sig" "$(kill -l $?)" $sig
done
n=$(kept "$part")
restart
ok "goes on after that" mega-get -o got/ "$link"
same "goes on after that: the data" big got/big
is "goes on after that: only what was missing" "$(moved dl)" $((size - n))
rm -f got/big

# Small files: a part is made when its turn has come, and has no record.
restart --fault dl:slow=1k
mega-get -qr --connections=2 -o got/ "$tree" &
pid=$!
two()
{
	[ "$(find got -name '*.part' | wc -l)" -eq 2 ]
}
ok "as many are begun as there are connections" await two
kill -9 $pid
wait $pid 2>/dev/null
is "killed: no part is more than its file" \
    "$(find got/small -name '*.part' -size +2000c)" ""
restart
ok "small files again" mega-get -qr -o got/ "$tree"
ok "small files: the data" diff -r small got/small
rm -rf small got/small

# A full disk.

cat >full.sh <<'END'
mount -t tmpfs -o size=16m none small || exit 99
head -c 12000000 /dev/zero >small/filler
: >serve.log
mega-get -o small/ "$1" 2>full.err
echo $? >full.st
rm small/filler
ls -A small >full.ls
mega-get -o small/ "$1" 2>again.err
echo $? >again.st
cp small/big small.big
ls -A small >again.ls
END
mkdir small
if in_private_mounts "$(cat full.sh)" sh "$link" 2>/dev/null; then
	is "a full disk: status 12" "$(cat full.st)" 12
	is "a full disk: what is wrong" \
	    "$(sed 's/.*: //' full.err)" "No space left on device"
	is "a full disk: no file of that name" "$(grep -v part full.ls)" ""
	is "with more room it goes on" "$(cat again.st again.err)" 0
	same "goes on: the data" big small.big
	is "goes on: nothing is left behind" "$(cat again.ls)" big
	# Little more than the file was fetched: what did not fit.
	result $(($(moved dl) > size + 7000000)) "goes on: not from the start"
else
	skip "a full disk" "no private mounts here"
fi

cat >full.sh <<'END'
mount -t tmpfs -o size=1m none small || exit 99
head -c 3000000 /dev/zero | TMPDIR=$PWD/small mega-put - /spooled 2>full.err
echo $? >full.st
ls -A small >full.ls
END
if in_private_mounts "$(cat full.sh)" sh 2>/dev/null; then
	is "no space for the spool: status 12" "$(cat full.st)" 12
	is "no space for the spool: what is wrong" "$(cat full.err)" \
	    "mega-put: -: the spool in TMPDIR: No space left on device"
	is "no space for the spool: nothing is left" "$(cat full.ls)" ""
	is "no space for the spool: no node" "$(mega-ls / | grep -c spool)" 0
else
	skip "no space for the spool" "no private mounts here"
fi

# Memory: whatever comes through a pipe, it does not grow with it.

if is_asan || ! [ -r /proc/self/status ]; then
	skip "memory" "not measured with this build, or on this system"
else
	mkfifo data
	for o in "--size 200m" ""; do
		head -c 209715200 /dev/zero >data &
		# shellcheck disable=SC2086
		mega-put -q $o - "/zeros$o" <data >/dev/null &
		pid=$!
		n=$(peak $pid)
		wait $pid
		is "put: 200 MB by a pipe ${o:-of unknown length}" $? 0
		result $((n > 32 * 1024)) "put: memory: $n KiB"
	done
	mega-get -o copy "/zeros" &
	pid=$!
	n=$(peak $pid)
	wait $pid
	is "get: 200 MB" $? 0
	result $((n > 32 * 1024)) "get: memory: $n KiB"
	is "get: the data" "$(tr -d '\000' <copy | wc -c | tr -d ' ')" 0
	rm copy
	mega-cat /zeros >data &
	pid=$!
	peak $pid >peak.out &
	peak=$!
	is "cat: 200 MB into a slow pipe" \
	    "$(tr -d '\000' <data | wc -c | tr -d ' ')" 0
	wait $pid $peak
	n=$(cat peak.out)
	result $((n > 32 * 1024)) "cat: memory: $n KiB"
fi

# Again and again, as tests/soak/transfers.sh does with more of all.

. "$SRC/tests/soak/interrupt"
restart
size=100663296
times=4
connections=4
slow=8M
seed=$$
all_interruptions

nothing_left "nothing is left behind" .
done_testing
