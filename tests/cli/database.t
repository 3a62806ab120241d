#!/bin/bash
# The commands on a database: empty, then with a report. One server for all of it.
. tests/lib/cli.sh
. tests/lib/postgres.sh
chmod 711 "$dir"
cleanup() { pg_stop; }
pg_start "$dir/pg" || exit 1
pg_newdb cli
database=$PG_CONNINFO
export WHOSENDS_DATABASE="$database"
reports="senders sources reporters timeline failures summary"

# report NAME DAY COUNT IP: one report of one record about a.example, which fails.
report() {
    cat <<XML
<?xml version="1.0"?>
<feedback>
 <report_metadata><org_name>Reporter</org_name><email>dmarc@reporter.example</email><report_id>$1</report_id>
  <date_range><begin>$(date -ud "$2" +%s)</begin><end>$(($(date -ud "$2" +%s) + 86399))</end></date_range></report_metadata>
 <policy_published><domain>a.example</domain><adkim>r</adkim><aspf>r</aspf><p>none</p><sp>none</sp><pct>100</pct></policy_published>
 <record>
  <row><source_ip>$4</source_ip><count>$3</count>
   <policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row>
  <identifiers><header_from>a.example</header_from></identifiers>
  <auth_results><spf><domain>other.example</domain><result>fail</result></spf></auth_results>
 </record>
</feedback>
XML
}

run senders
check "a report without a schema" 78 '' 'whosends init'
run upgrade
check "an upgrade of nothing" 78 '' 'empty database'
psql -X -q -c "ALTER DATABASE cli SET default_transaction_read_only = on"
for command in 'init' 'init --dry-run'; do
    run $command
    check "$command where nothing may be written" 75 '' 'could not write to the database: it is read-only: .*default_transaction_read_only'
done
psql -X -q -c "SET default_transaction_read_only = off" -c "ALTER DATABASE cli RESET default_transaction_read_only"
run init
check "init" 0 '^schema dmarc is at version [0-9]+, [1-9]' ''
run init
check "init again" 0 ', 0 applied' ''
run upgrade
check "upgrade of what is up to date" 0 ', 0 applied' ''

psql -X -q -c "ALTER DATABASE cli SET default_transaction_read_only = on"
run init
check "init, and nothing is to be done" 0 ', 0 applied' ''
psql -X -q -c "SET default_transaction_read_only = off" -c "ALTER DATABASE cli RESET default_transaction_read_only"

for name in $reports status problems; do
    run "$name"
    check "$name of an empty database" 0 '*' ''
    run "$name" --format csv
    check "$name as CSV has a header line" 0 '^[a-z_]+(,[a-z_]+)+.?$' ''
    test "$name" = status || is "and nothing else" "$(wc -l <"$dir/out")" 1
    run "$name" --format json
    check "$name as JSON" 0 '^\[' ''
    is "which can be read" "$(python3 -c 'import json, sys; print(len(json.load(sys.stdin)))' <"$dir/out" 2>&1)" "$(test "$name" = status && echo 1 || echo 0)"
done

run sql -- -XAtc 'show search_path'
check "sql has the search_path" 0 '^dmarc, *public$' ''
run sql -- -XAtc 'select no_such_column from report'
check "sql hands the status of psql on" 1 '' 'no_such_column'

# A password in the configuration reaches psql, and nobody else can read it there.
(umask 077 && printf '[whosends]\ndatabase = %s password=%s\n' "$database" "'it\\'s secret'" >"$dir/secret.conf")
unset WHOSENDS_DATABASE
run --config "$dir/secret.conf" sql -- -XAtc '\! echo "$PGPASSWORD"; tr "\0" " " </proc/$PPID/cmdline'
check "sql hands a password to psql" 0 "^it's secret\$" ''
is "and not as an argument" "$(tail -n 1 "$dir/out" | grep -c secret)" 0
export WHOSENDS_DATABASE="$database"

mkdir "$dir/in"
report one 2026-03-01 5 192.0.2.1 >"$dir/in/one.xml"
report two 2026-03-02 7 192.0.2.2 | gzip >"$dir/in/two.xml.gz"
echo 'no report at all' >"$dir/in/three.txt"
run ingest "$dir/in"
check "ingest" 0 '^3 mails: 2 stored, 0 duplicate, [01] without report, [01] problems?$' ''
run ingest "$dir/in/one.xml"
check "the same again" 0 '^1 mail: 0 stored, 1 duplicate, 0 without report, 0 problems$' ''
run ingest --quiet "$dir/in/one.xml"
check "quiet" 0 '' ''

