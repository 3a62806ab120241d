#!/bin/bash
# Each migration over data of the form that was there before it.
#
# tests/db/old/NNN.sql belongs to migration NNN: what stands before the line "-- then" is run in a database that has the migrations
# before NNN and nothing else; then the program upgrades it; then come queries, each with a line "-- title" before it, where it has
# one of its own, and the rows that it must give as "--= row".
. tests/lib/cli.sh
. tests/lib/postgres.sh
. tests/lib/old_database.sh
chmod 711 "$dir"
cleanup() { pg_stop; }
pg_start "$dir/pg" || exit 1
# answers NNN: the queries behind "-- then", each with what it must give.
answers() {
    local row query= wanted= title= ended=
    while IFS= read -r row; do
        if test "${row:0:3}" = --=; then
            wanted+="${ended:+$'\n'}${row:4}" ended=yes
            continue
        fi
        # What comes behind the rows of a query belongs to the next one.
        if test -n "$ended"; then
            is "$1: ${title:-$query}" "$(sql -c "SET search_path = dmarc, pg_catalog; SET TimeZone = 'UTC'" -c "$query")" "$wanted"
            query= wanted= ended=
        fi
        case $row in
        '-- '*) title=${row#-- } ;;
        ?*) query+=$row ;;
        esac
    done < <(sed '1,/^-- then$/d' "tests/db/old/$1.sql" && echo)
}

pg_newdb new
run --database "$PG_CONNINFO" init
check "a new database" 0 '*' ''
sql -f tests/lib/shape.sql >"$dir/new"
is "has a shape" "$(test "$(wc -l <"$dir/new")" -gt 500 && echo yes)" yes

for file in sql/[0-9]*_*.sql; do
    number=$(basename "${file%%_*}")
    fixture=tests/db/old/$number.sql
    if ! test -s "$fixture"; then
        not_ok "$number: there is no $fixture with data of the form before ${file##*/}"
        continue
    fi
    old_database "old$number" $((10#$number)) || not_ok "$number: an old database"
    is "$number: the data of then fit" "$(old_data "$number")" ""
    run --database "$PG_CONNINFO" init
    check "$number: is upgraded" 0 "^schema dmarc is at version" ''
    answers "$number"
    is "$number: all sums are what the records say" "$(sql -f tests/lib/sums.sql)" ""
    while test "$(sql -c 'SELECT dmarc_store.fold(5, true)')" != 0; do :; done
    is "$number: also when all addresses are folded" "$(sql -f tests/lib/sums.sql)" ""
    sql -f tests/lib/shape.sql >"$dir/shape"
    is "$number: and the schema is that of a new database" "$(diff "$dir/new" "$dir/shape" | head -n 20)" ""
done
finish
