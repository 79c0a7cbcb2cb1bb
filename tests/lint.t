# The manual pages: clean, complete, one for each program.

. tests/lib.sh

command -v mandoc >/dev/null || skip_all "mandoc is not installed"

for page in "$SRC"/man/*.[157]; do
	exits 0 "lint ${page##*/}" mandoc -T lint -W warning "$page"
	sed 's/^/# /' "$T/.out"
done

for prog in "$SRC"/cmd/mega-*; do
	name=${prog##*/}
	name=${name%.c}
	page=$SRC/man/$name.1
	ok "$name has a page" test -s "$page"
	for section in "EXIT STATUS" EXAMPLES; do
		ok "$name(1) has $section" grep -q "^.Sh $section" "$page"
	done
	ok "$name has a test of its own" test -s "$SRC/tests/$name.t"
	"$BUILD/$name" --help >help 2>help.err
	is "$name --help ends with 0" $? 0
	is "$name --help is silent on stderr" "$(cat help.err)" ""
	# Every long option that --help names is in the page.
	missing=
	for o in $(grep -oE '^ +(-[a-z0-9A-Z], )?--[a-z-]+' help |
	    grep -oE '[-][-][a-z-]+$'); do
		case $o in --help|--version) continue;; esac
		sed 's/\\-/-/g' "$page" |
		    grep -Eq -- "(Fl Fl |-)${o#--}([^a-z-]|$)" ||
		    missing="$missing $o"
	done
	is "$name(1) names all options" "$missing" ""
	"$BUILD/$name" --no-such-option >usage 2>usage.err
	is "$name: a wrong option ends with 2" $? 2
	is "$name: and prints nothing on stdout" "$(cat usage)" ""
	is "$name: one line on stderr" "$(wc -l <usage.err | tr -d ' ')" 1
done

done_testing
