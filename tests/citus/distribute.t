#!/bin/bash
# The script that distributes a database, run against stand-ins for Citus' functions, and the program on what it leaves: what is
# written to a distributed database comes by other statements, and must come to the same.
. tests/lib/cli.sh
. tests/lib/postgres.sh
cleanup() { pg_stop; }
chmod 711 "$dir"
pg_start "$dir/pg" || exit 1

sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@" 2>>"$dir/said"; }
distribute() { psql -X -f sql/citus.sql "$@" >"$dir/out" 2>"$dir/err"; }
ws() { build/whosends --database "$PG_CONNINFO" "$@"; }

# What every report says, of all domains and of each, and all that is stored, without numbers and times of its own.
all_reports() {
    {
        for domain in NULL $(sql -c "SELECT quote_literal(domain) FROM dmarc_store.report GROUP BY domain ORDER BY count(*) DESC, domain LIMIT 2"); do
            for report in senders sources reporters disagreements timeline failures summary; do
                echo "SELECT '$report', s.* FROM dmarc.$report($domain) s;"
                echo "SELECT '$report', s.* FROM dmarc.$report($domain, '2000-01-01', '2100-01-01', true) s;"
            done
        done
        echo "SELECT mails, stored, duplicate, no_report, problem, documents, domains, reports, records, messages, failure_reports, tls_reports FROM dmarc.status();
            SELECT code, what, problems FROM dmarc.problems(); SELECT code, domain, reporter, report_id, day, source FROM dmarc.untrusted();
            SELECT domain, arrived, reporter, source_ip FROM dmarc.failure_samples(); SELECT * FROM dmarc.tls(); SELECT * FROM dmarc.addresses('0.0.0.0/0');
            SELECT domain, day, identity, content, message_count, incomplete, id_collision, trusted, replaced, warnings FROM dmarc.report ORDER BY 1, 2, 3, 4;
            SELECT domain, day, ordinal, source_ip, message_count, evidence FROM dmarc.record ORDER BY 1, 2, 6, 4, 3, 5;
            SELECT * FROM dmarc.daily ORDER BY domain, day, profile, doubtful; SELECT * FROM dmarc.source ORDER BY domain, month, source_ip, profile;
            SELECT source, outcome, code FROM dmarc.message ORDER BY 1, 2, 3; SELECT path, kind, outcome, code, domain, day FROM dmarc.document ORDER BY 1, 2, 3, 4, 5, 6;"
    } | sql -f -
}

placed() { sql -F ' ' -c "SELECT d.logicalrelid, d.partmethod, d.partkey, d.colocationid FROM pg_dist_partition d ORDER BY d.colocationid, d.logicalrelid::text"; }
tables() {
    sql -c "SELECT count(*) FROM pg_class c WHERE c.relnamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace) AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
}

bench/generate.py --out "$dir/mails" --reports 100 >/dev/null 2>&1 && bench/generate.py --out "$dir/more" --reports 40 --seed 7 >/dev/null 2>&1 || exit 1
test "$(ls "$dir/mails" | wc -l)" -gt 50 && ok "there are mails" || not_ok "there are mails"

# ---- not where it cannot be done ----

pg_newdb plain || exit 1
ws init >/dev/null 2>&1
status=0
distribute || status=$?
is "without Citus it says so" "$status $(grep -c 'no extension citus' "$dir/err")" "3 1"
ws ingest --quiet "$dir/mails" >/dev/null 2>&1
all_reports >"$dir/plain.mails"
ws ingest --quiet "$dir/mails" >/dev/null 2>&1
ws ingest --quiet "$dir/more" docs/demo/mailbox >/dev/null 2>&1
all_reports >"$dir/plain.all"
test "$(wc -l <"$dir/plain.mails")" -gt 1000 && ok "the reports say something" || not_ok "the reports say something"

