# The tree of an account: every kind of node, events, deaths and crowds.

. tests/lib.sh

command -v node >/dev/null || skip_all "node is not installed"
MEGA_TIMEOUT=5
export MEGA_TIMEOUT

# canned DIR: start the service that answers as DIR says.
canned()
{
	rm -f "$T/.url"
	mkfifo "$T/.url"
	mkdir -p "$1"
	node "$SRC/tests/canned.js" "$1" >"$T/.url" 2>"$T/canned.err" &
	servers="$servers $!"
	read -r MEGA_API_URL <"$T/.url"
	export MEGA_API_URL
	mkdir -p "$XDG_STATE_HOME/megapipe"
	cat >"$XDG_STATE_HOME/megapipe/session.json" <<-END
	{"version":1,"api":"$MEGA_API_URL","sid":"$(printf %058d 0)",
	"user":"AAECAwQFBgc","master_key":"AAECAwQFBgcICQoLDA0ODw"}
	END
	chmod 600 "$XDG_STATE_HOME/megapipe/session.json"
}

roots='{"h":"RoOtRoOt","p":"","t":2,"a":"","k":"","ts":1},
{"h":"InBoInBo","p":"","t":3,"a":"","k":"","ts":1},
{"h":"TrAsTrAs","p":"","t":4,"a":"","k":"","ts":1}'

# Nodes as they should not be, and as they may be.

mkdir odd
cat >odd/f.json <<END
[$roots,
{"h":"aaaaaaaa","p":"RoOtRoOt","t":1,"n":"folder"},
{"h":"bbbbbbbb","p":"aaaaaaaa","t":0,"s":5,"n":"file",
 "c":"AAAAAAAAAAAAAAAAAAAAAAQA8VNl","at":{"fav":1}},
{"h":"cccccccc","p":"RoOtRoOt","t":0,"s":1,"a":"AAAAAAAAAAAAAAAAAAAAAA",
 "k":"AAECAwQFBgc:m7X2AYhPzW9uKbI_gsynelvofi5bRHyUSyHJr3dWwNg","ts":1},
{"h":"dddddddd","p":"RoOtRoOt","t":1,"n":"lost key","by":"XxXxXxXx"},
{"h":"eeeeeeee","p":"dddddddd","t":0,"s":1,"n":"in it"},
{"h":"ffffffff","p":"RoOtRoOt","t":0,"s":-5,"n":"a size that cannot be"},
{"h":"gggggggg","p":"RoOtRoOt","t":0,"a":7,"k":{},"ts":"x"},
{"h":"hhhhhhhh","p":"RoOtRoOt","t":9,"n":"no type"},
{"h":"short","p":"RoOtRoOt","t":0},
"text", 5, null, [], {},
{"h":"iiiiiiii","p":"RoOtRoOt","t":0,"s":1,"n":""},
{"h":"jjjjjjjj","p":"RoOtRoOt","t":0,"s":1,"n":"a/b"},
{"h":"kkkkkkkk","p":"RoOtRoOt","t":0,"s":1,"n":".."},
{"h":"llllllll","p":"RoOtRoOt","t":0,"s":1,"n":"twice","ts":100},
{"h":"mmmmmmmm","p":"RoOtRoOt","t":0,"s":2,"n":"twice","ts":300},
{"h":"nnnnnnnn","p":"RoOtRoOt","t":0,"s":3,"n":"twice","ts":200},
{"h":"oooooooo","p":"NoWhErE_","t":1,"n":"orphan"},
{"h":"pppppppp","p":"oooooooo","t":0,"s":1,"n":"its child"},
{"h":"qqqqqqqq","p":"rrrrrrrr","t":1,"n":"q"},
{"h":"rrrrrrrr","p":"qqqqqqqq","t":1,"n":"r"},
{"h":"ssssssss","p":"ssssssss","t":1,"n":"itself"},
{"h":"tttttttt","t":1,"n":"without a parent"},
{"h":"aaaaaaaa","p":"RoOtRoOt","t":1,"n":"folder"}]
END
canned "$T/odd"
ok "odd nodes" mega-ls -v
is "are listed as far as they go" "$(cat .out)" "/H:iiiiiiii
/..
/H:cccccccc
/H:dddddddd
/H:ffffffff
/H:gggggggg
/H:jjjjjjjj
/folder
/twice
/twice
/twice"
says "and counted where they do not" ' 7 records '
is "below what has no name" "$(mega-ls -R /H:dddddddd)" "/H:dddddddd/in it"
is "an empty name, and one with a slash" "$(mega-ls -j / |
    jq -r 'select(.handle == ("iiiiiiii", "jjjjjjjj")).name')" "
