#!/bin/bash
# Watching with the private cluster: the processes make it together, start it again when it was stopped, and leave it behind.
. tests/lib/cli.sh
. tests/lib/postgres.sh
. tests/lib/dovecot.sh
. tests/lib/watch.sh
cleanup() {
    test -z "$watch_pid" || kill -KILL "$watch_pid" 2>/dev/null
    test -z "$notify_pid" || kill "$notify_pid"
    dovecot_stop
    "$program" stop >/dev/null
}
DOVECOT_EXTRA='mailbox_idle_check_interval = 1s'
dovecot_start "$dir/imap" || exit 1
(umask 077 && cat >"$conf" <<CONF
[imap]
host = localhost
port = $IMAPS_PORT
ca_file = $CA_FILE
user = dmarc
password = secret
mailbox = INBOX | One | Two
poll = 1
CONF
)
listen
mails_are() { "$program" status --format csv 2>/dev/null | tail -n 1 | grep -q "^$1,"; }
deliver first
deliver second dmarc .One
deliver third dmarc .Two
watch
eventually "three processes make the private cluster" 30 heard 'READY=1'
eventually "and read" 5 mails_are 3
is "nothing went wrong" "$(grep 'error:\|warning:' "$dir/log")" ""
run stop
check "it can be stopped meanwhile" 0 "was stopped$" ""
deliver fourth
eventually "and is started again when there is mail" 15 mails_are 4
stop_watch "the end"
test -S "$dir"/cluster/*/run/.s.PGSQL.5432 && ok "the cluster stays" || not_ok "the cluster stays"
finish
