# mega-df: quotas, as columns, for people and as JSON.

. tests/lib.sh

echo 'correct horse battery staple' >pw
serve -d state --account me@x.org:pw --storage 10m --transfer 5m
exits 4 "no session" mega-df
mega-login --password-file pw me@x.org
ok "quotas" mega-df
is "as columns" "$(awk '{ print $1, $2, $3, $4 }' .out)" \
"storage 0 10485760 10485760
transfer 0 5242880 5242880"
gen 1000000 >f
mega-put f / >/dev/null
mega-cat /f >/dev/null
ok "after transfers" mega-df
is "what is used" "$(awk '{ print $1, $2 + $4 - $3, ($2 >= 1000000) }' \
    .out)" \
"storage 0 1
transfer 0 1"
ok "for people" mega-df -h
is "with units" "$(awk '{ print $1, $3 }' .out)" \
"storage 10M
transfer 5.0M"
ok "as JSON" mega-df -j
is "one object" "$(jq -c '[.storage.used, .storage.total, .transfer.total,
    .state, .plan]' .out)" '[1000000,10485760,5242880,"ok","free"]'
conforms "as documented" .out
exits 2 "an operand" mega-df /
mega-df >/dev/full 2>.err
is "a full disk" $? 12
serve_stop

serve -d state
ok "no limit of transfer" mega-df
is "is a dash" "$(awk '$1 == "transfer" { print $3, $4 }' .out)" "- -"
ok "as JSON" mega-df -j
is "is absent" "$(jq -c '.transfer | has("total")' .out)" false
conforms "as documented, too" .out
serve_stop

serve -d state --block me@x.org:200
exits 11 "a blocked account" mega-df
says "is told why" 'blocked for infringing copyright'
serve_stop
serve -d state --block me@x.org:0 --storage 1000
ok "more stored than allowed" mega-df
is "leaves nothing" "$(awk '$1 == "storage" { print $4 }' .out)" 0
is "and is called full" "$(mega-df -j | jq -r .state)" full
serve_stop
MEGA_TIMEOUT=1
export MEGA_TIMEOUT
exits 5 "nobody answers" mega-df
exits 5 "as JSON" mega-df -j
is "one object" "$(jq -r .error.name .err)" temporary

done_testing
