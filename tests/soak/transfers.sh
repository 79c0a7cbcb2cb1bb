#!/bin/sh
# A large file, interrupted at many places, each way.

. tests/lib.sh
. "$SRC/tests/soak/interrupt"

size=${SOAK_SIZE:-2147483648}
times=20
connections=6
slow=${SOAK_SLOW:-5M} # or much of it waits in sockets, and is lost there
seed=${SOAK_SEED:-$(date +%s)}
serve -d "$T/state"
mega-anon || skip_all "no account"
echo "# seed $seed"
all_interruptions
done_testing
