# What goes over the wire, as the official client does it.

. tests/lib.sh

command -v node >/dev/null || skip_all "node is not installed"

serve -d "$T/state"
rm -f "$T/.url"
mkfifo "$T/.url"
node "$SRC/tests/wire.js" "$MEGA_API_URL" "$T/wire" >"$T/.url" 2>wire.err &
servers="$servers $!"
read -r MEGA_API_URL <"$T/.url"

gen 3000000 >big
: >empty
mega-anon

# wire FILTER: of what has passed since the last time.
wire()
{
	jq -rs "$1" "$T/wire"
}

# asked_ssl COMMAND: with which "ssl" it went out, each value once.
asked_ssl()
{
	wire "[.[].commands // [] | .[] | select(.a == \"$1\").ssl] | unique |
	    @csv"
}

: >wire
mega-put -q big empty / >/dev/null
is "put: https URLs are asked for" "$(asked_ssl u)" 2
is "put: the modern token" "$(wire '[.[].commands // [] | .[] |
    select(.a == "u").v] | unique | @csv')" 2
is "put: the sizes" "$(wire '[.[].commands // [] | .[] |
    select(.a == "u").s] | sort | @csv')" 0,3000000
wire '.[] | select(.path | startswith("/ul/")) |
    [(.path | capture("/(?<at>[0-9]+)[?](?<q>.*)$") | .at, .q), .length, .sum,
    .method, .headers["content-type"], .headers.expect // "-",
    .headers["transfer-encoding"] // "-"] | @tsv' >posts
result "$(($(wc -l <posts) < 3))" "put: pieces"
is "put: each with the sum of its body as \"d\"" \
    "$(awk '$2 != "d=" $4' posts)" ""
is "put: by POST, as bytes, of a known length, at once" \
    "$(cut -f 5- posts | sort -u)" "POST	application/octet-stream	-	-"
is "put: pieces begin and end where chunks do" "$(awk '
	BEGIN {
		for (at = i = 0; at < 3000000; at += 131072 * i) {
			start[at]; i += i < 8
		}
		start[3000000]
	}
	!($1 in start) || !($1 + $3 in start)' posts)" ""
is "put: nothing twice" "$(awk '{ n += $3 } END { print n }' posts)" 3000000
is "put: an empty file is one empty piece" "$(awk '$3 == 0 { print $1, $2 }' \
    posts)" "0 d=AAAAAAAAAAAAAAAA"

: >wire
mega-get -q -o got /big
same "get: the data" big got
is "get: https URLs are asked for" "$(asked_ssl g)" 2
is "get: ranges in the path" "$(wire '[.[] |
    select(.path | startswith("/dl/")) | .path |
    test("^/dl/[^/]+/[0-9]+-[0-9]+$")] | unique | @csv')" true
is "get: and in no header" "$(wire '[.[].headers.range // empty] | length')" 0

: >wire
mega-put -q --http big /plain >/dev/null
mega-get -q --http -o got.plain /plain
mega-cat --http /plain >got.cat
is "--http: plain URLs, up" "$(asked_ssl u)" 0
is "--http: plain URLs, down" "$(asked_ssl g)" 0
same "--http: the data" big got.plain
same "--http: the data of mega-cat" big got.cat
mkdir tree
cp big tree/
: >wire
mega-sync -q --http up tree /tree >/dev/null
mega-sync -q --http down /tree tree.got >/dev/null
is "--http: mega-sync, too" "$(asked_ssl u) $(asked_ssl g)" "0 0"
is "nothing is wrong with the wire" "$(cat wire.err)" ""

done_testing
