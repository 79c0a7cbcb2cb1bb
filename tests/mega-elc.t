# mega-elc: links and containers both ways, the client of account servers
# against one that misbehaves, and the server below real web servers.

. tests/lib.sh

KEY43=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8
KEY22=AAECAwQFBgcICQoLDA0ODw
FILE=https://mega.nz/file/AbCdEfGh#$KEY43
FOLDER=https://mega.nz/folder/FoLdEr01#$KEY22
NODE="https://mega.nz/#N!NoDeHnd1!$KEY43=###n=FoLdEr01"
DATA=EBESExQVFhcYGRobHB0eHyAhIiMkJSYn
CORPUS=$SRC/tests/fuzz/corpus
HIDDEN=$(cat "$CORPUS/elc/hidden")
ENC=$(cat "$CORPUS/megalink/enc")
ENC2=$(cat "$CORPUS/megalink/enc2")
FENC=$(cat "$CORPUS/megalink/fenc")
FENC2=$(cat "$CORPUS/megalink/fenc2")

# input TEXT COMMAND...: the command with that on its standard input.
input()
{
	printf '%b' "$1" >"$T/.in"
	shift
	"$@" <"$T/.in"
}

# Decoding.

is "all kinds, one a line" "$(input "<a href='$ENC'>x</a> $FENC2,
mega://#!AbCdEfGh!$KEY43\n\nmega://https://mega.co.nz/#F!FoLdEr01!$KEY22
(mega://elc?$HIDDEN). $FENC:$ENC2\r\n" mega-elc)" "$FILE
$FOLDER
$FILE
$FOLDER
$FILE
$FOLDER
$FOLDER
$FILE"
is "a link as an operand" "$(mega-elc "$(cat "$CORPUS/megalink/node")")" \
    "$NODE"
is "text without links gives nothing" "$(input 'no mega: links' mega-elc)" ""

printf '%s' "$HIDDEN" >bare.elc
printf '\357\273\277%s\r\n' "$HIDDEN" >bom.elc
printf 'mega://elc?%s' "$HIDDEN" >link.elc
printf 'mega://elc?mega://elc?%s\n' "$HIDDEN" >twice.elc
printf 'first\nmega://elc?%s\nthen mega:elc/?%s.' "$HIDDEN" "$HIDDEN" >text.elc
printf 'nothing here\n' >none.elc
: >empty.elc
for f in bare bom link twice; do
	is "$f.elc" "$(mega-elc $f.elc)" "$FILE
$FOLDER"
done
is "text.elc" "$(mega-elc text.elc)" "$FILE
$FOLDER
$FILE
$FOLDER"
exits 1 "a file .elc without a container" mega-elc none.elc bare.elc empty.elc
says "is told" "none.elc: no container"
is "and stops nothing" "$(cat .out)" "$FILE
$FOLDER"
exits 12 "a file that is not there" mega-elc nowhere
for f in marker links-too-long url-negative token-cut crc half-block; do
	exits 1 "refused without asking anybody: $f" \
	    mega-elc "mega://elc?$(cat "$CORPUS/elc/$f")"
	is "and nothing is printed" "$(cat .out)" ""
done
exits 4 "a container without an account" mega-elc "$CORPUS/elc/raw"
says "names its server" "no account for the server http://test.com/elc"
exits 10 "a link that does not decrypt" \
    input 'x\nmega://enc2?AAAAAAAAAAAAAAAAAAAAAA' mega-elc
says "is told with its line" "^mega-elc: -:2: enc2 link: "
exits 1 "what only its operator can open" \
    input 'http://c.example/!AAAA!01234567 mega://senc?x' mega-elc
says "is told by name" "MegaCrypter link: only the server"
says "as is a kind nobody knows" "unknown link"
exits 0 "an odd key" input 'mega://#!AbCdEfGh!AAAA' mega-elc
says "is noted" "a key of 4 characters, not 43"
exits 0 "configelc" input "$(cat "$CORPUS/megalink/config")" mega-elc
says "is reported" "configelc link for user User Name of http://test.com/elc"
is "but not its key" "$(grep -c Api .err)" 0

is "-j" "$(input "x\n$ENC" mega-elc -j)" \
    "{\"link\":\"$FILE\",\"type\":\"file\",\"kind\":\"enc\",\"origin\":\
\"$ENC\",\"file\":\"-\",\"line\":2}"
input "x\n$ENC\n$(cat "$CORPUS/megalink/config")" mega-elc -j >objects 2>/dev/null
conforms "-j: as documented" objects
exits 1 "-j and a failure" mega-elc -j "$CORPUS/elc/crc"
conforms "-j and a failure: as documented" .err
says "-j tells it as an object" '^{"error":{"operand":".*crc:1: elc link"'

# A word of 3 MiB, then a link.
{ head -c 3145728 /dev/zero | tr '\0' A; echo; echo "$ENC"; } >long
exits 1 "a word longer than any link" mega-elc long
is "does not hide the next" "$(cat .out)" "$FILE"
exits 12 "a full disk" sh -c "echo '$ENC' | mega-elc >/dev/full"

# Encoding.

is "-e" "$(input "$FILE\n$FOLDER\n" mega-elc -e)" "$ENC2
$FENC2"
is "-1" "$(input "$FILE\n$FOLDER\n" mega-elc -1)" "$ENC
$FENC"
is "-e of a node, and of JSON" "$(input "$NODE\n{\"link\":\"$FILE\"}\n" \
    mega-elc -e)" "$(cat "$CORPUS/megalink/node")
$ENC2"
is "-e of what is encoded" "$(mega-elc -e "$ENC" "mega://elc?$HIDDEN")" \
    "$ENC2
$ENC2
$FENC2"
exits 0 "-e of a link that has been cut" mega-elc -e "$FILE" "${FILE%??}"
is "is noted" "$(cat .err)" \
    "mega-elc: link 2: a key of 41 characters, not 43"
exits 1 "-e of something else" mega-elc -e http://example.com/ "$FILE"
is "stops nothing" "$(cat .out)" "$ENC2"
exits 2 "-e of a node in a folder" mega-elc -e "$FOLDER/file/NoDeHnd1"
exits 2 "-e and -E" mega-elc -e -E

is "-E --hidden" "$(input "$FILE\n$FOLDER\n$NODE" mega-elc -E --hidden |
    mega-elc)" "$FILE
