# tests/lib/cli.sh with a database, whose name is given: . tests/lib/cli_database.sh NAME. The program finds it in
# WHOSENDS_DATABASE; sql QUERY asks it.
. tests/lib/cli.sh
. tests/lib/postgres.sh
chmod 711 "$dir"
cleanup() { pg_stop; }
mkdir "$dir/pg" "$dir/mail"
pg_start "$dir/pg" && pg_newdb "$1" || exit 1
export WHOSENDS_DATABASE=$PG_CONNINFO
sql() { psql -X -q -At -c "$1"; }
