#!/bin/bash
# Months: which an installation has, and two sessions that make the partition of one at the same time.
. tests/lib/cli.sh
. tests/lib/postgres.sh
cleanup() { pg_stop; }
chmod 711 "$dir"
pg_start "$dir/pg" || exit 1
build/tests/db_tool install "$PG_CONNINFO" >/dev/null || exit 1

# The months of which a table has partitions.
months() { psql -X -A -t -c "SELECT string_agg(right(inhrelid::regclass::text, 6), ' ' ORDER BY inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'dmarc_store.$1'::regclass AND inhrelid::regclass::text ~ '[0-9]{6}\$'"; }
this=$(date -u +%Y%m) last=$(date -u -d "$(date -u +%Y-%m-15) -1 month" +%Y%m)
for parent in report observed summed folded domain_day; do
    is "installed with the months that first mails are about: $parent" "$(months $parent)" "$last $this"
done

day=$(date -u -d "$(date -u +%Y-%m-15) +2 months" +%Y-%m-01) month=$(date -u -d "$(date -u +%Y-%m-15) +2 months" +%Y%m)
for parent in report observed summed folded domain_day; do
    psql -X -q -o /dev/null -c "BEGIN" -c "SELECT dmarc_store.ensure_month('$day', '$parent')" -c "SELECT pg_sleep(1)" -c "COMMIT" &
    first=$!
    # The second one has looked, and waits for the first one.
    for _ in $(seq 100); do
        test "$(psql -X -A -t -c "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted")" = 1 && break
        sleep 0.02
    done
    status=0
    psql -X -q -v ON_ERROR_STOP=1 -o /dev/null -c "SELECT dmarc_store.ensure_month('$day', '$parent')" 2>"$dir/err" || status=$?
    is "the second one to make a month of $parent finds it" "$status $(cat "$dir/err")" "0 "
    wait "$first"
    is "and there is one" "$(months $parent)" "$last $this $month"
done
finish
