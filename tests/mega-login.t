# mega-login: one login, then any number of commands; nobody is locked out.

. tests/lib.sh

session=$XDG_STATE_HOME/megapipe/session.json
secret='correct horse battery staple'
echo "$secret" >pw
printf 'p\303\244ssw\303\266rd\n' >pw-latin
printf '\346\227\245\346\234\254\350\252\236 \360\237\220\247 \342\202\254\n' \
    >pw-wide
echo GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ >seed
seq 1 40 >long # of which the first line counts
cp pw pw-lines
cat long >>pw-lines

# The requests of the log so far that hold a command (or any), by number.
asked()
{
	settle
	grep -c "\"$1\"" serve.log
}

serve -d state --mail mail --account two@x.org:pw --account one@x.org:pw:v1 \
    --account latin1@x.org:pw-latin:v1 --account latin2@x.org:pw-latin \
    --account wide1@x.org:pw-wide:v1 --account wide2@x.org:pw-wide \
    --account factor@x.org:pw:v2:seed --account factor1@x.org:pw:v1:seed \
    --account terms@x.org:pw --account mail@x.org:pw \
    --block terms@x.org:300 --block mail@x.org:700

# Both versions, every source of a password.

for who in two one latin1 latin2 wide1 wide2; do
	case $who in
	latin*) f=pw-latin;;
	wide*) f=pw-wide;;
	*) f=pw;;
	esac
	ok "$who: logs in" mega-login --password-file "$f" --session "s.$who" \
	    "$who@x.org"
	is "$who: in silence" "$(cat .out .err)" ""
	ok "$who: the session works" mega-df --session "s.$who"
done
is "one us each" "$(asked us)" 6
is "the file is its owner's alone" "$(stat -c %a s.two)" 600
is "and holds no password" "$(grep -c -e horse s.two)" 0
is "it names its account" "$(jq -r .email s.two)" two@x.org
is "and its service" "$(jq -r .api s.two)" "$MEGA_API_URL"

try()
{
	name=$1
	shift
	rm -f s
	ok "password from $name" "$@" --session s two@x.org
}
try "standard input" mega-login --password-file - <pw-lines
try "a file of more lines" mega-login --password-file pw-lines
printf '%s\r\n' "$secret" >pw-dos
try "a file with DOS ends" mega-login --password-file pw-dos
try "a command" mega-login --password-command 'cat pw-lines'
mkdir cred
cp pw cred/mega.password
try "systemd's credentials" env CREDENTIALS_DIRECTORY="$T/cred" mega-login
try "the environment" env MEGA_PASSWORD="$secret" mega-login
try "the environment, for its user" env MEGA_USERNAME=two@x.org \
    MEGA_PASSWORD="$secret" mega-login
rm s
ok "address and password from the environment" env MEGA_USERNAME=two@x.org \
    MEGA_PASSWORD="$secret" mega-login --session s
rm s
ok "capitals and blanks in the address" mega-login --password-file pw \
    --session s ' Two@X.ORG '
is "do not matter" "$(jq -r .email s)" two@x.org

before=$(asked us)
rm s
exits 4 "no password of another user is tried" env MEGA_USERNAME=one@x.org \
    MEGA_PASSWORD="$secret" setsid -w mega-login --session s two@x.org
exits 12 "a password file that is not there" mega-login --session s \
    --password-file nowhere two@x.org
exits 4 "a password command that fails" mega-login --session s \
    --password-command 'cat pw; false' two@x.org
: >empty
exits 4 "an empty password" mega-login --session s --password-file empty \
    two@x.org
is "none of these asked the service" "$(asked us)" "$before"

# Without a terminal, nothing waits.

ok "no terminal: at once" sh -c \
    'timeout 1 setsid -w mega-login </dev/null; [ $? -eq 4 ]'
ok "no terminal, an address: at once" sh -c \
    'timeout 1 setsid -w mega-login x@y.org </dev/null; [ $? -eq 4 ]'
