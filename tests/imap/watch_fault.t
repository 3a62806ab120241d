#!/bin/bash
# A watcher whose processes are killed or hang, and whose database and mail server are away for a while.
. tests/lib/cli.sh
. tests/lib/postgres.sh
. tests/lib/dovecot.sh
. tests/lib/watch.sh
cleanup() { watch_cleanup; }
DOVECOT_EXTRA='mailbox_idle_check_interval = 1s'
pg_start "$dir/pg" && pg_newdb fault && dovecot_start "$dir/imap" && make_mails 40 || exit 1
configure_one 'poll = 1'
(umask 077 && sed -i 's/^\[imap\]/watch_timeout = 5\n&/' "$conf")
listen

watch
until_true 10 heard 'READY=1'
kill -KILL $(children)
eventually "a process that is killed is told of" 3 said "warning: account 'imap' INBOX: its process was killed by signal 9"
send 1 10
all_of 10 "another one takes over"

kill -STOP $(children)
eventually "a process that hangs is killed" 14 said "warning: account 'imap' INBOX: its process gave no sign of life for 5 seconds"
send 11 20
all_of 20 "another one takes over, too"

pg_halt fast
send 21 30
eventually "a database that is away is told of" 5 said "error: account 'imap' INBOX: .*"
pg_restart
all_of 30 "mail of that time is stored when it is back"
eventually "which is told" 2 said "note: account 'imap' INBOX: is read again"

dovecot_stop
sleep 1
ports="$IMAP_PORT $IMAPS_PORT"
free_ports() { echo "$ports"; }
dovecot_start "$dir/imap" || exit 1
send 31 40
all_of 40 "so is mail of a mail server that was away"
stop_watch "at the end"
finish
