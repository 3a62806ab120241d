# Databases of older versions: sourced after cli.sh and postgres.sh.

# sql ARGUMENT...: rows without ornaments; errors are output, too.
sql() { psql -X -q -At -v ON_ERROR_STOP=1 "$@" 2>&1; }

# old_database NAME BELOW: a new database with the migrations below this number, as the program ran them. Of its views and functions
# it has only the mark that they were there.
old_database() {
    local file number
    pg_newdb "$1" || return 1
    for file in sql/[0-9]*_*.sql; do
        number=$((10#$(basename "${file%%_*}")))
        test "$number" -lt "$2" || continue
        { test "$number" -gt 1 || echo 'CREATE SCHEMA dmarc;'
          echo 'SET search_path = dmarc, pg_catalog;'
          cat "$file"
          echo "INSERT INTO dmarc.schema_version (version, name) VALUES ($number, '$(basename "$file")');"
        } | sql -1 -f - || return 1
    done
    test "$2" = 1 || sql -c "INSERT INTO dmarc.repeatable (hash, version) SELECT 'of then', max(version) FROM dmarc.schema_version"
}

# old_data NNN: what stands before "-- then" in the fixture of a migration.
old_data() {
    { echo 'SET search_path = dmarc, pg_catalog;' ; sed '/^-- then$/,$d' "tests/db/old/$1.sql"; } | sql -1 -f - -o /dev/null
}
