#!/bin/bash
# One report of a million records, as a mail: exact sums, in bounded memory. RECORDS: how many; LIMIT: peak KiB (64 MiB).
cd "$(dirname "$0")/.." || exit 1
. tests/lib/postgres.sh

records=${RECORDS:-1000000} limit=${LIMIT:-65536}
dir=$(mktemp -d)
trap 'pg_stop; rm -rf "$dir"' EXIT
unset WHOSENDS_DATABASE WHOSENDS_CONFIG
pg_start "$dir" || exit 1

echo 1..4
bench/generate.py --xml "$dir/report.xml.gz" --gz --fixed "$records" --truth "$dir/truth" || exit 1
{
    printf '%s\n' 'From: noreply@reporter.example' 'To: dmarc@example.com' 'Subject: Report domain: example.com' \
        'Message-ID: <huge@reporter.example>' 'MIME-Version: 1.0' 'Content-Type: application/gzip' \
        'Content-Transfer-Encoding: base64' ''
    base64 "$dir/report.xml.gz"
} >"$dir/report.eml"
tests/lib/measure.py "$dir/cost" build/whosends --database "$PG_CONNINFO" ingest "$dir/report.eml" >"$dir/out" 2>&1
status=$?
read -r user system elapsed peak <"$dir/cost"
sed 's/^/# /' "$dir/out"
echo "# mail of $(stat -c %s "$dir/report.eml") bytes; user $user s, system $system s, elapsed $elapsed s, peak $peak KiB"
[ $status = 0 ] && echo "ok 1 - the report is ingested" || echo "not ok 1 - the report is ingested"
tail -n 1 "$dir/truth" | cut -f 3- >"$dir/wanted"
psql -X -A -t -F $'\t' -c "SELECT (SELECT count(*) FROM dmarc_store.report), count(*), sum(message_count), sum(message_count) FILTER (WHERE dkim_aligned),
        sum(message_count) FILTER (WHERE spf_aligned) FROM dmarc.record" >"$dir/sums"
if cmp -s "$dir/wanted" "$dir/sums"; then echo "ok 2 - the sums are the generator's truth"; else
    sed 's/^/# wanted, got: /' "$dir/wanted" "$dir/sums"
    echo "not ok 2 - the sums are the generator's truth"
fi
[ "$peak" -lt "$limit" ] && echo "ok 3 - within $limit KiB" || echo "not ok 3 - within $limit KiB: $peak"
build/whosends --database "$PG_CONNINFO" ingest "$dir/report.eml" >"$dir/out" 2>&1
grep -q '^1 mail: 0 stored, 1 duplicate' "$dir/out" && echo "ok 4 - the same mail again is a duplicate" || {
    sed 's/^/# /' "$dir/out"
    echo "not ok 4 - the same mail again is a duplicate"
}
