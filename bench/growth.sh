#!/bin/bash
# Whether a mail costs more when much is stored: the same new mails, four records each, read into copies of a database with ten
# thousand records, a hundred thousand, a million, ten million (see stock.sh). CPU of client and server a mail, after some
# other mails to warm up, and the ratio to the smallest of the databases in the same round. The mails are about the last week, as
# mails are that come; DAYS=365 spreads them over all that is stored, as when an old mailbox is read again.
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
heading "What one of $new new mails about $days days costs by what is stored: CPU microseconds of client and server"
for stage in "${stages[@]}"; do
    IFS=$'\t' read -r _ have <<<"$stage"
    show "$have records: us a mail" us
    show "$have records: us a mail, server alone" us
    show "$have records: times the first" times '<= 1.2'
    show "$have records: times the first, server alone" times
done
