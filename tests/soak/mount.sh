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

# A folder of many names; all of them come, once, also through stat.
mega-mkdir /many
seq "${SOAK_NAMES:-100000}" | sort >names
sed 's,^,/many/,' names | mega-mkdir -
ok "many new names arrive" await test -e "$D/many/$(tail -n 1 names)"
ls "$D/many" | sort >listed
same "a large folder" names listed
is "and all that is in it" "$(ls -l "$D/many" | grep -c '^d')" \
    "$(grep -c . names)"
ok "unmounted" unmount
done_testing
