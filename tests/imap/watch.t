#!/bin/bash
# ingest --watch: mail is stored when it comes, from several folders at once, and the service manager hears of it.
. tests/lib/cli.sh
. tests/lib/postgres.sh
. tests/lib/dovecot.sh
. tests/lib/watch.sh
cleanup() { watch_cleanup; }
DOVECOT_EXTRA='mailbox_idle_check_interval = 1s'
pg_start "$dir/pg" && pg_newdb watch && dovecot_start "$dir/imap" || exit 1
printf 'archive:other\n' >>"$dir/imap/users"
listen

deliver first
configure_one
WATCHDOG_USEC=2000000 watch
eventually "it is ready" 10 heard 'READY=1'
eventually "what was there is stored" 5 in_ledger first 1
deliver second
eventually "mail that comes while it waits is stored" 3 in_ledger second 1
eventually "and moved" 2 inbox_has 0
eventually "what became of it is told" 2 said "note: account 'imap' INBOX: 1 mail: 0 stored, 0 duplicate, 1 without"
eventually "it says that it is alive" 3 heard_times 2 'WATCHDOG=1'
eventually "and how it is" 1 heard 'STATUS=1 folder watched'
stop_watch "SIGTERM while it waits"
eventually "which is told" 1 heard 'STOPPING=1'
is "nothing else was said" "$(grep -cv ' INBOX: 1 mail: ' "$dir/log")$(cat "$dir/out")" 0

# Several accounts and folders, one of them refused, one dead; on a socket without a file.
unset NOTIFY_SOCKET
kill "$notify_pid"
listen "@whosends-test-$$"
mkdir -p "$dir/imap/home/archive/Maildir"
configure <<CONF
[imap]
host = localhost
port = $IMAPS_PORT
ca_file = $CA_FILE
user = dmarc
password = secret
mailbox = INBOX | Reports
poll = 1
[imap archive]
host = localhost
user = archive
password_command = echo other
mailbox = INBOX
[imap refused]
host = localhost
user = dmarc
password_command = echo wrong
mailbox = INBOX
[imap dead]
host = 127.0.0.1
port = 1
user = dead
password_command = echo other
mailbox = INBOX
CONF
deliver third dmarc .Reports
watch
eventually "with several folders it is ready when each was opened or failed" 10 heard 'READY=1'
eventually "a dead server is told" 1 said "error: account 'dead' INBOX: could not connect to 127.0.0.1:1"
eventually "a refused login is told" 1 said "error: account 'refused' INBOX: .* refused the login"
eventually "and when it is tried again" 1 said "note: account 'refused' INBOX: is tried again every 15 minutes"
eventually "the manager hears of both" 2 heard "STATUS=5 folders, 2 of them cannot be read now: account 'refused' INBOX and others"
deliver fourth archive
deliver fifth
eventually "mail of one account" 4 in_ledger fourth 1
eventually "of another one" 2 in_ledger fifth 1
eventually "and of a second folder" 2 in_ledger third 1
is "there is a process for each folder" "$(children | wc -l)" 5
is "a failure is told once" "$(grep -c "error: account 'dead'" "$dir/log")" 1
is "and a refused login is not tried again" "$(grep -c 'auth failed\|Authentication failure\|Password mismatch' "$dir/imap/log")" 1

# The configuration anew.
: >"$dir/heard"
before=$(children | sort | tr '\n' ' ')
echo 'nonsense = 1' >>"$conf"
kill -HUP "$watch_pid"
eventually "a broken configuration is told" 2 said 'error: the configuration is not read again: '
eventually "to the manager, too" 1 heard '^[0-9.]* READY=1'
is "and the old processes go on" "$(children | sort | tr '\n' ' ')" "$before"
configure_one 'processed = Elsewhere'
: >"$dir/heard"
kill -HUP "$watch_pid"
eventually "one that is not broken is taken" 8 heard '^[0-9.]* READY=1'
is "after the manager was told that it would be" "$(head -n 1 "$dir/heard" | cut -d' ' -f2 | sed 's/=[0-9]*$//')" "RELOADING=1;MONOTONIC_USEC"
is "only what is in it is watched" "$(children | wc -l)" 1
deliver sixth
eventually "in the way that it says" 4 test_folder .Elsewhere 1
stop_watch "SIGINT" INT

# Without IDLE.
dovecot_stop
DOVECOT_CAPABILITY='IMAP4rev1 SASL-IR MOVE UIDPLUS'
dovecot_start "$dir/imap" || exit 1
configure_one 'poll = 1'
watch
eventually "without IDLE it is ready" 5 heard 'READY=1'
deliver seventh
eventually "and mail is stored when it looks" 4 in_ledger seventh 1
stop_watch "SIGTERM without IDLE"

# Only what can be watched.
run --config "$conf" ingest --watch "$dir"
check "a path cannot be watched" 64 '' 'cannot use --watch with a PATH or URL'
run --config "$conf" --set imap.user= ingest --watch
check "nothing to watch" 78 '' 'there is nothing to read'
finish
