# The file system: reading beside mega-get, and looking at names.
#
# Seconds depend on the machine and on what else it does: the least of several
# turns counts.  Where nothing can be mounted, nothing is measured.

. tests/mount/lib.sh
. "$SRC/tests/bench/common"

size=${BENCH_MOUNT_MIB:-256}   # MiB
turns=${BENCH_TURNS:-5}
names=10000
many=${BENCH_MOUNT_NAMES:-50000} # in one folder
serve -d "$T/state"
mega-anon || exit
gen $((size * 1048576)) >big
mega-put -q big / >/dev/null
mkdir local
mega-mkdir /many /more
seq $names | sed 's,^,/many/,' | mega-mkdir -
seq "$many" | sed 's,^,/more/,' | mega-mkdir -
seq "$many" | (cd local && xargs mkdir)
mount_or_skip

# read_all FILE: the whole file through the file system.
read_all()
{
	took "$1" dd if="$D/big" of=/dev/null bs=1M status=none
	unmount
}

unmount
for i in $(seq "$turns"); do
	took get mega-get -q -o /dev/null /big
	mount_here -o cache=0
	read_all plain
	rm -rf "$XDG_CACHE_HOME"/megapipe/blocks*
	mount_here
	read_all cached
	mount_here
	read_all again
done
mount_here
ls -l "$D/many" >/dev/null
for i in $(seq "$turns"); do
	perl -MTime::HiRes=time -e 'my ($dir, $n) = @ARGV;
	    chdir $dir or die;
	    my $start = time;
	    for my $i (1 .. $n) { stat($i) or die "$i: $!" }
	    print time - $start, "\n"' "$D/many" $names >>stat
done
unmount

for i in $(seq "$turns"); do
	mount_here
	took list-local ls -l "$T/local"
	took list-first ls -l "$D/more"
	took list-again ls -l "$D/more"
	unmount
done

echo "Reading $size MiB: mega-get $(least 1 get) s, mounted $(least 1 plain)" \
    "s, as it fills the cache $(least 1 cached) s, from it $(least 1 again) s"
echo "ls -l of $many folders: on the disk $(least 1 list-local) s, mounted" \
    "$(least 1 list-first) s, again $(least 1 list-again) s"
for f in plain cached; do
	verdict "mega-get's time to read / that of the mount, $f" "$(awk \
	    -v a="$(least 1 get)" -v b="$(least 1 $f)" 'BEGIN { print a / b }')" \
	    ">=" 0.6
done
verdict "names looked at per second, warm" "$(awk -v n=$names \
    -v t="$(least 1 stat)" 'BEGIN { print n / t }')" ">=" 20000
for f in first:0.15 again:0.5; do
	verdict "the disk's time for ls -l / that of the mount, ${f%:*}" "$(awk \
	    -v a="$(least 1 list-local)" -v b="$(least 1 "list-${f%:*}")" \
	    'BEGIN { print a / b }')" ">=" "${f#*:}"
done
