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
    http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY \
    SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE
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
	tap_name=$1
	shift
	"$@" >"$T/.out" 2>"$T/.err"
	tap_st=$?
	result $tap_st "$tap_name"
	[ $tap_st -eq 0 ] || {
		echo "# status $tap_st: $*"
		sed 's/^/# /' "$T/.err"
	}
}

# exits STATUS NAME COMMAND...: the command ends with that status; what it
# wrote is in $T/.out and $T/.err.
exits()
{
	tap_want=$1
	tap_name=$2
	shift 2
	"$@" >"$T/.out" 2>"$T/.err"
	tap_st=$?
	[ $tap_st -eq "$tap_want" ]
	result $? "$tap_name"
	[ $tap_st -eq "$tap_want" ] || {
		echo "# status $tap_st, not $tap_want: $*"
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
	tap_st=$?
	result $tap_st "$1"
	[ $tap_st -eq 0 ] || { echo "# no /$2/ in:"; sed 's/^/# /' "$T/.err"; }
}

# same NAME FILE FILE: two files have equal contents.
same()
{
	cmp "$2" "$3" >"$T/.cmp" 2>&1
	tap_st=$?
	result $tap_st "$1"
	[ $tap_st -eq 0 ] || sed 's/^/# /' "$T/.cmp"
}

# conforms NAME FILE: it has lines, and every one is as mega-json(5) says.
conforms()
{
	if command -v node >/dev/null; then
		node "$SRC/tests/json-check.js" "$SRC/tests/json-schema.json" \
		    <"$2" >"$T/.json" && test -s "$2"
		result $? "$1"
		sed 's/^/# /' "$T/.json"
	else
		skip "$1" "node is not installed"
	fi
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

# settle: wait until the server's log tells of all that was asked; a line is
# written when its reply has gone out.
settle()
{
	lines=-1
	while [ "$lines" != "$(wc -l <"$T/serve.log")" ]; do
		lines=$(wc -l <"$T/serve.log")
		sleep 0.2
	done
}

serve_stop()
{
	kill "$SERVE_PID" 2>/dev/null
	wait "$SERVE_PID" 2>/dev/null
}

# restart OPTION...: the server anew, with other options and a new log.  Its
# state is kept if it was started with -d "$T/state".
restart()
{
	serve_stop
	rm -f "$T/serve.log"
	serve -d "$T/state" "$@"
}

# moved KIND: bytes of all requests of that kind ("up", "dl") in the log.
moved()
{
	jq -s --arg k "$1" 'map(select(.kind == $k).bytes) | add // 0' \
	    "$T/serve.log"
}

# asked COMMAND: how often the log has it.
asked()
{
	jq -s --arg c "$1" '[.[].commands[] | select(. == $c)] | length' \
	    "$T/serve.log"
}

# await COMMAND...: wait until it succeeds, ten seconds at most.
await()
{
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || return 1
		sleep 0.05
	done
}

# nothing_left NAME DIR: no part and no temporary file is in it.
nothing_left()
{
	is "$1" "$(find "$2" -name '*.part' -o -name '*.new' \
	    -o -name 'megapipe.*')" ""
}

# pty COMMAND: run a line of shell with a terminal as its standard output
# and error; what it shows is in $T/.out.
pty()
{
	script -qec "$1" /dev/null </dev/null >"$T/.out" 2>/dev/null
}

# in_private_mounts SCRIPT ARG...: run a script that may mount file systems.
in_private_mounts()
{
	if [ "$(id -u)" -eq 0 ]; then
		unshare -m sh -c "$@"
	else
		unshare -rm sh -c "$@"
	fi
}

# Whether the programs are so slow and large that figures mean nothing.
is_asan()
{
	case $BUILD in
	*asan*) return 0;;
	*) return 1;;
	esac
}

# peak PID: follow a process to its end; the most memory it had, KiB, is
# printed.
peak()
{
	max=0
	while hwm=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' \
	    "/proc/$1/status" 2>/dev/null) && [ -n "$hwm" ]; do
		[ "$hwm" -le $max ] || max=$hwm
		sleep 0.02
	done
	echo $max
}

# gen SIZE [SEED]: that many bytes, the same for the same seed, on stdout.
gen()
{
	openssl enc -aes-128-ctr -nosalt -K "$(printf %032x "${2:-1}")" \
	    -iv 00000000000000000000000000000000 -in /dev/zero 2>/dev/null |
	    head -c "$1"
}
