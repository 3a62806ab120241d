#!/bin/bash
# A Maildir that others work on at the same time, and an mbox that grows.
. tests/lib/cli.sh
. tests/lib/postgres.sh
chmod 711 "$dir"
cleanup() { pg_stop; }
pg_start "$dir/pg" && pg_newdb maildir || exit 1
export WHOSENDS_DATABASE="$PG_CONNINFO"
many=60
bench/generate.py --reports $((many + 10)) --records-mean 3 --seed 11 --out "$dir/made" --truth "$dir/truth" || exit 1
mails=("$dir"/made/*)
box=$dir/Maildir
mkdir -p "$box/cur" "$box/new" "$box/tmp"
ask() {
    psql -X -A -t -c "$1" 2>&1
}
# deliver INDEX NAME: as an MDA does
deliver() {
    cp "${mails[$1]}" "$box/tmp/$2" && mv "$box/tmp/$2" "$box/new/$2"
}
in_box() {
    find "$box/$1cur" "$box/$1new" -type f 2>/dev/null | wc -l
}

# Two read it while a third one delivers and a fourth one marks mails as read.
for ((i = 0; i < many / 2; i++)); do deliver $i "17000000$i.test.host"; done
for ((i = many / 2; i < many; i++)); do
    deliver $i "17000000$i.test.host"
    sleep 0.02
done &
deliverer=$!
for file in "$box"/new/170000001*; do
    mv "$file" "$box/cur/${file##*/}:2,S" 2>/dev/null
    sleep 0.02
done &
marker=$!
for ingester in 1 2; do
    for round in 1 2 3; do "$program" ingest --quiet --after move "$box" || echo "$?"; done >"$dir/said$ingester" 2>&1 &
    ingesters[ingester]=$!
done
wait $deliverer $marker "${ingesters[@]}"
is "two ingesters at once end well" "$(cat "$dir/said1" "$dir/said2")" ""
run ingest --quiet --after move "$box"
check "and so does one after them" 0 '' ''
is "all mails are in .Processed, and none is anywhere else" "$(in_box .Processed/) $(in_box '') $(in_box .Problems/)" "$many 0 0"
is "each report is stored once" "$(ask "SELECT count(*) FROM dmarc_store.report")" $many
is "each mail is in the ledger as stored, once" \
    "$(ask "SELECT count(*), count(DISTINCT sha256) FROM dmarc_store.message WHERE outcome = 'stored'")" "$many|$many"
is "a mail keeps its flags" "$(find "$box/.Processed" -name '*:2,' -o -name '*:2,S' | wc -l)" $many

# Left where it is: a new name, another flag and another folder make no new mail.
deliver $many "1800000000.$(printf 'a\nb\033[1m').host"
echo 'not yet delivered' >"$box/tmp/1800000001.c.host"
ln -s "${mails[many + 1]}" "$box/new/1800000002.d.host"
run ingest "$box"
check "a name with a line break; tmp/ and links are left alone" 0 '^1 mail: 1 stored' ''
is "the name is harmless in the ledger" "$(ask "SELECT count(*) FROM dmarc_store.message WHERE source ~ '[[:cntrl:]]'")" 0
mv "$box"/new/1800000000* "$box/cur/1800000000.$(printf 'a\nb\033[1m').host:2,RS"
run ingest "$box"
check "read and answered, it is the same mail" 0 '^1 mail: 0 stored, 0 duplicate, .* 1 already in the ledger$' ''
mv "$box"/cur/1800000000* "$box/cur/1900000000.e.host:2,RS"
run ingest "$box"
check "under another name it is a duplicate" 0 '^1 mail: 0 stored, 1 duplicate' ''
run ingest --after move "$box"
check "and moved" 0 '^1 mail: ' ''
is "the link is still there" "$(find "$box/new" -type l | wc -l) $(in_box '')" "1 0"

# An mbox grows.
from='From dmarc@reporter.example Sat Nov 21 10:00:00 2026'
for i in 1 2; do echo "$from"; cat "${mails[many + i]}"; echo; done >"$dir/mbox"
run ingest "$dir/mbox"
check "an mbox" 0 '^2 mails: 2 stored' ''
sum=$(sha256sum <"$dir/mbox")
{ echo "$from"; cat "${mails[many + 3]}"; } >>"$dir/mbox"
chmod 400 "$dir/mbox"
run ingest --after delete "$dir/mbox"
check "that grew: only what is new counts" 0 '^3 mails: 1 stored, 0 duplicate, .* 2 already in the ledger$' ''
is "it is never changed" "$(head -c -$(($(wc -c <"${mails[many + 3]}") + ${#from} + 1)) "$dir/mbox" | sha256sum)" "$sum"
finish
