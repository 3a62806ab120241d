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

# Somebody reads for long: nobody waits for a partition, and nobody behind who would make one.
later=$(date -u -d "$(date -u +%Y-%m-15) +3 months" +%Y-%m-01)
psql -X -q -o /dev/null -c "BEGIN" -c "SELECT count(*) FROM dmarc_store.report" -c "SELECT pg_sleep(8)" -c "COMMIT" &
reader=$!
sleep 0.5
psql -X -A -t -c "SELECT dmarc_store.ensure_month('$later', 'report')" >"$dir/made" 2>&1 &
sleep 0.3
began=$(date +%s%N)
psql -X -q -o /dev/null -c "SELECT count(*) FROM dmarc_store.report"
is "beside who reads for long, others read, too" "$(((($(date +%s%N) - began) / 1000000) < 2000))" 1
wait %2
is "and a partition waits for another time" "$(cat "$dir/made") $(kill -0 "$reader" && echo reading)" "f reading"
wait "$reader"

# Partitions are looked at by who then asks for all of them, while one is made.
psql -X -q -v ON_ERROR_STOP=1 -o /dev/null -c "BEGIN" -c "SELECT count(*) FROM dmarc_store.stored_months()" -c "SELECT pg_sleep(1)" \
    -c "SELECT count(*) FROM dmarc_store.report" -c "COMMIT" 2>"$dir/err" &
reader=$!
sleep 0.4
psql -X -q -v ON_ERROR_STOP=1 -o /dev/null -c "SELECT dmarc_store.ensure_month('$later', 'report')" 2>>"$dir/err"
status=$?
wait "$reader"
is "they do not stand in each other's way" "$status $? $(cat "$dir/err")" "0 0 "

# Nor where the server looks for deadlocks sooner than it is waited for a lock.
export PGOPTIONS='-c deadlock_timeout=20ms'
psql -X -q -v ON_ERROR_STOP=1 -o /dev/null -c "BEGIN" -c "SELECT count(*) FROM dmarc_store.summed" -c "SELECT pg_sleep(1)" \
    -c "SELECT count(*) FROM dmarc_store.report" -c "COMMIT" 2>"$dir/err" &
reader=$!
sleep 0.8
psql -X -q -v ON_ERROR_STOP=1 -o /dev/null -c "SELECT dmarc_store.lock_months('{report,summed}')" 2>>"$dir/err"
status=$?
wait "$reader"
is "nor is either of them ended by the server" "$status $? $(cat "$dir/err")" "0 0 "
unset PGOPTIONS

# Who only writes reports may look at all of it.
psql -X -q -c "CREATE ROLE writer LOGIN IN ROLE whosends_ingest"
is "who writes reports may have them proved" "$(PGUSER=writer psql -X -A -t -c "SELECT count(*) FROM dmarc.fsck() WHERE wrong > 0" 2>&1)" 0
finish
