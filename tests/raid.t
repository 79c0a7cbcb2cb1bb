# Files that the service keeps in six parts: any one of them may be missing,
# slow or cut off, at the first attempt and when a download goes on.

. tests/lib.sh

MEGA_TIMEOUT=20
export MEGA_TIMEOUT
size=5000027
serve -d "$T/state"
mega-anon || skip_all "no account"
gen $size 5 >big
gen 61 6 >few
: >none
for n in 1 16 17 79 80 81 131073; do
	gen $n $n >size.$n
done
mega-put -q big few none size.* / >/dev/null
mkdir got

# parts: the parts that were asked for, and how often.
parts()
{
	settle
	jq -s 'map(select(.kind == "dl")) | length' serve.log
}

# raid FAULT...: the server with parts, and these faults.
raid()
{
	for fault; do
		set -- "$@" --fault "$fault"
		shift
	done
	restart --raid "$@"
	rm -rf got/* got/.big*
}

# gets WHAT FAULT...: fetch, in spite of them.
gets()
{
	what=$1
	shift
	raid "$@"
	exits 0 "$what" mega-get -o got/ /big
	same "$what: the data" big got/big
}

raid
exits 0 "sizes" mega-get -o got/ /big /few /none /size.1 /size.16 /size.17 \
    /size.79 /size.80 /size.81 /size.131073
for f in big few none size.*; do
	same "sizes: $f" $f got/$f
done
raid
ok "one file" mega-get -o got/ /big
is "five parts of six are asked for" "$(parts)" 5
is "and nothing more" "$(moved dl)" $((size))

# One part, and each in turn.
for i in 0 1 2 3 4 5; do
	gets "part $i is missing" "dl:part$i=http=503"
done
gets "a part is gone" dl:part1=http=404
gets "a part has an error for an answer" dl:part3=-9
gets "a part is cut off" dl:part4=cut=500000
gets "a part is cut off in a sector" dl:part5=cut=77777
gets "a part is dropped" dl:part2=drop
gets "two parts, once" dl:part2=dropx1 dl:part3=http=503x1
gets "all parts, once" dl:cut=70000x5
gets "all parts are cut off again and again" dl:cut=300001
gets "a part that comes with a delay" dl:part2=delay=1s
gets "URLs that have expired" dl:expirex2

# A slow part: what it would take alone is more than the time allowed.
begun=$(date +%s)
gets "a slow part" dl:part2=slow=20k
result $(($(date +%s) - begun > 20)) "a slow part is left out"
raid dl:part1=slow=20k
exits 0 "a slow part: cat" sh -c 'mega-cat /big >got/cat'
same "a slow part: cat: the data" big got/cat

# Parts of the file.
for range in 0-0 79-80 1-99999 4999999- 3000000-3100000; do
	raid dl:part3=http=503
	from=${range%-*} to=${range#*-}
	: "${to:=$((size - 1))}"
	ok "range $range" sh -c 'mega-cat --range "$1" /big >got/range' sh $range
	tail -c +$((from + 1)) big | head -c $((to - from + 1)) >want
	same "range $range: the data" want got/range
done

# To go on, at any place, with other parts, or with none.
raid dl:cut=800000x5 dl:http=503@6x999
exits 5 "cut off for good" env MEGA_TIMEOUT=1 mega-get -o got/ /big
cp -p got/.big*.part "$T/part"
part=$(ls got/.big*.part)
for how in "--raid --fault dl:part4=drop" ""; do
	restart $how
	rm -f got/big
	cp -p "$T/part" "$part"
	exits 0 "to go on ($how)" mega-get -o got/ /big
	same "to go on ($how): the data" big got/big
	settle
	result $(($(moved dl) > size - 2000000)) "only the rest is fetched ($how)"
done

# Few connections: the service puts the file together.
raid
ok "few connections" mega-get --connections=4 -o got/ /big
same "few connections: the data" big got/big
raid dl:part0=http=503
ok "http" mega-get --http --limit-rate=4M -o got/ /big
same "http: the data" big got/big

# Where it has to fail.
raid dl:part2=flip
exits 10 "a wrong bit" mega-get -o got/ /big
ok "a wrong bit: no file" test ! -e got/big
raid dl:part2=flip
exits 10 "a wrong bit: cat" sh -c 'mega-cat /big >got/cat'
MEGA_TIMEOUT=1
raid dl:part0=http=503 dl:part2=drop
exits 5 "two parts are missing" mega-get -o got/ /big
raid dl:part2=http=509:left=30
exits 6 "the quota is used up" mega-get -o got/ /big
says "and for how long" "30 seconds"

done_testing