a/b"
is "of three, the newest" "$(mega-ls -j /twice | jq .size)" 2
is "the others by handle" "$(mega-ls -d /H:llllllll H:nnnnnnnn)" "/twice
/twice"
is "an orphan" "$(mega-ls -R H:oooooooo)" "H:oooooooo/its child"
is "its child" "$(mega-ls H:pppppppp)" "H:oooooooo/its child"
is "which leads back" "$(mega-ls -j "H:oooooooo/its child" |
    jq -r .handle)" pppppppp
ok "a cycle" timeout 10 mega-ls -R H:qqqqqqqq
is "is walked once" "$(wc -l <.out)" 2
ok "a node in itself" timeout 10 mega-ls -R H:ssssssss
ok "one without a parent" mega-ls -d H:tttttttt
ok "everything" mega-ls -R /
is "is not more than there is" "$(wc -l <.out)" 13

# Keys of every kind, and in every order.

mkdir shared
cat >shared/f.json <<END
{"f":[$roots,
{"h":"DiRdIrDi","p":"RoOtRoOt","t":1,"n":"late key","by":"DiRdIrDi"},
{"h":"FiLeFiLe","p":"DiRdIrDi","t":0,"s":5,"n":"inside","by":"DiRdIrDi"},
{"h":"InShArE1","p":"ElSeWhEr","u":"BBBBBBBBBBA","su":"BBBBBBBBBBA","r":1,
 "sk":"1TPlm0WhU-1-Xpxd_P1Kqg","t":1,"n":"theirs","by":"InShArE1"},
{"h":"InFiLe11","p":"InShArE1","u":"BBBBBBBBBBA","t":0,"s":9,"n":"shared",
 "by":"InShArE1"},
{"h":"InShArE2","p":"InShArE1","u":"BBBBBBBBBBA","su":"BBBBBBBBBBA","r":0,
 "sk":"1TPlm0WhU-1-Xpxd_P1Kqg","t":1,"n":"nested","by":"InShArE2"},
{"h":"WrOnGhA1","p":"RoOtRoOt","t":1,"n":"forged","by":"WrOnGhA1"},
{"h":"MaNaGeR1","p":"RoOtRoOt","t":1,"n":"managed","by":"MaNaGeR1"}],
"f2":[{"h":"VeRsIoN1","p":"FiLeFiLe","t":0,"s":4,"n":"inside","ts":77,
 "by":"DiRdIrDi"},
{"h":"VeRsIoN2","p":"VeRsIoN1","t":0,"s":3,"n":"inside","ts":66,
 "by":"DiRdIrDi"}],
"u":[{"u":"BBBBBBBBBBA","c":1,"m":"ann@example.org","ts":1}],
"ok":[{"h":"DiRdIrDi","ha":"PHl7pWaFXaogoXgEt1IDbQ",
 "k":"1TPlm0WhU-1-Xpxd_P1Kqg"},
{"h":"WrOnGhA1","ha":"PHl7pWaFXaogoXgEt1IDbQ",
 "k":"1TPlm0WhU-1-Xpxd_P1Kqg"},
{"h":"MaNaGeR1","ha":"AAAAAAAAAAAAAAAAAAAAAA",
 "k":"AAAAAAAAAAAAAAAAAAAAAA"}],
"sn":"AAAAAAAAAAE"}
END
canned "$T/shared"
ok "keys that come after nodes" mega-ls -R
is "open what is under them, unless they are forged" "$(cat .out)" \
    "/H:MaNaGeR1
