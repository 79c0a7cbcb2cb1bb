# The rules that the official client lives by, with a client as strict.

. tests/lib.sh

command -v node >/dev/null || skip_all "node is not installed"
echo 'correct horse' >pw

# strictly OPTION...: a server with those, and the client against it.
strictly()
{
	serve --account me@example.org:pw --account old@example.org:pw:v1 "$@"
	node "$SRC/tests/official.js" me@example.org old@example.org \
	    "$(cat pw)" >told 2>why
	tap_st=$?
	while read -r st name; do
		result "$st" "$* $name"
	done <told
	sed 's/^/# /' why
	is "$* the client ends well" $tap_st 0
	serve_stop
}

strictly
strictly --gzip --raid --fault '*:delay=2ms'

done_testing
