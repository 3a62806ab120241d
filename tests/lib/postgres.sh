# A PostgreSQL server for one test: sourced, not run.
#
#   . tests/lib/postgres.sh
#   dir=$(mktemp -d) && trap 'pg_stop; rm -rf "$dir"' EXIT
#   pg_start "$dir" || exit 1
#
# Only a unix socket, no TCP, fsync off. Run as root, the server belongs to user postgres (or nobody), and DIR becomes
# searchable for others so that the server gets at its data; run as anybody else it is one's own. Afterwards PGHOST,
# PGPORT, PGUSER and PGDATABASE lead psql there, and so does the conninfo in PG_CONNINFO. pg_newdb NAME makes another,
# empty database and points all of these at it. PG_TEMPLATE_SQL: a file that is run in each database before all else.

pg_bindir() {
    if test -n "${PG_BINDIR:-}"; then
        echo "$PG_BINDIR"
    else
        { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5,5V | tail -n 1 | grep . || pg_config --bindir; } 2>/dev/null
    fi
}

# The user that the server runs as.
pg_owner() {
    if test "$(id -u)" != 0; then id -un; elif id postgres >/dev/null 2>&1; then echo postgres; else echo nobody; fi
}

# Runs a command as that user, away from a working directory that it may not read.
pg_as_owner() {
    if test "$(id -u)" != 0; then
        (cd / && "$@")
    else
        (cd / && setpriv --reuid="$(pg_owner)" --regid="$(id -gn "$(pg_owner)")" --clear-groups -- "$@")
    fi
}

# pg_start DIR [SETTING=VALUE]...: a server that was in DIR before goes on with its data.
pg_start() {
    PG_DIR=$1 PG_BIN=$(pg_bindir)
    shift
    PG_SOCKETS=$PG_DIR/s
    # sun_path holds 107 bytes, and the server adds "/.s.PGSQL.5432.lock" to it.
    if test ${#PG_SOCKETS} -gt 85; then
        PG_SOCKETS=$(mktemp -d "/tmp/pgXXXXXX") || return 1
    fi
    mkdir -p "$PG_DIR/data" "$PG_SOCKETS" || return 1
    if test "$(id -u)" = 0; then
        chmod go+x "$PG_DIR" "$PG_SOCKETS"
        chown "$(pg_owner):" "$PG_DIR/data" "$PG_SOCKETS" || return 1
        : >"$PG_DIR/log" && chown "$(pg_owner):" "$PG_DIR/log" || return 1
    fi
    if ! test -e "$PG_DIR/data/PG_VERSION"; then
        if ! pg_as_owner "$PG_BIN/initdb" -D "$PG_DIR/data" -U postgres --auth=trust \
            --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$PG_DIR/initdb.log" 2>&1; then
            sed 's/^/# /' "$PG_DIR/initdb.log" >&2
            return 1
        fi
        echo "include 'settings.conf'" >>"$PG_DIR/data/postgresql.conf"
    fi
    # Written anew each time, so that no setting of an earlier start stays.
    {
        echo "listen_addresses = ''"
        echo "unix_socket_directories = '$PG_SOCKETS'"
        echo "port = 5432"
        echo "fsync = off"
        echo "full_page_writes = off"
        echo "synchronous_commit = off"
        echo "shared_buffers = 64MB"
        echo "max_wal_size = 256MB"
        echo "timezone = 'UTC'"
        for setting in "$@"; do echo "${setting%%=*} = '${setting#*=}'"; done
    } >"$PG_DIR/data/settings.conf"
    test "$(id -u)" != 0 || chown "$(pg_owner):" "$PG_DIR/data/settings.conf" || return 1
    pg_restart || return 1
    # What every database of the server is to have.
    for base in ${PG_TEMPLATE_SQL:+template1 postgres}; do
        psql -X -q -v ON_ERROR_STOP=1 -h "$PG_SOCKETS" -U postgres -d $base -f "$PG_TEMPLATE_SQL" || return 1
    done
    export PGHOST="$PG_SOCKETS" PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
    export PG_CONNINFO="host=$PG_SOCKETS port=5432 user=postgres dbname=postgres"
}

# Starts the server of pg_start again after pg_halt.
pg_restart() {
    if ! pg_as_owner "$PG_BIN/pg_ctl" -D "$PG_DIR/data" -l "$PG_DIR/log" -w -t 60 -s start >/dev/null 2>&1 </dev/null; then
        sed 's/^/# /' "$PG_DIR/log" >&2
        return 1
    fi
}

# pg_halt [fast|immediate|smart]: stops the server and keeps the data.
pg_halt() {
    pg_as_owner "$PG_BIN/pg_ctl" -D "$PG_DIR/data" -w -t 60 -s -m "${1:-fast}" stop >/dev/null 2>&1
}

# Stops it, whatever state it is in. The files go with DIR.
pg_stop() {
    test -n "${PG_DIR:-}" || return 0
    test ! -e "$PG_DIR/data/postmaster.pid" || pg_halt immediate
    test "$PG_SOCKETS" = "$PG_DIR/s" || rm -rf "$PG_SOCKETS"
    PG_DIR=
}

pg_newdb() {
    psql -X -q -d postgres -c "CREATE DATABASE \"$1\"" || return 1
    export PGDATABASE="$1"
    export PG_CONNINFO="host=$PG_SOCKETS port=5432 user=postgres dbname=$1"
}
