#!/bin/bash
# What answers cost on a large database (see stock.sh), and what it takes on the disk. CPU of the backend and elapsed time, each
# question by itself, as medians: warm, asked again and again in one session; in a new session of a warm server; and cold, after
# a restart of the server with its files out of the kernel's cache. Autovacuum is off meanwhile, since VACUUM ANALYZE came
# before.
#
# usage: bench/query.sh     RECORDS (10000000); DOMAINS (2000); BENCH_DIR; TIMES: how often when warm (10); ROUNDS (3)
set -u
cd "$(dirname "$0")/.." || exit 1
. bench/lib.sh
. bench/stock.sh
times=${TIMES:-10}

stock_start
pg_halt
pg_start "$stock/server" "${PG_DEFAULTS[@]}" autovacuum=off || exit 1
export PG_DIR
step 'choosing domains and addresses'
bench/query.py plan "$stock/truth" "$dir/questions" || exit 1

printf '\nHow the database was loaded: CPU seconds\n%-40s %9s %9s %9s\n' 'up to so many records' client server elapsed
awk -F '\t' '{ printf "%-40s %9.2f %9.2f %9.2f\n", $1, $2, $3, $4 }' "$stock/load"

disk_records=$(cat "$stock/disk.records")
printf '\nWhat %s records take on the disk, in MB\n%-40s %9s %9s %9s\n' "$disk_records" relation table indexes both
awk -F '\t' '$4 >= 1e6 { printf "%-40s %9.1f %9.1f %9.1f\n", $1 == "*" ? "all" : $1, $2 / 1e6, $3 / 1e6, $4 / 1e6 }' "$stock/disk"
bytes=$(calculate "$(sed -n 's/^\*.*\t//p' "$stock/disk") / $disk_records")
# ask NAME TIMES HOW
ask()
{
    bench/query.py run "$dir/questions" "$1" "$2" "$3" >>"$dir/costs" || exit 1
}

while read -r name; do
    step "warm: $name"
    ask "$name" 1 first
    # What takes more than five seconds is not asked so often.
    [ "$(tail -n 1 "$dir/costs" | cut -f 4 | cut -d . -f 1)" -le 5000 ] && often=$rounds || often=1
    for ((round = 1; round <= often; round++)); do
        ask "$name" 1 new
    done
    ask "$name" "$times" warm
    for ((round = 1; round <= often; round++)); do
        step "cold: $name"
        pg_halt && bench/query.py forget "$stock/server/data" && pg_restart || exit 1
        ask "$name" 1 cold
    done
done < <(bench/query.py names "$dir/questions")

printf '\nAnswers from %s records of %s domains, a year: milliseconds, medians\n' "$(cut -f 2 "$stock/stages" | tail -n 1)" "$domains"
bench/query.py table "$dir/questions" "$dir/costs" "$dir/targets"
heading 'What has a target'
row "$disk_records records: bytes a record, all included" "$bytes" "$bytes" "$bytes" bytes '<= 160'
# A plain normalised form takes 437 bytes for its three tables of records and results alone.
alone=$(awk -F '\t' -v n="$disk_records" '$1 ~ /^dmarc_store\.(message|document|report)$/ { ledger += $4 } $1 == "*" { all = $4 }
    END { printf "%.0f", (all - ledger) / n }' "$stock/disk")
row '- without reports and the ledger of mails' "$alone" "$alone" "$alone" bytes '<= 160'
while IFS=$'\t' read -r name median least greatest unit target; do
    row "$name" "$median" "$least" "$greatest" "$unit" "$target"
done <"$dir/targets"
