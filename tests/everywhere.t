# Every fault at every request of a get and a put: status 0 only if the whole
# file is there, and right, and otherwise the one that says what happened.
#
# EVERYWHERE_SIZES: of the files, in bytes.  EVERYWHERE_OPTIONS: of mega-serve.
# EVERYWHERE_RANDOM: so many seeds of random faults.

. tests/lib.sh

is_asan && sizes=131072 || sizes=262145
sizes=${EVERYWHERE_SIZES:-$sizes}
random=${EVERYWHERE_RANDOM:-4}
abreast=8
MEGA_TIMEOUT=15
export MEGA_TIMEOUT

# A fault, and the status that is right, at whatever request.
both='
cs:http=500 0
cs:http=503 0
cs:-3 0
cs:-4 0
cs:drop 0
cs:lost 0
cs:cut=1 0
cs:cut=50% 0
cs:delay=50ms 0
cs:slow=5k 0
cs:hashcash=255 0
cs:-15 4
cs:-16 11
cs:-2 1
sc:-6 0
sc:-3 0
sc:http=500 0
sc:lost 0
'
get='
dl:http=403 0
dl:http=404 0
dl:http=429 0
dl:http=500 0
dl:http=503 0
dl:http=509:left=1 6
dl:http=509 6
dl:drop 0
dl:lost 0
dl:cut=0 0
dl:cut=1 0
dl:cut=50% 0
dl:cut=99% 0
dl:flip 0
dl:slow=500k 0
dl:delay=50ms 0
dl:expire 0
dl:-3 0
dl:-9 0
'
put='
up:http=403 0
up:http=404 0
up:http=429 0
up:http=500 0
up:http=503 0
up:http=509:left=1 0
up:drop 0
up:lost 0
up:cut=0 0
up:cut=50% 0
up:cut=99% 0
up:flip 0
up:slow=500k 0
up:delay=50ms 0
up:expire 0
up:-3 0
up:reply=-4 0
up:reply=-5 0
up:reply=-8 0
up:reply=-14 0
up:reply=-11 11
up:reply=-16 11
'

# serve_one LOG OPTION...: a server on the state in the current folder, with
# the tree in the cache if that is what the next command has to ask about.
serve_one()
{
	log=$1
	shift
	rm -f url
	mkfifo url
	# shellcheck disable=SC2086
	mega-serve -d state --log "$log" $EVERYWHERE_OPTIONS "$@" >url \
	    2>/dev/null &
	server=$!
	read -r MEGA_API_URL <url
	export MEGA_API_URL
	case $* in
	'' | *sc:*) mega-ls / >/dev/null;;
	esac
}

stop_one()
{
	kill $server
	wait $server 2>/dev/null
}

# one_get FOLDER OPTION..., one_put FOLDER OPTION...: with a home and a server
# of its own, which has these options; prints the status, and what is wrong.
one()
{
	mkdir "$1" && cd "$1" || exit
	cp -R "$T/home" home
	cp -R "$T/state" state
	HOME=$PWD/home
	XDG_STATE_HOME=$HOME/state
	XDG_CACHE_HOME=$HOME/cache
}

one_get()
{
	one "$1"
	shift
	serve_one log "$@"
	timeout 60 mega-get -o got /sent >out 2>err
	st=$?
	stop_one
	if [ $st -eq 0 ]; then
		cmp -s got "$T/file" && echo 0 || echo 0, and wrong
	else
		test -e got && echo $st, and a file || echo $st
	fi
}

one_put()
{
	one "$1"
	shift
	serve_one log "$@"
	timeout 60 mega-put "$T/file" /there >out 2>err
	st=$?
	stop_one
	serve_one log2
	there=$(mega-ls / | grep -cx /there)
	mega-cat /there >got 2>/dev/null
	stop_one
	if [ "$there" -gt 0 ] && ! cmp -s got "$T/file"; then
		echo $st, and wrong
	elif [ $st -eq 0 ] && [ "$there" -ne 1 ]; then
		echo "0, and $there of them"
	else
		echo $st
	fi
}

# plan get|put: all its faults at each request that it makes.
plan()
{
	(one_"$1" "$T/plain" >/dev/null)
	for kind in cs sc dl up; do
		eval "n_$kind=$(grep -c "\"kind\":\"$kind\"" "$T/plain/log")"
	done
	rm -rf "$T/plain"
	eval "echo \"\$both\$$1\"" | while read -r fault want; do
		[ -n "$fault" ] || continue
		eval "n=\$n_${fault%%:*}"
		for i in $(seq "$n"); do
			echo "$fault@$i $want"
		done
	done
	for seed in $(seq "$random"); do
		echo "rand:$seed:0.3 0"
	done
}

# work get|put N: the lines of the plan whose numbers leave N, divided by
# abreast.
work()
{
	i=0
	while read -r fault want; do
		i=$((i + 1))
		[ $((i % abreast)) -eq "$2" ] || continue
		got=$(one_"$1" "$T/$i" --fault "$fault")
		echo "$got" >"$T/$i.got"
		cp "$T/$i/err" "$T/$i.err"
		rm -rf "${T:?}/$i"
	done <"$T/plan"
}

everywhere()
{
	plan "$1" >"$T/plan"
	workers=
	for n in $(seq 0 $((abreast - 1))); do
		work "$1" "$n" &
		workers="$workers $!"
	done
	# shellcheck disable=SC2086
	wait $workers
	i=0
	while read -r fault want; do
		i=$((i + 1))
		got=$(cat "$T/$i.got")
		is "$1 of $size: $fault" "$got" "$want"
		[ "$got" = "$want" ] || sed 's/^/# /' "$T/$i.err"
	done <"$T/plan"
}

for size in $sizes; do
	rm -rf "$T/state" "$T/home"
	mkdir "$T/home"
	serve -d "$T/state"
	mega-anon || skip_all "no account"
	gen "$size" 5 >file
	mega-put -q file /sent >/dev/null
	serve_stop
	servers=
	everywhere get
	everywhere put
done
done_testing
