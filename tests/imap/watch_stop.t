#!/bin/bash
# A watcher that is told to end does so in five seconds with nothing half done: while it reads, and while a server or the
# database gives no answer. And it ends when the one that started it is gone.
. tests/lib/cli.sh
. tests/lib/postgres.sh
. tests/lib/dovecot.sh
. tests/lib/watch.sh
cleanup() {
    dovecot_signal CONT
    watch_cleanup
}
dovecot_signal() { test -z "${dovecot_pid:-}" || kill -s "$1" -- "-$dovecot_pid"; }
DOVECOT_EXTRA='mailbox_idle_check_interval = 1s'
pg_start "$dir/pg" && pg_newdb stop && dovecot_start "$dir/imap" || exit 1
bench/generate.py --reports 2000 --records-mean 3 --domains 10 --maildir "$MAILDIR" --truth "$dir/truth" >/dev/null || exit 1
dovecot_own_mails
configure_one 'batch = 50'
listen

# Mails that are in the ledger, and in the folder that these are moved to.
ledger() { psql -X -A -t -c 'SELECT count(*) FROM dmarc_store.message' 2>/dev/null; }
some_in_ledger() { test "$(ledger || echo 0)" -gt "$1" 2>/dev/null; }
same_places() {
    local stored=$(ledger) moved=$(($(mails_in .Processed) + $(mails_in .Problems)))
    is "$1: what is in the ledger is moved, and nothing else" "$moved $((moved + $(mails_in)))" "$stored 2000"
}

watch
until_true 10 some_in_ledger 0
stop_watch "while it reads"
test "$(mails_in)" -gt 0 && ok "while it reads: there was more to read" || not_ok "while it reads: there was more to read"
same_places "while it reads"

watch
until_true 10 some_in_ledger "$(ledger)"
dovecot_signal STOP
sleep 0.3
stop_watch "while the mail server stalls"
dovecot_signal CONT

watch
eventually "after this it can be ready again" 10 heard 'READY=1'
psql -X -q >"$dir/lock.out" 2>&1 <<'SQL' &
BEGIN; SELECT pg_backend_pid(); LOCK TABLE dmarc_store.message, dmarc_store.report IN ACCESS EXCLUSIVE MODE; SELECT 'locked'; SELECT pg_sleep(20);
SQL
locker=$!
until_true 5 grep -q locked "$dir/lock.out" 
sleep 0.5
stop_watch "while the database is locked"
psql -X -q -o /dev/null -c "SELECT pg_terminate_backend($(sed -n 's/^ *\([0-9]\{2,\}\)$/\1/p' "$dir/lock.out" | head -n 1))"
wait "$locker"

dovecot_signal STOP
watch
sleep 0.5
stop_watch "while it connects"
dovecot_signal CONT

# Without its parent.
watch
until_true 10 heard 'READY=1'
orphans=$(children)
kill -KILL "$watch_pid"
wait "$watch_pid" 2>/dev/null
gone() { for process in $orphans; do test ! -d "/proc/$process" || return 1; done; }
test -n "$orphans" || not_ok "there were processes"
eventually "when the one that looks after them is killed, they end" 5 gone
watch_pid=

# To the end: nothing is lost and nothing is double.
# Which may have happened already: then the signal would come before anybody listens to it.
watch
until_true 10 heard 'READY=1'
eventually "all of it is stored in the end" 40 inbox_has 0
stop_watch "at the end"
same_places "at the end"
is "each report is there once" "$(psql -X -A -t -F ' ' -c 'SELECT count(*), count(DISTINCT (reporter, report_id)) FROM dmarc_store.report')" "2000 2000"
finish
