#!/bin/bash
# Installs the schema with the program into a server of its own and runs every *.sql here as one stream of TAP.
. tests/lib/postgres.sh
dir=$(mktemp -d) && trap 'pg_stop; rm -rf "$dir"' EXIT
pg_start "$dir" || exit 1
pg_newdb sqltest || exit 1
if ! build/whosends --database "$PG_CONNINFO" init >"$dir/init" 2>&1; then
    sed 's/^/# /' "$dir/init" >&2
    exit 1
fi

count=0
bad=0
say() {
    count=$((count + 1))
    echo "$1 $count - $2"
    test "$1" = ok || bad=1
}

for file in tests/sql/*.sql; do
    name=$(basename "$file" .sql)
    test "$name" != support || continue
    psql -X -q -A -t -f "$file" >"$dir/out" 2>"$dir/err"
    status=$?
    planned=$(sed -n 's/^1\.\.\([0-9][0-9]*\)$/\1/p' "$dir/out" | head -n 1)
    ran=0
    while IFS= read -r line; do
        case $line in
            "ok "*) ran=$((ran + 1)) && say ok "$name: ${line#ok * - }" ;;
            "not ok "*) ran=$((ran + 1)) && say "not ok" "$name: ${line#not ok * - }" ;;
            "#"*) echo "$line" ;;
        esac
    done <"$dir/out"
    sed 's/^/# /' "$dir/err"
    if test "$status" = 0 && test "$ran" -gt 0 && test "$ran" = "$planned"; then
        say ok "$name ran to its end"
    else
        say "not ok" "$name ran to its end: exit status $status, $ran of ${planned:-no} tests"
    fi
done
# The manual's list of views and functions is that of the database.
if docs/schema_page.sh --check >"$dir/out" 2>&1; then
    say ok "whosends-schema(7) lists what is there"
else
    sed 's/^/# /' "$dir/out"
    say "not ok" "whosends-schema(7) lists what is there: docs/schema_page.sh writes it anew"
fi
echo "1..$count"
exit "$bad"
