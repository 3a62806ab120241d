#!/bin/bash
# Two watchers on one mailbox do no harm.
. tests/lib/cli.sh
. tests/lib/postgres.sh
. tests/lib/dovecot.sh
. tests/lib/watch.sh
second=
cleanup() {
    test -z "$second" || kill -KILL "$second" 2>/dev/null
    watch_cleanup
}
DOVECOT_EXTRA='mailbox_idle_check_interval = 1s'
pg_start "$dir/pg" && pg_newdb fault && dovecot_start "$dir/imap" && make_mails 500 || exit 1
configure_one 'poll = 1'
listen

watch
until_true 10 heard 'READY=1'
"$program" --config "$conf" ingest --watch 2>"$dir/log2" >"$dir/out2" </dev/null &
second=$!
until_true 10 heard_times 2 'READY=1'
send 1 500
all_of 500 "two watchers, 500 mails that come meanwhile: each is there once"
test "$(grep -c ' mails\?: ' "$dir/log")" -gt 0 && test "$(grep -c ' mails\?: ' "$dir/log2")" -gt 0 && ok "and both were at work" ||
    not_ok "and both were at work"
cat "$dir/log" "$dir/log2" | grep "error:\|warning:" >"$dir/complaints"
is "with nothing to complain of" "$(cat "$dir/complaints")" ""
kill "$second"
wait "$second"
second=
stop_watch "at the end"
finish
