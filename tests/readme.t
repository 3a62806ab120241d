#!/bin/bash
# Every ```sql block of README.md runs as written on the sample mailbox, and brings at least one row.
cd "$(dirname "$0")/.." || exit 1
. tests/lib/postgres.sh

dir=$(mktemp -d)
trap 'pg_stop; rm -rf "$dir"' EXIT
unset WHOSENDS_DATABASE WHOSENDS_CONFIG
pg_start "$dir" || exit 1
awk -v dir="$dir" '/^```sql$/ { n++; on = 1; next } /^```$/ { on = 0 } on { print > (dir "/" sprintf("%02d", n) ".sql") }' README.md
blocks=("$dir"/*.sql)

echo "1..$((${#blocks[@]} + 2))"
build/whosends --database "$PG_CONNINFO" ingest --quiet docs/demo/mailbox >"$dir/out" 2>&1
status=$?
test $status = 0 -o $status = 65 && echo "ok 1 - the sample mailbox is ingested" || { sed 's/^/# /' "$dir/out"; echo "not ok 1 - the sample mailbox is ingested"; }
test ${#blocks[@]} -ge 4 && echo "ok 2 - the README has SQL examples" || echo "not ok 2 - the README has SQL examples"
n=2
for block in "${blocks[@]}"; do
    n=$((n + 1))
    name=$(head -n 1 "$block")
    # The search path is the one that `whosends sql` gives.
    PGOPTIONS='-c search_path=dmarc,public' psql -X -v ON_ERROR_STOP=1 -A -t -f "$block" >"$dir/rows" 2>"$dir/err"
    status=$?
    if test $status = 0 && grep -q . "$dir/rows"; then
        echo "ok $n - $name"
    else
        sed 's/^/# /' "$dir/err" "$dir/rows"
        echo "not ok $n - $name (status $status, $(wc -l <"$dir/rows") rows)"
    fi
done
