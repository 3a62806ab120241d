#!/bin/bash
# Whether a mail costs more when much is stored: the same new mails, four records each, read into copies of a database with ten
# thousand records, a hundred thousand, a million, ten million (see stock.sh). CPU of client and server a mail, after some
# other mails to warm up, and the ratio to the smallest of the databases in the same round. The mails are about the last week, as
# mails are that come; DAYS=365 spreads them over all that is stored, as when an old mailbox is read again.
#
# CPU has the kernel's work in it, and that is of the machine: a connection that sees more of the server's memory for the first time
# pays a page fault for each page, and those cost fifty times as much on some virtual machines. So the same mails are read once more
# with the server below valgrind, which counts the server's own instructions, everywhere the same. It is left out without valgrind.
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

for ((round = 1; round <= rounds; round++)); do
    first=
    for stage in "${stages[@]}"; do
        IFS=$'\t' read -r database have <<<"$stage"
        step "round $round of $rounds: $have records"
        fresh growth "$database"
        ingest growth "$dir/warm"
        psql -X -q -d growth -c CHECKPOINT
        cost build/whosends --database "$(conninfo growth)" ingest "$dir/new"
        grep -q "^$new mails: $new stored" "$dir/out" || die "not all of the $new mails were stored:" "$(cat "$dir/out")"
        [ -n "$first" ] || first=$both first_server=$server
        note "$have records: us a mail" "$(calculate "$both / $new * 1e6")"
        note "$have records: us a mail, server alone" "$(calculate "$server / $new * 1e6")"
        [ "$both" = "$first" ] && continue
        note "$have records: times the first" "$(calculate "$both / $first")"
        note "$have records: times the first, server alone" "$(calculate "$server / $first_server")"
    done
done
psql -X -q -d template1 -c 'DROP DATABASE growth'

# Below valgrind the server takes fifty times as long; what it counted of a process it writes when that ends.
counted()
{
    local tried
    mkdir "$dir/counts" && chmod go+x "$dir" && chmod 777 "$dir/counts" || exit 1
    for stage in "${stages[@]}"; do
        fresh "growth_${stage%%$'\t'*}" "${stage%%$'\t'*}"
        ingest "growth_${stage%%$'\t'*}" "$dir/warm"
    done
    pg_halt
    pg_as_owner valgrind --quiet --tool=callgrind --callgrind-out-file="$dir/counts/%p" "$PG_BIN/postgres" -D "$PG_DIR/data" \
        -c autovacuum=off >"$dir/valgrind" 2>&1 &
    for ((tried = 0; tried < 60; tried++)); do
        psql -X -q -d template1 -c '' 2>/dev/null && break
        sleep 1
    done
    first=
    for stage in "${stages[@]}"; do
        IFS=$'\t' read -r database have <<<"$stage"
        step "counting instructions: $have records"
        psql -X -q -d "growth_$database" -c CHECKPOINT || die "$(cat "$dir/valgrind")"
        sleep 2
        rm -f "$dir"/counts/*
        build/whosends --database "$(conninfo "growth_$database")" ingest "$dir/new" >"$dir/out" 2>&1
        grep -q "^$new mails: $new stored" "$dir/out" || die "not all of the $new mails were stored:" "$(cat "$dir/out")"
        sleep 2
        count=$(awk '/^summary:/ { sum += $2 } END { printf "%d", sum }' "$dir"/counts/*)
        [ "$count" -gt 0 ] || die 'valgrind counted nothing'
        [ -n "$first" ] || first=$count
        note "$have records: instructions of the server a mail" "$(calculate "$count / $new / 1000")"
        [ "$count" = "$first" ] || note "$have records: instructions, times the first" "$(calculate "$count / $first")"
    done
    pg_halt
    pg_restart || exit 1
    for stage in "${stages[@]}"; do
        psql -X -q -d template1 -c "DROP DATABASE growth_${stage%%$'\t'*}"
    done
}
instructions=
if command -v valgrind >/dev/null; then
    counted
    instructions=1
fi
heading "What one of $new new mails about $days days costs by what is stored: CPU microseconds of client and server"
for stage in "${stages[@]}"; do
    IFS=$'\t' read -r _ have <<<"$stage"
    show "$have records: us a mail" us
    show "$have records: us a mail, server alone" us
    show "$have records: times the first" times '<= 1.2'
    show "$have records: times the first, server alone" times
    [ -z "$instructions" ] && continue
    show "$have records: instructions of the server a mail" thousand
    show "$have records: instructions, times the first" times '<= 1.2'
done
