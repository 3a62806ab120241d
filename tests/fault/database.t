#!/bin/bash
# The database goes away, is full, locked, read-only or another one, in the middle of a run: the run waits, goes on and
# counts each mail once, or ends with the mail where it was. EVERY=1: the rows that are much like another one, too.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/postgres.sh
. tests/lib/whole.sh
. tests/lib/dovecot.sh
. tests/lib/fault.sh

dir=$(mktemp -d)
trap 'dovecot_stop; pg_stop; rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/pg" "$dir/dovecot"
pg_start "$dir/pg" deadlock_timeout=100ms && dovecot_start "$dir/dovecot" && pg_newdb faults && make_mails 40 4 || exit 1
maildir=$MAILDIR
configure
run=("$program" --config "$dir/conf" ingest)
send_group
run_clean || { cat "$dir/out"; exit 1; }

# goes_on TITLE FAULT [COMMAND]: the run gets over it by itself
goes_on()
{
    send_group
    run_faulty "${@:2}"
    went_well $status && said 'the next try is in 1 s' && holds done
    ok $? "$1: the run goes on, and each mail is counted once" "status $status" "$dir/out" "$dir/wrong"
    said "${summary:-^7 mails: 4 stored, 1 duplicate, 1 without report, 1 problem}"
    ok $? "$1: the summary, too" "$dir/out"
}

# gives_up TITLE STATUS SECONDS PATTERN: the last run, with every mail where it was
gives_up()
{
    [ "$status" = "$2" ] && [ $seconds -le "$3" ] && said "$4" && holds && [ "$(mails_in '')" = 7 ]
    ok $? "$1: ends with $2, and the mail is untouched" "status $status after $seconds s" "$dir/out" "$dir/wrong"
}

restart()
{
    pg_halt "$1" && pg_restart
}

terminate()
{
    psql -X -q -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'whosends'"
}

summary='^7 mails: .* 7 already in the ledger' goes_on 'COMMIT without an answer' 'committing a batch:1:cut-database'
[ -z "${EVERY:-}" ] || goes_on 'a connection lost in a COPY' 'copying records:1:cut-database'
[ -z "${EVERY:-}" ] || goes_on 'a connection lost between mails' 'looking for known mails:1:cut-database'
[ -z "${EVERY:-}" ] || goes_on 'a restart before COMMIT' 'copying mails:1:stop' restart fast
goes_on 'a crash of the server before COMMIT' 'copying mails:1:stop' restart immediate
[ -z "${EVERY:-}" ] || goes_on 'a backend that is terminated' 'staging reports:1:stop' terminate

# Locked: by somebody who holds on to it for a while, and in a circle.
hold()
{
    PGOPTIONS= psql -X -q -c "BEGIN; LOCK TABLE dmarc_store.$1; SELECT pg_sleep($2)" >/dev/null &
    holder=$!
    sleep 0.3
}
circle()
{
    PGOPTIONS='-c deadlock_timeout=60s' psql -X -q -c 'BEGIN; LOCK TABLE dmarc_store.message; LOCK TABLE dmarc_store.report' >/dev/null &
    sleep 0.3
}
export PGOPTIONS='-c lock_timeout=200ms'
goes_on 'a lock that is not had in time' 'beginning a batch:1:stop' hold message 1
export PGOPTIONS='-c statement_timeout=300ms'
[ -z "${EVERY:-}" ] || goes_on 'a statement that takes too long' 'beginning a batch:1:stop' hold message 1
unset PGOPTIONS
goes_on 'a deadlock' 'staging evidence:1:stop' circle

# Full: staging tables lie on a file system of their own, in which there is room again later.
full=$dir/full
if mkdir "$full" && mount -t tmpfs -o size=24m tmpfs "$full" 2>/dev/null; then
    trap 'dovecot_stop; pg_stop; umount "$full"; rm -rf "$dir"' EXIT
    mkdir "$full/space" && chown "$(pg_owner):" "$full/space"
    psql -X -q -c "CREATE TABLESPACE small LOCATION '$full/space'" -c "ALTER DATABASE faults SET temp_tablespaces = 'small'"
    fill()
    {
        dd if=/dev/zero of="$full/rest" bs=64k 2>/dev/null
        [ -z "${1:-}" ] || (sleep "$1"; rm "$full/rest") &
    }
    goes_on 'a disk that is full for a while' 'beginning a batch:1:stop' fill 1
    send_group
    run+=(--set whosends.database_wait=2)
    run_faulty 'beginning a batch:1:stop' fill
    gives_up 'a disk that stays full' 75 8 'SQLSTATE 53100'
    run=("$program" --config "$dir/conf" ingest)
    rm "$full/rest"
    psql -X -q -c "ALTER DATABASE faults RESET temp_tablespaces"
    run_clean
else
    n=$((n + 1))
    echo "ok $n - a disk that is full # SKIP tmpfs cannot be mounted here"
fi

