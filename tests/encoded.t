# Links of download managers as operands: whatever reads takes them as the
# links they stand for.

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
is "mega-ls, too" "$(mega-ls "$(tail -n 1 old)")" /b
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

# A file in a public folder, with its own key and not the folder's.

export MEGA_TIMEOUT=3
mega-anon
mega-mkdir /d /mine
mega-put -q a b /d/ >/dev/null
folder=$(mega-link /d)
ph=$(expr "$folder" : '.*/folder/\(........\)')

# node PATH: the link of that kind.
node()
{
	key=$(mega-link "$1")
	echo "https://mega.nz/#N!$(mega-ls -jd "$1" | jq -r .handle)!${key#*#}=###n=$ph"
}
na=$(node /d/a)
nb=$(node /d/b)
mega-link -qd /d/a /d/b
mega-ls --session none "$na" >listed 2>err
is "mega-ls: a file of a folder whose key nobody has" "$(cat listed err)" /a
is "mega-ls -j: as the next program takes it" \
    "$(mega-ls --session none -j "$na" | jq -r '.name, .size, .link')" "a
300000
$na"
mega-ls --session none -j "$na" | mega-cat --session none - >c 2>err
same "and it does take it" a c
mkdir three
ok "mega-get" mega-get --session none -o three/ "$na" "$nb"
same "one" a three/a
same "the other" b three/b
for l in "$(echo "$nb" | sed 's/=###/###/')" \
    "$(echo "$nb" | sed 's/#N!/#!N?/')" "<$(echo "$nb" | sed 's/!/%21/g')>" \
    "mega://${nb#https://mega.nz/}"; do
	mega-cat --session none "$l" >c 2>err
	same "mega-cat: $(echo "$l" | sed 's/........................*=*/.../')" \
	    b c
done
is "mega-link -i" "$(mega-link -i --session none "$na" "$nb")" \
    "file 300000 1 0 a
file 17 1 0 b"
ok "mega-cp" mega-cp "$na" "$nb" /mine/
is "mega-cp: they are there" "$(mega-ls /mine | tr '\n' ' ')" \
    "/mine/a /mine/b "
mega-cat /mine/a >c
same "mega-cp: the data" a c
printf '%s\n%s\n' "$na" "$nb" >nodes
for o in -e -1 "-E --hidden"; do
	rm -f three/*
	ok "through mega-elc $o" sh -c \
	    "mega-elc $o <nodes | mega-get --session none -o three/ -"
	ok "through mega-elc $o: both" sh -c 'cmp a three/a && cmp b three/b'
done
rm three/*
exits 3 "no such file in the folder" mega-get --session none -o three/ \
    "$(echo "$na" | sed 's/#N!......../#N!AAAAAAAA/')"
exits 3 "no such folder" mega-get --session none -o three/ "${na%=*}=AAAAAAAA"
exits 10 "a wrong key" mega-get --session none -o three/ \
    "$(echo "$na" | sed 's/!\(........\)!...../!\1!AAAAA/')"
key=$(expr "$na" : '.*!\(.*\)=###')
is "a wrong key: is not shown" "$(grep -c -- "${key#?????}" .err)" 0
exits 2 "no key" mega-get --session none "#N!AAAAAAAA!=###n=$ph"
exits 2 "no folder" mega-get --session none "${na%=*}="
exits 2 "a path behind it" mega-get --session none "$na:/a"
exits 2 "it cannot be locked" mega-link --password-file b "$na"
is "nothing is left of those" "$(ls three)" ""
mega-link -d /d
exits 3 "the folder's link has ended" mega-cat --session none "$na"

done_testing
