# The tree: a large account listed, for the first time and later, beside other
# people's clients, then against our targets.
#
# Seconds depend on the machine and on what else it does: the least of several
# turns counts, and what starting costs stands beside it.

. tests/lib.sh
. "$SRC/tests/bench/common"
export T BUILD SRC

nodes=${BENCH_NODES:-1000000}
peer_nodes=${BENCH_PEER_NODES:-100000}
turns=${BENCH_TURNS:-5}
who=big@example.org
echo secret >pw

# The peers, over TLS since one of them knows nothing else.  Each logs in and
# lists all; of two times, the second shows what it has kept.

MEGAJS=${MEGAJS:-$SRC/build/interop}
MEGA_USERNAME=$who
MEGA_PASSWORD=secret
MT_USER=$who
MT_PASSWORD=secret
NODE_EXTRA_CA_CERTS=$T/tls/cert.pem
export MEGAJS MEGA_USERNAME MEGA_PASSWORD MT_USER MT_PASSWORD \
    NODE_EXTRA_CA_CERTS who

. "$SRC/tests/interop/megatools.sh"
why=$(megatools_why)
if [ -z "$why" ]; then
	# shellcheck disable=SC2016
	megatools_session '
		MEGA_API_URL=https://g.api.mega.co.nz
		SSL_CERT_FILE=$T/tls/bundle.pem
		export MEGA_API_URL SSL_CERT_FILE
		m=$BUILD/bench/measure
		$m ours1 sh -c "mega-login --password-file pw $who &&
		    mega-ls -R" >ours.list
		$m ours2 mega-ls -R >/dev/null
		list="megatools ls --ignore-config-file -u $MT_USER
		    -p $MT_PASSWORD -R /Root"
		$m megatools1 $list --reload >megatools.list
		$m megatools2 $list >/dev/null
		command -v node >/dev/null && [ -d "$MEGAJS/node_modules" ] &&
		    $m megajs1 node "$SRC/tests/interop/megajs.js" \
			ls / >megajs.list
		wc -l *.list >lines
	' --account "$who:$T/pw" --populate "$who:$peer_nodes"
	echo "All of $peer_nodes nodes over TLS, log-in included; then again"
	echo "in brackets: how many times ours"
	for f in ours1 megatools1 megajs1 ours2 megatools2; do
		[ ! -s $f ] || echo "$f $(cat $f)"
	done | awk '
	function times(a, b) { return b > 0 ? sprintf("(%.1f)", a / b) : "" }
	{
		n = substr($1, length($1))
		if ($1 ~ /^ours/) {
			w[n] = $2
			c[n] = $3
			m[n] = $4
		}
		printf "%-12s wall s %7.2f %-7s CPU s %7.2f %-7s MiB %7.1f %s\n",
		    $1, $2, times($2, w[n]), $3, times($3, c[n]), $4 / 1024,
		    times($4, m[n])
	}'
	tail -n 1 megatools1 megajs1 2>/dev/null | awk '/^[0-9]/ { print $3 }' \
	    >peer-memory
else
	echo "No peers: $why"
fi
rm -rf "$XDG_STATE_HOME" "$XDG_CACHE_HOME"

# Ours, alone, over http.  The first listing and its server on one processor:
# two that share a core would slow each other down.

one=
serve --account "$who:$T/pw" --populate "$who:$nodes" -d "$T/state"
if command -v taskset >/dev/null; then
	one="taskset -c 0"
	taskset -acp 0 "${servers##* }" >/dev/null
fi
mega-login --password-file pw $who
export MEGA_CACHE="$T/first"
for i in $(seq "$turns"); do
	rm -rf first
	took first.took $one mega-ls
done
folder=$(mega-ls -R --cached | awk -F / '
{ n[substr($0, 1, length($0) - length($NF))]++ }
END { for (f in n) if (n[f] > 40) print f }' | head -n 1)
for i in $(seq $((20 * turns))); do
	took cached mega-ls --cached "${folder:-/}"
	took nothing mega-ls --version
done
for i in $(seq "$turns"); do
	MEGA_CACHE=$T/elsewhere mega-mkdir "/new$i"
	settle
	: >serve.log
	took change mega-ls
	grep -qx "/new$i" run.out || echo "it does not see the change"
	settle
	jq -r '.kind + " " + (.bytes | tostring)' serve.log >>asked
done
serve_stop

echo "Targets, best of turns:"
verdict "$nodes nodes, first listing: CPU s" "$(least 2 first.took)" "<=" 3
verdict "the same: peak MiB" "$(echo "$(most 3 first.took) / 1024" | bc -l)" \
    "<=" 64
if [ -s peer-memory ]; then
	verdict "the same: of a peer's memory for $peer_nodes" \
	    "$(echo "$(most 3 first.took) / $(sort -n peer-memory | head -n 1)" |
	    bc -l)" "<=" 1
fi
verdict "one folder of them, cached: wall ms" \
    "$(echo "$(least 1 cached) * 1000" | bc -l)" "<=" 6
verdict "the same: more than just starting, ms" \
    "$(echo "($(least 1 cached) - $(least 1 nothing)) * 1000" | bc -l)" "<=" 2
verdict "the same: peak MiB" "$(echo "$(most 3 cached) / 1024" | bc -l)" \
    "<=" 12
verdict "a change elsewhere: requests" \
    "$(echo "$(wc -l <asked) / $turns" | bc -l)" "<=" 1
verdict "a change elsewhere: bytes of its answer" \
    "$(awk '$2 > m { m = $2 } END { print m }' asked)" "<=" 1000
