#!/bin/bash
# The connection, against a real server.
set -u
. tests/lib/postgres.sh
dir=$(mktemp -d) && trap 'pg_stop; rm -rf "$dir"' EXIT
pg_start "$dir" idle_session_timeout=300s || exit 1
build/tests/db_conn
