#!/bin/bash
# Whether a mail costs more when much is stored: the same new mails, four records each, read into copies of a database with ten
# thousand records, a hundred thousand, a million, ten million (see stock.sh). CPU of client and server a mail, after some
# other mails to warm up, and the ratio to the smallest of the databases in the same round. The mails are about the last week, as
# mails are that come; DAYS=365 spreads them over all that is stored, as when an old mailbox is read again.
#
# CPU hangs on the machine, such as on what a page fault costs there. So the same is done once more with the server below valgrind,
# which counts the server's own instructions, everywhere the same ones. That is left out without valgrind.
#
# usage: bench/growth.sh     RECORDS (10000000); DOMAINS (2000); BENCH_DIR; NEW: how many new mails (2000); DAYS (7); ROUNDS (7)
set -u
cd "$(dirname "$0")/.." || exit 1
. bench/lib.sh
. bench/stock.sh
new=${NEW:-2000} days=${DAYS:-7} rounds=${ROUNDS:-7}

bench/generate.py --out "$dir/warm" --reports 200 --domains "$domains" --days "$days" --seed 2 --truth "$dir/truth" || exit 1
bench/generate.py --out "$dir/new" --reports "$new" --domains "$domains" --days "$days" --seed 3 --truth "$dir/truth" || exit 1
stock_start
mapfile -t stages < <(stages_of_stock)

# read_new DATABASE: the new mails into a copy of it, and what that costs
read_new()
{
    fresh growth "$1"
    ingest growth "$dir/warm"
    psql -X -q -d growth -c CHECKPOINT
    cost build/whosends --database "$(conninfo growth)" ingest "$dir/new"
    grep -q "^$new mails: $new stored" "$dir/out" || die "not all of the $new mails were stored:" "$(cat "$dir/out")"
}

for ((round = 1; round <= rounds; round++)); do
    first=
    for stage in "${stages[@]}"; do
        IFS=$'\t' read -r database have <<<"$stage"
        step "round $round of $rounds: $have records"
        read_new "$database"
        [ -n "$first" ] || first=$both first_server=$server
        note "$have records: us a mail" "$(calculate "$both / $new * 1e6")"
        note "$have records: us a mail, server alone" "$(calculate "$server / $new * 1e6")"
        [ "$both" = "$first" ] && continue
        note "$have records: times the first" "$(calculate "$both / $first")"
        note "$have records: times the first, server alone" "$(calculate "$server / $first_server")"
    done
done

# Of a process it is written down when that ends; the one that stored the new mails did more than all others.
count_instructions()
{
    local tried count first=
    mkdir "$dir/counts" && chmod go+x "$dir" && chmod 777 "$dir/counts" || exit 1
    pg_halt
    pg_as_owner valgrind --quiet --tool=callgrind --callgrind-out-file="$dir/counts/%p" "$PG_BIN/postgres" -D "$PG_DIR/data" \
        -c autovacuum=off >"$dir/valgrind" 2>&1 &
    for ((tried = 0; tried < 60; tried++)); do
        psql -X -q -d template1 -c '' 2>/dev/null && break
        sleep 1
    done
    [ "$tried" -lt 60 ] || die 'the server does not start below valgrind:' "$(cat "$dir/valgrind")"
    for stage in "${stages[@]}"; do
        IFS=$'\t' read -r database have <<<"$stage"
        step "counting instructions: $have records"
        rm -f "$dir"/counts/*
        read_new "$database"
        sleep 2
        count=$(awk '/^summary:/ && $2 > most { most = $2 } END { printf "%.0f", most }' "$dir"/counts/*)
        [ "$count" -gt 0 ] || die 'valgrind counted nothing'
        note "$have records: instructions of the server a mail" "$(calculate "$count / $new / 1000")"
        [ -z "$first" ] || note "$have records: instructions, times the first" "$(calculate "$count / $first")"
        first=${first:-$count}
    done
}
! command -v valgrind >/dev/null || count_instructions
psql -X -q -d template1 -c 'DROP DATABASE growth'
heading "What one of $new new mails about $days days costs by what is stored: CPU microseconds of client and server"
for stage in "${stages[@]}"; do
    IFS=$'\t' read -r _ have <<<"$stage"
    show "$have records: us a mail" us
    show "$have records: us a mail, server alone" us
    show "$have records: times the first" times '<= 1.2'
    show "$have records: times the first, server alone" times
    show "$have records: instructions of the server a mail" thousand
    show "$have records: instructions, times the first" times '<= 1.2'
done
