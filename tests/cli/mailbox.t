#!/bin/bash
# A mailbox as it is named on the command line or configured: where the password comes from and where it goes, and which
# status a refusal has. The mail itself is the business of other tests.
. tests/lib/cli_mailbox.sh
pg_start "$dir/pg" && pg_newdb mailbox || exit 1
dovecot_start "$dir/imap" || exit 1

conf=$dir/whosends.conf
secret=$dir/secret
(umask 077 && echo secret >"$secret" && echo wrongword >"$dir/wrong")
# configure LINE...: a file with the database and these lines of group imap
configure() {
    (umask 077 && {
        printf '[whosends]\ndatabase = %s\n[imap]\nca_file = %s\n' "$PG_CONNINFO" "$CA_FILE"
        printf '%s\n' "$@"
    } >"$conf")
}
# deliver NAME: a mail without a report
deliver() {
    mkdir -p "$MAILDIR/new" "$MAILDIR/cur" "$MAILDIR/tmp"
    printf 'Message-ID: <%s@a.example>\nSubject: %s\n\nnothing in it\n' "$1" "$1" >"$MAILDIR/new/$1"
    test "$(id -u)" != 0 || chown -R "$(dovecot_owner)" "$MAILDIR"
}
in_folder() {
    find "$MAILDIR/$1cur" "$MAILDIR/$1new" -type f 2>/dev/null | wc -l
}

deliver one
configure "host = localhost" "port = $IMAPS_PORT" "user = dmarc" "password = secret"
run --config "$conf" ingest --after leave
check "the configured mailbox" 0 '^1 mail: 0 stored, 0 duplicate, 1 without report, 0 problems$' ''
is "left as it was" "$(in_folder)" 1
run --config "$conf" ingest
check "again, and moved" 0 '^1 mail: .*, 1 already in the ledger$' ''
is "to the folder" "$(in_folder .Processed/) $(in_folder)" "1 0"
run --config "$conf" ingest --mailbox Nowhere
check "a folder that is not there" 66 '' 'Nowhere'

deliver two
configure "password_file = $secret"
run --config "$conf" ingest "imaps://dmarc@localhost:$IMAPS_PORT/INBOX"
check "a URL, with a password from a file" 0 '^1 mail: ' ''
deliver three
run --config "$conf" ingest "imap://dmarc@localhost:$IMAP_PORT/INBOX"
check "with STARTTLS" 0 '^1 mail: ' ''
configure
deliver four
mkdir "$dir/credentials"
cp "$secret" "$dir/credentials/imap_password"
CREDENTIALS_DIRECTORY=$dir/credentials run --config "$conf" ingest "imaps://dmarc@localhost:$IMAPS_PORT"
check "with a systemd credential, the folder being the default" 0 '^1 mail: ' ''
run --config "$conf" ingest "imaps://dmarc@localhost:$IMAPS_PORT"
check "without a password" 78 '' "no password is configured for 'dmarc' at 'localhost'"
run --config "$conf" --set imap.password_command='echo secret' ingest "imaps://dmarc@localhost:$IMAPS_PORT"
check "with a command" 0 '^0 mails: ' ''
run --config "$conf" --set imap.password_file="$dir/wrong" ingest "imaps://dmarc@localhost:$IMAPS_PORT"
check "the wrong password" 77 '' 'whosends: error: '
grep -q wrongword "$dir/err" && not_ok "it is not shown"
run --config "$conf" ingest "imaps://dmarc:secret@localhost:$IMAPS_PORT"
check "a password in the URL" 64 '' 'others could see'
grep -q secret "$dir/err" && not_ok "it is not shown either"
run --config "$conf" ingest "imaps://localhost:$IMAPS_PORT"
check "no user" 78 '' 'imap.user is not configured'
run --config "$conf" ingest 'imaps://'
check "a URL that is none" 64 '' 'imaps://USER@HOST/FOLDER'

configure "host = mail.example" "password_file = $secret"
run --config "$conf" ingest "imaps://dmarc@localhost:$IMAPS_PORT"
check "the password of another host" 64 '' 'for another host'
run --config "$conf" --set imap.password_file="$secret" ingest "imaps://dmarc@localhost:$IMAPS_PORT"
check "unless it is named on the command line, too" 0 '^0 mails: ' ''
configure "host = mail.example" "auth = xoauth2" "token_command = touch $dir/ran; echo token"
run --config "$conf" ingest "imaps://dmarc@localhost:$IMAPS_PORT"
check "the tokens of another host" 64 '' 'for another host'
is "whose command did not run" "$(ls "$dir/ran" 2>/dev/null)" ""

configure "password_file = $secret"
run --config "$conf" --set imap.ca_file="$OTHER_CA_FILE" ingest "imaps://dmarc@localhost:$IMAPS_PORT"
check "a certificate that nobody signed" 77 '' 'whosends: error: '
run --config "$conf" ingest "imaps://dmarc@127.0.0.2:$IMAPS_PORT"
check "a certificate of another name" 77 '' 'whosends: error: '
dovecot_stop
run --config "$conf" ingest "imaps://dmarc@localhost:$IMAPS_PORT"
check "the mailbox is away" 75 '' 'whosends: error: '
finish
