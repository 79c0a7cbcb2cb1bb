# Other people's clients fetch what we publish, and we fetch what they send.

. tests/lib.sh

sizes="0 1 15 16 17 131071 131072 131073 393216 3670021 67108871"
is_asan && sizes=${sizes% *} # a script in node would take minutes

mail=me@example.org
echo 'correct horse battery' >pw
mkdir s js mt
for n in $sizes; do
	gen "$n" "$n" >"s/$n"
done

# megajs 1.3.10 takes a chunk too many where the size, in whole blocks, ends
# with a chunk: it refuses right files of these sizes, and sends wrong MACs.
wrong_mac()
{
	case $1 in
	0|131071|131072|393216) return 0;;
	*) return 1;;
	esac
}

MEGAJS=${MEGAJS:-$SRC/build/interop}
export MEGAJS
mj()
{
	MEGA_USERNAME=$mail MEGA_PASSWORD=$(cat pw) \
	    node "$SRC/tests/interop/megajs.js" "$@"
}

if ! command -v node >/dev/null; then
	skip "megajs" "no node"
elif ! [ -d "$MEGAJS/node_modules/megajs" ]; then
	skip "megajs" "not installed below $MEGAJS"
else
	serve --account "$mail:$T/pw"

	# Ours, fetched by megajs.
	for n in $sizes; do
		set -- "$@" "s/$n"
	done
	ok "publish all sizes" mega-anon "$@"
	cp .out links
	exec 3<links
	for n in $sizes; do
		read -r link <&3
		rm -f got
		if [ "$n" -eq 0 ]; then
			exits 1 "megajs: 0 bytes: its known mistake" \
			    mj dl "$link" got
		elif wrong_mac "$n"; then
			exits 1 "megajs: $n bytes: its known mistake" \
			    mj dl "$link" got
			says "megajs: $n bytes: is in the MAC" 'MAC verif'
			ok "megajs: fetches $n bytes unchecked" \
			    mj dl-unchecked "$link" got
			same "megajs: $n bytes: the data" "s/$n" got
		else
			ok "megajs: fetches $n bytes" mj dl "$link" got
			same "megajs: $n bytes: the data" "s/$n" got
		fi
	done
	exec 3<&-

	# Theirs, fetched by us.
	ok "log in" mega-login --password-file pw "$mail"
	ok "megajs: mkdir" mj mkdir /js
	for n in $sizes; do
		ok "megajs: sends $n bytes" mj put "s/$n" "/js/$n"
		rm -f "js/$n"
		ok "mega-get: $n bytes of megajs's" mega-get -o js/ "/js/$n"
		same "mega-get: $n bytes of megajs's: the data" "s/$n" "js/$n"
		if [ "$n" -gt 0 ] && wrong_mac "$n"; then
			says "mega-get: $n bytes: a notice" "/js/$n: .*MAC"
		else
			is "mega-get: $n bytes: no notice" "$(cat .err)" ""
		fi
	done
	exits 0 "mega-cat accepts one, too" mega-cat /js/131072
	says "mega-cat: a notice" '/js/131072: .*MAC'
	exits 0 "-q: no notice" mega-cat -q /js/131072
	is "-q: no notice" "$(cat .err)" ""

	# Links both ways, names, changes.
	mj link /js/3670021 >link
	mega-cat - <link | cmp -s - s/3670021
	is "mega-cat: a link that megajs made" $? 0
	mj link /js >link
	ok "mega-get: a folder link that megajs made" mega-get -r -o jsf - <link
	ok "mega-get: all of it" diff -r js jsf
	ok "mega-put, into the same folder" mega-put s/17 /js/ours
	mega-link /js/ours >link
	ok "megajs: a link of ours" mj dl "$(cat link)" got
	same "megajs: a link of ours: the data" s/17 got
	mega-link /js >link
	ok "megajs: a folder link of ours" mj folder-link "$(cat link)"
	is "megajs: all of it" "$(wc -l <.out | tr -d ' ')" \
	    "$(mega-ls /js | wc -l | tr -d ' ')"
	ok "megajs: a file by it" mj folder-get "$(cat link)" /ours got
	same "megajs: a file by it: the data" s/17 got
	name=$(printf 'a "quoted" \\ \360\237\220\247 name')
	cp s/16 "$name"
	ok "a name with everything" mega-put "$name" /js/
	ok "megajs: finds it" mj get "/js/$name" got
	ok "megajs: a rename" mj rename "/js/$name" "e$(printf '\314\201')"
	is "is seen" "$(mega-ls /js | grep -c "^/js/e$(printf '\314\201')$")" 1

	# Each sees what the other changes.
	mega-mkdir /x /x/sub /x/gone
	mega-put s/16 /x/a >/dev/null
	mega-mv /x/a /x/sub/b
	mega-cp /x/sub/b /x/c
	mega-put s/17 /x/c >/dev/null
	mega-rm -r /x/gone
	is "megajs: what we made, moved, copied and removed" \
	    "$(mj ls /x | sort | tr '\n' ' ')" "/x/c 17 /x/sub/ /x/sub/b 16 "
	ok "megajs: our new version" mj get /x/c got
	same "megajs: our new version: the data" s/17 got
	mj mkdir /x/new
	mj put s/15 /x/new/d
	mj mv /x/c /x/new
	mj rename /x/sub/b B
	mj rm /x/sub forever
	is "what megajs made, moved, renamed and removed" \
	    "$(mega-ls -R /x | tr '\n' ' ')" "/x/new /x/new/c /x/new/d "
	is "the versions of what it moved" "$(mega-ls --versions -j /x/new/c |
	    jq .size | tr '\n' ' ')" "17 16 "
	serve_stop
