#!/bin/bash
# What it costs to get mails into the database, beside the two things that no way around leads: `xmllint --sax --noout` over
# the same documents, already unpacked, and COPY of the same records as text into a table with a primary key. CPU seconds of
# the client with all its workers and of the server, ratios to the sum of both floors in the same round. Confined workers,
# the ledger and the originals are included; the server has the settings of a new cluster. After each load the rows are
# compared with what the generator made.
#
# usage: bench/ingest.sh     SMALL: small mails (5000), the first fifth of them a set of its own; BIG: records in each of 20
#                            reports (20000); HUGE: records in one report (1000000); ROUNDS (3)
set -u
cd "$(dirname "$0")/.." || exit 1
. bench/lib.sh
small=${SMALL:-5000} big=${BIG:-20000} huge=${HUGE:-1000000} part=
part=$((small / 5))
command -v xmllint >/dev/null || die 'this needs xmllint (on Debian: apt-get install libxml2-utils)'

pg_start "$dir" "${PG_DEFAULTS[@]}" || exit 1
make_template
psql -X -q -d template1 -c 'CREATE DATABASE empty' || exit 1
psql -X -q -d empty -c 'CREATE TABLE flat (report int, ordinal int, source_ip inet, messages bigint, disposition text, dkim text, spf text,
    header_from text, envelope_from text, dkim_domains text, dkim_selectors text, dkim_results text, spf_domain text,
    spf_scope text, spf_result text, PRIMARY KEY (report, ordinal))' || exit 1

# make_set NAME DIRECTORY-OPTIONS...: mails, documents, rows, truth
make_set()
{
    step "making the set $1"
    mkdir -p "$dir/$1"
    if [ "$1" = huge ]; then
        huge "$huge" "$dir/huge"
    else
        bench/generate.py --out "$dir/$1/mails" --truth "$dir/$1/truth" "${@:2}" || exit 1
    fi
    bench/unpack.py "$dir/$1/mails" --xml "$dir/$1/xml" --rows "$dir/$1/rows" || exit 1
}
make_set part --reports "$part"
make_set small --reports "$small"
make_set big --reports 20 --fixed "$big"
make_set huge

# one_round SET NAME
one_round()
{
    local set=$dir/$1 name=$2 ours sax copied
    fresh bench postgres
    ingest bench "$set/mails"
    right bench "$set/truth"
    ours=$both
    note "$name: client and server" "$both"
    note "$name: server alone" "$server"
    note "$name: elapsed" "$elapsed"
    note "$name: memory, the largest process" "$peak"
    if [ "$1" = small ]; then
        ingest bench "$set/mails"
        right bench "$set/truth"
        note "$name: a second pass, all stored" "$both"
    fi
    cost xmllint --sax --noout "$set"/xml/*
    sax=$client
    fresh bench empty
    cost psql -X -q -d bench -c "\\copy flat FROM '$set/rows'"
    copied=$(psql -X -A -t -d bench -c 'SELECT count(*) FROM flat')
    [ "$copied" = "$(sed -n 2p "$set/truth" | cut -f 4)" ] || die "COPY left $copied rows"
    note "$name: xmllint --sax --noout" "$sax"
    note "$name: COPY" "$both"
    note "$name: ratio to xmllint + COPY" "$(calculate "$ours / ($sax + $both)")"
}

records()
{
    sed -n 2p "$dir/$1/truth" | cut -f 4
}

# table SET NAME [NAME-OF-FIGURE=TARGET]...
table()
{
    local name=$2 figure unit
    heading "$(sed -n 2p "$dir/$1/truth" | cut -f 2) mails, $(records "$1") records, CPU seconds of client and server"
    for figure in 'client and server' 'server alone' elapsed 'a second pass, all stored' 'memory, the largest process' \
        'xmllint --sax --noout' COPY 'ratio to xmllint + COPY'; do
        unit=s
        case $figure in memory*) unit=MiB ;; ratio*) unit="times" ;; esac
        show "$name: $figure" "$unit" "$(printf '%s\n' "${@:3}" | sed -n "s/^$figure=//p")"
    done
}

for ((round = 1; round <= rounds; round++)); do
    step "round $round of $rounds"
    one_round part "$part small"
    one_round small "$small small"
    one_round big "20 x $big"
    one_round huge "1 x $huge"
done
table part "$part small" "client and server=<= $(calculate "0.3 * $part / 1000" | sed 's/0*$//')"
table small "$small small" "a second pass, all stored=<= $(calculate "0.6 * $small / 5000" | sed 's/0*$//')"
table big "20 x $big" 'ratio to xmllint + COPY=<= 2.0' 'memory, the largest process=< 64'
table huge "1 x $huge" 'ratio to xmllint + COPY=<= 2.0' 'memory, the largest process=< 64'
