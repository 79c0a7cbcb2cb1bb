#!/usr/bin/env perl
# model.pl MOUNTED REFERENCE SEED SECONDS: random operations in two
# folders, which have to succeed, fail and read alike.
#
# Prints the seed first and, on a difference, what the last operations were;
# ends with 1 then.
use strict;
use warnings;
use Errno;
use Fcntl qw(:DEFAULT :seek :mode);

my ($mounted, $reference, $seed, $seconds) = @ARGV;
my @sides = ($mounted, $reference);
my (@history, @open, $count);

print "# seed $seed\n";
srand($seed);
$| = 1;

sub pick { return $_[int(rand(@_))] }

sub fail
{
	print "# $_\n" for @history;
	print "# different after $count operations, seed $seed: $_[0]\n";
	exit 1;
}

# Do the same on both sides; the results (any text) and errors must agree.
sub both
{
	my ($what, $do) = @_;
	my @got;

	push @history, $what;
	shift @history if @history > 40;
	for my $side (0, 1) {
		$! = 0;
		my $r = $do->($side);
		$got[$side] = defined($r) ? "ok $r" : 'error ' . ($! + 0);
	}
	# POSIX lets the two mean the same.
	my ($exist, $full) = (Errno::EEXIST(), Errno::ENOTEMPTY());
	s/^error $exist$/error $full/ for @got;
	$history[-1] .= " = $got[1]";
	fail("$what: $got[0], not $got[1]") if $got[0] ne $got[1];
	return $got[1];
}

my @names = map { ("n$_", "n$_.txt") } 1 .. 6;
push @names, 'ü ñ', 'a (1).txt', '%2f', '.hidden', 'x' x 200;

# Some path, which may or may not exist, at most three folders deep.
sub path
{
	return join('/', map { 'd' . int(rand(3)) } 1 .. int(rand(3))) if
	    $_[0] && rand() < .3;
	return join('/', (map { 'd' . int(rand(3)) } 1 .. int(rand(3))),
	    $_[0] ? 'd' . int(rand(3)) : pick(@names));
}

sub data
{
	my $n = pick(0, 1, 10, 1000, 4096, 5000, 70000, 140000,
	    int(rand(400000)));
	my $unit = join('', map { chr(int(rand(256))) } 1 .. 61);

	return substr($unit x ($n / 61 + 1), 0, $n);
}

sub full { return "$sides[$_[0]]/$_[1]" }

sub slurp
{
	open(my $f, '<:raw', $_[0]) or return undef;
	local $/;
	my $text = <$f>;

	return undef if !defined($text) && $!;
	close($f) or return undef;
	return $text // '';
}

