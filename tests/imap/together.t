#!/bin/bash
# Two ingesters that are started together on one mailbox: each mail is moved once, and none is copied twice.
. tests/lib/cli.sh
. tests/lib/postgres.sh
. tests/lib/dovecot.sh
cleanup() {
    kill -KILL $first $second $holder 2>/dev/null
    dovecot_stop
    pg_stop
}
first= second= holder=
chmod 711 "$dir"
mails=${MAILS:-1000} rounds=${ROUNDS:-4}
pg_start "$dir/pg" && pg_newdb together && dovecot_start "$dir/imap" || exit 1
"$program" --database "$PG_CONNINFO" init >/dev/null 2>&1
(umask 077 && cat >"$dir/conf") <<CONF
[whosends]
database = $PG_CONNINFO
[imap]
host = localhost
port = $IMAPS_PORT
user = dmarc
password = secret
ca_file = $CA_FILE
batch = 100
timeout = 1
CONF

# send N: so many mails that nobody has seen
sent=0
send() {
    python3 - "$MAILDIR/new" "$sent" "$1" <<'END'
import sys
first, n = int(sys.argv[2]), int(sys.argv[3])
for number in range(first, first + n):
    with open(f"{sys.argv[1]}/{1700000000 + number}.mail", "w", encoding="ascii") as mail:
        mail.write(f"From: friend@example.net\nMessage-ID: <{number}@example.net>\nSubject: {number}\n\nAt one?\n")
END
    sent=$((sent + $1))
    dovecot_own_mails
}
# A mail that is there once, twice ...: how many of each
copies() {
    grep -rh '^Subject: ' "$MAILDIR"/.Processed/{new,cur} | sort | uniq -c | awk '{ n[$1]++ }
        END { for (times in n) print n[times] " mails " times " times" }'
}

for round in $(seq "$rounds"); do
    send "$mails"
    "$program" --config "$dir/conf" ingest >"$dir/first" 2>&1 &
    first=$!
    "$program" --config "$dir/conf" ingest >"$dir/second" 2>&1 &
    second=$!
    wait $first
    is "round $round: one ends well" "$?" 0
    wait $second
    is "  and so does the other" "$?" 0
    first= second=
    is '  the mailbox is empty' "$(mails_in)" 0
    is '  and each mail was moved once' "$(copies)" "$sent mails 1 times"
done
is 'nobody keeps a lock' "$(psql -X -A -t -c "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")" 0

# Somebody who never ends, and then does.
hold() {
    psql -X -q -A -t -c "SELECT pg_advisory_lock(7710423, hashtext(E'localhost\ndmarc\nINBOX'))" -c "SELECT pg_sleep(60)" >"$dir/held" 2>&1 &
    holder=$!
    for _ in $(seq 100); do test -s "$dir/held" && return; sleep 0.05; done
}
hold
send 3
began=$EPOCHSECONDS
run --config "$dir/conf" ingest
check 'a turn that does not come is told' 75 '*' "could not move 3 mails to folder 'Processed': another ingester"
is '  after the time that a command may take' "$((EPOCHSECONDS - began >= 4 && EPOCHSECONDS - began < 9))" 1
is '  and the mails are where they were' "$(mails_in)" 3
is '  in the ledger' "$(psql -X -A -t -c 'SELECT count(*) FROM dmarc_store.message')" "$sent"
run --config "$dir/conf" ingest --after leave
check 'who moves nothing does not wait' 0 '*' '*'
"$program" --config "$dir/conf" ingest >"$dir/first" 2>&1 &
first=$!
sleep 1
psql -X -q -c "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted" >/dev/null
wait $first
is 'the turn comes when the connection of another one ends' "$? $(mails_in)" '0 0'
first=
is '  and each mail is moved once' "$(copies)" "$sent mails 1 times"

hold
send 3
"$program" --config "$dir/conf" ingest --watch >"$dir/first" 2>&1 &
first=$!
sleep 2
began=$EPOCHREALTIME
kill -TERM $first
wait $first
is 'a signal ends the waiting' "$? $(awk "BEGIN { print $EPOCHREALTIME - $began < 3 }")" '0 1'
first=
is '  and moves nothing' "$(mails_in)" 3
finish