pg_newdb refused || exit 1
psql -X -q -f tests/citus/stub.sql || exit 1
distribute
is "before init it says so" "$(grep -c 'Run "whosends init" first' "$dir/err")" 1
ws init >/dev/null 2>&1
sql -c "CREATE OR REPLACE FUNCTION pg_catalog.run_command_on_all_nodes(command text, OUT nodeid int, OUT success boolean, OUT result text) RETURNS SETOF record LANGUAGE sql AS \$\$ SELECT n.nodeid, true, CASE n.nodeid WHEN 3 THEN '0' ELSE '100' END FROM pg_dist_node n \$\$"
distribute
is "where a node cannot prepare transactions it says which" "$(grep -c 'max_prepared_transactions is 0.*two:5432' "$dir/err")" 1
PGAPPNAME=whosends psql -X -q -c "SELECT pg_sleep(30)" >/dev/null 2>&1 &
ingester=$!
sql -c "CREATE OR REPLACE FUNCTION pg_catalog.run_command_on_all_nodes(command text, OUT nodeid int, OUT success boolean, OUT result text) RETURNS SETOF record LANGUAGE sql AS \$\$ SELECT n.nodeid, true, '100' FROM pg_dist_node n \$\$"
for _ in $(seq 100); do
    test "$(sql -c "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'whosends'")" = 1 && break
    sleep 0.05
done
distribute
is "beside an ingester it does nothing" "$(grep -c 'Stop all ingesters first' "$dir/err") $(placed | wc -l)" "1 0"
kill "$ingester"
sql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'whosends'" >/dev/null
sql -c "DELETE FROM pg_dist_node WHERE groupid = 0"
distribute
is "the coordinator has to be in its own list" "$(grep -c 'citus_set_coordinator_host' "$dir/err")" 1

# ---- an empty database ----

pg_newdb empty || exit 1
psql -X -q -f tests/citus/stub.sql || exit 1
ws init >/dev/null 2>&1
functions() { sql -c "SELECT count(*) FROM pg_proc p WHERE p.pronamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace)" -c "SELECT count(*) FROM pg_class c WHERE c.relnamespace = 'dmarc'::regnamespace AND c.relkind = 'v'"; }
before=$(functions)
status=0
distribute || status=$?
is "an empty database is distributed" "$status $(tail -n 1 "$dir/out")" "0 -- done"
placed >"$dir/placed"
is "each table once" "$(wc -l <"$dir/placed")" "$(tables)"
is "what has to do with a domain goes by it, together" "$(sed -n 's/^dmarc_store\.\(.*\) h domain 2$/\1/p' "$dir/placed" | tr '\n' ' ')" \
    "domain_day evidence failure_report folded observed profile report summed tls_failure tls_policy tls_report unfolded "
is "the ledger goes by the hash of the mail, together" "$(sed -n 's/^dmarc_store\.\(.*\) h \(.*\) 1$/\1 \2/p' "$dir/placed" | tr '\n' ' ')" \
    "document mail_sha256 message sha256 original mail_sha256 reading mail_sha256 "
is "the rest goes to every node" "$(sed -n 's/^\(.*\) n  0$/\1/p' "$dir/placed" | tr '\n' ' ')" \
    "dmarc.repeatable dmarc.schema_version dmarc_store.address dmarc_store.approval dmarc_store.cname dmarc_store.domain_grant dmarc_store.domain_group dmarc_store.group_grant dmarc_store.mailbox dmarc_store.pruning dmarc_store.sender dmarc_store.sender_rule "
is "functions and views are what they were" "$(functions)" "$before"
# What a report asks inside of a statement about a domain is asked on the node of that domain. These are asked by themselves.
is "what is asked inside of other statements may ask other nodes" "$(sql <<'SQL'
WITH code AS (
    SELECT p.oid, n.nspname || '.' || p.proname AS name, p.prosrc, p.proconfig
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('dmarc', 'dmarc_store')
)
SELECT c.name FROM code c
WHERE c.prosrc ~ '\mdmarc_store\.[a-z_]+ [a-z]\M' AND NOT coalesce('citus.allow_nested_distributed_execution=on' = ANY (c.proconfig), false)
  AND EXISTS (SELECT FROM code o WHERE o.oid <> c.oid AND o.name LIKE 'dmarc.%' AND o.prosrc ~ (replace(c.name, '.', '\.') || '\('))
  AND c.name NOT IN ('dmarc_store.trend_over', 'dmarc.find_mail', 'dmarc.senders', 'dmarc.verdict', 'dmarc_store.decide', 'dmarc_store.check_parts',
                     'dmarc_store.reclassify', 'dmarc_store.portions')
  AND c.name NOT LIKE '%\_among'
