# mega-logout: the session ends here and on the service.

. tests/lib.sh

echo 'correct horse battery staple' >pw
session=$XDG_STATE_HOME/megapipe/session.json
serve -d state --account me@x.org:pw
exits 4 "no session" mega-logout
mega-login --password-file pw me@x.org
mega-login --session-string >string
mega-login --session copy --session-string=string
mega-put pw / >/dev/null
mega-ls / >/dev/null
is "there is a cache" "$(find "$XDG_CACHE_HOME" -type f | grep -c .)" \
    "$(find "$XDG_CACHE_HOME" -type f | grep -c '@')"
ln "$session" kept
: >serve.log
ok "logs out" mega-logout
is "in silence" "$(cat .out .err)" ""
settle
is "one request" "$(jq -c .commands serve.log)" '["sml"]'
ok "the file is gone" test ! -e "$session"
is "its contents are wiped" "$(tr -d '\0' <kept)" ""
is "the cache is gone" "$(find "$XDG_CACHE_HOME" ! -type d)" ""
exits 4 "the session is dead" mega-df --session copy
says "and it is said" 'the session has ended; log in again'
ok "a dead session is no error" mega-logout --session copy
ok "its file is gone, too" test ! -e copy
exits 4 "again: no session" mega-logout
exits 2 "an operand" mega-logout me@x.org

# Two accounts: only one of them ends.

mega-login --password-file pw --session a me@x.org
mega-login --password-file pw --session b me@x.org
mkdir a.uploads b.uploads
touch a.uploads/0123456789abcdef01234567 b.uploads/0123456789abcdef01234567
ok "one of two" mega-logout --session a
ok "leaves the other" mega-df --session b
is "and its unfinished uploads" "$(ls -d ?.uploads/*)" \
    b.uploads/0123456789abcdef01234567
if unshare -rm true 2>/dev/null; then
	mkdir media
	mega-login --password-file pw --session media/s me@x.org
	mega-ls --session media/s / >/dev/null
	exits 12 "a file that cannot be removed" in_private_mounts '
	    mount --bind media media && mount -o remount,bind,ro media &&
	    mega-logout --session media/s'
	says "is named" '^mega-logout: media/s: Read-only file system$'
	is "the cache is gone" "$(find "$XDG_CACHE_HOME" ! -type d)" ""
	exits 4 "and the session has ended" mega-df --session media/s
else
	skip "a file that cannot be removed" "no private namespaces here"
fi
serve_stop

MEGA_TIMEOUT=1
export MEGA_TIMEOUT
exits 5 "nobody answers" mega-logout --session b
ok "so that it can be tried again" test -s b
unset MEGA_TIMEOUT
serve -d state --fault cs:sml=lost@1
ok "a lost reply" mega-logout --session b
ok "is no failure" test ! -e b
mega-anon --session anon
ok "an ephemeral account" mega-logout --session anon
serve_stop
serve -d state
mega-login --password-file pw --session c me@x.org
serve_stop
serve -d state --block me@x.org:200
ok "a blocked account" mega-logout --session c
ok "can log out" test ! -e c

done_testing