exits 4 "it says why" setsid -w mega-login
says "in a sentence" '^mega-login: no e-mail address was given: no terminal'
is "and leaves nothing" "$(ls s 2>/dev/null)" ""

# Wrong usage, which repeats no secret.

exits 2 "a password as operand" mega-login two@x.org "$secret"
is "is not repeated" "$(grep -c horse .err)" 0
says "but explained" 'passwords and codes are not taken from the command line'
exits 2 "a password as option" mega-login "--password=$secret" two@x.org
is "is not repeated either" "$(grep -c horse .err)" 0
exits 2 "no address" mega-login --password-file pw nobody
exits 2 "two modes" mega-login --check --list-sessions
exits 2 "a mode with an operand" mega-login --check two@x.org
exits 2 "two sources of codes" mega-login --otp f --otp-seed-file f x@y.org

# A terminal.

# on_terminal COMMAND PROMPT ANSWER...: answers are typed when the prompts
# have appeared.
on_terminal()
{
	command=$1
	shift
	: >typed
	mkfifo keys
	script -qefc "$command" typed <keys >/dev/null 2>&1 &
	pid=$!
	exec 9>keys
	rm keys
	while [ $# -gt 1 ]; do
		until grep -qe "$1" typed; do
			kill -0 $pid 2>/dev/null || break
			sleep 0.05
		done
		sleep 0.1
		printf '%s\n' "$2" >&9
		shift 2
	done
	wait $pid
	st=$?
	exec 9>&-
	return $st
}
if script -qec true /dev/null >/dev/null 2>&1; then
	rm -f s
	on_terminal "mega-login --session s" "E-mail" two@x.org \
	    "Password of two@x.org" "$secret"
	is "address and password on a terminal: status" $? 0
	is "the password is not echoed" "$(grep -c horse typed)" 0
	ok "the session works" mega-df --session s
	rm -f s
	on_terminal "mega-login --session s factor@x.org" \
	    "Password" "$secret" "second factor" 000000
	is "a wrong code on a terminal: status" $? 4
	ok "no session is left" test ! -e s
else
	skip "a terminal" "no script(1)"
fi

# The second factor.

exits 0 "a second factor from its seed" mega-login --password-file pw \
    --otp-seed-file seed --session s.factor factor@x.org
exits 0 "of a v1 account" mega-login --password-file pw \
    --otp-seed-file seed --session s.factor1 factor1@x.org
exits 4 "none" setsid -w mega-login --password-file pw --session s \
    factor@x.org
says "is asked for" 'the account asks for a second factor: no terminal'
echo 000000 >otp
exits 4 "a wrong one" mega-login --password-file pw --otp otp --session s \
    factor@x.org
says "is called so" 'wrong code of the second factor'
exits 12 "a file without a code" mega-login --password-file pw --otp nowhere \
    --session s factor@x.org
echo '!!' >no-seed
exits 2 "a seed that is none" mega-login --password-file pw \
    --otp-seed-file no-seed --session s factor@x.org
exits 4 "password and code on one standard input" sh -c \
    'cat pw otp | mega-login --password-file - --otp - --session s \
    factor@x.org'
says "both are read" 'wrong code of the second factor'

# Every refusal has its sentence and its status.

echo wrong >bad
exits 4 "a wrong password" mega-login --password-file bad --session s \
    two@x.org
says "says so" '^mega-login: wrong e-mail or password$'
exits 4 "an unknown address" mega-login --password-file pw --session s \
    nobody@x.org
says "says the same" '^mega-login: wrong e-mail or password$'
exits 11 "an account that broke the terms" mega-login --password-file pw \
    --session s terms@x.org
says "is told why" 'blocked for breaking the terms'
exits 11 "one whose address is in doubt" mega-login --password-file pw \
    --session s mail@x.org
says "is told what to do" 'blocked until its e-mail address is verified'
ok "neither leaves a session" test ! -e s
for i in 1 2 3 4 5 6 7 8 9; do
	mega-login --password-file bad --session s two@x.org 2>/dev/null
done
exits 8 "too many attempts" mega-login --password-file pw --session s \
    two@x.org
says "are told to pause" 'too many attempts .* hour'
exits 4 "as JSON" mega-login -j --password-file bad --session s one@x.org
is "with the service's number" "$(jq -c '[.error.api,.error.name]' .err)" \
    '[-9,"login"]'
conforms "as documented" .err
serve_stop

# From version 1 to 2: only if it is asked for.

version()
{
	echo '[{"a":"us0","user":"'"$1"'"}]' | mega-api --anonymous | jq '.[0].v'
}
rm -f serve.log
serve -d state --fault cs:avu=-11@1 --fault cs:avu=lost@2 --fault cs:avu=-12@5
is "logins have left the version alone" "$(version wide1@x.org)" 1
exits 11 "an upgrade that is refused" mega-login --upgrade \
    --password-file pw-wide --session s wide1@x.org
says "is told" '^mega-login: upgrade: permission denied'
ok "leaves no session" test ! -e s
settle
is "on either side" "$(tail -n 1 serve.log | jq -c .commands)" '["sml"]'
ok "upgrade, whose reply is lost" mega-login --upgrade \
    --password-file pw-wide --session s wide1@x.org
is "in silence" "$(cat .out .err)" ""
is "is one to version 2" "$(version wide1@x.org)" 2
ok "the session works" mega-df --session s
ok "and the one from before" mega-df --session s.wide1
before=$(asked us)
ok "again: nothing to do" mega-login --upgrade --session s
says "which is said" 'already logged in as wide1@x.org'
is "without a login" "$(asked us)" "$before"
mega-logout --session s
ok "a new login" mega-login --password-file pw-wide --session s wide1@x.org
is "with the same keys" "$(jq -r .master_key s)" \
    "$(jq -r .master_key s.wide1)"
rm s
ok "upgrade of what is logged in, with a second factor" mega-login --upgrade \
    --session s.factor1 --password-file pw --otp-seed-file seed
is "is one to version 2" "$(version factor1@x.org)" 2
is "leaves the session, and no other" \
    "$(mega-login --session s.factor1 --list-sessions | wc -l)" 1
ok "upgrade of what is of version 2" mega-login --upgrade --session s \
    --password-file pw-latin latin2@x.org
printf 'p\344ssw\366rd\n' >pw-bytes
exits 2 "a password that is no UTF-8" mega-login --upgrade --session s5 \
    --password-file pw-bytes latin1@x.org
says "cannot be that of version 2" 'no UTF-8'
is "nothing has changed" "$(version latin1@x.org)" 1
ok "an upgrade that another client was faster with" mega-login --upgrade \
    --session s5 --password-file pw-latin latin1@x.org
settle
is "was asked for" "$(tail -n 1 serve.log | jq -c .commands)" '["avu"]'
is "the refusal was the server's" "$(version latin1@x.org)" 1
exits 2 "upgrade and another mode" mega-login --upgrade --check
if [ -d "$SRC/build/interop/node_modules/megajs" ]; then
	ok "megajs logs in after an upgrade" env MEGA_USERNAME=wide1@x.org \
	    MEGA_PASSWORD="$(cat pw-wide)" node "$SRC/tests/interop/megajs.js" \
	    login
else
	skip "megajs after an upgrade" "not installed"
fi
serve_stop
rm -f s

# Errors that mega-serve has no state for.

answer()
{
	serve -d state --fault "cs:us=$1x1"
	exits "$2" "us answers $1" mega-login --password-file pw --session s \
	    one@x.org
	says "and it says so" "$3"
	settle
	is "one attempt" "$(grep -c '"us"' serve.log)" 1
	serve_stop
	rm -f serve.log
}
rm -f serve.log
answer -13 4 'not confirmed yet'
answer -6 8 'too many attempts'
answer -16 11 'the account is blocked'
answer -5 4 'wrong code of the second factor'
answer -8 5 'log in again'
answer -26 4 'second factor' </dev/null

serve -d state --fault cs:us=lost@1
ok "the reply to us is lost" mega-login --password-file pw --session s \
    one@x.org
is "the retry gets the same session" "$(mega-login --session s \
    --list-sessions | grep -c ' \* ')" 1
serve_stop
rm -f s

serve -d state --fault cs:ug=-11
exits 11 "a session that cannot be used" mega-login --password-file pw \
    --session s one@x.org
settle
is "is ended again" "$(tail -n 1 serve.log | grep -c '"sml"')" 1
serve_stop

# A session is not replaced while it lives.

rm -f serve.log s
serve -d state
mega-login --password-file pw --session s one@x.org
cp s s.was
ok "again: already logged in" mega-login --session s one@x.org
says "and says so" 'already logged in as one@x.org'
ok "also without an address" mega-login --session s
exits 9 "not for another account" mega-login --session s --password-file pw \
    two@x.org
says "says what to do" 'mega-logout ends it, --session names another'
is "us was asked once" "$(asked us)" 1
same "the file is as it was" s s.was
mega-login --session s2 --session-string=/dev/stdin <<EOT
$(mega-login --session s --session-string)
EOT
mega-logout --session s2
exits 4 "a dead session" mega-login --session s --check
exits 9 "is not replaced by another account's" mega-login --session s \
    --password-file pw latin1@x.org
cp s s.dead
jq -c '. + {"x-note":{"a":[1,"\u00e9\n"]}}' s.dead >s
ok "but by its own" mega-login --session s --password-file pw
is "with a new id" "$(jq -r .sid s | cmp -s - s.dead; jq .sid s s.dead |
    uniq | wc -l | tr -d ' ')" 2