SQL
)" ""
is "months are made ahead" "$(sql -c "SELECT count(*) FROM pg_inherits WHERE inhparent = 'dmarc_store.report'::regclass")" 6
distribute
is "a second run finds nothing to be done" "$(tail -n 1 "$dir/out") $(grep -c ': by\|: to' "$dir/out") $(placed | cmp - "$dir/placed")" "-- done 0 "
ws init >"$dir/out" 2>&1
is "init finds nothing to be done" "$? $(grep -c ', 0 applied' "$dir/out")" "0 1"

ws ingest --quiet "$dir/mails" >"$dir/out" 2>&1
is "mails come in" "$?" 0
all_reports >"$dir/reports"
is "and all reports are those of a plain database" "$(diff "$dir/plain.mails" "$dir/reports" | head -n 5)" ""
is "the writer made no partition" "$(sql -c "SELECT count(*) FROM pg_inherits WHERE inhparent = 'dmarc_store.report'::regclass")" 6

# ---- a filled one ----

pg_newdb filled || exit 1
ws init >/dev/null 2>&1
ws ingest --quiet "$dir/mails" >/dev/null 2>&1
psql -X -q -f tests/citus/stub.sql || exit 1
status=0
distribute || status=$?
is "a filled database is distributed" "$status $(tail -n 1 "$dir/out")" "0 -- done"
is "what stayed behind of a table is taken away" "$(grep -c 'report: the old copy is gone' "$dir/out")" 1
is "in the same way as an empty one" "$(placed | cmp - "$dir/placed")" ""
all_reports >"$dir/reports"
is "all reports say what they said" "$(diff "$dir/plain.mails" "$dir/reports" | head -n 5)" ""
stored=$(sql -c "SELECT stored FROM dmarc.status()")
ws ingest --quiet "$dir/mails" >/dev/null 2>&1
is "known mails stay known" "$(sql -c "SELECT stored FROM dmarc.status()")" "$stored"
ws ingest --quiet "$dir/more" docs/demo/mailbox >/dev/null 2>&1
all_reports >"$dir/reports"
is "with more mails it says what a plain database says" "$(diff "$dir/plain.all" "$dir/reports" | head -n 5)" ""
sql -c "SELECT dmarc_store.fold(1000000, true) FROM generate_series(1, 20)" >/dev/null
sql -d plain -c "SELECT dmarc_store.fold(1000000, true) FROM generate_series(1, 20)" >/dev/null
all_reports >"$dir/reports"
is "and when the addresses are summed up" "$(diff "$dir/plain.all" "$dir/reports" | head -n 5) $(sql -c "SELECT count(*) FROM dmarc_store.unfolded")" " 0"
is "its classes are changed in the same way" "$(sql -c "SELECT dmarc.reclassify()")" "$(sql -d plain -c "SELECT dmarc.reclassify()")"
ws maintain --quiet >"$dir/out" 2>&1 && ws fsck >"$dir/out" 2>&1
is "it is maintained, and holds together" "$? $(awk '$3 != 0' "$dir/out" | sed 1,2d)" "0 "

is "psql said nothing else" "$(cat "$dir/said")" ""

# ---- the tests of the writer, once more ----

export PG_TEMPLATE_SQL=tests/citus/stub.sql
pg_stop
again() {
    if "$@" >"$dir/again" 2>&1 && grep -q '^ok' "$dir/again"; then
        ok "distributed: $*"
    else
        not_ok "distributed: $*"
        grep -v '^ok' "$dir/again" | head -n 20 | sed 's/^/# /'
    fi
}
pg_start "$dir/pg2" || exit 1
build/tests/db_tool install "$PG_CONNINFO" >/dev/null || exit 1
TMPDIR=$dir again build/tests/db_writer
pg_stop
again tests/db/replaced.t
again tests/db/races.t
finish
