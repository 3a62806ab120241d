#!/bin/bash
# Upgrades that are broken off, that meet others, and that are only tried.
. tests/lib/cli.sh
. tests/lib/postgres.sh
. tests/lib/old_database.sh
chmod 711 "$dir"
cleanup() { pg_stop; }
pg_start "$dir/pg" || exit 1
tool=build/tests/db_tool
migrations=$(ls sql/[0-9]*_*.sql | wc -l)
shape() { sql -f tests/lib/shape.sql; }
# All that is in a database, as one hash.
state() { pg_dump -d "$PGDATABASE" | grep -v '^.\(un\)\?restrict ' | md5sum; }

pg_newdb new
run --database "$PG_CONNINFO" init
check "a new database" 0 '*' ''
shape >"$dir/new"

# killed STEP N COMMAND: the program, killed when it comes to this step for the N-th time.
killed() {
    # The shell would tell that it was.
    { WHOSENDS_FAULT="$1:$2:kill" timeout 100 build/tests/whosends_fault --database "$PG_CONNINFO" "$3" >"$dir/out" 2>&1 </dev/null; } 2>/dev/null
}

# Killed right behind each commit, and before the first and the last one.
for ((n = 1; n <= migrations; n++)); do
    for step in 'committing an upgrade' 'noting a migration'; do
        test "${step:0:1}" = c -o "$n" = 1 -o "$n" = "$migrations" || continue
        pg_newdb "killed$n${step:0:1}"
        killed "$step" "$n" init
        is "killed at $n, $step" $? 137
        # The server goes on with what it was sent.
        for _ in $(seq 50); do
            test "$(sql -c "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")" = 0 && break
            sleep 0.1
        done
        run --database "$PG_CONNINFO" senders
        check "is refused" 78 '' 'half installed|no schema "dmarc"'
        run --database "$PG_CONNINFO" init
        check "and is gone on with" 0 "$((migrations - n + $(test "${step:0:1}" = n && echo 1 || echo 0))) applied\$" ''
        is "to the same end" "$(shape | diff "$dir/new" - | head -n 5)" ""
    done
done

# An upgrade of old data that is killed between the tables and the sums.
old_database killed 10
is "old data" "$(old_data 010)" ""
killed 'settling what is stored' 1 upgrade
run --database "$PG_CONNINFO" ingest /dev/null
check "half installed" 78 '' 'half installed'
run --database "$PG_CONNINFO" upgrade
check "is ended" 0 ', 0 applied$' ''
is "with sums" "$(sql -f tests/lib/sums.sql)$(sql -c 'SELECT sum(reports) FROM dmarc_store.domain_day')" 8

# Fifty at once, as they come when a mail server hands over its queue.
pg_newdb fifty
for n in $(seq 50); do $tool install "$PG_CONNINFO" >"$dir/fifty.$n" 2>&1 & done
wait
is "fifty install it once" "$(cat "$dir"/fifty.* | awk '{ sum += $1 } END { print sum, NR }')" "$migrations 50"
is "to the same end" "$(shape | diff "$dir/new" - | head -n 5)" ""
pg_newdb mails
for n in $(seq 12); do
    printf 'Message-ID: <%s@a.example>\nSubject: %s\n\nnothing in it\n' "$n" "$n" >"$dir/mail.$n"
    build/whosends --database "$PG_CONNINFO" ingest - <"$dir/mail.$n" >"$dir/mail.$n.out" 2>&1 || echo "status $?" >>"$dir/mail.$n.out" &
done
wait
is "a dozen deliveries into an empty database" "$(grep -c ' 1 without report' "$dir"/mail.*.out | grep -c ':1$') $(sql -c 'SELECT count(*) FROM dmarc.message')" "12 12"

# Somebody reads for long. Whoever comes behind the upgrade waits no longer than the upgrade does.
old_database busy 10
sql -c 'BEGIN; SELECT count(*) FROM dmarc.report; SELECT pg_sleep(5)' >"$dir/slow" &
slow=$!
sleep 0.5
$tool wait "$PG_CONNINFO" 700 1 >"$dir/tool" 2>&1
is "it is told who reads" "$(grep -c 'down: could not upgrade the database while it is in use by process [0-9]* (postgres, psql, active, since' "$dir/tool")" 1
$tool wait "$PG_CONNINFO" 700 9 >"$dir/tool" 2>&1 &
upgrade=$!
sleep 0.3
is "others read meanwhile" "$(sql -c "SET statement_timeout = '2s'" -c 'SELECT count(*) FROM dmarc.report')" 0
wait $upgrade
is "and it comes to an end" "$? $(grep -c 'held up by process' "$dir/tool" | sed 's/^[1-9]$/yes/') $($tool check "$PG_CONNINFO" 2>&1)" "0 yes "
wait $slow
is "as does who reads" "$? $(head -n 1 "$dir/slow")" "0 0"
# What is no lock is told at once, also when it comes after one.
old_database later 10
sql -c 'BEGIN; SELECT count(*) FROM dmarc.report; SELECT pg_sleep(3)' >"$dir/slow" &
sleep 0.5
$tool wait "$PG_CONNINFO" 100 3 >"$dir/tool" 2>&1 &
upgrade=$!
sleep 0.6
sql -c "INSERT INTO dmarc.schema_version (version, name) VALUES (9999, 'later')"
wait $upgrade
is "a later schema that comes meanwhile is no lock" "$(grep -c 'held up' "$dir/tool") $(grep -v 'held up' "$dir/tool" | grep -c '^[a-z]*: cannot use the database: its schema has version 9999')" "1 1"
wait
# Who writes is waited for.
pg_newdb writes
sql -c 'BEGIN; SELECT pg_advisory_xact_lock_shared(7710423); SELECT pg_sleep(2)' >"$dir/slow" &
sleep 0.5
began=$EPOCHREALTIME
$tool wait "$PG_CONNINFO" 5000 1 >"$dir/tool" 2>&1
is "who writes is waited for" "$? $((${EPOCHREALTIME//[^0-9]/} > ${began//[^0-9]/} + 1000000))" "0 1"
wait