$FOLDER
$NODE"
input "$FILE" mega-elc -E --hidden --bare >made.elc
is "--bare" "$(mega-elc made.elc)" "$FILE"
is "is bare" "$(grep -c mega made.elc)" 0
exits 1 "-E with one bad link" \
    input "$FILE\nnonsense" mega-elc -E --hidden
is "makes no container" "$(cat .out)" ""
exits 4 "-E without an account" input "$FILE" mega-elc -E
is "an empty list" "$(input '' mega-elc -E --hidden | mega-elc)" ""

perl -e 'srand 7; my @a = ("A".."Z", "a".."z", 0..9, "-", "_");
	sub any { join "", map { $a[rand @a] } 1..$_[0] }
	print "https://mega.nz/", ("file/" . any(8) . "#" . any(43),
	    "folder/" . any(8) . "#" . any(22),
	    "#N!" . any(8) . "!" . any(43) . "=###n=" . any(8))[$_ % 3], "\n"
	    for 1..1000' >many
for o in -e -1 "-E --hidden" "-E --hidden --bare"; do
	mega-elc $o - <many >made.elc
	mega-elc made.elc >many.back
	same "$o: a thousand links come back" many.back many
done

# Accounts.

C='mega://configelc?https%3A%2F%2Fone.example%2Felc:ann:k%3A1:One'
exits 4 "--add asks, and needs somebody" setsid mega-elc --add "$C"
ok "--add --yes" mega-elc --yes --add "$C"
is "the file is private" "$(stat -c %a "$XDG_CONFIG_HOME/megapipe/elc.json")" \
    600
ok "--add -: two" input "some text $C and <a href=\"mega://configelc?http\
%3A%2F%2Ftwo.example%2F:b+c:key:Number%20two\">" mega-elc --yes --add -
says "warns about http" "two.example.*without https"
is "--list" "$(mega-elc --list)" "One	https://one.example/elc	ann
Number two	http://two.example/	b c"
is "--list -j" "$(mega-elc --list -j | head -n 1)" \
    '{"alias":"One","url":"https://one.example/elc","user":"ann"}'
mega-elc --list -j >objects
conforms "--list -j: as documented" objects
is "--show-config" "$(mega-elc --show-config One)" "$C"
exits 9 "an alias of another URL" mega-elc --yes --add \
    'mega://configelc?https%3A%2F%2Fthree.example:a:b:One'
