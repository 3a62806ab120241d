#!/bin/bash
# Generated mailboxes: the sums in the database are the generator's truth, whatever way the mails come, and however often.
cd "$(dirname "$0")/.." || exit 1
. tests/lib/postgres.sh

dir=$(mktemp -d)
trap 'pg_stop; rm -rf "$dir"' EXIT
unset WHOSENDS_DATABASE WHOSENDS_CONFIG
pg_start "$dir" || exit 1
n=0 failed=0

# ok STATUS TITLE [FILE with what was seen]
ok()
{
    n=$((n + 1))
    if [ "$1" = 0 ]; then
        echo "ok $n - $2"
    else
        failed=1
        [ -z "${3-}" ] || head -n 40 "$3" | sed 's/^/# /'
        echo "not ok $n - $2"
    fi
}

# ingest TITLE PATH
ingest()
{
    build/whosends --database "$PG_CONNINFO" ingest --quiet "$2" >"$dir/out" 2>&1
    ok $? "$1" "$dir/out"
}

# Domain, reports, records, messages, DKIM aligned, SPF aligned: by our own reckoning, or by the reporters' verdicts.
sums()
{
    psql -X -A -t -F $'\t' -c "SELECT r.domain, count(DISTINCT r.id), count(*), sum(c.message_count),
            coalesce(sum(c.message_count) FILTER (WHERE $1), 0), coalesce(sum(c.message_count) FILTER (WHERE $2), 0)
        FROM dmarc.report r JOIN dmarc.record c ON c.report = r.id AND c.domain = r.domain GROUP BY r.domain" | LC_ALL=C sort
}

# compare TITLE TRUTH
compare()
{
    cut -f 1,3- "$2" | tail -n +3 | LC_ALL=C sort >"$dir/wanted"
    sums c.dkim_aligned c.spf_aligned | diff "$dir/wanted" - >"$dir/diff" && [ -s "$dir/wanted" ]
    ok $? "$1: the sums are the truth" "$dir/diff"
    sums "c.dkim_verdict = 'pass'" "c.spf_verdict = 'pass'" | diff "$dir/wanted" - >"$dir/diff"
    ok $? "$1: and so are the reporters' verdicts" "$dir/diff"
}

# outcomes TITLE STORED DUPLICATES
outcomes()
{
    psql -X -A -t -c "SELECT outcome, count(*) FROM dmarc.message GROUP BY 1 ORDER BY 1" >"$dir/outcomes"
    printf '%s\n' "duplicate|$3" "stored|$2" | diff - "$dir/outcomes" >"$dir/diff"
    ok $? "$1" "$dir/diff"
}

set -- --reports 300 --duplicates 0.1 --seed 7
bench/generate.py --out "$dir/files" --truth "$dir/truth" "$@" || exit 1
bench/generate.py --maildir "$dir/maildir" --truth "$dir/truth2" "$@" || exit 1
bench/generate.py --mbox "$dir/mbox" --truth "$dir/truth3" "$@" || exit 1
cmp -s "$dir/truth" "$dir/truth2" && cmp -s "$dir/truth" "$dir/truth3"
ok $? "the generator makes the same again"

ingest "a directory of mails is ingested" "$dir/files"
compare "directory" "$dir/truth"
outcomes "each mail is stored, or a duplicate" 300 30
ingest "the same mails as a Maildir" "$dir/maildir"
compare "Maildir" "$dir/truth"
outcomes "they are all duplicates" 300 360
ingest "the Maildir again" "$dir/maildir"
outcomes "it was known, and is not counted again" 300 360
ingest "the same mails as an mbox" "$dir/mbox"
compare "mbox" "$dir/truth"
outcomes "they are all duplicates" 300 690

pg_newdb one || exit 1
bench/generate.py --xml "$dir/one.xml.gz" --gz --fixed 30000 --truth "$dir/truth" || exit 1
ingest "one report of 30,000 records, bare" "$dir/one.xml.gz"
compare "one report" "$dir/truth"
ingest "the same report again" "$dir/one.xml.gz"
outcomes "it is a duplicate" 1 1
compare "one report, twice" "$dir/truth"
echo "1..$n"
exit $failed
