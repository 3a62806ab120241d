#!/bin/bash
# The sample corpus, where it lies beside the checkout: nothing crashes, every report of a well-formed document is stored
# with the figures that the corpus's own table has, and what is not stored has a reason.
cd "$(dirname "$0")/.." || exit 1
corpus=../shared/corpus
if [ ! -e "$corpus/expected.tsv" ]; then
    echo "1..0 # SKIP the sample corpus is not here"
    exit 0
fi
. tests/lib/postgres.sh
. tests/lib/whole.sh

dir=$(mktemp -d)
trap 'pg_stop; rm -rf "$dir"' EXIT
pg_start "$dir" || exit 1

figures()
{
    psql -X -A -t -c "SELECT (SELECT count(*) FROM dmarc_store.report), (SELECT count(*) FROM dmarc.record),
        (SELECT sum(message_count) FROM dmarc.record), (SELECT sum(message_count) FROM dmarc_store.report),
        (SELECT count(*) FROM dmarc_store.failure_report), (SELECT count(*) FROM dmarc_store.tls_report),
        (SELECT sum(successful + failed) FROM dmarc_store.tls_policy)"
}

build/whosends --database "$PG_CONNINFO" ingest --quiet "$corpus/files" >"$dir/out" 2>&1
status=$?
[ $status != 65 ] || status=0 # problems are expected
[ $status = 0 ] || sed 's/^/# /' "$dir/out"
ok $status "the corpus is ingested"

python3 tests/lib/corpus_compare.py "$corpus" $((n + 1)) || failed=1
n=$((n + 4))

before=$(figures)
build/whosends --database "$PG_CONNINFO" ingest --quiet "$corpus/files" >"$dir/out" 2>&1
status=$?
[ $status != 65 ] || status=0
ok $status "the corpus is ingested again"
after=$(figures)
[ "$before" = "$after" ] || echo "# before $before, after $after"
[ -n "$before" ] && [ "$before" = "$after" ]
ok $? "and nothing is counted twice"

wrong=$(psql -X -A -t -c "SELECT count(*) FROM dmarc_store.report r WHERE message_count IS DISTINCT FROM
    (SELECT coalesce(sum(message_count), 0) FROM dmarc.record c WHERE c.domain = r.domain AND c.day = r.day AND c.report = r.id)")
[ "$wrong" = 0 ]
ok $? "the totals of the reports are those of their records"
echo "1..$n"
exit $failed
