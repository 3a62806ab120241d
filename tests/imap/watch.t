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
finish
