# Every fault at every request, for files of many sizes, in one part and in six.

EVERYWHERE_RANDOM=40
export EVERYWHERE_RANDOM
EVERYWHERE_SIZES='0 1 131073 700000 5000000' sh tests/everywhere.t
EVERYWHERE_SIZES='17 131073 2000000' EVERYWHERE_OPTIONS=--raid \
    sh tests/everywhere.t
