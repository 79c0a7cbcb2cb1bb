#!/bin/sh
# stress.sh FOLDER SECONDS: stress-ng's stressors of file systems, those that
# need nothing which the service does not have (links, devices, owners), as
# many as there are seconds.

command -v stress-ng >/dev/null || exit 77
dir=$1/stress.$$
mkdir "$dir" || exit 1
n=0
for s in rename hdd filename dentry dir dirdeep dirmany fstat getdent open \
    readahead seek fallocate iomix; do
	opts=
	case $s in
	dentry) opts="--dentries 64";;
	dirdeep) opts="--dirdeep-dirs 2 --dirdeep-inodes 200";;
	hdd) opts="--hdd-bytes 4m";;
	readahead) opts="--readahead-bytes 4m";;
	seek) opts="--seek-size 4m";;
	iomix) opts="--iomix-bytes 4m";;
	fallocate) opts="--fallocate-bytes 4m";;
	filename) opts="--filename-opts posix";;
	esac
	# shellcheck disable=SC2086
	stress-ng --$s 1 $opts --timeout $(($2 / 14 + 1)) --temp-path "$dir" \
	    --verify --quiet || { echo "$s: status $?"; exit 1; }
	n=$((n + 1))
	[ $n -lt "$2" ] || break
done
rm -rf "$dir"