my %ops = (
	create => [12, sub {
		my ($p, $d) = (path(), data());
		both("create $p " . length($d), sub {
			sysopen(my $f, full($_[0], $p),
			    O_WRONLY | O_CREAT | O_TRUNC) or return undef;
			syswrite($f, $d) == length($d) or return undef;
			close($f) or return undef;
			return 1;
		});
	}],
	exclusive => [2, sub {
		my $p = path();
		both("create exclusively $p", sub {
			sysopen(my $f, full($_[0], $p),
			    O_WRONLY | O_CREAT | O_EXCL) or return undef;
			close($f) or return undef;
			return 1;
		});
	}],
	append => [5, sub {
		my ($p, $d) = (path(), data());
		both("append to $p " . length($d), sub {
			sysopen(my $f, full($_[0], $p),
			    O_WRONLY | O_APPEND) or return undef;
			syswrite($f, $d) == length($d) or return undef;
			close($f) or return undef;
			return 1;
		});
	}],
	patch => [8, sub {
		my ($p, $d, $at) = (path(), data(), int(rand(500000)));
		both("write into $p at $at " . length($d), sub {
			sysopen(my $f, full($_[0], $p), O_RDWR) or
			    return undef;
			sysseek($f, $at, SEEK_SET) or return undef;
			syswrite($f, $d) == length($d) or return undef;
			close($f) or return undef;
			return 1;
		});
	}],
	truncate => [4, sub {
		my ($p, $n) = (path(), int(rand(300000)));
		both("truncate $p $n", sub {
			my $path = full($_[0], $p);
			return -f $path ? truncate($path, $n) || undef :
			    'none';
		});
	}],
	read => [10, sub {
		my $p = path();
		both("read $p", sub {
			my $path = full($_[0], $p);
			return -f $path ? slurp($path) : 'none';
		});
		$history[-1] = "read $p";
	}],
	seek => [5, sub {
		my ($p, $at, $n) = (path(), int(rand(400000)),
		    int(rand(100000)));
		both("read $p at $at $n", sub {
			sysopen(my $f, full($_[0], $p), O_RDONLY) or
			    return undef;
			return 'folder' if -d $f;
			my $text = '';
			sysseek($f, $at, SEEK_SET) or return undef;
			defined(sysread($f, $text, $n)) or return undef;
			return $text;
		});
		$history[-1] = "read $p at $at $n";
	}],
	mkdir => [5, sub {
		my $p = path(1);
		return if $p eq '';
		both("mkdir $p", sub {
			return mkdir(full($_[0], $p)) || undef });
	}],
	rmdir => [2, sub {
		my $p = path(1);
		return if $p eq '';
		both("rmdir $p", sub {
			return rmdir(full($_[0], $p)) || undef });
	}],
	unlink => [5, sub {
		my $p = path();
		both("unlink $p", sub {
			my $path = full($_[0], $p);
			return -d $path ? 'folder' : unlink($path) || undef;
		});
	}],
	rename => [8, sub {
		my ($p, $q) = (path(), path());
		both("rename $p $q", sub {
			return rename(full($_[0], $p), full($_[0], $q)) ||
			    undef });
	}],
	movedir => [2, sub {
		my ($p, $q) = (path(1), path(1));
		return if $p eq '' || $q eq '';
		both("rename folder $p $q", sub {
			return rename(full($_[0], $p), full($_[0], $q)) ||
			    undef });
	}],
	times => [4, sub {
		my ($p, $t) = (path(), 1000000000 + int(rand(500000000)));
		both("touch $p $t", sub {
			my $path = full($_[0], $p);
			utime($t, $t, $path) or return undef;
			return (stat($path))[9];
		});
	}],
	stat => [8, sub {
		my $p = path(rand() < .5);
		both("stat $p", sub {
			my @st = stat(full($_[0], $p)) or return undef;
			return S_ISDIR($st[2]) ? "folder $st[3]" :
			    "file $st[7]";
		}) if $p ne '';
	}],
	list => [4, sub {
		my $p = path(1);
		both("list $p", sub {
			opendir(my $d, full($_[0], $p)) or return undef;
			return join(' ', sort readdir($d));
		});
	}],
	open => [4, sub {
		my $p = path();
		return if @open >= 5;
		my @f;
		my $r = both("open $p and keep it", sub {
			return 'folder' if -d full($_[0], $p);
			sysopen($f[$_[0]], full($_[0], $p),
			    O_RDWR | O_CREAT) or return undef;
			return 1;
		});
		push @open, [@f, $p] if $r eq 'ok 1';
	}],
	kept => [12, sub {
		my $o = pick(@open) or return;
		my ($d, $at) = (data(), int(rand(300000)));
		if (rand() < .5) {
			both("write to open $o->[2] at $at " . length($d),
			    sub {
				sysseek($o->[$_[0]], $at, SEEK_SET);
				return syswrite($o->[$_[0]], $d);
			});
		} elsif (rand() < .3) {
			both("cut open $o->[2] at $at", sub {
				return truncate($o->[$_[0]], $at) || undef });
		} elsif (rand() < .3) {
			both("flush open $o->[2]", sub {
				require IO::Handle;
				return defined($o->[$_[0]]->sync) || undef });
		} else {
			both("read open $o->[2] at $at", sub {
				my $text = '';
				sysseek($o->[$_[0]], $at, SEEK_SET);
				return defined(sysread($o->[$_[0]], $text,
				    100000)) ? $text : undef;
			});
			$history[-1] = "read open $o->[2] at $at";
		}
	}],
	size => [4, sub {
		my $o = pick(@open) or return;
		both("size of open $o->[2]", sub {
			return (stat($o->[$_[0]]))[7] });
	}],
	close => [4, sub {
		return if !@open;
		my $o = splice(@open, int(rand(@open)), 1);
		both("close $o->[2]", sub {
			return close($o->[$_[0]]) || undef });
	}],
);
my @bag = map { ($_) x $ops{$_}->[0] } sort keys %ops;

# Everything below a folder, as text.
sub walk
{
	my ($dir, $rel, $out) = @_;

	opendir(my $d, $dir) or fail("$dir: $!");
	for my $e (sort grep { !/^\.\.?$/ } readdir($d)) {
		my $p = "$dir/$e";
		if (-d $p) {
			push @$out, "$rel$e/";
			walk($p, "$rel$e/", $out);
		} else {
			my $text = slurp($p);
			fail("cannot read $p: $!") if !defined($text);
			push @$out, "$rel$e " . length($text) . ' ' .
			    unpack('%32C*', $text);
		}
	}
}

sub compare
{
	my (@a, @b);

	walk($sides[0], '', \@a);
	walk($sides[1], '', \@b);
	for my $i (0 .. (@a > @b ? $#a : $#b)) {
		my ($x, $y) = ($a[$i] // 'nothing', $b[$i] // 'nothing');
		fail("$x, not $y") if $x ne $y;
	}
}

my $end = time() + $seconds;
for ($count = 0; time() < $end; $count++) {
	$ops{pick(@bag)}->[1]->();
	compare() if $count % 200 == 199;
}
while (my $o = shift @open) {
	both("close $o->[2]", sub { return close($o->[$_[0]]) || undef });
}
compare();
print "# $count operations\n";