/H:WrOnGhA1
/late key
/late key/inside"
is "versions" "$(mega-ls -R --versions "/late key")" "/late key/inside
/late key/inside#77
/late key/inside#66"
is "a version by its path" "$(mega-ls -j "/late key/inside#66" |
    jq -r .handle)" VeRsIoN2
is "what others share" "$(mega-ls -R //from)" \
    "//from/ann@example.org:theirs
//from/ann@example.org:theirs/nested
//from/ann@example.org:theirs/shared"
is "the folder of these" "$(mega-ls -d //from; mega-ls -dj //from |
    jq -c '[.path, .name, .type, .handle]')" \
    '//from
["//from","from","folder",null]'
is "which leads back" "$(mega-ls -R //from | mega-ls -d -)" \
    "$(mega-ls -R //from)"
is "whose it is" "$(mega-ls -j //from | jq -r .owner)" BBBBBBBBBBA
is "the key manager was asked for" "$(grep -c uga shared/log)" 1

# The manager of the protocol's test vector, for another folder.
mkdir managed
sed 's/MaNaGeR1/DiRdIrDj/g; s/DiRdIrDi/OtHeRhAn/g; s/DiRdIrDj/DiRdIrDi/g' \
    shared/f.json >managed/f.json
cat >managed/uga.json <<'END'
{"av":"FAAAAQIDBAUGBwgJCgvEZZGdvICaSg39AG7qEThTjn0Bhgd4lemID-DUmUBIcK0DJN15Iz8_I51vulBYxFXkBGrMx7JR6MDfMQJB3N4NYc0C9wV6_GJIqxj0","v":"x"}
END
canned "$T/managed"
is "a key of the key manager" "$(mega-ls / | grep managed)" /managed
mega-ls / >/dev/null
is "is asked for once" "$(grep -c uga managed/log)" 1

# Keys that the service asks for: what is below a folder of ours that is
# shared gets its key there, and nothing else does.

