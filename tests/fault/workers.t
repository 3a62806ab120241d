#!/bin/bash
# Workers die, crash and hang in the middle of mails: the mail that each was at goes to a fresh one, and no figure changes. A
# mail that two of them die of is a problem with that reason.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/postgres.sh
. tests/lib/whole.sh
. tests/lib/dovecot.sh
. tests/lib/fault.sh

dir=$(mktemp -d)
trap 'dovecot_stop; pg_stop; rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/pg" "$dir/dovecot"
pg_start "$dir/pg" && dovecot_start "$dir/dovecot" && pg_newdb workers && make_mails 10 20 || exit 1
maildir=$MAILDIR
configure
run=("$program" --config "$dir/conf" ingest --workers 2)
send_group
run_clean || { cat "$dir/out"; exit 1; }

for action in kill segv exit ${EVERY:+spin}; do
    for step in 'parsing a document' 'a document was parsed'; do
        [ "$action" != spin ] || [ "$step" = 'parsing a document' ] || continue
        send_group
        # For one that spins the time has to run out.
        run_faulty "$step:$([ "$action" = spin ] && echo 18 || echo 5):$action"
        went_well $status && said '^23 mails: 20 stored, 1 duplicate, 1 without report, 1 problem' && holds done
        ok $? "workers that $action at '$step': each mail is done by another" "status $status after $seconds s" "$dir/out" "$dir/wrong"
    done
done
# Each one dies of each mail: that is the mail's problem, with its reason, and can be tried again.
send_group
run_faulty 'parsing a document:1:segv'
went_well $status && said '^23 mails: 0 stored, 0 duplicate, 1 without report, 22 problems' && holds done
ok $? 'workers that die of each mail: the mails are problems, and the run goes on' "status $status" "$dir/out" "$dir/wrong"
psql -X -A -t -c "SELECT DISTINCT code, detail FROM dmarc_store.message WHERE code IS NOT NULL" >"$dir/reasons"
grep -q 'signal 11' "$dir/reasons"
ok $? 'and the ledger says of what they died' "$dir/reasons"
"$program" --config "$dir/conf" retry --all >"$dir/out" 2>&1
went_well $?
ok $? 'they are read again' "$dir/out"
send_the_rest
run_clean
check_sums 'after all deaths' "$dir/truth"
echo "1..$n"
exit $failed
