#!/bin/bash
# What confinement costs: the same small mails read by confined workers and with --no-confine, in turns. CPU seconds of the
# client with all its children, and with the database server counted in; the ratios are those of the medians.
#
# usage: bench/confine.sh     MAILS: how many (20000); ROUNDS (5); WORKERS: at once (the number of processors)
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/postgres.sh
mails=${MAILS:-20000} rounds=${ROUNDS:-5} workers=${WORKERS:-0}
unset WHOSENDS_DATABASE WHOSENDS_CONFIG
dir=$(mktemp -d)
trap 'pg_stop; rm -rf "$dir"' EXIT
bench/generate.py --reports "$mails" --out "$dir/mails" --truth "$dir/truth" && pg_start "$dir" || exit 1
PGDATABASE=postgres build/whosends --database "$PG_CONNINFO" init >/dev/null 2>&1 || exit 1

# CPU seconds of the server: of its first process, its children, and those that are gone.
server_cpu()
{
    local first
    sleep 0.3
    first=$(head -n 1 "$PG_DIR/data/postmaster.pid")
    for pid in $first $(pgrep -P "$first"); do
        awk -v hertz="$(getconf CLK_TCK)" -v whole=$((pid == first)) \
            '{ sub(/.*\) /, ""); print ($12 + $13 + (whole ? $14 + $15 : 0)) / hertz }' "/proc/$pid/stat"
    done | awk '{ sum += $1 } END { print sum }'
}

# read_all MODE [OPTION]: client, both
read_all()
{
    local before after
    psql -X -q -d template1 -c 'DROP DATABASE IF EXISTS bench' -c 'CREATE DATABASE bench TEMPLATE postgres' 2>/dev/null
    before=$(server_cpu)
    tests/lib/measure.py "$dir/cost" build/whosends --database "${PG_CONNINFO/dbname=postgres/dbname=bench}" ingest --quiet \
        --workers "$workers" "${@:2}" "$dir/mails" >"$dir/out" 2>&1 || { cat "$dir/out"; exit 1; }
    after=$(server_cpu)
    awk -v mode="$1" -v before="$before" -v after="$after" \
        '{ printf "%s %.2f %.2f %.2f %d\n", mode, $1 + $2, $1 + $2 + after - before, $3, $4 }' "$dir/cost" | tee -a "$dir/rounds"
}

echo "mode client both elapsed peak_KiB" | tee "$dir/rounds"
for ((round = 0; round < rounds; round++)); do
    read_all confined
    read_all open --no-confine
done
python3 - "$dir/rounds" "$mails" <<'END'
import statistics
import sys
rows = [line.split() for line in open(sys.argv[1])][1:]
for column, name in ((1, "client"), (2, "client and server")):
    confined, free = (statistics.median(float(row[column]) for row in rows if row[0] == mode) for mode in ("confined", "open"))
    print(f"{name}: {confined / free:.3f} times --no-confine ({confined / int(sys.argv[2]) * 1e6:.0f} and "
          f"{free / int(sys.argv[2]) * 1e6:.0f} us a mail; target: at most 1.25)")
END
