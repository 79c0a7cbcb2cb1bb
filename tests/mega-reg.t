# mega-reg: the life of an account.

. tests/lib.sh

session=$XDG_STATE_HOME/megapipe/session.json
echo 'correct horse battery staple' >pw
echo 'another long password' >pw2
serve -d state --mail mail --account old@x.org:pw

# Registration.

ok "registers" mega-reg --password-file pw --name 'Änne Maria Müller' \
    ' New@X.org '
is "prints nothing" "$(cat .out)" ""
says "but what comes next" 'mail with a link goes to new@x.org.*--confirm'
is "the account is ephemeral so far" "$(jq -c 'has("email")' "$session")" false
ok "and works" mega-df
mega-put pw /early >/dev/null
is "one mail" "$(ls mail | wc -l | tr -d ' ')" 1
exits 4 "no login yet" mega-login --session s --password-file pw new@x.org
says "says why" 'not confirmed yet: .*mega-reg --confirm'
ok "the mail once more" mega-reg --resend --name x new@x.org
is "two mails" "$(ls mail | wc -l | tr -d ' ')" 2
rm "mail/$(ls mail | head -n 1)"
cat mail/* >mailed

# Confirmation.

exits 2 "no link" mega-reg --confirm --password-file pw pw
exits 12 "no file" mega-reg --confirm --password-file pw nowhere
exits 2 "link and password on one standard input" mega-reg --confirm \
    --password-file - -
: >serve.log
exits 12 "no place for a session" mega-reg --session pw/s --confirm \
    --password-file pw mailed
ok "confirms with a mail" mega-reg --confirm --password-file pw mailed
is "in silence" "$(cat .out .err)" ""
is "one login" "$(grep -c '"us"' serve.log)" 1
ok "the session is a full account's" mega-login --check -j
is "with address and name" "$(jq -r '.email + "," + .name' .out)" \
    "new@x.org,Änne Maria Müller"
is "and its keys" "$(jq -r '.rsa_key | length > 800' "$session")" true
is "what was in it is in it" "$(mega-ls /)" /early
mega-cat /early >got
same "and can be read" got pw
user=$(jq -r .user "$session")
jq -nc --arg u "$user" '[{a:"uga",u:$u,ua:"firstname"},
    {a:"uga",u:$u,ua:"lastname"}]' | mega-api >out
is "the name is published" "$(jq -rj '.[] | . + "==" |
    gsub("-";"+") | gsub("_";"/") | @base64d' out | tr -d '\0')" \
    "Änne MariaMüller"
exits 3 "the link works once" mega-reg --confirm --password-file pw mailed
says "and says so" 'not valid, or has been used'
exits 9 "it has its keys" mega-reg --keys
ok "logs out" mega-logout
ok "logs in" mega-login --password-file pw new@x.org
is "with the keys that were made" "$(mega-ls /)" /early
is "by csid" "$(jq -r '.rsa_key | length > 800' "$session")" true
if [ -d "$SRC/build/interop/node_modules/megajs" ]; then
	ok "another client logs in, and reads it" env \
	    MEGA_USERNAME=new@x.org MEGA_PASSWORD="$(cat pw)" \
	    node "$SRC/tests/interop/megajs.js" get /early got
	same "the same" got pw
else
	skip "another client" "no megajs"
fi
exits 9 "a full account is not registered again" mega-reg \
    --password-file pw third@x.org
exits 9 "an address that is taken" mega-reg --session s --password-file pw \
    old@x.org
says "says so" 'belongs to an account already'
ok "and leaves nothing" test ! -e s
mega-logout

# From an ephemeral account that exists.

ok "an ephemeral account" mega-anon --session anon
mega-put --session anon pw /kept >/dev/null
user=$(jq -r .user anon)
jq -c '. + {note:[1]}' anon >anon2
cat anon2 >anon
ok "becomes a full one" mega-reg --session anon --password-file pw anon@x.org
rm mail/*
ok "after another address" mega-reg --session anon --resend other@x.org
ok "with the link on standard input" sh -c \
    'cat mail/*.eml | mega-reg --session anon --confirm --password-file pw'
is "it is the same account" "$(jq -r .user anon)" "$user"
is "at the second address" "$(jq -r .email anon)" other@x.org
is "with its files" "$(mega-ls --session anon /)" /kept
is "unknown members of the file stay" "$(jq -c .note anon)" "[1]"

# Interrupted between confirmation and keys.

rm -f mail/*
mega-reg -q --session p --password-file pw part@x.org
rm p
serve_stop
serve -d state --mail mail --fault cs:up=-2
grep -o 'https.*' mail/*.eml >link
exits 1 "no keys can be stored" mega-reg --session p --confirm \
    --password-file pw link
is "the session is there" "$(jq -r .email p)" part@x.org
serve_stop
serve -d state --mail mail
ok "and works without" mega-df --session p
ok "until they are made" mega-reg --session p --keys
is "and kept" "$(jq -r '.rsa_key | length > 800' p)" true
mega-logout --session p
ok "the next login uses them" mega-login --session p --password-file pw \
    part@x.org

# An account without keys, at login.

rm -f mail/*
mega-reg -q --session q --password-file pw bare@x.org
code=$(grep -o 'confirm[A-Za-z0-9_-]*' mail/*.eml | sed 's/.*confirm//')
echo "[{\"a\":\"ud2\",\"c\":\"$code\"}]" | mega-api --anonymous >/dev/null
rm q
ok "no keys: logs in" mega-login --session q --password-file pw bare@x.org
is "without one" "$(jq -c 'has("rsa_key")' q)" false
ok "and works" mega-df --session q
exits 4 "wrong password, no keys" sh -c \
    'mega-login --session r --password-file pw2 bare@x.org'
ok "its string" sh -c 'mega-login --session q --session-string >string'
ok "works elsewhere" mega-login --session q2 --session-string=string

# Another account's session is in the way.

rm -f mail/*
mega-reg -q --session t --password-file pw last@x.org
exits 9 "another session is there" sh -c \
    'mega-reg --session q --confirm --password-file pw mail/*.eml'
says "the account waits" 'confirmed, and waits for mega-login'
is "the session is untouched" "$(jq -r .email q)" bare@x.org
rm t
ok "login" mega-login --session t --password-file pw last@x.org
ok "and keys" mega-reg --session t --keys

# Usage.

exits 2 "no address" mega-reg --password-file pw
exits 2 "two" mega-reg --password-file pw a@x.org "$(cat pw)"
is "no password is repeated" "$(grep -c horse .err)" 0
exits 2 "none" mega-reg --session n --password-file pw nobody
echo short >short
exits 2 "a short password" mega-reg --session n --password-file short n@x.org
says "says so" '8 characters'
exits 4 "no terminal" setsid -w mega-reg --session n n@x.org
ok "nothing is left" test ! -e n

done_testing