mkdir keys
nodekey=30303030303030303030303030303030202122232425262728292a2b2c2d2e2f
cat >keys/f.json <<END
{"f":[$roots,
{"h":"DiRdIrDi","p":"RoOtRoOt","t":1,"n":"shared",
 "key":"303132333435363738393a3b3c3d3e3f"},
{"h":"FiLeFiLe","p":"DiRdIrDi","t":0,"s":5,"n":"file","key":"$nodekey"},
{"h":"OuTsIdE1","p":"RoOtRoOt","t":0,"s":5,"n":"outside"},
{"h":"ClOsEd11","p":"DiRdIrDi","t":0,"s":5,"n":"closed","by":"XxXxXxXx"},
{"h":"FoRmErEx","p":"RoOtRoOt","t":1,"n":"not shared any more"},
{"h":"InFoRmEr","p":"FoRmErEx","t":0,"s":5,"n":"file"},
{"h":"InShArE1","p":"ElSeWhEr","u":"BBBBBBBBBBA","su":"BBBBBBBBBBA","r":1,
 "sk":"1TPlm0WhU-1-Xpxd_P1Kqg","t":1,"n":"theirs","by":"InShArE1"},
{"h":"InFiLe11","p":"InShArE1","u":"BBBBBBBBBBA","t":0,"s":9,"n":"in theirs",
 "by":"InShArE1"},
{"h":"LaTeFiLe","p":"InShArE1","u":"BBBBBBBBBBA","t":0,"s":9,"n":"late",
 "key":"$nodekey","by":"XxXxXxXx"}],
"ok":[{"h":"DiRdIrDi","ha":"PHl7pWaFXaogoXgEt1IDbQ",
 "k":"1TPlm0WhU-1-Xpxd_P1Kqg"},
{"h":"FoRmErEx","ha":"$(printf FoRmErExFoRmErEx | openssl enc -aes-128-ecb \
    -nopad -K 000102030405060708090a0b0c0d0e0f | openssl base64 -A |
    tr '+/' '-_' | tr -d =)","k":"1TPlm0WhU-1-Xpxd_P1Kqg"}],
"u":[{"u":"BBBBBBBBBBA","c":1,"m":"ann@example.org","ts":1}],
"s":[{"h":"DiRdIrDi","u":"EXP","r":0,"ts":1}],
"cr":[["DiRdIrDi","FoRmErEx","InShArE1","RoOtRoOt",7],
 ["FiLeFiLe","DiRdIrDi","OuTsIdE1","ClOsEd11","InFoRmEr","InFiLe11"],
 [0,0,0,1,0,2,0,3,1,4,2,5,3,0,4,0,9,9,0,-1,0,"x",0]],
"sn":"AAAAAAAAAAE"}
END
echo 0 >keys/k.json
canned "$T/keys"
ok "a tree, and what keys its shares lack" mega-ls /
is "they are given where they should be" "$(grep '"k"' keys/log)" \
    '{"a":"k","cr":[["DiRdIrDi"],["FiLeFiLe","DiRdIrDi"],'\
'[0,0,"XvsHeXmKIp8N_8sDrmlrAYyqf1iaoM62NQpF5wpuQ1s",'\
'0,1,"FEWtNEK-ikZRSMVmf2AixQ"]]}'
: >keys/log
cat >keys/sc-AAAAAAAAAAE.json <<'END'
{"a":[{"a":"k","h":"DiRdIrDi","n":"FiLeFiLe"},
{"a":"k","h":"DiRdIrDi","n":["OuTsIdE1","DiRdIrDi",{},"AAAA"]},
{"a":"k","h":"InShArE1","n":"InFiLe11"},{"a":"k","n":"FiLeFiLe"},
{"a":"k"},{"a":"k","cr":[]},{"a":"k","cr":[[],[]]},{"a":"k","cr":7},
{"a":"k","cr":[["InShArE1"],["LaTeFiLe","FiLeFiLe"],[0,0,
"XvsHeXmKIp8N_8sDrmlrAYyqf1iaoM62NQpF5wpuQ1s",0,1,
"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]]}],"sn":"AAAAAAAAAAF"}
END
is "a key that we lacked" "$(mega-ls -R //from | grep late)" \
    //from/ann@example.org:theirs/late
is "asked for by events" "$(grep '"k"' keys/log)" \
    '{"a":"k","cr":[["DiRdIrDi"],["FiLeFiLe","DiRdIrDi"],'\
'[0,0,"XvsHeXmKIp8N_8sDrmlrAYyqf1iaoM62NQpF5wpuQ1s",'\
'0,1,"FEWtNEK-ikZRSMVmf2AixQ"]]}'
mega-ls / >/dev/null
is "once" "$(grep -c '"k"' keys/log)" 1

# Events.

mkdir ev
cat >ev/f.json <<END
[$roots,
{"h":"aaaaaaaa","p":"RoOtRoOt","t":1,"n":"a"},
{"h":"bbbbbbbb","p":"aaaaaaaa","t":0,"s":5,"n":"b","key":
 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"},
{"h":"cccccccc","p":"RoOtRoOt","t":1,"n":"c"},
{"h":"dddddddd","p":"cccccccc","t":0,"s":1,"n":"d"}]
END
canned "$T/ev"

# happens TEXT: packets since what is known.
at=A next=B
happens()
{
	echo "{\"a\":[$1],\"sn\":\"AAAAAAAAAA$next\"}" \
	    >"$T/ev/sc-AAAAAAAAAA$at.json"
	at=$next
	next=$(echo "$next" | tr A-Y B-Z)
}
at=E next=F
is "before" "$(mega-ls -R | tr '\n' ' ')" "/a /a/b /c /c/d "
happens '{"a":"t","t":{"f":[{"h":"eeeeeeee","p":"aaaaaaaa","t":0,"s":7,
    "n":"new"}]}}'
is "a new file" "$(mega-ls -R | tr '\n' ' ')" "/a /a/b /a/new /c /c/d "
happens '{"a":"d","n":"eeeeeeee"},{"a":"nonsense","x":[1,{"y":2}]},
    {"a":"d"},{"a":"d","n":7},5,"x"'
is "removed, among what nobody knows" "$(mega-ls -R | tr '\n' ' ')" \
    "/a /a/b /c /c/d "
happens '{"a":"u","n":"bbbbbbbb","at":"9xE3MQq8d9q9xE3MQq8d9g"}'
is "attributes that do not decrypt" "$(mega-ls /a)" "/a/H:bbbbbbbb"
happens '{"a":"u","n":"bbbbbbbb","u":"AAECAwQFBgc","ts":9,"at":"'"$(
    perl -e 'my $s = "MEGA{\"n\":\"renamed\"}";
	print $s, "\0" x (-length($s) % 16)' |
    openssl enc -aes-128-cbc -nopad -K 10101010101010101010101010101010 \
    -iv 00000000000000000000000000000000 |
    openssl base64 -A | tr '+/' '-_' | tr -d =)"'"}'
is "renamed" "$(mega-ls -j /a | jq -r '.path + " " + .created')" \
    "/a/renamed 1970-01-01T00:00:09Z"
happens '{"a":"d","n":"cccccccc","m":1},{"a":"t","t":{"f":[{"h":"cccccccc",
    "p":"aaaaaaaa","t":1,"n":"c"},{"h":"dddddddd","p":"cccccccc","t":0,
    "s":1,"n":"d"}]}}'