is "no message repeats the key" "$(grep -c configelc .err)" 0
exits 2 "no link at all" mega-elc --yes --add nonsense
exits 3 "--remove of nobody" mega-elc --remove Nobody
ok "--remove" mega-elc --remove One
exits 2 "http to another machine" input "$FILE" mega-elc -E
says "is refused" "two.example.*--allow-http"
ok "--remove" mega-elc --remove "Number two"
is "none is left" "$(mega-elc --list)" ""

# A server that answers by its path, and writes down what it was asked.

cat >fake.pl <<'EOF'
use strict;
use IO::Socket::INET;
$SIG{PIPE} = 'IGNORE'; # of a reply that is too long for the client
my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die;
my $port = $s->sockport;
my %key;
$| = 1;
print "$port\n";
close STDOUT;
my %answer = (
	err => '{"e":"no \u001b[31m such \n user","d":""}',
	empty => '{"e":"","d":""}',
	none => '{}',
	html => '<html>',
	wrong => '{"e":"","d":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}',
	short => '{"e":"","d":"AAAA"}',
	big => '{"e":"","d":"' . 'A' x 100000 . '"}',
);
my %to = (
	away => "http://localhost:$port/ok",
	port => 'http://127.0.0.1:1/ok',
	scheme => "https://127.0.0.1:$port/ok",
	path => '/ok', url => "HTTP://127.0.0.1:$port/ok",
	loop => '/loop', slashes => "//localhost:$port/ok",
	user => "http://a\@127.0.0.1:$port/ok", moved => '/ok',
);
while (my $c = $s->accept) {
	my ($head, $body) = ('', '');
	while (my $l = <$c>) {
		$head .= $l;
		last if $l eq "\r\n";
	}
	read $c, $body, $1 if $head =~ /content-length: (\d+)/i;
	my ($path) = $head =~ m{^POST /([^ ]*) };
	my $type = $head =~ m{^content-type: (\S+)}mi ? $1 : '';
	open my $log, '>>', 'fake.log';
	print $log "$path $type $body\n";
	close $log;
	my ($status, $reply, $more) = ('200 OK', '', '');
	if ($body =~ /^OPERATION_TYPE=E&DATA=([^&]*)/) {
		$key{last} = $1 =~ s/%(..)/chr hex $1/egr;
		$reply = '{"e":"","d":"a+b/c d"}';
	} elsif ($to{$path}) {
		$status = $path eq 'moved' ? '301 Moved' : '307 Elsewhere';
		$more = "Location: $to{$path}\r\n";
	} elsif ($path =~ /^(4|5)../) {
		$status = $path;
	} else {
		$reply = $answer{$path} // qq({"d":"$key{last}","e":""});
	}
	print $c "HTTP/1.1 $status\r\nContent-Length: ", length $reply,
	    "\r\n${more}Connection: close\r\n\r\n$reply";
	close $c;
}
EOF
mkfifo port
perl fake.pl >port &
servers="$servers $!"
read -r PORT <port

# container PATH: one with a link, from that server, in $T/c.elc.
container()
{
	input "mega://configelc?http%3A%2F%2F127.0.0.1%3A$PORT%2F$1:us%20er:\
k%26%2B%C3%A9:$1" mega-elc -q --yes --add - &&
	    input "$FILE" mega-elc -E --account "${2:-$1}" >c.elc &&
	    : >fake.log
}

ok "-E asks the server" container ok
is "its container opens" "$(mega-elc c.elc)" "$FILE"
is "the request is a form, escaped" "$(cat fake.log)" \
    "ok application/x-www-form-urlencoded OPERATION_TYPE=D&DATA=a%2bb%2fc+d\
&USER=us+er&APIKEY=k%26%2b%c3%a9"
for path in path url; do
	ok "a container of /$path" container $path
	is "307 to the same host is followed" "$(mega-elc c.elc)" "$FILE"
done
for path in away port scheme slashes user moved; do
	ok "a container of /$path" container $path
	exits 11 "a redirect elsewhere is not followed" mega-elc c.elc
	is "only the account's own URL was asked" "$(wc -l <fake.log)" 1
done
container loop
exits 11 "nor one in a circle" mega-elc c.elc
container err
exits 11 "the server's error" mega-elc c.elc
says "is shown, escaped" 'it says: no \\x1b\[31m such \\n user$'
for path in empty none html short big; do
	container $path
	exits 1 "a useless reply: $path" mega-elc c.elc
