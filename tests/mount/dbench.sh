#!/bin/sh
# dbench.sh FOLDER SECONDS: what a file server's clients do.

command -v dbench >/dev/null || exit 77
load=/usr/share/dbench/client.txt
[ -r $load ] || load=/usr/share/doc/dbench/loadfiles/client.txt
[ -r $load ] || exit 77
dir=$1/dbench.$$
mkdir "$dir" || exit 1
dbench -D "$dir" -c $load -t "$2" 2 || exit 1
rm -rf "$dir"