# What users build on views and functions, and what they grant, outlives new views and functions.
export PGDATABASE=new PG_CONNINFO="host=$PG_SOCKETS port=5432 user=postgres dbname=new"
sql -c "CREATE ROLE anna" -c "CREATE VIEW public.mine AS SELECT r.domain, r.message_count, p.reporter FROM dmarc.record r JOIN dmarc.report p ON p.domain = r.domain AND p.day = r.day AND p.id = r.report" \
    -c "CREATE VIEW public.who AS SELECT s.sender, s.messages FROM dmarc.senders() s" -c "GRANT SELECT ON public.mine, public.who, dmarc.daily TO anna" \
    -c "GRANT whosends_read TO anna" -c "GRANT EXECUTE ON FUNCTION dmarc.timeline(text, date, date, boolean) TO anna"
sql -c "UPDATE dmarc.repeatable SET hash = 'of an older program'"
run --database "$PG_CONNINFO" upgrade
check "views and functions anew" 0 ', 0 applied$' ''
is "a view on views, and one on a function" "$(sql -c 'SET ROLE anna' -c 'SELECT (SELECT count(*) FROM public.mine), (SELECT count(*) FROM public.who)')" "0|0"
is "and rights" "$(sql -c "SELECT count(*) FROM information_schema.role_table_grants WHERE grantee = 'anna'" -c "SELECT proacl::text ~ 'anna=X' FROM pg_proc WHERE proname = 'timeline'" | tr '\n' ' ')" "3 t "

# A dry run changes nothing, and knows what would be.
before=$(state)
run --database "$PG_CONNINFO" upgrade --dry-run
check "nothing to be done" 0 '^schema dmarc is at version [0-9]+, and nothing is to be done$' ''
sql -c "UPDATE dmarc.repeatable SET hash = 'of an older program'" -c "CREATE OR REPLACE FUNCTION dmarc.class_of(rule text) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'" \
    -c "DELETE FROM dmarc_store.sender_rule WHERE pattern = 'sendgrid.net'"
before=$(state)
run --database "$PG_CONNINFO" upgrade --dry-run
check "one function and two rules" 0 '^views, functions and catalogue: [0-9.]+ seconds, [0-9]+ rows \(functions: 1 changed; rules: [23] new\)$' ''
check "and nothing else" 0 '^schema dmarc would be at version [0-9]+, 0 applied; all of it was taken back$' ''
is "nothing was changed" "$(state)" "$before"
old_database dry 10
old_data 010
before=$(state)
run --database "$PG_CONNINFO" upgrade --dry-run
check "a migration" 0 '^010_store.sql: [0-9.]+ seconds, [1-9][0-9]* rows$' ''
check "and its views" 0 '^views, functions and catalogue: .* \(views: [0-9]+ new, [0-9]+ changed; functions: ' ''
is "nothing was changed" "$(state)" "$before"

# What a user built on views that go is in the way, and stays.
sql -c 'CREATE VIEW public.sums AS SELECT domain, sum(message_count) FROM dmarc.record GROUP BY domain'
before=$(state)
run --database "$PG_CONNINFO" upgrade --dry-run
check "a dry run meets it" 78 '' 'view (public\.)?sums depends on view'
run --database "$PG_CONNINFO" upgrade
check "and so does the upgrade" 78 '' 'view (public\.)?sums depends on view'
is "which changes nothing" "$(state)" "$before"
sql -c 'DROP VIEW public.sums'
run --database "$PG_CONNINFO" upgrade
check "without it all is well" 0 ', [1-9][0-9]* applied$' ''

pg_newdb nothing
run --database "$PG_CONNINFO" upgrade --dry-run
check "there is nothing to upgrade" 78 '' 'empty database'
run --database "$PG_CONNINFO" init --dry-run
check "a dry run of init" 0 ", $migrations applied; all of it was taken back" ''
is "leaves it empty" "$(sql -c "SELECT count(*) FROM pg_namespace WHERE nspname ~ 'dmarc'")" 0
run init --dry-run
check "without a database none is made" 0 '^a private cluster would be made' ''
is "nowhere" "$(test -e "$WHOSENDS_DATA_DIRECTORY" || echo none)" none
finish
