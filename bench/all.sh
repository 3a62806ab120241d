#!/bin/bash
# All benchmarks but that of IMAP, one after another, and at the end what has a target as one table.
#
# usage: bench/all.sh     ROUNDS and the like of each script
set -u
cd "$(dirname "$0")/.." || exit 1
BENCH_RESULTS=$(mktemp) failed=
export BENCH_RESULTS
trap 'rm -f "$BENCH_RESULTS"' EXIT
for name in parse confine ingest peers together query growth year; do
    printf '\n== bench-%s\n' "$name"
    "bench/$name.sh" || failed="$failed bench-$name"
done
printf '\n== all figures with a target\n%-62s %9s %9s %9s %-6s %s\n' figure median least greatest unit target
cat "$BENCH_RESULTS"
[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
