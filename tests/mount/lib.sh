# Sourced instead of tests/lib.sh by what mounts: skips where that is
# impossible, and leaves nothing mounted.

# Other people's mount name spaces would hold on to what is mounted in ours.
if [ -z "$OWN_MOUNTS" ] && unshare -m true 2>/dev/null; then
	OWN_MOUNTS=1 exec unshare -m sh "$0" "$@"
fi

. tests/lib.sh

M=$T/m
mkdir "$M"

command -v mega-mount >/dev/null || skip_all "mega-mount is not built"
command -v fusermount3 >/dev/null || skip_all "fusermount3 is not installed"
[ -c /dev/fuse ] || skip_all "there is no /dev/fuse"

# unmount: and wait until the process has ended, which sends what is left.
unmount()
{
	fusermount3 -u "$M" || return 1
	[ -z "$MOUNT_PID" ] || wait "$MOUNT_PID"
	st=$?
	MOUNT_PID=
	return $st
}

# In the end nothing may be below $T but what is removed with it.
leave()
{
	cd / || exit 99
	if mountpoint -q "$M"; then
		fusermount3 -u -z "$M"
	fi
	[ -z "$MOUNT_PID" ] || kill -9 "$MOUNT_PID" 2>/dev/null
	if mountpoint -q "$M"; then
		echo "# $M is still mounted; $T stays"
		T=$T/none
	fi
	cleanup
}
trap leave EXIT

MOUNT_PID= # while it is to be mounted

# died: the process was killed; wait for its end.
died()
{
	wait "$MOUNT_PID" 2>/dev/null
	MOUNT_PID=
}

# mount_here OPTION...: mount at $M, in the foreground of a job of its own, so
# that its process is known.  Messages are in $T/mount.err.
mount_here()
{
	[ -z "$MOUNT_PID" ] || unmount
	mega-mount -f "$@" "$M" 2>>"$T/mount.err" &
	MOUNT_PID=$!
	until mountpoint -q "$M" && stat -f "$M" >/dev/null 2>&1; do
		kill -0 "$MOUNT_PID" 2>/dev/null || {
			wait "$MOUNT_PID"
			st=$?
			MOUNT_PID=
			return $st
		}
		sleep 0.02
	done
}

# mount_or_skip OPTION...: the first mount of a script.
mount_or_skip()
{
	mount_here "$@" && return
	sed 's/^/# /' "$T/mount.err"
	skip_all "mounting is refused here"
}

D="$M/Cloud Drive"

# same_tree NAME LOCAL REMOTE: what mega-get brings equals a local folder.
same_tree()
{
	rm -rf "$T/back"
	ok "$1: it can be got" mega-get -rq "$3" -o "$T/back/"
	ok "$1: it is the same" diff -r "$2" "$T/back/${3##*/}"
}

# load TOOL SECONDS: somebody else's test of file systems.
load()
{
	sh "$SRC/tests/mount/$1.sh" "$D" "$2" >"$T/.tool" 2>&1
	st=$?
	[ $st -ne 77 ] || { skip "$1" "not installed"; return; }
	result $st "$1"
	[ $st -eq 0 ] || tail -n 40 "$T/.tool" | sed 's/^/# /'
}

# model SECONDS: our own; what is on the service in the end counts, too.
model()
{
	seed=${SEED:-$$}
	mkdir "$D/model" "$T/model"
	ok "as another file system does it, seed $seed" \
	    perl "$SRC/tests/mount/model.pl" "$D/model" "$T/model" "$seed" "$1"
	[ $tap_st -eq 0 ] || tail -n 50 "$T/.out"
	ok "unmounted" unmount
	same_tree "the model" "$T/model" /model
	mount_here
}
