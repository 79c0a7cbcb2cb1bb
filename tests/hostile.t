# What strangers send: nothing breaks the server, or keeps it from others.
# HOSTILE is how many batches of commands to try, SEED which.

. tests/lib.sh

command -v node >/dev/null || skip_all "node is not installed"
serve -d "$T/state"
mega-anon || skip_all "no account"
sid=$(jq -r .sid "$XDG_STATE_HOME/megapipe/session.json")
root=$(curl -s -d '[{"a":"f","c":1}]' "$MEGA_API_URL/cs?sid=$sid" |
    jq -r '.[0].f[0].h')

count=1500
is_asan && count=500
node "$SRC/tests/hostile.js" "$sid" "$root" "${HOSTILE:-$count}" \
    "${SEED:-$(date +%s)}" >told 2>why
result $? "a hostile client"
while read -r st name; do
	result "$st" "$name"
done <told
sed 's/^/# /' why
is_asan || result $(($(awk '/^VmHWM/ { print $2 }' \
    "/proc/$SERVE_PID/status") > 400000)) "less than 400 MB of memory"
kill "$SERVE_PID"
wait "$SERVE_PID"
is "the server ends as it should" $? 0
is "and has nothing to say" "$(cat serve.err)" ""
ok "its state is sound" sh -c 'mega-serve -d state -- true'

done_testing
