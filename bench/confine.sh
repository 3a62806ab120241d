#!/bin/bash
# What confinement costs: the same small mails read by confined workers and with --no-confine, in turns. CPU seconds of the
# client with all its children, and with the database server counted in; the ratios are those of the same round.
#
# usage: bench/confine.sh     MAILS: how many (20000); ROUNDS (5); WORKERS: at once (the number of processors)
set -u
cd "$(dirname "$0")/.." || exit 1
. bench/lib.sh
mails=${MAILS:-20000} rounds=${ROUNDS:-5} workers=${WORKERS:-0}
bench/generate.py --reports "$mails" --out "$dir/mails" --truth "$dir/truth" && pg_start "$dir" || exit 1
make_template

# one_round NAME [OPTION]
one_round()
{
    fresh bench postgres
    ingest bench --workers "$workers" "${@:2}" "$dir/mails"
    right bench "$dir/truth"
    note "$1: us a mail, client" "$(calculate "$client / $mails * 1e6")"
    note "$1: us a mail, client and server" "$(calculate "$both / $mails * 1e6")"
}

for ((round = 1; round <= rounds; round++)); do
    step "round $round of $rounds"
    one_round confined
    confined=$both confined_client=$client
    one_round 'not confined' --no-confine
    note 'confined, times not confined: client' "$(calculate "$confined_client / $client")"
    note 'confined, times not confined: client and server' "$(calculate "$confined / $both")"
done
heading "$mails small mails, confined and not: CPU microseconds"
for name in confined 'not confined'; do
    show "$name: us a mail, client" us
    show "$name: us a mail, client and server" us
done
show 'confined, times not confined: client' times '<= 1.25'
show 'confined, times not confined: client and server' times '<= 1.25'
