#!/bin/bash
# What several ingesters at once are worth, and whether they agree: four of them with one worker each, beside one with one
# worker and one with as many as there are processors. A tenth of the reports arrive twice; the mails are dealt to four
# directories in turn, so that the two mails of a report land in different ones. The sums have to be the generator's, each
# mail has to be in the ledger, and the server's log may not know of a deadlock.
#
# usage: bench/together.sh     MAILS: how many reports (20000); ROUNDS (3)
set -u
cd "$(dirname "$0")/.." || exit 1
. bench/lib.sh
reports=${MAILS:-20000}
bench/generate.py --out "$dir/mails" --reports "$reports" --duplicates 0.1 --truth "$dir/truth" || exit 1
mails=$(sed -n 2p "$dir/truth" | cut -f 2)
number=0
mkdir "$dir"/part{0,1,2,3}
for file in "$dir"/mails/*; do
    ln "$file" "$dir/part$((number++ % 4))/"
done
pg_start "$dir" "${PG_DEFAULTS[@]}" || exit 1
make_template

# one_round NAME COMMAND...
one_round()
{
    local ledger
    step "round $round of $rounds: $1"
    fresh bench postgres
    cost "${@:2}"
    right bench "$dir/truth"
    ledger=$(psql -X -A -t -d bench -c "SELECT string_agg(outcome || ' ' || n, ', ' ORDER BY outcome)
        FROM (SELECT outcome, count(*) AS n FROM dmarc.message GROUP BY outcome) o")
    [ "$ledger" = "duplicate $((mails - reports)), stored $reports" ] || die "the ledger has: $ledger"
    ! grep -i deadlock "$PG_DIR/log" || die 'deadlocks in the log of the server'
    note "$1: elapsed" "$elapsed"
    note "$1: CPU, client and server" "$both"
}

for ((round = 1; round <= rounds; round++)); do
    reader=(build/whosends --database "$(conninfo bench)" ingest --quiet)
    one_round 'one ingester, one worker' "${reader[@]}" --workers 1 "$dir/mails"
    one=$elapsed
    one_round 'one ingester, all processors' "${reader[@]}" "$dir/mails"
    all=$elapsed
    # shellcheck disable=SC2016
    one_round 'four ingesters, one worker each' bash -c 'dir=$1 status=0; shift
        for part in 0 1 2 3; do "$@" --workers 1 "$dir/part$part" & done
        for part in 0 1 2 3; do wait -n || status=1; done
        exit $status' four "$dir" "${reader[@]}"
    note 'four ingesters: throughput, times one with one worker' "$(calculate "$one / $elapsed")"
    note 'four ingesters: throughput, times one with all processors' "$(calculate "$all / $elapsed")"
done
heading "$mails mails of $reports reports, $(nproc) processors: seconds"
for name in 'one ingester, one worker' 'one ingester, all processors' 'four ingesters, one worker each'; do
    show "$name: elapsed" s
    show "$name: CPU, client and server" s
done
show 'four ingesters: throughput, times one with one worker' times '>= 1.6'
show 'four ingesters: throughput, times one with all processors' times