is "unknown members stay" "$(jq -c '."x-note"' s)" '{"a":[1,"é\n"]}'
ok "an ephemeral account" mega-anon --session anon
exits 9 "is not replaced either" mega-login --session anon --password-file pw \
    one@x.org
exits 1 "nor is what is no session" sh -c 'echo {} >odd; chmod 600 odd
    mega-login --session odd --password-file pw one@x.org'
is "it is left alone" "$(cat odd)" "{}"
: >file
before=$(asked us)
exits 12 "a place that cannot be" mega-login --password-file pw \
    --session file/s one@x.org
if unshare -rm true 2>/dev/null; then
	mkdir full
	exits 12 "a place that is full" in_private_mounts '
	    mount -t tmpfs -o size=64k none full &&
	    cat /dev/zero >full/filler 2>/dev/null
	    mega-login --password-file pw --session full/s one@x.org
	    st=$?; ls full; exit $st'
	says "is named" '^mega-login: full/s: No space left on device'
	is "and nothing stays" "$(cat .out)" filler
else
	skip "a place that is full" "no private namespaces here"
fi
is "costs no login" "$(asked us)" "$before"

# The file.

cp s open
chmod 640 open
exits 12 "a file that others may read" mega-df --session open
says "is refused" 'others may read it; chmod 600'
chmod 400 open
ok "a file that cannot be written" mega-df --session open
if unshare -rm true 2>/dev/null; then
	mkdir -p media
	cp s media/s
	chmod 644 media/s
	ok "read-only media, where nobody can change it" unshare -rm sh -c '
	    mount --bind media media && mount -o remount,bind,ro media &&
	    mega-df --session media/s && mega-ls --session media/s'
