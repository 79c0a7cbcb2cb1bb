# TLS: what it adds to the first answer and to a download.
#
# The server's certificate is among the system's, in a folder with hashed
# names: that is how it is found on a machine that has such a folder.

. tests/lib.sh
. "$SRC/tests/bench/common"

turns=${BENCH_TURNS:-5}
part=${BENCH_TLS_MIB:-256}
me=me@example.org

command -v openssl >/dev/null || { echo "https: no openssl"; exit 0; }
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 \
    -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem \
    2>/dev/null
mkdir hashed
for f in /etc/ssl/certs/*.0; do
	[ ! -e "$f" ] || ln -s "$f" hashed/
done
ln -s ../cert.pem "hashed/$(openssl x509 -hash -noout -in cert.pem).0"
export SSL_CERT_DIR="$T/hashed"

echo secret >pw
gen $((part * 1048576)) 1 >data
echo '[{"a":"us0","user":"me@example.org"}]' >us0

for s in http https; do
	if [ $s = http ]; then
		serve -d state --account $me:pw
	else
		serve -d state --account $me:pw --tls cert.pem key.pem
	fi
	mega-login --password-file pw $me
	[ $s = https ] || mega-put -q data /data >/dev/null
	for i in $(seq $((20 * turns))); do
		took $s.first sh -c 'exec mega-api --anonymous <us0'
	done
	for i in $(seq "$turns"); do
		[ $s = http ] || took curl.first curl -sS --capath hashed \
		    -d @us0 "$MEGA_API_URL/cs"
		took $s.get mega-get -qo got /data
		cmp -s data got || echo "a file is wrong over $s"
		rm -f got
	done
	serve_stop
	rm -rf "$XDG_STATE_HOME" "$XDG_CACHE_HOME"
done

echo "TLS, best of turns:"
verdict "first answer, fresh process: ms" \
    "$(echo "$(least 1 https.first) * 1000" | bc -l)" "<=" 8
awk -v http="$(least 1 http.first)" -v curl="$(least 1 curl.first)" 'BEGIN {
	printf "  the same over http %.2f, by curl %.2f\n", http * 1000, curl * 1000
}'
verdict "download, more CPU s/GiB than over http" \
    "$(echo "($(least 2 https.get) - $(least 2 http.get)) * 1024 / $part" |
    bc -l)" "<=" 0.45