# Not to be written to, or not ours: said at once.
send_group
psql -X -q -c "ALTER DATABASE faults SET default_transaction_read_only = on"
run_faulty ''
gives_up 'a read-only database' 75 3 'could not write to the database: it is read-only'
psql -X -q -c "SET default_transaction_read_only = off" -c "ALTER DATABASE faults RESET default_transaction_read_only"
pg_halt fast && pg_as_owner touch "$PG_DIR/data/standby.signal" && pg_restart
run_faulty ''
gives_up 'a standby' 75 3 'could not write to the database: it is read-only'
pg_halt fast && rm "$PG_DIR/data/standby.signal" && pg_restart
psql -X -q -c "INSERT INTO dmarc.schema_version VALUES (9999, 'later')"
run_faulty ''
gives_up 'a schema of a later version' 78 3 '9999'
psql -X -q -c "DELETE FROM dmarc.schema_version WHERE version = 9999"
pg_halt fast
run_faulty ''
pg_restart
gives_up 'a database that is not there' 75 3 'could not reach the database'

# It stays away.
run+=(--set whosends.database_wait=2)
run_faulty 'copying mails:1:stop' pg_halt immediate
pg_restart
gives_up 'a database that stays away' 75 6 'could not reach the database'
[ "$(grep -c 'the next try' "$dir/out")" = 2 ]
ok $? 'a database that stays away: two tries were told' "$dir/out"
run=("$program" --config "$dir/conf" ingest)

# A signal ends the wait, and the wait for a lock.
interrupt()
{
    pg_halt immediate
    (sleep 1.5; kill -TERM "$faulty") &
}
run_faulty 'copying mails:1:stop' interrupt
pg_restart
gives_up 'a signal while the database is away' 143 4 'the next try'
lock_and_term()
{
    hold message 9
    (sleep 0.5; kill -TERM "$faulty") &
}
run_faulty 'beginning a batch:1:stop' lock_and_term
psql -X -q -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'" >/dev/null
wait $holder 2>/dev/null
gives_up 'a signal while a lock is waited for' 143 7 'without waiting any longer'

# A signal ends what reads mails again, too.
term()
{
    kill -TERM "$faulty"
}
run=("$program" --config "$dir/conf" retry --all)
run_faulty 'copying mails:1:stop' term
[ $status = 143 ] && said 'stopped by a signal'
ok $? 'a signal while mails are read again: ends with 143' "status $status" "$dir/out"

# What is left where it is comes again whole, and its ledger has each mail once.
psql -X -q -c 'TRUNCATE dmarc_store.message, dmarc_store.document'
mkdir "$dir/plain"
for ((i = 0; i < 3; i++)); do cp "$dir/groups/$next_group"/*.eml "$dir/plain" && next_group=$((next_group + 1)); done
run=("$program" --database "$PG_CONNINFO" ingest "$dir/plain")
run_faulty 'committing a batch:1:cut-database'
mails=$(find "$dir/plain" -type f | wc -l)
went_well $status && said "^$mails mails: " && [ "$(psql -X -A -t -c 'SELECT count(*) FROM dmarc_store.message')" = "$mails" ]
ok $? 'files that are left where they are: once in the ledger and in the summary' "status $status" "$dir/out"
run_clean
said "^$mails mails: " && [ "$(psql -X -A -t -c 'SELECT count(*) FROM dmarc_store.message')" = $((2 * mails)) ]
ok $? 'another run has them as duplicates' "$dir/out"

# It goes away for good when something was stored already, by a source before.
mkdir "$dir/first" "$dir/second"
cp "$dir/groups/$next_group"/*.eml "$dir/first" && next_group=$((next_group + 1))
cp "$dir/groups/$next_group"/*.eml "$dir/second" && next_group=$((next_group + 1))
run=("$program" --database "$PG_CONNINFO" --set whosends.database_wait=1 ingest "$dir/first" "$dir/second")
run_faulty 'copying mails:2:stop' pg_halt immediate
pg_restart
[ $status = 75 ] && said '^7 mails: 4 stored' && said 'could not reach the database'
ok $? 'a database that stays away after a first source: ends with 75 and a summary' "status $status" "$dir/out"

run=("$program" --database "$PG_CONNINFO" ingest -)
run_faulty 'copying mails:1:cut-database' <"$dir/groups/$next_group/damaged.eml"
[ $status = 75 ] && ! said 'the next try'
ok $? 'mail from standard input goes back to who brought it' "status $status" "$dir/out"
mkfifo "$dir/pipe"
for path in /dev/stdin "$dir/pipe"; do
    run=("$program" --database "$PG_CONNINFO" ingest "$path")
    cat "$dir/groups/$next_group/damaged.eml" >"$dir/pipe" &
    if [ "$path" = /dev/stdin ]; then
        run_faulty 'copying mails:1:cut-database' <"$dir/pipe"
    else
        run_faulty 'copying mails:1:cut-database'
    fi
    [ $status = 75 ] && ! said 'the next try'
    ok $? "so does mail from ${path#$dir/}, which cannot be read twice either" "status $status" "$dir/out"
done
echo "1..$n"
exit $failed
