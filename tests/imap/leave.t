#!/bin/bash
# Mails that are left where they are: the folder is only examined, each mail is read once, and none is passed over that is
# not in the ledger.
. tests/lib/cli.sh
. tests/lib/postgres.sh
. tests/lib/dovecot.sh
. tests/lib/mock.sh
cleanup() {
    mock_stop
    dovecot_stop
    pg_stop
}
chmod 711 "$dir"
pg_start "$dir/pg" && pg_newdb leave && dovecot_start "$dir" || exit 1
tls="--port $IMAPS_PORT --ca $CA_FILE"
handed() { grep -c '^imap:' "$dir/out"; }
sent=0
mails() {
    for _ in $(seq "$1"); do
        sent=$((sent + 1))
        printf 'Subject: %s\n\nmail %s\n' "$sent" "$sent" >"$MAILDIR/new/$sent.mail"
    done
    dovecot_own_mails
}
place=$dir/place

mails 5
run $tls --after leave --place "$place"
is 'mails are read' "$status $(handed) $(cut -d' ' -f2 "$place")" '0 5 5'
run $tls --after leave --place "$place"
is 'and not read again' "$status $(handed)" '0 0'
mails 3
run $tls --after leave --place "$place" --outcome none
is 'those that are not committed' "$status $(handed) $(cut -d' ' -f2 "$place")" '0 3 5'
run $tls --after leave --place "$place" --flush-after 2 --window 2 --batch 2
is 'are read again, and those that are' "$status $(handed) $(cut -d' ' -f2 "$place")" '0 2 7'
run $tls --after leave --place "$place"
is 'are not' "$status $(handed)" '0 1'
is 'nothing has changed' "$(mails_in) $(find "$MAILDIR" -name '*:2,*S*' | wc -l) $(find "$MAILDIR" -name '.P*' | wc -l)" '8 0 0'
echo '1 4294967295' >"$place"
run $tls --after leave --place "$place"
is 'in a folder with new numbers all is read' "$status $(handed)" '0 8'

rm "$place"
run $tls --outcome mixed --after leave --after-problem move --place "$place" --batch 3
is 'where some are moved, the others are left' "$status $(handed) $(mails_in) $(mails_in .Problems)" '0 8 6 2'
run $tls --outcome mixed --after leave --after-problem move --place "$place"
is 'and are not read again' "$status $(handed)" '0 0'

rm "$place"
meet nil --after leave --place "$place"
check 'a mail that does not come' 75 '*' 'UID 2: .* gives nothing'
is '  is not passed over for ever' "$(cat "$place")" '7 1'
is '  in a folder that is only examined' "$(grep -c '^EXAMINE' "$dir/commands") $(grep -c '^SELECT' "$dir/commands") $(changes)" '1 0 '
meet nil --after leave --place "$place"
is '  those behind it are read once more' "$(sed -n 's/^imap:.*;UID=\([0-9]\).*/\1/p' "$dir/out" | tr '\n' ' ')" '3 '
meet good --after leave --place "$place"
is '  until it comes' "$(sed -n 's/^imap:.*;UID=\([0-9]\).*/\1/p' "$dir/out" | tr '\n' ' ') $(cat "$place")" '2 3  7 3'

program=build/whosends
(umask 077 && echo secret >"$dir/secret")
conf=$dir/conf
printf '%s\n' '[whosends]' "database = $PG_CONNINFO" '[imap]' "ca_file = $CA_FILE" "port = $IMAPS_PORT" \
    'host = localhost' 'user = dmarc' "password_file = $dir/secret" 'after = leave' >"$conf"
chmod 600 "$conf"
sql() { psql -X -q -At -d "$PG_CONNINFO" -c "$1"; }
run --config "$conf" ingest
check 'the program' 0 '^6 mails: 0 stored, 0 duplicate, 6 without report, 0 problems$' ''
is 'notes in the database how far it was' "$(sql 'SELECT mailbox, uid FROM dmarc_store.mailbox')" "imap://dmarc@localhost:$IMAPS_PORT/INBOX|8"
run --config "$conf" ingest
check 'and reads what is new alone' 0 '^0 mails: ' ''
sql 'DELETE FROM dmarc_store.mailbox'
run --config "$conf" ingest
check 'without that note nothing is counted twice' 0 '^6 mails: 0 stored, 0 duplicate, 0 without report, .* 6 already in the ledger' ''
sql 'UPDATE dmarc_store.mailbox SET uidvalidity = 1, uid = 4294967295'
mails 1
run --config "$conf" ingest
check 'and with new numbers neither' 0 '^7 mails: .* 1 without report, .* 6 already in the ledger' ''
is 'with one row' "$(sql 'SELECT count(*) FROM dmarc_store.mailbox')" 1
sql 'UPDATE dmarc_store.mailbox SET uid = 4294967295'
run --config "$conf" ingest --after move
is 'a rule that moves all does not look there' "$status $(mails_in)" '0 0'
finish