else
	skip "read-only media" "no private namespaces here"
fi
echo '{"version":1' >broken
chmod 600 broken
exits 1 "a file that is cut" mega-df --session broken
exits 4 "no file" mega-df --session nowhere
mkfifo -m 600 pipe
exits 12 "a pipe, which nobody writes" timeout 5 mega-df --session pipe
says "is refused" 'pipe: not a regular file'
ok "the account, as JSON" mega-login --session s --check -j
conforms "as documented" .out
ok "an account without an address" mega-login --session anon --check -j
conforms "as documented, too" .out
is "has none" "$(jq -c 'has("email")' .out)" false
ok "two accounts are two files" sh -c '
    mega-login --password-file pw-latin --session s.latin latin1@x.org &&
    MEGA_SESSION=s.latin mega-login --check >a &&
    MEGA_SESSION=s mega-login --check >b && ! cmp -s a b'

# Session strings.

ok "a session string" mega-login --session s --session-string
is "of 80 characters" "$(grep -cE '^A[A-Za-z0-9_-]{79}$' .out)" 1
cp .out string
rm -f s2
ok "logs in" mega-login --session s2 --session-string=string
is "with the same session" "$(jq -S . s2)" "$(jq -S 'del(."x-note")' s)"
ok "again" sh -c 'mega-login --session s2 --session-string=- <string'
exits 9 "not over another session" mega-login --session s.latin \
    --session-string=string
