#!/bin/bash
# Mails that attack: each becomes one problem, soon and in little memory, and the good mail beside it is stored.
# SECONDS_MOST: of CPU for one mail; KIB_MOST: peak memory.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/postgres.sh
. tests/lib/whole.sh

dir=$(mktemp -d)
trap 'pg_stop; rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/pg" "$dir/mails"
tests/fault/hostile_mails.py "$dir/mails" >"$dir/attacks" && pg_start "$dir/pg" && pg_newdb attacks || exit 1
build/whosends --database "$PG_CONNINFO" init >/dev/null 2>&1 || exit 1
most=${SECONDS_MOST:-2} memory=${KIB_MOST:-65536}

while IFS=$'\t' read -r name outcome pattern; do
    tests/lib/measure.py "$dir/cost" timeout 60 build/whosends --database "$PG_CONNINFO" ingest "$dir/mails/$name.eml" >"$dir/out" 2>&1
    read -r user system _ peak <"$dir/cost"
    rm "$dir/mails/$name.eml"
    said=$(psql -X -A -t -c "SELECT concat_ws(' ', m.outcome, m.code, m.detail, (SELECT string_agg(concat_ws(' ', d.code, d.detail), ' ')
        FROM dmarc_store.document d WHERE d.message = m.id)) FROM dmarc_store.message m WHERE m.source LIKE '%/$name.eml'")
    [[ $said =~ ^$outcome\ .*($pattern) ]]
    ok $? "$name: $outcome" "$said" "$dir/out"
    python3 -c "raise SystemExit($user + $system > $most or $peak > $memory)"
    ok $? "$name: $(python3 -c "print(f'{$user + $system:.2f} s, {$peak / 1024:.0f} MiB')")" "at most $most s, $memory KiB"
done <"$dir/attacks"
[ "$n" -gt 30 ]
ok $? 'all attacks were tried'
bench/generate.py --reports 20 --out "$dir/good" --truth "$dir/truth"
build/whosends --database "$PG_CONNINFO" ingest "$dir/good" >"$dir/out" 2>&1
check_sums 'after the attacks' "$dir/truth"
echo "1..$n"
exit $failed