done
container wrong
exits 10 "a key that is not this container's" mega-elc c.elc
container 500
exits 5 "status 500" mega-elc c.elc
container 404
exits 11 "status 404" mega-elc c.elc

ok "a container of another URL" container "ok%3Fx%3D1" "ok?x=1"
mega-elc --remove "ok?x=1"
exits 4 "an account of the same host, but not URL" mega-elc c.elc
is "nothing was sent" "$(cat fake.log)" ""

# The server page.  Its requests are spelled by hand, as the two clients that
# exist spell them.

cat >post.pl <<'EOF'
use strict;
use IO::Socket::INET;
my ($port, $path, $body, $expect) = @ARGV;
my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or die;
print $c "POST $path HTTP/1.1\r\nHost: 127.0.0.1:$port\r\n",
    "Content-Type: application/x-www-form-urlencoded\r\n",
    "Content-Length: ", length $body, "\r\n",
    $expect ? "Expect: 100-continue\r\n" : "", "Connection: close\r\n\r\n";
if ($expect) {
	my $l = <$c>;
	die "no 100 Continue: $l" if $l !~ /^HTTP\/1.1 100/;
	$l = <$c>;
}
print $c $body;
local $/;
my ($head, $answer) = split /\r\n\r\n/, <$c>, 2;
print STDERR "$head\n";
print $answer;
EOF
cat >free.pl <<'EOF'
use IO::Socket::INET;
print IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport;
EOF

# post PATH BODY [EXPECT]
post()
{
	perl post.pl "$WEB" "$@" 2>.head
}

# field NAME: of the JSON on standard input.
field()
{
	sed "s/.*\"$1\":\"\\([^\"]*\\)\".*/\\1/"
}

# recipe NAME: the manual's configuration for a web server, with our paths.
recipe()
{
	sed -n "/^$1/,/^\.Ed/p" "$SRC/man/mega-elc.1" |
	    sed "1,/^\.Bd/d; /^\.Ed/d
	s|/usr/local/lib/megapipe/elc.cgi|$T/web/elc.cgi|
	s|/run/fcgiwrap.socket|$T/fcgiwrap.socket|"
}

# What a server that has begun to listen must answer: its NAME, the path of
# the page, that of a page with a low rate, and whether it can Expect.
check_server()
{
	P=$2
	login="USER=ann&APIKEY=$APIKEY"
	post "$P" "OPERATION_TYPE=E&DATA=$DATA&$login" ${4:-} >.reply
	is "$1: E" "$(field e <.reply)" ""
	token=$(field d <.reply)
	is "$1: a token needs no escaping" \
	    "$(printf %s "$token" | tr -d 'A-Za-z0-9_-' | wc -c)" 0
	ok "$1: a JSON type" grep -qi '^content-type: application/json' .head
	ok "$1: status 200" grep -q '^HTTP/1.[01] 200' .head
	is "$1: D, as MegaBasterd sends it" "$(post "$P" \
	    "OPERATION_TYPE=D&DATA=$token&$login")" \
	    "{\"e\":\"\",\"d\":\"$DATA\"}"
	is "$1: D, in another order" "$(post "$P" \
	    "APIKEY=$APIKEY&x=y&USER=ann&DATA=$token&OPERATION_TYPE=D")" \
	    "{\"e\":\"\",\"d\":\"$DATA\"}"
	is "$1: an old token, escaped as MegaDownloader does" "$(post "$P" \
	    "OPERATION_TYPE=D&DATA=AAECAwQFBgcICQoLDA0ODy19GdK%2fusQBeOe90a\
iHnR6YNa0d5hHfyEooAQlh27%2fs&$login" ${4:-})" \
	    "{\"e\":\"\",\"d\":\"$DATA\"}"
	is "$1: an old token with a plus, unescaped" "$(post "$P" \
	    "OPERATION_TYPE=D&DATA=AAAAAAAAAAAAAAAAAAAAAVn7BTYhoCytqLk4fBAX\
uOh1dOBAT6Bxm+GCKsWDG+MM&$login")" "{\"e\":\"\",\"d\":\"$DATA\"}"
	for bad in "OPERATION_TYPE=C&DATA=$DATA&$login" \
	    "OPERATION_TYPE=E&DATA=short&$login" \
	    "OPERATION_TYPE=D&DATA=x$token&$login" \
	    "OPERATION_TYPE=D&DATA=$token&USER=ann&APIKEY=x$APIKEY" \
	    "OPERATION_TYPE=D&DATA=$token&USER=bob&APIKEY=$APIKEY" \
	    "OPERATION_TYPE=D&DATA=$token" x; do
		post "$P" "$bad" >.reply
		ok "$1: an error is 200, too" grep -q '^HTTP/1.[01] 200' .head
		is "$1: with e alone" "$(sed 's/"e":"[^"]\{10,\}"/E/' .reply)" \
		    '{E,"d":""}'
	done
	head -c 70000 /dev/zero | tr '\0' x >big
	is "$1: a body too large" \
	    "$(post "$P" "$(cat big)" | grep -c '"d":"[^"]')" 0
	is "$1: GET is refused" "$(curl -s -o .reply -w '%{http_code}' \
	    "http://127.0.0.1:$WEB$P")" 405
	is "$1: in JSON" "$(field d <.reply)" ""

	mega-elc --db users.db --user-config ann --alias web \
	    --url "http://127.0.0.1:$WEB$P" >config
	ok "$1: the configelc link" mega-elc -q --yes --add - <config
	is "$1: there and back" "$(input "$FILE\n$NODE" mega-elc -E --account web |
	    mega-elc)" "$FILE
$NODE"
	mega-elc --remove web

	# The rate is counted by the minute: not across the end of one.
	[ "$(date +%S)" -lt 50 ] || sleep 11
	key=$(mega-elc --db slow.db --user-add "$1")
	for i in 1 2 3 4; do
		post "$3" "OPERATION_TYPE=E&DATA=$DATA&\
USER=$1&APIKEY=$key" >.reply
		echo "<$(field e <.reply)>"
	done >.replies
	is "$1: a user may ask as often as the rate says" "$(cat .replies)" \
	    "<>
<>
<>
<Too many requests; try again in a minute>"
}

# listening PORT: wait until somebody does.
listening()
{
	n=0
	until perl -MIO::Socket::INET -e 'exit !IO::Socket::INET->new(
	    PeerAddr => "127.0.0.1:'"$1"'")' 2>/dev/null; do
		n=$((n + 1))
		[ $n -lt 100 ] || return 1
		sleep 0.1
	done
}