fi

# megatools, which cannot send empty files.

. "$SRC/tests/interop/megatools.sh"
why=$(megatools_why)
if [ -n "$why" ]; then
	skip "megatools" "$why"
	done_testing
fi
MT_USER=$mail
MT_PASSWORD=$(cat pw)
export MT_USER MT_PASSWORD sizes
echo '[{"a":"us0","user":"old@example.org"}]' >us0
# Each line of "told" is a status and what it is about.
# shellcheck disable=SC2016
megatools_session '
	tell() { echo "$? $1" >>told; }
	export MEGA_API_URL=https://g.api.mega.co.nz
	export SSL_CERT_FILE=$PWD/tls/bundle.pem
	set --
	for n in $sizes; do
		set -- "$@" s/$n
	done
	mega-anon "$@" >links
	tell "publish all sizes over TLS"
	exec 3<links
	for n in $sizes; do
		read -r link <&3
		rm -f got
		mtp dl --no-progress --path got "$link" && cmp s/$n got
		tell "megatools: fetches $n bytes"
	done
	mega-login --password-file pw "$MT_USER"
	tell "log in"
	mt mkdir /Root/mt
	for n in $sizes; do
		[ $n -gt 0 ] || continue
		mt put --no-progress --path /Root/mt/$n s/$n
		tell "megatools: sends $n bytes"
		mega-get -o mt/ /mt/$n 2>notice && cmp s/$n mt/$n &&
		    ! grep . notice
		tell "mega-get: $n bytes of that"
	done
	link=$(mt export /Root/mt/17) && mega-cat "$link" | cmp s/17 -
	tell "mega-cat: a link that megatools made"
	cp s/0 mt/ && mega-put s/0 s/16 /mt/ >/dev/null
	tell "mega-put into the same folder"
	rm -f got
	mt get --no-progress --path got /Root/mt/16 && cmp s/16 got
	tell "megatools: fetches it"
	mega-link /mt >link && mkdir mtf &&
	    mtp dl --no-progress --path mtf "$(cat link)" && diff -r mt mtf
	tell "megatools: a folder link of ours"
	mt put --reload --no-progress --path /Root/mt/late s/17 &&
	    mega-ls /mt | grep -q /late &&
	    mega-cat --session none "$(cat link):/late" | cmp s/17 -
	tell "what it puts there gets a key from us"

	mega-mkdir /x /x/sub /x/gone && mega-put s/16 /x/a >put &&
	    mega-mv /x/a /x/sub/b && mega-cp /x/sub/b /x/c &&
	    mega-put s/17 /x/c >put && mega-rm -r /x/gone
	tell "make, move, copy, replace and remove"
	[ "$(mt ls --reload -R /Root/x | sort | tr "\n" " ")" = \
	    "/Root/x /Root/x/c /Root/x/sub /Root/x/sub/b " ]
	tell "megatools: sees all that"
	rm -f got
	mt get --reload --no-progress --path got /Root/x/c && cmp s/17 got
	tell "megatools: our new version"
	mt mkdir --reload /Root/x/new && mt rm --reload /Root/x/c &&
	    mt put --reload --no-progress --path /Root/x/new/d s/15
	tell "megatools: makes, removes and sends"
	[ "$(mega-ls -R /x | tr "\n" " ")" = \
	    "/x/new /x/new/d /x/sub /x/sub/b " ]
	tell "all that is seen"
	MT_USER=old@example.org
	mkdir tmp1 tmp2
	TMPDIR=$PWD/tmp1 mt mkdir /Root/v1
	tell "megatools: log in, version 1"
	mega-login --upgrade --password-file pw --session old "$MT_USER"
	tell "mega-login: upgrade"
	mega-api --anonymous <us0 | grep -q "\"v\":2" &&
	    TMPDIR=$PWD/tmp2 mt ls /Root | grep -qx /Root/v1
	tell "megatools: log in, version 2 now"
' --account "$mail:$T/pw" --account "old@example.org:$T/pw:v1" >.out 2>.err
result $? "the server for megatools"
sed 's/^/# /' .err
while read -r st name; do
	result "$st" "$name"
done <told

done_testing
