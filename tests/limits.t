#!/bin/bash
# Every limit of the configuration: by default a mail keeps it, and when it is lowered the ledger's reason names it.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/postgres.sh
. tests/lib/whole.sh

dir=$(mktemp -d)
trap 'pg_stop; rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/pg" "$dir/mails"

tests/lib/limit_mails.py "$dir/mails" >"$dir/limits" && pg_start "$dir/pg" && pg_newdb limits || exit 1
# These two say nothing of a mail's content: tests/cli/originals.t and tests/unit/test_crew.c hold them.
build/whosends help config | sed -n '/^\[limits\]/,/^\[/s/^  \([a-z_]*\) = .*/\1/p' | grep -vxE 'original_size|worker_seconds' |
    sort >"$dir/names"
cut -f 1 "$dir/limits" | sort | diff "$dir/names" - >"$dir/diff" && [ -s "$dir/names" ]
ok $? "each limit of the configuration has its mail" "$(head "$dir/diff")"

# What the ledger and the reports say of one mail.
said()
{
    psql -X -A -t -c "SELECT concat_ws(' ', m.outcome, m.detail, (SELECT string_agg(concat_ws(' ', d.outcome, d.detail, r.warnings::text), ' ')
        FROM dmarc_store.document d LEFT JOIN dmarc_store.report r ON d.kind = 'aggregate' AND r.id = d.report AND r.domain = d.domain
        WHERE d.message = m.id)) FROM dmarc_store.message m WHERE m.source LIKE '%/$1.eml'"
}

build/whosends --database "$PG_CONNINFO" init >/dev/null 2>&1
while IFS=$'\t' read -r name lowered found both; do
    build/whosends --database "$PG_CONNINFO" ${both:+--set "limits.$both"} ingest --quiet "$dir/mails/default/$name.eml" >"$dir/out" 2>&1
    before=$(said "default/$name")
    [[ $before == stored\ * && $before != *"$found"* ]]
    ok $? "$name: kept by default" "$before" "$(cat "$dir/out")"
    build/whosends --database "$PG_CONNINFO" ${both:+--set "limits.$both"} --set "limits.$lowered" ingest --quiet \
        "$dir/mails/lowered/$name.eml" >"$dir/out" 2>&1
    after=$(said "lowered/$name")
    [[ -n $found && $after == *"$found"* ]]
    ok $? "$name: named by the ledger with $lowered" "$after" "$(cat "$dir/out")"
done <"$dir/limits"

build/whosends --database "$PG_CONNINFO" --set limits.no_such=1 ingest "$dir/mails/default/records.eml" >"$dir/out" 2>&1
[ $? = 64 ] && grep -q no_such "$dir/out"
ok $? "a limit that there is none of is refused" "$(cat "$dir/out")"
echo "1..$n"
exit $failed