APIKEY=$(mega-elc --db users.db --user-add ann)
CARLKEY=$(mega-elc --db users.db --user-add carl)
is "the database is private" "$(stat -c %a users.db)" 600
exits 9 "a user twice" mega-elc --db users.db --user-add ann
exits 2 "a name that would need escaping" mega-elc --db users.db --user-add a+b
exits 12 "no database" mega-elc --db nowhere.db --user-list
exits 12 "something else" mega-elc --db none.elc --user-list
is "--user-list" "$(mega-elc --db users.db --user-list | cut -f 1,3,4)" \
    "ann	1	active
carl	1	active"
is "the API key is in no file" "$(cat users.db* | grep -c -- "$APIKEY")" 0
printf '%s\n' "$APIKEY" >key
is "--key-file" "$(mega-elc --db users.db --user-config ann --url http://h/ \
    --key-file - <key)" "mega://configelc?http%3A%2F%2Fh%2F:ann:$APIKEY"
exits 4 "of somebody else" mega-elc --db users.db --user-config carl \
    --url http://h/ --key-file - <key
exits 3 "a link for nobody" mega-elc --db users.db --user-config bob \
    --url http://h/
exits 2 "a URL that is none" mega-elc --db users.db --user-config ann --url h
mega-elc --db users.db --user-config ann --url 'http://h/?a&b' --html \
    --key-file - <key >page
ok "--html: the URL, escaped" grep -q '<code>http://h/?a&#38;b</code>' page
ok "--html: the key" grep -q "<code>$APIKEY</code>" page
ok "--html: the link" grep -q "<a href=\"mega://configelc?http%3A%2F%2Fh%2F\
%3Fa%26b:ann:$APIKEY\">" page

printf 'PutYourPasswordHere!!\n' >password
chmod 600 password
mkdir -p web/cgi-bin empty
for dir in web web/cgi-bin; do
	cat >$dir/elc.cgi <<-EOF
	#!/bin/sh
	exec $BUILD/mega-elc --cgi --db $T/users.db --log $T/cgi.log \
	    --legacy-password-file $T/password --rate 1000
	EOF
	cat >$dir/elc-slow.cgi <<-EOF
	#!/bin/sh
	exec $BUILD/mega-elc --cgi --db $T/slow.db --log $T/cgi.log --rate 3
	EOF
	chmod 755 $dir/elc.cgi $dir/elc-slow.cgi
