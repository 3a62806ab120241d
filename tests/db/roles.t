#!/bin/bash
# A database whose owner may not make roles: what is missing is said, and roles that are made later get their rights.
. tests/lib/cli.sh
. tests/lib/postgres.sh
chmod 711 "$dir"
cleanup() { pg_stop; }
pg_start "$dir/pg" || exit 1
all='whosends_ingest, whosends_read, whosends_customer'
psql -X -q -d postgres -c 'CREATE ROLE keeper LOGIN' -c 'CREATE ROLE shop LOGIN' -c 'CREATE DATABASE kept OWNER keeper'
export PGDATABASE=kept
sql() { psql -X -q -At "$@"; }
export WHOSENDS_DATABASE="host=$PG_SOCKETS port=5432 user=keeper dbname=kept"

run init --dry-run
check "a dry run says nothing of roles" 0 'all of it was taken back' ''
run init
check "roles that are missing" 0 ', [0-9]+ applied$' "warning: roles $all are missing, and keeper may not make roles"
check "... and what to do" 0 '*' 'hint: CREATE ROLE whosends_ingest; CREATE ROLE whosends_read; CREATE ROLE whosends_customer; .*"whosends init"'
run init
check "... are said each time" 0 ', 0 applied$' "warning: roles $all are missing"
run grant shop --domain a.example
check "grant without the role that it needs" 78 '' 'no role whosends_customer|hint: CREATE ROLE whosends_customer; .*"whosends init"'

sql -c 'CREATE ROLE whosends_ingest' -c 'CREATE ROLE whosends_customer' -c 'GRANT whosends_customer TO keeper WITH ADMIN OPTION'
run grant shop --domain a.example
check "grant of a role without rights" 78 '' 'role whosends_customer has no rights|hint: "whosends init" gives them'
run init --dry-run
check "a dry run gives them no rights" 0 '^views, functions and catalogue: ' ''
rights() {
    sql -c "SELECT string_agg(concat_ws(' ', r.rolname, has_schema_privilege(r.oid, 'dmarc', 'USAGE'), has_table_privilege(r.oid, 'dmarc_store.message', 'INSERT'),
            has_function_privilege(r.oid, 'dmarc.reader()', 'EXECUTE')), ', ' ORDER BY r.rolname) FROM pg_roles r WHERE r.rolname ~ '^whosends_'"
}
is "... none" "$(rights)" "whosends_customer f f f, whosends_ingest f f f"
run init
check "init gives them to those that are there" 0 ', 0 applied$' 'warning: role whosends_read is missing'
is "... all" "$(rights)" "whosends_customer t f t, whosends_ingest t t t"
run grant shop --domain a.example
check "grant" 0 '^role shop may read about a.example$' ''
sql -c 'CREATE ROLE whosends_read' -c 'ALTER ROLE keeper CREATEROLE'
run upgrade
check "upgrade gives them, too" 0 ', 0 applied$' ''
is "... to the last one" "$(rights)" "whosends_customer t f t, whosends_ingest t t t, whosends_read t f t"
run init --dry-run
check "and then nothing is to be done" 0 'nothing is to be done$' ''
sql -c 'DROP OWNED BY whosends_read' -c 'DROP ROLE whosends_read'
run init
check "who may make roles makes what has gone" 0 ', 0 applied$' ''
is "... with its rights" "$(rights)" "whosends_customer t f t, whosends_ingest t t t, whosends_read t f t"

finish
