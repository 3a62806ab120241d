#!/bin/bash
# The clock is wrong, or stands still: times come from the reports alone, nothing is lost, and each mail counts once.
. tests/lib/cli_database.sh clock
if ! command -v faketime >/dev/null; then
    echo "1..0 # SKIP faketime is not here"
    exit 0
fi
bench/generate.py --reports 60 --records-mean 4 --duplicates 0.1 --out "$dir/mails" --truth "$dir/truth" || exit 1

# What must not depend on the clock: everything but when it was read, and the warning about odd dates.
stored() {
    sql "SELECT outcome, count(*) FROM dmarc_store.message GROUP BY 1 ORDER BY 1"
    sql "SELECT reporter, report_id, domain, period_begin, period_end, day FROM dmarc_store.report ORDER BY 1, 2, 3, 4"
    sql "SELECT count(*), sum(message_count) FROM dmarc.record"
}

# at NAME FAKETIME-ARGUMENT...: reads all mails by that clock, into an empty database
at() {
    local name=$1
    shift
    sql "DROP SCHEMA IF EXISTS dmarc, dmarc_store CASCADE" >/dev/null 2>&1
    status=0
    faketime --exclude-monotonic "$@" "$program" ingest "$dir/mails" >"$dir/out" 2>"$dir/err" || status=$?
    check "$name: all mails are read" 0 ' 60 stored, 6 duplicate, 0 without report, 0 problems' ''
    if stored | diff "$dir/wanted" - >"$dir/diff"; then
        ok "$name: the same is stored"
    else
        not_ok "$name: the same is stored" "$(head "$dir/diff")"
    fi
}

run ingest "$dir/mails"
check "by the right clock" 0 ' 60 stored, 6 duplicate, 0 without report, 0 problems' ''
stored >"$dir/wanted"
at "at the beginning of time" '1970-01-02 00:00:00'
at "when 32 bits end" '2038-01-19 03:14:05'
at "ten years ahead" -f '+10y'
at "while it stands still" -f '2026-01-01 00:00:00'
finish