done

if command -v lighttpd >/dev/null; then
	WEB=$(perl free.pl)
	{
		cat <<-EOF
		server.document-root = "$T/empty"
		server.port = $WEB
		server.bind = "127.0.0.1"
		EOF
		recipe lighttpd
		recipe lighttpd | sed '1,2d; s/"\/elc"/"\/slow"/
		s/elc\.cgi/elc-slow.cgi/'
	} >lighttpd.conf
	lighttpd -D -f lighttpd.conf >lighttpd.log 2>&1 &
	servers="$servers $!"
	listening "$WEB"
	check_server lighttpd /elc /slow expect
else
	skip "the server below lighttpd" "lighttpd is not installed"
fi
if command -v nginx >/dev/null && command -v fcgiwrap >/dev/null &&
    [ -e /etc/nginx/fastcgi_params ]; then
	WEB=$(perl free.pl)
	cp /etc/nginx/fastcgi_params .
	{
		[ "$(id -u)" -ne 0 ] || echo 'user root root;'
		cat <<-EOF
		daemon off;
		pid $T/nginx.pid;
		error_log $T/nginx.log;
		events {}
		http {
		access_log off;
		client_body_temp_path $T/nginx.tmp;
		fastcgi_temp_path $T/nginx.tmp;
		proxy_temp_path $T/nginx.tmp;
		scgi_temp_path $T/nginx.tmp;
		uwsgi_temp_path $T/nginx.tmp;
		server {
		listen 127.0.0.1:$WEB;
		EOF
		recipe nginx
		recipe nginx | sed 's/\/elc {/\/slow {/; s/elc\.cgi/elc-slow.cgi/'
		echo '} }'
	} >nginx.conf
	fcgiwrap -s "unix:$T/fcgiwrap.socket" &
	servers="$servers $!"
	await test -S fcgiwrap.socket
	nginx -p "$T" -c "$T/nginx.conf" -e "$T/nginx.log" &
	servers="$servers $!"
	listening "$WEB"
	check_server nginx /elc /slow expect
else
	skip "the server below nginx" "nginx or fcgiwrap is not installed"
fi
if command -v busybox >/dev/null && busybox --list | grep -qx httpd; then
	WEB=$(perl free.pl)
	busybox httpd -f -p "127.0.0.1:$WEB" -h web &
	servers="$servers $!"
	listening "$WEB"
	check_server busybox /cgi-bin/elc.cgi /cgi-bin/elc-slow.cgi
else
	skip "the server below busybox httpd" "busybox is not installed"
fi

if [ -s cgi.log ]; then
	ok "the log tells who did what" grep -Eq '^[0-9T:Z-]+ 127.0.0.1 user=ann '\
'op=E ok$' cgi.log
	is "but holds no secret" "$(grep -cE "$APIKEY|$CARLKEY|$DATA|AAEC" \
	    cgi.log)" 0
fi

# Without a web server: what a broken set-up says.
cgi()
{
	printf 'USER=a&APIKEY=b' | env REQUEST_METHOD=POST CONTENT_LENGTH=15 \
	    REMOTE_ADDR="$1" mega-elc --cgi --db "$2"
}
is "no database" "$(cgi ::1 nowhere.db 2>.err | tail -n 1)" \
    '{"e":"The server is out of order; tell its operator","d":""}'
says "is in the log alone" "user=a op=- fault: nowhere.db"
chmod 644 users.db
is "nor one for everybody to read" "$(cgi ::1 users.db 2>.err | tail -n 1)" \
    '{"e":"The server is out of order; tell its operator","d":""}'
chmod 600 users.db
cgi 2001:db8:1:2:3:4:5:6 users.db >.out 2>.err
says "addresses of one network count as one" " 2001:db8:1:2:: user=a"

ok "--user-revoke" mega-elc --db users.db --user-revoke ann
is "its keys are gone" "$(mega-elc --db users.db --user-list | head -n 1 |
    cut -f 1,3,4)" "ann	0	revoked"
exits 3 "twice" mega-elc --db users.db --user-revoke ann
ok "a user may come back" mega-elc --db users.db --user-add ann
exits 4 "but not with an old key" mega-elc --db users.db --user-config ann \
    --url http://h/ --key-file - <key

done_testing
