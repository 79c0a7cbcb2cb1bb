# Sourced by every tests/*.t: TAP, a private home, and servers on loopback.
#
# BUILD is the folder with the programs.  Everything a test writes is below
# $T, which is removed, and every server it starts is stopped, at the end.

: "${BUILD:=$PWD/build}"
PATH=$BUILD:$PATH
export PATH
SRC=$PWD
T=$(mktemp -d "${TMPDIR:-/tmp}/megapipe.XXXXXX") || exit 99
HOME=$T/home
XDG_STATE_HOME=$T/home/state
XDG_CACHE_HOME=$T/home/cache
XDG_CONFIG_HOME=$T/home/config
LC_ALL=C.UTF-8
export HOME XDG_STATE_HOME XDG_CACHE_HOME XDG_CONFIG_HOME LC_ALL
unset MEGA_SESSION MEGA_API_URL MEGA_CACHE MEGA_LIMIT_RATE \
    MEGA_USERNAME MEGA_PASSWORD CREDENTIALS_DIRECTORY \
    http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY
mkdir -p "$HOME"
cd "$T" || exit 99

tap_n=0
servers=

cleanup()
{
	for pid in $servers; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	cd / && rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# result STATUS NAME: one line of TAP.
result()
{
	tap_n=$((tap_n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_n - $2"
	else
		echo "not ok $tap_n - $2"
	fi
}

# ok NAME COMMAND...: the command succeeds.
ok()
{
	name=$1
	shift
	"$@" >"$T/.out" 2>"$T/.err"
	st=$?
	result $st "$name"
	[ $st -eq 0 ] || { echo "# status $st: $*"; sed 's/^/# /' "$T/.err"; }
}

# exits STATUS NAME COMMAND...: the command ends with that status; what it
# wrote is in $T/.out and $T/.err.
exits()
{
	want=$1
	name=$2
	shift 2
	"$@" >"$T/.out" 2>"$T/.err"
	st=$?
	[ $st -eq "$want" ]
	result $? "$name"
	[ $st -eq "$want" ] || {
		echo "# status $st, not $want: $*"
		sed 's/^/# /' "$T/.err"
	}
}

# is NAME GOT WANT: two strings are equal.
is()
{
	[ "$2" = "$3" ]
	result $? "$1"
	[ "$2" = "$3" ] || { echo "# got:  $2"; echo "# want: $3"; }
}

# says NAME PATTERN: the last command's standard error matches (grep -E).
says()
{
	grep -Eq -- "$2" "$T/.err"
	st=$?
	result $st "$1"
	[ $st -eq 0 ] || { echo "# no /$2/ in:"; sed 's/^/# /' "$T/.err"; }
}

# same NAME FILE FILE: two files have equal contents.
same()
{
	cmp "$2" "$3" >"$T/.cmp" 2>&1
	st=$?
	result $st "$1"
	[ $st -eq 0 ] || sed 's/^/# /' "$T/.cmp"
}

# skip NAME REASON
skip()
{
	tap_n=$((tap_n + 1))
	echo "ok $tap_n # SKIP $1: $2"
}

skip_all()
{
	echo "1..0 # SKIP $1"
	exit 0
}

done_testing()
{
	echo "1..$tap_n"
	exit 0
}

# serve OPTION...: start mega-serve in the background and point the programs
# at it.  Sets MEGA_API_URL, SERVE_PID; its log is $T/serve.log.
serve()
{
	rm -f "$T/.url"
	mkfifo "$T/.url"
	mega-serve --log "$T/serve.log" "$@" >"$T/.url" 2>"$T/serve.err" &
	SERVE_PID=$!
	servers="$servers $SERVE_PID"
	read -r MEGA_API_URL <"$T/.url"
	export MEGA_API_URL
}

serve_stop()
{
	kill "$SERVE_PID" 2>/dev/null
	wait "$SERVE_PID" 2>/dev/null
}

# gen SIZE [SEED]: that many bytes, the same for the same seed, on stdout.
gen()
{
	openssl enc -aes-128-ctr -nosalt -K "$(printf %032x "${2:-1}")" \
	    -iv 00000000000000000000000000000000 -in /dev/zero 2>/dev/null |
	    head -c "$1"
}
