# mega-api: commands in, replies out.

. tests/lib.sh

echo 'correct horse battery staple' >pw
serve -d state --account me@x.org:pw
echo '[{"a":"ug"}]' >ug
exits 4 "no session" sh -c 'mega-api <ug'
says "says so" 'not logged in'
mega-login --password-file pw me@x.org
user=$(mega-login --check -j | jq -r .user)

ok "one command" sh -c 'mega-api <ug'
is "its reply, in an array" "$(jq -r '.[0].u' .out)" "$user"
is "one line" "$(wc -l <.out | tr -d ' ')" 1
cat >many <<EOT
[{"a":"uq","strg":1},
 {"a":"us0", "user":"x\u0040y.org"} ]
[ ]	[{"a":"gmf"}][{"a":"log","e":1,"m":"[]}\"{"}]
EOT
: >serve.log
ok "several arrays, over lines and in one" sh -c 'mega-api <many'
is "a line each" "$(jq -c length .out | tr '\n' ' ')" "2 0 1 1 "
is "in order" "$(jq -rs '"\(.[0][0].mstrg > 0) \(.[0][1].v) \(.[3][0])"' \
    .out)" "true 2 0"
settle
is "a request each, but for the empty one" "$(wc -l <serve.log | tr -d ' ')" 3
is "batched" "$(head -n 1 serve.log | jq -c .commands)" '["uq","us0"]'
jq -nc '[range(1000) | {a:"log",e:.,m:"x"}]' >thousand
ok "a thousand commands" sh -c 'mega-api <thousand'
is "a thousand replies" "$(jq -c 'length' .out)" 1000
ok "nothing" mega-api </dev/null
is "yields nothing" "$(cat .out)" ""
ok "blanks" sh -c 'printf " \n\t\n" | mega-api'

# Text goes through as it is.

name=$(printf 'a"\\\303\244\360\237\220\247')
jq -nc --arg n "$name" '[{a:"up",test:($n|@base64)},{a:"uga",u:"'"$user"'",
    ua:"test"}]' | mega-api >out
is "what was put comes back" "$(jq -r '.[1] | @base64d' out)" "$name"

# Failures.

exits 3 "a command that fails" sh -c 'echo "[{\"a\":\"uga\",\"u\":\"$0\",
    \"ua\":\"nix\"},{\"a\":\"gmf\"}]" | mega-api' "$user"
is "its number is its reply" "$(jq -c '[.[0], (.[1]|type)]' .out)" \
    '[-9,"object"]'
says "and it is told" '^mega-api: command 1 \(uga\): not found$'
for bad in '{"a":"ug"}' '[1]' '["a"]' '[{"b":1}]' '7' '[{"a":"ug"}' \
    '[{"a":"ug"]' 'nix' '[{"a":7}]' ']'; do
	: >serve.log
	exits 2 "no commands: $bad" sh -c 'printf %s "$0" | mega-api' "$bad"
	is "prints nothing" "$(cat .out)" ""
	is "asks nothing" "$(wc -l <serve.log | tr -d ' ')" 0
done
exits 2 "good, then bad" sh -c 'echo "[{\"a\":\"gmf\"}] nix" | mega-api'
is "the good one is answered" "$(jq -c length .out)" 1
exits 2 "operands" mega-api ug
mega-api <ug >/dev/full 2>.err
is "a full disk" $? 12
ok "an answer while input is open" sh -c '
    mkfifo in; mega-api <in >line & exec 8>in; echo "[{\"a\":\"gmf\"}]" >&8
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	[ -s line ] && break; sleep 0.2; done
    [ -s line ]; st=$?; exec 8>&-; wait; exit $st'

# Without a session.

ok "anonymous" sh -c 'echo "[{\"a\":\"us0\",\"user\":\"x@y.org\"}]" |
    mega-api --anonymous --session nowhere'
settle
is "sends no session" "$(tail -n 1 serve.log | jq -c .sid)" false
exits 4 "what needs one" sh -c 'mega-api --anonymous <ug'
is "is refused" "$(cat .out)" "[-15]"
serve_stop

# Retries and proof of work.

: >serve.log
serve -d state --fault cs:-3x2 --fault cs:http=500@3 --fault cs:lost@5 \
    --fault cs:ug=hashcash=240
ok "a service with moods" sh -c 'mega-api <ug'
is "answers in the end" "$(jq -r '.[0].u' .out)" "$user"
settle
is "in six attempts" "$(wc -l <serve.log | tr -d " ")" 6

# Attributes that hold an account's keys stay as they are.

keys='^!keys'
jq -nc --arg k "$keys" '[{a:"upv",($k):["AAAA"]},{a:"up2","*keyring":"BBBB"},
    {a:"up2","*!authring":"CCCC"}]' | mega-api >/dev/null
mega-logout
mega-login --password-file pw me@x.org
exits 9 "no new keys" mega-reg --keys
mega-put pw / >/dev/null
mega-df >/dev/null
jq -nc --arg k "$keys" '[$k,"*keyring","*!authring" |
    {a:"uga",u:"'"$user"'",ua:.,v:1}]' | mega-api >out
is "the key store is as it was" "$(jq -c 'map(.av)' out)" \
    '["AAAA","BBBB","CCCC"]'
serve_stop

# Who answers must be who the name says.

if command -v openssl >/dev/null; then
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 \
	    -addext subjectAltName=IP:127.0.0.1 -keyout key.pem \
	    -out cert.pem 2>/dev/null
	mkdir hashed
	ln -s ../cert.pem "hashed/$(openssl x509 -hash -noout -in cert.pem).0"
	serve --tls cert.pem key.pem
	echo '[{"a":"us0","user":"x@y.org"}]' >us0
	exits 5 "a certificate of nobody we know" \
	    timeout 20 mega-api --anonymous <us0
	says "is not asked again, and says whose" '127\.0\.0\.1:[0-9]+: .*cert'
	ok "known by a file" env SSL_CERT_FILE=cert.pem \
	    mega-api --anonymous <us0
	ok "known by a folder" env SSL_CERT_DIR=hashed \
	    mega-api --anonymous <us0
	is "it answers" "$(jq -r '.[0].v' .out)" 2
	exits 5 "by another name" env SSL_CERT_FILE=cert.pem \
	    MEGA_API_URL="https://localhost:${MEGA_API_URL##*:}" \
	    timeout 20 mega-api --anonymous <us0
else
	skip "certificates" "no openssl"
fi

done_testing