is "moved" "$(mega-ls -R | tr '\n' ' ')" "/a /a/c /a/c/d /a/renamed "
happens '{"a":"d","n":"cccccccc","m":1},{"a":"t","t":{"f":[{"h":"cccccccc",
    "p":"TrAsTrAs","t":1,"n":"c"}]}}'
is "thrown away, told without what is in it" \
    "$(mega-ls -R / //bin | tr '\n' ' ')" "/a /a/renamed //bin/c //bin/c/d "
happens '{"a":"d","n":"cccccccc","m":1},{"a":"t","t":{"f":[{"h":"ffffffff",
    "p":"aaaaaaaa","t":0,"s":1,"n":"other"}]}}'
is "moved out of sight" "$(mega-ls -R / //bin | tr '\n' ' ')" \
    "/a /a/other /a/renamed "
happens '{"a":"t","t":{"f":[{"h":"gggggggg","p":"aaaaaaaa","t":0,"s":9,
    "n":"other"}],"f2":[{"h":"ffffffff","p":"gggggggg","t":0,"s":1,
    "n":"other","ts":5}]}}'
is "a new version" "$(mega-ls --versions /a | tr '\n' ' ')" \
    "/a/other /a/other#5 /a/renamed "
happens '{"a":"d","n":"gggggggg","v":1}'
is "taken back" "$(mega-ls -j --versions /a/other | jq -r .handle)" ffffffff
happens '{"a":"s2","n":"InShArE1","o":"BBBBBBBBBBA","u":"AAECAwQFBgc","r":1,
    "ts":1,"k":"1TPlm0WhU-1-Xpxd_P1Kqg"},{"a":"c","u":[{"u":"BBBBBBBBBBA",
    "c":1,"m":"ann@example.org"}]},{"a":"t","t":{"f":[{"h":"InShArE1",
    "p":"ElSeWhEr","u":"BBBBBBBBBBA","su":"BBBBBBBBBBA","r":1,"t":1,
    "n":"theirs","by":"InShArE1"}]}}'
