# The fuzz targets over their corpora, without a fuzzer.

. tests/lib.sh

[ -d "$BUILD/replay" ] || skip_all "no replay programs in this build"
for t in "$BUILD"/replay/*; do
	name=${t##*/}
	ok "$name: its corpus" "$t" "$SRC/tests/fuzz/corpus/$name"
done

done_testing
