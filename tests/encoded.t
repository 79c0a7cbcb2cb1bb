# Encoded links as operands: mega-get, mega-cat and mega-link -i take them as
# the links they stand for.

. tests/lib.sh

serve
gen 300000 >a
gen 17 2 >b
mega-anon a b >links 2>err || { cat err; exit 1; }
mega-elc -e <links >encoded
is "two encoded links" "$(grep -c '^mega://enc2?' encoded)" 2
mega-elc -1 -e <links >old
is "and two in the old form" "$(grep -c '^mega://enc?' old)" 2

mkdir one two
ok "mega-get takes an encoded link" mega-get -o one/ "$(head -n 1 encoded)"
same "and gets the file" a one/a
ok "several from standard input, in any form" \
    sh -c '(head -n 1 old; tail -n 1 encoded) | mega-get -o two/ -'
same "the first" a two/a
same "and the second" b two/b
mega-cat "$(tail -n 1 old)" >c
same "mega-cat, too" b c
is "mega-link -i tells what is behind one" \
    "$(mega-link -i "$(head -n 1 encoded)")" "file 300000 1 0 a"
is "with an ordinary link in JSON" \
    "$(mega-link -ij "$(head -n 1 encoded)" | jq -r .link)" \
    "$(head -n 1 links)"

exits 2 "one that cannot be decoded" mega-get 'mega://enc2?AAAA'
says "is named without its contents" 'mega://enc2'
exits 2 "nor a container that is none" mega-get 'mega://elc?AAAA'
exits 3 "among them one that is gone" sh -c '
	key=$(sed -n "1s/.*#//p" links)
	echo "https://mega.nz/file/AAAAAAAA#$key" | mega-elc -e |
	    mega-get -o gone -'
ok "nothing is left of it" test ! -e gone

done_testing