is "somebody shares a folder" "$(mega-ls //from)" //from/ann@example.org:theirs
happens '{"a":"s2","n":"InShArE1","o":"BBBBBBBBBBA","u":"AAECAwQFBgc","ts":1}'
is "and does so no longer" "$(mega-ls //from)" ""
happens '{"a":"t","t":{"f":[{"h":"MaNaGeD1","p":"aaaaaaaa","t":1,
    "n":"closed","by":"DiRdIrDi"}]}}'
is "a key that nobody has" "$(mega-ls /a | grep H:)" /a/H:MaNaGeD1
cp managed/uga.json ev/
happens '{"a":"ua","u":"AAECAwQFBgc","ua":["^!prd","^!keys"],"v":["x","y"]}'
is "until the key manager has it" "$(mega-ls /a | grep closed)" /a/closed
cp ev/f.json saved.json
echo "[$roots,{\"h\":\"zzzzzzzz\",\"p\":\"RoOtRoOt\",\"t\":1,\"n\":\"z\"}]" \
    >ev/f.json
happens '{"a":"usc"}'
ok "the state is void" mega-ls -v
is "and loaded anew" "$(cat .out)" /z
says "which is said" 'too old'

# Waiting, where that is not possible or not worth much: neither all the time
# nor never.

for w in '""' null; do
	rm -rf "$XDG_CACHE_HOME/megapipe" ev/sc-*
	printf %s "$w" >ev/w.json
	: >ev/log
	: >seen.err
	mega-watch -v >seen 2>seen.err &
	pid=$!
	await grep -q watching seen.err
	sleep 2
	n=$(grep -c sc ev/log)
	[ "$n" -ge 1 ] && [ "$n" -le 12 ]
	result $? "a place to wait that is $w: $n requests in two seconds"
	at=E next=F
	happens '{"a":"t","t":{"f":[{"h":"eeeeeeee","p":"RoOtRoOt","t":0,"s":7,
	    "n":"new"}]}}'
	await test -s seen
	is "a place to wait that is $w: what happens is told" "$(cat seen)" \
	    "added /new"
	kill $pid
	wait $pid 2>/dev/null
	is "a place to wait that is $w: nothing else is said" \
	    "$(wc -l <seen.err)" 1
	mega-ls >/dev/null
	mega-ls >/dev/null
	: >ev/log
	is "a place to wait that is $w: a listing" "$(mega-ls | tr '\n' ' ')" \
	    "/new /z "
	is "a place to wait that is $w: one request" "$(cat ev/log)" sc
done

# Changes of all kinds, made without our code, and told by events: the cache
# is then what the service would send.  TREE_ROUNDS and TREE_CHANGES make it
# longer.

rm -rf "$XDG_STATE_HOME/megapipe" "$XDG_CACHE_HOME/megapipe"
echo secret >password
serve -d "$T/churn" --account a@example.org:password \
    --populate "a@example.org:${TREE_NODES:-1000}"
mega-login --password-file password a@example.org
mega-ls >/dev/null
seed=${TREE_SEED:-$$}
echo "# TREE_SEED=$seed"
i=0
while [ $i -lt "${TREE_ROUNDS:-3}" ]; do
	i=$((i + 1))
	node "$SRC/tests/churn.js" change "${TREE_CHANGES:-300}" $((seed + i))
	result $? "changes of all kinds, $i"
	mega-ls -v / 2>err.txt >/dev/null
	is "are told by events" "$(cat err.txt)" ""
	node "$SRC/tests/churn.js" dump >want.txt
	"$BUILD/tools/cachedump" "$(find "$XDG_CACHE_HOME/megapipe" -type l)" |
	    LC_ALL=C sort >got.txt
	same "and lead to what is there" want.txt got.txt
	diff want.txt got.txt | head -n 8 | sed 's/^/# /'
done
serve_stop

# Deaths.  A process that dies anywhere leaves what the next one can use.
# TREE_DEATHS of them, at moments spread over what it has to do.

rm -r "$XDG_STATE_HOME/megapipe" "$XDG_CACHE_HOME/megapipe"
deaths=${TREE_DEATHS:-12}
serve -d "$T/big" --account a@example.org:password \
    --populate a@example.org:20000