# A mail that comes slowly, over a connection that may not be idle for long.
psql -X -q -c "ALTER DATABASE cli SET idle_session_timeout = '500ms'"
mkfifo "$dir/slow"
{ sleep 2; cat "$dir/in/one.xml"; } >"$dir/slow" &
input=$dir/slow run ingest -
check "a session may be idle" 0 '^1 mail: 0 stored, 1 duplicate' ''
psql -X -q -c "ALTER DATABASE cli RESET idle_session_timeout"

run sources --format csv
is "two sources" "$(sed 1d "$dir/out" | wc -l)" 2
run sources A.Example. --format csv --sort messages --limit 1
check "sorted and limited, the domain in any form" 0 '192.0.2.1' ''
is "to one" "$(sed 1d "$dir/out" | wc -l)" 1
run sources --format csv --sort -messages --limit 1
check "descending" 0 '192.0.2.2' ''
run sources --sort colour
check "an unknown column" 64 '' 'colour'
run sources b.example --format csv
is "another domain has none" "$(sed 1d "$dir/out" | wc -l)" 0
run sources --domain a.example --since 2026-03-02 --until 2026-03-02 --format csv
check "one day, itself included" 0 '192.0.2.2' ''
is "and no other" "$(sed 1d "$dir/out" | wc -l)" 1
run sources --until 2026-03-01 --format csv
check "up to a day" 0 '192.0.2.1' ''
is "not the one after" "$(sed 1d "$dir/out" | wc -l)" 1
run sources
check "a table" 0 '192\.0\.2\.1' ''
grep -q "$(printf '\033')" "$dir/out" && not_ok "no colours in a file"

# What goes wrong with one of several does not keep the others from being read.
report four 2026-03-04 1 192.0.2.4 >"$dir/four.xml"
run ingest "$dir/missing" "$dir/four.xml"
check "a file that is missing" 66 '^1 mail: 1 stored' "missing"

# Delivery by a mail transport.
input=$dir/mail
{ printf 'From: dmarc@reporter.example\nSubject: Report\nMIME-Version: 1.0\nContent-Type: text/xml\n\n'
  report five 2026-03-05 1 192.0.2.5; } >"$dir/mail"
run ingest -
check "delivery" 0 '^1 mail: 1 stored' ''
run ingest --quiet -
check "delivery of the same again, quietly" 0 '' ''
{ printf 'Subject: Report\nMIME-Version: 1.0\nContent-Type: application/gzip\nContent-Transfer-Encoding: base64\n\n'
  report six 2026-03-06 1 192.0.2.6 | gzip | head -c 200 | base64; } >"$dir/mail"
run ingest --quiet -
check "delivery of a broken mail is a problem, no failure" 0 '^1 mail: 0 stored, 0 duplicate, 0 without report, 1 problem$' ''
check "with a hint" 0 'whosends problems' ''
run problems
check "problems explains it" 0 '^[a-z_]+: ' ''
run ingest --limit message_size=10 -
check "a limit is a problem that names it" 0 '1 problem$' ''
run problems --format csv
check "in the ledger" 0 'message_size' ''

# Stopped while it waits for its input: what came until then is stored, and the status says why the rest is not.
mkfifo "$dir/fifo"
stopped() {
    if test "$1" = -; then
        "$program" ingest - <"$dir/fifo" >"$dir/out" 2>"$dir/err" &
    else
        "$program" ingest "$1" >"$dir/out" 2>"$dir/err" &
    fi
    pid=$!
    exec 9>"$dir/fifo"
    sleep 1
    kill -TERM "$pid"
    sleep 0.2
    exec 9>&-
    status=0
    wait "$pid" || status=$?
}
stopped "$dir/fifo"
check "stopped by a signal" 143 '*' 'stopped by a signal'
stopped -
check "a delivery that is stopped" 75 '*' 'stopped by a signal'

run status --format csv
cp "$dir/out" "$dir/before"
psql -XAtqc 'insert into dmarc.schema_version (version, name) values (9999, $$future$$)'
run senders
check "a schema that is too new" 78 '' 'whosends: error: '
run ingest "$dir/four.xml"
check "ingest refuses it, too" 78 '' 'whosends: error: '
run ingest -
check "delivery waits" 75 '' 'whosends: error: '
psql -XAtqc 'delete from dmarc.schema_version where version = 9999'
run status --format csv
is "nothing was added meanwhile" "$(cat "$dir/out")" "$(cat "$dir/before")"

pg_halt
run senders
check "the server is away" 75 '' 'whosends: error: '
run ingest -
check "delivery waits for it" 75 '' 'whosends: error: '
run sql -- -c 'select 1'
check "psql tells by itself" 2 '' 'psql: error'
finish
