#!/bin/sh
# fio.sh FOLDER SECONDS: fio writes at random and verifies what it reads.

command -v fio >/dev/null || exit 77
dir=$1/fio.$$
mkdir "$dir" || exit 1
for job in "--rw=randrw --bssplit=512/20:4k/40:64k/30:200k/10" \
    "--rw=write --bs=128k" "--rw=randwrite --bs=4k --ioengine=mmap"; do
	# shellcheck disable=SC2086
	fio --name=job --directory="$dir" --numjobs=2 --size=4m \
	    --verify=crc32c --verify_fatal=1 --do_verify=1 --fallocate=none \
	    --time_based --runtime=$(($2 / 3 + 1)) --group_reporting \
	    --output-format=terse --terse-version=3 $job || exit 1
	rm -f "$dir"/*
done
rmdir "$dir"