ok "an account" mega-login --password-file password a@example.org

now_ms()
{
	perl -MTime::HiRes=time -e 'printf "%d", time * 1000'
}

# dies I MS: mega-ls is killed at the Ith moment of what takes it so long.
dies()
{
	mega-ls / >/dev/null 2>&1 &
	pid=$!
	sleep "$(awk "BEGIN { print $1 * $2 / $deaths / 1000 }")"
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
}

start=$(now_ms)
mega-ls -R / | md5sum >want.txt
took=$(($(now_ms) - start))
i=0
bad=0
while [ $i -lt "$deaths" ]; do
	rm -rf "$XDG_CACHE_HOME/megapipe"
	dies $i $took
	mega-ls -R / 2>kill.err | md5sum | cmp -s - want.txt || bad=$((bad + 1))
	[ -s kill.err ] && bad=$((bad + 1))
	i=$((i + 1))
done
is "killed while loading" $bad 0
mega-mkdir /killed
i=0
while [ $i -lt "$deaths" ]; do
	perl -e 'print "/killed/$ARGV[0].$_\n" for 1 .. 300' $i |
	    MEGA_CACHE=$T/elsewhere mega-mkdir -
	[ $i -gt 0 ] || start=$(now_ms)
	[ $i -gt 0 ] || mega-ls / >/dev/null
	[ $i -gt 0 ] || took=$(($(now_ms) - start))
	dies $i $took
	MEGA_CACHE=$T/elsewhere mega-ls -lR --cached / >want.txt
	mega-ls -lR / 2>kill.err | cmp -s - want.txt || bad=$((bad + 1))
	[ -s kill.err ] && bad=$((bad + 1))
	i=$((i + 1))
done
is "killed while catching up" $bad 0
is "that was told by events" "$(wc -l <want.txt)" \
    $((20000 + 1 + 300 * deaths))
is "nothing is left but one cache" \
    "$(find "$XDG_CACHE_HOME/megapipe" -name '*.db' | wc -l)" 1

# Crowds.

rm -rf "$XDG_CACHE_HOME/megapipe"
before=$(grep -c '"f"' serve.log)
for i in 1 2 3 4 5 6 7 8; do
	mega-ls -R / >crowd.$i 2>&1 &
	crowd="$crowd $!"
done
wait $crowd
is "of many that start at once" "$(for i in 1 2 3 4 5 6 7 8; do
	cmp -s crowd.1 crowd.$i || echo "$i differs"; done)" ""
is "one loads" $(($(grep -c '"f"' serve.log) - before)) 1

# Each writer makes, fills, renames and removes; each reader reads.
writer()
{
	for k in $(seq "${TREE_CROWD:-4}"); do
		mega-mkdir "/crowd.$1.$k"
		echo "$1" >put.$1
		mega-put put.$1 "/crowd.$1.$k/a"
		mega-cp "/crowd.$1.$k/a" "/crowd.$1.$k/b"
		mega-mv "/crowd.$1.$k" "/crowded.$1.$k"
		mega-rm --purge "/crowded.$1.$k/a"
	done
}
crowd=
for i in 1 2 3 4 5 6 7 8; do
	writer $i >/dev/null 2>>crowd.err &
	crowd="$crowd $!"
	for k in $(seq $((3 * ${TREE_CROWD:-4}))); do
		mega-ls -R /
	done >/dev/null 2>>crowd.err &
	crowd="$crowd $!"
done
wait $crowd
is "writers and readers at once: nothing is said" "$(cat crowd.err)" ""
is "nothing is lost" "$(mega-ls -R / | sed -n 's|^/crowded.*/||p' | sort |
    uniq -c | tr -d '\n ')" $((8 * ${TREE_CROWD:-4}))b
mega-ls -lR >cached.txt
MEGA_CACHE=$T/third mega-ls -lR >loaded.txt
same "events lead to where loading does" loaded.txt cached.txt

done_testing
