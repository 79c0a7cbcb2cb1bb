# The session file: one login for everybody, at any time; and secrets stay
# out of argument lists.

. tests/lib.sh

secret='Tr0ub4dor-and-3-more'
code_seed=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ
echo "$secret" >pw
echo "$code_seed" >seed
serve --account me@x.org:pw:v2:seed --mail mail --account other@x.org:pw

# Look at the arguments of every process, over and over.  The patterns are in
# a file, or the search would find itself.
printf '%s\n' "$secret" "$code_seed" canary-4711 >patterns
(
	until [ -e enough ]; do
		cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' |
		    grep -aF -f patterns >>leaked
		sleep 0.02
	done
) &
watcher=$!
sh -c 'sleep 0.5' canary-4711

ok "one login" mega-login --password-file pw --otp-seed-file seed me@x.org
jq -r '.sid, .master_key, .rsa_key' \
    "$XDG_STATE_HOME/megapipe/session.json" >>patterns
ok "of another, by a command" mega-login --session other \
    --password-command 'cat pw' other@x.org
ok "of another, from standard input" sh -c 'rm other;
    mega-login --session other --password-file - other@x.org <pw'
ok "of another, from the environment" env MEGA_SESSION=fresh \
    MEGA_PASSWORD="$(cat pw)" mega-login other@x.org
ok "its string" sh -c 'mega-login --session other --session-string >string'
cat string >>patterns
ok "comes back" mega-login --session third --session-string=string
ok "a registration" mega-reg --session new --password-file pw new@x.org
ok "is confirmed" sh -c 'mega-reg --session new --confirm --password-file pw \
    mail/*.eml'

# The arguments of all that these run, as a tracer sees them.  The sanitizers
# do not bear one.

if ! is_asan && strace -o /dev/null true 2>/dev/null; then
	cat >all <<'EOT'
mega-login --session t1 --password-file pw other@x.org
mega-login --session t2 --password-command 'cat pw' other@x.org
mega-login --session t3 --password-file pw --otp-seed-file seed me@x.org
mega-login --session t1 --session-string >string.t1
mega-login --session t4 --session-string=- <string.t1
mega-reg --session t5 --password-file pw fresh@x.org
echo '[{"a":"ug"}]' | mega-api --session t1
mega-put --session t1 pw /
mega-link --session t1 --password-file pw /pw >link
mega-cat --password-file pw - <link
mega-logout --session t1
EOT
	ok "everything, traced" strace -f -s 4096 -e trace=execve -o execs \
	    sh -e all
	cat link string.t1 >>patterns
	is "mega-login is among it" "$(grep -c 'execve("[^"]*/mega-login"' \
	    execs)" 5
	is "no argument is a secret" "$(grep -F -f patterns execs)" ""
else
	skip "traced arguments" "no strace"
fi

# 500 commands of all kinds, 20 at a time.

COUNT=${SESSION_COMMANDS:-500}
gen 50000 >data
mega-put data / >/dev/null
: >serve.log
i=0
while [ $i -lt "$COUNT" ]; do
	case $((i % 13)) in
	0) echo "mega-ls /";;
	1) echo "mega-df";;
	2) echo "mega-cat /data | cmp - data";;
	3) echo "mega-put --if-exists=rename data /put.$i";;
	4) echo "mega-login --check";;
	5) echo "mega-get -o got.$i /data";;
	6) echo "mega-link /data";;
	7) echo "mega-ls -l /data";;
	8) echo 'echo [{\"a\":\"uq\"}] | mega-api';;
	9) echo "mega-login --list-sessions";;
	10) echo "mega-mkdir /d.$i && mega-mv /d.$i /e.$i && mega-rm -r /e.$i";;
	11) echo "mega-cp /data /copy.$i";;
	12) echo "mega-ls -R -j / | jq -e .path";;
	esac
	i=$((i + 1))
done >commands
xargs -d '\n' -P 20 -n 1 sh -c \
    'out=$(sh -c "$0" 2>&1) || echo "$0: $out" >>failed' <commands
is "$COUNT commands" "$(cat failed 2>/dev/null)" ""
is "and no login" "$(grep -c '"us0\{0,1\}"' serve.log)" 0
is "nobody was refused" "$(grep -c -v '"status":200' serve.log)" 0

# Sixteen processes on one file, some of which replace it.

SECONDS_=${SESSION_SECONDS:-5}
MEGA_SESSION=$PWD/s
export MEGA_SESSION
mega-login --session-string=string
touch run
reader()
{
	while [ -e run ]; do
		mega-df >/dev/null 2>>complaints
	done
}
writer()
{
	while [ -e run ]; do
		mega-login --session-string=string 2>>complaints
	done
}
watch()
{
	while [ -e run ]; do
		jq -e .sid s >/dev/null 2>>unparsed || echo bad >>unparsed
	done
}
: >serve.log
pids=
for i in 1 2 3 4 5 6 7 8 9 10; do
	reader &
	pids="$pids $!"
done
for i in 1 2 3 4; do
	writer &
	pids="$pids $!"
done
for i in 1 2; do
	watch &
	pids="$pids $!"
done
sleep "$SECONDS_"
rm run
# shellcheck disable=SC2086
wait $pids
is "sixteen processes: nobody complains" "$(sort complaints | uniq -c)" ""
is "the file always parses" "$(cat unparsed 2>/dev/null)" ""
is "its mode" "$(stat -c %a s)" 600
is "nothing is left beside it" "$(find . -maxdepth 1 -name '*.new')" ""
is "no login" "$(grep -c '"us0"' serve.log)" 0

touch enough
wait $watcher
is "no argument list held a secret" "$(sort -u leaked)" canary-4711
is "no log did" "$(grep -cF -f patterns serve.log)" 0

done_testing
