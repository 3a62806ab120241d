#!/bin/bash
# Generated mailboxes: the sums in the database are the generator's truth, whatever way the mails come, and however often.
cd "$(dirname "$0")/.." || exit 1
. tests/lib/postgres.sh
. tests/lib/whole.sh

dir=$(mktemp -d)
trap 'pg_stop; rm -rf "$dir"' EXIT
pg_start "$dir" || exit 1

# ingest TITLE PATH
ingest()
{
    build/whosends --database "$PG_CONNINFO" ingest --quiet "$2" >"$dir/out" 2>&1
    ok $? "$1" "$dir/out"
}

# compare TITLE TRUTH
compare()
{
    check_sums "$1" "$2"
    sums "c.dkim_verdict = 'pass'" "c.spf_verdict = 'pass'" | diff "$dir/wanted" - >"$dir/diff"
    ok $? "$1: and so are the reporters' verdicts" "$dir/diff"
}

# outcomes TITLE STORED DUPLICATES
outcomes()
{
    psql -X -A -t -c "SELECT outcome, count(*) FROM dmarc_store.message GROUP BY 1 ORDER BY 1" >"$dir/outcomes"
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
