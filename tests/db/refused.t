#!/bin/bash
# A database that refuses some of the reports, against a real server.
set -u
. tests/lib/postgres.sh
dir=$(mktemp -d) && trap 'pg_stop; rm -rf "$dir"' EXIT
pg_start "$dir" || exit 1
build/tests/db_tool install "$PG_CONNINFO" >/dev/null || exit 1
TMPDIR=$dir build/tests/db_refused
