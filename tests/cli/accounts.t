#!/bin/bash
# Several accounts and several folders in one configuration: all are read, one that fails keeps none from being read, and a
# secret goes to nobody but the host that it stands beside.
. tests/lib/cli_mailbox.sh
pg_start "$dir/pg" && pg_newdb accounts || exit 1
dovecot_start "$dir/imap" || exit 1
echo 'archive:other' >>"$dir/imap/users"

conf=$dir/whosends.conf
# configure: a file with the database and standard input
configure() {
    (umask 077 && { printf '[whosends]\ndatabase = %s\n' "$PG_CONNINFO" && cat; } >"$conf")
}
# deliver USER FOLDER NAME: a mail without a report; FOLDER as its directory, "" for INBOX
deliver() {
    mkdir -p "$dir/imap/home/$1/Maildir/$2"/{new,cur,tmp}
    printf 'Message-ID: <%s@a.example>\nSubject: %s\n\nnothing in it\n' "$3" "$3" >"$dir/imap/home/$1/Maildir/$2/new/$3"
    dovecot_own_mails
}
left() {
    find "$dir/imap/home/$1/Maildir/$2"/{new,cur} -type f 2>/dev/null | wc -l
}

configure <<CONF
[imap]
host = localhost
port = $IMAPS_PORT
ca_file = $CA_FILE
user = dmarc
password = secret
mailbox = INBOX | Reports/2024 |
[imap archive]
host = 127.0.0.1
user = archive
password_command = echo other
mailbox = INBOX
processed = Done
CONF
deliver dmarc '' one
deliver dmarc .Reports.2024 two
deliver archive '' three
run --config "$conf" ingest
check "all accounts and folders" 0 '^3 mails: 0 stored, 0 duplicate, 3 without report, 0 problems$' ''
is "each mail is where its account moves it" \
    "$(left dmarc '') $(left dmarc .Reports.2024) $(left dmarc .Processed) $(left archive '') $(left archive .Done)" "0 0 2 0 1"

deliver dmarc '' four
deliver archive '' five
run --config "$conf" ingest --account archive
check "one account" 0 '^1 mail: ' ''
is "and not the other" "$(left dmarc '') $(left archive '')" "1 0"
run --config "$conf" ingest --account archive --account nobody
check "one of two that is none" 64 '' "unknown account 'nobody'"
run --config "$conf" ingest --account imap --mailbox INBOX --after leave
check "group [imap] by name, and one folder of it" 0 '^1 mail: ' ''
is "which stays as it is" "$(left dmarc '')" 1
run --config "$conf" ingest --account archvie
check "an account that is none" 64 '' "unknown account 'archvie'"
check "and its hint" 64 '' "did you mean 'archive'"
run --config "$conf" ingest --account archive "$dir/x"
check "an account and a path" 64 '' 'cannot use --account with a PATH or URL'
run --config "$conf" --set 'imap archive.mailbox=Done' --set 'imap archive.processed=Old' ingest --account archive --after leave
check "keys of an account as settings" 0 '^2 mails: ' ''

# One that fails.
deliver archive '' six
run --config "$conf" ingest --account archive --account imap --mailbox INBOX --set imap.processed=Elsewhere --set 'imap archive.processed=Elsewhere'
check "two accounts by name" 0 '^2 mails: ' ''
deliver dmarc '' again
deliver archive '' more
run --config "$conf" --set imap.mailbox='Nowhere | INBOX' ingest
check "a folder that is not there" 66 '^2 mails: ' "account 'imap': could not open mailbox 'Nowhere'"
is "keeps nothing from being read" "$(left dmarc '') $(left archive '')" "0 0"
deliver archive '' seven
run --config "$conf" --set imap.port=1 --set "imap archive.port=$IMAPS_PORT" ingest
check "a host that is away" 75 '^1 mail: ' "account 'imap': could not connect to localhost:1"
deliver archive '' eight
(umask 077 && sed -i 's/^password = .*/password = wrongword/' "$conf")
run --config "$conf" ingest
check "a wrong password" 77 '^1 mail: ' "account 'imap': localhost:[0-9]+ refused the login"
is "is tried once, whatever the number of folders" "$(grep -c 'refused the login' "$dir/err")" 1
deliver archive '' nine
(umask 077 && sed -i 's/^password = .*/password_file = gone/' "$conf")
run --config "$conf" ingest
check "a password file that is missing" 78 '^1 mail: ' "account 'imap': cannot read file '.*gone' of imap.password"
(umask 077 && sed -i '/^password_file/d' "$conf")
run --config "$conf" ingest
check "no password, and that of another account is none" 78 '' "account 'imap': no password is configured for 'dmarc' at"
grep -q "wrongword\|other$" "$dir/err" && not_ok "no secret is shown"

# URLs find the account that they are for.
run --config "$conf" ingest "imaps://archive@127.0.0.1:$IMAPS_PORT/INBOX"
check "a URL of an account has its password" 0 '^0 mails: ' ''
run --config "$conf" ingest "imaps://archive@localhost:$IMAPS_PORT/INBOX"
check "which is for no other host" 78 '' "no password is configured for 'archive' at 'localhost'"

# What makes out access tokens is no more another account's than a password is.
configure <<CONF
[imap]
host = localhost
port = $IMAPS_PORT
ca_file = $CA_FILE
user = dmarc
auth = xoauth2
token_command = touch $dir/ran; echo token
[imap archive]
host = 127.0.0.1
user = archive
CONF
run --config "$conf" ingest --account archive
check "no token of another account" 78 '' "no token|token_url|token_command"
is "whose command did not run" "$(ls "$dir/ran" 2>/dev/null)" ""

configure <<CONF
[imap]
ca_file = $CA_FILE
port = $IMAPS_PORT
[imap a]
user = dmarc
[imap b]
host = localhost
user = archive
CONF
mkdir "$dir/credentials" && echo other >"$dir/credentials/imap_password_b" && echo no >"$dir/credentials/imap_password"
deliver archive '' ten
CREDENTIALS_DIRECTORY=$dir/credentials run --config "$conf" ingest
check "an account without a host, and one with a credential of its name" 78 '^1 mail: ' "account 'a': imap a.host is not configured"
is "what has no user is no account" "$(grep -c 'error:' "$dir/err")" 1
printf '[imap a]\n[imap b]\nhost = x\n' >"$conf"
run --config "$conf" ingest
check "nothing that could be read" 78 '' 'there is nothing to read: no PATH is given, and imap b.user is not configured'
finish
