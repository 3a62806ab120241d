#!/bin/bash
# Installing and upgrading schema dmarc, and what is refused.
set -u
. tests/lib/postgres.sh
tool=build/tests/db_tool
dir=$(mktemp -d) && trap 'pg_stop; rm -rf "$dir"' EXIT
pg_start "$dir" || exit 1
echo 1..21
n=0
# is NAME GOT WANTED
is() {
    n=$((n + 1))
    if test "$2" = "$3"; then echo "ok $n - $1"; else printf 'not ok %s - %s\n# got:    %s\n# wanted: %s\n' $n "$1" "$2" "$3"; fi
}
# like NAME GOT PATTERN
like() {
    n=$((n + 1))
    if [[ $2 == $3 ]]; then echo "ok $n - $1"; else printf 'not ok %s - %s\n# got:     %s\n# pattern: %s\n' $n "$1" "$2" "$3"; fi
}
sql() { psql -X -q -At -c "$1" 2>&1; }
migrations=$(ls sql/[0-9]*_*.sql | wc -l)
latest=$(ls sql/[0-9]*_*.sql | tail -n 1 | sed 's,sql/0*\([0-9]*\)_.*,\1,')

like "an empty database is refused with a hint" "$($tool check "$PG_CONNINFO" 2>&1)" 'schema: *no schema "dmarc"*whosends init*'
is "installs from nothing" "$($tool install "$PG_CONNINFO" 2>&1)" "$migrations applied, version $latest of $latest"
before=$(sql "SELECT hash, applied_at FROM dmarc.repeatable")
is "installs nothing twice" "$($tool install "$PG_CONNINFO" 2>&1)" "0 applied, version $latest of $latest"
is "leaves what has not changed" "$(sql "SELECT hash, applied_at FROM dmarc.repeatable")" "$before"
is "notes each migration" "$(sql 'SELECT count(*) FROM dmarc.schema_version')" "$migrations"
is "passes the check" "$($tool check "$PG_CONNINFO" 2>&1)" ""

sql "UPDATE dmarc.repeatable SET hash = 'of an older program'"
$tool install "$PG_CONNINFO" >/dev/null 2>&1
is "replays views and functions when they have changed" "$(sql "SELECT hash FROM dmarc.repeatable")" "${before%%|*}"
sql "DELETE FROM dmarc.repeatable"
like "a half installed schema is refused" "$($tool check "$PG_CONNINFO" 2>&1)" 'schema: *half installed*whosends init*'
$tool install "$PG_CONNINFO" >/dev/null 2>&1
is "and is mended by installing" "$($tool check "$PG_CONNINFO" 2>&1)" ""

sql "INSERT INTO dmarc.schema_version (version, name) VALUES (9999, '9999_future.sql')"
like "a newer schema is refused by check" "$($tool check "$PG_CONNINFO" 2>&1)" 'schema: *version 9999*install the newer whosends*'
like "and by install" "$($tool install "$PG_CONNINFO" 2>&1)" 'schema: *version 9999*install the newer whosends*'
is "which changes nothing" "$(sql 'SELECT count(*) FROM dmarc.schema_version')" "$((migrations + 1))"

pg_newdb foreign && sql "CREATE SCHEMA dmarc; CREATE TABLE dmarc.mine (x int)"
like "a schema of that name that is not ours is left alone" "$($tool install "$PG_CONNINFO" 2>&1)" 'schema: *not ours*'

pg_newdb empty_schema && sql "CREATE SCHEMA dmarc"
is "an empty one is filled" "$($tool install "$PG_CONNINFO" 2>&1)" "$migrations applied, version $latest of $latest"

pg_newdb many
for i in 1 2 3 4; do $tool install "$PG_CONNINFO" >"$dir/many.$i" 2>&1 & done
wait
is "four at once install it once" "$(awk '{ sum += $1 } END { print sum, NR }' "$dir"/many.[1-4])" "$migrations 4"

sql "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
like "a database that cannot hold all names is refused" "$($tool check "$PG_CONNINFO dbname=latin" 2>&1)" 'schema: *latin*LATIN1*UTF8*'

like "a server that is away is a reason to come again" "$($tool check "host=$dir/nowhere" 2>&1)" 'down: could not reach the database: *'
out=$($tool check "host=$dir/nowhere password=verysecret sslcert" 2>&1)
like "a connection string that makes no sense" "$out" 'config: *connection string*'
case $out in *verysecret*) is "keeps the password to itself" "$out" "" ;; *) is "keeps the password to itself" 1 1 ;; esac
like "errors are one line and name the statement" "$($tool run "$PG_CONNINFO" 'SELECT nothing' 2>&1)" 'schema: running: column "nothing" does not exist (SQLSTATE 42703)'
like "values that do not fit are the values' fault" "$($tool run "$PG_CONNINFO" "SELECT 1/0" 2>&1)" 'refused: running: division by zero (SQLSTATE 22012)'