master=$(jq -r .master_key s)
unb64()
{
	jq -rj "$1 + \"==\"" s | tr -- '-_' '+/' | base64 -d
}
{ unb64 .master_key; unb64 .sid; } | base64 -w 0 | tr '+/' '-_' | tr -d = >old
is "the old form has 79 characters" "$(tr -d '\n' <old | wc -c | tr -d ' ')" \
    79
rm -f s2
ok "and logs in" mega-login --session s2 --session-string=old
is "with the same keys" "$(jq -r .master_key s2)" "$master"
exits 2 "no string" mega-login --session s3 --session-string=pw
mega-mkdir --session s /shared && mega-put --session s pw /shared/ >/dev/null
mega-link --session s /shared >link
link=$(cat link)
folder=${link#*folder/}
unb64u()
{
	printf %s "$1==" | tr -- '-_' '+/' | base64 -d 2>/dev/null
}
{ printf '\2'; unb64u "${folder%#*}"; printf 'abcdef'; unb64u "${folder#*#}"
    printf '\0\0\1\0\0\0\0\0\31\0PPPPPPPPPPPPPPPPPPPPPPPPP'; } |
    base64 -w 0 | tr '+/' '-_' | tr -d = >folder-string
ok "the session string of a folder link" mega-login --session s3 \
    --session-string=folder-string
is "yields the link" "$(cat .out)" "$link"
says "and says why" 'links need no login'
ok "leaves no session" test ! -e s3
ok "as JSON" mega-login -jq --session-string=folder-string
conforms "as documented" .out
is "it is an operand" "$(mega-ls --session s3 - <.out)" /pw
{ cut -c 1-4 string; cut -c 5-20 string | tr 'A-Za-z' 'B-ZAb-za'
    cut -c 21- string; } | tr -d '\n' >wrong-key
exits 10 "a string with a wrong key" mega-login --session s3 \
    --session-string=wrong-key
ok "leaves nothing" test ! -e s3
ok "and the session unharmed" mega-df --session s

# Sessions.

rm -f s.b
mega-login --password-file pw --session s.b one@x.org
ok "lists sessions" mega-login --session s --list-sessions
is "one of them is ours" "$(grep -c ' \* ' .out)" 1
ok "as JSON" mega-login --session s --list-sessions -j
conforms "as documented" .out
id=$(mega-login --session s.b --list-sessions -j |
    jq -r 'select(.current).id')
is "the other one is there" "$(jq -r .id .out | grep -cxF -e "$id")" 1
ok "ends it" mega-login --session s --end-session "$id"
exits 4 "it is dead" mega-df --session s.b
exits 3 "it is not there any more" mega-login --session s --end-session "$id"
mega-login --password-file pw --session s.c one@x.org
ok "ends all others" mega-login --session s --end-session others
exits 4 "they are dead" mega-df --session s.c
is "ours is left" "$(mega-login --session s --list-sessions | wc -l |
    tr -d ' ')" 1

# A dead session costs each command one refused request, and no login.

