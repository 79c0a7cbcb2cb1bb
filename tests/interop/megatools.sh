# Runs Debian's megatools against a mega-serve --tls on 127.0.0.1:443.
# Sourced by tests, after tests/lib.sh.
#
# megatools has the service's address and port compiled in and trusts only
# the system's certificate bundle.  So it runs in a mount namespace of its
# own, where hosts and the bundle are replaced, and in a network namespace
# of its own, where port 443 is free; the server runs there as well.

MEGATOOLS_HOST=g.api.mega.co.nz

# megatools_why: why it cannot run here, on standard output; nothing if it
# can.
megatools_why()
{
	command -v megatools >/dev/null || { echo "no megatools"; return; }
	command -v openssl >/dev/null || { echo "no openssl"; return; }
	[ -e /etc/ssl/certs/ca-certificates.crt ] ||
	    { echo "no certificate bundle to replace"; return; }
	megatools_ns true 2>/dev/null || echo "no private namespaces here"
}

# megatools_ns COMMAND ARG...: run it in private namespaces, with loopback up.
megatools_ns()
{
	if [ "$(id -u)" -eq 0 ]; then
		set -- unshare -mn sh -c "$megatools_up" sh "$@"
	else
		set -- unshare -rmn sh -c "$megatools_up" sh "$@"
	fi
	"$@"
}
megatools_up='ip link set lo up 2>/dev/null || exit 1; exec "$@"'

# megatools_certs: make a CA and a certificate for the service's name, and
# the files that replace the system's, in $T/tls.
megatools_certs()
{
	mkdir -p "$T/tls" || return
	(
		cd "$T/tls" || exit
		openssl req -x509 -newkey rsa:2048 -nodes -days 2 \
		    -subj "/CN=$MEGATOOLS_HOST" \
		    -addext "subjectAltName=DNS:$MEGATOOLS_HOST" \
		    -keyout key.pem -out cert.pem 2>/dev/null || exit
		cat /etc/ssl/certs/ca-certificates.crt cert.pem >bundle.pem
		echo "127.0.0.1 localhost $MEGATOOLS_HOST" >hosts
	)
}

# megatools_session SCRIPT OPTION...: run a shell script with a server, which
# is started with those options.  In the script "mt COMMAND ARG..." is
# megatools, logged in as $MT_USER with $MT_PASSWORD.
megatools_session()
{
	mt_script=$1
	shift
	[ -d "$T/tls" ] || megatools_certs || return
	mkdir -p "$T/mt-tmp"
	megatools_ns sh -c "
		mount --bind '$T/tls/hosts' /etc/hosts &&
		mount --bind '$T/tls/bundle.pem' \
		    /etc/ssl/certs/ca-certificates.crt || exit 99
		export TMPDIR='$T/mt-tmp' MEGATOOLS_PKP_DISABLE=1
		exec mega-serve -l 127.0.0.1:443 \
		    --tls '$T/tls/cert.pem' '$T/tls/key.pem' \"\$@\"" sh "$@" \
	    -- sh -c 'mt() {
			c=$1
			shift
			megatools "$c" --ignore-config-file -u "$MT_USER" \
			    -p "$MT_PASSWORD" "$@"
		}
		mtp() {
			megatools "$@"
		}
		'"$mt_script"
}
