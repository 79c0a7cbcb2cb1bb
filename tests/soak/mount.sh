#!/bin/sh
# The file system under load, each kind for SOAK_SECONDS.

. tests/mount/lib.sh

seconds=${SOAK_SECONDS:-600}
serve -d "$T/state"
mega-anon || skip_all "no account"
mount_or_skip -o cache=64m
for tool in fio stress dbench; do
	load $tool "$seconds"
done
model "$seconds"
ok "unmounted" unmount
done_testing
