# The tree for long: many more changes, deaths and crowds than in make check.

TREE_NODES=100000 TREE_ROUNDS=40 TREE_CHANGES=2500 TREE_DEATHS=200 \
TREE_CROWD=40
export TREE_NODES TREE_ROUNDS TREE_CHANGES TREE_DEATHS TREE_CROWD
exec sh tests/tree.t
