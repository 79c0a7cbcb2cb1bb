#!/bin/sh
# mega-sync with many files: killed and run again, changed, and measured.

. tests/lib.sh

files=${SOAK_FILES:-50000}
folders=100
changes=1000
kills=5
seed=${SOAK_SEED:-$(date +%s)}
echo "# seed $seed"
serve -d "$T/state"
mega-anon || skip_all "no account"

# Each file has its own number in it, and its own time.
mkdir src
perl -e 'my ($files, $folders) = @ARGV;
	for my $d (0 .. $folders - 1) {
		mkdir "src/$d" or die;
		for (my $i = $d; $i < $files; $i += $folders) {
			open my $f, ">", "src/$d/$i" or die;
			printf $f "%0100d", $i;
			close $f;
			utime 1e9 + $i, 1e9 + $i, "src/$d/$i";
		}
	}' "$files" $folders
total=$((files * 100))

# change SEED: edits that keep the size, and some the time, too; files and
# folders that come and go.
change()
{
	perl -e 'my ($seed, $n, $files, $folders) = @ARGV;
		srand $seed;
		for (1 .. $n) {
			my $i = int rand $files;
			my $f = "src/" . $i % $folders . "/$i";
			my $what = rand;
			if ($what < 0.2) {
				unlink $f;
			} elsif ($what < 0.3) {
				mkdir "src/new$i";
				open my $o, ">", "src/new$i/x" or die;
				print $o $i;
			} elsif (-e $f) {
				my $t = (stat $f)[9];
				open my $o, "+<", $f or die;
				printf $o "%06d", rand 1e6;
				close $o;
				utime $t, $t, $f if $what < 0.5;
			}
		}
		system "rm", "-rf", "src/" . int rand $folders' \
	    "$1" $changes "$files" $folders
}

# killed WAY COMMAND...: killed a few times on its way, and then let finish.
# The most memory it had then, KiB, is in memory.
killed()
{
	kind=$1
	shift
	: >serve.log
	for n in $(seq $kills); do
		"$@" >/dev/null &
		pid=$!
		while [ "$(grep -c "\"$kind\"" serve.log)" -lt \
		    $((files * n / kills / 2)) ] && kill -0 $pid 2>/dev/null
		do
			sleep 0.1
		done
		kill -9 $pid
		wait $pid 2>/dev/null
	done
	"$@" >/dev/null &
	pid=$!
	peak $pid >memory
	wait $pid
}

# equal NAME: what is sent and what is fetched of it are the same.
equal()
{
	diff -r src got >.diff 2>&1
	result $? "$1"
	head -n 5 .diff | sed 's/^/# /'
}

killed up mega-sync up src /many
is "up: succeeds" $? 0
settle
again=$(($(moved up) - total))
echo "# up: $again bytes of $total again"
result $((again > kills * 400 * 100)) "up: little is sent again"
echo "# up: $(cat memory) KiB"
result $(($(cat memory) > 65536)) "up: in less than 64 MiB"
: >serve.log
mega-sync up src /many &
pid=$!
peak $pid >memory
wait $pid
is "up again: succeeds" $? 0
settle
is "up again: sends nothing" "$(asked p) $(moved up)" "0 0"
echo "# up again: $(cat memory) KiB"
result $(($(cat memory) > 65536)) "up again: in less than 64 MiB"

killed dl mega-sync down /many got
is "down: succeeds" $? 0
settle
again=$(($(moved dl) - total))
echo "# down: $again bytes of $total again"
result $((again > kills * 400 * 100)) "down: little is fetched again"
echo "# down: $(cat memory) KiB"
result $(($(cat memory) > 65536)) "down: in less than 64 MiB"
nothing_left "down: nothing is left behind" got
equal "down: the trees are equal"

for i in 1 2 3; do
	change $((seed + i))
	ok "changes $i: up" mega-sync up --delete src /many
	ok "changes $i: down" mega-sync down --delete /many got
	equal "changes $i: the trees are equal"
	: >serve.log
	ok "changes $i: up again" mega-sync up --delete src /many
	ok "changes $i: down again" mega-sync down --delete /many got
	settle
	is "changes $i: nothing is moved then" "$(moved up) $(moved dl)" "0 0"
done
done_testing
