# Transfers: beside other people's clients, then against our targets.
#
# Ratios count, not seconds.  Other work on the machine falsifies them:
# what is compared with a target is the best of several turns.

. tests/lib.sh
. "$SRC/tests/bench/common"
: "${BENCH_LIMIT:=180}" # seconds that a client may take for something
export T BUILD SRC BENCH_LIMIT

sizes=${BENCH_MIB:-256 2048}   # MiB of the large files
turns=${BENCH_TURNS:-5}
part=256                       # MiB, to measure processor time with
files=${BENCH_FILES:-2000}       # of 1 KiB
delay=50                       # ms
connections=16

echo secret >pw
mkdir small
for n in $sizes; do
	gen $((n * 1048576)) "$n" >"$n"
done
perl -e 'for my $i (1 .. shift) {
	open my $f, ">", "small/$i" or die;
	print $f pack("N", $i) x 256;
}' $files

# Small files, with a server that takes its time, and no other: its state is
# in memory where there is room for that.  What is fetched stays until the
# end, since ext4 is slow to make files where many have just been deleted.

state=$T/state
[ ! -w /dev/shm ] || state=$(mktemp -d /dev/shm/megapipe.XXXXXX)
trap 'cleanup; rm -rf "$state"' EXIT
serve -d "$state" --fault "*:delay=${delay}ms"
mega-anon
requests()
{
	jq -s 'map(select(.kind == "cs" or .kind == "sc")) | length' serve.log
}
mkdir got.small
for i in $(seq "$turns"); do
	: >serve.log
	took up mega-put -qr --connections=$connections small "/$i"
	settle
	requests >>up.asked
	: >serve.log
	took down mega-get -qr --connections=$connections -o "got.small/$i" \
	    "/$i"
	settle
	requests >>down.asked
done
diff -r small "got.small/$turns" >/dev/null ||
    echo "small files: the data is wrong"
serve_stop
rm -rf "$state" "$XDG_STATE_HOME" "$XDG_CACHE_HOME"

# The peers.

accounts=
for c in ours megatools megajs; do
	accounts="$accounts --account $c@example.org:$T/pw"
done
MEGAJS=${MEGAJS:-$SRC/build/interop}
NODE_EXTRA_CA_CERTS=$T/tls/cert.pem
export MEGAJS NODE_EXTRA_CA_CERTS sizes
has_megajs=0
[ -d "$MEGAJS/node_modules/megajs" ] && command -v node >/dev/null &&
    has_megajs=1
export has_megajs

. "$SRC/tests/interop/megatools.sh"
why=$(megatools_why)
if [ -z "$why" ]; then
	echo "All clients, over TLS:"
	# shellcheck disable=SC2016,SC2086
	megatools_session '
		export MEGA_API_URL=https://g.api.mega.co.nz
		# As on a system with a folder of hashed certificates.
		unset SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE
		mkdir tls/certs && cp tls/cert.pem tls/certs/ &&
		    openssl rehash tls/certs &&
		    cp tls/bundle.pem tls/certs/ca-certificates.crt &&
		    mount --bind tls/certs /etc/ssl/certs || exit
		. "$SRC/tests/bench/peers"
		ours
		megatools_all
		[ $has_megajs -eq 0 ] || megajs_all
	' $accounts -d "$T/state"
else
	echo "No megatools ($why).  The others, over http:"
	# shellcheck disable=SC2086
	serve $accounts -d "$T/state"
	. "$SRC/tests/bench/peers"
	ours
	[ $has_megajs -eq 0 ] || megajs_all
	serve_stop
fi
[ $has_megajs -eq 1 ] || echo "No megajs: not installed below $MEGAJS"
rm -rf "$T/state" "$XDG_STATE_HOME" "$XDG_CACHE_HOME"

echo "up, down: MiB of a file; small: $files files of 1 KiB"
echo "in brackets: how many times ours"
awk -v limit="$BENCH_LIMIT" '
function times(a, b) { return b > 0 ? sprintf("(%.1f)", a / b) : "" }
BEGIN {
	printf "%-12s %-10s %9s %8s %9s %8s %8s %8s\n", "", "client", "wall s",
	    "", "CPU s", "", "peak MiB", ""
}
$3 == "over" {
	printf "%-12s %-10s over %d s\n", $1, $2, limit
	next
}
{
	if ($2 == "ours") {
		w[$1] = $3; c[$1] = $4; m[$1] = $5
		printf "%-12s %-10s %9.2f %8s %9.2f %8s %8.1f\n", $1, $2, $3,
		    "", $4, "", $5 / 1024
	} else
		printf "%-12s %-10s %9.2f %8s %9.2f %8s %8.1f %8s\n", $1, $2,
		    $3, times($3, w[$1]), $4, times($4, c[$1]), $5 / 1024,
		    times($5, m[$1])
}' "$T/figures"

# Processor time, over http, beside the same programs with their cipher off.

serve -d "$T/state"
mega-anon
gen $((part * 1048576)) 3 >data
mega-put -q data /data >/dev/null
for i in $(seq "$turns"); do
	took get mega-get -qo got /data
	rm got
	took get-plain "$BUILD/bench/get-plain" -qo got /data
	rm got
	took put mega-put -q data "/put$i"
	took put-plain "$BUILD/bench/put-plain" -q data "/plain$i"
	mega-rm -q --purge "/put$i" "/plain$i"
done
serve_stop
rm -rf "$T/state" "$XDG_STATE_HOME" "$XDG_CACHE_HOME"

{
	grep ' ours [0-9]' "$T/figures" | cut -d ' ' -f 3-
	cat get put up down
} >memory
echo "Targets, best of $turns turns:"
verdict "download: CPU, times that with the cipher off" \
    "$(echo "$(least 2 get) / $(least 2 get-plain)" | bc -l)" "<=" 1.55
verdict "upload: CPU, times that with the cipher off" \
    "$(echo "$(least 2 put) / $(least 2 put-plain)" | bc -l)" "<=" 1.75
verdict "memory of any of these transfers, MiB" \
    "$(echo "$(most 3 memory) / 1024" | bc -l)" "<=" 32
for way in up down; do
	verdict "small files $way: a second, of $connections / $delay ms" \
	    "$(echo "$files / $(least 1 $way) / ($connections * 1000 / $delay)" |
	    bc -l)" ">=" 0.9
done
for way in up down; do
	verdict "small files $way: API requests for 1000" \
	    "$(echo "$(most 1 $way.asked) * 1000 / $files" | bc -l)" "<=" 40
done
