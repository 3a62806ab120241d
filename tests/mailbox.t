#!/bin/bash
# A whole mailbox over TLS: everything is moved and counted once, a second run changes nothing, and neither do ten kill -9.
# MAILS: how many (5,000); SEED: of the mails and of the moments of death.
cd "$(dirname "$0")/.." || exit 1
. tests/lib/postgres.sh
. tests/lib/whole.sh
. tests/lib/dovecot.sh

mails=${MAILS:-5000} seed=${SEED:-$RANDOM}
RANDOM=$seed
dir=$(mktemp -d)
trap 'dovecot_stop; pg_stop; rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/pg" "$dir/dovecot"
pg_start "$dir/pg" && dovecot_start "$dir/dovecot" || exit 1

configure()
{
    (umask 077 && cat >"$dir/conf" <<CONF
[whosends]
database = $PG_CONNINFO
[imap]
host = localhost
port = $IMAPS_PORT
user = dmarc
password = secret
ca_file = $CA_FILE
batch = ${1:-500}
CONF
    )
}

deliver()
{
    mkdir -p "$MAILDIR/new" "$MAILDIR/cur" "$MAILDIR/tmp"
    cp -r "$dir/mails/cur" "$dir/mails/new" "$MAILDIR/" && chown -R "$(dovecot_owner)" "$MAILDIR"
}

in_folder()
{
    find "$MAILDIR/$1cur" "$MAILDIR/$1new" -type f 2>/dev/null | wc -l
}

check_ledger()
{
    psql -X -A -t -c "SELECT count(*) FROM dmarc_store.message" >"$dir/count"
    [ "$(cat "$dir/count")" = "$2" ]
    ok $? "$1: the ledger holds $2 mails" "$dir/count"
    psql -X -A -t -c "SELECT outcome, count(*) FROM dmarc_store.message GROUP BY 1 ORDER BY 1" >"$dir/outcomes"
    printf '%s\n' "duplicate|$3" "stored|$4" | grep -v '|0$' | diff - "$dir/outcomes" >"$dir/diff"
    ok $? "$1: $4 stored, $3 duplicate" "$dir/diff"
}

doubles=$((mails / 20))
bench/generate.py --reports $((mails - doubles)) --duplicates "$(python3 -c "print($doubles / ($mails - $doubles))")" \
    --records-mean 3 --seed "$seed" --maildir "$dir/mails" --truth "$dir/truth" || exit 1
total=$(find "$dir/mails" -type f | wc -l)
echo "# $total mails, seed $seed"

# One clean run, and once more.
configure
deliver
tests/lib/measure.py "$dir/cost" build/whosends --config "$dir/conf" ingest >"$dir/out" 2>&1
ok $? "the mailbox is ingested over TLS" "$dir/out"
sed 's/^/# user, system, elapsed seconds, peak KiB: /' "$dir/cost"
grep -q "^$total mails: " "$dir/out"
ok $? "the summary counts all mails" "$dir/out"
[ "$(in_folder '')" = 0 ] && [ "$(in_folder .Processed/)" = "$total" ]
ok $? "all of them are in Processed"
check_sums "one run" "$dir/truth"
check_ledger "one run" "$total" $((total - (mails - doubles))) $((mails - doubles))
build/whosends --config "$dir/conf" ingest >"$dir/out" 2>&1
ok $? "a second run ends well" "$dir/out"
grep -q "^0 mails: 0 stored, 0 duplicate" "$dir/out"
ok $? "and says that there was nothing" "$dir/out"
deliver
build/whosends --config "$dir/conf" ingest >"$dir/out" 2>&1
grep -q "^$total mails: 0 stored, $total duplicate" "$dir/out"
ok $? "all mails once more are all duplicates" "$dir/out"
check_sums "all mails twice" "$dir/truth"

# Ten deaths at random moments of about half a run, in small batches so that there is much to interrupt.
pg_newdb killed || exit 1
configure 100
rm -rf "$MAILDIR/.Processed"
deliver
killed=0 longest=$(awk '{ print int($3 * 1000 / 16) }' "$dir/cost")
for round in 1 2 3 4 5 6 7 8 9 10; do
    build/whosends --config "$dir/conf" ingest >"$dir/out" 2>&1 &
    pid=$!
    sleep "$(python3 -c "print($((RANDOM % longest + 20)) / 1000)")"
    kill -9 $pid 2>/dev/null && killed=$((killed + 1))
    wait $pid 2>/dev/null
    echo "# round $round: $(in_folder '') mails left"
done
[ $killed -ge 5 ]
ok $? "killed $killed times in the middle"
build/whosends --config "$dir/conf" ingest >"$dir/out" 2>&1
ok $? "the last run ends well" "$dir/out"
sed 's/^/# /' "$dir/out"
[ "$(in_folder '')" = 0 ] && [ "$(in_folder .Processed/)" -ge "$total" ]
ok $? "after the deaths all mails are in Processed"
check_sums "after ten deaths" "$dir/truth"
check_ledger "after ten deaths" "$total" $((total - (mails - doubles))) $((mails - doubles))
echo "1..$n"
exit $failed