mega-put --session s pw /file >/dev/null
mega-login --session s --session-string >string
mega-login --session s2 --session-string=- <string
mega-logout --session s2
dead()
{
	: >serve.log
	exits 4 "dead session: $1" "$@"
	settle
	is "one request" "$(wc -l <serve.log | tr -d ' ')" 1
	is "no login" "$(grep -c '"sid":false' serve.log)" 0
}
MEGA_SESSION=$PWD/s
export MEGA_SESSION
dead mega-df
dead mega-ls
dead mega-ls -R /
dead mega-get /file
dead mega-put pw /other
dead mega-link /file
dead mega-link -l
dead mega-mkdir /folder
dead mega-mv /file /other
dead mega-cp /file /other
dead mega-rm /file
mkdir -p media
dead mega-sync up media /folder
dead mega-watch --timeout=5
dead mega-login --check
dead mega-login --session-string
dead mega-login --list-sessions
echo '[{"a":"uq"},{"a":"ug"}][{"a":"uq"}]' >two
dead mega-api <two
rm s2 2>/dev/null
ok "logout knows that it is dead" mega-logout
ok "and removes it" test ! -e s
serve_stop

# A blocked account: every program says why.

rm -f serve.log
serve -d state
mega-login --password-file pw one@x.org
serve_stop
serve -d state --block one@x.org:200
blocked()
{
	exits 11 "blocked: $1" "$@"
	says "it says why" 'account is blocked for infringing copyright'
}
blocked mega-df
blocked mega-ls -R /
blocked mega-get /file
blocked mega-put pw /other
blocked mega-mkdir /folder
blocked mega-link /file
blocked mega-rm /file
blocked mega-watch --timeout=5
blocked mega-login --check
blocked mega-api <two
blocked mega-ls -j
settle
is "it was asked once for each" \
    "$(grep -c '\["whyamiblocked"\]' serve.log)" 11
serve_stop
unset MEGA_SESSION
serve -d state --block one@x.org:0
serve_stop

# Proof of work, harder from call to call.

rm -f serve.log s
serve -d state --fault cs:us0=hashcash=255 --fault cs:us=hashcash=240 \
    --fault cs:ug=hashcash=224 --fault cs:uq=hashcash=208
ok "login with proofs of work" mega-login --password-file pw --session s \
    one@x.org
ok "later calls" mega-login --session s --check
settle
is "each was asked for one, and then served" \
    "$(jq -r '"\(.commands[0])\(.status)"' serve.log | uniq | tr '\n' ' ')" \
    "us0402 us0200 us402 us200 ug402 ug200 ug402 ug200 uq402 uq200 "
serve_stop
rm -f serve.log
serve -d state --fault cs:uq=hashcash=0
begun=$(date +%s)
MEGA_TIMEOUT=3 mega-df --session s 2>.err &
pid=$!
threads=0
while kill -0 $pid 2>/dev/null; do
	n=$(sed -n 's/^Threads:[[:space:]]*//p' /proc/$pid/status 2>/dev/null)
	[ "${n:-0}" -gt "$threads" ] && threads=$n
	sleep 0.05
done
wait $pid
is "one that is too hard: status" $? 8
[ $(($(date +%s) - begun)) -le 20 ]
result $? "in a time that is near to what was allowed"
says "says so" 'proof of work .* not done in time'
settle
is "one attempt" "$(wc -l <serve.log | tr -d ' ')" 1
[ "$threads" -ge "$(nproc)" ]
result $? "all cores worked on it"
serve_stop

# Session ids in every width and padding.

if command -v node >/dev/null; then
	mkfifo .js
	node "$SRC/tests/interop/login-csid.js" >.js &
	servers="$servers $!"
	read -r MEGA_API_URL <.js
	echo password >pw1
	for l in 256 255 254 zero-255 zero-254 zero-padding bare \
	    zeros-before junk base64 no-handle; do
		ok "session id: $l" mega-login --password-file pw1 \
		    --session "s.$l" "$l@x"
	done
	exits 1 "two sessions of one account are told apart" sh -c \
	    'cmp s.zero-254 s.254'
else
	skip "session ids" "no node"
fi

done_testing
